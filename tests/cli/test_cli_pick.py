"""``lbsense pick``: the pair, what other rules cost, and what is not knowable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lbsense

Run = Callable[..., Any]
DATA = Path(__file__).parents[2] / "data/honest_climber"
SIZES = ("--metric", "roc_auc", "--test-size", "20000", "--public-fraction", "30%")


def unnumbered(text: str) -> str:
    """Return what is shown on one line, submissions by their names alone."""
    return re.sub(r"#\d+ ", "", " ".join(text.split()))


def test_after_the_end_it_says_what_the_selection_scored(run: Run) -> None:
    done = run("pick", DATA / "submissions.csv", "--metric", "auc")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Your two best public scored 0.75134 in private")
    assert lines[1] == "Below: what could be known before the end."
    before = run("pick", DATA / "submissions_before_close.csv", "--metric", "auc")
    assert before.stdout.startswith("Select #35 ")


def test_the_pair_is_named_with_its_chances(run: Run, submissions: Path) -> None:
    done = run("pick", submissions, *SIZES)
    assert done.exit_code == 0
    history = lbsense.read_submissions(
        submissions, metric="roc_auc", test_size=20_000, public_fraction=0.3
    )
    best = lbsense.analyze(history).picks.best
    first, second = (history[i].name for i in (best.first, best.second))
    assert unnumbered(done.stdout).startswith(f"Select {first} and {second}:")
    for text in ("two best public", "best public and best CV", "two best CV"):
        assert text in done.stdout
    assert "If you select nothing" in done.stdout
    assert "Next best" in done.stdout


def test_json_holds_the_same_pair(run: Run, submissions: Path) -> None:
    done = run("pick", submissions, *SIZES, "--json")
    assert done.exit_code == 0
    content = json.loads(done.stdout)
    names = [item["name"] for item in content["pair"]]
    shown = run("pick", submissions, *SIZES).stdout
    assert unnumbered(shown).startswith(f"Select {' and '.join(names)}:")
    np.testing.assert_allclose(sum(i["p_better"] for i in content["pair"]), 1)
    for item in content["pair"]:
        assert item["low95"] < item["low80"] < item["expected_score"]
        assert item["expected_score"] < item["high80"] < item["high95"]
    assert all(rule["cost"] >= 0 for rule in content["rules"])
    assert {"rule", "submissions", "expected_score", "cost", "regret"} <= set(
        content["rules"][0]
    )


def test_scores_stay_raw_where_less_is_better(run: Run, submissions: Path) -> None:
    done = run("pick", submissions, "--metric", "mae", *SIZES[2:], "--json")
    pair = json.loads(done.stdout)["pair"]
    assert all(0.7 < item["low80"] < item["high80"] < 0.9 for item in pair)


def test_there_is_a_pair_where_nobody_said_which_way_is_better(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("name,public_score\na,0.7\nb,0.8\nc,0.75\n", encoding="utf-8")
    done = run("pick", path)
    assert done.exit_code == 0
    told = " ".join(done.stdout.split())
    assert told.startswith("Select #3 c and #2 b: your latest")
    assert "It is the same if higher is better, #1 a and #3 c if lower." in told
    order = ["--metric roc_auc", "CV scores", "--test-size", "out-of-fold predictions"]
    places = [told.index(text) for text in order]
    assert places == sorted(places)
    machine = run("pick", path, "--json")
    assert json.loads(machine.stdout)["basis"] == "latest"


@pytest.mark.parametrize(
    ("text", "options", "pair", "basis"),
    [
        ("a,0.7\nb,0.8\nc,0.75\n", ["--higher-is-better"], ["b", "c"], "public"),
        ("a,0.7\nb,0.8\nc,0.75\n", ["--lower-is-better"], ["a", "c"], "public"),
        ("a,0.7\nb,0.8\n", [], ["a", "b"], "public"),
        ("a,0.7\n", [], ["a"], "public"),
    ],
)
def test_there_is_a_pair_wherever_there_is_a_score(
    run: Run,
    tmp_path: Path,
    text: str,
    options: list[str],
    pair: list[str],
    basis: str,
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"name,public_score\n{text}", encoding="utf-8")
    done = run("pick", path, *options)
    assert done.exit_code == 0
    assert done.stdout.startswith("Select ")
    assert "nan" not in done.stdout
    content = json.loads(run("pick", path, *options, "--json").stdout)
    assert sorted(item["name"] for item in content["pair"]) == pair
    assert (content["basis"], content["p_holds_best"]) == (basis, None)
    assert content["why"]


def test_bad_input_exits_2(run: Run, tmp_path: Path) -> None:
    done = run("pick", tmp_path / "none.csv")
    assert done.exit_code == 2
    assert "none.csv" in done.stderr


def test_one_submission_is_the_pick(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("name,public_score\na,0.7\n", encoding="utf-8")
    done = run("pick", path, *SIZES, "--json")
    assert done.exit_code == 0
    assert [item["p_better"] for item in json.loads(done.stdout)["pair"]] == [1.0]


def test_hostile_texts_are_inert(run: Run, hostile: Path) -> None:
    done = run("pick", hostile, *SIZES)
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_doubts_about_the_data_are_told_on_stderr(run: Run, tmp_path: Path) -> None:
    header = "ref,fileName,date,description,status,publicScore,privateScore"
    rows = [
        f"{i},s{i}.csv,2026-07-{i + 1:02d} 10:00:00,m{i} CV 0.8{i:02d},"
        f"SubmissionStatus.COMPLETE,0.8{i:02d},"
        for i in range(20)
    ]
    path = tmp_path / "submissions.csv"
    path.write_text("\n".join([header, *reversed(rows)]) + "\n", encoding="utf-8")
    done = run("pick", path, *SIZES)
    assert "LBS101" in done.stderr
    assert "LBS101" not in done.stdout


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_as_many_are_picked_as_may_be_selected(
    run: Run, submissions: Path, n: int
) -> None:
    done = run("pick", submissions, *SIZES, "--selections", n, "--json")
    chosen = json.loads(done.stdout)["pair"]
    assert len({item["submission_id"] for item in chosen}) == n
    np.testing.assert_allclose(sum(item["p_better"] for item in chosen), 1)
    shown = run("pick", submissions, *SIZES, "--selections", n).stdout
    names = [item["name"] for item in chosen]
    *others, last = names
    told = " and ".join(filter(None, [", ".join(others), last]))
    assert unnumbered(shown).startswith(f"Select {told}:")
    assert ("If you select nothing" in shown) == (n == 2)


def test_the_catalogue_says_how_many_may_be_selected(
    run: Run, submissions: Path
) -> None:
    from lbsense.ingest.platforms import _entries

    slug = next(e.slug for e in _entries().values() if e.n_selections == 1)
    done = run("pick", submissions, *SIZES, "--slug", slug, "--json")
    assert len(json.loads(done.stdout)["pair"]) == 1


@pytest.mark.parametrize("n", [1, 3])
def test_usual_rules_keep_to_the_number_too(run: Run, tmp_path: Path, n: int) -> None:
    path = tmp_path / "log.csv"
    path.write_text("name,public_score\na,0.7\nb,0.8\nc,0.75\n", encoding="utf-8")
    done = run("pick", path, "--higher-is-better", "--selections", n)
    assert done.exit_code == 0
    told = "Select b:" if n == 1 else "Select b and c:"
    assert unnumbered(done.stdout).startswith(told)


def test_submission_files_alone_sharpen_the_pick(run: Run, tmp_path: Path) -> None:
    scenario = ("--seed", 3, "--rows", "--set", "n_submissions=12")
    assert run("simulate", "-o", tmp_path / "play", *scenario).exit_code == 0
    sent = tmp_path / "sent"
    sent.mkdir()
    for path in (tmp_path / "play" / "predictions").glob("submission_*.csv"):
        path.rename(sent / path.name)
    history = tmp_path / "play" / "submissions_before_close.csv"
    given = (history, *SIZES, "--predictions", sent)
    done = run("pick", *given, "--json")
    assert (done.exit_code, json.loads(done.stdout)["level"]) == (0, "D")
    told = " ".join(run("analyze", *given, "--verbose").stdout.split())
    assert "The noise of the steps is that of the submission files" in told
    assert "Give out-of-fold predictions" in told
