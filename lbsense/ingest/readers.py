"""The four readers: anything that holds submissions to a `History`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lbsense._typing import Platform
from lbsense.ingest.history.read import Layout, describe_competition, read_history
from lbsense.ingest.tables.sheet import ColumnNames
from lbsense.model import History

__all__ = ["read_kaggle", "read_submissions", "read_table", "read_zindi"]


def read_submissions(
    data: Any,
    *,
    platform: Platform | None = None,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    cv_greater_is_better: bool | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
    deadline: datetime | str | None = None,
    columns: ColumnNames | None = None,
    team: str | None = None,
    cv_pattern: str | None = None,
    cv_log: Any = None,
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
        Name of the competition in its address.
    deadline : datetime or str, optional
        End of the competition; UTC where it has no zone.
    columns : mapping of str to str or list of str, optional
        Our field to your column, as in ``{"public_score": "LB"}``; it wins over what
        is recognised. ``cv_fold_scores`` may name several columns.
    team : str, optional
        Identifier or name of the team, where the input holds several.
    cv_pattern : str, optional
        Regular expression for CV scores in descriptions and file names, used instead
        of the rules of `parse_cv`. Its group ``cv``, else the first, is the score.
    cv_log : path, DataFrame or list of dicts, optional
        Experiment log to take CV scores from; see `join_log`.

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
    competition, found = describe_competition(
        platform=platform,
        metric=metric,
        greater_is_better=greater_is_better,
        cv_greater_is_better=cv_greater_is_better,
        train_size=train_size,
        test_size=test_size,
        public_fraction=public_fraction,
        nested=nested,
        slug=slug,
        deadline=deadline,
    )
    return read_history(
        data,
        competition=competition,
        metric=found,
        layout=Layout(columns=columns, team=team, cv_pattern=cv_pattern),
        nested_stated=nested is not None,
        cv_log=cv_log,
    )


def read_kaggle(
    data: Any,
    *,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    cv_greater_is_better: bool | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
    deadline: datetime | str | None = None,
    columns: ColumnNames | None = None,
    team: str | None = None,
    cv_pattern: str | None = None,
    cv_log: Any = None,
) -> History:
    """Return the submission history of a Kaggle competition.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame, list of dicts or of objects
        A CSV, table or JSON of ``kaggle competitions submissions`` of any version,
        several of them (pages), what ``kaggle.api.competition_submissions`` returns or
        a dump of it, a host export (with ``team``), rows of Meta Kaggle, or your own
        log.
    metric, greater_is_better, cv_greater_is_better, train_size, test_size
        As for `read_submissions`, like all that follow.
    public_fraction, nested, slug, deadline, columns, team, cv_pattern, cv_log
        As for `read_submissions`.

    Returns
    -------
    History
        With ``competition.platform`` "kaggle".

    See Also
    --------
    read_submissions : what every option means, and what is raised.

    Examples
    --------
    >>> rows = [{"ref": 7, "publicScore": "0.81", "status": "COMPLETE"}]
    >>> read_kaggle(rows)["7"].public_score
    0.81
    """
    return read_submissions(
        data,
        platform="kaggle",
        metric=metric,
        greater_is_better=greater_is_better,
        cv_greater_is_better=cv_greater_is_better,
        train_size=train_size,
        test_size=test_size,
        public_fraction=public_fraction,
        nested=nested,
        slug=slug,
        deadline=deadline,
        columns=columns,
        team=team,
        cv_pattern=cv_pattern,
        cv_log=cv_log,
    )


def read_zindi(
    data: Any,
    *,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    cv_greater_is_better: bool | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
    deadline: datetime | str | None = None,
    columns: ColumnNames | None = None,
    team: str | None = None,
    cv_pattern: str | None = None,
    cv_log: Any = None,
) -> History:
    """Return the submission history of a Zindi competition.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame, list of dicts or of objects
        The answer of the submissions address, wrapped in ``data`` or not, what
        ``submission_board`` of the zindi package returns or prints, a CSV of either,
        or your own log.
    metric, greater_is_better, cv_greater_is_better, train_size, test_size
        As for `read_submissions`, like all that follow.
    public_fraction, nested, slug, deadline, columns, team, cv_pattern, cv_log
        As for `read_submissions`.

    Returns
    -------
    History
        With ``competition.platform`` "zindi".

    See Also
    --------
    read_submissions : what every option means, and what is raised.

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
    return read_submissions(
        data,
        platform="zindi",
        metric=metric,
        greater_is_better=greater_is_better,
        cv_greater_is_better=cv_greater_is_better,
        train_size=train_size,
        test_size=test_size,
        public_fraction=public_fraction,
        nested=nested,
        slug=slug,
        deadline=deadline,
        columns=columns,
        team=team,
        cv_pattern=cv_pattern,
        cv_log=cv_log,
    )


def read_table(
    data: Any,
    *,
    metric: str | None = None,
    greater_is_better: bool | None = None,
    cv_greater_is_better: bool | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    public_fraction: float | None = None,
    nested: bool | None = None,
    slug: str | None = None,
    deadline: datetime | str | None = None,
    columns: ColumnNames | None = None,
    team: str | None = None,
    cv_pattern: str | None = None,
    cv_log: Any = None,
) -> History:
    r"""Return the submission history in a table made by hand.

    Parameters
    ----------
    data : path, list of paths, file-like, text, DataFrame or list of dicts
        CSV, TSV, semicolons, Markdown, or lines of ``Label: value``. Common names of
        columns are recognised; ``columns`` names the others.
    metric, greater_is_better, cv_greater_is_better, train_size, test_size
        As for `read_submissions`, like all that follow.
    public_fraction, nested, slug, deadline, columns, team, cv_pattern, cv_log
        As for `read_submissions`.

    Returns
    -------
    History
        Without dates the rows keep their order, the first being the oldest. No two
        rows are taken for one.

    See Also
    --------
    read_submissions : what every option means, and what is raised.

    Examples
    --------
    >>> text = "model,cv,LB\nbase,0.7052 (0.0641),0.71\nblend,TBD,**.7900**"
    >>> [(item.cv_score, item.public_score) for item in read_table(text)]
    [(0.7052, 0.71), (None, 0.79)]
    """
    competition, found = describe_competition(
        platform=None,
        metric=metric,
        greater_is_better=greater_is_better,
        cv_greater_is_better=cv_greater_is_better,
        train_size=train_size,
        test_size=test_size,
        public_fraction=public_fraction,
        nested=nested,
        slug=slug,
        deadline=deadline,
    )
    return read_history(
        data,
        competition=competition,
        metric=found,
        layout=Layout(
            columns=columns, team=team, cv_pattern=cv_pattern, hand_made=True
        ),
        nested_stated=nested is not None,
        cv_log=cv_log,
    )
