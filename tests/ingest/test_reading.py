"""The statement of what was read: nothing is lost without a line that says so."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.analysis import analyze
from lbsense.checks import run_checks
from lbsense.ingest import read_submissions, read_table
from lbsense.words import reading_entries

HEADINGS = {
    "english": ("exp", "Local CV", "Public LB", "Private LB", "When", "Notes"),
    "german": ("Versuch", "lokal", "öffentlich", "privat", "Datum", "Bemerkung"),
    "french": ("version", "validation", "public", "privé", "date", "remarques"),
    "spanish": ("versión", "validación", "público", "privado", "fecha", "notas"),
    "portuguese": ("versão", "validação", "público", "privado", "data", "notas"),
    "russian": ("версия", "валидация", "паблик", "приват", "дата", "заметки"),
    "japanese": ("実験名", "ローカルCV", "公開スコア", "非公開", "提出日時", "メモ"),
    "korean": ("실험", "검증", "리더보드", "비공개", "제출 일시", "메모"),
    "chinese": ("版本", "线下", "线上", "B榜", "时间", "备注"),
}
DECORATIONS = ("{}", "**{}**", "`{}`", "{} 🥇", "[{}](https://example.org/a)", "~{}")
PLAIN = ("{}", "**{}**", "`{}`")
DAYS = ("2026-05-0{} 10:00", "{}. Mai 2026", "2026年5月{}日", "May {}, 2026")


def markdown(heading, rows):
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def separated(mark):
    return lambda heading, rows: "\n".join(map(mark.join, [heading, *rows])) + "\n"


LAYOUTS = {
    "markdown": markdown,
    "tabs": separated("\t"),
    "semicolons": separated(";"),
    "pipes": separated("|"),
}


@given(
    language=st.sampled_from(sorted(HEADINGS)),
    layout=st.sampled_from(sorted(LAYOUTS)),
    order=st.permutations(range(6)),
    decoration=st.sampled_from(DECORATIONS),
    day=st.sampled_from(DAYS),
    extra=st.sampled_from([None, ("blob", "x{}"), ("n_trees", "{}00"), ("", "")]),
)
def test_no_row_score_date_or_column_is_lost(
    language, layout, order, decoration, day, extra
):
    if layout == "pipes" and "(" in decoration:
        decoration = "{}"
    heading = [HEADINGS[language][at] for at in order]
    rows = []
    for n in range(1, 6):
        cells = (
            f"exp{n}",
            f"0.70{n}",
            decoration.format(f"0.80{n}"),
            f"0.79{n}",
            day.format(n),
            f"what was tried {n}",
        )
        rows.append([cells[at] for at in order])
    if extra is not None:
        heading.append(extra[0])
        for n, row in enumerate(rows, 1):
            row.append(extra[1].format(n))
    history = read_submissions(LAYOUTS[layout](heading, rows), metric="roc_auc")
    assert [item.public_score for item in history] == [
        0.801,
        0.802,
        0.803,
        0.804,
        0.805,
    ]
    assert [item.private_score for item in history] == [
        0.791,
        0.792,
        0.793,
        0.794,
        0.795,
    ]
    assert [item.cv_score for item in history] == [0.701, 0.702, 0.703, 0.704, 0.705]
    assert [item.submitted_at.day for item in history] == [1, 2, 3, 4, 5]
    assert [item.title for item in history] == [f"exp{n}" for n in range(1, 6)]
    read = history.reading
    named = {name for names in read.columns.values() for name in names.split(", ")}
    unused = {column.name for column in read.unused}
    assert {name for name in heading if name} <= named | unused
    assert read.order == "dates"
    assert read.n_submissions == 5


@given(
    cells=st.lists(
        st.sampled_from(
            ["0.81", "**0.82**", "0,83", "TBD", "bad", "3/4", "0.8/0.7", ""]
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_cell_is_a_score_or_a_blank_or_said(cells):
    rows = [[f"m{n} x", cell] for n, cell in enumerate(cells)]
    history = read_table(markdown(["model", "LB"], rows))
    said = {issue.line for issue in history.dropped}
    assert len(history) == len(cells)
    for item, cell in zip(history, cells, strict=True):
        if item.public_score is None and cell not in ("", "TBD"):
            assert item.source_line in said


def reading(text, **options):
    return read_submissions(text, **options).reading


def test_the_statement_in_one_line():
    text = markdown(
        ["Run", "제출 일시", "CV MAE", "LB", "trees", "remark"],
        [["a", "2026-05-01", "0.71", "0.81", "100", "first"]]
        + [["b", "2026-05-02", "0.72", "0.82", "200", "second"]],
    )
    found = reading(text, metric="mae")
    assert str(found) == (
        "2 submissions, public score from 'LB', CV from 'CV MAE', dates from "
        "'제출 일시', names from 'Run', descriptions from 'remark', in the order of "
        "their dates"
    )
    assert [str(column) for column in found.unused] == ["'trees' (whole numbers)"]


def test_a_column_that_is_filled_late_is_not_empty():
    rows = [[f"exp{i}", f"0.{1000 + i}", "", f"0.{1000 + i}"] for i in range(2500)]
    rows[-1][2:] = ["7", "0.9"]
    found = reading(markdown(["exp", "LB", "late", "copy"], rows), metric="mae")
    assert {column.name: column.guess for column in found.unused} == {
        "late": "whole numbers",
        "copy": "numbers like the public score, perhaps a score",
    }


def test_the_statement_is_in_the_json_and_on_the_screen():
    history = read_table("exp,LB,blob\na,0.5,x\nb,0.6,y\n", greater_is_better=True)
    content = json.loads(json.dumps(analyze(history).to_dict()))
    assert content["reading"]["columns"] == {"public_score": "LB", "title": "exp"}
    assert content["reading"]["unused"][0]["name"] == "blob"
    told = dict(reading_entries(history))
    assert told["Read"].startswith("2 submissions, public score from 'LB'")
    assert "'blob'" in told["Not used"]


def test_cv_of_a_description_is_said():
    text = "file,description,LB\na.csv,lgb cv 0.8123,0.81\nb.csv,xgb cv 0.8124,0.82\n"
    assert reading(text).columns["cv_score"] == "description"


def listed(*scores, names=None, head="exp"):
    names = names or [f"{chr(97 + n)}x" for n in range(len(scores))]
    rows = [[name, str(score)] for name, score in zip(names, scores, strict=True)]
    return read_submissions(markdown([head, "LB"], rows), metric="f1")


def test_a_counter_that_runs_down():
    history = listed(0.81, 0.80, 0.79, names=["3", "2", "1"], head="#")
    assert history.reading.order == "counter"
    assert [item.public_score for item in history] == [0.79, 0.80, 0.81]


def test_names_with_numbers_that_run_down():
    history = listed(0.81, 0.80, 0.79, names=["exp12", "exp11", "exp9"])
    assert [item.title for item in history] == ["exp9", "exp11", "exp12"]


def test_a_list_sorted_by_score_tells_no_order():
    history = listed(0.85, 0.84, 0.83, 0.82, 0.81)
    assert history.reading.order == "score"
    assert not history.reading.order_is_known
    [warning] = [w for w in history.warnings if w.code == "LBS109"]
    assert "sorted by score" in warning.message
    found = {item.code: item for item in run_checks(analyze(history))}
    assert found["LBS302"].status == "not_applicable"


def test_a_list_sorted_by_score_with_numbers_in_its_names():
    names = ["v2", "v5", "v1", "v4", "v3"]
    history = listed(0.85, 0.84, 0.83, 0.82, 0.81, names=names)
    assert [item.title for item in history] == ["v1", "v2", "v3", "v4", "v5"]


def test_a_rank_is_no_counter():
    history = listed(0.85, 0.84, 0.83, 0.82, names=["1", "2", "3", "4"], head="#")
    assert history.reading.order == "score"


def test_a_list_that_climbs_is_in_its_order():
    assert listed(0.81, 0.82, 0.83, 0.84).reading.order == "listed"


@pytest.mark.parametrize("head", ["submitted_utc", "Uploaded", "送信", "x"])
def test_any_column_of_times_is_one(head):
    text = markdown(["exp", head, "LB"], [["a", "2026-05-02", "0.5"]])
    assert read_submissions(text)[0].submitted_at.day == 2


def test_days_and_times_in_two_columns():
    rows = [["a", "2026-05-02", "23:10", "0.5"], ["b", "2026-05-02", "08:00", "0.6"]]
    history = read_submissions(markdown(["exp", "Date", "Time", "LB"], rows))
    assert [item.title for item in history] == ["b", "a"]
    assert history[0].submitted_at.hour == 8


def test_a_duration_is_no_time_of_the_day():
    rows = [["a", "2026-05-02", "01:10", "0.5"]]
    history = read_submissions(markdown(["exp", "Date", "Training time", "LB"], rows))
    assert history[0].submitted_at.hour == 0
    assert [column.name for column in history.reading.unused] == ["Training time"]


def test_a_text_of_numbers_does_not_hide_the_file_name():
    text = "Hypothesis,LB,File\n1,0.5,a.csv\n2,0.6,b.csv\n"
    history = read_submissions(text)
    assert [item.name for item in history] == ["a.csv", "b.csv"]
    assert "description" not in history.reading.columns
    assert [column.name for column in history.reading.unused] == ["Hypothesis"]
