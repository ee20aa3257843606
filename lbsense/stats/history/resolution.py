"""What a leaderboard can tell: the smallest gain, the bits it gave, the luck in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_fraction,
    check_positive,
    check_same_length,
    read_only,
)
from lbsense.stats.history.patterns import new_bests


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionResult(Result):
    """How finely the public scores of a history tell submissions apart.

    Attributes
    ----------
    smallest_gain : float
        True gain of a typical step that the public scores show with ``power``; nan
        where no noise is known.
    below_fraction : float
        Share of the steps whose public change is smaller than what their own noise
        would let be found; nan without such steps.
    score_bits : float
        Bits that the scores revealed about the public rows at most: what is left of
        each, beyond its size in general, at the resolution it was shown with. nan
        without resolution.
    best_bits : float
        Bits that the answers "a new best or not" revealed.
    n_scores, n_new_bests : int
        Scores shown, and how many of them beat all before; the first is none.
    n_obs : int
        Steps with a change and a noise.
    power : float
        Of ``smallest_gain``, at a one-sided size of 5%.
    """

    smallest_gain: float
    below_fraction: float
    score_bits: float
    best_bits: float
    n_scores: int
    n_new_bests: int
    n_obs: int
    power: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLimitsResult(Result):
    """How far public scores can be from the truth after so many queries.

    Attributes
    ----------
    boosting : float
        Accuracy above one half that majority votes over random binary guesses reach on
        the public rows, knowing nothing: the strongest simple attack.
    fixed_bound : float
        Gap that none of as many submissions exceeds if they were all fixed beforehand.
    adaptive_bound : float
        Gap that the last one cannot exceed if only new bests were acted on.
    confidence_level : float
        Of both bounds.
    n_queries, n_new_bests, n_public : int
        What they were computed for.
    """

    boosting: float
    fixed_bound: float
    adaptive_bound: float
    confidence_level: float
    n_queries: int
    n_new_bests: int
    n_public: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LadderResult(Result):
    """What the parameter-free Ladder would have shown.

    Attributes
    ----------
    shown : ndarray of shape (k,)
        Best score released up to each submission, nan before the first.
    released : ndarray of bool of shape (k,)
        Submissions whose score it would have released; the first scored one is.
    new_best : ndarray of bool of shape (k,)
        Submissions that beat all before; the first scored one does.
    """

    shown: FloatArray
    released: BoolArray
    new_best: BoolArray


def public_resolution(
    public: ArrayLike,
    public_gain: ArrayLike,
    step_public_se: ArrayLike,
    *,
    shown_step: float | None = None,
    power: float = 0.8,
) -> ResolutionResult:
    """Return what the public scores of a history can tell.

    Parameters
    ----------
    public : array_like of shape (k,)
        Public scores in time order, larger is better, nan where missing.
    public_gain, step_public_se : array_like of shape (k,)
        Differences to the parent and their standard errors, nan where missing.
    shown_step : float, optional
        Distance of neighbouring scores: of the last decimal shown, or one over the
        public rows for an accuracy, whichever is larger.
    power : float
        Chance to find a gain of ``smallest_gain``, in (0, 1).

    Returns
    -------
    ResolutionResult

    Raises
    ------
    ValueError
        If shapes disagree, or ``power`` or ``shown_step`` is out of range.

    Notes
    -----
    A one-sided 5% test finds a gain of ``(z(.95) + z(power)) * se``: 2.486 standard
    errors at 80%. A score says of the public rows what the noise of its step adds. At
    resolution ``q`` a normal value of standard deviation ``se`` holds about ``log2(2 *
    pi * e * (se**2 / q**2 + 1/12)) / 2`` bits, at least 0; a score without a step
    counts as a typical one. Which ``m`` of ``k - 1`` later submissions were new bests
    takes ``log2`` of that many choices.

    References
    ----------
    Cover, T. M., Thomas, J. A. (2006). Elements of Information Theory, 2nd edition,
    section 8.3. Wiley. doi:10.1002/047174882X

    Examples
    --------
    >>> result = public_resolution(
    ...     [0.70, 0.71, 0.705],
    ...     [float("nan"), 0.01, -0.005],
    ...     [float("nan"), 0.002, 0.002],
    ... )
    >>> round(result.smallest_gain, 5), result.below_fraction
    (0.00497, 0.0)
    """
    scores = as_float_vector(public, name="public")
    gains = as_float_vector(public_gain, name="public_gain")
    se = as_float_vector(step_public_se, name="step_public_se")
    check_same_length(public=scores, public_gain=gains, step_public_se=se)
    check_fraction(power, name="power")
    factor = float(ndtri(0.95) + ndtri(power))
    known = np.isfinite(gains) & np.isfinite(se)
    typical = float(np.median(se[known])) if known.any() else float("nan")
    scored = np.isfinite(scores)
    n_scores = int(scored.sum())
    n_new = max(int(new_bests(scores).sum()) - 1, 0)
    bits = float("nan")
    if shown_step is not None and known.any():
        ratio = np.where(known, se, typical)[scored] / check_positive(
            shown_step, name="shown_step"
        )
        bits = float(
            np.maximum(
                0.5 * np.log2(2 * np.pi * np.e * (np.square(ratio) + 1 / 12)), 0.0
            ).sum()
        )
    below = np.abs(gains[known]) < factor * se[known]
    return ResolutionResult(
        smallest_gain=factor * typical,
        below_fraction=float(below.mean()) if below.size else float("nan"),
        score_bits=bits,
        best_bits=_log2_choices(max(n_scores - 1, 0), n_new),
        n_scores=n_scores,
        n_new_bests=n_new,
        n_obs=int(known.sum()),
        power=float(power),
    )


def query_limits(
    n_queries: int,
    *,
    n_public: int,
    n_new_bests: int | None = None,
    confidence_level: float = 0.95,
) -> QueryLimitsResult:
    """Return how much so many public scores could extract from the public rows.

    These are limits, not estimates: hardly any entrant comes near. They hold for mean
    scores per row between 0 and 1, such as accuracy.

    Parameters
    ----------
    n_queries : int
        Submissions with a public score.
    n_public : int
        Rows behind it.
    n_new_bests : int, optional
        How many of them were new bests; by default all may have been.
    confidence_level : float
        Of the bounds, in (0, 1).

    Returns
    -------
    QueryLimitsResult

    Raises
    ------
    ValueError
        If a number is out of range.

    Notes
    -----
    Boosting keeps the better half of ``k`` random guesses and votes: accuracy ``1/2 +
    sqrt(k / (2 * n)) / pi``, good while that is small and at most 1. With ``a = 1 -
    confidence_level`` the bound for fixed submissions is ``sqrt(log(2 * k / a) / (2 *
    n))`` (Hoeffding and the union bound). An entrant who acts on nothing but which
    scores were new bests can reach no more than ``C(k, m)`` submissions, by default
    ``2**k``, which replace ``k``.

    References
    ----------
    Blum, A., Hardt, M. (2015). The Ladder: a reliable leaderboard for machine learning
    competitions. arXiv:1502.04585
    Arora, S., Zhang, Y. (2021). Rip van Winkle's razor: a simple estimate of overfit to
    test data. arXiv:2102.13189

    Examples
    --------
    >>> limits = query_limits(100, n_public=2000, n_new_bests=10)
    >>> round(limits.fixed_bound, 3), round(limits.adaptive_bound, 3)
    (0.046, 0.092)
    """
    check_count(n_queries, name="n_queries")
    check_count(n_public, name="n_public")
    check_fraction(confidence_level, name="confidence_level")
    if n_new_bests is None:
        bits = float(n_queries)
        n_new_bests = n_queries
    else:
        check_count(n_new_bests, name="n_new_bests", minimum=0)
        if n_new_bests > n_queries:
            msg = f"n_new_bests must be at most {n_queries}, got {n_new_bests}."
            raise ValueError(msg)
        bits = _log2_choices(n_queries, n_new_bests)
    doubt = float(np.log(2 / (1 - confidence_level)))
    return QueryLimitsResult(
        boosting=min(float(np.sqrt(n_queries / (2 * n_public)) / np.pi), 0.5),
        fixed_bound=float(np.sqrt((np.log(n_queries) + doubt) / (2 * n_public))),
        adaptive_bound=float(np.sqrt((bits * np.log(2) + doubt) / (2 * n_public))),
        confidence_level=float(confidence_level),
        n_queries=n_queries,
        n_new_bests=n_new_bests,
        n_public=n_public,
    )


def ladder_replay(public: ArrayLike, step_public_se: ArrayLike | float) -> LadderResult:
    """Return which scores the parameter-free Ladder would have released.

    It shows a new score only where it beats the best one shown by more than a standard
    error of their difference. That guards a leaderboard; it does not make a gain real:
    a third or more of the gains released in simulated histories are luck.

    Parameters
    ----------
    public : array_like of shape (k,)
        Public scores in time order, larger is better, nan where missing.
    step_public_se : float or array_like of shape (k,)
        Standard error of the difference to the best score shown; that to the parent
        stands for it. nan takes the median of the others.

    Returns
    -------
    LadderResult

    Raises
    ------
    ValueError
        If shapes disagree, or a standard error is negative or none is known.

    References
    ----------
    Blum, A., Hardt, M. (2015). The Ladder: a reliable leaderboard for machine learning
    competitions. arXiv:1502.04585

    Examples
    --------
    >>> ladder_replay([0.70, 0.701, 0.71], 0.002).released.tolist()
    [True, False, True]
    """
    scores = as_float_vector(public, name="public")
    se = np.asarray(step_public_se, dtype=np.float64)
    se = np.full(len(scores), float(se)) if se.ndim == 0 else se
    check_same_length(public=scores, step_public_se=se)
    known = se[np.isfinite(se)]
    if len(scores) and (not known.size or (known < 0).any()):
        msg = (
            "step_public_se must hold a standard error of 0 or more, got "
            f"{se.tolist()[:5]}."
        )
        raise ValueError(msg)
    se = np.where(np.isfinite(se), se, np.median(known) if known.size else np.nan)
    released = np.zeros(len(scores), dtype=bool)
    shown = np.full(len(scores), np.nan)
    best = -np.inf
    for index in np.flatnonzero(np.isfinite(scores)):
        if scores[index] > best + se[index]:
            best = scores[index]
            released[index] = True
        shown[index:] = best
    return LadderResult(
        shown=read_only(shown),
        released=read_only(released),
        new_best=read_only(new_bests(scores)),
    )


def _log2_choices(n: int, m: int) -> float:
    log_choices = gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)
    return abs(float(log_choices / np.log(2)))


def rows_to_tell(
    gain: ArrayLike,
    *,
    row_sd: float,
    log_distinct: float,
    log_sd: float = 0.0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return from how many public rows on a public gain is more than luck.

    Parameters
    ----------
    gain : array_like of shape (k,)
        Public gains.
    row_sd : float
        Standard deviation of the metric per row.
    log_distinct : float
        Half the logarithm of ``1 - r``, the correlation of the row scores of two
        submissions.
    log_sd : float
        Standard deviation of both logarithms together: how open they are.

    Returns
    -------
    least, typical, most : ndarray of shape (k,)
        Rows, and the range of 80% of histories; inf for no gain, nan for no number.

    Notes
    -----
    ``n = (z * sqrt(2 * (1 - r)) * row_sd / gain)**2`` with ``z = 1.96``: the gain
    passes a two-sided test of size 5%.

    Examples
    --------
    >>> _, rows, _ = rows_to_tell([0.01], row_sd=0.4, log_distinct=-2.25)
    >>> float(rows[0].round())
    137.0
    """
    moved = np.abs(as_float_vector(gain, name="gain"))
    sd = check_positive(row_sd, name="row_sd")
    z, reach = ndtri(0.975), ndtri(0.9) * log_sd
    with np.errstate(divide="ignore"):
        rows = np.square(z * np.sqrt(2) * np.exp(log_distinct) * sd / moved)
    factor = np.exp(2 * reach)
    return rows / factor, rows, rows * factor
