"""What a host learns: who chased the public score, and what size would be stable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import FloatArray, RandomState
from lbsense.stats.boards.forecast import true_score_draws
from lbsense.stats.boards.shakeup import mean_ranks
from lbsense.stats.rows.covariance import expected_maximum

SHARES = (0.1, 0.2, 0.3, 0.5)
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChaseResult(Result):
    """One team's submissions: what the public score gave and what the private kept.

    Attributes
    ----------
    n_submissions : int
        With both scores.
    public_climb, private_climb : float
        From the first submission to the one of the best public score.
    excess : float
        How much more the best public score promised than the private one kept, less
        what all submissions of all teams have in common.
    luck : float
        What choosing the best of as many by noise alone gives of it.
    z : float
        Excess less luck in standard errors.
    small_fraction : float
        Share of new public bests that rose by less than the noise of a difference.
    """

    n_submissions: int
    public_climb: float
    private_climb: float
    excess: float
    luck: float
    z: float
    small_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCell(Result):
    """What a public share and a test size would do.

    Attributes
    ----------
    public_fraction : float
        Share of the test rows behind the public score.
    size_factor : float
        Test rows, as a multiple of those there were.
    shake_up : float
        Mean absolute change of place that noise alone gives.
    top_kept : float
        Share of the truly best ten (a tenth of small boards) among the final best ten.
    best_wins : float
        Probability that the truly best team wins.
    """

    public_fraction: float
    size_factor: float
    shake_up: float
    top_kept: float
    best_wins: float


def team_chase(
    public: FloatArray,
    private: FloatArray,
    *,
    noise: float,
    ratio: float,
    offset: float,
) -> TeamChaseResult | None:
    """Return what one team's public scores promised and its private scores kept.

    Parameters
    ----------
    public, private : ndarray of shape (n_submissions,)
        Scores in time order, larger is better.
    noise : float
        Standard error of a public score, less what all have in common.
    ratio : float
        Private over public standard error.
    offset : float
        Private less public score that all submissions have in common.

    Returns
    -------
    TeamChaseResult or None
        None without a submission that has both scores.

    Notes
    -----
    The excess of the best public score is compared with what the best of as many
    draws of noise has, counting the submissions within three standard errors of it:
    more than that was not chosen by luck but made by it, step by step.
    """
    both = np.isfinite(public) & np.isfinite(private)
    x, y = public[both], private[both]
    if not len(x):
        return None
    best = int(np.argmax(x))
    near = int((x > x[best] - 3 * noise).sum())
    luck = noise * expected_maximum(near) if near > 1 else 0.0
    excess = float(x[best] - y[best] + offset)
    running = np.maximum.accumulate(x)
    risen = np.diff(running)
    risen = risen[risen > 0]
    apart = math.sqrt(2) * noise
    return TeamChaseResult(
        n_submissions=len(x),
        public_climb=float(x[best] - x[0]),
        private_climb=float(y[best] - y[0]),
        excess=excess,
        luck=luck,
        z=(excess - luck) / (noise * math.hypot(1.0, ratio)),
        small_fraction=float((risen < apart).mean()) if len(risen) else 0.0,
    )


def planning_table(
    scores: FloatArray,
    noise: FloatArray,
    *,
    n_public_noise: float,
    public_fraction: float,
    shares: Sequence[float] = SHARES,
    factors: Sequence[float] = FACTORS,
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> tuple[PlanCell, ...]:
    """Return what other public shares and test sizes would have done.

    Parameters
    ----------
    scores, noise : ndarray of shape (n_teams,)
        The best known scores of the teams, and their standard errors, less what all
        have in common.
    n_public_noise : float
        Typical standard error of a public score as it was.
    public_fraction : float
        Public share as it was.
    shares, factors : sequence of float
        Public shares, and test sizes as multiples of what it was, to look at.
    n_draws : int, optional
        Competitions that are drawn for each cell; by default 1,000, fewer on boards of
        more than 400 teams.
    rng : int or numpy.random.Generator
        Source of the draws.

    Notes
    -----
    Noise goes with one over the root of the rows. True scores are draws from what the
    board tells of them; the final ranking is that of the private rows.
    """
    generator = np.random.default_rng(rng)
    if n_draws is None:
        n_draws = int(np.clip(400_000 // len(scores), 40, 1_000))
    true = true_score_draws(scores, noise, n_draws=n_draws, rng=generator)
    n = true.shape[1]
    top = 10 if n >= 100 else max(1, n // 10)
    place = mean_ranks(true)
    row = n_public_noise * math.sqrt(public_fraction)  # noise of the whole test set
    cells = []
    for share in shares:
        for factor in factors:
            whole = row / math.sqrt(factor)
            public = true + whole / math.sqrt(share) * generator.standard_normal(
                true.shape
            )
            private = true + whole / math.sqrt(1 - share) * generator.standard_normal(
                true.shape
            )
            first, last = mean_ranks(public), mean_ranks(private)
            kept = ((place <= top) & (last <= top)).sum(axis=1) / top
            wins = np.argmin(last, axis=1) == np.argmin(place, axis=1)
            cells.append(
                PlanCell(
                    public_fraction=share,
                    size_factor=factor,
                    shake_up=float(np.abs(first - last).mean() / n),
                    top_kept=float(kept.mean()),
                    best_wins=float(wins.mean()),
                )
            )
    return tuple(cells)
