"""One file, frame or array of predictions: identifiers, columns and their roles."""

from __future__ import annotations

import csv
import functools
import io
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.markup import is_page
from lbsense.ingest.tables.raw import uses_decimal_comma
from lbsense.ingest.tables.source import is_text_source, read_documents

AnyArray = npt.NDArray[Any]
#: Our word for a column to theirs; "prediction" and "label" may name several.
Wanted = Mapping[str, str | Sequence[str]]

_ID_NAMES = ("id", "rowid", "index", "uid", "uuid", "key")
_UNNAMED = re.compile(r"(?:unnamed: ?\d+|)$", re.IGNORECASE)
_WHOLE = re.compile(r"(-?\d++)\.0++")
_BINARY = (".parquet", ".pq", ".feather", ".npy", ".npz")
_MOST_CELLS = 2**26  # predictions of all submissions that are held in memory: 512 MB
_LARGEST = 1e150  # beyond it squares overflow, and no prediction goes there
_LARGEST_ID = 2**53  # beyond it a float does not tell whole numbers apart
# Identifiers that a number would not give back; quick where they come first.
_ZERO_LED_FIRST = re.compile(r"\n[ \"]?[+-]?0\d")
_MOST_DIGITS = 308  # of the largest double
_ZERO_LED = re.compile(r"[,;\t\n][ \"]?[+-]?0\d")
_MISSING = ["", "na", "nan", "n/a", "null", "none", "<na>"]
_PREDICTIONS = re.compile(r"(?:y|oof)?(?:preds?|predictions?|predicted|hat)|oof|proba?")
_LABELS = ("target", "label", "labels", "y", "ytrue", "true", "truth", "class", "gt")
_SERVICE = ("fold", "folds", "kfold", "foldid", "split", "seed")


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
    ids: AnyArray | None
    columns: Mapping[str, AnyArray]

    @property
    def keys(self) -> AnyArray:
        """The identifiers, which must be known."""
        if self.ids is None:
            msg = f"{self.source}: rows without identifiers."
            raise IngestError(msg)
        return self.ids

    def with_ids(self, ids: AnyArray | None, option: str) -> PredictionTable:
        """Return the table with the identifiers that were given for bare arrays."""
        if self.ids is not None:
            return self
        n_rows = len(next(iter(self.columns.values()), ()))
        if ids is None:
            msg = (
                f"{self.source}: an array without identifiers. Give those of its rows, "
                f"in its order, with {option}= (a file with an id column, or an array)."
            )
            raise IngestError(msg)
        if len(ids) != n_rows:
            msg = f"{self.source}: {n_rows} rows, but {option} has {len(ids)}."
            raise IngestError(msg)
        return replace(self, ids=ids)

    def rows(self, places: AnyArray) -> str:
        """Return for a message which rows are meant: identifiers, else numbers."""
        return listed((places + 1 if self.ids is None else self.ids[places]).tolist())

    def is_text(self, names: Iterable[str]) -> bool:
        """Return whether none of the columns holds numbers."""
        return all(self.columns[name].dtype.kind not in "biuf" for name in names)

    def values(self, names: Sequence[str]) -> AnyArray:
        """Return columns of shape (n, c): numbers, or text where all cells are text.

        Missing and infinite cells are an error that names their rows.
        """
        columns = [self.columns[name] for name in names]
        values = np.column_stack([_as_numbers(column) for column in columns])
        if np.isnan(values).all() and self.is_text(names):
            missing = np.any([pd.isna(column) for column in columns], axis=0)
            if missing.any():
                rows = self.rows(np.flatnonzero(missing))
                raise IngestError(f"{self.source}: no label in {rows}.")
            return np.column_stack([column.astype(str) for column in columns])
        finite = np.abs(values) < _LARGEST  # nan too
        bad = np.flatnonzero(~finite.all(axis=1))
        if len(bad):
            cell = columns[int(np.argmin(finite[bad[0]]))][bad[0]]
            msg = (
                f"{self.source}: {' and '.join(names[:3])} must be finite numbers, but "
                f"{plural(len(bad), 'row')} hold something else: {self.rows(bad)}. "
                f"The first holds {shorten(str(cell), 40)!r}."
            )
            raise IngestError(msg)
        return values

    def chosen(self, wanted: Wanted, role: str) -> list[str]:
        """Return the columns that the caller named for a role."""
        value = wanted[role]
        names = [value] if isinstance(value, str) else list(value)
        missing = [name for name in names if name not in self.columns]
        if missing or not names:
            msg = (
                f"{self.source}: no column {listed(missing)} for the {role}. It has "
                f"{listed(list(self.columns))}."
            )
            raise IngestError(msg)
        return names


