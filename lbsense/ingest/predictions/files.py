"""Which table belongs to which submission: by name, by file name, by history."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lbsense._format import shorten
from lbsense.errors import IngestError, LbsenseWarning
from lbsense.ingest.predictions.columns import prediction_names, submission_columns
from lbsense.ingest.predictions.tables import (
    PredictionTable,
    Wanted,
    listed,
    read_prediction_table,
)
from lbsense.model import History, NameIndex, file_kind, plain_stem

__all__ = ["SubmissionTable", "by_submission", "folder_files", "submission_tables"]

_READ = re.compile(
    r"\.(?:(?:csv|tsv|txt)(?:\.gz|\.zip)?|zip|parquet|pq|feather|npy|npz)$", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubmissionTable:
    """The predictions of one submission.

    Attributes
    ----------
    name : str
        What the submission is called.
    table : PredictionTable
        Where its predictions stand.
    names : tuple of str
        The columns that hold them.
    file : str or None
        The file that was named for it, where it was.
    """

    name: str
    table: PredictionTable
    names: tuple[str, ...]
    file: str | None = None


def folder_files(folder: Any) -> tuple[list[Path], list[Path]]:
    """Return the files of out-of-fold and of test predictions in a folder."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        what = "a file, expected a folder" if path.exists() else "no such folder"
        msg = f"{folder}: {what}. Give single files with oof= and test=."
        raise IngestError(msg)
    files = sorted(item for item in path.iterdir() if _READ.search(item.name))
    oof = [item for item in files if file_kind(item.name) == "oof"]
    test = [
        item
        for item in files
        if file_kind(item.name) == "test" and "sample" not in item.name.lower()
    ]
    if not oof and not test:
        names = sorted(item.name for item in path.iterdir())
        msg = (
            f"{folder}: no file is called oof_<name> or submission_<name>. It holds "
            f"{listed(names) or 'nothing'}. Give the files with oof= and test=."
        )
        raise IngestError(msg)
    return oof, test


def submission_tables(data: Any, wanted: Wanted, kind: str) -> list[SubmissionTable]:
    """Return the tables of all submissions in what a caller gave for one kind."""
    if data is None:
        return []
    if isinstance(data, Mapping):
        parts = [_one(item, wanted, str(name), kind) for name, item in data.items()]
    elif isinstance(data, (list, tuple)):
        unnamed = [item for item in data if not isinstance(item, (str, os.PathLike))]
        if unnamed:
            msg = (
                f"{kind} is a list with {type(unnamed[0]).__name__} in it. Give a "
                "mapping from the names of submissions to their tables."
            )
            raise TypeError(msg)
        parts = [
            replace(_one(item, wanted, plain_stem(file), kind), file=file)
            for item in data
            for file in [str(item)]
        ]
    else:
        parts = _columns(data, wanted, kind)
    counts = Counter(part.name for part in parts)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        sources = [part.table.source for part in parts if part.name == twice]
        msg = f"Several {kind} files are of submission {twice!r}: {listed(sources)}."
        raise IngestError(msg)
    return parts


def by_submission(
    parts: list[SubmissionTable], history: History
) -> list[SubmissionTable]:
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
            warnings.warn(msg, LbsenseWarning, stacklevel=4)
        named.append(replace(part, name=fits[0]) if len(fits) == 1 else part)
    return named


def _one(data: Any, wanted: Wanted, name: str, kind: str) -> SubmissionTable:
    table = read_prediction_table(data, wanted, f"{kind} of {shorten(name, 60)}")
    names = tuple(prediction_names(table, wanted))
    return SubmissionTable(name=name, table=table, names=names)


def _columns(data: Any, wanted: Wanted, kind: str) -> list[SubmissionTable]:
    """Return one submission for every column of one table."""
    table = read_prediction_table(data, wanted, kind)
    names = submission_columns(table, wanted)
    if len(names) == 1 and isinstance(data, (str, os.PathLike)):
        file = os.fspath(data)
        name = plain_stem(file)
        return [SubmissionTable(name=name, table=table, names=tuple(names), file=file)]
    return [SubmissionTable(name=name, table=table, names=(name,)) for name in names]
