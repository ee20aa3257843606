"""The list of submissions that a fetch keeps: read, joined with news, as text."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lbsense._format import plural
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
    return [{name: _text(cell) for name, cell in row.items()} for row in listed]


def _text(cell: Any) -> str:
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
    return Merged(
        rows=tuple(_newest_first(joined.values(), fetched.date)),
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


def _newest_first(rows: Iterable[Row], date: str) -> list[Row]:
    return sorted(rows, key=lambda row: row.get(date, "").replace("T", " "))[::-1]


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
