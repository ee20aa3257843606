"""Who climbs by luck: a board from day to day, and a team from file to file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from lbsense._result import Missing, Result
from lbsense._typing import FloatArray, IntArray
from lbsense._validation import read_only
from lbsense.stats.rows.joint import expected_maximum

_FEWEST_STEPS = 5
_SMALL = 1.0  # standard errors of a difference that a small step stays below


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovementResult(Result):
    """How the board moved.

    Attributes
    ----------
    days : ndarray of shape (n_days,)
        Days since the first, one for every day on which the best score is known.
    frontier : ndarray of shape (n_days,)
        Best score up to each day, larger is better.
    gain : float
        What the frontier gained over the second half of the time.
    gain_in_noise : float
        That gain in standard errors of the difference of two scores; nan without a
        noise.
    n_steps : int
        Improvements of all teams.
    small_fraction : float
        Share of them below one standard error of a difference.
    climbers : tuple of int
        Teams that climb by many small steps: at least five improvements, most of them
        below one standard error, the most improvements first. At most ten.
    climbed : tuple of int
        Improvements of each of them.
    optimism : float
        Luck to expect in the leader's score if every submission of all teams were as
        good: the expected maximum of that many scores that differ by noise alone.
    n_looks : int
        Submissions that this counts; improvements where submissions are not known.
    """

    days: FloatArray = field(repr=False)
    frontier: FloatArray = field(repr=False)
    gain: float
    gain_in_noise: float
    n_steps: int
    small_fraction: float
    climbers: tuple[int, ...]
    climbed: tuple[int, ...]
    optimism: float
    n_looks: int


def board_movement(
    team: IntArray,
    day: FloatArray,
    score: FloatArray,
    *,
    noise: float = float("nan"),
    n_submissions: IntArray | None = None,
) -> MovementResult | Missing:
    """Return how a board moved.

    Parameters
    ----------
    team : ndarray of shape (n_rows,)
        Which team.
    day : ndarray of shape (n_rows,)
        When, in days.
    score : ndarray of shape (n_rows,)
        Its score then, larger is better.
    noise : float
        Standard error of a public score, less what all teams have in common.
    n_submissions : ndarray of shape (n_teams,), optional
        Submissions of every team.

    Returns
    -------
    MovementResult or Missing

    Notes
    -----
    The optimism of a leader after ``k`` looks that differ by noise alone is
    ``noise * E max of k normals``, about ``noise * sqrt(2 log k)``; it grows with
    submissions whatever they are worth, which is why a frontier that gains less than
    this has shown nothing.

    Examples
    --------
    >>> found = board_movement(
    ...     np.array([0, 1, 0, 0]), np.arange(4.0), np.array([0.5, 0.6, 0.7, 0.8]),
    ...     noise=0.1,
    ... )
    >>> found.frontier.tolist(), found.n_steps
    ([0.5, 0.6, 0.7, 0.8], 2)
    """
    import pandas as pd

    rows = pd.DataFrame({"team": team, "day": day, "score": score})
    rows = rows[np.isfinite(rows["score"]) & np.isfinite(rows["day"])]
    rows = rows.sort_values(["day", "team"], kind="stable")
    if rows["day"].nunique() < 2:
        return Missing("movement", "All scores are of one time.", ())
    whole = np.floor(rows["day"] - rows["day"].iloc[0])
    best = rows.groupby(whole)["score"].max().cummax()
    days, frontier = best.index.to_numpy(np.float64), best.to_numpy(np.float64)
    own_best = rows.groupby("team")["score"].cummax()
    step = own_best.groupby(rows["team"]).diff()
    risen = step[step > 0]
    apart = np.sqrt(2) * noise
    small = risen < _SMALL * apart
    by_team = pd.DataFrame({"team": rows.loc[risen.index, "team"], "small": small})
    counts = by_team.groupby("team")["small"].agg(["size", "mean"])
    chasing = counts[(counts["size"] >= _FEWEST_STEPS) & (counts["mean"] > 0.5)]
    chasing = chasing.sort_values("size", ascending=False, kind="stable").head(10)
    half = np.searchsorted(days, days[-1] / 2)
    gain = float(frontier[-1] - frontier[min(half, len(frontier) - 1)])
    looks = len(risen) + int(rows["team"].nunique())
    if n_submissions is not None and n_submissions.sum() > looks:
        looks = int(n_submissions.sum())
    return MovementResult(
        days=read_only(days),
        frontier=read_only(frontier),
        gain=gain,
        gain_in_noise=gain / apart,
        n_steps=len(risen),
        small_fraction=float(small.mean()) if len(risen) else 0.0,
        climbers=tuple(int(i) for i in chasing.index),
        climbed=tuple(int(n) for n in chasing["size"]),
        optimism=noise * expected_maximum(looks),
        n_looks=looks,
    )


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
