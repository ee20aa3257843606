"""Every check in the order of its code: to make them all, and to explain each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lbsense._result import Result
from lbsense._validation import check_kind
from lbsense.analysis import Analysis
from lbsense.checks.agreement import AGREEMENT_CHECKS
from lbsense.checks.data import DATA_TEXTS
from lbsense.checks.finding import Check, Findings, Severity, Text
from lbsense.checks.outcome import OUTCOME_CHECKS
from lbsense.checks.probes import PROBE_CHECKS
from lbsense.checks.selection import SELECTION_CHECKS
from lbsense.model import Predictions

#: Every check, in the order of its code.
CHECKS: tuple[Check, ...] = (
    *AGREEMENT_CHECKS,
    *SELECTION_CHECKS,
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
    check_kind(analysis, Analysis, name="analysis")
    check_kind(predictions, Predictions, name="predictions", optional=True)
    if not isinstance(mute, Iterable):
        check_kind(mute, str, name="mute")
    muted = {mute} if isinstance(mute, str) else set(mute)
    unknown = sorted(map(str, muted - {item.code for item in CHECKS}))
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


_GROUPS = {
    "LBS1": "Data",
    "LBS2": "Agreement of CV and leaderboard",
    "LBS3": "Selection and adaptivity",
    "LBS4": "Outcome",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Result):
    """A code in plain words.

    Attributes
    ----------
    code, title : str
        As in the finding or the data warning.
    severity : {"info", "notice", "warning"}
        How much it matters.
    meaning : str
        What it says about the history.
    why : str
        What makes it fire.
    wrong : str
        When it is wrong.
    remedy : str
        What to do.
    reference : str
        Where the idea comes from; empty for data warnings.
    """

    code: str
    title: str
    severity: Severity
    meaning: str
    why: str
    wrong: str
    remedy: str
    reference: str = ""

    def parts(self) -> tuple[tuple[str, str], ...]:
        """Return heading and text of every part."""
        told = (
            ("What it means", self.meaning),
            ("Why it fires", self.why),
            ("When it is wrong", self.wrong),
            ("What to do", self.remedy),
        )
        return (*told, ("Reference", self.reference)) if self.reference else told

    def __str__(self) -> str:
        lines = [f"{self.code} ({self.severity}): {self.title}"]
        lines += [f"  {heading}: {text}" for heading, text in self.parts()]
        return "\n".join(lines)


def _of(
    code: str, title: str, severity: Severity, text: Text, reference: str = ""
) -> Explanation:
    return Explanation(
        code=code,
        title=title,
        severity=severity,
        reference=reference,
        **text._asdict(),
    )


#: Every code, in order.
EXPLANATIONS: dict[str, Explanation] = {
    code: _of(code, title, "warning", text)
    for code, (title, text) in DATA_TEXTS.items()
} | {
    item.code: _of(item.code, item.title, item.severity, item.text, item.reference)
    for item in CHECKS
}


def explain(code: str) -> Explanation:
    """Return what a code of a finding or of a data warning means, and what to do.

    Parameters
    ----------
    code : str
        Such as ``"LBS301"``; small letters and the bare number are understood.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If there is no such code.

    Examples
    --------
    >>> print(explain("301").title)
    Most of the climb of the public score is probably luck
    """
    check_kind(code, str, name="code")
    name = code.strip().upper()
    name = f"LBS{name}" if name.isdecimal() else name
    if name not in EXPLANATIONS:
        msg = f"There is no code {code!r}. Codes are {', '.join(EXPLANATIONS)}."
        raise ValueError(msg)
    return EXPLANATIONS[name]


def explanations_page() -> str:
    """Return all explanations as a page of Markdown."""
    lines = [
        "# Warnings and findings",
        "",
        "Every code in plain words; `lbsense explain CODE` prints the same. Codes are",
        "stable: one that is retired is not used again. A flag names evidence in a",
        "history, never a person. `run_checks(analysis, mute=['LBS306'])` silences",
        "what you know already.",
    ]
    for prefix, group in _GROUPS.items():
        lines += ["", f"## {group}"]
        for item in EXPLANATIONS.values():
            if item.code.startswith(prefix):
                lines += ["", f"### {item.code}: {item.title}", ""]
                lines += [f"*{item.severity}*", ""]
                lines += [f"- **{head}.** {text}" for head, text in item.parts()]
    return "\n".join(lines) + "\n"
