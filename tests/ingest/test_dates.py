"""Times of every generation, as UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from lbsense.ingest import read_submissions, read_table


def history_of(*cells):
    return read_table(
        [{"model": f"m{i}", "LB": 0.5, "date": cell} for i, cell in enumerate(cells)]
    )


def times(*cells):
    """Read one column of dates and return the times in the order of the cells."""
    found = {item.description: item.submitted_at for item in history_of(*cells)}
    return [found[f"m{i}"] for i in range(len(cells))]


def warned(history):
    found = [w.message for w in history.warnings if w.code == "LBS109"]
    return found[0] if found else ""


SUMMER = datetime(2026, 7, 28, 15, 17, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-07-28 15:17:26",
        "2026-07-28T15:17:26",
        "2026-07-28T15:17:26Z",
        "2026-07-28 15:17:26+00:00",
        "2026-07-28 15:17:26 UTC",
        "2026-07-28T12:17:26-03:00",
        "2026-07-28 20:47:26 +0530",
        "2026/07/28 15:17:26",
        "7/28/2026 3:17:26 PM",
        "07/28/2026 15:17:26",
        "28/07/2026 15:17:26",
        "28.07.2026 15:17:26",
        "28-07-2026 15:17:26",
        "28 Jul 2026, 15:17:26",
        "Jul 28, 2026 15:17:26",
        "July 28th, 2026 3:17:26 p.m.",
        "Tue, 28 Jul 2026 15:17:26 GMT",
        "2026年7月28日 15:17:26",
        "1785251846",
        "1785251846000",
        1785251846,
        1785251846.0,
        SUMMER,
        SUMMER.replace(tzinfo=None),
        SUMMER.astimezone(timezone(timedelta(hours=9))),
        pd.Timestamp("2026-07-28 15:17:26"),
        pd.Timestamp("2026-07-29 00:17:26", tz="Asia/Tokyo"),
        np.datetime64("2026-07-28T15:17:26"),
    ],
    ids=str,
)
def test_one_moment_in_many_spellings(cell):
    assert times(cell) == [SUMMER]


def test_fractions_are_kept_to_the_microsecond():
    [found] = times("2026-07-28T15:17:26.513123999Z")
    assert found.microsecond == 513_123
    assert times("7/28/2026 15:17:26.5")[0].microsecond == 500_000
    assert times(pd.Timestamp("2026-07-28 15:17:26.513123999"))[0] == found


def test_twelve_o_clock():
    noon, midnight = times("9/17/2011 12:05:00 PM", "9/17/2011 12:05:00 AM")
    assert (noon.hour, midnight.hour) == (12, 0)


def test_a_day_is_its_first_moment():
    assert times(date(2026, 7, 28)) == [datetime(2026, 7, 28, tzinfo=UTC)]
    assert times("2026-07-28") == [datetime(2026, 7, 28, tzinfo=UTC)]


def test_one_cell_settles_which_comes_first():
    assert [t.month for t in times("04/07/19", "13/07/19")] == [7, 7]
    assert [t.month for t in times("04/07/19", "07/13/19")] == [4, 7]
    assert "month taken first" not in warned(history_of("04/07/19", "13/07/19"))


def test_month_first_is_said_where_nothing_settles_it():
    history = history_of("04/07/19", "05/07/19")
    assert [item.submitted_at.month for item in history] == [4, 5]
    assert "the month taken first" in warned(history)


def test_a_day_that_is_its_month_leaves_no_doubt():
    assert "month taken first" not in warned(history_of("07/07/19", "08/08/19"))


def test_doubtful_dates_between_both_orders_are_not_guessed():
    history = history_of("13/07/19", "07/14/19", "04/07/19")
    assert [item.submitted_at and item.submitted_at.day for item in history] == [
        13,
        14,
        None,
    ]
    assert "can be told apart" in history.dropped[0].expected


@pytest.mark.parametrize(
    "cell",
    ["2d ago", "yesterday", "2026-02-30", "2026-07-28 25:00", "99/99/2020", "12", "x"]
    + ["4 Foo 2026", True, [1], 12, 1e300, "0001-01-01T00:00:00+10:00", "1970-01-01"]
    + ["9999-12-31T23:59:59-10:00", datetime(2263, 1, 1)],
)
def test_what_is_no_time_is_listed(cell):
    history = history_of(cell, "2026-07-28")
    assert [item.description for item in history] == ["m1", "m0"]
    assert history[1].submitted_at is None
    assert history.dropped[0].column == "date"
    assert "1 submission without a date, put last" in warned(history)


def test_dates_in_the_future_are_said():
    assert "1 date in the future" in warned(history_of("2026-01-01", "2199-01-01"))


def test_mixed_zones_are_said():
    history = history_of("2026-01-01 10:00:00", "2026-01-02T10:00:00+02:00")
    assert "with and without a time zone" in warned(history)
    assert warned(history_of("2026-01-01 10:00", "2026-01-02 10:00")) == ""


def test_no_dates_at_all_are_said():
    history = read_table("model,LB\na,0.5\nb,0.6\n")
    assert "the rows are taken in their order, the oldest first" in warned(history)
    assert [item.description for item in history] == ["a", "b"]


def test_rows_out_of_order_are_sorted_and_said():
    history = history_of("2026-01-02", "2026-01-01", "2026-01-03")
    assert [item.description for item in history] == ["m1", "m0", "m2"]
    assert "not listed in the order" in warned(history)


def test_newest_first_is_turned_round_also_within_one_day():
    history = history_of("2026-01-02", "2026-01-01", "2026-01-01")
    assert [item.description for item in history] == ["m2", "m1", "m0"]
    assert warned(history) == ""


def test_oldest_first_keeps_the_order_of_one_day():
    history = history_of("2026-01-01", "2026-01-01", "2026-01-02")
    assert [item.description for item in history] == ["m0", "m1", "m2"]


ORDERED = {
    "ages, newest first": ["12m ago", "9h ago", "9h ago", "2 days ago", "a month ago"],
    "in Japanese": ["5分前", "2時間前", "3時間前", "1日前", "2か月前"],
    "in Korean": ["5분 전", "2시간 전", "3시간 전", "1일 전", "2개월 전"],
    "in Chinese": ["5分钟前", "2小时前", "3小时前", "1天前", "2个月前"],
    "in German": [
        "vor 5 Minuten",
        "vor 2 Stunden",
        "vor 3 Std.",
        "vor 1 Tag",
        "vor 2 Wochen",
    ],
    "in Spanish": [
        "hace 5 min",
        "hace 2 horas",
        "hace 3 horas",
        "hace un día",
        "hace 2 meses",
    ],
    "in Russian": [
        "5 мин. назад",
        "2 часа назад",
        "3 часа назад",
        "1 день назад",
        "2 месяца назад",
    ],
    "days over a new year": [
        "Jan 5",
        "Jan 3, 14:20",
        "Jan 3, 09:10",
        "Dec 30",
        "Nov 2",
    ],
    "days in digits": ["1/15", "1/3", "12/31", "12/30", "11/2"],
    "days first": ["15.1.", "3.1.", "31.12.", "30.12.", "2.11."],
    "days in Japanese": ["3月9日", "3月8日 21:10", "3月8日 20:00", "3月5日", "2月28日"],
    "days in French": ["5 janv.", "3 janv.", "30 déc.", "2 nov.", "1 août"],
}


@pytest.mark.parametrize("falls", [True, False])
@pytest.mark.parametrize("case", ORDERED)
def test_ages_and_days_without_a_year_tell_an_order(case, falls):
    cells = ORDERED[case] if falls else ORDERED[case][::-1]
    rows = "".join(f'm{at},0.8{at},"{cell}"\n' for at, cell in enumerate(cells))
    history = read_submissions(f"name,public,submitted\n{rows}")
    numbers = range(len(cells))
    found = [int(item.description.removeprefix("m")) for item in history]
    assert found == list(numbers)[:: -1 if falls else 1]
    assert all(item.submitted_at is None for item in history)
    assert not history.dropped
    if falls:
        assert "in the order of 'submitted'" in str(history.reading)
        assert "in the order of 'submitted'" in history.warnings[0].message


def test_words_that_are_no_months_are_no_days():
    listed = 'a,0.8,"Okt. 2"\nb,0.7,"Xyzw 30"\nc,0.6,"Xyzw 1"\n'
    history = read_submissions("name,public,date\n" + listed)
    assert [item.description for item in history] == ["a", "b", "c"]
    assert "in the order listed" in str(history.reading)


def test_numbers_are_no_days():
    history = read_submissions("name,public,ratio\na,0.8,1/3\nb,0.7,2/3\nc,0.6,1/2\n")
    assert [item.description for item in history] == ["a", "b", "c"]
