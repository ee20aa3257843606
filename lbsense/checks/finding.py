"""What a check says: a code, a status, and the evidence; and how texts are compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from lbsense._format import clean_text
from lbsense._result import Result, details, fragment, paragraph, table

if TYPE_CHECKING:
    import pandas as pd

    from lbsense.analysis import Analysis
    from lbsense.model import Predictions, Submission

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


# A counter names a submission, a score tells its result: neither is a setting of it.
_REFERENCE = re.compile(r"#\s?\d+|#")
_COUNTER = re.compile(
    r"\b(?:exp(?:eriment)?|v(?:er(?:sion)?)?|sub(?:mission)?|model|run|try|attempt|no|"
    r"nb|notebook|kernel)[ _.#-]?\d+\b(?!\.\d)|^#?\d+\s*[:.)-](?!\d)"
)
_SCORE = re.compile(
    r"\b(?:cv|oof|loo|holdout|local|lb|public|private|score|auc|rmse|mae|f1"
    r"|(?:val|acc)(?:\w*+(?=\W{1,3}\d*+\.\d)|[^\W\d]*+))"
    r"\W{0,3}\d*+\.\d++(?:\s*+(?:\+/?-|±)\s*+\d*+\.\d++)?"
)
# The digits of resnet50 or seed42 belong to a name, those of w0.3 do not.
_NUMBER = re.compile(
    r"(?:(?<![a-z\d])\d++(?:\.\d++)?|(?:(?<!\d)\d++)?\.\d++)(?:e-?\d++)?"
)
_PLACE = "\x00"  # of a number that was taken out: clean text has no such character
_WEIGHT = re.compile(
    rf"(?:\bw|weights?|alpha|blend|mix|ratio|coef)\w*+[^\w{_PLACE}]{{0,3}}{_PLACE}"
)
_WHOLES = (1.0, 10.0, 100.0)

#: A text with its numbers taken out, and these numbers.
Wording = tuple[str, tuple[float, ...]]


def wording_of(item: Submission) -> Wording | None:
    """Return the wording of a submission, None where it says nothing.

    Counters such as ``exp12``, references such as ``#3`` and scores such as
    ``CV 0.8123`` are left out.
    """
    text = clean_text(item.description or "")
    if not text:
        text = PurePath(clean_text(item.file_name or "")).stem
    text = text.casefold()
    if item.cv_text:
        text = text.replace(clean_text(item.cv_text).casefold(), " ")
    text = _REFERENCE.sub(" ", _COUNTER.sub(" ", _SCORE.sub(" ", text)))
    numbers = tuple(float(found) for found in _NUMBER.findall(text))
    shape = re.sub(r"\s+", " ", _NUMBER.sub(_PLACE, text)).strip(" :;,|-")
    return (shape, numbers) if shape.strip("#") or numbers else None


def differ_in_one_number(one: Wording | None, other: Wording | None) -> bool:
    """Say whether two texts are the same up to one number, or one pair of weights."""
    if one is None or other is None or one[0] != other[0]:
        return False
    pairs = [(a, b) for a, b in zip(one[1], other[1], strict=False) if a != b]
    if len(one[1]) != len(other[1]) or not 1 <= len(pairs) <= 2:
        return False
    before, after = (sum(side) for side in zip(*pairs, strict=True))
    return len(pairs) == 1 or abs(before - after) < 1e-9


def blend_of(wording: Wording) -> tuple[str, tuple[float, ...], float] | None:
    """Return what is blended and the weight of the first part, None for no blend.

    Weights are two neighbouring numbers that sum to 1, 10 or 100, or one number
    between 0 and 1 behind a word such as ``w``, ``weight`` or ``blend``.
    """
    shape, numbers = wording
    for place, (a, b) in enumerate(pairwise(numbers)):
        whole = next((w for w in _WHOLES if abs(a + b - w) < 0.005 * w), None)
        if whole is not None and a > 0 and b > 0:
            return shape, numbers[:place] + numbers[place + 2 :], a / whole
    found = _WEIGHT.search(shape)
    if found is not None:
        place = shape.count(_PLACE, 0, found.end() - 1)
        if 0 < numbers[place] < 1:
            return shape, numbers[:place] + numbers[place + 1 :], numbers[place]
    return None
