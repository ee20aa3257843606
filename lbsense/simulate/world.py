"""A world of rows: groups, folds, noise, targets, scores; and the Gaussian one."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, stdtr

from lbsense._typing import FloatArray, IntArray
from lbsense.simulate.scenario import GREATER_IS_BETTER, Scenario

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
