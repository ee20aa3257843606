"""The table as it stood in the input, nothing read; and what a single cell says."""

from __future__ import annotations

import dataclasses
import enum
import itertools
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import numpy as np

from lbsense._format import plural, shorten
from lbsense._typing import Status
from lbsense.errors import IngestError
from lbsense.ingest.platforms import PLATFORMS
from lbsense.model import RowIssue

MAX_ROWS = 1_000_000
_MAX_COLUMNS = 5_000
_MAX_CELLS = 20_000_000
_GUARDED = ("'=", "'+", "'-", "'@")


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
        How it was laid out, by which an export may be recognised: "delimited", "ruled",
        "markdown", "board", "labels", "copied page", "json", "objects", "html", ...
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
    shape: str
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

    def unguarded(self) -> RawTable:
        """Return it without the apostrophes that guard cells against spreadsheets."""
        rows = [
            RawRow(
                row.line,
                [
                    cell[1:] if isinstance(cell, str) and cell[:2] in _GUARDED else cell
                    for cell in row.cells
                ],
            )
            for row in self.rows
        ]
        return dataclasses.replace(self, rows=rows)

    def issue(
        self,
        found: str,
        expected: str,
        action: str,
        *,
        line: int | None = None,
        column: str | None = None,
    ) -> RowIssue:
        """Return what is said of the table, or of its line, column or cell."""
        return RowIssue(
            source=self.source,
            line=line,
            column=column,
            found=found,
            expected=expected,
            action=action,
        )


