"""What other histories teach of true steps: a small dated table.

A true step is measured in units of the noise of one row: ``v = step / (s * sqrt(n))``
with the standard error ``s`` of its public difference and ``n`` public rows. Over real
tables and real learners the law of ``v`` hardly depends on metric, size or noise; what
differs is the kind of history: how many steps change next to nothing, and how wide the
others are. `benchmarks/semi_real/kinds.py` makes the table.
"""

from __future__ import annotations

import numpy as np

from lbsense._typing import FloatArray

__all__ = ["KINDS", "KIND_SHARES", "MADE", "SCALES", "shifted"]

#: When the table was made, and of how many histories.
MADE = "2026-11-26, 114 semi-real histories on 18 public tables"

#: Widths of the half-normal parts of the law of ``v``.
SCALES = np.array([0.003, 0.0075, 0.019, 0.047, 0.117, 0.3, 0.75])

# One row a kind of history: shares of the parts upwards, then downwards. The last row
# is no history that was seen: nearly every step changes nothing at all.
_UP = np.array(
    [
        [0.007, 0.014, 0.096, 0.150, 0.124, 0.004, 0.002],
        [0.008, 0.020, 0.332, 0.091, 0.008, 0.002, 0.001],
        [0.008, 0.017, 0.053, 0.054, 0.275, 0.038, 0.005],
        [0.081, 0.205, 0.127, 0.037, 0.012, 0.007, 0.006],
        [0.039, 0.054, 0.066, 0.110, 0.095, 0.138, 0.054],
        [0.420, 0.030, 0.020, 0.015, 0.010, 0.004, 0.001],
    ]
)
_DOWN = np.array(
    [
        [0.006, 0.016, 0.063, 0.366, 0.145, 0.004, 0.003],
        [0.010, 0.019, 0.326, 0.175, 0.005, 0.002, 0.001],
        [0.005, 0.009, 0.031, 0.039, 0.411, 0.045, 0.009],
        [0.113, 0.196, 0.183, 0.014, 0.007, 0.006, 0.005],
        [0.063, 0.033, 0.040, 0.082, 0.044, 0.103, 0.079],
        [0.420, 0.030, 0.020, 0.015, 0.010, 0.004, 0.001],
    ]
)
_SHARES = np.concatenate([_UP, _DOWN], axis=1)
KINDS = _SHARES / _SHARES.sum(axis=1, keepdims=True)
KIND_SHARES = np.array([0.37, 0.36, 0.12, 0.07, 0.03, 0.05])


def shifted(places: int) -> FloatArray:
    """Return the kinds with steps wider by ``places`` factors of 2.5.

    That is what a test set of 6.25 times the rows makes of them in units of noise.
    """
    n_scales = len(SCALES)
    both = KINDS.reshape(len(KINDS), 2, n_scales)
    moved: FloatArray = np.zeros_like(both)
    target = np.clip(np.arange(n_scales) + places, 0, n_scales - 1)
    for source, place in enumerate(target):
        moved[:, :, place] += both[:, :, source]
    return moved.reshape(KINDS.shape)
