"""``lbsense analyze``: a verdict for every submission of a history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lbsense._format import clean_text, spreadsheet_safe
from lbsense.cli.console import FLAGGED, ScreenOptions, emit, tell_doubts, working
from lbsense.cli.options import (
    HistoryOptions,
    PredictionOptions,
    StepNoise,
    check_target,
    expand_options,
    panel,
)

if TYPE_CHECKING:
    from lbsense.analysis import Analysis
    from lbsense.checks import Findings

_output = panel("Output")


@expand_options
def analyze(
    history: HistoryOptions,
    screen: ScreenOptions,
    rows: PredictionOptions,
    step_noise: StepNoise = None,
    as_json: Annotated[
        bool, _output("--json", help="JSON (docs/json.md) on stdout.")
    ] = False,
    as_csv: Annotated[
        bool, _output("--csv", help="The steps as CSV on stdout.")
    ] = False,
    output: Annotated[
        Path | None,
        _output(
            "--output",
            "-o",
            metavar="FILE",
            help="Write JSON or CSV to this file, as its suffix or the flag says.",
        ),
    ] = None,
    force: Annotated[
        bool, _output("--force", help="Overwrite a file that is there.")
    ] = False,
    strict: Annotated[
        bool, _output("--strict", help="Exit 1 if a notice or warning is flagged.")
    ] = False,
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
      lbsense analyze s.csv --metric mae --cv-log runs.csv --json -o steps.json
      lbsense analyze s.csv --metric mae --predictions oof/ --labels train.csv
      kaggle c submissions titanic -v | lbsense analyze - --metric accuracy
    """
    form = _form(as_json, as_csv, output)
    if output is not None:
        check_target(output, [*history.inputs(), *rows.inputs()], force=force)
    observed = history.read()
    predictions = rows.read(observed)
    with working("Analysing ..."):
        from lbsense.analysis import analyze as judge
        from lbsense.checks import run_checks

        analysis = judge(observed, predictions, step_noise=step_noise)
        findings = run_checks(analysis, predictions)
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
