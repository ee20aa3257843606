"""The submissions of Zindi: the API, the package's lists, models and printed board."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_submissions, read_zindi

ROWS = [
    {
        "id": "a1x9",
        "status": "successful",
        "filename": "sub_v2.csv",
        "created_at": "2026-01-08T09:30:15.000Z",
        "public_score": 0.461234377,
        "comment": "branch:main|oof_f1:0.85|features:120|calib:X",
        "status_description": None,
        "chosen": True,
    },
    {
        "id": "a1x8",
        "status": "failed",
        "filename": "sub_v1.csv",
        "created_at": "2026-01-07T12:30:15.000Z",
        "public_score": None,
        "comment": None,
        "status_description": "Missing entries for ID_7",
        "chosen": False,
    },
    {
        "id": "a1x7",
        "status": "initial",
        "filename": "sub_v1.csv",
        "created_at": "2026-01-07T11:30:15.000Z",
        "public_score": None,
        "comment": "",
        "status_description": None,
        "chosen": False,
    },
]


@dataclasses.dataclass
class SubmissionEntry:
    """The shape of the models of zindi 0.0.4."""

    id: str
    status: str
    filename: str
    created_at: str | None = None
    public_score: float | None = None
    private_score: float | None = None
    comment: str | None = None
    status_description: str | None = None
    extras: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class SubmissionBoardResult:
    submissions: list[SubmissionEntry]


def entry(row):
    known = {field.name for field in dataclasses.fields(SubmissionEntry)}
    extras = {key: value for key, value in row.items() if key not in known}
    return SubmissionEntry(
        **{key: value for key, value in row.items() if key in known}, extras=extras
    )


class Iterable(SubmissionBoardResult):
    """Iterates over its fields, as the models of pydantic do."""

    def __iter__(self):
        return iter(vars(self).items())


MODELS = SubmissionBoardResult([entry(row) for row in ROWS])
SHAPES = {
    "wrapped": {"data": ROWS},
    "list": ROWS,
    "json": json.dumps({"data": ROWS}),
    "json of a list": json.dumps(ROWS, indent=2),
    "frame": pd.DataFrame(ROWS),
    "csv": pd.DataFrame(ROWS).to_csv(),
    "models": MODELS,
    "iterable model": Iterable(MODELS.submissions),
    "list of models": MODELS.submissions,
    "to_dict of the models": dataclasses.asdict(MODELS),
}


@pytest.mark.parametrize("data", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_the_payload(data):
    history = read_submissions(data)
    assert [item.submission_id for item in history] == ["a1x7", "a1x8", "a1x9"]
    assert [item.status for item in history] == ["pending", "error", "complete"]
    assert [item.selected for item in history] == [False, False, True]
    assert history["a1x8"].status_detail == "Missing entries for ID_7"
    best = history["a1x9"]
    assert (best.public_score, best.private_score) == (0.461234377, None)
    assert (best.cv_score, best.cv_source) == (0.85, "description")
    assert best.submitted_at == datetime(2026, 1, 8, 9, 30, 15, tzinfo=UTC)
    assert history.competition.platform == "zindi"
    assert history.competition.display_decimals == 9
    assert not any(warning.code == "LBS114" for warning in history.warnings)


def test_after_the_close_both_scores_are_there():
    rows = [row | {"private_score": 0.45} for row in ROWS[:1]]
    assert read_zindi(rows)[0].private_score == 0.45


def test_initial_with_a_score_counts_as_complete():
    assert read_zindi([ROWS[0] | {"status": "initial"}])[0].status == "complete"


def test_sub_metrics_beside_the_combined_score_are_left_alone():
    row = ROWS[0] | {"extras": {"public_wer": 0.3, "public_cer": 0.1}}
    history = read_zindi([row])
    assert history[0].public_score == 0.461234377


def test_error_answer_is_shown():
    with pytest.raises(IngestError, match="failed request.*Invalid token"):
        read_zindi({"data": {"errors": {"message": "Invalid token"}}})
    with pytest.raises(IngestError, match="Invalid token"):
        read_zindi(json.dumps({"data": {"errors": "Invalid token"}}))


def test_answer_without_submissions():
    with pytest.raises(IngestError, match="no submissions in it"):
        read_zindi({"data": []})


def board(rows):
    """Print a board as the package does, in its widths."""
    bar = "_" * 130
    line = "|{:^6}|{:^10}|{:^18}|{:^16}|{:^30} |{:^25}"
    names = ("status", "id", "date", "score", "filename", "comment")
    empty = line.format(*[""] * 6)
    out = ["<Response [200]>", bar, empty, line.format(*names), empty]
    row_line = "|{:^5}|{:^10}|{:^12}| {:^14.14} |{:30.30} |{:40.40}"
    for row in rows:
        out += ["-" * 130, row_line.format(*row)]
    return "\n".join([*out, bar, "", ""])


BOARD = board(
    [
        ("🟢", "a1x9", "08 Jan 2026, 09:30", "0.46123437712345", "v2.csv", "cv 0.85"),
        ("🔴", "a1x8", "07 Jan 2026, 12:30", "-", "v1.csv", "Missing | ID_7"),
        ("🟢", "a1x7", "07 Jan 2026, 11:30", "In processing", "v1.csv", ""),
    ]
)


def test_printed_board():
    history = read_submissions(BOARD)
    assert [item.submission_id for item in history] == ["a1x7", "a1x8", "a1x9"]
    assert [item.status for item in history] == ["pending", "error", "complete"]
    assert history["a1x9"].public_score == 0.461234377123
    assert history["a1x9"].submitted_at == datetime(2026, 1, 8, 9, 30, tzinfo=UTC)
    assert history["a1x8"].status_detail == "Missing | ID_7"
    assert history.competition.platform == "zindi"
    assert history.dropped == ()


def test_score_of_the_board_may_be_public_or_private():
    history = read_submissions(BOARD)
    [warning] = [item for item in history.warnings if item.code == "LBS114"]
    assert "Read as public" in warning.message
    closed = read_submissions(BOARD, columns={"private_score": "score"})
    assert closed["a1x9"].private_score == 0.461234377123
    assert closed["a1x9"].public_score is None
    assert not any(item.code == "LBS114" for item in closed.warnings)


def test_comment_with_a_newline_stays_in_its_row():
    text = BOARD.replace("cv 0.85", "cv 0.85\nsecond line")
    history = read_submissions(text)
    assert history["a1x9"].description == "cv 0.85\nsecond line"


def test_old_rule_of_the_split_is_asked_for():
    codes = {warning.code for warning in read_zindi(ROWS).warnings}
    assert "LBS107" in codes
    for nested in (True, False):
        history = read_zindi(ROWS, nested=nested)
        assert history.competition.nested is nested
        assert "LBS107" not in {warning.code for warning in history.warnings}


def test_participations_are_a_leaderboard():
    rows = [
        {"public_rank": 1, "best_public_score": 0.9, "user": {"username": "x"}},
        {"public_rank": 2, "best_public_score": 0.8, "user": {"username": "y"}},
    ]
    with pytest.raises(IngestError, match="a leaderboard.*not the submission history"):
        read_zindi({"data": rows})


LOG = """# Experiments

