"""Rows matched by identifier: tables of several submissions to `Predictions`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from lbsense._format import plural
from lbsense.errors import IngestError, LbsenseWarning
from lbsense.ingest.predictions.columns import column_named, numbers
from lbsense.ingest.predictions.files import SubmissionTable
from lbsense.ingest.predictions.tables import PredictionTable, Wanted, listed
from lbsense.model import Predictions

__all__ = ["Training", "assemble"]

AnyArray = npt.NDArray[Any]


class Training(NamedTuple):
    """The table of the training rows, and the columns of its labels."""

    table: PredictionTable
    labels: tuple[str, ...]
    wanted: Wanted


def assemble(
    oofs: Sequence[SubmissionTable],
    tests: Sequence[SubmissionTable],
    training: Training | None,
    *,
    keep_common: bool,
) -> Predictions:
    """Return everything with its rows in one order."""
    base = [] if training is None else [training.table]
    row_ids = _rows([*base, *(part.table for part in oofs)], keep_common=keep_common)
    test_ids = _rows([part.table for part in tests], keep_common=keep_common)
    raw_labels = None if training is None else _values(training.table, training.labels)
    classes = _classes(raw_labels, [*oofs, *tests])
    fields: dict[str, Any] = {}
    if training is not None and raw_labels is not None and row_ids is not None:
        place = _places(training.table, row_ids)
        coded = _coded(raw_labels, classes)[place]
        fields["labels"] = coded[:, 0] if coded.shape[1] == 1 else coded
        _check_agreement(oofs, training, row_ids)
        for role in ("group", "time", "weight"):
            values = column_named(training.table, training.wanted, role)
            fields[f"{role}s"] = None if values is None else values[place]
    return Predictions(
        oof_names=tuple(part.name for part in oofs),
        oof=_matrix(oofs, row_ids, classes),
        row_ids=row_ids,
        test_names=tuple(part.name for part in tests),
        test=_matrix(tests, test_ids, classes),
        test_ids=test_ids,
        classes=classes,
        **fields,
    )


def _rows(tables: Sequence[PredictionTable], *, keep_common: bool) -> AnyArray | None:
    """Return the identifiers that all tables must have, in the order of the first."""
    if not tables:
        return None
    for table in tables:
        index = pd.Index(_ids(table))
        if not index.is_unique:
            twice = index[index.duplicated()].unique().tolist()
            msg = (
                f"{table.source}: {plural(len(twice), 'identifier')} more than once: "
                f"{listed(twice)}. Every row needs one of its own."
            )
            raise IngestError(msg)
    ids = _ids(tables[0])
    if keep_common:
        return _common(tables)
    for table in tables[1:]:
        other = _ids(table)
        if other is ids or np.array_equal(other, ids):
            continue
        missing = np.setdiff1d(ids, other)
        extra = np.setdiff1d(other, ids)
        if len(missing) or len(extra):
            raise IngestError(_difference(table, tables[0], missing, extra))
    return ids


def _common(tables: Sequence[PredictionTable]) -> AnyArray:
    ids = _ids(tables[0])
    keep = np.ones(len(ids), dtype=bool)
    for table in tables[1:]:
        keep &= np.isin(ids, _ids(table))
    n_most = max(table.n_rows for table in tables)
    n_kept = int(keep.sum())
    if not n_kept:
        msg = f"{tables[0].source} and the others have no identifier in common."
        raise IngestError(msg)
    if n_kept < n_most:
        msg = (
            f"{plural(n_kept, 'row')} of up to {n_most:,} are in every file and kept; "
            "the noise is that of these rows."
        )
        warnings.warn(msg, LbsenseWarning, stacklevel=5)
    return ids[keep]


def _difference(
    table: PredictionTable,
    first: PredictionTable,
    missing: AnyArray,
    extra: AnyArray,
) -> str:
    found = []
    if len(missing):
        found.append(f"lacks {len(missing):,} ({listed(missing.tolist())})")
    if len(extra):
        found.append(f"has {len(extra):,} of its own ({listed(extra.tolist())})")
    return (
        f"{table.source}: identifiers differ from those of {first.source}: it "
        f"{' and '.join(found)}. Give files of the same rows, or rows='common' to keep "
        "those that all have."
    )


def _ids(table: PredictionTable) -> AnyArray:
    if table.ids is None:
        msg = f"{table.source}: rows without identifiers."
        raise IngestError(msg)
    return table.ids


def _places(table: PredictionTable, ids: AnyArray) -> AnyArray | slice:
    """Return where each identifier stands in the table."""
    own = _ids(table)
    if own is ids or np.array_equal(own, ids):
        return slice(None)
    return pd.Index(own).get_indexer(pd.Index(ids))


def _values(table: PredictionTable, names: Sequence[str]) -> AnyArray:
    """Return columns of shape (n, c): numbers, or text where all cells are text."""
    found = numbers(table, names, " and ".join(names[:3]))
    if found is not None:
        return found
    columns = [table.columns[name] for name in names]
    missing = np.flatnonzero(np.any([pd.isna(column) for column in columns], axis=0))
    if len(missing):
        rows = missing + 1 if table.ids is None else table.ids[missing]
        msg = f"{table.source}: no label in {listed(rows.tolist())}."
        raise IngestError(msg)
    return np.column_stack([column.astype(str) for column in columns])


def _classes(
    labels: AnyArray | None, parts: Sequence[SubmissionTable]
) -> tuple[str, ...]:
    """Return the classes that are text, in the order that numbers them."""
    text = [] if labels is None or labels.dtype.kind == "f" else [labels]
    for part in parts:
        if all(
            part.table.columns[name].dtype.kind not in "biuf" for name in part.names
        ):
            values = _values(part.table, part.names)
            if values.dtype.kind != "f":
                text.append(values)
    if text and labels is not None and labels.dtype.kind == "f":
        found = listed(np.unique(text[0]).tolist())
        msg = f"Labels are numbers, but predictions are text: {found}."
        raise IngestError(msg)
    return tuple(sorted({str(item) for values in text for item in np.unique(values)}))


def _coded(values: AnyArray, classes: tuple[str, ...]) -> AnyArray:
    if values.dtype.kind == "f":
        return values
    codes = pd.Index(classes).get_indexer(pd.Index(values.ravel()))
    return np.asarray(codes.reshape(values.shape), dtype=np.float64)


def _matrix(
    parts: Sequence[SubmissionTable],
    ids: AnyArray | None,
    classes: tuple[str, ...],
) -> AnyArray | None:
    """Return predictions of shape (n, k) or (n, k, n_outputs)."""
    if not parts or ids is None:
        return None
    names = _output_names(parts, classes)
    shape = (len(ids), len(parts), len(parts[0].names))
    matrix = np.empty(shape)
    for column, part in enumerate(parts):
        chosen = names if len(names) > 1 else part.names
        values = _coded(_values(part.table, chosen), classes)
        matrix[:, column] = values[_places(part.table, ids)]
    result = matrix[:, :, 0] if shape[2] == 1 else matrix
    result.flags.writeable = False
    return result


def _output_names(
    parts: Sequence[SubmissionTable], classes: tuple[str, ...]
) -> Sequence[str]:
    """Return the columns in one order: that of the classes where they name them."""
    names = parts[0].names
    for part in parts[1:]:
        if len(part.names) != len(names) or (
            len(names) > 1 and set(part.names) != set(names)
        ):
            msg = (
                f"{part.table.source}: predictions are in {listed(part.names)}, but "
                f"{parts[0].table.source} has them in {listed(names)}."
            )
            raise IngestError(msg)
    return classes if len(names) > 1 and set(names) == set(classes) else names


def _check_agreement(
    oofs: Sequence[SubmissionTable], training: Training, ids: AnyArray
) -> None:
    """Check that files which bring labels of their own bring the same ones."""
    names = training.labels
    expected = _values(training.table, names)[_places(training.table, ids)]
    for part in oofs:
        held = part.table.columns
        if part.table is training.table or any(
            name not in held or name in part.names for name in names
        ):
            continue
        found = _values(part.table, names)[_places(part.table, ids)]
        same = np.asarray(found == expected).all(axis=1)
        if not same.all():
            wrong = ids[~same].tolist()
            msg = (
                f"{part.table.source}: labels of {plural(len(wrong), 'row')} differ "
                f"from those of {training.table.source}: {listed(wrong)}."
            )
            raise IngestError(msg)
