"""One competition: drawn, played to its end, and written as a folder."""

from __future__ import annotations

import csv
import json
import os
import shutil
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.semi_real.entrant import Entrant, Submission
from benchmarks.semi_real.features import Data, prepare
from benchmarks.semi_real.folders import FIRST_REF
from benchmarks.semi_real.scoring import METRICS, Metric, redrawn_scores, score
from benchmarks.semi_real.tables import Table, Target, load, target_values

__all__ = ["Plan", "generator", "make", "plan", "play", "redrawn_noise", "write"]

Floats = NDArray[np.float64]
N_REDRAWN = 300
MAX_TRUTH = 30_000
SMALLEST_TABLE = 10_000
RARE = 0.25
#: The hours at which a submission is sent, five a day.
HOURS = (8, 11, 14, 17, 20)


@dataclass(frozen=True)
class Plan:
    """What a competition will be, before anything is fitted.

    Attributes
    ----------
    table, target, metric : Table, Target, Metric
        Rows, what is foretold and how it is scored.
    round : int
        Number of the competition on its table.
    n_train, n_public, n_private : int
        Sizes.
    n_folds, n_submissions : int
        Folds of CV, submissions of the entrant.
    policy : str
        What the entrant builds on.
    guess_rate : float
        Share of steps that are guesses.
    parents_declared : bool
        Whether descriptions say what a submission was made from.
    """

    table: Table
    target: Target
    metric: Metric
    round: int
    n_train: int
    n_public: int
    n_private: int
    n_folds: int
    n_submissions: int
    policy: str
    guess_rate: float
    parents_declared: bool

    @property
    def name(self) -> str:
        """Name of the folder."""
        return f"{self.table.short}-{self.round}"


def generator(table: Table, number: int, part: int) -> np.random.Generator:
    """Return the random numbers of one round on one table, for one part of it."""
    return np.random.default_rng([number, zlib.crc32(table.name.encode()), part])


def plan(table: Table, number: int) -> Plan:
    """Draw what competition ``number`` on a table will be."""
    rng = generator(table, number, 0)
    target = table.targets[int(rng.integers(len(table.targets)))]
    y = target_values(load(table.name), target)
    y = y[np.isfinite(y)]
    if len(y) < SMALLEST_TABLE:
        msg = f"{table.name} has {len(y)} rows with {target.name}, too few for a truth."
        raise ValueError(msg)
    names = [m.name for m in METRICS.values() if m.binary == target.binary]
    if not target.binary and y.min() < 0:
        names.remove("rmsle")
    if target.binary and min(y.mean(), 1 - y.mean()) < RARE:
        names.remove("accuracy")  # the same label for all is best: nothing happens
    n_train = int(rng.choice([1000, 1500, 2000, 3000, 4000]))
    n_public = int(rng.choice([300, 500, 800, 1000, 1500, 2000]))
    fraction = float(rng.choice([0.2, 0.3, 0.5]))
    n_private = round(n_public * (1 - fraction) / fraction)
    while len(y) - n_train - n_public - n_private < max(4000, 4 * n_public):
        n_public, n_private, n_train = n_public // 2, n_private // 2, min(n_train, 2000)
    return Plan(
        table=table,
        target=target,
        metric=METRICS[str(rng.choice(names))],
        round=number,
        n_train=n_train,
        n_public=n_public,
        n_private=n_private,
        n_folds=int(rng.choice([3, 4, 5])),
        n_submissions=int(rng.choice([15, 20, 30, 40])),
        policy=str(rng.choice(["lb", "both", "cv", "last"], p=[0.45, 0.25, 0.2, 0.1])),
        guess_rate=float(rng.choice([0.3, 0.45, 0.6, 0.75, 0.9])),
        parents_declared=bool(rng.random() < 0.4),
    )


def play(given: Plan) -> tuple[Data, list[Submission]]:
    """Let the entrant of a competition send all submissions."""
    data = prepare(
        given.table,
        given.target,
        generator(given.table, given.round, 1),
        sizes=(given.n_train, given.n_public, given.n_private),
        max_truth=MAX_TRUTH,
        n_folds=given.n_folds,
    )
    entrant = Entrant(
        data=data,
        metric=given.metric,
        policy=given.policy,
        guess_rate=given.guess_rate,
        rng=generator(given.table, given.round, 2),
    )
    for _ in range(given.n_submissions):
        entrant.send()
    return data, entrant.history


