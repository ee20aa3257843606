"""What a candidate is worth before it is submitted: its CV, and what steps were worth.

The past steps of a history are the only prior there is for the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import as_float_vector, check_same_length
from lbsense.stats.history.value import value_of_look

_GRID = 2001
_MOST_STEPS = 150  # that stand for all of a longer history
_NEGLIGIBLE = 1e-7  # weight of a part that is left out
_LEAST_REAL = 0.01  # share of a posterior, and of a mean square, that is never nothing
_UNLIKE = 2.0  # times a typical step: how large one unlike all others may be


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateResult(Result):
    """True gain of a candidate over the best submission so far.

    Attributes
    ----------
    gain, gain_se : float
        Posterior mean and standard deviation.
    ci_low, ci_high : float
        Equal-tailed 95% interval.
    p_better : float
        Probability that the gain is above 0.
    p_gain : float
        Probability that it is above ``rope``.
    p_visible : float
        Probability that it is above ``visible``; nan where that is nan.
    step_se : float
        Posterior standard deviation of the gain over the parent.
    value : float
        Expected true gain of who submits it, looks at the public score, and takes it
        where it is then expected to be better; nan without ``look_se``.
    p_right : float
        Probability that the public score is above that of the best submission exactly
        where the true score is; nan without ``look_se``.
    n_obs : int
        Past steps behind the prior.
    """

    gain: float
    gain_se: float
    ci_low: float
    ci_high: float
    p_better: float
    p_gain: float
    p_visible: float
    step_se: float
    value: float
    p_right: float
    n_obs: int


def candidate_gain(
    cv_gain: float,
    cv_gain_se: ArrayLike,
    *,
    cv_gain_se_share: ArrayLike | None = None,
    past_gain: ArrayLike,
    past_gain_se: ArrayLike,
    past_p_null: ArrayLike | None = None,
    ahead: float = 0.0,
    ahead_se: float = 0.0,
    rope: float = 0.0,
    visible: float = float("nan"),
    look_se: float = float("nan"),
) -> CandidateResult:
    """Return the true gain of a candidate of which only the CV score is known.

    Parameters
    ----------
    cv_gain : float
        CV of the candidate minus CV of its parent.
    cv_gain_se : float or array_like of shape (m,)
        The noise of that: its standard error, or several that it may be.
    cv_gain_se_share : array_like of shape (m,), optional
        How likely each of them is; equally by default.
    past_gain, past_gain_se : array_like of shape (n,)
        Posterior mean and standard deviation of every past step, nan where missing.
    past_p_null : array_like of shape (n,), optional
        Probability of every past step to lie within ``rope``; 0 by default.
    ahead, ahead_se : float
        How far the best submission is ahead of the parent: posterior mean and
        standard deviation; 0 where it is the parent.
    rope : float
        Gain that is not worth naming.
    visible : float
        Gain that the leaderboard would show.
    look_se : float
        Noise of the difference of the public scores of candidate and best submission.

    Returns
    -------
    CandidateResult

    Raises
    ------
    ValueError
        If lengths differ, a ``cv_gain_se`` is not above 0, or no past step is known.

    Notes
    -----
    The distribution that steps come from is, where it has been learned well, the mean
    of their posteriors (self-consistency, Laird 1978). So the prior of the next step is
    the mean of their posteriors, each in two parts with its mean and variance: with
    probability ``past_p_null`` next to nothing, ``N(0, rope**2 / 3)``, else normal.
    One more part, ``N(0, (2 * r)**2)`` with the root mean square ``r`` of the steps,
    stands for a step unlike all others. With ``cv_gain ~ N(step, cv_gain_se**2)`` each
    part is updated and weighted by how well it foretold ``cv_gain``, for every noise
    that it may have; of more than 150 past steps as many stand for all, evenly spread.
    What the best submission is ahead is subtracted as an independent normal.

    References
    ----------
    Laird, N. (1978). Nonparametric maximum likelihood estimation of a mixing
    distribution. Journal of the American Statistical Association 73(364), 805-811.
    doi:10.1080/01621459.1978.10480103

    Examples
    --------
    >>> result = candidate_gain(
    ...     0.004, 0.002, past_gain=[0.0, 0.0], past_gain_se=[0.002, 0.002]
    ... )
    >>> round(result.gain, 4), round(result.p_better, 3)
    (0.0024, 0.937)
    """
    centre = as_float_vector(past_gain, name="past_gain")
    spread = as_float_vector(past_gain_se, name="past_gain_se")
    check_same_length(past_gain=centre, past_gain_se=spread)
    noise, likely = _noises(cv_gain_se, cv_gain_se_share)
    null = np.zeros_like(centre) if past_p_null is None else past_p_null
    chance = np.nan_to_num(as_float_vector(null, name="past_p_null"))
    check_same_length(past_gain=centre, past_p_null=chance)
    known = np.flatnonzero(np.isfinite(centre) & np.isfinite(spread))
    if not known.size:
        msg = "past_gain must hold at least one number, got none: there is no prior."
        raise ValueError(msg)
    n_obs = known.size
    if n_obs > _MOST_STEPS:
        order = known[np.argsort(centre[known], kind="stable")]
        known = order[np.linspace(0, n_obs - 1, _MOST_STEPS).round().astype(int)]
    share, centre, prior = _prior(centre[known], spread[known], chance[known], rope)
    # One row a noise, one column a part of the prior: then all in a line.
    share = np.outer(likely, share).ravel()
    centre, prior = np.tile(centre, len(noise)), np.tile(prior, len(noise))
    noise = np.repeat(noise, len(prior) // len(noise))
    total = prior + noise
    fit = -np.square(cv_gain - centre) / (2 * total) - np.log(total) / 2
    weights = share * np.exp(fit - fit.max())
    weights /= weights.sum()
    some = weights > _NEGLIGIBLE
    weights = weights[some] / weights[some].sum()
    centre, prior, noise = centre[some], prior[some], noise[some]
    keep = prior / (prior + noise)
    step = centre + keep * (cv_gain - centre)
    step_var = keep * noise
    mean, sd = step - ahead, np.sqrt(step_var + ahead_se**2)
    gain = float(weights @ mean)
    gain_se = float(np.sqrt(weights @ (sd**2 + np.square(mean - gain))))
    level = float(weights @ step)

    def above(limit: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(mean == limit, 0.0, (mean - limit) / sd)
        return min(float(weights @ ndtr(z)), 1.0)  # of shares that sum to 1, rounded

    low, high = _interval(weights, mean, sd)
    value = p_right = float("nan")
    if np.isfinite(look_se):
        value, p_right = value_of_look(weights, mean, np.square(sd), look_se)
    return CandidateResult(
        gain=gain,
        gain_se=gain_se,
        ci_low=low,
        ci_high=high,
        p_better=above(0.0),
        p_gain=above(rope),
        p_visible=above(visible),
        step_se=float(np.sqrt(weights @ (step_var + np.square(step - level)))),
        value=value,
        p_right=p_right,
        n_obs=n_obs,
    )


def _noises(
    cv_gain_se: ArrayLike, share: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Return the variances that a CV gain may have, and how likely each is."""
    noise = np.atleast_1d(np.asarray(cv_gain_se, dtype=np.float64))
    likely = np.ones_like(noise) if share is None else np.asarray(share, float)
    if not ((noise > 0) & np.isfinite(noise)).all() or not noise.size:
        msg = f"cv_gain_se must be finite and above 0, got {cv_gain_se!r}."
        raise ValueError(msg)
    if likely.shape != noise.shape or not (likely >= 0).all() or not likely.sum() > 0:
        msg = "cv_gain_se_share must be a share of at least 0 for every cv_gain_se."
        raise ValueError(msg)
    return np.square(noise), likely / likely.sum()


