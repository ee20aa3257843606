"""The answer in plain words: what is known, what was luck, what to select and ask."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lbsense._format import (
    clean_text,
    format_fixed,
    format_gain,
    format_number,
    format_probability,
    format_time,
    plural,
    shorten,
)
from lbsense._result import Caveat, Missing
from lbsense._typing import ScoreKind, Verdict
from lbsense.facts import DEFAULT_RULE, Facts, ScoreGap, Step
from lbsense.model import History
from lbsense.words.needs import Reader, tell, why

if TYPE_CHECKING:
    from lbsense.stats import DifferenceBandsResult, PairResult, PicksResult

_EVIDENCE = {
    "A": "public scores alone",
    "A+": "public scores, metric and test size",
    "B": "public and CV scores",
    "C": "public and private scores",
    "D": "predictions row by row",
}
_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "progress": ("real gain", "real gains"),
    "guess": ("guess", "guesses"),
    "chasing": ("step chasing the leaderboard", "steps chasing the leaderboard"),
    "setback": ("setback", "setbacks"),
    "repeat": ("repeat", "repeats"),
    "probe": ("probe", "probes"),
    "baseline": ("baseline", "baselines"),
    "unknown": ("not knowable", "not knowable"),
}
_ASIDE = ("side branch", "side branches")
_NAME_WIDTH = 48
# Not noted: what nobody gave, and what needs two scores where there are none.
_UNNOTED = frozenset({"agreement", "posterior", "predictions"})
_FEW = 7  # submissions: so few are told one by one
_FEW_JUMPS = 5
_NUMBERS = ("no", "one", "two", "three", "four", "five")
_JUMP_WIDTH = 28
_CLOSE_RIVALS = 5
_KINDS: dict[ScoreKind, str] = {
    "private": "the private score",
    "public": "the public score",
    "cv": "CV",
}


def name_of(facts: Facts, index: int, width: int = _NAME_WIDTH) -> str:
    """Return the number of a submission and the words that its entrant gave it."""
    return f"#{index + 1} {shorten(facts.steps[index].name, width)}"


def names_of(facts: Facts, pair: PairResult) -> str:
    """Return the names of a pair to select."""
    return " and ".join(name_of(facts, index) for index in pair.positions)


def subject(history: History) -> tuple[str, ...]:
    """Return what was read: platform, metric, sizes and period."""
    competition = history.competition
    parts = [
        competition.platform,
        ", ".join(part for part in (competition.metric, competition.better) if part),
        plural(len(history), "submission"),
        f"{competition.n_public:,} public test rows" if competition.n_public else "",
        history.period,
    ]
    return tuple(clean_text(part) for part in parts if part)


def evidence(facts: Facts) -> str:
    """Return the level of evidence and what it holds."""
    return f"level {facts.level}, {_EVIDENCE[facts.level]}"


def tally(facts: Facts) -> str:
    """Return how many submissions there are, and of which verdict."""
    if not facts.history.submissions:
        return "The history is empty."
    counts = Counter(step.verdict for step in facts.steps)
    n_scored = len(facts.steps) - counts["unscored"]
    if n_scored == 0:
        submissions = facts.history.submissions
        n_private = sum(item.private_score is not None for item in submissions)
        none = f"None of {plural(len(facts.steps), 'submission')} has a"
        if n_private:
            private = f"{n_private} with a private one"
            return f"{none} public score to judge a step by; {private}."
        return f"{none} score."
    if not facts.directed:
        return (
            f"{plural(n_scored, 'scored submission')}, but nobody said which way the "
            "score is better: no step can be judged."
        )
    if n_scored == 1:
        return "One scored submission: there is no step to judge yet."
    return f"{plural(n_scored, 'scored submission')}: {', '.join(_counted(facts))}."


def _counted(facts: Facts) -> list[str]:
    """Return how many submissions each verdict has, in words."""
    counts = Counter(step.verdict for step in facts.steps)
    n_aside = sum(step.aside for step in facts.steps)
    counts["setback"] -= n_aside
    parts = []
    for verdict, words in _VERDICTS.items():
        if not counts[verdict]:
            continue
        part = plural(counts[verdict], *words)
        if verdict == "progress":
            n_clear = sum(step.strength == "clear" for step in _of(facts, verdict))
            n_all = counts[verdict]
            sure = {0: "likely", n_all: "clear"}.get(
                n_clear, f"{n_clear} of them clear"
            )
            part += f" ({sure})"
        parts.append(part)
    if n_aside:
        parts.append(f"{plural(n_aside, *_ASIDE)} that nothing was built on")
    return parts


def _of(facts: Facts, verdict: Verdict) -> list[Step]:
    return [step for step in facts.steps if step.verdict == verdict]


def noise(facts: Facts) -> list[str]:
    """Return how noisy one public score and one step are; nothing where unknown."""
    told = []
    if math.isfinite(facts.noise.score_se):
        told.append(
            "One public score has a standard error of about "
            f"{format_number(facts.noise.score_se, digits=2)}."
        )
    return told + _step_noise(facts)


def _step_noise(facts: Facts) -> list[str]:
    scale = facts.noise
    if np.isfinite(scale.step_se):
        size = f"about {format_number(scale.step_se, digits=2)}"
    elif np.isfinite(scale.step_se_high):
        size = f"at most {format_number(scale.step_se_high, digits=2)}"
    elif np.isfinite(scale.rerun_se) and scale.rerun_se > 0:
        return [
            f"Re-running one submission alone moves a difference by "
            f"{format_number(scale.rerun_se, digits=2)}."
        ]
    else:
        return []
    return [f"One public step carries noise of {size}."]


def why_no_noise(facts: Facts, reader: Reader) -> str:
    """Return why the noise of a step is not known."""
    reason = why(facts.posterior, reader)
    return f"The noise of a step is not known. {reason}".strip()


def luck(facts: Facts) -> list[str]:
    """Return how many of the new public bests are expected to be luck."""
    found = facts.luck
    if not found or not found.positions.size:
        return []
    return [
        f"Of {plural(found.positions.size, 'new public best')} about "
        f"{found.expected_luck:.0f} are expected to be luck."
    ]


def climb(facts: Facts) -> list[str]:
    """Return how much of the climb of the public score is estimated to be real."""
    found = facts.luck
    if not found or not math.isfinite(found.true_climb) or not found.public_climb > 0:
        return []
    error = f"standard error {format_number(found.true_climb_se, digits=2)}"
    if found.true_climb <= 0:
        real = f"none of that is estimated to be real ({error})"
    elif found.true_climb >= found.public_climb:
        real = (
            f"all of that is estimated to be real: the true gain is about "
            f"{format_number(found.true_climb, digits=2)} ({error})"
        )
    else:
        real = (
            f"{format_number(found.true_climb, digits=2)} of that is estimated to be "
            f"real ({error})"
        )
    return [
        "From the first submission to the best one the public score gained "
        f"{format_number(found.public_climb, digits=2)}; {real}."
    ]


def jumps(facts: Facts) -> list[str]:
    """Return the few steps that made the climb, or that there are no few."""
    found = facts.climb
    if not found:
        return []
    made = dict(zip(found.way.tolist(), found.gain.tolist(), strict=True))
    names = [
        f"{name_of(facts, index, _JUMP_WIDTH)} ({format_gain(made[index])})"
        for index in found.jumps.tolist()
    ]
    if len(names) > _FEW_JUMPS:
        return [
            f"The climb is no few jumps: {len(names)} of {len(made) - 1} steps on the "
            f"way to the best level make {found.asked:.0%} of it."
        ]
    share = f"{min(found.share, 1.0):.0%}"
    if len(names) == 1:
        return [f"The climb is one jump: {names[0]}, {share} of it."]
    return [
        f"The climb is {_NUMBERS[len(names)]} jumps: {', '.join(names)}; together "
        f"{share} of it."
    ]


def differences(facts: Facts) -> list[str]:
    """Return how much better the differences of private scores are known than these."""
    outlook = facts.outlook
    if not outlook:
        return []
    to_best = outlook.to_best
    known = np.isfinite(to_best.mean)
    known[to_best.against] = False
    if not known.any():
        return []
    half = np.where(known, (to_best.ci95_high - to_best.ci95_low) / 2, np.nan)
    order = np.argsort(-np.where(known, to_best.mean, -np.inf), kind="stable")
    near = order[: min(_CLOSE_RIVALS, int(known.sum()))]
    score = float((outlook.ci95_high - outlook.ci95_low)[to_best.against]) / 2
    best = name_of(facts, to_best.against)
    told = [
        "Submissions share most of the luck of a split: the private score of "
        f"{best} is foretold to +/-{format_number(score, digits=2)}, its distance to "
        "the next best ones to "
        f"+/-{format_number(float(np.median(half[near])), digits=2)} (95%)."
    ]
    rivals = int((known & (to_best.ci95_high > 0)).sum())
    if rivals:
        who = plural(rivals, "submission")
        if rivals == known.sum() > 1:
            who = f"Every one of the other {who}"
        told.append(f"{who} may still turn out better than {best} in private.")
    if outlook.to_selected is not None:
        told += _against_selected(facts, outlook.to_selected)
    return told


def _against_selected(facts: Facts, bands: DifferenceBandsResult) -> list[str]:
    mean = np.where(np.isfinite(bands.mean), bands.mean, -np.inf)
    best = int(np.argmax(mean))
    selected = name_of(facts, bands.against)
    if best == bands.against or facts.history[best].selected:
        return [f"No submission is expected to score above {selected}, selected."]
    return [
        f"{name_of(facts, best)} is expected {format_gain(float(bands.mean[best]))} "
        f"against {selected}, selected (95% "
        f"{format_gain(float(bands.ci95_low[best]))} to "
        f"{format_gain(float(bands.ci95_high[best]))}; more is better)."
    ]


def expectation(facts: Facts) -> list[str]:
    """Return what few submissions tell of the next one, where they are all there is."""
    n_scored = sum(step.public_score is not None for step in facts.steps)
    if n_scored > _FEW or facts.outlook:
        return []
    return [_expected(item) for item in facts.gaps]


def _expected(item: ScoreGap) -> str:
    found = item.found
    kind, minus = _KINDS[item.kind], _KINDS[item.minus]
    side = "above" if found.mean > 0 else "below"
    far = f"{format_number(abs(found.mean), digits=2)} {side} {minus}"
    told = f"{kind[:1].upper()}{kind[1:]} lies {far}"
    if not found.mean:
        told = f"{kind[:1].upper()}{kind[1:]} equals {minus}"
    told += f" on average ({plural(found.n_obs, 'submission')})"
    if math.isfinite(found.ci_low):
        told += (
            "; expect the next one at "
            f"{format_gain(found.ci_low)} to {format_gain(found.ci_high)} from it (95%)"
        )
    if found.n_pairs:
        told += (
            f". They order {found.n_alike} of {plural(found.n_pairs, 'pair')} of "
            "submissions alike"
        )
    return f"{told}."


def alone(facts: Facts) -> list[str]:
    """Return what would have to be true for public scores alone to tell a step."""
    found = facts.alone
    if not found:
        return []
    told = []
    for count in found.counts:
        several = f"{count.typical}"
        if count.least < count.most:
            several = f"{count.least} to {count.most} (about {count.typical})"
        told.append(f"{several} on {count.n_rows:,} public rows")
    return [
        f"Of {plural(found.n_steps, 'public step')} these would be more than luck: "
        f"{', '.join(told)}. That depends on how alike two submissions are, which "
        "public scores do not tell."
    ]


def resolution(facts: Facts) -> list[str]:
    """Return the smallest gain that the leaderboard can tell."""
    found = facts.resolution
    if not found or not math.isfinite(found.smallest_gain):
        return []
    return [
        "The smallest gain that this leaderboard can tell (80% power) is about "
        f"{format_number(found.smallest_gain, digits=2)}; "
        f"{format_probability(found.below_fraction)} of the steps chased "
        "differences too small to be told from their own noise."
    ]


def revealed(facts: Facts) -> list[str]:
    """Return how much the public scores revealed, and could have at most."""
    told = []
    found, limits = facts.resolution, facts.limits
    if found and math.isfinite(found.score_bits):
        told.append(
            f"{plural(found.n_scores, 'public score')} revealed at most "
            f"{format_fixed(found.score_bits, decimals=0)} bits about the public "
            f"rows, the {plural(found.n_new_bests, 'new best')} alone "
            f"{format_fixed(found.best_bits, decimals=0)}."
        )
    if limits:
        told.append(
            "The most that a pure attack on the leaderboard with as many "
            f"scores could have gained is about {format_gain(limits.boosting)}, "
            "without learning anything."
        )
    return told


def selection(facts: Facts) -> list[str]:
    """Return which two to select."""
    picks = facts.picks
    if not picks:
        return []
    names = names_of(facts, picks.best)
    if picks.basis != "levels":
        return [f"Select {names}: {_habit(picks)}"]
    return [
        f"Select {names}: the best of all is among them with "
        f"{format_probability(picks.best.p_holds_best)} probability."
    ]


def _habit(picks: PicksResult) -> str:
    """Return by which rule a pair was taken that nothing could weigh."""
    if len(picks.best.positions) == 1:
        return "it is the only one with a score."
    which = {
        "public and cv": "your best public score and your best CV score",
        "public": "your two best public scores",
    }[picks.basis]
    if picks.n_obs == len(picks.best.positions):
        which = "the only two with a score"
    return (
        f"{which}. Nothing tells how noisy they are, so that this is a habit and no "
        "estimate."
    )


def pick_basis(facts: Facts) -> str:
    """Return how sure the recommended pair is, and why."""
    picks = facts.picks
    if not picks:
        return ""
    if picks.basis != "levels":
        told = _habit(picks)
        return told[:1].upper() + told[1:]
    chance = format_probability(picks.best.p_holds_best)
    weak = (
        " The noise of a step is a bound from metric and sizes: weak."
        if facts.claims == "real"
        else ""
    )
    return (
        "Chosen by the true scores that all scores together let expect: the best of "
        f"all is among them with {chance} probability.{weak}"
    )


def why_no_picks(facts: Facts, reader: Reader) -> str:
    """Return why no pair can be recommended."""
    if not any(step.public_score is not None for step in facts.steps):
        return "No submission has a public score."
    return why(facts.picks if facts.directed else facts.posterior, reader)


def runner_up(facts: Facts) -> list[str]:
    """Return the best pair without the second of the recommended one."""
    picks = facts.picks
    if not picks or picks.runner_up is None:
        return []
    cost = format_number(max(picks.runner_up.cost, 0.0), digits=2)
    names = " and ".join(name_of(facts, at) for at in picks.runner_up.positions)
    return [
        f"Without {name_of(facts, picks.best.second)}: {names}, expected to score "
        f"{cost} less. A new fact worth more than that changes the pick."
    ]


def default_trap(facts: Facts) -> list[str]:
    """Return what happens to those who select nothing."""
    picks = facts.picks
    if not picks:
        return []
    deadline = facts.history.competition.deadline
    when = f" ({format_time(deadline)} UTC)" if deadline is not None else ""
    told = []
    for pair in picks.rules:
        if pair.rule != DEFAULT_RULE:
            continue
        cost = ""
        if math.isfinite(pair.cost):
            cost = f", expected to cost {format_number(max(pair.cost, 0.0), digits=2)}"
        same = set(pair.positions) == set(picks.best.positions)
        trap = (
            "here that is the same pair"
            if same
            else f"here that is another pair{cost}. Select by hand before the deadline"
        )
        told.append(
            "If you select nothing, the platform takes your two best public scores: "
            f"{trap}{when}."
        )
    return told


def outlook(facts: Facts) -> list[str]:
    """Return what the bands of private scores rest on, where that is weak."""
    if not facts.outlook or facts.outlook.sizes_known:
        return []
    return [
        "The sizes of the test sets were not given: the private set is taken to be as "
        "large as the public one."
    ]


def agreement(facts: Facts) -> list[str]:
    """Return whether CV gains and public gains agree, and how far they can."""
    found = facts.agreement
    if not found:
        return []
    told = []
    if math.isfinite(found.statistic):
        told.append(
            f"Rank correlation of CV gains and public gains: "
            f"{format_number(found.statistic, digits=2)} (95% interval "
            f"{format_number(found.ci_low, digits=2)} to "
            f"{format_number(found.ci_high, digits=2)}, {plural(found.n_obs, 'step')})."
        )
    if math.isfinite(found.perfect_r):
        told.append(
            "A CV without any noise would show "
            f"{format_number(found.perfect_r, digits=2)}: the noise of the public "
            "score allows no more."
        )
    if not found.testable:
        told.append(f"Agreement cannot be tested here. {found.reason}")
    if math.isfinite(found.cv_excess_share):
        told.append(
            f"{found.cv_excess_share:.0%} of the noise variance of a CV gain does "
            "not come from the choice of rows: refitting, or validation that does "
            "not transfer."
        )
    return told


def notes(facts: Facts, reader: Reader = "python") -> dict[str, str]:
    """Return why each result that is missing or weak is so, by its name."""
    results = (
        facts.posterior,
        facts.joint,
        *facts.caveats,
        facts.levels,
        facts.outlook,
        facts.picks,
        facts.luck,
        facts.resolution,
        facts.ladder,
        facts.limits,
        facts.retrospective,
        facts.retrospective.steps if facts.retrospective else None,
        facts.learning.calibration if facts.learning else None,
    )
    told = {}
    for item in results:
        if isinstance(item, Missing | Caveat) and item.field not in _UNNOTED:
            told[item.field] = tell(item, reader)
    return told


_MOST = 8  # columns that are named; the others are counted


def reading_entries(history: History, most: int = _MOST) -> list[tuple[str, str]]:
    """Return the statement of what was read, and the columns that were not used."""
    reading = history.reading
    if reading is None:
        return []
    entries = [("Read", f"{reading}.")]
    if reading.unused:
        shown = "; ".join(str(column) for column in reading.unused[:most])
        more = len(reading.unused) - most
        entries.append(("Not used", f"{shown}{f'; and {more} more' * (more > 0)}."))
    return entries
