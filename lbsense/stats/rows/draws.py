"""Draws of the joint noise, and how many independent tries they amount to."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpstrf
from scipy.special import log_ndtr

from lbsense._typing import ArrayLike, FloatArray, RandomState
from lbsense._validation import as_float_vector, check_count
from lbsense.stats.rows.covariance import as_covariance

_ROUNDING = 1e-14  # share of the largest variance, per submission

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
