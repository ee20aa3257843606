"""Submissions of a Kaggle competition, all pages of them, by Kaggle's own client.

The client signs in with the credentials that it finds by itself; none of them is read,
kept or told here but to keep them out of messages. It is used below its commands, since
those drop the token of the next page.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, TypeVar

from lbsense._format import plural
from lbsense.errors import FetchError
from lbsense.ingest.fetch.listing import (
    FETCHED_AT,
    Answer,
    Fetched,
    Row,
    Secrets,
    Tell,
    Unanswered,
    ask_patiently,
    clock_doubt,
    header_time,
    silent,
    wait_of,
)
from lbsense.ingest.platforms import close_slugs, known_metric, slug_of

_T = TypeVar("_T")

_OLDEST = (1, 8)
_PAGE = 200  # the most that the server gives
_FULL_PAGES = frozenset((20, 50, 100, _PAGE))
_MOST_REPEATS = 2
_MOST_BYTES = 500_000_000  # of an unpacked leaderboard
_TIMEOUT = (15, 90)  # seconds to connect, and between two pieces of an answer
_SETTINGS = "https://www.kaggle.com/settings"
_INSTALL = "pip install 'lbsense[kaggle]'"


@dataclass(slots=True)
class _Talk:
    """A conversation with Kaggle: its client, what must stay secret, what was noticed.

    Attributes
    ----------
    slug : str
        The competition.
    tell : callable
        Told of waits.
    secrets : Secrets
        What no message may hold.
    doubts : list of str
        What is not as it should be.
    their_time : datetime or None
        When Kaggle last answered, by its clock.
    service : object
        The client's competition service, signed in.
    types : object
        The client's module of requests.
    """

    slug: str
    tell: Tell
    secrets: Secrets = field(default_factory=Secrets)
    doubts: list[str] = field(default_factory=list)
    their_time: datetime | None = None
    service: Any = None
    types: Any = None

    def notice(self, response: Any) -> None:
        """Take the time of an answer; one that is no object, the client takes for none.

        Raises
        ------
        Unanswered
            If it is JSON and no object.
        """
        found = header_time(response.headers.get("Date"))
        self.their_time = found or self.their_time
        is_json = "json" in response.headers.get("Content-Type", "")
        if response.ok and is_json and not isinstance(response.json(), dict):
            raise Unanswered("garbled")

    def ask(self, name: str, **fields: Any) -> Any:
        """Return the answer to a request of the client, by the name of its method."""
        words = "".join(part.title() for part in name.split("_"))
        request = getattr(self.types, f"Api{words}Request")()
        for key, value in {"competition_name": self.slug, **fields}.items():
            setattr(request, key, value)

        def question() -> Any:
            answer = getattr(self.service, name)(request)
            # A file is streamed: a connection that breaks shows when it is read.
            return getattr(answer, "content", answer)

        return self.patiently(question)

    def patiently(self, question: Callable[[], _T]) -> _T:
        """Return the answer, or raise the error that says why there is none."""
        try:
            return ask_patiently(
                lambda: _once(question), title="Kaggle", tell=self.tell
            )
        except Unanswered as fault:
            raise FetchError(_worded(fault, self), may_pass=fault.may_pass) from None

    def if_possible(self, name: str, **fields: Any) -> Any:
        """Return an answer that can be done without, None where there is none."""
        if not hasattr(self.service, name):
            return None
        try:
            return self.ask(name, **fields)
        except FetchError as error:
            self.doubts.append(f"Not everything was answered: {error}")
            return None


def ask_kaggle(slug: str, *, leaderboard: bool = False, tell: Tell = silent) -> Fetched:
    """Return all submissions of the signed-in user's team to a competition.

    Parameters
    ----------
    slug : str
        Name of the competition in its address, or the address.
    leaderboard : bool, default=False
        Fetch the leaderboard too: the public one, and after the close the private one.
    tell : callable
        Told of waits.

    Raises
    ------
    FetchError
        If Kaggle cannot be asked or does not answer.
    """
    slug = slug_of(slug)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", slug):
        msg = (
            f"{slug!r} is not the name of a competition: it is what stands last in its "
            "address, as titanic in https://www.kaggle.com/competitions/titanic."
        )
        raise FetchError(msg)
    talk = _Talk(slug=slug, tell=tell)
    with contextlib.ExitStack() as stack:
        _open(_sign_in(talk), talk, stack)
        about = talk.ask("get_competition")
        rows = _all_submissions(talk)
        limits = talk.if_possible("get_submission_limits")
        deadline = _utc(getattr(about, "deadline", None))
        now = talk.their_time or datetime.now(UTC)
        closed = deadline is not None and deadline < now
        boards = _boards(talk, closed=closed) if leaderboard else {}
    return _fetched(talk, about, limits, rows, boards, now)


def _fetched(
    talk: _Talk,
    about: Any,
    limits: Any,
    rows: list[Row],
    boards: dict[str, str],
    now: datetime,
) -> Fetched:
    said = getattr(about, "evaluation_metric", None) or None
    metric = known_metric(said)
    if said is not None and metric is None:
        talk.doubts.append(
            f"Kaggle calls the metric {talk.secrets.hide(said, longest=60)!r}, which "
            "is not registered here: name the metric, or say which way is better."
        )
    skew = clock_doubt(talk.their_time, "Kaggle")
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Fetched(
        platform="kaggle",
        slug=talk.slug,
        fetched_at=now,
        rows=tuple({**row, FETCHED_AT: stamp} for row in rows),
        metric_said=said,
        metric=None if metric is None else metric.name,
        deadline=_utc(getattr(about, "deadline", None)),
        max_daily=getattr(about, "max_daily_submissions", None) or None,
        n_left=getattr(limits, "num_allowed_now", None),
        boards=boards,
        doubts=(*talk.doubts, *([skew] if skew else [])),
    )


# Signing in.


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let the client print nothing: it may show headers, and with them a key."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _sign_in(talk: _Talk) -> Any:
    """Return the client's API object after it has signed in.

    Importing the client signs in already: old ones end the interpreter where they
    cannot, new ones say nothing.
    """
    _check_installed()
    environment = os.environ
    talk.secrets.add(environment.get("KAGGLE_API_TOKEN"))
    talk.secrets.add_pair(
        environment.get("KAGGLE_USERNAME"), environment.get("KAGGLE_KEY")
    )
    api = talk.patiently(_import_client)
    known = api.config_values
    talk.secrets.add(known.get(api.CONFIG_NAME_TOKEN))
    talk.secrets.add_pair(
        known.get(api.CONFIG_NAME_USER), known.get(api.CONFIG_NAME_KEY)
    )
    return api


def _check_installed() -> None:
    try:
        version = metadata.version("kaggle")
    except metadata.PackageNotFoundError:
        msg = f"Kaggle is asked by its own client, the package kaggle: {_INSTALL}"
        raise FetchError(msg) from None
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        msg = (
            f"kaggle {version} knows neither tokens nor pages; 1.8 or newer is needed: "
            "pip install -U 'kaggle>=1.8'"
        )
        raise FetchError(msg)


def _import_client() -> Any:
    try:
        import kaggle

        api = kaggle.api
        known = api.config_values
        has_key = known.get(api.CONFIG_NAME_USER) and known.get(api.CONFIG_NAME_KEY)
        if not (known.get(api.CONFIG_NAME_TOKEN) or has_key):
            api.authenticate()
    except SystemExit:
        raise FetchError(_no_credentials()) from None
    except ImportError as error:
        missing = (error.name or "kaggle").partition(".")[0]
        msg = (
            f"The package kaggle cannot be loaded: {missing} is missing or broken. "
            f"Install it: pip install -U {missing}"
        )
        raise FetchError(msg) from None
    except (KeyError, ValueError) as error:
        import requests

        if isinstance(error, requests.exceptions.RequestException):
            raise  # an answer that is no JSON is a ValueError too
        msg = (
            "The package kaggle cannot sign in with the credentials that it finds: "
            "their file (~/.kaggle) may be damaged, or the package too old "
            "(pip install -U kaggle)."
        )
        raise FetchError(msg) from None
    return api


def _no_credentials() -> str:
    source = None
    with contextlib.suppress(Exception):
        from kagglesdk.kaggle_env import get_access_token_from_env

        token, source = get_access_token_from_env()
        source = source if token else None
    if source is None:
        return (
            "Kaggle's client finds no credentials. Make a token on "
            f"{_SETTINGS} and put it into the environment as KAGGLE_API_TOKEN, or into "
            "the file ~/.kaggle/access_token; `kaggle auth login` does as well."
        )
    where = "KAGGLE_API_TOKEN" if source == "KAGGLE_API_TOKEN" else "~/.kaggle"
    return (
        f"Kaggle does not know the token in {where}: it is wrong, expired or revoked. "
        f"Make a new one on {_SETTINGS}."
    )


def _open(api: Any, talk: _Talk, stack: contextlib.ExitStack) -> None:
    """Open the client below its commands, with a time limit that it has not itself."""
    from kagglesdk.competitions.types import competition_api_service

    client = stack.enter_context(api.build_kaggle_client())
    session = getattr(client.http_client(), "_session", None)
    if session is not None:
        send = session.send

        def send_in_time(request: Any, **settings: Any) -> Any:
            response = send(request, **{"timeout": _TIMEOUT, **settings})
            talk.notice(response)
            return response

        session.send = send_in_time
    talk.service = client.competitions.competition_api_client
    talk.types = competition_api_service


# Asking once, and what went wrong.


def _once(question: Callable[[], _T]) -> _T:
    """Return an answer; what the client raises becomes `Unanswered`."""
    try:
        with _quiet():
            return question()
    except (FetchError, Unanswered):
        raise
    except Exception as error:
        raise _fault_of(error) from None


def _fault_of(error: Exception) -> Exception:
    import requests

    response = getattr(error, "response", None)
    if response is not None:
        headers = response.headers
        wait = wait_of(headers.get("Retry-After"), headers.get("Date"))
        status, said = _stated(response)
        return Unanswered("refused", Answer(status, said, wait))
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return Unanswered("garbled")
    if isinstance(error, (requests.exceptions.RequestException, ConnectionError)):
        return Unanswered("cut")
    if isinstance(error, (ValueError, KeyError, TypeError, AttributeError)):
        return Unanswered("garbled")
    return error


def _stated(response: Any) -> tuple[int, str]:
    """Return the status of a refusal, and the server's words without a page around."""
    status: int = response.status_code
    try:
        content = response.json()
    except ValueError:
        return status, ""
    if not isinstance(content, dict):
        return status, ""
    code, message = content.get("code"), content.get("message")
    if status < 400 and isinstance(code, int):
        status = code
    return status, message if isinstance(message, str) else ""


