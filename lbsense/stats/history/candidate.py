"""What a candidate is worth before it is submitted, and what a look at it is worth.

The past steps of a history are the only prior there is for the next one. What one more
measurement would change tells which to send, and what would settle which is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import as_float_vector, check_positive, check_same_length

_GRID = 2001
_MOST_STEPS = 150  # that stand for all of a longer history
_NEGLIGIBLE = 1e-7  # weight of a part that is left out
_LEAST_REAL = 0.01  # share of a posterior, and of a mean square, that is never nothing
_UNLIKE = 2.0  # times a typical step: how large one unlike all others may be
_POINTS = 801  # of the grid of what a look may show
_SETTLED = float(ndtri(0.95))  # of who is better, from which no look is needed
_CHANCE = 0.8  # to settle it that is wanted
_MOST = 1_000_000  # repetitions beyond which none is tried


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


def value_of_look(
    share: ArrayLike, mean: ArrayLike, variance: ArrayLike, noise_se: float
) -> tuple[float, float]:
    """Return what a look at a gain is worth, and how often it points the right way.

    Parameters
    ----------
    share, mean, variance : array_like of shape (m,)
        The gain: a mixture of normals.
    noise_se : float
        Standard error of the look.

    Returns
    -------
    value : float
        Expected true gain of who takes what the look makes likely to be a gain and
        leaves the rest: the expectation of the posterior mean where that is above 0.
    p_right : float
        Probability that the look has the sign of the gain.

    Notes
    -----
    With a look ``x ~ N(gain, noise_se**2)`` the posterior mean ``m(x)`` is that of the
    mixture, and the value the integral of ``max(m(x), 0)`` over what may be seen
    (Raiffa & Schlaifer 1961). Of one normal part with mean ``a`` and ``t = variance /
    sqrt(variance + noise_se**2)`` it is ``a * Phi(a / t) + t * phi(a / t)``.

    References
    ----------
    Raiffa, H. & Schlaifer, R. (1961). Applied Statistical Decision Theory. Harvard
    University, chapter 5.

    Examples
    --------
    >>> value, p_right = value_of_look([1.0], [0.0], [1.0], 1.0)
    >>> round(value, 4), round(p_right, 4)
    (0.2821, 0.75)
    """
    weight, centre = np.asarray(share, float), np.asarray(mean, float)
    spread = np.maximum(np.asarray(variance, float), 0.0)
    noise = check_positive(noise_se, name="noise_se") ** 2
    total = spread + noise
    sd = np.sqrt(total)
    low, high = (centre - 8 * sd).min(), (centre + 8 * sd).max()
    # Where parts have widths of their own a grid must serve the narrowest of them.
    z = np.sinh(np.linspace(-6, 6, _POINTS)) / math.sinh(6)
    mid = float(weight @ centre)
    seen = np.where(z < 0, mid + (low - mid) * -z, mid + (high - mid) * z)
    density = weight * np.exp(-np.square(seen[:, np.newaxis] - centre) / (2 * total))
    density /= sd * math.sqrt(2 * math.pi)
    after = centre + spread / total * (seen[:, np.newaxis] - centre)
    expected = (density * after).sum(axis=1)  # density times posterior mean
    height = np.maximum(expected, 0.0)
    value = float(np.diff(seen) @ (height[1:] + height[:-1]) / 2)
    return max(value, float(weight @ centre), 0.0), _p_right(
        weight, centre, spread, math.sqrt(noise)
    )


def _p_right(
    share: FloatArray, mean: FloatArray, variance: FloatArray, noise_se: float
) -> float:
    """Return the probability that gain and look have one sign."""
    z = np.linspace(-8, 8, _POINTS)  # trapezoids of a tail that ends
    weight = np.exp(-np.square(z) / 2)
    gain = mean + np.sqrt(variance) * z[:, np.newaxis]
    right = weight / weight.sum() @ ndtr(np.abs(gain) / noise_se) @ share
    return min(float(right), 1.0)


SettleKind: TypeAlias = Literal["seeds", "rows", "submissions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleWay(Result):
    """One way to settle which of two is better.

    Attributes
    ----------
    kind : {"seeds", "rows", "submissions"}
        More seeds of both under the same folds, more training rows, or submissions of
        both.
    needed : int or None
        Seeds, rows in all, or submissions of each, that settle it with 80% chance;
        None where no number does.
    chance : float
        Chance that one more seed, twice the rows, or one submission of each settles it.
    """

    kind: SettleKind
    needed: int | None
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleResult(Result):
    """Which of two is better, and what would settle it.

    Attributes
    ----------
    first, second : str
        The two: submissions or candidates.
    gain, gain_se : float
        True score of the first minus that of the second, oriented: expectation and
        standard deviation.
    p_first : float
        Probability that the first is the better one.
    settled : bool
        Whether that, or its opposite, is 95% already.
    ways : tuple of SettleWay
        What would settle it.
    """

    first: str
    second: str
    gain: float
    gain_se: float
    p_first: float
    settled: bool
    ways: tuple[SettleWay, ...]


def p_settled(mean: float, sd: float, noise_se: float) -> float:
    """Return the chance that one measurement settles which of two is better.

    That is 95% sure then.

    Parameters
    ----------
    mean, sd : float
        What is known of the true difference: normal.
    noise_se : float
        Standard error of the measurement.

    Returns
    -------
    float
        1 where it is settled already and no measurement could change that.

    Notes
    -----
    Afterwards the difference has the variance ``w = sd**2 * noise_se**2 / (sd**2 +
    noise_se**2)``, and its mean is ``N(mean, sd**2 - w)`` as seen from before: settled
    where it is more than ``1.645 * sqrt(w)`` from 0.

    Examples
    --------
    >>> round(p_settled(0.0, 1.0, 0.5), 3), round(p_settled(0.0, 1.0, 0.05), 3)
    (0.411, 0.934)
    """
    check_positive(sd, name="sd")
    left = 1 / (sd**-2 + noise_se**-2)
    moved = math.sqrt(max(sd**2 - left, 1e-300))
    bar = _SETTLED * math.sqrt(left)
    return float(ndtr((mean - bar) / moved) + ndtr((-mean - bar) / moved))


def needed_to_settle(
    mean: float,
    sd: float,
    noise_se: Callable[[float], float],
) -> int | None:
    """Return how many repetitions settle which of two is better, None if none do.

    Parameters
    ----------
    mean, sd : float
        What is known of the true difference.
    noise_se : callable
        ``noise_se(k)`` is the standard error that ``k`` repetitions leave; it never
        rises.

    Returns
    -------
    int or None
        The smallest ``k`` with an 80% chance; None where a million do not have it.

    See Also
    --------
    p_settled : The chance.
    repeated_noise : What repetitions leave where they share a part of their noise.

    Examples
    --------
    >>> needed_to_settle(0.0, 1.0, lambda k: k**-0.5)
    43
    >>> needed_to_settle(0.0, 1.0, lambda k: (0.5 + 1 / k) ** 0.5) is None
    True
    """

    def enough(k: int) -> bool:
        return p_settled(mean, sd, noise_se(k)) >= _CHANCE

    if not enough(_MOST):
        return None
    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def repeated_noise(before_var: float, after_var: float) -> float:
    """Return the noise of a fresh look that is worth what repeating one adds.

    Parameters
    ----------
    before_var, after_var : float
        Noise variance of a measurement as it stands, and of it and its repetitions
        together; a part that all of them share is in both.

    Returns
    -------
    float
        Standard error of the independent measurement that adds as much: its precision
        is the difference of both. Infinite where nothing is added.

    Examples
    --------
    >>> repeated_noise(1.0, 0.5), repeated_noise(1.0, 1.0)
    (1.0, inf)
    """
    added = 1 / check_positive(after_var, name="after_var") - 1 / before_var
    return added**-0.5 if added > 0 else math.inf
