"""`analyze`: a history in, a verdict for every submission out."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from lbsense._format import shorten
from lbsense._result import Missing
from lbsense._typing import BoolArray, FloatArray, Verdict
from lbsense._validation import (
    check_fraction,
    check_kind,
    check_positive,
    is_frame,
    read_only,
)
from lbsense.analysis.evidence import Evidence, gather
from lbsense.analysis.observe import repeats
from lbsense.analysis.result import Analysis
from lbsense.analysis.retrospective import learn, look_back
from lbsense.analysis.whole import agreement_of, expect
from lbsense.facts import (
    CLEAR,
    Outlook,
    Retrospective,
    Step,
    Strength,
)
from lbsense.ingest import join_ledger, read_submissions
from lbsense.model import (
    History,
    Leaderboard,
    Ledger,
    Predictions,
    display_names,
    stated_content,
)
from lbsense.stats import (
    AgreementResult,
    DifferenceBandsResult,
    PairResult,
    PicksResult,
    PrivateOutlookResult,
    StepPosteriorResult,
    difference_bands,
    discoveries,
)
from lbsense.words import Board, advice, lessons, step_sentence

if TYPE_CHECKING:
    import pandas as pd

# Probability from which on a gain or a loss is claimed: cautious, as docs/verdicts.md
# says with its figures.
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


def analyze(
    history: History | str | PathLike[str] | pd.DataFrame,
    predictions: Predictions | None = None,
    *,
    ledger: Ledger | str | PathLike[str] | None = None,
    board: Leaderboard | None = None,
    rope: float | None = None,
    step_noise: float | None = None,
    shift_sd: float = 0.0,
    confidence_level: float = 0.95,
) -> Analysis:
    """Return the verdict of every submission of a history, with its evidence.

    Parameters
    ----------
    history : History, path, text or DataFrame
        Submissions of one entrant, as a reader or the user made it. What is no history
        is read by `lbsense.read_submissions`, which takes the metric and more.
    predictions : Predictions, optional
        Labels and out-of-fold predictions of some of them, as `read_predictions` gives
        them, named by submission id or file name. With the metric and the size of the
        public set they give the joint noise of all scores.
    ledger : Ledger or path, optional
        What was tried and why, as `lbsense.experiment` and `lbsense log` write it: the
        best source of parents and folds, and of what was expected of each step.
    board : Leaderboard, optional
        Public and private scores of all teams, as `read_leaderboard` gives them: they
        tell the noise of a score where metric and size do not, or less well.
    rope : float, optional
        Gain that is not worth naming, in score units. By default a quarter of the noise
        of a public step.
    step_noise : float, optional
        What you take for the standard error of the difference of two public scores, in
        score units, where nothing in the history tells it: every verdict then holds as
        far as that does.
    shift_sd : float
        How far the levels of public and private rows may lie apart beyond chance, as a
        standard deviation in score units: 0 for a random split.
    confidence_level : float
        Of all intervals, in (0, 1).

    Returns
    -------
    Analysis

    Raises
    ------
    TypeError
        If ``history`` is nothing that can be read.
    IngestError
        If there is no submission history in it.
    ValueError
        If ``rope`` or ``step_noise`` is not above 0, ``shift_sd`` below 0, or
        ``confidence_level`` not in (0, 1).

    See Also
    --------
    lbsense.stats.step_posterior : How the probabilities are computed.

    Examples
    --------
    >>> from lbsense.model import Competition, History, Submission
    >>> scores = [0.70, 0.71, 0.705]
    >>> history = History(
    ...     competition=Competition(greater_is_better=True),
    ...     submissions=tuple(
    ...         Submission(submission_id=f"s{i}", public_score=score)
    ...         for i, score in enumerate(scores)
    ...     ),
    ... )
    >>> analyze(history).counts()
    {'unknown': 2, 'baseline': 1}
    """
    history = _as_history(history)
    if ledger is not None:
        history = join_ledger(history, ledger)
    check_kind(predictions, Predictions, name="predictions", optional=True)
    check_kind(board, Leaderboard, name="board", optional=True)
    check_fraction(confidence_level, name="confidence_level")
    if rope is not None:
        check_positive(rope, name="rope")
    if step_noise is not None:
        check_positive(step_noise, name="step_noise")
    evidence = gather(
        history,
        predictions,
        rope=rope,
        confidence_level=confidence_level,
        step_noise=step_noise,
        board=board,
    )
    whole = expect(history, evidence, shift_sd=shift_sd)
    agreement = agreement_of(history, evidence)
    contradicted = _contradictions(evidence)
    found = _verdicts(history, evidence, agreement, contradicted)
    aside = _asides(history, evidence, found)
    after = look_back(history, evidence, found, whole.outlook, whole.picks)
    names, shown = display_names(history), Board(history)
    sign = history.competition.direction() if evidence.claims != "none" else 1
    steps = tuple(
        _step(
            history,
            evidence,
            index,
            names,
            verdict,
            bool(contradicted[index]),
            after,
            aside=bool(aside[index]),
            rows_needed=whole.rows_needed,
            board=shown,
        )
        for index, verdict in enumerate(found)
    )
    analysis = Analysis(
        history=history,
        level=evidence.level,
        claims=evidence.claims,
        steps=steps,
        noise=evidence.noise,
        agreement=agreement,
        posterior=evidence.posterior,
        parents=evidence.parents.rule,
        levels=evidence.levels
        and replace(evidence.levels, mean=read_only(sign * evidence.levels.mean)),
        outlook=_raw_outlook(
            whole.outlook,
            sign,
            selected=[index for index, item in enumerate(history) if item.selected],
            picks=whole.picks,
            repeats=[step.verdict == "repeat" for step in steps],
        ),
        picks=_raw_picks(whole.picks, sign),
        luck=whole.luck,
        resolution=whole.resolution,
        limits=whole.limits,
        climb=whole.climb,
        gaps=whole.gaps,
        alone=whole.alone,
        ladder=whole.ladder,
        joint=evidence.joint,
        retrospective=after,
        cv=read_only(evidence.cv),
        cv_scale=evidence.cv_scale,
        contradicted=read_only(contradicted),
        caveats=evidence.caveats,
        learning=learn(history, steps),
    )
    if not after:
        return analysis
    told = replace(
        after,
        lessons=tuple(lessons(analysis)),
        advice=tuple(advice(analysis)),
    )
    return replace(analysis, retrospective=told)


def _as_history(given: object) -> History:
    """Return a history as it is, and anything else that holds one read."""
    if isinstance(given, History):
        return given
    if is_frame(given) or isinstance(given, str | PathLike | list | tuple):
        return read_submissions(given)
    msg = (
        "history must be a History, a path, text, a DataFrame or records, got "
        f"{type(given).__name__} {shorten(repr(given), 40)}. Give what "
        "lbsense.read_submissions(...) returns."
    )
    raise TypeError(msg)


def _step(
    history: History,
    evidence: Evidence,
    index: int,
    names: Sequence[str],
    verdict: Verdict,
    contradicted: bool,
    after: Retrospective | Missing,
    *,
    aside: bool,
    rows_needed: Sequence[FloatArray] | None,
    board: Board,
) -> Step:
    item = history[index]
    reference = int(evidence.reference[index])
    if reference < 0 and verdict == "repeat":  # of a submission without a score
        reference = int(np.flatnonzero(evidence.groups == evidence.groups[index])[0])
    posterior = evidence.posterior
    worth = posterior.scale if posterior else 1.0

    def known(values: FloatArray | None) -> float | None:
        if values is None or not math.isfinite(values[index]):
            return None
        return round(float(values[index]), 12)

    def believed(name: str, scale: float = 1.0) -> float | None:
        values = getattr(posterior, name, None)
        if values is None or verdict in ("repeat", "unscored"):
            return None
        return known(scale * values)

    hindsight = after.steps if after else None

    def later(name: str) -> float | None:
        return known(getattr(hindsight, name, None))

    def needed(which: int) -> int | None:
        rows = rows_needed[which][index] if rows_needed is not None else math.nan
        return math.ceil(rows) if math.isfinite(rows) else None

    step = Step(
        submission_id=item.submission_id,
        name=names[index],
        title=item.title,
        file_name=item.file_name,
        description=item.description,
        submitted_at=item.submitted_at,
        status=item.status,
        public_score=item.public_score,
        cv_score=item.cv_score,
        cv_source=item.cv_source,
        private_score=item.private_score,
        reference_id=history[reference].submission_id if reference >= 0 else None,
        public_gain=known(evidence.public_gain),
        public_gain_se=believed("public_se"),
        cv_gain=known(evidence.cv_gain),
        cv_gain_se=believed("cv_se"),
        gain=believed("gain", worth),
        gain_low=believed("ci_low", worth),
        gain_high=believed("ci_high", worth),
        p_gain=believed("p_gain"),
        p_null=believed("p_null"),
        p_loss=believed("p_loss"),
        verdict=verdict,
        sentence="",
        hindsight_gain=later("gain"),
        hindsight_low=later("ci_low"),
        hindsight_high=later("ci_high"),
        hindsight_p_gain=later("p_gain"),
        hindsight_p_null=later("p_null"),
        hindsight_p_loss=later("p_loss"),
        outcome=after.outcomes[index] if after else "",
        strength=_strength(posterior, index, verdict),
        aside=aside,
        rows_needed_low=needed(0),
        rows_needed=needed(1),
        rows_needed_high=needed(2),
    )
    told = step_sentence(
        step,
        names[reference] if reference >= 0 else "",
        evidence.noise,
        evidence.claims,
        directed=history.competition.greater_is_better is not None,
        contradicted=contradicted,
        board=board,
    )
    return replace(step, sentence=told)


def _strength(
    posterior: StepPosteriorResult | Missing, index: int, verdict: Verdict
) -> Strength:
    if not posterior or verdict not in ("progress", "setback"):
        return ""
    p = posterior.p_gain if verdict == "progress" else posterior.p_loss
    return "clear" if p[index] >= CLEAR else "likely"


def _raw_outlook(
    oriented: PrivateOutlookResult | Missing,
    sign: int,
    *,
    selected: Sequence[int] = (),
    picks: PicksResult | Missing | None = None,
    repeats: Sequence[bool] | None = None,
) -> Outlook | Missing:
    """Return an oriented outlook in raw scores, as the platform shows them.

    The best is named by the first submission of its content: ``repeats`` are none.
    """
    if isinstance(oriented, Missing):
        return oriented
    known = np.where(np.isfinite(oriented.mean), oriented.mean, -np.inf)
    chosen = [index for index in selected if known[index] > -np.inf]

    first = known if repeats is None else np.where(repeats, -np.inf, known)
    best = int(np.argmax(first if np.isfinite(first).any() else known))

    def against(index: int) -> DifferenceBandsResult:
        return difference_bands(oriented.mean, oriented.cov, index)

    names = (item.name for item in fields(oriented))
    raw = {name: getattr(oriented, name) for name in names}
    raw["mean"] = read_only(sign * oriented.mean)
    for part in ("ci80", "ci95"):
        ends = raw[f"{part}_low"], raw[f"{part}_high"]
        low, high = ends if sign > 0 else (-ends[1], -ends[0])
        raw |= {f"{part}_low": read_only(low), f"{part}_high": read_only(high)}
    return Outlook(
        **raw,
        to_best=against(best),
        to_selected=(against(max(chosen, key=known.__getitem__)) if chosen else None),
        to_pick=against(picks.best.first) if picks else None,
    )


def _raw_picks(oriented: PicksResult | Missing, sign: int) -> PicksResult | Missing:
    """Return picks whose expected scores are raw, as the platform shows them."""
    if isinstance(oriented, Missing):
        return oriented

    def raw(pair: PairResult) -> PairResult:
        return replace(pair, expected_score=sign * pair.expected_score)

    return replace(
        oriented,
        best=raw(oriented.best),
        runner_up=None if oriented.runner_up is None else raw(oriented.runner_up),
        rules=tuple(raw(pair) for pair in oriented.rules),
    )


def _verdicts(
    history: History,
    evidence: Evidence,
    agreement: AgreementResult | Missing,
    contradicted: BoolArray,
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
    within = _within_noise(evidence, contradicted)
    # Where nobody said which score is better only the first one of all is a start.
    starts = evidence.reference < 0
    if history.competition.greater_is_better is None:
        scored = np.flatnonzero(np.isfinite(evidence.public))
        starts = np.isin(np.arange(len(history)), scored[:1])
    repeated = repeats(evidence.groups)

    def verdict(index: int) -> Verdict:
        item = history[index]
        if item.public_score is None or item.status != "complete":
            return "unscored"
        if repeated[index]:
            return "repeat"
        if stated_content(item.description, item.file_name) is not None:
            return "probe"
        if starts[index]:
            return "baseline"
        if chased[index]:
            return "chasing"
        if gained[index]:
            return "progress"
        if lost[index]:
            return "setback"
        return "guess" if within[index] else "unknown"

    return tuple(map(verdict, range(len(history))))


def _asides(
    history: History, evidence: Evidence, found: Sequence[Verdict]
) -> BoolArray:
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


def _within_noise(evidence: Evidence, contradicted: BoolArray) -> BoolArray:
    """Return the steps that cannot be told from no change.

    With an estimated noise scale that is every step that no claim is made of. With
    bounds only, it is one that stays within the *least* noise that a step can have.
    """
    if evidence.claims == "both" and evidence.posterior:
        return np.asarray(np.isfinite(evidence.posterior.p_gain) & ~contradicted)
    noise = evidence.noise
    least = np.fmax(noise.step_se_low, _OFTEN * noise.rerun_se)
    return np.asarray(np.abs(evidence.public_gain) <= np.nan_to_num(least))


def _contradictions(evidence: Evidence) -> BoolArray:
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
    pvalue = np.where(tested, ndtr(-excess / noise), np.nan)
    return rose & discoveries(pvalue, false_share=_FDR_CHASING)
