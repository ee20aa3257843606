"""Two scores of every submission: in one order, on one line, how far apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import (
    as_float_vector,
    check_fraction,
    check_positive,
    check_same_length,
)

_LEVEL = 0.95  # of the interval of a gap
_FEWEST = 5  # pairs for a comparison of correlations, or the error of a slope
_NEARLY_ONE = 1 - 1e-12  # a correlation whose atanh is finite
_ROUNDING = 1e-13  # share of a sum of squares that is rounding


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


def pair_counts(first: FloatArray, second: FloatArray) -> tuple[int, int]:
    """Return how many pairs two series order alike, and how many the other way.

    Pairs that either does not order are neither.
    """
    _, one = np.unique(first, return_inverse=True)
    _, other = np.unique(second, return_inverse=True)
    alike = _inversions(len(one) - other[np.lexsort((-other, one))])
    return alike, _inversions(other[np.lexsort((other, one))])


def _inversions(ranks: IntArray) -> int:
    """Return how many pairs fall, in time ``n * log(n)**2``: bit by bit of the ranks.

    Two that fall agree in their higher bits, and in the next one have 1 before 0.
    """
    count = 0
    for bit in range(int(ranks.max()).bit_length()):
        inside = ranks[np.argsort(ranks >> (bit + 1), kind="stable")]
        group, high = inside >> (bit + 1), inside >> bit & 1
        before = np.cumsum(high) - high
        _, first, place = np.unique(group, return_index=True, return_inverse=True)
        count += int((before - before[first][place])[high == 0].sum())
    return count


def kendall_tau(first: FloatArray, second: FloatArray) -> float:
    """Return Kendall's tau-b in ``n log(n)**2`` steps, nan where one is constant."""
    alike, against = pair_counts(first, second)
    size = math.sqrt(_ordered_pairs(first) * _ordered_pairs(second))
    return (alike - against) / size if size > 0 else math.nan


def _ordered_pairs(values: FloatArray) -> float:
    times = np.unique(values, return_counts=True)[1]
    return float((len(values) * (len(values) - 1) - (times * (times - 1)).sum()) / 2)


def pearson(first: FloatArray, second: FloatArray) -> float:
    """Return Pearson's correlation, nan where one series is constant."""
    x, y = first - first.mean(), second - second.mean()
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size > 0 else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class RankCorrelationResult(Result):
    """Spearman correlation of two series with a Fisher-type interval.

    Attributes
    ----------
    statistic : float
        In [-1, 1]; nan below three pairs or if either series is constant.
    ci_low, ci_high : float
        Interval at ``confidence_level``; nan below four pairs.
    confidence_level : float
        Of the interval.
    n_obs : int
        Pairs in which both values are present.
    """

    statistic: float
    ci_low: float
    ci_high: float
    confidence_level: float
    n_obs: int


