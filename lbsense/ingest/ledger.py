"""A ledger: one JSON line an iteration, or the runs of a tracker; what they ran on."""

from __future__ import annotations

import functools
import json
import math
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from lbsense._format import plural, shorten, without_secrets
from lbsense._validation import check_kind
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import name_key
from lbsense.ingest.log import RunNames, match_runs, read_runs
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.read import read_tables
from lbsense.model import (
    DataWarning,
    Environment,
    Expectation,
    Experiment,
    History,
    InputFile,
    Ledger,
    RowIssue,
    Submission,
    file_kind,
    names_of_file,
)

#: Version of the lines of a ledger.
LEDGER_SCHEMA = 1
_CV = ("cv_score", "cv_std", "cv_fold_scores", "cv_scheme", "cv_metric")
_LATER = (*_CV, "public_score", "private_score", "submission_id", "note", "seconds")
_LONGEST = 20_000  # characters of one text


def read_ledger(data: Any, *, missing_ok: bool = False) -> Ledger:
    r"""Return what was tried, from a ledger or from the runs of a tracker.

    Parameters
    ----------
    data : path, text, DataFrame or list of dicts
        A ledger as `lbsense log` and `lbsense.experiment` write it; or a table with one
        row for each run: MLflow, Weights & Biases, Neptune, a sheet of your own. Of
        such a table the notes are the reasons.
    missing_ok : bool
        Whether a file that is not there is a ledger without a line.

    Returns
    -------
    Ledger
        In the order written. Lines that are damaged or of a newer version are in
        ``issues`` with their number; the rest is kept, and the file is as it was.

    Raises
    ------
    IngestError
        If there is no experiment in it.

    Examples
    --------
    >>> line = '{"schema": 1, "kind": "experiment", "experiment_id": "a", "name": "e1"'
    >>> ledger = read_ledger(line + ', "hypothesis": "lags help"}\n{"schema": 1, "ki')
    >>> ledger.experiments[0].hypothesis
    'lags help'
    >>> print(ledger.issues[0])
    <text>:2: '{"schema": 1, "ki', expected one whole line of JSON; line left out.
    """
    if isinstance(data, Ledger):
        return data
    found = _lines(data, missing_ok=missing_ok)
    if found is None:
        return _of_runs(read_tables(data))
    source, lines = found
    entries: dict[str, Experiment] = {}
    issues: list[RowIssue] = []
    for number, line in lines:
        try:
            _take(entries, _record(line), number)
        except _LineError as error:
            text = without_secrets(line[:4000].decode("utf-8", "replace"))
            issues.append(_issue(source, number, shorten(text, 60), *error.told))
    if issues and not entries:
        told = "".join(f"\n  {issue}" for issue in issues[:5])
        msg = f"{source}: not one line is an experiment that can be read.{told}"
        raise IngestError(msg, issues=issues)
    return Ledger(experiments=(*entries.values(),), issues=(*issues,), source=source)


def is_ledger(path: Path) -> bool:
    """Say whether lines may be added to a file: a ledger, or nothing yet."""
    if not path.exists():
        return True
    found = None if path.is_dir() else _lines(path, missing_ok=True)
    return found is not None


class _LineError(Exception):
    """What was expected of a line, and what became of it."""

    def __init__(self, expected: str, action: str = "line left out") -> None:
        super().__init__(expected)
        self.told = expected, action


