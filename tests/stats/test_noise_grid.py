"""Noise candidates and repeats, by hand and against truth."""

from __future__ import annotations

import numpy as np
import pytest

from lbsense.stats import (
    PRIOR_DISTINCTNESS,
    fixed_noise,
    known_noise,
    learned_noise,
    prior_noise,
    reference_luck,
    repeat_noise,
    step_posterior,
)


def test_repeats_are_pooled_within_groups():
    # Groups {1, 3} and {10, 10, 13}: squares 2 and 6, freedom 1 and 2.
    sd, dof = repeat_noise([1, 3, 10, 10, 13, 99], [0, 0, 1, 1, 1, -1])
    assert dof == 3
    np.testing.assert_allclose(sd, np.sqrt(8 / 3), rtol=1e-12)


@pytest.mark.parametrize(
    ("scores", "groups"),
    [([], []), ([1.0], [0]), ([1.0, 2.0], [0, 1]), ([1.0, np.nan], [0, 0])],
)
def test_nothing_repeated_has_no_noise(scores, groups):
    sd, dof = repeat_noise(scores, groups)
    assert np.isnan(sd)
    assert dof == 0


def test_fixed_noise_is_one_candidate():
    grid = fixed_noise([2.0, 3.0])
    assert grid.public_var.tolist() == [[4.0, 9.0]]
    assert np.isinf(grid.cv_var).all()


def test_cv_noise_is_never_below_sampling_noise_where_sizes_are_known():
    rng = np.random.default_rng(0)
    gains = rng.normal(0, 1, 20)
    grid = learned_noise(gains, n_public=1000, n_train=500)
    assert np.all(grid.cv_var >= 2 * grid.public_var)


def test_reruns_bound_the_public_noise_from_below():
    rng = np.random.default_rng(0)
    gains = rng.normal(0, 0.01, 20)
    grid = learned_noise(gains, rerun_se=0.5)
    assert np.all(grid.public_var >= 0.25)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="Arrays must have one length"):
        reference_luck([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="at least one number"):
        learned_noise([np.nan])


def test_a_lucky_reference_is_taken_out_of_its_children():
    # Noise of its own per submission: the reference was .5 lucky, its children are not.
    own = np.array([0.01, -0.02, 0.0, 0.03])
    found, regression = reference_luck(own - 0.5, np.full(4, 0.5))
    assert regression == 1.0
    np.testing.assert_allclose(found, np.sqrt(2) * own, atol=1e-12)


def test_noise_that_children_inherit_is_left_alone():
    steps = np.array([0.01, -0.02, 0.0, 0.03])
    found, regression = reference_luck(steps, [0.5, -0.5, 0.5, -0.5])
    assert regression == 0.0
    np.testing.assert_array_equal(found, steps)


def prior_mean(grid, values):
    weight = np.exp(grid.log_prior - grid.log_prior.max())
    return float(weight @ values / weight.sum())


def test_excess_of_cv_is_centred_on_eight_tenths_where_sizes_are_known():
    grid = learned_noise(np.ones(5), n_public=1000, n_train=2000)
    excess = grid.cv_var[:, 0] / (grid.public_var[:, 0] * 0.5) - 1
    assert np.all(excess > 0)
    typical = np.exp(prior_mean(grid, np.log(excess)))
    np.testing.assert_allclose(typical, 0.8, rtol=0.25)
    best = excess[grid.log_prior == grid.log_prior.max()]
    assert np.all((best > 0.4) & (best < 1.6))


def test_known_noise_by_hand():
    # Median sampling variance of CV is 2: every candidate adds a multiple of 2.
    grid = known_noise([1.0, 2.0, np.nan], [1.0, 3.0, np.nan])
    added = grid.cv_var - np.array([1.0, 3.0, np.nan])
    np.testing.assert_allclose(added[:, 0], added[:, 1])
    np.testing.assert_allclose(added[[0, 1, -1], 0], [0.0, 0.2, 60.0])
    np.testing.assert_array_equal(grid.public_var[:, :2], [[1.0, 2.0]] * 11)
    assert np.isnan(grid.cv_var[:, 2]).all()
    assert not grid.spread.any()


def test_no_excess_is_the_likeliest_single_answer_of_known_noise():
    grid = known_noise([1.0], [1.0])
    weight = np.exp(grid.log_prior)
    assert weight.argmax() == 0
    assert weight[0] / weight.sum() < 0.5


@pytest.mark.parametrize("cv", [[np.nan, np.nan], [0.0, 0.0]])
def test_known_noise_without_any_cv_adds_nothing(cv):
    grid = known_noise([1.0, 1.0], cv)
    np.testing.assert_array_equal(grid.cv_var, [cv] * 11)


def test_known_noise_lengths_must_agree():
    with pytest.raises(ValueError, match="Arrays must have one length"):
        known_noise([1.0], [1.0, 2.0])


def test_prior_noise_by_hand():
    # Two scores of variance 3 that are alike as usual: 2 * .05 * 3 = .3, and .1 more.
    grid = prior_noise(2, score_var=3.0, other_var=0.1)
    middle = grid.log_prior.argmax()
    np.testing.assert_allclose(grid.public_var[middle], [0.4, 0.4])
    assert grid.public_var.max() <= 2 * 3.0 + 0.1
    assert np.isinf(grid.cv_var).all()
    spread = np.log((grid.public_var[:, 0] - 0.1) / 0.3)
    np.testing.assert_allclose(prior_mean(grid, spread), 0.0, atol=1e-9)
    # A standard deviation of 1, cut at 2 on either side: .88 left.
    square = prior_mean(grid, spread**2)
    assert 0.7 < square / PRIOR_DISTINCTNESS[1] ** 2 < 1.05


def test_candidates_can_be_chosen():
    grid = learned_noise(np.ones(3))
    some = grid.at(np.array([4, 0]))
    for name in ("public_var", "cv_var", "spread", "log_prior"):
        whole = getattr(grid, name)
        np.testing.assert_array_equal(getattr(some, name), whole[[4, 0]])


@pytest.mark.slow
@pytest.mark.parametrize(("public_se", "cv_se"), [(1.0, 0.5), (1.0, 1.0), (0.7, 1.4)])
def test_learned_noise_is_near_the_truth(public_se, cv_se):
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(40):
        truth = np.where(rng.random(60) < 0.5, 0, rng.normal(0, 3, 60))
        public = truth + rng.normal(0, public_se, 60)
        cv = truth + rng.normal(0, cv_se, 60)
        result = step_posterior(public, cv, learned_noise(public - cv))
        ratios.append([np.median(result.public_se), np.median(result.cv_se)])
    public_ratio, cv_ratio = np.median(ratios, axis=0) / (public_se, cv_se)
    assert 0.75 <= public_ratio <= 1.3
    assert 0.75 <= cv_ratio <= 1.3
