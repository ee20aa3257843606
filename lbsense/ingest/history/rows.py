"""One raw table to drafts of submissions: every cell read, nothing decided yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from lbsense._format import shorten
from lbsense._typing import Status
from lbsense.ingest.history.recognise import Kind
from lbsense.ingest.tables.cells import (
    CellError,
    ScoreCell,
    is_missing,
    read_flag,
    read_folds,
    read_score,
    read_status,
    read_text,
    uses_decimal_comma,
)
from lbsense.ingest.tables.dates import DateColumn, read_dates
from lbsense.ingest.tables.names import name_key
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.sheet import Assignment, ColumnNames, assign_columns
from lbsense.model import RowIssue

__all__ = ["Draft", "ReadTable", "read_rows"]

_T = TypeVar("_T")
_SCHEMES = {
    "oof": "oof",
    "loo": "loo",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "holdout": "holdout",
    "heldout": "holdout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A row on its way to a `Submission`."""

    source: str
    line: int
    reference: str | None
    experiment: str | None
    submitted_at: datetime | None
    file_name: str | None
    description: str | None
    status: Status
    status_stated: bool
    status_detail: str | None
    public: float | None
    private: float | None
    cv: ScoreCell | None
    cv_text: str | None
    cv_scheme: str | None
    folds: tuple[float, ...]
    selected: bool | None
    parent: str | None
    content_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable:
    """The drafts of one table, and what its columns say as a whole.

    Attributes
    ----------
    kind : str
        Which export it is.
    drafts : list of Draft
        In listing order.
    issues : list of RowIssue
        Rows and cells that were not understood.
    dates : DateColumn or None
        The times; None where there is no such column.
    decimals : int or None
        Digits after the point of the public scores, as displayed.
    bare_score : bool
        Whether the only score stood in a column called ``score``.
    """

    kind: Kind
    drafts: list[Draft]
    issues: list[RowIssue]
    dates: DateColumn | None
    decimals: int | None
    bare_score: bool


def read_rows(table: RawTable, kind: Kind, overrides: ColumnNames | None) -> ReadTable:
    """Return what every row of a table says."""
    assignment = assign_columns(table, overrides)
    reader = _Columns(table, assignment)
    bare_score = "score" in reader.at and not (
        {"public_score", "private_score"} & reader.at.keys()
    )
    public = reader.scores("score" if bare_score else "public_score")
    private = reader.scores("private_score")
    dates = reader.dates()
    statuses = _statuses(reader, kind, public)
    drafts = _drafts(reader, kind, public, private, dates, statuses)
    if kind == "table":
        drafts = _without_empty(drafts, reader)
    return ReadTable(
        kind=kind,
        drafts=drafts,
        issues=[*table.issues, *assignment.issues, *reader.issues],
        dates=dates,
        decimals=_display_decimals(table, public, private),
        bare_score=bare_score,
    )


class _Columns:
    """The columns of one table by field; collects the cells that cannot be read."""

    def __init__(self, table: RawTable, assignment: Assignment) -> None:
        self.table = table
        self.at = assignment.columns
        self.folds_at = assignment.folds
        self.texts_at = assignment.texts
        self.issues: list[RowIssue] = []

    def cells(self, field: str) -> list[object]:
        at = self.at.get(field)
        if at is None:
            return [None] * len(self.table.rows)
        return [row.cells[at] for row in self.table.rows]

    def texts(self, field: str) -> list[str | None]:
        return [read_text(cell) for cell in self.cells(field)]

    def dates(self) -> DateColumn | None:
        at = self.at.get("submitted_at")
        if at is None:
            return None
        cells = self.cells("submitted_at")
        dates = read_dates(cells)
        for position, expected in dates.not_understood.items():
            self.complain(at, position, cells[position], expected)
        return dates

    def scores(self, field: str) -> list[ScoreCell | None]:
        at = self.at.get(field)
        if at is None:
            return [None] * len(self.table.rows)
        return self.scores_at(at)

    def scores_at(self, at: int) -> list[ScoreCell | None]:
        cells = [row.cells[at] for row in self.table.rows]
        comma = uses_decimal_comma(cells, self.table.delimiter)
        return self.parsed(
            cells, at, lambda cell: read_score(cell, decimal_comma=comma)
        )

    def parsed(
        self, cells: Sequence[object], at: int, read: Callable[[object], _T | None]
    ) -> list[_T | None]:
        values: list[_T | None] = []
        for position, cell in enumerate(cells):
            try:
                values.append(read(cell))
            except CellError as error:
                values.append(None)
                self.complain(at, position, cell, str(error))
        return values

    def complain(self, at: int, position: int, cell: object, expected: str) -> None:
        issue = RowIssue(
            source=self.table.source,
            line=self.table.rows[position].line,
            column=self.table.columns[at],
            found=shorten(str(cell), 80),
            expected=expected,
            action="cell taken as missing",
        )
        self.issues.append(issue)


def _statuses(
    reader: _Columns, kind: Kind, public: list[ScoreCell | None]
) -> list[tuple[Status, bool, str | None]]:
    """Return the status of every row, whether it was stated, and the word on it."""
    details = reader.texts("status_detail")
    words = reader.texts("public_score")
    found = []
    for position, cell in enumerate(reader.cells("status")):
        score, word = public[position], read_text(cell)
        stated = read_status(cell)
        detail = details[position]
        if stated is None and word is not None:
            detail = detail or word
            if kind == "zindi":
                stated = "error"
            elif kind != "table":
                at = reader.at["status"]
                reader.complain(at, position, cell, "complete, pending or error")
        scored = score is not None and score.value is not None
        status: Status = "complete" if scored else "pending"
        if stated == "error" or (stated is not None and not scored):
            status = stated
        if status != "error" and score is not None and score.status is not None:
            status = score.status  # "In processing" where the score should be
            detail = detail or words[position]
        found.append((status, stated is not None, detail))
    return found


