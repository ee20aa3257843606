"""What runs of agents leave behind: folders of RD-Agent and Hydra, journals of AIDE."""

from __future__ import annotations

import csv
import io
import json
import math
import pickletools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import is_number
from lbsense.ingest.tables.raw import RawRow, RawTable, skipped_line
from lbsense.ingest.tables.records import flatten
from lbsense.ingest.tables.source import Document, read_documents
from lbsense.model import RowIssue

_MAX_FILES = 20_000
_MAX_BYTES = 8 * 1024 * 1024  # of one file of a run
_MAX_TEXTS = 200_000  # in one pickle
_JOURNALS = ("journal.json", "results.tsv")
_REPORT = re.compile(r".*grading_report.*\.json", re.IGNORECASE)
_LOOP = re.compile(r"loop[_-]?(\d+)", re.IGNORECASE)
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[_T /](\d{2})-(\d{2})-(\d{2})")
_RESULTS = re.compile(r"(?:metrics?|results?|scores?|summary)\.json", re.IGNORECASE)
_LOGGED = re.compile(
    r"(?<![\w/.-])(?P<name>"
    r"(?:(?:cv|oof|val|valid|validation|holdout|test|public|private) )?+[A-Za-z]"
    r"[\w/.-]{0,60}+)\s*+[:=]\s*+"
    r"(?P<value>[+-]?\d++(?:\.\d*+)?(?:[eE][+-]?\d++)?)"
)
_LOG_TIME = re.compile(r"\[?(\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2})")
_BROKEN = re.compile(r"^(?:Traceback \(most recent|Error executing job)", re.MULTILINE)

_Reader = Callable[[Document], list[RawTable]]


def read_folder(name: str | bytes, read: _Reader) -> Iterator[RawTable]:
    """Yield the tables of a folder that a run left behind; nothing for any other.

    ``read`` reads the tables of one file.

    Raises
    ------
    IngestError
        If it is such a folder and holds no score.
    """
    source = str(name)
    try:
        folder = Path(source).expanduser()
        if "\n" in source or not folder.is_dir():
            return
        children = sorted(folder.iterdir())
    except (OSError, ValueError, RuntimeError):
        return
    loops = {int(m[1]): c for c in children if (m := _LOOP.fullmatch(c.name))}
    jobs = [child for child in children if (child / ".hydra").is_dir()]
    reports = [child for child in children if _REPORT.fullmatch(child.name)]
    journals = [child for child in children if child.name in _JOURNALS]
    if loops or any(child.name == "__session__" for child in children):
        yield _rd_agent(source, loops)
    elif jobs or any(child.name == "multirun.yaml" for child in children):
        yield _hydra(source, jobs)
    else:
        for file in journals[:1] or reports:
            for document in read_documents(file):
                yield from read(document)


# --- RD-Agent ------------------------------------------------------------------------


def _rd_agent(source: str, loops: Mapping[int, Path]) -> RawTable:
    rows: list[RawRow] = []
    issues: list[RowIssue] = []
    columns = ("loop", "time", "decision", "validation", "test", "valid", "parent")
    directions: set[bool] = set()
    parent: str | None = None
    for number, folder in sorted(loops.items()):
        found = _loop(folder)
        lower = found.get("is_lower_better")
        directions |= {not lower} if isinstance(lower, bool) else set()
        name = f"loop {number}"
        scored = "validation" in found or "test" in found
        if not scored:
            issue = RowIssue(
                source=str(folder),
                found="no scores.csv and no mle_score",
                expected="the scores of the loop",
                action="loop kept without a score",
            )
            issues.append(issue)
        status = "failed" if found.get("valid_submission") is False else None
        status = "complete" if status is None and scored else status
        cells = [name, found.get("time"), found.get("decision")]
        cells += [found.get("validation"), found.get("test"), status, parent]
        rows.append(RawRow(number, cells))
        parent = name if found.get("decision") is True else parent
    if not any(row.cells[3] is not None or row.cells[4] is not None for row in rows):
        msg = (
            f"{source}: the log folder of a run of RD-Agent, with "
            f"{plural(len(loops), 'loop')} and no score that can be read. It keeps its "
            "records as pickles, which can run code and are not loaded. Copy "
            "scores.csv of each workspace into its Loop folder, grade the run with "
            "mlebench, or write a table of loop, validation score and test score."
        )
        raise IngestError(msg)
    roles = {
        "experiment_id": "loop",
        "submitted_at": "time",
        "public_score": "validation",
        "private_score": "test",
        "status": "valid",
        "parent_id": "parent",
    }
    return RawTable(
        source=source,
        shape="rd-agent",
        columns=columns,
        rows=rows,
        issues=issues,
        roles=roles,
        greater_is_better=directions.pop() if len(directions) == 1 else None,
    )