def grid_table(
    source: str,
    shape: str,
    rows: Sequence[tuple[int, Sequence[object]]],
    *,
    n_heading: int = 1,
    issues: Sequence[RowIssue] = (),
) -> RawTable | None:
    """Return rows of cells as a table, or None where there is no row below a heading.

    The first ``n_heading`` rows are the heading, whose names are joined; ``issues`` are
    those of lines that are known to be no rows. A column of words without a name is
    called ``name``, as the index of a frame and the row labels of a page are; one that
    only counts the rows is left out.
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
    """Refuse a table far beyond the history of one entrant, before it is made."""
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


# --- cells ---------------------------------------------------------------------------

_LARGEST = 1e150  # beyond it squares overflow, and no metric goes there
_STRUCK = re.compile(r"~~[^~]{1,40}~~|<del>[^<]{1,40}</del>|<s>[^<]{1,40}</s>")
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.([0-9]+))?")
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_THOUSANDS = re.compile(
    r"(?<![0-9.])[0-9]{1,3}(?:([ ',])[0-9]{3})(?:\1[0-9]{3})*(?![0-9])"
)
_SCORE = re.compile(
    rf"[~≈=]?\s*+(?P<value>{_NUMBER})\s*+(?P<percent>%)?\s*+"
    rf"(?:(?:±|\+/-|\+-)\s*+(?P<spread>{_NUMBER})\s*+%?"
    r"|\(\s*+(?:±|\+/-|\+-|std|sd|σ)?\s*+[:=]?\s*+"
    r"(?P<inner>[0-9]++(?:\.[0-9]++)?|\.[0-9]++)\s*+%?\s*+\)"
    r"|(?:[(\[][^()\[\]]*+[)\]]\s*+)*[(\[][^()\[\]]*+[)\]])?",
    re.IGNORECASE,
)
_PAIR = re.compile(
    rf"(?P<value>{_NUMBER})\s*+(?P<percent>%)?\s*+[/|]\s*+(?P<second>{_NUMBER})\s*+%?"
)
_ARROW = re.compile(rf"{_NUMBER}\s*+%?\s*+(?:→|⇒|->|=>|➔|➜)\s*+(?P<last>.*\S)")
# A number and a word or two of praise or place, such as "best 0.81" or "LB: 0.81".
_BESIDE_WORDS = re.compile(
    rf"(?:[^\W\d_]+[:= ]\s*){{0,2}}(?P<value>{_NUMBER})\s*(?P<percent>%)?"
    r"(?:\s*[,;:!↑↓-]?(?:\s*+[^\W\d_]++[.!]?){1,4}|\s*[!↑↓]|\s*[↑↓]\s*[+-]?[0-9.]+)?"
)
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\((?![\s\d.,;+-]+\))[^()]*\)|\[[^\[\]]*\])")
_TAG = re.compile(
    r"</?(?:a|b|br|code|del|div|em|font|i|ins|mark|p|s|small|span|strong|sub|sup|u)"
    r"\b[^<>]*>|\[\^[^\[\]]*\]",
    re.IGNORECASE,
)
_FOLDS = re.compile(
    rf"[(\[]?\s*({_NUMBER}(?:(?:\s*+[,;/|]\s*+|\s++){_NUMBER})+)\s*[)\]]?"
)
_INFINITE = re.compile(r"[+-]?\s*(?:inf|infinity|∞)", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"[\s?.\-_–—―*/#~]*"
    r"|-*\s*(?:none|null|nil|nan|nat|<na>|n/?a|n\.a\.|#n/a|tbd|tba|todo|wip|soon|xx+"
    r"|なし|unknown|missing|not (?:yet|submitted|scored)|no score|unscored)\s*-*"
    r"|[0-9x]\.[?x_]+",
    re.IGNORECASE,
)
_DECIMAL_COMMA = re.compile(
    r"[\s*_`~'\"]*[+-]?(?:0,[0-9]+|[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})"
    r"|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+)(?![0-9,.]*[0-9])"
)
_EITHER_COMMA = re.compile(
    r"[\s*_`~'\"]*[+-]?[1-9][0-9]{0,2},[0-9]{3}(?![0-9,.]*[0-9])"
)
_WORDS_OF_STATUS: dict[Status, str] = {
    "complete": """
        completed success succeeded scored finished done ok 🟢 ✅ terminé completado
        concluído abgeschlossen завершено 完成 完了 已完成 완료""",
    "pending": "processing running queued scheduled",
    "error": """
        failure invalid killed crashed timeout 🔴 ❌ erreur échec erro falhou fallido
        fehler fehlgeschlagen ошибка エラー 失敗 错误 失败 오류 실패""",
}
_STATUS_WORDS = {
    word: status for status, words in _WORDS_OF_STATUS.items() for word in words.split()
}
for _platform in PLATFORMS:
    _STATUS_WORDS.update(_platform.statuses)
_STATUS_IN_SCORE: tuple[tuple[re.Pattern[str], Status], ...] = (
    (re.compile(r"fail|error|time[d ]*out|out of memory|oom|crash", re.I), "error"),
    (re.compile(r"pending|processing|running|queued|scoring", re.I), "pending"),
)
_TRUE = frozenset(
    [
        "true",
        "yes",
        "y",
        "1",
        "1.0",
        "x",
        "✓",
        "✔",
        "✅",
        "★",
        "⭐",
        "selected",
        "final",
        "chosen",
    ]
)
_FALSE = frozenset(["false", "no", "n", "0", "0.0", "✗", "❌"])


class CellError(ValueError):
    """A cell that cannot be read; the text says what would have been."""


class ScoreCell(NamedTuple):
    """A score as it stood in a cell.

    ``value`` is None where the cell only names a status, as in ``In processing``.
    ``decimals`` counts the digits after the point as written, ``second`` is the
    other number of a cell such as ``0.801/0.795``, and ``doubt`` says how a cell that
    holds more than a score was read.
    """

    value: float | None
    spread: float | None = None
    folds: tuple[float, ...] = ()
    decimals: int | None = None
    status: Status | None = None
    second: float | None = None
    doubt: str | None = None


def is_missing(cell: object) -> bool:
    """Say whether a cell is empty or holds a placeholder such as ``TBD`` or ``-``."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return not cell or _PLACEHOLDER.fullmatch(_tidy(cell)) is not None
    try:
        return bool(cell != cell)  # nan and NaT
    except (TypeError, ValueError, ArithmeticError):
        # pandas.NA has no truth value, nor has an array.
        return type(cell).__name__ == "NAType"


def read_score(cell: object, *, decimal_comma: bool = False) -> ScoreCell | None:
    """Return the score in a cell, or None where the cell is empty.

    Parameters
    ----------
    cell : object
        Text, a number, or a list of fold scores, whose mean is the score.
    decimal_comma : bool, default=False
        Whether ``0,71`` is a number below one.

    Raises
    ------
    CellError
        If the cell holds something else, or a number that is not finite.

    Examples
    --------
    >>> read_score("0.7052 (0.0641)")
    ScoreCell(value=0.7052, spread=0.0641, folds=(), decimals=4, status=None,
    second=None, doubt=None)
    >>> read_score("**.7900**").value
    0.79
    >>> read_score("TBD") is None
    True
    """
    if isinstance(cell, str):
        plain = _PLAIN.fullmatch(cell)
        if plain is not None and len(cell) < 100:
            return ScoreCell(float(cell), decimals=len(plain.group(1) or ""))
        return _read_score_text(cell, decimal_comma=decimal_comma)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if is_missing(cell):
        return None
    if isinstance(cell, bool) or not isinstance(cell, (Real, Decimal, list, tuple)):
        msg = "a number"
        raise CellError(msg)
    if isinstance(cell, (list, tuple)):
        return _fold_score([_finite(item) for item in cell])
    shown = str(cell)  # as text, a float32 keeps the digits that were meant
    decimals = None if "e" in shown.lower() else len(shown.partition(".")[2])
    return ScoreCell(_finite(shown), decimals=decimals)