def _lines(
    data: Any, *, missing_ok: bool
) -> tuple[str, list[tuple[int, bytes]]] | None:
    """Return the name and the numbered lines of a ledger; None for anything else."""
    source, raw = "<text>", b""
    if isinstance(data, str) and ("\n" in data or data.lstrip().startswith("{")):
        raw = data.encode("utf-8", "replace")
    elif isinstance(data, (str, os.PathLike)):
        path = Path(data)
        source = os.fspath(path)
        if path.is_dir():
            return None
        try:
            if path.exists() and not (path.is_file() or path.is_fifo()):
                msg = f"{source}: no file, but a device. Name the file of the ledger."
                raise IngestError(msg)
            raw = path.read_bytes()
        except FileNotFoundError:
            if missing_ok:
                return source, []
            msg = f"{source}: there is no such ledger. `lbsense log` begins one."
            raise IngestError(msg) from None
        except OSError as error:
            msg = f"{source}: the ledger cannot be read ({error.strerror})."
            raise IngestError(msg) from error
        if not raw.strip():
            return source, []
    lines = [
        (number, line.strip(b" \t\r\0"))
        for number, line in enumerate(raw.split(b"\n"), start=1)
    ]
    lines = [(number, line) for number, line in lines if line]
    told = any(b'"schema"' in line and b'"kind"' in line for _, line in lines[:50])
    return (source, lines) if told else None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _LineError("one whole line of JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int):
        raise _LineError('an object with "schema" and "kind"')
    if record["schema"] > LEDGER_SCHEMA:
        raise _LineError(
            f"schema {LEDGER_SCHEMA}, not {record['schema']} of a newer lbsense",
            "line left out; update lbsense to read it",
        )
    return record


def _take(entries: dict[str, Experiment], record: dict[str, Any], line: int) -> None:
    """Add the experiment of a record, or what it says later of one."""
    kind = record.pop("kind", None)
    key = record.get("experiment_id")
    if kind not in ("experiment", "scores") or not isinstance(key, str) or not key:
        raise _LineError('the kind "experiment" or "scores", and an experiment_id')
    fields = {}
    for name, value in record.items():
        if name in _READERS and value is not None:
            try:
                fields[name] = _READERS[name](value)
            except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
                raise _LineError(f"another value of {name}") from None
    if kind == "scores":
        if key not in entries:
            raise _LineError("the scores of an experiment on a line before")
        later = {name: fields[name] for name in _LATER if name in fields}
        entries[key] = replace(entries[key], **later)
    elif key in entries:
        raise _LineError("an experiment_id that no line before has")
    else:
        fields.setdefault("name", key)
        entries[key] = Experiment(**fields, source_line=line)


def _text(value: Any) -> str | None:
    check_kind(value, str, name="text")
    return without_secrets(value[:_LONGEST]) or None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(number := float(value)):
        raise ValueError
    return number


def _time(value: Any) -> datetime:
    found = read_dates([value]).values[0]
    if found is None:
        raise ValueError
    return found


def _files(value: Any) -> tuple[InputFile, ...]:
    return tuple(
        InputFile(
            name=str(item["name"])[:_LONGEST],
            sha256=str(item["sha256"])[:128],
            n_bytes=int(item["n_bytes"]),
        )
        for item in value
    )


def _expected(value: Any) -> Expectation:
    return Expectation(
        **{name: _number(item) for name, item in value.items() if item is not None}
    )


def _environment(value: Any) -> Environment:
    known = Environment.__dataclass_fields__
    fields = {
        name: _text(item) if isinstance(item, str) else item
        for name, item in value.items()
        if name in known and isinstance(item, str | bool | int)
    }
    packages = value.get("packages") or {}
    found: Any = {str(name): str(item) for name, item in packages.items()}
    return Environment(**{**fields, "packages": found})


def _status(value: Any) -> Any:
    if value not in ("done", "failed"):
        raise ValueError
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "experiment_id": _text,
    "name": _text,
    "started_at": _time,
    "seconds": _number,
    "status": _status,
    "error": _text,
    "hypothesis": _text,
    "parent": _text,
    "expected": _expected,
    "cv_score": _number,
    "cv_std": _number,
    "cv_fold_scores": lambda value: tuple(map(_number, value)),
    "cv_scheme": _text,
    "cv_metric": _text,
    "public_score": _number,
    "private_score": _number,
    "submission_id": lambda value: _text(str(value)),
    "seeds": lambda value: tuple(map(int, value)),
    "command": _text,
    "environment": _environment,
    "data": _files,
    "predictions": _files,
    "note": _text,
}


# --- the runs of a tracker -------------------------------------------------------


_RUN_COLUMNS = {
    "hypothesis": """hypothesis why reason rationale motivation mlflownotecontent
        notes description""",
    "gain": "expected expectedgain expectedeffect",
    "parent": "parent parentid basedon mlflowparentrunid parentrun parentrunid",
    "commit": "mlflowsourcegitcommit gitcommit commit gitsha sourceversion",
    "seed": "seed paramsseed configseed randomstate paramsrandomstate randomseed",
    "started_at": "starttime started startedat created createdat",
    "ended_at": "endtime ended endedat",
    "seconds": "runtime duration durations seconds",
    "status": "status state",
    "command": "command mlflowsourcename",
}


