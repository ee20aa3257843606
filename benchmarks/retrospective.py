"""How right is the retrospective? Simulated competitions whose truth is known.

    python -m benchmarks.retrospective --rounds 40

Prints the tables of docs/retrospective.md: whether the luck in the best public score is
as sure as stated, whether a shift is found where there is one and only there, and what
became of verdicts once private scores were known.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from lbsense import Analysis, analyze
from lbsense.simulate import Scenario, SimulatedCompetition, simulate
from lbsense.stats import ordinary_gaps

_FIRST_SEED = 9500  # no threshold was chosen on seeds from here on
_KINDS: dict[str, dict[str, Any]] = {
    "gaussian, no shift": {"world": "gaussian"},
    "gaussian, shift": {"world": "gaussian", "shift": 0.4},
    "trained, no shift": {"world": "trained"},
}
_POLICIES = ("public", "both")
_SIZES = (1000, 4000)


@dataclass(frozen=True)
class Cell:
    """One kind of competition."""

    kind: str
    policy: str
    n_public: int

    def options(self) -> dict[str, Any]:
        return {
            **_KINDS[self.kind],
            "policy": self.policy,
            "n_public": self.n_public,
            "n_private": 2 * self.n_public,
            "n_train": 10_000,
            "n_submissions": 40,
            "null_fraction": 0.6,
        }


def cells() -> list[Cell]:
    """Return every kind of competition."""
    return [Cell(*each) for each in product(_KINDS, _POLICIES, _SIZES)]


def measure(cell: Cell, seed: int) -> dict[str, Any]:
    """Return what one history says, and the truth."""
    rng = np.random.default_rng([seed, *f"{cell}".encode()])
    made = simulate(Scenario(**cell.options()), rng=rng)
    analysis = analyze(made.history)
    found = analysis.retrospective
    record: dict[str, Any] = {"kind": cell.kind, "policy": cell.policy}
    if not found or found.best_public is None:
        return record
    true, true_private = _truth(made)
    public, private = made.history.scores("public"), made.history.scores("private")
    split, levels = found.best_public, analysis.levels
    field = ordinary_gaps(public, private) & np.isfinite(levels.mean)
    best = split.position
    mean = made.history.competition.direction() * levels.mean
    luck = public[best] - true[best] - (mean - true)[field].mean()
    record |= {
        "selection": split.selection,
        "selection_z": (split.selection - luck) / split.selection_se,
        "true_luck": luck,
        "foretold": split.foretold,
        "shift_true": float((true - true_private)[field].mean()),
        "shift_low": split.shift_low,
        "shift_high": split.shift_high,
        "n_in_95": found.coverage.n_in_95,
        "n_obs": found.coverage.n_obs,
        "best_z": found.coverage.best_public_z,
    }
    return record | _steps(analysis, true)


def _truth(made: SimulatedCompetition) -> tuple[np.ndarray, np.ndarray]:
    """Return the true public and private level of every submission, oriented."""
    sign = made.history.competition.direction()
    place = {name: i for i, name in enumerate(made.truth.submission_id)}
    order = [place[item.submission_id] for item in made.history]
    return (
        sign * np.asarray(made.truth.score, dtype=float)[order],
        sign * np.asarray(made.truth.private_score, dtype=float)[order],
    )


def _steps(analysis: Analysis, true: np.ndarray) -> dict[str, Any]:
    """Return chances before and after the end, outcomes, and whether it was a gain."""
    place = {step.submission_id: i for i, step in enumerate(analysis.steps)}
    found = analysis.retrospective
    rows = []
    for index, step in enumerate(analysis.steps):
        if step.p_gain is None or step.reference_id is None:
            continue
        after = float(found.steps.p_gain[index])
        if not np.isfinite(after):
            continue
        gain = true[index] - true[place[step.reference_id]]
        rows.append(
            (
                step.verdict,
                found.outcomes[index],
                step.p_gain,
                after,
                gain > analysis.posterior.rope,
                gain < -analysis.posterior.rope,
            )
        )
    return {"steps": rows}


def tables(records: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of both tables."""
    yield "| world | entrant follows | histories | error / se | within 1.96 se |"
    yield "|---|---|---|---|---|"
    for kind, policy in product(_KINDS, _POLICIES):
        part = [r for r in _of(records, kind, policy) if "selection" in r]
        z = np.array([r["selection_z"] for r in part])
        yield (
            f"| {kind} | {policy} | {len(part)} | {z.mean():+.2f} | "
            f"{np.mean(np.abs(z) <= 1.96):.2f} |"
        )
    yield ""
    yield "| world | entrant follows | true shift | in its interval | shift claimed |"
    yield "|---|---|---|---|---|"
    for kind, policy in product(_KINDS, _POLICIES):
        part = [r for r in _of(records, kind, policy) if "selection" in r]
        inside = [r["shift_low"] <= r["shift_true"] <= r["shift_high"] for r in part]
        claimed = [r["shift_low"] * r["shift_high"] > 0 for r in part]
        yield (
            f"| {kind} | {policy} | {np.mean([r['shift_true'] for r in part]):.4f} | "
            f"{np.mean(inside):.2f} | {np.mean(claimed):.2f} |"
        )
    yield ""
    yield "| world | steps | Brier before | Brier after | slope after |"
    yield "|---|---|---|---|---|"
    for kind in _KINDS:
        rows = [row for r in records if r["kind"] == kind for row in r.get("steps", ())]
        before, after, real = (np.array([r[i] for r in rows]) for i in (2, 3, 4))
        slope = np.cov(after, real)[0, 1] / np.var(after)
        yield (
            f"| {kind} | {len(rows)} | {np.mean((before - real) ** 2):.3f} | "
            f"{np.mean((after - real) ** 2):.3f} | {slope:.2f} |"
        )
    yield ""
    yield "| verdict | in the end | steps | truly a gain | truly a loss |"
    yield "|---|---|---|---|---|"
    rows = [row for r in records for row in r.get("steps", ())]
    for verdict, outcome in sorted({(r[0], r[1]) for r in rows if r[1]}):
        part = [r for r in rows if r[:2] == (verdict, outcome)]
        gained, lost = np.mean([r[4] for r in part]), np.mean([r[5] for r in part])
        yield f"| {verdict} | {outcome} | {len(part)} | {gained:.2f} | {lost:.2f} |"


def _of(records: list[dict[str, Any]], kind: str, policy: str) -> list[dict[str, Any]]:
    return [r for r in records if r["kind"] == kind and r["policy"] == policy]


def main() -> None:
    """Measure every cell and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="histories per cell")
    rounds = parser.parse_args().rounds
    work = [(cell, _FIRST_SEED + i) for cell in cells() for i in range(rounds)]
    records = []
    done = Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(cell, seed) for cell, seed in work
    )
    for number, record in enumerate(done, start=1):
        records.append(record)
        if sys.stderr.isatty():
            print(f"\r{number} of {len(work)}", end="", file=sys.stderr, flush=True)
    print("\n".join(tables(records)))


if __name__ == "__main__":
    main()
