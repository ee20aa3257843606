"""The command line as a whole: help, version, exit codes, and the real process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lbsense
import lbsense.checks as checks
from lbsense.cli import COMMANDS
from lbsense.metrics import METRICS

Run = Callable[..., Any]
ROOT = Path(__file__).parents[2]


def test_version(run: Run) -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"lbsense {lbsense.__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "Examples:" in done.stdout
    assert re.search(rf"^ +lbsense {command}", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named_in_the_readme(command: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"lbsense {command}" in readme


def test_help_lists_every_command(run: Run) -> None:
    done = run("--help")
    assert all(command in done.stdout for command in COMMANDS)


def test_an_unknown_command_is_bad_usage(run: Run) -> None:
    done = run("analyse")
    assert done.exit_code == 2
    assert "No such command 'analyse'" in done.stderr


def test_metrics_lists_the_registry(run: Run) -> None:
    done = run("metrics", "--width", "200")
    assert done.exit_code == 0
    listed = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[1:]}
    assert listed == {
        name: "higher" if metric.greater_is_better else "lower"
        for name, metric in METRICS.items()
    }


def test_formats_explains_every_format_and_one(run: Run) -> None:
    everything = run("formats")
    assert everything.exit_code == 0
    assert "kaggle competitions submissions" in everything.stdout
    assert "lbsense analyze" in everything.stdout


def test_an_unknown_format_is_bad_input(run: Run) -> None:
    done = run("formats", "codalab")
    assert done.exit_code == 2
    assert "codalab" in done.stderr


def test_a_bug_is_reported_without_a_traceback(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(checks, "run_checks", broken)
    done = run("analyze", submissions, "--metric", "roc_auc")
    assert done.exit_code == 70
    assert "a bug in lbsense" in done.stderr
    assert "KeyError: 'surprise'" in done.stderr
    assert "Traceback" not in done.stderr
    done = run("--traceback", "analyze", submissions, "--metric", "roc_auc")
    assert done.exit_code == 70
    assert "Traceback" in done.stderr
    assert "test_cli_app.py" in done.stderr


def test_an_interruption_exits_130(
    run: Run, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "run_checks", interrupted)
    done = run("analyze", submissions, "--metric", "roc_auc")
    assert done.exit_code == 130
    assert "Traceback" not in done.stderr


def test_the_module_runs_as_the_command_does(submissions: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "lbsense",
            "analyze",
            str(submissions),
            "--metric",
            "f1",
        ],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
    )
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "The last step, " in done.stdout


SEVERAL = """
import sys
from lbsense.cli import main

path, *encodings = sys.argv[1:]
for encoding in encodings:
    sys.stdout.reconfigure(encoding=encoding)
    for arguments in (
        ["--help"],
        ["analyze", "--help"],
        ["analyze", path, "--metric", "roc_auc", "-v"],
        ["analyze", "新.csv"],
        ["analyze", path, "--metric", "roc_auc", "--csv"],
    ):
        sys.argv = ["lbsense", *arguments]
        try:
            main()
        except SystemExit as end:
            print("exit", end.code, flush=True)
    print("next", flush=True)
"""


def test_a_terminal_without_utf8_does_not_break_it(hostile: Path) -> None:
    encodings = ("ascii", "cp932")
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, str(hostile), *encodings],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "TERM": "dumb"},
        cwd=ROOT,
    )
    parts = re.split(rb"^next\n", done.stdout, flags=re.MULTILINE)[:-1]
    for encoding, part in zip(encodings, parts, strict=True):
        codes = re.findall(rb"^exit (\d+)", part, re.MULTILINE)
        assert codes == [b"0", b"0", b"0", b"2", b"0"]
        view, machine = part.split(b"exit 2")
        view.decode(encoding)
        assert "新しいモデル" in machine.decode("utf-8")  # in any terminal


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_goes_away_is_no_error(submissions: Path) -> None:
    for asked in ("metrics --width 60", f"analyze {submissions} --metric auc --json"):
        command = f"{sys.executable} -m lbsense {asked}"
        done = subprocess.run(
            ["bash", "-c", f"({command}; echo $? >&2) | true"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.stderr.strip() == "141"
