"""An analysis as people read it in a terminal: the answer first, then the steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_probability,
    format_time,
    gain_decimals,
    plural,
)
from lbsense.analysis import Analysis, Step
from lbsense.checks import Findings
from lbsense.cli.console import print_entries
from lbsense.cli.wording import as_options
from lbsense.model import History

__all__ = ["print_analysis", "step_table", "verdict_text"]

_TELLING = frozenset({"progress", "chasing", "setback", "probe"})
_MOST_SENTENCES = 12
_MOST_ISSUES = 5


def print_analysis(
    analysis: Analysis, findings: Findings, console: Console, *, verbose: bool
) -> None:
    """Print the answer, what weakens it, every step, and the reasons.

    Parameters
    ----------
    analysis : Analysis
        What to show.
    findings : Findings
        What the checks found in it.
    console : Console
        Where to print.
    verbose : bool
        Whether to add the sentence of every step and what was not flagged.
    """
    _print_answer(analysis, console)
    _print_doubts(analysis.history, console, verbose=verbose)
    _print_findings(findings, console, verbose=verbose)
    if analysis.retrospective is not None:
        told = [("-", as_options(text)) for text in analysis.retrospective.sentences]
        print_entries(console, told, title="After the end")
    if analysis.steps:
        _print_steps(analysis, console)
        _print_sentences(analysis.steps, console, verbose=verbose)
    if verbose:
        notes = [(key, as_options(text)) for key, text in analysis.notes.items()]
        print_entries(console, notes, title="Notes")


def _print_answer(analysis: Analysis, console: Console) -> None:
    console.print(Text(_subject(analysis.history), "dim"))
    console.print(Text(clean_text(analysis.headline), "bold"))
    console.print()
    print_entries(
        console,
        [
            ("Evidence", f"{analysis.evidence}."),
            ("Would help", as_options(analysis.next_fact)),
        ],
    )


def _subject(history: History) -> str:
    """Return one line on what was read: the competition, its metric and the period."""
    competition = history.competition
    parts = [competition.slug, competition.platform]
    if competition.metric or competition.greater_is_better is not None:
        told = [competition.metric, competition.better]
        parts.append(", ".join(part for part in told if part))
    parts.append(plural(len(history), "submission"))
    parts.append(history.period)
    return clean_text(" | ".join(part for part in parts if part))


def _print_doubts(history: History, console: Console, *, verbose: bool) -> None:
    """Print what weakens the data: warnings, and every row that was not understood."""
    warnings = [(item.code, as_options(item.message)) for item in history.warnings]
    print_entries(console, warnings, title="Warnings", style="yellow")
    shown = history.dropped if verbose else history.dropped[:_MOST_ISSUES]
    entries = [("", str(issue)) for issue in shown]
    if len(shown) < len(history.dropped):
        more = len(history.dropped) - len(shown)
        entries.append(("", f"... and {more} more: --verbose shows them."))
    title = f"Not understood ({len(history.dropped)})"
    print_entries(console, entries, title=title, style="yellow")


def _print_findings(findings: Findings, console: Console, *, verbose: bool) -> None:
    flagged = [
        (item.code, f"{item.title}. {item.message}") for item in findings.flagged
    ]
    print_entries(console, flagged, title="Findings", style="red")
    if verbose:
        quiet = [
            (item.code, f"{item.title}: {_words(item.status)}. {item.message}")
            for item in findings
            if item.status != "flagged"
        ]
        print_entries(console, quiet, title="Not flagged")


def _words(status: str) -> str:
    return "no" if status == "passed" else status.replace("_", " ")


def _print_steps(analysis: Analysis, console: Console) -> None:
    lines, hidden = step_table(analysis.steps, console.width)
    for line in lines:
        console.print(line, soft_wrap=True)
    if hidden:
        headers = ", ".join(reversed(hidden))
        console.print(Text(f"Too narrow for: {headers} (--width).", "dim"))
    tally = Text("Verdicts: ")
    for number, (verdict, count) in enumerate(analysis.counts().items()):
        tally.append(", " if number else "")
        tally.append_text(verdict_text(verdict, f"{count} {verdict}"))
    console.print()
    console.print(tally)
    console.print()


def _print_sentences(steps: Sequence[Step], console: Console, *, verbose: bool) -> None:
    """Print the reason of every step, or of those that tell most and the latest one."""
    numbered = list(enumerate(steps, start=1))
    shown, title = numbered, "Why"
    if not verbose:
        shown = _most_telling(numbered)
        title = "Why (the steps that tell most, and the latest)"
    print_entries(
        console,
        [(f"#{number}", f"{step.verdict}: {step.sentence}") for number, step in shown],
        title=title,
    )
    if len(shown) < len(steps):
        hint = f"{len(shown)} of {len(steps)} reasons; --verbose gives all."
        console.print(Text(hint, "dim"))


def _most_telling(numbered: list[tuple[int, Step]]) -> list[tuple[int, Step]]:
    scored = [row for row in numbered if row[1].verdict != "unscored"] or numbered
    telling = [row for row in scored[:-1] if row[1].verdict in _TELLING]
    # The latest of the rarer kinds come first: setbacks are many and seldom news.
    telling.sort(key=lambda row: (row[1].verdict == "setback", -row[0]))
    return sorted([*telling[: _MOST_SENTENCES - 1], scored[-1]], key=lambda row: row[0])


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
