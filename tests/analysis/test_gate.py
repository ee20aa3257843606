"""The gate says what a candidate is worth, and when it cannot say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lbsense.analysis import Analysis, analyze
from lbsense.analysis.gate import gate
from lbsense.model import Competition, History, Submission
from lbsense.simulate import Scenario, simulate

CLIMBER = {"policy": "both", "null_fraction": 0.5, "step_size": 0.1}


@pytest.fixture(scope="module")
def climb() -> Analysis:
    return analyze(simulate(Scenario(n_submissions=30, **CLIMBER), rng=1).history)


def best_cv(analysis: Analysis) -> float:
    return float(np.nanmax(analysis.history.raw_scores("cv")))


def test_a_better_cv_is_worth_more(climb):
    scores = best_cv(climb) + np.linspace(-0.01, 0.02, 7)
    results = [gate(climb, score) for score in scores]
    chances = [result.p_gain for result in results]
    assert chances == sorted(chances)
    assert (results[0].decision, results[-1].decision) == ("keep", "spend")
    for result in results:
        assert result.gain_low <= result.gain <= result.gain_high
        assert result.p_visible <= result.p_gain <= result.p_better
        assert 0 < result.narrowing < 1
        json.dumps(result.to_dict(), allow_nan=False)


def test_the_best_is_that_of_the_highest_level_and_not_of_the_highest_public(climb):
    result = gate(climb, best_cv(climb))
    levels = np.where(
        np.isfinite(climb.history.raw_scores("public")), climb.levels.mean, -np.inf
    )
    assert result.best_id == climb.steps[int(np.argmax(levels))].submission_id


def test_the_parent_is_what_the_entrant_builds_on():
    for policy, kinds in (("public", ["public"]), ("cv", ["cv"])):
        made = simulate(
            Scenario(n_submissions=30, **{**CLIMBER, "policy": policy}), rng=4
        )
        total = sum(made.history.scores(kind) for kind in kinds)
        result = gate(analyze(made.history), made.history[-1].cv_score)
        assert result.parent_id == made.history[int(np.argmax(total))].submission_id


def test_a_parent_can_be_named(climb):
    first = climb.steps[0]
    result = gate(climb, first.cv_score + 0.001, parent=first.submission_id)
    assert result.parent_id == first.submission_id
    # On the scale of the public score, as every CV gain that is shown.
    step = climb.steps[1]
    raw = step.cv_score - climb.history[0].cv_score
    np.testing.assert_allclose(result.cv_gain, 0.001 * step.cv_gain / raw, rtol=1e-6)


def test_more_certainty_can_be_asked_for(climb):
    result = gate(climb, best_cv(climb) + 0.02)
    assert result.decision == "spend"
    sure = np.nextafter(1.0, 0.0)
    assert gate(climb, best_cv(climb) + 0.002, at_least=float(sure)).decision == "keep"


def test_the_direction_of_the_metric_is_respected():
    made = simulate(Scenario(n_submissions=30, metric="rmse", **CLIMBER), rng=1)
    analysis = analyze(made.history)
    best = float(np.nanmin(made.history.raw_scores("cv")))
    better, worse = gate(analysis, best - 0.03), gate(analysis, best + 0.03)
    assert (better.decision, worse.decision) == ("spend", "keep")
    assert better.cv_gain > 0 > worse.cv_gain


def test_cv_on_another_scale_is_put_on_that_of_the_public_score():
    made = simulate(Scenario(n_submissions=30, **CLIMBER), rng=1).history
    percent = tuple(replace(item, cv_score=100 * item.cv_score) for item in made)
    scaled, plain = analyze(replace(made, submissions=percent)), analyze(made)
    result = gate(scaled, best_cv(scaled) + 2)
    same = gate(plain, best_cv(plain) + 0.02)
    assert result.decision == same.decision == "spend"
    for name in ("cv_gain", "gain", "p_gain", "p_visible"):
        np.testing.assert_allclose(
            getattr(result, name), getattr(same, name), rtol=1e-6
        )


def few(n: int, *, direction: bool | None = True) -> Analysis:
    rng = np.random.default_rng(0)
    submissions = tuple(
        Submission(submission_id=f"s{i}", public_score=0.7 + a, cv_score=0.7 + b)
        for i, (a, b) in enumerate(rng.normal(0, 0.01, (n, 2)))
    )
    competition = Competition(greater_is_better=direction)
    return analyze(History(competition=competition, submissions=submissions))


@pytest.mark.parametrize(
    ("analysis", "cv_score", "message"),
    [
        (few(0), 0.7, "0 steps have both"),
        (few(1), 0.7, "0 steps have both"),
        (few(4), 0.7, "3 steps have both"),
        (few(20, direction=None), 0.7, "which score is better"),
        (few(20), 70.0, "far from those of the history"),
    ],
)
def test_what_cannot_be_known_is_said(analysis, cv_score, message):
    result = gate(analysis, cv_score)
    assert result.decision == "unknown"
    assert message in result.reason
    assert np.isnan(result.p_gain)
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv_score": float("nan")}, "cv_score must be a finite number"),
        ({"cv_score": 0.7, "at_least": 1.0}, "at_least must be in"),
        ({"cv_score": 0.7, "parent": "nobody"}, "parent must be the submission_id"),
    ],
)
def test_bad_arguments_are_refused(climb, options, message):
    with pytest.raises(ValueError, match=message):
        gate(climb, **options)


def test_a_parent_without_scores_is_refused(climb):
    bare = Submission(submission_id="bare", status="error")
    history = replace(climb.history, submissions=(*climb.history, bare))
    with pytest.raises(ValueError, match="'bare' must have a public and a CV score"):
        gate(analyze(history), 0.7, parent="bare")


@pytest.mark.slow
def test_probabilities_are_those_of_what_happens():
    stated, true = [], []
    for seed in range(45):
        made = simulate(
            Scenario(n_public=2000, n_train=4000, **CLIMBER), rng=900 + seed
        )
        for place in (24, 39):
            past = replace(made.history, submissions=made.history.submissions[:place])
            result = gate(analyze(past), made.history[place].cv_score)
            best = [item.submission_id for item in past].index(result.best_id)
            gain = made.truth.score[place] - made.truth.score[best]
            stated.append(result.p_gain)
            true.append(gain > result.rope)
    stated, true = np.array(stated), np.array(true, dtype=float)
    slope = np.polyfit(stated, true, 1)[0]
    assert 0.8 < slope < 1.6
    assert abs(stated.mean() - true.mean()) < 0.14
    assert np.mean((stated - true) ** 2) < 0.75 * true.var()
