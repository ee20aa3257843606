"""``lbsense schema``: the JSON Schema of what a command prints with ``--json``."""

from __future__ import annotations

import json
import pkgutil
from typing import Annotated

import typer

from lbsense.cli.console import emit

_NAMES = ("analyze", "explain", "gate", "pick")


def complete_name(incomplete: str) -> list[str]:
    """Return the commands that begin so, for the shell."""
    return [name for name in _NAMES if name.startswith(incomplete)]


def schema(
    command: Annotated[
        str | None,
        typer.Argument(
            metavar="|".join(_NAMES),
            autocompletion=complete_name,
            help="Command whose output is described; without one all schemas are "
            "printed, by command.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of the output of a command with --json.

    Examples
    --------
      lbsense schema analyze
      lbsense schema gate > gate.schema.json
    """
    if command is None:
        whole = {name: json.loads(_schema(name)) for name in _NAMES}
        emit(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", None)
        return
    if command not in _NAMES:
        msg = f"{command!r} has no schema. Commands with one are {', '.join(_NAMES)}."
        raise ValueError(msg)
    emit(_schema(command), None)


def _schema(name: str) -> str:
    # Also where the package is imported from a zipped wheel.
    found = pkgutil.get_data("lbsense", f"schemas/{name}.json")
    assert found is not None
    return found.decode("utf-8")
