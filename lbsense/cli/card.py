"""``lbsense card``: what another person needs to arrive at the same score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.text import Text

from lbsense._format import clean_text
from lbsense.cli.console import (
    FLAGGED,
    NOT_KNOWABLE,
    ScreenOptions,
    emit,
    emit_json,
    note,
    print_entries,
)
from lbsense.cli.log import DEFAULT_LEDGER
from lbsense.cli.options import (
    AsJson,
    CompetitionOptions,
    Force,
    check_target,
    expand_options,
    panel,
    parser_of,
)
from lbsense.words import card_checked, card_lacks

if TYPE_CHECKING:
    from lbsense.model import Card, CardCheck, Ledger
    from lbsense.report import CardFormat

_FORMATS = ("markdown", "kaggle", "zindi", "crate")
_SCHEMA = 1
_check = panel("Verify")


@expand_options
def card(
    competition: CompetitionOptions,
    screen: ScreenOptions,
    submission: Annotated[
        str,
        typer.Argument(
            metavar="SUBMISSION",
            help="Name of the experiment, reference or file of its submission; or the "
            "folder of a crate.",
        ),
    ],
    ledger: Annotated[
        Path, typer.Option(metavar="FILE", help="Ledger of `lbsense log`.")
    ] = Path(DEFAULT_LEDGER),
    history: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The submissions, for scores, what to expect, and the spread of "
            "reruns.",
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            parser=parser_of(_FORMATS),
            metavar="|".join(_FORMATS),
            help="Markdown; in the order of Kaggle's model documentation or of Zindi's "
            "code review; or a folder that is a Process Run Crate.",
        ),
    ] = "markdown",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE|FOLDER", help="Where to write it."
        ),
    ] = None,
    author: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who made it.")
    ] = None,
    terms: Annotated[
        str | None,
        typer.Option("--license", metavar="NAME|URL", help="Its license."),
    ] = None,
    check: Annotated[
        bool,
        _check("--check", help="Compare this machine with what was recorded."),
    ] = False,
    folder: Annotated[
        Path | None,
        _check("--in", metavar="FOLDER", help="Where code and files are; here."),
    ] = None,
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    """Write what another person needs to arrive at the same score.

    Code version, command, seeds, packages, hardware, digests of data and predictions,
    the score to expect with the spread of reruns; and what of it is missing.

    Exit codes: 0 done; with --check 0 all is the same, 1 something differs or is not
    here, 3 nothing can be verified; 2 bad usage or input.

    Examples
    --------
      lbsense card exp012
      lbsense card 51423318 --history submissions.csv --metric roc_auc -o CARD.md
      lbsense card exp012 --format zindi -o review.md
      lbsense card exp012 --format crate -o crate --license MIT --author "A. Name"
      lbsense card exp012 --check
      lbsense card crate --check --in ~/competition
    """
    if form == "crate" and output is None and not (check or as_json):
        msg = "--format crate needs --output FOLDER."
        raise ValueError(msg)
    if output is not None and (form != "crate" or as_json):
        inputs = [ledger, *([] if history is None else [Path(history)])]
        check_target(output, inputs, force=force)
    found, whole = _card(submission, ledger, author, terms)
    if history is not None:
        found = _with_history(found, whole, history, competition)
    checks = None
    if check:
        from lbsense.ledger import check_card

        checks = check_card(found.experiment, folder)
    if as_json:
        emit_json(_content(found, checks), output)
    elif checks is not None:
        _show_checks(checks, screen)
    elif form == "crate" and output is not None:
        from lbsense.report import write_crate

        metadata = output / "ro-crate-metadata.json"
        if output.is_file() or (metadata.exists() and not force):
            msg = f"--output: {output} is there already. Add --force to overwrite it."
            raise ValueError(msg)
        note(f"Written: {write_crate(found, output)}")
        _tell_lacks(found)
    else:
        from lbsense.report import render_card

        emit(render_card(found, format=cast("CardFormat", form)), output)
        if output is not None:
            _tell_lacks(found)
    if checks is not None:
        code = FLAGGED if any(item.status != "same" for item in checks) else 0
        code = code if checks else NOT_KNOWABLE
        if code:
            raise typer.Exit(code)


def _card(
    name: str, ledger: Path, author: str | None, terms: str | None
) -> tuple[Card, Ledger]:
    from lbsense.ingest import read_ledger
    from lbsense.ledger import make_card

    inside = Path(name) / "ledger.jsonl"
    if inside.is_file():
        whole = read_ledger(inside)
        name = whole.experiments[0].experiment_id if len(whole) == 1 else name
    else:
        whole = read_ledger(ledger)
    for issue in whole.issues[:5]:
        note(str(issue), kind="Warning")
    return make_card(whole, name, author=author, license=terms), whole


def _with_history(
    found: Card, ledger: Ledger, history: str, competition: CompetitionOptions
) -> Card:
    from lbsense.analysis import analyze
    from lbsense.ingest import join_ledger, read_submissions
    from lbsense.report import with_analysis

    joined = join_ledger(read_submissions(history, **competition.stated()), ledger)
    entry = found.experiment
    for item in joined.ledger or ():
        if item.experiment_id == entry.experiment_id:
            if item.submission_id is None:
                note(f"{entry.name} is not among the submissions.", kind="Warning")
            entry = item
    return with_analysis(replace(found, experiment=entry), analyze(joined))


def _tell_lacks(found: Card) -> None:
    for text in card_lacks(found):
        note(text, kind="Missing")


def _show_checks(checks: Sequence[CardCheck], screen: ScreenOptions) -> None:
    console = screen.console()
    console.print(Text(clean_text(card_checked(checks)), "bold"))
    for status, title in (("differs", "Differs"), ("absent", "Not here")):
        entries = [
            (clean_text(item.what), f"{item.recorded} -> {item.found}")
            for item in checks
            if item.status == status
        ]
        print_entries(console, entries, title=title, style="yellow")


def _content(found: Card, checks: Sequence[CardCheck] | None) -> dict[str, Any]:
    return {
        "schema": _SCHEMA,
        **found.to_dict(),
        "missing": card_lacks(found),
        "checks": None if checks is None else [item.to_dict() for item in checks],
    }
