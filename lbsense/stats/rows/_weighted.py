"""Metrics as functions of how often every row was drawn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._typing import FloatArray, IntArray
from lbsense.stats.rows._scorers import predictions_scorer, takes_estimator
from lbsense.stats.rows.row_draws import block_totals, drawn_positions, seeds

__all__ = ["Auc", "Called", "Mean", "Statistic"]

Metric: TypeAlias = Callable[..., Any]
#: From a generator and the rows of one draw to the scores of so many draws.
Draw: TypeAlias = Callable[[np.random.Generator, int, int], FloatArray]

_IN_CACHE = 100_000  # counts: under a megabyte
_MATRIX = 1_000_000  # enough of them for a matrix product to pay


class Statistic(Protocol):
    """Scores of all submissions from counts of the rows."""

    n_scores: int
    batch: int  # counts that are best handed over at once
    fast: bool  # whether it runs compiled loops
    direct: Draw | None  # scores of single rows without counts, where that is faster

    def observed(self) -> FloatArray:
        """Return the scores of the rows as they are."""

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return scores of shape (n_draws, k) for counts (n_draws, n_obs)."""

    def standard_errors(self, counts: IntArray) -> FloatArray:
        """Return a standard error for every score that ``__call__`` gives."""


class Mean:
    """Means of row values, such as losses."""

    def __init__(self, values: FloatArray, *, fast: bool = False) -> None:
        # Off the mean the sums lose no digits, however far the values are from zero.
        self.centre = values.mean(axis=0)
        self.values = values - self.centre
        self.n_scores = len(self.centre)
        self.batch = _IN_CACHE if self.n_scores == 1 else _MATRIX
        self.fast = fast
        self.direct: Draw | None = self.draw if self.n_scores == 1 else None

    def observed(self) -> FloatArray:
        """Return the means of the rows as they are."""
        return np.array(self.centre)

    def draw(self, rng: np.random.Generator, n: int, n_draws: int) -> FloatArray:
        """Return means of drawn values, added up as they are drawn."""
        values = np.ascontiguousarray(self.values[:, 0])
        n_obs = len(values)
        sums = np.zeros(n_draws)
        if self.fast:
            from lbsense.stats.rows import _compiled

            totals = block_totals(rng, n_obs, n, n_draws, block=_compiled.BLOCK)
            _compiled.sum_rows(totals, seeds(rng, n_draws), values, sums)
        else:
            for draw, of_draw in enumerate(block_totals(rng, n_obs, n, n_draws)):
                for rows, position in drawn_positions(rng, of_draw, n_obs):
                    sums[draw] += values[rows][position].sum()
        return np.asarray(sums / n + self.centre[0])

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return the mean of the drawn values."""
        weights = counts.astype(np.float64)
        total = weights.sum(axis=1, keepdims=True)
        return np.asarray(weights @ self.values / total + self.centre)

    def standard_errors(self, counts: IntArray) -> FloatArray:
        """Return the standard deviation of the drawn values over the root of n."""
        weights = counts.astype(np.float64)
        total = weights.sum(axis=1, keepdims=True)
        mean = weights @ self.values / total
        square = weights @ np.square(self.values) / total - np.square(mean)
        return np.asarray(np.sqrt(np.maximum(square, 0.0) / (total - 1)))


class Auc:
    """Areas under the ROC curve: sorted once, then counted (ties by halves)."""

    def __init__(
        self, y_true: npt.NDArray[Any], y_pred: FloatArray, *, fast: bool = False
    ) -> None:
        labels = np.unique(y_true)
        if len(labels) != 2:
            msg = f"roc_auc needs two classes in y_true, found {labels[:5].tolist()}."
            raise ValueError(msg)
        self.is_positive = y_true == labels[1]
        self.columns = [_Ranked(column, self.is_positive) for column in y_pred.T]
        self.n_scores = len(self.columns)
        self.batch = _IN_CACHE
        self.fast = fast
        alone = fast and self.n_scores == 1
        self.direct: Draw | None = self.draw if alone else None

    def draw(self, rng: np.random.Generator, n: int, n_draws: int) -> FloatArray:
        """Return areas of drawn rows, whose counts never leave the compiled loop."""
        from lbsense.stats.rows import _compiled

        item, n_obs = self.columns[0], len(self.is_positive)
        totals = block_totals(rng, n_obs, n, n_draws, block=_compiled.BLOCK)
        areas = np.empty(n_draws)
        _compiled.draw_auc(
            totals,
            seeds(rng, n_draws),
            np.empty((1, n_obs), dtype=np.int32),
            *item.places,
            areas,
        )
        return areas

    def observed(self) -> FloatArray:
        """Return the areas of the rows as they are."""
        once = np.ones((1, len(self.is_positive)), dtype=np.int64)
        return np.asarray(self(once)[0])

    def __call__(self, counts: IntArray) -> FloatArray:
        """Return the share of pairs of drawn rows that are in the right order."""
        if self.fast:
            return np.column_stack([item.compiled(counts) for item in self.columns])
        return np.column_stack([item.areas(counts) for item in self.columns])

    def standard_errors(self, counts: IntArray) -> FloatArray:
        """Return DeLong's standard error of every draw."""
        return np.column_stack([item.delong(counts) for item in self.columns])


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
        self.above = np.searchsorted(of_positive, of_negative, side="right")
        self.not_below = np.searchsorted(of_positive, of_negative, side="left")
        self.tied = bool((self.below != self.not_above).any())
        # Without a sign the compiled loops need not ask which end to count from.
        self.places = (
            negative.astype(np.uint32),
            positive.astype(np.uint32),
            self.below.astype(np.uint32),
            self.not_above.astype(np.uint32),
        )

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

    def compiled(self, counts: IntArray) -> FloatArray:
        """Return the areas by the compiled loop."""
        from lbsense.stats.rows import _compiled

        scores = np.empty(len(counts))
        _compiled.auc_scores(counts, *self.places, scores)
        return scores

    def delong(self, counts: IntArray) -> FloatArray:
        """Return the root of DeLong's variance, from the placements of every row."""
        of_negative = _running(counts, self._negative)
        of_positive = _running(counts, self._positive)
        n_negative, n_positive = of_negative[:, -1:], of_positive[:, -1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            beaten = of_negative[:, self.below] + of_negative[:, self.not_above]
            missed = of_positive[:, self.above] + of_positive[:, self.not_below]
            first = _variance(counts[:, self._positive], beaten / (2 * n_negative))
            second = _variance(counts[:, self._negative], missed / (2 * n_positive))
            return np.asarray(
                np.sqrt(first / n_positive[:, 0] + second / n_negative[:, 0])
            )


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


def _variance(counts: IntArray, values: FloatArray) -> FloatArray:
    """Return the variance of values that occur ``counts`` times, row by row."""
    total = counts.sum(axis=1)
    mean = np.einsum("ij,ij->i", counts, values) / total
    off = values - mean[:, np.newaxis]
    return np.asarray(np.einsum("ij,ij,ij->i", counts, off, off) / (total - 1))


class Called:
    """Any metric: the drawn rows are copied out and handed over."""

    def __init__(
        self,
        metric: Metric,
        y_true: npt.NDArray[Any],
        y_pred: npt.NDArray[Any],
        standard_error: Metric | None = None,
    ) -> None:
        is_scorer = takes_estimator(metric)
        self.metric = predictions_scorer(metric, y_true) if is_scorer else metric
        self.standard_error = standard_error
        self.y_true, self.y_pred = y_true, y_pred
        self.n_scores = y_pred.shape[1]
        self.fast = False
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
        return self._map(self.metric, counts)

    def standard_errors(self, counts: IntArray) -> FloatArray:
        """Return the standard error that the caller's function gives."""
        if self.standard_error is None:
            msg = (
                "The studentized interval of a metric of your own needs "
                "standard_error=f, a function (y_true, y_pred) -> float. Without one "
                "use interval='bca' or 'percentile'."
            )
            raise ValueError(msg)
        return self._map(self.standard_error, counts)

    def _map(self, function: Metric, counts: IntArray) -> FloatArray:
        result = np.full((len(counts), self.y_pred.shape[1]), np.nan)
        with warnings.catch_warnings():
            # What a metric has to say of odd draws is said once, by their number.
            warnings.simplefilter("ignore")
            for draw, row in enumerate(counts):
                drawn = np.repeat(self._rows, row)
                y_true, y_pred = self.y_true[drawn], self.y_pred[drawn]
                for column in range(result.shape[1]):
                    try:
                        score = function(y_true, y_pred[:, column])
                    except ValueError:
                        continue  # one class only, say: nan, and counted as undefined
                    result[draw, column] = score
        return result
