"""The joint noise of all submissions: how far scores and differences can move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from scipy.linalg.lapack import dpstrf
from scipy.special import expit, log_ndtr, logit, ndtri, stdtr, stdtrit

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray, RandomState
from lbsense._validation import (
    as_float_matrix,
    as_float_vector,
    check_count,
    check_fraction,
    check_positive,
    read_only,
)

if TYPE_CHECKING:
    import pandas as pd

Interval: TypeAlias = tuple[FloatArray, FloatArray]
IntervalKind: TypeAlias = Literal["auto", "normal", "logit", "wilson"]

_LARGEST_SHIFT = 0.5  # of the quantile: beyond, the expansion means nothing
# True difference over its standard error: a test of size 5% finds it in 80% of cases.
_DETECTABLE = float(ndtri(0.95) + ndtri(0.80))
_MANY = 2**25  # influences that are looked at as a whole; more, part by part
_FEW_COLUMNS, _BLOCK = 8, 2**15  # columns, and rows, of a part
_ROUNDING = 1e-12  # share of two variances below which their difference is rounding
_FACTOR_ROUNDING = 1e-14  # share of the largest variance, per submission
_GRID = np.linspace(-9.0, 9.0, 1441)  # trapezoids of a smooth tail: exact to 1e-12


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
    if not (isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.size > _MANY):
        rows = as_float_matrix(psi, name="psi")
    known = _check_columns(values, rows)
    check_fraction(confidence_level, name="confidence_level")
    n_obs = len(rows)
    n = n_obs if n is None else check_count(n, name="n")
    per_row, n_groups = _covariance_and_groups(
        rows if known.all() else np.where(known, rows, 0.0), groups
    )
    df = (n_groups or n_obs) - 1
    per_row[~known], per_row[:, ~known] = np.nan, np.nan
    covariance = per_row / n
    between = difference_se(covariance)
    skewness, kurtosis = _row_shape(rows, groups)
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
        for part in _columns_of(rows)
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


def row_covariance(psi: ArrayLike, *, groups: ArrayLike | None = None) -> FloatArray:
    """Return the covariance per row of influences; over ``n`` it is that of scores.

    Rows of one of the ``groups`` (n_obs,) depend on each other.
    """
    rows = as_float_matrix(psi, name="psi")
    if not np.isfinite(rows).all():
        msg = "psi must be finite. Leave out the submissions whose score is undefined."
        raise ValueError(msg)
    return _covariance_and_groups(rows, groups)[0]


def _covariance_and_groups(
    rows: FloatArray, groups: ArrayLike | None
) -> tuple[FloatArray, int | None]:
    """Return the covariance per row and, where rows come in groups, how many."""
    n_obs = len(rows)
    if groups is None:
        if n_obs < 2:
            msg = f"psi must have at least 2 rows to tell a spread, got {n_obs}."
            raise ValueError(msg)
        if rows.size > _MANY:
            return _blockwise_squares(rows) / (n_obs - 1), None
        mean = rows.mean(axis=0)
        square = rows.T @ rows - n_obs * np.outer(mean, mean)
        return square / (n_obs - 1), None
    sums = np.concatenate(
        [_group_sums(part - part.mean(axis=0), groups) for part in _columns_of(rows)],
        axis=1,
    )
    n_groups = len(sums)
    if n_groups < 2:
        msg = "groups must hold at least 2 different groups to tell a spread, got 1."
        raise ValueError(msg)
    return n_groups / (n_groups - 1) * (sums.T @ sums) / n_obs, n_groups


def _blockwise_squares(rows: FloatArray) -> FloatArray:
    """Return sums of products about the means, some rows at a time."""
    mean = np.concatenate([part.mean(axis=0) for part in _columns_of(rows)])
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK] - mean
        total += part.T @ part
    return total


def _columns_of(rows: FloatArray) -> Iterator[FloatArray]:
    """Yield all columns in double precision, a few at a time where there is much."""
    step = _FEW_COLUMNS if rows.size > _MANY else rows.shape[1]
    for start in range(0, rows.shape[1], step):
        yield rows[:, start : start + step].astype(np.float64, copy=False)


def _row_shape(
    rows: FloatArray, groups: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return skewness and kurtosis of every column, of rows or of sums over groups.

    A column that does not vary has the shape of a normal one; so has one with nan.
    """
    shapes = [_shape(part, groups) for part in _columns_of(rows)]
    skewness, kurtosis = (np.concatenate(part) for part in zip(*shapes, strict=True))
    return skewness, kurtosis


