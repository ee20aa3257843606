"""Comma, tab, semicolon and pipe separated text, with all that surrounds it."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from lbsense._format import shorten
from lbsense.ingest.cv.heading import (
    field_of,
    is_heading,
    is_number,
    known_fields,
    name_key,
)
from lbsense.ingest.platforms import PLATFORMS
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.raw import (
    CellError,
    RawRow,
    RawTable,
    check_size,
    is_missing,
    read_score,
    read_status,
    skipped_line,
    wrong_width,
)
from lbsense.ingest.tables.source import Document
from lbsense.model import RowIssue

_DELIMITERS = (",", "\t", ";", "|")
_SEARCHED_LINES = 200
_SEARCHED_NAMES = 5_000
_FOLLOWING = 20  # filled lines in which a row of a heading is looked for
_COMPARED = 20  # headings that a further one is compared with
_MAX_QUOTED_LINES = 500
_TEXT_FIELDS = ("description", "file_name")
_NUMBERS = ("public_score", "private_score", "cv_score", "score")
# What a client and a terminal print around a table.
_PRINTED = (
    *(text for platform in PLATFORMS for text in platform.printed),
    r"<response \[\d+\]>",
    "sep=.$",
    r"\d+%\|",
    "tail: write error",
)
_NOISE = re.compile(rf"\s*(?:{'|'.join(_PRINTED)})", re.IGNORECASE)


class Heading(NamedTuple):
    """Where the column names of a delimited text stand, and what separates them."""

    position: int
    delimiter: str
    names: tuple[str, ...]


def is_known_noise(line: str) -> bool:
    """Say whether a line is one that the platform's client prints beside a table."""
    return _NOISE.match(line) is not None


def read_delimited(document: Document, *, strict: bool) -> list[RawTable]:
    """Return the tables of a delimited text, one for each heading that differs.

    ``strict`` is whether a heading needs names that are known; otherwise the first line
    that has as many cells as the next one is taken for it.
    """
    lines = document.text.split("\n")
    heading = find_heading(lines)
    if heading is None and not strict:
        heading = find_heading(lines, bare=True) or _guess_heading(lines)
    if heading is None:
        return []
    heading = _merged(lines, heading)
    table = RawTable(
        source=document.source,
        shape="delimited",
        columns=heading.names,
        rows=[],
        issues=[
            skipped_line(document.source, number, line, "the heading")
            for number, line in enumerate(lines[: heading.position], 1)
            if line.strip() and not is_known_noise(line)
        ],
        delimiter=heading.delimiter,
    )
    tables, begun = [table], {id(table)}
    latest = {tuple(map(name_key, table.columns)): table}
    records = _records(lines, heading, document.source, table.issues)
    for number, cells in _join_broken(records, heading.names):
        names = tuple(_trim(cells))
        page = None
        if len(cells) > 1 and is_heading(list(names)):
            apart = number > 1 and not lines[number - 2].strip()
            if _is_wide(lines, Heading(number - 1, heading.delimiter, names)):
                page = _page(latest, names, _title_before(table, number), apart=apart)
        if page is None:
            _add(table, number, cells)
            continue
        table = page
        if id(table) not in begun:
            begun.add(id(table))
            tables.append(table)
    return list(map(_with_index, tables))


def _with_index(table: RawTable) -> RawTable:
    """Return a table whose first column, without a name, counts down: an index."""
    if table.columns[0] not in ("", "Unnamed: 0") or len(table.rows) < 2:
        return table
    texts = [str(row.cells[0]).strip() for row in table.rows]
    if not all(text.isdecimal() and len(text) < 10 for text in texts):
        return table
    if not all(int(one) > int(other) for one, other in itertools.pairwise(texts)):
        return table
    return dataclasses.replace(table, columns=("index", *table.columns[1:]))


