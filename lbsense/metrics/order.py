"""Metrics of labels and of order.

Metrics of predicted labels are functions of the shares of true, predicted and hit. With
t_c the share of rows whose label is c, p_c of those predicted c, and h_c of those that
are both, each is a smooth function T(t, p, h). The influence of a row with label a and
prediction b is dT/dt_a + dT/dp_b + [a = b] dT/dh_a, less its mean.

For metrics of order (AUC, Gini, average precision, correlations) each column is sorted
once. Sums over the rows below a row, ties counted by half, then give the structural
components of DeLong and their kin in O(n log n).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.metrics.means import (
    as_classes,
    as_indicators,
    check_whole,
    class_numbers,
    concordance,
    mean_of,
    ratio_of,
    shown,
    weighted_mean,
)
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


class _Sorted:
    """One column in order, with its groups of ties.

    Sums of products below are written ``(a * b).sum()``: a threaded ``a @ b`` of one
    column takes longer than the sort when the processors are shared.
    """

    __slots__ = ("_last", "_order")

    def __init__(self, values: FloatArray) -> None:
        self._order = np.argsort(values)
        ordered = values[self._order]
        steps = ordered[1:] != ordered[:-1]
        # The last place of every group of ties; None when no value is repeated.
        self._last = (
            None if steps.all() else np.append(np.flatnonzero(steps), len(values) - 1)
        )

    def below(self, mass: FloatArray, *, own: float = 0.5) -> FloatArray:
        """Return for each row the mass of the rows below it.

        Rows that tie with it, itself included, count with the share ``own``.
        """
        ordered = mass[self._order]
        upto = np.cumsum(ordered)
        if self._last is None:
            sums = upto - (1 - own) * ordered
        else:
            upto = upto[self._last]
            under = np.concatenate([[0.0], upto[:-1]])
            sizes = np.diff(self._last, prepend=-1)
            sums = np.repeat(under + own * (upto - under), sizes)
        result = np.empty_like(sums)
        result[self._order] = sums
        return result


def _by_column(
    case: Case,
    rule: Callable[[FloatArray, FloatArray], tuple[float, FloatArray]],
) -> Parts:
    """Apply ``rule(column, mass)`` to each submission, the masses summing to 1."""
    n_rows, n_columns = case.pred.shape
    mass = np.full(n_rows, 1.0) if case.weight is None else case.weight
    scores = np.empty(n_columns)
    psi = np.empty((n_rows, n_columns), order="F")
    for j in range(n_columns):
        scores[j], psi[:, j] = rule(np.ascontiguousarray(case.pred[:, j]), mass)
    return scores, psi


def _check_two_classes(positive: BoolArray, mass: FloatArray, name: str) -> None:
    """Refuse labels of one class only."""
    n_positive = int((mass[positive] > 0).sum())
    n_rows = int((mass > 0).sum())
    if n_positive in (0, n_rows):
        kind = "positive" if n_positive else "negative"
        msg = f"{name} needs both classes, but all {n_rows} rows are {kind}."
        raise ValueError(msg)


def _auc_of(
    column: FloatArray, positive: BoolArray, mass: FloatArray
) -> tuple[float, FloatArray]:
    """Return the AUC and its influence: DeLong's components over the class shares."""
    order = _Sorted(column)
    positive_mass = np.where(positive, mass, 0.0)
    negative_mass = mass - positive_mass
    total_positive, total_negative = positive_mass.sum(), negative_mass.sum()
    component = np.where(
        positive,
        order.below(negative_mass) / total_negative,
        1 - order.below(positive_mass) / total_positive,
    )
    auc = float((positive_mass * component).sum() / total_positive)
    component -= auc
    component *= np.where(
        positive, len(mass) / total_positive, len(mass) / total_negative
    )
    return auc, component


def roc_auc(case: Case) -> Parts:
    mass = np.ones(len(case.y)) if case.weight is None else case.weight
    _check_two_classes(case.y, mass, "AUC")
    return _by_column(case, lambda column, mass: _auc_of(column, case.y, mass))


def roc_auc_ovr(case: Case) -> Parts:
    """Return the mean over classes of the AUC of each against the rest."""
    n_submissions, n_rows, n_classes = case.pred.shape
    codes = class_numbers(case.y, n_classes)
    mass = np.ones(n_rows) if case.weight is None else case.weight
    scores = np.zeros(n_submissions)
    psi = np.zeros((n_rows, n_submissions), order="F")
    for label in range(n_classes):
        positive = codes == label
        _check_two_classes(positive, mass, f"AUC of class {label}")
        for j, table in enumerate(case.pred):
            auc, column = _auc_of(np.ascontiguousarray(table[:, label]), positive, mass)
            scores[j] += auc / n_classes
            psi[:, j] += column / n_classes
    return scores, psi


