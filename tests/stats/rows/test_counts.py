"""Exact resampling of metrics of counts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from lbsense.errors import LbsenseWarning
from lbsense.stats import resample_confusion

SKLEARN = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "macro_f_beta": lambda y, p: sk.fbeta_score(y, p, beta=2, average="macro"),
    "quadratic_kappa": lambda y, p: sk.cohen_kappa_score(
        y, p, weights="quadratic", labels=range(5)
    ),
    "mcc": sk.matthews_corrcoef,
}


def ratings(n=300, k=2, seed=0, classes=5):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    guesses = np.clip(y[:, np.newaxis] + rng.integers(-1, 2, (n, k)), 0, classes - 1)
    return y, guesses


@pytest.mark.parametrize("metric", sorted(SKLEARN))
def test_scores_are_those_of_scikit_learn(metric):
    y, guesses = ratings()
    result = resample_confusion(y, guesses, metric=metric, beta=2, n_resamples=2, rng=0)
    expected = [SKLEARN[metric](y, guess) for guess in guesses.T]
    np.testing.assert_allclose(result.scores, expected, rtol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_f_beta_is_that_of_scikit_learn(beta):
    y, guesses = ratings(classes=2)
    result = resample_confusion(
        y, guesses[:, 0], metric="f_beta", beta=beta, n_resamples=2, rng=0
    )
    assert result.scores[0] == pytest.approx(
        sk.fbeta_score(y, guesses[:, 0], beta=beta)
    )


def test_mcc_of_two_classes_is_the_phi_coefficient_by_hand():
    # (20 * 15 - 5 * 10) / sqrt(25 * 30 * 20 * 25)
    y = np.repeat([0, 0, 1, 1], [15, 5, 10, 20])
    guess = np.repeat([0, 1, 0, 1], [15, 5, 10, 20])
    result = resample_confusion(y, guess, metric="mcc", n_resamples=2, rng=0)
    assert result.scores[0] == pytest.approx(250 / np.sqrt(25 * 30 * 20 * 25))


def test_quadratic_kappa_uses_the_distance_of_ratings_that_nobody_gave():
    y, guess = [0, 0, 3, 3] * 20, [0, 3, 3, 1] * 20
    result = resample_confusion(
        y, guess, metric="quadratic_kappa", n_resamples=2, rng=0
    )
    expected = sk.cohen_kappa_score(y, guess, weights="quadratic", labels=range(4))
    assert result.scores[0] == pytest.approx(expected)


def test_draws_have_the_law_of_all_equally_likely_samples():
    # 4 rows can be drawn in 4**4 ways; the mean and variance of F1 over all of them.
    y, guess = np.array([0, 1, 1, 1]), np.array([1, 1, 1, 0])
    every = [
        sk.f1_score(y[list(rows)], guess[list(rows)], zero_division=np.nan)
        for rows in product(range(4), repeat=4)
    ]
    result = resample_confusion(y, guess, metric="f_beta", n_resamples=100_000, rng=0)
    assert result.distribution.mean() == pytest.approx(np.mean(every), abs=0.003)
    assert result.se[0] == pytest.approx(np.std(every), rel=0.01)


def test_accuracy_has_the_binomial_spread_at_any_size():
    y = np.repeat([0, 1], [300, 700])
    guess = np.where(np.arange(1000) % 4 == 0, 1 - y, y)
    result = resample_confusion(y, guess, metric="accuracy", n=250, rng=0)
    assert result.se[0] == pytest.approx(np.sqrt(0.75 * 0.25 / 250), rel=0.03)
    assert (result.n, result.n_obs) == (250, 1000)


def test_all_submissions_see_the_same_draws():
    y, guesses = ratings(n=500, k=1)
    same = np.repeat(guesses, 3, axis=1)
    result = resample_confusion(y, same, metric="mcc", n_resamples=500, rng=0)
    np.testing.assert_array_equal(result.distribution[:, 0], result.distribution[:, 2])
    assert (result.difference_se == 0).all()


def test_difference_of_paired_draws_matches_the_row_wise_bootstrap():
    y, guesses = ratings(n=400, classes=2, seed=4)
    result = resample_confusion(y, guesses, metric="f_beta", rng=0)
    difference = result.distribution[:, 0] - result.distribution[:, 1]
    rng = np.random.default_rng(1)
    naive = []
    for _ in range(3000):
        rows = rng.integers(0, 400, 400)
        true, both = y[rows, np.newaxis], guesses[rows]
        f1 = 2 * (true * both).sum(axis=0) / (true + both).sum(axis=0)
        naive.append(f1[0] - f1[1])
    assert difference.std() == pytest.approx(np.std(naive), rel=0.05)
    assert (difference > 0).mean() == pytest.approx(
        np.mean(np.array(naive) > 0), abs=0.03
    )
    assert np.quantile(difference, 0.025) == pytest.approx(
        np.quantile(naive, 0.025), abs=0.004
    )
    # The normal difference of the result and the draws agree.
    assert result.difference_se[0, 1] == pytest.approx(difference.std(ddof=1))


@given(st.permutations(range(30)), st.sampled_from(["accuracy", "mcc", "macro_f_beta"]))
def test_order_of_rows_and_names_of_classes_do_not_count(order, metric):
    y, guesses = ratings(n=30, classes=3)
    order = list(order)
    plain = resample_confusion(y, guesses, metric=metric, n_resamples=20, rng=0)
    names = np.array(["ant", "bee", "cat"])
    named = resample_confusion(
        names[y[order]], names[guesses[order]], metric=metric, n_resamples=20, rng=0
    )
    np.testing.assert_array_equal(plain.distribution, named.distribution)


def test_many_kinds_of_rows_give_the_same_law():
    # With 12 submissions nearly every row is a kind of its own.
    y, guesses = ratings(n=200, k=12)
    joint = resample_confusion(y, guesses, metric="accuracy", rng=0)
    right = guesses == y[:, np.newaxis]
    np.testing.assert_allclose(
        joint.covariance, np.cov(right.T, bias=True) / 200, atol=6e-5
    )


def test_f_beta_without_a_hit_is_zero():
    y, guess = [0] * 10 + [1] * 3, [0] * 13
    result = resample_confusion(y, guess, metric="f_beta", n_resamples=2, rng=0)
    assert result.scores[0] == 0


def test_constant_predictions_have_no_mcc():
    result = resample_confusion([0, 1] * 9, [0] * 18, metric="mcc", rng=0)
    assert np.isnan([result.scores[0], result.se[0], result.ci_low[0]]).all()


def test_draws_without_a_positive_are_counted_and_said():
    # All ten rows miss the single positive with probability .9 ** 10 = .35.
    y = [1] + [0] * 9
    with pytest.warns(LbsenseWarning, match="leave a score undefined"):
        result = resample_confusion(y, y, metric="f_beta", n_resamples=2000, rng=0)
    assert result.n_undefined / 2000 == pytest.approx(0.35, abs=0.04)


@pytest.mark.parametrize(
    ("y", "guess", "options", "message"),
    [
        ([0, 1], [0], {"metric": "accuracy"}, r"y_true must have shape \(n_obs,\)"),
        ([], [], {"metric": "accuracy"}, r"y_true must have shape \(n_obs,\)"),
        (
            [0, 1],
            [0, np.nan],
            {"metric": "accuracy"},
            r"finite, but rows \[1\] are not",
        ),
        ([0, 1], [0, 1], {"metric": "auc"}, "metric must be one of"),
        ([0, 0], [0, 0], {"metric": "f_beta"}, r"two classes, found \[0\]"),
        ([0, 1], [2, 1], {"metric": "f_beta"}, "use metric='macro_f_beta'"),
        (["a", "b"], ["a", "b"], {"metric": "quadratic_kappa"}, "wants numbers"),
        ([0, 1], [0, 1], {"metric": "accuracy", "n": 0}, "n must be a whole number"),
        (
            np.arange(1002) % 2,
            np.linspace(0.1, 0.9, 1002),
            {"metric": "accuracy"},
            "Turn probabilities into predicted classes",
        ),
    ],
)
def test_bad_input_is_refused(y, guess, options, message):
    with pytest.raises(ValueError, match=message):
        resample_confusion(y, guess, **options)


def test_one_row_has_no_spread():
    result = resample_confusion([1], [1], metric="accuracy", n_resamples=10, rng=0)
    assert result.se[0] == 0
