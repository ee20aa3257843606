"""Whether the next submission is worth spending, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lbsense._format import format_gain, format_number, format_probability, plural
from lbsense._result import Missing
from lbsense.facts import Facts, GateResult
from lbsense.stats import SettleResult, SettleWay
from lbsense.words.needs import Reader, tell
from lbsense.words.short import named

_BASIS = {
    "history": "as past steps had it",
    "predictions": "told by the out-of-fold predictions",
    "files": "told by the submission files",
    "folds": "as past steps and the folds have it",
}


_NAME_WIDTH = 24


def _who(facts: Facts, submission_id: str | None, width: int = _NAME_WIDTH) -> str:
    """Return the number of a submission and as much of its name as there is room."""
    ids = [step.submission_id for step in facts.steps]
    if submission_id not in ids:
        return str(submission_id)
    return named(facts, ids.index(submission_id), width)


def gate_reason(result: GateResult, facts: Facts) -> str:
    """Return why a candidate is worth a submission or not."""
    if result.n_left == 0:
        return "No submission is left."
    if result.repeats is not None:
        return (
            f"It predicts the same as {_who(facts, result.repeats)}, so its score "
            "would tell nothing new."
        )
    told = (
        f"P(true gain over {_who(facts, result.best_id)} worth naming) is "
        f"{format_probability(result.p_gain)}, expected gain "
        f"{format_gain(result.gain)} ({format_gain(result.gain_low)} to "
        f"{format_gain(result.gain_high)}); {format_probability(result.at_least)} is "
        "asked."
    )
    if result.passes is False and result.p_gain >= result.at_least:
        return f"{told} But it does not pass the test among all steps so far."
    return told


def why_no_gate(missing: Missing, reader: Reader = "python") -> str:
    """Return why nothing can be told of a candidate."""
    return f"Not knowable: {tell(missing, reader)}"


def gate_told(
    result: GateResult, facts: Facts, reader: Reader = "python"
) -> list[tuple[str, str]]:
    """Return what is known of a candidate: a heading and a sentence each."""
    entries = []
    if result.decision != "unknown":
        entries.append(("Why", gate_reason(result, facts)))
    if result.missing is not None:
        text = tell(result.missing, reader)
        label = "Why" if result.decision == "unknown" else ""
        entries.append((label, text[:1].upper() + text[1:]))
    else:
        entries += _expected(result, facts)
    entries += _by_files(result, facts)
    if result.n_left:
        entries.append(("Left", f"{plural(result.n_left, 'submission')}."))
    return entries


def _expected(result: GateResult, facts: Facts) -> Iterator[tuple[str, str]]:
    best = _who(facts, result.best_id, 0)
    score = "CV" if result.measure == "cv" else "Score"
    yield (
        score,
        f"{format_number(result.cv_score)}, {format_gain(result.cv_gain)} over "
        f"{_who(facts, result.parent_id)} (more is better); noise of such a difference "
        f"{format_number(result.cv_gain_se, digits=2)}, {_BASIS[result.noise_basis]}.",
    )
    yield (
        "Any gain",
        f"P(true score above that of {best}) {format_probability(result.p_better)}.",
    )
    if math.isfinite(result.p_right):
        yield (
            "Learn",
            f"the leaderboard shows gains from "
            f"{format_number(result.smallest_gain, digits=2)} on; P(a gain as "
            f"large) {format_probability(result.p_visible)}. Its public score would "
            f"be on the right side of that of {best} with "
            f"{format_probability(result.p_right)} probability and narrow what is "
            f"known of the step by {format_probability(result.narrowing)}.",
        )
        yield (
            "Worth",
            "to submit it and to take the one that then looks better is expected to "
            f"gain {format_number(max(result.value, 0.0), digits=2)}.",
        )
    yield "Stream", _stream(result)


def _stream(result: GateResult) -> str:
    share = 0.1 if result.false_share is None else result.false_share
    verb = "would pass" if result.p_none <= result.level else "would not"
    return (
        f"{result.n_passed} of {plural(result.n_tested, 'earlier step')} "
        f"{'passes' if result.n_passed == 1 else 'pass'} where at most "
        f"{format_probability(share)} of all that passes may be no gain, whenever one "
        f"looks; this one {verb}: P(no gain) {format_probability(result.p_none)}, "
        f"{format_probability(max(result.level, 0.0))} is the most."
    )


def _by_files(result: GateResult, facts: Facts) -> Iterator[tuple[str, str]]:
    if result.repeats is None and result.closest_id is not None:
        yield (
            "Closest",
            f"of all predictions those of {_who(facts, result.closest_id)} are most "
            "like these: noise of the public difference "
            f"{format_number(result.closest_se, digits=2)}.",
        )


_WAYS = {
    "seeds": ("more seed of both", "more seeds of both, under the same folds,"),
    "rows": ("twice the training rows", "training rows in all"),
    "submissions": ("submission of both", "submissions of both"),
}


def settle_told(result: SettleResult) -> list[tuple[str, str]]:
    """Return what is known of two, and what would settle which is better."""
    entries = [
        (
            "Now",
            f"P({result.first} is truly better than {result.second}) "
            f"{format_probability(result.p_first)}, by {format_gain(result.gain)} "
            f"(standard deviation {format_number(result.gain_se, digits=2)}).",
        )
    ]
    if result.settled:
        return [*entries, ("Settled", "that is 95% or more already.")]
    entries += [(way.kind.capitalize(), _way_told(way)) for way in result.ways]
    if not result.ways:
        entries.append(("Ways", "nothing tells how noisy a further look would be."))
    return entries


def _way_told(way: SettleWay) -> str:
    one, many = _WAYS[way.kind]
    count = "" if way.kind == "rows" else "one "
    chance = f"{count}{one}: {format_probability(way.chance)} chance to settle it"
    if way.needed is None:
        return f"{chance}; no number of them does with 80%."
    if way.needed == 1:
        return f"{chance}."
    return f"{chance}; {way.needed:,} {many} for 80%."
