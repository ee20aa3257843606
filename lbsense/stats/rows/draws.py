"""Draws of the joint noise, and how many independent tries they amount to."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpstrf
from scipy.special import log_ndtr

from lbsense._typing import ArrayLike, FloatArray, RandomState
from lbsense._validation import as_float_vector, check_count
from lbsense.stats.rows.covariance import as_covariance

__all__ = [
    "effective_number",
    "expected_maximum",
    "noise_factor",
    "score_draws",
]

_ROUNDING = 1e-14  # share of the largest variance, per submission

_GRID = np.linspace(-9.0, 9.0, 1441)  # trapezoids of a smooth tail: exact to 1e-12


def noise_factor(covariance: ArrayLike) -> FloatArray:
    """Return the thinnest ``F`` with ``F @ F.T`` equal to the covariance.

    Submissions that repeat or mix others add no column: the factor has as many columns
    as the covariance has rank.

    Parameters
    ----------
    covariance : array_like of shape (k, k)
        Symmetric and positive semi-definite, up to rounding.

    Returns
    -------
    ndarray of shape (k, rank)

    Raises
    ------
    ValueError
        If the covariance is not square and finite, or has a negative variance.

    Notes
    -----
    Cholesky's factorisation with complete pivoting, stopped where the largest variance
    left is below ``1e-14 * k`` times the largest variance (LAPACK's ``dpstrf``).

    References
    ----------
    Higham, N. J. (2002). Accuracy and Stability of Numerical Algorithms, section 10.3.
    doi:10.1137/1.9780898718027

    Examples
    --------
    >>> noise_factor([[4.0, 4.0], [4.0, 4.0]])
    array([[2.],
           [2.]])
    """
    matrix = as_covariance(covariance, name="covariance")
    if not matrix.any():
        return np.zeros((len(matrix), 0))
    left = _ROUNDING * len(matrix) * np.diag(matrix).max()
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
    """Return scores that another test set of the same kind could have given.

    Parameters
    ----------
    scores : array_like of shape (k,)
        Centre of the draws.
    covariance : array_like of shape (k, k)
        Covariance of the scores at the size of that test set.
    n_draws : int
        Number of test sets drawn.
    rng : int or numpy.random.Generator, optional
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_draws, k)
        Every row holds the scores of all submissions on one and the same test set.

    Raises
    ------
    ValueError
        If the shapes disagree or the covariance is not one.

    Examples
    --------
    >>> draws = score_draws([0.8, 0.8], [[1e-4, 1e-4], [1e-4, 1e-4]], rng=0)
    >>> draws.shape, bool(abs(draws[:, 0] - draws[:, 1]).max() < 1e-12)
    ((10000, 2), True)
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

    The best of as many equally good tries is too good by this many standard errors.

    Parameters
    ----------
    number : float
        At least 1; between whole numbers the same integral is taken.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``number`` is below 1 or not finite.

    Notes
    -----
    The integral of ``z * k * phi(z) * Phi(z) ** (k - 1)``, by trapezoids.

    References
    ----------
    Harter, H. L. (1961). Expected values of normal order statistics. Biometrika
    48(1/2), 151-165. doi:10.1093/biomet/48.1-2.151

    Examples
    --------
    >>> round(expected_maximum(10), 5)
    1.53875
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

    Parameters
    ----------
    covariance : array_like of shape (k, k)
        Covariance of the scores, at any test size. A submission without noise is one
        try that cannot be lucky and is left out.
    n_draws : int
        Number of draws behind the mean of the maximum; at 20,000 the answer moves by
        a percent or two from one seed to the next.
    rng : int or numpy.random.Generator, optional
        Source of randomness.

    Returns
    -------
    float
        Between 1 (copies of one submission) and ``k`` (independent ones, and those
        that differ even more); nan when no submission has noise.

    Raises
    ------
    ValueError
        If the covariance is not one.

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

    Examples
    --------
    >>> import numpy as np
    >>> alike = 0.83 + 0.17 * np.eye(40)
    >>> round(effective_number(alike, rng=0), 1)
    3.2
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
