"""Tables of marked-up text: HTML, LaTeX tabular and reStructuredText."""

from __future__ import annotations

import csv
import html
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.tables.raw import RawTable, grid_table
from lbsense.ingest.tables.source import Document

# --- LaTeX ---------------------------------------------------------------------------

_BEGIN = re.compile(r"\\begin\{(tabular[*xy]?|tabulary|longtable|array)\}")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot"
    r"|addlinespace)\b(?:\[[^\]\n]{0,40}\])?"
    r"|\\(?:cline|cmidrule)(?:\([^)\n]{0,20}\))?\{[^}\n]{0,20}\}"
)
_COMMENT = re.compile(r"(?<!\\)%.*")
_MULTI = re.compile(
    r"\\multi(?:column|row)\*?\{(\d{1,2}|\*)\}\{[^{}\n]{0,60}\}\{([^{}\n]*)\}"
)
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?\s?")
_SYMBOLS = {"pm": "±", "times": "×"}
_SYMBOLS |= {"approx": "≈", "sim": "≈", "rightarrow": "→", "to": "→"}


def read_marked(document: Document) -> list[RawTable]:
    """Return the tables of a text in LaTeX or reStructuredText."""
    return [*_latex(document), *_restructured(document)]


def _latex(document: Document) -> list[RawTable]:
    text = document.text
    tables = []
    unclosed: set[str] = set()
    line, at = 1, 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < at or begin.group(1) in unclosed:
            continue
        further = _BEGIN.search(text, begin.end())
        before = len(text) if further is None else further.start()
        closing = f"\\end{{{begin.group(1)}}}"
        end = text.rfind(closing, begin.end(), before)
        end = text.find(closing, before) if end < 0 else end
        if end < 0:  # cut off
            end = before
            unclosed.add(begin.group(1))
        line += text.count("\n", at, begin.end())
        body = _without_options(text[begin.end() : end])
        rows = list(_by_lines(list(_latex_rows(body, line))))
        line += text.count("\n", begin.end(), end)
        at = end
        table = grid_table(document.source, "latex", rows)
        tables += [] if table is None else [table]
    return tables


def _without_options(body: str) -> str:
    """Drop the width and the alignment that follow the name of the environment."""
    at = 0
    while at < len(body) and body[at] in "[{ ":
        opening, depth = body[at], 0
        closing = {"[": "]", "{": "}", " ": " "}[opening]
        while at < len(body):
            depth += body[at] == opening != closing
            depth -= body[at] == closing != opening
            at += 1
            if depth <= 0:
                break
        if body[at : at + 1] == "\n":
            break
    return body[at:]


def _latex_rows(body: str, line: int) -> Iterator[tuple[int, str]]:
    text = "\n".join(_COMMENT.sub("", part) for part in body.split("\n"))
    for row in re.split(r"\\\\(?:\[[^\]\n]{0,20}\])?|\\tabularnewline\b", text):
        shown = _RULES.sub("", row)
        lead = len(shown) - len(shown.lstrip("\n "))
        if shown.strip():
            yield line + shown.count("\n", 0, lead), shown.strip("\n ")
        line += row.count("\n")


