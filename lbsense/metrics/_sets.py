"""Metrics of sets: several labels a row, masks, and metrics averaged over columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lbsense._typing import FloatArray
from lbsense.metrics._counts import Overlap, overlap_of
from lbsense.metrics._inputs import Case, as_indicators, as_positive, as_values
from lbsense.metrics._probabilities import PROBABILITY_RULES
from lbsense.metrics._ranks import EVENT_RULES
from lbsense.metrics._rows import VALUE_RULES, Parts, mean_of, ratio_of, weighted_mean

__all__ = ["COLUMN_RULES", "SET_FAMILIES", "set_parts"]

SET_FAMILIES = frozenset(
    {
        "fbeta",
        "precision",
        "recall",
        "jaccard",
        "dice",
        "hamming_loss",
        "accuracy",
        "error_rate",
    }
)


def set_parts(case: Case) -> Parts:
    """Return the parts of a metric of sets, ``y`` (n, labels), ``pred`` (k, n, labels).

    Accuracy asks for the whole row; two empty sets agree fully under Dice and Jaccard
    and not at all under the F-measures, precision and recall, as in scikit-learn.
    """
    true = as_indicators(case.y, name="y_true")
    if true.shape != case.pred.shape[1:]:
        msg = f"y_pred must hold tables of shape {true.shape}, got {case.pred.shape}."
        raise ValueError(msg)
    pred = as_indicators(case.pred, name="y_pred")
    parts = [_one(case, true, table) for table in pred]
    return np.array([score for score, _ in parts]), np.column_stack(
        [psi for _, psi in parts]
    )


def _one(case: Case, true: FloatArray, pred: FloatArray) -> tuple[float, FloatArray]:
    family, average, weight = case.metric.family, case.metric.average, case.weight
    wrong = true != pred
    if family == "hamming_loss":
        return _only(mean_of(wrong.mean(axis=1)[:, np.newaxis], weight))
    if family in ("accuracy", "error_rate"):
        whole = wrong.any(axis=1) if family == "error_rate" else ~wrong.any(axis=1)
        return _only(mean_of(whole[:, np.newaxis].astype(np.float64), weight))
    overlap = overlap_of(case.metric)
    hit = true * pred
    above, below = overlap.hit * hit, _below(overlap, true, pred, hit)
    if average == "samples" or (average is None and family in ("jaccard", "dice")):
        return _only(mean_of(_row_overlap(family, above, below), weight))
    if average == "micro":
        pooled_above, pooled_below = (
            a.sum(axis=1)[:, np.newaxis] for a in (above, below)
        )
        return _only(ratio_of(pooled_above, pooled_below, weight))
    if average is None:
        names = ", ".join(
            f"{case.metric.name}_{a}" for a in ("samples", "macro", "micro")
        )
        msg = f"Say how {case.metric.name} averages over several labels: {names}."
        raise ValueError(msg)
    scores, psi = ratio_of(above, below, weight)
    psi[:, np.isnan(scores)] = 0.0
    scores = np.nan_to_num(scores)
    if average == "macro":
        return float(scores.mean()), psi.mean(axis=1)
    support = weighted_mean(true, weight)
    score = float(support @ scores / support.sum())
    moved = psi @ support + (true - support) @ (scores - score)
    return score, moved / support.sum()


def _below(
    overlap: Overlap, true: FloatArray, pred: FloatArray, hit: FloatArray
) -> FloatArray:
    return np.asarray(
        overlap.by_true * true + overlap.by_predicted * pred + overlap.by_hit * hit
    )


def _row_overlap(family: str, above: FloatArray, below: FloatArray) -> FloatArray:
    empty = 1.0 if family in ("jaccard", "dice") else 0.0
    above, below = above.sum(axis=1), below.sum(axis=1)
    rows = np.divide(above, below, out=np.full_like(above, empty), where=below > 0)
    return rows[:, np.newaxis]


def _only(parts: Parts) -> tuple[float, FloatArray]:
    scores, psi = parts
    return float(scores[0]), psi[:, 0]


def _columnwise(case: Case, rule: Callable[[Case], Parts], *, events: bool) -> Parts:
    """Return the mean over the columns of ``y`` of a metric of one column."""
    if case.y.ndim != 2 or case.y.shape != case.pred.shape[1:]:
        msg = (
            f"{case.metric.name} needs y_true of shape (n, c) and y_pred of shape "
            f"(n, c) or (k, n, c), got {case.y.shape} and {case.pred.shape}."
        )
        raise ValueError(msg)
    n_columns = case.y.shape[1]
    scores = np.zeros(len(case.pred))
    psi = np.zeros((len(case.y), len(case.pred)))
    for i in range(n_columns):
        column = case.y[:, i]
        y = as_positive(column) if events else as_values(column)
        pred = np.ascontiguousarray(case.pred[:, :, i].T)
        column_scores, column_psi = rule(replace(case, y=y, pred=pred))
        scores += column_scores / n_columns
        psi += column_psi / n_columns
    return scores, psi


COLUMN_RULES: dict[str, Callable[[Case], Parts]] = {
    "mean_columnwise_auc": lambda case: _columnwise(
        case, EVENT_RULES["roc_auc"], events=True
    ),
    "mean_columnwise_log_loss": lambda case: _columnwise(
        case, PROBABILITY_RULES["log_loss"], events=True
    ),
    "mcrmse": lambda case: _columnwise(case, VALUE_RULES["rmse"], events=False),
    "mcrmsle": lambda case: _columnwise(case, VALUE_RULES["rmsle"], events=False),
}
