"""How rows become a history: identifiers, parents, CV from text, competition."""

from __future__ import annotations

import pytest

from lbsense.ingest import read_submissions, read_table
from lbsense.model import display_names

HEADER = "ref,fileName,date,description,status,publicScore,privateScore"


def kaggle(*descriptions, file_name="submission.csv"):
    """Write an export, newest first, of submissions with these descriptions."""
    rows = [
        f"{100 + i},{file_name},2026-07-{i + 1:02} 10:00:00,{text},"
        f"SubmissionStatus.COMPLETE,0.8{i},"
        for i, text in enumerate(descriptions)
    ]
    return "\n".join([HEADER, *rows[::-1]])


def test_cv_of_a_description_keeps_source_and_text():
    item = read_submissions(kaggle("blend cv 0.8213"))[0]
    assert (item.cv_score, item.cv_source) == (0.8213, "description")
    assert (item.cv_text, item.cv_scheme) == ("cv 0.8213", "cv")


def test_cv_of_a_file_name_where_the_description_has_none():
    item = read_submissions(kaggle("blend", file_name="xgb_cv_0.9485.csv"))[0]
    assert (item.cv_score, item.cv_source) == (0.9485, "file name")
    item = read_submissions(kaggle("cv 0.81", file_name="xgb_cv_0.9485.csv"))[0]
    assert (item.cv_score, item.cv_source) == (0.81, "description")


def test_cv_of_a_column_wins_where_the_row_has_one():
    history = read_table("model,cv,LB\nx cv 0.7,0.71,0.6\ny cv 0.72,,0.6\nz,TBD,0.6\n")
    assert [item.cv_score for item in history] == [0.71, 0.72, None]
    assert [item.cv_source for item in history] == ["column", "description", None]


@pytest.mark.parametrize(
    "pattern", [r"val=(?P<cv>[0-9.]+)", r"val=([0-9.]+)", r"(?<=val=)[0-9.]+"]
)
def test_pattern_of_the_user_replaces_the_rules(pattern):
    history = read_submissions(kaggle("val=0.7 cv 0.8", "cv 0.8"), cv_pattern=pattern)
    assert [item.cv_score for item in history] == [0.7, None]


def test_pattern_must_be_an_expression():
    with pytest.raises(ValueError, match=r"cv_pattern must be a regular.*\(\[0-9"):
        read_submissions(kaggle("x"), cv_pattern="([0-9")


def test_log_joins_cv_scores_and_warnings_are_made_after_it():
    log = [{"ref": 100, "cv_rmse": 0.70}, {"ref": 101, "cv_rmse": 70.0}]
    log += [{"ref": 102, "cv_rmse": 0.71}, {"ref": 103, "cv_rmse": 71.0}]
    history = read_submissions(kaggle("a", "b", "c", "d"), cv_log=log)
    assert [item.cv_source for item in history] == ["log"] * 4
    codes = [warning.code for warning in history.warnings]
    assert "LBS108" in codes
    assert codes == sorted(codes)


def test_identifier_is_the_reference_then_the_experiment_then_the_line():
    assert read_submissions(kaggle("x"))[0].submission_id == "100"
    assert read_table("exp,LB\ne1,0.5\n")[0].submission_id == "e1"
    assert read_table("model,LB\n\na,0.5\n")[0].submission_id == "a"
    assert read_table("idea,LB\n\na,0.5\n")[0].submission_id == "row3"


def test_identifiers_that_repeat_are_numbered():
    history = read_table("exp,LB\ne1,0.5\ne1,0.6\n")
    assert [item.submission_id for item in history] == ["e1", "e1 (2)"]
    assert [item.title for item in history] == ["e1", "e1"]
    assert display_names(history) == ("e1 (0.5)", "e1 (0.6)")
    history = read_table("id,exp,LB\n1,e1,0.5\n1,e2,0.6\n")
    assert [item.submission_id for item in history] == ["e1", "e2"]


def test_rows_without_an_identifier_get_their_line():
    history = read_table("exp,LB\ne1,0.5\n,0.6\n")
    assert [item.submission_id for item in history] == ["e1", "row3"]


def test_lines_of_several_files_stay_apart(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text("model,LB\na,0.5\n")
    history = read_submissions(paths)
    assert [item.submission_id for item in history] == ["row1.2", "row2.2"]
    assert [item.source_file for item in history] == [str(path) for path in paths]


def test_line_never_collides_with_an_identifier():
    history = read_table("exp,LB\nrow3,0.5\n,0.6\n")
    assert len({item.submission_id for item in history}) == 2


def test_reference_that_became_a_float_in_a_frame():
    rows = [{"ref": 54888184.0, "LB": 0.5}, {"ref": float("nan"), "LB": 0.6}]
    names = {item.submission_id for item in read_table(rows)}
    assert names == {"54888184", "row2"}


def test_parent_of_a_column():
    history = read_table(
        "exp,parent,LB\ne1,,0.5\ne2,e1,0.6\ne3,E2,0.7\ne4,e9,0.8\ne5,e6,0.8\ne6,,0.9\n"
    )
    assert [item.parent_id for item in history] == [None, "e1", "e2", None, None, None]
    assert [(issue.line, issue.found) for issue in history.dropped] == [
        (5, "e9"),
        (6, "e6"),
    ]


def test_parent_by_file_name_or_description():
    text = "fileName,model,parent,LB\nsub_a.csv,A,,0.5\nsub_b.csv,B,sub_a,0.6\n"
    assert read_table(text)[1].parent_id == "A"


def test_parent_of_a_description():
    history = read_submissions(
        kaggle("v11 base", "v12: more", "v13 from v12", "parent=101", "from v11b")
    )
    assert [item.parent_id for item in history] == [None, None, "101", "101", None]


def test_parent_that_two_rows_share_is_not_guessed():
    history = read_submissions(kaggle("v12 a", "v12 b", "v13 from v12"))
    assert [item.parent_id for item in history] == [None, None, None]
    assert history.dropped == ()


def test_every_row_is_a_submission_or_an_issue():
    text = kaggle("a", "b", "c") + "\n1,2\nnonsense\n"
    history = read_submissions(text)
    skipped = [issue for issue in history.dropped if issue.action == "row skipped"]
    assert len(history) + len(skipped) == 5


def test_status_follows_the_score_where_none_is_stated():
    history = read_table("model,cv,LB\na,0.5,0.6\nb,0.5,\n")
    assert [item.status for item in history] == ["complete", "unknown"]


def test_unknown_status_of_an_export_is_listed():
    text = kaggle("a").replace("SubmissionStatus.COMPLETE", "SubmissionStatus.ODD")
    history = read_submissions(text)
    assert history[0].status == "complete"
    assert history.dropped[0].expected == "complete, pending or error"


def test_direction_is_taken_from_the_metric_or_given_or_unknown():
    text = kaggle("a")
    assert read_submissions(text).competition.greater_is_better is None
    assert read_submissions(text, metric="AUC").competition.greater_is_better is True
    given = read_submissions(text, metric="my score", greater_is_better=True)
    assert given.competition.greater_is_better is True


def test_options_are_checked():
    with pytest.raises(ValueError, match="public_fraction must be in"):
        read_submissions(kaggle("a"), public_fraction=30)
