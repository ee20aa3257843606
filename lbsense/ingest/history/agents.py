"""What the tables of agents and trackers say: which score they climb on, and whence.

The score that a loop climbs on is its public score; one of a test or holdout set,
which it does not look at, is private.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lbsense._format import plural, shorten
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import field_of, known_fields, name_key
from lbsense.ingest.cv.words import Role, role_of
from lbsense.ingest.platforms import (
    DROPPED,
    FAILED,
    FLAGS,
    KEPT,
    OUTCOMES,
    Export,
    known_metric,
)
from lbsense.ingest.tables.raw import (
    CellError,
    RawRow,
    RawTable,
    is_missing,
    number_in,
    read_flag,
    read_text,
)
from lbsense.ingest.tables.sheet import ColumnNames

_SEEN_ROWS = 500  # rows that tell what a column holds
_EXPERIMENTS = (
    *("commit", "experiment", "experimentid", "exp", "expid", "iteration", "iter"),
    *("trial", "run", "runid", "version", "node", "id", "name", "tag", "step"),
)
_RUN_NAMES = ("mlflowrunname", "tagsmlflowrunname", "runname", "name", "runid")
_WORDS_ABOUT = ("hypothesis", "idea", "rationale", "what", "plan", "tag")
_OF_TRIALS = {
    "experiment_id": ("number",),
    "public_score": ("value", "values0"),
    "submitted_at": ("datetimestart", "datetimecomplete"),
    "status": ("state",),
}
_OF_REPORTS = {
    "file_name": ("submissionpath",),
    "submitted_at": ("createdat",),
}
_OF_TEST = frozenset(
    ("test", "holdout", "hold", "heldout", "private", "hidden", "mle", "unseen")
)
_OF_VALIDATION = frozenset(
    ("val", "valid", "validation", "dev", "cv", "oof", "eval", "loo", "local")
)
_LOSSES = frozenset(("bpb", "loss", "perplexity", "ppl"))
_FURTHER_METRICS = """
    bleu fid fitness objective precision prauc psnr recall reward rocauc rouge sharpe
    silhouette ssim
"""
_SCORES = _LOSSES | frozenset(_FURTHER_METRICS.split())
_NOT_SCORES = """
    baseline change cost count cpu delta depth diff duration epoch epochs fold folds gap
    gb gpu hour hours id improvement iter iteration latency lr mb mem memory mfu minutes
    ms n num number param parameters params prev previous ram rank rate runtime sd se
    sec seconds seed sem size std stddev stderr stdev step steps target threshold time
    timestamp tokens train training trn var version vram wall
"""
_NO_SCORE = frozenset(_NOT_SCORES.split())
_WORD = r"[a-z]+[0-9]*"
_PREFIX = re.compile(r"(?:metrics|summary|eval|results|scores)[./]", re.IGNORECASE)
_SETTINGS = re.compile(r"(?:params|config|hparams|parameters|tags|system)[./_]", re.I)


class Asked(NamedTuple):
    """What the user says that bears on the choice of a score."""

    metric: str | None = None
    slug: str | None = None
    columns: ColumnNames | None = None

    def names(self, field: str) -> bool:
        """Say whether the user named the column of a field."""
        return field in (self.columns or {})


class _Choice(NamedTuple):
    public: str | None
    private: str | None
    aside: tuple[str, ...]


def retell(table: RawTable, export: Export, asked: Asked) -> RawTable:
    """Return a table of an agent or a tracker with the columns of its fields named.

    Raises
    ------
    IngestError
        If several columns can be the score, or the rows are of several competitions.
    """
    rule = _RULES.get(export.name)
    return table if rule is None else rule(table, asked)


def outcome_words(table: RawTable) -> frozenset[str]:
    """Return the words of the column that says what became of each experiment."""
    at = _outcome_at(table)
    if at is None:
        return frozenset()
    cells = [read_text(row.cells[at]) for row in table.rows[:_SEEN_ROWS]]
    return frozenset().union(*(_said(cell) for cell in cells if cell))


# --- loops and journals --------------------------------------------------------------


def _tell_loop(table: RawTable, asked: Asked) -> RawTable:
    told = _tell_journal(table, asked)
    at = _outcome_at(told)
    if (
        at is None
        or asked.names("parent_id")
        or "parent_id" in known_fields(told.columns)
    ):
        return told
    named = told.roles.get("experiment_id")
    if named is None:
        return told
    name_at = told.columns.index(named)
    parent: str | None = None
    rows = []
    for row in told.rows:
        rows.append(RawRow(row.line, [*row.cells, parent]))
        if _is_kept(row.cells[at]):
            parent = read_text(row.cells[name_at]) or parent
    column = "the last one kept"
    return dataclasses.replace(
        told,
        columns=(*told.columns, column),
        rows=rows,
        roles={**told.roles, "parent_id": column},
    )


def _tell_journal(table: RawTable, asked: Asked) -> RawTable:
    roles = _named(table, {"experiment_id": _EXPERIMENTS})
    at = _outcome_at(table)
    if at is not None:
        roles["status"] = table.columns[at]
    if "description" not in known_fields(table.columns):
        roles |= _named(table, {"description": _WORDS_ABOUT})
    table = _with_choice(table, _choose(table, asked, first=True), asked, roles)
    return _without_failed(_named_apart(table), at)


def _named(table: RawTable, fields: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return by field the first of some columns that a table has."""
    named = {name_key(name): name for name in reversed(table.columns)}
    return {
        field: named[found]
        for field, keys in fields.items()
        if (found := next((key for key in keys if key in named), None)) is not None
    }


