"""The documentation that Kaggle asks of winners, as far as a history can fill it."""

from __future__ import annotations

from collections.abc import Sequence

from lbsense._format import format_number
from lbsense.analysis import Analysis
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report._document import (
    agreement,
    competition,
    facts,
    fill_in,
    final_submissions,
    findings_told,
    gains,
    inputs,
    no_gains,
    noise,
    outcome,
)
from lbsense.report._markdown import markdown_text

__all__ = ["kaggle_document"]


def kaggle_document(
    analysis: Analysis,
    findings: Findings,
    *,
    sources: Sequence[InputFile],
    version: str,
) -> str:
    """Return sections A1 to A9 of Kaggle's winning model documentation.

    The sections are those of https://kaggle.com/WinningModelDocumentationGuidelines.
    What scores cannot tell is a marked place.
    """
    parts = [
        f"# Model summary: {competition(analysis)}",
        "Every place marked TO FILL IN is yours: scores cannot tell it. The rest comes "
        "from the submission history.",
        "## A1. Background on you/your team",
        f"- Competition name: {competition(analysis)}\n"
        "- Team name: **TO FILL IN**\n"
        f"- Private leaderboard score: {_private(analysis)}\n"
        "- Private leaderboard place: **TO FILL IN**\n"
        f"{facts(analysis)}",
        fill_in("name, location and e-mail of every member."),
        "## A2. Background on you/your team",
        fill_in("background, time spent, how the team came about, who did what."),
        "## A3. Summary",
        fill_in("method, most important features, tools, time to train."),
        markdown_text(analysis.headline),
        final_submissions(analysis),
        "## A4. Features selection / engineering",
        fill_in("the features that mattered, how they were made and chosen."),
        "What the scores say of the steps, whatever they changed:",
        gains(analysis),
        "## A5. Training method(s)",
        fill_in("models, ensembling and its weights, external data."),
        f"Validation: {agreement(analysis)}",
        "## A6. Interesting findings",
        fill_in("the most important trick, and what set the solution apart."),
        noise(analysis),
        no_gains(analysis),
        findings_told(findings),
        outcome(analysis),
        "## A7. Simple features and methods",
        fill_in(
            "a model of fewer than ten features that reaches 90 to 95% of the final "
            "score, and what it scores."
        ),
        "## A8. Model execution time",
        fill_in("time to train and to predict, of the full and of the simple model."),
        "## A9. References",
        fill_in("papers, posts, notebooks and data that were used."),
        *inputs(sources, version),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _private(analysis: Analysis) -> str:
    """Return the private score that counted, or why it cannot be said."""
    place = "**TO FILL IN**"
    if all(item.private_score is None for item in analysis.history):
        return f"{place} (private scores were not given)"
    scores = [
        item.private_score
        for item in analysis.history
        if item.selected and item.private_score is not None
    ]
    if not scores:
        return f"{place} (the input does not say which submission counted)"
    better = analysis.history.competition.greater_is_better
    if better is None:
        return f"{place} (whether higher or lower is better is not known)"
    return format_number(max(scores) if better else min(scores), digits=7)
