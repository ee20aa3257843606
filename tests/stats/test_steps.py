"""The posterior of the steps: against integrals by hand, properties, and truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from lbsense.stats import bayes_fdr_list, fixed_noise, learned_noise, step_posterior
from lbsense.stats._step_model import _cut_above, _cut_moments
from lbsense.stats.steps import StepEvidence


def simulated(rng, *, n_steps=40, null_share=0.6, public_se=1.0, cv_se=0.7, width=2.0):
    """Return true gains and what public and CV show of them."""
    real = rng.random(n_steps) >= null_share
    sign = np.where(rng.random(n_steps) < 0.65, 1, -1)
    truth = np.where(real, sign * np.abs(rng.normal(0, width, n_steps)), 0.0)
    public = truth + rng.normal(0, public_se, n_steps)
    cv = truth + rng.normal(0, cv_se, n_steps)
    return truth, public, cv


@pytest.mark.parametrize("cut", [0.0, 1.0, -1.0])
@pytest.mark.parametrize(("mean", "sd"), [(0.4, 1.0), (-1.5, 0.5), (3.0, 0.7)])
def test_cut_normal_agrees_with_its_integral(cut, mean, sd):
    low, high = {0.0: (-12, 12), 1.0: (0, 12), -1.0: (-12, 0)}[cut]
    grid = np.linspace(low, high, 200_001)
    density = stats.norm.pdf(grid, mean, sd)
    density /= integrate.trapezoid(density, grid)
    args = np.array(mean), np.array(sd), np.array(cut)
    first, second = _cut_moments(*args)
    np.testing.assert_allclose(
        first, integrate.trapezoid(grid * density, grid), atol=1e-6
    )
    np.testing.assert_allclose(
        second, integrate.trapezoid(grid**2 * density, grid), atol=1e-6
    )
    for threshold in (-0.3, 0.25):
        above = integrate.trapezoid(np.where(grid > threshold, density, 0.0), grid)
        np.testing.assert_allclose(_cut_above(threshold, *args), above, atol=1e-4)


def test_gains_that_agree_fuse_to_their_precision_weighted_mean():
    # A wide slab hardly shrinks: 1/(1/1 + 1/4) = 0.8, (100/1 + 90/4) * 0.8 = 98.
    result = step_posterior([100.0], [90.0], fixed_noise([1.0], [2.0]))
    np.testing.assert_allclose(result.gain, [98.0], rtol=0.01)
    np.testing.assert_allclose(result.gain_se, [np.sqrt(0.8)], rtol=0.05)
    assert result.p_gain[0] > 0.99


def test_a_step_without_evidence_stays_unknown():
    result = step_posterior([np.nan, 1.0], [np.nan, 1.0], fixed_noise([1.0, 1.0]))
    assert np.isnan(result.gain[0])
    assert np.isnan(result.p_gain[0])
    assert result.n_obs == 1


def test_no_evidence_at_all_gives_nan_everywhere():
    result = step_posterior([np.nan], [np.nan], fixed_noise([1.0]))
    assert np.isnan(result.p_gain).all()
    assert result.n_obs == 0


def evidence(seed=0, n_steps=12):
    _, public, cv = simulated(np.random.default_rng(seed), n_steps=n_steps)
    public[3], cv[3] = np.nan, np.nan
    return public, cv, StepEvidence.of(public, cv, learned_noise(public - cv))


def test_moments_are_those_of_the_posterior():
    _, _, known = evidence()
    moments, left = known.update()
    posterior = known.posterior(rope=None, confidence_level=0.95)
    for name in ("gain", "gain_se", "public_se", "cv_se"):
        np.testing.assert_allclose(
            getattr(moments, name), getattr(posterior, name), rtol=0.02
        )
    assert np.isnan(moments.gain[3])
    assert 0 < len(left.noise.log_prior) < len(known.noise.log_prior)
    again = left.posterior(rope=posterior.rope, confidence_level=0.95)
    # The unit of the widths of true gains is the typical noise of what is left.
    np.testing.assert_allclose(again.p_gain, posterior.p_gain, atol=0.1)


def test_no_shift_changes_nothing():
    public, _, known = evidence()
    plain = known.posterior(rope=0.3, confidence_level=0.9)
    same = known.posterior(np.zeros_like(public), rope=0.3, confidence_level=0.9)
    np.testing.assert_array_equal(same.p_gain, plain.p_gain)


def test_shifted_gain_counts_like_the_gain_that_it_becomes():
    noise = fixed_noise([1.0, 1.0, 1.0])
    none = [np.nan] * 3
    moved, _ = StepEvidence.of([3.0, -1.0, 0.5], none, noise).update(
        np.array([-2.0, 0.0, -0.5])
    )
    given, _ = StepEvidence.of([1.0, -1.0, 0.0], none, noise).update()
    np.testing.assert_allclose(moved.gain, given.gain)
    np.testing.assert_allclose(moved.gain_se, given.gain_se)


def test_lengths_of_evidence_must_agree():
    with pytest.raises(ValueError, match="Arrays must have one length"):
        StepEvidence.of([1.0, 2.0], [1.0], fixed_noise([1.0, 1.0]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=5, max_size=12),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.001, 1.0, 250.0]),
)
def test_posterior_is_equivariant_to_scale_sign_and_order(gains, seed, scale):
    rng = np.random.default_rng(seed)
    public = np.array(gains, dtype=float)
    cv = public + rng.normal(0, 3, len(gains))
    base = step_posterior(public, cv, learned_noise(public - cv))
    scaled = step_posterior(
        scale * public, scale * cv, learned_noise(scale * (public - cv))
    )
    np.testing.assert_allclose(scaled.p_gain, base.p_gain, atol=1e-6)
    np.testing.assert_allclose(scaled.gain, scale * base.gain, rtol=1e-5, atol=1e-9)
    mirrored = step_posterior(-public, -cv, learned_noise(-(public - cv)))
    np.testing.assert_allclose(mirrored.p_loss, base.p_gain, atol=1e-6)
    order = rng.permutation(len(gains))
    moved = step_posterior(
        public[order], cv[order], learned_noise((public - cv)[order])
    )
    np.testing.assert_allclose(moved.p_gain, base.p_gain[order], atol=1e-6)
    total = base.p_gain + base.p_null + base.p_loss
    np.testing.assert_allclose(total, 1.0, atol=1e-9)
    assert np.all(base.ci_low <= base.gain + 1e-6 * np.abs(base.gain) + 1e-9)
    assert np.all(base.gain <= base.ci_high + 1e-6 * np.abs(base.gain) + 1e-9)


def test_one_collapse_does_not_make_ordinary_gains_look_like_nothing():
    rng = np.random.default_rng(3)
    _, public, cv = simulated(rng, null_share=0.5)
    public[7] = cv[7] = 8.0
    public[20:24] -= 300.0
    cv[20:24] -= 300.0
    result = step_posterior(public, cv, learned_noise(public - cv))
    assert result.p_gain[7] > 0.95
    assert np.all(result.p_loss[20:24] > 0.99)


def test_claims_keep_the_running_mean_within_the_rate():
    # 1 - p: .01, .05, .2; running means .01, .03, .0867; a fourth of .5 gives .19.
    claimed = bayes_fdr_list([0.5, 0.95, 0.99, 0.8], fdr=0.1)
    assert claimed.tolist() == [False, True, True, True]
    assert not bayes_fdr_list([0.99] * 50 + [0.7], fdr=0.1)[-1]
    assert bayes_fdr_list([]).tolist() == []


@pytest.mark.parametrize("bad", [0.0, 1.0, -1.0])
def test_rates_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"fdr must be in \(0, 1\)"):
        bayes_fdr_list([0.5], fdr=bad)
    with pytest.raises(ValueError, match="confidence_level"):
        step_posterior([1.0], [1.0], fixed_noise([1.0]), confidence_level=bad)


@pytest.mark.slow
@pytest.mark.parametrize("null_share", [0.3, 0.6, 0.9])
def test_claims_probabilities_and_intervals_are_calibrated(null_share):
    rng = np.random.default_rng(int(100 * null_share))
    truths, chances, claims, covered = [], [], [], []
    for _ in range(60):
        truth, public, cv = simulated(rng, null_share=null_share)
        result = step_posterior(public, cv, learned_noise(public - cv))
        truths.append(truth > result.rope)
        chances.append(result.p_gain)
        claims.append(truth[bayes_fdr_list(result.p_gain)] <= 0)
        covered.append((result.ci_low <= truth) & (truth <= result.ci_high))
    false = np.concatenate(claims)
    margin = 2 * np.sqrt(0.1 * 0.9 / max(len(false), 1))
    assert false.mean() <= 0.1 + margin
    slope = np.polyfit(np.concatenate(chances), np.concatenate(truths), 1)[0]
    assert 0.8 <= slope <= 1.25
    assert 0.92 <= np.concatenate(covered).mean() <= 0.995


@pytest.mark.slow
def test_histories_without_any_real_gain_hardly_ever_show_one():
    rng = np.random.default_rng(11)
    n_histories, shown = 150, 0
    for _ in range(n_histories):
        _, public, cv = simulated(rng, null_share=1.0)
        result = step_posterior(public, cv, learned_noise(public - cv))
        shown += bool(bayes_fdr_list(result.p_gain).any())
    assert shown / n_histories <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / n_histories)
