"""A history as people read it in a terminal: the answer first, then what is behind it.

It stands apart so that the commands, and what they say of themselves, need not load it.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from lbsense import words
from lbsense._format import (
    clean_text,
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense.analysis import Analysis, Step
from lbsense.checks import EXPLANATIONS, Findings
from lbsense.cli.app import plain_table, print_entries
from lbsense.model import History

if TYPE_CHECKING:
    from lbsense._result import Missing
    from lbsense.analysis import GateResult, PlanResult
    from lbsense.facts import Facts
    from lbsense.stats import MedalPickResult, PairResult

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
    for number, told in enumerate(words.answer(analysis, "terminal", console.width)):
        console.print(Text(clean_text(told), "" if number else "bold"))


def _print_subject(analysis: Analysis, console: Console) -> None:
    slug = clean_text(analysis.history.competition.slug or "")
    what = (
        [slug, *words.subject(analysis.history)]
        if slug
        else words.subject(analysis.history)
    )
    console.print(Text(" | ".join(what), "dim"))
    console.print(Text(clean_text(words.tally(analysis)), "dim"))
    for label, told in words.reading_entries(analysis.history):
        console.print(Text(clean_text(f"{label}: {told}"), "dim"))
    console.print()


def _print_learning(analysis: Analysis, console: Console) -> None:
    """Print what was learned from what was tried: a ledger asks for it."""
    tried = [("-", text) for text in words.learning(analysis)]
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
    # After the end the lessons tell what would have been selected, and what it scored.
    picked = [] if analysis.retrospective else words.selection(analysis)
    print_entries(
        console,
        [
            ("Evidence", f"{analysis.evidence}."),
            ("Noise", " ".join([*words.noise(analysis), *words.luck(analysis)])),
            *(
                ("Climb", text)
                for text in (*words.climb(analysis), *words.jumps(analysis))
            ),
            *(("Expect", text) for text in words.expectation(analysis)),
            *(("Rows", text) for text in words.alone(analysis)),
            *(("Pick", text) for text in picked),
        ],
    )
    _print_doubts(analysis.history, console, verbose=verbose)
    _print_findings(findings, console, verbose=verbose)
    told = [*words.lessons(analysis, "terminal"), *words.advice(analysis)]
    print_entries(console, [("-", text) for text in told], title="After the end")
    if verbose:
        wanted = {"Missing": words.next_fact(analysis, "terminal")}
        every = {**wanted, **words.notes(analysis, "terminal")}
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
    kinds = Counter(
        (step.verdict, words.verdict_label(step)) for step in analysis.steps
    )
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
            (f"#{number}", f"{words.verdict_label(step)}: {step.sentence}")
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
    *("number", "date", "time", "name", "cv", "public", "private"),
    *("step", "gain", "interval", "p_gain", "rows", "later", "outcome"),
)
#: What gives way where there is no room, the first one first.
_GIVES_WAY = (
    *("step", "time", "interval", "date", "later", "cv"),
    *("rows", "private", "gain", "outcome", "p_gain"),
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
    columns = words.step_columns(steps, _KEYS)
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
    verdict_width = max(len(words.verdict_label(step)) for step in steps) + 2
    rule = "-" * (cell_len(header) + verdict_width)
    lines = [Text(f"{header}Verdict", "bold"), Text(rule, "dim")]
    for row, step in enumerate(steps):
        cells = [column.cells[row] for column in columns]
        lines.append(
            Text(_line(columns, widths, gap, cells))
            + verdict_text(step.verdict, words.verdict_label(step))
        )
    return lines, hidden


def _room_for_name(
    steps: Sequence[Step], columns: Sequence[words.StepColumn], width: int, gap: int
) -> int:
    longest_verdict = 2 + max(8, *(len(words.verdict_label(step)) for step in steps))
    others = (_width(column) + gap for column in columns if column.key != "name")
    return width - sum(others) - gap - longest_verdict


def _line(
    columns: Sequence[words.StepColumn],
    widths: Sequence[int],
    gap: int,
    cells: Sequence[str],
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


def _width(column: words.StepColumn) -> int:
    return max(cell_len(text) for text in (column.heading, *column.cells))


def print_step(analysis: Analysis, index: int, console: Console) -> None:
    """Print one step in full."""
    chosen = analysis.steps[index]
    title = f"#{index + 1} {clean_text(chosen.name)}"
    console.print(Text(title, "bold"))
    told = list(words.step_told(analysis, index))
    if chosen.verdict == "unknown":
        told.append(("Missing", words.next_fact(analysis, "terminal")))
    print_entries(console, told)


_ANSWERS = {
    "spend": ("Worth a submission.", "bold green"),
    "keep": ("Not worth a submission.", "bold yellow"),
    "unknown": ("Not knowable.", "bold"),
}


def print_gate(result: GateResult, facts: Facts, console: Console) -> None:
    """Print whether a submission is worth spending."""
    console.print(Text(*_ANSWERS[result.decision]))
    entries = words.gate_told(result, facts, "terminal")
    if result.decision == "unknown":
        entries.append(("Missing", words.next_fact(facts, "terminal")))
    print_entries(console, entries)


def print_plan(found: PlanResult, facts: Facts, console: Console) -> None:
    """Print which candidate comes first, and what would settle which is better."""
    if not found.names:
        text = "No candidate: give --candidate NAME=CV, or rows with CV alone."
        console.print(Text(text, "bold" if found.settle is None else "dim"))
    elif found.gates[0].missing is not None:
        console.print(Text("Not knowable.", "bold"))
        told = words.why_no_gate(found.gates[0].missing, "terminal")
        wanted = words.next_fact(facts, "terminal")
        print_entries(console, [("Why", told), ("Missing", wanted)])
    else:
        _print_order(found, facts, console)
    if found.settle is not None:
        title = f"{found.settle.first} or {found.settle.second}?"
        print_entries(console, words.settle_told(found.settle), title=title)


def _print_order(found: PlanResult, facts: Facts, console: Console) -> None:
    spent = [
        name
        for name, gate in zip(found.names, found.gates, strict=True)
        if gate.decision == "spend"
    ]
    first = f"Send {spent[0]} first." if spent else "Send none of them."
    console.print(Text(first, "bold green" if spent else "bold yellow"))
    console.print()
    headings = ("candidate", "score", "over", "expected gain", "95%", "P(gain)")
    table, board = plain_table(*headings, "worth", ""), words.Board(facts.history)
    numbers = {step.submission_id: at for at, step in enumerate(facts.steps)}
    for name, gate in zip(found.names, found.gates, strict=True):
        table.add_row(
            Text(shorten(name, 40)),
            format_number(gate.cv_score),
            Text(words.named(facts, numbers[gate.best_id], 0) if gate.best_id else "-"),
            format_gain(gate.gain),
            f"{format_gain(gate.gain_low)} to {format_gain(gate.gain_high)}",
            format_probability(gate.p_gain),
            board.cost(gate.value),
            gate.decision,
        )
    console.print(table)
    told = "worth: true gain expected of who sends it and takes what then looks better."
    if found.n_left is not None:
        told += f" Left: {found.n_left}."
    console.print(Text(told, "dim"))
    console.print()


_SHORT, _LONG, _ROOMY = 16, 40, 110  # characters of a name, columns of a terminal


def print_picks(
    analysis: Analysis, medal: MedalPickResult | Missing | None, console: Console
) -> None:
    """Print what to select, by what is expected or for a medal too."""
    picks = analysis.picks
    if picks and analysis.retrospective:
        told = words.answer(analysis, "terminal").select
        console.print(Text(clean_text(told), "bold"))
        console.print(Text("Below: what could be known before the end.", "dim"))
        console.print()
    if picks:
        for told in words.selection(analysis):
            console.print(Text(clean_text(told), "bold"))
        console.print()
        _print_chosen(analysis, console)
        _print_rules(analysis, (picks.best, *picks.rules), console)
        print_entries(console, _advice(analysis))
    else:
        console.print(Text("Not knowable which two to select.", "bold"))
        why = words.why_no_picks(analysis, "terminal")
        wanted = words.next_fact(analysis, "terminal")
        print_entries(console, [("Why", why), ("Missing", wanted)])
    if medal is not None:
        print_entries(console, words.medal_told(analysis, medal, "terminal"))


def _medal_content(
    analysis: Analysis, medal: MedalPickResult | Missing
) -> dict[str, Any] | None:
    if not medal:
        return None
    return {
        "submissions": [
            analysis.steps[index].submission_id for index in medal.positions
        ],
        "medal": medal.medal,
        "chance": medal.chance,
        "chance_of_pair": medal.chance_of_rule,
        "p_gold": medal.chances[0],
        "p_silver": medal.chances[1],
        "p_bronze": medal.chances[2],
    }


def _chosen(analysis: Analysis) -> list[tuple[int, float]]:
    """Return the positions to select, each with its chance to be the best of them."""
    picks = analysis.picks
    if not picks:
        return []
    if picks.chosen:
        return list(zip(picks.chosen, picks.p_best, strict=True))
    taken = picks.best.positions[: analysis.history.competition.n_selections]
    return [(place, 1.0 if len(taken) == 1 else math.nan) for place in taken]


def _print_chosen(analysis: Analysis, console: Console) -> None:
    headings = ["select", "what", "CV", "public"]
    if analysis.outlook:
        headings += ["private, 80% band", "to the first, 80%", "better one"]
    table, board = plain_table(*headings), words.Board(analysis.history)
    wide = _LONG if console.width >= _ROOMY or not analysis.outlook else _SHORT
    for entry in _entries(analysis):
        cells = [
            entry["submission_id"],
            shorten(entry["name"], wide),
            format_number(entry["cv_score"]),
            format_number(entry["public_score"]),
        ]
        if analysis.outlook:
            cells.append(board.band(entry["low80"], entry["high80"]))
            cells.append(_apart(entry["to_first"]))
            cells.append(format_probability(entry["p_better"]))
        table.add_row(*cells)
    console.print(table)
    console.print()


def _apart(to_first: dict[str, float] | None) -> str:
    if to_first is None:
        return "-"
    low, high = format_gain(to_first["low80"]), format_gain(to_first["high80"])
    return f"{low} to {high}"


def _print_rules(
    analysis: Analysis, pairs: tuple[PairResult, ...], console: Console
) -> None:
    if analysis.picks and analysis.picks.basis != "levels":
        return
    board = words.Board(analysis.history)
    table = plain_table("rule", "pair", "costs", "regret", "holds the best")
    for pair in pairs:
        names = (words.named(analysis, index, _SHORT) for index in pair.positions)
        table.add_row(
            pair.rule,
            ", ".join(names),
            board.cost(pair.cost),
            board.cost(pair.regret),
            format_probability(pair.p_holds_best),
        )
    console.print(table)
    console.print(
        Text(
            "costs: expected private score lost against the first row. regret: against "
            "knowing the private scores.",
            "dim",
        )
    )
    console.print()


def _advice(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what would change the pick, and what happens to those who do not pick."""
    entries = [("Next best", text) for text in words.runner_up(analysis)]
    entries += [("Apart", text) for text in words.differences(analysis)]
    if (analysis.history.competition.n_selections or 2) == 2:
        entries += [("Deadline", text) for text in words.default_trap(analysis)]
    weak = analysis.picks and analysis.picks.basis != "levels"
    if weak or analysis.level in ("A", "A+"):
        entries.append(("Missing", words.next_fact(analysis, "terminal")))
    return entries


