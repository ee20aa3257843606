"""Noise of differences without labels, checked against labels that were hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lbsense.metrics import influence
from lbsense.stats import disagreement_noise, residual_noise, soft_label_noise


def test_disagreement_by_hand():
    # Two files differ on 20 of 100 rows: at most sqrt(.2 / 80) on 80 rows.
    labels = np.column_stack([np.zeros(100), np.arange(100) < 20]).astype(int)
    noise = disagreement_noise(labels, n=80)
    assert noise.difference_se[0, 1] == pytest.approx(0.05)
    known = disagreement_noise(labels, n=80, scores=[0.7, 0.6])
    assert known.difference_se[0, 1] == pytest.approx(np.sqrt((0.2 - 0.01) / 80))
    assert noise.upper_bound
    assert noise.approximation


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=5, max_size=60))
def test_two_classes_reach_the_bound_exactly(rows):
    y, first, second = np.array(rows).T
    right = np.column_stack([first == y, second == y]).astype(float)
    true = np.std(right[:, 0] - right[:, 1]) / np.sqrt(50)
    noise = disagreement_noise(
        np.column_stack([first, second]), n=50, scores=right.mean(axis=0)
    )
    assert noise.difference_se[0, 1] == pytest.approx(true, abs=1e-9)


def test_more_classes_stay_below_the_bound():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 5000)
    guesses = np.where(
        rng.random((5000, 2)) < 0.6, y[:, np.newaxis], rng.integers(0, 4, (5000, 2))
    )
    right = guesses == y[:, np.newaxis]
    true = np.std(right[:, 0].astype(float) - right[:, 1]) / np.sqrt(1000)
    bound = disagreement_noise(guesses, n=1000).difference_se[0, 1]
    assert true < bound < 1.5 * true


def calibrated(n, rng, apart=0.25):
    """Labels and two calibrated-on-average predictions of them."""
    signal = rng.normal(size=n)
    y = (rng.random(n) < stats.norm.cdf(1.2 * signal - 0.6)).astype(int)
    seen = signal[:, np.newaxis] + rng.normal(0, apart, (n, 2))
    # The conditional probability given one noisy look at the signal.
    shrink = 1 / (1 + apart**2)
    spread = np.sqrt(1 + 1.2**2 * apart**2 * shrink)
    return y, stats.norm.cdf((1.2 * shrink * seen - 0.6) / spread)


@pytest.mark.parametrize("metric", ["log_loss", "brier", "roc_auc"])
def test_soft_labels_find_the_noise_of_calibrated_predictions(metric):
    rng = np.random.default_rng(1)
    y, prob = calibrated(20_000, rng)
    noise = soft_label_noise(
        prob, lambda labels, p: influence(metric, labels, p).psi, n=2000, rng=rng
    )
    psi = influence(metric, y, prob).psi
    true = np.std(psi[:, 0] - psi[:, 1]) / np.sqrt(2000)
    assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.06)
    assert not noise.upper_bound


def test_soft_labels_of_several_classes():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(6000, 1, 3)) * 1.5 + rng.normal(size=(6000, 2, 3)) * 0.3
    prob = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    mean = prob.mean(axis=1)
    y = (rng.random((6000, 1)) > np.cumsum(mean, axis=1)[:, :2]).sum(axis=1)

    def loss(labels, p):
        rows = np.arange(len(labels))
        return -np.log(p[rows, :, labels])

    noise = soft_label_noise(prob, loss, n=1000, n_draws=10, rng=rng)
    true = np.std(loss(y, prob)[:, 0] - loss(y, prob)[:, 1]) / np.sqrt(1000)
    assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.06)


@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_residual_scale_finds_the_noise_of_rmse(bias):
    rng = np.random.default_rng(3)
    y = rng.normal(size=40_000) * 3
    pred = (
        y[:, np.newaxis]
        + rng.normal(size=(40_000, 1))
        + rng.normal(0, 0.3, (40_000, 2))
    )
    pred[:, 1] += bias
    psi = influence("rmse", y, pred)
    noise = residual_noise(pred, psi.scores, n=1000)
    true = np.std(psi.psi[:, 0] - psi.psi[:, 1]) / np.sqrt(1000)
    assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.03)


def test_residual_scale_is_too_small_where_hard_rows_differ_most():
    # The assumption that is printed is the one that breaks it.
    rng = np.random.default_rng(4)
    hard = rng.exponential(size=(40_000, 1))
    y = rng.normal(size=40_000)
    pred = y[:, np.newaxis] + hard * (
        rng.normal(size=(40_000, 1)) + rng.normal(0, 0.3, (40_000, 2))
    )
    psi = influence("rmse", y, pred)
    noise = residual_noise(pred, psi.scores, n=1000)
    true = np.std(psi.psi[:, 0] - psi.psi[:, 1]) / np.sqrt(1000)
    assert noise.difference_se[0, 1] < 0.8 * true
    assert "Residuals are no larger" in noise.assumption


def test_absolute_errors_stay_below_the_bound():
    rng = np.random.default_rng(5)
    y = rng.normal(size=20_000)
    pred = (
        y[:, np.newaxis]
        + rng.normal(size=(20_000, 1))
        + rng.normal(0, 0.2, (20_000, 2))
    )
    errors = np.abs(pred - y[:, np.newaxis])
    true = np.std(errors[:, 0] - errors[:, 1]) / np.sqrt(500)
    noise = residual_noise(pred, errors.mean(axis=0), n=500, loss="absolute")
    assert true < noise.difference_se[0, 1] < 1.2 * true
    assert noise.upper_bound


def test_copies_have_no_noise_between_them():
    same = np.repeat(np.random.default_rng(0).random((50, 1)), 2, axis=1)
    assert disagreement_noise(same > 0.5, n=10).difference_se[0, 1] == 0
    assert residual_noise(same, [1.0, 1.0], n=10).difference_se[0, 1] == 0
    brier = soft_label_noise(
        same, lambda y, p: (y[:, np.newaxis] - p) ** 2, n=10, rng=0
    )
    assert brier.difference_se[0, 1] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: disagreement_noise([[1], [0]], n=5), "at least 2 submissions"),
        (lambda: disagreement_noise(np.zeros((0, 2)), n=5), "at least 2 submissions"),
        (lambda: disagreement_noise([[1, 0]], n=0), "n must be a whole number"),
        (
            lambda: disagreement_noise([[1, 1], [0, 0]], n=5, scores=[0.9, 0.5]),
            "predictions only on a share of 0.0000 of the rows",
        ),
        (
            lambda: disagreement_noise([[1, 1], [0, 0]], n=5, scores=[0.9]),
            "scores must be 2 finite numbers",
        ),
        (
            lambda: soft_label_noise([[0.1, 1.2]], lambda _, p: p, n=5),
            r"must be probabilities, in \[0, 1\], but holds \[1.2\]",
        ),
        (
            lambda: soft_label_noise([[0.1, np.nan]], lambda _, p: p, n=5),
            r"y_prob must be finite, but rows \[0\]",
        ),
        (
            lambda: residual_noise([[0.0, 9.0]] * 3, [1.0, 1.0], n=5),
            "which predictions 9 apart",
        ),
        (lambda: residual_noise([[0.0, 1.0]], [1.0, 0.0], n=5), "positive errors"),
        (
            lambda: residual_noise([[0.0, 1.0]], [1.0, 1.0], n=5, loss="huber"),
            "loss must be 'squared' or 'absolute'",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
