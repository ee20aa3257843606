"""What predictions say of the noise: the covariance of all submissions, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._format import plural
from lbsense._result import Caveat, Missing
from lbsense._typing import FloatArray
from lbsense.analysis.predictions import noise_of
from lbsense.model import History, NameIndex, Predictions
from lbsense.stats import JointNoiseResult

_FEWEST = 2  # submissions with predictions: one has no difference to anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Joint noise of the submissions with predictions, in the order of the history.

    ``covariance`` (k, k) is per row and ``cv`` (k,) the oriented score of the
    out-of-fold predictions; both are nan for submissions without.
    """

    joint: JointNoiseResult
    covariance: FloatArray
    cv: FloatArray
    n_public: int
    n_train: int
    caveat: Caveat | None


def rows_of(history: History, predictions: Predictions | None) -> Rows | Missing:
    """Return the joint noise of a history, or why there is none."""
    if predictions is None:
        return Missing("predictions", "No predictions were given.", ("predictions",))
    competition = history.competition
    if predictions.labels is None or predictions.oof is None:
        return _unused("they hold no labels, or no out-of-fold predictions.")
    if competition.metric is None:
        return _unused("the metric is not named.", "metric")
    if competition.n_public is None:
        return _unused(
            "the size of the public set is not known.", "test_size", "public_fraction"
        )
    place = _places(history, predictions)
    if len(place) < _FEWEST:
        return _unused(
            f"{len(place)} of their {plural(len(predictions.oof_names), 'name')} "
            "is that of a scored submission; names are submission ids or file names."
        )
    try:
        joint = noise_of(
            predictions,
            competition.metric,
            n=competition.n_public,
            names=tuple(place),
            rng=0,
        )
    except ValueError as error:
        return _unused(str(error))
    if not (np.diag(joint.row_covariance) > 0).mean() > 0.5:
        return _unused(
            "most of their scores are undefined or carry no noise (constant or perfect "
            "predictions)."
        )
    if not np.nan_to_num(joint.difference_se).any():
        return _unused("they are all the same.")
    left = sum(
        item.public_score is not None and index not in place.values()
        for index, item in enumerate(history)
    )
    caveat = Caveat(
        "joint",
        f"{plural(left, 'scored submission')} came without predictions; what they "
        "share with their parents was taken to be what is typical of the others.",
    )
    where = np.array(list(place.values()))
    covariance = np.full((len(history), len(history)), np.nan)
    covariance[np.ix_(where, where)] = joint.row_covariance
    cv = np.full(len(history), np.nan)
    cv[where] = competition.direction() * joint.scores
    return Rows(
        joint=joint,
        covariance=covariance,
        cv=cv,
        n_public=competition.n_public,
        n_train=joint.n_obs,
        caveat=caveat if left else None,
    )


def _unused(why: str, *need: str) -> Missing:
    return Missing("joint", f"The predictions were not used: {why}", need)


def _places(history: History, predictions: Predictions) -> dict[str, int]:
    """Return name of predictions -> position of the one submission that it names."""
    return {
        name: place
        for name, place in NameIndex(history).places(predictions.oof_names).items()
        if history[place].public_score is not None
    }
