"""What resampling found: the spread of scores, and of differences between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lbsense._result import Result
from lbsense._typing import FloatArray
from lbsense._validation import read_only
from lbsense.errors import warn
from lbsense.stats.rows.covariance import difference_se

if TYPE_CHECKING:
    import pandas as pd

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
        What was drawn: rows ("iid"), groups ("cluster") or times ("block").
    confidence_level : float
        Of the percentile interval.
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
    confidence_level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission."""
        import pandas as pd

        columns = ("scores", "se", "ci_low", "ci_high")
        frame = pd.DataFrame(
            {name: getattr(self, name) for name in columns},
            index=pd.Index(self.names, name="name"),
        )
        return frame.rename(columns={"scores": "score"})


def summarise(
    scores: FloatArray,
    distribution: FloatArray,
    *,
    n: int,
    n_obs: int,
    scheme: str,
    confidence_level: float,
    names: Sequence[str] | None = None,
) -> ResampledResult:
    """Return the result of resampled scores; undefined draws are only counted."""
    known = np.isfinite(scores)
    whole = np.isfinite(distribution[:, known]).all(axis=1)
    n_undefined = int(np.count_nonzero(~whole))
    if n_undefined > _UNDEFINED_SHARE * len(distribution):
        msg = (
            f"{n_undefined} of {len(distribution)} draws leave a score undefined, such "
            "as a class without rows, and are left out: the spread is that of the "
            "others. Draw more rows."
        )
        warn(msg)
    n_scores = len(scores)
    covariance = np.full((n_scores, n_scores), np.nan)
    if np.count_nonzero(whole) > 1 and known.any():
        kept = distribution[whole][:, known]
        covariance[np.ix_(known, known)] = np.cov(kept, rowvar=False)
    low, high = percentile_interval(distribution, confidence_level)
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
        confidence_level=confidence_level,
    )


def percentile_interval(
    draws: FloatArray, confidence_level: float
) -> tuple[FloatArray, FloatArray]:
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
