"""From anything that holds submissions to a `History`: the steps in their order."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lbsense._format import shorten
from lbsense._typing import Platform
from lbsense.errors import IngestError
from lbsense.ingest.history.build import (
    build_submissions,
    in_time_order,
    without_overlap,
)
from lbsense.ingest.history.recognise import Kind, has_score, recognise_table
from lbsense.ingest.history.rows import ReadTable, read_rows
from lbsense.ingest.history.teams import choose_team
from lbsense.ingest.history.warnings import Seen, warnings_of
from lbsense.ingest.log.join import join_log
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.names import known_fields
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import ColumnNames, check_overrides
from lbsense.metrics import Metric, find_metric
from lbsense.model import Competition, History, RowIssue

__all__ = ["Layout", "describe_competition", "read_history"]

_MAX_SUBMISSIONS = 100_000
_PLATFORMS: dict[Kind, Platform] = {
    "kaggle": "kaggle",
    "host": "kaggle",
    "meta kaggle": "kaggle",
    "zindi": "zindi",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the user says that the input is to be read.

    Attributes
    ----------
    columns : mapping or None
        Field to the user's column.
    team : str or None
        The team to read.
    cv_pattern : str or None
        Regular expression for CV scores in text.
    hand_made : bool
        Whether it is no export of a platform, whatever it looks like.
    """

    columns: ColumnNames | None = None
    team: str | None = None
    cv_pattern: str | None = None
    hand_made: bool = False

    def pattern(self) -> str | None:
        """Return the expression, checked, in the form that `parse_cv` takes.

        Raises
        ------
        ValueError
            If it is no regular expression.
        """
        if self.cv_pattern is None:
            return None
        try:
            re.compile(self.cv_pattern)
        except re.error as error:
            msg = (
                f"cv_pattern must be a regular expression such as 'cv([0-9.]+)', got "
                f"{self.cv_pattern!r}: {error}."
            )
            raise ValueError(msg) from error
        return self.cv_pattern.replace("(?P<cv>", "(?P<value>")


def read_history(
    data: Any,
    *,
    competition: Competition,
    metric: Metric | None,
    layout: Layout,
    nested_stated: bool,
    cv_log: Any = None,
    now: datetime | None = None,
) -> History:
    """Return the history in ``data``, with every warning about it.

    Parameters
    ----------
    data : path, list of paths, file-like, DataFrame, list of dicts or of API objects
        The submissions.
    competition : Competition
        What the user says about it; the platform and the digits are filled in.
    metric : Metric or None
        Registered metric.
    layout : Layout
        How the input is to be read.
    nested_stated : bool
        Whether the user said if private rows cover public ones.
    cv_log : path, DataFrame or list of dicts, optional
        Experiment log to take CV scores from.
    now : datetime, optional
        The present; the clock by default.
    """
    pattern = layout.pattern()
    raw = read_tables(data)
    check_overrides(layout.columns, raw)
    chosen, issues = _histories_among(raw, layout.columns)
    kinds: list[Kind] = ["table" if layout.hand_made else kind for _, kind in chosen]
    teams = choose_team([table for table, _ in chosen], layout.team, layout.columns)
    _check_size(teams)
    tables = [
        read_rows(table, kind, layout.columns)
        for table, kind in zip(teams, kinds, strict=True)
    ]
    for table in tables:
        issues += table.issues
    drafts, overlap = without_overlap(tables)
    if not drafts:
        raise IngestError(_empty_message(raw[0], issues), issues=issues)
    drafts = in_time_order(drafts, tables)
    submissions, unknown_parents = build_submissions(drafts, cv_pattern=pattern)
    history = History(
        competition=_with_platform(competition, tables),
        submissions=tuple(submissions),
        dropped=(*issues, *overlap, *unknown_parents),
    )
    if cv_log is not None:
        history = join_log(history, cv_log)
    seen = Seen(
        history=history,
        tables=tables,
        drafts=drafts,
        metric=metric,
        nested_stated=nested_stated,
        now=now or datetime.now(UTC),
    )
    warnings = sorted((*warnings_of(seen), *history.warnings), key=lambda w: w.code)
    return dataclasses.replace(history, warnings=tuple(warnings))


