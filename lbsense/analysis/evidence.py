"""How much evidence a history holds, and what follows from it for steps and levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from lbsense._format import plural
from lbsense._result import Caveat, Missing
from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense.analysis.noise import noise_scale
from lbsense.analysis.references import Parents, find_parents, gains
from lbsense.analysis.rows import Rows, rows_of
from lbsense.facts import Claims, NoiseScale
from lbsense.model import History, Predictions, content_groups
from lbsense.stats import (
    JointNoiseResult,
    LevelNoise,
    LevelPosteriorResult,
    NoiseGrid,
    StepMoments,
    StepPosteriorResult,
    fixed_noise,
    fuse_history,
    known_noise,
    learned_noise,
    prior_noise,
    rank_correlation,
    reference_luck,
    row_noise,
    step_posterior,
    tree_noise,
)

__all__ = ["Evidence", "gather"]

_FEWEST_PAIRS = 5  # CV and public gains of one step needed to learn their noise
_FEWEST_TO_REGRESS = 8  # of them, before the luck of references is taken out
_MOST_LEVELS = 1000  # scored submissions: the time grows with their third power
_FEWEST_TO_COMPARE = 8  # pairs before CV is taken for another metric
_CLOSE = 0.8  # rank correlation of levels that drift alone seldom gives
_SAME = 1e-6  # of the largest gain: a difference that arithmetic makes
_LARGEST_RATIO = 4.0  # of the spreads of CV and public that one scale allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a history shows before its noise is judged, by submission in time order.

    Scores and gains are oriented; ``disagreement`` is public minus CV gain without what
    steps share through a reference, ``fresh_share`` the part of its noise that every
    submission draws anew, ``cv_scale`` what CV gains were multiplied by.
    """

    groups: IntArray
    parents: Parents
    public: FloatArray
    cv: FloatArray
    cv_scale: float
    public_gain: FloatArray
    cv_gain: FloatArray
    disagreement: FloatArray
    fresh_share: float
    rows: Rows | Missing

    @property
    def reference(self) -> IntArray:
        """Position of the submission that each is compared with, or -1."""
        return self.parents.reference

    @property
    def fresh(self) -> BoolArray:
        """Where a submission is not the content of its reference once more."""
        same = (self.groups >= 0) & (self.reference >= 0)
        same &= self.groups[self.reference] == self.groups
        return np.asarray(~same)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Observed):
    """Everything that the verdicts rest on.

    ``claims`` says what the noise scale can carry: "both" when noise is estimated,
    "real" when only an upper bound is known, "none" without a scale. ``level`` is the
    rung on the ladder of evidence.
    """

    noise: NoiseScale
    posterior: StepPosteriorResult | Missing
    levels: LevelPosteriorResult | Missing
    level: str
    claims: Claims
    caveats: tuple[Caveat, ...]

    @property
    def joint(self) -> JointNoiseResult | Missing:
        """Noise of the submissions with predictions."""
        return self.rows if isinstance(self.rows, Missing) else self.rows.joint


@dataclass(frozen=True, slots=True)
class _Judged:
    """What noise and scores together give."""

    posterior: StepPosteriorResult | Missing
    levels: LevelPosteriorResult | Missing
    claims: Claims
    caveat: Caveat | None = None


def gather(
    history: History,
    predictions: Predictions | None,
    *,
    rope: float | None,
    confidence_level: float,
) -> Evidence:
    """Return the evidence that a history holds."""
    groups = content_groups(history)
    noise = noise_scale(history, groups, step_se=np.nan)
    if history.competition.greater_is_better is None:
        seen, caveat = _undirected(history, groups), None
        judged = _Judged(_UNDIRECTED, _no_levels(None), "none")
    else:
        seen, caveat = _observe(history, predictions, groups)
        judged = _judge(
            seen, history, noise, rope=rope, confidence_level=confidence_level
        )
    step_se = np.nan
    if judged.posterior and judged.claims == "both":
        step_se = _median(judged.posterior.public_se)
    rows = seen.rows.caveat if seen.rows else None
    caveats = (rows, caveat, seen.parents.caveat, judged.caveat)
    return Evidence(
        **{field.name: getattr(seen, field.name) for field in fields(seen)},
        noise=replace(noise, step_se=step_se),
        posterior=judged.posterior,
        levels=judged.levels,
        level=_level(history, seen, judged.claims),
        claims=judged.claims,
        caveats=tuple(item for item in caveats if item is not None),
    )


