"""The kinds of history that `lbsense.stats.steps.kinds` ships: learned from a folder.

    python -m benchmarks.semi_real kinds DIR                # print the table
    python -m benchmarks.semi_real kinds DIR --leave-out 6  # does it help elsewhere?

The true steps of every history, in units of the noise of a row, are taken for draws of
a mixture of half-normals; histories of one kind share its weights. Both are fitted by
expectation maximisation from several starts. With ``--leave-out`` the kinds are learned
without a sixth of the tables in turn, and the log likelihood of a step on the tables
left out is printed beside that of one law for all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.semi_real.folders import Floats, Played
from lbsense.stats.steps.kinds import COUPLING, SCALES

__all__ = ["fit_kinds", "left_out", "true_steps"]

FEWEST = 6  # steps of a history that tell anything of its kind
COPY = 1e-6  # of the noise of a score: below it a step is the same predictions


def true_steps(played: Played) -> Floats | None:
    """Return the true steps of a history in units of row noise, None if too few."""
    new = np.flatnonzero(played.parent >= 0)
    se = np.array([played.step_se(k, played.parent[k]) for k in new])
    real = se > COPY * np.sqrt(np.median(np.diag(played.cov)))
    new, se = new[real], se[real]
    if len(new) < FEWEST:
        return None
    gain = played.truth[new] - played.truth[played.parent[new]]
    grown = se * (se / np.median(se)) ** COUPLING
    return np.asarray(gain / grown / np.sqrt(played.meta["n_public"]))


def densities(steps: Floats) -> Floats:
    """Return the density of every step under each half-normal, upwards then down."""
    scales = SCALES[:, np.newaxis]
    half = np.sqrt(2 / np.pi) / scales * np.exp(-0.5 * np.square(steps / scales))
    return np.concatenate([half * (steps > 0), half * (steps <= 0)]) + 1e-12


def fit_kinds(
    histories: Sequence[Floats], n_kinds: int, *, n_starts: int = 4, n_rounds: int = 150
) -> tuple[Floats, Floats]:
    """Return shares of the half-normals (kinds, 2 * scales) and of the kinds."""
    best, found = -np.inf, None
    dense = [densities(steps) for steps in histories]
    for start in range(n_starts):
        rng = np.random.default_rng(start)
        shares = rng.dirichlet(np.full(2 * len(SCALES), 3.0), n_kinds)
        weight = np.full(n_kinds, 1 / n_kinds)
        for _ in range(n_rounds):
            fit = log_fit(dense, shares) + np.log(weight)
            belongs = np.exp(fit - fit.max(axis=1, keepdims=True))
            belongs /= belongs.sum(axis=1, keepdims=True)
            weight = (belongs.sum(axis=0) + 1) / (len(dense) + n_kinds)
            count = np.ones_like(shares)
            for density, mine in zip(dense, belongs, strict=True):
                for kind, law in enumerate(shares):
                    part = density * law[:, np.newaxis]
                    count[kind] += mine[kind] * (part / part.sum(axis=0)).sum(axis=1)
            shares = count / count.sum(axis=1, keepdims=True)
        total = float(mixture_fit(dense, shares, weight).sum())
        if total > best:
            order = np.argsort(-weight)
            best, found = total, (shares[order], weight[order])
    assert found is not None
    return found


def log_fit(dense: Sequence[Floats], shares: Floats) -> Floats:
    """Return the log likelihood of every history under each kind."""
    return np.array([np.log(shares @ density).sum(axis=1) for density in dense])


def mixture_fit(dense: Sequence[Floats], shares: Floats, weight: Floats) -> Floats:
    """Return the log likelihood of every history."""
    fit = log_fit(dense, shares) + np.log(weight)
    top = fit.max(axis=1)
    return np.asarray(top + np.log(np.exp(fit - top[:, np.newaxis]).sum(axis=1)))


def left_out(
    histories: Sequence[tuple[str, Floats]], n_kinds: int, n_parts: int
) -> tuple[float, float]:
    """Return the log likelihood of a step on tables left out: one law, and kinds."""
    tables = sorted({table for table, _ in histories})
    totals, n_steps = np.zeros(2), 0
    for part in range(n_parts):
        away = set(tables[part::n_parts])
        seen = [steps for table, steps in histories if table not in away]
        other = [densities(steps) for table, steps in histories if table in away]
        for place, n in enumerate((1, n_kinds)):
            law = fit_kinds(seen, n, n_starts=2, n_rounds=80)
            totals[place] += mixture_fit(other, *law).sum()
        n_steps += sum(density.shape[1] for density in other)
    one, kinds = totals / n_steps
    return float(one), float(kinds)