def _of_runs(tables: Sequence[RawTable]) -> Ledger:
    """Return the runs of a table with one row for each, as far as it tells them."""
    found: dict[str, Experiment] = {}
    issues: list[RowIssue] = []
    for table in tables:
        runs, left_out = read_runs(table, {}, metric=None)
        issues += [*table.issues, *left_out]
        cells = {row.line: _told(table, row.cells) for row in table.rows}
        for run in runs:
            told = cells[run.line]
            key = max(run.named.experiments, key=len, default=run.name)
            experiment = Experiment(
                experiment_id=key,
                name=run.name,
                cv_score=run.cv_score,
                cv_std=run.cv_std,
                cv_fold_scores=run.cv_fold_scores,
                cv_scheme=run.cv_scheme,
                cv_metric=run.cv_metric,
                submission_id=next(iter(run.named.references), None)
                if set(run.named.references) - set(run.named.experiments)
                else None,
                source_line=run.line,
                **told,
            )
            found.setdefault(key, experiment)
    source = tables[0].source if tables else "runs"
    return Ledger(experiments=(*found.values(),), issues=(*issues,), source=source)


def _told(table: RawTable, cells: Sequence[object]) -> dict[str, Any]:
    """Return what a row says of its run beside scores and names."""
    keys = [name_key(name) for name in table.columns]
    texts: dict[str, str] = {}
    for field, names in _RUN_COLUMNS.items():
        for name in names.split():
            value = cells[keys.index(name)] if name in keys else None
            text = "" if value is None else str(value).strip()
            if text and text.casefold() not in ("nan", "none", "nat"):
                texts[field] = without_secrets(text[:_LONGEST])
                break
    told: dict[str, Any] = {
        name: texts[name]
        for name in ("hypothesis", "parent", "command")
        if name in texts
    }
    started, ended = (
        read_dates([texts.get(name)]).values[0] for name in ("started_at", "ended_at")
    )
    told["started_at"] = started
    numbers: dict[str, float] = {}
    for name in ("seconds", "gain", "seed"):
        with suppress(KeyError, ValueError):
            numbers[name] = _number(texts[name])
    if "seconds" in numbers:
        told["seconds"] = numbers["seconds"]
    if "gain" in numbers:
        told["expected"] = Expectation(gain=numbers["gain"])
    if "seed" in numbers:
        told["seeds"] = (int(numbers["seed"]),)
    if started is not None and ended is not None:
        told.setdefault("seconds", (ended - started).total_seconds())
    if texts.get("status", "").casefold() in ("failed", "crashed", "killed"):
        told["status"] = "failed"
    if "commit" in texts:
        told["environment"] = Environment(commit=texts["commit"])
    return told


# --- which submission was made of an experiment -----------------------------------


def join_ledger(history: History, ledger: Any) -> History:
    """Return the history with what a ledger knows of its submissions.

    Parameters
    ----------
    history : History
        The submissions; it is not changed.
    ledger : Ledger or what `read_ledger` takes
        What was tried.

    Returns
    -------
    History
        With ``ledger``, in which every experiment has the submission that was made of
        it; with its parents, CV scores and folds, and scores that the export lacks.

    Notes
    -----
    A submission is that of an experiment by the digest of its file, by its reference,
    by the name of the experiment where a description or a file name has it as a word,
    and by the name of the file. A name that several have says nothing; of entries with
    one name the last counts that came to its end.

    The ledger is believed before prose: its parent replaces the one of a description.
    A parent that was never submitted stands for the one that it was made from itself.
    """
    check_kind(history, History, name="history")
    ledger = read_ledger(ledger)
    latest = {item.name.casefold(): item for item in ledger if item.status == "done"}
    for item in ledger:
        latest.setdefault(item.name.casefold(), item)
    candidates = [item for item in ledger if latest[item.name.casefold()] is item]
    matches = _by_digest(history.submissions, candidates)
    taken = {item.experiment_id for item in matches.values()}
    rest = [item for item in candidates if item.experiment_id not in taken]
    open_places = [i for i in range(len(history)) if i not in matches]
    by_name, _ = match_runs([history[i] for i in open_places], [*map(_names, rest)])
    matches |= {open_places[i]: rest[run] for i, run in by_name.items()}
    of_experiment = {
        item.experiment_id: history[place].submission_id
        for place, item in matches.items()
    }
    known = tuple(
        replace(item, submission_id=of_experiment.get(item.experiment_id))
        for item in ledger
    )
    joined = replace(ledger, experiments=known)
    issues = list(ledger.issues)
    places = {item.submission_id: place for place, item in enumerate(history)}
    submissions = list(history.submissions)
    experiments, sent = joined.by_name(), _by_name(history)
    for place, item in matches.items():
        found, told = _with_experiment(submissions[place], item, ledger.source)
        issues += told
        parent = _parent(experiments, sent, item)
        if parent is not None and places[parent] < place:
            found = replace(found, parent_id=parent)
        elif parent is None and item.parent and _key(item.parent) not in experiments:
            issue = _issue(
                ledger.source,
                item.source_line,
                f"{item.name}, parent {item.parent}",
                "the name of an experiment of the ledger or of one submission",
                "parent taken as unknown",
            )
            issues.append(issue)
        submissions[place] = found
    return replace(
        history,
        submissions=tuple(submissions),
        ledger=joined,
        dropped=(*history.dropped, *issues),
        warnings=(*history.warnings, *_warnings(joined, len(matches))),
    )


