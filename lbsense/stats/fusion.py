"""Steps and levels together: what the rest of the history says of every step.

A step is judged by its own two gains; but its parent was chosen because it looked good,
and how the parent's other children fared tells how much of that was luck. Steps and
levels are therefore updated in turn until each knows of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense._validation import as_float_vector
from lbsense.stats._tree import as_tree
from lbsense.stats.level_noise import LevelNoise
from lbsense.stats.levels import LevelPosteriorResult, level_posterior, step_prior
from lbsense.stats.noise_grid import NoiseGrid
from lbsense.stats.steps import StepEvidence, StepMoments, StepPosteriorResult

__all__ = ["fuse_history"]

_FAR = 5.0  # widths of its prior that a step may be away from it
_LEAST_SHARE = 1e-6  # of a precision that is left after another is taken away
_BEYOND_LUCK = 10.0  # noises between public and CV: one of them measures another thing


def fuse_history(
    public: ArrayLike,
    cv: ArrayLike,
    parent: ArrayLike,
    grid: NoiseGrid,
    noise_of: Callable[[StepMoments], LevelNoise],
    *,
    final_noise_of: Callable[[StepMoments], LevelNoise] | None = None,
    same: ArrayLike | None = None,
    disagreement: ArrayLike | None = None,
    rounds: int = 1,
    rope: float | None = None,
    confidence_level: float = 0.95,
) -> tuple[StepPosteriorResult, LevelPosteriorResult | None]:
    """Return the posterior of every true step and of every true score.

    Parameters
    ----------
    public, cv : array_like of shape (k,)
        Scores, larger is better, nan where missing.
    parent : array_like of int of shape (k,)
        Position of the submission that each is compared with, -1 for none.
    grid : NoiseGrid
        What is known of the noise of the steps.
    noise_of : callable
        Makes the joint noise of all scores of the noise that the steps are found to
        have.
    final_noise_of : callable, optional
        The same for the levels that are returned, where more is known than the steps
        should be judged by.
    same : array_like of bool of shape (k,), optional
        Submissions with the content of their parent: their true step is 0.
    disagreement : array_like of shape (k,), optional
        As in `step_posterior`.
    rounds : int
        Updates in turn. One takes the luck of a chosen parent out. With 0 steps are
        judged each on its own, and there are no levels.
    rope : float, optional
        As in `step_posterior`.
    confidence_level : float
        Of the credible intervals of the steps.

    Returns
    -------
    steps : StepPosteriorResult
    levels : LevelPosteriorResult or None

    Notes
    -----
    Expectation propagation: every step has a site, the normal that stands for its
    mixture prior (`step_prior`); the levels are normal given all sites
    (`level_posterior`); and what they say of one step with its own site taken out, its
    cavity, replaces the fused gain that the mixture is updated with, as far as it lies
    nearer to no change. Noise variances
    are plugged in at their posterior means between the rounds. Where public and CV gain
    differ by ten typical noises, the score that stands out is left out.

    References
    ----------
    Minka, T. P. (2001). Expectation propagation for approximate Bayesian inference.
    arXiv:1301.2294
    """
    tree = as_tree(parent)
    scores = as_float_vector(public, name="public"), as_float_vector(cv, name="cv")
    repeats = np.zeros(len(tree), bool) if same is None else np.asarray(same, bool)
    judged = (tree >= 0) & ~repeats
    judged &= np.isfinite(scores[0]) & np.isfinite(scores[0][tree])
    gains = _gains(scores, tree, judged)
    evidence = StepEvidence.of(*gains, grid, disagreement)
    if rounds == 0 or not evidence.seen.any():
        return evidence.posterior(rope=rope, confidence_level=confidence_level), None
    alone, left = evidence.update()
    steps, odd = alone, _odd(gains, alone)
    if odd.any():
        scores = _without_odd(scores, tree, odd)
        gains = _gains(scores, tree, judged)
        apart = np.where(np.isnan(gains[0] + gains[1]), np.nan, evidence.apart)
        steps, left = StepEvidence.of(*gains, grid, apart).update()
    evidence = left
    seen = own = _fused(gains, steps)
    for _ in range(rounds):
        noise = noise_of(_with_noise(steps, alone))
        levels, prior = _levels(scores, tree, repeats, steps, seen, noise)
        seen = _explained_away(own, _cavity(levels, tree, prior, own))
        shift = seen[0] - own[0]
        steps, evidence = evidence.update(shift)
    noise = (final_noise_of or noise_of)(_with_noise(steps, alone))
    levels, _ = _levels(scores, tree, repeats, steps, seen, noise)
    posterior = evidence.posterior(shift, rope=rope, confidence_level=confidence_level)
    return _with_noise(posterior, alone), levels


_Normal = tuple[FloatArray, FloatArray]


def _gains(scores: _Normal, tree: IntArray, judged: BoolArray) -> _Normal:
    public, cv = (np.where(judged, values - values[tree], np.nan) for values in scores)
    return public, cv


def _odd(gains: _Normal, steps: StepMoments) -> BoolArray:
    """Return the steps whose two gains cannot measure one thing."""
    noise = np.hypot(steps.public_se, steps.cv_se)
    paired = np.isfinite(noise)
    if not paired.any():
        return paired
    apart = np.abs(gains[0] - gains[1])
    return np.asarray(apart > _BEYOND_LUCK * np.median(noise[paired]))


def _without_odd(scores: _Normal, tree: IntArray, odd: BoolArray) -> _Normal:
    """Return scores without those that made a step odd.

    Scores share their noise, so that a wrong one would move all levels. Of the two
    submissions it is the one whose scores are further apart than is usual. A public
    score that stands out above is left out; one that stands out below is what the
    platform will score again, and a CV score is then wrong about it.
    """
    public, cv = scores
    offset = public - cv
    offset -= np.median(offset[np.isfinite(offset)])
    further = np.abs(offset) >= np.nan_to_num(np.abs(offset[tree]))
    wrong = np.zeros(len(tree), dtype=bool)
    wrong[np.where(further, np.arange(len(tree)), tree)[odd]] = True
    public_far, cv_far = (
        np.abs(values - np.median(values[np.isfinite(values)])) for values in scores
    )
    above = wrong & (offset > 0) & (public_far > cv_far)
    return np.where(above, np.nan, public), np.where(wrong & ~above, np.nan, cv)


_Found = TypeVar("_Found", StepMoments, StepPosteriorResult)


def _with_noise(found: _Found, alone: StepMoments) -> _Found:
    """Return what was found with the noise of gains that were left out, too."""
    return replace(
        found,
        public_se=np.where(np.isnan(found.public_se), alone.public_se, found.public_se),
        cv_se=np.where(np.isnan(found.cv_se), alone.cv_se, found.cv_se),
    )


def _fused(gains: tuple[FloatArray, ...], steps: StepMoments) -> _Normal:
    """Return the precision-weighted gain of every step, and its noise variance."""
    precision = np.zeros_like(gains[0])
    total = np.zeros_like(gains[0])
    for gain, se in zip(gains, (steps.public_se, steps.cv_se), strict=True):
        known = np.isfinite(gain) & np.isfinite(se)
        weight = np.where(known, 1 / np.square(np.where(known, se, 1.0)), 0.0)
        precision += weight
        total += weight * np.nan_to_num(gain)
    known = precision > 0
    safe = np.where(known, precision, 1.0)
    return np.where(known, total / safe, np.nan), np.where(known, 1 / safe, np.nan)


def _levels(
    scores: tuple[FloatArray, FloatArray],
    tree: IntArray,
    repeats: BoolArray,
    steps: StepMoments,
    seen: _Normal,
    noise: LevelNoise,
) -> tuple[LevelPosteriorResult, _Normal]:
    """Return the posterior of all levels, and the sites that it was made with."""
    mean, sd = step_prior(steps.gain, steps.gain_se, *seen)
    # A collapse wider than all that the mixture holds is no noise of the scores.
    sd = np.fmax(sd, np.abs(steps.gain - mean) / _FAR)
    sd = np.where(repeats, 0.0, sd)
    levels = level_posterior(
        *scores, tree, noise, gain_mean=mean, gain_sd=sd, scales=(1.0,)
    )
    return levels, (mean, np.square(sd))


def _explained_away(own: _Normal, told: FloatArray) -> _Normal:
    """Return the gains less what the rest of the history explains by luck.

    It may take evidence from a step and never adds any: the luck of one parent is
    shared by all its children, and an error in it would be as many false claims.
    """
    low, high = np.minimum(own[0], 0.0), np.maximum(own[0], 0.0)
    return np.clip(told, low, high), own[1]


def _cavity(
    levels: LevelPosteriorResult, tree: IntArray, prior: _Normal, own: _Normal
) -> FloatArray:
    """Return what all scores say of every gain without the prior of that step."""
    index = np.arange(len(tree))
    cov = levels.cov
    gain = levels.mean - levels.mean[tree]
    variance = cov[index, index] + cov[tree, tree] - 2 * cov[index, tree]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 1 / variance - 1 / prior[1]
        usable = left > _LEAST_SHARE / variance
        centre = (gain / variance - prior[0] / prior[1]) / left
        return np.where(usable, centre, own[0])
