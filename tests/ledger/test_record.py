"""The ledger: written while others write, are killed, and disks are full."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lbsense as lb
from lbsense._files import append_line
from lbsense.errors import LbsenseWarning
from lbsense.ledger import next_name

SECRET = "Zq7hunter2swordfish99"
WRITER = """
import sys
from pathlib import Path
from lbsense._files import append_line
path, own, length = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(10**9):
    text = f'{{"schema": 1, "kind": "experiment", "experiment_id": "{own}-{number}", '
    append_line(text + f'"name": "{own}-{number}", "note": "{"x" * length}"}}', path)
    sys.stdout.write(f"{own}-{number}\\n")  # it is on the disk: this one may not be lost
    sys.stdout.flush()
"""


def started(path: Path, own: str, length: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, path, own, str(length)]
    with log.open("ab") as stream:
        return subprocess.Popen(
            [os.fspath(part) for part in command],
            stdout=stream,
            cwd=Path(lb.__file__).parents[1],
        )


@pytest.mark.skipif(sys.platform == "win32", reason="killed by SIGKILL")
def test_killed_writers_lose_and_tear_no_line(tmp_path: Path) -> None:
    """Six writers of one file, each killed again and again at any moment."""
    path, draw = tmp_path / "ledger.jsonl", random.Random(1)
    alive: dict[str, subprocess.Popen[bytes]] = {}
    n_killed = 0
    try:
        for life in range(12):
            own = f"w{life}"
            alive[own] = started(
                path, own, draw.choice([10, 5000, 300_000]), tmp_path / f"{own}.told"
            )
            if len(alive) == 6:
                time.sleep(0.15 + draw.random() * 0.2)
                victim = draw.choice(list(alive))
                alive[victim].send_signal(signal.SIGKILL)
                alive.pop(victim).wait()
                n_killed += 1
    finally:
        for process in alive.values():
            process.kill()
            process.wait()
    told = {
        line
        for log in tmp_path.glob("*.told")
        for line in log.read_text().split("\n")[:-1]
    }
    ledger = lb.read_ledger(path)
    kept = [item.experiment_id for item in ledger]
    assert len(told) > 30
    assert told <= set(kept)  # nothing that was written is lost
    assert len(kept) == len(set(kept))
    # What a killed one left unfinished is one line, reported with its number.
    assert len(ledger.issues) <= n_killed + len(alive)
    assert all(issue.line for issue in ledger.issues)
    before = path.read_bytes()
    lb.log_experiment("after", ledger=path)
    assert path.read_bytes().startswith(before)  # nothing is rewritten
    assert lb.read_ledger(path).experiments[-1].name == "after"


def test_an_unfinished_line_stays_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    lb.log_experiment("a", "first", ledger=path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    lb.log_experiment("b", "second", ledger=path)
    ledger = lb.read_ledger(path)
    assert [item.name for item in ledger] == ["a", "b"]
    assert [issue.line for issue in ledger.issues] == [2]
    assert "one whole line of JSON" in str(ledger.issues[0])


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.jsonl"
    append_line("first", path)
    real = os.write

    def full(file: int, raw: memoryview) -> int:
        if len(raw) > 5:
            return real(file, raw[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left on device. Nothing was written"):
        append_line("second line", path)
    monkeypatch.undo()
    assert path.read_text() == "first\n"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_cannot_be_written_to_ends_it_before_it_runs(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    ran = False
    with (
        pytest.raises(OSError, match="it cannot be written to"),
        lb.experiment("a", ledger=folder / "ledger.jsonl"),
    ):
        ran = True
    assert not ran


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="it is a folder, not a file"),
        lb.experiment("a", ledger=tmp_path),
    ):
        pass


def test_nothing_is_added_to_what_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("name,cv\na,0.5\n")
    with pytest.raises(OSError, match="it holds something else"):
        lb.log_experiment("a", ledger=path)
    assert path.read_text() == "name,cv\na,0.5\n"


def test_a_ledger_that_fails_at_the_end_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.jsonl"

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.warns(LbsenseWarning, match="exp1 is not in the ledger"),
        lb.experiment("exp1", ledger=path),
    ):
        monkeypatch.setattr(os, "write", full)
    monkeypatch.undo()
    assert path.read_bytes() == b""


def test_an_experiment_says_what_it_ran_on(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("id,y\n1,0\n")
    with lb.experiment(
        "exp1",
        "lags help",
        parent="exp0",
        expected_gain=0.002,
        expected_range=(0, 0.004),
        seeds=42,
        data="train.csv",
    ) as run:
        Path("sub.csv").write_text("id,p\n1,0.5\n")
        run.cv(folds=[0.80, 0.82], metric="roc_auc")
        run.predictions("sub.csv")
        run.note("twice as fast")
    (entry,) = lb.read_ledger("ledger.jsonl")
    assert entry == entry.__class__(**{**_fields(run.entry), "source_line": 1})
    assert (entry.cv_score, entry.cv_fold_scores) == (0.81, (0.80, 0.82))
    assert (entry.expected.low, entry.expected.high) == (0, 0.004)
    assert (entry.seeds, entry.parent) == ((42,), "exp0")
    assert [item.name for item in entry.data] == ["train.csv"]
    assert len(entry.predictions[0].sha256) == 64
    assert entry.environment.python == sys.version.split()[0]
    assert entry.environment.packages["numpy"]
    assert entry.environment.cpu
    assert entry.seconds >= 0
    assert entry.command


def _fields(item):
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def test_a_failure_is_written_down_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with (
        pytest.raises(RuntimeError, match="out of memory"),
        lb.experiment("exp1", "larger", ledger=path),
    ):
        raise RuntimeError("out of memory")
    (entry,) = lb.read_ledger(path)
    assert (entry.status, entry.error) == ("failed", "RuntimeError: out of memory")


def test_the_commit_and_whether_the_code_differs(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*words: str) -> str:
        options = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", *options, *words]
        return subprocess.check_output(command, text=True).strip()

    git("init", "-q")
    git("remote", "add", "origin", f"https://me:{SECRET}@example.org/x.git")
    Path("train.py").write_text("1")
    Path("ledger.jsonl").write_text("")
    git("add", ".")
    git("commit", "-qm", "first")
    for changed in (False, False, True):
        if changed:
            Path("train.py").write_text("2")
        told = lb.log_experiment("a").environment
        assert told.commit == git("rev-parse", "HEAD")
        assert told.dirty is changed  # the ledger itself makes nothing dirty
        assert told.repository == "https://[hidden]@example.org/x.git"


def test_scores_come_later_and_change_no_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    lb.log_experiment("exp1", cv_score=0.8, ledger=path)
    first = path.read_bytes()
    lb.log_scores("exp1", public_score=0.79, submission_id="77", ledger=path)
    lb.log_scores("EXP1", private_score=0.78, ledger=path)
    assert path.read_bytes().startswith(first)
    (entry,) = lb.read_ledger(path)
    found = (entry.cv_score, entry.public_score, entry.private_score)
    assert found == (0.8, 0.79, 0.78)
    assert entry.submission_id == "77"
    with pytest.raises(ValueError, match="no experiment is called 'exp9'.*exp1"):
        lb.log_scores("exp9", public_score=1, ledger=path)
    with pytest.raises(ValueError, match="nothing to add to exp1"):
        lb.log_scores("exp1", ledger=path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expected_gain": float("nan")}, "must be a finite number"),
        ({"expected_gain": 3, "expected_range": (0, 1)}, "must lie in its range"),
        ({"cv_score": float("inf")}, "cv_score must be a finite number"),
        ({"name": " "}, "needs a name"),
    ],
)
def test_what_is_no_number_is_not_written(tmp_path, options, message) -> None:
    path = tmp_path / "ledger.jsonl"
    with pytest.raises(ValueError, match=message):
        lb.log_experiment(**{"name": "a", **options}, ledger=path)
    assert not path.exists()


def test_names_go_on_where_nobody_gives_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert next_name(lb.read_ledger(path, missing_ok=True)) == "exp001"
    lb.log_experiment("exp041", ledger=path)
    lb.log_experiment("other", ledger=path)
    assert next_name(lb.read_ledger(path)) == "exp042"


NAMER = """
import sys
import lbsense as lb
for _ in range(4):
    lb.log_experiment(None, ledger=sys.argv[1])
