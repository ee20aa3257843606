"""From a score to the range of its noise: one rule for each family of metrics.

The factors around a model hold at least nineteen of twenty simulated data sets, among
them such as break the model: tests/metrics/test_score_noise.py draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import TypeAlias

from lbsense.metrics import _sd_models as models
from lbsense.metrics._metric import Metric

__all__ = ["Band", "Known", "band_of"]

Band: TypeAlias = tuple[float, float, float, str]  # low, typical, high, basis

_PREVALENCES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
_USUAL_PREVALENCE = 0.2
_KURTOSES = (3.0, 5.0, 7.8)  # normal errors, usual ones, heavy tails
_CLASS_COUNTS = (3, 5, 10, 30, 100)
_USUAL_CLASSES = 10

_NEEDS_PREDICTIONS = (
    "The noise of this metric cannot be told from the score: it needs predictions."
)
_AT_THE_EDGE = " At the edge of its range the score shows no noise at all."


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The score and what else is known of the data."""

    metric: Metric
    score: float
    prevalence: float | None
    n_classes: int | None
    kurtosis: float | None

    def over_prevalence(self, model: Callable[[float], float]) -> list[float]:
        """Return the model at the known prevalence, or its range over usual ones."""
        if self.prevalence is not None:
            return [model(self.prevalence)] * 3
        values = [model(prevalence) for prevalence in _PREVALENCES]
        return [min(values), model(_USUAL_PREVALENCE), max(values)]

    def over_kurtosis(self, model: Callable[[float], float]) -> list[float]:
        """Return the model at the known kurtosis, or its range over usual ones."""
        if self.kurtosis is not None:
            return [model(self.kurtosis)] * 3
        return [model(kurtosis) for kurtosis in _KURTOSES]

    @property
    def positives(self) -> str:
        """The share of positives, for a sentence."""
        if self.prevalence is None:
            return "5 to 50% positives (typically 20%)"
        return f"{100 * self.prevalence:.3g}% positives"

    @property
    def tails(self) -> str:
        """The tails of the errors, for a sentence."""
        if self.kurtosis is None:
            return "errors of mean 0 and kurtosis 3 (normal) to 7.8, typically 5"
        return f"errors of mean 0 and kurtosis {self.kurtosis:.3g}"


_Rule: TypeAlias = Callable[[Known], Band]


def band_of(known: Known) -> Band:
    """Return least, usual and greatest standard deviation and their basis."""
    metric = known.metric
    if not (isfinite(known.score) and metric.contains(known.score)):
        return _nothing(
            f"A score of {known.score:g} is not one that the metric gives: its range "
            f"is {metric.low:g} to {metric.high:g}."
        )
    rule = _rule_of(metric)
    if rule is None:
        return _nothing(_NEEDS_PREDICTIONS)
    low, typical, high, basis = rule(known)
    return low, typical, high, basis + (_AT_THE_EDGE if high == 0 else "")


def _nothing(reason: str) -> Band:
    return nan, nan, nan, reason


def _band(
    values: float | list[float], factors: tuple[float, float, float], basis: str
) -> Band:
    base = values if isinstance(values, list) else [values] * 3
    low, typical, high = (a * b for a, b in zip(base, factors, strict=True))
    return low, typical, high, basis


def _proportion(known: Known) -> Band:
    value = models.proportion_sd(known.score)
    return _band(value, (1, 1, 1), "Exact for a share of rows: sqrt(p (1 - p)).")


def _bounded(known: Known) -> Band:
    return _band(
        models.proportion_sd(known.score),
        (0.4, 0.7, 1.0),
        "A mean of rows between 0 and 1 varies by at most sqrt(m (1 - m)); less when "
        "many rows lie in between.",
    )


def _auc(known: Known) -> Band:
    scale = 2.0 if known.metric.family == "normalized_gini" else 1.0
    area = (known.score + 1) / 2 if scale == 2 else known.score
    values = known.over_prevalence(lambda share: scale * models.auc_sd(area, share))
    basis = f"Normal scores of equal variance in both classes, {known.positives}."
    return _band(values, (0.55, 1.0, 1.3), basis)


def _average_precision(known: Known) -> Band:
    values = known.over_prevalence(
        lambda share: models.proportion_sd(known.score) / sqrt(share)
    )
    basis = f"Binomial in the number of positives, {known.positives}."
    return _band(values, (0.55, 0.92, 1.15), basis)


