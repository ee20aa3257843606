"""How good is every submission really? The posterior of all true scores together.

A submission is its parent plus a step, and its noise is mostly its parent's noise. Told
that, the scores of a whole history correct each other: the luck of the best public
score shows in how its descendants fare and in what CV says of the steps that led to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray
from lbsense._validation import as_float_vector, check_same_length, read_only
from lbsense.stats._level_model import Blocks
from lbsense.stats._tree import as_tree, roots_of, tree_covariance, tree_sum
from lbsense.stats.level_noise import LevelNoise

__all__ = ["SCALES", "LevelPosteriorResult", "level_posterior", "step_prior"]

#: Factors on the prior variance of the true steps that are averaged over by default.
SCALES = (0.25, 0.5, 1.0, 2.0)
_LEAST_PRIOR = 0.05  # of the precision of the gains: less says nothing on the mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelPosteriorResult(Result):
    """Posterior of the true score of every submission.

    Attributes
    ----------
    mean : ndarray of shape (k,)
        Posterior mean of the true score, larger is better; nan where no score tells
        the level.
    cov : ndarray of shape (k, k)
        Posterior covariance, nan likewise.
    noise_corr : ndarray of shape (k, k)
        Correlation of the noise of two scores on one test set.
    score_public_var : float
        Noise variance of one public score that was used.
    scale : float
        Posterior mean of the factor on the prior variance of the true steps.
    n_obs : int
        Scores used, public and CV.
    """

    mean: FloatArray
    cov: FloatArray
    noise_corr: FloatArray
    score_public_var: float
    scale: float
    n_obs: int

    @property
    def sd(self) -> FloatArray:
        """Posterior standard deviation of every true score."""
        return np.sqrt(np.diag(self.cov))


def level_posterior(
    public: ArrayLike,
    cv: ArrayLike,
    parent: ArrayLike,
    noise: LevelNoise,
    *,
    gain_sd: ArrayLike,
    gain_mean: ArrayLike | None = None,
    scales: Sequence[float] = SCALES,
) -> LevelPosteriorResult:
    """Return the posterior of every submission's true score, all of them together.

    Use it to say what a history has reached: its mean is free of the winner's curse,
    since it conditions on all scores and not on the best one. Scores and parents must
    be those that the steps were judged by.

    Parameters
    ----------
    public, cv : array_like of shape (k,)
        Scores, larger is better, nan where missing. CV may be off by a constant.
    parent : array_like of int of shape (k,)
        Position of the submission that each was made from, -1 for none.
    noise : LevelNoise
        Of all scores: `tree_noise` or `row_noise`.
    gain_sd : array_like of shape (k,)
        Prior standard deviation of every true step: that of `step_prior`, or
        ``sqrt(gain**2 + gain_se**2)`` of `step_posterior`; 0 for a repeat, nan where
        the step was not judged. Entries of submissions without a parent are not read.
    gain_mean : array_like of shape (k,), optional
        Prior mean of every true step, 0 by default and where it is nan.
    scales : sequence of float
        Factors on the prior variance, averaged by restricted likelihood.

    Returns
    -------
    LevelPosteriorResult

    Raises
    ------
    ValueError
        If shapes disagree or parents form a circle.

    See Also
    --------
    step_prior : What the step posterior says of the prior of every step.
    lbsense.stats.fusion.fuse_history : Steps and levels that agree with each other.

    Notes
    -----
    True scores ``theta_t = theta_parent + delta_t`` with ``delta_t ~ N(m_t, c *
    g_t**2)`` and a flat level; ``public = theta + e``; ``cv = theta + b + u`` with flat
    ``b``; ``e`` and ``u`` normal with the covariances of ``noise``. Given ``c`` this
    is generalised least squares.

    It fails where parents are wrong, where a submission blends two others, and where
    public and CV scores share a leak. A submission without parent starts at a level of
    its own. Time grows with ``k**3``: milliseconds for 200 submissions, some ten
    seconds for 2,000.

    References
    ----------
    Rasmussen, C. E., Williams, C. K. I. (2006). Gaussian Processes for Machine
    Learning, section 2.7. MIT Press. ISBN 978-0-262-18253-9
    Patterson, H. D., Thompson, R. (1971). Recovery of inter-block information when
    block sizes are unequal. Biometrika 58(3), 545-554. doi:10.1093/biomet/58.3.545

    Examples
    --------
    >>> from lbsense.stats.level_noise import tree_noise
    >>> noise = tree_noise(
    ...     [-1, 0], step_public_var=[1e-4, 1e-4], step_cv_var=[1e-4, 1e-4],
    ...     score_public_var=4e-4,
    ... )
    >>> result = level_posterior(
    ...     [0.70, 0.72], [0.69, 0.69], [-1, 0], noise, gain_sd=[0, 0.01]
    ... )
    >>> bool(0.70 < result.mean[1] < 0.715)  # lucky: it went up in public alone
    True
    """
    tree = as_tree(parent)
    public_scores = as_float_vector(public, name="public")
    cv_scores = as_float_vector(cv, name="cv")
    sd = as_float_vector(gain_sd, name="gain_sd")
    none = np.full_like(public_scores, np.nan)
    drift = as_float_vector(none if gain_mean is None else gain_mean, name="gain_mean")
    check_same_length(
        public=public_scores,
        cv=cv_scores,
        parent=tree.astype(np.float64),
        gain_sd=sd,
        gain_mean=drift,
        noise=np.diag(noise.public),
    )
    child = tree >= 0
    expected = tree_sum(tree, np.where(child, np.nan_to_num(drift), 0.0))
    blocks = Blocks.stack(
        public_scores - expected,
        none if noise.cv is None else cv_scores - expected,
        roots_of(tree),
        public_noise=noise.public,
        cv_noise=np.zeros_like(noise.public) if noise.cv is None else noise.cv,
        steps=tree_covariance(
            tree, child.astype(float), np.where(child, _prior_var(sd, child), 0.0)
        ),
    )
    mean, cov, scale = blocks.posterior(np.asarray(scales, dtype=np.float64))
    mean += expected
    mean[~blocks.located], cov[~blocks.located], cov[:, ~blocks.located] = [np.nan] * 3
    return LevelPosteriorResult(
        mean=read_only(mean),
        cov=read_only(cov),
        noise_corr=read_only(noise.public_corr),
        score_public_var=noise.score_public_var,
        scale=scale,
        n_obs=len(blocks.scores),
    )


def step_prior(
    gain: ArrayLike, gain_se: ArrayLike, seen: ArrayLike, seen_var: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the normal prior under which every step would have its posterior.

    The posterior of a step comes from a mixture learned from the whole history; the
    posterior of levels needs a normal prior. This is the normal that turns what was
    seen of one step into that step's posterior mean and variance.

    Parameters
    ----------
    gain, gain_se : array_like of shape (k,)
        Posterior mean and standard deviation of every true step.
    seen, seen_var : array_like of shape (k,)
        What the posterior was made from: the fused gain and its noise variance.

    Returns
    -------
    mean, sd : ndarray of shape (k,)
        Prior mean and standard deviation, nan where a step was not judged.

    Notes
    -----
    The site of expectation propagation: precisions subtract, ``1/v - 1/s2`` with
    ``v = gain_se**2`` and ``s2 = seen_var``, and so do precision-weighted means,
    ``gain/v - seen/s2``. At least a twentieth of the precision is left where the
    posterior has two humps: the prior then gives the mean and a smaller variance.

    References
    ----------
    Minka, T. P. (2001). Expectation propagation for approximate Bayesian inference.
    arXiv:1301.2294

    Examples
    --------
    >>> mean, sd = step_prior([0.01], [0.01], [0.02], [2e-4])
    >>> float(mean[0].round(6)), float(sd[0].round(6))
    (0.0, 0.014142)
    """
    belief = as_float_vector(gain, name="gain")
    variance = np.square(as_float_vector(gain_se, name="gain_se"))
    values = as_float_vector(seen, name="seen")
    noise = as_float_vector(seen_var, name="seen_var")
    check_same_length(gain=belief, gain_se=variance, seen=values, seen_var=noise)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.isfinite(values) & (noise > 0)
        precision = np.where(known, 1 / noise, 0.0)
        left = np.maximum(1 / variance - precision, _LEAST_PRIOR * precision)
        weighted = np.where(known, values / noise, 0.0)
        mean = (belief * (precision + left) - weighted) / left
        return mean, 1 / np.sqrt(left)


def _prior_var(sd: FloatArray, child: BoolArray) -> FloatArray:
    known = np.square(sd[child & np.isfinite(sd)])
    typical = float(known.mean()) if known.size else 0.0
    return np.where(np.isfinite(sd), np.square(sd), typical)
