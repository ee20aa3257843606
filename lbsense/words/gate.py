"""Whether the next submission is worth spending, in words."""

from __future__ import annotations

from lbsense._format import format_gain, format_number, format_probability
from lbsense._result import Missing
from lbsense.facts import GateResult
from lbsense.words.needs import Reader, tell


def gate_reason(result: GateResult) -> str:
    """Return why a candidate is worth a submission or not."""
    return (
        f"P(true gain over {result.best_id} worth naming) is "
        f"{format_probability(result.p_gain)}, expected gain "
        f"{format_gain(result.gain)} ({format_gain(result.gain_low)} to "
        f"{format_gain(result.gain_high)}); {format_probability(result.at_least)} is "
        "asked."
    )


def why_no_gate(missing: Missing, reader: Reader = "python") -> str:
    """Return why nothing can be told of a candidate."""
    return f"Not knowable: {tell(missing, reader)}"


def gate_told(result: GateResult, reader: Reader = "python") -> list[tuple[str, str]]:
    """Return what is known of a candidate: a heading and a sentence each."""
    if result.missing is not None:
        text = tell(result.missing, reader)
        return [("", text[:1].upper() + text[1:])]
    return [
        ("Why", gate_reason(result)),
        (
            "CV",
            f"{format_number(result.cv_score)}, {format_gain(result.cv_gain)} over "
            f"{result.parent_id} (more is better); noise of such a difference "
            f"{format_number(result.cv_gain_se, digits=2)}.",
        ),
        (
            "Any gain",
            f"P(true score above that of {result.best_id}) "
            f"{format_probability(result.p_better)}.",
        ),
        (
            "Learn",
            f"the leaderboard shows gains from "
            f"{format_number(result.smallest_gain, digits=2)} on; P(a gain as "
            f"large) {format_probability(result.p_visible)}. A public score would "
            f"narrow what is known of the step by "
            f"{format_probability(result.narrowing)}.",
        ),
    ]
