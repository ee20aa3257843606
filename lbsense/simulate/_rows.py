"""Rows of a simulated data set: their groups, their folds and their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lbsense._typing import FloatArray, IntArray

__all__ = ["GROUP_SHARE", "Evaluation", "RowNoise", "World", "fold_bounds"]

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
