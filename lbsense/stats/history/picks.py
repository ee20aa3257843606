"""Which two submissions to select, and what the usual rules cost, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray, RandomState
from lbsense._validation import as_float_vector, check_count, check_same_length
from lbsense.stats.history.levels import Covariance
from lbsense.stats.rows.joint import as_covariance

_NEGLIGIBLE = 1e-12  # share of two variances below which their difference is rounding
_FEW = 500  # candidates of which every pair is weighed at once
_MOST = 2000  # of which every pair is weighed
_BINS, _ROUNDS = 64, 3  # of bounds of pairs
_NO_GAIN = 1e-3  # standard deviations of a score that nobody misses
_ALIKE = 1e-6  # of the spread of means: pairs worth as much, and then the likelier


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResult(Result):
    """Two submissions to select, and what to expect of them: nan where that is unknown.

    Attributes
    ----------
    rule : str
        How they were chosen.
    first, second : int
        Positions; equal where there is only one candidate.
    expected_score : float
        Expected score of the better of the two.
    regret : float
        Expected best score of all candidates minus that.
    cost : float
        What the better one is expected to score below that of the recommended pair, by
        all accounts that the pair was chosen by.
    p_first_better : float
        Probability that ``first`` is the better of the two.
    p_holds_best : float
        Probability that the best of all candidates is among the two.
    """

    rule: str
    first: int
    second: int
    expected_score: float = float("nan")
    regret: float = float("nan")
    cost: float = float("nan")
    p_first_better: float = float("nan")
    p_holds_best: float = float("nan")

    @property
    def positions(self) -> tuple[int, ...]:
        """Return both positions, one where there is only one candidate."""
        return (self.first, self.second)[: 1 + (self.first != self.second)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PicksResult(Result):
    """The pair with the highest expected better score, beside those of other rules.

    Attributes
    ----------
    best : PairResult
        The recommended pair, the one of higher expected score first.
    runner_up : PairResult or None
        The best pair without the second of the recommended pair, if there is one: its
        ``cost`` is what the second choice hangs on.
    rules : tuple of PairResult
        Two best public scores, best public and best CV score, two best CV scores, the
        last two; without those whose scores are missing.
    n_obs : int
        Candidates.
    basis : {"levels", "public and cv", "public", "cv", "latest"}
        What the pair rests on, the first of these that can be had: the true scores of
        all submissions; the best public and the best CV score, where the noise is not
        known or the two contradict each other; the two best of what there is; and the
        latest two where nobody said which score is better. Below the first nothing is
        expected of the scores: they are nan.
    contradiction : float
        Rank correlation of CV and public gains where that is why the first was left,
        else nan.
    chosen : tuple of int
        As many positions as may be selected: the pair, or the one of the highest
        expected score, or the pair and what adds most to it, one after the other.
    p_best : tuple of float
        For each of them the probability that it is the best of them; nan if not known.
    """

    best: PairResult
    runner_up: PairResult | None
    rules: tuple[PairResult, ...]
    n_obs: int
    basis: str = "levels"
    chosen: tuple[int, ...] = ()
    p_best: tuple[float, ...] = ()
    contradiction: float = float("nan")


def expected_better(mean: ArrayLike, cov: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the expected better score of every pair, and who it comes from.

    Parameters
    ----------
    mean, cov : array_like of shape (k,), (k, k)
        Joint normal distribution of the scores, larger is better.

    Returns
    -------
    expected : ndarray of shape (k, k)
        Expected maximum of two scores; on the diagonal the mean.
    p_better : ndarray of shape (k, k)
        Probability that the score of the row is above that of the column, one half
        where the two are surely equal.

    Notes
    -----
    ``E max(A, B) = a * Phi(d) + b * Phi(-d) + t * phi(d)`` with ``t**2 = Var(A - B)``
    and ``d = (a - b) / t`` (Clark 1961).

    References
    ----------
    Clark, C. E. (1961). The greatest of a finite set of random variables. Operations
    Research 9(2), 145-162. doi:10.1287/opre.9.2.145

    Examples
    --------
    >>> expected, p_better = expected_better([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])
    >>> float(expected[0, 1].round(5)), float(p_better[0, 1])
    (0.56419, 0.5)
    """
    centre = as_float_vector(mean, name="mean")
    matrix = as_covariance(np.asarray(cov), name="cov")
    if len(matrix) != len(centre):
        msg = f"{len(centre)} means need a covariance of that size, not {len(matrix)}."
        raise ValueError(msg)
    total = np.add.outer(np.diag(matrix), np.diag(matrix))
    square = total - 2 * matrix
    apart = np.sqrt(np.where(square < _NEGLIGIBLE * total, 0.0, square))
    return _better(centre[:, np.newaxis], centre, apart)


