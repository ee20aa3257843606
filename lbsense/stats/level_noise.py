"""How the noise of scores hangs together: what submissions of one entrant share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import (
    as_float_vector,
    check_positive,
    check_same_length,
    read_only,
)
from lbsense.stats._tree import as_tree, tree_covariance
from lbsense.stats.noise_grid import PRIOR_DISTINCTNESS

__all__ = ["LevelNoise", "row_noise", "tree_noise"]

_COMMON = 0.7  # least correlation of far submissions; .6 and .8 in simulated worlds
_PERSISTENT = 0.5  # share of excess CV noise that descendants inherit
_EXCESS_SHARE = 0.4  # of CV noise, where the sizes of the sets do not tell
_LEAST_APART = 1e-7
_LEAST_STEP = 1e-4  # of a typical noise variance: no two files agree to the last digit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelNoise(Result):
    """Covariance of the noise of public and of CV scores, level by level.

    Attributes
    ----------
    public : ndarray of shape (k, k)
        Covariance of the noise of public scores.
    cv : ndarray of shape (k, k) or None
        The same of CV scores, apart from a common constant; None where CV is not used.
    score_public_var : float
        Noise variance of a typical public score.
    """

    public: FloatArray
    cv: FloatArray | None
    score_public_var: float

    @property
    def public_corr(self) -> FloatArray:
        """Correlation of the noise of two public scores."""
        sd = np.sqrt(np.diag(self.public))
        return np.asarray(self.public / np.outer(sd, sd))

    def step_var(self, tree: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the noise variances of public and CV differences to the parent."""
        nowhere = np.full(len(tree), np.nan)
        public = np.where(tree >= 0, _between(self.public, tree), np.nan)
        if self.cv is None:
            return public, nowhere
        return public, np.where(tree >= 0, _between(self.cv, tree), np.nan)


def tree_noise(
    parent: ArrayLike,
    *,
    step_public_var: ArrayLike,
    step_cv_var: ArrayLike | None = None,
    score_public_var: float | None = None,
    score_cv_var: float | None = None,
    fresh_share: float = 0.0,
) -> LevelNoise:
    """Return the noise of all scores from the noise of the steps alone.

    Parameters
    ----------
    parent : array_like of int of shape (k,)
        Position of the submission that each was made from, -1 for none.
    step_public_var, step_cv_var : array_like of shape (k,)
        Noise variance of the public and of the CV difference to the parent; nan takes
        the median of the others. Where all of ``step_cv_var`` is nan, CV is not used.
    score_public_var : float, optional
        Noise variance of one public score. By default what the steps have at the
        typical likeness of two submissions of one entrant.
    score_cv_var : float, optional
        The same for CV, by the choice of rows alone. By default that is taken to be
        60% of the CV noise.
    fresh_share : float
        Share of the noise of public steps that is drawn anew by every submission, in
        [0, 1]: the regression that `reference_luck` finds.

    Returns
    -------
    LevelNoise

    Raises
    ------
    ValueError
        If shapes disagree, parents form a circle, a variance is negative, or no
        difference has a known noise.

    Notes
    -----
    With ``1 - rho = step_public_var / (2 * score_public_var)`` the correlation of the
    noise of two submissions is ``c + (1 - c) * r``, where ``r`` is the product of ``1 -
    (1 - rho) / (1 - c)`` along the path between them: rows that are hard for one model
    of an entrant are hard for all. ``c`` is 0.7, less where steps are large, and the
    correlation with the parent is ``rho``, or ``c`` where that is more. CV noise of
    variance ``score_cv_var`` is correlated likewise; what a CV difference has beyond
    that is drawn anew with every fit for one half, and passed on to all descendants for
    the other. A submission without parent has noise of its own beyond the common part.
    Submissions that blend two others do not fit a tree.

    Examples
    --------
    >>> noise = tree_noise(
    ...     [-1, 0], step_public_var=[0, 1e-4], score_public_var=5e-4
    ... )
    >>> noise.public_corr.round(3).tolist()
    [[1.0, 0.9], [0.9, 1.0]]
    """
    tree = as_tree(parent)
    public_var = as_float_vector(step_public_var, name="step_public_var")
    none = np.full_like(public_var, np.nan)
    cv_var = as_float_vector(
        none if step_cv_var is None else step_cv_var, name="step_cv_var"
    )
    check_same_length(
        parent=tree.astype(np.float64), step_public_var=public_var, step_cv_var=cv_var
    )
    child = tree >= 0
    steps = _filled(public_var, child, name="step_public_var")
    score_var = _score_var(steps[child], score_public_var)
    # One minus the correlation with the parent; below the least one nothing inverts.
    own = np.where(child, fresh_share * steps / 2, 0.0)
    apart = np.maximum((steps - 2 * own) / (2 * score_var), _LEAST_APART)
    typical = float(np.median(apart[child])) if child.any() else 0.0
    common = float(np.clip(1 - 2 * typical, 0.0, _COMMON))
    keep = np.where(child, np.clip(1 - apart / (1 - common), 0.0, 1.0), 0.0)
    shared = common + (1 - common) * tree_covariance(tree, keep, 1 - keep**2)
    cv = None
    if np.isfinite(cv_var[child]).any():
        cv_steps = _filled(cv_var, child, name="step_cv_var")
        if score_cv_var is None:
            score_cv_var = score_var * float(np.median(cv_steps[child] / steps[child]))
            score_cv_var *= 1 - _EXCESS_SHARE
        check_positive(score_cv_var, name="score_cv_var")
        excess = np.maximum(cv_steps - 2 * apart * score_cv_var, 0.0)
        cv = score_cv_var * shared + _excess(tree, excess)
        cv += _LEAST_STEP * float(np.median(cv_steps[child])) * np.eye(len(tree))
    return LevelNoise(
        public=read_only(score_var * shared + np.diag(own)),
        cv=None if cv is None else read_only(cv),
        score_public_var=score_var,
    )


