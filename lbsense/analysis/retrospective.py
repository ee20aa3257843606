"""After the end: what private scores say of the luck, the choice and the verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lbsense._result import Missing
from lbsense._typing import BoolArray, FloatArray, Verdict
from lbsense._validation import read_only
from lbsense.analysis.evidence import Evidence, unseen_scores
from lbsense.analysis.references import gains
from lbsense.facts import OWN_PICKS, SELECTED, Retrospective, StepOutcome
from lbsense.model import Competition, History
from lbsense.stats import (
    Covariance,
    DemingResult,
    GapSplitResult,
    HindsightResult,
    PicksResult,
    PrivateOutlookResult,
    band_coverage,
    bayes_fdr_list,
    better_guide,
    deming_line,
    gap_split,
    ordinary_gaps,
    private_rows,
    rank_correlation,
    rule_outcomes,
)

_HOLDS, _FALLS = 0.8, 0.5  # probability of a claim: confirmed from, contradicted below
_FDR = 0.1


def look_back(
    history: History,
    evidence: Evidence,
    verdicts: Sequence[Verdict],
    outlook: PrivateOutlookResult | Missing,
    picks: PicksResult | Missing,
) -> Retrospective | Missing:
    """Return what the private scores say; they must be two at least. No words yet."""
    posterior = evidence.posterior
    if history.competition.greater_is_better is None:
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
    sizes = _Sizes.of(history.competition)
    public = evidence.public
    steps = _steps(evidence, unseen_scores(history)[0], sizes)
    selected = [index for index, item in enumerate(history) if item.selected]
    return Retrospective(
        n_obs=n_obs,
        best_public=_split(_best(public, private), evidence, private, sizes),
        selected=_split(_final(selected, private), evidence, private, sizes),
        coverage=band_coverage(
            private,
            mean=outlook.mean,
            cov=outlook.cov,
            best_public=outlook.best_public,
        )
        if outlook
        else None,
        rules=tuple(
            replace(rule, score=history.competition.direction() * rule.score)
            for rule in rule_outcomes(
                private,
                public=public,
                cv=evidence.cv,
                chosen=_chosen(selected, picks),
                noise_cov=_private_noise(evidence, sizes),
            )
        ),
        transfer=_transfer(public, private, sizes),
        public_private=rank_correlation(public, private),
        cv_private=rank_correlation(evidence.cv, private),
        guides=better_guide(evidence.cv, public, private),
        steps=steps,
        outcomes=_outcomes(verdicts, steps),
        sizes_known=sizes.known,
    )


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Private rows that public scores do not cover, and the share that they do."""

    fresh: float
    seen: float
    known: bool

    @classmethod
    def of(cls, competition: Competition) -> _Sizes:
        n_public, n_private = competition.n_public, competition.n_private
        known = n_public is not None and n_private is not None
        fresh, seen = private_rows(n_public, n_private, nested=bool(competition.nested))
        return cls(fresh, seen, known)


def _best(public: FloatArray, private: FloatArray) -> int:
    both = np.where(np.isfinite(private), public, np.nan)
    return int(np.nanargmax(both)) if np.isfinite(both).any() else -1


def _final(selected: Sequence[int], private: FloatArray) -> int:
    scored = [index for index in selected if np.isfinite(private[index])]
    return max(scored, key=lambda index: private[index], default=-1)


def _split(
    position: int, evidence: Evidence, private: FloatArray, sizes: _Sizes
) -> GapSplitResult | None:
    levels = evidence.levels
    if not levels or position < 0 or not np.isfinite(levels.mean[position]):
        return None
    if not np.isfinite(evidence.public[position]):
        return None
    return gap_split(
        evidence.public,
        private,
        position,
        mean=levels.mean,
        cov=levels.spread,
        noise_corr=levels.noise,
        score_public_var=levels.score_public_var,
        fresh=sizes.fresh,
        seen=sizes.seen,
        score_log_sd=levels.score_log_sd,
    )


def _private_noise(evidence: Evidence, sizes: _Sizes) -> Covariance | None:
    levels = evidence.levels
    if not levels:
        return None
    scale = math.sqrt(levels.score_public_var / sizes.fresh) * (1 - sizes.seen)
    return levels.noise.times(np.full(len(levels.noise), scale))


def _chosen(
    selected: Sequence[int], picks: PicksResult | Missing
) -> dict[str, Sequence[int]]:
    chosen: dict[str, Sequence[int]] = {}
    if selected:
        chosen[SELECTED] = selected
    if picks:
        chosen[OWN_PICKS] = picks.best.positions
    return chosen


def _transfer(
    public: FloatArray, private: FloatArray, sizes: _Sizes
) -> DemingResult | None:
    kept = ordinary_gaps(public, private)
    ratio = (1 - sizes.seen) ** 2 / sizes.fresh
    line = deming_line(
        np.where(kept, public, np.nan),
        np.where(kept, private, np.nan),
        noise_ratio=ratio,
    )
    return line if math.isfinite(line.slope) else None


def _steps(
    evidence: Evidence, unseen: FloatArray, sizes: _Sizes
) -> HindsightResult | Missing:
    """Return the true gains in hindsight, of steps with a private gain."""
    after = evidence.after
    if isinstance(after, Missing):
        return after
    gain = gains(unseen, evidence.reference)
    both = np.isfinite(gain) & evidence.fresh

    def known(values: FloatArray) -> FloatArray:
        return read_only(np.where(both, values, np.nan))

    return HindsightResult(
        private_gain=known(gain),
        private_gain_se=known(after.public_se / math.sqrt(sizes.fresh)),
        gain=known(after.gain),
        gain_se=known(after.gain_se),
        ci_low=known(after.ci_low),
        ci_high=known(after.ci_high),
        p_gain=known(after.p_gain),
        p_null=known(after.p_null),
        p_loss=known(after.p_loss),
        rope=after.rope,
    )


def _outcomes(
    verdicts: Sequence[Verdict], steps: HindsightResult | Missing
) -> tuple[StepOutcome, ...]:
    if not steps:
        return tuple("" for _ in verdicts)
    silent = np.array([verdict in ("guess", "unknown") for verdict in verdicts])
    gained, lost = _found_after(silent, steps)
    told: list[StepOutcome] = []
    for index, verdict in enumerate(verdicts):
        if not math.isfinite(steps.p_gain[index]):
            told.append("")
        elif silent[index]:
            told.append(_late(bool(gained[index]), bool(lost[index])))
        else:
            told.append(_fate(verdict, steps.p_gain[index], steps.p_loss[index]))
    return tuple(told)


def _late(gained: bool, lost: bool) -> StepOutcome:
    if gained:
        return "gain after all"
    return "loss after all" if lost else "still open"


def _fate(verdict: Verdict, p_gain: float, p_loss: float) -> StepOutcome:
    """Return what became of a claim, "" for a verdict that made none."""
    claims = {"progress": p_gain, "setback": p_loss, "chasing": 1 - p_gain}
    if verdict not in claims:
        return ""
    if claims[verdict] >= _HOLDS:
        return "confirmed"
    return "weakened" if claims[verdict] >= _FALLS else "contradicted"


def _found_after(
    silent: BoolArray, steps: HindsightResult
) -> tuple[BoolArray, BoolArray]:
    """Return which silent steps were gains or losses, one in ten of them falsely."""
    p_gain = np.where(silent, steps.p_gain, np.nan)
    p_loss = np.where(silent, steps.p_loss, np.nan)
    return bayes_fdr_list(p_gain, fdr=_FDR), bayes_fdr_list(p_loss, fdr=_FDR)
