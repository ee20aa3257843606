"""Whatever comes in: a history or one clear error, never another exception."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbsense.errors import IngestError
from lbsense.ingest import read_kaggle, read_submissions, read_table
from lbsense.model import History

NAMES = st.sampled_from(
    ["ref", "fileName", "date", "description", "status", "publicScore", "LB", "cv"]
    + ["privateScore", "model", "valid", "oof", "fold1", "fold2", "id", "score", "team"]
    + ["parent", "selected", "cv_std", "rank", "#", "", "x", "created_at", "filename"]
)
CELLS = st.one_of(
    st.sampled_from(
        ["0.81", "0.7052 (0.0641)", "**.79**", "TBD", "???", "inf", "nan", "4/9", "-"]
        + ["complete", "SubmissionStatus.ERROR", "2026-07-28 15:17:26", "13/07/19", "'"]
        + [
            '"',
            "|",
            "---",
            "0,81",
            "[0.8, 0.9]",
            "1753700000",
            "cv 0.8",
            "\ufeff",
            "1e9",
        ]
        + ["04/07/19", "True", "x", "None", "\u22121", "9" * 400, "2d ago", "from v12"]
    ),
    st.text(max_size=12),
)
VALUES = st.one_of(
    CELLS,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.datetimes(),
    st.dates(),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
PLENTY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def check(data, read=read_submissions, **options):
    history, message = None, ""
    try:
        history = read(data, **options)
    except IngestError as error:
        message = str(error).strip()
    assert isinstance(history, History) != bool(message)
    assert history is None or len(history) > 0
    return history


@PLENTY
@given(st.binary(max_size=300))
def test_any_bytes(data):
    check(data)


@PLENTY
@given(
    st.binary(max_size=100), st.sampled_from([b"\x1f\x8b", b"PK\x03\x04", b"\xff\xfe"])
)
def test_any_bytes_after_a_magic_number(data, magic):
    check(magic + data)
    check(gzip.compress(data))


@PLENTY
@given(st.text(max_size=300))
def test_any_text(text):
    check(text + "\n")


@PLENTY
@given(st.text(max_size=60))
def test_any_file_name(name):
    with pytest.raises(IngestError, match="."):
        read_submissions(
            "no folder of this name/" + name.replace("\n", "").replace("\r", "")
        )


@PLENTY
@given(st.text(alphabet="abc019,;|\t\"'-:#*{}[]()./=\n ", max_size=200))
def test_text_of_the_marks_that_tables_use(text):
    check("model,LB\n" + text)
    check("| model | LB |\n|---|---|\n" + text)
    check("model  LB\n-----  --\n" + text)
    check('[{"model": "a", "LB": 1}' + text)


@PLENTY
@given(
    st.lists(NAMES, min_size=1, max_size=8),
    st.lists(st.lists(CELLS, max_size=9), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r\r\n", "\n\n"]),
)
def test_tables_of_odd_cells(names, rows, delimiter, end):
    text = end.join(delimiter.join(line) for line in [names, *rows])
    check(text + "\n")
    check(text + "\n", read_kaggle)
    check(text.encode("utf-16"))


@PLENTY
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=8), max_size=6))
def test_records_of_odd_values(rows):
    history = check(rows)
    check(rows, read_table)
    if history is not None:
        history.to_frame()
        str(history)
    if rows:
        check(pd.DataFrame(rows))
    check(json.dumps(rows, default=str))


@PLENTY
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=5) | NAMES, inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_any_json(value):
    check(json.dumps(value) + "\n")


@PLENTY
@given(st.permutations(range(6)))
def test_order_of_dated_rows_does_not_matter(order):
    rows = [
        {"ref": i, "date": f"2026-07-{i + 1:02} 10:00", "publicScore": i / 10}
        for i in range(6)
    ]
    history = read_submissions([rows[i] for i in order])
    assert [item.submission_id for item in history] == list("012345")
