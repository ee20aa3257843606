"""``lbsense explain``, ``formats``, ``metrics``, ``schema``: what lbsense knows."""

from __future__ import annotations

import json
import pkgutil
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lbsense._verdicts import VERDICTS
from lbsense.cli.console import (
    ScreenOptions,
    emit,
    emit_json,
    plain_table,
    print_entries,
)
from lbsense.cli.options import AsJson, expand_options

if TYPE_CHECKING:
    from lbsense.ingest import FormatGuide


def complete_code(incomplete: str) -> list[str]:
    """Return the codes and the verdicts that begin so, for the shell."""
    from lbsense.checks import EXPLANATIONS

    names = (*VERDICTS, *EXPLANATIONS)
    return [name for name in names if name.lower().startswith(incomplete.lower())]


@expand_options
def explain(
    screen: ScreenOptions,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VERDICT|CODE]...",
            autocompletion=complete_code,
            help="A verdict such as guess, or a code such as LBS301 or 301; without "
            "one all are listed.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain a verdict or a code: what it means, when it is wrong, what to do.

    One step of your own history is told in full by `lbsense step`.

    Examples
    --------
      lbsense explain
      lbsense explain guess
      lbsense explain LBS301
      lbsense explain 201 202 --json
    """
    from lbsense.checks import EXPLANATIONS
    from lbsense.checks import explain as look_up

    chosen = [look_up(name) for name in names or (*VERDICTS, *EXPLANATIONS)]
    if as_json:
        content = [item.to_dict() for item in chosen]
        emit_json(content)
        return
    console = screen.console()
    if not names:
        entries = [(item.code, item.title) for item in chosen]
        print_entries(console, entries[: len(VERDICTS)], title="Verdicts")
        print_entries(console, entries[len(VERDICTS) :], title="Warnings and findings")
        console.print(Text("lbsense explain NAME tells more.", "dim"))
        return
    for item in chosen:
        console.print(Text(f"{item.code}  {item.title}", "bold"))
        severity = [] if item.code in VERDICTS else [("Severity", item.severity)]
        print_entries(console, [*severity, *item.parts()])


@expand_options
def formats(
    screen: ScreenOptions,
    name: Annotated[
        str | None,
        typer.Argument(
            help="Show one format in full, or all that begin so: kaggle, zindi."
        ),
    ] = None,
) -> None:
    """Explain what can be read and how to get each export.

    Examples
    --------
      lbsense formats
      lbsense formats kaggle-csv
      lbsense formats zindi
    """
    from lbsense.ingest import FORMATS

    console = screen.console()
    chosen = [guide for guide in FORMATS if _is_called(guide, name)]
    if not chosen:
        known = ", ".join(guide.name for guide in FORMATS)
        msg = f"There is no format {name!r}. Formats are {known}."
        raise ValueError(msg)
    for guide in chosen:
        console.print(Text.assemble((guide.name, "bold"), f"  {guide.title}"))
        lines = [("Get it", guide.how)]
        if name is not None:
            lines.append(("Read", ", ".join(guide.columns)))
        lines += [("Mind", caveat) for caveat in guide.caveats]
        print_entries(console, lines)
    console.print(
        Text("Any of them, also as .gz or .zip: lbsense analyze FILE --metric NAME")
    )


def _is_called(guide: FormatGuide, name: str | None) -> bool:
    return name is None or guide.name.startswith(name.strip().lower())


_MOST_ALIASES = 3


@expand_options
def metrics(screen: ScreenOptions) -> None:
    """List the metrics that --metric knows: name, direction, other names.

    Examples
    --------
      lbsense metrics
      lbsense metrics | grep -i auc
    """
    from lbsense.metrics import METRICS

    table = plain_table("name", "better", "what it is", "also called (among others)")
    for metric in METRICS.values():
        table.add_row(
            metric.name,
            "higher" if metric.greater_is_better else "lower",
            metric.title,
            ", ".join(sorted(metric.aliases, key=len)[:_MOST_ALIASES]),
        )
    screen.console().print(table)


_NAMES = (
    "analyze",
    "board",
    "card",
    "compare",
    "explain",
    "gate",
    "host",
    "ledger",
    "pick",
    "plan",
    "step",
)


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
