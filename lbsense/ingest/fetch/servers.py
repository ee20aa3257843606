"""Submissions of a competition, all pages of them, from the servers of platforms.

Only the user's own submissions, what is left of today's and leaderboards are asked for:
nothing that sends or joins. Kaggle is asked by its own client, which signs in by
itself; its credentials are not read, kept or told here but to keep them out of
messages. The client is used below its commands, since those drop the token of the next
page. Zindi is asked by its own interface, and the user's token is sent to it alone.
"""

from __future__ import annotations

import contextlib
import csv
import http.client
import io
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, ClassVar, TypeVar

from lbsense._format import plural
from lbsense._typing import Platform
from lbsense._version import __version__
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
    text_of,
    wait_of,
)
from lbsense.ingest.platforms import (
    close_slugs,
    known_metric,
    slug_of,
)

_T = TypeVar("_T")
_MOST_REPEATS = 2


@dataclass(slots=True, kw_only=True)
class _Talk:
    """A conversation with a server: what must stay secret, and what was noticed.

    ``doubts`` are what is not as it should be, ``their_time`` is when the server last
    answered, by its clock.
    """

    platform: ClassVar[Platform]
    title: ClassVar[str]
    example: ClassVar[str] = ""
    slug: str
    tell: Tell
    secrets: Secrets = field(default_factory=Secrets)
    doubts: list[str] = field(default_factory=list)
    their_time: datetime | None = None

    def __post_init__(self) -> None:
        if re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.slug) is None:
            msg = (
                f"{self.slug!r} is not the name of a competition: it is what stands "
                f"last in its address{self.example}."
            )
            raise FetchError(msg)

    def patiently(self, question: Callable[[], _T]) -> _T:
        """Return the answer, or raise the error that says why there is none."""
        try:
            return ask_patiently(
                lambda: self.once(question), title=self.title, tell=self.tell
            )
        except Unanswered as fault:
            status = fault.answer.status
            known = fault.kind == "refused" and status in (400, 401, 403, 404)
            text = self.refusal(status or 0) if known else fault.words(self.title)
            said = self.secrets.hide(fault.answer.said)
            text += f" {self.title} says: {said!r}." if said else ""
            raise FetchError(text, may_pass=fault.may_pass) from None

    def once(self, question: Callable[[], _T]) -> _T:
        """Return an answer; whatever comes instead is `Unanswered`."""
        return question()

    def refusal(self, status: int) -> str:
        """Return what a refusal means, and what to do next."""
        raise NotImplementedError

    def if_possible(self, question: Callable[[], Any]) -> Any:
        """Return an answer that can be done without, None where there is none."""
        try:
            return question()
        except FetchError as error:
            self.doubts.append(f"Not everything was answered: {error}")
            return None

    def fetched(self, rows: list[Row], now: datetime, **facts: Any) -> Fetched:
        """Return the submissions and the facts, with the time at which they came."""
        skew = clock_doubt(self.their_time, self.title)
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Fetched(
            platform=self.platform,
            slug=self.slug,
            fetched_at=now,
            rows=tuple({**row, FETCHED_AT: stamp} for row in rows),
            doubts=(*self.doubts, *([skew] if skew else [])),
            **facts,
        )


def _add(found: dict[str, Row], page: list[Row], key: str) -> bool:
    """Add the submissions that are not there yet; say whether there were any."""
    n_before = len(found)
    for row in page:
        found.setdefault(row[key], row)
    return len(found) > n_before


# --- Kaggle ---------------------------------------------------------------------------

_PAGE = 200  # the most that the server gives
_FULL_PAGES = frozenset((20, 50, 100, _PAGE))
_MOST_BYTES = 500_000_000  # of an unpacked leaderboard
_TIMEOUT = (15, 90)  # seconds to connect, and between two pieces of an answer
_SETTINGS = "https://www.kaggle.com/settings"
_ATTRIBUTES = """
    ref file_name date description status public_score private_score error_description
    submitted_by"""
# By the columns of Kaggle's own CSV: "fileName".
_KAGGLE_COLUMNS = {
    re.sub("_(.)", lambda found: found[1].upper(), name): name
    for name in _ATTRIBUTES.split()
}


