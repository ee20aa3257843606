"""The word for each step: what the evidence supports, never what the person did."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from lbsense._result import Missing
from lbsense._typing import BoolArray, FloatArray, Verdict
from lbsense.analysis.evidence import Evidence
from lbsense.model import History, Submission, stated_content
from lbsense.stats import AgreementResult, StepPosteriorResult, bayes_fdr_list

__all__ = ["FDR", "contradictions", "verdicts"]

#: Expected share of false claims among those of progress, setback or chasing.
FDR = 0.1
_LIKELY = 0.7  # probability from which a gain that a plain test finds is claimed too
_LEANING = 0.8  # probability from which a step is no longer called a guess
_CONTRADICTION = 5.0  # typical noises between public and CV that luck does not make
_NOISY_STEP = 0.9  # quantile over the steps that bounds the noise of any one of them
_OFTEN = 1.645  # standard errors that one difference in ten of pure noise exceeds
_FEWEST_FOR_TRUST = 8  # steps before CV can have earned trust


def verdicts(
    history: History, evidence: Evidence, agreement: AgreementResult | Missing
) -> tuple[Verdict, ...]:
    """Return the verdict of every submission, in time order.

    The evidence decides in this order: not scored, the content of an earlier
    submission, one value or a probe by its own name, claims that pass the control of
    false discoveries, and only then whether the noise scale allows to call the step a
    guess.
    """
    gained = lost = chased = np.zeros(len(history), dtype=bool)
    if evidence.posterior:
        gained = bayes_fdr_list(evidence.posterior.p_gain, fdr=FDR)
        gained |= _plain_gains(evidence, evidence.posterior)
        lost = bayes_fdr_list(evidence.posterior.p_loss, fdr=FDR)
        chased = _chasing(evidence, evidence.posterior, agreement)
        clear = ~contradictions(evidence)
        gained, lost = gained & clear, lost & clear
    within = _within_noise(evidence)
    return tuple(
        _verdict(
            item,
            repeat=_repeats_earlier(evidence, index),
            gained=bool(gained[index]),
            lost=bool(lost[index]),
            chased=bool(chased[index]),
            within=bool(within[index]),
        )
        for index, item in enumerate(history)
    )


def _verdict(
    item: Submission,
    *,
    repeat: bool,
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

    With an estimated noise scale that is a step that leans to neither side. With bounds
    only, it is one that stays within the *least* noise that a step can have.
    """
    if evidence.claims == "both" and evidence.posterior:
        strongest = np.fmax(evidence.posterior.p_gain, evidence.posterior.p_loss)
        return np.asarray((strongest < _LEANING) & ~contradictions(evidence))
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
    raw = evidence.public_gain - evidence.cv_gain
    apart = np.fmax(np.abs(raw), np.abs(evidence.disagreement))
    return np.asarray(apart > _CONTRADICTION * noise)


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
        & (posterior.gain <= posterior.rope)
        & np.isfinite(excess)
    )
    if not (trusted and rose.any()):
        return np.zeros(len(excess), dtype=bool)
    tested = np.isfinite(excess) & np.isfinite(posterior.public_se)
    noise = np.hypot(posterior.public_se, posterior.cv_se)
    # A rise that luck cannot explain also inflates what is learned of its own noise.
    noise = np.fmin(noise, np.nanquantile(noise[tested], _NOISY_STEP))
    return rose & _discoveries(excess / noise, tested)


def _plain_gains(evidence: Evidence, posterior: StepPosteriorResult) -> BoolArray:
    """Return likely gains that Benjamini and Hochberg's rule finds without a prior.

    The prior is learned from the history and shy where that holds few gains. The plain
    test is not asked for losses: the luck of the reference makes them look too many.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.square([1 / posterior.public_se, 1 / posterior.cv_se])
        seen = np.array([evidence.public_gain, evidence.cv_gain]) * weight
        z = seen.sum(axis=0) / np.sqrt(weight.sum(axis=0))
    tested = np.isfinite(z)
    if evidence.claims != "both" or not tested.any():
        return np.zeros(len(z), dtype=bool)
    likely = np.nan_to_num(posterior.p_gain) > _LIKELY
    return _discoveries(z, tested) & likely


def _discoveries(z: FloatArray, tested: BoolArray) -> BoolArray:
    """Return where z is positive beyond chance (Benjamini and Hochberg 1995)."""
    pvalue = np.sort(ndtr(-z[tested]))
    allowed = FDR * np.arange(1, len(pvalue) + 1) / len(pvalue)
    passing = pvalue[pvalue <= allowed]
    limit = passing[-1] if passing.size else -1.0
    return np.asarray(tested & (ndtr(-np.nan_to_num(z)) <= limit))
