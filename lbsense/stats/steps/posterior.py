"""The posterior of every true step, learned from the whole history.

A step is seen through its public gain and, with luck, its CV and private gain. All
measure one true gain, each with a scale and a noise of its own. How large true steps
and noise are is learned from all steps at once; what cannot be learned is integrated
over. What steps share through their references is taken out along the tree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import as_float_vector, check_fraction, check_same_length
from lbsense.stats.steps.kinds import (
    ALIKE_SHARES,
    KIND_SHARES,
    KINDS,
    shifted,
    widths,
)
from lbsense.stats.steps.mixture import FRESH, Cells, Luck, Parts
from lbsense.stats.steps.sources import (
    Candidates,
    Point,
    Source,
    StepNoise,
    candidates,
    grid_of,
)
from lbsense.stats.steps.tree import as_tree, depth_order, luck_cavity

_ROUNDS = 4  # of updating steps and the luck that they share in turn
_DAMPING = 0.8  # share of a new site that is taken
_HISTORY = 10.0  # steps that the kind of a history counts for against its own
_TEMPER = 0.5  # power of the likelihood of noise: steps of one history are alike
_TYPICAL_ROWS = 1000.0  # public rows where the number is not known
_STRETCH = 1.5  # of intervals, so that they hold on real tables
_N_NOISES = 8  # runs of the grid of noise that the posterior of one step keeps
_CHUNK = 256  # steps in memory at once
_PILOT = 48  # steps that rule out most candidates
_NEGLIGIBLE = 0.004  # weight of a candidate that is not looked at again
_ALIKE = 4.0  # largest slope of scores that read alike
_MOST_POINTS = 24  # combinations of scales of several CV schemes, each first alone
# Shape of the law of log noise between the steps of a history, in units of its width:
# near-copies have far less than the typical noise. (share, centre, sd)
_SHAPE = ((0.65, 0.0, 0.45), (0.2, -1.1, 1.0), (0.15, 0.9, 0.7))
_ONE_SORT = 0.3  # width of log noise, where learned, of steps of one sort
_BROKEN = 0.01  # share of steps whose noise may be anything: one of them moves nothing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepPosteriorResult(Result):
    """Posterior of the true gain of every step.

    Attributes
    ----------
    gain : ndarray of shape (n_steps,)
        Posterior mean of the true gain, nan where a step has no evidence.
    gain_se : ndarray of shape (n_steps,)
        Posterior standard deviation of it.
    ci_low, ci_high : ndarray of shape (n_steps,)
        Equal-tailed credible interval at ``confidence_level``.
    p_gain, p_null, p_loss : ndarray of shape (n_steps,)
        Probability that the true gain is above ``rope``, within it, below ``-rope``.
    public_se, cv_se : ndarray of shape (n_steps,)
        Geometric posterior mean of the standard error of either difference; that of CV
        on the scale of the public score.
    seen, seen_var : ndarray of shape (n_steps,)
        Gain that the scores show, the luck that other steps explain taken out, and the
        variance of its noise: what stands against the prior of the step.
    shared_luck : ndarray of shape (n_steps,)
        What of the observed gain other steps explain by luck.
    scale : float
        True gain that a gain here stands for: gains are on the scale of the first
        source, true ones on one between those of all sources that read alike.
    cv_slope : ndarray of shape (n_cv,)
        CV gain that goes with a public gain of 1, for every source of CV: posterior
        mean, among those of the likelier sign where that is not known.
    cv_ratio : float
        Noise variance of a CV difference over that of a public one, on one scale, for
        the last source of CV; nan without one.
    null_share : float
        Posterior mean share of steps that changed no more than ``rope``.
    rope : float
        Half-width of the region of practical equivalence: no change worth naming.
    confidence_level : float
        Of the interval.
    n_obs : int
        Steps with evidence.
    n_paired : int
        Steps seen through more than one source.
    """

    gain: FloatArray
    gain_se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    p_gain: FloatArray
    p_null: FloatArray
    p_loss: FloatArray
    public_se: FloatArray
    cv_se: FloatArray
    seen: FloatArray
    seen_var: FloatArray
    shared_luck: FloatArray
    scale: float = 1.0
    cv_slope: FloatArray
    cv_ratio: float
    null_share: float
    rope: float
    confidence_level: float
    n_obs: int
    n_paired: int


def step_posterior(
    sources: Sequence[Source],
    parent: ArrayLike,
    *,
    odds: ArrayLike | None = None,
    noise: StepNoise | None = None,
    n_rows: int | None = None,
    rope: float | None = None,
    confidence_level: float = 0.95,
) -> StepPosteriorResult:
    """Return the posterior of the true gain of every step of one history.

    Parameters
    ----------
    sources : sequence of Source
        What measures the steps. The first is the public score; a step without it is
        not judged. A source whose slope is not known may be on any scale. Several of
        the name "cv" are schemes of validation, each of other steps: what their scales
        may be is found for each alone, and only the likeliest are combined.
    parent : array_like of int of shape (n_steps,)
        Position of the submission that each is compared with, -1 for none.
    odds : array_like of shape (n_steps,), optional
        Probability that each was made from it, by default 1.
    noise : StepNoise, optional
        What is known of the noise of public differences beforehand. With one source
        alone it must be known.
    n_rows : int, optional
        Public rows, which tell how large true steps are against their noise.
    rope : float, optional
        Half-width of the region of practical equivalence, in score units. By default a
        quarter of the median public standard error.
    confidence_level : float
        Of the credible interval, in (0, 1).

    Returns
    -------
    StepPosteriorResult

    Raises
    ------
    ValueError
        If shapes disagree, parents form a circle, or one source comes without noise.

    Notes
    -----
    Step ``k`` has the true gain ``s_k * sqrt(n) * v_k`` and is seen as ``x_mk = b_m *
    (gain_k + noise_mk)``, ``noise_mk ~ N(0, r_m * s_k**2)``. The precision-weighted
    mean of the sources holds the gain; their contrasts hold noise alone and so tell
    ``s`` (Grubbs 1948). ``log s_k`` scatters around that of the history with a long
    tail of near-copies; ``v_k`` comes from a mixture of half-normals whose shares are
    those of a kind of history (`lbsense.stats.steps.kinds`), updated by the history.
    Typical noise, its spread, slopes ``b``, ratios ``r`` and kinds are integrated over
    a grid, weighted by the square root of their likelihood, since steps of one history
    share more than the model knows.

    Few rows with heavy tails stretch all gains of a score alike. Where a source reads
    as the first one does, both scales are measurements of one, and the logarithm of
    the true one is the mean of theirs by precision: ``scale``.

    A share ``c`` of the noise of a step is what its submission drew anew, and ``-c``
    what its reference did: ``noise_k = s_k (sqrt(1 - 2c) e_k + sqrt(c) z_k - sqrt(c)
    z_ref)``. Steps and luck ``z`` are updated in turn by expectation propagation along
    the tree (Minka 2001). So the luck of a chosen reference is taken from its children
    and from its own gain alike.

    It fails where two sources share a leak, and where parents are wrong.

    References
    ----------
    Grubbs, F. E. (1948). On estimating precision of measuring instruments and product
    variability. Journal of the American Statistical Association 43(242), 243-264.
    doi:10.1080/01621459.1948.10483261
    Minka, T. P. (2001). Expectation propagation for approximate Bayesian inference.
    arXiv:1301.2294
    Stephens, M. (2017). False discovery rates: a new deal. Biostatistics 18(2),
    275-294. doi:10.1093/biostatistics/kxw041

    Examples
    --------
    >>> import numpy as np
    >>> from lbsense.stats import Source, step_posterior
    >>> public = np.array([np.nan, 0.030, 0.001, -0.002, 0.002, -0.001])
    >>> cv = np.array([np.nan, 0.029, -0.001, 0.001, 0.001, -0.002])
    >>> result = step_posterior(
    ...     [
    ...         Source(name="public", gain=public),
    ...         Source(name="cv", gain=cv, log_ratio_sd=1.0, slope_known=False),
    ...     ],
    ...     [-1, 0, 1, 1, 1, 1],
    ... )
    >>> bool(result.p_gain[1] > 0.9), bool(result.p_gain[2] < 0.5)
    (True, True)
    """
    check_fraction(confidence_level, name="confidence_level")
    tree = as_tree(parent)
    gains = np.array([as_float_vector(s.gain, name=s.name) for s in sources])
    check_same_length(parent=tree.astype(float), gain=gains[0])
    known = noise or StepNoise()
    place = np.flatnonzero(np.isfinite(gains[0]))
    n_paired = int((np.isfinite(gains[:, place]).sum(axis=0) > 1).sum())
    if not place.size:
        return _empty(len(tree), rope, confidence_level)
    if not n_paired and not known.known:
        msg = "one source of scores tells no noise: give StepNoise(log_sd=...)."
        raise ValueError(msg)
    unit = np.ones(len(place)) if known.unit is None else known.unit[place]
    chosen = [s if s.unit is None else replace(s, unit=s.unit[place]) for s in sources]
    made = np.ones(len(tree)) if odds is None else as_float_vector(odds, name="odds")
    check_same_length(parent=tree.astype(float), odds=made)
    is_cv = np.array([source.name == "cv" for source in sources], dtype=bool)
    points: list[tuple[Point, ...]] | None = None
    if is_cv.sum() > 1:
        best: list[tuple[float, tuple[Point, ...]]] = [(0.0, ())]
        for m, source in enumerate(chosen[1:], 1):
            grid = grid_of(source)
            likely = np.array([point[-1] for point in grid])
            if is_cv[m] and np.isfinite(gains[m, place]).any():
                own = np.flatnonzero(np.isfinite(gains[m, place]))
                own = own[_spread_out(len(own), _PILOT)]
                pair = [
                    s if s.unit is None else replace(s, unit=s.unit[own])
                    for s in (chosen[0], source)
                ]
                seen = candidates(pair, gains[[0, m]][:, place[own]], unit[own])
                alone = _History(tree, made, place[own], seen, known, unit[own], n_rows)
                likely = alone.log_weight()
            best = [
                (fit + own_fit, (*point, own_point))
                for fit, point in best
                for own_fit, own_point in zip(likely.tolist(), grid, strict=True)
            ]
            if is_cv[m]:
                best = sorted(best, key=lambda item: -item[0])[:_MOST_POINTS]
        points = [point for _, point in best]
    found = candidates(chosen, gains[:, place], unit, points=points)
    history = _History(tree, made, place, found, known, unit, n_rows)
    return history.judged(
        rope=rope,
        confidence_level=confidence_level,
        n_paired=n_paired,
        cv=np.flatnonzero(is_cv),
        alike={
            m: float(np.exp(source.log_ratio))
            for m, source in enumerate(sources)
            if source.alike
        },
    )


def _empty(n: int, rope: float | None, confidence_level: float) -> StepPosteriorResult:
    nan = np.full(n, np.nan)
    names = tuple(StepPosteriorResult.__dataclass_fields__)[:12]
    return StepPosteriorResult(
        **dict.fromkeys(names, nan),
        scale=1.0,
        cv_slope=np.zeros(0),
        cv_ratio=float("nan"),
        null_share=float("nan"),
        rope=float("nan") if rope is None else rope,
        confidence_level=confidence_level,
        n_obs=0,
        n_paired=0,
    )


class _Prior:
    """Weights of everything that a history has one of: the grid of the mixture."""

    __slots__ = ("kinds", "log_sd", "log_shared", "reach", "width")

    def __init__(self, found: Candidates, noise: StepNoise, n_rows: int | None) -> None:
        self.log_sd, typical = _noise_grid(found, noise)
        rows = _TYPICAL_ROWS if n_rows is None else n_rows
        self.width = widths(np.exp(self.log_sd), typical, rows)
        self.kinds, sizes = KINDS, np.ones(1)
        if n_rows is None:  # a test set of 160 rows, of 1,000 or of 6,250
            self.kinds = np.concatenate([shifted(by) for by in (-1, 0, 1)])
            sizes = np.array([0.25, 0.5, 0.25])
        reach, log_shared = [], []
        apart = np.subtract.outer(self.log_sd, self.log_sd)
        for width, share in zip(noise.widths, noise.width_shares, strict=True):
            one_sort = len(noise.widths) > 1 and width < _ONE_SORT
            likely = np.kron(sizes, ALIKE_SHARES if one_sort else KIND_SHARES)
            weight = np.zeros_like(apart)
            for p, centre, sd in _SHAPE:
                z = (-apart / width - centre) / sd
                weight += p * np.exp(-0.5 * np.square(z)) / sd
            weight /= weight.sum(axis=1, keepdims=True)
            reach.append((1 - _BROKEN) * weight + _BROKEN / len(self.log_sd))
            log_shared.append(np.tile(np.log(share * likely), (len(self.log_sd), 1)))
        self.reach = np.concatenate(reach)  # (h, s)
        self.log_shared = np.concatenate(log_shared)  # (h, i)
        if noise.known and noise.log_sd_sd > 0:
            z = (self.log_sd - noise.log_sd) / noise.log_sd_sd
            self.log_shared -= 0.5 * np.square(np.tile(z, len(noise.widths)))[:, None]


def _noise_grid(found: Candidates, noise: StepNoise) -> tuple[FloatArray, float]:
    """Return log standard errors to consider, and the typical one."""
    middle = len(found.ratio) // 2
    sizes = [
        np.abs(c.value[middle] / np.sqrt(c.ratio[middle]))[c.seen]
        for c in found.contrasts
    ]
    size = np.concatenate(sizes) if sizes else np.zeros(0)
    if noise.known and (noise.unit is not None or not size.any()):
        typical = float(np.exp(noise.log_sd))
        if noise.log_sd_sd <= 0:
            return np.array([noise.log_sd]), typical
        reach = 3 * max(noise.log_sd_sd, 0.05)
        return np.linspace(noise.log_sd - reach, noise.log_sd + reach, 15), typical
    if not size.any():
        size = np.abs(found.fused[middle])
    if not size.any():
        size = np.full(1, 1e-12)
    real = size[size > 1e-3 * np.quantile(size, 0.95)]
    typical = max(float(np.median(real)) / 0.6745, noise.floor, 1e-300)
    least = np.log(np.quantile(real, 0.05)) - 1.5
    low = min(max(least, np.log(typical) - 4), np.log(typical) - 2)
    low = max(low, np.log(max(noise.floor, 1e-300)))
    high = np.log(max(1.5 * float(size.max()), 4 * typical))
    n_points = int(np.clip(np.ceil((high - low) / 0.4), 12, 34))
    return np.linspace(low, high, n_points), typical


@dataclass(slots=True, eq=False)
class _State:
    """What is believed between two rounds."""

    luck: Luck
    site_mean: FloatArray  # (latents, k) over all submissions
    site_precision: FloatArray
    kinds: FloatArray
    weight: FloatArray  # (h, g, i) of the history's own


class _History:
    """The steps of one history and everything that they share."""

    def __init__(
        self,
        tree: IntArray,
        odds: FloatArray,
        place: IntArray,
        found: Candidates,
        noise: StepNoise,
        unit: FloatArray,
        n_rows: int | None,
    ) -> None:
        self.tree, self.order, self.place = tree, depth_order(tree), place
        self.found, self.unit = found, unit
        self.prior = _Prior(found, noise, n_rows)
        self.count = _shares_of_copies(tree[place], found)
        self.odds = odds[place]
        self.kept: tuple[Candidates, Luck, Cells] | None = None
        n_latents = 1 + len(found.contrasts)
        flat = np.zeros((n_latents, len(tree)))
        self.state = _State(
            Luck(flat, flat + 2.0), flat, flat.copy(), self.prior.kinds, np.empty(0)
        )

    def log_weight(self) -> FloatArray:
        """Return the log posterior of every candidate after one look at all steps."""
        self._learn(np.arange(len(self.place)))
        weight = self.state.weight.sum(axis=(0, 2))
        return np.asarray(np.log(np.maximum(weight, 1e-300)))

    def judged(
        self,
        *,
        rope: float | None,
        confidence_level: float,
        n_paired: int,
        cv: IntArray,
        alike: dict[int, float],
    ) -> StepPosteriorResult:
        """Return the posterior after all rounds.

        ``cv`` are the sources that are CV, ``alike`` those that read as the first does,
        with the noise variance that each is thought to have beforehand.
        """
        n = len(self.place)
        pilot, few = _spread_out(n, _CHUNK), _spread_out(n, _PILOT)
        if n > _PILOT:
            self._learn(few)
            self._prune()
            self.state.kinds = self.prior.kinds
        for number in range(_ROUNDS):
            if number < 2 or n <= _CHUNK:
                self._learn(pilot)
            if number == 0:
                self._prune()
            if number < _ROUNDS - 1:
                self._share_luck()
        return self._summary(rope, confidence_level, n_paired, cv, alike)

    def _likelihood(self, steps: IntArray) -> Cells:
        """Return the cells of steps; those of all steps are kept until luck changes."""
        found, luck = self.found, self.state.luck
        if self.kept is not None and self.kept[0] is found and self.kept[1] is luck:
            cells = self.kept[2]
            if cells.likelihood.shape[-1] == len(steps) == len(self.place):
                return cells
        cells = Cells.of(
            found.of(steps),
            luck.of(self.place[steps]),
            np.exp(self.prior.log_sd),
            self.prior.width,
        )
        self.kept = (found, luck, cells)
        return cells

    def _cells(self, steps: IntArray) -> tuple[Cells, FloatArray]:
        """Return cells, and likelihoods by what a history has: (h, g, i, n)."""
        cells = self._likelihood(steps)
        by_kind = np.matmul(self.state.kinds, cells.likelihood)  # (s, g, i, n)
        like = _over(self.prior.reach, by_kind)
        if self.found.mixing is not None:
            like = np.matmul(self.found.mixing, _flat(like)).reshape(like.shape)
        return cells, np.maximum(like, 1e-300, out=like)

    def _before(self, like: FloatArray) -> FloatArray:
        """Return the posterior of every cell before its kind and its likelihood."""
        share = self.state.weight[..., np.newaxis] / like
        if self.found.mixing is not None:
            share = np.matmul(self.found.mixing.T, _flat(share)).reshape(share.shape)
        return _over(self.prior.reach.T, share)

    def _weights(self, steps: IntArray) -> tuple[Cells, FloatArray]:
        """Return cells and the posterior of each."""
        cells, like = self._cells(steps)
        weight = np.matmul(self.state.kinds.T, self._before(like))
        weight *= cells.likelihood
        weight /= weight.sum(axis=(0, 1, 2))
        return cells, weight

    def _learn(self, steps: IntArray) -> None:
        """Weigh what the history has one of, and let its kind learn from it."""
        cells, like = self._cells(steps)
        count = self.count[steps]
        fit = _TEMPER * (np.log(like) @ count)
        fit += (
            self.prior.log_shared[:, np.newaxis] + self.found.log_prior[:, np.newaxis]
        )
        weight = np.exp(fit - fit.max())
        self.state.weight = weight / weight.sum()
        # What was not made from its reference is no step, and teaches no law of them.
        count = count * self.odds[steps]
        before = self._before(like)
        before *= count
        seen = np.matmul(before, cells.likelihood.swapaxes(2, 3)).sum(axis=(0, 1))
        seen *= self.state.kinds
        seen *= count.sum() / max(float(seen.sum()), 1e-300)
        share = np.maximum(self.state.weight.sum(axis=(0, 1)), 1e-6)[:, np.newaxis]
        kinds = seen / share + _HISTORY * self.prior.kinds
        self.state.kinds = kinds / kinds.sum(axis=1, keepdims=True)

    def _prune(self) -> None:
        """Forget candidates that the history rules out."""
        weight = self.state.weight.sum(axis=(0, 2))
        if self.found.mixing is not None:
            weight = weight @ self.found.mixing
        kept = weight > _NEGLIGIBLE * weight.max()
        self.found = self.found.at(kept)
        if self.kept is not None:
            self.kept = self.found, self.kept[1], self.kept[2].at(kept)
        self.state.weight = self.state.weight[:, kept]
        self.state.weight /= self.state.weight.sum()

    def _chunks(self) -> list[IntArray]:
        n = len(self.place)
        return np.array_split(np.arange(n), max(1, -(-n // _CHUNK)))

    def _share_luck(self) -> None:
        """Tell every step what the others say of the luck that it shares."""
        state, root = self.state, np.sqrt(FRESH)
        means, variances = [], []
        for steps in self._chunks():
            cells, weight = self._weights(steps)
            mean, variance = cells.luck_moments(weight, self.found.of(steps))
            means.append(mean)
            variances.append(variance)
        mean, variance = (np.concatenate(x, axis=1) for x in (means, variances))
        luck = state.luck.of(self.place)
        gain = root * luck.variance / luck.share
        with np.errstate(invalid="ignore"):
            told = luck.mean + gain * (mean - root * luck.mean)
            spread = luck.variance * (1 - gain * root) + np.square(gain) * variance
        usable = np.isfinite(spread)
        spread = np.where(usable, spread, 1.0)
        precision = np.where(usable, 1 / spread - 1 / luck.variance, 0.0)
        precision = np.maximum(precision, 1e-6) * self.odds
        pull = np.where(usable, told / spread - luck.mean / luck.variance, 0.0)
        pull *= self.odds
        new_mean, new_variance = state.luck.mean.copy(), state.luck.variance.copy()
        for j in range(len(mean)):
            old = state.site_precision[j, self.place]
            sure = _DAMPING * precision[j] + (1 - _DAMPING) * old
            at = _DAMPING * pull[j]
            at += (1 - _DAMPING) * old * state.site_mean[j, self.place]
            state.site_precision[j, self.place] = sure
            state.site_mean[j, self.place] = at / np.maximum(sure, 1e-9)
            new_mean[j], new_variance[j] = luck_cavity(
                self.tree, self.order, state.site_mean[j], state.site_precision[j]
            )
        state.luck = Luck(new_mean, new_variance)

    def _summary(
        self,
        rope: float | None,
        confidence_level: float,
        n_paired: int,
        cv: IntArray,
        alike: dict[int, float],
    ) -> StepPosteriorResult:
        parts, log_sd, log_ratio, seen, seen_var, luck = [], [], [], [], [], []
        for steps in self._chunks():
            cells, weight = self._weights(steps)
            parts.append(Parts.of(cells, weight, n_noises=_N_NOISES))
            by_noise = weight.sum(axis=(1, 2))
            by_candidate = weight.sum(axis=2)
            known = self.state.luck.of(self.place[steps])
            log_sd.append((by_noise * self.prior.log_sd[:, np.newaxis]).sum(axis=0))
            log_ratio.append(self._cv_ratio(cv, steps, by_candidate.sum(axis=0)))
            shift = cells.scale * np.sqrt(FRESH) * known.mean[0]
            shown = self.found.fused[:, steps] - shift
            seen.append((by_candidate * shown).sum(axis=(0, 1)))
            luck.append((by_candidate * shift).sum(axis=(0, 1)))
            spread = (by_candidate * np.log(cells.scale)).sum(axis=(0, 1))
            seen_var.append(np.exp(2 * spread) * known.share[0])
        unit = self.unit
        joined = Parts.join(parts).scaled(unit)
        public_se = np.exp(np.concatenate(log_sd)) * unit
        width = 0.25 * float(np.median(public_se)) if rope is None else rope
        p_gain, p_loss = joined.above(width), 1 - joined.above(-width)
        gain, gain_se = joined.moments()
        low, high = joined.interval(confidence_level, stretch=_STRETCH)
        p_null = np.clip(1 - p_gain - p_loss, 0, 1)
        chosen = self.state.weight.sum(axis=(0, 2))
        cv_se = np.exp(np.concatenate(log_ratio) / 2) * public_se
        return StepPosteriorResult(
            gain=self._spread(gain),
            gain_se=self._spread(gain_se),
            ci_low=self._spread(low),
            ci_high=self._spread(high),
            p_gain=self._spread(np.clip(p_gain, 0, 1)),
            p_null=self._spread(p_null),
            p_loss=self._spread(np.clip(p_loss, 0, 1)),
            public_se=self._spread(public_se),
            cv_se=self._spread(cv_se),
            seen=self._spread(np.concatenate(seen) * unit),
            seen_var=self._spread(np.concatenate(seen_var) * np.square(unit)),
            shared_luck=self._spread(np.concatenate(luck) * unit),
            scale=self._true_scale(chosen, alike),
            cv_slope=_likely_mean(chosen, self.found.slope[:, cv]),
            cv_ratio=self._typical_ratio(chosen, cv),
            null_share=float(p_null.mean()),
            rope=float(width),
            confidence_level=confidence_level,
            n_obs=len(self.place),
            n_paired=n_paired,
        )

    def _true_scale(self, weight: FloatArray, alike: dict[int, float]) -> float:
        """Return the scale of true gains, between those of sources that read alike."""
        total, precision = 0.0, 1.0
        for m, ratio in alike.items():
            slope = self.found.slope[:, m]
            mean = float(weight @ slope)
            if (slope > 0).all() and 1 / _ALIKE < mean < _ALIKE:
                own = float(self.found.contrasts[m - 1].seen.mean()) / ratio
                total, precision = total + own * np.log(mean), precision + own
        return float(np.exp(total / precision))

    def _typical_ratio(self, weight: FloatArray, cv: IntArray) -> float:
        """Return the noise variance of the last CV over public, nan without CV."""
        if not cv.size:
            return float("nan")
        ratio = float(weight @ self.found.ratio[:, cv[-1]])
        return ratio * float(np.median(self.found.factor[cv[-1]]))

    def _cv_ratio(
        self, cv: IntArray, steps: IntArray, weight: FloatArray
    ) -> FloatArray:
        """Return the log noise variance of CV over public of steps, nan without CV."""
        found, log_ratio = self.found.of(steps), np.full(len(steps), np.nan)
        for m in cv.tolist():
            seen = found.contrasts[m - 1].seen
            own = weight.T @ np.log(found.ratio[:, m]) + np.log(found.factor[m])
            log_ratio = np.where(seen, own, log_ratio)
        return log_ratio

    def _spread(self, values: FloatArray) -> FloatArray:
        """Return values of the judged steps at their places, nan elsewhere."""
        whole = np.full(len(self.tree), np.nan)
        whole[self.place] = values
        return whole


def _likely_mean(weight: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the mean of slopes, for each column among those of the likelier sign."""
    rising = weight @ (slope > 0) >= 0.5
    share = weight[:, np.newaxis] * ((slope > 0) == rising)
    return np.asarray((share * slope).sum(axis=0) / share.sum(axis=0))


