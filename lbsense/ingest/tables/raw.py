"""The table as it stood in the input: names, cells and line numbers, nothing read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from lbsense._format import plural, shorten
from lbsense.model import RowIssue

__all__ = ["RawRow", "RawTable", "Shape", "skipped_line", "wrong_width"]

Shape: TypeAlias = Literal[
    "delimited", "ruled", "markdown", "board", "labels", "json", "objects"
]


class RawRow(NamedTuple):
    """One row: its first line in the text (or its number) and one cell per column.

    Cells are text where the input is text, and Python values otherwise; None where
    the input has no cell.
    """

    line: int
    cells: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawTable:
    """A table before anything is read from it.

    Attributes
    ----------
    source : str
        What messages call it: a path, ``<data frame>``, ...
    shape : str
        How it was laid out.
    columns : tuple of str
        Names as they stand in the input, which may hold doubles.
    rows : list of RawRow
        Every row has as many cells as there are columns.
    issues : list of RowIssue
        Lines that are no rows, and what was repaired.
    delimiter : str or None
        Character between the cells of a delimited text.
    title : str or None
        The heading or the name that stands above the table, such as that of a sheet.
    """

    source: str
    shape: Shape
    columns: tuple[str, ...]
    rows: list[RawRow]
    issues: list[RowIssue]
    delimiter: str | None = None
    title: str | None = None

    @property
    def shown(self) -> str:
        """The first names of columns, for a message."""
        return ", ".join(shorten(name, 40) for name in self.columns[:20])


def skipped_line(source: str, line: int, text: str, expected: str) -> RowIssue:
    """Return the issue of a line that is no row of the table."""
    return RowIssue(
        source=source,
        line=line,
        found=shorten(text, 80),
        expected=expected,
        action="line skipped",
    )


def wrong_width(
    source: str, line: int, cells: list[str], width: int, action: str
) -> RowIssue:
    """Return the issue of a row with too many or too few cells."""
    return RowIssue(
        source=source,
        line=line,
        found=f"{plural(len(cells), 'cell')}: {shorten(', '.join(cells), 80)}",
        expected=f"{width} cells",
        action=action,
    )
