"""How the scores of a history go together: a covariance that never is a whole matrix.

Along a tree a submission is its reference, carried down, and something of its own. Any
covariance of two is then a product along the way between them, a variance of a weighted
sum one pass upwards, and a joint draw one pass downwards: memory and time are linear in
the submissions, where a matrix takes their square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense.stats.rows.joint import score_draws
from lbsense.stats.steps.tree import branches, depth_order

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
