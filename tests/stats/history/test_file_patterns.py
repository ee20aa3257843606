"""Patterns in files, against a naive comparison of every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lbsense.stats.history.patterns import (
    few_row_pairs,
    longest_line,
    value_counts,
)

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