def number_in(cell: object, *, decimal_comma: bool = False) -> float | None:
    """Return the score in a cell, None where it cannot be read."""
    try:
        score = read_score(cell, decimal_comma=decimal_comma)
    except CellError:
        return None
    return None if score is None else score.value


def holds_number(cell: object) -> bool:
    """Return whether a cell reads as a score."""
    return number_in(cell, decimal_comma=True) is not None


def read_folds(cell: object) -> tuple[float, ...]:
    """Return the fold scores in a cell such as ``[0.81, 0.79]`` or ``0.81;0.79``.

    Raises
    ------
    CellError
        If there are not at least two numbers in it.
    """
    if is_missing(cell):
        return ()
    if isinstance(cell, str):
        found = _FOLDS.fullmatch(_tidy(cell[:5000]))
        cell = re.findall(_NUMBER, found.group(1)) if found else []
    score = read_score(cell)
    if score is None or not score.folds:
        msg = "fold scores such as [0.81, 0.79]"
        raise CellError(msg)
    return score.folds


def comma_is_decimal(cell: object, typical: float | None) -> bool | None:
    """Say whether the comma of one cell is a decimal one, whatever its column says.

    ``1,950`` may be both: it is what lies nearer to the typical size of the column.
    None where the cell has no comma that could be one.
    """
    if not isinstance(cell, str) or "," not in cell:
        return None
    if _DECIMAL_COMMA.match(cell):
        return True
    found = _EITHER_COMMA.match(cell)
    if found is None or not typical:
        return None
    digits = re.sub("[^0-9]", "", found.group())
    whole = math.log(float(digits) / typical)
    return abs(whole - math.log(1000)) < abs(whole)


def uses_decimal_comma(cells: list[object], delimiter: str | None) -> bool:
    """Say whether a column writes its numbers with a decimal comma.

    One number such as ``0,71`` settles it, unless another has a point. In a text that
    is separated by something else than commas, any comma between digits does.
    """
    texts = [cell for cell in cells if isinstance(cell, str) and "," in cell]
    pointed = any(
        isinstance(cell, str)
        and re.match(r"[\s*_`~]*[+-]?[0-9]*\.[0-9]+(?![0-9.]*,)", cell)
        for cell in cells
    )
    if pointed or not texts:
        return False
    if delimiter == ";" and any(re.search("[0-9],[0-9]", text) for text in texts):
        return True
    return any(_DECIMAL_COMMA.match(text) for text in texts)


def read_status(cell: object) -> Status | None:
    """Return the status that a cell names, or None where it names none.

    Examples
    --------
    >>> read_status("SubmissionStatus.COMPLETE"), read_status("initial")
    ('complete', 'pending')
    """
    if isinstance(cell, enum.Enum):
        cell = cell.name
    if cell is None:
        return None
    word = str(cell).strip().rsplit("Status.", 1)[-1].strip("\ufe0f *`\"'").lower()
    return _STATUS_WORDS.get(word)


def read_flag(cell: object) -> bool | None:
    """Return what a yes-or-no cell says, or None where it is empty.

    Raises
    ------
    CellError
        If the cell says neither.
    """
    if isinstance(cell, bool):
        return cell
    word = str(cell).strip().strip("*`\ufe0f").lower()
    if word in _TRUE:  # before the blanks: a tick is a symbol and nothing else
        return True
    if word in _FALSE:
        return False
    if is_missing(cell):
        return None
    msg = "True or False"
    raise CellError(msg)


def read_text(cell: object) -> str | None:
    """Return the text of a cell as it stands, or None where it is empty."""
    if isinstance(cell, str):
        if not cell.strip() or cell in ("None", "nan", "NaN", "null"):
            return None
        if cell.isascii():
            return cell  # else halves of characters, which no file can hold, go
        return cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if is_missing(cell):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))  # a reference that passed through a column with gaps
    return str(cell)