def listed(items: Sequence[Any]) -> str:
    """Return the first five items for a message, and how many more there are."""
    shown = ", ".join(repr(shorten(str(item), 40)) for item in items[:5])
    return shown + (f" and {len(items) - 5:,} more" if len(items) > 5 else "")


def as_ids(values: Any, source: str) -> AnyArray:
    """Return identifiers, whole numbers as such: 7, 7.0 and "7" are one, not "007"."""
    array = np.asarray(values)
    if array.dtype.kind in "iu" and not (array > _LARGEST_ID).any():
        return array.astype(np.int64)
    if array.dtype.kind == "f" and (np.abs(array) <= _LARGEST_ID).all():
        whole = array.astype(np.int64)
        if (whole == array).all():
            return whole
    text = [str(item).strip() for item in array.tolist()]
    text = [found[1] if (found := _WHOLE.fullmatch(item)) else item for item in text]
    blank = [row for row, item in enumerate(text) if item in ("", "nan", "None")]
    if blank:
        msg = (
            f"{source}: {plural(len(blank), 'row')} without identifier, the first at "
            f"row {blank[0] + 1} below the heading. Every row needs one."
        )
        raise IngestError(msg)
    result = np.array(text, dtype=np.str_)
    if all(item.isdecimal() and item.isascii() and len(item) < 18 for item in text):
        whole = result.astype(np.int64)
        if whole.astype(str).tolist() == text:
            return whole
    return result


class FileColumns(Mapping[str, AnyArray]):
    """Columns that stay in their file, which is read anew for each."""

    def __init__(self, table: PredictionTable, read: Callable[[], PredictionTable]):
        self._names, self._read = tuple(table.columns), read

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self._names:
            raise KeyError(name)
        return self._read().columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def left_in_file(
    table: PredictionTable, data: Any, wanted: Wanted, n_files: int
) -> PredictionTable:
    """Return the table without its columns in memory, where all files hold too much."""
    n_cells = n_files * len(next(iter(table.columns.values()), ()))
    if n_cells <= _MOST_CELLS or not isinstance(data, (str, os.PathLike)):
        return table
    if Path(data).suffix.lower() not in _BINARY:
        return table

    read = functools.partial(read_prediction_table, data, wanted, table.source)
    return replace(table, columns=FileColumns(table, read))


class Pool:
    """Arrays that are the same in many files, such as their identifiers, held once."""

    def __init__(self) -> None:
        self._held: dict[Any, list[AnyArray]] = {}

    def pooled(self, table: PredictionTable) -> PredictionTable:
        """Return the table with the arrays that earlier tables had too."""
        columns = table.columns
        if not isinstance(columns, FileColumns):
            columns = {name: self._one(array) for name, array in columns.items()}
        ids = None if table.ids is None else self._one(table.ids)
        return replace(table, ids=ids, columns=columns)

    def _one(self, array: AnyArray) -> AnyArray:
        key = array.shape, array.dtype.str, str(array[:1]), str(array[-1:])
        held = self._held.setdefault(key, [])
        for other in held:
            if other is array or np.array_equal(other, array):
                return other
        held.append(array)
        return array


def read_prediction_table(data: Any, wanted: Wanted, source: str) -> PredictionTable:
    """Return the table behind a path, a stream, a data frame or an array.

    ``source`` is the name of what has no file name.
    """
    if isinstance(data, pd.Series):
        data = data.to_frame("prediction" if data.name is None else str(data.name))
    elif is_text_source(data):
        is_path = isinstance(data, (str, os.PathLike))
        suffix = Path(data).suffix.lower() if is_path else ""
        if suffix in _BINARY:
            source, data = os.fspath(data), _load(data, suffix)
        else:
            document = read_documents(data)[0]
            if document.workbook is not None or is_page(document):
                kind = "an Excel workbook" if document.workbook else "a web page"
                msg = f"{document.source}: {kind}, expected a CSV of predictions."
                raise IngestError(msg)
            return _from_text(document.source, document.text, wanted)
    if isinstance(data, np.ndarray):
        data = {"": data}
    if isinstance(data, dict):
        return _from_arrays(data, source)
    if isinstance(data, pd.DataFrame):
        if data.index.name is not None and data.index.name not in data.columns:
            data = data.reset_index()
        data = data.rename(columns=str)
        return _from_frame(data, _id_name(list(data.columns), wanted, source), source)
    msg = (
        f"{source}: expected a path, a stream, a data frame or an array, got "
        f"{type(data).__name__}."
    )
    raise TypeError(msg)


