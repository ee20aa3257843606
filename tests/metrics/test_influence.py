"""Scores and influence of every metric, against scikit-learn and its own derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lbsense.metrics import INFLUENCE_FAMILIES, find_metric, influence

N = 60
Array = np.ndarray[Any, Any]
Score = Callable[[Array, Array, Array], float]


@dataclass(frozen=True)
class Example:
    """A metric, data for it, and another way to its score of one submission."""

    name: str
    y: Array
    pred: Array  # (n, k), or (k, n, c) where a row has several numbers
    score: Score

    def submission(self, j: int) -> Array:
        return self.pred[j] if self.pred.ndim == 3 else self.pred[:, j]


def weighted(rows: Array, weight: Array) -> float:
    return float(np.average(rows, weights=weight))


def oracle(function: Callable[..., float], **options: Any) -> Score:
    return lambda y, pred, w: float(function(y, pred, sample_weight=w, **options))


def correlation(y: Array, pred: Array, w: Array) -> float:
    cov = np.cov(y, pred, aweights=w, ddof=0)
    return float(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]))


def mid_distribution(values: Array, w: Array) -> Array:
    below = (values[None, :] < values[:, None]) @ w
    level = (values[None, :] == values[:, None]) @ w
    return np.asarray((below + level / 2) / w.sum())


def spearman(y: Array, pred: Array, w: Array) -> float:
    return correlation(mid_distribution(y, w), mid_distribution(pred, w), w)


def gini(y: Array, pred: Array, w: Array) -> float:
    """Ratio of the covariances of the target with ranks, theirs and the best."""
    shares = [
        np.average(y * (mid_distribution(x, w) - 0.5), weights=w) for x in (pred, y)
    ]
    return float(shares[0] / shares[1])


def concordance(y: Array, pred: Array, w: Array) -> float:
    cov = np.cov(y, pred, aweights=w, ddof=0)
    shift = np.average(y, weights=w) - np.average(pred, weights=w)
    return float(2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + shift**2))


def smape(y: Array, pred: Array, w: Array) -> float:
    return weighted(200 * np.abs(y - pred) / (np.abs(y) + np.abs(pred)), w)


def wmape(y: Array, pred: Array, w: Array) -> float:
    return float(w @ np.abs(y - pred) / (w @ np.abs(y)))


def rmspe(y: Array, pred: Array, w: Array) -> float:
    return weighted(((y - pred) / y) ** 2, w) ** 0.5


def ranked(gain: Callable[[int], float], k: int) -> Score:
    def score(y: Array, pred: Array, w: Array) -> float:
        rows = []
        for label, ranking in zip(y, pred, strict=True):
            places = [i + 1 for i, item in enumerate(ranking[:k]) if item == label]
            rows.append(gain(places[0]) if places else 0.0)
        return weighted(np.array(rows), w)

    return score


def dice_rows(y: Array, pred: Array, w: Array) -> float:
    sizes = y.sum(axis=1) + pred.sum(axis=1)
    both = (y * pred).sum(axis=1)
    return weighted(np.where(sizes > 0, 2 * both / np.maximum(sizes, 1), 1.0), w)


def columnwise(score: Score) -> Score:
    def mean(y: Array, pred: Array, w: Array) -> float:
        return float(
            np.mean([score(a, b, w) for a, b in zip(y.T, pred.T, strict=True)])
        )

    return mean


def examples() -> list[Example]:
    rng = np.random.default_rng(3)
    signal = rng.normal(size=N)
    noisy = signal[:, None] + rng.normal(size=(N, 2))
    event = (signal + rng.normal(size=N) > 0.3).astype(int)
    chance = 1 / (1 + np.exp(-np.round(noisy, 1)))  # with ties
    guess = (noisy > 0.2).astype(int)
    grade = np.clip(np.rint(1.5 + 1.2 * signal), 0, 3).astype(int)
    graded = np.clip(np.rint(1.5 + noisy), 0, 3).astype(int)
    value, values = 20 + 4 * signal, 20 + 3 * noisy
    table = rng.dirichlet(np.ones(4), size=(2, N))
    order = np.argsort(-table, axis=2)
    sets = (rng.random((N, 5)) < 0.4).astype(int)
    found = np.where(rng.random((2, N, 5)) < 0.25, 1 - sets, sets)
    several = np.stack([value, value**1.5, 40 - value], axis=1)
    several_pred = several * rng.normal(1, 0.1, size=(2, N, 3))
    many = (2 * rng.random((2, N, 5)) + sets) / 3

    auc, ll = oracle(sk.roc_auc_score), oracle(sk.log_loss)
    rmse, rmsle = (
        oracle(sk.root_mean_squared_error),
        oracle(sk.root_mean_squared_log_error),
    )

    def fbeta(beta: float, average: str) -> Score:
        return oracle(sk.fbeta_score, beta=beta, average=average, zero_division=0)

    def overlap(function: Callable[..., float], average: str) -> Score:
        return oracle(function, average=average, zero_division=0)

    events = [
        ("roc_auc", chance, auc),
        ("average_precision", chance, oracle(sk.average_precision_score)),
        ("log_loss", chance, ll),
        ("brier", chance, oracle(sk.brier_score_loss)),
        ("normalized_gini", chance, lambda y, p, w: 2 * auc(y, p, w) - 1),
        ("accuracy", guess, oracle(sk.accuracy_score)),
        (
            "error_rate",
            guess,
            lambda y, p, w: 1 - sk.accuracy_score(y, p, sample_weight=w),
        ),
        ("f1", guess, oracle(sk.f1_score)),
        ("f2", guess, fbeta(2, "binary")),
        ("precision", guess, oracle(sk.precision_score)),
        ("recall", guess, oracle(sk.recall_score)),
        ("specificity", guess, oracle(sk.recall_score, pos_label=0)),
        ("jaccard", guess, oracle(sk.jaccard_score)),
        ("dice", guess, oracle(sk.f1_score)),
        ("mcc", guess, oracle(sk.matthews_corrcoef)),
        ("balanced_accuracy", guess, oracle(sk.balanced_accuracy_score)),
        ("cohen_kappa", guess, oracle(sk.cohen_kappa_score)),
    ]
    grades = [
        ("quadratic_kappa", oracle(sk.cohen_kappa_score, weights="quadratic")),
        ("cohen_kappa", oracle(sk.cohen_kappa_score)),
        ("mcc", oracle(sk.matthews_corrcoef)),
        ("balanced_accuracy", oracle(sk.balanced_accuracy_score)),
        ("accuracy", oracle(sk.accuracy_score)),
        ("hamming_loss", oracle(sk.hamming_loss)),
        ("f1_macro", fbeta(1, "macro")),
        ("f1_micro", fbeta(1, "micro")),
        ("f1_weighted", fbeta(1, "weighted")),
        ("f0.5_macro", fbeta(0.5, "macro")),
        ("precision_macro", overlap(sk.precision_score, "macro")),
        ("recall_weighted", overlap(sk.recall_score, "weighted")),
        ("jaccard_macro", overlap(sk.jaccard_score, "macro")),
        ("jaccard_micro", overlap(sk.jaccard_score, "micro")),
        ("jaccard_weighted", overlap(sk.jaccard_score, "weighted")),
    ]
    numbers = [
        ("rmse", rmse),
        ("mse", oracle(sk.mean_squared_error)),
        ("mae", oracle(sk.mean_absolute_error)),
        ("rmsle", rmsle),
        ("msle", oracle(sk.mean_squared_log_error)),
        ("mape", oracle(sk.mean_absolute_percentage_error)),
        ("smape", smape),
        ("wmape", wmape),
        ("rmspe", rmspe),
        ("r2", oracle(sk.r2_score)),
        ("explained_variance", oracle(sk.explained_variance_score)),
        ("pinball_0.9", oracle(sk.mean_pinball_loss, alpha=0.9)),
        ("poisson_deviance", oracle(sk.mean_poisson_deviance)),
        ("gamma_deviance", oracle(sk.mean_gamma_deviance)),
        ("pearson", correlation),
        ("spearman", spearman),
        ("concordance_correlation", concordance),
        ("normalized_gini", gini),
    ]
    tables = [
        ("multiclass_log_loss", oracle(sk.log_loss)),
        ("log_loss", oracle(sk.log_loss)),
        ("top_2_accuracy", oracle(sk.top_k_accuracy_score, k=2)),
        (
            "roc_auc_ovr",
            columnwise(lambda y, p, w: sk.roc_auc_score(y, p, sample_weight=w)),
        ),
    ]
    rankings = [
        ("map_at_3", ranked(lambda place: 1 / place, 3)),
        ("mrr", ranked(lambda place: 1 / place, 4)),
        ("ndcg_at_2", ranked(lambda place: 1 / np.log2(place + 1), 2)),
        ("recall_at_2", ranked(lambda _: 1.0, 2)),
        ("precision_at_2", ranked(lambda _: 0.5, 2)),
    ]
    labels = [
        ("f1_samples", fbeta(1, "samples")),
        ("f2_samples", fbeta(2, "samples")),
        ("f1_macro", fbeta(1, "macro")),
        ("f1_micro", fbeta(1, "micro")),
        ("f1_weighted", fbeta(1, "weighted")),
        ("precision_samples", overlap(sk.precision_score, "samples")),
        ("recall_micro", overlap(sk.recall_score, "micro")),
        ("hamming_loss", oracle(sk.hamming_loss)),
        ("accuracy", oracle(sk.accuracy_score)),
        ("error_rate", lambda y, p, w: 1 - sk.accuracy_score(y, p, sample_weight=w)),
        ("dice", dice_rows),
    ]
    full, full_found = sets.copy(), found.copy()
    full[:, 0] = 1  # scikit-learn has no Jaccard of two empty sets
    full_found[:, :, 0] = 1
    one_hot = (grade[:, None] == np.arange(4)).astype(int)
    return [
        *(Example(name, event, pred, score) for name, pred, score in events),
        *(Example(name, grade, graded, score) for name, score in grades),
        *(Example(name, value, values, score) for name, score in numbers),
        *(
            Example(name, one_hot if name == "roc_auc_ovr" else grade, table, score)
            for name, score in tables
        ),
        *(Example(name, grade, order, score) for name, score in rankings),
        *(Example(name, sets, found, score) for name, score in labels),
        Example("jaccard", full, full_found, overlap(sk.jaccard_score, "samples")),
        Example(
            "jaccard_samples", full, full_found, overlap(sk.jaccard_score, "samples")
        ),
        Example("mean_columnwise_auc", sets, many, columnwise(auc)),
        Example("mean_columnwise_log_loss", sets, many, columnwise(ll)),
        Example("mcrmse", several, several_pred, columnwise(rmse)),
        Example("mcrmsle", several, several_pred, columnwise(rmsle)),
    ]


EXAMPLES = examples()


def labels_of(example: Example) -> Array:
    """The labels as influence() wants them: class numbers for one-vs-rest AUC."""
    one_hot = example.name == "roc_auc_ovr"
    return np.asarray(example.y.argmax(axis=1) if one_hot else example.y)


def name_of(example: Example) -> str:
    return f"{example.name}-{example.y.ndim}-{example.pred.ndim}"


over_examples = pytest.mark.parametrize("example", EXAMPLES, ids=name_of)


def test_every_family_has_an_example() -> None:
    assert {find_metric(e.name).family for e in EXAMPLES} == INFLUENCE_FAMILIES


@over_examples
@pytest.mark.parametrize("with_weight", [False, True])
def test_scores_agree_with_another_implementation(
    example: Example, with_weight: bool
) -> None:
    weight = np.random.default_rng(1).uniform(0.2, 2, N) if with_weight else None
    result = influence(
        example.name, labels_of(example), example.pred, sample_weight=weight
    )
    w = np.ones(N) if weight is None else weight
    expected = [example.score(example.y, example.submission(j), w) for j in range(2)]
    np.testing.assert_allclose(result.scores, expected, rtol=1e-11)


@over_examples
@pytest.mark.parametrize("with_weight", [False, True])
def test_influence_is_the_derivative_by_the_weight_of_a_row(
    example: Example, with_weight: bool
) -> None:
    rng = np.random.default_rng(2)
    weight = rng.uniform(0.2, 2, N) if with_weight else np.ones(N)
    result = influence(
        example.name, labels_of(example), example.pred, sample_weight=weight
    )
    step, pred = 1e-4, example.submission(0)
    for i in range(0, N, 10):
        more, less = weight.copy(), weight.copy()
        more[i] += step
        less[i] -= step
        rise = example.score(example.y, pred, more)
        fall = example.score(example.y, pred, less)
        expected = N * weight[i] * (rise - fall) / (2 * step)
        np.testing.assert_allclose(result.psi[i, 0], expected, rtol=2e-5, atol=2e-6)


@over_examples
def test_columns_have_mean_zero(example: Example) -> None:
    weight = np.random.default_rng(1).uniform(0, 2, N)
    for w in (None, weight):
        psi = influence(
            example.name, labels_of(example), example.pred, sample_weight=w
        ).psi
        np.testing.assert_allclose(
            psi.mean(axis=0), 0, atol=1e-13 * (1 + np.abs(psi).max())
        )


@over_examples
def test_order_of_rows_and_submissions_does_not_matter(example: Example) -> None:
    place = np.random.default_rng(8).permutation(N)
    y = labels_of(example)
    straight = influence(example.name, y, example.pred)
    if example.pred.ndim == 3:
        shuffled = influence(example.name, y[place], example.pred[::-1, place])
    else:
        shuffled = influence(example.name, y[place], example.pred[place, ::-1])
    np.testing.assert_allclose(shuffled.scores[::-1], straight.scores, rtol=1e-12)
    np.testing.assert_allclose(
        shuffled.psi[:, ::-1], straight.psi[place], rtol=1e-9, atol=1e-11
    )


@over_examples
def test_every_row_twice_changes_nothing_but_the_error(example: Example) -> None:
    y = labels_of(example)
    axis = 1 if example.pred.ndim == 3 else 0
    once = influence(example.name, y, example.pred)
    twice = influence(
        example.name,
        np.concatenate([y, y]),
        np.concatenate([example.pred, example.pred], axis=axis),
    )
    doubled = influence(example.name, y, example.pred, sample_weight=np.full(N, 2.0))
    np.testing.assert_allclose(twice.scores, once.scores, rtol=1e-12)
    np.testing.assert_allclose(twice.psi[:N], once.psi, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(doubled.psi, once.psi, rtol=1e-9, atol=1e-11)
    ratio = np.sqrt((N - 1) / (2 * N - 1))
    np.testing.assert_allclose(twice.scores_se, once.scores_se * ratio, rtol=1e-9)


@over_examples
def test_one_submission_alone_is_one_column(example: Example) -> None:
    y = labels_of(example)
    both = influence(example.name, y, example.pred)
    alone = influence(example.name, y, example.submission(1))
    assert alone.scores.shape == (1,)
    assert alone.psi.shape == (N, 1)
    np.testing.assert_allclose(alone.psi[:, 0], both.psi[:, 1], rtol=1e-9, atol=1e-12)


@over_examples
def test_a_flipped_sign_flips_both(example: Example) -> None:
    y = labels_of(example)
    plain = influence(example.name, y, example.pred)
    flipped = influence(f"neg_{example.name}", y, example.pred)
    np.testing.assert_array_equal(flipped.scores, -plain.scores)
    np.testing.assert_array_equal(flipped.psi, -plain.psi)
    assert flipped.metric == f"neg_{example.name}"


@over_examples
def test_inputs_are_left_as_they_were(example: Example) -> None:
    y, pred, weight = (
        labels_of(example).copy(),
        example.pred.copy(),
        np.arange(1.0, N + 1),
    )
    influence(example.name, y, pred, sample_weight=weight)
    np.testing.assert_array_equal(y, labels_of(example))
    np.testing.assert_array_equal(pred, example.pred)
    np.testing.assert_array_equal(weight, np.arange(1.0, N + 1))


def test_by_hand() -> None:
    # AUC of 1, 4 | 2, 3: of four pairs 4 > 2 and 4 > 3 are won.
    auc = influence("roc_auc", [1, 1, 0, 0], [1.0, 4.0, 2.0, 3.0])
    assert auc.scores[0] == 0.5
    np.testing.assert_allclose(auc.psi[:, 0], [-1, 1, 0, 0])
    # Errors 1 and 3: MSE 5, RMSE sqrt 5, influence (e^2 - 5) / (2 sqrt 5).
    rmse = influence("rmse", [0.0, 0.0], [1.0, 3.0])
    np.testing.assert_allclose(rmse.scores, [5**0.5])
    np.testing.assert_allclose(rmse.psi[:, 0], np.array([-4, 4]) / (2 * 5**0.5))
    # 2 hits, 1 missed, 1 false of 5 rows: F1 = 4 / 6, D = 6 / 5.
    f1 = influence("f1", [1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    np.testing.assert_allclose(f1.scores, [2 / 3])
    unit = 5 / 6
    expected = [2 / 3 * unit, 2 / 3 * unit, -2 / 3 * unit, -2 / 3 * unit, 0]
    np.testing.assert_allclose(f1.psi[:, 0], expected, atol=1e-15)
    # -ln .8, -ln .5, mean 0.4581454
    loss = influence("log_loss", [1, 0], [0.8, 0.5])
    np.testing.assert_allclose(loss.scores, [(np.log(1.25) + np.log(2)) / 2])


def test_unweighted_spearman_is_scipys() -> None:
    rng = np.random.default_rng(6)
    y, pred = rng.integers(0, 9, 200), np.round(rng.normal(size=200), 1)
    pred += y
    result = influence("spearman", y, pred)
    np.testing.assert_allclose(result.scores[0], stats.spearmanr(y, pred).statistic)


def test_gini_without_ties_is_kaggles() -> None:
    """The area between the curve of totals in predicted order and the diagonal."""
    rng = np.random.default_rng(7)
    y, pred = rng.gamma(1, 2, 300), rng.normal(size=300)
    pred += y

    def area(order: Array) -> float:
        shares = np.cumsum(y[order]) / y.sum()
        return float(np.sum(shares - np.arange(1, 301) / 300))

    expected = area(np.argsort(-pred)) / area(np.argsort(-y))
    np.testing.assert_allclose(
        influence("normalized_gini", y, pred).scores[0], expected, rtol=1e-12
    )


def test_standard_error_is_that_of_a_mean() -> None:
    rows = np.random.default_rng(1).normal(size=50)
    result = influence("mae", np.zeros(50), rows)
    np.testing.assert_allclose(result.scores_se[0], stats.sem(np.abs(rows)))


def test_labels_may_be_text_or_any_numbers() -> None:
    y = np.array(["cat", "dog", "eel", "dog", "cat"])
    pred = np.array(["cat", "eel", "eel", "dog", "dog"])
    codes = {"cat": 0, "dog": 1, "eel": 2}
    number = [[codes[item] for item in column] for column in (y, pred)]
    for name in ("accuracy", "f1_macro", "mcc", "balanced_accuracy"):
        np.testing.assert_allclose(
            influence(name, y, pred).psi, influence(name, *number).psi
        )
        far = influence(name, np.array(number[0]) * 10**9, np.array(number[1]) * 10**9)
        np.testing.assert_allclose(far.psi, influence(name, *number).psi)
    signs = influence("f1", [1, -1, 1, -1], [1, 1, -1, -1])
    plain = influence("f1", [1, 0, 1, 0], [1, 1, 0, 0])
    np.testing.assert_array_equal(signs.psi, plain.psi)
    signs = influence("roc_auc", [2, 1, 2, 1], [0.1, 0.7, 0.8, 0.2])
    plain = influence("roc_auc", [1, 0, 1, 0], [0.1, 0.7, 0.8, 0.2])
    np.testing.assert_array_equal(signs.psi, plain.psi)


def test_an_unused_grade_keeps_its_place() -> None:
    """Kaggle's kappa counts distances of ratings, whether or not all were given."""
    y, pred = np.array([0, 0, 4, 4, 1]), np.array([0, 1, 4, 4, 4])
    squared, chance = 10 / 5, np.mean((y[:, None] - pred[None, :]) ** 2)
    np.testing.assert_allclose(
        influence("quadratic_kappa", y, pred).scores, [1 - squared / chance]
    )


