"""A simulated competition: what its entrant does and sees, and what was true."""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lbsense._result import Result
from lbsense._typing import BoolArray, FloatArray, IntArray, RandomState
from lbsense.model import Competition, History, Submission
from lbsense.simulate.scenario import Scenario, find_preset
from lbsense.simulate.trained import TrainedWorld
from lbsense.simulate.world import (
    Evaluation,
    GaussianWorld,
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
            attempt = replace(attempts[base], kind=kind, parent=base)
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
    result = replace(attempt.result, oof=none, public=none, private=none)
    return replace(attempt, result=result)


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth(Result):
    """What no entrant can see, one entry per submission in time order.

    Attributes
    ----------
    submission_id : tuple of str
        The submissions of the history.
    kind : tuple of str
        How it was made: ``first``, ``step`` (an idea that matters), ``dud`` (an idea
        that does not), ``tweak`` (one of a burst), ``repeat`` (the same file again),
        ``rerun`` (the same model trained again), ``probe``, ``broken`` (rows of the
        file in the wrong order) or ``failed`` (never scored).
    parent : ndarray of int of shape (n_submissions,)
        Position of the submission it was made from; -1 for the first and for probes.
    score : ndarray of shape (n_submissions,)
        Expected raw score on fresh public rows; nan where the submission failed.
    private_score : ndarray of shape (n_submissions,)
        Expected raw score on fresh private rows: other than ``score`` under shift.
    cv_score : ndarray of shape (n_submissions,)
        Expected raw CV score: other than ``score`` where validation does not transfer
        or leaks; nan for probes, and in the trained world.
    gain : ndarray of shape (n_submissions,)
        ``score`` minus that of the parent, oriented so that more is better; nan
        without a parent.
    is_null : ndarray of bool of shape (n_submissions,)
        Whether the gain is exactly zero.
    """

    submission_id: tuple[str, ...]
    kind: tuple[str, ...]
    parent: IntArray
    score: FloatArray
    private_score: FloatArray
    cv_score: FloatArray
    gain: FloatArray
    is_null: BoolArray

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission."""
        names = [field.name for field in fields(self)]
        return pd.DataFrame({name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedRows(Result):
    """Labels and predictions row by row; columns follow the submissions.

    Attributes
    ----------
    y_train, y_test : ndarray of shape (n_train,), (n_test,)
        Labels or targets.
    oof : ndarray of shape (n_train, n_submissions)
        Out-of-fold predictions; nan for probes.
    test : ndarray of shape (n_test, n_submissions)
        Submitted predictions.
    fold : ndarray of int of shape (n_train,)
        Fold in which a training row was predicted.
    public_mask : ndarray of bool of shape (n_test,)
        Rows behind the public score. Private rows are the others, and all of them
        under nested rules.
    train_group, test_group : ndarray of int or None
        Groups of correlated rows, where there are any; train and test share none.
    """

    y_train: FloatArray
    oof: FloatArray
    y_test: FloatArray
    test: FloatArray
    fold: IntArray
    public_mask: BoolArray
    train_group: IntArray | None
    test_group: IntArray | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedCompetition(Result):
    """One entrant's history in a competition whose truth is known.

    Attributes
    ----------
    scenario : Scenario
        The options that it was made with.
    history : History
        What the entrant holds after the close.
    truth : Truth
        What was true of every submission.
    selected : tuple of int
        Positions of the submissions chosen for the final ranking.
    rows : SimulatedRows or None
        Labels and predictions, where they were kept.
    """

    scenario: Scenario
    history: History
    truth: Truth
    selected: tuple[int, ...]
    rows: SimulatedRows | None = None

    def before_close(self) -> History:
        """Return the history as it stands while the private scores are hidden."""
        hidden = tuple(replace(item, private_score=None) for item in self.history)
        return replace(self.history, submissions=hidden)

    def to_frame(self) -> pd.DataFrame:
        """Return the scores that were shown beside the truth, one row a submission."""
        shown = self.history.to_frame()
        columns = ["submitted_at", "description", "status"]
        columns += ["public_score", "cv_score", "private_score", "selected"]
        named = ("score", "private_score", "cv_score", "gain")
        truth = self.truth.to_frame()
        truth = truth.rename(columns={name: f"true_{name}" for name in named})
        return pd.concat(
            [truth[["submission_id"]], shown[columns], truth.iloc[:, 1:]], axis=1
        )

    def __str__(self) -> str:
        lucky = int(np.sum(self.truth.is_null))
        return (
            f"SimulatedCompetition of {len(self.history)} submissions, "
            f"{lucky} of them worth exactly as much as their parent"
        )


def simulate(
    scenario: Scenario | str | None = None,
    *,
    keep_rows: bool = False,
    rng: RandomState = None,
) -> SimulatedCompetition:
    """Return one entrant's history in a competition whose truth is known.

    Use it to learn what a method says when the answer is known, to test and to
    calibrate. It is no forecast of a real competition: its entrants are simple.

    Parameters
    ----------
    scenario : Scenario or str, optional
        The options of the competition and of its entrant, or the name of one of
        `PRESETS`; by default a scenario of defaults.
    keep_rows : bool, default False
        Whether to keep labels and predictions of every row.
    rng : int, numpy.random.Generator or None
        Seed. One seed gives one competition, to the last decimal shown. A preset has
        its own, so that it is always the same.

    Returns
    -------
    SimulatedCompetition
        The history, the truth behind it, and the rows where they were kept.

    Raises
    ------
    ValueError
        If there is no such preset.

    See Also
    --------
    Scenario : What each option does, and what is simplified.

    Examples
    --------
    >>> from lbsense.simulate import Scenario, simulate
    >>> simulated = simulate(Scenario(n_submissions=20, null_fraction=0.9), rng=1)
    >>> len(simulated.history)
    20
    >>> best = int(simulated.history.scores("public").argmax())
    >>> shown = simulated.history[best].public_score
    >>> print(f"shown {shown:.4f}, worth {simulated.truth.score[best]:.4f}")
    shown 0.7436, worth 0.7203
    >>> len(simulate("honest_climber").history)
    36
    """
    if isinstance(scenario, str):
        preset = find_preset(scenario)
        scenario, rng = preset.scenario, preset.seed if rng is None else rng
    scenario = scenario or Scenario()
    # One stream for each cause, so that one option leaves the others' draws alone.
    choices, ideas, words, split, *rows = np.random.default_rng(rng).spawn(7)
    world: World
    # On one thread sums keep their order, and small products are not slowed down.
    with threadpool_limits(limits=1):
        if scenario.world == "trained":
            world = TrainedWorld(scenario, ideas, rows)
        else:
            world = GaussianWorld(scenario, ideas, rows)
        attempts = enter(scenario, world, choices, keep_rows=keep_rows)
    finals = choose_finals(scenario, attempts)
    history = write_history(scenario, attempts, finals, words)
    return SimulatedCompetition(
        scenario=scenario,
        history=history,
        truth=_truth(scenario, attempts, tuple(s.submission_id for s in history)),
        selected=finals,
        rows=_rows(scenario, attempts, world, split) if keep_rows else None,
    )


def _truth(scenario: Scenario, attempts: list[Attempt], ids: tuple[str, ...]) -> Truth:
    failed = np.array([item.kind == "failed" for item in attempts])
    parent = np.array([item.parent for item in attempts], dtype=np.int64)
    score = np.array([item.result.public_truth for item in attempts])
    score[failed] = np.nan
    private_score = np.array([item.result.private_truth for item in attempts])
    private_score[failed] = np.nan
    sign = 1 if scenario.greater_is_better else -1
    gain = np.where(parent < 0, np.nan, sign * (score - score[parent]))
    gain = gain + 0.0  # no minus zero
    return Truth(
        submission_id=ids,
        kind=tuple(item.kind for item in attempts),
        parent=parent,
        score=score,
        private_score=private_score,
        cv_score=np.array([item.result.cv_truth for item in attempts]),
        gain=gain,
        is_null=gain == 0,
    )


def _rows(
    scenario: Scenario,
    attempts: list[Attempt],
    world: World,
    rng: np.random.Generator,
) -> SimulatedRows:
    y_train, y_public, y_private = world.targets
    n_test = len(y_public) + len(y_private)
    bounds = fold_bounds(scenario.n_train, scenario.n_folds, scenario.group_size)
    # Public and private rows stand mixed in the file, as they do in a competition.
    places = rng.permutation(n_test)
    public_mask = np.zeros(n_test, dtype=np.bool_)
    public_mask[places[: scenario.n_public]] = True
    order = np.argsort(places)
    files = [np.concatenate([a.result.public, a.result.private]) for a in attempts]
    groups = _groups(scenario)
    return SimulatedRows(
        y_train=y_train,
        oof=np.column_stack([a.result.oof for a in attempts]),
        y_test=np.concatenate([y_public, y_private])[order],
        test=np.column_stack(files)[order],
        fold=np.repeat(np.arange(scenario.n_folds), np.diff(bounds)),
        public_mask=public_mask,
        train_group=groups[0] if groups else None,
        test_group=np.concatenate(groups[1:])[order] if groups else None,
    )


def _groups(scenario: Scenario) -> list[IntArray]:
    """Return the group of every training, public and private row, if there are any."""
    groups: list[IntArray] = []
    first = 0
    if scenario.group_size > 1:
        for size in (scenario.n_train, scenario.n_public, scenario.n_private):
            groups.append(first + np.arange(size) // scenario.group_size)
            first = int(groups[-1][-1]) + 1
    return groups