def _log_loss(known: Known) -> Band:
    if known.n_classes is not None and known.n_classes > 2:
        return _multiclass_log_loss(known)
    shares = [(share, 1 - share) for share in _PREVALENCES]
    if known.prevalence is not None:
        shares = [(known.prevalence, 1 - known.prevalence)]
    return _calibrated(known, shares, _USUAL_PREVALENCE, known.positives)


def _multiclass_log_loss(known: Known) -> Band:
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
        shares
        for shares in choices
        if known.score < 0.99 * models.log_loss_of_shares(shares)
    ]
    if not possible:
        basis = (
            f"Worse than predicting the class shares everywhere ({about}), so not "
            "calibrated: rows that vary 0.3 to 2.5 times as much as their mean."
        )
        return _band(known.score, (0.3, 0.8, 2.5), basis)
    nearest = min(possible, key=lambda shares: abs(shares[0] - usual))
    values = [models.log_loss_sd(known.score, shares) for shares in possible]
    typical = models.log_loss_sd(known.score, nearest)
    basis = f"Calibrated predictions with a Dirichlet law, {about}."
    return _band([min(values), typical, max(values)], (0.78, 1.1, 1.55), basis)


def _brier(known: Known) -> Band:
    choices = _PREVALENCES if known.prevalence is None else (known.prevalence,)
    possible = [share for share in choices if known.score < share * (1 - share)]
    if not possible:
        return _bounded(known)
    values = [models.brier_sd(known.score, share) for share in possible]
    nearest = min(possible, key=lambda share: abs(share - _USUAL_PREVALENCE))
    typical = models.brier_sd(known.score, nearest)
    basis = f"Calibrated predictions with a Beta law, {known.positives}."
    return _band([min(values), typical, max(values)], (0.75, 1.05, 1.45), basis)


def _root_mean_square(known: Known) -> Band:
    values = known.over_kurtosis(lambda tails: known.score * sqrt((tails - 1) / 4))
    return _band(values, (1, 1, 1), f"Independent {known.tails}.")


def _mean_square(known: Known) -> Band:
    values = known.over_kurtosis(lambda tails: known.score * sqrt(tails - 1))
    return _band(values, (1, 1, 1), f"Independent {known.tails}.")


def _mean_absolute(known: Known) -> Band:
    values = known.over_kurtosis(lambda tails: known.score * models.mae_ratio(tails))
    return _band(values, (1, 1, 1), f"Normal errors of varying scale: {known.tails}.")


def _median_absolute(known: Known) -> Band:
    basis = "Symmetric errors between the normal and the Laplace law."
    return _band(known.score, (1.16, 1.3, 1.45), basis)


def _pinball(known: Known) -> Band:
    if known.metric.parameter is None:
        return _nothing("The pinball loss needs its quantile, as in 'pinball_0.9'.")
    value = known.score * models.pinball_ratio(known.metric.parameter)
    return _band(value, (0.9, 1.15, 1.45), "Exact quantiles of nearly normal values.")


def _r2(known: Known) -> Band:
    if known.score <= 0:
        return _nothing(
            "A score of 0 or less does not tell how errors and labels vary."
        )
    value = 2 * sqrt(known.score) * (1 - known.score)
    basis = "Normal to heavy-tailed labels and errors, predictions without bias."
    return _band(value, (0.85, 1.2, 1.75), basis)


def _pearson(known: Known) -> Band:
    basis = "Normal to heavy-tailed data."
    return _band(1 - known.score**2, (0.95, 1.2, 1.75), basis)


def _concordance(known: Known) -> Band:
    basis = "Normal to heavy-tailed data, predictions with little bias."
    return _band(1 - known.score**2, (0.6, 1.2, 1.75), basis)


def _spearman(known: Known) -> Band:
    value = (1 - known.score**2) * sqrt(1 + known.score**2 / 2)
    return _band(value, (0.95, 1.05, 1.35), "Nearly normal data (Bonett and Wright).")


def _kendall(known: Known) -> Band:
    value = models.kendall_sd(known.score)
    return _band(value, (0.85, 1.0, 1.3), "Nearly normal data.")


def _quadratic_kappa(known: Known) -> Band:
    if known.n_classes == 2:
        return _kappa(known)
    basis = "Three grades or more that follow a latent normal scale."
    return _band(1 - known.score**2, (0.95, 1.15, 1.6), basis)


