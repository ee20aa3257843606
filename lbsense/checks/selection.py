"""What was taken for a gain, and how it was come by: the findings LBS301 to LBS308."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from lbsense._format import format_gain, format_number, format_probability, plural
from lbsense._verdicts import FALSE_CLAIMS
from lbsense.checks.finding import (
    Outcome,
    Text,
    check,
    differ_in_one_number,
    flag_if,
    not_applicable,
    wording_of,
)

if TYPE_CHECKING:
    from lbsense.analysis import Analysis, Step

_FEWEST_BESTS = 3
_WINDOW = 8  # judged steps
_IDLE = 0.8  # mean probability of no gain
_ORDER_WINDOW = 20  # public scores, where nothing else is known
_FEWEST_SCORES = 10
_ORDERED = 0.025  # of each of two tests, .05 together
_LONG_RUN = 5
_SOON = timedelta(minutes=15)
_REAL = ("progress", "setback", "unscored")
_NEEDS_NOISE = "Needs the noise of a step: give CV scores or predictions."


@check(
    "LBS301",
    "Most of the climb of the public score is probably luck",
    severity="warning",
    reference="Blum & Hardt 2015, arXiv:1502.04585",
    text=Text(
        "Most of what the public score gained from the first submission to the best "
        "is luck.",
        "The true score of the best one is expected to lie above that of the first by "
        "less than half of what the public scores say.",
        "The share has an error of about a tenth. It leans on CV: a CV that leaks "
        "makes luck look real, one that does not transfer makes real gains look like "
        "luck.",
        "Stop taking a new public best for progress. Keep a change that CV supports, "
        "and drop changes that only the leaderboard likes.",
    ),
)
def lucky_rises(analysis: Analysis) -> Outcome:
    """Flag histories in which most of the public climb is luck (LBS301)."""
    luck = analysis.luck
    n_obs = len(luck.positions) if luck else 0
    if not luck or n_obs < _FEWEST_BESTS:
        return not_applicable(
            f"Needs CV scores or predictions, and {_FEWEST_BESTS} new public bests.",
            n_obs=n_obs,
        )
    return flag_if(
        luck.climb_share > 0.5,
        (
            f"From the first submission to the best the public score got better by "
            f"{format_gain(luck.public_climb)}, the true one by an expected "
            f"{format_gain(luck.true_climb)} (standard error "
            f"{format_number(luck.true_climb_se, digits=2)}): "
            f"{format_probability(luck.climb_share)} of the climb is luck. Of {n_obs} "
            f"new public bests an expected {luck.expected_luck:.1f} are."
        ),
        value=luck.climb_share,
        threshold=0.5,
        n_obs=n_obs,
    )


@check(
    "LBS302",
    "The last submissions were guesses",
    severity="notice",
    reference="Glick 1978, doi:10.1080/00029890.1978.11994501; window and threshold "
    "chosen by simulation",
    text=Text(
        "What the latest submissions gained cannot be told from chance.",
        "Over the last eight judged steps the mean probability of no gain is at least "
        "80% and none of them is a real gain. Without CV: the last 20 public scores "
        "might as well stand in any order, by the number of records and by Kendall's "
        "tau (2.5% each).",
        "Small true gains can hide in the noise of a small public set: absence of "
        "evidence is no evidence of absence. And it works one way only: scores that do "
        "rise prove nothing, since whoever builds on the best public score climbs on "
        "noise as well.",
        "Change something larger, validate it offline, and spend submissions on it "
        "only then: `lbsense gate`.",
    ),
)
def guessing_window(analysis: Analysis) -> Outcome:
    """Flag a run of last submissions without a gain to be seen (LBS302)."""
    reading = analysis.history.reading
    if reading is not None and not reading.order_is_known:
        return not_applicable(
            "Needs the order of the submissions: the list is sorted by score and has "
            "no dates."
        )
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
    import numpy as np

    from lbsense.stats import order_test, records_test

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
            else f"The last {len(last)} public scores get better "
            f"(by chance alone {format_probability(pvalue)}). "
            "That is no proof of progress: whoever builds on the best public score "
            "climbs on noise as well."
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
    text=Text(
        "Of no step can be said that it was a real gain, at one false claim in ten.",
        "There are at least eight judged steps, and the list of real gains is empty.",
        "Power is limited: on 1,000 public rows most honest small gains are missed, "
        "one by one. Together they may still add up: see the true climb in LBS301.",
        "Provide what sharpens the verdicts (out-of-fold predictions, sizes), or "
        "prefer changes large enough to be seen.",
    ),
)
def real_gains(analysis: Analysis) -> Outcome:
    """Count real gains and losses, and flag a history without a gain (LBS303)."""
    judged = _judged(analysis)
    if not math.isfinite(analysis.noise.step_se) or len(judged) < _WINDOW:
        return not_applicable(
            f"{_WINDOW} judged steps are needed, which CV scores or predictions give.",
            n_obs=len(judged),
        )
    n_gains = sum(step.verdict == "progress" for step in judged)
    n_losses = sum(step.verdict == "setback" for step in judged)
    return flag_if(
        n_gains == 0,
        (
            f"{plural(n_gains, 'real gain')} and "
            f"{plural(n_losses, 'real loss', 'real losses')} among "
            f"{len(judged)} judged steps; of such claims {FALSE_CLAIMS}."
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
    text=Text(
        "Some public gains are larger than luck, while a CV that has followed the "
        "leaderboard so far says that nothing was gained.",
        "Public minus CV gain passes a test at 10% false discoveries, the estimated "
        "true gain is not worth naming, and CV gains have correlated with public gains "
        "over at least eight steps.",
        "One in ten of the steps named is expected to be luck. A change that helps on "
        "the test alone (a leak, a calibration to its distribution) looks the same and "
        "may hold on private rows.",
        "Do not build on these steps without a reason that would hold on private rows.",
    ),
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
    names = ", ".join(step.short_name for step in chasing[:3])
    return flag_if(
        bool(chasing),
        (
            f"{plural(len(chasing), 'step')} of {agreement.n_obs} got better in public "
            "by more than luck explains while CV says there was no gain"
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
    text=Text(
        "The best public score is the luckiest of many and will not be reached again.",
        "The posterior mean of its true score is more than one standard error of a "
        "public score below it.",
        "Without CV the amount rests on what is typical of other histories. Under a "
        "shift between public and private rows anything may happen.",
        "Expect the lower number. Choose finals by `lbsense pick`, not by public rank.",
    ),
)
def deflation(analysis: Analysis) -> Outcome:
    """Flag a best public score that owes more than one error to luck (LBS305)."""
    outlook = analysis.outlook
    if not outlook or not math.isfinite(outlook.deflation_se):
        return not_applicable(
            "Needs the noise of a public score: give the metric and the sizes of the "
            "test sets, or CV scores."
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
    text=Text(
        "A leaderboard that hides rises within the noise would have hidden most of "
        "yours.",
        "The parameter-free Ladder shows a score only where it beats the last one "
        "shown by a standard error of their difference; it shows fewer than half of "
        "the new bests.",
        "It is a replay of scores, not a test: what it shows is luck in a third of all "
        "cases or more, and what it hides may be real.",
        "Take it as a habit: between two scores closer than the noise of a step, "
        "nothing happened.",
    ),
)
def ladder(analysis: Analysis) -> Outcome:
    """Count the new bests that a leaderboard built to resist luck releases (LBS306)."""
    import numpy as np

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
            "others were better by less than a standard error over the last one shown."
        ),
        value=n_shown / n_new,
        threshold=0.5,
        n_obs=n_new,
    )


def _judged(analysis: Analysis) -> list[Step]:
    return [step for step in analysis.steps if step.p_gain is not None]


@check(
    "LBS307",
    "A burst of small tweaks",
    severity="notice",
    reference="length and interval by judgement",
    text=Text(
        "A run of at least five submissions differs in one number of the description, "
        "or came within minutes of each other without a real change.",
        "Descriptions are compared without counters and scores; two weights that keep "
        "their sum count as one number. Minutes count only between steps that are "
        "neither real gains nor setbacks.",
        "Several different models sent in one sitting look like a burst. What is not "
        "written in the description is not seen.",
        "Tune offline. Each such submission costs a slot and adds luck to the best of "
        "them, hardly ever knowledge.",
    ),
)
def tweak_burst(analysis: Analysis) -> Outcome:
    """Flag a run of submissions that differ in one number or came at once (LBS307)."""
    scored = [i for i, s in enumerate(analysis.steps) if s.verdict != "unscored"]
    steps = [analysis.steps[index] for index in scored]
    if len(steps) < _LONG_RUN:
        return not_applicable(
            f"Needs {_LONG_RUN} scored submissions.", n_obs=len(steps)
        )
    wordings = [wording_of(analysis.history[index]) for index in scored]
    if not any(wordings) and all(step.submitted_at is None for step in steps):
        return not_applicable("Needs descriptions or dates.", n_obs=len(steps))
    clock = len({step.submitted_at.time() for step in steps if step.submitted_at}) > 1
    length = longest = end = 1
    for place in range(1, len(steps)):
        linked = differ_in_one_number(wordings[place - 1], wordings[place])
        linked = linked or (clock and _came_soon(steps[place - 1], steps[place]))
        length = length + 1 if linked else 1
        if length > longest:
            longest, end = length, place
    first, last = steps[end - longest + 1], steps[end]
    return flag_if(
        longest >= _LONG_RUN,
        (
            f"The longest run of submissions that differ in one number or came within "
            f"{_SOON.seconds // 60} minutes without a real change has {longest}"
            + (
                f" ({first.short_name} to {last.short_name})."
                if longest >= _LONG_RUN
                else "."
            )
        ),
        value=longest,
        threshold=_LONG_RUN,
        n_obs=len(steps),
    )


def _came_soon(before: Step, after: Step) -> bool:
    """Say whether two submissions came at once and nothing changed for real."""
    if before.submitted_at is None or after.submitted_at is None:
        return False
    soon = after.submitted_at - before.submitted_at <= _SOON
    return soon and after.verdict not in _REAL and after.public_gain is not None


@check(
    "LBS308",
    "Running again moves the score as far as a typical step",
    severity="notice",
    reference="pooled variance within repeats",
    text=Text(
        "Training again, or a new seed, moves your score as much as your ideas do.",
        "The standard error of the difference of two runs of one submission exceeds "
        "the median public change of all other steps.",
        "Few repeats give a rough spread; what is told by a digest alone may hold more "
        "than a seed.",
        "Average seeds or folds before comparing ideas; compare ideas on the same "
        "seeds.",
    ),
)
def rerun_spread(analysis: Analysis) -> Outcome:
    """Flag repeats that scatter as widely as steps do (LBS308)."""
    import numpy as np

    noise = analysis.noise
    if not noise.n_repeats or not math.isfinite(noise.rerun_se):
        return not_applicable("Needs one submission that was scored twice.")
    moves = [
        abs(step.public_gain)
        for step in analysis.steps
        if step.public_gain is not None and step.verdict != "repeat"
    ]
    if not moves:
        return not_applicable("Needs a step to compare with.", n_obs=noise.n_repeats)
    typical = float(np.median(moves))
    return flag_if(
        noise.rerun_se > typical,
        (
            f"{plural(noise.n_repeats, 'repeat')} of earlier content: running again "
            f"moves the public score by {format_number(noise.rerun_se, digits=2)} "
            f"(standard error), a typical step by {format_number(typical, digits=2)}."
        ),
        value=noise.rerun_se,
        threshold=typical,
        n_obs=noise.n_repeats,
    )


SELECTION_CHECKS = (
    lucky_rises,
    guessing_window,
    real_gains,
    public_only,
    deflation,
    ladder,
    tweak_burst,
    rerun_spread,
)
