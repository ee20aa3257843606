"""The answer in plain words: what happened, what was noise, what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lbsense._format import (
    clean_text,
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense.analysis import Analysis
from lbsense.report._blocks import Bullets, Section
from lbsense.stats.retrospect import GapSplitResult

__all__ = ["answer", "name_of", "subject"]

_NAME_WIDTH = 48


def subject(analysis: Analysis) -> str:
    """Return one line on what was read: platform, metric, sizes and period."""
    history = analysis.history
    competition = history.competition
    parts = [
        competition.platform,
        competition.metric,
        competition.better,
        plural(len(history), "submission"),
    ]
    if competition.n_public is not None:
        parts.append(f"{competition.n_public:,} public test rows")
    parts.append(history.period)
    return clean_text(" · ".join(part for part in parts if part))


def name_of(analysis: Analysis, index: int) -> str:
    """Return the number of a submission and the words that its entrant gave it."""
    return f"#{index + 1} {shorten(analysis.steps[index].name, _NAME_WIDTH)}"


def answer(analysis: Analysis) -> tuple[Section, ...]:
    """Return the three parts of the answer."""
    parts = (
        ("happened", "What happened", tuple(_happened(analysis))),
        ("noise", "What was noise", tuple(_noise(analysis))),
        ("todo", "What to do", tuple(_todo(analysis))),
    )
    return tuple(
        Section(key=key, title=title, blocks=(Bullets(items=items),))
        for key, title, items in parts
        if items
    )


def _happened(analysis: Analysis) -> Iterator[str]:
    history = analysis.history
    luck = analysis.luck
    scored = [step for step in analysis.steps if step.public_score is not None]
    yield (
        f"{plural(len(scored), 'scored submission')} of {len(history)}. Evidence: "
        f"{analysis.evidence}."
    )
    if luck is not None and math.isfinite(luck.true_climb):
        yield (
            "From the first submission to the best one the public score gained "
            f"{format_number(luck.public_climb, digits=2)}; "
            f"{format_number(luck.true_climb, digits=2)} of that is estimated to be "
            f"real (standard error {format_number(luck.true_climb_se, digits=2)})."
        )
    told = analysis.retrospective
    if told is not None and told.best_public is not None:
        yield _gap(told.best_public, fits=told.fits)


def _gap(split: GapSplitResult, *, fits: bool) -> str:
    if not split.gap:
        return "The best public submission scored the same in private."
    moved = f"{format_number(abs(split.gap), digits=2)} " + (
        "worse" if split.gap > 0 else "better"
    )
    if not fits:
        return (
            f"The best public submission scored {moved} in private. Private scores lie "
            "outside what was to be expected before the end: a split into luck, "
            "selection and shift is not to be trusted here."
        )
    return (
        f"The best public submission scored {moved} in private: "
        f"{format_gain(-split.selection)} luck in its public score, "
        f"{format_gain(-split.common_luck - split.own_luck)} luck of the split, "
        f"{format_gain(-split.shift)} shift."
    )


def _noise(analysis: Analysis) -> Iterator[str]:
    noise, luck = analysis.noise, analysis.luck
    if math.isfinite(noise.score_se):
        yield (
            "One public score carries a standard error of about "
            f"{format_number(noise.score_se, digits=2)}."
        )
    if math.isfinite(noise.step_se):
        yield (
            "A difference of two typical public scores carries "
            f"{format_number(noise.step_se, digits=2)}."
        )
    elif math.isfinite(noise.step_se_high):
        yield (
            "A difference of two public scores carries at most "
            f"{format_number(noise.step_se_high, digits=2)}."
        )
    else:
        reason = analysis.notes.get("gain", analysis.notes.get("direction", ""))
        yield f"The noise of a step is not known. {reason}".strip()
    if luck is not None and luck.positions.size:
        yield (
            f"Of {plural(int(luck.positions.size), 'new public best')}, about "
            f"{luck.expected_luck:.0f} are expected to be luck."
        )
    resolution = analysis.resolution
    if resolution is not None and math.isfinite(resolution.smallest_gain):
        yield (
            "The smallest gain that this leaderboard can tell (80% power) is about "
            f"{format_number(resolution.smallest_gain, digits=2)}; "
            f"{format_probability(resolution.below_fraction)} of the steps chased "
            "differences too small to be told from their own noise."
        )


def _todo(analysis: Analysis) -> Iterator[str]:
    retrospective, picks = analysis.retrospective, analysis.picks
    if retrospective is not None:
        yield from retrospective.advice
    elif picks is not None:
        names = " and ".join(name_of(analysis, i) for i in picks.best.positions)
        yield (
            f"Select {names}: the better of them is the best of all with "
            f"{format_probability(picks.best.p_holds_best)} probability."
        )
        yield from _default_trap(analysis)
    yield analysis.next_fact


def _default_trap(analysis: Analysis) -> Iterator[str]:
    picks = analysis.picks
    if picks is None:
        return
    for pair in picks.rules:
        other = set(pair.positions) != set(picks.best.positions)
        if pair.rule == "two best public" and other:
            yield (
                "If you select nothing, the platform takes your two best public "
                "scores: expected to cost "
                f"{format_number(max(pair.cost, 0.0), digits=2)}."
            )
