"""``lbsense card``, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lbsense as lb

Run = Callable[..., Any]
Check = Callable[[str, Any], dict[str, Any]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("id,y\n")
    lb.log_experiment(
        "v3", "more trees", data="train.csv", command="t.py --seed 1", cv_score=0.81
    )
    return tmp_path


def test_it_is_shown_and_written(run: Run) -> None:
    done = run("card", "v3")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("# v3: how to arrive at the same score")
    assert "t.py --seed 1" in done.stdout
    done = run("card", "v3", "--format", "zindi", "-o", "card.md")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Missing: Who made it is not stated." in done.stderr
    assert "Order in which to run" in Path("card.md").read_text("utf-8")
    again = run("card", "v3", "-o", "card.md")
    assert again.exit_code == 2
    assert "Add --force" in again.stderr
    lost = run("card", "v3", "-o", "ledger.jsonl", "--force")
    assert lost.exit_code == 2
    assert "one of the inputs" in lost.stderr


def test_a_crate_goes_to_another_person(run: Run, tmp_path: Path) -> None:
    done = run("card", "v3", "--format", "crate", "-o", "crate", "--license", "MIT")
    assert done.exit_code == 0, done.stderr
    assert Path("crate/ro-crate-metadata.json").is_file()
    assert run("card", "v3", "--format", "crate", "-o", "crate").exit_code == 2
    assert run("card", "v3", "--format", "crate").exit_code == 2
    Path("ledger.jsonl").unlink()
    done = run("card", "crate", "--check")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "recorded are the same here" in done.stdout
    Path("train.csv").write_text("other")
    done = run("card", "crate", "--check")
    assert done.exit_code == 1
    assert "data train.csv" in done.stdout
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("card", "crate", "--check", "--in", empty)
    assert "Not here" in done.stdout


def test_json_is_what_its_schema_says(run: Run, check: Check) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(run("schema", "card").stdout)
    for options in ((), ("--check",)):
        content = check("card", run("card", "v3", "--json", *options))
        assert set(content) == set(schema["properties"])
        assert set(content["experiment"]) == set(
            schema["$defs"]["experiment"]["properties"]
        )
    line = json.loads(run("schema", "ledger").stdout)
    lb.log_scores("v3", public_score=0.79)
    lb.log_experiment("v4", expected_range=(0, 1), ledger="ledger.jsonl")
    for text in Path("ledger.jsonl").read_text().splitlines():
        jsonschema.Draft202012Validator(line).validate(json.loads(text))
        assert set(json.loads(text)) <= set(line["properties"])


def test_json_is_written_over_no_ledger(run: Run) -> None:
    before = Path("ledger.jsonl").read_bytes()
    done = run("card", "v3", "--json", "-o", "ledger.jsonl", "--force")
    assert done.exit_code == 2
    assert "--output" in done.stderr
    assert Path("ledger.jsonl").read_bytes() == before


def test_a_history_adds_what_is_to_be_expected(run: Run, submissions: Path) -> None:
    options = ("--history", submissions, "--metric", "roc_auc")
    sizes = ("--test-size", "20000", "--public-fraction", "30%")
    done = run("card", "v3", *options, *sizes)
    assert done.exit_code == 0, done.stderr
    assert "Public score 0.809" in done.stdout
    assert "Private score to expect" in done.stdout
    lb.log_experiment("never", ledger="ledger.jsonl")
    done = run("card", "never", *options)
    assert "never is not among the submissions" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("v9",), "no experiment is called 'v9'"),
        (("v3", "--ledger", "none.jsonl"), "no such ledger"),
        (("v3", "--format", "pdf"), "is not one of markdown"),
    ],
)
def test_what_is_wrong_is_said(run: Run, words: tuple[str, ...], message: str) -> None:
    done = run("card", *words)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
