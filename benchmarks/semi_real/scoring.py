"""Eight metrics, each cheap enough to be taken on hundreds of sets drawn anew.

All but AUC are a function of the means of a few numbers per row; the mean over a set
drawn anew is then a sum over its rows. AUC needs each set sorted once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["METRICS", "Metric", "redrawn_scores", "score"]

Floats = NDArray[np.float64]
P_MIN = 1e-3  # forests and neighbours say 0 and 1, for which log loss has no number


@dataclass(frozen=True)
class Metric:
    """A metric of the benchmark.

    Attributes
    ----------
    name, lbsense : str
        The name in competition.json and the name that lbsense has for it.
    binary, labels : bool
        Whether the target is yes or no, and whether labels are sent, no probabilities.
    per_row : callable or None
        Target and prediction to the numbers of each row, one column a number; None
        for AUC.
    combine : callable or None
        From the means of the numbers (last axis) to the score.
    """

    name: str
    lbsense: str
    greater_is_better: bool
    binary: bool
    labels: bool = False
    per_row: Callable[[Floats, Floats], Floats] | None = None
    combine: Callable[[Floats], Floats] | None = None


def _log_loss(y: Floats, p: Floats) -> Floats:
    p = np.clip(p, P_MIN, 1 - P_MIN)
    return -np.log(np.where(y > 0, p, 1 - p))[:, None]


def _counts(y: Floats, p: Floats) -> Floats:
    return np.stack([y * p, y, p], axis=1)


def _f1(means: Floats) -> Floats:
    both = means[..., 1] + means[..., 2]
    return np.divide(2 * means[..., 0], both, out=np.zeros_like(both), where=both > 0)


def _log_error(y: Floats, p: Floats) -> Floats:
    return ((np.log1p(np.maximum(p, 0)) - np.log1p(np.maximum(y, 0))) ** 2)[:, None]


def _moments(y: Floats, p: Floats) -> Floats:
    return np.stack([(p - y) ** 2, y, y**2], axis=1)


def _r2(means: Floats) -> Floats:
    return 1 - means[..., 0] / np.maximum(means[..., 2] - means[..., 1] ** 2, 1e-300)


def _only(means: Floats) -> Floats:
    return means[..., 0]


def _root(means: Floats) -> Floats:
    return np.sqrt(means[..., 0])


def _squares(y: Floats, p: Floats) -> Floats:
    return ((p - y) ** 2)[:, None]


def _distances(y: Floats, p: Floats) -> Floats:
    return np.abs(p - y)[:, None]


def _hits(y: Floats, p: Floats) -> Floats:
    return (y == p).astype(float)[:, None]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auc", "roc_auc", True, True),
        Metric("logloss", "log_loss", False, True, False, _log_loss, _only),
        Metric("accuracy", "accuracy", True, True, True, _hits, _only),
        Metric("f1", "f1", True, True, True, _counts, _f1),
        Metric("rmse", "rmse", False, False, False, _squares, _root),
        Metric("mae", "mae", False, False, False, _distances, _only),
        Metric("rmsle", "rmsle", False, False, False, _log_error, _root),
        Metric("r2", "r2", True, False, False, _moments, _r2),
    )
}


def score(metric: Metric, y: Floats, prediction: Floats) -> float:
    """Return the score of one prediction."""
    if metric.per_row is None or metric.combine is None:
        whole = np.arange(len(y))[None, :]
        return float(_auc(y, prediction, whole)[0])
    return float(metric.combine(metric.per_row(y, prediction).mean(axis=0)))


def redrawn_scores(
    metric: Metric, y: Floats, predictions: Floats, rows: NDArray[np.intp]
) -> Floats:
    """Return the score of every prediction on every set of rows.

    Parameters
    ----------
    metric : Metric
        The metric.
    y : array of shape (n_rows,)
        The target.
    predictions : array of shape (n_predictions, n_rows)
        What was sent.
    rows : array of shape (n_sets, n_drawn)
        The rows of each set.

    Returns
    -------
    array of shape (n_sets, n_predictions)
    """
    out = np.empty((len(rows), len(predictions)))
    for column, prediction in enumerate(predictions):
        if metric.per_row is None or metric.combine is None:
            out[:, column] = _auc(y, prediction, rows)
        else:
            each = metric.per_row(y, prediction)
            means = np.stack([e[rows].mean(axis=1) for e in each.T], axis=1)
            out[:, column] = metric.combine(means)
    return out


def _auc(y: Floats, prediction: Floats, rows: NDArray[np.intp]) -> Floats:
    # Sorted with ties in both orders; the mean of the two counts each tie as a half.
    level = np.unique(prediction, return_inverse=True)[1].astype(np.int32)
    yes = (y > 0).astype(np.int32)
    won = np.zeros(len(rows))
    for tied in (yes, 1 - yes):
        key = np.sort((2 * level + tied)[rows], axis=1)
        is_yes = (key & 1) if tied is yes else 1 - (key & 1)
        won += (is_yes * np.cumsum(1 - is_yes, axis=1)).sum(axis=1) / 2
    n_yes = yes[rows].sum(axis=1)
    pairs = n_yes * (rows.shape[1] - n_yes)
    return np.where(pairs > 0, won / np.maximum(pairs, 1), 0.5)
