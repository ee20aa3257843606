"""``lbsense log`` and ``--ledger``, as a user calls them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lbsense as lb

Run = Callable[..., Any]
SCRIPT = """
import sys
print("fold 1 done")
print("CV auc: 0.8123 +- 0.002")
open("sub.csv", "w").write("id,p")
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def test_a_command_is_run_and_written_down(run: Run, capfdbinary: Any) -> None:
    done = run(
        *("log", "--why", "lags help", "--from", "exp000", "--expect", "0.002"),
        *("--between", "0:0.004", "--data", "train.py", "--predictions", "sub.csv"),
        *("--", sys.executable, "train.py", "0", "--seed", "7", "--token", "S3CRET"),
    )
    assert done.exit_code == 0, done.stderr
    assert "fold 1 done" in done.stdout
    assert "Logged: exp001, CV 0.8123, in ledger.jsonl." in done.stderr
    (entry,) = lb.read_ledger("ledger.jsonl")
    assert (entry.hypothesis, entry.parent) == ("lags help", "exp000")
    assert (entry.cv_score, entry.cv_std, entry.seeds) == (0.8123, 0.002, (7,))
    assert (entry.expected.gain, entry.expected.high) == (0.002, 0.004)
    assert [item.name for item in entry.predictions] == ["sub.csv"]
    assert "S3CRET" not in Path("ledger.jsonl").read_text()
    assert entry.command.endswith("--token '[hidden]'")
    assert 0 < entry.seconds < 60


def test_a_command_that_fails_is_written_down_too(run: Run, capfdbinary: Any) -> None:
    done = run("log", "--", sys.executable, "train.py", "5")
    assert done.exit_code == 5
    (entry,) = lb.read_ledger("ledger.jsonl")
    assert (entry.status, entry.error) == ("failed", "exit code 5")
    done = run("log", "--", "no-such-program-at-all")
    assert done.exit_code == 2
    assert "cannot be run (No such file or directory). Nothing" in done.stderr
    assert len(lb.read_ledger("ledger.jsonl")) == 1


def test_scores_are_added_and_the_ledger_shown(run: Run) -> None:
    assert run("log", "--name", "exp012", "--folds", "0.81,0.82").exit_code == 0
    done = run("log", "--add-to", "exp012", "--public", "0.79", "--ref", "77")
    assert (done.exit_code, done.stdout) == (0, "")
    run("log", "--why", "[bold]more\x1b[31m", "--private", "0.5")
    shown = run("log").stdout
    assert "2 experiments, 1 with a reason" in shown
    assert "exp012" in shown
    assert "no reason given; cv 0.815; public 0.79" in shown
    assert "exp013" in shown
    assert "[bold]more" in shown
    assert "\x1b[31m" not in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "there is no ledger yet"),
        (("--folds", "a,b"), "is not a score"),
        (("--between", "3:1"), "is not a range LOW:HIGH"),
        (("--expect", "5", "--between", "0:1"), "must lie in its range"),
        (("--add-to", "x", "--public", "1"), "there is no such ledger"),
        (("--add-to", "x", "--why", "y"), "--add-to takes scores"),
        (("--cv", "1", "--data", "none.csv"), "none.csv: cannot be read"),
        (("--cv", "1", "--ledger", "."), "a folder, expected a file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    run: Run, words: tuple[str, ...], message: str
) -> None:
    done = run("log", *words)
    assert done.exit_code == 2
    assert message.casefold() in " ".join(done.stderr.split()).casefold()
    assert not Path("ledger.jsonl").exists()


def test_the_ledger_gives_parents_and_folds_to_every_command(
    run: Run, submissions: Path
) -> None:
    run("log", "--name", "v3", "--cv", "0.81", "--folds", "0.80,0.82")
    run("log", "--name", "v5", "--from", "v3", "--cv", "0.82")
    options = ("--metric", "roc_auc", "--ledger", "ledger.jsonl")
    done = run("analyze", submissions, *options, "--json")
    assert done.exit_code == 0, done.stderr
    steps = {step["submission_id"]: step for step in json.loads(done.stdout)["steps"]}
    assert (steps["5005"]["reference_id"], steps["5005"]["cv_score"]) == ("5003", 0.82)
    assert steps["5005"]["cv_source"] == "log"
    for command in ("pick", "report"):
        out = ("-o", "-") if command == "report" else ()
        assert run(command, submissions, *options, *out).exit_code == 0
    done = run("analyze", submissions, "--metric", "auc", "--ledger", "none.jsonl")
    assert done.exit_code == 2
    assert "there is no such ledger" in done.stderr
