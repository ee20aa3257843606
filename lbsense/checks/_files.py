"""The submitted files of a history, and those that look like questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lbsense._typing import FloatArray
from lbsense.analysis import Analysis
from lbsense.model import NameIndex, Predictions

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
    names = predictions.test_names
    named = {
        place: names.index(name)
        for name, place in NameIndex(analysis.history).places(names).items()
        if steps[place].public_score is not None
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
