"""Out-of-fold and test predictions, from files and frames to `Predictions`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Literal

import numpy.typing as npt
import pandas as pd

from lbsense.errors import IngestError
from lbsense.ingest.predictions.columns import label_names, own_labels
from lbsense.ingest.predictions.files import (
    SubmissionTable,
    by_submission,
    folder_files,
    submission_tables,
)
from lbsense.ingest.predictions.rows import Training, assemble
from lbsense.ingest.predictions.tables import (
    Wanted,
    as_ids,
    read_prediction_table,
    with_ids,
)
from lbsense.ingest.tables.source import is_text_source
from lbsense.model import History, Predictions

__all__ = ["read_predictions"]

_ROLES = ("id", "prediction", "label", "group", "time", "weight")


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

    Returns
    -------
    Predictions

    Raises
    ------
    IngestError
        If identifiers are missing, repeated or too many, cells are no finite numbers,
        a column cannot be told, or there are no predictions at all.
    ValueError
        If ``columns`` or ``rows`` hold something unknown.

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
    wanted = _check_columns(columns)
    if rows not in ("all", "common"):
        msg = f"rows must be 'all' or 'common', got {rows!r}."
        raise ValueError(msg)
    if folder is not None:
        oof_files, test_files = folder_files(folder)
        oof = oof_files if oof is None else oof
        test = test_files if test is None else test
    tests = _read(test, wanted, "test", test_ids, history)
    oofs = _read(oof, wanted, "oof", oof_ids, history)
    if not oofs and not tests:
        msg = "No predictions: give a folder, or oof= and test=."
        raise IngestError(msg)
    training = _training(labels, oofs, tests, wanted, oof_ids)
    return assemble(oofs, tests, training, keep_common=rows == "common")


def _check_columns(columns: Wanted | None) -> Wanted:
    wanted = dict(columns or {})
    unknown = [role for role in wanted if role not in _ROLES]
    if unknown:
        msg = f"columns knows {list(_ROLES)}, not {unknown}."
        raise ValueError(msg)
    return wanted


def _read(
    data: Any, wanted: Wanted, kind: str, ids: Any, history: History | None
) -> list[SubmissionTable]:
    parts = submission_tables(data, wanted, kind)
    if any(part.table.ids is None for part in parts):
        known = _ids(ids, wanted, f"{kind}_ids")
        parts = [
            replace(part, table=with_ids(part.table, known, f"{kind}_ids"))
            for part in parts
        ]
    return parts if history is None else by_submission(parts, history)


def _ids(data: Any, wanted: Wanted, source: str) -> npt.NDArray[Any] | None:
    """Return the identifiers that bare arrays are in the order of."""
    if data is None:
        return None
    if is_text_source(data) or isinstance(data, pd.DataFrame):
        return read_prediction_table(data, wanted, source).ids
    return as_ids(data, source)


def _training(
    labels: Any,
    oofs: list[SubmissionTable],
    tests: list[SubmissionTable],
    wanted: Wanted,
    oof_ids: Any,
) -> Training | None:
    """Return the labels and what else is known of the training rows."""
    if labels is not None:
        table = read_prediction_table(labels, wanted, "labels")
        if table.ids is None:
            table = with_ids(table, _ids(oof_ids, wanted, "oof_ids"), "oof_ids")
        predicted = tests[0].names if tests else ()
        return Training(table, tuple(label_names(table, wanted, predicted)), wanted)
    for part in oofs:
        names = own_labels(part.table, wanted, part.names)
        if names:
            return Training(part.table, names, wanted)
    return None
