"""Which column of a table holds which field, and what its cells say."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias, TypeVar

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import (
    FIELDS,
    CvChoice,
    choose_cv,
    cv_heading,
    field_of,
    fold_number,
    metric_in,
    name_key,
    with_others,
)
from lbsense.ingest.cv.words import heading_words
from lbsense.ingest.tables.dates import (
    DateColumn,
    are_clocks,
    are_times,
    has_clock,
    order_of_ages,
    read_dates,
)
from lbsense.ingest.tables.raw import (
    CellError,
    RawRow,
    RawTable,
    ScoreCell,
    comma_is_decimal,
    holds_number,
    is_missing,
    read_folds,
    read_score,
    read_text,
    uses_decimal_comma,
)
from lbsense.model import RowIssue

_T = TypeVar("_T")
ColumnNames: TypeAlias = Mapping[str, str | Sequence[str]]

_CLOCK_WORDS = {"time", "clock", "hour", "utc", "gmt", "at"}
_DURATIONS = {"train", "training", "run", "fit", "elapsed", "duration", "infer", "took"}
_SCORES = ("cv_score", "public_score", "private_score")
_FAIR_SHARE = 0.2  # a column that one damaged record has made holds less
_TWINS = ("leaderboarddisplay", "fullprecision", "nullable")  # one value, shown twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Positions of the columns that hold each field.

    Attributes
    ----------
    columns : dict of str to int
        Position of the one column of each field.
    folds : tuple of int
        Positions of the columns that hold one fold score each, in fold order.
    texts : tuple of int
        Positions of every column that describes the submission.
    issues : tuple of RowIssue
        Columns that claimed a field which another one got.
    unread_cv : tuple of str
        Names of the columns that may be the CV score, where none was read.
    clock : int or None
        Position of the column of the time of day, where it stands apart.
    cv_others : tuple of int
        Positions of further kinds of CV score.
    """

    columns: dict[str, int]
    folds: tuple[int, ...]
    texts: tuple[int, ...]
    issues: tuple[RowIssue, ...]
    unread_cv: tuple[str, ...] = ()
    clock: int | None = None
    cv_others: tuple[int, ...] = ()


def named_fields(
    columns: ColumnNames | None,
    tables: Sequence[RawTable],
    log: Sequence[RawTable] | None = None,
) -> tuple[ColumnNames, ColumnNames]:
    """Return the columns that the user named by field, and those only the log has.

    A key that is no field may be any heading that would be recognised, such as "lb".

    Raises
    ------
    ValueError
        If two keys stand for one field, or one is no field of a submission.
    IngestError
        If no table has such a column.
    """
    named: dict[str, str | Sequence[str]] = {}
    for key, names in (columns or {}).items():
        known = None if key in FIELDS else field_of(key)
        field = key if known is None else known[0]
        if field in named:
            msg = (
                f"columns names two columns for {field}: {named[field]!r} and "
                f"{names!r} (as {key!r}). Keep one."
            )
            raise ValueError(msg)
        named[field] = names
    own = {
        field: names
        for field, names in named.items()
        if log is None
        or not all(
            any(_position(table, name) is not None for table in log)
            and all(_position(table, name) is None for table in tables)
            for name in _as_names(names)
        )
    }
    for field, names in own.items():
        if field not in FIELDS:
            close = difflib.get_close_matches(field, FIELDS, n=3, cutoff=0.4)
            hint = f" Close to it: {', '.join(close)}." if close else ""
            msg = (
                f"columns has the key {field!r}, expected one of {', '.join(FIELDS)}."
                f"{hint} It maps our field to your column."
            )
            raise ValueError(msg)
        for name in _as_names(names):
            if all(_position(table, name) is None for table in tables):
                raise IngestError(_absent_message(tables[0], field, name))
    return own, {f: names for f, names in named.items() if f not in own}


