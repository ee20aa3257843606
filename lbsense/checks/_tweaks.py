"""Many small changes, and one thing sent twice: the findings LBS307 and LBS308."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np

from lbsense._format import format_number, plural
from lbsense.analysis import Analysis, Step
from lbsense.checks.finding import Outcome, check, flag_if, not_applicable
from lbsense.checks.wording import differ_in_one_number, wording_of

__all__ = ["TWEAK_CHECKS"]

_LONG_RUN = 5
_SOON = timedelta(minutes=15)
_REAL = ("progress", "setback", "unscored")


@check(
    "LBS307",
    "A burst of small tweaks",
    severity="notice",
    reference="length and interval by judgement",
)
def tweak_burst(analysis: Analysis) -> Outcome:
    """Flag a run of submissions that differ in one number or came at once (LBS307)."""
    scored = [i for i, s in enumerate(analysis.steps) if s.verdict != "unscored"]
    steps = [analysis.steps[index] for index in scored]
    if len(steps) < _LONG_RUN:
        return not_applicable(
            f"Needs {_LONG_RUN} scored submissions.", n_obs=len(steps)
        )
    wordings = [wording_of(analysis.history[index]) for index in scored]
    if not any(wordings) and all(step.submitted_at is None for step in steps):
        return not_applicable("Needs descriptions or dates.", n_obs=len(steps))
    clock = len({step.submitted_at.time() for step in steps if step.submitted_at}) > 1
    length = longest = end = 1
    for place in range(1, len(steps)):
        linked = differ_in_one_number(wordings[place - 1], wordings[place])
        linked = linked or (clock and _came_soon(steps[place - 1], steps[place]))
        length = length + 1 if linked else 1
        if length > longest:
            longest, end = length, place
    first, last = steps[end - longest + 1], steps[end]
    return flag_if(
        longest >= _LONG_RUN,
        (
            f"The longest run of submissions that differ in one number or came within "
            f"{_SOON.seconds // 60} minutes without a real change has {longest}"
            + (
                f" ({first.submission_id} to {last.submission_id})."
                if longest >= _LONG_RUN
                else "."
            )
        ),
        value=longest,
        threshold=_LONG_RUN,
        n_obs=len(steps),
    )


def _came_soon(before: Step, after: Step) -> bool:
    """Say whether two submissions came at once and nothing changed for real."""
    if before.submitted_at is None or after.submitted_at is None:
        return False
    soon = after.submitted_at - before.submitted_at <= _SOON
    return soon and after.verdict not in _REAL and after.public_gain is not None


@check(
    "LBS308",
    "Running again moves the score as far as a typical step",
    severity="notice",
    reference="pooled variance within repeats",
)
def rerun_spread(analysis: Analysis) -> Outcome:
    """Flag repeats that scatter as widely as steps do (LBS308)."""
    noise = analysis.noise
    if not noise.n_repeats or not math.isfinite(noise.rerun_se):
        return not_applicable("Needs one submission that was scored twice.")
    moves = [
        abs(step.public_gain)
        for step in analysis.steps
        if step.public_gain is not None and step.verdict != "repeat"
    ]
    if not moves:
        return not_applicable("Needs a step to compare with.", n_obs=noise.n_repeats)
    typical = float(np.median(moves))
    return flag_if(
        noise.rerun_se > typical,
        (
            f"{plural(noise.n_repeats, 'repeat')} of earlier content: running again "
            f"moves the public score by {format_number(noise.rerun_se, digits=2)} "
            f"(standard error), a typical step by {format_number(typical, digits=2)}."
        ),
        value=noise.rerun_se,
        threshold=typical,
        n_obs=noise.n_repeats,
    )


TWEAK_CHECKS = (tweak_burst, rerun_spread)
