"""``lbsense schema``: what it says is what the commands print, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from lbsense._typing import CvSource, Status, Verdict

jsonschema = pytest.importorskip("jsonschema")

Run = Callable[..., Any]
Check = Callable[[str, Any], dict[str, Any]]
ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
COMMANDS = sorted(path.stem for path in (ROOT / "lbsense" / "schemas").glob("*.json"))
SIZES = ("--train-size", 20_000, "--test-size", 20_000, "--public-fraction", 0.4)
HISTORIES = {
    "climber": ("honest_climber/submissions.csv", "--metric", "roc_auc", *SIZES),
    "running": ("honest_climber/submissions_before_close.csv", "--metric", "auc"),
    "bare": ("leaderboard_chaser/submissions_before_close.csv",),
    "zindi": ("leaderboard_chaser/zindi.json", "--metric", "roc_auc", *SIZES),
    "leaking": ("leaking_validation/submissions.csv", "--metric", "rmse", *SIZES),
}


def schema_of(run: Run, command: str) -> dict[str, Any]:
    done = run("schema", command)
    assert (done.exit_code, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_schema_is_one(run: Run, command: str) -> None:
    schema = schema_of(run, command)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"lbsense/schemas/{command}.json")


def test_all_schemas_come_by_command(run: Run) -> None:
    whole = json.loads(run("schema").stdout)
    assert whole == {command: schema_of(run, command) for command in COMMANDS}


def test_every_command_with_json_has_a_schema(run: Run) -> None:
    commands = re.findall(r"^│ (\w+) ", run("--help").stdout, re.MULTILINE)
    with_json = [name for name in commands if "--json" in run(name, "--help").stdout]
    assert sorted({*with_json, "ledger"} - {"schema"}) == sorted(COMMANDS)


def test_a_command_without_a_schema_is_bad_usage(run: Run) -> None:
    done = run("schema", "report")
    assert done.exit_code == 2
    assert f"Commands with one are {', '.join(COMMANDS)}" in done.stderr


@pytest.mark.parametrize("name", HISTORIES)
def test_analyze_prints_what_its_schema_says(run: Run, check: Check, name: str) -> None:
    file, *options = HISTORIES[name]
    content = check("analyze", run("analyze", DATA / file, *options, "--json"))
    assert content["steps"]


def test_a_history_with_doubts_fits_too(run: Run, check: Check, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("date,public,cv\n,0.8,0.7\nyesterday,x,0.8\n,0.8,0.7\n")
    content = check("analyze", run("analyze", path, "--higher-is-better", "--json"))
    assert content["warnings"]
    assert content["dropped"]


@pytest.mark.parametrize("name", HISTORIES)
def test_pick_prints_what_its_schema_says(run: Run, check: Check, name: str) -> None:
    file, *options = HISTORIES[name]
    content = check("pick", run("pick", DATA / file, *options, "--json"))
    assert (content["basis"] == "latest") == (name == "bare")


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("cv", [0.5, 0.9])
def test_gate_prints_what_its_schema_says(
    run: Run, check: Check, name: str, cv: float
) -> None:
    file, *options = HISTORIES[name]
    check("gate", run("gate", DATA / file, *options, "--cv", cv, "--json"))


@pytest.mark.parametrize("name", HISTORIES)
def test_plan_prints_what_its_schema_says(run: Run, check: Check, name: str) -> None:
    file, *options = HISTORIES[name]
    asked = ("--candidate", "one=0.75", "--candidate", "two=0.76", "--left", 3)
    content = check("plan", run("plan", DATA / file, *options, *asked, "--json"))
    assert {item["name"] for item in content["candidates"]} == {"one", "two"}
    if name == "climber":
        asked = (*asked, "--settle", "one,two")
        found = check("plan", run("plan", DATA / file, *options, *asked, "--json"))
        assert {way["kind"] for way in found["settle"]["ways"]} == {
            "seeds",
            "rows",
            "submissions",
        }


def test_explain_prints_what_its_schema_says(run: Run, check: Check) -> None:
    assert check("explain", run("explain", "--json"))


def test_words_of_the_schema_are_those_of_the_package(run: Run) -> None:
    fields = schema_of(run, "analyze")["$defs"]["step"]["properties"]
    assert fields["verdict"]["enum"] == list(get_args(Verdict))
    assert fields["status"]["enum"] == list(get_args(Status))
    assert fields["cv_source"]["enum"] == [*get_args(CvSource), None]


SECTIONS = {
    "competition": "competition",
    "warnings": "warning",
    "dropped": "issue",
    "noise": "noise",
    "agreement": "agreement",
    "luck": "luck",
    "outlook": "outlook",
    "picks": "picks",
    "resolution": "resolution",
    "retrospective": "retrospective",
    "steps": "step",
    "findings": "finding",
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_document_has_the_same_fields_and_types(run: Run, section: str) -> None:
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    table = text.partition(f"\n## `{section}`\n")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE))
    fields = schema_of(run, "analyze")["$defs"][SECTIONS[section]]["properties"]
    assert list(told) == list(fields)
    for name, field in fields.items():
        if isinstance(field.get("type"), list):
            assert told[name] == " or ".join(field["type"])
        elif field.get("type") in ("string", "number", "integer", "boolean"):
            assert told[name] == field["type"]


@pytest.mark.parametrize("name", HISTORIES)
def test_step_prints_what_its_schema_says(run: Run, check: Check, name: str) -> None:
    file, *options = HISTORIES[name]
    done = run("step", "last", DATA / file, *options, "--json")
    assert check("step", done)["number"] > 1
