"""Metrics of predicted labels: functions of the shares of true, predicted and hit.

With t_c the share of rows whose label is c, p_c of those predicted c, and h_c of those
that are both, each metric is a smooth function T(t, p, h). The influence of a row with
label a and prediction b is dT/dt_a + dT/dp_b + [a = b] dT/dh_a, less its mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.metrics.inputs import as_classes, as_indicators, check_whole, shown
from lbsense.metrics.means import concordance, mean_of, ratio_of, weighted_mean
from lbsense.metrics.record import AnyArray, Case, Metric, Parts


@dataclass(frozen=True, slots=True)
class _Overlap:
    """A measure h a / (b t + c p + d h) of how true and predicted sets overlap."""

    hit: float
    by_true: float
    by_predicted: float
    by_hit: float


_OVERLAPS = {
    "precision": _Overlap(1, 0, 1, 0),
    "recall": _Overlap(1, 1, 0, 0),
    "jaccard": _Overlap(1, 1, 1, -1),
    "dice": _Overlap(2, 1, 1, 0),
    "specificity": _Overlap(1, 1, 0, 0),  # the recall of the other label
}

_NEED_CLASSES = ("balanced_accuracy", "mcc", "cohen_kappa")


def _overlap_of(metric: Metric) -> _Overlap:
    """Return the overlap measure of a family; F-beta weighs recall by beta squared."""
    if metric.family != "fbeta":
        return _OVERLAPS[metric.family]
    if metric.parameter is None:
        msg = "F-beta needs its beta: name it, as in 'f1' or 'f2_macro'."
        raise ValueError(msg)
    square = metric.parameter**2
    return _Overlap(1 + square, square, 1, 0)


@dataclass(frozen=True, slots=True)
class _Shares:
    """Shares of the rows by class: true, predicted, and both."""

    true: FloatArray
    predicted: FloatArray
    hit: FloatArray


class _Slopes(NamedTuple):
    """The score and its slopes dT/dt, dT/dp and dT/dh; nan where T is not smooth."""

    score: float
    by_true: FloatArray
    by_predicted: FloatArray
    by_hit: FloatArray


_Rule: TypeAlias = Callable[[_Shares, AnyArray], _Slopes]


def _by_counts(case: Case, rule: _Rule) -> Parts:
    """Apply ``rule(shares, labels)`` to each submission."""
    y, pred, labels = as_classes(case.y, case.pred)
    n_rows, n_columns = pred.shape
    scores = np.empty(n_columns)
    psi = np.empty((n_rows, n_columns), order="F")
    true = _shares_of(y, case.weight, len(labels))
    if (true > 0).sum() < 2 and case.metric.family in _NEED_CLASSES:
        msg = (
            f"{case.metric.name} needs at least two classes, but every y_true is "
            f"{shown(case.y)}."
        )
        raise ValueError(msg)
    for j in range(n_columns):
        column = np.ascontiguousarray(pred[:, j])
        is_hit = column == y
        hit_weight = is_hit if case.weight is None else is_hit * case.weight
        predicted = _shares_of(column, case.weight, len(labels))
        hit = _shares_of(y, hit_weight, len(labels))
        slopes = rule(_Shares(true, predicted, hit), labels)
        scores[j] = slopes.score
        mean = (
            slopes.by_true @ true
            + slopes.by_predicted @ predicted
            + slopes.by_hit @ hit
        )
        psi[:, j] = (slopes.by_true - mean)[y]
        psi[:, j] += slopes.by_predicted[column]
        psi[:, j] += slopes.by_hit[y] * is_hit
    return scores, psi


def _shares_of(
    codes: IntArray, weight: FloatArray | BoolArray | None, n_classes: int
) -> FloatArray:
    counts = np.bincount(codes, weights=weight, minlength=n_classes)
    return np.asarray(counts / len(codes))


def _undefined(score: float, shares: _Shares) -> _Slopes:
    nowhere = np.full(len(shares.true), np.nan)
    return _Slopes(score, nowhere, nowhere, nowhere)


def _overlap_by_class(overlap: _Overlap, shares: _Shares) -> FloatArray:
    """Return overlaps, dT/dt, dT/dp and dT/dh, shape (4, classes); nan for 0 / 0."""
    below = (
        overlap.by_true * shares.true
        + overlap.by_predicted * shares.predicted
        + overlap.by_hit * shares.hit
    )
    below[below <= 0] = np.nan
    score = overlap.hit * shares.hit / below
    return np.stack(
        [
            score,
            -overlap.by_true * score / below,
            -overlap.by_predicted * score / below,
            (overlap.hit - overlap.by_hit * score) / below,
        ]
    )


def set_overlap(case: Case) -> Parts:
    overlap, average = _overlap_of(case.metric), case.metric.average
    if average is None:
        return _by_counts(case, lambda s, labels: _one_class(case, overlap, s, labels))
    if average == "samples":
        msg = (
            f"{case.metric.name} averages over rows that hold sets of labels: y_true "
            "must have shape (n, labels) and hold 0 and 1."
        )
        raise ValueError(msg)
    rule = {"micro": _micro, "macro": _macro, "weighted": _weighted}[average]
    return _by_counts(case, lambda shares, _: rule(overlap, shares))


def _one_class(
    case: Case, overlap: _Overlap, shares: _Shares, labels: AnyArray
) -> _Slopes:
    """Return the overlap of the positive class: label 1, or the greater of two."""
    name = case.metric.name
    used = labels[shares.true + shares.predicted > 0]
    if len(used) > 2:
        msg = (
            f"{name} needs two labels, found {len(used)}: for more classes use "
            f"{name}_macro, {name}_micro or {name}_weighted."
        )
        raise ValueError(msg)
    if used.dtype.kind not in "biuf":
        msg = (
            f"{name} must know which label is positive: replace {shown(used)} and the "
            "other label by 0 and 1."
        )
        raise ValueError(msg)
    known = labels[shares.true > 0]
    positive = 1 if np.isin(used, (0, 1)).all() else known[-1]
    if positive != 1 and len(known) < 2:
        msg = f"{name} needs two labels, but every y_true is {shown(known)}."
        raise ValueError(msg)
    is_positive = labels == positive
    if case.metric.family == "specificity":
        is_positive = (labels == used[0]) & ~is_positive
    overlaps = _overlap_by_class(overlap, shares)[:, is_positive]
    if overlaps.size == 0 or np.isnan(overlaps).any():
        return _undefined(0.0, shares)
    slopes = overlaps[1:] * is_positive
    return _Slopes(float(overlaps[0, 0]), *slopes)


def _macro(overlap: _Overlap, shares: _Shares) -> _Slopes:
    score, *slopes = np.nan_to_num(_overlap_by_class(overlap, shares))
    n_used = int((shares.true + shares.predicted > 0).sum())
    return _Slopes(float(score.sum()) / n_used, *(s / n_used for s in slopes))


def _weighted(overlap: _Overlap, shares: _Shares) -> _Slopes:
    score, *slopes = np.nan_to_num(_overlap_by_class(overlap, shares))
    by_true, by_predicted, by_hit = (slope * shares.true for slope in slopes)
    return _Slopes(float(score @ shares.true), by_true + score, by_predicted, by_hit)


def _micro(overlap: _Overlap, shares: _Shares) -> _Slopes:
    """Return the overlap of all classes pooled: with one label a row t = p = 1."""
    hits = float(shares.hit.sum())
    below = overlap.by_true + overlap.by_predicted + overlap.by_hit * hits
    score = overlap.hit * hits / below
    flat = np.zeros(len(shares.true))
    slope = (overlap.hit - overlap.by_hit * score) / below
    return _Slopes(score, flat, flat, flat + slope)


def balanced_accuracy(case: Case) -> Parts:
    """Return the mean recall over the classes that occur among the labels."""

    def rule(shares: _Shares, _: AnyArray) -> _Slopes:
        recall = np.nan_to_num(_overlap_by_class(_OVERLAPS["recall"], shares))
        recall /= (shares.true > 0).sum()
        return _Slopes(float(recall[0].sum()), *recall[1:])

    return _by_counts(case, rule)


def mcc(case: Case) -> Parts:
    """Return the correlation of true and predicted class, for any number of them."""

    def rule(shares: _Shares, _: AnyArray) -> _Slopes:
        true, predicted = shares.true, shares.predicted
        if (predicted > 0).sum() < 2:
            return _undefined(0.0, shares)
        var_true, var_predicted = 1 - true @ true, 1 - predicted @ predicted
        scale = np.sqrt(var_true * var_predicted)
        score = float((shares.hit.sum() - true @ predicted) / scale)
        return _Slopes(
            score,
            -predicted / scale + score * true / var_true,
            -true / scale + score * predicted / var_predicted,
            np.full(len(true), 1 / scale),
        )

    return _by_counts(case, rule)


def cohen_kappa(case: Case) -> Parts:
    def rule(shares: _Shares, _: AnyArray) -> _Slopes:
        true, predicted = shares.true, shares.predicted
        agreed, chance = float(shares.hit.sum()), float(true @ predicted)
        slope = -(1 - agreed) / (1 - chance) ** 2
        by_hit = np.full(len(true), 1 / (1 - chance))
        score = (agreed - chance) / (1 - chance)
        return _Slopes(score, slope * predicted, slope * true, by_hit)

    return _by_counts(case, rule)


def quadratic_kappa(case: Case) -> Parts:
    if case.y.dtype.kind not in "biuf":
        msg = f"The quadratic kappa needs grades that are numbers, got {shown(case.y)}."
        raise ValueError(msg)
    check_whole(case.y, case.pred)
    if np.ptp(case.y) == 0:
        msg = f"The quadratic kappa needs two grades, every y_true is {shown(case.y)}."
        raise ValueError(msg)
    return concordance(case)


def _is_equal(case: Case) -> FloatArray:
    y, pred, _ = as_classes(case.y, case.pred)
    return np.asarray(pred == y[:, np.newaxis], dtype=np.float64)


def accuracy(case: Case) -> Parts:
    return mean_of(_is_equal(case), case.weight)


def error_rate(case: Case) -> Parts:
    return mean_of(1 - _is_equal(case), case.weight)


def sets(case: Case) -> Parts:
    """Return the parts of a metric of sets, ``y`` (n, labels), ``pred`` (k, n, labels).

    Accuracy asks for the whole row; two empty sets agree fully under Dice and Jaccard
    and not at all under the F-measures, precision and recall, as in scikit-learn.
    """
    true = as_indicators(case.y, name="y_true")
    if true.shape != case.pred.shape[1:]:
        msg = f"y_pred must hold tables of shape {true.shape}, got {case.pred.shape}."
        raise ValueError(msg)
    pred = as_indicators(case.pred, name="y_pred")
    parts = [_one_table(case, true, table) for table in pred]
    return np.array([score for score, _ in parts]), np.column_stack(
        [psi for _, psi in parts]
    )


def _one_table(
    case: Case, true: FloatArray, pred: FloatArray
) -> tuple[float, FloatArray]:
    family, average, weight = case.metric.family, case.metric.average, case.weight
    wrong = true != pred
    if family == "hamming_loss":
        return _only(mean_of(wrong.mean(axis=1)[:, np.newaxis], weight))
    if family in ("accuracy", "error_rate"):
        whole = wrong.any(axis=1) if family == "error_rate" else ~wrong.any(axis=1)
        return _only(mean_of(whole[:, np.newaxis].astype(np.float64), weight))
    overlap = _overlap_of(case.metric)
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
    overlap: _Overlap, true: FloatArray, pred: FloatArray, hit: FloatArray
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
