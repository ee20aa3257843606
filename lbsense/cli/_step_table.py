"""The table of steps, fitted to the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_probability,
    format_time,
    gain_decimals,
)
from lbsense.analysis import Step

__all__ = ["step_table", "verdict_text"]

# The symbol tells the verdict where there is no colour; ASCII shows in any terminal.
_LOOKS = {
    "progress": ("+", "bold green"),
    "guess": ("~", "yellow"),
    "chasing": ("!", "bold magenta"),
    "setback": ("-", "red"),
    "repeat": ("=", "cyan"),
    "probe": ("@", "blue"),
    "unscored": (".", "dim"),
    "unknown": ("?", "dim"),
}
_WIDE = 100  # columns from which there is room for air between them
_SHORTEST_NAME = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """Cells of one column. Of those that have a rank the highest gives way first."""

    header: str
    cells: Sequence[str]
    is_text: bool = False
    rank: int = 0

    def width(self) -> int:
        return max(cell_len(text) for text in (self.header, *self.cells))

    def says_nothing(self) -> bool:
        return all(cell == "-" for cell in self.cells)

    def pad(self, text: str, width: int) -> str:
        if self.is_text:
            return set_cell_size(text, width)
        return " " * (width - cell_len(text)) + text


def verdict_text(verdict: str, label: str = "") -> Text:
    """Return a verdict, or a label for it, with its symbol and colour."""
    symbol, style = _LOOKS[verdict]
    return Text(f"{symbol} {label or verdict}", style)


def step_table(steps: Sequence[Step], width: int) -> tuple[list[Text], list[str]]:
    """Return the lines of the table and the headers that found no room.

    Parameters
    ----------
    steps : sequence of Step
        In time order, at least one.
    width : int
        Columns of the terminal.
    """
    columns = _columns(steps)
    gap = 2 if width >= _WIDE else 1
    hidden = []
    while _room_for_name(columns, width, gap) < _SHORTEST_NAME:
        first = max(columns, key=lambda column: column.rank)
        if first.rank == 0:
            break
        columns.remove(first)
        hidden.append(first.header)
    room = max(_SHORTEST_NAME, _room_for_name(columns, width, gap))
    widths = [
        min(column.width(), room) if column.is_text else column.width()
        for column in columns
    ]
    header = _line(columns, widths, gap, [column.header for column in columns])
    verdict_width = max(len(step.verdict) for step in steps) + 2
    rule = "-" * (cell_len(header) + verdict_width)
    lines = [Text(f"{header}verdict", "bold"), Text(rule, "dim")]
    for row, step in enumerate(steps):
        cells = [column.cells[row] for column in columns]
        lines.append(
            Text(_line(columns, widths, gap, cells)) + verdict_text(step.verdict)
        )
    return lines, hidden


def _room_for_name(columns: Sequence[_Column], width: int, gap: int) -> int:
    longest_verdict = 2 + max(len(verdict) for verdict in _LOOKS)
    others = (column.width() + gap for column in columns if not column.is_text)
    return width - sum(others) - gap - longest_verdict


def _line(
    columns: Sequence[_Column], widths: Sequence[int], gap: int, cells: Sequence[str]
) -> str:
    padded = (
        column.pad(_fit(cell, width), width) + " " * gap
        for column, width, cell in zip(columns, widths, cells, strict=True)
    )
    return "".join(padded)


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def _columns(steps: Sequence[Step]) -> list[_Column]:
    """Return the columns from left to right, without those that say nothing."""
    days, hours = _dates(steps)
    shown = _decimals(step.public_score for step in steps)
    columns = [
        _Column(header="#", cells=[str(row + 1) for row in range(len(steps))]),
        _Column(header="date", cells=days, rank=5),
        _Column(header="UTC", cells=hours, rank=7),
        _Column(
            header="submission", cells=[_name(step) for step in steps], is_text=True
        ),
        _scores("cv", [step.cv_score for step in steps], rank=4),
        _scores("public", [step.public_score for step in steps]),
        _scores("private", [step.private_score for step in steps], rank=3),
        _Column(
            header="step",
            cells=[
                format_fixed(step.public_gain, decimals=shown, sign=True)
                for step in steps
            ],
            rank=8,
        ),
        *_estimates(steps),
        _Column(
            header="P(gain)",
            cells=[format_probability(step.p_gain) for step in steps],
            rank=1,
        ),
    ]
    return [column for column in columns if not column.says_nothing()]


def _dates(steps: Sequence[Step]) -> tuple[list[str], list[str]]:
    """Return days and times of day; the year is left out where there is only one."""
    texts = [format_time(step.submitted_at) for step in steps]
    years = {text[:4] for text in texts if text != "-"}
    start = 5 if len(years) == 1 else 0
    days = ["-" if text == "-" else text[start:10] for text in texts]
    return days, ["-" if text == "-" else text[11:] for text in texts]


def _scores(header: str, values: Sequence[float | None], *, rank: int = 0) -> _Column:
    decimals = _decimals(values)
    cells = [format_fixed(value, decimals=decimals) for value in values]
    return _Column(header=header, cells=cells, rank=rank)


def _decimals(values: Iterable[float | None]) -> int:
    return decimals_shown(value for value in values if value is not None)


def _estimates(steps: Sequence[Step]) -> list[_Column]:
    """Return true gains and intervals, to the two digits that the width supports."""
    decimals = gain_decimals(
        step.gain_high - step.gain_low
        for step in steps
        if step.gain_high is not None and step.gain_low is not None
    )

    def shown(value: float | None) -> str:
        return format_fixed(value, decimals=decimals, sign=True)

    intervals = [
        "-"
        if step.gain_low is None or step.gain_high is None
        else f"{shown(step.gain_low)} {shown(step.gain_high)}"
        for step in steps
    ]
    return [
        _Column(header="gain", cells=[shown(step.gain) for step in steps], rank=2),
        _Column(header="95% interval", cells=intervals, rank=6),
    ]


def _name(step: Step) -> str:
    return clean_text(step.description or step.file_name or "") or step.submission_id
