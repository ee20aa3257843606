"""The few steps that made the climb from the first submission to the best one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import (
    as_float_vector,
    check_fraction,
    check_same_length,
    read_only,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClimbResult(Result):
    """The way from the first submission to the best one, and its largest steps.

    Attributes
    ----------
    way : ndarray of int of shape (m,)
        Submissions from the first one to the one of the highest true score, each built
        on the one before.
    gain : ndarray of shape (m,)
        Estimated true gain of each over the one before, larger is better; 0 for the
        first.
    jumps : ndarray of int of shape (j,)
        The fewest of them that make ``asked`` of the climb, in time order.
    climb, climb_se : float
        Estimated true gain of the best over the first, and its standard error.
    share : float
        What the jumps make of it.
    asked : float
        Share that was asked for.
    """

    way: IntArray
    gain: FloatArray
    jumps: IntArray
    climb: float
    climb_se: float
    share: float
    asked: float


def jumps_of_climb(
    gain: ArrayLike,
    gain_var: ArrayLike,
    parent: ArrayLike,
    *,
    root: int,
    asked: float = 0.8,
) -> ClimbResult | None:
    """Return the few true steps that made the climb, None where there is no climb.

    Parameters
    ----------
    gain, gain_var : array_like of shape (k,)
        Estimated true gain of every submission over its parent, larger is better, and
        its variance; nan where it is not known, and such a step is not taken.
    parent : array_like of int of shape (k,)
        Submission that each was built on, -1 for none.
    root : int
        The first submission of the history.
    asked : float
        Share of the climb that the jumps have to make, in (0, 1).

    Returns
    -------
    ClimbResult or None

    Notes
    -----
    Steps are taken for independent in ``climb_se``. Steps downwards on the way make the
    jumps more than the climb: ``share`` may exceed 1.

    Examples
    --------
    >>> climb = jumps_of_climb(
    ...     [float("nan"), 0.10, 0.01, 0.09], [0.0, 1e-4, 1e-4, 1e-4], [-1, 0, 1, 2],
    ...     root=0,
    ... )
    >>> climb.jumps.tolist(), round(climb.share, 2)
    ([1, 3], 0.95)
    """
    step = as_float_vector(gain, name="gain")
    variance = as_float_vector(gain_var, name="gain_var")
    tree = np.asarray(parent, dtype=np.int64)
    n = check_same_length(gain=step, gain_var=variance, parent=tree.astype(np.float64))
    check_fraction(asked, name="asked")
    level = np.full(n, np.nan)
    level[root] = 0.0
    for index in range(root + 1, n):
        if tree[index] >= 0:
            level[index] = level[tree[index]] + step[index]
    best = int(np.nanargmax(level))
    if not level[best] > 0:
        return None
    way = [best]
    while way[-1] != root:
        way.append(int(tree[way[-1]]))
    chain = np.array(way[::-1], dtype=np.int64)
    made = np.where(chain == root, 0.0, step[chain])
    order = np.argsort(-made, kind="stable")
    total = np.cumsum(made[order])
    enough = int(np.argmax(total >= asked * level[best])) + 1
    jumps = np.sort(chain[order[:enough]])
    return ClimbResult(
        way=read_only(chain),
        gain=read_only(made),
        jumps=read_only(jumps),
        climb=float(level[best]),
        climb_se=float(np.sqrt(np.nansum(variance[chain[1:]]))),
        share=float(total[enough - 1] / level[best]),
        asked=float(asked),
    )
