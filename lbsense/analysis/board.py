"""Whole boards: one and a team on it, all of its submissions, thousands of boards."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from lbsense._format import clean_text
from lbsense._result import Missing, Result, plain
from lbsense._typing import FloatArray, RandomState
from lbsense._validation import check_kind, check_positive
from lbsense.analysis.noise import board_noise, pairs_of_board
from lbsense.analysis.result import Analysis
from lbsense.model import HostExport, Leaderboard, content_groups
from lbsense.stats import (
    BoardResult,
    MedalPickResult,
    MovementResult,
    PlanCell,
    StandingResult,
    TeamChaseResult,
    board_movement,
    board_result,
    discoveries,
    pair_noise,
    planning_table,
    rank_sets,
    standing,
    team_chase,
)
from lbsense.words import (
    board_entries,
    board_headline,
    field_entries,
    field_headline,
    host_entries,
    host_headline,
)

if TYPE_CHECKING:
    import pandas as pd

_CANDIDATES = 12
_SURE = 0.95
_FALSE_SHARE = 0.1
_FEWEST = 5  # submissions from which a team can have chased; boards of a group
_BATCH = 100  # teams that one task holds
_SIZES = (0, 100, 250, 1000, math.inf)  # teams of competitions, and public shares
_SHARES = (0.0, 0.15, 0.35, 1.0)
SCHEMA = 1


class Told(Result):
    """A result that says its answer in one sentence, and the rest under headings."""

    __slots__ = ()

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        raise NotImplementedError

    def entries(self) -> list[tuple[str, str]]:
        """Return what else is said: a heading and a sentence each."""
        raise NotImplementedError

    def __str__(self) -> str:
        told = [f"  {name}: {text}" for name, text in self.entries()]
        return "\n".join([self.headline, *told])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardAnalysis(Told):
    """What a leaderboard says.

    Attributes
    ----------
    board : Leaderboard
        The board.
    result : BoardResult
        What the scores of all teams tell.
    standing : StandingResult or Missing
        Where the team stands that was asked about.
    team : str
        Its name, empty where none was.
    movement : MovementResult or Missing
        How the board moved, where daily boards or every improvement are known.
    """

    board: Leaderboard
    result: BoardResult
    standing: StandingResult | Missing
    team: str
    movement: MovementResult | Missing = field(repr=False)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return board_headline(self.result)

    def entries(self) -> list[tuple[str, str]]:
        """Return what the board says: a heading and a sentence each."""
        return board_entries(
            self.board, self.result, self.standing, self.team, self.movement
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as ``json.dumps`` takes them."""
        found = self.result
        return {
            "schema": SCHEMA,
            "headline": self.headline,
            "competition": self.board.competition.to_dict(),
            "n_teams": len(self.board),
            "n_both": found.n_both,
            "n_distinct": found.n_distinct,
            "largest_copy": found.largest_copy,
            "matched_by": self.board.matched_by,
            "benchmarks": list(self.board.benchmarks),
            "issues": [str(issue) for issue in self.board.issues],
            "shake_up": found.shake_up.to_dict() if found.shake_up else None,
            "expected": found.expected.to_dict(),
            "verdict": found.verdict or None,
            "noise": {
                "basis": found.noise.basis,
                "public_se": plain(found.noise.typical),
                "difference_se": plain(math.sqrt(2) * found.noise.typical),
                "ratio": found.noise.ratio,
                "shared": found.noise.shared,
                "log_sd": found.noise.log_sd,
                "n_published": found.noise.n_published,
            },
            "pairs": found.pairs.to_dict() if found.pairs else None,
            "medals": found.places.medals.to_dict(),
            "team": self.team or None,
            "standing": _shown(self.standing) if self.standing else None,
            "movement": self.movement.to_dict() if self.movement else None,
            "teams": plain(self.to_frame().to_dict("records")),
        }

    def to_frame(self) -> Any:
        """Return one row per team with a public score, the best first."""
        import pandas as pd

        found, places = self.result, self.result.places
        board = self.board
        return pd.DataFrame(
            {
                "team_id": [board.team_ids[i] for i in found.teams],
                "team_name": [clean_text(board.team_names[i]) for i in found.teams],
                "public_score": board.public[found.teams],
                "private_score": board.private[found.teams],
                "public_rank": found.draws.public_rank,
                "true_low": places.true_low,
                "true_high": places.true_high,
                "set_low": found.sets.low.astype(float),
                "set_high": found.sets.high.astype(float),
                "group": found.group.astype(int),
                "n_alike": found.n_alike.astype(int),
                "private_low": places.private_low,
                "private_high": places.private_high,
                "p_gold": places.p_gold,
                "p_silver": places.p_silver,
                "p_bronze": places.p_bronze,
                "p_first": places.p_first,
            }
        )


