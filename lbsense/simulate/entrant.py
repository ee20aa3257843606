"""The entrant: what is tried, what the platform answers, what is written down."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from lbsense._typing import FloatArray
from lbsense.model import Competition, History, Submission
from lbsense.simulate.scenario import Scenario
from lbsense.simulate.world import (
    Evaluation,
    World,
    fold_bounds,
    fold_scores,
    row_score,
)

BURST_LENGTH = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempt:
    """One submission before it is written down.

    Attributes
    ----------
    kind : str
        How it was made.
    parent, content : int
        Positions of the submission it was made from (-1 for none), and of the first
        one with the same content.
    note : str
        The entrant's words for the change, where the world knows them.
    result : Evaluation
        Predictions and truth.
    public_score, private_score, cv_score : float
        As displayed, nan where none is.
    cv_fold_scores : ndarray
        As displayed; empty for a probe.
    """

    kind: str
    parent: int
    content: int
    note: str
    result: Evaluation
    public_score: float
    private_score: float
    cv_score: float
    cv_fold_scores: FloatArray


def enter(
    scenario: Scenario,
    world: World,
    choices: np.random.Generator,
    *,
    keep_rows: bool,
) -> list[Attempt]:
    """Return everything that one entrant submits, in time order."""
    platform = Platform(scenario, world, choices)
    attempts: list[Attempt] = []
    models: dict[int, Any] = {}  # what may be built on
    base = -1
    for position, kind in enumerate(draw_kinds(scenario, choices)):
        if scenario.policy == "random" and models:
            base = list(models)[int(choices.integers(len(models)))]
        if kind == "repeat":
            attempt = dataclasses.replace(attempts[base], kind=kind, parent=base)
            model = models[base]
        elif kind == "probe":
            attempt = _submit(platform, platform.probe(), kind, position)
        else:
            model = world.child(models[base], kind) if models else world.first()
            result = world.evaluate(model, misaligned=kind == "broken")
            note = world.describe(model)
            attempt = _submit(platform, result, kind, position, base, note)
        attempts.append(attempt if keep_rows else _without_rows(attempt))
        if kind in ("probe", "broken", "failed"):
            continue  # nothing is built on these
        if scenario.policy == "random":
            models[position] = model
        elif base < 0 or prefers(scenario, attempt, attempts[base]):
            base, models = position, {position: model}
    return attempts


def prefers(scenario: Scenario, new: Attempt, old: Attempt) -> bool:
    """Return whether the entrant builds on the newer of two submissions.

    Only scores that are shown count, and the incumbent stays unless it is beaten.
    """
    sign = 1 if scenario.greater_is_better else -1
    match scenario.policy:
        case "public":
            return sign * new.public_score > sign * old.public_score
        case "cv":
            return sign * new.cv_score > sign * old.cv_score
        case "both":
            total = new.public_score + new.cv_score
            return sign * total > sign * (old.public_score + old.cv_score)
    return True


def draw_kinds(scenario: Scenario, rng: np.random.Generator) -> list[str]:
    """Return how each submission is made; tweaks come in bursts."""
    special = {
        "repeat": scenario.repeat_fraction,
        "rerun": scenario.rerun_fraction,
        "probe": scenario.probe_fraction,
        "broken": scenario.broken_fraction,
        "failed": scenario.failed_fraction,
        "tweak": scenario.burst_fraction / BURST_LENGTH,
    }
    plain = max(0.0, 1.0 - sum(special.values()) - 5 * special["tweak"])
    names = [*special, "plain"]
    cumulative = np.cumsum([*special.values(), plain])
    kinds = ["first"]
    while len(kinds) < scenario.n_submissions:
        which = np.searchsorted(cumulative, rng.random() * cumulative[-1], "right")
        is_null = rng.random() < scenario.null_fraction
        name = names[int(which)]
        if name == "plain":
            name = "dud" if is_null else "step"
        kinds += [name] * (BURST_LENGTH if name == "tweak" else 1)
    return kinds[: scenario.n_submissions]


def _submit(
    platform: Platform,
    result: Evaluation,
    kind: str,
    position: int,
    parent: int = -1,
    note: str = "",
) -> Attempt:
    """Return the attempt with every score that is shown for it."""
    public_score, private_score = platform.score(result)
    if kind == "failed":
        public_score = private_score = math.nan
    folds = platform.validate(result)
    return Attempt(
        kind=kind,
        parent=parent,
        content=position,
        note=note,
        result=result,
        public_score=public_score,
        private_score=private_score,
        cv_score=platform.show(folds.mean()) if len(folds) else math.nan,
        cv_fold_scores=folds,
    )


def _without_rows(attempt: Attempt) -> Attempt:
    none = np.empty(0)
    result = dataclasses.replace(attempt.result, oof=none, public=none, private=none)
    return dataclasses.replace(attempt, result=result)


_MAX_HOT_ROWS = 20
# What a probe writes everywhere, and what it writes into the rows it asks about.
_PROBE_VALUES = {
    "roc_auc": (0.5, 0.99),
    "log_loss": (0.5, 0.99),
    "accuracy": (0.0, 1.0),
    "rmse": (0.0, 10.0),
    "mae": (0.0, 10.0),
}


class Platform:
    """Scores of files as they are displayed.

    Parameters
    ----------
    scenario : Scenario
        The options.
    world : World
        Holds the targets of the training, public and private rows.
    rng : numpy.random.Generator
        Chooses the rows that a probe asks about.
    """

    def __init__(
        self, scenario: Scenario, world: World, rng: np.random.Generator
    ) -> None:
        self._scenario = scenario
        self._world = world
        self._rng = rng
        self._bounds = fold_bounds(
            scenario.n_train, scenario.n_folds, scenario.group_size
        )

        self._check_classes()

    def show(self, score: float) -> float:
        """Return a score with the decimals that are displayed."""
        return round(float(score), self._scenario.decimals)

    def score(self, result: Evaluation) -> tuple[float, float]:
        """Return the public and the private score of a file."""
        metric = self._scenario.metric
        _, public, private = self._world.targets
        public_score = row_score(metric, public, result.public)
        if self._scenario.nested:
            everything = np.concatenate([public, private])
            file = np.concatenate([result.public, result.private])
            private_score = row_score(metric, everything, file)
        else:
            private_score = row_score(metric, private, result.private)
        return self.show(public_score), self.show(private_score)

    def validate(self, result: Evaluation) -> FloatArray:
        """Return the score of every fold; empty without out-of-fold predictions."""
        if np.isnan(result.oof[0]):
            return np.empty(0)
        train = self._world.targets[0]
        scores = fold_scores(self._scenario.metric, train, result.oof, self._bounds)
        return scores.round(self._scenario.decimals)

    def probe(self) -> Evaluation:
        """Return a file of one value, every other time with a few rows picked out."""
        scenario = self._scenario
        value, hot_value = _PROBE_VALUES[scenario.metric]
        n_test = scenario.n_public + scenario.n_private
        n_hot = int(self._rng.integers(2)) * max(1, min(_MAX_HOT_ROWS, n_test // 500))
        hot = self._rng.choice(n_test, size=n_hot, replace=False)
        file = np.full(n_test, value)
        file[hot] = hot_value
        share = n_hot / n_test
        truths = [
            self._finish((1 - share) * flat + share * picked)
            for flat, picked in zip(
                self._losses(value), self._losses(hot_value), strict=True
            )
        ]
        return Evaluation(
            oof=np.full(scenario.n_train, math.nan),
            public=file[: scenario.n_public],
            private=file[scenario.n_public :],
            cv_truth=math.nan,
            public_truth=truths[0],
            private_truth=truths[1],
        )

    def _losses(self, value: float) -> tuple[float, float]:
        if self._scenario.metric == "roc_auc":
            return 0.5, 0.5
        return self._world.constant_loss(value)

    def _finish(self, loss: float) -> float:
        return math.sqrt(loss) if self._scenario.metric == "rmse" else loss

    def _check_classes(self) -> None:
        """Make sure that every AUC that will be needed exists."""
        if self._scenario.metric != "roc_auc":
            return
        train, *test = self._world.targets
        folds = [train[low:high] for low, high in itertools.pairwise(self._bounds)]
        for rows in (*folds, *test):
            if rows.min() == rows.max():
                msg = (
                    f"A fold or test set of {len(rows)} rows came out with one class "
                    f"only at prevalence={self._scenario.prevalence}. Ask for more "
                    "rows, for smaller groups or for a prevalence nearer to 0.5."
                )
                raise ValueError(msg)


_START = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
_MEAN_HOURS = 11.0  # between submissions
_FIRST_REFERENCE = 51_400_000
_IDEAS = (
    "lgbm + te",
    "catboost",
    "xgb deeper trees",
    "more folds in the bagging",
    "target encoding by city",
    "drop id features",
    "lag features",
    "lower learning rate",
    "stack of three",
    "mlp on top",
    "clip outliers",
    "pseudo labels",
    "new feature: ratio of counts",
    "rank average",
    "frequency encoding",
    "log transform",
    "longer training",
    "interaction features",
    "seed average",
    "text length features",
)


def write_history(
    scenario: Scenario,
    attempts: list[Attempt],
    finals: tuple[int, ...],
    rng: np.random.Generator,
) -> History:
    """Return the history that a reader of the entrant's export would see."""
    references = _FIRST_REFERENCE + np.cumsum(rng.integers(40, 9000, len(attempts)))
    times = _times(attempts, rng)
    words = _words(scenario, attempts, rng)
    has_cv = rng.random(len(attempts)) < scenario.cv_fraction
    submissions = []
    for position, attempt in enumerate(attempts):
        parent = attempt.parent if scenario.parents == "declared" else -1
        file_name = f"submission_{experiment(attempt.content)}.csv"
        cv_known = bool(has_cv[attempt.content]) and not math.isnan(attempt.cv_score)
        folds = attempt.cv_fold_scores.tolist() if cv_known else ()
        description = words[attempt.content]
        if cv_known:
            description += f" | CV {attempt.cv_score:.{scenario.decimals}f}"
        failed = attempt.kind == "failed"
        submissions.append(
            Submission(
                submission_id=str(references[position]),
                submitted_at=times[position],
                file_name=file_name,
                description=description,
                status="error" if failed else "complete",
                public_score=None if failed else attempt.public_score,
                private_score=None if failed else attempt.private_score,
                cv_score=attempt.cv_score if cv_known else None,
                cv_fold_scores=tuple(folds),
                cv_source="column" if cv_known else None,
                selected=position in finals,
                parent_id=None if parent < 0 else str(references[parent]),
                content_hash=hashlib.sha256(file_name.encode()).hexdigest(),
            )
        )
    return History(
        competition=_competition(scenario, times[-1]), submissions=tuple(submissions)
    )


