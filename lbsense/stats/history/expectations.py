"""What steps amount to: how many gained, how far expectations were borne out.

And what several histories have in common: a share, their difference, their average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_fraction,
    check_number,
    check_same_length,
)
from lbsense.stats.history.outlook import mixture_quantile
from lbsense.stats.rows.joint import wilson_interval

_LEVEL = 0.95  # of intervals
_TAILS = ((1 - _LEVEL) / 2, 0.5, (1 + _LEVEL) / 2)
_FEWEST = 3  # steps from which a ratio is told
_MOST_TOGETHER = 400  # steps whose noise is taken together
_N_GRID = 121
# Log odds that probabilities of the steps of one history are all off by: chosen by
# simulation (docs/howto/compare.md).
_TOGETHER_SD = 0.8
_SHIFTS = ndtri((np.arange(15) + 0.5) / 15)  # even quantiles of a normal
_WIDTH_SD = math.log(4)  # of the logarithm of the factor of ranges, before any is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class CountResult(Result):
    """How many of some steps something is true of, of which none is certain.

    Attributes
    ----------
    n_obs : int
        Steps.
    mean : float
        Expected number of them.
    ci_low, ci_high : int
        Central interval of the number.
    confidence_level : float
        Of the interval.
    """

    n_obs: int
    mean: float
    ci_low: int
    ci_high: int
    confidence_level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationResult(Result):
    """Expected gains against those that were found, and the ranges around them.

    Attributes
    ----------
    n_obs : int
        Steps with an expected gain other than 0, and a measured one.
    ratio, ratio_low, ratio_high : float
        True gain found per gain expected: 1 where expectations are right on average, 0
        where they say nothing; median and interval.
    scatter : float
        Typical distance of true gains from that line, noise taken out.
    n_ranges, n_inside : int
        Steps with a range, and those whose measured gain lies in it.
    width, width_low, width_high : float
        What ranges would have to be multiplied with to hold as often as they were
        meant to: above 1 they were too narrow; nan without ranges.
    held, held_low, held_high : float
        Share of true gains that such ranges hold; nan without ranges.
    range_level : float
        Share that they were meant to hold.
    confidence_level : float
        Of the intervals.
    """

    n_obs: int
    ratio: float
    ratio_low: float
    ratio_high: float
    scatter: float
    n_ranges: int
    n_inside: int
    width: float
    width_low: float
    width_high: float
    held: float
    held_low: float
    held_high: float
    range_level: float
    confidence_level: float


def count_of(
    probabilities: ArrayLike,
    *,
    together_sd: float = _TOGETHER_SD,
    confidence_level: float = 0.95,
) -> CountResult:
    """Return how many events happened that have these probabilities each.

    Parameters
    ----------
    probabilities : array_like of shape (n,)
        Of the events; nan is left out.
    together_sd : float
        Standard deviation of what all their log odds may be off by together, as those
        of the steps of one history are, whose noise and prior are learned from few; 0
        for independent events.
    confidence_level : float
        Of the interval, in (0, 1).

    Notes
    -----
    The Poisson binomial distribution, by convolution, averaged over the shift of the
    log odds; its interval is central. The mean is that of the probabilities as they
    are.

    References
    ----------
    Le Cam (1960), doi:10.2140/pjm.1960.10.1181, for the distribution.

    Examples
    --------
    >>> found = count_of([0.9, 0.5, 0.1])
    >>> found.mean, found.ci_low, found.ci_high
    (1.5, 0, 3)
    >>> alone, shared = (count_of([0.5] * 20, together_sd=sd) for sd in (0, 1))
    >>> alone.ci_low, alone.ci_high, shared.ci_low, shared.ci_high
    (6, 14, 2, 18)
    """
    check_fraction(confidence_level, name="confidence_level")
    p = as_float_vector(probabilities, name="probabilities")
    p = p[np.isfinite(p)]
    if len(p) and not (p.min() >= 0 and p.max() <= 1):
        msg = f"probabilities must be in [0, 1], got {p.min():g} to {p.max():g}."
        raise ValueError(msg)
    if not check_number(together_sd, name="together_sd") >= 0:
        msg = f"together_sd must be 0 or more, got {together_sd:g}."
        raise ValueError(msg)
    shifts = together_sd * (_SHIFTS if together_sd else np.zeros(1))
    with np.errstate(divide="ignore"):
        shifted = expit(logit(p) + shifts[:, np.newaxis])
    mass = np.ones((len(shifts), 1))
    none = np.zeros((len(shifts), 1))
    for value in shifted.T[:, :, np.newaxis]:
        mass = np.hstack([mass, none]) * (1 - value) + np.hstack([none, mass]) * value
    below = np.cumsum(mass.mean(axis=0))
    tail = (1 - confidence_level) / 2
    return CountResult(
        n_obs=len(p),
        mean=round(float(p.sum()), 12),
        ci_low=int(np.searchsorted(below, tail)),
        ci_high=min(int(np.searchsorted(below, 1 - tail)), len(p)),
        confidence_level=confidence_level,
    )


def information_of(probabilities: ArrayLike) -> FloatArray:
    """Return in bits what was learned of each step, out of a few things it could be.

    Parameters
    ----------
    probabilities : array_like of shape (n, k)
        Of each step, that it is of each of k kinds (a gain, nothing, a loss); rows with
        nan are left out of the average and give nan.

    Returns
    -------
    ndarray of shape (n,)
        Divergence of a step's probabilities from the average of all: 0 where it is
        known no better than any, and at most the logarithm of k.

    Notes
    -----
    Its mean is the mutual information of step and kind: the entropy of the average less
    the average entropy (the Jensen-Shannon divergence of the rows).

    References
    ----------
    Lin (1991), doi:10.1109/18.61115. Lindley (1956), doi:10.1214/aoms/1177728069.

    Examples
    --------
    >>> information_of([[1, 0], [0, 1]])
    array([1., 1.])
    >>> information_of([[0.5, 0.5], [0.5, 0.5]])
    array([0., 0.])
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2:
        msg = f"probabilities must have shape (n, k), got {p.shape}."
        raise ValueError(msg)
    known = np.isfinite(p).all(axis=1)
    found = np.full(len(p), np.nan)
    if known.any():
        own = p[known] / p[known].sum(axis=1, keepdims=True)
        average = own.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(own > 0, own * np.log2(own / average), 0.0)
        found[known] = np.maximum(parts.sum(axis=1), 0.0)
    return found


