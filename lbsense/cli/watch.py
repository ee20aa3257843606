"""``lbsense watch``: fetch again and again, and say what the newest score means."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from lbsense._format import clean_text, format_time, shorten
from lbsense.cli.console import ScreenOptions, note, tell_doubts
from lbsense.cli.fetch import ask_platform, keep
from lbsense.cli.options import CompetitionOptions, expand_options
from lbsense.errors import FetchError

if TYPE_CHECKING:
    from lbsense.ingest import Fetched, Merged


@expand_options
def watch(
    competition: CompetitionOptions,
    screen: ScreenOptions,
    name: Annotated[
        str,
        typer.Argument(
            metavar="SLUG",
            help="Name of the competition in its address, or the address.",
        ),
    ],
    platform: Annotated[
        str, typer.Option(metavar="kaggle|zindi", help="Whom to ask.")
    ] = "kaggle",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="As in `lbsense fetch`: SLUG.csv."
        ),
    ] = None,
    every: Annotated[
        float,
        typer.Option(min=1, metavar="MINUTES", help="How often to ask."),
    ] = 5.0,
    times: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Stop after N times; else by Ctrl-C."),
    ] = None,
) -> None:
    """Fetch every few minutes, and say in one line what each new score means.

    What a fault of the network or the server hides comes with the next time; wrong
    credentials and wrong names end it.

    Exit codes: 0 done, 2 bad usage, or the platform refuses, 130 interrupted.

    Examples
    --------
      lbsense watch titanic
      lbsense watch titanic -o submissions.csv --metric accuracy --test-size 418
      lbsense watch some-challenge --platform zindi --metric f1 --every 10
    """
    if platform not in ("kaggle", "zindi"):
        msg = f"--platform is kaggle or zindi, got {platform!r}."
        raise ValueError(msg)
    console = screen.console()
    looks, first = 0, True
    while True:
        try:
            fetched = ask_platform(platform, name)
        except FetchError as error:
            if not error.may_pass or times == 1:
                raise
            note(f"{error} Next try in {every:g} min.", kind="Warning")
        else:
            path = Path(f"{fetched.slug}.csv") if output is None else output
            merged = keep(fetched, path)
            if first or merged.fresh:
                _tell_news(fetched, merged, competition, console, first=first)
            first = False
        looks += 1
        if looks == times:
            return
        time.sleep(60 * every)


def _tell_news(
    fetched: Fetched,
    merged: Merged,
    competition: CompetitionOptions,
    console: Console,
    *,
    first: bool,
) -> None:
    """Print a line for each new score; the first time for the newest score alone."""
    if not merged.rows:
        console.print(Text(f"{fetched.slug}: no submission of yours yet."))
        return
    from lbsense.analysis import analyze
    from lbsense.ingest import fetched_history

    stated = competition.stated()
    history = fetched_history(fetched, merged.rows, stated)  # type: ignore[arg-type]
    if first:
        tell_doubts(history)
    steps = analyze(history).steps
    news = [step for step in steps if step.submission_id in merged.fresh]
    if first:
        news = [step for step in steps if step.public_score is not None][-1:]
    for step in news:
        who = f"{step.submission_id}  {shorten(step.name, 40)}"
        score = "" if step.public_score is None else f"public {step.public_score:g}. "
        told = f"{format_time(step.submitted_at)}  {who}: {score}{step.sentence}"
        console.print(Text(clean_text(told)), soft_wrap=True)
