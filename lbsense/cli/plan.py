"""``lbsense plan``: which candidate to send first, and what would settle two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from lbsense._format import format_gain, format_number, format_probability, shorten
from lbsense.cli.console import (
    NOT_KNOWABLE,
    ScreenOptions,
    emit_json,
    plain_table,
    print_entries,
    tell_doubts,
    working,
)
from lbsense.cli.gate import Daily, Left, left_of, parse_score
from lbsense.cli.options import (
    AsJson,
    HistoryOptions,
    PredictionOptions,
    StepNoise,
    expand_options,
)
from lbsense.words import Board, named, next_fact, settle_told, why_no_gate

if TYPE_CHECKING:
    from lbsense.analysis import PlanResult
    from lbsense.facts import Facts


def parse_candidates(given: list[str] | None) -> dict[str, float] | None:
    """Return name -> CV score, from ``NAME=SCORE``; None where there are none."""
    found: dict[str, float] = {}
    for item in given or ():
        name, told, score = item.rpartition("=")
        name = name.strip()
        if not told or not name:
            msg = f"--candidate: {item!r} is not NAME=SCORE, such as lgbm=0.8123."
            raise typer.BadParameter(msg)
        if name in found:
            msg = f"--candidate: {name} is given twice."
            raise typer.BadParameter(msg)
        found[name] = parse_score(score)
    return found or None


def parse_two(text: str) -> tuple[str, str]:
    """Return the two that are to be settled."""
    first, told, second = (part.strip() for part in text.rpartition(","))
    if not (told and first and second) or first == second:
        msg = f"--settle: {text!r} is not two names, such as lgbm,blend."
        raise typer.BadParameter(msg)
    return first, second


@expand_options
def plan(
    history: HistoryOptions,
    screen: ScreenOptions,
    rows: PredictionOptions,
    candidate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CV",
            help="A candidate and its CV score; by default the rows of the file with "
            "a CV score and no public one.",
        ),
    ] = None,
    settle: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Two candidates or submissions: what would settle which is better?",
        ),
    ] = None,
    at_least: Annotated[
        float,
        typer.Option(
            metavar="P", help="Probability of a true gain that makes it worth it."
        ),
    ] = 0.5,
    left: Left = None,
    daily: Daily = None,
    step_noise: StepNoise = None,
    as_json: AsJson = False,
) -> None:
    """Say which candidate to send first, and what settles which of two is better.

    Exit codes: 0 done, 2 bad usage or input, 3 not knowable.

    Examples
    --------
      lbsense plan submissions.csv --metric roc_auc
      lbsense plan s.csv --metric auc --candidate lgbm=0.8123 --candidate blend=0.8127
      lbsense plan s.csv --metric auc --settle 51562261,51534338 --train-size 20000
      lbsense plan s.csv --metric rmse --daily 5 --json
    """
    observed = history.read()
    tell_doubts(observed)
    predictions = rows.read(observed)
    with working("Analysing ..."):
        from lbsense.analysis import footing
        from lbsense.analysis import plan as order

        facts = footing(observed, predictions, step_noise=step_noise)
        found = order(
            facts,
            parse_candidates(candidate),
            settle=None if settle is None else parse_two(settle),
            at_least=at_least,
            n_left=left_of(observed, left, daily),
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        _show(found, facts, screen.console())
    known = any(gate.missing is None for gate in found.gates)
    if not known and found.settle is None:
        raise typer.Exit(NOT_KNOWABLE)


def _show(found: PlanResult, facts: Facts, console: Console) -> None:
    if not found.names:
        text = "No candidate: give --candidate NAME=CV, or rows with CV alone."
        console.print(Text(text, "bold" if found.settle is None else "dim"))
    elif found.gates[0].missing is not None:
        console.print(Text("Not knowable.", "bold"))
        told = why_no_gate(found.gates[0].missing, "terminal")
        wanted = next_fact(facts, "terminal")
        print_entries(console, [("Why", told), ("Missing", wanted)])
    else:
        _show_order(found, facts, console)
    if found.settle is not None:
        title = f"{found.settle.first} or {found.settle.second}?"
        print_entries(console, settle_told(found.settle), title=title)


def _show_order(found: PlanResult, facts: Facts, console: Console) -> None:
    spent = [
        name
        for name, gate in zip(found.names, found.gates, strict=True)
        if gate.decision == "spend"
    ]
    first = f"Send {spent[0]} first." if spent else "Send none of them."
    console.print(Text(first, "bold green" if spent else "bold yellow"))
    console.print()
    headings = ("candidate", "score", "over", "expected gain", "95%", "P(gain)")
    table, board = plain_table(*headings, "worth", ""), Board(facts.history)
    numbers = {step.submission_id: at for at, step in enumerate(facts.steps)}
    for name, gate in zip(found.names, found.gates, strict=True):
        table.add_row(
            Text(shorten(name, 40)),
            format_number(gate.cv_score),
            Text(named(facts, numbers[gate.best_id], 0) if gate.best_id else "-"),
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
