"""The joint noise of all submissions: how far scores and differences can move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from scipy.special import expit, logit, ndtri, stdtr, stdtrit

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray, RandomState
from lbsense._validation import (
    as_float_matrix,
    as_float_vector,
    check_count,
    check_fraction,
    read_only,
)
from lbsense.stats.rows.covariance import (
    MANY,
    columns_of,
    difference_se,
    effective_number,
    near_identical,
    row_covariance_and_groups,
    row_shape,
)

if TYPE_CHECKING:
    import pandas as pd

Interval: TypeAlias = tuple[FloatArray, FloatArray]
IntervalKind: TypeAlias = Literal["auto", "normal", "logit", "wilson"]

_LARGEST_SHIFT = 0.5  # of the quantile: beyond, the expansion means nothing
# True difference over its standard error: a test of size 5% finds it in 80% of cases.
_DETECTABLE = float(ndtri(0.95) + ndtri(0.80))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointNoiseResult(Result):
    """Noise of the scores of several submissions on one test set, and between them.

    Matrices have the submissions in the order of ``names`` on both axes.

    Attributes
    ----------
    names : tuple of str
        The submissions.
    scores : ndarray of shape (k,)
        Scores as given, nan where a metric is undefined.
    se : ndarray of shape (k,)
        Standard error of every score on ``n`` rows.
    ci_low, ci_high : ndarray of shape (k,)
        Interval of the true score; nan where rows that never differ leave it open.
    row_covariance : ndarray of shape (k, k)
        Covariance per row: divided by a test size it is the covariance of the scores.
    difference_se : ndarray of shape (k, k)
        Standard error of the difference of two scores on the same ``n`` rows.
    p_better : ndarray of shape (k, k)
        Probability that the submission of the row is truly better than that of the
        column; nan for two whose rows never differ. Larger is better to `joint_noise`;
        `lbsense.noise_of` turns it around where the metric does.
    smallest_difference : ndarray of shape (k, k)
        True difference that a one-sided 5% test on ``n`` rows finds in 80% of cases.
    n_effective : float
        Independent submissions that these amount to when the best is taken.
    clusters : ndarray of int, shape (k,)
        Number of the group of near-identical submissions that each belongs to.
    n : int
        Rows behind a score.
    n_obs : int
        Rows that the noise was learned from.
    n_groups : int or None
        Groups of rows, where rows of a group depend on each other.
    df : int
        Degrees of freedom of the standard errors.
    confidence_level : float
        Of the intervals.
    """

    names: tuple[str, ...]
    scores: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    row_covariance: FloatArray
    difference_se: FloatArray
    p_better: FloatArray
    smallest_difference: FloatArray
    n_effective: float
    clusters: IntArray
    n: int
    n_obs: int
    n_groups: int | None
    df: int
    confidence_level: float

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the scores on ``n`` rows."""
        return self.row_covariance / self.n

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission."""
        import pandas as pd

        columns = ("scores", "se", "ci_low", "ci_high", "clusters")
        values: dict[str, Any] = {name: getattr(self, name) for name in columns}
        frame = pd.DataFrame(values, index=pd.Index(self.names, name="name"))
        return frame.rename(columns={"scores": "score", "clusters": "cluster"})


def joint_noise(
    scores: ArrayLike,
    psi: ArrayLike,
    *,
    n: int | None = None,
    groups: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    interval: IntervalKind = "auto",
    confidence_level: float = 0.95,
    rng: RandomState = None,
) -> JointNoiseResult:
    """Return the noise of scores and of their differences on ``n`` rows.

    Use it with the scores of submissions and what every row adds to them. The rows may
    be those of the scores, or others of the same kind: rows with out-of-fold
    predictions tell the noise of public scores.

    Parameters
    ----------
    scores : array_like of shape (k,)
        Score of every submission.
    psi : array_like of shape (n_obs, k)
        Influence of every row on every score, as `lbsense.metrics.influence` gives it:
        for a mean of row values, the value minus the mean. A column of nan is a score
        whose noise is not known, and stays nan throughout.
    n : int, optional
        Rows behind a score, such as the size of the public set. By default ``n_obs``.
    groups : array_like of shape (n_obs,), optional
        Group of every row, where rows of a group depend on each other (one patient, one
        store). The groups behind the scores are taken to be of the same sizes.
    names : sequence of str, optional
        Names of the submissions; by default their positions.
    interval : {"auto", "normal", "logit", "wilson"}
        "wilson" is for rates (every row right or wrong), "logit" for scores in (0, 1)
        close to an end, such as an AUC above .95. "auto" takes Wilson for the columns
        that are rates and the normal interval elsewhere. With the normal and the logit
        interval, Student's t stands in for the normal quantile.
    confidence_level : float
        Of the intervals, in (0, 1).
    rng : int or numpy.random.Generator, optional
        Source of randomness for ``n_effective``.

    Returns
    -------
    JointNoiseResult

    Raises
    ------
    ValueError
        If shapes disagree, ``psi`` holds nan or inf in some rows of a column, or there
        are fewer than two rows or groups.

    See Also
    --------
    lbsense.stats.bootstrap.bootstrap : when a metric has no influence function.

    Notes
    -----
    ``C = psi.T @ psi / (n_obs - 1)`` is the covariance per row and ``C / n`` that of
    the scores. With groups, the rows of one are added up first, ``S``, and
    ``C = G / (G - 1) * S.T @ S / n_obs`` with ``G - 1`` degrees of freedom.
    An interval on the plain scale is shifted for the skewness ``g`` of the rows, by
    ``g / (6 * sqrt(n)) * (2 * z**2 + 1)`` standard errors (Hall 1992, section 3.3). The
    quantile is that of Student's t with ``2 * n_obs / (kurtosis - 1)`` degrees of
    freedom, those of the estimated variance (Satterthwaite 1946).
    The probability that a is better than b is ``T((a - b) / se)``, a flat prior taken.

    It assumes that the rows behind the scores are a random sample like those of
    ``psi``. It fails for a few hundred rows where a metric rests on a handful of them
    (rare classes, heavy tails): see docs/noise.md for measured coverage.

    References
    ----------
    Hampel, F. R. (1974). The influence curve and its role in robust estimation. Journal
    of the American Statistical Association 69(346), 383-393.
    doi:10.1080/01621459.1974.10482962
    Hall, P. (1992). The Bootstrap and Edgeworth Expansion. Springer.
    doi:10.1007/978-1-4612-4384-7
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance
    components. Biometrics Bulletin 2(6), 110-114. doi:10.2307/3002019

    Examples
    --------
    >>> import numpy as np
    >>> right = np.array([[1, 1], [1, 0], [0, 1], [1, 1], [1, 0]] * 20)
    >>> noise = joint_noise(right.mean(axis=0), right - right.mean(axis=0), rng=0)
    >>> noise.se.round(4), float(noise.difference_se[0, 1].round(4))
    (array([0.0402, 0.0492]), 0.0752)
    """
    values = as_float_vector(scores, name="scores")
    rows = psi
    # A great many influences in single precision stay as they are.
    if not (isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.size > MANY):
        rows = as_float_matrix(psi, name="psi")
    known = _check_columns(values, rows)
    check_fraction(confidence_level, name="confidence_level")
    n_obs = len(rows)
    n = n_obs if n is None else check_count(n, name="n")
    per_row, n_groups = row_covariance_and_groups(
        rows if known.all() else np.where(known, rows, 0.0), groups
    )
    df = (n_groups or n_obs) - 1
    per_row[~known], per_row[:, ~known] = np.nan, np.nan
    covariance = per_row / n
    between = difference_se(covariance)
    skewness, kurtosis = row_shape(rows, groups)
    # Rows with heavy tails tell their spread as badly as fewer rows without would.
    freedom = np.clip(2 * (df + 1) / np.maximum(kurtosis - 1, 2.0), 2.0, df)
    low, high = _score_interval(
        values,
        np.sqrt(np.diag(covariance)),
        rates=_are_rates(values, rows),
        n=n if n_groups is None else n * n_groups / n_obs,
        quantile=stdtrit(freedom, (1 + confidence_level) / 2),
        skewness=skewness * np.sqrt(n_obs / (n * (df + 1))),
        kind=interval,
    )
    clean = per_row[np.ix_(known, known)]
    clusters = np.full(len(values), -1)
    clusters[known] = near_identical(clean) if known.any() else -1
    return JointNoiseResult(
        names=_names(names, len(values)),
        scores=read_only(values.copy()),
        se=read_only(np.sqrt(np.diag(covariance))),
        ci_low=read_only(low),
        ci_high=read_only(high),
        row_covariance=read_only(per_row),
        difference_se=read_only(between),
        p_better=read_only(_p_better(values, between, df)),
        smallest_difference=read_only(_DETECTABLE * between),
        n_effective=effective_number(clean, rng=rng) if known.any() else float("nan"),
        clusters=read_only(clusters),
        n=n,
        n_obs=n_obs,
        n_groups=n_groups,
        df=df,
        confidence_level=confidence_level,
    )


def _score_interval(
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


def _are_rates(score: FloatArray, psi: FloatArray) -> BoolArray:
    """Say which scores are means of rows that are either 0 or 1."""
    with np.errstate(invalid="ignore"):
        plausible = (score >= 0) & (score <= 1) & (np.abs(psi[0]) <= 1)
    rates = np.zeros(len(score), dtype=bool)
    for column in np.flatnonzero(plausible):
        values = psi[:, column] + score[column]
        off = float(np.minimum(np.abs(values), np.abs(values - 1)).max())
        rates[column] = off < (1e-9 if psi.dtype == np.float64 else 1e-6)
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


def _check_columns(scores: FloatArray, rows: FloatArray) -> BoolArray:
    """Return which submissions have score and noise; nan throughout has none."""
    if rows.shape[1] != len(scores) or not len(scores):
        msg = f"psi must have one column per score ({len(scores)}), got {rows.shape}."
        raise ValueError(msg)
    parts = [
        (np.isfinite(part).all(axis=0), np.isnan(part).all(axis=0))
        for part in columns_of(rows)
    ]
    finite, unknown = (np.concatenate(part) for part in zip(*parts, strict=True))
    known = np.isfinite(scores) & finite
    broken = np.isfinite(scores) & ~finite & ~unknown
    if broken.any():
        columns = np.flatnonzero(broken).tolist()[:5]
        msg = (
            f"psi holds nan or inf in some rows of columns {columns}. Check the "
            "predictions behind them for missing values."
        )
        raise ValueError(msg)
    return np.asarray(known)


def _p_better(scores: FloatArray, between: FloatArray, df: int) -> FloatArray:
    difference = scores[:, np.newaxis] - scores
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = difference / between
    return np.asarray(stdtr(df, ratio), dtype=np.float64)


def _names(names: Sequence[str] | None, n_scores: int) -> tuple[str, ...]:
    chosen = tuple(map(str, range(n_scores) if names is None else names))
    if len(chosen) != n_scores:
        msg = f"names must hold one name per score ({n_scores}), got {len(chosen)}."
        raise ValueError(msg)
    return chosen
