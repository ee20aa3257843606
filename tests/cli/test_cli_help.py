"""Help: every example runs as it is written, and an option means one thing."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer.main

import lbsense.cli as cli
from lbsense import log_experiment
from lbsense.cli import COMMANDS
from lbsense.cli.app import EXIT_CODES
from lbsense.simulate import Scenario, simulate, write_exports

Run = Callable[..., Any]
ROOT = Path(__file__).parents[2]
ONLINE = ("fetch", "watch")  # tests/ingest/fetch has a server for them
OTHERS = ("kaggle", "claude")  # programs that are not ours
CODES = {"gate": {0, 1, 3}, "plan": {0, 3}, "card": {0, 1, 3}}
# One name, two meanings: the candidate's own of `gate`, what is written down of `log`.
TWO_MEANINGS = {
    *("--cv", "--folds", "--from", "--ledger", "--predictions", "--output", "--name"),
    *("--format", "--metric", "--seed"),
}


def parameters(command: str) -> list[Any]:
    group: Any = typer.main.get_command(cli.app)
    return list(group.get_command(None, command).params)


def examples(text: str) -> list[str]:
    """Return the examples of a help text, lines that go on joined."""
    part = text.partition("Examples:\n")[2].partition("\n\n")[0]
    lines = re.sub(r"\\\n\s*", "", part).splitlines()
    return [line.strip() for line in lines if line.strip()]


def of_command(command: str) -> list[str]:
    group: Any = typer.main.get_command(cli.app)
    return examples(group.get_command(None, command).help)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, meta: Path) -> Path:
    """Return a folder with every file that the examples name."""
    folder = tmp_path_factory.mktemp("world")
    scenario = Scenario(
        world="trained", n_train=400, n_public=400, n_private=800, n_submissions=12
    )
    made = simulate(scenario, keep_rows=True, rng=1)
    write_exports(made, folder / "made")
    text = (folder / "made/submissions_before_close.csv").read_text("utf-8")
    ids = re.findall(r"^(\d{8}),", text, re.MULTILINE)
    named = dict(zip(ids, ("51423318", "51562261", "51534338"), strict=False))
    for old, new in named.items():
        text = text.replace(old, new)
    text = text.replace("exp002:", "seed average:")
    for name in ("submissions", "s", "mine", "theirs", "me", "agent"):
        (folder / f"{name}.csv").write_text(text, "utf-8")
    lines = text.splitlines(keepends=True)
    half = len(lines) // 2
    (folder / "page1.csv").write_text("".join(lines[:half]), "utf-8")
    (folder / "page2.csv").write_text("".join([lines[0], *lines[half:]]), "utf-8")
    _write_logs(folder, pd.read_csv(folder / "s.csv"))
    _write_predictions(folder, made, named)
    _write_boards(folder)
    shutil.copytree(meta, folder / "meta-kaggle")
    return folder


def _write_logs(folder: Path, sent: pd.DataFrame) -> None:
    sent = sent.iloc[::-1]
    cv = sent.publicScore + 0.002
    rows = "".join(
        f"| {name} | {public:.5f} | {own:.5f} |\n"
        for name, public, own in zip(sent.fileName, sent.publicScore, cv, strict=True)
    )
    head = "| name | LB | valid |\n|---|---|---|\n"
    (folder / "log.md").write_text(head + rows, "utf-8")
    runs = pd.DataFrame({"name": sent.fileName, "cv_score": cv})
    runs.to_csv(folder / "runs.csv", index=False)
    results = pd.DataFrame({"id": range(8), "score": np.linspace(0.9, 0.912, 8)})
    results["status"] = "keep"
    results.to_csv(folder / "results.tsv", sep="\t", index=False)
    shares = np.round(np.linspace(300, 318, 10) / 418, 5)
    pd.DataFrame({"publicScore": shares}).to_csv(folder / "titanic.csv", index=False)
    (folder / "my_competitions").mkdir()
    for name in ("one", "two", "three"):
        shutil.copy(folder / "s.csv", folder / f"my_competitions/{name}.csv")
    (folder / "facts.csv").write_text("history,metric\none,f1\ntwo,f1\nthree,auc\n")
    (folder / "train.py").write_text(
        "open('sub.csv', 'w').write('id,p\\n0,0.5\\n')\nprint('CV 0.8123')\n"
    )


def _write_predictions(folder: Path, made: Any, named: dict[str, str]) -> None:
    rows = np.arange(len(made.rows.y_train))
    labels = pd.DataFrame({"id": rows, "target": made.rows.y_train})
    for name in ("train.csv", "y.csv"):
        labels.to_csv(folder / name, index=False)
    (folder / "oof").mkdir()
    (folder / "sent").mkdir()
    tests = np.arange(len(made.rows.y_test))
    for place, one in enumerate(made.history):
        stem = str(one.file_name).removesuffix(".csv").removeprefix("submission_")
        frame = pd.DataFrame({"id": rows, "prediction": made.rows.oof[:, place]})
        frame.to_csv(folder / f"oof/oof_{stem}.csv", index=False)
        last = pd.DataFrame({"id": tests, "target": made.rows.test[:, place]})
        last.to_csv(folder / "sent" / str(one.file_name), index=False)
    frame["prediction"] = 0.9 * frame.prediction + 0.05 * made.rows.y_train
    frame.to_csv(folder / "new.csv", index=False)
    last["target"] = last.target.rank() / len(last)
    last.to_csv(folder / "sub.csv", index=False)
    log_experiment(
        "exp009", predictions=folder / "sub.csv", ledger=folder / "ledger.jsonl"
    )


def _write_boards(folder: Path) -> None:
    public, private = sorted((ROOT / "data/boards").glob("*.csv"), reverse=True)
    board = pd.read_csv(public)
    teams = board.columns[board.columns.str.contains("TeamName")][0]
    ids = board.columns[board.columns.str.contains("TeamId")][0]
    board.loc[5, teams], board.loc[5, ids] = "my team", 123456
    late = pd.read_csv(private)
    for name in ("publicleaderboard.csv", "public.csv"):
        board.to_csv(folder / name, index=False)
    late.to_csv(folder / "private.csv", index=False)
    with zipfile.ZipFile(folder / "public.zip", "w") as packed:
        packed.write(folder / "public.csv", "public.csv")
    (folder / "daily_boards").mkdir()
    for day in (1, 2, 3):
        board.to_csv(folder / f"daily_boards/2026-07-0{day}.csv", index=False)
    rng = np.random.default_rng(0)
    level = np.repeat(rng.normal(0.8, 0.02, 8), 5)
    export = pd.DataFrame({"TeamId": np.repeat(np.arange(8) + 100, 5)})
    for name in ("PublicScore", "PrivateScore"):
        export[name] = np.round(level + rng.normal(0, 0.005, 40), 5)
    for name in ("submissions_export.csv", "export.csv"):
        export.to_csv(folder / name, index=False)


class Shell:
    """Runs lines of a shell as far as examples need it: pipes, files, one after other."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __call__(self, line: str) -> tuple[int, str]:
        code, told = 0, ""
        for part in line.split(" && "):
            if part.startswith(OTHERS) and " | " not in part:
                continue
            code, told = self._piped(part)
            if code:
                break
        return code, told

    def _piped(self, line: str) -> tuple[int, str]:
        given: str | None = None
        code, error = 0, ""
        for part in line.split(" | "):
            command, _, target = part.partition(" > ")
            words = shlex.split(command)
            if words[0] in OTHERS:
                given = Path("submissions.csv").read_text("utf-8")
            elif words[0] == "grep":
                assert re.search(words[-1], given or "", re.IGNORECASE)
            else:
                assert words[0] == "lbsense", line
                done = self.run(*words[1:], input=given)
                code, given, error = done.exit_code, done.stdout, done.stderr
            if target:
                Path(target.strip()).write_text(given or "", "utf-8")
        return code, error


