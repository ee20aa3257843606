"""Labels, predictions and weights, checked before anything is computed from them.

A rule of influence is applied by what it takes: `of_values`, `of_events`, `of_classes`,
`of_labels`, `of_rankings` or `of_columns` check and shape the data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

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
    pred = _as_columns(case.pred, len(case.y))
    return rule(replace(case, y=_as_values(case.y), pred=pred))


def of_events(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of an event: y two labels, predictions (n, k)."""
    pred = _as_columns(case.pred, len(case.y))
    _check_not_two_classes(pred)
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
    return rule(replace(case, pred=_label_columns(case.pred, len(case.y))))


def of_labels_or_sets(rule: InfluenceRule, sets: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of one label a row, or another where y is a table of them."""
    return of_classes(sets, case) if case.y.ndim == 2 else of_labels(rule, case)


def of_rankings(rule: InfluenceRule, case: Case) -> Parts:
    """Apply a rule of ranked labels, (k, n, places)."""
    return rule(replace(case, pred=_as_ranked(case.pred, len(case.y))))


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


def _check_not_two_classes(pred: FloatArray) -> None:
    """Refuse predict_proba's two columns, which look like two submissions."""
    if pred.shape[1] == 2 and np.allclose(pred.sum(axis=1), 1.0, atol=1e-6):
        msg = (
            "The two columns of y_pred sum to 1 in every row: they are both classes of "
            "one submission. Pass y_pred[:, 1]."
        )
        raise ValueError(msg)


def _as_values(y: AnyArray, *, name: str = "y_true") -> FloatArray:
    """Return numeric targets as floats of shape (n,)."""
    if y.dtype.kind not in "biuf":
        msg = f"{name} must hold numbers, got {y.dtype} such as {shown(y)}."
        raise ValueError(msg)
    if y.ndim != 1:
        msg = f"{name} must have shape (n,), got {y.shape}."
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


def _as_columns(y_pred: ArrayLike, n_rows: int) -> FloatArray:
    """Return predictions as floats of shape (n, k), one submission a column."""
    return _columns(_numeric(y_pred), n_rows)


def _as_stack(y_pred: ArrayLike, n_rows: int) -> FloatArray:
    """Return predictions as floats of shape (k, n, c), c numbers for each row."""
    pred = _tables(_numeric(y_pred), n_rows)
    _check_finite(pred, name="y_pred")
    return pred


def _as_ranked(y_pred: ArrayLike, n_rows: int) -> AnyArray:
    """Return ranked labels of any kind, best first, with shape (k, n, places).

    Rankings of fewer labels may be filled up with nan or None, which equal no label.
    """
    return _tables(np.asarray(y_pred), n_rows)


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


def _label_columns(y_pred: ArrayLike, n_rows: int) -> AnyArray:
    """Return predicted labels of any kind with shape (n, k)."""
    return _columns(_array(y_pred, name="y_pred"), n_rows)


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
