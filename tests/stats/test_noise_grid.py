"""Noise candidates and repeats, by hand and against truth."""

from __future__ import annotations

import numpy as np
import pytest

from lbsense.stats import (
    fixed_noise,
    learned_noise,
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