def average_precision(case: Case) -> Parts:
    mass = np.ones(len(case.y)) if case.weight is None else case.weight
    _check_two_classes(case.y, mass, "Average precision")
    return _by_column(case, lambda column, mass: _ap_of(column, case.y, mass))


def _ap_of(
    column: FloatArray, positive: BoolArray, mass: FloatArray
) -> tuple[float, FloatArray]:
    """Return AP, the mean over positives of the precision at their own score."""
    order = _Sorted(column)
    hit = np.where(positive, mass, 0.0)
    total = hit.sum()
    true_above = total - order.below(hit, own=0.0)
    all_above = mass.sum() - order.below(mass, own=0.0)
    # A row without weight above all others is preceded by nobody.
    precision = np.divide(
        true_above, all_above, out=np.zeros_like(true_above), where=all_above > 0
    )
    score = float((hit * precision).sum() / total)
    share = np.divide(hit, all_above, out=np.zeros_like(hit), where=all_above > 0)
    psi = order.below(share, own=1.0) * positive
    psi -= order.below(share * precision, own=1.0)
    psi += positive * (precision - score)
    return score, psi * (len(mass) / total)


def normalized_gini(case: Case) -> Parts:
    y = np.asarray(case.y, dtype=np.float64)
    if y.min() < 0 or y.min() == y.max():
        msg = (
            "The Gini coefficient needs labels of at least 0 that are not all alike, "
            f"found the range {y.min():g} to {y.max():g}."
        )
        raise ValueError(msg)
    mass = np.ones(len(y)) if case.weight is None else case.weight
    best, best_psi = _ordered_share(y, y, mass)

    def rule(column: FloatArray, mass: FloatArray) -> tuple[float, FloatArray]:
        share, psi = _ordered_share(column, y, mass)
        gini = share / best
        return gini, (psi - gini * best_psi) / best

    return _by_column(case, rule)


def _ordered_share(
    column: FloatArray, y: FloatArray, mass: FloatArray
) -> tuple[float, FloatArray]:
    """Return E[y (F(x) - 1/2)], F the mid-distribution of x, and its influence."""
    n_rows = len(y)
    order = _Sorted(column)
    rank = order.below(mass) / n_rows - 0.5
    weighted = mass * y
    share = float((weighted * rank).sum() / n_rows)
    mean = float(weighted.sum() / n_rows)
    psi = y * rank - order.below(weighted) / n_rows + mean / 2 - 2 * share
    return share, psi


def pearson(case: Case) -> Parts:
    x, sx = _standardized(case.pred, case.weight)
    y, sy = _standardized(case.y[:, np.newaxis], case.weight)
    _check_varies(sy)
    product = x * y
    scores = weighted_mean(product, case.weight)
    x *= x
    x += y * y
    x *= scores / 2
    product -= x
    product[:, sx == 0] = np.nan
    return np.where(sx == 0, np.nan, scores), product


def _standardized(
    columns: FloatArray, weight: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    centred = columns - weighted_mean(columns, weight)
    spread = np.sqrt(weighted_mean(np.square(centred), weight))
    # Rounding alone can leave a constant column with a spread above 0.
    spread[np.ptp(columns, axis=0) == 0] = 0.0
    centred /= np.where(spread == 0, 1.0, spread)
    return centred, spread


def _check_varies(spread: FloatArray) -> None:
    if not spread.all():
        msg = "y_true is constant: there is nothing to correlate with."
        raise ValueError(msg)


def spearman(case: Case) -> Parts:
    """Return Spearman's rho: Pearson's r of the mid-distributions u = F(x), v = G(y).

    The influence of a row counts its own place and how it moves the places of others.
    """
    if np.ptp(case.y) == 0:
        _check_varies(np.zeros(1))
    n_rows = len(case.y)
    y_order = _Sorted(case.y)

    def centred(order: _Sorted, mass: FloatArray) -> FloatArray:
        return np.asarray(order.below(mass) / n_rows - 0.5)

    def shift(order: _Sorted, mass: FloatArray, other: FloatArray) -> FloatArray:
        return np.asarray(-order.below(mass * other) / n_rows)

    def rule(column: FloatArray, mass: FloatArray) -> tuple[float, FloatArray]:
        if np.ptp(column) == 0:
            return np.nan, np.full(n_rows, np.nan)
        x_order = _Sorted(column)
        u, v = centred(x_order, mass), centred(y_order, mass)
        pairs = ((u, v), (u, u), (v, v))
        cov, var_u, var_v = (float((mass * a * b).sum()) / n_rows for a, b in pairs)
        d_cov = u * v + shift(x_order, mass, v) + shift(y_order, mass, u) - 3 * cov
        d_u = u * u + 2 * shift(x_order, mass, u) - 3 * var_u
        d_v = v * v + 2 * shift(y_order, mass, v) - 3 * var_v
        scale = np.sqrt(var_u * var_v)
        rho = cov / scale
        return rho, d_cov / scale - rho / 2 * (d_u / var_u + d_v / var_v)

    return _by_column(case, rule)
