"""Is the next submission worth spending? Told from the CV of a candidate."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lbsense._format import format_number
from lbsense._result import Missing
from lbsense._typing import FloatArray
from lbsense._validation import check_fraction, check_kind, check_number
from lbsense.facts import Facts, GateResult
from lbsense.stats import candidate_gain
from lbsense.words import gate_reason, why_no_gate

_FEWEST_STEPS = 5
_FAR = 3.0  # ranges of all CV scores so far: beyond is another metric or a slip


def gate(
    analysis: Facts,
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
    lbsense.stats.candidate_gain : The posterior.

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
    check_kind(analysis, Facts, name="analysis")
    check_fraction(at_least, name="at_least")
    score = check_number(cv_score, name="cv_score")
    cv = _cv_on_public_scale(analysis)
    start = _start(analysis, cv, parent)
    missing = _unknown(analysis, cv, start, score)
    if missing is not None or not analysis.posterior or not analysis.levels:
        if missing is None:
            missing = Missing("gate", "the history has no judged steps")
        return GateResult(
            decision="unknown",
            reason=why_no_gate(missing),
            cv_score=score,
            at_least=at_least,
            missing=missing,
        )
    levels, posterior = analysis.levels, analysis.posterior
    best = int(np.nanargmax(np.where(_scored(analysis), levels.mean, np.nan)))
    cov = levels.cov([best, start])
    ahead_var = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
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
    result = GateResult(
        decision="spend" if spend else "keep",
        reason="",
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
    return replace(result, reason=gate_reason(result))


def _scored(analysis: Facts) -> np.ndarray:
    return np.isfinite(analysis.history.raw_scores("public"))


def _oriented(analysis: Facts, cv_score: float) -> float:
    """Return a raw CV score oriented, and on the scale of the public score."""
    sign = analysis.history.competition.cv_direction()
    return sign * cv_score * analysis.cv_scale


def _cv_on_public_scale(analysis: Facts) -> FloatArray:
    """Return oriented CV scores as the analysis used them; nan where it did not."""
    history = analysis.history
    if not analysis.directed:
        return np.full(len(history), np.nan)
    return np.asarray(history.scores("cv") * analysis.cv_scale)


def _start(analysis: Facts, cv: FloatArray, parent: str | None) -> int:
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


def _followed(analysis: Facts, key: FloatArray) -> int:
    """Return how many references were the largest ``key`` before the submission."""
    count, leader = 0, 0
    for index, step in enumerate(analysis.steps):
        count += step.reference_id == analysis.steps[leader].submission_id
        if key[index] > key[leader]:
            leader = index
    return count


def _unknown(
    analysis: Facts, cv: FloatArray, start: int, cv_score: float
) -> Missing | None:
    """Return why nothing can be told of the candidate, None where it can."""
    posterior = analysis.posterior
    if not analysis.directed and isinstance(posterior, Missing):
        return Missing("gate", posterior.reason, posterior.need)
    n_paired = sum(step.cv_gain is not None for step in analysis.steps)
    blind = not posterior or not np.isfinite(posterior.cv_se).any()
    if blind or start < 0 or n_paired < _FEWEST_STEPS or not analysis.levels:
        reason = (
            f"{n_paired} steps have both a public and a CV gain, {_FEWEST_STEPS} are "
            "needed to learn what a CV gain is worth here."
        )
        caveat = analysis.caveat("cv")
        if caveat is None:
            return Missing("gate", reason)
        return Missing("gate", f"{reason} {caveat.reason}", caveat.need)
    known = cv[np.isfinite(cv)]
    distance = abs(_oriented(analysis, cv_score) - float(np.median(known)))
    if distance > _FAR * float(np.ptp(known)) > 0:
        raw = analysis.history.raw_scores("cv")
        low, high = (format_number(float(f(raw))) for f in (np.nanmin, np.nanmax))
        return Missing(
            "gate",
            f"a CV score of {format_number(cv_score)} is far from those of the history "
            f"({low} to {high}). Is it of the same metric and scale?",
        )
    return None