def choose_finals(scenario: Scenario, attempts: list[Attempt]) -> tuple[int, ...]:
    """Return the two submissions that an entrant of this policy selects.

    Two best public scores, two best CV scores (policy ``cv``), or the best of each
    (policy ``both``); files that were sent twice count once.
    """
    sign = 1 if scenario.greater_is_better else -1
    scored = [
        position
        for position, attempt in enumerate(attempts)
        if attempt.content == position and attempt.kind != "failed"
    ]
    by_public = sorted(scored, key=lambda i: -sign * attempts[i].public_score)
    trusted = [i for i in scored if not math.isnan(attempts[i].cv_score)]
    by_cv = sorted(trusted, key=lambda i: -sign * attempts[i].cv_score)
    if scenario.policy == "cv":
        return tuple(sorted(by_cv[:2]))
    if scenario.policy == "both":
        rest = [i for i in by_cv if i != by_public[0]]
        return tuple(sorted([by_public[0], *rest[:1]]))
    return tuple(sorted(by_public[:2]))


def experiment(position: int) -> str:
    """Return the entrant's name for an experiment."""
    return f"exp{position + 1:03d}"


def _competition(scenario: Scenario, last: datetime) -> Competition:
    test_size = scenario.n_public + scenario.n_private
    deadline = last.replace(hour=23, minute=59, second=0, microsecond=0)
    return Competition(
        slug=f"simulated-{scenario.world}-{scenario.metric.replace('_', '-')}",
        platform=scenario.platform,
        metric=scenario.metric,
        greater_is_better=scenario.greater_is_better,
        train_size=scenario.n_train,
        test_size=test_size,
        public_fraction=scenario.n_public / test_size,
        nested=scenario.nested,
        deadline=deadline + timedelta(days=1),
        display_decimals=scenario.decimals,
    )


