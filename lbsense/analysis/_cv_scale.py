"""Are CV and public scores on one scale? What is done where they are not."""

from __future__ import annotations

import numpy as np

from lbsense._typing import FloatArray, IntArray
from lbsense.stats import rank_correlation

__all__ = ["cv_on_public_scale", "gains"]

_FEWEST_TO_COMPARE = 8  # pairs before CV is taken for another metric
_CLOSE = 0.8  # rank correlation of levels that drift alone seldom gives
_SAME = 1e-6  # of the largest gain: a difference that arithmetic makes
_LARGEST_RATIO = 4.0  # of the spreads of CV and public that one scale allows


def gains(scores: FloatArray, reference: IntArray) -> FloatArray:
    """Return every score less that of its reference, nan without one."""
    return np.where(reference >= 0, scores - scores[reference], np.nan)


def cv_on_public_scale(
    cv: FloatArray, public: FloatArray, reference: IntArray, notes: dict[str, str]
) -> FloatArray:
    """Return oriented CV scores, rescaled or withheld where another metric is likely.

    Gains decide, or levels that agree closely: levels drift, and drifts correlate
    moderately without a cause. What was done is said in ``notes``.
    """
    steps = gains(cv, reference), gains(public, reference)
    both = np.isfinite(steps[0]) & np.isfinite(steps[1])
    if both.sum() >= 2 and _is_copy(steps[0][both], steps[1][both]):
        notes["cv"] = (
            f"CV moves exactly as the public score in all {int(both.sum())} steps: it "
            "is no second measurement and was not used. Is it the public score, copied?"
        )
        return np.full_like(cv, np.nan)
    if both.sum() >= 2 and not steps[0][both].any() and steps[1][both].any():
        notes["cv"] = (
            f"CV is the same in all {int(both.sum())} steps while the public score "
            "moves: it measures nothing and was not used."
        )
        return np.full_like(cv, np.nan)
    if both.sum() < _FEWEST_TO_COMPARE:
        return cv
    of_gains = rank_correlation(*steps, confidence_level=0.998)
    of_levels = rank_correlation(cv, public)
    if of_gains.ci_high < 0 or of_levels.statistic <= -_CLOSE:
        notes["cv"] = (
            f"CV falls where the public score rises (rank correlation of the scores "
            f"{of_levels.statistic:.2f}, of the gains {of_gains.statistic:.2f}, "
            f"n={of_gains.n_obs}) and was not used. Either the CV metric points the "
            "other way (then say so: cv_greater_is_better), or validation leaks."
        )
        return np.full_like(cv, np.nan)
    if _same_size(cv, public):
        return cv
    close = of_levels.statistic >= _CLOSE
    pair = (cv, public) if close else steps
    known = np.isfinite(pair[0]) & np.isfinite(pair[1])
    spread_cv, spread_public = _spread(pair[0][known]), _spread(pair[1][known])
    if spread_cv == 0 or spread_public == 0:
        return cv
    ratio = spread_public / spread_cv
    if 1 / _LARGEST_RATIO <= ratio <= _LARGEST_RATIO:
        return cv
    if close or of_gains.ci_low > 0:
        notes["cv"] = (
            f"CV and public scores are on different scales; CV gains were multiplied "
            f"by {ratio:.3g}, the ratio of their spreads."
        )
        return cv * ratio
    notes["cv"] = (
        f"CV gains spread {1 / ratio:.3g} times as far as public gains and do not "
        "follow them: they were not used. Is it the same metric?"
    )
    return np.full_like(cv, np.nan)


def _is_copy(cv_gain: FloatArray, public_gain: FloatArray) -> bool:
    """Return whether two columns of gains are one, up to rounding of the last digit."""
    scale = np.abs(public_gain).max()
    return bool(np.abs(public_gain - cv_gain).max() <= _SAME * max(scale, 1e-12))


def _same_size(cv: FloatArray, public: FloatArray) -> bool:
    """Return whether typical scores are within a factor of two: one scale."""
    both = np.isfinite(cv) & np.isfinite(public)
    size_cv, size_public = np.median(np.abs(cv[both])), np.median(np.abs(public[both]))
    return bool(size_public / 2 <= size_cv <= 2 * size_public)


def _spread(values: FloatArray) -> float:
    """Return the interquartile range, or the range where half the values tie."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) or float(np.ptp(values))
