"""``lbsense field``: a generated copy of Meta Kaggle's tables against pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lbsense.analysis import analyze_field
from lbsense.ingest import read_field
from lbsense.stats import shake_up_of_ranks

pytest.importorskip("duckdb")
Run = Callable[..., Any]
Check = Callable[[str, Any], dict[str, Any]]


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
    done = run("field", meta, "-o", page, "-o", table)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("12 competitions: half of them shook up by")
    assert "Most moved" in done.stdout
    assert len(pd.read_csv(table)) == 12
    assert "By metric" in page.read_text("utf-8")
    found = analyze_field(read_field(meta))
    assert found.groups.iloc[0]["n_competitions"] == 12
    assert "median" in str(found)


def test_json_holds_the_groups_of_the_page(
    run: Run, check: Check, meta: Path, tmp_path: Path
) -> None:
    table = tmp_path / "rows.csv"
    done = run("field", meta, "--json", "-o", table)
    content = check("field", done)
    rows = pd.read_csv(table)
    whole = content["groups"][0]
    assert whole["n_competitions"] == len(rows) == 12
    assert whole["shake_up_50"] == pytest.approx(rows["shake_up"].median())
    assert {group["by"] for group in content["groups"]} >= {"all", "metric", "year"}
    assert f"{table}" in done.stderr


def test_what_is_missing_is_named(run: Run, tmp_path: Path) -> None:
    done = run("field", tmp_path)
    assert done.exit_code == 2
    assert "no Competitions.csv" in done.stderr
    for name in ("Competitions", "Teams", "Submissions"):
        (tmp_path / f"{name}.csv").write_text("Id,Other\n1,2\n")
    done = run("field", tmp_path)
    assert done.exit_code == 2
    assert "not the tables of Meta Kaggle" in done.stderr