def _times(attempts: list[Attempt], rng: np.random.Generator) -> list[datetime]:
    hours = rng.exponential(_MEAN_HOURS, len(attempts))
    minutes = rng.uniform(3, 9, len(attempts))
    now, times = _START, []
    previous = ""
    for attempt, hour, minute in zip(attempts, hours, minutes, strict=True):
        burst = attempt.kind == previous == "tweak"
        wait = minute if burst else 4 + 60 * hour
        # Whole milliseconds, as the platforms record them.
        now += timedelta(milliseconds=round(60_000 * wait))
        times.append(now)
        previous = attempt.kind
    return times


def _words(
    scenario: Scenario, attempts: list[Attempt], rng: np.random.Generator
) -> list[str]:
    ideas = rng.integers(len(_IDEAS), size=len(attempts))
    words = []
    for position, attempt in enumerate(attempts):
        name = experiment(position)
        if scenario.parents == "described" and attempt.parent >= 0:
            name += f" from {experiment(attempts[attempt.parent].content)}"
        match attempt.kind:
            case "first":
                text = "baseline"
            case "tweak":
                text = f"w=0.{int(rng.integers(10, 90))}"
            case "rerun":
                text = "same again, new seed"
            case "probe":
                text = "test file"
            case _:
                text = attempt.note or _IDEAS[ideas[position]]
        words.append(f"{name}: {text}")
    return words
