"""The table of kinds of history is a set of laws, whatever the size of the test set."""

from __future__ import annotations

import numpy as np
import pytest

from lbsense.stats.steps.kinds import KIND_SHARES, KINDS, SCALES, shifted


def test_every_kind_is_a_law_over_widths_up_and_down():
    assert KINDS.shape == (len(KIND_SHARES), 2 * len(SCALES))
    np.testing.assert_allclose(KINDS.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(KIND_SHARES.sum(), 1, rtol=1e-12)
    assert (KINDS > 0).all()
    assert (np.diff(SCALES) > 0).all()


def test_a_kind_of_no_change_is_among_them():
    least = KINDS[:, [0, len(SCALES)]].sum(axis=1)
    assert least.max() > 0.8


@pytest.mark.parametrize("places", [-2, -1, 0, 1, 3])
def test_larger_test_sets_move_every_share_to_wider_steps(places):
    moved = shifted(places)
    np.testing.assert_allclose(moved.sum(axis=1), 1, rtol=1e-12)
    n = len(SCALES)
    # By hand: the share of width t comes to width t + places, or to the last there is.
    for kind, law in zip(KINDS, moved, strict=True):
        for side in (0, n):
            expected = np.zeros(n)
            for t in range(n):
                expected[min(max(t + places, 0), n - 1)] += kind[side + t]
            np.testing.assert_allclose(law[side : side + n], expected, rtol=1e-12)
