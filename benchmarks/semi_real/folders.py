"""Read competitions that were played, and name their submissions as lbsense does."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIRST_REF", "Played", "export", "position", "read", "read_all"]

Floats = NDArray[np.float64]
FIRST_REF = 50_000_000


@dataclass(frozen=True, eq=False)
class Played:
    """A competition with its truth; scores are oriented, larger is better.

    Attributes
    ----------
    folder : Path
        Where it is.
    meta : dict
        What competition.json says.
    sign : int
        1 if larger raw scores are better, -1 otherwise.
    cv, public, private, truth : arrays of shape (n_submissions,)
        Scores.
    parent : array of int
        What each submission was made from; -1 for none.
    cov : array of shape (n_submissions, n_submissions)
        Covariance of the noise of the public scores.
    """

    folder: Path
    meta: dict[str, Any]
    sign: int
    cv: Floats
    public: Floats
    private: Floats
    truth: Floats
    parent: NDArray[np.intp]
    cov: Floats

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return str(self.meta["metric"])

    def step_se(self, new: int, reference: int) -> float:
        """Return the true noise of the public difference of two submissions."""
        variance = self.cov[new, new] + self.cov[reference, reference]
        return float(np.sqrt(max(variance - 2 * self.cov[new, reference], 0.0)))


def read(folder: Path) -> Played:
    """Return the competition in a folder."""
    meta = json.loads((folder / "competition.json").read_text(encoding="utf-8"))
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sign = 1 if meta["higher_is_better"] else -1
    scores = {
        name: sign * np.array([float(row[name]) for row in rows])
        for name in ("cv", "public", "private", "truth")
    }
    return Played(
        folder=folder,
        meta=meta,
        sign=sign,
        parent=np.array([int(row["parent"]) for row in rows]),
        cov=np.load(folder / "public_cov.npy"),
        **scores,
    )


def read_all(folder: Path) -> Iterator[Played]:
    """Yield the competitions of a folder, by name."""
    for path in sorted(folder.iterdir()):
        if (path / "truth.csv").exists() and (path / "public_cov.npy").exists():
            yield read(path)


def position(submission_id: str) -> int:
    """Return the number of a submission in truth.csv."""
    return int(submission_id) - FIRST_REF


def export(played: Played, *, private: bool, cv: str = "as it is") -> str:
    """Return the Kaggle export as an entrant would hold it.

    Parameters
    ----------
    played : Played
        The competition.
    private : bool
        Whether private scores are out.
    cv : {"as it is", "rescaled", "none", "held"}
        What descriptions say of CV; rescaled is ``0.7 + 3.1 * cv``, held are the scores
        in ``played``.
    """
    with (played.folder / "submissions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        said, _, value = row["description"].rpartition(" cv ")
        if not private:
            row["privateScore"] = ""
        if cv == "none":
            row["description"] = said
        elif cv == "rescaled":
            row["description"] = f"{said} cv {0.7 + 3.1 * float(value):.6f}"
        elif cv == "held":
            score = played.sign * played.cv[position(row["ref"])]
            row["description"] = f"{said} cv {score:.6f}"
        writer.writerow(row)
    return out.getvalue()
