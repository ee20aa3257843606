"""Noise of differences without labels, checked against labels that were hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lbsense.metrics import influence
from lbsense.stats import disagreement_noise, drawn_label_noise


def test_disagreement_by_hand():
    # Two files differ on 20 of 100 rows: at most sqrt(.2 / 80) on 80 rows.
    labels = np.column_stack([np.zeros(100), np.arange(100) < 20]).astype(int)
    noise = disagreement_noise(labels, n=80)
    assert noise.difference_se[0, 1] == pytest.approx(0.05)
    known = disagreement_noise(labels, n=80, scores=[0.7, 0.6])
    assert known.difference_se[0, 1] == pytest.approx(np.sqrt((0.2 - 0.01) / 80))
    assert noise.upper_bound
    assert noise.approximation


@given(st.lists(st.tuples(*[st.integers(0, 1)] * 3), min_size=5, max_size=60))
def test_two_classes_reach_the_bound_exactly(rows):
    y, first, second = np.array(rows).T
    right = np.column_stack([first == y, second == y]).astype(float)
    true = np.std(right[:, 0] - right[:, 1]) / np.sqrt(50)
    noise = disagreement_noise(
        np.column_stack([first, second]), n=50, scores=right.mean(axis=0)
    )
    assert noise.difference_se[0, 1] == pytest.approx(true, abs=1e-9)


def test_more_classes_stay_below_the_bound():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 5000)
    guesses = np.where(
        rng.random((5000, 2)) < 0.6, y[:, np.newaxis], rng.integers(0, 4, (5000, 2))
    )
    right = guesses == y[:, np.newaxis]
    true = np.std(right[:, 0].astype(float) - right[:, 1]) / np.sqrt(1000)
    bound = disagreement_noise(guesses, n=1000).difference_se[0, 1]
    assert true < bound < 1.5 * true


def calibrated(n, rng, apart=0.25):
    """Labels and two calibrated-on-average predictions of them."""
    signal = rng.normal(size=n)
    y = (rng.random(n) < stats.norm.cdf(1.2 * signal - 0.6)).astype(int)
    seen = signal[:, np.newaxis] + rng.normal(0, apart, (n, 2))
    # The conditional probability given one noisy look at the signal.
    shrink = 1 / (1 + apart**2)
    spread = np.sqrt(1 + 1.2**2 * apart**2 * shrink)
    return y, stats.norm.cdf((1.2 * shrink * seen - 0.6) / spread)


def judge_of(metric, sign=1.0):
    """Return what tells oriented scores and influences under a metric."""

    def judge(labels, predictions):
        rows = influence(metric, labels, predictions)
        return sign * rows.scores, rows.psi

    return judge


def true_noise(metric, y, predictions, n):
    psi = influence(metric, y, predictions).psi
    return np.std(psi[:, 0] - psi[:, 1]) / np.sqrt(n)


def test_scores_may_differ_by_more_than_the_files_by_chance():
    # Two files differ on one row of 1,000; of 100 scored rows it may be one.
    labels = np.column_stack([np.zeros(1000), np.arange(1000) < 1]).astype(int)
    noise = disagreement_noise(labels, n=100, scores=[0.80, 0.81])
    assert noise.difference_se[0, 1] == pytest.approx(np.sqrt((1e-3 - 1e-6) / 100))


@pytest.mark.parametrize(
    ("metric", "sign"), [("log_loss", -1), ("brier", -1), ("roc_auc", 1)]
)
def test_drawn_labels_find_the_noise_of_calibrated_predictions(metric, sign):
    rng = np.random.default_rng(1)
    y, prob = calibrated(20_000, rng)
    judge = judge_of(metric, sign)
    plain = {"n": 2000, "target": "probability", "rng": 0}
    true = true_noise(metric, y, prob, 2000)
    for scores in (None, judge(y, prob)[0]):
        noise = drawn_label_noise(prob, judge, scores=scores, **plain)
        assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.06)
        assert not noise.upper_bound


@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_scores_make_up_for_predictions_that_are_too_sure_or_too_shy(factor):
    rng = np.random.default_rng(2)
    y, prob = calibrated(20_000, rng)
    prob = stats.logistic.cdf(factor * stats.logistic.ppf(prob))
    judge = judge_of("roc_auc")
    plain = {"n": 1000, "target": "probability", "rng": 0}
    noise = drawn_label_noise(prob, judge, scores=judge(y, prob)[0], **plain)
    true = true_noise("roc_auc", y, prob, 1000)
    assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.07)
    blind = drawn_label_noise(prob, judge, **plain).difference_se[0, 1]
    assert abs(np.log(blind / true)) > 0.07


def test_votes_stand_for_the_probabilities_of_classes():
    rng = np.random.default_rng(3)
    y, prob = calibrated(20_000, rng)
    labels = (prob > 0.4).astype(int)
    judge = judge_of("f1")
    noise = drawn_label_noise(
        labels, judge, n=1000, target="label", scores=judge(y, labels)[0], rng=0
    )
    true = true_noise("f1", y, labels, 1000)
    assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.15)


def test_drawn_labels_of_several_classes():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(6000, 1, 3)) * 1.5 + rng.normal(size=(6000, 2, 3)) * 0.3
    prob = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    mean = prob.mean(axis=1)
    y = (rng.random((6000, 1)) > np.cumsum(mean, axis=1)[:, :2]).sum(axis=1)

    def judge(labels, p):
        loss = np.log(p[np.arange(len(labels)), :, labels])
        return loss.mean(axis=0), loss

    loss = judge(y, prob)[1]
    noise = drawn_label_noise(prob, judge, n=1000, target="probability", rng=rng)
    true = np.std(loss[:, 0] - loss[:, 1]) / np.sqrt(1000)
    assert noise.difference_se[0, 1] == pytest.approx(true, rel=0.06)


@pytest.mark.parametrize("metric", ["rmse", "mae", "r2"])
@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_drawn_values_find_the_noise_of_errors(metric, bias):
    rng = np.random.default_rng(3)
    signal = 3 * rng.normal(size=(40_000, 1))
    y = signal[:, 0] + rng.normal(size=40_000)
    pred = signal + rng.normal(0, 0.3, (40_000, 2))
    pred[:, 1] += bias
    judge = judge_of(metric, 1 if metric == "r2" else -1)
    noise = drawn_label_noise(
        pred, judge, n=1000, target="value", scores=judge(y, pred)[0], rng=0
    )
    # Residuals that are alike in all rows: with two files, whose difference is all that
    # they vary, up to sqrt((1 + 3 + 1) / 3) = 1.29 times the noise of squared errors.
    true = true_noise(metric, y, pred, 1000)
    most = 1.05 if metric == "mae" else 1.38
    assert 0.97 * true < noise.difference_se[0, 1] < most * true


def test_drawn_values_follow_rows_that_are_hard():
    # Residuals are large where the submissions differ: a scale that is the same in all
    # rows gives .55 of the true noise here.
    rng = np.random.default_rng(4)
    hard = rng.exponential(size=(40_000, 1))
    y = rng.normal(size=40_000)
    pred = y[:, np.newaxis] + hard * (
        rng.normal(size=(40_000, 1)) + rng.normal(0, 0.3, (40_000, 2))
    )
    judge = judge_of("rmse", -1)
    noise = drawn_label_noise(
        pred, judge, n=1000, target="value", scores=judge(y, pred)[0], rng=0
    )
    true = true_noise("rmse", y, pred, 1000)
    assert 0.7 * true < noise.difference_se[0, 1] < 1.1 * true


def test_influences_agree_with_scores_on_rows_drawn_anew():
    # The same law of labels, the noise by drawing rows instead of by influences.
    rng = np.random.default_rng(5)
    prob = np.clip(rng.random((3000, 1)) + rng.normal(0, 0.1, (3000, 2)), 0.01, 0.99)
    noise = drawn_label_noise(
        prob, judge_of("brier", -1), n=300, target="probability", n_draws=40, rng=0
    )
    gaps = []
    for _ in range(4000):
        rows = rng.integers(3000, size=300)
        y = rng.random(300) < prob[rows].mean(axis=1)
        losses = np.square(prob[rows] - y[:, np.newaxis]).mean(axis=0)
        gaps.append(losses[0] - losses[1])
    assert np.std(gaps) == pytest.approx(noise.difference_se[0, 1], rel=0.05)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.01, 3.0, 1e4]),
    st.permutations(range(4)),
)
@settings(max_examples=15, deadline=None)
def test_unit_and_order_of_files_do_not_matter(seed, unit, order):
    rng = np.random.default_rng(seed)
    pred = rng.normal(size=(200, 1)) + rng.normal(0, 0.2, (200, 4))
    scores = -np.array([1.0, 1.1, 0.9, 1.2])
    plain = {"n": 100, "target": "value", "rng": 0}
    one = drawn_label_noise(pred, judge_of("rmse", -1), scores=scores, **plain)
    other = drawn_label_noise(
        unit * pred[:, order],
        judge_of("rmse", -1),
        scores=unit * scores[order],
        **plain,
    )
    expected = unit * one.difference_se[np.ix_(order, order)]
    np.testing.assert_allclose(
        other.difference_se, expected, rtol=1e-6, atol=1e-9 * unit
    )


def test_copies_have_no_noise_between_them():
    same = np.repeat(np.random.default_rng(0).random((50, 1)), 2, axis=1)
    assert disagreement_noise(same > 0.5, n=10).difference_se[0, 1] == 0
    for target, metric in (("value", "rmse"), ("probability", "brier")):
        noise = drawn_label_noise(
            same, judge_of(metric, -1), n=10, target=target, scores=[-0.3, -0.3], rng=0
        )
        assert noise.difference_se[0, 1] == 0


def nothing(y, p):
    return np.zeros(p.shape[1]), np.zeros(p.shape)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: disagreement_noise([[1], [0]], n=5), "at least 2 submissions"),
        (lambda: disagreement_noise(np.zeros((0, 2)), n=5), "at least 2 submissions"),
        (lambda: disagreement_noise([[1, 0]], n=0), "n must be a whole number"),
        (
            lambda: disagreement_noise([[1, 1], [0, 0]], n=5, scores=[0.9, 0.5]),
            "predictions only on a share of 0.0000 of the rows",
        ),
        (
            lambda: disagreement_noise([[1, 1], [0, 0]], n=5, scores=[0.9]),
            "scores must be 2 finite numbers",
        ),
        (
            lambda: drawn_label_noise([[0.1, 1.2]], nothing, n=5, target="probability"),
            r"must be probabilities, in \[0, 1\], but holds \[1.2\]",
        ),
        (
            lambda: drawn_label_noise(
                [[0.1, np.nan]], nothing, n=5, target="probability"
            ),
            r"y_pred must be finite, but rows \[0\]",
        ),
        (
            lambda: drawn_label_noise([[0.0, 1.0]], nothing, n=5, target="value"),
            "Values need scores=",
        ),
        (
            lambda: drawn_label_noise([[0.0, 1.0]], nothing, n=5, target="sound"),
            "target must be one of",
        ),
        (
            lambda: drawn_label_noise(
                np.zeros((3, 2, 2)), nothing, n=5, target="value", scores=[1, 2]
            ),
            "one value a row",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
