"""The platform: it scores files, rounds what it shows, and takes any file at all."""

from __future__ import annotations

import itertools
import math

import numpy as np

from lbsense._typing import FloatArray
from lbsense.simulate._rows import Evaluation, World, fold_bounds
from lbsense.simulate._scenario import Scenario
from lbsense.simulate._scores import fold_scores, row_score

__all__ = ["Platform"]

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
