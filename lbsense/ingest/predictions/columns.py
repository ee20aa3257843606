"""Which columns of a table are predictions, labels, groups, times and weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.predictions.tables import PredictionTable, Wanted, listed

__all__ = [
    "column_named",
    "label_names",
    "numbers",
    "own_labels",
    "prediction_names",
    "submission_columns",
]

_PREDICTIONS = re.compile(r"(?:y|oof)?(?:preds?|predictions?|predicted|hat)|oof|proba?")
_LABELS = frozenset(
    ["target", "label", "labels", "y", "ytrue", "true", "truth", "class", "gt"]
)
_SERVICE = ("fold", "folds", "kfold", "foldid", "split", "seed")


def prediction_names(table: PredictionTable, wanted: Wanted) -> list[str]:
    """Return the columns of one submission's predictions."""
    names = list(table.columns)
    if table.ids is None:
        return names
    if "prediction" in wanted:
        return _chosen(table, wanted, "prediction")
    named = {_one(wanted, role) for role in ("label", "group", "time", "weight")}
    left = [name for name in names if name not in named and _key(name) not in _SERVICE]
    if len(left) == 1:
        return left
    plain = [name for name in left if _PREDICTIONS.fullmatch(_key(name))]
    if len(plain) == 1:
        return plain
    rest = [name for name in left if _key(name) not in _LABELS]
    if len(rest) == 1 or (len(rest) > 1 and _are_shares(table, rest)):
        return rest
    msg = (
        f"{table.source}: predictions could be any of {listed(left or names)}. Name "
        "the column with columns={'prediction': '<your column>'}, or several in a list "
        "where a submission has one for each class or target."
    )
    raise IngestError(msg)


def label_names(
    table: PredictionTable, wanted: Wanted, predicted: Sequence[str]
) -> list[str]:
    """Return the columns of labels; test files name theirs after the target."""
    if "label" in wanted:
        return _chosen(table, wanted, "label")
    if predicted and all(name in table.columns for name in predicted):
        return list(predicted)
    named = {_one(wanted, role) for role in ("group", "time", "weight")}
    names = [name for name in table.columns if name not in named]
    plain = [name for name in names if _key(name) in _LABELS]
    for found in (plain, names):
        if len(found) == 1:
            return found
    msg = (
        f"{table.source}: the labels could be any of {listed(names)}. Name the column "
        "with columns={'label': '<your column>'}."
    )
    raise IngestError(msg)


def own_labels(
    table: PredictionTable, wanted: Wanted, predicted: Sequence[str]
) -> tuple[str, ...]:
    """Return the columns of labels that stand beside the predictions, if any do."""
    if "label" in wanted:
        return tuple(_chosen(table, wanted, "label"))
    plain = [name for name in table.columns if _key(name) in _LABELS]
    left = [name for name in plain if name not in predicted]
    return tuple(left) if len(left) == 1 else ()


def submission_columns(table: PredictionTable, wanted: Wanted) -> list[str]:
    """Return the columns of a table that has one for every submission."""
    if "prediction" in wanted:
        return _chosen(table, wanted, "prediction")
    named = {_one(wanted, role) for role in ("label", "group", "time", "weight")}
    left = [name for name in table.columns if name not in named]
    left = [name for name in left if _key(name) not in _SERVICE]
    if len(left) > 1:
        left = [name for name in left if _key(name) not in _LABELS]
    if not left:
        msg = f"{table.source}: no column of predictions beside the identifiers."
        raise IngestError(msg)
    return left


def column_named(
    table: PredictionTable, wanted: Wanted, role: str
) -> npt.NDArray[Any] | None:
    """Return the group, time or weight of every row, where it was asked for."""
    return table.columns[_chosen(table, wanted, role)[0]] if role in wanted else None


def numbers(
    table: PredictionTable, names: Sequence[str], what: str
) -> npt.NDArray[np.float64] | None:
    """Return columns as numbers of shape (n, c), or None if they hold text throughout.

    Missing and infinite cells are an error that names their rows.
    """
    columns = [table.columns[name] for name in names]
    values = np.column_stack([_as_numbers(column) for column in columns])
    if np.isnan(values).all() and all(
        item.dtype.kind not in "biuf" for item in columns
    ):
        return None
    finite = np.isfinite(values)
    bad = np.flatnonzero(~finite.all(axis=1))
    if len(bad):
        cell = columns[int(np.argmin(finite[bad[0]]))][bad[0]]
        rows = bad + 1 if table.ids is None else table.ids[bad]
        msg = (
            f"{table.source}: {what} must be finite numbers, but "
            f"{plural(len(bad), 'row')} hold something else: {listed(rows.tolist())}. "
            f"The first holds {shorten(str(cell), 40)!r}."
        )
        raise IngestError(msg)
    return values


def _chosen(table: PredictionTable, wanted: Wanted, role: str) -> list[str]:
    value = wanted[role]
    names = [value] if isinstance(value, str) else list(value)
    missing = [name for name in names if name not in table.columns]
    if missing or not names:
        msg = (
            f"{table.source}: no column {listed(missing)} for the {role}. It has "
            f"{listed(list(table.columns))}."
        )
        raise IngestError(msg)
    return names


def _one(wanted: Wanted, role: str) -> str | None:
    value = wanted.get(role)
    return value if isinstance(value, str) else None


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _as_numbers(column: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    values = pd.to_numeric(pd.Series(column, dtype=object), errors="coerce")
    return values.to_numpy(dtype=np.float64)


def _are_shares(table: PredictionTable, names: Sequence[str]) -> bool:
    """Say whether the columns are probabilities of classes, which sum to 1."""
    columns = [table.columns[name] for name in names]
    if any(column.dtype.kind not in "biuf" for column in columns):
        return False
    total = np.sum(columns, axis=0)
    return bool(np.allclose(total, 1.0, atol=1e-3))
