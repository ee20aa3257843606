"""Errors to exit codes: one clear message, never a traceback unless asked for."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer
from typer.core import TyperGroup

from lbsense.cli._console import note
from lbsense.cli._wording import as_options
from lbsense.errors import LbsenseError

__all__ = ["BAD_INPUT", "FLAGGED", "ExitCodes"]

FLAGGED = 1
BAD_INPUT = 2
_BUG = 70  # EX_SOFTWARE of sysexits.h
_INTERRUPTED = 130
_BROKEN_PIPE = 141


class ExitCodes(TyperGroup):
    """The group of all commands, which ends each of them with the right exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command and turn what it raises into a message and an exit code."""
        try:
            with _plain_warnings():
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_output()
            raise typer.Exit(_BROKEN_PIPE) from None
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
        name = f"{error.filename}: " if error.filename is not None else ""
        note(f"{name}{error.strerror}.", kind="Error")
        return BAD_INPUT
    if isinstance(error, (LbsenseError, ValueError, OSError)):
        note(as_options(str(error)) or type(error).__name__, kind="Error")
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
        note(as_options(str(message)), kind="Warning")

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def _discard_output() -> None:
    """Let nothing that is still buffered fail when the interpreter shuts down."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
