"""Asking a server, again where it may help; and the list of submissions that it keeps.

No secret is told in doing so.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from lbsense._format import clean_text, plural, shorten
from lbsense._result import Result
from lbsense._typing import Platform
from lbsense.errors import IngestError

Row = Mapping[str, str]

#: The column that tells when a row was fetched as it stands, UTC; it marks our files.
FETCHED_AT = "fetchedAt"
_STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Result):
    """What a platform answered about one entrant in one competition.

    Attributes
    ----------
    platform : {"kaggle", "zindi"}
        Who was asked.
    slug : str
        The competition.
    fetched_at : datetime
        When, by the clock of the platform, UTC.
    rows : tuple of mapping
        The submissions by column, all text, the newest first.
    metric_said : str or None
        The metric as the platform calls it.
    metric : str or None
        The registered metric of that name.
    deadline : datetime or None
        End of the competition, UTC.
    max_daily : int or None
        Submissions allowed a day.
    n_left : int or None
        Submissions left today.
    boards : mapping of str to str
        Leaderboards as CSV, by ``"public"`` and ``"private"``.
    doubts : tuple of str
        What is not as it should be, though submissions came.
    """

    platform: Platform
    slug: str
    fetched_at: datetime
    rows: tuple[Row, ...]
    metric_said: str | None = None
    metric: str | None = None
    deadline: datetime | None = None
    max_daily: int | None = None
    n_left: int | None = None
    boards: Mapping[str, str]
    doubts: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The column that names a submission."""
        return "ref" if self.platform == "kaggle" else "id"

    @property
    def date(self) -> str:
        """The column of the time of submission."""
        return "date" if self.platform == "kaggle" else "created_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A kept list joined with a fetched one.

    Attributes
    ----------
    rows : tuple of mapping
        All submissions, the newest first; columns that the user added are kept.
    n_new, n_changed : int
        Submissions that were not there, and that say something new.
    n_unlisted : int
        Submissions that the platform lists no longer; they are kept.
    fresh : tuple of str
        Names of those that are new or changed, the oldest first.
    """

    rows: tuple[Row, ...]
    n_new: int
    n_changed: int
    n_unlisted: int
    fresh: tuple[str, ...]


def read_listing(path: Path, key: str) -> tuple[Row, ...]:
    """Return the submissions that an earlier fetch wrote, none if there is no file.

    Raises
    ------
    IngestError
        If the file holds something else: what cannot be joined is not replaced.
    """
    if not path.exists():
        return ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        is_json = text.lstrip()[:1] in ("{", "[")
        rows = _json_rows(text) if is_json else _csv_rows(text, key)
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise IngestError(_not_ours(path, str(error))) from None
    names = [row.get(key, "") for row in rows]
    if not all(names):
        count = plural(names.count(""), "row has", "rows have")
        raise IngestError(_not_ours(path, f"{count} nothing in column {key!r}"))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise IngestError(_not_ours(path, f"{key} {twice[0]!r} is there twice"))
    return tuple(rows)


def _csv_rows(text: str, key: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    if text.strip() and key not in (reader.fieldnames or ()):
        msg = f"there is no column {key!r}"
        raise ValueError(msg)
    for row in reader:
        if None in row or None in row.values():
            msg = f"line {reader.line_num} has other cells than the heading"
            raise ValueError(msg)
        rows.append(row)
    return rows


def _json_rows(text: str) -> list[Row]:
    whole = json.loads(text, parse_float=str, parse_int=str)
    listed = whole.get("submissions") if isinstance(whole, dict) else whole
    if not isinstance(listed, list) or not all(isinstance(r, dict) for r in listed):
        msg = "there is no list of submissions in it"
        raise ValueError(msg)
    return [{name: text_of(cell) for name, cell in row.items()} for row in listed]


def text_of(cell: Any) -> str:
    """Return what stands in a cell of JSON as text."""
    return "" if cell is None else cell if isinstance(cell, str) else json.dumps(cell)


def _not_ours(path: Path, why: str) -> str:
    return (
        f"{path}: not a list of submissions that can be completed: {why}. It is left "
        "as it is; name another file with --output."
    )


def join_listing(kept: Iterable[Row], fetched: Fetched) -> Merged:
    """Return the kept submissions with what is new: no row and no cell is lost.

    A cell that the platform has blanked keeps what it said before.
    """
    old = {row[fetched.key]: row for row in kept}
    joined = dict(old)
    fresh: list[str] = []
    for row in fetched.rows:
        name = row[fetched.key]
        before = old.get(name)
        if before is None:
            joined[name] = row
        elif _says_more(before, row):
            joined[name] = {**before, **{k: v for k, v in row.items() if v}}
        else:
            continue
        fresh.append(name)
    listed = {row[fetched.key] for row in fetched.rows}
    n_new = sum(name not in old for name in fresh)

    def date(row: Row) -> str:
        return row.get(fetched.date, "").replace("T", " ")

    return Merged(
        rows=tuple(sorted(joined.values(), key=date)[::-1]),
        n_new=n_new,
        n_changed=len(fresh) - n_new,
        n_unlisted=sum(name not in listed for name in old),
        fresh=tuple(reversed(fresh)),
    )


def _says_more(before: Row, row: Row) -> bool:
    return any(
        value and _plain(name, value) != _plain(name, before.get(name, ""))
        for name, value in row.items()
        if name != FETCHED_AT
    )


def _plain(name: str, value: str) -> str:
    """Return a cell without what only tells which program wrote it."""
    if name == _STATUS:
        return value.rpartition(".")[2].casefold()
    if name == "date":
        return value.replace("T", " ").rstrip("Z")[:19]
    return value


def listing_text(rows: Iterable[Row], fetched: Fetched, *, as_json: bool) -> str:
    """Return the submissions as CSV, or as JSON with the facts of the competition."""
    listed = list(rows)
    columns = list(dict.fromkeys(name for row in listed for name in row))
    if not listed:
        columns = [fetched.key, FETCHED_AT]
    if FETCHED_AT in columns:
        columns.remove(FETCHED_AT)
        columns.append(FETCHED_AT)
    full = [{name: row.get(name, "") for name in columns} for row in listed]
    if as_json:
        content = {"competition": dict(_facts(fetched)), "submissions": full}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    file = io.StringIO(newline="")
    # As the client of Kaggle ends lines; after "\n" a cell with "\r" is not quoted.
    writer = csv.DictWriter(file, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(full)
    return file.getvalue()


def _facts(fetched: Fetched) -> Iterator[tuple[str, Any]]:
    deadline = fetched.deadline
    facts = {
        "platform": fetched.platform,
        "slug": fetched.slug,
        "metric": fetched.metric or fetched.metric_said,
        "deadline": None if deadline is None else deadline.isoformat(),
        "max_daily": fetched.max_daily,
        "fetched_at": fetched.fetched_at.isoformat(timespec="seconds"),
    }
    return ((name, value) for name, value in facts.items() if value is not None)


_T = TypeVar("_T")
Tell = Callable[[str], None]

_PAUSES = (1.0, 3.0, 9.0, 27.0)  # seconds before the second, third, ... attempt
_LONGEST_WAIT = 300.0  # seconds that a server may ask for and is waited for
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_HIDDEN = "***"
_FEWEST_CHARACTERS = 4  # a shorter "secret" would blank out ordinary words
_LOOKS_SECRET = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}"
    r"|\bKGAT_\w+"
    r"|(?:auth[-_]?token|api[-_]?token|access[-_]?token|password|api[-_]?key)"
    r"[\"']?\s*[:=]\s*[\"']?[^\s\"',&}]+"
)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came instead of what was asked for.

    Attributes
    ----------
    status : int or None
        HTTP status; None where no whole answer came.
    said : str
        The server's own words, unclean.
    wait : float or None
        Seconds that it asks to wait.
    """

    status: int | None = None
    said: str = ""
    wait: float | None = None


