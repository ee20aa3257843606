"""The commands that keep a record: of submissions that are fetched, of experiments."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import typer
from rich.console import Console
from rich.text import Text

from lbsense._files import replace_file
from lbsense._format import clean_text, format_number, format_time, plural, shorten
from lbsense.cli.app import (
    FLAGGED,
    NOT_KNOWABLE,
    ScreenOptions,
    emit,
    emit_json,
    is_interactive,
    note,
    print_entries,
    tell_doubts,
    tell_issues,
    working,
)
from lbsense.cli.options import (
    AsJson,
    CompetitionOptions,
    Force,
    LedgerFile,
    check_target,
    expand_options,
    output_file,
    panel,
    parse_score,
    parse_scores,
    parser_of,
)
from lbsense.cli.options import output as _output
from lbsense.errors import FetchError

if TYPE_CHECKING:
    from lbsense.ingest import Fetched, Merged
    from lbsense.model import Card, CardCheck, Experiment, Ledger
    from lbsense.report import CardFormat

_PLATFORMS = ("kaggle", "zindi")
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
    if len(given) > 2 or platform not in _PLATFORMS:
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
    print_entries(console, _facts_told(fetched, merged))
    for kind, text in fetched.boards.items():
        board = path.with_name(f"{path.stem}-{kind}-leaderboard.csv")
        replace_file(text, board)
        note(f"Written: {board}")
    if merged.rows:
        note(f"Written: {path}")
        facts = f" --slug {fetched.slug}"
        facts += "" if fetched.metric is None else f" --metric {fetched.metric}"
        facts = "" if path.suffix.lower() == ".json" else facts  # which holds them
        console.print(Text(f"Try: lbsense analyze {path}{facts}"), soft_wrap=True)


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


def _facts_told(fetched: Fetched, merged: Merged) -> Iterator[tuple[str, str]]:
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


DEFAULT_LEDGER = "ledger.jsonl"
_MOST = 20  # experiments that are listed

_plan = panel("Why")
_outcome = panel("What came of it")
_files = panel("Files")


def parse_range(text: str) -> tuple[float, float]:
    """Return the two ends of a range such as 0:0.004."""
    ends = text.replace("..", ":").split(":")
    try:
        low, high = map(float, ends)
    except ValueError:
        low, high = 1.0, 0.0
    if not low <= high:
        msg = f"{text!r} is not a range LOW:HIGH, such as 0:0.004."
        raise typer.BadParameter(msg)
    return low, high


@expand_options
def log(
    screen: ScreenOptions,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]",
            help="What to run: its time, its end and the CV score that it prints are "
            "written down.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        _plan(metavar="NAME", help="What to call it; exp001, exp002, ... by default."),
    ] = None,
    why: Annotated[
        str | None, _plan(metavar="TEXT", help="Why the change should help.")
    ] = None,
    parent: Annotated[
        str | None,
        _plan("--from", metavar="NAME", help="The experiment that it is made from."),
    ] = None,
    expect: Annotated[
        float | None,
        _plan(
            metavar="GAIN",
            help="Gain that you expect over it, in score units; more is better, "
            "whatever the metric.",
        ),
    ] = None,
    between: Annotated[
        Any,
        _plan(
            parser=parse_range,
            metavar="LOW:HIGH",
            help="Where you expect the true gain with 80% probability.",
        ),
    ] = None,
    cv: Annotated[
        float | None,
        _outcome(parser=parse_score, metavar="SCORE", help="Its CV score."),
    ] = None,
    folds: Annotated[
        Any,
        _outcome(
            parser=parse_scores, metavar="S1,S2,...", help="Its CV score by fold."
        ),
    ] = None,
    seed: Annotated[
        list[int] | None,
        _outcome(metavar="N", help="A seed; read from the command where it names one."),
    ] = None,
    public: Annotated[
        float | None,
        _outcome(parser=parse_score, metavar="SCORE", help="Its public score."),
    ] = None,
    private: Annotated[
        float | None,
        _outcome(parser=parse_score, metavar="SCORE", help="Its private score."),
    ] = None,
    submission: Annotated[
        str | None,
        _outcome(
            "--ref", metavar="ID", help="Identifier of the submission made of it."
        ),
    ] = None,
    remark: Annotated[
        str | None, _outcome("--note", metavar="TEXT", help="Anything else.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        _files(metavar="FILE", help="A file or folder that it reads: its digest."),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        _files(metavar="FILE", help="Prediction file that it writes: its digest."),
    ] = None,
    ledger: Annotated[
        Path, _files(metavar="FILE", help="Ledger that a line is added to.")
    ] = Path(DEFAULT_LEDGER),
    add_to: Annotated[
        str | None,
        _outcome(
            metavar="NAME",
            help="Add scores or a reference to an experiment of the ledger.",
        ),
    ] = None,
) -> None:
    r"""Write down what was tried, why, and with what: one line an experiment.

    Commit, packages, machine and digests are noted with it; keys and tokens are hidden.
    Writers may be killed or write at the same time: no line is torn or lost, and none
    is ever rewritten. Without anything to write the ledger is shown.

    Exit codes: 0 done, 2 bad usage or input, else that of the command which was run.

    Examples
    --------
      lbsense log --why "sales are weekly: lags of 7 days" --from exp009 \
        --expect 0.002 --data train.csv --predictions sub.csv -- python train.py
      lbsense log --name exp012 --cv 0.8123 --folds 0.81,0.82,0.807
      lbsense log --add-to exp012 --public 0.79 --ref 51423318
      lbsense log
    """
    from lbsense.ingest import read_ledger
    from lbsense.ledger import check_ledger, log_experiment, log_scores

    scores: dict[str, Any] = {
        "cv_score": cv,
        "cv_fold_scores": folds or (),
        "submission_id": submission,
        "note": remark,
    }
    board: dict[str, Any] = {"public_score": public, "private_score": private}
    plan: dict[str, Any] = {
        "parent": parent,
        "expected_gain": expect,
        "expected_range": between,
        "seeds": seed or (),
        "data": data or (),
    }
    if add_to is not None:
        if command or why or name or predictions or any(plan.values()):
            msg = "--add-to takes scores, --ref and --note, and nothing else."
            raise ValueError(msg)
        entry = log_scores(add_to, **scores, **board, ledger=ledger)
        note(f"Added to {entry.name} in {ledger}.")
        return
    known = read_ledger(ledger, missing_ok=True)
    given = [name, why, *scores.values(), *board.values(), *plan.values(), predictions]
    if not command and not any(item not in (None, (), []) for item in given):
        if not ledger.exists():
            msg = f"{ledger}: there is no ledger yet. `lbsense log --why` begins it."
            raise ValueError(msg)
        _show(known, screen.console())
        return
    code = 0
    found: dict[str, Any] = {}
    if command:
        check_ledger(ledger)
        code, found = _run(command, listen=cv is None and not folds)
        if not scores["cv_fold_scores"]:
            scores |= {key: found.pop(key) for key in _CV if key in found}
    entry = log_experiment(
        name,
        why,
        **plan,
        **scores,
        **found,
        command=command,
        predictions=[path for path in predictions or () if not code or path.exists()],
        ledger=ledger,
    )
    if any(value is not None for value in board.values()):
        log_scores(entry.experiment_id, **board, ledger=ledger)
    told = "" if entry.cv_score is None else f", CV {format_number(entry.cv_score)}"
    note(f"Logged: {entry.name}{told}, in {ledger}.")
    for text in _repeats(entry, known):
        note(text, kind="Warning")
    if code:
        raise typer.Exit(code)


_CV = ("cv_score", "cv_std", "cv_fold_scores")


def _repeats(entry: Experiment, known: Ledger) -> Iterator[str]:
    """Yield which of the files of an experiment an earlier one wrote, byte by byte."""
    for file in entry.predictions:
        same = [
            item.name
            for item in known
            if file.sha256 in {own.sha256 for own in item.predictions}
        ]
        if same:
            yield (
                f"{clean_text(file.name)} is the same file as that of "
                f"{clean_text(same[-1])}: to submit it again would tell nothing new."
            )


def _run(command: list[str], *, listen: bool) -> tuple[int, dict[str, Any]]:
    """Run a command, its output as it is; return its code and what it told."""
    from lbsense.ingest import parse_cv

    begun = time.perf_counter()
    told: dict[str, Any] = {}
    try:
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE if listen else None,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:
            for line in process.stdout or ():
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                reading = parse_cv(line[:2000].decode("utf-8", "replace"))
                if reading is not None:
                    told = {
                        "cv_score": reading.value,
                        "cv_std": reading.std,
                        "cv_fold_scores": reading.fold_scores,
                    }
            code = process.wait()
        reason = f"exit code {code}" if code else None
    except (FileNotFoundError, PermissionError) as error:
        msg = f"{command[0]}: cannot be run ({error.strerror}). Nothing was logged."
        raise ValueError(msg) from None
    except KeyboardInterrupt:
        code, reason = 130, "interrupted"
    told["seconds"] = round(time.perf_counter() - begun, 3)
    told["error"] = reason
    return (code if 0 <= code < 256 else 128 - code), told


def _show(ledger: Ledger, console: Console) -> None:
    reasons = sum(item.hypothesis is not None for item in ledger)
    title = f"{plural(len(ledger), 'experiment')}, {reasons} with a reason"
    console.print(Text(clean_text(f"{ledger.source}: {title}"), "bold"))
    entries = [(item.name, _told(item)) for item in ledger.experiments[-_MOST:]]
    print_entries(console, entries)
    issues = [("", str(issue)) for issue in ledger.issues[:_MOST]]
    title = f"Not understood ({len(ledger.issues)}); the file is as it was"
    print_entries(console, issues, title=title, style="yellow")


def _told(item: Experiment) -> str:
    parts = [format_time(item.started_at), item.hypothesis or "no reason given"]
    if item.parent is not None:
        parts.append(f"from {item.parent}")
    if item.expected is not None:
        parts.append(f"expected {item.expected.gain:+g}")
    for kind in ("cv", "public", "private"):
        score = getattr(item, f"{kind}_score")
        parts += [] if score is None else [f"{kind} {format_number(score)}"]
    if item.status == "failed":
        parts.append(f"failed: {item.error or 'no reason known'}")
    return "; ".join(parts)


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
        _output(
            "--format",
            parser=parser_of(_FORMATS),
            metavar="|".join(_FORMATS),
            help="Markdown; in the order of Kaggle's model documentation or of Zindi's "
            "code review; or a folder that is a Process Run Crate.",
        ),
    ] = "markdown",
    output: Annotated[
        Path | None,
        output_file("Write it there; a crate is a folder.", "FILE|FOLDER"),
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
    from lbsense.words import card_lacks

    checks = None
    if check:
        from lbsense.ledger import check_card

        checks = check_card(found.experiment, folder)
    if as_json:
        content = {"schema": _SCHEMA, **found.to_dict(), "missing": card_lacks(found)}
        told = None if checks is None else [item.to_dict() for item in checks]
        emit_json({**content, "checks": told}, output)
    elif checks is not None:
        _show_checks(checks, screen)
    elif form == "crate" and output is not None:
        from lbsense.report import write_crate

        metadata = output / "ro-crate-metadata.json"
        if output.is_file() or (metadata.exists() and not force):
            msg = f"--output: {output} is there already. Add --force to overwrite it."
            raise ValueError(msg)
        note(f"Written: {write_crate(found, output)}")
    else:
        from lbsense.report import render_card

        emit(render_card(found, format=cast("CardFormat", form)), output)
    if checks is not None:
        differs = FLAGGED if any(item.status != "same" for item in checks) else 0
        raise typer.Exit(differs if checks else NOT_KNOWABLE)
    if output is not None and not as_json:
        for text in card_lacks(found):
            note(text, kind="Missing")


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
    tell_issues(whole.issues)
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


def _show_checks(checks: Sequence[CardCheck], screen: ScreenOptions) -> None:
    from lbsense.words import card_checked

    console = screen.console()
    console.print(Text(clean_text(card_checked(checks)), "bold"))
    for status, title in (("differs", "Differs"), ("absent", "Not here")):
        entries = [
            (clean_text(item.what), f"{item.recorded} -> {item.found}")
            for item in checks
            if item.status == status
        ]
        print_entries(console, entries, title=title, style="yellow")
