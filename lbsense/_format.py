"""Numbers and foreign text made fit for people: rounded, inert, without secrets."""

from __future__ import annotations

import functools
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median

__all__ = [
    "HIDDEN",
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
    "without_secrets",
    "without_secrets_in",
]

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


#: What stands in the place of a secret.
HIDDEN = "[hidden]"

_NAME = (
    r"[\w.-]{0,40}(?:token|secret|passw(?:or)?d|passwd|passphrase|api[_-]?key|"
    r"access[_-]?key|private[_-]?key|auth[_-]?key|license[_-]?key|credentials?|"
    r"authorization|kaggle[_-]?key|wandb[_-]?key|bearer)"
)
_BARE_OPTIONS = r"-{1,2}(?:pw|pass|pwd|key|auth)"
# "--token abc", "--api-key=abc", "WANDB_API_KEY=abc", '"key": "abc"', "password: abc".
_NAMED = re.compile(
    rf"(?P<name>(?<![\w.-])(?:{_NAME}|{_BARE_OPTIONS}|[\"']key(?=[\"']))[\"']?)"
    r"(?P<gap>\s{0,4}[=:]\s{0,4}|\s{1,4})(?P<scheme>(?:bearer|basic|token)\s{1,4})?"
    r"(?P<quote>[\"']?)(?P<value>[^\s\"']{1,4000})",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"(?P<start>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@]{1,500}@", re.I)
_OF_KNOWN_FORM = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
        gh[pousr]_[A-Za-z0-9]{20,255} | github_pat_\w{20,255} | glpat-[\w-]{15,100}
        | hf_[A-Za-z0-9]{20,100} | sk-[\w-]{16,200} | xox[abprs]-[\w-]{10,200}
        | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[\w-]{30,60} | KGAT_\w{16,200}
        | pypi-[\w-]{20,300} | wandb_v\d_\w{16,200}
        | eyJ[\w-]{8,2000}\.[\w-]{4,2000}\.[\w-]{4,2000}
    )
    """,
    re.VERBOSE,
)
_OF_VARIABLES = re.compile(rf"(?:{_NAME}|.*_(?:key|pw|pat|auth))\Z", re.IGNORECASE)
_SHORTEST = 6  # characters of a variable's value that is looked for in texts
_WORDS = re.compile(r"(?:is|was|and|or|in|of|for|the|a|to|with|as|on|per|by)\b", re.I)


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return a text in which keys, tokens and passwords are hidden.

    Parameters
    ----------
    text : str
        A command, a note, an address, an error.
    environment : mapping of str to str, optional
        Variables whose values are hidden wherever they stand, if their names are those
        of secrets; those of the process by default. None of them is ever kept.

    Examples
    --------
    >>> without_secrets("train.py --wandb-api-key 0123abcd --lr 0.1", {})
    'train.py --wandb-api-key [hidden] --lr 0.1'
    >>> without_secrets("https://me:pw@example.org/x.git", {})
    'https://[hidden]@example.org/x.git'
    """
    known = os.environ if environment is None else environment
    values = {known.get(name, "").strip() for name in known if _is_secret(name)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, HIDDEN)
    text = _IN_ADDRESS.sub(rf"\g<start>{HIDDEN}@", text)
    text = _OF_KNOWN_FORM.sub(HIDDEN, text)
    return _NAMED.sub(_hide, text)


@functools.lru_cache(maxsize=4096)
def _is_secret(variable: str) -> bool:
    return _OF_VARIABLES.match(variable) is not None


def _hide(found: re.Match[str]) -> str:
    """Return a named secret hidden; prose such as "token length" stays."""
    assigned = found["gap"].strip() or found["name"].startswith("-")
    value = found["value"]
    telling = any(c.isdigit() for c in value) and len(value) >= 8
    # "--token --lr 0.1": an option follows, not its value.
    if value.startswith(HIDDEN) or (not found["gap"].strip() and value[0] == "-"):
        return found.group()
    if not assigned and not (telling and not _WORDS.match(value)):
        return found.group()
    kept = found["name"] + found["gap"] + (found["scheme"] or "") + found["quote"]
    return kept + HIDDEN


def without_secrets_in(
    words: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the words of a command, hiding what follows the name of a secret.

    Examples
    --------
    >>> without_secrets_in(["run", "--token", "two words", "--api-key=x y"], {})
    ('run', '--token', '[hidden]', '--api-key=[hidden]')
    """
    found: list[str] = []
    named = False
    for word in words:
        is_option = word.startswith("-")
        name, equals, _ = word.partition("=")
        secret = _OF_OPTION.fullmatch(name) is not None
        if named and not is_option:
            found.append(HIDDEN)
        elif secret and equals:
            found.append(f"{name}={HIDDEN}")
        else:
            found.append(without_secrets(word, environment))
        named = secret and is_option and not equals
    return tuple(found)


_OF_OPTION = re.compile(rf"(?:{_NAME}|{_BARE_OPTIONS})", re.IGNORECASE)
