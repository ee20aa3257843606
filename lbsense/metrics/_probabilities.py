"""Metrics of probabilities and of rankings, most of them means over rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lbsense._typing import FloatArray
from lbsense.metrics._inputs import Case, class_numbers
from lbsense.metrics._ranks import auc_of, check_two_classes
from lbsense.metrics._rows import Parts, mean_of

__all__ = ["CLASS_RULES", "PROBABILITY_RULES", "RANKING_RULES"]

_SUM_TOLERANCE = 0.01  # what rounding to two decimals leaves


def _log_loss(case: Case) -> Parts:
    """Return the mean of -ln of the probability given to what happened."""
    _check_probabilities(case.pred)
    given = case.pred - ~case.y[:, np.newaxis]
    np.abs(given, out=given)
    return mean_of(_negative_log(given, case.eps), case.weight)


def _brier(case: Case) -> Parts:
    _check_probabilities(case.pred)
    error = case.pred - case.y[:, np.newaxis]
    return mean_of(np.multiply(error, error, out=error), case.weight)


def _negative_log(given: FloatArray, eps: float) -> FloatArray:
    np.clip(given, eps, 1 - eps, out=given)
    np.log(given, out=given)
    return np.negative(given, out=given)


def _check_probabilities(pred: FloatArray) -> None:
    low, high = pred.min(), pred.max()
    if low < 0 or high > 1:
        msg = (
            "y_pred must hold probabilities in [0, 1], found the range "
            f"{low:g} to {high:g}. Pass probabilities, not margins, logits or labels "
            "that start at 1."
        )
        raise ValueError(msg)


def _multiclass_log_loss(case: Case) -> Parts:
    """Return the mean of -ln p of the true class, rows rescaled to a sum of 1."""
    _check_probabilities(case.pred)
    n_submissions, n_rows, n_classes = case.pred.shape
    codes = class_numbers(case.y, n_classes)
    rows = np.arange(n_rows)
    given = np.empty((n_rows, n_submissions))
    for j, table in enumerate(case.pred):
        total = table.sum(axis=1)
        furthest = int(np.argmax(np.abs(total - 1)))
        if abs(total[furthest] - 1) > _SUM_TOLERANCE:
            msg = (
                f"The probabilities of a row must sum to 1, but those of row "
                f"{furthest} sum to {total[furthest]:g}. Divide each row by its sum."
            )
            raise ValueError(msg)
        given[:, j] = table[rows, codes] / total
    return mean_of(_negative_log(given, case.eps), case.weight)


def _top_k_accuracy(case: Case) -> Parts:
    """Return the share of rows whose class is among the k most probable."""
    if case.metric.parameter is None:
        msg = "Top-k accuracy needs its k: name it, as in 'top_3_accuracy'."
        raise ValueError(msg)
    codes = class_numbers(case.y, case.pred.shape[2])
    hits = np.empty(case.pred.shape[1::-1])
    columns = np.arange(case.pred.shape[2])
    for j, table in enumerate(case.pred):
        own = table[np.arange(len(codes)), codes][:, np.newaxis]
        # Among equals the later class comes first, as in scikit-learn.
        ahead = (table > own) | ((table == own) & (columns > codes[:, np.newaxis]))
        hits[:, j] = ahead.sum(axis=1) < case.metric.parameter
    return mean_of(hits, case.weight)


def _roc_auc_ovr(case: Case) -> Parts:
    """Return the mean over classes of the AUC of each against the rest."""
    n_submissions, n_rows, n_classes = case.pred.shape
    codes = class_numbers(case.y, n_classes)
    mass = np.ones(n_rows) if case.weight is None else case.weight
    scores = np.zeros(n_submissions)
    psi = np.zeros((n_rows, n_submissions), order="F")
    for label in range(n_classes):
        positive = codes == label
        check_two_classes(positive, mass, f"AUC of class {label}")
        for j, table in enumerate(case.pred):
            auc, column = auc_of(np.ascontiguousarray(table[:, label]), positive, mass)
            scores[j] += auc / n_classes
            psi[:, j] += column / n_classes
    return scores, psi


def _ranking(case: Case, gain: Callable[[FloatArray, int], FloatArray]) -> Parts:
    """Return the mean gain of the place, from 1 on, at which the true label stands."""
    if case.y.ndim != 1:
        msg = (
            f"{case.metric.name} has influence values when each row has one true "
            f"label, y_true of shape (n,); got {case.y.shape}. Use the bootstrap."
        )
        raise ValueError(msg)
    width = case.pred.shape[2]
    k = width if case.metric.parameter is None else int(case.metric.parameter)
    rows = np.empty(case.pred.shape[1::-1])
    for j, ranked in enumerate(case.pred[:, :, :k]):
        found = ranked == case.y[:, np.newaxis]
        place = np.where(found.any(axis=1), 1.0 + found.argmax(axis=1), np.inf)
        rows[:, j] = gain(place, k)
    return mean_of(rows, case.weight)


def _reciprocal(case: Case) -> Parts:
    return _ranking(case, lambda place, _: 1 / place)


def _recall(case: Case) -> Parts:
    return _ranking(case, lambda place, _: np.isfinite(place).astype(np.float64))


def _precision(case: Case) -> Parts:
    return _ranking(case, lambda place, k: np.isfinite(place) / k)


def _ndcg(case: Case) -> Parts:
    return _ranking(case, lambda place, _: 1 / np.log2(1 + place))


PROBABILITY_RULES: dict[str, Callable[[Case], Parts]] = {
    "log_loss": _log_loss,
    "brier": _brier,
}
CLASS_RULES: dict[str, Callable[[Case], Parts]] = {
    "multiclass_log_loss": _multiclass_log_loss,
    "top_k_accuracy": _top_k_accuracy,
    "roc_auc_ovr": _roc_auc_ovr,
}
RANKING_RULES: dict[str, Callable[[Case], Parts]] = {
    "map_at_k": _reciprocal,
    "mrr": _reciprocal,
    "ndcg_at_k": _ndcg,
    "recall_at_k": _recall,
    "precision_at_k": _precision,
}
