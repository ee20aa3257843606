"""An analysis as people read it in a terminal: the answer first, then the steps."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from lbsense._format import clean_text, plural
from lbsense.analysis import Analysis, Step
from lbsense.checks import Findings
from lbsense.cli._entries import print_entries
from lbsense.cli._step_table import step_table, verdict_text
from lbsense.cli._wording import as_options
from lbsense.model import History

__all__ = ["print_analysis"]

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
