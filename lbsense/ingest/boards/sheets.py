"""Files to sheets of text: the rows of a board with their columns by field."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.raw import RawTable, name_key
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.source import Document, is_text_source, read_documents
from lbsense.model import RowIssue

_NAMES: dict[str, tuple[str, ...]] = {
    "team_id": ("teamid", "teamref"),
    "team_name": (
        *("teamname", "team", "teamnamenullable", "participant", "participantteam"),
        *("name", "user", "username", "competitor", "entrant"),
    ),
    "score": ("score", "bestscore", "leaderboardscore", "scorenullable"),
    "public_score": ("publicscore", "publicleaderboardscore", "public", "publiclb"),
    "private_score": (
        *("privatescore", "privateleaderboardscore", "private", "privatelb"),
    ),
    "rank": ("rank", "place", "position", "#", "no", "pos"),
    "public_rank": ("publicrank", "publicleaderboardrank", "publicplace"),
    "private_rank": ("privaterank", "privateleaderboardrank", "privateplace"),
    "time": (
        *("lastsubmissiondate", "submissiondate", "lastsubmission", "last", "date"),
        *("datesubmitted", "submittedat"),
    ),
    "count": (
        *("submissioncount", "entries", "submissions", "nsubmissions"),
        "totalsubmissions",
    ),
    "members": ("teammemberusernames", "members", "teammembers"),
    "competition": (
        *("competition", "competitionslug", "slug", "competitionid", "competitionname"),
    ),
    "benchmark": ("isbenchmark",),
    "selected": ("isselected", "selected"),
}
SCORES = ("score", "public_score", "private_score")
_SEARCHED_LINES = 200
_STAMP = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d)[:_-]?(\d\d)(?:[:_-]?(\d\d))?)?"
)
_FORMATS = ("ISO8601", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One board as it stood: columns by field, all of them text."""

    source: str
    frame: pd.DataFrame
    issues: list[RowIssue] = field(default_factory=list)


def read_sheets(data: Any) -> list[Sheet]:
    """Return the boards in what the user gives, pages put together, oldest first."""
    if isinstance(data, pd.DataFrame):
        columns = [str(name) for name in data.columns]
        text = data.astype(object).where(data.notna(), "").map(str).astype(object)
        text.columns = pd.Index(columns)
        return [Sheet(source="<data frame>", frame=_fields(text, "<data frame>"))]
    if isinstance(data, (str, os.PathLike)) and os.path.isdir(data):
        folder = os.fspath(data)
        data = sorted(
            item.path
            for item in os.scandir(folder)
            if item.name.lower().endswith((".csv", ".zip", ".csv.gz", ".html"))
        )
        if not data:
            msg = f"{folder}: no board in this folder, expected .csv, .zip or .html."
            raise IngestError(msg)
    if isinstance(data, (list, tuple)) and not is_text_source(data):
        sheets = [sheet for item in data for sheet in read_sheets(item)]
        return _pages_together(sheets)
    documents = read_documents(data)
    return _pages_together([_sheet(document) for document in documents])


def _pages_together(sheets: list[Sheet]) -> list[Sheet]:
    """Join the files that show other teams of one board, and order the days."""
    if len(sheets) < 2:
        return sheets
    keys = [set(team_keys(sheet.frame)) for sheet in sheets]
    shared = len(set.intersection(*keys)) if keys else 0
    if shared == 0 and sum(map(len, keys)) == len(set.union(*keys)):
        issues = [issue for sheet in sheets for issue in sheet.issues]
        frame = pd.concat([sheet.frame for sheet in sheets], ignore_index=True)
        return [Sheet(source=sheets[0].source, frame=frame.fillna(""), issues=issues)]
    return sorted(sheets, key=day_of)


def day_of(sheet: Sheet) -> pd.Timestamp:
    """Return the time of a board: told by its name, else its latest submission."""
    found = list(_STAMP.finditer(os.path.basename(sheet.source)))
    if found:
        year, month, day, hour, minute, second = found[-1].groups(default="0")
        try:
            return pd.Timestamp(
                f"{year}-{month}-{day} {hour}:{minute}:{second}", tz="UTC"
            )
        except ValueError:
            pass
    times = times_of(sheet.frame)
    known = times[~np.isnat(times)]
    if not known.size:
        msg = (
            f"{sheet.source}: neither its name nor a column tells the day of this "
            "board. Put the date into the name: board-2026-09-30.csv."
        )
        raise IngestError(msg)
    return pd.Timestamp(known.max(), tz="UTC")


def _sheet(document: Document) -> Sheet:
    source, issues = document.source, list(document.issues)
    frame = None if document.workbook else _delimited(document, issues)
    if frame is None:
        try:
            read = read_tables(_again(document))
        except IngestError:
            if document.workbook is not None or not _is_page(document.text):
                raise
            read = ()  # a page whose lists its script draws
        tables = [table for table in read if _is_board(table)]
        if not tables:
            raise IngestError(_no_board(source, document.text))
        table = max(tables, key=lambda item: len(item.rows))
        cells = [["" if c is None else str(c) for c in row.cells] for row in table.rows]
        frame = pd.DataFrame(cells, columns=list(table.columns), dtype=object)
        issues += table.issues
    return Sheet(source=source, frame=_fields(frame, source), issues=issues)


def _again(document: Document) -> Any:
    if document.workbook is not None:
        return document.workbook
    return document.text if "\n" in document.text else document.text + "\n"


