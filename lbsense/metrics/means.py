"""Metrics that are means over rows, ratios of means or roots of means.

For a mean, the influence of a row is its loss minus the mean. For a ratio T = N / D of
means it is (n_i - T d_i) / D, and for a square root it is that of the mean divided by
twice the root.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from lbsense._typing import FloatArray
from lbsense.metrics.inputs import class_numbers
from lbsense.metrics.record import Case, Parts

_SUM_TOLERANCE = 0.01  # what rounding to two decimals leaves


def weighted_mean(rows: FloatArray, weight: FloatArray | None) -> FloatArray:
    """Return the mean of each column."""
    if weight is None:
        return np.asarray(rows.mean(axis=0))
    return np.asarray(weight @ rows / len(rows))


def mean_of(rows: FloatArray, weight: FloatArray | None) -> Parts:
    """Return the means of the columns; ``rows`` becomes the influence."""
    scores = weighted_mean(rows, weight)
    rows -= scores
    return scores, rows


def ratio_of(
    numerator: FloatArray, denominator: FloatArray, weight: FloatArray | None
) -> Parts:
    """Return ratios of means, nan for 0 / 0; ``numerator`` becomes the influence."""
    below = weighted_mean(denominator, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = weighted_mean(numerator, weight) / below
        numerator -= scores * denominator
        numerator /= below
    return scores, numerator


def root_of(parts: Parts) -> Parts:
    """Return the square roots of means, with nan influence where the root is 0."""
    means, psi = parts
    roots = np.sqrt(means)
    with np.errstate(divide="ignore", invalid="ignore"):
        psi /= 2 * roots
    return roots, psi


def _one_minus(parts: Parts) -> Parts:
    scores, psi = parts
    return 1 - scores, np.negative(psi, out=psi)


def _error(case: Case) -> FloatArray:
    return np.asarray(case.pred - case.y[:, np.newaxis])


def _squared(case: Case) -> FloatArray:
    error = _error(case)
    return np.multiply(error, error, out=error)


def _absolute(case: Case) -> FloatArray:
    error = _error(case)
    return np.abs(error, out=error)


def mse(case: Case) -> Parts:
    return mean_of(_squared(case), case.weight)


def mae(case: Case) -> Parts:
    return mean_of(_absolute(case), case.weight)


def rmse(case: Case) -> Parts:
    return root_of(mse(case))


def msle(case: Case) -> Parts:
    for array, name in ((case.y, "y_true"), (case.pred, "y_pred")):
        if array.min() <= -1:
            msg = (
                f"{name} must be above -1 for a logarithmic error, found "
                f"{array.min():g}. Clip the predictions at 0."
            )
            raise ValueError(msg)
    error = np.log1p(case.pred)
    error -= np.log1p(case.y)[:, np.newaxis]
    return mean_of(np.multiply(error, error, out=error), case.weight)


def rmsle(case: Case) -> Parts:
    return root_of(msle(case))


def mape(case: Case) -> Parts:
    rows = _absolute(case)
    rows /= np.abs(_nonzero(case.y))[:, np.newaxis]
    return mean_of(rows, case.weight)


def rmspe(case: Case) -> Parts:
    rows = _squared(case)
    rows /= np.square(_nonzero(case.y))[:, np.newaxis]
    return root_of(mean_of(rows, case.weight))


def _nonzero(y: FloatArray) -> FloatArray:
    if not y.all():
        msg = (
            f"y_true must not be 0 for a percentage error, found {int((y == 0).sum())} "
            "zeros. Leave these rows out, or use wmape or smape."
        )
        raise ValueError(msg)
    return y


def smape(case: Case) -> Parts:
    size = np.abs(case.pred)
    size += np.abs(case.y)[:, np.newaxis]
    size[size == 0] = 1  # both are 0, and so is the error
    rows = _absolute(case)
    rows *= 200
    rows /= size
    return mean_of(rows, case.weight)


def wmape(case: Case) -> Parts:
    if not case.y.any():
        msg = "wmape is not defined when every y_true is 0."
        raise ValueError(msg)
    return ratio_of(_absolute(case), np.abs(case.y)[:, np.newaxis], case.weight)


def pinball(case: Case) -> Parts:
    quantile = case.metric.parameter
    if quantile is None:
        msg = "The pinball loss needs its quantile: name it, as in 'pinball_0.9'."
        raise ValueError(msg)
    error = np.negative(_error(case))
    return mean_of(np.maximum(quantile * error, (quantile - 1) * error), case.weight)


def r2(case: Case) -> Parts:
    return _one_minus(ratio_of(_squared(case), _spread(case), case.weight))


def explained_variance(case: Case) -> Parts:
    error = _error(case)
    error -= weighted_mean(error, case.weight)
    squares = np.multiply(error, error, out=error)
    return _one_minus(ratio_of(squares, _spread(case), case.weight))


def _spread(case: Case) -> FloatArray:
    if case.y.min() == case.y.max():
        msg = f"y_true is constant ({case.y[0]:g}): there is no variance to explain."
        raise ValueError(msg)
    column = case.y[:, np.newaxis]
    return np.square(column - weighted_mean(column, case.weight))


def concordance(case: Case) -> Parts:
    """Return Lin's concordance: 1 - E(y - p)^2 / (E y^2 + E p^2 - 2 Ey Ep).

    For whole numbers it is the quadratic weighted kappa.
    """
    column = case.y[:, np.newaxis].astype(np.float64)
    centre = weighted_mean(column, case.weight)
    column -= centre
    pred = case.pred - centre
    error = pred - column
    # What chance alone would give; the mean of the centred labels is 0.
    chance = np.multiply(pred, pred)
    chance += np.square(column)
    chance -= 2 * weighted_mean(pred, case.weight) * column
    squares = np.multiply(error, error, out=error)
    return _one_minus(ratio_of(squares, chance, case.weight))


def poisson_deviance(case: Case) -> Parts:
    _check_deviance(case, y_may_be_zero=True)
    y = case.y[:, np.newaxis]
    logs = scipy.special.xlogy(y, y / case.pred)
    return mean_of(2 * (logs - y + case.pred), case.weight)


def gamma_deviance(case: Case) -> Parts:
    _check_deviance(case, y_may_be_zero=False)
    ratio = case.y[:, np.newaxis] / case.pred
    return mean_of(2 * (ratio - 1 - np.log(ratio)), case.weight)


def _check_deviance(case: Case, *, y_may_be_zero: bool) -> None:
    lowest, least = case.y.min(), case.pred.min()
    if least <= 0 or lowest < 0 or (lowest == 0 and not y_may_be_zero):
        allowed = "0 or more" if y_may_be_zero else "above 0"
        msg = (
            f"A deviance needs y_pred above 0 and y_true {allowed}, found the least "
            f"prediction {least:g} and the least label {lowest:g}."
        )
        raise ValueError(msg)


def log_loss(case: Case) -> Parts:
    """Return the mean of -ln of the probability given to what happened."""
    _check_probabilities(case.pred)
    given = case.pred - ~case.y[:, np.newaxis]
    np.abs(given, out=given)
    return mean_of(_negative_log(given, case.eps), case.weight)


def brier(case: Case) -> Parts:
    _check_probabilities(case.pred)
    error = case.pred - case.y[:, np.newaxis]
    return mean_of(np.multiply(error, error, out=error), case.weight)


def _negative_log(given: FloatArray, eps: float) -> FloatArray:
    np.clip(given, eps, 1 - eps, out=given)
    np.log(given, out=given)
    return np.negative(given, out=given)


def _check_probabilities(pred: FloatArray) -> None:
    low, high = pred.min(), pred.max()
    if low < 0 or high > 1:
        msg = (
            "y_pred must hold probabilities in [0, 1], found the range "
            f"{low:g} to {high:g}. Pass probabilities, not margins, logits or labels "
            "that start at 1."
        )
        raise ValueError(msg)


def multiclass_log_loss(case: Case) -> Parts:
    """Return the mean of -ln p of the true class, rows rescaled to a sum of 1."""
    _check_probabilities(case.pred)
    n_submissions, n_rows, n_classes = case.pred.shape
    codes = class_numbers(case.y, n_classes)
    rows = np.arange(n_rows)
    given = np.empty((n_rows, n_submissions))
    for j, table in enumerate(case.pred):
        total = table.sum(axis=1)
        furthest = int(np.argmax(np.abs(total - 1)))
        if abs(total[furthest] - 1) > _SUM_TOLERANCE:
            msg = (
                f"The probabilities of a row must sum to 1, but those of row "
                f"{furthest} sum to {total[furthest]:g}. Divide each row by its sum."
            )
            raise ValueError(msg)
        given[:, j] = table[rows, codes] / total
    return mean_of(_negative_log(given, case.eps), case.weight)


def top_k_accuracy(case: Case) -> Parts:
    """Return the share of rows whose class is among the k most probable."""
    if case.metric.parameter is None:
        msg = "Top-k accuracy needs its k: name it, as in 'top_3_accuracy'."
        raise ValueError(msg)
    codes = class_numbers(case.y, case.pred.shape[2])
    hits = np.empty(case.pred.shape[1::-1])
    columns = np.arange(case.pred.shape[2])
    for j, table in enumerate(case.pred):
        own = table[np.arange(len(codes)), codes][:, np.newaxis]
        # Among equals the later class comes first, as in scikit-learn.
        ahead = (table > own) | ((table == own) & (columns > codes[:, np.newaxis]))
        hits[:, j] = ahead.sum(axis=1) < case.metric.parameter
    return mean_of(hits, case.weight)


def _ranking(case: Case, gain: Callable[[FloatArray, int], FloatArray]) -> Parts:
    """Return the mean gain of the place, from 1 on, at which the true label stands."""
    if case.y.ndim != 1:
        msg = (
            f"{case.metric.name} has influence values when each row has one true "
            f"label, y_true of shape (n,); got {case.y.shape}. Use the bootstrap."
        )
        raise ValueError(msg)
    width = case.pred.shape[2]
    k = width if case.metric.parameter is None else int(case.metric.parameter)
    rows = np.empty(case.pred.shape[1::-1])
    for j, ranked in enumerate(case.pred[:, :, :k]):
        found = ranked == case.y[:, np.newaxis]
        place = np.where(found.any(axis=1), 1.0 + found.argmax(axis=1), np.inf)
        rows[:, j] = gain(place, k)
    return mean_of(rows, case.weight)


def reciprocal_rank(case: Case) -> Parts:
    return _ranking(case, lambda place, _: 1 / place)


def recall_at_k(case: Case) -> Parts:
    return _ranking(case, lambda place, _: np.isfinite(place).astype(np.float64))


def precision_at_k(case: Case) -> Parts:
    return _ranking(case, lambda place, k: np.isfinite(place) / k)


def ndcg_at_k(case: Case) -> Parts:
    return _ranking(case, lambda place, _: 1 / np.log2(1 + place))
