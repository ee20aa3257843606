"""``lbsense field``: shake-up and overfitting over thousands of competitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from lbsense._files import replace_file
from lbsense.cli.app import ScreenOptions, note, print_entries, working
from lbsense.cli.options import check_target, expand_options


@expand_options
def field(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Where Competitions.csv, Teams.csv and Submissions.csv of Meta Kaggle "
            "lie.",
        ),
    ],
    screen: ScreenOptions,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a page, .html."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one row per competition, .csv."),
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What DuckDB may hold in memory.")
    ] = "3GB",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files that are there.")
    ] = False,
) -> None:
    """Say what finished competitions did, from Meta Kaggle's tables, out of core.

    Needs DuckDB: pip install 'lbsense[field]'.

    Examples
    --------
      lbsense field meta-kaggle/ -o field.html --table competitions.csv
    """
    for target in (output, table):
        if target is not None:
            check_target(target, [folder], force=force)
    from lbsense.ingest import read_field

    with working("Reading Meta Kaggle ..."):
        rows = read_field(folder, memory=memory)
    from lbsense.analysis import analyze_field

    found = analyze_field(rows)
    console = screen.console()
    console.print(Text(found.headline, "bold"))
    console.print()
    print_entries(console, found.entries())
    if table is not None:
        replace_file(found.competitions.to_csv(index=False), table)
        note(f"Written: {table}")
    if output is not None:
        from lbsense.report import write_report

        write_report(found, output)
        note(f"Written: {output}")
