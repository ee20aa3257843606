"""A world of trained models, in which steps are changes of a model."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, ndtr

from lbsense._typing import FloatArray, IntArray
from lbsense.simulate.scenario import Scenario
from lbsense.simulate.world import (
    Evaluation,
    RowNoise,
    find_intercept,
    fold_bounds,
    label_probability,
    mean_absolute,
)

_FIRST_USEFUL = 8
_FIRST_USELESS = 4
_FIRST_PENALTY = 0.01  # per training row
# Chances of adding, swapping and dropping a block; what is left changes the penalty.
_ADD, _SWAP, _DROP = 0.35, 0.65, 0.8
_TWEAK = 0.2  # of the logarithm of the penalty
_SMALL = 0.2  # what a tweak or a re-run moves validation, relative to an idea
# One unit of leak moves CV about as far as in the Gaussian world.
_LEAK_SCALE = 0.2
_EDGE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A recipe: blocks of features and a penalty.

    Attributes
    ----------
    useful, useless : tuple of int
        Blocks in use that look at columns that matter, and at others.
    log_penalty : float
        Logarithm of the ridge penalty per training row.
    leak : float
        How far out-of-fold predictions are pulled towards the label.
    note : str
        What was changed.
    """

    useful: tuple[int, ...]
    useless: tuple[int, ...]
    log_penalty: float
    leak: float
    note: str


