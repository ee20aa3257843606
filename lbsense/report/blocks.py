"""What a report is made of: blocks that know neither HTML nor Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lbsense._format import clean_text
from lbsense.model import InputFile
from lbsense.plots import Scene


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
    note : str
        What stands small below the text.
    link : str
        The section that it leads to; the cell then names its row.
    """

    text: str
    order: float | None = None
    kind: str = ""
    details: str = ""
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    An interactive one has a row for each submission, which pictures lead to, is shown
    as cards on a phone, and can be sorted and filtered where scripts run.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its name, and with what it shows in words."""

    name: str
    caption: str
    scene: Scene


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
        The answer in one sentence.
    points : sequence of str
        What else stands on the first screen.
    figure : Figure or None
        The picture beside the answer.
    inventory : sequence of Section
        What happened, what was noise, what to do.
    sections : sequence of Section
        The evidence, in the order of reading.
    """

    title: str
    subject: str
    headline: str
    points: Sequence[str]
    figure: Figure | None
    inventory: Sequence[Section]
    sections: Sequence[Section]

    def figures(self) -> Iterator[Figure]:
        """Yield the pictures in the order in which they are met."""
        if self.figure is not None:
            yield self.figure
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Figure):
                    yield block


def texts(*names: str) -> list[Column]:
    """Return columns of texts."""
    return [Column(name) for name in names]


def numbers(*names: str) -> list[Column]:
    """Return columns of numbers."""
    return [Column(name, numeric=True) for name in names]


def row(*cells: str | Cell) -> list[Cell]:
    """Return the cells of a row; a plain text is a cell."""
    return [Cell(cell) if isinstance(cell, str) else cell for cell in cells]


def file_table(sources: Sequence[InputFile]) -> Iterator[Table]:
    """Yield the table of the files that were read, none where there are none."""
    if sources:
        yield Table(
            name="files",
            caption="Files that were read.",
            columns=[*texts("File"), *numbers("Bytes"), *texts("SHA-256")],
            rows=[
                row(clean_text(item.name), f"{item.n_bytes:,}", item.sha256)
                for item in sources
            ],
        )
