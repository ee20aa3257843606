"""The documents that competitions ask for: facts, tables, marked places."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from lbsense import words
from lbsense._format import (
    clean_text,
    format_number,
    format_time,
    plural,
)
from lbsense._result import Missing
from lbsense._typing import ScoreKind
from lbsense._verdicts import FALSE_CLAIMS
from lbsense._version import __version__
from lbsense.analysis import Analysis
from lbsense.checks import Findings
from lbsense.model import InputFile

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
_STARTS_BLOCK = re.compile(r"^(\d+)([.)])|^([-+=])")
_EMPTY_LINES = re.compile(r"\n{3,}")


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is: no markup, no HTML, on one line."""
    return _STARTS_BLOCK.sub(
        lambda found: (
            f"{found[1]}\\{found[2]}" if found[1] is not None else f"\\{found[3]}"
        ),
        _escape(text),
    )


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of plain texts, escaped."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in (headers, *rows)]
    return "\n".join([lines[0], "|" + " --- |" * len(headers), *lines[1:]])


def render_markdown(template: str, **context: Any) -> str:
    """Return a template filled in, with one empty line between its parts."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lbsense.report"),
        autoescape=False,  # Markdown has characters of its own: see the filters
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": _cell,
        "line": clean_text,
        "md": markdown_text,
        "plural": plural,
        "time": format_time,
    }
    text = environment.get_template(f"{template}.md.j2").render(context)
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"


def _cell(text: str) -> str:
    return _escape(text) or " "


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", clean_text(text))


#: The documents by the name of their format, each a template of that name.
DOCUMENTS = ("kaggle", "zindi")

_MOST = 12
_WHOLE = 200  # characters of a name: a host has no other place to look it up
_OF_THE_ENTRANT = "LBS3"  # codes of findings about habits, which no host asked for
_GAP = "**TO FILL IN**"
_FLAT = "No step stands out of the noise."


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
            "flagged": [
                f"{item.title}. {item.message}"
                for item in findings.flagged
                if not item.code.startswith(_OF_THE_ENTRANT)
            ],
            "summary": _summary(analysis),
        },
    )


def _summary(analysis: Analysis) -> str:
    """Return how many submissions were what, in the words of a reader from outside."""
    counts = analysis.counts()
    scored = len(analysis.steps) - counts.get("unscored", 0)
    parts = [
        f"{counts[verdict]} {phrase}"
        for verdict, phrase in (
            ("progress", "scored better by more than chance explains"),
            ("setback", "worse"),
            ("guess", "could not be told from no change"),
        )
        if counts.get(verdict)
    ]
    if not parts:
        return markdown_text(words.tally(analysis))
    rest = scored - sum(counts.get(v, 0) for v in ("progress", "setback", "guess"))
    if rest:
        parts.append(f"{rest} cannot be compared")
    told = ", ".join(parts)
    who = plural(scored, "scored submission")
    return f"Of {who}, each against the one it was built on: {told}."


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
        reason = words.why_no_picks(analysis, "page")
        return markdown_text(f"Which submissions scored best cannot be said. {reason}")
    keys = ("name", "when", "cv", "public", "private")
    return f"{told}\n\n{_table(analysis, chosen, keys)}\n\nScores as displayed."


def _table(analysis: Analysis, chosen: Sequence[int], keys: Sequence[str]) -> str:
    """Return a table of some of the steps, named as on the page."""
    columns = words.step_columns(analysis.steps, keys)
    rows = [
        [
            words.name_of(analysis, index, _WHOLE)
            if column.key == "name"
            else column.cells[index]
            for column in columns
        ]
        for index in chosen
    ]
    return markdown_table([column.heading for column in columns], rows)


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
        none = "No step can be called a real gain"
        if not words.noise(analysis):  # the reason stands where the noise is told
            return f"{none}: it is not known how much of one can be chance."
        stands = _FLAT if analysis.noise.step_se > 0 else ""
        reason = words.why(analysis.posterior, "page", stands)
        return f"{none}. {markdown_text(reason)}".strip()
    lead = (
        f"{plural(len(real), 'step')} that the scores show to be real gains (of such "
        f"claims {FALSE_CLAIMS}). Gains are oriented: more is "
        "better, whatever the metric."
    )
    open_ends = sum(
        step.gain_low is not None and step.gain_low <= 0 for _, step in real
    )
    if open_ends:
        lead += f" The interval of {open_ends} of them reaches down to no gain."
    chosen = [i for i, _ in sorted(real, key=lambda pair: -(pair[1].gain or 0))]
    table = _table(analysis, chosen, ("name", "estimate", "outcome"))
    return f"{lead}\n\n{table}"


def _no_gains(analysis: Analysis) -> str:
    """Return what was tried and could not be told from no change, or was a loss."""
    parts = []
    for verdict, phrase in (
        ("guess", "could not be told from no change at all"),
        ("setback", "were losses, by the same standard as the gains"),
        ("chasing", "raised the public score alone, against trusted validation"),
        ("unknown", "cannot be judged from what was given"),
    ):
        found = [i for i, s in enumerate(analysis.steps) if s.verdict == verdict]
        if not found:
            continue
        named = [
            f"- {markdown_text(words.name_of(analysis, i, _WHOLE))}"
            for i in found[:_MOST]
        ]
        if len(found) > _MOST:
            named.append(f"- and {len(found) - _MOST} more")
        parts.append(f"{plural(len(found), 'step')} {phrase}:\n\n" + "\n".join(named))
    return "\n\n".join(parts)


def _noise(analysis: Analysis) -> str:
    """Return what is known of the noise of the leaderboard."""
    told = words.noise(analysis) or [words.why_no_noise(analysis, "page")]
    return markdown_text(" ".join(told))


def _agreement(analysis: Analysis) -> str:
    """Return what is known of validation: its kind, and whether it was followed."""
    n_cv = sum(step.cv_score is not None for step in analysis.steps)
    if not n_cv:
        return "No submission has a CV score on record."
    told = f"{plural(n_cv, 'submission')} with a CV score on record."
    return markdown_text(" ".join([told, *words.agreement(analysis)]))


def _outcome(analysis: Analysis) -> str:
    """Return what the private scores say, with a lead."""
    found = analysis.retrospective
    if isinstance(found, Missing):
        if any(step.private_score is not None for step in analysis.steps):
            reason = words.tell(found, "page")
            return markdown_text(f"Private scores cannot be judged. {reason}")
        return (
            "Private scores were not given, or the competition is still running: "
            "nothing is said about the final ranking."
        )
    told = words.results(analysis)
    lines = "\n".join(f"- {markdown_text(text)}" for text in told)
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
