"""Results about the whole history as JSON-safe dictionaries, scores as displayed.

Inside the package larger is better; here a score is written as the platform shows it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lbsense.model import History
from lbsense.stats import GapSplitResult, PairResult

if TYPE_CHECKING:
    from lbsense.analysis.result import Analysis

__all__ = ["whole_luck", "whole_outlook", "whole_picks", "whole_retrospective"]


def whole_luck(analysis: Analysis) -> dict[str, Any] | None:
    """Return how much of the climb was luck. Climbs are oriented: more is better."""
    luck = analysis.luck
    if luck is None:
        return None
    return {
        "new_bests": [_id(analysis.history, index) for index in luck.positions],
        "p_real": [_number(value) for value in luck.p_real],
        "expected_luck": _number(luck.expected_luck),
        "share": _number(luck.share),
        "public_climb": _number(luck.public_climb),
        "true_climb": _number(luck.true_climb),
        "true_climb_se": _number(luck.true_climb_se),
    }


def whole_outlook(analysis: Analysis) -> dict[str, Any] | None:
    """Return the private score to expect of every submission."""
    outlook = analysis.outlook
    if outlook is None:
        return None
    sign = analysis.history.competition.direction()
    rows = []
    for index, mean in enumerate(outlook.mean):
        if not math.isfinite(mean):
            continue
        bands = {}
        for level in ("80", "95"):
            low = sign * getattr(outlook, f"ci{level}_low")[index]
            high = sign * getattr(outlook, f"ci{level}_high")[index]
            bands[f"low{level}"] = _number(min(low, high))
            bands[f"high{level}"] = _number(max(low, high))
        rows.append(
            {
                "submission_id": _id(analysis.history, index),
                "expected": _number(sign * mean),
                **bands,
            }
        )
    return {
        "private": rows,
        "best_public": _id(analysis.history, outlook.best_public),
        "deflation": _number(outlook.deflation),
        "deflation_se": _number(outlook.deflation_se),
        "sizes_known": outlook.sizes_known,
        "nested": outlook.nested,
        "shift_sd": outlook.shift_sd,
    }


def whole_picks(analysis: Analysis) -> dict[str, Any] | None:
    """Return the recommended pair, the next best, and those of the usual rules."""
    picks = analysis.picks
    if picks is None:
        return None
    history = analysis.history
    runner_up = picks.runner_up
    return {
        "best": _pair(history, picks.best),
        "runner_up": None if runner_up is None else _pair(history, runner_up),
        "rules": [_pair(history, pair) for pair in picks.rules],
    }


def whole_retrospective(analysis: Analysis) -> dict[str, Any] | None:
    """Return what the private scores say in the end. Parts of a gap are oriented."""
    found = analysis.retrospective
    if found is None:
        return None
    history = analysis.history
    sign = history.competition.direction()
    return {
        "n_obs": found.n_obs,
        "best_public": _split(history, found.best_public),
        "selected": _split(history, found.selected),
        "coverage": None if found.coverage is None else found.coverage.to_dict(),
        "rules": [
            {
                "rule": item.rule,
                "submissions": [_id(history, index) for index in item.positions],
                "private_score": _number(sign * item.score),
                "regret": _number(item.regret),
                "regret_se": _number(item.regret_se),
            }
            for item in found.rules
        ],
        "public_private": found.public_private.to_dict(),
        "cv_private": found.cv_private.to_dict(),
        "outcomes": {
            item.submission_id: told
            for item, told in zip(history, found.outcomes, strict=True)
            if told
        },
        "sizes_known": found.sizes_known,
        "lessons": list(found.lessons),
        "advice": list(found.advice),
    }


def _split(history: History, split: GapSplitResult | None) -> dict[str, Any] | None:
    if split is None:
        return None
    parts = split.to_dict()
    return {"submission_id": _id(history, parts.pop("position")), **parts}


def _pair(history: History, pair: PairResult) -> dict[str, Any]:
    expected = history.competition.direction() * pair.expected_score
    return {
        "rule": pair.rule,
        "first": _id(history, pair.first),
        "second": _id(history, pair.second),
        "expected_score": _number(expected),
        "regret": _number(pair.regret),
        "cost": _number(pair.cost),
        "p_first_better": _number(pair.p_first_better),
        "p_holds_best": _number(pair.p_holds_best),
    }


def _id(history: History, index: int) -> str | None:
    return history[int(index)].submission_id if index >= 0 else None


def _number(value: float) -> float | None:
    return float(f"{value:.10g}") if math.isfinite(value) else None
