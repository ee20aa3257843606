"""What little tells: a few pairs of scores, or public scores and nothing else."""

from __future__ import annotations

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


def score_gap(
    first: ArrayLike, second: ArrayLike, *, confidence_level: float = 0.95
) -> ScoreGapResult | None:
    """Return what the second score of the next submission is, given the first.

    Use it where two to seven submissions are all there is. It takes submissions for
    independent draws, which they are not: they share the luck of one split, so that it
    is about the next submission of the same competition.

    Parameters
    ----------
    first, second : array_like of shape (n,)
        Scores, nan where missing.
    confidence_level : float
        Of the interval, in (0, 1).

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
    check_fraction(confidence_level, name="confidence_level")
    both = np.isfinite(before) & np.isfinite(after)
    apart = (after - before)[both]
    n = len(apart)
    if not n:
        return None
    mean = float(apart.mean())
    sd = float(apart.std(ddof=1)) if n > 1 else float("nan")
    half = float("nan")
    if sd > 1e-12 * max(float(np.abs(before[both]).max()), abs(mean)):
        t = float(stdtrit(n - 1, (1 + confidence_level) / 2))
        half = t * sd * float(np.sqrt(1 + 1 / n))
    _, one = np.unique(before[both], return_inverse=True)
    _, other = np.unique(after[both], return_inverse=True)
    n_against = inversions(other[np.lexsort((other, one))])
    n_alike = inversions(-other[np.lexsort((-other, one))] + n)
    return ScoreGapResult(
        mean=mean,
        sd=sd,
        ci_low=mean - half,
        ci_high=mean + half,
        confidence_level=float(confidence_level),
        n_obs=n,
        n_alike=n_alike,
        n_pairs=n_alike + n_against,
    )


def inversions(ranks: IntArray) -> int:
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


def rows_to_tell(
    gain: ArrayLike,
    *,
    row_sd: float,
    log_distinct: float,
    log_sd: float = 0.0,
    inside: float = 0.8,
    confidence_level: float = 0.95,
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
    inside : float
        Share of histories within the range, in (0, 1).
    confidence_level : float
        Of the two-sided test that the gain would pass, in (0, 1).

    Returns
    -------
    least, typical, most : ndarray of shape (k,)
        Rows; inf for no gain, nan for no number.

    Notes
    -----
    ``n = (z * sqrt(2 * (1 - r)) * row_sd / gain)**2``.

    Examples
    --------
    >>> _, rows, _ = rows_to_tell([0.01], row_sd=0.4, log_distinct=-2.25)
    >>> float(rows[0].round())
    137.0
    """
    moved = np.abs(as_float_vector(gain, name="gain"))
    sd = check_positive(row_sd, name="row_sd")
    z = ndtri((1 + check_fraction(confidence_level, name="confidence_level")) / 2)
    reach = ndtri((1 + check_fraction(inside, name="inside")) / 2) * log_sd
    with np.errstate(divide="ignore"):
        rows = np.square(z * np.sqrt(2) * np.exp(log_distinct) * sd / moved)
    factor = np.exp(2 * reach)
    return rows / factor, rows, rows * factor
