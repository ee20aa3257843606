"""Zindi asked over its own interface: every page once, every fault in words, no token."""

from __future__ import annotations

import csv
import email.utils
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from lbsense import FetchError, fetch_zindi, read_zindi
from lbsense.ingest import ask_zindi


def sent(number: int, **changes) -> dict:
    minute, second = divmod(number, 60)
    one = {
        "id": f"sub{number}",
        "status": "successful",
        "filename": f"v{number}.csv",
        "created_at": f"2026-01-07T12:{minute:02d}:{second:02d}.000Z",
        "public_score": round(0.4 + number / 10_000, 9),
        "private_score": None,
        "comment": f"cv 0.{4000 + number}",
        "chosen": False,
        "user": {"username": "someone"},
    }
    return {**one, **changes}


def listing(server, rows, *, first: int | None = 0, most: int = 10_000):
    """Return how Zindi lists; ``first`` is the number of its first page, if any."""

    def answer(asked):
        size = min(int(asked.fields.get("per_page", 50)), most)
        at = 0
        if first is not None:
            at = max(0, int(asked.fields.get("page", first)) - first)
        return server.Reply({"data": rows[at * size : at * size + size]})

    return answer


def many(n: int) -> list[dict]:
    return [sent(number) for number in range(n, 0, -1)]


def ids(path: str = "play.csv") -> list[str]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [row["id"] for row in csv.DictReader(file)]


def everything(done) -> str:
    return f"{done.stdout}{done.stderr}{done.exception!r}"


@pytest.mark.parametrize("n", [1, 49, 50, 51, 100, 131, 500])
@pytest.mark.parametrize("first", [0, 1, None])
def test_every_submission_comes_once(zindi, n, first):
    zindi.answers["submissions"] = listing(zindi, many(n), first=first)
    fetched = ask_zindi("play", zindi.secret)
    assert [row["id"] for row in fetched.rows] == [row["id"] for row in many(n)]
    assert fetched.n_left == 4


def test_a_server_that_gives_fifty_and_no_more_is_said_aloud(zindi):
    answer = listing(zindi, many(80), first=None, most=50)
    zindi.answers["submissions"] = answer
    history = fetch_zindi("play", metric="f1")
    assert len(history) == 50
    [told] = [w.message for w in history.warnings if w.code == "LBS121"]
    assert "older ones may be missing" in told


def test_the_history_is_that_of_zindi(zindi):
    rows = [
        sent(3, status="initial", public_score=None),
        sent(2, status="failed", public_score=None, status_description="No column"),
        sent(1, private_score=0.41, chosen=True, public_score=0.461234377),
    ]
    zindi.answers["submissions"] = listing(zindi, rows)
    history = fetch_zindi("https://zindi.africa/competitions/play/submissions")
    assert history.competition.platform == "zindi"
    first, failed, pending = history
    assert (first.public_score, first.private_score) == (0.461234377, 0.41)
    assert (first.selected, first.cv_score) == (True, 0.4001)
    assert (failed.status, failed.status_detail) == ("error", "No column")
    assert pending.status == "pending"


def test_only_the_users_own_data_are_asked_for(zindi):
    zindi.answers["submissions"] = listing(zindi, many(120))
    ask_zindi("play", zindi.secret)
    assert {asked.name for asked in zindi.asked} == {
        "submissions",
        "submissions/limits",
    }
    assert all(asked.headers["Auth-Token"] == zindi.secret for asked in zindi.asked)


def test_the_command_grows_a_file(zindi, run):
    zindi.answers["submissions"] = listing(zindi, many(60))
    assert "60 submissions, 60 new" in run("fetch", "zindi", "play").stdout
    zindi.answers["submissions"] = listing(zindi, many(63))
    done = run("fetch", "zindi", "play")
    assert "63 submissions, 3 new." in done.stdout
    assert "Left today  4" in done.stdout
    assert ids() == [row["id"] for row in many(63)]
    history = read_zindi("play.csv", metric="f1")
    assert len(history) == 63
    assert not any(item.code == "LBS101" for item in history.warnings)


FAULTS = {
    401: "Zindi does not accept the token (401)",
    403: "have you joined it",
    404: "Zindi knows no competition play (404)",
    429: "asked too often (429)",
    500: "a fault of its own (500)",
    302: "Zindi refuses (302)",
}


