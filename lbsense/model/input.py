"""The input itself: its files, what was not understood in it, what weakens it."""

from __future__ import annotations

from dataclasses import dataclass

from lbsense._format import clean_text
from lbsense._result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile(Result):
    """A file and the digest of its bytes.

    Attributes
    ----------
    name : str
        Its name, without the folder.
    sha256 : str
        Digest of its bytes, in hexadecimal.
    n_bytes : int
        Its size.
    """

    name: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue(Result):
    """Something in the input that was not understood, and what became of it.

    Attributes
    ----------
    source : str
        File or object that it was found in.
    line : int or None
        Line, the first being 1.
    column : str or None
        Column, where one cell is to blame.
    found : str
        What stood there.
    expected : str
        What would have been understood.
    action : str
        What was done: "row skipped", "cell taken as missing", ...
    """

    source: str
    line: int | None = None
    column: str | None = None
    found: str
    expected: str
    action: str

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        column = "" if self.column is None else f" {self.column} is"
        return clean_text(
            f"{where}:{column} {self.found!r}, expected {self.expected}; {self.action}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataWarning(Result):
    """Something about the data as a whole that weakens what can be said.

    Attributes
    ----------
    code : str
        Stable code, ``LBS1nn``.
    message : str
        What was seen, what it means and what to do.
    """

    code: str
    message: str

    def __str__(self) -> str:
        return clean_text(f"{self.code}: {self.message}")