def pick_content(
    analysis: Analysis, medal: MedalPickResult | Missing | None = None
) -> dict[str, Any]:
    """Return what `lbsense pick --json` prints."""
    picks = analysis.picks
    content: dict[str, Any] = {"schema": 1, "level": analysis.level}
    told = {} if medal is None else {"medal": _medal_content(analysis, medal)}
    if not picks:
        reason = words.why_no_picks(analysis, "python")
        return content | {"pair": None, "reason": reason} | told
    return (
        content
        | told
        | {
            "pair": _entries(analysis),
            "basis": picks.basis,
            "why": words.pick_basis(analysis),
            "expected_score": _number(picks.best.expected_score),
            "regret": _number(picks.best.regret),
            "p_holds_best": _number(picks.best.p_holds_best),
            "runner_up": None
            if picks.runner_up is None
            else _rule(analysis, picks.runner_up),
            "rules": [_rule(analysis, pair) for pair in picks.rules],
            "n_candidates": picks.n_obs,
        }
    )


def _rule(analysis: Analysis, pair: PairResult) -> dict[str, Any]:
    return {
        "rule": pair.rule,
        "submissions": [
            analysis.steps[index].submission_id for index in pair.positions
        ],
        "expected_score": _number(pair.expected_score),
        "cost": _number(max(pair.cost, 0.0)),
        "regret": _number(pair.regret),
        "p_holds_best": _number(pair.p_holds_best),
    }


