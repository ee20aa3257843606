"""A simulated competition: what the entrant saw, and what was true."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lbsense._result import Result
from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.model import History
from lbsense.simulate._scenario import Scenario

__all__ = ["SimulatedCompetition", "SimulatedRows", "Truth"]


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