def _is_board(table: RawTable) -> bool:
    fields = set(_columns(table.columns))
    named = fields & {"team_id", "team_name", "rank"}
    return bool(table.rows) and bool(named) and bool(fields & {*SCORES})


def _delimited(document: Document, issues: list[RowIssue]) -> pd.DataFrame | None:
    """Return a delimited board as text, None where the text is none."""
    text = document.text
    start = 0
    for _ in range(_SEARCHED_LINES):
        end = text.find("\n", start)
        line = text[start:] if end < 0 else text[start:end]
        mark = max(",;\t|", key=line.count)
        names = [name.strip().strip('"') for name in line.split(mark)]
        found = _columns(names)
        scored = bool({*SCORES} & found.keys())
        if scored and {"team_id", "team_name", "rank"} & found.keys():
            if line.lstrip().startswith(("|", "<")):
                return None
            first = text.count("\n", 0, start) + 2
            return _rows(text[end + 1 :], names, mark, document.source, issues, first)
        if end < 0:
            break
        start = end + 1
    return None


def _rows(
    text: str,
    names: list[str],
    mark: str,
    source: str,
    issues: list[RowIssue],
    first: int,
) -> pd.DataFrame:
    if not text.strip():
        msg = f"{source}: a heading and no row below it."
        raise IngestError(msg)
    columns = [f"{name}\x00{i}" for i, name in enumerate(names)]
    options: dict[str, Any] = {
        "sep": mark,
        "names": columns,
        "header": None,
        "dtype": object,  # plain texts, faster to walk than those of Arrow
        "keep_default_na": False,
        "skipinitialspace": True,
        "index_col": False,
    }
    try:
        if text.count("\n") and len(text.split("\n", 1)[0].split(mark)) < len(names):
            raise ValueError
        frame = pd.read_csv(io.StringIO(text), on_bad_lines="error", **options)
    except (pd.errors.ParserError, ValueError):
        frame = _line_by_line(text, columns, mark, source, issues, first)
    else:
        frame.index += first
    frame.columns = pd.Index(names)
    filled: pd.DataFrame = frame.fillna("")
    return filled


def _line_by_line(
    text: str,
    columns: list[str],
    mark: str,
    source: str,
    issues: list[RowIssue],
    first: int,
) -> pd.DataFrame:
    """Read what is damaged: every line for itself, with what is wrong with it."""
    kept, numbers = [], []
    for number, line in enumerate(text.split("\n"), first):
        if not line.strip():
            continue
        try:
            cells = next(csv.reader([line], delimiter=mark, skipinitialspace=True))
        except (csv.Error, StopIteration):
            cells = []
        if len(cells) != len(columns):
            issues.append(
                RowIssue(
                    source=source,
                    line=number,
                    found=f"{plural(len(cells), 'cell')}: {shorten(line, 60)}",
                    expected=plural(len(columns), "cell"),
                    action="row skipped",
                )
            )
            continue
        kept.append(cells)
        numbers.append(number)
    return pd.DataFrame(kept, columns=columns, index=numbers, dtype=object)


def _columns(names: Iterable[str]) -> dict[str, int]:
    """Return the position of each field among the names of columns."""
    keys = [name_key(name) or name.strip() for name in names]
    found: dict[str, int] = {}
    for label, known in _NAMES.items():
        for name in known:
            if name in keys and keys.index(name) not in found.values():
                found[label] = keys.index(name)
                break
    return found


def _fields(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    found = _columns(map(str, frame.columns))
    if not {*SCORES} & found.keys():
        shown = shorten(", ".join(map(str, frame.columns)), 120)
        msg = f"{source}: no column of scores. Found {shown}."
        raise IngestError(msg)
    picked = frame.iloc[:, list(found.values())].copy()
    picked.columns = pd.Index(list(found))
    picked["line"] = frame.index
    for name in ("team_name", "team_id"):
        if name in picked:
            picked[name] = [" ".join(text.split()) for text in picked[name]]
    return picked


def _no_board(source: str, text: str) -> str:
    if _is_page(text):
        return (
            f"{source}: a page without a table of teams. It was saved before the board "
            "had loaded: scroll to its end and save it again, or download the board."
        )
    return (
        f"{source}: no leaderboard. Expected columns of teams and scores such as "
        "'Rank,TeamId,TeamName,LastSubmissionDate,Score'."
    )


def _is_page(text: str) -> bool:
    return "<html" in text[:2000].lower() or "<!doctype" in text[:200].lower()


def times_of(frame: pd.DataFrame) -> np.ndarray:
    """Return the times of a board, UTC; Kaggle's have no zone and are UTC."""
    missing = np.full(len(frame), "NaT", dtype="datetime64[us]")
    if "time" not in frame:
        return missing
    text = frame["time"].replace("", None)
    for form in _FORMATS:
        try:
            found = pd.to_datetime(text, format=form, utc=True)
        except ValueError:
            continue
        return found.dt.tz_localize(None).to_numpy("datetime64[us]")
    column = read_dates(list(frame["time"]))
    naive = [time and time.replace(tzinfo=None) for time in column.values]  # noqa: PD011
    return np.array(naive, dtype="datetime64[us]")


def team_keys(frame: pd.DataFrame) -> list[str]:
    """Return what tells the teams of a file apart."""
    for name in ("team_id", "team_name", "rank"):
        if name in frame and (frame[name] != "").any():
            return list(frame[name])
    return [str(i + 1) for i in range(len(frame))]
