"""Offsets and attainable correlations, against worked values."""

from __future__ import annotations

import numpy as np
import pytest

from lbsense.stats import rank_correlation
from lbsense.stats.history.agreement import (
    attainable_z,
    common_offset,
    visible_correlation,
)


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
