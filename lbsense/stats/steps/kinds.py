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

#: When the table was made, and of how many histories.
MADE = "2026-11-26, 114 semi-real histories on 18 public tables"

#: Widths of the half-normal parts of the law of ``v``.
SCALES = np.array([0.003, 0.0075, 0.019, 0.047, 0.117, 0.3, 0.75])
COUPLING = 0.3  # power of a step's noise by which its true size exceeds its share
#: Width of a step that changes nothing, in units of its own noise whatever the rows.
NOTHING = 0.03

# One row a kind of history: shares of the parts upwards, then downwards.
_UP = np.array(
    [
        [0.007, 0.014, 0.096, 0.150, 0.124, 0.004, 0.002],
        [0.008, 0.020, 0.332, 0.091, 0.008, 0.002, 0.001],
        [0.008, 0.017, 0.053, 0.054, 0.275, 0.038, 0.005],
        [0.081, 0.205, 0.127, 0.037, 0.012, 0.007, 0.006],
        [0.039, 0.054, 0.066, 0.110, 0.095, 0.138, 0.054],
    ]
)
_DOWN = np.array(
    [
        [0.006, 0.016, 0.063, 0.366, 0.145, 0.004, 0.003],
        [0.010, 0.019, 0.326, 0.175, 0.005, 0.002, 0.001],
        [0.005, 0.009, 0.031, 0.039, 0.411, 0.045, 0.009],
        [0.113, 0.196, 0.183, 0.014, 0.007, 0.006, 0.005],
        [0.063, 0.033, 0.040, 0.082, 0.044, 0.103, 0.079],
    ]
)
_SEEN = np.array([0.39, 0.38, 0.13, 0.07, 0.03])
# Real tables hold next to no step without any effect. Whoever submits one file under
# ten names, or turns knobs that do nothing, makes such histories: shares of nothing
# that are allowed for, and how likely each is beforehand. Their steps are of one sort,
# with noise alike; those of real tables differ threefold in it.
# So histories whose noise is alike are nearly all such.
_NOTHING_SHARES = (0.01, 0.4, 0.7, 0.9, 0.99)
_NOTHING_WEIGHTS = (0.88, 0.03, 0.03, 0.03, 0.03)
_NOTHING_ALIKE = (0.1, 0.05, 0.15, 0.3, 0.4)


def _kinds() -> tuple[FloatArray, FloatArray, FloatArray]:
    both = np.stack([_UP, _DOWN], axis=1)  # (kinds, 2, scales)
    both = both / both.sum(axis=(1, 2), keepdims=True)
    usual = np.tensordot(_SEEN, both, axes=1)[np.newaxis]
    rows, weights = [], []
    for share, *weight in zip(
        _NOTHING_SHARES, _NOTHING_WEIGHTS, _NOTHING_ALIKE, strict=True
    ):
        laws, likely = (both, _SEEN) if share < 0.1 else (usual, np.ones(1))
        nothing = np.full((len(laws), 2, 1), share / 2)
        rows.append(np.concatenate([nothing, (1 - share) * laws], axis=2))
        weights.append(np.outer(weight, likely))
    table, (shares, alike) = np.concatenate(rows), np.concatenate(weights, axis=1)
    return table.reshape(len(table), -1), shares, alike


#: Shares of the parts, one row a kind of history: nothing and `SCALES` upwards, then
#: downwards. How likely each kind is beforehand, and where the noise of all steps is
#: alike.
KINDS, KIND_SHARES, ALIKE_SHARES = _kinds()


def widths(noise: FloatArray, typical: float, rows: float) -> FloatArray:
    """Return the widths of true steps under each noise, the least first.

    Parameters
    ----------
    noise : ndarray of shape (n_noise,)
        Standard errors of a public difference.
    typical : float
        That of a typical step: noisier ones have larger true steps still.
    rows : float
        Public rows.

    Returns
    -------
    ndarray of shape (n_noise, 8)
    """
    grown = noise * (noise / typical) ** COUPLING * np.sqrt(rows)
    return np.concatenate(
        [NOTHING * noise[:, np.newaxis], grown[:, np.newaxis] * SCALES], axis=1
    )


def shifted(places: int) -> FloatArray:
    """Return the kinds with steps wider by ``places`` factors of 2.5.

    That is what a test set of 6.25 times the rows makes of them in units of noise.
    """
    n_scales = len(SCALES)
    both = KINDS.reshape(len(KINDS), 2, 1 + n_scales)
    moved: FloatArray = np.zeros_like(both)
    moved[:, :, 0] = both[:, :, 0]
    target = np.clip(np.arange(n_scales) + places, 0, n_scales - 1)
    for source, place in enumerate(target):
        moved[:, :, 1 + place] += both[:, :, 1 + source]
    return moved.reshape(KINDS.shape)
