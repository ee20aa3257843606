"""Estimates of several histories: by hand, by naive forms, properties, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbsense.stats import (
    EstimateResult,
    count_estimate,
    count_of,
    estimate_difference,
    pooled_estimate,
    share_estimate,
)


def estimate(value: float, low: float, high: float) -> EstimateResult:
    return EstimateResult(value=value, ci_low=low, ci_high=high, n_obs=10)


@st.composite
def estimates(draw: st.DrawFn) -> EstimateResult:
    value, below, above = (draw(st.integers(0, 100)) / 100 for _ in range(3))
    return estimate(value, value - below, value + above)


def test_share_by_hand() -> None:
    # Wilson's interval of 81 of 263, in Newcombe (1998), doi:10.1002/(SICI)1097-0258(
    # 19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I: .2553 to .3662.
    found = share_estimate(81, 263)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(("n_true", "n_obs"), [(3, 2), (-1, 2), (0, 0)])
def test_a_share_of_nothing_is_refused(n_true: int, n_obs: int) -> None:
    with pytest.raises(ValueError, match="n_true must be in 0 to n_obs"):
        share_estimate(n_true, n_obs)


def test_chances_by_hand() -> None:
    # Of two fair coins: 0, 1 and 2 with 1/4, 1/2, 1/4.
    found = count_estimate(count_of([0.5, 0.5, math.nan]))
    assert found == EstimateResult(value=0.5, ci_low=0.0, ci_high=1.0, n_obs=2)
    assert count_estimate(count_of([math.nan])) is None


def test_difference_by_hand() -> None:
    # 8 - 3; below sqrt(3^2 + 4^2) = 5, above sqrt(12^2 + 5^2) = 13.
    found = estimate_difference(estimate(8, 5, 20), estimate(3, -2, 7))
    assert (found.value, found.ci_low, found.ci_high) == (5, 0, 18)


@given(one=estimates(), other=estimates())
def test_difference_turns_its_sign(one: EstimateResult, other: EstimateResult) -> None:
    there, back = estimate_difference(one, other), estimate_difference(other, one)
    assert there.value == -back.value
    assert (there.ci_low, there.ci_high) == pytest.approx((-back.ci_high, -back.ci_low))
    assert estimate_difference(one, one).value == 0


def test_pool_by_hand() -> None:
    # Mean 2, s = 1, t of 2 degrees of freedom 4.302653 over the root of 3.
    found = pooled_estimate([estimate(x, x, x) for x in (1, 2, 3)])
    assert found is not None
    assert (found.value, found.spread, found.n_histories) == (2, 1, 3)
    half = 4.302652730 / math.sqrt(3)
    assert (found.ci_low, found.ci_high) == pytest.approx((2 - half, 2 + half))
    cut = pooled_estimate([estimate(x, x, x) for x in (1, 2, 3)], low=0, high=3)
    assert cut is not None
    assert (cut.ci_low, cut.ci_high) == (0, 3)


def test_equal_values_keep_what_is_not_known_of_each() -> None:
    same = pooled_estimate([estimate(0.5, 0.5 - 1.96, 0.5 + 1.96)] * 4)
    assert same is not None
    assert same.spread == 0
    # 3.182446 of 3 degrees of freedom, over the root of 4.
    assert same.ci_high == pytest.approx(0.5 + 3.182446 / 2, abs=1e-4)


@pytest.mark.parametrize("n", [0, 1])
def test_one_history_is_no_habit(n: int) -> None:
    assert pooled_estimate([estimate(0, 0, 1)] * n) is None


@given(items=st.lists(estimates(), min_size=2, max_size=6), data=st.data())
def test_pool_does_not_hang_on_the_order(
    items: list[EstimateResult], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(items))
    assert pooled_estimate(items) == pooled_estimate(other)


@pytest.mark.parametrize("n_histories", [2, 5, 20])
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_pool_covers_the_habit(n_histories: int, spread: float) -> None:
    rng = np.random.default_rng(0)
    n_draws, inside = 800, 0
    for _ in range(n_draws):
        se = rng.uniform(0.05, 0.3, n_histories)
        values = (
            1 + spread * rng.normal(size=n_histories) + se * rng.normal(size=len(se))
        )
        found = pooled_estimate(
            [
                estimate(v, v - 1.96 * s, v + 1.96 * s)
                for v, s in zip(values, se, strict=True)
            ]
        )
        assert found is not None
        inside += found.ci_low <= 1 <= found.ci_high
    assert inside / n_draws > 0.95 - 2.6 * math.sqrt(0.95 * 0.05 / n_draws)