def write(
    given: Plan, data: Data, history: list[Submission], folder: Path
) -> dict[str, Any]:
    """Write a competition that was played; return what competition.json holds.

    Parameters
    ----------
    given : Plan
        What it is.
    data : Data
        Its rows.
    history : list of Submission
        What was sent.
    folder : Path
        Where it goes; it must not be there yet.
    """
    rng = generator(given.table, given.round, 3)
    metric = given.metric
    y, y_after = data.y[: data.n_train], data.y[data.n_train :]
    sent = np.stack([s.sent for s in history])
    scores = {
        part: np.array([score(metric, y_after[rows], p[rows]) for p in sent])
        for part, rows in (("private", data.private), ("truth", data.truth))
    }
    cov = redrawn_noise(
        metric, y_after[data.truth], sent[:, data.truth], data.n_public, rng
    )
    out_of_fold = np.stack([s.out_of_fold for s in history])
    cv_cov = redrawn_noise(metric, y, out_of_fold, data.n_train, rng)
    described = {
        "table": given.table.name,
        "target": given.target.name,
        "round": given.round,
        "metric": metric.name,
        "higher_is_better": metric.greater_is_better,
        "n_train": data.n_train,
        "n_public": data.n_public,
        "n_private": data.n_private,
        "public_fraction": data.n_public / (data.n_public + data.n_private),
        "policy": given.policy,
        "guess_rate": given.guess_rate,
        "parents_declared": given.parents_declared,
        "n_folds": given.n_folds,
        "n_truth": len(y_after[data.truth]),
        "target_mean": float(data.y.mean()),
        "score_se": float(np.sqrt(np.median(np.diag(cov)))),
    }
    parts = folder.parent / ".part"
    part = parts / f"{folder.name}.{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / "competition.json").write_text(json.dumps(described, indent=1) + "\n")
    np.save(part / "public_cov.npy", cov)
    np.save(part / "cv_cov.npy", cv_cov)
    _write_rows(part / "submissions.csv", _export(given, history, scores["private"]))
    rows = _truth(history, scores, cov, cv_cov, data.n_public)
    _write_rows(part / "truth.csv", rows)
    part.rename(folder)
    return described


def make(table: Table, number: int, folder: Path) -> Path:
    """Make one competition below ``folder``, unless it is there."""
    given = plan(table, number)
    target = folder / given.name
    if not target.exists():
        write(given, *play(given), target)
    return target


def redrawn_noise(
    metric: Metric, y: Floats, predictions: Floats, n: int, rng: np.random.Generator
) -> Floats:
    """Return the covariance of scores on ``n`` rows drawn anew."""
    # With replacement: rows of a public set come from a world larger than the truth.
    rows = rng.integers(len(y), size=(N_REDRAWN, n))
    scores = redrawn_scores(metric, y, predictions, rows)
    return np.atleast_2d(np.cov(scores, rowvar=False))


def _step_se(cov: Floats, k: int, parent: int) -> float:
    return float(
        np.sqrt(max(cov[k, k] + cov[parent, parent] - 2 * cov[k, parent], 0.0))
    )


def _export(
    given: Plan, history: list[Submission], private: Floats
) -> list[dict[str, Any]]:
    first_day = datetime(2026, 5, 1)
    rows = []
    for k, submission in enumerate(history):
        at = first_day + timedelta(
            days=k // len(HOURS), hours=HOURS[k % len(HOURS)], microseconds=k
        )
        declared = given.parents_declared and submission.parent >= 0
        source = f" from v{submission.parent}" if declared else ""
        rows.append(
            {
                "ref": FIRST_REF + k,
                "fileName": f"sub_{k:03d}.csv",
                "date": at.strftime("%Y-%m-%d %H:%M:%S.%f"),
                "description": f"v{k}{source} cv {submission.cv:.6f}",
                "status": "SubmissionStatus.COMPLETE",
                "publicScore": f"{submission.public:.5f}",
                "privateScore": f"{private[k]:.5f}",
            }
        )
    return rows[::-1]


def _truth(
    history: list[Submission],
    scores: dict[str, Floats],
    cov: Floats,
    cv_cov: Floats,
    n_public: int,
) -> list[dict[str, Any]]:
    rows = []
    for k, made in enumerate(history):
        parent = made.parent
        step = _step_se(cov, k, parent) if parent >= 0 else ""
        rows.append(
            {
                "k": k,
                "kind": made.kind,
                "parent": parent,
                "cv": made.cv,
                "public": made.public,
                "private": scores["private"][k],
                "truth": scores["truth"][k],
                "public_se": step,
                "row_sd": step * n_public**0.5 if parent >= 0 else "",
                "cv_step_se": _step_se(cv_cov, k, parent) if parent >= 0 else "",
                "score_se": float(np.sqrt(cov[k, k])),
                "cv_score_se": float(np.sqrt(cv_cov[k, k])),
                "cv_error": made.cv - scores["truth"][k],
                "learner": made.recipe.main.learner,
                "n_models": len(made.recipe.members),
                "what": made.what,
            }
        )
    return rows


def _write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
