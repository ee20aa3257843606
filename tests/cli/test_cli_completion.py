"""Shell completion: the script is given, and it is answered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lbsense.cli import app

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def completed(line: str) -> list[str]:
    """Return what bash would offer at the end of a line."""
    environment = {
        "_LBSENSE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, [], env=environment, prog_name="lbsense")
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("lbsense an", ["analyze"]),
        ("lbsense analyze --train", ["--train-size"]),
        ("lbsense analyze x.csv --metric log_l", ["log_loss"]),
        ("lbsense schema ga", ["gate"]),
        ("lbsense explain LBS40", ["LBS401", "LBS402", "LBS403"]),
    ],
)
def test_words_are_completed(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def in_bash(option: str, home: Path) -> str:
    # A second command keeps bash there: which shell asks is found by its process.
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m lbsense {option}; true"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
    )
    return done.stdout


def test_the_script_is_shown(tmp_path: Path) -> None:
    assert "_LBSENSE_COMPLETE=complete_bash" in in_bash("--show-completion", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_script_is_installed(tmp_path: Path) -> None:
    in_bash("--install-completion", tmp_path)
    assert ".bash_completions/lbsense.sh" in (tmp_path / ".bashrc").read_text()
    script = tmp_path / ".bash_completions" / "lbsense.sh"
    assert "complete -o default -F _lbsense_completion lbsense" in script.read_text()
