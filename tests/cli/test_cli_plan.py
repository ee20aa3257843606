"""``lbsense plan``: the order, the two that are to be settled, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
FILE = Path(__file__).parents[2] / "data/honest_climber/submissions_before_close.csv"
SIZES = ("--metric", "auc", "--test-size", 20000, "--public-fraction", "40%")
TWO = ("--candidate", "[bold]lgbm=0.7590", "--candidate", "blend=0.7570")


def test_the_order_and_what_settles_two(run: Run) -> None:
    done = run("plan", FILE, *SIZES, *TWO, "--settle", "[bold]lgbm,blend", "--left", 2)
    assert done.exit_code == 0
    assert done.stdout.startswith("Send [bold]lgbm first.")
    assert done.stdout.index("[bold]lgbm  ") < done.stdout.index("blend  ")
    for text in ("[bold]lgbm or blend?", "Seeds", "Submissions", "Left: 2."):
        assert text in done.stdout


def test_nothing_worth_sending_is_said(run: Run) -> None:
    done = run("plan", FILE, *SIZES, "--candidate", "bad=0.74")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "Send none of them.")


def test_without_candidates_or_evidence_it_is_not_knowable(
    run: Run, tmp_path: Path
) -> None:
    done = run("plan", FILE, *SIZES)
    assert done.exit_code == 3
    assert "No candidate" in done.stdout
    path = tmp_path / "log.csv"
    path.write_text("name,public_score\na,0.7\nb,0.8\n", encoding="utf-8")
    done = run("plan", path, *SIZES[:2], "--candidate", "a=0.7")
    assert done.exit_code == 3
    assert "5 are needed" in " ".join(done.stdout.split())


def test_candidates_stand_in_the_file(run: Run, tmp_path: Path) -> None:
    rows = [f"v{k},{0.7 + 0.001 * (k % 7)},{0.7 + 0.001 * (k % 6)}" for k in range(20)]
    path = tmp_path / "log.csv"
    path.write_text(
        "name,public,cv\n" + "\n".join(rows) + "\nnew,,0.708\nolder,,0.703\n"
    )
    done = run("plan", path, *SIZES[:2], "--json")
    names = [item["name"] for item in json.loads(done.stdout)["candidates"]]
    assert len(names) == 2, done.stderr
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--candidate", "lgbm"), "is not NAME=SCORE"),
        (("--candidate", "a=x"), "is not a score"),
        (("--candidate", "a=0.7", "--candidate", "a=0.8"), "given twice"),
        (("--settle", "a"), "is not two names"),
        (("--settle", "a,nobody", "--candidate", "a=0.75"), "no candidate and no sub"),
    ],
)
def test_bad_usage_exits_2(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run("plan", FILE, *SIZES, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr.replace("\n", " ")