def row_noise(
    parent: ArrayLike,
    row_covariance: ArrayLike,
    *,
    n_public: float,
    n_train: float,
    cv_excess_var: ArrayLike = 0.0,
    other_var: float = 0.0,
    along_tree: bool = False,
) -> LevelNoise:
    """Return the noise of all scores from what single rows add to them.

    Parameters
    ----------
    parent : array_like of int of shape (k,)
        Position of the submission that each was made from, -1 for none.
    row_covariance : array_like of shape (k, k)
        Covariance of the influence of a row on every score. A submission whose row and
        column are nan shares with its parent what the others typically share with
        theirs.
    n_public, n_train : float
        Rows behind a public and behind a CV score.
    cv_excess_var : float or array_like of shape (k,)
        Variance that a CV difference to the parent has beyond the choice of rows.
    other_var : float
        Variance of a public score beyond the choice of rows: half of what re-running
        and rounding add to a difference.
    along_tree : bool
        Keep only the exact noise of every step, and correlate it as `tree_noise` does.

    Returns
    -------
    LevelNoise

    Raises
    ------
    ValueError
        If shapes disagree or every entry is nan.

    Notes
    -----
    The full covariance is exact for the noise. But submissions that predict alike have
    true scores that are alike, and a prior of independent steps does not know it: where
    noise decides what a step was, intervals come out far too narrow (coverage .5
    instead of .9 in trained worlds). Steps are therefore judged with ``along_tree``.

    Examples
    --------
    >>> rows = [[0.2, 0.19], [0.19, 0.2]]
    >>> noise = row_noise([-1, 0], rows, n_public=1000, n_train=1000)
    >>> float(noise.step_var(np.array([-1, 0]))[0][1].round(8))
    2e-05
    """
    tree = as_tree(parent)
    rows = _completed(np.array(row_covariance, dtype=np.float64), tree)
    check_positive(n_public, name="n_public")
    check_positive(n_train, name="n_train")
    child = tree >= 0
    excess = np.where(child, cv_excess_var, 0.0)
    typical = float(np.median(np.diag(rows)))
    rows += _LEAST_STEP**2 * typical * np.eye(len(tree))
    if along_tree:
        steps = np.where(child, np.maximum(_between(rows, tree), 0.0), np.nan)
        return tree_noise(
            tree,
            step_public_var=steps / n_public + 2 * other_var,
            step_cv_var=steps / n_train + excess,
            score_public_var=typical / n_public + other_var,
            score_cv_var=typical / n_train,
        )
    return LevelNoise(
        public=read_only(rows / n_public + other_var * np.eye(len(tree))),
        cv=read_only(rows / n_train + _excess(tree, excess)),
        score_public_var=typical / n_public + other_var,
    )


