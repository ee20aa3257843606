"""Standard deviation of a row's influence, from a score and a model of the data."""

from __future__ import annotations

from functools import lru_cache
from math import asin, exp, log, pi, sin, sqrt

import numpy as np
from scipy.special import digamma, ndtr, ndtri, owens_t, polygamma

__all__ = [
    "auc_sd",
    "balanced_accuracy_sd",
    "brier_sd",
    "fbeta_sd",
    "kappa_sd",
    "kendall_sd",
    "log_loss_of_shares",
    "log_loss_sd",
    "mae_ratio",
    "phi_sd",
    "pinball_ratio",
    "proportion_sd",
]


def proportion_sd(mean: float) -> float:
    """Return sqrt(m (1 - m)): exact for 0 and 1, the most for rows in between."""
    return sqrt(max(0.0, mean * (1 - mean)))


def auc_sd(auc: float, prevalence: float) -> float:
    """Return the sd under normal scores of equal variance in both classes.

    The variance of a structural component is Q - A^2, where Q, the chance that a row of
    one class lies above two of the other, is a bivariate normal probability.
    """
    area = max(auc, 1 - auc)
    height = float(ndtri(area))
    if not np.isfinite(height):
        return 0.0
    both = float(ndtr(height) - 2 * owens_t(height, sqrt(1 / 3)))
    return sqrt(max(0.0, both - area**2) / (prevalence * (1 - prevalence)))


def log_loss_of_shares(shares: tuple[float, ...]) -> float:
    """Return the log loss of predicting the class shares everywhere."""
    return -sum(share * log(share) for share in shares)


@lru_cache(maxsize=4096)
def log_loss_sd(loss: float, shares: tuple[float, ...]) -> float:
    """Return the sd of row losses of calibrated predictions with a Dirichlet law.

    Predictions p ~ Dirichlet(phi * shares), the class drawn from p: then -ln p of the
    true class has moments in digamma and trigamma functions, and phi solves E = loss.
    """
    from scipy.optimize import brentq  # slow to import, and needed here alone

    if loss <= 0:
        return 0.0
    share = np.array(shares)

    def moments(log_phi: float) -> tuple[float, float]:
        phi = exp(log_phi)
        mean = digamma(phi + 1) - digamma(share * phi + 1)
        var = polygamma(1, share * phi + 1) - polygamma(1, phi + 1)
        first = float(share @ mean)
        return first, float(share @ (var + mean**2)) - first**2

    log_phi = brentq(lambda value: moments(value)[0] - loss, -40.0, 25.0)
    return sqrt(max(0.0, moments(log_phi)[1]))


def brier_sd(score: float, prevalence: float) -> float:
    """Return the sd of row losses of calibrated predictions that follow a Beta law."""
    base = prevalence * (1 - prevalence)
    if not 0 < score < base:
        return 0.0
    phi = score / (base - score)
    a, b = prevalence * phi, (1 - prevalence) * phi
    squares = a * (a + 1) * b * (b + 1) / (phi * (phi + 1) * (phi + 2) * (phi + 3))
    return sqrt(max(0.0, score - 3 * squares - score**2))


def fbeta_sd(
    score: float, prevalence: float, beta: float, predicted: float = 1.0
) -> float:
    """Return the sd of F-beta; ``predicted`` positives for each true one.

    With D = beta^2 t + p, t and p the true and predicted shares, a row adds
    (1 + b^2)(1 - F) / D when hit, -F b^2 / D when missed and -F / D when false.
    """
    square = beta**2
    true, claimed = prevalence, min(1.0, prevalence * predicted)
    below = square * true + claimed
    hit = score * below / (1 + square)
    missed, false = max(0.0, true - hit), max(0.0, claimed - hit)
    total = (
        hit * ((1 + square) * (1 - score)) ** 2
        + missed * (square * score) ** 2
        + false * score**2
    )
    return sqrt(total) / below


def balanced_accuracy_sd(score: float, prevalence: float, tilt: float = 0.0) -> float:
    """Return the sd for two classes whose recalls are ``score`` plus and minus tilt."""
    tilt *= min(score, 1 - score)
    first, second = score + tilt, score - tilt
    return 0.5 * sqrt(
        max(0.0, first * (1 - first)) / prevalence
        + max(0.0, second * (1 - second)) / (1 - prevalence)
    )


def phi_sd(score: float, prevalence: float) -> float:
    """Return the sd of MCC and kappa of two classes, as many predicted as true."""
    spread = (1 - 2 * prevalence) ** 2 / (prevalence * (1 - prevalence))
    return sqrt(max(0.0, 1 - score**2 + spread * score * (1 - score) * (1 - score / 2)))


def kappa_sd(score: float, n_classes: int) -> float:
    """Return Cohen's sd of kappa for classes of equal size; MCC has nearly the same."""
    chance = 1 / n_classes
    return proportion_sd(chance + score * (1 - chance)) / (1 - chance)


def kendall_sd(tau: float) -> float:
    """Return the sd of Kendall's tau in normal data."""
    correlation = sin(pi * tau / 2)
    return 2 * sqrt(max(0.0, 1 / 9 - (2 / pi * asin(correlation / 2)) ** 2))


def mae_ratio(kurtosis: float) -> float:
    """Return sd / MAE of normal errors of varying scale with a given kurtosis."""
    return sqrt(max(0.0, pi / 2 * (kurtosis / 3) ** 0.25 - 1))


def pinball_ratio(quantile: float) -> float:
    """Return sd / mean of the pinball loss of exact quantiles of normal values."""
    z = float(ndtri(quantile))
    density = exp(-(z**2) / 2) / sqrt(2 * pi)
    above = (1 + z**2) * (1 - quantile) - z * density
    below = (1 + z**2) * quantile + z * density
    second = quantile**2 * above + (1 - quantile) ** 2 * below
    return sqrt(second / density**2 - 1)
