"""Files in the shapes of the platforms, and the example data of the project."""

from __future__ import annotations

import csv
import filecmp
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lbsense.ingest import read_submissions
from lbsense.simulate import PRESETS, Scenario, simulate, write_exports, write_presets

DATA = Path(__file__).resolve().parents[2] / "data"
OPTIONS = {
    "n_submissions": 25,
    "n_public": 400,
    "n_private": 600,
    "n_train": 500,
    "failed_fraction": 0.15,
    "repeat_fraction": 0.1,
    "cv_fraction": 0.7,
}
KAGGLE = ["submissions.csv", "submissions_before_close.csv", "submissions.json"]
OLD = ["submissions_old_client.csv", "submissions_old_client_before_close.csv"]
ZINDI = ["zindi.json", "zindi_before_close.json"]


@pytest.fixture(scope="module")
def simulated():
    return simulate(Scenario(**OPTIONS), rng=3)


@pytest.fixture(scope="module")
def folder(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "made" / "when needed"
    write_exports(simulated, folder)
    return folder


def test_every_file_is_returned_and_explained(folder, simulated):
    written = write_exports(simulated, folder)
    assert sorted(written) == sorted(folder.iterdir())
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for path in written:
        assert path.name == "README.md" or f"`{path.name}`" in readme
    assert "`failed_fraction=0.15`" in readme


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (
            "submissions.csv",
            b"ref,fileName,date,description,status,publicScore,privateScore\r\n",
        ),
        (
            "submissions_old_client.csv",
            b"fileName,date,description,status,publicScore,privateScore\r\n",
        ),
        (
            "host_submissions.csv",
            b"DateSubmitted,SubmissionId,TeamId,UserName,TeamName,IsSelected,"
            b"PublicScore,PrivateScore\r\n",
        ),
    ],
)
def test_headers_and_line_ends_are_those_of_the_platform(folder, name, header):
    content = (folder / name).read_bytes()
    assert content.startswith(header)
    assert content.count(b"\r\n") == content.count(b"\n") == 26


def test_rows_are_written_as_kaggle_writes_them(folder):
    with (folder / "submissions.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    dates = [row["date"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    assert {row["status"] for row in rows} == {
        "SubmissionStatus.COMPLETE",
        "SubmissionStatus.ERROR",
    }
    for row in rows:
        assert re.fullmatch(r"2026-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", row["date"])
        failed = row["status"].endswith("ERROR")
        for score in (row["publicScore"], row["privateScore"]):
            assert re.fullmatch("" if failed else r"0\.\d{5}", score)
    items = json.loads((folder / "submissions.json").read_text(encoding="utf-8"))
    assert [list(item) for item in items] == [list(rows[0])] * 25
    assert [item["publicScore"] for item in items] == [r["publicScore"] for r in rows]
    assert all("T" in item["date"] for item in items)


def test_old_clients_say_none_and_cut_seconds(folder):
    name = "submissions_old_client_before_close.csv"
    with (folder / name).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["privateScore"] for row in rows} == {"None"}
    assert {row["status"] for row in rows} == {"complete", "error"}
    assert all(re.fullmatch(r"[-\d]{10} [:\d]{8}", row["date"]) for row in rows)


def test_zindi_has_no_private_score_before_the_close(folder):
    after, before = (
        json.loads((folder / name).read_text(encoding="utf-8"))["data"]
        for name in ZINDI
    )
    assert all("private_score" in item for item in after)
    assert not any("private_score" in item for item in before)
    assert {item["status"] for item in after} == {"successful", "failed"}
    assert sum(item["chosen"] for item in after) == 2


@pytest.mark.filterwarnings("ignore::lbsense.errors.LbsenseWarning")
@pytest.mark.parametrize("name", [*KAGGLE, *OLD, *ZINDI, "host_submissions.csv"])
def test_files_read_back(folder, simulated, name):
    history = read_submissions(folder / name, metric="roc_auc")
    truth = simulated.before_close() if "before" in name else simulated.history
    assert not history.dropped
    for kind in ("public", "private") + (("cv",) if "host" not in name else ()):
        np.testing.assert_array_equal(
            history.raw_scores(kind), truth.raw_scores(kind), err_msg=kind
        )
    for found, made in zip(history, truth, strict=True):
        assert found.status == made.status or "host" in name
        lost = abs((found.submitted_at - made.submitted_at).total_seconds())
        assert lost < (1 if name in [*OLD, "host_submissions.csv"] else 1e-3)
        if name not in OLD:
            assert found.submission_id == made.submission_id
        if "host" not in name:
            assert found.description == made.description


