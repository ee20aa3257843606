"""Every check in the order of its code, and the function that makes them all."""

from __future__ import annotations

from collections.abc import Iterable

from lbsense.analysis import Analysis
from lbsense.checks._tweaks import TWEAK_CHECKS
from lbsense.checks.agreement import AGREEMENT_CHECKS
from lbsense.checks.finding import Check, Findings
from lbsense.checks.outcome import OUTCOME_CHECKS
from lbsense.checks.probes import PROBE_CHECKS
from lbsense.checks.selection import SELECTION_CHECKS
from lbsense.model import Predictions

__all__ = ["CHECKS", "run_checks"]

#: Every check, in the order of its code.
CHECKS: tuple[Check, ...] = (
    *AGREEMENT_CHECKS,
    *SELECTION_CHECKS,
    *TWEAK_CHECKS,
    *PROBE_CHECKS,
    *OUTCOME_CHECKS,
)


def run_checks(
    analysis: Analysis,
    predictions: Predictions | None = None,
    *,
    mute: Iterable[str] = (),
) -> Findings:
    """Return the findings of every check about one analysed history.

    Parameters
    ----------
    analysis : Analysis
        As `lbsense.analyze` gives it; it is not changed.
    predictions : Predictions, optional
        With the submitted files, some checks can look at what was sent.
    mute : iterable of str
        Codes that are known and accepted: they are still checked, and ``muted`` where
        they would be flagged.

    Returns
    -------
    Findings

    Raises
    ------
    ValueError
        If a code to mute is not that of a check.

    See Also
    --------
    explain : What a code means and what to do.

    Examples
    --------
    >>> from lbsense.analysis import analyze
    >>> from lbsense.simulate import Scenario, simulate
    >>> analysis = analyze(simulate(Scenario(null_fraction=1.0), rng=1).before_close())
    >>> findings = run_checks(analysis, mute=["LBS303"])
    >>> [item.code for item in findings if item.status == "muted"]
    ['LBS303']
    """
    muted = {mute} if isinstance(mute, str) else set(mute)
    unknown = sorted(muted - {item.code for item in CHECKS})
    if unknown:
        msg = (
            f"mute holds {', '.join(unknown)}, which no check has. Checks are "
            f"{', '.join(item.code for item in CHECKS)}."
        )
        raise ValueError(msg)
    return Findings(
        findings=tuple(
            item.finding(analysis, predictions, muted=item.code in muted)
            for item in CHECKS
        )
    )