@dataclass(slots=True, kw_only=True)
class _Kaggle(_Talk):
    """A conversation by the client's competition service, signed in.

    ``types`` is the client's module of requests.
    """

    platform = "kaggle"
    title = "Kaggle"
    example = ", as titanic in https://www.kaggle.com/competitions/titanic"
    service: Any = None
    types: Any = None

    def notice(self, response: Any) -> None:
        """Take the time of an answer; a JSON answer is an object, or garbled."""
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

    def ask_if_possible(self, name: str, **fields: Any) -> Any:
        """Return an answer that can be done without, None where there is none."""
        if not hasattr(self.service, name):
            return None
        return self.if_possible(lambda: self.ask(name, **fields))

    def once(self, question: Callable[[], _T]) -> _T:
        """Return an answer; what the client raises becomes `Unanswered`."""
        try:
            with _quiet():
                return question()
        except (FetchError, Unanswered):
            raise
        except Exception as error:
            raise _fault_of(error) from None

    def refusal(self, status: int) -> str:
        """Return what a refusal means, and what to do next."""
        page = f"https://www.kaggle.com/competitions/{self.slug}"
        close = [name for name in close_slugs(self.slug) if name != self.slug]
        hint = f" Close to it: {', '.join(close)}." if close else ""
        if status == 401:
            return (
                "Kaggle does not accept the credentials (401): they are wrong, expired "
                f"or revoked. Make a new token on {_SETTINGS} and put it into the "
                "environment as KAGGLE_API_TOKEN."
            )
        if status == 403:
            return (
                f"Kaggle refuses to show {self.slug} (403). Either you have not joined "
                f"it and accepted its rules ({page}/rules), or the name is wrong.{hint}"
            )
        return (
            f"Kaggle knows no competition {self.slug} ({status}). The name is what "
            f"stands last in its address.{hint}"
        )


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
    talk = _Kaggle(slug=slug_of(slug), tell=tell)
    with contextlib.ExitStack() as stack:
        _open(_sign_in(talk), talk, stack)
        about = talk.ask("get_competition")
        rows = _all_of_kaggle(talk)
        limits = talk.ask_if_possible("get_submission_limits")
        deadline = _utc(getattr(about, "deadline", None))
        now = talk.their_time or datetime.now(UTC)
        closed = deadline is not None and deadline < now
        boards = _boards(talk, closed=closed) if leaderboard else {}
    said = getattr(about, "evaluation_metric", None) or None
    metric = known_metric(said)
    if said is not None and metric is None:
        talk.doubts.append(
            f"Kaggle calls the metric {talk.secrets.hide(said, longest=60)!r}, which "
            "is not registered here: name the metric, or say which way is better."
        )
    return talk.fetched(
        rows,
        now,
        metric_said=said,
        metric=None if metric is None else metric.name,
        deadline=deadline,
        max_daily=getattr(about, "max_daily_submissions", None) or None,
        n_left=getattr(limits, "num_allowed_now", None),
        boards=boards,
    )


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


def _sign_in(talk: _Kaggle) -> Any:
    """Return the client's API object after it has signed in.

    Importing the client signs in already: old ones end the interpreter where they
    cannot, new ones say nothing.
    """
    _check_installed()
    talk.secrets.add(os.environ.get("KAGGLE_API_TOKEN"))
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    talk.secrets.add_pair(user, key)
    api = talk.patiently(_import_client)
    known = api.config_values
    user, key = known.get(api.CONFIG_NAME_USER), known.get(api.CONFIG_NAME_KEY)
    talk.secrets.add(known.get(api.CONFIG_NAME_TOKEN))
    talk.secrets.add_pair(user, key)
    return api


def _check_installed() -> None:
    try:
        version = metadata.version("kaggle")
    except metadata.PackageNotFoundError:
        msg = "Kaggle is asked by its own client, the package kaggle: pip install "
        raise FetchError(msg + "'lbsense[kaggle]'") from None
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < (1, 8):
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


def _open(api: Any, talk: _Kaggle, stack: contextlib.ExitStack) -> None:
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


