"""What a platform shows: the history of one team, the leaderboard of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

import numpy as np

from lbsense._format import clean_text, format_number, format_time, plural, shorten
from lbsense._result import Result, fragment, listing, paragraph, table
from lbsense._typing import FloatArray, IntArray, ScoreKind
from lbsense._validation import check_kind, check_same_length, read_only
from lbsense.model.own import Ledger
from lbsense.model.submission import (
    Competition,
    RowIssue,
    Submission,
    display_names,
)

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
    "cv_others": "further CV",
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

    def cv_series(self) -> dict[str, FloatArray]:
        """Return every kind of CV score by its name, oriented, the first one first.

        Notes
        -----
        All are taken to be better the same way; `analyze` finds where one is not.
        """
        sign = self.competition.cv_direction()
        given = dict.fromkeys(name for item in self for name, _ in item.cv_others)
        others = [dict(item.cv_others) for item in self]
        own = (self.reading.columns if self.reading else {}).get("cv_score", "")
        first = own if given and own and own not in given else "CV"
        return {first: self.scores("cv")} | {
            name: sign
            * np.array([one.get(name, np.nan) for one in others], dtype=float)
            for name in given
        }

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaderboard(Result):
    """The teams of a competition, without its benchmarks, in the order of the file.

    Attributes
    ----------
    competition : Competition
        What is known about the competition.
    team_ids, team_names : tuple of str
        As the platform gives them; an identifier is empty where the file has none.
    public, private : ndarray of shape (n_teams,)
        Scores as shown, nan where missing.
    public_rank, private_rank : ndarray of shape (n_teams,)
        Places as the platform tells them, the best being 1; nan where it does not.
    submitted_at : ndarray of shape (n_teams,)
        Time of the last improvement or submission, UTC; NaT where unknown.
    n_submissions : ndarray of shape (n_teams,)
        Submissions of a team, 0 where unknown.
    history : DataFrame or None
        Where the file holds every improvement of every team, or daily boards were
        given: ``team`` (a position here), ``time`` and ``score``, in time order.
    benchmarks : tuple of str
        Names of the rows that the host put there.
    issues : tuple of RowIssue
        Every row that was not understood or not joined: nothing vanishes.
    matched_by : {"", "team id", "team name", "order of rows"}
        What public and private rows were joined by.
    """

    competition: Competition = field(default_factory=Competition)
    team_ids: tuple[str, ...]
    team_names: tuple[str, ...]
    public: FloatArray
    private: FloatArray
    public_rank: FloatArray
    private_rank: FloatArray
    submitted_at: np.ndarray
    n_submissions: IntArray
    history: pd.DataFrame | None = field(default=None, repr=False)
    benchmarks: tuple[str, ...] = ()
    issues: tuple[RowIssue, ...] = ()
    matched_by: str = ""

    def __post_init__(self) -> None:
        columns = ("public", "private", "public_rank", "private_rank")
        check_same_length(
            team_names=np.empty(len(self.team_names)),
            team_ids=np.empty(len(self.team_ids)),
            **{name: getattr(self, name) for name in columns},
        )
        for name in (*columns, "submitted_at", "n_submissions"):
            read_only(getattr(self, name))

    def __len__(self) -> int:
        return len(self.team_names)

    def scores(self, kind: str) -> FloatArray:
        """Return ``"public"`` or ``"private"`` scores, oriented: larger is better.

        Raises
        ------
        DirectionUnknownError
            If the competition has no direction.
        """
        if kind not in ("public", "private"):
            msg = f"kind must be 'public' or 'private', got {kind!r}."
            raise ValueError(msg)
        values: FloatArray = getattr(self, kind)
        return self.competition.direction() * values

    @property
    def has_private(self) -> bool:
        """Whether two teams at least have both scores."""
        both = np.isfinite(self.public) & np.isfinite(self.private)
        return int(both.sum()) >= 2

    def find(self, team: str) -> int:
        """Return the position of a team by its identifier or its name.

        Raises
        ------
        ValueError
            If there is none, or several teams are called so.
        """
        wanted = " ".join(team.split())
        by_id = [i for i, name in enumerate(self.team_ids) if name == wanted]
        by_name = [i for i, name in enumerate(self.team_names) if name == wanted]
        folded = wanted.casefold()
        loose = [i for i, n in enumerate(self.team_names) if n.casefold() == folded]
        for found in (by_name, by_id, loose):
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(self.team_ids[i] or f"row {i + 1}" for i in found[:5])
                msg = f"{len(found)} teams are called {wanted!r}: name its id ({ids})."
                raise ValueError(msg)
        import difflib

        close = difflib.get_close_matches(wanted, self.team_names, n=3, cutoff=0.6)
        hint = f" Close to it: {', '.join(close)}." if close else ""
        msg = f"no team {wanted!r} on a board of {plural(len(self), 'team')}.{hint}"
        raise ValueError(msg)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per team, with the scores as shown."""
        import pandas as pd

        return pd.DataFrame(
            {
                "team_id": self.team_ids,
                "team_name": self.team_names,
                "public_score": self.public,
                "private_score": self.private,
                "public_rank": self.public_rank,
                "private_rank": self.private_rank,
                "submitted_at": pd.to_datetime(pd.Series(self.submitted_at), utc=True),
                "n_submissions": self.n_submissions,
            }
        )

    def __str__(self) -> str:
        both = int((np.isfinite(self.public) & np.isfinite(self.private)).sum())
        lines = [
            f"Leaderboard of {plural(len(self), 'team')}, {both} with both scores",
            *([f"  joined by {self.matched_by}"] if self.matched_by else []),
            *(f"  {issue}" for issue in self.issues[:5]),
        ]
        if len(self.issues) > 5:
            lines.append(f"  and {len(self.issues) - 5} more")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostExport(Result):
    """Every submission of every team of a competition, as its host exports them.

    Attributes
    ----------
    competition : Competition
        What is known about the competition.
    team_ids, team_names : tuple of str
        The teams.
    team : ndarray of shape (n_submissions,)
        Whose submission it is: a position among the teams. Rows stand by team, and in
        time order within one.
    public, private : ndarray of shape (n_submissions,)
        Scores as shown, nan where missing.
    selected : ndarray of shape (n_submissions,)
        Which were selected for the final ranking.
    submitted_at : ndarray of shape (n_submissions,)
        When, UTC; NaT where unknown.
    issues : tuple of RowIssue
        What was not understood.
    """

    competition: Competition = field(default_factory=Competition)
    team_ids: tuple[str, ...]
    team_names: tuple[str, ...]
    team: IntArray
    public: FloatArray
    private: FloatArray
    selected: np.ndarray
    submitted_at: np.ndarray
    issues: tuple[RowIssue, ...] = ()

    def __len__(self) -> int:
        return len(self.team)

    def bounds(self) -> IntArray:
        """Return where the rows of each team begin, and the end of the last."""
        return np.searchsorted(self.team, np.arange(len(self.team_names) + 1))

    def board(self) -> Leaderboard:
        """Return the leaderboard: best public scores, and what the selected ones got.

        Where a team selected nothing its two best public scores count, as on Kaggle.
        """
        sign = self.competition.direction()
        n = len(self.team_names)
        public, private = np.full(n, np.nan), np.full(n, np.nan)
        starts = self.bounds()
        for i in range(n):
            rows = slice(starts[i], starts[i + 1])
            x, y = sign * self.public[rows], sign * self.private[rows]
            if not np.isfinite(x).any():
                continue
            public[i] = sign * np.nanmax(x)
            chosen = self.selected[rows] & np.isfinite(y)
            if not chosen.any():
                order = np.argsort(-np.where(np.isfinite(x), x, -np.inf), kind="stable")
                chosen = np.zeros(len(x), dtype=bool)
                chosen[order[:2]] = True
            if np.isfinite(y[chosen]).any():
                private[i] = sign * np.nanmax(y[chosen])
        return Leaderboard(
            competition=self.competition,
            team_ids=self.team_ids,
            team_names=self.team_names,
            public=public,
            private=private,
            public_rank=np.full(n, np.nan),
            private_rank=np.full(n, np.nan),
            submitted_at=np.full(n, "NaT", dtype="datetime64[us]"),
            n_submissions=np.diff(starts),
            issues=self.issues,
        )

    def __str__(self) -> str:
        return (
            f"Host export of {plural(len(self.team_names), 'team')}, "
            f"{plural(len(self), 'submission')}"
        )
