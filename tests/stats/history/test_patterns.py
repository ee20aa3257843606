"""Patterns in scores, against worked values, naive counts and SciPy."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lbsense.stats import (
    few_row_moves,
    few_row_pairs,
    longest_line,
    new_bests,
    order_test,
    records_test,
    value_counts,
)

series = st.lists(st.integers(0, 12), min_size=3, max_size=25)


def with_records(n_records: int, n: int) -> list[float]:
    """Return ``n`` values of which exactly ``n_records`` beat all before."""
    return [*range(n_records), *[-1.0] * (n - n_records)]


# Exact sizes of the rules "at least 6, 7, 8 records of 10, 20, 40": convolution of
# Bernoulli(1/i), published for i up to 10 as Stirling numbers of the first kind.
@pytest.mark.parametrize(
    ("n", "critical", "size", "mean"),
    [(10, 6, 0.020, 2.93), (20, 7, 0.028, 3.60), (40, 8, 0.033, 4.28)],
)
def test_records_have_their_exact_law(n, critical, size, mean):
    result = records_test(with_records(critical, n))
    assert result.n_records == critical
    np.testing.assert_allclose(result.pvalue, size, atol=5e-4)
    np.testing.assert_allclose(result.expected, mean, atol=5e-3)
    assert records_test(with_records(critical - 1, n)).pvalue > 0.05


def test_the_law_of_records_is_that_of_all_orders():
    orders = list(permutations(range(6)))
    counts = np.array(
        [sum(v > max(o[:i], default=-1) for i, v in enumerate(o)) for o in orders]
    )
    for n_records in range(1, 7):
        result = records_test(with_records(n_records, 6))
        np.testing.assert_allclose(result.pvalue, (counts >= n_records).mean())
        np.testing.assert_allclose(result.expected, counts.mean())


def test_a_tie_is_no_record_and_missing_scores_are_left_out():
    result = records_test([0.5, 0.5, np.nan, 0.6])
    assert (result.n_records, result.n_obs) == (2, 3)


@pytest.mark.parametrize("values", [[], [np.nan], [0.7], [0.7, 0.7, 0.7]])
def test_records_of_little(values):
    result = records_test(values)
    assert result.pvalue == 1.0
    assert result.n_records == min(len([v for v in values if v == v]), 1)


@given(values=series, shift=st.integers(-5, 5), scale=st.integers(1, 9))
def test_patterns_ignore_shift_and_scale(values, shift, scale):
    moved = [scale * value + shift for value in values]
    assert records_test(moved) == records_test(values)
    assert str(order_test(moved)) == str(order_test(values))  # nan equals nan here


@given(values=series)
def test_order_is_kendalls_tau(values):
    result = order_test(values)
    if len(set(values)) == 1:
        assert np.isnan(result.statistic)
        assert result.pvalue == 1.0
        return
    tau, _ = stats.kendalltau(range(len(values)), values)
    np.testing.assert_allclose(result.statistic, tau, atol=1e-12)
    asked = {"alternative": "greater", "method": "asymptotic"}
    expected = stats.kendalltau(range(len(values)), values, **asked).pvalue
    np.testing.assert_allclose(result.pvalue, expected, rtol=1e-9)


def test_order_of_little():
    assert order_test([]).pvalue == 1.0
    assert order_test([0.7, np.nan]).n_obs == 1


@pytest.mark.slow
def test_both_tests_keep_their_size():
    rng = np.random.default_rng(0)
    draws = rng.random((4000, 20))
    records = np.mean([records_test(row).pvalue <= 0.05 for row in draws])
    order = np.mean([order_test(row).pvalue <= 0.05 for row in draws])
    assert 0.018 <= records <= 0.038  # exactly .028
    assert 0.040 <= order <= 0.065


def test_moves_of_few_rows_are_counted():
    result = few_row_moves(
        [0.001, -0.003, 0.0, np.nan, 0.004], n_rows=1000, change_se=0.01
    )
    assert (result.n_moves, result.n_obs, result.whole) == (2, 4, True)
    # A step noise of 10 rows: P(0.5 < |z| < 3.5 rows) = .2339 from normal tables.
    np.testing.assert_allclose(result.expected, 4 * 0.2339, atol=2e-3)
    np.testing.assert_allclose(
        result.pvalue, stats.binom.sf(1, 4, result.expected / 4), rtol=1e-9
    )


def test_moves_that_are_no_whole_rows_are_said_to_be():
    assert not few_row_moves([0.0015], n_rows=1000, change_se=0.01).whole
    assert few_row_moves([0.00101], n_rows=1000, change_se=0.01).whole


def test_no_changes_are_no_pattern():
    result = few_row_moves([], n_rows=10, change_se=0.1)
    assert (result.n_moves, result.pvalue, result.n_obs) == (0, 1.0, 0)


@pytest.mark.slow
def test_honest_noise_moves_few_rows_as_often_as_said():
    rng = np.random.default_rng(1)
    changes = np.rint(rng.normal(0, 12, (2000, 40))) / 1000
    results = [few_row_moves(row, n_rows=1000, change_se=0.012) for row in changes]
    expected = results[0].expected
    counts = np.array([item.n_moves for item in results])
    np.testing.assert_allclose(counts.mean(), expected, rtol=0.03)
    assert np.mean([item.pvalue < 0.05 for item in results]) <= 0.06


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, float("nan")]), max_size=12))
def test_new_bests_beat_all_before(scores):
    best, expected = -np.inf, []
    for score in scores:
        expected.append(bool(score > best))
        best = score if score > best else best
    assert new_bests(scores).tolist() == expected


tables = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 6)),
    elements=st.integers(0, 2).map(float),
)


@given(table=tables, most=st.integers(1, 5))
def test_pairs_are_those_that_a_loop_finds(table, most):
    expected = []
    for a in range(table.shape[1]):
        for b in range(a + 1, table.shape[1]):
            count = sum(x != y for x, y in table[:, [a, b]])
            if 1 <= count <= most:
                expected.append([a, b, count])
    assert few_row_pairs(table, most=most).tolist() == expected


def test_pairs_that_part_late_are_found():
    table = np.zeros((5000, 3))
    table[4990:, 1] = 1.0  # beyond the rows of the first look
    table[:, 2] = 1.0
    assert few_row_pairs(table, most=20).tolist() == [[0, 1, 10]]


def test_pairs_need_a_count():
    with pytest.raises(ValueError, match="most must be a whole number"):
        few_row_pairs([[0.0, 1.0]], most=0)


def test_blends_lie_on_a_line_and_models_do_not():
    rng = np.random.default_rng(0)
    a, b, c, d = rng.random((4, 300))
    blends = [np.round(w * a + (1 - w) * b, 6) for w in (0.2, 0.5, 0.8)]
    table = np.column_stack([c, a, *blends, d, b])
    assert longest_line(table).tolist() == [1, 2, 3, 4, 6]
    assert longest_line(np.column_stack([a, b, c, d])).size == 0


def test_one_file_sent_often_is_no_line():
    a, b = np.random.default_rng(0).random((2, 100))
    assert longest_line(np.column_stack([a, a, a, b, b])).size == 0


@pytest.mark.parametrize("shape", [(5, 0), (5, 1), (5, 2)])
def test_few_files_are_no_line(shape):
    assert longest_line(np.arange(np.prod(shape), dtype=float).reshape(shape)).size == 0


@given(scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_a_line_stays_one_when_scores_are_rescaled(scale, shift):
    a, b, c = np.random.default_rng(3).random((3, 60))
    table = np.column_stack([a, 0.4 * a + 0.6 * b, b, c])
    assert longest_line(scale * table + shift).tolist() == [0, 1, 2]


@given(table=tables)
def test_values_are_counted(table):
    distinct, common = value_counts(table)
    columns = table.T.tolist()
    assert distinct.tolist() == [len(set(column)) for column in columns]
    assert common.tolist() == [max(map(column.count, column)) for column in columns]


@pytest.mark.slow
def test_many_files_take_no_time():
    rng = np.random.default_rng(0)
    base = rng.random((20_000, 1))
    table = base + 0.05 * rng.random((20_000, 50))
    assert few_row_pairs(table, most=20).size == 0
    assert longest_line(table).size == 0
