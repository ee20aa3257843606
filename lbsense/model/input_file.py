"""A file that a history was read from, named so that it can be found again."""

from __future__ import annotations

from dataclasses import dataclass

from lbsense._result import Result

__all__ = ["InputFile"]


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
