"""Predictions in, level D out: what is used, what is not, and the reason why."""

from __future__ import annotations

import dataclasses
import itertools
import json
import warnings

import numpy as np
import pytest

from lbsense import noise_of
from lbsense.analysis import analyze
from lbsense.errors import LbsenseWarning
from lbsense.model import Predictions
from lbsense.simulate import Scenario, simulate

K = 12


@pytest.fixture(scope="module")
def made():
    return simulate(
        Scenario(
            n_submissions=K, n_public=600, n_private=600, n_train=800, null_fraction=0.3
        ),
        rng=1,
        keep_rows=True,
    )


def predictions(made, which=None, *, names=None, oof=None, labels=None):
    which = list(range(K)) if which is None else which
    rows = made.rows
    oof = rows.oof if oof is None else oof
    return Predictions(
        oof_names=tuple(names or (made.truth.submission_id[i] for i in which)),
        oof=oof[:, which],
        labels=rows.y_train if labels is None else labels,
    )


def with_competition(history, **fields):
    competition = dataclasses.replace(history.competition, **fields)
    return dataclasses.replace(history, competition=competition)


def without_cv(history):
    items = (
        dataclasses.replace(item, cv_score=None, cv_source=None) for item in history
    )
    return dataclasses.replace(history, submissions=tuple(items))


def test_predictions_give_level_d_and_the_joint_noise(made):
    analysis = analyze(made.before_close(), predictions(made))
    assert analysis.level == "D"
    assert "joint" not in analysis.notes
    alone = noise_of(predictions(made), "roc_auc", n=600, rng=0)
    np.testing.assert_allclose(analysis.joint.row_covariance, alone.row_covariance)
    # The noise of a score is that of its rows: the median over the submissions.
    typical = np.median(np.diag(alone.row_covariance)) / 600
    rounding = analysis.noise.rounding_se**2 / 2
    np.testing.assert_allclose(analysis.levels.score_public_var, typical + rounding)


def test_public_noise_of_a_step_is_that_of_its_rows(made):
    analysis = analyze(made.before_close(), predictions(made))
    parent = made.truth.parent
    rows = analysis.joint.row_covariance
    own = np.arange(K)
    variance = (rows[own, own] + rows[parent, parent] - 2 * rows[own, parent]) / 600
    expected = np.sqrt(variance + analysis.noise.rounding_se**2)
    np.testing.assert_allclose(
        analysis.posterior.public_se[1:], expected[1:], rtol=0.02
    )


def test_out_of_fold_scores_stand_in_for_cv_that_was_not_logged(made):
    analysis = analyze(without_cv(made.before_close()), predictions(made))
    scores = analysis.joint.scores
    steps = analysis.steps
    np.testing.assert_allclose(
        [step.cv_gain for step in steps[1:]],
        (scores - scores[made.truth.parent])[1:],
        atol=1e-9,
    )
    assert analysis.level == "D"
    assert analysis.luck


def test_smaller_is_better_is_turned_over():
    made = simulate(
        Scenario(metric="rmse", n_submissions=10, n_public=500, n_train=600),
        rng=3,
        keep_rows=True,
    )
    given = Predictions(
        oof_names=made.truth.submission_id, oof=made.rows.oof, labels=made.rows.y_train
    )
    analysis = analyze(without_cv(made.before_close()), given)
    assert analysis.level == "D"
    logged = analyze(made.before_close(), given)
    np.testing.assert_allclose(
        [step.cv_gain for step in analysis.steps[1:]],
        [step.cv_gain for step in logged.steps[1:]],
        atol=2e-3,
    )
    assert (analysis.levels.mean > 0).all()  # an error, as the board shows it


def test_file_names_name_submissions_too(made):
    history = made.before_close()
    items = (
        dataclasses.replace(item, file_name=f"model_{index}.csv")
        for index, item in enumerate(history)
    )
    history = dataclasses.replace(history, submissions=tuple(items))
    named = predictions(made, names=[f"model_{i}" for i in range(K)])
    assert analyze(history, named).level == "D"


