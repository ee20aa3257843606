"""Scores of any scale and kind in, one answer out: what must not change a verdict."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.analysis import analyze
from lbsense.checks import run_checks
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate

SIDES = ("hindsight_p_gain", "hindsight_p_null", "hindsight_p_loss")
CLAIMS = {"progress", "setback", "chasing"}


def history(public, cv=None, private=None, **options):
    blank = [None] * len(public)
    columns = (
        public,
        blank if cv is None else cv,
        blank if private is None else private,
    )
    return History(
        competition=Competition(**{"greater_is_better": True} | options),
        submissions=tuple(
            Submission(
                submission_id=f"s{index}",
                public_score=None if p is None else float(p),
                cv_score=None if c is None else float(c),
                private_score=None if q is None else float(q),
            )
            for index, (p, c, q) in enumerate(zip(*columns, strict=True))
        ),
    )


def climb(seed, n=30, *, noise=0.003, gain=0.02):
    """Return public, CV and private scores of a climb that private scores confirm."""
    rng = np.random.default_rng(seed)
    truth = 0.7 + gain * np.cumsum(rng.random(n) < 0.2)
    columns = truth + noise * np.array([[1.0], [0.8], [0.6]]) * rng.normal(0, 1, (3, n))
    return truth, *columns.round(5)


def words(analysis):
    return [step.verdict for step in analysis.steps]


def made_of(seed, **options):
    options = {"n_submissions": 25, "null_fraction": 0.5, "step_size": 0.1} | options
    return simulate(
        Scenario(policy=("public", "cv", "both")[seed % 3], **options), rng=seed
    )


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000))
def test_verdicts_are_those_of_any_rising_line_of_cv(seed):
    made = made_of(seed).before_close()
    moved = replace(
        made,
        submissions=tuple(
            item
            if item.cv_score is None
            else replace(item, cv_score=0.7 + 3.1 * item.cv_score)
            for item in made
        ),
    )
    plain, scaled = analyze(made), analyze(moved)
    assert words(scaled) == words(plain)
    assert [step.reference_id for step in scaled.steps] == [
        step.reference_id for step in plain.steps
    ]
    # CV that reads as the public score does tells what a gain of that is worth, too.
    assert scaled.posterior.scale == 1
    for name in ("p_gain", "gain", "cv_gain", "gain_low", "gain_high"):
        worth = plain.posterior.scale if name.startswith("gain") else 1.0
        np.testing.assert_allclose(
            [worth * (getattr(step, name) or np.nan) for step in scaled.steps],
            [getattr(step, name) or np.nan for step in plain.steps],
            rtol=1e-5,
            atol=1e-8,
        )


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_hindsight_answers_every_step_of_public_and_private_scores(seed, sized):
    made = made_of(seed).history
    bare = replace(
        made,
        competition=made.competition
        if sized
        else Competition(greater_is_better=made.competition.greater_is_better),
        submissions=tuple(replace(item, cv_score=None) for item in made),
    )
    analysis = analyze(bare)
    scored = [step for step in analysis.steps if step.public_gain is not None]
    assert len(scored) >= 20
    for step in scored:
        if step.verdict == "repeat":
            continue
        sides = [getattr(step, name) for name in SIDES]
        assert sum(sides) == pytest.approx(1, abs=1e-6)
        assert step.hindsight_low <= step.hindsight_gain <= step.hindsight_high
        assert step.outcome


def test_hindsight_of_a_climb_finds_its_steps():
    truth, public, _, private = climb(1)
    analysis = analyze(history(public, private=private))
    found = {
        i for i, step in enumerate(analysis.steps) if (step.hindsight_p_gain or 0) > 0.9
    }
    real = set(np.flatnonzero(np.diff(truth, prepend=truth[0]) > 0))
    assert len(found & real) >= 4
    assert len(found - real) <= 1


def test_private_scores_do_not_change_what_was_foretold():
    _, public, cv, private = climb(2)
    before, after = analyze(history(public, cv)), analyze(history(public, cv, private))
    assert words(before) == words(after)
    assert [s.p_gain for s in before.steps] == [s.p_gain for s in after.steps]


def test_a_cv_of_another_sign_is_turned_over_and_said():
    _, public, cv, _ = climb(3)
    turned, plain = analyze(history(public, 2 - 3 * cv)), analyze(history(public, cv))
    assert words(turned) == words(plain)
    assert "better the other way" in turned.notes["cv"]


@pytest.mark.parametrize(
    ("cv", "reason"),
    [
        (lambda public: np.full(len(public), 0.7), "measures nothing"),
        (lambda public: public, "no second measurement"),
        (lambda public: 0.3 + 2 * public, "no second measurement"),
    ],
    ids=["constant", "copy", "copy on another scale"],
)
def test_cv_that_is_no_measurement_is_not_used_and_it_is_said(cv, reason):
    _, public, _, _ = climb(4)
    analysis = analyze(history(public, cv(public)))
    assert reason in analysis.notes["cv"]
    assert not CLAIMS & set(words(analysis))
    assert all(step.cv_gain is None for step in analysis.steps)


def test_private_scores_that_copy_the_public_ones_tell_nothing():
    _, public, _, _ = climb(5)
    analysis = analyze(history(public, private=public))
    assert all(step.hindsight_p_gain is None for step in analysis.steps)
    assert all(step.outcome == "" for step in analysis.steps)


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_private_scores_on_another_scale_lead_to_the_same_steps(factor):
    truth, public, _, private = climb(6)
    plain = analyze(history(public, private=private))
    scaled = analyze(history(public, private=factor * private))
    chances = np.array(
        [[s.hindsight_p_gain for s in a.steps[1:]] for a in (plain, scaled)], float
    )
    assert np.isfinite(chances).all()
    real = np.diff(truth) > 0
    assert (chances[:, real] > 0.8).mean() >= 0.7
    assert (chances[:, ~real] > 0.8).mean() <= 0.1


@pytest.mark.parametrize("n_private", [0, 1, 2])
def test_a_few_private_scores_are_too_few_to_judge_steps(n_private):
    _, public, cv, private = climb(7)
    few = [p if i in (3, 9)[:n_private] else None for i, p in enumerate(private)]
    analysis = analyze(history(public, cv, few))
    assert all(step.hindsight_p_gain is None for step in analysis.steps)
    assert words(analysis) == words(analyze(history(public, cv)))


@pytest.mark.parametrize("with_private", [False, True])
@pytest.mark.parametrize("with_cv", [False, True])
def test_a_history_in_which_every_score_ties_claims_nothing(with_cv, with_private):
    tied = [0.7] * 15
    analysis = analyze(
        history(tied, tied if with_cv else None, tied if with_private else None)
    )
    assert not CLAIMS & set(words(analysis))
    assert not {"gain after all", "loss after all"} & {
        s.outcome for s in analysis.steps
    }
    json.dumps(analysis.to_dict(), allow_nan=False)
    run_checks(analysis)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["public", "both"])
def test_histories_without_a_real_step_claim_progress_in_one_of_twenty_at_most(policy):
    shown = 0
    for seed in range(40):
        made = simulate(
            Scenario(n_submissions=40, policy=policy, null_fraction=1.0), rng=seed
        )
        shown += "progress" in words(analyze(made.before_close()))
    assert shown / 40 <= 0.05


@pytest.mark.slow
def test_what_is_said_of_simulated_steps_is_true_often_enough():
    covered, false, after = [], [], []
    for seed in range(40):
        made = made_of(seed, n_submissions=40)
        analysis = analyze(made.history)
        truth, told = made.truth.gain, analysis.posterior
        known = np.isfinite(told.p_gain)
        inside = (told.ci_low <= truth) & (truth <= told.ci_high)
        covered.append(inside[known])
        for step, gain in zip(analysis.steps, truth, strict=True):
            if step.verdict == "progress" and step.strength == "clear":
                false.append(gain <= 0)
            if step.hindsight_low is not None:
                after.append(step.hindsight_low <= gain <= step.hindsight_high)
    assert np.concatenate(covered).mean() >= 0.92
    assert np.mean(after) >= 0.92
    assert np.mean(false) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(false))