def _entries(analysis: Analysis) -> list[dict[str, Any]]:
    """Return what to select with what to expect of it, raw scores throughout."""
    outlook = analysis.outlook
    entries: list[dict[str, Any]] = []
    for index, chance in _chosen(analysis):
        step = analysis.steps[index]
        entry: dict[str, Any] = {
            "submission_id": step.submission_id,
            "name": step.name,
            "file_name": step.file_name,
            "description": step.description,
            "public_score": step.public_score,
            "cv_score": step.cv_score,
            "p_better": _number(chance),
            "expected_score": _number(outlook.mean[index]) if outlook else None,
        }
        for level in ("80", "95"):
            for end in ("low", "high"):
                band = getattr(outlook, f"ci{level}_{end}", None)
                entry[f"{end}{level}"] = None if band is None else _number(band[index])
        entry["to_first"] = _to_first(analysis, index) if entries else None
        entries.append(entry)
    return entries


def _to_first(analysis: Analysis, index: int) -> dict[str, float] | None:
    """Return the band of a private score against that of the first of the pair."""
    bands = analysis.outlook.to_pick if analysis.outlook else None
    if bands is None:
        return None
    return {
        "expected": float(bands.mean[index]),
        "low80": float(bands.ci80_low[index]),
        "high80": float(bands.ci80_high[index]),
        "low95": float(bands.ci95_low[index]),
        "high95": float(bands.ci95_high[index]),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
