"""CV scores from an experiment log, joined to the submissions that they belong to."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lbsense._format import plural, shorten
from lbsense._validation import check_kind
from lbsense.ingest.log.read import LogRun, read_runs
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import ColumnNames, check_overrides, field_names
from lbsense.model import (
    DataWarning,
    History,
    RowIssue,
    Submission,
    file_stem,
    plain_stem,
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
_SAME_PREFIX = {"experiment": "exp", "version": "v", "ver": "v"}
_MAX_PIECES = 6
_MAX_BREAKS = 40
_MAX_TEXT = 4000
_N_WAYS, _SURE_WAYS = 5, 3  # kinds of keys, and those that are meant as names


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
    (``exp001``, ``CHK-220b``, a run id) where a description or a file name has it as a
    word; else by the name of the file; else by what stands in any other column, which
    may be the name of the submission, its file with a folder and an ending or without,
    or its description. A name that two entries or two submissions share says nothing
    and is not used.

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
    columns = field_names(columns)
    check_overrides(columns, tables)
    return join_tables(history, tables, columns)


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
    matches, left = _match(history.submissions, list(once.values()))
    submissions = list(history.submissions)
    for place, run in matches.items():
        before = submissions[place]
        if before.cv_score is None or before.cv_source != "column":
            submissions[place] = _with_run(before, run)
        elif not math.isclose(before.cv_score, run.cv_score, rel_tol=1e-6):
            stated = f"{before.cv_score:g} as in the history's own column"
            issues.append(_issue(run, stated, "the column's score kept"))
    issues += [_issue(run, expected, "entry not joined") for run, expected in left]
    return replace(
        history,
        submissions=tuple(submissions),
        dropped=(*history.dropped, *issues),
        warnings=(*history.warnings, *_warnings(len(matches), left)),
    )


def _with_run(item: Submission, run: LogRun) -> Submission:
    names = (field for field in LogRun.__dataclass_fields__ if field.startswith("cv_"))
    fields = {name: getattr(run, name) for name in names}
    return replace(item, cv_source="log", **fields)


def _issue(run: LogRun, expected: str, action: str) -> RowIssue:
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


def _match(
    submissions: Sequence[Submission], runs: Sequence[LogRun]
) -> tuple[dict[int, LogRun], list[tuple[LogRun, str]]]:
    """Return the run of each submission, and each run left over with the reason.

    Kinds of keys are tried, the surest first: references, names in texts, names of
    files, and the cells of other columns. A key that two runs or two submissions have
    is not used; nor is one key against another.
    """
    matches: dict[int, LogRun] = {}
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
                matches[place] = runs[numbers[0]]
                del left[numbers[0]]
            else:
                left.update(dict.fromkeys(numbers, _TAKEN))
    return matches, [(runs[number], reason) for number, reason in left.items()]


def _run_keys(run: LogRun) -> tuple[set[str], ...]:
    """Return references, names, files and other words of a run, as texts have them."""
    files = {file_stem(name).lower() for name in (*run.files, *run.experiments)}
    others = {name.lower() for name in run.others}
    others |= {file_stem(name).lower() for name in run.others}
    plain = {plain_stem(name) for name in (*others, *files)}
    return (
        {key.lower() for key in run.references},
        _names_in_texts(run.experiments),
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
    return {own}, names, files, whole, names


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
