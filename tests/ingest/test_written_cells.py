"""Scores as people write them into the cells of a table of their own."""

from __future__ import annotations

import pytest

from lbsense.analysis import analyze
from lbsense.checks import run_checks
from lbsense.ingest import read_submissions, read_table


def column(*cells, head="LB"):
    rows = [{"model": f"m{i} try", head: cell} for i, cell in enumerate(cells)]
    history = read_table(rows)
    return [item.public_score for item in history], history


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("**13902.40** (-188.35 vs 003)", 13902.4),
        ("**0.8123** _(+0.002)_", 0.8123),
        ("[0.8150](https://example.org/x?a=1)", 0.815),
        ("[**0.8150**](link)", 0.815),
        ("9.90%", 0.099),
        ("`0.9512`", 0.9512),
        ("0.81<br>", 0.81),
        ("<b>0.81</b>", 0.81),
        ("0.81[^1]", 0.81),
        ("0.812 🥇", 0.812),
        ("0.815 (private 0.812) (best)", 0.815),
        ("~~0.81~~", 0.81),
        ("\u0660\u002e\u0668\u0661", 0.81),
        ("72,328.50", 72328.5),
    ],
)
def test_a_score_with_its_trimmings(text, value):
    found, history = column(text)
    assert found == [value]
    assert history.dropped == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.63 → 0.71", 0.71), ("best 0.81", 0.81), ("0.81 best so far", 0.81)],
)
def test_a_score_that_is_read_with_a_doubt_is_listed(text, value):
    found, history = column(text)
    assert found == [value]
    [issue] = history.dropped
    assert issue.found == text
    assert "read" in issue.action


def test_decimal_commas_in_some_rows():
    assert column("0.7701", "0.7720", "0,7694", "**0,7735**")[0] == [
        0.7701,
        0.7720,
        0.7694,
        0.7735,
    ]


def test_a_comma_that_may_be_either_is_what_the_column_is_like():
    assert column("2.480", "1,950", "3.020")[0] == [2.48, 1.95, 3.02]
    assert column("2480.5", "1,950", "3020.1")[0] == [2480.5, 1950.0, 3020.1]
    assert column("1,950", "12,345")[0] == [1950.0, 12345.0]


def test_points_between_thousands():
    assert column("13.902,40", "9.120,5", "12.000,1")[0] == [13902.4, 9120.5, 12000.1]


@pytest.mark.parametrize("text", ["same as #1 with weight 0.3", "# 4 blend w # 0.2"])
def test_a_number_sign_in_a_text_is_text(text):
    csv = (
        "fileName,date,description,status,publicScore,privateScore\n"
        "a.csv,2026-03-02 10:00:00,baseline,complete,0.71000,\n"
        f"b.csv,2026-03-03 10:00:00,{text},complete,0.71500,\n"
    )
    history = read_submissions(csv, metric="roc_auc")
    assert len(run_checks(analyze(history))) > 0


@pytest.mark.parametrize("head", ["Public/Private", "LB (public / private)"])
def test_two_scores_in_one_cell_below_two_names(head):
    rows = [{"exp": "a", head: "0.801/0.795"}, {"exp": "b", head: "**0.81** / 0.80"}]
    history = read_table([*rows, {"exp": "c", head: "0.79"}, {"exp": "d", head: "-"}])
    assert [item.public_score for item in history] == [0.801, 0.81, 0.79, None]
    assert [item.private_score for item in history] == [0.795, 0.80, None, None]
    assert history.dropped == ()


def test_two_scores_in_one_cell_below_one_name():
    found, history = column("0.801/0.795", "0.81")
    assert found == [0.801, 0.81]
    assert "second" in history.dropped[0].action


def test_a_link_in_the_first_cell_is_no_json():
    text = "LB;exp\n[0.81](https://example.org/a);a\n[0.82](https://example.org/b);b\n"
    history = read_submissions(text)
    assert [item.public_score for item in history] == [0.81, 0.82]
