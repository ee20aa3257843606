"""Excel workbooks: every sheet a table."""

from __future__ import annotations

import dataclasses
import io
import warnings
import zipfile
from typing import Any

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.names import is_heading
from lbsense.ingest.tables.raw import RawTable, grid_table

_MAX_BYTES = 64 * 1024 * 1024  # unpacked
_MAX_CELLS = 2_000_000
_SEARCHED_ROWS = 50


def read_workbook(raw: bytes, source: str) -> list[RawTable]:
    """Return the sheets of a workbook that hold a table, each named by its sheet.

    Raises
    ------
    IngestError
        If openpyxl is not installed, or the workbook is damaged, too large or empty.
    """
    try:
        import openpyxl
    except ImportError as error:
        msg = (
            f"{source}: an Excel workbook, which needs openpyxl: pip install "
            "'lbsense[excel]'. Or save the sheet as CSV UTF-8."
        )
        raise IngestError(msg) from error
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > _MAX_BYTES:
        msg = (
            f"{source}: a workbook of {size // 1024**2} MB unpacked, far beyond the "
            "history of one entrant. Save the sheet of the submissions as CSV UTF-8."
        )
        raise IngestError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions, not of cells
            book = openpyxl.load_workbook(
                io.BytesIO(raw), read_only=True, data_only=True, keep_links=False
            )
            sheets = {sheet.title: _rows(sheet, source) for sheet in book.worksheets}
            book.close()
    except IngestError:
        raise
    except Exception as error:  # openpyxl lets any through that damaged XML leads to
        msg = (
            f"{source}: an Excel workbook that cannot be read "
            f"({shorten(str(error) or type(error).__name__, 80)}). Save the sheet as "
            "CSV UTF-8."
        )
        raise IngestError(msg) from error
    tables = []
    for title, rows in sheets.items():
        if rows:
            named = f"{source}, sheet {shorten(title, 40)}"
            rows = rows[_heading_at(rows) :]
            width = len(rows[0][1])  # beyond the last cell that says something
            rows = [(n, [*cells, *[None] * (width - len(cells))]) for n, cells in rows]
            table = grid_table(named, "sheet", rows)
            if table is not None:
                tables.append(dataclasses.replace(table, title=title))
    if not tables:
        msg = (
            f"{source}: an Excel workbook of {plural(len(sheets), 'sheet')}, none with "
            "a line of column names and rows below it. Formulas that were never "
            "computed have no value: open it in the office and save it again."
        )
        raise IngestError(msg)
    return tables


def _rows(sheet: Any, source: str) -> list[tuple[int, list[object]]]:
    found = []
    n_cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = list(row)
        while cells and (cells[-1] is None or not str(cells[-1]).strip()):
            cells.pop()
        n_cells += len(row) + 1
        if n_cells > _MAX_CELLS:
            msg = (
                f"{source}: a sheet of more than {_MAX_CELLS:,} cells, far beyond one "
                "history. Save the part with the submissions as CSV UTF-8."
            )
            raise IngestError(msg)
        if cells:
            found.append((number, cells))
    return found


def _heading_at(rows: list[tuple[int, list[object]]]) -> int:
    """Return the first row of known names, else the first of several words."""
    texts = [
        [cell.strip() for cell in cells if isinstance(cell, str)]
        for _, cells in rows[:_SEARCHED_ROWS]
    ]
    for at, (_, cells) in enumerate(rows[:_SEARCHED_ROWS]):
        if len(texts[at]) == sum(cell is not None for cell in cells) and is_heading(
            texts[at]
        ):
            return at
    wide = (at for at, words in enumerate(texts) if len(words) > 1)
    return next(wide, 0)