_UNDIRECTED = Missing(
    "direction",
    "Not knowable which score is better: the file does not say it.",
    ("direction",),
)


def _undirected(history: History, groups: IntArray) -> Observed:
    """Return what is seen of scores that may be better up or down."""
    nan = np.full(len(history), np.nan)
    return Observed(
        groups=groups,
        parents=Parents(np.full(len(history), -1, dtype=np.int64), "none"),
        public=nan,
        cv=nan,
        cv_scale=np.nan,
        public_gain=nan,
        cv_gain=nan,
        disagreement=nan,
        fresh_share=0.0,
        rows=replace(_UNDIRECTED, field="predictions"),
    )


def _observe(
    history: History, predictions: Predictions | None, groups: IntArray
) -> tuple[Observed, Caveat | None]:
    """Return scores, references and gains, and what was done to CV."""
    public, cv = history.scores("public"), history.scores("cv")
    rows = rows_of(history, predictions)
    if rows:
        cv = np.where(np.isfinite(cv), cv, rows.cv)
    simple = find_parents(history, public, None, groups)
    scale, caveat = _cv_scale(cv, public, simple.reference)
    cv = cv * scale
    parents = find_parents(history, public, cv, groups)
    public_gain = gains(public, parents.reference)
    cv_gain = np.where(np.isnan(public_gain), np.nan, gains(cv, parents.reference))
    disagreement, fresh_share = _disagreement(public, cv, groups, parents.reference)
    seen = Observed(
        groups=groups,
        parents=parents,
        public=public,
        cv=cv,
        cv_scale=scale if np.isfinite(cv_gain).any() else np.nan,
        public_gain=public_gain,
        cv_gain=cv_gain,
        disagreement=disagreement,
        fresh_share=fresh_share,
        rows=rows,
    )
    return seen, caveat


def _disagreement(
    public: FloatArray, cv: FloatArray, groups: IntArray, reference: IntArray
) -> tuple[FloatArray, float]:
    """Return public minus CV gains without what steps share through a reference.

    The second is the share of their noise that every submission draws anew.
    """
    apart = gains(public, reference) - gains(cv, reference)
    apart[(groups >= 0) & (groups[reference] == groups)] = np.nan
    offset = public - cv
    offset = np.where(reference >= 0, offset[reference], np.nan) - _median(offset)
    if np.isfinite(apart).sum() < _FEWEST_TO_REGRESS:
        return apart, 0.0
    return reference_luck(apart, offset)


def _judge(
    seen: Observed,
    history: History,
    noise: NoiseScale,
    *,
    rope: float | None,
    confidence_level: float,
) -> _Judged:
    """Return the posterior that the evidence allows."""
    n_pairs = int(np.isfinite(seen.disagreement).sum())
    some = bool(np.isfinite(seen.public_gain[seen.fresh]).any())
    options: dict[str, Any] = {"rope": rope, "confidence_level": confidence_level}
    if seen.rows and some:
        return _fused(seen, *_by_rows(seen, seen.rows, noise), **options)
    if n_pairs >= _FEWEST_PAIRS:
        return _fused(seen, *_by_scores(seen, history, noise), **options)
    if 0 < noise.step_se_high < np.inf:  # a perfect score has no noise
        return _bounded(seen, noise, **options)
    why = _no_noise(history, n_pairs)
    return _Judged(why, _no_levels(why), "none")


def _no_levels(why: Missing | None) -> Missing:
    reason = "Needs the noise of a score or of a step"
    if why is None:
        return Missing("levels", f"{reason}: no submission has a known level")
    return Missing("levels", f"{reason}: {why.reason}", why.need)


_TOO_MANY = Missing(
    "levels",
    f"Levels are computed for at most {_MOST_LEVELS} scored submissions",
    ("fewer_submissions",),
)


_NoiseOf = Callable[[StepMoments], LevelNoise]


def _by_rows(
    seen: Observed, rows: Rows, noise: NoiseScale
) -> tuple[NoiseGrid, _NoiseOf, _NoiseOf]:
    """Return the noise that predictions row by row give."""
    tree = seen.reference
    other = (np.nan_to_num(noise.rerun_se) ** 2 + noise.rounding_se**2) / 2

    def joint(excess: ArrayLike, *, along_tree: bool) -> LevelNoise:
        return row_noise(
            tree,
            rows.covariance,
            n_public=rows.n_public,
            n_train=rows.n_train,
            cv_excess_var=excess,
            other_var=other,
            along_tree=along_tree,
        )

    public_var, cv_var = joint(0.0, along_tree=True).step_var(tree)

    def excess(steps: StepMoments) -> FloatArray:
        return np.nan_to_num(np.maximum(np.square(steps.cv_se) - cv_var, 0.0))

    return (
        known_noise(public_var, cv_var),
        lambda steps: joint(excess(steps), along_tree=True),
        lambda steps: joint(excess(steps), along_tree=False),
    )


