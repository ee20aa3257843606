"""What each submission is compared with: declared, repeated, or inferred."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.analysis import analyze
from lbsense.analysis.observe import _chosen_luck, find_parents
from lbsense.model import Competition, History, Submission, content_groups
from lbsense.simulate import Scenario, simulate

HABITS = {
    "public": "best public",
    "cv": "best CV",
    "both": "best sum of public and CV",
    "previous": "the previous one",
}


def history(public, parents=None, **fields):
    parents = parents or {}
    return History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(
                submission_id=f"s{index}",
                public_score=None if np.isnan(score) else float(score),
                parent_id=parents.get(index),
                **{name: values[index] for name, values in fields.items()},
            )
            for index, score in enumerate(public)
        ),
    )


def parents_of(public, cv=None, parents=None, **fields):
    made = history(public, parents, **fields)
    cv = None if cv is None else np.asarray(cv, dtype=float)
    return find_parents(made, np.asarray(public, dtype=float), cv, content_groups(made))


def walk(rng, habit, k=40, noise=0.003):
    """Return scores of an entrant with this habit, whose noise children inherit."""
    truth, public, cv = np.zeros((3, k))
    luck, cv_luck = np.zeros((2, k))
    parent = np.full(k, -1)
    for i in range(k):
        if i:
            key = {
                "public": public,
                "cv": cv,
                "both": public + cv,
                "previous": np.arange(float(k)),
            }[habit]
            parent[i] = int(np.argmax(key[:i]))
            truth[i] = truth[parent[i]] + rng.normal(0, 0.01)
            luck[i] = luck[parent[i]]
            cv_luck[i] = cv_luck[parent[i]]
        luck[i] += rng.normal(0, noise)
        cv_luck[i] += rng.normal(0, noise)
        public[i], cv[i] = truth[i] + luck[i], truth[i] + cv_luck[i]
    return public, cv, parent


def test_without_cv_the_best_public_score_before_is_the_parent():
    found = parents_of([0.7, 0.8, 0.75, np.nan, 0.9, 0.6])
    assert found.reference.tolist() == [-1, 0, 1, 1, 1, 4]
    assert found.rule == "incumbent"
    assert found.caveat is None


def test_declared_parents_are_taken_as_they_are():
    found = parents_of([0.7, 0.8, 0.75], parents={1: "s0", 2: "s0"})
    assert found.reference.tolist() == [-1, 0, 0]
    assert found.rule == "declared"


@pytest.mark.parametrize(
    "wrong", ["s2", "s3", "nobody", "s1"], ids=["itself", "later", "unknown", "blank"]
)
def test_a_parent_that_cannot_be_one_is_not_taken(wrong):
    found = parents_of([0.7, np.nan, 0.75, 0.8], parents={2: wrong})
    assert found.reference[2] == 0


def test_a_repeat_is_compared_with_the_first_of_its_kind():
    found = parents_of([0.7, 0.8, 0.75, 0.7], content_hash=["a", "b", None, "a"])
    assert found.reference.tolist() == [-1, 0, 1, 0]


@pytest.mark.parametrize("habit", HABITS)
def test_the_habit_behind_clear_scores_is_found(habit):
    right, said = [], []
    for seed in range(10):
        public, cv, parent = walk(np.random.default_rng(seed), habit)
        found = parents_of(public, cv)
        right.append((found.reference == parent).mean())
        said.append(found.rule == HABITS[habit])
        assert "39 submissions named no parent" in found.caveat.reason
        assert "from v12" in found.caveat.reason
    assert np.mean(right) > 0.94
    assert np.mean(said) >= 0.6  # habits often agree on the parent


def test_declared_and_plain_references_are_sure():
    for found in (
        parents_of([0.7, 0.8, 0.75], parents={1: "s0", 2: "s0"}),
        parents_of([0.7, 0.8, 0.75, 0.9]),
    ):
        np.testing.assert_array_equal(found.odds, 1.0)
        np.testing.assert_array_equal(found.owed, 0.0)


def test_a_habit_is_nearly_sure_and_building_on_anything_is_not():
    public, cv, _ = walk(np.random.default_rng(1), "previous")
    kept = parents_of(public, cv, parents={20: "s3"})
    assert kept.odds[20] == 1.0
    assert kept.odds[1:].mean() > 0.9
    assert np.abs(kept.owed).max() < 0.02 * np.ptp(public)
    rng = np.random.default_rng(1)
    nothing = parents_of(*(rng.normal(0.7, 0.01, 40) for _ in range(2)))
    assert nothing.odds[1:].mean() < 0.6


def test_the_luck_of_a_chosen_reference_by_hand():
    # Levels 1, 2, 3 and 6: mean 3, variance 3.5. Differences 1, -1, 1, -1 deviate by
    # 1 from their median 0: noise of a mean 1 / .6745 / 2, variance .5495.
    public = np.array([1.5, 1.5, 3.5, 5.5])
    cv = np.array([0.5, 2.5, 2.5, 6.5])
    owed = _chosen_luck(np.array([public, cv]), np.array([-1, 0, 3, 3]))
    share = (1 / 0.6745 / 2) ** 2 / 3.5
    # The first lies below the mean, and was not chosen for its score.
    np.testing.assert_allclose(owed, [0, 0, 3 * share, 3 * share], rtol=1e-12)


def test_declared_parents_stay_where_others_are_inferred():
    public, cv, parent = walk(np.random.default_rng(7), "previous", noise=0.002)
    found = parents_of(public, cv, parents={20: "s3"})
    assert found.rule == "the previous one"
    assert found.reference[20] == 3
    np.testing.assert_array_equal(np.delete(found.reference, 20), np.delete(parent, 20))
    assert "38 submissions named no parent, 1 did." in found.caveat.reason


@pytest.mark.parametrize(
    ("public", "cv"),
    [
        ([0.7] * 7, [0.7] * 7),
        ([0.7] * 12, [0.7] * 12),
        ([0.7] * 12, [np.nan] * 12),
        ([np.nan] * 12, [0.7] * 12),
        ([], []),
    ],
    ids=["few", "equal", "no-cv", "no-public", "empty"],
)
def test_scores_that_do_not_speak_leave_the_plain_rule(public, cv):
    found = parents_of(public, cv)
    plain = parents_of(public)
    np.testing.assert_array_equal(found.reference, plain.reference)
    assert found.rule in {"declared", "incumbent", "best public"}


def test_one_broken_submission_does_not_decide_the_habit():
    public, cv, _ = walk(np.random.default_rng(7), "previous", noise=0.002)
    public[17] = -5.0
    assert parents_of(public, cv).rule == "the previous one"


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    unit=st.sampled_from([1e-4, 1.0, 100.0]),
    shift=st.floats(-1, 1),
    offset=st.floats(-1, 1),
)
def test_parents_come_before_their_children_and_follow_shift_and_unit(
    seed, unit, shift, offset
):
    rng = np.random.default_rng(seed)
    public, cv = rng.normal(0, 1, (2, 15)).round(2)
    public[rng.random(15) < 0.2] = np.nan
    plain = parents_of(public, cv)
    scored = np.flatnonzero(np.isfinite(public))
    assert np.all(plain.reference < np.arange(15))
    assert np.isfinite(public[plain.reference[plain.reference >= 0]]).all()
    assert np.all(plain.reference[scored[1:]] >= 0)
    moved = parents_of(unit * (public + shift), unit * (cv + shift + offset))
    if moved.rule == plain.rule:
        apart = np.flatnonzero(moved.reference != plain.reference)
        # Ties of rounded sums may fall either way.
        total = public + cv
        same = np.isclose(total[moved.reference[apart]], total[plain.reference[apart]])
        assert same.all()


def test_the_analysis_says_how_parents_were_found():
    public, cv, _ = walk(np.random.default_rng(7), "cv", noise=0.002)
    made = History(
        competition=Competition(greater_is_better=True),
        submissions=tuple(
            Submission(submission_id=f"s{i}", public_score=p, cv_score=c)
            for i, (p, c) in enumerate(zip(public, cv, strict=True))
        ),
    )
    analysis = analyze(made)
    assert analysis.parents == "best CV"
    assert "best CV before it" in analysis.notes["parents"]


@pytest.mark.slow
@pytest.mark.parametrize("policy", HABITS)
def test_the_true_habit_is_found_in_most_histories(policy):
    hits = []
    for seed in range(40):
        made = simulate(
            Scenario(n_submissions=40, policy=policy, parents="withheld"), rng=seed
        )
        public = made.history.scores("public")
        cv = made.history.scores("cv")
        found = find_parents(made.history, public, cv, content_groups(made.history))
        hits.append((found.reference == made.truth.parent).mean())
    # What counts is the parent: habits often agree on it.
    assert np.mean(np.array(hits) > 0.9) >= 0.65


@pytest.mark.slow
def test_the_luck_of_the_best_is_no_setback_of_all_others():
    # Nothing changes anything, and anything earlier is built on: without regression to
    # the mean 86 steps of 12 such histories were called setbacks.
    claims = 0
    covered = []
    for seed in range(12):
        scenario = Scenario(
            n_submissions=40, n_public=4000, n_train=4000, policy="random",
            null_fraction=1.0, parents="withheld",
        )  # fmt: skip
        analysis = analyze(simulate(scenario, rng=seed).history)
        claims += sum(step.verdict == "setback" for step in analysis.steps)
        covered += [
            step.gain_low <= 0 <= step.gain_high
            for step in analysis.steps
            if step.p_gain is not None
        ]
    assert claims <= 40
    assert np.mean(covered) > 0.92


@pytest.mark.slow
def test_intervals_hold_where_anything_was_built_on():
    covered = []
    for seed in range(12):
        scenario = Scenario(
            n_submissions=40, policy="random", world="trained", parents="withheld"
        )
        made = simulate(scenario, rng=seed)
        score = made.history.competition.direction() * made.truth.score
        place = {item.submission_id: i for i, item in enumerate(made.history)}
        covered += [
            step.gain_low
            <= score[k] - score[place[step.reference_id]]
            <= step.gain_high
            for k, step in enumerate(analyze(made.history).steps)
            if step.p_gain is not None
        ]
    assert 0.9 < np.mean(covered) <= 1
