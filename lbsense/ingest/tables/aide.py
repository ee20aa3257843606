"""The journal of AIDE and its relatives: a tree of solutions, parents declared."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lbsense._format import shorten
from lbsense.ingest.tables.raw import RawRow, RawTable, skipped_line
from lbsense.ingest.tables.source import Document
from lbsense.model import RowIssue

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
