"""How much evidence a history holds, and what follows from it for steps and levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lbsense._typing import ArrayLike, BoolArray, FloatArray, IntArray
from lbsense.analysis._cv_scale import cv_on_public_scale, gains
from lbsense.analysis.noise import NoiseScale, noise_scale
from lbsense.analysis.references import Parents, find_parents
from lbsense.analysis.rows import Rows, rows_of
from lbsense.model import History, Predictions, content_groups
from lbsense.stats import (
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
    reference_luck,
    row_noise,
    step_posterior,
    tree_noise,
)

__all__ = ["Evidence", "gather"]

_FEWEST_PAIRS = 5  # CV and public gains of one step needed to learn their noise
_FEWEST_TO_REGRESS = 8  # of them, before the luck of references is taken out
_MOST_LEVELS = 1000  # scored submissions: the time grows with their third power


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that the verdicts rest on, by submission in time order.

    ``claims`` says what the noise scale can carry: "both" when noise is estimated,
    "real" when only an upper bound is known, "none" without a scale.
    """

    groups: IntArray
    parents: Parents
    public: FloatArray
    cv: FloatArray
    public_gain: FloatArray
    cv_gain: FloatArray
    disagreement: FloatArray
    fresh_share: float
    noise: NoiseScale
    rows: Rows | None
    posterior: StepPosteriorResult | None
    levels: LevelPosteriorResult | None
    level: str
    claims: str
    notes: dict[str, str] = field(default_factory=dict)

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


def gather(
    history: History,
    predictions: Predictions | None,
    *,
    rope: float | None,
    confidence_level: float,
) -> Evidence:
    """Return the evidence that a history holds."""
    notes: dict[str, str] = {}
    groups = content_groups(history)
    if history.competition.greater_is_better is None:
        notes["direction"] = (
            "Not knowable which score is better: the file does not say it. Give the "
            "metric (metric='roc_auc'), or greater_is_better=True or False."
        )
        return _nothing(history, groups, notes)
    public = history.scores("public")
    rows = rows_of(history, predictions, notes)
    cv = history.scores("cv")
    if rows is not None:
        cv = np.where(np.isfinite(cv), cv, rows.cv)
    parents, cv = _parents_and_cv(history, public, cv, groups, notes)
    reference = parents.reference
    public_gain = gains(public, reference)
    disagreement, fresh_share = _disagreement(public, cv, groups, reference)
    found = Evidence(
        groups=groups,
        parents=parents,
        public=public,
        cv=cv,
        public_gain=public_gain,
        cv_gain=np.where(
            np.isnan(gains(public, reference)), np.nan, gains(cv, reference)
        ),
        disagreement=disagreement,
        fresh_share=fresh_share,
        noise=noise_scale(history, groups, step_se=np.nan),
        rows=rows,
        posterior=None,
        levels=None,
        level="A",
        claims="none",
        notes=notes,
    )
    return _judged(found, history, rope=rope, confidence_level=confidence_level)


def _nothing(history: History, groups: IntArray, notes: dict[str, str]) -> Evidence:
    """Return the evidence of scores that may be better up or down."""
    nan = np.full(len(history), np.nan)
    return Evidence(
        groups=groups,
        parents=Parents(np.full(len(history), -1, dtype=np.int64), "none"),
        public=nan,
        cv=nan,
        public_gain=nan,
        cv_gain=nan,
        disagreement=nan,
        fresh_share=0.0,
        noise=noise_scale(history, groups, step_se=np.nan),
        rows=None,
        posterior=None,
        levels=None,
        level="A",
        claims="none",
        notes=notes,
    )


def _parents_and_cv(
    history: History,
    public: FloatArray,
    cv: FloatArray,
    groups: IntArray,
    notes: dict[str, str],
) -> tuple[Parents, FloatArray]:
    """Return what each submission is compared with, and CV on the public scale."""
    simple = find_parents(history, public, None, groups)
    scaled = cv_on_public_scale(cv, public, simple.reference, notes)
    parents = find_parents(history, public, scaled, groups)
    if parents.sentence:
        notes["parents"] = parents.sentence
    return parents, scaled


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