"""


def test_names_that_nobody_gives_are_not_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    root = Path(lb.__file__).parents[1]
    command = [sys.executable, "-c", NAMER, os.fspath(path)]
    writers = [subprocess.Popen(command, cwd=root) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    names = [item.name for item in lb.read_ledger(path)]
    assert names == [f"exp{number:03d}" for number in range(1, 13)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_device_is_no_ledger() -> None:
    with pytest.raises(lb.IngestError, match="no file, but a device"):
        lb.read_ledger("/dev/full")
    with pytest.raises(lb.IngestError, match="no file, but a device"):
        lb.log_experiment("a", ledger="/dev/full")


def test_seeds_are_read_from_the_command(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for command, seeds in [
        (["python", "t.py", "--seed", "42"], (42,)),
        ("t.py --random-seed=7 seed=8", (7, 8)),
        ("t.py --unseeded 3", ()),
    ]:
        entry = lb.log_experiment("a", command=command, ledger=path)
        assert entry.seeds == seeds


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
NUMBERS = st.floats(-1e6, 1e6)


@settings(max_examples=60, deadline=None)
@given(
    name=TEXTS.filter(str.strip),
    hypothesis=st.none() | TEXTS,
    score=st.none() | NUMBERS,
    folds=st.lists(NUMBERS, max_size=5),
    gain=st.none() | NUMBERS,
    seeds=st.lists(st.integers(0, 2**40), max_size=3),
)
def test_what_is_written_is_read_again(
    tmp_path_factory, name, hypothesis, score, folds, gain, seeds
) -> None:
    path = tmp_path_factory.mktemp("any") / "ledger.jsonl"
    path.write_text('{"schema": 1, "kind": "torn')
    written = lb.log_experiment(
        name,
        hypothesis,
        cv_score=score,
        cv_fold_scores=folds,
        expected_gain=gain,
        seeds=seeds,
        ledger=path,
    )
    (read,) = lb.read_ledger(path)
    same = {**_fields(read), "source_line": None}
    assert same == _fields(written)
    assert path.read_bytes().count(b"\n") == 2


def test_no_secret_gets_into_a_ledger(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("MY_SERVICE_TOKEN", SECRET)
    monkeypatch.setattr(sys, "orig_argv", ["python", "t.py", "--wandb-key", "abc123"])
    lb.log_experiment(
        f"exp {SECRET}",
        f"because {SECRET}",
        command=["run", "--password", "two words", f"--url=https://u:{SECRET}@x.org"],
        note="api_key=abc123",
        submission_id=SECRET,
        ledger=path,
    )

    def failing() -> None:
        with lb.experiment("b", ledger=path) as run:
            run.note(f"Authorization: Bearer {SECRET}")
            raise OSError(f"401 for {SECRET}")

    with pytest.raises(OSError, match="401"):
        failing()
    lb.log_scores("b", note=f"token={SECRET}", ledger=path)
    text = path.read_text()
    for hidden in (SECRET, "two words", "abc123"):
        assert hidden not in text
    assert text.count("[hidden]") >= 8
    # One that a hand wrote into the file goes no further than the file.
    with path.open("a") as stream:
        record = {"schema": 1, "kind": "experiment", "experiment_id": "x", "name": "x"}
        stream.write(json.dumps(record | {"note": f"token={SECRET}"}) + "\n")
        stream.write(f"broken line with {SECRET}\n")
    monkeypatch.delenv("MY_SERVICE_TOKEN")
    ledger = lb.read_ledger(path)
    assert SECRET not in repr(ledger.experiments)
