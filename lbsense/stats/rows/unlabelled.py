"""Noise of the difference of two submissions from their files alone, without labels.

Everything here is an approximation, and says which assumption it stands on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, RandomState
from lbsense._validation import as_float_matrix, as_float_vector, check_count, read_only
from lbsense.stats.rows.covariance import difference_se, row_covariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnlabelledNoiseResult(Result):
    """Noise of score differences, without a single label.

    Attributes
    ----------
    difference_se : ndarray of shape (k, k)
        Standard error of the difference of two scores on the same ``n`` rows.
    upper_bound : bool
        Whether the true standard error can only be smaller.
    approximation : bool
        Always true: the labels were never seen.
    assumption : str
        What has to hold.
    method : {"disagreement", "soft labels", "residual scale"}
        How it was found.
    n : int
        Rows behind a score.
    n_obs : int
        Rows of the submission files.
    """

    difference_se: FloatArray
    upper_bound: bool
    approximation: bool = True
    assumption: str
    method: Literal["disagreement", "soft labels", "residual scale"]
    n: int
    n_obs: int


def disagreement_noise(
    y_pred: ArrayLike, *, n: int, scores: ArrayLike | None = None
) -> UnlabelledNoiseResult:
    """Return the largest noise that differences of accuracies can have.

    Parameters
    ----------
    y_pred : array_like of shape (n_obs, k)
        Predicted classes of ``k`` submissions.
    n : int
        Rows behind a score.
    scores : array_like of shape (k,), optional
        Accuracies, which sharpen the bound a little.

    Returns
    -------
    UnlabelledNoiseResult

    Raises
    ------
    ValueError
        If there are fewer than two submissions, or two scores differ by more than the
        files do.

    Notes
    -----
    A row on which two submissions agree adds nothing to the difference; one on which
    they do not adds 1, 0 or -1. So ``Var(D) <= (d - D**2) / n`` with the share ``d`` of
    rows that differ, and with two classes the two sides are equal: one of the two is
    right.

    Examples
    --------
    >>> noise = disagreement_noise([[0, 0], [1, 1], [0, 1], [1, 1]] * 25, n=2500)
    >>> float(noise.difference_se[0, 1])
    0.01
    """
    labels = np.asarray(y_pred)
    _check_files(labels, "y_pred")
    check_count(n, name="n")
    n_scores = labels.shape[1]
    share = np.empty((n_scores, n_scores))
    for column in range(n_scores):
        share[column] = (labels != labels[:, column : column + 1]).mean(axis=0)
    square = np.zeros_like(share)
    if scores is not None:
        square = np.square(_differences(scores, n_scores))
        if (square > share).any():
            a, b = np.argwhere(square > share)[0]
            msg = (
                f"Accuracies {a} and {b} differ by {square[a, b] ** 0.5:.4f}, but the "
                f"predictions only on a share of {share[a, b]:.4f} of the rows. Check "
                "that scores and files belong together."
            )
            raise ValueError(msg)
    return UnlabelledNoiseResult(
        difference_se=read_only(np.sqrt((share - square) / n)),
        upper_bound=True,
        assumption="The scored rows differ as often as those of the whole file.",
        method="disagreement",
        n=n,
        n_obs=len(labels),
    )


def soft_label_noise(
    y_prob: ArrayLike,
    influence: Callable[[npt.NDArray[Any], FloatArray], ArrayLike],
    *,
    n: int,
    n_draws: int = 20,
    rng: RandomState = None,
) -> UnlabelledNoiseResult:
    """Return the noise of score differences if the mean prediction is calibrated.

    Parameters
    ----------
    y_prob : array_like of shape (n_obs, k) or (n_obs, k, n_classes)
        Predicted probabilities of the positive class, or of every class.
    influence : callable
        ``influence(y_true, y_prob) -> psi`` of shape (n_obs, k), such as that of
        ``lbsense.metrics`` for one metric.
    n : int
        Rows behind a score.
    n_draws : int
        Sets of labels that are drawn.
    rng : int or numpy.random.Generator, optional
        Source of randomness.

    Returns
    -------
    UnlabelledNoiseResult

    Raises
    ------
    ValueError
        If predictions are not in [0, 1], or there are fewer than two submissions.

    Notes
    -----
    Labels are drawn with the mean prediction of all submissions as probabilities, and
    the covariance of ``psi`` is averaged over the draws. Predictions that were only
    ever meant as ranks are not probabilities; those that are too sure of themselves
    make the noise come out too small.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> prob = np.clip(rng.random((4000, 1)) + rng.normal(0, 0.05, (4000, 2)), 0, 1)
    >>> def brier(y, p):
    ...     return np.square(y[:, np.newaxis] - p)
    >>> noise = soft_label_noise(prob, brier, n=1000, rng=rng)
    >>> noise.approximation, noise.difference_se.shape
    (True, (2, 2))
    """
    probabilities = np.asarray(y_prob, dtype=np.float64)
    _check_files(probabilities, "y_prob", n_dims=(2, 3))
    outside = ~((probabilities >= 0) & (probabilities <= 1))
    if outside.any():
        found = probabilities[outside][:3].tolist()
        msg = f"y_prob must be probabilities, in [0, 1], but holds {found}."
        raise ValueError(msg)
    check_count(n, name="n")
    check_count(n_draws, name="n_draws")
    generator = np.random.default_rng(rng)
    mean = probabilities.mean(axis=1)
    edges = (
        np.cumsum(mean, axis=1)[:, :-1] if mean.ndim == 2 else 1 - mean[:, np.newaxis]
    )
    covariance = np.zeros((probabilities.shape[1],) * 2)
    for _ in range(n_draws):
        labels = (generator.random((len(mean), 1)) > edges).sum(axis=1)
        covariance += row_covariance(influence(labels, probabilities)) / n_draws
    return UnlabelledNoiseResult(
        difference_se=read_only(difference_se(covariance / n)),
        upper_bound=False,
        assumption="The mean prediction of the submissions is calibrated.",
        method="soft labels",
        n=n,
        n_obs=len(mean),
    )


def residual_noise(
    y_pred: ArrayLike,
    scores: ArrayLike,
    *,
    n: int,
    loss: Literal["squared", "absolute"] = "squared",
) -> UnlabelledNoiseResult:
    """Return the noise of differences of RMSE or MAE from the size of the residuals.

    Parameters
    ----------
    y_pred : array_like of shape (n_obs, k)
        Predictions of ``k`` submissions; for RMSLE their ``log1p``.
    scores : array_like of shape (k,)
        RMSE (``loss="squared"``) or MAE (``loss="absolute"``) of every submission, such
        as the public one.
    n : int
        Rows behind a score.
    loss : {"squared", "absolute"}
        Which metric.

    Returns
    -------
    UnlabelledNoiseResult
        For the absolute loss an upper bound.

    Raises
    ------
    ValueError
        If there are fewer than two submissions, or predictions are further apart than
        the scores allow.

    Notes
    -----
    Let ``h`` be the difference of two predictions of a row and ``m`` the residual of
    their mean. The squared errors differ by ``2 * h * m``, and
    ``mean(m**2) = (r1**2 + r2**2) / 2 - mean(h**2) / 4`` with the RMSE ``r1`` and
    ``r2``. If large residuals do not go with large differences,
    ``Var(2 h m) = 4 mean(h**2) mean(m**2) - (r1**2 - r2**2)**2``, and the difference
    of the RMSE has this variance over ``n * (r1 + r2)**2``. Absolute errors differ by
    at most ``h``: ``Var <= (mean(h**2) - D**2) / n``.

    Submissions that differ most on the rows that are hard to predict are noisier than
    this: up to a half in the simulations of docs/noise.md.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> pred = rng.normal(0, 0.1, (1000, 2))
    >>> residual_noise(pred, [1.0, 1.0], n=400).difference_se.round(3)
    array([[0.   , 0.007],
           [0.007, 0.   ]])
    """
    predictions = as_float_matrix(y_pred, name="y_pred")
    _check_files(predictions, "y_pred")
    n_scores = predictions.shape[1]
    score = as_float_vector(scores, name="scores")
    gap = _differences(score, n_scores)
    if loss not in ("squared", "absolute"):
        msg = f"loss must be 'squared' or 'absolute', got {loss!r}."
        raise ValueError(msg)
    if not (score > 0).all():
        msg = f"scores must be positive errors, got {score[~(score > 0)][:3].tolist()}."
        raise ValueError(msg)
    check_count(n, name="n")
    apart = np.empty((n_scores, n_scores))
    for column in range(n_scores):
        off = predictions - predictions[:, column : column + 1]
        apart[column] = np.square(off).mean(axis=0)
    if loss == "absolute":
        variance = apart - np.square(gap)
    else:
        total = score[:, np.newaxis] + score
        square = np.square(score)
        middle = (square[:, np.newaxis] + square) / 2 - apart / 4
        variance = 4 * apart * middle / np.square(total) - np.square(gap)
    if (variance < -1e-9 * np.square(score).max()).any():
        a, b = np.argwhere(variance == variance.min())[0]
        msg = (
            f"Submissions {a} and {b} score {score[a]:.5g} and {score[b]:.5g}, which "
            f"predictions {apart[a, b] ** 0.5:.5g} apart (root mean square) cannot do. "
            "Check that scores and files belong together."
        )
        raise ValueError(msg)
    return UnlabelledNoiseResult(
        difference_se=read_only(np.sqrt(np.maximum(variance, 0.0) / n)),
        upper_bound=loss == "absolute",
        assumption="Residuals are no larger where the submissions differ more.",
        method="residual scale",
        n=n,
        n_obs=len(predictions),
    )


def _check_files(
    values: npt.NDArray[Any], name: str, *, n_dims: tuple[int, ...] = (2,)
) -> None:
    if values.ndim not in n_dims or values.shape[1] < 2 or not len(values):
        msg = (
            f"{name} must hold at least 2 submissions, as columns of one row per "
            f"prediction, got shape {values.shape}."
        )
        raise ValueError(msg)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        msg = f"{name} must be finite, but rows {bad[:5].tolist()} are not."
        raise ValueError(msg)


def _differences(scores: ArrayLike, n_scores: int) -> FloatArray:
    values = as_float_vector(scores, name="scores")
    if len(values) != n_scores or not np.isfinite(values).all():
        msg = f"scores must be {n_scores} finite numbers, got {values[:5].tolist()}."
        raise ValueError(msg)
    return values[:, np.newaxis] - values