def _shape(rows: FloatArray, groups: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    unit = rows - rows.mean(axis=0)
    if groups is not None:
        unit = _group_sums(unit, groups)
    square = np.square(unit)
    variance = square.mean(axis=0)
    usable = variance > 0  # nan compares false
    safe = np.where(usable, variance, 1.0)
    third = np.einsum("ij,ij->j", square, unit) / len(unit)
    fourth = np.einsum("ij,ij->j", square, square) / len(unit)
    return (
        np.where(usable, third / safe**1.5, 0.0),
        np.where(usable, fourth / safe**2, 3.0),
    )


def _group_sums(rows: FloatArray, groups: ArrayLike) -> FloatArray:
    """Return the sum of the rows of every group, of shape (n_groups, k)."""
    labels = np.asarray(groups)
    if labels.shape != (len(rows),):
        msg = f"groups must have shape ({len(rows)},), got shape {labels.shape}."
        raise ValueError(msg)
    _, code, count = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    return np.add.reduceat(rows[order], starts, axis=0)


def difference_se(covariance: ArrayLike) -> FloatArray:
    """Return the standard error of every difference of two scores.

    Zero where two submissions never differ by more than rounding, nan where the
    covariance (k, k) is.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    variance = np.diag(matrix)
    total = variance[:, np.newaxis] + variance
    square = total - matrix - matrix.T
    return np.sqrt(np.where(square < _ROUNDING * total, 0.0, square))


def near_identical(covariance: ArrayLike, *, tolerance: float = 0.001) -> IntArray:
    """Return the cluster of near-identical submissions that each belongs to.

    Numbered from 0 in the order of first members. Complete linkage: *every* pair of a
    cluster has ``1 - correlation`` within the tolerance; submissions without noise are
    alike. Separately trained models were seen at .003 and above, so .001 tells re-runs
    and tiny blends from new models: their difference has less than 4.5% of the standard
    error of a score.
    """
    matrix = as_covariance(covariance, name="covariance")
    check_positive(tolerance, name="tolerance")
    sd = np.sqrt(np.diag(matrix))
    scale = np.where(sd > 0, sd, 1.0)
    distance = 1 - matrix / np.outer(scale, scale)
    both_silent = np.outer(sd == 0, sd == 0)
    distance = np.where(both_silent, 0.0, np.maximum(distance, 0.0))
    np.fill_diagonal(distance, 0.0)
    if len(distance) == 1:
        return np.zeros(1, dtype=np.int64)
    # Slow to import, and needed here alone.
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    pairs = squareform((distance + distance.T) / 2, checks=False)
    labels = fcluster(linkage(pairs, "complete"), tolerance, criterion="distance")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def as_covariance(values: ArrayLike, *, name: str) -> FloatArray:
    """Return ``values`` as a covariance matrix, checked for shape, size and sign."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        msg = f"{name} must have shape (k, k), got shape {matrix.shape}."
        raise ValueError(msg)
    if not np.isfinite(matrix).all():
        bad = np.flatnonzero(~np.isfinite(matrix).all(axis=0)).tolist()
        msg = f"{name} must be finite, but columns {bad[:5]} are not: leave them out."
        raise ValueError(msg)
    if (np.diag(matrix) < 0).any() or not np.allclose(matrix, matrix.T, rtol=1e-6):
        msg = f"{name} must be symmetric with variances of at least 0 on its diagonal."
        raise ValueError(msg)
    return matrix


def noise_factor(covariance: ArrayLike) -> FloatArray:
    """Return the thinnest ``F`` with ``F @ F.T`` equal to the covariance (k, k).

    Submissions that repeat or mix others add no column: the factor has as many columns
    as the covariance has rank. Cholesky's factorisation with complete pivoting, stopped
    where the largest variance left is below ``1e-14 * k`` times the largest variance
    (LAPACK's ``dpstrf``).

    References
    ----------
    Higham, N. J. (2002). Accuracy and Stability of Numerical Algorithms, section 10.3.
    doi:10.1137/1.9780898718027
    """
    matrix = as_covariance(covariance, name="covariance")
    if not matrix.any():
        return np.zeros((len(matrix), 0))
    left = _FACTOR_ROUNDING * len(matrix) * np.diag(matrix).max()
    factor, pivots, rank, _ = dpstrf(matrix, lower=1, tol=left)
    ordered = np.empty((len(matrix), rank))
    ordered[pivots - 1] = np.tril(factor)[:, :rank]
    return ordered


def score_draws(
    scores: ArrayLike,
    covariance: ArrayLike,
    *,
    n_draws: int = 10_000,
    rng: RandomState = None,
) -> FloatArray:
    """Return scores that other test sets of the same kind could have given.

    Shape (n_draws, k), around ``scores`` (k,) with the covariance (k, k) at the size of
    those sets; a row holds the scores of all submissions on one test set.
    """
    centre = as_float_vector(scores, name="scores")
    factor = noise_factor(covariance)
    check_count(n_draws, name="n_draws")
    if len(centre) != len(factor):
        msg = f"{len(centre)} scores need a covariance of that size, not {len(factor)}."
        raise ValueError(msg)
    normal = np.random.default_rng(rng).standard_normal((n_draws, factor.shape[1]))
    draws = normal @ factor.T
    draws += centre
    return draws


def expected_maximum(number: float) -> float:
    """Return the mean of the largest of ``number`` independent standard normals.

    The best of as many equally good tries is too good by this many standard errors. The
    integral of ``z * k * phi(z) * Phi(z) ** (k - 1)`` by trapezoids, between whole
    numbers as well.

    References
    ----------
    Harter, H. L. (1961). Expected values of normal order statistics. Biometrika
    48(1/2), 151-165. doi:10.1093/biomet/48.1-2.151
    """
    if not (1 <= number < np.inf):
        msg = f"number must be finite and at least 1, got {number!r}."
        raise ValueError(msg)
    log_density = -0.5 * np.square(_GRID) + (number - 1) * log_ndtr(_GRID)
    step = _GRID[1] - _GRID[0]
    total = number * step * (_GRID @ np.exp(log_density))
    return float(total / np.sqrt(2 * np.pi))


def effective_number(
    covariance: ArrayLike, *, n_draws: int = 20_000, rng: RandomState = None
) -> float:
    """Return how many independent submissions these amount to when the best is taken.

    Between 1 (copies of one submission) and ``k`` (independent ones, and those that
    differ even more); nan when no submission has noise. One without noise is one try
    that cannot be lucky and is left out. At 20,000 draws the answer moves by a percent
    or two from one seed to the next.

    Notes
    -----
    The number ``m`` for which the mean maximum of ``m`` independent standard normals
    equals that of a normal vector with the correlations of the submissions. The mean
    of every draw, whose expectation is zero, is taken off first: what is common to all
    submissions then costs no accuracy. Formulas from the eigenvalues of the correlation
    matrix (Nyholt, Galwey) answer another question, and for alike submissions are
    several times too large.

    References
    ----------
    Nyholt, D. R. (2004). A simple correction for multiple testing for single-nucleotide
    polymorphisms in linkage disequilibrium with each other. American Journal of Human
    Genetics 74(4), 765-769. doi:10.1086/383251
    """
    matrix = as_covariance(covariance, name="covariance")
    sd = np.sqrt(np.diag(matrix))
    noisy = sd > 0
    if not noisy.any():
        return float("nan")
    if np.count_nonzero(noisy) == 1:
        return 1.0
    correlation = matrix[np.ix_(noisy, noisy)] / np.outer(sd[noisy], sd[noisy])
    draws = score_draws(
        np.zeros(len(correlation)), correlation, n_draws=n_draws, rng=rng
    )
    best = float((draws.max(axis=1) - draws.mean(axis=1)).mean())
    most = float(len(correlation))
    if best >= expected_maximum(most):
        return most
    from scipy.optimize import brentq  # slow to import, and needed here alone

    return float(brentq(lambda m: expected_maximum(m) - best, 1.0, most, xtol=1e-6))
