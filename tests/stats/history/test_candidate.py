"""The worth of a candidate, against worked values and a naive integral."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from lbsense.stats import needed_to_settle, p_settled, repeated_noise, value_of_look
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


@pytest.mark.parametrize("mean", [-1.5, 0.0, 0.4])
@pytest.mark.parametrize("noise", [0.2, 1.0, 5.0])
def test_one_normal_has_a_closed_form(mean, noise):
    value, p_right = value_of_look([1.0], [mean], [0.49], noise)
    t = 0.49 / np.sqrt(0.49 + noise**2)
    known = mean * norm.cdf(mean / t) + t * norm.pdf(mean / t)
    np.testing.assert_allclose(value, max(known, mean, 0), rtol=2e-3, atol=1e-5)
    if mean == 0:  # the orthant of two normals, Sheppard 1899
        rho = 0.7 / np.hypot(0.7, noise)
        np.testing.assert_allclose(p_right, 0.5 + np.arcsin(rho) / np.pi, rtol=1e-3)


def test_a_mixture_is_worth_what_draws_say():
    share, mean, var = (
        np.array([0.6, 0.3, 0.1]),
        np.array([0.0, 0.5, -1.0]),
        np.array([0.01, 0.25, 1.0]),
    )
    noise = 0.4
    rng = np.random.default_rng(0)
    part = rng.choice(3, 400_000, p=share)
    gain = rng.normal(mean[part], np.sqrt(var[part]))
    look = gain + rng.normal(0, noise, gain.size)
    total = var + noise**2
    weight = share * norm.pdf(look[:, None], mean, np.sqrt(total))
    after = (weight * (mean + var / total * (look[:, None] - mean))).sum(
        1
    ) / weight.sum(1)
    value, p_right = value_of_look(share, mean, var, noise)
    np.testing.assert_allclose(value, gain[after > 0].sum() / gain.size, atol=0.003)
    np.testing.assert_allclose(p_right, np.mean((gain > 0) == (look > 0)), atol=0.003)


@given(st.floats(-3, 3), st.floats(0.05, 3), st.floats(0.05, 3), st.floats(1.1, 5))
def test_a_noisier_look_is_worth_less(mean, sd, noise, factor):
    sharp, right = value_of_look([1.0], [mean], [sd**2], noise)
    blurred, seldom = value_of_look([1.0], [mean], [sd**2], noise * factor)
    assert max(mean, 0) - 1e-9 <= blurred <= sharp * 1.005 + 1e-6
    assert 0.5 - 1e-9 <= seldom <= right + 1e-9
    again, _ = value_of_look([1.0], [10 * mean], [100 * sd**2], 10 * noise)
    np.testing.assert_allclose(again, 10 * sharp, rtol=1e-6, atol=1e-9)


@given(st.floats(-3, 3), st.floats(0.05, 3), st.floats(0.05, 3))
def test_the_chance_to_settle_is_that_of_draws_and_has_no_side(mean, sd, noise):
    found = p_settled(mean, sd, noise)
    np.testing.assert_allclose(found, p_settled(-mean, sd, noise), atol=1e-12)
    rng = np.random.default_rng(1)
    look = rng.normal(mean, np.hypot(sd, noise), 20_000)
    keep = sd**2 / (sd**2 + noise**2)
    after, left = mean + keep * (look - mean), noise * np.sqrt(keep)
    sure = norm.cdf(np.abs(after) / left)
    np.testing.assert_allclose(found, (sure >= 0.95).mean(), atol=0.02)


def test_a_settled_pair_stays_settled():
    assert p_settled(10.0, 1.0, 1.0) > 0.999


def test_repetitions_by_hand():
    # Variance 1 / k: the smallest k whose chance is 80%.
    k = needed_to_settle(0.0, 1.0, lambda k: k**-0.5)
    assert p_settled(0.0, 1.0, k**-0.5) >= 0.8 > p_settled(0.0, 1.0, (k - 1) ** -0.5)
    assert needed_to_settle(0.0, 1.0, lambda k: (0.3 + 1 / k) ** 0.5) is None
    assert needed_to_settle(5.0, 1.0, lambda k: k**-0.5) == 1


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.integers(1, 20))
def test_what_repetitions_add_is_what_algebra_says(lasting, fresh, k):
    # Two looks that share `lasting`: their best estimate against one of them alone.
    before, after = lasting + fresh, lasting + fresh / (k + 1)
    cov = lasting + np.diag(np.full(k + 1, fresh))
    precision = np.linalg.inv(cov).sum()  # of the generalised least squares mean
    np.testing.assert_allclose(1 / after, precision, rtol=1e-9)
    added = repeated_noise(before, after)
    np.testing.assert_allclose(1 / before + added**-2, precision, rtol=1e-9)


def test_a_candidate_knows_what_its_submission_is_worth():
    past = {"past_gain": [0.004, 0.0, -0.001], "past_gain_se": [0.001, 0.0005, 0.0008]}
    bare = candidate_gain(0.002, 0.001, **past)
    assert np.isnan(bare.value)
    found = candidate_gain(0.002, 0.001, **past, look_se=0.001)
    assert max(found.gain, 0) <= found.value < found.gain + found.gain_se
    assert 0.5 < found.p_right < 1


def test_many_past_steps_are_stood_for_by_some():
    rng = np.random.default_rng(0)
    gain = rng.normal(0, 0.01, 5000)
    se = np.full(5000, 0.003)
    few = candidate_gain(0.004, 0.002, past_gain=gain[:150], past_gain_se=se[:150])
    many = candidate_gain(0.004, 0.002, past_gain=gain, past_gain_se=se)
    assert many.n_obs == 5000
    np.testing.assert_allclose(many.gain, few.gain, rtol=0.2)
