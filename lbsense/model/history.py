"""A history: submissions in time order, and how the input was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

import numpy as np

from lbsense._format import clean_text, format_number, format_time, plural, shorten
from lbsense._result import Result, fragment, listing, paragraph, table
from lbsense._typing import FloatArray, ScoreKind
from lbsense._validation import check_kind
from lbsense.model.experiment import Ledger
from lbsense.model.identity import display_names
from lbsense.model.submission import Competition, RowIssue, Submission

if TYPE_CHECKING:
    import pandas as pd


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
    "parent_id": "parents",
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
        order = _ORDERS[self.order]
        counted = shorten(clean_text(self.columns.get("order", "")), 60).strip()
        if self.order == "counter" and counted:
            order = f"in the order of {counted!r}"
        return ", ".join([*parts, *named.values(), order])


_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class History(Result):
    """The submissions of one entrant to one competition.

    Attributes
    ----------
    competition : Competition
        What is known about the competition.
    submissions : tuple of Submission
        In time order. Where no submission has a time, in the order given; one that
        has none while others do comes last.
    dropped : tuple of RowIssue
        Every row or cell that was not understood: nothing vanishes.
    warnings : tuple of DataWarning
        What weakens the data as a whole, such as a truncated export.
    reading : Reading or None
        How the input was read; None where nothing was.
    ledger : Ledger or None
        What was tried and why, joined to the submissions; None where none was given.
    """

    competition: Competition
    submissions: tuple[Submission, ...]
    dropped: tuple[RowIssue, ...] = ()
    warnings: tuple[DataWarning, ...] = ()
    reading: Reading | None = None
    ledger: Ledger | None = None

    def __post_init__(self) -> None:
        for item in self.submissions:
            check_kind(item, Submission, name="every one of submissions")
        ordered = sorted(self.submissions, key=lambda item: item.submitted_at or _LAST)
        object.__setattr__(self, "submissions", tuple(ordered))
        counts = Counter(item.submission_id for item in ordered)
        if len(counts) < len(ordered):
            twice = [name for name, count in counts.most_common(5) if count > 1]
            msg = f"submission_id must be unique, but these occur twice: {twice}."
            raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.submissions)

    def __iter__(self) -> Iterator[Submission]:
        return iter(self.submissions)

    @overload
    def __getitem__(self, key: int) -> Submission: ...
    @overload
    def __getitem__(self, key: str) -> Submission: ...
    def __getitem__(self, key: int | str) -> Submission:
        """Return the submission at a position in time, or with an identifier."""
        if isinstance(key, str):
            for item in self.submissions:
                if item.submission_id == key:
                    return item
            raise KeyError(key)
        return self.submissions[key]

    def scores(self, kind: ScoreKind) -> FloatArray:
        """Return the scores of one kind, oriented so that larger is better.

        This is the one place where direction is applied.

        Parameters
        ----------
        kind : {"public", "private", "cv"}
            Which score.

        Returns
        -------
        ndarray of shape (n_submissions,)
            In time order, nan where missing.

        Raises
        ------
        DirectionUnknownError
            If the competition has no direction.
        """
        sign = (
            self.competition.cv_direction()
            if kind == "cv"
            else self.competition.direction()
        )
        return sign * self.raw_scores(kind)

    def raw_scores(self, kind: ScoreKind) -> FloatArray:
        """Return the scores of one kind as they were shown, nan where missing."""
        if kind not in ("public", "private", "cv"):
            msg = f"kind must be 'public', 'private' or 'cv', got {kind!r}."
            raise ValueError(msg)
        values = [getattr(item, f"{kind}_score") for item in self.submissions]
        return np.array(values, dtype=np.float64)

    @property
    def period(self) -> str:
        """First and last day of submission, UTC; empty without any date."""
        times = [item.submitted_at for item in self if item.submitted_at is not None]
        if not times:
            return ""
        first, last = (format_time(time)[:10] for time in (min(times), max(times)))
        return first if first == last else f"{first} to {last}"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission, with the raw scores."""
        import pandas as pd

        columns = list(Submission.__dataclass_fields__)
        rows = [item.to_dict() for item in self.submissions]
        frame = pd.DataFrame(rows, columns=columns)
        times = [item.submitted_at for item in self.submissions]
        return frame.assign(submitted_at=pd.to_datetime(pd.Series(times), utc=True))

    def __str__(self) -> str:
        n_scored = int(np.isfinite(self.raw_scores("public")).sum())
        lines = [
            f"History of {len(self)} submissions, {n_scored} with a public score",
            *([] if self.reading is None else [f"  {self.reading}"]),
            *(f"  {warning}" for warning in self.warnings),
        ]
        if self.dropped:
            lines.append(f"  {len(self.dropped)} rows or cells were not understood:")
            lines += [f"    {issue}" for issue in self.dropped[:5]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        lines = str(self).splitlines()
        rows = [
            [
                str(number),
                format_time(item.submitted_at),
                shorten(name, 60),
                item.status,
                *(
                    format_number(score, digits=6)
                    for score in (item.cv_score, item.public_score, item.private_score)
                ),
            ]
            for number, (item, name) in enumerate(
                zip(self, display_names(self), strict=True), start=1
            )
        ]
        headers = ("#", "UTC", "submission", "status", "CV", "public", "private")
        return fragment(
            paragraph(lines[0], strong=True),
            listing(line.strip() for line in lines[1:]),
            table(headers, rows, numeric=(0, 4, 5, 6)),
        )