def _by_lines(rows: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every row; lines alone where the end of a row is damaged."""
    width = len(_latex_cells(rows[0][1])) if rows else 0
    for line, text in rows:
        cells = _latex_cells(text)
        if len(cells) <= width or "\n" not in text:
            yield line, cells
            continue
        for number, part in enumerate(text.split("\n"), line):
            if part.strip():
                yield number, _latex_cells(part)


def _latex_cells(row: str) -> list[str]:
    cells: list[str] = []
    for cell in re.split(r"(?<!\\)&", row):
        found = _MULTI.search(cell)
        text = cell if found is None else _MULTI.sub(lambda match: match[2], cell)
        spanned = found is not None and "multicolumn" in found.group(0)
        n_columns = int(found.group(1)) if found and spanned else 1
        cells += [_latex_text(text)] * min(n_columns, 50)
    return cells


def _latex_text(cell: str) -> str:
    plain = _COMMAND.sub(lambda command: _SYMBOLS.get(command[1], " "), cell)
    text = re.sub(r"\\([%&_#$])", "\\1", plain)
    return " ".join(re.sub(r"[{}$]", "", text).replace("~", " ").split())


# --- reStructuredText ----------------------------------------------------------------

_SIMPLE_RULER = re.compile(r" *={2,}(?: +={2,})+ *")
_GRID_RULER = re.compile(r" *\+(?:[-=]+\+)+ *")
_INNER_RULER = re.compile(r" *[+|](?:[-=]+[+|])+ *")
_BOXES = str.maketrans(
    {
        **dict.fromkeys("│┃┆┇┊┋║╎╏", "|"),
        **dict.fromkeys("┌┬┐├┼┤└┴┘╭╮╰╯┏┳┓┣╋┫┗┻┛┡╇┩┠╂┨╞╪╡╟╫╢╔╦╗╠╬╣╚╩╝", "+"),
        **dict.fromkeys("─┄┈╌", "-"),
        **dict.fromkeys("━═╍", "="),
    }
)
_NUMERIC = re.compile(r"[*_+−-]{0,3}\d*\.?\d")
_DIRECTIVE = re.compile(r"( *)\.\. (csv-table|list-table)::")
_OPTION = re.compile(r"\s*:([a-z-]+):\s*(.*)")
_BULLET = re.compile(r"(\*)\s+(-)\s*(.*)|(-)\s*(.*)")


def _restructured(document: Document) -> list[RawTable]:
    """Return the tables of reStructuredText: simple, grid, csv and list tables.

    What a terminal or a database draws with signs or lines is a grid table too.
    """
    lines = document.text.translate(_BOXES).split("\n")
    tables = []
    at = 0
    while at < len(lines):
        directive = _DIRECTIVE.match(lines[at])
        after, rows, n_heading = at + 1, list[tuple[int, list[str]]](), 1
        if directive is not None:
            after, rows, n_heading = _directive(lines, at, directive)
        elif _SIMPLE_RULER.fullmatch(lines[at]):
            after, rows, n_heading = _simple(lines, at)
        elif _GRID_RULER.fullmatch(lines[at]):
            after, rows, n_heading = _grid(lines, at)
        if rows:
            table = grid_table(
                document.source, "restructured text", rows, n_heading=n_heading
            )
            tables += [] if table is None else [table]
        at = after
    return tables


def _simple(
    lines: Sequence[str], at: int
) -> tuple[int, list[tuple[int, list[str]]], int]:
    """Cut the lines between three rulers of equals signs where the first one says."""
    rulers = [at]
    starts = [found.start() for found in re.finditer("=+", lines[at])]
    end = at + 1
    while end < len(lines):
        if _SIMPLE_RULER.fullmatch(lines[end]):
            rulers.append(end)
        elif not lines[end].strip() and not _goes_on(lines, end, starts, rulers):
            break
        end += 1
    if len(rulers) < 2:
        return at + 1, [], 1
    ends = [*starts[1:], None]
    rows: list[tuple[int, list[str]]] = []
    n_heading = 1
    ruled_at = set(rulers)
    for index in range(at + 1, end):
        if index in ruled_at:
            n_heading = max(len(rows), 1) if index == rulers[1] < end - 1 else n_heading
            continue
        line = lines[index]
        cells = [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
        ruled = line.strip() and not line.strip(" -")
        if rows and n_heading < len(rows) and not cells[0] and any(cells):
            before = rows[-1]  # the text goes on
            joined = zip(before[1], cells, strict=True)
            rows[-1] = before[0], [" ".join(pair).strip() for pair in joined]
        elif any(cells) and not ruled:
            rows.append((index + 1, cells))
    return end, rows, n_heading


def _goes_on(
    lines: Sequence[str], at: int, starts: list[int], rulers: list[int]
) -> bool:
    """Say whether a simple table goes on behind an empty line, which is damage."""
    following = lines[at + 1] if at + 1 < len(lines) else ""
    if (len(rulers) > 2 and rulers[-1] == at - 1) or _SIMPLE_RULER.fullmatch(following):
        return False
    return all(
        following[start - 1 : start] == " " != following[start : start + 1] != ""
        for start in starts[1:]
    )


def _grid(
    lines: Sequence[str], at: int
) -> tuple[int, list[tuple[int, list[str]]], int]:
    """Cut the lines between rulers of plus signs.

    With a ruler below every row, the lines between two are one row; with three in all,
    as databases and terminals draw it, a line without a first cell goes on.
    """
    end = at + 1
    while end < len(lines) and (_is_drawn(lines[end]) or _is_gap(lines, end)):
        end += 1
    n_rulers = sum(map(bool, map(_INNER_RULER.fullmatch, lines[at:end])))
    starts = [found.start() for found in re.finditer(r"\+", lines[at])]
    spans = list(itertools.pairwise(starts))
    rows: list[tuple[int, list[str]]] = []
    n_heading, is_open = 0, False
    for index in range(at + 1, end):
        line = lines[index]
        if not line.lstrip().startswith("|") or _INNER_RULER.fullmatch(line):
            if line.count("=") > line.count("-") and _INNER_RULER.fullmatch(line):
                n_heading = n_heading or len(rows)
            is_open = False
            continue
        cells = [line[a + 1 : b].strip() for a, b in spans]
        if (
            is_open
            and (n_rulers > 3 or not cells[0])
            and not _are_two(rows[-1][1], cells)
        ):
            joined = zip(rows[-1][1], cells, strict=True)
            rows[-1] = rows[-1][0], [" ".join(pair).strip() for pair in joined]
        else:
            rows.append((index + 1, cells))
        is_open = True
    n_heading = n_heading or 1
    if n_heading > 1 and not "".join(rows[1][1]).strip("- "):
        rows[1:n_heading] = []  # the types of the columns, below dashes
        n_heading = 1
    return end, rows, n_heading


def _is_drawn(line: str) -> bool:
    return line.lstrip().startswith(("|", "+"))


def _is_gap(lines: Sequence[str], at: int) -> bool:
    """Say whether a line that is not drawn stands inside a drawn table: damage."""
    before, after = lines[at - 1], lines[at + 1] if at + 1 < len(lines) else ""
    if not _is_drawn(before) or not _is_drawn(after):
        return False
    if not _INNER_RULER.fullmatch(after) or "=" in before:
        return True
    if not _INNER_RULER.fullmatch(before):
        return bool(lines[at].strip()) or before.count("|") == after.count("+")
    # Between two rulers: a row of this table, or the space before another.
    further = lines[at + 3] if at + 3 < len(lines) else ""
    return before.strip() == after.strip() and "=" not in further


def _are_two(above: Sequence[str], below: Sequence[str]) -> bool:
    """Say whether the cells of two lines are two rows, not one that goes on."""
    pairs = list(zip(above, below, strict=True))
    return all(a and b for a, b in pairs) or any(
        _NUMERIC.match(a) and _NUMERIC.match(b) for a, b in pairs[1:]
    )


def _directive(
    lines: Sequence[str], at: int, directive: re.Match[str]
) -> tuple[int, list[tuple[int, list[str]]], int]:
    indent = len(directive.group(1))
    end = at + 1
    while end < len(lines) and (
        not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip(" ")) > indent
    ):
        end += 1
    body = [(i + 1, lines[i]) for i in range(at + 1, end) if lines[i].strip()]
    options: dict[str, tuple[int, str]] = {}
    while body and (option := _OPTION.match(body[0][1])):
        options[option.group(1)] = body[0][0], option.group(2)
        body = body[1:]
    stated = options.get("header-rows", (0, ""))[1]
    n_heading = int(stated) if stated.isdigit() and len(stated) < 3 else 1
    if directive.group(2) == "list-table":
        return end, _bullets(body), n_heading
    delimiter = {"tab": "\t", "space": " "}.get(
        options.get("delim", (0, ","))[1], options.get("delim", (0, ","))[1]
    )
    rows = [(number, _csv_cells(line.strip(), delimiter)) for number, line in body]
    if "header" in options:
        number, heading = options["header"]
        rows.insert(0, (number, _csv_cells(heading, delimiter)))
        n_heading = 1
    return end, rows, n_heading


def _csv_cells(line: str, delimiter: str) -> list[str]:
    one = delimiter if len(delimiter) == 1 and delimiter not in '"\r\n' else ","
    try:
        reader = csv.reader([line], delimiter=one, skipinitialspace=one != " ")
        return [cell.strip() for cell in next(reader, [])]
    except csv.Error:  # a cell beyond the limit of the module
        return line.split(one)


def _bullets(body: Sequence[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    rows: list[tuple[int, list[str]]] = []
    for number, line in body:
        bullet = _BULLET.match(line.strip())
        if bullet is not None and bullet.group(1):
            rows.append((number, [bullet.group(3)]))
        elif bullet is not None and rows:
            rows[-1][1].append(bullet.group(5))
        elif rows and rows[-1][1]:
            rows[-1][1][-1] = f"{rows[-1][1][-1]} {line.strip()}".strip()
    return rows


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
    ended: bool = False
    text: list[str] = field(default_factory=list)
    cell: tuple[bool, int, int] | None = None

    def begin_row(self, line: int) -> None:
        self.end_cell()
        self.ended = False
        self.rows.append((line, []))
        self.n_heading += self.in_heading

    def begin_cell(self, line: int, rest: str, *, is_heading: bool) -> None:
        self.end_cell()
        if not self.rows or self.ended:
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


def _grids(text: str) -> list[_Grid]:
    """Return the tables in the order in which they end.

    Rows behind the end of a table, and those of one that begins in an open one, belong
    to it: the mark that says otherwise is damaged.
    """
    text = _without_comments(text)
    found: list[_Grid] = []
    stack: list[_Grid] = []
    inner: dict[int, _Grid] = {}
    taken: set[int] = set()
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
            if not stack or stack[-1].cell is not None:
                stack.append(_Grid(line))
        elif stack and name == "table":
            stack[-1].end_cell()
            if len(stack) > 1:
                inner[id(stack[-2])] = stack[-1]
            found.append(stack.pop())
        elif stack or (found and name == "tr" and not closes):
            if not stack:
                stack.append(found.pop())
            _take(stack[-1], name, tag["rest"], line, closes=closes)
    while stack:
        grid = stack.pop()
        grid.end_cell()
        within = inner.get(id(grid))
        if within is not None and not _n_heading_rows(within):
            grid.rows += within.rows
            taken.add(id(within))
        found.append(grid)
    return [grid for grid in found if id(grid) not in taken]


def _take(grid: _Grid, name: str, rest: str, line: int, *, closes: bool) -> None:
    if name == "tr" and not closes:
        grid.begin_row(line)
    elif name in _CELLS and not closes:
        grid.begin_cell(line, rest, is_heading=name == "th")
    elif name in _CELLS or name == "tr":
        grid.end_cell()
        grid.ended = grid.ended or name == "tr"
    elif name == "thead":
        grid.in_heading = not closes and len(grid.rows) == grid.n_heading
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
    """Count the first rows of headings: one, or more that complete each other."""
    count = 0
    for _, cells in grid.rows:
        whole = count and all(cell.text and cell.columns == 1 for cell in cells)
        spanned = count and any(cell.columns > 1 for cell in grid.rows[count - 1][1])
        if not cells or not all(cell.is_heading for cell in cells):
            break
        if whole and not spanned and len(cells) >= len(grid.rows[0][1]):
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
