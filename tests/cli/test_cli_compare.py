"""``lbsense compare``: two files, a folder, facts of each, refusals, JSON, page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Check = Callable[[str, Any], dict[str, Any]]
DATA = Path(__file__).parents[2] / "data"
ONE = DATA / "honest_climber" / "submissions.csv"
TWO = DATA / "leaderboard_chaser" / "submissions.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three histories and the facts of their competitions."""
    made = tmp_path / "mine"
    made.mkdir()
    for name in ("honest_climber", "leaderboard_chaser", "leaking_validation"):
        shutil.copy(DATA / name / "submissions.csv", made / f"{name}.csv")
    (made / "README.md").write_text("notes")
    (made / "facts.csv").write_text(
        "history,metric,test_size,public_fraction\n"
        'honest_climber,roc_auc,"20,000",40%\n'
        "leaderboard_chaser.csv,roc_auc,7500,0.2\n"
        "leaking_validation,rmse,,\n"
    )
    return made


def test_two_files_side_by_side(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "both.html"
    done = run("compare", ONE, TWO, "--metric", "roc_auc", "-o", page)
    assert done.exit_code == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "of the steps of honest_climber were real gains" in told
    assert "difference" in told
    assert "is not known which submissions were selected" in told
    assert "honest_climber and leaderboard_chaser side by side" in page.read_text()
    again = run("compare", ONE, TWO, "--metric", "roc_auc", "-o", page)
    assert again.exit_code == 0  # a page of ours is made anew
    page.write_text("of somebody else")
    again = run("compare", ONE, TWO, "--metric", "roc_auc", "-o", page)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_json_is_what_its_schema_says(run: Run, check: Check, folder: Path) -> None:
    done = run("compare", folder, "--json")
    assert done.exit_code == 0, done.stderr
    content = check("compare", done)
    assert content["portfolio"]
    assert [item["competition"]["metric"] for item in content["histories"]] == [
        "roc_auc",
        "roc_auc",
        "rmse",
    ]
    assert content["histories"][0]["competition"]["test_size"] == 20_000
    assert content["pooled"]["guesses"]["n"] == 3
    assert len(content["differences"]) == 3
    missing = content["differences"][-1]["figures"]["gain"]
    assert missing["value"] is None
    assert "two metrics" in missing["missing"]


def test_an_unreadable_file_is_named_and_left_out_if_asked(
    run: Run, folder: Path
) -> None:
    (folder / "broken.csv").write_text("nothing,here\n1,2\n")
    done = run("compare", folder)
    assert done.exit_code == 2
    assert "broken.csv" in done.stderr
    assert "--skip-unreadable" in done.stderr
    done = run("compare", folder, "--skip-unreadable")
    assert done.exit_code == 0
    assert "Left out" in done.stderr
    assert "broken.csv" in done.stderr
    assert done.stdout.startswith("Over 3 histories")


def test_names(run: Run) -> None:
    done = run("compare", ONE, TWO, "--metric", "auc", "--name", "me", "--name", "you")
    assert "of the steps of me were" in " ".join(done.stdout.split())
    done = run("compare", ONE, TWO, "--metric", "auc", "--name", "me")
    assert done.exit_code == 2
    assert "--name is given 1 time for 2 histories" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ONE,), "two files or more, or one folder"),
        ((ONE, ONE), "named twice"),
        ((ONE, "-"), "standard input"),
        ((ONE, "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_refusals(run: Run, arguments: tuple[Any, ...], message: str) -> None:
    done = run("compare", *arguments, "--metric", "roc_auc")
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("history,colour\na,b\n", "unknown columns colour"),
        ("history,test_size\na,many\n", "test_size is 'many'"),
        ("history,metric\na,rmse\na,auc\n", "one other history"),
    ],
)
def test_facts_that_are_none(run: Run, tmp_path: Path, text: str, message: str) -> None:
    facts = tmp_path / "facts.csv"
    facts.write_text(text)
    done = run("compare", ONE, TWO, "--facts", facts)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_an_empty_folder(run: Run, tmp_path: Path) -> None:
    done = run("compare", tmp_path)
    assert done.exit_code == 2
    assert "no file in it can be a history" in done.stderr
