"""Parents that a description declares, and what only sounds like one."""

from __future__ import annotations

import pytest

from lbsense.ingest import read_table

#: name of the file and description of what was sent before; identifiers are "s0", ...
EARLIER = [
    ("base.csv", "baseline"),
    ("X1h.csv", "X1h: first hybrid"),
    ("exp9.csv", "exp009 longer window"),
    ("exp012.csv", "exp012: ranks"),
    ("submission.csv", "v3, seed average"),
    ("cat.csv", "catboost alone"),
    ("lgb_v7.csv", "tuned trees"),
]


def parent_of(text, earlier=EARLIER):
    rows = [
        {"id": f"s{i}", "fileName": file, "description": words, "LB": 0.5 + i / 100}
        for i, (file, words) in enumerate([*earlier, ("new.csv", text)])
    ]
    return read_table(rows)[f"s{len(earlier)}"].parent_id


@pytest.mark.parametrize(
    ("text", "parent"),
    [
        ("vs X1h", "s1"),
        ("CV 0.8123 vs X1h 0.8101", "s1"),
        ("X1h + attach", "s1"),
        ("X2: X1h+attach", "s1"),
        ("exp9 with a wider gate", "s2"),
        ("exp10: exp9 with a wider gate", "s2"),
        ("=exp012", "s3"),
        ("exp13 = exp012 + target encoding", "s3"),
        ("from exp9", "s2"),
        ("from exp009, smaller lr", "s2"),
        ("from EXP-9", "s2"),
        ("exp 9 with a wider gate", "s2"),
        ("based on exp012.csv", "s3"),
        ("v4 from v3", "s4"),
        ("fine-tuned from v3", "s4"),
        ("refit of lgb_v7 on all rows", "s6"),
        ("parent=s2", "s2"),
        ("parent: exp012; kept", "s3"),
        ("improved from v3 by more seeds", "s4"),
        ("from baseline", "s0"),
        ("vs baseline: two features more", "s0"),
        ("(vs `exp012`)", "s3"),
        ("based on exp9; 0.002 over exp012", "s2"),
        ("lgb_v7 without the dates", "s6"),
        ("same as exp012 but 10 folds", "s3"),
    ],
)
def test_prose_declares_a_parent(text, parent):
    assert parent_of(text) == parent


@pytest.mark.parametrize(
    "text",
    [
        "blend of exp9 with exp012",
        "exp9 + exp012",
        "= exp9 + exp012",
        "blend: exp9 + ridge",
        "ensemble of X1h with a linear model",
        "vs exp9 and vs exp012",
        "from exp9 and exp012",
        "pseudo labels from exp9",
        "weights from v3",
        "OOF features from exp012",
        "moved from v3 to v4",
        "not from exp9",
        "different from exp9",
        "unlike exp9 with dates",
        "exp99 with a wider gate",
        "from X1",
        "X1hh + attach",
        "from scratch",
        "vs public",
        "from base rate features",
        "cat features with more folds",
        "learned from cat pictures",
        "vs 9",
        "window = 9",
        "lr=012",
        "LB 0.812 vs CV 0.809",
        "correlation 0.98 vs exp9",
        "tuned trees",
        "baseline + ridge",
        "",
    ],
)
def test_no_parent_is_guessed(text):
    assert parent_of(text) is None


def test_a_name_of_two_submissions_is_none():
    twice = [("a.csv", "exp9 first"), ("b.csv", "exp9 again")]
    assert parent_of("from exp9", twice) is None
    assert parent_of("exp9 with dates", twice) is None


def test_what_was_sent_again_unchanged_is_one_submission():
    rows = [
        {"id": str(i), "fileName": "e.csv", "description": words, "LB": score}
        for i, (words, score) in enumerate(
            [("exp8: ranks", 0.7), ("exp8: ranks", 0.7), ("exp9 from exp8", 0.71)]
        )
    ]
    assert read_table(rows)["2"].parent_id == "0"
    rows[1]["LB"] = 0.72  # the same words, another content
    assert read_table(rows)["2"].parent_id is None


def test_a_later_submission_is_no_parent():
    rows = [
        {"id": "1", "description": "from exp2", "LB": 0.5},
        {"id": "2", "description": "exp2: base", "LB": 0.6},
    ]
    assert [item.parent_id for item in read_table(rows)] == [None, None]


def test_a_column_of_parents_goes_before_prose():
    text = "exp,parent,note,LB\ne1,,,0.5\ne2,,,0.6\ne3,e1,from e2,0.7\n"
    assert read_table(text)["e3"].parent_id == "e1"


def test_prose_of_thousands_of_submissions_is_read_at_once():
    rows = [
        {"id": f"{i}", "description": f"exp{i}: from exp{i - 1}", "LB": i / 1e4}
        for i in range(3000)
    ]
    parents = [item.parent_id for item in read_table(rows)]
    assert parents == [None, *(str(i) for i in range(2999))]


@pytest.mark.parametrize(
    "text", ["=exp9 but seed 7", "vs exp9", "v8 (parent: exp9)", "re-run of exp9"]
)
def test_what_begins_with_the_name_of_its_parent_does_not_take_that_name(text):
    earlier = [
        ("a.csv", "exp9: catboost"),
        ("b.csv", "exp9 with longer training"),
        ("c.csv", "exp9 + folds"),
    ]
    assert parent_of("exp9 + folds", earlier[:2]) == "s0"
    assert parent_of(text, earlier) == "s0"
