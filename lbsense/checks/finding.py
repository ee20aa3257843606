"""What a check says: a code, a status, and the evidence behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import pandas as pd

from lbsense._fragment import details, fragment, paragraph, table
from lbsense._result import Result
from lbsense.analysis import Analysis
from lbsense.model import Predictions

FindingStatus: TypeAlias = Literal["flagged", "passed", "not_applicable", "muted"]
Severity: TypeAlias = Literal["info", "notice", "warning"]


class Text(NamedTuple):
    """The four parts of an explanation, each a few plain sentences.

    They say what a code means, what makes it fire, when it is wrong, and what to do.
    """

    meaning: str
    why: str
    wrong: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one check found, before it is signed with the code of the check."""

    status: FindingStatus
    message: str
    value: float | None = None
    threshold: float | None = None
    n_obs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Result):
    """One check of one history.

    Attributes
    ----------
    code : str
        Stable for ever: 2xx agreement, 3xx selection and adaptivity, 4xx outcome.
    title : str
        What was looked for.
    status : {"flagged", "passed", "not_applicable", "muted"}
        Outcome; ``not_applicable`` where the data cannot tell, ``muted`` where it
        would be flagged and the user does not want to hear of it.
    severity : {"info", "notice", "warning"}
        How much a flag matters: good to know, worth a look, change something.
    message : str
        The number, the threshold and what they mean; for ``not_applicable`` the reason.
    value, threshold : float or None
        What was seen, and from where on it is flagged.
    n_obs : int
        Steps or submissions behind the value.
    reference : str
        Where the idea comes from.
    """

    code: str
    title: str
    status: FindingStatus
    severity: Severity = "notice"
    message: str
    value: float | None = None
    threshold: float | None = None
    n_obs: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Findings(Result):
    """All findings about one history, in the order of their codes."""

    findings: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def flagged(self) -> tuple[Finding, ...]:
        """Return the findings that were flagged."""
        return tuple(item for item in self.findings if item.status == "flagged")

    def to_list(self) -> list[dict[str, Any]]:
        """Return one JSON-safe dictionary per finding."""
        return [item.to_dict() for item in self.findings]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finding."""
        columns = list(Finding.__dataclass_fields__)
        return pd.DataFrame(self.to_list(), columns=columns)

    def __str__(self) -> str:
        return "\n".join(
            f"{item.code} {item.status}: {item.title}. {item.message}"
            for item in self.findings
        )

    def _repr_html_(self) -> str:
        flagged = [
            [item.code, item.severity, f"{item.title}. {item.message}"]
            for item in self.flagged
        ]
        rest = [
            [item.code, item.status.replace("_", " "), f"{item.title}. {item.message}"]
            for item in self
            if item.status != "flagged"
        ]
        headers = ("code", "", "finding")
        told = (
            table(headers, flagged, wide=(2,))
            if flagged
            else paragraph("Nothing was flagged.")
        )
        more = (
            details(f"{len(rest)} not flagged", table(headers, rest, wide=(2,)))
            if rest
            else ""
        )
        return fragment(told, more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check and what it is signed with.

    Attributes
    ----------
    code, title, severity, reference : str
        As in the findings that it makes.
    text : Text
        What a flag means, in plain words.
    examine : callable
        Makes the outcome of an analysis and of predictions, which may be None.
    """

    code: str
    title: str
    severity: Severity
    reference: str
    text: Text
    examine: Callable[[Analysis, Predictions | None], Outcome]

    def finding(
        self, analysis: Analysis, predictions: Predictions | None, *, muted: bool
    ) -> Finding:
        """Return the signed outcome; a muted check never flags."""
        outcome = self.examine(analysis, predictions)
        if muted and outcome.status == "flagged":
            outcome = replace(outcome, status="muted")
        return Finding(
            code=self.code,
            title=self.title,
            severity=self.severity,
            reference=self.reference,
            **asdict(outcome),
        )


def check(
    code: str, title: str, *, severity: Severity, reference: str, text: Text
) -> Callable[[Callable[[Analysis], Outcome]], Check]:
    """Return a decorator that makes a check of a function of the analysis."""

    def sign(examine: Callable[[Analysis], Outcome]) -> Check:
        return Check(
            code=code,
            title=title,
            severity=severity,
            reference=reference,
            text=text,
            examine=lambda analysis, _: examine(analysis),
        )

    return sign


def file_check(
    code: str, title: str, *, severity: Severity, reference: str, text: Text
) -> Callable[[Callable[[Analysis, Predictions | None], Outcome]], Check]:
    """Return a decorator for a check that looks at submitted files as well."""

    def sign(examine: Callable[[Analysis, Predictions | None], Outcome]) -> Check:
        return Check(
            code=code,
            title=title,
            severity=severity,
            reference=reference,
            text=text,
            examine=examine,
        )

    return sign


def flag_if(
    condition: bool, message: str, *, value: float, threshold: float, n_obs: int
) -> Outcome:
    """Return the outcome of a check that could be made."""
    return Outcome(
        status="flagged" if condition else "passed",
        message=message,
        value=float(value),
        threshold=float(threshold),
        n_obs=int(n_obs),
    )


def not_applicable(reason: str, *, n_obs: int = 0) -> Outcome:
    """Return the outcome of a check that the data does not allow."""
    return Outcome(status="not_applicable", message=reason, n_obs=int(n_obs))
