"""Whether agreement could be seen, and how far two kinds of score lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_positive,
    check_same_length,
)

__all__ = ["OffsetResult", "attainable_z", "common_offset", "visible_correlation"]

_BROKEN = 100.0  # times the median: ten times a typical step is no step any more


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetResult(Result):
    """The common distance of public scores from CV scores.

    Attributes
    ----------
    offset : float
        Mean of public minus CV.
    standard_error : float
        What the choice of rows gives to it, whatever the number of submissions.
    statistic : float
        The ratio of both.
    n_obs : int
        Submissions with both scores.
    """

    offset: float
    standard_error: float
    statistic: float
    n_obs: int


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
    r = float(np.clip(correlation, -1 + 1e-12, 1 - 1e-12))
    return float(np.arctanh(r) / np.sqrt((1 + r**2 / 2) / (n_obs - 3)))


def visible_correlation(
    gain: ArrayLike, gain_se: ArrayLike, public_se: ArrayLike
) -> float:
    """Return how far true gains can correlate with public gains at this noise.

    Parameters
    ----------
    gain, gain_se : array_like of shape (n,)
        Posterior mean and standard deviation of every true gain, nan where missing.
    public_se : array_like of shape (n,)
        Standard error of every public gain.

    Returns
    -------
    float
        In [0, 1], nan without a step.

    Notes
    -----
    ``sqrt(g / (g + s))`` with mean square ``g`` of the true gains and ``s`` of the
    noise (Spearman 1904). Squares are cut at 100 times their median, so that one
    broken submission does not make a plateau look like a slope.

    Examples
    --------
    >>> round(visible_correlation([0.01, -0.01], [0.0, 0.0], [0.01, 0.01]), 3)
    0.707
    """
    true = np.square(as_float_vector(gain, name="gain"))
    true = true + np.square(as_float_vector(gain_se, name="gain_se"))
    noise = np.square(as_float_vector(public_se, name="public_se"))
    check_same_length(gain=true, public_se=noise)
    known = np.isfinite(true) & np.isfinite(noise)
    if not known.any():
        return float("nan")
    real, luck = (
        np.minimum(part, _BROKEN * np.median(part)).mean()
        for part in (true[known], noise[known])
    )
    return float(np.sqrt(real / (real + luck))) if real + luck > 0 else float("nan")


def common_offset(
    public: ArrayLike, cv: ArrayLike, *, score_sd: float, n_public: int, n_train: int
) -> OffsetResult:
    """Return how far public scores lie from CV scores as a whole, against chance.

    Parameters
    ----------
    public, cv : array_like of shape (n,)
        Scores on one scale, larger is better, nan where missing.
    score_sd : float
        Standard deviation of the score per row.
    n_public, n_train : int
        Rows behind a public and behind a CV score.

    Returns
    -------
    OffsetResult

    Raises
    ------
    ValueError
        If lengths differ, or a size is not above 0.

    Notes
    -----
    All submissions meet the same easy or hard rows, so that the mean of many is as
    uncertain as one: ``score_sd * sqrt(1/n_public + 1/n_train)``. CV trains on fewer
    rows and may look worse for that alone.

    Examples
    --------
    >>> result = common_offset(
    ...     [0.70, 0.71], [0.74, 0.75], score_sd=0.5, n_public=1000, n_train=1000
    ... )
    >>> round(result.statistic, 2)
    -1.79
    """
    shown, validated = (
        as_float_vector(public, name="public"),
        as_float_vector(cv, name="cv"),
    )
    check_same_length(public=shown, cv=validated)
    apart = shown - validated
    apart = apart[np.isfinite(apart)]
    check_count(n_public, name="n_public")
    check_count(n_train, name="n_train")
    error = check_positive(score_sd, name="score_sd") * np.sqrt(
        1 / n_public + 1 / n_train
    )
    offset = float(apart.mean()) if apart.size else float("nan")
    return OffsetResult(
        offset=offset,
        standard_error=float(error),
        statistic=float(offset / error),
        n_obs=len(apart),
    )
