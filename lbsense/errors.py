"""Errors and warnings of lbsense: one root each, so that one ``except`` is enough."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Protocol

from lbsense._format import inert

__all__ = [
    "DirectionUnknownError",
    "FetchError",
    "IngestError",
    "LbsenseError",
    "LbsenseWarning",
    "warn",
]


class LbsenseError(Exception):
    """Root of every error that lbsense raises on purpose."""


class Issue(Protocol):
    """What can be said of a row that was not read, as `lbsense.RowIssue` says it."""

    @property
    def source(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def column(self) -> str | None: ...
    @property
    def found(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def action(self) -> str: ...


class IngestError(LbsenseError, ValueError):
    """Raise when a file or an object cannot be read as what it was taken for.

    Attributes
    ----------
    issues : tuple of RowIssue
        Every row problem that was found, not only those quoted in the message.
    """

    def __init__(self, message: str, *, issues: Sequence[Issue] = ()) -> None:
        super().__init__(inert(message))
        self.issues = tuple(issues)


class FetchError(LbsenseError, OSError):
    """Raise when a platform cannot be asked, or does not answer what was asked.

    No message holds a token, a key or a password.

    Attributes
    ----------
    may_pass : bool
        Whether the same question may be answered later.
    """

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class DirectionUnknownError(LbsenseError, ValueError):
    """Raise when scores must be compared and nobody said which way is better."""


class LbsenseWarning(UserWarning):
    """Warn that a number was produced that should be trusted less."""


def warn(message: str) -> None:
    """Warn of a number to be trusted less, at the line that called lbsense.

    How deep inside lbsense the number was made is no matter of the user's.
    """
    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe()
    while frame.f_globals.get("__name__", "").partition(".")[0] == package:
        if frame.f_back is None:
            break
        level, frame = level + 1, frame.f_back
    warnings.warn(inert(message), LbsenseWarning, stacklevel=level)
