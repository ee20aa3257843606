"""What was tried and why, a line as it ends, and what it takes to try it again."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from lbsense._files import append_line
from lbsense._format import without_secrets, without_secrets_in
from lbsense._validation import check_kind, check_number
from lbsense.errors import IngestError, warn
from lbsense.ingest import (
    LEDGER_SCHEMA,
    input_files,
    is_ledger,
    read_environment,
    read_ledger,
)
from lbsense.model import (
    Card,
    CardCheck,
    Environment,
    Expectation,
    Experiment,
    InputFile,
    Lack,
    Ledger,
)
from lbsense.stats import score_gap

__all__ = [
    "Run",
    "check_card",
    "check_ledger",
    "experiment",
    "find_experiment",
    "log_experiment",
    "log_scores",
    "make_card",
    "next_name",
]

_Files = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
_SEED = re.compile(r"(?:^|[\s\-_.])(?:random[_-]?)?seeds?[= ]\s{0,3}(\d{1,18})\b", re.I)
_TEXTS = ("name", "hypothesis", "parent", "note", "error", "command", "submission_id")


class Run:
    """An experiment that is going on: what came of it is told here.

    Attributes
    ----------
    entry : Experiment
        What is known so far; as written down, when it has ended.
    """

    def __init__(self, entry: Experiment) -> None:
        self.entry = entry

    def cv(
        self,
        score: float | None = None,
        *,
        folds: Sequence[float] = (),
        std: float | None = None,
        metric: str | None = None,
    ) -> None:
        """Tell the CV score, or the scores of the folds, whose mean it is then."""
        self.entry = replace(self.entry, **_cv(score, folds, std, metric))

    def predictions(self, *files: str | os.PathLike[str]) -> None:
        """Tell which prediction files were written; their digests are kept."""
        found = (*self.entry.predictions, *_digests(files))
        self.entry = replace(self.entry, predictions=found)

    def data(self, *files: str | os.PathLike[str]) -> None:
        """Tell which files were read; their digests are kept."""
        self.entry = replace(self.entry, data=(*self.entry.data, *_digests(files)))

    def note(self, text: str) -> None:
        """Tell anything else; a later note follows an earlier one."""
        told = [part for part in (self.entry.note, text) if part]
        self.entry = replace(self.entry, note=" ".join(told))


@contextmanager
def experiment(
    name: str,
    hypothesis: str | None = None,
    *,
    parent: str | None = None,
    expected_gain: float | None = None,
    expected_range: tuple[float, float] | None = None,
    seeds: int | Iterable[int] = (),
    data: _Files = (),
    ledger: str | os.PathLike[str] = "ledger.jsonl",
) -> Iterator[Run]:
    """Write one iteration down in the ledger as it ends, also where it fails.

    Use it around training: time, commit, packages and machine are noted, the digests of
    the files, and what you tell. It ends with one line, whole or not at all, whoever
    else writes to the same ledger.

    Parameters
    ----------
    name : str
        What it is called, such as "exp012": write that into the description of the
        submission, and the two are joined.
    hypothesis : str, optional
        Why the change should help.
    parent : str, optional
        Name of the experiment that it was made from.
    expected_gain : float, optional
        What it should bring over its parent, in score units; more is better, whatever
        the metric.
    expected_range : (float, float), optional
        Where you expect the true gain with 80% probability.
    seeds : int or iterable of int
        Seeds that it runs with.
    data : path or iterable of path
        Files that it reads; a folder stands for the files in it.
    ledger : path
        The file that is added to.

    Yields
    ------
    Run
        With `Run.cv`, `Run.predictions`, `Run.data` and `Run.note`.

    Raises
    ------
    OSError
        If the ledger cannot be added to: before anything runs.
    ValueError
        If what is expected is no number, or lies outside of its range.

    Warns
    -----
    LbsenseWarning
        If the ledger cannot be added to at the end; the run is not ended by that.

    Examples
    --------
    >>> import tempfile
    >>> book = tempfile.mkdtemp() + "/ledger.jsonl"
    >>> with experiment("exp1", "lags help", expected_gain=0.01, ledger=book) as run:
    ...     run.cv(folds=[0.80, 0.82, 0.81])
    >>> from lbsense.ingest import read_ledger
    >>> entry = read_ledger(book).experiments[0]
    >>> entry.name, entry.hypothesis, round(entry.cv_score, 3), entry.status
    ('exp1', 'lags help', 0.81, 'done')
    """
    path = Path(ledger)
    check_ledger(path)
    run = Run(
        _entry(
            name,
            hypothesis,
            parent=parent,
            expected_gain=expected_gain,
            expected_range=expected_range,
            seeds=seeds,
            command=_own_command(),
            data=data,
        )
    )
    begun = time.perf_counter()
    run.entry = replace(run.entry, environment=read_environment(besides=path))
    try:
        yield run
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")[:2000]
        run.entry = replace(run.entry, status="failed", error=reason)
        raise
    finally:
        seconds = round(time.perf_counter() - begun, 3)
        run.entry = replace(run.entry, seconds=seconds)
        try:
            run.entry = _write(run.entry, path)
        except OSError as problem:
            warn(f"{problem} The experiment {run.entry.name} is not in the ledger.")


def log_experiment(
    name: str | None,
    hypothesis: str | None = None,
    *,
    parent: str | None = None,
    expected_gain: float | None = None,
    expected_range: tuple[float, float] | None = None,
    cv_score: float | None = None,
    cv_fold_scores: Sequence[float] = (),
    cv_std: float | None = None,
    cv_metric: str | None = None,
    seeds: int | Iterable[int] = (),
    command: str | Sequence[str] | None = None,
    data: _Files = (),
    predictions: _Files = (),
    seconds: float | None = None,
    error: str | None = None,
    note: str | None = None,
    submission_id: str | None = None,
    ledger: str | os.PathLike[str] = "ledger.jsonl",
) -> Experiment:
    """Write an iteration down that has ended; as `experiment` does around one.

    Parameters
    ----------
    name : str or None
        As in `experiment`; None takes the next of exp001, exp002, ..., which nobody
        else takes.
    hypothesis, parent, expected_gain, expected_range, seeds, data, ledger
        As in `experiment`.
    cv_score, cv_fold_scores, cv_std, cv_metric
        As in `lbsense.Submission`; the score of folds alone is their mean.
    command : str or sequence of str, optional
        How it was run: keys and tokens in it are hidden.
    predictions : path or iterable of path
        Files that it wrote.
    seconds : float, optional
        How long it ran.
    error : str, optional
        What ended it before its time: it is taken for failed then.
    note, submission_id : str, optional
        As in `lbsense.model.Experiment`.

    Returns
    -------
    Experiment
        As it was written.

    Raises
    ------
    OSError
        If the ledger cannot be added to; nothing is lost.
    """
    entry = _entry(
        "exp000" if name is None else name,
        hypothesis,
        parent=parent,
        expected_gain=expected_gain,
        expected_range=expected_range,
        seeds=seeds,
        command=command,
        data=data,
    )
    path = Path(ledger)
    check_ledger(path)
    if seconds is not None and entry.started_at is not None:
        begun = entry.started_at - timedelta(seconds=round(seconds))
        entry = replace(entry, started_at=begun)
    entry = replace(
        entry,
        **_cv(cv_score, cv_fold_scores, cv_std, cv_metric),
        seconds=seconds,
        status="done" if error is None else "failed",
        error=error,
        note=note,
        submission_id=submission_id,
        predictions=_digests(predictions),
        environment=read_environment(besides=path),
    )
    return _write(entry, path, named=name is not None)


def log_scores(
    name: str,
    *,
    public_score: float | None = None,
    private_score: float | None = None,
    cv_score: float | None = None,
    cv_fold_scores: Sequence[float] = (),
    submission_id: str | None = None,
    note: str | None = None,
    ledger: str | os.PathLike[str] = "ledger.jsonl",
) -> Experiment:
    """Add to the ledger what became known of an experiment after it was written.

    Parameters
    ----------
    name : str
        Its name or identifier; of several with one name the last is meant.
    public_score, private_score, cv_score, cv_fold_scores, submission_id, note
        As in `lbsense.model.Experiment`.
    ledger : path
        The file that is added to; no line of it is changed.

    Returns
    -------
    Experiment
        The experiment that they were added to, as it was before.

    Raises
    ------
    ValueError
        If there is no such experiment, or nothing to add.
    """
    entry = find_experiment(read_ledger(ledger), name)
    told: dict[str, Any] = {
        "public_score": public_score,
        "private_score": private_score,
        "submission_id": submission_id,
        "note": note,
    }
    for key in ("public_score", "private_score"):
        if told[key] is not None:
            check_number(told[key], name=key)
    if cv_score is not None or len(cv_fold_scores):
        told |= _cv(cv_score, cv_fold_scores, None, None)
    told = {key: value for key, value in told.items() if value not in (None, ())}
    if not told:
        msg = f"There is nothing to add to {entry.name}: give a score or a reference."
        raise ValueError(msg)
    when = datetime.now(UTC).isoformat(timespec="seconds")
    head = {"kind": "scores", "experiment_id": entry.experiment_id, "time": when}
    append_line(_line(head | _clean(told)), Path(ledger))
    return entry


def find_experiment(ledger: Ledger, name: str) -> Experiment:
    """Return the experiment that a name means: of several the last that was done.

    Raises
    ------
    ValueError
        If there is none; the message names those that there are.
    """
    found = ledger.find(name)
    done = [item for item in found if item.status == "done"]
    if found:
        return (done or found)[-1]
    names = ", ".join(item.name for item in ledger.experiments[-8:]) or "nothing"
    msg = (
        f"{ledger.source}: no experiment is called {name!r}, by name, submission or "
        f"file. The last that there are: {names}."
    )
    raise ValueError(msg)


def next_name(ledger: Ledger) -> str:
    """Return the name of the next experiment where nobody gives one: exp001, ..."""
    numbers = (re.fullmatch(r"exp(\d{1,6})", item.name) for item in ledger)
    last = max((int(found[1]) for found in numbers if found), default=0)
    return f"exp{last + 1:03d}"


def _entry(
    name: str,
    hypothesis: str | None,
    *,
    parent: str | None,
    expected_gain: float | None,
    expected_range: tuple[float, float] | None,
    seeds: int | Iterable[int],
    command: str | Sequence[str] | None,
    data: _Files,
) -> Experiment:
    for key, value in (("hypothesis", hypothesis), ("parent", parent)):
        check_kind(value, str, name=key, optional=True)
    check_kind(name, str, name="name")
    if not name.strip():
        msg = "An experiment needs a name, such as exp012."
        raise ValueError(msg)
    expected = None
    if expected_range is not None and expected_gain is None:
        expected_gain = fmean(expected_range)
    if expected_gain is not None:
        low, high = expected_range or (None, None)
        expected = Expectation(gain=float(expected_gain), low=low, high=high)
    if command is not None and not isinstance(command, str):
        command = shlex.join(without_secrets_in(command))
    given = (seeds,) if isinstance(seeds, int) else tuple(map(int, seeds))
    if not given and command:
        given = tuple(dict.fromkeys(int(text) for text in _SEED.findall(command)))
    now = datetime.now(UTC).replace(microsecond=0)
    return Experiment(
        experiment_id=f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}",
        name=name.strip(),
        started_at=now,
        hypothesis=(hypothesis or "").strip() or None,
        parent=(parent or "").strip() or None,
        expected=expected,
        seeds=given,
        command=command,
        data=_digests(data),
    )


def _cv(
    score: float | None,
    folds: Sequence[float],
    std: float | None,
    metric: str | None,
) -> dict[str, Any]:
    values = tuple(check_number(value, name="a fold score") for value in folds)
    if score is None and values:
        score = fmean(values)
    return {
        "cv_score": None if score is None else check_number(score, name="cv_score"),
        "cv_fold_scores": values,
        "cv_std": None if std is None else check_number(std, name="cv_std"),
        "cv_metric": metric,
    }


def _digests(files: _Files) -> tuple[InputFile, ...]:
    """Return the digests of files, named by their path in the working folder."""
    given = [files] if isinstance(files, str | os.PathLike) else list(files)
    found: list[InputFile] = []
    for name in given:
        path = Path(name)
        for item in input_files([path]):
            whole = path / item.name if path.is_dir() else path
            found.append(replace(item, name=_shown(whole)))
    return tuple(found)


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return path.name


def _own_command() -> str | None:
    """Return how this process was run; None in a notebook, which has no command."""
    words = list(getattr(sys, "orig_argv", sys.argv))
    if not words or any("ipykernel" in word for word in words):
        return None
    words[0] = Path(words[0]).name
    return shlex.join(without_secrets_in(words))


def check_ledger(path: Path) -> None:
    """Raise where a ledger cannot be added to, before hours are spent."""
    nearest = path if path.exists() else path.absolute().parent
    while not nearest.exists():
        nearest = nearest.parent
    if path.is_dir():
        reason = "it is a folder, not a file"
    elif not os.access(nearest, os.W_OK):
        reason = "it cannot be written to"
    elif not is_ledger(path):
        reason = "it holds something else"
    else:
        return
    msg = f"{path}: no ledger that can be added to: {reason}. Name another file."
    raise OSError(msg)


def _write(entry: Experiment, path: Path, *, named: bool = True) -> Experiment:
    """Add an experiment to the ledger, and return it as it stands there."""
    fields = _clean(entry.to_dict())

    def line() -> str:
        if not named:
            fields["name"] = next_name(read_ledger(path))
        return _line({"kind": "experiment"} | fields)

    append_line(line, path)
    return replace(entry, **{k: fields[k] for k in _TEXTS if k in fields})


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what there is to say, without a secret in any text."""
    return {
        key: _without_secrets(value)
        for key, value in fields.items()
        if key != "source_line" and value not in (None, [], ())
    }


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key in _PLAIN else _without_secrets(item)
            for key, item in value.items()
            if item is not None
        }
    return value


