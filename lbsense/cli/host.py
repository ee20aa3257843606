"""``lbsense host``: what a competition says to its host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lbsense._format import format_number, format_probability
from lbsense.cli.app import (
    ScreenOptions,
    emit_json,
    note,
    plain_table,
    print_entries,
    working,
)
from lbsense.cli.board import STATED
from lbsense.cli.options import AsJson, CompetitionOptions, expand_options

if TYPE_CHECKING:
    from rich.console import Console

    from lbsense.stats import PlanCell


@expand_options
def host(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="The export of all submissions, with TeamId, PublicScore and "
            "PrivateScore; several files are parts of one.",
        ),
    ],
    known: CompetitionOptions,
    screen: ScreenOptions,
    prizes: Annotated[
        int,
        typer.Option(
            min=1, max=50, metavar="N", help="Prize places to give the chance of."
        ),
    ] = 3,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes that look at teams."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how far a final ranking can be trusted, who chased, and how to plan.

    Examples
    --------
      lbsense host submissions_export.csv --metric roc_auc
      lbsense host export.csv --lower-is-better --test-size 20000 --prizes 5 --json
    """
    from joblib import parallel_config

    from lbsense.ingest import read_host

    stated = {name: known.stated()[name] for name in STATED}
    with working("Reading ..."):
        export = read_host(files if len(files) > 1 else files[0], **stated)
    for issue in export.issues[:5]:
        note(str(issue), kind="Warning")
    with working("Analysing ..."):
        from lbsense.analysis import analyze_host

        if jobs is None:
            found = analyze_host(export, n_prizes=prizes)
        else:
            with parallel_config(n_jobs=jobs):
                found = analyze_host(export, n_prizes=prizes)
    if as_json:
        emit_json(found.to_dict())
        return
    console = screen.console()
    console.print(Text(found.headline, "bold"))
    console.print()
    print_entries(console, found.entries())
    _print_plan(found.plan, console)


def _print_plan(plan: tuple[PlanCell, ...], console: Console) -> None:
    """Print shake-up, and how often the best wins, by public share and test size."""
    factors = sorted({cell.size_factor for cell in plan})
    headers = (f"{factor:g}x test rows" for factor in factors)
    table = plain_table("public share", *headers)
    for share in sorted({cell.public_fraction for cell in plan}):
        row = {c.size_factor: c for c in plan if c.public_fraction == share}
        table.add_row(
            f"{share:.0%}",
            *(
                f"{format_number(row[f].shake_up, digits=2)}, "
                f"{format_probability(row[f].best_wins)}"
                for f in factors
            ),
        )
    console.print(Text("Shake-up by noise alone, and how often the best team wins:"))
    console.print(table)
