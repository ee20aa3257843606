"""The rows of an experiment log as runs: a CV score and the names it goes by."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from lbsense._format import shorten
from lbsense.ingest.log.columns import LogColumns, plain_cell
from lbsense.ingest.tables.cells import (
    CellError,
    ScoreCell,
    read_folds,
    read_score,
    read_text,
    uses_decimal_comma,
)
from lbsense.ingest.tables.names import name_key
from lbsense.ingest.tables.raw import RawRow, RawTable
from lbsense.model import RowIssue

__all__ = ["LogRun", "read_runs"]

_T = TypeVar("_T")

# A column of bare numbers is written with its word in descriptions: "exp 12", "v12".
_NUMBER_PREFIXES = {
    "exp": "exp",
    "expid": "exp",
    "experiment": "exp",
    "experimentid": "exp",
    "run": "run",
    "runid": "run",
    "version": "v",
    "trial": "trial",
}
# What a note begins with: "exp012: more lags", "CHK-220b blend".
_LEADING = re.compile(
    r"[\s\[(#*]*(?P<name>(?:exp|experiment|run|trial|version|ver|v|e)[ _#-]?\d{1,6}"
    r"[a-z]?|[A-Z]{2,8}-\d{1,6}[a-z]?)(?![^\W_]|\.\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRun:
    """One entry of a log.

    Attributes
    ----------
    source, line : str, int
        Where it stands.
    references, experiments, files : tuple of str
        What it calls the submission, itself, and the file it wrote.
    score : float
        CV score.
    text : str
        Column and cell that the score was read from.
    std : float or None
        Spread of the score.
    folds : tuple of float
        Fold scores.
    kind : str
        Keyword family of the score.
    """

    source: str
    line: int
    references: tuple[str, ...]
    experiments: tuple[str, ...]
    files: tuple[str, ...]
    score: float
    text: str
    std: float | None
    folds: tuple[float, ...]
    kind: str

    @property
    def name(self) -> str:
        """The shortest name that it has, if any."""
        names = (*self.experiments, *self.references, *self.files)
        return min(names, key=len, default="an entry without a name")


def read_runs(
    table: RawTable, columns: LogColumns, issues: list[RowIssue]
) -> list[LogRun]:
    """Return the rows that have a CV score; what is left out goes to ``issues``."""
    reader = _Rows(table, issues)
    scores = reader.scores(columns.cv)
    spreads = reader.scores(columns.std)
    folds = reader.folds(columns)
    runs = []
    for number, row in enumerate(table.rows):
        run = _run(table, columns, row, scores[number], spreads[number], folds[number])
        if isinstance(run, LogRun):
            runs.append(run)
        else:
            issues.append(run)
    return runs


class _Rows:
    """The cells of a log by column; collects those that cannot be read."""

    def __init__(self, table: RawTable, issues: list[RowIssue]) -> None:
        self.table = table
        self.issues = issues

    def scores(self, at: int | None) -> list[ScoreCell | None]:
        if at is None:
            return [None] * len(self.table.rows)
        cells = [plain_cell(row.cells[at]) for row in self.table.rows]
        comma = uses_decimal_comma(cells, self.table.delimiter)
        return self._parsed(at, lambda cell: read_score(cell, decimal_comma=comma))

    def folds(self, columns: LogColumns) -> list[tuple[float, ...]]:
        """Return the fold scores of the rows that have all of them."""
        if columns.fold_cell is not None:
            lists = self._parsed(columns.fold_cell, read_folds)
            return [scores or () for scores in lists]
        if not columns.folds:
            return [()] * len(self.table.rows)
        rows = zip(*(self.scores(at) for at in columns.folds), strict=True)
        values = [[cell.value for cell in row if cell is not None] for row in rows]
        kept = [tuple(value for value in row if value is not None) for row in values]
        return [row if len(row) == len(columns.folds) else () for row in kept]

    def _parsed(self, at: int, read: Callable[[object], _T]) -> list[_T | None]:
        found: list[_T | None] = []
        for row in self.table.rows:
            try:
                found.append(read(plain_cell(row.cells[at])))
            except CellError as error:
                found.append(None)
                self.issues.append(
                    RowIssue(
                        source=self.table.source,
                        line=row.line,
                        column=self.table.columns[at],
                        found=shorten(str(row.cells[at]), 80),
                        expected=str(error),
                        action="cell taken as missing",
                    )
                )
        return found


def _run(
    table: RawTable,
    columns: LogColumns,
    row: RawRow,
    score: ScoreCell | None,
    spread: ScoreCell | None,
    folds: tuple[float, ...],
) -> LogRun | RowIssue:
    """Return one run, or the issue that it has no score."""
    names = [
        tuple(_texts(table, row, positions))
        for positions in (columns.references, columns.experiments, columns.files)
    ]
    leading = (_LEADING.match(text) for text in _texts(table, row, columns.texts))
    names[1] += tuple(match["name"] for match in leading if match)
    value, std, text = None, None, "mean of the folds"
    if score is not None:
        value, std, folds = score.value, score.spread, folds or score.folds
    if value is not None and columns.cv is not None:
        text = f"{table.columns[columns.cv]}={plain_cell(row.cells[columns.cv])}"
    if value is None and folds:
        value = math.fsum(folds) / len(folds)
    if not value:
        named = next((name for group in names for name in group), "no name")
        return RowIssue(
            source=table.source,
            line=row.line,
            found=shorten(f"{named}, CV {'missing' if value is None else 0}", 80),
            expected="a CV score; 0 stands for a missing one",
            action="entry left out",
        )
    if spread is not None and spread.value is not None:
        std = abs(spread.value)
    return LogRun(
        source=table.source,
        line=row.line,
        references=names[0],
        experiments=names[1],
        files=names[2],
        score=value,
        text=text,
        std=std,
        folds=folds,
        kind=columns.kind,
    )


def _texts(table: RawTable, row: RawRow, positions: tuple[int, ...]) -> Iterator[str]:
    """Yield the names in a row; a bare number takes the word of its column."""
    for position in positions:
        text = (read_text(plain_cell(row.cells[position])) or "").strip()
        if text.isdigit():
            word = name_key(table.columns[position])
            text = _NUMBER_PREFIXES.get(word, "") + text
        if text:
            yield text
