"""Facts about a history as a whole: picks always, differences, jumps, few and alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lbsense import analyze, words
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate

SIZES = {"metric": "roc_auc", "test_size": 20_000, "public_fraction": 0.3}


def history(public, cv=None, private=None, descriptions=None, **competition):
    n = len(public)
    rows = zip(
        public, cv or [None] * n, private or [None] * n, descriptions or [None] * n,
        strict=True,
    )  # fmt: skip
    return History(
        competition=Competition(**({"greater_is_better": True} | competition)),
        submissions=tuple(
            Submission(
                submission_id=f"s{i}",
                public_score=p,
                cv_score=c,
                private_score=q,
                description=d,
            )
            for i, (p, c, q, d) in enumerate(rows)
        ),
    )


@pytest.fixture(scope="module")
def over():
    made = simulate(Scenario(n_submissions=40, step_size=0.1, policy="both"), rng=1)
    return analyze(made.history)


# Picks.


@pytest.mark.parametrize(
    ("observed", "pair", "basis"),
    [
        (history([0.7, 0.9, 0.8]), {1, 2}, "public"),
        (history([0.7, 0.9, 0.8], greater_is_better=False), {0, 2}, "public"),
        (history([0.7, 0.9, 0.8], [0.95, 0.8, 0.7]), {0, 1}, "public and cv"),
        (history([0.7, None, None]), {0}, "public"),
        (history([0.7, 0.8], greater_is_better=None), {0, 1}, "public"),
        (history([0.9, 0.9, 0.8], descriptions=["a"] * 2 + ["b"]), None, "public"),
    ],
)
def test_there_is_a_pair_where_there_is_a_score(observed, pair, basis):
    picks = analyze(observed).picks
    assert picks
    assert picks.basis == basis
    assert pair is None or set(picks.best.positions) == pair
    assert math.isnan(picks.best.p_holds_best)


def test_levels_are_what_picks_rest_on_where_they_are_known(over):
    assert over.picks.basis == "levels"
    assert 0 < over.picks.best.p_holds_best <= 1


def test_without_a_score_or_a_direction_it_is_the_latest_two():
    for scores, directed in (([None] * 3, True), ([0.7, 0.9, 0.8], None)):
        analysis = analyze(history(scores, greater_is_better=directed))
        assert analysis.picks.basis == "latest"
        assert analysis.picks.best.positions == (2, 1)
    told = words.pick_basis(analysis)
    assert "It is the same if higher is better, #1 s0 and #3 s2 if lower." in told
    assert not analyze(history([])).picks


def test_without_a_public_score_it_is_the_best_of_cv():
    analysis = analyze(history([None] * 3, [0.7, 0.9, 0.8]))
    assert analysis.picks.best.positions == (1, 2)
    assert analysis.picks.basis == "cv"
    assert "since none has a public one" in words.pick_basis(analysis)


# Differences.


def test_differences_are_narrower_than_scores_and_hold_the_truth(over):
    bands, outlook = over.outlook.to_best, over.outlook
    known = np.isfinite(bands.mean)
    known[bands.against] = False
    width = (bands.ci95_high - bands.ci95_low)[known]
    assert np.median(width) < 0.7 * np.median(
        (outlook.ci95_high - outlook.ci95_low)[known]
    )
    assert bands.against == int(np.nanargmax(outlook.mean))
    assert (bands.mean[known] <= 0).all()
    private = over.history.scores("private")
    apart = private - private[bands.against]
    held = (apart >= bands.ci95_low) & (apart <= bands.ci95_high)
    assert held[known].mean() > 0.8


def test_differences_are_taken_to_what_is_selected():
    made = simulate(Scenario(n_submissions=30, step_size=0.1, policy="both"), rng=2)
    analysis = analyze(made.history)
    chosen = [i for i, item in enumerate(made.history) if item.selected]
    bands = analysis.outlook.to_selected
    assert (bands is None) == (not chosen)
    assert bands is None or bands.against in chosen
    assert analysis.outlook.to_pick.against == analysis.picks.best.first


# Jumps and branches.


def staircase(rng, *, lower=False):
    """Return a history of two large steps among twenty that change nothing."""
    truth = np.repeat([0.70, 0.75, 0.78], [8, 8, 8])
    noise = rng.normal(0, 0.001, (2, 24))
    sign = -1 if lower else 1
    return history(
        (sign * (truth + noise[0])).tolist(),
        (sign * (truth + noise[1])).tolist(),
        greater_is_better=not lower,
    )


@pytest.mark.parametrize("lower", [False, True])
def test_the_jumps_of_a_staircase_are_its_stairs(lower):
    analysis = analyze(staircase(np.random.default_rng(0), lower=lower))
    assert analysis.climb.jumps.tolist() == [8, 16]
    assert abs(analysis.climb.climb - 0.08) < 2.5 * analysis.climb.climb_se
    content = analysis.to_dict()["climb"]
    assert [item["submission_id"] for item in content["jumps"]] == ["s8", "s16"]


def test_pure_noise_has_no_climb():
    rng = np.random.default_rng(1)
    public, cv = 0.7 + rng.normal(0, 0.01, (2, 30))
    assert not analyze(history(public.tolist(), cv.tolist())).climb


def test_private_scores_alone_name_the_jumps():
    rng = np.random.default_rng(2)
    truth = np.repeat([0.70, 0.75, 0.78], [8, 8, 8])
    public, private = truth + rng.normal(0, 0.001, (2, 24))
    analysis = analyze(history(public.tolist(), private=private.tolist()))
    assert analysis.climb.jumps.tolist() == [8, 16]


def test_single_models_far_below_are_a_branch_and_no_setback():
    rng = np.random.default_rng(3)
    truth = np.linspace(0.70, 0.76, 24)
    names = [f"exp{i}" for i in range(24)]
    for index in (10, 14):
        truth[index] = 0.60
    truth[18] -= 0.02
    names[18] = "ablation of te"
    noise = rng.normal(0, 0.001, (2, 24))
    public, cv = truth + noise[0], truth + noise[1]
    analysis = analyze(history(public.tolist(), cv.tolist(), descriptions=names))
    aside = [index for index, step in enumerate(analysis.steps) if step.aside]
    assert aside == [10, 14, 18]
    assert all(analysis.steps[index].verdict == "setback" for index in aside)
    assert "3 side branches that nothing was built on" in words.tally(analysis)


def test_the_latest_submission_is_no_branch_yet():
    rng = np.random.default_rng(4)
    truth = np.append(np.linspace(0.70, 0.76, 20), 0.60)
    public, cv = truth + rng.normal(0, 0.001, (2, 21))
    last = analyze(history(public.tolist(), cv.tolist())).steps[-1]
    assert (last.verdict, last.aside) == ("setback", False)


# Little.


def test_three_rows_tell_what_to_expect_of_the_next_one():
    scores = [0.70, 0.72, 0.71], [0.71, 0.73, 0.73], [0.69, 0.70, 0.70]
    analysis = analyze(history(*scores))
    found = {(gap.kind, gap.minus): gap.found for gap in analysis.gaps}
    assert set(found) == {("private", "public"), ("public", "cv"), ("private", "cv")}
    np.testing.assert_allclose(found["private", "public"].mean, -0.04 / 3)
    assert (
        found["private", "public"].ci_low < -0.02 < found["private", "public"].ci_high
    )


def test_gaps_between_scales_are_not_told():
    observed = history([0.70, 0.72, 0.71], [70.0, 72.0, 71.0])
    assert analyze(observed).gaps == ()
    other = history([0.70, 0.72], [0.3, 0.2], cv_greater_is_better=False)
    assert analyze(other).gaps == ()


def test_public_scores_alone_say_how_many_rows_would_show_a_step():
    bare = analyze(history([0.70, 0.72, 0.721], metric="roc_auc"))
    assert [step.rows_needed is None for step in bare.steps] == [True, False, False]
    large, small = bare.steps[1], bare.steps[2]
    np.testing.assert_allclose(small.rows_needed / large.rows_needed, 400, rtol=0.02)
    for step in (large, small):
        assert step.rows_needed_low <= step.rows_needed <= step.rows_needed_high
    assert [count.n_rows for count in bare.alone.counts] == [1_000, 10_000, 100_000]
    for count in bare.alone.counts:
        assert count.least <= count.typical <= count.most <= bare.alone.n_steps
    sized = analyze(history([0.70, 0.72, 0.721], **SIZES))
    assert [count.n_rows for count in sized.alone.counts] == [6_000]


def test_with_cv_nobody_asks_how_many_rows_would_do(over):
    assert not over.alone
    assert all(step.rows_needed is None for step in over.steps)


def test_a_noise_that_is_stated_gives_verdicts_and_says_so():
    observed = history([0.70, 0.701, 0.75])
    assert [step.verdict for step in analyze(observed).steps[1:]] == ["unknown"] * 2
    stated = analyze(observed, step_noise=0.002)
    assert [step.verdict for step in stated.steps] == ["baseline", "guess", "progress"]
    assert stated.caveat("step_noise")
    assert stated.level == "A"
    unsure = analyze(observed, step_noise=0.05)
    assert [step.verdict for step in unsure.steps[1:]] == ["guess", "guess"]
    with pytest.raises(ValueError, match="step_noise must be"):
        analyze(observed, step_noise=0.0)


# After the end.


def test_guides_are_asked_on_the_same_rows(over):
    guides = over.retrospective.guides
    assert guides.n_obs == 40
    half = history(
        [0.70 + 0.01 * i for i in range(10)],
        [None] * 6 + [0.7] * 4,
        [0.70 + 0.01 * i for i in range(10)],
    )
    assert analyze(half).retrospective.guides is None


def test_a_random_split_is_hardly_ever_called_a_shift():
    claimed = 0
    for seed in range(12):
        made = simulate(Scenario(n_submissions=25, policy="both"), rng=seed)
        split = analyze(made.history).retrospective.best_public
        claimed += split.shift_low * split.shift_high > 0
    assert claimed <= 1


def test_the_luck_of_the_climb_is_a_share(over):
    luck = over.luck
    assert 0 <= luck.climb_share <= 1
    expected = 1 - luck.true_climb / luck.public_climb
    np.testing.assert_allclose(luck.climb_share, np.clip(expected, 0, 1))
