"""How good is every submission really? The posterior of all true scores together.

A submission is its reference plus a step, and its noise is mostly its reference's
noise. Told that, the scores of a whole history correct each other: the luck of the best
public score shows in how its descendants fare and in what CV says of the steps that led
to it. Along a tree all that takes one pass up and one pass down, and a covariance never
is a whole matrix: that of two is a product along the way between them, a variance of a
weighted sum one pass upwards, a joint draw one pass downwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import as_float_vector, check_positive, check_same_length
from lbsense.stats.rows.joint import score_draws
from lbsense.stats.steps.mixture import FRESH
from lbsense.stats.steps.posterior import StepPosteriorResult
from lbsense.stats.steps.tree import as_tree, branches, depth_order

_STATE = 3  # true score, lasting noise of the public score, lasting noise of CV
_LEAST_SHARE = 0.02  # of what a step shows that its prior or its noise explains
_DIFFUSE = 1e3  # standard deviations of a level that nothing tells
_TINY = 1e-9  # of the noise of a score: what keeps precisions finite
_OPEN_STEP = 4.0  # noises of a score: width of a step that could not be judged
_SMALL = 1000  # submissions whose draws come from a factor of the whole matrix
_BLOCK = 250  # draws along the tree in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A covariance as it stands; entries that nothing asks for may be nan."""

    whole: FloatArray

    def diagonal(self) -> FloatArray:
        """Return the variances."""
        return np.diag(self.whole)

    def pairs(self, one: IntArray, other: IntArray) -> FloatArray:
        """Return covariances of pairs."""
        return np.asarray(self.whole[one, other])

    def matrix(self, positions: IntArray) -> FloatArray:
        """Return covariances of some."""
        return np.asarray(self.whole[np.ix_(positions, positions)])

    def form(self, weights: FloatArray) -> float:
        """Return the variance of a weighted sum."""
        used = np.flatnonzero(weights)
        part = weights[used]
        return max(float(part @ self.whole[np.ix_(used, used)] @ part), 0.0)

    def draws(
        self, positions: IntArray, rng: np.random.Generator, n_draws: int
    ) -> Iterator[FloatArray]:
        """Yield joint draws around 0, some rows at once."""
        centre = np.zeros(len(positions))
        yield score_draws(centre, self.matrix(positions), n_draws=n_draws, rng=rng)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Numbers along a tree: the first entries of states that descend from each other.

    Attributes
    ----------
    tree, order : ndarray of int of shape (k,)
        References, -1 for none, and an order with references first.
    carry : ndarray of shape (k, s, s)
        What of the state of its reference each keeps.
    own : ndarray of shape (k, s, s)
        Covariance of what each adds; of one without reference its whole.
    moments : ndarray of shape (k, s, s)
        Covariance of each state.
    """

    tree: IntArray
    order: IntArray
    carry: FloatArray
    own: FloatArray
    moments: FloatArray

    @classmethod
    def fading(cls, tree: IntArray, kept: FloatArray) -> Chain:
        """Return numbers of variance 1 that keep a share of that of their reference."""
        kept = np.where(tree < 0, 0.0, kept)
        carry = kept[:, np.newaxis, np.newaxis]
        return cls(
            tree, depth_order(tree), carry, 1 - np.square(carry), np.ones_like(carry)
        )

    def diagonal(self) -> FloatArray:
        """Return the variances."""
        return np.asarray(self.moments[:, 0, 0])

    def pairs(self, one: IntArray, other: IntArray) -> FloatArray:
        """Return covariances of pairs, each carried up to where the two ways meet."""
        parent = np.append(self.tree, -1)  # from -1 the way leads to -1
        depth = (parent >= 0).astype(np.int64)
        carry = np.concatenate([self.carry, np.zeros_like(self.carry[:1])])
        ups, carries, reach = [parent], [carry], parent
        while (reach >= 0).any():
            depth = depth + depth[reach]
            carry = carry @ carry[reach]
            reach = reach[reach]
            ups.append(reach)
            carries.append(carry)
        at = [np.array(one), np.array(other)]
        first = np.zeros((len(at[0]), carry.shape[-1]))
        first[:, 0] = 1.0
        row = [first, first.copy()]

        def lift(side: int, which: IntArray, power: int) -> None:
            moved = at[side][which]
            row[side][which] = np.einsum(
                "ms,mst->mt", row[side][which], carries[power][moved]
            )
            at[side][which] = ups[power][moved]

        for side in (0, 1):
            below = depth[at[side]] - depth[at[1 - side]]
            for power in range(len(ups)):
                which = np.flatnonzero((below > 0) & (below >> power & 1 > 0))
                if which.size:
                    lift(side, which, power)
        for power in reversed(range(len(ups))):
            which = np.flatnonzero(ups[power][at[0]] != ups[power][at[1]])
            if which.size:
                lift(0, which, power)
                lift(1, which, power)
        apart = np.flatnonzero(at[0] != at[1])
        if apart.size:
            lift(0, apart, 0)
            lift(1, apart, 0)
        met = np.append(self.moments, np.zeros_like(self.moments[:1]), axis=0)[at[0]]
        return np.asarray(np.einsum("ms,mst,mt->m", row[0], met, row[1], optimize=True))

    def matrix(self, positions: IntArray) -> FloatArray:
        """Return covariances of some, carried down from where their ways meet."""
        nodes, parent, carry, _ = self._spanned(positions)
        n, size = len(nodes), self.carry.shape[-1]
        cov = np.zeros((n, size, n, size))
        for row, (k, above) in enumerate(
            zip(nodes.tolist(), parent.tolist(), strict=True)
        ):
            if above >= 0:
                met = np.einsum("ab,bjc->ajc", carry[row], cov[above, :, :row])
                cov[row, :, :row] = met
                cov[:row, :, row] = met.transpose(1, 2, 0)
            cov[row, :, row] = self.moments[k]
        at = _places(nodes, positions)
        return np.asarray(cov[:, 0, :, 0][np.ix_(at, at)])

    def form(self, weights: FloatArray) -> float:
        """Return the variance of a weighted sum: what each adds, seen from below."""
        seen = np.zeros(self.carry.shape[:2])
        seen[:, 0] = weights
        parents = self.tree.tolist()
        for k in self.order[::-1].tolist():
            if parents[k] >= 0:
                seen[parents[k]] += seen[k] @ self.carry[k]
        return max(float(np.einsum("ka,kab,kb->", seen, self.own, seen)), 0.0)

    def draws(
        self, positions: IntArray, rng: np.random.Generator, n_draws: int
    ) -> Iterator[FloatArray]:
        """Yield joint draws around 0, some rows at once."""
        nodes, parent, carry, own = self._spanned(positions)
        size = self.carry.shape[-1]
        values, vectors = np.linalg.eigh(own)
        root = vectors * np.sqrt(np.maximum(values, 0.0))[:, np.newaxis]
        at = _places(nodes, positions)
        for start in range(0, n_draws, _BLOCK):
            n = min(_BLOCK, n_draws - start)
            state = np.empty((len(nodes), size, n))
            for row, above in enumerate(parent.tolist()):
                state[row] = root[row] @ rng.standard_normal((size, n))
                if above >= 0:
                    state[row] += carry[row] @ state[above]
            yield state[at, 0].T

    def _spanned(
        self, positions: IntArray
    ) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
        """Return the tree that some span: ways between its nodes are one step each."""
        nodes, parent, chains = branches(self.tree, self.order, positions)
        carry, own = self.carry[nodes].copy(), self.own[nodes].copy()
        for row, way in enumerate(chains):
            if len(way) > 1:
                carry[row], own[row] = self.carry[way[0]], self.own[way[0]]
                for k in way[1:]:
                    carry[row] = self.carry[k] @ carry[row]
                    own[row] = self.carry[k] @ own[row] @ self.carry[k].T + self.own[k]
        return nodes, parent, carry, own


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Covariances of the scores of ``k`` submissions: parts, and what all share.

    ``numpy.asarray`` of it is the whole matrix of ``k**2`` numbers.

    Attributes
    ----------
    parts : tuple of (ndarray of shape (k,), Chain or Dense)
        Independent parts, and the weight of each submission in them.
    common : float
        Variance of what all scores share beside them.
    """

    parts: tuple[tuple[FloatArray, Chain | Dense], ...]
    common: float = 0.0

    @classmethod
    def of(cls, values: Covariance | ArrayLike, size: int, *, name: str) -> Covariance:
        """Return a matrix or a covariance as a covariance of that size.

        Raises
        ------
        ValueError
            If it has another size.
        """
        if not isinstance(values, Covariance):
            matrix = np.asarray(values, dtype=np.float64)
            if matrix.shape == (size, size):
                return cls.along(Dense(matrix))
            shape = matrix.shape
        elif len(values) == size:
            return values
        else:
            shape = (len(values), len(values))
        msg = f"{name} must have shape ({size}, {size}), got shape {shape}."
        raise ValueError(msg)

    @classmethod
    def along(cls, part: Chain | Dense) -> Covariance:
        """Return the covariance of one part."""
        return cls(((np.ones(len(part.diagonal())), part),))

    def __len__(self) -> int:
        return len(self.parts[0][0])

    def __repr__(self) -> str:
        return f"Covariance of {len(self)} scores"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.matrix(), dtype=dtype)

    def times(self, weights: FloatArray) -> Covariance:
        """Return that of the scores, each multiplied by a number."""
        if self.common:
            msg = "what all scores share has no weights."
            raise ValueError(msg)
        return replace(
            self, parts=tuple((own * weights, part) for own, part in self.parts)
        )

    def plus(self, other: Covariance) -> Covariance:
        """Return that of the sums with independent numbers."""
        return Covariance(self.parts + other.parts, self.common + other.common)

    def diagonal(self) -> FloatArray:
        """Return the variances, of shape (k,)."""
        total = sum(np.square(own) * part.diagonal() for own, part in self.parts)
        return np.asarray(total + self.common)

    def pairs(self, one: ArrayLike, other: ArrayLike) -> FloatArray:
        """Return the covariances of pairs, in time linear in them."""
        both = np.broadcast_arrays(
            np.asarray(one, dtype=np.int64), np.asarray(other, dtype=np.int64)
        )
        i, j = (side.ravel() for side in both)
        total = sum(own[i] * own[j] * part.pairs(i, j) for own, part in self.parts)
        return np.asarray(total + self.common).reshape(both[0].shape)

    def apart(self, one: ArrayLike, other: ArrayLike) -> FloatArray:
        """Return the variances of the differences of pairs, 0 for mere rounding."""
        variance = self.diagonal()
        i, j = np.asarray(one), np.asarray(other)
        total = variance[i] + variance[j]
        square = total - 2 * self.pairs(i, j)
        return np.asarray(np.where(square < 1e-12 * total, 0.0, square))

    def matrix(self, positions: ArrayLike | None = None) -> FloatArray:
        """Return the covariances of some scores as a matrix, of all by default."""
        at = (
            np.arange(len(self))
            if positions is None
            else np.asarray(positions, dtype=np.int64)
        )
        total = sum(
            np.outer(own[at], own[at]) * part.matrix(at) for own, part in self.parts
        )
        return np.asarray(total + self.common)

    def form(self, weights: ArrayLike) -> float:
        """Return the variance of a weighted sum; what has no weight may be nan."""
        share = np.asarray(weights, dtype=np.float64)
        inner = sum(part.form(own * share) for own, part in self.parts)
        return float(inner + self.common * share.sum() ** 2)

    def draws(
        self, positions: ArrayLike, rng: np.random.Generator, *, n_draws: int
    ) -> Iterator[FloatArray]:
        """Yield joint draws around 0, of shape (rows, m), until there are ``n_draws``.

        What all scores share is in them.
        """
        at = np.asarray(positions, dtype=np.int64)
        parts = self.parts
        if len(at) <= _SMALL or any(isinstance(part, Dense) for _, part in parts):
            yield from Dense(self.matrix(at)).draws(np.arange(len(at)), rng, n_draws)
            return
        for blocks in zip(
            *(part.draws(at, rng, n_draws) for _, part in parts), strict=True
        ):
            total = sum(
                own[at] * block for (own, _), block in zip(parts, blocks, strict=True)
            )
            shared = np.sqrt(self.common) * rng.standard_normal((len(blocks[0]), 1))
            yield np.asarray(total + shared)


