"""The tree of submissions: what each was made from, and the luck that steps share.

Two scores of a submission lie close to those of what it was made from, and entrants
have habits: most build on the best so far, by one score or the other, some on the
latest, a few on anything. So a parent that nobody declared has odds.

The noise of a step is made of what it draws anew, ``+z`` of the submission and ``-z``
of its reference: two steps from one reference share its luck, and a step inherits the
luck of the step that made its reference with the other sign.
"""

from __future__ import annotations

import numpy as np

from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import as_float_matrix

# Noise of a difference to the parent in units of that of the history, with shares, and
# widths of true steps in the same unit, whose shares are learned.
_NOISES, _SHARES = np.array([0.2, 0.5, 1.0, 2.0]), np.array([0.15, 0.2, 0.45, 0.2])
_WIDTHS = np.array([0.0, 0.5, 1.5, 5.0, 15.0])
# Noise of the history in units of how far any two submissions are apart.
_GRID = np.exp(np.linspace(-2.5, 0.4, 8))
_LAPSES = (0.02, 0.1, 0.3)  # shares of steps that leave the habit of an entrant
_ANY = 0.03  # share of entrants who build on any earlier submission
_LEARNED, _ROUNDS = 60, 8
_ASKED = 24  # earlier submissions that stand for all
_TEMPER = 0.3  # power of the likelihood: steps of one history are alike
_NEGLIGIBLE = 0.05
_CHUNK = 2048