def _fault_of(error: Exception) -> Exception:
    import requests

    response = getattr(error, "response", None)
    if response is not None:
        headers = response.headers
        wait = wait_of(headers.get("Retry-After"), headers.get("Date"))
        status, said = _stated(response)
        return Unanswered("refused", Answer(status, said, wait))
    garbled = isinstance(error, requests.exceptions.JSONDecodeError)
    cut = isinstance(error, (requests.exceptions.RequestException, ConnectionError))
    if cut and not garbled:
        return Unanswered("cut")
    garbled |= isinstance(error, (ValueError, KeyError, TypeError, AttributeError))
    return Unanswered("garbled") if garbled else error


def _stated(response: Any) -> tuple[int, str]:
    """Return the status of a refusal, and the server's words without a page around."""
    status: int = response.status_code
    content: Any = None
    with contextlib.suppress(ValueError):
        content = response.json()
    content = content if isinstance(content, dict) else {}
    code, message = content.get("code"), content.get("message")
    if status < 400 and isinstance(code, int):
        status = code
    return status, message if isinstance(message, str) else ""


def _all_of_kaggle(talk: _Kaggle) -> list[Row]:
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
        is_news = _add(found, page, "ref")
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
    row = {
        column: getattr(item, name, None) for column, name in _KAGGLE_COLUMNS.items()
    }
    if isinstance(row["date"], datetime):
        date = row["date"].replace(tzinfo=None)
        row["date"] = date.isoformat(sep=" ", timespec="milliseconds")
    status = row["status"]
    row["status"] = str(getattr(status, "name", status) or "").casefold()
    texts = {name: "" if cell is None else str(cell) for name, cell in row.items()}
    if texts["ref"] in ("", "0"):
        raise FetchError(Unanswered("garbled").words("Kaggle"))
    return texts


def _utc(value: Any) -> datetime | None:
    """Return a time of the client, which is UTC without saying so."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _boards(talk: _Kaggle, *, closed: bool) -> dict[str, str]:
    """Return the leaderboards that can be had, as CSV."""
    boards: dict[str, str] = {}
    archive = talk.ask_if_possible("download_leaderboard")
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


def _listed_board(talk: _Kaggle) -> str | None:
    """Return the leaderboard that the list shows: after the close, the private one."""
    lines: dict[int, tuple[Any, ...]] = {}
    tokens: set[str] = set()
    where: dict[str, Any] = {}
    while True:
        answer = talk.ask_if_possible("get_leaderboard", page_size=_PAGE, **where)
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


# --- Zindi ----------------------------------------------------------------------------

#: Where Zindi answers.
ADDRESS = "https://api.zindi.africa/v1/competitions"
#: The variable of the environment that holds the user's token.
TOKEN_VARIABLE = "ZINDI_TOKEN"

_ZINDI_PAGE = 50
_ALL_AT_ONCE = 1_000
_MOST_OF_ZINDI = 200_000_000  # bytes of an answer
_PATIENCE = 90.0  # seconds
_COLUMNS = (
    *("id", "filename", "created_at", "comment", "status", "public_score"),
    *("private_score", "status_description", "chosen"),
)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could carry the token to another server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(slots=True, kw_only=True)
class _Zindi(_Talk):
    """A conversation with the user's token."""

    platform = "zindi"
    title = "Zindi"
    token: str = field(repr=False)

    def ask(self, what: str, **query: int) -> Any:
        """Return the data of an answer."""
        return self.patiently(lambda: self._answer(what, query))

    def _answer(self, what: str, query: dict[str, int]) -> Any:
        address = f"{ADDRESS}/{urllib.parse.quote(self.slug, safe='')}/{what}"
        if query:
            address += "?" + urllib.parse.urlencode(query)
        headers = {
            "auth-token": self.token,
            "Accept": "application/json",
            "User-Agent": f"lbsense/{__version__}",
        }
        request = urllib.request.Request(address, headers=headers)
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=_PATIENCE) as response:
                raw = response.read(_MOST_OF_ZINDI)
                self.their_time = header_time(response.headers["Date"])
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (OSError, http.client.HTTPException):
            raise Unanswered("cut") from None
        return _data(raw)

    def refusal(self, status: int) -> str:
        """Return what a refusal means, and what to do next."""
        if status == 401:
            return (
                "Zindi does not accept the token (401): it is wrong or has expired. "
                f"Sign in again and put the new auth_token into {TOKEN_VARIABLE}."
            )
        if status == 403:
            return (
                f"Zindi refuses to show {self.slug} (403): have you joined it and "
                "accepted its rules?"
            )
        return (
            f"Zindi knows no competition {self.slug} ({status}). The name is what "
            "stands last in its address."
        )