def _prior(
    gain: FloatArray, gain_se: FloatArray, p_null: FloatArray, rope: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shares, means and variances of the parts that the next step comes from."""
    square = np.square(gain) + np.square(gain_se)
    small = min(rope**2 / 3, float(square.min()))
    real = np.maximum(1 - p_null, _LEAST_REAL)
    centre = gain / real
    variance = (square - (1 - real) * small) / real - np.square(centre)
    n = len(gain)
    share = np.concatenate([real, 1 - real, np.ones(1)])
    means = np.concatenate([centre, np.zeros(n + 1)])
    wide = _UNLIKE**2 * float(square.mean())
    variance = np.maximum(variance, _LEAST_REAL * square)
    return share, means, np.concatenate([variance, np.full(n, small), np.array([wide])])


def _interval(
    weights: ArrayLike, mean: ArrayLike, sd: ArrayLike
) -> tuple[float, float]:
    """Return the 2.5% and 97.5% points of a mixture of normals."""
    centre, spread = np.asarray(mean), np.maximum(np.asarray(sd), 1e-300)
    grid = np.linspace((centre - 5 * spread).min(), (centre + 5 * spread).max(), _GRID)
    below = ndtr((grid[:, np.newaxis] - centre) / spread) @ np.asarray(weights)
    low, high = np.interp([0.025, 0.975], below, grid)
    return float(low), float(high)
