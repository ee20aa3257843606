"""Labels, predictions and weights, checked before anything is computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense.metrics._metric import Metric

__all__ = [
    "AnyArray",
    "Case",
    "as_classes",
    "as_columns",
    "as_indicators",
    "as_positive",
    "as_ranked",
    "as_stack",
    "as_targets",
    "as_values",
    "as_weights",
    "check_whole",
    "class_numbers",
    "label_columns",
    "shown",
]

AnyArray: TypeAlias = np.ndarray[Any, Any]

_MAX_NUMBERED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """What a metric is computed from, after its check.

    Attributes
    ----------
    metric : Metric
        The metric, without a flipped sign.
    y : ndarray
        True labels or values, a row each.
    pred : ndarray
        Predictions of every submission.
    weight : ndarray of shape (n,) or None
        Row weights of mean 1; None when all rows count alike.
    eps : float
        Nearest that a probability comes to 0 or 1 under a logarithm.
    """

    metric: Metric
    y: AnyArray
    pred: AnyArray
    weight: FloatArray | None
    eps: float


def as_targets(y_true: ArrayLike) -> AnyArray:
    """Return the labels as an array of at least two rows, none of them missing."""
    y = _array(y_true, name="y_true")
    if y.ndim == 0 or len(y) < 2:
        n_rows = len(y) if y.ndim else y.size
        msg = f"y_true must have at least 2 rows to vary, got {n_rows}."
        raise ValueError(msg)
    _check_finite(y, name="y_true")
    return y


def as_values(y: AnyArray, *, name: str = "y_true") -> FloatArray:
    """Return numeric targets as floats of shape (n,)."""
    if y.dtype.kind not in "biuf":
        msg = f"{name} must hold numbers, got {y.dtype} such as {shown(y)}."
        raise ValueError(msg)
    if y.ndim != 1:
        msg = f"{name} must have shape (n,), got {y.shape}."
        raise ValueError(msg)
    return y.astype(np.float64, copy=False)


def as_positive(y: AnyArray) -> BoolArray:
    """Return which rows are positive: label 1, or the greater of two numbers."""
    values = as_values(y)
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


def as_columns(y_pred: ArrayLike, n_rows: int) -> FloatArray:
    """Return predictions as floats of shape (n, k), one submission a column."""
    return _columns(_numeric(y_pred), n_rows)


def as_stack(y_pred: ArrayLike, n_rows: int) -> FloatArray:
    """Return predictions as floats of shape (k, n, c), c numbers for each row."""
    pred = _tables(_numeric(y_pred), n_rows)
    _check_finite(pred, name="y_pred")
    return pred


def as_ranked(y_pred: ArrayLike, n_rows: int) -> AnyArray:
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


def label_columns(y_pred: ArrayLike, n_rows: int) -> AnyArray:
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
