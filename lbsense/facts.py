"""What is found out about a history: numbers and verdicts, and not yet a sentence.

Scores and true levels are raw, as the platform shows scores; gains and gaps are
oriented, so that more is better whatever the metric.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from lbsense._format import shorten
from lbsense._result import Caveat, Missing, Result
from lbsense._typing import (
    BoolArray,
    CvSource,
    FloatArray,
    ScoreKind,
    Status,
    Verdict,
)
from lbsense.model import History, ReasonedStep
from lbsense.stats import (
    AgreementResult,
    BandCoverageResult,
    ClimbResult,
    CountResult,
    DemingResult,
    DifferenceBandsResult,
    ExpectationResult,
    GapSplitResult,
    GuideResult,
    JointNoiseResult,
    LadderResult,
    LevelPosteriorResult,
    LuckResult,
    PicksResult,
    PrivateOutlookResult,
    QueryLimitsResult,
    RankCorrelationResult,
    ResolutionResult,
    RuleOutcome,
    ScoreGapResult,
    StepPosteriorResult,
)

__all__ = [
    "CLEAR",
    "DEFAULT_RULE",
    "OWN_PICKS",
    "SELECTED",
    "UNFORESEEN",
    "Claims",
    "Facts",
    "GateDecision",
    "GateResult",
    "Learning",
    "NoiseBasis",
    "NoiseScale",
    "Outlook",
    "PublicAlone",
    "Retrospective",
    "RowCount",
    "ScoreGap",
    "Step",
    "StepOutcome",
    "Strength",
]

#: What the noise scale can carry: claims of gain and loss where noise is estimated, of
#: what exceeds the largest noise where only bounds are known, or nothing.
Claims: TypeAlias = Literal["both", "real", "none"]
StepOutcome: TypeAlias = Literal[
    "",
    "confirmed",
    "weakened",
    "contradicted",
    "gain after all",
    "loss after all",
    "still open",
]

Strength: TypeAlias = Literal["", "likely", "clear"]
GateDecision: TypeAlias = Literal["spend", "keep", "unknown"]
NoiseBasis: TypeAlias = Literal["history", "predictions", "files", "folds"]

#: Probability from which a claim is clear.
CLEAR = 0.95
#: Standard deviations from which the outlook did not hold.
UNFORESEEN = 1.96
#: Names of the choices that no rule makes.
SELECTED, OWN_PICKS = "selected", "picks of lbsense"

#: What platforms take for those who select nothing.
DEFAULT_RULE = "two best public"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseScale(Result):
    """Noise of the public score and of the difference of two public scores.

    Attributes
    ----------
    score_sd : float
        Standard deviation of the metric per test row, typical value; nan if unknown.
    score_se, score_se_low, score_se_high : float
        Standard error of one public score: typical, and the bounds that are left open
        by metric and sizes, or by them, the steps and CV together where these tell it.
    score_log_sd : float
        Standard deviation of the logarithm of ``score_sd``: how far tails that the
        score does not show may move it.
    step_se_low, step_se_high : float
        Bounds for the standard error of a public difference: two nearly identical
        submissions, and two that have nothing in common.
    step_se : float
        Estimate of it for a typical step; nan where the history cannot give one.
    rerun_se : float
        Standard error of a public difference between runs of one submission.
    n_repeats : int
        Repeats that ``rerun_se`` rests on.
    rounding_se : float
        What rounding alone adds to a displayed difference.
    n_public : int or None
        Test rows behind the public score.
    n_board : int
        Teams whose public and private scores tell the noise, 0 where the leaderboard
        does not.
    basis : str
        Where these numbers come from.
    """

    score_sd: float
    score_se: float
    score_se_low: float
    score_se_high: float
    score_log_sd: float
    step_se_low: float
    step_se_high: float
    step_se: float
    rerun_se: float
    n_repeats: int
    rounding_se: float
    n_public: int | None
    n_board: int = 0
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Result):
    """One submission against its reference. Gains are oriented: more is better.

    Attributes
    ----------
    submission_id, title, file_name, description, submitted_at, status
        As in the submission.
    name : str
        What it is called wherever it is shown: untrusted text.
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
        One of the nine words of the vocabulary.
    strength : {"", "likely", "clear"}
        How sure a claim of progress or setback is: "clear" from a probability of 95%.
    aside : bool
        Whether a setback is a branch that nothing was built on, such as a single model
        or an ablation: it says so itself, or lies far below what it is compared with.
    rows_needed, rows_needed_low, rows_needed_high : int or None
        Public test rows from which on the public gain is more than luck: where two
        submissions are as alike as usual, and the range between plausible extremes.
        Only where nothing else tells the noise of a step.
    sentence : str
        The verdict and its evidence in plain words.
    hindsight_gain, hindsight_low, hindsight_high : float or None
        Estimated true gain and its interval, private scores taken into account.
    hindsight_p_gain, hindsight_p_null, hindsight_p_loss : float or None
        The probabilities likewise.
    outcome : str
        What became of the verdict after the end; "" where nothing can be said.
    """

    submission_id: str
    file_name: str | None
    description: str | None
    name: str
    title: str | None
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
    hindsight_gain: float | None = None
    hindsight_low: float | None = None
    hindsight_high: float | None = None
    hindsight_p_gain: float | None = None
    hindsight_p_null: float | None = None
    hindsight_p_loss: float | None = None
    outcome: StepOutcome = ""
    strength: Strength = ""
    aside: bool = False
    rows_needed: int | None = None
    rows_needed_low: int | None = None
    rows_needed_high: int | None = None

    @property
    def short_name(self) -> str:
        """Its name, cut to what a sentence can hold."""
        return shorten(self.name, 48)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook(PrivateOutlookResult):
    """Private scores to expect, before they are known: raw, as the platform shows them.

    Of the bands the smaller number stands first; ``deflation`` stays oriented: more is
    more luck, whatever the metric.

    Attributes
    ----------
    to_best : DifferenceBandsResult
        Private scores against the one that is expected to be best. Differences are
        oriented: more is better, whatever the metric.
    to_selected : DifferenceBandsResult or None
        The same against the best expected one of those that were selected.
    to_pick : DifferenceBandsResult or None
        The same against the first of the recommended pair.

    See Also
    --------
    lbsense.stats.PrivateOutlookResult : The other fields, there oriented.
    """

    to_best: DifferenceBandsResult
    to_selected: DifferenceBandsResult | None
    to_pick: DifferenceBandsResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreGap(Result):
    """How far two kinds of score lie apart: raw scores, as the platform shows them.

    Attributes
    ----------
    kind, minus : {"private", "public", "cv"}
        Which score, and which one is taken from it.
    found : ScoreGapResult
        The mean difference, what to expect of the next submission, and how often both
        order two submissions alike.
    """

    kind: ScoreKind
    minus: ScoreKind
    found: ScoreGapResult

    def to_dict(self) -> dict[str, Any]:
        """Return names and numbers side by side."""
        return {"kind": self.kind, "minus": self.minus, **self.found.to_dict()}


class RowCount(NamedTuple):
    """How many steps a public set of some size would tell from luck.

    ``least`` where submissions have little in common, ``typical`` where they are as
    alike as usual, ``most`` where they are nearly the same.
    """

    n_rows: int
    least: int
    typical: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAlone(Result):
    """What would have to be true for public scores alone to tell a step. No claim.

    Attributes
    ----------
    n_steps : int
        Steps with a public gain.
    n_public : int or None
        Public test rows, where known.
    counts : tuple of RowCount
        For the public set where its size is known, else for sets of 1,000, 10,000 and
        100,000 rows.
    """

    n_steps: int
    n_public: int | None
    counts: tuple[RowCount, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, every count by its names."""
        return {
            "n_steps": self.n_steps,
            "n_public": self.n_public,
            "counts": [count._asdict() for count in self.counts],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retrospective(Result):
    """What the private scores say in the end. Gains and parts of gaps: more is better.

    Attributes
    ----------
    n_obs : int
        Submissions with a private score.
    best_public : GapSplitResult or None
        Gap of the best public submission, split; None where the noise is not known.
    selected : GapSplitResult or None
        The same of the selected submission that scored best in the end.
    coverage : BandCoverageResult or None
        Whether the outlook that was made without private scores held.
    rules : tuple of RuleOutcome
        What the selection, the picks of lbsense and the usual rules would have scored:
        raw scores, as the platform shows them.
    transfer : DemingResult or None
        Line of private on public scores; submissions whose gap is far from all others
        are left out.
    public_private, cv_private : RankCorrelationResult
        Rank correlation of the scores over all submissions.
    guides : GuideResult or None
        Whether CV or the public score followed private scores more closely, on the
        submissions that have all three; None where that cannot be asked.
    steps : StepPosteriorResult or Missing
        True gains, private scores taken into account.
    outcomes : tuple of str
        Per submission what became of its verdict: "confirmed", "weakened",
        "contradicted" where it made a claim; "gain after all", "loss after all" or
        "still open" where it made none; "" where nothing can be said.
    sizes_known : bool
        Whether the sizes of the test sets were. Else they are taken as equal.
    lessons : tuple of str
        What happened, in sentences.
    advice : tuple of str
        What to do next time.
    """

    n_obs: int
    best_public: GapSplitResult | None
    selected: GapSplitResult | None
    coverage: BandCoverageResult | None
    rules: tuple[RuleOutcome, ...]
    transfer: DemingResult | None
    public_private: RankCorrelationResult
    cv_private: RankCorrelationResult
    guides: GuideResult | None
    steps: StepPosteriorResult | Missing
    outcomes: tuple[StepOutcome, ...]
    sizes_known: bool
    lessons: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What happened, and then what to do next time."""
        return (*self.lessons, *self.advice)

    @property
    def fits(self) -> bool:
        """Whether private scores lie where public and CV scores let expect them."""
        return self.coverage is None or not abs(self.coverage.common_z) > UNFORESEEN

    def outcome_of(self, rule: str) -> RuleOutcome | None:
        """Return the outcome of a rule, None where it could not be followed."""
        return next((item for item in self.rules if item.rule == rule), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult(Result):
    """Whether a candidate is worth a submission. Gains are oriented: more is better.

    Attributes
    ----------
    decision : {"spend", "keep", "unknown"}
        Spend where ``p_gain`` reaches ``at_least`` and the test is passed, if one was
        asked for; keep where not, where none is left, and where it repeats an earlier
        submission; unknown where nothing can be told.
    reason : str
        Why, in plain words.
    missing : Missing or None
        What could not be told, and what would supply it; not in ``to_dict``.
    cv_score : float or None
        CV score of the candidate, as it was given or as its predictions have it.
    parent_id, best_id : str or None
        What its CV is compared with, and the submission that it has to beat.
    measure : {"cv", "public"}
        What it is measured by: CV, or in a history of one score that score.
    noise_basis : {"history", "predictions", "files", "folds"}
        What tells the noise of its CV gain.
    cv_gain, cv_gain_se : float
        Its CV gain over the parent on the scale of the public score, and the typical
        one of the standard errors that its noise may have.
    gain, gain_se, gain_low, gain_high : float
        Expected true gain over the best submission, its posterior standard deviation
        and 95% interval.
    p_better, p_gain : float
        Probability of any true gain over it, and of one worth naming.
    smallest_gain : float
        Gain that the leaderboard shows with 80% power.
    p_visible : float
        Probability of a true gain above that.
    narrowing : float
        Share by which a public score would narrow what is known of the step.
    look_se : float
        Noise of the public difference to the best submission.
    p_right : float
        Probability that the public score says rightly which of the two is better.
    value : float
        Expected true gain of who submits it and then takes the one that looks better.
    p_none, level : float
        Probability that it is no gain worth naming, and the largest that passes now,
        after all that passed so far.
    passes : bool or None
        Whether it passes; None where no false share was asked for.
    n_tested, n_passed : int
        Earlier steps, and how many passed.
    false_share : float or None
        What the share of false ones among those is held to.
    repeats : str or None
        Earlier submission with the same predictions, or of the same file.
    experiments : tuple of str
        Experiments of the ledger that wrote the very file of the candidate.
    closest_id, closest_se : str or None, float
        The earlier submission whose predictions are most like these, and the noise of
        the public difference to it.
    n_left : int or None
        Submissions left.
    rope, at_least : float
        Gain not worth naming, and the probability asked for.
    n_obs : int
        Past steps behind the prior.
    """

    decision: GateDecision
    reason: str
    cv_score: float | None
    parent_id: str | None = None
    best_id: str | None = None
    measure: str = "cv"
    noise_basis: NoiseBasis = "history"
    cv_gain: float = math.nan
    cv_gain_se: float = math.nan
    gain: float = math.nan
    gain_se: float = math.nan
    gain_low: float = math.nan
    gain_high: float = math.nan
    p_better: float = math.nan
    p_gain: float = math.nan
    smallest_gain: float = math.nan
    p_visible: float = math.nan
    narrowing: float = math.nan
    look_se: float = math.nan
    p_right: float = math.nan
    value: float = math.nan
    p_none: float = math.nan
    level: float = math.nan
    passes: bool | None = None
    n_tested: int = 0
    n_passed: int = 0
    false_share: float | None = None
    repeats: str | None = None
    experiments: tuple[str, ...] = ()
    closest_id: str | None = None
    closest_se: float = math.nan
    n_left: int | None = None
    rope: float = math.nan
    at_least: float = 0.5
    n_obs: int = 0
    missing: Missing | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, the decision and its reason."""
        content = {"schema": 1, **Result.to_dict(self)}
        del content["missing"]
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning(Result):
    """What was learned from what was tried, by a ledger.

    Attributes
    ----------
    n_experiments, n_submitted, n_failed : int
        Entries of the ledger, those that were submitted, and those that failed.
    steps : tuple of ReasonedStep
        Every step that has something to be compared with.
    with_reason, without_reason : CountResult
        Of how many of them the expected happened, by the probabilities.
    calibration : ExpectationResult or Missing
        Expected gains against those that were found.
    bits : float
        What a submission told about whether its change is a gain, nothing or a loss.
    bits_at_most : float
        What there was to learn of it.
    """

    n_experiments: int
    n_submitted: int
    n_failed: int
    steps: tuple[ReasonedStep, ...]
    with_reason: CountResult
    without_reason: CountResult
    calibration: ExpectationResult | Missing
    bits: float
    bits_at_most: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts(Result):
    """Everything that was found out about a history, and why the rest was not.

    Attributes
    ----------
    history : History
        What was analysed.
    level : str
        Highest level of evidence reached: "A", "A+", "B", "C" or "D".
    claims : {"both", "real", "none"}
        What the noise scale can carry.
    steps : tuple of Step
        One per submission, in time order.
    noise : NoiseScale
        Noise of the public score and of a step of it.
    agreement : AgreementResult or Missing
        Of CV gains and public gains.
    posterior : StepPosteriorResult or Missing
        Where the probabilities of the steps come from.
    parents : str
        How it was found what each submission is compared with.
    levels : LevelPosteriorResult or Missing
        Posterior of the true score of every submission, raw.
    outlook : Outlook or Missing
        Private scores to expect, raw.
    picks : PicksResult or Missing
        Which two to select; expected scores are raw.
    luck : LuckResult or Missing
        How much of the climb of the public score was luck.
    resolution : ResolutionResult or Missing
        What this leaderboard can tell.
    limits : QueryLimitsResult or Missing
        The most that so many scores could extract.
    climb : ClimbResult or Missing
        The few steps that made the climb from the first submission to the best.
    gaps : tuple of ScoreGap
        How far kinds of score lie apart, and whether they order alike.
    alone : PublicAlone or Missing
        What would have to be true for public scores alone to tell a step.
    ladder : LadderResult or Missing
        Which gains the Ladder would have released.
    joint : JointNoiseResult or Missing
        Noise of the submissions with predictions, all together.
    retrospective : Retrospective or Missing
        What the private scores say after the end.
    cv : ndarray of shape (n_submissions,)
        CV on the scale of the public score, larger is better; earlier schemes are moved
        to the level of the latest. nan where none is known.
    cv_scale : float
        What the latest CV scores were multiplied by to lie on the scale of the public
        score; nan where none was used.
    contradicted : ndarray of bool of shape (n_submissions,)
        Steps whose public and CV gain exclude each other.
    caveats : tuple of Caveat
        What weakens or changes a result that is there.
    learning : Learning or Missing
        What was learned from what was tried; needs a ledger.
    """

    history: History
    level: str
    claims: Claims
    steps: tuple[Step, ...]
    noise: NoiseScale
    agreement: AgreementResult | Missing
    posterior: StepPosteriorResult | Missing
    parents: str
    levels: LevelPosteriorResult | Missing
    outlook: Outlook | Missing
    picks: PicksResult | Missing
    luck: LuckResult | Missing
    resolution: ResolutionResult | Missing
    limits: QueryLimitsResult | Missing
    climb: ClimbResult | Missing
    gaps: tuple[ScoreGap, ...]
    alone: PublicAlone | Missing
    ladder: LadderResult | Missing
    joint: JointNoiseResult | Missing
    retrospective: Retrospective | Missing
    cv: FloatArray
    cv_scale: float
    contradicted: BoolArray
    caveats: tuple[Caveat, ...]
    learning: Learning | Missing

    @property
    def directed(self) -> bool:
        """Whether it is known which score is better."""
        return self.history.competition.greater_is_better is not None

    def caveat(self, field: str) -> Caveat | None:
        """Return what weakens a result or an input, None where nothing does."""
        return next((item for item in self.caveats if item.field == field), None)

    def counts(self) -> dict[str, int]:
        """Return how many submissions each verdict has, most frequent first."""
        return dict(Counter(step.verdict for step in self.steps).most_common())