def test_two_empty_sets_agree_under_dice_and_jaccard() -> None:
    y, pred = [[0, 0], [1, 0]], [[0, 0], [1, 1]]
    np.testing.assert_allclose(influence("dice", y, pred).scores, [(1 + 2 / 3) / 2])
    np.testing.assert_allclose(influence("jaccard", y, pred).scores, [0.75])
    np.testing.assert_allclose(influence("f1_samples", y, pred).scores, [1 / 3])


def test_probabilities_are_clipped_at_the_epsilon_of_their_type() -> None:
    double = influence("log_loss", [1, 0], [0.0, 0.5]).scores[0]
    single = influence("log_loss", [1, 0], np.array([0, 0.5], np.float32)).scores[0]
    np.testing.assert_allclose(double, (36.04365338911715 + np.log(2)) / 2)
    np.testing.assert_allclose(single, (15.942385152878742 + np.log(2)) / 2)
    assert double == pytest.approx(sk.log_loss([1, 0], [0.0, 0.5]))
    whole = influence("log_loss", [1, 0], [0, 0])
    np.testing.assert_allclose(whole.scores, [36.04365338911715 / 2])


def test_class_probabilities_are_divided_by_their_sum() -> None:
    table = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    exact = influence("multiclass_log_loss", [0, 1, 2], table)
    scaled = influence("multiclass_log_loss", [0, 1, 2], table * 1.003)
    np.testing.assert_allclose(scaled.scores, exact.scores, rtol=1e-12)


