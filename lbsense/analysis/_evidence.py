"""How much evidence a history holds, and the posterior of its steps at that level."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lbsense._typing import BoolArray, FloatArray, IntArray
from lbsense.analysis._noise import NoiseScale, noise_scale
from lbsense.analysis._references import references, repeat_groups
from lbsense.model import History
from lbsense.stats import (
    RankCorrelationResult,
    StepPosteriorResult,
    fixed_noise,
    learned_noise,
    rank_correlation,
    reference_luck,
    step_posterior,
)

__all__ = ["Evidence", "gather"]

_FEWEST_PAIRS = 5  # CV and public gains of one step needed to learn their noise
_FEWEST_TO_COMPARE = 8  # pairs before CV is taken for another metric
_CLOSE = 0.8  # rank correlation of levels that drift alone seldom gives
_LARGEST_RATIO = 4.0  # of the spreads of CV and public that one scale allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that the verdicts rest on, by submission in time order.

    ``claims`` says what the noise scale can carry: "both" when noise is estimated,
    "real" when only an upper bound is known, "none" without a scale.
    """

    groups: IntArray
    reference: IntArray
    public_gain: FloatArray
    cv_gain: FloatArray
    disagreement: FloatArray
    noise: NoiseScale
    posterior: StepPosteriorResult | None
    agreement: RankCorrelationResult | None
    level: str
    claims: str
    notes: dict[str, str] = field(default_factory=dict)


def gather(
    history: History, *, rope: float | None, confidence_level: float
) -> Evidence:
    """Return the evidence that a history holds."""
    notes: dict[str, str] = {}
    groups = repeat_groups(history)
    nothing = np.full(len(history), np.nan)
    if history.competition.greater_is_better is None:
        notes["direction"] = (
            "Not knowable which score is better: the file does not say it. Give the "
            "metric (metric='roc_auc'), or greater_is_better=True or False."
        )
        return Evidence(
            groups=groups,
            reference=np.full(len(history), -1, dtype=np.int64),
            public_gain=nothing,
            cv_gain=nothing,
            disagreement=nothing,
            noise=noise_scale(history, groups, step_se=np.nan),
            posterior=None,
            agreement=None,
            level="A",
            claims="none",
            notes=notes,
        )
    public = history.scores("public")
    reference = references(history, public, groups)
    public_gain = _gains(public, reference)
    cv = _cv_on_public_scale(history.scores("cv"), public, reference, notes)
    cv_gain = _gains(cv, reference)
    cv_gain[np.isnan(public_gain)] = np.nan
    bare = noise_scale(history, groups, step_se=np.nan)
    fresh = ~_is_repeat(groups, reference)
    offset = public - cv
    offset = np.where(reference >= 0, offset[reference], np.nan) - _median(offset)
    disagreement, _ = reference_luck(
        np.where(fresh, public_gain - cv_gain, np.nan), offset
    )
    posterior, claims = _posterior(
        np.where(fresh, public_gain, np.nan),
        np.where(fresh, cv_gain, np.nan),
        disagreement,
        bare,
        history,
        notes,
        rope=rope,
        confidence_level=confidence_level,
    )
    agreement = None
    if np.isfinite(cv_gain).any():
        agreement = rank_correlation(
            public_gain[fresh], cv_gain[fresh], confidence_level=confidence_level
        )
    step_se = _median(posterior.public_se) if posterior and claims == "both" else np.nan
    return Evidence(
        groups=groups,
        reference=reference,
        public_gain=public_gain,
        cv_gain=cv_gain,
        disagreement=disagreement,
        noise=noise_scale(history, groups, step_se=step_se),
        posterior=posterior,
        agreement=agreement,
        level=_level(history, claims),
        claims=claims,
        notes=notes,
    )


def _gains(scores: FloatArray, reference: IntArray) -> FloatArray:
    return np.where(reference >= 0, scores - scores[reference], np.nan)