def expectation_calibration(
    expected: ArrayLike,
    found: ArrayLike,
    noise: ArrayLike,
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    range_level: float = 0.8,
    scale_se: float = 0.0,
) -> ExpectationResult | None:
    """Return how far expected gains were borne out by the gains that were measured.

    Parameters
    ----------
    expected, found : array_like of shape (n,)
        Expected and measured gain of each step; nan where missing.
    noise : array_like of shape (n,) or (n, n)
        Standard errors of the measured gains, or their covariance.
    low, high : array_like of shape (n,), optional
        Range that was expected; nan where there is none.
    range_level : float
        Share of true gains that ranges are meant to hold, in (0, 1).
    scale_se : float
        Relative standard error that all measured gains share: of the unit that they
        were brought to. It widens the interval of the ratio.

    Returns
    -------
    ExpectationResult or None
        None below three steps with both gains.

    Notes
    -----
    Measured gains are ``ratio * expected + scatter + noise`` with a flat prior for the
    ratio, a half Cauchy one for the scatter, whose scale is that of the expected gains
    (Gelman 2006), and known noise; scatter is integrated over on a grid. What a range
    means for the true gain is taken as normal; with all ranges multiplied by a factor
    whose logarithm is normal around 0, its posterior says how wide they should have
    been. Noise is in both: a measured gain outside of a range is no miss by itself.
    Beyond 400 steps noise is taken as independent.

    Gains that were measured and kept because they were large make the ratio too large:
    give all steps with an expectation.

    References
    ----------
    Gelman (2006), doi:10.1214/06-BA117A. DerSimonian and Laird (1986),
    doi:10.1016/0197-2456(86)90046-2, for scatter beside known noise.

    Examples
    --------
    >>> told = expectation_calibration([1, 2, 3, 4], [0.5, 1, 1.5, 2], [0.01] * 4)
    >>> round(told.ratio, 2), told.ratio_low < 0.5 < told.ratio_high
    (0.5, True)
    """
    check_fraction(range_level, name="range_level")
    gains = as_float_vector(expected, name="expected")
    measured = as_float_vector(found, name="found")
    n = check_same_length(expected=gains, found=measured)
    cov = np.asarray(noise, dtype=np.float64)
    cov = np.diag(cov**2) if cov.ndim == 1 else cov
    if cov.shape != (n, n):
        msg = f"noise must have shape ({n},) or ({n}, {n}), got {cov.shape}."
        raise ValueError(msg)
    known = np.isfinite(gains) & np.isfinite(measured) & np.isfinite(np.diag(cov))
    used = known & (gains != 0)
    if used.sum() < _FEWEST:
        return None
    ratio, scatter = _ratio(
        gains[used], measured[used], cov[np.ix_(used, used)], scale_se
    )
    nothing = np.full(n, np.nan)
    given = (nothing if end is None else end for end in (low, high))
    ends = [as_float_vector(end, name="low and high") for end in given]
    wide = known & np.isfinite(ends[0] + ends[1]) & (ends[1] > ends[0])
    inside = wide & (measured >= ends[0]) & (measured <= ends[1])
    z = float(ndtri((1 + range_level) / 2))
    width = np.full(3, np.nan)
    if wide.any():
        width = _width(
            (measured - gains)[wide],
            ((ends[1] - ends[0]) / (2 * z))[wide],
            cov[np.ix_(wide, wide)],
        )
    held = 2 * ndtr(z / width) - 1
    return ExpectationResult(
        n_obs=int(used.sum()),
        ratio=ratio[1],
        ratio_low=ratio[0],
        ratio_high=ratio[2],
        scatter=scatter,
        n_ranges=int(wide.sum()),
        n_inside=int(inside.sum()),
        width=float(width[1]),
        width_low=float(width[0]),
        width_high=float(width[2]),
        held=float(held[1]),
        held_low=float(held[2]),
        held_high=float(held[0]),
        range_level=range_level,
        confidence_level=_LEVEL,
    )


