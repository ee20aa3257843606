"""``lbsense gate``: its answer is its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbsense.simulate import Scenario, simulate, write_exports

Run = Callable[..., Any]
METRIC = ("--metric", "roc_auc")


@pytest.fixture(scope="module")
def climb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return the export of an honest climb, and its best CV score."""
    made = simulate(
        Scenario(n_submissions=30, policy="both", null_fraction=0.5, step_size=0.1),
        rng=1,
    )
    folder = tmp_path_factory.mktemp("climb")
    write_exports(made, folder)
    best = max(item.cv_score or 0.0 for item in made.history)
    return folder / "submissions_before_close.csv", best


@pytest.mark.parametrize(
    ("above", "code", "answer"),
    [
        (0.02, 0, "Worth a submission."),
        (-0.02, 1, "Not worth a submission."),
        (-70.0, 3, "Not knowable."),
    ],
)
def test_the_answer_is_the_exit_code(
    run: Run, climb: tuple[Path, float], above: float, code: int, answer: str
) -> None:
    path, best = climb
    done = run("gate", path, *METRIC, "--cv", f"{best + above:.5f}")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (code, answer)
    machine = run("gate", path, *METRIC, "--cv", f"{best + above:.5f}", "--json")
    assert machine.exit_code == code
    decision = json.loads(machine.stdout)["decision"]
    assert decision == {0: "spend", 1: "keep", 3: "unknown"}[code]


def test_a_decimal_comma_is_understood(run: Run, climb: tuple[Path, float]) -> None:
    path, best = climb
    comma = f"{best:.4f}".replace(".", ",")
    one = run("gate", path, *METRIC, "--cv", comma, "--json")
    other = run("gate", path, *METRIC, "--cv", f"{best:.4f}", "--json")
    assert one.stdout == other.stdout


def test_more_certainty_and_another_parent(run: Run, climb: tuple[Path, float]) -> None:
    path, best = climb
    cv = ("--cv", f"{best + 0.02:.4f}", "--json")
    first = path.read_text(encoding="utf-8").splitlines()[-1].split(",")[0]
    done = run("gate", path, *METRIC, *cv, "--from", first, "--at-least", "0.9")
    content = json.loads(done.stdout)
    assert (content["parent_id"], content["at_least"]) == (first, 0.9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Nothing is said of the candidate"),
        (("--folds", "0.8,x"), "is not a score"),
        (("--labels", "y.csv", "--cv", "0.8"), "--labels needs --predictions"),
        (("--cv", "0.8", "--submission", "none.csv"), "none.csv"),
        (("--cv", "abc"), "is not a score"),
        (("--cv", "nan"), "is not a score"),
        (("--cv", "0.8", "--from", "nobody"), "submission_id of a submission"),
        (("--cv", "0.8", "--at-least", "2"), "at_least"),
    ],
)
def test_bad_usage_exits_2(
    run: Run, climb: tuple[Path, float], arguments: tuple[str, ...], message: str
) -> None:
    done = run("gate", climb[0], *METRIC, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr.replace("\n", " ")


def test_a_history_without_cv_is_not_knowable(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("name,public_score\na,0.7\nb,0.8\n", encoding="utf-8")
    done = run("gate", path, *METRIC, "--cv", "0.8")
    assert done.exit_code == 3
    assert "5 are needed" in done.stdout


def test_none_left_and_a_false_share(run: Run, climb: tuple[Path, float]) -> None:
    path, best = climb
    cv = ("--cv", f"{best + 0.02:.5f}")
    done = run("gate", path, *METRIC, *cv, "--left", 0)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        1,
        "Not worth a submission.",
    )
    assert "No submission is left" in done.stdout
    done = run("gate", path, *METRIC, *cv, "--daily", 5, "--false-share", 0.2, "--json")
    content = json.loads(done.stdout)
    assert (content["n_left"], content["passes"], done.exit_code) == (5, True, 0)


def test_a_file_that_was_sent_already_is_kept(
    run: Run, climb: tuple[Path, float], tmp_path: Path
) -> None:
    path, best = climb
    ids = [line.split(",")[0] for line in path.read_text().splitlines()[1:4]]
    for number, name in enumerate((*ids, "new")):
        rows = "".join(
            f"{k},{0.1 + (k * (3 + number % 3)) % 7 / 10}\n" for k in range(50)
        )
        (tmp_path / f"submission_{name}.csv").write_text(f"id,target\n{rows}")
    done = run(
        "gate", path, *METRIC, "--cv", best + 0.02, "--test-size", 5000,
        "--public-fraction", "30%", "--submission", tmp_path / "submission_new.csv",
        "--predictions", tmp_path,
    )  # fmt: skip
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        1,
        "Not worth a submission.",
    )
    assert "predicts the same as #30 exp030" in " ".join(done.stdout.split())


def test_the_ledger_tells_a_file_by_its_digest(
    run: Run, climb: tuple[Path, float], tmp_path: Path, check: Any
) -> None:
    path, best = climb
    sent = path.read_text().splitlines()[3].split(",")[0]
    ledger, file = tmp_path / "ledger.jsonl", tmp_path / "sub.csv"
    log = ("log", "--ledger", ledger, "--predictions", file)
    asked = ("gate", path, *METRIC, "--ledger", ledger, "--submission", file, "--json")
    file.write_text("id,target\n1,0.5\n2,0.25\n")
    assert run(*log, "--name", "lgbm", "--cv", best, "--ref", sent).exit_code == 0
    done = run(*asked)
    content = check("gate", done)
    assert (done.exit_code, content["repeats"]) == (1, sent)
    assert content["experiments"] == ["lgbm"]
    again = run(*log, "--name", "blend", "--cv", best + 0.02)
    assert "sub.csv is the same file as that of lgbm" in again.stderr
    assert check("gate", run(*asked))["repeats"] == sent
    # Another file is none: the ledger tells its CV.
    file.write_text("id,target\n1,0.5\n2,0.75\n")
    assert "same file" not in run(*log, "--name", "cat", "--cv", best + 0.02).stderr
    done = run(*asked)
    content = check("gate", done)
    assert (content["repeats"], content["experiments"]) == (None, ["cat"])
    assert content["cv_score"] == pytest.approx(best + 0.02)
    assert content["decision"] == "spend"
    told = " ".join(run(*asked[:-1]).stdout.split())
    assert "this very file was written by cat" in told


def test_a_loop_of_one_score_is_gated_with_a_stated_noise(
    run: Run, tmp_path: Path
) -> None:
    rows = [f"c{k}\t{0.9 + 0.001 * (k % 5):.4f}\tdiscard\tidea {k}" for k in range(12)]
    rows[0] = "c0\t0.9000\tkeep\tbaseline"
    path = tmp_path / "results.tsv"
    path.write_text("commit\tval_auc\tstatus\tdescription\n" + "\n".join(rows) + "\n")
    for score, code in ((0.96, 0), (0.9005, 1)):
        done = run("gate", path, *METRIC, "--cv", score, "--step-noise", 0.004)
        assert done.exit_code == code, done.stdout + done.stderr
    assert run("gate", path, *METRIC, "--cv", 0.913).exit_code == 3
