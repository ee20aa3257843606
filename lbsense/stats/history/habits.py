"""Estimates of several histories: a share, their difference, and their average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from lbsense._result import Result
from lbsense._validation import check_fraction
from lbsense.stats.history.expectations import CountResult
from lbsense.stats.rows.joint import wilson_interval

_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateResult(Result):
    """A number with its interval.

    Attributes
    ----------
    value, ci_low, ci_high : float
        The number, and the interval at ``confidence_level``.
    n_obs : int
        Steps or submissions behind it.
    confidence_level : float
        Of the interval.
    """

    value: float
    ci_low: float
    ci_high: float
    n_obs: int
    confidence_level: float = _LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledResult(Result):
    """What several histories have in common, each of which counts once.

    Attributes
    ----------
    value, ci_low, ci_high : float
        Mean over the histories and its interval at ``confidence_level``.
    spread : float
        Standard deviation between histories beyond what their own intervals explain.
    n_histories : int
        How many there are.
    confidence_level : float
        Of the interval.
    """

    value: float
    ci_low: float
    ci_high: float
    spread: float
    n_histories: int
    confidence_level: float = _LEVEL


def share_estimate(n_true: int, n_obs: int) -> EstimateResult:
    """Return a share of steps and the interval of the habit behind it (Wilson 1927).

    Examples
    --------
    >>> found = share_estimate(5, 10)
    >>> round(found.ci_low, 3), round(found.ci_high, 3)
    (0.237, 0.763)
    """
    if not 0 <= n_true <= n_obs or n_obs < 1:
        msg = f"n_true must be in 0 to n_obs, which is 1 or more: got {n_true}/{n_obs}."
        raise ValueError(msg)
    rate = n_true / n_obs
    low, high = wilson_interval(
        np.array([rate]), np.array([float(n_obs)]), float(ndtri((1 + _LEVEL) / 2))
    )
    return EstimateResult(
        value=rate, ci_low=float(low[0]), ci_high=float(high[0]), n_obs=n_obs
    )


def count_estimate(found: CountResult) -> EstimateResult | None:
    """Return the share of events that happened, None without any (`count_of`)."""
    if not found.n_obs:
        return None
    value = found.mean / found.n_obs
    return EstimateResult(
        value=value,
        ci_low=min(found.ci_low / found.n_obs, value),
        ci_high=max(found.ci_high / found.n_obs, value),
        n_obs=found.n_obs,
        confidence_level=found.confidence_level,
    )


def estimate_difference(one: EstimateResult, other: EstimateResult) -> EstimateResult:
    """Return ``one`` minus ``other``, two independent estimates, with its interval.

    Notes
    -----
    The variance of each estimate near an end of the difference is recovered from its
    own interval, which need not be symmetric (MOVER): the lower end is
    ``d - sqrt((x - l)^2 + (u' - x')^2)``. Where both share luck, as two teams on one
    public set do, the interval is rather too wide than too narrow.

    References
    ----------
    Zou and Donner (2008), doi:10.1002/sim.3095.

    Examples
    --------
    >>> a = EstimateResult(value=5.0, ci_low=1.0, ci_high=8.0, n_obs=9)
    >>> b = EstimateResult(value=2.0, ci_low=1.0, ci_high=5.0, n_obs=9)
    >>> found = estimate_difference(a, b)
    >>> found.value, found.ci_low, round(found.ci_high, 3)
    (3.0, -2.0, 6.162)
    """
    apart = one.value - other.value
    below = math.hypot(one.value - one.ci_low, other.ci_high - other.value)
    above = math.hypot(one.ci_high - one.value, other.value - other.ci_low)
    return EstimateResult(
        value=apart,
        ci_low=apart - below,
        ci_high=apart + above,
        n_obs=min(one.n_obs, other.n_obs),
    )


def pooled_estimate(
    estimates: Sequence[EstimateResult],
    *,
    low: float = -math.inf,
    high: float = math.inf,
    confidence_level: float = _LEVEL,
) -> PooledResult | None:
    """Return the average of several histories, None of fewer than two.

    Parameters
    ----------
    estimates : sequence of EstimateResult
        One of each history.
    low, high : float
        Ends of what is possible, where the interval is cut.
    confidence_level : float
        Of the interval, in (0, 1).

    Notes
    -----
    Every history counts once, however many submissions it has: the question is what the
    next one will be like. The mean has the t interval of ``k - 1`` degrees of freedom
    with the variance ``s^2 / k``, which holds what lies between histories and what is
    not known of each; it is never taken to be less than the latter alone says. Two
    histories give a very wide interval, as they must. It fails where histories were
    chosen for how they ended.

    References
    ----------
    Shuster (2010), doi:10.1002/sim.3607, for averages that do not weigh by size.

    Examples
    --------
    >>> found = pooled_estimate(
    ...     [EstimateResult(value=x, ci_low=x, ci_high=x, n_obs=9) for x in (1, 2, 3)]
    ... )
    >>> found.value, round(found.ci_high, 3), found.spread
    (2.0, 4.484, 1.0)
    """
    check_fraction(confidence_level, name="confidence_level")
    k = len(estimates)
    if k < 2:
        return None
    values = np.sort([item.value for item in estimates])
    own = np.sort(
        [
            (item.ci_high - item.ci_low) / (2 * ndtri((1 + item.confidence_level) / 2))
            for item in estimates
        ]
    )
    within = float(np.mean(own**2))
    between = float(values.var(ddof=1))
    mean = float(values.mean())
    half = float(stdtrit(k - 1, (1 + confidence_level) / 2)) * math.sqrt(
        max(between, within) / k
    )
    return PooledResult(
        value=mean,
        ci_low=min(max(mean - half, low), mean),
        ci_high=max(min(mean + half, high), mean),
        spread=math.sqrt(max(between - within, 0.0)),
        n_histories=k,
        confidence_level=confidence_level,
    )
