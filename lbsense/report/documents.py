"""The documents that competitions ask for: facts, tables, marked places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lbsense._format import (
    format_gain,
    format_number,
    format_time,
    plural,
)
from lbsense._typing import ScoreKind
from lbsense.analysis import Analysis, Step
from lbsense.checks import Findings
from lbsense.model import InputFile
from lbsense.report.blocks import name_of
from lbsense.report.markdown import markdown_table, markdown_text

__all__ = [
    "agreement",
    "competition",
    "facts",
    "fill_in",
    "final_submissions",
    "findings_told",
    "gains",
    "inputs",
    "kaggle_document",
    "no_gains",
    "noise",
    "outcome",
    "zindi_document",
]

_MOST = 12


def fill_in(text: str) -> str:
    """Return a marked place for what scores cannot tell."""
    return f"> **TO FILL IN:** {text}"


def competition(analysis: Analysis) -> str:
    """Return the name of the competition, or a marked place for it."""
    slug = analysis.history.competition.slug
    return markdown_text(slug) if slug else "**TO FILL IN**"


def facts(analysis: Analysis) -> str:
    """Return the metric, the sizes and the period as a list, gaps marked."""
    known = analysis.history.competition
    metric = markdown_text(known.metric) if known.metric else "**TO FILL IN**"
    if known.better:
        metric += f" ({known.better})"
    lines = [f"- Metric: {metric}"]
    for name, count in (
        ("Training rows", known.train_size),
        ("Public test rows", known.n_public),
        ("Private test rows", known.n_private),
    ):
        lines.append(f"- {name}: {'**TO FILL IN**' if count is None else f'{count:,}'}")
    failed = sum(step.public_score is None for step in analysis.steps)
    total = plural(len(analysis.steps), "submission")
    lines.append(f"- History: {total}, {failed} of them without a public score")
    times = [step.submitted_at for step in analysis.steps if step.submitted_at]
    if times:
        first, last = format_time(min(times)), format_time(max(times))
        lines.append(f"- First and last submission (UTC): {first} and {last}")
    return "\n".join(lines)


def final_submissions(analysis: Analysis) -> str:
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


def gains(analysis: Analysis) -> str:
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


def no_gains(analysis: Analysis) -> str:
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


def noise(analysis: Analysis) -> str:
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


def agreement(analysis: Analysis) -> str:
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


def outcome(analysis: Analysis) -> str:
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


def findings_told(findings: Findings) -> str:
    """Return what the checks flagged, as a list."""
    lines = [
        f"- {item.code} {markdown_text(item.title)}. {markdown_text(item.message)}"
        for item in findings.flagged
    ]
    if not lines:
        return "No check of the history as a whole flagged anything."
    return "What checks of the history as a whole flagged:\n\n" + "\n".join(lines)


def inputs(sources: Sequence[InputFile], version: str) -> Iterator[str]:
    """Yield what this document was made from."""
    if sources:
        rows = [[item.name, f"{item.n_bytes:,}", item.sha256] for item in sources]
        yield markdown_table(("File", "Bytes", "SHA-256"), rows)
    yield f"Scores and steps were written by lbsense {version}; the rest by hand."


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


def zindi_document(
    analysis: Analysis,
    findings: Findings,
    *,
    sources: Sequence[InputFile],
    version: str,
) -> str:
    """Return the sections of Zindi's solution documentation.

    The sections are those of a published solution that follows
    https://zindi.africa/learn/documentation-guideline.
    What scores cannot tell is a marked place.
    """
    parts = [
        f"# Solution documentation: {competition(analysis)}",
        "Every place marked TO FILL IN is yours: scores cannot tell it. The rest comes "
        "from the submission history.",
        "## 1. Overview and objectives",
        fill_in("what the solution is for, and what it is expected to achieve."),
        facts(analysis),
        markdown_text(analysis.headline),
        "## 2. Architecture diagram",
        fill_in("a picture of the way from raw data to the submission file."),
        "## 3. ETL process",
        fill_in("where data comes from, how it is cleaned, transformed and stored."),
        "## 4. Data modelling",
        fill_in("features, models, ensembling, training, seeds."),
        f"Validation: {agreement(analysis)}",
        gains(analysis),
        no_gains(analysis),
        "## 5. Inference",
        fill_in("how the final file is made again, and how new data is scored."),
        final_submissions(analysis),
        "## 6. Run time",
        fill_in("time of every notebook or script, and the machine that it ran on."),
        "## 7. Performance metrics",
        fill_in("the scores of the final model on the metric, and any other measure."),
        noise(analysis),
        outcome(analysis),
        findings_told(findings),
        "## 8. Error handling and logging",
        fill_in("what can fail, how that is noticed and handled."),
        "## 9. Maintenance and monitoring",
        fill_in("how the solution is kept working, watched and scaled."),
        *inputs(sources, version),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
