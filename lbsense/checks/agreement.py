"""How scores agree: with CV (LBS201 to LBS204), and in the end (LBS401 to LBS403)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lbsense._format import format_number, plural
from lbsense.checks.finding import Outcome, Text, check, flag_if, not_applicable

if TYPE_CHECKING:
    from lbsense.analysis import Analysis

_FAIR = 0.8  # correlation with true gains of a CV that deserves trust
_ABOVE_ZERO = 1.28  # standard errors: shown to be above 0 at one-sided 10%
_SEEN = 2.93  # what has 95% power to be shown so: 1.28 + 1.645
_ONE_SIDED = 0.9995  # of a distance: one history in a thousand by chance
_NEEDS_GAINS = "Needs CV scores, and with them the noise of a step."


@check(
    "LBS201",
    "CV gains and public gains move apart",
    severity="warning",
    reference="Bonett & Wright 2000, doi:10.1007/BF02294183",
    text=Text(
        "What your CV says of a change and what the leaderboard says of it have little "
        "to do with each other, in a history in which they could have agreed.",
        "The rank correlation of CV gains and public gains is not shown to be above 0 "
        "(one-sided 10%), though a CV that correlates by .8 with the true gains would "
        "be seen in 19 of 20 such histories.",
        "One history in twenty whose CV is just good enough to be seen, and about half "
        "of those in which nearly no step was real: CV has nothing to follow there. "
        "Also where many parents are wrong, so that gains are taken against the wrong "
        "submission.",
        "Do not choose by this CV until it follows. Look for a split that differs from "
        "that of the test (time, groups, duplicates), for a leak, and for a metric "
        "that is not that of the leaderboard.",
    ),
)
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


@check(
    "LBS202",
    "Whether CV follows the leaderboard cannot be tested here",
    severity="info",
    reference="Spearman 1904, doi:10.2307/1412159",
    text=Text(
        "Your steps are too small, or too few, for anyone to see whether CV and public "
        "score agree. A low correlation here accuses nobody.",
        "Even a CV that correlates by .8 with the true gains would be told from chance "
        "in fewer than 19 of 20 such histories.",
        "It rests on an estimate of how large the true gains are; on a plateau that is "
        "nearly always right.",
        "Judge the split by what you know of the data, not by this correlation. A few "
        "deliberately different submissions, one of them weak, tell more than many "
        "small ones.",
    ),
)
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


@check(
    "LBS203",
    "CV and public scores lie apart as a whole",
    severity="notice",
    reference="two-sided test at .001 of the mean difference",
    text=Text(
        "Public scores lie above or below CV by more than the choice of rows explains.",
        "The mean of public minus CV exceeds what chance makes of so many public and "
        "training rows in one history of a thousand, heavy tails included.",
        "CV trains on fewer rows than the final model, and an ensemble of folds is "
        "better than one fold: a steady small distance is normal. Grouped rows carry "
        "fewer independent ones than the sizes say.",
        "If the distance is the same for all submissions, gains are still comparable. "
        "Find out whether the test differs from the training data (adversarial "
        "validation, dates), and expect a wider private band: shift_sd in analyze.",
    ),
)
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


@check(
    "LBS204",
    "The CV scheme changed within the history",
    severity="warning",
    reference="data warning LBS108",
    text=Text(
        "CV scores before and after the change do not measure the same thing. Each "
        "has a scale of its own, and no CV gain is read across.",
        "Descriptions name two kinds of validation, the CV scores fall into two groups "
        "far apart (data warning LBS108), or their level against the public score "
        "clearly jumps.",
        "Where only the wording changed, as from `cv` to `oof`.",
        "Nothing must be done: verdicts before and after use CV. CV of the submissions "
        "that matter under both schemes would tell the steps across too.",
    ),
)
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


AGREEMENT_CHECKS = (cv_disconnected, cv_untestable, common_shift, scheme_changed)


_NEEDS_PRIVATE = "Needs private scores, which come after the close."
_FEWEST = 5


@check(
    "LBS401",
    "The selected submissions were not the best",
    severity="notice",
    reference="expected regret of the recommended pair",
    text=Text(
        "The better of your selected submissions fell short of your best private score "
        "by more than luck explains.",
        "The loss exceeds twice what the recommended pair was expected to lose, plus "
        "one standard error of a private step.",
        "After the fact some submission is always best; a loss just above the "
        "threshold says little about how you chose.",
        "Compare the rules in the retrospective; next time let `lbsense pick` weigh CV "
        "and public score.",
    ),
)
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


@check(
    "LBS402",
    "The private score fell outside its band",
    severity="notice",
    reference="95% band of the outlook",
    text=Text(
        "The best public submission scored outside the 95% band that was foretold from "
        "public and CV scores alone.",
        "A shift between public and private rows, grouped rows, or a model of the "
        "noise that does not fit this competition.",
        "One history in twenty by chance.",
        "Look at LBS403: if all submissions moved together it is a shift. Allow for it "
        "with shift_sd.",
    ),
)
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


@check(
    "LBS403",
    "Private and public scores lie apart as a whole",
    severity="notice",
    reference="two-sided test at .001 of the mean difference",
    text=Text(
        "All private scores lie above or below the public ones by more than a random "
        "split makes them.",
        "The mean difference exceeds what one random split in a thousand makes of so "
        "many public and private rows, heavy tails of the metric included. It is "
        "shared by everyone and is no overfitting.",
        "Sizes that are wrong, grouped rows, or a metric with heavy tails make the "
        "standard error too small.",
        "Compare submissions with each other, not public with private. The split was "
        "probably by time or group; validate likewise.",
    ),
)
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


OUTCOME_CHECKS = (selected_not_best, outlook_missed, private_shift)