def _outcome_at(table: RawTable) -> int | None:
    """Return the column of outcomes: one of words, else one of flags."""
    keys = [name_key(name) for name in table.columns]
    known = KEPT | DROPPED | FAILED
    found = [keys.index(key) for key in OUTCOMES if key in keys]
    for at in found:
        cells = [read_text(row.cells[at]) or "" for row in table.rows[:_SEEN_ROWS]]
        if any(_said(cell) & known for cell in cells):
            return at
    flags = [keys.index(key) for key in FLAGS if key in keys]
    return flags[0] if flags else (found[0] if found else None)


def _said(cell: str) -> frozenset[str]:
    """Return the words of an outcome, such as both of ``council_keep``."""
    return frozenset(re.findall(r"[^\W\d_]+", cell[:100].lower()))


def _is_kept(cell: object) -> bool:
    if _said(str(cell)) & KEPT:
        return True
    try:
        return read_flag(cell) is True
    except CellError:
        return False


def _named_apart(table: RawTable) -> RawTable:
    """Return the table with a number after each name that several experiments have."""
    named = table.roles.get("experiment_id")
    if named is None:
        return table
    at = table.columns.index(named)
    texts = [read_text(row.cells[at]) for row in table.rows]
    counts = Counter(text for text in texts if text)
    if not any(count > 1 for count in counts.values()):
        return table
    seen: Counter[str] = Counter()
    rows = []
    for row, text in zip(table.rows, texts, strict=True):
        if text and counts[text] > 1:
            seen[text] += 1
            number = "" if seen[text] == 1 else f" ({seen[text]})"
            row = _with_cell(row, at, f"{text}{number}")
        rows.append(row)
    return dataclasses.replace(table, rows=rows)


def _without_failed(table: RawTable, status_at: int | None) -> RawTable:
    """Blank the scores of failed rows: a crash is logged as 0, and 0 is no score."""
    if status_at is None:
        return table
    fields = ("public_score", "private_score")
    named = [table.roles[field] for field in fields if field in table.roles]
    scores = [table.columns.index(name) for name in named]
    rows, issues = [], list(table.issues)
    for row in table.rows:
        word = read_text(row.cells[status_at]) or ""
        for at in scores if _said(word) & (FAILED | {"pruned"}) else ():
            number = number_in(row.cells[at])
            if number is None:
                continue
            if number:
                issue = table.issue(
                    shorten(str(row.cells[at]), 80),
                    f"no score beside {word!r}",
                    "cell taken as missing",
                    line=row.line,
                    column=table.columns[at],
                )
                issues.append(issue)
            row = _with_cell(row, at, None)
        rows.append(row)
    return dataclasses.replace(table, rows=rows, issues=issues)


def _with_cell(row: RawRow, at: int, cell: object) -> RawRow:
    return RawRow(row.line, [*row.cells[:at], cell, *row.cells[at + 1 :]])


# --- trackers ------------------------------------------------------------------------


def _tell_runs(table: RawTable, asked: Asked) -> RawTable:
    """Name the columns of a table of runs: MLflow, Weights & Biases, Hydra."""
    table = table.unguarded()
    found = _named(table, {"experiment_id": _RUN_NAMES, "status": ("status", "state")})
    at = table.columns.index(found["status"]) if "status" in found else None
    found = {f: n for f, n in found.items() if f not in table.roles}
    choice = _choose(table, asked, first=False)
    table = _with_choice(table, choice, asked, dict(table.roles) | found)
    return _without_failed(_named_apart(table), at)