def test_a_file_name_that_two_submissions_share_names_neither(made):
    history = made.before_close()
    items = (dataclasses.replace(item, file_name="submission.csv") for item in history)
    history = dataclasses.replace(history, submissions=tuple(items))
    named = predictions(made, [0, 1], names=["submission", "other"])
    analysis = analyze(history, named)
    assert not analysis.joint
    assert "names are submission ids or file names" in analysis.notes["joint"]


@pytest.mark.parametrize("which", [[0, 1], [0, 3, 5], [4, 9]])
def test_predictions_of_some_submissions_are_enough(made, which):
    analysis = analyze(made.before_close(), predictions(made, which))
    assert analysis.level == "D"
    left = K - len(which)
    assert f"{left} scored submissions came without" in analysis.notes["joint"]
    assert np.isfinite(analysis.levels.spread.matrix()).all()
    assert np.isfinite(analysis.posterior.p_gain[1:]).all()


REASONS = {
    "one": "1 of their 1 name",
    "strangers": "0 of their 12 names",
    "no labels": "they hold no labels",
    "no oof": "no out-of-fold predictions",
    "one class": "AUC needs both classes",
    "no metric": "the metric is not named",
    "no size": "the size of the public set is not known",
}


@pytest.mark.parametrize("case", REASONS)
def test_predictions_that_cannot_be_used_are_said_to_be_and_do_no_harm(made, case):
    history = made.before_close()
    given = {
        "one": lambda: predictions(made, [3]),
        "strangers": lambda: predictions(made, names=[f"x{i}" for i in range(K)]),
        "no labels": lambda: Predictions(
            oof_names=made.truth.submission_id, oof=made.rows.oof
        ),
        "no oof": lambda: Predictions(labels=made.rows.y_train),
        "one class": lambda: predictions(made, labels=np.zeros(800)),
        "no metric": lambda: predictions(made),
        "no size": lambda: predictions(made),
    }[case]()
    if case == "no metric":
        history = with_competition(history, metric=None, greater_is_better=True)
    if case == "no size":
        history = with_competition(history, test_size=None)
    analysis = analyze(history, given)
    assert not analysis.joint
    assert analysis.level == "B"
    assert "The predictions were not used" in analysis.notes["joint"]
    assert REASONS[case] in analysis.notes["joint"]
    plain = analyze(history)
    np.testing.assert_array_equal(analysis.posterior.p_gain, plain.posterior.p_gain)


@pytest.mark.parametrize("cv", [True, False])
@pytest.mark.parametrize("case", ["perfect", "constant", "half perfect", "same"])
def test_predictions_without_any_noise_do_not_end_in_a_crash(made, case, cv):
    perfect = np.repeat(made.rows.y_train[:, np.newaxis], K, axis=1).astype(float)
    oof = {
        "perfect": perfect,
        "constant": np.full_like(made.rows.oof, 0.5),
        "half perfect": np.where(np.arange(K) % 2, perfect, made.rows.oof),
        "same": np.repeat(made.rows.oof[:, :1], K, axis=1),
    }[case]
    history = made.before_close() if cv else without_cv(made.before_close())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LbsenseWarning)
        analysis = analyze(history, predictions(made, oof=oof))
    json.dumps(analysis.to_dict(), allow_nan=False)
    assert "progress" not in analysis.counts() or case == "half perfect"
    assert analysis.headline


def test_cv_that_was_withheld_leaves_the_noise_of_the_rows(made):
    # CV that falls where the public score rises: another direction, or a leak.
    history = made.before_close()
    items = (
        dataclasses.replace(item, cv_score=1 - item.public_score) for item in history
    )
    history = dataclasses.replace(history, submissions=tuple(items))
    analysis = analyze(history, predictions(made))
    assert "was not used" in analysis.notes["cv"]
    assert analysis.level == "D"
    assert all(step.cv_gain is None for step in analysis.steps)
    assert np.isfinite(analysis.posterior.public_se[1:]).all()