def parent_odds(
    scores: ArrayLike, habits: IntArray, shares: ArrayLike, made: BoolArray
) -> FloatArray:
    """Return how likely each habit names what a submission was made from, or none does.

    Parameters
    ----------
    scores : array_like of shape (2, n)
        Two scores of every submission on one scale, nan where missing.
    habits : ndarray of int of shape (n_habits, n)
        Earlier submission that each habit builds on, -1 for none.
    shares : array_like of shape (n_habits,)
        How common the habits are, up to a factor.
    made : ndarray of bool of shape (n,)
        Submissions whose parent is asked for.

    Returns
    -------
    ndarray of shape (n_habits + 1, n)
        Of every habit, and last of any other submission; 1 and 0 where it was not
        asked, or where scores are missing. Habits may name the same.

    Notes
    -----
    The parent ``j`` of ``k`` has the density ``f(x_k - x_j)`` of a step beforehand: the
    difference of both scores is normal noise of one of a few sizes, their mean holds a
    true step of one of a few widths as well. An entrant has one habit, which a share of
    steps leaves, or none and builds on any earlier submission alike. Habits, shares of
    widths and the size of the noise are weighed by the likelihood of all steps; so a
    step is told what it was made from by its own scores and by how the others were
    made. A submission with the scores of another stands for it.
    """
    both = as_float_matrix(scores, name="scores")
    known = np.asarray(np.isfinite(both).all(axis=0))
    odds = np.ones((len(habits) + 1, habits.shape[1]))
    odds[-1] = 0.0
    rank = np.cumsum(known) - 1  # among those with both scores
    steps = np.flatnonzero(made & known & (rank > 0))
    if not steps.size:
        return odds
    model = _Steps(both, known, rank, habits)
    kinds, before = _entrants(np.asarray(shares, dtype=np.float64))
    few = steps[np.unique(np.linspace(0, len(steps) - 1, _LEARNED).astype(np.int64))]
    if not model.typical > 0:
        return odds
    fits, widths = zip(
        *(model.learned(few, noise, kinds, before) for noise in _GRID), strict=True
    )
    weight = np.exp(np.array(fits) - np.max(fits))  # (noise, kinds)
    weight /= weight.sum()
    weight[weight.sum(axis=1) < _NEGLIGIBLE] = 0.0
    weight /= weight.sum()
    for chunk in np.array_split(steps, -(-len(steps) // _CHUNK)):
        odds[:, chunk] = 0.0
        for noise, share, of_noise in zip(_GRID, widths, weight, strict=True):
            if of_noise.any():
                odds[:, chunk] += model.odds(chunk, noise, share, kinds, of_noise)
    return np.asarray(np.minimum(odds, 1.0))


def _entrants(shares: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return kinds of entrants: shares of habits and of none, and how common."""
    common = np.append((1 - _ANY) * shares / shares.sum(), _ANY)
    one = np.eye(len(common))
    kinds = np.concatenate([(1 - lapse) * one + lapse * common for lapse in _LAPSES])
    return kinds, np.tile(common, len(_LAPSES)) / len(_LAPSES)


class _Steps:
    """Densities of steps from what the habits name, and from any earlier one."""

    def __init__(
        self, scores: FloatArray, known: BoolArray, rank: IntArray, habits: IntArray
    ) -> None:
        self.apart = scores[0] - scores[1]
        self.level = scores.mean(axis=0)
        self.place, self.rank = np.flatnonzero(known), rank
        usable = (habits >= 0) & known[habits]
        self.habits = np.where(usable, habits, -1)
        shown = self.apart[known]
        far = np.abs(shown - np.roll(shown, len(shown) // 2))
        self.typical = float(np.median(far)) / 0.6745
        if not self.typical > 0:
            self.typical = float(np.mean(far))

    def density(self, steps: IntArray, noise: float) -> tuple[FloatArray, FloatArray]:
        """Return those of the habits (habits, n, widths), and of any (n, widths)."""
        named = self.habits[:, steps]
        rank = self.rank[steps]
        # All where they are few, else as many of the latest as of all before these.
        half = _ASKED // 2
        column = np.arange(_ASKED)[:, np.newaxis]
        early = column * np.maximum(rank - half, half) // half
        asked = np.where(column < half, early, rank - 1 - (column - half))
        asked = np.where(rank <= _ASKED, column, asked)
        asked = np.where(asked < rank, self.place[np.minimum(asked, rank - 1)], -1)
        of_all = self._density(steps, asked, noise)
        any_ = of_all.sum(axis=0) / np.minimum(rank, _ASKED)[:, np.newaxis]
        return self._density(steps, named, noise), any_

    def _density(self, steps: IntArray, made: IntArray, noise: float) -> FloatArray:
        size = noise * self.typical
        own = np.square(size * _NOISES)
        # The mean of two scores with equal noise has a quarter of the variance of
        # their difference.
        wide = own[:, np.newaxis] / 4 + np.square(_WIDTHS * size / 2)
        apart = np.square(self.apart[steps] - self.apart[made])[..., np.newaxis]
        gain = np.square(self.level[steps] - self.level[made])[..., None, None]
        of_noise = np.exp(-0.5 * apart / own) * (_SHARES / np.sqrt(own))
        of_gain = np.exp(-0.5 * gain / wide) / np.sqrt(wide)
        density = np.einsum("...f,...fw->...w", of_noise, of_gain)
        return np.asarray(np.where((made >= 0)[..., np.newaxis], density, 0.0))

    def learned(
        self, steps: IntArray, noise: float, kinds: FloatArray, before: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return log likelihoods of the kinds of entrants, and shares of the widths."""
        named, any_ = self.density(steps, noise)
        every = np.concatenate([named, any_[np.newaxis]])  # (habits + 1, n, widths)
        share = np.full(len(_WIDTHS), 1 / len(_WIDTHS))
        for _ in range(_ROUNDS):
            like = np.maximum(kinds @ (every @ share), 1e-300)
            fit = _TEMPER * np.log(like).sum(axis=1) + np.log(before)
            likely = np.exp(fit - fit.max())
            weight = kinds.T @ (likely[:, np.newaxis] / likely.sum() / like)
            seen = np.einsum("hn,hnw->w", weight, every) * share
            share = (seen + 1) / (seen + 1).sum()
        like = np.maximum(kinds @ (every @ share), 1e-300)
        return _TEMPER * np.log(like).sum(axis=1) + np.log(before), share

    def odds(
        self,
        steps: IntArray,
        noise: float,
        share: FloatArray,
        kinds: FloatArray,
        weight: FloatArray,
    ) -> FloatArray:
        """Return what this noise adds to the odds of every habit."""
        named, any_ = self.density(steps, noise)
        of_habit, of_any = named @ share, any_ @ share  # (habits, n), (n,)
        every = np.concatenate([of_habit, of_any[np.newaxis]])
        per = (kinds.T * weight) @ (1 / np.maximum(kinds @ every, 1e-300))
        # What another habit names counts too where its scores are the same.
        at = self.habits[:, steps]
        same = (self.apart[at][:, np.newaxis] == self.apart[at]) & (
            self.level[at][:, np.newaxis] == self.level[at]
        )
        same &= (at >= 0) & (at >= 0)[:, np.newaxis]
        found = np.einsum("abn,bn->an", same, per[:-1] * of_habit)
        found += per[-1] * of_habit / self.rank[steps]
        found = np.concatenate([found, (per[-1] * of_any)[np.newaxis]])
        return np.asarray(found)


def as_tree(parent: ArrayLike) -> IntArray:
    """Return ``parent`` as positions, after checking that they lead to a root.

    Raises
    ------
    ValueError
        If a position does not exist, or submissions descend from each other.
    """
    given = np.asarray(parent)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        msg = f"parent must hold whole numbers, got {given.dtype} of {given.shape}."
        raise ValueError(msg)
    tree = np.where(given < 0, -1, given).astype(np.int64)
    beyond = np.flatnonzero(tree >= len(tree))
    if beyond.size:
        msg = (
            f"parent[{beyond[0]}] is {tree[beyond[0]]}, but there are only "
            f"{len(tree)} submissions, numbered from 0."
        )
        raise ValueError(msg)
    upward = np.append(tree, -1)  # from -1 the way leads to -1
    for _ in range(len(tree).bit_length()):
        upward = upward[upward]
    circle = np.flatnonzero(upward >= 0)
    if circle.size:
        msg = f"parent leads in a circle from submission {circle[0]}."
        raise ValueError(msg)
    return tree


def depth_order(tree: IntArray) -> IntArray:
    """Return all positions, every parent before its children."""
    upward = np.append(tree, -1)  # from -1 the way leads to -1
    depth = (upward >= 0).astype(np.int64)
    while (upward >= 0).any():
        depth = depth + depth[upward]
        upward = upward[upward]
    return np.argsort(depth[:-1], kind="stable")


def branches(
    tree: IntArray, order: IntArray, chosen: IntArray
) -> tuple[IntArray, IntArray, list[list[int]]]:
    """Return the tree that some submissions and their meeting points span.

    Parameters
    ----------
    tree, order : ndarray of int of shape (k,)
        References, -1 for none, and an order with references first.
    chosen : ndarray of int of shape (m,)
        Submissions that must be in it.

    Returns
    -------
    nodes : ndarray of int of shape (n,)
        Submissions of the tree, references first.
    parent : ndarray of int of shape (n,)
        Place in ``nodes`` that each descends from, -1 for none.
    chains : list of list of int
        Submissions on the way from that place down to each, itself included.
    """
    wanted = np.zeros(len(tree), dtype=bool)
    wanted[chosen] = True
    inside = wanted.copy()
    n_below = np.zeros(len(tree), dtype=np.int64)
    for k in order[::-1].tolist():
        if inside[k] and tree[k] >= 0:
            inside[tree[k]] = True
            n_below[tree[k]] += 1
    place: dict[int, int] = {}
    top: dict[int, int] = {}
    chain: dict[int, list[int]] = {}
    nodes: list[int] = []
    parent: list[int] = []
    chains: list[list[int]] = []
    for k in order[inside[order]].tolist():
        above = int(tree[k])
        if above in place:
            start, way = place[above], [k]
        else:
            start, way = top.get(above, -1), [*chain.pop(above, []), k]
        if wanted[k] or n_below[k] > 1 or above < 0:
            place[k] = len(nodes)
            nodes.append(k)
            parent.append(start)
            chains.append(way)
        else:
            top[k], chain[k] = start, way
    return np.array(nodes, dtype=np.int64), np.array(parent, dtype=np.int64), chains


def luck_cavity(
    tree: IntArray, order: IntArray, centre: FloatArray, precision: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what all other steps say of the luck in each: mean and variance.

    Parameters
    ----------
    tree, order : ndarray of int of shape (k,)
        References, -1 for none, and an order with references first.
    centre, precision : ndarray of shape (k,)
        What each step itself says of ``z - z_reference``; precision 0 for nothing.

    Returns
    -------
    mean, variance : ndarray of shape (k,)
        0 and 2 where nothing is known: every ``z`` is standard normal.

    Notes
    -----
    Belief propagation on a tree, one pass up and one down (Pearl 1988, chapter 4): the
    time is linear in ``k``.
    """
    n = len(tree)
    own_p, own_i = [1.0] * n, [0.0] * n
    up_p, up_i = [0.0] * n, [0.0] * n
    parents, said, sure = tree.tolist(), centre.tolist(), precision.tolist()
    for k in reversed(order.tolist()):
        parent = parents[k]
        if parent >= 0 and sure[k] > 0:
            width = 1 / own_p[k] + 1 / sure[k]
            up_p[k] = 1 / width
            up_i[k] = (own_i[k] / own_p[k] - said[k]) / width
            own_p[parent] += up_p[k]
            own_i[parent] += up_i[k]
    mean, variance = np.zeros(n), np.full(n, 2.0)
    all_p, all_i = own_p.copy(), own_i.copy()
    for k in order.tolist():
        parent = parents[k]
        if parent < 0:
            continue
        p, i = all_p[parent] - up_p[k], all_i[parent] - up_i[k]
        mean[k] = own_i[k] / own_p[k] - i / p
        variance[k] = 1 / own_p[k] + 1 / p
        if sure[k] > 0:
            width = 1 / p + 1 / sure[k]
            all_p[k] = own_p[k] + 1 / width
            all_i[k] = own_i[k] + (i / p + said[k]) / width
    return mean, variance
