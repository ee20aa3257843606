"""Python objects, JSON and workbooks to raw tables."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import field_of, is_heading, known_fields
from lbsense.ingest.tables.delimited import is_known_noise
from lbsense.ingest.tables.raw import (
    RawRow,
    RawTable,
    check_size,
    grid_table,
    skipped_line,
)
from lbsense.ingest.tables.source import Document
from lbsense.model import RowIssue

if TYPE_CHECKING:
    import pandas as pd

# The last is that of MLE-bench.
_WRAPPERS = (
    *("data", "submissions", "results", "items", "records", "competition_reports"),
)
_FAILURE = frozenset(("code", "detail", "error", "errors", "message"))
_SETTINGS = frozenset(("args", "config", "hparams", "parameters", "params", "settings"))
_SCORES = frozenset(("public_score", "private_score", "score"))
_MAX_DEPTH = 6
_MAX_DIGITS = 308  # of a whole number: no float has more
_DECODER = json.JSONDecoder(  # digits as written
    parse_float=str,
    parse_constant=str,
    parse_int=lambda digits: digits if len(digits) > _MAX_DIGITS else int(digits),
)
# Characters that may be read in vain, for each of the text: the reader stays linear.
_MAX_VAIN = 20
_SPACES = " \t\r\n,"
_ENTRY = re.compile(r'\{\s*+"[^"\n]{1,200}+"\s*+:')
_MARKS = re.compile(r'[\s,\[\]{}]*+(?:"\w{1,40}+"\s*+:[\s\[{]*+)?')
_MAX_NESTING = 50


def read_frame(frame: pd.DataFrame, source: str = "<data frame>") -> RawTable:
    """Return a data frame as a raw table; a named index becomes a column."""
    import pandas as pd

    if frame.empty:
        n_rows, n_columns = frame.shape
        msg = f"{source}: empty, with {n_rows} rows and {n_columns} columns."
        raise IngestError(msg)
    if frame.index.name is not None or isinstance(frame.index, pd.MultiIndex):
        frame = frame.reset_index(allow_duplicates=True)
    check_size(source, *frame.shape)
    names = tuple(
        " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
        for name in frame.columns
    )
    columns = [frame.iloc[:, i].astype(object).tolist() for i in range(len(names))]
    return RawTable(
        source=source,
        shape="objects",
        columns=names,
        rows=[
            RawRow(i, cells) for i, cells in enumerate(zip(*columns, strict=True), 1)
        ],
        issues=[],
    )


def read_objects(data: Any, source: str = "<objects>") -> RawTable:
    """Return dictionaries or the objects of an API as a raw table.

    Parameters
    ----------
    data : mapping or iterable
        Records, a mapping that wraps them (``{"data": [...]}``), a mapping of columns,
        or an answer object that has ``submissions``.
    source : str, default="<objects>"
        What messages call it.

    Raises
    ------
    IngestError
        If there are no records in it, or it is an answer that reports an error.
    """
    numbered = list(enumerate(_records(data, source), 1))
    return _table(numbered, source, "objects", [])


def read_json(document: Document, *, sound: bool = False) -> list[RawTable]:
    """Return the records of a JSON text, or nothing where the text is not JSON.

    One document, several in a row (pages), JSON lines, and noise before or between
    them are all read. Numbers keep their digits as text. Where records stand deeper in
    the document, every list of them that has scores is a table. Where a document is
    damaged, its sound records are read, unless it must be ``sound``.
    """
    if sound:
        problem, begins = json_problem(document), document.text.lstrip()[:1] in "[{"
        if not begins or (problem is not None and "Extra data" not in problem):
            return []
    values, issues = _json_values(document)
    if document.text.lstrip()[:1] not in ("[", "{") and not any(
        _holds_record(value) for _, value in values
    ):
        return []  # "[0.81](link)" is a cell of another table
    if not values:
        values, issues = _sound_records(document)
    if not values:
        return []
    numbered: list[tuple[int, Mapping[Any, Any]]] = []
    for line, value in values:
        records = list(_records(value, document.source))
        alone = isinstance(value, dict) and len(records) == 1 and records[0] is value
        start = line if alone else len(numbered) + 1
        numbered += [(start + i, record) for i, record in enumerate(records)]
    table = _table(numbered, document.source, "json", issues)
    table = dataclasses.replace(table, facts=_facts_beside(values))
    _check_digits(table)
    inner = [] if len(table.rows) > 1 else list(_inner_tables(values, document.source))
    several = [one for one in inner if _n_scored(one) > 1]
    if known_fields(table.columns) & _SCORES and not several:
        return [table]
    return several or inner or list(_inner_tables(values, document.source)) or [table]


def _check_digits(table: RawTable) -> None:
    """Refuse records that are damaged by whole numbers of hundreds of digits.

    Where most records are sound, the cell of the other is listed later.
    """
    lengths = [
        (row.line, len(cell))
        for row in table.rows
        for cell in row.cells
        if isinstance(cell, str) and len(cell) > _MAX_DIGITS and cell.isdecimal()
    ]
    if 2 * len({line for line, _ in lengths}) >= max(1, len(table.rows)):
        line, n_digits = lengths[0]
        msg = (
            f"{table.source}:{line}: a whole number of {n_digits} digits, which is no "
            "score, date or reference. The file is damaged: export it again, or take "
            "the record out."
        )
        raise IngestError(msg)


def _n_scored(table: RawTable) -> int:
    """Return how many rows have a score."""
    scored = [bool(known_fields([name]) & _SCORES) for name in table.columns]
    places = [at for at, is_one in enumerate(scored) if is_one]
    return sum(any(row.cells[at] is not None for at in places) for row in table.rows)


def _holds_record(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value)
    return any(item and isinstance(item, (Mapping, list)) for item in value)


def _facts_beside(values: list[tuple[int, Any]]) -> Mapping[str, object]:
    """Return what a document says of the competition beside its list of submissions."""
    for _, value in values:
        if isinstance(value, Mapping) and "submissions" in value:
            facts = value.get("competition")
            if isinstance(facts, Mapping):
                return {str(name): fact for name, fact in facts.items()}
    return {}


def _inner_tables(values: list[tuple[int, Any]], source: str) -> Iterator[RawTable]:
    """Yield the lists of records with scores that stand inside JSON documents."""
    for _, value in values:
        queue = [(value, 0)]
        while queue:
            inner, depth = queue.pop(0)
            records = _listed(inner)
            if records:
                table = _table(list(enumerate(records, 1)), source, "json", [])
                if known_fields(table.columns) & _SCORES:
                    yield table
                    continue
            if depth < _MAX_DEPTH and isinstance(inner, (Mapping, list)):
                parts = inner.values() if isinstance(inner, Mapping) else inner
                queue += [(part, depth + 1) for part in parts]


def _listed(value: Any) -> list[Mapping[Any, Any]]:
    """Return records in a list, or by their names in a mapping; nothing otherwise."""
    items = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(items, list) or not items:
        return []
    records = [item for item in items if isinstance(item, Mapping) and item]
    if isinstance(value, list):
        return records if 2 * len(records) > len(items) else []
    if len(records) < len(items):
        return []
    return [{"id": key, **item} for key, item in value.items()]


def json_problem(document: Document) -> str | None:
    """Return why a text that begins like JSON is not, with line and column."""
    text = document.text.lstrip()
    if not text.startswith(("[{", "{", "[\n", "[ ")):
        return None
    try:
        json.loads(document.text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


class _Scanner:
    """Reads JSON values at places of a text, and does not read it in vain for ever."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._left = _MAX_VAIN * len(text) + 100_000

    def value(self, start: int, line_end: int) -> tuple[Any, int] | None:
        """Return the value at ``start`` and where it ends, None where there is none.

        Where much has been read in vain, a value must end on its line.
        """
        lavish = self._left > 0
        text = self.text if lavish else self.text[start:line_end]
        try:
            value, end = _DECODER.raw_decode(text, start if lavish else 0)
        except json.JSONDecodeError as error:
            self._left -= error.pos - start if lavish else 0
            return None
        except (ValueError, RecursionError):  # too many digits, or brackets
            self._left -= len(text) - start if lavish else 0
            return None
        return value, end if lavish else start + end