def test_one_submission_with_predictions_is_no_step(made):
    history = dataclasses.replace(
        made.before_close(), submissions=made.before_close().submissions[:1]
    )
    analysis = analyze(history, predictions(made, [0]))
    assert analysis.counts() == {"baseline": 1}
    assert not analysis.joint


def test_two_submissions_are_judged_by_their_rows(made):
    history = dataclasses.replace(
        made.before_close(), submissions=made.before_close().submissions[:2]
    )
    analysis = analyze(history, predictions(made, [0, 1]))
    assert analysis.level == "D"
    assert analysis.steps[1].p_gain is not None


@pytest.mark.slow
def test_claims_of_level_d_are_calibrated():
    chances, truths, false, covered = [], [], [], []
    for seed in range(40):
        made = simulate(
            Scenario(
                n_submissions=25,
                n_public=2000,
                n_private=800,
                n_train=4000,
                step_size=0.08,
                null_fraction=(0.4, 0.8)[seed % 2],
            ),
            rng=300 + seed,
            keep_rows=True,
        )
        given = Predictions(
            oof_names=made.truth.submission_id,
            oof=made.rows.oof,
            labels=made.rows.y_train,
        )
        analysis = analyze(made.before_close(), given)
        posterior, truth = analysis.posterior, made.truth.gain
        known = np.isfinite(posterior.p_gain)
        chances.append(posterior.p_gain[known])
        truths.append((truth > posterior.rope)[known])
        inside = (posterior.ci_low <= truth) & (truth <= posterior.ci_high)
        covered.append(inside[known])
        words = np.array([step.verdict for step in analysis.steps])
        false += list(truth[words == "progress"] <= 0)
        false += list(truth[words == "setback"] >= 0)
    assert len(false) >= 20
    assert np.mean(false) <= 0.1 + 2 * np.sqrt(0.09 / len(false))
    slope = np.polyfit(np.concatenate(chances), np.concatenate(truths), 1)[0]
    assert 0.85 <= slope <= 1.15  # the aim of docs/calibration.md
    assert np.concatenate(covered).mean() >= 0.93  # nothing lies in most of them


def files(made, which=None, **changed):
    which = list(range(K)) if which is None else which
    test = made.rows.test.copy()
    for column, values in changed.items():
        test[:, int(column[1:])] = values
    return Predictions(
        test_names=tuple(made.truth.submission_id[i] for i in which),
        test=test[:, which],
    )


def test_submission_files_alone_give_the_noise_of_steps(made):
    history = without_cv(made.before_close())
    bare, analysis = analyze(history), analyze(history, files(made))
    assert (bare.level, bare.claims) == ("A+", "real")
    assert (analysis.level, analysis.claims) == ("D", "both")
    assert "without labels" in analysis.notes["noise"]
    assert not analysis.joint
    # As DeLong's with the labels of the test rows, which nobody but we hold.
    rows, parent = made.rows, made.truth.parent
    hidden = Predictions(
        oof_names=made.truth.submission_id, oof=rows.test, labels=rows.y_test
    )
    true = noise_of(hidden, "roc_auc", n=600, rng=0).difference_se
    own = np.arange(1, K)
    ratio = analysis.posterior.public_se[1:] / true[own, parent[1:]]
    assert (np.abs(np.log(ratio)) < np.log(1.5)).all()
    assert analysis.picks.basis == "levels"


def test_files_beside_cv_leave_cv_on_its_own_scale(made):
    history = made.before_close()
    items = (
        dataclasses.replace(item, cv_score=100 * item.cv_score + 3) for item in history
    )
    percent = dataclasses.replace(history, submissions=tuple(items))
    one, other = (analyze(h, files(made)) for h in (history, percent))
    assert [s.verdict for s in one.steps] == [s.verdict for s in other.steps]
    np.testing.assert_allclose(one.cv_scale, 100 * other.cv_scale)


def test_labels_come_before_files(made):
    both = dataclasses.replace(
        predictions(made), test=made.rows.test, test_names=made.truth.submission_id
    )
    analysis = analyze(made.before_close(), both)
    assert analysis.joint
    assert "noise" not in analysis.notes
    # Labels that cannot be used leave the files.
    broken = dataclasses.replace(both, labels=np.zeros(800))
    analysis = analyze(made.before_close(), broken)
    assert not analysis.joint
    assert "without labels" in analysis.notes["noise"]


