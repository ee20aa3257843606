"""CV scores from an experiment log, joined to the submissions they belong to."""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lbsense._format import plural, shorten
from lbsense._validation import check_kind
from lbsense.errors import IngestError
from lbsense.ingest.cv.heading import (
    Surety,
    cv_heading,
    field_of,
    fold_number,
    name_key,
)
from lbsense.ingest.history.drafts import other_cv_scores
from lbsense.ingest.tables.raw import RawRow, RawTable, read_text
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import (
    Assignment,
    ColumnNames,
    Sheet,
    cv_columns,
    fold_columns,
    named_columns,
    named_fields,
    other_cv,
)
from lbsense.model import (
    DataWarning,
    History,
    RowIssue,
    Submission,
    file_stem,
    plain_stem,
)

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


class RunNames(NamedTuple):
    """What an entry calls the submission, itself, and the file that it wrote.

    ``others`` is what stands in its other columns of words: perhaps a name.
    """

    references: tuple[str, ...]
    experiments: tuple[str, ...]
    files: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRun:
    """One entry of a log: where it stands, what it calls things, its CV score.

    Attributes
    ----------
    named : RunNames
        What it calls things.
    cv_score, cv_others, cv_std, cv_fold_scores, cv_text, cv_scheme, cv_metric
        As in `lbsense.Submission`; scheme and metric are those that the column names.
    """

    source: str
    line: int
    named: RunNames
    cv_score: float
    cv_others: tuple[tuple[str, float], ...] = ()
    cv_std: float | None
    cv_fold_scores: tuple[float, ...]
    cv_text: str
    cv_scheme: str
    cv_metric: str | None

    @property
    def name(self) -> str:
        """The shortest name that it has, if any."""
        references, experiments, files, others = self.named
        names = (*experiments, *references, *files) or others
        return min(names, key=len, default="an entry without a name")


def read_runs(
    table: RawTable, overrides: ColumnNames, *, metric: str | None
) -> tuple[list[LogRun], list[RowIssue]]:
    """Return the rows that have a CV score, and the issues of what has none.

    Of several CV columns, the one that names the metric of the competition wins.

    Raises
    ------
    IngestError
        If the table is a chart export, if no column can be the CV score, or if
        several can.
    """
    _refuse_chart(table)
    table = table.unguarded()
    columns = _assign(table, overrides, metric)
    sheet = Sheet(table, columns)
    name_columns = [_names(table, columns, field) for field in _NAMES]
    known = {*columns.columns.values(), *columns.folds, *columns.cv_others}
    known = known.union(*name_columns)
    others = tuple(at for at in range(len(table.columns)) if at not in known)
    at = columns.columns.get("cv_score")
    cv_name = "".join(table.columns[place] for place in columns.folds[:1])
    cv_name = cv_name if at is None else table.columns[at]
    runs: list[LogRun] = []
    issues = sheet.issues
    scores = zip(table.rows, sheet.cv_scores(), other_cv_scores(sheet), strict=True)
    for row, (score, folds), further in scores:
        names = [tuple(_texts(table, row, places)) for places in name_columns]
        leading = (_LEADING.match(text) for text in _texts(table, row, columns.texts))
        names[1] += tuple(match["name"] for match in leading if match)
        if score is None or not score.value:
            called = next((name for group in names for name in group), "no name")
            issue = table.issue(
                shorten(f"{called}, CV {'missing' if score is None else 0}", 80),
                "a CV score; 0 stands for a missing one",
                "entry left out",
                line=row.line,
            )
            issues.append(issue)
            continue
        own = at is not None and not (folds and score.folds is folds)
        run = LogRun(
            source=table.source,
            line=row.line,
            named=RunNames(names[0], names[1], names[2], tuple(_words_of(row, others))),
            cv_score=score.value,
            cv_others=further,
            cv_std=score.spread,
            cv_fold_scores=folds or score.folds,
            cv_text=f"{cv_name}={row.cells[at or 0]}" if own else "mean of the folds",
            cv_scheme=_scheme(cv_name),
            cv_metric=_metric(cv_name) if own else None,
        )
        runs.append(run)
    return runs, issues


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
    others = tuple(other_cv(table, overrides))
    return Assignment(
        columns=columns, folds=folds, texts=texts, issues=(), cv_others=others
    )


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


