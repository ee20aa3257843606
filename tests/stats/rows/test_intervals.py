"""Intervals from a standard error and from resampled scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats.rows.bootstrap import percentile_interval
from lbsense.stats.rows.joint import (
    logit_interval,
    normal_interval,
    wilson_interval,
)


@given(st.integers(1, 400), st.data())
def test_wilson_ends_are_the_rates_a_score_test_just_rejects(n, data):
    hits = data.draw(st.integers(0, n))
    rate = np.array([hits / n])
    low, high = wilson_interval(rate, np.array([float(n)]), 1.96)
    for end in (low[0], high[0]):
        if 1e-9 < end < 1 - 1e-9:
            z = (rate[0] - end) / np.sqrt(end * (1 - end) / n)
            assert abs(z) == pytest.approx(1.96, rel=1e-6)
    assert 0 <= low[0] <= rate[0] + 1e-12
    assert rate[0] - 1e-12 <= high[0] <= 1


@pytest.mark.parametrize(("score", "se"), [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0)])
def test_logit_interval_at_an_end_or_without_spread_is_nan(score, se):
    ends = logit_interval(np.array([score]), np.array([se]), np.array([1.96]))
    assert np.isnan(ends).all()


def test_skewness_shifts_both_ends_as_halls_expansion_says():
    # Mean of 100 exponential rows: skewness 2, of the mean .2; z = 1.96.
    shift = 0.2 * (2 * 1.96**2 + 1) / 6
    low, high = normal_interval(
        np.ones(1), np.array([0.1]), np.array([1.96]), np.array([0.2])
    )
    assert low[0] == pytest.approx(1 - 0.1 * (1.96 - shift))
    assert high[0] == pytest.approx(1 + 0.1 * (1.96 + shift))


@pytest.mark.slow
def test_interval_of_a_skewed_mean_lies_too_low_less_often():
    rng = np.random.default_rng(3)
    rows = rng.exponential(size=(20_000, 40))
    mean, se = rows.mean(axis=1), rows.std(axis=1, ddof=1) / np.sqrt(40)
    unit = (rows - mean[:, np.newaxis]) / rows.std(axis=1)[:, np.newaxis]
    skewness = (unit**3).mean(axis=1) / np.sqrt(40)
    quantile = np.full(len(mean), 2.02)
    shifted, plain = (
        normal_interval(mean, se, quantile, factor * skewness) for factor in (1, 0)
    )
    # Without the shift nearly all misses are intervals that lie too low.
    assert np.mean(plain[1] < 1) > 5 * np.mean(plain[0] > 1)
    assert np.mean(shifted[1] < 1) < 0.75 * np.mean(plain[1] < 1)
    assert np.mean((shifted[0] <= 1) & (shifted[1] >= 1)) > 0.925


def test_percentiles_are_order_statistics():
    # Of 39 draws the 2.5% and 97.5% points are the first and the last: q (B + 1).
    draws = np.arange(1.0, 40.0)[:, np.newaxis]
    low, high = percentile_interval(draws, 0.95)
    assert (low[0], high[0]) == pytest.approx((1.0, 39.0))


def test_percentiles_leave_undefined_draws_out():
    draws = np.array([[np.nan], *([[float(i)] for i in range(1, 40)])])
    low, high = percentile_interval(draws, 0.95)
    assert (low[0], high[0]) == pytest.approx((1.0, 39.0))
