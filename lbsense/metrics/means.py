"""Labels, predictions and weights, checked, and metrics that are means over rows.

A rule of influence is applied by what it takes: `of_values`, `of_events`, `of_classes`,
`of_labels`, `of_rankings` or `of_columns` check and shape the data. For a mean, the
influence of a row is its loss minus the mean. For a ratio T = N / D of means it is
(n_i - T d_i) / D, for a square root that of the mean divided by twice the root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy

from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense.metrics.record import AnyArray, Case, InfluenceRule, Parts

_MAX_NUMBERED = 1_000_000


def as_targets(y_true: ArrayLike) -> AnyArray:
    """Return the labels as an array of at least two rows, none of them missing."""
    y = _array(y_true, name="y_true")
    if y.ndim == 0 or len(y) < 2:
        n_rows = len(y) if y.ndim else y.size
        msg = f"y_true must have at least 2 rows to vary, got {n_rows}."
        raise ValueError(msg)
    _check_finite(y, name="y_true")
    return y


def of_values(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of numbers: y of shape (n,), predictions (n, k)."""
    pred = _columns(_numeric(case.pred), len(case.y))
    return rule(replace(case, y=_as_values(case.y), pred=pred))


def of_events(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of an event: y two labels, predictions (n, k)."""
    pred = _columns(_numeric(case.pred), len(case.y))
    # predict_proba's two columns look like two submissions.
    if pred.shape[1] == 2 and np.allclose(pred.sum(axis=1), 1.0, atol=1e-6):
        msg = (
            "The two columns of y_pred sum to 1 in every row: they are both classes of "
            "one submission. Pass y_pred[:, 1]."
        )
        raise ValueError(msg)
    return rule(replace(case, y=_as_positive(case.y), pred=pred))


def of_events_or_classes(
    rule: InfluenceRule, classes: InfluenceRule, case: Case
) -> Parts:
    """Apply a rule of an event, or another where there are more than two classes."""
    several = case.pred.ndim == 2 and len(np.unique(case.y)) > 2
    if several or case.pred.ndim == 3:
        return of_classes(classes, case)
    return of_events(rule, case)


def of_classes(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of class probabilities or of tables, (k, n, c)."""
    return rule(replace(case, pred=_as_stack(case.pred, len(case.y))))


def of_labels(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of one label a row, (n, k)."""
    pred = _columns(_array(case.pred, name="y_pred"), len(case.y))
    return rule(replace(case, pred=pred))


def of_labels_or_sets(rule: InfluenceRule, sets: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of one label a row, or another where y is a table of them."""
    return of_classes(sets, case) if case.y.ndim == 2 else of_labels(rule, case)


def of_rankings(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of ranked labels of any kind, best first, (k, n, places).

    Rankings of fewer labels may be filled up with nan or None, which equal no label.
    """
    return rule(replace(case, pred=_tables(np.asarray(case.pred), len(case.y))))


def of_columns(rule: InfluenceRule, case: Case, *, events: bool = False) -> Parts:
    """Return the mean over columns of a rule of numbers or of events."""
    true, tables = case.y, _as_stack(case.pred, len(case.y))
    if true.ndim != 2 or true.shape != tables.shape[1:]:
        msg = (
            f"{case.metric.name} needs y_true of shape (n, c) and y_pred of shape "
            f"(n, c) or (k, n, c), got {true.shape} and {tables.shape}."
        )
        raise ValueError(msg)
    scores, psi = np.zeros(len(tables)), np.zeros((len(true), len(tables)))
    for i, column in enumerate(true.T):
        y = _as_positive(column) if events else _as_values(column)
        pred = np.ascontiguousarray(tables[:, :, i].T)
        column_scores, column_psi = rule(replace(case, y=y, pred=pred))
        scores += column_scores / len(true.T)
        psi += column_psi / len(true.T)
    return scores, psi


def of_event_columns(rule: InfluenceRule, case: Case) -> Parts:
    """Return the mean over columns of a rule of events."""
    return of_columns(rule, case, events=True)


def _as_values(y: AnyArray) -> FloatArray:
    """Return numeric targets as floats of shape (n,)."""
    if y.dtype.kind not in "biuf":
        msg = f"y_true must hold numbers, got {y.dtype} such as {shown(y)}."
        raise ValueError(msg)
    if y.ndim != 1:
        msg = f"y_true must have shape (n,), got {y.shape}."
        raise ValueError(msg)
    return y.astype(np.float64, copy=False)


def _as_positive(y: AnyArray) -> BoolArray:
    """Return which rows are positive: label 1, or the greater of two numbers."""
    values = _as_values(y)
    is_one = np.asarray(values == 1)
    if (is_one | (values == 0)).all():
        return is_one
    labels = np.unique(values)
    if len(labels) != 2:
        msg = (
            f"y_true must hold two labels such as 0 and 1, found {len(labels)}: "
            f"{_listed(labels)}."
        )
        raise ValueError(msg)
    return np.asarray(values == labels[1])


def _as_stack(y_pred: ArrayLike, n_rows: int) -> FloatArray:
    """Return predictions as floats of shape (k, n, c), c numbers for each row."""
    pred = _tables(_numeric(y_pred), n_rows)
    _check_finite(pred, name="y_pred")
    return pred


def as_indicators(y: AnyArray, *, name: str) -> FloatArray:
    """Return sets of labels or masks as floats that are 0 or 1."""
    if y.dtype.kind not in "biuf" or not ((y == 0) | (y == 1)).all():
        msg = f"{name} must hold 0 and 1 only, a column for each label or pixel."
        raise ValueError(msg)
    return y.astype(np.float64, copy=False)


def as_weights(sample_weight: ArrayLike | None, n_rows: int) -> FloatArray | None:
    """Return row weights of mean 1, or None when all rows count alike."""
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,):
        msg = f"sample_weight must have shape ({n_rows},), got {weight.shape}."
        raise ValueError(msg)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        msg = "sample_weight must be finite, not negative and not all zero."
        raise ValueError(msg)
    return np.asarray(weight / weight.mean())


def as_classes(y: AnyArray, pred: AnyArray) -> tuple[IntArray, IntArray, AnyArray]:
    """Return true and predicted labels as numbers 0, 1, ... and the label of each.

    Whole numbers keep their distances, so that a label that nobody used has its place.
    """
    if y.ndim != 1:
        msg = f"y_true must have shape (n,), one label a row, got {y.shape}."
        raise ValueError(msg)
    numeric = [array.dtype.kind in "biuf" for array in (y, pred)]
    if numeric[0] != numeric[1]:
        msg = (
            f"y_true holds {y.dtype} such as {shown(y)} and y_pred holds "
            f"{pred.dtype} such as {shown(pred)}: both must be labels of one kind."
        )
        raise ValueError(msg)
    if all(numeric):
        check_whole(y, pred)
        low = min(y.min(), pred.min())
        if max(y.max(), pred.max()) - float(low) < _MAX_NUMBERED:
            first = np.int64(low)
            codes = [array.astype(np.int64) - first for array in (y, pred)]
            n_classes = 1 + max(int(code.max()) for code in codes)
            return codes[0], codes[1], np.arange(first, first + n_classes)
    labels, codes_y = np.unique(np.concatenate([y, pred.ravel()]), return_inverse=True)
    codes_y = codes_y.astype(np.int64).ravel()
    return codes_y[: len(y)], codes_y[len(y) :].reshape(pred.shape), labels


def class_numbers(y: AnyArray, n_classes: int) -> IntArray:
    """Return the column of each row's class among ``n_classes`` probabilities."""
    if y.ndim != 1:
        msg = f"y_true must have shape (n,), one label a row, got {y.shape}."
        raise ValueError(msg)
    labels, codes = np.unique(y, return_inverse=True)
    if len(labels) == n_classes:
        return codes.astype(np.int64)
    whole = y.dtype.kind in "biuf" and (y == np.floor(y)).all()
    if whole and labels[0] >= 0 and labels[-1] < n_classes:
        return y.astype(np.int64)
    msg = (
        f"y_pred has {n_classes} columns and y_true has {len(labels)} labels: "
        f"{_listed(labels)}. Number the classes 0 to {n_classes - 1} in column order."
    )
    raise ValueError(msg)


def _array(values: ArrayLike, *, name: str) -> AnyArray:
    """Return an array, and numbers as numbers even from a column of Python objects."""
    array = np.asarray(values)
    if array.dtype.kind != "O":
        return array
    missing = [i for i, item in enumerate(array.ravel()) if _is_missing(item)]
    if missing:
        row = missing[0] // max(1, array[:1].size)
        msg = (
            f"{name} has {len(missing)} missing values, the first in row {row}. Fill "
            "them or leave these rows out."
        )
        raise ValueError(msg)
    if all(isinstance(item, int | float | np.number | np.bool_) for item in array.flat):
        return np.array(array.tolist())
    return array


def _is_missing(item: object) -> bool:
    try:
        return item is None or bool(item != item)
    except TypeError:  # pandas.NA is neither equal nor unequal to anything
        return True


def _numeric(y_pred: ArrayLike) -> FloatArray:
    pred = _array(y_pred, name="y_pred")
    if pred.dtype.kind not in "biuf":
        found = f" such as {shown(pred)}" if pred.size else ""
        msg = f"y_pred must hold numbers, got {pred.dtype}{found}."
        raise ValueError(msg)
    return pred.astype(np.float64, copy=False)


def _columns(pred: AnyArray, n_rows: int) -> AnyArray:
    if pred.ndim == 1:
        pred = pred[:, np.newaxis]
    if pred.ndim != 2 or len(pred) != n_rows or pred.shape[1] == 0:
        raise ValueError(_wrong_shape(pred, n_rows, "(n,) or (n, k)"))
    _check_finite(pred, name="y_pred")
    return pred


def _tables(pred: AnyArray, n_rows: int) -> AnyArray:
    if pred.ndim == 2:
        pred = pred[np.newaxis]
    if pred.ndim != 3 or pred.shape[1] != n_rows or 0 in pred.shape:
        raise ValueError(_wrong_shape(pred, n_rows, "(n, c) or (k, n, c)"))
    return pred


def _check_finite(array: AnyArray, *, name: str) -> None:
    # A sum is nan or infinite if any term is; only then is the place looked for.
    if array.dtype.kind != "f" or np.isfinite(array.sum()):
        return
    bad = ~np.isfinite(array)
    if bad.any():
        place = ", ".join(str(i) for i in np.argwhere(bad)[0].tolist())
        msg = (
            f"{name} must be finite, found {int(bad.sum())} nan or infinite values, "
            f"the first at [{place}]. Fill them or leave these rows out."
        )
        raise ValueError(msg)


def shown(array: AnyArray) -> str:
    """Return the first value as plain Python writes it, for a message."""
    return repr(array.ravel()[:1].tolist()[0])


def check_whole(y: AnyArray, pred: AnyArray) -> None:
    """Refuse probabilities and other fractions where labels are wanted."""
    for array, name in ((y, "y_true"), (pred, "y_pred")):
        if array.dtype.kind == "f":
            broken = array != np.rint(array)
            if broken.any():
                msg = (
                    f"{name} must hold labels, found {shown(array[broken])}. Turn "
                    "probabilities or values into labels first, for example "
                    "(y_pred >= 0.5).astype(int)."
                )
                raise ValueError(msg)


def _wrong_shape(pred: AnyArray, n_rows: int, allowed: str) -> str:
    hint = " Transpose it." if pred.ndim == 2 and pred.shape[1] == n_rows else ""
    return (
        f"y_pred must have shape {allowed} with n = {n_rows} rows as y_true, got "
        f"{pred.shape}.{hint}"
    )


def _listed(labels: AnyArray) -> str:
    names = ", ".join(str(label) for label in labels[:5].tolist())
    return names + (", ..." if len(labels) > 5 else "")


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