def _loop(folder: Path) -> dict[str, Any]:
    """Return what the files of one loop say."""
    found: dict[str, Any] = {}
    for file in _files(folder):
        place = file.relative_to(folder).as_posix().lower()
        stamp = _STAMP.search(file.name)
        if stamp is not None and "time" not in found:
            day, *clock = stamp.groups()
            found["time"] = f"{day} {':'.join(clock)}"
        if "mle_score" in place or "grad" in file.name.lower():
            graded = _grade(_texts(file))
            score = graded.get("score")
            if isinstance(score, (int, float)) and not isinstance(score, bool):
                found["test"] = score
            found |= {
                key: graded[key]
                for key in ("valid_submission", "is_lower_better")
                if isinstance(graded.get(key), bool)
            }
        elif file.name.lower() in ("scores.csv", "score.csv"):
            score = _ensemble(_text(file))
            found |= {} if score is None else {"validation": score}
        elif "feedback" in place and "evolving" not in place:
            decision = _decision(file)
            found |= {} if decision is None else {"decision": decision}
    return found


def _grade(texts: Iterable[str]) -> dict[str, Any]:
    """Return the answer of mlebench that stands in one of the texts."""
    for text in texts:
        start, end = text.find("{"), text.rfind("}")
        if 0 <= start < end and "score" in text:
            try:
                content = json.loads(text[start : end + 1])
            except (ValueError, RecursionError):
                continue
            if isinstance(content, dict) and "score" in content:
                return content
    return {}


def _ensemble(text: str) -> str | None:
    """Return the score of the ensemble, or the only one, in a scores.csv."""
    try:
        rows = [row for row in csv.reader(text.splitlines()) if any(row)]
    except csv.Error:
        return None
    scored = [row for row in rows[1:] if len(row) > 1 and is_number(row[1])]
    named = [row for row in scored if row[0].strip().lower() == "ensemble"]
    chosen = named or (scored if len(scored) == 1 else [])
    return chosen[0][1].strip() if chosen else None


def _decision(file: Path) -> bool | None:
    if file.suffix == ".pkl":
        return _pickled_decision(_bytes(file))
    found = re.search(r"decision\W{1,6}(true|false|yes|no)\b", _text(file), re.I)
    return None if found is None else found.group(1).lower() in ("true", "yes")


def _pickled_decision(raw: bytes) -> bool | None:
    """Return the flag that follows the word "decision" in a pickle, unloaded."""
    named = False
    for code, argument in _opcodes(raw):
        if code in ("NEWTRUE", "NEWFALSE") and named:
            return code == "NEWTRUE"
        if isinstance(argument, str):
            named = argument in ("decision", "acceptable")
    return None


def _texts(file: Path) -> list[str]:
    if file.suffix != ".pkl":
        return [_text(file)]
    return [text for _, text in _opcodes(_bytes(file)) if isinstance(text, str)]


def _opcodes(raw: bytes) -> Iterator[tuple[str, Any]]:
    """Yield what a pickle is made of. Nothing in it is built, so nothing runs."""
    try:
        for count, (code, argument, _) in enumerate(pickletools.genops(raw)):
            if count > _MAX_TEXTS:
                return
            yield code.name, argument
    except Exception:  # damaged: what came before it stands
        return


# --- Hydra ---------------------------------------------------------------------------


def _hydra(source: str, jobs: Sequence[Path]) -> RawTable:
    numbered = sorted(jobs, key=lambda job: (_number_of(job.name), job.name))
    records = [_job(job) for job in numbered]
    scored = [
        name
        for name in dict.fromkeys(name for record in records for name in record)
        if name not in ("job", "time", "overrides", "status")
    ]
    if not scored:
        msg = (
            f"{source}: the folder of a multirun of Hydra, with "
            f"{plural(len(jobs), 'job')} and no score. Expected in each job a "
            "metrics.json, results.json, scores.json or summary.json, or a log with a "
            "line such as 'val_auc: 0.8123'."
        )
        raise IngestError(msg)
    columns = ("job", "time", "overrides", "status", *scored)
    return RawTable(
        source=source,
        shape="hydra",
        columns=columns,
        rows=[
            RawRow(i, [record.get(name) for name in columns])
            for i, record in enumerate(records)
        ],
        issues=[
            RowIssue(
                source=str(job),
                found="no file of results and no score in its log",
                expected="metrics.json, or a line such as 'val_auc: 0.8123'",
                action="job kept without a score",
            )
            for job, record in zip(numbered, records, strict=True)
            if not record.keys() & set(scored)
        ],
        roles={
            "experiment_id": "job",
            "submitted_at": "time",
            "description": "overrides",
            "status": "status",
        },
    )


