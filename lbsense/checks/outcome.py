"""What the private scores say in the end: the findings LBS401 to LBS403."""

from __future__ import annotations

import math

import numpy as np

from lbsense._format import format_number, plural
from lbsense.analysis import Analysis
from lbsense.checks.finding import Outcome, Text, check, flag_if, not_applicable
from lbsense.stats import open_quantile

_NEEDS_PRIVATE = "Needs private scores, which come after the close."
_FEWEST = 5
_ONE_SIDED = 0.9995


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
