"""What was each submission made from, where nobody said it?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.simulate import Scenario, simulate
from lbsense.stats import parent_odds
from lbsense.stats.steps import tree as module


def habits_of(public, other):
    """Return the best of both scores before each, and the one before."""
    n = len(public)
    total = np.asarray(public) + np.asarray(other)
    best = [-1] + [int(np.argmax(total[:k])) for k in range(1, n)]
    return np.array([best, np.arange(-1, n - 1)])


def naive(public, other, habits, shares):
    """Return the same by loops over everything, for at most 24 submissions."""
    n = len(public)
    apart = np.subtract(public, other)
    level = np.add(public, other) / 2
    far = [abs(apart[i] - apart[(i - n // 2) % n]) for i in range(n)]
    typical = float(np.median(far)) / 0.6745
    common = [*(0.97 * np.array(shares) / sum(shares)), 0.03]
    kinds, before = [], []
    for lapse in (0.02, 0.1, 0.3):
        for h in range(len(common)):
            kinds.append(
                np.array(
                    [(1 - lapse) * (g == h) + lapse * c for g, c in enumerate(common)]
                )
            )
            before.append(common[h] / 3)

    def normal(x, sd):
        return math.exp(-0.5 * (x / sd) ** 2) / sd

    def density(k, j, noise):
        size = noise * typical
        return np.array([
            sum(
                share * normal(apart[k] - apart[j], own * size)
                * normal(level[k] - level[j], size / 2 * math.hypot(own, width))
                for own, share in zip((0.2, 0.5, 1, 2), (0.15, 0.2, 0.45, 0.2),
                                      strict=True)
            )
            for width in (0, 0.5, 1.5, 5, 15)
        ])  # fmt: skip

    def every(noise):
        return [
            np.array([
                *(density(k, h[k], noise) for h in habits),
                sum(density(k, j, noise) for j in range(k)) / k,
            ])
            for k in range(1, n)
        ]  # fmt: skip

    fits, tables = [], []
    for noise in np.exp(np.linspace(-2.5, 0.4, 8)):
        widths, steps = np.full(5, 0.2), every(noise)
        for round_ in range(9):
            likes = np.array([[kind @ f @ widths for kind in kinds] for f in steps])
            fit = 0.3 * np.log(likes).sum(axis=0) + np.log(before)
            if round_ == 8:
                break
            weight = np.exp(fit - fit.max()) / np.exp(fit - fit.max()).sum()
            seen = np.ones(5)
            for f, like in zip(steps, likes, strict=True):
                for of_kind, kind, whole in zip(weight, kinds, like, strict=True):
                    seen += of_kind * (kind @ f) * widths / whole
            widths = seen / seen.sum()
        fits.append(fit)
        tables.append([f @ widths for f in steps])
    weight = np.exp(np.array(fits) - np.max(fits))
    weight /= weight.sum()
    weight[weight.sum(axis=1) < 0.05] = 0
    weight /= weight.sum()
    found = np.ones((len(habits) + 1, n))
    found[-1] = 0
    for k in range(1, n):
        odds = np.zeros(len(habits) + 1)
        for table, of_noise in zip(tables, weight, strict=True):
            f = table[k - 1]
            for kind, share in zip(kinds, of_noise, strict=True):
                whole = kind @ f
                for a, h in enumerate(habits):
                    twins = sum(kind[b] * f[b] for b, g in enumerate(habits)
                                if g[k] == h[k])  # fmt: skip
                    odds[a] += share * (twins + kind[-1] * f[a] / k) / whole
                odds[-1] += share * kind[-1] * f[-1] / whole
        found[:, k] = np.minimum(odds, 1)
    return found


def test_odds_equal_those_of_loops():
    rng = np.random.default_rng(3)
    public, other = rng.normal(0, [[0.02], [0.01]], (2, 9)).cumsum(axis=1)
    habits = habits_of(public, other)
    found = parent_odds([public, other], habits, [3, 1], np.ones(9, dtype=bool))
    expected = naive(public, other, habits, [3, 1])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_second_submission_was_made_from_the_first():
    # One earlier submission: each habit, and any, name it, whatever the scores are.
    scores = [[0.1, 0.3], [0.2, 0.3]]
    found = parent_odds(scores, np.array([[-1, 0]]), [1], np.ones(2, dtype=bool))
    np.testing.assert_allclose(found[0], 1.0, rtol=1e-12)
    # The one entrant in 33 without a habit, and lapses to it: as common as assumed.
    lapses = np.array([0.02, 0.1, 0.3])
    np.testing.assert_allclose(
        found[1], [0, 0.03 * (1 - lapses + 0.03 * lapses).mean()
                   + 0.97 * (0.03 * lapses).mean()], rtol=1e-12,
    )  # fmt: skip


def test_what_was_not_asked_or_has_no_scores_is_certain():
    public = np.array([0.1, 0.2, np.nan, 0.4, 0.3])
    habits = habits_of(np.nan_to_num(public), public * 0)
    made = np.array([True, True, True, False, True])
    found = parent_odds([public, public * 0.9], habits, [1, 1], made)
    np.testing.assert_array_equal(found[:-1, [0, 2, 3]], 1.0)
    np.testing.assert_array_equal(found[-1, [0, 2, 3]], 0.0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    unit=st.sampled_from([1e-4, 1.0, 100.0]),
    shift=st.floats(-1, 1),
)
def test_odds_are_chances_and_follow_unit_and_shift(seed, unit, shift):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 60))
    scores = rng.normal(0, 1, (2, n))
    habits = habits_of(*scores)
    made = np.ones(n, dtype=bool)
    found = parent_odds(scores, habits, [2, 1], made)
    assert ((found >= 0) & (found <= 1)).all()
    # What two habits name excludes each other. Of many earlier ones only some are asked,
    # so that what any of them has is an estimate.
    other = habits[0] != habits[1]
    named = found[:-1, other].sum(axis=0)
    assert (named <= 1.02).all()
    moved = parent_odds(unit * (scores + shift), habits, [2, 1], made)
    np.testing.assert_allclose(moved, found, atol=1e-6)


@pytest.mark.parametrize("scores", [np.zeros((2, 12)), np.full((2, 12), np.nan)])
def test_scores_that_tell_nothing_leave_every_habit(scores):
    habits = habits_of(*np.nan_to_num(scores))
    found = parent_odds(scores, habits, [1, 1], np.ones(12, dtype=bool))
    np.testing.assert_array_equal(found[:-1], 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "least", "most"), [("previous", 0.85, 1.0), ("random", 0.0, 0.25)]
)
def test_odds_tell_habits_from_none(policy, least, most):
    odds, right = [], []
    for seed in range(20):
        scenario = Scenario(n_submissions=40, policy=policy, parents="withheld")
        made = simulate(scenario, rng=seed)
        public, cv = made.history.scores("public"), made.history.scores("cv")
        habits = habits_of(public, cv)
        asked = np.ones(len(public), dtype=bool)
        found = parent_odds([public, cv], habits, [1, 1], asked)[1]
        odds.append(found[2:].mean())
        right.append((habits[1] == made.truth.parent)[2:].mean())
    assert least <= np.mean(odds) <= most
    assert abs(np.mean(odds) - np.mean(right)) < 0.12


def test_as_many_of_the_latest_as_of_all_before_stand_for_a_long_history():
    # Far more than are asked: the sample holds no submission twice and none that is
    # not earlier.
    n = 200
    scores = np.arange(2.0 * n).reshape(2, n) ** 1.5
    known = np.ones(n, dtype=bool)
    habits = habits_of(*scores)
    steps = module._Steps(scores, known, np.arange(n), habits)
    seen = []

    def density(_steps, made, _noise):
        seen.append(made)
        return np.ones((*made.shape, 5))

    steps._density = density
    steps.density(np.arange(1, n), 1.0)
    asked = seen[0]
    for k, column in zip(range(1, n), asked.T, strict=True):
        real = column[column >= 0]
        assert len(set(real.tolist())) == len(real) == min(k, 24)
        assert real.max() < k