def _merged(lines: list[str], heading: Heading) -> Heading:
    """Return a heading with the line above or below it that it is merged with.

    "Validation,,Leaderboard," above "AUC,std,public,private" are four names.
    """
    delimiter, width = heading.delimiter, len(heading.names)
    for above in (heading.position, heading.position - 1):
        if not 0 <= above < len(lines) - 1:
            continue
        wide, narrow = (_split(lines[at], delimiter) for at in (above, above + 1))
        size = max(width, len(_trim(wide)), len(_trim(narrow)))
        gaps = sum(not cell.strip() for cell in _trim(wide)[1:])
        words = [cell.strip() for cell in (*wide, *narrow) if cell.strip()]
        if not gaps or any(map(is_number, words)) or not size <= len(narrow) + 1:
            continue
        names, outer = [], ""
        for at in range(size):
            inner = narrow[at].strip() if at < len(narrow) else ""
            outer = (wide[at].strip() if at < len(wide) else "") or outer
            names.append(" ".join(dict.fromkeys(f"{outer} {inner}".split())))
        known = known_fields(names)
        if known > known_fields(heading.names) or (
            known >= known_fields(heading.names)
            and above == heading.position
            and bool(known_fields(narrow))
        ):
            return Heading(above + 1, delimiter, tuple(names))
    return heading


def _title_before(table: RawTable, number: int) -> str | None:
    """Return the line of words that stands between two tables, if one does."""
    last = table.issues[-1] if table.issues else None
    if last is None or last.line != number - 1 or not last.found.startswith("1 cell: "):
        return None
    return last.found.removeprefix("1 cell: ")


def _is_spoilt(names: tuple[str, ...], heading: tuple[str, ...]) -> bool:
    """Say whether names of a heading stand beside numbers or words of no meaning."""
    if len(names) != len(heading):
        return False
    unknown = [
        a for a, b in zip(names, heading, strict=True) if a != b and not field_of(a)
    ]
    same = any(a == b for a, b in zip(names, heading, strict=True))
    return bool(unknown) and (same or any(re.search(r"\d[.,:]\d", a) for a in unknown))


def _page(
    latest: dict[tuple[str, ...], RawTable],
    names: tuple[str, ...],
    title: str | None,
    *,
    apart: bool,
) -> RawTable | None:
    """Return the table that a further heading goes on with, or begins, if it is one.

    The same heading goes on with a table, unless a blank line or a title is between.
    """
    key = tuple(map(name_key, names))
    before = latest.get(key)
    recent = list(itertools.islice(latest.values(), _COMPARED))
    if before is not None and not apart and title is None:
        return before
    if before is None and 2 * len(known_fields(names)) < len(names):
        return None
    if before is None and any(_is_spoilt(names, table.columns) for table in recent):
        return None
    first = recent[0]
    latest[key] = dataclasses.replace(
        first, columns=names, rows=[], issues=[], title=title
    )
    return latest[key]


def find_heading(lines: list[str], *, bare: bool = False) -> Heading | None:
    """Return the first line that reads as column names of a history, if any.

    Rows must follow it, unless ``bare``.
    """
    for index, line in enumerate(lines[:_SEARCHED_LINES]):
        if not line.strip() or is_known_noise(line):
            continue
        for end in dict.fromkeys((_end_of_quote(lines, index), index)):
            text = " ".join(lines[index : end + 1])
            for delimiter in _DELIMITERS:
                names = tuple(_trim(_split(text, delimiter)))
                if len(names) > _SEARCHED_NAMES:
                    if is_heading(list(names[:_SEARCHED_NAMES])):
                        check_size("The table", 0, len(names))
                    continue
                # A heading that is marked as a comment; "#" alone is a name.
                names = (names[0].lstrip("# ") or names[0], *names[1:])
                if (len(names) > 1 or delimiter == ",") and is_heading(list(names)):
                    heading = Heading(end, delimiter, names)
                    if bare or _is_followed(lines, heading, joined=end > index):
                        return heading
    return None


def _end_of_quote(lines: list[str], index: int) -> int:
    """Return the line that a heading ends on, whose quoted names may be broken."""
    n_quotes = 0
    for end in range(index, min(len(lines), index + 10)):
        n_quotes += lines[end].count('"')
        if n_quotes % 2 == 0:
            return end
    return index


