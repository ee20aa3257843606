"""A simulated competition: what the entrant saw, and what was true."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lbsense._result import Result
from lbsense._typing import BoolArray, FloatArray, IntArray, RandomState
from lbsense.model import History
from lbsense.simulate.entrant import Attempt, choose_finals, enter, write_history
from lbsense.simulate.scenario import Scenario, find_preset
from lbsense.simulate.trained import TrainedWorld
from lbsense.simulate.world import GaussianWorld, World, fold_bounds


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
        names = [field.name for field in dataclasses.fields(self)]
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
        hidden = (
            dataclasses.replace(item, private_score=None) for item in self.history
        )
        return dataclasses.replace(self.history, submissions=tuple(hidden))

    def to_frame(self) -> pd.DataFrame:
        """Return the scores that were shown beside the truth, one row a submission."""
        shown = self.history.to_frame()
        columns = ["submitted_at", "description", "status"]
        columns += ["public_score", "cv_score", "private_score", "selected"]
        truth = self.truth.to_frame()
        truth = truth.rename(
            columns={
                "score": "true_score",
                "private_score": "true_private_score",
                "cv_score": "true_cv_score",
                "gain": "true_gain",
            }
        )
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