def ask_zindi(slug: str, token: str, *, tell: Tell = silent) -> Fetched:
    """Return all submissions of the user to a competition.

    Parameters
    ----------
    slug : str
        Name of the competition in its address, or the address.
    token : str
        The user's ``auth_token``. It is sent to Zindi alone, and kept nowhere.
    tell : callable
        Told of waits.

    Raises
    ------
    FetchError
        If Zindi cannot be asked or does not answer.
    """
    token = token.strip()
    talk = _Zindi(slug=slug_of(slug), token=token, tell=tell)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        msg = (
            "Zindi needs your token, one word of plain characters: the auth_token of "
            f"your session. Put it into the environment as {TOKEN_VARIABLE}."
        )
        raise FetchError(msg)
    talk.secrets.add(token)
    rows = _all_of_zindi(talk)
    limits = talk.if_possible(lambda: talk.ask("submissions/limits"))
    today = limits.get("today") if isinstance(limits, dict) else None
    n_left = today if isinstance(today, int) else None
    now = talk.their_time or datetime.now(UTC)
    return talk.fetched(rows, now, n_left=n_left, boards={})


def _data(raw: bytes) -> Any:
    """Return what an answer wraps; digits stay as they were written."""
    try:
        content = json.loads(raw, parse_float=str)
    except (ValueError, RecursionError):
        raise Unanswered("garbled") from None
    data = content.get("data", content) if isinstance(content, dict) else content
    if isinstance(data, dict) and data.get("errors"):
        said = _said(content)
        status = 401 if re.search(r"(?i)token|sign.?in|log.?in|auth", said) else 400
        raise Unanswered("refused", Answer(status, said))
    return data


def _refusal(error: urllib.error.HTTPError) -> Unanswered:
    headers = error.headers
    wait = wait_of(headers.get("Retry-After"), headers.get("Date"))
    try:
        said = _said(json.loads(error.read(100_000)))
    except (ValueError, OSError, http.client.HTTPException, RecursionError):
        said = ""
    return Unanswered("refused", Answer(error.code, said, wait))


def _said(content: Any) -> str:
    """Return the words in an error of Zindi, wherever they stand."""
    for key in ("data", "errors", "message"):
        if isinstance(content, dict) and key in content:
            content = content[key]
    return content if isinstance(content, str) else json.dumps(content)


def _all_of_zindi(talk: _Zindi) -> list[Row]:
    """Return every submission once, page by page, fifty a page.

    A server that counts pages from one repeats the first page once; one that knows no
    pages repeats it for ever, and is asked for everything at once.
    """
    found: dict[str, Row] = {}
    n_repeats, number = 0, 0
    while n_repeats < _MOST_REPEATS:
        page = _page(talk, page=number, per_page=_ZINDI_PAGE)
        n_repeats = 0 if _add(found, page, "id") else n_repeats + 1
        if len(page) < _ZINDI_PAGE:
            return list(found.values())
        number += 1
    whole = _page(talk, per_page=_ALL_AT_ONCE)
    if not _add(found, whole, "id") and len(whole) % _ZINDI_PAGE == 0:
        talk.doubts.append(
            f"Zindi gives {plural(len(found), 'submission')} however many are asked "
            "for: older ones may be missing."
        )
    return list(found.values())


def _page(talk: _Zindi, **query: int) -> list[Row]:
    data = talk.ask("submissions", **query)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise FetchError(Unanswered("garbled").words("Zindi"))
    rows: list[Row] = [
        {name: text_of(row.get(name)) for name in _COLUMNS} for row in data
    ]
    if not all(row["id"] for row in rows):
        raise FetchError(Unanswered("garbled").words("Zindi"))
    return rows