def _json_values(document: Document) -> tuple[list[tuple[int, Any]], list[RowIssue]]:
    values: list[tuple[int, Any]] = []
    issues: list[RowIssue] = []
    text, at, line = document.text, 0, 1
    scanner = _Scanner(text)
    while at < len(text):
        line_end = text.find("\n", at)
        line_end = len(text) if line_end < 0 else line_end
        start = at + len(text[at:line_end]) - len(text[at:line_end].lstrip(" \t,"))
        end = line_end
        if text[start : start + 1] in ("[", "{"):
            found = scanner.value(start, line_end)
            if found is not None:
                values.append((line, found[0]))
                end = found[1]
            else:
                if not values and not is_known_noise(text[at:line_end]):
                    return [], []
                issues.append(_not_json(document, line, text[at:line_end]))
        elif start < line_end and not is_known_noise(text[at:line_end]):
            if not values and line > 20:
                return [], []
            issues.append(_not_json(document, line, text[at:line_end]))
        line += text.count("\n", at, end + 1)
        at = end + 1 if end == line_end or text[end : end + 1] in "\n," else end
    return values, issues


def _sound_records(document: Document) -> tuple[list[tuple[int, Any]], list[RowIssue]]:
    """Return the records of a damaged JSON text, and an issue for what is none.

    A record is an object; in a damaged one an inner object may look like one, but it
    has not the fields of the others.
    """
    text = document.text
    if text.lstrip()[:1] not in ("[", "{") or _ENTRY.search(text) is None:
        return [], []
    scanner = _Scanner(text)
    found: list[tuple[int, int, dict[str, Any]]] = []
    at = text.find("{")
    while at >= 0:
        line_end = text.find("\n", at)
        taken = scanner.value(at, len(text) if line_end < 0 else line_end)
        if taken is not None and taken[0]:
            if any(_is_wrapped(taken[0].get(key)) for key in _WRAPPERS):
                line = text.count("\n", 0, at) + 1
                return [(line, taken[0])], _between(document, 1, text[:at])
            found.append((at, taken[1], taken[0]))
        at = text.find("{", at + 1 if taken is None else taken[1])
    counts = Counter(key for _, _, record in found for key in record)
    usual = {key for key, count in counts.items() if 2 * count >= len(found)}
    if not known_fields(usual):
        return [], []
    values: list[tuple[int, Any]] = []
    issues: list[RowIssue] = []
    line, before = 1, 0
    for start, end, record in found:
        if 2 * len(usual & set(record)) < len(usual):
            continue  # an inner object of a damaged record
        issues += _between(document, line, text[before:start])
        line += text.count("\n", before, start)
        values.append((line, record))
        line += text.count("\n", start, end)
        before = end
    return values, issues + _between(document, line, text[before:])