def assign_columns(
    table: RawTable, overrides: ColumnNames | None, *, metric: str | None = None
) -> Assignment:
    """Return which column holds which field.

    What the user named wins, and of CV columns the one that names the metric. Of
    several columns with a name of the same field, the first in the order of
    preference that holds any value wins; for a score, any number. The others are
    reported where they say something else. A ``cv`` column of words beside a score
    in ``valid`` names the scheme. What `choose_cv` cannot decide is no CV score.
    """
    columns, folds = named_columns(table, {**table.roles, **(overrides or {})})
    claims = _claims(table, columns)
    issues: list[RowIssue] = []
    scheme = _scheme_column(table, claims.get("cv_score", []))
    if scheme is not None:
        claims["cv_score"].remove(scheme)
        claims.setdefault("cv_scheme", []).append(scheme)
    claims.pop("cv_score", None)
    unread: tuple[str, ...] = ()
    others = other_cv(table, overrides)
    if "cv_score" not in columns:
        taken = {*columns.values(), *folds, *(() if scheme is None else scheme[1:])}
        taken |= {at for claimed in claims.values() for _, at in claimed}
        taken |= {table.columns.index(name) for name in table.set_aside}
        boards = [at for _, at in sorted(claims.get("public_score", []))]
        boards = [columns["public_score"]] if "public_score" in columns else boards
        ours = metric or next((metric_in(table.columns[at]) for at in boards), None)
        choice, others = with_others(cv_columns(table, ours, taken), table.columns)
        if choice.chosen is not None:
            columns["cv_score"] = choice.chosen
        elif not folds and "cv_fold_scores" not in columns:
            places = sorted((*choice.rivals, *choice.foreign))
            unread = tuple(table.columns[at] for at in places)
        issues += _passed_over(table, choice, ours)
    texts = [at for _, at in sorted(claims.get("description", []))]
    dated = claims.pop("submitted_at", [])
    if "submitted_at" not in columns:
        held = {
            *columns.values(),
            *folds,
            *(at for c in claims.values() for _, at in c),
        }
        columns |= _dates_at(table, [at for _, at in sorted(dated)], held)
        aged = _ages_at(table, columns.get("submitted_at"), {*columns.values(), *folds})
        if aged is not None:
            columns.pop("submitted_at", None)
            claims = {
                field: [(rank, at) for rank, at in claimed if at != aged]
                if field != "status"
                else claimed
                for field, claimed in claims.items()
            }
            claims = {field: claimed for field, claimed in claims.items() if claimed}
            texts = [at for at in texts if at != aged]
            claims["order"] = [(-1, aged)]
    clock = _clock_at(table, columns)
    for field, claimed in claims.items():
        if field not in columns:
            ordered = [position for _, position in sorted(claimed)]
            columns[field] = _winner(table, field, ordered)
            if field not in ("description", "experiment_id"):
                losers = [at for at in ordered if at != columns[field]]
                issues += _rivals(table, field, columns[field], losers)
    if "description" in (overrides or {}):
        texts = [columns["description"]]
    return Assignment(
        columns=columns,
        folds=folds or fold_columns(table, range(len(table.columns))),
        texts=tuple(sorted(texts)),
        issues=tuple(issues),
        unread_cv=unread,
        clock=clock,
        cv_others=tuple(others),
    )


def other_cv(table: RawTable, overrides: ColumnNames | None) -> list[int]:
    """Return the columns of the CV scores that the user named after the first."""
    names = _as_names((overrides or {}).get("cv_score", ()))[1:]
    return [at for name in names if (at := _position(table, name)) is not None]


def column_of(field: str, table: RawTable, overrides: ColumnNames | None) -> int | None:
    """Return the column of one field, before the others are assigned."""
    columns, _ = named_columns(table, {**table.roles, **(overrides or {})})
    claimed = _claims(table, columns).get(field)
    if field not in columns and claimed:
        columns[field] = _winner(table, field, [at for _, at in sorted(claimed)])
    return columns.get(field)


def _claims(
    table: RawTable, stated: dict[str, int]
) -> dict[str, list[tuple[int, int]]]:
    """Return rank and position of the columns whose names stand for each field."""
    claims: dict[str, list[tuple[int, int]]] = {}
    for position, name in enumerate(table.columns):
        found = field_of(name)
        free = position not in stated.values() and name not in table.set_aside
        if found is not None and free:
            claims.setdefault(found[0], []).append((found[1], position))
    return claims


