"""Make competitions on real tables, and hold lbsense against their truth.

python -m benchmarks.semi_real make DIR --rounds 4    # resumed where it stopped
python -m benchmarks.semi_real judge DIR              # stated against true
python -m benchmarks.semi_real judge DIR --by metric  # and for each metric
python -m benchmarks.semi_real kinds DIR              # the prior of the steps
python -m benchmarks.semi_real spoiled DIR            # picks where CV does not transfer
python -m benchmarks.semi_real files                  # what files tell without labels
python -m benchmarks.semi_real scales DIR             # CV that breaks, a second CV
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import rich.box
import rich.table
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn
from threadpoolctl import threadpool_limits

from benchmarks.semi_real.competition import make
from benchmarks.semi_real.files import WAYS, told_by_files, ways_of
from benchmarks.semi_real.folders import read_all
from benchmarks.semi_real.judging import (
    QUESTIONS,
    SPOILED,
    judge,
    judged,
    spoiled_regret,
)
from benchmarks.semi_real.kinds import fit_kinds, left_out, true_steps
from benchmarks.semi_real.oracle import ceiling
from benchmarks.semi_real.printing import print_groups, print_judged
from benchmarks.semi_real.scales import VARIANTS, judged_scales, scales_table
from benchmarks.semi_real.tables import NOT_IN_PACKAGE, TABLES

Made = TypeVar("Made")
WIDTH = 120


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.semi_real",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_make(commands.add_parser("make", help="make competitions"))
    add_judge(commands.add_parser("judge", help="hold lbsense against their truth"))
    add_kinds(commands.add_parser("kinds", help="learn the kinds of history"))
    spoiled = commands.add_parser("spoiled", help="two picks where CV was spoiled")
    spoiled.add_argument("folder", type=Path, help="holds one folder a competition")
    spoiled.add_argument("--jobs", type=int, default=1, help="processes")
    spoiled.set_defaults(run=run_spoiled)
    add_files(commands.add_parser("files", help="noise by submission files alone"))
    add_scales(commands.add_parser("scales", help="break CV, or add a second one"))
    given = parser.parse_args(arguments)
    given.run(given)


def add_make(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``make``."""
    parser.add_argument("folder", type=Path, help="one folder a competition goes here")
    parser.add_argument("--rounds", type=int, default=4, help="competitions a table")
    parser.add_argument("--first-round", type=int, default=0, help="also the seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="part of a table's name")
    parser.set_defaults(run=run_make)


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``judge``."""
    parser.add_argument("folder", type=Path, help="holds one folder a competition")
    parser.add_argument("--first", type=int, help="only the first competitions")
    parser.add_argument("--only", default="", help="part of a competition's name")
    parser.add_argument(
        "--ask", default=",".join(QUESTIONS), help="questions (default: %(default)s)"
    )
    parser.add_argument(
        "--by", choices=("metric", "policy", "table"), help="figures of each group too"
    )
    parser.add_argument(
        "--no-oracle", action="store_true", help="leave out the ceiling"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.set_defaults(run=run_judge)


def add_kinds(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``kinds``."""
    parser.add_argument("folder", type=Path, help="holds one folder a competition")
    parser.add_argument("--kinds", type=int, default=5, help="how many")
    parser.add_argument(
        "--leave-out", type=int, default=0, help="parts of the tables, one at a time"
    )
    parser.set_defaults(run=run_kinds)


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``files``."""
    parser.add_argument("--rounds", type=int, default=5, help="competitions a table")
    parser.add_argument("--first-round", type=int, default=31, help="also the seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.set_defaults(run=run_files)


def run_files(given: argparse.Namespace) -> None:
    """Play competitions and print what is stated with and without their files."""
    rounds = range(given.first_round, given.first_round + given.rounds)
    todo = [(told_by_files, table, number) for number in rounds for table in TABLES]
    console = Console(stderr=True)
    told = in_parallel(quietly, todo, "competitions", given.jobs, console)
    found = [one for one in told if one is not None]
    title = f"{len(found)} competitions"
    table = rich.table.Table("figure", *WAYS, title=title, box=rich.box.MARKDOWN)
    for name, values in ways_of(found).items():
        table.add_row(str(name), *(f"{value:.3f}" for value in values))
    Console(width=WIDTH).print(table)


def run_spoiled(given: argparse.Namespace) -> None:
    """Print what two picks lose where CV was spoiled on purpose."""
    console = Console(stderr=True)
    folders = [competition.folder for competition in read_all(given.folder)]
    for way, told in SPOILED.items():
        todo = [(spoiled_regret, folder, way) for folder in folders]
        found = list(in_parallel(quietly, todo, way, given.jobs, console))
        lost = {rule: [one[rule] for one in found if one] for rule in found[0]}
        means = "; ".join(
            f"{rule} {sum(values) / len(values):.4f}" for rule, values in lost.items()
        )
        Console(width=WIDTH).print(f"{told}: {means}")


def add_scales(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``scales``."""
    parser.add_argument("folder", type=Path, help="holds one folder a competition")
    parser.add_argument("--first", type=int, help="only the first competitions")
    parser.add_argument("--only", default="", help="part of a change's name")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.set_defaults(run=run_scales)


def run_scales(given: argparse.Namespace) -> None:
    """Print what is found of the steps under every change of CV."""
    names = [name for name in VARIANTS if given.only in name]
    folders = [played.folder for played in read_all(given.folder)][: given.first]
    todo = [(folder, names) for folder in folders]
    console = Console(stderr=True)
    told = in_parallel(judged_scales, todo, "histories", given.jobs, console)
    table = scales_table(steps for found in told for steps in found)
    out = Console(width=2 * WIDTH, soft_wrap=True)
    out.print(f"| CV | {' | '.join(table.columns)} |")
    out.print("|---" * (1 + len(table.columns)) + "|")
    for name, row in table.iterrows():
        out.print(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |")


def run_kinds(given: argparse.Namespace) -> None:
    """Print the kinds of history, or how well they foretell other tables."""
    histories = [
        (str(played.meta["table"]), steps)
        for played in read_all(given.folder)
        if (steps := true_steps(played)) is not None
    ]
    console = Console(width=WIDTH)
    if given.leave_out:
        one, kinds = left_out(histories, given.kinds, given.leave_out)
        console.print(
            f"Log likelihood of a step on tables left out: one law {one:.4f},"
        )
        console.print(f"{given.kinds} kinds {kinds:.4f}, {len(histories)} histories.")
        return
    shares, weight = fit_kinds([steps for _, steps in histories], given.kinds)
    for law, likely in zip(shares, weight, strict=True):
        console.print(f"{likely:.2f}", *(f"{share:.3f}" for share in law))


def run_make(given: argparse.Namespace) -> None:
    """Make what is missing, round by round."""
    given.folder.mkdir(parents=True, exist_ok=True)
    rounds = range(given.first_round, given.first_round + given.rounds)
    todo = [
        (make, table, number, given.folder)
        for number in rounds
        for table in TABLES
        if given.only in table.name
        and not (given.folder / f"{table.short}-{number}").exists()
    ]
    console = Console(stderr=True)
    console.print(f"The package has no {' and no '.join(NOT_IN_PACKAGE)}: left out.")
    for _ in in_parallel(quietly, todo, "competitions", given.jobs, console):
        pass


def run_judge(given: argparse.Namespace) -> None:
    """Ask lbsense of every competition and print what is true beside it."""
    asked = given.ask.split(",")
    if unknown := set(asked) - set(QUESTIONS):
        msg = f"--ask has {sorted(unknown)}; there are {list(QUESTIONS)}."
        raise SystemExit(msg)
    competitions = [c for c in read_all(given.folder) if given.only in c.name]
    competitions = competitions[: given.first]
    if not competitions:
        msg = f"{given.folder} holds no competition: make some first."
        raise SystemExit(msg)
    console = Console(stderr=True)
    todo = [(competition.folder, asked) for competition in competitions]
    told = list(in_parallel(judged, todo, "histories", given.jobs, console))
    told.sort(key=lambda history: history.name)
    found: dict[str, Any] = {"stated": judge(told)}
    if not given.no_oracle and len(competitions) > 1:
        found["ceiling"] = {
            noise: ceiling(competitions, noise=noise) for noise in ("step", "history")
        }
    out = Console(width=WIDTH)
    print_judged(found, out)
    if given.by:
        group_of = {c.name: str(c.meta[given.by]) for c in competitions}
        groups = sorted(set(group_of.values()))
        found["groups"] = {
            group: judge([h for h in told if group_of[h.name] == group])
            for group in groups
        }
        print_groups(found["groups"], given.by, out)
    if given.json:
        text = json.dumps(without_nan(found), indent=1)
        given.json.write_text(text + "\n", encoding="utf-8")


def without_nan(value: Any) -> Any:
    """Return figures with None where there is no number, as JSON wants it."""
    if isinstance(value, dict):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def in_parallel(
    function: Callable[..., Made],
    todo: Iterable[tuple[Any, ...]],
    what: str,
    jobs: int,
    console: Console,
) -> Iterator[Made]:
    """Yield what the function makes of each, with a bar that shows how far it is."""
    todo = list(todo)
    bars = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Progress(*bars, console=console) as progress,
        Parallel(n_jobs=jobs, return_as="generator") as parallel,
    ):
        bar = progress.add_task(what, total=len(todo))
        for made in parallel(delayed(function)(*one) for one in todo):
            progress.advance(bar)
            yield made


def quietly(function: Callable[..., Made], *given: Any) -> Made:
    """Call a function on one core, without the learners' warnings."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*given)


if __name__ == "__main__":
    main()
