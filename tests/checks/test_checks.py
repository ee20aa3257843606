"""Findings carry code, number, threshold and sample size, and a reason when silent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lbsense.analysis import analyze
from lbsense.checks import CHECKS, Findings, run_checks
from lbsense.model import Competition, DataWarning, History, Predictions, Submission
from lbsense.simulate import Scenario, simulate

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
CLIMBER = {"policy": "both", "null_fraction": 0.5, "step_size": 0.1}


def history(public, cv=None, *, competition=None, **columns):
    rows = [None] * len(public) if cv is None else cv
    submissions = tuple(
        Submission(
            submission_id=f"s{i}",
            public_score=p,
            cv_score=c,
            **{name: values[i] for name, values in columns.items()},
        )
        for i, (p, c) in enumerate(zip(public, rows, strict=True))
    )
    return History(
        competition=competition or Competition(greater_is_better=True),
        submissions=submissions,
    )


def by_code(observed, predictions=None, **options):
    analysis = analyze(observed)
    return {item.code: item for item in run_checks(analysis, predictions, **options)}


@pytest.fixture(scope="module")
def null():
    """Return findings of a history in which nothing was ever gained."""
    made = simulate(Scenario(null_fraction=1.0, n_public=1000, n_train=4000), rng=3)
    return by_code(made.history)


@pytest.fixture(scope="module")
def climb():
    """Return findings of an honest climb in large steps."""
    rng = np.random.default_rng(1)
    truth = 0.5 + np.cumsum(rng.uniform(0, 0.04, 20))
    noise = rng.normal(0, 0.002, (2, 20))
    return by_code(history(truth + noise[0], truth + noise[1]))


def test_without_cv_each_check_says_what_it_needs():
    found = by_code(history([0.7, 0.8]))
    assert {item.status for item in found.values()} == {"not_applicable"}
    assert all("need" in item.message.casefold() for item in found.values())


@pytest.mark.parametrize("observed", [history([]), history([0.7], [0.7])])
def test_little_is_no_error(observed):
    found = by_code(observed)
    assert not [item for item in found.values() if item.status == "flagged"]


def test_no_direction_is_no_error():
    found = by_code(history([0.7, 0.8] * 8, competition=Competition()))
    assert not [item for item in found.values() if item.status == "flagged"]


@pytest.mark.parametrize("code", ["LBS202", "LBS301", "LBS302", "LBS303", "LBS305"])
def test_pure_noise_is_flagged_as_such(null, code):
    assert null[code].status == "flagged"


@pytest.mark.parametrize(
    "code", ["LBS203", "LBS204", "LBS304", "LBS307", "LBS314", "LBS402", "LBS403"]
)
def test_pure_noise_is_not_blamed_for_more(null, code):
    assert null[code].status in ("passed", "not_applicable")


def test_an_honest_climb_passes(climb):
    assert not [item for item in climb.values() if item.status == "flagged"]
    for code in ("LBS201", "LBS202", "LBS301", "LBS302", "LBS303"):
        assert climb[code].status == "passed", code
    assert climb["LBS201"].n_obs == 19


def test_cv_that_has_nothing_to_do_with_large_gains_is_flagged():
    competition = Competition(
        metric="accuracy",
        greater_is_better=True,
        test_size=40_000,
        public_fraction=0.5,
        train_size=40_000,
    )
    statuses = []
    for seed in range(5):
        public, cv = 0.5 + np.random.default_rng(seed).normal(0, 0.05, (2, 60))
        found = by_code(history(public, cv, competition=competition))
        statuses.append(found["LBS201"].status)
    # One in ten passes by chance: that is the size of the test.
    assert statuses.count("flagged") >= 4


def test_an_offset_of_cv_is_told_with_its_direction():
    rng = np.random.default_rng(0)
    truth = 0.3 + rng.normal(0, 0.01, 20)
    competition = Competition(
        metric="accuracy",
        greater_is_better=True,
        test_size=20_000,
        public_fraction=0.5,
        train_size=10_000,
    )
    public = truth + rng.normal(0, 0.001, 20)
    found = by_code(history(public - 0.05, truth, competition=competition))["LBS203"]
    # sqrt(.3 * .7) * sqrt(2 / 10,000) = .0065: an offset of .05 is 7.7 of them.
    assert found.status == "flagged"
    np.testing.assert_allclose(found.value, 0.05 / 0.0065, rtol=0.06)
    assert "worse than CV" in found.message
    near = by_code(history(public - 0.005, truth, competition=competition))["LBS203"]
    assert near.status == "passed"


def test_a_change_of_scheme_is_passed_on():
    observed = history([0.7, 0.8], [0.7, 0.8])
    warned = replace(
        observed, warnings=(DataWarning(code="LBS108", message="cv, then holdout."),)
    )
    assert by_code(observed)["LBS204"].status == "passed"
    found = by_code(warned)["LBS204"]
    assert (found.status, found.message) == ("flagged", "cv, then holdout.")


def test_a_change_of_scheme_that_the_scores_show_is_flagged():
    rng = np.random.default_rng(7)
    truth = 0.7 + np.cumsum(rng.normal(0.001, 0.003, 30))
    public, cv = truth + rng.normal(0, 0.002, (2, 30))
    steady = by_code(history(public.tolist(), cv.tolist()))["LBS204"]
    cv[15:] += 0.1
    broken = by_code(history(public.tolist(), cv.tolist()))["LBS204"]
    assert (steady.status, broken.status) == ("passed", "flagged")
    assert "A new scale of CV begins at #16" in broken.message


def test_scores_in_any_order_are_guesses_and_a_rise_proves_nothing():
    rng = np.random.default_rng(2)
    found = by_code(history(rng.permutation(np.arange(20) / 100)))["LBS302"]
    assert (found.status, found.n_obs) == ("flagged", 20)
    rise = by_code(history(np.arange(20) / 100))["LBS302"]
    assert rise.status == "passed"
    assert "no proof of progress" in rise.message


def test_only_the_last_scores_count():
    public = [*np.arange(40) / 100, *(0.3 + np.arange(20) % 7 / 100)]
    assert by_code(history(public))["LBS302"].status == "flagged"


def test_a_run_of_weights_is_a_burst_and_a_line():
    texts = ["first model", *(f"blend w=0.{i} CV 0.7{i}" for i in range(2, 8)), "other"]
    found = by_code(history([0.7] * 8, description=texts))
    assert found["LBS307"].status == "flagged"
    assert found["LBS307"].value == 6
    assert "blend w=0.2 CV 0.72 to blend w=0.7" in found["LBS307"].message
    assert found["LBS314"].status == "flagged"
    assert found["LBS314"].value == 6
    assert "pattern of" in found["LBS314"].message


def test_different_models_are_neither():
    texts = ["lgbm", "catboost", "xgb + te", "mlp", "stack", "seed average", "svm"]
    days = [START + timedelta(days=i) for i in range(7)]
    found = by_code(history([0.7] * 7, description=texts, submitted_at=days))
    assert found["LBS307"].status == "passed"
    assert found["LBS314"].status == "passed"


def test_submissions_that_came_at_once_are_a_burst():
    times = [START + timedelta(minutes=5 * i) for i in range(6)]
    public = [0.7, 0.701, 0.702, 0.701, 0.702, 0.703]
    assert by_code(history(public, submitted_at=times))["LBS307"].status == "flagged"
    slow = [START + timedelta(hours=5 * i) for i in range(6)]
    assert by_code(history(public, submitted_at=slow))["LBS307"].value == 1


def test_dates_without_a_time_of_day_are_no_burst():
    days = [START.replace(hour=0)] * 6
    public = [0.7, 0.701, 0.702, 0.701, 0.702, 0.703]
    assert by_code(history(public, submitted_at=days))["LBS307"].value == 1


def test_runs_that_scatter_as_widely_as_steps_are_flagged():
    hashes = ["a", "b", "b", "b", "c", "d"]
    wide = by_code(history([0.70, 0.71, 0.74, 0.68, 0.712, 0.715], content_hash=hashes))
    assert wide["LBS308"].status == "flagged"
    assert wide["LBS308"].n_obs == 2
    tight = by_code(history([0.7, 0.8, 0.8, 0.8, 0.9, 0.95], content_hash=hashes))
    assert tight["LBS308"].status == "passed"


def test_moves_by_single_rows_are_flagged():
    competition = Competition(
        metric="accuracy",
        greater_is_better=True,
        test_size=20_000,
        public_fraction=0.5,
    )
    rows = 7000 + np.cumsum([0, *[1, 2, 3, 1, 1, 2] * 4])
    found = by_code(history(rows / 10_000, competition=competition))["LBS313"]
    assert found.status == "flagged"
    assert found.value == 24
    other = by_code(history(rows / 13_000, competition=competition))["LBS313"]
    assert other.status == "not_applicable"
    assert "no whole numbers" in other.message


@pytest.fixture
def probed():
    """Return a history and files: two models, two probes, blends, one changed row."""
    a, b = np.random.default_rng(0).random((2, 3000))
    blends = [w * a + (1 - w) * b for w in (0.2, 0.4, 0.6)]
    constant, few = np.full(3000, 0.5), np.full(3000, 0.5)
    few[:4] = 1.0
    repaired = a.copy()
    repaired[7] = 0.0
    files = np.column_stack([a, b, *blends, constant, few, repaired])
    names = tuple(f"s{i}" for i in range(files.shape[1]))
    competition = Competition(metric="roc_auc", greater_is_better=True)
    public = [0.7, 0.71, 0.72, 0.73, 0.74, 0.5, 0.501, 0.702]
    return (
        history(public, competition=competition),
        Predictions(test_names=names, test=files),
    )


def test_files_show_what_scores_do_not(probed):
    observed, files = probed
    without = by_code(observed)
    assert without["LBS311"].status == "not_applicable"
    found = by_code(observed, files)
    assert found["LBS311"].status == "flagged"
    assert found["LBS311"].value == 2  # constant and few rows, model and repair
    assert "s5 and s6" in found["LBS311"].message
    assert found["LBS312"].status == "flagged"
    assert found["LBS312"].value == 2
    assert found["LBS314"].status == "flagged"
    assert found["LBS314"].value == 5


def test_files_of_labels_may_hold_two_values(probed):
    observed, files = probed
    labels = replace(observed.competition, metric="accuracy")
    found = by_code(replace(observed, competition=labels), files)["LBS312"]
    assert (found.status, found.value) == ("passed", 1)


def test_files_of_several_outputs_are_looked_at():
    test = np.random.default_rng(0).random((50, 2, 3))
    test[:, 1] = test[:, 0]
    test[0, 1, 2] = 0.0
    files = Predictions(test_names=("s0", "s1", "stranger"), test=test[:, [0, 1, 1]])
    found = by_code(history([0.7, 0.8]), files)["LBS311"]
    assert (found.status, found.n_obs) == ("flagged", 2)


def test_a_described_probe_counts_without_files():
    texts = ["LB probe 1", "LB probe 2", "model"]
    found = by_code(history([0.5, 0.6, 0.7], description=texts))["LBS312"]
    assert (found.status, found.value) == ("flagged", 2)


def test_private_scores_tell_a_shift():
    made = simulate(Scenario(**CLIMBER, n_public=4000, shift=1.0), rng=0)
    found = by_code(made.history)
    assert found["LBS403"].status == "flagged"
    assert "worse than public" in found["LBS403"].message
    assert found["LBS402"].status == "flagged"
    before = by_code(made.before_close())
    for code in ("LBS401", "LBS402", "LBS403"):
        assert before[code].status == "not_applicable"


def test_a_poor_selection_is_flagged_and_a_good_one_is_not():
    made = simulate(Scenario(**CLIMBER), rng=0)
    private = made.history.scores("private")
    for choice, status in ((np.argmin, "flagged"), (np.argmax, "passed")):
        chosen = int(choice(private))
        submissions = tuple(
            replace(item, selected=index == chosen)
            for index, item in enumerate(made.history)
        )
        found = by_code(replace(made.history, submissions=submissions))["LBS401"]
        assert found.status == status
    unknown = tuple(replace(item, selected=None) for item in made.history)
    found = by_code(replace(made.history, submissions=unknown))["LBS401"]
    assert "selected" in found.message


@pytest.mark.parametrize("metric", ["roc_auc", "rmse"])
def test_findings_do_not_depend_on_the_direction_of_the_metric(metric):
    made = simulate(Scenario(metric=metric, n_submissions=25), rng=2)
    competition = made.history.competition
    flipped = tuple(
        replace(
            item,
            public_score=-item.public_score,
            private_score=-item.private_score,
            cv_score=-item.cv_score,
        )
        for item in made.history
    )
    plain = replace(competition, metric=None)
    mirrored = replace(plain, greater_is_better=not plain.greater_is_better)
    one = by_code(replace(made.history, competition=plain))
    other = by_code(History(competition=mirrored, submissions=flipped))
    for code, item in one.items():
        assert item.status == other[code].status, code
        np.testing.assert_allclose(
            np.array(item.value, float), np.array(other[code].value, float), rtol=1e-6
        )


def test_muted_checks_are_made_and_do_not_flag(null):
    made = simulate(Scenario(null_fraction=1.0, n_public=1000, n_train=4000), rng=3)
    analysis = analyze(made.history)
    findings = run_checks(analysis, mute=("LBS301", "LBS304"))
    found = {item.code: item for item in findings}
    assert found["LBS301"].status == "muted"
    assert found["LBS301"].value == null["LBS301"].value
    assert found["LBS304"] == null["LBS304"]  # passed: nothing to mute
    assert "LBS301" not in [item.code for item in findings.flagged]
    one = run_checks(analysis, mute="LBS301")
    assert [item.status for item in one] == [
        "muted" if item.code == "LBS301" else null[item.code].status for item in one
    ]


def test_an_unknown_code_cannot_be_muted():
    with pytest.raises(ValueError, match="mute holds LBS101, LBS999.*Checks are LBS2"):
        run_checks(analyze(history([0.7])), mute=["LBS999", "LBS101"])


def test_codes_are_unique_and_ordered():
    findings = run_checks(analyze(history([0.7], [0.7])))
    codes = [item.code for item in findings]
    assert codes == sorted(set(codes))
    assert len(findings) == len(CHECKS)
    assert isinstance(findings, Findings)
    json.dumps(findings.to_list(), allow_nan=False)
    assert findings.to_frame()["code"].tolist() == codes


def test_every_flag_shows_its_evidence(null):
    for item in null.values():
        assert item.severity in ("info", "notice", "warning")
        if item.status in ("flagged", "passed"):
            assert np.isfinite(item.value), item.code
            assert np.isfinite(item.threshold), item.code
            assert item.n_obs > 0, item.code
        assert "nan" not in item.message.split(), item.code


def test_the_analysis_is_not_changed():
    analysis = analyze(simulate(Scenario(n_submissions=10), rng=0).history)
    before = str(analysis.to_dict())
    run_checks(analysis)
    assert str(analysis.to_dict()) == before


@pytest.mark.slow
def test_honest_climbers_are_seldom_blamed():
    wrong = []
    for seed in range(30):
        made = simulate(
            Scenario(**CLIMBER, n_public=2000, n_train=4000), rng=500 + seed
        )
        found = by_code(made.before_close())
        wrong.append([found[c].status == "flagged" for c in _BLAMES])
    assert (np.mean(wrong, axis=0) <= 0.15).all()


_BLAMES = ("LBS201", "LBS203", "LBS204", "LBS304", "LBS307", "LBS314")


def test_the_share_of_the_climb_decides_and_not_the_number_of_rises():
    """A large true jump among many lucky rises is no climb by luck."""
    rng = np.random.default_rng(5)
    truth = np.append(np.full(15, 0.70), np.full(15, 0.80))
    public, cv = truth + rng.normal(0, 0.002, (2, 30))
    analysis = analyze(history(public.tolist(), cv.tolist()))
    found = {item.code: item for item in run_checks(analysis)}["LBS301"]
    assert found.status == "passed"
    assert found.value == analysis.luck.climb_share < 0.2
