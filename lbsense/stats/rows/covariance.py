"""Covariances of scores from the influence of every row, and what they say of pairs."""

from __future__ import annotations

import numpy as np

from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import as_float_matrix, check_positive

_ROUNDING = 1e-12  # share of two variances below which their difference is rounding


def row_covariance(psi: ArrayLike, *, groups: ArrayLike | None = None) -> FloatArray:
    """Return the covariance per row of influences; over ``n`` it is that of scores.

    Rows of one of the ``groups`` (n_obs,) depend on each other.
    """
    rows = as_float_matrix(psi, name="psi")
    if not np.isfinite(rows).all():
        msg = "psi must be finite. Leave out the submissions whose score is undefined."
        raise ValueError(msg)
    return row_covariance_and_groups(rows, groups)[0]


def difference_se(covariance: ArrayLike) -> FloatArray:
    """Return the standard error of every difference of two scores.

    Zero where two submissions never differ by more than rounding, nan where the
    covariance (k, k) is.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    variance = np.diag(matrix)
    total = variance[:, np.newaxis] + variance
    square = total - matrix - matrix.T
    return np.sqrt(np.where(square < _ROUNDING * total, 0.0, square))


def near_identical(covariance: ArrayLike, *, tolerance: float = 0.001) -> IntArray:
    """Return the cluster of near-identical submissions that each belongs to.

    Numbered from 0 in the order of first members. Complete linkage: *every* pair of a
    cluster has ``1 - correlation`` within the tolerance; submissions without noise are
    alike. Separately trained models were seen at .003 and above, so .001 tells re-runs
    and tiny blends from new models: their difference has less than 4.5% of the standard
    error of a score.
    """
    matrix = as_covariance(covariance, name="covariance")
    check_positive(tolerance, name="tolerance")
    sd = np.sqrt(np.diag(matrix))
    scale = np.where(sd > 0, sd, 1.0)
    distance = 1 - matrix / np.outer(scale, scale)
    both_silent = np.outer(sd == 0, sd == 0)
    distance = np.where(both_silent, 0.0, np.maximum(distance, 0.0))
    np.fill_diagonal(distance, 0.0)
    if len(distance) == 1:
        return np.zeros(1, dtype=np.int64)
    # Slow to import, and needed here alone.
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    pairs = squareform((distance + distance.T) / 2, checks=False)
    labels = fcluster(linkage(pairs, "complete"), tolerance, criterion="distance")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def as_covariance(values: ArrayLike, *, name: str) -> FloatArray:
    """Return ``values`` as a covariance matrix, checked for shape, size and sign."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        msg = f"{name} must have shape (k, k), got shape {matrix.shape}."
        raise ValueError(msg)
    if not np.isfinite(matrix).all():
        bad = np.flatnonzero(~np.isfinite(matrix).all(axis=0)).tolist()
        msg = f"{name} must be finite, but columns {bad[:5]} are not: leave them out."
        raise ValueError(msg)
    if (np.diag(matrix) < 0).any() or not np.allclose(matrix, matrix.T, rtol=1e-6):
        msg = f"{name} must be symmetric with variances of at least 0 on its diagonal."
        raise ValueError(msg)
    return matrix


def row_covariance_and_groups(
    rows: FloatArray, groups: ArrayLike | None
) -> tuple[FloatArray, int | None]:
    """Return the covariance per row and, where rows come in groups, how many."""
    n_obs = len(rows)
    if groups is None:
        if n_obs < 2:
            msg = f"psi must have at least 2 rows to tell a spread, got {n_obs}."
            raise ValueError(msg)
        mean = rows.mean(axis=0)
        square = rows.T @ rows - n_obs * np.outer(mean, mean)
        return square / (n_obs - 1), None
    sums = group_sums(rows - rows.mean(axis=0), groups)
    n_groups = len(sums)
    if n_groups < 2:
        msg = "groups must hold at least 2 different groups to tell a spread, got 1."
        raise ValueError(msg)
    return n_groups / (n_groups - 1) * (sums.T @ sums) / n_obs, n_groups


def row_shape(
    rows: FloatArray, groups: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return skewness and kurtosis of every column, of rows or of sums over groups.

    A column that does not vary has the shape of a normal one; so has one with nan.
    """
    unit = rows - rows.mean(axis=0)
    if groups is not None:
        unit = group_sums(unit, groups)
    square = np.square(unit)
    variance = square.mean(axis=0)
    usable = variance > 0  # nan compares false
    safe = np.where(usable, variance, 1.0)
    third = np.einsum("ij,ij->j", square, unit) / len(unit)
    fourth = np.einsum("ij,ij->j", square, square) / len(unit)
    return (
        np.where(usable, third / safe**1.5, 0.0),
        np.where(usable, fourth / safe**2, 3.0),
    )


def group_sums(rows: FloatArray, groups: ArrayLike) -> FloatArray:
    """Return the sum of the rows of every group, of shape (n_groups, k)."""
    labels = np.asarray(groups)
    if labels.shape != (len(rows),):
        msg = f"groups must have shape ({len(rows)},), got shape {labels.shape}."
        raise ValueError(msg)
    _, code, count = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    return np.add.reduceat(rows[order], starts, axis=0)


def quadratic_form(weights: FloatArray, matrix: FloatArray) -> float:
    """Return the variance of a weighted sum; entries of weight zero may be nan."""
    used = np.flatnonzero(weights)
    part = weights[used]
    return max(float(part @ matrix[np.ix_(used, used)] @ part), 0.0)


def square_matrix(values: ArrayLike, size: int, *, name: str) -> FloatArray:
    """Return values as a matrix of that size; unlike a covariance it may hold nan."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.shape != (size, size):
        msg = f"{name} must have shape ({size}, {size}), got shape {matrix.shape}."
        raise ValueError(msg)
    return matrix
