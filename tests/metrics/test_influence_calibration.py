"""Standard errors from the influence against the spread of scores of fresh samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lbsense.metrics import influence

N = 2000
Sample = Callable[[np.random.Generator], tuple[Any, Any]]


def events(rng: np.random.Generator) -> tuple[Any, Any]:
    """Two submissions of calibrated probabilities, a fifth of the rows positive."""
    signal = rng.normal(size=N)
    y = rng.random(N) < 1 / (1 + np.exp(2 - 1.5 * signal))
    noise = rng.normal(size=(N, 2)) * [0.2, 0.6]
    return y, 1 / (1 + np.exp(2 - 1.4 * (signal[:, None] + noise)))


def labels(rng: np.random.Generator) -> tuple[Any, Any]:
    y, pred = events(rng)
    return y, (pred > 0.3).astype(int)


def grades(rng: np.random.Generator) -> tuple[Any, Any]:
    latent = rng.normal(size=N)
    other = latent[:, None] + rng.normal(size=(N, 2)) * [0.5, 0.8]
    cuts = [-1, 0, 0.5, 1.5]
    return np.searchsorted(cuts, latent), np.searchsorted(cuts, other / 1.2)


def values(rng: np.random.Generator) -> tuple[Any, Any]:
    signal = rng.normal(size=N)
    y = 20 + 2 * signal + rng.normal(size=N)
    return y, 20 + 2 * signal[:, None] + rng.normal(size=(N, 2)) * [0.3, 1]


def table(rng: np.random.Generator) -> tuple[Any, Any]:
    margin = rng.normal(size=(N, 4)) * 1.5
    chance = np.exp(margin) / np.exp(margin).sum(axis=1, keepdims=True)
    y = (rng.random(N)[:, None] > chance.cumsum(axis=1)).sum(axis=1)
    other = chance * rng.uniform(0.3, 1, size=(N, 4))
    return y, np.stack([chance, other / other.sum(axis=1, keepdims=True)])


def sets(rng: np.random.Generator) -> tuple[Any, Any]:
    y = (rng.random((N, 6)) < 0.3).astype(int)
    return y, np.where(rng.random((2, N, 6)) < 0.2, 1 - y, y)


MAIN = [
    ("roc_auc", events),
    ("log_loss", events),
    ("accuracy", labels),
    ("f1", labels),
    ("mcc", labels),
    ("quadratic_kappa", grades),
    ("rmse", values),
    ("r2", values),
    ("pearson", values),
]
OTHERS = [
    ("brier", events),
    ("average_precision", events),
    ("normalized_gini", events),
    ("f2", labels),
    ("balanced_accuracy", labels),
    ("cohen_kappa", grades),
    ("f1_macro", grades),
    ("mcc", grades),
    ("mae", values),
    ("rmsle", values),
    ("spearman", values),
    ("concordance_correlation", values),
    ("wmape", values),
    ("multiclass_log_loss", table),
    ("roc_auc_ovr", table),
    ("f1_samples", sets),
    ("f1_micro", sets),
    ("jaccard", sets),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "sample", "n_samples", "rtol"),
    [
        *((metric, sample, 10_000, 0.025) for metric, sample in MAIN),
        *((metric, sample, 2000, 0.055) for metric, sample in OTHERS),
    ],
)
def test_standard_errors_are_those_of_fresh_samples(
    metric: str, sample: Sample, n_samples: int, rtol: float
) -> None:
    """Of each score and of their paired difference.

    The standard deviation of K scores is itself known to 1 / sqrt(2 K): 0.7% and 1.6%.
    """
    rng = np.random.default_rng(11)
    scores = np.empty((n_samples, 3))
    squares = np.zeros(3)
    contrasts = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    for i in range(n_samples):
        rows = influence(metric, *sample(rng))
        scores[i] = rows.scores @ contrasts
        squares += (rows.psi @ contrasts).var(axis=0, ddof=1) / N
    expected = scores.std(axis=0, ddof=1)
    np.testing.assert_allclose(np.sqrt(squares / n_samples), expected, rtol=rtol)
