"""What follows for the whole history: level, outlook, picks, luck and resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lbsense.analysis._cv_scale import gains
from lbsense.analysis.evidence import Evidence
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
    best_pair,
    gain_agreement,
    ladder_replay,
    luck_of_bests,
    new_bests,
    private_outlook,
    public_resolution,
    query_limits,
)

__all__ = ["Expectations", "agreement_of", "expect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Results about the history as a whole, None where they cannot be known."""

    outlook: PrivateOutlookResult | None = None
    picks: PicksResult | None = None
    luck: LuckResult | None = None
    resolution: ResolutionResult | None = None
    limits: QueryLimitsResult | None = None
    ladder: LadderResult | None = None


def expect(history: History, evidence: Evidence, *, shift_sd: float) -> Expectations:
    """Return what the evidence says of the history as a whole."""
    competition = history.competition
    return Expectations(
        **_from_levels(competition, evidence, shift_sd),
        **_from_noise(competition, evidence),
    )


def agreement_of(history: History, evidence: Evidence) -> AgreementResult | None:
    """Return how CV and public scores agree, None without a pair of gains."""
    fresh = evidence.fresh
    public_gain = np.where(fresh, evidence.public_gain, np.nan)
    cv_gain = np.where(fresh, evidence.cv_gain, np.nan)
    if not np.isfinite(cv_gain).any():
        return None
    posterior, known = evidence.posterior, evidence.claims == "both"
    noise: dict[str, float] = {}
    if posterior is not None and known:
        paired = np.isfinite(posterior.cv_se) & np.isfinite(posterior.public_se)
        public_var = float(np.square(posterior.public_se[paired]).mean())
        noise = {
            "public_step_var": public_var,
            "cv_step_var": float(np.square(posterior.cv_se[paired]).mean()),
            "gain_var": float(
                np.mean(posterior.gain[paired] ** 2 + posterior.gain_se[paired] ** 2)
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
) -> dict[str, Any]:
    levels, posterior = evidence.levels, evidence.posterior
    if levels is None or not np.isfinite(levels.mean).any():
        lacking = evidence.notes.get("gain", "no submission has a known level.")
        reason = evidence.notes.get(
            "levels", "Needs the noise of a score or of a step: " + lacking
        )
        for name in ("levels", "outlook", "picks", "luck"):
            evidence.notes.setdefault(name, reason)
        return {}
    scored = np.where(np.isfinite(evidence.public), levels.mean, np.nan)
    nested = bool(competition.nested)
    outlook = private_outlook(
        scored,
        levels.cov,
        public=evidence.public,
        score_public_var=levels.score_public_var,
        noise_corr=levels.noise_corr,
        n_public=competition.n_public,
        n_private=competition.n_private,
        nested=nested,
        shift_sd=shift_sd,
    )
    # A file sent again is no second candidate.
    same = ~evidence.fresh & (evidence.public_gain == 0)
    picks = best_pair(
        np.where(same, np.nan, outlook.mean),
        outlook.cov,
        public=evidence.public,
        cv=evidence.cv,
    )
    luck = None
    if posterior is not None and evidence.claims == "both":
        luck = luck_of_bests(
            evidence.public,
            levels.mean,
            levels.cov,
            rope=posterior.rope,
            reference=evidence.reference,
            p_gain=posterior.p_gain,
        )
    else:
        evidence.notes["luck"] = (
            "Public scores alone cannot tell a climb from luck: a history without any "
            "true gain climbs too. Give CV scores or predictions."
        )
    return {"outlook": outlook, "picks": picks, "luck": luck}


def _from_noise(competition: Competition, evidence: Evidence) -> dict[str, Any]:
    public, noise = evidence.public, evidence.noise
    n_scores = int(np.isfinite(public).sum())
    found: dict[str, Any] = {}
    if evidence.claims != "both" or evidence.posterior is None:
        reason = "Needs the noise of a step: " + evidence.notes.get(
            "gain", "give CV scores or predictions."
        )
        evidence.notes.setdefault("resolution", reason)
        evidence.notes.setdefault("ladder", reason)
    else:
        se = evidence.posterior.public_se
        found = {
            "resolution": public_resolution(
                public,
                gains(public, evidence.reference),
                se,
                shown_step=_shown_step(competition),
            ),
            "ladder": ladder_replay(public, np.where(np.isfinite(public), se, np.nan)),
        }
    if noise.n_public and n_scores and _in_01(competition):
        found["limits"] = query_limits(
            n_scores,
            n_public=noise.n_public,
            n_new_bests=int(new_bests(public).sum()) - 1,
        )
    else:
        evidence.notes.setdefault(
            "limits",
            "Known for accuracy on a public set of known size only.",
        )
    return found


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
