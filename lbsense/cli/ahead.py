"""What comes next: is a submission worth spending, which first, which two to select."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.console import Console
from rich.text import Text

from lbsense._format import (
    clean_text,
    format_gain,
    format_number,
    format_probability,
    shorten,
)
from lbsense.cli.app import (
    NOT_KNOWABLE,
    ScreenOptions,
    emit_json,
    plain_table,
    print_entries,
    working,
)
from lbsense.cli.board import BoardOptions
from lbsense.cli.options import (
    AsJson,
    HistoryOptions,
    expand_options,
)
from lbsense.words import (
    Board,
    default_trap,
    differences,
    gate_told,
    medal_told,
    named,
    next_fact,
    pick_basis,
    runner_up,
    selection,
    settle_told,
    why_no_gate,
    why_no_picks,
)

if TYPE_CHECKING:
    from lbsense._result import Missing
    from lbsense.analysis import Analysis, GateResult, PlanResult
    from lbsense.facts import Facts
    from lbsense.model import History
    from lbsense.stats import MedalPickResult, PairResult

_EXIT_CODES = {"spend": 0, "keep": 1, "unknown": NOT_KNOWABLE}
_ANSWERS = {
    "spend": ("Spend it.", "bold green"),
    "keep": ("Keep it.", "bold yellow"),
    "unknown": ("Not knowable.", "bold"),
}


def parse_score(text: str) -> float:
    """Return a score, written with a decimal point or a decimal comma."""
    try:
        score = float(text.strip().replace(",", "."))
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        msg = f"{text!r} is not a score, such as 0.8123."
        raise typer.BadParameter(msg)
    return score


def parse_scores(text: str) -> tuple[float, ...]:
    """Return scores set off by commas or blanks."""
    return tuple(parse_score(part) for part in text.replace(",", " ").split())


AtLeast: TypeAlias = Annotated[
    float,
    typer.Option(
        "--at-least",
        metavar="P",
        help="Probability of a true gain that makes it worth it.",
    ),
]
#: How many submissions may still be sent, and how many a day.
Left: TypeAlias = Annotated[
    int | None,
    typer.Option("--left", min=0, metavar="N", help="Submissions that are left."),
]
Daily: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--daily",
        min=1,
        metavar="N",
        help="Submissions a day: those of today (UTC) in the file are taken off.",
    ),
]


def left_of(history: History, left: int | None, daily: int | None) -> int | None:
    """Return how many submissions are left, None where nobody said."""
    if daily is None:
        return left
    today = datetime.now(UTC).date()
    sent = sum(
        item.submitted_at is not None and item.submitted_at.date() == today
        for item in history
    )
    over = max(daily - sent, 0)
    return over if left is None else min(left, over)


@expand_options
def gate(
    history: HistoryOptions,
    screen: ScreenOptions,
    cv: Annotated[
        float | None,
        typer.Option(
            parser=parse_score,
            metavar="SCORE",
            help="CV score of the candidate, as you log it.",
        ),
    ] = None,
    folds: Annotated[
        Any,
        typer.Option(
            parser=parse_scores,
            metavar="S1,S2,...",
            help="Its CV score by fold; the folds of the parent tell the noise.",
        ),
    ] = None,
    oof: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Its out-of-fold predictions; with --predictions and --labels.",
        ),
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Its submission file: is it new, and what could the board tell? "
            "With --ledger, or with --predictions, the folder of those sent.",
        ),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ID",
            help="Submission that it was made from; by default what your history "
            "builds on.",
        ),
    ] = None,
    at_least: AtLeast = 0.5,
    false_share: Annotated[
        float | None,
        typer.Option(
            metavar="Q",
            help="Spend only while, of all that passes, at most this share is no gain, "
            "whenever you look.",
        ),
    ] = None,
    left: Left = None,
    daily: Daily = None,
    as_json: AsJson = False,
) -> None:
    """Say whether the next submission is worth spending, or a change worth keeping.

    Exit codes: 0 spend it, 1 keep it, 2 bad usage or input, 3 not knowable.

    Examples
    --------
      lbsense gate submissions.csv --metric roc_auc --cv 0.8123
      lbsense gate s.csv --metric rmse --cv 0.412 --from 51423318 --at-least 0.7
      lbsense gate s.csv --metric auc --oof new.csv --predictions oof --labels y.csv
      lbsense gate s.csv --metric auc --cv 0.8 --submission sub.csv --predictions sent
      lbsense gate s.csv --metric auc --ledger ledger.jsonl --submission sub.csv
      lbsense gate results.tsv --metric auc --cv 0.913 --step-noise 0.004
      lbsense gate s.csv --metric f1 --cv 0.81 && kaggle c submit titanic -f sub.csv
    """
    if cv is None and not folds and oof is None and submission is None:
        msg = (
            "Nothing is said of the candidate: give --cv, --folds, --oof or "
            "--submission."
        )
        raise typer.BadParameter(msg)
    facts, predictions = history.analysis(ahead=True, oof=oof, test=submission)
    from lbsense.analysis import gate as decide

    result = decide(
        facts,
        cv,
        parent=parent,
        at_least=at_least,
        fold_scores=folds or (),
        predictions=predictions,
        digests=_digests(submission or oof),
        n_left=left_of(facts.history, left, daily),
        false_share=false_share,
    )
    if as_json:
        emit_json(result.to_dict())
    else:
        _show_gate(result, facts, screen)
    code = _EXIT_CODES[result.decision]
    if code:
        raise typer.Exit(code)


def _digests(path: Path | None) -> list[str]:
    """Return the digest of the file of a candidate."""
    from lbsense.ingest import input_files

    return [] if path is None else [file.sha256 for file in input_files([path])]


def _show_gate(result: GateResult, facts: Facts, screen: ScreenOptions) -> None:
    console = screen.console()
    console.print(Text(*_ANSWERS[result.decision]))
    entries = gate_told(result, facts, "terminal")
    if result.decision == "unknown":
        entries.append(("Missing", next_fact(facts, "terminal")))
    print_entries(console, entries)


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
    at_least: AtLeast = 0.5,
    left: Left = None,
    daily: Daily = None,
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
    facts, _ = history.analysis(ahead=True)
    with working("Comparing ..."):
        from lbsense.analysis import plan as order

        found = order(
            facts,
            parse_candidates(candidate),
            settle=None if settle is None else parse_two(settle),
            at_least=at_least,
            n_left=left_of(facts.history, left, daily),
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        _show_plan(found, facts, screen.console())
    known = any(gate.missing is None for gate in found.gates)
    if not known and found.settle is None:
        raise typer.Exit(NOT_KNOWABLE)


def _show_plan(found: PlanResult, facts: Facts, console: Console) -> None:
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


_SHORT, _LONG, _ROOMY = 16, 40, 110  # characters of a name, columns of a terminal


@expand_options
def pick(
    history: HistoryOptions,
    screen: ScreenOptions,
    field: BoardOptions,
    as_json: AsJson = False,
) -> None:
    """Say which submissions to select, and what the usual rules would cost.

    Two, or as many as --selections says, or as the competition is known to take.

    Exit codes: 0 done, 2 bad usage or input, 3 there is nothing to select from.

    Examples
    --------
      lbsense pick submissions.csv --metric roc_auc
      lbsense pick s.csv --metric rmse --test-size 20000 --public-fraction 30%
      lbsense pick titanic.csv --slug titanic --selections 3
      lbsense pick s.csv --metric f1 --board public.csv --board-team "my team"
      lbsense pick s.csv --metric f1 --json
    """
    analysis, _ = history.analysis()
    board = field.read(analysis)
    medal = None
    if board is not None:
        from lbsense.analysis import medal_picks

        medal = medal_picks(analysis, board)
    if as_json:
        content = pick_content(analysis)
        if medal is not None:
            content["medal"] = _medal_content(analysis, medal)
        emit_json(content)
    else:
        console = screen.console()
        _show_picks(analysis, console)
        if medal is not None:
            print_entries(console, medal_told(analysis, medal, "terminal"))
    if not analysis.picks:
        raise typer.Exit(NOT_KNOWABLE)


def _show_picks(analysis: Analysis, console: Console) -> None:
    picks = analysis.picks
    if not picks:
        console.print(Text("Not knowable which two to select.", "bold"))
        print_entries(
            console,
            [
                ("Why", why_no_picks(analysis, "terminal")),
                ("Missing", next_fact(analysis, "terminal")),
            ],
        )
        return
    for told in selection(analysis):
        console.print(Text(clean_text(told), "bold"))
    console.print()
    _print_chosen(analysis, console)
    _print_rules(analysis, (picks.best, *picks.rules), console)
    print_entries(console, _advice(analysis))


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
    table, board = plain_table(*headings), Board(analysis.history)
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
    board = Board(analysis.history)
    table = plain_table("rule", "pair", "costs", "regret", "holds the best")
    for pair in pairs:
        names = (named(analysis, index, _SHORT) for index in pair.positions)
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
    entries = [("Next best", text) for text in runner_up(analysis)]
    entries += [("Apart", text) for text in differences(analysis)]
    if (analysis.history.competition.n_selections or 2) == 2:
        entries += [("Deadline", text) for text in default_trap(analysis)]
    weak = analysis.picks and analysis.picks.basis != "levels"
    if weak or analysis.level in ("A", "A+"):
        entries.append(("Missing", next_fact(analysis, "terminal")))
    return entries


def pick_content(analysis: Analysis) -> dict[str, Any]:
    """Return what `lbsense pick --json` prints."""
    picks = analysis.picks
    content: dict[str, Any] = {"schema": 1, "level": analysis.level}
    if not picks:
        reason = why_no_picks(analysis, "python")
        return content | {"pair": None, "reason": reason}
    return content | {
        "pair": _entries(analysis),
        "basis": picks.basis,
        "why": pick_basis(analysis),
        "expected_score": _number(picks.best.expected_score),
        "regret": _number(picks.best.regret),
        "p_holds_best": _number(picks.best.p_holds_best),
        "runner_up": None
        if picks.runner_up is None
        else _rule(analysis, picks.runner_up),
        "rules": [_rule(analysis, pair) for pair in picks.rules],
        "n_candidates": picks.n_obs,
    }


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