def _completed(rows: FloatArray, tree: IntArray) -> FloatArray:
    """Return ``rows`` with the submissions that have none made like their parents."""
    if rows.shape != (len(tree), len(tree)):
        msg = f"row_covariance must have shape {(len(tree),) * 2}, got {rows.shape}."
        raise ValueError(msg)
    known = np.isfinite(np.diag(rows))
    if not known.any():
        msg = "row_covariance must hold the rows of at least one submission, got none."
        raise ValueError(msg)
    if known.all():
        return rows
    sd = np.sqrt(np.diag(rows))
    typical = float(np.nanmedian(sd))
    paired = known & (tree >= 0) & known[tree]
    own, origin = np.flatnonzero(paired), tree[paired]
    alike = rows[own, origin] / (sd[own] * sd[origin])
    keep = float(np.median(alike)) if alike.size else 1 - PRIOR_DISTINCTNESS[0]
    # Parents come first: a submission without rows is built from one that has them.
    for index in map(int, np.flatnonzero(~known)):
        above = int(tree[index])
        rows[index] = rows[:, index] = 0.0
        if above >= 0 and np.isfinite(rows[above, above]):
            with_rows = np.isfinite(rows[above])
            shared = rows[above, with_rows] / np.sqrt(rows[above, above])
            shared *= keep * typical
            rows[index, with_rows] = rows[with_rows, index] = shared
        rows[index, index] = typical**2
    return rows


def _excess(tree: IntArray, variance: FloatArray) -> FloatArray:
    """Return the covariance of what CV differences have beyond the choice of rows.

    Half of it is drawn anew with every fit, half is passed on to all descendants: a
    model that is refitted, and a change that CV misjudges for good.
    """
    child = tree >= 0
    passed_on = tree_covariance(
        tree, child.astype(float), np.where(child, _PERSISTENT * variance, 0.0)
    )
    typical = float(np.median(variance[child])) if child.any() else 0.0
    anew = (1 - _PERSISTENT) / 2 * np.where(child, variance, typical)
    return passed_on + np.diag(anew)


def _between(cov: FloatArray, tree: IntArray) -> FloatArray:
    """Return the variance of the difference of every submission to its parent."""
    own = np.arange(len(tree))
    return cov[own, own] + cov[tree, tree] - 2 * cov[own, tree]


def _score_var(step_noise: FloatArray, given: float | None) -> float:
    """Return the noise variance of one score, by default from that of differences."""
    if given is not None:
        return check_positive(given, name="score_public_var")
    if not step_noise.size:
        msg = (
            "score_public_var must be given where no submission has a parent: nothing "
            "else tells the noise of a score."
        )
        raise ValueError(msg)
    return float(np.median(step_noise)) / (2 * PRIOR_DISTINCTNESS[0])


def _filled(variance: FloatArray, child: BoolArray, *, name: str) -> FloatArray:
    """Return variances of steps without gaps and without zeros."""
    if not child.any():
        return np.zeros_like(variance)
    known = variance[child & np.isfinite(variance)]
    if (known < 0).any() or not (known > 0).any():
        msg = (
            f"{name} must be 0 or more, and above 0 for at least one submission with a "
            f"parent, got {known.tolist()[:5]}."
        )
        raise ValueError(msg)
    typical = float(np.median(known[known > 0]))
    full = np.where(np.isfinite(variance), variance, typical)
    return np.maximum(full, _LEAST_STEP * typical)
