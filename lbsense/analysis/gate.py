"""Is the next submission worth spending? Told from the CV of a candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from lbsense._format import format_gain, format_number, format_probability
from lbsense._result import Result
from lbsense._typing import FloatArray
from lbsense._validation import check_fraction
from lbsense.analysis.result import Analysis
from lbsense.stats import candidate_gain

__all__ = ["GateDecision", "GateResult", "gate"]

GateDecision: TypeAlias = Literal["spend", "keep", "unknown"]

_FEWEST_STEPS = 5
_FAR = 3.0  # ranges of all CV scores so far: beyond is another metric or a slip


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult(Result):
    """Whether a candidate is worth a submission. Gains are oriented: more is better.

    Attributes
    ----------
    decision : {"spend", "keep", "unknown"}
        Whether ``p_gain`` reaches ``at_least``; unknown where nothing can be told.
    reason : str
        Why, in plain words.
    cv_score : float
        CV score of the candidate, as it was given.
    parent_id, best_id : str or None
        What its CV is compared with, and the submission of the highest expected true
        score, which it has to beat.
    cv_gain, cv_gain_se : float
        Its CV gain over the parent on the scale of the public score, and the noise.
    gain, gain_low, gain_high : float
        Expected true gain over the best submission, and its 95% interval.
    p_better, p_gain : float
        Probability of any true gain over it, and of one worth naming.
    smallest_gain : float
        Gain that the leaderboard shows with 80% power.
    p_visible : float
        Probability of a true gain above that.
    narrowing : float
        Share by which a public score would narrow what is known of the step.
    rope, at_least : float
        Gain not worth naming, and the probability asked for.
    n_obs : int
        Past steps behind the prior.
    """

    decision: GateDecision
    reason: str
    cv_score: float
    parent_id: str | None = None
    best_id: str | None = None
    cv_gain: float = math.nan
    cv_gain_se: float = math.nan
    gain: float = math.nan
    gain_low: float = math.nan
    gain_high: float = math.nan
    p_better: float = math.nan
    p_gain: float = math.nan
    smallest_gain: float = math.nan
    p_visible: float = math.nan
    narrowing: float = math.nan
    rope: float = math.nan
    at_least: float = 0.5
    n_obs: int = 0


def gate(
    analysis: Analysis,
    cv_score: float,
    *,
    parent: str | None = None,
    at_least: float = 0.5,
) -> GateResult:
    """Return whether a candidate with this CV score is worth a submission.

    Parameters
    ----------
    analysis : Analysis
        Of the history so far, with CV scores.
    cv_score : float
        CV score of the candidate, raw, under the same scheme as those of the history.
    parent : str, optional
        Identifier of the submission that it was made from. By default what this entrant
        was found to build on: the best public score, the best CV score, the best sum of
        both, or the previous submission.
    at_least : float
        Probability of a gain worth naming from which a submission is worth it.

    Returns
    -------
    GateResult

    Raises
    ------
    ValueError
        If ``cv_score`` is not finite, ``at_least`` not in (0, 1), or ``parent`` no
        submission of the history with both scores.

    See Also
    --------
    lbsense.stats.candidate.candidate_gain : The posterior.

    Notes
    -----
    ``cv_score`` minus the CV of the parent is the true step plus CV noise of the size
    that the steps of the history have; the prior of the step is the mean of the
    posteriors of all past steps. The best submission is that of the highest posterior
    level, not of the highest public score; what it is ahead of the parent is normal
    with the posterior means and covariance of both levels.

    It knows nothing of a candidate but its CV. A CV that does not transfer misleads it
    as it misleads you. In simulated histories ``p_gain`` is right on average and shy at
    the ends (slope of observed on stated 1.2 to 1.4); where models are refitted and
    hardly any step is worth nothing it is too low, .12 where .27 were gains.

    Examples
    --------
    >>> from lbsense.analysis import analyze
    >>> from lbsense.simulate import Scenario, simulate
    >>> simulated = simulate(
    ...     Scenario(n_submissions=30, step_size=0.1, policy="both"), rng=1
    ... )
    >>> history = simulated.history
    >>> analysis = analyze(history)
    >>> best = max(item.cv_score for item in history)
    >>> gate(analysis, best + 0.02).decision, gate(analysis, best - 0.02).decision
    ('spend', 'keep')
    """
    check_fraction(at_least, name="at_least")
    if not math.isfinite(cv_score):
        msg = f"cv_score must be a finite number, got {cv_score!r}."
        raise ValueError(msg)
    score = float(cv_score)
    cv = _cv_on_public_scale(analysis)
    start = _start(analysis, cv, parent)
    reason = _unknown(analysis, cv, start, score)
    if reason is not None or analysis.posterior is None or analysis.levels is None:
        return GateResult(
            decision="unknown",
            reason=reason or "Not knowable: the history has no judged steps.",
            cv_score=score,
            at_least=at_least,
        )
    levels, posterior = analysis.levels, analysis.posterior
    best = int(np.nanargmax(np.where(_scored(analysis), levels.mean, np.nan)))
    ahead_var = (
        levels.cov[best, best] + levels.cov[start, start] - 2 * levels.cov[best, start]
    )
    cv_gain = _oriented(analysis, score) - float(cv[start])
    cv_gain_se = float(np.nanmedian(posterior.cv_se))
    public_se = float(np.nanmedian(posterior.public_se))
    smallest = analysis.resolution.smallest_gain if analysis.resolution else math.nan
    found = candidate_gain(
        cv_gain,
        cv_gain_se,
        past_gain=posterior.gain,
        past_gain_se=posterior.gain_se,
        past_p_null=posterior.p_null,
        ahead=float(levels.mean[best] - levels.mean[start]),
        ahead_se=math.sqrt(max(float(ahead_var), 0.0)) if best != start else 0.0,
        rope=posterior.rope,
        visible=smallest,
    )
    best_id = analysis.steps[best].submission_id
    spend = found.p_gain >= at_least
    return GateResult(
        decision="spend" if spend else "keep",
        reason=(
            f"P(true gain over {best_id} worth naming) is "
            f"{format_probability(found.p_gain)}, expected gain "
            f"{format_gain(found.gain)} ({format_gain(found.ci_low)} to "
            f"{format_gain(found.ci_high)}); {format_probability(at_least)} is asked."
        ),
        cv_score=score,
        parent_id=analysis.steps[start].submission_id,
        best_id=best_id,
        cv_gain=cv_gain,
        cv_gain_se=cv_gain_se,
        gain=found.gain,
        gain_low=found.ci_low,
        gain_high=found.ci_high,
        p_better=found.p_better,
        p_gain=found.p_gain,
        smallest_gain=smallest,
        p_visible=found.p_visible,
        narrowing=1 - public_se / math.hypot(public_se, found.step_se),
        rope=posterior.rope,
        at_least=at_least,
        n_obs=found.n_obs,
    )


def _scored(analysis: Analysis) -> np.ndarray:
    return np.isfinite(analysis.history.raw_scores("public"))


def _oriented(analysis: Analysis, cv_score: float) -> float:
    """Return a raw CV score oriented, and on the scale of the public score."""
    sign = analysis.history.competition.cv_direction()
    return sign * cv_score * _factor(analysis)


def _cv_on_public_scale(analysis: Analysis) -> FloatArray:
    """Return oriented CV scores as the analysis used them; nan where it did not."""
    history = analysis.history
    if history.competition.greater_is_better is None:
        return np.full(len(history), np.nan)
    return np.asarray(history.scores("cv") * _factor(analysis))


def _factor(analysis: Analysis) -> float:
    """Return what CV gains were multiplied by; nan where they were not used."""
    position = {step.submission_id: i for i, step in enumerate(analysis.steps)}
    cv = analysis.history.scores("cv")
    for index, step in enumerate(analysis.steps):
        if step.cv_gain is None or step.reference_id is None:
            continue
        raw = cv[index] - cv[position[step.reference_id]]
        if math.isfinite(raw) and raw != 0:
            return float(step.cv_gain / raw)
    return math.nan


def _start(analysis: Analysis, cv: FloatArray, parent: str | None) -> int:
    """Return the submission that the candidate is compared with, -1 for none."""
    usable = _scored(analysis) & np.isfinite(cv)
    if parent is not None:
        for index, step in enumerate(analysis.steps):
            if step.submission_id == parent:
                if usable[index] or not usable.any():
                    return index
                msg = f"parent {parent!r} must have a public and a CV score."
                raise ValueError(msg)
        msg = f"parent must be the submission_id of a submission, got {parent!r}."
        raise ValueError(msg)
    if not usable.any():
        return -1
    public = analysis.history.scores("public")
    habits = [public, cv, public + cv, np.arange(len(cv), dtype=np.float64)]
    keys = [np.where(usable, key, -np.inf) for key in habits]
    return int(np.argmax(max(keys, key=lambda key: _followed(analysis, key))))


def _followed(analysis: Analysis, key: FloatArray) -> int:
    """Return how many references were the largest ``key`` before the submission."""
    count, leader = 0, 0
    for index, step in enumerate(analysis.steps):
        count += step.reference_id == analysis.steps[leader].submission_id
        if key[index] > key[leader]:
            leader = index
    return count


def _unknown(
    analysis: Analysis, cv: FloatArray, start: int, cv_score: float
) -> str | None:
    """Return why nothing can be told of the candidate, None where it can."""
    if analysis.history.competition.greater_is_better is None:
        return f"Not knowable: {analysis.notes['direction']}"
    n_paired = sum(step.cv_gain is not None for step in analysis.steps)
    blind = (
        analysis.posterior is None or not np.isfinite(analysis.posterior.cv_se).any()
    )
    if blind or start < 0 or n_paired < _FEWEST_STEPS or analysis.levels is None:
        return (
            f"Not knowable: {n_paired} steps have both a public and a CV gain, "
            f"{_FEWEST_STEPS} are needed to learn what a CV gain is worth here."
            + (f" {analysis.notes['cv']}" if "cv" in analysis.notes else "")
        )
    known = cv[np.isfinite(cv)]
    distance = abs(_oriented(analysis, cv_score) - float(np.median(known)))
    if distance > _FAR * float(np.ptp(known)) > 0:
        raw = analysis.history.raw_scores("cv")
        low, high = (format_number(float(f(raw))) for f in (np.nanmin, np.nanmax))
        return (
            f"Not knowable: a CV score of {format_number(cv_score)} is far from those "
            f"of the history ({low} to {high}). Is it of the same metric and scale?"
        )
    return None
