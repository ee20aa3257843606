"""Levels: a tree of two by hand, brute-force integration, and truth in simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.simulate import Scenario, simulate
from lbsense.stats import learned_noise
from lbsense.stats.fusion import fuse_history
from lbsense.stats.level_noise import LevelNoise, tree_noise
from lbsense.stats.levels import level_posterior, step_prior
from lbsense.stats.outlook import private_outlook
from lbsense.stats.picks import best_pair

NAN = float("nan")
SCALES = np.array([0.25, 0.5, 1.0, 2.0])


def example(rng, k=7, *, missing=0.2):
    parent = np.array([-1, *(rng.integers(0, i) for i in range(1, k))])
    public, cv = rng.normal(0, 1, k), rng.normal(5, 1, k)
    public[1:][rng.random(k - 1) < missing] = np.nan
    cv[1:][rng.random(k - 1) < missing] = np.nan
    noise = LevelNoise(
        public=covariance(rng, k), cv=covariance(rng, k), score_public_var=1.3
    )
    options = {
        "gain_sd": rng.uniform(0.1, 1.0, k),
        "gain_mean": rng.normal(0, 0.2, k),
    }
    return public, cv, parent, noise, options


def covariance(rng, k):
    """Return noise that has nothing to do with a tree."""
    root = rng.normal(0, 1, (k, k + 2))
    return root @ root.T / (k + 2) + 0.1 * np.eye(k)


def independent(k, public_var, cv_var=None):
    return LevelNoise(
        public=public_var * np.eye(k),
        cv=None if cv_var is None else cv_var * np.eye(k),
        score_public_var=public_var,
    )


def path(parent, t):
    found = [t]
    while parent[found[-1]] >= 0:
        found.append(parent[found[-1]])
    return found


def naive(public, cv, parent, noise, options):
    """Condition one big normal vector (theta, scores) with very wide flat parts."""
    k = len(public)
    wide = 1e5
    theta = np.zeros((k, k))
    start = np.zeros(k)
    for i in range(k):
        start[i] = sum(options["gain_mean"][t] for t in path(parent, i)[:-1])
        for j in range(k):
            shared = set(path(parent, i)) & set(path(parent, j))
            steps = [t for t in shared if parent[t] >= 0]
            theta[i, j] = sum(options["gain_sd"][t] ** 2 for t in steps)
    seen = np.concatenate([np.isfinite(public), np.isfinite(cv)])
    scores = np.concatenate([public - start, cv - start])[seen]
    fits = []
    for scale in SCALES:
        level = scale * theta + wide
        top = np.hstack([level + noise.public, level])
        bottom = np.hstack([level, level + noise.cv + wide])
        total = np.vstack([top, bottom])[np.ix_(seen, seen)]
        cross = np.hstack([level, level])[:, seen]
        gain = np.linalg.solve(total, cross.T).T
        log_fit = -0.5 * (
            np.linalg.slogdet(total)[1] + scores @ np.linalg.solve(total, scores)
        )
        fits.append((log_fit, start + gain @ scores, level - gain @ cross.T))
    weight = np.exp([f - max(f for f, *_ in fits) for f, *_ in fits])
    weight /= weight.sum()
    mean = sum(w * m for w, (_, m, _) in zip(weight, fits, strict=True))
    cov = sum(
        w * (v + np.outer(m - mean, m - mean))
        for w, (_, m, v) in zip(weight, fits, strict=True)
    )
    return mean, cov


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_conditioning_one_dense_normal(seed):
    given_ = example(np.random.default_rng(seed))
    mean, cov = naive(*given_)
    *scores, options = given_
    result = level_posterior(*scores, **options)
    np.testing.assert_allclose(result.mean, mean, atol=2e-4)
    np.testing.assert_allclose(result.cov, cov, atol=2e-4)
    np.testing.assert_allclose(result.sd, np.sqrt(np.diag(cov)), atol=2e-4)


def test_tree_of_two_by_hand():
    # Independent scores of variance v / 2: either difference has noise v, so that given
    # c the step is (d1 + d2) / (2 + 1 / c); the two public scores keep their mean.
    v, public_gain, cv_gain = 1e-4, 0.02, 0.004
    c = SCALES
    step = (public_gain + cv_gain) / (2 + 1 / c)
    det = np.square(v) * (1 + 2 * c)
    square = (1 + c) * (public_gain**2 + cv_gain**2) - 2 * c * public_gain * cv_gain
    weight = np.exp(-0.5 * (np.log(det) + v * square / det))
    weight /= weight.sum()
    result = level_posterior(
        [0.70, 0.72],
        [0.5, 0.504],
        [-1, 0],
        independent(2, v / 2, v / 2),
        gain_sd=[NAN, 0.01],
    )
    np.testing.assert_allclose(np.diff(result.mean), weight @ step, rtol=1e-9)
    np.testing.assert_allclose(result.mean.mean(), 0.71, rtol=1e-9)
    np.testing.assert_allclose(result.scale, weight @ c, rtol=1e-9)
    np.testing.assert_array_equal(result.noise_corr, np.eye(2))
    assert result.n_obs == 4


def test_one_submission_has_its_score_and_its_noise():
    result = level_posterior([0.8], [NAN], [-1], independent(1, 4e-4), gain_sd=[NAN])
    np.testing.assert_allclose(result.mean, [0.8])
    np.testing.assert_allclose(result.sd, [0.02])


def test_no_submission_has_no_level():
    empty = independent(0, 1e-4, 1e-4)
    result = level_posterior([], [], np.empty(0, dtype=int), empty, gain_sd=[])
    assert result.mean.shape == (0,)
    assert result.n_obs == 0


def test_cv_is_not_read_where_its_noise_is_not_known():
    options = {"gain_sd": [NAN, 0.01]}
    one = level_posterior(
        [0.7, 0.72], [0.1, 0.2], [-1, 0], independent(2, 1e-4), **options
    )
    two = level_posterior(
        [0.7, 0.72], [NAN, NAN], [-1, 0], independent(2, 1e-4, 1e-4), **options
    )
    np.testing.assert_array_equal(one.mean, two.mean)
    assert one.n_obs == 2


def test_repeat_has_the_score_of_its_parent():
    noise = tree_noise(
        [-1, 0, 1], step_public_var=[NAN, 1e-4, 0.0], score_public_var=4e-4
    )
    result = level_posterior(
        [0.70, 0.72, 0.72], [NAN] * 3, [-1, 0, 1], noise, gain_sd=[NAN, 0.01, 0.0]
    )
    np.testing.assert_allclose(result.mean[2], result.mean[1], rtol=1e-12)
    assert np.isfinite(result.cov).all()


def test_unscored_submission_takes_its_parents_level_and_is_less_certain():
    result = level_posterior(
        [0.70, 0.72, NAN],
        [0.6, 0.61, NAN],
        [-1, 0, 1],
        independent(3, 1e-4, 1e-4),
        gain_sd=[NAN, 0.01, NAN],
    )
    np.testing.assert_allclose(result.mean[2], result.mean[1])
    # The step that was not judged is as wide as the others: .01.
    grown = result.cov[2, 2] - result.cov[1, 1]
    np.testing.assert_allclose(grown, 1e-4 * result.scale)


@pytest.mark.parametrize(
    ("public", "cv", "known"),
    [
        ([NAN, NAN, NAN], [0.1, 0.2, 0.3], [False] * 3),
        ([0.7, 0.8, NAN], [NAN, NAN, 0.3], [True, True, False]),
        ([0.7, 0.8, NAN], [0.1, NAN, 0.3], [True] * 3),
        ([0.7, NAN, NAN], [NAN, NAN, NAN], [True, True, False]),
    ],
)
def test_levels_that_no_score_tells_are_nan(public, cv, known):
    result = level_posterior(
        public,
        cv,
        [-1, 0, -1],
        independent(3, 1e-4, 1e-4),
        gain_sd=[0.01] * 3,
    )
    np.testing.assert_array_equal(np.isfinite(result.mean), known)
    np.testing.assert_array_equal(np.isfinite(result.cov), np.outer(known, known))


def test_parents_may_stand_after_their_children():
    public, cv, parent, noise, options = example(np.random.default_rng(3), missing=0.0)
    straight = level_posterior(public, cv, parent, noise, **options)
    turned = {name: value[::-1] for name, value in options.items()}
    back = np.where(parent < 0, -1, len(parent) - 1 - parent)[::-1]
    mirrored = LevelNoise(
        public=noise.public[::-1, ::-1], cv=noise.cv[::-1, ::-1], score_public_var=1.3
    )
    result = level_posterior(public[::-1], cv[::-1], back, mirrored, **turned)
    np.testing.assert_allclose(result.mean[::-1], straight.mean, rtol=1e-9)
    np.testing.assert_allclose(result.cov[::-1, ::-1], straight.cov, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shift=st.integers(-20, 20),
    cv_shift=st.integers(-20, 20),
    unit=st.sampled_from([1e-3, 0.5, 1.0, 40.0]),
)
def test_follows_shift_and_unit_and_ignores_the_offset_of_cv(
    seed, shift, cv_shift, unit
):
    public, cv, parent, noise, options = example(np.random.default_rng(seed))
    plain = level_posterior(public, cv, parent, noise, **options)
    scaled = {name: value * unit for name, value in options.items()}
    louder = LevelNoise(
        public=unit**2 * noise.public,
        cv=unit**2 * noise.cv,
        score_public_var=1.3 * unit**2,
    )
    moved = level_posterior(
        unit * (public + shift), unit * (cv + cv_shift), parent, louder, **scaled
    )
    np.testing.assert_allclose(
        moved.mean, unit * (plain.mean + shift), rtol=1e-7, atol=1e-7 * unit
    )
    np.testing.assert_allclose(moved.sd, unit * plain.sd, rtol=1e-6)
    assert np.linalg.eigvalsh(plain.cov).min() > -1e-9


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_turned_over_turn_the_levels_over(seed):
    public, cv, parent, noise, options = example(np.random.default_rng(seed))
    up = level_posterior(public, cv, parent, noise, **options)
    options["gain_mean"] = -options["gain_mean"]
    down = level_posterior(-public, -cv, parent, noise, **options)
    np.testing.assert_allclose(down.mean, -up.mean, atol=1e-9)
    np.testing.assert_allclose(down.cov, up.cov, atol=1e-9)


def test_inputs_are_left_alone_and_outputs_are_closed():
    public, cv, parent, noise, options = example(np.random.default_rng(0))
    before = public.copy(), cv.copy(), parent.copy(), noise.public.copy()
    result = level_posterior(public, cv, parent, noise, **options)
    for now, then in zip((public, cv, parent, noise.public), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert not result.mean.flags.writeable


@pytest.mark.parametrize(
    ("parent", "noise", "message"),
    [
        ([-1, 2, 1], 3, "parent leads in a circle from submission 1"),
        ([-1, 0, 3], 3, r"parent\[2\] is 3, but there are only 3"),
        ([-1.0, 0.0, 1.0], 3, "parent must hold whole numbers, got float64"),
        ([-1, 0], 3, "Arrays must have one length, but public has 3"),
        ([-1, 0, 1], 2, "Arrays must have one length, but public has 3"),
    ],
)
def test_says_what_is_wrong_with_an_argument(parent, noise, message):
    with pytest.raises(ValueError, match=message):
        level_posterior(
            [1.0, 2.0, 3.0], [NAN] * 3, parent, independent(noise, 1.0), gain_sd=[1] * 3
        )


@settings(max_examples=50, deadline=None)
@given(
    mean=st.floats(-2, 2),
    sd=st.floats(0.1, 3),
    seen=st.floats(-5, 5),
    noise=st.floats(0.2, 3),
)
def test_step_prior_undoes_the_updating_of_a_normal(mean, sd, seen, noise):
    precision = 1 / sd**2 + 1 / noise
    gain = (mean / sd**2 + seen / noise) / precision
    got_mean, got_sd = step_prior([gain], [precision**-0.5], [seen], [noise])
    if noise / sd**2 > 0.051:
        np.testing.assert_allclose(got_mean, mean, atol=1e-7)
        np.testing.assert_allclose(got_sd, sd, rtol=1e-7)


@settings(max_examples=50, deadline=None)
@given(
    gain=st.floats(-5, 5),
    excess=st.floats(0.96, 20),
    seen=st.floats(-5, 5),
    noise=st.floats(0.2, 3),
)
def test_two_humps_keep_their_mean_and_a_twentieth_of_the_precision(
    gain, excess, seen, noise
):
    # A posterior wider than what was seen: no normal prior makes it.
    got_mean, got_sd = step_prior([gain], [np.sqrt(excess * noise)], [seen], [noise])
    np.testing.assert_allclose(got_sd**2, 20 * noise)
    again = (got_mean / got_sd**2 + seen / noise) / (1 / got_sd**2 + 1 / noise)
    np.testing.assert_allclose(again, gain, atol=1e-9)


def test_step_prior_by_hand():
    # Posterior .012 +- .008: precision 15,625; seen .02 of variance 1e-4: 10,000.
    # Left 5,625, sd 1/75; weighted (15,625 * .012 - 200) / 5,625 = -1/450.
    mean, sd = step_prior([0.012], [0.008], [0.02], [1e-4])
    np.testing.assert_allclose(mean, [-1 / 450])
    np.testing.assert_allclose(sd, [1 / 75])


@pytest.mark.parametrize("noise", [NAN, 0.0])
def test_step_prior_is_nan_where_a_step_was_not_judged(noise):
    mean, sd = step_prior([NAN], [NAN], [NAN], [noise])
    assert np.isnan([mean[0], sd[0]]).all()


def test_step_prior_of_a_step_without_evidence_is_its_belief():
    mean, sd = step_prior([0.3], [0.2], [NAN], [NAN])
    np.testing.assert_allclose([mean[0], sd[0]], [0.3, 0.2])


def replay(rng, **options):
    """Return what the outlook of a simulated history said, and what came."""
    made = simulate(Scenario(n_submissions=30, **options), rng=rng)
    history, truth = made.history, made.truth
    competition = history.competition
    public, cv = history.scores("public"), history.scores("cv")
    parent, n_public = truth.parent, competition.n_public

    def gains(scores):
        return np.where(parent >= 0, scores - scores[parent], np.nan)

    positive = int(0.3 * n_public)  # AUC by Hanley and McNeil at the prevalence used
    auc = public.max()
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    negative = n_public - positive
    score_var = auc * (1 - auc) + (positive - 1) * (q1 - auc**2)
    score_var += (negative - 1) * (q2 - auc**2)
    score_var /= positive * negative
    n_train = competition.train_size

    def noise_of(steps):
        return tree_noise(
            parent,
            step_public_var=steps.public_se**2,
            step_cv_var=steps.cv_se**2,
            score_public_var=score_var,
            score_cv_var=score_var * n_public / n_train,
        )

    grid = learned_noise(
        gains(public) - gains(cv),
        score_sd=np.sqrt(score_var * n_public),
        n_public=n_public,
        n_train=n_train,
    )
    _, levels = fuse_history(public, cv, parent, grid, noise_of)
    outlook = private_outlook(
        levels.mean,
        levels.cov,
        public=public,
        score_public_var=score_var,
        noise_corr=levels.noise_corr,
        n_public=n_public,
        n_private=competition.n_private,
        nested=competition.nested,
    )
    picks = best_pair(outlook.mean, outlook.cov, public=public, cv=cv, n_draws=1000)
    return outlook, picks, history.scores("private"), public, auc


@pytest.mark.slow
@pytest.mark.parametrize("nested", [False, True])
def test_private_bands_cover_and_the_pair_beats_two_best_public(nested):
    inside = {80: [], 95: []}
    inside_best = {80: [], 95: []}
    cost, regret, stated = [], [], []
    for seed in range(60):
        outlook, picks, private, *_ = replay(
            7000 + seed,
            policy=("public", "cv", "both")[seed % 3],
            null_fraction=(0.6, 0.9)[seed % 2],
            n_public=(1000, 2000)[seed // 30],
            n_private=3000,
            n_train=4000,
            nested=nested,
        )
        for level in (80, 95):
            low = getattr(outlook, f"ci{level}_low")
            high = getattr(outlook, f"ci{level}_high")
            hit = (low <= private) & (private <= high)
            inside[level].append(hit.mean())
            inside_best[level].append(hit[outlook.best_public])

        def score(pair, private=private):
            return max(private[pair.first], private[pair.second])

        cost.append(score(picks.best) - score(picks.rules[0]))
        regret.append(private.max() - score(picks.best))
        stated.append(picks.best.regret)
    # Histories are 60, submissions of one share their level: binomial error of 60.
    for covered in (inside, inside_best):
        assert 0.80 - 2.6 * 0.052 < np.mean(covered[80]) < 0.80 + 2.6 * 0.052
        assert 0.95 - 2.6 * 0.028 < np.mean(covered[95])
    assert np.mean(cost) > 0
    assert 0.75 < np.mean(stated) / np.mean(regret) < 1.3
