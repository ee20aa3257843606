"""The worth of a candidate, against worked values and a naive integral."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats.history.candidate import candidate_gain

PAST = {"past_gain": [0.004, 0.0, -0.001], "past_gain_se": [0.001, 0.0005, 0.0008]}


def naive(cv_gain, cv_se, past_gain, past_gain_se, *, ahead=0.0, ahead_se=0.0):
    """Return points and weights of the posterior, integrated point by point."""
    centre, sd = np.array(past_gain), np.array(past_gain_se)
    wide = 2 * np.sqrt(np.mean(centre**2 + sd**2))
    centre, sd = np.append(centre, 0.0), np.append(sd, wide)
    step = np.linspace(-0.08, 0.08, 16_001)
    prior = np.exp(-((step[:, None] - centre) ** 2) / (2 * sd**2)) / sd
    weight = prior.sum(axis=1) * np.exp(-((cv_gain - step) ** 2) / (2 * cv_se**2))
    return step, weight / weight.sum(), ahead, ahead_se


@pytest.mark.parametrize("cv_gain", [0.005, 0.0, -0.004])
def test_the_posterior_is_that_of_the_integral(cv_gain):
    step, weight, *_ = naive(cv_gain, 0.001, **PAST)
    result = candidate_gain(cv_gain, 0.001, **PAST, rope=0.0005, visible=0.003)
    np.testing.assert_allclose(result.gain, weight @ step, atol=1e-6)
    spread = np.sqrt(weight @ (step - weight @ step) ** 2)
    np.testing.assert_allclose(result.gain_se, spread, rtol=1e-3)
    np.testing.assert_allclose(result.step_se, spread, rtol=1e-3)
    for value, limit in (
        (result.p_better, 0.0),
        (result.p_gain, 0.0005),
        (result.p_visible, 0.003),
    ):
        np.testing.assert_allclose(value, weight[step > limit].sum(), atol=5e-3)
    below = np.cumsum(weight)
    np.testing.assert_allclose(
        [result.ci_low, result.ci_high],
        np.interp([0.025, 0.975], below, step),
        atol=5e-5,
    )


def test_what_the_best_is_ahead_is_taken_off():
    here = candidate_gain(0.002, 0.001, **PAST)
    behind = candidate_gain(0.002, 0.001, **PAST, ahead=0.003, ahead_se=0.002)
    np.testing.assert_allclose(behind.gain, here.gain - 0.003)
    np.testing.assert_allclose(behind.gain_se**2, here.gain_se**2 + 4e-6)
    np.testing.assert_allclose(behind.step_se, here.step_se)


def test_a_step_unlike_all_others_is_believed_to_its_cv():
    result = candidate_gain(0.03, 0.001, **PAST)
    assert 0.025 < result.gain < 0.03
    assert result.ci_low < result.gain < result.ci_high


@given(gain=st.floats(-0.01, 0.01), more=st.floats(0.0001, 0.01))
def test_more_cv_is_never_worse(gain, more):
    low, high = (candidate_gain(g, 0.001, **PAST).gain for g in (gain, gain + more))
    assert high >= low


@given(scale=st.floats(0.01, 100))
def test_the_unit_does_not_matter(scale):
    scaled = {name: scale * np.array(values) for name, values in PAST.items()}
    one = candidate_gain(0.002, 0.001, **PAST, rope=0.0004)
    other = candidate_gain(0.002 * scale, 0.001 * scale, **scaled, rope=0.0004 * scale)
    np.testing.assert_allclose(other.gain, scale * one.gain, rtol=1e-9)
    np.testing.assert_allclose(other.p_gain, one.p_gain, rtol=1e-9)


def test_missing_steps_are_left_out():
    more = {name: [*values, float("nan")] for name, values in PAST.items()}
    one, other = (
        candidate_gain(0.002, 0.001, **more),
        candidate_gain(0.002, 0.001, **PAST),
    )
    assert str(one) == str(other)  # nan equals nan here


def test_parts_keep_mean_and_variance_of_every_past_step():
    # One step, known to be null with probability .6: the prior without evidence.
    past = {"past_gain": [0.004], "past_gain_se": [0.006], "past_p_null": [0.6]}
    square = 0.004**2 + 0.006**2
    wide = 4 * square
    result = candidate_gain(0.0, 1e3, **past, rope=0.001)
    np.testing.assert_allclose(result.gain, 0.004 / 2, rtol=1e-3)  # and the wide part
    expected = (square + wide) / 2 - 0.002**2
    np.testing.assert_allclose(result.gain_se**2, expected, rtol=1e-3)


def test_a_history_of_nothing_makes_a_small_cv_gain_less_likely_real():
    past = {"past_gain": [0.0] * 9, "past_gain_se": [0.001] * 9}
    plain = candidate_gain(0.001, 0.001, **past, rope=0.0005)
    nothing = candidate_gain(0.001, 0.001, **past, past_p_null=[0.9] * 9, rope=0.0005)
    assert nothing.p_gain < plain.p_gain


def test_a_board_without_resolution_has_no_visible_gain():
    assert np.isnan(candidate_gain(0.002, 0.001, **PAST).p_visible)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv_gain_se": 0.0}, "cv_gain_se must be finite and above 0"),
        ({"cv_gain_se_share": [0.5, 0.5]}, "cv_gain_se_share must be a share"),
        ({"past_gain": [float("nan")] * 3}, "there is no prior"),
        ({"past_gain": [0.1]}, "length"),
    ],
)
def test_impossible_candidates_are_refused(options, message):
    given_ = {"cv_gain": 0.1, "cv_gain_se": 0.1, **PAST, **options}
    with pytest.raises(ValueError, match=message):
        candidate_gain(**given_)


@pytest.mark.parametrize("seed", [150, 462])  # here the shares sum to a hair above 1
def test_no_probability_is_above_one(seed):
    rng = np.random.default_rng(seed)
    gain, past = rng.normal(), rng.normal(size=9) * 0.01
    result = candidate_gain(
        gain, 0.001, past_gain=past, past_gain_se=rng.random(9) * 0.01, visible=-9.0
    )
    assert 0.999 < max(result.p_better, result.p_gain, result.p_visible) <= 1


def test_a_noise_that_may_be_one_of_two_by_hand():
    # Each noise weighs by how well it foretold the gain: mix both answers by hand.
    one = candidate_gain(0.004, 0.001, **PAST)
    other = candidate_gain(0.004, 0.004, **PAST)
    both = candidate_gain(0.004, [0.001, 0.004], **PAST, cv_gain_se_share=[0.7, 0.3])
    step = np.linspace(-0.2, 0.2, 160_001)
    centre, sd = np.array(PAST["past_gain"]), np.array(PAST["past_gain_se"])
    wide = 2 * np.sqrt(np.mean(centre**2 + sd**2))
    centre, sd = np.append(centre, 0.0), np.append(sd, wide)
    prior = (np.exp(-((step[:, None] - centre) ** 2) / (2 * sd**2)) / sd).sum(axis=1)
    likely = [
        prior @ np.exp(-((0.004 - step) ** 2) / (2 * s**2)) / s for s in (0.001, 0.004)
    ]
    weight = 0.7 * likely[0] / (0.7 * likely[0] + 0.3 * likely[1])
    np.testing.assert_allclose(
        both.gain, weight * one.gain + (1 - weight) * other.gain, rtol=1e-3
    )
    same = candidate_gain(0.004, [0.001, 0.001, 0.001], **PAST)
    np.testing.assert_allclose(same.gain, one.gain)