def _by_scores(
    seen: Observed, history: History, noise: NoiseScale
) -> tuple[NoiseGrid, _NoiseOf, None]:
    """Return the noise that the disagreement of CV and public tells."""
    n_train = history.competition.train_size
    grid = learned_noise(
        seen.disagreement,
        score_sd=noise.score_sd if np.isfinite(noise.score_sd) else None,
        n_public=noise.n_public,
        n_train=n_train,
        rerun_se=np.nan_to_num(noise.rerun_se),
        rounding_var=noise.rounding_se**2,
    )
    score_var = noise.score_se**2 if noise.score_se > 0 else None
    sampling = None
    if score_var is not None and noise.n_public and n_train:
        sampling = score_var * noise.n_public / n_train

    fresh, rerun_var = seen.fresh, np.nan_to_num(noise.rerun_se) ** 2

    def noise_of(steps: StepMoments) -> LevelNoise:
        return tree_noise(
            seen.reference,
            step_public_var=np.where(fresh, np.square(steps.public_se), rerun_var),
            step_cv_var=np.where(fresh, np.square(steps.cv_se), rerun_var),
            score_public_var=score_var,
            score_cv_var=sampling,
            fresh_share=seen.fresh_share,
        )

    return grid, noise_of, None


def _fused(
    seen: Observed,
    grid: NoiseGrid,
    noise_of: _NoiseOf,
    final_noise_of: _NoiseOf | None,
    *,
    rope: float | None,
    confidence_level: float,
) -> _Judged:
    """Return steps and levels that know of each other."""
    posterior, levels = fuse_history(
        seen.public,
        seen.cv,
        seen.reference,
        grid,
        noise_of,
        final_noise_of=final_noise_of,
        same=~seen.fresh,
        disagreement=seen.disagreement,
        rounds=1 if _few_enough(seen) else 0,
        rope=rope,
        confidence_level=confidence_level,
    )
    return _Judged(posterior, _TOO_MANY if levels is None else levels, "both")


def _bounded(
    seen: Observed,
    noise: NoiseScale,
    *,
    rope: float | None,
    confidence_level: float,
) -> _Judged:
    """Return what public scores give whose noise has only bounds."""
    caveat = Caveat(
        "p_gain",
        "Computed with the largest noise that a step can have, since public scores "
        "alone do not tell how alike two submissions are: a claim that survives this "
        "is safe, the absence of one means nothing.",
    )
    gain = np.where(seen.fresh, seen.public_gain, np.nan)
    if not np.isfinite(gain).any():
        none = Missing("posterior", "There is no step to judge yet.")
        return _Judged(none, _no_levels(None), "none", caveat)
    high = float(np.hypot(noise.step_se_high, noise.rounding_se))
    posterior = step_posterior(
        gain,
        np.full_like(gain, np.nan),
        fixed_noise(np.full(len(gain), high)),
        rope=rope,
        confidence_level=confidence_level,
    )
    grid = prior_noise(
        len(gain),
        score_var=noise.score_se**2,
        other_var=noise.rounding_se**2 + np.nan_to_num(noise.rerun_se) ** 2,
    )

    def noise_of(steps: StepMoments) -> LevelNoise:
        return tree_noise(
            seen.reference,
            step_public_var=np.square(steps.public_se),
            score_public_var=noise.score_se**2,
        )

    levels = None
    if _few_enough(seen):
        _, levels = fuse_history(
            seen.public,
            np.full_like(gain, np.nan),
            seen.reference,
            grid,
            noise_of,
            same=~seen.fresh,
            rounds=1,
        )
    return _Judged(posterior, _TOO_MANY if levels is None else levels, "real", caveat)


def _few_enough(seen: Observed) -> bool:
    return int(np.isfinite(seen.public).sum()) <= _MOST_LEVELS


