"""What was taken for a gain, and what it is worth: the findings LBS301 to LBS306."""

from __future__ import annotations

import math

import numpy as np

from lbsense._format import format_gain, format_number, format_probability, plural
from lbsense.analysis import Analysis, Step
from lbsense.checks.finding import Outcome, check, flag_if, not_applicable
from lbsense.stats import order_test, records_test

__all__ = ["SELECTION_CHECKS"]

_FEWEST_BESTS = 3
_WINDOW = 8  # judged steps
_IDLE = 0.8  # mean probability of no gain
_ORDER_WINDOW = 20  # public scores, where nothing else is known
_FEWEST_SCORES = 10
_ORDERED = 0.025  # of each of two tests, .05 together
_NEEDS_NOISE = "Needs the noise of a step: give CV scores or predictions."


@check(
    "LBS301",
    "Most rises of the public score are probably luck",
    severity="warning",
    reference="Blum & Hardt 2015, arXiv:1502.04585",
)
def lucky_rises(analysis: Analysis) -> Outcome:
    """Flag histories in which most new public bests are luck (LBS301)."""
    luck = analysis.luck
    n_obs = len(luck.positions) if luck else 0
    if not luck or n_obs < _FEWEST_BESTS:
        return not_applicable(
            f"Needs CV scores or predictions, and {_FEWEST_BESTS} new public bests.",
            n_obs=n_obs,
        )
    return flag_if(
        luck.share > 0.5,
        (
            f"Of {n_obs} new public bests an expected {luck.expected_luck:.1f} "
            f"({format_probability(luck.share)}) are luck: the public score rose by "
            f"{format_gain(luck.public_climb)}, the true one by an expected "
            f"{format_gain(luck.true_climb)} (standard error "
            f"{format_number(luck.true_climb_se, digits=2)})."
        ),
        value=luck.share,
        threshold=0.5,
        n_obs=n_obs,
    )


@check(
    "LBS302",
    "The last submissions were guesses",
    severity="notice",
    reference="Glick 1978, doi:10.1080/00029890.1978.11994501; window and threshold "
    "chosen by simulation",
)
def guessing_window(analysis: Analysis) -> Outcome:
    """Flag a run of last submissions that taught nothing (LBS302)."""
    if not math.isfinite(analysis.noise.step_se):
        return _unordered(analysis)
    judged = _judged(analysis)
    if len(judged) < _WINDOW:
        return not_applicable(f"Needs {_WINDOW} judged steps.", n_obs=len(judged))
    last = judged[-_WINDOW:]
    idle = sum(1 - (step.p_gain or 0.0) for step in last) / _WINDOW
    found = any(step.verdict == "progress" for step in last)
    return flag_if(
        idle >= _IDLE and not found,
        (
            f"In the last {_WINDOW} steps the mean probability of no gain is "
            f"{format_probability(idle)}"
            + (", with a real gain among them." if found else ", without a real gain.")
        ),
        value=idle,
        threshold=_IDLE,
        n_obs=_WINDOW,
    )


def _unordered(analysis: Analysis) -> Outcome:
    """Return whether the last public scores might stand in any order."""
    history = analysis.history
    if history.competition.greater_is_better is None:
        return not_applicable("Needs the direction of the metric.")
    repeats = [step.verdict == "repeat" for step in analysis.steps]
    public = np.where(repeats, np.nan, history.scores("public"))
    last = public[np.isfinite(public)][-_ORDER_WINDOW:]
    if len(last) < _FEWEST_SCORES:
        return not_applicable(f"Needs {_FEWEST_SCORES} public scores.", n_obs=len(last))
    records, order = records_test(last), order_test(last)
    pvalue = min(records.pvalue, order.pvalue)
    idle = pvalue > _ORDERED
    return flag_if(
        idle,
        (
            f"The last {len(last)} public scores might stand in any order: "
            f"{plural(records.n_records, 'new best')} where chance gives "
            f"{records.expected:.1f}, Kendall's tau {order.statistic:.2f}."
            if idle
            else f"The last {len(last)} public scores rise (p={pvalue:.2g}). That is "
            "no proof of progress: whoever builds on the best public score climbs on "
            "noise as well."
        ),
        value=pvalue,
        threshold=_ORDERED,
        n_obs=len(last),
    )


