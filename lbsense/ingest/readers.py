"""The readers: anything that holds submissions, and platforms, to a `History`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Unpack

from lbsense._typing import Platform
from lbsense._validation import check_kind
from lbsense.errors import FetchError, IngestError
from lbsense.ingest.fetch.kaggle import ask_kaggle
from lbsense.ingest.fetch.listing import Fetched, Row
from lbsense.ingest.fetch.zindi import TOKEN_VARIABLE, ask_zindi
from lbsense.ingest.history.agents import Asked
from lbsense.ingest.history.build import (
    build_submissions,
    in_time_order,
    reading_of,
    without_overlap,
)
from lbsense.ingest.history.choose import choose_tables, choose_team
from lbsense.ingest.history.drafts import ReadTable, read_rows
from lbsense.ingest.history.warnings import Seen, check_claims, warnings_of
from lbsense.ingest.log import join_tables
from lbsense.ingest.options import (
    ReaderOptions,
    completed_by,
    describe_competition,
    fill_from_catalogue,
    known_metric,
    takes_options,
    text_pattern,
)
from lbsense.ingest.tables.raw import RawTable
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import (
    check_overrides,
    field_names,
    split_columns,
    with_pairs_apart,
)
from lbsense.model import Competition, DataWarning, History, RowIssue, content_groups

_MAX_SUBMISSIONS = 100_000


@takes_options
def read_submissions(
    data: Any,
    *,
    platform: Platform | None = None,
    **options: Unpack[ReaderOptions],
) -> History:
    r"""Return the submission history in a file, a data frame or the objects of an API.

    The layout is recognised: exports of Kaggle and Zindi of every generation, printed
    tables, JSON, host exports, and tables made by hand. `lbsense.ingest.FORMATS` tells
    what can be read and how to get each.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame, list of dicts or of objects
        The submissions. Several files are the pages of one history.
    platform : {"kaggle", "zindi"}, optional
        Where the competition runs; recognised where the layout tells.
    **options : ReaderOptions
        What the user says.

    Returns
    -------
    History
        In time order. ``dropped`` lists every row and cell that was not understood,
        ``warnings`` what weakens the data as a whole.

    Raises
    ------
    IngestError
        If there is no submission history in it; the message says what is there.
    ValueError
        If the metric is not registered and no direction is given, or an option is not
        valid.

    See Also
    --------
    read_kaggle, read_zindi, read_table : the same for one source.

    Notes
    -----
    A CV score comes from its column where the row has one there, else from the
    description, else from the file name. Times without a zone are UTC. Rows that two
    pages share are merged; submissions sent twice are not.

    Examples
    --------
    >>> text = "\n".join([
    ...     "fileName,date,description,status,publicScore,privateScore",
    ...     "b.csv,2026-07-29 10:00:00,blend cv 0.8213,complete,0.80110,",
    ...     "a.csv,2026-07-28 10:00:00,first,complete,0.79250,",
    ... ])
    >>> history = read_submissions(text, metric="roc_auc")
    >>> [(item.file_name, item.public_score, item.cv_score) for item in history]
    [('a.csv', 0.7925, None), ('b.csv', 0.8011, 0.8213)]
    """
    return _read(data, options, platform)


@takes_options
def read_kaggle(
    data: Any,
    **options: Unpack[ReaderOptions],
) -> History:
    """Return the submission history of a Kaggle competition.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame, list of dicts or of objects
        A CSV, table or JSON of ``kaggle competitions submissions`` of any version,
        several of them (pages), what ``kaggle.api.competition_submissions`` returns or
        a dump of it, a host export (with ``team``), rows of Meta Kaggle, or your own
        log.
    **options : ReaderOptions
        What the user says.

    Returns
    -------
    History
        With ``competition.platform`` "kaggle".

    See Also
    --------
    read_submissions : for any source; it says what is raised.

    Examples
    --------
    >>> rows = [{"ref": 7, "publicScore": "0.81", "status": "COMPLETE"}]
    >>> read_kaggle(rows)["7"].public_score
    0.81
    """
    return _read(data, options, "kaggle")


@takes_options
def read_zindi(
    data: Any,
    **options: Unpack[ReaderOptions],
) -> History:
    """Return the submission history of a Zindi competition.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame, list of dicts or of objects
        The answer of the submissions address, wrapped in ``data`` or not, what
        ``submission_board`` of the zindi package returns or prints, a CSV of either,
        or your own log.
    **options : ReaderOptions
        What the user says.

    Returns
    -------
    History
        With ``competition.platform`` "zindi".

    See Also
    --------
    read_submissions : for any source; it says what is raised.

    Notes
    -----
    The column ``score`` of a printed board holds the public score before the close and
    the private score after it. It is read as public, and warning LBS114 says so.

    Examples
    --------
    >>> row = {"id": "x7", "status": "initial", "filename": "a.csv",
    ...        "created_at": "2026-01-07T12:30:15Z", "public_score": None}
    >>> read_zindi({"data": [row]})["x7"].status
    'pending'
    """
    return _read(data, options, "zindi")


@takes_options
def read_table(
    data: Any,
    **options: Unpack[ReaderOptions],
) -> History:
    r"""Return the submission history in a table made by hand.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame or list of dicts
        CSV, TSV, semicolons, Markdown, or lines of ``Label: value``. Common names of
        columns are recognised; ``columns`` names the others.
    **options : ReaderOptions
        What the user says.

    Returns
    -------
    History
        Without dates the rows keep their order, the first being the oldest. No two
        rows are taken for one.

    See Also
    --------
    read_submissions : for any source; it says what is raised.

    Examples
    --------
    >>> text = "model,cv,LB\nbase,0.7052 (0.0641),0.71\nblend,TBD,**.7900**"
    >>> [(item.cv_score, item.public_score) for item in read_table(text)]
    [(0.7052, 0.71), (None, 0.79)]
    """
    return _read(data, options, None, hand_made=True)


def _read(
    data: Any,
    options: ReaderOptions,
    platform: Platform | None,
    *,
    hand_made: bool = False,
) -> History:
    """Return the history in ``data``, with every warning about it, in its steps."""
    competition, metric = describe_competition(options, platform)
    pattern = text_pattern(options)
    raw = tuple(with_pairs_apart(table) for table in read_tables(data))
    if raw and raw[0].facts:
        options = completed_by(options, raw[0].facts)
        competition, metric = describe_competition(options, platform)
    log = None if options.get("cv_log") is None else read_tables(options["cv_log"])
    columns, of_log = split_columns(field_names(options.get("columns")), raw, log)
    check_overrides(columns, raw)
    asked = Asked(competition.metric, competition.slug, columns)
    choice = choose_tables(raw, asked, wanted=options.get("table"), hand_made=hand_made)
    issues, exports = choice.issues, [export for _, export in choice.tables]
    found = [table for table, _ in choice.tables]
    ours = choose_team(found, options.get("team"), columns)
    issues += _other_directions(ours, competition)
    _check_size(ours)
    tables = [
        read_rows(table, export, columns, metric=competition.metric)
        for table, export in zip(ours, exports, strict=True)
    ]
    for table in tables:
        issues += table.issues
    drafts, overlap = without_overlap(tables)
    if not drafts:
        raise IngestError(_empty_message(raw[0], issues), issues=issues)
    drafts, order = in_time_order(
        drafts, tables, greater_is_better=competition.greater_is_better
    )
    competition, catalogued = fill_from_catalogue(
        _with_direction(_with_platform(competition, tables), ours)
    )
    known = metric or known_metric(competition.metric)
    submissions, unknown_parents = build_submissions(
        drafts, cv_pattern=pattern, metric=known
    )
    history = History(
        competition=competition,
        submissions=tuple(submissions),
        dropped=(*issues, *overlap, *unknown_parents),
        reading=reading_of(tables, choice, order, submissions),
    )
    check_claims(history, metric)
    if log is not None:
        history = join_tables(history, log, of_log)
    seen = Seen(
        history=history,
        tables=tables,
        drafts=drafts,
        metric=known,
        nested_stated=options.get("nested") is not None,
        catalogued=catalogued,
        now=datetime.now(UTC),
        groups=content_groups(history),
    )
    warnings = sorted((*warnings_of(seen), *history.warnings), key=lambda w: w.code)
    return dataclasses.replace(history, warnings=tuple(warnings))


def _with_direction(
    competition: Competition, tables: Sequence[RawTable]
) -> Competition:
    """Return the competition with the direction that its tables state, if none is."""
    stated = {table.greater_is_better for table in tables} - {None}
    if competition.greater_is_better is not None or len(stated) != 1:
        return competition
    return dataclasses.replace(competition, greater_is_better=stated.pop())


def _other_directions(
    tables: Sequence[RawTable], competition: Competition
) -> list[RowIssue]:
    """Return the issues of tables that state another direction than the user."""
    said = competition.greater_is_better
    return [
        RowIssue(
            source=table.source,
            found=f"{'lower' if said else 'higher'} is better, as the input states it",
            expected=f"{'higher' if said else 'lower'} is better",
            action="direction as you say it",
        )
        for table in tables
        if said is not None and table.greater_is_better is (not said)
    ]


def _check_size(tables: Sequence[RawTable]) -> None:
    n_rows = sum(len(table.rows) for table in tables)
    if n_rows > _MAX_SUBMISSIONS:
        msg = (
            f"{tables[0].source}: {n_rows:,} rows, but a history is that of one "
            f"entrant and has at most {_MAX_SUBMISSIONS:,}. Cut out the rows of one "
            "team in one competition."
        )
        raise IngestError(msg)


def _empty_message(table: RawTable, issues: Sequence[RowIssue]) -> str:
    shown = "".join(f"\n  {issue}" for issue in issues[:5])
    return f"{table.source}: not one row is a submission.{shown}"


def _with_platform(
    competition: Competition, tables: Sequence[ReadTable]
) -> Competition:
    platforms = {table.export.platform for table in tables} - {None}
    platform = competition.platform
    if platform is None and len(platforms) == 1:
        platform = platforms.pop()
    decimals = [table.decimals for table in tables if table.decimals is not None]
    return dataclasses.replace(
        competition, platform=platform, display_decimals=max(decimals, default=None)
    )


@takes_options
def fetch_kaggle(
    competition: str,
    **options: Unpack[ReaderOptions],
) -> History:
    """Return all your submissions to a Kaggle competition, asked of Kaggle itself.

    Every page is fetched. Kaggle's own client is needed (``pip install
    'lbsense[kaggle]'``) and signs in as it always does: ``KAGGLE_API_TOKEN``,
    ``~/.kaggle/access_token``, ``kaggle.json`` or ``kaggle auth login``.

    Parameters
    ----------
    competition : str
        Its name in its address, or the address.
    **options : ReaderOptions
        What the user says.

    Returns
    -------
    History
        Metric and deadline are those that Kaggle names, unless you say otherwise.

    Raises
    ------
    FetchError
        If Kaggle cannot be asked or does not answer; the message says what to do.

    See Also
    --------
    read_kaggle : the same from a file.

    Examples
    --------
    >>> history = fetch_kaggle("titanic")  # doctest: +SKIP
    """
    check_kind(competition, str, name="competition")
    fetched = ask_kaggle(competition)
    return fetched_history(fetched, fetched.rows, options)


@takes_options
def fetch_zindi(
    competition: str,
    *,
    token: str | None = None,
    **options: Unpack[ReaderOptions],
) -> History:
    """Return all your submissions to a Zindi competition, asked of Zindi itself.

    Parameters
    ----------
    competition : str
        Its name in its address, or the address.
    token : str, optional
        Your ``auth_token``; by default what the environment has as ``ZINDI_TOKEN``. It
        is sent to Zindi alone, never written and never shown.
    **options : ReaderOptions
        What the user says.

    Returns
    -------
    History
        Zindi names no metric: say it.

    Raises
    ------
    FetchError
        If Zindi cannot be asked or does not answer; the message says what to do.

    See Also
    --------
    read_zindi : the same from a file.

    Examples
    --------
    >>> history = fetch_zindi("some-challenge", metric="f1")  # doctest: +SKIP
    """
    check_kind(competition, str, name="competition")
    check_kind(token, str, name="token", optional=True)
    own = os.environ.get(TOKEN_VARIABLE, "") if token is None else token
    fetched = ask_zindi(competition, own)
    return fetched_history(fetched, fetched.rows, options)


def fetched_history(
    fetched: Fetched, rows: tuple[Row, ...], options: ReaderOptions
) -> History:
    """Return rows as a history, with the platform's facts where the user says none.

    Raises
    ------
    FetchError
        If there is not one row.
    """
    if not rows:
        msg = f"{fetched.slug}: there is no submission of yours yet."
        raise FetchError(msg)
    facts: dict[str, Any] = {"slug": fetched.slug, "deadline": fetched.deadline}
    if fetched.metric is not None:
        facts["metric"] = fetched.metric
    elif options.get("greater_is_better") is not None:
        facts["metric"] = fetched.metric_said
    facts |= {name: value for name, value in options.items() if value is not None}
    history = read_submissions(list(rows), platform=fetched.platform, **facts)
    doubts = [DataWarning(code="LBS121", message=text) for text in fetched.doubts]
    return dataclasses.replace(history, warnings=(*history.warnings, *doubts))