class Sheet:
    """The columns of one table by field; collects the cells that cannot be read."""

    def __init__(self, table: RawTable, assignment: Assignment) -> None:
        self.table = table
        self.at = assignment.columns
        self.folds_at = assignment.folds
        self.cv_others_at = assignment.cv_others
        self.clock_at = assignment.clock
        self.texts_at = assignment.texts
        self.issues: list[RowIssue] = []

    def cells(self, field: str) -> list[object]:
        """Return the cells of a field; None throughout where it has no column."""
        at = self.at.get(field)
        if at is None:
            return [None] * len(self.table.rows)
        return [row.cells[at] for row in self.table.rows]

    def has_words(self, at: int) -> bool:
        """Say whether some cell of a column is more than a number."""
        texts = (read_text(row.cells[at]) for row in self.table.rows)
        return any(text and re.search(r"[^\W\d]{2}", text) for text in texts)

    def texts(self, field: str) -> list[str | None]:
        """Return the text of every cell of a field; ranks for ages and days."""
        if field == "order":
            ranks = order_of_ages(self.cells(field), days=True)
            if ranks is not None:
                return list(map(str, ranks))
        return [read_text(cell) for cell in self.cells(field)]

    def dates(self) -> DateColumn | None:
        """Return the times of all rows, None where there is no such column."""
        at = self.at.get("submitted_at")
        if at is None:
            return None
        cells = self.cells("submitted_at")
        if self.clock_at is not None:
            clocks = [row.cells[self.clock_at] for row in self.table.rows]
            cells = [_at_clock(*pair) for pair in zip(cells, clocks, strict=True)]
        dates = read_dates(cells)
        for position, expected in dates.not_understood.items():
            self.complain(at, position, cells[position], expected)
        return dates

    def scores(self, field: str) -> list[ScoreCell | None]:
        """Return the scores of a field; None throughout where it has no column."""
        at = self.at.get(field)
        if at is None:
            return [None] * len(self.table.rows)
        return self.scores_at(at)

    def scores_at(self, at: int) -> list[ScoreCell | None]:
        """Return the scores in one column."""
        cells = [row.cells[at] for row in self.table.rows]
        comma = uses_decimal_comma(cells, self.table.delimiter)
        typical = None if comma else _typical(cells)

        def read(cell: object) -> ScoreCell | None:
            own = comma or comma_is_decimal(cell, typical) or False
            return read_score(cell, decimal_comma=own)

        scores = self.parsed(cells, at, read)
        for position, score in enumerate(scores):
            doubt = None if score is None else score.doubt
            if score is not None and score.second is not None:
                doubt = "first number read, the second may be of another board"
            if doubt is not None:
                self.complain(at, position, cells[position], "a number alone", doubt)
        return scores

    def parsed(
        self, cells: Sequence[object], at: int, read: Callable[[object], _T | None]
    ) -> list[_T | None]:
        """Return what ``read`` makes of the cells; those that it cannot are issues."""
        values: list[_T | None] = []
        for position, cell in enumerate(cells):
            try:
                values.append(read(cell))
            except CellError as error:
                values.append(None)
                self.complain(at, position, cell, str(error))
        return values

    def complain(
        self,
        at: int,
        position: int,
        cell: object,
        expected: str,
        action: str = "cell taken as missing",
    ) -> None:
        """Add the issue that a cell was not understood, or not as a whole."""
        seen = (c if c.isprintable() or c.isspace() else "\ufffd" for c in str(cell))
        line, column = self.table.rows[position].line, self.table.columns[at]
        shown = shorten("".join(seen), 80)
        self.issues.append(
            self.table.issue(shown, expected, action, line=line, column=column)
        )

    def folds(self) -> list[tuple[float, ...]]:
        """Return the fold scores of every row that has all of them."""
        at = self.at.get("cv_fold_scores")
        if at is not None:
            found = self.parsed(self.cells("cv_fold_scores"), at, read_folds)
            return [item or () for item in found]
        if not self.folds_at:
            return [()] * len(self.table.rows)
        rows = []
        for cells in zip(*(self.scores_at(at) for at in self.folds_at), strict=True):
            values = [None if cell is None else cell.value for cell in cells]
            kept = tuple(value for value in values if value is not None)
            rows.append(kept if len(kept) == len(cells) else ())
        return rows

    def cv_scores(self) -> list[tuple[ScoreCell | None, tuple[float, ...]]]:
        """Return the CV score of every row, with its spread, and those of its folds.

        Where the score is absent, it is the mean of the folds.
        """
        scores, spreads = self.scores("cv_score"), self.scores("cv_std")
        rows = zip(scores, spreads, self.folds(), strict=True)
        return [(_with_spread(cell, std, folds), folds) for cell, std, folds in rows]


def _dates_at(table: RawTable, dated: list[int], held: set[int]) -> dict[str, int]:
    """Return the column of times: by its heading, else the one that holds only times.

    Of several, one that tells the time of day goes before one that does not.
    """
    cells = [[row.cells[at] for row in table.rows] for at in range(len(table.columns))]
    for at in dated:
        if any(value is not None for value in read_dates(cells[at]).values):
            return {"submitted_at": at}
    free = [
        at
        for at in range(len(table.columns))
        if at not in held and at not in dated and are_times(cells[at])
    ]
    free.sort(key=lambda at: not has_clock(cells[at]))
    found = (*free, *dated)
    return {"submitted_at": found[0]} if found else {}


