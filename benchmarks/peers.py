"""Verdicts against simpler rules on the same histories: false claims and power.

    python -m benchmarks.peers --rounds 10

Rules: a new public best is progress; the Ladder released it; public and CV gains, fused
by the noise that lbsense estimates, one by one at 5%, and with the false discovery
rate held at .1 (Benjamini and Hochberg 1995); lbsense.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy import special

from lbsense import Analysis, analyze
from lbsense.simulate import Scenario, simulate

_FIRST_SEED = 11_000  # no threshold was chosen on seeds from here on
_NULLS = (0.3, 0.6, 0.9, 1.0)
_RULES = ("new public best", "Ladder", "z above 1.645", "BH at .1", "lbsense")


def claims(analysis: Analysis) -> dict[str, np.ndarray]:
    """Return what each rule calls progress, by submission."""
    posterior, public = analysis.posterior, analysis.history.scores("public")
    best = np.fmax.accumulate(np.r_[-np.inf, public[:-1]])
    weight_public, weight_cv = posterior.public_se**-2.0, posterior.cv_se**-2.0
    gains = [
        np.array(
            [
                np.nan if getattr(step, name) is None else getattr(step, name)
                for step in analysis.steps
            ]
        )
        for name in ("public_gain", "cv_gain")
    ]
    total = weight_public + weight_cv
    z = (gains[0] * weight_public + gains[1] * weight_cv) / np.sqrt(total)
    pvalue = np.where(np.isfinite(z), special.ndtr(-z), 1.0)
    return {
        "new public best": np.asarray(public > best) & np.isfinite(z),
        "Ladder": np.asarray(analysis.ladder.released) & np.isfinite(z),
        "z above 1.645": np.nan_to_num(z) > 1.645,
        "BH at .1": _discoveries(pvalue, np.isfinite(z), 0.1),
        "lbsense": np.array([step.verdict == "progress" for step in analysis.steps]),
    }


def _discoveries(pvalue: np.ndarray, tested: np.ndarray, rate: float) -> np.ndarray:
    ordered = np.sort(pvalue[tested])
    allowed = rate * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    passing = ordered[ordered <= allowed]
    return tested & (pvalue <= (passing[-1] if passing.size else -1))


def measure(
    options: dict[str, Any], seed: int
) -> list[tuple[float, str, int, int, int]]:
    """Return claims, false ones and true gains found, by rule."""
    scenario = Scenario(
        n_train=4000, n_submissions=40, step_size=0.1, parents="declared", **options
    )
    made = simulate(scenario, rng=np.random.default_rng([seed, *str(options).encode()]))
    analysis = analyze(made.history)
    if not analysis.posterior or not analysis.ladder:
        return []
    sign = made.history.competition.direction()
    score = dict(zip(made.truth.submission_id, sign * made.truth.score, strict=True))
    gain = np.array(
        [
            np.nan
            if step.reference_id is None
            else score[step.submission_id] - score[step.reference_id]
            for step in analysis.steps
        ]
    )
    real = gain > analysis.posterior.rope
    rows = []
    for rule, claimed in claims(analysis).items():
        false = claimed & ~(gain > 0)
        found = claimed & real
        rows.append(
            (options["null_fraction"], rule, int(claimed.sum()), int(false.sum()),
             int(found.sum()), int(real.sum()))
        )  # fmt: skip
    return rows


def main() -> None:
    """Print one row per rule and share of duds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="histories per cell")
    rounds = parser.parse_args().rounds
    cells = [
        {"null_fraction": null, "n_public": size, "policy": policy}
        for null, size, policy in product(_NULLS, (1000, 4000), ("public", "both"))
    ]
    found = Parallel(n_jobs=-1)(
        delayed(measure)(cell, _FIRST_SEED + seed)
        for cell in cells
        for seed in range(rounds)
    )
    rows = [row for part in found for row in part]
    print("| duds | rule | claims | false | power | histories with a false claim |")
    print("|---|---|---|---|---|---|")
    for null, rule in product(_NULLS, _RULES):
        part = np.array([row[2:] for row in rows if row[:2] == (null, rule)])
        n_claims, n_false, n_found, n_real = part.sum(axis=0)
        power = f"{n_found / n_real:.2f}" if n_real else "-"
        false = f"{n_false / n_claims:.2f}" if n_claims else "-"
        print(
            f"| {null} | {rule} | {n_claims} | {false} | {power} | "
            f"{(part[:, 1] > 0).mean():.2f} |"
        )


if __name__ == "__main__":
    main()