def _judged(
    found: Evidence, history: History, *, rope: float | None, confidence_level: float
) -> Evidence:
    """Return the evidence with the posterior that it allows."""
    n_pairs = int(np.isfinite(found.disagreement).sum())
    some = bool(np.isfinite(found.public_gain[found.fresh]).any())
    options: dict[str, Any] = {"rope": rope, "confidence_level": confidence_level}
    if found.rows is not None and some:
        found = _fused(found, *_by_rows(found, found.rows), claims="both", **options)
    elif n_pairs >= _FEWEST_PAIRS:
        found = _fused(found, *_by_scores(found, history), claims="both", **options)
    elif 0 < found.noise.step_se_high < np.inf:  # a perfect score has no noise
        found = _bounded(found, **options)
    else:
        found.notes["gain"] = (
            "Not knowable, because nothing tells the noise of a step: "
            + _missing_noise(history, n_pairs)
        )
    step_se = np.nan
    if found.posterior is not None and found.claims == "both":
        step_se = _median(found.posterior.public_se)
    return replace(
        found,
        noise=replace(found.noise, step_se=step_se),
        level=_level(history, found),
    )


_NoiseOf = Callable[[StepMoments], LevelNoise]


def _by_rows(found: Evidence, rows: Rows) -> tuple[NoiseGrid, _NoiseOf, _NoiseOf]:
    """Return the noise that predictions row by row give."""
    tree, noise = found.reference, found.noise
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


def _by_scores(found: Evidence, history: History) -> tuple[NoiseGrid, _NoiseOf, None]:
    """Return the noise that the disagreement of CV and public tells."""
    noise, n_train = found.noise, history.competition.train_size
    grid = learned_noise(
        found.disagreement,
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

    fresh, rerun_var = found.fresh, np.nan_to_num(noise.rerun_se) ** 2

    def noise_of(steps: StepMoments) -> LevelNoise:
        return tree_noise(
            found.reference,
            step_public_var=np.where(fresh, np.square(steps.public_se), rerun_var),
            step_cv_var=np.where(fresh, np.square(steps.cv_se), rerun_var),
            score_public_var=score_var,
            score_cv_var=sampling,
            fresh_share=found.fresh_share,
        )

    return grid, noise_of, None


def _fused(
    found: Evidence,
    grid: NoiseGrid,
    noise_of: _NoiseOf,
    final_noise_of: _NoiseOf | None,
    *,
    claims: str,
    rope: float | None,
    confidence_level: float,
) -> Evidence:
    """Return the evidence with steps and levels that know of each other."""
    posterior, levels = fuse_history(
        found.public,
        found.cv,
        found.reference,
        grid,
        noise_of,
        final_noise_of=final_noise_of,
        same=~found.fresh,
        disagreement=found.disagreement,
        rounds=1 if np.isfinite(found.public).sum() <= _MOST_LEVELS else 0,
        rope=rope,
        confidence_level=confidence_level,
    )
    if levels is None:
        found.notes["levels"] = (
            f"Levels are computed for at most {_MOST_LEVELS} scored submissions."
        )
    return replace(found, posterior=posterior, levels=levels, claims=claims)


def _bounded(
    found: Evidence, *, rope: float | None, confidence_level: float
) -> Evidence:
    """Return the evidence of public scores whose noise has only bounds."""
    noise = found.noise
    found.notes["p_gain"] = (
        "Computed with the largest noise that a step can have, since public scores "
        "alone do not tell how alike two submissions are: a claim that survives this "
        "is safe, the absence of one means nothing."
    )
    gain = np.where(found.fresh, found.public_gain, np.nan)
    if not np.isfinite(gain).any():
        return found
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
            found.reference,
            step_public_var=np.square(steps.public_se),
            score_public_var=noise.score_se**2,
        )

    levels = None
    if np.isfinite(found.public).sum() <= _MOST_LEVELS:
        _, levels = fuse_history(
            found.public,
            np.full_like(gain, np.nan),
            found.reference,
            grid,
            noise_of,
            same=~found.fresh,
            rounds=1,
        )
    return replace(found, posterior=posterior, levels=levels, claims="real")


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


def _level(history: History, found: Evidence) -> str:
    """Return the highest rung of the ladder of evidence."""
    if found.rows is not None and found.claims == "both":
        return "D"
    if np.isfinite(history.raw_scores("private")).sum() >= 2:
        return "C"
    if found.claims == "both":
        return "B"
    return "A+" if found.claims == "real" else "A"


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
