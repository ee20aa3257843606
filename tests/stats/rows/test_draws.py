"""The joint law of the noise: factor, draws, expected maximum, effective number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lbsense.stats.rows.joint import (
    effective_number,
    expected_maximum,
    noise_factor,
    score_draws,
)

loadings = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 6), st.integers(1, 4)),
    elements=st.integers(-20, 20).map(float),
)


@given(loadings)
def test_factor_gives_the_covariance_back_with_no_more_columns_than_its_rank(half):
    covariance = half @ half.T
    factor = noise_factor(covariance)
    scale = max(1.0, covariance.max())
    np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-9 * scale)
    assert factor.shape[1] <= min(half.shape)


def test_factor_of_copies_has_one_column():
    assert noise_factor(np.full((50, 50), 2.0)).shape == (50, 1)


def test_factor_of_no_noise_has_no_column():
    assert noise_factor(np.zeros((3, 3))).shape == (3, 0)


def test_draws_have_the_mean_and_covariance_asked_for():
    covariance = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, 0.0], [0.0, 0.0, 0.0]])
    draws = score_draws([1.0, 2.0, 3.0], covariance, n_draws=200_000, rng=0)
    np.testing.assert_allclose(draws.mean(axis=0), [1, 2, 3], atol=0.02)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.04)
    assert (draws[:, 2] == 3.0).all()


def test_draws_repeat_for_the_same_seed_and_leave_the_input_alone():
    covariance = np.eye(2)
    first = score_draws([0, 0], covariance, n_draws=5, rng=3)
    np.testing.assert_array_equal(
        first, score_draws([0, 0], covariance, n_draws=5, rng=3)
    )
    np.testing.assert_array_equal(covariance, np.eye(2))


# Harter (1961), table 1, to five decimals.
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, 0.0),
        (2, 0.56419),
        (3, 0.84628),
        (5, 1.16296),
        (10, 1.53875),
        (20, 1.86748),
        (50, 2.24907),
        (100, 2.50759),
    ],
)
def test_expected_maximum_is_the_tabulated_one(number, expected):
    assert expected_maximum(number) == pytest.approx(expected, abs=5.1e-6)


@given(st.floats(1, 1e6), st.floats(1.001, 10))
def test_expected_maximum_grows_with_the_number(number, factor):
    assert expected_maximum(number * factor) > expected_maximum(number)


@pytest.mark.parametrize("number", [0.5, float("inf"), float("nan")])
def test_expected_maximum_of_less_than_one_try_is_an_error(number):
    with pytest.raises(ValueError, match="number must be finite and at least 1"):
        expected_maximum(number)


@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_independent_submissions_count_in_full(k):
    assert effective_number(np.eye(k), rng=0) == pytest.approx(k, rel=0.03)


def test_copies_count_once():
    assert effective_number(np.full((40, 40), 3.0), rng=0) == pytest.approx(1.0)


def test_equal_correlation_matches_the_closed_form():
    # max = sqrt(r) z + sqrt(1 - r) max of k: E = sqrt(1 - r) E[max of k].
    covariance = 0.83 + 0.17 * np.eye(40)
    number = effective_number(covariance, rng=0)
    expected = np.sqrt(0.17) * expected_maximum(40)
    assert expected_maximum(number) == pytest.approx(expected, rel=0.01)


@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=3))
def test_effective_number_does_not_depend_on_the_scale_of_scores(scales):
    covariance = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.2], [0.2, 0.2, 1.0]])
    scaled = covariance * np.outer(scales, scales)
    plain = effective_number(covariance, n_draws=500, rng=0)
    assert 1 <= plain <= 3
    # Pivoting may order the submissions anew, so equal up to Monte Carlo error only.
    assert effective_number(scaled, n_draws=500, rng=0) == pytest.approx(plain, rel=0.2)


def test_effective_number_without_noise_is_nan_and_silent_ones_are_left_out():
    assert np.isnan(effective_number(np.zeros((3, 3)), rng=0))
    assert effective_number(np.diag([1.0, 1.0, 0.0]), rng=0) == pytest.approx(
        2, rel=0.1
    )


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        ([1.0, 2.0], r"must have shape \(k, k\), got shape \(2,\)"),
        ([[1.0, 0.0]], r"must have shape \(k, k\), got shape \(1, 2\)"),
        (np.zeros((0, 0)), r"must have shape \(k, k\)"),
        ([[1.0, np.nan], [np.nan, 1.0]], r"must be finite, but columns \[0, 1\]"),
        ([[1.0, 0.5], [0.0, 1.0]], "must be symmetric"),
        ([[-1.0]], "variances of at least 0"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, message):
    with pytest.raises(ValueError, match=message):
        noise_factor(covariance)


def test_scores_and_covariance_must_agree_in_size():
    with pytest.raises(ValueError, match="3 scores need a covariance of that size"):
        score_draws([1, 2, 3], np.eye(2))
