"""Rank correlation of gains: against SciPy, by property, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lbsense.stats import rank_correlation

pairs = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3)


@given(pairs)
def test_statistic_agrees_with_scipy_ties_included(points):
    x, y = np.array(points, dtype=float).T
    found = rank_correlation(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(found.statistic)
        return
    np.testing.assert_allclose(found.statistic, stats.spearmanr(x, y)[0], atol=1e-9)


def test_interval_by_hand():
    # r = .9, n = 5: atanh .9 = 1.472219, se = sqrt(1.405 / 2) = .838153.
    result = rank_correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    low, high = np.tanh(1.4722194895 + np.array([-1, 1]) * 1.959963985 * 0.8381527307)
    np.testing.assert_allclose([result.ci_low, result.ci_high], [low, high], rtol=1e-6)


@pytest.mark.parametrize("n_obs", [0, 1, 2])
def test_too_few_pairs_give_nan(n_obs):
    result = rank_correlation(np.arange(n_obs), np.arange(n_obs))
    assert np.isnan(result.statistic)
    assert result.n_obs == n_obs


def test_pairs_with_a_missing_side_are_left_out():
    result = rank_correlation([1, np.nan, 2, 3, 4], [1, 9, 2, 3, np.nan])
    assert result.n_obs == 3
    assert result.statistic == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("n_obs", [6, 12, 40])
def test_interval_covers_near_its_level(n_obs):
    rng = np.random.default_rng(n_obs)
    pearson = 0.6
    true = 6 / np.pi * np.arcsin(pearson / 2)
    hits, n_rounds = 0, 1500
    for _ in range(n_rounds):
        x, z = rng.normal(size=(2, n_obs))
        y = pearson * x + np.sqrt(1 - pearson**2) * z
        result = rank_correlation(x, y)
        hits += result.ci_low <= true <= result.ci_high
    assert 0.92 <= hits / n_rounds <= 0.98
