"""Servers on this machine that answer as Kaggle and Zindi do, and as they should not."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from lbsense.cli import app
from lbsense.ingest.fetch import servers

SECRET = "KGAT_0123456789abcdefplanted"
ZINDI_SECRET = "zindi0123456789planted"
LEGACY = "fedcba9876543210legacyplanted"


@dataclass
class Reply:
    """One answer: JSON or bytes, a status, headers, or a connection cut half-way."""

    content: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Asked:
    """One question: what was asked for, with what, and with which headers."""

    name: str
    fields: dict[str, Any]
    headers: dict[str, str]


Answering = Callable[[Asked], Reply]


def sent(number: int, **changes: Any) -> dict[str, Any]:
    """Return a submission as Kaggle's server sends it; the larger number is newer."""
    day, second = divmod(number, 86_400)
    one = {
        "ref": 5_000_000 + number,
        "date": f"2026-07-{1 + day:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:"
        f"{second % 60:02d}.1234567Z",
        "description": f"model v{number} cv 0.{7000 + number}",
        "fileName": "submission.csv",
        "publicScore": f"0.{70000 + number}",
        "status": "COMPLETE",
        "totalBytes": 1234,
        "submittedBy": "someone",
        "teamName": f"team {number % 2}",
        "url": "https://www.kaggle.com/submissions/1.raw",
    }
    return {key: value for key, value in {**one, **changes}.items() if value != ""}


def paged(rows: list[dict[str, Any]], *, size: int = 200) -> Answering:
    """Return how Kaggle lists: the newest first, a token for each further page."""

    def answer(asked: Asked) -> Reply:
        token = asked.fields.get("pageToken") or ""
        start = int(token.removeprefix("T")) if token else 0
        start = start or (int(asked.fields.get("page") or 1) - 1) * size
        page = rows[start : start + size]
        following = f"T{start + size}" if start + size < len(rows) else ""
        content = {"submissions": page}
        return Reply({**content, "nextPageToken": following} if following else content)

    return answer


@dataclass
class Server:
    """A server whose answers a test may replace, by the name of the question."""

    Reply = Reply
    sent = staticmethod(sent)
    paged = staticmethod(paged)
    secret: str = ""
    legacy: str = LEGACY
    address: str = ""
    answers: dict[str, Answering] = field(default_factory=dict)
    faults: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        waiting = self.faults.get(asked.name)
        if waiting:
            return waiting.pop(0)
        known = self.answers.get(asked.name)
        if known is None:
            return Reply({"code": 404, "message": "Not found"}, 404)
        return known(asked)

    def times(self, name: str) -> int:
        return Counter(asked.name for asked in self.asked)[name]


def serve(name_of: Callable[[str], str]) -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: value[0] for key, value in parse_qs(parts.query).items()}
            self.answer(Asked(name_of(parts.path), query, dict(self.headers)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                name_of(self.path), json.loads(body or b"{}"), dict(self.headers)
            )
            self.answer(asked)

        def answer(self, asked: Asked) -> None:
            reply = server.reply(asked)
            raw = reply.content
            headers = dict(reply.headers)
            if not isinstance(raw, bytes):
                raw = json.dumps(raw).encode()
                headers.setdefault("Content-Type", "application/json")
            if "Date" in headers:
                self.date_time_string = lambda *_: headers["Date"]  # type: ignore[method-assign]
            self.send_response(reply.status)
            for key, value in headers.items():
                if key != "Date":
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2] if reply.cut else raw)
            self.wfile.flush()

    host = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=host.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{host.server_address[1]}"
    try:
        yield server
    finally:
        host.shutdown()
        host.server_close()
        thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that were to be waited; nobody waits."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


@pytest.fixture
def kaggle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float]
) -> Iterator[Server]:
    """Return a server that stands for Kaggle, with a token planted for its client."""
    if importlib.util.find_spec("kaggle") is None:
        pytest.skip("the kaggle package is not installed")
    from kagglesdk import kaggle_env

    for name in [name for name in os.environ if name.startswith("KAGGLE_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    forget_client(monkeypatch)
    for server in serve(lambda path: path.rpartition("/")[2]):
        server.secret = SECRET
        places = {
            **kaggle_env._env_to_endpoint,
            kaggle_env.KaggleEnv.PROD: server.address,
        }
        monkeypatch.setattr(kaggle_env, "_env_to_endpoint", places)
        server.answers |= {
            "IntrospectToken": lambda asked: Reply(
                {"active": asked.fields.get("token") == SECRET, "username": "someone"}
            ),
            "GetCompetition": lambda _: Reply(
                {
                    "ref": "https://www.kaggle.com/competitions/play",
                    "evaluationMetric": "Area Under Receiver Operating Characteristic "
                    "Curve",
                    "deadline": "2036-08-31T23:59:00Z",
                    "maxDailySubmissions": 10,
                    "userHasEntered": True,
                }
            ),
            "GetSubmissionLimits": lambda _: Reply({"numToday": 3, "numAllowedNow": 7}),
            "ListSubmissions": paged([sent(number) for number in range(6, 0, -1)]),
        }
        yield server
    forget_client(monkeypatch)


def forget_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n == "kaggle" or n.startswith("kaggle.")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def zindi(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> Iterator[Server]:
    """Return a server that stands for Zindi, with a token planted."""
    monkeypatch.setenv(servers.TOKEN_VARIABLE, ZINDI_SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for server in serve(lambda path: path.partition("/competitions/play/")[2]):
        server.secret = ZINDI_SECRET
        monkeypatch.setattr(servers, "ADDRESS", f"{server.address}/v1/competitions")
        server.answers["submissions/limits"] = lambda _: Reply({"data": {"today": 4}})
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that runs the command line in a folder of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    try:
        runner = CliRunner(mix_stderr=False)  # click below 8.2 mixes unless told
    except TypeError:
        runner = CliRunner()

    def invoke(*arguments: object) -> Any:
        return runner.invoke(app, [str(item) for item in arguments])

    return invoke
