"""What private score to expect, for every submission and for all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.polynomial.hermite import hermgauss
from scipy.special import ndtr, ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_positive,
    check_same_length,
    read_only,
)
from lbsense.stats.history.spread import Chain, Covariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrivateOutlookResult(Result):
    """Private scores to expect, before they are known.

    Attributes
    ----------
    mean : ndarray of shape (k,)
        Expected private score, larger is better.
    cov : Covariance
        Covariance of the private scores, what is not known of the true ones included:
        ``numpy.asarray`` of it is a matrix of shape (k, k).
    ci80_low, ci80_high, ci95_low, ci95_high : ndarray of shape (k,)
        Bands in which the private score lies with 80% and 95% probability.
    best_public : int
        Position of the best public score; -1 without any.
    deflation : float
        Best public score minus the posterior mean of its true score: the luck in it.
    deflation_se : float
        The same in standard errors of a public score.
    size_ratio : float
        Private over public test rows; 1 where the sizes are not known.
    sizes_known : bool
        Whether it was.
    nested : bool
        Whether the private score covers the public rows too.
    shift_sd : float
        Allowance for a shift that is common to all private scores.
    score_log_sd : float
        What is not known of the noise of a score: standard deviation of the logarithm
        of its standard error. It is in the bands, not in ``cov``.
    """

    mean: FloatArray
    cov: Covariance = field(repr=False)
    ci80_low: FloatArray
    ci80_high: FloatArray
    ci95_low: FloatArray
    ci95_high: FloatArray
    best_public: int
    deflation: float
    deflation_se: float
    size_ratio: float
    sizes_known: bool
    nested: bool
    shift_sd: float
    score_log_sd: float = 0.0


def private_outlook(
    mean: ArrayLike,
    cov: ArrayLike | Covariance,
    *,
    public: ArrayLike,
    score_public_var: float,
    noise_corr: ArrayLike | Covariance | None = None,
    n_public: int | None = None,
    n_private: int | None = None,
    nested: bool = False,
    shift_sd: float = 0.0,
    score_log_sd: float = 0.0,
) -> PrivateOutlookResult:
    """Return expected private scores with bands, and the luck in the best public one.

    Parameters
    ----------
    mean, cov : array_like of shape (k,), (k, k)
        Posterior of the true scores, as `lbsense.stats.level_posterior` gives it, whose
        ``spread`` stands for the matrix; nan where nothing is known.
    public : array_like of shape (k,)
        Public scores, larger is better, nan where missing.
    score_public_var : float
        Noise variance of one public score.
    noise_corr : array_like of shape (k, k), optional
        Correlation of the noise of two scores on one test set; by default submissions
        share all of it, which does for bands and not for picks.
    n_public, n_private : int, optional
        Test rows behind either score; under nested rules ``n_private`` counts all. With
        either unknown the private set is taken to be as large as the public one, and
        nested rules then as one half of it being public.
    nested : bool
        Whether the private score covers the public rows too.
    shift_sd : float
        Standard deviation of a shift common to all private scores: how far the levels
        of public and private rows may lie apart beyond chance, 0 for a random split.
    score_log_sd : float
        Standard deviation of the logarithm of the standard error of a score, where the
        metric leaves it open: it widens the bands.

    Returns
    -------
    PrivateOutlookResult

    Raises
    ------
    ValueError
        If shapes disagree, the variance is not above 0, or sizes are impossible.

    Notes
    -----
    Given the true scores, private scores on ``r`` fresh rows have noise covariance ``C
    = score_public_var * n_public / r * noise_corr``, independent of everything seen. So
    disjoint private scores are ``N(mean, cov + C)``. Nested ones are known in part:
    with ``f = n_public / n_private`` they are ``f * public + (1 - f) * fresh``. A
    submission without public score is then treated as if its rows were all fresh. A
    common shift adds ``shift_sd**2`` to every entry.

    Conditioning on all scores makes the choice of the best one ignorable; no further
    correction for the winner's curse is due (Dawid 1994).

    References
    ----------
    Dawid, A. P. (1994). Selection paradoxes of Bayesian inference. IMS Lecture Notes
    24, 211-220. doi:10.1214/lnms/1215463797

    Examples
    --------
    >>> outlook = private_outlook(
    ...     [0.80], [[3e-5]], public=[0.81], score_public_var=1e-4,
    ...     n_public=1000, n_private=1000, nested=False,
    ... )
    >>> float(outlook.ci95_low[0].round(4)), float(outlook.ci95_high[0].round(4))
    (0.7777, 0.8223)
    """
    centre = as_float_vector(mean, name="mean")
    scores = as_float_vector(public, name="public")
    n_scores = check_same_length(mean=centre, public=scores)
    posterior = Covariance.of(cov, n_scores, name="cov")
    if noise_corr is None:  # all is that of the first one
        noise_corr = Covariance.along(
            Chain.fading(np.arange(n_scores).clip(max=1) - 1, np.ones(n_scores))
        )
    corr = Covariance.of(noise_corr, n_scores, name="noise_corr")
    variance = check_positive(score_public_var, name="score_public_var")
    if not (np.isfinite(shift_sd) and shift_sd >= 0):
        msg = f"shift_sd must be a finite number of at least 0, got {shift_sd!r}."
        raise ValueError(msg)
    sizes_known = n_public is not None and n_private is not None
    fresh, seen = private_rows(n_public, n_private, nested=nested)
    # Under nested rules a share of every private score is the public score itself.
    known = np.where(np.isfinite(scores), seen, 0.0)
    expected = known * np.nan_to_num(scores) + (1 - known) * centre
    keep = 1 - known
    private_noise = corr.times(keep * np.sqrt(variance / fresh))
    spread = posterior.times(keep).plus(private_noise)
    spread = replace(spread, common=float(shift_sd) ** 2)
    sd = np.sqrt(spread.diagonal())
    reach80, reach95 = (open_quantile(p, score_log_sd) for p in (0.9, 0.975))
    best, deflation = _luck_of_best(scores, centre)
    return PrivateOutlookResult(
        mean=read_only(expected),
        cov=spread,
        ci80_low=read_only(expected - reach80 * sd),
        ci80_high=read_only(expected + reach80 * sd),
        ci95_low=read_only(expected - reach95 * sd),
        ci95_high=read_only(expected + reach95 * sd),
        best_public=best,
        deflation=deflation,
        deflation_se=deflation / float(np.sqrt(variance)),
        size_ratio=fresh / (1 - seen),
        sizes_known=sizes_known,
        nested=nested,
        shift_sd=float(shift_sd),
        score_log_sd=float(score_log_sd),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DifferenceBandsResult(Result):
    """How far private scores will lie from that of one submission.

    Submissions share most of the luck of a split, so that these bands are far narrower
    than those of the scores.

    Attributes
    ----------
    against : int
        The submission that all are compared with.
    mean : ndarray of shape (k,)
        Expected private score minus that of ``against``, larger is better; nan where
        nothing is known.
    ci80_low, ci80_high, ci95_low, ci95_high : ndarray of shape (k,)
        Bands of the difference.
    p_above : ndarray of shape (k,)
        Probability of a private score above that of ``against``; one half for itself.
    """

    against: int
    mean: FloatArray
    ci80_low: FloatArray
    ci80_high: FloatArray
    ci95_low: FloatArray
    ci95_high: FloatArray
    p_above: FloatArray


def difference_bands(
    mean: ArrayLike, cov: ArrayLike | Covariance, against: int
) -> DifferenceBandsResult:
    """Return bands of the differences between private scores and one of them.

    Parameters
    ----------
    mean, cov : array_like of shape (k,), (k, k)
        Expected private scores, larger is better, and their covariance, as
        `private_outlook` gives them.
    against : int
        Position of the submission that all are compared with: one with a known mean.

    Returns
    -------
    DifferenceBandsResult

    Raises
    ------
    ValueError
        If shapes disagree or nothing is known of ``against``.

    Notes
    -----
    The variance of a difference is ``cov_ii + cov_aa - 2 cov_ia``: what is not known of
    the true difference, and ``2 s**2 (1 - r)`` of private luck with the noise
    correlation ``r``. A shift that all share leaves it alone.

    Examples
    --------
    >>> bands = difference_bands([0.80, 0.81], [[4e-4, 3.9e-4], [3.9e-4, 4e-4]], 1)
    >>> float(bands.ci95_low[0].round(4)), float(bands.ci95_high[0].round(4))
    (-0.0188, -0.0012)
    """
    centre = as_float_vector(mean, name="mean")
    spread = Covariance.of(cov, len(centre), name="cov")
    if not (0 <= against < len(centre) and np.isfinite(centre[against])):
        msg = f"against must be a submission with a known mean, got {against}."
        raise ValueError(msg)
    apart = centre - centre[against]
    sd = np.sqrt(spread.apart(np.arange(len(centre)), against))
    reach80, reach95 = float(ndtri(0.9)), float(ndtri(0.975))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_above = ndtr(np.where(apart == 0, 0.0, apart / sd))
    return DifferenceBandsResult(
        against=int(against),
        mean=read_only(apart),
        ci80_low=read_only(apart - reach80 * sd),
        ci80_high=read_only(apart + reach80 * sd),
        ci95_low=read_only(apart - reach95 * sd),
        ci95_high=read_only(apart + reach95 * sd),
        p_above=read_only(np.where(np.isfinite(apart), p_above, np.nan)),
    )


def open_quantile(probability: float, log_sd: float) -> float:
    """Return the quantile of ``exp(log_sd * a) * b`` for normal ``a`` and ``b``.

    That is a normal deviate whose scale is known up to a log-normal factor.

    Examples
    --------
    >>> round(open_quantile(0.975, 0.0), 2), round(open_quantile(0.975, 0.5), 2)
    (1.96, 2.64)
    """
    if log_sd <= 0:
        return float(ndtri(probability))
    nodes, weights = hermgauss(41)
    scale = np.exp(log_sd * np.sqrt(2) * nodes)
    weights = weights / weights.sum()
    low, high = 0.0, float(ndtri(probability) * np.exp(6 * log_sd))
    for _ in range(60):
        middle = (low + high) / 2
        if weights @ ndtr(middle / scale) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def private_rows(
    n_public: int | None, n_private: int | None, *, nested: bool
) -> tuple[float, float]:
    """Return fresh rows per public row, and the public share of the private rows.

    Parameters
    ----------
    n_public, n_private : int or None
        Test rows behind either score, None where unknown: the private set is then
        taken to be as large as the public one.
    nested : bool
        Whether the private score covers the public rows too.

    Returns
    -------
    fresh : float
        Private rows that the public score does not cover, per public row.
    seen : float
        Share of the private rows that it covers, in [0, 1).

    Raises
    ------
    ValueError
        If a size is below 1, or private rows that include the public ones are not more.
    """
    if n_public is None or n_private is None:
        return 1.0, 0.5 if nested else 0.0
    check_count(n_public, name="n_public")
    check_count(n_private, name="n_private")
    if not nested:
        return n_private / n_public, 0.0
    if n_private <= n_public:
        msg = (
            f"n_private must be above n_public under nested rules, where it counts the "
            f"public rows too, got {n_private} and {n_public}."
        )
        raise ValueError(msg)
    return (n_private - n_public) / n_public, n_public / n_private


def _luck_of_best(public: FloatArray, mean: FloatArray) -> tuple[int, float]:
    if not np.isfinite(public).any():
        return -1, float("nan")
    best = int(np.nanargmax(public))
    return best, float(public[best] - mean[best])
