"""Asking a server: again where it may help, not for ever, and without a secret told."""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, TypeVar

from lbsense._format import clean_text, plural, shorten

_T = TypeVar("_T")
Tell = Callable[[str], None]

_PAUSES = (1.0, 3.0, 9.0, 27.0)  # seconds before the second, third, ... attempt
_LONGEST_WAIT = 300.0  # seconds that a server may ask for and is waited for
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_HIDDEN = "***"
_FEWEST_CHARACTERS = 4  # a shorter "secret" would blank out ordinary words
_LOOKS_SECRET = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}"
    r"|\bKGAT_\w+"
    r"|(?:auth[-_]?token|api[-_]?token|access[-_]?token|password|api[-_]?key)"
    r"[\"']?\s*[:=]\s*[\"']?[^\s\"',&}]+"
)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came instead of what was asked for.

    Attributes
    ----------
    status : int or None
        HTTP status; None where no whole answer came.
    said : str
        The server's own words, unclean.
    wait : float or None
        Seconds that it asks to wait.
    """

    status: int | None = None
    said: str = ""
    wait: float | None = None


class Unanswered(Exception):  # noqa: N818 - an answer to be worded, not yet an error
    """No usable answer came.

    Attributes
    ----------
    kind : {"refused", "cut", "garbled"}
        A status that is no success, a connection that broke, text that is no JSON.
    answer : Answer
        What came instead.
    """

    def __init__(
        self,
        kind: Literal["refused", "cut", "garbled"],
        answer: Answer | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.answer = answer or Answer()

    @property
    def may_pass(self) -> bool:
        """Whether the same question may be answered a little later."""
        return self.kind != "refused" or self.answer.status in _PASSING

    def words(self, title: str) -> str:
        """Return what happened, where every platform says it alike."""
        status, wait = self.answer.status, self.answer.wait
        if self.kind == "cut":
            return (
                f"The connection to {title} broke or was never made. Is there a "
                "network, and a proxy to name (HTTPS_PROXY)? Try again later."
            )
        if self.kind == "garbled":
            return (
                f"{title} answers with something that is not what its interface "
                "promises. Its servers may be in trouble, or a page of a proxy or a "
                "sign-in came instead. Try again later."
            )
        if status == 429:
            when = "later" if wait is None else f"in {_span(wait)}"
            return f"{title} has been asked too often (429). Try again {when}."
        if status is not None and status >= 500:
            return f"{title} has a fault of its own ({status}). Try again later."
        return f"{title} refuses ({status})."


def silent(_message: str) -> None:
    """Tell nobody."""


def ask_patiently(question: Callable[[], _T], *, title: str, tell: Tell = silent) -> _T:
    """Return the answer to a question, asked again where a fault may pass.

    Parameters
    ----------
    question : callable
        Asks once; raises `Unanswered`.
    title : str
        Who is asked, for people.
    tell : callable
        Told of every wait.

    Raises
    ------
    Unanswered
        If it cannot pass, lasts, or the server wants a longer wait than is sensible.
    """
    for pause in _PAUSES:
        try:
            return question()
        except Unanswered as fault:
            wait = pause if fault.answer.wait is None else fault.answer.wait
            if not fault.may_pass or wait > _LONGEST_WAIT:
                raise
        tell(f"{title} is not ready; asking again in {_span(wait)}.")
        time.sleep(wait)
    return question()


def _span(seconds: float) -> str:
    if seconds < 90:
        return plural(max(1, math.ceil(seconds)), "second")
    return plural(math.ceil(seconds / 60), "minute")


def header_time(text: str | None) -> datetime | None:
    """Return a time of an HTTP header, UTC."""
    try:
        found = parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def wait_of(retry_after: str | None, date: str | None) -> float | None:
    """Return the seconds that a server asks to wait, by its own clock.

    Parameters
    ----------
    retry_after : str or None
        Header of that name: seconds, or a time.
    date : str or None
        When the server wrote this; the clock here may be wrong.

    Examples
    --------
    >>> wait_of("7", None)
    7.0
    >>> wait_of("Thu, 26 Nov 2026 00:01:00 GMT", "Thu, 26 Nov 2026 00:00:30 GMT")
    30.0
    """
    try:
        seconds = float(retry_after or "")
    except ValueError:
        until = header_time(retry_after)
        if until is None:
            return None
        now = header_time(date) or datetime.now(UTC)
        seconds = (until - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def clock_doubt(theirs: datetime | None, title: str) -> str | None:
    """Return what to know where the clock here and that of the server differ."""
    if theirs is None:
        return None
    ahead = datetime.now(UTC) - theirs
    if abs(ahead) < _SKEW:
        return None
    way = "ahead of" if ahead > timedelta(0) else "behind"
    return (
        f"The clock of this machine is {_span(abs(ahead).total_seconds())} {way} that "
        f"of {title}, whose time was taken."
    )


@dataclass(slots=True)
class Secrets:
    """What no message may hold."""

    values: set[str] = field(default_factory=set)

    def add(self, *values: object) -> None:
        """Remember secrets; what is no text or too short to be one is passed over."""
        self.values |= {
            text
            for text in (str(value).strip() for value in values if value is not None)
            if len(text) >= _FEWEST_CHARACTERS
        }

    def add_pair(self, user: object, key: object) -> None:
        """Remember a key, and how it travels together with the name of its user."""
        self.add(key)
        if user and key:
            self.add(base64.b64encode(f"{user}:{key}".encode()).decode())

    def hide(self, text: str, *, longest: int = 200) -> str:
        """Return foreign text on one line, short, inert and without a secret."""
        for value in _longest_first(self.values):
            text = text.replace(value, _HIDDEN)
        text = _LOOKS_SECRET.sub(_HIDDEN, text)
        return shorten(clean_text(text), longest)


def _longest_first(values: Iterable[str]) -> list[str]:
    return sorted(values, key=len, reverse=True)
