"""Submissions that descend from each other, and the luck that steps share.

The noise of a step is made of what it draws anew, ``+z`` of the submission and ``-z``
of its reference: two steps from one reference share its luck, and a step inherits the
luck of the step that made its reference with the other sign.
"""

from __future__ import annotations

import numpy as np

from lbsense._typing import ArrayLike, FloatArray, IntArray


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
