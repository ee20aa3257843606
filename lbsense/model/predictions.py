"""Predictions of several submissions for the same rows, aligned by row identifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from lbsense._format import plural, shorten
from lbsense._result import Result

if TYPE_CHECKING:
    import pandas as pd

AnyArray = npt.NDArray[Any]

#: Name of the predictions of what is not submitted yet.
CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Predictions that stay in their files: one submission at a time is in memory.

    ``numpy.asarray`` reads them all.

    Attributes
    ----------
    n_rows : int
        Rows of each.
    read : tuple of callable
        One for each submission, which returns its predictions, of shape (n_rows,).
    """

    n_rows: int
    read: tuple[Callable[[], AnyArray], ...]

    ndim = 2
    dtype = np.dtype(np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and submissions."""
        return self.n_rows, len(self.read)

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, place: Any) -> AnyArray:
        """Return predictions in memory, those of one submission where one is meant."""
        rows, column = place if isinstance(place, tuple) else (place, slice(None))
        if isinstance(column, (int, np.integer)):
            return self.read[column]()[rows]
        return self._some(np.arange(len(self.read))[column])[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return self._some(range(len(self.read))).astype(dtype or self.dtype, copy=False)

    def __reduce__(self) -> Any:
        return np.asarray, (np.asarray(self),)

    def of(self, places: Sequence[int]) -> Columns:
        """Return those of some submissions, still in their files."""
        return Columns(self.n_rows, tuple(self.read[place] for place in places))

    def _some(self, places: Iterable[int]) -> AnyArray:
        chosen = list(places)
        result = np.empty((self.n_rows, len(chosen)))
        for column, place in enumerate(chosen):
            result[:, column] = self.read[place]()
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions(Result):
    """Labels, out-of-fold predictions and test predictions, where there are any.

    Row ``i`` of every array about training rows is the same row, and likewise for the
    test rows. Arrays are closed to writing; those that were open are copied.

    Attributes
    ----------
    oof_names : tuple of str
        Submissions with out-of-fold predictions.
    oof : ndarray of shape (n_rows, k) or (n_rows, k, n_outputs), or None
        Out-of-fold predictions; the third axis is for classes or targets. Many that
        were read from binary files stay there, as `Columns`.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None
        What was to be predicted. Classes that are text are held as numbers.
    row_ids : ndarray of int or str, shape (n_rows,), or None
        Identifiers of the training rows.
    groups, times, weights : ndarray of shape (n_rows,), or None
        Group of every row, its time, its weight in the metric.
    test_names : tuple of str
        Submissions with test predictions.
    test : ndarray of shape (n_test, k) or (n_test, k, n_outputs), or None
        Test predictions.
    test_ids : ndarray of int or str, shape (n_test,), or None
        Identifiers of the test rows.
    classes : tuple of str
        Text of the classes ``0, 1, ...``; empty where labels are numbers.
    """

    oof_names: tuple[str, ...] = ()
    oof: AnyArray | None = None
    labels: AnyArray | None = None
    row_ids: AnyArray | None = None
    groups: AnyArray | None = None
    times: AnyArray | None = None
    weights: AnyArray | None = None
    test_names: tuple[str, ...] = ()
    test: AnyArray | None = None
    test_ids: AnyArray | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("oof_names", "test_names", "classes"):
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _closed(value))
        _check_matrix(self.oof, self.oof_names, self.row_ids, "oof")
        _check_matrix(self.test, self.test_names, self.test_ids, "test")
        self._check_rows()

    def _check_rows(self) -> None:
        lengths = {
            name: len(getattr(self, name))
            for name in ("oof", *_OF_ROWS)
            if getattr(self, name) is not None
        }
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            msg = f"Arrays of training rows must have one length, but {found}."
            raise ValueError(msg)
        if self.labels is not None:
            _check_finite(self.labels, "labels", self.row_ids)
        if self.weights is not None and not (
            np.isfinite(self.weights).all() and (self.weights >= 0).all()
        ):
            msg = "weights must be finite and at least 0."
            raise ValueError(msg)

    @property
    def names(self) -> tuple[str, ...]:
        """Every submission, those with out-of-fold predictions first."""
        return tuple(dict.fromkeys(self.oof_names + self.test_names))

    @property
    def n_rows(self) -> int:
        """Training rows; 0 without labels and out-of-fold predictions."""
        known = self.oof if self.oof is not None else self.labels
        return 0 if known is None else len(known)

    @property
    def n_test(self) -> int:
        """Test rows; 0 without test predictions."""
        return 0 if self.test is None else len(self.test)

    def of(self, kind: Literal["oof", "test"], names: Sequence[str]) -> AnyArray:
        """Return predictions of the named submissions, in the order asked for.

        Parameters
        ----------
        kind : {"oof", "test"}
            Which predictions.
        names : sequence of str
            Submissions.

        Returns
        -------
        ndarray of shape (n, len(names)) or (n, len(names), n_outputs)

        Raises
        ------
        KeyError
            If a submission has no such predictions.
        """
        if kind not in ("oof", "test"):
            msg = f"kind must be 'oof' or 'test', got {kind!r}."
            raise ValueError(msg)
        held = self.oof_names if kind == "oof" else self.test_names
        missing = [name for name in names if name not in held]
        if missing:
            msg = f"No {kind} predictions of {missing[:5]}. There are {list(held[:8])}."
            raise KeyError(msg)
        array = self.oof if kind == "oof" else self.test
        if array is None:
            msg = f"There are no {kind} predictions."
            raise KeyError(msg)
        if tuple(names) == held:
            return array
        places = [held.index(name) for name in names]
        if isinstance(array, Columns):
            return array.of(places)
        return array[:, places]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission, with what there is of it."""
        import pandas as pd

        return pd.DataFrame(
            {
                "oof": [name in self.oof_names for name in self.names],
                "test": [name in self.test_names for name in self.names],
            },
            index=pd.Index(self.names, name="name", dtype=object),
        )

    def __str__(self) -> str:
        parts = [f"Predictions of {plural(len(self.names), 'submission')}"]
        for kind, n in (("oof", self.n_rows), ("test", self.n_test)):
            names = self.oof_names if kind == "oof" else self.test_names
            if names:
                shown = ", ".join(shorten(name, 40) for name in names[:5])
                more = ", ..." if len(names) > 5 else ""
                parts.append(f"  {kind}: {plural(n, 'row')}, {shown}{more}")
        extra = [name for name in _OF_ROWS if getattr(self, name) is not None]
        if extra:
            parts.append(f"  with {', '.join(extra)}")
        return "\n".join(parts)


_OF_ROWS = ("labels", "row_ids", "groups", "times", "weights")
_ARRAYS = ("oof", *_OF_ROWS, "test", "test_ids")


def _closed(values: Any) -> Any:
    if isinstance(values, Columns):
        return values
    array = np.asarray(values)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _check_matrix(
    array: AnyArray | None, names: tuple[str, ...], ids: AnyArray | None, kind: str
) -> None:
    """Check one set of predictions: a column per name, a row per identifier."""
    if array is None:
        if names:
            msg = f"{kind}_names are given, but no {kind} predictions."
            raise ValueError(msg)
        return
    if array.ndim not in (2, 3) or array.shape[1] != len(names):
        msg = (
            f"{kind} must have shape (n, {len(names)}) or (n, {len(names)}, outputs), "
            f"one column per name in {kind}_names, got {array.shape}."
        )
        raise ValueError(msg)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        msg = f"{kind}_names must be unique, but these occur twice: {twice[:5]}."
        raise ValueError(msg)
    if array.dtype.kind not in "biuf":
        msg = f"{kind} must hold numbers, got {array.dtype}: number the classes first."
        raise ValueError(msg)
    if ids is not None:
        _check_ids(ids, len(array), kind)
    for column, name in enumerate(names):
        _check_finite(array[:, column], f"{kind} predictions of {name}", ids)


def _check_ids(ids: AnyArray, n: int, kind: str) -> None:
    if ids.shape != (n,):
        msg = f"Identifiers of {kind} rows must have shape ({n},), got {ids.shape}."
        raise ValueError(msg)
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < n:
        twice = values[counts > 1][:5].tolist()
        msg = f"Identifiers of {kind} rows must be unique, but these are not: {twice}."
        raise ValueError(msg)


def _check_finite(values: AnyArray, what: str, ids: AnyArray | None) -> None:
    if values.dtype.kind != "f" or np.isfinite(values.sum()):
        return
    bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(bad):
        where = bad[:5].tolist() if ids is None else ids[bad[:5]].tolist()
        label = "position" if ids is None else "row"
        msg = (
            f"{shorten(what, 80)} must be finite, but {plural(len(bad), label)} "
            f"hold nan or inf: {where}."
        )
        raise ValueError(msg)