class TrainedWorld:
    """Rows drawn from the population, and ridge models fitted to them.

    The normal equations of every fold are summed once, so that a model costs a few
    small systems of equations and one product with its features.

    Parameters
    ----------
    scenario : Scenario
        The options.
    ideas : numpy.random.Generator
        Decides what each step changes.
    streams : sequence of three numpy.random.Generator
        Draw the training, public and private rows.
    """

    def __init__(
        self,
        scenario: Scenario,
        ideas: np.random.Generator,
        streams: list[np.random.Generator],
    ) -> None:
        self._scenario = scenario
        self._ideas = ideas
        self._population = population()
        self._laws = self._make_laws()
        sizes = (scenario.n_train, scenario.n_public, scenario.n_private)
        noises = [
            RowNoise(size, group_size=scenario.group_size, rng=stream)
            for size, stream in zip(sizes, streams, strict=True)
        ]
        laws = (self._laws[0], self._laws[0], self._laws[1])
        shifts = (0.0, 0.0, scenario.shift)
        self._points = [
            self._draw_points(noise, shift)
            for noise, shift in zip(noises, shifts, strict=True)
        ]
        self.targets = [
            self._draw_targets(law, points, noise)
            for law, points, noise in zip(laws, self._points, noises, strict=True)
        ]
        self._sum_equations()

    def first(self) -> TrainedModel:
        """Return the entrant's first model."""
        useful = self._ideas.choice(N_USEFUL, size=_FIRST_USEFUL, replace=False)
        useless = self._ideas.choice(N_USELESS, size=_FIRST_USELESS, replace=False)
        return TrainedModel(
            useful=tuple(useful.tolist()),
            useless=tuple((N_USEFUL + useless).tolist()),
            log_penalty=math.log(_FIRST_PENALTY),
            leak=0.0,
            note="baseline",
        )

    def child(self, parent: TrainedModel, kind: str) -> TrainedModel:
        """Return a model with one thing changed."""
        scale = _SMALL if kind in ("tweak", "rerun") else 1.0
        wobble = self._scenario.cv_noise * self._ideas.standard_normal()
        leak = self._scenario.cv_leak * abs(self._ideas.standard_normal())
        base = replace(parent, leak=parent.leak + _LEAK_SCALE * scale * (leak + wobble))
        if kind in ("dud", "rerun"):
            return self._shuffle(base, n_blocks=1 if kind == "rerun" else 2)
        if kind == "tweak":
            return self._penalise(base, _TWEAK)
        return self._improve(base)

    def describe(self, model: TrainedModel) -> str:
        """Return what was changed."""
        return model.note

    def evaluate(self, model: TrainedModel, *, misaligned: bool = False) -> Evaluation:
        """Return the predictions of a recipe on every row, and its expected scores."""
        final, *folds = self._fit(model)
        linear = _combine(model, final, self._population.features)
        everywhere = self._label(self._respond(linear, self._means[0]))
        _, public, private = self._points
        order = slice(None, None, -1 if misaligned else 1)
        here, there = self._laws
        truth = here.expected(everywhere, misaligned=misaligned)
        return Evaluation(
            oof=self._out_of_fold(model, folds),
            public=everywhere[public][order],
            private=everywhere[private][order],
            cv_truth=math.nan,
            public_truth=truth,
            private_truth=(
                truth
                if there is here
                else there.expected(everywhere, misaligned=misaligned)
            ),
        )

    def constant_loss(self, value: float) -> tuple[float, float]:
        """Return the expected loss of a constant on public and on private rows."""
        public, private = (law.constant_loss(value) for law in self._laws)
        return public, private

    def _make_laws(self) -> tuple[Law, Law]:
        """Return how targets follow points on training and public, and private rows."""
        scenario, people = self._scenario, self._population
        even = np.full(N_POINTS, 1.0 / N_POINTS)
        tilted = _smooth(_tilted(people.tilt, scenario.shift), scenario.group_size)
        patterns = (
            people.pattern,
            people.pattern + scenario.shift_noise * people.drift,
        )
        here, there = (
            Law(
                scenario.metric,
                pattern=pattern,
                weight=weight,
                prevalence=scenario.prevalence,
                base=people.pattern,
                heavy_tails=scenario.heavy_tails,
            )
            for pattern, weight in zip(patterns, (even, tilted), strict=True)
        )
        shifted = scenario.shift != 0 or scenario.shift_noise != 0
        return here, there if shifted else here

    def _draw_points(self, noise: RowNoise, shift: float) -> IntArray:
        """Return the point of every row; the rows of a group are neighbours."""
        n_groups = -(-noise.n_obs // noise.group_size)
        chance = np.cumsum(_tilted(self._population.tilt, shift))
        starts = np.searchsorted(chance, noise.rng.random(n_groups) * chance[-1])
        member = np.arange(noise.n_obs) % noise.group_size
        return np.asarray(
            (np.repeat(starts, noise.group_size)[: noise.n_obs] + member) % N_POINTS
        )

    def _draw_targets(self, law: Law, points: IntArray, noise: RowNoise) -> FloatArray:
        if self._scenario.binary:
            # Uniform, and correlated within a group.
            uniform = ndtr(noise.draw())
            return np.asarray(uniform < law.positive[points], dtype=np.float64)
        heavy = self._scenario.heavy_tails
        return law.pattern[points] + (noise.draw_heavy() if heavy else noise.draw())

    def _sum_equations(self) -> None:
        """Sum the normal equations of all rows, and of all rows but each fold."""
        scenario, target = self._scenario, self.targets[0]
        self._bounds = fold_bounds(
            scenario.n_train, scenario.n_folds, scenario.group_size
        )
        flat = self._population.features.reshape(-1, N_POINTS)
        train = flat[:, self._points[0]].astype(np.float64)
        folds = [slice(*pair) for pair in pairwise(self._bounds)]
        grams = [train[:, rows] @ train[:, rows].T for rows in folds]
        moments = [train[:, rows] @ target[rows] for rows in folds]
        sums = [train[:, rows].sum(axis=1) for rows in folds]
        counts = np.diff(self._bounds)
        totals = np.array([target[rows].sum() for rows in folds])
        self._train = train.reshape(-1, FEATURES_PER_BLOCK, scenario.n_train)
        self._grams = _all_and_without(grams)
        self._counts = _all_and_without(list(counts))
        self._means = [
            total / count
            for total, count in zip(
                _all_and_without(list(totals)), self._counts, strict=True
            )
        ]
        self._moments = [
            moment - mean * centre
            for moment, mean, centre in zip(
                _all_and_without(moments),
                self._means,
                _all_and_without(sums),
                strict=True,
            )
        ]

    def _fit(self, model: TrainedModel) -> list[FloatArray]:
        """Return the weights of the final model and of the model of every fold."""
        used = _features(model)
        square = np.ix_(used, used)
        penalty = math.exp(model.log_penalty)
        return [
            np.asarray(
                cho_solve(
                    cho_factor(gram[square] + penalty * count * np.eye(len(used))),
                    moment[used],
                )
            )
            for gram, moment, count in zip(
                self._grams, self._moments, self._counts, strict=True
            )
        ]

    def _out_of_fold(self, model: TrainedModel, folds: list[FloatArray]) -> FloatArray:
        parts = [
            self._respond(_combine(model, weights, self._train[..., low:high]), mean)
            for weights, mean, (low, high) in zip(
                folds, self._means[1:], pairwise(self._bounds), strict=True
            )
        ]
        honest = np.concatenate(parts)
        pulled = honest + model.leak * (self.targets[0] - honest)
        if self._scenario.binary:
            pulled = pulled.clip(_EDGE, 1 - _EDGE)
        return self._label(pulled)

    def _respond(self, linear: FloatArray, mean: float) -> FloatArray:
        """Return targets or probabilities: one Newton step of the logistic fit."""
        if not self._scenario.binary:
            return mean + linear
        variance = mean * (1 - mean)
        return np.asarray(expit(math.log(mean / (1 - mean)) + linear / variance))

    def _label(self, response: FloatArray) -> FloatArray:
        if self._scenario.metric == "accuracy":
            return (response > 0.5).astype(np.float64)
        return response

    def _improve(self, parent: TrainedModel) -> TrainedModel:
        """Add, swap or drop a useful block of features, or change the penalty."""
        kept = list(parent.useful)
        unused = sorted(set(range(N_USEFUL)) - set(kept))
        choice = self._ideas.random()
        place = int(self._ideas.integers(len(kept)))
        if choice < _SWAP and unused:
            new = int(self._ideas.choice(unused))
            note = f"+ waves of {self._name(new)}"
            if choice >= _ADD:
                note += f", without {self._name(kept.pop(place))}"
            return replace(parent, useful=(*kept, new), note=note)
        if _SWAP <= choice < _DROP and len(kept) > 1:
            note = f"without waves of {self._name(kept.pop(place))}"
            return replace(parent, useful=tuple(kept), note=note)
        return self._penalise(parent, 1.0)

    def _shuffle(self, parent: TrainedModel, *, n_blocks: int) -> TrainedModel:
        """Put other useless blocks in the place of some."""
        blocks = list(parent.useless)
        every = range(N_USEFUL, N_USEFUL + N_USELESS)
        unused = sorted(set(every) - set(blocks))
        new = self._ideas.choice(unused, size=n_blocks, replace=False)
        places = self._ideas.choice(len(blocks), size=n_blocks, replace=False)
        for place, block in zip(places, new, strict=True):
            blocks[place] = int(block)
        note = f"waves of {self._name(blocks[places[0]])} instead"
        return replace(parent, useless=tuple(blocks), note=note)

    def _penalise(self, parent: TrainedModel, spread: float) -> TrainedModel:
        factor = math.exp(spread * self._ideas.standard_normal())
        return replace(
            parent,
            log_penalty=parent.log_penalty + math.log(factor),
            note=f"ridge penalty x{factor:.2f}",
        )

    def _name(self, block: int) -> str:
        return " ".join(f"x{column}" for column in self._population.columns[block])


def _combine(
    model: TrainedModel, weights: FloatArray, features: npt.NDArray[Any]
) -> FloatArray:
    """Return the weighted sum of the features of every block in use."""
    parts = weights.astype(features.dtype).reshape(-1, FEATURES_PER_BLOCK)
    blocks = model.useful + model.useless
    total = parts[0] @ features[blocks[0]]
    for block, part in zip(blocks[1:], parts[1:], strict=True):
        total += part @ features[block]
    return np.asarray(total, dtype=np.float64)


def _features(model: TrainedModel) -> IntArray:
    """Return the positions of a model's features among all."""
    first = FEATURES_PER_BLOCK * np.array(model.useful + model.useless)
    return np.asarray((first[:, None] + np.arange(FEATURES_PER_BLOCK)).ravel())


def _all_and_without(parts: list[Any]) -> list[Any]:
    """Return the sum of all parts, then the sum of all but each."""
    total = sum(parts)
    return [total, *(total - part for part in parts)]


def _tilted(tilt: FloatArray, shift: float) -> FloatArray:
    weight = np.exp(shift * tilt)
    return np.asarray(weight / weight.sum())


def _smooth(weight: FloatArray, width: int) -> FloatArray:
    """Return the chance of each point when a group is a run that begins at random."""
    return np.asarray(
        np.mean([np.roll(weight, offset) for offset in range(width)], axis=0)
    )


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