def _is_repeat(groups: IntArray, reference: IntArray) -> BoolArray:
    """Return where a submission has the content of its reference."""
    same = (groups >= 0) & (reference >= 0) & (groups[reference] == groups)
    return np.asarray(same)


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _posterior(
    public_gain: FloatArray,
    cv_gain: FloatArray,
    disagreement: FloatArray,
    noise: NoiseScale,
    history: History,
    notes: dict[str, str],
    *,
    rope: float | None,
    confidence_level: float,
) -> tuple[StepPosteriorResult | None, str]:
    """Return the posterior of the steps and what may be claimed from it."""
    n_pairs = int(np.isfinite(disagreement).sum())
    if n_pairs >= _FEWEST_PAIRS:
        grid = learned_noise(
            disagreement,
            score_sd=noise.score_sd if np.isfinite(noise.score_sd) else None,
            n_public=noise.n_public,
            n_train=history.competition.train_size,
            rerun_se=np.nan_to_num(noise.rerun_se),
            rounding_var=noise.rounding_se**2,
        )
        claims = "both"
    elif np.isfinite(noise.step_se_high):
        high = np.hypot(noise.step_se_high, noise.rounding_se)
        grid = fixed_noise(np.full(len(public_gain), high))
        cv_gain = np.full_like(cv_gain, np.nan)
        claims = "real"
        notes["p_gain"] = (
            "Computed with the largest noise that a step can have, since public scores "
            "alone do not tell how alike two submissions are: a claim that survives "
            "this is safe, the absence of one means nothing."
        )
    else:
        notes["gain"] = (
            "Not knowable, because nothing tells the noise of a step: "
            + _missing_noise(history, n_pairs)
        )
        return None, "none"
    if not np.isfinite(public_gain).any():
        return None, "none"
    posterior = step_posterior(
        public_gain,
        cv_gain,
        grid,
        disagreement=disagreement if claims == "both" else None,
        rope=rope,
        confidence_level=confidence_level,
    )
    return posterior, claims


def _missing_noise(history: History, n_pairs: int) -> str:
    competition = history.competition
    lacking = [
        name
        for name, value in (
            ("metric", competition.metric),
            ("test_size", competition.test_size),
            ("public_fraction", competition.public_fraction),
        )
        if value is None
    ]
    ask = "give " + ", ".join(lacking) if lacking else "the metric gives no noise scale"
    return f"{ask}, or CV scores for at least {_FEWEST_PAIRS} steps (now {n_pairs})."


def _level(history: History, claims: str) -> str:
    """Return the highest rung of the ladder of evidence."""
    if np.isfinite(history.raw_scores("private")).sum() >= 2:
        return "C"
    if claims == "both":
        return "B"
    return "A+" if claims == "real" else "A"


def _cv_on_public_scale(
    cv: FloatArray, public: FloatArray, reference: IntArray, notes: dict[str, str]
) -> FloatArray:
    """Return oriented CV scores, rescaled or withheld where another metric is likely.

    Gains decide, or levels that agree closely: levels drift, and drifts correlate
    moderately without a cause. What was done is said in ``notes``.
    """
    gains = _gains(cv, reference), _gains(public, reference)
    both = np.isfinite(gains[0]) & np.isfinite(gains[1])
    if both.sum() < _FEWEST_TO_COMPARE:
        return cv
    of_gains = rank_correlation(*gains, confidence_level=0.998)
    of_levels = rank_correlation(cv, public)
    if of_gains.ci_high < 0 or of_levels.statistic <= -_CLOSE:
        notes["cv"] = (
            f"CV falls where the public score rises (rank correlation of the scores "
            f"{of_levels.statistic:.2f}, of the gains {of_gains.statistic:.2f}, "
            f"n={of_gains.n_obs}) and was not used. Either the CV metric points the "
            "other way (then say so: cv_greater_is_better), or validation leaks."
        )
        return np.full_like(cv, np.nan)
    if _same_size(cv, public):
        return cv
    close = of_levels.statistic >= _CLOSE
    pair = (cv, public) if close else gains
    known = np.isfinite(pair[0]) & np.isfinite(pair[1])
    spread_cv, spread_public = _spread(pair[0][known]), _spread(pair[1][known])
    if spread_cv == 0 or spread_public == 0:
        return cv
    ratio = spread_public / spread_cv
    if 1 / _LARGEST_RATIO <= ratio <= _LARGEST_RATIO:
        return cv
    if close or of_gains.ci_low > 0:
        notes["cv"] = (
            f"CV and public scores are on different scales; CV gains were multiplied "
            f"by {ratio:.3g}, the ratio of their spreads."
        )
        return cv * ratio
    notes["cv"] = (
        f"CV gains spread {1 / ratio:.3g} times as far as public gains and do not "
        "follow them: they were not used. Is it the same metric?"
    )
    return np.full_like(cv, np.nan)


def _same_size(cv: FloatArray, public: FloatArray) -> bool:
    """Return whether typical scores are within a factor of two: one scale."""
    both = np.isfinite(cv) & np.isfinite(public)
    size_cv, size_public = np.median(np.abs(cv[both])), np.median(np.abs(public[both]))
    return bool(size_public / 2 <= size_cv <= 2 * size_public)


def _spread(values: FloatArray) -> float:
    """Return the interquartile range, or the range where half the values tie."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) or float(np.ptp(values))
