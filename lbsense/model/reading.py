"""How an input was read: which table, which columns, in which order, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from lbsense._format import clean_text, plural, shorten
from lbsense._result import Result

#: What the order of the submissions was taken from.
Order: TypeAlias = Literal["dates", "counter", "listed", "newest first", "score"]

# What the line names, in its order, and what it calls it.
_NAMED = {
    "public_score": "public score",
    "score": "public score",
    "private_score": "private score",
    "cv_score": "CV",
    "cv_fold_scores": "CV folds",
    "submitted_at": "dates",
    "title": "names",
    "description": "descriptions",
    "file_name": "files",
}
_ORDERS: dict[Order, str] = {
    "dates": "in the order of their dates",
    "counter": "in the order of their numbers",
    "listed": "in the order listed, the oldest first",
    "newest first": "in the reverse of the order listed, the newest first",
    "score": "listed by score: the order of submission is not known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedColumn(Result):
    """A column that was seen and not used.

    Attributes
    ----------
    name : str
        Its heading.
    guess : str
        What its cells are, and what they might be.
    """

    name: str
    guess: str

    def __str__(self) -> str:
        return f"{shorten(clean_text(self.name), 60)!r} ({self.guess})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Result):
    """What was read as the history, in one line that a person can check.

    Attributes
    ----------
    source : str
        File or object that it was read from; several have commas between them.
    n_submissions : int
        Submissions that were found.
    table : str
        Which of several tables, such as "the second of 3 tables ('Week 2')"; empty
        where there is one.
    columns : mapping of str to str
        Column that each field was read from.
    unused : tuple of UnusedColumn
        Columns that were not used.
    order : {"dates", "counter", "listed", "newest first", "score"}
        What the order was taken from; "score" where rows are sorted by score, and the
        order in which they were sent is not known.
    why : tuple of str
        The reasons of choices that could have been others.
    """

    source: str
    n_submissions: int
    table: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[UnusedColumn, ...] = ()
    order: Order = "listed"
    why: tuple[str, ...] = ()

    @property
    def order_is_known(self) -> bool:
        """Whether the order of the submissions is that in which they were sent."""
        return self.order != "score"

    def __str__(self) -> str:
        where = f" from {clean_text(self.table)}" if self.table else ""
        named: dict[str, str] = {}
        for name, words in _NAMED.items():
            if name in self.columns:
                column = shorten(clean_text(self.columns[name]), 60)
                named.setdefault(words, f"{words} from {column!r}")
        parts = [f"{plural(self.n_submissions, 'submission')}{where}"]
        return ", ".join([*parts, *named.values(), _ORDERS[self.order]])