_WORD = re.compile(r"[^\W_](?:[\w.#-]*[^\W_])?")
_PIECE = re.compile(r"[_-]")
_NUMBERED = re.compile(
    r"(?<![^\W_])(?P<prefix>[^\W\d_]{1,20})[_#-]?(?P<number>[0-9]{1,8})"
    r"(?P<suffix>[a-z]?)(?![^\W_]|\.[0-9])",
    re.IGNORECASE,
)
# "exp 12" and "run #3" name an experiment; "lr 12" does not.
_SPACED = re.compile(
    r"(?<![^\W_])(?P<prefix>exp|experiment|run|version|ver|v|trial)\.?[ #]{1,2}"
    r"(?P<number>[0-9]{1,8})(?P<suffix>[a-z]?)(?![^\W_]|\.[0-9])",
    re.IGNORECASE,
)
# "exp4: lags" and "exp4 from exp2" begin with their own name; "exp2 + lags" does not.
_OWN = re.compile(r"[\])]?\s{0,3}(?:$|[:;,|(=–—]|-\s|(?:from|based|vs)(?!\w))", re.I)
_MORE = re.compile(r"\s{0,3}(?:\+|(?:plus|with|without|but|minus|w/)(?!\w))", re.I)
_SAME_PREFIX = {"experiment": "exp", "version": "v", "ver": "v"}
_MAX_PIECES = 6
_MAX_BREAKS = 40
_MAX_TEXT = 4000
_N_WAYS, _SURE_WAYS = 6, 4  # kinds of keys, and those that are meant as names


# What was expected of an entry that is left over, and how the warning says it.
_NOBODY = "a name that stands in the texts of one submission"
_SHARED = "a name that only one entry and one submission have"
_TAKEN = "a submission that no other entry is joined to"
_REASONS = {
    _NOBODY: "named by no submission",
    _SHARED: "with a name that several entries or submissions have",
    _TAKEN: "for a submission that has another entry",
}


def join_log(
    history: History, log: Any, *, columns: ColumnNames | None = None
) -> History:
    """Return the history with the CV scores of an experiment log.

    Use it when the CV scores are kept by MLflow, W&B, Neptune, or in a sheet of your
    own, one row for each run.

    Parameters
    ----------
    history : History
        The submissions; it is not changed.
    log : path, list of paths, file-like, text, DataFrame or list of dicts
        MLflow (``mlflow experiments csv`` or the download of its page), the runs table
        of W&B, the runs table of Neptune, or any table with one row for each run.
    columns : mapping of str to str, optional
        Our field to your column, where a name is not understood: "cv_score", "cv_std",
        "cv_fold_scores" (one column or a list), "submission_id", "experiment_id",
        "file_name". ``{"cv_score": "valid"}``, for example.

    Returns
    -------
    History
        With ``cv_source`` "log" on the submissions that were found. Entries that could
        not be joined are in ``dropped``, and their number in the warning LBS113.

    Raises
    ------
    IngestError
        If the log cannot be read, is the export of a chart, has no column for the CV
        score, or has several: then the message names them.
    ValueError
        If ``columns`` has a key that is no field.

    Notes
    -----
    An entry is joined by the reference of the submission; else by the name of the run
    (``exp001``, ``CHK-220b``, a run id) where a description begins with it, or where
    that or a file name has it as a word; else by the name of the file; else by what
    stands in any other column, which may be the name of the submission, its file with
    a folder and an ending or without, or its description. A name that two entries or
    two submissions share says nothing and is not used.

    A score of the log replaces one that was read from text. It does not replace one
    that stood in a column of the history, which says the same and stands nearer; a
    disagreement is listed in ``dropped``.

    Examples
    --------
    >>> from lbsense.model import Competition, History, Submission
    >>> sent = Submission(submission_id="1", description="exp007: more lags")
    >>> history = History(competition=Competition(), submissions=(sent,))
    >>> log = [{"run": "exp007", "cv_rmse": 0.4471}, {"run": "exp008", "cv_rmse": 0.5}]
    >>> joined = join_log(history, log)
    >>> joined[0].cv_score, joined[0].cv_source
    (0.4471, 'log')
    >>> print(joined.warnings[0])
    LBS113: 1 of 2 log entries joined to a submission, 1 not (exp008): ...
    """
    check_kind(history, History, name="history")
    check_kind(columns, Mapping, name="columns", optional=True)
    tables = read_tables(log)
    return join_tables(history, tables, named_fields(columns, tables)[0])


