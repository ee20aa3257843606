"""The noise of a competition, told by the scores of its teams, or by other boards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lbsense._result import Missing, Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import (
    as_float_vector,
    check_positive,
    check_same_length,
    read_only,
)
from lbsense.stats.history.pairs import mean_ranks, pearson

_RARE = 0.1  # expected chance meetings of a pair below which an equal one is a copy
_FEW_LEVELS = 20  # from which the smallest step of scores is that of the display
_TO_SD = 1.4826  # median absolute deviation of a normal law to its sd
_FEWEST = 12  # pairs
_FAR = 4.0  # standard errors of what moved more than noise
_SCALE = 1.5  # ratio of spreads from which two boards are on different scales
_PILE = 0.1  # share of teams with one private score that says "not run again"
_GONE = 0.25
_MANY = 100  # pairs
_SURE, _STEEP = 3.0, 1.25  # standard errors, slope of one score on the other
_UNRELATED = 0.25  # rank correlation
_OTHER, _ALIKE = 4.0, 2.0  # standard errors
_UNLIKE = 4.0  # ratio of the two noises to that which the sizes give
_APART = 3.0  # ratio of noise to what sampling gives, from which it is not sampling


def shared_scores(public: ArrayLike, private: ArrayLike | None = None) -> IntArray:
    """Return a label for every team, the same for teams that share a submission.

    Parameters
    ----------
    public, private : array_like of shape (n_teams,)
        Scores. With the public one alone, teams share a submission if more of them
        have a score than its neighbourhood would let meet by rounding: four standard
        deviations of a Poisson count above twice the expected one. With both, if both
        scores are equal, and that is no chance: because the display is too fine for
        it, or because more teams than that have each of the two.

    Notes
    -----
    Teams that submit one public notebook have one score and one noise: they move
    together, and the reveal has fewer independent parts than teams. On a coarse display
    chance makes equal pairs as well, which do not move together.

    Examples
    --------
    >>> shared_scores([0.9, 0.8, 0.8], [0.7, 0.6, 0.6]).tolist()
    [0, 1, 1]
    """
    x = as_float_vector(public, name="public")
    shared = _beyond_chance(x)
    own = len(x) + np.arange(len(x))
    if private is None:
        return _in_order(np.where(shared, np.unique(x, return_inverse=True)[1], own))
    y = as_float_vector(private, name="private")
    pairs, label, counts = np.unique(
        np.column_stack([x, y]), axis=0, return_inverse=True, return_counts=True
    )
    label = np.ravel(label)
    _, level, at_level = np.unique(x, return_inverse=True, return_counts=True)
    # Private scores of teams that are neighbours by public score differ by noise.
    apart = float(np.median(np.abs(np.diff(pairs[:, 1])))) if len(pairs) > 1 else 0.0
    chance = at_level[np.ravel(level)] * _shown_step(np.unique(y))
    sure = (shared & _beyond_chance(y)) | (chance < _RARE * apart)
    return _in_order(np.where((counts[label] > 1) & sure, label, own))


def _beyond_chance(x: FloatArray) -> BoolArray:
    """Return where more teams have a score than rounding lets meet."""
    levels, label, counts = np.unique(x, return_inverse=True, return_counts=True)
    if len(levels) < 3:
        return np.asarray(counts[np.ravel(label)] > 1)
    step = _shown_step(levels)
    reach = min(25, max(3, len(levels) // 20))
    at = np.arange(len(levels))
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, len(levels) - 1)
    total = np.r_[0, np.cumsum(counts)]
    near = total[high + 1] - total[low] - counts
    chance = near / np.maximum((levels[high] - levels[low]) / step, 1.0)
    is_shared = (counts > 1) & (counts > 1 + 2 * chance + 4 * np.sqrt(chance))
    return np.asarray(is_shared[np.ravel(label)])


def _shown_step(levels: FloatArray) -> float:
    """Return the step of the display, of which few levels show the decimals alone."""
    step = float(np.diff(levels).min()) if len(levels) > 1 else math.inf
    if len(levels) >= _FEW_LEVELS:
        return step
    decimals = (
        10.0**-d
        for d in range(12)
        if np.allclose(np.round(levels, d), levels, rtol=1e-12, atol=1e-12)
    )
    return min(step, next(decimals, 0.0))


def _in_order(label: np.ndarray) -> IntArray:
    """Return labels that count up as they first occur."""
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return np.asarray(number[np.ravel(back)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairNoiseResult(Result):
    """What differences between public and private scores say of the noise.

    Attributes
    ----------
    public_se, private_se : float
        Typical standard error of a score over the better half of the teams, less what
        all teams have in common.
    top_se : float
        The same of a public score over the best tenth.
    difference_se : float
        Standard error of the difference of two teams' public scores.
    noise : ndarray of shape (n_teams,)
        Public standard error at the level of every team, nan where a score is missing.
    ratio : float
        Standard error on unseen rows over that of the public score that was taken: told
        by the sizes, or 0.65, that of 30% public rows.
    offset : float
        Median of private less public score, on the public scale: luck or shift that
        all have in common.
    scale : float
        Units of the private score in one of the public one; 1 unless the two boards
        are on different scales.
    log_sd : float
        How well the scale of the noise is known: standard deviation of its logarithm.
    n_obs, n_distinct : int
        Teams with both scores, and how many pairs of scores differ.
    far_fraction : float
        Share of pairs that moved by more than four standard errors.
    spread_ratio : float
        Noise of private over public scores by their variances (Grubbs); to be compared
        with ``ratio``. nan of fewer than 30 pairs.
    two_stage : tuple of str
        Signs that the boards are not two samples of one test set: ``"gone"``,
        ``"pile"``, ``"perfect"``, ``"sampling"``, ``"spread"``, ``"stretch"``,
        ``"unrelated"``. Empty where there is none.
    like_nested : bool
        Whether private scores behave as if they covered the public rows too, where
        nobody says so (`covers_public`).
    """

    public_se: float
    private_se: float
    top_se: float
    difference_se: float
    noise: FloatArray = field(repr=False)
    ratio: float
    offset: float
    scale: float
    log_sd: float
    n_obs: int
    n_distinct: int
    far_fraction: float
    spread_ratio: float
    two_stage: tuple[str, ...]
    like_nested: bool


def pair_noise(
    public: ArrayLike,
    private: ArrayLike,
    *,
    ratio: float | None = None,
    shared: float = 0.0,
    largest_se: float = math.nan,
    perfect: float = math.nan,
) -> PairNoiseResult | Missing:
    """Return the noise of a competition from the pairs of scores of its teams.

    Parameters
    ----------
    public, private : array_like of shape (n_teams,)
        Scores, larger is better, nan where missing.
    ratio : float, optional
        Standard error on the rows that the public score does not cover over that of the
        public score: the root of the public over these rows. By default that of 30%
        public rows.
    shared : float
        Share of the private rows that are the public ones: 0, but under nested rules.
    largest_se : float
        The largest standard error that sampling can give a public score, where metric
        and size tell it.
    perfect : float
        The best score that there is.

    Returns
    -------
    PairNoiseResult or Missing

    Notes
    -----
    With ``x = theta + e`` and ``y = theta + f + shift`` the difference ``y - x`` holds
    no true score. It is taken at the level ``(r**2 x + y) / (1 + r**2)``, which for
    noise in the ratio ``r`` is independent of it, less its running median there, so
    that shift and scale may differ along the board; 1.4826 times the running median of
    what is left over, by ``sqrt(1 + r**2)``, is the noise. Medians are blind to an
    absurd tail, and copies of one submission count once: their noise is one. Private
    rows that include the public ones are taken apart first.

    References
    ----------
    Grubbs, F. E. (1948). On estimating precision of measuring instruments and product
    variability. JASA 43(242), 243-264. doi:10.1080/01621459.1948.10483261

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true = rng.normal(0, 1, 4000)
    >>> pairs = true + 0.2 * rng.normal(size=4000), true + 0.1 * rng.normal(size=4000)
    >>> found = pair_noise(*pairs, ratio=0.5)
    >>> round(found.public_se, 2), found.two_stage
    (0.2, ())
    """
    x = as_float_vector(public, name="public")
    y = as_float_vector(private, name="private")
    check_same_length(public=x, private=y)
    taken = 0.65 if ratio is None else check_positive(ratio, name="ratio")
    both = np.isfinite(x) & np.isfinite(y)
    label = shared_scores(x[both], y[both])
    one_of_each = np.unique(label, return_index=True)[1]
    pairs = np.column_stack([x[both], y[both]])[one_of_each]
    if len(pairs) < _FEWEST:
        return Missing(
            "noise",
            f"{len(pairs)} different pairs of public and private scores are too few to "
            f"tell the noise, {_FEWEST} are needed.",
            ("private_score",),
        )
    if np.array_equal(pairs[:, 0], pairs[:, 1]):
        return Missing(
            "noise",
            "Every private score equals the public one: the boards show the same rows.",
            ("private_score",),
        )
    scale = _scale(pairs)
    first = pairs[:, 0]
    second = (pairs[:, 1] / scale - shared * first) / (1 - shared)
    level = (taken**2 * first + second) / (1 + taken**2)
    order = np.argsort(level, kind="stable")
    left, offset, sd = left_over(
        (second - first)[order], min(len(pairs), max(25, len(pairs) // 12))
    )
    if not sd.max() > 0:
        return Missing(
            "noise",
            "Public and private scores differ by one constant: nothing tells the noise "
            "from it.",
            ("private_score",),
        )
    sd = np.maximum(sd, 1e-3 * float(np.median(sd[sd > 0])))
    noise = sd / math.hypot(1.0, taken)
    at = np.full(len(x), np.nan)
    unseen = (y[both] / scale - shared * x[both]) / (1 - shared)
    own = (taken**2 * x[both] + unseen) / (1 + taken**2)
    at[both] = np.interp(own, level[order], noise)
    n = len(pairs)
    typical = float(np.median(noise[n // 2 :]))
    far = float(np.mean(np.abs(left) > _FAR * sd))
    stayed = order[np.abs(left) <= _FAR * sd]  # a failure is no other test
    spread = _spread_ratio(first[stayed], second[stayed])
    signs = _signs(x, y, both, typical, largest_se, perfect)
    if n >= _MANY:
        if ratio is not None and spread > _UNLIKE * ratio:
            signs += ("spread",)
        signs += _other_order(first, second)
    nested = ratio is not None and not shared and n >= _MANY and scale == 1
    return PairNoiseResult(
        public_se=typical,
        private_se=math.hypot(shared, (1 - shared) * taken) * typical,
        top_se=float(np.median(noise[-max(1, n // 10) :])),
        difference_se=math.sqrt(2) * typical,
        noise=read_only(at),
        ratio=taken,
        offset=float(np.median(offset[n // 2 :])),
        scale=scale,
        log_sd=math.hypot(0.1 if ratio is not None else 0.15, 1.2 / math.sqrt(n)),
        n_obs=int(both.sum()),
        n_distinct=n,
        far_fraction=far,
        spread_ratio=spread,
        two_stage=signs,
        like_nested=nested and not signs and covers_public(first, second, ratio=taken),
    )


def _scale(pairs: FloatArray) -> float:
    """Return how many private units go into a public one, 1 unless scales differ."""
    spreads = []
    for values in pairs.T:
        low, high = np.quantile(values, [0.25, 0.9])
        spreads.append(float(high - low))
    if min(spreads) <= 0:
        return 1.0
    found = spreads[1] / spreads[0]
    return found if max(found, 1 / found) > 4 * _SCALE else 1.0


def left_over(
    difference: FloatArray, width: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return differences less their running median, that median, and their sd.

    Parameters
    ----------
    difference : ndarray of shape (n,)
        In the order of the board.
    width : int
        Values of a running median; of fewer than three times that one median counts.
    """
    import pandas as pd

    n = len(difference)
    series = pd.Series(difference)
    options: dict[str, Any] = {"center": True, "min_periods": max(1, width // 2)}
    if n < 3 * width:
        middle = pd.Series(np.full(n, float(np.median(difference))))
    else:
        middle = series.rolling(width, **options).median()
    left = series - middle
    size = left.abs().rolling(width, **options).median()
    size = size.rolling(width, center=True, min_periods=1).mean()
    # A running median of few values follows them: what it takes away is given back.
    lost = math.sqrt(1 + 1.57 / width)
    return (
        np.asarray(left),
        np.asarray(middle),
        np.asarray(_TO_SD * lost * size, dtype=np.float64),
    )


def covers_public(public: ArrayLike, private: ArrayLike, *, ratio: float) -> bool:
    """Return whether private scores behave as if they covered the public rows too.

    Parameters
    ----------
    public, private : array_like of shape (n_pairs,)
        Scores of different submissions, larger is better.
    ratio : float
        Standard error on the rows that the public score does not cover over that of the
        public score: the root of the public over these rows.

    Notes
    -----
    With other rows ``cov(y - x, y)`` is the variance of the private noise, ``ratio**2``
    times that of the public one, ``cov(x - y, x)``. Where the private score is the mean
    over all rows, it is the best linear estimate on which the public one adds noise
    alone, and ``cov(y - x, y)`` is nothing. True is told where the first lies four
    standard errors off and the second within two.
    """
    x = _cut(as_float_vector(public, name="public"))
    y = _cut(as_float_vector(private, name="private"))
    moved = y - x - np.mean(y - x)
    private_part = moved * (y - y.mean())
    public_part = -moved * (x - x.mean())
    root = math.sqrt(len(x))
    z = [
        root * float(part.mean()) / max(float(part.std()), 1e-300)
        for part in (private_part - ratio**2 * public_part, private_part)
    ]
    return z[0] < -_OTHER and abs(z[1]) < _ALIKE


def _spread_ratio(x: FloatArray, y: FloatArray) -> float:
    """Return private over public noise by variances, of scores whose tail is cut."""
    if len(x) < 30:
        return math.nan
    cov = np.cov(np.stack([_cut(x), _cut(y)]))
    first, second = cov[0, 0] - cov[0, 1], cov[1, 1] - cov[0, 1]
    least = 0.02 * max(cov[0, 0], cov[1, 1])  # below it a variance is chance
    return math.sqrt(max(second, least) / max(first, least))


def _other_order(x: FloatArray, y: FloatArray) -> tuple[str, ...]:
    """Return what two samples of one test set would not do to order and spread.

    Noise alone draws the slope of either score on the other below 1, and leaves an
    order.
    """
    cov = np.cov(np.stack([_cut(x), _cut(y)]))
    r = float(cov[0, 1] / math.sqrt(cov[0, 0] * cov[1, 1]))
    found = []
    open_by = _SURE * math.sqrt((1 - r * r) / len(x))
    for sd, other in ((cov[0, 0], cov[1, 1]), (cov[1, 1], cov[0, 0])):
        if (r - open_by) * math.sqrt(other / sd) > _STEEP:
            found.append("stretch")
    if pearson(mean_ranks(x), mean_ranks(y)) < _UNRELATED - 2 / math.sqrt(len(x)):
        found.append("unrelated")
    return tuple(found)


def _cut(values: FloatArray) -> FloatArray:
    """Return scores less their tails, beyond four robust standard deviations."""
    middle = float(np.median(values))
    reach = _FAR * _TO_SD * float(np.median(np.abs(values - middle)))
    return np.clip(values, middle - reach, middle + reach)


def _signs(
    x: FloatArray,
    y: FloatArray,
    both: np.ndarray,
    typical: float,
    largest_se: float,
    perfect: float,
) -> tuple[str, ...]:
    """Return what says that the private board is another test, not another sample."""
    found = []
    on_public = np.isfinite(x)
    if 1 - both.sum() / max(1, on_public.sum()) > _GONE:
        found.append("gone")
    _, label, counts = np.unique(y[both], return_inverse=True, return_counts=True)
    pile = np.flatnonzero(np.ravel(label) == int(np.argmax(counts)))
    apart = len(np.unique(x[both][pile])) > 0.5 * len(pile)
    if len(pile) > max(5, _PILE * both.sum()) and apart:
        found.append("pile")
    best = float(x[both].max())
    if best == perfect and float(y[both].max()) != perfect:
        found.append("perfect")
    # Where sampling is known, noise far beyond it is no sampling.
    if typical > _APART * largest_se:
        found.append("sampling")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardNoise(Result):
    """What is taken for the noise of a board.

    Attributes
    ----------
    noise : ndarray or None
        Standard error of every team's public score, less what all have in common;
        None where only published rank correlations are known.
    ratio : float
        Standard error on unseen rows over that of the public score.
    shared : float
        Share of the private rows that are the public ones, under nested rules.
    log_sd : float
        How well it is known: standard deviation of its logarithm.
    scale : float
        Units of the private score in one of the public one.
    basis : {"told", "pairs", "metric", "history", "published"}
        What it rests on.
    quantiles : dict of float to float or None
        Of one minus Spearman's correlation, where there is no noise.
    n_published : int
        Competitions behind them.
    """

    noise: FloatArray | None = field(default=None, repr=False)
    ratio: float = 0.65
    shared: float = 0.0
    log_sd: float = 0.0
    scale: float = 1.0
    basis: str
    quantiles: dict[float, float] | None = None
    n_published: int = 0

    @property
    def typical(self) -> float:
        """Typical standard error over the better half; nan where there is none."""
        if self.noise is None:
            return float("nan")
        return float(np.median(self.noise[: max(1, len(self.noise) // 2)]))


PUBLISHED_BY = "shakeup-radar 0.2.0 (T. S., Meta Kaggle of 12 July 2026)"

# Quantiles of one minus Spearman's correlation of public and private ranks, over the
# featured, research, recruitment and playground competitions of Kaggle that ended
# after July 2022, by the share of public rows (below 15%, below 35%, above, any) and by
# whether only notebooks could be submitted, whose private board is often another test.
# Computed from Meta Kaggle of 2026-07-12 and published under the MIT license by Tushar
# S. as shakeup-radar 0.2.0, github.com/tusharhsharma/shakeup-radar,
# shakeup_radar/artifact.json; facts, not code. Competitions, then the quantiles.
_QUARTILES = (0.25, 0.5, 0.75, 0.9)
_TABLE: Mapping[tuple[str, bool | None], tuple[float, ...]] = {
    ("tiny", None): (21, 0.169864, 0.97593, 1.148419),
    ("tiny", True): (16, 0.938275, 1.038607, 1.252386),
    ("small", None): (109, 0.006848, 0.021944, 0.066809, 0.193987),
    ("small", True): (36, 0.018953, 0.047056, 0.084954, 0.169848),
    ("small", False): (73, 0.004831, 0.012667, 0.049417, 0.217973),
    ("large", None): (51, 0.019619, 0.041166, 0.15589, 0.25361),
    ("large", True): (37, 0.01839, 0.038689, 0.160229, 0.284616),
    ("large", False): (14, 0.022916, 0.061285, 0.128883),
    ("any", None): (181, 0.008539, 0.032804, 0.151551, 0.432479),
}


def published_noise(
    public_fraction: float | None = None, *, notebooks_only: bool | None = None
) -> BoardNoise:
    """Return what rank correlations of other competitions say of the noise of a board.

    Parameters
    ----------
    public_fraction : float, optional
        Share of the test rows behind the public score.
    notebooks_only : bool, optional
        Whether only notebooks can be submitted.

    Examples
    --------
    >>> found = published_noise(0.3, notebooks_only=False)
    >>> found.quantiles, found.n_published
    ({0.25: 0.004831, 0.5: 0.012667, 0.75: 0.049417, 0.9: 0.217973}, 73)
    """
    kind = "any"
    if public_fraction is not None:
        kind = "tiny" if public_fraction < 0.15 else "small"
        kind = "large" if public_fraction >= 0.35 else kind
    row = _TABLE.get((kind, notebooks_only)) or _TABLE[kind, None]
    return BoardNoise(
        basis="published",
        quantiles=dict(zip(_QUARTILES, row[1:], strict=False)),
        n_published=int(row[0]),
    )
