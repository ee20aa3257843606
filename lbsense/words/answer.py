"""The answer in plain words: what is known, what was luck, what to select and ask."""

from __future__ import annotations

import math
from collections import Counter

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
from lbsense._typing import Verdict
from lbsense.facts import DEFAULT_RULE, Facts
from lbsense.model import Competition, History
from lbsense.stats import PairResult
from lbsense.words.needs import Reader, ask, asked, tell, why

__all__ = [
    "agreement",
    "climb",
    "default_trap",
    "evidence",
    "headline",
    "luck",
    "name_of",
    "next_fact",
    "noise",
    "notes",
    "outlook",
    "resolution",
    "revealed",
    "runner_up",
    "selection",
    "subject",
    "why_no_noise",
    "why_no_picks",
]

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
    "chasing": ("chase of the leaderboard", "chases of the leaderboard"),
    "setback": ("setback", "setbacks"),
    "repeat": ("repeat", "repeats"),
    "probe": ("probe", "probes"),
    "unknown": ("not knowable", "not knowable"),
}
_NAME_WIDTH = 48
_FEWEST_STEPS = 5  # with CV, from which on their noise is learned
_REFITTING = 1.8  # noise variance of a CV gain over that of the choice of rows
# Not noted: what nobody gave, and what needs two scores where there are none.
_UNNOTED = frozenset({"agreement", "posterior", "predictions"})
_CV = "CV scores (a column, or 'CV 0.8123' in the description) would help most"


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


def headline(facts: Facts) -> str:
    """Return what the history shows, in a few sentences."""
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
    parts = [
        plural(counts[verdict], *words)
        for verdict, words in _VERDICTS.items()
        if counts[verdict]
    ]
    told = f"{plural(n_scored, 'scored submission')}: {', '.join(parts)}."
    return " ".join([told, *_step_noise(facts), *luck(facts)])


def next_fact(facts: Facts, reader: Reader = "python") -> str:
    """Return the one fact that would help most, given what is there already."""
    competition = facts.history.competition
    sizes = {
        "metric": competition.metric,
        "test_size": competition.test_size,
        "public_fraction": competition.public_fraction,
        "train_size": competition.train_size,
    }
    if not facts.directed:
        return "Name the metric: it says which way is better, and how noisy a score is."
    if facts.claims == "both":
        lacking = [name for name, value in sizes.items() if value is None]
        if lacking:
            return (
                f"Give {', '.join(asked(lacking, reader))}: that would pin down how "
                "the noise divides between CV and public."
            )
        return _beyond_scores(facts, reader)
    if facts.caveat("cv") is not None:
        return (
            "Validation that follows the leaderboard would help most: the CV scores "
            "given could not be used (see the note on cv)."
        )
    n_steps = sum(step.cv_gain is not None for step in facts.steps)
    n_cv = sum(step.cv_score is not None for step in facts.steps)
    if n_cv > 1 and n_steps < _FEWEST_STEPS:
        lacking = [name for name, value in sizes.items() if value is None]
        return _too_few_with_cv(n_steps, lacking, reader)
    if facts.claims == "none" and not (competition.n_public and competition.metric):
        sized = ask(("test_size", "public_fraction"), reader)
        return f"{_CV}; next the metric with {sized}."
    return f"{_CV}: they measure each change a second time{_cut_by_cv(competition)}."


def _too_few_with_cv(n_steps: int, lacking: list[str], reader: Reader) -> str:
    """Return what to ask of someone whose CV scores are too few to be weighed."""
    known = {0: "no step with it can be", 1: "one step cannot be"}.get(
        n_steps, f"{n_steps} steps cannot be"
    )
    more = f"{ask(('cv_pairs',), reader)} would tell their noise"
    told = f"CV is given, but {known} weighed: {more}"
    return (
        f"{told}; next {', '.join(asked(lacking, reader))}." if lacking else f"{told}."
    )


def _beyond_scores(facts: Facts, reader: Reader) -> str:
    """Return what is left to ask of someone who gave scores and sizes."""
    if facts.joint:
        return "Name the parent of every submission, and keep CV folds unchanged."
    n_pairs = facts.agreement.n_obs if facts.agreement else 0
    # A standard deviation from n squares has a relative error of 1 / sqrt(2 n).
    percent = 100 * 1.96 / np.sqrt(2 * max(n_pairs, 1))
    return (
        f"{ask(('oof',), reader)}: the noise of a step is known to about "
        f"{percent:.0f}% from {plural(n_pairs, 'step')} and taken to be alike for all; "
        "predictions give it for every step by itself."
    )


def _cut_by_cv(competition: Competition) -> str:
    """Return by how much CV would cut the noise of a step, where sizes tell."""
    n_public, n_train = competition.n_public, competition.train_size
    if n_public is None or n_train is None:
        return ", on rows that the leaderboard never saw"
    precision = 1 + n_train / (_REFITTING * n_public)
    return f" and would cut the noise of a step by about {1 - precision**-0.5:.0%}"


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
    if not found or not math.isfinite(found.true_climb):
        return []
    return [
        "From the first submission to the best one the public score gained "
        f"{format_number(found.public_climb, digits=2)}; "
        f"{format_number(found.true_climb, digits=2)} of that is estimated to be "
        f"real (standard error {format_number(found.true_climb_se, digits=2)})."
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
    return [
        f"Select {names_of(facts, picks.best)}: the best of all is among them with "
        f"{format_probability(picks.best.p_holds_best)} probability."
    ]


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
        cost = format_number(max(pair.cost, 0.0), digits=2)
        same = set(pair.positions) == set(picks.best.positions)
        trap = (
            "here that is the same pair"
            if same
            else f"expected to cost {cost} here. Select by hand before the deadline"
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
    )
    told = {}
    for item in results:
        if isinstance(item, Missing | Caveat) and item.field not in _UNNOTED:
            told[item.field] = tell(item, reader)
    return told
