"""The bootstrap: any metric, rows drawn once for all submissions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._format import plural
from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import as_float_matrix, check_count, check_fraction, read_only
from lbsense.errors import warn
from lbsense.stats.rows.joint import difference_se

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


#: Fills an array of counts, a row for each draw, from a generator.
Fill: TypeAlias = Callable[[np.random.Generator, IntArray], None]

_BLOCK = 256  # rows that one random byte chooses from
_CHUNK = 128  # blocks drawn together: their indices stay in the processor's cache


def of_rows(n_obs: int, n: int) -> Fill:
    """Return draws of ``n`` rows, each equally likely, with replacement."""

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        totals = block_totals(rng, n_obs, n, len(counts))
        for row, of_draw in zip(counts, totals, strict=True):
            for rows, position in drawn_positions(rng, of_draw, n_obs):
                stretch = row[rows]
                stretch[:] = np.bincount(position, minlength=len(stretch))

    return fill


def block_totals(
    rng: np.random.Generator, n_obs: int, n: int, n_draws: int
) -> IntArray:
    """Return how many of ``n`` drawn rows fall into every block of rows.

    Given these totals the rows within a block are uniform, so that one random byte
    chooses each of them: the draws are multinomial exactly, for an eighth of the random
    words.
    """
    widths = np.full(-(-n_obs // _BLOCK), _BLOCK)
    widths[-1] = n_obs - _BLOCK * (len(widths) - 1)
    return rng.multinomial(n, widths / n_obs, size=n_draws)


def drawn_positions(
    rng: np.random.Generator, totals: IntArray, n_obs: int
) -> Iterator[tuple[slice, IntArray]]:
    """Yield one draw in pieces: a stretch of rows, and the places drawn within it."""
    n_whole = n_obs // _BLOCK
    starts = np.arange(0, _CHUNK * _BLOCK, _BLOCK)
    for first in range(0, n_whole, _CHUNK):
        of_blocks = totals[first : min(first + _CHUNK, n_whole)]
        position = np.repeat(starts[: len(of_blocks)], of_blocks)
        words = rng.bit_generator.random_raw(-(-len(position) // 8))
        position += words.view(np.uint8)[: len(position)]
        yield slice(first * _BLOCK, (first + len(of_blocks)) * _BLOCK), position
    if n_obs > n_whole * _BLOCK:
        width = n_obs - n_whole * _BLOCK
        yield slice(n_obs - width, n_obs), rng.integers(0, width, size=totals[-1])


def of_groups(groups: npt.NDArray[np.generic], n: int) -> Fill:
    """Return draws of whole groups of rows, each group equally likely."""
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n_groups = len(sizes)
    if n_groups < 2:
        msg = "groups must hold at least 2 different groups to be drawn from, got 1."
        raise ValueError(msg)
    part = of_rows(n_groups, max(1, round(n_groups * n / len(code))))

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        drawn = np.empty((len(counts), n_groups), dtype=np.int64)
        part(rng, drawn)
        np.take(drawn, code, axis=1, out=counts)

    return fill


def of_blocks(times: npt.NDArray[np.generic], n: int, length: int) -> Fill:
    """Return draws of blocks of rows that follow each other in time.

    Blocks wrap around from the last row to the first, so that every row is equally
    likely (Politis & Romano 1992); the last block of a draw is cut to give ``n`` rows.
    """
    n_obs = len(times)
    check_count(length, name="block_length")
    if length >= n_obs:
        msg = f"block_length must be below the number of rows, {n_obs}, got {length}."
        raise ValueError(msg)
    order = np.argsort(times, kind="stable")
    place = np.empty(n_obs, dtype=np.int64)
    place[order] = np.arange(n_obs)
    n_blocks = -(-n // length)
    widths = np.full(n_blocks, length)
    widths[-1] = n - length * (n_blocks - 1)

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        for row in counts:
            start = rng.integers(0, n_obs, size=n_blocks)
            change = np.bincount(start, minlength=2 * n_obs)
            change -= np.bincount(start + widths, minlength=2 * n_obs)
            twice = np.cumsum(change)
            row[:] = (twice[:n_obs] + twice[n_obs:])[place]

    return fill


Metric: TypeAlias = Callable[..., Any] | Literal["mean", "roc_auc"]
#: From a generator and the rows of one draw to the scores of so many draws.
Draw: TypeAlias = Callable[[np.random.Generator, int, int], FloatArray]

_TASK = 200  # draws that share a generator
_IN_CACHE = 100_000  # counts: under a megabyte
_MATRIX = 1_000_000  # enough of them for a matrix product to pay


def bootstrap(
    metric: Metric,
    y_true: ArrayLike | None,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    times: ArrayLike | None = None,
    block_length: int | None = None,
    n: int | None = None,
    n_resamples: int = 10_000,
    confidence_level: float = 0.95,
    names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    rng: RandomState = None,
) -> ResampledResult:
    """Return how scores spread over resampled rows, the same for all submissions.

    Use it for a metric without an influence function, and to check one that has it.
    For metrics of counts `lbsense.stats.resample_confusion` draws the same
    distribution at a fraction of the cost.

    Parameters
    ----------
    metric : callable, "mean" or "roc_auc"
        ``metric(y_true, y_pred) -> float``. "mean" is the mean of ``y_pred`` itself:
        losses of the rows. "roc_auc" is sorted once and counted anew for every draw.
    y_true : array_like of shape (n_obs,) or (n_obs, ...), or None
        Labels; not needed for "mean".
    y_pred : array_like of shape (n_obs,), (n_obs, k) or (n_obs, k, ...)
        Predictions of one submission, or of several along the second axis.
    groups : array_like of shape (n_obs,), optional
        Groups of rows that depend on each other: they are drawn whole.
    block_length : int, optional
        Draw blocks of so many rows that follow each other in time, where neighbours
        depend on each other. The cube root of ``n_obs`` is a rule of thumb that is too
        short where they do for longer.
    times : array_like of shape (n_obs,), optional
        Times of the rows, for blocks; by default rows are in time order.
    n : int, optional
        Rows of a draw, such as the size of the public set (m out of n); by default
        ``n_obs``. The interval is then one of the score on ``n`` rows.
    n_resamples : int
        Number of draws.
    confidence_level : float
        Of the percentile interval, in (0, 1).
    names : sequence of str, optional
        Names of the submissions; by default their positions.
    progress : callable, optional
        Called as ``progress(done, n_resamples)`` from time to time.
    rng : int or numpy.random.Generator, optional
        Source of randomness.

    Returns
    -------
    ResampledResult

    Raises
    ------
    ValueError
        If shapes disagree, predictions hold nan or inf, AUC meets one class only, or
        the options do not fit each other.

    Warns
    -----
    LbsenseWarning
        If more than 1% of the draws leave a score undefined.

    Notes
    -----
    Memory does not grow with ``n_resamples`` beyond the result itself. Every 200 draws
    have a generator of their own.

    References
    ----------
    Politis, D. N., Romano, J. P. (1992). A circular block-resampling procedure for
    stationary data. In Exploring the Limits of Bootstrap, 263-270. Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 500)
    >>> pred = y + rng.normal(size=500)
    >>> result = bootstrap("roc_auc", y, pred, n_resamples=2000, rng=0)
    >>> bool(0.015 < result.se[0] < 0.025)
    True
    """
    check_count(n_resamples, name="n_resamples", minimum=2)
    check_fraction(confidence_level, name="confidence_level")
    labels, predictions = _check_data(metric, y_true, y_pred)
    n_obs = len(predictions)
    n = n_obs if n is None else check_count(n, name="n")
    scheme = _scheme(n_obs, groups=groups, times=times, block_length=block_length)
    if metric == "roc_auc" and scheme == "iid" and labels is not None:
        # Single rows may stand in any order; in this one the loops run straight on.
        order = np.lexsort((predictions[:, 0], labels))
        labels, predictions = labels[order], predictions[order]
    if scheme == "cluster":
        fill = of_groups(np.asarray(groups), n)
    elif scheme == "block":
        order = np.arange(n_obs) if times is None else np.asarray(times)
        fill = of_blocks(order, n, 1 if block_length is None else block_length)
    else:
        fill = of_rows(n_obs, n)
    statistic = _statistic(metric, labels, predictions)
    scores = statistic.observed()
    distribution = _resample(
        statistic,
        fill,
        n=n,
        n_obs=n_obs,
        n_resamples=n_resamples,
        direct=statistic.direct if scheme == "iid" else None,
        progress=progress,
        rng=np.random.default_rng(rng),
    )
    return summarise(
        scores,
        distribution,
        n=n,
        n_obs=n_obs,
        scheme=scheme,
        confidence_level=confidence_level,
        names=names,
    )


def _check_data(
    metric: Metric, y_true: ArrayLike | None, y_pred: ArrayLike
) -> tuple[npt.NDArray[Any] | None, npt.NDArray[Any]]:
    """Return labels and predictions as arrays of one length, the latter by column."""
    if isinstance(metric, str) and metric not in ("mean", "roc_auc"):
        msg = f"metric must be a function, 'mean' or 'roc_auc', got {metric!r}."
        raise ValueError(msg)
    predictions = np.asarray(y_pred)
    predictions = predictions[:, np.newaxis] if predictions.ndim == 1 else predictions
    if predictions.ndim < 2 or len(predictions) < 2:
        msg = f"y_pred must have at least 2 rows, got shape {np.shape(y_pred)}."
        raise ValueError(msg)
    _check_finite(predictions, "y_pred")
    if y_true is None:
        if metric != "mean":
            msg = "y_true may only be left out for metric='mean'."
            raise ValueError(msg)
        return None, predictions
    labels = np.asarray(y_true)
    if len(labels) != len(predictions):
        msg = f"y_true has {len(labels)} rows and y_pred {len(predictions)}."
        raise ValueError(msg)
    _check_finite(labels, "y_true")
    return labels, predictions


def _check_finite(values: npt.NDArray[Any], name: str) -> None:
    if values.dtype.kind == "f":
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        if not finite.all():
            rows = np.flatnonzero(~finite).tolist()
            msg = f"{name} holds nan or inf in {plural(len(rows), 'row')}: {rows[:5]}."
            raise ValueError(msg)


def _scheme(
    n_obs: int,
    *,
    groups: ArrayLike | None,
    times: ArrayLike | None,
    block_length: int | None,
) -> Literal["iid", "cluster", "block"]:
    """Return what is drawn, after checking that the options fit each other."""
    if groups is not None and block_length is not None:
        msg = "Draw groups or blocks of time, not both: leave out block_length."
        raise ValueError(msg)
    if times is not None and block_length is None:
        msg = "times are for blocks: give their block_length as well."
        raise ValueError(msg)
    for values, name in ((groups, "groups"), (times, "times")):
        if values is not None and np.shape(values) != (n_obs,):
            msg = f"{name} must have one value per row, got {np.shape(values)}."
            raise ValueError(msg)
    if groups is not None:
        return "cluster"
    return "iid" if block_length is None else "block"


def _statistic(
    metric: Metric,
    labels: npt.NDArray[Any] | None,
    predictions: npt.NDArray[Any],
) -> _Statistic:
    if metric == "mean":
        return _Mean(as_float_matrix(predictions, name="y_pred"))
    if metric == "roc_auc":
        scores = as_float_matrix(predictions, name="y_pred")
        return _Auc(np.asarray(labels), scores)
    assert callable(metric)
    return _Called(metric, np.asarray(labels), predictions)


def _resample(
    statistic: _Statistic,
    fill: Fill,
    *,
    n: int,
    n_obs: int,
    n_resamples: int,
    direct: Draw | None,
    progress: Callable[[int, int], None] | None,
    rng: np.random.Generator,
) -> FloatArray:
    """Return scores of shape (n_resamples, k), drawn in batches of bounded memory."""
    starts = range(0, n_resamples, _TASK)
    children = rng.integers(0, 2**63, size=len(starts)).tolist()
    scores = np.empty((n_resamples, statistic.n_scores))
    batch = min(_TASK, max(1, statistic.batch // n_obs))
    buffer = np.empty((0 if direct else batch, n_obs), dtype=np.int64)
    for start, child in zip(starts, children, strict=True):
        stop = min(start + _TASK, n_resamples)
        generator = np.random.default_rng(child)
        if direct:
            scores[start:stop, 0] = direct(generator, n, stop - start)
        else:
            for first in range(start, stop, batch):
                counts = buffer[: min(batch, stop - first)]
                fill(generator, counts)
                scores[first : first + len(counts)] = statistic(counts)
        if progress is not None:
            progress(stop, n_resamples)
    return scores


class _Statistic(Protocol):
    """Scores of all submissions from counts of the rows."""

    n_scores: int
    batch: int  # counts that are best handed over at once
    direct: Draw | None  # scores of single rows without counts, where that is faster

    def observed(self) -> FloatArray:
        """Return the scores of the rows as they are."""

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return scores of shape (n_draws, k) for counts (n_draws, n_obs)."""


