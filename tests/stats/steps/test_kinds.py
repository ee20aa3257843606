"""The table of kinds of history is a set of laws, whatever the size of the test set."""

from __future__ import annotations

import numpy as np
import pytest

from lbsense.stats.steps.kinds import (
    ALIKE_SHARES,
    KIND_SHARES,
    KINDS,
    NOTHING,
    SCALES,
    shifted,
    widths,
)


def test_every_kind_is_a_law_over_widths_up_and_down():
    assert KINDS.shape == (len(KIND_SHARES), 2 * (1 + len(SCALES)))
    np.testing.assert_allclose(KINDS.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(KIND_SHARES.sum(), 1, rtol=1e-12)
    assert (KINDS > 0).all()
    assert (np.diff(SCALES) > 0).all()


def test_kinds_of_no_change_are_among_them():
    nothing = KINDS[:, [0, 1 + len(SCALES)]].sum(axis=1)
    assert nothing.min() < 0.05
    assert nothing.max() > 0.95
    # A step that changes nothing is far below what anybody would name.
    assert NOTHING < 0.1


def test_steps_whose_noise_is_alike_change_nothing_far_more_often():
    np.testing.assert_allclose(ALIKE_SHARES.sum(), 1, rtol=1e-12)
    nothing = KINDS[:, [0, 1 + len(SCALES)]].sum(axis=1)
    # By hand: .05 * .4 + .15 * .7 + .3 * .9 + .4 * .99 and a tenth of .01.
    np.testing.assert_allclose(ALIKE_SHARES @ nothing, 0.792, rtol=1e-9)
    assert KIND_SHARES @ nothing < 0.12
    # Beyond that the kinds of real tables are as likely among each other as before.
    real = nothing < 0.05
    ratio = ALIKE_SHARES[real] / KIND_SHARES[real]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


def test_widths_grow_with_the_rows_but_for_those_of_nothing():
    noise = np.array([0.5, 1.0, 2.0])
    found = widths(noise, 1.0, 400)
    np.testing.assert_allclose(found[:, 0], NOTHING * noise, rtol=1e-12)
    np.testing.assert_allclose(found[1, 1:], 20 * SCALES, rtol=1e-12)
    np.testing.assert_allclose(found[2, 1:], 2**1.3 * 20 * SCALES, rtol=1e-12)


@pytest.mark.parametrize("places", [-2, -1, 0, 1, 3])
def test_larger_test_sets_move_every_share_to_wider_steps(places):
    moved = shifted(places)
    np.testing.assert_allclose(moved.sum(axis=1), 1, rtol=1e-12)
    n = len(SCALES)
    # By hand: the share of width t comes to width t + places, or to the last there is;
    # nothing stays nothing.
    for kind, law in zip(KINDS, moved, strict=True):
        for side in (0, 1 + n):
            assert law[side] == kind[side]
            expected = np.zeros(n)
            for t in range(n):
                expected[min(max(t + places, 0), n - 1)] += kind[side + 1 + t]
            found = law[side + 1 : side + 1 + n]
            np.testing.assert_allclose(found, expected, rtol=1e-12)
