import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as by_sklearn

from benchmarks.semi_real.scoring import METRICS, redrawn_scores, score
from lbsense import find_metric

REFERENCE = {
    "auc": by_sklearn.roc_auc_score,
    "logloss": lambda y, p: by_sklearn.log_loss(y, np.clip(p, 1e-3, 1 - 1e-3)),
    "accuracy": by_sklearn.accuracy_score,
    "f1": lambda y, p: by_sklearn.f1_score(y, p, zero_division=0),
    "rmse": lambda y, p: by_sklearn.mean_squared_error(y, p) ** 0.5,
    "mae": by_sklearn.mean_absolute_error,
    "rmsle": lambda y, p: by_sklearn.mean_squared_log_error(y, np.maximum(p, 0)) ** 0.5,
    "r2": by_sklearn.r2_score,
}


def rows_of(name, rng, n=60):
    metric = METRICS[name]
    if not metric.binary:
        return rng.exponential(3, n), rng.normal(3, 2, n)
    y = (rng.random(n) < 0.4).astype(float)
    p = np.round(rng.random(n), 1)  # with ties
    return y, (p > 0.6).astype(float) if metric.labels else p


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_scores_are_those_of_sklearn(name, seed):
    rng = np.random.default_rng(seed)
    y, p = rows_of(name, rng)
    expected = REFERENCE[name](y, p)
    np.testing.assert_allclose(score(METRICS[name], y, p), expected, rtol=1e-9)
    rows = rng.integers(len(y), size=(5, 40))
    drawn = redrawn_scores(METRICS[name], y, np.stack([p, p]), rows)
    by_hand = [REFERENCE[name](y[r], p[r]) for r in rows]
    np.testing.assert_allclose(drawn[:, 1], by_hand, rtol=1e-9)


def test_auc_without_both_classes_says_nothing():
    y = np.zeros(4)
    assert score(METRICS["auc"], y, np.arange(4.0)) == 0.5


def test_every_metric_is_known_to_lbsense():
    for metric in METRICS.values():
        known = find_metric(metric.lbsense)
        assert known.greater_is_better == metric.greater_is_better
