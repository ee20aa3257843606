"""``lbsense field``: a generated copy of Meta Kaggle's tables against pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lbsense.analysis import analyze_field
from lbsense.ingest import read_field
from lbsense.stats import shake_up_of_ranks

pytest.importorskip("duckdb")
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def meta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 12 competitions of 60 teams of 5 submissions."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("meta")
    n, teams, subs = 12, 60, 5
    pd.DataFrame(
        {
            "Id": range(n),
            "Slug": [f"comp-{i}" for i in range(n)],
            "HostSegmentTitle": np.resize(["Featured", "Research"], n),
            "DeadlineDate": [f"01/15/{2014 + i % 2} 23:59:00" for i in range(n)],
            "OnlyAllowKernelSubmissions": "False",
            "LeaderboardPercentage": 30,
            "EvaluationAlgorithmAbbreviation": np.resize(["AUC", "RMSE"], n),
            "EvaluationAlgorithmIsMax": np.resize(["True", "False"], n),
            "Overview": 'two "quoted"\nlines, and a comma',
        }
    ).to_csv(folder / "Competitions.csv", index=False)
    rows = []
    for competition in range(n):
        true = rng.normal(size=teams)
        places = [
            (-(true + 0.3 * rng.normal(size=teams))).argsort().argsort() + 1
            for _ in range(2)
        ]
        rows += [
            (
                competition * teams + i,
                competition,
                'a "team", x',
                "True" if i == 0 else "False",
                places[0][i],
                places[1][i] if i != 1 else "",
            )
            for i in range(teams)
        ]
    names = "Id,CompetitionId,TeamName,IsBenchmark,PublicLeaderboardRank"
    pd.DataFrame(rows, columns=[*names.split(","), "PrivateLeaderboardRank"]).to_csv(
        folder / "Teams.csv", index=False
    )
    total = n * teams * subs
    team = np.arange(total) % (n * teams)
    sign = np.where((team // teams) % 2 == 0, 1, -1)
    true = rng.normal(size=total)
    public = sign * (true + 0.3 * rng.normal(size=total))
    private = sign * (true - 0.1 + 0.2 * rng.normal(size=total))
    shown = public.astype(str).astype(object)
    shown[7] = "Infinity"
    pd.DataFrame(
        {
            "Id": range(total),
            "TeamId": team,
            "IsAfterDeadline": np.where(np.arange(total) % 50 == 3, "True", "False"),
            "PublicScoreFullPrecision": shown,
            "PrivateScoreFullPrecision": private,
        }
    ).to_csv(folder / "Submissions.csv", index=False)
    return folder


def test_rows_are_those_of_pandas(meta: Path) -> None:
    found = read_field(meta).set_index("competition_id")
    assert len(found) == 12
    teams = pd.read_csv(meta / "Teams.csv")
    own = teams[(teams.CompetitionId == 3) & ~teams.IsBenchmark].dropna()
    x = own.PublicLeaderboardRank.rank(method="min").to_numpy()
    y = own.PrivateLeaderboardRank.rank(method="min").to_numpy()
    expected = shake_up_of_ranks(x, y)
    assert found.loc[3, "n_teams"] == len(own) == 58
    assert found.loc[3, "shake_up"] == pytest.approx(expected.statistic)
    assert found.loc[3, "spearman"] == pytest.approx(expected.spearman)
    subs = pd.read_csv(meta / "Submissions.csv").merge(
        teams[~teams.IsBenchmark], left_on="TeamId", right_on="Id"
    )
    subs = subs[(subs.CompetitionId == 3) & ~subs.IsAfterDeadline]
    gap = -(subs.PublicScoreFullPrecision - subs.PrivateScoreFullPrecision)
    assert found.loc[3, "n_submissions"] == pytest.approx(0.95 * len(subs), rel=0.03)
    assert found.loc[3, "mean_gap"] == pytest.approx(gap.mean(), abs=0.05)
    assert found.loc[3, "slope"] == pytest.approx(1 / 1.09, abs=0.12)


def test_page_and_table(run: Run, meta: Path, tmp_path: Path) -> None:
    page, table = tmp_path / "field.html", tmp_path / "rows.csv"
    done = run("field", meta, "-o", page, "--table", table)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("12 competitions: half of them shook up by")
    assert "Most moved" in done.stdout
    assert len(pd.read_csv(table)) == 12
    assert "By metric" in page.read_text("utf-8")
    found = analyze_field(read_field(meta))
    assert found.groups.iloc[0]["n_competitions"] == 12
    assert "median" in str(found)


def test_what_is_missing_is_named(run: Run, tmp_path: Path) -> None:
    done = run("field", tmp_path)
    assert done.exit_code == 2
    assert "no Competitions.csv" in done.stderr
    for name in ("Competitions", "Teams", "Submissions"):
        (tmp_path / f"{name}.csv").write_text("Id,Other\n1,2\n")
    done = run("field", tmp_path)
    assert done.exit_code == 2
    assert "not the tables of Meta Kaggle" in done.stderr
