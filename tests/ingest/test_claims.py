"""What the user says against what was read: the reason, and the way out."""

from __future__ import annotations

import pytest

from lbsense.errors import IngestError
from lbsense.ingest import read_table


def scores(*values):
    return "model,LB\n" + "".join(f"m{i},{value}\n" for i, value in enumerate(values))


@pytest.mark.parametrize(
    ("metric", "stated", "flipped"),
    [("roc_auc", False, "neg_roc_auc"), ("rmse", True, "neg_rmse")],
)
def test_a_direction_that_the_metric_contradicts(metric, stated, flipped):
    with pytest.raises(ValueError, match=rf"metric='{metric}'.*'{flipped}'"):
        read_table(scores(0.5), metric=metric, greater_is_better=stated)
    right = read_table(scores(0.5), metric=metric, greater_is_better=not stated)
    assert right.competition.greater_is_better is not stated


@pytest.mark.parametrize(
    ("values", "metric", "said"),
    [
        ((1.71, 1.69, 0.9), "accuracy", r"2 of 3 public scores \(1.71, 1.69\) cannot"),
        ((-0.5, -0.4), "rmse", "2 of 2 public scores.*cannot be scores of rmse"),
        ((81.2, 82.4, 79.9), "accuracy", "percent.*--higher-is-better"),
        ((81.2,), "error_rate", "percent.*--lower-is-better"),
    ],
)
def test_scores_that_the_metric_cannot_give(values, metric, said):
    with pytest.raises(IngestError, match=said):
        read_table(scores(*values), metric=metric)


@pytest.mark.parametrize(
    ("values", "metric"),
    [
        ((0.5, 0.6, 1.2), "roc_auc"),  # one slip is no other metric
        (("81.2%", "82.4%"), "accuracy"),
        ((31.2, 30.4), "bleu"),
        ((81.2, 80.4), "smape"),
    ],
)
def test_scores_that_may_be(values, metric):
    assert len(read_table(scores(*values), metric=metric)) == len(values)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (("0.7123",), {"test_size": 10}),
        (("0.7123", "0.7211", "0.8"), {"test_size": 10}),
        (("0.71237", "0.72113"), {"test_size": 100, "public_fraction": 0.3}),
    ],
)
def test_a_size_that_the_scores_contradict(values, options):
    with pytest.raises(IngestError, match=r"test_size=.*such as 0\.7.*--test-size"):
        read_table(scores(*values), metric="accuracy", **options)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (("0.70000", "0.80000"), {"test_size": 10}),
        (("0.66667", "0.33333"), {"test_size": 10}),  # 9, 6 or 3 public rows
        (("0.76666", "0.83333"), {"test_size": 60, "public_fraction": 0.5}),  # cut
        (("0.77511", "0.76555"), {"test_size": 418, "public_fraction": 0.5}),
        (("0.7123",), {"test_size": 20_000}),
    ],
)
def test_a_size_that_may_be(values, options):
    assert read_table(scores(*values), metric="accuracy", **options)
    assert read_table(scores("0.7123"), metric="roc_auc", test_size=10)
