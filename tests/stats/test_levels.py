"""Levels: a tree of two by hand, brute-force integration, and truth in simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.simulate import simulate
from lbsense.stats import learned_noise, step_posterior
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
    options = {
        "gain_sd": rng.uniform(0.1, 1.0, k),
        "gain_mean": rng.normal(0, 0.2, k),
        "step_public_var": rng.uniform(0.1, 0.5, k),
        "step_cv_var": rng.uniform(0.1, 0.5, k),
        "score_public_var": 1.3,
    }
    return public, cv, parent, options


def path(parent, t):
    found = [t]
    while parent[found[-1]] >= 0:
        found.append(parent[found[-1]])
    return found


def naive(public, cv, parent, options):
    """Condition one big normal vector (theta, scores) with very wide flat parts."""
    k = len(public)
    wide = 1e5
    theta, noise, drift = np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))
    rho = 1 - options["step_public_var"] / (2 * options["score_public_var"])
    start = np.zeros(k)
    for i in range(k):
        start[i] = sum(options["gain_mean"][t] for t in path(parent, i)[:-1])
        for j in range(k):
            one, two = set(path(parent, i)), set(path(parent, j))
            shared = [t for t in one & two if parent[t] >= 0]
            theta[i, j] = sum(options["gain_sd"][t] ** 2 for t in shared)
            drift[i, j] = sum(options["step_cv_var"][t] for t in shared)
            apart = np.prod([rho[t] for t in one ^ two])
            noise[i, j] = options["score_public_var"] * apart
    seen = np.concatenate([np.isfinite(public), np.isfinite(cv)])
    scores = np.concatenate([public - start, cv - start])[seen]
    fits = []
    for scale in SCALES:
        level = scale * theta + wide
        top = np.hstack([level + noise, level])
        bottom = np.hstack([level, level + drift + wide])
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
    public, cv, parent, options = given_
    result = level_posterior(public, cv, parent, **options)
    np.testing.assert_allclose(result.mean, mean, atol=2e-4)
    np.testing.assert_allclose(result.cov, cov, atol=2e-4)
    np.testing.assert_allclose(result.sd, np.sqrt(np.diag(cov)), atol=2e-4)


def test_tree_of_two_by_hand():
    # Equal noise v in both differences: given c the step is (d1 + d2) / (2 + 1 / c),
    # and the level of the two public scores together stays where it is.
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
        gain_sd=[NAN, 0.01],
        step_public_var=[NAN, v],
        step_cv_var=[NAN, v],
        score_public_var=4e-4,
    )
    np.testing.assert_allclose(np.diff(result.mean), weight @ step, rtol=1e-9)
    np.testing.assert_allclose(result.mean.mean(), 0.71, rtol=1e-9)
    np.testing.assert_allclose(result.scale, weight @ c, rtol=1e-9)
    np.testing.assert_allclose(result.noise_corr[0, 1], 0.875)
    assert result.n_obs == 4


def test_one_submission_has_its_score_and_its_noise():
    result = level_posterior(
        [0.8], [NAN], [-1], gain_sd=[NAN], step_public_var=[NAN], score_public_var=4e-4
    )
    np.testing.assert_allclose(result.mean, [0.8])
    np.testing.assert_allclose(result.sd, [0.02])


def test_repeat_has_the_score_of_its_parent():
    result = level_posterior(
        [0.70, 0.72, 0.72],
        [NAN] * 3,
        [-1, 0, 1],
        gain_sd=[NAN, 0.01, 0.0],
        step_public_var=[NAN, 1e-4, 0.0],
        score_public_var=4e-4,
    )
    np.testing.assert_allclose(result.mean[2], result.mean[1], rtol=1e-12)
    assert np.isfinite(result.cov).all()


def test_unscored_submission_takes_its_parents_level_and_is_less_certain():
    result = level_posterior(
        [0.70, 0.72, NAN],
        [0.6, 0.61, NAN],
        [-1, 0, 1],
        gain_sd=[NAN, 0.01, NAN],
        step_public_var=[NAN, 1e-4, NAN],
        step_cv_var=[NAN, 1e-4, NAN],
    )
    np.testing.assert_allclose(result.mean[2], result.mean[1])
    assert result.sd[2] > result.sd[1]
    np.testing.assert_allclose(result.score_public_var, 1e-4 / (2 * 0.05))


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
        gain_sd=[0.01] * 3,
        step_public_var=[1e-4] * 3,
        step_cv_var=[1e-4] * 3,
        score_public_var=1e-3,
    )
    np.testing.assert_array_equal(np.isfinite(result.mean), known)
    np.testing.assert_array_equal(np.isfinite(result.cov), np.outer(known, known))


def test_parents_may_stand_after_their_children():
    public, cv, parent, options = example(np.random.default_rng(3), missing=0.0)
    straight = level_posterior(public, cv, parent, **options)
    turned = {
        name: value[::-1] if isinstance(value, np.ndarray) else value
        for name, value in options.items()
    }
    back = np.where(parent < 0, -1, len(parent) - 1 - parent)[::-1]
    result = level_posterior(public[::-1], cv[::-1], back, **turned)
    np.testing.assert_allclose(result.mean[::-1], straight.mean, rtol=1e-9)


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
    public, cv, parent, options = example(np.random.default_rng(seed))
    plain = level_posterior(public, cv, parent, **options)
    powers = {"gain_sd": 1, "gain_mean": 1}
    scaled = {
        name: value * unit ** powers.get(name, 2) for name, value in options.items()
    }
    moved = level_posterior(
        unit * (public + shift), unit * (cv + cv_shift), parent, **scaled
    )
    np.testing.assert_allclose(
        moved.mean, unit * (plain.mean + shift), rtol=1e-7, atol=1e-7 * unit
    )
    np.testing.assert_allclose(moved.sd, unit * plain.sd, rtol=1e-6)
    assert np.linalg.eigvalsh(plain.cov).min() > -1e-9


def test_inputs_are_left_alone_and_outputs_are_closed():
    public, cv, parent, options = example(np.random.default_rng(0))
    before = public.copy(), cv.copy(), parent.copy()
    result = level_posterior(public, cv, parent, **options)
    for now, then in zip((public, cv, parent), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert not result.mean.flags.writeable


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parent": [-1, 2, 1]}, "parent leads in a circle from submission 1"),
        ({"parent": [-1, 0, 3]}, r"parent\[2\] is 3, but there are only 3"),
        ({"parent": [-1.0, 0.0, 1.0]}, "parent must hold whole numbers, got float64"),
        ({"parent": [-1, 0]}, "Arrays must have one length, but public has 3"),
        ({"step_public_var": [0, -1, 1]}, "step_public_var must be 0 or more"),
        ({"step_public_var": [NAN] * 3}, "step_public_var must be 0 or more"),
        ({"score_public_var": 0.0}, "score_public_var must be a finite number above 0"),
    ],
)
def test_says_what_is_wrong_with_an_argument(change, message):
    options = {"parent": [-1, 0, 1], "gain_sd": [1.0] * 3, "step_public_var": [1.0] * 3}
    options |= change
    with pytest.raises(ValueError, match=message):
        level_posterior([1.0, 2.0, 3.0], [NAN] * 3, options.pop("parent"), **options)


def test_root_alone_needs_the_noise_of_a_score():
    with pytest.raises(ValueError, match="score_public_var must be given"):
        level_posterior([0.8], [NAN], [-1], gain_sd=[NAN], step_public_var=[NAN])


@settings(max_examples=50, deadline=None)
@given(
    mean=st.floats(-2, 2),
    sd=st.floats(0.1, 3),
    public=st.floats(-5, 5),
    cv=st.floats(-5, 5),
    noise=st.floats(0.2, 3),
)
def test_step_prior_undoes_the_updating_of_a_normal(mean, sd, public, cv, noise):
    precision = 1 / sd**2 + 1 / noise + 1 / (2 * noise)
    gain = (mean / sd**2 + public / noise + cv / (2 * noise)) / precision
    options = {"step_public_var": [noise], "step_cv_var": [2 * noise]}
    got = step_prior([gain], [precision**-0.5], [public], [cv], **options)
    share = (1 / sd**2) / (precision - 1 / sd**2)
    if share > 0.051:
        np.testing.assert_allclose(got[0], mean, atol=1e-7)
        np.testing.assert_allclose(got[1], sd, rtol=1e-7)
    elif share < 0.049:
        np.testing.assert_allclose(got[0], 0.0)
        np.testing.assert_allclose(got[1] ** 2, gain**2 + 1 / precision)


def test_step_prior_is_nan_where_a_step_was_not_judged():
    mean, sd = step_prior(
        [NAN], [NAN], [NAN], [NAN], step_public_var=[NAN], step_cv_var=[NAN]
    )
    assert np.isnan([mean[0], sd[0]]).all()


def replay(rng, **options):
    """Return what the outlook of a simulated history said, and what came."""
    made = simulate(n_submissions=30, rng=rng, **options)
    history, truth = made.history, made.truth
    competition = history.competition
    public, cv = history.scores("public"), history.scores("cv")
    parent, n_public = truth.parent, competition.n_public

    def gains(scores):
        return np.where(parent >= 0, scores - scores[parent], np.nan)

    apart = gains(public) - gains(cv)
    noise = learned_noise(apart, n_public=n_public, n_train=competition.train_size)
    steps = step_posterior(gains(public), gains(cv), noise)
    variances = {
        "step_public_var": steps.public_se**2,
        "step_cv_var": steps.cv_se**2,
    }
    prior = step_prior(steps.gain, steps.gain_se, gains(public), gains(cv), **variances)
    positive = int(0.3 * n_public)  # AUC by Hanley and McNeil at the prevalence used
    auc = public.max()
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    negative = n_public - positive
    score_var = auc * (1 - auc) + (positive - 1) * (q1 - auc**2)
    score_var += (negative - 1) * (q2 - auc**2)
    score_var /= positive * negative
    levels = level_posterior(
        public,
        cv,
        parent,
        gain_mean=prior[0],
        gain_sd=prior[1],
        score_public_var=score_var,
        **variances,
    )
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
    print({k: np.mean(v).round(3) for k, v in inside.items()})
    print({k: np.mean(v).round(3) for k, v in inside_best.items()})
    print(np.mean(cost), np.std(cost) / 60**0.5, np.mean(regret), np.mean(stated))
    # Histories are 60, submissions of one share their level: binomial error of 60.
    for covered in (inside, inside_best):
        assert 0.80 - 2.6 * 0.052 < np.mean(covered[80]) < 0.80 + 2.6 * 0.052
        assert 0.95 - 2.6 * 0.028 < np.mean(covered[95])
    assert np.mean(cost) > 0
    assert 0.75 < np.mean(stated) / np.mean(regret) < 1.3