def analyze_board(
    board: Leaderboard,
    *,
    team: str | None = None,
    noise: float | None = None,
    analysis: Analysis | None = None,
    notebooks_only: bool | None = None,
    n_prizes: int = 3,
    rng: RandomState = 0,
) -> BoardAnalysis:
    """Return what a leaderboard says of its order, its noise and its reveal.

    Parameters
    ----------
    board : Leaderboard
        As `read_leaderboard` gives it.
    team : str, optional
        Identifier or name of a team whose standing is asked for.
    noise : float, optional
        Standard error of one public score, less what all teams have in common, where
        you know it. By default it is taken from the pairs of public and private
        scores, else from metric and sizes, else from published rank correlations.
    analysis : Analysis, optional
        Of the team's own history: its noise is taken where the board tells none.
    notebooks_only : bool, optional
        Whether only notebooks could be submitted, for the published correlations.
    n_prizes : int
        Prize places to give the chance of.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    BoardAnalysis

    Raises
    ------
    DirectionUnknownError
        If nothing says which score is better.
    ValueError
        If there is no such team, or fewer than two teams have a public score.

    Examples
    --------
    >>> from lbsense.simulate import simulate_board
    >>> board = simulate_board(n_teams=200, noise=0.3, rng=1).board
    >>> found = analyze_board(board)
    >>> found.result.verdict
    'as much'
    """
    check_kind(board, Leaderboard, name="board")
    check_kind(analysis, Analysis, name="analysis", optional=True)
    if int(np.isfinite(board.public).sum()) < 2:
        msg = (
            "Fewer than two teams have a public score. Of a board: is it the private "
            "one alone? Give the public one first. Of an export: give it of all teams."
        )
        raise ValueError(msg)
    public, private = board.scores("public"), board.scores("private")
    if noise is not None:
        check_positive(noise, name="noise")
    position = None if team is None else board.find(team)
    pairs = pairs_of_board(board.competition, public, private)
    of_history = None if analysis is None else analysis.noise
    taken = board_noise(
        board.competition, public, pairs, noise, of_history, notebooks_only
    )
    has_ranks = np.isfinite(board.public_rank).any()
    found = board_result(
        public,
        private,
        taken,
        pairs,
        ranks=(board.public_rank, board.private_rank) if has_ranks else None,
        rng=rng,
    )
    stands: StandingResult | Missing = Missing("standing", "No team is named.", ())
    if position is not None:
        at = np.flatnonzero(found.teams == position)
        stands = Missing("standing", "The team has no public score.", ())
        if at.size:
            stands = standing(found, int(at[0]), n_prizes=n_prizes)
    return BoardAnalysis(
        board=board,
        result=found,
        standing=stands,
        team="" if position is None else clean_text(board.team_names[position]),
        movement=_movement(board, found),
    )


def _movement(board: Leaderboard, found: BoardResult) -> MovementResult | Missing:
    if board.history is None:
        return Missing("movement", "There is one board, not a series of days.", ())
    rows = board.history
    sign = board.competition.direction()
    return board_movement(
        rows["team"].to_numpy(),
        rows["time"].to_numpy("datetime64[s]").astype(np.float64) / 86_400,
        sign * rows["score"].to_numpy(np.float64),
        noise=found.noise.typical,
        n_submissions=board.n_submissions,
    )


