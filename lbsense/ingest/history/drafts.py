"""One raw table to drafts of submissions: every cell read, nothing decided yet."""

from __future__ import annotations

import re
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from lbsense._format import shorten
from lbsense._typing import Status
from lbsense.ingest.cv.heading import cv_heading, field_of, metric_of_heading, name_key
from lbsense.ingest.cv.words import heading_words
from lbsense.ingest.platforms import Export
from lbsense.ingest.tables.dates import DateColumn, are_clocks, are_times
from lbsense.ingest.tables.raw import (
    RawTable,
    ScoreCell,
    is_missing,
    number_in,
    read_flag,
    read_status,
    read_text,
)
from lbsense.ingest.tables.sheet import ColumnNames, Sheet, assign_columns
from lbsense.model import Competition, RowIssue, UnusedColumn

_SAMPLE = 200  # cells, far apart, that tell what a column is
_ALIKE = (0.5, 2.0)  # ratio of medians within which numbers may be the same score


def _unused_columns(
    table: RawTable, used: Collection[int], public: Sequence[float | None]
) -> tuple[UnusedColumn, ...]:
    """Return the columns beside the used ones, each with what it might be.

    Another score is known by the public scores beside it.
    """
    known = [abs(score) for score in public if score]
    typical = statistics.median(known) if known else None
    found = []
    for at, name in enumerate(table.columns):
        if at in used:
            continue
        cells = [row.cells[at] for row in table.rows]
        sample = cells[:: max(1, len(cells) // _SAMPLE)]
        filled = _filled(sample) or _filled(cells)
        if not name.strip() and not filled:
            continue
        twin = _twin(table, at, used) if filled else None
        guess = f"the same as {twin!r}" if twin else _guess(name, filled, typical)
        found.append(UnusedColumn(name=name or f"column {at + 1}", guess=guess))
    return tuple(found)


def _filled(cells: Sequence[object]) -> list[object]:
    return [cell for cell in cells if not is_missing(cell)]


def _twin(table: RawTable, at: int, used: Collection[int]) -> str | None:
    """Return the name of a used column that says the same in every row."""
    for other in sorted(used):
        if all(
            read_text(row.cells[at]) == read_text(row.cells[other])
            for row in table.rows
        ):
            return shorten(table.columns[other], 40)
    return None


def _guess(name: str, filled: Sequence[object], typical: float | None) -> str:
    if not filled:
        return "empty"
    if are_times(filled):
        return "times"
    if are_clocks(filled):
        return "times of the day, or durations"
    values = [value for cell in filled if (value := number_in(cell)) is not None]
    if len(values) < max(1, 0.8 * len(filled)):
        return _words(name, [str(cell) for cell in filled])
    validation = cv_heading(name)
    if validation is not None:
        metric = f" of {validation.metric}" if validation.metric else ""
        return f"numbers, perhaps a CV score{metric}"
    field = field_of(name)
    if field is not None and field[0] in ("public_score", "private_score", "score"):
        return "numbers, perhaps another score of the leaderboard"
    if all(isinstance(cell, str) and cell.strip().endswith("%") for cell in filled):
        return "percentages"
    size = statistics.median(abs(value) for value in values)
    whole = all(value.is_integer() for value in values)
    if typical and not whole and _ALIKE[0] <= size / typical <= _ALIKE[1]:
        return "numbers like the public score, perhaps a score"
    return "whole numbers" if whole else "numbers"


def _words(name: str, texts: Sequence[str]) -> str:
    field = field_of(name)
    if field is not None and field[0] == "submitted_at":
        return "words, perhaps dates that are not understood"
    short = all(len(text) <= 40 for text in texts)
    if short and len(set(texts)) == len(texts) > 1:
        return "words that differ, perhaps names"
    return "words"


_PLAIN_FIELDS = (
    *("submission_id", "experiment_id", "order", "file_name", "cv_scheme"),
    *("parent_id", "content_hash"),
)
_NAMING = {"model", "name", "title", "modelname"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A row on its way to a `Submission`."""

    source: str
    line: int
    reference: str | None
    experiment: str | None
    counter: str | None
    model: str | None
    submitted_at: datetime | None
    file_name: str | None
    description: str | None
    status: Status
    status_stated: bool
    status_detail: str | None
    public: float | None
    private: float | None
    cv: ScoreCell | None
    cv_text: str | None
    cv_scheme: str | None
    folds: tuple[float, ...]
    cv_others: tuple[tuple[str, float], ...]
    selected: bool | None
    parent: str | None
    content_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable:
    """The drafts of one table, and what its columns say as a whole.

    Attributes
    ----------
    export : Export
        What kind of listing it is.
    drafts : list of Draft
        In listing order.
    issues : list of RowIssue
        Rows and cells that were not understood.
    dates : DateColumn or None
        The times; None where there is no such column.
    decimals : int or None
        Digits after the point of the public scores, as displayed.
    source : str
        What messages call it.
    page : int
        Which document it stands in.
    columns : dict of str to list of str
        Headings of the columns that each field was read from.
    unused : tuple of UnusedColumn
        The columns that were not used.
    greater_is_better : bool or None
        Direction of the scores, where the input states it.
    bare_score : bool
        Whether the only score stood in a column called ``score``.
    unread_cv : tuple of str
        Names of the columns that may be the CV score, where none was read.
    cv_factor : float
        What the CV scores were multiplied with to have the unit of the public ones: 1,
        or 100 or 0.01 where one is in percent.
    """

    export: Export
    drafts: list[Draft]
    issues: list[RowIssue]
    dates: DateColumn | None
    decimals: int | None
    source: str
    page: int
    columns: dict[str, list[str]]
    unused: tuple[UnusedColumn, ...]
    greater_is_better: bool | None
    bare_score: bool
    unread_cv: tuple[str, ...] = ()
    cv_factor: float = 1.0


def read_rows(
    table: RawTable,
    export: Export,
    overrides: ColumnNames | None,
    *,
    metric: str | None = None,
) -> ReadTable:
    """Return what every row of a table says."""
    assignment = assign_columns(table, overrides, metric=metric)
    reader = Sheet(table, assignment)
    bare_score = "score" in reader.at and not (
        {"public_score", "private_score"} & reader.at.keys()
    )
    public = reader.scores("score" if bare_score else "public_score")
    private = reader.scores("private_score")
    dates = reader.dates()
    statuses = _statuses(reader, export, public)
    drafts = _drafts(reader, export, public, private, dates, statuses)
    if export.hand_made:
        drafts = _without_empty(drafts, reader)
    factor = _percent_factor(drafts, metric)
    if factor != 1:
        drafts = [_rescaled(draft, factor) for draft in drafts]
    used = _used(reader, export, bare_score=bare_score)
    return ReadTable(
        export=export,
        drafts=drafts,
        issues=[*table.issues, *assignment.issues, *reader.issues],
        dates=dates,
        decimals=_display_decimals(table, public, private),
        source=table.source,
        page=table.page,
        columns={
            field: [table.columns[at] for at in places]
            for field, places in used.items()
        },
        unused=_unused_columns(
            table,
            {at for places in used.values() for at in places},
            [draft.public for draft in drafts],
        ),
        greater_is_better=table.greater_is_better,
        bare_score=bare_score,
        unread_cv=assignment.unread_cv,
        cv_factor=factor,
    )


def with_stated(
    competition: Competition, tables: Sequence[ReadTable]
) -> tuple[Competition, list[RowIssue]]:
    """Return the competition with what its tables tell, and where they contradict it.

    What the user says wins.
    """
    said, platform = competition.greater_is_better, competition.platform
    issues = [
        RowIssue(
            source=table.source,
            found=f"{'lower' if said else 'higher'} is better, as the input states it",
            expected=f"{'higher' if said else 'lower'} is better",
            action="direction as you say it",
        )
        for table in tables
        if said is not None and table.greater_is_better is (not said)
    ]
    ways = {table.greater_is_better for table in tables} - {None}
    platforms = {table.export.platform for table in tables} - {None}
    decimals = [table.decimals for table in tables if table.decimals is not None]
    stated = replace(
        competition,
        platform=platforms.pop() if not platform and len(platforms) == 1 else platform,
        greater_is_better=ways.pop() if said is None and len(ways) == 1 else said,
        display_decimals=max(decimals, default=None),
    )
    return stated, issues


def _percent_factor(drafts: list[Draft], metric: str | None) -> float:
    """Return what brings CV scores in percent to shares, or the reverse; else 1.

    Only where every score of one kind is at most 1 and every one of the other above,
    and they differ by a hundred or so, of a metric that is a share.
    """
    known = None if metric is None else metric_of_heading(metric)
    if known is not None and not (known.low >= -1 and known.high <= 1):
        return 1.0
    public = [draft.public for draft in drafts if draft.public]
    cv = [draft.cv.value for draft in drafts if draft.cv and draft.cv.value]
    if not public or not cv:
        return 1.0
    for small, large, factor in ((public, cv, 0.01), (cv, public, 100.0)):
        shares = all(0 < value <= 1 for value in small)
        percents = all(1 < value <= 100 for value in large)
        if shares and percents and 50 <= median(large) / median(small) <= 200:
            return factor
    return 1.0


def _rescaled(draft: Draft, factor: float) -> Draft:
    """Return a draft with its CV score in the unit of its public score."""

    def scaled(value: float | None) -> float | None:
        return None if value is None else float(f"{value * factor:.15g}")

    cv = draft.cv
    if cv is None:
        return draft
    folds = tuple(scaled(value) or 0.0 for value in draft.folds)
    cv = cv._replace(value=scaled(cv.value), spread=scaled(cv.spread), folds=folds)
    return replace(draft, cv=cv, folds=folds)


def _used(reader: Sheet, export: Export, *, bare_score: bool) -> dict[str, list[int]]:
    """Return the columns that each field was read from."""
    used = {field: [at] for field, at in reader.at.items()}
    if not bare_score:
        used.pop("score", None)
    if export.hand_made and reader.texts_at:
        worded = [at for at in reader.texts_at if reader.has_words(at)]
        filed = "file_name" in reader.at
        used["description"] = worded or list(reader.texts_at[: 0 if filed else 1])
    if reader.folds_at:
        used["cv_fold_scores"] = list(reader.folds_at)
    used["cv_others"] = list(reader.cv_others_at)
    if reader.clock_at is not None:
        used["submitted_at"] = [*used["submitted_at"], reader.clock_at]
    if "experiment_id" in used:
        used["title"] = used.pop("experiment_id")
    return {field: places for field, places in used.items() if places}


def _statuses(
    reader: Sheet, export: Export, public: list[ScoreCell | None]
) -> list[tuple[Status, bool, str | None]]:
    """Return the status of every row, whether it was stated, and the word on it."""
    details = reader.texts("status_detail")
    words = reader.texts("public_score")
    found = []
    for position, cell in enumerate(reader.cells("status")):
        score, word = public[position], read_text(cell)
        stated = read_status(cell)
        detail = details[position]
        if stated is None and word is not None:
            detail = detail or word
            if export.unknown_status == "error":
                stated = "error"
            elif export.unknown_status == "complaint":
                at = reader.at["status"]
                reader.complain(at, position, cell, "complete, pending or error")
        scored = score is not None and score.value is not None
        status: Status = "unknown" if export.hand_made else "pending"
        status = "complete" if scored else status
        if stated == "error" or (stated is not None and not scored):
            status = stated
        if status != "error" and score is not None and score.status is not None:
            status = score.status  # "In processing" where the score should be
            detail = detail or words[position]
        found.append((status, stated is not None, detail))
    return found


def _drafts(
    reader: Sheet,
    export: Export,
    public: list[ScoreCell | None],
    private: list[ScoreCell | None],
    dates: DateColumn | None,
    statuses: list[tuple[Status, bool, str | None]],
) -> list[Draft]:
    cv, cv_others = reader.cv_scores(), other_cv_scores(reader)
    cv_texts = reader.texts("cv_score")
    columns = {name: reader.texts(name) for name in _PLAIN_FIELDS}
    descriptions = _descriptions(reader, joined=export.hand_made)
    models = _models(reader) if export.hand_made else [None] * len(descriptions)
    selected = _selected(reader)
    scheme = _scheme_of_name(reader)
    drafts = []
    for i, row in enumerate(reader.table.rows):
        status, stated, detail = statuses[i]
        score, folds = cv[i]
        name = columns["submission_id"][i]
        if export.reason_as_comment and status == "error":
            detail = descriptions[i]
        drafts.append(
            Draft(
                source=reader.table.source,
                line=row.line,
                reference=name and (name.strip("*_`~ ") or name),
                experiment=columns["experiment_id"][i],
                counter=columns["order"][i],
                model=models[i],
                submitted_at=None if dates is None else dates.values[i],
                file_name=columns["file_name"][i],
                description=descriptions[i],
                status=status,
                status_stated=stated,
                status_detail=detail,
                public=_value(public[i]),
                private=_value(private[i]),
                cv=score,
                cv_text=None if score is None else cv_texts[i],
                cv_scheme=columns["cv_scheme"][i]
                or (None if score is None else scheme),
                folds=folds or (() if score is None else score.folds),
                cv_others=cv_others[i],
                selected=selected[i],
                parent=columns["parent_id"][i],
                content_hash=columns["content_hash"][i],
            )
        )
    return drafts


def other_cv_scores(reader: Sheet) -> list[tuple[tuple[str, float], ...]]:
    """Return names and scores of the further kinds of CV of every row."""
    rows: list[tuple[tuple[str, float], ...]] = [()] * len(reader.table.rows)
    for at in reader.cv_others_at:
        for k, cell in enumerate(reader.scores_at(at)):
            if cell is not None and cell.value is not None:
                rows[k] = (*rows[k], (reader.table.columns[at], cell.value))
    return rows


def _value(score: ScoreCell | None) -> float | None:
    return None if score is None else score.value


def _descriptions(reader: Sheet, *, joined: bool) -> list[str | None]:
    """Return the description; in a hand-made table, all columns of words together."""
    if not joined or not reader.texts_at:
        return reader.texts("description")
    found = []
    places = [at for at in reader.texts_at if reader.has_words(at)]
    if not places and "file_name" in reader.at:
        return [None] * len(reader.table.rows)
    for row in reader.table.rows:
        texts = [read_text(row.cells[at]) for at in places or reader.texts_at[:1]]
        kept = dict.fromkeys(text for text in texts if text and not is_missing(text))
        found.append(" | ".join(kept) or None)
    return found


def _models(reader: Sheet) -> list[str | None]:
    """Return the names in the column of a model or a name, where there is one."""
    for at in reader.texts_at:
        if _NAMING & set(heading_words(reader.table.columns[at])):
            return [read_text(row.cells[at]) for row in reader.table.rows]
    return [None] * len(reader.table.rows)


def _selected(reader: Sheet) -> list[bool | None]:
    """Return the final selection; where only the chosen are marked, no mark is no."""
    at = reader.at.get("selected")
    if at is None:
        return [None] * len(reader.table.rows)
    flags = reader.parsed(reader.cells("selected"), at, read_flag)
    if True in flags and False not in flags:
        return [flag is True for flag in flags]
    return flags


def _scheme_of_name(reader: Sheet) -> str:
    at = reader.at.get("cv_score")
    heading = None if at is None else cv_heading(reader.table.columns[at])
    return "cv" if heading is None else heading.scheme


def _without_empty(drafts: list[Draft], reader: Sheet) -> list[Draft]:
    """Leave out the rows of a hand-made table that only number or divide it."""
    kept = []
    for draft in drafts:
        cv = draft.cv is not None
        scored = cv or draft.public is not None or draft.private is not None
        words = (draft.description, draft.file_name, draft.reference)
        named = any(words) or bool(re.search(r"[^\W\d]", draft.experiment or ""))
        if scored or named or draft.submitted_at or draft.status_stated:
            kept.append(draft)
            continue
        issue = RowIssue(
            source=draft.source,
            line=draft.line,
            found=draft.experiment or draft.counter or "",
            expected="a score, a date, a name or a status",
            action="row skipped",
        )
        reader.issues.append(issue)
    return kept


def _display_decimals(
    table: RawTable,
    public: list[ScoreCell | None],
    private: list[ScoreCell | None],
) -> int | None:
    """Return the most digits behind the point that a score was displayed with."""
    for position, name in enumerate(table.columns):
        if name_key(name) == "publicscoreleaderboarddisplay":
            cells = [read_text(row.cells[position]) or "" for row in table.rows]
            digits = [len(cell.partition(".")[2]) for cell in cells if cell]
            return max(digits, default=None)
    for scores in (public, private):
        shown = [score.decimals for score in scores if score is not None]
        digits = [count for count in shown if count is not None]
        if digits:
            return max(digits) if max(digits) <= 12 else None
    return None