def _job(job: Path) -> dict[str, Any]:
    record: dict[str, Any] = {"job": f"job {job.name}"}
    overrides = _text(job / ".hydra" / "overrides.yaml")
    settings = re.findall(r"^\s*-\s*(\S.*?)\s*$", overrides, re.MULTILINE)
    if settings:
        record["overrides"] = shorten(", ".join(settings), 300)
    results: dict[str, Any] = {}
    logs = []
    for file in _files(job):
        if ".hydra" in file.relative_to(job).parts:
            continue
        if _RESULTS.fullmatch(file.name):
            results |= _numbers(_text(file))
        elif file.suffix == ".log":
            logs.append(_text(file))
    for log in logs:
        time = _LOG_TIME.search(log)
        if time is not None:
            record.setdefault("time", time.group(1))
        if _BROKEN.search(log):
            record["status"] = "failed"
    if not results:
        for log in logs:
            results |= {
                found["name"]: found["value"] for found in _LOGGED.finditer(log)
            }
    if results:
        record.setdefault("status", "complete")
    return record | {k: v for k, v in results.items() if k not in record}


def _numbers(text: str) -> dict[str, Any]:
    """Return the numbers of a JSON object by their names; of a list, the last one."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    content = content[-1] if isinstance(content, list) and content else content
    flat = flatten(content) if isinstance(content, Mapping) else {}
    return {
        name: value
        for name, value in flat.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _number_of(name: str) -> int:
    found = re.match(r"\d{1,9}", name)
    return int(found.group()) if found else 10**9


# --- files ---------------------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder in the order of their names."""
    found: list[Path] = []
    queue = [folder]
    while queue and len(found) < _MAX_FILES:
        try:
            children = sorted(queue.pop().iterdir())
        except OSError:
            continue
        queue += [c for c in children if c.is_dir() and not c.is_symlink()]
        found += [child for child in children if child.is_file()]
    return sorted(found)


