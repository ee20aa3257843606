"""The readers: anything that holds submissions, and platforms, to a `History`.

Their options are one record, `ReaderOptions`.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import os
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack

from lbsense._format import shorten
from lbsense._typing import Platform
from lbsense._validation import check_kind
from lbsense.errors import FetchError, IngestError
from lbsense.ingest.fetch.listing import Fetched, Row
from lbsense.ingest.fetch.servers import TOKEN_VARIABLE, ask_kaggle, ask_zindi
from lbsense.ingest.history.agents import Asked
from lbsense.ingest.history.build import build_submissions
from lbsense.ingest.history.choose import TableName, choose_tables
from lbsense.ingest.history.drafts import read_rows, with_stated
from lbsense.ingest.history.warnings import Seen, check_claims, warnings_of
from lbsense.ingest.log import join_tables
from lbsense.ingest.platforms import fill_from_catalogue, known_metric
from lbsense.ingest.tables.dates import read_dates
from lbsense.ingest.tables.read import read_tables
from lbsense.ingest.tables.sheet import (
    ColumnNames,
    named_fields,
    with_pairs_apart,
)
from lbsense.metrics import Metric, find_metric
from lbsense.model import Competition, DataWarning, History, content_groups

_AS_SAID = (
    *("slug", "cv_greater_is_better", "train_size", "test_size", "public_fraction"),
    "n_selections",
)
_P = ParamSpec("_P")
_R = TypeVar("_R")
_STAND_IN = "**options : ReaderOptions\n    What the user says."


class ReaderOptions(TypedDict, total=False):
    """The options of every reader of submissions; None is the default of each.

    Attributes
    ----------
    metric : str, optional
        Name or alias of the metric, which also gives the direction.
    greater_is_better : bool, optional
        Direction of the scores; needed where the metric is not registered.
    cv_greater_is_better : bool, optional
        Direction of the CV scores, where it differs from that of the leaderboard.
    train_size, test_size : int, optional
        Rows of the training set and of the whole test set.
    public_fraction : float, optional
        Share of the test rows behind the public score, in (0, 1].
    nested : bool, optional
        Whether the private score covers the public rows too (old Zindi rules).
    slug : str, optional
        Name of the competition in its address. What nobody says of it (metric and
        direction, public share, deadline, selections) is taken from Kaggle's own facts
        of March 2022 where the competition is in them; warning LBS120 tells which.
    deadline : datetime or str, optional
        End of the competition; UTC where it has no zone.
    n_selections : int, optional
        Submissions that an entrant may select for the final ranking.
    columns : mapping of str to str or list of str, optional
        Our field to your column, as in ``{"public_score": "LB"}``; it wins over what
        is recognised. Short names such as "lb", "cv" and "date" stand for fields too;
        ``cv_fold_scores`` may name several columns, and so may ``cv``, each another
        kind of CV score, the first one first: ``{"cv": ["oof", "holdout"]}``.
    table : int, str or list of these, optional
        Which table of a document, by its number or its heading, where it holds
        several; a list reads several as one history. The default is the fullest.
    team : str, optional
        Identifier or name of the team, where the input holds several.
    cv_pattern : str, optional
        Regular expression for CV scores in descriptions and file names, used instead
        of the rules of `parse_cv`. Its group ``cv``, else the first, is the score.
    cv_log : path, DataFrame or list of dicts, optional
        Experiment log to take CV scores from; see `join_log`. What ``columns`` names
        and only the log has is of the log.
    """

    metric: str | None
    greater_is_better: bool | None
    cv_greater_is_better: bool | None
    train_size: int | None
    test_size: int | None
    public_fraction: float | None
    nested: bool | None
    slug: str | None
    deadline: datetime | str | None
    n_selections: int | None
    columns: ColumnNames | None
    table: TableName | None
    team: str | None
    cv_pattern: str | None
    cv_log: Any


def takes_options(reader: Callable[_P, _R]) -> Callable[_P, _R]:
    """Give a reader the options by name: in its signature, its help and its errors."""
    hints = typing.get_type_hints(ReaderOptions)
    own = inspect.signature(reader, eval_str=True)
    named = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
    named += [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint
        )
        for name, hint in hints.items()
    ]
    known = [item.name for item in named]

    @functools.wraps(reader)
    def named_reader(*args: _P.args, **options: _P.kwargs) -> _R:
        for name in options:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                msg = f"{reader.__name__}() has no option {name!r}.{hint}"
                raise TypeError(msg)
        return reader(*args, **options)

    del named_reader.__wrapped__
    named_reader.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=named
    )
    named_reader.__annotations__ = {
        **{item.name: item.annotation for item in named},
        "return": own.return_annotation,
    }
    # Python 3.13 and later take the indentation from docstrings themselves.
    options_told = inspect.cleandoc(ReaderOptions.__doc__ or "")
    described = options_told.partition("----------\n")[2]
    text = inspect.cleandoc(reader.__doc__ or "")
    named_reader.__doc__ = text.replace(_STAND_IN, described) or None
    return named_reader


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
    columns, of_log = named_fields(options.get("columns"), raw, log)
    choice = choose_tables(
        raw,
        Asked(competition.metric, competition.slug, columns),
        wanted=options.get("table"),
        team=options.get("team"),
        hand_made=hand_made,
    )
    tables = [
        read_rows(table, export, columns, metric=competition.metric)
        for table, export in choice.tables
    ]
    stated, contradictions = with_stated(competition, tables)
    issues = [*choice.issues, *contradictions]
    issues += (issue for table in tables for issue in table.issues)
    if not any(table.drafts for table in tables):
        shown = "".join(f"\n  {issue}" for issue in issues[:5])
        msg = f"{raw[0].source}: not one row is a submission.{shown}"
        raise IngestError(msg, issues=issues)
    said = competition.greater_is_better
    competition, catalogued = fill_from_catalogue(stated)
    known = metric or known_metric(competition.metric)
    built = build_submissions(
        tables, choice, cv_pattern=pattern, metric=known, greater_is_better=said
    )
    history = History(
        competition=competition,
        submissions=built.submissions,
        dropped=(*issues, *built.issues),
        reading=built.reading,
    )
    check_claims(history, metric)
    if log is not None:
        history = join_tables(history, log, of_log)
    seen = Seen(
        history=history,
        tables=tables,
        drafts=built.drafts,
        metric=known,
        nested_stated=options.get("nested") is not None,
        catalogued=catalogued,
        now=datetime.now(UTC),
        groups=content_groups(history),
    )
    warnings = sorted((*warnings_of(seen), *history.warnings), key=lambda w: w.code)
    return dataclasses.replace(history, warnings=tuple(warnings))


def describe_competition(
    options: ReaderOptions, platform: Platform | None
) -> tuple[Competition, Metric | None]:
    """Return the competition as the user describes it, and its registered metric.

    Raises
    ------
    ValueError
        If the metric is not registered and no direction is given, or the deadline is
        no time.
    """
    for name in ("metric", "slug", "team", "cv_pattern"):
        check_kind(options.get(name), str, name=name, optional=True)
    check_kind(options.get("columns"), Mapping, name="columns", optional=True)
    table, upward = options.get("table"), options.get("greater_is_better")
    if table is not None and not isinstance(table, (int, str, Sequence)):
        msg = f"table must be a number, a heading or several of them, got {table!r}."
        raise TypeError(msg)
    if upward is not None and type(upward).__name__ not in ("bool", "bool_"):
        msg = f"greater_is_better must be True, False or None, got {upward!r}."
        raise TypeError(msg)
    metric, greater = options.get("metric"), options.get("greater_is_better")
    found: Metric | None = None
    if metric is not None:
        try:
            found = find_metric(metric)
        except ValueError:
            if greater is None:
                raise
    if found is not None:
        greater = _direction(found, greater)
    as_said: dict[str, Any] = {name: options.get(name) for name in _AS_SAID}
    competition = Competition(
        platform=platform,
        metric=metric if found is None else found.name,
        greater_is_better=greater,
        nested=bool(options.get("nested")),
        deadline=_deadline(options.get("deadline")),
        **as_said,
    )
    return competition, found


def _direction(metric: Metric, stated: bool | None) -> bool:
    """Return the direction of a metric, which the user cannot contradict."""
    if stated is None or stated == metric.greater_is_better:
        return metric.greater_is_better
    known, other = (
        ("higher", "lower") if metric.greater_is_better else ("lower", "higher")
    )
    msg = (
        f"metric={metric.name!r} is better the {known}, greater_is_better={stated} "
        f"says the {other}. Leave the direction out; for scores with a flipped sign "
        f"name the metric {metric.mirrored().name!r}; for a score of your own leave "
        f"the metric out and keep the direction (--{other}-is-better alone)."
    )
    raise ValueError(msg)


def completed_by(options: ReaderOptions, facts: Mapping[str, object]) -> ReaderOptions:
    """Return the options with what the input itself says of the competition.

    What the user says wins. A metric that is not registered needs a direction, which
    an input does not say.
    """
    stated: dict[str, Any] = {k: v for k, v in options.items() if v is not None}
    found: dict[str, Any] = {}
    for name in ("slug", "deadline", "metric"):
        fact = facts.get(name)
        if isinstance(fact, str) and name not in stated:
            found[name] = fact
    if "metric" in found and known_metric(found["metric"]) is None:
        del found["metric"]
    if "deadline" in found and read_dates([found["deadline"]]).values[0] is None:
        del found["deadline"]
    return ReaderOptions(**{**found, **stated})  # type: ignore[typeddict-item]


def _deadline(deadline: datetime | str | None) -> datetime | None:
    value = read_dates([deadline]).values[0]
    if value is None and deadline is not None:
        msg = f"deadline must be a time such as 2026-07-28 23:59, got {deadline!r}."
        raise ValueError(msg)
    return value


def text_pattern(options: ReaderOptions) -> str | None:
    """Return the user's expression, checked, in the form that `parse_cv` takes.

    Raises
    ------
    ValueError
        If it is no regular expression.
    """
    pattern = options.get("cv_pattern")
    if pattern is None:
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        msg = (
            f"cv_pattern must be a regular expression such as 'cv([0-9.]+)', got "
            f"{pattern!r}: {error}."
        )
        raise ValueError(msg) from error
    return pattern.replace("(?P<cv>", "(?P<value>")


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


_FACT_TYPES: Mapping[str, Callable[[str], Any]] = {
    "metric": str,
    "slug": str,
    "team": str,
    "deadline": str,
    "cv_pattern": str,
    "train_size": lambda text: int(text.replace(",", "").replace("_", "")),
    "test_size": lambda text: int(text.replace(",", "").replace("_", "")),
    "n_selections": int,
    "public_fraction": lambda text: (
        float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    ),
    **dict.fromkeys(
        ("greater_is_better", "cv_greater_is_better", "nested"),
        lambda text: {"true": True, "yes": True, "false": False, "no": False}[
            text.lower()
        ],
    ),
}


def read_facts(path: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Return what a table says of several histories, by their files.

    Parameters
    ----------
    path : path
        A table with a column ``history``, the file of each, and any columns named as
        `ReaderOptions` are; an empty cell says nothing.

    Raises
    ------
    IngestError
        If a column or a cell is not understood; the message names it.
    """
    table = read_tables(os.fspath(path))[0]
    columns = [str(name).strip() for name in table.columns]
    unknown = [name for name in columns if name not in (*_FACT_TYPES, "history")]
    if "history" not in columns or unknown:
        found = f"unknown columns {', '.join(unknown)}" if unknown else table.shown
        msg = (
            f"{table.source}: a table of facts has a column history and any of "
            f"{', '.join(_FACT_TYPES)}; found {shorten(found, 200)}."
        )
        raise IngestError(msg)
    facts: dict[str, dict[str, Any]] = {}
    for row in table.rows:
        told: dict[str, Any] = {}
        for name, cell in zip(columns, row.cells, strict=True):
            text = "" if cell is None else str(cell).strip()
            if not text or name == "history":
                continue
            try:
                told[name] = _FACT_TYPES[name](text)
            except (ValueError, KeyError):
                msg = (
                    f"{table.source}:{row.line}: {name} is {shorten(text, 40)!r}, "
                    "which is no such value."
                )
                raise IngestError(msg) from None
        key = str(row.cells[columns.index("history")] or "").strip()
        if key in facts or not key:
            msg = f"{table.source}:{row.line}: every row names one other history."
            raise IngestError(msg)
        facts[key] = told
    return facts
