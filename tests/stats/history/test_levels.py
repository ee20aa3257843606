"""Levels along the tree: messages against one dense normal, and what must not matter."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats import (
    Covariance,
    Source,
    StepPosteriorResult,
    level_posterior,
    step_posterior,
)
from lbsense.stats.history import levels as along
from lbsense.stats.history import picks
from lbsense.stats.history.levels import Chain, Dense
from lbsense.stats.history.picks import best_pair
from lbsense.stats.steps.mixture import FRESH
from lbsense.stats.steps.tree import depth_order

NAN = np.nan


def steps_of(gain, gain_se, seen, seen_var, public_se, cv_se, *, cv_ratio=1.5):
    """Return a posterior of steps that holds what levels read, and nothing else."""
    nan = np.full(len(gain), NAN)
    read = {
        "gain": gain, "gain_se": gain_se, "seen": seen, "seen_var": seen_var,
        "public_se": public_se, "cv_se": cv_se,
    }  # fmt: skip
    rest = ("ci_low", "ci_high", "p_gain", "p_null", "p_loss", "shared_luck")
    return StepPosteriorResult(
        **{name: np.asarray(values, dtype=float) for name, values in read.items()},
        **dict.fromkeys(rest, nan),
        cv_slope=1.0,
        cv_ratio=cv_ratio,
        null_share=NAN,
        rope=0.0,
        confidence_level=0.95,
        n_obs=int(np.isfinite(gain).sum()),
        n_paired=0,
    )


def from_priors(mean, width, seen, seen_var, public_se, cv_se):
    """Return steps whose normal prior is given: posteriors by the rule of Bayes."""
    share = width / (width + seen_var)
    gain = mean + share * (seen - mean)
    se = np.sqrt(width * (1 - share))
    return steps_of(gain, se, seen, seen_var, public_se, cv_se)


def example(rng, n, *, missing=0.2, roots=0.1):
    tree = np.array([-1] + [int(rng.integers(k)) for k in range(1, n)])
    tree[rng.random(n) < roots] = -1
    tree[0] = -1
    at = np.arange(n)
    child = tree >= 0
    public_se = np.where(child, rng.uniform(0.2, 0.8, n), NAN)
    cv_se = np.where(child, rng.uniform(0.2, 0.8, n), NAN)
    seen_var = np.where(child, rng.uniform(0.05, 0.5, n), NAN)
    mean, width = rng.normal(0, 0.3, n), rng.uniform(0.05, 0.6, n)
    seen = mean + rng.normal(0, np.sqrt(width + np.nan_to_num(seen_var)))
    public, cv = rng.normal(0, 1, (2, n)) + 0.1 * at
    public[rng.random(n) < missing] = NAN
    cv[rng.random(n) < missing] = NAN
    public[0], cv[0] = 0.3, 0.1
    steps = from_priors(mean, width, seen, seen_var, public_se, cv_se)
    return tree, public, cv, steps, mean, width


def dense(tree, public, cv, steps, mean, width, sigma):
    """Return means and covariances by conditioning one normal of all states."""
    n = len(tree)
    known = steps.public_se[np.isfinite(steps.public_se)]
    typical = np.median(known) if known.size else sigma
    se = np.where(np.isfinite(steps.public_se), steps.public_se, typical)
    cv_se = np.where(np.isfinite(steps.cv_se), steps.cv_se, se * np.sqrt(1.5))
    kept = 1 - np.minimum(np.square(se / sigma) * (1 - 2 * FRESH) / 2, 1)
    # Every state is a sum of independent draws: rows of coefficients.
    level, luck, lasting = np.zeros((3, n, 3 * n))
    drift = np.zeros(n)
    for k in range(n):
        parent = tree[k]
        if parent < 0:
            level[k, k], luck[k, n + k], lasting[k, 2 * n + k] = 1e3, 1.0, 1e3
            continue
        level[k], luck[k], lasting[k] = level[parent], luck[parent], lasting[parent]
        luck[k] = kept[k] * luck[k]
        drift[k] = drift[parent] + mean[k]
        level[k, k] = np.sqrt(width[k]) / sigma
        luck[k, n + k] = np.sqrt(1 - kept[k] ** 2)
        lasting[k, 2 * n + k] = cv_se[k] / sigma * np.sqrt(1 - 2 * FRESH)
    centre, shift = np.nanmedian(public), np.nanmedian(cv)
    rows, values, fresh = [], [], []
    for k in range(n):
        for score, other, base, noise in (
            (public[k], luck[k], centre, se[k]),
            (cv[k], lasting[k], shift, cv_se[k]),
        ):
            if np.isfinite(score):
                rows.append(level[k] + other)
                values.append((score - base - drift[k]) / sigma)
                fresh.append(FRESH * (noise / sigma) ** 2)
    rows = np.array(rows)
    total = rows @ rows.T + np.diag(fresh)
    gain = np.linalg.solve(total, rows @ level.T).T
    cov = level @ level.T - gain @ rows @ level.T
    return (
        centre + drift + sigma * (gain @ np.array(values)),
        sigma**2 * cov,
        luck @ luck.T,
    )


@given(seed=st.integers(0, 10_000), n=st.integers(2, 14))
def test_agrees_with_conditioning_one_dense_normal(seed, n):
    rng = np.random.default_rng(seed)
    tree, public, cv, steps, mean, width = example(rng, n)
    sigma = 1.3
    found = level_posterior(public, cv, tree, steps, score_se=sigma)
    by_hand, cov, corr = dense(tree, public, cv, steps, mean, width, sigma)
    told = np.isfinite(found.mean)
    np.testing.assert_allclose(found.mean[told], by_hand[told], rtol=1e-4, atol=1e-3)
    all_of = found.spread.matrix()
    np.testing.assert_allclose(
        all_of[np.ix_(told, told)], cov[np.ix_(told, told)], rtol=1e-3, atol=2e-3
    )
    np.testing.assert_allclose(found.sd[told] ** 2, np.diag(all_of)[told], rtol=1e-9)
    np.testing.assert_allclose(found.noise.matrix(), corr, atol=1e-9)
    some = rng.choice(n, min(n, 4), replace=False)
    np.testing.assert_allclose(
        found.spread.matrix(some), all_of[np.ix_(some, some)], rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(
        found.noise.matrix(some), found.noise.matrix()[np.ix_(some, some)], atol=1e-12
    )


def test_one_submission_has_its_score_and_its_noise():
    steps = steps_of([NAN], [NAN], [NAN], [NAN], [NAN], [NAN])
    found = level_posterior([0.7], [NAN], [-1], steps, score_se=0.01)
    # Lasting noise .01 and a fifth of the square of a typical step, which is .01 too.
    np.testing.assert_allclose(found.mean, [0.7], rtol=1e-6)
    np.testing.assert_allclose(found.sd, [0.01 * np.sqrt(1.2)], rtol=1e-4)
    assert found.n_obs == 1
    np.testing.assert_allclose(found.score_public_var, 1e-4)


def test_nothing_scored_has_no_level():
    steps = steps_of(*np.full((6, 3), NAN))
    found = level_posterior([NAN] * 3, [NAN] * 3, [-1, 0, 0], steps, score_se=0.01)
    assert np.isnan(found.mean).all()
    assert np.isnan(found.sd).all()
    assert found.n_obs == 0


def test_a_repeat_has_the_level_of_its_reference():
    rng = np.random.default_rng(3)
    tree, public, cv, steps, *_ = example(rng, 6, missing=0, roots=0)
    same = np.arange(6) == 4
    found = level_posterior(public, cv, tree, steps, score_se=1.3, same=same)
    np.testing.assert_allclose(found.mean[4], found.mean[tree[4]], atol=1e-3)
    np.testing.assert_allclose(found.sd[4], found.sd[tree[4]], rtol=1e-3)


def test_levels_move_on_and_early_baselines_do_not_draw_them():
    """Ten baselines near zero, then a climb to 100 that public and CV both show."""
    n = 30
    true = np.concatenate([np.zeros(10), np.linspace(5, 100, 20)])
    public, cv = true.copy(), true.copy()
    tree = np.arange(-1, n - 1)
    gain = np.diff(true, prepend=NAN)
    one = np.where(np.isfinite(gain), 1.0, NAN)
    steps = from_priors(np.nan_to_num(gain), 100 * np.ones(n), gain, one, one, one)
    found = level_posterior(public, cv, tree, steps, score_se=2.0)
    assert abs(found.mean[-1] - 100) < 1.0
    assert abs(found.mean[0]) < 1.0


@given(
    seed=st.integers(0, 10_000),
    unit=st.floats(0.01, 100),
    shift=st.floats(-10, 10),
    offset=st.floats(-10, 10),
)
def test_follows_unit_and_shift_and_ignores_the_offset_of_cv(seed, unit, shift, offset):
    rng = np.random.default_rng(seed)
    tree, public, cv, steps, mean, width = example(rng, 9)
    plain = level_posterior(public, cv, tree, steps, score_se=1.3)
    scaled = from_priors(
        unit * mean, unit**2 * width, unit * steps.seen, unit**2 * steps.seen_var,
        unit * steps.public_se, unit * steps.cv_se,
    )  # fmt: skip
    moved = level_posterior(
        unit * (public + shift), unit * (cv + offset), tree, scaled, score_se=unit * 1.3
    )
    atol = 1e-4 * unit * (1 + abs(shift))
    np.testing.assert_allclose(moved.mean, unit * (plain.mean + shift), atol=atol)
    np.testing.assert_allclose(moved.sd, unit * plain.sd, rtol=1e-4)
    np.testing.assert_allclose(moved.noise.matrix(), plain.noise.matrix(), atol=1e-9)


@pytest.mark.parametrize(
    ("public", "cv", "parent", "se", "message"),
    [
        ([0.7], [0.7, 0.7], [-1], 0.1, "must have one length"),
        ([0.7], [0.7], [0], 0.1, "circle"),
        ([0.7], [0.7], [-1], 0.0, "score_se must be"),
    ],
)
def test_says_what_is_wrong_with_an_argument(public, cv, parent, se, message):
    steps = steps_of(*np.full((6, 1), NAN))
    with pytest.raises(ValueError, match=message):
        level_posterior(public, cv, parent, steps, score_se=se)


def test_covariances_of_a_few_of_many_take_little_memory():
    n = 3000
    rng = np.random.default_rng(4)
    tree, public, cv, steps, *_ = example(rng, n, roots=0)
    tracemalloc.start()
    found = level_posterior(public, cv, tree, steps, score_se=1.3)
    found.spread.matrix([5, 700, n - 1])
    found.noise.matrix([5, 700, n - 1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * n * 300  # bytes: some hundred numbers a submission


@pytest.mark.slow
def test_levels_of_simulated_histories_are_covered():
    """Scores whose noise is inherited, as the model says, true levels known."""
    rng = np.random.default_rng(5)
    inside, best = [], []
    for _ in range(40):
        n, sigma, step_se = 30, 0.01, 0.004
        tree, truth = np.full(n, -1), np.zeros(n)
        luck, cv_luck, public, cv = np.zeros((4, n))
        luck[0], cv_luck[0] = rng.normal(0, [sigma, 0.02])
        rho = 1 - step_se**2 / (2 * sigma**2)
        for k in range(n):
            if k:
                tree[k] = int(np.argmax(public[:k]))
                moved = rng.normal(0, 0.008) if rng.random() < 0.5 else 0.0
                truth[k] = truth[tree[k]] + moved
                luck[k] = rho * luck[tree[k]]
                luck[k] += rng.normal(0, sigma * np.sqrt(1 - rho**2))
                cv_luck[k] = cv_luck[tree[k]] + rng.normal(0, step_se)
            public[k], cv[k] = truth[k] + luck[k], truth[k] + cv_luck[k]
        gains = [
            np.where(tree >= 0, s - s[np.maximum(tree, 0)], NAN) for s in (public, cv)
        ]
        steps = step_posterior(
            [
                Source(name="public", gain=gains[0]),
                Source(name="cv", gain=gains[1], log_ratio_sd=1.0, spread=0.5),
            ],
            tree,
        )
        found = level_posterior(public, cv, tree, steps, score_se=sigma)
        hit = np.abs(found.mean - truth) <= 1.96 * found.sd
        inside.append(hit.mean())
        best.append(hit[np.argmax(public)])
    # Half of these steps are worth nothing at all, which no real history shows: over
    # 120 such histories bands hold .93 of all and .88 of the best public scores.
    assert np.mean(inside) >= 0.9
    assert np.mean(best) >= 0.88 - 2.6 * np.sqrt(0.12 * 0.88 / 40)


def a_chain(rng, k, size=2, roots=0.1):
    """Return a chain, and the whole covariance of its first entries worked naively."""
    tree = np.array([-1] + [int(rng.integers(max(0, i - 4), i)) for i in range(1, k)])
    tree[rng.random(k) < roots] = -1
    tree[0] = -1
    shuffled = rng.permutation(k)  # references may stand after what descends from them
    place = np.argsort(shuffled)
    tree = np.array([-1 if tree[i] < 0 else place[tree[i]] for i in shuffled])
    carry = rng.normal(0, 0.7, (k, size, size))
    root = rng.normal(size=(k, size, size))
    own = root @ root.transpose(0, 2, 1)
    moments = np.empty_like(own)
    whole = np.zeros((k, size, k, size))
    done = []
    for i in depth_order(tree):
        above = tree[i]
        if above < 0:
            carry[i] = 0.0
        moments[i] = own[i]
        if above >= 0:
            moments[i] = own[i] + carry[i] @ moments[above] @ carry[i].T
            for j in done:
                whole[i, :, j] = carry[i] @ whole[above, :, j]
                whole[j, :, i] = whole[i, :, j].T
        whole[i, :, i] = moments[i]
        done.append(i)
    chain = Chain(tree, depth_order(tree), carry, own, moments)
    return chain, whole[:, 0, :, 0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 30), size=st.integers(1, 3))
def test_along_a_tree_as_in_the_whole_matrix(seed, k, size):
    rng = np.random.default_rng(seed)
    chain, whole = a_chain(rng, k, size)
    near = {"rtol": 1e-9, "atol": 1e-9 * np.abs(whole).max()}
    i, j = np.indices((k, k))
    np.testing.assert_allclose(chain.pairs(i.ravel(), j.ravel()), whole.ravel(), **near)
    np.testing.assert_allclose(chain.diagonal(), np.diag(whole), **near)
    some = rng.permutation(k)[: int(rng.integers(1, k + 1))]
    np.testing.assert_allclose(chain.matrix(some), whole[np.ix_(some, some)], **near)
    weights = rng.normal(size=k)
    np.testing.assert_allclose(
        chain.form(weights), weights @ whole @ weights, rtol=1e-8
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_sums_of_weighted_parts(seed):
    rng = np.random.default_rng(seed)
    k = 12
    chain, one = a_chain(rng, k)
    root = rng.normal(size=(k, k))
    other, weights = root @ root.T, rng.normal(size=k)
    spread = Covariance.along(chain).times(weights).plus(Covariance.along(Dense(other)))
    spread = Covariance(spread.parts, common=0.5)
    whole = np.outer(weights, weights) * one + other + 0.5
    near = {"rtol": 1e-8, "atol": 1e-9 * np.abs(whole).max()}
    np.testing.assert_allclose(np.asarray(spread), whole, **near)
    np.testing.assert_allclose(spread.diagonal(), np.diag(whole), **near)
    at = np.arange(k)
    np.testing.assert_allclose(spread.pairs(at, 3), whole[:, 3], **near)
    apart = np.diag(whole) + whole[3, 3] - 2 * whole[:, 3]
    np.testing.assert_allclose(spread.apart(at, 3), apart, **near)
    share = rng.normal(size=k)
    np.testing.assert_allclose(spread.form(share), share @ whole @ share, rtol=1e-8)
    with pytest.raises(ValueError, match="what all scores share has no weights"):
        spread.times(weights)


def test_draws_have_the_covariance(monkeypatch):
    rng = np.random.default_rng(3)
    chain, whole = a_chain(rng, 15)
    at = np.array([2, 14, 7, 5])
    spread = Covariance(Covariance.along(chain).times(np.full(15, 2.0)).parts, 0.3)
    expected = 4 * whole[np.ix_(at, at)] + 0.3
    for small in (1000, 0):  # of a factor of the matrix, and along the tree
        monkeypatch.setattr(along, "_SMALL", small)
        draws = np.concatenate(list(spread.draws(at, rng, n_draws=40_000)))
        assert draws.shape == (40_000, 4)
        found = np.cov(draws, rowvar=False)
        scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
        assert np.abs((found - expected) / scale).max() < 0.05


def test_one_size_is_asked_for():
    spread = Covariance.along(Dense(np.eye(3)))
    assert Covariance.of(spread, 3, name="cov") is spread
    assert (len(spread), repr(spread)) == (3, "Covariance of 3 scores")
    with pytest.raises(
        ValueError, match=r"cov must have shape \(2, 2\), got shape \(3, 3\)"
    ):
        Covariance.of(spread, 2, name="cov")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), flat=st.booleans())
def test_candidates_left_out_change_no_choice(seed, flat):
    rng = np.random.default_rng(seed)
    k = 80
    chain, _ = a_chain(rng, k, roots=0.0)
    spread = Covariance.along(chain)
    mean = rng.normal(0, 0.1 if flat else 3.0, k) * np.sqrt(np.median(chain.diagonal()))
    whole = best_pair(mean, spread, public=mean, cv=-mean, n_draws=500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picks, "_FEW", 0)
        pruned = best_pair(mean, spread, public=mean, cv=-mean, n_draws=500)
    for one, other in (
        (whole.best, pruned.best),
        (whole.runner_up, pruned.runner_up),
        *zip(whole.rules, pruned.rules, strict=True),
    ):
        assert one.positions == other.positions
        np.testing.assert_allclose(one.cost, other.cost, atol=1e-9)
        np.testing.assert_allclose(one.p_first_better, other.p_first_better)
        sd = np.sqrt(chain.diagonal().max())
        np.testing.assert_allclose(one.regret, other.regret, atol=0.3 * sd)
