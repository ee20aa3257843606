"""The bridge: predictions and a metric by name."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from lbsense import bootstrap_of, noise_of, unlabelled_noise_of
from lbsense.model import Predictions


def classifier(n=1500, k=3, seed=0, **extra):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.4).astype(int)
    oof = stats.norm.cdf(rng.normal(size=(n, k)) + y[:, np.newaxis] - 0.3)
    names = tuple("abcdefgh"[:k])
    return Predictions(labels=y, oof=oof, oof_names=names, **extra)


def labelled(n=1500, classes=2, k=2, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    wrong = rng.integers(0, classes, (n, k))
    oof = np.where(rng.random((n, k)) < 0.7, y[:, np.newaxis], wrong)
    return Predictions(labels=y, oof=oof, oof_names=tuple("abcd"[:k]))


def test_scores_are_those_of_the_metric():
    predictions = classifier()
    noise = noise_of(predictions, "AUC", rng=0)
    expected = [
        roc_auc_score(predictions.labels, column) for column in predictions.oof.T
    ]
    np.testing.assert_allclose(noise.scores, expected)
    assert noise.names == ("a", "b", "c")
    assert noise.n == noise.n_obs == 1500


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "brier", "rmse", "mae"])
def test_linearised_noise_agrees_with_the_bootstrap(metric):
    predictions = classifier()
    noise = noise_of(predictions, metric, n=700, rng=0)
    drawn = bootstrap_of(predictions, metric, n=700, n_resamples=1500, rng=0)
    np.testing.assert_allclose(drawn.scores, noise.scores)
    np.testing.assert_allclose(drawn.se, noise.se, rtol=0.08)
    assert drawn.difference_se[0, 1] == pytest.approx(
        noise.difference_se[0, 1], rel=0.08
    )


@pytest.mark.parametrize(
    ("metric", "classes"),
    [
        ("accuracy", 4),
        ("f2", 2),
        ("f1_macro", 3),
        ("qwk", 4),
        ("mcc", 3),
        ("balanced_accuracy", 3),
    ],
)
def test_counted_metrics_agree_with_their_influence(metric, classes):
    predictions = labelled(classes=classes)
    noise = noise_of(predictions, metric, rng=0)
    drawn = bootstrap_of(predictions, metric, n_resamples=4000, rng=0)
    np.testing.assert_allclose(drawn.scores, noise.scores, rtol=1e-9)
    np.testing.assert_allclose(drawn.se, noise.se, rtol=0.07)


def test_direction_is_the_metrics():
    predictions = classifier(k=2)
    loss = noise_of(predictions, "log_loss", rng=0)
    better = int(np.argmin(loss.scores))
    assert loss.p_better[better, 1 - better] > 0.5
    negated = noise_of(predictions, "neg_log_loss", rng=0)
    np.testing.assert_allclose(negated.p_better, loss.p_better)


def test_groups_widen_and_weights_count():
    groups = np.repeat(np.arange(30), 50)
    rng = np.random.default_rng(1)
    level = rng.random(30)[groups]
    y = (rng.random(1500) < level).astype(int)
    oof = np.column_stack([level, np.full(1500, 0.5)])
    plain = {"labels": y, "oof": oof, "oof_names": ("a", "b")}
    free = noise_of(Predictions(**plain), "log_loss", rng=0)
    clustered = noise_of(Predictions(**plain, groups=groups), "log_loss", rng=0)
    assert clustered.se[0] > 1.5 * free.se[0]
    assert clustered.n_groups == 30
    drawn = bootstrap_of(Predictions(**plain, groups=groups), "log_loss", rng=0)
    assert drawn.scheme == "cluster"
    assert drawn.se[0] == pytest.approx(clustered.se[0], rel=0.06)
    # Rows of weight 0 count for nothing.
    weights = (np.arange(1500) < 900).astype(float)
    weighted = noise_of(Predictions(**plain, weights=weights), "log_loss", rng=0)
    half = noise_of(
        Predictions(labels=y[:900], oof=oof[:900], oof_names=("a", "b")),
        "log_loss",
        rng=0,
    )
    np.testing.assert_allclose(weighted.scores, half.scores)
    with pytest.raises(ValueError, match="does not know row weights"):
        bootstrap_of(Predictions(**plain, weights=weights), "log_loss")


def test_blocks_follow_each_other_in_the_times_of_the_predictions():
    # A level that lasts for 50 rows: draws of single rows miss how it hangs together.
    rng = np.random.default_rng(0)
    y = np.repeat(rng.normal(size=40), 50) + rng.normal(0, 0.1, 2000)
    shuffled = rng.permutation(2000)
    plain = {"labels": y[shuffled], "oof": np.zeros((2000, 1)), "oof_names": ("a",)}
    predictions = Predictions(**plain, times=shuffled)
    rows = bootstrap_of(predictions, "mae", n_resamples=1000, rng=0)
    blocks = bootstrap_of(predictions, "mae", block_length=100, n_resamples=1000, rng=0)
    assert (rows.scheme, blocks.scheme) == ("iid", "block")
    assert blocks.se[0] > 4 * rows.se[0]
    untimed = bootstrap_of(
        Predictions(**plain), "mae", block_length=100, n_resamples=1000, rng=0
    )
    assert untimed.se[0] < 1.5 * rows.se[0]


def test_class_probabilities():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 400)
    oof = rng.dirichlet(np.ones(3), size=(400, 2))
    predictions = Predictions(labels=y, oof=oof, oof_names=("a", "b"))
    noise = noise_of(predictions, "multiclass_log_loss", rng=0)
    rows = -np.log(oof[np.arange(400), :, y])
    np.testing.assert_allclose(noise.scores, rows.mean(axis=0))
    np.testing.assert_allclose(noise.se, rows.std(axis=0, ddof=1) / 20)
    drawn = bootstrap_of(predictions, "multiclass_log_loss", rng=0)
    np.testing.assert_allclose(drawn.se, noise.se, rtol=0.05)


def test_bootstrap_takes_metrics_of_ones_own():
    predictions = classifier(n=200)

    def worst(y, p):
        return np.abs(y - p).max()

    drawn = bootstrap_of(predictions, worst, n_resamples=50, names=["c"], rng=0)
    assert drawn.scores[0] == pytest.approx(
        worst(predictions.labels, predictions.oof[:, 2])
    )
    assert drawn.names == ("c",)


def test_unlabelled_ways_by_metric():
    rng = np.random.default_rng(0)
    prob = np.clip(rng.random((800, 1)) + rng.normal(0, 0.05, (800, 2)), 0, 1)
    files = Predictions(test=prob, test_names=("a", "b"))
    for metric in ("log_loss", "roc_auc", "brier"):
        noise = unlabelled_noise_of(files, metric, n=100, rng=0)
        assert noise.method == "drawn labels"
    rmse = unlabelled_noise_of(files, "rmse", n=100, scores=[0.3, 0.3], rng=0)
    negated = unlabelled_noise_of(files, "neg_rmse", n=100, scores=[-0.3, -0.3], rng=0)
    np.testing.assert_allclose(rmse.difference_se, negated.difference_se)
    logged = unlabelled_noise_of(files, "rmsle", n=100, scores=[0.3, 0.3], rng=0)
    assert logged.difference_se[0, 1] < rmse.difference_se[0, 1]
    labels = Predictions(test=(prob > 0.5).astype(int), test_names=("a", "b"))
    assert unlabelled_noise_of(labels, "accuracy", n=100).method == "disagreement"
    for metric in ("f1", "qwk", "mcc"):
        noise = unlabelled_noise_of(labels, metric, n=100, scores=[0.7, 0.71], rng=0)
        assert noise.difference_se[0, 1] > 0
    with pytest.raises(ValueError, match="needs scores="):
        unlabelled_noise_of(files, "rmse", n=100)
    with pytest.raises(ValueError, match="no way to the noise of bleu"):
        unlabelled_noise_of(labels, "bleu", n=100)


def test_scores_of_any_unit_are_as_good_as_probabilities_where_order_counts():
    rng = np.random.default_rng(0)
    prob = np.clip(rng.random((800, 1)) + rng.normal(0, 0.05, (800, 2)), 0.01, 0.99)
    logits = np.log(prob / (1 - prob))
    for other in (logits, logits - 7):
        noise = [
            unlabelled_noise_of(
                Predictions(test=test, test_names=("a", "b")), "roc_auc", n=100,
                scores=[0.8, 0.81], rng=0,
            ).difference_se[0, 1]
            for test in (prob, other)
        ]  # fmt: skip
        assert noise[1] == pytest.approx(noise[0], rel=0.1)


def test_what_is_missing_is_named():
    with pytest.raises(ValueError, match="There are no labels"):
        noise_of(Predictions(oof=np.zeros((3, 1)), oof_names=("a",)), "mae")
    with pytest.raises(ValueError, match="There are no out-of-fold predictions"):
        noise_of(Predictions(labels=np.zeros(3)), "mae")
    with pytest.raises(KeyError, match=r"No oof predictions of \['z'\]"):
        noise_of(classifier(), "roc_auc", names=["z"])


def test_one_class_and_impossible_probabilities_are_refused():
    one = Predictions(labels=np.ones(9), oof=np.zeros((9, 1)), oof_names=("a",))
    with pytest.raises(ValueError, match="roc_auc|one class|both classes|class"):
        noise_of(one, "roc_auc")
    outside = Predictions(
        labels=np.arange(4) % 2, oof=np.full((4, 1), 1.2), oof_names="a"
    )
    with pytest.raises(ValueError, match="probabilit"):
        noise_of(outside, "log_loss")