class _Mean:
    """Means of row values, such as losses."""

    def __init__(self, values: FloatArray) -> None:
        # Off the mean the sums lose no digits, however far the values are from zero.
        self.centre = values.mean(axis=0)
        self.values = values - self.centre
        self.n_scores = len(self.centre)
        self.batch = _IN_CACHE if self.n_scores == 1 else _MATRIX
        self.direct: Draw | None = self.draw if self.n_scores == 1 else None

    def observed(self) -> FloatArray:
        """Return the means of the rows as they are."""
        return np.array(self.centre)

    def draw(self, rng: np.random.Generator, n: int, n_draws: int) -> FloatArray:
        """Return means of drawn values, added up as they are drawn."""
        values = np.ascontiguousarray(self.values[:, 0])
        sums = np.zeros(n_draws)
        for draw, totals in enumerate(block_totals(rng, len(values), n, n_draws)):
            for rows, position in drawn_positions(rng, totals, len(values)):
                sums[draw] += values[rows][position].sum()
        return np.asarray(sums / n + self.centre[0])

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return the mean of the drawn values."""
        weights = counts.astype(np.float64)
        total = weights.sum(axis=1, keepdims=True)
        return np.asarray(weights @ self.values / total + self.centre)


class _Auc:
    """Areas under the ROC curve: sorted once, then counted (ties by halves)."""

    def __init__(self, y_true: npt.NDArray[Any], y_pred: FloatArray) -> None:
        labels = np.unique(y_true)
        if len(labels) != 2:
            msg = f"roc_auc needs two classes in y_true, found {labels[:5].tolist()}."
            raise ValueError(msg)
        self.is_positive = y_true == labels[1]
        self.columns = [_Ranked(column, self.is_positive) for column in y_pred.T]
        self.n_scores = len(self.columns)
        self.batch = _IN_CACHE
        self.direct: Draw | None = None

    def observed(self) -> FloatArray:
        """Return the areas of the rows as they are."""
        once = np.ones((1, len(self.is_positive)), dtype=np.int64)
        return np.asarray(self(once)[0])

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return the share of pairs of drawn rows that are in the right order."""
        return np.column_stack([item.areas(counts) for item in self.columns])


