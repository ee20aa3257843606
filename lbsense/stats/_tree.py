"""Submissions that descend from each other, and covariances along their tree."""

from __future__ import annotations

import numpy as np

from lbsense._typing import ArrayLike, FloatArray, IntArray

__all__ = ["as_tree", "roots_of", "tree_covariance", "tree_sum"]


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
    circle = np.flatnonzero(_ancestor(tree) >= 0)
    if circle.size:
        msg = f"parent leads in a circle from submission {circle[0]}."
        raise ValueError(msg)
    return tree


def roots_of(tree: IntArray) -> IntArray:
    """Return the position of the submission that each descends from in the end."""
    upward = np.where(tree < 0, np.arange(len(tree)), tree)
    for _ in range(len(tree).bit_length()):
        upward = upward[upward]
    return upward


def tree_covariance(tree: IntArray, carry: FloatArray, fresh: FloatArray) -> FloatArray:
    """Return the covariance of ``x_t = carry_t * x_parent + N(0, fresh_t)``.

    Parameters
    ----------
    tree : ndarray of int of shape (k,)
        Positions of the parents, -1 for none.
    carry, fresh : ndarray of shape (k,)
        Share that a child keeps of its parent's value, and variance that it adds.

    Returns
    -------
    ndarray of shape (k, k)
    """
    cov = np.zeros((len(tree), len(tree)))
    for index in _parents_first(tree):
        above = tree[index]
        if above >= 0:
            # Submissions not reached yet still hold zeros in the parent's row.
            cov[index] = cov[:, index] = carry[index] * cov[above]
            cov[index, index] = carry[index] ** 2 * cov[above, above]
        cov[index, index] += fresh[index]
    return cov


def tree_sum(tree: IntArray, added: FloatArray) -> FloatArray:
    """Return the sum of ``added`` from the root to every submission."""
    total = added.copy()
    for index in _parents_first(tree):
        if tree[index] >= 0:
            total[index] += total[tree[index]]
    return total


def _parents_first(tree: IntArray) -> IntArray:
    depth = np.zeros(len(tree), dtype=np.int64)
    above = tree
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, tree[above], -1)
    return np.argsort(depth, kind="stable")


def _ancestor(tree: IntArray) -> IntArray:
    """Return the ancestor of every submission that no tree is deep enough to have."""
    padded = np.append(tree, -1)
    upward = padded.copy()
    for _ in range(len(padded).bit_length()):
        upward = upward[upward]
    return upward[:-1]
