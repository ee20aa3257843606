"""Which columns of an experiment log hold the CV score and the names of the runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lbsense._format import shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.words import KEYWORDS, KINDS, Role, role_of
from lbsense.ingest.tables.cells import CellError, read_score, uses_decimal_comma
from lbsense.ingest.tables.names import field_of, fold_number, name_key
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.sheet import ColumnNames
from lbsense.metrics import find_metric

__all__ = ["LogColumns", "find_log_columns", "plain_cell"]

_RUN_WORDS = """
    id runid runname name displayname mlflowrunname tagsmlflowrunname sysid sysname run
    exp expid expname experiment experimentid experimentname trial trialid version
    modelid ref no number"""
_REFERENCE_WORDS = """
    submissionid submissionref submissionreference kaggleref kagglesubmissionid ref
    zindisubmissionid id"""
_RUN_NAMES = frozenset(_RUN_WORDS.split())
_REFERENCES = frozenset(_REFERENCE_WORDS.split())
_SETTINGS = re.compile(r"(?:params|config|parameters|hparams|tags)[./]", re.IGNORECASE)
_PREFIX = re.compile(r"(?:metrics|summary|eval)[./]")
_SCORE_ROLES = {Role.KEYWORD, Role.METRIC, Role.MEAN}
_SCORES = {"score", "scores", "best", "final", "overall"}
_CHART = re.compile(r".+ - .+")
_STEP_NAMES = {"step", "_step", "wall time", "relative time (process)"}
_STEP_NAMES |= {"relative time (wall)", "epoch", "trainer/global_step", "global_step"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogColumns:
    """Positions of the columns of one log.

    Attributes
    ----------
    cv, std : int or None
        The CV score (None if it is the mean of the folds) and its spread.
    folds : tuple of int
        One fold score each, in fold order.
    fold_cell : int or None
        A column whose cells list the folds.
    references, experiments, files, texts : tuple of int
        Names of the submission, of the run, of the file it wrote, and free text.
    kind : str
        Keyword family of the CV score, from its name.
    """

    cv: int | None
    std: int | None
    folds: tuple[int, ...]
    fold_cell: int | None
    references: tuple[int, ...]
    experiments: tuple[int, ...]
    files: tuple[int, ...]
    texts: tuple[int, ...]
    kind: str


def find_log_columns(
    table: RawTable, overrides: ColumnNames, *, metric: str | None
) -> LogColumns:
    """Return which column of a log holds what.

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
    chosen = {
        field: [table.columns.index(name) for name in _as_list(table, names)]
        for field, names in overrides.items()
    }
    cv = _first(chosen, "cv_score")
    if cv is None:
        cv = _cv_column(table, metric)
    metrics = [] if cv is None else _metric_words(table.columns[cv])
    folds = chosen.get("cv_fold_scores") or _fold_columns(table, metrics, cv)
    fold_cell = folds.pop() if len(folds) == 1 else None
    if cv is None and not folds and fold_cell is None:
        raise IngestError(_none_message(table))
    std = _first(chosen, "cv_std")
    return LogColumns(
        cv=cv,
        std=_std_column(table, metrics) if std is None else std,
        folds=tuple(folds),
        fold_cell=fold_cell,
        references=_names(table, chosen, "submission_id", _REFERENCES),
        experiments=_names(table, chosen, "experiment_id", _RUN_NAMES),
        files=_names(table, chosen, "file_name", frozenset()),
        texts=tuple(_meaning(table, "description")),
        kind=_kind(table, cv, folds),
    )


def _as_list(table: RawTable, names: str | Sequence[str]) -> list[str]:
    """Return the user's columns as this table writes them, without absent ones."""
    wanted = [names] if isinstance(names, str) else list(names)
    by_key = {name_key(column): column for column in reversed(table.columns)}
    found = (
        name if name in table.columns else by_key.get(name_key(name)) for name in wanted
    )
    return [name for name in found if name is not None]


def _first(chosen: dict[str, list[int]], field: str) -> int | None:
    return next(iter(chosen.get(field, ())), None)


def _cv_column(table: RawTable, metric: str | None) -> int | None:
    """Return the one column that can be the CV score, or None if none can."""
    values: dict[tuple[float | None, ...], int] = {}
    for position in _meaning(table, "cv_score"):
        scores = _scores(table, position)
        if any(score is not None and not score.is_integer() for score in scores):
            values.setdefault(scores, position)  # logged twice, it is one value
    candidates = list(values.values())
    if len(candidates) > 1:
        of_metric = [i for i in candidates if _is_of(table.columns[i], metric)]
        candidates = of_metric if len(of_metric) == 1 else candidates
    if len(candidates) > 1:
        raise IngestError(_several_message(table, candidates))
    return next(iter(candidates), None)


def _meaning(table: RawTable, field: str) -> list[int]:
    """Return the columns whose name stands for a field; settings are not results."""
    return [
        position
        for position, name in enumerate(table.columns)
        if not _SETTINGS.match(name)
        and fold_number(name) is None
        and (_field(name) == field or (field == "cv_score" and _says_cv(name)))
    ]


