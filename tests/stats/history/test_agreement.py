"""Agreement of CV and public gains: by hand, whether it is visible, the offset."""

from __future__ import annotations

import numpy as np
import pytest

from lbsense.stats import (
    common_offset,
    gain_agreement,
    visible_correlation,
)

NAN = float("nan")


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
