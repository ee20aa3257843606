"""Correlation of gains and the line of Deming: published values, SciPy, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from lbsense.stats import (
    attainable_z,
    better_guide,
    common_offset,
    deming_line,
    gain_agreement,
    rank_correlation,
    visible_correlation,
)

NAN = float("nan")
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


def agree(cv_gain, public_gain, **options):
    cv, public = (np.cumsum(np.nan_to_num(x)) for x in (cv_gain, public_gain))
    return gain_agreement(cv, public, cv_gain, public_gain, **options)


GAINS = np.array([NAN, 0.01, -0.02, 0.03, 0.0, 0.02])


def test_attenuation_by_hand():
    # True gains of variance 9, public noise 16: reliability 9/25, its root .6.
    perfect = visible_correlation([3.0, 3.0], [0.0, 0.0], [4.0, 4.0])
    result = agree(
        GAINS, GAINS, perfect_r=perfect, public_step_var=16.0, cv_step_var=8.0
    )
    np.testing.assert_allclose(result.perfect_r, 0.6)
    assert result.testable
    assert result.reason == ""
    assert np.isnan(result.cv_excess_se)


def test_excess_of_cv_by_hand():
    # CV gains carry 8, the choice of rows explains 6: left 2, a quarter.
    result = agree(
        GAINS,
        GAINS,
        public_step_var=4.0,
        cv_step_var=8.0,
        cv_sampling_var=6.0,
    )
    np.testing.assert_allclose(result.cv_excess_se, np.sqrt(2))
    np.testing.assert_allclose(result.cv_excess_share, 0.25)


def test_sampling_that_explains_more_than_there_is_leaves_no_excess():
    result = agree(GAINS, GAINS, cv_step_var=4.0, cv_sampling_var=6.0)
    assert result.cv_excess_se == 0.0
    assert result.cv_excess_share == 0.0


def test_pearson_interval_by_hand():
    # r = .8 of five pairs: atanh .8 = ln 3 = 1.098612, standard error 1 / sqrt 2.
    x, y = [1, 2, 3, 4, 5], [2, 1, 4, 3, 5]
    result = gain_agreement(x, y, x, y)
    np.testing.assert_allclose(result.pearson, 0.8)
    half = 1.959963985 / np.sqrt(2)
    np.testing.assert_allclose(result.pearson_low, np.tanh(np.log(3) - half))
    np.testing.assert_allclose(result.pearson_high, np.tanh(np.log(3) + half))
    np.testing.assert_allclose(result.levels_r, 0.8)


def test_agreement_is_not_asked_of_four_steps():
    result = agree(GAINS[:5], GAINS[:5])
    assert not result.testable
    assert "Steps with both gains: 4; 5 are needed." in result.reason


def test_a_plateau_is_said_to_hide_agreement():
    # Reliability 1/17 < .09: even perfect CV would correlate by .24.
    perfect = visible_correlation([1.0], [0.0], [4.0])
    result = agree(
        GAINS, GAINS, perfect_r=perfect, public_step_var=16.0, cv_step_var=1.0
    )
    assert not result.testable
    assert "correlate with the public gains by 0.24 only" in result.reason


@pytest.mark.parametrize(
    ("cv_gain", "public_gain"),
    [
        ([], []),
        ([NAN] * 6, [NAN] * 6),
        ([0.0] * 6, [0.0] * 6),
        ([NAN, *[0.0] * 5], [NAN, 1, 2, 3, 4, 5]),
    ],
    ids=["empty", "missing", "equal", "cv-equal"],
)
def test_gains_that_cannot_correlate_give_nan(cv_gain, public_gain):
    cv_gain, public_gain = np.array(cv_gain), np.array(public_gain)
    result = agree(
        cv_gain, public_gain, cv_step_var=1.0, public_step_var=1.0, perfect_r=0.7
    )
    assert np.isnan([result.statistic, result.pearson, result.levels_r]).all()
    assert result.line is None or result.line.slope == 0.0


def test_gains_that_cannot_correlate_are_not_called_testable():
    result = agree(np.array([NAN, *[0.0] * 8]), np.array([NAN, *range(8)]))
    assert not result.testable
    assert result.reason


@pytest.mark.slow
def test_perfect_r_is_the_correlation_that_noiseless_cv_shows():
    rng = np.random.default_rng(1)
    gain = rng.normal(0, 3, 20_000)
    public = gain + rng.normal(0, 4, 20_000)
    perfect = visible_correlation(gain, 0 * gain, np.full(20_000, 4.0))
    result = agree(gain, public, perfect_r=perfect, public_step_var=16.0)
    np.testing.assert_allclose(result.pearson, result.perfect_r, atol=0.015)


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


def test_the_offset_is_that_of_the_means():
    result = common_offset(
        [0.70, 0.72, np.nan], [0.74, 0.74, 0.9], score_sd=0.5, n_public=400, n_train=100
    )
    np.testing.assert_allclose(result.offset, -0.03)
    np.testing.assert_allclose(result.standard_error, 0.5 * np.sqrt(0.0125))
    np.testing.assert_allclose(result.statistic, result.offset / result.standard_error)
    assert result.n_obs == 2


def test_no_pair_has_no_offset():
    nothing = common_offset([np.nan], [0.7], score_sd=1, n_public=1, n_train=1)
    assert np.isnan(nothing.statistic)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_public": 0}, "n_public must be a whole number"),
        ({"score_sd": 0.0}, "score_sd must be a finite number above 0"),
        ({"cv": [0.7, 0.8]}, "length"),
    ],
)
def test_impossible_offsets_are_refused(options, message):
    given_ = {"cv": [0.7], "score_sd": 1.0, "n_public": 10, "n_train": 10, **options}
    with pytest.raises(ValueError, match=message):
        common_offset([0.7], **given_)


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


def test_reliability_is_the_root_of_the_share_of_true_variance():
    # Gains of mean square 4 (3 from the estimate, 1 unsure) against noise of 12.
    result = visible_correlation([3**0.5] * 4, [1.0] * 4, [12**0.5] * 4)
    np.testing.assert_allclose(result, 0.5)


def test_one_broken_submission_makes_no_slope_of_a_plateau():
    gain = np.array([0.001] * 20)
    broken = gain.copy()
    broken[3] = -0.5
    flat = visible_correlation(gain, 0 * gain, gain + 0.003)
    assert flat == pytest.approx(0.001 / np.hypot(0.001, 0.004))
    assert visible_correlation(broken, 0 * gain, gain + 0.003) < 0.6


@pytest.mark.parametrize("values", [[], [np.nan], [0.0]])
def test_nothing_is_visible_without_gains_and_noise(values):
    assert np.isnan(visible_correlation(values, values, values))


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
