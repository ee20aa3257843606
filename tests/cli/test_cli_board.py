"""``lbsense board``: before and after the reveal, one team, JSON, a page, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lbsense.model import Leaderboard
from lbsense.simulate import simulate_board

Run = Callable[..., Any]
Check = Callable[[str, Any], dict[str, Any]]


def write(board: Leaderboard, path: Path, kind: str) -> Path:
    scores = getattr(board, kind)
    order = np.argsort(-scores, kind="stable")
    rows = ["Rank,TeamId,TeamName,LastSubmissionDate,Score,SubmissionCount"]
    rows += [
        f"{place},{board.team_ids[i]},{board.team_names[i]},2026-07-01 00:00:00,"
        f"{scores[i]},{3 + i % 7}"
        for place, i in enumerate(order, 1)
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    return path


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("boards")
    board = simulate_board("copies", n_teams=150, noise=0.3, rng=4).board
    return (
        write(board, folder / "c-publicleaderboard-2026-09-01.csv", "public"),
        write(board, folder / "c-privateleaderboard-2026-09-02.csv", "private"),
    )


def test_before_the_reveal(run: Run, check: Check, boards: tuple[Path, Path]) -> None:
    done = run("board", boards[0], "--team", "team 9", "--noise", "0.3")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("150 teams: expect a shake-up of 0.")
    for text in ("team 9 is 9th of 150", "Gold (to 10)", "Chance of each place: 1st"):
        assert text in done.stdout
    content = check("board", run("board", boards[0], "--noise", 0.3, "--json"))
    assert content["shake_up"] is content["verdict"] is content["standing"] is None
    assert content["noise"]["basis"] == "told"
    assert sum(team["p_gold"] for team in content["teams"]) == pytest.approx(10)


def test_with_nothing_known_it_says_what_it_rests_on(
    run: Run, check: Check, boards: tuple[Path, Path], tmp_path: Path
) -> None:
    done = run("board", boards[0])
    assert "shakeup-radar 0.2.0" in " ".join(done.stdout.split())
    assert "would tell it" in done.stdout
    text = "TeamId,TeamName,Score\n" + "".join(
        f"{i},t{i},{0.9 - i / 500:.3f}\n" for i in range(60)
    )
    file = tmp_path / "b.csv"
    file.write_text(text)
    facts = ("--metric", "accuracy", "--test-size", 2000, "--public-fraction", "30%")
    known = run("board", file, *facts, "--json")
    assert check("board", known)["noise"]["basis"] == "metric"


def test_after_the_reveal(run: Run, check: Check, boards: tuple[Path, Path]) -> None:
    content = check("board", run("board", *boards, "--team", "1008", "--json"))
    assert content["team"] == "team 9"
    assert content["verdict"] == "as much"
    assert content["matched_by"] == "team id"
    assert content["noise"]["basis"] == "pairs"
    assert content["pairs"]["public_se"] == pytest.approx(0.3, rel=0.5)
    assert content["pairs"]["two_stage"] == []
    told = run("board", *boards).stdout
    assert "as much as this split must give by noise alone" in told
    assert (
        run("board", *reversed(boards), "--json").stdout
        == run("board", *boards, "--json").stdout
    )


def test_two_stages_are_named(run: Run, tmp_path: Path) -> None:
    board = simulate_board("two stages", n_teams=200, noise=0.2, rng=2).board
    files = [
        write(board, tmp_path / f"{kind}.csv", kind) for kind in ("public", "private")
    ]
    done = run("board", *files)
    assert "is that of another test" in done.stdout
    assert "share one private score" in done.stdout


@pytest.mark.parametrize("name", ["board.html", "board.md"])
def test_a_page(run: Run, boards: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    done = run("board", *boards, "--team", "team 9", "-o", target)
    assert done.exit_code == 0, done.stderr
    text = target.read_text("utf-8")
    assert "by noise alone" in text
    assert "SHA-256" in text
    if name.endswith("html"):
        assert text.count("<figure") == 3
    else:
        assert len(list(tmp_path.glob("board_files/*.png"))) == 3
    target.write_text("of somebody else")
    assert run("board", *boards, "-o", target).exit_code == 2


def test_a_folder_of_days(run: Run, check: Check, tmp_path: Path) -> None:
    made = simulate_board(n_teams=60, noise=0.3, rng=1).board
    rng = np.random.default_rng(0)
    score = made.public - 1.0
    for day in range(1, 13):
        risen = np.where(rng.random(60) < 0.1, 1.0, 0.0)
        score = score + np.where(np.arange(60) == 5, 0.02, risen)
        write(
            replace(made, public=score.copy()),
            tmp_path / f"publicleaderboard-2026-07-{day:02d}.csv",
            "public",
        )
    done = run("board", tmp_path, "--noise", "0.3")
    assert done.exit_code == 0, done.stderr
    assert "improvements of all teams" in done.stdout
    assert "team 6 (11)" in done.stdout
    content = check("board", run("board", tmp_path, "--noise", 0.3, "--json"))
    assert content["movement"]["n_looks"] >= content["movement"]["n_steps"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("TeamId,TeamName,Score\n1,a,0.9\n2,b,0.8\n", ["--team", "c"], "no team 'c'"),
        ("TeamId,TeamName,Score\n1,a,0.9\n2,b,\n", [], "Fewer than two teams"),
        ("TeamId,TeamName,Score\n1,a,0.1\n2,b,0.3\n3,c,0.2\n", [], "direction"),
        ("TeamId,TeamName,Score\n1,a,0.9\n2,b,0.8\n", ["--noise", "-1"], "not a noise"),
    ],
)
def test_refusals(
    run: Run, tmp_path: Path, text: str, options: list[str], message: str
) -> None:
    file = tmp_path / "b.csv"
    file.write_text(text)
    done = run("board", file, *options)
    assert done.exit_code == 2
    assert message in done.stderr


def test_all_scores_equal_and_two_teams(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "b.csv"
    same = "".join(f"{i},t{i},0.5\n" for i in range(20))
    file.write_text("TeamId,TeamName,Score\n" + same)
    options = ("--metric", "accuracy", "--test-size", 1000, "--public-fraction", 0.3)
    assert "1 to 20" in run("board", file, *options).stdout
    file.write_text("TeamId,TeamName,Score\n1,a,0.9\n2,b,0.8\n")
    assert run("board", file, *options, "--team", "b").exit_code == 0


def test_hostile_names_are_inert(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "b.csv"
    names = [
        "\x1b[31mred",
        "<script>alert(1)</script>",
        "=cmd()",
        "[bold]x[/]",
        "a\u202eb",
    ]
    rows = "".join(f'{i},"{name}",0.{9 - i}\n' for i, name in enumerate(names))
    file.write_text("TeamId,TeamName,Score\n" + rows)
    done = run("board", file, "--noise", 0.1, "-o", tmp_path / "b.html", "--team", "1")
    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    page = (tmp_path / "b.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_pick_and_report_with_a_board(
    run: Run, check: Check, submissions: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    scores = np.sort(np.r_[0.818, rng.normal(0.812, 0.004, 199)])[::-1]
    rows = [
        f"{i},{'me' if score == 0.818 else f't{i}'},{score:.5f}"
        for i, score in enumerate(scores, 1)
    ]
    file = tmp_path / "public.csv"
    file.write_text("TeamId,TeamName,Score\n" + "\n".join(rows) + "\n")
    facts = ("--metric", "roc_auc", "--test-size", 20_000, "--public-fraction", 0.3)
    board = ("--board", file, "--board-team", "me")
    told = run("pick", submissions, *facts, *board)
    assert told.exit_code == 0, told.stderr
    assert "The best chance of" in " ".join(told.stdout.split())
    done = run("pick", submissions, *facts, *board, "--json")
    medal = check("pick", done)["medal"]
    assert medal["chance"] >= medal["chance_of_pair"] - 0.05
    assert medal["p_gold"] <= medal["p_silver"] <= medal["p_bronze"]
    target = tmp_path / "r.html"
    done = run("report", submissions, *facts, *board, "-o", target)
    assert done.exit_code == 0, done.stderr
    assert "The whole leaderboard" in target.read_text("utf-8")
    done = run("report", submissions, *facts, *board, "-o", "-")
    assert "The whole leaderboard" in done.stdout
    assert run("pick", submissions, *facts, "--board-team", "me").exit_code == 2


def test_analyze_with_a_board(
    run: Run, check: Check, submissions: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0.812, 0.004, 200)
    files = []
    for kind, size in (("public", 0.002), ("private", 0.0013)):
        scores = true + size * rng.normal(size=200)
        rows = [f"{i},t{i},{score:.5f}" for i, score in enumerate(scores)]
        files.append(tmp_path / f"{kind}.csv")
        files[-1].write_text("TeamId,TeamName,Score\n" + "\n".join(rows) + "\n")
    board = ("--board", files[0], "--private-board", files[1])
    done = run("analyze", submissions, "--higher-is-better", *board, "--json")
    assert done.exit_code == 0, done.stderr
    noise = check("analyze", done)["noise"]
    assert noise["n_board"] == 200
    assert noise["score_se"] == pytest.approx(0.002 / 0.12**0.5, rel=0.3)
    told = run("analyze", submissions, "--higher-is-better", *board, "--verbose")
    assert "scores of 200 teams on the leaderboard" in " ".join(told.stdout.split())
    done = run("pick", submissions, "--higher-is-better", *board, "--board-team", "t3")
    assert done.exit_code == 0, done.stderr
    done = run("analyze", submissions, "--private-board", files[1])
    assert done.exit_code == 2
    assert "needs --board" in done.stderr


def test_rows_that_both_scores_cover(run: Run, check: Check, tmp_path: Path) -> None:
    made = simulate_board(n_teams=2000, noise=0.6, ratio=(4 / 6) ** 0.5, rng=5).board
    whole = 0.4 * made.public + 0.6 * made.private
    files = [
        write(board, tmp_path / f"{kind}.csv", kind)
        for board, kind in ((made, "public"), (replace(made, private=whole), "private"))
    ]
    facts = ("--higher-is-better", "--public-fraction", "40%")
    told = " ".join(run("board", *files, *facts).stdout.split())
    assert "behave as if they covered the public rows too" in told
    done = run("board", *files, *facts, "--nested")
    assert "private scores cover the public rows too (40% of theirs)" in " ".join(
        done.stdout.split()
    )
    content = check("board", run("board", *files, *facts, "--nested", "--json"))
    assert content["noise"]["shared"] == 0.4
    assert content["noise"]["public_se"] == pytest.approx(0.6, rel=0.1)


def test_a_pair_for_a_medal_is_no_submission_twice(run: Run) -> None:
    data = Path(__file__).parents[2] / "data"
    boards = data / "boards"
    public, private = (
        str(next(boards.glob(f"example-{kind}leaderboard-*.csv")))
        for kind in ("public", "private")
    )
    file = str(data / "honest_climber" / "submissions_before_close.csv")
    words = ["pick", file, "--metric", "auc", "--board", public]
    words += ["--private-board", private, "--board-team", "team 9"]
    medal = json.loads(run(*words, "--json").stdout)["medal"]
    assert len({*medal["submissions"]}) == 2
    told = " ".join(run(*words).stdout.split()).partition("The best chance of")[2]
    assert "has #35 exp035" in told
    assert "#36" not in told
