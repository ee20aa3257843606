"""Boards as sheets of text, and exports that have every submission of every team.

These are the export of a host, and Meta Kaggle's tables.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lbsense._format import plural, shorten
from lbsense.errors import IngestError, LbsenseError
from lbsense.ingest.cv.heading import name_key
from lbsense.ingest.platforms import fill_from_catalogue, slug_of
from lbsense.ingest.readers import describe_competition
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.source import Document, is_text_source, read_documents
from lbsense.model import Competition, HostExport, RowIssue

# Names of columns by field, in the order of preference.
_NAMES = {
    "team_id": "teamid teamref",
    "team_name": """
        teamname team teamnamenullable participant participantteam name user username
        competitor entrant""",
    "score": "score bestscore leaderboardscore scorenullable",
    "public_score": "publicscore publicleaderboardscore public publiclb",
    "private_score": "privatescore privateleaderboardscore private privatelb",
    "rank": "rank place position # no pos",
    "public_rank": "publicrank publicleaderboardrank publicplace",
    "private_rank": "privaterank privateleaderboardrank privateplace",
    "time": """
        lastsubmissiondate submissiondate lastsubmission last date datesubmitted
        submittedat""",
    "count": "submissioncount entries submissions nsubmissions totalsubmissions",
    "members": "teammemberusernames members teammembers",
    "competition": "competition competitionslug slug competitionid competitionname",
    "benchmark": "isbenchmark",
    "selected": "isselected selected",
}
SCORES = ("score", "public_score", "private_score")
_BLANK = frozenset(("", "none", "nan", "-", "null"))
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
        end = "" if "\n" in document.text else "\n"
        try:
            read = read_tables(document.workbook or document.text + end)
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
        for name in known.split():
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


def numbers_of(
    frame: pd.DataFrame, name: str, source: str, issues: list[RowIssue]
) -> np.ndarray:
    """Return a column as numbers, nan where it has none; what is odd is an issue."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    text = frame[name]
    values = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, copy=True)
    odd = np.flatnonzero(~np.isfinite(values))
    odd = odd[[str(text.iloc[i]).strip().lower() not in _BLANK for i in odd]]
    if odd.size:
        tidy = text.iloc[odd].str.replace(r"[%\s\u00a0']", "", regex=True)
        tidy = tidy.str.replace(r"^(-?\d+),(\d+)$", r"\1.\2", regex=True)
        values[odd] = pd.to_numeric(tidy, errors="coerce")
        bad = odd[~np.isfinite(values[odd])]
        issues += [
            RowIssue(
                source=source,
                line=int(frame["line"].iloc[i]),
                column=name,
                found=shorten(text.iloc[i], 40),
                expected="a number",
                action="cell taken as missing",
            )
            for i in bad[:1000]
        ]
    values[~np.isfinite(values)] = np.nan
    return values


def competition_of(options: dict[str, Any], sources: Sequence[str]) -> Competition:
    """Return what is stated of a competition, or told by the names of its files."""
    slug = options.get("slug") or next(filter(None, map(_slug_in, sources)), None)
    stated: Any = {**options, "slug": None if slug is None else slug_of(slug)}
    competition, _ = describe_competition(stated, "kaggle" if slug else None)
    return fill_from_catalogue(competition)[0]


def _slug_in(source: str) -> str:
    """Return the competition that the name of a download tells, or nothing."""
    name = os.path.basename(source)
    for mark in ("-publicleaderboard", "-privateleaderboard"):
        slug, found, _ = name.partition(mark)
        if found:
            return slug
    return ""


# --- the export of a host -------------------------------------------------------------


