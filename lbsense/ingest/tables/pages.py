"""Tables of HTML: in pages, in exports of notebooks, inside Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.raw import RawTable, grid_table
from lbsense.ingest.tables.source import Document

_MAX_CELLS = 1_000_000
_MAX_SPAN = 30
# Every repetition stops at the next "<", so that no text is searched twice.
_TAG = re.compile(
    r"<(?P<slash>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]{0,20})(?![\w])"
    r"(?P<rest>(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>"
)
_SPAN = re.compile(r"\b(colspan|rowspan)\s*=\s*[\"']?\s*(\d{1,6})", re.IGNORECASE)
_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>([^<]{0,300})", re.IGNORECASE)
_PASSWORD = re.compile(r"<input[^<>]{0,500}type\s*=\s*[\"']?password", re.IGNORECASE)
_LOGIN = re.compile(
    r"\b(?:sign[ -]?in|log[ -]?in|login|sign[ -]?up|register|anmelden|connexion"
    r"|iniciar sesi[oó]n|entrar)\b|登录|登入|ログイン|로그인|вход",
    re.IGNORECASE,
)
_COMPETITION = re.compile(
    r"(?:kaggle\.com/(?:competitions|c)|zindi\.africa/competitions)/([\w-]{3,80})"
)
_SILENT = ("script", "style", "template", "noscript")
_BREAKS = frozenset(("br", "p", "div", "li"))
_CELLS = ("td", "th")


class _Cell(NamedTuple):
    text: str
    is_heading: bool
    columns: int
    rows: int


@dataclass(slots=True)
class _Grid:
    """A table while its tags go by."""

    line: int
    rows: list[tuple[int, list[_Cell]]] = field(default_factory=list)
    n_heading: int = 0
    in_heading: bool = False
    is_open: bool = False
    text: list[str] = field(default_factory=list)
    cell: tuple[bool, int, int] | None = None

    def begin_row(self, line: int) -> None:
        self.end_cell()
        self.rows.append((line, []))
        self.n_heading += self.in_heading

    def begin_cell(self, line: int, rest: str, *, is_heading: bool) -> None:
        self.end_cell()
        if not self.rows:
            self.begin_row(line)
        spans = {name.lower(): int(size) for name, size in _SPAN.findall(rest)}
        columns = min(max(spans.get("colspan", 1), 1), _MAX_SPAN)
        rows = min(max(spans.get("rowspan", 1), 1), 30 * _MAX_SPAN)
        self.cell, self.text = (is_heading, columns, rows), []

    def end_cell(self) -> None:
        if self.cell is None:
            return
        text = " ".join(html.unescape("".join(self.text)).split())
        self.rows[-1][1].append(_Cell(text, *self.cell))
        self.cell = None


def is_page(document: Document) -> bool:
    """Say whether a text is a whole web page."""
    return _PAGE.match(document.text[:2000]) is not None


def read_html(document: Document) -> list[RawTable]:
    """Return every table of a text that holds HTML, those inside others as well.

    A table without a row below its heading is none. Tags that are never closed do no
    harm: a row ends where the next one begins.
    """
    if "<table" not in document.text.lower():
        return []
    tables = []
    n_cells = 0
    for grid in _grids(document.text):
        rows = []
        for line, cells in _spread(grid):
            n_cells += len(cells)
            if n_cells > _MAX_CELLS:
                msg = (
                    f"{document.source}: tables of more than {_MAX_CELLS:,} cells, far "
                    "beyond one history. Cut out the table of the submissions."
                )
                raise IngestError(msg)
            rows.append((line, cells))
        n_heading = max(grid.n_heading or _n_heading_rows(grid), 1)
        table = grid_table(document.source, "html", rows, n_heading=n_heading)
        if table is not None:
            tables.append(table)
    return tables


def preformatted(document: Document) -> Iterator[Document]:
    """Yield the blocks of text that stand in a page as they were printed."""
    start: int | None = None
    line, at = 1, 0
    for tag in _TAG.finditer(document.text):
        if tag["name"].lower() != "pre":
            continue
        if not tag["slash"]:
            start = tag.end()
        elif start is not None:
            text = _TAG.sub("", document.text[start : tag.start()])
            line += document.text.count("\n", at, start)
            at = start
            source = f"{document.source}, text at line {line}"
            yield Document(source=source, text=html.unescape(text))
            start = None


def page_message(document: Document) -> str:
    """Say of a page without a table what it is: of a competition, or to sign in at."""
    text = document.text[:2_000_000]
    found = _TITLE.search(text)
    title = " ".join(html.unescape(found.group(1)).split()) if found else ""
    named = f" titled {shorten(title, 80)!r}" if title else ""
    slug = _COMPETITION.search(text)
    if _LOGIN.search(title) or _PASSWORD.search(text) or not (slug or title):
        return (
            f"{document.source}: a web page{named}, not a table. A download without "
            "signing in saves such a page: sign in, or use the command of `lbsense "
            "formats`."
        )
    of = f" of the competition {slug.group(1)}" if slug else ""
    return (
        f"{document.source}: a web page{named} saved from the browser{of}, without a "
        "table in it: the site draws its lists by script, and the browser does not "
        "save them. Export the submissions instead: `kaggle competitions submissions "
        f"-c {slug.group(1) if slug else 'SLUG'} --csv --page-size 200`; see `lbsense "
        "formats`."
    )


def _grids(text: str) -> Iterator[_Grid]:
    """Yield the tables in the order in which they end."""
    text = _without_comments(text)
    stack: list[_Grid] = []
    at, line = 0, 1
    silent: str | None = None
    for tag in _TAG.finditer(text):
        if stack and stack[-1].cell is not None and silent is None:
            stack[-1].text.append(text[at : tag.start()])
        line += text.count("\n", at, tag.end())
        at = tag.end()
        name, closes = tag["name"].lower(), bool(tag["slash"])
        if silent is not None:
            silent = None if closes and name == silent else silent
        elif name in _SILENT:
            silent = None if closes or tag["rest"].endswith("/") else name
        elif name == "table" and not closes:
            stack.append(_Grid(line))
        elif stack and name == "table":
            stack[-1].end_cell()
            yield stack.pop()
        elif stack:
            _take(stack[-1], name, tag["rest"], line, closes=closes)
    while stack:
        stack[-1].end_cell()
        yield stack.pop()


def _take(grid: _Grid, name: str, rest: str, line: int, *, closes: bool) -> None:
    if name == "tr" and not closes:
        grid.begin_row(line)
    elif name in _CELLS and not closes:
        grid.begin_cell(line, rest, is_heading=name == "th")
    elif name in _CELLS or name == "tr":
        grid.end_cell()
    elif name == "thead":
        grid.in_heading = not closes
    elif name == "tbody":
        grid.in_heading = False
    elif grid.cell is not None and name in _BREAKS:
        grid.text.append(" ")


def _without_comments(text: str) -> str:
    """Blank the comments of a text, whose lines are kept; an open one to the end."""
    pieces, at = [], 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 4)
        end = len(text) if end < 0 else end + 3
        pieces += [text[at:start], "\n" * text.count("\n", start, end)]
        at = end
    return "".join([*pieces, text[at:]])


def _n_heading_rows(grid: _Grid) -> int:
    count = 0
    for _, cells in grid.rows:
        if not cells or not all(cell.is_heading for cell in cells):
            break
        count += 1
    return count if count < len(grid.rows) else 0


def _spread(grid: _Grid) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with every cell in each column and row that it spans."""
    below: dict[int, tuple[int, str]] = {}  # by column: rows still to fill, and text
    for line, cells in grid.rows:
        row: list[str] = []

        def fill(row: list[str] = row) -> None:
            while len(row) in below:
                left, text = below.pop(len(row))
                if left > 1:
                    below[len(row)] = left - 1, text
                row.append(text)

        for cell in cells:
            fill()
            for _ in range(cell.columns):
                if cell.rows > 1:
                    below[len(row)] = cell.rows - 1, cell.text
                row.append(cell.text)
        fill()
        yield line, row
