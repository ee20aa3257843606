"""What follows for the whole history: level, outlook, picks, luck and resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lbsense._result import Missing
from lbsense.analysis.evidence import Evidence
from lbsense.analysis.references import gains
from lbsense.metrics import find_metric
from lbsense.model import Competition, History
from lbsense.stats import (
    AgreementResult,
    LadderResult,
    LuckResult,
    PicksResult,
    PrivateOutlookResult,
    QueryLimitsResult,
    ResolutionResult,
    StepPosteriorResult,
    best_pair,
    gain_agreement,
    ladder_replay,
    luck_of_bests,
    new_bests,
    private_outlook,
    public_resolution,
    query_limits,
    visible_correlation,
)

__all__ = ["Expectations", "agreement_of", "expect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Results about the history as a whole, or why they cannot be known. Oriented."""

    outlook: PrivateOutlookResult | Missing
    picks: PicksResult | Missing
    luck: LuckResult | Missing
    resolution: ResolutionResult | Missing
    limits: QueryLimitsResult | Missing
    ladder: LadderResult | Missing


def expect(history: History, evidence: Evidence, *, shift_sd: float) -> Expectations:
    """Return what the evidence says of the history as a whole."""
    competition = history.competition
    outlook, picks, luck = _from_levels(competition, evidence, shift_sd)
    resolution, ladder = _from_noise(competition, evidence)
    return Expectations(
        outlook=outlook,
        picks=picks,
        luck=luck,
        resolution=resolution,
        limits=_limits(competition, evidence),
        ladder=ladder,
    )


def agreement_of(history: History, evidence: Evidence) -> AgreementResult | Missing:
    """Return how CV and public scores agree."""
    fresh = evidence.fresh
    public_gain = np.where(fresh, evidence.public_gain, np.nan)
    cv_gain = np.where(fresh, evidence.cv_gain, np.nan)
    if not np.isfinite(cv_gain).any():
        return Missing("agreement", "No step has a public and a CV gain.", ("cv",))
    posterior, known = evidence.posterior, evidence.claims == "both"
    noise: dict[str, float] = {}
    if posterior and known:
        paired = np.isfinite(posterior.cv_se) & np.isfinite(posterior.public_se)
        public_var = float(np.square(posterior.public_se[paired]).mean())
        noise = {
            "public_step_var": public_var,
            "cv_step_var": float(np.square(posterior.cv_se[paired]).mean()),
            "perfect_r": visible_correlation(
                posterior.gain[paired],
                posterior.gain_se[paired],
                posterior.public_se[paired],
            ),
            "cv_sampling_var": public_var * _row_ratio(history.competition, evidence),
        }
    return gain_agreement(
        evidence.cv, evidence.public, cv_gain, public_gain,
        confidence_level=posterior.confidence_level if posterior else 0.95,
        **noise,
    )  # fmt: skip


def _row_ratio(competition: Competition, evidence: Evidence) -> float:
    """Return public rows per training row, nan where a size is not known."""
    n_train = evidence.rows.n_train if evidence.rows else competition.train_size
    if competition.n_public is None or n_train is None:
        return float("nan")
    return competition.n_public / n_train


def _from_levels(
    competition: Competition, evidence: Evidence, shift_sd: float
) -> tuple[PrivateOutlookResult | Missing, PicksResult | Missing, LuckResult | Missing]:
    levels, posterior = evidence.levels, evidence.posterior
    if isinstance(levels, Missing):
        return (
            replace(levels, field="outlook"),
            replace(levels, field="picks"),
            replace(levels, field="luck"),
        )
    scored = np.where(np.isfinite(evidence.public), levels.mean, np.nan)
    nested = bool(competition.nested)
    cov = levels.cov()
    outlook = private_outlook(
        scored,
        cov,
        public=evidence.public,
        score_public_var=levels.score_public_var,
        noise_corr=levels.noise_corr(),
        n_public=competition.n_public,
        n_private=competition.n_private,
        nested=nested,
        shift_sd=shift_sd,
        score_log_sd=levels.score_log_sd,
    )
    # A file sent again is no second candidate.
    same = ~evidence.fresh & (evidence.public_gain == 0)
    picks = best_pair(
        np.where(same, np.nan, outlook.mean),
        outlook.cov,
        public=evidence.public,
        cv=evidence.cv,
    )
    luck: LuckResult | Missing = Missing(
        "luck",
        "Public scores alone cannot tell a climb from luck: a history without any "
        "true gain climbs too.",
        ("cv", "predictions"),
    )
    if posterior and evidence.claims == "both":
        luck = luck_of_bests(
            evidence.public,
            levels.mean,
            cov,
            rope=posterior.rope,
            reference=evidence.reference,
            p_gain=posterior.p_gain,
        )
    return outlook, picks, luck


def _from_noise(
    competition: Competition, evidence: Evidence
) -> tuple[ResolutionResult | Missing, LadderResult | Missing]:
    posterior, public = evidence.posterior, evidence.public
    if not posterior or evidence.claims != "both":
        missing = _needs_noise(posterior)
        return missing, replace(missing, field="ladder")
    se = posterior.public_se
    return (
        public_resolution(
            public,
            gains(public, evidence.reference),
            se,
            shown_step=_shown_step(competition),
        ),
        ladder_replay(public, np.where(np.isfinite(public), se, np.nan)),
    )


def _needs_noise(posterior: StepPosteriorResult | Missing) -> Missing:
    reason = "Needs the noise of a step"
    if isinstance(posterior, Missing) and posterior.field == "gain":
        return Missing("resolution", f"{reason}: {posterior.reason}", posterior.need)
    return Missing("resolution", reason, ("cv", "predictions"))


def _limits(
    competition: Competition, evidence: Evidence
) -> QueryLimitsResult | Missing:
    public, n_public = evidence.public, evidence.noise.n_public
    n_scores = int(np.isfinite(public).sum())
    if not (n_public and n_scores and _in_01(competition)):
        return Missing(
            "limits", "Known for accuracy on a public set of known size only."
        )
    n_new = int(new_bests(public).sum()) - 1  # the first score is none
    return query_limits(n_scores, n_public=n_public, n_new_bests=n_new)


def _shown_step(competition: Competition) -> float | None:
    """Return the distance of neighbouring scores on the board, None if unknown."""
    steps = []
    if competition.display_decimals is not None:
        steps.append(10.0**-competition.display_decimals)
    if competition.n_public and _in_01(competition):
        steps.append(1 / competition.n_public)
    return max(steps) if steps else None


def _in_01(competition: Competition) -> bool:
    if competition.metric is None:
        return False
    try:
        return find_metric(competition.metric).is_share
    except ValueError:
        return False
