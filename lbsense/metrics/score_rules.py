"""From a score to the range of its noise: one rule for each family of metrics.

The factors around a model hold at least nineteen of twenty simulated data sets, among
them such as break the model: tests/metrics/test_score_noise.py draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import asin, exp, isfinite, log, nan, pi, sin, sqrt

import numpy as np
import scipy

from lbsense.metrics.record import Band, Known

_PREVALENCES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_USUAL_PREVALENCE = 0.2
_KURTOSES = (3.0, 5.0, 7.8)  # normal errors, usual ones, heavy tails
_CLASS_COUNTS = (3, 5, 10, 30, 100)
_USUAL_CLASSES = 10
_LEAST_R2 = 0.002  # a lower one is no sign of less noise

_NEEDS_PREDICTIONS = (
    "The noise of this metric cannot be told from the score: it needs predictions."
)
_AT_THE_EDGE = " At the edge of its range the score shows no noise at all."


def band_of(known: Known) -> Band:
    """Return least, usual and greatest standard deviation and their basis."""
    metric = known.metric
    if not (isfinite(known.score) and metric.contains(known.score)):
        return _nothing(
            f"A score of {known.score:g} is not one that the metric gives: its range "
            f"is {metric.low:g} to {metric.high:g}."
        )
    if metric.noise is None:
        return _nothing(_NEEDS_PREDICTIONS)
    low, typical, high, basis = metric.noise(known)
    return low, typical, high, basis + (_AT_THE_EDGE if high == 0 else "")


def _nothing(reason: str) -> Band:
    return nan, nan, nan, reason


def _over_prevalence(known: Known, model: Callable[[float], float]) -> list[float]:
    """Return the model at the known prevalence, or its range over usual ones."""
    if known.prevalence is not None:
        return [model(known.prevalence)] * 3
    values = [model(prevalence) for prevalence in _PREVALENCES]
    return [min(values), model(_USUAL_PREVALENCE), max(values)]


def _over_kurtosis(known: Known, model: Callable[[float], float]) -> list[float]:
    """Return the model at the known kurtosis, or its range over usual ones."""
    if known.kurtosis is not None:
        return [model(known.kurtosis)] * 3
    return [model(kurtosis) for kurtosis in _KURTOSES]


def _positives(known: Known) -> str:
    """Return the share of positives, for a sentence."""
    if known.prevalence is None:
        return "5 to 50% positives (typically 20%)"
    return f"{100 * known.prevalence:.3g}% positives"


def _tails(known: Known) -> str:
    """Return the tails of the errors, for a sentence."""
    if known.kurtosis is None:
        return "errors of mean 0 and kurtosis 3 (normal) to 7.8, typically 5"
    return f"errors of mean 0 and kurtosis {known.kurtosis:.3g}"


def _band(
    values: float | list[float], factors: tuple[float, float, float], basis: str
) -> Band:
    base = values if isinstance(values, list) else [values] * 3
    low, typical, high = (a * b for a, b in zip(base, factors, strict=True))
    return low, typical, high, basis


def proportion(known: Known) -> Band:
    value = _proportion_sd(known.score)
    return _band(value, (1, 1, 1), "Exact for a share of rows: sqrt(p (1 - p)).")


def bounded(known: Known) -> Band:
    return _band(
        _proportion_sd(known.score),
        (0.4, 0.7, 1.0),
        "A mean of rows between 0 and 1 varies by at most sqrt(m (1 - m)); less when "
        "many rows lie in between.",
    )


def auc(known: Known) -> Band:
    scale = 2.0 if known.metric.family == "normalized_gini" else 1.0
    area = (known.score + 1) / 2 if scale == 2 else known.score
    values = _over_prevalence(known, lambda share: scale * _auc_sd(area, share))
    basis = f"Normal scores of equal variance in both classes, {_positives(known)}."
    return _band(values, (0.55, 1.0, 1.3), basis)


def average_precision(known: Known) -> Band:
    values = _over_prevalence(
        known, lambda share: _proportion_sd(known.score) / sqrt(share)
    )
    basis = f"Binomial in the number of positives, {_positives(known)}."
    return _band(values, (0.55, 0.92, 1.15), basis)


def log_loss(known: Known) -> Band:
    if known.n_classes is not None and known.n_classes > 2:
        return multiclass_log_loss(known)
    shares = [(share, 1 - share) for share in _PREVALENCES]
    if known.prevalence is not None:
        shares = [(known.prevalence, 1 - known.prevalence)]
    return _calibrated(known, shares, _USUAL_PREVALENCE, _positives(known))


def multiclass_log_loss(known: Known) -> Band:
    counts = _CLASS_COUNTS if known.n_classes is None else (known.n_classes,)
    shares = [(1 / count,) * count for count in counts]
    about = (
        "3 to 100 classes of equal size (typically 10)"
        if known.n_classes is None
        else f"{known.n_classes} classes of equal size"
    )
    return _calibrated(known, shares, 1 / _USUAL_CLASSES, about)


def _calibrated(
    known: Known, choices: Sequence[tuple[float, ...]], usual: float, about: str
) -> Band:
    """Return the range over those class shares that a calibrated model can have."""
    possible = [
        shares for shares in choices if known.score < 0.99 * _log_loss_of_shares(shares)
    ]
    if not possible:
        basis = (
            f"Worse than predicting the class shares everywhere ({about}), so not "
            "calibrated: rows that vary 0.3 to 2.5 times as much as their mean."
        )
        return _band(known.score, (0.3, 0.8, 2.5), basis)
    nearest = min(possible, key=lambda shares: abs(shares[0] - usual))
    values = [_log_loss_sd(known.score, shares) for shares in possible]
    typical = _log_loss_sd(known.score, nearest)
    basis = f"Calibrated predictions with a Dirichlet law, {about}."
    return _band([min(values), typical, max(values)], (0.78, 1.1, 1.55), basis)


def brier(known: Known) -> Band:
    choices = _PREVALENCES if known.prevalence is None else (known.prevalence,)
    possible = [share for share in choices if known.score < share * (1 - share)]
    if not possible:
        return bounded(known)
    values = [_brier_sd(known.score, share) for share in possible]
    nearest = min(possible, key=lambda share: abs(share - _USUAL_PREVALENCE))
    typical = _brier_sd(known.score, nearest)
    basis = f"Calibrated predictions with a Beta law, {_positives(known)}."
    return _band([min(values), typical, max(values)], (0.75, 1.05, 1.45), basis)


def root_mean_square(known: Known) -> Band:
    values = _over_kurtosis(known, lambda tails: known.score * sqrt((tails - 1) / 4))
    return _band(values, (1, 1, 1), f"Independent {_tails(known)}.")


def mean_square(known: Known) -> Band:
    values = _over_kurtosis(known, lambda tails: known.score * sqrt(tails - 1))
    return _band(values, (1, 1, 1), f"Independent {_tails(known)}.")


def mean_absolute(known: Known) -> Band:
    values = _over_kurtosis(known, lambda tails: known.score * _mae_ratio(tails))
    return _band(values, (1, 1, 1), f"Normal errors of varying scale: {_tails(known)}.")


def median_absolute(known: Known) -> Band:
    basis = "Symmetric errors between the normal and the Laplace law."
    return _band(known.score, (1.16, 1.3, 1.45), basis)


def pinball(known: Known) -> Band:
    if known.metric.parameter is None:
        return _nothing("The pinball loss needs its quantile, as in 'pinball_0.9'.")
    value = known.score * _pinball_ratio(known.metric.parameter)
    return _band(value, (0.9, 1.15, 1.45), "Exact quantiles of nearly normal values.")


def r2(known: Known) -> Band:
    if known.score < _LEAST_R2:
        # Predictions that know nothing, of a share g of the labels' variance, score -g,
        # with a row's variance of 4 g (1 + g) where both are normal.
        wide = max(-known.score, _LEAST_R2)
        basis = "Predictions that know next to nothing of the labels."
        return _band(2 * sqrt(wide * (1 + wide)), (0.7, 1.2, 3.0), basis)
    value = 2 * sqrt(known.score) * (1 - known.score)
    basis = "Normal to heavy-tailed labels and errors, predictions without bias."
    return _band(value, (0.85, 1.2, 1.75), basis)


def pearson(known: Known) -> Band:
    basis = "Normal to heavy-tailed data."
    return _band(1 - known.score**2, (0.95, 1.2, 1.75), basis)


def concordance(known: Known) -> Band:
    basis = "Normal to heavy-tailed data, predictions with little bias."
    return _band(1 - known.score**2, (0.6, 1.2, 1.75), basis)


def spearman(known: Known) -> Band:
    value = (1 - known.score**2) * sqrt(1 + known.score**2 / 2)
    return _band(value, (0.95, 1.05, 1.35), "Nearly normal data (Bonett and Wright).")


def kendall(known: Known) -> Band:
    value = _kendall_sd(known.score)
    return _band(value, (0.85, 1.0, 1.3), "Nearly normal data.")


def quadratic_kappa(known: Known) -> Band:
    if known.n_classes == 2:
        return kappa(known)
    basis = "Three grades or more that follow a latent normal scale."
    return _band(1 - known.score**2, (0.95, 1.15, 1.6), basis)


def kappa(known: Known) -> Band:
    if known.n_classes is not None and known.n_classes > 2:
        value = _kappa_sd(known.score, known.n_classes)
        basis = f"{known.n_classes} classes, none very rare."
        return _band(value, (0.9, 1.05, 1.3), basis)
    values = _over_prevalence(known, lambda share: _phi_sd(known.score, share))
    basis = f"Two classes, {_positives(known)}, as many predicted as true."
    return _band(values, (0.85, 1.0, 1.25), basis)


def fbeta(known: Known) -> Band:
    beta = known.metric.parameter
    if beta is None:
        return _nothing("F-beta needs its beta: name it, as in 'f1' or 'f2_macro'.")

    def rule(predicted: float) -> list[float]:
        return _over_prevalence(
            known, lambda share: _fbeta_sd(known.score, share, beta, predicted)
        )

    low, typical, high = rule(2.0)[0], rule(1.0)[1], rule(0.5)[2]
    basis = f"{_positives(known)}, half to twice as many predicted as true."
    return _band([min(low, typical), typical, max(typical, high)], (1, 1, 1), basis)


def recall(known: Known) -> Band:
    """Return the noise of the share of one class; of the other for specificity."""
    other = known.metric.family == "specificity"

    def model(share: float) -> float:
        size = 1 - share if other else share
        return _proportion_sd(known.score) / sqrt(size)

    basis = f"Binomial in the number of rows of the class, {_positives(known)}."
    return _band(_over_prevalence(known, model), (1, 1, 1), basis)


def precision(known: Known) -> Band:
    values = _over_prevalence(
        known, lambda share: _proportion_sd(known.score) / sqrt(share)
    )
    basis = f"{_positives(known)}, half to twice as many predicted as true."
    return _band(values, (sqrt(0.5), 1, sqrt(2)), basis)


def balanced_accuracy(known: Known) -> Band:
    if known.prevalence is None:
        return over_classes(known)

    def model(tilt: float) -> float:
        return _balanced_accuracy_sd(known.score, known.prevalence or nan, tilt)

    values = [model(tilt / 10) for tilt in range(-9, 10)]
    basis = f"Two classes, {_positives(known)}, recalls that may differ."
    return _band([min(values), model(0), max(values)], (1, 1, 1), basis)


def over_classes(known: Known) -> Band:
    basis = "Classes of like to uneven size; a rare class adds noise."
    return _band(_proportion_sd(known.score), (0.9, 1.2, 2.5), basis)


def over_rows(known: Known) -> Band:
    basis = "One label a row, nearly an accuracy."
    return _band(_proportion_sd(known.score), (0.9, 1.0, 1.15), basis)


def _proportion_sd(mean: float) -> float:
    """Return sqrt(m (1 - m)): exact for 0 and 1, the most for rows in between."""
    return sqrt(max(0.0, mean * (1 - mean)))


def _auc_sd(auc: float, prevalence: float) -> float:
    """Return the sd under normal scores of equal variance in both classes.

    The variance of a structural component is Q - A^2, where Q, the chance that a row of
    one class lies above two of the other, is a bivariate normal probability.
    """
    area = max(auc, 1 - auc)
    height = float(scipy.special.ndtri(area))
    if not np.isfinite(height):
        return 0.0
    below = scipy.special.ndtr(height)
    both = float(below - 2 * scipy.special.owens_t(height, sqrt(1 / 3)))
    return sqrt(max(0.0, both - area**2) / (prevalence * (1 - prevalence)))


def _log_loss_of_shares(shares: tuple[float, ...]) -> float:
    """Return the log loss of predicting the class shares everywhere."""
    return -sum(share * log(share) for share in shares)


@lru_cache(maxsize=4096)
def _log_loss_sd(loss: float, shares: tuple[float, ...]) -> float:
    """Return the sd of row losses of calibrated predictions with a Dirichlet law.

    Predictions p ~ Dirichlet(phi * shares), the class drawn from p: then -ln p of the
    true class has moments in digamma and trigamma functions, and phi solves E = loss.
    """
    from scipy.optimize import brentq  # slow to import, and needed here alone

    if loss <= 0:
        return 0.0
    share = np.array(shares)
    digamma, polygamma = scipy.special.digamma, scipy.special.polygamma

    def moments(log_phi: float) -> tuple[float, float]:
        phi = exp(log_phi)
        mean = digamma(phi + 1) - digamma(share * phi + 1)
        var = polygamma(1, share * phi + 1) - polygamma(1, phi + 1)
        first = float(share @ mean)
        return first, float(share @ (var + mean**2)) - first**2

    log_phi = brentq(lambda value: moments(value)[0] - loss, -40.0, 25.0)
    return sqrt(max(0.0, moments(log_phi)[1]))


def _brier_sd(score: float, prevalence: float) -> float:
    """Return the sd of row losses of calibrated predictions that follow a Beta law."""
    base = prevalence * (1 - prevalence)
    if not 0 < score < base:
        return 0.0
    phi = score / (base - score)
    a, b = prevalence * phi, (1 - prevalence) * phi
    squares = a * (a + 1) * b * (b + 1) / (phi * (phi + 1) * (phi + 2) * (phi + 3))
    return sqrt(max(0.0, score - 3 * squares - score**2))


def _fbeta_sd(
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


def _balanced_accuracy_sd(score: float, prevalence: float, tilt: float = 0.0) -> float:
    """Return the sd for two classes whose recalls are ``score`` plus and minus tilt."""
    tilt *= min(score, 1 - score)
    first, second = score + tilt, score - tilt
    return 0.5 * sqrt(
        max(0.0, first * (1 - first)) / prevalence
        + max(0.0, second * (1 - second)) / (1 - prevalence)
    )


def _phi_sd(score: float, prevalence: float) -> float:
    """Return the sd of MCC and kappa of two classes, as many predicted as true."""
    spread = (1 - 2 * prevalence) ** 2 / (prevalence * (1 - prevalence))
    return sqrt(max(0.0, 1 - score**2 + spread * score * (1 - score) * (1 - score / 2)))


def _kappa_sd(score: float, n_classes: int) -> float:
    """Return Cohen's sd of kappa for classes of equal size; MCC has nearly the same."""
    chance = 1 / n_classes
    return _proportion_sd(chance + score * (1 - chance)) / (1 - chance)


def _kendall_sd(tau: float) -> float:
    """Return the sd of Kendall's tau in normal data."""
    correlation = sin(pi * tau / 2)
    return 2 * sqrt(max(0.0, 1 / 9 - (2 / pi * asin(correlation / 2)) ** 2))


def _mae_ratio(kurtosis: float) -> float:
    """Return sd / MAE of normal errors of varying scale with a given kurtosis."""
    return sqrt(max(0.0, pi / 2 * (kurtosis / 3) ** 0.25 - 1))


def _pinball_ratio(quantile: float) -> float:
    """Return sd / mean of the pinball loss of exact quantiles of normal values."""
    z = float(scipy.special.ndtri(quantile))
    density = exp(-(z**2) / 2) / sqrt(2 * pi)
    above = (1 + z**2) * (1 - quantile) - z * density
    below = (1 + z**2) * quantile + z * density
    second = quantile**2 * above + (1 - quantile) ** 2 * below
    return sqrt(second / density**2 - 1)
