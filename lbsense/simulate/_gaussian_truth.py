"""Expected scores in the Gaussian world, by quadrature."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, ndtr

from lbsense._typing import FloatArray
from lbsense.simulate._targets import (
    SLOPE,
    find_intercept,
    label_probability,
    mean_absolute,
)

__all__ = ["GaussianTruth"]

_GRID = np.linspace(-8.0, 8.0, 801)
_GRID_STEP = float(_GRID[1] - _GRID[0])
_DENSITY = np.exp(-0.5 * _GRID**2) * _GRID_STEP / math.sqrt(2 * math.pi)
_NODES, _raw_weights = np.polynomial.hermite_e.hermegauss(40)
_WEIGHTS = _raw_weights / _raw_weights.sum()


class GaussianTruth:
    """Expected score of a model whose errors have a given spread, by quadrature.

    Notes
    -----
    The signal is ``f ~ N(0, 1)``, a submission sees ``s = f + tau u`` with
    ``u ~ N(0, 1)``. Labels are Bernoulli(sigmoid(1.5 f + b)), targets are ``f + e``
    with noise of unit variance. Sums over an even grid of a Gaussian density converge
    faster than any power of the grid step.

    Parameters
    ----------
    metric : str
        Metric of the competition.
    prevalence : float
        Share of positive labels before any are flipped.
    heavy_tails : bool
        Whether some labels are wrong, or the noise of targets is Student's t.
    """

    def __init__(self, metric: str, prevalence: float, *, heavy_tails: bool) -> None:
        self.metric = metric
        self.heavy_tails = heavy_tails
        self.intercept = find_intercept(prevalence, _GRID, _DENSITY)
        self.positive = self.probability(_GRID)
        self.prevalence = float(_DENSITY @ self.positive)
        self._known: dict[tuple[float, bool], float] = {}
        above = _DENSITY * self.positive / self.prevalence
        below = _DENSITY * (1 - self.positive) / (1 - self.prevalence)
        self._lead = np.correlate(above, below, mode="full")
        self._lead_grid = _GRID_STEP * np.arange(1 - len(_GRID), len(_GRID))

    def probability(self, signal: FloatArray) -> FloatArray:
        """Return the probability of a positive label given the signal."""
        return label_probability(signal, self.intercept, heavy_tails=self.heavy_tails)

    def predict(self, seen: FloatArray, spread: float) -> FloatArray:
        """Return what a sensible entrant submits who sees the signal with errors."""
        centre = seen / (1 + spread**2)
        if self.metric in ("rmse", "mae"):
            return np.asarray(centre)
        if self.metric == "accuracy":
            return np.asarray(SLOPE * centre + self.intercept > 0, dtype=np.float64)
        return np.asarray(expit(self._log_odds(centre, spread)))

    def expected(self, spread: float, *, misaligned: bool = False) -> float:
        """Return the expected raw score; ``misaligned`` when rows are out of order."""
        key = (spread, misaligned)
        if key not in self._known:
            self._known[key] = self._compute(spread, misaligned=misaligned)
        return self._known[key]

    def constant_loss(self, value: float) -> float:
        """Return the expected loss of one value for every row; squared for RMSE."""
        if self.metric == "log_loss":
            hit = self.prevalence
            return -hit * math.log(value) - (1 - hit) * math.log(1 - value)
        if self.metric == "accuracy":
            return self.prevalence if value == 1 else 1 - self.prevalence
        if self.metric == "rmse":
            return 2 + value**2
        return self._mean_absolute(1.0, value)

    def _compute(self, spread: float, *, misaligned: bool) -> float:
        residual = spread**2 / (1 + spread**2)
        if misaligned:
            residual = 1 + 1 / (1 + spread**2)
        match self.metric:
            case "rmse":
                return math.sqrt(1 + residual)
            case "mae":
                return self._mean_absolute(residual, 0.0)
        if self.metric == "roc_auc":
            if misaligned:
                return 0.5
            win = ndtr(self._lead_grid / (spread * math.sqrt(2)))
            return float(self._lead @ win)
        positive = np.full_like(_GRID, self.prevalence) if misaligned else self.positive
        if self.metric == "accuracy":
            cut = -self.intercept * (1 + spread**2) / SLOPE
            called = ndtr((_GRID - cut) / spread)
            right = positive * called + (1 - positive) * (1 - called)
            return float(_DENSITY @ right)
        centre = (_GRID[:, None] + spread * _NODES) / (1 + spread**2)
        odds = self._log_odds(centre, spread)
        loss = np.logaddexp(0, odds) - positive[:, None] * odds
        return float(_DENSITY @ loss @ _WEIGHTS)

    def _log_odds(self, centre: FloatArray, spread: float) -> FloatArray:
        """Return calibrated log odds, by MacKay's probit-like approximation."""
        variance = spread**2 / (1 + spread**2)
        shrink = 1 / math.sqrt(1 + math.pi * SLOPE**2 * variance / 8)
        return np.asarray(shrink * (SLOPE * centre + self.intercept))

    def _mean_absolute(self, variance: float, location: float) -> float:
        """Return E|e + z + location| for the row noise e and z ~ N(0, variance)."""
        centre = location + math.sqrt(variance) * _NODES
        return float(_WEIGHTS @ mean_absolute(centre, heavy_tails=self.heavy_tails))