def _between(document: Document, line: int, text: str) -> list[RowIssue]:
    """Return the issue of what stands between records and is no mark of JSON."""
    if _MARKS.fullmatch(text):
        return []
    lead = len(text) - len(text.lstrip(_SPACES))
    first = line + text.count("\n", 0, lead)
    return [_not_json(document, first, text.strip(_SPACES))]


def _not_json(document: Document, line: int, text: str) -> RowIssue:
    return skipped_line(document.source, line, text, "a JSON record")


def _records(data: Any, source: str, depth: int = 0) -> Iterator[Mapping[Any, Any]]:
    if depth > _MAX_NESTING:
        msg = f"{source}: lists in lists, more than {_MAX_NESTING} deep, and no record."
        raise IngestError(msg)
    data = _unwrap(data, source)
    if isinstance(data, Mapping):
        yield from _records_of_mapping(data)
    elif isinstance(data, (Sequence, Set, Iterator)) and not isinstance(data, str):
        for item in data:
            if isinstance(item, (list, tuple)) and not _is_named_tuple(item):
                yield from _records(item, source, depth + 1)
            else:
                yield _as_mapping(item)
    else:
        yield _as_mapping(data)


def _unwrap(data: Any, source: str) -> Any:
    """Return what an answer wraps, and complain where it wraps an error."""
    for _ in range(3):
        if isinstance(data, Mapping):
            if data and set(data) <= _FAILURE:
                found = shorten(json.dumps(dict(data), default=str), 200)
                msg = f"{source}: the answer of a failed request: {found}. Ask again."
                raise IngestError(msg)
            rows = _rows_with_names(data)
            if rows is not None:
                return rows
            key = next((key for key in _WRAPPERS if _is_wrapped(data.get(key))), None)
            if key is None:
                return data
            data = data[key]
        elif isinstance(getattr(data, "submissions", None), (list, tuple)):
            data = data.submissions
        else:
            return data
    return data