def medal_picks(
    analysis: Analysis, found: BoardAnalysis, *, rng: RandomState = 0
) -> MedalPickResult | Missing:
    """Return the pair that maximises the chance of a medal, not the expected score.

    Parameters
    ----------
    analysis : Analysis
        Of the team's own history.
    found : BoardAnalysis
        Of the public board, with the team named.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    MedalPickResult or Missing

    Notes
    -----
    The submission that stands on the board has the private score that the board gives
    the team; the others differ from it as the history says. The pair has a medal if
    its better score reaches the place among all other teams, draw by draw.
    """
    outlook, picks = analysis.outlook, analysis.picks
    if not outlook or not picks or picks.basis != "levels":
        reason = "Nothing is known of the private scores of the submissions."
        return Missing("medal_picks", reason, ("cv",))
    scores = found.result.draws.private_score
    if not found.standing or scores is None:
        reason = (
            "The team is not named, or nothing tells the noise of this board in scores."
        )
        return Missing("medal_picks", reason, ("metric", "test_size"))
    own = found.standing.position
    sign = analysis.history.competition.direction()
    mean = sign * outlook.mean
    anchor = int(np.nanargmax(analysis.history.scores("public")))
    groups = content_groups(analysis.history)
    alone = np.arange(len(groups))
    content = np.where(
        groups < 0, alone, [np.flatnonzero(groups == k)[0] for k in groups]
    )
    ranked = [
        i
        for i in np.argsort(-mean, kind="stable")
        if np.isfinite(mean[i]) and content[i] == i
    ]
    chosen = list(dict.fromkeys([*ranked[:_CANDIDATES], *picks.best.positions, anchor]))
    cov = np.asarray(outlook.cov)[np.ix_(chosen, chosen)]
    base = chosen.index(anchor)
    apart = np.eye(len(chosen))
    apart[:, base] -= 1
    spread = apart @ cov @ apart.T
    generator = np.random.default_rng(rng)
    root = np.linalg.svd(spread, hermitian=True)
    factor = root[0] * np.sqrt(np.maximum(root[1], 0))
    fresh = generator.standard_normal((len(scores), len(chosen))) @ factor.T
    sent = scores[:, [own]] + apart @ mean[chosen] + fresh
    others = np.sort(np.delete(scores, own, axis=1), axis=1)[:, ::-1]
    tables = {}
    for medal in ("gold", "silver", "bronze"):
        last = getattr(found.result.places.medals, medal)
        if last < 1 or last > others.shape[1]:
            tables[medal] = np.full((len(chosen), len(chosen)), float(last >= 1))
            continue
        short = sent < others[:, [last - 1]]
        neither = short.astype(np.float64)
        tables[medal] = 1 - neither.T @ neither / len(scores)
    allowed = np.triu(content[chosen][:, None] != content[chosen], 1)
    if not allowed.any():
        return Missing("medal_picks", "Needs two submissions of different content.")
    medal = next(
        (m for m in ("bronze", "silver") if tables[m][allowed].max() < _SURE), "gold"
    )
    table = np.where(allowed, tables[medal] + 1e-9 * tables["bronze"], -1)
    # Of pairs whose chances the draws do not tell apart the better expected one.
    tie = table >= table.max() - 0.5 / math.sqrt(len(scores)) * 0.2
    value = np.maximum(mean[chosen][:, None], mean[chosen][None, :])
    first, second = np.unravel_index(
        int(np.argmax(np.where(tie, value + 1e-12 * table, -np.inf))), table.shape
    )
    pair = sorted((chosen[first], chosen[second]), key=lambda i: -mean[i])
    rule = [chosen.index(i) for i in picks.best.positions]
    at = (int(first), int(second))
    return MedalPickResult(
        positions=tuple(int(i) for i in pair),
        medal=medal,
        chance=float(tables[medal][at]),
        chance_of_rule=float(tables[medal][rule[0], rule[-1]]),
        chances=tuple(float(tables[m][at]) for m in tables),  # type: ignore[arg-type]
        n_candidates=len(chosen),
    )


