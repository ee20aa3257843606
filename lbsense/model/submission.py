"""One submission as it was recorded, its competition, and what was tried with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from lbsense._format import clean_text, plural, shorten
from lbsense._result import Result
from lbsense._typing import CvSource, Platform, Status
from lbsense._validation import check_count, check_fraction
from lbsense.errors import DirectionUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Result):
    """One submission; scores are raw, as the platform showed them.

    Attributes
    ----------
    submission_id : str
        The platform's reference, or the name that the input gives, ``row<line>`` where
        it gives none.
    submitted_at : datetime or None
        Timezone-aware, UTC.
    title : str or None
        What the entrant called the experiment, run or version, where a column says it.
    file_name, description : str or None
        As the entrant gave them: untrusted text, never changed.
    status : {"complete", "pending", "error", "unknown"}
        Whether the platform scored it; unknown where a table of your own has no score
        and says no more: perhaps it was never submitted.
    status_detail : str or None
        The platform's own word on a failure.
    public_score, private_score, cv_score : float or None
        None when missing.
    cv_others : tuple of (str, float)
        Names and scores of further kinds of CV, such as a holdout beside the OOF score.
    cv_std : float or None
        The spread that stood beside the CV score, as in ``0.7052 (0.0641)``.
    cv_fold_scores : tuple of float
        Score of every fold; empty when unknown.
    cv_source : {"column", "description", "file name", "log"} or None
        Where the CV score came from.
    cv_text : str or None
        The very text that the CV score was read from.
    cv_scheme : str or None
        What kind of validation it was, as far as the text says ("cv", "oof", "loo").
    cv_metric : str or None
        The metric that stood beside the CV score, as it was written there.
    selected : bool or None
        Whether it was chosen for the final ranking.
    parent_id : str or None
        The submission that this one was derived from, where declared.
    content_hash : str or None
        Digest of the submitted file.
    source_file : str or None
        File that the row was read from.
    source_line : int or None
        Its line there, the first line being 1.
    """

    submission_id: str
    submitted_at: datetime | None = None
    title: str | None = None
    file_name: str | None = None
    description: str | None = None
    status: Status = "complete"
    status_detail: str | None = None
    public_score: float | None = None
    private_score: float | None = None
    cv_score: float | None = None
    cv_others: tuple[tuple[str, float], ...] = ()
    cv_std: float | None = None
    cv_fold_scores: tuple[float, ...] = ()
    cv_source: CvSource | None = None
    cv_text: str | None = None
    cv_scheme: str | None = None
    cv_metric: str | None = None
    selected: bool | None = None
    parent_id: str | None = None
    content_hash: str | None = None
    source_file: str | None = None
    source_line: int | None = None

    @property
    def name(self) -> str:
        """What the entrant called it: untrusted text, the identifier for want of it."""
        told = self.description or (None if self.title else self.file_name)
        title = self.title
        if title and told and not told.casefold().startswith(title.casefold()):
            return f"{title}: {told}"
        return told or self.title or self.submission_id

    def __post_init__(self) -> None:
        if self.submitted_at is not None and self.submitted_at.tzinfo is None:
            msg = (
                f"submitted_at of {self.submission_id} has no time zone: "
                f"{self.submitted_at!r}. Kaggle and Zindi export UTC: use "
                "value.replace(tzinfo=datetime.UTC)."
            )
            raise ValueError(msg)
        for name in ("public_score", "private_score", "cv_score"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                msg = f"{name} of {self.submission_id} must be finite or None: {value}."
                raise ValueError(msg)
        for name, value in self.cv_others:
            if not math.isfinite(value):
                msg = f"CV {name!r} of {self.submission_id} must be finite: {value}."
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Competition(Result):
    """What is known about a competition; everything may be unknown.

    Attributes
    ----------
    slug : str or None
        The name in the competition's address.
    platform : str or None
        Where the history comes from: ``kaggle``, ``zindi``, or an agent or a tracker,
        such as ``loop``, ``aide`` or ``optuna``.
    metric : str or None
        Registered name of the metric, as ``lbsense.metrics.find_metric`` gives it, or
        the user's own name for a metric that is not registered.
    greater_is_better : bool or None
        Direction of the scores. None when nobody said: it is never guessed.
    cv_greater_is_better : bool or None
        Direction of the CV scores where it differs from that of the leaderboard.
    train_size, test_size : int or None
        Rows of the training set and of the whole test set.
    public_fraction : float or None
        Share of the test rows behind the public score, in (0, 1].
    nested : bool
        Whether the private score covers the public rows too (old Zindi rules).
    deadline : datetime or None
        End of the competition, UTC.
    display_decimals : int or None
        Decimals that the leaderboard shows.
    n_selections : int or None
        Submissions that an entrant may select for the final ranking.
    """

    slug: str | None = None
    platform: Platform | None = None
    metric: str | None = None
    greater_is_better: bool | None = None
    cv_greater_is_better: bool | None = None
    train_size: int | None = None
    test_size: int | None = None
    public_fraction: float | None = None
    nested: bool = False
    deadline: datetime | None = None
    display_decimals: int | None = None
    n_selections: int | None = None

    def __post_init__(self) -> None:
        for name in ("train_size", "test_size", "n_selections"):
            value = getattr(self, name)
            if value is not None:
                check_count(value, name=name)
        if self.public_fraction is not None:
            check_fraction(
                self.public_fraction, name="public_fraction", high_open=False
            )

    @property
    def n_public(self) -> int | None:
        """Test rows behind the public score, or None when a size is unknown."""
        if self.test_size is None or self.public_fraction is None:
            return None
        return max(1, round(self.test_size * self.public_fraction))

    @property
    def n_private(self) -> int | None:
        """Test rows behind the private score; all of them under nested rules.

        None when a size is unknown, or the public score leaves no row unseen.
        """
        if self.test_size is None or self.n_public is None:
            return self.test_size if self.nested else None
        if self.n_public >= self.test_size:
            return None
        return self.test_size if self.nested else self.test_size - self.n_public

    @property
    def better(self) -> str:
        """Which score is better, in words; empty when nobody said."""
        if self.greater_is_better is None:
            return ""
        return "higher is better" if self.greater_is_better else "lower is better"

    def direction(self) -> int:
        """Return 1 when a greater score is better and -1 when a smaller one is.

        Raises
        ------
        DirectionUnknownError
            If ``greater_is_better`` is None.
        """
        if self.greater_is_better is None:
            msg = (
                "The direction of the metric is not known. Name the metric "
                "(metric='roc_auc', --metric roc_auc), or say greater_is_better=True "
                "or False (--higher-is-better, --lower-is-better)."
            )
            raise DirectionUnknownError(msg)
        return 1 if self.greater_is_better else -1

    def cv_direction(self) -> int:
        """Return the direction of the CV scores, that of the metric unless told."""
        if self.cv_greater_is_better is None:
            return self.direction()
        return 1 if self.cv_greater_is_better else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile(Result):
    """A file and the digest of its bytes.

    Attributes
    ----------
    name : str
        Its name, without the folder.
    sha256 : str
        Digest of its bytes, in hexadecimal.
    n_bytes : int
        Its size.
    """

    name: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowIssue(Result):
    """Something in the input that was not understood, and what became of it.

    Attributes
    ----------
    source : str
        File or object that it was found in.
    line : int or None
        Line, the first being 1.
    column : str or None
        Column, where one cell is to blame.
    found : str
        What stood there.
    expected : str
        What would have been understood.
    action : str
        What was done: "row skipped", "cell taken as missing", ...
    """

    source: str
    line: int | None = None
    column: str | None = None
    found: str
    expected: str
    action: str

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        column = "" if self.column is None else f" {self.column} is"
        return clean_text(
            f"{where}:{column} {self.found!r}, expected {self.expected}; {self.action}."
        )


ExperimentStatus: TypeAlias = Literal["done", "failed"]
#: What became of the reason of a step.
ReasonOutcome: TypeAlias = Literal["borne out", "contradicted", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation(Result):
    """What somebody expects of a change before its score is known.

    Attributes
    ----------
    gain : float
        Expected gain over the parent in score units; more is better, whatever the
        metric.
    low, high : float or None
        The range in which the true gain is expected.
    confidence : float
        Probability that the range is meant to have.
    """

    gain: float
    low: float | None = None
    high: float | None = None
    confidence: float = 0.8

    def __post_init__(self) -> None:
        given = [value for value in (self.low, self.high) if value is not None]
        if not all(map(math.isfinite, (self.gain, *given))):
            msg = f"An expected gain must be a finite number, got {self.gain!r}."
            raise ValueError(msg)
        if len(given) == 1:
            msg = "An expected range has two ends: give low and high, or neither."
            raise ValueError(msg)
        if given and not given[0] <= self.gain <= given[1]:
            msg = (
                f"The expected gain {self.gain:g} must lie in its range, got "
                f"{given[0]:g} to {given[1]:g}."
            )
            raise ValueError(msg)
        if not 0 < self.confidence < 1:
            msg = f"confidence must be in (0, 1), got {self.confidence!r}."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(Result):
    """What a run ran on. Nothing of it is a secret: no variable is ever kept.

    Attributes
    ----------
    python : str or None
        Version of Python.
    packages : mapping of str to str
        Installed packages and their versions.
    system, cpu, gpu : str or None
        Operating system, processor, graphics card with its driver.
    n_cpus : int or None
        Processors that the run could use.
    commit : str or None
        Commit of git that the code was at.
    dirty : bool or None
        Whether the code differed from that commit.
    repository : str or None
        Address of the repository, without any name or password in it.
    """

    python: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    system: str | None = None
    cpu: str | None = None
    n_cpus: int | None = None
    gpu: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment(Result):
    """One iteration: why it was made, from what, how, and what came of it.

    Attributes
    ----------
    experiment_id : str
        What no other entry has.
    name : str
        What it is called, such as ``exp012``: untrusted text.
    started_at : datetime or None
        UTC.
    seconds : float or None
        How long it ran.
    status : {"done", "failed"}
        Whether it came to its end.
    error : str or None
        What ended it before.
    hypothesis : str or None
        Why the change should help; None where nobody said.
    parent : str or None
        Name of the experiment, or of the submission, that it was made from.
    expected : Expectation or None
        What it was expected to bring.
    cv_score, cv_std, cv_fold_scores, cv_scheme, cv_metric
        As in `lbsense.Submission`.
    public_score, private_score : float or None
        Where they were added later.
    submission_id : str or None
        The submission that was made of it: as the ledger says it, or as it was found.
    seeds : tuple of int
        Seeds that it ran with.
    command : str or None
        How it was run, without secrets.
    environment : Environment
        What it ran on.
    data, predictions : tuple of InputFile
        The files that it read and wrote, with their digests.
    note : str or None
        Anything else.
    source_line : int or None
        Line of the ledger.
    """

    experiment_id: str
    name: str
    started_at: datetime | None = None
    seconds: float | None = None
    status: ExperimentStatus = "done"
    error: str | None = None
    hypothesis: str | None = None
    parent: str | None = None
    expected: Expectation | None = None
    cv_score: float | None = None
    cv_std: float | None = None
    cv_fold_scores: tuple[float, ...] = ()
    cv_scheme: str | None = None
    cv_metric: str | None = None
    public_score: float | None = None
    private_score: float | None = None
    submission_id: str | None = None
    seeds: tuple[int, ...] = ()
    command: str | None = None
    environment: Environment = field(default_factory=Environment)
    data: tuple[InputFile, ...] = ()
    predictions: tuple[InputFile, ...] = ()
    note: str | None = None
    source_line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Result):
    """What was tried, in the order in which it was written down.

    Attributes
    ----------
    experiments : tuple of Experiment
        One an iteration; scores that came later are in them.
    issues : tuple of RowIssue
        Every line that was not understood. The file is never rewritten.
    source : str
        What messages call it.
    """

    experiments: tuple[Experiment, ...] = ()
    issues: tuple[RowIssue, ...] = ()
    source: str = "ledger"

    def __len__(self) -> int:
        return len(self.experiments)

    def __iter__(self) -> Iterator[Experiment]:
        return iter(self.experiments)

    def find(self, name: str) -> list[Experiment]:
        """Return the experiments that go by a name, an identifier or a reference."""
        return self.by_name().get(name.strip().casefold(), [])

    def by_name(self) -> dict[str, list[Experiment]]:
        """Return the experiments by all that `find` finds them by, in small letters."""
        found: dict[str, list[Experiment]] = {}
        for item in self:
            own = (item.experiment_id, item.name, item.submission_id or "")
            files = {file.name.casefold() for file in item.predictions}
            names = {name.strip().casefold() for name in own} - {""}
            for name in names | files | {f"{file}.csv" for file in files}:
                found.setdefault(name, []).append(item)
        return found

    def __str__(self) -> str:
        lines = [f"Ledger of {plural(len(self), 'experiment')}"]
        lines += [
            f"  {item.name}: {shorten(item.hypothesis or 'no reason given', 80)}"
            for item in self.experiments[-10:]
        ]
        lines += [f"  {issue}" for issue in self.issues[:5]]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonedStep(Result):
    """A step and what was expected of it. Gains are oriented: more is better.

    Attributes
    ----------
    position : int
        Of the submission in the history.
    submission_id : str
        Its identifier.
    experiment, hypothesis : str or None
        Name and reason in the ledger: untrusted texts.
    expected, expected_low, expected_high : float or None
        Gain that was expected.
    found, found_se : float or None
        Gain that public score and CV measured together, and its standard error.
    outcome : {"borne out", "contradicted", "open"}
        What became of the reason; without one, of the hope for a gain.
    bits : float or None
        What was learned of it.
    """

    position: int
    submission_id: str
    experiment: str | None
    hypothesis: str | None
    expected: float | None
    expected_low: float | None
    expected_high: float | None
    found: float | None
    found_se: float | None
    outcome: ReasonOutcome
    bits: float | None


#: What a card may lack: what another person would need, by its name.
Lack: TypeAlias = Literal[
    "commit",
    "clean",
    "repository",
    "command",
    "seeds",
    "packages",
    "data",
    "predictions",
    "cv",
    "reruns",
    "public",
    "seconds",
    "author",
    "license",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Result):
    """What another person needs to arrive at the same score.

    Attributes
    ----------
    experiment : Experiment
        As the ledger has it.
    author, license : str or None
        Who made it, and under which terms.
    reruns : tuple of float
        CV scores of all runs of the same code and command, seeds aside.
    next_low, next_high : float or None
        Where the CV score of one more run lies with 95% probability.
    public_se : float or None
        Standard error of the difference of two runs on the leaderboard.
    private_mean, private_low, private_high : float or None
        Private score to expect, with its 95% band, where a history tells it.
    lacks : tuple of str
        What is missing for it.
    """

    experiment: Experiment
    author: str | None = None
    license: str | None = None
    reruns: tuple[float, ...] = ()
    next_low: float | None = None
    next_high: float | None = None
    public_se: float | None = None
    private_mean: float | None = None
    private_low: float | None = None
    private_high: float | None = None
    lacks: tuple[Lack, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCheck(Result):
    """One thing that was looked at on this machine.

    Attributes
    ----------
    what : str
        What it is: a file, a package, the commit, ...
    status : {"same", "differs", "absent"}
        Whether it is here as it was recorded.
    recorded, found : str
        As the ledger has it, and as it is here.
    """

    what: str
    status: Literal["same", "differs", "absent"]
    recorded: str
    found: str