def _rows_with_names(data: Mapping[Any, Any]) -> list[Mapping[Any, Any]] | None:
    """Return the records of names and rows that stand apart, as pandas splits them."""
    names = next((data[key] for key in ("columns", "header") if key in data), None)
    rows = next((data[key] for key in ("data", "rows") if key in data), None)
    if not isinstance(names, list) or not isinstance(rows, list) or not rows:
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def _is_wrapped(value: Any) -> bool:
    if isinstance(value, Mapping):
        return set(value) <= _FAILURE or any(key in value for key in _WRAPPERS)
    if not isinstance(value, (list, tuple)):
        return False
    n_records = sum(isinstance(x, Mapping) or hasattr(x, "__dict__") for x in value)
    return 2 * n_records >= len(value)


def _records_of_mapping(data: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """Take a mapping for a record, for columns, or for records by their key."""
    values = list(data.values())
    named = any(field_of(str(key)) for key in data)
    if values and named and all(isinstance(value, (list, tuple)) for value in values):
        for cells in itertools.zip_longest(*values):
            yield dict(zip(data, cells, strict=True))
    elif values and all(isinstance(value, Mapping) for value in values):
        if named and not set.intersection(*map(set, values)):
            yield data  # {"cv": {"mean": 0.8}, "lb": {"public": 0.79}}
        elif named:
            keys = dict.fromkeys(key for value in values for key in value)
            for key in keys:
                yield {name: column.get(key) for name, column in data.items()}
        else:
            for key, value in data.items():
                yield {"id": key, **value}
    else:
        yield data


def _as_mapping(item: Any) -> Mapping[Any, Any]:
    """Return the attributes of an object as the API or a dump names them."""
    if isinstance(item, Mapping):
        return item
    if _is_named_tuple(item):
        return dict(item._asdict())
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
    if hasattr(item, "__dict__") and not isinstance(item, type):
        return dict(vars(item))
    slots = [
        name for name in getattr(type(item), "__slots__", ()) if hasattr(item, name)
    ]
    return {name: getattr(item, name) for name in slots}


def _is_named_tuple(item: Any) -> bool:
    return isinstance(item, tuple) and hasattr(item, "_asdict")


def _table(
    numbered: list[tuple[int, Mapping[Any, Any]]],
    source: str,
    shape: str,
    issues: list[RowIssue],
) -> RawTable:
    flat = [(line, flatten(record)) for line, record in numbered if record]
    issues += [
        skipped_line(source, line, "nothing with a name", "a record with fields")
        for line, record in numbered
        if not record
    ]
    if not flat:
        msg = (
            f"{source}: no submissions in it. Expected records, each a mapping or an "
            "object with fields such as publicScore, date and description: "
            "[{'publicScore': 0.81, 'cv': 0.80}, ...] where there are scores alone."
        )
        raise IngestError(msg)
    names = tuple(dict.fromkeys(name for _, record in flat for name in record))
    check_size(source, len(flat), len(names))
    rows = [RawRow(line, [r.get(name) for name in names]) for line, r in flat]
    return RawTable(source=source, shape=shape, columns=names, rows=rows, issues=issues)


def flatten(record: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
    """Return a record with the fields of the records inside it beside its own.

    Such a field is named with a point after the outer one, ``cv.mean``, unless its own
    name alone is that of a column: ``scores.public`` is ``public``.
    """
    flat = {str(key): cell for key, cell in record.items() if not _is_inner(cell)}
    for key, value in record.items():
        if not _is_inner(value):
            continue
        inner = flatten(value, depth + 1) if depth < _MAX_DEPTH else {}
        if depth >= _MAX_DEPTH:
            flat[str(key)] = value
        for name, cell in inner.items():
            dotted = f"{key}.{name}"
            apart = (
                str(key).lower() not in _SETTINGS
                and field_of(dotted) is None
                and field_of(name) is not None
            )
            if key == "extras":
                flat.setdefault(name, cell)
            else:
                flat[name if apart and name not in flat else dotted] = cell
    return flat


def _is_inner(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


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
