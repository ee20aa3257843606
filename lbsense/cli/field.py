"""``lbsense field``: shake-up and overfitting over thousands of competitions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from lbsense._files import replace_file
from lbsense.cli.app import ScreenOptions, emit_json, note, print_entries, working
from lbsense.cli.options import (
    AsJson,
    Force,
    Title,
    check_target,
    expand_options,
    output_file,
)


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
        list[Path] | None,
        output_file(
            "Write a page, .html, or one row a competition, .csv; repeat it for both."
        ),
    ] = None,
    title: Title = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What DuckDB may hold in memory.")
    ] = "3GB",
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    r"""Say what finished competitions did, from Meta Kaggle's tables, out of core.

    Needs DuckDB: pip install 'lbsense\[field]'.

    Examples
    --------
      lbsense field meta-kaggle/ -o field.html -o competitions.csv
      lbsense field meta-kaggle/ --memory 8GB --json
    """
    for target in output or ():
        check_target(target, [folder], force=force)
    from lbsense.ingest import read_field

    with working("Reading Meta Kaggle ..."):
        rows = read_field(folder, memory=memory)
    from lbsense.analysis import analyze_field

    found = analyze_field(rows)
    if as_json:
        emit_json(found.to_dict())
    else:
        console = screen.console()
        console.print(Text(found.headline, "bold"))
        console.print()
        print_entries(console, found.entries())
    for target in output or ():
        if target.suffix.lower() == ".csv":
            replace_file(found.competitions.to_csv(index=False), target)
        else:
            from lbsense.report import write_report

            write_report(found, target, title=title)
        note(f"Written: {target}")
