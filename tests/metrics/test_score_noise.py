"""The noise of a row from the score alone: formulas by hand, ranges by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import trapezoid
from scipy.optimize import brentq
from scipy.special import expit, logit

from lbsense.metrics import METRICS, find_metric, influence, score_sd

NAN = float("nan")


@pytest.mark.parametrize(
    ("metric", "score", "options", "sd"),
    [
        ("accuracy", 0.9, {}, 0.3),
        ("error_rate", 0.1, {}, 0.3),
        ("top_3_accuracy", 0.5, {}, 0.5),
        ("f1_micro", 0.8, {}, 0.4),
        # binomial in the 10% rows of the class
        ("recall", 0.9, {"prevalence": 0.1}, 0.3 / 0.1**0.5),
        ("specificity", 0.9, {"prevalence": 0.1}, 0.3 / 0.9**0.5),
        ("precision", 0.9, {"prevalence": 0.1}, 0.3 / 0.1**0.5),
        # F (1 - F) (2 - F) / (2 prevalence)
        ("f1", 0.5, {"prevalence": 0.25}, 0.75**0.5),
        # one class half right, the other too: sqrt(b (1 - b) / (4 p q))
        ("balanced_accuracy", 0.5, {"prevalence": 0.2}, 0.5 / (4 * 0.16) ** 0.5),
        # two equal classes: kappa = MCC = 2 accuracy - 1, sd 2 sqrt(.8 * .2)
        ("mcc", 0.6, {"prevalence": 0.5}, 0.8),
        ("cohen_kappa", 0.6, {"prevalence": 0.5}, 0.8),
        # kurtosis 3: sqrt(1/2) RMSE, sqrt 2 MSE, sqrt(pi/2 - 1) MAE
        ("rmse", 2.0, {"error_kurtosis": 3}, 2**0.5),
        ("rmsle", 2.0, {"error_kurtosis": 6}, 2 * 1.25**0.5),
        ("mse", 2.0, {"error_kurtosis": 3}, 2 * 2**0.5),
        ("mae", 2.0, {"error_kurtosis": 3}, 2 * (math.pi / 2 - 1) ** 0.5),
        # AUC of 1/2: components uniform, variance 1/12 in each class
        ("roc_auc", 0.5, {"prevalence": 0.5}, (1 / 3) ** 0.5),
        ("normalized_gini", 0.0, {"prevalence": 0.5}, 2 * (1 / 3) ** 0.5),
        # independent ranks: var(tau) = 4 / 9n
        ("kendall", 0.0, {}, 2 / 3),
        ("neg_rmse", -2.0, {"error_kurtosis": 3}, 2**0.5),
    ],
)
def test_by_hand(metric: str, score: float, options: dict[str, Any], sd: float) -> None:
    result = score_sd(metric, score, **options)
    assert result.typical == pytest.approx(
        sd, rel=2e-9 if metric != "f1_micro" else 1e-9
    )
    assert result.score == score
    assert result.metric == metric


def test_uniform_predictions() -> None:
    """Calibrated p uniform in [0, 1]: log loss 1/2, its square 3/4, Brier 1/6.

    Of -ln p of what happened, E = 2 int -p ln p dp = 1/2 and
    E^2 = 2 int p ln^2 p dp = 1/2. Of the Brier loss, E = int p q dp = 1/6 and
    E^2 = int p q (p^3 + q^3) dp = 1/6 - 3 B(3, 3) = 1/15.
    """
    loss = score_sd("log_loss", 0.5, prevalence=0.5)
    assert loss.typical / 1.1 == pytest.approx((1 / 2 - 1 / 4) ** 0.5, rel=1e-8)
    brier = score_sd("brier", 1 / 6, prevalence=0.5)
    assert brier.typical / 1.05 == pytest.approx((1 / 15 - 1 / 36) ** 0.5, rel=1e-9)


def test_normal_scores_of_equal_variance() -> None:
    """Q by integration: the chance to lie above two rows of the other class."""
    shift = 1.3
    auc = stats.norm.cdf(shift / 2**0.5)
    x = np.linspace(-9, 11, 200_001)
    above = stats.norm.cdf(x)
    variance = trapezoid(stats.norm.pdf(x - shift) * (above - auc) ** 2, x)
    result = score_sd("roc_auc", auc, prevalence=0.3)
    assert result.typical == pytest.approx((variance / 0.21) ** 0.5, rel=1e-7)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.95])
def test_pinball_of_exact_normal_quantiles(quantile: float) -> None:
    x = np.linspace(-12, 12, 400_001)
    error = x - stats.norm.ppf(quantile)
    loss = np.maximum(quantile * error, (quantile - 1) * error)
    mean, square = (trapezoid(stats.norm.pdf(x) * loss**power, x) for power in (1, 2))
    result = score_sd(f"pinball_{quantile}", 3.0)
    expected = 3 * (square - mean**2) ** 0.5 / mean
    assert result.typical / 1.15 == pytest.approx(expected, rel=1e-6)


def test_unknown_prevalence_covers_the_usual_ones() -> None:
    for metric, score in (
        ("roc_auc", 0.8),
        ("f1", 0.6),
        ("log_loss", 0.15),
        ("mcc", 0.4),
    ):
        wide = score_sd(metric, score)
        for prevalence in (0.05, 0.2, 0.5):
            narrow = score_sd(metric, score, prevalence=prevalence)
            assert wide.low <= narrow.low * (1 + 1e-12)
            assert narrow.high <= wide.high * (1 + 1e-12)
        usual = score_sd(metric, score, prevalence=0.2)
        assert wide.typical == pytest.approx(usual.typical)
        assert "5 to 50% positives" in wide.basis
        assert "20% positives" in usual.basis


@pytest.mark.parametrize(
    ("metric", "score", "reason"),
    [
        ("bleu", 31.0, "needs predictions"),
        ("mape", 0.1, "needs predictions"),
        ("c_index", 0.7, "needs predictions"),
        ("mcrmse", 0.5, "needs predictions"),
        ("jaccard_macro", 0.5, "needs predictions"),
        ("neg_smape", -4.0, "needs predictions"),
        ("roc_auc", 1.2, "its range is 0 to 1"),
        ("accuracy", 87.3, "its range is 0 to 1"),
        ("rmse", -1.0, "its range is 0 to inf"),
        ("neg_rmse", 1.0, "A score of -1 is not one"),
        ("rmse", math.inf, "not one that the metric gives"),
        ("rmse", NAN, "not one that the metric gives"),
        ("pinball", 1.0, "needs its quantile"),
        ("fbeta", 0.5, "needs its beta"),
    ],
)
def test_what_cannot_be_said_is_nan_with_a_reason(
    metric: str, score: float, reason: str
) -> None:
    result = score_sd(metric, score)
    assert math.isnan(result.low)
    assert math.isnan(result.typical)
    assert math.isnan(result.high)
    assert reason in result.basis


@pytest.mark.parametrize("share", [0.005, 0.05, 0.4])
def test_predictions_that_know_nothing_have_the_noise_of_their_own(
    share: float,
) -> None:
    # Labels of variance 1 and predictions of variance g, both normal and independent:
    # the score is -g, a row's variance 4 g (1 + g).
    rng = np.random.default_rng(0)
    y, f = rng.normal(size=(2, 4000, 400)) * np.array([1, share**0.5])[:, None, None]
    scores = 1 - np.square(y - f).mean(0) / y.var(0)
    found = scores.std() * 4000**0.5
    assert found == pytest.approx(2 * (share * (1 + share)) ** 0.5, rel=0.12)
    stated = score_sd("r2", -share)
    assert stated.low <= found <= stated.high
    assert stated.typical == pytest.approx(1.2 * found, rel=0.12)
    least = score_sd("r2", 0.0)
    assert least.typical == score_sd("r2", -0.001).typical > 0


def test_a_score_at_the_edge_says_so() -> None:
    for metric, score in (("accuracy", 1.0), ("roc_auc", 1.0), ("rmse", 0.0)):
        result = score_sd(metric, score)
        assert result.high == 0
        assert "At the edge of its range" in result.basis


def test_a_loss_worse_than_no_model_is_not_calibrated() -> None:
    result = score_sd("log_loss", 0.9, prevalence=0.5)
    assert (result.low, result.typical) == pytest.approx((0.27, 0.72))
    assert "not calibrated" in result.basis


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"prevalence": 0}, ValueError, r"prevalence must be in \(0, 1\), got 0"),
        ({"prevalence": 1.0}, ValueError, r"prevalence must be in \(0, 1\)"),
        ({"prevalence": "a"}, TypeError, "prevalence must be a number"),
        (
            {"n_classes": 1},
            ValueError,
            "n_classes must be a whole number of at least 2",
        ),
        ({"n_classes": 2.5}, TypeError, "n_classes must be a whole number"),
        ({"error_kurtosis": 0.5}, ValueError, "error_kurtosis must be at least 1"),
        ({"error_kurtosis": NAN}, ValueError, "error_kurtosis must be a finite"),
    ],
)
def test_options_are_checked(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        score_sd("f1", 0.5, **options)


NAMES = [
    *METRICS,
    *("f2", "f0.5_macro", "f1_weighted", "precision_macro", "recall_samples"),
    *("map_at_5", "pinball_0.1", "neg_log_loss", "neg_r2"),
]


@given(
    st.sampled_from(NAMES),
    st.floats(-1, 1) | st.floats(0, 1000),
    st.none() | st.floats(0.01, 0.99),
    st.none() | st.integers(2, 200),
    st.none() | st.floats(1, 50),
)
def test_bounds_are_in_order(
    name: str,
    score: float,
    prevalence: float | None,
    n_classes: int | None,
    error_kurtosis: float | None,
) -> None:
    metric = find_metric(name)
    result = score_sd(
        metric,
        score,
        prevalence=prevalence,
        n_classes=n_classes,
        error_kurtosis=error_kurtosis,
    )
    assert result.basis
    if math.isnan(result.typical):
        assert math.isnan(result.low)
        assert math.isnan(result.high)
    else:
        assert 0 <= result.low <= result.typical <= result.high < math.inf


# --- ranges hold the truth in at least 19 of 20 simulated data sets -------------------

Draw = tuple[str, Any, Any, dict[str, Any]]  # metric, labels, predictions, options
N = 20_000


def draw_scores(rng: np.random.Generator) -> tuple[Any, Any, float]:
    """Scores of positives and negatives: five laws, one of them with heavy ties."""
    share = math.exp(rng.uniform(math.log(0.03), math.log(0.5)))
    law, shift = rng.integers(5), rng.uniform(0.3, 3)
    y = rng.random(N) < share
    pred = rng.normal(size=N) + shift * y
    if law == 1:
        pred = rng.normal(size=N) * np.where(y, rng.uniform(0.7, 1.5), 1) + shift * y
    elif law == 2:
        pred = np.round(pred)
    elif law == 3:
        phi = math.exp(rng.uniform(-1, 2.5))
        pred = rng.beta(share * phi, (1 - share) * phi, size=N)
        y = rng.random(N) < pred
    elif law == 4:
        pred = calibrated(rng, share)
        y = rng.random(N) < pred
    return y, pred, float(y.mean())


def calibrated(rng: np.random.Generator, share: float) -> Any:
    """Logistic probabilities of normal, heavy-tailed or mixed margins."""
    margin = rng.normal(size=N) * rng.uniform(0.5, 4)
    if rng.random() < 0.3:
        margin = rng.standard_t(4, size=N) * rng.uniform(0.5, 3)
    elif rng.random() < 0.3:
        margin = np.where(rng.random(N) < 0.3, 2 * margin, margin / 5)
    shift = brentq(lambda b: expit(margin + b).mean() - share, -80, 80)
    return expit(margin + shift)


def draw_auc(rng: np.random.Generator) -> Draw:
    y, pred, share = draw_scores(rng)
    return "roc_auc", y, pred, {"prevalence": share}


def draw_average_precision(rng: np.random.Generator) -> Draw:
    y, pred, share = draw_scores(rng)
    return "average_precision", y, pred, {"prevalence": share}


def draw_probabilities(rng: np.random.Generator) -> tuple[Any, Any, float]:
    share = math.exp(rng.uniform(math.log(0.03), math.log(0.5)))
    truth = calibrated(rng, share)
    y = rng.random(N) < truth
    sharpened = expit(rng.choice([0.8, 1, 1.3]) * logit(np.clip(truth, 1e-9, 1 - 1e-9)))
    return y, sharpened, float(y.mean())


def draw_log_loss(rng: np.random.Generator) -> Draw:
    y, pred, share = draw_probabilities(rng)
    return "log_loss", y, pred, {"prevalence": share}


def draw_brier(rng: np.random.Generator) -> Draw:
    y, pred, share = draw_probabilities(rng)
    return "brier", y, pred, {"prevalence": share}


def draw_multiclass_log_loss(rng: np.random.Generator) -> Draw:
    n_classes = int(rng.choice([3, 5, 10, 40]))
    margin = rng.normal(size=(4000, n_classes)) * rng.uniform(0.5, 5)
    margin += rng.choice([0, 1]) * np.log(rng.dirichlet(np.full(n_classes, 5)) + 1e-4)
    truth = np.exp(margin - margin.max(axis=1, keepdims=True))
    truth /= truth.sum(axis=1, keepdims=True)
    y = (rng.random(4000)[:, None] > truth.cumsum(axis=1)).sum(axis=1)
    pred = truth ** rng.choice([0.8, 1, 1.3]) + 1e-300
    pred /= pred.sum(axis=1, keepdims=True)
    options = {"n_classes": n_classes} if rng.random() < 0.5 else {}
    return "multiclass_log_loss", y.clip(0, n_classes - 1), pred, options


def draw_binary_labels(rng: np.random.Generator) -> Draw:
    share = math.exp(rng.uniform(math.log(0.03), math.log(0.5)))
    y = rng.random(N) < share
    pred = rng.normal(size=N) + rng.uniform(1, 3.5) * y
    claimed = y.mean() * rng.uniform(0.6, 1.7)
    labels = (pred > np.quantile(pred, 1 - claimed)).astype(int)
    names = ["f1", "f2", "f0.5", "precision", "recall", "mcc", "cohen_kappa"]
    return (
        str(rng.choice(names)),
        y.astype(int),
        labels,
        {"prevalence": float(y.mean())},
    )


def draw_classes(rng: np.random.Generator) -> Draw:
    n_classes = int(rng.choice([3, 5, 10, 30]))
    shares = rng.dirichlet(np.full(n_classes, rng.choice([3, 30])))
    y = rng.choice(n_classes, size=N, p=shares)
    margin = rng.normal(size=(N, n_classes)) + 0.5 * np.log(shares + 1e-9)
    margin[np.arange(N), y] += rng.uniform(1.5, 5)
    names = ["f1_macro", "f1_weighted", "f1_micro", "balanced_accuracy", "mcc"]
    options = {"n_classes": n_classes}
    return str(rng.choice(names)), y, margin.argmax(axis=1), options


def draw_grades(rng: np.random.Generator) -> Draw:
    shares = rng.dirichlet(np.full(rng.integers(3, 8), rng.choice([3, 10])))
    cuts = stats.norm.ppf(np.clip(np.cumsum(shares)[:-1], 0.001, 0.999))
    latent, tie = rng.normal(size=N), rng.uniform(0.5, 0.97)
    other = tie * latent + math.sqrt(1 - tie**2) * rng.normal(size=N)
    grades = np.searchsorted(cuts, latent), np.searchsorted(cuts * 0.95, other)
    return "quadratic_kappa", *grades, {"n_classes": len(shares)}


def draw_values(rng: np.random.Generator) -> Draw:
    """Errors of varying scale; signals normal, skew or heavy-tailed."""
    explained, spread = rng.uniform(0.1, 0.95), rng.uniform(0, 0.5)
    signal = [
        rng.normal(size=N),
        (rng.gamma(2, size=N) - 2) / math.sqrt(2),
        rng.standard_t(6, size=N) / math.sqrt(1.5),
    ][rng.integers(3)]
    error = rng.normal(size=N) * np.exp(spread * rng.normal(size=N) - spread**2)
    y = signal * math.sqrt(explained) + error * math.sqrt(1 - explained)
    pred = signal * math.sqrt(explained) * rng.choice([0.95, 1, 1.05])
    names = ["rmse", "mse", "mae", "r2", "pearson", "spearman"]
    names += ["concordance_correlation", "explained_variance"]
    return str(rng.choice(names)), y, pred, {}


def draw_masks(rng: np.random.Generator) -> Draw:
    """Rows of sets that are all wrong, all right, or anything in between."""
    y = (rng.random((4000, 12)) < 0.4).astype(int)
    skill = rng.beta(*rng.uniform(0.3, 2, size=2), size=(4000, 1))
    pred = np.where(rng.random(y.shape) < skill, y, rng.random(y.shape) < 0.3)
    return str(rng.choice(["dice", "jaccard", "f1_samples"])), y, pred.astype(int), {}


def draw_rankings(rng: np.random.Generator) -> Draw:
    """The true label stands at a place with a geometric law, or is not among five."""
    place = rng.geometric(rng.uniform(0.1, 0.8), size=4000)
    ranking = (np.arange(1, 6) == place[:, None]).astype(int)
    names = ["map_at_5", "mrr", "ndcg_at_5", "recall_at_3"]
    return str(rng.choice(names)), np.ones(4000), ranking, {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "n_draws"),
    [
        (draw_auc, 300),
        (draw_average_precision, 300),
        (draw_log_loss, 300),
        (draw_brier, 300),
        (draw_multiclass_log_loss, 150),
        (draw_binary_labels, 400),
        (draw_classes, 200),
        (draw_grades, 200),
        (draw_values, 400),
        (draw_masks, 150),
        (draw_rankings, 150),
    ],
)
@pytest.mark.filterwarnings("ignore::lbsense.errors.LbsenseWarning")
def test_ranges_hold_the_truth(
    draw: Callable[[np.random.Generator], Draw], n_draws: int
) -> None:
    ratios, held = [], []
    for truth, band in true_and_implied(draw, n_draws):
        held.append(band.low * 0.97 <= truth <= band.high * 1.03)  # truth has 3% noise
        ratios.append(truth / band.typical)
    assert len(held) > 0.9 * n_draws
    assert np.mean(held) >= 0.95
    assert 0.75 < np.median(ratios) < 4 / 3


def true_and_implied(
    draw: Callable[[np.random.Generator], Draw], n_draws: int
) -> Iterator[tuple[float, Any]]:
    """The standard deviation of the influence, and what the score alone implies."""
    rng = np.random.default_rng(20)
    for _ in range(n_draws):
        metric, y, pred, options = draw(rng)
        rows = influence(metric, y, pred)
        band = score_sd(metric, float(rows.scores[0]), **options)
        truth = float(rows.psi.std())
        if math.isfinite(truth) and math.isfinite(band.typical):
            yield truth, band


def hanley_mcneil(auc: float, n_positive: int, n_negative: int) -> float:
    """Standard error of Hanley and McNeil (1982), for exponential scores."""
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    total = auc * (1 - auc)
    total += (n_positive - 1) * (first - auc**2)
    total += (n_negative - 1) * (second - auc**2)
    return math.sqrt(total / (n_positive * n_negative))


def test_hanley_and_mcneil_published() -> None:
    """Their example: 51 abnormal and 58 normal images, area .893, error .032."""
    assert hanley_mcneil(0.893, 51, 58) == pytest.approx(0.0325, abs=5e-5)
    ours = score_sd("roc_auc", 0.893, prevalence=51 / 109)
    assert ours.low < 0.0325 * math.sqrt(109) < ours.high


@pytest.mark.slow
def test_normal_scores_come_nearer_than_hanley_and_mcneil() -> None:
    rng = np.random.default_rng(21)
    ours, theirs = [], []
    for _ in range(200):
        y, pred, share = draw_scores(rng)
        rows = influence("roc_auc", y, pred)
        auc, truth = float(rows.scores[0]), float(rows.psi.std())
        theirs.append(
            hanley_mcneil(auc, int(y.sum()), int((~y).sum())) * N**0.5 / truth
        )
        ours.append(score_sd("roc_auc", auc, prevalence=share).typical / truth)
    assert np.abs(np.log(ours)).mean() < 0.5 * np.abs(np.log(theirs)).mean()