def _read_score_text(cell: str, *, decimal_comma: bool) -> ScoreCell | None:
    kept = _STRUCK.sub(" ", cell[:500])
    if kept != cell[:500] and kept.strip():
        read = _read_score_text(kept, decimal_comma=decimal_comma)
        return read and read._replace(doubt="text that is struck out left out")
    text = _tidy(cell[:500])
    if _PLACEHOLDER.fullmatch(text) or text in ("x", "X"):
        return None
    if _INFINITE.fullmatch(text):
        msg = "a finite number"
        raise CellError(msg)
    if decimal_comma:
        text = re.sub(r"(?<=[0-9])\.(?=[0-9]{3}\b)", "", text)
        text = re.sub(r"(?<=[0-9]),(?=[0-9])", ".", text)
    folds = _FOLDS.fullmatch(text) if text.startswith("[") or ";" in text else None
    if folds is not None:
        items = re.findall(_NUMBER, folds.group(1))
        return _fold_score([_finite(item) for item in items])
    arrow = _ARROW.fullmatch(text)
    if arrow is not None:
        last = _read_score_text(arrow["last"], decimal_comma=False)
        return last and last._replace(doubt="number behind the arrow read")
    text = _THOUSANDS.sub(lambda found: re.sub("[ ',]", "", found.group()), text)
    score = _SCORE.fullmatch(text)
    if score is not None:
        spread, percent = score["spread"] or score["inner"], bool(score["percent"])
        scale = 100.0 if percent else 1.0
        spreads = None if spread is None else abs(_finite(spread)) / scale
        return _plain(score)._replace(spread=spreads)
    pair = _PAIR.fullmatch(text)
    if pair is not None and not (_is_whole(pair["value"]) or _is_whole(pair["second"])):
        scale = 100.0 if pair["percent"] else 1.0
        return _plain(pair)._replace(second=_finite(pair["second"]) / scale)
    for pattern, status in _STATUS_IN_SCORE:
        if pattern.search(text) and not re.match(_NUMBER, text):
            return ScoreCell(None, status=status)
    beside = _BESIDE_WORDS.fullmatch(text)
    if beside is not None and not _is_whole(beside["value"]):
        return _plain(beside)._replace(doubt="number read without its words")
    msg = "a number or nothing"
    raise CellError(msg)


def _plain(score: re.Match[str]) -> ScoreCell:
    """Return the value alone of a match, as a share where it is in percent."""
    written, percent = score["value"], bool(score["percent"])
    decimals = len(written.partition(".")[2]) + 2 * percent
    return ScoreCell(
        _finite(written) / (100.0 if percent else 1.0),
        decimals=None if "e" in written.lower() else decimals,
    )


def _is_whole(written: str) -> bool:
    return written.lstrip("+-").isdigit()


def _fold_score(folds: list[float]) -> ScoreCell | None:
    if not folds:
        return None
    return ScoreCell(math.fsum(folds) / len(folds), folds=tuple(folds))


def _finite(cell: object) -> float:
    try:
        value = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        msg = "a number"
        raise CellError(msg) from error
    if not abs(value) < _LARGEST:  # nan too
        msg = "a finite number"
        raise CellError(msg)
    return value


def _tidy(cell: str) -> str:
    """Return the cell without emphasis, symbols and the signs of other alphabets."""
    text = unicodedata.normalize("NFKC", cell).replace("\u2212", "-")
    if "[" in text or "<" in text:
        text = _TAG.sub(" ", _LINK.sub(r"\1", text)).strip()
    if any(mark in text for mark in ("**", "`", "~~", "__", "\\")):
        text = re.sub(r"\*\*|__|~~|`|\\", "", text)
    if "_" in text:
        text = re.sub(r"(?<![^\W_])_+|_+(?![^\W_])", "", text)
    text = text.strip().removeprefix("'").strip("*_`~ ") if text.isascii() else text
    if not text.isascii():
        text = "".join(_digit(c) for c in text)
        kept = (c for c in text if unicodedata.category(c) not in ("So", "Cf", "Mn"))
        text = "".join(kept).replace("\u2013", "-").strip().strip("*_` ")
    return text.removeprefix("'").strip()


def _digit(character: str) -> str:
    """Return a digit of another script as one of ours, and the rest as it is."""
    if character.isdecimal() and not character.isascii():
        return str(unicodedata.decimal(character))
    return character
