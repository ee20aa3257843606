"""What one cell says: a score, a status, a flag, or nothing."""

from __future__ import annotations

import enum
import math
import re
import unicodedata
from decimal import Decimal
from numbers import Real
from typing import NamedTuple

import numpy as np

from lbsense._typing import Status
from lbsense.ingest.platforms import PLATFORMS

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
_STATUS_WORDS: dict[str, Status] = {
    "completed": "complete",
    "success": "complete",
    "succeeded": "complete",
    "scored": "complete",
    "finished": "complete",
    "done": "complete",
    "ok": "complete",
    "🟢": "complete",
    "✅": "complete",
    "processing": "pending",
    "running": "pending",
    "queued": "pending",
    "scheduled": "pending",
    "failure": "error",
    "invalid": "error",
    "killed": "error",
    "crashed": "error",
    "timeout": "error",
    "🔴": "error",
    "❌": "error",
}
_DONE = "terminé completado concluído abgeschlossen завершено 完成 完了 已完成 완료"
_FAILED = """
    erreur échec erro falhou fallido fehler fehlgeschlagen ошибка エラー 失敗 错误 失败
    오류 실패"""
_STATUS_WORDS |= dict.fromkeys(_DONE.split(), "complete")
_STATUS_WORDS |= dict.fromkeys(_FAILED.split(), "error")
for _platform in PLATFORMS:
    _STATUS_WORDS.update(_platform.statuses)
_STATUS_IN_SCORE: tuple[tuple[re.Pattern[str], Status], ...] = (
    (re.compile(r"fail|error|time[d ]*out|out of memory|oom|crash", re.I), "error"),
    (re.compile(r"pending|processing|running|queued|scoring", re.I), "pending"),
)
_TRUE = frozenset(
    (
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
    )
)
_FALSE = frozenset(("false", "no", "n", "0", "0.0", "✗", "❌"))


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
    except (
        TypeError,
        ValueError,
        ArithmeticError,
    ):  # pandas.NA has no truth value, nor has an array
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
    decimals = None if "e" in shown.lower() else _decimals(shown)
    return ScoreCell(_finite(shown), decimals=decimals)


def holds_number(cell: object) -> bool:
    """Return whether a cell reads as a score."""
    try:
        score = read_score(cell, decimal_comma=True)
    except CellError:
        return False
    return score is not None and score.value is not None


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
        blank = not cell.strip() or cell in ("None", "nan", "NaN", "null")
        return None if blank else _whole_characters(cell)
    if is_missing(cell):
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))  # a reference that passed through a column with gaps
    return str(cell)


def _whole_characters(text: str) -> str:
    """Return text without halves of characters, which no file can hold."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
        return _from_match(score)
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


def _from_match(score: re.Match[str]) -> ScoreCell:
    spread, scale = score["spread"] or score["inner"], 100.0 if score["percent"] else 1
    return _plain(score)._replace(
        spread=None if spread is None else abs(_finite(spread)) / scale
    )


def _plain(score: re.Match[str]) -> ScoreCell:
    """Return the value alone of a match, as a share where it is in percent."""
    written, percent = score["value"], bool(score["percent"])
    return ScoreCell(
        _finite(written) / (100.0 if percent else 1.0),
        decimals=None if "e" in written.lower() else _decimals(written) + 2 * percent,
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


def _decimals(written: str) -> int:
    return len(written.partition(".")[2])


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
