"""``lbsense analyze`` and ``step``: a verdict for every submission."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from lbsense import checks
from lbsense._format import clean_text, plural, spreadsheet_safe
from lbsense.analysis import Analysis, Step
from lbsense.checks import EXPLANATIONS, Findings
from lbsense.cli.app import (
    FLAGGED,
    ScreenOptions,
    emit,
    emit_json,
    print_entries,
    tell_doubts,
)
from lbsense.cli.options import (
    AsJson,
    Force,
    HistoryOptions,
    check_target,
    expand_options,
    output_file,
)
from lbsense.cli.options import output as _output
from lbsense.model import History
from lbsense.words import (
    StepColumn,
    advice,
    alone,
    answer,
    climb,
    expectation,
    jumps,
    learning,
    lessons,
    luck,
    next_fact,
    noise,
    notes,
    reading_entries,
    selection,
    step_columns,
    step_told,
    subject,
    tally,
    verdict_label,
)


@expand_options
def analyze(
    history: HistoryOptions,
    screen: ScreenOptions,
    steps: Annotated[
        bool,
        _output("--steps", help="The table of all steps, however long it is."),
    ] = False,
    verbose: Annotated[
        bool,
        _output(
            "--verbose",
            "-v",
            help="The sentence of every step, every finding, every note.",
        ),
    ] = False,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, _output("--csv", help="The steps as CSV on stdout.")
    ] = False,
    output: Annotated[
        Path | None,
        output_file("Write JSON or CSV, as the ending of the name or the flag says."),
    ] = None,
    force: Force = False,
    strict: Annotated[
        bool, _output("--strict", help="Exit 1 if a notice or warning is flagged.")
    ] = False,
) -> None:
    """Say what the climb was worth, whether the last step was real, what to select.

    Then as much of what is behind it as the terminal holds; --steps lists every
    submission with its verdict, --verbose every reason.

    Examples
    --------
      lbsense analyze submissions.csv --metric roc_auc
      lbsense analyze submissions.csv --metric roc_auc --steps
      lbsense analyze page1.csv page2.csv --lower-is-better
      lbsense analyze log.md --metric f1 --columns public_score=LB,cv_score=valid
      lbsense analyze s.csv --metric mae --test-size 20000 --public-fraction 30%
      lbsense analyze s.csv --metric roc_auc --cv-log runs.csv -o steps.json
      lbsense analyze s.csv --metric roc_auc --predictions oof/ --labels train.csv
      kaggle c submissions titanic -v | lbsense analyze - --metric accuracy
    """
    form = _form(as_json, as_csv, output)
    if output is not None:
        check_target(output, history.inputs(), force=force)
    analysis, predictions = history.analysis(quiet=True)
    findings = checks.run_checks(analysis, predictions)
    if form is None:
        print_analysis(
            analysis, findings, screen.console(), verbose=verbose, steps=steps
        )
    else:
        tell_doubts(analysis.history)
        write = _json_text if form == "json" else _csv_text
        emit(write(analysis, findings), output)
    if strict and any(item.severity != "info" for item in findings.flagged):
        raise typer.Exit(FLAGGED)


def _form(as_json: bool, as_csv: bool, output: Path | None) -> str | None:
    """Return which machine form is wanted, or None for the view."""
    if as_json and as_csv:
        msg = "--json and --csv exclude each other."
        raise ValueError(msg)
    form = "json" if as_json else "csv" if as_csv else None
    if output is None:
        return form
    form = form or {".json": "json", ".csv": "csv"}.get(output.suffix.lower())
    if form is None:
        msg = f"--output: is {output} to be JSON or CSV? Add --json or --csv."
        raise ValueError(msg)
    return form


def _json_text(analysis: Analysis, findings: Findings) -> str:
    content = {**analysis.to_dict(), "findings": findings.to_list()}
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _csv_text(analysis: Analysis, _: Findings) -> str:
    """Return the step table with texts on one line, none of which is a formula."""
    frame = analysis.to_frame()
    for name in frame.columns:
        texts = [isinstance(cell, str) for cell in frame[name]]
        if any(texts):
            cells = [
                spreadsheet_safe(clean_text(cell)) if is_text else None
                for cell, is_text in zip(frame[name], texts, strict=True)
            ]
            frame[name] = cells
    return frame.to_csv(index=False, lineterminator="\n")


_MOST_NAMED = 5


@expand_options
def step(
    submission: Annotated[
        str,
        typer.Argument(
            metavar="SUBMISSION",
            help="Its number (34), identifier, file, part of its name, or: last.",
        ),
    ],
    history: HistoryOptions,
    screen: ScreenOptions,
    as_json: AsJson = False,
) -> None:
    """Tell one step in full: its verdict, the evidence, and what to expect of it.

    Examples
    --------
      lbsense step 7 submissions.csv --metric roc_auc
      lbsense step last submissions.csv --metric rmse
      lbsense step "seed average" s.csv --metric f1 --json
    """
    analysis, _ = history.analysis()
    index = find_step(analysis, submission)
    chosen = analysis.steps[index]
    if as_json:
        content = {"schema": 1, "number": index + 1, **chosen.to_dict()}
        emit_json(content)
        return
    console = screen.console()
    title = f"#{index + 1} {clean_text(chosen.name)}"
    console.print(Text(title, "bold"))
    told = list(step_told(analysis, index))
    if chosen.verdict == "unknown":
        told.append(("Missing", next_fact(analysis, "terminal")))
    print_entries(console, told)


def find_step(analysis: Analysis, given: str) -> int:
    """Return the place of the one submission that is meant."""
    steps = analysis.steps
    wanted = clean_text(given).lower()
    if not steps:
        msg = "The history is empty: there is no step to tell."
        raise ValueError(msg)
    if wanted == "last":
        return max(
            (i for i, item in enumerate(steps) if item.public_score is not None),
            default=len(steps) - 1,
        )
    exact = [
        i
        for i, item in enumerate(steps)
        if wanted in (item.submission_id.lower(), (item.file_name or "").lower())
    ]
    if len(exact) == 1:
        return exact[0]
    number = wanted.removeprefix("#")
    if number.isdecimal() and 1 <= int(number) <= len(steps):
        return int(number) - 1
    named = exact or [
        i for i, item in enumerate(steps) if wanted in clean_text(item.name).lower()
    ]
    if len(named) == 1:
        return named[0]
    if named:
        some = ", ".join(f"#{i + 1} {steps[i].short_name}" for i in named[:_MOST_NAMED])
        more = (
            "" if len(named) <= _MOST_NAMED else f" and {len(named) - _MOST_NAMED} more"
        )
        msg = f"{given!r} could be {some}{more}: give the number."
    else:
        msg = (
            f"There is no submission {given!r}. Give a number from 1 to {len(steps)}, "
            "an identifier, a file or part of a name (`lbsense analyze --steps` lists "
            "them)."
        )
    raise ValueError(msg)


_TELLING = frozenset({"progress", "chasing", "setback", "probe"})
_MOST_SENTENCES = 12
_MOST_ISSUES = 5
_LINES = 24  # of a terminal, where none tells its own
_HINT_LINES = 4
_MOST_BRIEF = 3  # rows or cells that were not understood


def print_analysis(
    analysis: Analysis,
    findings: Findings,
    console: Console,
    *,
    verbose: bool = False,
    steps: bool = False,
) -> None:
    """Print the answer, then as much of what is behind it as the terminal holds.

    What does not fit is asked for by ``steps`` or ``verbose``; the answer then stands
    at the end once more, where the eye is.

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
    steps : bool
        Whether to show the table of the steps however long it is.
    """

    def caught(show: Callable[[], None]) -> str:
        with console.capture() as capture:
            show()
        return capture.get()

    height = _height(console)
    lead = caught(lambda: _print_answer(analysis, console))
    about = caught(lambda: _print_subject(analysis, console))
    about += caught(lambda: _print_learning(analysis, console))
    details = caught(lambda: _print_details(analysis, findings, console, verbose))
    brief = caught(lambda: _print_brief(analysis.history, findings, console))
    table = why = ""
    if analysis.steps:
        table = caught(lambda: _print_steps(analysis, console))
        why = caught(lambda: _print_sentences(analysis.steps, console, verbose=verbose))
    parts = [about, brief]
    if verbose:
        parts = [about, details, table, why]
    elif steps:
        parts = [about, brief, table, why]
    else:
        for more in ([about, details, table, why], [about, brief, table]):
            if "".join([lead, *more]).count("\n") + _HINT_LINES <= height:
                parts = more
                break
    text = "".join([lead, "\n", *parts])
    if not verbose:
        text += caught(
            lambda: _print_hint(analysis, findings, table not in parts, console)
        )
    if text.count("\n") > height:
        text += f"\n{lead}"
    console.file.write(text)


def _height(console: Console) -> int:
    """Return the lines that are seen at once; 24 where no terminal tells its own."""
    known = console.is_terminal or os.environ.get("LINES", "").isdecimal()
    return console.height if known else _LINES


def _print_answer(analysis: Analysis, console: Console) -> None:
    for number, told in enumerate(answer(analysis, "terminal", console.width)):
        console.print(Text(clean_text(told), "" if number else "bold"))


def _print_subject(analysis: Analysis, console: Console) -> None:
    slug = clean_text(analysis.history.competition.slug or "")
    what = [slug, *subject(analysis.history)] if slug else subject(analysis.history)
    console.print(Text(" | ".join(what), "dim"))
    console.print(Text(clean_text(tally(analysis)), "dim"))
    for label, told in reading_entries(analysis.history):
        console.print(Text(clean_text(f"{label}: {told}"), "dim"))
    console.print()


def _print_learning(analysis: Analysis, console: Console) -> None:
    """Print what was learned from what was tried: a ledger asks for it."""
    tried = [("-", text) for text in learning(analysis)]
    print_entries(console, tried, title="What was tried, and what was learned")


def _print_hint(
    analysis: Analysis, findings: Findings, hidden: bool, console: Console
) -> None:
    more = ["--verbose"]
    if hidden and analysis.steps:
        more.insert(0, f"--steps ({len(analysis.steps)})")
    if analysis.steps:
        more.append("`lbsense step N FILE`")
    if code := next((c for c, _, _ in _codes(analysis.history, findings)), None):
        more.append(f"`lbsense explain {code}`")
    console.print(Text(f"More: {', '.join(more)}.", "dim"))


def _codes(history: History, findings: Findings) -> list[tuple[str, str, str]]:
    """Return code, title and colour of each warning and finding, once."""
    codes = [
        (item.code, EXPLANATIONS[item.code].title, "yellow")
        for item in history.warnings
        if item.code in EXPLANATIONS
    ]
    codes += [(item.code, item.title, "red") for item in findings.flagged]
    return list(dict.fromkeys(codes))


def _print_brief(history: History, findings: Findings, console: Console) -> None:
    """Print one line for each warning and finding."""
    if history.dropped:
        count = plural(len(history.dropped), "row or cell", "rows or cells")
        console.print(Text(f"{count} not understood:", "yellow"))
        for issue in history.dropped[:_MOST_BRIEF]:
            line = _fit(clean_text(str(issue)), console.width)
            console.print(Text(line), soft_wrap=True)
    codes = _codes(history, findings)
    for code, title, style in codes:
        line = _fit(f"{code}  {title}", console.width)
        console.print(Text(line, style), soft_wrap=True)
    if codes or history.dropped:
        console.print()


def _print_details(
    analysis: Analysis, findings: Findings, console: Console, verbose: bool
) -> None:
    print_entries(
        console,
        [
            ("Evidence", f"{analysis.evidence}."),
            ("Noise", " ".join([*noise(analysis), *luck(analysis)])),
            *(("Climb", text) for text in (*climb(analysis), *jumps(analysis))),
            *(("Expect", text) for text in expectation(analysis)),
            *(("Rows", text) for text in alone(analysis)),
            *(("Select", text) for text in selection(analysis)),
        ],
    )
    _print_doubts(analysis.history, console, verbose=verbose)
    _print_findings(findings, console, verbose=verbose)
    told = [*lessons(analysis, "terminal"), *advice(analysis)]
    print_entries(console, [("-", text) for text in told], title="After the end")
    if verbose:
        wanted = {"Missing": next_fact(analysis, "terminal")}
        every = {**wanted, **notes(analysis, "terminal")}
        print_entries(console, every.items(), title="Notes")


def _print_doubts(history: History, console: Console, *, verbose: bool) -> None:
    """Print what weakens the data: warnings, and every row that was not understood."""
    warnings = [(item.code, item.message) for item in history.warnings]
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
    kinds = Counter((step.verdict, verdict_label(step)) for step in analysis.steps)
    for number, ((verdict, label), count) in enumerate(kinds.most_common()):
        tally.append(", " if number else "")
        tally.append_text(verdict_text(verdict, f"{count} {label}"))
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
        [
            (f"#{number}", f"{verdict_label(step)}: {step.sentence}")
            for number, step in shown
        ],
        title=title,
    )
    if len(shown) < len(steps):
        hint = f"{len(shown)} of {len(steps)} reasons; --verbose gives all."
        console.print(Text(hint, "dim"))


def _most_telling(numbered: list[tuple[int, Step]]) -> list[tuple[int, Step]]:
    scored = [row for row in numbered if row[1].verdict != "unscored"] or numbered
    telling = [row for row in scored[:-1] if row[1].verdict in _TELLING]
    # The latest of the rarer kinds come first: setbacks are many and seldom news.
    telling.sort(key=lambda row: (row[1].aside, row[1].verdict == "setback", -row[0]))
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
    "baseline": ("o", "dim"),
    "unknown": ("?", "dim"),
}
_WIDE = 100  # columns from which there is room for air between them
_SHORTEST_NAME = 12


_KEYS = (
    "number",
    "date",
    "time",
    "name",
    "cv",
    "public",
    "private",
    "step",
    "gain",
    "interval",
    "p_gain",
    "rows",
    "later",
    "outcome",
)
#: What gives way where there is no room, the first one first.
_GIVES_WAY = (
    "step",
    "time",
    "interval",
    "date",
    "later",
    "cv",
    "rows",
    "private",
    "gain",
    "outcome",
    "p_gain",
)


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
    columns = step_columns(steps, _KEYS)
    gap = 2 if width >= _WIDE else 1
    hidden = []
    for key in _GIVES_WAY:
        if _room_for_name(steps, columns, width, gap) >= _SHORTEST_NAME:
            break
        hidden += [column.heading for column in columns if column.key == key]
        columns = [column for column in columns if column.key != key]
    room = max(_SHORTEST_NAME, _room_for_name(steps, columns, width, gap))
    widths = [
        min(_width(column), room) if column.key == "name" else _width(column)
        for column in columns
    ]
    header = _line(columns, widths, gap, [column.heading for column in columns])
    verdict_width = max(len(verdict_label(step)) for step in steps) + 2
    rule = "-" * (cell_len(header) + verdict_width)
    lines = [Text(f"{header}Verdict", "bold"), Text(rule, "dim")]
    for row, step in enumerate(steps):
        cells = [column.cells[row] for column in columns]
        lines.append(
            Text(_line(columns, widths, gap, cells))
            + verdict_text(step.verdict, verdict_label(step))
        )
    return lines, hidden


def _room_for_name(
    steps: Sequence[Step], columns: Sequence[StepColumn], width: int, gap: int
) -> int:
    longest_verdict = 2 + max(8, *(len(verdict_label(step)) for step in steps))
    others = (_width(column) + gap for column in columns if column.key != "name")
    return width - sum(others) - gap - longest_verdict


def _line(
    columns: Sequence[StepColumn], widths: Sequence[int], gap: int, cells: Sequence[str]
) -> str:
    padded = (
        _pad(_fit(cell, width), width, column.numeric) + " " * gap
        for column, width, cell in zip(columns, widths, cells, strict=True)
    )
    return "".join(padded)


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def _pad(text: str, width: int, numeric: bool) -> str:
    if numeric:
        return " " * (width - cell_len(text)) + text
    return set_cell_size(text, width)


def _width(column: StepColumn) -> int:
    return max(cell_len(text) for text in (column.heading, *column.cells))