def _flat(values: FloatArray) -> FloatArray:
    """Return an array with its last two axes as one."""
    return values.reshape(*values.shape[:-2], -1)


def _over(table: FloatArray, values: FloatArray) -> FloatArray:
    """Return the product of a table with the first axis of an array."""
    product = table @ values.reshape(len(values), -1)
    return product.reshape(-1, *values.shape[1:])


def _spread_out(n: int, most: int) -> IntArray:
    """Return at most so many places, evenly from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def _shares_of_copies(parents: IntArray, found: Candidates) -> FloatArray:
    """Return how much each step counts: equal gains on all sides are one content."""
    members: dict[tuple[float, ...], list[int]] = defaultdict(list)
    rows = [found.fused[0], *(item.value[0] for item in found.contrasts)]
    for index, key in enumerate(zip(parents.tolist(), *np.array(rows), strict=True)):
        members[tuple(float(f"{x:.12g}") for x in key)].append(index)
    count = np.ones(len(parents))
    for group in members.values():
        count[group] = 1 / len(group)
    return count


def bayes_fdr_list(
    probability: ArrayLike, *, fdr: float = 0.1, at_least: float = 0.8
) -> BoolArray:
    """Return the claims that can be made together at an expected false share ``fdr``.

    Parameters
    ----------
    probability : array_like of shape (n,)
        Posterior probability of every claim; nan is never claimed.
    fdr : float
        Largest expected share of false claims among those made.
    at_least : float
        No claim is made below this probability, however sure the others are.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    Claims are taken in the order of their probability while the running mean of one
    minus the probability stays within ``fdr`` (Newton et al. 2004).

    References
    ----------
    Newton, M. A., Noueiry, A., Sarkar, D., Ahlquist, P. (2004). Detecting differential
    gene expression with a semiparametric hierarchical mixture method. Biostatistics
    5(2), 155-176. doi:10.1093/biostatistics/5.2.155

    Examples
    --------
    >>> bayes_fdr_list([0.99, 0.6, 0.95, float("nan")]).tolist()
    [True, False, True, False]
    """
    values = as_float_vector(probability, name="probability")
    check_fraction(fdr, name="fdr")
    order = np.argsort(-values)
    sorted_values = values[order]
    known = np.isfinite(sorted_values) & (sorted_values >= at_least)
    wrong = np.cumsum(np.where(known, 1 - sorted_values, 0.0))
    mean = wrong / np.arange(1, len(values) + 1)
    made = known & (mean <= fdr)
    claims = np.zeros(len(values), dtype=bool)
    claims[order[made]] = True
    return claims