def _is_followed(lines: list[str], heading: Heading, *, joined: bool = False) -> bool:
    """Say whether a row that a heading can have follows it soon.

    The row right after one that is ``joined`` of several lines is as wide as it.
    """
    width = len(heading.names)
    least = width if joined else min(width, max(2, (width + 1) // 2))
    for line in _filled_after(lines, heading.position, 1 if joined else _FOLLOWING):
        cells = _split(line, heading.delimiter)
        alone = width == 1 == len(cells)
        if len(cells) >= least and (
            not alone or is_missing(cells[0]) or _is_score(cells[0])
        ):
            return True
    return False


def _is_wide(lines: list[str], heading: Heading) -> bool:
    """Say whether the row after a further heading, or most of them, is as wide."""
    width, near = len(heading.names), _filled_after(lines, heading.position, _FOLLOWING)
    fits = [len(_split(line, heading.delimiter)) == width for line in near]
    return fits[:1] == [True] or 2 * sum(fits) > len(fits)


def _filled_after(lines: list[str], position: int, n: int) -> list[str]:
    after = (lines[i] for i in range(position + 1, len(lines)))
    return list(itertools.islice((line for line in after if line.strip()), n))


def _guess_heading(lines: list[str]) -> Heading | None:
    """Take the first line that has as many cells as the next, whatever its names."""
    filled = [
        (index, line)
        for index, line in enumerate(lines[:_SEARCHED_LINES])
        if line.strip() and not is_known_noise(line)
    ]
    for (index, line), (_, following) in itertools.pairwise(filled):
        for delimiter in _DELIMITERS:
            names = _trim(_split(line, delimiter))
            wide = len(names) > 1 and len(_split(following, delimiter)) == len(names)
            if wide and not any(map(is_number, names)):
                return Heading(index, delimiter, tuple(names))
    return None


def _records(
    lines: list[str], heading: Heading, source: str, issues: list[RowIssue]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line number and the cells of every record after the heading.

    A quoted cell may run over several lines. A quotation mark that never closes, or
    that closes behind lines that are rows themselves, would swallow these: such a line
    is taken as a record of its own.
    """
    delimiter, width = heading.delimiter, len(heading.names)
    index = heading.position + 1
    while index < len(lines):
        line = lines[index]
        if '"' not in line:
            if line.strip():
                yield index + 1, line.split(delimiter)
            index += 1
            continue
        end, cells = _quoted_record(lines, index, heading)
        if end != index + 1 and not cells:
            alone, plain = _split(line, delimiter), line.split(delimiter)
            end, cells = index + 1, plain if len(plain) == width else alone
            issues.append(_open_quote(source, index + 1, line))
        yield index + 1, cells
        index = end


def _quoted_record(
    lines: list[str], index: int, heading: Heading
) -> tuple[int, list[str]]:
    """Return the line after the record that begins at ``index``, and its cells.

    There are no cells where a quotation mark never closes or swallows other rows.
    """
    delimiter, width = heading.delimiter, len(heading.names)
    following = [f"{line}\n" for line in lines[index : index + _MAX_QUOTED_LINES]]
    following.append("")  # to tell a quotation mark that is open at the end
    reader = csv.reader(following, delimiter=delimiter)
    try:
        cells = next(reader, [])
    except csv.Error:  # a cell beyond the limit of the module
        return index + 2, []
    end = index + reader.line_num
    if reader.line_num == 1:
        return end, cells
    if reader.line_num == len(following):
        return end, []
    alone = _split(lines[index], delimiter)
    if len(cells) != width and not len(alone) < width < len(cells):
        return end, []
    evidence = max(_row_evidence(line, heading) for line in lines[index + 1 : end])
    odd = lines[index].count(delimiter) >= width - 1 or not _is_strict(
        following[: reader.line_num], delimiter
    )
    return (end, []) if evidence > (0 if odd else 1) else (end, cells)


def _is_strict(lines: list[str], delimiter: str) -> bool:
    """Say whether quotation marks stand at the ends of cells only."""
    try:
        next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error:
        return False
    return True


def _row_evidence(line: str, heading: Heading) -> int:
    """Return how surely a line is a row by itself: 0 not, 1 perhaps, 2 it is.

    The cells of a row are a date, a status and numbers where its columns ask for them;
    a line of a description that runs over several is that by no chance. A row may
    itself break off in a description.
    """
    fields = [(field_of(name) or ("", 0))[0] for name in heading.names]
    cells = [cell.strip() for cell in _split(line, heading.delimiter)]
    whole = len(cells) == len(fields)
    if len(cells) < 2:
        return 0
    points = 0
    for field, cell in zip(fields, cells, strict=False):
        if is_missing(cell):
            continue
        if field == "submitted_at" and read_dates([cell]).values[0] is not None:
            points += 2
        elif field == "status" and read_status(cell) is not None:
            points += 2 if whole else 0
        elif field in _NUMBERS and whole and _is_score(cell):
            points += 1
        elif whole and (field in _NUMBERS or field in ("submitted_at", "status")):
            return 0
    return min(points, 2)


def _is_score(cell: str) -> bool:
    try:
        return read_score(cell, decimal_comma=True) is not None
    except CellError:
        return False


def _open_quote(source: str, line: int, text: str) -> RowIssue:
    return RowIssue(
        source=source,
        line=line,
        found=shorten(text, 80),
        expected="a closing quotation mark",
        action="quotation mark read as a character",
    )


def _split(text: str, delimiter: str) -> list[str]:
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:  # a cell beyond the limit of the module
        return text.split(delimiter)


def _trim(cells: list[str]) -> list[str]:
    """Drop the empty cells that a spreadsheet leaves at the end of a line."""
    end = len(cells)
    while end > 1 and not cells[end - 1].strip():
        end -= 1
    return [cell.strip() for cell in cells[:end]]


def _add(table: RawTable, number: int, cells: list[str]) -> None:
    """Append the record to the table, mended if that can be done in one way only."""
    if len(cells) != len(table.columns):
        if is_known_noise(cells[0]):
            return
        mended = _mend(table, cells)
        if mended is None or len(cells) < len(mended) or any(cells[len(mended) :]):
            if mended is None:
                action = "row skipped"
            elif len(cells) < len(mended):
                action = "absent cells taken as missing"
            else:
                action = "surplus cells joined to the description"
            width = len(table.columns)
            table.issues.append(wrong_width(table.source, number, cells, width, action))
        if mended is None:
            return
        cells = mended
    table.rows.append(RawRow(number, cells))


def _mend(table: RawTable, cells: list[str]) -> list[str] | None:
    """Return a record of the right width, or None where that takes a guess."""
    width = len(table.columns)
    extra = len(cells) - width
    if extra > 0 and not any(cell.strip() for cell in cells[width:]):
        return cells[:width]
    if extra > 0:
        return _join_description(table, cells, extra)
    if len(cells) > 1 and 2 * len(cells) >= width and not _is_shifted(table, cells):
        return cells + [""] * -extra
    return None


def _is_shifted(table: RawTable, cells: list[str]) -> bool:
    """Say whether a number stands where words should: a cell is absent before it."""
    fields = [field_of(name) for name in table.columns[: len(cells)]]
    return any(
        field is not None and field[0] in _TEXT_FIELDS and is_number(cell)
        for field, cell in zip(fields, cells, strict=True)
    )


def _join_description(
    table: RawTable, cells: list[str], extra: int
) -> list[str] | None:
    """Join what an unquoted delimiter inside the description has split."""
    fields = [(field_of(name) or ("", 0))[0] for name in table.columns]
    if fields.count("description") != 1:
        return None
    at = fields.index("description")
    pieces, rest = cells[at : at + extra + 1], cells[at + extra + 1 :]
    joined = [*cells[:at], (table.delimiter or ",").join(pieces), *rest]
    if "status" in fields:
        sound = read_status(joined[fields.index("status")]) is not None
    else:
        sound = all(re.search(r"[^\W\d]", piece) for piece in pieces)
    return joined if sound else None


def _join_broken(
    records: Iterator[tuple[int, list[str]]], names: tuple[str, ...]
) -> Iterator[tuple[int, list[str]]]:
    """Join two short records that are one whose unquoted description had a newline."""
    fields = [(field_of(name) or ("", 0))[0] for name in names]
    if "status" not in fields or fields.count("description") != 1:
        yield from records
        return
    at, status = fields.index("description"), fields.index("status")
    kept: tuple[int, list[str]] | None = None
    for number, cells in records:
        if kept is not None:
            first, head = kept
            both = [*head[:-1], f"{head[-1]}\n{cells[0]}", *cells[1:]]
            kept = None
            if len(both) == len(names) and read_status(both[status]) is not None:
                yield first, both
                continue
            yield first, head
        if len(cells) == at + 1 < len(names):
            kept = number, cells
        else:
            yield number, cells
    if kept is not None:
        yield kept
