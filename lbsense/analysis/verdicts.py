"""The word for each step: what the evidence supports, never what the person did."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from lbsense._result import Missing
from lbsense._typing import BoolArray, FloatArray, Verdict
from lbsense.analysis.evidence import Evidence
from lbsense.facts import CLEAR
from lbsense.model import History, Submission, stated_content
from lbsense.stats import AgreementResult, StepPosteriorResult

# Probability from which on a gain or a loss is claimed. It is cautious: on real tables
# and real models 4% to 6% of the gains that it claims are none, 6% to 9% of the losses.
_LIKELY = 0.75
_FDR_CHASING = 0.09
_BY_CHANCE = 2.0  # noises from no change that one step in 44 without effect exceeds
_CONTRADICTION = 5.0  # typical noises between public and CV that luck does not make
_ALIKE = 0.6  # of the larger gain: two gains of one sign are no contradiction
_NOISY_STEP = 0.9  # quantile over the steps that bounds the noise of any one of them
_OFTEN = 1.645  # standard errors that one difference in ten of pure noise exceeds
_FAR_BELOW = 5.0  # noises of a step: nobody sends that hoping for a gain
_ASIDE = re.compile(
    r"\b(?:solo|single(?:[ -]models?)?|standalone|ablat(?:ion|ed|e)s?)\b", re.IGNORECASE
)
_FEWEST_FOR_TRUST = 8  # steps before CV can have earned trust


def verdicts(
    history: History, evidence: Evidence, agreement: AgreementResult | Missing
) -> tuple[Verdict, ...]:
    """Return the verdict of every submission, in time order.

    The evidence decides in this order: not scored, the content of an earlier
    submission, one value or a probe by its own name, nothing to compare it with, claims
    that are likely enough, and only then whether the noise scale allows to call the
    step a guess.
    """
    gained = lost = chased = np.zeros(len(history), dtype=bool)
    if evidence.posterior:
        steps = evidence.posterior
        beyond = steps.seen / np.sqrt(steps.seen_var)
        # What was learned from real tables takes small luck for small gains where most
        # steps change nothing: a claim must stand on the scores of its own step too.
        gained = (steps.p_gain >= _LIKELY) & (beyond >= _BY_CHANCE)
        lost = (steps.p_loss >= _LIKELY) & (beyond <= -_BY_CHANCE)
        chased = _chasing(evidence, steps, agreement)
    within = _within_noise(evidence)
    # Where nobody said which score is better only the first one of all is a start.
    starts = evidence.reference < 0
    if history.competition.greater_is_better is None:
        scored = np.flatnonzero(np.isfinite(evidence.public))
        starts = np.isin(np.arange(len(history)), scored[:1])
    return tuple(
        _verdict(
            item,
            repeat=_repeats_earlier(evidence, index),
            first=bool(starts[index]),
            gained=bool(gained[index]),
            lost=bool(lost[index]),
            chased=bool(chased[index]),
            within=bool(within[index]),
        )
        for index, item in enumerate(history)
    )


def asides(history: History, evidence: Evidence, found: Sequence[Verdict]) -> BoolArray:
    """Return the setbacks that are a branch: nothing was built on them.

    They say that they are a single model or an ablation, or they lie so far below that
    they were hardly meant to be better, and later submissions went on from elsewhere.
    """
    setback = np.array([verdict == "setback" for verdict in found], dtype=bool)
    posterior = evidence.posterior
    if not posterior or not setback.any():
        return setback & False
    built_on = np.zeros(len(found), dtype=bool)
    for index in np.flatnonzero((evidence.reference >= 0) & evidence.fresh):
        built_on[evidence.reference[index]] = True
    says_so = [_ASIDE.search(item.description or "") is not None for item in history]
    far = evidence.public_gain < -_FAR_BELOW * posterior.public_se
    scored = np.flatnonzero(np.isfinite(evidence.public))
    far[scored[-1:]] = False  # nothing could have been built on the latest one
    return np.asarray(setback & ~built_on & (far | np.array(says_so, dtype=bool)))


def _verdict(
    item: Submission,
    *,
    repeat: bool,
    first: bool,
    gained: bool,
    lost: bool,
    chased: bool,
    within: bool,
) -> Verdict:
    if item.public_score is None or item.status != "complete":
        return "unscored"
    if repeat:
        return "repeat"
    if stated_content(item.description, item.file_name) is not None:
        return "probe"
    if first:
        return "baseline"
    if chased:
        return "chasing"
    if gained:
        return "progress"
    if lost:
        return "setback"
    return "guess" if within else "unknown"


def _repeats_earlier(evidence: Evidence, index: int) -> bool:
    group = evidence.groups[index]
    return bool(group >= 0 and (evidence.groups[:index] == group).any())


def _within_noise(evidence: Evidence) -> BoolArray:
    """Return the steps that cannot be told from no change.

    With an estimated noise scale that is every step that no claim is made of. With
    bounds only, it is one that stays within the *least* noise that a step can have.
    """
    if evidence.claims == "both" and evidence.posterior:
        return np.asarray(
            np.isfinite(evidence.posterior.p_gain) & ~contradictions(evidence)
        )
    noise = evidence.noise
    least = np.fmax(noise.step_se_low, _OFTEN * noise.rerun_se)
    return np.asarray(np.abs(evidence.public_gain) <= np.nan_to_num(least))


def contradictions(evidence: Evidence) -> BoolArray:
    """Return the steps whose public and CV gain cannot be two measures of one gain.

    The typical noise of the history is the yardstick: that of the step itself has
    learned from the contradiction. A broken reference counts as much as a broken step.
    """
    posterior = evidence.posterior
    if not posterior or evidence.claims != "both":
        return np.zeros(len(evidence.disagreement), dtype=bool)
    noises = np.hypot(posterior.public_se, posterior.cv_se)
    if not np.isfinite(noises).any():
        return np.zeros(len(noises), dtype=bool)
    noise = np.nanmedian(noises)
    public, cv = evidence.public_gain, evidence.cv_gain
    apart = np.abs(public - cv)
    larger = np.fmax(np.abs(public), np.abs(cv))
    alike = (public * cv > 0) & (apart < _ALIKE * larger)
    return np.asarray((apart > _CONTRADICTION * noise) & ~alike)


def _chasing(
    evidence: Evidence,
    posterior: StepPosteriorResult,
    agreement: AgreementResult | Missing,
) -> BoolArray:
    """Return steps whose public rise validation that has earned trust contradicts.

    Trust is earned where CV gains and public gains correlate over the history.
    """
    trusted = (
        evidence.claims == "both"
        and agreement
        and agreement.n_obs >= _FEWEST_FOR_TRUST
        and agreement.ci_low > 0
    )
    excess = evidence.disagreement
    rose = (
        (evidence.public_gain > posterior.rope)
        & (evidence.cv_gain <= posterior.rope)
        & (posterior.p_gain < CLEAR)
    )
    if not (trusted and rose.any()):
        return np.zeros(len(excess), dtype=bool)
    tested = np.isfinite(excess) & np.isfinite(posterior.public_se)
    noise = np.hypot(posterior.public_se, posterior.cv_se)
    # A rise that luck cannot explain also inflates what is learned of its own noise.
    noise = np.fmin(noise, np.nanquantile(noise[tested], _NOISY_STEP))
    return rose & _discoveries(excess / noise, tested)


def _discoveries(z: FloatArray, tested: BoolArray) -> BoolArray:
    """Return where z is positive beyond chance (Benjamini and Hochberg 1995)."""
    pvalue = np.sort(ndtr(-z[tested]))
    allowed = _FDR_CHASING * np.arange(1, len(pvalue) + 1) / len(pvalue)
    passing = pvalue[pvalue <= allowed]
    limit = passing[-1] if passing.size else -1.0
    return np.asarray(tested & (ndtr(-np.nan_to_num(z)) <= limit))
