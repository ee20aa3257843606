"""The entrant: what is tried, what it is built on, what the platform answers."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lbsense._typing import FloatArray
from lbsense.simulate._platform import Platform
from lbsense.simulate._rows import Evaluation, World
from lbsense.simulate._scenario import Scenario

__all__ = ["BURST_LENGTH", "Attempt", "draw_kinds", "enter", "prefers"]

BURST_LENGTH = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempt:
    """One submission before it is written down.

    Attributes
    ----------
    kind : str
        How it was made.
    parent, content : int
        Positions of the submission it was made from (-1 for none), and of the first
        one with the same content.
    note : str
        The entrant's words for the change, where the world knows them.
    result : Evaluation
        Predictions and truth.
    public_score, private_score, cv_score : float
        As displayed, nan where none is.
    cv_fold_scores : ndarray
        As displayed; empty for a probe.
    """

    kind: str
    parent: int
    content: int
    note: str
    result: Evaluation
    public_score: float
    private_score: float
    cv_score: float
    cv_fold_scores: FloatArray


def enter(
    scenario: Scenario,
    world: World,
    choices: np.random.Generator,
    *,
    keep_rows: bool,
) -> list[Attempt]:
    """Return everything that one entrant submits, in time order."""
    platform = Platform(scenario, world, choices)
    attempts: list[Attempt] = []
    models: dict[int, Any] = {}  # what may be built on
    base = -1
    for position, kind in enumerate(draw_kinds(scenario, choices)):
        if scenario.policy == "random" and models:
            base = list(models)[int(choices.integers(len(models)))]
        if kind == "repeat":
            attempt = dataclasses.replace(attempts[base], kind=kind, parent=base)
            model = models[base]
        elif kind == "probe":
            attempt = _submit(platform, platform.probe(), kind, position)
        else:
            model = world.child(models[base], kind) if models else world.first()
            result = world.evaluate(model, misaligned=kind == "broken")
            note = world.describe(model)
            attempt = _submit(platform, result, kind, position, base, note)
        attempts.append(attempt if keep_rows else _without_rows(attempt))
        if kind in ("probe", "broken", "failed"):
            continue  # nothing is built on these
        if scenario.policy == "random":
            models[position] = model
        elif base < 0 or prefers(scenario, attempt, attempts[base]):
            base, models = position, {position: model}
    return attempts


def prefers(scenario: Scenario, new: Attempt, old: Attempt) -> bool:
    """Return whether the entrant builds on the newer of two submissions.

    Only scores that are shown count, and the incumbent stays unless it is beaten.
    """
    sign = 1 if scenario.greater_is_better else -1
    match scenario.policy:
        case "public":
            return sign * new.public_score > sign * old.public_score
        case "cv":
            return sign * new.cv_score > sign * old.cv_score
        case "both":
            total = new.public_score + new.cv_score
            return sign * total > sign * (old.public_score + old.cv_score)
    return True


def draw_kinds(scenario: Scenario, rng: np.random.Generator) -> list[str]:
    """Return how each submission is made; tweaks come in bursts."""
    special = {
        "repeat": scenario.repeat_fraction,
        "rerun": scenario.rerun_fraction,
        "probe": scenario.probe_fraction,
        "broken": scenario.broken_fraction,
        "failed": scenario.failed_fraction,
        "tweak": scenario.burst_fraction / BURST_LENGTH,
    }
    plain = max(0.0, 1.0 - sum(special.values()) - 5 * special["tweak"])
    names = [*special, "plain"]
    cumulative = np.cumsum([*special.values(), plain])
    kinds = ["first"]
    while len(kinds) < scenario.n_submissions:
        which = np.searchsorted(cumulative, rng.random() * cumulative[-1], "right")
        is_null = rng.random() < scenario.null_fraction
        name = names[int(which)]
        if name == "plain":
            name = "dud" if is_null else "step"
        kinds += [name] * (BURST_LENGTH if name == "tweak" else 1)
    return kinds[: scenario.n_submissions]


def _submit(
    platform: Platform,
    result: Evaluation,
    kind: str,
    position: int,
    parent: int = -1,
    note: str = "",
) -> Attempt:
    """Return the attempt with every score that is shown for it."""
    public_score, private_score = platform.score(result)
    if kind == "failed":
        public_score = private_score = math.nan
    folds = platform.validate(result)
    return Attempt(
        kind=kind,
        parent=parent,
        content=position,
        note=note,
        result=result,
        public_score=public_score,
        private_score=private_score,
        cv_score=platform.show(folds.mean()) if len(folds) else math.nan,
        cv_fold_scores=folds,
    )


def _without_rows(attempt: Attempt) -> Attempt:
    none = np.empty(0)
    result = dataclasses.replace(attempt.result, oof=none, public=none, private=none)
    return dataclasses.replace(attempt, result=result)
