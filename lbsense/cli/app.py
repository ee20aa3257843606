"""The command line as a whole: its commands, its exit codes, its entry point."""

from __future__ import annotations

import errno
import inspect
import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from lbsense._version import __version__
from lbsense.cli.console import BAD_INPUT, note
from lbsense.errors import LbsenseError

_BUG = 70  # EX_SOFTWARE of sysexits.h
_INTERRUPTED = 130
_BROKEN_PIPE = 141
_OUTPUT_FULL = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)


#: Command -> the module where it lives, which is loaded when the command is called.
COMMANDS = {
    "fetch": "fetch",
    "watch": "fetch",
    "analyze": "analyze",
    "step": "step",
    "report": "report",
    "pick": "pick",
    "gate": "gate",
    "plan": "plan",
    "compare": "compare",
    "board": "board",
    "host": "host",
    "field": "field",
    "mcp": "mcp",
    "log": "log",
    "card": "card",
    "explain": "known",
    "simulate": "simulate",
    "vendor": "vendor",
    "formats": "known",
    "metrics": "known",
    "schema": "known",
}


class ExitCodes(TyperGroup):
    """The group of all commands, which ends each of them with the right exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names of all commands, none of which is loaded for that."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a command, loading its module; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        room = import_module(f"lbsense.cli.{COMMANDS[cmd_name]}")
        made = typer.Typer(rich_markup_mode="rich", add_completion=False)
        command = getattr(room, cmd_name)
        made.command(cmd_name, help=_help(command))(command)
        return typer.main.get_command(made)

    def invoke(self, ctx: Any) -> Any:
        """Run the command and turn what it raises into a message and an exit code."""
        try:
            with _plain_warnings():
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
            raise typer.Exit(_BROKEN_PIPE) from None
        except OSError as error:
            if error.errno in _OUTPUT_FULL and error.filename is None:
                _discard_output()
            raise typer.Exit(_report(error, verbose=ctx.params["traceback"])) from None
        except (KeyboardInterrupt, typer.Abort):
            note("Interrupted.")
            raise typer.Exit(_INTERRUPTED) from None
        except Exception as error:
            if hasattr(error, "exit_code"):  # typer's own: usage errors, --help
                raise
            raise typer.Exit(_report(error, verbose=ctx.params["traceback"])) from None
        return result


def _report(error: Exception, *, verbose: bool) -> int:
    """Tell the user what went wrong and return the exit code for it."""
    if verbose:
        note("".join(traceback.format_exception(error)).rstrip())
    if isinstance(error, OSError) and error.strerror:
        name = error.filename if error.filename is not None else "standard output"
        name = f"{name}: "
        note(f"{name}{error.strerror}.", kind="Error")
        return BAD_INPUT
    if isinstance(error, (LbsenseError, ValueError, OSError)):
        note(str(error) or type(error).__name__, kind="Error")
        return BAD_INPUT
    note(
        f"a bug in lbsense, not in your file ({type(error).__name__}: {error}). "
        "Please report it with the output of the same command after "
        "`lbsense --traceback`.",
        kind="Error",
    )
    return _BUG


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as notes, without the line of code they came from."""

    def show(message: Warning | str, *_: object) -> None:
        note(str(message), kind="Warning")

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _discard_output() -> None:
    """Let nothing that is still buffered fail when the interpreter shuts down."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    cls=ExitCodes,
    name="lbsense",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _help(command: Callable[..., None]) -> str:
    """Return the docstring of a command with its examples kept line by line."""
    text = inspect.getdoc(command) or ""
    return text.replace("Examples\n--------", "\b\nExamples:")


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
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the program
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end the program.
        if isinstance(stream, io.TextIOWrapper):
            with suppress(ValueError):
                stream.reconfigure(errors="replace")
    app(prog_name="lbsense")
