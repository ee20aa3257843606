"""``lbsense gate``: is the next submission worth spending."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.text import Text

from lbsense.cli.console import (
    NOT_KNOWABLE,
    ScreenOptions,
    emit_json,
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
from lbsense.words import gate_told, next_fact

if TYPE_CHECKING:
    from lbsense.analysis import GateResult
    from lbsense.facts import Facts
    from lbsense.model import History

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


#: How many submissions may still be sent, and how many a day.
Left: TypeAlias = Annotated[
    int | None, typer.Option("--left", min=0, help="Submissions that are left.")
]
Daily: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--daily",
        min=1,
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
    rows: PredictionOptions,
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
            help="Its submission file: is it new, and what could the board tell? With "
            "--predictions, the folder of those sent.",
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
    at_least: Annotated[
        float,
        typer.Option(
            metavar="P", help="Probability of a true gain that makes it worth it."
        ),
    ] = 0.5,
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
    step_noise: StepNoise = None,
    as_json: AsJson = False,
) -> None:
    """Say whether the next submission is worth spending, or a change worth keeping.

    Exit codes: 0 spend it, 1 keep it, 2 bad usage or input, 3 not knowable.

    Examples
    --------
      lbsense gate submissions.csv --metric roc_auc --cv 0.8123
      lbsense gate s.csv --metric rmse --cv 0.412 --from 51423318 --at-least 0.7
      lbsense gate s.csv --metric auc --oof new.csv --predictions oof --labels y.csv
      lbsense gate s.csv --slug titanic --cv 0.8 --submission new.csv --predictions sent
      lbsense gate results.tsv --metric auc --cv 0.913 --step-noise 0.004
      lbsense gate s.csv --metric f1 --cv 0.71 && kaggle c submit -f new.csv ...
    """
    if cv is None and not folds and oof is None and submission is None:
        msg = (
            "Nothing is said of the candidate: give --cv, --folds, --oof or "
            "--submission."
        )
        raise typer.BadParameter(msg)
    observed = history.read()
    tell_doubts(observed)
    predictions = rows.read(observed, oof=oof, submission=submission)
    with working("Analysing ..."):
        from lbsense.analysis import footing
        from lbsense.analysis import gate as decide

        facts = footing(observed, predictions, step_noise=step_noise)
        result = decide(
            facts,
            cv,
            parent=parent,
            at_least=at_least,
            fold_scores=folds or (),
            predictions=predictions,
            n_left=left_of(observed, left, daily),
            false_share=false_share,
        )
    if as_json:
        emit_json(result.to_dict())
    else:
        _show(result, facts, screen)
    code = _EXIT_CODES[result.decision]
    if code:
        raise typer.Exit(code)


def _show(result: GateResult, facts: Facts, screen: ScreenOptions) -> None:
    console = screen.console()
    console.print(Text(*_ANSWERS[result.decision]))
    entries = gate_told(result, facts, "terminal")
    if result.decision == "unknown":
        entries.append(("Missing", next_fact(facts, "terminal")))
    print_entries(console, entries)