@pytest.mark.parametrize("status", FAULTS)
def test_a_refusal_is_one_clear_message(zindi, run, status):
    echo = {"data": {"errors": {"message": f"no auth-token={zindi.secret}\x1b[31m"}}}
    headers = {"Location": "http://127.0.0.1:9/"} if status == 302 else {}
    zindi.answers["submissions"] = lambda _: zindi.Reply(echo, status, headers)
    done = run("--traceback", "fetch", "zindi", "play")
    assert done.exit_code == 2
    assert FAULTS[status] in done.stderr
    assert zindi.secret not in everything(done)
    assert not Path("play.csv").exists()


def test_an_error_inside_a_success_is_an_error(zindi):
    wrong = {"data": {"errors": {"message": "Your token has expired"}}}
    zindi.answers["submissions"] = lambda _: zindi.Reply(wrong)
    with pytest.raises(FetchError, match=r"\(401\).*Your token has expired"):
        ask_zindi("play", zindi.secret)


@pytest.mark.parametrize(
    "bad",
    [
        {"content": b"<html>"},
        {"content": b'{"data": [{"id": '},
        {"content": {"data": many(30)}, "cut": True},
        {"content": {}, "status": 502},
    ],
)
def test_a_fault_that_passes_loses_nothing(zindi, waits, bad):
    zindi.answers["submissions"] = listing(zindi, many(120))
    zindi.faults["submissions"] = [zindi.Reply(**bad)] * 3
    assert len(ask_zindi("play", zindi.secret).rows) == 120
    assert waits == [1.0, 3.0, 9.0]


@pytest.mark.parametrize(
    "content", [{"data": 7}, {"data": [1]}, {"data": [{"status": "x"}]}, {"data": None}]
)
def test_what_is_no_list_of_submissions_is_told(zindi, content):
    zindi.answers["submissions"] = lambda _: zindi.Reply(content)
    with pytest.raises(FetchError, match="not what its interface promises"):
        ask_zindi("play", zindi.secret)


def test_a_wait_by_the_time_is_counted_by_zindis_clock(zindi, waits):
    theirs = datetime.now(UTC) - timedelta(days=2)
    zindi.answers["submissions"] = listing(zindi, many(3))
    zindi.faults["submissions"] = [
        zindi.Reply(
            {},
            429,
            {
                "Date": email.utils.format_datetime(theirs, usegmt=True),
                "Retry-After": email.utils.format_datetime(
                    theirs + timedelta(seconds=30), usegmt=True
                ),
            },
        )
    ]
    assert len(ask_zindi("play", zindi.secret).rows) == 3
    assert waits == [30.0]


@pytest.mark.parametrize("token", ["", "  ", "two words", "tök", "a\nb"])
def test_a_token_that_is_none_asks_nobody(zindi, token):
    with pytest.raises(FetchError, match="ZINDI_TOKEN"):
        ask_zindi("play", token)
    assert zindi.asked == []


def test_without_a_token_and_a_person_it_says_where_to_put_it(zindi, run, monkeypatch):
    monkeypatch.delenv("ZINDI_TOKEN")
    done = run("fetch", "zindi", "play")
    assert done.exit_code == 2
    assert "environment as ZINDI_TOKEN" in done.stderr


def test_a_person_is_asked_for_the_token_and_it_is_not_shown(
    zindi, run, monkeypatch, tmp_path
):
    monkeypatch.delenv("ZINDI_TOKEN")
    monkeypatch.setattr("lbsense.cli.records.is_interactive", lambda: True)
    hidden = []

    def prompt(_, **options):
        hidden.append(options["hide_input"])
        return zindi.secret

    monkeypatch.setattr(typer, "prompt", prompt)
    zindi.answers["submissions"] = listing(zindi, many(3))
    done = run("fetch", "zindi", "play")
    assert done.exit_code == 0
    assert hidden == [True]
    assert zindi.secret not in everything(done)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(zindi.secret.encode() in path.read_bytes() for path in files)


def test_no_leaderboard_of_zindi(zindi, run):
    done = run("fetch", "zindi", "play", "--leaderboard")
    assert done.exit_code == 2
    assert "from Kaggle only" in done.stderr
