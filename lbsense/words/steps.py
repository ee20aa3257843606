"""One submission in words: its verdict, the columns of steps, and its card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lbsense._codes import VERDICTS
from lbsense._format import (
    clean_text,
    decimals_shown,
    format_fixed,
    format_number,
    format_probability,
    format_rows,
    format_time,
    gain_decimals,
    plural,
    shorten,
)
from lbsense.facts import Claims, Facts, NoiseScale, Step
from lbsense.model import Card, CardCheck, Experiment, InputFile, stated_content
from lbsense.words.parts import TO_95, Board


def step_sentence(
    step: Step,
    reference: str,
    noise: NoiseScale,
    claims: Claims,
    *,
    directed: bool,
    contradicted: bool,
    board: Board,
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
    board : Board
        How its scores are said.
    """
    match step.verdict:
        case "baseline":
            return "Nothing came before it that it could be compared with."
        case "progress":
            return _progress(step, board)
        case "setback":
            return _setback(step, board)
        case "chasing":
            return _chasing(step, board)
        case "guess":
            return _guess(step, noise, claims, board)
        case "repeat":
            return _repeat(step, reference, board)
        case "probe":
            return _probe(step)
        case "unscored":
            return _unscored(step)
        case "unknown":
            if contradicted:
                return _contradicted(step, board)
            return _unknown(step, noise, claims, board, directed=directed)


def _probe(step: Step) -> str:
    found = stated_content(step.description, step.file_name)
    words = "" if found is None else f" ({shorten(found.words, 60)!r})"
    if found is not None and found.kind == "one value":
        said = f"By its own name{words} it holds one value for all rows"
    else:
        said = f"By its own name{words} it is a probe of the leaderboard"
    return f"{said}: a measurement and no model, left out of the list of gains."


def _progress(step: Step, board: Board) -> str:
    claim = "Likely a real gain"
    if step.strength == "clear":
        claim = "A real gain is the only good explanation"
    return (
        f"{claim}: {_observed(step, board)}; estimated true gain "
        f"{_estimate(step, board)}, P(gain) {format_probability(step.p_gain)}."
    )


def _setback(step: Step, board: Board) -> str:
    claim = "A real loss" if step.strength == "clear" else "Likely a real loss"
    told = (
        f"{claim}: {_observed(step, board)}; estimated true change "
        f"{_estimate(step, board)}, P(loss) {format_probability(step.p_loss)}."
    )
    if step.aside:
        told += " Nothing was built on it: a branch, and no setback of the history."
    return told


def _chasing(step: Step, board: Board) -> str:
    return (
        f"The public score got better, but CV, which has followed it so far, says that "
        f"it should not have: {_observed(step, board)}; estimated true gain "
        f"{_estimate(step, board)}."
    )


def _guess(step: Step, noise: NoiseScale, claims: Claims, board: Board) -> str:
    if step.p_gain is not None and claims == "both":
        size = ""
        if step.public_gain_se is not None:
            chance = board.amount(TO_95 * step.public_gain_se)
            size = f" Public differences under about {chance} can be chance."
        return (
            f"It can be chance: {_observed(step, board)}; P(gain) "
            f"{format_probability(step.p_gain)}.{size}"
        )
    if step.public_gain == 0:
        return "Nothing changed: the public score is the same."
    if np.nan_to_num(noise.rerun_se) >= np.nan_to_num(noise.step_se_low):
        cause, size_se = "running one submission again moves it", noise.rerun_se
    else:
        cause = "chance moves even two nearly identical submissions"
        size_se = noise.step_se_low
    return (
        f"It can be chance: {_observed(step, board)}, and {cause} by about "
        f"{board.amount(size_se)}."
    )


def _repeat(step: Step, reference: str, board: Board) -> str:
    if step.public_gain is None:
        which = reference or "an earlier one"
        return (
            f"The same content as {which}, which has no score: there is nothing to "
            "compare it with."
        )
    if step.public_gain == 0:
        return f"The same content as {reference}, and the same score: nothing new."
    return (
        f"The same content as {reference} scored again: the difference of "
        f"{board.amount(step.public_gain)} is pure noise, a free measurement of it."
    )