def read_host(
    data: Any,
    *,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
) -> HostExport:
    r"""Return every submission of every team in the export of a host.

    Parameters
    ----------
    data : path, list of paths, file-like, text or DataFrame
        ``DateSubmitted,SubmissionId,TeamId,UserName,TeamName,IsSelected,PublicScore,
        PrivateScore``, in any order; several files are parts of one export.
    metric, greater_is_better, test_size, public_fraction, nested, slug : optional
        What is known of the competition.

    Returns
    -------
    HostExport

    Raises
    ------
    IngestError
        If teams or scores are missing.

    Examples
    --------
    >>> export = read_host(
    ...     "TeamId,TeamName,IsSelected,PublicScore,PrivateScore\n"
    ...     "1,a,False,0.7,0.6\n2,b,True,0.8,0.7\n1,a,True,0.9,0.8\n",
    ...     metric="roc_auc",
    ... )
    >>> export.team.tolist(), export.board().private.tolist()
    ([0, 0, 1], [0.8, 0.7])
    """
    sheets = read_sheets(data)
    issues: list[RowIssue] = [issue for sheet in sheets for issue in sheet.issues]
    frame = pd.concat([sheet.frame for sheet in sheets], ignore_index=True).fillna("")
    source = sheets[0].source
    by = "team_id" if "team_id" in frame else "team_name"
    if by not in frame or "public_score" not in frame:
        shown = ", ".join(map(str, frame.columns))
        msg = (
            f"{source}: a host export has a row for every submission, with TeamId and "
            f"PublicScore. Found {shown}."
        )
        raise IngestError(msg)
    code, keys = pd.factorize(frame[by])
    times = times_of(frame)
    order = np.lexsort((np.arange(len(frame)), times, code))
    options: dict[str, Any] = {
        "metric": metric,
        "greater_is_better": greater_is_better,
        "test_size": test_size,
        "public_fraction": public_fraction,
        "nested": nested,
        "slug": slug,
    }
    names = frame.get("team_name", frame[by])
    first = pd.Series(code).drop_duplicates().index
    selected = frame.get("selected", pd.Series("", index=frame.index))
    return HostExport(
        competition=competition_of(options, [source]),
        team_ids=tuple(map(str, keys)) if by == "team_id" else ("",) * len(keys),
        team_names=tuple(names.iloc[first]),
        team=code[order].astype(np.int64),
        public=numbers_of(frame, "public_score", source, issues)[order],
        private=numbers_of(frame, "private_score", source, issues)[order],
        selected=selected.str.lower().isin(("true", "1", "yes")).to_numpy()[order],
        submitted_at=times[order],
        issues=tuple(issues),
    )


# --- Meta Kaggle, read out of core: one row per competition --------------------------

_FILES = ("Competitions", "Teams", "Submissions")
# Text first: infinities and blanks occur among numbers, and booleans are words.
_COMPETITIONS = """
CREATE TEMP TABLE competitions AS
SELECT
    TRY_CAST(Id AS BIGINT) AS competition_id,
    Slug AS slug,
    HostSegmentTitle AS kind,
    EvaluationAlgorithmAbbreviation AS metric,
    CASE lower(EvaluationAlgorithmIsMax)
        WHEN 'true' THEN 1 WHEN 'false' THEN -1 END AS sign,
    TRY_CAST(LeaderboardPercentage AS DOUBLE) / 100 AS public_fraction,
    lower(OnlyAllowKernelSubmissions) = 'true' AS notebooks_only,
    coalesce(
        try_strptime(DeadlineDate, '%m/%d/%Y %H:%M:%S'),
        TRY_CAST(DeadlineDate AS TIMESTAMP)
    ) AS deadline
FROM {competitions}
WHERE TRY_CAST(Id AS BIGINT) IS NOT NULL
"""
_TEAMS = """
CREATE TEMP TABLE teams AS
SELECT
    TRY_CAST(Id AS BIGINT) AS team_id,
    TRY_CAST(CompetitionId AS BIGINT) AS competition_id,
    TRY_CAST(PublicLeaderboardRank AS DOUBLE) AS public_rank,
    TRY_CAST(PrivateLeaderboardRank AS DOUBLE) AS private_rank
FROM {teams}
WHERE coalesce(lower(IsBenchmark), 'false') <> 'true'
"""
_SHAKES = """
CREATE TEMP TABLE shakes AS
WITH placed AS (
    SELECT
        competition_id,
        rank() OVER a AS x,
        rank() OVER b AS y,
        count(*) OVER (PARTITION BY competition_id) AS n
    FROM teams
    WHERE public_rank IS NOT NULL AND private_rank IS NOT NULL
    WINDOW
        a AS (PARTITION BY competition_id ORDER BY public_rank),
        b AS (PARTITION BY competition_id ORDER BY private_rank)
)
SELECT
    competition_id,
    any_value(n) AS n_teams,
    avg(abs(x - y)) / any_value(n) AS shake_up,
    avg(abs(x - y)) FILTER (y <= greatest(1, n // 10)) / any_value(n) AS shake_up_top,
    corr(x, y) AS spearman
FROM placed
GROUP BY competition_id
HAVING any_value(n) >= {fewest}
"""
# Scores beyond the worst twentieth are failures, not models: Roelofs et al. look at
# those above a baseline.
_GAPS = """
CREATE TEMP TABLE gaps AS
WITH scores AS (
    SELECT
        t.competition_id,
        c.sign * TRY_CAST(s.{public} AS DOUBLE) AS x,
        c.sign * TRY_CAST(s.{private} AS DOUBLE) AS y
    FROM {submissions} AS s
    JOIN teams AS t ON t.team_id = TRY_CAST(s.TeamId AS BIGINT)
    JOIN competitions AS c USING (competition_id)
    WHERE c.sign IS NOT NULL AND coalesce(lower(s.IsAfterDeadline), 'false') <> 'true'
),
finite AS (
    SELECT * FROM scores
    WHERE isfinite(x) AND isfinite(y) AND abs(x) < 1e12 AND abs(y) < 1e12
),
bounds AS (
    SELECT
        competition_id,
        approx_quantile(x, 0.05) AS worst,
        approx_quantile(x, 0.9) AS best
    FROM finite
    GROUP BY competition_id
)
SELECT
    f.competition_id,
    count(*) AS n_submissions,
    avg(x - y) AS mean_gap,
    stddev_samp(x - y) AS sd_gap,
    stddev_samp(x) AS sd_public,
    regr_slope(y, x) AS slope,
    corr(x, y) AS correlation,
    avg(x - y) FILTER (x >= best) AS mean_gap_top,
    regr_slope(y, x) FILTER (x >= best) AS slope_top
FROM finite AS f
JOIN bounds AS b USING (competition_id)
WHERE x >= worst
GROUP BY f.competition_id
HAVING count(*) >= {fewest}
"""


