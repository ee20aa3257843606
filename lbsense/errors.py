"""Errors and warnings of lbsense: one root each, so that one ``except`` is enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lbsense.model import RowIssue

__all__ = ["DirectionUnknownError", "IngestError", "LbsenseError", "LbsenseWarning"]


class LbsenseError(Exception):
    """Root of every error that lbsense raises on purpose."""


class IngestError(LbsenseError, ValueError):
    """Raise when a file or an object cannot be read as what it was taken for.

    Attributes
    ----------
    issues : tuple of RowIssue
        Every row problem that was found, not only those quoted in the message.
    """

    def __init__(self, message: str, *, issues: Sequence[RowIssue] = ()) -> None:
        super().__init__(message)
        self.issues = tuple(issues)


class DirectionUnknownError(LbsenseError, ValueError):
    """Raise when scores must be compared and nobody said which way is better."""


class LbsenseWarning(UserWarning):
    """Warn that a number was produced that should be trusted less."""
