"""Several CV scores: where a scheme breaks, and what series that overlap say as one.

A series is one kind of CV under one scheme. Series that share steps are brought to one
scale by what they show together, so that their noise may be alike: two validations on
the same rows are no two measurements. Series that share none are parts of their own,
each with a scale that only the public score tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import as_float_vector, check_same_length

_SIDE = 5  # submissions on either side of a break that are looked at
_OUTLYING = 1  # of them that may lie anywhere
_CLEAR = 5.0  # spreads that a break moves CV by: calibrated on semi-real competitions
_CLEARER, _SHORT = 1.5, 50  # spreads more for each doubling beyond so many submissions
# Slopes of CV on public score that a break must show under, in ratios of spreads.
_SLOPES = np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
_NO_STEP = 1e-3  # of a large difference: what is smaller is none
_TO_SD = 1.4826  # median absolute deviation of a normal, inverted

_FEWEST_SHARED = 8  # steps in two series from which they tell the scale of each other
_CUT = 4.0  # typical gains from which one is cut before series are compared
_TEMPER = 0.5  # power of the likelihood of noise: steps of one history are alike
_R = np.sqrt(np.linspace(0.05, 0.95, 7))  # loadings: reliabilities that are considered
_SHARED = np.array([0.0, 0.3, 0.6, 0.9])  # correlations of the noise of two series
_MOST_SHARED = 0.9
_LATER = 1.0  # power of the odds against a further series that beats the first


def scheme_breaks(cv: ArrayLike, public: ArrayLike) -> IntArray:
    """Return where the level of CV against the public score clearly jumps.

    Parameters
    ----------
    cv, public : array_like of shape (n,)
        Scores in time order, nan where missing; CV on any scale.

    Returns
    -------
    ndarray of int
        Positions of the first submission after each break.

    Notes
    -----
    The five submissions on either side are compared. Their CV, less what the public
    score explains, must differ by five times its spread on either side (by more in a
    history of more than 50), with one sign whatever slope within three times the ratio
    of spreads the public score explains CV with; one outlier on a side is let pass.
    Each part is searched again. How often a break is found where there is none, and
    where there is one: ``python -m benchmarks.semi_real scales``, docs/calibration.md.

    Examples
    --------
    >>> public = [0.70, 0.71, 0.70, 0.72, 0.71, 0.72, 0.71, 0.73, 0.72, 0.73]
    >>> cv = [0.69, 0.71, 0.70, 0.71, 0.70, 0.86, 0.85, 0.87, 0.87, 0.88]
    >>> scheme_breaks(cv, public).tolist()
    [5]
    """
    seen = as_float_vector(cv, name="cv"), as_float_vector(public, name="public")
    check_same_length(cv=seen[0], public=seen[1])
    place = np.flatnonzero(np.isfinite(seen[0] + seen[1]))
    validated, shown = seen[0][place], seen[1][place]
    found: list[int] = []
    clear = _CLEAR + _CLEARER * float(np.log2(max(len(place) / _SHORT, 1.0)))
    step, moved = typical_step(np.diff(validated)), typical_step(np.diff(shown))
    open_ = [(0, len(place))] if step > 0 and moved > 0 else []
    while open_:
        start, stop = open_.pop()
        at = _largest_break(
            validated[start:stop], shown[start:stop], step, moved, clear
        )
        if at is not None:
            found.append(start + at)
            open_ += [(start, start + at), (start + at, stop)]
    return np.sort(place[found]) if found else np.zeros(0, dtype=np.int64)


def _largest_break(
    cv: FloatArray, public: FloatArray, step: float, shown: float, least: float
) -> int | None:
    """Return the first place after the clearest break, None below ``least`` spreads.

    ``step`` and ``shown`` are typical steps of both scores over the whole history.
    """
    if len(cv) < 2 * _SIDE:
        return None
    left = cv - _SLOPES[:, np.newaxis] * (step / shown) * public
    windows = sliding_window_view(left, _SIDE, axis=1)  # (slopes, places, side)
    before, after = np.sort(windows[:, :-_SIDE]), np.sort(windows[:, _SIDE:])
    middle = _SIDE // 2
    shift = after[..., middle] - before[..., middle]
    apart = [np.abs(x - x[..., middle, np.newaxis]) for x in (before, after)]
    spread = _TO_SD * np.median(np.concatenate(apart, axis=2), axis=2)
    fits, places = np.argmin(spread, axis=0), np.arange(spread.shape[1])
    spread = np.maximum(spread, step)
    inner, outer = _OUTLYING, _SIDE - 1 - _OUTLYING
    gap = np.maximum(
        after[..., inner] - before[..., outer], before[..., inner] - after[..., outer]
    )
    moved = np.minimum(np.abs(shift).min(axis=0), gap[fits, places])
    one_sign = np.abs(np.sign(shift).sum(axis=0)) == len(_SLOPES)
    clear = np.where(one_sign, moved / spread[fits, places], 0.0)
    best = int(np.argmax(clear))
    if not clear[best] > least:
        return None
    around = left[fits[best], best : best + 2 * _SIDE]
    cuts = [_SIDE - 1, _SIDE, _SIDE + 1]  # one outlier may have hidden the very place
    return best + min(cuts, key=lambda cut: _scatter(around[:cut], around[cut:]))


def _scatter(*sides: FloatArray) -> float:
    """Return how far values lie from the median of their side, on average."""
    return sum(float(np.abs(side - np.median(side)).sum()) for side in sides)


def typical_step(gain: FloatArray) -> float:
    """Return the median size of the gains that are some, 0 where none is."""
    size = np.abs(gain[np.isfinite(gain)])
    size = size[size > _NO_STEP * np.quantile(size, 0.95)] if size.size else size
    return float(np.median(size)) if size.size else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JoinedScales(Result):
    """Series of CV scores as one, in parts that each have a scale of their own.

    Attributes
    ----------
    level : ndarray of shape (n,)
        CV of every submission on the scale of its part, nan where it has none.
    level_part : ndarray of int of shape (n,)
        Its part, -1 for none.
    gain : ndarray of shape (n,)
        CV gain of every step on the scale of its part; nan where no series has both
        ends of it.
    part : ndarray of int of shape (n,)
        Part of the step, -1 for none. Parts are numbered by their last submission.
    noise : ndarray of shape (n,)
        Noise variance of the gain over that of a typical step of its part.
    main : ndarray of int of shape (n_parts,)
        The series whose scale each part has: of the kind of its first one, that which
        was used last.
    series_part : ndarray of int of shape (m,)
        Part of every series.
    factor, shift : ndarray of shape (m,)
        What brings a series to the scale of its part: ``factor * score + shift``.
    weight : ndarray of shape (m,)
        Mean share of each in the submissions that it scores.
    """

    level: FloatArray
    level_part: IntArray
    gain: FloatArray
    part: IntArray
    noise: FloatArray
    main: IntArray
    series_part: IntArray
    factor: FloatArray
    shift: FloatArray
    weight: FloatArray


def join_scales(
    series: ArrayLike,
    public_gain: ArrayLike,
    reference: ArrayLike,
    *,
    kinds: Sequence[str] | None = None,
) -> JoinedScales:
    """Return what several series of CV scores say together.

    Parameters
    ----------
    series : array_like of shape (m, n)
        Scores of every series, larger is better, each on any scale; nan where missing.
    public_gain : array_like of shape (n,)
        Public differences to the reference, nan where missing.
    reference : array_like of int of shape (n,)
        What each submission is compared with, -1 for none.
    kinds : sequence of str of length m, optional
        Kind of every series: those of one kind are its schemes. By default each is a
        kind of its own.

    Returns
    -------
    JoinedScales

    Notes
    -----
    The noise of the public score is independent of that of CV, but two series of CV may
    share theirs. The three correlations of the gains of two series and of the public
    score tell how reliable each is and what noise they share (Grubbs 1948), integrated
    over a grid; each is compared with the series of its part that shares steps with
    most others. Series are then weighted by the inverse covariance of their noise; one
    that would count against another is left out. One series alone is left as it is.

    References
    ----------
    Grubbs, F. E. (1948). On estimating precision of measuring instruments and product
    variability. Journal of the American Statistical Association 43(242), 243-264.
    doi:10.1080/01621459.1948.10483261

    Examples
    --------
    >>> nan = float("nan")
    >>> before, after = [0.80, 0.82, nan, nan], [nan, nan, 0.50, 0.51]
    >>> gain = [nan, 0.02, 0.01, 0.01]
    >>> joined = join_scales([before, after], gain, [-1, 0, 1, 2])
    >>> joined.part.tolist(), joined.gain.round(2).tolist()
    ([-1, 0, -1, 1], [nan, 0.02, nan, 0.01])
    """
    levels = np.asarray(series, dtype=np.float64)
    shown = as_float_vector(public_gain, name="public_gain")
    tree = np.asarray(reference, dtype=np.int64)
    check_same_length(public_gain=shown, reference=tree.astype(float))
    m, n = levels.shape
    gains = np.where((tree >= 0) & np.isfinite(shown), levels - levels[:, tree], np.nan)
    parts = _parts(levels, gains)
    level, gain, noise = np.full((3, n), np.nan)
    level_part, part = np.full((2, n), -1, dtype=np.int64)
    factor, shift, weight = np.ones(m), np.zeros(m), np.zeros(m)
    main = np.array([_main(levels, members, kinds) for members in parts], np.int64)
    for number in sorted(range(len(parts)), key=lambda k: -_size(gains[parts[k]])):
        members = np.array(parts[number])
        one = _Part.of(levels[members], gains[members], shown)
        one = one.on_scale_of(int(np.flatnonzero(members == main[number])[0]))
        factor[members], shift[members] = one.factor, one.shift
        weight[members] = one.shares(np.isfinite(levels[members]))
        for values, seen_in, out, noises in (
            (levels[members], level_part, level, None),
            (gains[members], part, gain, noise),
        ):
            free = (seen_in < 0) & np.isfinite(values).any(axis=0)
            seen_in[free] = number
            offset = one.shift if noises is None else np.zeros(len(members))
            one.fill(values, offset, free, out, noises)
    for number in range(len(parts)):
        own = part == number
        noise[own] /= np.median(noise[own]) if own.any() else 1.0
    return JoinedScales(
        level=level,
        level_part=level_part,
        gain=gain,
        part=part,
        noise=noise,
        main=main,
        series_part=np.array(
            [
                next(k for k, members in enumerate(parts) if i in members)
                for i in range(m)
            ],
            dtype=np.int64,
        ),
        factor=factor,
        shift=shift,
        weight=weight,
    )


def _size(gains: FloatArray) -> int:
    return int(np.isfinite(gains).any(axis=0).sum())


def _parts(levels: FloatArray, gains: FloatArray) -> list[list[int]]:
    """Return series that share enough steps, those that end last at the end."""
    parts: list[list[int]] = []
    seen = np.isfinite(gains)
    for i in range(len(levels)):
        linked = [
            members
            for members in parts
            if any((seen[i] & seen[j]).sum() >= _FEWEST_SHARED for j in members)
        ]
        parts = [members for members in parts if members not in linked]
        parts.append(sorted([i, *(j for members in linked for j in members)]))
    last = [_last(levels[members]) for members in parts]
    return [parts[k] for k in np.argsort(last, kind="stable")]


def _last(levels: FloatArray) -> int:
    """Return the last submission with any of these scores, -1 for none."""
    return int(np.flatnonzero(np.isfinite(levels).any(axis=0)).max(initial=-1))


def _main(levels: FloatArray, members: list[int], kinds: Sequence[str] | None) -> int:
    """Return the scheme of the first kind of a part that was used last."""
    if kinds is None:
        return members[0]
    own = [i for i in members if kinds[i] == kinds[members[0]]]
    return max(own, key=lambda i: _last(levels[[i]]))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Series of one part: their scales, and the covariance of their noise.

    ``cov`` is that of gains on one scale, in units of the variance of true gains.
    """

    factor: FloatArray
    shift: FloatArray
    cov: FloatArray

    @classmethod
    def of(cls, levels: FloatArray, gains: FloatArray, public: FloatArray) -> _Part:
        m = len(levels)
        if m == 1:
            return cls(np.ones(1), np.zeros(1), np.ones((1, 1)))
        seen = np.isfinite(gains).astype(np.int64)
        shared = (seen @ seen.T) >= _FEWEST_SHARED
        middle = int(np.argmax(shared.sum(axis=1)))  # shares steps with most others
        loading, alike = np.zeros(m), np.eye(m)
        others = np.delete(np.arange(m), middle)
        for i in others.tolist():
            first, second = min(i, middle), max(i, middle)
            *told, same = _reliability(public, gains[first], gains[second])
            own, at_middle = told if i == first else reversed(told)
            loading[i] = own
            loading[middle] += at_middle / len(others)
            alike[i, middle] = alike[middle, i] = same
        left = np.sqrt(1 - np.square(loading))
        for i, j in combinations(others.tolist(), 2):
            apart = _correlation(gains[i], gains[j]) - loading[i] * loading[j]
            same = float(np.nan_to_num(apart / (left[i] * left[j])))
            alike[i, j] = alike[j, i] = np.clip(same, 0.0, _MOST_SHARED)
        noise = left / loading
        size = np.array([_shared_size(gain, gains[middle]) for gain in gains])
        known = np.where(size > 0, size, loading[middle] / loading)
        factor = loading[middle] / (loading * known)
        factor[middle] = 1.0
        shift = np.zeros(m)
        for i in others.tolist():
            above = levels[middle] - factor[i] * levels[i]
            above = above[np.isfinite(above)]
            shift[i] = np.median(above) if above.size else 0.0
        return cls(factor, shift, alike * np.outer(noise, noise))

    def on_scale_of(self, main: int) -> _Part:
        """Return the same on the scale of one of the series."""
        one = self.factor[main]
        return replace(
            self, factor=self.factor / one, shift=(self.shift - self.shift[main]) / one
        )

    def weights(self, seen: BoolArray) -> tuple[FloatArray, float]:
        """Return weights of the series seen, and the noise variance of their mean.

        That is in units of the noise of the first series.
        """
        weight = np.zeros(len(seen))
        used = np.flatnonzero(seen)
        while True:  # no series counts against another one
            cov = self.cov[np.ix_(used, used)]
            best = np.linalg.solve(cov, np.ones(len(used)))
            if best.min() >= 0:
                break
            used = np.delete(used, int(np.argmin(best)))
        weight[used] = best / best.sum()
        return weight, float(weight @ self.cov @ weight / self.cov[0, 0])

    def shares(self, known: BoolArray) -> FloatArray:
        """Return the mean weight of every series where it is known: (m, n)."""
        seen, count = np.unique(known, axis=1, return_counts=True)
        seen, count = seen[:, seen.any(axis=0)], count[seen.any(axis=0)]
        weights = np.array([self.weights(column)[0] for column in seen.T])
        total = weights.reshape(len(count), len(known)).T @ count
        return np.asarray(total / np.maximum(seen @ count, 1))

    def fill(
        self,
        values: FloatArray,
        shift: FloatArray,
        where: BoolArray,
        out: FloatArray,
        noise: FloatArray | None,
    ) -> None:
        """Write the weighted mean of what is there, pattern by pattern."""
        scaled = self.factor[:, np.newaxis] * values + shift[:, np.newaxis]
        known = np.isfinite(scaled)
        for seen in np.unique(known[:, where], axis=1).T:
            weight, variance = self.weights(seen)
            at = where & (known == seen[:, np.newaxis]).all(axis=0)
            out[at] = weight[seen] @ scaled[np.ix_(seen, at)]
            if noise is not None:
                noise[at] = variance


