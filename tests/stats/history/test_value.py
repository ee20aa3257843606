"""What one more look is worth: closed forms, naive draws, monotone in the noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from lbsense.stats import (
    needed_to_settle,
    p_settled,
    repeated_noise,
    value_of_look,
)
from lbsense.stats.history.candidate import candidate_gain


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
