"""Do two scores move together? Correlation whose interval holds for few points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import as_float_vector, check_fraction, check_same_length

__all__ = ["RankCorrelationResult", "rank_correlation"]


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
    n_obs = int(both.sum())
    nan = float("nan")
    statistic = low = high = nan
    if n_obs >= 3 and np.ptp(first[both]) > 0 and np.ptp(second[both]) > 0:
        ranks = _ranks(first[both]), _ranks(second[both])
        statistic = float(np.clip(np.corrcoef(*ranks)[0, 1], -1, 1).round(12))
        if n_obs >= 4:
            half = float(-ndtri((1 - confidence_level) / 2))
            half *= np.sqrt((1 + statistic**2 / 2) / (n_obs - 3))
            centre = np.arctanh(np.clip(statistic, -1 + 1e-12, 1 - 1e-12))
            low, high = float(np.tanh(centre - half)), float(np.tanh(centre + half))
    return RankCorrelationResult(
        statistic=statistic,
        ci_low=low,
        ci_high=high,
        confidence_level=confidence_level,
        n_obs=n_obs,
    )


def _ranks(values: FloatArray) -> FloatArray:
    return np.asarray(pd.Series(values).rank(), dtype=np.float64)
