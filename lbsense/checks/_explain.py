"""`explain`: any code in plain words; and the page that holds all of them."""

from __future__ import annotations

from dataclasses import dataclass

from lbsense._result import Result
from lbsense.checks._explanations import TEXTS, Text
from lbsense.checks.data import DATA_TEXTS
from lbsense.checks.finding import Severity
from lbsense.checks.run import CHECKS

__all__ = ["EXPLANATIONS", "Explanation", "explain", "explanations_page"]

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
    item.code: _of(
        item.code, item.title, item.severity, TEXTS[item.code], item.reference
    )
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
    Most rises of the public score are probably luck
    """
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
