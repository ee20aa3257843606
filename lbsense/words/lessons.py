"""What a person can learn from a competition, and from what was tried, in sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lbsense._format import plural
from lbsense.facts import (
    DEFAULT_RULE,
    OWN_PICKS,
    SELECTED,
    UNFORESEEN,
    Facts,
    Learning,
    Outlook,
    Retrospective,
)
from lbsense.model import ReasonedStep
from lbsense.words.parts import TO_95, Board, Reader, ask

if TYPE_CHECKING:
    from lbsense.stats import (
        CountResult,
        ExpectationResult,
        GapSplitResult,
        RuleOutcome,
    )

_SURE = 2.0  # standard errors from which luck in a public score is no guess
_MANY = 0.5  # share of steps
_CLAIMS: dict[str, tuple[str, str]] = {
    "progress": ("claimed gain", "claimed gains"),
    "setback": ("claimed setback", "claimed setbacks"),
    "chasing": ("step called chasing", "steps called chasing"),
}


def lessons(
    facts: Facts, reader: Reader = "python", *, tables: bool = False
) -> list[str]:
    """Return what happened, the most telling first; nothing before the end.

    With ``tables`` what stands in tables beside it is left out: the parts of the gap
    and what each rule would have scored.
    """
    found = facts.retrospective
    if not found:
        return []
    board = Board(facts.history)
    told = gap(facts, parts=not tables)
    if facts.outlook:
        told.extend(_foresight(found, facts.outlook, reader, board))
    told.extend(_selection(found, board, rules=not tables))
    told.extend(_verdicts(facts, found))
    told.extend(_guides(found))
    return told


def results(facts: Facts) -> list[str]:
    """Return what a host wants to know of the private scores; nothing before the end.

    That is how far they lie from the public ones, what was selected, and whether
    validation followed them: no advice, and no other choice than the one made.
    """
    found = facts.retrospective
    if not found:
        return []
    chosen = found.outcome_of(SELECTED) is not None
    return [
        *gap(facts, parts=False, whole=True),
        *(_selection(found, Board(facts.history), rules=False) if chosen else ()),
        *_guides(found),
    ]


def advice(facts: Facts) -> list[str]:
    """Return what to do next time; nothing before the end."""
    found = facts.retrospective
    return (
        [" ".join(filter(None, item)) for item in _advice(facts, found)]
        if found
        else []
    )


def next_time(facts: Facts) -> list[str]:
    """Return the advice alone, without what it rests on."""
    found = facts.retrospective
    return [told for told, _ in _advice(facts, found)] if found else []


def gap(facts: Facts, *, parts: bool = True, whole: bool = False) -> list[str]:
    """Return where the distance of the best public score from private came from.

    Its parts are not told where the model behind them does not fit.
    """
    found = facts.retrospective
    if not found or found.best_public is None:
        return []
    split = found.best_public
    item = facts.history[split.position]
    step, board = facts.steps[split.position], Board(facts.history)
    called = step.name if whole else step.short_name
    name = (
        f"The best public submission ({called}, public "
        f"{board.score(item.public_score)}, private {board.score(item.private_score)})"
    )
    if not split.gap:
        moved = "scored the same in private as in public"
    else:
        worse = "worse" if split.gap > 0 else "better"
        moved = f"scored {board.amount(split.gap)} {worse} in private than in public"
    if not (found.fits and parts):
        return [f"{name} {moved}."]
    told = [f"{name} {moved}."]
    because = [text for text in _parts(split, board) if text]
    if because:
        told.append(f"{because[0][:1].upper()}{'; '.join(because)[1:]}.")
    return [" ".join(told)]


def _parts(split: GapSplitResult, board: Board) -> Iterator[str]:
    """Yield what luck and shift did to a score, none of it where it is nothing."""

    def say(value: float, worse: str, better: str) -> str:
        size = board.amount(value, like=split.gap or split.selection)
        if not float(size.replace(",", "")):
            return ""
        return (worse if value > 0 else better).format(size)

    yield say(
        split.selection,
        "{} of its public score was luck",
        "bad luck had cost it {} in public",
    )
    yield say(
        split.common_luck, "the split took {} from all", "the split gave {} to all"
    )
    yield say(
        split.shift,
        "the private rows are harder by {}",
        "the private rows are easier by {}",
    )
    yield say(
        split.own_luck,
        "bad luck took {} from it alone in private",
        "good luck gave it {} in private",
    )


def _foresight(
    found: Retrospective, outlook: Outlook, reader: Reader, board: Board
) -> Iterator[str]:
    coverage = found.coverage
    if coverage is None or not coverage.n_obs:
        return
    best = outlook.best_public
    if math.isfinite(coverage.best_public_z):
        band = board.band(float(outlook.ci95_low[best]), float(outlook.ci95_high[best]))
        inside = abs(coverage.best_public_z) <= UNFORESEEN
        yield (
            f"Before the end its private score was expected at {band} (95%): "
            f"{'so it came' if inside else 'it came otherwise'}. Such bands held for "
            f"{coverage.n_in_95} of {plural(coverage.n_obs, 'submission')}, which is "
            "one trial and not many: they move together."
        )
    if not found.fits:
        yield (
            "Private scores as a whole lie "
            f"{abs(coverage.common_z):.1f} standard deviations "
            f"{'above' if coverage.common_z > 0 else 'below'} what was expected, so "
            "luck, selection and shift cannot be told apart here."
        )
    if not found.sizes_known:
        yield (
            "The sizes of the test sets were not given and are taken as equal: give "
            f"{ask(('test_size', 'public_fraction'), reader)} for a split to rely on."
        )


def _selection(found: Retrospective, board: Board, *, rules: bool) -> Iterator[str]:
    def scored(item: RuleOutcome) -> str:
        lost = f"{board.amount(item.regret)} short of the best"
        reached = "the best there was" if item.regret == 0 else lost
        return f"{board.score(item.score)} ({reached})"

    chosen = found.outcome_of(SELECTED)
    if chosen is not None:
        noise = ""
        if chosen.regret > 0 and math.isfinite(chosen.regret_se):
            chance = board.amount(TO_95 * chosen.regret_se)
            noise = f"; private differences under about {chance} can be chance"
        yield f"What was selected scored {scored(chosen)}{noise}."
    else:
        yield "The input does not say which submissions were selected."
    if not rules:
        return
    others = [item for item in found.rules if item.rule not in (SELECTED, OWN_PICKS)]
    pairs = [item for item in others if len(item.positions) == 2]
    picks = found.outcome_of(OWN_PICKS)
    if picks is not None:
        yield f"The pair that lbsense would have selected scored {scored(picks)}."
    if pairs:
        told = ", ".join(f"{item.rule} {scored(item)}" for item in pairs)
        yield f"The usual rules for two would have scored: {told}."


def _verdicts(facts: Facts, found: Retrospective) -> Iterator[str]:
    words = (step.verdict for step in facts.steps)
    tally = Counter(zip(words, found.outcomes, strict=True))
    for verdict, names in _CLAIMS.items():
        made = {
            outcome: count
            for (word, outcome), count in tally.items()
            if word == verdict and outcome
        }
        if made:
            total = sum(made.values())
            parts = ", ".join(
                f"{made[key]} {key}"
                for key in ("confirmed", "weakened", "contradicted")
                if key in made
            )
            yield f"Of {plural(total, *names)}, with private scores: {parts}."
    for outcome in ("gain after all", "loss after all"):
        count = sum(n for (_, told), n in tally.items() if told == outcome)
        if count:
            yield (
                f"{plural(count, 'step')} without a verdict: {outcome}, now that "
                "private scores are known."
            )


def _advice(facts: Facts, found: Retrospective) -> Iterator[tuple[str, str]]:
    """Yield what to do next time, and why or how."""
    split, resolution = found.best_public, facts.resolution
    board = Board(facts.history)
    if (
        split is not None
        and found.fits
        and split.selection > _SURE * split.selection_se > 0
    ):
        rule = found.outcome_of(DEFAULT_RULE)
        cost = rule is not None and rule.regret > rule.regret_se
        low, high = (
            board.amount(
                max(split.selection + side * TO_95 * split.selection_se, 0.0),
                like=split.selection,
            )
            for side in (-1, 1)
        )
        yield (
            f"Next time {'distrust' if cost else 'discount'} the best public score: "
            f"{low} to {high} of luck (95%).",
            f"Of that {board.amount(split.foretold)} could be seen before the end."
            if split.foretold > 0
            else "",
        )
    if split is not None and split.shift_low * split.shift_high > 0:
        yield (
            "Next time look for what sets the private rows apart (time, place, "
            "groups).",
            "Cut validation the same way: a random split does not explain the distance "
            "of public and private scores.",
        )
    silent = sum(outcome == "still open" for outcome in found.outcomes)
    judged = sum(bool(outcome) for outcome in found.outcomes)
    if found.steps and judged and silent / judged > _MANY:
        seen = ""
        if resolution and math.isfinite(resolution.smallest_gain):
            seen = (
                " This board shows gains from about "
                f"{board.amount(resolution.smallest_gain)} on."
            )
        yield (
            "Next time make fewer and larger changes.",
            f"{silent} of {plural(judged, 'step')} cannot be told from luck even with "
            f"private scores.{seen}",
        )


def _guides(found: Retrospective) -> Iterator[str]:
    """Say which of CV and public score ranked the submissions as private did."""
    guides = found.guides
    if guides is None:
        return
    told = (
        f"on the same {plural(guides.n_obs, 'submission')} the rank correlation with "
        f"private is {guides.first:.2f} for CV and {guides.second:.2f} for public "
        f"scores, a difference of {guides.difference:+.2f} ({guides.ci_low:+.2f} to "
        f"{guides.ci_high:+.2f})"
    )
    if guides.ci_low > 0:
        yield f"CV was the better guide to private scores: {told}."
    elif guides.ci_high < 0:
        yield f"The public score was the better guide to private scores: {told}."
    else:
        yield f"Neither CV nor public scores were clearly the better guide: {told}."


def learning(facts: Facts) -> list[str]:
    """Return what was learned from what was tried; nothing without a ledger."""
    found = facts.learning
    return list(_learned(found, facts)) if found else []


def _learned(found: Learning, facts: Facts) -> Iterator[str]:
    reasoned = [item for item in found.steps if item.hypothesis is not None]
    others = [item for item in found.steps if item.hypothesis is None]
    failed = f", {found.n_failed} failed" if found.n_failed else ""
    yield (
        f"{found.n_submitted} of {plural(found.n_experiments, 'experiment')} in the "
        f"ledger were submitted{failed}. {len(reasoned)} of "
        f"{plural(len(found.steps), 'step')} had a reason."
    )
    if reasoned:
        yield _came(reasoned, found.with_reason, _REASONED)
    if reasoned and others:
        yield _came(others, found.without_reason, _UNREASONED)
    if found.calibration:
        yield from _calibrated(found.calibration)
    if math.isfinite(found.bits):
        best = max(found.steps, key=lambda item: item.bits or 0.0)
        most = ""
        if best.bits and len(found.steps) > 1:
            named = facts.steps[best.position].short_name
            most = f"; most by {named} ({best.bits:.2f})"
        yield (
            f"A submission told {found.bits:.2f} bits about whether its change was a "
            f"gain, nothing or a loss, of {found.bits_at_most:.2f} that there were to "
            f"learn{most}."
        )


_REASONED = ("with a reason", "borne out", "contradicted", "came as hoped")
_UNREASONED = ("without one", "gained", "lost", "gained")


def _came(
    steps: Sequence[ReasonedStep], count: CountResult, told: tuple[str, str, str, str]
) -> str:
    """Say what became of some steps: by the verdicts, and by the probabilities."""
    which, good, bad, hoped = told
    tally = Counter(item.outcome for item in steps)
    text = (
        f"Of {plural(len(steps), 'step')} {which}: {tally['borne out']} {good}, "
        f"{tally['contradicted']} {bad}, {tally['open']} cannot be told"
    )
    if not count.n_obs:
        return f"{text}."
    of = "" if count.n_obs == len(steps) else f" of {count.n_obs}"
    between = f"{count.ci_low} to {count.ci_high} with {count.confidence_level:.0%}"
    return f"{text}; by the probabilities {count.mean:.1f}{of} {hoped} ({between})."


def _calibrated(found: ExpectationResult) -> Iterator[str]:
    """Say how far expectations can be relied on, and how far that is known."""
    told = (
        f"For each point that you expected, {found.ratio:.2f} came (between "
        f"{found.ratio_low:.2f} and {found.ratio_high:.2f} with "
        f"{found.confidence_level:.0%}, {plural(found.n_obs, 'step')})"
    )
    if found.ratio_low <= 1 <= found.ratio_high:
        known = found.ratio_low > 0
        yield (
            f"{told}: "
            + (
                "nothing speaks against your expectations."
                if known
                else "too little to say whether your expectations hold."
            )
        )
    elif found.ratio_high < 1:
        open_yet = "whether they foretell gains at all is open"
        less = open_yet if found.ratio_low <= 0 else "expect less"
        yield f"{told}: your expectations are too high; {less}."
    else:
        yield f"{told}: more came than you expected."
    if not found.n_ranges:
        return
    told = (
        f"Your ranges are meant to hold {found.range_level:.0%} of true gains and hold "
        f"about {found.held:.0%} ({found.held_low:.0%} to {found.held_high:.0%}, "
        f"{plural(found.n_ranges, 'range')})"
    )
    if found.width_low > 1:
        yield f"{told}: make them {found.width:.1f} times as wide."
    elif found.width_high < 1:
        yield f"{told}: they may be narrower, by a factor of {found.width:.1f}."
    else:
        yield f"{told}: nothing speaks against their width."