def _from_text(source: str, text: str, wanted: Wanted) -> PredictionTable:
    heading, _, body = text.partition("\n")
    delimiter = max(",\t;", key=heading.count)
    sample: list[object] = [*body[:10_000].replace("\n", delimiter).split(delimiter)]
    comma = uses_decimal_comma(sample, delimiter)
    try:
        names = next(csv.reader([heading], delimiter=delimiter))
        id_name = _id_name(names, wanted, source)
        read: Any = functools.partial(
            pd.read_csv,
            sep=delimiter,
            decimal="," if comma else ".",
            na_values={name: _MISSING for name in names if name != id_name},
            keep_default_na=False,  # an identifier may be the text NA
            low_memory=False,
        )
        frame = read(io.StringIO(text))
        if id_name not in frame.columns:
            frame = frame.reset_index()  # rows with more cells than the heading
        zero_led = _ZERO_LED_FIRST if id_name == names[0] else _ZERO_LED
        if frame[id_name].dtype.kind in "bf" or zero_led.search(text):
            frame = read(io.StringIO(text), dtype={id_name: str})  # as it is written
    except IngestError:
        raise
    except Exception as error:  # whatever the parsers say of damaged lines
        msg = f"{source}: not a table of predictions ({error})."
        raise IngestError(msg) from error
    return _from_frame(frame, id_name, source)


def _from_frame(frame: pd.DataFrame, id_name: str, source: str) -> PredictionTable:
    if frame.empty:
        msg = f"{source}: a heading and no row below it."
        raise IngestError(msg)
    names = [name for name in frame.columns if not _UNNAMED.match(name)]
    ids = as_ids(frame[id_name].to_numpy(), source)
    columns = {  # copies, so that no column holds the whole frame
        name: frame[name].to_numpy(copy=True) for name in names if name != id_name
    }
    for name, column in columns.items():
        _check_no_endless(name, column, source)
    return PredictionTable(source=source, ids=ids, columns=columns)


def _check_no_endless(name: str, column: AnyArray, source: str) -> None:
    """Refuse whole numbers that no double holds: as text they would be classes."""
    if column.dtype.kind != "O":
        return
    for row, cell in enumerate(column.tolist(), 1):
        if isinstance(cell, int):
            n_digits = int(cell.bit_length() * math.log10(2))
        else:
            text = cell.strip().lstrip("+-") if isinstance(cell, str) else ""
            n_digits = len(text) if text.isdecimal() else 0
        if n_digits > _MOST_DIGITS:
            msg = (
                f"{source}: row {row} of {name!r} is a whole number of {n_digits} "
                f"digits, expected predictions of at most {_MOST_DIGITS}. The file is "
                "damaged: write it again."
            )
            raise IngestError(msg)


def _from_arrays(arrays: dict[str, AnyArray], source: str) -> PredictionTable:
    ids = [name for name in arrays if name.lower() in ("ids", *_ID_NAMES)]
    rest = [name for name in arrays if name not in ids]
    if len(ids) > 1 or len(rest) != 1:
        msg = (
            f"{source}: holds the arrays {listed(list(arrays))}. Expected one of "
            "predictions, and at most one of identifiers called 'id'."
        )
        raise IngestError(msg)
    array = arrays[rest[0]]
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or not len(array):
        msg = f"{source}: expected an array of shape (n,) or (n, c), got {array.shape}."
        raise IngestError(msg)
    columns = {str(column): array[:, column] for column in range(array.shape[1])}
    known = as_ids(arrays[ids[0]], source) if ids else None
    if known is not None and known.shape != array.shape[:1]:
        msg = f"{source}: {len(known)} identifiers for {len(array)} predictions."
        raise IngestError(msg)
    return PredictionTable(source=source, ids=known, columns=columns)


def _load(path: Any, suffix: str) -> pd.DataFrame | dict[str, AnyArray]:
    """Return what a binary file holds."""
    is_array = suffix in (".npy", ".npz")
    if not Path(path).is_file():
        what = "a folder" if Path(path).is_dir() else "no such file"
        raise IngestError(f"{path}: {what}, expected predictions.")
    try:
        if is_array:  # mapped, so that its stated shape must be that of the file
            mode: Any = "r" if suffix == ".npy" else None
            content = np.load(path, allow_pickle=False, mmap_mode=mode)
            if isinstance(content, np.ndarray):
                return {"": content}
            with content:
                arrays = {name: content[name] for name in content.files}
            others = [name for name in arrays if not hasattr(arrays[name], "ndim")]
            if others or not arrays:
                msg = (
                    f"{path}: holds {listed(others) or 'nothing'}, expected "
                    "arrays, as numpy.savez writes them."
                )
                raise IngestError(msg)
            return arrays
        return pd.read_feather(path) if suffix == ".feather" else pd.read_parquet(path)
    except ImportError as error:
        msg = (
            f"{path}: reading {suffix} files needs pyarrow. Install it "
            "(pip install lbsense[parquet]), or save the file as CSV."
        )
        raise IngestError(msg) from error
    except IngestError:
        raise
    except Exception as error:  # whatever the decoders say of damaged bytes
        what = "an array" if is_array else f"a {suffix} file"
        reason = shorten(str(error) or type(error).__name__, 200)
        msg = f"{path}: not {what} that can be read ({reason})."
        raise IngestError(msg) from error


