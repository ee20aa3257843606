"""Tables for the eye: cut at a ruler, between pipes, one label a line, or printed."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lbsense.ingest.cv.heading import (
    field_of,
    is_heading,
    is_number,
    known_fields,
    name_key,
)
from lbsense.ingest.platforms import PLATFORMS
from lbsense.ingest.tables.dates import age_of
from lbsense.ingest.tables.delimited import is_known_noise
from lbsense.ingest.tables.raw import (
    RawRow,
    RawTable,
    check_size,
    grid_table,
    read_status,
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
_INVISIBLE = " \t\r\u200b\ufeff\xa0"
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
_SCORED = re.compile(
    r"(?<![^\W_])(?:(?P<cv>cv|oof|loo|local(?: cv)?|valid(?:ation)?|val)"
    r"|(?P<public>lb|plb|public(?: lb)?|kaggle)|(?P<private>private(?: lb)?))"
    rf"(?: score)?\**+ ?[:=：]?\s?{_NUMBER}(?![\d.]*%)",
    re.IGNORECASE,
)
_BEFORE_NAME = re.compile(r"[\s>*#+/-]*+(?:\d{1,3}[.)]\s)?[\s*_`]*+")
_FEWEST_LINES, _LONGEST_ITEM = 3, 500
_MARKS = " \t*_`:：,;|()[]-–—→>=#"
_STATE_PARTS = re.compile(r"[·•]|\sby\s")
_PASTED_SCORE = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_PASTED_HEAD = 8  # names of columns, and what stands before them
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
    # Below the first one a ruler without a heading is a damaged row.
    rulers = [i for n, i in enumerate(rulers) if not n or _is_ruled_heading(lines, i)]
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


def _is_ruled_heading(lines: list[str], ruler: int) -> bool:
    spans = [found.span() for found in re.finditer("-+", lines[ruler])]
    return is_heading(_cut(lines[ruler - 1], spans))


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
    rulers = list(_pipe_rulers(lines))
    ends = [ruler - 1 for ruler in rulers[1:]]
    return [
        _markdown(document.source, lines, ruler, end)
        for ruler, end in itertools.zip_longest(rulers, ends, fillvalue=len(lines))
    ]


def _pipe_rulers(lines: list[str]) -> Iterator[int]:
    """Yield the rulers that tables begin with; inside one, those below a heading."""
    inside = False
    for index, (above, line) in enumerate(itertools.pairwise(lines), 1):
        is_ruler = _PIPE_RULER.fullmatch(line) is not None
        inside = inside and ("|" in line or is_ruler)
        if "|" in above and is_ruler:
            if not inside or is_heading(_pipe_cells(above)):
                yield index
            inside = True


def _markdown(source: str, lines: list[str], ruler: int, end: int) -> RawTable:
    names = tuple(_pipe_cells(lines[ruler - 1]))
    rows: list[RawRow] = []
    issues: list[RowIssue] = []
    between: list[RowIssue] = []  # said only where the table goes on behind them
    for number, line in enumerate(lines[ruler + 1 : end], ruler + 2):
        if _PIPE_RULER.fullmatch(line):
            continue
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


def read_pasted(document: Document) -> list[RawTable]:
    """Return the submissions of a page that was copied from the browser as text.

    The names of its columns stand below each other or between tabs; a submission is
    its file, a line such as "Complete · 2d ago · comment", and its scores. The newest
    come first, also where the page was sorted otherwise.
    """
    cells = [
        (number, text)
        for number, line in enumerate(document.text.split("\n"), 1)
        for cell in line.split("\t")
        if (text := cell.strip(_INVISIBLE))
    ]
    states = [at for at, (_, text) in enumerate(cells) if at and _state(text)]
    starts = [at - _is_file(cells[at - 1][1]) for at in states]
    first = starts[0] if starts else 0
    head = [text for _, text in cells[max(0, first - _PASTED_HEAD) : first]]
    names = [text for text in head if known_fields([text]) & _SCORES]
    if not states or not names:
        return []
    rows: list[tuple[float, RawRow]] = []
    issues: list[RowIssue] = []
    for at, start, end in zip(states, starts, [*starts[1:], len(cells)], strict=True):
        number, text = cells[at]
        file = cells[start][1] if start < at else ""
        status, age, comment = _state(text) or ("", "", "")
        below = [cell for cell in cells[at + 1 : end] if cell[1] not in head]
        begin = next(
            (n for n, (_, cell) in enumerate(below) if _PASTED_SCORE.fullmatch(cell)),
            None,
        )
        words = [text for _, text in below[:begin]]
        scores = [text for _, text in below[len(words) : len(words) + len(names)]]
        width = len(names)
        sound = all(map(_PASTED_SCORE.fullmatch, scores))
        if not sound or 0 < len(scores) < width:
            action = "scores taken as missing"
            issues.append(wrong_width(document.source, number, scores, width, action))
            scores = []
        issues += [
            skipped_line(document.source, line, text, "a file, its state and scores")
            for line, text in below[len(words) + len(names) :]
        ]
        scores += [""] * (len(names) - len(scores))
        described = "\n".join(filter(None, (comment, *words)))
        row = RawRow(number, [file, status, age, described, *scores])
        rows.append((age_of(age) or 0.0, row))
    return [
        RawTable(
            source=document.source,
            shape="copied page",
            columns=("file name", "status", "age", "description", *names),
            rows=[row for _, row in sorted(rows, key=lambda pair: pair[0])],
            issues=issues,
        )
    ]


def _is_file(text: str) -> bool:
    """Say whether what stands before a state is the file of the same submission."""
    return not (_PASTED_SCORE.fullmatch(text) or known_fields([text]) & _SCORES)


def _state(text: str) -> tuple[str, str, str] | None:
    """Return status, age and comment of "Complete · 2d ago · comment", else None."""
    parts = [part.strip() for part in _STATE_PARTS.split(text, maxsplit=4)]
    ages = [n for n, part in enumerate(parts[:3]) if age_of(part) is not None]
    if not ages or len(parts) < 2:
        return None
    age = parts[ages[0]]
    status = re.sub(r"\([^()]*+\)", "", parts[0]).strip() if ages[0] else ""
    return status, age, text.partition(age)[2].strip(" ·•") if ages[0] else ""


def read_labels(document: Document) -> list[RawTable]:
    """Return a log of ``Label: value`` lines as a table of one row per entry.

    An entry begins at a Markdown heading, or where a label occurs again. Lines such
    as ``V1: 0.766 CV -> 0.868 Public`` are entries of their own; so are, where there
    is no other, the items of a list or the lines of a comment such as ``base: CV 0.766,
    LB 0.868``.
    """
    found = list(_label_entries(document.text))
    entries = [(line, e) for line, e in found if known_fields(e) & _SCORES]
    listed = list(_listed_entries(document.text))
    scored = [(line, e) for line, e in listed if "public_score" in e]
    if len(scored) > max(_FEWEST_LINES - 1, len(entries)):
        found, entries = listed, scored
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


def _listed_entries(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines that give a name, a CV score and a public score."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > _LONGEST_ITEM or "|" in line.strip(" |")[:1]:
            continue
        scores: dict[str, str] = {}
        places: list[re.Match[str]] = []
        for found in _SCORED.finditer(line):
            kind = next(name for name, word in found.groupdict().items() if word)
            value = next(group for group in found.groups()[::-1] if group)
            if kind not in scores:
                places.append(found)
            scores.setdefault(kind, value)
        if not places or ("public" in scores and len(scores) < 2):
            continue
        start = _BEFORE_NAME.match(line)
        name = line[start.end() if start else 0 : places[0].start()]
        date = _DATE_IN_HEADING.search(name)
        name = name if date is None else name[: date.start()] + name[date.end() :]
        rest = line[places[-1].end() :].strip(_MARKS)
        name = f"{name.strip(_MARKS)} {rest}".strip()
        entry = {"name": name} if name else {}
        entry |= {} if date is None else {"date": date.group(1)}
        named = {"cv": "CV", "public": "public_score", "private": "private_score"}
        yield number, entry | {named[kind]: value for kind, value in scores.items()}


def _heading_entry(text: str) -> dict[str, str]:
    date = _DATE_IN_HEADING.search(text)
    if date is None:
        return {"title": text.strip()}
    title = (text[: date.start()] + text[date.end() :]).strip(" -–—:")
    return {"title": title, "date": date.group(1)}


_MAX_WIDTH = 2000
_MAX_ODD = 3  # damaged lines of a printed frame
_SHAPE = re.compile(r"\s*\[\d+ rows x \d+ columns\]\s*")
_DOTS = re.compile(r"\s*\.{2,3}(?:\s+\.{2,3})*\s*")
_Block = tuple[int, list[str]]  # number of its first line, and its lines


def read_printed(document: Document) -> list[RawTable]:
    """Return the data frames that stand in a text as pandas prints them.

    A frame begins at a line of known names and ends at the next empty line. One that
    was too wide, and so is printed in parts that end with a backslash, is put
    together again; rows that the print left out are named.
    """
    blocks = _blocks(document.text.split("\n"))
    tables = []
    at = 0
    while at < len(blocks):
        at, table = _frame(document.source, blocks, at)
        tables += [] if table is None else [table]
    return tables


def _blocks(lines: Sequence[str]) -> list[_Block]:
    """Return the runs of lines that are not empty, tabs as blanks."""
    blocks: list[_Block] = []
    open_ = False
    for number, line in enumerate(lines, 1):
        text = line.expandtabs().rstrip()
        if not text or len(text) > _MAX_WIDTH or text.startswith(("```", "~~~")):
            open_ = False
        elif open_:
            blocks[-1][1].append(text)
        else:
            blocks.append((number, [text]))
            open_ = True
    return blocks


def _frame(
    source: str, blocks: Sequence[_Block], at: int
) -> tuple[int, RawTable | None]:
    """Return the block after the frame that begins in this one, if one does."""
    number, lines = blocks[at]
    following = blocks[at + 1] if at + 1 < len(blocks) else (0, [])
    if following[0] == number + len(lines) + 1 and _is_heading(
        [lines[-1], *following[1][:2]]
    ):
        lines = [*lines, "", *following[1]]  # an empty line below the heading
        at += 1
    first = next(
        (i for i in range(len(lines) - 1) if _is_heading(lines[i : i + 4])), None
    )
    if first is None:
        return at + 1, None
    start, parts = number + first, [lines[first:]]
    after = at + 1
    while parts[-1][0].endswith("\\") and after < len(blocks):
        if len(blocks[after][1]) < len(parts[0]):
            break
        parts.append(blocks[after][1])
        after += 1
    issues: list[RowIssue] = []
    if len(parts) == 1:
        after = _with_rest(parts[0], start, blocks, after)
    rows = _columns_of(parts[0])
    if len(parts) == 1 and _n_named(rows) < len(parts[0][0].split()):
        rows = _without_odd_lines(parts[0]) or rows
    if not rows[0][0] and len(rows) > 2 and rows[1] and not any(rows[1][1:]):
        rows[0][0], rows[1] = rows[1][0], []  # the name of the index, one line below
    for part in parts[1:]:
        further = _columns_of(part[: len(rows)])
        indexed = not further[0][0]
        for row, cells in zip(rows, further, strict=True):
            row += cells[indexed:]
    numbered = []
    for line, (row, text) in enumerate(zip(rows, parts[0], strict=True), start):
        if not row:
            if text and not _SHAPE.fullmatch(text):
                expected = "a row that fits the columns"
                issues.append(skipped_line(source, line, text, expected))
            continue
        if _DOTS.fullmatch(text):
            expected = "the rows that the print left out; write the frame with to_csv"
            issues.append(skipped_line(source, line, text, expected))
        else:
            numbered.append((line, row))
    return after, grid_table(source, "printed", numbered, issues=issues)


def _with_rest(
    lines: list[str], start: int, blocks: Sequence[_Block], after: int
) -> int:
    """Add rows behind one empty line, in the columns of a frame; say what follows."""
    for number, block in blocks[after : after + _MAX_ODD]:
        fits = number == start + len(lines) + 1 and not any(
            _is_heading(block[i : i + 4]) for i in range(len(block) - 1)
        )
        longer = [*lines, "", *block]
        width = len(_columns_of(lines)[0])
        if not fits or width < 2 or len(_columns_of(longer)[0]) != width:
            break
        if not all(any(map(is_number, line.split())) for line in block):
            break
        lines[:] = longer
        after += 1
    return after


def _n_named(rows: Sequence[Sequence[str]]) -> int:
    return sum(map(bool, rows[0]))


def _without_odd_lines(lines: Sequence[str]) -> list[list[str]] | None:
    """Return the cells where a line or two alone fill the gaps between columns."""
    n_filled = Counter(
        at for line in lines for at, letter in enumerate(line) if letter != " "
    )
    alone = [
        sum(n_filled[at] == 1 for at, letter in enumerate(line) if letter != " ")
        for line in lines
    ]
    odd = sorted(range(1, len(lines)), key=lambda at: -alone[at])[:_MAX_ODD]
    for n_odd in range(1, len(odd) + 1):
        left_out = set(odd[:n_odd])
        kept = [line for at, line in enumerate(lines) if at not in left_out]
        rows = iter(_columns_of(kept)) if len(kept) > 2 else iter(())
        found = [[] if at in left_out else next(rows, []) for at in range(len(lines))]
        if _n_named(found) >= len(lines[0].split()):
            return found
    return None


def _is_heading(lines: Sequence[str]) -> bool:
    """Say whether the first line holds known names, and its values begin below."""
    names = lines[0].rstrip("\\").split()
    if not is_heading(names) and not is_heading(re.split(r"\s{2,}", lines[0].strip())):
        return False
    below = (line.split() for line in lines[1:4])  # or the name of the index
    return any(len(cells) > 1 and any(map(is_number, cells)) for cells in below)


def _columns_of(lines: Sequence[str]) -> list[list[str]]:
    """Return the cells of every line, cut where all of them are blank.

    Names stand at the right end of their columns, so what has no name above it, or
    nothing below it, goes with what is to the right; at the left edge it is the index.
    """
    lines = [lines[0].rstrip("\\"), *lines[1:]]
    fitted = [line for line in lines if line and not _SHAPE.fullmatch(line)]
    fitted_lines = set(fitted)
    width = max(map(len, fitted))
    filled = [False] * width
    for line in fitted:
        for found in re.finditer(r"\S+", line):
            filled[found.start() : found.end()] = [True] * len(found.group())
    runs = re.finditer("1+", "".join("01"[is_filled] for is_filled in filled))
    spans: list[tuple[int, int]] = []
    whole = True  # whether the last span has a name and values
    for run in runs:
        start, end = run.span()
        if not whole:
            start = spans.pop()[0]
        spans.append((start, end))
        named = bool(lines[0][start:end].strip())
        valued = any(line[start:end].strip() for line in fitted[1:])
        is_index = len(spans) == 1 and not named
        whole = (named and valued) or is_index
    if not whole and len(spans) > 1 and not lines[0][slice(*spans[-1])].strip():
        _, end = spans.pop()
        spans[-1] = spans[-1][0], end
    return [
        [line[a:b].strip() for a, b in spans] if line in fitted_lines else []
        for line in lines
    ]