class _Ranked:
    """Positive and negative rows of one submission in the order of its predictions."""

    def __init__(self, predictions: FloatArray, is_positive: npt.NDArray[Any]) -> None:
        order = np.argsort(predictions, kind="stable")
        positive = order[is_positive[order]]
        negative = order[~is_positive[order]]
        of_positive, of_negative = predictions[positive], predictions[negative]
        self._positive, self._negative = _selector(positive), _selector(negative)
        self.below = np.searchsorted(of_negative, of_positive, side="left")
        self.not_above = np.searchsorted(of_negative, of_positive, side="right")
        self.tied = bool((self.below != self.not_above).any())

    def areas(self, counts: IntArray) -> FloatArray:
        """Return the share of pairs in the right order, counted in whole numbers."""
        of_positive = counts[:, self._positive]
        running = _running(counts, self._negative)
        beaten = running[:, self.below]
        if self.tied:
            beaten += running[:, self.not_above]
        twice = np.einsum("ij,ij->i", of_positive, beaten) * (1 if self.tied else 2)
        pairs = of_positive.sum(axis=1) * running[:, -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(twice / (2 * pairs))


def _selector(rows: IntArray) -> IntArray | slice:
    """Return rows that follow each other as a slice, which copies nothing."""
    first, last = int(rows[0]), int(rows[-1])
    if last - first + 1 == len(rows) and (np.diff(rows) == 1).all():
        return slice(first, last + 1)
    return rows


def _running(counts: IntArray, rows: IntArray | slice) -> IntArray:
    """Return the running sum of the counts of the rows, with a zero in front."""
    chosen = counts[:, rows]
    running = np.zeros((len(chosen), chosen.shape[1] + 1), dtype=np.int64)
    np.cumsum(chosen, axis=1, out=running[:, 1:])
    return running


class _Called:
    """Any metric: the drawn rows are copied out and handed over."""

    def __init__(
        self,
        metric: Callable[..., Any],
        y_true: npt.NDArray[Any],
        y_pred: npt.NDArray[Any],
    ) -> None:
        self.metric = metric
        self.y_true, self.y_pred = y_true, y_pred
        self.n_scores = y_pred.shape[1]
        self.direct: Draw | None = None
        self.batch = _IN_CACHE
        self._rows = np.arange(len(y_true))

    def observed(self) -> FloatArray:
        """Return the scores of the rows as they are; errors of the metric show."""
        columns = range(self.y_pred.shape[1])
        scores = [self.metric(self.y_true, self.y_pred[:, j]) for j in columns]
        try:
            return np.array([float(score) for score in scores])
        except (TypeError, ValueError) as error:
            msg = f"metric must return one number, got {scores[0]!r}."
            raise TypeError(msg) from error

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return the metric of the drawn rows, nan where it is not defined."""
        result = np.full((len(counts), self.y_pred.shape[1]), np.nan)
        with warnings.catch_warnings():
            # What a metric has to say of odd draws is said once, by their number.
            warnings.simplefilter("ignore")
            for draw, row in enumerate(counts):
                drawn = np.repeat(self._rows, row)
                y_true, y_pred = self.y_true[drawn], self.y_pred[drawn]
                for column in range(result.shape[1]):
                    try:
                        score = self.metric(y_true, y_pred[:, column])
                    except ValueError:
                        continue  # one class only, say: nan, and counted as undefined
                    result[draw, column] = score
        return result
