"""Whatever the user holds, as raw tables; of scripts and notebooks, those in them."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import json
import os
import re
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from lbsense._format import plural, shorten
from lbsense._validation import is_frame
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import (
    is_heading,
    is_metric_word,
    is_number,
    known_fields,
)
from lbsense.ingest.tables.delimited import find_heading, is_known_noise, read_delimited
from lbsense.ingest.tables.drawn import (
    read_labels,
    read_pasted,
    read_piped,
    read_printed,
    read_ruled,
)
from lbsense.ingest.tables.markup import (
    is_page,
    page_message,
    preformatted,
    read_html,
    read_marked,
)
from lbsense.ingest.tables.raw import (
    MAX_ROWS,
    RawRow,
    RawTable,
    check_size,
    grid_table,
)
from lbsense.ingest.tables.records import (
    flatten,
    json_problem,
    read_frame,
    read_json,
    read_objects,
    read_workbook,
)
from lbsense.ingest.tables.runs import aide_table, read_aide, read_folder
from lbsense.ingest.tables.source import Document, is_text_source, read_documents

_MAX_CHARACTERS = 2_000_000
_ASSIGNMENT = re.compile(r"= ?[\[{(]|\.append\(")
_MAX_HEADINGS = 50
_FLAT = re.compile(r"\{[^{}]{1,5000}\}")
_NAMES: dict[str, Any] = dict.fromkeys(("nan", "NaN", "NaT", "NA", "null", "none"))
_NAMES |= {"true": True, "false": False}
_TIMES = ("datetime", "Timestamp", "date", "to_datetime", "fromisoformat")


def read_script(document: Document) -> list[RawTable]:
    """Return the tables that a Python text writes down as literals; nothing is run.

    Lists of dictionaries, dictionaries of columns, and lists of rows beside their
    names, as they are given to a data frame.
    """
    text = document.text
    quoted, nested = ("'" in text or '"' in text), any(mark in text for mark in "{[(")
    if len(text) > _MAX_CHARACTERS or not (quoted and nested):
        return []
    tree, first = _tree(text), text[: len(text) - len(text.lstrip())].count("\n")
    if tree is None:
        found, first = _sound(text), 0
    else:
        found = list(_literals(tree)) or list(_single(tree))
        found += _tuples(tree, text.lstrip().split("\n"))
    tables = []
    for rows in found:
        numbered = [(line + first, cells) for line, cells in rows]
        names = [str(cell) for cell in numbered[0][1]]
        if len(known_fields(names)) < 2:
            continue
        table = grid_table(document.source, "script", numbered)
        tables += [] if table is None else [table]
    return tables


def _tree(text: str) -> ast.AST | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip().replace("\t", "    "))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _sound(text: str) -> list[list[tuple[int, list[Any]]]]:
    """Return the sound dictionaries of a script that is damaged, as one table."""
    if _ASSIGNMENT.search(text) is None:
        return []
    items: list[ast.expr] = []
    line, at = 1, 0
    for found in _FLAT.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        tree = _tree(found.group())
        node = tree.body[0] if isinstance(tree, ast.Module) and tree.body else None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Dict):
            node.value.lineno = line
            items.append(node.value)
    rows = _of_records(items)
    return [] if rows is None else [rows]


def _literals(tree: ast.AST) -> Iterator[list[tuple[int, list[Any]]]]:
    """Yield each table, the heading first; what is inside one is not looked at."""
    queue: deque[ast.AST] = deque([tree])
    while queue:
        node = queue.popleft()
        rows = None
        if isinstance(node, (ast.List, ast.Tuple)):
            rows = _of_records(node.elts)
        elif isinstance(node, ast.Dict):
            rows = _of_columns(node)
        elif isinstance(node, ast.Call):
            rows = _of_rows(node)
        if rows is not None:
            yield rows
        else:
            queue.extendleft(reversed(list(ast.iter_child_nodes(node))))


def _single(tree: ast.AST) -> Iterator[list[tuple[int, list[Any]]]]:
    """Yield the dictionaries that stand alone, as those given to append, as one."""
    items: list[ast.expr] = []
    queue: list[ast.AST] = [tree]
    while queue:
        node = queue.pop(0)
        if isinstance(node, ast.Dict):
            names = [
                str(key.value) for key in node.keys if isinstance(key, ast.Constant)
            ]
            items += [node] if len(known_fields(names)) > 1 else []
        else:
            queue[:0] = list(ast.iter_child_nodes(node))
    rows = _of_records(items)
    if rows is not None:
        yield rows


def _tuples(tree: ast.AST, lines: Sequence[str]) -> list[list[tuple[int, list[Any]]]]:
    """Return lists of tuples, whose names stand elsewhere in the script.

    In their first row, in a comment above or inside, in a loop that unpacks them, in a
    call that is given both, or in a named tuple.
    """
    names_of: list[list[str]] = []
    types: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            fields = _fields_of(node.value)
            if fields:
                types[node.targets[0].id] = fields
        words: list[str] = []
        if isinstance(node, (ast.For, ast.comprehension)):
            words = _unpacked(node.target)
        elif isinstance(node, (ast.List, ast.Tuple)):
            cells = map(_value, node.elts[:50])
            words = [cell for cell in cells if isinstance(cell, str)]
        if len(names_of) < _MAX_HEADINGS and len(known_fields(words)) > 1:
            names_of.append(words)
        if isinstance(node, ast.ClassDef):
            targets = [x.target for x in node.body if isinstance(x, ast.AnnAssign)]
            types[node.name] = [x.id for x in targets if isinstance(x, ast.Name)]
    found = []
    for node in ast.walk(tree):
        rows = _rows_of_tuples(node, types)
        if rows is None:
            continue
        comments = [
            re.findall(r"\w+", line.split("#", 1)[1])
            for line in lines[max(0, rows[0][0] - 4) : rows[0][0] + 1]
            if "#" in line
        ]
        width = len(rows[0][1])
        names: list[Any] | None = next(
            (
                names
                for names in (rows[0][1], *comments, *names_of, *types.values())
                if len(names) == width and len(known_fields(map(str, names))) > 1
            ),
            None,
        )
        if names is not None:
            heading = (rows[0][0], list(names))
            found.append([heading, *(row for row in rows if row[1] != names)])
    return found


def _unpacked(target: ast.expr) -> list[str]:
    """Return the names that a loop unpacks into, those of inner tuples as well."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for item in target.elts for name in _unpacked(item)]
    return [target.id] if isinstance(target, ast.Name) else []


