"""Patterns in files of predictions: files that are nearly one, files on one line."""

from __future__ import annotations

import numpy as np

from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import (
    as_float_matrix,
    check_count,
    check_positive,
    read_only,
)

__all__ = ["few_row_pairs", "longest_line", "value_counts"]

_FIRST_LOOK = 2000  # rows that show most pairs of files to differ in too many


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


def longest_line(files: ArrayLike, *, tolerance: float = 1e-3) -> IntArray:
    """Return the largest set of different files that lie on one line.

    Blends ``a + w * (b - a)`` with several weights ``w`` lie on a line; different
    models do not.

    Parameters
    ----------
    files : array_like of shape (n_rows, k)
        Predictions, one column per submission.
    tolerance : float
        Distance from the line, as a share of the distance of the two files that it is
        drawn through, that rounding may make.

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
    check_positive(tolerance, name="tolerance")
    best = np.zeros(0, dtype=np.int64)
    if table.shape[1] < 3:
        return read_only(best)
    centred = table - table.mean(axis=1, keepdims=True)
    gram = centred.T @ centred
    size = np.diag(gram)
    square = np.maximum(size[:, np.newaxis] + size - 2 * gram, 0.0)
    same = tolerance**2 * float(square.max())
    for a in range(len(gram)):
        for b in np.flatnonzero(square[a] > same):
            along = (square[a] + square[a, b] - square[b]) / 2
            height = square[a] - along**2 / square[a, b]
            on = np.flatnonzero(height <= tolerance**2 * square[a, b])
            on = on[_first_of_each(along[on] / square[a, b] / tolerance)]
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


def _first_of_each(place: FloatArray) -> IntArray:
    """Return one of the files at every place along a line."""
    return np.asarray(np.unique(np.rint(place), return_index=True)[1], dtype=np.int64)
