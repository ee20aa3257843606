"""CV against public: do they agree, could it be seen, how far are they apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_fraction,
    check_positive,
    check_same_length,
)
from lbsense.stats.history.deming import DemingResult, deming_line

_LEAST_VISIBLE = 0.3  # correlation of gains below which even perfect CV shows none
_FEWEST = 5
_NEARLY_ONE = 1 - 1e-12  # a correlation whose atanh is finite
_BROKEN = 100.0  # times the median: ten times a typical step is no step any more


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
    ranks = (_ranks(first[both]), _ranks(second[both]))
    statistic = _correlation(*ranks)
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
    first: ArrayLike,
    second: ArrayLike,
    target: ArrayLike,
    *,
    confidence_level: float = 0.95,
) -> GuideResult | None:
    """Return by how much better one series ranks a third one than another does.

    Parameters
    ----------
    first, second, target : array_like of shape (n,)
        Values, nan where missing; rows that lack one of them are left out.
    confidence_level : float
        Of the interval, in (0, 1).

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
    check_fraction(confidence_level, name="confidence_level")
    whole = np.isfinite(columns).all(axis=0)
    one, other, last = (values[whole] for values in columns)
    a = rank_correlation(one, last, confidence_level=confidence_level)
    b = rank_correlation(other, last, confidence_level=confidence_level)
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
        confidence_level=confidence_level,
        n_obs=a.n_obs,
    )


def _shared_error(a: float, b: float, between: float) -> float:
    """Return the correlation of the errors of two correlations with one series."""
    a, b, between = (float(np.clip(r, -0.999, 0.999)) for r in (a, b, between))
    top = (between - a * b / 2) * (1 - a**2 - b**2 - between**2) + between**3
    return float(np.clip(top / ((1 - a**2) * (1 - b**2)), -1.0, 1.0))


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


def _pearson(
    x: FloatArray, y: FloatArray, confidence_level: float
) -> tuple[float, float, float]:
    """Return the correlation of complete pairs with Fisher's interval."""
    check_same_length(x=x, y=y)
    both = np.isfinite(x) & np.isfinite(y)
    r = _correlation(x[both], y[both])
    return r, *_fisher_interval(r, 1.0, int(both.sum()), confidence_level)


def _correlation(x: FloatArray, y: FloatArray) -> float:
    """Return Pearson's r, nan below three pairs or for a constant."""
    if len(x) < 3 or not (np.ptp(x) > 0 and np.ptp(y) > 0):
        return float("nan")
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1).round(12))


def _fisher_interval(
    r: float, variance: float, n_obs: int, confidence_level: float
) -> tuple[float, float]:
    """Return the interval with ``atanh(r)`` of that variance over ``n - 3``."""
    if n_obs < 4 or not np.isfinite(r):
        return float("nan"), float("nan")
    half = float(-ndtri((1 - confidence_level) / 2) * np.sqrt(variance / (n_obs - 3)))
    centre = np.arctanh(np.clip(r, -_NEARLY_ONE, _NEARLY_ONE))
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def _ranks(values: FloatArray) -> FloatArray:
    """Return mean ranks from 1 on; nan where a value is."""
    ranks = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    _, place, times = np.unique(values[known], return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    ranks[known] = (last - (times - 1) / 2)[place]
    return ranks
