"""A whole board in one result: its order, its noise, its places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from lbsense._result import Missing, Result
from lbsense._typing import FloatArray, IntArray, RandomState
from lbsense._validation import read_only
from lbsense.stats.boards.forecast import (
    BoardDraws,
    ExpectedShakeUpResult,
    board_draws,
    copula_draws,
    exchanged_shake_up,
    expected_shake_up,
)
from lbsense.stats.boards.noise import PairNoiseResult, shared_scores
from lbsense.stats.boards.places import (
    PlacesResult,
    RankSetResult,
    places,
    rank_sets,
    tie_groups,
)
from lbsense.stats.boards.shakeup import ShakeUpResult, shake_up, shake_up_of_ranks

#: Whether the shake-up is what noise alone gives.
ShakeUpVerdict: TypeAlias = Literal["as much", "more", "less", ""]

_SURE = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNoise(Result):
    """What is taken for the noise of a board.

    Attributes
    ----------
    noise : ndarray or None
        Standard error of every team's public score, less what all have in common;
        None where only published rank correlations are known.
    ratio : float
        Standard error on unseen rows over that of the public score.
    shared : float
        Share of the private rows that are the public ones, under nested rules.
    log_sd : float
        How well it is known: standard deviation of its logarithm.
    scale : float
        Units of the private score in one of the public one.
    basis : {"told", "pairs", "metric", "history", "published"}
        What it rests on.
    quantiles : dict of float to float or None
        Of one minus Spearman's correlation, where there is no noise.
    n_published : int
        Competitions behind them.
    """

    noise: FloatArray | None = field(default=None, repr=False)
    ratio: float = 0.65
    shared: float = 0.0
    log_sd: float = 0.0
    scale: float = 1.0
    basis: str
    quantiles: dict[float, float] | None = None
    n_published: int = 0

    @property
    def typical(self) -> float:
        """Typical standard error over the better half; nan where there is none."""
        if self.noise is None:
            return float("nan")
        return float(np.median(self.noise[: max(1, len(self.noise) // 2)]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardResult(Result):
    """What the scores of all teams tell.

    Attributes
    ----------
    teams : ndarray of shape (n_teams,)
        Positions of the teams that have a public score, the best first; all arrays
        below follow it.
    n_both : int
        Teams with both scores.
    n_distinct : int
        Public scores that are no copies of one another.
    largest_copy : int
        Teams that share the most popular submission.
    noise : BoardNoise
        What is taken for the noise.
    pairs : PairNoiseResult or Missing
        What public and private scores together say of it.
    shake_up : ShakeUpResult or Missing
        What the reveal did.
    expected : ExpectedShakeUpResult
        What noise alone does.
    verdict : {"as much", "more", "less", ""}
        Whether the shake-up lies in the 95% interval of what noise alone gives; empty
        before the reveal, and where the private board is another test, so that the
        boards do not tell the noise.
    places : PlacesResult
        Places of all teams and what they may become, by the public board alone.
    sets : RankSetResult
        Ranks that are left to each team, for all at once.
    group : ndarray of shape (n_teams,)
        Tie groups from the top down, the best being 1: no team of a group can be told
        apart from its best at 95%.
    n_alike : ndarray of shape (n_teams,)
        Teams, itself included, that each cannot be told apart from.
    draws : BoardDraws
        What the chances rest on.
    """

    teams: IntArray = field(repr=False)
    n_both: int
    n_distinct: int
    largest_copy: int
    noise: BoardNoise
    pairs: PairNoiseResult | Missing
    shake_up: ShakeUpResult | Missing
    expected: ExpectedShakeUpResult
    verdict: ShakeUpVerdict
    places: PlacesResult
    sets: RankSetResult
    group: IntArray = field(repr=False)
    n_alike: IntArray = field(repr=False)
    draws: BoardDraws = field(repr=False)

    @property
    def n_teams(self) -> int:
        """Teams with a public score."""
        return len(self.teams)


def board_result(
    public: FloatArray,
    private: FloatArray,
    noise: BoardNoise,
    pairs: PairNoiseResult | Missing,
    *,
    ranks: tuple[FloatArray, FloatArray] | None = None,
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> BoardResult:
    """Return what the scores of all teams tell, for a noise.

    Parameters
    ----------
    public, private : ndarray of shape (n_teams,)
        Scores, larger is better, nan where missing.
    noise : BoardNoise
        Its array belongs to the teams with a public score, the best first.
    pairs : PairNoiseResult or Missing
        What both boards say of the noise.
    ranks : pair of ndarray, optional
        Public and private places as the platform tells them.
    n_draws : int, optional
        Of the board.
    rng : int or numpy.random.Generator
        Source of the draws.
    """
    teams = best_first(public)
    x, y = public[teams], private[teams]
    both = np.isfinite(y)
    revealed = int(both.sum()) >= 2
    groups = _copies(x, y)
    draws = _draws(x, noise, groups, n_draws, rng)
    happened = _happened(public, private, ranks) if revealed else _not_yet()
    expected = _expected(x, y, both, noise, draws, n_draws, rng)
    found = places(draws)
    sets, group, alike = _told_apart(x, noise, found, rng)
    counts = np.bincount(groups)
    return BoardResult(
        teams=read_only(teams),
        n_both=int(both.sum()),
        n_distinct=len(counts),
        largest_copy=int(counts.max()),
        noise=noise,
        pairs=pairs,
        shake_up=happened,
        expected=expected,
        verdict=_verdict(happened, expected, pairs),
        places=found,
        sets=sets,
        group=read_only(group),
        n_alike=read_only(alike),
        draws=draws,
    )


def best_first(public: FloatArray) -> IntArray:
    """Return the positions of the teams with a public score, the best first."""
    known = np.flatnonzero(np.isfinite(public))
    return known[np.argsort(-public[known], kind="stable")]


def _copies(x: FloatArray, y: FloatArray) -> IntArray:
    """Return who shares a submission: by both scores where both are there."""
    if np.isfinite(y).all():
        return shared_scores(x, y)
    return shared_scores(x)


def _draws(
    x: FloatArray,
    noise: BoardNoise,
    groups: IntArray,
    n_draws: int | None,
    rng: RandomState,
) -> BoardDraws:
    if noise.noise is None:
        assert noise.quantiles is not None
        return copula_draws(x, noise.quantiles, groups=groups, n_draws=n_draws, rng=rng)
    return board_draws(
        x,
        noise.noise,
        ratio=noise.ratio,
        shared=noise.shared,
        log_sd=noise.log_sd,
        groups=groups,
        basis=noise.basis,
        n_draws=n_draws,
        rng=rng,
    )


def _happened(
    public: FloatArray,
    private: FloatArray,
    ranks: tuple[FloatArray, FloatArray] | None,
) -> ShakeUpResult:
    both = np.isfinite(public) & np.isfinite(private)
    if ranks is not None:
        told = [rank[both] for rank in ranks]
        # Places among all teams are those among these where these are all teams.
        if all(np.isfinite(r).all() and r.max() == both.sum() for r in told):
            return shake_up_of_ranks(*told)
    return shake_up(public, private)


def _expected(
    x: FloatArray,
    y: FloatArray,
    both: np.ndarray,
    noise: BoardNoise,
    draws: BoardDraws,
    n_draws: int | None,
    rng: RandomState,
) -> ExpectedShakeUpResult:
    """Return what noise does to the teams that can be compared."""
    if noise.basis == "pairs":
        copies = shared_scores(x[both], y[both])
        return exchanged_shake_up(
            x[both], y[both] / noise.scale, groups=copies, n_draws=n_draws, rng=rng
        )
    if both.all() or both.sum() < 2:
        return expected_shake_up(draws)
    part = replace(noise, noise=None if noise.noise is None else noise.noise[both])
    copies = shared_scores(x[both], y[both])
    return expected_shake_up(_draws(x[both], part, copies, n_draws, rng))


def _verdict(
    happened: ShakeUpResult | Missing,
    expected: ExpectedShakeUpResult,
    pairs: PairNoiseResult | Missing,
) -> ShakeUpVerdict:
    if not happened or (expected.basis == "pairs" and pairs and pairs.two_stage):
        return ""
    if happened.statistic > expected.high95:
        return "more"
    return "less" if happened.statistic < expected.low95 else "as much"


def _told_apart(
    x: FloatArray, noise: BoardNoise, found: PlacesResult, rng: RandomState
) -> tuple[RankSetResult, IntArray, IntArray]:
    """Return sets of ranks, tie groups from 1, and how many are alike, for each team.

    On a scale on which the noise of every level is 1, distances tell what scores do.
    """
    if noise.noise is None:
        low, high = found.true_low, found.true_high
        group = tie_groups(low, high) + 1
        width = (high - low + 1).astype(np.int64)
        sets = RankSetResult(
            low=low.astype(np.int64),
            high=high.astype(np.int64),
            indices=np.arange(len(x)),
            simultaneous=False,
            confidence_level=0.95,
        )
        return sets, group, width
    s = noise.noise
    gaps = -np.diff(x) * 2 / (s[1:] + s[:-1])
    unit = -np.r_[0.0, np.cumsum(gaps)]
    sets = rank_sets(unit, 1.0, rng=rng)
    reach = _SURE * np.sqrt(2)
    rising = -unit
    last = np.searchsorted(rising, rising + reach, side="right")
    alike = last - np.searchsorted(rising, rising - reach, side="left")
    group = tie_groups(np.arange(1, len(x) + 1), last) + 1
    return sets, group, alike.astype(np.int64)


def _not_yet() -> Missing:
    return Missing(
        "shake_up", "No two teams have a public and a private score.", ("private",)
    )


def published_noise(quantiles: dict[float, float], count: int) -> BoardNoise:
    """Return what published correlations say where nothing else tells the noise."""
    return BoardNoise(basis="published", quantiles=quantiles, n_published=count)
