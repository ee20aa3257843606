"""The times in one column, whatever their generation, as UTC."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import cast

import numpy as np

from lbsense.ingest.tables.raw import is_missing

_CLOCK = (
    r"(?:[\sT,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})"
    r"(?:[.,](?P<fraction>\d+))?)?\s*(?P<half>[AaPp])?\.?(?(half)[Mm]\.?)\s*"
    r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_NUMERIC = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[/.-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})" + _CLOCK,
    re.ASCII,
)
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)?"
_NAMED = re.compile(
    _WEEKDAY
    + r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?P<month>[A-Z][a-z]{2})[a-z]*\.?"
    r"|(?P<month2>[A-Z][a-z]{2})[a-z]*\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?)"
    r"[\s,-]+(?P<year>\d{4})" + _CLOCK,
    re.ASCII | re.IGNORECASE,
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905
# The beginnings of the months in the order of the year, without accents, by language.
_MONTHS_ABROAD = (
    "jan feb mar apr mai jun jul aug sep okt nov dez",
    "janv fev mars avr mai juin juil aou sept oct nov dec",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "янв фев мар апр ма июн июл авг сен окт ноя дек",
)
_MONTH_OF = {
    word: _MONTHS[place]
    for names in _MONTHS_ABROAD
    for place, word in enumerate(names.split())
}
_HALVES = {
    **dict.fromkeys(("오전", "午前", "上午"), "AM"),
    **dict.fromkeys(("오후", "午後", "下午"), "PM"),
}
_HALF = re.compile(rf"({'|'.join(_HALVES)})\s*(\d{{1,2}}:\d{{2}}(?::\d{{2}})?)")
_WORDED = re.compile(
    r"(?P<day>\d{1,2})(?:er|º|°|\.)?\s+(?:de\s+)?(?P<month>[^\W\d_]{3,})\.?\s+"
    r"(?:de\s+|del\s+)?(?P<year>\d{4})(?P<rest>.*)",
    re.IGNORECASE,
)
_OTHERS = 0.2  # share of the cells of a column of times that may be something else
_CLOCK_ALONE = re.compile(
    r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*"
    r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_LONGEST = 60  # characters of a time
_HALF_YEAR = 186  # days, each month being one of 31
_DAY_IN_DIGITS = re.compile(
    r"(?P<a>\d{1,2})(?P<mark>[/.-])(?P<b>\d{1,2})\b\.?(?![/.-])"
)
_MONTH_AND_DAY = re.compile(r"(?<!\d)(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]")
_DAY_IN_WORDS = re.compile(
    _WEEKDAY + r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.)?[\s-]+(?:de\s+)?"
    r"(?P<month>[^\W\d_]{3,12})\.?"
    r"|(?P<month2>[^\W\d_]{3,12})\.?[\s-]+(?P<day2>\d{1,2})(?:st|nd|rd|th)?)(?!\w)",
    re.IGNORECASE,
)
_HOUR = re.compile(
    r"[\s,]*+(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?\s?(?P<half>[ap])?m?)?\s*+",
    re.IGNORECASE,
)
_AGES = {"now": 0.0, "just now": 0.0, "today": 720.0, "yesterday": 2160.0}
_PAST = re.compile(
    r"\bago\b|前|전|назад|\bvor\b|\bhace\b|\bha\b|\bil y a\b|\batras\b|\bfa\b"
)
_AMOUNT = re.compile(
    r"(?P<n>\d{1,4}|\b(?:an?|one|une?|un[oa]?|uma?|eine[mr]?)\b)\s*(?P<unit>[^\W\d]{1,20})"
)
# Minutes of a unit, and the beginnings of the words for it.
_UNITS = {
    1 / 60: "s sec seg sek 秒 초 сек",
    1: "m min 分 분 мин",
    60: "h hr hour hora heur ora ore stund std 時間 时间 小时 小時 시간 час",
    1440: "d day dia jour tag giorn 日 天 일 дн ден",
    10080: "w wk week sem sett woch 週 周 주 нед",
    43200: "mo mon mes mois か月 ヶ月 ヵ月 カ月 个月 個月 개월 мес",
    525600: "y yr year ano an jahr 年 년 год лет",
}
_UNIT_OF = {
    word: minutes for minutes, words in _UNITS.items() for word in words.split()
}
_TIME = "a time such as 2026-07-28 15:17:26"
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateColumn:
    """The times of one column.

    Attributes
    ----------
    values : list of datetime or None
        Timezone-aware, UTC; None where a cell is empty or not understood.
    not_understood : dict of int to str
        What would have been understood, by the position of the cell.
    n_naive, n_aware : int
        How many cells came without and with a time zone.
    assumed_month_first : bool
        Whether day and month could not be told apart and the month was taken first.
    """

    values: list[datetime | None]
    not_understood: dict[int, str]
    n_naive: int
    n_aware: int
    assumed_month_first: bool


class _DateError(ValueError):
    """A cell that holds no time; the text says what would have been."""


def read_dates(cells: Sequence[object]) -> DateColumn:
    """Return the times in a column; those without a zone are taken as UTC.

    Parameters
    ----------
    cells : sequence
        Text (ISO, US with AM and PM, ``28 Jul 2026, 15:17``, Unix epoch), times of
        Python, NumPy or pandas, or numbers that count from the Unix epoch.

    Notes
    -----
    In ``04/07/19`` the day comes first if some cell of the column has a number above
    12 in front, and the month if some cell has one behind it. If neither is so the
    month is taken first, as Kaggle writes it, and ``assumed_month_first`` says that.
    If both are, cells that could be either are not understood.

    Examples
    --------
    >>> read_dates(["9/17/2011 5:33:33 AM"]).values[0].isoformat()
    '2011-09-17T05:33:33+00:00'
    """
    day_first = _day_first(cells)
    values: list[datetime | None] = []
    not_understood: dict[int, str] = {}
    n_naive = n_aware = 0
    ambiguous = False
    for position, cell in enumerate(cells):
        value: datetime | None = None
        try:
            if not is_missing(cell):
                value = _within_reach(_read_date(cell, day_first))
        except _DateError as error:
            not_understood[position] = str(error)
        if value is not None and value.tzinfo is None:
            n_naive += 1
            value = value.replace(tzinfo=UTC)
        elif value is not None:
            n_aware += 1
            value = value.astimezone(UTC)
        values.append(value)
        if day_first is None and value is not None and not ambiguous:
            ambiguous = isinstance(cell, str) and _is_ambiguous(cell)
    return DateColumn(
        values=values,
        not_understood=not_understood,
        n_naive=n_naive,
        n_aware=n_aware,
        assumed_month_first=ambiguous,
    )


def are_times(cells: Sequence[object]) -> bool:
    """Say whether a column holds times, each with its day, and hardly anything else.

    Numbers are none, though they may count from some day: only a heading tells.
    """
    filled = [cell for cell in cells if not is_missing(cell)]
    for cell in filled:
        if isinstance(cell, str):
            if not re.search(r"\D", cell.strip()):
                return False
        elif not isinstance(cell, (date, np.datetime64)):
            return False
    n_others = len(read_dates(filled).not_understood)
    return bool(filled) and n_others <= _OTHERS * len(filled)


def order_of_ages(cells: Sequence[object], *, days: bool) -> list[int] | None:
    """Return the rank of every row by ages such as "9h ago", the oldest being 1.

    They tell no date, since nobody knows from when they count, but they tell an order;
    so do, where ``days`` are looked for, days without a year, such as "Mar 3", whose
    year changes where they jump back by half a year. Rows of one age keep the order of
    the list, and those without one come last.

    Examples
    --------
    >>> order_of_ages(["9h ago", "2 days ago", "-"], days=False)
    [2, 1, 3]
    """
    texts = [
        (_in_english(cell) if len(cell) <= _LONGEST else "?")
        if isinstance(cell, str) and not is_missing(cell)
        else None
        for cell in cells
    ]
    texts = [text and _MONTH_AND_DAY.sub(r"\1/\2 ", text) for text in texts]
    filled = [text for text in texts if text is not None]
    for read in (_ages, _days_of_year) if days else (_ages,):
        known = read(texts)
        n_known = sum(value is not None for value in known)
        if filled and n_known > 1 and len(filled) - n_known <= _OTHERS * len(filled):
            return _ranks(known)
    return None


def age_of(text: str) -> float | None:
    """Return the minutes of an age, None where the text is none.

    Examples
    --------
    >>> age_of("2h ago"), age_of("il y a 2 heures"), age_of("2 pm")
    (120.0, 120.0, None)
    """
    age = _age(_in_english(text).lower()) if len(text) <= _LONGEST else None
    return None if age is None else -float(age)


def _ranks(times: Sequence[float | None]) -> list[int]:
    known = [value for value in times if value is not None]
    falls = sum(later < earlier for earlier, later in itertools.pairwise(known))
    rises = sum(later > earlier for earlier, later in itertools.pairwise(known))
    step = -1 if falls > rises else 1
    places = sorted(
        range(len(times)),
        key=lambda at: (
            math.inf if times[at] is None else cast(float, times[at]),
            step * at,
        ),
    )
    ranks = [0] * len(times)
    for rank, place in enumerate(places, 1):
        ranks[place] = rank
    return ranks


def _ages(texts: Sequence[str | None]) -> list[float | None]:
    return [None if text is None else _age(text.lower()) for text in texts]


def _age(text: str) -> float | None:
    """Return minus the minutes of an age, None where the text is none."""
    if text in _AGES:
        return -_AGES[text]
    if len(text) > 40 or not _PAST.search(text):
        return None
    found = _AMOUNT.search(text)
    if found is None:
        return None
    word = found["unit"]
    ends = range(len(word), 0, -1)
    unit = next((_UNIT_OF[word[:n]] for n in ends if word[:n] in _UNIT_OF), None)
    number = int(found["n"]) if found["n"].isdigit() else 1
    return None if unit is None else -number * unit


def _days_of_year(texts: Sequence[str | None]) -> list[float | None]:
    numeric = [_DAY_IN_DIGITS.match(text or "") for text in texts]
    day_first = any(
        found and (found["mark"] == "." or int(found["a"]) > 12) for found in numeric
    )
    days: list[float | None] = []
    for text, found in zip(texts, numeric, strict=True):
        month, day, rest = 0, 0, ""
        if found is not None and text is not None:
            a, b = int(found["a"]), int(found["b"])
            month, day = (b, a) if day_first else (a, b)
            rest = text[found.end() :]
        elif text is not None and (named := _DAY_IN_WORDS.match(text)):
            name = (named["month"] or named["month2"]).lower()
            ends = range(len(name), 1, -1)
            known = [_MONTH_OF[name[:n]] for n in ends if name[:n] in _MONTH_OF]
            month = _MONTHS.index(known[0]) + 1 if known else 0
            day = int(named["day"] or named["day2"])
            rest = text[named.end() :]
        clock = _HOUR.fullmatch(rest)
        if clock is None or not (0 < month < 13 and 0 < day < 32):
            days.append(None)
            continue
        hour = int(clock["hour"] or 0) + int(clock["minute"] or 0) / 60
        if clock["half"]:
            hour = _of_half(int(hour), clock["half"].lower()) + hour % 1
        days.append(31 * month + day + hour / 24)
    return _over_years(days)


def _over_years(days: Sequence[float | None]) -> list[float | None]:
    """Add the years that pass where days jump back, or forth in a list that falls."""
    known = [day for day in days if day is not None]
    jumps = [later - earlier for earlier, later in itertools.pairwise(known)]
    ups = sum(0 < jump < _HALF_YEAR or jump < -_HALF_YEAR for jump in jumps)
    downs = sum(-_HALF_YEAR < jump < 0 or jump > _HALF_YEAR for jump in jumps)
    sign = -1 if downs > ups else 1
    years, before = 0, None
    found: list[float | None] = []
    for day in days:
        if day is None:
            found.append(None)
            continue
        if before is not None and sign * (day - before) < -_HALF_YEAR:
            years += sign
        before = day
        found.append(day + 2 * _HALF_YEAR * years)
    return found


def are_clocks(cells: Sequence[object]) -> bool:
    """Say whether a column holds times of the day, and nothing else."""
    filled = [cell for cell in cells if not is_missing(cell)]
    return bool(filled) and all(
        isinstance(cell, time)
        or (isinstance(cell, str) and _CLOCK_ALONE.fullmatch(_in_english(cell.strip())))
        for cell in filled
    )


def has_clock(cells: Sequence[object]) -> bool:
    """Say whether some cell of a column of times tells the time of the day."""
    return any(
        ":" in _in_english(cell)
        if isinstance(cell, str)
        else isinstance(cell, (datetime, np.datetime64))
        for cell in cells
        if not is_missing(cell)
    )


def _day_first(cells: Sequence[object]) -> bool | str | None:
    """Say which comes first in the column: True, False, "mixed" or None for unknown."""
    evidence: set[bool] = set()
    for cell in cells:
        found = _slashed(cell)
        if found is not None:
            first, second = int(found["a"]), int(found["b"])
            if first > 12:
                evidence.add(True)
            elif second > 12:
                evidence.add(False)
    if len(evidence) == 2:
        return "mixed"
    return evidence.pop() if evidence else None


def _slashed(cell: object) -> re.Match[str] | None:
    """Return the match of a date that begins with neither a year nor a name."""
    if not isinstance(cell, str) or len(cell) > 60 or cell[:4].isdigit():
        return None
    found = _NUMERIC.fullmatch(cell.strip())
    return found if found is not None and found["mark"] != "." else None


def _is_ambiguous(cell: str) -> bool:
    found = _slashed(cell)
    return found is not None and int(found["a"]) <= 12 and found["a"] != found["b"]


def _read_date(cell: object, day_first: bool | str | None) -> datetime:
    if isinstance(cell, str):
        return _read_date_text(cell.strip().strip("'*`"), day_first)
    if isinstance(cell, datetime):
        # A pandas time is one too: its nanoseconds go.
        to_datetime = getattr(cell, "to_pydatetime", None)
        return cell if to_datetime is None else cast(datetime, to_datetime(warn=False))
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)
    try:
        if isinstance(cell, np.datetime64):
            import pandas as pd

            return pd.Timestamp(cell).to_pydatetime(warn=False)
        if isinstance(cell, (int, float, np.integer, np.floating)):
            return _from_epoch(float(cell))
    except (ValueError, OverflowError) as error:
        raise _DateError(
            str(error) if isinstance(error, _DateError) else _TIME
        ) from error
    raise _DateError(_TIME)


def _read_date_text(text: str, day_first: bool | str | None) -> datetime:
    if len(text) <= 60:
        if text[4:5] == "-" or text[10:11] == "T":
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass
        if _EPOCH.fullmatch(text):
            return _from_epoch(float(text))
        text = _in_english(text)
        numeric = _NUMERIC.fullmatch(text)
        if numeric is not None:
            return _assemble(numeric, *_numeric_date(numeric, day_first))
        named = _NAMED.fullmatch(text)
        month = (named["month"] or named["month2"]).lower() if named else ""
        if named is not None and month in _MONTHS:
            day = int(named["day"] or named["day2"])
            return _assemble(named, int(named["year"]), _MONTHS.index(month) + 1, day)
    raise _DateError(_TIME)


def _in_english(text: str) -> str:
    """Return a time that is written in another language as it would be in English."""
    if text.isascii():
        plain = re.sub(r"(\d{1,2})h(\d{2})\b", r"\1:\2", text)
    else:
        plain = unicodedata.normalize("NFKC", text)
        plain = re.sub(r"\([^\W\d]{1,4}\)", " ", plain)  # the day of the week
        plain = re.sub(
            r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]",
            r"\1-\2-\3 ",
            plain,
        )
        plain = re.sub(r"(\d{1,2})\s*[時时시点]\s*(\d{1,2})\s*[分분]?", r"\1:\2", plain)
        plain = re.sub(r"(:\d{2})\s*(\d{1,2})\s*[秒초]", r"\1:\2", plain)
        plain = _HALF.sub(lambda m: f"{m[2]} {_HALVES[m[1]]}", plain)
        parts = unicodedata.normalize("NFD", plain)
        plain = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
        plain = unicodedata.normalize("NFC", plain)
        plain = re.sub(r"(\d{1,2})h(\d{2})\b", r"\1:\2", plain)
    plain = re.sub(r"(\d{4})\.\s+(\d{1,2})\.\s+(\d{1,2})\.?", r"\1-\2-\3", plain)
    worded = _WORDED.fullmatch(plain.strip())
    if worded is not None:
        name = worded["month"].lower()
        ends = range(len(name), 1, -1)
        month = next((_MONTH_OF[name[:n]] for n in ends if name[:n] in _MONTH_OF), None)
        if month is not None:
            rest = re.sub(
                r"(?i)\b(?:г|a|as|um|alle|ore|uhr|h|в)\b\.?", " ", worded["rest"]
            )
            plain = f"{worded['day']} {month} {worded['year']} {rest.strip(' ,')}"
    return " ".join(plain.split())


def _numeric_date(
    found: re.Match[str], day_first: bool | str | None
) -> tuple[int, int, int]:
    a, b, c = int(found["a"]), int(found["b"]), int(found["c"])
    if len(found["a"]) == 4:
        return a, b, c
    year = c + 2000 if len(found["c"]) == 2 else c
    if found["mark"] == ".":
        return year, b, a
    if day_first == "mixed":
        if a <= 12 and b <= 12 and a != b:
            msg = "a date whose day and month can be told apart, such as 2026-07-28"
            raise _DateError(msg)
        day_first = a > 12
    return (year, b, a) if day_first else (year, a, b)


def _assemble(found: re.Match[str], year: int, month: int, day: int) -> datetime:
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower()
    if half:
        hour = _of_half(hour, half)
    micro = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    minute, second = int(found["minute"] or 0), int(found["second"] or 0)
    try:
        naive = datetime(year, month, day, hour, minute, second, micro)
        zone = _zone(found["zone"])
    except ValueError as error:
        msg = "a day of the calendar and a time of the day"
        raise _DateError(msg) from error
    return naive if zone is None else naive.replace(tzinfo=zone)


def _of_half(hour: int, half: str) -> int:
    """Return the hour of the day; some write 15:17 PM, and nobody can mean 15:17 AM."""
    if hour > 12:
        return hour if half == "p" else 24
    return hour % 12 + (12 if half == "p" else 0)


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _from_epoch(number: float) -> datetime:
    """Return the time of a Unix epoch in seconds, or in a thousandth of that, ..."""
    for scale in (1.0, 1e3, 1e6, 1e9):
        if 1e8 <= number / scale < 1e10:
            return datetime.fromtimestamp(number / scale, tz=UTC)
    msg = f"{_TIME}, or seconds of the Unix epoch"
    raise _DateError(msg)


def _within_reach(value: datetime) -> datetime:
    """Return the time if a submission can bear it and nanoseconds can count to it."""
    if 1970 < value.year < 2262:
        return value
    msg = "a time between 1971 and 2261"
    raise _DateError(msg)
