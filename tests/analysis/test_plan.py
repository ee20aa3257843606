"""Which candidate goes first, and what settles two of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from lbsense.analysis import analyze, gate, plan
from lbsense.model import Submission
from lbsense.simulate import Scenario, simulate

CLIMBER = {"policy": "both", "null_fraction": 0.5, "step_size": 0.1}


@pytest.fixture(scope="module")
def climb():
    made = simulate(Scenario(n_submissions=30, n_train=4000, **CLIMBER), rng=1)
    return analyze(made.history)


@pytest.fixture(scope="module")
def best(climb):
    return float(np.nanmax(climb.history.raw_scores("cv")))


def test_the_one_that_is_worth_most_goes_first(climb, best):
    asked = {"shy": best - 0.01, "bold": best + 0.01, "even": best}
    found = plan(climb, asked, n_left=2)
    assert found.names == ("bold", "even", "shy")
    worth = [one.value for one in found.gates]
    assert worth == sorted(worth, reverse=True)
    again = gate(climb, best + 0.01, n_left=2)
    assert found.gates[0].to_dict() == again.to_dict()
    json.dumps(found.to_dict(), allow_nan=False)


def test_rows_with_cv_alone_are_the_candidates(climb, best):
    parent = climb.history[3].submission_id
    waiting = tuple(
        Submission(submission_id=name, cv_score=best + by, status=status, parent_id=of)
        for name, by, status, of in (
            ("next", 0.004, "unknown", None),
            ("child", 0.003, "pending", parent),
            ("broken", 0.1, "error", None),
        )
    )
    history = replace(climb.history, submissions=(*climb.history, *waiting))
    found = plan(analyze(history))
    assert set(found.names) == {"next", "child"}
    child = found.gates[found.names.index("child")]
    assert child.parent_id == parent


def test_two_submissions_are_told_apart_by_their_levels(climb):
    scored = [s.submission_id for s in climb.steps if s.public_score is not None]
    one, other = scored[2], scored[9]
    found = plan(climb, {}, settle=(one, other)).settle
    places = [
        climb.steps.index(s) for s in climb.steps if s.submission_id in (one, other)
    ]
    mean = climb.levels.mean[places]
    cov = climb.levels.spread.matrix(places)
    sd = math.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    np.testing.assert_allclose([found.gain, found.gain_se], [mean[0] - mean[1], sd])
    np.testing.assert_allclose(found.p_first, norm.cdf(found.gain / sd))
    back = plan(climb, {}, settle=(other, one)).settle
    np.testing.assert_allclose(back.p_first, 1 - found.p_first)
    assert "submissions" not in {way.kind for way in found.ways}  # both were sent


def test_candidates_are_told_apart_by_their_cv(climb, best):
    asked = {"a": best + 0.002, "b": best + 0.001}
    found = plan(climb, asked, settle=("a", "b")).settle
    swapped = plan(climb, asked, settle=("b", "a")).settle
    np.testing.assert_allclose(found.gain, -swapped.gain)
    assert found.p_first > 0.5
    wide = plan(climb, {**asked, "a": best + 0.02}, settle=("a", "b")).settle
    assert wide.settled
    assert {way.kind for way in found.ways} == {"seeds", "rows", "submissions"}
    for way in found.ways:
        assert 0 <= way.chance <= 1
        if way.needed is not None and way.kind != "rows":
            assert (way.chance >= 0.8) == (way.needed == 1)


def test_a_candidate_against_a_submission(climb, best):
    name = climb.steps[5].submission_id
    found = plan(climb, {"a": best}, settle=("a", name)).settle
    told = gate(climb, best, against=name)
    np.testing.assert_allclose([found.gain, found.gain_se], [told.gain, told.gain_se])
    back = plan(climb, {"a": best}, settle=(name, "a")).settle
    np.testing.assert_allclose(back.gain, -found.gain)


def test_an_unknown_name_is_refused(climb):
    with pytest.raises(ValueError, match="'nobody' is no candidate and no submission"):
        plan(climb, {}, settle=("nobody", climb.steps[1].submission_id))


def test_a_history_that_tells_nothing_gives_no_order():
    bare = simulate(Scenario(n_submissions=4, **CLIMBER), rng=2).history
    found = plan(analyze(bare), {"a": 0.8, "b": 0.7})
    assert all(one.decision == "unknown" for one in found.gates)


@pytest.mark.slow
def test_the_chance_to_settle_is_what_happens():
    """Of pairs with the true difference drawn from what is known, seeds settle so many."""
    rng = np.random.default_rng(0)
    mean, sd, rows, refit = 0.001, 0.002, 1.5e-6, 2.5e-6
    from lbsense.stats import p_settled, repeated_noise

    true = rng.normal(mean, sd, 40_000)
    before = rows + refit  # one look is in what is known already
    stated = p_settled(mean, sd, repeated_noise(before, rows + refit / 4))
    added = repeated_noise(before, rows + refit / 4)
    look = true + rng.normal(0, added, true.size)
    keep = sd**2 / (sd**2 + added**2)
    after, left = mean + keep * (look - mean), added * math.sqrt(keep)
    settled = norm.cdf(np.abs(after) / left) >= 0.95
    np.testing.assert_allclose(settled.mean(), stated, atol=0.01)
    # And where it is settled the sign is right as often as it says.
    right = (np.sign(after) == np.sign(true))[settled].mean()
    assert right > 0.95