def read_field(
    folder: str | os.PathLike[str],
    *,
    fewest: int = 30,
    memory: str = "3GB",
    threads: int | None = None,
) -> pd.DataFrame:
    """Return one row per finished competition of Meta Kaggle.

    Parameters
    ----------
    folder : path
        Where ``Competitions.csv``, ``Teams.csv`` and ``Submissions.csv`` lie, also as
        ``.csv.gz``.
    fewest : int
        Teams, and submissions, that a competition needs.
    memory : str
        What DuckDB may hold; the rest goes to a temporary folder.
    threads : int, optional
        By default one for each core.

    Returns
    -------
    DataFrame
        ``shake_up``, ``shake_up_top``, ``spearman`` over teams with both places; over
        submissions before the deadline, worse twentieth left out, larger is better:
        ``mean_gap`` (public less private), ``sd_gap``, ``slope`` and ``correlation``
        of private on public, and the same of the best tenth (Roelofs et al. 2019).

    Raises
    ------
    IngestError
        If a table is missing or has other columns.
    LbsenseError
        If DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        msg = "Meta Kaggle is read with DuckDB: pip install 'lbsense[field]'."
        raise LbsenseError(msg) from error
    tables = {name.lower(): _table(Path(folder), name) for name in _FILES}
    with duckdb.connect(":memory:") as base:
        base.execute(f"SET memory_limit = '{memory}'")
        base.execute("SET preserve_insertion_order = false")
        if threads is not None:
            base.execute(f"SET threads = {int(threads)}")
        try:
            described = base.execute(f"DESCRIBE SELECT * FROM {tables['submissions']}")
            names = [row[0] for row in described.fetchall()]
            shown = ("ScoreFullPrecision", "ScoreLeaderboardDisplay")
            chosen = {
                kind.lower(): next(kind + end for end in shown if kind + end in names)
                for kind in ("Public", "Private")
            }
            for query in (_COMPETITIONS, _TEAMS, _SHAKES, _GAPS):
                base.execute(query.format(**tables, **chosen, fewest=int(fewest)))
            found: pd.DataFrame = base.execute(
                "SELECT c.*, s.* EXCLUDE competition_id, g.* EXCLUDE competition_id "
                "FROM competitions AS c LEFT JOIN shakes AS s USING (competition_id) "
                "LEFT JOIN gaps AS g USING (competition_id) "
                "WHERE s.n_teams IS NOT NULL OR g.n_submissions IS NOT NULL "
                "ORDER BY c.competition_id"
            ).df()
        except (duckdb.Error, StopIteration) as error:
            first = str(error).partition("\n")[0] or "a column of scores is missing"
            msg = (
                f"{folder}: not the tables of Meta Kaggle as they are known ({first})."
            )
            raise IngestError(msg) from error
    return found


def _table(folder: Path, name: str) -> str:
    for suffix in (".csv", ".csv.gz"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            quoted = str(path).replace("'", "''")
            return (
                f"read_csv('{quoted}', all_varchar = true, header = true, "
                "quote = '\"', escape = '\"', ignore_errors = true, "
                "max_line_size = 16000000)"
            )
    msg = f"{folder}: no {name}.csv. Unpack Meta Kaggle's CSV files there."
    raise IngestError(msg)
