"""What a report is made of: blocks that know neither HTML nor Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A code or a name, what it says, and what belongs to it when one looks closer.

    Attributes
    ----------
    label, title : str
        Such as the code and the title of a finding.
    text : str
        What was seen.
    kind : str
        "warning", "notice", "info" or "quiet".
    details : sequence of tuple of str
        Heading and text of what is shown on demand.
    """

    label: str
    title: str
    text: str
    kind: str = "info"
    details: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and whether its cells are numbers."""

    name: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
        As shown.
    order : float or None
        What the column is sorted by; None sorts by the text.
    kind : str
        Verdict or outcome that is shown by more than its word; empty for plain text.
    details : str
        A sentence that is shown on demand.
    """

    text: str
    order: float | None = None
    kind: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; an interactive one can be sorted and filtered where scripts run."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture by the name of its plot, with what it shows in words."""

    name: str
    caption: str


#: A plain text is a paragraph.
Block: TypeAlias = str | Bullets | Remark | Table | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its blocks; a quiet one is folded away at first."""

    key: str
    title: str
    blocks: Sequence[Block]
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report.

    Attributes
    ----------
    title, subject : str
        The competition, and one line on what was read.
    headline : str
        The answer.
    answer : sequence of Section
        What happened, what was noise, what to do.
    sections : sequence of Section
        The evidence, in the order of reading.
    """

    title: str
    subject: str
    headline: str
    answer: Sequence[Section]
    sections: Sequence[Section]


def texts(*names: str) -> list[Column]:
    """Return columns of texts."""
    return [Column(name) for name in names]


def numbers(*names: str) -> list[Column]:
    """Return columns of numbers."""
    return [Column(name, numeric=True) for name in names]


def row(*cells: str | Cell) -> list[Cell]:
    """Return the cells of a row; a plain text is a cell."""
    return [Cell(cell) if isinstance(cell, str) else cell for cell in cells]
