"""Genuine histories, where they are at hand."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from lbsense.ingest import read_submissions

BACKLOGS = [
    "aptos2019_qwk",
    "clouds_dice",
    "commonlit_rmse_public_only",
    "imet2019_f2_public_only",
    "jigsaw_multilingual_auc_public_only",
    "tweet_sentiment_jaccard",
]


@pytest.mark.parametrize("name", BACKLOGS)
def test_backlogs_of_models(real_data, name):
    path = real_data / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    history = read_submissions(path)
    skipped = [issue for issue in history.dropped if issue.action == "row skipped"]
    assert len(history) + len(skipped) == len(rows)
    for kind in ("public", "private"):
        stated = [float(row[kind]) for row in rows if row[kind]]
        scores = history.raw_scores(kind)
        assert scores[np.isfinite(scores)].tolist() == stated
    stated = [float(row["cv"]) for row in rows if row["cv"]]
    assert [i.cv_score for i in history if i.cv_source == "column"] == stated
    assert [issue.action for issue in history.dropped] == ["row skipped"] * len(skipped)


def test_export_of_powershell(real_data):
    history = read_submissions(real_data / "kaggle_export_bom_blank_lines.csv")
    assert len(history) == 12
    assert [item.status for item in history].count("pending") == 1
    assert history.dropped == ()
    times = [item.submitted_at for item in history]
    assert times == sorted(times)


def test_table_dump(real_data):
    history = read_submissions(real_data / "kaggle_table_dump.txt")
    assert len(history) == 50
    assert history.dropped == ()
    assert history["55161881"].public_score == 7.76
    assert {w.code for w in history.warnings} >= {"LBS101", "LBS106"}


def test_history_with_private_scores(real_data):
    history = read_submissions(real_data / "rogii_rmse.csv", metric="rmse")
    assert len(history) == 62
    assert np.isfinite(history.raw_scores("private")).sum() == 9
    assert history.competition.greater_is_better is False


def test_public_kernels(real_data):
    history = read_submissions(real_data / "champs_public_kernels.csv")
    assert len(history) == 316
    assert all(item.submitted_at.year == 2019 for item in history)
    assert min(item.submitted_at.month for item in history) == 5
