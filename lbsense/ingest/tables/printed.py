"""Data frames as they print: columns of blanks between, names above, no ruler."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lbsense.ingest.tables.names import is_heading, is_number
from lbsense.ingest.tables.raw import RawTable, grid_table, skipped_line
from lbsense.ingest.tables.source import Document
from lbsense.model import RowIssue

_MAX_WIDTH = 2000
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
    first = next(
        (i for i in range(len(lines) - 1) if _is_heading(lines[i : i + 3])), None
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
    rows = _cut(parts[0])
    if not rows[0][0] and len(rows) > 2 and not any(rows[1][1:]):
        rows[0][0], rows[1] = rows[1][0], []  # the name of the index, one line below
    for part in parts[1:]:
        further = _cut(part[: len(rows)])
        indexed = not further[0][0]
        for row, cells in zip(rows, further, strict=True):
            row += cells[indexed:]
    numbered = []
    for line, row in enumerate(rows, start):
        text = lines[first + line - start]
        if _SHAPE.fullmatch(text):
            continue
        if _DOTS.fullmatch(text):
            expected = "the rows that the print left out; write the frame with to_csv"
            issues.append(skipped_line(source, line, text, expected))
        else:
            numbered.append((line, row))
    return after, grid_table(source, "printed", numbered, issues=issues)


def _is_heading(lines: Sequence[str]) -> bool:
    """Say whether the first line holds known names, and its values begin below."""
    names = lines[0].rstrip("\\").split()
    if not is_heading(names) and not is_heading(re.split(r"\s{2,}", lines[0].strip())):
        return False
    below = [line.split() for line in lines[1:3]]
    if len(below) > 1 and not any(map(is_number, below[0])) and len(below[0]) < 3:
        below = below[1:]  # the name of the index stands between
    return len(below[0]) > 1 and any(map(is_number, below[0]))


def _cut(lines: Sequence[str]) -> list[list[str]]:
    """Return the cells of every line, cut where all of them are blank.

    Names stand at the right end of their columns, so what has no name above it, or
    nothing below it, goes with what is to the right; at the left edge it is the index.
    """
    lines = [lines[0].rstrip("\\"), *lines[1:]]
    fitted = [line for line in lines if not _SHAPE.fullmatch(line)]
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
        [] if _SHAPE.fullmatch(line) else [line[a:b].strip() for a, b in spans]
        for line in lines
    ]
