"""Shapes in which people hold their histories, where the folder of them is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from lbsense.analysis import analyze
from lbsense.checks import run_checks
from lbsense.ingest import read_submissions

FIELD = Path(__file__).resolve().parents[3] / "shared" / "data" / "field"


def read(name: str, **options):
    if not FIELD.is_dir():
        pytest.skip("shapes from the field are kept beside the project, not here")
    [path] = FIELD.glob(f"{name}-*")
    history = read_submissions(path, **options)
    run_checks(analyze(history))
    return history


def public(history):
    return [item.public_score for item in history]


def test_a_number_sign_is_text():
    assert len(read("01", metric="roc_auc")) == 2


def test_one_of_several_tables():
    history = read("04", greater_is_better=True)
    assert [item.title for item in history] == ["v1", "v2", "v3", "v4"]
    assert history.reading.table == "the first of 3 tables ('Complete history')"
    assert public(read("04b", metric="mae")) == [14320, 14012, 13941, 13702]
    assert public(read("21", greater_is_better=True)) == [0.41, 0.54, 0.59]


def test_cells_as_people_write_them():
    history = read("05", metric="mae")
    assert history[0].cv_score == 17120.5
    assert history[0].cv_std == 1650.1
    assert history[3].public_score == 13902.4
    assert public(read("10", greater_is_better=True)) == [0.276, 0.284, 0.288, None]
    assert public(read("11", metric="roc_auc")) == [0.7701, 0.7720, 0.7694, 0.7735]


def test_dates_of_another_language():
    names = [item.file_name for item in read("06", metric="log_loss")]
    assert names == ["first.csv", "second.csv", "third.csv", "best.csv"]


def test_what_was_never_submitted():
    found = [item.status for item in read("12", metric="f1")]
    assert found == ["complete", "unknown", "unknown", "complete"]


def test_a_list_sorted_by_score():
    history = read("14", metric="roc_auc")
    assert history.reading.order == "counter"  # the ages tell it
    assert [item.file_name for item in history][-3:] == ["f.csv", "h.csv", "i.csv"]
    told = next(item.message for item in history.warnings if item.code == "LBS109")
    assert "in the order of 'Status', which is not that of the list, which is" in told
    scores = ["0.69", "0.68", "0.67", "0.66", "0.65"]
    listed = "name,LB\n" + "".join(f"m{x},{x}\n" for x in scores)
    assert read_submissions(listed, metric="roc_auc").reading.order == "score"


def test_names():
    history = read("17", metric="roc_auc")
    assert [item.title for item in history] == ["V1 baseline", "V2 stack"]
    assert [item.submission_id for item in history] == ["7001", "7002"]
    other = read("17", metric="roc_auc", table=2)
    assert [item.title for item in other] == ["exp0003", "exp0004"]
    history = read("17b", metric="f1")
    assert [item.title for item in history] == ["base", "wide", "wide"]


def test_a_counter_that_runs_down():
    history = read("25", metric="f1")
    assert [item.title for item in history] == ["a", "b", "c"]


def test_three_rows_have_no_interval():
    analysis = analyze(read("15", metric="rmse"))
    assert not any("nan" in text for text in analysis.retrospective.lessons)


def test_every_file_is_read_and_stated():
    if not FIELD.is_dir():
        pytest.skip("shapes from the field are kept beside the project, not here")
    for path in sorted(FIELD.iterdir()):
        if path.name != "README.md" and not path.name.startswith("19-two"):
            history = read_submissions(path, greater_is_better=True)
            assert history.reading.n_submissions == len(history) > 0