_PLAIN = frozenset({"packages", "sha256"})


def _line(fields: dict[str, Any]) -> str:
    return json.dumps({"schema": LEDGER_SCHEMA, **fields}, allow_nan=False)


_SEEDS = re.compile(r"(seeds?[= ])\d{1,18}\b", re.IGNORECASE)
_SHORT = 12  # characters of a digest that are shown


def make_card(
    ledger: Ledger,
    name: str,
    *,
    author: str | None = None,
    license: str | None = None,  # noqa: A002  the name that users look for
) -> Card:
    """Return the card of an experiment, and what it lacks.

    Parameters
    ----------
    ledger : Ledger
        What was tried.
    name : str
        Name or identifier of the experiment, reference or file of its submission.
    author, license : str, optional
        Who made it, and under which terms.

    Raises
    ------
    ValueError
        If there is no such experiment.

    Notes
    -----
    Runs of the same code are those of one name, or of one commit and one command,
    seeds aside. Where one more run lies is a t interval for the next of as many.
    """
    entry = find_experiment(ledger, name)
    runs = [item for item in ledger if item is entry or _is_rerun(item, entry)]
    scores = tuple(item.cv_score for item in runs if item.cv_score is not None)
    after = score_gap([0.0] * len(scores), scores) if len(scores) > 1 else None
    card = Card(experiment=entry, author=author, license=license, reruns=scores)
    if after is not None:
        card = replace(card, next_low=after.ci_low, next_high=after.ci_high)
    return replace(card, lacks=tuple(_lacks(card)))


