"""How good is every submission really? The posterior of all true scores together.

A submission is its parent plus a step, and its noise is mostly its parent's noise. Told
that, the scores of a whole history correct each other: the luck of the best public
score shows in how its descendants fare and in what CV says of the steps that led to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from lbsense._result import Result
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import (
    as_float_vector,
    check_positive,
    check_same_length,
    read_only,
)
from lbsense.stats._tree import as_tree, roots_of, tree_covariance, tree_sum
from lbsense.stats.noise_grid import PRIOR_DISTINCTNESS

__all__ = ["LevelPosteriorResult", "level_posterior", "step_prior"]

_SCALES = np.array([0.25, 0.5, 1.0, 2.0])  # of the prior variance of true steps
_LEAST_STEP = 1e-4  # of a typical noise variance: no two files agree to the last digit
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
    *,
    gain_sd: ArrayLike,
    gain_mean: ArrayLike | None = None,
    step_public_var: ArrayLike,
    step_cv_var: ArrayLike | None = None,
    score_public_var: float | None = None,
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
    gain_sd : array_like of shape (k,)
        Prior standard deviation of every true step: that of `step_prior`, or
        ``sqrt(gain**2 + gain_se**2)`` of `step_posterior`; 0 for a repeat, nan where
        the step was not judged. Entries of submissions without a parent are not read.
    gain_mean : array_like of shape (k,), optional
        Prior mean of every true step, 0 by default and where it is nan.
    step_public_var, step_cv_var : array_like of shape (k,)
        Noise variance of the public and of the CV difference to the parent; nan takes
        the median of the others. Where all of ``step_cv_var`` is nan, CV is not used.
    score_public_var : float, optional
        Noise variance of one public score. By default what the steps have at the
        typical likeness of two submissions of one entrant.

    Returns
    -------
    LevelPosteriorResult

    Raises
    ------
    ValueError
        If shapes disagree, parents form a circle, a variance is negative, or no
        difference has a known noise.

    See Also
    --------
    step_prior : What the step posterior says of the prior of every step.
    lbsense.stats.step_posterior : Where the variances of the steps come from.

    Notes
    -----
    True scores ``theta_t = theta_parent + delta_t`` with ``delta_t ~ N(m_t, c *
    g_t**2)`` and a flat level; ``public = theta + e``, where ``e`` has the correlation
    ``rho_t = 1 - step_public_var / (2 * score_public_var)`` with its parent's and the
    product along the path between any two; ``cv = theta + b + u`` with flat ``b``,
    where ``u`` grows by independent amounts from parent to child. Given ``c`` this is
    generalised least squares; ``c`` in 1/4, 1/2, 1, 2 is averaged by restricted
    likelihood.

    It fails where parents are wrong, where a submission blends two others, and where
    public and CV scores share a leak. A submission without parent starts at a level of
    its own, with noise of its own. Time grows with ``k**3``: milliseconds for 200
    submissions, some ten seconds for 2,000.

    References
    ----------
    Rasmussen, C. E., Williams, C. K. I. (2006). Gaussian Processes for Machine
    Learning, section 2.7. MIT Press. ISBN 978-0-262-18253-9
    Patterson, H. D., Thompson, R. (1971). Recovery of inter-block information when
    block sizes are unequal. Biometrika 58(3), 545-554. doi:10.1093/biomet/58.3.545

    Examples
    --------
    >>> result = level_posterior(
    ...     [0.70, 0.72], [0.69, 0.69], [-1, 0], gain_sd=[0, 0.01],
    ...     step_public_var=[1e-4, 1e-4], step_cv_var=[1e-4, 1e-4],
    ...     score_public_var=4e-4,
    ... )
    >>> float(result.mean[1].round(4))  # lucky: the step went up in public alone
    0.7128
    """
    tree = as_tree(parent)
    public_scores = as_float_vector(public, name="public")
    cv_scores = as_float_vector(cv, name="cv")
    sd = as_float_vector(gain_sd, name="gain_sd")
    public_var = as_float_vector(step_public_var, name="step_public_var")
    none = np.full_like(public_scores, np.nan)
    drift = as_float_vector(none if gain_mean is None else gain_mean, name="gain_mean")
    cv_var = as_float_vector(
        none if step_cv_var is None else step_cv_var, name="step_cv_var"
    )
    check_same_length(
        public=public_scores,
        cv=cv_scores,
        parent=tree.astype(np.float64),
        gain_sd=sd,
        gain_mean=drift,
        step_public_var=public_var,
        step_cv_var=cv_var,
    )
    child = tree >= 0
    cv_known = bool(np.isfinite(cv_var[child]).any())
    step_noise = _filled(public_var, child, name="step_public_var")
    score_var = _score_var(step_noise[child], score_public_var)
    rho = np.clip(1 - step_noise / (2 * score_var), 0.0, 1.0)
    carry = np.where(child, rho, 0.0)
    noise_corr = tree_covariance(tree, carry, 1 - carry**2)
    expected = tree_sum(tree, np.where(child, np.nan_to_num(drift), 0.0))
    blocks = _Blocks.stack(
        public_scores - expected,
        cv_scores - expected if cv_known else none,
        roots_of(tree),
        public_noise=score_var * noise_corr,
        cv_noise=_cv_noise(tree, cv_var) if cv_known else np.zeros_like(noise_corr),
        steps=tree_covariance(
            tree, child.astype(float), np.where(child, _prior_var(sd, child), 0.0)
        ),
    )
    mean, cov, scale = blocks.posterior()
    mean += expected
    mean[~blocks.located], cov[~blocks.located], cov[:, ~blocks.located] = [np.nan] * 3
    return LevelPosteriorResult(
        mean=read_only(mean),
        cov=read_only(cov),
        noise_corr=read_only(noise_corr),
        score_public_var=score_var,
        scale=scale,
        n_obs=len(blocks.scores),
    )


