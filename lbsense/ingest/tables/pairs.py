"""Columns of two scores a cell, such as ``0.801/0.795`` below "Public/Private"."""

from __future__ import annotations

import dataclasses
import re

from lbsense.ingest.tables.cells import CellError, read_score
from lbsense.ingest.tables.names import field_of
from lbsense.ingest.tables.raw import RawRow, RawTable

_SCORES = ("cv_score", "public_score", "private_score")
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
