"""Several tables in one document: never one history made of two."""

from __future__ import annotations

import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_submissions, read_table

DIARY = """# My competition

## Whole history

| Version | CV | LB | Date |
|---|---|---|---|
| v1 | 0.61 | 1.95 | 2026-02-02 |
| v2 | 0.65 | 2.48 | 2026-02-05 |
| v3 | 0.70 | 3.02 | 2026-02-09 |

## Ranking

| # | Submission | LB | CV |
|---|---|---|---|
| 1 | v3 | **3.020** | 0.70 |
| 2 | v2 | 2.480 | 0.65 |

## By kind

| Model | Share | LB |
|---|---|---|
| context | 44.1% | 0.71 |
"""
WEEKS = """## Week 1
| Run | Kaggle Score |
|---|---|
| 001 | 14320 |
| 002 | 14011.52 |

## Week 2
| Run | Kaggle Score |
|---|---|
| 001 | 14320 |
| 002 | 14012 |
| 003 | 13940.77 |
"""
BOARDS = """### Board A
| version | score |
|---|---|
| v1 | 0.41 |
| v2 | 0.54 |

### Board B
| version | score |
|---|---|
| v9 | 0.55 |
"""


def ids(text, **options):
    history = read_submissions(text, greater_is_better=True, **options)
    return [item.submission_id for item in history], history


def left_out(history):
    return [i.action for i in history.dropped if "table left out" in i.action]


def test_the_fullest_table_is_read_and_the_others_are_said():
    found, history = ids(DIARY)
    assert found == ["v1", "v2", "v3"]
    assert len(left_out(history)) == 2
    assert history.reading.table == "the first of 3 tables ('Whole history')"
    assert "LBS117" in {warning.code for warning in history.warnings}


def test_of_tables_that_grow_the_last_is_read():
    found, history = ids(WEEKS)
    assert found == ["001", "002", "003"]
    assert history.reading.table == "the second of 2 tables ('Week 2')"


def test_two_boards_are_two_histories():
    assert ids(BOARDS)[0] == ["v1", "v2"]
    assert ids(BOARDS, table=2)[0] == ["v9"]
    assert ids(BOARDS, table="board b")[0] == ["v9"]


def test_two_tables_are_one_history_when_asked_for():
    assert ids(BOARDS, table=[1, 2])[0] == ["v1", "v2", "v9"]
    assert ids(BOARDS, table="1,2")[0] == ["v1", "v2", "v9"]


def test_a_row_that_two_tables_share_is_one():
    found, history = ids(WEEKS, table="1,2")
    assert found == ["001", "002", "003"]
    merged = [i for i in history.dropped if i.action.startswith("row merged")]
    assert len(merged) == 2


@pytest.mark.parametrize("table", [3, 0, "Board C", [1, 9]])
def test_a_table_that_is_not_there(table):
    with pytest.raises(IngestError, match=r"--table.*1 \('Board A'"):
        ids(BOARDS, table=table)


def test_a_heading_that_is_repeated_without_a_word_goes_on():
    text = (
        "| exp | LB |\n|---|---|\n| a | 0.5 |\n\n| exp | LB |\n|---|---|\n| b | 0.6 |\n"
    )
    assert ids(text)[0] == ["a", "b"]


def test_two_parts_of_a_file_of_values():
    text = "exp,LB\na,0.5\nb,0.6\n\nother board\nexp,LB\nc,0.7\n"
    found, history = ids(text)
    assert found == ["a", "b"]
    assert left_out(history)
    assert ids(text, table="other board")[0] == ["c"]


def test_two_files_are_pages_of_one_history(tmp_path):
    for name, row in (("a", "x,0.5"), ("b", "y,0.6")):
        (tmp_path / f"{name}.csv").write_text(f"exp,LB\n{row}\n")
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert [item.submission_id for item in read_table(paths)] == ["x", "y"]
