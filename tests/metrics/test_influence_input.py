"""Bad and degenerate input: a clear error or a stated nan, never a wrong number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lbsense.errors import LbsenseWarning
from lbsense.metrics import INFLUENCE_FAMILIES, METRICS, influence

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("metric", "y", "pred", "message"),
    [
        # one class, constant labels
        ("roc_auc", [1, 1, 1], [0.1, 0.2, 0.3], "both classes, but all 3 rows are pos"),
        ("roc_auc", [0, 0, 0], [0.1, 0.2, 0.3], "both classes, but all 3 rows are neg"),
        ("average_precision", [0, 0], [0.1, 0.2], "Average precision needs both"),
        ("mcc", [1, 1, 1], [0, 1, 1], "at least two classes, but every y_true is 1"),
        ("balanced_accuracy", [2, 2], [2, 1], "at least two classes"),
        ("cohen_kappa", [2, 2], [2, 2], "at least two classes"),
        ("quadratic_kappa", [2, 2], [2, 1], "two grades, every y_true is 2"),
        ("r2", [3, 3], [1.0, 2.0], r"constant \(3\)"),
        ("explained_variance", [3, 3], [1.0, 2.0], "constant"),
        ("pearson", [3, 3], [1.0, 2.0], "nothing to correlate"),
        ("spearman", [3, 3], [1.0, 2.0], "nothing to correlate"),
        ("normalized_gini", [3, 3], [1.0, 2.0], "not all alike"),
        ("normalized_gini", [-1, 3], [1.0, 2.0], "at least 0"),
        ("f1", [5, 5], [5, 5], "needs two labels, but every y_true is 5"),
        # missing and infinite
        ("rmse", [1.0, NAN], [1.0, 2.0], r"y_true must be finite, found 1 .* at \[1\]"),
        ("rmse", [1, 2, 3], [1.0, NAN, INF], r"found 2 .*first at \[1, 0\]"),
        ("roc_auc", [1, 0], [[0.5, 0.1], [INF, 0.2]], r"first at \[1, 0\]"),
        ("log_loss", [1, 0], [0.5, NAN], "y_pred must be finite"),
        ("accuracy", [1, 0], [1.0, NAN], "y_pred must be finite"),
        (
            "accuracy",
            ["a", None],
            ["a", "b"],
            "y_true has 1 missing values, the first in row 1",
        ),
        ("accuracy", np.array(["a", NAN], object), ["a", "b"], "missing values"),
        # no probabilities, no labels
        ("log_loss", [1, 0], [1.2, 0.1], "found the range 0.1 to 1.2"),
        ("log_loss", [1, 0], [-2.0, 3.0], "not margins"),
        ("brier", [1, 0], [1.2, 0.1], "must hold probabilities"),
        ("log_loss", [0, 1, 2], [[0.2, 0.2, 0.2]] * 3, "row 0 sum to 0.6"),
        ("log_loss", [0, 1, 2], [[0.5, 0.5]] * 3, "2 columns and y_true has 3 labels"),
        ("multiclass_log_loss", [0, 1, 5], [[0.3, 0.3, 0.2, 0.2]] * 3, "0 to 3 in col"),
        ("f1", [1, 0], [0.7, 0.2], r"y_pred must hold labels, found 0.7.*>= 0.5"),
        ("accuracy", [1, 0], [0.7, 0.2], "y_pred must hold labels"),
        ("quadratic_kappa", [1, 0, 2], [0.7, 0.2, 2.0], "y_pred must hold labels"),
        ("accuracy", [1.5, 0], [1, 0], "y_true must hold labels"),
        ("roc_auc", ["a", "b"], [0.7, 0.2], "y_true must hold numbers"),
        ("roc_auc", [0, 1, 2], [0.7, 0.2, 0.1], "two labels .*found 3: 0.0, 1.0, 2.0"),
        ("rmse", [1, 2], ["a", "b"], "y_pred must hold numbers"),
        ("quadratic_kappa", ["a", "b"], ["a", "b"], "grades that are numbers"),
        ("f1", ["a", "b"], ["a", "b"], "which label is positive"),
        ("f1", [0, 1, 2], [0, 1, 1], "f1_macro, f1_micro or f1_weighted"),
        ("accuracy", [0, 1], ["0", "1"], "both must be labels of one kind"),
        # shapes
        ("rmse", [1.0], [1.0], "at least 2 rows to vary, got 1"),
        ("rmse", [], [], "at least 2 rows"),
        ("rmse", 1.0, 1.0, "at least 2 rows"),
        ("rmse", [1, 2, 3], [1, 2], r"n = 3 rows as y_true, got \(2, 1\)"),
        ("rmse", [1, 2, 3], [[1, 2, 3], [1, 2, 3]], r"got \(2, 3\)\. Transpose it"),
        ("rmse", [1, 2], np.empty((2, 0)), r"got \(2, 0\)"),
        ("accuracy", [1, 2], [[1, 2, 3]], "must have shape"),
        ("rmse", [[1, 2], [3, 4]], [1, 2], r"y_true must have shape \(n,\)"),
        ("accuracy", np.ones((2, 2, 2)), [1, 2], r"y_true must have shape \(n,\)"),
        ("mcrmse", [1, 2], [[1.0], [2.0]], r"y_true of shape \(n, c\)"),
        ("mcrmse", np.ones((2, 3)), np.ones((2, 2)), r"got \(2, 3\) and \(1, 2, 2\)"),
        ("dice", np.ones((2, 3)), np.ones((2, 2)), r"tables of shape \(2, 3\)"),
        ("dice", np.ones((2, 3)), np.full((2, 3), 0.5), "must hold 0 and 1 only"),
        ("f1", np.ones((2, 3)), np.ones((2, 3)), "f1_samples, f1_macro, f1_micro"),
        ("f1_samples", [0, 1], [0, 1], r"y_true must have shape \(n, labels\)"),
        ("map_at_3", np.ones((2, 3)), np.ones((2, 3)), "Use the bootstrap"),
        ("map_at_3", [1, 2], [1, 2], r"\(n, c\) or \(k, n, c\)"),
        ("roc_auc", [1, 0, 1], [[0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], r"y_pred\[:, 1\]"),
        # domains
        ("rmsle", [1, -2], [1.0, 2.0], "y_true must be above -1"),
        ("rmsle", [1, 2], [1.0, -3.0], "y_pred must be above -1.*found -3"),
        ("mape", [0, 2], [1.0, 2.0], "found 1 zeros"),
        ("rmspe", [0, 2], [1.0, 2.0], "found 1 zeros"),
        ("wmape", [0, 0], [1.0, 2.0], "every y_true is 0"),
        ("poisson_deviance", [1, 2], [0.0, 1.0], "y_pred above 0"),
        ("gamma_deviance", [0, 2], [1.0, 1.0], "y_true above 0"),
        # parameters
        ("pinball", [1, 2], [1.0, 2.0], "as in 'pinball_0.9'"),
        ("fbeta", [1, 0], [1, 0], "as in 'f1'"),
        ("top_k_accuracy", [0, 1], [[0.5, 0.5]] * 2, "as in 'top_3_accuracy'"),
    ],
)
def test_errors_say_what_and_where(
    metric: str, y: Any, pred: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        influence(metric, y, pred)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 2], r"shape \(3,\), got \(2,\)"),
        ([1, -1, 1], "not negative"),
        ([0, 0, 0], "not all zero"),
        ([1, NAN, 1], "finite"),
    ],
)
def test_weights_are_checked(weight: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        influence("mae", [1, 2, 3], [1, 2, 4], sample_weight=weight)


def test_a_class_without_weight_is_no_class() -> None:
    with pytest.raises(ValueError, match="all 2 rows are positive"):
        influence("roc_auc", [1, 1, 0], [0.1, 0.2, 0.3], sample_weight=[1, 1, 0])
    with pytest.raises(ValueError, match="at least two classes"):
        influence("mcc", [1, 1, 0], [1, 0, 0], sample_weight=[1, 1, 0])


@pytest.mark.parametrize("metric", ["bleu", "c_index", "kendall", "raw_gini"])
def test_metrics_without_influence_point_to_the_bootstrap(metric: str) -> None:
    with pytest.raises(ValueError, match=r"use the bootstrap\. These have: accuracy, "):
        influence(metric, [0, 1], [0, 1])


def test_columns_of_pandas() -> None:
    frame = pd.DataFrame({"y": [1, 0, 1], "a": [0.9, 0.2, 0.4], "b": [0.6, 0.7, 0.5]})
    plain = influence("log_loss", frame["y"].to_numpy(), frame[["a", "b"]].to_numpy())
    for y in (frame["y"].astype("Int64"), frame["y"].astype(object), frame["y"] == 1):
        nullable = influence("log_loss", y, frame[["a", "b"]].astype(object))
        np.testing.assert_array_equal(nullable.psi, plain.psi)
    text = pd.Series(["x", "y", "x"], dtype="category")
    np.testing.assert_allclose(influence("accuracy", text, ["x"] * 3).scores, [2 / 3])
    with pytest.raises(ValueError, match=r"y_true has 1 missing values, .* in row 2"):
        influence("log_loss", np.array([1, 0, pd.NA], object), frame["a"])
    with pytest.raises(ValueError, match=r"y_pred has 1 missing values, .* in row 1"):
        influence("mae", [1, 2], [[0.1, 0.2], [None, 0.3]])


def test_rankings_may_be_shorter_than_k() -> None:
    ranked = [["a", "b"], ["c", None], ["b", "a"]]
    result = influence("map_at_5", ["a", "b", "a"], ranked)
    np.testing.assert_allclose(result.scores, [0.5])


def test_families_with_influence_are_registered() -> None:
    assert set(METRICS) >= INFLUENCE_FAMILIES


@pytest.mark.parametrize(
    ("metric", "y", "pred", "score"),
    [
        ("pearson", [1, 2, 3], [0.1] * 3, NAN),
        ("spearman", [1, 2, 3], [0.1] * 3, NAN),
        ("mcc", [1, 0, 1], [1, 1, 1], 0.0),
        ("f1", [1, 0, 1], [0, 0, 0], 0.0),
        ("precision", [1, 0, 1], [0, 0, 0], 0.0),
        ("recall", [0, 0, 0], [0, 1, 0], 0.0),
        ("f1", [0, 0, 0], [0, 0, 0], 0.0),
        ("rmse", [1, 2, 3], [1, 2, 3], 0.0),
        ("rmsle", [1, 2, 3], [1, 2, 3], 0.0),
    ],
)
def test_what_is_not_defined_is_nan_and_said(
    metric: str, y: Any, pred: Any, score: float
) -> None:
    if metric == "f1" and not any(pred) and any(y):
        # 0 hits of 2: defined and flat, the standard error is 0
        with pytest.warns(LbsenseWarning, match="f1 of submission 0 .* the same infl"):
            result = influence(metric, y, pred)
        np.testing.assert_array_equal(result.psi, 0)
    else:
        with pytest.warns(LbsenseWarning, match=f"{metric} of submission 0 .* has no"):
            result = influence(metric, y, pred)
        assert np.isnan(result.psi).all()
        assert np.isnan(result.scores_se).all()
    np.testing.assert_array_equal(result.scores, [score])


@pytest.mark.parametrize(
    ("metric", "y", "pred", "score"),
    [
        ("roc_auc", [1, 0, 1, 0], [0.3] * 4, 0.5),
        ("roc_auc", [1, 0, 1, 0], [0.9, 0.1, 0.8, 0.2], 1.0),
        ("accuracy", [1, 0, 1, 0], [1, 0, 1, 0], 1.0),
        ("accuracy", [1, 0, 1, 0], [0, 1, 0, 1], 0.0),
        ("log_loss", [1, 0, 1, 0], [0.5] * 4, np.log(2)),
        ("mae", [1, 2], [1, 2], 0.0),
        ("quadratic_kappa", [0, 1, 2], [0, 1, 2], 1.0),
    ],
)
def test_no_noise_at_all_is_said(metric: str, y: Any, pred: Any, score: float) -> None:
    with pytest.warns(LbsenseWarning, match=f"{metric} of submission 0 .*not say how"):
        result = influence(metric, y, pred)
    np.testing.assert_allclose(result.scores, [score])
    np.testing.assert_allclose(result.psi, 0, atol=1e-15)


def test_only_the_column_in_question_is_lost() -> None:
    pred = np.array([[0.1, 0.5], [0.9, 0.5], [0.4, 0.5]])
    with pytest.warns(LbsenseWarning, match="pearson of submission 1 "):
        result = influence("pearson", [1.0, 3.0, 4.0], pred)
    assert np.isfinite(result.psi[:, 0]).all()
    assert np.isnan(result.psi[:, 1]).all()


def test_labels_of_one_class_have_a_log_loss() -> None:
    """Each row has its loss whatever the others are."""
    result = influence("log_loss", [0, 0, 0], [0.1, 0.2, 0.3])
    np.testing.assert_allclose(result.scores, [-np.log([0.9, 0.8, 0.7]).mean()])


def test_a_class_that_only_predictions_hold_counts_in_macro_f1() -> None:
    result = influence("f1_macro", [0, 0, 1, 1], [0, 2, 1, 1])
    np.testing.assert_allclose(result.scores, [(2 / 3 + 1 + 0) / 3])