def _kappa(known: Known) -> Band:
    if known.n_classes is not None and known.n_classes > 2:
        value = models.kappa_sd(known.score, known.n_classes)
        basis = f"{known.n_classes} classes, none very rare."
        return _band(value, (0.9, 1.05, 1.3), basis)
    values = known.over_prevalence(lambda share: models.phi_sd(known.score, share))
    basis = f"Two classes, {known.positives}, as many predicted as true."
    return _band(values, (0.85, 1.0, 1.25), basis)


def _fbeta(known: Known) -> Band:
    beta = known.metric.parameter
    if beta is None:
        return _nothing("F-beta needs its beta: name it, as in 'f1' or 'f2_macro'.")

    def rule(predicted: float) -> list[float]:
        return known.over_prevalence(
            lambda share: models.fbeta_sd(known.score, share, beta, predicted)
        )

    low, typical, high = rule(2.0)[0], rule(1.0)[1], rule(0.5)[2]
    basis = f"{known.positives}, half to twice as many predicted as true."
    return _band([min(low, typical), typical, max(typical, high)], (1, 1, 1), basis)


def _recall(known: Known) -> Band:
    """Return the noise of the share of one class; of the other for specificity."""
    other = known.metric.family == "specificity"

    def model(share: float) -> float:
        size = 1 - share if other else share
        return models.proportion_sd(known.score) / sqrt(size)

    basis = f"Binomial in the number of rows of the class, {known.positives}."
    return _band(known.over_prevalence(model), (1, 1, 1), basis)


def _precision(known: Known) -> Band:
    values = known.over_prevalence(
        lambda share: models.proportion_sd(known.score) / sqrt(share)
    )
    basis = f"{known.positives}, half to twice as many predicted as true."
    return _band(values, (sqrt(0.5), 1, sqrt(2)), basis)


def _balanced_accuracy(known: Known) -> Band:
    if known.prevalence is None:
        return _over_classes(known)

    def model(tilt: float) -> float:
        return models.balanced_accuracy_sd(known.score, known.prevalence or nan, tilt)

    values = [model(tilt / 10) for tilt in range(-9, 10)]
    basis = f"Two classes, {known.positives}, recalls that may differ."
    return _band([min(values), model(0), max(values)], (1, 1, 1), basis)


def _over_classes(known: Known) -> Band:
    basis = "Classes of like to uneven size; a rare class adds noise."
    return _band(models.proportion_sd(known.score), (0.9, 1.2, 2.5), basis)


def _over_rows(known: Known) -> Band:
    basis = "One label a row, nearly an accuracy."
    return _band(models.proportion_sd(known.score), (0.9, 1.0, 1.15), basis)


_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("accuracy", "error_rate", "top_k_accuracy"), _proportion),
    **dict.fromkeys(
        ("jaccard", "dice", "map_at_k", "mrr", "ndcg_at_k", "recall_at_k"), _bounded
    ),
    **dict.fromkeys(("precision_at_k", "hamming_loss", "lwlrap"), _bounded),
    "roc_auc": _auc,
    "normalized_gini": _auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "multiclass_log_loss": _multiclass_log_loss,
    "brier": _brier,
    "rmse": _root_mean_square,
    "rmsle": _root_mean_square,
    "mse": _mean_square,
    "msle": _mean_square,
    "mae": _mean_absolute,
    "median_absolute_error": _median_absolute,
    "pinball": _pinball,
    "r2": _r2,
    "explained_variance": _r2,
    "pearson": _pearson,
    "concordance_correlation": _concordance,
    "spearman": _spearman,
    "kendall": _kendall,
    "quadratic_kappa": _quadratic_kappa,
    "cohen_kappa": _kappa,
    "mcc": _kappa,
    "fbeta": _fbeta,
    "precision": _precision,
    "recall": _recall,
    "specificity": _recall,
    "balanced_accuracy": _balanced_accuracy,
}

_AVERAGED_RULES: dict[tuple[str, str], _Rule] = {
    **dict.fromkeys(
        [(f, "samples") for f in ("fbeta", "precision", "recall", "jaccard")], _bounded
    ),
    **dict.fromkeys(
        [(f, "macro") for f in ("fbeta", "precision", "recall")], _over_classes
    ),
    **dict.fromkeys([(f, "weighted") for f in ("fbeta", "precision")], _over_rows),
    **dict.fromkeys(
        [(f, "micro") for f in ("fbeta", "precision", "recall")], _over_rows
    ),
    ("recall", "weighted"): _over_rows,
}


def _rule_of(metric: Metric) -> _Rule | None:
    if metric.average is not None:
        return _AVERAGED_RULES.get((metric.family, metric.average))
    return _RULES.get(metric.family)
