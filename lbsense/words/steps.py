"""One plain sentence behind every verdict, with its numbers."""

from __future__ import annotations

import numpy as np

from lbsense._format import (
    format_gain,
    format_number,
    format_probability,
    format_rows,
    shorten,
)
from lbsense.facts import Claims, NoiseScale, Step
from lbsense.model import stated_content


def step_sentence(
    step: Step,
    reference: str,
    noise: NoiseScale,
    claims: Claims,
    *,
    directed: bool,
    contradicted: bool,
) -> str:
    """Return the verdict of a step and its evidence in one sentence.

    Parameters
    ----------
    step : Step
        The step, with its verdict.
    reference : str
        What the submission is called that it is compared with.
    noise, claims
        Those of the whole history.
    directed : bool
        Whether it is known which score is better.
    contradicted : bool
        Whether public and CV gain of this step exclude each other.
    """
    match step.verdict:
        case "baseline":
            return "Nothing came before it that it could be compared with."
        case "progress":
            return _progress(step)
        case "setback":
            return _setback(step)
        case "chasing":
            return _chasing(step)
        case "guess":
            return _guess(step, noise, claims)
        case "repeat":
            return _repeat(step, reference)
        case "probe":
            return _probe(step)
        case "unscored":
            return _unscored(step)
        case "unknown":
            if contradicted:
                return _contradicted(step)
            return _unknown(step, noise, claims, directed=directed)


def _probe(step: Step) -> str:
    found = stated_content(step.description, step.file_name)
    words = "" if found is None else f" ({shorten(found.words, 60)!r})"
    if found is not None and found.kind == "one value":
        said = f"By its own name{words} it holds one value for all rows"
    else:
        said = f"By its own name{words} it is a probe of the leaderboard"
    return f"{said}: a measurement and no model, left out of the list of gains."


def _progress(step: Step) -> str:
    claim = "Likely a real gain"
    if step.strength == "clear":
        claim = "A real gain is the only good explanation"
    return (
        f"{claim}: {_observed(step)}; estimated true "
        f"gain {_estimate(step)}, P(gain) {format_probability(step.p_gain)}."
    )


def _setback(step: Step) -> str:
    claim = "A real loss" if step.strength == "clear" else "Likely a real loss"
    told = (
        f"{claim}: {_observed(step)}; estimated true change {_estimate(step)}, "
        f"P(loss) {format_probability(step.p_loss)}."
    )
    if step.aside:
        told += " Nothing was built on it: a branch, and no setback of the history."
    return told


def _chasing(step: Step) -> str:
    return (
        f"The public score rose, but CV, which has followed it so far, says that it "
        f"should not have: {_observed(step)}; estimated true gain {_estimate(step)}."
    )


def _guess(step: Step, noise: NoiseScale, claims: Claims) -> str:
    if step.p_gain is not None and claims == "both":
        return (
            f"Not distinguishable from no change: {_observed(step)} against a noise of "
            f"{format_number(step.public_gain_se, digits=2)} a step; P(gain) "
            f"{format_probability(step.p_gain)}."
        )
    if step.public_gain == 0:
        return "Not distinguishable from no change: the public score is the same."
    if np.nan_to_num(noise.rerun_se) >= np.nan_to_num(noise.step_se_low):
        cause, size = "re-running one submission moves it", noise.rerun_se
    else:
        cause = "luck moves even two nearly identical submissions"
        size = noise.step_se_low
    return (
        f"Not distinguishable from no change: {_observed(step)} is within what {cause} "
        f"({format_number(size, digits=2)})."
    )


def _repeat(step: Step, reference: str) -> str:
    if step.public_gain is None:
        return (
            f"The same content as {step.reference_id}, which has no score: there is "
            "nothing to compare it with."
        )
    if step.public_gain == 0:
        return f"The same content as {reference}, and the same score: nothing new."
    return (
        f"The same content as {reference} scored again: the difference of "
        f"{format_gain(step.public_gain)} is pure noise, a free measurement of it."
    )


def _unscored(step: Step) -> str:
    state = {
        "pending": "It is still being scored",
        "unknown": "No public score is given",
        "error": "The platform could not score it",
        "complete": "It is complete, but shows no public score",
    }[step.status]
    return f"{state}: nothing can be learned from it."


def _unknown(step: Step, noise: NoiseScale, claims: Claims, *, directed: bool) -> str:
    if not directed:
        return "Not knowable: which way the score is better was not given."
    if step.reference_id is None:
        return "The first scored submission: there is nothing to compare it with."
    if step.p_gain is None:
        return (
            f"Not knowable: {_observed(step)}, and nothing tells how large the noise "
            f"of a step is here.{_rows_needed(step)}"
        )
    if claims == "both":
        leaning = "a gain" if step.p_gain > (step.p_loss or 0) else "a loss"
        chance = max(step.p_gain, step.p_loss or 0.0)
        return (
            f"Leans to {leaning} ({format_probability(chance)}), but not clearly "
            f"enough in a list of this length to be called one: {_observed(step)}."
        )
    alone = "" if step.cv_gain is not None else " from public scores alone"
    return (
        f"Not knowable{alone}: {_observed(step)}, while noise may "
        f"move a step by {format_number(noise.step_se_low, digits=2)} to "
        f"{format_number(noise.step_se_high, digits=2)}, depending on how "
        f"alike the two submissions are.{_rows_needed(step)}"
    )


def _rows_needed(step: Step) -> str:
    if step.rows_needed is None:
        return ""
    return (
        f" It is more than luck from about {format_rows(step.rows_needed)} public rows "
        f"on ({format_rows(step.rows_needed_low)} where the two are nearly the same, "
        f"{format_rows(step.rows_needed_high)} where they have little in common)."
    )


def _contradicted(step: Step) -> str:
    return (
        f"Not knowable: {_observed(step)} are further apart than luck can make them, "
        "so one of them measures something else. Was the CV scheme or metric changed, "
        "or is this submission, or the one it is compared with, broken?"
    )


def _observed(step: Step) -> str:
    parts = [f"public {format_gain(step.public_gain)}"]
    if step.cv_gain is not None:
        parts.append(f"CV {format_gain(step.cv_gain)}")
    return " and ".join(parts)


def _estimate(step: Step) -> str:
    return (
        f"{format_gain(step.gain)} ({format_gain(step.gain_low)} to "
        f"{format_gain(step.gain_high)})"
    )
