"""``lbsense pick``: which submissions to select for the final ranking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

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
from lbsense.cli.board import BoardOptions
from lbsense.cli.console import (
    NOT_KNOWABLE,
    ScreenOptions,
    emit_json,
    plain_table,
    print_entries,
    tell_doubts,
    working,
)
from lbsense.cli.options import (
    AsJson,
    HistoryOptions,
    PredictionOptions,
    StepNoise,
    expand_options,
)
from lbsense.words import (
    Board,
    default_trap,
    differences,
    medal_told,
    named,
    next_fact,
    pick_basis,
    runner_up,
    selection,
    why_no_picks,
)

if TYPE_CHECKING:
    from lbsense._result import Missing
    from lbsense.analysis import Analysis
    from lbsense.stats import MedalPickResult, PairResult


_SHORT, _LONG, _ROOMY = 16, 40, 110  # characters of a name, columns of a terminal


@expand_options
def pick(
    history: HistoryOptions,
    screen: ScreenOptions,
    rows: PredictionOptions,
    field: BoardOptions,
    step_noise: StepNoise = None,
    as_json: AsJson = False,
) -> None:
    """Say which submissions to select, and what the usual rules would cost.

    Two, or as many as --selections says, or as the competition is known to take.

    Exit codes: 0 done, 2 bad usage or input, 3 there is nothing to select from.

    Examples
    --------
      lbsense pick submissions.csv --metric roc_auc
      lbsense pick s.csv --metric rmse --test-size 20000 --public-fraction 30%
      lbsense pick s.csv --slug titanic --selections 3
      lbsense pick s.csv --metric f1 --board public.csv --board-team "my team"
      lbsense pick s.csv --metric f1 --json
    """
    observed = history.read()
    tell_doubts(observed)
    predictions = rows.read(observed)
    with working("Analysing ..."):
        from lbsense.analysis import analyze as judge

        analysis = judge(observed, predictions, step_noise=step_noise)
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
        _show(analysis, console)
        if medal is not None:
            print_entries(console, medal_told(analysis, medal, "terminal"))
    if not analysis.picks:
        raise typer.Exit(NOT_KNOWABLE)


def _show(analysis: Analysis, console: Console) -> None:
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
