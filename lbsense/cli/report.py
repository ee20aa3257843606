"""``lbsense report``: a page, its Markdown, or the document a competition asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lbsense.cli.board import BoardOptions
from lbsense.cli.console import emit, note, tell_doubts, working
from lbsense.cli.options import (
    Force,
    HistoryOptions,
    PredictionOptions,
    StepNoise,
    check_target,
    expand_options,
    parser_of,
)

if TYPE_CHECKING:
    from lbsense.report import ReportFormat

_FORMATS = ("html", "markdown", "kaggle", "zindi", "share")
_DEFAULT_NAME = {"html": "report.html", "markdown": "report.md", "share": "share.png"}


@expand_options
def report(
    history: HistoryOptions,
    rows: PredictionOptions,
    field: BoardOptions,
    step_noise: StepNoise = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to write: .html, .md, or .png for a picture to share; - is "
            "standard output. By default report.html.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            parser=parser_of(_FORMATS),
            metavar="|".join(_FORMATS),
            help="A page, its Markdown, the documentation that Kaggle or Zindi ask of "
            "winners, with marked places for what scores cannot tell, or one picture "
            "to share.",
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(
            "--title",
            metavar="TEXT",
            help="Title of the page. By default the name of the competition.",
        ),
    ] = None,
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
        inputs: list[str | Path] = [*history.inputs(), *rows.inputs(), *field.inputs()]
        check_target(target, inputs, force=force)
        if chosen == "markdown":
            for picture in target.with_name(f"{target.stem}_files").glob("*.png"):
                check_target(picture, inputs, force=force)
    observed = history.read()
    tell_doubts(observed)
    predictions = rows.read(observed)
    with working("Analysing ..."):
        from lbsense.analysis import analyze
        from lbsense.checks import run_checks

        analysis = analyze(observed, predictions, step_noise=step_noise)
        findings = run_checks(analysis, predictions)
    board = field.read(analysis)
    read = [*history.inputs(), *field.inputs()]
    sources = [name for name in read if Path(name).is_file()]
    with working("Writing the report ..."):
        from lbsense.report import render_report, write_report

        options: dict[str, Any] = {
            "findings": findings,
            "sources": sources,
            "format": chosen,
            "title": title,
            "board": board,
        }
        if target is not None:
            write_report(analysis, target, **options)
        else:
            text = render_report(analysis, **options)
    if target is None:
        emit(text, None)
    else:
        note(f"Written: {target}")


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