def _field(name: str) -> str | None:
    found = field_of(name)
    return None if found is None else found[0]


def _says_cv(name: str) -> bool:
    """Return whether a name holds a validation word, and nothing but score words."""
    words = re.findall(r"[a-z]+[0-9]?", _PREFIX.sub("", name.lower()))
    scored = all(role_of(word) in _SCORE_ROLES or word in _SCORES for word in words)
    return scored and any(word in KEYWORDS for word in words)


def _scores(table: RawTable, position: int) -> tuple[float | None, ...]:
    """Return the numbers in a column; None for every cell that holds no score."""
    found: list[float | None] = []
    cells = [plain_cell(row.cells[position]) for row in table.rows]
    comma = uses_decimal_comma(cells, table.delimiter)
    for cell in cells:
        try:
            score = read_score(cell, decimal_comma=comma)
        except CellError:
            score = None
        found.append(None if score is None else score.value)
    return tuple(found)


def _is_of(name: str, metric: str | None) -> bool:
    """Return whether the name of a column speaks of the competition's metric."""
    words = _metric_words(name)
    if metric is None or not words:
        return False
    try:
        return find_metric(" ".join(words)).name == metric
    except ValueError:
        return False


def _metric_words(name: str) -> list[str]:
    words = re.findall(r"[a-z]+[0-9]?", re.sub(r"fold[\W_]*\d+", "", name.lower()))
    return [word for word in words if role_of(word) is Role.METRIC]


def _fold_columns(table: RawTable, metrics: list[str], cv: int | None) -> list[int]:
    """Return the columns of fold scores: those of the metric of the CV score."""
    groups: dict[str, dict[int, int]] = {}
    for position, name in enumerate(table.columns):
        number = fold_number(name)
        if number is not None and not _SETTINGS.match(name):
            group = re.sub(r"fold[\W_]*\d+", "", name.lower())
            groups.setdefault(group, {})[number] = position
    if len(groups) > 1 and cv is not None:
        groups = {
            name: group
            for name, group in groups.items()
            if _metric_words(name) == metrics
        }
    if len(groups) != 1:
        return _meaning(table, "cv_fold_scores")[:1]
    (numbered,) = groups.values()
    in_order = [numbered[number] for number in sorted(numbered)]
    return in_order if len(in_order) > 1 else []


def _std_column(table: RawTable, metrics: list[str]) -> int | None:
    found = _meaning(table, "cv_std")
    if len(found) > 1:
        found = [at for at in found if _metric_words(table.columns[at]) == metrics]
    return found[0] if len(found) == 1 else None


def _names(
    table: RawTable,
    chosen: dict[str, list[int]],
    field: str,
    others: frozenset[str],
) -> tuple[int, ...]:
    """Return the columns that name the submission, the run or the file."""
    if chosen.get(field):
        return tuple(chosen[field])
    if "runid" in map(name_key, table.columns):
        # In MLflow, an experiment is the folder that all the runs are in.
        table = replace(table, columns=_without(table.columns, "experimentid"))
    return tuple(
        position
        for position, name in enumerate(table.columns)
        if name_key(name) in others
        or (field != "submission_id" and _field(name) == field)
    )


def _without(names: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple("" if name_key(name) == key else name for name in names)


def _kind(table: RawTable, cv: int | None, folds: Sequence[int]) -> str:
    """Return the keyword family that the name of the CV column speaks of."""
    positions = [cv] if cv is not None else list(folds)[:1]
    words = re.findall(r"[a-z]+", " ".join(table.columns[i] for i in positions).lower())
    kinds = [KEYWORDS[word] for word in words if word in KEYWORDS]
    return min(kinds, key=KINDS.index) if kinds else "cv"


def plain_cell(cell: object) -> object:
    """Return a cell without the apostrophe that guards it against spreadsheets."""
    if isinstance(cell, str) and cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@"):
        return cell[1:]
    return cell


def _refuse_chart(table: RawTable) -> None:
    """Refuse the export of a chart: one row per step of training, not one per run."""
    names = [name.strip() for name in table.columns]
    stepped = bool(names) and names[0].lower() in _STEP_NAMES
    charted = [name for name in names[1:] if _CHART.fullmatch(name)]
    board = {name.lower() for name in names} == {"wall time", "step", "value"}
    if not (stepped and charted) and not board:
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
    shown = ", ".join(shorten(name, 40) for name in table.columns[:20])
    more = ", ..." if len(table.columns) > 20 else ""
    return (
        f"{table.source}: no column for the CV score. Found: {shown}{more}. Expected a "
        "name such as cv, cv_score, oof, val_auc or metrics.cv_rmse_mean, with numbers "
        "that are not all whole. Name it with join_log(history, log, "
        "columns={'cv_score': '<your column>'})."
    )


def _several_message(table: RawTable, candidates: list[int]) -> str:
    names = [table.columns[position] for position in candidates]
    shown = ", ".join(repr(shorten(name, 60)) for name in names[:10])
    return (
        f"{table.source}: {len(names)} columns can be the CV score: {shown}. Choose "
        f"one with join_log(history, log, columns={{'cv_score': {names[0]!r}}})."
    )
