"""Are the verdicts calibrated? Simulated competitions, told by scores and CV alone.

    python benchmarks/verdicts.py                 # the table of docs/verdicts.md
    python benchmarks/verdicts.py --rounds 5      # a quick look

Each row is one kind of competition. A claim is a verdict of `progress` or `setback`; it
is false where the true score did not move that way. P(gain) is compared with how often
the true gain was above the region of practical equivalence: `slope` is the regression
of that on P(gain): 1 where the probabilities are right, above 1 where they are shy.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lbsense import Analysis, analyze
from lbsense.simulate import SimulatedCompetition, simulate

Scenario = dict[str, str | float | int]


def scenarios() -> Iterator[Scenario]:
    """Yield the options of every row of the table."""
    for policy, n_public, null_fraction in product(
        ("public", "cv", "both"), (1000, 4000), (0.3, 0.6, 0.9, 1.0)
    ):
        yield {
            "world": "gaussian",
            "policy": policy,
            "n_public": n_public,
            "null_fraction": null_fraction,
            "step_size": 0.1,
        }
    for policy, n_public in product(("public", "cv", "both"), (1000, 4000)):
        yield {"world": "trained", "policy": policy, "n_public": n_public}
    for cv_noise in (0.01, 0.03):
        yield {
            "world": "gaussian",
            "policy": "both",
            "n_public": 4000,
            "null_fraction": 0.6,
            "step_size": 0.1,
            "cv_noise": cv_noise,
        }


def true_gains(simulated: SimulatedCompetition, analysis: Analysis) -> np.ndarray:
    """Return the true gain of every step over the reference it was compared with."""
    sign = simulated.history.competition.direction()
    score = dict(
        zip(simulated.truth.submission_id, sign * simulated.truth.score, strict=True)
    )
    return np.array(
        [
            np.nan
            if step.reference_id is None
            else score[step.submission_id] - score[step.reference_id]
            for step in analysis.steps
        ]
    )


def one_history(scenario: Scenario, seed: int) -> dict[str, np.ndarray]:
    """Return truth and statements about every judged step of one history."""
    options = {"n_train": 4000, "n_submissions": 40, "parents": "declared", **scenario}
    simulated = simulate(rng=seed, **options)  # type: ignore[arg-type]
    analysis = analyze(simulated.history)
    truth = true_gains(simulated, analysis)
    judged = np.array([step.p_gain is not None for step in analysis.steps])
    steps = [step for step in analysis.steps if step.p_gain is not None]
    rope = analysis.posterior.rope if analysis.posterior else np.nan
    return {
        "truth": truth[judged],
        "rope": np.full(len(steps), rope),
        "p_gain": np.array([step.p_gain for step in steps]),
        "covered": np.array(
            [
                step.gain_low <= gain <= step.gain_high
                for step, gain in zip(steps, truth[judged], strict=True)
            ]
        ),
        "claim": np.array(
            [{"progress": 1, "setback": -1}.get(step.verdict, 0) for step in steps]
        ),
    }


def row(histories: list[dict[str, np.ndarray]]) -> list[str]:
    """Return the figures of one kind of competition."""
    pooled = {
        name: np.concatenate([item[name] for item in histories])
        for name in histories[0]
    }
    truth, claim = pooled["truth"], pooled["claim"]
    real = truth > pooled["rope"]
    counts = []
    for sign in (1, -1):
        claimed = claim == sign
        counts.append(str(int(claimed.sum())))
        wrong = (truth[claimed] * sign <= 1e-12).mean() if claimed.any() else np.nan
        counts.append(f"{wrong:.2f}" if claimed.any() else "-")
    shown = np.mean([(item["claim"] == 1).any() for item in histories])
    slope = (
        np.polyfit(pooled["p_gain"], real.astype(float), 1)[0] if real.any() else np.nan
    )
    power = (claim[real] == 1).mean() if real.any() else np.nan
    return [
        *counts,
        f"{shown:.2f}",
        f"{power:.2f}",
        f"{slope:.2f}",
        f"{pooled['covered'].mean():.3f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="histories in each row")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()
    table = Table(title=f"Verdicts at level B, {given.rounds} histories of 40 steps")
    for name in (
        "world", "policy", "n public", "null", "CV noise", "progress", "false",
        "setback", "false",
        "histories that show progress", "power", "slope of P(gain)",
        "95% interval covers",
    ):  # fmt: skip
        table.add_column(name)
    with Parallel(n_jobs=given.jobs) as parallel:
        for scenario in track(list(scenarios()), console=Console(stderr=True)):
            histories = parallel(
                delayed(one_history)(scenario, seed) for seed in range(given.rounds)
            )
            labels = [
                str(scenario.get(name, "-"))
                for name in (
                    "world", "policy", "n_public", "null_fraction", "cv_noise"
                )
            ]  # fmt: skip
            table.add_row(*labels, *row(histories))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
