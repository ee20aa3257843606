"""``lbsense fetch`` and ``watch``: submissions of a platform in a file that grows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console
from rich.text import Text

from lbsense._files import replace_file
from lbsense._format import clean_text, format_time, plural, shorten
from lbsense.cli.app import (
    ScreenOptions,
    is_interactive,
    note,
    print_entries,
    tell_doubts,
    working,
)
from lbsense.cli.options import (
    CompetitionOptions,
    LedgerFile,
    expand_options,
    output_file,
)
from lbsense.errors import FetchError

if TYPE_CHECKING:
    from lbsense.ingest import Fetched, Merged


_PLATFORMS = ("kaggle", "zindi")
_BOTH = 2  # platform and slug
Asked: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="[kaggle|zindi] SLUG",
        help="The platform, kaggle by default, and the name of the competition in its "
        "address, or the address.",
    ),
]
Kept: TypeAlias = Annotated[
    Path | None,
    output_file(
        "Where to keep them, SLUG.csv by default; a name in .json keeps the facts of "
        "the competition too."
    ),
]


def _asked(given: list[str]) -> tuple[str, str]:
    """Return platform and competition."""
    *before, slug = given
    platform = before[0] if before else "kaggle"
    if len(given) > _BOTH or platform not in _PLATFORMS:
        msg = f"The platform is kaggle or zindi, got {' '.join(before)!r}."
        raise ValueError(msg)
    if not before and slug in _PLATFORMS:
        msg = f"Name the competition, too: {slug} SLUG, as in its address."
        raise ValueError(msg)
    return platform, slug


@expand_options
def fetch(
    screen: ScreenOptions,
    competition: Asked,
    output: Kept = None,
    leaderboard: Annotated[
        bool,
        typer.Option(
            "--leaderboard",
            help="Kaggle: fetch the leaderboard too, after the close the private one.",
        ),
    ] = False,
) -> None:
    """Fetch all your submissions, every page, and keep them in a file.

    A second fetch adds what is new; no row is ever lost, and columns that you added to
    the file stay. Kaggle is asked by its own client (the extra kaggle of lbsense), with
    the credentials that it uses anyway; Zindi with the token in ZINDI_TOKEN, or asked
    for. Neither is written or shown.

    Examples
    --------
      lbsense fetch kaggle titanic -o submissions.csv
      lbsense fetch kaggle titanic -o titanic.json --leaderboard
      lbsense fetch zindi some-challenge
      lbsense analyze submissions.csv --slug titanic
    """
    platform, slug = _asked(competition)
    if leaderboard and platform != "kaggle":
        msg = "--leaderboard is fetched from Kaggle only."
        raise ValueError(msg)
    fetched = ask_platform(platform, slug, leaderboard=leaderboard)
    path = Path(f"{fetched.slug}.csv") if output is None else output
    merged = keep(fetched, path)
    for doubt in fetched.doubts:
        note(doubt, kind="Warning")
    console = screen.console()
    console.print(Text(_headline(fetched, merged), "bold"))
    print_entries(console, _told(fetched, merged))
    for kind, text in fetched.boards.items():
        board = path.with_name(f"{path.stem}-{kind}-leaderboard.csv")
        replace_file(text, board)
        note(f"Written: {board}")
    if merged.rows:
        note(f"Written: {path}")
        console.print(Text(_next_command(fetched, path)), soft_wrap=True)


def ask_platform(platform: str, slug: str, *, leaderboard: bool = False) -> Fetched:
    """Return what the platform answers; waits are told, a token is asked for."""
    from lbsense.ingest import TOKEN_VARIABLE, ask_kaggle, ask_zindi

    if platform == "kaggle":
        with working("Asking Kaggle ..."):
            return ask_kaggle(slug, leaderboard=leaderboard, tell=note)
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token and is_interactive():
        question = "Zindi token (it is not shown and not kept)"
        token = typer.prompt(question, hide_input=True, err=True)
    with working("Asking Zindi ..."):
        return ask_zindi(slug, token, tell=note)


def keep(fetched: Fetched, path: Path) -> Merged:
    """Join what came with what the file holds, and replace the file where it grew."""
    from lbsense.ingest import join_listing, listing_text, read_listing

    kept = read_listing(path, fetched.key)
    merged = join_listing(kept, fetched)
    if merged.fresh or (merged.rows and not path.exists()):
        as_json = path.suffix.lower() == ".json"
        replace_file(listing_text(merged.rows, fetched, as_json=as_json), path)
    return merged


def _headline(fetched: Fetched, merged: Merged) -> str:
    title = fetched.platform.title()
    if not merged.rows:
        return f"{title}, {fetched.slug}: no submission of yours yet."
    count = plural(len(merged.rows), "submission")
    news = [f"{merged.n_new} new"]
    if merged.n_changed:
        news.append(f"{merged.n_changed} changed")
    if merged.n_unlisted:
        news.append(f"{merged.n_unlisted} kept that are listed no longer")
    return f"{title}, {fetched.slug}: {count}, {', '.join(news)}."


def _told(fetched: Fetched, merged: Merged) -> Iterator[tuple[str, str]]:
    if fetched.metric_said is not None:
        known = "" if fetched.metric is None else f", here {fetched.metric}"
        yield "Metric", f"{fetched.metric_said}{known}"
    if fetched.deadline is not None:
        yield "Deadline", f"{format_time(fetched.deadline)} UTC"
    if fetched.n_left is not None:
        a_day = f" of {fetched.max_daily}" if fetched.max_daily else ""
        yield "Left today", f"{fetched.n_left}{a_day}"
    reasons = [row.get("errorDescription", "") for row in merged.rows]
    if any(reasons):
        latest = clean_text(next(filter(None, reasons)))
        yield "Failed", f"{plural(sum(map(bool, reasons)), 'submission')}: {latest}"


def _next_command(fetched: Fetched, path: Path) -> str:
    facts = f" --slug {fetched.slug}"
    if fetched.metric is not None:
        facts += f" --metric {fetched.metric}"
    if path.suffix.lower() == ".json":  # which holds them
        facts = ""
    return f"Try: lbsense analyze {path}{facts}"


@expand_options
def watch(
    competition: CompetitionOptions,
    screen: ScreenOptions,
    given: Asked,
    output: Kept = None,
    ledger: LedgerFile = None,
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

    Examples
    --------
      lbsense watch titanic
      lbsense watch titanic -o submissions.csv --metric accuracy --test-size 418
      lbsense watch zindi some-challenge --metric f1 --every 10 --ledger ledger.jsonl
    """
    platform, name = _asked(given)
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
                _tell_news(fetched, merged, competition, console, ledger, first=first)
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
    ledger: str | None,
    *,
    first: bool,
) -> None:
    """Print a line for each new score; the first time for the newest score alone."""
    if not merged.rows:
        console.print(Text(f"{fetched.slug}: no submission of yours yet."))
        return
    from lbsense.analysis import analyze
    from lbsense.ingest import fetched_history, join_ledger

    stated = competition.stated()
    history = fetched_history(fetched, merged.rows, stated)  # type: ignore[arg-type]
    if ledger is not None:
        history = join_ledger(history, ledger)
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
