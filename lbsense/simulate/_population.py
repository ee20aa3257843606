"""The population of the trained world: fixed points and features, known truth."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._typing import FloatArray
from lbsense.simulate._targets import find_intercept, label_probability, mean_absolute

__all__ = [
    "FEATURES_PER_BLOCK",
    "N_POINTS",
    "N_USEFUL",
    "N_USELESS",
    "Law",
    "population",
]

N_POINTS = 40_000
N_USEFUL = 36  # blocks of features that look at columns the targets depend on
N_USELESS = 12  # blocks that look at others
FEATURES_PER_BLOCK = 6

_N_COLUMNS = 14
_N_IDLE_COLUMNS = 6
_SEED = 20_260_302

_Float32Array: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """Points of the trained world, the same in every competition.

    Attributes
    ----------
    tilt : ndarray of shape (N_POINTS,)
        The column along which the points are sorted, and along which shift tilts.
    pattern, drift : ndarray of shape (N_POINTS,)
        What the targets follow, and what may be added to it on private rows: both
        have mean 0 and variance 1.
    features : ndarray of float32
        Random Fourier features, each centred, of shape (N_USEFUL + N_USELESS,
        FEATURES_PER_BLOCK, N_POINTS).
    columns : tuple of tuple of int
        The columns that each block looks at.
    """

    tilt: FloatArray
    pattern: FloatArray
    drift: FloatArray
    features: _Float32Array
    columns: tuple[tuple[int, ...], ...]


@functools.lru_cache(maxsize=1)
def population() -> Population:
    """Return the population; made once in a process, in about a second."""
    rng = np.random.default_rng(_SEED)
    points = rng.standard_normal((N_POINTS, _N_COLUMNS + _N_IDLE_COLUMNS))
    points = points[np.argsort(points[:, 0])]
    columns, blocks = [], []
    for block in range(N_USEFUL + N_USELESS):
        idle = block >= N_USEFUL
        chosen = rng.choice(
            _N_IDLE_COLUMNS if idle else _N_COLUMNS, size=1 + block % 3, replace=False
        )
        chosen = np.sort(chosen + (_N_COLUMNS if idle else 0))
        columns.append(tuple(chosen.tolist()))
        blocks.append(_block(points[:, chosen], rng))
    useful = columns[:N_USEFUL]
    return Population(
        tilt=points[:, 0],
        pattern=_pattern(points, useful, rng),
        drift=_pattern(points, useful, rng),
        features=np.array(blocks, dtype=np.float32),
        columns=tuple(columns),
    )


def _block(inputs: FloatArray, rng: np.random.Generator) -> _Float32Array:
    width = inputs.shape[1]
    frequency = rng.standard_normal((width, FEATURES_PER_BLOCK)) / math.sqrt(width)
    phase = rng.uniform(0, 2 * math.pi, FEATURES_PER_BLOCK)
    waves = math.sqrt(2) * np.cos(inputs @ frequency + phase)
    return np.asarray((waves - waves.mean(axis=0)).T, dtype=np.float32)


def _pattern(
    points: FloatArray, columns: list[tuple[int, ...]], rng: np.random.Generator
) -> FloatArray:
    """Return a standardised sum of waves over the columns that the blocks look at."""
    total = np.zeros(len(points))
    for chosen in columns:
        inputs = points[:, list(chosen)]
        frequency = rng.standard_normal((len(chosen), 4)) / math.sqrt(len(chosen))
        phase = rng.uniform(0, 2 * math.pi, 4)
        total += rng.uniform(0.4, 1.6) * np.sin(inputs @ frequency + phase).sum(axis=1)
    return np.asarray((total - total.mean()) / total.std())


class Law:
    """Conditional distribution of the targets at every point, and expected scores.

    Parameters
    ----------
    metric : str
        Metric of the competition.
    pattern : ndarray of shape (N_POINTS,)
        What the targets follow.
    weight : ndarray of shape (N_POINTS,)
        Probability with which each point is drawn; sums to 1.
    prevalence : float
        Share of positive labels under ``base`` before any are flipped.
    base : ndarray of shape (N_POINTS,)
        Pattern that fixes the intercept, so that drift may move the prevalence.
    heavy_tails : bool
        Whether some labels are wrong, or the noise of targets is Student's t.
    """

    def __init__(
        self,
        metric: str,
        *,
        pattern: FloatArray,
        weight: FloatArray,
        prevalence: float,
        base: FloatArray,
        heavy_tails: bool,
    ) -> None:
        self.metric = metric
        self.pattern = pattern
        self.weight = weight
        self.heavy_tails = heavy_tails
        even = np.full(N_POINTS, 1 / N_POINTS)
        self.positive = label_probability(
            pattern, find_intercept(prevalence, base, even), heavy_tails=heavy_tails
        )
        self.prevalence = float(weight @ self.positive)

    def expected(self, prediction: FloatArray, *, misaligned: bool = False) -> float:
        """Return the expected raw score of a model's prediction at every point."""
        if self.metric == "roc_auc":
            return 0.5 if misaligned else self._roc_auc(prediction)
        if self.metric in ("rmse", "mae"):
            return self._expected_error(prediction, misaligned=misaligned)
        positive = self.positive
        if misaligned:
            positive = np.full_like(positive, self.prevalence)
        if self.metric == "accuracy":
            right = np.where(prediction == 1, positive, 1 - positive)
            return float(self.weight @ right)
        gain = positive * np.log(prediction) + (1 - positive) * np.log1p(-prediction)
        return -float(self.weight @ gain)

    def constant_loss(self, value: float) -> float:
        """Return the expected loss of one value for every row; squared for RMSE."""
        loss = self.expected(np.full(N_POINTS, value))
        return loss**2 if self.metric == "rmse" else loss

    def _expected_error(self, prediction: FloatArray, *, misaligned: bool) -> float:
        if self.metric == "rmse" and not misaligned:
            return math.sqrt(float(self.weight @ (self.pattern - prediction) ** 2) + 1)
        if not misaligned:
            return float(self.weight @ self._folded(self.pattern - prediction))
        # Every point meets the predictions of some others: the order is by a feature.
        rolls = [N_POINTS * step // 17 for step in range(1, 17)]
        errors = [self.pattern - np.roll(prediction, roll) for roll in rolls]
        if self.metric == "rmse":
            return math.sqrt(float(np.mean([self.weight @ e**2 for e in errors])) + 1)
        return float(np.mean([self.weight @ self._folded(e) for e in errors]))

    def _folded(self, location: FloatArray) -> FloatArray:
        return mean_absolute(location, heavy_tails=self.heavy_tails)

    def _roc_auc(self, prediction: FloatArray) -> float:
        """Return the chance that a positive draw is ranked above a negative one."""
        order = np.argsort(prediction)
        positive = (self.weight * self.positive)[order]
        negative = (self.weight * (1 - self.positive))[order]
        below = np.cumsum(negative) - 0.5 * negative
        return float(positive @ below) / (float(positive.sum()) * float(negative.sum()))
