"""The line through points whose two coordinates both carry noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import as_float_vector, check_positive, check_same_length

_ROUNDING = 1e-13  # share of a sum of squares that is rounding
_FEWEST = 5  # points for the standard error of a slope


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
