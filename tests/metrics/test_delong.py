"""AUC: DeLong's components against published values and a pairwise computation."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from lbsense.metrics import influence

# 113 patients with an aneurysmal subarachnoid haemorrhage: outcome, WFNS grade, S100B
# (ug/l) and NDKA (ug/l). Turck et al. (2010), Intensive Care Medicine 36:107-115,
# https://doi.org/10.1007/s00134-009-1641-y, as distributed with the R package pROC
# (Robin et al. 2011, https://doi.org/10.1186/1471-2105-12-77), data set aSAH.
ASAH = Path(__file__).parents[1] / "data" / "metrics" / "asah.csv"


def asah() -> tuple[np.ndarray, np.ndarray]:
    with ASAH.open(newline="") as file:
        rows = list(csv.DictReader(file))
    y = np.array([row["outcome"] == "poor" for row in rows])
    markers = [[float(row[m]) for m in ("wfns", "s100b", "ndka")] for row in rows]
    return y, np.array(markers)


def delong_covariance(y: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Covariance of AUCs with the divisor n - 1 in each class, as published."""
    total = np.zeros((psi.shape[1], psi.shape[1]))
    for group in (y == 1, y == 0):
        size = group.sum()
        total += psi[group].T @ psi[group] * size / (size - 1)
    return total / len(y) ** 2


def test_asah_against_proc() -> None:
    """Values of pROC's test-suite (tests/testthat: auc, var, cov, roc.test, ci)."""
    y, markers = asah()
    assert (y.sum(), (~y).sum()) == (41, 72)
    result = influence("roc_auc", y, markers)
    np.testing.assert_allclose(
        result.scores, [0.823678861788618, 0.731368563685637, 0.611957994579946], 1e-13
    )
    cov = delong_covariance(y, result.psi)
    np.testing.assert_allclose(
        np.diag(cov),
        [0.00146991470882363, 0.00266868245717244, 0.0031908105493913],
        1e-12,
    )
    np.testing.assert_allclose(
        [cov[0, 1], cov[0, 2], cov[2, 1]],
        [0.00119615567376754, -0.000532967856762438, -0.000756164938056579],
        1e-12,
    )
    statistics, pvalues = [], []
    for a, b in ((0, 1), (0, 2), (2, 1)):
        se = np.sqrt(cov[a, a] + cov[b, b] - 2 * cov[a, b])
        statistics.append((result.scores[a] - result.scores[b]) / se)
        pvalues.append(2 * norm.sf(abs(statistics[-1])))
    np.testing.assert_allclose(
        statistics, [2.20898359144091, 2.79777591868904, -1.39077002573558], 1e-12
    )
    np.testing.assert_allclose(
        pvalues, [0.0271757822291882, 0.00514557970690, 0.164295175223054], 1e-11
    )
    step = result.scores[0] - result.scores[1]
    half = norm.ppf(0.975) * np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    np.testing.assert_allclose(
        [step - half, step + half], [0.0104061769564846, 0.174214419249478], 1e-11
    )
    ndka = norm.ppf([0.025, 0.975], result.scores[2], np.sqrt(cov[2, 2]))
    np.testing.assert_allclose(ndka, [0.501244999271703, 0.722670989888189], 1e-12)


def test_asah_placements_against_proc() -> None:
    """pROC's expected placements of the first cases and controls, in row order."""
    y, markers = asah()
    result = influence("roc_auc", y, markers)
    share = np.where(y, y.mean(), 1 - y.mean())[:, np.newaxis]
    components = result.psi * share + result.scores
    np.testing.assert_allclose(
        components[y][:4].T,
        [
            [0.8125, 0.652777777777778, 0.888888888888889, 0.972222222222222],
            [0.5625, 0.4375, 0.715277777777778, 0.541666666666667],
            [0.805555555555556, 0.625, 0.680555555555556, 0.763888888888889],
        ],
        1e-13,
    )
    np.testing.assert_allclose(
        components[~y][:3].T,
        [
            [0.975609756097561, 0.975609756097561, 0.975609756097561],
            [0.707317073170732, 0.670731707317073, 0.804878048780488],
            [1.0, 0.829268292682927, 0.878048780487805],
        ],
        1e-13,
    )


def pairwise(y: np.ndarray, score: np.ndarray) -> tuple[float, np.ndarray]:
    """Every positive against every negative: 1 above, 1/2 tied, 0 below."""
    wins = np.sign(score[y == 1][:, None] - score[y == 0][None, :]) / 2 + 0.5
    psi = np.empty(len(y))
    psi[y == 1] = (wins.mean(axis=1) - wins.mean()) * len(y) / (y == 1).sum()
    psi[y == 0] = (wins.mean(axis=0) - wins.mean()) * len(y) / (y == 0).sum()
    return float(wins.mean()), psi


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40)
    .filter(lambda rows: {y for y, _ in rows} == {True, False})
    .filter(lambda rows: len({s for _, s in rows}) > 1)
)
@pytest.mark.filterwarnings("ignore:roc_auc of submission")
def test_pairs_of_rows_agree(rows: list[tuple[bool, int]]) -> None:
    y = np.array([label for label, _ in rows], dtype=int)
    score = np.array([value for _, value in rows], dtype=float)
    result = influence("roc_auc", y, score)
    auc, psi = pairwise(y, score)
    np.testing.assert_allclose(result.scores, [auc], atol=1e-14)
    np.testing.assert_allclose(result.psi[:, 0], psi, atol=1e-12)


def test_large_columns_agree_with_pairs() -> None:
    rng = np.random.default_rng(5)
    y = rng.random(2000) < 0.1
    scores = rng.normal(size=(2000, 3)) + y[:, None]
    scores[:, 1] = np.round(scores[:, 1], 1)
    result = influence("roc_auc", y, scores)
    for j in range(3):
        auc, psi = pairwise(y.astype(int), scores[:, j])
        np.testing.assert_allclose(result.scores[j], auc, rtol=1e-13)
        np.testing.assert_allclose(result.psi[:, j], psi, atol=1e-11)


def test_gini_is_twice_auc_less_one() -> None:
    y, markers = asah()
    auc = influence("roc_auc", y, markers)
    gini = influence("normalized_gini", y, markers)
    np.testing.assert_allclose(gini.scores, 2 * auc.scores - 1, rtol=1e-12)
    np.testing.assert_allclose(gini.psi, 2 * auc.psi, atol=1e-12)
