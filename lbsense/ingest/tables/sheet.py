"""Which column of one table holds which field, by its name or by the user's word."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.cells import CellError, is_missing, read_score, read_text
from lbsense.ingest.tables.names import FIELDS, field_of, fold_number, name_key
from lbsense.ingest.tables.raw import RawTable
from lbsense.model import RowIssue

__all__ = ["Assignment", "ColumnNames", "assign_columns", "check_overrides"]

ColumnNames: TypeAlias = Mapping[str, str | Sequence[str]]

_SCORES = ("cv_score", "public_score", "private_score")
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
    """

    columns: dict[str, int]
    folds: tuple[int, ...]
    texts: tuple[int, ...]
    issues: tuple[RowIssue, ...]


def check_overrides(columns: ColumnNames | None, tables: Sequence[RawTable]) -> None:
    """Complain about a field or a column of ``columns`` that does not exist.

    Raises
    ------
    ValueError
        If a key is not a field of a submission.
    IngestError
        If no table has such a column.
    """
    for field, names in (columns or {}).items():
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


def assign_columns(table: RawTable, overrides: ColumnNames | None) -> Assignment:
    """Return which column holds which field.

    Parameters
    ----------
    table : RawTable
        The table.
    overrides : mapping of str to str or sequence of str, optional
        Field to column name; it wins over everything else.

    Notes
    -----
    Of several columns with a name of the same field, the first in the order of
    preference that holds any value wins; for a score, any number. The others are
    reported where they say something else. A ``cv`` column of words beside a score
    in ``valid`` names the scheme.
    """
    columns, folds = _overridden(table, overrides or {})
    claims: dict[str, list[tuple[int, int]]] = {}
    for position, name in enumerate(table.columns):
        found = field_of(name)
        if found is not None and position not in columns.values():
            claims.setdefault(found[0], []).append((found[1], position))
    issues: list[RowIssue] = []
    scheme = _scheme_column(table, claims.get("cv_score", []))
    if scheme is not None:
        claims["cv_score"].remove(scheme)
        claims.setdefault("cv_scheme", []).append(scheme)
    texts = [position for _, position in sorted(claims.get("description", []))]
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
        folds=folds or _fold_columns(table),
        texts=tuple(sorted(texts)),
        issues=tuple(issues),
    )


def _overridden(
    table: RawTable, overrides: ColumnNames
) -> tuple[dict[str, int], tuple[int, ...]]:
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
    holds = _holds_number if field in _SCORES else _holds_anything
    if len(ordered) > 1:
        for position in ordered:
            if any(holds(row.cells[position]) for row in table.rows):
                return position
    return ordered[0]


def _holds_anything(cell: object) -> bool:
    return not is_missing(cell)


def _holds_number(cell: object) -> bool:
    try:
        score = read_score(cell, decimal_comma=True)
    except CellError:
        return False
    return score is not None and score.value is not None


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
            issue = RowIssue(
                source=table.source,
                column=name,
                found=f"a second column for {field}",
                expected="one",
                action=f"column {chosen!r} read instead; columns={{{field!r}: ...}} "
                "chooses",
            )
            issues.append(issue)
    return issues


def _scheme_column(
    table: RawTable, claimed: list[tuple[int, int]]
) -> tuple[int, int] | None:
    """Return the ``cv`` column of words, where another one holds the score."""
    for rank, position in sorted(claimed) if len(claimed) > 1 else []:
        cells = [row.cells[position] for row in table.rows]
        wordy = any(not is_missing(cell) for cell in cells)
        if wordy and not any(_holds_number(cell) for cell in cells):
            return rank, position
    return None


def _fold_columns(table: RawTable) -> tuple[int, ...]:
    numbered = [
        (number, position)
        for position, name in enumerate(table.columns)
        if (number := fold_number(name)) is not None
    ]
    numbers = [number for number, _ in numbered]
    unique = len(numbers) > 1 and len(set(numbers)) == len(numbers)
    return tuple(position for _, position in sorted(numbered)) if unique else ()


def _absent_message(table: RawTable, field: str, name: str) -> str:
    shown = ", ".join(shorten(column, 40) for column in table.columns[:20])
    lower = {column.lower(): column for column in table.columns}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)
    hint = f" Close to it: {', '.join(lower[key] for key in close)}." if close else ""
    return (
        f"{table.source}: columns says that {field} is the column {name!r}, but there "
        f"is none of that name. Found: {shown}.{hint}"
    )
