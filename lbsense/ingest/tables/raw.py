"""The table as it stood in the input, nothing read, and which column is which field."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import Surety, cv_heading, is_metric_word
from lbsense.ingest.cv.languages import heading_words
from lbsense.ingest.cv.words import KEYWORDS
from lbsense.ingest.platforms import PLATFORMS
from lbsense.model import RowIssue

MAX_ROWS = 1_000_000
_MAX_COLUMNS = 5_000
_MAX_CELLS = 20_000_000
_MOST_NAMES = 100  # of columns, below each other
_BOARD_FIELDS = frozenset(("public_score", "private_score"))
_MAX_CELL = 32_767  # characters: what a cell of a spreadsheet can hold

Shape: TypeAlias = Literal[
    "delimited",
    "ruled",
    "markdown",
    "board",
    "labels",
    "copied page",
    "json",
    "objects",
    "html",
    "latex",
    "restructured text",
    "printed",
    "script",
    "sheet",
    "aide",
    "rd-agent",
    "hydra",
]


class RawRow(NamedTuple):
    """One row: its first line in the text (or its number) and one cell per column.

    Cells are text where the input is text, and Python values otherwise; None where
    the input has no cell.
    """

    line: int
    cells: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawTable:
    """A table before anything is read from it.

    Attributes
    ----------
    source : str
        What messages call it: a path, ``<data frame>``, ...
    shape : str
        How it was laid out.
    columns : tuple of str
        Names as they stand in the input, which may hold doubles.
    rows : list of RawRow
        Every row has as many cells as there are columns.
    issues : list of RowIssue
        Lines that are no rows, and what was repaired.
    delimiter : str or None
        Character between the cells of a delimited text.
    title : str or None
        The heading or the name that stands above the table, such as that of a sheet.
    roles : mapping of str to str
        Columns by field where the layout itself says so, whatever their names.
    set_aside : frozenset of str
        Columns that are of no field, whatever their names.
    greater_is_better : bool or None
        Direction of the scores, where the input states it.
    facts : mapping
        What stands beside the rows about their competition, by the names of
        `Competition`.
    page : int
        Which of the documents or objects it stands in, the first being 0.
    """

    source: str
    shape: Shape
    columns: tuple[str, ...]
    rows: list[RawRow]
    issues: list[RowIssue]
    delimiter: str | None = None
    title: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    set_aside: frozenset[str] = frozenset()
    greater_is_better: bool | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    page: int = 0

    @property
    def shown(self) -> str:
        """The first names of columns, for a message."""
        return ", ".join(shorten(name, 40) for name in self.columns[:20])


def grid_table(
    source: str,
    shape: Shape,
    rows: Sequence[tuple[int, Sequence[object]]],
    *,
    n_heading: int = 1,
    issues: Sequence[RowIssue] = (),
) -> RawTable | None:
    """Return rows of cells as a table, or None where there is no row below a heading.

    Parameters
    ----------
    source : str
        What messages call it.
    shape : str
        How it was laid out.
    rows : sequence of (line, cells)
        The heading first.
    n_heading : int, default=1
        Rows of the heading; the names of several are joined.
    issues : sequence of RowIssue
        What is known already of lines that are no rows.

    Notes
    -----
    A column of words without a name is called ``name``, as the index of a frame and
    the row labels of a page are; one that only counts the rows is left out.
    """
    check_size(source, len(rows), max((len(cells) for _, cells in rows[:1]), default=0))
    filled = [(line, list(cells)) for line, cells in rows if any(map(_says, cells))]
    names = _joined_names([cells for _, cells in filled[:n_heading]])
    width = len(names)
    found: list[RawRow] = []
    noted = list(issues)
    for line, cells in filled[n_heading:]:
        while len(cells) > width and not _says(cells[-1]):
            cells.pop()
        shown = ["" if cell is None else str(cell) for cell in cells]
        if [text.strip() for text in shown] == names:
            continue  # the heading again, on the next page
        alone = sum(map(_says, cells)) == 1 and width > 1 and len(cells) != width
        if len(cells) > width or alone:
            noted.append(wrong_width(source, line, shown, width, "row skipped"))
            continue
        if len(cells) < width:
            action = "absent cells taken as missing"
            noted.append(wrong_width(source, line, shown, width, action))
            cells += [None] * (width - len(cells))
        found.append(RawRow(line, cells))
    if not names or not found:
        return None
    kept = []
    for at, name in enumerate(names):
        column = [row.cells[at] for row in found]
        if name or not _is_counter(column):
            kept.append(at)
        if not name and "name" not in names and any(map(_is_word, column)):
            names[at] = "name"
    return RawTable(
        source=source,
        shape=shape,
        columns=tuple(names[at] for at in kept),
        rows=[RawRow(row.line, [row.cells[at] for at in kept]) for row in found],
        issues=noted,
    )


def _joined_names(heading: Sequence[Sequence[object]]) -> list[str]:
    width = max((len(cells) for cells in heading), default=0)
    names = []
    for at in range(width):
        parts = [cells[at] for cells in heading if at < len(cells)]
        texts = [" ".join(str(part).split()) for part in parts if _says(part)]
        names.append(" ".join(dict.fromkeys(texts)))
    while names and not names[-1]:
        names.pop()
    return names


def _says(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())


def _is_word(cell: object) -> bool:
    return isinstance(cell, str) and any(letter.isalpha() for letter in cell)


def _is_counter(cells: Sequence[object]) -> bool:
    """Say whether cells are all empty, or whole numbers that rise."""
    texts = [str(cell).strip() if _says(cell) else "" for cell in cells]
    if not any(texts):
        return True
    if not all(text.isdecimal() and len(text) < 10 for text in texts):
        return False
    numbers = [int(text) for text in texts]
    return all(later > earlier for earlier, later in itertools.pairwise(numbers))


def check_size(source: str, n_rows: int, n_columns: int) -> None:
    """Refuse a table that is far beyond the history of one entrant, before it is made.

    Raises
    ------
    IngestError
        If it has more than 5,000 columns, 1,000,000 rows or 20,000,000 cells.
    """
    for n, most, what in (
        (n_columns, _MAX_COLUMNS, "columns"),
        (n_rows, MAX_ROWS, "rows"),
        (n_rows * n_columns, _MAX_CELLS, "cells"),
    ):
        if n > most:
            msg = (
                f"{source}: a table of {n:,} {what}, but at most {most:,} are read. "
                "That is far more than a history has. Cut out the rows of one team in "
                "one competition, and the columns that tell of its submissions."
            )
            raise IngestError(msg)


def with_short_cells(table: RawTable) -> RawTable:
    """Return the table with what no cell of a spreadsheet could hold left out."""
    rows, issues = table.rows, table.issues
    for position, row in enumerate(table.rows):
        if any(isinstance(cell, str) and len(cell) > _MAX_CELL for cell in row.cells):
            if rows is table.rows:
                rows = list(rows)
            cells: list[object] = []
            for name, cell in zip(table.columns, row.cells, strict=True):
                if isinstance(cell, str) and len(cell) > _MAX_CELL:
                    issues.append(_too_long(table.source, row.line, name, cell))
                    cells.append(cell[:_MAX_CELL])
                else:
                    cells.append(cell)
            rows[position] = RawRow(row.line, cells)
    return table if rows is table.rows else dataclasses.replace(table, rows=rows)


def upright(table: RawTable) -> RawTable:
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


def _too_long(source: str, line: int, column: str, cell: str) -> RowIssue:
    return RowIssue(
        source=source,
        line=line,
        column=column,
        found=f"{len(cell):,} characters: {shorten(cell[:200], 60)}",
        expected=f"at most {_MAX_CELL:,}",
        action="the rest left out",
    )


def skipped_line(source: str, line: int, text: str, expected: str) -> RowIssue:
    """Return the issue of a line that is no row of the table."""
    return RowIssue(
        source=source,
        line=line,
        found=shorten(text, 80),
        expected=expected,
        action="line skipped",
    )


def wrong_width(
    source: str, line: int, cells: list[str], width: int, action: str
) -> RowIssue:
    """Return the issue of a row with too many or too few cells."""
    return RowIssue(
        source=source,
        line=line,
        found=f"{plural(len(cells), 'cell')}: {shorten(', '.join(cells), 80)}",
        expected=f"{width} cells",
        action=action,
    )


# What people call their columns, in order of preference; the names that platforms
# give them are in `PLATFORMS` and go before.
_OWN_NAMES: dict[str, tuple[str, ...]] = {
    "submission_id": ("id", "reference", "referenceid", "submissionreference"),
    "experiment_id": (
        "experimentid",
        "expid",
        "experiment",
        "experimentname",
        "exp",
        "expname",
        "submissionrun",
        "submissionname",
        "version",
        "submissionversion",
        "runname",
        "runid",
        "run",
        "ver",
        "v",
        "submission",
        "sub",
        "mysubmission",
        "trial",
        "attempt",
        "iteration",
        "iter",
    ),
    "order": (
        "order",
        "submissionnumber",
        "submissionno",
        "number",
        "no",
        "counter",
        "nr",
        "index",
    ),
    "submitted_at": (
        "submittedat",
        "submitted",
        "createdat",
        "created",
        "submissiontime",
        "timestamp",
        "datetime",
        "time",
        "starttime",
        "ts",
        "unixtime",
        "submissiondatetime",
        "submissiondate",
        "datetimeutc",
        "submittedutc",
        "when",
    ),
    "file_name": (
        "file",
        "submissionfile",
        "submissionfilename",
        "filepath",
        "submissionpath",
        "submissioncsv",
        "csv",
    ),
    "description": (
        "comment",
        "desc",
        "message",
        "model",
        "modelname",
        "name",
        "strategy",
        "title",
        "approach",
        "change",
        "changes",
        "notes",
        "note",
        "comments",
        "memo",
        "remarks",
        "remark",
        "method",
        "methods",
        "details",
        "detail",
        "idea",
        "summary",
        "features",
        "hypothesis",
        "config",
        "mlflowrunname",
        "mlflownotecontent",
    ),
    "status": ("state", "submissionstatus"),
    "status_detail": ("error",),
    "public_score": (
        "publiclb",
        "public",
        "lbscore",
        "lb",
        "leaderboard",
        "plb",
        "kagglescore",
        "kaggle",
    ),
    "private_score": (
        "privatelb",
        "private",
    ),
    "score": (),
    "cv_score": (
        "cvscore",
        "cv",
        "localcv",
        "localcvscore",
        "cvmean",
        "meancv",
        "cvavgscore",
        "oof",
        "oofscore",
        "cvoof",
        "loo",
        "valid",
        "validation",
        "val",
        "local",
    ),
    "cv_std": ("cvstd", "cvsd", "cvstdscore", "std", "cvstddev", "oofstd"),
    "cv_fold_scores": ("cvfoldscores", "foldscores"),
    "cv_scheme": ("cvscheme", "scheme", "validationscheme", "cvtype", "cvstrategy"),
    "selected": (
        "selected",
        "finalselection",
        "chosen",
        "isfinal",
        "final",
    ),
    "parent_id": ("parentid", "parent", "parentsubmission", "basedon"),
    "content_hash": ("contenthash", "hash", "filehash", "sha256", "md5"),
    "team_id": (),
    "team_name": ("team",),
}
FIELDS = tuple(_OWN_NAMES)


def _ranked(field: str) -> list[str]:
    """Return the names of a field, the first one present being the column to read."""
    own = _OWN_NAMES[field]
    given = [n for platform in PLATFORMS for n in platform.columns.get(field, ())]
    return list(dict.fromkeys([*(n for n in given if n not in own), *own]))


_FIELD_OF = {
    name: (field, rank) for field in FIELDS for rank, name in enumerate(_ranked(field))
}
_BY_RULE = 100  # names that only a rule recognises come after every listed one

_SPREAD_SIGN = re.compile(r"±|\+/-")
_OF_A_BOARD = frozenset(("test", "team", "my", "our"))  # "test.public_auc"
_PUBLIC_WORDS = frozenset(("public", "lb", "leaderboard"))
_PLATFORM_WORDS = frozenset(platform.name for platform in PLATFORMS)
_SPREAD_WORDS = frozenset(("std", "sd", "stdev", "stddev"))
# Fields that a name of these words alone stands for, if one of the first is among them.
_OF_WORDS = (
    ("file_name", "file filename csv", "submission name path"),
    (
        "submitted_at",
        "date time datetime timestamp",
        "submission submitted created utc",
    ),
    ("experiment_id", "experiment exp version", "name title id number submission"),
    (
        "description",
        "model description note comment approach method change changes strategy",
        "name title submission experiment",
    ),
)
_OF_WORDS_SETS = tuple(
    (field, frozenset(some.split()), frozenset(f"{some} {more}".split()))
    for field, some, more in _OF_WORDS
)
_PREFIX = re.compile(r"(?:metrics|extras|sys|summary|tags)[./]", re.IGNORECASE)


def name_key(name: str) -> str:
    """Return the letters and digits of a column name, in lower case.

    Examples
    --------
    >>> name_key("_public_score"), name_key("Public Score"), name_key("publicScore")
    ('publicscore', 'publicscore', 'publicscore')
    """
    return "".join(_words(name))


@functools.lru_cache(maxsize=4096)
def field_of(name: str) -> tuple[str, int] | None:
    """Return the field that a column name stands for and its rank there, or None.

    Examples
    --------
    >>> field_of("Public LB")
    ('public_score', 3)
    >>> field_of("lb_delta") is None
    True
    """
    plain = re.sub(r"\([^()]*+\)|\[[^\[\]]*+\]", " ", name)
    for candidate in dict.fromkeys((name, plain)):
        listed = _FIELD_OF.get("".join(_words(candidate)))
        if _SPREAD_SIGN.search(candidate):  # "cv ± std" holds both
            listed = None
        found = listed or _field_by_words(candidate)
        if found is not None:
            return found
    return ("order", _BY_RULE) if name.strip() in ("#", "№") else None


def fold_number(name: str) -> int | None:
    """Return the fold whose score a column holds, or None.

    Examples
    --------
    >>> fold_number("cv_rmse_fold3"), fold_number("Fold 1"), fold_number("n_folds")
    (3, 1, None)
    """
    words = _words(name)
    joined = "".join(words)
    found = re.search(r"fold(\d{1,3})(score)?$", joined)
    if found is None:
        return None
    before = _words(re.sub(r"(?i)fold.*$", "", name))
    allowed = all(word in KEYWORDS or is_metric_word(word) for word in before)
    return int(found.group(1)) if allowed else None


def known_fields(names: Iterable[str]) -> set[str]:
    """Return the fields that any of the names stands for."""
    known = (field_of(name) for name in names if name.strip() and len(name) <= 60)
    return {found[0] for found in known if found is not None}


def is_heading(cells: list[str]) -> bool:
    """Say whether the cells of a line read as column names of a history.

    Two known names and no number make a heading; so does the one name of a score
    where nothing else is there.
    """
    if any(is_number(cell) for cell in cells):
        return False
    fields = known_fields(cells)
    if len(cells) == 1:
        alone = cells[0].strip().isidentifier()  # "Private Score:" is a label
        return alone and bool(fields & {"public_score", "private_score"})
    return len(fields) >= 2


def _field_by_words(name: str) -> tuple[str, int] | None:
    """Recognise names such as ``CV F1``, ``cv_rmse_std`` or ``Public LB score``."""
    words = frozenset(_words(name))
    rest = words - _SPREAD_WORDS - {"fold", "folds"}
    validation = cv_heading(name)
    if validation is not None and validation.surety < Surety.POSSIBLE:
        return "cv_score", _BY_RULE + (validation.surety is Surety.QUALIFIED)
    if words & _SPREAD_WORDS and all(w in KEYWORDS or is_metric_word(w) for w in rest):
        return "cv_std", _BY_RULE
    board = _PUBLIC_WORDS | _PLATFORM_WORDS | {"best"}
    if words & {"public", "private"}:
        board |= _OF_A_BOARD
    others = {word for word in words - board if not is_metric_word(word)}
    if "private" in words and others == {"private"} and "public" not in words:
        return "private_score", _BY_RULE
    if words & _PUBLIC_WORDS and not others:
        return "public_score", _BY_RULE
    for name, some, all_of in _OF_WORDS_SETS:
        if words & some and words <= all_of:
            return name, _BY_RULE
    return None


def _words(name: str) -> tuple[str, ...]:
    return heading_words(_PREFIX.sub("", name))


def is_number(cell: str) -> bool:
    """Say whether the text of a cell is a bare number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
