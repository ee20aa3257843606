"""The few steps of a climb: worked by hand, and what they cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists

from lbsense.stats import jumps_of_climb

NAN = float("nan")


def test_jumps_are_the_fewest_steps_that_make_the_climb():
    # 0 -> 1 (+.10) -> 2 (+.01) -> 4 (+.09); 3 is a branch of 1 that leads nowhere.
    found = jumps_of_climb(
        [NAN, 0.10, 0.01, -0.5, 0.09], [0.0, 1e-4, 1e-4, 1e-4, 1e-4], [-1, 0, 1, 1, 2],
        root=0,
    )  # fmt: skip
    assert found is not None
    assert found.way.tolist() == [0, 1, 2, 4]
    assert found.jumps.tolist() == [1, 4]
    np.testing.assert_allclose(found.gain, [0, 0.10, 0.01, 0.09])
    np.testing.assert_allclose((found.climb, found.climb_se), (0.2, np.sqrt(3e-4)))
    np.testing.assert_allclose(found.share, 0.19 / 0.2)


def test_one_step_may_be_the_whole_climb():
    found = jumps_of_climb([NAN, 0.1], [0, 0], [-1, 0], root=0, asked=0.99)
    assert found is not None
    assert (found.jumps.tolist(), found.share) == ([1], 1.0)


@pytest.mark.parametrize(
    ("gain", "parent"),
    [
        ([NAN], [-1]),
        ([NAN, -0.1], [-1, 0]),
        ([NAN, NAN], [-1, 0]),
        ([NAN, 1], [-1] * 2),
    ],
)
def test_where_nothing_rose_there_is_no_climb(gain, parent):
    assert jumps_of_climb(gain, np.zeros(len(gain)), parent, root=0) is None


@given(lists(floats(-1, 1), min_size=2, max_size=12))
def test_jumps_make_what_was_asked_for_and_fewer_would_not(steps):
    gain = [NAN, *steps]
    parent = np.arange(len(gain)) - 1
    found = jumps_of_climb(gain, np.zeros(len(gain)), parent, root=0)
    if found is None:
        assert max(np.cumsum(steps)) <= 0
        return
    made = dict(zip(found.way.tolist(), found.gain.tolist(), strict=True))
    parts = sorted(made[index] for index in found.jumps.tolist())
    assert sum(parts) >= 0.8 * found.climb - 1e-12
    assert sum(parts[1:]) < 0.8 * found.climb
