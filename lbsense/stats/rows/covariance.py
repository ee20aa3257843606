"""Covariance of scores from the influence of rows, and draws of their noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg.lapack import dpstrf
from scipy.special import log_ndtr

from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import (
    as_float_matrix,
    as_float_vector,
    check_count,
    check_positive,
)

MANY = 2**25  # influences that are looked at as a whole; more, part by part
_FEW_COLUMNS, _BLOCK = 8, 2**15  # columns, and rows, of a part
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
        if rows.size > MANY:
            return _blockwise_squares(rows) / (n_obs - 1), None
        mean = rows.mean(axis=0)
        square = rows.T @ rows - n_obs * np.outer(mean, mean)
        return square / (n_obs - 1), None
    sums = np.concatenate(
        [group_sums(part - part.mean(axis=0), groups) for part in columns_of(rows)],
        axis=1,
    )
    n_groups = len(sums)
    if n_groups < 2:
        msg = "groups must hold at least 2 different groups to tell a spread, got 1."
        raise ValueError(msg)
    return n_groups / (n_groups - 1) * (sums.T @ sums) / n_obs, n_groups


def columns_of(rows: FloatArray) -> Iterator[FloatArray]:
    """Yield all columns in double precision, a few at a time where there is much."""
    step = _FEW_COLUMNS if rows.size > MANY else rows.shape[1]
    for start in range(0, rows.shape[1], step):
        yield rows[:, start : start + step].astype(np.float64, copy=False)


def _blockwise_squares(rows: FloatArray) -> FloatArray:
    """Return sums of products about the means, some rows at a time."""
    mean = np.concatenate([part.mean(axis=0) for part in columns_of(rows)])
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK] - mean
        total += part.T @ part
    return total


def row_shape(
    rows: FloatArray, groups: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return skewness and kurtosis of every column, of rows or of sums over groups.

    A column that does not vary has the shape of a normal one; so has one with nan.
    """
    shapes = [_shape(part, groups) for part in columns_of(rows)]
    skewness, kurtosis = (np.concatenate(part) for part in zip(*shapes, strict=True))
    return skewness, kurtosis


def _shape(rows: FloatArray, groups: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
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


_FACTOR_ROUNDING = 1e-14  # share of the largest variance, per submission

_GRID = np.linspace(-9.0, 9.0, 1441)  # trapezoids of a smooth tail: exact to 1e-12


def noise_factor(covariance: ArrayLike) -> FloatArray:
    """Return the thinnest ``F`` with ``F @ F.T`` equal to the covariance (k, k).

    Submissions that repeat or mix others add no column: the factor has as many columns
    as the covariance has rank. Cholesky's factorisation with complete pivoting, stopped
    where the largest variance left is below ``1e-14 * k`` times the largest variance
    (LAPACK's ``dpstrf``).

    References
    ----------
    Higham, N. J. (2002). Accuracy and Stability of Numerical Algorithms, section 10.3.
    doi:10.1137/1.9780898718027
    """
    matrix = as_covariance(covariance, name="covariance")
    if not matrix.any():
        return np.zeros((len(matrix), 0))
    left = _FACTOR_ROUNDING * len(matrix) * np.diag(matrix).max()
    factor, pivots, rank, _ = dpstrf(matrix, lower=1, tol=left)
    ordered = np.empty((len(matrix), rank))
    ordered[pivots - 1] = np.tril(factor)[:, :rank]
    return ordered


def score_draws(
    scores: ArrayLike,
    covariance: ArrayLike,
    *,
    n_draws: int = 10_000,
    rng: RandomState = None,
) -> FloatArray:
    """Return scores that other test sets of the same kind could have given.

    Shape (n_draws, k), around ``scores`` (k,) with the covariance (k, k) at the size of
    those sets; a row holds the scores of all submissions on one test set.
    """
    centre = as_float_vector(scores, name="scores")
    factor = noise_factor(covariance)
    check_count(n_draws, name="n_draws")
    if len(centre) != len(factor):
        msg = f"{len(centre)} scores need a covariance of that size, not {len(factor)}."
        raise ValueError(msg)
    normal = np.random.default_rng(rng).standard_normal((n_draws, factor.shape[1]))
    draws = normal @ factor.T
    draws += centre
    return draws


def expected_maximum(number: float) -> float:
    """Return the mean of the largest of ``number`` independent standard normals.

    The best of as many equally good tries is too good by this many standard errors. The
    integral of ``z * k * phi(z) * Phi(z) ** (k - 1)`` by trapezoids, between whole
    numbers as well.

    References
    ----------
    Harter, H. L. (1961). Expected values of normal order statistics. Biometrika
    48(1/2), 151-165. doi:10.1093/biomet/48.1-2.151
    """
    if not (1 <= number < np.inf):
        msg = f"number must be finite and at least 1, got {number!r}."
        raise ValueError(msg)
    log_density = -0.5 * np.square(_GRID) + (number - 1) * log_ndtr(_GRID)
    step = _GRID[1] - _GRID[0]
    total = number * step * (_GRID @ np.exp(log_density))
    return float(total / np.sqrt(2 * np.pi))


def effective_number(
    covariance: ArrayLike, *, n_draws: int = 20_000, rng: RandomState = None
) -> float:
    """Return how many independent submissions these amount to when the best is taken.

    Between 1 (copies of one submission) and ``k`` (independent ones, and those that
    differ even more); nan when no submission has noise. One without noise is one try
    that cannot be lucky and is left out. At 20,000 draws the answer moves by a percent
    or two from one seed to the next.

    Notes
    -----
    The number ``m`` for which the mean maximum of ``m`` independent standard normals
    equals that of a normal vector with the correlations of the submissions. The mean
    of every draw, whose expectation is zero, is taken off first: what is common to all
    submissions then costs no accuracy. Formulas from the eigenvalues of the correlation
    matrix (Nyholt, Galwey) answer another question, and for alike submissions are
    several times too large.

    References
    ----------
    Nyholt, D. R. (2004). A simple correction for multiple testing for single-nucleotide
    polymorphisms in linkage disequilibrium with each other. American Journal of Human
    Genetics 74(4), 765-769. doi:10.1086/383251
    """
    matrix = as_covariance(covariance, name="covariance")
    sd = np.sqrt(np.diag(matrix))
    noisy = sd > 0
    if not noisy.any():
        return float("nan")
    if np.count_nonzero(noisy) == 1:
        return 1.0
    correlation = matrix[np.ix_(noisy, noisy)] / np.outer(sd[noisy], sd[noisy])
    draws = score_draws(
        np.zeros(len(correlation)), correlation, n_draws=n_draws, rng=rng
    )
    best = float((draws.max(axis=1) - draws.mean(axis=1)).mean())
    most = float(len(correlation))
    if best >= expected_maximum(most):
        return most
    from scipy.optimize import brentq  # slow to import, and needed here alone

    return float(brentq(lambda m: expected_maximum(m) - best, 1.0, most, xtol=1e-6))
