"""Whatever the user holds, as raw tables: the layer below every reader."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Iterator, Sequence, Set
from typing import Any

from lbsense._format import plural, shorten
from lbsense._validation import is_frame
from lbsense.errors import IngestError
from lbsense.ingest.tables.delimited import find_heading, is_known_noise, read_delimited
from lbsense.ingest.tables.drawn import (
    read_labels,
    read_piped,
    read_printed,
    read_ruled,
)
from lbsense.ingest.tables.markup import (
    is_page,
    page_message,
    preformatted,
    read_html,
    read_latex,
    read_restructured,
)
from lbsense.ingest.tables.names import known_fields
from lbsense.ingest.tables.raw import MAX_ROWS, RawTable, with_short_cells
from lbsense.ingest.tables.records import (
    json_problem,
    read_frame,
    read_json,
    read_objects,
    read_workbook,
)
from lbsense.ingest.tables.runs import aide_table, read_aide, read_folder
from lbsense.ingest.tables.script import Notebook, read_notebook, read_script
from lbsense.ingest.tables.source import Document, is_text_source, read_documents

_REFUSAL = re.compile(
    r"\b(?:40[0134]|50[0-3])\b.*|.*\b(?:forbidden|unauthorized)\b", re.I
)


def read_tables(data: Any) -> tuple[RawTable, ...]:
    """Return the tables in anything that can hold submissions or a log.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame, list of dicts or objects
        What `lbsense.ingest.read_submissions` takes.

    Returns
    -------
    tuple of RawTable
        At least one, and all that there are: every table of a page or a notebook,
        every sheet of a workbook.

    Raises
    ------
    IngestError
        If there is no table in it.
    """
    if data is None or isinstance(data, (bool, int, float, complex)):
        msg = (
            "data must be a path, text, a file, a DataFrame, records or objects, got "
            f"{type(data).__name__} {data!r}."
        )
        raise TypeError(msg)
    try:
        return tuple(
            dataclasses.replace(table, page=page)
            for page, tables in enumerate(_pages(data))
            for table in tables
        )
    except MemoryError as error:
        msg = (
            "The input is too large for the memory of this machine. A history is a "
            "list of submissions: cut out the rows of one team in one competition."
        )
        raise IngestError(msg) from error


def _pages(data: Any) -> Iterator[list[RawTable]]:
    """Yield the tables of every document, frame or list of objects."""
    if is_frame(data):
        yield [read_frame(data)]
        return
    if isinstance(data, (str, os.PathLike)):
        left_behind = list(read_folder(os.fspath(data), _text_tables))
        if left_behind:
            yield from ([table] for table in left_behind)
            return
    if is_text_source(data):
        for document in read_documents(data):
            yield list(map(with_short_cells, _text_tables(document)))
    elif isinstance(data, (Sequence, Set, Iterator)):
        items = list(itertools.islice(data, MAX_ROWS + 1))
        if items and all(_is_page(item) for item in items):
            for item in items:
                yield from _pages(item)
        else:
            yield [read_objects(items)]
    else:
        tree = aide_table(data, "<objects>")
        yield [read_objects(data) if tree is None else tree]


def _is_page(item: Any) -> bool:
    return is_frame(item) or isinstance(item, list) or is_text_source(item)


def _text_tables(document: Document) -> list[RawTable]:
    if document.workbook is not None:
        return read_workbook(document.workbook, document.source)
    notebook = read_notebook(document)
    tree = None if notebook is not None else read_aide(document)
    if tree is not None:
        tables = [tree]
    elif notebook is not None:
        tables = _notebook_tables(notebook, document.source)
    elif is_page(document):
        tables = _page_tables(document)
    else:
        tables = _plain_tables(document) or read_delimited(document, strict=False)
    if not tables:
        raise IngestError(_no_table_message(document))
    if all(not table.rows for table in tables):
        raise IngestError(_no_rows_message(document, tables))
    tables[0].issues[:0] = document.issues
    return tables


def _plain_tables(document: Document) -> list[RawTable]:
    """Return the tables of a text that are marked as such, or have known names."""
    problem = json_problem(document)
    is_json = problem is None or "Extra data" in problem
    return (
        (is_json and document.text.lstrip()[:1] in ("[", "{") and read_json(document))
        or read_script(document)
        or read_json(document)
        or _drawn_tables(document)
        or read_delimited(document, strict=True)
        or read_labels(document)
        or _fenced_tables(document)
        or read_printed(document)
    )


def _fenced_tables(document: Document) -> list[RawTable]:
    """Return the tables in the blocks of code or data that stand in a text."""
    tables = []
    lines = document.text.split("\n")
    fences = [i for i, line in enumerate(lines) if line.lstrip().startswith("```")]
    for start, end in zip(fences[::2], fences[1::2], strict=False):
        block = Document(
            source=f"{document.source}, block at line {start + 1}",
            text="\n".join(lines[start + 1 : end]),
        )
        tables += _known(read_json(block) or read_script(block))
    return tables


def _page_tables(page: Document) -> list[RawTable]:
    """Return the tables of a page, and those that were printed into it."""
    tables = read_html(page)
    for printed in preformatted(page):
        tables += _known(_plain_tables(printed))
    if not tables:
        raise IngestError(page_message(page))
    return tables


def _notebook_tables(notebook: Notebook, source: str) -> list[RawTable]:
    """Return the tables that a notebook shows, else those that its code writes down."""
    for parts in (notebook.shown, notebook.code):
        tables = [
            table
            for part in parts
            if part.text.strip()
            for table in _known(_plain_tables(part))
        ]
        if tables:
            return tables
    msg = (
        f"{source}: a Jupyter notebook of {plural(notebook.n_cells, 'cell')}, without "
        "a table of submissions in what it shows. Run the cell that lists them and "
        "save the notebook, or write the table from it: "
        "frame.to_csv('history.csv', index=False)."
    )
    raise IngestError(msg)


def _known(tables: list[RawTable]) -> list[RawTable]:
    """Return the tables of which more than one column has a known name."""
    return [table for table in tables if len(known_fields(table.columns)) > 1]


def _drawn_tables(document: Document) -> list[RawTable]:
    """Return the tables that are drawn or marked up, unless a CSV holds them."""
    drawn = read_ruled(document) or [*read_piped(document), *read_html(document)]
    if drawn:
        heading = find_heading(document.text.split("\n"))
        first = min((row.line for table in drawn for row in table.rows), default=0)
        if heading and heading.delimiter != "|" and heading.position + 2 < first:
            return []
    seen = {row.line for table in drawn for row in table.rows}
    marked = [*read_latex(document), *read_restructured(document)]
    return [*drawn, *(table for table in marked if table.rows[0].line not in seen)]


def _no_rows_message(document: Document, tables: list[RawTable]) -> str:
    names = ", ".join(shorten(name, 40) for name in tables[0].columns[:12])
    skipped = "".join(f"\n  {issue}" for issue in tables[0].issues[:5])
    return f"{document.source}: a heading ({names}) and no row below it.{skipped}"


def _no_table_message(document: Document) -> str:
    source, lines = document.source, document.text.strip().split("\n")
    if any("no submissions found" in line.lower() for line in lines[:20]):
        return (
            f"{source}: the client said 'No submissions found'. Check the name of the "
            "competition and the account that asked."
        )
    refusal = next((line for line in lines[:20] if _REFUSAL.match(line)), None)
    if refusal is not None:
        return (
            f"{source}: the answer of a refused request, {shorten(refusal, 120)!r}. "
            "Sign in and accept the rules of the competition, then export again."
        )
    problem = json_problem(document)
    if problem is not None:
        return f"{source}: JSON that cannot be read ({problem}). Was it cut off?"
    first = next((line for line in lines if not is_known_noise(line)), lines[0])
    return (
        f"{source}:1: no table. It begins {shorten(first, 80)!r}; expected a line of "
        "column names such as 'fileName,date,description,status,publicScore' and rows "
        "below it. See `lbsense formats` for what can be read."
    )
