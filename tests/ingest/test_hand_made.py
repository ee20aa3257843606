"""Tables that people keep themselves: names, cells, separators, experiment logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_submissions, read_table


def only(data, **options):
    history = read_table(data, **options)
    assert len(history) == 1
    return history[0]


def cell(text, name="public"):
    """Read one cell of a column of scores."""
    item = only([{"model": "a", name: text, "date": "2026-01-01"}])
    return item.public_score if name == "public" else item


PUBLIC_NAMES = [
    "public",
    "LB",
    "public_lb",
    "Public LB",
    "lb_score",
    "LB Score",
    "publicScore",
    "Public Score",
    "Public LB (F1)",
    "leaderboard",
    "score",
    "Kaggle Score",
    "public_f1",
    "ＬＢ",
]
PRIVATE_NAMES = ["private", "Private LB", "private_score", "PrivateScore", "private lb"]
CV_NAMES = [
    "cv",
    "CV",
    "oof",
    "valid",
    "validation",
    "Local CV",
    "local_cv",
    "CV/OOF",
    "cv_score",
    "oof_score",
    "cv_mean",
    "val_score",
    "cv_rmse",
    "CV F1",
    "LOO",
    "valid_auc",
    "holdout",
    "5-fold CV",
    "CV (5 folds)",
]


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_names_of_the_public_score(name):
    assert only(f"model,{name}\na,0.5").public_score == 0.5


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_names_of_the_private_score(name):
    assert only(f"model,LB,{name}\na,0.4,0.5").private_score == 0.5


@pytest.mark.parametrize("name", CV_NAMES)
def test_names_of_the_cv_score(name):
    item = only(f"model,{name},LB\na,0.5,0.4")
    assert (item.cv_score, item.cv_source, item.cv_text) == (0.5, "column", "0.5")


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("cv", "cv"), ("oof_score", "oof"), ("valid", "validation"), ("loo", "loo")],
)
def test_scheme_is_what_the_column_name_says(name, scheme):
    assert only(f"model,{name},LB\na,0.5,0.4").cv_scheme == scheme


@pytest.mark.parametrize(
    "name",
    [
        "lb_delta",
        "public_rank",
        "train",
        "n_folds",
        "val_size",
        "gap",
        "cv_lr",
        "cv_folds",
    ],
)
def test_names_that_are_no_score(name):
    item = only(f"model,LB,{name}\na,0.4,7")
    assert (item.public_score, item.private_score, item.cv_score) == (0.4, None, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.7052", 0.7052),
        (" 0.7052 ", 0.7052),
        ("0.7052 (0.0641)", 0.7052),
        ("0.7052 ± 0.0641", 0.7052),
        ("0.7052 +/- 0.0641", 0.7052),
        ("**.7900**", 0.79),
        ("__0.79__", 0.79),
        ("`0.79`", 0.79),
        ("0.79 ✅", 0.79),
        ("🥇 0.79", 0.79),
        ("0.79 (best)", 0.79),
        ("0.79*", 0.79),
        ("~0.79", 0.79),
        ("+6.62", 6.62),
        ("\u22120.53", -0.53),
        ("'-0.53", -0.53),
        ("０．７９", 0.79),
        ("79.5%", 0.795),
        ("1e-4", 0.0001),
        ("8449", 8449.0),
        ("1,234.5", 1234.5),
        ("106 840 ± 2 765", 106840.0),
        ("1068014.436", 1068014.436),
    ],
)
def test_cells_that_hold_a_score(text, value):
    assert cell(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    ["", " ", "TBD", "???", "-", "--", "---", "—", "None", "nan", "NaN", "null", "N/A"]
    + ["-なし-", "0.???", "XX", "...", "n/a", "_", "?"],
)
def test_cells_that_hold_nothing(text):
    history = read_table([{"model": "a", "public": text, "date": "2026-01-01"}])
    assert history[0].public_score is None
    assert history[0].status == "unknown"
    assert history.dropped == ()


@pytest.mark.parametrize("text", ["4/9", "0.81-0.82", "abc", "0.8_1", "1.2.3", "v1"])
def test_cells_that_are_not_understood_are_listed(text):
    history = read_table([{"model": "a", "public": text, "date": "2026-01-01"}])
    assert history[0].public_score is None
    [issue] = history.dropped
    assert (issue.line, issue.column, issue.found) == (1, "public", text)
    assert issue.action == "cell taken as missing"
    assert "LBS111" in {warning.code for warning in history.warnings}


@pytest.mark.parametrize(
    "text",
    [
        "inf",
        "-inf",
        "Infinity",
        "∞",
        "1e999",
        "9" * 200,
        float("inf"),
        [1e308, 1e308],
        1e200,
    ],
)
def test_infinite_scores_are_kept_out_and_said(text):
    history = read_table([{"model": "a", "public": text, "date": "2026-01-01"}])
    assert history[0].public_score is None
    assert [issue.expected for issue in history.dropped] == ["a finite number"]
    assert "LBS110" in {warning.code for warning in history.warnings}


@pytest.mark.parametrize(
    "value",
    [0.5, np.float32(0.5), np.float64(0.5), np.array([0.25, 0.75]), [0.25, 0.75]],
)
def test_numbers_of_python_and_numpy(value):
    assert cell(value) == 0.5


@pytest.mark.parametrize("value", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_values_of_python_and_pandas(value):
    assert cell(value) is None


def test_float32_keeps_the_digits_that_were_meant():
    assert cell(np.float32(0.76555)) == 0.76555


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("failed", "error"),
        ("Submission Scoring Error", "error"),
        ("timeout", "error"),
        ("In processing", "pending"),
        ("running", "pending"),
    ],
)
def test_words_where_the_score_should_be(text, status):
    item = cell(text, name="LB")
    assert (item.status, item.public_score) == (status, None)
    assert item.status_detail == text


def test_spread_beside_the_cv():
    item = only("EXP_ID|Local CV|Public LB|Note\ne1|0.705219 (0.064116)|0.71|first")
    assert (item.cv_score, item.cv_std) == (0.705219, 0.064116)
    assert (item.submission_id, item.description) == ("e1", "first")


@pytest.mark.parametrize("text", ["0.71 (+0.002)", "0.71 (-0.002)", "0.71 (3 folds)"])
def test_a_signed_change_in_parentheses_is_no_spread(text):
    item = only(f"model,cv,LB\na,{text},0.7")
    assert (item.cv_score, item.cv_std) == (0.71, None)


def test_decimal_commas_in_a_semicolon_file():
    history = read_table("model;cv;LB\na;0,7052 (0,0641);0,71\nb;1,234;0,72\n")
    assert [item.cv_score for item in history] == [0.7052, 1.234]
    assert history[0].cv_std == 0.0641
    assert [item.public_score for item in history] == [0.71, 0.72]


def test_decimal_commas_in_quotes_of_a_comma_file():
    history = read_table('model,LB\na,"0,71"\nb,"0,7"\n')
    assert [item.public_score for item in history] == [0.71, 0.7]


def test_thousands_in_a_comma_file():
    history = read_table('model,LB\na,"1,234"\nb,"12,345"\n')
    assert [item.public_score for item in history] == [1234.0, 12345.0]


def test_unquoted_decimal_commas_are_not_guessed():
    text = "model,cv,LB\na,0,71,0,72\nb,0.71,0.72\n"
    history = read_table(text)
    assert [item.public_score for item in history] == [0.72]
    assert [(issue.line, issue.action) for issue in history.dropped] == [
        (2, "row skipped")
    ]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_separators(separator):
    text = "model,cv,LB\na,0.5,0.6\n".replace(",", separator)
    item = only(text)
    assert (item.description, item.cv_score, item.public_score) == ("a", 0.5, 0.6)


def test_scheme_in_cv_and_score_in_valid():
    text = "filename,cv,train,valid,LB,Note\nx.csv,KFold-5,0.9,0.81,0.80,base\n"
    history = read_table(text)
    item = history[0]
    assert (item.cv_score, item.cv_scheme) == (0.81, "KFold-5")
    assert (item.public_score, item.file_name, item.description) == (
        0.8,
        "x.csv",
        "base",
    )
    assert history.dropped == ()


def test_two_columns_of_cv_are_read_the_surer_one_first():
    text = (
        "name,oof_score_,cv_avg_score_,cv_std_score_,lb_score\na,0.8,0.81,0.01,0.79\n"
    )
    history = read_table(text)
    assert (history[0].cv_score, history[0].cv_std) == (0.81, 0.01)
    assert history[0].cv_others == (("oof_score_", 0.8),)
    chosen = read_table(text, columns={"cv_score": "oof_score_"})
    assert chosen[0].cv_score == 0.8
    assert chosen.dropped == ()


def test_a_column_without_values_does_not_win():
    text = "model,cv_score,oof,LB\na,,0.8,0.79\nb,TBD,0.81,0.80\n"
    assert [item.cv_score for item in read_table(text)] == [0.8, 0.81]


def test_zero_for_missing_is_pointed_out():
    text = "model,lb_score\n" + "".join(f"m{i},0.{80 + i}\n" for i in range(5))
    history = read_table(f"{text}x,0.0\n")
    assert history[5].public_score == 0.0
    [warning] = [item for item in history.warnings if item.code == "LBS110"]
    assert "blank the cell" in warning.message


def test_log_with_submission_and_run_id():
    text = (
        "submission_id,date,run_id,commit_hash,file_path,public_score,notes\n"
        "901,2026-03-01,r7,abc,out/x.csv,0.71,base\n"
    )
    item = only(text)
    assert (item.submission_id, item.file_name) == ("901", "out/x.csv")
    assert (item.description, item.content_hash) == ("base", None)


def test_log_with_experiment_and_rank():
    text = (
        "experiment_id,model,proxy_silver,public_lb,lb_delta,submission_id,public_rank,"
        "private_score,notes\n"
        "e1,lgbm,0.6,0.71,+0.01,901,44,,base\n"
        "e2,xgb,0.6,0.72,+0.01,902,40,,more\n"
    )
    history = read_table(text)
    assert [item.submission_id for item in history] == ["901", "902"]
    assert [item.description for item in history] == ["lgbm | base", "xgb | more"]
    assert [item.public_score for item in history] == [0.71, 0.72]


def test_log_with_three_scores_in_markdown():
    text = (
        "Model | OOF | Public LB | Private LB | Notes\n"
        "--- | --- | --- | --- | ---\n"
        "A | 0.81 | 0.80 | 0.79 | x\n"
    )
    item = only(text)
    assert (item.cv_score, item.public_score, item.private_score) == (0.81, 0.8, 0.79)


def test_log_with_number_date_and_gap():
    text = (
        "| # | Date | Model | CV/OOF | LB Score | Gap | Improvement |\n"
        "|---|---|---|---|---|---|---|\n"
        "| 1 | 2026-01-02 | A | 0.81 | 0.80 | 0.01 | - |\n"
        "| 2 | 2026-01-03 | B | 0.82 | 0.81 | 0.01 | +0.01 |\n"
    )
    history = read_table(text)
    assert [item.submission_id for item in history] == ["1", "2"]
    assert [item.public_score for item in history] == [0.8, 0.81]
    assert history[1].submitted_at == datetime(2026, 1, 3, tzinfo=UTC)


def test_log_with_epoch_dates():
    text = (
        "Submission Number|Date Submitted (Unix epoch)|Model|Local CV (Std Dev)|Public|"
        "Private\n1|1753700000|A|0.705219 (0.064116)|0.71|0.70\n"
    )
    item = only(text)
    assert item.submitted_at == datetime(2025, 7, 28, 10, 53, 20, tzinfo=UTC)
    assert (item.cv_score, item.cv_std) == (0.705219, 0.064116)
    assert (item.public_score, item.private_score) == (0.71, 0.7)


def test_log_with_difference_and_ratio():
    text = (
        "timestamp,cv_score,lb_score,difference,ratio,notes\n"
        "2026-01-02T03:04:05,0.81,0.80,0.01,1.0125,x\n"
    )
    item = only(text)
    assert (item.cv_score, item.public_score) == (0.81, 0.8)
    assert item.submitted_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_log_in_json():
    rows = [
        {
            "experiment_id": "e7",
            "public_score": 0.71,
            "private_score": None,
            "submission_date": "2026-01-02 03:04:05",
            "status": "SubmissionStatus.COMPLETE",
            "cv_rmse": 0.69,
        }
    ]
    item = only(json.dumps(rows))
    assert (item.submission_id, item.status) == ("e7", "complete")
    assert (item.public_score, item.cv_score) == (0.71, 0.69)


def test_json_lines_keep_their_line():
    text = '{"model": "a", "public": 0.5}\n\n{"model": "b", "public": 0.60}\n'
    history = read_submissions(text)
    assert [item.source_line for item in history] == [1, 3]
    assert [item.public_score for item in history] == [0.5, 0.6]
    assert history.competition.display_decimals == 2


def test_columns_of_json():
    frame = pd.DataFrame({"model": ["a", "b"], "public": [0.5, 0.6]})
    for data in (frame.to_json(), frame.to_dict("list"), frame.to_dict()):
        assert [item.public_score for item in read_submissions(data)] == [0.5, 0.6]


def test_names_with_line_breaks_of_a_spreadsheet():
    item = only('"Model\nname","Public\nLB","CV\n(mean)"\na,0.5,0.6\n')
    assert (item.public_score, item.cv_score) == (0.5, 0.6)
    assert (item.source_line, item.description) == (5, "a")


def test_columns_of_unequal_length_lose_nothing():
    history = read_table({"model": ["a", "b", "c"], "LB": [0.5, 0.6]})
    assert [item.public_score for item in history] == [0.5, 0.6, None]


def test_records_that_are_none_are_listed():
    history = read_table([{"LB": 0.5}, None, "text", 7, {}, {"LB": 0.6}])
    assert [item.public_score for item in history] == [0.5, 0.6]
    assert [issue.line for issue in history.dropped] == [2, 3, 4, 5]


def test_a_column_of_errors_is_no_failed_request():
    text = '{"errors": 0, "model": "a", "LB": 0.5}\n{"errors": 1, "LB": 0.6}\n'
    assert len(read_submissions(text)) == 2


def test_markdown_rows_of_a_wrong_width_are_said():
    text = "| model | LB | cv |\n|---|---|---|\n| a | 0.5 |\n| b | 0.6 | 1 | 2 |\n"
    history = read_table(text)
    assert [item.public_score for item in history] == [0.5]
    assert [(issue.line, issue.action) for issue in history.dropped] == [
        (3, "absent cells taken as missing"),
        (4, "row skipped"),
    ]


def test_entries_of_a_log_without_public_score_are_listed():
    text = "## a\nPublic Score: 0.5\n## b\nCV: 0.6\n## c\njust words: many\n"
    history = read_submissions(text)
    assert [item.description for item in history] == ["a"]
    assert [(issue.line, issue.expected) for issue in history.dropped] == [
        (3, "a label with a public score")
    ]


def test_a_table_with_ranks_is_a_history_where_the_user_says_so():
    text = "rank,score,when\n9,0.5,2026-01-01\n8,0.6,2026-01-02\n"
    with pytest.raises(IngestError, match="a leaderboard"):
        read_submissions(text)
    history = read_submissions(text, columns={"public_score": "score"})
    assert [item.public_score for item in history] == [0.5, 0.6]


def test_wide_log_of_which_few_names_are_known():
    names = ["model", "LB", *(f"param{i}" for i in range(30))]
    text = ",".join(names) + "\n" + ",".join(["a", "0.5", *"x" * 30]) + "\n"
    assert only(text).public_score == 0.5


def test_row_that_happens_to_hold_two_column_names():
    text = "model,LB,a,b,c,d,e\nmodel,,cv,x,y,z,w\nb,0.5,,,,,\n"
    history = read_table(text)
    assert [item.public_score for item in history] == [None, 0.5]


def test_byte_order_mark_and_separator_line_inside_a_text():
    text = "sep=;\n\ufeffmodel;LB\na;0,5\n\ufeffmodel;LB\nb;0,6\n"
    history = read_table(text)
    assert [item.public_score for item in history] == [0.5, 0.6]
    assert history.dropped == ()


def test_records_by_their_key():
    data = {"e1": {"public": 0.5}, "e2": {"public": 0.6}}
    history = read_submissions(data)
    assert [item.submission_id for item in history] == ["e1", "e2"]


def test_runs_of_mlflow_with_public_scores():
    text = (
        "run_id,experiment_id,status,artifact_uri,start_time,end_time,"
        "metrics.public_score,metrics.private_score,metrics.cv_rmse_mean,"
        "metrics.cv_rmse_std,metrics.cv_rmse_fold2,metrics.cv_rmse_fold1,params.cv,"
        "tags.notes,tags.kaggle_submitted\n"
        "r1,1,FINISHED,file:x,2025-09-02 08:20:04.055+00:00,,0.71,0.72,0.7,0.01,0.69,"
        '0.71,5,"two\nlines",True\n'
        "r2,1,FAILED,file:x,2025-09-03 08:20:04.055+00:00,,,,,,,,5,,\n"
    )
    history = read_submissions(text)
    first = history[0]
    assert (first.public_score, first.private_score) == (0.71, 0.72)
    assert (first.cv_score, first.cv_std) == (0.7, 0.01)
    assert first.cv_fold_scores == (0.71, 0.69)
    assert first.description == "two\nlines"
    assert history[1].status == "error"


def test_fold_columns_give_the_mean_where_it_is_absent():
    history = read_table("model,fold1,fold2,LB\na,0.8,0.9,0.7\nb,0.8,,0.7\n")
    assert history[0].cv_score == pytest.approx(0.85, rel=1e-15)
    assert history[0].cv_fold_scores == (0.8, 0.9)
    assert (history[1].cv_score, history[1].cv_fold_scores) == (None, ())


@pytest.mark.parametrize(
    "prefix", ["fold", "Fold ", "cv_fold_", "cv_rmse_fold", "oof fold"]
)
def test_names_of_fold_columns(prefix):
    item = only(f"model,{prefix}2,{prefix}1,LB\na,0.9,0.8,0.7\n")
    assert item.cv_fold_scores == (0.8, 0.9)


@pytest.mark.parametrize("text", ["[0.8, 0.9]", "(0.8 0.9)", "0.8;0.9", "0.8, 0.9"])
def test_fold_scores_in_one_cell(text):
    item = only(
        [{"m": "a", "folds": text, "LB": 0.7}], columns={"cv_fold_scores": "folds"}
    )
    assert item.cv_fold_scores == (0.8, 0.9)
    assert item.cv_score == pytest.approx(0.85, rel=1e-15)


def test_a_list_in_the_cv_cell():
    item = only([{"model": "a", "cv": [0.8, 0.9], "LB": 0.7}])
    assert item.cv_score == pytest.approx(0.85, rel=1e-15)
    assert item.cv_fold_scores == (0.8, 0.9)


COLUMNS = "when,what,mine,theirs,A,B\n2026-01-02,x,0.5,0.6,0.4,0.6\n"


def test_columns_named_by_the_user():
    item = only(
        COLUMNS,
        columns={
            "public_score": "theirs",
            "cv_score": "mine",
            "cv_fold_scores": ["A", "B"],
            "submitted_at": "when",
            "description": "what",
        },
    )
    assert (item.public_score, item.cv_score) == (0.6, 0.5)
    assert item.cv_fold_scores == (0.4, 0.6)
    assert (item.description, item.submitted_at.day) == ("x", 2)


def test_user_columns_win_and_forgive_case():
    text = "model,public,My LB\na,0.5,0.6\n"
    assert only(text, columns={"public_score": "my lb"}).public_score == 0.6


def test_absent_user_column_names_the_close_ones():
    with pytest.raises(
        IngestError, match=r"column 'thiers'.*Found: when, what.*Close to it: theirs"
    ):
        read_table(COLUMNS, columns={"public_score": "thiers"})


def test_unknown_field_is_a_bad_argument():
    with pytest.raises(ValueError, match="key 'publick'.*Close to it: public_score"):
        read_table(COLUMNS, columns={"publick": "theirs"})


def test_short_names_of_fields():
    text = "n,when,what,mine,theirs,hidden\n7,2026-01-02,x,0.5,0.6,0.7\n"
    names = {"id": "n", "date": "when", "name": "what", "cv": "mine"}
    item = only(text, columns={**names, "lb": "theirs", "private": "hidden"})
    assert (item.submission_id, item.description, item.cv_score) == ("7", "x", 0.5)
    assert (item.public_score, item.private_score) == (0.6, 0.7)
    assert item.submitted_at is not None
    with pytest.raises(ValueError, match="two columns for public_score: 'a' and 'b'"):
        read_table(COLUMNS, columns={"lb": "a", "public": "b"})


def test_no_public_score_names_what_is_there():
    with pytest.raises(
        IngestError, match=r"no column for the public score. Found: when"
    ):
        read_table(COLUMNS)


@pytest.mark.parametrize(
    ("mark", "expected"),
    [("True", True), ("x", True), ("✓", True), ("yes", True), ("no", False)],
)
def test_marks_of_the_final_selection(mark, expected):
    history = read_table(f"model,LB,selected\na,0.5,{mark}\nb,0.6,\n")
    assert history[0].selected is expected
    assert history[1].selected is (False if expected else None)


def test_selection_that_is_not_understood():
    history = read_table("model,LB,final\na,0.5,perhaps\n")
    assert history[0].selected is None
    assert history.dropped[0].expected == "True or False"


def test_rows_without_anything_are_left_out_and_said():
    text = "order,model,cv,public\n1,a,,0.5\n2,,,\n3,planned,,\n"
    history = read_table(text)
    assert [item.submission_id for item in history] == ["1", "3"]
    assert history["3"].status == "unknown"
    assert [(issue.line, issue.action) for issue in history.dropped] == [
        (3, "row skipped")
    ]


def test_excel_leaves_empty_columns_and_lines():
    item = only("model,LB,,\na,0.5,,\n,,,\n")
    assert item.public_score == 0.5


def test_heading_with_unknown_names_is_the_first_line_of_its_width():
    text = "my notes of the week\nwhat,mine\na,0.5\nb,0.6\n"
    history = read_table(text, columns={"public_score": "mine"})
    assert [item.public_score for item in history] == [0.5, 0.6]
    assert history.dropped[0].found == "my notes of the week"


def test_other_tables_of_a_document_are_left_out_and_said():
    text = (
        "| team | role |\n|---|---|\n| me | all |\n\n"
        "| model | LB |\n|---|---|\n| a | 0.5 |\n\n"
        "| model | LB |\n|---|---|\n| b | 0.6 |\n"
    )
    history = read_submissions(text)
    assert [item.public_score for item in history] == [0.5, 0.6]
    assert [issue.action for issue in history.dropped] == ["table left out"]


def test_markdown_inside_a_quoted_cell_is_text():
    text = 'model,LB,Note\na,0.5,"|x|y|\n|---|---|\n|1|2|"\nb,0.6,\n'
    assert [item.public_score for item in read_submissions(text)] == [0.5, 0.6]


def test_numbers_that_slipped_to_the_left_are_not_taken_for_scores():
    text = (
        "Submission and Description\tPrivate Score\tPublic Score\tSelected\n"
        "a.csv\nComplete, 2d ago\n0.80110\t0.81230\t\n"
    )
    with pytest.raises(IngestError, match=r"(?s)no row below it.*3 cells.*row skipped"):
        read_submissions(text)


def test_words_of_a_status_column_are_kept():
    item = only("model,LB,status\na,0.5,promising\n")
    assert (item.status, item.status_detail) == ("complete", "promising")


def test_rows_without_a_heading_ask_for_one():
    with pytest.raises(IngestError, match="expected a line of column names"):
        read_table("a,0.5,0.6\nb,0.6,0.7\n")


def test_read_table_takes_a_platform_export_as_it_stands():
    text = "ref,publicScore\n2,0.6\n1,0.5\n1,0.5\n"
    history = read_table(text)
    assert [item.public_score for item in history] == [0.6, 0.5, 0.5]
    assert history.competition.platform is None
