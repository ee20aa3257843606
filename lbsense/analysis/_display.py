"""How an analysis shows itself in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lbsense._format import (
    VERDICT_SIGNS,
    format_gain,
    format_number,
    format_probability,
    shorten,
)
from lbsense._fragment import details, fragment, listing, paragraph, table

if TYPE_CHECKING:
    from lbsense.analysis.result import Analysis, Step

__all__ = ["analysis_fragment"]

_NAME_WIDTH = 48
_NUMBERS = {"#", "CV", "public", "private", "true gain", "95% interval", "P(gain)"}


def analysis_fragment(analysis: Analysis) -> str:
    """Return the answer, what to select, and every step, as HTML."""
    parts = [
        paragraph(analysis.headline, strong=True),
        paragraph(f"Evidence: {analysis.evidence}. {analysis.next_fact}"),
    ]
    if analysis.retrospective is not None:
        parts.append(listing(analysis.retrospective.sentences))
    elif analysis.picks is not None:
        parts.append(paragraph(_selection(analysis)))
    if analysis.steps:
        parts.append(_steps(analysis))
        why = [
            f"#{number} {step.verdict}: {step.sentence}"
            for number, step in enumerate(analysis.steps, start=1)
        ]
        parts.append(details("Why: the sentence behind each verdict", listing(why)))
    return fragment(*parts)


def _selection(analysis: Analysis) -> str:
    picks = analysis.picks
    if picks is None:
        return ""
    best = picks.best
    names = " and ".join(
        f"#{index + 1} ({shorten(analysis.steps[index].name, _NAME_WIDTH)})"
        for index in best.positions
    )
    return (
        f"Select {names}: the best of all is among them with "
        f"{format_probability(best.p_holds_best)} probability."
    )


def _steps(analysis: Analysis) -> str:
    columns = {
        "#": [str(number) for number in range(1, len(analysis.steps) + 1)],
        "submission": [shorten(step.name, _NAME_WIDTH) for step in analysis.steps],
        "CV": [format_number(step.cv_score) for step in analysis.steps],
        "public": [format_number(step.public_score) for step in analysis.steps],
        "private": [format_number(step.private_score) for step in analysis.steps],
        "true gain": [format_gain(step.gain) for step in analysis.steps],
        "95% interval": [_interval(step) for step in analysis.steps],
        "P(gain)": [format_probability(step.p_gain) for step in analysis.steps],
        "verdict": [
            f"{VERDICT_SIGNS[step.verdict]} {step.verdict}" for step in analysis.steps
        ],
    }
    told = {
        name: cells
        for name, cells in columns.items()
        if any(cell != "-" for cell in cells)
    }
    numeric = [place for place, name in enumerate(told) if name in _NUMBERS]
    return table(tuple(told), tuple(zip(*told.values(), strict=True)), numeric=numeric)


def _interval(step: Step) -> str:
    if step.gain_low is None or step.gain_high is None:
        return "-"
    return f"{format_gain(step.gain_low)} to {format_gain(step.gain_high)}"
