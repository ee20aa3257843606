"""What follows for the whole history: level, outlook, picks, luck and resolution."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lbsense._result import Missing
from lbsense._typing import FloatArray, ScoreKind
from lbsense._validation import read_only
from lbsense.analysis.evidence import Evidence, on_another_scale
from lbsense.analysis.noise import LOG_DISTINCT, LOG_DISTINCT_SD, metric_of
from lbsense.analysis.observe import gains, one_scale
from lbsense.facts import PublicAlone, RowCount, ScoreGap
from lbsense.model import Competition, History
from lbsense.stats import (
    AgreementResult,
    ClimbResult,
    LadderResult,
    LevelPosteriorResult,
    LuckResult,
    PairResult,
    PicksResult,
    PrivateOutlookResult,
    QueryLimitsResult,
    ResolutionResult,
    StepPosteriorResult,
    best_pair,
    gain_agreement,
    jumps_of_climb,
    ladder_replay,
    luck_of_bests,
    new_bests,
    private_outlook,
    public_resolution,
    query_limits,
    rank_correlation,
    rows_to_tell,
    score_gap,
    usual_rules,
    visible_correlation,
)

# Weight of those who pick by public score or by CV alone: docs/semi_real.md.
_ALONE = 0.1
_SURE_CLIMB = 2.0  # standard errors from which a climb is told step by step
_SIZES = (1_000, 10_000, 100_000)  # public sets, where nothing tells how many rows
_TO_SD = 1.4826  # median absolute deviation of a normal, inverted


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """Results about the history as a whole, or why they cannot be known. Oriented."""

    outlook: PrivateOutlookResult | Missing
    picks: PicksResult | Missing
    luck: LuckResult | Missing
    resolution: ResolutionResult | Missing
    limits: QueryLimitsResult | Missing
    ladder: LadderResult | Missing
    climb: ClimbResult | Missing
    gaps: tuple[ScoreGap, ...]
    alone: PublicAlone | Missing
    rows_needed: tuple[FloatArray, FloatArray, FloatArray] | None


def expect(history: History, evidence: Evidence, *, shift_sd: float) -> Expectations:
    """Return what the evidence says of the history as a whole."""
    competition = history.competition
    outlook, picks, luck = _from_levels(history, evidence, shift_sd)
    contradiction = _contradiction(evidence)
    if not picks or math.isfinite(contradiction):
        usual = _usual_pair(history, evidence)
        picks = replace(usual, contradiction=contradiction) if usual else picks
    alone, rows_needed = _public_alone(evidence)
    resolution, ladder = _from_noise(competition, evidence)
    return Expectations(
        outlook=outlook,
        picks=picks,
        luck=luck,
        resolution=resolution,
        limits=_limits(competition, evidence),
        ladder=ladder,
        climb=_climb(evidence),
        gaps=tuple(_gaps(history, evidence)),
        alone=alone,
        rows_needed=rows_needed,
    )


def _contradiction(evidence: Evidence) -> float:
    """Return the rank correlation of CV and public gains that deny each other, or nan.

    Gains, since levels drift: the public score of who chases it climbs by luck alone
    while CV falls, which the model knows.
    """
    fresh = evidence.fresh
    found = rank_correlation(
        np.where(fresh, evidence.cv_gain, np.nan),
        np.where(fresh, evidence.public_gain, np.nan),
    )
    return found.statistic if found.ci_high < 0 else math.nan


def _usual_pair(history: History, evidence: Evidence) -> PicksResult | None:
    """Return the pair of the usual rules, where no level is known or to be trusted.

    Best public and best CV where both are there, else the two best of what is there.
    Where nobody said which way is better, or nothing has a score, the latest two: there
    always is a pair, but of an empty history.
    """
    directed = history.competition.greater_is_better is not None
    public, cv = evidence.public, evidence.cv
    if not directed:
        public = history.raw_scores("public")
        cv = np.full(len(public), np.nan)
    same = ~evidence.fresh & (evidence.public_gain == 0)
    known = np.flatnonzero(np.isfinite(public) & ~same)
    basis, by = "public", public
    if directed and not known.size:
        by = history.scores("cv")
        known, basis = np.flatnonzero(np.isfinite(by)), "cv"
    if not known.size:
        known, basis = np.flatnonzero([item.status != "error" for item in history]), ""
    if not known.size:
        return None
    rules: dict[str, PairResult] = {}
    if basis == "public" and directed:
        rules = {
            rule: PairResult(
                rule=rule, first=int(known[first]), second=int(known[second])
            )
            for rule, (first, second) in usual_rules(public[known], cv[known]).items()
        }
    order = (
        ("best public and best CV", "public and cv"),
        ("two best public", "public"),
    )
    found = next(((rules[rule], told) for rule, told in order if rule in rules), None)
    if found is None:
        if (directed and basis) or (basis and len(known) <= 2):
            two = known[np.argsort(-by[known], kind="stable")[:2]]
            rule = {"cv": "two best CV"}.get(basis, "the only one")
        else:
            two, rule, basis = known[-2:][::-1], "last two", "latest"
        pair = PairResult(rule=rule, first=int(two[0]), second=int(two[-1]))
        found = pair, basis
    return PicksResult(
        best=found[0],
        runner_up=None,
        rules=tuple(rules.values()),
        n_obs=len(known),
        basis=found[1],
    )


def _climb(evidence: Evidence) -> ClimbResult | Missing:
    """Return the few steps that made the climb, with private scores where they are."""
    missing = Missing("climb", "No climb is known to be real.")
    scored = np.flatnonzero(np.isfinite(evidence.public))
    if not scored.size:
        return missing
    after, levels, posterior = evidence.after, evidence.levels, evidence.posterior
    if after:
        gain, se, scale = after.gain, after.gain_se, after.scale
    elif levels and posterior and evidence.claims == "both":
        gain, se = gains(levels.mean, evidence.reference), posterior.gain_se
        scale = posterior.scale
    else:
        return missing
    gain, se = scale * gain, scale * se
    fresh = evidence.fresh
    found = jumps_of_climb(
        np.where(fresh, gain, 0.0),
        np.where(fresh, np.square(se), 0.0),
        evidence.reference,
        root=int(scored[0]),
    )
    if found is None or not found.climb > _SURE_CLIMB * found.climb_se:
        return missing
    return found


def _gaps(history: History, evidence: Evidence) -> Iterator[ScoreGap]:
    """Yield how far kinds of score lie apart, where they are on one scale."""
    competition = history.competition
    pairs: tuple[tuple[ScoreKind, ScoreKind], ...] = (
        ("private", "public"),
        ("public", "cv"),
        ("private", "cv"),
    )
    for kind, minus in pairs:
        one, other = history.raw_scores(kind), history.raw_scores(minus)
        if minus == "cv":
            other = np.where(evidence.validation.current, other, np.nan)
        if minus == "cv" and (
            competition.cv_direction() != competition.direction()
            if competition.greater_is_better is not None
            else True
        ):
            continue
        if minus == "cv" and not evidence.cv_sign > 0:
            continue
        found = score_gap(other, one)
        both = np.isfinite(one) & np.isfinite(other)
        if found is not None and one_scale(one[both], other[both]):
            yield ScoreGap(kind=kind, minus=minus, found=found)


def _public_alone(
    evidence: Evidence,
) -> tuple[PublicAlone | Missing, tuple[FloatArray, FloatArray, FloatArray] | None]:
    """Return what would have to be true for public scores alone to tell a step."""
    noise = evidence.noise
    moved = np.where(evidence.fresh, evidence.public_gain, np.nan)
    n_steps = int(np.isfinite(moved).sum())
    if evidence.claims == "both" or not n_steps or not 0 < noise.score_sd < np.inf:
        return Missing(
            "alone", "Told where public scores and the metric are all that is known."
        ), None
    open_sd = math.hypot(LOG_DISTINCT_SD, noise.score_log_sd)
    least, typical, most = rows_to_tell(
        moved, row_sd=noise.score_sd, log_distinct=LOG_DISTINCT, log_sd=open_sd
    )
    sizes = (noise.n_public,) if noise.n_public else _SIZES
    counts = tuple(
        RowCount(
            n_rows=size,
            least=int((most <= size).sum()),
            typical=int((typical <= size).sum()),
            most=int((least <= size).sum()),
        )
        for size in sizes
    )
    alone = PublicAlone(n_steps=n_steps, n_public=noise.n_public, counts=counts)
    return alone, (least, typical, most)


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
            "perfect_r": float(
                np.fmax(
                    visible_correlation(
                        posterior.gain[paired],
                        posterior.gain_se[paired],
                        posterior.public_se[paired],
                    ),
                    _least_visible(public_gain[paired], evidence.noise.step_se_high),
                )
            ),
            "cv_sampling_var": public_var * _row_ratio(history.competition, evidence),
        }
    found = gain_agreement(
        evidence.cv, evidence.public, cv_gain, public_gain,
        confidence_level=posterior.confidence_level if posterior else 0.95,
        **noise,
    )  # fmt: skip
    scales = evidence.validation.scales(
        public_gain, evidence.reference, evidence.cv_slopes
    )
    found, scale = replace(found, scales=scales), evidence.cv_scale
    if found.line is None or not scale:
        return found
    # The scores were compared on the scale of the public one; the line is of CV as it
    # was given.
    line = replace(
        found.line,
        slope=found.line.slope * scale,
        slope_se=found.line.slope_se * abs(scale),
        x_mean=found.line.x_mean / scale,
        x_square_sum=found.line.x_square_sum / scale**2,
    )
    return replace(found, line=line)


def _least_visible(public_gain: FloatArray, most: float) -> float:
    """Return the least correlation of public and true gains that noise can leave.

    The metric and the sizes bound the noise of a step from above: public gains that are
    wider than that are true ones, whatever CV says. nan where there is no bound.
    """
    width = _TO_SD * float(np.median(np.abs(public_gain)))
    if not (0 < most < np.inf and width > most):
        return float("nan")
    return math.sqrt(1 - (most / width) ** 2)


def _row_ratio(competition: Competition, evidence: Evidence) -> float:
    """Return public rows per training row, nan where a size is not known."""
    n_train = evidence.rows.n_train if evidence.rows else None
    n_train = n_train or competition.train_size
    if competition.n_public is None or n_train is None:
        return float("nan")
    return competition.n_public / n_train


def _from_levels(
    history: History, evidence: Evidence, shift_sd: float
) -> tuple[PrivateOutlookResult | Missing, PicksResult | Missing, LuckResult | Missing]:
    levels, posterior = evidence.levels, evidence.posterior
    competition = history.competition
    if isinstance(levels, Missing):
        return (
            replace(levels, field="outlook"),
            replace(levels, field="picks"),
            replace(levels, field="luck"),
        )
    scored = np.where(np.isfinite(evidence.public), levels.mean, np.nan)
    nested = bool(competition.nested)
    outlook = private_outlook(
        scored,
        levels.spread,
        public=evidence.public,
        score_public_var=levels.score_public_var,
        noise_corr=levels.noise,
        n_public=competition.n_public,
        n_private=competition.n_private,
        nested=nested,
        shift_sd=shift_sd,
        score_log_sd=levels.score_log_sd,
    )
    outlook = _possible(outlook, competition)
    # A file sent again is no second candidate.
    same = ~evidence.fresh & (evidence.public_gain == 0)
    picks = best_pair(
        np.where(same, np.nan, outlook.mean),
        outlook.cov,
        public=evidence.public,
        cv=evidence.cv,
        alone=_ALONE,
        n_selections=competition.n_selections or 2,
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
            levels.spread,
            rope=posterior.rope,
            reference=evidence.reference,
            p_gain=posterior.p_gain,
            scale=posterior.scale,
            noise_known=bool(evidence.rows),
            **_private(evidence, levels),
        )
    return outlook, picks, luck


def _private(evidence: Evidence, levels: LevelPosteriorResult) -> dict[str, Any]:
    """Return private scores and their noise, where they are on the scale of public."""
    own = evidence.unseen_gain
    if not evidence.after or on_another_scale(evidence.public_gain, own):
        return {}
    scale = math.sqrt(levels.score_public_var / evidence.unseen_rows)
    noise = levels.noise.times(np.full(len(own), scale))
    return {"private": evidence.unseen, "private_noise": noise}


def _possible(
    outlook: PrivateOutlookResult, competition: Competition
) -> PrivateOutlookResult:
    """Return bands that end where the metric does."""
    metric = metric_of(competition)
    if metric is None:
        return outlook
    sign = competition.direction()
    low, high = sorted((sign * metric.low, sign * metric.high))
    names = ("ci80_low", "ci80_high", "ci95_low", "ci95_high")
    cut = {
        name: read_only(np.clip(getattr(outlook, name), low, high)) for name in names
    }
    return replace(outlook, **cut)


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
            evidence.public_gain,
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
    metric = metric_of(competition)
    return metric is not None and metric.is_share
