"""Checks of arguments, each with a message that says what was found and allowed."""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from lbsense._format import shorten
from lbsense._typing import ArrayLike, FloatArray

__all__ = [
    "as_float_matrix",
    "as_float_vector",
    "check_count",
    "check_fraction",
    "check_kind",
    "check_number",
    "check_positive",
    "check_same_length",
    "is_frame",
    "read_only",
]

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

ArrayT = TypeVar("ArrayT", bound="npt.NDArray[Any]")


def is_frame(value: object) -> TypeGuard[pd.DataFrame]:
    """Say whether a value is a data frame, without loading pandas to ask."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def check_fraction(
    value: float, *, name: str, low_open: bool = True, high_open: bool = True
) -> float:
    """Return ``value`` as a float after checking that it lies between 0 and 1."""
    low, high = "(" if low_open else "[", ")" if high_open else "]"
    number = _as_number(value, name=name)
    above = number > 0 if low_open else number >= 0
    below = number < 1 if high_open else number <= 1
    if not (above and below):
        msg = f"{name} must be in {low}0, 1{high}, got {value!r}."
        raise ValueError(msg)
    return number


def check_count(value: int, *, name: str, minimum: int = 1) -> int:
    """Return ``value`` as an int after checking that it is at least ``minimum``."""
    try:
        number = operator.index(value)
    except TypeError as error:
        msg = f"{name} must be a whole number of at least {minimum}, got {value!r}."
        raise TypeError(msg) from error
    if isinstance(value, bool) or number < minimum:
        msg = f"{name} must be a whole number of at least {minimum}, got {value!r}."
        raise ValueError(msg)
    return number


def check_number(value: float, *, name: str) -> float:
    """Return ``value`` as a float after checking that it is finite."""
    number = _as_number(value, name=name)
    if not math.isfinite(number):
        msg = f"{name} must be a finite number, got {value!r}."
        raise ValueError(msg)
    return number


def check_positive(value: float, *, name: str) -> float:
    """Return ``value`` as a float after checking that it is finite and above zero."""
    number = _as_number(value, name=name)
    if not (math.isfinite(number) and number > 0):
        msg = f"{name} must be a finite number above 0, got {value!r}."
        raise ValueError(msg)
    return number


def as_float_vector(values: ArrayLike, *, name: str) -> FloatArray:
    """Return ``values`` as a one-dimensional float array, missing entries as nan."""
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        msg = f"{name} must have shape (n,), got shape {array.shape}."
        raise ValueError(msg)
    return array


def as_float_matrix(values: ArrayLike, *, name: str) -> FloatArray:
    """Return ``values`` as a two-dimensional float array, a vector as one column."""
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        msg = f"{name} must have shape (n,) or (n, k), got shape {array.shape}."
        raise ValueError(msg)
    return array


def check_same_length(**arrays: FloatArray) -> int:
    """Return the common length of the named arrays."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        msg = f"Arrays must have one length, but {found}."
        raise ValueError(msg)
    return next(iter(lengths.values()))


def read_only(array: ArrayT) -> ArrayT:
    """Return the array, which the caller has made and hands on, closed to writing."""
    array.flags.writeable = False
    return array


_KINDS = {
    "Facts": "an Analysis, as analyze(history) gives it",
    "Analysis": "an Analysis, as analyze(history) gives it",
    "History": "a History, as read_submissions(...) gives it",
    "Predictions": "Predictions, as read_predictions(...) gives them",
    "BoardAnalysis": "a BoardAnalysis, as analyze_board(board) gives it",
    "Comparison": "a Comparison, as compare(...) gives it",
    "Leaderboard": "a Leaderboard, as read_leaderboard(...) gives it",
    "Submission": "a Submission, as Submission(submission_id=..., public_score=...)",
    "Findings": "Findings, as run_checks(analysis) gives them",
    "Mapping": "a mapping such as {'public_score': 'LB'}",
    "str": "a text",
}


def check_kind(value: object, kind: type, *, name: str, optional: bool = False) -> None:
    """Raise where an argument is of another type than it can be.

    Parameters
    ----------
    value : object
        The argument.
    kind : type
        What it must be.
    name : str
        What the argument is called.
    optional : bool
        Whether it may be None.

    Raises
    ------
    TypeError
        With what was given and what is expected.
    """
    if not isinstance(value, kind) and not (optional and value is None):
        expected = _KINDS.get(kind.__name__, kind.__name__)
        given = type(value).__name__
        shown = "" if value is None else f" {shorten(repr(value), 40)}"
        msg = f"{name} must be {expected}, got {given}{shown}."
        raise TypeError(msg)


def _as_number(value: float, *, name: str) -> float:
    if isinstance(value, (str, bytes)):
        msg = f"{name} must be a number, got {value!r}, a text."
        raise TypeError(msg)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        msg = f"{name} must be a number, got {value!r}."
        raise TypeError(msg) from error
