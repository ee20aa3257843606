"""Make competitions on real tables, and hold lbsense against their truth.

python -m benchmarks.semi_real make DIR --rounds 4    # resumed where it stopped
python -m benchmarks.semi_real judge DIR              # stated against true
python -m benchmarks.semi_real oracle DIR             # what could be known
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from threadpoolctl import threadpool_limits

from benchmarks.semi_real.competition import make
from benchmarks.semi_real.tables import NOT_IN_PACKAGE, TABLES, Table


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.semi_real",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_make(commands.add_parser("make", help="make competitions"))
    given = parser.parse_args(arguments)
    given.run(given)


def add_make(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``make``."""
    parser.add_argument("folder", type=Path, help="one folder a competition goes here")
    parser.add_argument("--rounds", type=int, default=4, help="competitions a table")
    parser.add_argument("--first-round", type=int, default=0, help="also the seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", help="part of a table's name")
    parser.set_defaults(run=run_make)


def run_make(given: argparse.Namespace) -> None:
    """Make what is missing, round by round."""
    given.folder.mkdir(parents=True, exist_ok=True)
    rounds = range(given.first_round, given.first_round + given.rounds)
    todo = [
        (table, number)
        for number in rounds
        for table in TABLES
        if (given.only or "") in table.name
        and not (given.folder / f"{table.short}-{number}").exists()
    ]
    console = Console(stderr=True)
    console.print(f"The package has no {' and no '.join(NOT_IN_PACKAGE)}: left out.")
    bars = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*bars, console=console) as progress,
        Parallel(n_jobs=given.jobs, return_as="generator_unordered") as parallel,
    ):
        bar = progress.add_task("competitions", total=len(todo))
        for _ in parallel(delayed(quiet_make)(*one, given.folder) for one in todo):
            progress.advance(bar)


def quiet_make(table: Table, number: int, folder: Path) -> Path:
    """Make one competition on one core, without the learners' warnings."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(table, number, folder)


if __name__ == "__main__":
    main()