def _drafts(
    reader: _Columns,
    kind: Kind,
    public: list[ScoreCell | None],
    private: list[ScoreCell | None],
    dates: DateColumn | None,
    statuses: list[tuple[Status, bool, str | None]],
) -> list[Draft]:
    cv = reader.scores("cv_score")
    spreads = reader.scores("cv_std")
    cv_texts = reader.texts("cv_score")
    folds = _folds(reader)
    columns = {
        name: reader.texts(name)
        for name in (
            "submission_id",
            "experiment_id",
            "file_name",
            "cv_scheme",
            "parent_id",
            "content_hash",
        )
    }
    descriptions = _descriptions(reader, joined=kind == "table")
    selected = _selected(reader)
    scheme = _scheme_of_name(reader)
    drafts = []
    for i, row in enumerate(reader.table.rows):
        status, stated, detail = statuses[i]
        score = _with_spread(cv[i], spreads[i], folds[i])
        if kind == "zindi" and status == "error" and reader.table.shape == "board":
            detail = descriptions[i]  # the board prints the reason as the comment
        drafts.append(
            Draft(
                source=reader.table.source,
                line=row.line,
                reference=columns["submission_id"][i],
                experiment=columns["experiment_id"][i],
                submitted_at=None if dates is None else dates.values[i],
                file_name=columns["file_name"][i],
                description=descriptions[i],
                status=status,
                status_stated=stated,
                status_detail=detail,
                public=_value(public[i]),
                private=_value(private[i]),
                cv=score,
                cv_text=None if score is None else cv_texts[i],
                cv_scheme=columns["cv_scheme"][i]
                or (None if score is None else scheme),
                folds=folds[i] or (() if score is None else score.folds),
                selected=selected[i],
                parent=columns["parent_id"][i],
                content_hash=columns["content_hash"][i],
            )
        )
    return drafts


def _value(score: ScoreCell | None) -> float | None:
    return None if score is None else score.value


def _with_spread(
    score: ScoreCell | None, spread: ScoreCell | None, folds: tuple[float, ...]
) -> ScoreCell | None:
    """Return the CV score with its spread; the mean of the folds where it is absent."""
    if score is None or score.value is None:
        if not folds:
            return None
        score = ScoreCell(sum(folds) / len(folds), folds=folds)
    if score.spread is None and spread is not None and spread.value is not None:
        return score._replace(spread=abs(spread.value))
    return score


def _folds(reader: _Columns) -> list[tuple[float, ...]]:
    """Return the fold scores of every row that has all of them."""
    at = reader.at.get("cv_fold_scores")
    if at is not None:
        found = reader.parsed(reader.cells("cv_fold_scores"), at, read_folds)
        return [item or () for item in found]
    if not reader.folds_at:
        return [()] * len(reader.table.rows)
    columns = [reader.scores_at(at) for at in reader.folds_at]
    rows = []
    for cells in zip(*columns, strict=True):
        values = [cell.value for cell in cells if cell is not None]
        whole = len(values) == len(cells)
        kept = tuple(value for value in values if value is not None)
        rows.append(kept if whole and len(kept) == len(cells) else ())
    return rows


def _descriptions(reader: _Columns, *, joined: bool) -> list[str | None]:
    """Return the description; in a hand-made table, all columns of words together."""
    if not joined or len(reader.texts_at) < 2:
        return reader.texts("description")
    found = []
    for row in reader.table.rows:
        texts = [read_text(row.cells[at]) for at in reader.texts_at]
        kept = dict.fromkeys(text for text in texts if text and not is_missing(text))
        found.append(" | ".join(kept) or None)
    return found


def _selected(reader: _Columns) -> list[bool | None]:
    """Return the final selection; where only the chosen are marked, no mark is no."""
    at = reader.at.get("selected")
    if at is None:
        return [None] * len(reader.table.rows)
    flags = reader.parsed(reader.cells("selected"), at, read_flag)
    if True in flags and False not in flags:
        return [flag is True for flag in flags]
    return flags


def _scheme_of_name(reader: _Columns) -> str:
    at = reader.at.get("cv_score")
    words = name_key("" if at is None else reader.table.columns[at])
    found = (kind for word, kind in _SCHEMES.items() if words.startswith(word))
    return next(found, "cv")


def _without_empty(drafts: list[Draft], reader: _Columns) -> list[Draft]:
    """Leave out the rows of a hand-made table that only number or divide it."""
    kept = []
    for draft in drafts:
        cv = draft.cv is not None
        scored = cv or draft.public is not None or draft.private is not None
        named = draft.description or draft.file_name or draft.reference
        if scored or named or draft.submitted_at or draft.status_stated:
            kept.append(draft)
            continue
        issue = RowIssue(
            source=draft.source,
            line=draft.line,
            found=draft.experiment or "",
            expected="a score, a date, a name or a status",
            action="row skipped",
        )
        reader.issues.append(issue)
    return kept


def _display_decimals(
    table: RawTable,
    public: list[ScoreCell | None],
    private: list[ScoreCell | None],
) -> int | None:
    """Return the most digits behind the point that a score was displayed with."""
    for position, name in enumerate(table.columns):
        if name_key(name) == "publicscoreleaderboarddisplay":
            cells = [read_text(row.cells[position]) or "" for row in table.rows]
            digits = [len(cell.partition(".")[2]) for cell in cells if cell]
            return max(digits, default=None)
    for scores in (public, private):
        shown = [score.decimals for score in scores if score is not None]
        digits = [count for count in shown if count is not None]
        if digits:
            return max(digits) if max(digits) <= 12 else None
    return None
