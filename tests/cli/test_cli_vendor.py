"""``lbsense vendor``, and every command without a network."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import socket
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lbsense as lb
from lbsense.cli.app import COMMANDS

Run = Callable[..., Any]
PACKAGE = Path(lb.__file__).parent


@pytest.fixture
def vendored(run: Run, tmp_path: Path) -> Path:
    done = run("vendor", tmp_path / "out", "--owner", "me")
    if "without the record of its installation" in done.stderr:
        pytest.skip("lbsense is not installed here")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "import lbsense as lb"
    assert len(done.stdout.splitlines()) == 2
    return tmp_path / "out"


def test_the_wheel_is_whole_and_the_same_each_time(
    vendored: Path, run: Run, tmp_path: Path
) -> None:
    (wheel,) = vendored.glob("*.whl")
    raw = wheel.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    assert (vendored / "SHA256SUMS").read_text() == f"{digest}  {wheel.name}\n"
    assert digest in (vendored / "README.md").read_text()
    assert "--no-index --no-deps" in (vendored / "README.md").read_text()
    described = json.loads((vendored / "dataset-metadata.json").read_text())
    assert described["id"] == "me/lbsense-wheel"
    run("vendor", tmp_path / "again")
    assert (tmp_path / "again" / wheel.name).read_bytes() == raw
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    own = {
        f"lbsense/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert own == {name for name in files if name.startswith("lbsense/")}
    record = next(name for name in files if name.endswith("/RECORD"))
    rows = list(csv.reader(io.StringIO(files[record].decode())))
    assert {row[0] for row in rows} == set(files)
    for name, told, _ in rows[:-1]:
        made = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest())
        assert told == f"sha256={made.rstrip(b'=').decode()}"


@pytest.mark.slow
def test_pip_installs_it_without_a_network(vendored: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=True, system_site_packages=True)
    python = next(place.glob("[bS]*/python*"))
    (wheel,) = vendored.glob("*.whl")
    pip = [python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel]
    subprocess.run(pip, check=True)
    code = (
        "import lbsense, sys; from importlib.metadata import version\n"
        "assert version('lbsense') == lbsense.__version__\n"
        "print(lbsense.__file__)"
    )
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    if "No module named" in done.stderr:
        pytest.skip("the packages of this test are those of another environment")
    assert str(place) in done.stdout


def test_a_file_is_no_folder_to_write(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    done = run("vendor", path)
    assert done.exit_code == 2
    assert "is a file. Name a folder" in done.stderr


OFFLINE = {
    "analyze": ("SUBS", "--metric", "auc"),
    "step": ("last", "SUBS", "--metric", "auc"),
    "report": ("SUBS", "--metric", "auc", "-o", "page.html"),
    "pick": ("SUBS", "--metric", "auc"),
    "gate": ("SUBS", "--metric", "auc", "--cv", "0.9"),
    "plan": ("SUBS", "--metric", "auc", "--candidate", "a=0.9"),
    "log": ("--why", "x", "--cv", "0.8", "--", sys.executable, "-c", "0"),
    "card": ("exp001",),
    "explain": ("LBS101",),
    "simulate": ("-o", "made"),
    "formats": (),
    "metrics": (),
    "schema": ("analyze",),
    "vendor": ("wheel",),
}


def test_every_command_but_fetch_and_watch_works_without_a_network(
    run: Run, submissions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.chdir(tmp_path)
    asked = [name for name in COMMANDS if name in OFFLINE]
    for name in asked:
        words = [str(submissions) if w == "SUBS" else w for w in OFFLINE[name]]
        done = run(name, *words)
        assert done.exit_code in (0, 1, 3) or "record of its" in done.stderr, (
            name,
            done.stderr,
        )
    assert asked
    assert not {"fetch", "watch"} & set(asked)