def test_the_log_holds_each_experiment_once(folder, simulated):
    log = pd.read_csv(folder / "experiment_log.csv", dtype={"parent": str})
    known = {h.file_name: h for h in simulated.history if h.cv_score is not None}
    assert log["experiment"].is_unique
    assert set(log["file"]) == set(known)
    for row in log.to_dict("records"):
        item = known[row["file"]]
        assert row["cv"] == item.cv_score
        folds = [row[f"cv_fold{fold}"] for fold in range(1, 6)]
        assert folds == list(item.cv_fold_scores)
    assert log["parent"].isna().tolist() == [True] + [False] * (len(log) - 1)


def test_a_withheld_parent_stays_out_of_all_but_the_truth(tmp_path):
    write_exports(simulate(Scenario(parents="withheld", **OPTIONS), rng=3), tmp_path)
    assert pd.read_csv(tmp_path / "experiment_log.csv")["parent"].isna().all()
    assert pd.read_csv(tmp_path / "truth.csv")["parent_id"].notna().sum() > 15


def test_truth_file_is_the_truth(folder, simulated):
    truth = pd.read_csv(folder / "truth.csv", dtype={"submission_id": str})
    assert tuple(truth["submission_id"]) == simulated.truth.submission_id
    assert tuple(truth["kind"]) == simulated.truth.kind
    for column, values in {
        "true_score": simulated.truth.score,
        "true_gain": simulated.truth.gain,
    }.items():
        np.testing.assert_allclose(truth[column], values, atol=1e-8)
    np.testing.assert_array_equal(truth["is_null"], simulated.truth.is_null)
    assert tuple(np.flatnonzero(truth["selected"])) == simulated.selected


def test_predictions_give_the_scores_that_were_shown(tmp_path):
    options = {**OPTIONS, "n_submissions": 6, "group_size": 2, "probe_fraction": 0.3}
    simulated = simulate(Scenario(**options), keep_rows=True, rng=3)
    written = write_exports(simulated, tmp_path)
    solution = pd.read_csv(tmp_path / "predictions" / "solution.csv")
    public = (solution["Usage"] == "Public").to_numpy()
    assert solution["id"].is_unique
    assert "group" in solution
    for item, kind in zip(simulated.history, simulated.truth.kind, strict=True):
        path = tmp_path / "predictions" / item.file_name
        file = pd.read_csv(path)
        assert path in written
        assert file["id"].equals(solution["id"])
        oof = path.with_name(path.name.replace("submission", "oof"))
        assert oof.exists() == (kind != "probe")
        for mask, shown in ((public, item.public_score), (~public, item.private_score)):
            score = roc_auc_score(solution["target"][mask], file["target"][mask])
            assert shown is None or abs(score - shown) < 2e-5


def test_example_data_come_out_the_same_again(tmp_path):
    folders = write_presets(tmp_path)
    assert [folder.name for folder in folders] == list(PRESETS)
    for folder in folders:
        names = sorted(path.name for path in (DATA / folder.name).iterdir())
        assert names == sorted(path.name for path in folder.iterdir())
        _, differ, unread = filecmp.cmpfiles(
            DATA / folder.name, folder, names, shallow=False
        )
        assert (differ, unread) == ([], [])


def test_example_data_are_small_and_listed():
    files = [path for path in DATA.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 400_000
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == list(PRESETS)


def test_the_examples_tell_their_stories():
    told = {name: simulate(name) for name in PRESETS}
    truth = {name: item.truth for name, item in told.items()}
    honest, chaser, leak = (told[name].history for name in PRESETS)
    best = np.nanargmax(honest.scores("public"))
    best_chaser = np.nanargmax(chaser.scores("public"))
    # The climber keeps what was gained, on private rows and in truth.
    gained = truth["honest_climber"].score[best] - truth["honest_climber"].score[0]
    assert gained > 0.02
    assert honest[int(best)].private_score - honest[0].private_score > 0.02
    # The chaser's public record rose by more than .03 and the truth did not.
    assert chaser[int(best_chaser)].public_score - chaser[0].public_score > 0.03
    assert chaser[int(best_chaser)].private_score < chaser[0].private_score
    assert truth["leaderboard_chaser"].score[best_chaser] < 0.7203
    # Validation improved by more than .1, of which the board saw a quarter at most.
    last = told["leaking_validation"].selected[-1]
    assert leak[0].cv_score - leak[last].cv_score > 0.1
    assert leak[0].public_score - leak[last].public_score < 0.04