def _is_rerun(item: Experiment, entry: Experiment) -> bool:
    if item.status == "failed":
        return False
    if item.name.casefold() == entry.name.casefold():
        return True
    commits = {item.environment.commit, entry.environment.commit}
    if None in commits or len(commits) > 1 or not (item.command and entry.command):
        return False
    bare = {_SEEDS.sub(r"\1", text) for text in (item.command, entry.command)}
    return len(bare) == 1


def _lacks(card: Card) -> Iterator[Lack]:
    entry, place = card.experiment, card.experiment.environment
    known: dict[Lack, object] = {
        "commit": place.commit,
        "clean": place.commit is None or place.dirty is False,
        "repository": place.repository,
        "command": entry.command,
        "seeds": entry.seeds,
        "packages": place.packages,
        "data": entry.data,
        "predictions": entry.predictions,
        "cv": entry.cv_score,
        "reruns": len(card.reruns) > 1,
        "public": entry.public_score,
        "seconds": entry.seconds,
        "author": card.author,
        "license": card.license,
    }
    for name, value in known.items():
        if value is None or value is False or value in ((), {}):
            yield name


def check_card(entry: Experiment, folder: Path | None = None) -> list[CardCheck]:
    """Return what can be verified of an experiment on this machine.

    Parameters
    ----------
    entry : Experiment
        As the ledger has it.
    folder : Path, optional
        Where its code and files are; the working folder by default.

    Returns
    -------
    list of CardCheck
        Commit, Python, packages, system, hardware, and every file by its digest.
    """
    place = Path.cwd() if folder is None else folder
    now = read_environment(place)
    found = [*_surroundings(entry.environment, now)]
    for kind, files in (("data", entry.data), ("predictions", entry.predictions)):
        found += [_file(kind, item, place) for item in files]
    return found


