"""``lbsense explain``: what a warning or finding means, and what to do."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.text import Text

from lbsense.cli.console import ScreenOptions, emit, print_entries
from lbsense.cli.options import expand_options


def complete_code(incomplete: str) -> list[str]:
    """Return the codes that begin so, for the shell."""
    from lbsense.checks import EXPLANATIONS

    return [code for code in EXPLANATIONS if code.startswith(incomplete.upper())]


@expand_options
def explain(
    screen: ScreenOptions,
    codes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CODE]...",
            autocompletion=complete_code,
            help="Such as LBS301, or 301; without one all codes are listed.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Explain a code: what it means, why it fires, when it is wrong, what to do.

    Examples
    --------
      lbsense explain
      lbsense explain LBS301
      lbsense explain 201 202 --json
    """
    from lbsense.checks import EXPLANATIONS
    from lbsense.checks import explain as look_up

    chosen = [look_up(code) for code in codes or EXPLANATIONS]
    if as_json:
        content = [item.to_dict() for item in chosen]
        emit(json.dumps(content, indent=2, allow_nan=False) + "\n", None)
        return
    console = screen.console()
    if not codes:
        print_entries(console, [(item.code, item.title) for item in chosen])
        console.print(Text("lbsense explain CODE tells more.", "dim"))
        return
    for item in chosen:
        console.print(Text(f"{item.code}  {item.title}", "bold"))
        print_entries(console, [("Severity", item.severity), *item.parts()])
