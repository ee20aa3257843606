"""The pair: Clark's formula against published values and draws, rules, edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lbsense.stats import rule_outcomes
from lbsense.stats.history.picks import best_pair, expected_better

NAN = float("nan")


def normal_case(seed, k=6):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(k, k))
    return rng.normal(0, 1.0, k), root @ root.T / k + 0.01 * np.eye(k)


def test_better_of_two_standard_normals_as_published():
    # 1 / sqrt(pi): Harter (1961), n = 2.
    expected, p_better = expected_better([0, 0], np.eye(2))
    np.testing.assert_allclose(expected[0, 1], 0.5641895835, rtol=1e-9)
    np.testing.assert_allclose(p_better[0, 1], 0.5)
    np.testing.assert_allclose(np.diag(expected), 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_draws(seed):
    mean, cov = normal_case(seed)
    expected, p_better = expected_better(mean, cov)
    draws = np.random.default_rng(9).multivariate_normal(mean, cov, 200_000)
    for i, j in itertools.combinations(range(len(mean)), 2):
        better = np.maximum(draws[:, i], draws[:, j])
        error = 5 * better.std() / np.sqrt(len(draws))
        np.testing.assert_allclose(expected[i, j], better.mean(), atol=error)
        wins = (draws[:, i] > draws[:, j]).mean()
        np.testing.assert_allclose(p_better[i, j], wins, atol=5 * 0.5 / 447)


def test_surely_equal_scores_tie_and_surely_better_ones_win():
    ones = np.ones((2, 2))
    expected, p_better = expected_better([0.8, 0.8], ones)
    assert (expected[0, 1], p_better[0, 1]) == (0.8, 0.5)
    expected, p_better = expected_better([0.8, 0.9], ones)
    assert (expected[0, 1], p_better[0, 1]) == (0.9, 0.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_pair_is_the_best_of_all_pairs(seed):
    mean, cov = normal_case(seed)
    expected, _ = expected_better(mean, cov)
    np.testing.assert_allclose(expected, expected.T, rtol=1e-9, atol=1e-12)
    picks = best_pair(mean, cov, public=mean, cv=-mean, n_draws=50)
    pairs = list(itertools.combinations(range(len(mean)), 2))
    top = max(pairs, key=lambda pair: expected[pair])
    assert {picks.best.first, picks.best.second} == set(top)
    assert picks.best.first == max(top, key=lambda index: mean[index])
    np.testing.assert_allclose(picks.best.cost, 0, atol=1e-12)
    for rule in (*picks.rules, picks.runner_up):
        assert rule.cost >= -1e-12
        assert rule.regret >= 0
        np.testing.assert_allclose(
            rule.expected_score, picks.best.expected_score - rule.cost
        )
    assert picks.best.second not in (picks.runner_up.first, picks.runner_up.second)
    without = [pair for pair in pairs if picks.best.second not in pair]
    np.testing.assert_allclose(
        picks.runner_up.expected_score, max(expected[pair] for pair in without)
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.integers(-3, 3), unit=st.integers(1, 9))
def test_follows_shift_and_unit(seed, shift, unit):
    mean, cov = normal_case(seed)
    plain = best_pair(mean, cov, public=mean, n_draws=200).best
    moved = best_pair(unit * mean + shift, unit**2 * cov, public=mean, n_draws=200).best
    assert {moved.first, moved.second} == {plain.first, plain.second}
    np.testing.assert_allclose(moved.regret, unit * plain.regret, atol=1e-8)
    np.testing.assert_allclose(moved.p_first_better, plain.p_first_better)


def test_rules_select_what_they_say():
    public = [0.7, 0.9, 0.9, 0.8, NAN]
    cv = [0.6, 0.9, 0.5, 0.8, 0.7]
    picks = best_pair(np.zeros(5), np.eye(5), public=public, cv=cv)
    assert {rule.rule: (rule.first, rule.second) for rule in picks.rules} == {
        "two best public": (1, 2),
        "best public and best CV": (1, 3),  # the best CV score is the best public one
        "two best CV": (1, 3),
        "last two": (4, 3),
    }


def test_rules_without_their_scores_are_left_out():
    picks = best_pair(np.zeros(2), np.eye(2), public=[NAN, 0.7], cv=[0.6, NAN])
    assert [rule.rule for rule in picks.rules] == [
        "best public and best CV",
        "last two",
    ]


def test_regret_and_chance_to_hold_the_best_of_three_alike():
    # E max of 3 and of 2 standard normals: .84628 and .56419 (Harter 1961).
    picks = best_pair(np.zeros(3), np.eye(3), public=[3, 2, 1], n_draws=100_000)
    np.testing.assert_allclose(picks.best.regret, 0.84628 - 0.56419, atol=0.01)
    np.testing.assert_allclose(picks.best.p_holds_best, 2 / 3, atol=0.01)


def test_unknown_candidates_are_left_out():
    cov = np.eye(4)
    cov[1] = cov[:, 1] = np.nan
    picks = best_pair([0.0, NAN, 1.0, 2.0], cov, public=[4, 3, 2, 1])
    assert (picks.best.first, picks.best.second) == (3, 2)
    assert picks.n_obs == 3
    assert (picks.rules[0].first, picks.rules[0].second) == (0, 2)


def test_one_and_two_candidates():
    alone = best_pair([0.5], [[1.0]], public=[0.5])
    assert (alone.best.first, alone.best.second) == (0, 0)
    assert alone.best.regret == 0
    assert alone.rules == ()
    both = best_pair([0.5, 0.6], np.eye(2), public=[0.5, 0.6])
    assert (both.best.first, both.best.second, both.runner_up) == (1, 0, None)


@pytest.mark.parametrize(
    ("mean", "cov", "message"),
    [
        ([NAN], [[1.0]], "mean must hold at least one number"),
        ([0.5], np.eye(2), r"cov must have shape \(1, 1\), got shape \(2, 2\)"),
        ([0.5], [[-1.0]], "cov must be symmetric with variances of at least 0"),
        ([0.5, 0.6], np.eye(2), "Arrays must have one length"),
    ],
)
def test_says_what_is_wrong_with_an_argument(mean, cov, message):
    with pytest.raises(ValueError, match=message):
        best_pair(mean, cov, public=[0.5])


def test_better_score_needs_one_covariance_per_mean():
    with pytest.raises(ValueError, match="3 means need a covariance of that size"):
        expected_better([1, 2, 3], np.eye(2))


def expected_best(mean, cov, chosen, *, n=200_000):
    draws = np.random.default_rng(5).multivariate_normal(mean, cov, n)
    return draws[:, list(chosen)].max(axis=1).mean()


def test_the_choice_of_several_by_hand():
    # Two twins and two that are independent of all: the twin adds nothing.
    mean = [1.0, 0.99, 0.5, 0.2]
    cov = np.diag([0.01, 0.01, 1.0, 1.0])
    cov[0, 1] = cov[1, 0] = 0.00999
    for n, chosen in ((1, (0,)), (2, (0, 2)), (3, (0, 2, 3)), (4, (0, 2, 3, 1))):
        picks = best_pair(mean, cov, public=mean, n_selections=n, n_draws=20_000)
        assert picks.chosen == chosen
        assert (picks.best.first, picks.best.second) == (0, 2)
        np.testing.assert_allclose(sum(picks.p_best), 1)


@pytest.mark.parametrize("seed", range(2))
def test_the_greedy_choice_is_close_to_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1, 7)
    root = rng.normal(0, 1, (7, 7))
    cov = root @ root.T / 7
    picks = best_pair(mean, cov, public=mean, n_selections=3)
    every = itertools.combinations(range(7), 3)
    best = max(expected_best(mean, cov, chosen) for chosen in every)
    assert expected_best(mean, cov, picks.chosen) > best - 0.03


@pytest.mark.parametrize("n", [1, 2, 4, 9])
def test_no_more_are_chosen_than_there_are(n):
    picks = best_pair(
        [1.0, np.nan, 0.5, 0.4], np.eye(4), public=[1, 2, 3, 4], n_selections=n
    )
    assert len(set(picks.chosen)) == len(picks.p_best) == min(n, 3)
    assert 1 not in picks.chosen


def test_accounts_of_public_and_cv_alone_are_averaged_with_the_model():
    # A naive second way: every pair, account by account.
    rng = np.random.default_rng(7)
    mean, public, cv = rng.normal(size=(3, 9))
    cv[3] = NAN
    cov = np.cov(rng.normal(size=(9, 40)))
    picks = best_pair(mean, cov, public=public, cv=cv, alone=0.3, n_draws=50)
    model = expected_better(mean, cov)[0]
    told = np.where(np.isnan(cv), np.nanmin(cv), cv)
    worth = {
        (i, j): (
            model[i, j] + 0.3 * max(public[i], public[j]) + 0.3 * max(told[i], told[j])
        )
        / 1.6
        for i in range(9)
        for j in range(i)
    }
    best = max(worth, key=worth.get)
    assert {picks.best.first, picks.best.second} == set(best)
    assert picks.best.cost == pytest.approx(0)
    for pair in picks.rules:
        place = max(pair.positions), min(pair.positions)
        assert pair.cost == pytest.approx(worth[best] - worth[place])


def test_a_model_that_is_sure_of_a_wrong_pair_is_hedged():
    # It holds 0 and 1 for best; the public score says 2 and CV says 3, by far.
    mean = np.array([0.011, 0.010, 0.0, 0.0])
    public, cv = np.array([0, 0, 0.3, 0.0]), np.array([0, 0, 0.0, 0.3])
    cov = 1e-8 * np.eye(4)
    sure = best_pair(mean, cov, public=public, cv=cv).best
    hedged = best_pair(mean, cov, public=public, cv=cv, alone=0.1).best
    assert (sure.first, sure.second) == (0, 1)
    assert {hedged.first, hedged.second} == {2, 3}


def test_accounts_that_agree_change_nothing():
    mean = np.array([0.3, 0.2, 0.1, 0.0])
    plain, averaged = (
        best_pair(mean, 0.01 * np.eye(4), public=mean, cv=mean + 5, alone=alone)
        for alone in (0.0, 0.1)
    )
    assert averaged.best == plain.best
    assert averaged.chosen == plain.chosen


def test_one_and_three_are_chosen_by_all_accounts_too():
    mean = np.array([0.01, 0.009, 0.0, -0.01])
    public = np.array([0.0, 0.0, 0.5, 0.0])
    given = {"public": public, "alone": 0.1, "n_draws": 500}
    cov = 1e-8 * np.eye(4)
    assert best_pair(mean, cov, n_selections=1, **given).chosen == (2,)
    assert 2 in best_pair(mean, cov, n_selections=3, **given).chosen


def test_weights_below_nothing_are_refused():
    with pytest.raises(ValueError, match="alone must be at least 0, got -1"):
        best_pair([0.0, 1.0], np.eye(2), public=[0, 1], alone=-1)


def test_beside_one_far_ahead_the_next_likely_ones_are_taken():
    mean = np.append(np.linspace(0.1, 0.5, 12), 20.0)
    cov = np.diag(np.geomspace(4e-3, 1e-3, 13))
    found = best_pair(mean, cov, public=mean, alone=0.1, n_selections=4)
    assert found.chosen == (12, 11, 10, 9)


def test_rules_worked_by_hand():
    noise = np.array([[2.0, 1, 0], [1, 2, 0], [0, 0, 2]]) * 1e-4
    outcomes = rule_outcomes(
        [0.70, 0.74, 0.73],
        public=[0.80, 0.70, 0.75],
        cv=[0.60, 0.61, 0.62],
        chosen={"selected": [0], "unknown": []},
        noise_cov=noise,
    )
    told = {item.rule: (item.positions, round(item.regret, 4)) for item in outcomes}
    assert told == {
        "selected": ((0,), 0.04),
        "best public": ((0,), 0.04),
        "best CV": ((2,), 0.01),
        "two best public": ((0, 2), 0.01),
        "best public and best CV": ((0, 2), 0.01),
        "two best CV": ((2, 1), 0.0),
        "last two": ((2, 1), 0.0),
    }
    by_rule = {item.rule: item for item in outcomes}
    assert_allclose(by_rule["best public"].regret_se, np.sqrt(2e-4))
    assert by_rule["two best CV"].regret_se == 0
    assert by_rule["best CV"].score == 0.73


def test_submissions_without_private_score_are_no_candidates():
    outcomes = rule_outcomes(
        [np.nan, 0.7, 0.6], public=[0.9, 0.8, 0.7], cv=[np.nan] * 3,
        chosen={"selected": [0, 2]},
    )  # fmt: skip
    told = {item.rule: item.positions for item in outcomes}
    assert told["selected"] == (2,)
    assert told["best public"] == (1,)
    assert "best CV" not in told
    assert np.isnan(outcomes[0].regret_se)


def test_no_private_score_is_refused():
    with pytest.raises(ValueError, match="at least one number"):
        rule_outcomes([np.nan], public=[0.5], cv=[0.5], chosen={})
