"""What the entrant does and what the platform shows."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lbsense.simulate import PRESETS, Scenario, SimulatedCompetition, simulate

SCORERS = {
    "roc_auc": reference.roc_auc_score,
    "log_loss": reference.log_loss,
    "accuracy": reference.accuracy_score,
    "rmse": lambda y, p: reference.mean_squared_error(y, p) ** 0.5,
    "mae": reference.mean_absolute_error,
}
SMALL = {"n_public": 400, "n_private": 500, "n_train": 600}
EVENTFUL = {
    "repeat_fraction": 0.15,
    "rerun_fraction": 0.15,
    "probe_fraction": 0.15,
    "burst_fraction": 0.15,
    "broken_fraction": 0.15,
    "failed_fraction": 0.15,
}


def texts(simulated: SimulatedCompetition) -> list[str]:
    return [str(item.to_dict()) for item in simulated.history]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("world", ["gaussian", "trained"])
@pytest.mark.parametrize("metric", SCORERS)
def test_shown_scores_are_the_scores_of_the_rows(metric, world, nested):
    simulated = simulate(
        Scenario(
            metric=metric,
            world=world,
            nested=nested,
            n_submissions=8,
            probe_fraction=0.3,
            broken_fraction=0.2,
            decimals=8,
            **SMALL,
        ),
        keep_rows=True,
        rng=1,
    )
    rows, score = simulated.rows, SCORERS[metric]
    public = rows.public_mask
    private = np.ones_like(public) if nested else ~public
    assert public.sum() == 400
    for position, item in enumerate(simulated.history):
        file, oof = rows.test[:, position], rows.oof[:, position]
        found = [score(rows.y_test[mask], file[mask]) for mask in (public, private)]
        shown = [item.public_score, item.private_score]
        np.testing.assert_allclose(shown, found, atol=1e-8)
        if item.cv_score is None:
            assert np.isnan(oof).all()
            continue
        folds = [
            score(rows.y_train[rows.fold == fold], oof[rows.fold == fold])
            for fold in range(5)
        ]
        np.testing.assert_allclose(item.cv_fold_scores, folds, atol=1e-8)
        np.testing.assert_allclose(item.cv_score, np.mean(folds), atol=2e-8)


@pytest.mark.parametrize("world", ["gaussian", "trained"])
def test_one_seed_gives_one_competition(world):
    options = {"world": world, "n_submissions": 12, **SMALL, **EVENTFUL}
    first = simulate(Scenario(**options), rng=7)
    assert texts(first) == texts(simulate(Scenario(**options), rng=7))
    assert texts(first) == texts(
        simulate(Scenario(**options), rng=np.random.default_rng(7))
    )
    assert texts(first) == texts(simulate(Scenario(**options), rng=7, keep_rows=True))
    assert texts(first) != texts(simulate(Scenario(**options), rng=8))


def test_one_generator_gives_one_competition_after_another():
    rng = np.random.default_rng(7)
    first, second = (
        simulate(Scenario(n_submissions=3, **SMALL), rng=rng) for _ in range(2)
    )
    assert texts(first) != texts(second)


@pytest.mark.parametrize("policy", ["public", "cv", "both", "previous"])
@pytest.mark.parametrize("metric", ["roc_auc", "rmse"])
def test_entrants_build_on_what_their_policy_says(policy, metric):
    simulated = simulate(
        Scenario(policy=policy, metric=metric, **SMALL, **EVENTFUL), rng=3
    )
    history, truth = simulated.history, simulated.truth
    public, cv = history.scores("public"), history.scores("cv")
    merit = {
        "public": public,
        "cv": cv,
        "both": public + cv,
        "previous": np.arange(len(history)),
    }[policy]
    for position in range(1, len(history)):
        if truth.kind[position] == "probe":
            assert truth.parent[position] == -1
            continue
        bases = [
            earlier
            for earlier in range(position)
            if truth.kind[earlier] not in ("probe", "broken", "failed")
        ]
        # The earliest of the best: who is there stays until beaten.
        assert truth.parent[position] == max(bases, key=lambda i: (merit[i], -i))


def test_random_entrants_build_on_any_earlier_model():
    parent = simulate(
        Scenario(policy="random", n_submissions=80, **SMALL), rng=3
    ).truth.parent
    assert (parent[1:] < np.arange(1, 80)).all()
    assert len(set(parent.tolist())) > 25


@pytest.mark.parametrize("policy", ["public", "cv", "both", "random"])
def test_finals_are_those_of_the_policy(policy):
    simulated = simulate(
        Scenario(policy=policy, metric="mae", **SMALL, **EVENTFUL), rng=5
    )
    history = simulated.history
    frame = history.to_frame().drop_duplicates("content_hash")
    by_public = frame.sort_values("public_score", kind="stable").index.tolist()
    by_cv = frame.sort_values("cv_score", kind="stable")
    by_cv = by_cv[by_cv["status"] == "complete"].index.tolist()
    expected = {
        "cv": by_cv[:2],
        "both": [by_public[0], next(i for i in by_cv if i != by_public[0])],
    }.get(policy, by_public[:2])
    assert simulated.selected == tuple(sorted(expected))
    chosen = [i for i, item in enumerate(history) if item.selected]
    assert chosen == sorted(expected)


def test_repeats_are_the_same_file_and_reruns_are_not():
    simulated = simulate(
        Scenario(n_submissions=60, repeat_fraction=0.3, rerun_fraction=0.3, **SMALL),
        rng=2,
    )
    history, truth = simulated.history, simulated.truth
    seen = set()
    for position, kind in enumerate(truth.kind):
        if kind not in ("repeat", "rerun"):
            continue
        seen.add(kind)
        new, old = history[position], history[int(truth.parent[position])]
        same = (new.public_score, new.private_score, new.cv_fold_scores) == (
            old.public_score,
            old.private_score,
            old.cv_fold_scores,
        )
        assert same == (kind == "repeat")
        assert (new.content_hash == old.content_hash) == (kind == "repeat")
        assert (new.description == old.description) == (kind == "repeat")
        assert truth.gain[position] == 0
        assert new.submitted_at > old.submitted_at
    assert seen == {"repeat", "rerun"}


def test_a_rerun_moves_less_than_an_idea():
    simulated = simulate(
        Scenario(
            n_submissions=150,
            null_fraction=1.0,
            rerun_fraction=0.5,
            decimals=8,
            **SMALL,
        ),
        rng=2,
    )
    truth = simulated.truth
    public = simulated.history.raw_scores("public")
    moves = np.abs(public - public[truth.parent])
    kind = np.array(truth.kind)
    assert moves[kind == "rerun"].mean() < 0.4 * moves[kind == "dud"].mean()


def test_failed_submissions_have_no_score_and_no_truth():
    simulated = simulate(
        Scenario(failed_fraction=0.4, n_submissions=30, **SMALL), rng=2
    )
    failed = np.array(simulated.truth.kind) == "failed"
    assert failed.sum() > 3
    for is_failed, item in zip(failed, simulated.history, strict=True):
        assert (item.status == "error") == is_failed
        assert (item.public_score is None) == is_failed
        assert (item.private_score is None) == is_failed
    np.testing.assert_array_equal(np.isnan(simulated.truth.score), failed)
    assert not set(np.flatnonzero(failed)) & set(simulated.truth.parent.tolist())


def test_broken_files_fall_far_below_while_their_cv_stands():
    simulated = simulate(
        Scenario(broken_fraction=0.3, n_submissions=30, **SMALL), rng=2
    )
    broken = np.array(simulated.truth.kind) == "broken"
    public, cv = (simulated.history.scores(kind) for kind in ("public", "cv"))
    assert broken.sum() > 3
    assert public[broken].max() < public[~broken].min() - 0.05
    assert abs(cv[broken].mean() - cv[~broken].mean()) < 0.02


def test_probes_are_nearly_constant_files():
    simulated = simulate(
        Scenario(probe_fraction=0.5, n_submissions=30, **SMALL), keep_rows=True, rng=2
    )
    sizes = set()
    for position, kind in enumerate(simulated.truth.kind):
        if kind == "probe":
            values, counts = np.unique(
                simulated.rows.test[:, position], return_counts=True
            )
            assert counts[0] >= 880
            sizes.add(len(values))
            assert simulated.history[position].cv_score is None
    assert sizes == {1, 2}


def test_bursts_are_runs_of_six_minutes_apart():
    simulated = simulate(
        Scenario(burst_fraction=0.5, n_submissions=200, **SMALL), rng=2
    )
    kinds = "".join("t" if kind == "tweak" else "." for kind in simulated.truth.kind)
    runs = [len(run) for run in kinds.split(".") if run]
    assert runs
    assert all(run % 6 == 0 for run in runs[:-1])
    assert 0.3 < kinds.count("t") / 200 < 0.7
    times = [item.submitted_at for item in simulated.history]
    for (before, after), pair in zip(pairwise(times), pairwise(kinds), strict=True):
        if pair == ("t", "t"):
            assert after - before < timedelta(minutes=10)


@pytest.mark.parametrize("parents", ["declared", "described", "withheld"])
def test_parents_are_told_as_asked(parents):
    simulated = simulate(Scenario(parents=parents, n_submissions=20, **SMALL), rng=2)
    history, parent = simulated.history, simulated.truth.parent
    for position in range(1, 20):
        item, base = history[position], history[int(parent[position])]
        told = item.parent_id
        assert told == (base.submission_id if parents == "declared" else None)
        name = base.description.split(":")[0].split(" ")[0]
        assert (f"from {name}:" in item.description) == (parents == "described")


def test_scores_are_rounded_as_shown():
    simulated = simulate(Scenario(decimals=2, n_submissions=20, **SMALL), rng=2)
    for kind in ("public", "private", "cv"):
        scores = simulated.history.raw_scores(kind)
        np.testing.assert_array_equal(scores, scores.round(2))
    assert simulated.history.competition.display_decimals == 2
    assert "CV 0." in simulated.history[0].description


@pytest.mark.parametrize(("share", "low", "high"), [(0, 0, 0), (0.5, 30, 70)])
def test_the_record_of_cv_may_have_holes(share, low, high):
    simulated = simulate(
        Scenario(cv_fraction=share, policy="cv", n_submissions=100, **SMALL), rng=2
    )
    known = np.isfinite(simulated.history.raw_scores("cv"))
    assert low <= known.sum() <= high
    for item in simulated.history:
        assert ("CV" in item.description) == (item.cv_score is not None)
        assert (item.cv_source == "column") == (item.cv_score is not None)


def test_the_competition_is_described():
    competition = simulate(
        Scenario(n_submissions=2, nested=True, platform="zindi", **SMALL), rng=0
    ).history.competition
    assert competition.metric == "roc_auc"
    assert competition.greater_is_better is True
    assert (competition.n_public, competition.n_private) == (400, 900)
    assert (competition.train_size, competition.platform) == (600, "zindi")
    assert (
        simulate(Scenario(n_submissions=1, **SMALL)).history.competition.n_private
        == 500
    )


def test_before_the_close_private_scores_are_hidden():
    simulated = simulate(Scenario(n_submissions=5, **SMALL), rng=0)
    open_history = simulated.before_close()
    assert np.isnan(open_history.raw_scores("private")).all()
    assert np.isfinite(simulated.history.raw_scores("private")).all()
    np.testing.assert_array_equal(
        open_history.raw_scores("public"), simulated.history.raw_scores("public")
    )


@pytest.mark.parametrize("world", ["gaussian", "trained"])
def test_groups_stay_together(world):
    rows = simulate(
        Scenario(world=world, group_size=7, n_submissions=1, **SMALL),
        keep_rows=True,
        rng=0,
    ).rows
    public = set(rows.test_group[rows.public_mask].tolist())
    private = set(rows.test_group[~rows.public_mask].tolist())
    train = set(rows.train_group.tolist())
    assert not public & private
    assert not train & (public | private)
    for group in train:
        assert len(set(rows.fold[rows.train_group == group].tolist())) == 1


def test_frames_and_words():
    simulated = simulate(Scenario(n_submissions=6, **SMALL), rng=0)
    frame = simulated.to_frame()
    assert len(frame) == 6
    assert frame["true_gain"].isna().tolist() == [True] + [False] * 5
    assert len(simulated.truth.to_frame()) == 6
    assert "6 submissions" in str(simulated)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"world": "flat"}, "world must be one of .*gaussian"),
        ({"metric": "auc"}, "metric must be one of .*roc_auc.*got 'auc'"),
        ({"policy": "luck"}, "policy must be one of"),
        ({"parents": "all"}, "parents must be one of"),
        ({"n_submissions": 0}, "n_submissions must be a whole number of at least 1"),
        ({"n_public": 10}, "n_public must be a whole number of at least 50"),
        ({"n_train": 100}, "n_train must be a whole number of at least 250"),
        ({"n_folds": 1}, "n_folds must be a whole number of at least 2"),
        ({"null_fraction": 1.1}, r"null_fraction must be in \[0, 1\]"),
        ({"failed_fraction": 1.0}, r"failed_fraction must be in \[0, 1\)"),
        ({"prevalence": 0.0}, r"prevalence must be in \(0, 1\)"),
        ({"novelty": 0.0}, r"novelty must be in \(0, 1\]"),
        ({"step_size": -1.0}, "step_size must be a finite number above 0"),
        ({"cv_noise": -0.1}, "cv_noise must be a finite number above 0"),
        ({"shift": float("nan")}, "shift must be finite"),
        ({"probe_fraction": 0.6, "broken_fraction": 0.6}, "must sum to at most 1"),
        ({"nested": True, "shift": 0.1}, "need nested=False"),
        ({"world": "trained", "novelty": 0.2}, "novelty belongs to world='gaussian'"),
        ({"prevalence": 1e-6}, "came out with one class only"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate(Scenario(**options), rng=0)


@given(
    options=st.fixed_dictionaries(
        {
            "metric": st.sampled_from(sorted(SCORERS)),
            "policy": st.sampled_from(["public", "cv", "both", "previous", "random"]),
            "n_submissions": st.integers(1, 12),
            "null_fraction": st.sampled_from([0.0, 0.5, 1.0]),
            "nested": st.booleans(),
            "heavy_tails": st.booleans(),
            "group_size": st.sampled_from([1, 3, 50]),
            "cv_fraction": st.sampled_from([0.0, 0.5, 1.0]),
            "cv_noise": st.sampled_from([0.0, 0.5]),
            "cv_leak": st.sampled_from([0.0, 2.0]),
            "decimals": st.integers(0, 6),
            "parents": st.sampled_from(["declared", "described", "withheld"]),
            **{name: st.sampled_from([0.0, 0.15]) for name in EVENTFUL},
        }
    ),
    rng=st.integers(0, 2**32),
)
@settings(max_examples=60, deadline=None)
def test_invariants_hold_over_the_options(options, rng):
    scenario = Scenario(prevalence=0.5, **SMALL, **options)
    simulated = simulate(scenario, keep_rows=True, rng=rng)
    history, truth = simulated.history, simulated.truth
    n_submissions = options["n_submissions"]
    assert len(history) == len(truth.kind) == n_submissions
    assert truth.submission_id == tuple(item.submission_id for item in history)
    assert (truth.parent < np.arange(n_submissions)).all()
    orphan = truth.parent < 0
    assert orphan.tolist() == [kind in ("first", "probe") for kind in truth.kind]
    scored = np.array([kind != "failed" for kind in truth.kind])
    np.testing.assert_array_equal(np.isfinite(truth.score), scored)
    np.testing.assert_array_equal(np.isfinite(history.raw_scores("public")), scored)
    np.testing.assert_array_equal(truth.is_null, truth.gain == 0)
    assert np.isfinite(truth.gain).tolist() == (~orphan & scored).tolist()
    assert len(simulated.selected) == len(set(simulated.selected)) <= 2
    assert simulated.rows.test.shape == (900, n_submissions)
    assert simulated.rows.oof.shape == (600, n_submissions)
    assert simulated.rows.public_mask.sum() == 400
    times = [item.submitted_at for item in history]
    assert times == sorted(set(times))


def test_a_preset_is_a_scenario_with_a_seed_of_its_own():
    preset = PRESETS["honest_climber"]
    named = simulate("honest_climber")
    assert named.scenario == preset.scenario
    same = simulate(preset.scenario, rng=preset.seed)
    assert named.history == same.history
    assert named.history != simulate("honest_climber", rng=preset.seed + 1).history


def test_an_unknown_preset_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match="'nobody' is no preset. Presets are honest_"):
        simulate("nobody")
