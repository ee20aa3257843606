"""Value of information: what one more measurement of a difference would be worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import check_fraction, check_positive

_POINTS = 801  # of the grid of what the measurement may show
_MOST = 1_000_000  # repetitions beyond which none is tried


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

    kind: Literal["seeds", "rows", "submissions"]
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


def p_settled(
    mean: float, sd: float, noise_se: float, *, confidence_level: float = 0.95
) -> float:
    """Return the chance that one measurement settles which of two is better.

    Parameters
    ----------
    mean, sd : float
        What is known of the true difference: normal.
    noise_se : float
        Standard error of the measurement.
    confidence_level : float
        Probability from which one of the two is the better one for good.

    Returns
    -------
    float
        1 where it is settled already and no measurement could change that.

    Notes
    -----
    Afterwards the difference has the variance ``w = sd**2 * noise_se**2 / (sd**2 +
    noise_se**2)``, and its mean is ``N(mean, sd**2 - w)`` as seen from before: settled
    where it is more than ``z * sqrt(w)`` from 0.

    Examples
    --------
    >>> round(p_settled(0.0, 1.0, 0.5), 3), round(p_settled(0.0, 1.0, 0.05), 3)
    (0.411, 0.934)
    """
    check_fraction(confidence_level, name="confidence_level")
    check_positive(sd, name="sd")
    z = float(ndtri(confidence_level))
    left = 1 / (sd**-2 + noise_se**-2)
    moved = math.sqrt(max(sd**2 - left, 1e-300))
    bar = z * math.sqrt(left)
    return float(ndtr((mean - bar) / moved) + ndtr((-mean - bar) / moved))


def needed_to_settle(
    mean: float,
    sd: float,
    noise_se: Callable[[float], float],
    *,
    confidence_level: float = 0.95,
    chance: float = 0.8,
) -> int | None:
    """Return how many repetitions settle which of two is better, None if none do.

    Parameters
    ----------
    mean, sd : float
        What is known of the true difference.
    noise_se : callable
        ``noise_se(k)`` is the standard error that ``k`` repetitions leave; it never
        rises.
    confidence_level : float
        Probability from which it is settled.
    chance : float
        Chance to settle it that is wanted.

    Returns
    -------
    int or None
        The smallest ``k`` with that chance; None where a million do not have it.

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
    check_fraction(chance, name="chance")

    def enough(k: int) -> bool:
        p = p_settled(mean, sd, noise_se(k), confidence_level=confidence_level)
        return p >= chance

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
