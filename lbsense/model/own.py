"""What an entrant holds beside the board: experiments, and predictions row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._format import plural, shorten
from lbsense._result import Result
from lbsense.model.submission import InputFile, RowIssue

if TYPE_CHECKING:
    import pandas as pd

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


AnyArray = npt.NDArray[Any]

#: Name of the predictions of what is not submitted yet.
CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Predictions that stay in their files: one submission at a time is in memory.

    ``numpy.asarray`` reads them all.

    Attributes
    ----------
    n_rows : int
        Rows of each.
    read : tuple of callable
        One for each submission, which returns its predictions, of shape (n_rows,).
    """

    n_rows: int
    read: tuple[Callable[[], AnyArray], ...]

    ndim = 2
    dtype = np.dtype(np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and submissions."""
        return self.n_rows, len(self.read)

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, place: Any) -> AnyArray:
        """Return predictions in memory, those of one submission where one is meant."""
        rows, column = place if isinstance(place, tuple) else (place, slice(None))
        if isinstance(column, (int, np.integer)):
            return self.read[column]()[rows]
        return self._some(np.arange(len(self.read))[column])[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return self._some(range(len(self.read))).astype(dtype or self.dtype, copy=False)

    def __reduce__(self) -> Any:
        return np.asarray, (np.asarray(self),)

    def of(self, places: Sequence[int]) -> Columns:
        """Return those of some submissions, still in their files."""
        return Columns(self.n_rows, tuple(self.read[place] for place in places))

    def _some(self, places: Iterable[int]) -> AnyArray:
        chosen = list(places)
        result = np.empty((self.n_rows, len(chosen)))
        for column, place in enumerate(chosen):
            result[:, column] = self.read[place]()
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions(Result):
    """Labels, out-of-fold predictions and test predictions, where there are any.

    Row ``i`` of every array about training rows is the same row, and likewise for the
    test rows. Arrays are closed to writing; those that were open are copied.

    Attributes
    ----------
    oof_names : tuple of str
        Submissions with out-of-fold predictions.
    oof : ndarray of shape (n_rows, k) or (n_rows, k, n_outputs), or None
        Out-of-fold predictions; the third axis is for classes or targets. Many that
        were read from binary files stay there, as `Columns`.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None
        What was to be predicted. Classes that are text are held as numbers.
    row_ids : ndarray of int or str, shape (n_rows,), or None
        Identifiers of the training rows.
    groups, times, weights : ndarray of shape (n_rows,), or None
        Group of every row, its time, its weight in the metric.
    test_names : tuple of str
        Submissions with test predictions.
    test : ndarray of shape (n_test, k) or (n_test, k, n_outputs), or None
        Test predictions.
    test_ids : ndarray of int or str, shape (n_test,), or None
        Identifiers of the test rows.
    classes : tuple of str
        Text of the classes ``0, 1, ...``; empty where labels are numbers.
    """

    oof_names: tuple[str, ...] = ()
    oof: AnyArray | None = None
    labels: AnyArray | None = None
    row_ids: AnyArray | None = None
    groups: AnyArray | None = None
    times: AnyArray | None = None
    weights: AnyArray | None = None
    test_names: tuple[str, ...] = ()
    test: AnyArray | None = None
    test_ids: AnyArray | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("oof_names", "test_names", "classes"):
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        for name in _ARRAYS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _closed(value))
        _check_matrix(self.oof, self.oof_names, self.row_ids, "oof")
        _check_matrix(self.test, self.test_names, self.test_ids, "test")
        self._check_rows()

    def _check_rows(self) -> None:
        lengths = {
            name: len(getattr(self, name))
            for name in ("oof", *_OF_ROWS)
            if getattr(self, name) is not None
        }
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            msg = f"Arrays of training rows must have one length, but {found}."
            raise ValueError(msg)
        if self.labels is not None:
            _check_finite(self.labels, "labels", self.row_ids)
        if self.weights is not None and not (
            np.isfinite(self.weights).all() and (self.weights >= 0).all()
        ):
            msg = "weights must be finite and at least 0."
            raise ValueError(msg)

    @property
    def names(self) -> tuple[str, ...]:
        """Every submission, those with out-of-fold predictions first."""
        return tuple(dict.fromkeys(self.oof_names + self.test_names))

    @property
    def n_rows(self) -> int:
        """Training rows; 0 without labels and out-of-fold predictions."""
        known = self.oof if self.oof is not None else self.labels
        return 0 if known is None else len(known)

    @property
    def n_test(self) -> int:
        """Test rows; 0 without test predictions."""
        return 0 if self.test is None else len(self.test)

    def of(self, kind: Literal["oof", "test"], names: Sequence[str]) -> AnyArray:
        """Return predictions of the named submissions, in the order asked for.

        Parameters
        ----------
        kind : {"oof", "test"}
            Which predictions.
        names : sequence of str
            Submissions.

        Returns
        -------
        ndarray of shape (n, len(names)) or (n, len(names), n_outputs)

        Raises
        ------
        KeyError
            If a submission has no such predictions.
        """
        if kind not in ("oof", "test"):
            msg = f"kind must be 'oof' or 'test', got {kind!r}."
            raise ValueError(msg)
        held = self.oof_names if kind == "oof" else self.test_names
        missing = [name for name in names if name not in held]
        if missing:
            msg = f"No {kind} predictions of {missing[:5]}. There are {list(held[:8])}."
            raise KeyError(msg)
        array = self.oof if kind == "oof" else self.test
        if array is None:
            msg = f"There are no {kind} predictions."
            raise KeyError(msg)
        if tuple(names) == held:
            return array
        places = [held.index(name) for name in names]
        if isinstance(array, Columns):
            return array.of(places)
        return array[:, places]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per submission, with what there is of it."""
        import pandas as pd

        return pd.DataFrame(
            {
                "oof": [name in self.oof_names for name in self.names],
                "test": [name in self.test_names for name in self.names],
            },
            index=pd.Index(self.names, name="name", dtype=object),
        )

    def __str__(self) -> str:
        parts = [f"Predictions of {plural(len(self.names), 'submission')}"]
        for kind, n in (("oof", self.n_rows), ("test", self.n_test)):
            names = self.oof_names if kind == "oof" else self.test_names
            if names:
                shown = ", ".join(shorten(name, 40) for name in names[:5])
                more = ", ..." if len(names) > 5 else ""
                parts.append(f"  {kind}: {plural(n, 'row')}, {shown}{more}")
        extra = [name for name in _OF_ROWS if getattr(self, name) is not None]
        if extra:
            parts.append(f"  with {', '.join(extra)}")
        return "\n".join(parts)


_OF_ROWS = ("labels", "row_ids", "groups", "times", "weights")
_ARRAYS = ("oof", *_OF_ROWS, "test", "test_ids")


def _closed(values: Any) -> Any:
    if isinstance(values, Columns):
        return values
    array = np.asarray(values)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _check_matrix(
    array: AnyArray | None, names: tuple[str, ...], ids: AnyArray | None, kind: str
) -> None:
    """Check one set of predictions: a column per name, a row per identifier."""
    if array is None:
        if names:
            msg = f"{kind}_names are given, but no {kind} predictions."
            raise ValueError(msg)
        return
    if array.ndim not in (2, 3) or array.shape[1] != len(names):
        msg = (
            f"{kind} must have shape (n, {len(names)}) or (n, {len(names)}, outputs), "
            f"one column per name in {kind}_names, got {array.shape}."
        )
        raise ValueError(msg)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        msg = f"{kind}_names must be unique, but these occur twice: {twice[:5]}."
        raise ValueError(msg)
    if array.dtype.kind not in "biuf":
        msg = f"{kind} must hold numbers, got {array.dtype}: number the classes first."
        raise ValueError(msg)
    if ids is not None:
        _check_ids(ids, len(array), kind)
    for column, name in enumerate(names):
        _check_finite(array[:, column], f"{kind} predictions of {name}", ids)


def _check_ids(ids: AnyArray, n: int, kind: str) -> None:
    if ids.shape != (n,):
        msg = f"Identifiers of {kind} rows must have shape ({n},), got {ids.shape}."
        raise ValueError(msg)
    values, counts = np.unique(ids, return_counts=True)
    if len(values) < n:
        twice = values[counts > 1][:5].tolist()
        msg = f"Identifiers of {kind} rows must be unique, but these are not: {twice}."
        raise ValueError(msg)


def _check_finite(values: AnyArray, what: str, ids: AnyArray | None) -> None:
    if values.dtype.kind != "f" or np.isfinite(values.sum()):
        return
    bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(bad):
        where = bad[:5].tolist() if ids is None else ids[bad[:5]].tolist()
        label = "position" if ids is None else "row"
        msg = (
            f"{shorten(what, 80)} must be finite, but {plural(len(bad), label)} "
            f"hold nan or inf: {where}."
        )
        raise ValueError(msg)
