"""What little tells: t intervals, orders alike, and rows that would be needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbsense.stats import rows_to_tell, score_gap

NAN = float("nan")


def test_the_interval_is_that_of_the_next_one():
    # Differences -.01, -.02, 0: mean -.01, sd .01, t(2, .975) = 4.3027.
    gap = score_gap([0.70, 0.72, 0.71, NAN], [0.69, 0.70, 0.71, 0.7])
    assert gap is not None
    half = 4.302653 * 0.01 * math.sqrt(4 / 3)
    np.testing.assert_allclose(
        (gap.mean, gap.sd, gap.ci_low, gap.ci_high),
        (-0.01, 0.01, -0.01 - half, -0.01 + half), rtol=1e-6,
    )  # fmt: skip
    assert (gap.n_obs, gap.n_alike, gap.n_pairs) == (3, 2, 3)


@pytest.mark.parametrize(
    ("first", "second", "n_obs", "n_pairs"),
    [([0.7], [0.6], 1, 0), ([0.7, 0.8], [0.6, 0.7], 2, 1), ([1, 1], [2, 3], 2, 0)],
)
def test_what_gives_no_interval_gives_none(first, second, n_obs, n_pairs):
    gap = score_gap(first, second)
    assert gap is not None
    assert (gap.n_obs, gap.n_pairs) == (n_obs, n_pairs)
    assert math.isnan(gap.ci_low) == (gap.sd != gap.sd or gap.sd < 1e-12)


def test_without_a_common_row_there_is_no_gap():
    assert score_gap([0.7, NAN], [NAN, 0.7]) is None
    assert score_gap([], []) is None


@pytest.mark.slow
@pytest.mark.parametrize("n_obs", [2, 3, 7])
def test_the_next_difference_lies_within_as_often_as_said(n_obs):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(4000):
        apart = rng.normal(0.02, 0.01, n_obs + 1)
        gap = score_gap(np.full(n_obs, 0.5), 0.5 + apart[:-1])
        held += gap.ci_low <= apart[-1] <= gap.ci_high
    assert abs(held / 4000 - 0.95) < 0.012


def test_rows_grow_with_the_square_of_a_smaller_gain():
    least, rows, most = rows_to_tell(
        [0.01, -0.005, 0.0, NAN], row_sd=0.4, log_distinct=math.log(0.1), log_sd=0.5
    )
    # 1.96 * sqrt(2) * .1 * .4 / .01 = 11.09; squared 122.9.
    np.testing.assert_allclose(rows, [122.93, 491.71, np.inf, NAN], rtol=1e-4)
    factor = math.exp(2 * 1.2815516 * 0.5)
    np.testing.assert_allclose(least[:2] * factor, rows[:2], rtol=1e-6)
    np.testing.assert_allclose(most[:2] / factor, rows[:2], rtol=1e-6)


def test_with_that_many_rows_the_gain_passes_its_test():
    rng = np.random.default_rng(2)
    _, rows, _ = rows_to_tell([0.02], row_sd=0.4, log_distinct=math.log(0.3))
    noise = 0.4 * math.sqrt(2) * 0.3 / math.sqrt(rows[0])
    seen = np.abs(rng.normal(0.02, noise, 20_000)) > 1.96 * noise
    assert abs(seen.mean() - 0.5) < 0.02  # a gain as large as its threshold


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), levels=st.integers(1, 30))
def test_pairs_alike_as_counted_one_by_one(seed, n, levels):
    one, other = np.random.default_rng(seed).integers(0, levels, (2, n)) / 7
    gap = score_gap(one, other)
    i, j = np.triu_indices(n, 1)
    moves = np.sign(one[i] - one[j]) * np.sign(other[i] - other[j])
    assert (gap.n_alike, gap.n_pairs) == ((moves > 0).sum(), (moves != 0).sum())
