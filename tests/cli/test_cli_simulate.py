"""``lbsense simulate``: genuine exports, and no file lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lbsense
from lbsense.simulate import PRESETS, Scenario, simulate

Run = Callable[..., Any]


def test_what_is_written_can_be_analysed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "play"
    done = run("simulate", "-o", folder, "--n-submissions", "12", "--seed", "1")
    assert done.exit_code == 0
    assert done.stderr == ""
    history = lbsense.read_kaggle(folder / "submissions.csv", metric="roc_auc")
    made = simulate(Scenario(n_submissions=12), rng=1)
    assert history.raw_scores("public").tolist() == pytest.approx(
        made.history.raw_scores("public").tolist(), abs=1e-6
    )
    command = next(line for line in done.stdout.splitlines() if "Try:" in line)
    tried = run(*command.partition("lbsense ")[2].split())
    assert tried.exit_code == 0


def test_options_reach_the_simulation(run: Run, tmp_path: Path) -> None:
    done = run(
        *("simulate", "-o", tmp_path / "a", "--n-submissions", "8", "--seed", "2"),
        *("--metric", "rmse", "--policy", "cv", "--null-fraction", "0.9"),
        *(
            "--public-fraction",
            "5%",
            "--set",
            "cv_noise=0.02",
            "--set",
            "heavy-tails=yes",
        ),
    )
    assert done.exit_code == 0
    made = simulate(
        Scenario(
            n_submissions=8,
            metric="rmse",
            policy="cv",
            null_fraction=0.9,
            n_public=500,
            cv_noise=0.02,
            heavy_tails=True,
        ),
        rng=2,
    )
    text = (tmp_path / "a" / "submissions.csv").read_text(encoding="utf-8")
    assert all(f"{item.public_score:.5f}" in text for item in made.history)


def test_a_preset_is_always_the_same(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = run("simulate", "-o", tmp_path / name, "--preset", "honest_climber")
        assert done.exit_code == 0
    files = [tmp_path / name / "submissions.csv" for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_nothing_is_replaced_unless_forced(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "submissions.csv"
    mine.write_text("precious", encoding="utf-8")
    arguments = ("simulate", "-o", tmp_path, "--n-submissions", "3", "--seed", "1")
    done = run(*arguments)
    assert done.exit_code == 2
    assert "is not empty" in done.stderr
    assert mine.read_text(encoding="utf-8") == "precious"
    assert run(*arguments, "--force").exit_code == 0
    assert mine.read_text(encoding="utf-8") != "precious"


def test_without_a_seed_that_is_said(run: Run, tmp_path: Path) -> None:
    done = run("simulate", "-o", tmp_path / "a", "--n-submissions", "2")
    assert done.exit_code == 0
    assert "--seed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "nobody"), f"Presets are {', '.join(PRESETS)}"),
        (("--preset", "honest_climber", "--seed", "1"), "seed is given"),
        (("--set", "cv_nois=1"), "Options are world"),
        (("--set", "cv_noise"), "is not OPTION=VALUE"),
        (("--set", "cv_noise=much"), "cv_noise must be a number"),
        (("--set", "n_folds=2.5"), "n_folds must be a whole number"),
        (("--set", "nested=perhaps"), "nested must be true or false"),
        (("--policy", "cv", "--set", "policy=cv"), "policy is given twice"),
        (("--policy", "luck"), "policy must be one of"),
        (("--null-fraction", "30"), "null_fraction must be in"),
        (("--test-size", "x"), "is not a number of rows"),
    ],
)
def test_bad_usage_exits_2_and_writes_nothing(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run("simulate", "-o", tmp_path / "a", *arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "a").exists()


def test_a_file_is_no_folder(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x", encoding="utf-8")
    done = run("simulate", "-o", path, "--force")
    assert done.exit_code == 2
    assert "is a file" in done.stderr


def test_rows_are_written_when_asked_for(run: Run, tmp_path: Path) -> None:
    done = run(
        *("simulate", "-o", tmp_path / "a", "--n-submissions", "2", "--seed", "1"),
        *(
            "--train-size",
            "500",
            "--test-size",
            "200",
            "--public-fraction",
            ".5",
            "--rows",
        ),
    )
    assert done.exit_code == 0
    assert (tmp_path / "a" / "predictions" / "train.csv").is_file()
