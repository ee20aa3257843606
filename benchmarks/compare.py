"""Do the intervals of `lbsense compare` hold? Histories whose truth is known.

    python -m benchmarks.compare [DIR...] [--rounds 120] [--first-seed 9000]

Prints the table of docs/howto/compare.md: simulated histories, and folders of semi-real
ones (benchmarks/semi_real), before and after the end; each beside the one before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import lbsense as lb
from benchmarks.semi_real.folders import export, read_all
from benchmarks.semi_real.scoring import METRICS
from lbsense.simulate import Scenario, simulate

KEYS = ("gain", "luck", "progress")
_COLUMNS = ("held", "of two", "off by")
_FIRST_SEED = 9000  # no constant was chosen on seeds from here on


@dataclass(frozen=True, eq=False)
class Known:
    """An analysis and the true scores of its submissions, oriented."""

    analysis: lb.Analysis
    true: np.ndarray

    def figures(self) -> dict[str, float]:
        """Return what compare states, as it truly is."""
        steps, luck = self.analysis.steps, self.analysis.luck
        posterior = self.analysis.posterior
        if not luck or not posterior or not luck.public_climb > 0:
            return {}
        public = self.analysis.history.scores("public")
        scored = np.flatnonzero(np.isfinite(public))
        rise = float(self.true[int(np.nanargmax(public))] - self.true[scored[0]])
        place = {step.submission_id: i for i, step in enumerate(steps)}
        real = [
            self.true[i] - self.true[place[step.reference_id or ""]] > posterior.rope
            for i, step in enumerate(steps)
            if step.verdict in ("progress", "guess", "chasing", "setback")
        ]
        return {
            "gain": rise / (len(scored) - 1),
            "luck": min(max(1 - rise / luck.public_climb, 0.0), 1.0),
            "progress": float(np.mean(real)) if real else float("nan"),
        }

    def unit(self, key: str) -> float:
        """Return what a distance is measured in."""
        luck = self.analysis.luck
        assert luck
        n_scored = sum(s.public_score is not None for s in self.analysis.steps)
        return luck.public_climb / (n_scored - 1) if key == "gain" else 1.0


def simulated(seeds: Iterable[int], *, after: bool) -> Iterator[Known]:
    """Yield simulated histories of 40 submissions, with 20 to 80% of idle steps."""
    for seed in seeds:
        scenario = Scenario(n_submissions=40, null_fraction=0.2 + seed % 4 / 5)
        made = simulate(scenario, rng=seed)
        history = made.history if after else made.before_close()
        true = history.competition.direction() * made.truth.score
        yield Known(lb.analyze(history), true)


def semi_real(folder: Path, *, after: bool) -> Iterator[Known]:
    """Yield the competitions of a folder, with metric and sizes."""
    for played in read_all(folder):
        meta = played.meta
        test_size = meta["n_public"] + meta["n_private"]
        with tempfile.TemporaryDirectory() as at:
            path = Path(at) / "submissions.csv"
            path.write_text(export(played, private=after), encoding="utf-8")
            history = lb.read_kaggle(
                path,
                metric=METRICS[played.metric].lbsense,
                train_size=meta["n_train"],
                test_size=test_size,
                public_fraction=meta["n_public"] / test_size,
            )
        yield Known(lb.analyze(history), played.truth)


def coverage(known: Iterable[Known]) -> dict[str, tuple[float, float, float]]:
    """Return how often intervals hold, those of a difference, and how far off they are.

    The last is the mean distance of what is stated from the truth; of a gain as a share
    of the climb of the public score per submission.
    """
    held: dict[str, tuple[list[bool], ...]] = {key: ([], []) for key in KEYS}
    off: dict[str, list[float]] = {key: [] for key in KEYS}
    before: Known | None = None
    for now in known:
        true = now.figures()
        if not true:
            continue
        both = lb.compare(now.analysis, (before or now).analysis)
        past = before.figures() if before else {}
        for key, truth in true.items():
            found = both.habits[0].figures[key]
            if not found:
                continue
            held[key][0].append(_holds(found, truth))
            off[key].append(abs(found.value - truth) / now.unit(key))
            if past and (apart := both.difference(key, 0, 1)):
                held[key][1].append(_holds(apart, truth - past[key]))
        before = now
    return {
        key: (
            np.mean(held[key][0]),
            np.mean(held[key][1] or [np.nan]),
            np.mean(off[key]),
        )
        for key in KEYS
    }


def _holds(found: Any, truth: float) -> bool:
    return bool(found.ci_low - 1e-9 <= truth <= found.ci_high + 1e-9)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=120)
    parser.add_argument("--first-seed", type=int, default=_FIRST_SEED)
    args = parser.parse_args()
    warnings.simplefilter("ignore", lb.LbsenseWarning)
    seeds = range(args.first_seed, args.first_seed + args.rounds)
    rows = {"simulated": lambda after: simulated(seeds, after=after)}
    for folder in args.folders:
        rows[folder.name] = lambda after, folder=folder: semi_real(folder, after=after)
    head = ("histories", *(f"{key}, {of}" for key in KEYS for of in _COLUMNS))
    print("| " + " | ".join(head) + " |", "|---" * len(head) + "|", sep="\n")
    for name, known in rows.items():
        for when in ("before the end", "after the end"):
            found = coverage(known(when == "after the end"))
            cells = [f"{part:.2f}" for key in KEYS for part in found[key]]
            print("| " + " | ".join([f"{name}, {when}", *cells]) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