def _by_digest(
    submissions: Sequence[Submission], experiments: Sequence[Experiment]
) -> dict[int, Experiment]:
    """Return the experiment whose file has the digest of a submission, if one has."""
    owners: dict[str, list[Experiment]] = {}
    for item in experiments:
        for digest in {file.sha256.casefold() for file in item.predictions}:
            owners.setdefault(digest, []).append(item)
    found: dict[int, Experiment] = {}
    taken: set[str] = set()
    for place, submission in enumerate(submissions):
        own = owners.get((submission.content_hash or "").casefold(), [])
        if len(own) == 1 and own[0].experiment_id not in taken:
            found[place] = own[0]
            taken.add(own[0].experiment_id)
    return found


def _names(item: Experiment) -> RunNames:
    files = [file.name for file in item.predictions if file_kind(file.name) != "oof"]
    return RunNames(
        references=() if item.submission_id is None else (item.submission_id,),
        experiments=tuple(dict.fromkeys((item.name, item.experiment_id))),
        files=tuple(files),
    )


def _with_experiment(
    item: Submission, entry: Experiment, source: str
) -> tuple[Submission, list[RowIssue]]:
    """Return a submission with what its experiment knows, and what they disagree on."""
    changes: dict[str, Any] = {}
    issues: list[RowIssue] = []
    told = {name: getattr(entry, name) for name in _CV}
    agree = item.cv_score is not None and entry.cv_score is not None
    agree = agree and math.isclose(
        item.cv_score or 0, entry.cv_score or 0, rel_tol=1e-4
    )
    if entry.cv_score is not None and (item.cv_source != "column" or agree):
        changes |= told if not agree else {k: v for k, v in told.items() if v}
        changes |= {"cv_source": "log", "cv_text": None} if not agree else {}
    elif entry.cv_score is not None:
        found = f"{entry.name}, CV {entry.cv_score:g}"
        expected = f"{item.cv_score:g} as in the history's own column"
        action = "the column's score kept"
        issues.append(_issue(source, entry.source_line, found, expected, action))
    for name in ("public_score", "private_score"):
        if getattr(item, name) is None and getattr(entry, name) is not None:
            changes |= {name: getattr(entry, name), "status": "complete"}
    if item.content_hash is None:
        own = set(names_of_file(item.file_name or ""))
        files = [f for f in entry.predictions if file_kind(f.name) != "oof"]
        named = {f.sha256 for f in files if own & {*names_of_file(f.name)}}
        digests = named or {f.sha256 for f in files}
        changes |= {"content_hash": digests.pop()} if len(digests) == 1 else {}
    said = f"{item.description or ''} {item.file_name or ''}".casefold()
    if item.title is None and entry.name.casefold() not in said:
        changes["title"] = entry.name
    return replace(item, **changes), issues


def _parent(
    experiments: Mapping[str, Sequence[Experiment]],
    submissions: Mapping[str, Sequence[str]],
    item: Experiment,
) -> str | None:
    """Return the nearest submission among the ancestors of an experiment."""
    seen: set[str] = set()
    while item.parent is not None and item.experiment_id not in seen:
        seen.add(item.experiment_id)
        wanted = _key(item.parent)
        found = [entry for entry in experiments.get(wanted, ()) if entry is not item]
        sent = [entry for entry in found if entry.submission_id is not None]
        if sent:
            return sent[-1].submission_id
        named = submissions.get(wanted, ())
        if len(named) == 1:
            return named[0]
        if not found:
            return None
        item = found[-1]
    return None


