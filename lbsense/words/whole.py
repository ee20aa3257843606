"""The answer in plain words: what is known, what was luck, what to select and ask."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from lbsense._format import (
    clean_text,
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
from lbsense.words.parts import TO_95, Board, Reader, listed, tell, why
from lbsense.words.short import to_select

if TYPE_CHECKING:
    from lbsense.stats import (
        CvScaleResult,
        DifferenceBandsResult,
        MedalPickResult,
        PicksResult,
    )

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
    """Return what chance does to one public score and to a step; nothing if unknown."""
    told, board = [], Board(facts.history)
    if math.isfinite(facts.noise.score_se):
        size = board.amount(TO_95 * facts.noise.score_se)
        teams = facts.noise.n_board
        source = (
            f", as public and private scores of {plural(teams, 'team')} on the "
            "leaderboard tell"
            if teams
            else ""
        )
        told.append(
            f"Chance moves one public score by up to about {size} (95%){source}."
        )
    return told + _step_noise(facts, board)


def _step_noise(facts: Facts, board: Board) -> list[str]:
    scale = facts.noise
    if np.isfinite(scale.step_se) and scale.step_se > 0:
        size = board.amount(TO_95 * scale.step_se)
        return [f"Differences under about {size} can be chance."]
    if np.isfinite(scale.step_se_high):
        size = board.amount(TO_95 * scale.step_se_high)
        return [f"Differences above {size} are no chance; smaller ones can be."]
    if np.isfinite(scale.rerun_se) and scale.rerun_se > 0:
        size = board.amount(scale.rerun_se)
        return [f"Running one submission again alone moves its score by {size}."]
    return []


def why_no_noise(facts: Facts, reader: Reader) -> str:
    """Return why it is not known how much can be chance."""
    reason = why(facts.posterior, reader)
    return f"How much of a step can be chance is not known. {reason}".strip()


def luck(facts: Facts) -> list[str]:
    """Return how many of the new public bests are expected to be luck."""
    found = facts.luck
    if not found or not found.positions.size:
        return []
    n_all, n_luck = found.positions.size, round(found.expected_luck)
    count = {0: "none", n_all: "all" if n_all > 1 else "it"}.get(n_luck, str(n_luck))
    verb = "will be"
    if facts.retrospective:
        verb = "was" if n_luck == 1 or n_all == 1 else "were"
    return [f"Of {plural(n_all, 'new public best')} about {count} {verb} luck."]


def climb(facts: Facts) -> list[str]:
    """Return how much of the climb of the public score is estimated to be real."""
    found = facts.luck
    if not found or not math.isfinite(found.true_climb) or not found.public_climb > 0:
        return []
    board, true = Board(facts.history), found.true_climb
    low, high = (true + side * TO_95 * found.true_climb_se for side in (-1, 1))
    whole = board.amount(found.public_climb)
    return [
        f"The public score {board.rose} by {whole} from the first submission to the "
        f"best; the true change is {board.gain(true)} (95%: {board.gain(low)} to "
        f"{board.gain(high)}; more is better)."
    ]


def jumps(facts: Facts) -> list[str]:
    """Return the few steps that made the climb, or that there are no few."""
    found = facts.climb
    if not found:
        return []
    board = Board(facts.history)
    made = dict(zip(found.way.tolist(), found.gain.tolist(), strict=True))
    names = [
        f"{name_of(facts, index, _JUMP_WIDTH)} ({board.gain(made[index])})"
        for index in found.jumps.tolist()
    ]
    if len(names) > _FEW_JUMPS:
        return [
            f"No few jumps made the climb: {len(names)} of {len(made) - 1} steps on "
            f"the way up make {found.asked:.0%} of it."
        ]
    share = f"{min(found.share, 1.0):.0%}"
    if len(names) == 1:
        return [f"One jump made the climb: {names[0]}, {share} of it."]
    return [
        f"{_NUMBERS[len(names)].capitalize()} jumps made the climb: "
        f"{', '.join(names)}; together {share} of it."
    ]


def differences(facts: Facts) -> list[str]:
    """Return how much better the differences of private scores are known than these."""
    outlook = facts.outlook
    if not outlook:
        return []
    to_best = outlook.to_best
    known = np.isfinite(to_best.mean)
    known &= [step.verdict != "repeat" for step in facts.steps]
    known[to_best.against] = False
    if not known.any():
        return []
    half = np.where(known, (to_best.ci95_high - to_best.ci95_low) / 2, np.nan)
    order = np.argsort(-np.where(known, to_best.mean, -np.inf), kind="stable")
    near = order[: min(_CLOSE_RIVALS, int(known.sum()))]
    score = float((outlook.ci95_high - outlook.ci95_low)[to_best.against]) / 2
    best = name_of(facts, to_best.against)
    board = Board(facts.history)
    told = [
        f"The private score of {best} can be told to within {board.amount(score)}, and "
        "whether it beats the next best ones to within "
        f"{board.amount(float(np.median(half[near])))} (95%): most luck of a split is "
        "shared."
    ]
    rivals = int((known & (to_best.ci95_high > 0)).sum())
    if rivals:
        who = plural(rivals, "submission")
        if rivals == known.sum() > 1:
            who = f"Every one of the other {who}"
        told.append(f"{who} may still beat {best} in private.")
    if outlook.to_selected is not None:
        told += _against_selected(facts, outlook.to_selected)
    return told


def _against_selected(facts: Facts, bands: DifferenceBandsResult) -> list[str]:
    mean = np.where(np.isfinite(bands.mean), bands.mean, -np.inf)
    best = int(np.argmax(mean))
    selected, board = name_of(facts, bands.against), Board(facts.history)
    if best == bands.against or facts.history[best].selected:
        return [f"No submission is expected to score above {selected}, selected."]
    return [
        f"{name_of(facts, best)} is expected {board.gain(float(bands.mean[best]))} "
        f"against {selected}, selected (95% "
        f"{board.gain(float(bands.ci95_low[best]))} to "
        f"{board.gain(float(bands.ci95_high[best]))}; more is better)."
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
    size = Board(facts.history).amount(found.smallest_gain)
    return [
        f"This leaderboard shows gains from about {size} on (in 4 of 5 cases); "
        f"{format_probability(found.below_fraction)} of the steps were after less."
    ]


def selection(facts: Facts) -> list[str]:
    """Return which two to select."""
    picks = facts.picks
    if not picks:
        return []
    chosen = to_select(facts)
    names = listed([name_of(facts, index) for index in chosen])
    if picks.basis != "levels":
        return [f"Select {names}: {_habit(facts, picks)}"]
    if len(chosen) != len(picks.best.positions):
        return [f"Select {names}: expected to score best."]
    return [
        f"Select {names}: the best of all is among them with "
        f"{format_probability(picks.best.p_holds_best)} probability.{_weak(facts)}"
    ]


def _weak(facts: Facts) -> str:
    """Return why the levels that the pair rests on may not fit; nothing if they do."""
    reasons = []
    if facts.claims == "real":
        reasons.append("chance is known as a bound from metric and sizes only")
    told = any(item.code == "LBS108" for item in facts.history.warnings)
    if told or (facts.agreement and facts.agreement.breaks):
        reasons.append("the scheme of CV changed on the way")
    if facts.caveat("cv") is not None:
        reasons.append("CV could not be taken as it is")
    return f" That is weak: {', and '.join(reasons)}." if reasons else ""


def _habit(facts: Facts, picks: PicksResult) -> str:
    """Return by which rule a pair was taken that nothing could weigh."""
    if picks.basis == "latest":
        return _latest(facts, picks)
    if len(picks.best.positions) == 1:
        return "it is the only one with a score."
    which = {
        "public and cv": "your best public score and your best CV score",
        "public": "your two best public scores",
        "cv": "your two best CV scores, since none has a public one",
    }[picks.basis]
    if picks.n_obs == len(picks.best.positions):
        which = "the only two with a score"
    if math.isfinite(picks.contradiction):
        return (
            f"{which}. CV and public gains contradict each other (rank correlation "
            f"{picks.contradiction:.2f}): neither is trusted alone, nor a sum of both."
        )
    return f"{which}. How much of their scores is chance is not known."


def _latest(facts: Facts, picks: PicksResult) -> str:
    """Return why the latest were taken, and what would be taken either way."""
    if all(step.public_score is None for step in facts.steps):
        return "your latest, since none has a score."
    which = "your latest, since nobody said which way the score is better"
    raw = facts.history.raw_scores("public")
    if picks.n_obs < 3:
        return f"{which}."
    order = [int(i) for i in np.argsort(raw, kind="stable") if np.isfinite(raw[i])]
    high, low = (
        "the same"
        if set(pair) == set(picks.best.positions)
        else listed([name_of(facts, index) for index in pair])
        for pair in (order[:-3:-1], order[:2])
    )
    return f"{which}. It is {high} if higher is better, {low} if lower."


def pick_basis(facts: Facts) -> str:
    """Return how sure the recommended pair is, and why."""
    picks = facts.picks
    if not picks:
        return ""
    if picks.basis != "levels":
        told = _habit(facts, picks)
        return told[:1].upper() + told[1:]
    chance = format_probability(picks.best.p_holds_best)
    return (
        "Chosen by the true scores that all scores together let expect"
        f"{_alone(facts)}: the best of all is among them with {chance} "
        f"probability.{_weak(facts)}"
    )


def _alone(facts: Facts) -> str:
    """Return which scores were asked alone too, in case that all do not fit."""
    kinds = [
        name
        for name, known in (
            ("the public score", True),
            ("CV", any(step.cv_score is not None for step in facts.steps)),
        )
        if known
    ]
    return f", and in small part by {' and by '.join(kinds)} alone"


def why_no_picks(facts: Facts, reader: Reader) -> str:
    """Return why no pair can be recommended."""
    if not any(step.public_score is not None for step in facts.steps):
        return "No submission has a public score."
    return why(facts.picks if facts.directed else facts.posterior, reader)


def medal_told(
    facts: Facts, medal: MedalPickResult | Missing, reader: Reader = "python"
) -> list[tuple[str, str]]:
    """Return which pair has the best chance of a medal: a heading and a sentence."""
    if isinstance(medal, Missing):
        return [("Medal", tell(medal, reader))]
    names = " and ".join(name_of(facts, index) for index in medal.positions)
    same = medal.chance - medal.chance_of_rule < 0.01
    against = (
        "the pair above has the same"
        if same
        else f"the pair above {format_probability(medal.chance_of_rule)}"
    )
    gold, silver, bronze = map(format_probability, medal.chances)
    return [
        (
            "Medal",
            f"The best chance of {medal.medal} or better has {names}: "
            f"{format_probability(medal.chance)}, {against}. Gold {gold}, silver or "
            f"better {silver}, bronze or better {bronze}.",
        )
    ]


def runner_up(facts: Facts) -> list[str]:
    """Return the best pair without the second of the recommended one."""
    picks = facts.picks
    if not picks or picks.runner_up is None:
        return []
    board, loss = Board(facts.history), max(picks.runner_up.cost, 0.0)
    names = " and ".join(name_of(facts, at) for at in picks.runner_up.positions)
    told = f"Without {name_of(facts, picks.best.second)}: {names}"
    if board.is_nothing(loss):
        return [f"{told}, as good for all that is known."]
    return [
        f"{told}, expected to score {board.amount(loss)} less. A new fact worth more "
        "than that changes the pick."
    ]


def default_trap(facts: Facts) -> list[str]:
    """Return what happens to those who select nothing."""
    picks = facts.picks
    if not picks:
        return []
    deadline = facts.history.competition.deadline
    when = f" ({format_time(deadline)} UTC)" if deadline is not None else ""
    told = []
    board = Board(facts.history)
    for pair in picks.rules:
        if pair.rule != DEFAULT_RULE:
            continue
        by_hand = f"Select by hand before the deadline{when}"
        cost = f". {by_hand}"
        if math.isfinite(pair.cost):
            loss = max(pair.cost, 0.0)
            cost = (
                ", no worse for all that is known"
                if board.is_nothing(loss)
                else f", and costs {board.amount(loss)} on average. {by_hand}"
            )
        same = set(pair.positions) == set(picks.best.positions)
        trap = (
            "here that is the same pair" if same else f"here that is another pair{cost}"
        )
        told.append(
            "If you select nothing, the platform takes your two best public scores: "
            f"{trap}."
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
        within = ""
        if math.isfinite(found.ci_low):
            within = f"{found.ci_low:.2f} to {found.ci_high:.2f}, "
        told.append(
            "CV gains and public gains have a rank correlation of "
            f"{found.statistic:.2f} ({within}{plural(found.n_obs, 'step')})."
        )
    if len(found.scales) > 1:
        told += [_of_scale(facts, scale) for scale in found.scales]
    if math.isfinite(found.perfect_r):
        told.append(
            f"More than {found.perfect_r:.2f} is not possible here: the chance in the "
            "public score hides the rest."
        )
    if not found.testable:
        told.append(f"Agreement cannot be tested here. {found.reason}")
    if math.isfinite(found.cv_excess_share):
        told.append(
            f"{found.cv_excess_share:.0%} of the noise of a CV gain does not come from "
            "the choice of rows: refitting, or validation that does not transfer."
        )
    return told


def _of_scale(facts: Facts, scale: CvScaleResult) -> str:
    """Return what one series of CV under one scheme says of public gains."""
    name = clean_text(shorten(scale.name, 40))
    if scale.scheme:
        name += f" ({clean_text(shorten(scale.scheme, 60))})"
    if scale.begin:
        name += f" from {name_of(facts, scale.first, _JUMP_WIDTH)} on"
    if scale.reason:
        return f"{name} is not used: {scale.reason}."
    told = f"{name}: {plural(scale.n_obs, 'step')} with public gains"
    if math.isfinite(scale.statistic):
        told += f", rank correlation {scale.statistic:.2f}"
    if math.isfinite(scale.ci_low):
        told += f" ({scale.ci_low:.2f} to {scale.ci_high:.2f})"
    if math.isfinite(scale.slope):
        told += f"; it moves by {format_number(scale.slope, digits=2)} for a public 1"
    return f"{told}."


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
