"""Metrics of values that are means, ratios of means or roots of means over rows.

For a mean, the influence of a row is its loss minus the mean. For a ratio T = N / D of
means it is (n_i - T d_i) / D, and for a square root it is that of the mean divided by
twice the root.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.special import xlogy

from lbsense._typing import FloatArray
from lbsense.metrics._inputs import Case

__all__ = [
    "VALUE_RULES",
    "Parts",
    "concordance",
    "mean_of",
    "ratio_of",
    "weighted_mean",
]

Parts: TypeAlias = tuple[FloatArray, FloatArray]  # scores (k,), influence (n, k)


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


def _mse(case: Case) -> Parts:
    return mean_of(_squared(case), case.weight)


def _mae(case: Case) -> Parts:
    return mean_of(_absolute(case), case.weight)


def _rmse(case: Case) -> Parts:
    return root_of(_mse(case))


def _msle(case: Case) -> Parts:
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


def _rmsle(case: Case) -> Parts:
    return root_of(_msle(case))


def _mape(case: Case) -> Parts:
    rows = _absolute(case)
    rows /= np.abs(_nonzero(case.y))[:, np.newaxis]
    return mean_of(rows, case.weight)


def _rmspe(case: Case) -> Parts:
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


def _smape(case: Case) -> Parts:
    size = np.abs(case.pred)
    size += np.abs(case.y)[:, np.newaxis]
    size[size == 0] = 1  # both are 0, and so is the error
    rows = _absolute(case)
    rows *= 200
    rows /= size
    return mean_of(rows, case.weight)


def _wmape(case: Case) -> Parts:
    if not case.y.any():
        msg = "wmape is not defined when every y_true is 0."
        raise ValueError(msg)
    return ratio_of(_absolute(case), np.abs(case.y)[:, np.newaxis], case.weight)


def _pinball(case: Case) -> Parts:
    quantile = case.metric.parameter
    if quantile is None:
        msg = "The pinball loss needs its quantile: name it, as in 'pinball_0.9'."
        raise ValueError(msg)
    error = np.negative(_error(case))
    return mean_of(np.maximum(quantile * error, (quantile - 1) * error), case.weight)


def _r2(case: Case) -> Parts:
    return _one_minus(ratio_of(_squared(case), _spread(case), case.weight))


def _explained_variance(case: Case) -> Parts:
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


def _poisson_deviance(case: Case) -> Parts:
    _check_deviance(case, y_may_be_zero=True)
    y = case.y[:, np.newaxis]
    return mean_of(2 * (xlogy(y, y / case.pred) - y + case.pred), case.weight)


def _gamma_deviance(case: Case) -> Parts:
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


VALUE_RULES: dict[str, Callable[[Case], Parts]] = {
    "mae": _mae,
    "mse": _mse,
    "rmse": _rmse,
    "msle": _msle,
    "rmsle": _rmsle,
    "mape": _mape,
    "rmspe": _rmspe,
    "smape": _smape,
    "wmape": _wmape,
    "pinball": _pinball,
    "r2": _r2,
    "explained_variance": _explained_variance,
    "concordance_correlation": concordance,
    "poisson_deviance": _poisson_deviance,
    "gamma_deviance": _gamma_deviance,
}
