"""The answer in plain words, and the one further fact that would sharpen it most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lbsense._format import format_number, plural
from lbsense._typing import Verdict
from lbsense.analysis.evidence import Evidence
from lbsense.analysis.result import Step
from lbsense.model import Competition, History
from lbsense.stats import LuckResult

__all__ = ["headline", "next_fact"]

_REFITTING = 1.8  # noise variance of a CV gain over that of the choice of rows


def headline(
    history: History,
    steps: Sequence[Step],
    evidence: Evidence,
    luck: LuckResult | None,
) -> str:
    """Return what the history shows, in a few sentences."""
    if not history.submissions:
        return "The history is empty."
    counts = Counter(step.verdict for step in steps)
    n_scored = len(steps) - counts["unscored"]
    if n_scored == 0:
        return f"None of {plural(len(steps), 'submission')} has a score."
    if "direction" in evidence.notes:
        return (
            f"{plural(n_scored, 'scored submission')}, but nobody said which way the "
            "score is better: no step can be judged."
        )
    if n_scored == 1:
        return "One scored submission: there is no step to judge yet."
    parts = [
        f"{plural(counts[verdict], *words)}"
        for verdict, words in _WORDS.items()
        if counts[verdict]
    ]
    told = f"{plural(n_scored, 'scored submission')}: {', '.join(parts)}."
    return " ".join([told, *_scale(evidence), *_bests(luck)])


def next_fact(history: History, evidence: Evidence) -> str:
    """Return the one fact that would help most, given what is there already."""
    competition = history.competition
    sized = competition.n_public is not None
    if competition.greater_is_better is None:
        return "Name the metric: it says which way is better, and how noisy a score is."
    if evidence.claims == "both":
        facts = {
            "the metric": competition.metric,
            "test_size": competition.test_size,
            "public_fraction": competition.public_fraction,
            "train_size": competition.train_size,
        }
        lacking = [name for name, value in facts.items() if value is None]
        if lacking:
            return (
                f"Give {', '.join(lacking)}: that would pin down how the noise divides "
                "between CV and public."
            )
        return _beyond_scores(evidence)
    if "cv" in evidence.notes and evidence.claims != "both":
        return (
            "Validation that follows the leaderboard would help most: the CV scores "
            "given could not be used (see the note on cv)."
        )
    if evidence.claims == "none" and not (sized and competition.metric):
        return (
            "CV scores (a column, or 'CV 0.8123' in the description) would help most; "
            "next the metric with test_size and public_fraction."
        )
    return (
        "CV scores (a column, or 'CV 0.8123' in the description) would help most: they "
        f"measure each change a second time{_cut_by_cv(competition)}."
    )


def _beyond_scores(evidence: Evidence) -> str:
    """Return what is left to ask of someone who gave scores and sizes."""
    if evidence.rows is not None:
        return "Name the parent of every submission, and keep CV folds unchanged."
    n_pairs = int(np.isfinite(evidence.disagreement).sum())
    # A standard deviation from n squares has a relative error of 1 / sqrt(2 n).
    percent = 100 * 1.96 / np.sqrt(2 * max(n_pairs, 1))
    return (
        "Out-of-fold predictions (analyze(history, predictions)): the noise of a step "
        f"is known to about {percent:.0f}% from {plural(n_pairs, 'step')} and taken to "
        "be alike for all; predictions give it for every step by itself."
    )


def _cut_by_cv(competition: Competition) -> str:
    """Return by how much CV would cut the noise of a step, where sizes tell."""
    n_public, n_train = competition.n_public, competition.train_size
    if n_public is None or n_train is None:
        return ", on rows that the leaderboard never saw"
    precision = 1 + n_train / (_REFITTING * n_public)
    return f" and would cut the noise of a step by about {1 - precision**-0.5:.0%}"


_WORDS: dict[Verdict, tuple[str, str]] = {
    "progress": ("real gain", "real gains"),
    "guess": ("guess", "guesses"),
    "chasing": ("chase of the leaderboard", "chases of the leaderboard"),
    "setback": ("setback", "setbacks"),
    "repeat": ("repeat", "repeats"),
    "probe": ("probe", "probes"),
    "unknown": ("not knowable", "not knowable"),
}


def _scale(evidence: Evidence) -> list[str]:
    """Return what is known of the noise of a step."""
    noise = evidence.noise
    if np.isfinite(noise.step_se):
        return [
            f"One public step carries noise of about "
            f"{format_number(noise.step_se, digits=2)}."
        ]
    if np.isfinite(noise.step_se_high):
        return [
            f"One public step carries noise of at most "
            f"{format_number(noise.step_se_high, digits=2)}."
        ]
    if np.isfinite(noise.rerun_se) and noise.rerun_se > 0:
        return [
            f"Re-running one submission alone moves a difference by "
            f"{format_number(noise.rerun_se, digits=2)}."
        ]
    return []


def _bests(luck: LuckResult | None) -> list[str]:
    """Return how many of the new public bests are expected to be luck."""
    if luck is None or not luck.positions.size:
        return []
    return [
        f"Of {plural(luck.positions.size, 'new public best')} about "
        f"{luck.expected_luck:.0f} are expected to be luck."
    ]
