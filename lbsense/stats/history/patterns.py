"""Patterns: new bests, order and moves of few rows in scores; files that are alike.

Each says what is there and how often chance alone gives it. None of them says why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtrc, ndtr

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import (
    as_float_matrix,
    as_float_vector,
    check_count,
    check_positive,
    read_only,
)
from lbsense.stats.history.pairs import kendall_tau, pair_counts

_WHOLE = 0.2  # of a row: further from a whole number, and the size is not this one
_MOST_ROWS = 3  # moves of at most so many rows look like single labels being read
# Distance from a line that rounding may make, as a share of that of the two files that
# it is drawn through.
_ROUNDED = 1e-3
_FIRST_LOOK = 2000  # rows that show most pairs of files to differ in too many


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


def new_bests(scores: ArrayLike) -> BoolArray:
    """Return which scores beat all before; the first one does, a tie does not.

    Parameters
    ----------
    scores : array_like of shape (k,)
        In time order, larger is better, nan where missing.

    Returns
    -------
    ndarray of bool of shape (k,)

    Examples
    --------
    >>> new_bests([0.70, 0.70, float("nan"), 0.71]).tolist()
    [True, False, False, True]
    """
    values = as_float_vector(scores, name="scores")
    filled = np.where(np.isfinite(values), values, -np.inf)
    before = np.concatenate([[-np.inf], np.maximum.accumulate(filled)[:-1]])
    return np.asarray(filled > before[: len(filled)])


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
    n_records = int(new_bests(series).sum())
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
    order = np.arange(n_obs, dtype=np.float64)
    ties = np.unique(series, return_counts=True)[1]
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    variance = (n_obs * (n_obs - 1) * (2 * n_obs + 5) - tied) / 18
    if not variance > 0:
        return OrderResult(statistic=float("nan"), pvalue=1.0, n_obs=n_obs)
    later, earlier = pair_counts(series, order)
    return OrderResult(
        statistic=kendall_tau(series, order),
        pvalue=float(ndtr((earlier - later) / np.sqrt(variance))),
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


def few_row_pairs(files: ArrayLike, *, most: int) -> IntArray:
    """Return the pairs of files that differ in a few rows.

    Parameters
    ----------
    files : array_like of shape (n_rows, k)
        Predictions, one column per submission.
    most : int
        Largest number of rows that counts as few.

    Returns
    -------
    ndarray of int of shape (n_pairs, 3)
        The two columns and the number of rows in which they differ, at least 1.

    Examples
    --------
    >>> few_row_pairs([[0, 0, 1], [1, 1, 0], [0, 1, 1]], most=1).tolist()
    [[0, 1, 1]]
    """
    table = np.asfortranarray(as_float_matrix(files, name="files"))
    check_count(most, name="most")
    found = []
    for column in range(1, table.shape[1]):
        here = table[:, column : column + 1]
        part = table[:_FIRST_LOOK, :column] != here[:_FIRST_LOOK]
        near = np.flatnonzero(part.sum(axis=0) <= most)
        counts = (table[:, near] != here).sum(axis=0)
        few = (counts > 0) & (counts <= most)
        found += [
            (int(other), column, int(count))
            for other, count in zip(near[few], counts[few], strict=True)
        ]
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 3)


def longest_line(files: ArrayLike) -> IntArray:
    """Return the largest set of different files that lie on one line.

    Blends ``a + w * (b - a)`` with several weights ``w`` lie on a line; different
    models do not.

    Parameters
    ----------
    files : array_like of shape (n_rows, k)
        Predictions, one column per submission.

    Returns
    -------
    ndarray of int
        Columns, in order; empty where no three files are on a line.

    Notes
    -----
    All distances come from the matrix of inner products: ``h**2 = |c - a|**2 - ((c - a)
    . (b - a))**2 / |b - a|**2`` for a file ``c``. A line is drawn through every pair.

    Examples
    --------
    >>> import numpy as np
    >>> a, b = np.random.default_rng(0).random((2, 50))
    >>> c = np.random.default_rng(1).random(50)
    >>> longest_line(np.column_stack([a, c, b, 0.3 * a + 0.7 * b])).tolist()
    [0, 2, 3]
    """
    table = as_float_matrix(files, name="files")
    best = np.zeros(0, dtype=np.int64)
    if table.shape[1] < 3:
        return read_only(best)
    centred = table - table.mean(axis=1, keepdims=True)
    gram = centred.T @ centred
    size = np.diag(gram)
    square = np.maximum(size[:, np.newaxis] + size - 2 * gram, 0.0)
    same = _ROUNDED**2 * float(square.max())
    for a in range(len(gram)):
        for b in np.flatnonzero(square[a] > same):
            along = (square[a] + square[a, b] - square[b]) / 2
            height = square[a] - along**2 / square[a, b]
            on = np.flatnonzero(height <= _ROUNDED**2 * square[a, b])
            place = np.rint(along[on] / square[a, b] / _ROUNDED)
            on = on[np.unique(place, return_index=True)[1]]  # one of each place
            if len(on) > max(len(best), 2):
                best = np.sort(on).astype(np.int64)
    return read_only(best)


def value_counts(files: ArrayLike) -> tuple[IntArray, IntArray]:
    """Return how many different values every file holds, and how often the commonest.

    Parameters
    ----------
    files : array_like of shape (n_rows, k)
        Predictions, one column per submission.

    Returns
    -------
    distinct, commonest : ndarray of int of shape (k,)

    Examples
    --------
    >>> [counts.tolist() for counts in value_counts([[0, 1], [0, 2], [0, 2]])]
    [[1, 2], [3, 2]]
    """
    table = as_float_matrix(files, name="files")
    counts = [np.unique(column, return_counts=True)[1] for column in table.T]
    return (
        np.array([len(item) for item in counts], dtype=np.int64),
        np.array([item.max(initial=0) for item in counts], dtype=np.int64),
    )


def _present(values: ArrayLike) -> FloatArray:
    array = as_float_vector(values, name="values")
    return array[np.isfinite(array)]


def repeat_noise(scores: ArrayLike, groups: ArrayLike) -> tuple[float, int]:
    """Return the standard deviation of one score between repeats, and its freedom.

    Parameters
    ----------
    scores : array_like of shape (n,)
        Scores, nan where missing.
    groups : array_like of shape (n,)
        Label of the content behind every score; a negative label stands alone.

    Returns
    -------
    sd : float
        Pooled within groups; nan when nothing repeats.
    dof : int
        Degrees of freedom, the number of repeats beyond the first of each group.
    """
    values = as_float_vector(scores, name="scores")
    labels = np.asarray(groups)
    squares, dof = 0.0, 0
    for label in np.unique(labels[labels >= 0]):
        members = values[(labels == label) & np.isfinite(values)]
        if members.size > 1:
            squares += float(np.square(members - members.mean()).sum())
            dof += members.size - 1
    return (float(np.sqrt(squares / dof)), dof) if dof else (float("nan"), 0)
