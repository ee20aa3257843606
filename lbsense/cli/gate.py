"""``lbsense gate``: is the next submission worth spending."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lbsense.cli.console import (
    NOT_KNOWABLE,
    ScreenOptions,
    emit,
    print_entries,
    tell_doubts,
    working,
)
from lbsense.cli.options import HistoryOptions, expand_options
from lbsense.words import gate_told

if TYPE_CHECKING:
    from lbsense.analysis import GateResult

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


@expand_options
def gate(
    history: HistoryOptions,
    screen: ScreenOptions,
    cv: Annotated[
        float,
        typer.Option(
            parser=parse_score,
            metavar="SCORE",
            help="CV score of the candidate, as you log it.",
        ),
    ],
    parent: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ID",
            help="Submission that it was made from; by default what your history "
            "builds on.",
        ),
    ] = None,
    at_least: Annotated[
        float,
        typer.Option(
            metavar="P", help="Probability of a true gain that makes it worth it."
        ),
    ] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Say from its CV score whether the next submission is worth spending.

    Exit codes: 0 spend it, 1 keep it, 2 bad usage or input, 3 not knowable.

    Examples
    --------
      lbsense gate submissions.csv --metric roc_auc --cv 0.8123
      lbsense gate s.csv --metric rmse --cv 0.412 --from 51423318 --at-least 0.7
      lbsense gate s.csv --metric f1 --cv 0.71 && kaggle c submit -f new.csv ...
    """
    observed = history.read()
    tell_doubts(observed)
    with working("Analysing ..."):
        from lbsense.analysis import analyze as judge
        from lbsense.analysis import gate as decide

        result = decide(judge(observed), cv, parent=parent, at_least=at_least)
    if as_json:
        emit(json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n", None)
    else:
        _show(result, screen)
    code = _EXIT_CODES[result.decision]
    if code:
        raise typer.Exit(code)


def _show(result: GateResult, screen: ScreenOptions) -> None:
    console = screen.console()
    console.print(Text(*_ANSWERS[result.decision]))
    print_entries(console, gate_told(result, "terminal"))
