"""The commands on one history: what it says, what comes next, what to select."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import typer

from lbsense._format import clean_text, spreadsheet_safe
from lbsense.cli.app import (
    FLAGGED,
    NOT_KNOWABLE,
    ScreenOptions,
    emit,
    emit_json,
    tell_doubts,
    working,
)
from lbsense.cli.options import (
    AsJson,
    BoardFiles,
    BoardOptions,
    Force,
    HistoryOptions,
    Title,
    check_target,
    expand_options,
    output_file,
    parse_score,
    parse_scores,
    parser_of,
    write_page,
)
from lbsense.cli.options import output as _output

if TYPE_CHECKING:
    from lbsense.analysis import Analysis
    from lbsense.checks import Findings
    from lbsense.model import History
    from lbsense.report import ReportFormat


@expand_options
def analyze(
    history: HistoryOptions,
    screen: ScreenOptions,
    field: BoardFiles,
    steps: Annotated[
        bool,
        _output("--steps", help="The table of all steps, however long it is."),
    ] = False,
    verbose: Annotated[
        bool,
        _output(
            "--verbose",
            "-v",
            help="The sentence of every step, every finding, every note.",
        ),
    ] = False,
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, _output("--csv", help="The steps as CSV on stdout.")
    ] = False,
    output: Annotated[
        Path | None,
        output_file("Write JSON or CSV, as the ending of the name or the flag says."),
    ] = None,
    force: Force = False,
    strict: Annotated[
        bool, _output("--strict", help="Exit 1 if a notice or warning is flagged.")
    ] = False,
) -> None:
    """Say what the climb was worth, whether the last step was real, what to select.

    Then as much of what is behind it as the terminal holds; --steps lists every
    submission with its verdict, --verbose every reason.

    Examples
    --------
      lbsense analyze submissions.csv --metric roc_auc
      lbsense analyze submissions.csv --metric roc_auc --steps
      lbsense analyze page1.csv page2.csv --lower-is-better
      lbsense analyze log.md --metric f1 --columns public_score=LB,cv_score=valid
      lbsense analyze s.csv --metric mae --test-size 20000 --public-fraction 30%
      lbsense analyze s.csv --metric roc_auc --cv-log runs.csv -o steps.json
      lbsense analyze s.csv --metric roc_auc --predictions oof/ --labels train.csv
      lbsense analyze s.csv --board public.csv --private-board private.csv
      kaggle c submissions titanic -v | lbsense analyze - --metric accuracy
    """
    form = _form(as_json, as_csv, output)
    if output is not None:
        inputs: list[str | Path] = [*history.inputs(), *field.inputs()]
        check_target(output, inputs, force=force)
    analysis, predictions = history.analysis(quiet=True, board=field.read)
    from lbsense import checks

    findings = checks.run_checks(analysis, predictions)
    if form is None:
        from lbsense.cli.view import print_analysis

        print_analysis(
            analysis, findings, screen.console(), verbose=verbose, steps=steps
        )
    else:
        tell_doubts(analysis.history)
        write = _json_text if form == "json" else _csv_text
        emit(write(analysis, findings), output)
    if strict and any(item.severity != "info" for item in findings.flagged):
        raise typer.Exit(FLAGGED)


def _form(as_json: bool, as_csv: bool, output: Path | None) -> str | None:
    """Return which machine form is wanted, or None for the view."""
    if as_json and as_csv:
        msg = "--json and --csv exclude each other."
        raise ValueError(msg)
    form = "json" if as_json else "csv" if as_csv else None
    if output is None:
        return form
    form = form or {".json": "json", ".csv": "csv"}.get(output.suffix.lower())
    if form is None:
        msg = f"--output: is {output} to be JSON or CSV? Add --json or --csv."
        raise ValueError(msg)
    return form


def _json_text(analysis: Analysis, findings: Findings) -> str:
    content = {**analysis.to_dict(), "findings": findings.to_list()}
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _csv_text(analysis: Analysis, _: Findings) -> str:
    """Return the step table with texts on one line, none of which is a formula."""
    frame = analysis.to_frame()
    for name in frame.columns:
        texts = [isinstance(cell, str) for cell in frame[name]]
        if any(texts):
            cells = [
                spreadsheet_safe(clean_text(cell)) if is_text else None
                for cell, is_text in zip(frame[name], texts, strict=True)
            ]
            frame[name] = cells
    return frame.to_csv(index=False, lineterminator="\n")


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
    as_json: AsJson = False,
) -> None:
    """Tell one step in full: its verdict, the evidence, and what to expect of it.

    Examples
    --------
      lbsense step 7 submissions.csv --metric roc_auc
      lbsense step last submissions.csv --metric rmse
      lbsense step "seed average" s.csv --metric f1 --json
    """
    analysis, _ = history.analysis()
    index = find_step(analysis, submission)
    chosen = analysis.steps[index]
    if as_json:
        content = {"schema": 1, "number": index + 1, **chosen.to_dict()}
        emit_json(content)
        return
    from lbsense.cli.view import print_step

    print_step(analysis, index, screen.console())


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


_EXIT_CODES = {"spend": 0, "keep": 1, "unknown": NOT_KNOWABLE}


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

    Exit codes: 0 worth it, 1 not worth it, 2 bad usage or input, 3 not knowable.

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
        from lbsense.cli.view import print_gate

        print_gate(result, facts, screen.console())
    code = _EXIT_CODES[result.decision]
    if code:
        raise typer.Exit(code)


def _digests(path: Path | None) -> list[str]:
    """Return the digest of the file of a candidate."""
    from lbsense.ingest import input_files

    return [] if path is None else [file.sha256 for file in input_files([path])]


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
        from lbsense.cli.view import print_plan

        print_plan(found, facts, screen.console())
    known = any(gate.missing is None for gate in found.gates)
    if not known and found.settle is None:
        raise typer.Exit(NOT_KNOWABLE)


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
    analysis, _ = history.analysis(board=field.read)
    board = field.judge(analysis)
    medal = None
    if board is not None:
        from lbsense.analysis import medal_picks

        medal = medal_picks(analysis, board)
    from lbsense.cli.view import pick_content, print_picks

    if as_json:
        emit_json(pick_content(analysis, medal))
    else:
        print_picks(analysis, medal, screen.console())
    if not analysis.picks:
        raise typer.Exit(NOT_KNOWABLE)


_FORMATS = ("html", "markdown", "kaggle", "zindi", "share")
_DEFAULT_NAME = {"html": "report.html", "markdown": "report.md", "share": "share.png"}


@expand_options
def report(
    history: HistoryOptions,
    field: BoardOptions,
    output: Annotated[
        str | None,
        output_file(
            "Write a page, .html or .md, or a picture to share, .png; - is standard "
            "output. By default report.html."
        ),
    ] = None,
    form: Annotated[
        str | None,
        _output(
            "--format",
            parser=parser_of(_FORMATS),
            metavar="|".join(_FORMATS),
            help="A page, its Markdown, the documentation that Kaggle or Zindi ask of "
            "winners, with marked places for what scores cannot tell, or one picture "
            "to share.",
        ),
    ] = None,
    title: Title = None,
    force: Force = False,
) -> None:
    """Write what the history says as one page that works offline.

    Examples
    --------
      lbsense report submissions.csv --metric roc_auc
      lbsense report submissions.csv --metric rmse -o retrospective.html
      lbsense report s.csv --metric mae --test-size 20000 --public-fraction 30%
      lbsense report s.csv --metric f1 --title "How we lost 40 places" -o report.md
      lbsense report s.csv --metric f1 -o share.png
      lbsense report s.csv --metric f1 --board public.csv --board-team "my team"
      lbsense report s.csv --metric f1 --format kaggle -o model_documentation.md
    """
    chosen, target = _target(cast("ReportFormat | None", form), output)
    if target is not None:
        inputs: list[str | Path] = [*history.inputs(), *field.inputs()]
        check_target(target, inputs, force=force)
        if chosen == "markdown":
            for picture in target.with_name(f"{target.stem}_files").glob("*.png"):
                check_target(picture, inputs, force=force)
    analysis, predictions = history.analysis(board=field.read)
    board = field.judge(analysis)
    from lbsense.checks import run_checks

    options: dict[str, Any] = {
        "findings": run_checks(analysis, predictions),
        "sources": [*history.sources(), *field.inputs()],
        "format": chosen,
        "title": title,
        "board": board,
    }
    if target is not None:
        write_page(analysis, target, **options)
        return
    from lbsense.report import render_report

    options["sources"] = [name for name in options["sources"] if Path(name).is_file()]
    emit(render_report(analysis, **options), None)


def _target(
    form: ReportFormat | None, output: str | None
) -> tuple[ReportFormat, Path | None]:
    """Return what to write and where, None for standard output."""
    if output == "-":
        if form == "share":
            msg = "--output: a picture is written to a file, such as share.png."
            raise ValueError(msg)
        return form or "html", None
    if output is None:
        chosen: ReportFormat = form or "html"
        return chosen, Path(_DEFAULT_NAME.get(chosen, f"{chosen}.md"))
    target = Path(output)
    suffix = target.suffix.lower()
    if form is None:
        if suffix in (".md", ".markdown"):
            return "markdown", target
        if suffix == ".png":
            return "share", target
        if suffix not in (".html", ".htm"):
            msg = (
                f"--output: is {target} HTML, Markdown or a picture? End it in .html, "
                ".md or .png, or add --format."
            )
            raise ValueError(msg)
    return form or "html", target
