"""The answer in four sentences, and the one sentence that comes first of all.

What the climb was worth, whether the last step was real, which two to select, and what
would help most. After the end the last two say what the selection scored and what to do
next time. Terminal, page and notebook show the same; so they do of the gate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lbsense._format import (
    format_gain,
    format_number,
    format_probability,
    plural,
    shorten,
)
from lbsense._result import Missing
from lbsense.facts import DEFAULT_RULE, SELECTED, Facts, GateResult, Step
from lbsense.stats import SettleResult, SettleWay
from lbsense.words.lessons import next_time
from lbsense.words.parts import (
    TO_95,
    Board,
    Reader,
    asked_in_order,
    briefly,
    listed,
    tell,
)

_WIDTHS = (32, 24, 16, 12, 8, 0)
_WIDE = _WIDTHS[0]
_PAIR = 2
_FEWEST_STEPS = 5  # with CV, from which on their noise is learned
_FATES = {
    "confirmed": "private agrees",
    "weakened": "private leaves it open",
    "contradicted": "private disagrees",
}
_NO_STEPS = ("baseline", "repeat", "probe", "unscored")
_SIZES = ("metric", "test_size", "public_fraction")


class Answer(NamedTuple):
    """The answer to the four questions of a competitor, a sentence or two each.

    Attributes
    ----------
    climb : str
        What the climb of the public score was worth.
    last : str
        Whether the last step was real.
    select : str
        Which two to select; after the end, what was selected and what it scored.
    help : str
        What would help most; after the end, what to do next time.
    """

    climb: str
    last: str
    select: str
    help: str


def answer(facts: Facts, reader: Reader = "python", width: int | None = None) -> Answer:
    """Return the answer in four sentences.

    Parameters
    ----------
    facts : Facts
        What was found out.
    reader : {"python", "terminal", "page"}
        Who reads: what to give is named as they give it.
    width : int or None
        Columns that each sentence should fit in: names are cut further for that.
    """

    def fit(say: Callable[[int], str]) -> str:
        if width is None:
            return say(_WIDE)
        tries = [say(size) for size in _WIDTHS]
        return next((text for text in tries if len(text) <= width), tries[-1])

    return Answer(
        climb=_climb(facts, width),
        last=fit(lambda size: _last(facts, size)),
        select=fit(lambda size: _select(facts, size)),
        help=_help(facts, reader, width),
    )


def headline(facts: Facts) -> str:
    """Return the one sentence with the numbers that matter most."""
    if facts.retrospective:
        return f"{_climb(facts)} {_after(facts, _WIDE)}"
    outlook = facts.outlook
    if not outlook:
        return _climb(facts)
    best = outlook.to_best.against
    board = Board(facts.history)
    band = board.band(float(outlook.ci95_low[best]), float(outlook.ci95_high[best]))
    return f"{_climb(facts)} Expect {band} in private from your best (95%)."


def named(facts: Facts, index: int, width: int) -> str:
    """Return the number of a submission and as much of its name as there is room."""
    if not width:
        return f"#{index + 1}"
    return f"#{index + 1} {shorten(facts.steps[index].name, width)}"


def _climb(facts: Facts, width: int | None = None) -> str:
    """Return what the climb from the first submission to the best was worth."""
    if not facts.history.submissions:
        return "The history is empty."
    scored = [i for i, step in enumerate(facts.steps) if step.public_score is not None]
    if not scored:
        return f"None of {plural(len(facts.steps), 'submission')} has a public score."
    if len(scored) == 1:
        return "One public score: there is no climb to judge yet."
    if not facts.directed:
        return "Nobody said which way the score is better: no climb can be judged."
    board = Board(facts.history)
    public = board.sign * np.array([facts.steps[i].public_score for i in scored])
    first, best = scored[0], scored[int(np.argmax(public))]
    climb = float(public.max() - public[0])
    if not climb > 0:
        return f"The first one, {named(facts, first, 24)}, has the best public score."
    told = f"Public {board.rose} by {board.amount(climb)}"
    found = facts.luck
    known = found if found and math.isfinite(found.true_climb) else None
    real = known and _real(board, climb, known.true_climb, known.true_climb_se, width)
    if real and not real.startswith(_OPEN):
        return f"{told}; {real}."
    ends = facts.steps[first].private_score, facts.steps[best].private_score
    if ends[0] is not None and ends[1] is not None:
        both = board.moved(board.sign * (ends[1] - ends[0]))
        return f"{told}, private {both.removeprefix(board.rose).strip()}."
    if real:
        return f"{told}; {real}."
    why = "public scores alone do not tell how much of it is real"
    if any(step.cv_score is not None for step in facts.steps):
        why = "too little is known to tell how much of it is real"
    return f"{told}; {why}."


_OPEN = "anything from "
_ROOM_FOR_BAND = 80  # columns that the sentence with its band needs


def _real(board: Board, climb: float, true: float, se: float, width: int | None) -> str:
    """Return how much of a climb is estimated to be real, and how sure that is."""
    ends = (true - TO_95 * se, true, true + TO_95 * se, climb)
    least, share, most, whole = (
        board.amount(min(max(end, 0.0), climb), like=climb) for end in ends
    )
    none = board.amount(0.0, like=climb)
    lowest = "none" if least == none else least
    if most == whole and ends[0] < climb / 2:
        return f"{_OPEN}{lowest} to all of it may be real"
    if share == none:
        told, band = "next to none", "" if most == none else f"at most {most}"
    elif share == whole:
        told = "all" if true >= climb else "nearly all"
        band = "" if least == whole else f"at least {least}"
    else:
        told, band = f"about {share}", f"{lowest} to {most}"
    if not band or (width is not None and width < _ROOM_FOR_BAND):
        return f"{told} of it is real"
    return f"{told} of it is real (95%: {band})"


def _last(facts: Facts, width: int) -> str:
    """Return whether the latest step that can be judged was real."""
    judged = [
        i
        for i, step in enumerate(facts.steps)
        if step.public_gain is not None and step.verdict not in _NO_STEPS
    ]
    if not judged or not facts.directed:
        return "There is no step to judge yet."
    index = judged[-1]
    step, board = facts.steps[index], Board(facts.history)
    name = f"The last step, {named(facts, index, width)},"
    moved = board.moved(step.public_gain or 0.0)
    match step.outcome:
        case "gain after all" | "loss after all":
            told = f"{moved}; private calls it a {step.outcome.split()[0]}"
        case "confirmed" | "weakened" | "contradicted":
            told = f"{_verdict(step, board)}; {_FATES[step.outcome]}"
        case _:
            told = _verdict(step, board)
    return f"{name} {told}."


def _verdict(step: Step, board: Board) -> str:
    moved = board.moved(step.public_gain or 0.0)
    likely = "probably " if step.strength == "likely" else ""
    match step.verdict:
        case "progress":
            return f"was {likely}a real gain of about {board.amount(step.gain)}"
        case "setback":
            loss = None if step.gain is None else -step.gain
            return f"was {likely}a real loss of about {board.amount(loss)}"
        case "chasing":
            return f"{moved} in public, but CV says it should not have"
        case "guess":
            return f"{moved}: that can be chance"
        case _:
            return f"{moved}: real or chance cannot be told"


def _select(facts: Facts, width: int) -> str:
    """Return which two to select; after the end, what the selection scored."""
    if facts.retrospective:
        return _after(facts, width)
    picks = facts.picks
    if not picks:
        return "There is nothing to select from: no submission has a score."
    chosen = to_select(facts)
    names = listed([named(facts, index, width) for index in chosen])
    if picks.n_obs == 1:
        return f"Select {names}: it is the only one with a score."
    if picks.n_obs == len(chosen) and picks.basis != "latest":
        return f"Select {names}: no other has a score."
    if picks.basis == "levels":
        if len(chosen) != len(picks.best.positions):
            return f"Select {names}: expected to score best."
        chance = format_probability(picks.best.p_holds_best)
        return f"Select {names} ({chance} to hold the best)."
    which = {
        "public and cv": "best public and best CV",
        "public": "best public",
        "cv": "best CV",
        "latest": "your latest",
    }[picks.basis]
    apart = math.isfinite(picks.contradiction)
    why = "as they disagree" if apart else "no more is known"
    return f"Select {names}: {which}, {why}."


def to_select(facts: Facts) -> list[int]:
    """Return the positions to select, as many as may be."""
    picks = facts.picks
    if not picks:
        return []
    limit = facts.history.competition.n_selections
    return list(picks.chosen or picks.best.positions[:limit])


def _after(facts: Facts, width: int) -> str:
    """Return what was selected and what would have been the best."""
    found, board = facts.retrospective, Board(facts.history)
    assert found
    known = [i for i, step in enumerate(facts.steps) if step.private_score is not None]
    private = np.array([facts.steps[i].private_score for i in known], dtype=float)
    if not facts.directed or not known:
        return f"{plural(len(known), 'submission')} with a private score."
    best = known[int(np.argmax(board.sign * private))]
    score = board.score(facts.steps[best].private_score)
    chosen, who = found.outcome_of(SELECTED), "Your pick"
    if chosen is None:
        chosen, who = found.outcome_of(DEFAULT_RULE), "Your two best public"
        if chosen is None or len(chosen.positions) < _PAIR:
            name = named(facts, best, width)
            return f"The best of yours in private is {name}: {score}."
    told = f"{who} scored {board.score(chosen.score)} in private"
    if not chosen.regret > 0:
        return f"{told}, the best of yours."
    return f"{told}; the best of yours, {named(facts, best, width)}, {score}."


def _help(facts: Facts, reader: Reader, width: int | None) -> str:
    """Return what would help most; after the end, what to do next time."""
    told = next_time(facts)
    if told:
        return told[0]
    lead = "Next time: " if facts.retrospective else ""
    full = next_fact(facts, reader)
    full = (
        f"{lead}{full[0].lower() if lead and full[:2] != 'CV' else full[0]}{full[1:]}"
    )
    if width is None or len(full) <= width:
        return full
    first, *rest = briefly(lacking(facts))
    give = f"{lead}give {first}" if lead else f"Give {first}"
    if not rest:
        return f"{give}."
    forms = [f"{lead}{first} would help most; then {', '.join(rest)}."]
    for n in range(len(rest), 0, -1):
        more = f" and {len(rest) - n} more" if n < len(rest) else ""
        forms.append(f"{give}, then {', '.join(rest[:n])}{more}.")
    forms.append(f"{give} and {len(rest)} more.")
    return next((text for text in forms if len(text) <= width), forms[-1])


def lacking(facts: Facts) -> tuple[str, ...]:
    """Return the needs that are not met, the one that buys most first."""
    competition = facts.history.competition
    missing = []
    if not facts.directed:
        missing.append("direction")
    n_steps = sum(step.cv_gain is not None for step in facts.steps)
    n_cv = sum(step.cv_score is not None for step in facts.steps)
    if facts.caveat("cv") is not None:
        missing.append("cv_usable")
    elif n_cv < 2:
        missing.append("cv")
    elif n_steps < _FEWEST_STEPS and facts.directed:
        missing.append("cv_pairs")
    sizes = [name for name in _SIZES if getattr(competition, name) is None]
    missing += [name for name in sizes if name != "metric" or facts.directed]
    if n_cv and competition.train_size is None:
        missing.append("train_size")
    if not facts.joint:
        missing.append("oof")
    return tuple(missing)


def next_fact(facts: Facts, reader: Reader = "python") -> str:
    """Return everything that is missing at once, what helps most first."""
    missing = lacking(facts)
    if not missing:
        return "Nothing is missing: name the parent of every submission."
    first, *rest = asked_in_order(missing, reader)
    is_name = "_" in first.split()[0]  # of an argument
    told = f"{first[:1] if is_name else first[:1].upper()}{first[1:]} would help most"
    return f"{told}; then {'; then '.join(rest)}." if rest else f"{told}."


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
    score, scale = "CV" if result.measure == "cv" else "Score", ""
    if score == "CV" and not math.isclose(abs(facts.cv_scale), 1):
        scale = "on the scale of the public score, "
    yield (
        score,
        f"{format_number(result.cv_score)}, {format_gain(result.cv_gain)} over "
        f"{_who(facts, result.parent_id)} ({scale}more is better); noise of such a "
        f"difference {format_number(result.cv_gain_se, digits=2)}, "
        f"{_BASIS[result.noise_basis]}.",
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
    if result.experiments:
        names = ", ".join(shorten(name, _NAME_WIDTH) for name in result.experiments)
        yield "Ledger", f"this very file was written by {names}."
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
