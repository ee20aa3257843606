"""How much evidence a history holds, and what follows from it for steps and levels."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from threadpoolctl import threadpool_limits

from lbsense._format import format_number, plural, shorten
from lbsense._result import Caveat, Missing
from lbsense._typing import BoolArray, FloatArray
from lbsense.analysis.noise import (
    LOG_DISTINCT,
    LOG_DISTINCT_SD,
    noise_scale,
    score_se,
    with_board,
)
from lbsense.analysis.observe import FEWEST_PAIRS, UNDIRECTED, Observed, observe
from lbsense.analysis.predictions import Rows, sent_contents
from lbsense.facts import Claims, NoiseScale
from lbsense.model import Competition, History, Leaderboard, Predictions, content_groups
from lbsense.stats import (
    JointNoiseResult,
    LevelPosteriorResult,
    Source,
    StepNoise,
    StepPosteriorResult,
    level_posterior,
    step_posterior,
)

_FEWEST_TO_COMPARE = 8  # steps before private scores are taken for another scale
_SAME = 1e-6  # of the largest gain: a difference that arithmetic makes
# Log noise variance of CV over that of the public score beyond the sizes of the sets
# (a refit has its own noise), and where the sizes are not known. Mean and sd.
CV_EXCESS, _CV_RATIO = (0.6, 0.7), (-0.1, 1.2)
_CV_SPREAD = 0.8  # of the same between the steps of one history
_PRIVATE_RATIO = (-0.8, 0.7)  # private rows are more, where nothing tells how many
_ROW_EXCESS = (0.6, 0.5)  # of CV, where predictions tell the noise of its rows
_ROW_SD = 0.15  # log noise of a step beyond what predictions tell
_SAID_SD, _SAID_WIDTH = 0.1, 0.3  # of a noise that the user states
_OTHER_SCALE = 3.0  # ratio of private to public gains that one scale hardly gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Observed):
    """Everything that the verdicts rest on.

    ``after`` is the posterior of the steps with private scores. ``cv`` and ``cv_gain``
    are on the scale of the public score; ``cv_slopes`` says what a public gain of 1 is
    worth on that of each part, and ``cv_scale`` what the latest CV scores are
    multiplied by. ``claims`` says what the noise scale can carry: "both" when noise is
    estimated, "real" when only an upper bound is known, "none" without a scale.
    ``level`` is the rung on the ladder of evidence.
    """

    noise: NoiseScale
    posterior: StepPosteriorResult | Missing
    after: StepPosteriorResult | Missing
    levels: LevelPosteriorResult | Missing
    cv_slopes: FloatArray
    cv_scale: float
    level: str
    claims: Claims
    caveats: tuple[Caveat, ...]

    @property
    def disagreement(self) -> FloatArray:
        """Public gain minus CV gain, on the scale of the public score."""
        return np.asarray(self.public_gain - self.cv_gain)

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
    step_noise: float | None = None,
    board: Leaderboard | None = None,
) -> Evidence:
    """Return the evidence that a history holds."""
    digests, odd = sent_contents(history, predictions)
    bare = {item.content_hash for k, item in enumerate(history) if k not in digests}
    groups = content_groups(
        item
        if item.content_hash is not None and item.content_hash in bare
        else replace(item, content_hash=digests.get(index, item.content_hash))
        for index, item in enumerate(history)
    )
    noise, of_board = noise_scale(history, groups), None
    if board is not None:
        noise, of_board = with_board(noise, history, board)
    after: StepPosteriorResult | Missing
    seen = observe(history, predictions, groups)
    if history.competition.greater_is_better is None:
        judged = _Judged(UNDIRECTED, _no_levels(None), "none")
        after = replace(UNDIRECTED, field="retrospective.steps")
    else:
        judge = _Judge(history, seen, noise, rope, confidence_level, step_noise)
        judged = judge.foretold()
        after = judge.hindsight(judged.claims)
    if judged.posterior and judged.claims == "both":
        noise = replace(noise, step_se=_median(judged.posterior.public_se))
        if judged.levels and 0 < noise.score_se < np.inf and not noise.n_board:
            se = math.sqrt(judged.levels.score_public_var)
            wide = math.exp(1.96 * judged.levels.score_log_sd)
            noise = replace(
                noise, score_se=se, score_se_low=se / wide, score_se_high=se * wide
            )
    slopes = _slopes(seen, judged.posterior)
    cv, cv_gain = seen.validation.on_public_scale(seen.public, slopes)
    rows = seen.rows.caveats if seen.rows else ()
    caveats = (
        *rows,
        odd,
        *seen.validation.caveats,
        _no_measure(history, seen.broken_cv & seen.fresh) if judged.posterior else None,
        seen.parents.caveat,
        judged.caveat,
        of_board,
    )
    shown = {field.name: getattr(seen, field.name) for field in fields(seen)}
    shown |= {"cv": cv, "cv_gain": cv_gain}
    return Evidence(
        **shown,
        noise=noise,
        posterior=judged.posterior,
        after=after,
        levels=judged.levels,
        cv_slopes=slopes,
        cv_scale=seen.cv_sign / slopes[-1] if slopes.size else float("nan"),
        level=_level(history, seen, judged.claims),
        claims=judged.claims,
        caveats=tuple(item for item in caveats if item is not None),
    )


def _slopes(seen: Observed, posterior: StepPosteriorResult | Missing) -> FloatArray:
    """Return the CV gain that goes with a public gain of 1 by part, nan if unknown."""
    slopes = np.full(len(seen.validation.joined.main), np.nan)
    rough = seen.validation.rough_slopes(seen.public)
    used = seen.cv_parts
    if used and posterior and len(posterior.cv_slope) == len(used):
        # Where the public score never moves, nothing tells a scale.
        slopes[used] = np.where(np.isfinite(rough[used]), posterior.cv_slope, np.nan)
    elif used:
        slopes[used] = rough[used]
    return slopes


@dataclass(frozen=True, slots=True)
class _Judge:
    """The posterior of steps and levels that the evidence allows."""

    history: History
    seen: Observed
    noise: NoiseScale
    rope: float | None
    confidence_level: float
    step_noise: float | None = None

    def foretold(self) -> _Judged:
        """Return what was known before the end."""
        sources, noise = self._public_and_cv()
        n_pairs = _paired(sources)
        some = bool(np.isfinite(sources[0].gain).any())
        if self.step_noise is not None and some and not self.seen.rows:
            steps = self._steps(sources, noise)
            return _Judged(steps, self._levels(steps), "both", _said(self.step_noise))
        if (self.seen.rows and some) or n_pairs >= FEWEST_PAIRS:
            steps = self._steps(sources, noise)
            return _Judged(steps, self._levels(steps), "both")
        if 0 < self.noise.step_se_high < np.inf:  # a perfect score has no noise
            return self._bounded(sources[0], noise)
        why = _no_noise(self.history, n_pairs)
        return _Judged(why, _no_levels(why), "none")

    def hindsight(self, claims: Claims) -> StepPosteriorResult | Missing:
        """Return the steps with private scores, which need neither CV nor sizes."""
        sources, noise = self._public_and_cv()
        if claims != "both":
            sources = sources[:1]
        private = self._private()
        if np.isfinite(private.gain).sum() < FEWEST_PAIRS:
            return _after(
                f"needs private scores of at least {FEWEST_PAIRS} steps", "private"
            )
        apart = sources[0].gain - private.gain
        largest = np.nanmax(np.abs(sources[0].gain), initial=0.0)
        if not np.nanmax(np.abs(apart), initial=0.0) > _SAME * largest:
            return _after("private and public scores move alike, as copies do")
        return self._steps([*sources, private], noise)

    def _steps(self, sources: list[Source], noise: StepNoise) -> StepPosteriorResult:
        # Many small products: threads of the linear algebra take longer to meet.
        with threadpool_limits(limits=1):
            return step_posterior(
                sources,
                self.seen.reference,
                odds=self.seen.parents.odds,
                noise=noise,
                n_rows=self.history.competition.n_public,
                rope=self.rope,
                confidence_level=self.confidence_level,
            )

    def _public_and_cv(self) -> tuple[list[Source], StepNoise]:
        """Return what measures the steps before the end, and what its noise may be."""
        seen, competition = self.seen, self.history.competition
        owed = seen.parents.owed
        public = np.where(seen.fresh, seen.public_gain + owed[0], np.nan)
        sources = [Source(name="public", gain=public)]
        log_ratio, sd = _cv_ratio(competition)
        ratio: FloatArray | None = None
        if seen.rows:
            noise = StepNoise(
                log_sd=0.0,
                log_sd_sd=seen.rows.log_sd,
                widths=(max(_ROW_SD, seen.rows.log_sd),),
                width_shares=(1.0,),
                unit=_row_noise(seen, seen.rows, self.noise.rounding_se),
            )
            if seen.rows.n_train is not None:
                log_ratio, sd = _ROW_EXCESS
                ratio = np.full(len(public), seen.rows.n_public / seen.rows.n_train)
        else:
            noise = _prior_noise(self.noise)
            if self.step_noise is not None:
                noise = _said_noise(self.step_noise, noise.floor)
        joined = seen.validation.joined
        sizes = seen.validation.rough_slopes(seen.public)
        alike = seen.validation.alike(seen.public)
        usable = seen.fresh & ~seen.broken_cv
        for part in seen.cv_parts:
            own = (joined.part == part) & usable
            unit: FloatArray | None = ratio
            if unit is None and (joined.noise[own] != 1).any():
                unit = np.where(own, joined.noise, 1.0)
            sources.append(
                Source(
                    name="cv",
                    gain=np.where(own, joined.gain + owed[1] * sizes[part], np.nan),
                    log_ratio=log_ratio,
                    log_ratio_sd=sd,
                    spread=_CV_SPREAD,
                    slope_known=ratio is not None,
                    sign_known=not seen.validation.begins(part),
                    alike=bool(alike[part]),
                    unit=unit,
                )
            )
        return sources, noise

    def _private(self) -> Source:
        """Return private gains on the rows that public scores do not cover."""
        seen, competition = self.seen, self.history.competition
        n_public, n_private = competition.n_public, competition.n_private
        gain = np.where(seen.fresh, seen.unseen_gain, np.nan)
        other = on_another_scale(seen.public_gain, gain)
        log_ratio, sd = _PRIVATE_RATIO
        if n_public is not None and n_private is not None:
            log_ratio, sd = -math.log(seen.unseen_rows), 0.0
        return Source(
            name="private",
            gain=gain,
            log_ratio=log_ratio,
            log_ratio_sd=sd,
            slope_known=not other,
            alike=not other,
        )

    def _levels(self, steps: StepPosteriorResult) -> LevelPosteriorResult | Missing:
        seen = self.seen
        if seen.rows and np.isfinite(seen.rows.score_se):
            rounding = self.noise.rounding_se / math.sqrt(2)
            se, log_sd = math.hypot(seen.rows.score_se, rounding), 0.0
        else:
            se, log_sd = score_se(
                self.noise,
                _median(steps.public_se),
                above=seen.validation.above(seen.public),
                ratio=math.exp(_cv_ratio(self.history.competition)[0]),
            )
        cv, _ = seen.validation.on_public_scale(seen.public, _slopes(seen, steps))
        part = seen.validation.joined.level_part
        return level_posterior(
            seen.public,
            cv if len(steps.cv_slope) else np.full(len(cv), np.nan),
            seen.reference,
            steps,
            score_se=se,
            score_log_sd=log_sd,
            same=~seen.fresh,
            apart=seen.broken_cv
            | ((part != part[seen.reference]) & (seen.reference >= 0)),
        )

    def _bounded(self, public: Source, noise: StepNoise) -> _Judged:
        """Return what public scores give whose noise has only bounds."""
        caveat = Caveat(
            "p_gain",
            "Computed with the largest noise that a step can have, since public scores "
            "alone do not tell how alike two submissions are: a claim that survives "
            "this is safe, the absence of one means nothing.",
        )
        if not np.isfinite(public.gain).any():
            none = Missing("posterior", "There is no step to judge yet.")
            return _Judged(none, _no_levels(None), "none", caveat)
        high = float(np.hypot(self.noise.step_se_high, self.noise.rounding_se))
        most = StepNoise(
            log_sd=math.log(high), log_sd_sd=0.0, widths=(0.1,), width_shares=(1.0,)
        )
        posterior = self._steps([public], most)
        levels = self._levels(self._steps([public], noise))
        return _Judged(posterior, levels, "real", caveat)


def _no_measure(history: History, broken: BoolArray) -> Caveat | None:
    """Return what is to be said of steps whose CV is not believed."""
    found = np.flatnonzero(broken)
    if not found.size:
        return None
    names = ", ".join(f"#{k + 1} {shorten(history[k].name, 30)}" for k in found[:3])
    more = f" and {found.size - 3} more" if found.size > 3 else ""
    return Caveat(
        "cv_gain",
        f"CV and public score are further apart than those of other steps by far at "
        f"{names}{more}: there the public score alone is believed. Is a CV score "
        "mistyped, or of another model?",
    )


def _paired(sources: list[Source]) -> int:
    seen = np.isfinite([source.gain for source in sources])
    return int((seen[0] & seen[1:].any(axis=0)).sum())


def _after(why: str, *need: str) -> Missing:
    return Missing(
        "retrospective.steps", f"Not knowable which steps were real: {why}.", need
    )


def on_another_scale(public_gain: FloatArray, gain: FloatArray) -> bool:
    """Return whether private gains are too large or small to be of the same scale."""
    both = np.isfinite(public_gain) & np.isfinite(gain)
    if both.sum() < _FEWEST_TO_COMPARE:
        return False
    sizes = np.median(np.abs([public_gain[both], gain[both]]), axis=1)
    ratio = sizes.max() / max(float(sizes.min()), 1e-300)
    return bool(sizes.min() > 0 and ratio > _OTHER_SCALE)


def _prior_noise(noise: NoiseScale) -> StepNoise:
    """Return what metric and sizes say of the noise of a step."""
    floor = noise.rounding_se
    if not (0 < noise.score_se < np.inf):
        return StepNoise(floor=floor)
    centre = math.log(noise.score_se) + math.log(2) / 2 + LOG_DISTINCT
    return StepNoise(
        log_sd=centre,
        log_sd_sd=math.hypot(LOG_DISTINCT_SD, noise.score_log_sd),
        floor=floor,
    )


def _said_noise(step_noise: float, floor: float) -> StepNoise:
    """Return the noise of a step as the user says it is."""
    return StepNoise(
        log_sd=math.log(step_noise),
        log_sd_sd=_SAID_SD,
        widths=(_SAID_WIDTH,),
        width_shares=(1.0,),
        floor=floor,
    )


def _said(step_noise: float) -> Caveat:
    return Caveat(
        "step_noise",
        f"The noise of a step was given ({format_number(step_noise, digits=2)}) and "
        "not measured: every verdict holds as far as that does.",
    )


def _cv_ratio(competition: Competition) -> tuple[float, float]:
    """Return the log noise variance of CV over public: prior mean and sd."""
    if not (competition.n_public and competition.train_size):
        return _CV_RATIO
    excess, sd = CV_EXCESS
    return excess + math.log(competition.n_public / competition.train_size), sd


def _row_noise(seen: Observed, rows: Rows, rounding_se: float) -> FloatArray:
    """Return the noise of every public step by its rows.

    A step without predictions is taken for a typical one, and where no step has them
    the typical difference of any two submissions stands for it.
    """
    se = rows.between(seen.reference)
    typical = _median(se[se > 0])
    if np.isnan(typical):
        typical = _median(rows.difference_se[rows.difference_se > 0])
    return np.hypot(np.where(se > 0, se, typical), rounding_se)


def _no_levels(why: Missing | None) -> Missing:
    reason = "Needs the noise of a score or of a step"
    if why is None:
        return Missing("levels", f"{reason}: no submission has a known level")
    return Missing("levels", f"{reason}: {why.reason}", why.need)


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
    if claims == "both" and np.isfinite(seen.cv_gain).any():
        return "B"
    sized = claims == "real" or (claims == "both" and history.competition.n_public)
    return "A+" if sized else "A"


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")
