"""The retrospective of whole histories, real and simulated."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lbsense import analyze, read_kaggle, read_submissions
from lbsense.analysis import OWN_PICKS, SELECTED
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate

DATA = Path(__file__).parents[2] / "data"
PARTS = ("common_luck", "shift", "selection", "own_luck")


@pytest.fixture(scope="module")
def chaser():
    history = read_kaggle(
        DATA / "leaderboard_chaser/submissions.csv", metric="roc_auc",
        test_size=7500, train_size=8000, public_fraction=0.2,
    )  # fmt: skip
    return analyze(history)


def history_of(public, private, cv=None, **competition):
    cv = cv if cv is not None else [None] * len(public)
    return History(
        competition=Competition(**{"greater_is_better": True, **competition}),
        submissions=tuple(
            Submission(
                submission_id=f"s{i}", public_score=p, private_score=q, cv_score=c
            )
            for i, (p, q, c) in enumerate(zip(public, private, cv, strict=True))
        ),
    )


def test_a_climb_on_noise_is_told_as_selection(chaser):
    found = chaser.retrospective
    split = found.best_public
    item = chaser.history[split.position]
    assert_allclose(split.gap, item.public_score - item.private_score)
    assert_allclose(sum(getattr(split, part) for part in PARTS), split.gap)
    # The truth of these data: nothing was gained, .049 of climb, 1,500 public rows.
    assert split.selection > 0.03
    assert split.foretold > 0.03
    assert split.shift_low < 0 < split.shift_high
    assert found.coverage.n_in_95 == found.coverage.n_obs == 72
    own, default = (
        found.outcome_of(OWN_PICKS), found.outcome_of("two best public"),
    )  # fmt: skip
    # One of the two is kept for the public score alone, which is all luck here.
    assert own.regret < default.regret / 1.8
    assert any("of luck (95%)" in text for text in found.advice)


def test_private_scores_change_nothing_that_is_said_without_them(chaser):
    hidden = replace(
        chaser.history,
        submissions=tuple(replace(item, private_score=None) for item in chaser.history),
    )
    before = analyze(hidden)
    assert not before.retrospective
    assert "at least two submissions" in before.notes["retrospective"]
    assert [step.verdict for step in before.steps] == [
        step.verdict for step in chaser.steps
    ]
    assert_allclose(before.outlook.mean, chaser.outlook.mean)
    assert before.picks.to_dict() == chaser.picks.to_dict()


def test_confirmed_gains_of_an_honest_climber():
    history = read_kaggle(
        DATA / "honest_climber/submissions.csv", metric="roc_auc",
        test_size=20_000, train_size=20_000, public_fraction=0.4,
    )  # fmt: skip
    analysis = analyze(history)
    told = {"clear": [], "likely": []}
    outcomes = analysis.retrospective.outcomes
    for step, outcome in zip(analysis.steps, outcomes, strict=True):
        if step.verdict == "progress":
            told[step.strength].append(outcome)
    assert len(told["clear"]) >= 5
    assert set(told["clear"]) == {"confirmed"}
    assert told["likely"].count("contradicted") <= 1


def test_selected_submissions_are_told_apart():
    history = history_of([0.70, 0.71, 0.72], [0.70, 0.72, 0.69], [0.69, 0.70, 0.70])
    chosen = replace(
        history,
        submissions=tuple(
            replace(item, selected=item.submission_id != "s1") for item in history
        ),
    )
    found = analyze(chosen).retrospective
    outcome = found.outcome_of(SELECTED)
    assert outcome.positions == (0, 2)
    assert_allclose(outcome.regret, 0.02)
    assert any(
        text.startswith("What was selected scored 0.7 ") for text in found.lessons
    )


def test_lower_is_better_mirrors():
    rng = np.random.default_rng(1)
    public, private, cv = 0.7 + 0.01 * rng.normal(size=(3, 12))
    sizes = {"metric": None, "test_size": 4000, "public_fraction": 0.5}
    up = analyze(history_of(public, private, cv, **sizes)).retrospective
    down = analyze(
        history_of(-public, -private, -cv, **sizes, greater_is_better=False)
    ).retrospective
    assert_allclose(up.best_public.selection, down.best_public.selection)
    assert [item.positions for item in up.rules] == [
        item.positions for item in down.rules
    ]
    assert up.outcomes == down.outcomes


def test_without_cv_private_scores_are_the_second_measurement():
    rng = np.random.default_rng(2)
    true = 0.7 + np.cumsum(np.where(np.arange(30) % 5 == 0, 0.02, 0.0))
    public, private = true + 0.002 * rng.normal(size=(2, 30))
    found = analyze(history_of(public, private)).retrospective
    told = [found.outcomes[i] for i in range(5, 30, 5)]
    assert told == ["gain after all"] * 5
    wrong = [o for i, o in enumerate(found.outcomes) if i % 5 and "gain" in o]
    assert len(wrong) <= 2


def test_one_private_score_is_no_retrospective():
    analysis = analyze(history_of([0.7, 0.8], [0.7, None]))
    assert not analysis.retrospective
    assert "now 1" in analysis.notes["retrospective"]


def test_unknown_direction_is_said():
    history = history_of([0.7, 0.8], [0.7, 0.8], greater_is_better=None)
    analysis = analyze(history)
    assert not analysis.retrospective
    assert "which score is better" in analysis.notes["retrospective"]


@pytest.mark.parametrize(
    ("public", "private"),
    [
        ([0.7, 0.7, 0.7], [0.6, 0.6, 0.6]),
        ([None, None, 0.7], [0.6, 0.7, None]),
        ([0.7] * 8, [0.7] * 8),
        ([0.7, 0.71, -1e6], [0.7, 0.72, -1e6]),
        ([1.0, 1.0], [1.0, 1.0]),
    ],
)
def test_degenerate_histories_are_survived(public, private):
    for cv in (None, [0.5 + 0.01 * i for i in range(len(public))]):
        analysis = analyze(history_of(public, private, cv))
        found = analysis.retrospective
        assert not found or len(found.outcomes) == len(public)


def test_nested_sizes():
    made = simulate(Scenario(n_submissions=20, nested=True, policy="both"), rng=4)
    found = analyze(made.history).retrospective
    split = found.best_public
    assert found.sizes_known
    assert_allclose(sum(getattr(split, part) for part in PARTS), split.gap)


def test_public_rows_that_are_all_rows_are_survived():
    history = history_of(
        [0.70, 0.72, 0.71], [0.70, 0.72, 0.71], [0.69, 0.70, 0.70],
        metric="roc_auc", test_size=1000, public_fraction=1.0,
    )  # fmt: skip
    assert not analyze(history).retrospective.sizes_known


def test_real_histories(real_data):
    history = read_submissions(
        real_data / "tweet_sentiment_jaccard.csv", metric="jaccard"
    )
    found = analyze(history).retrospective
    assert found.n_obs > 200
    assert found.coverage.n_in_95 == found.coverage.n_obs
    assert not math.isnan(found.transfer.slope)
    aptos = read_submissions(real_data / "aptos2019_qwk.csv", metric="quadratic_kappa")
    lessons = analyze(aptos).retrospective.lessons
    assert any("sizes of the test sets were not given" in text for text in lessons)
