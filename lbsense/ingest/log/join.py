"""CV scores from an experiment log, joined to the submissions that they belong to."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

from lbsense._format import plural, shorten
from lbsense.ingest.log.columns import find_log_columns
from lbsense.ingest.log.match import NOBODY, SHARED, TAKEN, match_runs
from lbsense.ingest.log.runs import LogRun, read_runs
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import ColumnNames, check_overrides
from lbsense.model import DataWarning, History, RowIssue, Submission

__all__ = ["join_log"]

_REASONS = {
    NOBODY: "named by no submission",
    SHARED: "with a name that several entries or submissions have",
    TAKEN: "for a submission that has another entry",
}

_KEPT = "CV of the history's own column kept"


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
    word; else by the name of the file. A name that two entries or two submissions share
    says nothing and is not used.

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
    tables = read_tables(log)
    check_overrides(columns, tables)
    issues: list[RowIssue] = []
    runs: list[LogRun] = []
    metric = history.competition.metric
    for table in tables:
        found = find_log_columns(table, columns or {}, metric=metric)
        issues += table.issues
        runs += read_runs(table, found, issues)
    runs = _without_doubles(runs)
    matches, left = match_runs(history.submissions, runs)
    submissions = list(history.submissions)
    for place, run in matches.items():
        before = submissions[place]
        if before.cv_score is None or before.cv_source != "column":
            submissions[place] = _with_run(before, run)
        elif not math.isclose(before.cv_score, run.score, rel_tol=1e-6):
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
    return replace(
        item,
        cv_score=run.score,
        cv_std=run.std,
        cv_fold_scores=run.folds,
        cv_source="log",
        cv_text=run.text,
        cv_scheme=run.kind,
    )


def _without_doubles(runs: list[LogRun]) -> list[LogRun]:
    """Return every entry once: pages of a log overlap."""
    return list({replace(run, source="", line=0): run for run in runs}.values())


def _issue(run: LogRun, expected: str, action: str) -> RowIssue:
    return RowIssue(
        source=run.source,
        line=run.line,
        found=shorten(f"{run.name}, CV {run.score:g}", 80),
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
