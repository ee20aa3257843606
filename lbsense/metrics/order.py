"""Metrics of order: AUC, Gini, average precision, and the correlations.

Each column is sorted once. Sums over the rows below a row, ties counted by half, then
give the structural components of DeLong and their kin in O(n log n).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lbsense._typing import BoolArray, FloatArray
from lbsense.metrics.inputs import class_numbers
from lbsense.metrics.means import weighted_mean
from lbsense.metrics.record import Case, Parts


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
