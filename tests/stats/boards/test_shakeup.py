"""Shake-up: by hand, by a naive second way, by its bounds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata, spearmanr

from lbsense.stats import shake_up, shake_up_of_ranks

TIED = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40
)


def test_by_hand() -> None:
    found = shake_up([10, 9, 8, 7, 6], [6, 10, 9, 8, 7])
    # The first falls to the fifth place (4), the others rise by one (4 times 1).
    assert found.statistic == pytest.approx(8 / 25)
    assert found.top == pytest.approx(1 / 5)
    assert (found.n_top, found.n_obs) == (1, 5)
    assert found.stayed_in_top == 0


def test_expected_of_two_orders_without_anything_in_common() -> None:
    n = 5
    shakes = [
        shake_up_of_ranks(range(1, n + 1), order).statistic
        for order in itertools.permutations(range(1, n + 1))
    ]
    assert np.mean(shakes) == pytest.approx((1 - 1 / n**2) / 3)


@given(TIED)
def test_correlations_and_ranks_are_those_of_scipy(
    pairs: list[tuple[int, int]],
) -> None:
    x, y = np.array(pairs, dtype=float).T
    found = shake_up(x, y)
    moved = np.abs(rankdata(-x) - rankdata(-y))
    assert found.statistic == pytest.approx(moved.mean() / len(x))
    if np.ptp(x) > 0 and np.ptp(y) > 0:
        assert found.kendall == pytest.approx(kendalltau(x, y).statistic)
        assert found.spearman == pytest.approx(spearmanr(x, y).statistic)
    else:
        assert math.isnan(found.kendall)


@given(TIED, st.integers(1, 5), st.integers(-9, 9), st.randoms())
def test_scale_order_and_bounds(
    pairs: list[tuple[int, int]], scale: int, shift: int, random: object
) -> None:
    x, y = np.array(pairs, dtype=float).T
    found = shake_up(x, y)
    assert 0 <= found.statistic <= 0.5
    assert shake_up(scale * x + shift, y).statistic == found.statistic
    assert shake_up(y, x).statistic == pytest.approx(found.statistic)
    order = np.random.default_rng(scale).permutation(len(x))
    assert shake_up(x[order], y[order]).statistic == pytest.approx(found.statistic)
    assert shake_up(x, x).statistic == 0


def test_teams_on_one_board_only_are_left_out() -> None:
    assert shake_up([3, 2, math.nan, 1], [3, 2, 9, math.nan]).n_obs == 2
    with pytest.raises(ValueError, match="Two teams at least"):
        shake_up([1, math.nan], [1, 2])
