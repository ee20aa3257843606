"""Kaggle asked by its own client: every page once, every fault in words, no secret."""

from __future__ import annotations

import base64
import csv
import email.utils
import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest

from lbsense import FetchError, fetch_kaggle, log_experiment, read_kaggle
from lbsense.ingest import ask_kaggle

ROOT = Path(__file__).parents[3]


def refs(path: str | Path = "play.csv") -> list[str]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [row["ref"] for row in csv.DictReader(file)]


def everything(run_result) -> str:
    error = run_result.exception
    return f"{run_result.stdout}{run_result.stderr}{error!r}"


# Pages.


@pytest.mark.parametrize("n", [1, 19, 20, 199, 200, 201, 400, 453, 1000])
def test_every_submission_comes_once(kaggle, n):
    rows = [kaggle.sent(number) for number in range(n, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows)
    fetched = ask_kaggle("play")
    assert [row["ref"] for row in fetched.rows] == [str(row["ref"]) for row in rows]
    assert fetched.doubts == ()


@pytest.mark.parametrize("size", [20, 50, 100])
def test_pages_smaller_than_asked_for_come_all(kaggle, size):
    rows = [kaggle.sent(number) for number in range(230, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows, size=size)
    assert len(ask_kaggle("play").rows) == 230


def test_full_pages_without_a_token_are_asked_for_by_number(kaggle):
    listing = kaggle.paged([kaggle.sent(number) for number in range(450, 0, -1)])

    def without_token(asked):
        reply = listing(asked)
        return kaggle.Reply({"submissions": reply.content["submissions"]})

    kaggle.answers["ListSubmissions"] = without_token
    fetched = ask_kaggle("play")
    assert len(fetched.rows) == 450
    assert fetched.doubts == ()


def test_a_page_sent_twice_is_read_once_and_nothing_is_lost(kaggle):
    rows = [kaggle.sent(number) for number in range(500, 0, -1)]
    listing = kaggle.paged(rows)
    first = kaggle.Reply({"submissions": rows[:200], "nextPageToken": "T200"})
    kaggle.answers["ListSubmissions"] = listing
    kaggle.faults["ListSubmissions"] = [first, first]
    assert len(ask_kaggle("play").rows) == 500


def test_a_submission_that_arrives_meanwhile_shifts_a_page_and_is_read_once(kaggle):
    rows = [kaggle.sent(number) for number in range(300, 0, -1)]

    def listing(asked):
        if asked.fields.get("pageToken"):
            return kaggle.paged([kaggle.sent(301), *rows])(asked)
        return kaggle.paged(rows)(asked)

    kaggle.answers["ListSubmissions"] = listing
    names = [row["ref"] for row in ask_kaggle("play").rows]
    assert len(names) == len(set(names)) == 300


def test_a_page_repeated_for_ever_is_said_aloud(kaggle):
    page = [kaggle.sent(number) for number in range(200, 0, -1)]
    kaggle.answers["ListSubmissions"] = lambda _: kaggle.Reply(
        {"submissions": page, "nextPageToken": "again"}
    )
    history = fetch_kaggle("play")
    assert len(history) == 200
    assert kaggle.times("ListSubmissions") < 6
    [told] = [w.message for w in history.warnings if w.code == "LBS121"]
    assert "older ones may be missing" in told


def test_pages_that_never_end_end(kaggle):
    page = [kaggle.sent(number) for number in range(200, 0, -1)]
    tokens = iter(range(10_000))
    kaggle.answers["ListSubmissions"] = lambda _: kaggle.Reply(
        {"submissions": page, "nextPageToken": f"t{next(tokens)}"}
    )
    assert len(ask_kaggle("play").rows) == 200
    assert kaggle.times("ListSubmissions") < 6


# What is known of the competition and of each submission.


def test_facts_of_the_competition_are_filled(kaggle):
    history = fetch_kaggle("https://www.kaggle.com/competitions/play/overview")
    competition = history.competition
    assert (competition.platform, competition.slug) == ("kaggle", "play")
    assert (competition.metric, competition.greater_is_better) == ("roc_auc", True)
    assert competition.deadline == datetime(2036, 8, 31, 23, 59, tzinfo=UTC)
    assert [item.public_score for item in history][:2] == [0.70001, 0.70002]
    assert history[0].cv_score == 0.7001
    assert history[0].submitted_at == datetime(2026, 7, 1, 0, 0, 1, 123_000, tzinfo=UTC)


def test_what_the_user_says_wins(kaggle):
    competition = fetch_kaggle("play", metric="rmse", deadline="2027-01-01").competition
    assert (competition.metric, competition.greater_is_better) == ("rmse", False)
    assert competition.deadline == datetime(2027, 1, 1, tzinfo=UTC)


def test_what_kaggle_says_wins_over_the_catalogue(kaggle):
    slug = "santander-customer-satisfaction"
    competition = fetch_kaggle(slug).competition
    assert competition.deadline == datetime(2036, 8, 31, 23, 59, tzinfo=UTC)
    assert competition.public_fraction == 0.5


def test_an_unknown_metric_is_said_aloud(kaggle):
    kaggle.answers["GetCompetition"] = lambda _: kaggle.Reply(
        {"ref": "play", "evaluationMetric": "Play Metric"}
    )
    history = fetch_kaggle("play")
    assert history.competition.greater_is_better is None
    assert any("'Play Metric'" in item.message for item in history.warnings)
    stated = fetch_kaggle("play", greater_is_better=False).competition
    assert (stated.metric, stated.greater_is_better) == ("Play Metric", False)


def test_pending_and_failed_submissions_keep_their_reason(kaggle):
    failed = kaggle.sent(
        3, status="ERROR", publicScore="", errorDescription="Submission CSV not found"
    )
    pending = kaggle.sent(2, publicScore="")
    del pending["status"]
    kaggle.answers["ListSubmissions"] = kaggle.paged([failed, pending, kaggle.sent(1)])
    by_name = {item.submission_id: item for item in fetch_kaggle("play")}
    assert by_name["5000003"].status == "error"
    assert by_name["5000003"].status_detail == "Submission CSV not found"
    assert by_name["5000002"].status == "pending"


def test_exactly_one_page_is_no_truncated_export(kaggle, run):
    rows = [kaggle.sent(number) for number in range(50, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows)
    assert run("fetch", "kaggle", "play").exit_code == 0
    for history in (read_kaggle("play.csv", metric="auc"), fetch_kaggle("play")):
        assert len(history) == 50
        assert not any(item.code == "LBS101" for item in history.warnings)


# The file.


def test_the_command_writes_what_analyze_reads(kaggle, run):
    done = run("fetch", "kaggle", "play", "-o", "mine.csv")
    assert done.exit_code == 0
    assert "Kaggle, play: 6 submissions, 6 new." in done.stdout
    knows_limits = kaggle.times("GetSubmissionLimits") > 0  # old clients do not
    assert ("Left today  7 of 10" in done.stdout) == knows_limits
    assert "2036-08-31 23:59 UTC" in done.stdout
    command = done.stdout.partition("Try: lbsense ")[2].split()
    assert run(*command).exit_code == 0


def test_a_second_fetch_adds_what_is_new_and_loses_nothing(kaggle, run):
    old = kaggle.sent(2, publicScore="")
    del old["status"]
    kaggle.answers["ListSubmissions"] = kaggle.paged([old, kaggle.sent(1)])
    run("fetch", "kaggle", "play")
    text = Path("play.csv").read_text("utf-8")
    head, *lines = text.splitlines()
    own = [f"{head},cv", *(f"{line},0.8{i}" for i, line in enumerate(lines))]
    Path("play.csv").write_text("\n".join(own) + "\n", "utf-8")
    news = [kaggle.sent(3), kaggle.sent(2, privateScore="0.6")]
    kaggle.answers["ListSubmissions"] = kaggle.paged(news)  # 1 is listed no longer
    done = run("fetch", "kaggle", "play")
    assert "3 submissions, 1 new, 1 changed, 1 kept that are listed no longer" in (
        done.stdout
    )
    with Path("play.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["ref"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["5000003", "5000002", "5000001"]
    assert rows["5000002"]["status"] == "complete"
    assert rows["5000002"]["publicScore"] == "0.70002"
    assert rows["5000002"]["privateScore"] == "0.6"
    assert [row["cv"] for row in rows.values()] == ["", "0.80", "0.81"]


def test_a_blanked_score_is_kept_and_an_equal_answer_changes_no_byte(kaggle, run):
    run("fetch", "kaggle", "play")
    before = Path("play.csv").read_bytes()
    rows = [kaggle.sent(number, publicScore="") for number in range(6, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows)
    done = run("fetch", "kaggle", "play")
    assert "6 submissions, 0 new." in done.stdout
    assert Path("play.csv").read_bytes() == before


def test_a_listing_of_the_client_is_completed(kaggle, run):
    head = "ref,fileName,date,description,status,publicScore,privateScore"
    one = "5000001,submission.csv,2026-07-01 00:00:01.123000,model v1 cv 0.7001"
    status = "SubmissionStatus.COMPLETE"
    Path("play.csv").write_text(f"{head}\r\n{one},{status},0.70001,\r\n", "utf-8")
    done = run("fetch", "kaggle", "play")
    assert "6 submissions, 5 new, 1 changed" in done.stdout  # now with its sender
    assert len(refs()) == 6


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a,b\n1,2\n", "no column|nothing in column"),
        (b"ref,date\n,2026-01-01\n", "nothing in column 'ref'"),
        (b"ref,date\n7,a\n7,b\n", "'7' is there twice"),
        (b"ref,date\n7,a,b\n", "line 2 has other cells"),
        (b"ref,date\n7\n", "line 2 has other cells"),
        (b"\xff\xfe\x00\x01", "can't decode"),
        (b'{"a": 1}', "no list of submissions"),
        (b"{broken", "Expecting"),
    ],
)
def test_a_file_of_something_else_is_left_alone(kaggle, run, content, why):
    Path("play.csv").write_bytes(content)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert any(part in done.stderr for part in why.split("|"))
    assert "left as it is" in done.stderr
    assert Path("play.csv").read_bytes() == content


def test_json_keeps_the_facts_and_grows_too(kaggle, run):
    assert run("fetch", "kaggle", "play", "-o", "play.json").exit_code == 0
    whole = json.loads(Path("play.json").read_text("utf-8"))
    assert whole["competition"]["metric"] == "roc_auc"
    assert whole["competition"]["deadline"] == "2036-08-31T23:59:00+00:00"
    rows = [kaggle.sent(number) for number in range(7, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows)
    assert (
        "7 submissions, 1 new"
        in run("fetch", "kaggle", "play", "-o", "play.json").stdout
    )
    history = read_kaggle("play.json")
    assert len(history) == 7
    competition = history.competition
    assert (competition.slug, competition.metric) == ("play", "roc_auc")
    assert competition.deadline == datetime(2036, 8, 31, 23, 59, tzinfo=UTC)
    assert read_kaggle("play.json", metric="rmse").competition.metric == "rmse"


def test_a_full_disk_loses_nothing(kaggle, run, monkeypatch):
    run("fetch", "kaggle", "play")
    before = Path("play.csv").read_bytes()
    rows = [kaggle.sent(number) for number in range(9, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "play.csv: No space left on device. Nothing was written" in done.stderr
    assert Path("play.csv").read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["play.csv"]


def test_a_read_only_folder_is_told(kaggle, run, monkeypatch):
    def shut(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", shut)  # root may write anywhere
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "play.csv: Permission denied. Nothing was written" in done.stderr


def test_a_fetch_that_is_killed_leaves_the_old_file(kaggle, run, monkeypatch):
    run("fetch", "kaggle", "play")
    before = Path("play.csv").read_bytes()
    rows = [kaggle.sent(number) for number in range(9, 0, -1)]
    kaggle.answers["ListSubmissions"] = kaggle.paged(rows)

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    assert run("fetch", "kaggle", "play").exit_code == 130
    assert Path("play.csv").read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["play.csv"]


def test_no_submission_writes_no_file(kaggle, run):
    kaggle.answers["ListSubmissions"] = lambda _: kaggle.Reply({})
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 0
    assert "no submission of yours yet" in done.stdout
    assert not Path("play.csv").exists()
    with pytest.raises(FetchError, match="no submission of yours yet"):
        fetch_kaggle("play")


# Faults.


FAULTS = {
    401: "does not accept the credentials (401)",
    403: "accepted its rules (https://www.kaggle.com/competitions/play/rules)",
    404: "Kaggle knows no competition play (404)",
    429: "asked too often (429)",
    500: "a fault of its own (500)",
    503: "a fault of its own (503)",
    418: "refuses (418)",
}


@pytest.mark.parametrize("status", FAULTS)
@pytest.mark.parametrize("at", ["GetCompetition", "ListSubmissions"])
def test_a_refusal_is_one_clear_message(kaggle, run, status, at):
    run("fetch", "kaggle", "play")
    before = Path("play.csv").read_bytes()
    echo = f"no: Bearer {kaggle.secret} of {kaggle.legacy} \x1b[31m"
    kaggle.answers[at] = lambda _: kaggle.Reply(
        {"code": status, "message": echo}, status
    )
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert FAULTS[status] in done.stderr
    assert done.stderr.count("Error: ") == 1
    assert kaggle.secret not in everything(done)
    assert "\x1b" not in done.stderr
    assert Path("play.csv").read_bytes() == before


def test_a_refusal_inside_a_success_is_a_refusal(kaggle):
    refusal = {"code": 403, "message": "You must accept this competition's rules"}
    kaggle.answers["ListSubmissions"] = lambda _: kaggle.Reply(refusal)
    with pytest.raises(FetchError, match=r"\(403\).*You must accept this comp"):
        ask_kaggle("play")


def test_a_wrong_name_hints_at_a_close_one(kaggle):
    missing = kaggle.Reply({"code": 404, "message": "Not found"}, 404)
    kaggle.answers["GetCompetition"] = lambda _: missing
    with pytest.raises(FetchError, match="Close to it: santander-customer-satis"):
        ask_kaggle("santander-customer-satisfacton")


@pytest.mark.parametrize("slug", ["", "a b", "x;y", "-x", "ünï"])
def test_a_name_that_is_none_asks_nobody(kaggle, slug):
    with pytest.raises(FetchError, match="not the name of a competition|no comp"):
        ask_kaggle(slug)


def test_too_many_requests_waits_as_long_as_it_is_told(kaggle, waits):
    kaggle.faults["ListSubmissions"] = [
        kaggle.Reply({"code": 429, "message": "slow"}, 429, {"Retry-After": "7"}),
        kaggle.Reply({"code": 429, "message": "slow"}, 429),
    ]
    told: list[str] = []
    assert len(ask_kaggle("play", tell=told.append).rows) == 6
    assert waits == [7.0, 3.0]
    assert told[0] == "Kaggle is not ready; asking again in 7 seconds."


def test_a_wait_by_the_time_is_counted_by_kaggles_clock(kaggle, waits):
    theirs = datetime.now(UTC) + timedelta(hours=3)
    kaggle.faults["ListSubmissions"] = [
        kaggle.Reply(
            {"code": 429, "message": "slow"},
            429,
            {
                "Date": email.utils.format_datetime(theirs, usegmt=True),
                "Retry-After": email.utils.format_datetime(
                    theirs + timedelta(seconds=20), usegmt=True
                ),
            },
        )
    ]
    ask_kaggle("play")
    assert waits == [20.0]


def test_a_very_long_wait_is_not_waited_for(kaggle, waits):
    slow = kaggle.Reply({"code": 429, "message": "x"}, 429, {"Retry-After": "7200"})
    kaggle.answers["ListSubmissions"] = lambda _: slow
    with pytest.raises(FetchError, match=r"\(429\). Try again in 120 minutes") as error:
        ask_kaggle("play")
    assert waits == []
    assert error.value.may_pass


@pytest.mark.parametrize("header", ["soon", "", "-5", "nan", "inf", "1e400"])
def test_a_wait_that_makes_no_sense_is_no_obstacle(kaggle, waits, header):
    slow = kaggle.Reply({"code": 429, "message": "x"}, 429, {"Retry-After": header})
    kaggle.faults["ListSubmissions"] = [slow]
    assert len(ask_kaggle("play").rows) == 6
    assert waits == [0.0 if header == "-5" else 1.0]


@pytest.mark.parametrize(
    "bad",
    [
        {"content": b'{"submissions": [{"ref": 5', "cut": False},
        {"content": b"<html>sign in</html>"},
        {"content": [1, 2]},
        {"content": {"submissions": [{"ref": 1, "date": "yesterday"}]}},
        {"content": {"submissions": [{"ref": 1, "status": "MOON"}]}},
        {"content": {"submissions": 7}},
        {"content": {"x": "y" * 5000}, "cut": True},
    ],
    ids=["torn", "html", "list", "date", "status", "number", "cut"],
)
def test_a_garbled_or_cut_answer_is_asked_for_again(kaggle, run, waits, bad):
    json_type = {"headers": {"Content-Type": "application/json"}}
    kaggle.faults["ListSubmissions"] = [kaggle.Reply(**{**json_type, **bad})] * 2
    assert run("fetch", "kaggle", "play").exit_code == 0
    assert len(refs()) == 6
    assert waits == [1.0, 3.0]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            "promises",
        ),
        ({"content": {"x": "y" * 5000}, "cut": True}, "broke"),
    ],
)
def test_what_lasts_is_told_after_some_attempts(kaggle, run, waits, bad, words):
    kaggle.answers["ListSubmissions"] = lambda _: kaggle.Reply(**bad)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert words in done.stderr
    assert kaggle.times("ListSubmissions") == len(waits) + 1 == 5
    assert not Path("play.csv").exists()


def test_a_fault_between_two_pages_loses_nothing(kaggle, run):
    rows = [kaggle.sent(number) for number in range(450, 0, -1)]
    listing = kaggle.paged(rows)
    broken = kaggle.Reply({"x": "y" * 5000}, cut=True)
    turns = iter([0, 1, 0, 1, 0])
    kaggle.answers["ListSubmissions"] = lambda asked: (
        broken if next(turns) else listing(asked)
    )
    assert run("fetch", "kaggle", "play").exit_code == 0
    assert refs() == [str(row["ref"]) for row in rows]


def test_nobody_at_the_other_end_is_one_message(kaggle, run, monkeypatch):
    from kagglesdk import kaggle_env

    places = {kaggle_env.KaggleEnv.PROD: "http://127.0.0.1:9"}
    monkeypatch.setattr(kaggle_env, "_env_to_endpoint", places)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "The connection to Kaggle broke or was never made" in done.stderr
    assert kaggle.secret not in everything(done)


def test_what_can_be_done_without_is_done_without(kaggle):
    kaggle.answers["GetSubmissionLimits"] = lambda _: kaggle.Reply(
        {"code": 403, "message": "no"}, 403
    )
    fetched = ask_kaggle("play")
    assert len(fetched.rows) == 6
    assert fetched.n_left is None
    assert not kaggle.times("GetSubmissionLimits") or any(
        "Not everything was answered" in doubt for doubt in fetched.doubts
    )


@pytest.mark.parametrize(("hours", "way"), [(-5, "ahead of"), (5, "behind")])
def test_a_wrong_clock_is_told_and_kaggles_time_is_taken(kaggle, hours, way):
    theirs = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    date = {"Date": email.utils.format_datetime(theirs, usegmt=True)}
    for name, answer in list(kaggle.answers.items()):
        kaggle.answers[name] = lambda asked, answer=answer: kaggle.Reply(
            answer(asked).content, 200, date
        )
    fetched = ask_kaggle("play")
    assert fetched.fetched_at == theirs
    [doubt] = fetched.doubts
    assert f"{way} that of Kaggle" in doubt


# Credentials.


def test_no_credentials_say_where_to_get_them(kaggle, run, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "finds no credentials" in done.stderr
    assert "https://www.kaggle.com/settings" in done.stderr
    assert "KAGGLE_API_TOKEN" in done.stderr
    assert done.stdout == ""


def test_a_wrong_token_is_told_and_not_shown(kaggle, run, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_wrongplanted")
    done = run("--traceback", "fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "does not know the token in KAGGLE_API_TOKEN" in done.stderr
    assert "KGAT_wrongplanted" not in everything(done)


def test_the_legacy_key_works_and_is_not_shown(kaggle, run, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", kaggle.legacy)
    pair = base64.b64encode(f"someone:{kaggle.legacy}".encode()).decode()
    assert run("fetch", "kaggle", "play").exit_code == 0
    assert kaggle.asked[-1].headers["Authorization"] == f"Basic {pair}"
    echo = {"code": 401, "message": f"bad {pair} or {kaggle.legacy}"}
    kaggle.answers["ListSubmissions"] = lambda _: kaggle.Reply(echo, 401)
    done = run("--traceback", "fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "Kaggle says: 'bad *** or ***'" in done.stderr
    assert kaggle.legacy not in everything(done)
    assert pair not in everything(done)


@pytest.mark.parametrize("content", ["{", "[]", '{"username": "someone"}', ""])
def test_a_damaged_file_of_credentials_is_told(kaggle, run, monkeypatch, content):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    Path(os.environ["KAGGLE_CONFIG_DIR"], "kaggle.json").write_text(content)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    words = ("finds no credentials", "their file (~/.kaggle) may be damaged")
    assert any(text in done.stderr for text in words)


def test_the_token_in_a_file_works(kaggle, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    folder = Path(os.environ["HOME"]) / ".kaggle"
    folder.mkdir()
    (folder / "access_token").write_text(kaggle.secret)
    if metadata.version("kaggle") == "1.8.0":  # which has a bug there
        with pytest.raises(FetchError, match="cannot sign in with the credentials"):
            ask_kaggle("play")
        return
    assert len(ask_kaggle("play").rows) == 6


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_fault_while_signing_in_is_one_message(kaggle, run, status):
    echo = {"code": status, "message": f"no {kaggle.secret}"}
    kaggle.answers["IntrospectToken"] = lambda _: kaggle.Reply(echo, status)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert f"({status})" in done.stderr
    assert kaggle.secret not in everything(done)


def test_a_garbled_answer_while_signing_in_is_one_message(kaggle, run):
    headers = {"Content-Type": "application/json"}
    kaggle.answers["IntrospectToken"] = lambda _: kaggle.Reply(b"{", headers=headers)
    done = run("fetch", "kaggle", "play")
    assert done.exit_code == 2
    assert "not what its interface promises" in done.stderr


def test_no_secret_is_told_even_by_a_talkative_client(
    kaggle, run, monkeypatch, caplog, tmp_path
):
    monkeypatch.setenv("VERBOSE", "true")
    with caplog.at_level(logging.DEBUG):
        done = run("--traceback", "fetch", "kaggle", "play", "--leaderboard")
    assert done.exit_code == 0
    assert kaggle.secret not in everything(done)
    assert kaggle.secret not in caplog.text
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(kaggle.secret.encode() in path.read_bytes() for path in written)


def test_an_old_client_is_told(kaggle, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda _: "1.7.4.5")
    with pytest.raises(FetchError, match="kaggle 1.7.4.5 knows neither tokens nor"):
        ask_kaggle("play")


def test_a_missing_client_is_told(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    with pytest.raises(FetchError, match=r"pip install 'lbsense\[kaggle\]'"):
        ask_kaggle("play")


def test_a_client_with_a_missing_part_is_told(kaggle, monkeypatch):
    monkeypatch.setitem(sys.modules, "six", None)  # the client does not declare it
    with pytest.raises(FetchError, match="six is missing or broken. Install it"):
        ask_kaggle("play")


# Leaderboards.


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


def with_board(kaggle, content: bytes, *, deadline: str) -> None:
    kaggle.answers["DownloadLeaderboard"] = lambda _: kaggle.Reply(
        content, headers={"Content-Type": "application/zip"}
    )
    kaggle.answers["GetCompetition"] = lambda _: kaggle.Reply(
        {"ref": "play", "evaluationMetric": "AUC", "deadline": deadline}
    )
    teams = [
        {
            "teamId": number,
            "teamName": f"team {number}",
            "submissionDate": "2026-07-01T00:00:00Z",
            "score": f"0.{900 - number}",
        }
        for number in range(1, 451)
    ]

    def listed(asked):
        start = int(asked.fields.get("pageToken") or 0)
        content = {"submissions": teams[start : start + 200]}
        if start + 200 < len(teams):
            content["nextPageToken"] = str(start + 200)
        return kaggle.Reply(content)

    kaggle.answers["GetLeaderboard"] = listed


PUBLIC = "Rank,TeamId,TeamName,Score\n1,7,a,0.9\n"


def test_before_the_close_there_is_the_public_board(kaggle, run):
    content = zipped(**{"play-publicleaderboard-2026.csv": PUBLIC})
    with_board(kaggle, content, deadline="2036-01-01T00:00:00Z")
    assert run("fetch", "kaggle", "play", "--leaderboard").exit_code == 0
    assert Path("play-public-leaderboard.csv").read_text("utf-8") == PUBLIC
    assert not Path("play-private-leaderboard.csv").exists()


def test_after_the_close_there_is_the_private_board_too(kaggle, run):
    content = zipped(**{"play-publicleaderboard-2026.csv": PUBLIC})
    with_board(kaggle, content, deadline="2026-01-01T00:00:00Z")
    assert run("fetch", "kaggle", "play", "--leaderboard").exit_code == 0
    lines = Path("play-private-leaderboard.csv").read_text("utf-8").splitlines()
    assert lines[0] == "teamId,teamName,submissionDate,score"
    assert len(lines) == 451


@pytest.mark.parametrize(
    "content", [b"PK no archive", b"", zipped(), zipped(**{"a.csv": "", "b.csv": ""})]
)
def test_a_broken_board_does_not_cost_the_submissions(kaggle, run, content):
    with_board(kaggle, content, deadline="2036-01-01T00:00:00Z")
    done = run("fetch", "kaggle", "play", "--leaderboard")
    assert done.exit_code == 0
    assert "public leaderboard came broken" in done.stderr
    assert len(refs()) == 6


# Watching.


def test_watch_says_what_a_new_score_means(kaggle, run, waits):
    listings = [range(6, 0, -1), range(6, 0, -1), range(7, 0, -1)]
    turns = iter(listings)
    kaggle.answers["ListSubmissions"] = lambda asked: kaggle.paged(
        [kaggle.sent(number) for number in next(turns)]
    )(asked)
    done = run("watch", "play", "--times", 3, "--every", 2, "--test-size", 5000)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[2] for line in lines] == ["5000006", "5000007"]
    assert "public 0.70007. " in lines[1]
    assert waits == [120.0, 120.0]
    assert len(refs()) == 7


def test_watch_says_that_a_file_came_again(kaggle, run, tmp_path):
    file, ledger = tmp_path / "sub.csv", tmp_path / "ledger.jsonl"
    file.write_text("id,p\n1,0.5\n")
    for name, number in (("lgbm", 5_000_003), ("blend", 5_000_006)):
        log_experiment(name, predictions=file, submission_id=str(number), ledger=ledger)
    kaggle.answers["ListSubmissions"] = lambda asked: kaggle.paged(
        [kaggle.sent(number) for number in range(6, 0, -1)]
    )(asked)
    done = run("watch", "play", "--times", 1, "--ledger", ledger)
    assert done.exit_code == 0
    assert "same content" in done.stdout.casefold()


def test_watch_outlasts_a_fault_that_may_pass(kaggle, run, waits):
    broken = kaggle.Reply({"code": 503, "message": "x"}, 503)
    kaggle.faults["GetCompetition"] = [broken] * 5
    done = run("watch", "play", "--times", 2)
    assert done.exit_code == 0
    assert "Next try in 5 min." in done.stderr
    assert len(refs()) == 6


def test_watch_ends_where_it_cannot_pass(kaggle, run):
    refused = kaggle.Reply({"code": 401, "message": "x"}, 401)
    kaggle.answers["GetCompetition"] = lambda _: refused
    done = run("watch", "play", "--times", 9)
    assert done.exit_code == 2
    assert kaggle.times("GetCompetition") == 1


@pytest.mark.parametrize(
    "arguments",
    [("fetch", "drivendata", "x"), ("watch", "drivendata", "x")],
)
def test_other_platforms_are_told(run, arguments):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "kaggle or zindi, got 'drivendata'" in done.stderr


# The generations of the client.


@pytest.mark.long
@pytest.mark.parametrize(
    "client",
    [
        ("kaggle==1.8.0", "kagglesdk==0.1.15"),  # the oldest that can be asked
        ("kaggle==1.8.4",),
        ("kaggle==2.2.5",),
    ],
    ids=lambda client: client[0].partition("==")[2],
)
def test_all_of_this_holds_with_this_client(client, tmp_path):
    where = tmp_path / "client"
    install = ["install", "-q", "--target", where, *client, "six"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *install], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"{client[0]} cannot be installed here")
    path = os.pathsep.join([str(where), str(ROOT), os.environ.get("PYTHONPATH", "")])
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-m",
        "not slow and not long",
        __file__,
    ]
    inner = subprocess.run(
        [*tests, "-n", "0", "-p", "no:cacheprovider", "-p", "no:randomly"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
    )
    assert inner.returncode == 0, inner.stdout[-3000:]
    assert "skipped" not in inner.stdout.splitlines()[-1]


OBJECTS = """
import json, sys
sys.argv = ["x"]
{make}
print(json.dumps({dump}, default=str))
"""
SENT = {
    "ref": 7,
    "date": "2026-07-28T15:17:26.513Z",
    "description": "CV 0.81",
    "fileName": "a.csv",
    "publicScore": "0.79",
    "status": "complete",
    "totalBytes": 1234,
    "url": "https://www.kaggle.com/submissions/7/7.raw",
}


@pytest.mark.long
@pytest.mark.parametrize(
    ("version", "make", "dump"),
    [
        (
            "1.6.17",
            "from kaggle.models.kaggle_models_extended import Submission\n"
            f"one = Submission({SENT!r})",
            "vars(one)",
        ),
        (
            "1.7.4.5",
            "from kagglesdk.competitions.types.competition_api_service import "
            f"ApiSubmission\none = ApiSubmission.from_dict({SENT!r})",
            "vars(one)",
        ),
        (
            "2.2.5",
            "from kagglesdk.competitions.types.competition_api_service import "
            f"ApiSubmission\none = ApiSubmission.from_dict({SENT!r})",
            "vars(one)",
        ),
    ],
)
def test_objects_of_every_generation_are_read(version, make, dump, tmp_path):
    where = tmp_path / "client"
    install = ["install", "-q", "--target", where, f"kaggle=={version}", "six"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *install], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"kaggle {version} cannot be installed here")
    environment = {
        **os.environ,
        "PYTHONPATH": str(where),
        "KAGGLE_USERNAME": "u",
        "KAGGLE_KEY": "k",
        "HOME": str(tmp_path),
    }
    shown = subprocess.run(
        [sys.executable, "-c", OBJECTS.format(make=make, dump=dump)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    history = read_kaggle([json.loads(shown.stdout.splitlines()[-1])])
    [item] = history
    assert (item.public_score, item.cv_score) == (0.79, 0.81)
    assert (item.submission_id, item.status) == ("7", "complete")
    assert item.submitted_at.replace(microsecond=0, tzinfo=None) == datetime(
        2026, 7, 28, 15, 17, 26
    )