def _tell_optuna(table: RawTable, asked: Asked) -> RawTable:
    found = _named(table, _OF_TRIALS)
    roles = {field: name for field, name in found.items() if not asked.names(field)}
    objectives = [name for name in table.columns if re.fullmatch(r"values_\d+", name)]
    if len(objectives) > 1 and not asked.names("public_score"):
        msg = (
            f"{table.source}: the trials of a study of {len(objectives)} objectives "
            f"({', '.join(objectives[:6])}). Name the one to judge by with "
            f"columns={{'public_score': {objectives[0]!r}}} (--columns public_score="
            f"{objectives[0]})."
        )
        raise IngestError(msg)
    tests = [
        name
        for name in table.columns
        if name.startswith("user_attrs_")
        and _words(name) & _OF_TEST
        and _is_numeric(table, table.columns.index(name))
    ]
    if len(tests) == 1:
        roles["private_score"] = tests[0]
    table = _with_settings(dataclasses.replace(table, roles=roles))
    at = table.columns.index(found["status"]) if "status" in found else None
    return _without_failed(table, at)


def _with_settings(table: RawTable) -> RawTable:
    """Describe every trial by its parameters."""
    places = {
        at: name.removeprefix("params_")
        for at, name in enumerate(table.columns)
        if name.startswith("params_")
    }
    if not places or "description" in known_fields(table.columns):
        return table
    column = "parameters"
    rows = []
    for row in table.rows:
        cells = {name: read_text(row.cells[at]) for at, name in places.items()}
        texts = [f"{name}={text}" for name, text in cells.items() if text]
        rows.append(RawRow(row.line, [*row.cells, shorten(", ".join(texts), 300)]))
    return dataclasses.replace(
        table,
        columns=(*table.columns, column),
        rows=rows,
        roles={**table.roles, "description": column},
    )


# --- reports -------------------------------------------------------------------------


def _tell_grading(table: RawTable, asked: Asked) -> RawTable:
    keys = [name_key(name) for name in table.columns]

    def texts(key: str) -> list[str | None]:
        at = keys.index(key) if key in keys else None
        return [None if at is None else read_text(row.cells[at]) for row in table.rows]

    competitions = Counter(name for name in texts("competitionid") if name)
    wanted = asked.slug if asked.slug in competitions else None
    if len(competitions) > 1 and wanted is None:
        shown = [f"{name} ({n})" for name, n in competitions.most_common(8)]
        more = len(competitions) - len(shown)
        msg = (
            f"{table.source}: a grading report of {len(competitions)} competitions, "
            f"expected one. Choose with slug= (--slug on the command line): "
            f"{', '.join(shown)}{f' and {more:,} more' if more > 0 else ''}."
        )
        raise IngestError(msg)
    lower = {text.lower() for text in texts("islowerbetter") if text is not None}
    rows, issues = [], list(table.issues)
    valid, exists = texts("validsubmission"), texts("submissionexists")
    for row, competition, is_valid, is_there in zip(
        table.rows, texts("competitionid"), valid, exists, strict=True
    ):
        if wanted is not None and competition != wanted:
            found = f"a report of {shorten(competition or 'no competition', 60)}"
            issues.append(
                table.issue(found, f"one of {wanted}", "row left out", line=row.line)
            )
            continue
        word = "complete"
        if str(is_there).lower() == "false":
            word = "no submission"
        elif str(is_valid).lower() == "false":
            word = "invalid"
        rows.append(RawRow(row.line, [*row.cells, word]))
    roles = _named(table, {"private_score": ("score",)}) | {"status": "graded"}
    roles |= _named(table, _OF_REPORTS)
    return dataclasses.replace(
        table,
        columns=(*table.columns, "graded"),
        rows=rows,
        issues=issues,
        roles={f: n for f, n in roles.items() if not asked.names(f)},
        greater_is_better=lower == {"false"} if len(lower) == 1 else None,
    )


# --- which column is the score -------------------------------------------------------


def _with_choice(
    table: RawTable, choice: _Choice, asked: Asked, roles: Mapping[str, str]
) -> RawTable:
    given = dict(roles)
    if choice.public is not None and not asked.names("public_score"):
        given["public_score"] = choice.public
    if choice.private is not None and not asked.names("private_score"):
        given["private_score"] = choice.private
    loss = choice.public is not None and bool(_words(choice.public) & _LOSSES)
    action = f"column {choice.public or ''!r} read instead; columns="
    action += "{'public_score': ...} chooses"
    issues = [
        table.issue("a further score", "one to climb on", action, column=name)
        for name in choice.aside
    ]
    return dataclasses.replace(
        table,
        roles={f: n for f, n in given.items() if not asked.names(f)},
        issues=[*table.issues, *issues],
        set_aside=frozenset(choice.aside),
        greater_is_better=False if loss else table.greater_is_better,
    )


