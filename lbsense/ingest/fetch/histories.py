"""A history straight from the platform: what the user says, then the platform, wins."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Unpack

from lbsense._validation import check_kind
from lbsense.errors import FetchError
from lbsense.ingest.fetch.kaggle import ask_kaggle
from lbsense.ingest.fetch.listing import Fetched, Row
from lbsense.ingest.fetch.zindi import TOKEN_VARIABLE, ask_zindi
from lbsense.ingest.options import ReaderOptions, takes_options
from lbsense.ingest.readers import read_submissions
from lbsense.model import DataWarning, History


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
