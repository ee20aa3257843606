"""Where a team stands: intervals of ranks, groups that cannot be told apart, medals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import (
    as_float_vector,
    check_count,
    check_fraction,
    read_only,
)
from lbsense.stats.boards.forecast import BoardDraws

_BLOCK = 400  # teams whose differences with all others are held at once
_MEDALS = ("gold", "silver", "bronze")


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
    """Confidence sets for the true ranks of teams.

    Attributes
    ----------
    low, high : ndarray of shape (n_asked,)
        First and last rank that the scores allow, the best being 1.
    indices : ndarray of shape (n_asked,)
        Teams they are of.
    simultaneous : bool
        Whether all sets hold together with the confidence, or each for itself.
    confidence_level : float
        What was asked for.
    """

    low: IntArray
    high: IntArray
    indices: IntArray
    simultaneous: bool
    confidence_level: float


def rank_sets(
    scores: ArrayLike,
    noise: ArrayLike,
    *,
    simultaneous: bool = True,
    indices: ArrayLike | None = None,
    confidence_level: float = 0.95,
    step_down: bool = True,
    n_draws: int | None = None,
    rng: RandomState = 0,
) -> RankSetResult:
    """Return confidence sets for ranks that make no assumption on the true scores.

    Parameters
    ----------
    scores : array_like of shape (n_teams,)
        Scores, larger is better.
    noise : float or array_like of shape (n_teams,)
        Their standard errors, independent of one another; what all scores have in
        common does not matter to ranks and is left out.
    simultaneous : bool
        Whether all sets are to hold at once.
    indices : array_like of int, optional
        Teams to give sets for; all by default.
    confidence_level : float
        Of the sets.
    step_down : bool
        Drop the differences that are sure and look again, which narrows the sets.
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
    errors, over the pairs that are asked about. Ranks that are left to a team run from
    one more than the teams surely above it.

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
    s = np.broadcast_to(np.asarray(noise, dtype=np.float64), x.shape)
    check_fraction(confidence_level, name="confidence_level")
    if n_draws is None:
        n_draws = int(np.clip(2_000_000 // max(1, len(x)), 200, 1000))
    check_count(n_draws, name="n_draws")
    if not np.isfinite(x).all() or not (np.isfinite(s) & (s > 0)).all():
        msg = "scores must be finite and noise above 0."
        raise ValueError(msg)
    n = len(x)
    asked = np.arange(n) if indices is None else np.asarray(indices, dtype=np.int64)
    generator = np.random.default_rng(rng)
    alike = bool(np.ptp(s) <= 1e-9 * s.max())
    error = generator.standard_normal((n_draws, n)) * s
    if simultaneous and alike and len(asked) == n:
        low, high = _alike(x, float(s[0]), error, confidence_level, step_down)
    elif simultaneous:
        low, high = _sets(x, s, asked, error, confidence_level, step_down)
    elif alike:
        low, high = _each_alike(x, asked, error, confidence_level, step_down)
    else:
        ends = [
            _sets(x, s, asked[i : i + 1], error, confidence_level, step_down)
            for i in range(len(asked))
        ]
        low = np.concatenate([end[0] for end in ends])
        high = np.concatenate([end[1] for end in ends])
    return RankSetResult(
        low=read_only(low.astype(np.int64)),
        high=read_only(high.astype(np.int64)),
        indices=read_only(asked.copy()),
        simultaneous=simultaneous,
        confidence_level=confidence_level,
    )


def _sets(
    x: FloatArray,
    s: FloatArray,
    asked: IntArray,
    error: FloatArray,
    level: float,
    step_down: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sets by all pairs, a block of teams at a time."""
    open_pairs = np.ones((len(asked), len(x)), dtype=bool)
    open_pairs[np.arange(len(asked)), asked] = False
    far = np.abs(x[asked][:, None] - x) / np.hypot(s[asked][:, None], s)
    while True:
        largest = np.full(len(error), 0.0)
        for start in range(0, len(asked), _BLOCK):
            for row in range(start, min(start + _BLOCK, len(asked))):
                others = open_pairs[row]
                if not others.any():
                    continue
                team = asked[row]
                width = np.hypot(s[team], s[others])
                size = np.abs(error[:, [team]] - error[:, others]) / width
                np.maximum(largest, size.max(axis=1), out=largest)
        bound = float(np.quantile(largest, level))
        sure = (far > bound) & open_pairs
        if not sure.any():
            break
        open_pairs &= ~sure
        if not step_down or not open_pairs.any():
            break
    surely = ~open_pairs
    surely[np.arange(len(asked)), asked] = False
    above = (surely & (x > x[asked][:, None])).sum(axis=1)
    below = (surely & (x < x[asked][:, None])).sum(axis=1)
    return above + 1, len(x) - below


def _alike(
    x: FloatArray, s: float, error: FloatArray, level: float, step_down: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sets for equal noise: of the pairs that stay open the extremes count.

    Pairs within a distance are windows of the sorted scores, and the largest difference
    over them is that of running maxima and minima.
    """
    order = np.argsort(x, kind="stable")
    placed, noise = x[order], error[:, order]
    width = np.sqrt(2) * s
    reach = np.full(len(x), len(x) - 1)  # last team of the window of each, going up
    while True:
        bound = float(np.quantile(_windows(noise, reach) / width, level))
        new = np.searchsorted(placed, placed + bound * width, side="right") - 1
        new = np.minimum(new, reach)
        done = np.array_equal(new, reach)
        reach = new
        if done or not step_down:
            break
    n = len(x)
    above = n - 1 - reach
    first = np.searchsorted(reach, np.arange(n))  # lowest team whose window holds this
    low, high = np.empty(n), np.empty(n)
    low[order] = above + 1
    high[order] = n - first
    return low, high


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


def _each_alike(
    x: FloatArray, asked: IntArray, error: FloatArray, level: float, step_down: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the set of every team for itself, for equal noise.

    The bound depends on nothing but how many others are still open: it is found for
    some numbers of them, and read off between.
    """
    n, ordered = len(x), np.sort(x)
    top = np.maximum.accumulate(error[:, 1:], axis=1)
    bottom = np.minimum.accumulate(error[:, 1:], axis=1)
    own = error[:, [0]]
    sizes = np.unique(np.geomspace(1, n - 1, 60).astype(np.int64))
    largest = np.maximum(top[:, sizes - 1] - own, own - bottom[:, sizes - 1])
    bounds = np.maximum.accumulate(np.quantile(largest, level, axis=0))
    left = np.full(len(asked), n - 1)
    while True:
        bound = np.interp(left, sizes, bounds)
        above = n - np.searchsorted(ordered, x[asked] + bound, side="right")
        below = np.searchsorted(ordered, x[asked] - bound, side="left")
        new = np.minimum(left, n - 1 - above - below)
        if not step_down or np.array_equal(new, left):
            break
        left = new
    return above + 1, n - below


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
        The last places that have them.
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


def places(draws: BoardDraws, *, medals: MedalPlaces | None = None) -> PlacesResult:
    """Return the places of all teams, from draws of the board.

    Parameters
    ----------
    draws : BoardDraws
        As `board_draws` gives them.
    medals : MedalPlaces, optional
        By default those of Kaggle for the teams on the board.

    Notes
    -----
    An interval of true places holds with its probability on average over the teams of
    boards like this one, which is less than the sets of `rank_sets` promise, and more
    than they give: they hold whatever the true scores are, and are wider.
    """
    n = draws.private_rank.shape[1]
    given = medal_places(n) if medals is None else medals
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


def standing(
    draws: BoardDraws,
    found: PlacesResult,
    sets: RankSetResult,
    position: int,
    *,
    n_alike: int,
    group: int,
    n_prizes: int = 3,
) -> StandingResult:
    """Return where one team stands.

    Parameters
    ----------
    draws, found, sets
        Of the whole board.
    position : int
        Of the team.
    n_alike, group : int
        Teams it cannot be told apart from, and the number of its group.
    n_prizes : int
        Prize places to give the chance of.
    """
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
        set_low=int(sets.low[position]),
        set_high=int(sets.high[position]),
        group=group,
        n_alike=n_alike,
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


def _edges(own: FloatArray, medals: MedalPlaces, n: int) -> np.ndarray:
    """Return first places of bins that end at medals; about thirty hold the draws."""
    low, high = np.quantile(own, [0.005, 0.995])
    first, last = max(1, int(low)), min(n, int(np.ceil(high)))
    count = min(last - first + 1, 30)
    even = np.unique(np.round(np.linspace(first, last + 1, count + 1)).astype(int))
    cuts = [getattr(medals, name) + 1 for name in _MEDALS]
    edges = np.unique(np.concatenate([[1], even, cuts]))
    return np.asarray(edges[(edges >= 1) & (edges <= n)])
