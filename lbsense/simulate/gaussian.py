"""A world of Gaussian rows, in which a step may be worth exactly nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from lbsense._typing import FloatArray
from lbsense.simulate.rows import (
    SLOPE,
    Evaluation,
    RowNoise,
    find_intercept,
    label_probability,
    mean_absolute,
)
from lbsense.simulate.scenario import Scenario

_FIRST_SPREAD = 1.0  # error spread of the entrant's first model
_LEAST_SPREAD = 0.05  # below it nothing is left to gain
_SMALL_NOVELTY = 0.2  # of a tweak or a re-run, relative to that of a new idea


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GaussianModel:
    """One model of the entrant: the spread of its errors, and the errors.

    Attributes
    ----------
    log_spread : float
        Logarithm of tau, the spread of the errors on public rows.
    cv_offset, private_offset : float
        What is added to it on training and on private rows.
    errors : tuple of ndarray
        Standard normal errors of the training, public and private rows.
    """

    log_spread: float
    cv_offset: float
    private_offset: float
    errors: tuple[FloatArray, FloatArray, FloatArray]


class GaussianWorld:
    """Rows with a Gaussian signal that every submission sees with errors of its own.

    Parameters
    ----------
    scenario : Scenario
        The options.
    ideas : numpy.random.Generator
        Decides what each step is worth.
    streams : sequence of three numpy.random.Generator
        Row noise of the training, public and private rows.
    """

    def __init__(
        self,
        scenario: Scenario,
        ideas: np.random.Generator,
        streams: list[np.random.Generator],
    ) -> None:
        self._scenario = scenario
        self._ideas = ideas
        self._truth = GaussianTruth(
            scenario.metric, scenario.prevalence, heavy_tails=scenario.heavy_tails
        )
        sizes = (scenario.n_train, scenario.n_public, scenario.n_private)
        self._noise = [
            RowNoise(size, group_size=scenario.group_size, rng=stream)
            for size, stream in zip(sizes, streams, strict=True)
        ]
        self._signals = [noise.draw() for noise in self._noise]
        self.targets = [
            self._target(signal, noise)
            for signal, noise in zip(self._signals, self._noise, strict=True)
        ]

    def first(self) -> GaussianModel:
        """Return the entrant's first model."""
        return GaussianModel(
            log_spread=math.log(_FIRST_SPREAD),
            cv_offset=0.0,
            private_offset=self._scenario.shift,
            errors=self._fresh_errors(),
        )

    def child(self, parent: GaussianModel, kind: str) -> GaussianModel:
        """Return a model made from another by an idea, a nuisance or a tweak."""
        scenario = self._scenario
        # Drawn whatever the kind, so that one option does not move another's draws.
        size = scenario.step_size * abs(self._ideas.standard_normal())
        better = self._ideas.random() < scenario.gain_fraction
        wobble = scenario.cv_noise * self._ideas.standard_normal()
        leak = scenario.cv_leak * abs(self._ideas.standard_normal())
        drift = scenario.shift_noise * self._ideas.standard_normal()
        change = (-size if better else size) if kind == "step" else 0.0
        small = kind in ("tweak", "rerun")
        scale = _SMALL_NOVELTY if small else 1.0
        return GaussianModel(
            log_spread=max(parent.log_spread + change, math.log(_LEAST_SPREAD)),
            cv_offset=parent.cv_offset + scale * (wobble - leak),
            private_offset=parent.private_offset + scale * drift,
            errors=self._inherit(parent.errors, scenario.novelty * scale),
        )

    def describe(self, model: GaussianModel) -> str:  # noqa: ARG002
        """Return nothing: an idea has no name in this world."""
        return ""

    def evaluate(self, model: GaussianModel, *, misaligned: bool = False) -> Evaluation:
        """Return the predictions of a model on every row, and its expected scores.

        A misaligned file holds the predictions of the test rows in reverse order.
        """
        offsets = (model.cv_offset, 0.0, model.private_offset)
        spreads = [
            max(math.exp(model.log_spread + offset), _LEAST_SPREAD)
            for offset in offsets
        ]
        oof, public, private = (
            self._truth.predict(signal + spread * error, spread)
            for signal, error, spread in zip(
                self._signals, model.errors, spreads, strict=True
            )
        )
        order = slice(None, None, -1 if misaligned else 1)
        return Evaluation(
            oof=oof,
            public=public[order],
            private=private[order],
            cv_truth=self._truth.expected(spreads[0]),
            public_truth=self._truth.expected(spreads[1], misaligned=misaligned),
            private_truth=self._truth.expected(spreads[2], misaligned=misaligned),
        )

    def constant_loss(self, value: float) -> tuple[float, float]:
        """Return the expected loss of a constant on public and on private rows."""
        loss = self._truth.constant_loss(value)
        return loss, loss

    def _target(self, signal: FloatArray, noise: RowNoise) -> FloatArray:
        scenario = self._scenario
        if scenario.binary:
            uniform = noise.rng.random(noise.n_obs)
            positive = uniform < self._truth.probability(signal)
            return positive.astype(np.float64)
        return signal + (noise.draw_heavy() if scenario.heavy_tails else noise.draw())

    def _fresh_errors(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        train, public, private = (noise.draw() for noise in self._noise)
        return train, public, private

    def _inherit(
        self, errors: tuple[FloatArray, FloatArray, FloatArray], novelty: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return errors that keep most of the parent's, with the same spread."""
        kept = math.sqrt(1 - novelty**2)
        train, public, private = (
            kept * old + novelty * new
            for old, new in zip(errors, self._fresh_errors(), strict=True)
        )
        return train, public, private


_GRID = np.linspace(-8.0, 8.0, 801)
_GRID_STEP = float(_GRID[1] - _GRID[0])
_DENSITY = np.exp(-0.5 * _GRID**2) * _GRID_STEP / math.sqrt(2 * math.pi)
_NODES, _raw_weights = np.polynomial.hermite_e.hermegauss(40)
_WEIGHTS = _raw_weights / _raw_weights.sum()


class GaussianTruth:
    """Expected score of a model whose errors have a given spread, by quadrature.

    Notes
    -----
    The signal is ``f ~ N(0, 1)``, a submission sees ``s = f + tau u`` with
    ``u ~ N(0, 1)``. Labels are Bernoulli(sigmoid(1.5 f + b)), targets are ``f + e``
    with noise of unit variance. Sums over an even grid of a Gaussian density converge
    faster than any power of the grid step.

    Parameters
    ----------
    metric : str
        Metric of the competition.
    prevalence : float
        Share of positive labels before any are flipped.
    heavy_tails : bool
        Whether some labels are wrong, or the noise of targets is Student's t.
    """

    def __init__(self, metric: str, prevalence: float, *, heavy_tails: bool) -> None:
        self.metric = metric
        self.heavy_tails = heavy_tails
        self.intercept = find_intercept(prevalence, _GRID, _DENSITY)
        self.positive = self.probability(_GRID)
        self.prevalence = float(_DENSITY @ self.positive)
        self._known: dict[tuple[float, bool], float] = {}
        above = _DENSITY * self.positive / self.prevalence
        below = _DENSITY * (1 - self.positive) / (1 - self.prevalence)
        self._lead = np.correlate(above, below, mode="full")
        self._lead_grid = _GRID_STEP * np.arange(1 - len(_GRID), len(_GRID))

    def probability(self, signal: FloatArray) -> FloatArray:
        """Return the probability of a positive label given the signal."""
        return label_probability(signal, self.intercept, heavy_tails=self.heavy_tails)

    def predict(self, seen: FloatArray, spread: float) -> FloatArray:
        """Return what a sensible entrant submits who sees the signal with errors."""
        centre = seen / (1 + spread**2)
        if self.metric in ("rmse", "mae"):
            return np.asarray(centre)
        if self.metric == "accuracy":
            return np.asarray(SLOPE * centre + self.intercept > 0, dtype=np.float64)
        return np.asarray(expit(self._log_odds(centre, spread)))

    def expected(self, spread: float, *, misaligned: bool = False) -> float:
        """Return the expected raw score; ``misaligned`` when rows are out of order."""
        key = (spread, misaligned)
        if key not in self._known:
            self._known[key] = self._compute(spread, misaligned=misaligned)
        return self._known[key]

    def constant_loss(self, value: float) -> float:
        """Return the expected loss of one value for every row; squared for RMSE."""
        if self.metric == "log_loss":
            hit = self.prevalence
            return -hit * math.log(value) - (1 - hit) * math.log(1 - value)
        if self.metric == "accuracy":
            return self.prevalence if value == 1 else 1 - self.prevalence
        if self.metric == "rmse":
            return 2 + value**2
        return self._mean_absolute(1.0, value)

    def _compute(self, spread: float, *, misaligned: bool) -> float:
        residual = spread**2 / (1 + spread**2)
        if misaligned:
            residual = 1 + 1 / (1 + spread**2)
        match self.metric:
            case "rmse":
                return math.sqrt(1 + residual)
            case "mae":
                return self._mean_absolute(residual, 0.0)
        if self.metric == "roc_auc":
            if misaligned:
                return 0.5
            win = ndtr(self._lead_grid / (spread * math.sqrt(2)))
            return float(self._lead @ win)
        positive = np.full_like(_GRID, self.prevalence) if misaligned else self.positive
        if self.metric == "accuracy":
            cut = -self.intercept * (1 + spread**2) / SLOPE
            called = ndtr((_GRID - cut) / spread)
            right = positive * called + (1 - positive) * (1 - called)
            return float(_DENSITY @ right)
        centre = (_GRID[:, None] + spread * _NODES) / (1 + spread**2)
        odds = self._log_odds(centre, spread)
        loss = np.logaddexp(0, odds) - positive[:, None] * odds
        return float(_DENSITY @ loss @ _WEIGHTS)

    def _log_odds(self, centre: FloatArray, spread: float) -> FloatArray:
        """Return calibrated log odds, by MacKay's probit-like approximation."""
        variance = spread**2 / (1 + spread**2)
        shrink = 1 / math.sqrt(1 + math.pi * SLOPE**2 * variance / 8)
        return np.asarray(shrink * (SLOPE * centre + self.intercept))

    def _mean_absolute(self, variance: float, location: float) -> float:
        """Return E|e + z + location| for the row noise e and z ~ N(0, variance)."""
        centre = location + math.sqrt(variance) * _NODES
        return float(_WEIGHTS @ mean_absolute(centre, heavy_tails=self.heavy_tails))