def _worded(fault: Unanswered, talk: _Talk) -> str:
    """Return what to tell the user, and what to do next."""
    status = fault.answer.status
    page = f"https://www.kaggle.com/competitions/{talk.slug}"
    close = [name for name in close_slugs(talk.slug) if name != talk.slug]
    hint = f" Close to it: {', '.join(close)}." if close else ""
    if fault.kind != "refused" or status not in (400, 401, 403, 404):
        text = fault.words("Kaggle")
    elif status == 401:
        text = (
            "Kaggle does not accept the credentials (401): they are wrong, expired or "
            f"revoked. Make a new token on {_SETTINGS} and put it into the environment "
            "as KAGGLE_API_TOKEN."
        )
    elif status == 403:
        text = (
            f"Kaggle refuses to show {talk.slug} (403). Either you have not joined it "
            f"and accepted its rules ({page}/rules), or the name is wrong.{hint}"
        )
    else:
        text = (
            f"Kaggle knows no competition {talk.slug} ({status}). The name is what "
            f"stands last in its address.{hint}"
        )
    said = talk.secrets.hide(fault.answer.said)
    return f"{text} Kaggle says: {said!r}." if said else text


# Submissions.


def _all_submissions(talk: _Talk) -> list[Row]:
    """Return every submission once, page by page until there is no further one.

    The token of the next page leads; where the server gives none although the page is
    full, the next page is asked for by its number.
    """
    found: dict[str, Row] = {}
    tokens: set[str] = set()
    where: dict[str, Any] = {}
    n_pages, n_repeats = 0, 0
    while n_repeats < _MOST_REPEATS:
        answer = talk.ask("list_submissions", page_size=_PAGE, **where)
        page = [_row(item) for item in answer.submissions or () if item is not None]
        n_before = len(found)
        for row in page:
            found.setdefault(row["ref"], row)
        is_news = len(found) > n_before
        n_pages, n_repeats = n_pages + is_news, 0 if is_news else n_repeats + 1
        token = getattr(answer, "next_page_token", "") or ""
        if not token and (tokens or len(page) not in _FULL_PAGES):
            return list(found.values())
        if token and token not in tokens:
            tokens.add(token)
            where = {"page_token": token}
        else:
            where = {"page": n_pages + 1}
    talk.doubts.append(
        f"Kaggle repeats a page and ends nowhere: {plural(len(found), 'submission')} "
        "came, older ones may be missing. Fetch again later."
    )
    return list(found.values())