def _places(nodes: IntArray, chosen: IntArray) -> IntArray:
    order = np.argsort(nodes)
    return np.asarray(order[np.searchsorted(nodes[order], chosen)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelPosteriorResult(Result):
    """Posterior of the true score of every submission.

    Attributes
    ----------
    mean, sd : ndarray of shape (k,)
        Posterior mean and standard deviation of the true score, nan where no score
        tells the level: on the scale of the scores given, of which larger is better;
        in an analysis as the platform shows scores.
    score_public_var : float
        Noise variance of one public score.
    score_log_sd : float
        Standard deviation of the logarithm of its root: how well that is known.
    n_obs : int
        Scores used, public and CV.
    spread, noise : Covariance
        Of the true scores, and of the noise of scores on one test set in units of
        theirs: its ``matrix`` is that of their correlations.
    """

    mean: FloatArray
    sd: FloatArray
    score_public_var: float
    score_log_sd: float
    n_obs: int
    tree: IntArray = field(repr=False)
    spread: Covariance = field(repr=False)
    noise: Covariance = field(repr=False)


def level_posterior(
    public: ArrayLike,
    cv: ArrayLike,
    parent: ArrayLike,
    steps: StepPosteriorResult,
    *,
    score_se: float,
    score_log_sd: float = 0.0,
    same: ArrayLike | None = None,
    apart: ArrayLike | None = None,
) -> LevelPosteriorResult:
    """Return the posterior of every submission's true score, all of them together.

    Use it to say what a history has reached: its mean is free of the winner's curse,
    since it conditions on all scores and not on the best one.

    Parameters
    ----------
    public, cv : array_like of shape (k,)
        Scores, larger is better, nan where missing. CV must be on the scale of the
        public score and may be off by a constant.
    parent : array_like of int of shape (k,)
        Position of the submission that each was made from, -1 for none.
    steps : StepPosteriorResult
        The posterior of every step (`step_posterior`).
    score_se : float
        Standard error of one public score.
    score_log_sd : float
        Standard deviation of its logarithm: what is not known of it.
    same : array_like of bool of shape (k,), optional
        Submissions with the content of their parent: their true step is 0.
    apart : array_like of bool of shape (k,), optional
        Submissions whose CV has another offset than that of their parent.

    Returns
    -------
    LevelPosteriorResult

    Raises
    ------
    ValueError
        If shapes disagree, parents form a circle, or ``score_se`` is not above 0.

    Notes
    -----
    True scores ``theta_k = theta_ref + step_k``, where the normal that stands for the
    prior of a step gives, with what is seen of it, the mean and variance of its
    posterior. The noise of a public score is ``e_k = rho_k e_ref + innovation`` with
    ``rho_k = 1 - s_k**2 / (2 sigma**2)``, so that every score has the same noise
    ``sigma`` and every step its own ``s_k``, plus a share that each submission draws
    anew; CV likewise, with a free offset. The level itself is flat: no common mean
    draws late submissions to early ones. Belief propagation on the tree gives all
    means and variances in linear time (Lauritzen 1996, chapter 6).

    It fails where references are wrong, where a submission blends two others, and where
    public and CV scores share a leak.

    References
    ----------
    Lauritzen, S. L. (1996). Graphical Models. Oxford University Press.
    ISBN 978-0-19-852219-5
    """
    tree = as_tree(parent)
    shown = as_float_vector(public, name="public")
    validated = as_float_vector(cv, name="cv")
    n = check_same_length(public=shown, cv=validated, parent=tree.astype(float))
    sigma = check_positive(score_se, name="score_se")
    repeats = np.zeros(n, bool) if same is None else np.asarray(same, bool)
    offset = np.zeros(n, bool) if apart is None else np.asarray(apart, bool)
    order = depth_order(tree)
    parts = _parts(tree, shown, validated, steps, sigma, repeats, offset)
    mean, states = _smooth(tree, order, parts)
    told = np.isfinite(mean) & (np.isfinite(shown) | np.isfinite(validated))
    sd = np.sqrt(np.maximum(states.diagonal(), 0.0))
    told &= sd < 0.1 * _DIFFUSE * sigma
    return LevelPosteriorResult(
        mean=np.where(told, mean, np.nan),
        sd=np.where(told, sd, np.nan),
        score_public_var=sigma**2,
        score_log_sd=score_log_sd,
        n_obs=int(np.isfinite(shown).sum() + np.isfinite(validated).sum()),
        tree=tree,
        spread=Covariance.along(states),
        noise=Covariance.along(Chain.fading(tree, parts.kept[:, 1])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """A linear model along the tree, in units of the noise of a score."""

    kept: FloatArray  # (k, 3) what a child keeps of its parent's state
    drift: FloatArray  # (k,) prior mean of the true step
    added: FloatArray  # (k, 3) variance that a child adds
    root: FloatArray  # (3,) variance of a state without parent
    precision: FloatArray  # (k, 3, 3) of the scores
    pull: FloatArray  # (k, 3)
    centre: float
    unit: float


def _parts(
    tree: IntArray,
    public: FloatArray,
    cv: FloatArray,
    steps: StepPosteriorResult,
    sigma: float,
    repeats: np.ndarray,
    apart: np.ndarray,
) -> _Tree:
    n = len(tree)
    drift, width = _step_prior(steps)
    spread = np.where(np.isfinite(width), width, (_OPEN_STEP * sigma) ** 2)
    spread = np.where(repeats, 0.0, spread)
    drift = np.where(repeats | ~np.isfinite(drift), 0.0, drift)
    typical = _median(steps.public_se, sigma)
    se = np.where(np.isfinite(steps.public_se), steps.public_se, typical)
    se = np.where(repeats, 0.1 * typical, se)
    ratio = steps.cv_ratio if np.isfinite(steps.cv_ratio) else 1.0
    cv_se = np.where(np.isfinite(steps.cv_se), steps.cv_se, se * np.sqrt(ratio))
    lasting = 1 - 2 * FRESH
    share = np.minimum(np.square(se / sigma) * lasting / 2, 1.0)
    kept = np.ones((n, _STATE))
    kept[:, 1] = 1 - share
    added = np.empty((n, _STATE))
    added[:, 0] = spread / sigma**2
    added[:, 1] = 1 - np.square(kept[:, 1])
    added[:, 2] = np.where(apart, _DIFFUSE**2, np.square(cv_se / sigma) * lasting)
    fresh = np.square(np.stack([se, cv_se]) / sigma) * FRESH
    centre, shift = _median(public, 0.0), _median(cv, 0.0)
    design = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    precision = np.zeros((n, _STATE, _STATE))
    pull = np.zeros((n, _STATE))
    for row, values, noise, base in (
        (design[0], public, fresh[0], centre),
        (design[1], cv, fresh[1], shift),
    ):
        seen = np.isfinite(values)
        weight = np.where(seen, 1 / np.maximum(noise, _TINY), 0.0)
        level = np.where(seen, values - base, 0.0) / sigma
        precision += weight[:, np.newaxis, np.newaxis] * np.outer(row, row)
        pull += (weight * level)[:, np.newaxis] * row
    return _Tree(
        kept=kept,
        drift=drift / sigma,
        added=np.maximum(added, _TINY),
        root=np.array([_DIFFUSE**2, 1.0, _DIFFUSE**2]),
        precision=precision,
        pull=pull,
        centre=centre,
        unit=sigma,
    )


def _step_prior(steps: StepPosteriorResult) -> tuple[FloatArray, FloatArray]:
    """Return the normal that stands for the prior of each step: mean and variance.

    With what is seen of the step it gives the mean of its posterior, and the variance
    as far as a normal can.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(
            np.square(steps.gain_se) / steps.seen_var, _LEAST_SHARE, 1 - _LEAST_SHARE
        )
        width = steps.seen_var * share / (1 - share)
        mean = (steps.gain - share * steps.seen) / (1 - share)
        # A collapse wider than all that the normal holds is no noise of the scores.
        width = np.fmax(width, np.square(steps.gain - mean) / 9)
    return mean, width


def _median(values: FloatArray, otherwise: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else otherwise


def _smooth(tree: IntArray, order: IntArray, parts: _Tree) -> tuple[FloatArray, Chain]:
    """Return means of the true scores, and how all states go together."""
    n = len(tree)
    precision, pull = parts.precision.copy(), parts.pull.copy()
    inner = np.empty((n, _STATE, _STATE))
    carry = np.zeros((n, _STATE, _STATE))
    offset = np.zeros((n, _STATE))
    back = 1 / parts.added
    for k in order[::-1].tolist():
        parent = tree[k]
        if parent < 0:
            continue
        step = np.zeros(_STATE)
        step[0] = parts.drift[k]
        sure = precision[k] + np.diag(back[k])
        inner[k] = np.linalg.inv(sure)
        carry[k] = inner[k] * back[k] * parts.kept[k]
        offset[k] = inner[k] @ (pull[k] + back[k] * step)
        # What the subtree says of the parent, this submission integrated out.
        left = back[k] * parts.kept[k]
        square = left[:, np.newaxis] * carry[k]
        precision[parent] += np.diag(left * parts.kept[k]) - square
        pull[parent] += left * (offset[k] - step)
    mean = np.zeros((n, _STATE))
    cov = np.empty((n, _STATE, _STATE))
    for k in order.tolist():
        parent = tree[k]
        if parent < 0:
            cov[k] = inner[k] = np.linalg.inv(precision[k] + np.diag(1 / parts.root))
            mean[k] = cov[k] @ pull[k]
            continue
        mean[k] = carry[k] @ mean[parent] + offset[k]
        cov[k] = inner[k] + carry[k] @ cov[parent] @ carry[k].T
    square = parts.unit**2
    states = Chain(tree, order, carry, inner * square, cov * square)
    return mean[:, 0] * parts.unit + parts.centre, states
