"""How scores agree (LBS2nn), what was taken for a gain (30n), what came of it (4nn)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lbsense._codes import FALSE_CLAIMS
from lbsense._format import format_gain, format_number, format_probability, plural
from lbsense.checks.finding import Outcome, check, flag_if, not_applicable

if TYPE_CHECKING:
    from lbsense.analysis import Analysis, Step

_FAIR = 0.8  # correlation with true gains of a CV that deserves trust
_ABOVE_ZERO = 1.28  # standard errors: shown to be above 0 at one-sided 10%
_SEEN = 2.93  # what has 95% power to be shown so: 1.28 + 1.645
_ONE_SIDED = 0.9995  # of a distance: one history in a thousand by chance
_NEEDS_GAINS = "Needs CV scores, and with them the noise of a step."


@check("LBS201")
def cv_disconnected(analysis: Analysis) -> Outcome:
    """Flag CV gains that do not follow public gains where they could (LBS201)."""
    from lbsense.stats import attainable_z

    agreement = analysis.agreement
    if not agreement or math.isnan(agreement.perfect_r + agreement.statistic):
        return not_applicable(_NEEDS_GAINS)
    n_obs = agreement.n_obs
    expected = _FAIR * agreement.perfect_r
    if not attainable_z(expected, n_obs) >= _SEEN:
        return not_applicable(
            "Needs more steps, or larger ones: agreement would not be seen here if "
            "there were any (LBS202).",
            n_obs=n_obs,
        )
    found = attainable_z(agreement.statistic, n_obs)
    return flag_if(
        not found >= _ABOVE_ZERO,
        (
            f"Rank correlation of CV and public gains {agreement.statistic:.2f} "
            f"({agreement.ci_low:.2f} to {agreement.ci_high:.2f}, n={n_obs}); a CV "
            f"that follows true gains closely would show about {expected:.2f}."
        ),
        value=found,
        threshold=_ABOVE_ZERO,
        n_obs=n_obs,
    )


@check("LBS202")
def cv_untestable(analysis: Analysis) -> Outcome:
    """Flag a history in which no CV could prove itself (LBS202)."""
    from lbsense.stats import attainable_z

    agreement = analysis.agreement
    if not agreement or math.isnan(agreement.perfect_r):
        return not_applicable(_NEEDS_GAINS)
    n_obs = agreement.n_obs
    expected = attainable_z(_FAIR * agreement.perfect_r, n_obs)
    blind = not expected >= _SEEN
    return flag_if(
        blind,
        (
            f"A CV without noise would correlate with the public gains by "
            f"{agreement.perfect_r:.2f}: with {n_obs} steps "
            + (
                "too little to be seen against the noise of the leaderboard."
                if blind
                else "enough to be seen."
            )
        ),
        value=0.0 if math.isnan(expected) else expected,
        threshold=_SEEN,
        n_obs=n_obs,
    )


@check("LBS203")
def common_shift(analysis: Analysis) -> Outcome:
    """Flag a distance of CV and public that the choice of rows cannot make (LBS203)."""
    from lbsense.stats import common_offset, open_quantile

    history, noise = analysis.history, analysis.noise
    competition = history.competition
    if competition.greater_is_better is None or analysis.caveat("cv"):
        return not_applicable("Needs CV scores on the scale of the public score.")
    if analysis.agreement and analysis.agreement.breaks:
        return not_applicable("Needs CV scores of one scheme.")
    n_train = analysis.joint.n_obs if analysis.joint else competition.train_size
    if noise.n_public is None or n_train is None or not noise.score_sd > 0:
        return not_applicable(
            "Needs the metric, and the numbers of training and of public test rows."
        )
    apart = common_offset(
        history.scores("public"),
        history.scores("cv"),
        score_sd=noise.score_sd,
        n_public=noise.n_public,
        n_train=n_train,
    )
    if not apart.n_obs or competition.cv_direction() != competition.direction():
        return not_applicable("Needs CV scores on the scale of the public score.")
    reach = open_quantile(_ONE_SIDED, noise.score_log_sd)
    return flag_if(
        abs(apart.statistic) > reach,
        (
            f"Public scores are {format_number(abs(apart.offset), digits=2)} "
            f"{'better' if apart.offset > 0 else 'worse'} than CV on average, "
            f"{abs(apart.statistic):.1f} standard errors of what the choice of rows "
            f"gives (n={apart.n_obs})."
        ),
        value=abs(apart.statistic),
        threshold=reach,
        n_obs=apart.n_obs,
    )


@check("LBS204")
def scheme_changed(analysis: Analysis) -> Outcome:
    """Flag CV scores that are not comparable with each other (LBS204)."""
    import numpy as np

    n_obs = int(np.isfinite(analysis.history.raw_scores("cv")).sum())
    if n_obs < 2:
        return not_applicable("Needs two CV scores.", n_obs=n_obs)
    found = [x.message for x in analysis.history.warnings if x.code == "LBS108"]
    caveat = analysis.caveat("cv_scales")
    scales = analysis.agreement.scales if analysis.agreement else ()
    if caveat and any(scale.begin for scale in scales):
        found.append(caveat.reason)
    return flag_if(
        bool(found),
        found[0] if found else f"Nothing in {n_obs} CV scores speaks for it.",
        value=len(found),
        threshold=1,
        n_obs=n_obs,
    )


_FEWEST_BESTS = 3
_WINDOW = 8  # judged steps
_IDLE = 0.8  # mean probability of no gain
_ORDER_WINDOW = 20  # public scores, where nothing else is known
_FEWEST_SCORES = 10
_ORDERED = 0.025  # of each of two tests, .05 together
_NEEDS_NOISE = "Needs the noise of a step: give CV scores or predictions."


@check("LBS301")
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


@check("LBS302")
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


@check("LBS303")
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


@check("LBS304")
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


@check("LBS305")
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


@check("LBS306")
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


@check("LBS308")
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


_NEEDS_PRIVATE = "Needs private scores, which come after the close."
_FEWEST = 5


@check("LBS401")
def selected_not_best(analysis: Analysis) -> Outcome:
    """Flag a selection that lost more than luck makes one lose (LBS401)."""
    import numpy as np

    history = analysis.history
    if history.competition.greater_is_better is None:
        return not_applicable("Needs the direction of the metric.")
    private = history.scores("private")
    n_obs = int(np.isfinite(private).sum())
    if n_obs < 2:
        return not_applicable(_NEEDS_PRIVATE, n_obs=n_obs)
    chosen = np.array([bool(item.selected) for item in history])
    if not (chosen & np.isfinite(private)).any():
        return not_applicable(
            "Needs to know which submissions were selected.", n_obs=n_obs
        )
    picks, outlook = analysis.picks, analysis.outlook
    step_se = analysis.noise.step_se
    if not picks or not outlook or not math.isfinite(step_se):
        return not_applicable("Needs the noise of a step.", n_obs=n_obs)
    best = int(np.nanargmax(private))
    lost = float(private[best] - np.nanmax(private[chosen]))
    luck = 2 * picks.best.regret + step_se / math.sqrt(outlook.size_ratio)
    return flag_if(
        lost > luck,
        (
            f"The best selected private score is {format_number(lost, digits=2)} "
            f"short of the best of {n_obs} ({analysis.steps[best].short_name}); "
            f"{format_number(luck, digits=2)} can be lost by luck."
        ),
        value=lost,
        threshold=luck,
        n_obs=n_obs,
    )


@check("LBS402")
def outlook_missed(analysis: Analysis) -> Outcome:
    """Flag a best public submission whose private score was not foreseen (LBS402)."""
    outlook = analysis.outlook
    if not outlook or outlook.best_public < 0:
        return not_applicable("Needs private scores and the noise of a public score.")
    step = analysis.steps[outlook.best_public]
    if step.private_score is None:
        return not_applicable(_NEEDS_PRIVATE)
    low, high = (
        float(band[outlook.best_public])
        for band in (outlook.ci95_low, outlook.ci95_high)
    )
    half = (high - low) / 2
    apart = abs(step.private_score - (low + high) / 2)
    return flag_if(
        apart > half,
        (
            f"The private score {format_number(step.private_score)} of the best public "
            f"submission {'lies outside' if apart > half else 'lies in'} the band "
            f"{format_number(low)} to {format_number(high)} that public "
            "and CV scores gave."
        ),
        value=apart / half,
        threshold=1,
        n_obs=1,
    )


@check("LBS403")
def private_shift(analysis: Analysis) -> Outcome:
    """Flag a distance of private and public that chance cannot make (LBS403)."""
    import numpy as np

    from lbsense.stats import open_quantile

    history, noise = analysis.history, analysis.noise
    competition = history.competition
    if competition.greater_is_better is None:
        return not_applicable("Needs the direction of the metric.")
    n_public, n_private = noise.n_public, competition.n_private
    if not (n_public and n_private and noise.score_sd > 0):
        return not_applicable("Needs the metric and the sizes of the test sets.")
    apart = history.scores("private") - history.scores("public")
    apart = apart[np.isfinite(apart)]
    if len(apart) < _FEWEST:
        return not_applicable(_NEEDS_PRIVATE, n_obs=len(apart))
    spread = 1 / n_public + (-1 if competition.nested else 1) / n_private
    if spread <= 0:
        return not_applicable("Public and private rows are the same.")
    error = noise.score_sd * math.sqrt(spread)
    reach = open_quantile(_ONE_SIDED, noise.score_log_sd)
    offset = float(apart.mean())
    return flag_if(
        abs(offset) > reach * error,
        (
            f"Private scores are {format_number(abs(offset), digits=2)} "
            f"{'better' if offset > 0 else 'worse'} than public ones on average, "
            f"{abs(offset) / error:.1f} standard errors of what a random split gives "
            f"({plural(len(apart), 'submission')})."
        ),
        value=abs(offset) / error,
        threshold=reach,
        n_obs=len(apart),
    )
