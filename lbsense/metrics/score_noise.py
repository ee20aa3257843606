"""The noise of a row, known from the score alone."""

from __future__ import annotations

from dataclasses import dataclass

from lbsense._result import Result
from lbsense._validation import check_count, check_fraction, check_positive
from lbsense.metrics._metric import Metric
from lbsense.metrics._sd_rules import Known, band_of
from lbsense.metrics.registry import find_metric

__all__ = ["ScoreSd", "score_sd"]


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
