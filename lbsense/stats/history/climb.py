"""The climb to the best submission: how much of it was luck, which steps made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import (
    as_float_vector,
    check_fraction,
    check_same_length,
    read_only,
)
from lbsense.stats.history.levels import Covariance
from lbsense.stats.history.patterns import new_bests

# Standard errors of a climb over those of the model, chosen by simulation
# (docs/howto/compare.md): steps of one way err together, in what is taken for their
# prior and their noise; and the noise of private scores is an estimate, too.
_OPEN, _OPEN_PRIVATE = 2.0, 1.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LuckResult(Result):
    """New public bests, and how many of them are expected to be luck.

    Attributes
    ----------
    positions : ndarray of int of shape (m,)
        Submissions that beat every public score before; the first scored one is none.
    previous : ndarray of int of shape (m,)
        The best public score before each.
    p_real : ndarray of shape (m,)
        Probability that the true score rose by more than ``rope``.
    expected_luck : float
        Expected number of new bests that are no such rise.
    share : float
        That over ``m``; nan without new bests.
    public_climb : float
        From the first public score to the best.
    true_climb, true_climb_se : float
        The same in true scores, and its standard error.
    climb_share : float
        Share of the public climb that is expected to be luck, in [0, 1]; nan without a
        climb.
    after_end : bool
        Whether private scores of both ends are in the true climb.
    rope : float
        Rise that is not worth naming.
    """

    positions: IntArray
    previous: IntArray
    p_real: FloatArray
    expected_luck: float
    share: float
    public_climb: float
    true_climb: float
    true_climb_se: float
    climb_share: float
    after_end: bool
    rope: float


def luck_of_bests(
    public: ArrayLike,
    mean: ArrayLike,
    cov: ArrayLike | Covariance,
    *,
    rope: float,
    reference: ArrayLike,
    p_gain: ArrayLike,
    scale: float = 1.0,
    private: ArrayLike | None = None,
    private_noise: Covariance | None = None,
    noise_known: bool = False,
) -> LuckResult:
    """Return how much of the climb of the best public score was luck.

    Parameters
    ----------
    public : array_like of shape (k,)
        Public scores in time order, larger is better, nan where missing.
    mean, cov : array_like of shape (k,), (k, k)
        Posterior of the true scores (`level_posterior`).
    rope : float
        Rise that is not worth naming, 0 or more.
    reference : array_like of int of shape (k,)
        Submission that each step was judged against, -1 for none.
    p_gain : array_like of shape (k,)
        Probability that the step against it was a true gain above ``rope``: taken where
        that submission is the best one before, else the posterior of the levels is.
    scale : float
        True climb that a climb of the levels stands for (`StepPosteriorResult`).
    private : array_like of shape (k,), optional
        Scores on rows that the public score does not cover, nan where missing.
    private_noise : Covariance, optional
        That of their noise; needed with ``private``.
    noise_known : bool
        Whether predictions tell the noise of each step: nothing is allowed for it then.

    Returns
    -------
    LuckResult

    Raises
    ------
    ValueError
        If shapes disagree.

    Notes
    -----
    The climb runs from the first public score to the best. What the posterior says of
    it and the rise of the private scores, which know nothing of what made the best
    public one look best, are weighed by their variances.

    Examples
    --------
    >>> import numpy as np
    >>> luck = luck_of_bests(
    ...     [0.70, 0.71], [0.70, 0.70], np.eye(2) * 1e-6, rope=0.001,
    ...     reference=[-1, 0], p_gain=[np.nan, 0.2],
    ... )
    >>> luck.positions.tolist(), luck.expected_luck
    ([1], 0.8)
    """
    scores = as_float_vector(public, name="public")
    centre = as_float_vector(mean, name="mean")
    chance = as_float_vector(p_gain, name="p_gain")
    parent = np.asarray(reference, dtype=np.int64)
    check_same_length(
        public=scores, mean=centre, p_gain=chance, reference=parent.astype(np.float64)
    )
    spread = Covariance.of(cov, len(scores), name="cov")
    bests = np.flatnonzero(new_bests(scores))
    now, before = bests[1:], bests[:-1]  # the first score beats none
    rise = centre[now] - centre[before]
    sd = np.sqrt(np.maximum(spread.apart(now, before), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_level = np.where(
            sd > 0, ndtr((rise - rope) / sd), (rise > rope).astype(float)
        )
    judged = (parent[now] == before) & np.isfinite(chance[now])
    p_real = np.where(judged, chance[now], p_level)
    luck = float(np.sum(1 - p_real))
    nan = float("nan")
    climb = true = true_se = nan
    after_end = False
    scored = np.flatnonzero(np.isfinite(scores))
    if scored.size:
        first, best = scored[0], now[-1] if now.size else scored[0]
        climb = float(scores[best] - scores[first])
        true = scale * float(centre[best] - centre[first])
        wider, wider_after = (1.0, 1.0) if noise_known else (_OPEN, _OPEN_PRIVATE)
        true_var = (scale * wider) ** 2 * max(float(spread.apart(best, first)), 0.0)
        if private is not None and private_noise is not None and best != first:
            late = as_float_vector(private, name="private")
            late_var = wider_after**2 * float(private_noise.apart(best, first))
            rise_after = float(late[best] - late[first])
            after_end = np.isfinite(rise_after) and late_var > 0
        if after_end:
            weight = true_var / (true_var + late_var)
            true, true_var = true + weight * (rise_after - true), weight * late_var
        true_se = float(np.sqrt(true_var))
    return LuckResult(
        positions=read_only(now),
        previous=read_only(before),
        p_real=read_only(p_real),
        expected_luck=luck,
        share=luck / len(now) if len(now) else nan,
        public_climb=climb,
        true_climb=true,
        true_climb_se=true_se,
        climb_share=min(max(1 - true / climb, 0.0), 1.0) if climb > 0 else nan,
        after_end=bool(after_end),
        rope=float(rope),
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
