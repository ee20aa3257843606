"""Noise of the difference of two submissions from their files alone, without labels.

Everything here is an approximation, and says which assumption it stands on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from lbsense._result import Result
from lbsense._typing import ArrayLike, FloatArray, RandomState
from lbsense._validation import as_float_vector, check_count, read_only
from lbsense.stats.rows.joint import difference_se, row_covariance

#: Oriented scores (k,) and influences (n_obs, k) from labels and predictions.
Judge: TypeAlias = Callable[[npt.NDArray[Any], npt.NDArray[Any]], tuple[Any, Any]]

_TARGETS = ("probability", "label", "value", "log value")
_POWERS = (0.03, 10.0)  # of a law of classes: all but nothing to all but sure
_SCALES = (1e-4, 1e3)  # of residuals, in standard deviations of the predictions
_HALVINGS = 24
_LEAST = 1e-9  # probability of a class
_CHANCE = 4.0  # standard errors by which scored rows may differ from those of a file
# Standard deviation of the log of the standard error of a step, on real tables that
# docs/noise.md names: where files of classes differ; labels drawn; values drawn.
_LOG_SD = {"disagreement": 0.05, "probability": 0.1, "label": 0.1, "value": 0.3}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnlabelledNoiseResult(Result):
    """Noise of score differences, without a single label.

    Attributes
    ----------
    difference_se : ndarray of shape (k, k)
        Standard error of the difference of two scores on the same ``n`` rows.
    log_sd : float
        How well its logarithm is known: a standard deviation, measured on real tables.
    upper_bound : bool
        Whether the true standard error can only be smaller.
    approximation : bool
        Always true: the labels were never seen.
    assumption : str
        What has to hold.
    method : {"disagreement", "drawn labels"}
        How it was found.
    n : int
        Rows behind a score.
    n_obs : int
        Rows of the submission files.
    """

    difference_se: FloatArray
    log_sd: float
    upper_bound: bool
    approximation: bool = True
    assumption: str
    method: Literal["disagreement", "drawn labels"]
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
        If there are fewer than two submissions, or two scores differ by far more than
        the files do.

    Notes
    -----
    A row on which two submissions agree adds nothing to the difference; one on which
    they do not adds 1, 0 or -1. So ``Var(D) <= (d - D**2) / n`` with the share ``d`` of
    rows that differ, and with two classes the two sides are equal: one of the two is
    right. Scores are of some of the rows: they may differ by more than ``d`` by chance,
    and are then taken to differ by ``d``.

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
        value = _as_scores(scores, n_scores)
        gap = np.abs(value[:, np.newaxis] - value)
        # Of n rows at most so many differ by chance; files that agree never do.
        most = share + _CHANCE * np.sqrt(share / n) + _CHANCE / n * (share > 0)
        if (gap > most + 1e-9).any():
            a, b = np.argwhere(gap > most + 1e-9)[0]
            msg = (
                f"Accuracies {a} and {b} differ by {gap[a, b]:.4f}, but the "
                f"predictions only on a share of {share[a, b]:.4f} of the rows. Check "
                "that scores and files belong together."
            )
            raise ValueError(msg)
        square = np.square(np.minimum(gap, share))
    return UnlabelledNoiseResult(
        difference_se=read_only(np.sqrt((share - square) / n)),
        log_sd=_LOG_SD["disagreement"],
        upper_bound=True,
        assumption="The scored rows differ as often as those of the whole file.",
        method="disagreement",
        n=n,
        n_obs=len(labels),
    )


def drawn_label_noise(
    y_pred: ArrayLike,
    judge: Judge,
    *,
    n: int,
    target: str,
    scores: ArrayLike | None = None,
    n_draws: int = 10,
    rng: RandomState = None,
) -> UnlabelledNoiseResult:
    """Return the noise of score differences if labels scatter around the best file.

    Parameters
    ----------
    y_pred : array_like of shape (n_obs, k) or (n_obs, k, n_classes)
        Predictions of ``k`` submissions: values, classes, probabilities of the positive
        class or of every class.
    judge : callable
        ``judge(y_true, y_pred)`` returns the scores (k,), larger is better, and the
        influence of every row on them (n_obs, k).
    n : int
        Rows behind a score.
    target : {"probability", "label", "value", "log value"}
        What predictions are; "log value" are values whose residuals are alike on the
        scale of ``log1p``.
    scores : array_like of shape (k,), optional
        Scores of the submissions, such as the public ones, larger is better. Without
        them probabilities are taken at their word, and values are refused.
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
        If there are fewer than two submissions, probabilities are not in [0, 1], or
        values come without scores.

    Notes
    -----
    Labels are drawn from a law with one free number, so chosen that the submission with
    the best score gets this score; then the covariance of the influences is averaged
    over the draws.

    Classes are drawn with the probabilities ``p`` of the best file (of classes: with
    the votes of all files), sharpened or flattened around the base rate ``q``: in
    proportion to ``p**b * q**(1 - b)``. That makes up for predictions that are too sure
    or were only meant as ranks. Without scores ``b`` is 1 and ``p`` the mean of all
    files. Values are the best predictions plus normal residuals whose variance is the
    same in all rows for one third, grows with the variance of the submissions for one
    third and with the squared distance from the mean prediction for one third: large
    residuals go with large differences, and a scale that is the same in all rows makes
    the noise of RMSE on skewed targets too small by up to a half.

    On the test rows of real tables (docs/noise.md) the noise of a step is within 1.5
    times the true one in nearly all steps for classes, in four of five for values.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> prob = np.clip(rng.random((4000, 1)) + rng.normal(0, 0.05, (4000, 2)), 0, 1)
    >>> def brier(y, p):
    ...     loss = -np.square(y[:, np.newaxis] - p)
    ...     return loss.mean(axis=0), loss
    >>> noise = drawn_label_noise(prob, brier, n=1000, target="probability", rng=rng)
    >>> noise.approximation, noise.difference_se.shape
    (True, (2, 2))
    """
    predictions = np.asarray(y_pred)
    if target not in _TARGETS:
        msg = f"target must be one of {_TARGETS}, got {target!r}."
        raise ValueError(msg)
    _check_files(predictions, "y_pred", n_dims=(2, 3))
    check_count(n, name="n")
    check_count(n_draws, name="n_draws")
    told = None if scores is None else _as_scores(scores, predictions.shape[1])
    best = None if told is None else int(np.argmax(told))
    generator = np.random.default_rng(rng)
    law: _Classes | _Values
    if target in ("value", "log value"):
        if best is None:
            msg = "Values need scores=, which tell how large their residuals are."
            raise ValueError(msg)
        law = _Values.of(predictions, best, logarithmic=target == "log value")
    else:
        law = _Classes.of(predictions, best, votes=target == "label")
    seeds = [law.seed(generator) for _ in range(n_draws)]
    free = law.plain
    if told is not None and best is not None:
        chosen, aim = predictions[:, best : best + 1], told[best]

        def reached(value: float) -> float:
            return float(np.ravel(judge(law.labels(value, seeds[0]), chosen)[0])[0])

        free = _solved(reached, aim, *law.range, rises=law.rises)
    covariance = np.zeros((predictions.shape[1],) * 2)
    for seed in seeds:
        psi = judge(law.labels(free, seed), predictions)[1]
        covariance += row_covariance(psi) / n_draws
    return UnlabelledNoiseResult(
        difference_se=read_only(difference_se(covariance / n)),
        log_sd=_LOG_SD[target.removeprefix("log ")],
        upper_bound=False,
        assumption="Labels scatter around the best file as its score says."
        if best is not None
        else "The mean prediction of the submissions is calibrated.",
        method="drawn labels",
        n=n,
        n_obs=len(predictions),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Classes:
    """Classes, in proportion to ``p**b * q**(1 - b)``; ``b`` is free."""

    log_p: FloatArray  # (n_obs, n_classes)
    log_q: FloatArray  # (n_classes,)
    values: npt.NDArray[Any]

    plain = 1.0
    range = _POWERS
    rises = True

    @classmethod
    def of(
        cls, predictions: npt.NDArray[Any], best: int | None, *, votes: bool
    ) -> _Classes:
        if votes:
            values = np.unique(predictions)
            p = np.stack([(predictions == v).sum(axis=1) + 0.5 for v in values], axis=1)
            p = p / p.sum(axis=1, keepdims=True)
        else:
            outside = ~((predictions >= 0) & (predictions <= 1))
            if outside.any():
                found = predictions[outside][:3].tolist()
                msg = f"y_pred must be probabilities, in [0, 1], but holds {found}."
                raise ValueError(msg)
            p = predictions.mean(axis=1) if best is None else predictions[:, best]
            p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else p
            values = np.arange(p.shape[1])
        p = np.maximum(np.asarray(p, dtype=np.float64), _LEAST)
        return cls(np.log(p), np.log(p.mean(axis=0)), values)

    def seed(self, generator: np.random.Generator) -> FloatArray:
        return generator.random((len(self.log_p), 1))

    def labels(self, free: float, seed: FloatArray) -> npt.NDArray[Any]:
        law = np.exp(log_softmax(free * self.log_p + (1 - free) * self.log_q, axis=1))
        place = (seed > np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
        return np.asarray(self.values[place])


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Values around the best ones; the scale of their residuals is free."""

    centre: FloatArray  # (n_obs,)
    shape: FloatArray  # (n_obs,) standard deviation of a residual over the typical one
    unit: float
    logarithmic: bool

    plain = 1.0
    range = _SCALES
    rises = False

    @classmethod
    def of(
        cls, predictions: npt.NDArray[Any], best: int, *, logarithmic: bool
    ) -> _Values:
        if predictions.ndim != 2:
            msg = f"y_pred must have one value a row, got shape {predictions.shape}."
            raise ValueError(msg)
        values = np.asarray(predictions, dtype=np.float64)
        if logarithmic:
            values = np.log1p(np.maximum(values, 0.0))
        centre = values[:, best]
        parts = np.ones((3, len(values)))
        for part, square in zip(
            parts[1:],
            (values.var(axis=1), np.square(centre - centre.mean())),
            strict=True,
        ):
            if square.any():
                part[:] = square / square.mean()
        shape = np.sqrt(parts.mean(axis=0))
        unit = float(max(centre.std(), 1e-12 * np.abs(centre).max(), 1e-300))
        return cls(centre, shape, unit, logarithmic)

    def seed(self, generator: np.random.Generator) -> FloatArray:
        return generator.standard_normal(len(self.centre))

    def labels(self, free: float, seed: FloatArray) -> npt.NDArray[Any]:
        drawn = self.centre + free * self.unit * self.shape * seed
        return np.expm1(np.maximum(drawn, 0.0)) if self.logarithmic else drawn


def _solved(
    reached: Callable[[float], float], aim: float, low: float, high: float, rises: bool
) -> float:
    """Return the free number that reaches a score, or the end that comes closest."""
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        if (reached(middle) < aim) == rises:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))


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


def _as_scores(scores: ArrayLike, n_scores: int) -> FloatArray:
    values = as_float_vector(scores, name="scores")
    if len(values) != n_scores or not np.isfinite(values).all():
        msg = f"scores must be {n_scores} finite numbers, got {values[:5].tolist()}."
        raise ValueError(msg)
    return values