@check(
    "LBS303",
    "No step is a real gain beyond doubt",
    severity="notice",
    reference="Newton et al. 2004, doi:10.1093/biostatistics/5.2.155",
)
def real_gains(analysis: Analysis) -> Outcome:
    """Count real gains and losses, and flag a history without a gain (LBS303)."""
    judged = _judged(analysis)
    if not math.isfinite(analysis.noise.step_se) or len(judged) < _WINDOW:
        return not_applicable(
            f"{_NEEDS_NOISE} {_WINDOW} judged steps are needed.", n_obs=len(judged)
        )
    n_gains = sum(step.verdict == "progress" for step in judged)
    n_losses = sum(step.verdict == "setback" for step in judged)
    return flag_if(
        n_gains == 0,
        (
            f"{plural(n_gains, 'real gain')} and "
            f"{plural(n_losses, 'real loss', 'real losses')} among "
            f"{len(judged)} judged steps; one in ten of such claims may be false."
        ),
        value=n_gains,
        threshold=1,
        n_obs=len(judged),
    )


@check(
    "LBS304",
    "Gains on the leaderboard alone",
    severity="warning",
    reference="Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x",
)
def public_only(analysis: Analysis) -> Outcome:
    """Flag public gains that trusted validation contradicts (LBS304)."""
    agreement = analysis.agreement
    chasing = [step for step in analysis.steps if step.verdict == "chasing"]
    trusted = (
        agreement
        and agreement.n_obs >= _WINDOW
        and agreement.ci_low > 0
        and math.isfinite(analysis.noise.step_se)
    )
    if not agreement or not (trusted or chasing):
        return not_applicable(
            "Needs a CV whose gains have followed the public gains over "
            f"{_WINDOW} steps: only such a CV can contradict the leaderboard.",
            n_obs=agreement.n_obs if agreement else 0,
        )
    names = ", ".join(step.submission_id for step in chasing[:3])
    return flag_if(
        bool(chasing),
        (
            f"{plural(len(chasing), 'step')} of {agreement.n_obs} rose in public by "
            "more than luck explains while CV says there was no gain"
            + (f" ({names}{', ...' if len(chasing) > 3 else ''})." if names else ".")
        ),
        value=len(chasing),
        threshold=1,
        n_obs=agreement.n_obs,
    )


@check(
    "LBS305",
    "The best public score is expected to fall",
    severity="warning",
    reference="Dawid 1994, doi:10.1214/lnms/1215463797",
)
def deflation(analysis: Analysis) -> Outcome:
    """Flag a best public score that owes more than one error to luck (LBS305)."""
    outlook = analysis.outlook
    if not outlook or not math.isfinite(outlook.deflation_se):
        return not_applicable(
            "Needs the noise of a public score: give the metric, test_size and "
            "public_fraction, or CV scores."
        )
    sign = analysis.history.competition.direction()
    shown = analysis.steps[outlook.best_public].public_score
    worth = None if shown is None else shown - sign * outlook.deflation
    n_obs = sum(step.public_score is not None for step in analysis.steps)
    return flag_if(
        outlook.deflation_se > 1,
        (
            f"The best public score {format_number(shown)} is expected to be worth "
            f"{format_number(worth)} on fresh rows: {outlook.deflation_se:.1f} "
            f"standard errors of a public score less (best of {n_obs})."
        ),
        value=outlook.deflation_se,
        threshold=1,
        n_obs=n_obs,
    )


@check(
    "LBS306",
    "The Ladder would have shown few of the new bests",
    severity="info",
    reference="Blum & Hardt 2015, arXiv:1502.04585",
)
def ladder(analysis: Analysis) -> Outcome:
    """Count the new bests that a leaderboard built to resist luck releases (LBS306)."""
    replay = analysis.ladder
    if not replay:
        return not_applicable(_NEEDS_NOISE)
    new = replay.new_best.copy()
    new[: int(np.argmax(new)) + 1] = False  # the first score is no rise
    n_new, n_shown = int(new.sum()), int((new & replay.released).sum())
    if n_new < _FEWEST_BESTS:
        return not_applicable(f"Needs {_FEWEST_BESTS} new public bests.", n_obs=n_new)
    return flag_if(
        n_shown < n_new / 2,
        (
            f"Of {n_new} new public bests the Ladder would have shown {n_shown}: the "
            "others rose by less than a standard error over the last one shown."
        ),
        value=n_shown / n_new,
        threshold=0.5,
        n_obs=n_new,
    )


def _judged(analysis: Analysis) -> list[Step]:
    return [step for step in analysis.steps if step.p_gain is not None]


SELECTION_CHECKS = (
    lucky_rises,
    guessing_window,
    real_gains,
    public_only,
    deflation,
    ladder,
)
