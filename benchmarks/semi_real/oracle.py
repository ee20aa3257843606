"""The ceiling: what a reader could say who knows the noise.

The oracle knows the true public noise of every step (or only its median over the
history), the true size of the noise of CV relative to it, the true parent, and the
distribution of true steps in units of noise, learned from all *other* histories.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.semi_real.figures import ROPE, figures_of
from benchmarks.semi_real.folders import Played

__all__ = ["SOURCES", "ceiling"]

Floats = NDArray[np.float64]
#: What the oracle reads beside the public score: whether CV, whether private scores.
SOURCES = {
    "public and CV": (True, False),
    "public alone": (False, False),
    "public and private": (False, True),
    "all three": (True, True),
}
FURTHEST = 60.0  # true steps are no further than so many times the noise
FALSE_CLAIMS, SUREST = 0.1, 0.7


@dataclass(frozen=True, eq=False)
class _Steps:
    true: Floats
    public: Floats
    cv: Floats
    private: Floats
    se: Floats
    cv_se: Floats
    private_ratio: float

    @property
    def rope(self) -> float:
        return ROPE * float(np.median(self.se))


def ceiling(competitions: Iterable[Played], *, noise: str = "step") -> dict[str, Any]:
    """Return the figures that an oracle reaches, by what it reads.

    Parameters
    ----------
    competitions : iterable of Played
        At least two.
    noise : {"step", "history"}
        Whether the noise of every step is known, or its median over the history.
    """
    histories = [s for s in map(_true_steps, competitions) if s is not None]
    atoms = [h.true / h.se for h in histories]
    found = {}
    for source, (with_cv, with_private) in SOURCES.items():
        tables = []
        for i, steps in enumerate(histories):
            others = np.concatenate([a for j, a in enumerate(atoms) if j != i])
            world = np.clip(others, -FURTHEST, FURTHEST)
            # Small steps go both ways; that makes the world smooth around nothing.
            world = np.r_[world, -0.5 * world[np.abs(world) < 3]]
            tables.append(
                _said(steps, world, cv=with_cv, private=with_private, noise=noise)
            )
        found[source] = figures_of(pd.concat(tables, ignore_index=True))
    return found


def _true_steps(played: Played) -> _Steps | None:
    new = np.flatnonzero(played.parent >= 0)
    parent = played.parent[new]
    se = np.array([played.step_se(k, r) for k, r in zip(new, parent, strict=True)])
    moved = se > 1e-12
    new, parent, se = new[moved], parent[moved], se[moved]
    if len(new) < 3:
        return None
    true, public, cv, private = (
        scores[new] - scores[parent]
        for scores in (played.truth, played.public, played.cv, played.private)
    )
    # The median of an absolute normal deviate is .6745 standard deviations.
    ratio = float(np.median(np.abs(cv - true) / se)) / 0.6745
    return _Steps(
        true=true,
        public=public,
        cv=cv,
        private=private,
        se=se,
        cv_se=max(ratio, 0.05) * se,
        private_ratio=float(
            np.sqrt(played.meta["n_public"] / played.meta["n_private"])
        ),
    )


def _said(
    steps: _Steps, world: Floats, *, cv: bool, private: bool, noise: str
) -> pd.DataFrame:
    se, cv_se = steps.se, steps.cv_se
    if noise == "history":
        se = np.full_like(se, np.median(se))
        cv_se = np.full_like(cv_se, np.median(cv_se))
    could = world[:, None] * se
    fit = norm.logpdf(steps.public, could, se)
    if cv:
        fit = fit + norm.logpdf(steps.cv, could, cv_se)
    if private:
        fit = fit + norm.logpdf(steps.private, could, se * steps.private_ratio)
    weight = np.exp(fit - fit.max(axis=0))
    weight /= weight.sum(axis=0)
    gain = (weight * (could > steps.rope)).sum(axis=0)
    loss = (weight * (could < -steps.rope)).sum(axis=0)
    low, high = _interval(could, weight)
    verdict = np.full(len(se), "guess", dtype=object)
    for word, p in (("progress", gain), ("setback", loss)):
        verdict[_claims(p)] = word
    return pd.DataFrame(
        {
            "true": steps.true,
            "gained": steps.true > steps.rope,
            "lost": steps.true < -steps.rope,
            "p": gain,
            "low": low,
            "high": high,
            "verdict": verdict,
        }
    )


def _interval(could: Floats, weight: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(could, axis=0)
    value = np.take_along_axis(could, order, axis=0)
    below = np.cumsum(np.take_along_axis(weight, order, axis=0), axis=0)
    ends = []
    for level in (0.025, 0.975):
        row = np.minimum((below < level).sum(axis=0), len(value) - 1)
        ends.append(value[row, np.arange(value.shape[1])])
    return ends[0], ends[1]


def _claims(p: Floats) -> NDArray[np.intp]:
    # The surest first, as long as not more than a tenth of them is expected false.
    order = np.argsort(-p, kind="stable")
    false = np.cumsum(1 - p[order]) / np.arange(1, len(p) + 1)
    fails = (false > FALSE_CLAIMS) | (p[order] < SUREST)
    n = int(np.argmax(fails)) if fails.any() else len(p)
    return order[:n]
