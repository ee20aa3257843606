"""The kinds of history are found again where histories were drawn from two of them."""

from __future__ import annotations

import numpy as np

from benchmarks.semi_real.kinds import fit_kinds, left_out
from lbsense.stats.steps.kinds import SCALES


def histories(rng: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """Return histories of small steps and of large ones, on six tables."""
    return [
        (f"table {i % 6}", rng.choice([0.01, 0.2][i % 2] * np.array([1.0, -1.0]), 30))
        for i in range(24)
    ]


def test_two_kinds_of_step_are_told_apart():
    rng = np.random.default_rng(0)
    shares, weight = fit_kinds([steps for _, steps in histories(rng)], 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(weight, 0.5, atol=0.06)
    typical = shares.reshape(2, 2, -1).sum(axis=1) @ SCALES
    assert min(typical) < 0.03 < 0.1 < max(typical)


def test_kinds_foretell_tables_left_out_better_than_one_law():
    one, kinds = left_out(histories(np.random.default_rng(1)), 2, 3)
    assert kinds > one + 0.1
