"""Is lbsense calibrated? A grid of simulated competitions with known truth.

    python -m benchmarks.calibration                       # all cells, resumed
    python -m benchmarks.calibration --rounds 4 --only B   # a quick look
    python -m benchmarks.calibration --tables-only         # from what is there

Every history is simulated, analysed and reduced to one line of JSON in the folder
``--store``; a line that is there is not made again, so an interrupted run goes on where
it stopped. Seeds from 3,000 on are the ones that no threshold was chosen on; they are
the default.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import Progress

from benchmarks.calibration.cells import Cell, grid
from benchmarks.calibration.history import one_history
from benchmarks.calibration.store import Store
from benchmarks.calibration.tables import print_tables

FIRST_SEED = 4000


def main() -> None:
    """Make what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8, help="histories in each cell")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", help="part of a cell's name, such as B or trained")
    parser.add_argument("--quick", action="store_true", help="a sixth of the grid")
    parser.add_argument("--store", type=Path, default=Path("calibration-runs"))
    parser.add_argument("--tables-only", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="tables for the docs")
    given = parser.parse_args()
    cells = [
        cell
        for cell in grid(quick=given.quick)
        if given.only is None or given.only in cell.name.split()
    ]
    store = Store(given.store)
    seeds = range(given.first_seed, given.first_seed + given.rounds)
    todo = [
        (cell, seed)
        for seed in seeds
        for cell in cells
        if not store.has(cell.name, seed)
    ]
    if not given.tables_only:
        run(todo, store, given.jobs)
    width = 400 if given.markdown else 160
    print_tables(
        store.read(cells, seeds), Console(width=width), markdown=given.markdown
    )


def run(todo: list[tuple[Cell, int]], store: Store, jobs: int) -> None:
    """Make the histories that are missing; whole batches are kept at once."""
    with (
        Progress(console=Console(stderr=True)) as progress,
        Parallel(n_jobs=jobs, return_as="generator_unordered") as parallel,
    ):
        bar = progress.add_task("histories", total=len(todo))
        made = parallel(delayed(one_history)(cell, seed) for cell, seed in todo)
        for record in made:
            store.add(record)
            progress.advance(bar)


if __name__ == "__main__":
    main()
