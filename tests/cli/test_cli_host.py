"""``lbsense host``: prizes within noise, planted chasers, the plan, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lbsense
from lbsense.stats import team_chase

Run = Callable[..., Any]
Check = Callable[[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 100 teams of 15 submissions; the first three climb on noise alone."""
    rng = np.random.default_rng(0)
    noise, parts = 0.003, []
    for team in range(100):
        true = 0.8 + 0.03 * rng.normal() + np.cumsum(0.001 * rng.random(15))
        luck = noise * rng.normal(size=15)
        if team < 3:
            luck = noise * np.arange(15) * 0.6
        public = true + luck
        parts.append(
            pd.DataFrame(
                {
                    "DateSubmitted": [
                        f"2026-07-{day:02d} 05:59:46" for day in range(1, 16)
                    ],
                    "SubmissionId": np.arange(15) + 15 * team,
                    "TeamId": team + 500,
                    "UserName": "u",
                    "TeamName": f"team {team}",
                    "IsSelected": public == public.max(),
                    "PublicScore": public.round(5),
                    "PrivateScore": (true + 0.65 * noise * rng.normal(size=15)).round(
                        5
                    ),
                }
            )
        )
    path = tmp_path_factory.mktemp("host") / "export.csv"
    pd.concat(parts).sample(frac=1, random_state=1).to_csv(path, index=False)
    return path


FACTS = ("--metric", "roc_auc", "--public-fraction", "30%")


def test_who_chased_and_who_is_near_a_prize(
    run: Run, check: Check, export: Path
) -> None:
    done = run("host", export, *FACTS)
    assert done.exit_code == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "within noise of 3 prizes" in told
    assert "Shake-up by noise alone, and how often the best team wins" in told
    content = check("host", run("host", export, *FACTS, "--json"))
    chased = {team["team_name"] for team in content["teams"] if team["chased"]}
    assert {"team 0", "team 1", "team 2"} <= chased
    assert len(chased) <= 4
    assert content["n_chasing"] == len(chased)
    plan = {(c["public_fraction"], c["size_factor"]): c for c in content["plan"]}
    assert plan[0.3, 4.0]["shake_up"] < plan[0.3, 1.0]["shake_up"]
    assert plan[0.3, 4.0]["best_wins"] > plan[0.3, 0.25]["best_wins"]
    assert plan[0.5, 1.0]["shake_up"] < plan[0.1, 1.0]["shake_up"]


def test_teams_go_through_joblib(export: Path) -> None:
    import joblib

    read = lbsense.read_host(export, metric="roc_auc", public_fraction=0.3)
    assert len(read) == 1500
    one = lbsense.analyze_host(read)
    with joblib.parallel_config("threading", n_jobs=2):
        other = lbsense.analyze_host(read)
    pd.testing.assert_frame_equal(one.teams, other.teams)
    assert "prizes" in str(one)


def test_the_board_takes_what_was_selected(export: Path) -> None:
    read = lbsense.read_host(export, metric="roc_auc")
    board = read.board()
    rows = slice(*read.bounds()[7:9])
    assert board.public[7] == read.public[rows].max()
    assert board.private[7] == read.private[rows][read.selected[rows]].max()
    assert board.n_submissions.tolist() == [15] * 100


def test_chase_by_hand() -> None:
    found = team_chase(
        np.array([0.0, 1.0, 0.9]),
        np.array([0.1, 0.2, 0.9]),
        noise=0.01,
        ratio=1.0,
        offset=0.05,
    )
    assert found is not None
    assert found.public_climb == 1.0
    assert found.private_climb == pytest.approx(0.1)
    assert found.excess == pytest.approx(0.85)
    assert found.luck == 0.0
    assert found.z == pytest.approx(0.85 / (0.01 * np.sqrt(2)))
    assert team_chase(np.array([]), np.array([]), noise=1, ratio=1, offset=0) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TeamId,PublicScore,PrivateScore\n1,0.5,0.4\n1,0.6,0.5\n", "it of all teams"),
        ("TeamName,Score\na,1\nb,2\n", "a row for every submission"),
        ("TeamId,PublicScore,PrivateScore\n1,0.5,\n2,0.6,\n", "too few|noise"),
    ],
)
def test_refusals(run: Run, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "e.csv"
    file.write_text(text)
    done = run("host", file, "--metric", "roc_auc")
    assert done.exit_code == 2
    assert re.search(message, done.stderr), done.stderr
