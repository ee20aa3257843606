"""Draws of rows have the law that their scheme promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lbsense.stats.rows.bootstrap import of_blocks, of_groups, of_rows


def drawn(fill, n_obs, n_draws, seed=0):
    counts = np.empty((n_draws, n_obs), dtype=np.int64)
    fill(np.random.default_rng(seed), counts)
    return counts


@given(st.integers(1, 1200), st.integers(1, 1200))
def test_counts_add_up_to_the_rows_of_a_draw(n_obs, n):
    counts = drawn(of_rows(n_obs, n), n_obs, 2)
    assert counts.min() >= 0
    assert (counts.sum(axis=1) == n).all()


@pytest.mark.parametrize("n_obs", [300, 4700])
def test_every_row_is_equally_likely_and_pairs_are_multinomial(n_obs):
    counts = drawn(of_rows(n_obs, n_obs), n_obs, 3000)
    total = counts.sum(axis=0)
    assert stats.chisquare(total).pvalue > 1e-4
    # Variance 1 - 1 / n of a count; covariance -1 / n of two, within a block or not.
    assert counts.var(axis=0).mean() == pytest.approx(1 - 1 / n_obs, rel=0.01)
    first = counts[:, :128].sum(axis=1)
    share = 128 / n_obs
    assert first.var() == pytest.approx(n_obs * share * (1 - share), rel=0.12)
    poisson = np.bincount(counts.ravel(), minlength=6)[:6] / counts.size
    expected = stats.binom.pmf(np.arange(6), n_obs, 1 / n_obs)
    np.testing.assert_allclose(poisson, expected, rtol=0.05)


def test_rows_of_a_group_are_drawn_together():
    groups = np.array(list("aabbbcdd"))
    counts = drawn(of_groups(groups, 8), 8, 50)
    for name in "abcd":
        members = counts[:, groups == name]
        assert (members == members[:, :1]).all()
    assert (counts[:, [0, 2, 5, 6]].sum(axis=1) == 4).all()


@given(st.integers(3, 60), st.integers(1, 80), st.data())
def test_blocks_are_stretches_of_time(n_obs, n, data):
    length = data.draw(st.integers(1, n_obs - 1))
    times = np.array(data.draw(st.permutations(range(n_obs))))
    counts = drawn(of_blocks(times, n, length), n_obs, 2)
    assert (counts.sum(axis=1) == n).all()
    if n == length:  # one block: neighbours in time, around the end
        rows = np.sort(times[counts[0] > 0])
        gaps = np.diff(np.append(rows, rows[0] + n_obs))
        assert (gaps > 1).sum() <= 1


def test_blocks_reach_every_row_equally_often():
    counts = drawn(of_blocks(np.arange(40), 40, 7), 40, 20_000)
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=0.05)
