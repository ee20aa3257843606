"""Score and per-row influence: what each row adds to the noise of a score."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense.errors import LbsenseWarning
from lbsense.metrics._counts import LABEL_RULES
from lbsense.metrics._inputs import (
    AnyArray,
    Case,
    as_columns,
    as_positive,
    as_ranked,
    as_stack,
    as_targets,
    as_values,
    as_weights,
    label_columns,
)
from lbsense.metrics._metric import Metric
from lbsense.metrics._probabilities import (
    CLASS_RULES,
    PROBABILITY_RULES,
    RANKING_RULES,
)
from lbsense.metrics._ranks import CORRELATION_RULES, EVENT_RULES
from lbsense.metrics._rows import VALUE_RULES, Parts
from lbsense.metrics._sets import COLUMN_RULES, SET_FAMILIES, set_parts
from lbsense.metrics.registry import find_metric

__all__ = ["INFLUENCE_FAMILIES", "Influence", "influence"]

INFLUENCE_FAMILIES = frozenset(
    {
        *VALUE_RULES,
        *CORRELATION_RULES,
        *EVENT_RULES,
        *PROBABILITY_RULES,
        *LABEL_RULES,
        *CLASS_RULES,
        *RANKING_RULES,
        *COLUMN_RULES,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Influence(Result):
    """Scores of submissions and what each row adds to their noise.

    Attributes
    ----------
    metric : str
        Canonical name of the metric.
    scores : ndarray of shape (k,)
        Score of each submission as the metric writes it, smaller better where it is.
    psi : ndarray of shape (n, k)
        Influence of each row, of mean 0 in each column; nan in a column whose score is
        not a smooth function of its rows.
    n_obs : int
        Rows.
    """

    metric: str
    scores: FloatArray
    psi: FloatArray
    n_obs: int

    @property
    def scores_se(self) -> FloatArray:
        """Standard error of each score, the square root of sum psi^2 / (n (n - 1))."""
        squares = np.einsum("ij,ij->j", self.psi, self.psi)
        return np.asarray(np.sqrt(squares / (self.n_obs * (self.n_obs - 1))))


def influence(
    metric: str | Metric,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> Influence:
    r"""Return the scores of submissions and the influence of each row on them.

    The covariance of the columns of ``psi``, divided by the number of rows, is the
    joint covariance of all scores: one matrix product instead of a bootstrap.

    Parameters
    ----------
    metric : str or Metric
        Any name that ``find_metric`` takes, or a metric.
    y_true : array_like of shape (n,) or (n, c)
        Labels or values. Two labels may be any two numbers, the greater is positive.
        The shape (n, c) is for metrics over columns, sets of labels or masks.
    y_pred : array_like
        Shape (n,), or (n, k) for k submissions. Where a row has c numbers of its own
        (class probabilities, ranked labels, columns, masks), (n, c) or (k, n, c).
    sample_weight : array_like of shape (n,), optional
        Weights of the rows, part of the row as it is sampled.

    Returns
    -------
    Influence
        Scores (k,) and influence (n, k).

    Raises
    ------
    ValueError
        If the metric has no influence values, or data for which it is not defined: one
        class, constant labels, missing or infinite numbers, no probabilities, one row.

    Warns
    -----
    LbsenseWarning
        If a score has no influence values (nan: constant predictions under a
        correlation, a perfect RMSE), or if they are all 0, as for constant predictions
        under AUC and for a perfect accuracy.

    See Also
    --------
    score_sd : The same from the score alone.

    Notes
    -----
    The influence of row i is the derivative of the score T when mass is moved to it,

    .. math:: \psi_i = \lim_{t \to 0} [T((1 - t) F + t \delta_i) - T(F)] / t,

    at the rows themselves: exact row losses for a mean, the delta method for a smooth
    function of means, DeLong's structural components divided by the class shares for
    AUC. Weighted rows have :math:`w_i \psi_i / \bar w`. The standard error is good to
    a few percent from some hundred rows on; it fails for rare classes with few hits,
    for scores at the edge of their range, and for errors without a finite fourth moment
    (RMSE). Published DeLong variances divide by m - 1 in a class of m rows: they are
    the sum over classes of m / (m - 1) times the sum of squares of psi, over n^2.

    Probabilities are kept off 0 and 1 by the machine epsilon of their own type (2.2e-16
    for double precision), as in scikit-learn; Kaggle uses 1e-15. Class probabilities
    are divided by the sum of their row, as on Kaggle.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), https://doi.org/10.2307/2531595.
    Sun and Xu (2014), https://doi.org/10.1109/LSP.2014.2337313.
    Hampel (1974), https://doi.org/10.1080/01621459.1974.10482962.

    Examples
    --------
    >>> rows = influence("accuracy", [0, 1, 1, 0], [[0, 0], [1, 1], [0, 1], [0, 1]])
    >>> rows.scores
    array([0.75, 0.75])
    >>> rows.psi[:, 0]
    array([ 0.25,  0.25, -0.75,  0.25])
    >>> rows.scores_se
    array([0.25, 0.25])
    """
    known = find_metric(metric) if isinstance(metric, str) else metric
    if known.family not in INFLUENCE_FAMILIES:
        msg = (
            f"{known.name} has no influence values: use the bootstrap. These have: "
            f"{', '.join(sorted(INFLUENCE_FAMILIES))}."
        )
        raise ValueError(msg)
    y = as_targets(y_true)
    weight = as_weights(sample_weight, len(y))
    scores, psi = _parts(known, y, y_pred, weight)
    if weight is not None:
        psi *= weight[:, np.newaxis]
    if known.negated:
        scores = -scores
        np.negative(psi, out=psi)
    _warn_of_columns(known, psi)
    for array in (scores, psi):
        array.flags.writeable = False
    return Influence(metric=known.name, scores=scores, psi=psi, n_obs=len(y))


def _parts(
    metric: Metric, y: AnyArray, y_pred: ArrayLike, weight: FloatArray | None
) -> Parts:
    """Check the data as the metric needs it, and compute."""
    family, n_rows = metric.family, len(y)
    dtype = np.asarray(y_pred).dtype
    eps = float(np.finfo(dtype if dtype.kind == "f" else np.float64).eps)
    case = Case(metric=metric, y=y, pred=y, weight=weight, eps=eps)
    if family in VALUE_RULES or family in CORRELATION_RULES:
        rule = {**VALUE_RULES, **CORRELATION_RULES}[family]
        return rule(replace(case, y=as_values(y), pred=as_columns(y_pred, n_rows)))
    if family == "log_loss" and _is_multiclass(y, y_pred):
        family = "multiclass_log_loss"
    if family in EVENT_RULES or family in PROBABILITY_RULES:
        pred = as_columns(y_pred, n_rows)
        _check_not_two_classes(pred)
        rule = {**EVENT_RULES, **PROBABILITY_RULES}[family]
        return rule(replace(case, y=as_positive(y), pred=pred))
    if family in SET_FAMILIES and y.ndim == 2:
        return set_parts(replace(case, pred=as_stack(y_pred, n_rows)))
    if family in LABEL_RULES:
        return LABEL_RULES[family](replace(case, pred=label_columns(y_pred, n_rows)))
    if family in RANKING_RULES:
        return RANKING_RULES[family](replace(case, pred=as_ranked(y_pred, n_rows)))
    rule = {**CLASS_RULES, **COLUMN_RULES}[family]
    return rule(replace(case, pred=as_stack(y_pred, n_rows)))


def _is_multiclass(y: AnyArray, y_pred: ArrayLike) -> bool:
    if np.ndim(y_pred) == 3:
        return True
    return np.ndim(y_pred) == 2 and len(np.unique(y)) > 2


def _check_not_two_classes(pred: FloatArray) -> None:
    """Refuse predict_proba's two columns, which look like two submissions."""
    if pred.shape[1] == 2 and np.allclose(pred.sum(axis=1), 1.0, atol=1e-6):
        msg = (
            "The two columns of y_pred sum to 1 in every row: they are both classes of "
            "one submission. Pass y_pred[:, 1]."
        )
        raise ValueError(msg)


def _warn_of_columns(metric: Metric, psi: FloatArray) -> None:
    problems = (
        (
            np.isnan(psi[0]),
            "has no influence values: its predictions are constant, perfect or without "
            "a positive. The standard error is nan.",
        ),
        (
            np.logical_not(psi.any(axis=0)),
            "has the same influence, 0, in every row: its predictions are constant, "
            "perfect or all wrong. The standard error of 0 does not say how sure the "
            "score is.",
        ),
    )
    for columns, problem in problems:
        found = np.flatnonzero(columns)
        if len(found):
            places = ", ".join(str(i) for i in found[:5])
            msg = f"{metric.name} of submission {places} (counted from 0) {problem}"
            warnings.warn(msg, LbsenseWarning, stacklevel=3)
