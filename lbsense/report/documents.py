"""The documents that competitions ask for: facts, tables, marked places."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lbsense._format import (
    format_gain,
    format_number,
    format_time,
    plural,
)
from lbsense._typing import ScoreKind
from lbsense._version import __version__
from lbsense.analysis import Analysis, Step
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report.blocks import name_of
from lbsense.report.markdown import markdown_table, markdown_text, render_markdown

__all__ = ["DOCUMENTS", "document"]

#: The documents by the name of their format, each a template of that name.
DOCUMENTS = ("kaggle", "zindi")

_MOST = 12
_GAP = "**TO FILL IN**"


def document(
    name: str, analysis: Analysis, findings: Findings, *, sources: Sequence[InputFile]
) -> str:
    """Return a document as far as a history can fill it.

    What scores cannot tell is a marked place.
    """
    return render_markdown(
        name,
        analysis=analysis,
        findings=findings,
        sources=sources,
        version=__version__,
        told={
            "agreement": _agreement(analysis),
            "final_submissions": _final_submissions(analysis),
            "gains": _gains(analysis),
            "no_gains": _no_gains(analysis),
            "noise": _noise(analysis),
            "outcome": _outcome(analysis),
            "private": _private(analysis),
        },
    )


def _final_submissions(analysis: Analysis) -> str:
    """Return the table of what was selected, or what scored best and that it is so."""
    chosen = [i for i, item in enumerate(analysis.history) if item.selected]
    told = "The submissions that were selected:"
    if not chosen:
        chosen, told = _best(analysis)
    if not chosen:
        scored = any(step.public_score is not None for step in analysis.steps)
        if not scored:
            return "No submission has a score."
        reason = analysis.notes.get("direction", "")
        return markdown_text(f"Which submissions scored best cannot be said. {reason}")
    rows = [
        [
            name_of(analysis, index),
            format_time(analysis.steps[index].submitted_at),
            format_number(analysis.steps[index].cv_score, digits=7),
            format_number(analysis.steps[index].public_score, digits=7),
            format_number(analysis.steps[index].private_score, digits=7),
        ]
        for index in chosen
    ]
    headers = ("Submission", "Date (UTC)", "CV", "Public", "Private")
    return f"{told}\n\n{markdown_table(headers, rows)}\n\nScores as displayed."


def _best(analysis: Analysis) -> tuple[list[int], str]:
    """Return the best submissions by the scores that are there, and their name."""
    history = analysis.history
    if history.competition.greater_is_better is None:
        return [], ""
    kinds: tuple[ScoreKind, ...] = ("private", "public")
    for kind in kinds:
        scores = history.scores(kind)
        known = [i for i, value in enumerate(scores) if math.isfinite(value)]
        if known:
            best = sorted(known, key=lambda i: -scores[i])[:2]
            return best, (
                "The input does not say which submissions were selected; these have "
                f"the best {kind} scores:"
            )
    return [], ""


def _gains(analysis: Analysis) -> str:
    """Return the steps that were real gains, each with its interval."""
    real = [
        (index, step)
        for index, step in enumerate(analysis.steps)
        if step.verdict == "progress"
    ]
    if not real:
        reason = analysis.notes.get("gain", "")
        if not reason and analysis.noise.step_se > 0:
            reason = "No step stands out of the noise."
        return f"No step can be called a real gain. {markdown_text(reason)}".strip()
    rows = [
        [name_of(analysis, index), _gain(step), _after(analysis, index)]
        for index, step in sorted(real, key=lambda pair: -(pair[1].gain or 0))
    ]
    headers = ("Step", "Estimated gain (95% interval)", "With private scores")
    lead = (
        f"{plural(len(real), 'step')} that the scores show to be real gains (of such "
        "claims about one in ten is expected to be false). Gains are oriented: more is "
        "better, whatever the metric."
    )
    open_ends = sum(
        step.gain_low is not None and step.gain_low <= 0 for _, step in real
    )
    if open_ends:
        lead += f" The interval of {open_ends} of them reaches down to no gain."
    return f"{lead}\n\n{markdown_table(headers, rows)}"


def _gain(step: Step) -> str:
    text = format_gain(step.gain)
    if step.gain_low is None or step.gain_high is None:
        return text
    return f"{text} ({format_gain(step.gain_low)} to {format_gain(step.gain_high)})"


def _after(analysis: Analysis, index: int) -> str:
    if analysis.retrospective is None:
        return "-"
    return analysis.retrospective.outcomes[index] or "-"


def _no_gains(analysis: Analysis) -> str:
    """Return what was tried and could not be told from no change, or was a loss."""
    parts = []
    for verdict, words in (
        ("guess", "could not be told from no change at all"),
        ("setback", "were losses, by the same standard as the gains"),
        ("chasing", "raised the public score alone, against trusted validation"),
        ("unknown", "cannot be judged from what was given"),
    ):
        found = [i for i, s in enumerate(analysis.steps) if s.verdict == verdict]
        if not found:
            continue
        named = [f"- {markdown_text(name_of(analysis, i))}" for i in found[:_MOST]]
        if len(found) > _MOST:
            named.append(f"- and {len(found) - _MOST} more")
        parts.append(f"{plural(len(found), 'step')} {words}:\n\n" + "\n".join(named))
    return "\n\n".join(parts)


def _noise(analysis: Analysis) -> str:
    """Return what is known of the noise of the leaderboard."""
    told = []
    scale = analysis.noise
    if math.isfinite(scale.score_se):
        told.append(
            "One public score has a standard error of about "
            f"{format_number(scale.score_se, digits=2)}."
        )
    if math.isfinite(scale.step_se):
        told.append(
            "The difference of two typical public scores has a standard error of "
            f"about {format_number(scale.step_se, digits=2)}."
        )
    elif math.isfinite(scale.step_se_high):
        told.append(
            "The difference of two public scores has a standard error of at most "
            f"{format_number(scale.step_se_high, digits=2)}."
        )
    if not told:
        reason = analysis.notes.get("gain", analysis.notes.get("direction", ""))
        return markdown_text(f"The noise of the leaderboard is not known. {reason}")
    return " ".join(told)


def _agreement(analysis: Analysis) -> str:
    """Return what is known of validation: its kind, and whether it was followed."""
    n_cv = sum(step.cv_score is not None for step in analysis.steps)
    if not n_cv:
        return "No submission has a CV score on record."
    told = [f"{plural(n_cv, 'submission')} with a CV score on record"]
    found = analysis.agreement
    if found is not None and math.isfinite(found.statistic):
        told.append(
            "rank correlation of CV gains and public gains "
            f"{format_number(found.statistic, digits=2)} (95% interval "
            f"{format_number(found.ci_low, digits=2)} to "
            f"{format_number(found.ci_high, digits=2)}, {plural(found.n_obs, 'step')})"
        )
    text = "; ".join(told) + "."
    if found is not None and not found.testable:
        text += f" Agreement cannot be tested here. {markdown_text(found.reason)}"
    return text


def _outcome(analysis: Analysis) -> str:
    """Return what the private scores say, with a lead."""
    found = analysis.retrospective
    if found is None:
        if any(step.private_score is not None for step in analysis.steps):
            reason = analysis.notes.get("retrospective", "")
            return markdown_text(f"Private scores cannot be judged. {reason}")
        return (
            "Private scores were not given, or the competition is still running: "
            "nothing is said about the final ranking."
        )
    lines = "\n".join(f"- {markdown_text(text)}" for text in found.sentences)
    return f"What the private scores say:\n\n{lines}"


def _private(analysis: Analysis) -> str:
    """Return the private score that counted, or why it cannot be said."""
    if all(item.private_score is None for item in analysis.history):
        return f"{_GAP} (private scores were not given)"
    scores = [
        item.private_score
        for item in analysis.history
        if item.selected and item.private_score is not None
    ]
    if not scores:
        return f"{_GAP} (the input does not say which submission counted)"
    better = analysis.history.competition.greater_is_better
    if better is None:
        return f"{_GAP} (whether higher or lower is better is not known)"
    return format_number(max(scores) if better else min(scores), digits=7)
