"""An entrant: what is sent next, built on which submission, and what it foretells."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.semi_real.features import Data
from benchmarks.semi_real.models import LEARNERS, Model, default, foretell
from benchmarks.semi_real.scoring import Metric, score

__all__ = ["KINDS", "Entrant", "Recipe", "Submission"]

Floats = NDArray[np.float64]

#: Kinds of steps with their share among guesses and among the others.
KINDS: dict[str, tuple[float, float]] = {
    "real": (0.0, 0.84),
    "damage": (0.0, 0.16),
    "tweak": (0.34, 0.0),
    "seed": (0.25, 0.0),
    "blend": (0.20, 0.0),
    "useless": (0.15, 0.0),
    "duplicate": (0.06, 0.0),
}
MAX_MEMBERS = 4
BY_CHANCE = {"boosting", "forest", "extra"}  # a seed changes what these say


@dataclass(frozen=True)
class Recipe:
    """How a submission comes to be: a blend of models, perhaps with a damage.

    Attributes
    ----------
    members : tuple of (Model, float)
        The models with their weights, the heaviest first.
    threshold : float
        From where on a probability becomes the label 1, for metrics of labels.
    spoiled : float
        Noise on the predictions, in units of their standard deviation.
    spoiled_seed : int
        Which noise.
    spoiled_after : bool
        Only what is sent is spoiled: CV does not show it.
    """

    members: tuple[tuple[Model, float], ...]
    threshold: float = 0.5
    spoiled: float = 0.0
    spoiled_seed: int = 0
    spoiled_after: bool = False

    @property
    def main(self) -> Model:
        """The heaviest model."""
        return self.members[0][0]

    def with_main(self, model: Model, *, alone: bool = False) -> Recipe:
        """Return the recipe with another model in the heaviest one's place."""
        rest = () if alone else self.members[1:]
        weight = 1.0 if alone else self.members[0][1]
        return replace(self, members=((model, weight), *rest))

    def with_all(self, **changes: object) -> Recipe:
        """Return the recipe with all models changed alike."""
        members = tuple((replace(m, **changes), w) for m, w in self.members)
        return replace(self, members=members)


@dataclass(frozen=True, eq=False)
class Submission:
    """One submission with what was sent and what it scored.

    Attributes
    ----------
    recipe : Recipe
        How it was made.
    kind, what : str
        The kind of step that led to it, and what was changed.
    parent : int
        The submission that it was made from, -1 for the first one.
    out_of_fold, sent : arrays
        Predictions of the training rows and of all rows after them.
    cv, public : float
        What the entrant sees.
    """

    recipe: Recipe
    kind: str
    what: str
    parent: int
    out_of_fold: Floats
    sent: Floats
    cv: float
    public: float