@pytest.fixture
def shell(
    run: Run, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    folder = tmp_path / "here"
    shutil.copytree(world, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    return Shell(run)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in (*ONLINE, "mcp")])
def test_examples_run_as_they_are_written(shell: Shell, command: str) -> None:
    if command == "field":
        pytest.importorskip("duckdb")
    if command == "card":
        for line in of_command("log"):
            shell(line)
    given = of_command(command)
    assert given
    for line in given:
        code, told = shell(line)
        assert code in CODES.get(command, {0}), f"{line}\n{told}"


@pytest.mark.parametrize("command", [*ONLINE, "mcp"])
def test_examples_that_need_others_are_understood(command: str) -> None:
    group: Any = typer.main.get_command(cli.app)
    for line in of_command(command):
        words = shlex.split(line)
        if words[0] == "lbsense":
            named = group.get_command(None, words[1])
            assert named.make_context(words[1], words[2:]), line


def test_examples_of_the_whole_run_as_they_are_written(shell: Shell) -> None:
    group: Any = typer.main.get_command(cli.app)
    for line in examples(group.help):
        code, told = shell(line.replace("COMMAND", "analyze"))
        assert code == 0, f"{line}\n{told}"


def test_an_option_means_the_same_in_every_command() -> None:
    told: dict[str, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for command in COMMANDS:
        for item in parameters(command):
            if item.param_type_name == "option":
                key = item.help, item.metavar, item.rich_help_panel
                told["/".join(item.opts)][key].append(command)
    several = {name for name, found in told.items() if len(found) > 1}
    assert {name.split("/")[0] for name in several} <= TWO_MEANINGS, {
        name: dict(told[name]) for name in several
    }


def test_groups_of_options_stand_in_one_order() -> None:
    orders = {command: list(dict.fromkeys(panels(command))) for command in COMMANDS}
    for one, order in orders.items():
        for other in orders.values():
            both = [name for name in order if name in other]
            assert both == [name for name in other if name in order], one


def panels(command: str) -> Iterator[str]:
    for item in parameters(command):
        if item.param_type_name == "option":
            yield item.rich_help_panel or "Options"


def test_what_writes_a_file_can_overwrite_it() -> None:
    for command in COMMANDS:
        names = {name for item in parameters(command) for name in item.opts}
        if "--output" in names and command not in ONLINE:  # their files only grow
            assert "--force" in names, command
        if "--title" in names:
            assert "--output" in names, command


def test_exit_codes_are_documented_in_one_place(run: Run) -> None:
    page = (ROOT / "docs/reference/command-line.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)
    assert {int(code): told for code, told in rows} == EXIT_CODES
    told = run("--help").stdout
    assert all(text in " ".join(told.split()) for text in EXIT_CODES.values())