def _bytes(file: Path) -> bytes:
    """Return the content of a file; of one beyond the limit, its end."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(max(0, size - _MAX_BYTES))
            return stream.read(_MAX_BYTES)
    except OSError:
        return b""


def _text(file: Path) -> str:
    return _bytes(file).decode("utf-8", errors="replace")


_TESTED = "test metric"
_COLUMNS = (
    *("node", "time", "stage", "plan", "status", "analysis", "metric", _TESTED),
    "parent",
)
_ROLES = {
    "experiment_id": "node",
    "submitted_at": "time",
    "description": "plan",
    "status": "status",
    "status_detail": "analysis",
    "public_score": "metric",
    "parent_id": "parent",
}
_TESTS = ("test_metric", "test_score", "holdout_metric", "mle_score")
_NOT_SHOWN = 300  # characters of a plan


def read_aide(document: Document) -> RawTable | None:
    """Return the nodes of a journal as rows, or None where the text is none.

    Their lines are the numbers of the nodes. A buggy node has no score; the direction
    is the one that most metrics state.
    """
    text = document.text
    if '"nodes"' not in text or (
        '"node2parent"' not in text and "is_buggy" not in text
    ):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return aide_table(content, document.source)


def aide_table(content: Any, source: str) -> RawTable | None:
    """Return a journal that is read already as a table, or None where it is none."""
    journal = _journal(content)
    if journal is None:
        return None
    nodes = [(i, node) for i, node in enumerate(journal["nodes"], 1)]
    issues: list[RowIssue] = []
    known = [(i, node) for i, node in nodes if isinstance(node, Mapping)]
    issues += [
        skipped_line(source, i, str(node), "a node with its fields")
        for i, node in nodes
        if not isinstance(node, Mapping)
    ]
    names = _names([node for _, node in known])
    parents = journal.get("node2parent")
    parents = parents if isinstance(parents, Mapping) else {}
    directions: Counter[bool] = Counter()
    rows = []
    for i, node in known:
        value, maximize = _metric(node.get("metric", node.get("metric_value")))
        if maximize is not None:
            directions[maximize] += 1
        said = value is not None or node.get("metric") in (None, {})
        if not said and not isinstance(node.get("metric"), Mapping):
            issues.append(_no_number(source, i, node.get("metric")))
        rows.append(RawRow(i, _row(node, value, names, parents)))
    if not rows:
        return None
    kept = [
        at
        for at, name in enumerate(_COLUMNS)
        if name in _ROLES.values() or any(row.cells[at] is not None for row in rows)
    ]
    columns = tuple(_COLUMNS[at] for at in kept)
    tested = {"private_score": _TESTED} if _TESTED in columns else {}
    return RawTable(
        source=source,
        shape="aide",
        columns=columns,
        rows=[RawRow(row.line, [row.cells[at] for at in kept]) for row in rows],
        issues=issues,
        roles=_ROLES | tested,
        greater_is_better=_direction(directions),
    )


def _journal(content: Any, depth: int = 0) -> Mapping[str, Any] | None:
    """Return the journal, which some programs wrap."""
    if not isinstance(content, Mapping):
        return None
    nodes = content.get("nodes")
    if isinstance(nodes, list):
        some = [node for node in nodes[:50] if isinstance(node, Mapping)]
        told = any("metric" in node or "is_buggy" in node for node in some)
        return content if told else None
    for value in content.values() if depth < 3 else ():
        found = _journal(value, depth + 1)
        if found is not None:
            return found
    return None


def _names(nodes: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return what to call each node: by its step, or by the head of its identifier."""
    identifiers = [_identifier(node) for node in nodes]
    steps = [node.get("step") for node in nodes]
    if all(isinstance(step, int) for step in steps) and len(set(steps)) == len(steps):
        shown = [f"node {step}" for step in steps]
    else:
        shown = [identifier[:8] for identifier in identifiers]
    if len(set(shown)) < len(shown):
        shown = identifiers
    return dict(zip(identifiers, shown, strict=True))


def _identifier(node: Mapping[str, Any]) -> str:
    return str(node.get("id", node.get("solution_id", node.get("step"))))


def _row(
    node: Mapping[str, Any],
    value: float | None,
    names: Mapping[str, str],
    parents: Mapping[str, Any],
) -> list[object]:
    buggy = node.get("is_buggy") is True
    identifier = _identifier(node)
    parent = parents.get(identifier, node.get("parent_id", node.get("parent")))
    if isinstance(parent, Mapping):
        parent = parent.get("id")
    test = next((node[key] for key in _TESTS if key in node), None)
    tested, _ = _metric(test)
    status = "buggy" if buggy else ("complete" if value is not None else None)
    return [
        names.get(identifier, identifier),
        _time(node.get("ctime", node.get("created_time"))),
        node.get("stage") if isinstance(node.get("stage"), str) else None,
        _first_words(node.get("plan")),
        status,
        _first_words(node.get("analysis")),
        None if buggy else value,
        None if buggy else tested,
        None if parent is None else names.get(str(parent), str(parent)),
    ]


def _metric(metric: Any) -> tuple[float | None, bool | None]:
    """Return value and direction of a metric, which may be a bare number."""
    maximize = None
    if isinstance(metric, Mapping):
        stated = metric.get("maximize")
        maximize = stated if isinstance(stated, bool) else None
        metric = metric.get("value")
    if isinstance(metric, str):
        try:
            metric = float(metric)
        except ValueError:
            return None, maximize
    if isinstance(metric, bool) or not isinstance(metric, (int, float)):
        return None, maximize
    try:
        return (float(metric), maximize) if math.isfinite(metric) else (None, maximize)
    except OverflowError:
        return None, maximize


def _direction(directions: Counter[bool]) -> bool | None:
    ordered = directions.most_common(2)
    if not ordered or (len(ordered) == 2 and ordered[0][1] == ordered[1][1]):
        return None
    return ordered[0][0]


def _time(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _first_words(text: Any) -> str | None:
    if not isinstance(text, str) or not text.strip():
        return None
    return shorten(" ".join(text.split()), _NOT_SHOWN)


def _no_number(source: str, line: int, metric: Any) -> RowIssue:
    return RowIssue(
        source=source,
        line=line,
        column="metric",
        found=shorten(str(metric), 80),
        expected="a number, or {value, maximize}",
        action="cell taken as missing",
    )