def _choose(table: RawTable, asked: Asked, *, first: bool) -> _Choice:
    """Return the columns of the score climbed on, of the test score, and the others.

    Of several the metric that was asked for decides. ``first`` is whether the first one
    does, as in a loop, whose log puts it first; otherwise several are too many.
    """
    if known_fields(table.columns) & {"public_score"} or asked.names("public_score"):
        return _Choice(None, None, ())
    scores = [
        name
        for at, name in enumerate(table.columns)
        if _is_score(name) and _is_numeric(table, at)
    ]
    bare = [name for name in scores if name_key(name) == "score"]
    tests = [name for name in scores if _words(name) & _OF_TEST]
    climbed = [name for name in scores if name not in tests]
    if first and not climbed:
        climbed = _numbers(table)[:1]
    named = [name for name in climbed if _is_of(name, asked.metric)]
    validated = [name for name in climbed if _words(name) & _OF_VALIDATION]
    twin = [name for name in validated if "score" in _words(name)] if bare else []
    for group in (named, twin, bare, validated, climbed):
        if len(group) == 1 or (group and first):
            public = group[0]
            break
    else:
        if climbed:
            raise IngestError(_several_message(table, climbed))
        return _Choice(None, None, ())
    own = _words(public) - _OF_VALIDATION
    twins = [name for name in tests if _words(name) - _OF_TEST == own]
    tests = twins if len(twins) == 1 else tests
    private = tests[0] if len(tests) == 1 else None
    aside = [name for name in scores if name not in (public, private)]
    return _Choice(public, private, tuple(aside))


def _is_score(name: str) -> bool:
    if _SETTINGS.match(name):
        return False
    words = _words(name)
    known = words & (_OF_TEST | _OF_VALIDATION | _SCORES | {"score"})
    known |= {word for word in words if role_of(word) is Role.METRIC}
    return bool(known) and not words & _NO_SCORE


def _numbers(table: RawTable) -> list[str]:
    """Return the columns of numbers that nothing says are no scores."""
    return [
        name
        for at, name in enumerate(table.columns)
        if not _words(name) & _NO_SCORE
        and name_key(name) not in (*_EXPERIMENTS, *OUTCOMES, *FLAGS)
        and field_of(name) is None
        and _is_numeric(table, at)
    ]


def _is_numeric(table: RawTable, at: int) -> bool:
    cells = [row.cells[at] for row in table.rows[:_SEEN_ROWS]]
    said = [cell for cell in cells if not is_missing(cell)]
    n_numbers = sum(number_in(cell) is not None for cell in said)
    return bool(said) and 2 * n_numbers >= len(said)


def _is_of(name: str, metric: str | None) -> bool:
    """Say whether the name of a column speaks of the metric."""
    if metric is None:
        return False
    words = _words(name) - _OF_TEST - _OF_VALIDATION - {"mean", "avg", "score", "best"}
    written = [word for word in re.findall(_WORD, _plain(name)) if word in words]
    tried = {"_".join(sorted(words)), *words, "_".join(written)} - {""}
    found = (known_metric(text) for text in tried)
    return any(known is not None and known.name == metric for known in found)


def _plain(name: str) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", _PREFIX.sub("", name))
    return text.lower()


def _words(name: str) -> frozenset[str]:
    """Return the words of a name, and those with a number without it too."""
    words = re.findall(_WORD, _plain(name))
    return frozenset((*words, *(word.rstrip("0123456789") for word in words)))


def _several_message(table: RawTable, names: Sequence[str]) -> str:
    shown = ", ".join(repr(shorten(name, 60)) for name in names[:10])
    return (
        f"{table.source}: experiment runs with {plural(len(names), 'score')}: {shown}. "
        "Name the one that the search climbs on with columns={'public_score': "
        f"{names[0]!r}}} (--columns public_score={names[0]}), or say which metric it "
        "is with --metric. Beside a history of submissions, pass the runs as cv_log= "
        "or --cv-log."
    )


_RULES: dict[str, Callable[[RawTable, Asked], RawTable]] = {
    "loop": _tell_loop,
    "journal": _tell_journal,
    "grading report": _tell_grading,
    "optuna": _tell_optuna,
    "mlflow": _tell_runs,
    "wandb": _tell_runs,
    "hydra": _tell_runs,
}