### v1.1 - Target encoding (2026-01-09)

- **Public Score**: 0.461234377
- **Private Score**: TBD
- CV: 0.4702

### v1.0 - Baseline LightGBM (2026-01-07)
**Public Score**: 0.4501
**Private Score**: TBD

### Ideas
Nothing yet.
"""


def test_markdown_log_of_headings_and_labels():
    history = read_zindi(LOG)
    assert [item.public_score for item in history] == [0.4501, 0.461234377]
    assert [item.description for item in history] == [
        "v1.0 - Baseline LightGBM",
        "v1.1 - Target encoding",
    ]
    assert [item.cv_score for item in history] == [None, 0.4702]
    assert history[0].submitted_at == datetime(2026, 1, 7, tzinfo=UTC)
    assert history[0].private_score is None


def test_markdown_table_with_question_marks():
    text = (
        "Some words, before.\n\n"
        "| Version | Strategy | CV F1 | Public LB | Features | Status |\n"
        "|---------|:--------:|------:|-----------|----------|--------|\n"
        "| v1 | base | 0.7052 (0.0641) | **.7900** | 12 | ✅ Best |\n"
        "| v2 | more \\| less | 0.71 | ??? | 14 | to do |\n\nAnd after.\n"
    )
    history = read_submissions(text)
    assert [item.submission_id for item in history] == ["v1", "v2"]
    assert [item.public_score for item in history] == [0.79, None]
    assert (history["v1"].cv_score, history["v1"].cv_std) == (0.7052, 0.0641)
    assert history["v2"].description == "more | less"
    assert [item.status for item in history] == ["complete", "unknown"]


def test_lines_of_cv_and_public_score():
    text = (
        "Notes\n- V1: 0.766 CV → 0.868 Public (+0.102 gap)\n- V2: 0.77 CV -> 0.87 LB\n"
    )
    history = read_submissions(text)
    assert [item.cv_score for item in history] == [0.766, 0.77]
    assert [item.public_score for item in history] == [0.868, 0.87]
    assert history[0].description.startswith("V1")
