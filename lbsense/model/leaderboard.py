"""A leaderboard: the teams of one competition, with public and private scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lbsense._format import plural
from lbsense._result import Result
from lbsense._typing import FloatArray, IntArray
from lbsense._validation import check_same_length, read_only
from lbsense.model.submission import Competition, RowIssue

if TYPE_CHECKING:
    import pandas as pd


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
