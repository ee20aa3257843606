"""What an analysis holds: one row per submission and the answer in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from lbsense._format import format_gain, format_number, format_probability, shorten
from lbsense._result import Result, plain
from lbsense._typing import CvSource, Status, Verdict
from lbsense.analysis._display import analysis_fragment
from lbsense.analysis._plain import (
    whole_luck,
    whole_outlook,
    whole_picks,
    whole_retrospective,
)
from lbsense.analysis.noise import NoiseScale
from lbsense.analysis.retrospective import Retrospective
from lbsense.model import History
from lbsense.stats import (
    AgreementResult,
    JointNoiseResult,
    LadderResult,
    LevelPosteriorResult,
    LuckResult,
    PicksResult,
    PrivateOutlookResult,
    QueryLimitsResult,
    ResolutionResult,
    StepPosteriorResult,
)

__all__ = ["SCHEMA", "Analysis", "Step"]

#: Version of the dictionary that `Analysis.to_dict` gives.
SCHEMA = 1

_EVIDENCE = {
    "A": "public scores alone",
    "A+": "public scores, metric and test size",
    "B": "public and CV scores",
    "C": "public and private scores",
    "D": "predictions row by row",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Result):
    """One submission against its reference. Gains are oriented: more is better.

    Attributes
    ----------
    submission_id, file_name, description, submitted_at, status
        As in the submission.
    public_score, cv_score, cv_source, private_score
        As in the submission: raw, not oriented.
    reference_id : str or None
        The submission that it is compared with.
    public_gain, public_gain_se : float or None
        Observed public gain and the standard error of its noise.
    cv_gain, cv_gain_se : float or None
        Observed CV gain, on the scale of the public score, and its standard error.
    gain, gain_low, gain_high : float or None
        Estimated true gain and its interval.
    p_gain, p_null, p_loss : float or None
        Probability of a true gain, of no change worth naming, and of a true loss.
    verdict : str
        One of the eight words of the vocabulary.
    sentence : str
        The verdict and its evidence in plain words.
    """

    submission_id: str
    file_name: str | None
    description: str | None
    submitted_at: datetime | None
    status: Status
    public_score: float | None
    cv_score: float | None
    cv_source: CvSource | None
    private_score: float | None
    reference_id: str | None
    public_gain: float | None
    public_gain_se: float | None
    cv_gain: float | None
    cv_gain_se: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    p_gain: float | None
    p_null: float | None
    p_loss: float | None
    verdict: Verdict
    sentence: str

    @property
    def name(self) -> str:
        """What the entrant called it: untrusted text, the identifier for want of it."""
        return self.description or self.file_name or self.submission_id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis(Result):
    """Everything that could be said about a history, and why the rest could not.

    Attributes
    ----------
    history : History
        What was analysed.
    level : str
        Highest level of evidence reached: "A", "A+", "B", "C" or "D".
    headline : str
        The answer in plain words.
    next_fact : str
        The one fact that would sharpen the verdicts most.
    steps : tuple of Step
        One per submission, in time order.
    noise : NoiseScale
        Noise of the public score and of a step of it.
    agreement : AgreementResult or None
        Of CV gains and public gains.
    posterior : StepPosteriorResult or None
        Where the probabilities of the steps come from.
    parents : str
        How it was found what each submission is compared with.
    levels : LevelPosteriorResult or None
        Posterior of the true score of every submission.
    outlook : PrivateOutlookResult or None
        Private scores to expect.
    picks : PicksResult or None
        Which two to select.
    luck : LuckResult or None
        How much of the climb of the public score was luck.
    resolution : ResolutionResult or None
        What this leaderboard can tell.
    limits : QueryLimitsResult or None
        The most that so many scores could extract.
    ladder : LadderResult or None
        Which gains the Ladder would have released.
    joint : JointNoiseResult or None
        Noise of the submissions with predictions, all together.
    retrospective : Retrospective or None
        What the private scores say after the end.
    notes : Mapping of str to str
        Result that is missing or weak -> the reason.
    """

    history: History
    level: str
    headline: str
    next_fact: str
    steps: tuple[Step, ...]
    noise: NoiseScale
    agreement: AgreementResult | None
    posterior: StepPosteriorResult | None
    parents: str
    levels: LevelPosteriorResult | None
    outlook: PrivateOutlookResult | None
    picks: PicksResult | None
    luck: LuckResult | None
    resolution: ResolutionResult | None
    limits: QueryLimitsResult | None
    ladder: LadderResult | None
    joint: JointNoiseResult | None
    retrospective: Retrospective | None
    notes: Mapping[str, str]

    @property
    def evidence(self) -> str:
        """The level of evidence and what it holds, in words."""
        return f"level {self.level}, {_EVIDENCE[self.level]}"

    def counts(self) -> dict[str, int]:
        """Return how many submissions each verdict has, most frequent first."""
        return dict(Counter(step.verdict for step in self.steps).most_common())

    def to_dict(self) -> dict[str, Any]:
        """Return the analysis as the versioned, JSON-safe dictionary."""
        return {
            "schema": SCHEMA,
            "level": self.level,
            "headline": self.headline,
            "next_fact": self.next_fact,
            "competition": self.history.competition.to_dict(),
            "warnings": [warning.to_dict() for warning in self.history.warnings],
            "dropped": [issue.to_dict() for issue in self.history.dropped],
            "noise": self.noise.to_dict(),
            "agreement": plain(self.agreement),
            "parents": self.parents,
            "luck": whole_luck(self),
            "outlook": whole_outlook(self),
            "picks": whole_picks(self),
            "resolution": plain(self.resolution),
            "retrospective": whole_retrospective(self),
            "notes": dict(self.notes),
            "steps": [step.to_dict() for step in self.steps],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission; the columns are the fields of `Step`."""
        columns = list(Step.__dataclass_fields__)
        rows = [[getattr(step, name) for name in columns] for step in self.steps]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(
            submitted_at=pd.to_datetime(frame["submitted_at"], utc=True)
        )

    def __str__(self) -> str:
        lines = [self.headline, f"Evidence: {self.evidence}. {self.next_fact}", ""]
        lines += [f"  {_text_row(step)}" for step in self.steps]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return analysis_fragment(self)


def _cells(step: Step) -> tuple[str, ...]:
    return (
        format_number(step.cv_score),
        format_number(step.public_score),
        format_gain(step.gain),
        format_probability(step.p_gain),
        step.verdict,
    )


def _text_row(step: Step) -> str:
    cv, public, gain, chance, verdict = _cells(step)
    name = shorten(step.name, 32)
    return f"{name:<32} {cv:>9} {public:>9} {gain:>9} {chance:>5}  {verdict}"