def _ages_at(table: RawTable, dated: int | None, held: set[int]) -> int | None:
    """Return the column of ages or of days without a year, where there are no dates."""
    if dated is not None:
        cells = [row.cells[dated] for row in table.rows]
        if any(value is not None for value in read_dates(cells).values):
            return None
        if order_of_ages(cells, days=True) is not None:
            return dated
    for at in range(len(table.columns)):
        if at not in held and at != dated:
            cells = [row.cells[at] for row in table.rows]
            if order_of_ages(cells, days=False) is not None:
                return at
    return None


def _clock_at(table: RawTable, columns: dict[str, int]) -> int | None:
    """Return the column of the time of day that belongs to a column of days."""
    at = columns.get("submitted_at")
    if at is None or has_clock([row.cells[at] for row in table.rows]):
        return None
    for place, name in enumerate(table.columns):
        words = set(heading_words(name))
        if place in columns.values() or words & _DURATIONS:
            continue
        if words & _CLOCK_WORDS and are_clocks(
            [row.cells[place] for row in table.rows]
        ):
            return place
    return None


def _at_clock(day: object, clock: object) -> object:
    """Return a day and a time of it as one cell."""
    if is_missing(day) or is_missing(clock):
        return day
    if isinstance(day, date) and not isinstance(day, datetime):
        day = day.isoformat()
    return f"{str(day).strip()} {str(clock).strip()}"


def _with_spread(
    score: ScoreCell | None, spread: ScoreCell | None, folds: tuple[float, ...]
) -> ScoreCell | None:
    if score is None or score.value is None:
        if not folds:
            return None
        score = ScoreCell(math.fsum(folds) / len(folds), folds=folds)
    if score.spread is None and spread is not None and spread.value is not None:
        return score._replace(spread=abs(spread.value))
    return score


def named_columns(
    table: RawTable, overrides: ColumnNames
) -> tuple[dict[str, int], tuple[int, ...]]:
    """Return the columns that the user named, and those of the folds if several."""
    columns: dict[str, int] = {}
    folds: tuple[int, ...] = ()
    for field, names in overrides.items():
        found = [_position(table, name) for name in _as_names(names)]
        positions = [position for position in found if position is not None]
        if field == "cv_fold_scores" and len(positions) > 1:
            folds = tuple(positions)
        elif positions:
            columns[field] = positions[0]
    return columns, folds


