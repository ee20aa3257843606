"""Out-of-fold and test predictions, from files and frames to `Predictions`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lbsense._format import plural, shorten
from lbsense._validation import check_kind
from lbsense.errors import IngestError, warn
from lbsense.ingest.prediction_tables import (
    AnyArray,
    FileColumns,
    Pool,
    PredictionTable,
    Wanted,
    as_ids,
    label_names,
    left_in_file,
    listed,
    own_labels,
    prediction_names,
    read_prediction_table,
    submission_columns,
)
from lbsense.ingest.tables.source import is_text_source
from lbsense.model import (
    CANDIDATE,
    Columns,
    History,
    NameIndex,
    Predictions,
    file_kind,
    plain_stem,
)

_ROLES = ("id", "prediction", "label", "group", "time", "weight")
_READ = re.compile(
    r"\.(?:(?:csv|tsv|txt)(?:\.gz|\.zip)?|zip|parquet|pq|feather|npy|npz)$", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """The predictions of one submission: its table, the columns that hold them.

    ``file`` is the file that was named for it, where it was.
    """

    name: str
    table: PredictionTable
    names: Sequence[str]
    file: str | None = None


def read_predictions(
    folder: str | os.PathLike[str] | None = None,
    *,
    labels: Any = None,
    oof: Any = None,
    test: Any = None,
    history: History | None = None,
    columns: Wanted | None = None,
    oof_ids: Any = None,
    test_ids: Any = None,
    rows: Literal["all", "common"] = "all",
    candidate: Mapping[str, Any] | None = None,
) -> Predictions:
    """Return predictions of several submissions, their rows matched by identifier.

    The usual case is a folder of ``oof_<name>.csv`` and ``submission_<name>.csv``. Rows
    are matched by identifier, never by their order.

    Parameters
    ----------
    folder : path, optional
        Folder of prediction files. A name with the word "oof" holds out-of-fold
        predictions, one with "submission", "sub" or "test_pred" those of the test set;
        what is left of it names the submission. Other files, and sample submissions,
        are passed over.
    labels : path, DataFrame or other table, optional
        Training rows with identifier and label, such as ``train.csv``. By default the
        labels are those in the out-of-fold files, if there are any.
    oof, test : mapping of str to table, list of paths, or table, optional
        Instead of a folder: a table for every submission, by name; files, named by
        their file names; or one table with a column for every submission. A table is a
        path (CSV, parquet, npy, npz), a stream, a data frame or an array.
    history : History, optional
        The submissions. Predictions whose name is that of the file sent are then named
        by ``submission_id``.
    columns : mapping of str to str or list of str, optional
        Our word to your column: "id", "prediction", "label", "group", "time" and
        "weight". Groups, times and weights are read only where named.
    oof_ids, test_ids : table or array, optional
        Identifiers, in the row order of the arrays that carry none (npy).
    rows : {"all", "common"}
        "all" wants every file to cover the same rows; "common" keeps those that all
        cover, such as the later folds of a time series, and warns how many it drops.
    candidate : mapping of {"oof", "test"} to table, optional
        The predictions of what is not submitted yet, beside those of the folder. They
        are named `lbsense.CANDIDATE`.

    Returns
    -------
    Predictions

    Raises
    ------
    IngestError
        If identifiers are missing, repeated or too many, cells are no finite numbers,
        a column cannot be told, or there are no predictions at all.
    ValueError
        If ``columns``, ``rows`` or ``candidate`` hold something unknown.

    Warns
    -----
    LbsenseWarning
        If a file name fits several submissions of the history, or rows are dropped.

    Examples
    --------
    >>> import pandas as pd
    >>> train = pd.DataFrame({"id": ["a", "b", "c"], "target": [0, 1, 1]})
    >>> first = pd.DataFrame({"id": ["c", "a", "b"], "pred": [0.9, 0.2, 0.7]})
    >>> predictions = read_predictions(labels=train, oof={"first": first})
    >>> predictions.oof[:, 0]
    array([0.2, 0.7, 0.9])
    """
    check_kind(columns, Mapping, name="columns", optional=True)
    check_kind(history, History, name="history", optional=True)
    wanted = dict(columns or {})
    unknown = [role for role in wanted if role not in _ROLES]
    if unknown:
        msg = f"columns knows {list(_ROLES)}, not {unknown}."
        raise ValueError(msg)
    if rows not in ("all", "common"):
        msg = f"rows must be 'all' or 'common', got {rows!r}."
        raise ValueError(msg)
    ahead = dict(candidate or {})
    if unknown := [kind for kind in ahead if kind not in ("oof", "test")]:
        msg = f"candidate knows 'oof' and 'test', not {unknown}."
        raise ValueError(msg)
    if folder is not None:
        oof_files, test_files = (_but(ahead, one) for one in _folder_files(folder))
        oof = oof_files if oof is None else oof
        test = test_files if test is None else test
    pool = Pool()
    tests = _parts(test, wanted, "test", test_ids, pool)
    oofs = _parts(oof, wanted, "oof", oof_ids, pool)
    if not oofs and not tests and not ahead:
        msg = "No predictions: give a folder, or oof= and test=."
        raise IngestError(msg)
    if history is not None:
        tests, oofs = _by_submission(tests, history), _by_submission(oofs, history)
    if "test" in ahead:
        tests += _parts({CANDIDATE: ahead["test"]}, wanted, "test", test_ids, pool)
    if "oof" in ahead:
        oofs += _parts({CANDIDATE: ahead["oof"]}, wanted, "oof", oof_ids, pool)
    training = _training(labels, oofs, tests, wanted, oof_ids)
    base = [] if training is None else [training.table]
    row_ids = _rows([*base, *(part.table for part in oofs)], rows)
    test_rows = _rows([part.table for part in tests], rows)
    known, classes = _labels(training, [*oofs, *tests])
    fields: dict[str, AnyArray] = {}
    if training is not None and row_ids is not None:
        place = _places(training.table, row_ids)
        coded = _coded(known, classes)[place]
        fields["labels"] = coded[:, 0] if coded.shape[1] == 1 else coded
        _check_agreement(oofs, training, row_ids)
        for role in ("group", "time", "weight"):
            if role in wanted:
                name = training.table.chosen(wanted, role)[0]
                fields[f"{role}s"] = training.table.columns[name][place]
    return Predictions(
        oof_names=tuple(part.name for part in oofs),
        oof=_matrix(oofs, row_ids, classes),
        row_ids=row_ids,
        test_names=tuple(part.name for part in tests),
        test=_matrix(tests, test_rows, classes),
        test_ids=test_rows,
        classes=classes,
        **fields,
    )


# --- which table is of which submission ----------------------------------------------


def _folder_files(folder: Any) -> tuple[list[Path], list[Path]]:
    """Return the files of out-of-fold and of test predictions in a folder."""
    if not isinstance(folder, (str, os.PathLike)):
        msg = f"folder must be a path, got {type(folder).__name__} {folder!r:.40}."
        raise TypeError(msg)
    path = Path(folder).expanduser()
    if not path.is_dir():
        what = "a file, expected a folder" if path.exists() else "no such folder"
        msg = f"{folder}: {what}. Give single files with oof= and test=."
        raise IngestError(msg)
    names = sorted(item.name for item in path.iterdir())
    kinds = {name: file_kind(name) for name in names if _READ.search(name)}
    oof = [path / name for name, kind in kinds.items() if kind == "oof"]
    test = [
        path / name
        for name, kind in kinds.items()
        if kind == "test" and "sample" not in name.lower()
    ]
    if not oof and not test:
        msg = (
            f"{folder}: no file is called oof_<name> or submission_<name>. It holds "
            f"{listed(names) or 'nothing'}. Give the files with oof= and test=."
        )
        raise IngestError(msg)
    return oof, test


def _but(candidate: Mapping[str, Any], files: list[Path]) -> list[Path]:
    """Return the files of earlier submissions: those that are not the candidate's."""
    own = [Path(item) for item in candidate.values() if isinstance(item, str | Path)]
    mine = [path.resolve() for path in own]
    return [path for path in files if path.resolve() not in mine]