def rank_correlation(
    x: ArrayLike, y: ArrayLike, *, confidence_level: float = 0.95
) -> RankCorrelationResult:
    """Return the Spearman correlation of the pairs that are complete.

    Give it the *differences* of CV and public score between a submission and its
    reference: scores that merely drift in time correlate without meaning anything.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Paired values, nan where missing.
    confidence_level : float
        Of the interval, in (0, 1).

    Returns
    -------
    RankCorrelationResult

    Notes
    -----
    ``atanh(r)`` is taken for normal with variance ``(1 + r**2 / 2) / (n - 3)`` (Bonett
    and Wright 2000). Bootstrap intervals cover less than they claim below 40 pairs.

    References
    ----------
    Bonett, D. G., Wright, T. A. (2000). Sample size requirements for estimating
    Pearson, Kendall and Spearman correlations. Psychometrika 65(1), 23-28.
    doi:10.1007/BF02294183

    Examples
    --------
    >>> rank_correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4]).statistic
    0.9
    """
    first, second = as_float_vector(x, name="x"), as_float_vector(y, name="y")
    check_same_length(x=first, y=second)
    check_fraction(confidence_level, name="confidence_level")
    both = np.isfinite(first) & np.isfinite(second)
    statistic = _correlation(mean_ranks(-first[both]), mean_ranks(-second[both]))
    low, high = _fisher_interval(
        statistic, 1 + statistic**2 / 2, int(both.sum()), confidence_level
    )
    return RankCorrelationResult(
        statistic=statistic,
        ci_low=low,
        ci_high=high,
        confidence_level=confidence_level,
        n_obs=int(both.sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideResult(Result):
    """Which of two series follows a third one more closely, on the same rows.

    Attributes
    ----------
    first, second : float
        Spearman correlation of either with the third.
    difference : float
        ``first - second``.
    ci_low, ci_high : float
        Interval of the difference.
    confidence_level : float
        Of the interval.
    n_obs : int
        Rows in which all three are present.
    """

    first: float
    second: float
    difference: float
    ci_low: float
    ci_high: float
    confidence_level: float
    n_obs: int


def better_guide(
    first: ArrayLike, second: ArrayLike, target: ArrayLike
) -> GuideResult | None:
    """Return by how much better one series ranks a third one than another does.

    Parameters
    ----------
    first, second, target : array_like of shape (n,)
        Values, nan where missing; rows that lack one of them are left out.

    Returns
    -------
    GuideResult or None
        None below five common rows or where a series is constant.

    Notes
    -----
    The interval is Zou's (2007): those of both correlations, combined with the
    correlation that the two estimates have since they share rows and the third series.

    References
    ----------
    Zou, G. Y. (2007). Toward using confidence intervals to compare correlations.
    Psychological Methods 12(4), 399-413. doi:10.1037/1082-989X.12.4.399

    Examples
    --------
    >>> guide = better_guide(
    ...     [1, 2, 3, 4, 5, 6], [1, 3, 2, 4, 6, 5], [2, 1, 3, 4, 5, 6]
    ... )
    >>> round(guide.first, 3), round(guide.second, 3), guide.ci_low < 0 < guide.ci_high
    (0.943, 0.771, True)
    """
    columns = [
        as_float_vector(values, name=name)
        for name, values in (("first", first), ("second", second), ("target", target))
    ]
    check_same_length(first=columns[0], second=columns[1], target=columns[2])
    whole = np.isfinite(columns).all(axis=0)
    one, other, last = (values[whole] for values in columns)
    a, b = rank_correlation(one, last), rank_correlation(other, last)
    between = rank_correlation(one, other).statistic
    if a.n_obs < _FEWEST or not np.isfinite([a.statistic, b.statistic, between]).all():
        return None
    shared = _shared_error(a.statistic, b.statistic, between)
    sides = []
    for x, y in ((a, b), (b, a)):
        below, above = x.statistic - x.ci_low, y.ci_high - y.statistic
        square = below**2 + above**2 - 2 * shared * below * above
        sides.append(float(np.sqrt(max(square, 0.0))))
    difference = a.statistic - b.statistic
    return GuideResult(
        first=a.statistic,
        second=b.statistic,
        difference=difference,
        ci_low=difference - sides[0],
        ci_high=difference + sides[1],
        confidence_level=a.confidence_level,
        n_obs=a.n_obs,
    )


def _shared_error(a: float, b: float, between: float) -> float:
    """Return the correlation of the errors of two correlations with one series."""
    a, b, between = (float(np.clip(r, -0.999, 0.999)) for r in (a, b, between))
    top = (between - a * b / 2) * (1 - a**2 - b**2 - between**2) + between**3
    return float(np.clip(top / ((1 - a**2) * (1 - b**2)), -1.0, 1.0))


def attainable_z(correlation: float, n_obs: int) -> float:
    """Return a rank correlation in standard errors of a sample without any.

    Parameters
    ----------
    correlation : float
        In [-1, 1].
    n_obs : int
        Pairs.

    Returns
    -------
    float
        nan below four pairs or where the correlation is nan.

    Notes
    -----
    ``atanh(r) / sqrt((1 + r**2 / 2) / (n - 3))`` (Bonett and Wright 2000).

    References
    ----------
    Bonett, D. G., Wright, T. A. (2000). Sample size requirements for estimating
    Pearson, Kendall and Spearman correlations. Psychometrika 65(1), 23-28.
    doi:10.1007/BF02294183

    Examples
    --------
    >>> round(attainable_z(0.5, 39), 2)
    3.11
    """
    if n_obs < 4 or not np.isfinite(correlation):
        return float("nan")
    r = float(np.clip(correlation, -_NEARLY_ONE, _NEARLY_ONE))
    return float(np.arctanh(r) / np.sqrt((1 + r**2 / 2) / (n_obs - 3)))


def pearson_interval(
    x: FloatArray, y: FloatArray, confidence_level: float
) -> tuple[float, float, float]:
    """Return Pearson's correlation of complete pairs with Fisher's interval."""
    check_same_length(x=x, y=y)
    both = np.isfinite(x) & np.isfinite(y)
    r = _correlation(x[both], y[both])
    return r, *_fisher_interval(r, 1.0, int(both.sum()), confidence_level)


def _correlation(x: FloatArray, y: FloatArray) -> float:
    """Return Pearson's r, nan below three pairs or for a constant."""
    if len(x) < 3 or not (np.ptp(x) > 0 and np.ptp(y) > 0):
        return float("nan")
    return float(np.clip(pearson(x, y), -1, 1).round(12))


def _fisher_interval(
    r: float, variance: float, n_obs: int, confidence_level: float
) -> tuple[float, float]:
    """Return the interval with ``atanh(r)`` of that variance over ``n - 3``."""
    if n_obs < 4 or not np.isfinite(r):
        return float("nan"), float("nan")
    half = float(-ndtri((1 - confidence_level) / 2) * np.sqrt(variance / (n_obs - 3)))
    centre = np.arctanh(np.clip(r, -_NEARLY_ONE, _NEARLY_ONE))
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemingResult(Result):
    """Line through points whose coordinates both carry noise.

    Attributes
    ----------
    slope, slope_se : float
        Slope, and its jackknife standard error; nan below five points.
    intercept : float
        Of ``y`` at ``x = 0``.
    residual_se : float
        Standard deviation of ``y`` about the line, with ``n_obs - 2`` degrees of
        freedom.
    x_mean, x_square_sum : float
        Mean of ``x`` and sum of its squared deviations, for the band of a new point:
        ``residual_se * sqrt(1 + 1/n + (x - x_mean)**2 / x_square_sum)`` times the
        quantile of Student's t.
    n_obs : int
        Points.
    """

    slope: float
    slope_se: float
    intercept: float
    residual_se: float
    x_mean: float
    x_square_sum: float
    n_obs: int


def deming_line(x: ArrayLike, y: ArrayLike, *, noise_ratio: float) -> DemingResult:
    """Return the line of Deming through the pairs that are complete.

    Parameters
    ----------
    x, y : array_like of shape (n,)
        Paired values, nan where missing.
    noise_ratio : float
        Noise variance of ``y`` over that of ``x``.

    Returns
    -------
    DemingResult
        All nan below three pairs, or where ``x`` does not vary.

    Raises
    ------
    ValueError
        If the lengths differ or ``noise_ratio`` is not above 0.

    Notes
    -----
    With ``l = noise_ratio`` and sums of squares and products about the means, the slope
    is ``(syy - l*sxx + sqrt((syy - l*sxx)**2 + 4*l*sxy**2)) / (2*sxy)``. Least squares
    would bend it towards 0 by the noise of ``x``.

    References
    ----------
    Deming, W. E. (1943). Statistical Adjustment of Data. Wiley.
    Linnet, K. (1990). Estimation of the linear relationship between the measurements of
    two methods with proportional errors. Statistics in Medicine 9(12), 1463-1473.
    doi:10.1002/sim.4780091210

    Examples
    --------
    >>> deming_line([0, 1, 2, 3], [1, 3, 5, 7], noise_ratio=1.0).slope
    2.0
    """
    first, second = as_float_vector(x, name="x"), as_float_vector(y, name="y")
    check_same_length(x=first, y=second)
    check_positive(noise_ratio, name="noise_ratio")
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    n_obs = len(first)
    nan = float("nan")
    slope, rest = _slopes(first, second, noise_ratio)
    if not np.isfinite(slope):
        return DemingResult(
            slope=nan,
            slope_se=nan,
            intercept=nan,
            residual_se=nan,
            x_mean=nan,
            x_square_sum=nan,
            n_obs=n_obs,
        )
    slope_se = nan
    if n_obs >= _FEWEST:
        square = np.square(rest - rest.mean()).sum()
        slope_se = float(np.sqrt((n_obs - 1) / n_obs * square))
    intercept = float(second.mean() - slope * first.mean())
    left = second - intercept - slope * first
    return DemingResult(
        slope=slope,
        slope_se=slope_se,
        intercept=intercept,
        residual_se=float(np.sqrt(np.square(left).sum() / (n_obs - 2))),
        x_mean=float(first.mean()),
        x_square_sum=float(np.square(first - first.mean()).sum()),
        n_obs=n_obs,
    )


def _slopes(x: FloatArray, y: FloatArray, ratio: float) -> tuple[float, FloatArray]:
    """Return the slope through all points, and through all but each one."""
    n_obs = len(x)
    if n_obs < 3 or not np.ptp(x) > 0:
        return float("nan"), np.full(n_obs, np.nan)
    dx, dy = x - x.mean(), y - y.mean()
    sums = np.array([dx @ dx, dy @ dy, dx @ dy])
    # A point adds its squared distance from the mean of the others, times (n-1)/n.
    share = n_obs / (n_obs - 1)
    without = sums[:, None] - share * np.array([dx * dx, dy * dy, dx * dy])
    scale = np.array([sums[0], sums[1], np.sqrt(sums[0] * sums[1])])
    without[np.abs(without) < _ROUNDING * scale[:, None]] = 0.0
    sxx, syy, sxy = np.column_stack([sums, without])
    slopes = _deming_slope(sxx, syy, sxy, ratio)
    return float(slopes[0]), slopes[1:]


def _deming_slope(
    sxx: FloatArray, syy: FloatArray, sxy: FloatArray, ratio: float
) -> FloatArray:
    """Return slopes from sums of squares and products, nan where x does not vary."""
    apart = syy - ratio * sxx
    root = np.hypot(apart, 2 * np.sqrt(ratio) * sxy)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Of two equal forms the one that does not cancel.
        slope = np.where(
            apart > 0, (apart + root) / (2 * sxy), 2 * ratio * sxy / (root - apart)
        )
    flat = np.where(apart <= 0, 0.0, np.nan)
    slope = np.where(sxy == 0, flat, slope)
    return np.asarray(np.where(sxx > 0, slope, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGapResult(Result):
    """How far two kinds of score lie apart, and whether they order alike.

    Attributes
    ----------
    mean, sd : float
        Of the second score minus the first; the standard deviation is nan for one pair.
    ci_low, ci_high : float
        Interval for the next submission (t distribution); nan below two pairs, and
        where all differences are equal.
    confidence_level : float
        Of the interval.
    n_obs : int
        Submissions with both scores.
    n_alike, n_pairs : int
        Pairs of submissions that both scores order alike, among all that both order.
    """

    mean: float
    sd: float
    ci_low: float
    ci_high: float
    confidence_level: float
    n_obs: int
    n_alike: int
    n_pairs: int


def score_gap(first: ArrayLike, second: ArrayLike) -> ScoreGapResult | None:
    """Return what the second score of the next submission is, given the first.

    Use it where two to seven submissions are all there is. It takes submissions for
    independent draws, which they are not: they share the luck of one split, so that it
    is about the next submission of the same competition.

    Parameters
    ----------
    first, second : array_like of shape (n,)
        Scores, nan where missing.

    Returns
    -------
    ScoreGapResult or None
        None without a submission that has both.

    Notes
    -----
    ``mean +- t * sd * sqrt(1 + 1 / n)`` with ``n - 1`` degrees of freedom.

    Examples
    --------
    >>> gap = score_gap([0.70, 0.72, 0.71], [0.69, 0.70, 0.71])
    >>> round(gap.mean, 3), round(gap.ci_low, 3), round(gap.ci_high, 3)
    (-0.01, -0.06, 0.04)
    >>> gap.n_alike, gap.n_pairs
    (2, 3)
    """
    before, after = (
        as_float_vector(first, name="first"),
        as_float_vector(second, name="second"),
    )
    check_same_length(first=before, second=after)
    both = np.isfinite(before) & np.isfinite(after)
    apart = (after - before)[both]
    n = len(apart)
    if not n:
        return None
    mean = float(apart.mean())
    sd = float(apart.std(ddof=1)) if n > 1 else float("nan")
    half = float("nan")
    if sd > 1e-12 * max(float(np.abs(before[both]).max()), abs(mean)):
        t = float(stdtrit(n - 1, (1 + _LEVEL) / 2))
        half = t * sd * float(np.sqrt(1 + 1 / n))
    n_alike, n_against = pair_counts(before[both], after[both])
    return ScoreGapResult(
        mean=mean,
        sd=sd,
        ci_low=mean - half,
        ci_high=mean + half,
        confidence_level=_LEVEL,
        n_obs=n,
        n_alike=n_alike,
        n_pairs=n_alike + n_against,
    )