def join_tables(
    history: History, tables: Sequence[RawTable], columns: ColumnNames | None
) -> History:
    """Return the history with the CV scores of the tables of a log; as `join_log`."""
    issues: list[RowIssue] = []
    entries: list[LogRun] = []
    for table in tables:
        runs, left_out = read_runs(
            table, columns or {}, metric=history.competition.metric
        )
        issues += [*table.issues, *left_out]
        entries += runs
    # Pages of a log overlap: an entry counts once.
    once = {replace(run, source="", line=0): run for run in entries}
    runs = list(once.values())
    matches, alone = match_runs(history.submissions, [run.named for run in runs])
    left = [(runs[number], reason) for number, reason in alone.items()]
    submissions = list(history.submissions)
    for place, number in matches.items():
        before, run = submissions[place], runs[number]
        if before.cv_score is None or before.cv_source != "column":
            submissions[place] = _with_run(before, run)
        elif not math.isclose(before.cv_score, run.cv_score, rel_tol=1e-6):
            stated = f"{before.cv_score:g} as in the history's own column"
            issues.append(_not_joined(run, stated, "the column's score kept"))
    issues += [_not_joined(run, expected, "entry not joined") for run, expected in left]
    return replace(
        history,
        submissions=tuple(submissions),
        dropped=(*history.dropped, *issues),
        warnings=(*history.warnings, *_warnings(len(matches), left)),
    )


def _with_run(item: Submission, run: LogRun) -> Submission:
    names = (field for field in LogRun.__dataclass_fields__ if field.startswith("cv_"))
    fields = {name: getattr(run, name) for name in names}
    fields["cv_others"] = run.cv_others or item.cv_others
    return replace(item, cv_source="log", **fields)


def _not_joined(run: LogRun, expected: str, action: str) -> RowIssue:
    return RowIssue(
        source=run.source,
        line=run.line,
        found=shorten(f"{run.name}, CV {run.cv_score:g}", 80),
        expected=expected,
        action=action,
    )


def _warnings(n_joined: int, left: list[tuple[LogRun, str]]) -> list[DataWarning]:
    if not left:
        return []
    names = ", ".join(shorten(run.name, 30) for run, _ in left[:3])
    more = ", ..." if len(left) > 3 else ""
    reasons = Counter(expected for _, expected in left)
    why = "; ".join(f"{count} {_REASONS[name]}" for name, count in reasons.items())
    message = (
        f"{n_joined} of {plural(n_joined + len(left), 'log entry', 'log entries')} "
        f"joined to a submission, {len(left)} not ({names}{more}): {why}. That is as "
        "it should be for runs that were never submitted. For the others, write the "
        "name of the run into the description, or the submission's ref into the log."
    )
    return [DataWarning(code="LBS113", message=message)]


# --- which submission an entry speaks of ---------------------------------------------


def match_runs(
    submissions: Sequence[Submission], runs: Sequence[RunNames]
) -> tuple[dict[int, int], dict[int, str]]:
    """Return which run each submission is of, and why the runs left over are of none.

    Kinds of keys are tried, the surest first: references, the name that a text begins
    with, names in texts, names of files, and the cells of other columns. A key that two
    runs or two submissions have is not used; nor is one key against another.
    """
    matches: dict[int, int] = {}
    left = dict.fromkeys(range(len(runs)), _NOBODY)
    of_runs = [_run_keys(run) for run in runs]
    of_submissions = [_submission_keys(item) for item in submissions]
    for way in range(_N_WAYS):
        keys = [found[way] for found in of_runs]
        places: dict[str, list[int]] = defaultdict(list)
        for place, found in enumerate(of_submissions):
            for key in found[way]:
                places[key].append(place)
        uses = Counter(key for own in keys for key in own)
        claims: dict[int, list[int]] = defaultdict(list)
        for number in left:
            if way >= _SURE_WAYS and left[number] is not _NOBODY:
                continue
            known = [key for key in keys[number] if key in places]
            sure = {
                places[key][0] for key in known if uses[key] == len(places[key]) == 1
            }
            if len(sure) == 1:
                claims[sure.pop()].append(number)
            elif known:
                left[number] = _SHARED
        for place, numbers in claims.items():
            if place not in matches and len(numbers) == 1:
                matches[place] = numbers[0]
                del left[numbers[0]]
            else:
                left.update(dict.fromkeys(numbers, _TAKEN))
    return matches, left


