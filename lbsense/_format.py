"""Numbers and foreign text made fit for people: the one place that rounds."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from statistics import median

__all__ = [
    "VERDICT_SIGNS",
    "clean_text",
    "decimals_shown",
    "format_fixed",
    "format_gain",
    "format_number",
    "format_probability",
    "format_rows",
    "format_time",
    "gain_decimals",
    "inert",
    "plural",
    "shorten",
    "spreadsheet_safe",
]

#: The sign that tells a verdict where there is no colour.
VERDICT_SIGNS = {
    "progress": "+",
    "guess": "~",
    "chasing": "!",
    "setback": "\N{MINUS SIGN}",
    "repeat": "=",
    "probe": "@",
    "unscored": "\N{MIDDLE DOT}",
    "baseline": "\N{WHITE CIRCLE}",
    "unknown": "?",
}

_FORMULA = re.compile(r"((?:^|;)[ \"']*+)([=+\-@\t\r＝＋－＠])")


def format_number(value: float | None, *, digits: int = 5) -> str:
    """Return a score with at most ``digits`` significant digits; "-" when missing."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value + 0.0:.{digits}g}"  # no negative zero


def format_gain(value: float | None, *, digits: int = 2) -> str:
    """Return a difference with its sign; "-" when missing."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    rounded = float(f"{abs(value):.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(rounded)))
    if decimals > 9:
        return f"{value:+.{digits - 1}e}"
    return f"{value:+.{decimals}f}"


def decimals_shown(values: Iterable[float], *, most: int = 6) -> int:
    """Return the fewest decimals that show every value in full, up to ``most``."""
    texts = (f"{value:.{most}f}".rstrip("0") for value in values)
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def format_fixed(value: float | None, *, decimals: int, sign: bool = False) -> str:
    """Return a number for a column of numbers, all with the same decimals."""
    if value is None or math.isnan(value):
        return "-"
    plus = "+" if sign else ""
    if abs(value) >= 1e6:
        return f"{value:{plus}.3e}"
    return f"{value:{plus}z.{decimals}f}"  # z: no negative zero


def gain_decimals(widths: Iterable[float]) -> int:
    """Return decimals for gains with intervals that wide: two digits of the width."""
    known = list(widths)
    half = median(known) / 2 if known else 0.0
    return min(6, max(0, 1 - math.floor(math.log10(half)))) if half > 0 else 6


def format_probability(value: float | None) -> str:
    """Return a probability as a whole percentage that never claims certainty."""
    if value is None or math.isnan(value):
        return "-"
    if value < 0.01:
        return "<1%"
    if value > 0.99:
        return ">99%"
    return f"{100 * value:.0f}%"


def format_rows(value: float | None) -> str:
    """Return a number of rows with two significant digits; "-" when missing.

    Examples
    --------
    >>> format_rows(12_345), format_rows(7), format_rows(3e11)
    ('12,000', '7', 'over 1,000,000,000')
    """
    if value is None or math.isnan(value):
        return "-"
    if value > 1e9:
        return "over 1,000,000,000"
    return f"{int(float(f'{max(value, 1):.2g}')):,}"


def format_time(value: datetime | None) -> str:
    """Return a time in UTC, to the minute; "-" when missing."""
    return "-" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"


def plural(count: int, noun: str, plural_noun: str | None = None) -> str:
    """Return the count and its noun, as in "1 step" or "3 steps"."""
    return f"{count:,} {noun if count == 1 else plural_noun or noun + 's'}"


def inert(text: str) -> str:
    """Return foreign text without control or direction characters, on its lines.

    Terminal escape sequences and right-to-left overrides lose their power, because
    every character of the Unicode categories Cc, Cf, Cn, Co and Cs becomes a space.
    """
    if text.isprintable():
        return text
    return "".join(
        " " if char != "\n" and unicodedata.category(char)[0] == "C" else char
        for char in text
    )


def clean_text(text: str) -> str:
    """Return foreign text on one line, as `inert` leaves it."""
    return " ".join(inert(text).split())


def shorten(text: str, width: int) -> str:
    """Return clean text of at most ``width`` characters, cut with an ellipsis."""
    clean = clean_text(text)
    return clean if len(clean) <= width else clean[: width - 1].rstrip() + "…"


def spreadsheet_safe(text: str) -> str:
    """Return text that a spreadsheet shows and does not run.

    A cell that begins with ``= + - @``, also in their full width, a tab or a carriage
    return is taken for a formula; an apostrophe in front makes it text. So does the
    piece behind a semicolon, at which a spreadsheet of some countries cuts.
    """
    return _FORMULA.sub(r"\1'\2", text)