def _fields_of(node: ast.expr) -> list[str]:
    """Return the fields of ``namedtuple("Run", "name cv lb")``."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return []
    if getattr(node.func, "attr", getattr(node.func, "id", "")) != "namedtuple":
        return []
    given = _value(node.args[1])
    names = given.replace(",", " ").split() if isinstance(given, str) else given
    return [str(name) for name in names] if isinstance(names, list) else []


def _rows_of_tuples(
    node: ast.AST, types: Mapping[str, list[str]]
) -> list[tuple[int, list[Any]]] | None:
    """Return tuples of one width in a list, or by their names in a dictionary."""
    rows: list[tuple[int, list[Any]]] = []
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None or not isinstance(value, (ast.Tuple, ast.List)):
                return None
            cells = [_value(key), *map(_value, value.elts)]
            rows.append((key.lineno, cells))
    elif isinstance(node, (ast.List, ast.Tuple)):
        for item in node.elts:
            called = getattr(getattr(item, "func", None), "id", None)
            if isinstance(item, (ast.Tuple, ast.List)):
                rows.append((item.lineno, [_value(cell) for cell in item.elts]))
            elif isinstance(item, ast.Call) and called in types and not item.keywords:
                rows.append((item.lineno, [_value(cell) for cell in item.args]))
            else:
                return None
    widths = {len(cells) for _, cells in rows}
    scored = any(isinstance(cell, float) for _, cells in rows for cell in cells)
    return rows if len(rows) > 1 and len(widths) == 1 and scored else None


def _of_records(items: Sequence[ast.expr]) -> list[tuple[int, list[Any]]] | None:
    if not items or not all(map(_is_record, items)):
        return None
    records = [(item.lineno, flatten(_record(item))) for item in items]
    names = list(dict.fromkeys(name for _, record in records for name in record))
    check_size("The script", len(records), len(names))
    rows = [(line, [record.get(name) for name in names]) for line, record in records]
    return [(records[0][0], list(names)), *rows]


def _is_record(item: ast.expr) -> bool:
    """Say whether an item has names: a dictionary, or a call with keywords alone."""
    if isinstance(item, ast.Call):
        return len(item.keywords) > 1 and not item.args
    return isinstance(item, ast.Dict)


def _record(item: ast.AST) -> dict[str, Any]:
    """Return a dictionary by the names of its keys."""
    record: dict[str, Any] = {}
    if isinstance(item, ast.Call):
        return {word.arg: _value(word.value) for word in item.keywords if word.arg}
    if not isinstance(item, ast.Dict):
        return record
    for key, value in zip(item.keys, item.values, strict=True):
        if isinstance(key, ast.Constant):
            inner = isinstance(value, ast.Dict)
            record[str(key.value)] = _record(value) if inner else _value(value)
    return record


def _of_columns(node: ast.Dict) -> list[tuple[int, list[Any]]] | None:
    columns: dict[str, Sequence[ast.expr]] = {}
    if node.values and all(map(_is_record, node.values)):
        return _of_named(node)
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant):
            return None
        if not isinstance(value, (ast.List, ast.Tuple)):
            return None
        columns[str(key.value)] = value.elts
    if not columns:
        return None
    rows: list[tuple[int, list[Any]]] = [(node.lineno, list(columns))]
    for cells in itertools.zip_longest(*columns.values()):
        line = next((cell.lineno for cell in cells if cell is not None), node.lineno)
        rows.append((line, [None if cell is None else _value(cell) for cell in cells]))
    return rows


def _of_named(node: ast.Dict) -> list[tuple[int, list[Any]]] | None:
    """Return records that a dictionary holds by their names."""
    rows = _of_records(node.values)
    if rows is None or "name" in rows[0][1]:
        return rows
    names = [None if key is None else _value(key) for key in node.keys]
    named = zip(["name", *names], rows, strict=True)
    return [(line, [name, *cells]) for name, (line, cells) in named]


def _of_rows(node: ast.Call) -> list[tuple[int, list[Any]]] | None:
    """Return the rows of ``DataFrame([[...], ...], columns=[...])``."""
    columns = next((k.value for k in node.keywords if k.arg == "columns"), None)
    data = next((k.value for k in node.keywords if k.arg == "data"), None)
    data = node.args[0] if node.args else data
    if not isinstance(columns, (ast.List, ast.Tuple)):
        return None
    if not isinstance(data, (ast.List, ast.Tuple)) or not data.elts:
        return None
    if not all(isinstance(row, (ast.List, ast.Tuple)) for row in data.elts):
        return None
    rows: list[tuple[int, list[Any]]] = [
        (columns.lineno, [_value(name) for name in columns.elts])
    ]
    for row in data.elts:
        cells = row.elts if isinstance(row, (ast.List, ast.Tuple)) else []
        rows.append((row.lineno, [_value(cell) for cell in cells]))
    return rows


def _value(node: ast.expr) -> Any:
    """Return what a literal says; anything else as it is written."""
    if isinstance(node, ast.Constant):
        ok = node.value is None or isinstance(node.value, (str, bool, int, float))
        return node.value if ok and node.value is not ... else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        if isinstance(node.op, ast.USub) and isinstance(value, (int, float)):
            return -value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Name):
        return _NAMES.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return _NAMES.get(node.attr, node.attr)
    if isinstance(node, ast.Call):
        return _called(node)
    return _written(node)


def _called(node: ast.Call) -> Any:
    """Return the time that a call such as ``datetime(2026, 7, 28)`` stands for."""
    function = node.func
    name = getattr(function, "attr", getattr(function, "id", ""))
    values = [_value(argument) for argument in node.args]
    if name in _TIMES and len(values) == 1 and isinstance(values[0], str):
        return values[0]
    if name in _TIMES and 3 <= len(values) <= 7:
        numbers = [value for value in values if isinstance(value, int)]
        if len(numbers) == len(values) and all(
            0 <= value < 10_000 for value in numbers
        ):
            year, month, day, hour, minute, second = [*numbers, 0, 0, 0][:6]
            return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    if name == "float" and values and isinstance(values[0], str):
        return values[0]
    return _written(node)


def _written(node: ast.expr) -> str | None:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return None


class Notebook(NamedTuple):
    """The texts of a notebook, each named by its cell.

    ``shown`` are Markdown cells and outputs, ``code`` what was written to make them.
    """

    n_cells: int
    shown: tuple[Document, ...]
    code: tuple[Document, ...]


def read_notebook(document: Document) -> Notebook | None:
    """Return the texts of a notebook of any version, or None where it is none."""
    head = document.text[:1].lstrip() or document.text.lstrip()[:1]
    if head != "{" or '"cells"' not in document.text:
        return None
    try:
        content = json.loads(document.text)
    except (ValueError, RecursionError):
        return None
    cells = list(_cells(content))
    if not cells:
        return None
    shown: list[Document] = []
    code: list[Document] = []
    for number, cell in enumerate(cells, 1):
        source = f"{document.source}, cell {number}"
        text = _text(cell.get("source", cell.get("input")))
        if cell.get("cell_type") in ("markdown", "raw") and text:
            shown.append(Document(source=source, text=text))
        elif text:
            code.append(Document(source=source, text=text))
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            printed = _printed(output) if isinstance(output, Mapping) else ""
            if printed:
                shown.append(Document(source=source, text=printed))
    return Notebook(len(cells), tuple(shown), tuple(code))


def _cells(content: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(content, Mapping):
        return
    sheets = content.get("worksheets")
    parts = [content, *(sheets if isinstance(sheets, list) else [])]
    for part in parts:
        cells = part.get("cells") if isinstance(part, Mapping) else None
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, Mapping) and "cell_type" in cell:
                yield cell


def _printed(output: Mapping[str, Any]) -> str:
    """Return an output as HTML where there is some, else as text."""
    data = output.get("data")
    kinds = data if isinstance(data, Mapping) else output
    for kind in ("text/html", "html", "text/markdown", "text/latex", "text/plain"):
        text = _text(kinds.get(kind))
        if text and (kind not in ("text/html", "html") or "<table" in text.lower()):
            return text
    return _text(output.get("text"))


def _text(value: Any) -> str:
    """Return text that is kept whole or by lines."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, Sequence):
        text = "".join(part for part in value if isinstance(part, str))
    else:
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