def test_equal_files_are_one_content_and_unequal_ones_are_not(made):
    history = made.before_close()
    score = history[3].public_score
    items = [
        dataclasses.replace(item, public_score=score) if index == 5 else item
        for index, item in enumerate(history)
    ]
    alike = dataclasses.replace(history, submissions=tuple(items))
    copied = files(made, c5=made.rows.test[:, 3])
    assert analyze(alike, files(made)).steps[5].verdict != "repeat"
    assert analyze(alike, copied).steps[5].verdict == "repeat"
    # Scores that differ say that one of the two files was not sent.
    analysis = analyze(history, copied)
    assert analysis.steps[5].verdict != "repeat"
    assert "are these the files that were sent?" in analysis.notes["files"]


def test_a_digest_counts_where_only_one_of_two_files_is_there(made):
    history = made.before_close()
    items = [
        dataclasses.replace(
            item, content_hash="same", public_score=history[3].public_score
        )
        if index in (3, 5)
        else item
        for index, item in enumerate(history)
    ]
    alike = dataclasses.replace(history, submissions=tuple(items))
    assert analyze(alike, files(made, [0, 1, 2, 3])).steps[5].verdict == "repeat"


def test_files_of_some_submissions_are_enough(made):
    analysis = analyze(made.before_close(), files(made, [0, 1, 4]))
    assert analysis.level == "D"
    assert f"{K - 3} scored submissions came without" in analysis.notes["joint"]
    assert np.isfinite(analysis.posterior.p_gain[1:]).all()


@pytest.mark.slow
def test_files_alone_are_calibrated_where_models_are_trained():
    near, held, wrong = [], [], []
    metrics = ("roc_auc", "log_loss", "accuracy", "rmse", "mae")
    for seed, metric in itertools.product(range(4), metrics):
        scenario = Scenario(
            world="trained", metric=metric, n_public=1500, n_submissions=25
        )
        made = simulate(scenario, rng=seed, keep_rows=True)
        rows, names = made.rows, made.truth.submission_id
        history = without_cv(made.before_close())
        analysis = analyze(history, Predictions(test_names=names, test=rows.test))
        hidden = Predictions(oof_names=names, oof=rows.test, labels=rows.y_test)
        true_se = noise_of(hidden, metric, n=1500, rng=0).difference_se
        score = history.competition.direction() * made.truth.score
        place = {item.submission_id: k for k, item in enumerate(history)}
        for k, step in enumerate(analysis.steps):
            if step.p_gain is None:
                continue
            r = place[step.reference_id]
            if true_se[k, r] > 0:
                near.append(abs(np.log(step.public_gain_se / true_se[k, r])))
            gain = score[k] - score[r]
            held.append(step.gain_low <= gain <= step.gain_high)
            if step.verdict in ("progress", "setback"):
                wrong.append((gain > 0) != (step.verdict == "progress"))
    assert np.mean(np.array(near) < np.log(1.5)) > 0.9
    assert np.mean(held) > 0.92
    assert len(wrong) > 50
    assert np.mean(wrong) <= 0.1 + 2 * np.sqrt(0.09 / len(wrong))


def test_cv_whose_scheme_changes_gives_way_to_out_of_fold_scores(made):
    history = made.before_close()
    items = [
        dataclasses.replace(item, cv_score=item.cv_score + (0.3 if k >= 6 else 0.0))
        for k, item in enumerate(history)
    ]
    broken = dataclasses.replace(history, submissions=tuple(items))
    seen = analyze(broken, predictions(made))
    bare = analyze(without_cv(history), predictions(made))
    assert "change their scheme" in str(seen.caveat("cv"))
    assert [s.cv_gain for s in seen.steps] == [s.cv_gain for s in bare.steps]
    assert [s.p_gain for s in seen.steps] == [s.p_gain for s in bare.steps]