def _better(
    one: FloatArray, other: FloatArray, apart: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return Clark's expectation of the better one, and P(the first is it)."""
    gap = one - other
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(gap == 0, 0.0, gap / apart)
    p_better = ndtr(ratio)
    density = np.exp(-0.5 * np.square(ratio)) / np.sqrt(2 * np.pi)
    return np.asarray(other + gap * p_better + apart * density), np.asarray(p_better)


def best_pair(
    mean: ArrayLike,
    cov: ArrayLike | Covariance,
    *,
    public: ArrayLike,
    cv: ArrayLike | None = None,
    alone: float = 0.0,
    n_selections: int = 2,
    n_draws: int = 4000,
    rng: RandomState = 0,
) -> PicksResult:
    """Return the two submissions whose better one is expected to score highest.

    Parameters
    ----------
    mean, cov : array_like of shape (k,), (k, k)
        Expected private scores and their covariance, as `private_outlook` gives them;
        submissions whose mean is nan are no candidates.
    public, cv : array_like of shape (k,)
        Scores that the usual rules go by, in time order, larger is better, nan where
        missing. Of equal scores the earlier submission is taken.
    alone : float
        Weight of each account in which the public score alone, or CV alone, is the
        private score, beside the account of ``mean`` and ``cov``, which has weight 1:
        0 where that is sure to fit. CV must then be on the scale of the public score.
    n_selections : int
        How many may be selected, for ``chosen``.
    n_draws : int
        Joint draws behind ``regret`` and ``p_holds_best``; all else is exact.
    rng : int or numpy.random.Generator
        Source of the draws. One seed by default, so that one history has one answer.

    Returns
    -------
    PicksResult

    Raises
    ------
    ValueError
        If shapes disagree, or no submission has an expected score.

    See Also
    --------
    expected_better : The quantity that is maximised.

    Notes
    -----
    Above 500 candidates those are left out first that are in no best pair whatever
    their covariances: measured from the one of highest mean, the standard deviation of
    a difference is at most the sum of two, and the expected better score rises with it.
    Of the draws those that together could raise the best score by less than a
    thousandth of a standard deviation. Neither changes what is chosen; of more than
    2,000 that remain those with the highest bound are weighed.

    A model that does not fit is sure of a wrong pair. With ``alone`` the expected
    better score is averaged over three accounts (Hoeting et al. 1999): that of the
    model, and the two of those who go by one score. Where these agree nothing changes;
    where they do not, a pair wins that is good by each, often one of either side.

    Where one leads so far that no second adds anything, the next likely one is taken.
    Two near-copies add nothing to each other: a slightly worse submission with noise
    of its own is worth more. ``cov`` must hold true correlations for that to show.
    Regret is what can be expected to be lost against knowing the private scores.

    Where more than two may be selected, each further one is that which adds most to the
    expected best score of those before it: the expected best score is submodular, so
    that such a choice reaches at least 63% of what the best choice adds (Nemhauser,
    Wolsey & Fisher 1978).

    References
    ----------
    Hoeting, J. A., Madigan, D., Raftery, A. E. & Volinsky, C. T. (1999). Bayesian
    model averaging: a tutorial. Statistical Science 14(4), 382-417.
    doi:10.1214/ss/1009212519
    Nemhauser, G. L., Wolsey, L. A. & Fisher, M. L. (1978). An analysis of
    approximations for maximizing submodular set functions. Mathematical Programming
    14, 265-294. doi:10.1007/BF01588971

    Examples
    --------
    >>> cov = [[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]]
    >>> picks = best_pair([1.0, 0.9, 0.8], cov, public=[1.0, 0.9, 0.8])
    >>> picks.best.first, picks.best.second
    (0, 2)
    """
    centre = as_float_vector(mean, name="mean")
    shown = as_float_vector(public, name="public")
    validated = np.full_like(shown, np.nan) if cv is None else cv
    validated = as_float_vector(validated, name="cv")
    check_same_length(mean=centre, public=shown, cv=validated)
    check_count(n_selections, name="n_selections")
    check_count(n_draws, name="n_draws")
    if not 0 <= alone < np.inf:
        msg = f"alone must be at least 0, got {alone!r}."
        raise ValueError(msg)
    known = np.flatnonzero(np.isfinite(centre))
    if not known.size:
        msg = "mean must hold at least one number, got none: there is nothing to pick."
        raise ValueError(msg)
    spread = Covariance.of(cov, len(centre), name="cov")
    rules = {
        rule: (int(known[first]), int(known[second]))
        for rule, (first, second) in usual_rules(shown[known], validated[known]).items()
    }
    accounts = _accounts(centre, (shown, validated)) if alone else ()
    field = _Field.of(centre, spread, known, rules.values(), n_draws, rng)
    field = field.averaged(accounts, alone)
    best = field.best()
    chosen = field.chosen(n_selections, *best)
    return PicksResult(
        best=field.pair("highest expected better score", *best),
        runner_up=(
            field.pair("best pair without the second", *field.best(without=best[1]))
            if len(known) > 2
            else None
        ),
        rules=tuple(field.pair(rule, *pair) for rule, pair in rules.items()),
        n_obs=len(known),
        chosen=tuple(chosen),
        p_best=field.p_best(chosen),
    )


def _accounts(mean: FloatArray, scores: Iterable[FloatArray]) -> tuple[FloatArray, ...]:
    """Return scores as accounts of their own: who has none is as bad as the worst."""
    known = np.isfinite(mean)
    return tuple(
        np.where(np.isfinite(score), score, score[known & np.isfinite(score)].min())
        for score in scores
        if (known & np.isfinite(score)).any()
    )


@dataclass(frozen=True, slots=True)
class _Field:
    """The candidates that may be chosen, each pair of them, and joint draws.

    ``worth`` is what a pair is chosen by: its expected better score by all accounts;
    ``others`` holds the accounts beside the model's, each with weight ``alone``.
    """

    kept: IntArray  # positions, in time order
    expected: FloatArray
    worth: FloatArray
    others: tuple[FloatArray, ...]
    alone: float
    p_better: FloatArray
    mean: FloatArray
    draws: FloatArray  # (n_draws, len(kept))
    best_of_all: FloatArray  # (n_draws,)

    @classmethod
    def of(
        cls,
        mean: FloatArray,
        spread: Covariance,
        known: IntArray,
        rules: Iterable[tuple[int, int]],
        n_draws: int,
        rng: RandomState,
    ) -> _Field:
        kept = drawn = known
        if len(known) > _FEW:
            likely, drawn = _candidates(mean, spread, known)
            named = np.array([i for pair in rules for i in pair], dtype=np.int64)
            kept = np.union1d(likely, named)
            drawn = np.union1d(drawn, kept)
        expected, p_better = expected_better(mean[kept], spread.matrix(kept))
        place = np.searchsorted(drawn, kept)
        draws, best = [], []
        generator = np.random.default_rng(rng)
        for block in spread.draws(drawn, generator, n_draws=n_draws):
            block += mean[drawn]
            best.append(block.max(axis=1))
            draws.append(block if len(kept) == len(drawn) else block[:, place])
        return cls(
            kept,
            expected,
            expected,
            (),
            0.0,
            p_better,
            mean[kept],
            np.concatenate(draws),
            np.concatenate(best),
        )

    def averaged(self, accounts: Iterable[FloatArray], alone: float) -> _Field:
        """Return the field in which pairs are chosen by further accounts too."""
        others = tuple(account[self.kept] for account in accounts)
        worth = self.expected + alone * sum(
            np.maximum(score[:, np.newaxis], score) for score in others
        )
        worth = worth / (1 + alone * len(others))
        return replace(self, worth=worth, others=others, alone=alone)

    def best(self, *, without: int | None = None) -> tuple[int, int]:
        """Return the pair of highest expected better score, better mean first."""
        allowed = np.triu(self.worth, 1) + np.tril(np.full_like(self.worth, -np.inf))
        if without is not None:
            at = np.searchsorted(self.kept, without)
            allowed[at], allowed[:, at] = -np.inf, -np.inf
        first = second = 0
        if len(self.mean) > 1 and np.isfinite(allowed).any():
            likely = self.mean[:, np.newaxis] + self.mean
            pair = np.unravel_index(self._largest(allowed, likely), allowed.shape)
            first, second = sorted(map(int, pair), key=lambda item: -self.mean[item])
        return int(self.kept[first]), int(self.kept[second])

    def _largest(self, values: FloatArray, otherwise: FloatArray) -> int:
        """Return the place of the largest value; of those as large, of the other."""
        least = values.max() - _ALIKE * float(np.ptp(self.mean))
        return int(np.argmax(np.where(values >= least, otherwise, -np.inf)))

    def chosen(self, n_selections: int, first: int, second: int) -> list[int]:
        """Return the best one, the best pair, or that and what adds most to it."""
        if n_selections == 1:
            return [int(self.kept[np.argmax(np.diag(self.worth))])]
        taken = np.searchsorted(self.kept, np.unique([first, second])).tolist()
        taken.sort(key=lambda place: self.kept[place] != first)
        reached = self.draws[:, taken].max(axis=1)
        while len(taken) < min(n_selections, len(self.mean)):
            added = np.maximum(self.draws, reached[:, np.newaxis]).mean(axis=0)
            for score in self.others:
                added = added + self.alone * np.maximum(score, score[taken].max())
            added[taken] = -np.inf
            taken.append(self._largest(added, self.mean))
            reached = np.maximum(reached, self.draws[:, taken[-1]])
        return [int(self.kept[place]) for place in taken]

    def p_best(self, chosen: list[int]) -> tuple[float, ...]:
        """Return for each of the chosen how likely it is the best of them."""
        places = np.searchsorted(self.kept, chosen)
        if len(chosen) == 2:
            p = float(self.p_better[places[0], places[1]])
            return p, 1 - p
        wins = np.argmax(self.draws[:, places], axis=1)
        share = np.bincount(wins, minlength=len(chosen)) / len(wins)
        return tuple(map(float, share))

    def pair(self, rule: str, first: int, second: int) -> PairResult:
        i, j = np.searchsorted(self.kept, [first, second])
        better = np.maximum(self.draws[:, i], self.draws[:, j])
        expected = float(self.expected[i, j])
        top = tuple(np.searchsorted(self.kept, self.best()))
        return PairResult(
            rule=rule,
            first=first,
            second=second,
            expected_score=expected,
            regret=float((self.best_of_all - better).mean()),
            cost=float(self.worth[top] - self.worth[i, j]),
            p_first_better=float(self.p_better[i, j]),
            p_holds_best=float((better == self.best_of_all).mean()),
        )


def _candidates(
    mean: FloatArray, spread: Covariance, known: IntArray
) -> tuple[IntArray, IntArray]:
    """Return who may be in the best pair, and who may have the best score of all.

    The best pair without one of that is in it too.
    """
    top = int(known[np.argmax(mean[known])])
    level, sd = mean[known], np.sqrt(spread.apart(known, top))
    # The best partners of the one of highest mean, and the two of them together: of
    # these three pairs one is left whoever may not be taken.
    beside = _better(level, level[known == top], sd)[0]
    beside[known == top] = -np.inf
    one, two = np.argsort(-beside, kind="stable")[:2]
    both = np.sqrt(spread.apart(known[one], known[two]))
    together = _better(level[one], level[two], both)[0]
    least = min(beside[one], beside[two], float(together))
    left, bound = np.arange(len(known)), np.empty(0)
    for _ in range(_ROUNDS):
        bins = np.array_split(left[np.argsort(-level[left])], _BINS)
        ends = np.array([(level[b].max(), sd[b].max()) for b in bins if b.size])
        bound = _better(
            level[left, np.newaxis], ends[:, 0], sd[left, np.newaxis] + ends[:, 1]
        )[0].max(axis=1)
        left, bound = left[bound >= least], bound[bound >= least]
    if len(left) > _MOST:
        left = left[np.sort(np.argsort(-bound, kind="stable")[:_MOST])]
    gain = _better(level, level[known == top], sd)[0] - mean[top]
    order = np.argsort(gain)
    beyond = np.cumsum(gain[order]) > _NO_GAIN * np.sqrt(spread.diagonal()[top])
    return known[left], np.sort(known[order[beyond]])


def usual_rules(public: FloatArray, cv: FloatArray) -> dict[str, tuple[int, int]]:
    """Return the pairs that the usual rules select.

    Parameters
    ----------
    public, cv : ndarray of shape (k,)
        Scores in time order, larger is better, nan where missing.

    Returns
    -------
    dict of str to tuple of int
        Name of the rule and two positions, without rules whose scores are missing.
    """
    by_public = np.argsort(-public, kind="stable")[: np.isfinite(public).sum()]
    by_cv = np.argsort(-cv, kind="stable")[: np.isfinite(cv).sum()]
    rules: dict[str, tuple[int, int]] = {}
    if len(by_public) > 1:
        rules["two best public"] = int(by_public[0]), int(by_public[1])
    other = by_cv[by_cv != by_public[0]] if len(by_public) else by_cv[:0]
    if len(other):
        rules["best public and best CV"] = int(by_public[0]), int(other[0])
    if len(by_cv) > 1:
        rules["two best CV"] = int(by_cv[0]), int(by_cv[1])
    if len(public) > 1:
        rules["last two"] = len(public) - 1, len(public) - 2
    return rules


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome(Result):
    """What one way to select would have scored.

    Attributes
    ----------
    rule : str
        How the submissions were chosen.
    positions : tuple of int
        The submissions, one or two or as many as were selected.
    score : float
        Private score of the best of them, larger is better.
    regret : float
        Best private score of all submissions minus that.
    regret_se : float
        Standard error of that difference by the luck of the private rows; nan where the
        noise is not known. The best of many is partly lucky, so that a regret of one or
        two of these is no mistake.
    """

    rule: str
    positions: tuple[int, ...]
    score: float
    regret: float
    regret_se: float


def rule_outcomes(
    private: ArrayLike,
    *,
    public: ArrayLike,
    cv: ArrayLike,
    chosen: Mapping[str, Sequence[int]],
    noise_cov: ArrayLike | Covariance | None = None,
) -> tuple[RuleOutcome, ...]:
    """Return what the usual rules and given choices would have scored.

    Parameters
    ----------
    private, public, cv : array_like of shape (k,)
        Scores in time order, larger is better, nan where missing. Submissions without a
        private score are no candidates.
    chosen : mapping of str to sequence of int
        Further choices by name, such as the submissions that were selected: told as
        they are, without those that have no private score.
    noise_cov : array_like of shape (k, k), optional
        Covariance of the noise of private scores.

    Returns
    -------
    tuple of RuleOutcome
        Given choices first, then rules for one submission, then rules for two; without
        rules that cannot be followed.

    Raises
    ------
    ValueError
        If shapes disagree or there is no private score.

    Examples
    --------
    >>> outcomes = rule_outcomes(
    ...     [0.70, 0.73, 0.71], public=[0.70, 0.71, 0.74], cv=[0.6, 0.7, 0.65],
    ...     chosen={},
    ... )
    >>> [(item.rule, round(item.regret, 3)) for item in outcomes][:2]
    [('best public', 0.02), ('best CV', 0.0)]
    """
    final = as_float_vector(private, name="private")
    shown = as_float_vector(public, name="public")
    validated = as_float_vector(cv, name="cv")
    check_same_length(private=final, public=shown, cv=validated)
    known = np.isfinite(final)
    if not known.any():
        msg = "private must hold at least one number, got none."
        raise ValueError(msg)
    best = int(np.nanargmax(final))
    noise = noise_cov
    if noise is not None:
        noise = Covariance.of(noise, len(final), name="noise_cov")

    def outcome(rule: str, positions: Sequence[int]) -> RuleOutcome:
        kept = tuple(int(index) for index in positions if known[index])
        reached = max(kept, key=lambda index: final[index])
        regret_se = float("nan")
        if noise is not None:
            regret_se = float(np.sqrt(noise.apart(best, reached)))
        return RuleOutcome(
            rule=rule,
            positions=kept,
            score=float(final[reached]),
            regret=float(final[best] - final[reached]),
            regret_se=regret_se,
        )

    rules: dict[str, Sequence[int]] = {
        name: positions
        for name, positions in chosen.items()
        if any(known[index] for index in positions)
    }
    shown, validated = (
        np.where(known, shown, np.nan),
        np.where(known, validated, np.nan),
    )
    for name, scores in (("best public", shown), ("best CV", validated)):
        if np.isfinite(scores).any():
            rules[name] = (int(np.nanargmax(scores)),)
    place = np.flatnonzero(known)
    pairs = usual_rules(shown[known], validated[known])
    rules |= {name: [int(place[i]) for i in pair] for name, pair in pairs.items()}
    return tuple(outcome(name, positions) for name, positions in rules.items())
