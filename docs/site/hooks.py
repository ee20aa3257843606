"""Pages that say what the package itself knows: help, metrics, public names.

A line such as ``<!-- commands -->`` or ``<!-- names of lbsense.plots -->`` in a page is
replaced while the site is built, so that no fact is written down twice.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sized
from importlib import import_module
from typing import Any

from typer.testing import CliRunner

from lbsense.cli import COMMANDS, app
from lbsense.metrics import METRICS

_PLACE = re.compile(r"^<!-- (commands|metrics|names of ([\w.]+)) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the page with its marked places filled."""
    return _PLACE.sub(_filled, markdown)


def _filled(place: re.Match[str]) -> str:
    if place[1] == "commands":
        return "\n".join(commands())
    if place[1] == "metrics":
        return "\n".join(metrics())
    return "\n\n".join(names(place[2]))


def names(package: str) -> Iterator[str]:
    """Yield what a package makes public: its functions and classes, then constants."""
    room = import_module(package)
    values = {name: getattr(room, name) for name in sorted(room.__all__, key=str.lower)}
    constants = []
    for name, value in values.items():
        if inspect.isclass(value) or inspect.isfunction(value):
            yield f"::: {package}.{name}"
        else:
            constants.append(f"- `{name}`: {_constant(value)}")
    yield "\n".join(constants)


def _constant(value: Any) -> str:
    shown = str(value).replace("typing.", "")
    if len(shown) > 70 and isinstance(value, Sized):
        shown = f"{type(value).__name__} of {len(value)}"
    return f"`{shown}`"


def metrics() -> Iterator[str]:
    """Yield the table of all registered metrics."""
    yield "| name | better | what it is |"
    yield "|---|---|---|"
    for name, metric in METRICS.items():
        better = "higher" if metric.greater_is_better else "lower"
        yield f"| `{name}` | {better} | {_cell(metric.title)} |"


def commands() -> Iterator[str]:
    """Yield the help of every command as a terminal shows it."""
    for name in COMMANDS:
        yield f"## `lbsense {name}`\n"
        yield "\n".join(["```text", _help(name), "```", ""])


def _help(command: str) -> str:
    environment = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [command, "--help"], env=environment)
    lines = [line.rstrip() for line in done.output.splitlines()]
    return "\n".join(lines).strip("\n")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
