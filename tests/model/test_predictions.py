"""Predictions: shapes, closed arrays, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from lbsense.model import Predictions


def small(**changes):
    fields = {
        "oof": np.arange(6.0).reshape(3, 2),
        "oof_names": ("a", "b"),
        "labels": np.array([0, 1, 1]),
        "row_ids": np.array(["x", "y", "z"]),
        "test": np.zeros((2, 2)),
        "test_names": ("b", "c"),
        "test_ids": np.array(["p", "q"]),
    }
    return Predictions(**fields | changes)


def test_sizes_and_names():
    predictions = small()
    assert (predictions.n_rows, predictions.n_test) == (3, 2)
    assert predictions.names == ("a", "b", "c")
    frame = predictions.to_frame()
    assert frame["oof"].tolist() == [True, True, False]
    assert frame["test"].tolist() == [False, True, True]


def test_submissions_are_found_by_name_in_the_order_asked_for():
    predictions = small()
    np.testing.assert_array_equal(
        predictions.of("oof", ["b", "a"]), predictions.oof[:, ::-1]
    )
    with pytest.raises(KeyError, match=r"No oof predictions of \['c'\]"):
        predictions.of("oof", ["c"])
    with pytest.raises(ValueError, match="kind must be 'oof' or 'test', got 'train'"):
        predictions.of("train", ["a"])


def test_arrays_are_closed_and_the_callers_stay_open():
    oof = np.zeros((3, 2))
    predictions = small(oof=oof)
    with pytest.raises(ValueError, match="read-only"):
        predictions.oof[0, 0] = 1.0
    oof[0, 0] = 1.0
    assert predictions.oof[0, 0] == 0.0


def test_array_that_is_closed_already_is_not_copied():
    oof = np.zeros((3, 2))
    oof.flags.writeable = False
    assert small(oof=oof).oof is oof


def test_pickle_and_print():
    predictions = small()
    again = pickle.loads(pickle.dumps(predictions))
    np.testing.assert_array_equal(again.oof, predictions.oof)
    assert str(predictions).splitlines() == [
        "Predictions of 3 submissions",
        "  oof: 3 rows, a, b",
        "  test: 2 rows, b, c",
        "  with labels, row_ids",
    ]


def test_nothing_at_all_is_empty():
    predictions = Predictions()
    assert (predictions.n_rows, predictions.n_test, predictions.names) == (0, 0, ())
    with pytest.raises(KeyError, match="No test predictions of"):
        predictions.of("test", ["a"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"oof_names": ("a",)}, r"oof must have shape \(n, 1\) or \(n, 1, outputs\)"),
        ({"oof_names": ("a", "a")}, r"must be unique, but these occur twice: \['a'\]"),
        ({"oof": None}, "oof_names are given, but no oof predictions"),
        ({"oof": np.array([["u", "v"]] * 3)}, "oof must hold numbers"),
        (
            {"oof": np.array([[0, 1], [np.nan, 0], [0, np.inf]])},
            r"oof predictions of a must be finite, but 1 row hold nan or inf: \['y'\]",
        ),
        (
            {"labels": np.array([0.0, np.nan, 1.0])},
            r"labels must be finite, but 1 row hold nan or inf: \['y'\]",
        ),
        ({"labels": np.zeros(4)}, "oof has 3, labels has 4"),
        ({"row_ids": np.array(["x", "x", "y"])}, r"these are not: \['x'\]"),
        ({"row_ids": np.array(["x"])}, r"must have shape \(3,\), got \(1,\)"),
        (
            {"weights": np.array([1.0, -1.0, 1.0])},
            "weights must be finite and at least",
        ),
        ({"groups": np.zeros(2)}, "groups has 2"),
        ({"test": np.full((2, 2), np.nan)}, "test predictions of b must be finite"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)
