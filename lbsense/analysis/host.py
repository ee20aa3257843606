"""A whole competition as its host sees it: who chased, what holds, how to plan."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from lbsense._format import clean_text
from lbsense._result import Missing, Result, plain
from lbsense._typing import RandomState
from lbsense.analysis.board import BoardAnalysis, analyze_board
from lbsense.model import HostExport
from lbsense.stats import (
    PlanCell,
    RankSetResult,
    TeamChaseResult,
    pair_noise,
    planning_table,
    rank_sets,
    team_chase,
)
from lbsense.words import host_entries, host_headline

if TYPE_CHECKING:
    import pandas as pd

HOST_SCHEMA = 1
_FALSE_SHARE = 0.1
_FEWEST = 5  # submissions from which a team can have chased
_BATCH = 100  # teams that one task holds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostAnalysis(Result):
    """What a competition says to its host.

    Attributes
    ----------
    board : BoardAnalysis
        The leaderboard: shake-up, noise, places.
    teams : DataFrame
        One row per team: its submissions, what the public score promised and the
        private kept, whether it chased, its places.
    n_chasing : int
        Teams whose best public score promised more than luck explains, at a false
        share of one in ten.
    n_prizes : int
        Prize places.
    in_reach : tuple of int
        Positions of the teams within noise of a prize: true places left to them reach
        the last prize place.
    winner_sure : bool
        Whether no other team can be truly best.
    plan : tuple of PlanCell
        What other public shares and test sizes would have done.
    """

    board: BoardAnalysis
    teams: pd.DataFrame = field(repr=False)
    n_chasing: int
    n_prizes: int
    in_reach: tuple[int, ...]
    winner_sure: bool
    plan: tuple[PlanCell, ...] = field(repr=False)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return host_headline(self.board.result, self.n_prizes, len(self.in_reach))

    def entries(self) -> list[tuple[str, str]]:
        """Return what the competition says: a heading and a sentence each."""
        names = [self.board.board.team_names[i] for i in self.in_reach]
        chased = self.teams.loc[self.teams["chased"], "team_name"]
        return [
            *host_entries(
                n_prizes=self.n_prizes,
                in_reach=names,
                winner_sure=self.winner_sure,
                chased=list(chased),
                plan=self.plan,
            ),
            *self.board.entries(),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as ``json.dumps`` takes them."""
        board = self.board.to_dict()
        del board["teams"], board["schema"]
        return {
            "schema": HOST_SCHEMA,
            "headline": self.headline,
            "n_chasing": self.n_chasing,
            "n_prizes": self.n_prizes,
            "in_reach": [self.board.board.team_names[i] for i in self.in_reach],
            "winner_sure": self.winner_sure,
            "plan": [cell.to_dict() for cell in self.plan],
            "board": board,
            "teams": plain(self.teams.to_dict("records")),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per team."""
        return self.teams

    def __str__(self) -> str:
        told = [f"  {name}: {text}" for name, text in self.entries()]
        return "\n".join([self.headline, *told])


def analyze_host(
    export: HostExport, *, n_prizes: int = 3, rng: RandomState = 0
) -> HostAnalysis:
    """Return what a competition says to its host.

    Teams are looked at one by one through joblib, a hundred to a task:
    ``joblib.parallel_config`` puts that on processes, Dask or Ray, and no task holds
    more than the scores of its teams.

    Parameters
    ----------
    export : HostExport
        As `read_host` gives it.
    n_prizes : int
        Prize places.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    HostAnalysis

    Raises
    ------
    ValueError
        If the private scores are missing, or tell no noise.
    """
    from joblib import Parallel, delayed

    sign = export.competition.direction()
    board = analyze_board(export.board(), n_prizes=n_prizes, rng=rng)
    ratio, shared = board.result.noise.ratio, board.result.noise.shared
    x, y = sign * export.public, sign * export.private
    noise = pair_noise(x, y, ratio=ratio, shared=shared)
    if isinstance(noise, Missing):
        raise ValueError(noise.reason)
    unseen = (y - shared * x) / (1 - shared)
    starts = export.bounds()
    n = len(export.team_names)
    blocks = [(i, min(i + _BATCH, n)) for i in range(0, n, _BATCH)]
    found: list[TeamChaseResult | None] = []
    for part in Parallel()(
        delayed(_block)(
            [
                (x[starts[i] : starts[i + 1]], unseen[starts[i] : starts[i + 1]])
                for i in range(first, last)
            ],
            noise.public_se,
            ratio,
            noise.offset,
        )
        for first, last in blocks
    ):
        found += part
    teams = _frame(export, found)
    places, sets = _final(board, noise.private_se, rng)
    teams["final_place"], teams["true_low"], teams["true_high"] = places.T
    reach = [int(i) for i in np.flatnonzero(teams["true_low"] <= n_prizes)]
    return HostAnalysis(
        board=board,
        teams=teams,
        n_chasing=int(teams["chased"].sum()),
        n_prizes=n_prizes,
        in_reach=tuple(sorted(reach, key=lambda i: teams["final_place"].iloc[i])),
        winner_sure=bool((sets.low == 1).sum() == 1),
        plan=_plan(board, noise.public_se, rng),
    )


def _block(
    scores: list[tuple[np.ndarray, np.ndarray]],
    noise: float,
    ratio: float,
    offset: float,
) -> list[TeamChaseResult | None]:
    return [
        team_chase(x, y, noise=noise, ratio=ratio, offset=offset) for x, y in scores
    ]


def _frame(export: HostExport, found: list[TeamChaseResult | None]) -> pd.DataFrame:
    """Return a row per team; who chased is told with a false share of one in ten."""
    import pandas as pd

    names = list(TeamChaseResult.__dataclass_fields__)
    values = {
        name: [np.nan if item is None else getattr(item, name) for item in found]
        for name in names
    }
    frame = pd.DataFrame(
        {
            "team_id": export.team_ids,
            "team_name": [clean_text(name) for name in export.team_names],
            **values,
        }
    )
    p = 1 - ndtr(frame["z"].to_numpy(np.float64))
    p[~(frame["n_submissions"] >= _FEWEST).to_numpy()] = 1.0
    p = np.nan_to_num(p, nan=1.0)
    order = np.argsort(p)
    limit = _FALSE_SHARE * np.arange(1, len(p) + 1) / len(p)
    passing = np.flatnonzero(p[order] <= limit)
    frame["p_luck"] = p
    frame["chased"] = False
    if passing.size:
        frame.loc[order[: passing[-1] + 1], "chased"] = True
    return frame


def _final(
    board: BoardAnalysis, private_se: float, rng: RandomState
) -> tuple[np.ndarray, RankSetResult]:
    """Return final place and the true places left to each team by its private score."""
    scores = board.board.scores("private")
    known = np.flatnonzero(np.isfinite(scores))
    sets = rank_sets(scores[known], private_se, rng=rng)
    rows = np.full((len(scores), 3), np.nan)
    order = np.argsort(-scores[known], kind="stable")
    place = np.empty(len(known))
    place[order] = np.arange(1, len(known) + 1)
    rows[known] = np.column_stack([place, sets.low, sets.high])
    return rows, sets


def _plan(
    board: BoardAnalysis, public_se: float, rng: RandomState
) -> tuple[PlanCell, ...]:
    """Return the planning table, true scores told by both scores together."""
    public, private = board.board.scores("public"), board.board.scores("private")
    both = np.isfinite(public) & np.isfinite(private)
    ratio, shared = board.result.noise.ratio, board.result.noise.shared
    x = public[both]
    y = (private[both] - shared * x) / (1 - shared)
    y = y - np.median(y - x)
    level = (ratio**2 * x + y) / (1 + ratio**2)
    se = public_se * ratio / math.hypot(1.0, ratio)
    share = board.board.competition.public_fraction or ratio**2 / (1 + ratio**2)
    return planning_table(
        level,
        np.full(len(level), se),
        n_public_noise=public_se,
        public_fraction=share,
        rng=rng,
    )
