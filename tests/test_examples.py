"""The loops of ``examples/`` run as they stand, and keep what is truly better."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lbsense

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
IDEAS = "C=1.1\nn_features=12\nbroken\n"


def run(*command: str, folder: Path, given: str = "") -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_loop_in_python_keeps_what_is_better(tmp_path: Path) -> None:
    told = run(sys.executable, str(EXAMPLES / "keep_or_discard.py"), folder=tmp_path)
    lines = [line for line in told.splitlines() if line[:4] in ("keep", "disc")]
    assert lines[0].startswith("keep")
    assert any("'n_features': 12" in line for line in lines if line.startswith("keep"))
    assert any(line.startswith("discard") for line in lines)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_the_loop_in_a_shell_leaves_a_history(tmp_path: Path) -> None:
    loop = ("sh", str(EXAMPLES / "keep_or_discard.sh"))
    told = run(*loop, folder=tmp_path, given=IDEAS)
    assert "n_features=12" in told
    history = lbsense.read_submissions(tmp_path / "results.tsv", metric="roc_auc")
    assert [item.status for item in history] == ["complete"] * 3 + ["error"]
    rows = (tmp_path / "results.tsv").read_text().splitlines()
    said = {row.split("\t")[3]: row.split("\t")[2] for row in rows[1:]}
    assert said["baseline"] == said["n_features=12"] == "keep"
    assert said["C=1.1"] == "discard"
    run(*loop, folder=tmp_path, given="C=0.9\n")  # goes on where it stopped
    assert len((tmp_path / "results.tsv").read_text().splitlines()) == 6
