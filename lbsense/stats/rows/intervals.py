"""Intervals of a score from its standard error, or from resampled scores."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy.special import expit, logit

from lbsense._typing import BoolArray, FloatArray

__all__ = [
    "IntervalKind",
    "are_rates",
    "logit_interval",
    "normal_interval",
    "percentile_interval",
    "score_interval",
    "wilson_interval",
]

_LARGEST_SHIFT = 0.5  # of the quantile: beyond, the expansion means nothing

Interval: TypeAlias = tuple[FloatArray, FloatArray]
IntervalKind: TypeAlias = Literal["auto", "normal", "logit", "wilson"]


def score_interval(
    score: FloatArray,
    se: FloatArray,
    *,
    rates: BoolArray,
    n: float,
    quantile: FloatArray,
    skewness: FloatArray,
    kind: IntervalKind,
) -> Interval:
    """Return the interval of every score by the method that ``kind`` names.

    ``rates`` marks the scores that are shares of rows; ``n`` is the number of
    independent rows behind a rate that has no spread to tell it from. ``skewness`` is
    that of the score: of its rows over the root of their number.
    """
    if kind == "logit":
        return logit_interval(score, se, quantile)
    if kind == "normal":
        return normal_interval(score, se, quantile, skewness)
    if kind not in ("auto", "wilson"):
        msg = f"interval must be 'auto', 'normal', 'logit' or 'wilson', not {kind!r}."
        raise ValueError(msg)
    other = np.flatnonzero(~rates & np.isfinite(score)).tolist()
    if kind == "wilson" and other:
        msg = (
            f"interval='wilson' is for rates, but the rows of columns {other[:5]} are "
            "not all right or wrong. Use 'normal' or 'logit'."
        )
        raise ValueError(msg)
    low, high = normal_interval(score, se, quantile, skewness)
    size = np.full(len(score), float(n))
    spread = rates & (se > 0)  # rows of one group that agree count for less than one
    size[spread] = (score * (1 - score))[spread] / np.square(se[spread])
    low[rates], high[rates] = wilson_interval(
        score[rates], size[rates], quantile[rates]
    )
    return low, high


def are_rates(score: FloatArray, psi: FloatArray) -> BoolArray:
    """Say which scores are means of rows that are either 0 or 1."""
    with np.errstate(invalid="ignore"):
        plausible = (score >= 0) & (score <= 1) & (np.abs(psi[0]) <= 1)
    rates = np.zeros(len(score), dtype=bool)
    for column in np.flatnonzero(plausible):
        values = psi[:, column] + score[column]
        rates[column] = np.minimum(np.abs(values), np.abs(values - 1)).max() < 1e-9
    return rates


def normal_interval(
    score: FloatArray, se: FloatArray, quantile: FloatArray, skewness: FloatArray
) -> Interval:
    """Return the score plus and minus ``quantile`` standard errors, shifted.

    Nan where the standard error is 0: rows that never differ say nothing about how
    other rows would.
    """
    unit = np.where(se > 0, se, np.nan)
    most = _LARGEST_SHIFT * quantile
    shift = np.clip(skewness * (2 * quantile**2 + 1) / 6, -most, most)
    return score - (quantile - shift) * unit, score + (quantile + shift) * unit


def logit_interval(score: FloatArray, se: FloatArray, quantile: FloatArray) -> Interval:
    """Return an interval on the logit scale, which keeps a score within (0, 1).

    With ``l = log(s / (1 - s))`` the standard error of ``l`` is ``se / (s * (1 - s))``.
    The logit itself takes the skewness of such scores out; a further shift overdid it.
    """
    known = (se > 0) & (score > 0) & (score < 1)
    rate = np.where(known, score, 0.5)
    reach = quantile * se / (rate * (1 - rate))
    low, high = expit(logit(rate) - reach), expit(logit(rate) + reach)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def wilson_interval(
    rate: FloatArray, n: FloatArray, quantile: FloatArray | float
) -> Interval:
    """Return the score interval of a rate over ``n`` rows (Wilson 1927).

    The rates that are not ``quantile`` of their *own* standard errors away from the
    observed one. ``n`` is the effective number of rows where rows come in groups.
    """
    square = quantile**2
    centre = (n * rate + square / 2) / (n + square)
    spread = n * rate * (1 - rate) + square / 4
    reach = quantile * np.sqrt(spread) / (n + square)
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)


def percentile_interval(draws: FloatArray, confidence_level: float) -> Interval:
    """Return the central part of the resampled scores, column by column.

    With ``B`` draws the quantile ``q`` is the order statistic ``q * (B + 1)``, between
    two of them by interpolation. Undefined draws are left out.
    """
    tail = (1 - confidence_level) / 2
    ends = np.full((2, draws.shape[1]), np.nan)
    for column, values in enumerate(draws.T):
        known = values[np.isfinite(values)]
        if len(known) > 1:
            levels = np.array([tail, 1 - tail])
            ends[:, column] = np.quantile(known, levels, method="weibull")
    return ends[0], ends[1]
