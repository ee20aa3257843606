"""The warnings LBS101 to LBS116: each where it belongs, and not where it does not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lbsense.ingest import read_submissions, read_table, read_zindi

HEADER = "ref,fileName,date,description,status,publicScore,privateScore"


def export(n, *, first=1):
    """Write an export of n submissions, one an hour, the newest first."""
    start = datetime(2026, 7, 1)
    rows = [
        f"{i},s.csv,{start + timedelta(hours=i)},v{i},complete,{0.7 + i / 1e4:.5f},"
        for i in range(first, first + n)
    ]
    return "\n".join([HEADER, *rows[::-1]])


def scores(public, private=None, cv=None):
    rows = [{"model": f"m{i}", "public": value} for i, value in enumerate(public)]
    for name, values in (("private", private), ("cv", cv)):
        for row, value in zip(rows, values or [], strict=False):
            row[name] = value
    return rows


def message(data, code, **options):
    found = [w for w in read_submissions(data, **options).warnings if w.code == code]
    return found[0].message if found else None


@pytest.mark.parametrize("n", [20, 50, 200])
def test_101_full_page(n):
    text = message(export(n), "LBS101")
    assert f"exactly {n} rows" in text
    assert ("page_number=2" in text) == (n == 200)


def test_101_not_for_other_lengths_or_tables_by_hand():
    for n in (1, 19, 21, 49, 51, 62, 199):
        assert message(export(n), "LBS101") is None
    assert message(scores([0.5 + i / 100 for i in range(20)]), "LBS101") is None


def test_101_pages_that_end_in_a_short_one_are_whole(tmp_path):
    pages = [tmp_path / "1.csv", tmp_path / "2.csv"]
    pages[0].write_text(export(50))
    pages[1].write_text(export(12, first=51))
    assert message(pages, "LBS101") is None
    pages[1].write_text(export(50, first=51))
    assert message(pages, "LBS101") is not None


def test_101_zindi_has_its_own_remedy():
    rows = [
        {"id": i, "filename": "a", "created_at": f"2026-01-{i:02}", "public_score": 0.5}
        for i in range(1, 21)
    ]
    [warning] = [w for w in read_zindi(rows).warnings if w.code == "LBS101"]
    assert "per_page" in warning.message


def test_102_two_scales():
    text = message(scores([0.81, 0.82, 81.0, 82.5, 0.83]), "LBS102")
    assert "3 from 0.81 to 0.83 and 2 from 81 to 82.5" in text
    assert message(scores([0.81, 0.82, 1.9, 7.2, 12.0]), "LBS102") is None
    assert message(scores([0.81, 0.82, 0.83, 81.0]), "LBS102") is None  # one: extreme


def test_103_public_is_private():
    same = [0.60985, 1.80136, 0.7]
    assert "all 3 submissions" in message(scores(same, same), "LBS103")
    assert message(scores(same, [0.60985, 1.80136, 0.71]), "LBS103") is None
    assert message(scores(same[:2], same[:2]), "LBS103") is None


def test_104_coarse_rounding():
    coarse = [0.81, 0.81, 0.82, 0.82, 0.82, 0.82]
    assert "4 of 5 steps" in message(scores(coarse), "LBS104")
    assert message(scores([0.81, 0.82, 0.82, 0.83, 0.84, 0.85]), "LBS104") is None
    assert message(scores([0.81] * 5), "LBS104") is None  # four steps say little


def test_105_duplicates():
    rows = [
        {"model": "a", "hash": "x", "public": 0.5},
        {"model": "b", "hash": "y", "public": 0.5},
        {"model": "c", "hash": "x", "public": 0.5},
    ]
    assert "2 submissions in 1 group" in message(rows, "LBS105")
    again = [
        {"description": "blend v2", "fileName": "s.csv", "public": 0.51234, "date": day}
        for day in ("2026-01-01", "2026-01-02")
    ]
    assert "2 submissions in 1 group" in message(again, "LBS105")
    again[1]["public"] = 0.51235  # the same words, another file
    assert message(again, "LBS105") is None


def test_106_complete_without_score():
    text = export(3).replace("0.70010", "").replace("0.70020", "")
    assert "2 submissions marked complete without" in message(text, "LBS106")
    assert message(export(3), "LBS106") is None
    assert message("model,cv,LB\na,0.5,\nb,0.5,0.6\n", "LBS106") is None


def test_107_only_on_zindi():
    assert message(export(3), "LBS107") is None
    rows = [{"id": 1, "filename": "a", "created_at": "2018-01-01", "public_score": 1}]
    assert "2018-19" in message(rows, "LBS107")


def test_108_change_of_scheme():
    text = "model,cv_scheme,cv,LB\na,KFold,0.474,0.479\nb,GroupKFold,0.558,0.478\n"
    told = message(text, "LBS108")
    assert "way of splitting changes from 'k-fold' to 'group k-fold'" in told
    assert message(scores([0.5, 0.6], cv=[0.5, 0.61]), "LBS108") is None


def test_108_two_scales_of_cv():
    rows = scores([0.71, 0.72, 0.75, 0.78], cv=[0.8, 0.81, 80.1, 81.2])
    assert message(rows, "LBS108") is not None


def test_110_extreme_scores():
    text = message(scores([6.5, 6.4, 6.3, 1068014.436]), "LBS110")
    assert "1 extreme score (1.068e+06)" in text
    assert message(scores([6.5, 6.4, 6.3, 60.0]), "LBS110") is None
    history = read_table(scores([6.5, 6.4, 6.3, 1068014.436]))
    assert history[3].public_score == 1068014.436


def test_110_beyond_the_range_of_the_metric():
    text = message(scores([0.5, 0.6, 1.2]), "LBS110", metric="roc_auc")
    assert "roc_auc lies between 0 and 1" in text
    assert message(scores([0.5, 0.6, 1.0]), "LBS110", metric="roc_auc") is None
    assert message(scores([0.5, 0.6, 1.2]), "LBS110", metric="rmse") is None


def test_111_counts_what_was_not_understood():
    text = message(scores(["4/9", "abc", 0.5]), "LBS111")
    assert text.startswith("2 rows or cells not understood")
    assert "'4/9'" in text


def test_112_other_scale():
    public, private = [91.86, 92.1, 92.54], [0.045, 0.046, 0.047]
    assert "different scales" in message(scores(public, private), "LBS112")
    assert message(scores([6.2, 6.3, 6.4], [9.4, 9.5, 9.6]), "LBS112") is None
    assert message(scores([-0.5, 0.5, 0.4], [0.5, 0.5, 0.4]), "LBS112") is None


def test_a_sound_history_has_no_warning():
    assert read_submissions(export(25), metric="roc_auc").warnings == ()


def test_messages_are_whole_sentences():
    rows = scores([0.81, 0.82, 81.0, 82.5, 0.83, "abc"], cv=[0.8, 0.8, 80, 80, 0.8, 0])
    for warning in read_table(rows).warnings:
        assert warning.message.endswith(".")
        assert warning.message[0].isupper() or warning.message[0].isdigit()
