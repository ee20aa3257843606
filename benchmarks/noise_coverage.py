"""Do 95% intervals cover the truth in 95% of samples? By metric, small n included.

    python benchmarks/noise_coverage.py               # the table of docs/noise.md
    python benchmarks/noise_coverage.py --runs 500    # a quick look

Each line draws many small data sets from a known population and asks `noise_of` for the
interval of a score, or of the difference of two. The true score is that of two million
rows of the same population.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy import stats

from lbsense import noise_of
from lbsense.errors import LbsenseWarning
from lbsense.metrics import influence
from lbsense.model import Predictions

SEED = 20_240_601
POPULATION = 2_000_000
LOW, HIGH = 0.935, 0.965

Sample = tuple[Any, Any]  # labels (n,), predictions of two submissions (n, 2)


@dataclass(frozen=True)
class Cell:
    """One line of the table."""

    metric: str
    what: str
    n: int
    draw: Callable[[np.random.Generator, int], Sample]
    difference: bool = False
    group_size: int = 1


def scored(prevalence: float, strength: float, apart: float = 0.3) -> Any:
    """Binary labels and two calibrated-looking probabilities of them."""

    def draw(rng: np.random.Generator, n: int) -> Sample:
        y = (rng.random(n) < prevalence).astype(int)
        signal = strength * (y - 0.5) + rng.normal(size=n)
        seen = signal[:, np.newaxis] + rng.normal(0, apart, (n, 2))
        log_odds = np.log(prevalence / (1 - prevalence)) + strength * seen
        return y, (1 / (1 + np.exp(-log_odds))).clip(1e-6, 1 - 1e-6)

    return draw


def detected(prevalence: float, strength: float, apart: float = 0.3) -> Any:
    """Binary labels and two predicted ones that find about as many as there are."""
    score = scored(prevalence, strength, apart)

    def draw(rng: np.random.Generator, n: int) -> Sample:
        y, prob = score(rng, n)
        return y, (prob > 0.4).astype(int)

    return draw


def rights(p: float, disagree: float = 0.1) -> Any:
    """Labels of which two submissions hit a share ``p``."""

    def draw(rng: np.random.Generator, n: int) -> Sample:
        y = rng.integers(0, 2, n)
        right = np.repeat(rng.random((n, 1)) < p, 2, axis=1)
        other = rng.random(n) < disagree
        right[other, 1] = rng.random(int(other.sum())) < p
        return y, np.where(right, y[:, np.newaxis], 1 - y[:, np.newaxis])

    return draw


def rated(rng: np.random.Generator, n: int) -> Sample:
    """Ratings from 0 to 4 with unequal shares, and two graders."""
    y = rng.choice(5, n, p=[0.5, 0.1, 0.25, 0.05, 0.1])
    slips = rng.choice(3, (n, 2), p=[0.15, 0.7, 0.15]) - 1
    return y, np.clip(y[:, np.newaxis] + slips, 0, 4)


def residuals(law: Any) -> Any:
    """Values with residuals of the given law, shared in part by two submissions."""

    def draw(rng: np.random.Generator, n: int) -> Sample:
        y = rng.normal(size=n)
        shared = law.rvs(size=(n, 1), random_state=rng)
        return y, y[:, np.newaxis] + shared + rng.normal(0, 0.3, (n, 2))

    return draw


def by_groups(rng: np.random.Generator, n: int) -> Sample:
    """Groups of 20 rows whose residuals have an intraclass correlation of .2."""
    shared = np.repeat(rng.normal(0, np.sqrt(0.2), n // 20), 20)[:, np.newaxis]
    noise = rng.normal(0, np.sqrt(0.8), (n, 2))
    return np.zeros(n), shared + noise


CELLS = (
    Cell("accuracy", "80% right", 200, rights(0.8)),
    Cell("accuracy", "98% right", 200, rights(0.98)),
    Cell("accuracy", "99.5% right", 1000, rights(0.995)),
    Cell("log_loss", "30% positive", 200, scored(0.3, 1.5)),
    Cell("log_loss", "30% positive", 2000, scored(0.3, 1.5)),
    Cell("log_loss", "2% positive", 1000, scored(0.02, 2.5)),
    Cell("brier", "30% positive", 200, scored(0.3, 1.5)),
    Cell("brier", "2% positive", 1000, scored(0.02, 2.5)),
    Cell("rmse", "normal residuals", 100, residuals(stats.norm)),
    Cell("rmse", "Laplace residuals", 500, residuals(stats.laplace)),
    Cell("rmse", "t(5) residuals", 500, residuals(stats.t(5))),
    Cell("rmse", "t(5) residuals", 5000, residuals(stats.t(5))),
    Cell("rmse", "lognormal residuals", 2000, residuals(stats.lognorm(1))),
    Cell("mae", "normal residuals", 100, residuals(stats.norm)),
    Cell("mae", "lognormal residuals", 500, residuals(stats.lognorm(1))),
    Cell("r2", "normal residuals", 200, residuals(stats.norm(0, 0.5))),
    Cell("roc_auc", "AUC .86, 30% positive", 200, scored(0.3, 1.5)),
    Cell("roc_auc", "AUC .98, 30% positive", 200, scored(0.3, 3.0)),
    Cell("roc_auc", "AUC .86, 5% positive", 400, scored(0.05, 1.5)),
    Cell("roc_auc", "AUC .86, 1% positive", 1000, scored(0.01, 1.5)),
    Cell("roc_auc", "AUC .98, 1% positive", 1000, scored(0.01, 3.0)),
    Cell("average_precision", "30% positive", 300, scored(0.3, 1.5)),
    Cell("average_precision", "3% positive", 1000, scored(0.03, 2.0)),
    Cell("f1", "30% positive", 300, detected(0.3, 1.5)),
    Cell("f1", "5% positive", 500, detected(0.05, 2.5)),
    Cell("f1", "1% positive", 1000, detected(0.01, 3.0)),
    Cell("balanced_accuracy", "30% positive", 300, detected(0.3, 1.5)),
    Cell("balanced_accuracy", "3% positive", 1000, detected(0.03, 2.5)),
    Cell("mcc", "30% positive", 300, detected(0.3, 1.5)),
    Cell("mcc", "3% positive", 1000, detected(0.03, 2.5)),
    Cell("quadratic_kappa", "five ratings", 100, rated),
    Cell("quadratic_kappa", "five ratings", 500, rated),
    Cell("accuracy", "10% of rows differ", 300, rights(0.8), difference=True),
    Cell("accuracy", "2% of rows differ", 300, rights(0.8, 0.05), difference=True),
    Cell("log_loss", "30% positive", 300, scored(0.3, 1.5), difference=True),
    Cell("roc_auc", "30% positive", 300, scored(0.3, 1.5), difference=True),
    Cell("roc_auc", "2% positive", 1000, scored(0.02, 1.5), difference=True),
    Cell("f1", "30% positive", 300, detected(0.3, 1.5), difference=True),
    Cell("f1", "3% positive", 1000, detected(0.03, 2.5), difference=True),
    Cell("rmse", "normal residuals", 200, residuals(stats.norm), difference=True),
    Cell("rmse", "t(5) residuals", 2000, residuals(stats.t(5)), difference=True),
    Cell("quadratic_kappa", "five ratings", 300, rated, difference=True),
    Cell("mae", "60 groups of 20 rows", 1200, by_groups, group_size=20),
    Cell("mae", "10 groups of 20 rows", 200, by_groups, group_size=20),
)


def truth(cell: Cell) -> float:
    scores = []
    for part in range(4):  # in parts, which a mean of four hardly notices
        y, pred = cell.draw(np.random.default_rng([SEED, part]), POPULATION // 4)
        scores.append(influence(cell.metric, y, pred).scores)
    first, second = np.mean(scores, axis=0)
    return float(first - second if cell.difference else first)


def coverage(cell: Cell, n_runs: int) -> tuple[float, float, float, float]:
    """Return shares covered, missed below, missed above and undefined."""
    true = truth(cell)
    rng = np.random.default_rng([SEED, 99])
    below = above = undefined = 0
    groups = np.arange(cell.n) // cell.group_size if cell.group_size > 1 else None
    for _ in range(n_runs):
        y, oof = cell.draw(rng, cell.n)
        predictions = Predictions(
            labels=y, oof=oof, oof_names=("a", "b"), groups=groups
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LbsenseWarning)
                noise = noise_of(predictions, cell.metric, rng=rng)
        except ValueError:  # one class only
            undefined += 1
            continue
        low, high = noise.ci_low[0], noise.ci_high[0]
        if cell.difference:
            centre = noise.scores[0] - noise.scores[1]
            reach = stats.t.ppf(0.975, noise.df) * noise.difference_se[0, 1]
            low, high = centre - reach, centre + reach
        undefined += not np.isfinite(low + high)
        below += bool(high < true)
        above += bool(low > true)
    kept = max(n_runs - undefined, 1)
    return 1 - (below + above) / kept, below / kept, above / kept, undefined / n_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="samples a line")
    options = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / options.runs)
    print(
        f"Coverage of 95% intervals, {options.runs:,} samples a line (Monte Carlo "
        f"error {error:.2f} points)\n"
    )
    print(
        f"{'metric':<26} {'population':<24} {'n':>5} {'covered':>8} {'too low':>8} "
        f"{'too high':>8} {'no interval':>11}"
    )
    results = Parallel(n_jobs=-1, return_as="generator")(
        delayed(coverage)(cell, options.runs) for cell in CELLS
    )
    for cell, (covered, below, above, undefined) in zip(CELLS, results, strict=True):
        name = f"{cell.metric} difference" if cell.difference else cell.metric
        mark = " " if LOW <= covered <= HIGH else "*"
        print(
            f"{name:<27}{cell.what:<24} {cell.n:>5} {covered:>7.1%}{mark} "
            f"{below:>7.1%} {above:>8.1%} {undefined:>10.1%}",
            flush=True,
        )
    print(f"\n* outside {LOW:.1%} to {HIGH:.1%}")


if __name__ == "__main__":
    main()
