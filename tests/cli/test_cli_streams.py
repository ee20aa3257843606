"""Pipes, devices, closed and full streams, and files that must not be lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lbsense._files import is_input, replace_file
from lbsense.cli import app

TABLE = "ref,date,status,publicScore\n" + "".join(
    f"{i},2026-03-{i + 1:02} 10:00:00,complete,0.8{i:02}\n" for i in range(9)
)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Return what a shell gives for a command line; $LB is lbsense."""
    (folder / "s.csv").write_text(TABLE, encoding="utf-8")
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={**os.environ, "LB": f"{sys.executable} -m lbsense"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    "line",
    [
        *(f"$LB metrics {closed}" for closed in (">&-", "2>&-", "<&-")),
        "$LB analyze s.csv --metric roc_auc <&- >&- 2>&-",
    ],
)
def test_closed_streams_end_quietly(tmp_path, line):
    done = shell(tmp_path, line)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
@pytest.mark.parametrize("command", ["metrics", "explain guess --json"])
def test_full_standard_output_is_named(tmp_path, command):
    done = shell(tmp_path, f"$LB {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr.strip() == "Error: standard output: No space left on device."


@pytest.mark.parametrize(
    "line", ["$LB analyze /dev/stdin", "cat s.csv | $LB analyze /dev/stdin"]
)
def test_standard_input_as_a_device(tmp_path, line):
    done = shell(tmp_path, f"{line} --metric roc_auc < s.csv")
    assert (done.returncode, done.stderr) == (0, "")


def test_named_pipe_makes_a_report(tmp_path):
    line = "mkfifo p && (cat s.csv > p &) && $LB report p --metric roc_auc -o r.html"
    done = shell(tmp_path, line)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").stat().st_size > 10_000


def test_an_endless_device_meets_the_limit(tmp_path, monkeypatch):
    import lbsense.ingest.tables.source as source
    from lbsense.errors import IngestError

    monkeypatch.setattr(source, "_MAX_BYTES", 3_000_000)
    with pytest.raises(IngestError, match="/dev/zero: more than 2 MB"):
        source.read_documents("/dev/zero")


def test_an_input_is_no_output_under_any_name(tmp_path, monkeypatch):
    kept = tmp_path / "kept.csv"
    kept.write_text(TABLE, encoding="utf-8")
    (tmp_path / "soft.json").symlink_to(kept)
    (tmp_path / "hard.json").hardlink_to(kept)
    folder = tmp_path / "oof"
    folder.mkdir()
    (folder / "oof_a.csv").write_text("id,pred\n1,0.5\n", encoding="utf-8")
    for name in ("soft.json", "hard.json", "kept.csv", "oof/../kept.csv"):
        assert is_input(tmp_path / name, [kept])
        assert is_input(kept, [tmp_path / name])
    assert is_input(folder / "oof_a.csv", [folder])
    assert not is_input(tmp_path / "new.json", [kept, folder])
    assert not is_input(tmp_path / "new.json", [tmp_path / "gone"])
    line = "$LB analyze - --metric roc_auc -o hard.json --force < kept.csv"
    done = shell(tmp_path, line)
    assert done.returncode == 2
    assert "is one of the inputs" in done.stderr.replace("\n", " ")
    monkeypatch.chdir(tmp_path)
    for line in (
        "analyze kept.csv --metric roc_auc -o soft.json --force",
        "analyze s.csv --metric roc_auc --cv-log kept.csv -o soft.json --force",
        "analyze s.csv --metric roc_auc --predictions oof --labels kept.csv "
        "--json -o kept.csv --force",
    ):
        told = CliRunner().invoke(app, line.split())
        assert told.exit_code == 2, line
        assert "is one of the inputs" in told.stderr.replace("\n", " ")
    assert kept.read_text(encoding="utf-8") == TABLE


def test_a_file_is_replaced_with_force_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.csv").write_text(TABLE, encoding="utf-8")
    target = tmp_path / "steps.json"
    target.write_text("mine", encoding="utf-8")
    line = ["analyze", "s.csv", "--metric", "roc_auc", "-o", "steps.json"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert target.read_text(encoding="utf-8") == "mine"
    assert CliRunner().invoke(app, [*line, "--force"]).exit_code == 0
    assert target.read_text(encoding="utf-8").startswith("{")


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text("old", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"report\.html: No space left.*as it was"):
        replace_file("new", target)
    assert target.read_text(encoding="utf-8") == "old"
    with pytest.raises(OSError, match=r"timeline\.png: No space left"):
        replace_file(b"new", tmp_path / "report_files" / "timeline.png")
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path):
    target = tmp_path / "steps.json"
    versions = ["a" * 2_000_000, "b" * 2_000_000]
    replace_file(versions[0], target)
    seen, done = set(), threading.Event()

    def read() -> None:
        while not done.is_set():
            text = target.read_text(encoding="utf-8")
            seen.add(text if text not in versions else text[0])

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(10):
        replace_file(versions[turn % 2], target)
    done.set()
    reader.join()
    assert seen <= {"a", "b"}


def test_what_is_no_file_is_written_to(tmp_path):
    replace_file("x", Path(os.devnull))
    assert not os.path.isfile(os.devnull)
    assert shutil.which("sh")