def _parts(data: Any, wanted: Wanted, kind: str, ids: Any, pool: Pool) -> list[_Part]:
    """Return the tables of all submissions in what a caller gave for one kind."""
    if data is None:
        return []
    if isinstance(data, Mapping):
        parts = [
            _one(item, wanted, str(name), kind, pool, len(data))
            for name, item in data.items()
        ]
    elif isinstance(data, (list, tuple)):
        unnamed = [item for item in data if not isinstance(item, (str, os.PathLike))]
        if unnamed:
            msg = (
                f"{kind} is a list with {type(unnamed[0]).__name__} in it. Give a "
                "mapping from the names of submissions to their tables."
            )
            raise TypeError(msg)
        parts = [
            replace(
                _one(file, wanted, plain_stem(file), kind, pool, len(data)), file=file
            )
            for file in map(str, data)
        ]
    else:
        parts = _columns(data, wanted, kind)
    counts = Counter(part.name for part in parts)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        sources = [part.table.source for part in parts if part.name == twice]
        msg = f"Several {kind} files are of submission {twice!r}: {listed(sources)}."
        raise IngestError(msg)
    if any(part.table.ids is None for part in parts):
        option = f"{kind}_ids"
        known = _ids(ids, wanted, option)
        parts = [
            replace(part, table=part.table.with_ids(known, option)) for part in parts
        ]
    return parts


