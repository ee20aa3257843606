"""CV scores of experiment logs, joined to submissions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.errors import IngestError
from lbsense.ingest import join_log, read_kaggle
from lbsense.model import Competition, History, Submission


def sent(ref: int, description: str = "", **fields: Any) -> Submission:
    return Submission(submission_id=str(ref), description=description, **fields)


@pytest.fixture
def history() -> History:
    return History(
        competition=Competition(metric="rmse", greater_is_better=False),
        submissions=(
            sent(9101, "exp001: baseline", file_name="submission.csv"),
            sent(
                9102,
                "exp002: lags (cv 0.461)",
                file_name="submission.csv",
                cv_score=0.461,
                cv_source="description",
                cv_text="cv 0.461",
            ),
            sent(9103, "ABC-31b blend of both", file_name="blend_v7.csv"),
            sent(9104, "resend of calm-fox-17", file_name="x_v0.2.csv"),
            sent(9105, "last try", file_name="out/lgb_tuned.csv.gz"),
        ),
    )


def scores(history: History) -> dict[str, float]:
    """Return the CV scores that come from the log, by submission."""
    return {
        item.submission_id: item.cv_score
        for item in history
        if item.cv_source == "log" and item.cv_score is not None
    }


def codes(history: History) -> list[str]:
    return [warning.code for warning in history.warnings]


# --- layouts -------------------------------------------------------------------------

MLFLOW_CLI = """\
run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.cv_rmse_mean,\
metrics.cv_rmse_std,metrics.cv_rmse_fold1,metrics.cv_rmse_fold2,metrics.cv_rmse_fold3,\
metrics.public_score,params.cv,params.lr,tags.mlflow.runName,tags.notes
3f9a0c11,7,FINISHED,file:/7/3f,2026-02-02 08:20:04+00:00,,0.4471,0.0031,\
0.4440,0.4502,0.4471,0.45,5,0.1,exp001,"first line
second line"
5b7d2e42,7,FAILED,file:/7/5b,2026-02-02 09:20:04+00:00,,,,,,,,5,0.1,exp002,
8c1e6f93,7,FINISHED,file:/7/8c,2026-02-03 08:20:04+00:00,,0.4402,0.0028,\
0.4380,0.4424,0.4402,,5,0.1,ABC-31b,
9d2f7a04,7,FINISHED,file:/7/9d,2026-02-04 08:20:04+00:00,,0.4302,0.0027,\
0.4280,0.4324,0.4302,,5,0.2,exp009,
"""


def test_mlflow_command_line(history: History) -> None:
    joined = join_log(history, MLFLOW_CLI)
    assert scores(joined) == {"9101": 0.4471, "9103": 0.4402}
    first = joined["9101"]
    assert (first.cv_std, first.cv_scheme) == (0.0031, "cv")
    assert first.cv_fold_scores == (0.4440, 0.4502, 0.4471)
    assert first.cv_text == "metrics.cv_rmse_mean=0.4471"
    assert first.cv_metric == "rmse"
    assert joined["9102"].cv_source == "description"  # the failed run has no score
    lines = {issue.line: issue.action for issue in joined.dropped}
    assert lines == {4: "entry left out", 6: "entry not joined"}
    assert codes(joined) == ["LBS113"]
    assert "2 of 3 log entries joined to a submission, 1 not (exp009)" in str(
        joined.warnings[0]
    )


MLFLOW_PAGE = """\
"Start Time","Duration","Run ID","Name","Source Type","Source Name","User","Status",\
"cv","lr","cv_neg_rmse","note"
"2026-02-02 08:20:04","1.2s","3f9a0c11","exp001","LOCAL","train.py","me","FINISHED",\
"5","0.1","'-0.4471","'=first"
"2026-02-02 09:20:04","1.2s","5b7d2e42","exp002","LOCAL","train.py","me","FINISHED",\
"5","0.1","'-0.4402","'@second"
"""


def test_mlflow_page_guards_signs_by_an_apostrophe(history: History) -> None:
    joined = join_log(history, MLFLOW_PAGE)
    assert scores(joined) == {"9101": -0.4471, "9102": -0.4402}
    assert joined.warnings == joined.dropped == ()


WANDB_RUNS = """\
"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","val_loss.min",\
"val_rmse","epoch"
"calm-fox-17","finished","-","me","","2026-02-02T08:20:04.000Z","120","","0.1","0.2",\
"0.4471","10"
"bold-elk-18","finished","-","me","","2026-02-03T08:20:04.000Z","120","","0.1","0.2",\
"0.4475","10"
"""


def test_wandb_runs_table(history: History) -> None:
    joined = join_log(history, WANDB_RUNS)
    assert scores(joined) == {"9104": 0.4471}
    assert joined["9104"].cv_scheme == "validation"


@pytest.mark.parametrize(
    "text",
    [
        '"Step","calm-fox-17 - val_rmse","calm-fox-17 - val_rmse__MIN"\n'
        '"0","0.5","0.5"\n"1","0.45","0.45"\n',
        "Wall time,Step,Value\n1767225600.1,0,0.5\n1767225660.3,1,0.45\n",
    ],
)
def test_chart_export_is_refused(history: History, text: str) -> None:
    with pytest.raises(IngestError, match=r"export of a chart .* table of runs"):
        join_log(history, text)


def test_neptune_runs_table(history: History) -> None:
    frame = pd.DataFrame(
        {
            "sys/id": ["RUN-1", "RUN-2"],
            "sys/creation_time": pd.to_datetime(["2026-02-02", "2026-02-03"], utc=True),
            "sys/name": ["exp001", "exp002"],
            "metrics/val/rmse": [0.4471, 0.4402],
            "params/lr": [0.1, 0.1],
        }
    )
    before = frame.copy(deep=True)
    assert scores(join_log(history, frame)) == {"9101": 0.4471, "9102": 0.4402}
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "log",
    [
        "exp,cv,lb\n1,0.4471 (0.0031),0.45\n2,0.4402 (0.0028),0.44\n",
        "exp;cv;lb\n1;0,4471 (0,0031);0,45\n2;0,4402 (0,0028);0,44\n",
        "version_no\trun\tcv_score\tcv_std\n1\texp_001\t.4471\t.0031\n"
        "2\tEXP-2\t.4402\t.0028\n",
        "| EXP_ID | Local CV | Public LB |\n|---|---|---|\n"
        "| exp001 | **.4471 (0.0031)** | 0.45 |\n| exp002 | 0.4402 (0.0028) | ? |\n",
        "#,Date,Model,CV/OOF,LB Score\n1,2026-02-02,exp001 lgb,0.4471 ± 0.0031,0.4\n"
        "2,2026-02-03,exp002 more lags,0.4402 ± 0.0028,0.4\n",
        '[{"experiment_id": "exp001", "cv_rmse": 0.4471, "cv_std": 0.0031},'
        ' {"experiment_id": "exp002", "cv_rmse": 0.4402, "cv_std": 0.0028}]',
    ],
)
def test_hand_made_sheets(history: History, log: str) -> None:
    joined = join_log(history, log)
    assert scores(joined) == {"9101": 0.4471, "9102": 0.4402}
    assert [item.cv_std for item in joined][:2] == [0.0031, 0.0028]


def test_cv_column_of_words_names_the_scheme_not_the_score(history: History) -> None:
    log = "filename,cv,train,valid,LB\nblend_v7.csv,KFold5,0.31,0.4471,0.45\n"
    assert scores(join_log(history, log)) == {"9103": 0.4471}


def test_folds_alone_give_their_mean(history: History) -> None:
    log = "run,fold1,fold2,fold3\nexp001,0.44,0.45,0.47\nexp002,0.44,,0.46\n"
    joined = join_log(history, log)
    assert scores(joined) == {"9101": pytest.approx(0.4533333333, rel=1e-9)}
    assert joined["9101"].cv_fold_scores == (0.44, 0.45, 0.47)
    assert [issue.action for issue in joined.dropped] == ["entry left out"]


def test_folds_of_another_metric_are_not_taken() -> None:
    history = History(competition=Competition(), submissions=(sent(1, "exp001"),))
    row = {"run": "exp001", "cv_rmse": 0.45}
    row |= {"cv_rmse_fold0": 0.44, "cv_rmse_fold1": 0.46}
    row |= {"cv_mae_fold0": 0.31, "cv_mae_fold1": 0.33, "cv_mae_std": 0.01}
    joined = join_log(history, [row], columns={"cv_score": "cv_rmse"})
    assert joined[0].cv_fold_scores == (0.44, 0.46)


def test_folds_of_several_names_are_not_joined() -> None:
    history = History(competition=Competition(), submissions=(sent(1, "exp001"),))
    row = {"run": "exp001", "cv_rmse": 0.45, "cv_mae_fold1": 0.31, "fold2": 0.44}
    assert join_log(history, [row])[0].cv_fold_scores == ()


def test_files_on_disk_and_the_reader_take_a_log(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("run,cv\nexp001,0.4471\n")
    (tmp_path / "history.csv").write_text(
        "ref,fileName,date,description,status,publicScore,privateScore\n"
        "9101,a.csv,2026-02-02 10:00:00,exp001,SubmissionStatus.COMPLETE,0.45,\n"
    )
    history = read_kaggle(
        tmp_path / "history.csv",
        greater_is_better=False,
        cv_log=tmp_path / "runs.csv",
    )
    assert scores(history) == {"9101": 0.4471}


# --- which column --------------------------------------------------------------------


def test_several_candidates_are_named(history: History) -> None:
    log = "run,cv_score,oof\nexp001,0.4471,0.4475\n"
    with pytest.raises(
        IngestError,
        match=r"2 columns can be the CV score: 'cv_score', 'oof'.*columns=\{'cv_score'",
    ):
        join_log(history, log)
    chosen = join_log(history, log, columns={"cv_score": "oof"})
    assert scores(chosen) == {"9101": 0.4475}
    assert chosen["9101"].cv_scheme == "oof"


def test_metric_of_the_competition_settles_it(history: History) -> None:
    log = "run,cv_mae,cv_rmse\nexp001,0.31,0.4471\n"
    assert scores(join_log(history, log)) == {"9101": 0.4471}


def test_value_logged_twice_is_one_value(history: History) -> None:
    log = "run,cv,metrics.cv_score\nexp001,0.4471,0.4471\n"
    assert scores(join_log(history, log)) == {"9101": 0.4471}


@pytest.mark.parametrize(
    "log",
    ["run,lr\nexp001,0.1\n", "run,cv\nexp001,5\n", "run,params.val_size\nexp001,0.2\n"],
)
def test_no_column_for_the_score(history: History, log: str) -> None:
    with pytest.raises(IngestError, match=r"no column for the CV score\. Found: run"):
        join_log(history, log)


def test_columns_override(history: History) -> None:
    log = [{"who": "exp001", "s": 0.4471, "sd": 0.003, "f1": 0.44, "f2": 0.45}]
    names = {"cv_score": "s", "cv_std": "sd", "experiment_id": "who"}
    joined = join_log(history, log, columns={**names, "cv_fold_scores": ["f1", "f2"]})
    assert scores(joined) == {"9101": 0.4471}
    assert joined["9101"].cv_std == 0.003
    assert joined["9101"].cv_fold_scores == (0.44, 0.45)


def test_columns_must_exist(history: History) -> None:
    log = [{"run": "exp001", "cv": 0.4471}]
    with pytest.raises(ValueError, match=r"columns has the key 'cv_scor'"):
        join_log(history, log, columns={"cv_scor": "cv"})
    with pytest.raises(IngestError, match=r"there is none of that name"):
        join_log(history, log, columns={"cv_score": "valid"})


# --- which submission ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"ref": 9103}, "9103"),
        ({"submission_id": "9103", "run": "exp001"}, "9103"),  # the ref is surer
        ({"run": "exp001"}, "9101"),
        ({"run": "EXP_1"}, "9101"),
        ({"exp": 1}, "9101"),
        ({"run": "abc-31b"}, "9103"),
        ({"version": 7}, "9103"),
        ({"run": "calm-fox-17"}, "9104"),
        ({"file": "lgb_tuned.csv"}, "9105"),
        ({"file": "runs/3/LGB_tuned.csv"}, "9105"),
        ({"run": "lgb_tuned"}, "9105"),
        ({"notes": "exp001, the first"}, "9101"),
        ({"run": "exp01"}, "9101"),
        ({"run": "exp0011"}, None),
        ({"run": "ABC-31"}, None),
        ({"run": "v0"}, None),  # of "x_v0.2.csv"
        ({"run": "blend"}, None),
        ({"run": "31"}, None),
        ({"file": "submission.csv"}, None),  # the file of two
        ({"lr": 0.1}, None),
    ],
)
def test_entry_finds_its_submission(
    history: History, entry: dict[str, Any], found: str | None
) -> None:
    joined = join_log(history, [{**entry, "cv": 0.4471}])
    assert scores(joined) == ({} if found is None else {found: 0.4471})
    assert codes(joined) == ([] if found else ["LBS113"])
    assert len(joined.dropped) == (0 if found else 1)


def test_name_that_two_submissions_have_is_not_used() -> None:
    submissions = (sent(1, "exp001"), sent(2, "exp001 again", file_name="b2.csv"))
    history = History(competition=Competition(), submissions=submissions)
    joined = join_log(history, [{"run": "exp001", "cv": 0.5}])
    assert scores(joined) == {}
    assert "several entries or submissions" in joined.warnings[0].message
    by_file = join_log(history, [{"run": "exp001", "file": "b2.csv", "cv": 0.5}])
    assert scores(by_file) == {"2": 0.5}


def test_name_that_two_entries_have_is_not_used(history: History) -> None:
    log = [{"run": "exp001", "cv": 0.44}, {"run": "EXP-1", "cv": 0.45}]
    joined = join_log(history, [*log, {"run": "exp002", "cv": 0.46}])
    assert scores(joined) == {"9102": 0.46}
    assert [issue.action for issue in joined.dropped] == ["entry not joined"] * 2


def test_submission_that_two_entries_want_gets_none() -> None:
    history = History(
        competition=Competition(), submissions=(sent(1, "exp001 then exp002"),)
    )
    log = [{"run": "exp001", "cv": 0.44}, {"run": "exp002", "cv": 0.45}]
    joined = join_log(history, log)
    assert scores(joined) == {}
    assert "another entry" in joined.warnings[0].message


def test_same_entry_on_two_pages_counts_once(history: History) -> None:
    page = "run,cv\nexp001,0.4471\n"
    joined = join_log(history, [page, page])
    assert scores(joined) == {"9101": 0.4471}
    assert joined.warnings == ()


# --- whose score wins ----------------------------------------------------------------


def test_log_wins_over_text_and_not_over_a_column() -> None:
    history = History(
        competition=Competition(),
        submissions=(
            sent(1, "exp001 cv 0.46", cv_score=0.46, cv_source="description"),
            sent(2, "exp002", cv_score=0.47, cv_std=0.1, cv_source="column"),
            sent(3, "exp003", cv_score=0.48, cv_source="column"),
        ),
    )
    log = [{"run": f"exp00{i}", "cv": cv} for i, cv in ((1, 0.4), (2, 0.41), (3, 0.48))]
    joined = join_log(history, log)
    assert [item.cv_score for item in joined] == [0.4, 0.47, 0.48]
    assert [item.cv_source for item in joined] == ["log", "column", "column"]
    (issue,) = joined.dropped
    assert issue.expected == "0.47 as in the history's own column"
    assert issue.action == "the column's score kept"


def test_zero_stands_for_a_missing_score(history: History) -> None:
    joined = join_log(history, "run,cv\nexp001,0.0\nexp002,0.44\nexp003,TBD\n")
    assert scores(joined) == {"9102": 0.44}
    assert [issue.found for issue in joined.dropped] == [
        "exp001, CV 0",
        "exp003, CV missing",
    ]


def test_cell_that_is_no_score_is_listed(history: History) -> None:
    joined = join_log(history, "run,cv\nexp001,soon 0.4?\nexp002,0.44\n")
    assert {(issue.line, issue.column) for issue in joined.dropped} == {
        (2, "cv"),
        (2, None),
    }


def test_history_is_not_changed(history: History) -> None:
    before = history.to_dict()
    join_log(history, MLFLOW_CLI)
    assert history.to_dict() == before


def test_history_without_submissions_joins_nothing() -> None:
    empty = History(competition=Competition(), submissions=())
    joined = join_log(empty, "run,cv\nexp001,0.4471\n")
    assert len(joined) == 0
    assert codes(joined) == ["LBS113"]


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
)
def test_joined_where_a_number_occurs_once_on_both_sides(
    described: list[int], logged: list[int]
) -> None:
    submissions = [sent(i, f"exp{n:03d}, lr 0.1") for i, n in enumerate(described)]
    history = History(competition=Competition(), submissions=tuple(submissions))
    log = [{"run": f"exp_{n}", "cv": 0.4 + i / 100} for i, n in enumerate(logged)]
    joined = join_log(history, log)
    once, listed = Counter(described), Counter(logged)
    expected = {
        str(i): log[logged.index(n)]["cv"]
        for i, n in enumerate(described)
        if once[n] == listed[n] == 1
    }
    assert scores(joined) == expected
    left = [issue for issue in joined.dropped if issue.action == "entry not joined"]
    assert len(left) == len(logged) - len(expected)


# --- two columns, and names in any column --------------------------------------------

TWO_COLUMNS = [
    {"version": "v1_lgb", "oof_auc_mean": 0.9423, "holdout_auc": 0.9437},
    {"version": "v4_xgb", "oof_auc_mean": 0.9426, "holdout_auc": 0.9438},
]
EXPORT = (
    "ref,fileName,date,description,status,publicScore,privateScore\n"
    "1001,submission.csv,2026-05-13 01:00:00,v1_lgb,COMPLETE,0.94410,\n"
    "1002,submission.csv,2026-05-13 02:00:00,v4_xgb,COMPLETE,0.94432,\n"
)


def test_the_column_of_a_log_is_chosen_beside_the_history() -> None:
    with pytest.raises(IngestError, match=r"--columns cv_score=oof_auc_mean"):
        read_kaggle(EXPORT, metric="roc_auc", cv_log=TWO_COLUMNS)
    history = read_kaggle(
        EXPORT,
        metric="roc_auc",
        cv_log=TWO_COLUMNS,
        columns={"cv": "holdout_auc", "lb": "publicScore"},
    )
    assert scores(history) == {"1001": 0.9437, "1002": 0.9438}
    with pytest.raises(IngestError, match="none of that name"):
        read_kaggle(EXPORT, cv_log=TWO_COLUMNS, columns={"cv": "nowhere"})


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("stem", ["blend_a", "cat"]),
        ("model", ["blend_a.csv", "cat.csv"]),
        ("saved_to", ["/home/me/out/blend_a.csv.gz", "out\\cat.parquet"]),
        ("oof", ["oof_blend_a.npy", "oof_cat.npy"]),
        ("what", ["Two models, averaged", "Trees of catboost"]),
    ],
)
def test_any_column_may_name_the_submission(column: str, values: list[str]) -> None:
    submissions = (
        sent(1, "two models, averaged", file_name="sub/blend_a.csv"),
        sent(2, "trees of catboost", file_name="submission_cat.csv"),
    )
    history = History(competition=Competition(), submissions=submissions)
    log = [
        {"seed": place, column: value, "cv_auc": (81 + place) / 100}
        for place, value in enumerate([*values, "never sent"])
    ]
    assert scores(join_log(history, log)) == {"1": 0.81, "2": 0.82}


def test_a_word_of_several_submissions_joins_nothing() -> None:
    submissions = (sent(1, "lgbm"), sent(2, "lgbm", file_name="b2.csv"))
    history = History(competition=Competition(), submissions=submissions)
    assert scores(join_log(history, [{"kind": "lgbm", "cv_auc": 0.8}])) == {}
