"""Predictions that stay in their files: the same answers, one submission in memory."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pandas as pd
import pytest

import lbsense as lb
from lbsense.errors import IngestError
from lbsense.ingest import prediction_tables as tables
from lbsense.model import Columns
from lbsense.stats import joint_noise
from lbsense.stats.rows import joint

pytest.importorskip("pyarrow")

N, K = 900, 5


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    labels, ids = rng.integers(0, 2, N), rng.permutation(N)
    frame = pd.DataFrame({"id": ids, "target": labels, "group": ids % 40})
    frame.to_csv(tmp_path / "train.csv", index=False)
    for kind in ("npy", "parquet"):
        (tmp_path / kind).mkdir()
    for j in range(K):
        made = np.clip(0.2 * labels + 0.8 * rng.random(N), 0, 1)
        np.save(tmp_path / "npy" / f"oof_m{j}.npy", made)
        mixed = rng.permutation(N)
        table = pd.DataFrame({"id": ids[mixed], "pred": made[mixed]})
        table.to_parquet(tmp_path / "parquet" / f"oof_m{j}.parquet")
    return tmp_path


def read(folder, kind, **options):
    train = folder / "train.csv"
    return lb.read_predictions(
        folder / kind, labels=train, oof_ids=train, columns={"label": "target"}
        | options,
    )  # fmt: skip


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(tables, "_MOST_CELLS", 100)
    monkeypatch.setattr(joint, "_MANY", 100)
    monkeypatch.setattr(joint, "_BLOCK", 64)
    monkeypatch.setattr(joint, "_FEW_COLUMNS", 2)


@pytest.mark.parametrize("kind", ["npy", "parquet"])
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "rmse", "average_precision"])
@pytest.mark.parametrize("options", [{}, {"group": "group"}])
def test_the_same_noise(folder, request, kind, metric, options):
    whole = read(folder, kind, **options)
    expected = lb.noise_of(whole, metric, n=300, rng=0)
    request.getfixturevalue("little_memory")
    left = read(folder, kind, **options)
    assert isinstance(left.oof, Columns)
    found = lb.noise_of(left, metric, n=300, rng=0)
    names = ("scores", "se", "ci_low", "ci_high", "row_covariance", "p_better")
    for name in names:
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-9
        )
    assert found.clusters.tolist() == expected.clusters.tolist()


def test_columns_are_read_as_they_are_asked_for(folder, request):
    whole = read(folder, "parquet")
    request.getfixturevalue("little_memory")
    left = read(folder, "parquet")
    assert np.array_equal(np.asarray(left.oof), whole.oof)
    assert np.array_equal(left.oof[:, 2], whole.oof[:, 2])
    assert np.array_equal(left.oof[:9, 1:3], whole.oof[:9, 1:3])
    assert left.oof.shape == whole.oof.shape
    two = left.of("oof", ["m3", "m1"])
    assert isinstance(two, Columns)
    assert np.array_equal(np.asarray(two), whole.of("oof", ["m3", "m1"]))
    assert np.array_equal(pickle.loads(pickle.dumps(left)).oof, whole.oof)
    assert str(left) == str(whole)


def test_a_cell_that_is_no_number_is_told(folder, little_memory):
    broken = np.load(folder / "npy" / "oof_m3.npy")
    broken[4] = np.nan
    np.save(folder / "npy" / "oof_m3.npy", broken)
    with pytest.raises(IngestError, match="must be finite numbers, but 1 row hold"):
        read(folder, "npy")


def test_rates_and_shapes_of_single_precision(little_memory):
    rng = np.random.default_rng(0)
    right = (rng.random((500, 3)) < [0.9, 0.7, 0.5]).astype(float)
    psi = right - right.mean(axis=0)
    one = joint_noise(right.mean(axis=0), psi, rng=0)
    other = joint_noise(right.mean(axis=0), psi.astype(np.float32), rng=0)
    np.testing.assert_allclose(one.ci_low, other.ci_low, rtol=1e-5)  # Wilson's, both
    np.testing.assert_allclose(one.row_covariance, other.row_covariance, rtol=1e-5)


def test_what_stays_in_its_file_is_not_held(folder, little_memory):
    path = folder / "parquet" / "oof_m0.parquet"
    table = tables.read_prediction_table(path, {}, "oof")
    array = table.columns["pred"]
    left = tables.left_in_file(table, path, {}, 5)
    del table
    assert sys.getrefcount(array) == 2  # the name, and the argument
    assert np.array_equal(left.columns["pred"], array)