@dataclass(eq=False)
class Entrant:
    """Who takes part in one competition.

    Attributes
    ----------
    data, metric : Data, Metric
        The competition.
    policy : {"lb", "cv", "both", "last"}
        What the next submission is built on: the best public score, the best CV, the
        best sum of both, or the last one.
    guess_rate : float
        Share of steps that are guesses.
    rng : numpy.random.Generator
        Draws what is done next.
    history : list of Submission
        What was sent so far.
    """

    data: Data
    metric: Metric
    policy: str
    guess_rate: float
    rng: np.random.Generator
    history: list[Submission] = field(default_factory=list)
    _said: dict[Model, tuple[Floats, Floats]] = field(default_factory=dict)

    def send(self) -> Submission:
        """Make one more submission and return it."""
        if not self.history:
            made = self._scored(self._first(), "real", "first model", -1)
        else:
            parent = self._base()
            group = int(self.rng.random() >= self.guess_rate)
            shares = np.array([share[group] for share in KINDS.values()])
            kind = str(self.rng.choice(list(KINDS), p=shares / shares.sum()))
            if kind == "duplicate" and self.rng.random() < 0.25:
                parent = int(self.rng.integers(len(self.history)))
            recipe = self.history[parent].recipe
            if kind == "seed" and not _by_chance(recipe):
                kind = "tweak"
            recipe, what = getattr(self, f"_{kind}")(recipe)
            made = self._scored(recipe, kind, what, parent)
        self.history.append(made)
        return made

    def _base(self) -> int:
        if self.policy == "last":
            return len(self.history) - 1
        sign = 1 if self.metric.greater_is_better else -1
        public = sign * np.array([s.public for s in self.history])
        cv = sign * np.array([s.cv for s in self.history])
        worth = {"lb": public, "cv": cv, "both": public + cv}[self.policy]
        return int(np.argmax(worth))

    def _scored(self, recipe: Recipe, kind: str, what: str, parent: int) -> Submission:
        out_of_fold, sent = self._predictions(recipe)
        data = self.data
        y_after = data.y[data.n_train :]
        return Submission(
            recipe=recipe,
            kind=kind,
            what=what,
            parent=parent,
            out_of_fold=out_of_fold,
            sent=sent,
            cv=score(self.metric, data.y[: data.n_train], out_of_fold),
            public=score(self.metric, y_after[data.public], sent[data.public]),
        )

    def _predictions(self, recipe: Recipe) -> tuple[Floats, Floats]:
        out_of_fold = np.zeros(self.data.n_train)
        sent = np.zeros(len(self.data.y) - self.data.n_train)
        for model, weight in recipe.members:
            before, after = self._say(model)
            out_of_fold += weight * before
            sent += weight * after
        if recipe.spoiled:
            rng = np.random.default_rng(recipe.spoiled_seed)
            size = recipe.spoiled * float(sent.std())
            sent = sent + size * rng.standard_normal(len(sent))
            if not recipe.spoiled_after:
                noise = rng.standard_normal(len(out_of_fold))
                out_of_fold = out_of_fold + size * noise
        if self.metric.binary:
            out_of_fold, sent = (np.clip(p, 0, 1) for p in (out_of_fold, sent))
        if self.metric.labels:
            out_of_fold, sent = (
                (p >= recipe.threshold).astype(float) for p in (out_of_fold, sent)
            )
        return out_of_fold, sent

    def _say(self, model: Model) -> tuple[Floats, Floats]:
        if model not in self._said:
            self._said[model] = foretell(model, self.data)
        return self._said[model]

    # -- the steps ---------------------------------------------------------------

    def _first(self) -> Recipe:
        rng, n_given = self.rng, self.data.n_given
        n = max(1, round(rng.uniform(0.15, 0.8) * n_given))
        features = tuple(sorted(int(k) for k in rng.permutation(n_given)[:n]))
        learner = str(rng.choice(list(LEARNERS), p=[0.3, 0.17, 0.13, 0.3, 0.1]))
        rows = 1.0 if rng.random() < 0.8 else 0.5
        model = Model(learner, default(learner), features, seed=self._draw(), rows=rows)
        rate = float(self.data.y[: self.data.n_train].mean())
        rare = self.metric.name == "f1" and (rate < 0.25 or rng.random() < 0.5)
        return Recipe(((model, 1.0),), threshold=rate if rare else 0.5)

    def _real(self, recipe: Recipe) -> tuple[Recipe, str]:
        rng, main, data = self.rng, recipe.main, self.data
        hidden = sorted(set(range(len(data.names))) - set(main.features))
        could: dict[str, float] = {"learner": 0.2}
        if hidden:
            could["feature"] = 0.5
        if not data.binary and not main.log_target and data.y.min() >= 0:
            could["log target"] = 0.1
        if self.metric.labels:
            could["threshold"] = 0.15
        if main.rows < 1:
            could["all rows"] = 0.2
        if recipe.spoiled or main.n_useless:
            could["repair"] = 0.2
        shares = np.array(list(could.values()))
        how = str(rng.choice(list(could), p=shares / shares.sum()))
        alone = bool(rng.random() < 0.5)
        if how == "feature":
            n = min(len(hidden), int(rng.integers(1, 4)))
            found = [int(k) for k in rng.choice(hidden, n, replace=False)]
            features = tuple(sorted((*main.features, *found)))
            names = ", ".join(data.names[k] for k in found)
            new = replace(main, features=features)
            return recipe.with_main(new, alone=alone), f"feature {names}"
        if how == "learner":
            other = str(rng.choice([n for n in LEARNERS if n != main.learner]))
            new = replace(main, learner=other, parameters=default(other))
            return recipe.with_main(new, alone=alone), f"learner {other}"
        if how == "log target":
            return recipe.with_all(log_target=True), how
        if how == "all rows":
            return recipe.with_all(rows=1.0), how
        if how == "repair":
            return replace(recipe.with_all(n_useless=0), spoiled=0.0), how
        return replace(recipe, threshold=self._best_threshold(recipe)), how

    def _best_threshold(self, recipe: Recipe) -> float:
        p = sum(w * self._say(m)[0] for m, w in recipe.members)
        tried = np.unique(np.quantile(p, np.linspace(0.1, 0.98, 30)))
        y = self.data.y[: self.data.n_train]
        won = [score(self.metric, y, (p >= t).astype(float)) for t in tried]
        return float(tried[int(np.argmax(won))])

    def _tweak(self, recipe: Recipe) -> tuple[Recipe, str]:
        rng, main = self.rng, recipe.main
        ranges = LEARNERS[main.learner]
        n = min(len(ranges), int(rng.integers(1, 3)))
        chosen = set(rng.choice(list(ranges), n, replace=False))
        parameters = tuple(
            (name, self._moved(value, *ranges[name][1:]) if name in chosen else value)
            for name, value in main.parameters
        )
        new = replace(main, parameters=parameters)
        return recipe.with_main(new), "tweak " + ", ".join(sorted(chosen))

    def _moved(self, value: float, low: float, high: float) -> float:
        size = float(self.rng.choice([0.15, 0.4, 1.0]))
        factor = float(np.exp(size * self.rng.standard_normal()))
        return float(np.clip(value * factor, low, high))

    def _seed(self, recipe: Recipe) -> tuple[Recipe, str]:
        if recipe.main.learner not in BY_CHANCE or self.rng.random() < 0.5:
            members = tuple(
                (replace(m, seed=self._draw()), w) for m, w in recipe.members
            )
            return replace(recipe, members=members), "all seeds"
        return recipe.with_main(replace(recipe.main, seed=self._draw())), "seed"

    def _blend(self, recipe: Recipe) -> tuple[Recipe, str]:
        rng = self.rng
        weight = float(rng.choice([0.2, 0.35, 0.5]))
        how = str(rng.choice(["earlier", "bag", "new"], p=[0.45, 0.25, 0.3]))
        if how == "earlier" and len(self.history) > 1:
            other = self.history[int(rng.integers(len(self.history)))].recipe
            return _mixed(recipe, other, weight), "blend with an earlier one"
        if how == "bag" and recipe.main.learner in BY_CHANCE:
            again = Recipe(((replace(recipe.main, seed=self._draw()), 1.0),))
            return _mixed(recipe, again, 0.5), "bag of seeds"
        learner = str(rng.choice([n for n in LEARNERS if n != recipe.main.learner]))
        new = replace(recipe.main, learner=learner, parameters=default(learner))
        return _mixed(recipe, Recipe(((new, 1.0),)), weight), f"blend with {learner}"

    def _useless(self, recipe: Recipe) -> tuple[Recipe, str]:
        n = int(self.rng.choice([1, 2, 5, 10, 20]))
        new = replace(
            recipe.main,
            n_useless=recipe.main.n_useless + n,
            useless_seed=self._draw(),
        )
        return recipe.with_main(new), f"{n} columns of noise"

    def _damage(self, recipe: Recipe) -> tuple[Recipe, str]:
        rng, main = self.rng, recipe.main
        could = ["rows", "noise", "noise after CV", "parameters"]
        if len(main.features) > 1:
            could += ["features", "features"]
        how = str(rng.choice(could))
        if how == "rows":
            return recipe.with_main(replace(main, rows=float(rng.uniform(0.2, 0.6)))), (
                "fewer rows"
            )
        if how == "features":
            n = max(1, int(len(main.features) * rng.uniform(0.4, 0.95)))
            kept = rng.choice(main.features, n, replace=False)
            features = tuple(sorted(int(k) for k in kept))
            return recipe.with_main(replace(main, features=features)), "features lost"
        if how == "parameters":
            ranges = LEARNERS[main.learner]
            name = str(rng.choice(list(ranges)))
            end = float(ranges[name][int(rng.integers(1, 3))])
            parameters = tuple((n, end if n == name else v) for n, v in main.parameters)
            new = replace(main, parameters=parameters)
            return recipe.with_main(new), f"{name} at its end"
        spoiled = replace(
            recipe,
            spoiled=float(rng.choice([0.05, 0.15, 0.4])),
            spoiled_seed=self._draw(),
            spoiled_after=how == "noise after CV",
        )
        return spoiled, how

    def _duplicate(self, recipe: Recipe) -> tuple[Recipe, str]:
        return recipe, "sent again"

    def _draw(self) -> int:
        return int(self.rng.integers(2**31))


def _by_chance(recipe: Recipe) -> bool:
    return any(model.learner in BY_CHANCE for model, _ in recipe.members)


def _mixed(one: Recipe, other: Recipe, weight: float) -> Recipe:
    # The same model twice is one with both weights; the lightest go if they are many.
    weights: dict[Model, float] = {}
    for recipe, share in ((one, 1 - weight), (other, weight)):
        for model, w in recipe.members:
            weights[model] = weights.get(model, 0.0) + share * w
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:MAX_MEMBERS]
    total = sum(w for _, w in heaviest)
    return replace(one, members=tuple((m, w / total) for m, w in heaviest))
