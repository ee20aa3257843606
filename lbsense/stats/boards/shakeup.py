"""How far two rankings of the same teams lie apart: the shake-up and its kin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray
from lbsense._validation import as_float_vector, check_same_length
from lbsense.stats.history.few import inversions

TOP_SHARE = 0.1


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


def mean_ranks(values: FloatArray) -> FloatArray:
    """Return ranks along the last axis, the largest value first, ties by their mean."""
    order = np.argsort(-values, axis=-1, kind="stable")
    placed = np.take_along_axis(values, order, axis=-1)
    n = values.shape[-1]
    new = np.ones(placed.shape, dtype=bool)
    new[..., 1:] = placed[..., 1:] != placed[..., :-1]
    at = np.arange(n)
    first = np.maximum.accumulate(np.where(new, at, 0), axis=-1)
    ends = np.ones_like(new)
    ends[..., :-1] = new[..., 1:]
    last = np.minimum.accumulate(np.where(ends, at, n)[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=-1)
    return ranks


def top_decile(rank: FloatArray) -> BoolArray:
    """Return which ranks are of the best tenth, of which there is one at least."""
    n_top = max(1, int(TOP_SHARE * rank.shape[-1]))
    best = np.sort(rank, axis=-1)[..., n_top - 1 : n_top]
    return np.asarray(rank <= best)


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
    top = top_decile(y)
    return ShakeUpResult(
        statistic=float(moved.mean() / n),
        top=float(moved[top].mean() / n),
        spearman=_pearson(mean_ranks(-x), mean_ranks(-y)),
        kendall=_kendall(x, y),
        stayed_in_top=float(top[top_decile(x)].mean()),
        n_obs=n,
        n_top=int(top.sum()),
    )


def _pearson(x: FloatArray, y: FloatArray) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size > 0 else math.nan


def _kendall(x: FloatArray, y: FloatArray) -> float:
    """Return tau-b in n log(n)**2 steps."""
    n = len(x)
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    pairs = n * (n - 1) / 2
    tied_x, tied_y = _tied_pairs(x), _tied_pairs(np.sort(y))
    both = _tied_pairs(x + 1j * y)
    size = math.sqrt((pairs - tied_x) * (pairs - tied_y))
    if size == 0:
        return math.nan
    _, rank = np.unique(y, return_inverse=True)
    return (pairs - tied_x - tied_y + both - 2 * inversions(rank)) / size


def _tied_pairs(ordered: np.ndarray) -> float:
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    sizes = np.diff(starts).astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())
