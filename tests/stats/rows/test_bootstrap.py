"""The bootstrap: statistics, intervals, options and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import (
    average_precision_score,
    log_loss,
    roc_auc_score,
)

from lbsense.errors import LbsenseWarning
from lbsense.stats import bootstrap


def ranked(n=300, k=2, seed=0, share=0.3, digits=None):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(int)
    prob = stats.norm.cdf(rng.normal(size=(n, k)) + y[:, np.newaxis] - 0.5)
    return y, prob if digits is None else prob.round(digits)


@pytest.mark.parametrize("digits", [None, 1])
def test_auc_of_counts_is_that_of_the_rows_drawn(digits):
    # The same draws through scikit-learn, row by row, give the same numbers.
    y, prob = ranked(digits=digits)
    rows = np.arange(len(y))[:, np.newaxis]  # the rows that a "metric" gets to see
    groups = np.arange(len(y))  # each row a group: drawn in the order they stand in
    seen = []

    def remember(_, drawn):
        seen.append(drawn.astype(int))
        return 0.0

    options = {"n_resamples": 30, "rng": 5, "groups": groups}
    counted = bootstrap("roc_auc", y, prob, **options)
    bootstrap(remember, y, rows, **options)
    expected = [
        [roc_auc_score(y[drawn], prob[drawn, j]) for j in range(2)]
        for drawn in seen[1:]
    ]
    np.testing.assert_allclose(counted.distribution, expected, rtol=1e-12)
    assert counted.scores[1] == pytest.approx(roc_auc_score(y, prob[:, 1]))


@pytest.mark.parametrize("k", [1, 3])
def test_mean_has_the_standard_error_of_a_mean(k):
    values = np.random.default_rng(0).exponential(size=(700, k)) + 1e6
    result = bootstrap("mean", None, values, rng=0)
    np.testing.assert_allclose(result.scores, values.mean(axis=0))
    np.testing.assert_allclose(result.se, values.std(axis=0) / np.sqrt(700), rtol=0.03)
    np.testing.assert_allclose(
        result.covariance, np.cov(values.T, bias=True) / 700, atol=1.5e-4
    )


def test_any_function_of_scikit_learn():
    y, prob = ranked()
    result = bootstrap(average_precision_score, y, prob, n_resamples=200, rng=0)
    assert result.scores[0] == pytest.approx(average_precision_score(y, prob[:, 0]))
    assert np.isfinite(result.distribution).all()


def test_callable_and_counted_statistic_see_the_same_law():
    y, prob = ranked(n=400)
    counted = bootstrap("roc_auc", y, prob, n_resamples=4000, rng=0)
    called = bootstrap(roc_auc_score, y, prob, n_resamples=400, rng=0)
    np.testing.assert_allclose(counted.se, called.se, rtol=0.15)
    assert counted.difference_se[0, 1] == pytest.approx(
        called.difference_se[0, 1], rel=0.15
    )


def test_class_probabilities_reach_the_metric_whole():
    rng = np.random.default_rng(0)
    prob = rng.dirichlet(np.ones(3), size=(90, 2))  # (n, k, classes)
    y = rng.integers(0, 3, 90)
    result = bootstrap(log_loss, y, prob, n_resamples=20, rng=0)
    assert result.scores[1] == pytest.approx(log_loss(y, prob[:, 1]))


def test_submissions_that_are_alike_stay_alike():
    y, prob = ranked(k=1)
    result = bootstrap("roc_auc", y, np.repeat(prob, 3, axis=1), n_resamples=300, rng=0)
    assert (result.difference_se == 0).all()


def test_fewer_rows_spread_more():
    y, prob = ranked(n=2000)
    whole = bootstrap("roc_auc", y, prob, n_resamples=3000, rng=0)
    part = bootstrap("roc_auc", y, prob, n=500, n_resamples=3000, rng=0)
    np.testing.assert_allclose(part.se, 2 * whole.se, rtol=0.08)
    assert part.n == 500


def test_groups_are_drawn_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), rng.integers(1, 20, 50))
    values = rng.normal(size=50)[groups]
    result = bootstrap("mean", None, values, groups=groups, rng=0)
    sums = np.bincount(groups, values - values.mean())
    expected = np.sqrt((sums**2).sum()) / len(values)
    assert result.se[0] == pytest.approx(expected, rel=0.06)


def test_blocks_carry_the_dependence_of_a_series():
    # AR(1) with r = .8: the variance of the mean is 9 times that of independent rows.
    rng = np.random.default_rng(0)
    noise = rng.normal(size=4000)
    series = np.empty(4000)
    series[0] = noise[0]
    for i in range(1, 4000):
        series[i] = 0.8 * series[i - 1] + noise[i]
    blocks = bootstrap("mean", None, series, block_length=100, n_resamples=2000, rng=0)
    rows = bootstrap("mean", None, series, n_resamples=2000, rng=0)
    assert 2.2 < blocks.se[0] / rows.se[0] < 3.4
    shuffled = rng.permutation(4000)
    timed = bootstrap(
        "mean",
        None,
        series[shuffled],
        times=shuffled,
        block_length=100,
        n_resamples=2000,
        rng=0,
    )
    assert timed.se[0] == pytest.approx(blocks.se[0], rel=0.06)


@given(st.integers(0, 2**32))
def test_seed_alone_decides(seed):
    y, prob = ranked(n=40)
    first = bootstrap("roc_auc", y, prob, n_resamples=5, rng=seed)
    again = bootstrap("roc_auc", y, prob, n_resamples=5, rng=seed)
    np.testing.assert_array_equal(first.distribution, again.distribution)


def test_progress_is_told_until_the_end():
    told = []
    bootstrap(
        "mean",
        None,
        [1.0, 2.0, 3.0],
        n_resamples=450,
        rng=0,
        progress=lambda *a: told.append(a),
    )
    assert told == [(200, 450), (400, 450), (450, 450)]


def test_draws_without_a_class_are_counted_and_said():
    y = np.array([1] + [0] * 9)
    with pytest.warns(LbsenseWarning, match="of 500 draws leave a score undefined"):
        result = bootstrap("roc_auc", y, np.arange(10.0), n_resamples=500, rng=0)
    # No positive with probability .9 ** 10 = .35.
    assert 0.28 < result.n_undefined / 500 < 0.42
    assert np.isfinite(result.se[0])


def test_input_is_left_alone():
    y, prob = ranked()
    before = prob.copy()
    bootstrap("roc_auc", y, prob, n_resamples=10, rng=0)
    np.testing.assert_array_equal(prob, before)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("auc", [0, 1], [0.1, 0.2]), {}, "metric must be a function, 'mean' or"),
        (("roc_auc", [1, 1], [0.1, 0.2]), {}, r"two classes in y_true, found \[1\]"),
        (("roc_auc", [0, 1, 2], [1, 2, 3]), {}, r"found \[0, 1, 2\]"),
        (
            ("roc_auc", [0, 1], [0.1, np.nan]),
            {},
            r"y_pred holds nan or inf in 1 row: \[",
        ),
        (("roc_auc", [0.0, np.nan], [0.1, 0.2]), {}, "y_true holds nan or inf"),
        (("mean", None, [0.1, np.inf]), {}, "y_pred holds nan or inf"),
        (("mean", None, [1.0]), {}, "at least 2 rows"),
        (("roc_auc", None, [0.1, 0.2]), {}, "only be left out for metric='mean'"),
        (("roc_auc", [0, 1, 1], [0.1, 0.2]), {}, "y_true has 3 rows and y_pred 2"),
        (("mean", None, [1, 2]), {"n_resamples": 1}, "n_resamples must be"),
        (("mean", None, [1, 2]), {"n": 0}, "n must be a whole number"),
        (("mean", None, [1, 2]), {"groups": [1, 1]}, "at least 2 different groups"),
        (
            ("mean", None, [1, 2]),
            {"groups": [1]},
            r"groups must have one value per row, got \(1,\)",
        ),
        (
            ("mean", None, [1, 2, 3]),
            {"block_length": 3},
            "block_length must be below the number of rows, 3, got 3",
        ),
        (
            ("mean", None, [1, 2, 3]),
            {"block_length": 0},
            "block_length must be a whole",
        ),
        (("mean", None, [1, 2]), {"times": [1, 2]}, "give their block_length as well"),
        (
            ("mean", None, [1, 2]),
            {"groups": [1, 2], "block_length": 1},
            "groups or blocks of time, not both",
        ),
    ],
)
def test_bad_input_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap(*arguments, **options)


def test_metric_must_return_a_number():
    with pytest.raises(TypeError, match="metric must return one number"):
        bootstrap(lambda *_: (1, 2), [0, 1], [0.1, 0.2], n_resamples=2)


def test_errors_of_the_metric_on_the_rows_as_they_are_show():
    def broken(y, p):
        msg = "no such thing"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="no such thing"):
        bootstrap(broken, [0, 1], [0.1, 0.2], n_resamples=2)
