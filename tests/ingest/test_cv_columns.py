"""Which column is the CV score: the one that names the metric, else none is guessed."""

from __future__ import annotations

import pytest

from lbsense.ingest import read_submissions, read_table
from lbsense.metrics import METRICS


def table(headings, *rows, **options):
    lines = [["model", *headings, "Public LB"], *rows]
    return read_table("\n".join(",".join(map(str, line)) for line in lines), **options)


@pytest.mark.parametrize(
    ("heading", "scheme"),
    [
        ("CV fold mean", "cv"),
        ("Mean ± Std", "cv"),
        ("CV MAE (Mean ± Std)", "cv"),
        ("All CV", "cv"),
        ("OOF", "oof"),
        ("oof_auc_mean", "oof"),
        ("valid", "validation"),
        ("local", "local"),
        ("holdout", "holdout"),
        ("Held-out score", "holdout"),
        ("线下", "local"),
        ("线下分数", "local"),
        ("本地验证", "validation"),
        ("ローカルCV", "cv"),
        ("検証", "validation"),
        ("검증", "validation"),
        ("로컬 점수", "local"),
        ("교차 검증", "cv"),
        ("валидация", "validation"),
        ("локальная", "local"),
        ("validação", "validation"),
        ("validación cruzada", "cv"),
        ("validation croisée", "cv"),
        ("Kreuzvalidierung", "cv"),
    ],
)
def test_headings_of_a_cv_score(heading, scheme):
    [item] = table([heading], ["a", 0.5, 0.4])
    assert (item.cv_score, item.cv_scheme) == (0.5, scheme)


@pytest.mark.parametrize("metric", METRICS)
def test_cv_and_the_name_of_any_metric(metric):
    [item] = table([f"CV {metric}"], ["a", 0.5, 0.4])
    assert item.cv_score == 0.5


@pytest.mark.parametrize(
    "heading",
    ["cv_gap", "cv - lb", "n_folds", "CV rank", "val_size", "train cv", "CV std"],
)
def test_other_quantities_of_validation(heading):
    [item] = table([heading], ["a", 0.5, 0.4])
    assert item.cv_score is None


@pytest.mark.parametrize(
    ("metric", "score"), [("log_loss", 0.41), ("roc_auc", 0.81), (None, None)]
)
def test_the_column_that_names_the_metric(metric, score):
    history = table(["CV (AUC)", "CV (logloss)"], ["a", 0.81, 0.41, 0.4], metric=metric)
    assert history[0].cv_score == score
    named = {issue.column for issue in history.dropped}
    assert named == {"CV (AUC)", "CV (logloss)"} - (
        {"CV (AUC)" if metric == "roc_auc" else "CV (logloss)"} if metric else set()
    )


def test_mean_and_spread_beside_the_cv_of_another_metric():
    text = (
        "| Run | CV MAE (Mean ± Std) | CV MAPE | Kaggle Score |\n|---|---|---|---|\n"
        "| 001 | 812.50 ± 16.10 | 9.10% | 790.20 |\n"
        "| 002 | 801.70 ± 14.30 | 8.70% | 781.55 |\n"
    )
    history = read_submissions(text, metric="mae")
    assert [(item.cv_score, item.cv_std) for item in history] == [
        (812.5, 16.1),
        (801.7, 14.3),
    ]
    [issue] = history.dropped
    assert (issue.column, issue.found) == ("CV MAPE", "a CV score of another metric")


def test_the_only_cv_is_of_another_metric():
    history = table(["CV AUC"], ["a", 0.8, 0.4], metric="log_loss")
    assert history[0].cv_score is None
    assert "columns={'cv_score': 'CV AUC'}" in history.dropped[0].action
    taken = table(
        ["CV AUC"], ["a", 0.8, 0.4], metric="log_loss", columns={"cv": "CV AUC"}
    )
    assert taken[0].cv_score == 0.8


@pytest.mark.parametrize(
    "headings",
    [
        ("OOF", "Holdout"),
        ("valid", "oof_score"),
        ("oof_auc_mean", "holdout_auc"),
        ("CV", "Local CV"),
    ],
)
def test_two_columns_that_are_surely_cv_are_both_read(headings):
    history = table(headings, ["a", 0.7, 0.8, 0.75], metric="roc_auc")
    assert history[0].cv_score == 0.7
    assert history[0].cv_others == ((headings[1], 0.8),)
    assert history.dropped == ()
    named = f"CV from {headings[0]!r}, further CV from {headings[1]!r}"
    assert named in str(history.reading)
    chosen = table(headings, ["a", 0.7, 0.8, 0.75], columns={"cv": headings[1]})
    assert (chosen[0].cv_score, chosen[0].cv_others) == (0.8, ())
    both = table(headings, ["a", 0.7, 0.8, 0.75], columns={"cv": list(headings[::-1])})
    assert (both[0].cv_score, both[0].cv_others) == (0.8, ((headings[0], 0.7),))


@pytest.mark.parametrize(
    "headings", [("Subset CV", "All CV"), ("CV (AUC)", "CV (logloss)")]
)
def test_two_columns_that_nothing_tells_apart(headings):
    history = table(headings, ["a", 0.7, 0.8, 0.75])
    assert history[0].cv_score is None
    assert [issue.column for issue in history.dropped] == list(headings)
    [warning] = [item for item in history.warnings if item.code == "LBS115"]
    assert all(repr(heading) in warning.message for heading in headings)
    chosen = table(headings, ["a", 0.7, 0.8, 0.75], columns={"cv": headings[1]})
    assert chosen[0].cv_score == 0.8
    assert not any(item.code == "LBS115" for item in chosen.warnings)


def test_a_column_called_cv_goes_before_its_rivals():
    history = table(["OOF", "CV"], ["a", 0.7, 0.8, 0.75])
    assert history[0].cv_score == 0.8
    assert history[0].cv_others == (("OOF", 0.7),)


def test_one_value_in_two_columns_is_one():
    history = table(["OOF", "valid"], ["a", 0.7, 0.7, 0.75])
    assert history[0].cv_score == 0.7


@pytest.mark.parametrize("heading", ["auc", "Subset CV"])
def test_a_column_that_may_be_the_cv_is_named(heading):
    history = table([heading], ["a", 0.7, 0.75])
    assert history[0].cv_score is None
    [issue] = history.dropped
    assert issue.column == heading
    assert (
        table([heading], ["a", 0.7, 0.75], columns={"cv": heading})[0].cv_score == 0.7
    )


def test_a_cv_in_percent_beside_shares():
    rows = [[name, 80 + step, 0.79 + step / 100] for step, name in enumerate("abcd")]
    history = table(["CV"], *rows, metric="accuracy")
    assert [item.cv_score for item in history] == pytest.approx([0.8, 0.81, 0.82, 0.83])
    [warning] = [item for item in history.warnings if item.code == "LBS116"]
    assert "percent" in warning.message


def test_a_cv_as_share_beside_percent_stays_and_is_said():
    rows = [[name, 0.80 + step / 100, 79 + step] for step, name in enumerate("abcd")]
    history = table(["CV"], *rows, greater_is_better=True)
    assert history[0].cv_score == pytest.approx(80)
    assert any(item.code == "LBS116" for item in history.warnings)


def test_units_that_only_look_alike_are_left_alone():
    rows = [["a", 100.0, 1.0], ["b", 95.0, 2.5], ["c", 90.0, 0.1]]
    history = table(["CV"], *rows, metric="rmse")
    assert [item.cv_score for item in history] == [100.0, 95.0, 90.0]
