"""What a check says: a code, a status, and the evidence; and all checks run."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lbsense._codes import EXPLANATIONS, Severity
from lbsense._result import Result, details, fragment, paragraph, table
from lbsense._validation import check_kind

if TYPE_CHECKING:
    import pandas as pd

    from lbsense.analysis import Analysis
    from lbsense.model import Predictions

FindingStatus: TypeAlias = Literal["flagged", "passed", "not_applicable", "muted"]


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
        import pandas as pd

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
    """A check: its code, which `codes.md` explains, and what it does.

    Attributes
    ----------
    code : str
        As in the findings that it makes.
    examine : callable
        Makes the outcome of an analysis and of predictions, which may be None.
    """

    code: str
    examine: Callable[[Analysis, Predictions | None], Outcome]

    def finding(
        self, analysis: Analysis, predictions: Predictions | None, *, muted: bool
    ) -> Finding:
        """Return the signed outcome; a muted check never flags."""
        outcome, told = self.examine(analysis, predictions), EXPLANATIONS[self.code]
        if muted and outcome.status == "flagged":
            outcome = replace(outcome, status="muted")
        return Finding(
            code=self.code,
            title=told.title,
            severity=told.severity,
            reference=told.reference,
            **asdict(outcome),
        )


#: Every check, in the order of its code.
CHECKS: list[Check] = []


def file_check(
    code: str,
) -> Callable[[Callable[[Analysis, Predictions | None], Outcome]], Check]:
    """Return a decorator for a check that looks at submitted files as well."""

    def sign(examine: Callable[[Analysis, Predictions | None], Outcome]) -> Check:
        made = Check(code=code, examine=examine)
        insort(CHECKS, made, key=lambda item: item.code)
        return made

    return sign


def check(code: str) -> Callable[[Callable[[Analysis], Outcome]], Check]:
    """Return a decorator that makes a check of a function of the analysis."""
    return lambda examine: file_check(code)(lambda analysis, _: examine(analysis))


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
    from lbsense.analysis import Analysis
    from lbsense.model import Predictions

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
