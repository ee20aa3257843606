"""What was tried, why, and with what: the entries of a ledger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from lbsense._format import plural, shorten
from lbsense._result import Result
from lbsense.model.submission import InputFile, RowIssue

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
