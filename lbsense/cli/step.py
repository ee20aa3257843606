"""``lbsense step``: one step of a history, told in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lbsense._format import clean_text
from lbsense.cli.console import (
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

if TYPE_CHECKING:
    from lbsense.analysis import Analysis

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
    rows: PredictionOptions,
    step_noise: StepNoise = None,
    as_json: AsJson = False,
) -> None:
    """Tell one step in full: its verdict, the evidence, and what to expect of it.

    Examples
    --------
      lbsense step 34 submissions.csv --metric roc_auc
      lbsense step last submissions.csv --metric rmse
      lbsense step "seed average" s.csv --metric f1 --json
    """
    observed = history.read()
    tell_doubts(observed)
    predictions = rows.read(observed)
    with working("Analysing ..."):
        from lbsense.analysis import analyze

        analysis = analyze(observed, predictions, step_noise=step_noise)
    index = find_step(analysis, submission)
    chosen = analysis.steps[index]
    if as_json:
        content = {"schema": 1, "number": index + 1, **chosen.to_dict()}
        emit_json(content)
        return
    from lbsense.words import next_fact, step_told

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
