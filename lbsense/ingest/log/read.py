"""The rows of an experiment log as runs: a CV score and the names it goes by."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import Surety, cv_heading
from lbsense.ingest.tables.cells import read_text
from lbsense.ingest.tables.names import field_of, fold_number, name_key
from lbsense.ingest.tables.raw import RawRow, RawTable
from lbsense.ingest.tables.sheet import (
    Assignment,
    ColumnNames,
    Sheet,
    cv_columns,
    fold_columns,
    named_columns,
)
from lbsense.model import RowIssue

# Column names, by field, that name a run in a log and nothing in a history.
_NAMES = {
    "submission_id": """submissionid submissionref submissionreference kaggleref
        kagglesubmissionid ref zindisubmissionid id""",
    "experiment_id": """id runid runname name displayname mlflowrunname
        tagsmlflowrunname sysid sysname run exp expid expname experiment experimentid
        experimentname trial trialid version modelid ref no number""",
    "file_name": "",
}
# A column of bare numbers is written with its word in descriptions: "exp 12", "v12".
_NUMBER_PREFIXES = {
    **dict.fromkeys(("exp", "expid", "experiment", "experimentid"), "exp"),
    **dict.fromkeys(("run", "runid"), "run"),
    "version": "v",
    "trial": "trial",
}
# What a note begins with: "exp012: more lags", "CHK-220b blend".
_LEADING = re.compile(
    r"[\s\[(#*]*(?P<name>(?:exp|experiment|run|trial|version|ver|v|e)[ _#-]?\d{1,6}"
    r"[a-z]?|[A-Z]{2,8}-\d{1,6}[a-z]?)(?![^\W_]|\.\d)",
    re.IGNORECASE,
)
_SETTINGS = re.compile(r"(?:params|config|parameters|hparams|tags)[./]", re.IGNORECASE)
_LONGEST_NAME = 200  # characters of a cell that may name a submission
_STEP_NAMES = {"step", "_step", "wall time", "relative time (process)"}
_STEP_NAMES |= {"relative time (wall)", "epoch", "trainer/global_step", "global_step"}
_BOARD_NAMES = {"wall time", "step", "value"}  # of TensorBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRun:
    """One entry of a log: where it stands, what it calls things, its CV score.

    Attributes
    ----------
    references, experiments, files : tuple of str
        What it calls the submission, itself, and the file it wrote.
    others : tuple of str
        What stands in its other columns of words: perhaps a name.
    cv_score, cv_std, cv_fold_scores, cv_text, cv_scheme, cv_metric
        As in `lbsense.Submission`; scheme and metric are those that the column names.
    """

    source: str
    line: int
    references: tuple[str, ...]
    experiments: tuple[str, ...]
    files: tuple[str, ...]
    others: tuple[str, ...] = ()
    cv_score: float
    cv_std: float | None
    cv_fold_scores: tuple[float, ...]
    cv_text: str
    cv_scheme: str
    cv_metric: str | None

    @property
    def name(self) -> str:
        """The shortest name that it has, if any."""
        names = (*self.experiments, *self.references, *self.files) or self.others
        return min(names, key=len, default="an entry without a name")


def read_runs(
    table: RawTable, overrides: ColumnNames, *, metric: str | None
) -> tuple[list[LogRun], list[RowIssue]]:
    """Return the rows that have a CV score, and the issues of what has none.

    Parameters
    ----------
    table : RawTable
        The log.
    overrides : mapping of str to str or sequence of str
        Field to column name; it wins over everything else.
    metric : str or None
        Metric of the competition: of several CV columns, the one that names it wins.

    Raises
    ------
    IngestError
        If the table is a chart export, if no column can be the CV score, or if
        several can.
    """
    _refuse_chart(table)
    table = replace(table, rows=[_unguarded(row) for row in table.rows])
    columns = _assign(table, overrides, metric)
    sheet = Sheet(table, columns)
    name_columns = [_names(table, columns, field) for field in _NAMES]
    known = {*columns.columns.values(), *columns.folds}.union(*name_columns)
    others = tuple(at for at in range(len(table.columns)) if at not in known)
    at = columns.columns.get("cv_score")
    cv_name = "".join(table.columns[place] for place in columns.folds[:1])
    cv_name = cv_name if at is None else table.columns[at]
    runs: list[LogRun] = []
    issues = sheet.issues
    for row, (score, folds) in zip(table.rows, sheet.cv_scores(), strict=True):
        names = [tuple(_texts(table, row, places)) for places in name_columns]
        leading = (_LEADING.match(text) for text in _texts(table, row, columns.texts))
        names[1] += tuple(match["name"] for match in leading if match)
        if score is None or not score.value:
            issues.append(_issue(table, row, names, missing=score is None))
            continue
        own = at is not None and not (folds and score.folds is folds)
        run = LogRun(
            source=table.source,
            line=row.line,
            references=names[0],
            experiments=names[1],
            files=names[2],
            others=tuple(_words_of(row, others)),
            cv_score=score.value,
            cv_std=score.spread,
            cv_fold_scores=folds or score.folds,
            cv_text=f"{cv_name}={row.cells[at or 0]}" if own else "mean of the folds",
            cv_scheme=_scheme(cv_name),
            cv_metric=_metric(cv_name) if own else None,
        )
        runs.append(run)
    return runs, issues


def _issue(
    table: RawTable, row: RawRow, names: list[tuple[str, ...]], *, missing: bool
) -> RowIssue:
    named = next((name for group in names for name in group), "no name")
    return RowIssue(
        source=table.source,
        line=row.line,
        found=shorten(f"{named}, CV {'missing' if missing else 0}", 80),
        expected="a CV score; 0 stands for a missing one",
        action="entry left out",
    )


def _unguarded(row: RawRow) -> RawRow:
    """Return a row without the apostrophes that guard cells against spreadsheets."""
    guarded = ("'=", "'+", "'-", "'@")
    cells = [
        cell[1:] if isinstance(cell, str) and cell.startswith(guarded) else cell
        for cell in row.cells
    ]
    return RawRow(row.line, cells)


# --- which column holds what ---------------------------------------------------------


def _assign(table: RawTable, overrides: ColumnNames, metric: str | None) -> Assignment:
    """Return which column of a log holds what; folds and spread are of its metric."""
    columns, folds = named_columns(table, overrides)
    found = [columns["cv_score"]] if "cv_score" in columns else _cv(table, metric)
    metrics = [_metric(table.columns[at]) for at in found]

    def of_metric(places: list[int]) -> list[int]:
        return [at for at in places if [_metric(table.columns[at])] == metrics]

    columns |= {"cv_score": found[0]} if found else {}
    if not folds and "cv_fold_scores" not in columns:
        numbered = [
            at
            for at, name in enumerate(table.columns)
            if fold_number(name) is not None and not _SETTINGS.match(name)
        ]
        if found and len({_without_fold(table.columns[at]) for at in numbered}) > 1:
            numbered = of_metric(numbered)
        if len({_without_fold(table.columns[at]) for at in numbered}) == 1:
            folds = fold_columns(table, numbered)
        else:
            listed = _meaning(table, "cv_fold_scores")
            columns |= {"cv_fold_scores": listed[0]} if listed else {}
    if not (folds or found or "cv_fold_scores" in columns):
        raise IngestError(_none_message(table))
    spreads = _meaning(table, "cv_std")
    spreads = of_metric(spreads) if len(spreads) > 1 else spreads
    if len(spreads) == 1:
        columns.setdefault("cv_std", spreads[0])
    texts = tuple(_meaning(table, "description"))
    return Assignment(columns=columns, folds=folds, texts=texts, issues=())


def _cv(table: RawTable, metric: str | None) -> list[int]:
    """Return the one column that can be the CV score, or none."""
    sheet = Sheet(table, Assignment(columns={}, folds=(), texts=(), issues=()))
    settings = {at for at, name in enumerate(table.columns) if _SETTINGS.match(name)}

    def is_score(at: int) -> bool:
        values = (cell.value for cell in sheet.scores_at(at) if cell is not None)
        return any(value is not None and not value.is_integer() for value in values)

    whole = {
        at
        for at, name in enumerate(table.columns)
        if at not in settings and cv_heading(name) is not None and not is_score(at)
    }
    choice = cv_columns(table, metric, settings | whole, literal=False)
    if choice.chosen is not None:
        return [choice.chosen]
    clear = [at for at in choice.rivals if _says_cv(table.columns[at])]
    clear += [at for at in choice.foreign if _says_cv(table.columns[at])]
    if clear:
        raise IngestError(_several_message(table, sorted(clear)))
    return []


def _says_cv(name: str) -> bool:
    heading = cv_heading(name)
    return heading is not None and heading.surety < Surety.POSSIBLE


def _meaning(table: RawTable, field: str) -> list[int]:
    """Return the columns whose name stands for a field; settings are not results."""
    return [
        position
        for position, name in enumerate(table.columns)
        if not _SETTINGS.match(name)
        and fold_number(name) is None
        and _field(name) == field
    ]


def _field(name: str) -> str | None:
    found = field_of(name)
    return None if found is None else found[0]


def _without_fold(name: str) -> str:
    return re.sub(r"fold[\W_]*\d+", "", name.lower())


def _metric(name: str) -> str | None:
    """Return the metric that the name of a column of scores, folds or spreads has."""
    words = re.findall(r"[a-z]+[0-9]?", _without_fold(name))
    heading = cv_heading(" ".join(w for w in words if w not in ("std", "sd")))
    return None if heading is None else heading.metric


def _scheme(name: str) -> str:
    """Return the kind of validation that the name of the CV column speaks of."""
    heading = cv_heading(name) or cv_heading(_without_fold(name))
    return "cv" if heading is None else heading.scheme


def _words_of(row: RawRow, positions: Sequence[int]) -> Iterator[str]:
    """Yield the cells that are words, and short enough to be a name."""
    for position in positions:
        text = (read_text(row.cells[position]) or "").strip()
        if len(text) <= _LONGEST_NAME and any(char.isalpha() for char in text):
            yield text


def _names(table: RawTable, columns: Assignment, field: str) -> tuple[int, ...]:
    """Return the columns that name the submission, the run or the file."""
    if field in columns.columns:
        return (columns.columns[field],)
    keys = [name_key(name) for name in table.columns]
    # In MLflow, an experiment is the folder that all the runs are in.
    skipped = "experimentid" if "runid" in keys else None
    return tuple(
        position
        for position, (name, key) in enumerate(zip(table.columns, keys, strict=True))
        if key != skipped
        and (
            key in _NAMES[field].split()
            or (field != "submission_id" and _field(name) == field)
            or (field == "experiment_id" and _field(name) == "order")
        )
    )


def _texts(table: RawTable, row: RawRow, positions: Sequence[int]) -> Iterator[str]:
    """Yield the names in a row; a bare number takes the word of its column."""
    for position in positions:
        text = (read_text(row.cells[position]) or "").strip()
        if text.isdigit():
            word = name_key(table.columns[position])
            text = _NUMBER_PREFIXES.get(word, "") + text
        if text:
            yield text


def _refuse_chart(table: RawTable) -> None:
    """Refuse the export of a chart: one row per step of training, not one per run."""
    names = [name.strip() for name in table.columns]
    stepped = bool(names) and names[0].lower() in _STEP_NAMES
    charted = stepped and any(" - " in name[1:-1] for name in names[1:])
    if not charted and {name.lower() for name in names} != _BOARD_NAMES:
        return
    found = ", ".join(shorten(name, 40) for name in names[:4])
    msg = (
        f"{table.source}: the export of a chart ({found}, ...), with one row for every "
        "step of training; expected a table of runs, with one row for every run. In "
        "W&B open the Table of the project and use its download button (Export as "
        "CSV), not the one of a chart."
    )
    raise IngestError(msg)


def _none_message(table: RawTable) -> str:
    more = ", ..." if len(table.columns) > 20 else ""
    return (
        f"{table.source}: no column for the CV score. Found: {table.shown}{more}. "
        "Expected a name such as cv, cv_score, oof, val_auc or metrics.cv_rmse_mean, "
        "with numbers that are not all whole. Name it: columns={'cv_score': "
        "'<your column>'} (--columns cv_score=NAME)."
    )


def _several_message(table: RawTable, candidates: list[int]) -> str:
    names = [table.columns[position] for position in candidates]
    shown = ", ".join(repr(shorten(name, 60)) for name in names[:10])
    if len(names) == 1:
        found = f"the CV score in {shown} is of another metric. Read it all the same"
    else:
        found = f"{len(names)} columns can be the CV score: {shown}. Choose one"
    return (
        f"{table.source}: {found} with columns={{'cv_score': {names[0]!r}}} "
        f"(--columns {shlex.quote(f'cv_score={names[0]}')})."
    )
