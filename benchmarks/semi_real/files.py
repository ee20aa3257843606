"""What submission files tell without a label, on real tables and real learners."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.semi_real.competition import Plan, generator, plan, play, redrawn_noise
from benchmarks.semi_real.figures import figures_of, with_rope
from benchmarks.semi_real.scoring import METRICS, P_MIN, score
from benchmarks.semi_real.tables import Table
from lbsense import analyze
from lbsense.model import Competition, History, Predictions, Submission

__all__ = ["WAYS", "told_by_files", "ways_of"]

#: What the entrant holds: whether CV, whether the files that were sent.
WAYS = {
    "public": (False, False),
    "public, files": (False, True),
    "public, CV": (True, False),
    "public, CV, files": (True, True),
}
MOST_SUBMISSIONS, MOST_ROWS = 20, 2000  # of a competition, so that it takes seconds


def told_by_files(table: Table, number: int) -> dict[str, pd.DataFrame] | None:
    """Play a competition and return what is stated of its steps, each way.

    Returns
    -------
    dict of str to DataFrame, or None
        The columns that `figures_of` takes, and ``ratio``: the stated noise of the
        public step over the true one. None where the competition cannot be played.
    """
    try:
        given = plan(table, number)
        given = replace(
            given,
            n_submissions=min(given.n_submissions, MOST_SUBMISSIONS),
            n_train=min(given.n_train, MOST_ROWS),
        )
        data, sent = play(given)
    except ValueError:
        return None
    y = data.y[data.n_train :]
    rows = np.arange(len(y))
    truth, files = rows[data.truth], np.r_[rows[data.public], rows[data.private]]
    predicted = np.stack([_as_scored(given, item.sent) for item in sent])
    sign = 1 if given.metric.greater_is_better else -1
    true = sign * np.array([score(given.metric, y[truth], p[truth]) for p in predicted])
    cov = redrawn_noise(
        given.metric, y[truth], predicted[:, truth], data.n_public,
        generator(table, number, 3),
    )  # fmt: skip
    test = predicted[:, files].T
    found = {}
    for way, (with_cv, with_files) in WAYS.items():
        history = History(
            competition=Competition(
                metric=METRICS[given.metric.name].lbsense,
                greater_is_better=given.metric.greater_is_better,
                train_size=data.n_train,
                test_size=data.n_public + data.n_private,
                public_fraction=data.n_public / (data.n_public + data.n_private),
            ),
            submissions=tuple(
                Submission(
                    submission_id=str(k),
                    public_score=round(item.public, 5),
                    cv_score=item.cv if with_cv else None,
                    parent_id=str(item.parent) if item.parent >= 0 else None,
                )
                for k, item in enumerate(sent)
            ),
        )
        names = tuple(item.submission_id for item in history)
        predictions = Predictions(test=test, test_names=names) if with_files else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            steps = analyze(history, predictions).steps
        found[way] = _judged(steps, true, cov)
    return found


def ways_of(played: list[dict[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return one row a way to know: figures of all steps of all competitions."""
    rows = []
    for way in WAYS:
        every = [found[way] for found in played if len(found[way])]
        steps = pd.concat(every, ignore_index=True)
        figures = figures_of(steps)
        near = np.abs(np.log(steps["ratio"])) < np.log(1.5)
        typical = [np.exp(np.log(one["ratio"]).median()) for one in every]
        rows.append(
            {
                "known": way,
                "steps": len(steps),
                "AUC": figures["auc"],
                "skill": figures["skill"],
                "slope": figures["slope"],
                "interval": figures["interval95"],
                **{
                    f"{word} {what}": figures[word][what]
                    for word in ("progress", "setback")
                    for what in ("precision", "recall")
                },
                "histories within 1.5": np.mean(np.abs(np.log(typical)) < np.log(1.5)),
                "steps within 1.5": float(near.mean()),
            }
        )
    return pd.DataFrame(rows).set_index("known")


def _as_scored(given: Plan, sent: Any) -> Any:
    """Return predictions as the metric of the competition takes them."""
    if given.metric.labels:
        return (np.asarray(sent) > 0.5).astype(int)
    if given.metric.name == "logloss":
        return np.clip(sent, P_MIN, 1 - P_MIN)
    return np.maximum(sent, 0.0) if given.metric.name == "rmsle" else np.asarray(sent)


def _judged(steps: Any, true: Any, cov: Any) -> pd.DataFrame:
    rows = []
    for k, step in enumerate(steps):
        if step.reference_id is None or step.verdict in ("repeat", "unscored"):
            continue
        r = int(step.reference_id)
        se = np.sqrt(max(cov[k, k] + cov[r, r] - 2 * cov[k, r], 0.0))
        if se > 1e-12:
            stated = [
                np.nan if value is None else value
                for value in (step.p_gain, step.gain_low, step.gain_high)
            ]
            rows.append(
                {
                    "true": true[k] - true[r],
                    "se": se,
                    **dict(zip(("p", "low", "high"), stated, strict=True)),
                    "verdict": step.verdict,
                    "ratio": (step.public_gain_se or np.nan) / se,
                }
            )
    columns = ["true", "se", "p", "low", "high", "verdict", "ratio"]
    return with_rope(pd.DataFrame(rows, columns=columns))
