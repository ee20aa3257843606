"""The tables of docs/calibration.md from the records of many histories."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.calibration.cells import Cell

__all__ = ["print_tables"]

Records = list[dict[str, Any]]
RULES = ("two best public", "best public and best CV", "two best CV", "last two")


def print_tables(
    found: dict[Cell, Records], console: Console, *, markdown: bool = False
) -> None:
    """Print every table, each with its target in the title."""
    found = {cell: records for cell, records in found.items() if records}
    if not found:
        console.print("No history has been made yet.")
        return
    n_histories = sum(map(len, found.values()))
    console.print(f"{n_histories:,} histories in {len(found)} kinds of competition.")
    for table in (
        _claims(found),
        _worst_cells(found),
        _reliability(found),
        _bands(found),
        _luck(found),
        _regret(found),
    ):
        if markdown:
            table.box = box.MARKDOWN
        console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name)
    return table


def _groups(found: dict[Cell, Records]) -> dict[tuple[str, ...], dict[Cell, Records]]:
    """Return the cells by level, world, policy and what is special about them."""
    groups: dict[tuple[str, ...], dict[Cell, Records]] = {}
    for cell, records in found.items():
        special = f"CV noise {cell.cv_noise}" if cell.cv_noise else ""
        special = special or ("" if cell.parents == "declared" else "parents unknown")
        key = (cell.level, cell.world, cell.policy, special)
        groups.setdefault(key, {})[cell] = records
    return groups


def pool(records: Iterable[dict[str, Any]], name: str) -> np.ndarray:
    """Return the values of all histories in a row."""
    return np.concatenate(
        [
            np.atleast_1d(np.asarray(item[name], float))
            for item in records
            if name in item
        ]
        or [np.zeros(0)]
    )


def _false(records: Records, sign: int) -> tuple[int, float, float]:
    """Return claims, the share of false ones, and its Monte Carlo error.

    Claims of one history depend on each other: the error is that of a ratio of sums
    over histories, but never below that of independent claims at a tenth.
    """
    claims, wrong = [], []
    for item in records:
        claim, truth = np.asarray(item["claim"]), np.asarray(item["truth"])
        made = claim == sign
        claims.append(int(made.sum()))
        wrong.append(int((sign * truth[made] <= 1e-12).sum()))
    n, m = np.array(claims, float), np.array(wrong, float)
    if not n.sum():
        return 0, np.nan, np.nan
    share = m.sum() / n.sum()
    error = np.sqrt(np.square(m - share * n).sum()) / n.sum()
    return int(n.sum()), share, max(float(error), np.sqrt(0.09 / n.sum()))


def _real(records: Records) -> tuple[np.ndarray, np.ndarray]:
    chance = pool(records, "p_gain")
    rope = np.concatenate([np.full(len(r["truth"]), r["rope"]) for r in records])
    return chance, pool(records, "truth") > rope


def _all(cells: dict[Cell, Records]) -> Records:
    return [record for records in cells.values() for record in records]


def _claims(found: dict[Cell, Records]) -> Table:
    table = _table(
        "Claims at a false-discovery rate of .10; all-null histories with any progress "
        "at most 5%",
        "level", "world", "policy", "", "histories", "progress", "false", "setback",
        "false", "power", "all-null with progress", "95% interval of steps covers",
    )  # fmt: skip
    for key, cells in _groups(found).items():
        records = _all(cells)
        up, down = _false(records, 1), _false(records, -1)
        _, real = _real(records)
        power = (pool(records, "claim")[real] == 1).mean() if real.any() else np.nan
        null = [
            any(value == 1 for value in item["claim"])
            for cell, items in cells.items()
            if cell.null_fraction == 1.0
            for item in items
        ]
        shown = f"{np.mean(null):.3f} of {len(null)}" if null else "-"
        table.add_row(
            *key, str(len(records)), str(up[0]), f"{up[1]:.3f}", str(down[0]),
            f"{down[1]:.3f}", f"{power:.2f}", shown,
            f"{pool(records, 'covered').mean():.3f}",
        )  # fmt: skip
    return table


def _worst_cells(found: dict[Cell, Records]) -> Table:
    table = _table(
        "Cells whose share of false claims is above .10 by more than two Monte Carlo "
        "errors",
        "cell", "claim", "claims", "false", "error",
    )  # fmt: skip
    n_tested = 0
    for cell, records in found.items():
        for word, sign in (("progress", 1), ("setback", -1)):
            n, share, error = _false(records, sign)
            n_tested += n > 0
            if n and share > 0.1 + 2 * error:
                table.add_row(cell.name, word, str(n), f"{share:.2f}", f"{error:.2f}")
    table.caption = f"of {n_tested} cells with claims"
    return table


def _reliability(found: dict[Cell, Records]) -> Table:
    edges = np.array([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0000001])
    table = _table(
        "P(gain): share of true gains among steps with a stated probability; slope .85 "
        "to 1.15, Brier score at least 40% below that of the base rate in mixed cells",
        "level", "world", *(f"{a:.1f} to {b:.1f}" for a, b in pairwise(edges)),
        "slope", "Brier", "base rate's", "below by",
    )  # fmt: skip
    for level, world in sorted({(cell.level, cell.world) for cell in found}):
        records = _all(
            {
                cell: items
                for cell, items in found.items()
                if (cell.level, cell.world) == (level, world)
                and cell.null_fraction != 1.0
                and not cell.cv_noise
            }
        )
        if not records:
            continue
        chance, real = _real(records)
        bins = np.digitize(chance, edges) - 1
        shown = [
            f"{real[bins == b].mean():.2f} ({(bins == b).sum()})"
            if (bins == b).any()
            else "-"
            for b in range(len(edges) - 1)
        ]
        slope = np.polyfit(chance, real.astype(float), 1)[0]
        # The base rate of each history: what one would say who knew only that.
        brier = float(np.square(chance - real).mean())
        base = _base_brier(records)
        table.add_row(
            level, world, *shown, f"{slope:.2f}", f"{brier:.4f}", f"{base:.4f}",
            f"{1 - brier / base:.0%}",
        )  # fmt: skip
    return table


def _base_brier(records: Records) -> float:
    squares = []
    for record in records:
        real = np.asarray(record["truth"]) > record["rope"]
        squares.append(np.square(real - real.mean()))
    return float(np.concatenate(squares).mean())


def _bands(found: dict[Cell, Records]) -> Table:
    table = _table(
        "Private bands: .93 to .97 and .77 to .83 at level D, .91 to .98, .75 to .86 "
        "at level B",
        "level", "world", "policy", "", "95% covers", "80% covers",
        "95%, best", "80%, best", "error of best", "of its score",
    )  # fmt: skip
    for key, cells in _groups(found).items():
        records = [item for item in _all(cells) if "cover95" in item]
        if not records:
            continue
        shown = [
            f"{pool(records, name).mean():.3f}"
            for name in ("cover95", "cover80", "best95", "best80")
        ]
        errors = [
            f"{pool(records, name).mean():+.4f}"
            for name in ("best_error", "best_naive_error")
        ]
        table.add_row(*key, *shown, *errors)
    return table


def _luck(found: dict[Cell, Records]) -> Table:
    table = _table(
        "Luck share of new public bests, stated against true: within .07",
        "level", "world", "policy", "", "null", "stated", "true", "apart",
        "climb: public", "stated", "true",
    )  # fmt: skip
    groups: dict[tuple[str, ...], Records] = {}
    for key, cells in _groups(found).items():
        for cell, records in cells.items():
            null = "-" if cell.null_fraction is None else str(cell.null_fraction)
            groups.setdefault((*key, null), []).extend(records)
    for key, records in groups.items():
        n = pool(records, "bests").sum()
        if not n:
            continue
        stated = pool(records, "luck_stated").sum() / n
        true = pool(records, "luck_true").sum() / n
        climbs = [
            f"{pool(records, name).mean():.4f}"
            for name in ("climb_public", "climb_stated", "climb_true")
        ]
        table.add_row(
            *key, f"{stated:.2f}", f"{true:.2f}", f"{stated - true:+.2f}", *climbs
        )
    return table


def _regret(found: dict[Cell, Records]) -> Table:
    table = _table(
        "Regret of two picks (thousandths), against the usual rules: not worse in any "
        "policy, 15% lower over all",
        "level", "world", "policy", "", *RULES, "lbsense", "lower by", "error",
    )  # fmt: skip
    everything: Records = []
    for key, cells in _groups(found).items():
        records = [item for item in _all(cells) if "regret" in item]
        everything += records
        if records:
            table.add_row(*key, *_regret_row(records))
    table.add_row("all", "", "", "", *_regret_row(everything))
    return table


def _regret_row(records: Records) -> list[str]:
    def of(rule: str) -> np.ndarray:
        return np.array([item["regret"].get(rule, np.nan) for item in records])

    rules = {rule: of(rule) for rule in RULES}
    means = {rule: float(np.nanmean(values)) for rule, values in rules.items()}
    best = min(means, key=means.__getitem__)
    own = of("lbsense")
    shown = [f"{1000 * value:.2f}" for value in (*means.values(), own.mean())]
    if not means[best] > 0:
        return [*shown, "-", "-"]
    lower = 1 - own.mean() / means[best]
    error = np.nanstd(own - rules[best]) / np.sqrt(len(own)) / means[best]
    return [*shown, f"{lower:+.0%}", f"{error:.0%}"]
