"""Looking back: what private scores say in the end, and what was learned of reasons.

Private scores tell of luck, choice and verdicts; a ledger tells what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lbsense._result import Missing
from lbsense._typing import FloatArray, Verdict
from lbsense._validation import read_only
from lbsense.analysis.evidence import Evidence
from lbsense.facts import (
    OWN_PICKS,
    SELECTED,
    Learning,
    Retrospective,
    Step,
    StepOutcome,
)
from lbsense.model import Experiment, History, ReasonedStep, ReasonOutcome
from lbsense.stats import (
    ExpectationResult,
    GapSplitResult,
    PicksResult,
    PrivateOutlookResult,
    StepPosteriorResult,
    band_coverage,
    bayes_fdr_list,
    better_guide,
    count_of,
    deming_line,
    expectation_calibration,
    gap_split,
    information_of,
    ordinary_gaps,
    private_rows,
    rank_correlation,
    rule_outcomes,
)

_HOLDS, _FALLS = 0.8, 0.5  # probability of a claim: confirmed from, contradicted below
_FDR = 0.1
_NO_STEP = frozenset({"baseline", "repeat", "probe", "unscored"})
_KINDS = ("gain", "null", "loss")
# Standard error of the scale that brings CV gains to public ones: 0.19 over simulated
# histories of 40 submissions whose scale is 1. All measured gains share it.
_SCALE_SE = 0.2


def look_back(
    history: History,
    evidence: Evidence,
    verdicts: Sequence[Verdict],
    outlook: PrivateOutlookResult | Missing,
    picks: PicksResult | Missing,
) -> Retrospective | Missing:
    """Return what the private scores say; they must be two at least. No words yet."""
    posterior, competition = evidence.posterior, history.competition
    if competition.greater_is_better is None:
        why = posterior if isinstance(posterior, Missing) else Missing("", "")
        return replace(why, field="retrospective")
    private = history.scores("private")
    n_obs = int(np.isfinite(private).sum())
    if n_obs < 2:
        return Missing(
            "retrospective",
            "Needs private scores of at least two submissions, which come after the "
            f"close (now {n_obs}).",
            ("private",),
        )
    sizes = competition.n_public, competition.n_private
    fresh, seen = private_rows(*sizes, nested=bool(competition.nested))
    public, levels = evidence.public, evidence.levels
    noise = None
    if levels:
        scale = math.sqrt(levels.score_public_var / fresh) * (1 - seen)
        noise = levels.noise.times(np.full(len(private), scale))
    scored = np.flatnonzero(np.isfinite(private))
    selected = [index for index, item in enumerate(history) if item.selected]
    chosen: dict[str, Sequence[int]] = {SELECTED: selected} if selected else {}
    if picks:
        chosen[OWN_PICKS] = picks.best.positions
    rules = rule_outcomes(
        private, public=public, cv=evidence.cv, chosen=chosen, noise_cov=noise
    )
    kept = ordinary_gaps(public, private)
    line = deming_line(
        np.where(kept, public, np.nan),
        np.where(kept, private, np.nan),
        noise_ratio=(1 - seen) ** 2 / fresh,
    )
    steps = _steps(evidence)

    def split(candidates: Sequence[int], scores: FloatArray) -> GapSplitResult | None:
        """Return the gap of the best of some by a score, None where it is unknown."""
        known = [index for index in candidates if np.isfinite(scores[index])]
        position = max(known, key=lambda index: scores[index], default=-1)
        if not levels or position < 0:
            return None
        if not np.isfinite(public[position] + levels.mean[position]):
            return None
        return gap_split(
            public,
            private,
            position,
            mean=levels.mean,
            cov=levels.spread,
            noise_corr=levels.noise,
            score_public_var=levels.score_public_var,
            fresh=fresh,
            seen=seen,
            score_log_sd=levels.score_log_sd,
        )

    return Retrospective(
        n_obs=n_obs,
        best_public=split(scored.tolist(), public),
        selected=split(selected, private),
        coverage=band_coverage(
            private,
            mean=outlook.mean,
            cov=outlook.cov,
            best_public=outlook.best_public,
        )
        if outlook
        else None,
        rules=tuple(
            replace(rule, score=competition.direction() * rule.score) for rule in rules
        ),
        transfer=line if math.isfinite(line.slope) else None,
        public_private=rank_correlation(public, private),
        cv_private=rank_correlation(evidence.cv, private),
        guides=better_guide(evidence.cv, public, private),
        steps=steps,
        outcomes=_outcomes(verdicts, steps),
        sizes_known=None not in sizes,
    )


def _steps(evidence: Evidence) -> StepPosteriorResult | Missing:
    """Return the true gains in hindsight, of steps with a private gain."""
    after = evidence.after
    if isinstance(after, Missing):
        return after
    both = np.isfinite(evidence.unseen_gain) & evidence.fresh
    names = ("p_gain", "p_null", "p_loss", "gain", "gain_se", "ci_low", "ci_high")
    known: dict[str, Any] = {}
    for place, name in enumerate(names):
        scale = 1.0 if place < len(_KINDS) else after.scale
        known[name] = read_only(np.where(both, scale * getattr(after, name), np.nan))
    return replace(after, scale=1.0, **known)


def _outcomes(
    verdicts: Sequence[Verdict], steps: StepPosteriorResult | Missing
) -> tuple[StepOutcome, ...]:
    """Return what became of every verdict; of silent ones a tenth falsely at most."""
    if not steps:
        return tuple("" for _ in verdicts)
    silent = np.array([verdict in ("guess", "unknown") for verdict in verdicts])
    gained, lost = (
        bayes_fdr_list(np.where(silent, p, np.nan), fdr=_FDR)
        for p in (steps.p_gain, steps.p_loss)
    )
    told: list[StepOutcome] = []
    for index, verdict in enumerate(verdicts):
        p_gain, p_loss = float(steps.p_gain[index]), float(steps.p_loss[index])
        claims = {"progress": p_gain, "setback": p_loss, "chasing": 1 - p_gain}
        if math.isfinite(p_gain) and silent[index]:
            late: StepOutcome = "loss after all" if lost[index] else "still open"
            told.append("gain after all" if gained[index] else late)
        elif math.isfinite(p_gain) and verdict in claims:
            fate: StepOutcome = "contradicted"
            if claims[verdict] >= _FALLS:
                fate = "confirmed" if claims[verdict] >= _HOLDS else "weakened"
            told.append(fate)
        else:
            told.append("")
    return tuple(told)


def learn(history: History, steps: Sequence[Step]) -> Learning | Missing:
    """Return what the steps of a history say about what was expected of them."""
    ledger = history.ledger
    if ledger is None:
        return Missing("learning", "No ledger says what was tried and why", ("ledger",))
    of = {item.submission_id: item for item in ledger if item.submission_id}
    known = [(i, s) for i, s in enumerate(steps) if s.verdict not in _NO_STEP]
    known = [(i, s) for i, s in known if s.reference_id is not None]
    chances = np.array(
        [[_chance(step, kind) for kind in _KINDS] for _, step in known]
    ).reshape(-1, 3)
    bits = information_of(chances)
    told = tuple(
        _reasoned(position, step, of.get(step.submission_id), float(learned))
        for (position, step), learned in zip(known, bits, strict=True)
    )
    hoped = np.array(
        [row[_hoped(item)] for item, row in zip(told, chances, strict=True)]
    )
    reasons = np.array([item.hypothesis is not None for item in told], dtype=bool)
    average = chances[np.isfinite(bits)].mean(axis=0) if np.isfinite(bits).any() else []
    return Learning(
        n_experiments=len(ledger),
        n_submitted=len(of),
        n_failed=sum(item.status == "failed" for item in ledger),
        steps=told,
        with_reason=count_of(hoped[reasons]),
        without_reason=count_of(hoped[~reasons]),
        calibration=_calibration(told, [step for _, step in known], of),
        bits=float(np.nanmean(bits)) if np.isfinite(bits).any() else math.nan,
        bits_at_most=-sum(float(p * np.log2(p)) for p in average if p > 0)
        if len(average)
        else math.nan,
    )


def _chance(step: Step, kind: str) -> float:
    """Return a probability of a step: in hindsight, where that is known."""
    after = getattr(step, f"hindsight_p_{kind}")
    value = getattr(step, f"p_{kind}") if after is None else after
    return math.nan if value is None else value


def _hoped(item: ReasonedStep) -> int:
    """Return which of the kinds was expected: a gain, where nobody says otherwise."""
    if item.expected is None or item.expected > 0:
        return 0
    return 1 if item.expected == 0 else 2


def _reasoned(
    position: int, step: Step, entry: Experiment | None, bits: float
) -> ReasonedStep:
    expected = None if entry is None else entry.expected
    found, found_se, _ = _measured(step)
    return ReasonedStep(
        position=position,
        submission_id=step.submission_id,
        experiment=None if entry is None else entry.name,
        hypothesis=None if entry is None else entry.hypothesis,
        expected=None if expected is None else expected.gain,
        expected_low=None if expected is None else expected.low,
        expected_high=None if expected is None else expected.high,
        found=found,
        found_se=found_se,
        outcome=_outcome(step, 1 if expected is None else expected.gain),
        bits=bits if math.isfinite(bits) else None,
    )


def _outcome(step: Step, expected: float) -> ReasonOutcome:
    """Return what became of a reason, by the verdict and what became of that."""
    gained = step.verdict == "progress", step.verdict == "setback"
    if step.outcome in ("weakened", "still open"):
        gained = False, False
    elif step.outcome in ("gain after all", "loss after all"):
        gained = step.outcome == "gain after all", step.outcome == "loss after all"
    elif step.outcome == "contradicted":
        gained = gained[1], gained[0]
    up, down = gained
    if expected == 0:
        return "contradicted" if up or down else "open"
    if up or down:
        return "borne out" if up == (expected > 0) else "contradicted"
    return "open"


def _measured(step: Step) -> tuple[float | None, float | None, float]:
    """Return the gain that both scores measure, its error, and the weight of CV."""
    pairs = [
        (gain, error)
        for gain, error in (
            (step.public_gain, step.public_gain_se),
            (step.cv_gain, step.cv_gain_se),
        )
        if gain is not None and error is not None and error > 0
    ]
    if not pairs:
        return None, None, 0.0
    total = sum(error**-2 for _, error in pairs)
    gain = sum(gain * error**-2 for gain, error in pairs) / total
    has_cv = pairs[-1] == (step.cv_gain, step.cv_gain_se)
    return gain, total**-0.5, pairs[-1][1] ** -2 / total if has_cv else 0.0


def _calibration(
    told: Sequence[ReasonedStep], steps: Sequence[Step], of: dict[str, Experiment]
) -> ExpectationResult | Missing:
    used = [i for i, item in enumerate(told) if item.expected is not None]
    items = [told[i] for i in used]
    if len(items) < 3:
        reason = "Too few steps have an expected gain to compare it with what was found"
        return Missing("calibration", reason, ("expectations",))
    if sum(item.found is not None for item in items) < 3:
        reason = "The noise of the steps is not known, so that no gain is measured"
        return Missing(
            "calibration", reason, ("metric", "test_size", "public_fraction", "cv")
        )
    ranged = (of[item.submission_id].expected for item in items)
    levels = [item.confidence for item in ranged if item and item.low is not None]
    found = expectation_calibration(
        [_or_nan(item.expected) for item in items],
        [_or_nan(item.found) for item in items],
        _noise([steps[i] for i in used], items),
        low=[_or_nan(item.expected_low) for item in items],
        high=[_or_nan(item.expected_high) for item in items],
        range_level=float(np.mean(levels)) if levels else 0.8,
        scale_se=_SCALE_SE * float(np.mean([_measured(steps[i])[2] for i in used])),
    )
    if found is None:
        reason = "Too few steps are expected to change anything"
        return Missing("calibration", reason, ("expectations",))
    return found


def _noise(steps: Sequence[Step], items: Sequence[ReasonedStep]) -> FloatArray:
    """Return the covariance of measured gains: steps share the scores between them."""
    names: dict[str, int] = {}
    for step in steps:
        for name in _ends(step):
            names.setdefault(name, len(names))
    differences = np.zeros((len(steps), len(names)))
    for row, step in enumerate(steps):
        for name, sign in zip(_ends(step), (1.0, -1.0), strict=True):
            differences[row, names[name]] += sign
    errors = np.array([_or_nan(item.found_se) for item in items])
    noise: FloatArray = differences @ differences.T / 2 * np.outer(errors, errors)
    return noise


def _ends(step: Step) -> Iterator[str]:
    yield step.submission_id
    yield step.reference_id or ""


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
