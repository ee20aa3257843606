"""Steps and levels together: exact normal algebra, exact mixtures, and lucky parents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.analysis import analyze
from lbsense.simulate import Scenario, simulate
from lbsense.stats import _step_model, fixed_noise, learned_noise, step_posterior
from lbsense.stats.fusion import _explained_away, fuse_history
from lbsense.stats.level_noise import LevelNoise, tree_noise

NAN = float("nan")


@pytest.fixture
def one_prior(monkeypatch):
    """Return a switch that gives every true step one known prior.

    A null of width ``null`` or, with probability ``1 - share``, a normal of width
    ``gain``: both in units of the noise of the fused step.
    """

    def switch(null, gain, share):
        shares = np.array([share, share + 1e-12])
        monkeypatch.setattr(_step_model, "_NULL_SHARES", shares)
        monkeypatch.setattr(_step_model, "_UP_SHARES", np.array([0.5]))
        monkeypatch.setattr(_step_model, "_NULL_WIDTHS", np.array([null]))
        monkeypatch.setattr(_step_model, "_GAIN_WIDTHS", np.array([gain]))
        monkeypatch.setattr(_step_model, "_WIDTH_MIX", np.ones((1, 1)))

    return switch


def covariance(rng, k):
    root = rng.normal(0, 1, (k, k + 2))
    return root @ root.T / (k + 2) + 0.3 * np.eye(k)


def history(rng, k, *, missing=0.0):
    parent = np.array([-1, *(rng.integers(0, i) for i in range(1, k))])
    public, cv = rng.normal(0, 2, k), rng.normal(5, 2, k)
    cv[1:][rng.random(k - 1) < missing] = NAN
    noise = LevelNoise(
        public=covariance(rng, k), cv=covariance(rng, k), score_public_var=1.0
    )
    return public, cv, parent, noise


def own_noise(public, cv, parent, public_se=1.1, cv_se=0.8):
    """Return noise of the steps, and the standard error of every fused gain."""
    k = len(public)
    paired = np.isfinite(cv) & np.isfinite(cv[parent])
    fused = 1 / np.sqrt(1 / public_se**2 + np.where(paired, 1 / cv_se**2, 0.0))
    return fixed_noise(np.full(k, public_se), np.full(k, cv_se)), fused


def exact(public, cv, parent, noise, widths):
    """Condition all true scores, level and offset flat, on all scores at once.

    Returns mean and covariance of the true scores and the log evidence.
    """
    k, wide = len(public), 1e5
    carry = np.zeros((k, k))
    for i in range(k):
        t = i
        while parent[t] >= 0:
            carry[i, t] = 1.0
            t = int(parent[t])
    theta = carry @ np.diag(np.square(widths)) @ carry.T + wide
    seen = np.concatenate([np.isfinite(public), np.isfinite(cv)])
    scores = np.concatenate([public, cv])[seen]
    total = np.block([[theta + noise.public, theta], [theta, theta + noise.cv + wide]])
    total = total[np.ix_(seen, seen)]
    cross = np.hstack([theta, theta])[:, seen]
    fit = -0.5 * (np.linalg.slogdet(total)[1] + scores @ np.linalg.solve(total, scores))
    share = np.linalg.solve(total, cross.T).T
    return share @ scores, theta - share @ cross.T, fit


def between(mean, cov, parent):
    own = np.arange(len(parent))
    variance = cov[own, own] + cov[parent, parent] - 2 * cov[own, parent]
    return (mean - mean[parent])[1:], np.sqrt(variance)[1:]


@pytest.mark.parametrize("seed", range(4))
def test_levels_of_normal_steps_give_exact_generalised_least_squares(seed, one_prior):
    one_prior(1.0, 1.0, 0.5)
    rng = np.random.default_rng(seed)
    public, cv, parent, noise = history(rng, 7, missing=0.3)
    grid, widths = own_noise(public, cv, parent)
    _, levels = fuse_history(public, cv, parent, grid, lambda _: noise)
    mean, cov, _ = exact(public, cv, parent, noise, widths)
    np.testing.assert_allclose(levels.mean, mean, atol=1e-3)
    np.testing.assert_allclose(levels.cov, cov, atol=1e-3)


def test_without_rounds_every_step_is_judged_on_its_own():
    rng = np.random.default_rng(0)
    public, cv, parent, noise = history(rng, 9)
    apart = np.where(parent >= 0, (public - public[parent]) - (cv - cv[parent]), NAN)
    grid = learned_noise(apart)
    steps, levels = fuse_history(
        public, cv, parent, grid, lambda _: noise, disagreement=apart, rounds=0
    )
    gains = (np.where(parent >= 0, x - x[parent], NAN) for x in (public, cv))
    alone = step_posterior(*gains, grid, disagreement=apart)
    assert levels is None
    np.testing.assert_array_equal(steps.p_gain, alone.p_gain)
    np.testing.assert_array_equal(steps.ci_low, alone.ci_low)


@pytest.mark.parametrize(
    ("public", "cv", "parent"),
    [
        ([], [], np.empty(0, dtype=int)),
        ([0.7], [0.7], [-1]),
        ([0.7, NAN], [NAN, 0.7], [-1, 0]),
        ([NAN, NAN], [NAN, NAN], [-1, 0]),
        ([0.7, 0.8], [0.7, 0.8], [-1, -1]),
    ],
    ids=["empty", "one", "unscored", "nothing", "roots"],
)
def test_histories_without_a_step_have_no_levels(public, cv, parent):
    grid = fixed_noise(np.ones(len(public)))
    steps, levels = fuse_history(public, cv, parent, grid, lambda _: None)
    assert levels is None
    assert steps.n_obs == 0
    assert np.isnan(steps.p_gain).all()


def independent(k, public_se, cv_se=None):
    return LevelNoise(
        public=public_se**2 * np.eye(k),
        cv=None if cv_se is None else cv_se**2 * np.eye(k),
        score_public_var=public_se**2,
    )


def test_children_of_a_lucky_parent_are_not_blamed_for_its_luck():
    # Submission 1 rose by .05 in public and not in CV; six children fell back to where
    # 0 was, and kept their CV. One submission was lucky, not six unlucky or bad.
    public = np.array([0.70, 0.75, *[0.70] * 6])
    cv = np.array([0.60, 0.60, *[0.60] * 6])
    parent = np.array([-1, 0, *[1] * 6])
    grid = fixed_noise(np.full(8, 0.014), np.full(8, 0.014))
    args = public, cv, parent, grid, lambda _: independent(8, 0.01, 0.01)
    alone, _ = fuse_history(*args, rounds=0)
    steps, levels = fuse_history(*args)
    assert np.all(steps.p_loss[2:] < alone.p_loss[2:] - 0.1)
    assert steps.p_gain[1] < alone.p_gain[1]
    assert levels.mean[1] < 0.72
    assert np.all(np.abs(levels.mean[2:] - levels.mean[0]) < 0.01)


def test_a_repeat_has_the_level_of_its_parent_and_no_step():
    public, cv = np.array([0.70, 0.72, 0.71]), np.array([0.70, 0.71, 0.71])
    grid = fixed_noise(np.full(3, 0.01), np.full(3, 0.01))
    steps, levels = fuse_history(
        public,
        cv,
        [-1, 0, 1],
        grid,
        lambda _: independent(3, 0.01, 0.01),
        same=[False, False, True],
    )
    assert np.isnan(steps.gain[2])
    np.testing.assert_allclose(levels.mean[2], levels.mean[1], rtol=1e-12)
    assert steps.n_obs == 1


def test_a_better_known_noise_is_used_for_the_levels_alone():
    rng = np.random.default_rng(3)
    public, cv, parent, noise = history(rng, 6)
    grid, _ = own_noise(public, cv, parent)
    plain, levels = fuse_history(public, cv, parent, grid, lambda _: noise)
    other = independent(6, 0.1, 0.1)
    steps, final = fuse_history(
        public, cv, parent, grid, lambda _: noise, final_noise_of=lambda _: other
    )
    np.testing.assert_array_equal(steps.p_gain, plain.p_gain)
    assert final.score_public_var == pytest.approx(0.01)
    assert np.all(final.sd < levels.sd)


def along_tree(parent):
    def noise_of(steps):
        return tree_noise(
            parent, step_public_var=steps.public_se**2, step_cv_var=steps.cv_se**2
        )

    return noise_of


@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    unit=st.sampled_from([1e-3, 1.0, 250.0]),
    shift=st.integers(-5, 5),
)
def test_follows_unit_shift_sign_and_order(seed, unit, shift):
    rng = np.random.default_rng(seed)
    k = 8
    public, cv, parent, _ = history(rng, k)

    def fuse(public, cv, parent):
        apart = np.where(
            parent >= 0, (public - public[parent]) - (cv - cv[parent]), NAN
        )
        return fuse_history(
            public, cv, parent, learned_noise(apart), along_tree(parent)
        )

    steps, levels = fuse(public, cv, parent)
    moved, moved_levels = fuse(unit * (public + shift), unit * (cv - shift), parent)
    np.testing.assert_allclose(moved.p_gain, steps.p_gain, atol=1e-5)
    np.testing.assert_allclose(
        moved_levels.mean, unit * (levels.mean + shift), rtol=1e-5, atol=1e-5 * unit
    )
    down, down_levels = fuse(-public, -cv, parent)
    np.testing.assert_allclose(down.p_loss, steps.p_gain, atol=1e-5)
    np.testing.assert_allclose(down_levels.mean, -levels.mean, atol=1e-6)
    turned, turned_levels = fuse(
        public[::-1], cv[::-1], np.where(parent < 0, -1, k - 1 - parent)[::-1]
    )
    np.testing.assert_allclose(turned.p_gain[::-1], steps.p_gain, atol=1e-6)
    np.testing.assert_allclose(turned_levels.mean[::-1], levels.mean, atol=1e-6)


def shown(seed, **options):
    made = simulate(Scenario(n_submissions=30, **options), rng=seed)
    public, cv = made.history.scores("public"), made.history.scores("cv")
    parent = made.truth.parent
    apart = np.where(parent >= 0, (public - public[parent]) - (cv - cv[parent]), NAN)
    return made, (public, cv, parent, learned_noise(apart), along_tree(parent))


@pytest.mark.slow
def test_a_long_history_without_gains_is_not_talked_into_any():
    for seed in (2001, 2002):
        simulated = simulate(Scenario(n_submissions=150, n_public=20_000, n_train=4000, policy="public", null_fraction=1.0, step_size=0.1), rng=seed)  # fmt: skip
        assert analyze(simulated.history).counts().get("progress", 0) == 0


@pytest.mark.parametrize("drop", [1.0, 100.0, 1e6])
def test_a_submission_far_below_the_rest_leaves_it_alone(drop):
    _, args = shown(1, n_public=1500, n_private=1500, n_train=3000)
    public, cv, parent, grid, noise_of = args
    leaf = int(np.setdiff1d(np.arange(30), parent)[0])
    public, cv = public.copy(), cv.copy()
    public[leaf] -= drop
    cv[leaf] -= drop
    _, plain = fuse_history(*args)
    steps, levels = fuse_history(public, cv, parent, grid, noise_of)
    assert steps.p_loss[leaf] > 0.99
    rest = np.delete(np.arange(30), leaf)
    np.testing.assert_allclose(
        levels.mean[rest], plain.mean[rest], atol=0.5 * plain.sd.min()
    )
    np.testing.assert_allclose(levels.mean[leaf], plain.mean[leaf] - drop, rtol=0.01)
    assert np.isfinite(levels.cov).all()


@pytest.mark.parametrize("which", ["public", "cv"])
@pytest.mark.parametrize("amount", [-1e6, -5.0, 5.0, 1e6])
def test_one_score_that_measures_something_else_moves_no_other_level(which, amount):
    _, args = shown(2, n_public=1500, n_private=1500, n_train=3000)
    public, cv, parent, grid, noise_of = args
    leaf = int(np.setdiff1d(np.arange(30), parent)[0])
    scores = {"public": public.copy(), "cv": cv.copy()}
    scores[which][leaf] += amount
    _, plain = fuse_history(*args)
    steps, levels = fuse_history(scores["public"], scores["cv"], parent, grid, noise_of)
    rest = np.delete(np.arange(30), leaf)
    np.testing.assert_allclose(
        levels.mean[rest], plain.mean[rest], atol=0.5 * plain.sd.min()
    )
    # What is left of that submission is the score that is believed.
    if which == "public" and amount < 0:
        assert levels.mean[leaf] < plain.mean[leaf] + amount / 2
    else:
        assert abs(levels.mean[leaf] - plain.mean[leaf]) < 5 * plain.sd[leaf]
    assert np.isfinite(steps.public_se[leaf])
    assert np.isfinite(steps.cv_se[leaf])


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["public", "cv"])
def test_steps_are_calibrated_where_parents_were_chosen_for_their_luck(policy):
    chances, truths, covered, blamed = [], [], [], []
    for seed in range(40):
        made, args = shown(
            100 + seed, n_public=1000, n_private=1000, n_train=3000, policy=policy
        )
        steps, _ = fuse_history(*args)
        truth, known = made.truth.gain, np.isfinite(steps.p_gain)
        chances.append(steps.p_gain[known])
        truths.append((truth > steps.rope)[known])
        covered.append(((steps.ci_low <= truth) & (truth <= steps.ci_high))[known])
        blamed.append((truth >= 0)[known & (steps.p_loss > 0.9)])
    slope = np.polyfit(np.concatenate(chances), np.concatenate(truths), 1)[0]
    assert 0.8 <= slope <= 1.35
    assert 0.87 <= np.concatenate(covered).mean() <= 0.995
    assert np.concatenate(blamed).mean() <= 0.1


def test_history_takes_evidence_away_and_never_adds_any():
    own = np.array([1.0, 1.0, 1.0, -1.0, -1.0, NAN]), np.ones(6)
    told = np.array([0.4, 3.0, -2.0, -0.4, 2.0, 1.0])
    centre, variance = _explained_away(own, told)
    np.testing.assert_array_equal(centre, [0.4, 1.0, 0.0, -0.4, 0.0, NAN])
    np.testing.assert_array_equal(variance, own[1])
