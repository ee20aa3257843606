"""Attempts written down as a platform and an entrant would: times, names, words."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, timedelta

import numpy as np

from lbsense.model import Competition, History, Submission
from lbsense.simulate._entrant import Attempt
from lbsense.simulate._scenario import Scenario

__all__ = ["choose_finals", "write_history"]

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
