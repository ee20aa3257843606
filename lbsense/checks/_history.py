"""The checks of a history. Each reads an analysis and does no statistics of its own."""

from __future__ import annotations

import math

from lbsense._format import format_number, format_probability
from lbsense.analysis import Analysis
from lbsense.checks._finding import (
    Check,
    Findings,
    Outcome,
    check,
    flag_if,
    not_applicable,
)

__all__ = ["CHECKS", "run_checks"]

_FEWEST_STEPS = 8
_WINDOW = 8


@check(
    "LBS201",
    "CV gains and public gains move apart",
    reference="Bonett & Wright 2000, doi:10.1007/BF02294183",
)
def cv_disconnected(analysis: Analysis) -> Outcome:
    """Flag CV gains that say nothing about public gains (LBS201)."""
    agreement = analysis.agreement
    if agreement is None or agreement.n_obs < _FEWEST_STEPS:
        n_obs = 0 if agreement is None else agreement.n_obs
        return not_applicable(
            f"{n_obs} steps have both gains; {_FEWEST_STEPS} are needed.",
            n_obs=n_obs,
        )
    apart = not agreement.ci_low > 0
    return flag_if(
        apart,
        (
            f"Rank correlation of the gains {agreement.statistic:.2f} "
            f"({agreement.ci_low:.2f} to {agreement.ci_high:.2f}, "
            f"n={agreement.n_obs}): "
            + (
                "not shown to be above 0. On a plateau even perfect CV looks like "
                "this; elsewhere the split of the CV may not be that of the test."
                if apart
                else "CV has followed the public score."
            )
        ),
        value=agreement.statistic,
        threshold=0.0,
        n_obs=agreement.n_obs,
    )


@check(
    "LBS301",
    "Most rises of the public score are probably luck",
    reference="Blum & Hardt 2015, arXiv:1502.04585",
)
def lucky_rises(analysis: Analysis) -> Outcome:
    """Flag histories in which most rises of the public score are luck (LBS301)."""
    chances = [
        step.p_gain
        for step in analysis.steps
        if step.p_gain is not None and (step.public_gain or 0) > 0
    ]
    if not math.isfinite(analysis.noise.step_se) or len(chances) < 3:
        return not_applicable(
            "Needs CV scores, and three rises of the public score.",
            n_obs=len(chances),
        )
    share = sum(1 - chance for chance in chances) / len(chances)
    return flag_if(
        share > 0.5,
        (
            f"Of {len(chances)} rises over the reference an expected "
            f"{format_probability(share)} are luck."
        ),
        value=share,
        threshold=0.5,
        n_obs=len(chances),
    )


@check(
    "LBS302",
    "The last submissions were guesses",
    reference="window and threshold chosen by simulation",
)
def guessing_window(analysis: Analysis) -> Outcome:
    """Flag a run of last submissions that taught nothing (LBS302)."""
    judged = [step for step in analysis.steps if step.p_gain is not None]
    if not math.isfinite(analysis.noise.step_se) or len(judged) < _WINDOW:
        return not_applicable(
            f"Needs CV scores, and {_WINDOW} steps.",
            n_obs=len(judged),
        )
    last = judged[-_WINDOW:]
    idle = sum(1 - (step.p_gain or 0.0) for step in last) / _WINDOW
    found = any(step.verdict == "progress" for step in last)
    return flag_if(
        idle >= 0.8 and not found,
        (
            f"In the last {_WINDOW} steps the mean probability of no gain is "
            f"{format_number(idle, digits=2)}"
            + (", with a real gain among them." if found else ", without a real gain.")
        ),
        value=idle,
        threshold=0.8,
        n_obs=_WINDOW,
    )


#: Every check, in the order of its code.
CHECKS: tuple[Check, ...] = (
    cv_disconnected,
    lucky_rises,
    guessing_window,
)


def run_checks(analysis: Analysis) -> Findings:
    """Return the findings of every check about one analysed history.

    Parameters
    ----------
    analysis : Analysis
        As `lbsense.analyze` gives it; it is not changed.

    Returns
    -------
    Findings
    """
    return Findings(findings=tuple(item(analysis) for item in CHECKS))