def _unscored(step: Step) -> str:
    state = {
        "pending": "It is still being scored",
        "unknown": "No public score is given",
        "error": "The platform could not score it",
        "complete": "It is complete, but shows no public score",
    }[step.status]
    return f"{state}: nothing can be learned from it."


def _unknown(
    step: Step, noise: NoiseScale, claims: Claims, board: Board, *, directed: bool
) -> str:
    if not directed:
        return "Not knowable: which way the score is better was not given."
    if step.reference_id is None:
        return "The first scored submission: there is nothing to compare it with."
    observed = _observed(step, board)
    if step.p_gain is None:
        return (
            f"Not knowable: {observed}, and nothing tells how much can be chance here."
            f"{_rows_needed(step)}"
        )
    if claims == "both":
        leaning = "a gain" if step.p_gain > (step.p_loss or 0) else "a loss"
        chance = max(step.p_gain, step.p_loss or 0.0)
        return (
            f"Leans to {leaning} ({format_probability(chance)}), but not clearly "
            f"enough in a list of this length to be called one: {observed}."
        )
    alone = "" if step.cv_gain is not None else " from public scores alone"
    least, most = board.amount(noise.step_se_low), board.amount(noise.step_se_high)
    return (
        f"Not knowable{alone}: {observed}, and chance moves a step by {least} to "
        f"{most}, depending on how alike the two submissions are.{_rows_needed(step)}"
    )


def _rows_needed(step: Step) -> str:
    if step.rows_needed is None:
        return ""
    return (
        f" It would be more than chance from about {format_rows(step.rows_needed)} "
        f"public rows on ({format_rows(step.rows_needed_low)} to "
        f"{format_rows(step.rows_needed_high)}, as alike as the two are)."
    )


def _contradicted(step: Step, board: Board) -> str:
    return (
        f"Not knowable: {_observed(step, board)}. That is further apart than chance "
        "can make them, so one of the two measures something else. Was the CV scheme "
        "or metric changed, or is this submission, or the one it is compared with, "
        "broken?"
    )


def _observed(step: Step, board: Board) -> str:
    parts = []
    if step.public_gain is not None:
        parts.append(f"public {board.moved(step.public_gain)}")
    if step.cv_gain is not None:
        parts.append(f"CV {board.cv_moved(step)}")
    return " and ".join(parts)


def _estimate(step: Step, board: Board) -> str:
    ends = f"{board.gain(step.gain_low)} to {board.gain(step.gain_high)}"
    return f"{board.gain(step.gain)} ({ends})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepColumn:
    """One column of a table of steps.

    Attributes
    ----------
    key : str
        What it holds.
    heading : str
        Its heading.
    cells : tuple of str
        As shown, "-" where nothing is known.
    order : tuple of float or None
        What the rows are sorted by; None sorts by the text.
    numeric : bool
        Whether its cells stand at the right.
    """

    key: str
    heading: str
    cells: tuple[str, ...]
    order: tuple[float | None, ...]
    numeric: bool = True

    @property
    def says_nothing(self) -> bool:
        """Whether no row has anything to show."""
        return all(cell == "-" for cell in self.cells)


def verdict_label(step: Step) -> str:
    """Return the verdict as a table shows it, with what sets it apart from a clear one.

    Examples of it are "progress", "likely progress" and "setback, aside".
    """
    strength = "likely " if step.strength == "likely" else ""
    return f"{strength}{step.verdict}{', aside' if step.aside else ''}"


def step_columns(steps: Sequence[Step], keys: Iterable[str]) -> list[StepColumn]:
    """Return the columns that are asked for, without those that say nothing.

    Parameters
    ----------
    steps : sequence of Step
        In time order.
    keys : iterable of str
        "number", "date", "time", "when", "name", "verdict", "cv", "public", "private",
        "against", "step", "gain", "interval", "estimate", "p_gain", "rows",
        "hindsight", "later", "p_later" and "outcome".
    """
    table = _Table(steps)
    columns = []
    for key in keys:
        heading, numeric, values = _COLUMNS[key]
        pairs = values(table)
        columns.append(
            StepColumn(
                key=key,
                heading=heading,
                cells=tuple(text for text, _ in pairs),
                order=tuple(order for _, order in pairs),
                numeric=numeric,
            )
        )
    return [column for column in columns if not column.says_nothing]


