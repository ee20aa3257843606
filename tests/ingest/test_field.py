"""Histories in the shapes that people hold them, where the folder of them is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbsense.analysis import analyze
from lbsense.checks import run_checks
from lbsense.errors import IngestError
from lbsense.ingest import read_submissions
from lbsense.words import next_fact

FIELD_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "field"


@pytest.fixture
def read():
    """Return a reader of the file whose name begins so; skip without the folder."""
    if not FIELD_DATA.is_dir():
        pytest.skip("the field histories are kept beside the project and are not here")

    def reader(start, **options):
        [path] = FIELD_DATA.glob(f"{start}-*")
        return read_submissions(path, **options)

    return reader


def cv_of(history):
    return [item.cv_score for item in history]


def unread(history):
    return {issue.column for issue in history.dropped if "not read" in issue.action}


def codes(history):
    return {warning.code for warning in history.warnings}


def test_every_file_is_read_and_analysed_or_refused_in_words():
    if not FIELD_DATA.is_dir():
        pytest.skip("the field histories are kept beside the project and are not here")
    refusals = []
    for path in sorted(FIELD_DATA.iterdir()):
        if path.name == "README.md":
            continue
        try:
            history = read_submissions(path, greater_is_better=True)
        except IngestError as error:
            refusals.append(str(error))
            continue
        analysis = analyze(history)
        assert len(analysis.steps) == len(history) > 0
        run_checks(analysis)
    assert all(len(text) > 40 for text in refusals)


def test_a_hash_in_a_description_is_text(read):
    history = read("01", metric="roc_auc")
    assert [item.parent_id for item in history] == [None, None]
    run_checks(analyze(history))


def test_percent_beside_shares(read):
    history = read("02c", metric="accuracy")
    assert cv_of(history)[:2] == [0.801, 0.815]
    assert "LBS116" in codes(history)


def test_the_cv_of_the_metric(read):
    history = read("05", metric="mae")
    assert (history[0].cv_score, history[0].cv_std) == (17120.5, 1650.1)
    assert history[3].public_score == 13902.4
    assert unread(history) == {"CV MAPE"}
    history = read("24", metric="log_loss")
    assert cv_of(history) == [0.41, 0.40]
    assert unread(history) == {"CV (AUC)"}


@pytest.mark.parametrize(
    ("start", "metric", "columns"),
    [("20", "f1", {"Subset CV", "All CV"}), ("22", "roc_auc", {"auc"})],
)
def test_columns_that_may_be_the_cv_are_named(read, start, metric, columns):
    history = read(start, metric=metric)
    assert set(cv_of(history)) == {None}
    assert unread(history) == columns
    assert "LBS115" in codes(history)


def test_mean_of_the_folds_and_its_spread(read):
    history = read("20b", metric="f1")
    assert [(item.cv_score, item.cv_std) for item in history] == [
        (0.8, 0.01),
        (0.81, 0.02),
    ]


def test_equal_words_are_no_equal_content(read):
    analysis = analyze(read("07", metric="accuracy"))
    assert "repeat" not in analysis.counts()


def test_a_repeat_of_what_has_no_score(read):
    step = analyze(read("08", greater_is_better=True)).steps[3]
    assert (step.verdict, step.reference_id) == ("repeat", "9003")
    assert "which has no score" in step.sentence


def test_probes_by_what_they_are(read):
    analysis = analyze(read("09", greater_is_better=False))
    verdicts = [step.verdict for step in analysis.steps]
    assert [verdict == "probe" for verdict in verdicts] == [False] * 3 + [True] * 2


def test_cv_that_is_given_is_not_asked_for(read):
    sizes = {"train_size": 300_000, "test_size": 50_000, "public_fraction": 0.2}
    analysis = analyze(read("13", metric="roc_auc", **sizes))
    assert next_fact(analysis).startswith("CV scores for at least 5 steps")
    assert "public scores alone" not in analysis.steps[1].sentence


def test_the_column_of_a_log_by_name():
    if not FIELD_DATA.is_dir():
        pytest.skip("the field histories are kept beside the project and are not here")
    history, log = FIELD_DATA / "19-history.csv", FIELD_DATA.glob("19-two-*")
    options = {"metric": "roc_auc", "cv_log": next(log)}
    with pytest.raises(IngestError, match="--columns cv_score=oof_auc_mean"):
        read_submissions(history, **options)
    found = read_submissions(history, columns={"cv": "holdout_auc"}, **options)
    assert cv_of(found) == [0.9437, 0.9438, 0.9441]


@pytest.mark.parametrize("key", ["lb", "public", "public_score"])
def test_short_names_of_columns(read, key):
    assert len(read("17b", metric="f1", columns={key: "LB"})) == 3