def _rotated(cov: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the variances of independent sums of steps, and the sums."""
    if len(cov) > _MOST_TOGETHER:
        return np.diag(cov).copy(), np.eye(0)
    values, vectors = np.linalg.eigh(cov)
    return np.maximum(values, 0.0), vectors


def _ratio(
    expected: FloatArray,
    found: FloatArray,
    cov: FloatArray,
    scale_se: float,
) -> tuple[tuple[float, float, float], float]:
    """Return quantiles of the ratio, and the median of the scatter."""
    variances, sums = _rotated(cov)
    x, y = (sums.T @ v if sums.size else v for v in (expected, found))
    scale = float(np.sqrt(np.mean(expected**2)))
    # Even quantiles of the half Cauchy prior: each point weighs the same beforehand.
    points = (np.arange(_N_GRID) + 0.5) / _N_GRID
    taus = scale * np.tan(points * np.pi / 2)
    total = variances + taus[:, np.newaxis] ** 2
    precision = (x**2 / total).sum(axis=1)
    means = (x * y / total).sum(axis=1) / precision
    squares = ((y - means[:, np.newaxis] * x) ** 2 / total).sum(axis=1)
    log_weight = -0.5 * (np.log(total).sum(axis=1) + np.log(precision) + squares)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    sds = np.sqrt(1 / precision + (scale_se * means) ** 2)
    low, middle, high = (mixture_quantile(means, sds, weight, tail) for tail in _TAILS)
    scatter = float(taus[np.searchsorted(np.cumsum(weight), 0.5)])
    return (low, middle, high), scatter


def _width(distance: FloatArray, sd: FloatArray, cov: FloatArray) -> FloatArray:
    """Return quantiles of the factor that ranges need."""
    # With both divided by the range, its part of the variance is that of the identity.
    variances, sums = _rotated(cov / np.outer(sd, sd))
    scaled = distance / sd
    rotated = sums.T @ scaled if sums.size else scaled
    steps = np.linspace(-4, 4, 4 * _N_GRID)
    total = variances + np.exp(2 * _WIDTH_SD * steps)[:, np.newaxis]
    log_weight = -0.5 * (
        np.log(total).sum(axis=1) + (rotated**2 / total).sum(axis=1) + steps**2
    )
    weight = np.exp(log_weight - log_weight.max())
    below = np.cumsum(weight) / weight.sum()
    return np.exp(_WIDTH_SD * np.interp(_TAILS, below, steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateResult(Result):
    """A number with its interval.

    Attributes
    ----------
    value, ci_low, ci_high : float
        The number, and the interval at ``confidence_level``.
    n_obs : int
        Steps or submissions behind it.
    confidence_level : float
        Of the interval.
    """

    value: float
    ci_low: float
    ci_high: float
    n_obs: int
    confidence_level: float = _LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledResult(Result):
    """What several histories have in common, each of which counts once.

    Attributes
    ----------
    value, ci_low, ci_high : float
        Mean over the histories and its interval at ``confidence_level``.
    spread : float
        Standard deviation between histories beyond what their own intervals explain.
    n_histories : int
        How many there are.
    confidence_level : float
        Of the interval.
    """

    value: float
    ci_low: float
    ci_high: float
    spread: float
    n_histories: int
    confidence_level: float = _LEVEL


def share_estimate(n_true: int, n_obs: int) -> EstimateResult:
    """Return a share of steps and the interval of the habit behind it (Wilson 1927).

    Examples
    --------
    >>> found = share_estimate(5, 10)
    >>> round(found.ci_low, 3), round(found.ci_high, 3)
    (0.237, 0.763)
    """
    if not 0 <= n_true <= n_obs or n_obs < 1:
        msg = f"n_true must be in 0 to n_obs, which is 1 or more: got {n_true}/{n_obs}."
        raise ValueError(msg)
    rate = n_true / n_obs
    low, high = wilson_interval(
        np.array([rate]), np.array([float(n_obs)]), float(ndtri((1 + _LEVEL) / 2))
    )
    return EstimateResult(
        value=rate, ci_low=float(low[0]), ci_high=float(high[0]), n_obs=n_obs
    )


def count_estimate(found: CountResult) -> EstimateResult | None:
    """Return the share of events that happened, None without any (`count_of`)."""
    if not found.n_obs:
        return None
    value = found.mean / found.n_obs
    return EstimateResult(
        value=value,
        ci_low=min(found.ci_low / found.n_obs, value),
        ci_high=max(found.ci_high / found.n_obs, value),
        n_obs=found.n_obs,
        confidence_level=found.confidence_level,
    )


def estimate_difference(one: EstimateResult, other: EstimateResult) -> EstimateResult:
    """Return ``one`` minus ``other``, two independent estimates, with its interval.

    Notes
    -----
    The variance of each estimate near an end of the difference is recovered from its
    own interval, which need not be symmetric (MOVER): the lower end is
    ``d - sqrt((x - l)^2 + (u' - x')^2)``. Where both share luck, as two teams on one
    public set do, the interval is rather too wide than too narrow.

    References
    ----------
    Zou and Donner (2008), doi:10.1002/sim.3095.

    Examples
    --------
    >>> a = EstimateResult(value=5.0, ci_low=1.0, ci_high=8.0, n_obs=9)
    >>> b = EstimateResult(value=2.0, ci_low=1.0, ci_high=5.0, n_obs=9)
    >>> found = estimate_difference(a, b)
    >>> found.value, found.ci_low, round(found.ci_high, 3)
    (3.0, -2.0, 6.162)
    """
    apart = one.value - other.value
    below = math.hypot(one.value - one.ci_low, other.ci_high - other.value)
    above = math.hypot(one.ci_high - one.value, other.value - other.ci_low)
    return EstimateResult(
        value=apart,
        ci_low=apart - below,
        ci_high=apart + above,
        n_obs=min(one.n_obs, other.n_obs),
    )


def pooled_estimate(
    estimates: Sequence[EstimateResult],
    *,
    low: float = -math.inf,
    high: float = math.inf,
) -> PooledResult | None:
    """Return the average of several histories, None of fewer than two.

    Parameters
    ----------
    estimates : sequence of EstimateResult
        One of each history.
    low, high : float
        Ends of what is possible, where the interval is cut.

    Notes
    -----
    Every history counts once, however many submissions it has: the question is what the
    next one will be like. The mean has the t interval of ``k - 1`` degrees of freedom
    with the variance ``s^2 / k``, which holds what lies between histories and what is
    not known of each; it is never taken to be less than the latter alone says. Two
    histories give a very wide interval, as they must. It fails where histories were
    chosen for how they ended.

    References
    ----------
    Shuster (2010), doi:10.1002/sim.3607, for averages that do not weigh by size.

    Examples
    --------
    >>> found = pooled_estimate(
    ...     [EstimateResult(value=x, ci_low=x, ci_high=x, n_obs=9) for x in (1, 2, 3)]
    ... )
    >>> found.value, round(found.ci_high, 3), found.spread
    (2.0, 4.484, 1.0)
    """
    k = len(estimates)
    if k < 2:
        return None
    values = np.sort([item.value for item in estimates])
    own = np.sort(
        [
            (item.ci_high - item.ci_low) / (2 * ndtri((1 + item.confidence_level) / 2))
            for item in estimates
        ]
    )
    within = float(np.mean(own**2))
    between = float(values.var(ddof=1))
    mean = float(values.mean())
    half = float(stdtrit(k - 1, (1 + _LEVEL) / 2)) * math.sqrt(max(between, within) / k)
    return PooledResult(
        value=mean,
        ci_low=min(max(mean - half, low), mean),
        ci_high=max(min(mean + half, high), mean),
        spread=math.sqrt(max(between - within, 0.0)),
        n_histories=k,
    )
