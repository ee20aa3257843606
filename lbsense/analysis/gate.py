"""Is the next submission worth spending? Told from what is known of a candidate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lbsense._format import format_number, plural
from lbsense._result import Missing
from lbsense._typing import FloatArray
from lbsense._validation import (
    as_float_vector,
    check_fraction,
    check_kind,
    check_number,
)
from lbsense.analysis.analyze import analyze
from lbsense.analysis.predictions import noise_of, unlabelled_noise_of
from lbsense.analysis.result import Analysis
from lbsense.facts import Facts, GateResult, NoiseBasis
from lbsense.model import CANDIDATE, Experiment, History, Predictions
from lbsense.stats import OnlineResult, candidate_gain, online_discoveries
from lbsense.words import gate_reason, why_no_gate

_FEWEST_STEPS = 5
# Ranges of all CV scores so far, and share of them: beyond is another metric or a slip.
_FAR, _LIKE = 3.0, 0.5
_NOISES = 9  # that stand for all that a step of the history had
_BY_ROWS, _BY_FILES = 0.3, 0.5  # log sd of a noise that labels tell, or files alone
_MOST_LARGER = 100.0  # times a past step that a step may be and still be told by it
_FEWEST_FOLDS = 3
_NO_SPREAD = 20.0  # times less than any noise so far: no spread, and no noise told
_SAME = 1e-9  # of the spread of predictions: a difference that arithmetic makes
_FALSE_SHARE = 0.1  # where nobody says: it is only told


def footing(
    history: History,
    predictions: Predictions | None = None,
    *,
    step_noise: float | None = None,
) -> Analysis:
    """Return the analysis that a gate stands on, its noise from wherever it can be had.

    Parameters
    ----------
    history : History
        The submissions so far.
    predictions : Predictions, optional
        They tell the noise of all submissions: with labels, or as files alone.
    step_noise : float, optional
        What you take for it.

    Returns
    -------
    Analysis
        As `analyze` gives it. Where it knows no noise of a step, it is taken from runs
        of one submission with other seeds.
    """
    analysis = analyze(history, predictions, step_noise=step_noise)
    if analysis.claims == "both" or step_noise is not None or not analysis.directed:
        return analysis
    noise = analysis.noise.rerun_se
    if analysis.noise.n_repeats < _FEWEST_FOLDS - 1 or not 0 < noise < math.inf:
        return analysis
    return analyze(history, predictions, step_noise=noise)


def gate(
    analysis: Facts,
    cv_score: float | None = None,
    *,
    parent: str | None = None,
    against: str | None = None,
    at_least: float = 0.5,
    fold_scores: Sequence[float] = (),
    predictions: Predictions | None = None,
    digests: Sequence[str] = (),
    n_left: int | None = None,
    false_share: float | None = None,
) -> GateResult:
    """Return whether a candidate is worth a submission, or a change worth keeping.

    Parameters
    ----------
    analysis : Analysis
        Of the history so far, as `analyze` or `footing` gives it.
    cv_score : float, optional
        CV score of the candidate, raw, under the latest scheme of the history: in a
        history without CV, the score that it climbs on. By default the mean of the
        fold scores, or the score of the out-of-fold predictions.
    parent : str, optional
        Identifier of the submission that it was made from. By default what this entrant
        was found to build on: the best public score, the best CV score, the best sum of
        both, or the previous submission.
    against : str, optional
        Identifier of the submission that it has to beat; by default the one of the
        highest expected true score.
    at_least : float
        Probability of a gain worth naming from which a submission is worth it.
    fold_scores : sequence of float
        CV score of every fold. With those of the parent they tell the noise.
    predictions : Predictions, optional
        Those of earlier submissions and, by the name `lbsense.CANDIDATE`, of the
        candidate: out of fold, for the test set, or both.
    digests : sequence of str
        SHA-256 of its files: a submission that has one of them is repeated, and an
        experiment of the ledger that has one tells its CV where none is given.
    n_left : int, optional
        Submissions left. With none left nothing is spent.
    false_share : float, optional
        Spend only while, of all steps that pass, at most this share is expected to be
        no gain, whenever one looks: the candidate is tested as one of the stream of all
        steps so far.

    Returns
    -------
    GateResult

    Raises
    ------
    ValueError
        If a score is not finite, ``at_least`` or ``false_share`` not in (0, 1),
        ``n_left`` below 0, ``parent`` no submission of the history with the scores that
        are needed, or the predictions are not of one metric.

    See Also
    --------
    lbsense.stats.candidate_gain : The posterior.
    lbsense.stats.online_discoveries : The stream of tests.
    lbsense.plan : Which of several candidates to send first.

    Notes
    -----
    ``cv_score`` minus the CV of the parent is the true step plus CV noise of the size
    that a step of the history has, one or another; predictions or folds of candidate
    and parent tell it better. The prior of the step is the mean of the posteriors of
    all past steps. The best submission is that of the highest posterior level, not of
    the highest public score; what it is ahead of the parent is normal with the
    posterior means and covariance of both levels.

    A step passes while the mean probability of no gain, of all that passed and its own,
    is at most ``false_share``: given all that was seen that mean is the expected false
    share, whenever one looks.

    It knows nothing of a candidate but this. A CV that does not transfer misleads it
    as it misleads you. On tables of known truth ``p_gain`` is right on average and
    spends on 75% true gains at 50%.

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
    check_kind(predictions, Predictions, name="predictions", optional=True)
    check_fraction(at_least, name="at_least")
    if false_share is not None:
        check_fraction(false_share, name="false_share")
    if n_left is not None and not (isinstance(n_left, int) and n_left >= 0):
        msg = f"n_left must be a whole number of at least 0, got {n_left!r}."
        raise ValueError(msg)
    folds = as_float_vector(fold_scores, name="fold_scores")
    if not np.isfinite(folds).all():
        msg = "fold_scores must be finite."
        raise ValueError(msg)
    told = None if cv_score is None else check_number(cv_score, name="cv_score")
    sent, entries = _same_file(analysis.history, digests)
    if told is None and not folds.size and entries:
        told, folds = entries[-1].cv_score, np.array(entries[-1].cv_fold_scores)
    if told is None and folds.size:
        told = float(folds.mean())
    measure = _Measure.of(analysis)
    files = _Files.of(analysis, predictions)
    told, measure = files.completed(told, measure, analysis)
    start = _start(analysis, measure, parent)
    result = GateResult(
        decision="unknown",
        reason="",
        cv_score=told,
        at_least=at_least,
        n_left=n_left,
        false_share=false_share,
        repeats=sent or files.repeats,
        experiments=tuple(entry.name for entry in entries),
        closest_id=files.closest[0],
        closest_se=files.closest[1],
    )
    missing = _unknown(analysis, measure, start, told)
    if missing is not None or told is None:
        return _decided(replace(result, missing=missing), analysis)
    noise = _Noise.of(analysis, measure, files, start, folds)
    judged = _judged(analysis, measure, files, noise, start, against, result, told)
    return _decided(judged, analysis)


