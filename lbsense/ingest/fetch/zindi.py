"""Submissions of a Zindi competition, all pages of them, from its own interface.

Only the user's own submissions and what is left of today's are asked for: nothing that
sends, joins or reads of others.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lbsense._format import plural
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
    wait_of,
)
from lbsense.ingest.platforms import slug_of

#: Where Zindi answers.
ADDRESS = "https://api.zindi.africa/v1/competitions"
#: The variable of the environment that holds the user's token.
TOKEN_VARIABLE = "ZINDI_TOKEN"

_PAGE = 50
_ALL_AT_ONCE = 1_000
_MOST_REPEATS = 2
_MOST_BYTES = 200_000_000
_TIMEOUT = 90.0
_COLUMNS = (
    "id",
    "filename",
    "created_at",
    "comment",
    "status",
    "public_score",
    "private_score",
    "status_description",
    "chosen",
)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect could carry the token to another server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(slots=True)
class _Talk:
    """A conversation with Zindi: the token, what must stay secret, what was noticed."""

    slug: str
    token: str = field(repr=False)
    tell: Tell
    secrets: Secrets = field(default_factory=Secrets)
    doubts: list[str] = field(default_factory=list)
    their_time: datetime | None = None

    def ask(self, what: str, **query: int) -> Any:
        """Return the data of an answer."""
        try:
            return ask_patiently(
                lambda: self._once(what, query), title="Zindi", tell=self.tell
            )
        except Unanswered as fault:
            raise FetchError(_worded(fault, self), may_pass=fault.may_pass) from None

    def _once(self, what: str, query: dict[str, int]) -> Any:
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
            with opener.open(request, timeout=_TIMEOUT) as response:
                raw = response.read(_MOST_BYTES)
                self.their_time = header_time(response.headers["Date"])
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (OSError, http.client.HTTPException):
            raise Unanswered("cut") from None
        return _data(raw)


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
    slug, token = slug_of(slug), token.strip()
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", slug):
        msg = f"{slug!r} is not the name of a competition: it is what stands last in "
        raise FetchError(msg + "its address.")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        msg = (
            "Zindi needs your token, one word of plain characters: the auth_token of "
            f"your session. Put it into the environment as {TOKEN_VARIABLE}."
        )
        raise FetchError(msg)
    talk = _Talk(slug=slug, token=token, tell=tell)
    talk.secrets.add(token)
    rows = _all_submissions(talk)
    n_left = _left_today(talk)
    now = talk.their_time or datetime.now(UTC)
    skew = clock_doubt(talk.their_time, "Zindi")
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Fetched(
        platform="zindi",
        slug=slug,
        fetched_at=now,
        rows=tuple({**row, FETCHED_AT: stamp} for row in rows),
        n_left=n_left,
        boards={},
        doubts=(*talk.doubts, *([skew] if skew else [])),
    )


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


def _worded(fault: Unanswered, talk: _Talk) -> str:
    status = fault.answer.status
    if fault.kind != "refused" or status not in (400, 401, 403, 404):
        text = fault.words("Zindi")
    elif status == 401:
        text = (
            "Zindi does not accept the token (401): it is wrong or has expired. Sign "
            f"in again and put the new auth_token into {TOKEN_VARIABLE}."
        )
    elif status == 403:
        text = (
            f"Zindi refuses to show {talk.slug} (403): have you joined it and accepted "
            "its rules?"
        )
    else:
        text = (
            f"Zindi knows no competition {talk.slug} ({status}). The name is what "
            "stands last in its address."
        )
    said = talk.secrets.hide(fault.answer.said)
    return f"{text} Zindi says: {said!r}." if said else text


def _all_submissions(talk: _Talk) -> list[Row]:
    """Return every submission once, page by page, fifty a page.

    A server that counts pages from one repeats the first page once; one that knows no
    pages repeats it for ever, and is asked for everything at once.
    """
    found: dict[str, Row] = {}
    n_repeats, number = 0, 0
    while n_repeats < _MOST_REPEATS:
        page = _page(talk, page=number, per_page=_PAGE)
        n_before = len(found)
        for row in page:
            found.setdefault(row["id"], row)
        if len(page) < _PAGE:
            return list(found.values())
        n_repeats = 0 if len(found) > n_before else n_repeats + 1
        number += 1
    whole = _page(talk, per_page=_ALL_AT_ONCE)
    n_before = len(found)
    for row in whole:
        found.setdefault(row["id"], row)
    if len(found) == n_before and len(whole) % _PAGE == 0:
        talk.doubts.append(
            f"Zindi gives {plural(len(found), 'submission')} however many are asked "
            "for: older ones may be missing."
        )
    return list(found.values())


def _page(talk: _Talk, **query: int) -> list[Row]:
    data = talk.ask("submissions", **query)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise FetchError(Unanswered("garbled").words("Zindi"))
    rows: list[Row] = [
        {name: _cell(row.get(name)) for name in _COLUMNS} for row in data
    ]
    if not all(row["id"] for row in rows):
        raise FetchError(Unanswered("garbled").words("Zindi"))
    return rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _left_today(talk: _Talk) -> int | None:
    try:
        limits = talk.ask("submissions/limits")
    except FetchError as error:
        talk.doubts.append(f"Not everything was answered: {error}")
        return None
    today = limits.get("today") if isinstance(limits, dict) else None
    return today if isinstance(today, int) else None
