"""How targets follow a signal: the same in both worlds."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, stdtr

from lbsense._typing import FloatArray

__all__ = ["SLOPE", "find_intercept", "label_probability", "mean_absolute"]

SLOPE = 1.5  # of the log odds on a signal of unit variance
_FLIPPED = 0.05  # labels that are wrong, where tails are heavy
_DENSITY_AT_0 = 8 / (3 * math.pi * math.sqrt(5))  # of Student's t with 5 degrees


def find_intercept(prevalence: float, signal: FloatArray, weight: FloatArray) -> float:
    """Return the intercept of the log odds that gives a share of positive labels."""

    def excess(intercept: float) -> float:
        return float(weight @ expit(SLOPE * signal + intercept)) - prevalence

    return float(brentq(excess, -60.0, 60.0))


def label_probability(
    signal: FloatArray, intercept: float, *, heavy_tails: bool
) -> FloatArray:
    """Return the probability of a positive label; some are wrong in heavy tails."""
    flipped = _FLIPPED if heavy_tails else 0.0
    return np.asarray(flipped + (1 - 2 * flipped) * expit(SLOPE * signal + intercept))


def mean_absolute(location: FloatArray, *, heavy_tails: bool) -> FloatArray:
    """Return E|e + location| for the noise e of a target, which has unit variance.

    The noise is normal, or Student's t with 5 degrees of freedom in heavy tails.
    """
    if not heavy_tails:
        density = np.exp(-0.5 * location**2) * math.sqrt(2 / math.pi)
        return np.asarray(density + location * (2 * ndtr(location) - 1))
    unit = math.sqrt(3 / 5)
    centre = location / unit
    density = _DENSITY_AT_0 * (1 + centre**2 / 5) ** -3
    inner = centre * (2 * stdtr(5, centre) - 1)
    return np.asarray(unit * (inner + (5 + centre**2) / 2 * density))
