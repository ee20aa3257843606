"""One file, frame or array of predictions as a table: identifiers and columns."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.source import is_text_source, read_documents

__all__ = [
    "PredictionTable",
    "Wanted",
    "as_ids",
    "listed",
    "read_prediction_table",
    "with_ids",
]

#: Our word for a column to theirs; "prediction" and "label" may name several.
Wanted = Mapping[str, str | Sequence[str]]

_DELIMITERS = (",", "\t", ";")
_ID_NAMES = ("id", "rowid", "index", "uid", "uuid", "key")
_UNNAMED = re.compile(r"(?:unnamed: ?\d+|)$", re.IGNORECASE)
_WHOLE = re.compile(r"(-?\d+)\.0+")
_MISSING = ("", "na", "nan", "n/a", "null", "none", "<na>")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictionTable:
    """Columns by name, and the identifier of every row where there is one.

    Attributes
    ----------
    source : str
        What messages call it by.
    ids : ndarray of str, shape (n_rows,), or None
        Identifiers; None for a bare array.
    columns : dict of str to ndarray
        Everything but the identifiers, as numbers where all cells are, else as text.
    """

    source: str
    ids: npt.NDArray[Any] | None
    columns: dict[str, npt.NDArray[Any]]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), ()))


def read_prediction_table(data: Any, wanted: Wanted, source: str) -> PredictionTable:
    """Return the table behind a path, a stream, a data frame or an array.

    ``source`` is the name of what has no file name.
    """
    if isinstance(data, pd.DataFrame):
        return _from_frame(data, wanted, source)
    if isinstance(data, pd.Series):
        name = "prediction" if data.name is None else str(data.name)
        return _from_frame(data.to_frame(name), wanted, source)
    if isinstance(data, np.ndarray):
        return _from_array(data, source)
    if not is_text_source(data):
        msg = (
            f"{source}: expected a path, a stream, a data frame or an array, got "
            f"{type(data).__name__}."
        )
        raise TypeError(msg)
    suffix = Path(data).suffix.lower() if isinstance(data, (str, os.PathLike)) else ""
    if suffix in (".parquet", ".pq", ".feather"):
        return _from_frame(_read_columnar(data, suffix), wanted, str(data))
    if suffix in (".npy", ".npz"):
        return _from_numpy(data)
    return _from_text(data, wanted)


def with_ids(
    table: PredictionTable, ids: npt.NDArray[Any] | None, option: str
) -> PredictionTable:
    """Return the table with the identifiers that the caller gave for bare arrays."""
    if table.ids is not None:
        return table
    if ids is None:
        msg = (
            f"{table.source}: an array without identifiers. Give those of its rows, in "
            f"its order, with {option}= (a file with an id column, or an array)."
        )
        raise IngestError(msg)
    if len(ids) != table.n_rows:
        msg = f"{table.source}: {table.n_rows} rows, but {option} has {len(ids)}."
        raise IngestError(msg)
    return replace(table, ids=ids)


def as_ids(values: Any, source: str) -> npt.NDArray[Any]:
    """Return identifiers as text: 7, 7.0 and "7" are one, "007" is another."""
    array = np.asarray(values)
    if array.dtype.kind in "iu":
        return array.astype(str)
    if array.dtype.kind == "f" and (array == np.floor(array)).all():
        return array.astype(np.int64).astype(str)
    text = [_WHOLE.sub(r"\1", str(item).strip()) for item in array.tolist()]
    blank = [row for row, item in enumerate(text) if item in ("", "nan", "None")]
    if blank:
        msg = (
            f"{source}: {plural(len(blank), 'row')} without identifier, the first at "
            f"row {blank[0] + 1} below the heading. Every row needs one."
        )
        raise IngestError(msg)
    return np.array(text, dtype=np.str_)


def listed(items: Sequence[Any]) -> str:
    """Return the first five items for a message, and how many more there are."""
    shown = ", ".join(repr(shorten(str(item), 40)) for item in items[:5])
    return shown + (f" and {len(items) - 5:,} more" if len(items) > 5 else "")


def _from_text(data: Any, wanted: Wanted) -> PredictionTable:
    document = read_documents(data)[0]
    source, text = document.source, document.text
    heading, _, body = text.partition("\n")
    delimiter = max(_DELIMITERS, key=heading.count)
    comma = delimiter == ";" and re.search(r"\d,\d", body[:10_000]) is not None
    try:
        names = list(pd.read_csv(io.StringIO(heading), sep=delimiter).columns)
        id_name = _id_name([str(name) for name in names], wanted, source)
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            decimal="," if comma else ".",
            dtype={id_name: str},
            na_values={name: list(_MISSING) for name in names if name != id_name},
            keep_default_na=False,  # an identifier may be the text NA
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        msg = f"{source}: not a table of predictions ({error})."
        raise IngestError(msg) from error
    return _table(frame, id_name, source)


def _from_frame(frame: pd.DataFrame, wanted: Wanted, source: str) -> PredictionTable:
    if frame.index.name is not None and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    frame = frame.rename(columns=str)
    return _table(frame, _id_name(list(frame.columns), wanted, source), source)


def _table(frame: pd.DataFrame, id_name: str, source: str) -> PredictionTable:
    if frame.empty:
        msg = f"{source}: a heading and no row below it."
        raise IngestError(msg)
    names = [str(name) for name in frame.columns]
    kept = [name for name in names if name != id_name and not _UNNAMED.match(name)]
    return PredictionTable(
        source=source,
        ids=as_ids(frame[id_name].to_numpy(), source),
        columns={name: frame[name].to_numpy() for name in kept},
    )


def _id_name(names: Sequence[str], wanted: Wanted, source: str) -> str:
    """Return the column of identifiers; of several none is guessed."""
    chosen = wanted.get("id")
    if chosen is not None:
        if chosen not in names:
            msg = f"{source}: no column {chosen!r}. It has {listed(names)}."
            raise IngestError(msg)
        return str(chosen)
    keys = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
    exact = [name for name, key in zip(names, keys, strict=True) if key in _ID_NAMES]
    ending = [name for name, key in zip(names, keys, strict=True) if key.endswith("id")]
    for found in (exact, ending):
        if len(found) == 1 or found[:1] == list(names[:1]):
            return found[0]
    msg = (
        f"{source}: no column of identifiers is plain to see among {listed(names)}. "
        "Name it with columns={'id': '<your column>'}: rows are matched by it, never "
        "by their order."
    )
    raise IngestError(msg)


def _from_array(array: npt.NDArray[Any], source: str) -> PredictionTable:
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or not len(array):
        msg = f"{source}: expected an array of shape (n,) or (n, c), got {array.shape}."
        raise IngestError(msg)
    columns = {str(column): array[:, column] for column in range(array.shape[1])}
    return PredictionTable(source=source, ids=None, columns=columns)


def _from_numpy(path: Any) -> PredictionTable:
    source = os.fspath(path)
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return _from_array(content, source)
        with content:
            arrays = {name: content[name] for name in content.files}
    except (OSError, ValueError, EOFError) as error:
        msg = f"{source}: not an array that can be read ({error})."
        raise IngestError(msg) from error
    ids = [name for name in arrays if name.lower() in ("id", "ids", *_ID_NAMES)]
    rest = [name for name in arrays if name not in ids]
    if len(ids) > 1 or len(rest) != 1:
        msg = (
            f"{source}: holds the arrays {listed(list(arrays))}. Expected one of "
            "predictions, and at most one of identifiers called 'id'."
        )
        raise IngestError(msg)
    table = _from_array(arrays[rest[0]], source)
    if not ids:
        return table
    known = as_ids(arrays[ids[0]], source)
    if known.shape != (table.n_rows,):
        msg = f"{source}: {len(known)} identifiers for {table.n_rows} predictions."
        raise IngestError(msg)
    return PredictionTable(source=source, ids=known, columns=table.columns)


def _read_columnar(path: Any, suffix: str) -> pd.DataFrame:
    reader = pd.read_feather if suffix == ".feather" else pd.read_parquet
    try:
        return reader(path)
    except ImportError as error:
        msg = (
            f"{path}: reading {suffix} files needs pyarrow. Install it "
            "(pip install lbsense[parquet]), or save the file as CSV."
        )
        raise IngestError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"{path}: not a {suffix} file that can be read ({error})."
        raise IngestError(msg) from error
