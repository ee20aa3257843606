"""The answer: all facts about a history, and what is said of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lbsense._codes import VERDICT_SIGNS, VERDICT_TINTS
from lbsense._format import shorten
from lbsense._painter import painted
from lbsense._result import (
    Result,
    details,
    fragment,
    listing,
    paragraph,
    plain,
    table,
)
from lbsense.facts import Facts, Outlook, Step
from lbsense.model import History
from lbsense.stats import DifferenceBandsResult, GapSplitResult, PairResult
from lbsense.words import (
    Answer,
    alone,
    answer,
    evidence,
    expectation,
    headline,
    jumps,
    learning,
    luck,
    next_fact,
    notes,
    reading_entries,
    selection,
    step_columns,
    tally,
)

if TYPE_CHECKING:
    import pandas as pd

#: Version of the dictionary that `Analysis.to_dict` gives.
SCHEMA = 1

_NAME_WIDTH = 36
_TEXT_WIDTH = 32
_ENDS = {
    f"{end}{level}": f"ci{level}_{end}" for level in (80, 95) for end in ("low", "high")
}
_NOTEBOOK = (
    "number",
    "name",
    "verdict",
    "public",
    "cv",
    "private",
    "p_gain",
    "outcome",
    "estimate",
    "rows",
    "hindsight",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis(Facts):
    """Everything that could be said about a history, and why the rest could not.

    A result that cannot be given is a `Missing` with its reason; it counts as false.

    Attributes
    ----------
    history : History
        What was analysed.
    level : str
        Highest level of evidence reached: "A", "A+", "B", "C" or "D".
    steps : tuple of Step
        One per submission, in time order.
    noise, agreement, posterior, parents, levels, outlook, picks, luck, resolution, \
