"""What a record of a platform holds: its exports, its words, how to get them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lbsense._result import Result
from lbsense._typing import Platform as PlatformName
from lbsense._typing import Status

_ABOUT_A_SUBMISSION = frozenset(
    (
        "comment",
        "cv",
        "description",
        "file",
        "filename",
        "model",
        "note",
        "notes",
        "oof",
        "publicscore",
        "status",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatGuide(Result):
    """One kind of input: how to get it, what it holds and what it lacks.

    Attributes
    ----------
    name : str
        Short name.
    title : str
        What it is.
    how : str
        How to get it.
    columns : tuple of str
        Columns or keys that are read.
    caveats : tuple of str
        What to know before trusting it.
    """

    name: str
    title: str
    how: str
    columns: tuple[str, ...]
    caveats: tuple[str, ...] = ()


class Look(NamedTuple):
    """What a table is recognised by.

    ``keys`` are the letters and digits of its column names, in lower case; ``words``
    those that stand in its columns of outcomes.
    """

    columns: tuple[str, ...]
    keys: frozenset[str]
    shape: str
    words: frozenset[str] = frozenset()

    @property
    def has_bare_score(self) -> bool:
        """Whether it has a score and nothing that is said of a submission."""
        return "score" in self.keys and not self.keys & _ABOUT_A_SUBMISSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of listing of submissions.

    Attributes
    ----------
    name : str
        Short name.
    recognises : callable
        Says by the look of a table whether it is one.
    platform : str or None
        Whose listing it is.
    pages : mapping of int to str
        By the rows of a full page, which may not be the only one, how to get all.
    newest_first : bool
        Whether rows without times are known to be listed so.
    unknown_status : {"complaint", "error", "note"}
        What a status is that nobody knows: a cell to complain of, the platform's word
        on a failure, or a note of the entrant.
    reason_as_comment : bool
        Whether the comment of a failed submission is the reason.
    hand_made : bool
        Whether it is no export but a table of the entrant's own.
    """

    name: str
    recognises: Callable[[Look], bool]
    platform: PlatformName | None = None
    pages: Mapping[int, str] = field(default_factory=dict)
    newest_first: bool = False
    unknown_status: Literal["complaint", "error", "note"] = "complaint"
    reason_as_comment: bool = False
    hand_made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Where competitions run.

    Attributes
    ----------
    name : str
        Short name, one of `lbsense._typing.Platform`.
    title : str
        As people write it.
    exports : tuple of Export
        Its listings; the first that recognises a table has it.
    columns : mapping of str to tuple of str
        For each field the names of its columns, as `Look` has them, in the order of
        preference. Names that people use as well belong to `tables.names`.
    statuses : mapping of str to Status
        Its words, in lower case.
    printed : tuple of str
        Regular expressions of lines that its client prints around a table.
    board : tuple of str
        Columns of the board that its client prints between pipes, if it does.
    is_leaderboard : callable
        Says whether a table is its leaderboard, not a history.
    nested_doubt : str
        What to know of private scores that cover the public rows, where some do.
    score_doubt : str
        What to know of a column that is just called score.
    guides : tuple of FormatGuide
        How to get each export.
    """

    name: PlatformName
    title: str
    exports: tuple[Export, ...]
    columns: Mapping[str, tuple[str, ...]]
    statuses: Mapping[str, Status]
    printed: tuple[str, ...] = ()
    board: tuple[str, ...] = ()
    is_leaderboard: Callable[[Look], bool] = lambda _look: False
    nested_doubt: str = ""
    score_doubt: str = ""
    guides: tuple[FormatGuide, ...]