def _run_keys(run: RunNames) -> tuple[set[str], ...]:
    """Return references, names, files and other words of a run, as texts have them."""
    files = {file_stem(name).lower() for name in (*run.files, *run.experiments)}
    others = {name.lower() for name in run.others}
    others |= {file_stem(name).lower() for name in run.others}
    plain = {plain_stem(name) for name in (*others, *files)}
    names = _names_in_texts(run.experiments)
    return (
        {key.lower() for key in run.references},
        names,
        names,
        files,
        others | plain,
        _names_in_texts([file_stem(name) for name in run.others]),
    )


def _names_in_texts(given: Iterable[str]) -> set[str]:
    """Return the names that tell a run from others, in one form.

    A single word without a digit is no name of a run: "lgbm" says too little.
    """
    names = set()
    for name in given:
        plain = name.lower()
        numbered = _NUMBERED.fullmatch(plain) or _SPACED.fullmatch(plain)
        if numbered is not None:
            names.add(_numbered_form(numbered))
        elif _WORD.fullmatch(plain) and not plain.replace(".", "").isdigit():
            compound = len(plain) >= 6 and _PIECE.search(plain) is not None
            if compound or any(char.isdigit() for char in plain):
                names.add(plain)
    return names


def _submission_keys(item: Submission) -> tuple[set[str], ...]:
    """Return the keys of a submission, of the kinds of `_run_keys`."""
    names: set[str] = set()
    for text in (item.description, item.file_name):
        text = (text or "")[:_MAX_TEXT]
        names.update(numbered_names(text))
        for match in _WORD.finditer(text.lower()):
            names.update(_parts(file_stem(match.group())))
    files = {file_stem(item.file_name).lower()} if item.file_name else set()
    own = item.submission_id.strip().lower()
    whole = {own, *files, *map(plain_stem, files)}
    if item.description:
        whole.add(item.description.strip().lower())
    return {own}, _leading(item.description or ""), names, files, whole, names


def _leading(text: str) -> set[str]:
    """Return the name that a description begins with, if it is its own."""
    text = text[:_MAX_TEXT].lstrip(" \t[(#*").lower()
    found = _NUMBERED.match(text) or _SPACED.match(text) or _WORD.match(text)
    if found is None:
        return set()
    alone = len(set(numbered_names(text))) <= 1 and not _MORE.match(text[found.end() :])
    if not alone and not _OWN.match(text[found.end() :]):
        return set()
    return _names_in_texts([found.group()])


def numbered_names(text: str) -> list[str]:
    """Return every "exp7", "EXP_007" and "exp 007" of a text, each in one form.

    Examples
    --------
    >>> numbered_names("EXP_007 beats version 12")
    ['exp 7', 'v 12']
    """
    found = (*_NUMBERED.finditer(text), *_SPACED.finditer(text))
    return [_numbered_form(match) for match in found]


def _numbered_form(match: re.Match[str]) -> str:
    """Return one form for "exp7", "EXP_007" and "exp 007"."""
    prefix = match["prefix"].lower()
    prefix = _SAME_PREFIX.get(prefix, prefix)
    return f"{prefix} {int(match['number'])}{match['suffix'].lower()}"


def _parts(word: str) -> Iterator[str]:
    """Yield a word and the parts of it that stand between hyphens and underscores."""
    yield word
    cuts = [match.start() for match in _PIECE.finditer(word)][:_MAX_BREAKS]
    starts, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(word)]
    for first, start in enumerate(starts):
        for end in ends[first : first + _MAX_PIECES]:
            yield word[start:end]
