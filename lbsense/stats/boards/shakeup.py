"""How far two rankings lie apart: what a reveal did, and what noise alone does.

What noise alone does is told by draws of the board, or by both boards themselves; and
with other public shares and test sizes it would have done something else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray, RandomState
from lbsense._validation import as_float_vector, check_count, check_same_length
from lbsense.stats.boards.forecast import (
    CELLS,
    BoardDraws,
    group_ranks,
    representatives,
    true_score_draws,
)
from lbsense.stats.boards.noise import left_over
from lbsense.stats.history.pairs import kendall_tau, mean_ranks, pearson

_SHARES = (0.1, 0.2, 0.3, 0.5)
_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
_TOP_SHARE = 0.1
_MISSED = 0.025  # share of the expected shake-up
_NEAR = 25  # teams on each side that exchange how far they moved
_FAR = 4.0  # robust standard deviations at which a movement is cut
_EXCHANGED_DOUBT = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShakeUpResult(Result):
    """How far the private ranking lies from the public one.

    Attributes
    ----------
    statistic : float
        Mean absolute change of rank as a share of the teams: 0 for one order, about
        1/3 for two that have nothing in common, at most 1/2.
    top : float
        The same over the best tenth of the private board, still as a share of all
        teams.
    spearman, kendall : float
        Rank correlations; Kendall's is tau-b.
    stayed_in_top : float
        Share of the best tenth by public score that is in it by private score.
    n_obs, n_top : int
        Teams with both scores, and how many are the best tenth.
    """

    statistic: float
    top: float
    spearman: float
    kendall: float
    stayed_in_top: float
    n_obs: int
    n_top: int


def shake_up(public: ArrayLike, private: ArrayLike) -> ShakeUpResult:
    """Return the shake-up between public and private scores, larger being better.

    Parameters
    ----------
    public, private : array_like of shape (n_teams,)
        Scores; teams without both are left out. Equal scores share their mean rank.

    Returns
    -------
    ShakeUpResult

    Raises
    ------
    ValueError
        If fewer than two teams have both scores.

    See Also
    --------
    shake_up_of_ranks : for places as a platform tells them.

    References
    ----------
    BreakfastPirate (2014), Quantifying leaderboard shake-up, the forum of Kaggle's
    Liberty Mutual competition; D. Thaler's program of the same name for the form over
    the best tenth.

    Examples
    --------
    >>> shake_up([4, 3, 2, 1], [3, 4, 2, 1]).statistic
    0.125
    """
    x = as_float_vector(public, name="public")
    y = as_float_vector(private, name="private")
    check_same_length(public=x, private=y)
    both = np.isfinite(x) & np.isfinite(y)
    return shake_up_of_ranks(mean_ranks(x[both]), mean_ranks(y[both]))


def shake_up_of_ranks(public_rank: ArrayLike, private_rank: ArrayLike) -> ShakeUpResult:
    """Return the shake-up between two rankings, the best place being 1.

    Parameters
    ----------
    public_rank, private_rank : array_like of shape (n_teams,)
        Places. Where teams without both are left out, the rest keep their places.

    Returns
    -------
    ShakeUpResult

    Raises
    ------
    ValueError
        If fewer than two teams have both places.

    Examples
    --------
    Two orders without anything in common differ by (1 - 1 / n**2) / 3 on average.

    >>> rng = np.random.default_rng(1)
    >>> place = np.arange(1, 2001)
    >>> round(shake_up_of_ranks(place, rng.permutation(place)).statistic, 2)
    0.34
    """
    x = as_float_vector(public_rank, name="public_rank")
    y = as_float_vector(private_rank, name="private_rank")
    check_same_length(public_rank=x, private_rank=y)
    both = np.isfinite(x) & np.isfinite(y)
    n = int(both.sum())
    if n < 2:
        msg = f"Two teams at least must have both scores, got {n}."
        raise ValueError(msg)
    x, y = x[both], y[both]
    moved = np.abs(x - y)
    top = _top(y)
    return ShakeUpResult(
        statistic=float(moved.mean() / n),
        top=float(moved[top].mean() / n),
        spearman=pearson(mean_ranks(-x), mean_ranks(-y)),
        kendall=kendall_tau(x, y),
        stayed_in_top=float(top[_top(x)].mean()),
        n_obs=n,
        n_top=int(top.sum()),
    )


def _top(rank: FloatArray) -> BoolArray:
    """Return which ranks are of the best tenth, of which there is one at least."""
    n_top = max(1, int(_TOP_SHARE * rank.shape[-1]))
    best = np.sort(rank, axis=-1)[..., n_top - 1 : n_top]
    return np.asarray(rank <= best)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedShakeUpResult(Result):
    """The shake-up that noise alone gives, with its interval.

    Attributes
    ----------
    expected : float
        Mean over the draws.
    low80, high80, low95, high95 : float
        Central 80% and 95% of the draws.
    top_expected, top_low80, top_high80, top_low95, top_high95 : float
        The same over the best tenth of the private board.
    spearman : float
        Mean rank correlation of public and private.
    n_obs, n_draws : int
        Teams and draws.
    basis : str
        What the noise rests on.
    """

    expected: float
    low80: float
    high80: float
    low95: float
    high95: float
    top_expected: float
    top_low80: float
    top_high80: float
    top_low95: float
    top_high95: float
    spearman: float
    n_obs: int
    n_draws: int
    basis: str


def expected_shake_up(draws: BoardDraws) -> ExpectedShakeUpResult:
    """Return what the draws say of the shake-up.

    Examples
    --------
    >>> from lbsense.stats import board_draws
    >>> rng = np.random.default_rng(1)
    >>> board = rng.normal(0, 1, 500) + rng.normal(0, 1, 500)
    >>> expected_shake_up(board_draws(board, 1.0)).low95 > 0.15
    True
    """
    return _expected(draws.public_rank, draws.private_rank, draws.basis, draws.doubt)


def exchanged_shake_up(
    public: ArrayLike,
    private: ArrayLike,
    *,
    groups: IntArray | None = None,
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> ExpectedShakeUpResult:
    """Return the shake-up that noise of the size found on the two boards gives.

    Parameters
    ----------
    public, private : array_like of shape (n_teams,)
        Scores, larger is better, all finite.
    groups : ndarray of shape (n_teams,), optional
        Labels of `shared_scores`: teams of one label move together.
    n_draws : int, optional
        By default 400, fewer on boards of more than 2,500 teams.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ExpectedShakeUpResult

    Notes
    -----
    Noise does not know which of two teams of one level it hits. In every draw each
    team, with its copies, keeps its public score and takes the movement of another one
    from the 25 above and the 25 below it: the running median of private less public
    score, plus what the other lay from its own, in robust standard deviations there,
    cut at four of these. So shape and size of the noise, its growth along the board, a
    shift, the fall of those who chose by the public score, and public rows inside the
    private ones are as they were; no law, no ratio of noises and no deconvolution is
    assumed. Failures beyond the cut are no noise, and do not enter. The intervals are
    widened by half for what this leaves out (docs/boards.md).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true = rng.normal(0, 1, 500)
    >>> boards = true + 0.3 * rng.normal(size=500), true + 0.3 * rng.normal(size=500)
    >>> 0.08 < exchanged_shake_up(*boards).expected < 0.12
    True
    """
    x = as_float_vector(public, name="public")
    y = as_float_vector(private, name="private")
    check_same_length(public=x, private=y)
    if len(x) < 2 or not np.isfinite(x + y).all():
        msg = "public and private must hold two finite scores each at least."
        raise ValueError(msg)
    first, _, sizes = representatives(len(x), groups)
    best_first = np.argsort(-x[first], kind="stable")
    order, weight = first[best_first], sizes[best_first]
    n = len(order)
    moved = y[order] - x[order]
    near = max(1, min(_NEAR, n // 8))
    left, middle, sd = left_over(moved, min(n, max(_NEAR, 2 * near + 1)))
    unit = np.clip(left / np.maximum(sd, 1e-300), -_FAR, _FAR)
    if n_draws is None:
        n_draws = int(np.clip(CELLS // n // 2, 100, 400))
    check_count(n_draws, name="n_draws")
    steps = np.random.default_rng(rng).integers(-near, near + 1, (n_draws, n))
    # At an end of the board the teams inside it stand in for those beyond it.
    other = np.abs(np.arange(n) + steps)
    other = np.where(other >= n, 2 * (n - 1) - other, other)
    drawn = group_ranks(x[order] + middle + unit[other] * sd, weight)
    every = np.repeat(np.arange(n), weight)
    public_rank = mean_ranks(x)[order]
    return _expected(public_rank[every], drawn[:, every], "pairs", _EXCHANGED_DOUBT)


def _expected(
    public_rank: FloatArray, private_rank: FloatArray, basis: str, doubt: float
) -> ExpectedShakeUpResult:
    moved = np.abs(private_rank - public_rank)
    n = moved.shape[1]
    whole = moved.mean(axis=1) / n
    top = _top(private_rank)
    best = (moved * top).sum(axis=1) / top.sum(axis=1) / n
    gap = np.square(moved).mean(axis=1)
    spread = private_rank.var(axis=1) + public_rank.var()
    low95, low80, high80, high95 = _ends(whole, doubt)
    top95, top80, above80, above95 = _ends(best, doubt)
    return ExpectedShakeUpResult(
        expected=float(whole.mean()),
        low80=low80,
        high80=high80,
        low95=low95,
        high95=high95,
        top_expected=float(best.mean()),
        top_low80=top80,
        top_high80=above80,
        top_low95=top95,
        top_high95=above95,
        spearman=float((1 - gap / np.maximum(spread, 1e-300)).mean()),
        n_obs=n,
        n_draws=len(whole),
        basis=basis,
    )


def _ends(values: FloatArray, doubt: float) -> list[float]:
    """Return 2.5, 10, 90 and 97.5% points, moved away from the middle.

    By a factor, and by what a law of true scores misses however large the board is.
    """
    middle = float(np.median(values))
    levels = np.array([0.025, 0.1, 0.9, 0.975])
    away = np.hypot(
        doubt * (np.quantile(values, levels) - middle), ndtri(levels) * _MISSED * middle
    )
    return [max(0.0, float(end)) for end in middle + np.sign(levels - 0.5) * away]


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


def planning_table(
    scores: FloatArray,
    noise: FloatArray,
    *,
    n_public_noise: float,
    public_fraction: float,
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
    rng : int or numpy.random.Generator
        Source of the draws.

    Notes
    -----
    Noise goes with one over the root of the rows. True scores are draws from what the
    board tells of them; the final ranking is that of the private rows.
    """
    generator = np.random.default_rng(rng)
    n_draws = int(np.clip(400_000 // len(scores), 40, 1_000))
    true = true_score_draws(scores, noise, n_draws=n_draws, rng=generator)
    n = true.shape[1]
    top = 10 if n >= 100 else max(1, n // 10)
    place = mean_ranks(true)
    row = n_public_noise * math.sqrt(public_fraction)  # noise of the whole test set
    cells = []
    for share, factor in product(_SHARES, _FACTORS):
        whole = row / math.sqrt(factor)
        first, last = (
            mean_ranks(
                true + whole / math.sqrt(part) * generator.standard_normal(true.shape)
            )
            for part in (share, 1 - share)
        )
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
