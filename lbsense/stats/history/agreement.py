"""CV against public: do they agree, could it be seen, how far are they apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_positive,
    check_same_length,
)
from lbsense.stats.history.pairs import (
    DemingResult,
    deming_line,
    pearson_interval,
    rank_correlation,
)

_LEAST_VISIBLE = 0.3  # correlation of gains below which even perfect CV shows none
_FEWEST = 5
_BROKEN = 100.0  # times the median: ten times a typical step is no step any more


@dataclass(frozen=True, slots=True, kw_only=True)
class CvScaleResult(Result):
    """One series of CV scores under one scheme: its scale and its agreement.

    Attributes
    ----------
    name : str
        The kind of CV: a heading, or "CV".
    scheme : str
        How it was made, as far as words tell a change; empty otherwise.
    begin : {"", "words", "scores"}
        What tells that a scheme begins with it: words, or a jump of its level.
    first, last : int
        Positions of the first and the last submission with such a score, -1 for none.
    n_obs : int
        Steps with a gain of it and a public gain.
    statistic, ci_low, ci_high : float
        Spearman correlation of these gains, and its 95% interval.
    slope : float
        Change of it that goes with a public gain of 1; nan where it is not used.
    weight : float
        Its mean share in the CV of the submissions that it scores; nan where it is not
        used.
    reason : str
        Why it is not used; empty where it is.
    """

    name: str
    scheme: str
    begin: Literal["", "words", "scores"]
    first: int
    last: int
    n_obs: int
    statistic: float
    ci_low: float
    ci_high: float
    slope: float
    weight: float
    reason: str


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
    scales : tuple of CvScaleResult
        Every kind of CV, in an analysis, and in it every scheme in order of time.
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
    scales: tuple[CvScaleResult, ...] = ()

    @property
    def breaks(self) -> bool:
        """Whether a scheme of CV ended on the way and another began."""
        return any(scale.begin for scale in self.scales)


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


def gain_agreement(
    cv: ArrayLike,
    public: ArrayLike,
    cv_gain: ArrayLike,
    public_gain: ArrayLike,
    *,
    cv_step_var: float = float("nan"),
    public_step_var: float = float("nan"),
    perfect_r: float = float("nan"),
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
    perfect_r : float
        What a CV without noise would show, as `visible_correlation` gives it.
    cv_sampling_var : float
        Part of ``cv_step_var`` that the choice of rows explains.
    confidence_level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    AgreementResult

    Notes
    -----
    Noise attenuates a correlation. Where even a CV without any would show less than
    0.3, no history of this length could show agreement.

    Examples
    --------
    >>> gains = [float("nan"), 0.01, -0.01, 0.02, 0.0, 0.01]
    >>> result = gain_agreement([1, 2, 1, 3, 2, 3], [1, 2, 1, 3, 2, 3], gains, gains)
    >>> result.statistic, result.testable
    (1.0, True)
    """
    ranks = rank_correlation(cv_gain, public_gain, confidence_level=confidence_level)
    pearson, low, high = pearson_interval(
        as_float_vector(cv_gain, name="cv_gain"),
        as_float_vector(public_gain, name="public_gain"),
        confidence_level,
    )
    levels_r, _, _ = pearson_interval(
        as_float_vector(cv, name="cv"),
        as_float_vector(public, name="public"),
        confidence_level,
    )
    excess = max(cv_step_var - cv_sampling_var, 0.0)  # nan stays nan
    excess = excess if np.isfinite(cv_sampling_var) else float("nan")
    ratio = public_step_var / cv_step_var
    line = None
    if np.isfinite(ratio) and ratio > 0:
        line = deming_line(cv, public, noise_ratio=ratio)
    reason = ""
    if ranks.n_obs < _FEWEST:
        reason = f"Steps with both gains: {ranks.n_obs}; {_FEWEST} are needed."
    elif not np.isfinite(ranks.statistic):
        reason = "All CV gains, or all public gains, are equal."
    elif perfect_r < _LEAST_VISIBLE:
        reason = (
            f"On this plateau even a CV without noise would correlate with the public "
            f"gains by {perfect_r:.2f} only."
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
        perfect_r=perfect_r,
        levels_r=levels_r,
        cv_excess_se=float(np.sqrt(excess)),
        cv_excess_share=excess / cv_step_var,
        line=line if line is not None and np.isfinite(line.slope) else None,
        testable=not reason,
        reason=reason,
    )


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

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things.
    American Journal of Psychology 15(1), 72-101. doi:10.2307/1412159

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
