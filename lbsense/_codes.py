"""What verdicts, warnings and findings mean: `codes.md`, read as it stands.

The one text of terminal, page, notebook and documentation; without numbers, and so
light that `lbsense explain guess` loads nothing else.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from lbsense._result import Result
from lbsense._validation import check_kind

__all__ = [
    "EXPLANATIONS",
    "FALSE_CLAIMS",
    "VERDICTS",
    "VERDICT_SIGNS",
    "VERDICT_TINTS",
    "Explanation",
    "Severity",
    "explain",
    "explanations_page",
]

Severity: TypeAlias = Literal["info", "notice", "warning"]

#: Of the claims of a gain or a loss, as long as the list is.
FALSE_CLAIMS = "about one in ten is expected to be false"
_OF_VERDICTS, _OF_CODES = (
    ("What it means", when, "When it is wrong", "What to do", "Reference")
    for when in ("When it is given", "Why it fires")
)
_PART = re.compile(r"^- \*\*([^.*]+)\.\*\* (.+)$", re.MULTILINE)
_SEVERITY = re.compile(r"^\*(info|notice|warning)\*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Result):
    """A code or a verdict in plain words.

    Attributes
    ----------
    code, title : str
        As in the finding or the data warning; of a verdict its word and meaning.
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
        texts = (self.meaning, self.why, self.wrong, self.remedy, self.reference)
        heads = _OF_VERDICTS if self.code in VERDICTS else _OF_CODES
        return tuple(
            (head, text) for head, text in zip(heads, texts, strict=True) if text
        )

    def __str__(self) -> str:
        how = "verdict" if self.code in VERDICTS else self.severity
        lines = [f"{self.code} ({how}): {self.title}"]
        lines += [f"  {heading}: {text}" for heading, text in self.parts()]
        return "\n".join(lines)


def explanations_page() -> str:
    """Return all explanations as a page of Markdown."""
    # Also where the package is imported from a zipped wheel.
    found = pkgutil.get_data("lbsense", "codes.md")
    assert found is not None
    return found.decode("utf-8").replace("\r\n", "\n")


def _read(page: str) -> Iterator[Explanation]:
    """Yield what stands under each heading of the third order."""
    for entry in page.split("\n### ")[1:]:
        code, title = entry.partition("\n")[0].split(": ", 1)
        told, severity = dict(_PART.findall(entry)), _SEVERITY.search(entry)
        heads = _OF_CODES if _OF_CODES[1] in told else _OF_VERDICTS
        meaning, why, wrong, remedy = (told[head] for head in heads[:4])
        yield Explanation(
            code=code,
            title=title,
            severity=cast("Severity", severity[1] if severity else "info"),
            meaning=meaning,
            why=why,
            wrong=wrong,
            remedy=remedy,
            reference=told.get(heads[4], ""),
        )


_EVERY = {item.code: item for item in _read(explanations_page())}
#: Verdict -> what it means, in the order in which people ask.
VERDICTS: Mapping[str, Explanation] = {
    code: item for code, item in _EVERY.items() if code.islower()
}
#: Every code of a warning or a finding, in order.
EXPLANATIONS: Mapping[str, Explanation] = {
    code: item for code, item in _EVERY.items() if code.isupper()
}


def explain(code: str) -> Explanation:
    """Return what a verdict, a finding or a data warning means, and what to do.

    Parameters
    ----------
    code : str
        A verdict such as ``"guess"``, or a code such as ``"LBS301"``; small letters and
        the bare number are understood.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        If there is no such verdict or code.

    Examples
    --------
    >>> print(explain("301").title)
    Most of the climb of the public score is probably luck
    """
    check_kind(code, str, name="code")
    name = code.strip()
    if name.lower() in VERDICTS:
        return VERDICTS[name.lower()]
    name = f"LBS{name}" if name.isdecimal() else name.upper()
    if name not in EXPLANATIONS:
        msg = (
            f"There is no code {code!r}. Codes are {', '.join(EXPLANATIONS)}; verdicts "
            f"are {', '.join(VERDICTS)}."
        )
        raise ValueError(msg)
    return EXPLANATIONS[name]


#: The sign that tells a verdict where there is no colour.
VERDICT_SIGNS = {
    "progress": "+",
    "guess": "~",
    "chasing": "!",
    "setback": "\N{MINUS SIGN}",
    "repeat": "=",
    "probe": "@",
    "unscored": "\N{MIDDLE DOT}",
    "baseline": "\N{WHITE CIRCLE}",
    "unknown": "?",
}

#: Verdict -> the colour behind its word, to be read on light and on dark.
VERDICT_TINTS: Mapping[str, str] = {
    "progress": "rgba(0,160,110,.28)",
    "guess": "rgba(220,170,30,.28)",
    "chasing": "rgba(200,70,150,.28)",
    "setback": "rgba(220,90,20,.28)",
    "repeat": "rgba(50,140,210,.25)",
    "probe": "rgba(100,100,220,.25)",
    "unscored": "rgba(128,128,128,.12)",
    "baseline": "rgba(128,128,128,.18)",
    "unknown": "rgba(128,128,128,.18)",
}