def step_prior(
    gain: ArrayLike,
    gain_se: ArrayLike,
    public_gain: ArrayLike,
    cv_gain: ArrayLike,
    *,
    step_public_var: ArrayLike,
    step_cv_var: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Return the normal prior under which every step would have its posterior.

    The posterior of a step comes from a mixture learned from the whole history; the
    posterior of levels needs a normal prior. This is the normal that turns the gains
    of one step, public and CV, into that step's posterior mean and variance.

    Parameters
    ----------
    gain, gain_se : array_like of shape (k,)
        Posterior mean and standard deviation of every true step.
    public_gain, cv_gain : array_like of shape (k,)
        Observed differences to the parent, nan where missing.
    step_public_var, step_cv_var : array_like of shape (k,)
        Noise variances of these differences.

    Returns
    -------
    mean, sd : ndarray of shape (k,)
        Prior mean and standard deviation, nan where a step was not judged.

    Notes
    -----
    The site of expectation propagation: precisions subtract, ``1/v - 1/s2`` with
    ``v = gain_se**2`` and ``s2`` the variance of the fused gain ``d``, and so do
    precision-weighted means, ``gain/v - d/s2``. Where less than a twentieth of the
    precision is left (the posterior has two humps), the prior is the one of mean 0
    and variance ``gain**2 + gain_se**2``.

    References
    ----------
    Minka, T. P. (2001). Expectation propagation for approximate Bayesian inference.
    arXiv:1301.2294

    Examples
    --------
    >>> mean, sd = step_prior(
    ...     [0.01], [0.01], [0.02], [float("nan")],
    ...     step_public_var=[2e-4], step_cv_var=[float("nan")],
    ... )
    >>> float(mean[0].round(6)), float(sd[0].round(6))
    (0.0, 0.014142)
    """
    belief = as_float_vector(gain, name="gain")
    variance = np.square(as_float_vector(gain_se, name="gain_se"))
    precision = np.zeros_like(belief)
    weighted = np.zeros_like(belief)
    for seen, noise in ((public_gain, step_public_var), (cv_gain, step_cv_var)):
        values = as_float_vector(seen, name="public_gain and cv_gain")
        noises = as_float_vector(noise, name="step_public_var and step_cv_var")
        check_same_length(gain=belief, gain_se=variance, seen=values, noise=noises)
        known = np.isfinite(values) & (noises > 0)
        precision[known] += 1 / noises[known]
        weighted[known] += values[known] / noises[known]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 1 / variance - precision
        usable = left > _LEAST_PRIOR * precision
        mean = np.where(usable, (belief / variance - weighted) / left, 0.0)
        sd = np.sqrt(np.where(usable, 1 / left, np.square(belief) + variance))
    return np.where(np.isnan(sd), np.nan, mean), sd


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The linear model: which scores there are, and how they vary together."""

    scores: FloatArray  # (n,)
    design: FloatArray  # (n, levels of the trees and the offset of CV)
    where: IntArray  # (n,) submission behind every score
    noise: FloatArray  # (n, n)
    steps: FloatArray  # (k, k) prior covariance of the true scores about their level
    levels: FloatArray  # (k, columns of design) which level each submission has
    located: BoolArray  # (k,) whether any score tells the level

    @classmethod
    def stack(
        cls,
        public: FloatArray,
        cv: FloatArray,
        root: IntArray,
        *,
        public_noise: FloatArray,
        cv_noise: FloatArray,
        steps: FloatArray,
    ) -> _Blocks:
        has_public, has_cv = np.isfinite(public), np.isfinite(cv)
        in_public = np.isin(root, root[has_public])
        anchored = bool(has_cv[in_public].any())  # public scores locate those of CV
        located = in_public | (anchored & np.isin(root, root[has_cv]))
        has_cv &= located
        rows = np.flatnonzero(has_public), np.flatnonzero(has_cv)
        labels = np.unique(root[located])
        levels = (root[:, np.newaxis] == labels).astype(np.float64)
        if rows[1].size:
            levels = np.column_stack([levels, np.zeros(len(root))])
        where = np.concatenate(rows)
        design = levels[where]
        design[len(rows[0]) :, len(labels) :] = 1.0
        noise = np.zeros((len(where), len(where)))
        n_public = len(rows[0])
        noise[:n_public, :n_public] = public_noise[np.ix_(rows[0], rows[0])]
        noise[n_public:, n_public:] = cv_noise[np.ix_(rows[1], rows[1])]
        return cls(
            scores=np.concatenate([public[rows[0]], cv[rows[1]]]),
            design=design,
            where=where,
            noise=noise,
            steps=steps,
            levels=levels,
            located=located,
        )

    def posterior(self) -> tuple[FloatArray, FloatArray, float]:
        """Return mean and covariance over all scales, and the mean scale."""
        k = len(self.steps)
        if not self.located.any():
            return np.full(k, np.nan), np.full((k, k), np.nan), float("nan")
        fits = [self._given(scale) for scale in _SCALES]
        fit = np.array([log_likelihood for *_, log_likelihood in fits])
        weights = np.exp(fit - fit.max())
        weights /= weights.sum()
        mean = sum(w * m for w, (m, _, _) in zip(weights, fits, strict=True))
        cov = sum(
            w * (v + np.outer(m - mean, m - mean))
            for w, (m, v, _) in zip(weights, fits, strict=True)
        )
        return np.asarray(mean), np.asarray(cov), float(weights @ _SCALES)

    def _given(self, scale: float) -> tuple[FloatArray, FloatArray, float]:
        """Return mean, covariance and restricted log likelihood at one scale."""
        steps = scale * self.steps
        root = np.linalg.cholesky(self.noise + steps[np.ix_(self.where, self.where)])
        # After this division by the root every score is an independent unit of noise.
        right = np.column_stack([self.scores, self.design, steps[self.where]])
        white = solve_triangular(root, right, lower=True, check_finite=False)
        n_levels = self.design.shape[1]
        y, x, shared = np.split(white, [1, 1 + n_levels], axis=1)
        gram = cho_factor(x.T @ x, lower=True)
        level = cho_solve(gram, x.T @ y)
        residual = y - x @ level
        lever = self.levels - shared.T @ x
        mean = self.levels @ level + shared.T @ residual
        cov = steps - shared.T @ shared + lever @ cho_solve(gram, lever.T)
        log_likelihood = (
            -np.log(np.diag(root)).sum()
            - np.log(np.diag(gram[0])).sum()
            - 0.5 * np.square(residual).sum()
        )
        return mean[:, 0], (cov + cov.T) / 2, float(log_likelihood)


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


def _cv_noise(tree: IntArray, variance: FloatArray) -> FloatArray:
    """Return the covariance of CV noise, which grows from parent to child."""
    child = tree >= 0
    grown = _filled(variance, child, name="step_cv_var")
    start = _score_var(grown[child], None) if child.any() else 1.0
    return tree_covariance(tree, child.astype(float), np.where(child, grown, start))


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


def _prior_var(sd: FloatArray, child: BoolArray) -> FloatArray:
    known = np.square(sd[child & np.isfinite(sd)])
    typical = float(known.mean()) if known.size else 0.0
    return np.where(np.isfinite(sd), np.square(sd), typical)