def _no_noise(history: History, n_pairs: int) -> Missing:
    """Return why nothing tells the noise of a step."""
    competition = history.competition
    facts = {
        "metric": competition.metric,
        "test_size": competition.test_size,
        "public_fraction": competition.public_fraction,
    }
    lacking = tuple(name for name, value in facts.items() if value is None)
    silent = "" if lacking else "the metric gives no noise scale, and "
    return Missing(
        "gain",
        "Not knowable, because nothing tells the noise of a step "
        f"({silent}{plural(n_pairs, 'step')} so far with a CV gain)",
        (*lacking, "cv_pairs"),
    )


def _level(history: History, seen: Observed, claims: Claims) -> str:
    """Return the highest rung of the ladder of evidence."""
    if history.competition.greater_is_better is None:
        return "A"
    if seen.rows and claims == "both":
        return "D"
    if np.isfinite(history.raw_scores("private")).sum() >= 2:
        return "C"
    if claims == "both":
        return "B"
    return "A+" if claims == "real" else "A"


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def _cv_scale(
    cv: FloatArray, public: FloatArray, reference: IntArray
) -> tuple[float, Caveat | None]:
    """Return what brings oriented CV scores to the public scale, nan to withhold them.

    They are withheld or rescaled where another metric is likely. Gains decide, or
    levels that agree closely: levels drift, and drifts correlate moderately without a
    cause. What was done is said in a caveat.
    """
    steps = gains(cv, reference), gains(public, reference)
    both = np.isfinite(steps[0]) & np.isfinite(steps[1])
    if both.sum() >= 2 and _is_copy(steps[0][both], steps[1][both]):
        return _not_used(
            f"CV moves exactly as the public score in all {int(both.sum())} steps: it "
            "is no second measurement and was not used. Is it the public score, copied?"
        )
    if both.sum() >= 2 and not steps[0][both].any() and steps[1][both].any():
        return _not_used(
            f"CV is the same in all {int(both.sum())} steps while the public score "
            "moves: it measures nothing and was not used."
        )
    if both.sum() < _FEWEST_TO_COMPARE:
        return 1.0, None
    of_gains = rank_correlation(*steps, confidence_level=0.998)
    of_levels = rank_correlation(cv, public)
    if of_gains.ci_high < 0 or of_levels.statistic <= -_CLOSE:
        return _not_used(
            f"CV falls where the public score rises (rank correlation of the scores "
            f"{of_levels.statistic:.2f}, of the gains {of_gains.statistic:.2f}, "
            f"n={of_gains.n_obs}) and was not used. Either the CV metric points the "
            "other way, or validation leaks.",
            "cv_direction",
        )
    if _same_size(cv, public):
        return 1.0, None
    close = of_levels.statistic >= _CLOSE
    pair = (cv, public) if close else steps
    known = np.isfinite(pair[0]) & np.isfinite(pair[1])
    spread_cv, spread_public = _spread(pair[0][known]), _spread(pair[1][known])
    if spread_cv == 0 or spread_public == 0:
        return 1.0, None
    ratio = spread_public / spread_cv
    if 1 / _LARGEST_RATIO <= ratio <= _LARGEST_RATIO:
        return 1.0, None
    if close or of_gains.ci_low > 0:
        return ratio, Caveat(
            "cv",
            f"CV and public scores are on different scales; CV gains were multiplied "
            f"by {ratio:.3g}, the ratio of their spreads.",
        )
    return _not_used(
        f"CV gains spread {1 / ratio:.3g} times as far as public gains and do not "
        "follow them: they were not used. Is it the same metric?"
    )


def _not_used(reason: str, *need: str) -> tuple[float, Caveat]:
    return np.nan, Caveat("cv", reason, need)


def _is_copy(cv_gain: FloatArray, public_gain: FloatArray) -> bool:
    """Return whether two columns of gains are one, up to rounding of the last digit."""
    scale = np.abs(public_gain).max()
    return bool(np.abs(public_gain - cv_gain).max() <= _SAME * max(scale, 1e-12))


def _same_size(cv: FloatArray, public: FloatArray) -> bool:
    """Return whether typical scores are within a factor of two: one scale."""
    both = np.isfinite(cv) & np.isfinite(public)
    size_cv, size_public = np.median(np.abs(cv[both])), np.median(np.abs(public[both]))
    return bool(size_public / 2 <= size_cv <= 2 * size_public)


def _spread(values: FloatArray) -> float:
    """Return the interquartile range, or the range where half the values tie."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) or float(np.ptp(values))