def _one(
    data: Any, wanted: Wanted, name: str, kind: str, pool: Pool, n_files: int
) -> _Part:
    source = f"{kind} of {shorten(name, 60)}"
    table = read_prediction_table(data, wanted, source)
    table = pool.pooled(left_in_file(table, data, wanted, n_files))
    return _Part(name=name, table=table, names=prediction_names(table, wanted))


def _columns(data: Any, wanted: Wanted, kind: str) -> list[_Part]:
    """Return one submission for every column of one table."""
    table = read_prediction_table(data, wanted, kind)
    names = submission_columns(table, wanted)
    if len(names) == 1 and isinstance(data, (str, os.PathLike)):
        file = os.fspath(data)
        return [_Part(name=plain_stem(file), table=table, names=names, file=file)]
    return [_Part(name=name, table=table, names=[name]) for name in names]


def _by_submission(parts: list[_Part], history: History) -> list[_Part]:
    """Return the parts named by the submissions that they are called by."""
    index = NameIndex(history)
    known = {item.submission_id for item in history}
    named = []
    for part in parts:
        called = part.name if part.file is None or part.name in known else part.file
        fits = [history[place].submission_id for place in index.positions(called)]
        if len(fits) > 1:
            msg = (
                f"{part.table.source}: its name fits {len(fits)} submissions of the "
                f"history ({listed(fits)}), so it is tied to none. Say which with "
                "oof={'<submission_id>': <file>}, and likewise test=."
            )
            warn(msg)
        named.append(replace(part, name=fits[0]) if len(fits) == 1 else part)
    return named


def _ids(data: Any, wanted: Wanted, source: str) -> AnyArray | None:
    """Return the identifiers that bare arrays are in the order of."""
    if data is None:
        return None
    if is_text_source(data) or isinstance(data, pd.DataFrame):
        return read_prediction_table(data, wanted, source).ids
    return as_ids(data, source)


def _training(
    labels: Any,
    oofs: list[_Part],
    tests: list[_Part],
    wanted: Wanted,
    oof_ids: Any,
) -> _Part | None:
    """Return the labels and what else is known of the training rows."""
    if labels is not None:
        table = read_prediction_table(labels, wanted, "labels")
        if table.ids is None:
            table = table.with_ids(_ids(oof_ids, wanted, "oof_ids"), "oof_ids")
        names = label_names(table, wanted, tests[0].names if tests else ())
        return _Part(name="labels", table=table, names=names)
    for part in oofs:
        names = own_labels(part.table, wanted, part.names)
        if names:
            return replace(part, names=names)
    return None


# --- rows in one order ---------------------------------------------------------------


def _rows(tables: Sequence[PredictionTable], rows: str) -> AnyArray | None:
    """Return the identifiers that all tables must have, in the order of the first."""
    if not tables:
        return None
    for table in {id(table.keys): table for table in tables}.values():
        index = pd.Index(table.keys)
        if not index.is_unique:
            twice = index[index.duplicated()].unique().tolist()
            msg = (
                f"{table.source}: {plural(len(twice), 'identifier')} more than once: "
                f"{listed(twice)}. Every row needs one of its own."
            )
            raise IngestError(msg)
    first, ids = tables[0], tables[0].keys
    if rows == "common":
        return _common(tables, ids)
    for table in tables[1:]:
        other = table.keys
        if other is ids or np.array_equal(other, ids):
            continue
        here, there = _alike(ids, other)
        missing, extra = np.setdiff1d(here, there), np.setdiff1d(there, here)
        found = []
        if len(missing):
            found.append(f"lacks {len(missing):,} ({listed(missing.tolist())})")
        if len(extra):
            found.append(f"has {len(extra):,} of its own ({listed(extra.tolist())})")
        if found:
            msg = (
                f"{table.source}: identifiers differ from those of {first.source}: it "
                f"{' and '.join(found)}. Give files of the same rows, or rows='common' "
                "to keep those that all have."
            )
            raise IngestError(msg)
    return ids


