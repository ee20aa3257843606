"""Expected against found: by hand, a second way, properties, and on known truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats import (
    EstimateResult,
    count_estimate,
    count_of,
    estimate_difference,
    expectation_calibration,
    information_of,
    pooled_estimate,
    share_estimate,
)

PROBABILITIES = st.lists(st.floats(0, 1), max_size=7)


def test_counts_by_enumeration() -> None:
    p = [0.9, 0.5, 0.1, 0.3]
    mass = np.zeros(5)
    for happened in itertools.product((0, 1), repeat=4):
        mass[sum(happened)] += math.prod(
            q if yes else 1 - q for q, yes in zip(p, happened, strict=True)
        )
    below = np.cumsum(mass)
    found = count_of(p, together_sd=0, confidence_level=0.8)
    assert found.mean == pytest.approx(1.8)
    assert found.ci_low == min(k for k in range(5) if below[k] >= 0.1)
    assert found.ci_high == min(k for k in range(5) if below[k] >= 0.9)


def test_a_shared_error_by_draws() -> None:
    p, sd = np.array([0.9, 0.5, 0.1, 0.3, 0.02] * 4), 0.8
    rng = np.random.default_rng(3)
    odds = np.log(p / (1 - p)) + sd * rng.normal(size=(40_000, 1))
    drawn = (rng.random(odds.shape) < 1 / (1 + np.exp(-odds))).sum(axis=1)
    found = count_of(p, together_sd=sd)
    assert found.mean == pytest.approx(p.sum())
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert abs(found.ci_low - low) <= 1
    assert abs(found.ci_high - high) <= 1
    alone = count_of(p, together_sd=0)
    assert found.ci_low < alone.ci_low < alone.ci_high < found.ci_high
    with pytest.raises(ValueError, match="together_sd must be 0 or more"):
        count_of(p, together_sd=-1)


@given(PROBABILITIES)
def test_counts_lie_among_the_steps(p: list[float]) -> None:
    found = count_of(p)
    assert 0 <= found.ci_low <= found.ci_high <= len(p) == found.n_obs
    assert found.ci_low - 1 <= found.mean <= found.ci_high + 1


def test_counts_of_nothing_and_of_no_probability() -> None:
    assert (count_of([]).n_obs, count_of([math.nan]).ci_high) == (0, 0)
    with pytest.raises(ValueError, match="must be in"):
        count_of([1.2])


ROWS = st.lists(st.tuples(*[st.floats(0.001, 1)] * 3), min_size=1, max_size=8)


@given(ROWS)
def test_information_is_the_entropy_of_the_average_less_the_average(rows) -> None:
    p = np.array(rows)
    p /= p.sum(axis=1, keepdims=True)

    def entropy(q):
        return -(q * np.log2(q)).sum(axis=-1)

    naive = entropy(p.mean(axis=0)) - entropy(p).mean()
    found = information_of(p)
    assert found.min() >= 0
    np.testing.assert_allclose(found.mean(), naive, atol=1e-9)


def test_what_is_not_known_teaches_nothing() -> None:
    found = information_of([[1, 0, 0], [math.nan] * 3, [0, 1, 0]])
    np.testing.assert_allclose(found, [1, math.nan, 1])
    assert len(information_of(np.empty((0, 3)))) == 0
    with pytest.raises(ValueError, match="must have shape"):
        information_of([1, 2])


def noise_of_chain(n: int, sd: float) -> tuple[np.ndarray, np.ndarray]:
    """Return differences of neighbours, and the covariance of their noise."""
    taken = np.eye(n, n + 1, 1) - np.eye(n, n + 1)
    return taken, sd**2 * taken @ taken.T


def test_the_ratio_is_that_of_least_squares_where_nothing_scatters() -> None:
    """Scatter taken as 0, it is the generalised least-squares slope (by hand: 0.5)."""
    expected = np.array([1.0, 2.0, 3.0, 4.0])
    found = expectation_calibration(expected, expected / 2, np.full(4, 1e-3))
    assert found.ratio == pytest.approx(0.5, abs=1e-3)
    assert found.scatter < 0.1


def test_the_posterior_is_that_of_plain_quadrature() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=6)
    _, cov = noise_of_chain(6, 0.4)
    y = 0.7 * x + rng.multivariate_normal(np.zeros(6), cov)
    ratios, taus = np.linspace(-6, 6, 1201), np.linspace(1e-3, 40, 4000)
    scale = math.sqrt(np.mean(x**2))
    weight = np.zeros(len(ratios))
    residuals = y - np.outer(ratios, x)
    values, vectors = np.linalg.eigh(cov)
    squares = (residuals @ vectors) ** 2
    for tau in taus:
        total = values + tau**2
        log = -0.5 * (np.log(total).sum() + (squares / total).sum(axis=1))
        weight += np.exp(log) / (1 + (tau / scale) ** 2)
    below = np.cumsum(weight) / weight.sum()
    exact = np.interp([0.025, 0.5, 0.975], below, ratios)
    found = expectation_calibration(x, y, cov)
    told = (found.ratio_low, found.ratio, found.ratio_high)
    np.testing.assert_allclose(told, exact, atol=0.03)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=3, max_size=8),
    st.floats(0.1, 100),
    st.randoms(use_true_random=False),
)
def test_neither_unit_nor_order_matters(pairs, unit, shuffle) -> None:
    x, y = map(np.array, zip(*pairs, strict=True))
    x = np.where(np.abs(x) < 0.05, 1.0, x)
    order = list(range(len(x)))
    shuffle.shuffle(order)
    options = {"low": x - 1, "high": x + 1}
    one = expectation_calibration(x, y, np.full(len(x), 0.3), **options)
    other = expectation_calibration(
        unit * x[order],
        unit * y[order],
        np.full(len(x), 0.3 * unit),
        **{name: unit * ends[order] for name, ends in options.items()},
    )
    for name in ("ratio", "ratio_low", "ratio_high", "width", "held_low", "held_high"):
        assert getattr(one, name) == pytest.approx(
            getattr(other, name), rel=1e-4, abs=1e-6
        )
    assert one.ratio_low <= one.ratio <= one.ratio_high
    assert 0 <= one.held_low <= one.held <= one.held_high <= 1
    assert one.n_inside <= one.n_ranges == one.n_obs


def test_a_unit_that_is_not_sure_widens_the_ratio() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    found = expectation_calibration(x, x / 2, np.full(5, 1e-4), scale_se=0.2)
    assert found.ratio == pytest.approx(0.5, abs=0.01)
    assert found.ratio_high - found.ratio_low == pytest.approx(4 * 0.1, rel=0.05)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_steps_tell_nothing(n: int) -> None:
    assert expectation_calibration([1.0] * n, [1.0] * n, [0.1] * n) is None


def test_what_is_missing_and_what_expects_nothing_is_left_out() -> None:
    x, y = [1, 2, 3, 0, math.nan, 5], [1, 2, 3, 9, 1, math.nan]
    assert expectation_calibration(x, y, [0.1] * 6).n_obs == 3
    assert expectation_calibration([0, 0, 0, 1], [1, 2, 3, 4], [0.1] * 4) is None
    found = expectation_calibration(
        [1, 2, 3], [1, 2, 3], [0.1] * 3, low=[1] * 3, high=[1] * 3
    )
    assert found.n_ranges == 0
    assert math.isnan(found.width)
    with pytest.raises(ValueError, match="noise must have shape"):
        expectation_calibration([1, 2, 3], [1, 2, 3], [[0.1]])


def test_many_steps_are_taken_one_by_one() -> None:
    n = 500
    x = np.full(n, 1.0)
    found = expectation_calibration(x, 0.5 * x, np.full(n, 0.5))
    assert found.ratio == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 12, 40])
@pytest.mark.parametrize(
    ("ratio", "scatter"), [(1.0, 0.002), (0.3, 0.0005), (0.0, 0.002)]
)
def test_intervals_of_the_ratio_hold(n: int, ratio: float, scatter: float) -> None:
    rng = np.random.default_rng([n, int(10 * ratio)])
    taken, cov = noise_of_chain(n, 0.002)
    held = 0
    for _ in range(600):
        x = np.abs(rng.normal(0.003, 0.002, n)) + 1e-4
        y = ratio * x + rng.normal(0, scatter, n) + taken @ rng.normal(0, 0.002, n + 1)
        found = expectation_calibration(x, y, cov)
        held += found.ratio_low <= ratio <= found.ratio_high
    assert held >= 0.915 * 600


@pytest.mark.slow
@pytest.mark.parametrize("n", [12, 40])
@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_intervals_of_the_width_hold(n: int, factor: float) -> None:
    rng = np.random.default_rng([n, int(10 * factor)])
    taken, cov = noise_of_chain(n, 0.002)
    held = 0
    for _ in range(300):
        x = np.abs(rng.normal(0.003, 0.002, n)) + 1e-4
        true = x + rng.normal(0, factor * 0.002, n)
        y = true + taken @ rng.normal(0, 0.002, n + 1)
        half = 0.002 * 1.2815515
        found = expectation_calibration(x, y, cov, low=x - half, high=x + half)
        held += found.width_low <= factor <= found.width_high
    assert held >= 0.915 * 300


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
