"""Patterns in scores: records, order, moves of few rows.

Each says what is there and how often chance alone gives it. None of them says why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, ndtr

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_positive,
)

__all__ = [
    "FewRowMovesResult",
    "OrderResult",
    "RecordsResult",
    "few_row_moves",
    "order_test",
    "records_test",
]

_WHOLE = 0.2  # of a row: further from a whole number, and the size is not this one
_MOST_ROWS = 3  # moves of at most so many rows look like single labels being read


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsResult(Result):
    """New bests in a series, against a series in random order.

    Attributes
    ----------
    n_records : int
        Values above all before; the first is one.
    expected : float
        Mean number in random order.
    pvalue : float
        Chance of at least as many in random order.
    n_obs : int
        Values.
    """

    n_records: int
    expected: float
    pvalue: float
    n_obs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult(Result):
    """Kendall's rank correlation of a series with its order.

    Attributes
    ----------
    statistic : float
        Tau-b: 1 where every value is above all before; nan for a constant.
    pvalue : float
        Chance of at least as much in random order, by the normal approximation.
    n_obs : int
        Values.
    """

    statistic: float
    pvalue: float
    n_obs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FewRowMovesResult(Result):
    """Score changes that are worth one, two or three rows.

    Attributes
    ----------
    n_moves : int
        Changes of at most three rows, those of none left out.
    expected : float
        Mean number where changes are rounded normal noise.
    pvalue : float
        Chance of at least as many of them.
    whole : bool
        Whether the changes are whole numbers of rows at all; if not, the metric is
        another, or the number of rows.
    n_obs : int
        Changes.
    """

    n_moves: int
    expected: float
    pvalue: float
    whole: bool
    n_obs: int


def records_test(values: ArrayLike) -> RecordsResult:
    """Return how many values of a series beat all before, and how likely that is.

    Few records are what guessing gives. Many records prove nothing: whoever builds on
    the best score so far climbs on noise as well.

    Parameters
    ----------
    values : array_like of shape (n,)
        In time order, larger is better, nan where missing. A tie is no record.

    Returns
    -------
    RecordsResult

    Notes
    -----
    In random order the ``i``-th value is a record with probability ``1/i``, independent
    of the others (Renyi 1962); the tail of their sum is computed exactly. Ties make the
    test conservative.

    References
    ----------
    Glick, N. (1978). Breaking records and breaking boards. American Mathematical
    Monthly 85(1), 2-26. doi:10.1080/00029890.1978.11994501

    Examples
    --------
    >>> result = records_test([0.70, 0.72, 0.71, 0.73])
    >>> result.n_records, round(result.expected, 4), round(result.pvalue, 4)
    (3, 2.0833, 0.2917)
    """
    series = _present(values)
    n_obs = len(series)
    if not n_obs:
        return RecordsResult(n_records=0, expected=0.0, pvalue=1.0, n_obs=0)
    before = np.concatenate([[-np.inf], np.maximum.accumulate(series)[:-1]])
    n_records = int((series > before).sum())
    chance = np.ones(1)
    for place in range(1, n_obs + 1):
        chance = np.convolve(chance, [1 - 1 / place, 1 / place])
    return RecordsResult(
        n_records=n_records,
        expected=float((1 / np.arange(1, n_obs + 1)).sum()),
        pvalue=float(min(chance[n_records:].sum(), 1.0)),
        n_obs=n_obs,
    )


def order_test(values: ArrayLike) -> OrderResult:
    """Return whether a series rises with time, by Kendall's tau.

    Parameters
    ----------
    values : array_like of shape (n,)
        In time order, nan where missing.

    Returns
    -------
    OrderResult
        One-sided: a small ``pvalue`` means that later values are larger.

    Notes
    -----
    With ``S`` pairs in order less pairs out of order and groups of ``t`` tied values,
    ``Var S = (n(n-1)(2n+5) - sum t(t-1)(2t+5)) / 18`` in random order.

    References
    ----------
    Mann, H. B. (1945). Nonparametric tests against trend. Econometrica 13(3), 245-259.
    doi:10.2307/1907187

    Examples
    --------
    >>> order_test([1, 2, 4, 3]).statistic.__round__(4)
    0.6667
    """
    series = _present(values)
    n_obs = len(series)
    later, earlier = np.tril_indices(n_obs, -1)
    score = float(np.sign(series[later] - series[earlier]).sum())
    _, ties = np.unique(series, return_counts=True)
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    variance = (n_obs * (n_obs - 1) * (2 * n_obs + 5) - tied) / 18
    n_pairs = n_obs * (n_obs - 1) / 2
    untied = n_pairs - (ties * (ties - 1)).sum() / 2
    if not variance > 0:
        return OrderResult(statistic=float("nan"), pvalue=1.0, n_obs=n_obs)
    return OrderResult(
        statistic=float(score / np.sqrt(n_pairs * untied)),
        pvalue=float(ndtr(-score / np.sqrt(variance))),
        n_obs=n_obs,
    )


def few_row_moves(
    change: ArrayLike, *, n_rows: int, change_se: float
) -> FewRowMovesResult:
    """Return how many score changes are worth three rows at most, and how likely.

    For scores that are shares of rows, such as accuracy.

    Parameters
    ----------
    change : array_like of shape (n,)
        Differences of two scores, nan where missing.
    n_rows : int
        Rows behind a score.
    change_se : float
        Standard error of the noise of such a difference.

    Returns
    -------
    FewRowMovesResult

    Raises
    ------
    ValueError
        If ``n_rows`` or ``change_se`` is not above 0.

    Notes
    -----
    A change of pure noise is taken for normal with standard deviation ``change_se *
    n_rows``, rounded to a whole number of rows; real changes only make small moves
    rarer. The p-value is the binomial tail. Where changes of different size mix, it is
    too small.

    Examples
    --------
    >>> moves = few_row_moves([0.001, -0.002, 0.0, 0.03], n_rows=1000, change_se=0.01)
    >>> moves.n_moves, round(moves.expected, 2), moves.whole
    (2, 0.94, True)
    """
    check_count(n_rows, name="n_rows")
    sd = check_positive(change_se, name="change_se") * n_rows
    rows = _present(change) * n_rows
    n_obs = len(rows)
    whole = np.rint(rows)
    n_moves = int(((np.abs(whole) >= 1) & (np.abs(whole) <= _MOST_ROWS)).sum())
    chance = float(2 * (ndtr((_MOST_ROWS + 0.5) / sd) - ndtr(0.5 / sd)))
    return FewRowMovesResult(
        n_moves=n_moves,
        expected=n_obs * chance,
        pvalue=float(bdtrc(n_moves - 1, n_obs, chance)) if n_moves else 1.0,
        whole=bool((np.abs(rows - whole) <= _WHOLE).all()),
        n_obs=n_obs,
    )


def _present(values: ArrayLike) -> FloatArray:
    array = as_float_vector(values, name="values")
    return array[np.isfinite(array)]