class Unanswered(Exception):  # noqa: N818 - an answer to be worded, not yet an error
    """No usable answer came.

    Attributes
    ----------
    kind : {"refused", "cut", "garbled"}
        A status that is no success, a connection that broke, text that is no JSON.
    answer : Answer
        What came instead.
    """

    def __init__(
        self,
        kind: Literal["refused", "cut", "garbled"],
        answer: Answer | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.answer = answer or Answer()

    @property
    def may_pass(self) -> bool:
        """Whether the same question may be answered a little later."""
        return self.kind != "refused" or self.answer.status in _PASSING

    def words(self, title: str) -> str:
        """Return what happened, where every platform says it alike."""
        status, wait = self.answer.status, self.answer.wait
        if self.kind == "cut":
            return (
                f"The connection to {title} broke or was never made. Is there a "
                "network, and a proxy to name (HTTPS_PROXY)? Try again later."
            )
        if self.kind == "garbled":
            return (
                f"{title} answers with something that is not what its interface "
                "promises. Its servers may be in trouble, or a page of a proxy or a "
                "sign-in came instead. Try again later."
            )
        if status == 429:
            when = "later" if wait is None else f"in {_span(wait)}"
            return f"{title} has been asked too often (429). Try again {when}."
        if status is not None and status >= 500:
            return f"{title} has a fault of its own ({status}). Try again later."
        return f"{title} refuses ({status})."


def silent(_message: str) -> None:
    """Tell nobody."""


def ask_patiently(question: Callable[[], _T], *, title: str, tell: Tell = silent) -> _T:
    """Return the answer to a question, asked again where a fault may pass.

    Raises
    ------
    Unanswered
        If it cannot pass, lasts, or the server wants a longer wait than is sensible.
    """
    for pause in _PAUSES:
        try:
            return question()
        except Unanswered as fault:
            wait = pause if fault.answer.wait is None else fault.answer.wait
            if not fault.may_pass or wait > _LONGEST_WAIT:
                raise
        tell(f"{title} is not ready; asking again in {_span(wait)}.")
        time.sleep(wait)
    return question()


def _span(seconds: float) -> str:
    if seconds < 90:
        return plural(max(1, math.ceil(seconds)), "second")
    return plural(math.ceil(seconds / 60), "minute")


def header_time(text: str | None) -> datetime | None:
    """Return a time of an HTTP header, UTC."""
    try:
        found = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def wait_of(retry_after: str | None, date: str | None) -> float | None:
    """Return the seconds that a server asks to wait, by its own clock.

    That is the date of its answer: the clock here may be wrong.

    Examples
    --------
    >>> wait_of("7", None)
    7.0
    >>> wait_of("Thu, 26 Nov 2026 00:01:00 GMT", "Thu, 26 Nov 2026 00:00:30 GMT")
    30.0
    """
    try:
        seconds = float(retry_after or "")
    except ValueError:
        until = header_time(retry_after)
        if until is None:
            return None
        now = header_time(date) or datetime.now(UTC)
        seconds = (until - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def clock_doubt(theirs: datetime | None, title: str) -> str | None:
    """Return what to know where the clock here and that of the server differ."""
    if theirs is None:
        return None
    ahead = datetime.now(UTC) - theirs
    if abs(ahead) < _SKEW:
        return None
    way = "ahead of" if ahead > timedelta(0) else "behind"
    return (
        f"The clock of this machine is {_span(abs(ahead).total_seconds())} {way} that "
        f"of {title}, whose time was taken."
    )


@dataclass(slots=True)
class Secrets:
    """What no message may hold."""

    values: set[str] = field(default_factory=set)

    def add(self, *values: object) -> None:
        """Remember secrets; what is no text or too short to be one is passed over."""
        self.values |= {
            text
            for text in (str(value).strip() for value in values if value is not None)
            if len(text) >= _FEWEST_CHARACTERS
        }

    def add_pair(self, user: object, key: object) -> None:
        """Remember a key, and how it travels together with the name of its user."""
        self.add(key)
        if user and key:
            self.add(base64.b64encode(f"{user}:{key}".encode()).decode())

    def hide(self, text: str, *, longest: int = 200) -> str:
        """Return foreign text on one line, short, inert and without a secret."""
        for value in sorted(self.values, key=len, reverse=True):
            text = text.replace(value, _HIDDEN)
        text = _LOOKS_SECRET.sub(_HIDDEN, text)
        return shorten(clean_text(text), longest)