_MOST_NAMES = 100  # of columns, below each other
_BOARD_FIELDS = frozenset(("public_score", "private_score"))
_MAX_CELL = 32_767  # characters: what a cell of a spreadsheet can hold
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
            dataclasses.replace(_upright(table), page=page)
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
            yield list(map(_with_short_cells, _text_tables(document)))
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
    return (
        read_json(document, sound=True)
        or read_script(document)
        or read_json(document)
        or read_pasted(document)
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
    marked = (
        table for table in read_marked(document) if table.rows[0].line not in seen
    )
    return [*drawn, *marked]


def _with_short_cells(table: RawTable) -> RawTable:
    """Return the table with what no cell of a spreadsheet could hold left out."""
    for position, row in enumerate(table.rows):
        longer = [
            (at, cell)
            for at, cell in enumerate(row.cells)
            if isinstance(cell, str) and len(cell) > _MAX_CELL
        ]
        if not longer:
            continue
        cells = list(row.cells)
        for at, cell in longer:
            cells[at] = cell[:_MAX_CELL]
            issue = table.issue(
                f"{len(cell):,} characters: {shorten(cell[:200], 60)}",
                f"at most {_MAX_CELL:,}",
                "the rest left out",
                line=row.line,
                column=table.columns[at],
            )
            table.issues.append(issue)
        table.rows[position] = RawRow(row.line, cells)
    return table


def _upright(table: RawTable) -> RawTable:
    """Return a table turned, if the names of its columns stand in the first one.

    "CV", "Public" and "Private" below each other, and a column for each submission.
    """
    if not len(table.columns) >= 3 or not 2 <= len(table.rows) <= _MOST_NAMES:
        return table
    first = ["" if row.cells[0] is None else str(row.cells[0]) for row in table.rows]
    names = table.columns[1:]
    told = known_fields(table.columns) or any(map(is_number, names))
    told = told or any(is_metric_word(name.lower()) for name in names)
    if told or not is_heading(first) or not known_fields(first) & _BOARD_FIELDS:
        return table
    rows = [
        RawRow(at, [name, *(row.cells[at] for row in table.rows)])
        for at, name in enumerate(names, 1)
    ]
    return dataclasses.replace(table, columns=("name", *first), rows=rows)


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