limits, climb, gaps, alone, ladder, joint, retrospective, claims, cv, cv_scale, \
contradicted, caveats, learning
        As in `lbsense.facts.Facts`.
    headline : str
        The one sentence with the numbers that matter most.
    answer : Answer
        What the climb was worth, whether the last step was real, which two to select
        and what would help most: a tuple of four texts.
    next_fact : str
        The one fact that would sharpen the verdicts most.
    notes : Mapping of str to str
        Result that is missing or weak -> the reason, and what to give.
    """

    @property
    def headline(self) -> str:
        """The one sentence with the numbers that matter most."""
        return headline(self)

    @property
    def answer(self) -> Answer:
        """What the climb was worth, the last step, what to select, what would help."""
        return answer(self)

    @property
    def next_fact(self) -> str:
        """The one fact that would sharpen the verdicts most."""
        return next_fact(self)

    @property
    def notes(self) -> Mapping[str, str]:
        """Result that is missing or weak -> the reason, and what to give."""
        return notes(self)

    @property
    def evidence(self) -> str:
        """The level of evidence and what it holds, in words."""
        return evidence(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the analysis as the versioned, JSON-safe dictionary."""
        return {
            "schema": SCHEMA,
            "level": self.level,
            "headline": self.headline,
            "answer": self.answer._asdict(),
            "next_fact": self.next_fact,
            "competition": self.history.competition.to_dict(),
            "reading": plain(self.history.reading),
            "warnings": [warning.to_dict() for warning in self.history.warnings],
            "dropped": [issue.to_dict() for issue in self.history.dropped],
            "noise": self.noise.to_dict(),
            "agreement": plain(self.agreement),
            "parents": self.parents,
            "luck": _luck(self),
            "climb": _climb(self),
            "gaps": [gap.to_dict() for gap in self.gaps],
            "alone": plain(self.alone),
            "outlook": _outlook(self),
            "picks": _picks(self),
            "resolution": plain(self.resolution),
            "retrospective": _retrospective(self),
            "learning": plain(self.learning),
            "notes": dict(self.notes),
            "steps": [step.to_dict() for step in self.steps],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission; the columns are the fields of `Step`."""
        import pandas as pd

        columns = list(Step.__dataclass_fields__)
        rows = [[getattr(step, name) for name in columns] for step in self.steps]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(
            submitted_at=pd.to_datetime(frame["submitted_at"], utc=True)
        )

    def __str__(self) -> str:
        read = [f"{name}: {text}" for name, text in reading_entries(self.history)]
        lines = [
            *self.answer,
            "",
            tally(self),
            *read,
            f"Evidence: {self.evidence}.",
            "",
        ]
        keys = ("name", "cv", "public", "gain", "p_gain", "rows", "verdict", "outcome")
        columns = step_columns(self.steps, keys)
        padded = []
        for column in columns:
            cells = [shorten(cell, _TEXT_WIDTH) for cell in column.cells]
            width = max(map(len, cells))
            padded.append(
                [f"{c:{'>' if column.numeric else '<'}{width}}" for c in cells]
            )
        lines += [f"  {'  '.join(row)}".rstrip() for row in zip(*padded, strict=True)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        lead, *more = self.answer
        parts = [paragraph(lead, strong=True), *map(paragraph, more)]
        if any(step.public_score is not None for step in self.steps):
            parts.append(painted(self))
        if self.steps:
            parts.append(_html_table(self))
        told = [
            " ".join([tally(self), *luck(self)]),
            f"Evidence: {self.evidence}.",
            *jumps(self),
            *expectation(self),
            *alone(self),
            *(self.retrospective.sentences if self.retrospective else selection(self)),
            *learning(self),
        ]
        parts.append(details("More: what it rests on", listing(told)))
        if self.steps:
            why = [
                f"#{number} {step.verdict}: {step.sentence}"
                for number, step in enumerate(self.steps, start=1)
            ]
            parts.append(details("Why: the sentence behind each verdict", listing(why)))
        return fragment(*parts)


def _html_table(analysis: Analysis) -> str:
    columns = step_columns(analysis.steps, _NOTEBOOK)
    shown = []
    for column in columns:
        cells = column.cells
        if column.key == "name":
            cells = tuple(shorten(cell, _NAME_WIDTH) for cell in cells)
        if column.key == "verdict":
            cells = tuple(
                f"{VERDICT_SIGNS[step.verdict]} {cell}"
                for step, cell in zip(analysis.steps, cells, strict=True)
            )
        shown.append(cells)
    return table(
        tuple(column.heading for column in columns),
        tuple(zip(*shown, strict=True)),
        numeric=[place for place, column in enumerate(columns) if column.numeric],
        tints=[VERDICT_TINTS[step.verdict] for step in analysis.steps],
        tinted=[column.key for column in columns].index("verdict"),
    )


def _luck(analysis: Analysis) -> dict[str, Any] | None:
    """Return how much of the climb was luck. Climbs are oriented: more is better."""
    luck = analysis.luck
    if not luck:
        return None
    return {
        "new_bests": [_id(analysis.history, index) for index in luck.positions],
        "p_real": [_number(value) for value in luck.p_real],
        **_numbers(
            luck,
            "expected_luck share public_climb true_climb true_climb_se climb_share",
        ),
        "after_end": luck.after_end,
    }


def _climb(analysis: Analysis) -> dict[str, Any] | None:
    """Return the few steps that made the climb. Gains are oriented: more is better."""
    climb = analysis.climb
    if not climb:
        return None
    gain = dict(zip(climb.way.tolist(), climb.gain.tolist(), strict=True))
    names = {index: _id(analysis.history, index) for index in gain}
    return {
        "way": list(names.values()),
        "jumps": [
            {"submission_id": names[index], "gain": _number(gain[index])}
            for index in climb.jumps.tolist()
        ],
        **_numbers(climb, "climb climb_se share"),
    }


def _outlook(analysis: Analysis) -> dict[str, Any] | None:
    """Return the private score to expect of every submission."""
    outlook = analysis.outlook
    if not outlook:
        return None
    return {
        "private": [
            {
                "submission_id": _id(analysis.history, index),
                **_band(outlook, index),
                "to_best": _difference(outlook.to_best, index),
                "to_selected": _difference(outlook.to_selected, index),
            }
            for index, mean in enumerate(outlook.mean)
            if math.isfinite(mean)
        ],
        "best_public": _id(analysis.history, outlook.best_public),
        "best_expected": _id(analysis.history, outlook.to_best.against),
        **_numbers(outlook, "deflation deflation_se"),
        "sizes_known": outlook.sizes_known,
        "nested": outlook.nested,
        "shift_sd": outlook.shift_sd,
    }


def _band(bands: Outlook | DifferenceBandsResult, index: int) -> dict[str, Any]:
    """Return what is expected of one submission, and both ends of its bands."""
    ends = {key: getattr(bands, name)[index] for key, name in _ENDS.items()}
    told = {"expected": bands.mean[index], **ends}
    return {key: _number(value) for key, value in told.items()}


def _difference(
    bands: DifferenceBandsResult | None, index: int
) -> dict[str, Any] | None:
    """Return how far one private score will lie from another. More is better."""
    if bands is None:
        return None
    return {**_band(bands, index), "p_above": _number(bands.p_above[index])}


def _picks(analysis: Analysis) -> dict[str, Any] | None:
    """Return the recommended pair, the next best, and those of the usual rules."""
    picks = analysis.picks
    if not picks:
        return None
    history = analysis.history
    runner_up = picks.runner_up
    return {
        "basis": picks.basis,
        "best": _pair(history, picks.best),
        "runner_up": None if runner_up is None else _pair(history, runner_up),
        "rules": [_pair(history, pair) for pair in picks.rules],
    }


def _retrospective(analysis: Analysis) -> dict[str, Any] | None:
    """Return what the private scores say in the end. Parts of a gap are oriented."""
    found = analysis.retrospective
    if not found:
        return None
    history = analysis.history
    return {
        "n_obs": found.n_obs,
        "best_public": _split(history, found.best_public),
        "selected": _split(history, found.selected),
        "coverage": None if found.coverage is None else found.coverage.to_dict(),
        "rules": [
            {
                "rule": item.rule,
                "submissions": [_id(history, index) for index in item.positions],
                "private_score": _number(item.score),
                **_numbers(item, "regret regret_se"),
            }
            for item in found.rules
        ],
        "public_private": found.public_private.to_dict(),
        "cv_private": found.cv_private.to_dict(),
        "guides": None if found.guides is None else found.guides.to_dict(),
        "outcomes": {
            item.submission_id: told
            for item, told in zip(history, found.outcomes, strict=True)
            if told
        },
        "sizes_known": found.sizes_known,
        "lessons": list(found.lessons),
        "advice": list(found.advice),
    }


def _split(history: History, split: GapSplitResult | None) -> dict[str, Any] | None:
    if split is None:
        return None
    parts = split.to_dict()
    return {"submission_id": _id(history, parts.pop("position")), **parts}


def _pair(history: History, pair: PairResult) -> dict[str, Any]:
    return {
        "rule": pair.rule,
        "first": _id(history, pair.first),
        "second": _id(history, pair.second),
        **_numbers(pair, "expected_score regret cost p_first_better p_holds_best"),
    }


def _id(history: History, index: int) -> str | None:
    return history[int(index)].submission_id if index >= 0 else None


def _numbers(result: Result, names: str) -> dict[str, float | None]:
    return {name: _number(getattr(result, name)) for name in names.split()}


def _number(value: float) -> float | None:
    return float(f"{value:.10g}") if math.isfinite(value) else None
