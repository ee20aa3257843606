"""What resampling found: the spread of scores, and of differences between them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lbsense._result import Result
from lbsense._typing import FloatArray
from lbsense._validation import check_fraction, read_only
from lbsense.errors import LbsenseWarning
from lbsense.stats.rows.covariance import difference_se
from lbsense.stats.rows.intervals import percentile_interval

__all__ = ["DifferenceResult", "ResampledResult", "paired_difference", "summarise"]

_UNDEFINED_SHARE = 0.01  # of the draws, from which on the summary leans on the rest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResampledResult(Result):
    """Scores of several submissions and how they spread over resampled test sets.

    Attributes
    ----------
    names : tuple of str
        The submissions.
    scores : ndarray of shape (k,)
        Scores of the rows as they are.
    se : ndarray of shape (k,)
        Standard error of every score on ``n`` rows.
    ci_low, ci_high : ndarray of shape (k,)
        Interval of every score.
    covariance : ndarray of shape (k, k)
        Covariance of the scores on ``n`` rows.
    difference_se : ndarray of shape (k, k)
        Standard error of every difference of two scores on the same rows.
    distribution : ndarray of shape (n_resamples, k)
        Resampled scores; a row holds those of one and the same draw.
    n_undefined : int
        Draws in which some score is undefined, left out of the summary.
    n, n_obs, n_resamples : int
        Rows of a draw, rows drawn from, and draws.
    scheme : str
        What was drawn: "iid", "stratified", "cluster" or "block".
    interval : str
        "percentile", "bca" or "studentized".
    confidence_level : float
        Of the interval.
    """

    names: tuple[str, ...]
    scores: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    covariance: FloatArray
    difference_se: FloatArray
    distribution: FloatArray
    n_undefined: int
    n: int
    n_obs: int
    n_resamples: int
    scheme: str
    interval: str
    confidence_level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission."""
        columns = ("scores", "se", "ci_low", "ci_high")
        frame = pd.DataFrame(
            {name: getattr(self, name) for name in columns},
            index=pd.Index(self.names, name="name"),
        )
        return frame.rename(columns={"scores": "score"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceResult(Result):
    """Difference of two scores on the same rows, the first minus the second.

    Attributes
    ----------
    difference : float
        On the rows as they are.
    se, ci_low, ci_high : float
        Standard error and percentile interval of it.
    p_above : float
        Share of the draws in which the first score is the larger, ties by halves.
    confidence_level : float
        Of the interval.
    n_obs : int
        Draws in which both scores are defined.
    """

    difference: float
    se: float
    ci_low: float
    ci_high: float
    p_above: float
    confidence_level: float
    n_obs: int


def paired_difference(
    result: ResampledResult,
    first: int | str,
    second: int | str,
    *,
    confidence_level: float = 0.95,
) -> DifferenceResult:
    """Return how the difference of two submissions spreads over the same draws.

    Parameters
    ----------
    result : ResampledResult
        Resampled scores.
    first, second : int or str
        Positions or names of the submissions.
    confidence_level : float
        Of the percentile interval.

    Returns
    -------
    DifferenceResult

    Raises
    ------
    ValueError
        If a name is not among the submissions.

    Examples
    --------
    >>> from lbsense.stats.rows.counts import resample_confusion
    >>> y = [0, 1] * 50
    >>> guesses = [[0, 0], [1, 1], [0, 1], [1, 1]] * 25
    >>> result = resample_confusion(y, guesses, metric="accuracy", rng=0)
    >>> difference = paired_difference(result, 0, 1)
    >>> difference.difference, difference.p_above
    (0.25, 1.0)
    """
    check_fraction(confidence_level, name="confidence_level")
    a, b = (_position(result.names, item) for item in (first, second))
    draws = result.distribution[:, a] - result.distribution[:, b]
    draws = draws[np.isfinite(draws)]
    low, high = percentile_interval(draws[:, np.newaxis], confidence_level)
    above = np.count_nonzero(draws > 0) + 0.5 * np.count_nonzero(draws == 0)
    return DifferenceResult(
        difference=float(result.scores[a] - result.scores[b]),
        se=float(draws.std(ddof=1)) if len(draws) > 1 else float("nan"),
        ci_low=float(low[0]),
        ci_high=float(high[0]),
        p_above=float(above / len(draws)) if len(draws) else float("nan"),
        confidence_level=confidence_level,
        n_obs=len(draws),
    )


def summarise(
    scores: FloatArray,
    distribution: FloatArray,
    *,
    n: int,
    n_obs: int,
    scheme: str,
    confidence_level: float,
    names: Sequence[str] | None = None,
    ends: tuple[FloatArray, FloatArray] | None = None,
    interval: str = "percentile",
) -> ResampledResult:
    """Return the result of resampled scores; undefined draws are counted and left out.

    ``ends`` holds an interval made by another method than percentiles.
    """
    known = np.isfinite(scores)
    whole = np.isfinite(distribution[:, known]).all(axis=1)
    n_undefined = int(np.count_nonzero(~whole))
    if n_undefined > _UNDEFINED_SHARE * len(distribution):
        msg = (
            f"{n_undefined} of {len(distribution)} draws leave a score undefined, such "
            "as a class without rows, and are left out: the spread is that of the "
            "others. Draw by class (scheme='stratified'), or more rows."
        )
        warnings.warn(msg, LbsenseWarning, stacklevel=3)
    n_scores = len(scores)
    covariance = np.full((n_scores, n_scores), np.nan)
    if np.count_nonzero(whole) > 1 and known.any():
        kept = distribution[whole][:, known]
        covariance[np.ix_(known, known)] = np.cov(kept, rowvar=False)
    low, high = ends or percentile_interval(distribution, confidence_level)
    return ResampledResult(
        names=tuple(map(str, range(n_scores) if names is None else names)),
        scores=read_only(scores),
        se=read_only(np.sqrt(np.diag(covariance))),
        ci_low=read_only(np.where(known, low, np.nan)),
        ci_high=read_only(np.where(known, high, np.nan)),
        covariance=read_only(covariance),
        difference_se=read_only(difference_se(covariance)),
        distribution=read_only(distribution),
        n_undefined=n_undefined,
        n=n,
        n_obs=n_obs,
        n_resamples=len(distribution),
        scheme=scheme,
        interval=interval,
        confidence_level=confidence_level,
    )


def _position(names: tuple[str, ...], item: int | str) -> int:
    if isinstance(item, str):
        if item not in names:
            msg = f"No submission is called {item!r}. There are {list(names[:8])}."
            raise ValueError(msg)
        return names.index(item)
    if not -len(names) <= item < len(names):
        msg = f"Position {item} is outside the {len(names)} submissions."
        raise ValueError(msg)
    return item