def _as_numbers(column: AnyArray) -> npt.NDArray[np.float64]:
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    try:
        values = pd.to_numeric(pd.Series(column, dtype=object), errors="coerce")
        return values.to_numpy(dtype=np.float64)
    except (OverflowError, TypeError, ValueError):  # whole numbers of 400 digits
        return np.array([_number(cell) for cell in column.tolist()], dtype=np.float64)


def _number(cell: object) -> float:
    try:
        return float(cell)  # type: ignore[arg-type]
    except (OverflowError, TypeError, ValueError):
        return math.nan


# --- which column is what ------------------------------------------------------------


def _id_name(names: Sequence[str], wanted: Wanted, source: str) -> str:
    """Return the column of identifiers; of several none is guessed."""
    chosen = wanted.get("id")
    if chosen is not None:
        if chosen not in names:
            msg = f"{source}: no column {chosen!r}. It has {listed(names)}."
            raise IngestError(msg)
        return str(chosen)
    exact = [name for name in names if _key(name) in _ID_NAMES]
    ending = [name for name in names if _key(name).endswith("id")]
    for found in (exact, ending):
        if len(found) == 1 or found[:1] == list(names[:1]):
            return found[0]
    msg = (
        f"{source}: no column of identifiers is plain to see among {listed(names)}. "
        "Name it with columns={'id': '<your column>'}: rows are matched by it, never "
        "by their order."
    )
    raise IngestError(msg)


def prediction_names(table: PredictionTable, wanted: Wanted) -> list[str]:
    """Return the columns of one submission's predictions."""
    if table.ids is None:
        return list(table.columns)
    if "prediction" in wanted:
        return table.chosen(wanted, "prediction")
    left = [name for name in _free(table, wanted) if _key(name) not in _SERVICE]
    plain = [name for name in left if _PREDICTIONS.fullmatch(_key(name))]
    rest = [name for name in left if _key(name) not in _LABELS]
    for found in (left, plain, rest):
        if len(found) == 1:
            return found
    if len(rest) > 1 and _are_shares(table, rest):
        return rest
    msg = (
        f"{table.source}: predictions could be any of "
        f"{listed(left or list(table.columns))}. Name the column with "
        "columns={'prediction': '<your column>'}, or several in a list where a "
        "submission has one for each class or target."
    )
    raise IngestError(msg)


def submission_columns(table: PredictionTable, wanted: Wanted) -> list[str]:
    """Return the columns of a table that has one for every submission."""
    if "prediction" in wanted:
        return table.chosen(wanted, "prediction")
    left = [name for name in _free(table, wanted) if _key(name) not in _SERVICE]
    if len(left) > 1:
        left = [name for name in left if _key(name) not in _LABELS]
    if not left:
        msg = f"{table.source}: no column of predictions beside the identifiers."
        raise IngestError(msg)
    return left


def label_names(
    table: PredictionTable, wanted: Wanted, predicted: Sequence[str]
) -> list[str]:
    """Return the columns of labels; test files name theirs after the target."""
    if "label" in wanted:
        return table.chosen(wanted, "label")
    if predicted and all(name in table.columns for name in predicted):
        return list(predicted)
    names = _free(table, wanted)
    for found in ([name for name in names if _key(name) in _LABELS], names):
        if len(found) == 1:
            return found
    msg = (
        f"{table.source}: the labels could be any of {listed(names)}. Name the column "
        "with columns={'label': '<your column>'}."
    )
    raise IngestError(msg)


def own_labels(
    table: PredictionTable, wanted: Wanted, predicted: Sequence[str]
) -> list[str]:
    """Return the columns of labels that stand beside the predictions, if any do."""
    if "label" in wanted:
        return table.chosen(wanted, "label")
    plain = [name for name in table.columns if _key(name) in _LABELS]
    left = [name for name in plain if name not in predicted]
    return left if len(left) == 1 else []


def _free(table: PredictionTable, wanted: Wanted) -> list[str]:
    """Return the columns that the caller gave no other role."""
    named = [wanted.get(role) for role in ("label", "group", "time", "weight")]
    return [name for name in table.columns if name not in named]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _are_shares(table: PredictionTable, names: Sequence[str]) -> bool:
    """Say whether the columns are probabilities of classes, which sum to 1."""
    columns = [table.columns[name] for name in names]
    if any(column.dtype.kind not in "biuf" for column in columns):
        return False
    return bool(np.allclose(np.sum(columns, axis=0), 1.0, atol=1e-3))