_Cells = list[tuple[str, float | None]]
_Ends = tuple[float | None, float | None]


class _Table:
    """Steps, and the decimals that their scores and gains are shown with."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = steps
        before = [(step.gain_low, step.gain_high) for step in steps]
        after = [(step.hindsight_low, step.hindsight_high) for step in steps]
        known = any(low is not None for low, _ in before)
        self.gain_decimals = gain_decimals(
            high - low
            for low, high in (before if known else after)
            if low is not None and high is not None
        )

    def number(self) -> _Cells:
        return [(str(row), row) for row in range(1, len(self.steps) + 1)]

    def when(self) -> _Cells:
        times = [step.submitted_at for step in self.steps]
        return [(format_time(t), t.timestamp() if t else None) for t in times]

    def date(self) -> _Cells:
        """Return days; the year is left out where there is only one."""
        whole = self.when()
        years = {text[:4] for text, _ in whole if text != "-"}
        start = 5 if len(years) == 1 else 0
        return [(text if text == "-" else text[start:10], at) for text, at in whole]

    def time(self) -> _Cells:
        return [(t if t == "-" else t[11:], None) for t, _ in self.when()]

    def name(self) -> _Cells:
        return [(clean_text(s.name) or s.submission_id, None) for s in self.steps]

    def verdict(self) -> _Cells:
        return [(verdict_label(step), None) for step in self.steps]

    def cv(self) -> _Cells:
        return self._scores([step.cv_score for step in self.steps])

    def public(self) -> _Cells:
        return self._scores([step.public_score for step in self.steps])

    def private(self) -> _Cells:
        return self._scores([step.private_score for step in self.steps])

    def against(self) -> _Cells:
        place = {step.submission_id: row + 1 for row, step in enumerate(self.steps)}
        found = (place.get(step.reference_id or "") for step in self.steps)
        return [("-", None) if row is None else (f"#{row}", row) for row in found]

    def step(self) -> _Cells:
        scores = [step.public_score for step in self.steps]
        decimals = decimals_shown(score for score in scores if score is not None)
        gains = [step.public_gain for step in self.steps]
        return [(format_fixed(g, decimals=decimals, sign=True), g) for g in gains]

    def gain(self) -> _Cells:
        return [(self._gain(step.gain), step.gain) for step in self.steps]

    def interval(self) -> _Cells:
        intervals = self._intervals([(s.gain_low, s.gain_high) for s in self.steps])
        return [(" ".join(ends) or "-", None) for ends in intervals]

    def estimate(self) -> _Cells:
        """Return gains with their intervals behind them."""
        ends = [(step.gain_low, step.gain_high) for step in self.steps]
        return self._with_intervals(self.gain(), ends)

    def later(self) -> _Cells:
        gains = [step.hindsight_gain for step in self.steps]
        return [(self._gain(gain), gain) for gain in gains]

    def hindsight(self) -> _Cells:
        """Return gains with their intervals, private scores taken into account."""
        ends = [(step.hindsight_low, step.hindsight_high) for step in self.steps]
        return self._with_intervals(self.later(), ends)

    def _with_intervals(self, gains: _Cells, ends: Sequence[_Ends]) -> _Cells:
        return [
            (f"{gain} ({' to '.join(texts)})" if texts else gain, order)
            for (gain, order), texts in zip(gains, self._intervals(ends), strict=True)
        ]

    def _intervals(self, ends: Sequence[_Ends]) -> list[tuple[str, ...]]:
        return [
            () if low is None or high is None else (self._gain(low), self._gain(high))
            for low, high in ends
        ]

    def p_gain(self) -> _Cells:
        return [(format_probability(s.p_gain), s.p_gain) for s in self.steps]

    def p_later(self) -> _Cells:
        chances = [step.hindsight_p_gain for step in self.steps]
        return [(format_probability(chance), chance) for chance in chances]

    def rows(self) -> _Cells:
        return [(format_rows(s.rows_needed), s.rows_needed) for s in self.steps]

    def outcome(self) -> _Cells:
        return [(step.outcome or "-", None) for step in self.steps]

    def _scores(self, scores: Sequence[float | None]) -> _Cells:
        decimals = decimals_shown(score for score in scores if score is not None)
        return [(format_fixed(score, decimals=decimals), score) for score in scores]

    def _gain(self, value: float | None) -> str:
        return format_fixed(value, decimals=self.gain_decimals, sign=True)


_COLUMNS: Mapping[str, tuple[str, bool, Callable[[_Table], _Cells]]] = {
    "number": ("#", True, _Table.number),
    "date": ("Date", True, _Table.date),
    "time": ("UTC", True, _Table.time),
    "when": ("Date (UTC)", False, _Table.when),
    "name": ("Submission", False, _Table.name),
    "verdict": ("Verdict", False, _Table.verdict),
    "cv": ("CV", True, _Table.cv),
    "public": ("Public", True, _Table.public),
    "private": ("Private", True, _Table.private),
    "against": ("Against", True, _Table.against),
    "step": ("Step", True, _Table.step),
    "gain": ("Gain", True, _Table.gain),
    "interval": ("95% interval", True, _Table.interval),
    "estimate": ("Estimated gain (95%)", True, _Table.estimate),
    "p_gain": ("P(gain)", True, _Table.p_gain),
    "rows": ("Public rows to see it", True, _Table.rows),
    "later": ("In hindsight", True, _Table.later),
    "hindsight": ("In hindsight (95%)", True, _Table.hindsight),
    "p_later": ("P(gain) then", True, _Table.p_later),
    "outcome": ("In the end", False, _Table.outcome),
}


def step_told(facts: Facts, index: int) -> list[tuple[str, str]]:
    """Return everything that is known of one step: a heading and a text each."""
    step, board = facts.steps[index], Board(facts.history)
    label = f"{'likely ' if step.strength == 'likely' else ''}{step.verdict}"
    meaning = VERDICTS[step.verdict]
    told = [("Verdict", f"{label}. {meaning.meaning}"), ("Why", step.sentence)]
    places = {item.submission_id: i for i, item in enumerate(facts.steps)}
    apart = ""
    if step.reference_id in places:
        at = places[step.reference_id]
        other = facts.steps[at]
        if other.cv_score is not None:
            apart = f"; no difference to that of #{at + 1} is taken"
        scores = f"public {board.score(other.public_score)}"
        if other.cv_score is not None:
            scores += f", CV {board.score(other.cv_score)}"
        told.append(("Against", f"#{at + 1} {other.short_name} ({scores})."))
    for heading, score, gain in (
        ("Public", step.public_score, step.public_gain),
        ("CV", step.cv_score, step.cv_gain),
    ):
        if score is not None:
            moved = apart if heading == "CV" else ""
            if gain is not None:
                moved = board.cv_moved(step) if heading == "CV" else board.moved(gain)
                moved = f"; {moved}"
            told.append((heading, f"{board.score(score)}{moved}."))
    others = [
        f"{clean_text(shorten(name, 40))} {board.score(score)}"
        for name, score in facts.history[index].cv_others
    ]
    if others:
        told.append(("Other CV", f"{', '.join(others)}."))
    if step.gain is not None:
        told.append(("True gain", f"{_estimate(step, board)}; more is better."))
        told.append(
            (
                "Chances",
                f"a gain {format_probability(step.p_gain)}, no change worth naming "
                f"{format_probability(step.p_null)}, a loss "
                f"{format_probability(step.p_loss)}.",
            )
        )
    outlook = facts.outlook
    if step.private_score is not None:
        outcome = f" ({step.outcome})" if step.outcome else ""
        told.append(("Private", f"{board.score(step.private_score)}{outcome}."))
    elif outlook and np.isfinite(outlook.mean[index]):
        band = board.band(
            float(outlook.ci95_low[index]), float(outlook.ci95_high[index])
        )
        told.append(("Private", f"expect {band} (95%)."))
    told.append(("Do", meaning.remedy))
    return told


_LACKS = {
    "commit": "The version of the code is not known: run it in a repository of git.",
    "clean": "The code differed from the commit: commit it, and run it again.",
    "repository": "Where the code can be had is not known.",
    "command": "How it was run is not known: log it with its command.",
    "seeds": "No seed is known: set one, and log it.",
    "packages": "The versions of the packages are not known.",
    "data": "Which data it read is not known: log the files, for their digests.",
    "predictions": "The digest of what was submitted is not known: log the file.",
    "cv": "It has no CV score.",
    "reruns": "How far another run would land from this one is not known: run it once "
    "more with another seed, under the same name.",
    "public": "Its public score is not known.",
    "seconds": "How long it runs is not known.",
    "author": "Who made it is not stated.",
    "license": "Under which license it may be used is not stated.",
}


def card_lacks(card: Card) -> list[str]:
    """Return what is missing for another person, a sentence each."""
    return [_LACKS[name] for name in card.lacks]


def card_entries(card: Card) -> dict[str, list[str]]:
    """Return what is known, by the question that it answers."""
    entry, place = card.experiment, card.experiment.environment
    commit = f"Commit {place.commit}"
    if place.dirty is not None:
        commit += ", with changes" if place.dirty else ", without changes"
    machine = [
        f"{name}: {text}"
        for name, text in (
            ("System", place.system),
            ("CPU", f"{place.cpu}, {plural(place.n_cpus or 1, 'processor')}"),
            ("GPU", place.gpu or "none"),
        )
        if place.python is not None and text
    ]
    found = {
        "code": [commit if place.commit else "", place.repository or ""],
        "environment": [
            f"Python {place.python}" if place.python else "",
            f"{plural(len(place.packages), 'package')}, versions below"
            if place.packages
            else "",
        ],
        "hardware": machine,
        "command": [entry.command or ""],
        "seeds": [", ".join(map(str, entry.seeds))],
        "data": [_file(item) for item in entry.data],
        "result": [_file(item) for item in entry.predictions],
        "time": [_time(entry)],
        "validation": [_validation(entry)],
        "score": _scores(card),
        "reason": [
            entry.hypothesis or "",
            f"Made from {entry.parent}." * bool(entry.parent),
        ],
    }
    return {name: [text for text in told if text] for name, told in found.items()}


def _file(item: InputFile) -> str:
    return f"{item.name}, {item.n_bytes:,} bytes, SHA-256 {item.sha256}"


def _time(entry: Experiment) -> str:
    if entry.seconds is None:
        return ""
    return f"{entry.seconds:,.0f} s from {format_time(entry.started_at)} UTC"


def _validation(entry: Experiment) -> str:
    if entry.cv_score is None:
        return ""
    named = f" ({entry.cv_metric})" if entry.cv_metric else ""
    folds = ", ".join(map(format_number, entry.cv_fold_scores))
    told = f"CV {format_number(entry.cv_score)}{named}"
    return f"{told}; folds {folds}" if folds else told


def _scores(card: Card) -> list[str]:
    """Return the score to expect, and how far another run may land from it."""
    entry, told = card.experiment, []
    if entry.public_score is not None:
        told.append(f"Public score {format_number(entry.public_score, digits=7)}.")
    if entry.private_score is not None:
        told.append(f"Private score {format_number(entry.private_score, digits=7)}.")
    elif card.private_mean is not None:
        told.append(
            f"Private score to expect {format_number(card.private_mean)}, between "
            f"{format_number(card.private_low)} and "
            f"{format_number(card.private_high)} with 95%."
        )
    if card.next_low is not None:
        told.append(
            f"CV of {plural(len(card.reruns), 'run')} of the same code: "
            f"{', '.join(map(format_number, card.reruns))}; that of one more lies "
            f"between {format_number(card.next_low)} and "
            f"{format_number(card.next_high)} with 95%."
        )
    if card.public_se is not None:
        told.append(
            "Public scores of two runs differ with a standard error of "
            f"{format_number(card.public_se, digits=2)}, as repeats in the history "
            "show."
        )
    return told


def card_checked(checks: Sequence[CardCheck]) -> str:
    """Return what came of looking at this machine."""
    tally = Counter(item.status for item in checks)
    if not checks:
        return "Nothing is recorded that could be verified here."
    if tally["same"] == len(checks):
        return f"All {plural(len(checks), 'thing')} recorded are the same here."
    return (
        f"Of {plural(len(checks), 'thing')} recorded {tally['same']} are the same "
        f"here, "
        f"{tally['differs']} differ, {tally['absent']} are not here."
    )
