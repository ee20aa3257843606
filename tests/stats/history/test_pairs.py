"""Two scores of every submission: published values, SciPy, coverage, one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from lbsense.stats import (
    attainable_z,
    better_guide,
    deming_line,
    rank_correlation,
    score_gap,
)

NAN = float("nan")
pairs = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=3)


def test_the_interval_is_that_of_the_next_one():
    # Differences -.01, -.02, 0: mean -.01, sd .01, t(2, .975) = 4.3027.
    gap = score_gap([0.70, 0.72, 0.71, NAN], [0.69, 0.70, 0.71, 0.7])
    assert gap is not None
    half = 4.302653 * 0.01 * math.sqrt(4 / 3)
    np.testing.assert_allclose(
        (gap.mean, gap.sd, gap.ci_low, gap.ci_high),
        (-0.01, 0.01, -0.01 - half, -0.01 + half), rtol=1e-6,
    )  # fmt: skip
    assert (gap.n_obs, gap.n_alike, gap.n_pairs) == (3, 2, 3)


@pytest.mark.parametrize(
    ("first", "second", "n_obs", "n_pairs"),
    [([0.7], [0.6], 1, 0), ([0.7, 0.8], [0.6, 0.7], 2, 1), ([1, 1], [2, 3], 2, 0)],
)
def test_what_gives_no_interval_gives_none(first, second, n_obs, n_pairs):
    gap = score_gap(first, second)
    assert gap is not None
    assert (gap.n_obs, gap.n_pairs) == (n_obs, n_pairs)
    assert math.isnan(gap.ci_low) == (gap.sd != gap.sd or gap.sd < 1e-12)


def test_without_a_common_row_there_is_no_gap():
    assert score_gap([0.7, NAN], [NAN, 0.7]) is None
    assert score_gap([], []) is None


@pytest.mark.slow
@pytest.mark.parametrize("n_obs", [2, 3, 7])
def test_the_next_difference_lies_within_as_often_as_said(n_obs):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(4000):
        apart = rng.normal(0.02, 0.01, n_obs + 1)
        gap = score_gap(np.full(n_obs, 0.5), 0.5 + apart[:-1])
        held += gap.ci_low <= apart[-1] <= gap.ci_high
    assert abs(held / 4000 - 0.95) < 0.012


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), levels=st.integers(1, 30))
def test_pairs_alike_as_counted_one_by_one(seed, n, levels):
    one, other = np.random.default_rng(seed).integers(0, levels, (2, n)) / 7
    gap = score_gap(one, other)
    i, j = np.triu_indices(n, 1)
    moves = np.sign(one[i] - one[j]) * np.sign(other[i] - other[j])
    assert (gap.n_alike, gap.n_pairs) == ((moves > 0).sum(), (moves != 0).sum())


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


# NCSS Statistical Software, Documentation, chapter 303 "Deming Regression", its first
# example: ten pairs, variance of the noise of x four times that of y. Published there:
# slope 1.001194 with jackknife standard error 0.18718, intercept -0.0897449.
NCSS_X = [7.0, 8.3, 10.5, 9.0, 5.1, 8.2, 10.2, 10.3, 7.1, 5.9]

NCSS_Y = [7.9, 8.2, 9.6, 9.0, 6.5, 7.3, 10.2, 10.6, 6.3, 5.2]


def test_deming_line_agrees_with_a_published_example():
    line = deming_line(NCSS_X, NCSS_Y, noise_ratio=1 / 4)
    np.testing.assert_allclose(line.slope, 1.001194, atol=5e-7)
    np.testing.assert_allclose(line.slope_se, 0.18718, atol=5e-6)
    np.testing.assert_allclose(line.intercept, -0.0897449, atol=5e-8)
    assert line.n_obs == 10


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_jackknife_is_that_of_leaving_out_one_by_one(scale):
    rng = np.random.default_rng(3)
    x = rng.normal(size=20)
    y = scale * (0.7 * x + 0.3 * rng.normal(size=20))
    line = deming_line(x, y, noise_ratio=0.5 * scale**2)
    rest = np.array(
        [
            deming_line(
                np.delete(x, i), np.delete(y, i), noise_ratio=0.5 * scale**2
            ).slope
            for i in range(20)
        ]
    )
    expected = np.sqrt(19 / 20 * np.square(rest - rest.mean()).sum())
    np.testing.assert_allclose(line.slope_se, expected, rtol=1e-9)


def test_a_jackknife_without_spread_left_is_unknown():
    line = deming_line([0, 0, 0, 0, 1], [0, 1, 2, 3, 4], noise_ratio=1.0)
    assert np.isfinite(line.slope)
    assert np.isnan(line.slope_se)


def test_deming_band_by_hand():
    # Points (0, 0), (1, 1), (2, 3), (3, 2), (4, 4): mean 2 and 2, sums of squares 10
    # and 10, of products 9; with equal noise the slope is 1. Residuals 0, 0, 1, -1, 0.
    line = deming_line([0, 1, 2, 3, 4], [0, 1, 3, 2, 4], noise_ratio=1.0)
    np.testing.assert_allclose([line.slope, line.intercept], [1, 0], atol=1e-12)
    np.testing.assert_allclose(line.residual_se, np.sqrt(2 / 3))
    assert (line.x_mean, line.x_square_sum) == (2.0, 10.0)


@pytest.mark.parametrize("ratio", [0.1, 1.0, 5.0])
def test_deming_line_is_the_closest_in_units_of_the_noise(ratio):
    rng = np.random.default_rng(int(10 * ratio))
    true = rng.normal(0, 3, 30)
    x, y = true + rng.normal(0, 1, 30), 2 - 0.7 * true + rng.normal(0, 1, 30)

    def distance(line):
        slope, intercept = line
        return np.square(y - intercept - slope * x).sum() / (ratio + slope**2)

    closest = optimize.minimize(
        distance, [-0.7, 2.0], method="Nelder-Mead", options={"xatol": 1e-9}
    )
    line = deming_line(x, y, noise_ratio=ratio)
    np.testing.assert_allclose([line.slope, line.intercept], closest.x, rtol=1e-4)


@given(
    seed=st.integers(0, 10_000),
    ratio=st.floats(0.01, 100),
    unit=st.sampled_from([1e-4, 1.0, 300.0]),
)
@settings(max_examples=50)
def test_deming_line_turned_around_is_the_same_line(seed, ratio, unit):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, 12)
    y = x + rng.normal(0, 1, 12)
    line = deming_line(x, y, noise_ratio=ratio)
    back = deming_line(y, x, noise_ratio=1 / ratio)
    np.testing.assert_allclose(line.slope * back.slope, 1.0, rtol=1e-7)
    mirrored = deming_line(-x, -y, noise_ratio=ratio)
    np.testing.assert_allclose(mirrored.slope, line.slope)
    np.testing.assert_allclose(mirrored.intercept, -line.intercept, atol=1e-9)
    scaled = deming_line(x, unit * y, noise_ratio=ratio * unit**2)
    np.testing.assert_allclose(scaled.slope, unit * line.slope, rtol=1e-7)
    np.testing.assert_allclose(scaled.slope_se, unit * line.slope_se, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "slope"),
    [
        ([], [], NAN),
        ([1, 2], [1, 2], NAN),
        ([1, 1, 1], [1, 2, 3], NAN),
        ([1, 2, 3], [5, 5, 5], 0.0),
        ([1, 2, NAN, 3], [1, 2, 3, NAN], NAN),
        ([0, 0, 1, 1], [0, 1, 0, 1], 0.0),
        ([0, 0, 1, 1], [0, 3, 0, 3], NAN),
    ],
    ids=["none", "two", "upright", "flat", "missing", "square", "tall"],
)
def test_deming_line_of_few_or_flat_points(x, y, slope):
    line = deming_line(x, y, noise_ratio=1.0)
    np.testing.assert_equal(line.slope, slope)
    assert np.isnan(line.intercept) == np.isnan(slope)
    assert np.isnan(line.slope_se)


def test_deming_jackknife_survives_a_point_that_carries_the_whole_line():
    line = deming_line([1, 1, 1, 1, 1, 2], [1, 2, 1, 2, 1, 9], noise_ratio=1.0)
    assert line.slope > 0
    assert np.isnan(line.slope_se)


@pytest.mark.parametrize("ratio", [0.0, -1.0, NAN, np.inf])
def test_deming_line_needs_a_ratio(ratio):
    with pytest.raises(ValueError, match="noise_ratio must be a finite number above 0"):
        deming_line([1, 2, 3], [1, 2, 3], noise_ratio=ratio)


@pytest.mark.slow
def test_deming_slope_is_unbiased_and_its_error_is_right():
    rng = np.random.default_rng(2)
    slopes, errors = [], []
    for _ in range(800):
        true = rng.normal(0, 1, 30)
        x, y = true + rng.normal(0, 0.5, 30), 0.8 * true + rng.normal(0, 0.5, 30)
        line = deming_line(x, y, noise_ratio=1.0)
        slopes.append(line.slope)
        errors.append(line.slope_se)
    assert abs(np.median(slopes) - 0.8) < 0.02
    assert 0.85 < np.median(errors) / np.std(slopes) < 1.15


def test_attainable_z_agrees_with_the_interval_of_the_correlation():
    x, y = [1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4, 3, 6, 5, 7, 8]
    result = rank_correlation(x, y)
    z = attainable_z(result.statistic, result.n_obs)
    half = np.arctanh(result.statistic) / z * 1.959964
    np.testing.assert_allclose(
        np.tanh(np.arctanh(result.statistic) - half), result.ci_low, rtol=1e-6
    )


@pytest.mark.parametrize(("r", "n"), [(0.5, 3), (float("nan"), 20)])
def test_too_few_pairs_have_no_z(r, n):
    assert np.isnan(attainable_z(r, n))


def test_perfect_agreement_is_finite():
    assert np.isfinite(attainable_z(1.0, 10))
    np.testing.assert_allclose(attainable_z(-1.0, 10), -attainable_z(1.0, 10))


def test_guides_are_compared_on_the_rows_that_have_all_three():
    rng = np.random.default_rng(0)
    target = rng.normal(size=30)
    first, second = target + rng.normal(0, 0.3, 30), target + rng.normal(0, 1, 30)
    first[:5] = NAN
    guide = better_guide(first, second, target)
    assert guide is not None
    assert guide.n_obs == 25
    assert guide.first == rank_correlation(first[5:], target[5:]).statistic
    assert guide.second == rank_correlation(second[5:], target[5:]).statistic
    np.testing.assert_allclose(guide.difference, guide.first - guide.second)
    assert guide.ci_low < guide.difference < guide.ci_high
    turned = better_guide(second, first, target)
    assert turned is not None
    np.testing.assert_allclose(
        (turned.ci_low, turned.ci_high), (-guide.ci_high, -guide.ci_low)
    )


@pytest.mark.parametrize("n_obs", [0, 4])
def test_few_rows_compare_no_guides(n_obs):
    values = np.arange(n_obs, dtype=float)
    assert better_guide(values, values, values) is None
    assert better_guide([1] * 9, np.arange(9), np.arange(9)) is None


@pytest.mark.slow
@pytest.mark.parametrize("n_obs", [12, 40])
def test_two_guides_of_one_quality_are_told_apart_as_rarely_as_said(n_obs):
    rng = np.random.default_rng(5)
    apart = 0
    for _ in range(2000):
        target = rng.normal(size=n_obs)
        shared = rng.normal(0, 0.4, n_obs)
        first = target + shared + rng.normal(0, 0.5, n_obs)
        second = target + shared + rng.normal(0, 0.5, n_obs)
        guide = better_guide(first, second, target)
        apart += not guide.ci_low <= 0 <= guide.ci_high
    assert apart / 2000 < 0.075