def _surroundings(then: Environment, now: Environment) -> Iterator[CardCheck]:
    if then.commit is not None:
        yield _compared("commit", then.commit, now.commit)
        yield _compared("code as committed", _state(then.dirty), _state(now.dirty))
    for name in ("python", "system", "cpu", "gpu"):
        recorded = getattr(then, name)
        if recorded is not None:
            yield _compared(name, recorded, getattr(now, name))
    for name, version in then.packages.items():
        yield _compared(f"package {name}", version, now.packages.get(name))


def _state(dirty: bool | None) -> str:
    return "unknown" if dirty is None else "no" if dirty else "yes"


def _compared(what: str, recorded: str, found: str | None) -> CardCheck:
    status = "absent" if found is None else "same" if found == recorded else "differs"
    return CardCheck(
        what=what,
        status=status,  # type: ignore[arg-type]
        recorded=recorded,
        found=found or "not here",
    )


def _file(kind: str, item: InputFile, place: Path) -> CardCheck:
    """Compare a file, which is looked for by its path and then by its name."""
    name = Path(item.name)
    inside = not name.is_absolute() and ".." not in name.parts
    tried = [place / name] * inside + [place / name.name]
    path = next((path for path in tried if path.is_file()), None)
    found = None
    if path is not None:
        try:
            found = input_files([path])[0].sha256
        except IngestError:
            found = None
    told = _compared(f"{kind} {item.name}", item.sha256, found)
    return replace(told, recorded=told.recorded[:_SHORT], found=told.found[:_SHORT])
