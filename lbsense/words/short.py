"""The answer in four sentences, and the one sentence that comes first of all.

What the climb was worth, whether the last step was real, which two to select, and what
would help most. After the end the last two say what the selection scored and what to do
next time. Terminal, page and notebook show the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lbsense._format import format_probability, plural, shorten
from lbsense.facts import DEFAULT_RULE, SELECTED, Facts, Step
from lbsense.words.lessons import next_time
from lbsense.words.needs import Reader, asked_in_order, briefly, listed
from lbsense.words.numbers import TO_95, Board

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
        climb=_climb(facts),
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


def _climb(facts: Facts) -> str:
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
    if found and math.isfinite(found.true_climb):
        return f"{told}; {_real(board, climb, found.true_climb, found.true_climb_se)}."
    ends = facts.steps[first].private_score, facts.steps[best].private_score
    if ends[0] is not None and ends[1] is not None:
        both = board.moved(board.sign * (ends[1] - ends[0]))
        return f"{told}, private {both.removeprefix(board.rose).strip()}."
    why = "public scores alone do not tell how much of it is real"
    if any(step.cv_score is not None for step in facts.steps):
        why = "too little is known to tell how much of it is real"
    return f"{told}; {why}."


def _real(board: Board, climb: float, true: float, se: float) -> str:
    """Return how much of a climb is estimated to be real."""
    if true - TO_95 * se < 0 and true + TO_95 * se > climb and se > climb / 4:
        return "anything from none to all of it may be real"
    share = board.amount(true, like=climb)
    if true <= 0 or not float(share.replace(",", "")):
        return "next to none of it is real"
    if true >= climb:
        return "all of it is real"
    if share == board.amount(climb):
        return "nearly all of it is real"
    return f"about {share} of it is real"


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
    return f"Select {names}: {which}, no more is known."


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
    told = f"{first[:1].upper()}{first[1:]} would help most"
    return f"{told}; then {'; then '.join(rest)}." if rest else f"{told}."