def _same_file(
    history: History, digests: Sequence[str]
) -> tuple[str | None, list[Experiment]]:
    """Return the submission and the experiments of the ledger of the very same file."""
    wanted = {digest.casefold() for digest in digests}
    sent = {item.submission_id: item.content_hash for item in history}
    entries = [
        entry
        for entry in history.ledger or ()
        if wanted & {file.sha256.casefold() for file in entry.predictions}
    ]
    known = [name for name, own in sent.items() if own and own.casefold() in wanted]
    known += [e.submission_id for e in entries if e.submission_id in sent]
    return (known[0] if known else None), entries


def _decided(result: GateResult, analysis: Facts) -> GateResult:
    """Return the result with its decision and the reason."""
    if result.n_left == 0 or result.repeats is not None:
        decided = replace(result, decision="keep")
    elif result.missing is not None:
        return replace(result, reason=why_no_gate(result.missing))
    else:
        spend = result.p_gain >= result.at_least and result.passes is not False
        decided = replace(result, decision="spend" if spend else "keep")
    return replace(decided, reason=gate_reason(decided, analysis))


def _judged(
    analysis: Facts,
    measure: _Measure,
    files: _Files,
    noise: _Noise,
    start: int,
    against: str | None,
    result: GateResult,
    told: float,
) -> GateResult:
    """Return what is expected of the candidate."""
    levels, posterior = analysis.levels, analysis.posterior
    assert levels
    assert posterior
    true = analysis.history.competition.direction() * levels.mean
    best = _to_beat(analysis, true, against)
    cv_gain = measure.factor * told - float(measure.level[start])
    smallest = analysis.resolution.smallest_gain if analysis.resolution else math.nan
    look = math.nan
    if measure.kind == "cv":
        look = files.between(analysis, best)
        look = look if look > 0 else float(np.nanmedian(posterior.public_se))
    larger = noise.against(posterior.public_se)
    found = candidate_gain(
        cv_gain,
        noise.values,
        cv_gain_se_share=noise.shares,
        past_gain=posterior.gain * larger,
        past_gain_se=posterior.gain_se * larger,
        past_p_null=posterior.p_null,
        ahead=float(true[best] - true[start]),
        ahead_se=math.sqrt(levels.spread.apart(best, start)),
        rope=posterior.rope,
        visible=smallest,
        look_se=look,
    )
    stream, p_none = _stream(analysis, result.false_share), 1 - found.p_gain
    return replace(
        result,
        parent_id=analysis.steps[start].submission_id,
        best_id=analysis.steps[best].submission_id,
        measure=measure.kind,
        noise_basis=noise.basis,
        cv_gain=cv_gain,
        cv_gain_se=noise.typical,
        gain=found.gain,
        gain_se=found.gain_se,
        gain_low=found.ci_low,
        gain_high=found.ci_high,
        p_better=found.p_better,
        p_gain=found.p_gain,
        smallest_gain=smallest,
        p_visible=found.p_visible,
        narrowing=1 - look / math.hypot(look, found.step_se),
        look_se=look,
        value=found.value,
        p_right=found.p_right,
        p_none=p_none,
        level=stream.next_level,
        passes=None if result.false_share is None else p_none <= stream.next_level,
        n_tested=stream.n_obs,
        n_passed=int(stream.claimed.sum()),
        rope=posterior.rope,
        n_obs=found.n_obs,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Measure:
    """What candidates are measured by, oriented and on the scale of the public score.

    ``level`` is that score of every submission, ``gain`` and ``gain_se`` what it says
    of every step; nan where it says nothing. ``kind`` is "cv", or "public" in a history
    of one kind of score alone.
    """

    kind: str
    level: FloatArray
    gain: FloatArray
    gain_se: FloatArray
    factor: float  # from a raw score to this scale

    @classmethod
    def of(cls, analysis: Facts) -> _Measure:
        history, posterior = analysis.history, analysis.posterior
        nan = np.full(len(history), np.nan)
        if not analysis.directed:
            return cls(kind="cv", level=nan, gain=nan, gain_se=nan, factor=math.nan)
        fresh = np.array([step.verdict != "repeat" for step in analysis.steps], bool)
        # Predictions of the very rows that are scored give that score once more.
        alone = analysis.claims == "both" and not (
            np.isfinite(history.raw_scores("cv")).any()
            or any(
                step.cv_gain is not None
                and not math.isclose(
                    step.cv_gain, step.public_gain or 0.0, rel_tol=1e-6, abs_tol=1e-12
                )
                for step in analysis.steps
            )
        )
        kind = "public" if alone else "cv"
        gain = np.array(
            [getattr(step, f"{kind}_gain") for step in analysis.steps], dtype=float
        )
        found = getattr(posterior, f"{kind}_se", nan) if posterior else nan
        if alone:
            level = history.scores("public")
            factor = float(history.competition.direction())
        else:
            level = np.where(np.isfinite(analysis.cv_scale), analysis.cv, np.nan)
            factor = history.competition.cv_direction() * analysis.cv_scale
        return cls(
            kind=kind,
            level=level,
            gain=np.where(fresh, gain, np.nan),
            gain_se=np.where(fresh & (found > 0), found, np.nan),
            factor=factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """What predictions say of a candidate: its score, and its distance to others.

    ``out`` and ``sent`` are standard errors of the public difference to earlier
    submissions: by out-of-fold predictions and labels, and by submission files alone.
    """

    out: dict[str, float]
    sent: dict[str, float]
    scores: dict[str, float]
    repeats: str | None

    @classmethod
    def of(cls, analysis: Facts, predictions: Predictions | None) -> _Files:
        none = cls(out={}, sent={}, scores={}, repeats=None)
        if predictions is None or CANDIDATE not in predictions.names:
            return none
        history = analysis.history
        others = {item.submission_id for item in history}
        repeats = _repeated(predictions, others)
        out: dict[str, float] = {}
        scores: dict[str, float] = {}
        competition = history.competition
        names = _both(predictions.oof_names, others)
        if names and predictions.labels is not None and competition.metric is not None:
            joint = noise_of(
                predictions,
                competition.metric,
                n=competition.n_public or predictions.n_rows,
                names=names,
                rng=0,
            )
            scores = dict(zip(names, map(float, joint.scores), strict=True))
            out = dict(zip(names, map(float, joint.difference_se[-1]), strict=True))
        names = _both(predictions.test_names, others)
        between = _between_files(history, predictions, names)
        sent = (
            {}
            if isinstance(between, Missing)
            else dict(zip(names, map(float, between[-1]), strict=True))
        )
        return cls(out=out, sent=sent, scores=scores, repeats=repeats)

    def completed(
        self, told: float | None, measure: _Measure, analysis: Facts
    ) -> tuple[float | None, _Measure]:
        """Return score and measure with what out-of-fold predictions say of them.

        Where they are all that is known of the candidate they measure the others too.
        """
        if not self.scores:
            return told, measure
        level = measure.level.copy()
        for index, step in enumerate(analysis.steps):
            score = self.scores.get(step.submission_id)
            if score is not None and (told is None or np.isnan(level[index])):
                level[index] = measure.factor * score
        score = self.scores[CANDIDATE] if told is None else told
        return score, replace(measure, level=level)

    def between(self, analysis: Facts, index: int) -> float:
        """Return the noise of the public difference to a submission, nan if unknown."""
        name = analysis.steps[index].submission_id
        return self.out.get(name, self.sent.get(name, math.nan))

    @property
    def closest(self) -> tuple[str | None, float]:
        """The submission with the least noise of the difference, and that noise."""
        near = {
            name: se
            for name, se in (self.out or self.sent).items()
            if name != CANDIDATE and math.isfinite(se)
        }
        found = min(near, key=near.__getitem__, default=None)
        return found, math.nan if found is None else near[found]


def _both(names: Sequence[str], others: set[str]) -> tuple[str, ...]:
    """Return the submissions among some names and the candidate; nothing without it."""
    if CANDIDATE not in names:
        return ()
    return (*(name for name in names if name in others), CANDIDATE)


def _between_files(
    history: History, predictions: Predictions, names: Sequence[str]
) -> FloatArray | Missing:
    """Return the noise of public differences by the submission files alone."""
    competition = history.competition
    if len(names) < 2 or competition.metric is None or competition.n_public is None:
        need = ("metric", "test_size", "public_fraction")
        return Missing("files", "needs two files, the metric and the sizes", need)
    public = {item.submission_id: item.public_score for item in history}
    scores = np.array([np.nan if public.get(n) is None else public[n] for n in names])
    if not np.isfinite(scores).any():
        return Missing("files", "none of the files has a public score")
    scores = np.where(np.isfinite(scores), scores, np.nanmedian(scores))
    try:
        found = unlabelled_noise_of(
            predictions,
            competition.metric,
            n=competition.n_public,
            names=names,
            scores=scores,
            rng=0,
        )
    except ValueError as error:
        return Missing("files", str(error))
    return found.difference_se


def _repeated(predictions: Predictions, others: set[str]) -> str | None:
    """Return the submission whose predictions the candidate repeats."""
    kind = "test" if CANDIDATE in predictions.test_names else "oof"
    names, values = getattr(predictions, f"{kind}_names"), getattr(predictions, kind)
    if CANDIDATE not in names:
        return None
    mine = values[:, names.index(CANDIDATE)]
    for index, name in enumerate(names):
        if name not in others:
            continue
        theirs = values[:, index]
        if mine.dtype.kind == "f":
            reach = _SAME * max(float(np.ptp(theirs)), 1e-300)
            same = bool(np.abs(mine - theirs).max() <= reach)
        else:
            same = bool((mine == theirs).all())
        if same:
            return str(name)
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Noise:
    """Standard errors that the CV gain of the candidate may have, and their shares."""

    values: FloatArray
    shares: FloatArray
    basis: NoiseBasis
    told: float = math.nan  # of the public difference to the parent, by predictions

    def against(self, public_se: FloatArray) -> FloatArray:
        """Return by how much this step is larger than past ones, 1 where unknown.

        A true gain is as large as predictions differ, and so is its noise: a past step
        speaks for this one in units of its own noise.
        """
        if not self.told > 0:
            return np.ones_like(public_se)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(public_se > 0, self.told / public_se, 1.0)
        return np.clip(ratio, 1 / _MOST_LARGER, _MOST_LARGER)

    @property
    def typical(self) -> float:
        """Geometric mean of them."""
        return float(np.exp(self.shares @ np.log(self.values)))

    @classmethod
    def of(
        cls,
        analysis: Facts,
        measure: _Measure,
        files: _Files,
        start: int,
        folds: FloatArray,
    ) -> _Noise:
        past = measure.gain_se[np.isfinite(measure.gain_se)]
        basis: NoiseBasis = "history"
        values = np.quantile(past, (np.arange(_NOISES) + 0.5) / _NOISES)
        name = analysis.steps[start].submission_id
        known = math.nan
        for told, basis_, log_sd in (
            (files.out.get(name), "predictions", _BY_ROWS),
            (files.sent.get(name), "files", _BY_FILES),
        ):
            if told is not None and told > 0:
                assert analysis.posterior
                ratio = float(
                    np.nanmedian(measure.gain_se / analysis.posterior.public_se)
                )
                reach = log_sd * np.linspace(-2, 2, _NOISES)
                values = told * ratio * np.exp(reach)
                shares = np.exp(-np.square(np.linspace(-2, 2, _NOISES)) / 2)
                basis, known = basis_, told  # type: ignore[assignment]
                break
        else:
            shares = np.ones(_NOISES)
        parent_folds = np.array(analysis.history[start].cv_fold_scores)
        if len(folds) == len(parent_folds) >= _FEWEST_FOLDS:
            apart = (folds - parent_folds) * measure.factor
            told = float(apart.std(ddof=1) / math.sqrt(len(folds)))
            if told > values.min() / _NO_SPREAD:
                # The log of a standard error with d degrees has the sd 1 / sqrt(2 d).
                off = np.log(values / told) * math.sqrt(2 * (len(folds) - 1))
                shares = shares * np.exp(-np.square(off) / 2) + 1e-12
                basis = "folds" if basis == "history" else basis
        return cls(values=values, shares=shares / shares.sum(), basis=basis, told=known)


def _stream(analysis: Facts, false_share: float | None) -> OnlineResult:
    """Return which steps so far are claims, by their probability to be no gain."""
    assert analysis.posterior
    fresh = [step.verdict not in ("repeat", "unscored") for step in analysis.steps]
    none = np.where(fresh, 1 - analysis.posterior.p_gain, np.nan)
    return online_discoveries(
        np.clip(none, 0.0, 1.0),
        method="posterior",
        false_share=false_share or _FALSE_SHARE,
    )


def _to_beat(analysis: Facts, level: FloatArray, against: str | None) -> int:
    """Return the submission that the candidate has to beat."""
    known = np.where(_scored(analysis), level, np.nan)
    if against is None:
        first = np.array([step.verdict != "repeat" for step in analysis.steps])
        once = np.where(first, known, np.nan)
        return int(np.nanargmax(once if np.isfinite(once).any() else known))
    for index, step in enumerate(analysis.steps):
        if step.submission_id == against and np.isfinite(known[index]):
            return index
    msg = f"against must be the submission_id of a scored submission, got {against!r}."
    raise ValueError(msg)


def _scored(analysis: Facts) -> np.ndarray:
    return np.isfinite(analysis.history.raw_scores("public"))


def _start(analysis: Facts, measure: _Measure, parent: str | None) -> int:
    """Return the submission that the candidate is compared with, -1 for none."""
    usable = _scored(analysis) & np.isfinite(measure.level)
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
    level = measure.level
    habits = [public, level, public + level, np.arange(len(level), dtype=np.float64)]
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
    analysis: Facts, measure: _Measure, start: int, cv_score: float | None
) -> Missing | None:
    """Return why nothing can be told of the candidate, None where it can."""
    posterior = analysis.posterior
    if not analysis.directed and isinstance(posterior, Missing):
        return Missing("gate", posterior.reason, posterior.need)
    if cv_score is None:
        return Missing("gate", "nothing is known of how good it is.", ("cv",))
    n_paired = int(np.isfinite(measure.gain).sum())
    blind = not posterior or not np.isfinite(measure.gain_se).any()
    # One score of known noise needs no second one to be learned from.
    fewest = 1 if measure.kind == "public" else _FEWEST_STEPS
    if blind or start < 0 or n_paired < fewest or not analysis.levels:
        reason = (
            f"{n_paired} steps have both a public and a CV gain, {_FEWEST_STEPS} are "
            "needed to learn what a CV gain is worth here."
        )
        scales = analysis.agreement.scales if analysis.agreement else ()
        short = [s.n_obs for s in scales if s.begin and not math.isfinite(s.slope)]
        if measure.kind == "public":
            reason = "no step has been made yet to learn from."
        elif short and n_paired >= fewest and not math.isfinite(measure.factor):
            reason = (
                f"{plural(short[-1], 'step')} of the latest CV scheme so far, "
                f"{_FEWEST_STEPS} are needed to learn what a CV gain is worth in it."
            )
        caveat = analysis.caveat("cv")
        if caveat is None:
            return Missing("gate", reason)
        return Missing("gate", f"{reason} {caveat.reason}", caveat.need)
    known = measure.level[np.isfinite(measure.level)]
    distance = abs(measure.factor * cv_score - float(np.median(known)))
    size = abs(float(np.median(known)))
    if distance > _FAR * float(np.ptp(known)) > 0 and distance > _LIKE * size:
        raw = known / measure.factor
        low, high = (format_number(float(f(raw))) for f in (np.min, np.max))
        return Missing(
            "gate",
            f"a CV score of {format_number(cv_score)} is far from those of the history "
            f"({low} to {high}). Is it of the same metric and scale?",
        )
    return None
