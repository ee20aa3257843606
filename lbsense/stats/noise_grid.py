"""How noisy may public and CV differences be? A weighted grid of answers.

A history of scores leaves the noise of its steps partly open. Instead of one estimate
the step posterior takes a grid of noise variances with prior weights, and lets the
scores weigh them (`lbsense.stats.step_posterior`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, IntArray
from lbsense._validation import as_float_vector, check_same_length

__all__ = [
    "PRIOR_DISTINCTNESS",
    "NoiseGrid",
    "fixed_noise",
    "known_noise",
    "learned_noise",
    "prior_noise",
    "reference_luck",
    "repeat_noise",
]

#: Median and log standard deviation of 1 - correlation between the row scores of two
#: submissions of one entrant, from real histories (.07 to .25) and trained models.
PRIOR_DISTINCTNESS = (0.05, 1.0)

_N_PUBLIC = 11
_N_RATIO = 9
_CV_RATIO = (0.7, 1.2)  # median and log sd of CV noise variance over public
_CV_EXCESS = (0.8, 1.5)  # the same of what CV noise has beyond the choice of rows
_SPREADS = (0.0, 1.2)  # standard deviation of the log noise variance between steps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseGrid(Result):
    """Candidate noise variances of the differences, with their prior weights.

    Attributes
    ----------
    public_var, cv_var : ndarray of shape (n_grid, n_steps)
        Variance of the noise in the public and in the CV difference of every step.
    spread : ndarray of shape (n_grid,)
        Standard deviation of the log variance between steps, beyond those given.
    log_prior : ndarray of shape (n_grid,)
        Log prior weight of every candidate.
    """

    public_var: FloatArray
    cv_var: FloatArray
    spread: FloatArray
    log_prior: FloatArray

    def at(self, places: IntArray) -> NoiseGrid:
        """Return some of the candidates."""
        return NoiseGrid(
            public_var=self.public_var[places],
            cv_var=self.cv_var[places],
            spread=self.spread[places],
            log_prior=self.log_prior[places],
        )


def fixed_noise(public_se: ArrayLike, cv_se: ArrayLike | None = None) -> NoiseGrid:
    """Return a grid of one point: the noise of every step is known.

    Parameters
    ----------
    public_se : array_like of shape (n_steps,)
        Standard error of every public difference.
    cv_se : array_like of shape (n_steps,), optional
        Standard error of every CV difference; infinite by default.
    """
    public = as_float_vector(public_se, name="public_se")
    cv = (
        np.full_like(public, np.inf)
        if cv_se is None
        else as_float_vector(cv_se, name="cv_se")
    )
    check_same_length(public_se=public, cv_se=cv)
    return NoiseGrid(
        public_var=np.square(public)[np.newaxis],
        cv_var=np.square(cv)[np.newaxis],
        spread=np.zeros(1),
        log_prior=np.zeros(1),
    )


def learned_noise(
    disagreement: ArrayLike,
    *,
    score_sd: float | None = None,
    n_public: int | None = None,
    n_train: int | None = None,
    rerun_se: float = 0.0,
    rounding_var: float = 0.0,
) -> NoiseGrid:
    """Return noise variances that the disagreement of public and CV leaves open.

    A public gain minus the CV gain of the same step holds no true gain, only the noise
    of both (Grubbs 1948). Its size fixes the sum of the two variances; what fixes their
    ratio is how the gains themselves scatter, and, where they are known, the sizes of
    the sets and the standard deviation of the metric per row.

    Parameters
    ----------
    disagreement : array_like of shape (n_steps,)
        Public gain minus CV gain, nan where either is missing.
    score_sd : float, optional
        Standard deviation of the metric's per-row influence.
    n_public, n_train : int, optional
        Rows behind the public score and behind the CV score.
    rerun_se : float
        Standard error of a public difference between two runs of one submission: a
        lower bound of the noise.
    rounding_var : float
        Variance that rounding adds to a displayed difference.

    Returns
    -------
    NoiseGrid
        Of ``n_grid`` candidates, the same for all steps up to ``spread``.

    Notes
    -----
    Candidates are log-spaced in the public standard error and in the ratio of CV to
    public variance, whose logarithm is normal around log 0.7: CV has more rows, but
    refits the model. With sizes known it is ``public_var * n_public / n_train * (1 +
    x)``, where the logarithm of the excess ``x`` is normal around log 0.8.
    The prior of the public standard error is ``sqrt(2 * d / n_public) * score_sd``,
    with log ``d`` normal as in `PRIOR_DISTINCTNESS`, never above ``d = 1``.

    References
    ----------
    Grubbs, F. E. (1948). On estimating precision of measuring instruments and product
    variability. Journal of the American Statistical Association 43(242), 243-264.
    doi:10.1080/01621459.1948.10483261
    """
    apart = as_float_vector(disagreement, name="disagreement")
    n_steps = len(apart)
    apart = apart[np.isfinite(apart)]
    if not apart.size:
        msg = "disagreement must hold at least one number, got none."
        raise ValueError(msg)
    total = float(np.sqrt(np.median(np.square(apart)) / 0.455))  # chi-square median
    total = max(total, float(np.sqrt(rounding_var)), 1e-12)
    public_se = total * np.geomspace(0.12, 2.5, _N_PUBLIC)
    if n_public is None or n_train is None:
        ratio, (median, log_sd) = np.geomspace(0.05, 30.0, _N_RATIO), _CV_RATIO
        distance = np.log(ratio / median) / log_sd
    else:
        excess, (median, log_sd) = np.geomspace(0.03, 60.0, _N_RATIO), _CV_EXCESS
        ratio = n_public / n_train * (1 + excess)
        distance = np.log(excess / median) / log_sd
    se, place, spread = (
        axis.ravel()
        for axis in np.meshgrid(public_se, np.arange(_N_RATIO), _SPREADS, indexing="ij")
    )
    rat = ratio[place]
    log_prior = -np.square(distance[place]) / 2
    if score_sd and n_public is not None:  # 0 where the score is perfect: no scale
        median, log_sd = PRIOR_DISTINCTNESS
        distinctness = np.square(se / score_sd) * n_public / 2
        log_prior -= np.square(np.log(distinctness / median) / log_sd) / 2
        log_prior[distinctness > 1] -= 8 * np.log(distinctness[distinctness > 1])
    public_var = np.square(se) + rounding_var + np.square(rerun_se)
    cv_var = np.square(se) * rat + rounding_var
    return NoiseGrid(
        public_var=np.outer(public_var, np.ones(n_steps)),
        cv_var=np.outer(cv_var, np.ones(n_steps)),
        spread=spread,
        log_prior=log_prior,
    )


def known_noise(step_public_var: ArrayLike, step_cv_var: ArrayLike) -> NoiseGrid:
    """Return a grid for steps whose sampling noise is known, and refitting's is not.

    Parameters
    ----------
    step_public_var, step_cv_var : array_like of shape (n_steps,)
        Variance that the choice of rows gives to every public and CV difference.

    Returns
    -------
    NoiseGrid
        Candidates differ in what a CV difference has beyond that, since it refits the
        model: from nothing to thirty times the sampling variance, of each step or of a
        typical one.

    Notes
    -----
    The logarithm of the excess over sampling noise is normal around log 0.8 with
    standard deviation 1.5, half of it in proportion to the noise of each step.
    """
    public = as_float_vector(step_public_var, name="step_public_var")
    cv = as_float_vector(step_cv_var, name="step_cv_var")
    check_same_length(step_public_var=public, step_cv_var=cv)
    usable = cv[np.isfinite(cv) & (cv > 0)]
    typical = float(np.median(usable)) if usable.size else 0.0
    ratio = np.concatenate([[0.0], np.geomspace(0.1, 30.0, 10)])
    log_prior = np.concatenate([[np.log(2.5)], -np.square(np.log(ratio[1:]) / 2.0) / 2])
    return NoiseGrid(
        public_var=np.tile(public, (len(ratio), 1)),
        cv_var=cv + (ratio * typical)[:, np.newaxis],
        spread=np.zeros(len(ratio)),
        log_prior=log_prior,
    )


def prior_noise(n_steps: int, *, score_var: float, other_var: float = 0.0) -> NoiseGrid:
    """Return public noise where only the noise of a score is known, and no CV.

    Parameters
    ----------
    n_steps : int
        Steps.
    score_var : float
        Noise variance of one public score.
    other_var : float
        Variance that re-running and rounding add to a difference.

    Returns
    -------
    NoiseGrid
        Over the likeness of two submissions of one entrant, `PRIOR_DISTINCTNESS`.
    """
    median, log_sd = PRIOR_DISTINCTNESS
    z = np.linspace(-2.0, 2.0, 9)
    distinct = np.minimum(median * np.exp(log_sd * z), 1.0)
    variance = 2 * distinct * score_var + other_var
    return NoiseGrid(
        public_var=np.outer(variance, np.ones(n_steps)),
        cv_var=np.full((len(z), n_steps), np.inf),
        spread=np.zeros(len(z)),
        log_prior=-np.square(z) / 2,
    )


def reference_luck(
    disagreement: ArrayLike, reference_offset: ArrayLike
) -> tuple[FloatArray, float]:
    """Return disagreements without the luck that steps share through their reference.

    Steps compared with one lucky incumbent all look bad in public and not in CV. That
    common part is no noise of theirs, and it tells nothing about the steps.

    Parameters
    ----------
    disagreement : array_like of shape (n_steps,)
        Public gain minus CV gain, nan where either is missing.
    reference_offset : array_like of shape (n_steps,)
        Public minus CV score of the reference of each step, less what is typical for
        the history; nan where missing.

    Returns
    -------
    disagreement : ndarray of shape (n_steps,)
        ``sqrt(1 + b**2) * (disagreement + b * reference_offset)``: of the variance that
        the noise of a whole difference has.
    regression : float
        ``b`` in [0, 1]: 0 where noise stays with the descendants of a submission, 1
        where every submission draws its own.

    Notes
    -----
    ``b`` minimises the sum of absolute values. The precision-weighted mean of a public
    and a CV gain does not change with the luck of the reference, only their difference
    does; so no gain is corrected.
    """
    apart = as_float_vector(disagreement, name="disagreement")
    offset = as_float_vector(reference_offset, name="reference_offset")
    check_same_length(disagreement=apart, reference_offset=offset)
    offset = np.nan_to_num(offset)
    candidates = np.linspace(0, 1, 11)
    left = np.abs(apart + candidates[:, np.newaxis] * offset)
    regression = float(candidates[np.argmin(np.nansum(left, axis=1))])
    return np.hypot(1, regression) * (apart + regression * offset), regression


def repeat_noise(scores: ArrayLike, groups: ArrayLike) -> tuple[float, int]:
    """Return the standard deviation of one score between repeats, and its freedom.

    Parameters
    ----------
    scores : array_like of shape (n,)
        Scores, nan where missing.
    groups : array_like of shape (n,)
        Label of the content behind every score; a negative label stands alone.

    Returns
    -------
    sd : float
        Pooled within groups; nan when nothing repeats.
    dof : int
        Degrees of freedom, the number of repeats beyond the first of each group.
    """
    values = as_float_vector(scores, name="scores")
    labels = np.asarray(groups)
    squares, dof = 0.0, 0
    for label in np.unique(labels[labels >= 0]):
        members = values[(labels == label) & np.isfinite(values)]
        if members.size > 1:
            squares += float(np.square(members - members.mean()).sum())
            dof += members.size - 1
    return (float(np.sqrt(squares / dof)), dof) if dof else (float("nan"), 0)