def _by_name(history: History) -> dict[str, list[str]]:
    """Return the submissions that go by a reference or by the name of a file."""
    found: dict[str, list[str]] = {}
    for item in history:
        names = (item.submission_id, *names_of_file(item.file_name or ""))
        for name in {name.casefold() for name in names}:
            found.setdefault(name, []).append(item.submission_id)
    return found


def _key(name: str) -> str:
    return name.strip().casefold()


def _issue(
    source: str, line: int | None, found: str, expected: str, action: str
) -> RowIssue:
    return RowIssue(
        source=source,
        line=line,
        found=shorten(found, 80),
        expected=expected,
        action=action,
    )


def _warnings(ledger: Ledger, n_joined: int) -> Iterator[DataWarning]:
    told = []
    if ledger.issues:
        count = plural(len(ledger.issues), "line")
        lines = ", ".join(str(issue.line) for issue in ledger.issues[:5])
        told.append(f"{count} of the ledger cannot be read (line {lines})")
    if len(ledger) and not n_joined:
        told.append(
            "not one experiment of the ledger is joined to a submission: write the "
            "name of the experiment into the description of the submission, or its "
            "reference into the ledger (`lbsense log --name NAME --ref REF`)"
        )
    if told:
        yield DataWarning(code="LBS125", message="; ".join(told) + ".")


# --- what a run runs on ---------------------------------------------------------------

_PATIENCE = 10  # seconds for a program to answer


def read_environment(
    folder: Path | None = None, *, besides: Path | None = None
) -> Environment:
    """Return what this process runs on, as far as the machine tells it.

    Parameters
    ----------
    folder : Path, optional
        Folder of the code, whose commit is told; the working folder by default.
    besides : Path, optional
        A file whose changes do not make the code another one: the ledger itself.

    Returns
    -------
    Environment
        Nothing of it is a secret: variables of the environment are not read, and an
        address of a repository is kept without the name and the password in it.
    """
    commit, dirty, repository = _code(folder or Path.cwd(), besides)
    return Environment(
        python=platform.python_version(),
        packages=dict(_packages()),
        system=platform.platform(),
        cpu=_processor(),
        n_cpus=_n_cpus(),
        gpu=_graphics(),
        commit=commit,
        dirty=dirty,
        repository=repository,
    )


@functools.lru_cache(maxsize=1)
def _packages() -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for item in metadata.distributions():
        with suppress(Exception):  # a folder that is half removed has no name
            name, version = item.metadata["Name"], item.version
            if name and version:
                found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return tuple(sorted(found.items()))


def _n_cpus() -> int | None:
    with suppress(AttributeError, OSError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


@functools.lru_cache(maxsize=1)
def _processor() -> str | None:
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^model name\s*:[ \t]*(\S.*)$", text, re.MULTILINE)
        if found is not None:
            return found[1].strip()
    told = _answer("sysctl", "-n", "machdep.cpu.brand_string")
    return told or platform.processor() or platform.machine() or None


@functools.lru_cache(maxsize=1)
def _graphics() -> str | None:
    query = "--query-gpu=name,memory.total,driver_version"
    told = _answer("nvidia-smi", query, "--format=csv,noheader")
    return None if told is None else "; ".join(told.splitlines())


def _code(
    folder: Path, besides: Path | None
) -> tuple[str | None, bool | None, str | None]:
    """Return commit, whether files under it differ, and the address of its origin."""
    git = ("git", "-C", os.fspath(folder))
    commit = _answer(*git, "rev-parse", "HEAD")
    if commit is None:
        return None, None, None
    left_out = []
    if besides is not None:
        left_out = [":/", f":(exclude,literal){besides.resolve()}"]
    plain = ("status", "--porcelain", "--untracked-files=no")
    changes = _answer(*git, *plain, "--", *left_out)
    if changes is None:  # the ledger lies outside of the repository
        changes = _answer(*git, *plain)
    origin = _answer(*git, "config", "--get", "remote.origin.url")
    address = None if not origin else without_secrets(origin)
    return commit, None if changes is None else bool(changes), address


def _answer(*command: str) -> str | None:
    """Return what a program prints; None where there is none, or it fails."""
    if shutil.which(command[0]) is None:
        return None
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None