def _as_names(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _position(table: RawTable, name: str) -> int | None:
    """Return where the user's column stands, forgiving case and punctuation."""
    if name in table.columns:
        return table.columns.index(name)
    key = name_key(name)
    same = [
        i for i, other in enumerate(table.columns) if key and name_key(other) == key
    ]
    return same[0] if len(same) == 1 else None


def _winner(table: RawTable, field: str, ordered: list[int]) -> int:
    """Return the first column that holds a fair share of what the fullest one does."""
    if len(ordered) == 1:
        return ordered[0]
    holds = holds_number if field in _SCORES else lambda cell: not is_missing(cell)
    counts = [sum(holds(row.cells[at]) for row in table.rows) for at in ordered]
    enough = max(1, _FAIR_SHARE * max(counts))
    places = zip(ordered, counts, strict=True)
    return next((at for at, count in places if count >= enough), ordered[0])


def _typical(cells: Sequence[object]) -> float | None:
    """Return the typical size of the scores of a column that are plain numbers."""
    plain = [
        abs(float(cell.strip()))  # of a separator float() knows nothing
        for cell in cells
        if isinstance(cell, str) and re.fullmatch(r"\s*[0-9]{1,9}\.[0-9]{1,9}\s*", cell)
    ]
    return statistics.median(plain) if plain else None


def cv_columns(
    table: RawTable, metric: str | None, taken: Iterable[int], *, literal: bool = True
) -> CvChoice:
    """Return which column of numbers is the CV score; one given twice counts once."""
    headings = {}
    seen: set[tuple[str | None, ...]] = set()
    for at, name in enumerate(table.columns):
        heading = cv_heading(name)
        if heading is None or at in taken or fold_number(name) is not None:
            continue
        cells = [row.cells[at] for row in table.rows]
        texts = tuple(read_text(cell) for cell in cells)
        if texts in seen or not any(holds_number(cell) for cell in cells):
            continue
        seen.add(texts)
        headings[at] = heading
    return choose_cv(headings, metric, literal=literal)


def _passed_over(
    table: RawTable, choice: CvChoice, metric: str | None
) -> list[RowIssue]:
    """Return what is said of the columns that may be the CV and were not read."""
    if choice.chosen is not None:
        issues = _rivals(table, "cv_score", choice.chosen, list(choice.rivals))
    else:
        n_open = len(choice.rivals)
        found = "a column that may be the CV score"
        if n_open > 1:
            found = f"one of {n_open} columns that may be the CV score"
        issues = [
            _unread(table, at, found, "one that is clear") for at in choice.rivals
        ]
    found, expected = "a CV score of another metric", f"one of {metric}"
    return issues + [_unread(table, at, found, expected) for at in choice.foreign]


def _unread(table: RawTable, at: int, found: str, expected: str) -> RowIssue:
    name = table.columns[at]
    action = f"column not read; columns={{'cv_score': {name!r}}} reads it"
    return table.issue(found, expected, action, column=name)


def _rivals(
    table: RawTable, field: str, winner: int, losers: list[int]
) -> list[RowIssue]:
    issues = []
    for position in losers:
        name, chosen = table.columns[position], table.columns[winner]
        twin = name_key(name).endswith(_TWINS) or name_key(chosen).endswith(_TWINS)
        differs = any(
            not is_missing(row.cells[position])
            and read_text(row.cells[position]) != read_text(row.cells[winner])
            for row in table.rows
        )
        if differs and not twin:
            found = f"a second column for {field}"
            action = f"column {chosen!r} read instead; columns={{{field!r}: ...}} "
            issues.append(table.issue(found, "one", action + "chooses", column=name))
    return issues


def _scheme_column(
    table: RawTable, claimed: list[tuple[int, int]]
) -> tuple[int, int] | None:
    """Return the ``cv`` column of words, where another one holds the score."""
    for rank, position in sorted(claimed) if len(claimed) > 1 else []:
        cells = [row.cells[position] for row in table.rows]
        wordy = any(not is_missing(cell) for cell in cells)
        if wordy and not any(holds_number(cell) for cell in cells):
            return rank, position
    return None


def fold_columns(table: RawTable, among: Iterable[int]) -> tuple[int, ...]:
    """Return the columns of one fold score each, in fold order, if no fold has two."""
    numbered = [
        (number, position)
        for position in among
        if (number := fold_number(table.columns[position])) is not None
    ]
    numbers = [number for number, _ in numbered]
    unique = len(numbers) > 1 and len(set(numbers)) == len(numbers)
    return tuple(position for _, position in sorted(numbered)) if unique else ()


def _absent_message(table: RawTable, field: str, name: str) -> str:
    lower = {column.lower(): column for column in table.columns}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    hint = f" Close to it: {', '.join(lower[key] for key in close)}." if close else ""
    return (
        f"{table.source}: columns says that {field} is the column {name!r}, but there "
        f"is none of that name. Found: {table.shown}.{hint}"
    )


_MARK = re.compile(r"[/|&]")


def with_pairs_apart(table: RawTable) -> RawTable:
    """Return the table with each column of two named scores as two columns.

    A column is one of two scores where its heading names two different ones and some
    cell holds two numbers. A cell of one number is the first score.
    """
    apart = {
        at: halves
        for at, name in enumerate(table.columns)
        if (halves := _halves(name)) and any(_pair(r.cells[at]) for r in table.rows)
    }
    if not apart:
        return table
    columns: list[str] = []
    for at, name in enumerate(table.columns):
        columns += apart.get(at, (name,))
    rows = []
    for row in table.rows:
        cells: list[object] = []
        for at, cell in enumerate(row.cells):
            cells += (_pair(cell) or (cell, None)) if at in apart else (cell,)
        rows.append(RawRow(row.line, cells))
    return dataclasses.replace(table, columns=tuple(columns), rows=rows)


def _halves(name: str) -> tuple[str, str] | None:
    """Return the two names in a heading that names two scores."""
    start = min((at for mark in "([" if (at := name.find(mark)) >= 0), default=-1)
    end = max(name.rfind(")"), name.rfind("]"))
    inside = name[start + 1 : end] if 0 <= start < end else ""
    parts = _MARK.split(inside if _MARK.search(inside) else name)
    if len(parts) != 2:
        return None
    fields = [field_of(part.strip()) for part in parts]
    kinds = {found[0] for found in fields if found is not None}
    if len(kinds) < 2 or not kinds <= set(_SCORES):
        return None
    return parts[0].strip(), parts[1].strip()


def _pair(cell: object) -> tuple[object, object] | None:
    if not isinstance(cell, str) or not re.search("[/|&]", cell):
        return None
    try:
        score = read_score(cell)
    except CellError:
        score = None
    parts = _MARK.split(cell)
    if len(parts) != 2 or (score is not None and score.second is None):
        return None
    return parts[0], parts[1]