def _reliability(
    public: FloatArray, first: FloatArray, second: FloatArray
) -> tuple[float, float, float]:
    """Return the loadings of two series on the true gain, and what noise they share.

    Means over a grid of reliabilities, weighted by the likelihood of the three
    correlations that two series and the public score show.
    """
    seen = np.eye(3)
    pairs = ((0, 1, public, first), (0, 2, public, second), (1, 2, first, second))
    for i, j, x, y in pairs:
        seen[i, j] = seen[j, i] = np.nan_to_num(_correlation(x, y))
    n = np.isfinite(public + first + second).sum()
    kappa, a, b, shared = (x.ravel() for x in np.meshgrid(_R, _R, _R, _SHARED))
    model = np.ones((len(a), 3, 3))
    model[:, 0, 1] = model[:, 1, 0] = kappa * a
    model[:, 0, 2] = model[:, 2, 0] = kappa * b
    model[:, 1, 2] = model[:, 2, 1] = a * b + shared * np.sqrt((1 - a**2) * (1 - b**2))
    fit = np.linalg.slogdet(model)[1]
    fit += np.trace(np.linalg.solve(model, seen[np.newaxis]), axis1=1, axis2=2)
    odds = np.log(b**2 / (1 - b**2)) - np.log(a**2 / (1 - a**2))
    fit = 0.5 * _TEMPER * n * (fit - fit.min()) + _LATER * np.maximum(odds, 0.0)
    weight = np.exp(fit.min() - fit)
    weight /= weight.sum()
    return float(weight @ a), float(weight @ b), float(weight @ shared)


def _shared_size(gain: FloatArray, main: FloatArray) -> float:
    """Return how large gains are against those of the main series, where both are."""
    both = np.isfinite(gain) & np.isfinite(main)
    both = both if both.any() else np.isfinite(gain)
    size, against = typical_step(gain[both]), typical_step(main[both])
    return size / against if size > 0 and against > 0 else 0.0


def _correlation(x: FloatArray, y: FloatArray) -> float:
    """Return the correlation of gains, large ones cut; nan where nothing tells it."""
    both = np.isfinite(x) & np.isfinite(y)
    cut = []
    for values in (x[both], y[both]):
        most = _CUT * typical_step(values)
        cut.append(np.clip(values, -most, most))
    sizes = np.sqrt([float(values @ values) for values in cut])
    if both.sum() < _FEWEST_SHARED or not (sizes > 0).all():
        return float("nan")
    return float(cut[0] @ cut[1] / sizes.prod())
