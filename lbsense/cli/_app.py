"""The command line as a whole: its commands, its version, its entry point."""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from lbsense import __version__
from lbsense.cli._errors import ExitCodes
from lbsense.cli.analyze import analyze
from lbsense.cli.explain import explain
from lbsense.cli.formats import formats
from lbsense.cli.gate import gate
from lbsense.cli.metrics import metrics
from lbsense.cli.pick import pick
from lbsense.cli.report import report
from lbsense.cli.simulate import simulate

__all__ = ["app", "main"]

_COMMANDS = (
    analyze,
    report,
    pick,
    gate,
    explain,
    simulate,
    formats,
    metrics,
)

app = typer.Typer(
    cls=ExitCodes,
    name="lbsense",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _help(command: Callable[..., None]) -> str:
    """Return the docstring of a command with its examples kept line by line."""
    text = inspect.getdoc(command) or ""
    return text.replace("Examples\n--------", "\b\nExamples:")


for _command in _COMMANDS:
    app.command(help=_help(_command))(_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lbsense {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the version and exit.",
            is_eager=True,
            callback=_show_version,
        ),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error came from.")
    ] = False,
) -> None:
    """Say what a leaderboard score means: the noise in it and the luck in it.

    Examples
    --------
      lbsense analyze submissions.csv --metric roc_auc
      lbsense formats     (how to get such a file from Kaggle or Zindi)
    """


app.callback(help=_help(_root))(_root)


def main() -> None:
    """Run the command line on the arguments of the process.

    Exit codes: 0 done, 1 a finding is flagged under ``--strict``, 2 bad usage or
    input, 70 a bug in lbsense, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end the program.
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError):
                stream.reconfigure(errors="replace")
    app(prog_name="lbsense")
