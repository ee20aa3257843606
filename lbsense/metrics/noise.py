"""The noise of a row: measured from predictions, or told by the score alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray
from lbsense._validation import check_count, check_fraction, check_positive
from lbsense.errors import warn
from lbsense.metrics.means import as_targets, as_weights
from lbsense.metrics.record import METRICS, Case, Known, Metric, find_metric
from lbsense.metrics.score_rules import band_of

INFLUENCE_FAMILIES = frozenset(
    metric.family for metric in METRICS.values() if metric.influence is not None
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
    if known.influence is None:
        msg = (
            f"{known.name} has no influence values: use the bootstrap. These have: "
            f"{', '.join(sorted(INFLUENCE_FAMILIES))}."
        )
        raise ValueError(msg)
    y = as_targets(y_true)
    weight = as_weights(sample_weight, len(y))
    pred = np.asarray(y_pred)
    eps = float(np.finfo(pred.dtype if pred.dtype.kind == "f" else np.float64).eps)
    case = Case(metric=known, y=y, pred=pred, weight=weight, eps=eps)
    scores, psi = known.influence(case)
    if weight is not None:
        psi *= weight[:, np.newaxis]
    if known.negated:
        scores = -scores
        np.negative(psi, out=psi)
    _warn_of_columns(known, psi)
    for array in (scores, psi):
        array.flags.writeable = False
    return Influence(metric=known.name, scores=scores, psi=psi, n_obs=len(y))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSd(Result):
    """Standard deviation of one row's share in a score, with its range.

    The standard error of the score on n rows is the value divided by the square root
    of n.

    Attributes
    ----------
    metric : str
        Canonical name of the metric.
    score : float
        The score it was computed from.
    low, typical, high : float
        Least, usual and greatest standard deviation; nan where nothing can be said.
    basis : str
        What was assumed, in one sentence.
    """

    metric: str
    score: float
    low: float
    typical: float
    high: float
    basis: str


# Logarithm of the true over the typical standard deviation of a row, and its own
# standard deviation, over 224 competitions on real tables (docs/semi_real.md): errors
# have heavier tails than any usual law.
_ON_TABLES: dict[str, tuple[float, float]] = {
    "proportion": (0.0, 0.06),
    "auc": (-0.05, 0.27),
    "log_loss": (-0.05, 0.23),
    "multiclass_log_loss": (-0.05, 0.3),
    "fbeta": (-0.26, 0.28),
    "root_mean_square": (0.16, 0.5),
    "mean_square": (0.3, 0.7),
    "mean_absolute": (0.2, 0.5),
    "r2": (0.3, 0.65),
}
_OTHERWISE = (0.0, 0.4)
_SQUARED_IN_UNIT = (0.45, 0.9)  # RMSE and MSE of incomes and prices: a few rows count


def score_sd_on_tables(metric: Metric) -> tuple[float, float]:
    """Return by how much a row's noise differs from what a score alone implies.

    Parameters
    ----------
    metric : Metric
        A metric with a noise rule.

    Returns
    -------
    centre, sd : float
        Mean and standard deviation of the logarithm of the true standard deviation of a
        row over the typical one of `score_sd`, over competitions on real tables.
    """
    rule = "" if metric.noise is None else metric.noise.name
    if metric.in_target_unit and rule in ("root_mean_square", "mean_square"):
        return _SQUARED_IN_UNIT
    return _ON_TABLES.get(rule, _OTHERWISE)


def score_sd(
    metric: str | Metric,
    score: float,
    *,
    prevalence: float | None = None,
    n_classes: int | None = None,
    error_kurtosis: float | None = None,
) -> ScoreSd:
    r"""Return the standard deviation of a row that a score alone implies.

    Use it when there are no predictions; ``influence`` measures instead of assuming.
    The noise of a *difference* of two submissions is smaller, often by far, because
    both are scored on the same rows.

    Parameters
    ----------
    metric : str or Metric
        Any name that ``find_metric`` takes, or a metric.
    score : float
        The score as the metric writes it.
    prevalence : float, optional
        Share of positive rows, in (0, 1). Without it the range is that of 0.05 to 0.5,
        and the typical value is that of 0.2.
    n_classes : int, optional
        Number of classes, at least 2.
    error_kurtosis : float, optional
        Fourth moment of the errors over the squared second, at least 1: 3 for normal
        and 6 for Laplace errors. Without it the range is that of 3 to 7.8.

    Returns
    -------
    ScoreSd
        ``low <= typical <= high``, or three nan and the reason: a metric whose noise
        the score does not tell, or a score outside the range of the metric.

    Raises
    ------
    ValueError
        If the metric is not known or an option is outside its range.

    See Also
    --------
    influence : The influence of each row, from labels and predictions.

    Notes
    -----
    Exact for proportions: :math:`\sigma^2 = p (1 - p)`. The mean of rows in [0, 1] has
    at most that (Bhatia and Davis). Other metrics need a model of the data, and the
    range holds what we saw in simulated data that break the model:

    - AUC: normal scores of equal variance in both classes. Hanley and McNeil's
      exponential scores give 1.1 times as much at 0.7, 1.5 times at 0.95 and 1.7 times
      at 0.99, where the data had 0.5 to 1.3 times the normal value.
    - Log loss: calibrated predictions with a Dirichlet law (Beta for two classes),
      :math:`\sigma^2 = \sum_c \pi_c [\psi_1(\pi_c \phi + 1) - \psi_1(\phi + 1) +
      (\psi(\phi + 1) - \psi(\pi_c \phi + 1))^2] - L^2`; the data, some of them
      overconfident, had 0.8 to 1.55 times it. Brier score alike.
    - F-beta, precision, recall: delta method, as many predicted positives as true ones.
      For rare positives :math:`\sigma` exceeds 1 by far: :math:`\sigma^2 = F (1 - F)
      (2 - F) / (2 \pi)` for F1.
    - RMSE: :math:`\sigma = RMSE \sqrt{(\kappa - 1) / 4}`; errors with heavier tails
      than kurtosis 7.8 have more.

    References
    ----------
    Bhatia and Davis (2000), https://doi.org/10.1080/00029890.2000.12005203.
    Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747.
    Boyd, Eng and Page (2013), https://doi.org/10.1007/978-3-642-40994-3_29.
    Bonett and Wright (2000), https://doi.org/10.1007/BF02294183.

    Examples
    --------
    >>> noise = score_sd("accuracy", 0.8)
    >>> round(noise.typical / 2000**0.5, 5)
    0.00894
    >>> noise = score_sd("roc_auc", 0.8, prevalence=0.5)
    >>> round(noise.typical, 2)
    0.43
    >>> score_sd("bleu", 31.2).basis
    'The noise of this metric cannot be told from the score: it needs predictions.'
    """
    known = find_metric(metric) if isinstance(metric, str) else metric
    if prevalence is not None:
        prevalence = check_fraction(prevalence, name="prevalence")
    if n_classes is not None:
        n_classes = check_count(n_classes, name="n_classes", minimum=2)
    if error_kurtosis is not None:
        error_kurtosis = check_positive(error_kurtosis, name="error_kurtosis")
        if error_kurtosis < 1:
            msg = f"error_kurtosis must be at least 1, got {error_kurtosis}."
            raise ValueError(msg)
    score = float(score)
    low, typical, high, basis = band_of(
        Known(
            metric=known.mirrored() if known.negated else known,
            score=-score if known.negated else score,
            prevalence=prevalence,
            n_classes=n_classes,
            kurtosis=error_kurtosis,
        )
    )
    return ScoreSd(
        metric=known.name,
        score=score,
        low=low,
        typical=typical,
        high=high,
        basis=basis,
    )


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
            warn(msg)