def _row(item: Any) -> Row:
    """Return a submission as the columns of Kaggle's own CSV, and the reason of errors.

    Attributes are read by their public names, which clients from 1.7 on share.
    """
    status = getattr(item, "status", None)
    date = getattr(item, "date", None)
    if isinstance(date, datetime):
        date = date.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
    row = {
        "ref": getattr(item, "ref", None),
        "fileName": getattr(item, "file_name", None),
        "date": date,
        "description": getattr(item, "description", None),
        "status": getattr(status, "name", status),
        "publicScore": getattr(item, "public_score", None),
        "privateScore": getattr(item, "private_score", None),
        "errorDescription": getattr(item, "error_description", None),
        "submittedBy": getattr(item, "submitted_by", None),
    }
    row["status"] = str(row["status"] or "").casefold()
    texts = {name: "" if cell is None else str(cell) for name, cell in row.items()}
    if texts["ref"] in ("", "0"):
        raise FetchError(Unanswered("garbled").words("Kaggle"))
    return texts


def _utc(value: Any) -> datetime | None:
    """Return a time of the client, which is UTC without saying so."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Leaderboards.


def _boards(talk: _Talk, *, closed: bool) -> dict[str, str]:
    """Return the leaderboards that can be had, as CSV."""
    boards: dict[str, str] = {}
    archive = talk.if_possible("download_leaderboard")
    if archive is not None:
        try:
            boards["public"] = _unpacked(archive)
        except (zipfile.BadZipFile, ValueError, OSError):
            talk.doubts.append("The public leaderboard came broken; it is left out.")
    if closed:
        private = _listed_board(talk)
        if private is not None:
            boards["private"] = private
    return boards


def _unpacked(content: bytes) -> str:
    """Return the only table in an archive, as text."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
        if len(tables) != 1 or tables[0].file_size > _MOST_BYTES:
            msg = "no single table of a sensible size"
            raise ValueError(msg)
        return archive.read(tables[0]).decode("utf-8-sig")


def _listed_board(talk: _Talk) -> str | None:
    """Return the leaderboard that the list shows: after the close, the private one."""
    lines: dict[int, tuple[Any, ...]] = {}
    tokens: set[str] = set()
    where: dict[str, Any] = {}
    while True:
        answer = talk.if_possible("get_leaderboard", page_size=_PAGE, **where)
        if answer is None:
            return None
        for item in answer.submissions or ():
            date = getattr(item.submission_date, "isoformat", lambda **_: "")
            lines.setdefault(
                item.team_id,
                (item.team_id, item.team_name or "", date(sep=" "), item.score or ""),
            )
        token = getattr(answer, "next_page_token", "") or ""
        if not token or token in tokens:
            break
        tokens.add(token)
        where = {"page_token": token}
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(("teamId", "teamName", "submissionDate", "score"))
    writer.writerows(lines.values())
    return file.getvalue()
