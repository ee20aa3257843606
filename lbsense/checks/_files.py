"""The submitted files of a history, and those that look like questions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.model.predictions import Predictions

__all__ = ["Files", "files_of"]


@dataclass(frozen=True, slots=True)
class Files:
    """Submitted files of scored submissions: a column each, in time order.

    ``table`` has a row for every test row and output; ``places`` are positions in the
    history.
    """

    table: FloatArray
    places: tuple[int, ...]
    n_rows: int


def files_of(analysis: Analysis, predictions: Predictions | None) -> Files | None:
    """Return the files of the submissions that have a public score, None without."""
    if predictions is None or predictions.test is None:
        return None
    steps = analysis.steps
    stems = [PurePath(step.file_name or "").stem for step in steps]
    count = Counter(stems)
    place = {s: i for i, s in enumerate(stems) if s and count[s] == 1}
    place |= {step.submission_id: index for index, step in enumerate(steps)}
    named = {
        place[name]: column
        for column, name in enumerate(predictions.test_names)
        if name in place and steps[place[name]].public_score is not None
    }
    if not named:
        return None
    places = tuple(sorted(named))
    test = predictions.test[:, [named[index] for index in places]]
    if test.ndim == 3:
        test = np.moveaxis(test, 1, 2).reshape(-1, len(places))
    return Files(
        table=np.asarray(test, dtype=np.float64),
        places=places,
        n_rows=predictions.n_test,
    )
