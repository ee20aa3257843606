"""Columns that were seen and not used, and what they might be."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence

from lbsense._format import shorten
from lbsense.ingest.cv.heading import cv_heading
from lbsense.ingest.tables.cells import CellError, is_missing, read_score, read_text
from lbsense.ingest.tables.dates import are_clocks, are_times
from lbsense.ingest.tables.names import field_of
from lbsense.ingest.tables.raw import RawTable
from lbsense.model import UnusedColumn

_SAMPLE = 2000  # rows that tell what a column is
_ALIKE = (0.5, 2.0)  # ratio of medians within which numbers may be the same score


def unused_columns(
    table: RawTable, used: Collection[int], public: Sequence[float | None]
) -> tuple[UnusedColumn, ...]:
    """Return the columns that were not used, each with what it might be.

    Parameters
    ----------
    table : RawTable
        The table.
    used : collection of int
        Positions of the columns that were used.
    public : sequence of float or None
        The public scores, beside which another score is known.
    """
    known = [abs(score) for score in public if score]
    typical = statistics.median(known) if known else None
    found = []
    for at, name in enumerate(table.columns):
        if at in used:
            continue
        cells = [row.cells[at] for row in table.rows[:_SAMPLE]]
        if not name.strip() and all(map(is_missing, cells)):
            continue
        twin = _twin(table, at, used)
        guess = f"the same as {twin!r}" if twin else _guess(name, cells, typical)
        found.append(UnusedColumn(name=name or f"column {at + 1}", guess=guess))
    return tuple(found)


def _twin(table: RawTable, at: int, used: Collection[int]) -> str | None:
    """Return the name of a used column that says the same in every row."""
    rows = table.rows[:_SAMPLE]
    cells = [read_text(row.cells[at]) for row in rows]
    if not any(cells):
        return None
    for other in sorted(used):
        if [read_text(row.cells[other]) for row in rows] == cells:
            return shorten(table.columns[other], 40)
    return None


def _guess(name: str, cells: Sequence[object], typical: float | None) -> str:
    filled = [cell for cell in cells if not is_missing(cell)]
    if not filled:
        return "empty"
    if are_times(filled):
        return "times"
    if are_clocks(filled):
        return "times of the day, or durations"
    values = _values(filled)
    if len(values) < max(1, 0.8 * len(filled)):
        return _words(name, [str(cell) for cell in filled])
    validation = cv_heading(name)
    if validation is not None:
        metric = f" of {validation.metric}" if validation.metric else ""
        return f"numbers, perhaps a CV score{metric}"
    field = field_of(name)
    if field is not None and field[0] in ("public_score", "private_score", "score"):
        return "numbers, perhaps another score of the leaderboard"
    if all(isinstance(cell, str) and cell.strip().endswith("%") for cell in filled):
        return "percentages"
    size = statistics.median(abs(value) for value in values)
    whole = all(value.is_integer() for value in values)
    if typical and not whole and _ALIKE[0] <= size / typical <= _ALIKE[1]:
        return "numbers like the public score, perhaps a score"
    return "whole numbers" if whole else "numbers"


def _values(cells: Sequence[object]) -> list[float]:
    values = []
    for cell in cells:
        try:
            score = read_score(cell, decimal_comma=False)
        except CellError:
            continue
        if score is not None and score.value is not None:
            values.append(score.value)
    return values


def _words(name: str, texts: Sequence[str]) -> str:
    field = field_of(name)
    if field is not None and field[0] == "submitted_at":
        return "words, perhaps dates that are not understood"
    short = all(len(text) <= 40 for text in texts)
    if short and len(set(texts)) == len(texts) > 1:
        return "words that differ, perhaps names"
    return "words"
