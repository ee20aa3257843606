"""Rows of a simulated data set: groups, folds, noise, targets and scores."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, stdtr

from lbsense._typing import FloatArray, IntArray

# Share of every row-level variance that the rows of one group have in common.
GROUP_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Predictions of one model on every row, and what they are truly worth.

    Attributes
    ----------
    oof, public, private : ndarray
        Predictions for the rows of each set, in the form that the metric scores.
    cv_truth, public_truth, private_truth : float
        Expected raw score on fresh rows of each kind.
    """

    oof: FloatArray
    public: FloatArray
    private: FloatArray
    cv_truth: float
    public_truth: float
    private_truth: float


class World(Protocol):
    """Rows and models; see the Gaussian and the trained world."""

    targets: list[FloatArray]

    def first(self) -> Any:
        """Return the first model."""

    def child(self, parent: Any, kind: str) -> Any:
        """Return a model made from another."""

    def describe(self, model: Any) -> str:
        """Return the entrant's words for the change; empty if the world has none."""

    def evaluate(self, model: Any, *, misaligned: bool = False) -> Evaluation:
        """Return predictions and expected scores."""

    def constant_loss(self, value: float) -> tuple[float, float]:
        """Return the expected loss of a constant on public and on private rows."""


class RowNoise:
    """Standard normal noise for the rows of one data set, correlated within groups.

    Parameters
    ----------
    n_obs : int
        Rows.
    group_size : int
        Rows of one group, which follow one another; 1 for independent rows.
    rng : numpy.random.Generator
        Stream of this data set alone: what happens elsewhere leaves it as it is.
    """

    def __init__(
        self, n_obs: int, *, group_size: int, rng: np.random.Generator
    ) -> None:
        self.n_obs = n_obs
        self.group_size = group_size
        self.rng = rng

    @property
    def group(self) -> IntArray:
        """Group of every row."""
        return np.arange(self.n_obs) // self.group_size

    def draw(self) -> FloatArray:
        """Return one fresh standard normal per row."""
        own = self.rng.standard_normal(self.n_obs)
        if self.group_size == 1:
            return own
        n_groups = -(-self.n_obs // self.group_size)
        common = np.repeat(self.rng.standard_normal(n_groups), self.group_size)
        return (
            math.sqrt(GROUP_SHARE) * common[: self.n_obs]
            + math.sqrt(1 - GROUP_SHARE) * own
        )

    def draw_heavy(self) -> FloatArray:
        """Return noise of unit variance from Student's t with 5 degrees of freedom.

        The scale is drawn once a row, so that the rows of a group stay correlated.
        """
        scale = np.sqrt(3.0 / self.rng.chisquare(5, size=self.n_obs))
        return np.asarray(self.draw() * scale)


def fold_bounds(n_obs: int, n_folds: int, group_size: int) -> list[int]:
    """Return where each fold begins, and the end; no group is cut in two.

    Rows (or groups of rows) are exchangeable, so that runs of rows serve as folds.
    """
    n_groups = -(-n_obs // group_size)
    starts = [round(k * n_groups / n_folds) * group_size for k in range(n_folds)]
    return [*starts, n_obs]


SLOPE = 1.5  # of the log odds on a signal of unit variance
_FLIPPED = 0.05  # labels that are wrong, where tails are heavy
_DENSITY_AT_0 = 8 / (3 * math.pi * math.sqrt(5))  # of Student's t with 5 degrees


def find_intercept(prevalence: float, signal: FloatArray, weight: FloatArray) -> float:
    """Return the intercept of the log odds that gives a share of positive labels."""

    def excess(intercept: float) -> float:
        return float(weight @ expit(SLOPE * signal + intercept)) - prevalence

    return float(brentq(excess, -60.0, 60.0))


def label_probability(
    signal: FloatArray, intercept: float, *, heavy_tails: bool
) -> FloatArray:
    """Return the probability of a positive label; some are wrong in heavy tails."""
    flipped = _FLIPPED if heavy_tails else 0.0
    return np.asarray(flipped + (1 - 2 * flipped) * expit(SLOPE * signal + intercept))


def mean_absolute(location: FloatArray, *, heavy_tails: bool) -> FloatArray:
    """Return E|e + location| for the noise e of a target, which has unit variance.

    The noise is normal, or Student's t with 5 degrees of freedom in heavy tails.
    """
    if not heavy_tails:
        density = np.exp(-0.5 * location**2) * math.sqrt(2 / math.pi)
        return np.asarray(density + location * (2 * ndtr(location) - 1))
    unit = math.sqrt(3 / 5)
    centre = location / unit
    density = _DENSITY_AT_0 * (1 + centre**2 / 5) ** -3
    inner = centre * (2 * stdtr(5, centre) - 1)
    return np.asarray(unit * (inner + (5 + centre**2) / 2 * density))


MetricName: TypeAlias = Literal["roc_auc", "log_loss", "accuracy", "rmse", "mae"]

GREATER_IS_BETTER: dict[str, bool] = {
    "roc_auc": True,
    "log_loss": False,
    "accuracy": True,
    "rmse": False,
    "mae": False,
}

_LABEL_BIT = np.int64(1)
# Added to predictions so that all are positive: positive floats sort as their bits.
_OFFSET = 64.0


def row_score(metric: str, y_true: FloatArray, y_pred: FloatArray) -> float:
    """Return the score of predictions, as a leaderboard would compute it.

    Parameters
    ----------
    metric : {"roc_auc", "log_loss", "accuracy", "rmse", "mae"}
        Which score.
    y_true : ndarray of shape (n_obs,)
        Labels 0 and 1, or targets.
    y_pred : ndarray of shape (n_obs,)
        Any ranking for ``roc_auc``, probabilities in (0, 1) for ``log_loss``, labels
        for ``accuracy``, predicted targets else.

    Returns
    -------
    float
        Raw score; nan for an AUC without both classes.
    """
    match metric:
        case "roc_auc":
            return _roc_auc(y_true, y_pred)
        case "log_loss":
            # With labels of 0 and 1 one logarithm per row is enough.
            return -float(np.log(np.abs(y_pred - (1.0 - y_true))).mean())
        case "accuracy":
            return float((y_true == y_pred).mean())
        case "rmse":
            error = y_true - y_pred
            return math.sqrt(float(error @ error) / len(error))
        case "mae":
            return float(np.abs(y_true - y_pred).mean())
    msg = f"metric must be one of {sorted(GREATER_IS_BETTER)}, got {metric!r}."
    raise ValueError(msg)


def fold_scores(
    metric: str, y_true: FloatArray, y_pred: FloatArray, bounds: list[int]
) -> FloatArray:
    """Return the score of each run of rows between two successive bounds."""
    return np.array(
        [
            row_score(metric, y_true[low:high], y_pred[low:high])
            for low, high in itertools.pairwise(bounds)
        ]
    )


def _roc_auc(y_true: FloatArray, y_pred: FloatArray) -> float:
    """Return the area under the ROC curve; ties count half.

    The label rides in the lowest bit of each prediction, so that one plain sort of
    integers, several times faster than an argsort, brings the labels into order.
    Among ties that puts the positives last; the complement puts them first.
    """
    label = y_true.astype(np.int64)
    n_positive = int(label.sum())
    n_negative = len(label) - n_positive
    if n_positive == 0 or n_negative == 0:
        return math.nan
    bits = (y_pred + _OFFSET).view(np.int64) & ~_LABEL_BIT
    keys = np.sort(bits | label)
    place_sum = int(np.flatnonzero(keys & _LABEL_BIT).sum())
    if np.any((keys[1:] ^ keys[:-1]) <= _LABEL_BIT):
        keys = np.sort(bits | (1 - label))
        earlier = int(np.flatnonzero(~keys & _LABEL_BIT).sum())
        wins: float = (place_sum + earlier) / 2
    else:
        wins = place_sum
    return (wins - n_positive * (n_positive - 1) / 2) / (n_positive * n_negative)