def describe_competition(
    *,
    platform: Platform | None,
    metric: str | None,
    greater_is_better: bool | None,
    cv_greater_is_better: bool | None,
    train_size: int | None,
    test_size: int | None,
    public_fraction: float | None,
    nested: bool | None,
    slug: str | None,
    deadline: datetime | str | None,
) -> tuple[Competition, Metric | None]:
    """Return the competition as the user describes it, and its registered metric.

    Raises
    ------
    ValueError
        If the metric is not registered and no direction is given, or the deadline is
        no time.
    """
    found: Metric | None = None
    if metric is not None:
        try:
            found = find_metric(metric)
        except ValueError:
            if greater_is_better is None:
                raise
    if found is not None and greater_is_better is None:
        greater_is_better = found.greater_is_better
    competition = Competition(
        slug=slug,
        platform=platform,
        metric=metric if found is None else found.name,
        greater_is_better=greater_is_better,
        cv_greater_is_better=cv_greater_is_better,
        train_size=train_size,
        test_size=test_size,
        public_fraction=public_fraction,
        nested=bool(nested),
        deadline=_deadline(deadline),
    )
    return competition, found


def _deadline(deadline: datetime | str | None) -> datetime | None:
    value = read_dates([deadline]).values[0]
    if value is None and deadline is not None:
        msg = f"deadline must be a time such as 2026-07-28 23:59, got {deadline!r}."
        raise ValueError(msg)
    return value


def _histories_among(
    tables: Sequence[RawTable], columns: ColumnNames | None
) -> tuple[list[tuple[RawTable, Kind]], list[RowIssue]]:
    """Return the tables that are submission histories, and what is said of others."""
    named = bool({"public_score", "private_score", "score"} & set(columns or {}))
    chosen: list[tuple[RawTable, Kind]] = []
    issues: list[RowIssue] = []
    refusals: list[IngestError] = []
    for table in tables:
        try:
            kind = recognise_table(table, named=named)
            if named or has_score(table):
                chosen.append((table, kind))
                continue
            refusals.append(IngestError(_no_score_message(table)))
        except IngestError as error:
            refusals.append(error)
        issues.append(_other_table(table))
    if not chosen:
        raise refusals[0]
    return chosen, issues


def _check_size(tables: Sequence[RawTable]) -> None:
    n_rows = sum(len(table.rows) for table in tables)
    if n_rows > _MAX_SUBMISSIONS:
        msg = (
            f"{tables[0].source}: {n_rows:,} rows, but a history is that of one "
            f"entrant and has at most {_MAX_SUBMISSIONS:,}. Cut out the rows of one "
            "team in one competition."
        )
        raise IngestError(msg)


def _other_table(table: RawTable) -> RowIssue:
    return RowIssue(
        source=table.source,
        line=table.rows[0].line if table.rows else None,
        found=f"a table of {shorten(', '.join(table.columns), 80)}",
        expected="a column of public scores",
        action="table left out",
    )


def _no_score_message(table: RawTable) -> str:
    shown = ", ".join(shorten(name, 40) for name in table.columns[:20])
    if known_fields(table.columns) <= {"submission_id"}:
        hint = (
            " If it is a file of predictions that you sent in: what is read here is "
            "the list of your submissions with their scores; see `lbsense formats`."
        )
    else:
        hint = ""
    return (
        f"{table.source}: no column for the public score. Found: {shown}. Name it with "
        f"columns={{'public_score': '<your column>'}} (--columns public_score=NAME)."
        f"{hint}"
    )


def _empty_message(table: RawTable, issues: Sequence[RowIssue]) -> str:
    shown = "".join(f"\n  {issue}" for issue in issues[:5])
    return f"{table.source}: not one row is a submission.{shown}"


def _with_platform(
    competition: Competition, tables: Sequence[ReadTable]
) -> Competition:
    platforms = {_PLATFORMS.get(table.kind) for table in tables} - {None}
    platform = competition.platform
    if platform is None and len(platforms) == 1:
        platform = platforms.pop()
    decimals = [table.decimals for table in tables if table.decimals is not None]
    return dataclasses.replace(
        competition, platform=platform, display_decimals=max(decimals, default=None)
    )