def _shown(found: StandingResult) -> dict[str, Any]:
    arrays = ("place_low", "place_high", "p_bin")
    shown = found.to_dict() | {name: getattr(found, name).tolist() for name in arrays}
    del shown["position"]
    return shown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostAnalysis(Told):
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
            "schema": SCHEMA,
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
        delayed(_chases)(
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
    final = board.board.scores("private")
    known = np.flatnonzero(np.isfinite(final))
    sets = rank_sets(final[known], noise.private_se, rng=rng)
    place = np.argsort(np.argsort(-final[known], kind="stable")) + 1
    rows = np.full((3, n), np.nan)
    rows[:, known] = place, sets.low, sets.high
    teams["final_place"], teams["true_low"], teams["true_high"] = rows
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


def _chases(
    scores: list[tuple[FloatArray, FloatArray]], *given: float
) -> list[TeamChaseResult | None]:
    noise, ratio, offset = given
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
    frame["p_luck"] = p
    frame["chased"] = discoveries(p, false_share=_FALSE_SHARE)
    return frame


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldAnalysis(Told):
    """What finished competitions say together.

    Attributes
    ----------
    competitions : DataFrame
        One row per competition, as `read_field` gives them, with ``size``, ``share``
        and ``year``.
    groups : DataFrame
        One row per group of each ``by`` (all, metric, size, share, year, kind,
        notebooks only): competitions, quartiles of the shake-up and of one minus the
        rank correlation, medians of the slope of private on public scores, over all
        submissions and over the best tenth, and of the gap in standard deviations.
    """

    competitions: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        return field_headline(self._groups())

    def entries(self) -> list[tuple[str, str]]:
        """Return what the field says: a heading and a sentence each."""
        return field_entries(self._groups())

    def _groups(self) -> list[dict[str, Any]]:
        rows = self.groups.to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in rows]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per competition."""
        return self.competitions

    def to_dict(self) -> dict[str, Any]:
        """Return the groups as ``json.dumps`` takes them."""
        return {
            "schema": SCHEMA,
            "headline": self.headline,
            "groups": plain(self._groups()),
        }


def analyze_field(competitions: pd.DataFrame) -> FieldAnalysis:
    """Return what finished competitions say together.

    Parameters
    ----------
    competitions : DataFrame
        As `read_field` gives it.

    Returns
    -------
    FieldAnalysis

    Notes
    -----
    The slope of private on public scores, and the gap between them over all
    submissions and over the best tenth, are the analyses of Roelofs et al. (2019), for
    every metric; a gap is in standard deviations of the public scores, so that metrics
    can be pooled. A slope below 1 among the best tenth is what choosing by noise alone
    gives: it is no sign of overfitting by itself.

    References
    ----------
    Roelofs, R., et al. (2019). A meta-analysis of overfitting in machine learning.
    Advances in Neural Information Processing Systems 32.
    """
    import pandas as pd

    rows = competitions.copy()
    rows["year"] = pd.to_datetime(rows["deadline"]).dt.year.astype("Int64").astype(str)
    rows["size"] = _binned(rows["n_teams"], _SIZES, "teams")
    rows["share"] = _binned(rows["public_fraction"], _SHARES, "public")
    rows["gap"] = rows["mean_gap"] / rows["sd_public"]
    rows["gap_top"] = rows["mean_gap_top"] / rows["sd_public"]
    groups = [_summary("all", "all", rows)]
    for by in ("metric", "kind", "size", "share", "year", "notebooks_only"):
        groups += [
            _summary(by, str(name), part)
            for name, part in rows.groupby(by)
            if len(part) >= _FEWEST
        ]
    return FieldAnalysis(competitions=rows, groups=pd.DataFrame(groups))


def _binned(
    values: pd.Series[float], edges: tuple[float, ...], name: str
) -> pd.Series[str]:
    import pandas as pd

    labels = [f"{low:g} to {high:g} {name}" for low, high in pairwise(edges)]
    found = pd.cut(values, edges, right=False, labels=labels).astype(object)
    return found.fillna("unknown")


def _summary(by: str, name: str, part: pd.DataFrame) -> dict[str, Any]:
    def at(values: pd.Series[float], percent: int) -> float:
        return float(values.quantile(percent / 100))

    apart, quartiles = 1 - part["spearman"], (25, 50, 75)
    return {
        "by": by,
        "group": name,
        "n_competitions": len(part),
        "n_submissions": int(part["n_submissions"].fillna(0).sum()),
        **{f"shake_up_{q}": at(part["shake_up"], q) for q in quartiles},
        **{f"one_less_spearman_{q}": at(apart, q) for q in quartiles},
        **{k: at(part[k], 50) for k in ("slope", "slope_top", "gap", "gap_top")},
    }