def _common(tables: Sequence[PredictionTable], ids: AnyArray) -> AnyArray:
    keep = np.ones(len(ids), dtype=bool)
    for table in {id(table.keys): table for table in tables}.values():
        keep &= np.isin(*_alike(ids, table.keys))
    n_most = max(len(table.keys) for table in tables)
    n_kept = int(keep.sum())
    if not n_kept:
        msg = f"{tables[0].source} and the others have no identifier in common."
        raise IngestError(msg)
    if n_kept < n_most:
        msg = (
            f"{plural(n_kept, 'row')} of up to {n_most:,} are in every file and kept; "
            "the noise is that of these rows."
        )
        warn(msg)
    return ids[keep]


def _places(table: PredictionTable, ids: AnyArray) -> AnyArray | slice:
    """Return where each identifier stands in the table."""
    own = table.keys
    if own is ids or np.array_equal(own, ids):
        return slice(None)
    own, wanted = _alike(own, ids)
    return np.asarray(pd.Index(own).get_indexer(pd.Index(wanted)))


def _alike(one: AnyArray, other: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return identifiers of two tables as one kind, to compare them."""
    if one.dtype.kind == other.dtype.kind:
        return one, other
    return one.astype(str), other.astype(str)


def _labels(
    training: _Part | None, parts: Sequence[_Part]
) -> tuple[AnyArray, tuple[str, ...]]:
    """Return the labels as written, and the classes that are text, in their order."""
    labels = np.empty(0)
    if training is not None:
        labels = training.table.values(training.names)
    text = [labels] if labels.dtype.kind != "f" else []
    for part in parts:
        if part.table.is_text(part.names):
            values = part.table.values(part.names)
            text += [values] if values.dtype.kind != "f" else []
    if text and training is not None and labels.dtype.kind == "f":
        found = listed(np.unique(text[0]).tolist())
        msg = f"Labels are numbers, but predictions are text: {found}."
        raise IngestError(msg)
    return labels, tuple(sorted({str(item) for values in text for item in values.flat}))


def _coded(values: AnyArray, classes: tuple[str, ...]) -> AnyArray:
    if values.dtype.kind == "f":
        return values
    codes = pd.Index(classes).get_indexer(pd.Index(values.ravel()))
    return np.asarray(codes.reshape(values.shape), dtype=np.float64)


def _matrix(
    parts: Sequence[_Part], ids: AnyArray | None, classes: tuple[str, ...]
) -> Any:
    """Return predictions of shape (n, k) or (n, k, n_outputs).

    Columns are in one order, that of the classes where they are named after them.
    """
    if not parts or ids is None:
        return None
    names = parts[0].names
    for part in parts[1:]:
        n_outputs = len(part.names)
        same = n_outputs == 1 or set(part.names) == set(names)
        if n_outputs != len(names) or not same:
            msg = (
                f"{part.table.source}: predictions are in {listed(part.names)}, but "
                f"{parts[0].table.source} has them in {listed(names)}."
            )
            raise IngestError(msg)
    if len(names) == 1 and any(
        isinstance(part.table.columns, FileColumns) for part in parts
    ):
        readers = [partial(_column, part, ids, classes) for part in parts]
        return Columns(len(ids), tuple(readers))
    ordered = classes if set(names) == set(classes) else names
    matrix = np.empty((len(ids), len(parts), len(names)))
    for column, part in enumerate(parts):
        values = part.table.values(ordered if len(names) > 1 else part.names)
        matrix[:, column] = _coded(values, classes)[_places(part.table, ids)]
    result = matrix[:, :, 0] if len(names) == 1 else matrix
    result.flags.writeable = False
    return result


def _column(part: _Part, ids: AnyArray, classes: tuple[str, ...]) -> AnyArray:
    """Return the predictions of one submission, in the order of the identifiers."""
    coded = _coded(part.table.values(part.names), classes)
    return np.asarray(coded[_places(part.table, ids), 0])


def _check_agreement(oofs: Sequence[_Part], training: _Part, ids: AnyArray) -> None:
    """Check that files which bring labels of their own bring the same ones."""
    table, names = training.table, training.names
    expected = table.values(names)[_places(table, ids)]
    for part in oofs:
        beside = all(
            name in part.table.columns and name not in part.names for name in names
        )
        if part.table is table or not beside:
            continue
        found = part.table.values(names)[_places(part.table, ids)]
        wrong = ids[~np.asarray(found == expected).all(axis=1)].tolist()
        if wrong:
            msg = (
                f"{part.table.source}: labels of {plural(len(wrong), 'row')} differ "
                f"from those of {table.source}: {listed(wrong)}."
            )
            raise IngestError(msg)
