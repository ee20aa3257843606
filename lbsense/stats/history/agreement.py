"""Do two scores move together? Correlation whose interval holds for few points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_fraction,
    check_same_length,
)
from lbsense.stats.history.deming import DemingResult, deming_line

__all__ = [
    "AgreementResult",
    "RankCorrelationResult",
    "gain_agreement",
    "rank_correlation",
]

_LEAST_VISIBLE = 0.3  # correlation of gains below which even perfect CV shows none
_FEWEST = 5


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementResult(Result):
    """Do CV and public scores measure the same? Told by gains, not by levels.

    Attributes
    ----------
    statistic, ci_low, ci_high : float
        Spearman correlation of CV and public gains and its interval.
    confidence_level : float
        Of both intervals.
    n_obs : int
        Steps with both gains.
    pearson, pearson_low, pearson_high : float
        Their Pearson correlation, with Fisher's interval.
    perfect_r : float
        Pearson correlation that gains of a CV without any noise would show: what the
        noise of the public score leaves of 1. nan where that noise is not known.
    levels_r : float
        Pearson correlation of the scores themselves. Decoration: scores that both
        drift correlate without meaning anything.
    cv_excess_se : float
        Standard error that a CV gain has beyond the choice of rows; nan where the sizes
        are not known.
    cv_excess_share : float
        Share of that in the noise variance of a CV gain.
    line : DemingResult or None
        Public score on CV score.
    testable : bool
        Whether agreement would be seen if there were any.
    reason : str
        Why not; empty where it is.
    """

    statistic: float
    ci_low: float
    ci_high: float
    confidence_level: float
    n_obs: int
    pearson: float
    pearson_low: float
    pearson_high: float
    perfect_r: float
    levels_r: float
    cv_excess_se: float
    cv_excess_share: float
    line: DemingResult | None
    testable: bool
    reason: str


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


def gain_agreement(
    cv: ArrayLike,
    public: ArrayLike,
    cv_gain: ArrayLike,
    public_gain: ArrayLike,
    *,
    cv_step_var: float = float("nan"),
    public_step_var: float = float("nan"),
    gain_var: float = float("nan"),
    cv_sampling_var: float = float("nan"),
    confidence_level: float = 0.95,
) -> AgreementResult:
    """Return how CV and public scores agree, and whether that can be seen at all.

    Parameters
    ----------
    cv, public : array_like of shape (k,)
        Scores, larger is better, nan where missing.
    cv_gain, public_gain : array_like of shape (k,)
        Differences to the submission that each was made from, nan where missing.
    cv_step_var, public_step_var : float
        Typical noise variances of these, nan where not known.
    gain_var : float
        Mean square of the true gains, as the step posterior has it.
    cv_sampling_var : float
        Part of ``cv_step_var`` that the choice of rows explains.
    confidence_level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    AgreementResult

    Notes
    -----
    Noise attenuates a correlation by the root of the reliability of either side
    (Spearman 1904): a CV without noise would show ``sqrt(gain_var / (gain_var +
    public_step_var))``. Below 0.3 no history of this length could show agreement.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things.
    American Journal of Psychology 15(1), 72-101. doi:10.2307/1412159

    Examples
    --------
    >>> gains = [float("nan"), 0.01, -0.01, 0.02, 0.0, 0.01]
    >>> result = gain_agreement([1, 2, 1, 3, 2, 3], [1, 2, 1, 3, 2, 3], gains, gains)
    >>> result.statistic, result.testable
    (1.0, True)
    """
    ranks = rank_correlation(cv_gain, public_gain, confidence_level=confidence_level)
    pearson, low, high = _pearson(
        as_float_vector(cv_gain, name="cv_gain"),
        as_float_vector(public_gain, name="public_gain"),
        confidence_level,
    )
    levels_r, _, _ = _pearson(
        as_float_vector(cv, name="cv"),
        as_float_vector(public, name="public"),
        confidence_level,
    )
    perfect = float(np.sqrt(gain_var / (gain_var + public_step_var)))
    excess = max(cv_step_var - cv_sampling_var, 0.0)  # nan stays nan
    excess = excess if np.isfinite(cv_sampling_var) else float("nan")
    ratio = public_step_var / cv_step_var
    line = None
    if np.isfinite(ratio) and ratio > 0:
        line = deming_line(cv, public, noise_ratio=ratio)
    reason = ""
    if ranks.n_obs < _FEWEST:
        reason = f"{ranks.n_obs} steps have both gains; {_FEWEST} are needed."
    elif not np.isfinite(ranks.statistic):
        reason = "All CV gains, or all public gains, are equal."
    elif perfect < _LEAST_VISIBLE:
        reason = (
            f"On this plateau even a CV without noise would correlate with the public "
            f"gains by {perfect:.2f} only."
        )
    return AgreementResult(
        statistic=ranks.statistic,
        ci_low=ranks.ci_low,
        ci_high=ranks.ci_high,
        confidence_level=confidence_level,
        n_obs=ranks.n_obs,
        pearson=pearson,
        pearson_low=low,
        pearson_high=high,
        perfect_r=perfect,
        levels_r=levels_r,
        cv_excess_se=float(np.sqrt(excess)),
        cv_excess_share=excess / cv_step_var,
        line=line if line is not None and np.isfinite(line.slope) else None,
        testable=not reason,
        reason=reason,
    )


def _pearson(
    x: FloatArray, y: FloatArray, confidence_level: float
) -> tuple[float, float, float]:
    """Return the correlation of complete pairs with Fisher's interval."""
    check_same_length(x=x, y=y)
    both = np.isfinite(x) & np.isfinite(y)
    nan = float("nan")
    if both.sum() < 3 or not (np.ptp(x[both]) > 0 and np.ptp(y[both]) > 0):
        return nan, nan, nan
    r = float(np.clip(np.corrcoef(x[both], y[both])[0, 1], -1, 1).round(12))
    if both.sum() < 4:
        return r, nan, nan
    half = float(-ndtri((1 - confidence_level) / 2) / np.sqrt(both.sum() - 3))
    centre = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    return r, float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _ranks(values: FloatArray) -> FloatArray:
    return np.asarray(pd.Series(values).rank(), dtype=np.float64)
