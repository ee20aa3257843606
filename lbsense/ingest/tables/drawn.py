"""Tables drawn for the eye: cut at a ruler, between pipes, or one label a line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from lbsense.ingest.platforms import PLATFORMS
from lbsense.ingest.tables.cells import read_status
from lbsense.ingest.tables.delimited import is_known_noise
from lbsense.ingest.tables.names import field_of, known_fields, name_key
from lbsense.ingest.tables.raw import (
    RawRow,
    RawTable,
    check_size,
    skipped_line,
    wrong_width,
)
from lbsense.ingest.tables.source import Document
from lbsense.model import RowIssue

_RULER = re.compile(r"\s*+-{2,}+(?:\s++-{2,}+)++\s*+")
_PIPE_RULER = re.compile(
    r"\s*+(?:\|\s*+)?:?-++:?\s*+(?:[|+]\s*+:?-++:?\s*+)++(?:\|\s*+)?"
    r"|\s*+\|\s*+:?-++:?\s*+\|\s*+"
)
_BOARD_RULER = re.compile(r"[-_=|+\s]*+")
_BOARDS = [list(platform.board) for platform in PLATFORMS if platform.board]
_SCORES = {"public_score", "private_score", "score"}
_ABOUT_A_TRIAL = {"cv_score", "status", "file_name"}
_MAX_BROKEN_LINES = 60
_TITLE_REACH, _LONGEST_TITLE = 40, 80
_LABEL = re.compile(r"[\s>*+-]*+`?([A-Za-z][\w /()#-]{0,40}?)`?\**\s*[:=：]\**\s+(.*)")
_MARKDOWN_HEADING = re.compile(r"\s*#{1,6}\s+(.*)")
_DATE_IN_HEADING = re.compile(
    r"\(?(\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?)\)?"
)
_NUMBER = r"\**+([+-]?(?:\d++(?:\.\d++)?|\.\d++))\**+"
_ARROW_LINE = re.compile(
    rf"[\s>*+-]*+([\w .-]{{1,40}}?)\**\s*[:：]\s*{_NUMBER}\s*+(CV|OOF|LOO|val)\w*+"
    rf"\s*+(?:→|-+>|=>|/|,|\|)\s*+{_NUMBER}\s*(?:public|LB)\b(.*)",
    re.IGNORECASE,
)


def read_ruled(document: Document) -> list[RawTable]:
    """Return the fixed-width tables of a text, cut where their rulers say."""
    lines = document.text.split("\n")
    rulers = [i for i, line in enumerate(lines) if i and _RULER.fullmatch(line)]
    rulers = [i for i in rulers if lines[i - 1].strip() and "|" not in lines[i - 1]]
    if not rulers:
        return []
    tables: list[RawTable] = []
    before = lines[: rulers[0] - 1]
    issues = [
        skipped_line(document.source, number, line, "the heading")
        for number, line in enumerate(before, 1)
        if line.strip() and not is_known_noise(line)
    ]
    for ruler, following in itertools.zip_longest(rulers, rulers[1:]):
        end = len(lines) if following is None else following - 1
        tables.append(_cut_table(document.source, lines, ruler, end, issues))
        issues = []
    return _join_pages(tables)


def _cut_table(
    source: str, lines: list[str], ruler: int, end: int, issues: list[RowIssue]
) -> RawTable:
    spans = [found.span() for found in re.finditer("-+", lines[ruler])]
    names = tuple(_cut(lines[ruler - 1], spans))
    fields = [(field_of(name) or ("", 0))[0] for name in names]
    rows: list[RawRow] = []
    index = ruler + 1
    while index < end:
        if not lines[index].strip():
            index += 1
            continue
        after, cells = _whole_row(lines, index, end, spans, fields)
        if cells is not None:
            rows.append(RawRow(index + 1, cells))
        elif not is_known_noise(lines[index]):
            issue = skipped_line(
                source, index + 1, lines[index], "a row that fits the ruler"
            )
            issues.append(issue)
        index = after
    return RawTable(
        source=source, shape="ruled", columns=names, rows=rows, issues=issues
    )


def _whole_row(
    lines: list[str],
    index: int,
    end: int,
    spans: list[tuple[int, int]],
    fields: list[str],
) -> tuple[int, list[str] | None]:
    """Return the line after the row and its cells.

    A newline in a description breaks the row in two, and the pieces joined by that
    newline fit the ruler again.
    """
    for after in range(index + 1, min(end, index + _MAX_BROKEN_LINES) + 1):
        text = "\n".join(lines[index:after])
        if _fits(text, spans, fields):
            return after, _cut(text, spans)
    return index + 1, None


def _fits(text: str, spans: list[tuple[int, int]], fields: list[str]) -> bool:
    starts = [start for start, _ in spans[1:]]
    if any(text[at - 1 : at].strip() for at in starts):
        return False
    if len(text.rstrip()) > spans[-1][1]:
        return False
    cells = _cut(text, spans)
    return (
        "status" not in fields or read_status(cells[fields.index("status")]) is not None
    )


def _cut(text: str, spans: list[tuple[int, int]]) -> list[str]:
    starts = [start for start, _ in spans]
    ends = [*(start for start in starts[1:]), None]
    first = [0, *starts[1:]]  # a right-aligned first column may stick out to the left
    return [text[a:b].strip() for a, b in zip(first, ends, strict=True)]


def _join_pages(tables: list[RawTable]) -> list[RawTable]:
    """Join the tables that have the same names: the pages of one listing."""
    joined: dict[tuple[str, ...], RawTable] = {}
    for table in tables:
        key = tuple(name_key(name) for name in table.columns)
        if key in joined:
            joined[key].rows.extend(table.rows)
            joined[key].issues.extend(table.issues)
        else:
            joined[key] = table
    return list(joined.values())


def read_piped(document: Document) -> list[RawTable]:
    """Return the Markdown tables of a text, or the board that a client prints."""
    lines = document.text.split("\n")
    for index, line in enumerate(lines):
        names = [cell for cell in _pipe_cells(line) if cell] if "|" in line else []
        if names in _BOARDS:
            return [_board(document.source, lines, index, names)]
    tables = []
    for index in range(1, len(lines)):
        above = lines[index - 1]
        if "|" in above and _PIPE_RULER.fullmatch(lines[index]):
            tables.append(_markdown(document.source, lines, index))
    return tables


def _markdown(source: str, lines: list[str], ruler: int) -> RawTable:
    names = tuple(_pipe_cells(lines[ruler - 1]))
    rows: list[RawRow] = []
    issues: list[RowIssue] = []
    between: list[RowIssue] = []  # said only where the table goes on behind them
    for number, line in enumerate(lines[ruler + 1 :], ruler + 2):
        if number < len(lines) and "|" in line and _PIPE_RULER.fullmatch(lines[number]):
            break  # the heading of another table
        cells = _pipe_cells(line) if "|" in line else []
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if (not cells or between) and len(cells) != len(names):
            if line.strip() or not between:
                between.append(skipped_line(source, number, line, "a row of the table"))
            continue
        issues += (issue for issue in between if issue.found)
        between = []
        if len(cells) > len(names):
            action = "row skipped"
            issues.append(wrong_width(source, number, cells, len(names), action))
            continue
        if len(cells) < len(names):
            action = "absent cells taken as missing"
            issues.append(wrong_width(source, number, cells, len(names), action))
            cells += [""] * (len(names) - len(cells))
        rows.append(RawRow(number, cells))
    return RawTable(
        source=source,
        shape="markdown",
        columns=names,
        rows=rows,
        issues=issues,
        title=_title_above(lines, ruler - 1),
    )


def _title_above(lines: list[str], heading: int) -> str | None:
    """Return the heading that a table stands below, or the line right above it."""
    above = [line.strip() for line in lines[max(0, heading - _TITLE_REACH) : heading]]
    filled = [line for line in above if line]
    if filled and len(filled[-1]) <= _LONGEST_TITLE and "|" not in filled[-1]:
        last = _MARKDOWN_HEADING.fullmatch(filled[-1])
        return (last.group(1) if last else filled[-1]).strip("*_:` #") or None
    for line in reversed(filled):
        found = _MARKDOWN_HEADING.fullmatch(line)
        if found is not None:
            return found.group(1).strip("*_:` #") or None
        if "|" in line:
            return None
    return None


def _pipe_cells(line: str) -> list[str]:
    text = line.strip()
    text = text.removeprefix("|")
    if text.endswith("|") and not text.endswith("\\|"):
        text = text[:-1]
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", text)]


def _board(source: str, lines: list[str], heading: int, names: list[str]) -> RawTable:
    """Read the printed board, whose last column is the comment and may hold pipes."""
    rows: list[RawRow] = []
    issues: list[RowIssue] = []
    last = len(names) - 1
    for number, line in enumerate(lines[heading + 1 :], heading + 2):
        if _BOARD_RULER.fullmatch(line):
            continue
        cells = [
            cell.strip() for cell in line.strip().removeprefix("|").split("|", last)
        ]
        if len(cells) == len(names):
            cells[-1] = cells[-1].removesuffix("|").rstrip()
            if cells != names:
                rows.append(RawRow(number, cells))
        elif rows and "|" not in line:  # a comment that holds a newline
            start, before = rows[-1]
            comment = f"{before[-1]}\n{line.strip()}"
            rows[-1] = RawRow(start, [*before[:-1], comment])
        else:
            issues.append(skipped_line(source, number, line, "a row of the board"))
    return RawTable(
        source=source, shape="board", columns=tuple(names), rows=rows, issues=issues
    )


def read_labels(document: Document) -> list[RawTable]:
    """Return a log of ``Label: value`` lines as a table of one row per entry.

    An entry begins at a Markdown heading, or where a label occurs again. Lines such
    as ``V1: 0.766 CV -> 0.868 Public`` are entries of their own.
    """
    found = list(_label_entries(document.text))
    entries = [(line, e) for line, e in found if known_fields(e) & _SCORES]
    if not entries:
        return []
    issues = [
        skipped_line(document.source, line, ", ".join(e), "a label with a public score")
        for line, e in found
        if known_fields(e) & _ABOUT_A_TRIAL and not known_fields(e) & _SCORES
    ]
    names = tuple(dict.fromkeys(name for _, entry in entries for name in entry))
    check_size(document.source, len(entries), len(names))
    rows = [RawRow(line, [e.get(name) for name in names]) for line, e in entries]
    return [
        RawTable(
            source=document.source,
            shape="labels",
            columns=names,
            rows=rows,
            issues=issues,
        )
    ]


def _label_entries(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    start, entry = 0, dict[str, str]()
    for number, line in enumerate(text.split("\n"), 1):
        arrow = _ARROW_LINE.match(line)
        heading = _MARKDOWN_HEADING.match(line)
        label = _LABEL.match(line)
        if arrow is not None:
            name, cv, kind, public, rest = arrow.groups()
            values = {"name": f"{name.strip()}{rest.rstrip()}", kind: cv}
            yield number, values | {"public_score": public}
        elif heading is not None:
            yield start, entry
            start, entry = number, _heading_entry(heading.group(1))
        elif label is not None:
            name = label.group(1).strip()
            if name in entry:
                yield start, entry
                start, entry = number, {}
            start = start or number
            entry[name] = label.group(2).strip()
    yield start, entry


def _heading_entry(text: str) -> dict[str, str]:
    date = _DATE_IN_HEADING.search(text)
    if date is None:
        return {"title": text.strip()}
    title = (text[: date.start()] + text[date.end() :]).strip(" -–—:")
    return {"title": title, "date": date.group(1)}