def test_class_labels_may_be_text_in_alphabetical_order() -> None:
    table = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    named = influence("multiclass_log_loss", ["a", "b", "c"], table)
    numbered = influence("multiclass_log_loss", [0, 1, 2], table)
    np.testing.assert_array_equal(named.psi, numbered.psi)
    part = influence("multiclass_log_loss", [0, 2, 2], table)
    np.testing.assert_allclose(part.scores, [-np.log([0.5, 0.1, 0.6]).mean()])


@given(
    st.integers(-5, 5),
    st.integers(1, 9),
    st.lists(
        st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=5, max_size=20
    ).filter(lambda rows: all(len({r[i] for r in rows}) > 1 for i in (0, 1))),
)
@settings(max_examples=50)
@pytest.mark.filterwarnings("ignore:[a-z]* of submission")
def test_shift_and_scale(shift: int, scale: int, rows: list[tuple[int, int]]) -> None:
    y, pred = np.array(rows, dtype=float).T
    for name in ("pearson", "spearman", "r2", "concordance_correlation"):
        before = influence(name, y, pred)
        after = influence(name, y * scale + shift, pred * scale + shift)
        np.testing.assert_allclose(after.scores, before.scores, atol=1e-9)
        np.testing.assert_allclose(after.psi, before.psi, atol=1e-8)
    before = influence("mae", y, pred)
    after = influence("mae", y * scale + shift, pred * scale + shift)
    np.testing.assert_allclose(after.psi, before.psi * scale, atol=1e-9)


def test_result_can_be_printed_and_not_written() -> None:
    result = influence("mae", [1.0, 2.0], [1.5, 1.0])
    assert "array of shape (2, 1)" in str(result)
    assert result.to_dict()["scores"] == [0.75]
    with pytest.raises(ValueError, match="read-only"):
        result.psi[0, 0] = 1
