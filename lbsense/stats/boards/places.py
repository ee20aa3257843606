"""A whole board: where its teams stand, may stand, and cannot be told apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from lbsense._result import Missing, Result
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_fraction,
    check_positive,
    read_only,
)
from lbsense.stats.boards.forecast import BoardDraws, board_draws, copula_draws
from lbsense.stats.boards.noise import BoardNoise, PairNoiseResult, shared_scores
from lbsense.stats.boards.shakeup import (
    ExpectedShakeUpResult,
    ShakeUpResult,
    exchanged_shake_up,
    expected_shake_up,
    shake_up,
    shake_up_of_ranks,
)

_MEDALS = ("gold", "silver", "bronze")
_SURE = 1.96

#: Whether the shake-up is what noise alone gives.
ShakeUpVerdict: TypeAlias = Literal["as much", "more", "less", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class MedalPlaces(Result):
    """The last place of each medal.

    Attributes
    ----------
    gold, silver, bronze : int
        Last place that has it, 0 where there is none.
    n_teams : int
        Teams on the board.
    """

    gold: int
    silver: int
    bronze: int
    n_teams: int


def medal_places(n_teams: int) -> MedalPlaces:
    """Return the medals that Kaggle gives for that many teams.

    Notes
    -----
    Up to 99 teams the best 10, 20 and 40%; up to 249 the best 10 teams, 20 and 40%; up
    to 999 the best 10 teams and 0.2%, the best 50 and 100; from 1,000 the best 10 teams
    and 0.2%, 5 and 10%. Shares are rounded down (kaggle.com/progression).

    Examples
    --------
    >>> medal_places(5000)
    MedalPlaces(gold=20, silver=250, bronze=500, n_teams=5000)
    """
    n = check_count(n_teams, name="n_teams")
    gold = n // 10 if n < 100 else 10 if n < 250 else 10 + n // 500
    silver = n // 5 if n < 250 else 50 if n < 1000 else n // 20
    bronze = 2 * n // 5 if n < 250 else 100 if n < 1000 else n // 10
    return MedalPlaces(gold=gold, silver=silver, bronze=bronze, n_teams=n)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankSetResult(Result):
    """Confidence sets for the true ranks of teams, which hold for all at once.

    Attributes
    ----------
    low, high : ndarray of shape (n_teams,)
        First and last rank that the scores allow, the best being 1.
    confidence_level : float
        What was asked for.
    """

    low: IntArray
    high: IntArray
    confidence_level: float


def rank_sets(
    scores: ArrayLike,
    noise: float,
    *,
    confidence_level: float = 0.95,
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> RankSetResult:
    """Return confidence sets for ranks that make no assumption on the true scores.

    Parameters
    ----------
    scores : array_like of shape (n_teams,)
        Scores, larger is better, on a scale on which all have the same noise.
    noise : float
        Their standard error, independent of one another; what all scores have in
        common does not matter to ranks and is left out.
    confidence_level : float
        With which all sets hold at once.
    n_draws : int, optional
        Draws of the largest difference; by default 1,000, fewer on large boards.
    rng : int or numpy.random.Generator
        Source of the draws.

    Returns
    -------
    RankSetResult

    See Also
    --------
    places : narrower intervals, which hold on average over the teams of a board.

    Notes
    -----
    A team is surely above another if their difference exceeds ``c`` standard errors of
    it; ``c`` is the quantile of the largest absolute difference of noise, in standard
    errors, over all pairs. Differences that are sure are dropped and the rest looked at
    again, until none is. Ranks that are left to a team run from one more than the teams
    surely above it. For equal noise the pairs within a distance are windows of the
    sorted scores, and the largest difference over them is that of running maxima and
    minima.

    References
    ----------
    Mogstad, M., Romano, J. P., Shaikh, A. M., Wilhelm, D. (2024). Inference for ranks
    with applications to mobility across neighbourhoods and academic achievement across
    countries. Review of Economic Studies 91(1), 476-518. doi:10.1093/restud/rdad006

    Examples
    --------
    >>> sets = rank_sets([9.0, 5.0, 4.9, 1.0], 0.3)
    >>> sets.low.tolist(), sets.high.tolist()
    ([1, 2, 2, 4], [1, 3, 3, 4])
    """
    x = as_float_vector(scores, name="scores")
    s = check_positive(noise, name="noise")
    check_fraction(confidence_level, name="confidence_level")
    n = len(x)
    if n_draws is None:
        n_draws = int(np.clip(2_000_000 // max(1, n), 200, 1000))
    check_count(n_draws, name="n_draws")
    if not np.isfinite(x).all():
        msg = "scores must be finite."
        raise ValueError(msg)
    order = np.argsort(x, kind="stable")
    error = np.random.default_rng(rng).standard_normal((n_draws, n)) * s
    placed, error = x[order], error[:, order]
    width = np.sqrt(2) * s
    reach = np.full(n, n - 1)  # last team of the window of each, going up
    while True:
        bound = float(np.quantile(_windows(error, reach) / width, confidence_level))
        new = np.searchsorted(placed, placed + bound * width, side="right") - 1
        new = np.minimum(new, reach)
        if np.array_equal(new, reach):
            break
        reach = new
    first = np.searchsorted(reach, np.arange(n))  # lowest team whose window holds this
    low, high = np.empty((2, n), dtype=np.int64)
    low[order], high[order] = n - reach, n - first
    return RankSetResult(
        low=read_only(low),
        high=read_only(high),
        confidence_level=confidence_level,
    )


def _windows(noise: FloatArray, reach: np.ndarray) -> FloatArray:
    """Return the largest absolute difference between a team and its window."""
    n = noise.shape[1]
    if (reach == n - 1).all():
        return np.asarray(np.ptp(noise, axis=1))
    # Sparse tables of maxima and minima: a window is two overlapping powers of two.
    length = reach - np.arange(n) + 1
    power = np.floor(np.log2(length)).astype(np.int64)
    largest = np.zeros(len(noise))
    top, bottom = noise.copy(), noise.copy()
    for level in range(int(power.max()) + 1):
        of_it = np.flatnonzero(power == level)
        if of_it.size:
            end = reach[of_it] - 2**level + 1
            high = np.maximum(top[:, of_it], top[:, end])
            low = np.minimum(bottom[:, of_it], bottom[:, end])
            own = noise[:, of_it]
            size = np.maximum(high - own, own - low).max(axis=1)
            np.maximum(largest, size, out=largest)
        step = 2**level
        if n - step > 0:
            top = np.concatenate(
                [np.maximum(top[:, :-step], top[:, step:]), top[:, n - step :]], axis=1
            )
            bottom = np.concatenate(
                [
                    np.minimum(bottom[:, :-step], bottom[:, step:]),
                    bottom[:, n - step :],
                ],
                axis=1,
            )
    return largest


def tie_groups(low: ArrayLike, high: ArrayLike) -> IntArray:
    """Return a number of a group for every team, the best group being 0.

    Teams of one group cannot be told apart from its best: from the top down, a group
    holds every team whose set of ranks still reaches the group's best place.

    Parameters
    ----------
    low, high : array_like of shape (n_teams,)
        First and last ranks that are left to each team.

    Examples
    --------
    >>> tie_groups([1, 1, 2, 4], [2, 3, 3, 4]).tolist()
    [0, 0, 0, 1]
    """
    first = np.asarray(low, dtype=np.int64)
    last = np.asarray(high, dtype=np.int64)
    order = np.lexsort((last, first))
    label = np.empty(len(first), dtype=np.int64)
    group, end = -1, 0
    for team in order:
        if first[team] > end:
            group, end = group + 1, int(last[team])
        label[team] = group
    return label


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacesResult(Result):
    """Places of all teams: what they are, and what they may become.

    Attributes
    ----------
    true_low, true_high : ndarray of shape (n_teams,)
        95% interval of the true place of each team by itself.
    private_low, private_high : ndarray of shape (n_teams,)
        80% interval of the place after the reveal.
    private_median : ndarray of shape (n_teams,)
        Its median.
    p_gold, p_silver, p_bronze : ndarray of shape (n_teams,)
        Probability of a place that has this medal or a better one.
    p_first : ndarray of shape (n_teams,)
        Probability of the first place.
    medals : MedalPlaces
        The last places that have them by the rules of Kaggle.
    n_draws : int
        Draws behind the probabilities.
    """

    true_low: FloatArray = field(repr=False)
    true_high: FloatArray = field(repr=False)
    private_low: FloatArray = field(repr=False)
    private_high: FloatArray = field(repr=False)
    private_median: FloatArray = field(repr=False)
    p_gold: FloatArray = field(repr=False)
    p_silver: FloatArray = field(repr=False)
    p_bronze: FloatArray = field(repr=False)
    p_first: FloatArray = field(repr=False)
    medals: MedalPlaces
    n_draws: int


def places(draws: BoardDraws) -> PlacesResult:
    """Return the places of all teams, from draws of the board.

    Parameters
    ----------
    draws : BoardDraws
        As `board_draws` gives them.

    Notes
    -----
    An interval of true places holds with its probability on average over the teams of
    boards like this one, which is less than the sets of `rank_sets` promise, and more
    than they give: they hold whatever the true scores are, and are wider.
    """
    given = medal_places(draws.private_rank.shape[1])
    low, high = _interval(draws.true_rank, 0.95)
    near, far = _interval(draws.private_rank, 0.80)
    rank = draws.private_rank
    chance = {
        name: _share_within(rank, draws.copies, getattr(given, name))
        for name in _MEDALS
    }
    return PlacesResult(
        true_low=low,
        true_high=high,
        private_low=near,
        private_high=far,
        private_median=read_only(np.median(rank, axis=0)),
        p_gold=chance["gold"],
        p_silver=chance["silver"],
        p_bronze=chance["bronze"],
        p_first=_share_within(rank, draws.copies, 1),
        medals=given,
        n_draws=len(rank),
    )


def _share_within(rank: FloatArray, copies: IntArray, last: int) -> FloatArray:
    """Return how often a team is within places.

    Copies of one submission lie across several places, which they share evenly.
    """
    first = rank - (copies - 1) / 2
    return read_only(np.clip((last - first + 1) / copies, 0, 1).mean(axis=0))


def _interval(rank: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    ends = np.quantile(rank, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return read_only(np.floor(ends[0])), read_only(np.ceil(ends[1]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardResult(Result):
    """What the scores of all teams tell.

    Attributes
    ----------
    teams : ndarray of shape (n_teams,)
        Positions of the teams that have a public score, the best first; all arrays
        below follow it.
    n_both : int
        Teams with both scores.
    n_distinct : int
        Public scores that are no copies of one another.
    largest_copy : int
        Teams that share the most popular submission.
    noise : BoardNoise
        What is taken for the noise.
    pairs : PairNoiseResult or Missing
        What public and private scores together say of it.
    shake_up : ShakeUpResult or Missing
        What the reveal did.
    expected : ExpectedShakeUpResult
        What noise alone does.
    verdict : {"as much", "more", "less", ""}
        Whether the shake-up lies in the 95% interval of what noise alone gives; empty
        before the reveal, and where the private board is another test, so that the
        boards do not tell the noise.
    places : PlacesResult
        Places of all teams and what they may become, by the public board alone.
    sets : RankSetResult
        Ranks that are left to each team, for all at once.
    group : ndarray of shape (n_teams,)
        Tie groups from the top down, the best being 1: no team of a group can be told
        apart from its best at 95%.
    n_alike : ndarray of shape (n_teams,)
        Teams, itself included, that each cannot be told apart from.
    draws : BoardDraws
        What the chances rest on.
    """

    teams: IntArray = field(repr=False)
    n_both: int
    n_distinct: int
    largest_copy: int
    noise: BoardNoise
    pairs: PairNoiseResult | Missing
    shake_up: ShakeUpResult | Missing
    expected: ExpectedShakeUpResult
    verdict: ShakeUpVerdict
    places: PlacesResult
    sets: RankSetResult
    group: IntArray = field(repr=False)
    n_alike: IntArray = field(repr=False)
    draws: BoardDraws = field(repr=False)

    @property
    def n_teams(self) -> int:
        """Teams with a public score."""
        return len(self.teams)


def board_result(
    public: FloatArray,
    private: FloatArray,
    noise: BoardNoise,
    pairs: PairNoiseResult | Missing,
    *,
    ranks: tuple[FloatArray, FloatArray] | None = None,
    rng: RandomState = 0,
) -> BoardResult:
    """Return what the scores of all teams tell, for a noise.

    Parameters
    ----------
    public, private : ndarray of shape (n_teams,)
        Scores, larger is better, nan where missing.
    noise : BoardNoise
        Its array belongs to the teams with a public score, the best first.
    pairs : PairNoiseResult or Missing
        What both boards say of the noise.
    ranks : pair of ndarray, optional
        Public and private places as the platform tells them.
    rng : int or numpy.random.Generator
        Source of the draws.
    """
    teams = best_first(public)
    x, y = public[teams], private[teams]
    both = np.isfinite(y)
    # Who shares a submission: by both scores where both are there.
    groups = shared_scores(x, y if both.all() else None)
    draws = _draws(x, noise, groups, rng)
    happened: ShakeUpResult | Missing = Missing(
        "shake_up", "No two teams have a public and a private score.", ("private",)
    )
    if int(both.sum()) >= 2:
        happened = _happened(public, private, ranks)
    expected = _expected(x, y, both, noise, draws, rng)
    found = places(draws)
    sets, group, alike = _told_apart(x, noise, found, rng)
    counts = np.bincount(groups)
    return BoardResult(
        teams=read_only(teams),
        n_both=int(both.sum()),
        n_distinct=len(counts),
        largest_copy=int(counts.max()),
        noise=noise,
        pairs=pairs,
        shake_up=happened,
        expected=expected,
        verdict=_verdict(happened, expected, pairs),
        places=found,
        sets=sets,
        group=read_only(group),
        n_alike=read_only(alike),
        draws=draws,
    )


def best_first(public: FloatArray) -> IntArray:
    """Return the positions of the teams with a public score, the best first."""
    known = np.flatnonzero(np.isfinite(public))
    return known[np.argsort(-public[known], kind="stable")]


def _copies(x: FloatArray, y: FloatArray) -> IntArray:
    """Return who shares a submission: by both scores where both are there."""
    if np.isfinite(y).all():
        return shared_scores(x, y)
    return shared_scores(x)


def _draws(
    x: FloatArray, noise: BoardNoise, groups: IntArray, rng: RandomState
) -> BoardDraws:
    if noise.noise is None:
        assert noise.quantiles is not None
        return copula_draws(x, noise.quantiles, groups=groups, rng=rng)
    return board_draws(
        x,
        noise.noise,
        ratio=noise.ratio,
        shared=noise.shared,
        log_sd=noise.log_sd,
        groups=groups,
        basis=noise.basis,
        rng=rng,
    )


def _happened(
    public: FloatArray,
    private: FloatArray,
    ranks: tuple[FloatArray, FloatArray] | None,
) -> ShakeUpResult:
    both = np.isfinite(public) & np.isfinite(private)
    if ranks is not None:
        told = [rank[both] for rank in ranks]
        # Places among all teams are those among these where these are all teams.
        if all(np.isfinite(r).all() and r.max() == both.sum() for r in told):
            return shake_up_of_ranks(*told)
    return shake_up(public, private)


def _expected(
    x: FloatArray,
    y: FloatArray,
    both: np.ndarray,
    noise: BoardNoise,
    draws: BoardDraws,
    rng: RandomState,
) -> ExpectedShakeUpResult:
    """Return what noise does to the teams that can be compared."""
    if noise.basis != "pairs" and (both.all() or both.sum() < 2):
        return expected_shake_up(draws)
    copies = shared_scores(x[both], y[both])
    if noise.basis == "pairs":
        return exchanged_shake_up(
            x[both], y[both] / noise.scale, groups=copies, rng=rng
        )
    part = replace(noise, noise=None if noise.noise is None else noise.noise[both])
    return expected_shake_up(_draws(x[both], part, copies, rng))


def _verdict(
    happened: ShakeUpResult | Missing,
    expected: ExpectedShakeUpResult,
    pairs: PairNoiseResult | Missing,
) -> ShakeUpVerdict:
    if not happened or (expected.basis == "pairs" and pairs and pairs.two_stage):
        return ""
    if happened.statistic > expected.high95:
        return "more"
    return "less" if happened.statistic < expected.low95 else "as much"


def _told_apart(
    x: FloatArray, noise: BoardNoise, found: PlacesResult, rng: RandomState
) -> tuple[RankSetResult, IntArray, IntArray]:
    """Return sets of ranks, tie groups from 1, and how many are alike, for each team.

    On a scale on which the noise of every level is 1, distances tell what scores do.
    """
    if noise.noise is None:
        low, high = found.true_low, found.true_high
        group = tie_groups(low, high) + 1
        width = (high - low + 1).astype(np.int64)
        sets = RankSetResult(
            low=low.astype(np.int64),
            high=high.astype(np.int64),
            confidence_level=0.95,
        )
        return sets, group, width
    s = noise.noise
    gaps = -np.diff(x) * 2 / (s[1:] + s[:-1])
    unit = -np.r_[0.0, np.cumsum(gaps)]
    sets = rank_sets(unit, 1.0, rng=rng)
    reach = _SURE * np.sqrt(2)
    rising = -unit
    last = np.searchsorted(rising, rising + reach, side="right")
    alike = last - np.searchsorted(rising, rising - reach, side="left")
    group = tie_groups(np.arange(1, len(x) + 1), last) + 1
    return sets, group, alike.astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandingResult(Result):
    """Where one team stands.

    Attributes
    ----------
    position : int
        Its position among the arrays.
    public_rank : float
        Its place by public score.
    true_low, true_high : int
        95% interval of its true place by itself.
    set_low, set_high : int
        True places that are left to it by sets that hold for all teams at once.
    group : int
        Number of its tie group, the best being 1.
    n_alike : int
        Teams, itself included, that it cannot be told apart from.
    private_low, private_median, private_high : int
        80% interval and median of its place after the reveal.
    p_gold, p_silver, p_bronze : float
        Probability of this medal or a better one.
    p_place : tuple of float
        Probability of the first, second, ... place.
    place_low, place_high, p_bin : ndarray
        Distribution of the place after the reveal, in bins: first and last place of
        each, and its probability.
    """

    position: int
    public_rank: float
    true_low: int
    true_high: int
    set_low: int
    set_high: int
    group: int
    n_alike: int
    private_low: int
    private_median: int
    private_high: int
    p_gold: float
    p_silver: float
    p_bronze: float
    p_place: tuple[float, ...]
    place_low: IntArray = field(repr=False)
    place_high: IntArray = field(repr=False)
    p_bin: FloatArray = field(repr=False)


def standing(board: BoardResult, position: int, *, n_prizes: int = 3) -> StandingResult:
    """Return where one team stands.

    Parameters
    ----------
    board : BoardResult
        As `board_result` gives it.
    position : int
        Of the team, among those with a public score, the best first.
    n_prizes : int
        Prize places to give the chance of.
    """
    draws, found = board.draws, board.places
    own = draws.private_rank[:, position]
    low, median, high = np.quantile(own, [0.1, 0.5, 0.9])
    edges = _edges(own, found.medals, draws.private_rank.shape[1])
    counts = np.histogram(own, bins=np.append(edges, np.inf))[0]
    copies = draws.copies[[position]]
    within = [
        float(_share_within(own[:, None], copies, place)[0])
        for place in range(n_prizes + 1)
    ]
    return StandingResult(
        position=position,
        public_rank=float(draws.public_rank[position]),
        true_low=int(found.true_low[position]),
        true_high=int(found.true_high[position]),
        set_low=int(board.sets.low[position]),
        set_high=int(board.sets.high[position]),
        group=int(board.group[position]),
        n_alike=int(board.n_alike[position]),
        private_low=int(np.floor(low)),
        private_median=round(float(median)),
        private_high=int(np.ceil(high)),
        p_gold=float(found.p_gold[position]),
        p_silver=float(found.p_silver[position]),
        p_bronze=float(found.p_bronze[position]),
        p_place=tuple(map(float, np.diff(within))),
        place_low=read_only(edges.astype(np.int64)),
        place_high=read_only(
            np.append(edges[1:] - 1, draws.private_rank.shape[1]).astype(np.int64)
        ),
        p_bin=read_only(counts / len(own)),
    )


def _edges(own: FloatArray, medals: MedalPlaces, n: int) -> np.ndarray:
    """Return first places of bins that end at medals; about thirty hold the draws."""
    low, high = np.quantile(own, [0.005, 0.995])
    first, last = max(1, int(low)), min(n, int(np.ceil(high)))
    count = min(last - first + 1, 30)
    even = np.unique(np.round(np.linspace(first, last + 1, count + 1)).astype(int))
    cuts = [getattr(medals, name) + 1 for name in _MEDALS]
    edges = np.unique(np.concatenate([[1], even, cuts]))
    return np.asarray(edges[(edges >= 1) & (edges <= n)])


@dataclass(frozen=True, slots=True, kw_only=True)
class MedalPickResult(Result):
    """The submissions that have the best chance of a medal.

    Attributes
    ----------
    positions : tuple of int
        Of the submissions in the history.
    medal : {"gold", "silver", "bronze"}
        The medal that is in question: bronze, unless that is as good as sure.
    chance : float
        Probability that the better one has it, or a better medal.
    chance_of_rule : float
        The same for the pair of the highest expected better score.
    chances : tuple of float
        Probability of gold, of silver or better, of bronze or better.
    n_candidates : int
        Submissions that were considered.
    """

    positions: tuple[int, ...]
    medal: str
    chance: float
    chance_of_rule: float
    chances: tuple[float, float, float]
    n_candidates: int
