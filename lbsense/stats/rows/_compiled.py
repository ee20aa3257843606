"""Loops for numba. Imported only when numba is wanted; nothing rests on them.

Without numba the functions stay plain Python, right but slow. Random words come from
SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195), one stream per draw,
started from the caller's generator.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from lbsense._typing import FloatArray, IntArray

njit: Any
try:
    njit = importlib.import_module("numba").njit
except ImportError:
    njit = None

__all__ = ["AVAILABLE", "BLOCK", "auc_scores", "draw_auc", "fill_counts", "sum_rows"]

AVAILABLE = njit is not None

Places: TypeAlias = npt.NDArray[np.uint32]
Function = TypeVar("Function", bound=Callable[..., Any])

BLOCK = 4096  # rows that 12 random bits choose from: 5 of them a word, all in cache
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_27, _30, _31, _32 = (np.uint64(shift) for shift in (27, 30, 31, 32))
_12, _24, _36, _48 = (np.uint64(shift) for shift in (12, 24, 36, 48))
_PLACE, _HALF = np.uint64(0xFFF), np.uint64(0xFFFFFFFF)


def _compile(function: Function) -> Function:
    """Return the function compiled, free of Python's lock, and kept on disk."""
    if njit is None:
        return function
    jitted: Function = njit(nogil=True, cache=True)(function)
    return jitted


def _next(state: np.uint64) -> np.uint64:
    word = (state ^ (state >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    return np.uint64(word ^ (word >> _31))


_next = _compile(_next)


def fill_counts(totals: IntArray, seeds: Any, counts: IntArray) -> None:
    """Fill ``counts`` of shape (n_draws, n_obs) given how many rows fall in each block.

    ``totals`` of shape (n_draws, n_blocks) counts rows in blocks of ``BLOCK`` rows.
    """
    n_draws, n_obs = counts.shape
    for draw in range(n_draws):
        state = seeds[draw]
        row = counts[draw]
        row[:] = 0
        for block in range(totals.shape[1]):
            start = block * BLOCK
            left = totals[draw, block]
            if start + BLOCK <= n_obs:
                part = row[start : start + BLOCK]
                for _ in range(left // 5):
                    state += _STEP
                    word = _next(state)
                    part[word & _PLACE] += 1
                    part[(word >> _12) & _PLACE] += 1
                    part[(word >> _24) & _PLACE] += 1
                    part[(word >> _36) & _PLACE] += 1
                    part[(word >> _48) & _PLACE] += 1
                state += _STEP
                word = _next(state)
                for _ in range(left % 5):
                    part[word & _PLACE] += 1
                    word >>= _12
            else:
                part = row[start:]
                width = np.uint64(len(part))
                for _ in range(left):
                    state += _STEP
                    part[((_next(state) & _HALF) * width) >> _32] += 1


fill_counts = _compile(fill_counts)


def sum_rows(totals: IntArray, seeds: Any, values: FloatArray, out: FloatArray) -> None:
    """Fill ``out`` with the sum of the drawn ``values``, without keeping the counts."""
    n_obs = len(values)
    for draw in range(len(out)):
        state = seeds[draw]
        a = b = c = d = e = 0.0  # five chains of additions, none waits for another
        for block in range(totals.shape[1]):
            start = block * BLOCK
            left = totals[draw, block]
            if start + BLOCK <= n_obs:
                part = values[start : start + BLOCK]
                for _ in range(left // 5):
                    state += _STEP
                    word = _next(state)
                    a += part[word & _PLACE]
                    b += part[(word >> _12) & _PLACE]
                    c += part[(word >> _24) & _PLACE]
                    d += part[(word >> _36) & _PLACE]
                    e += part[(word >> _48) & _PLACE]
                state += _STEP
                word = _next(state)
                for _ in range(left % 5):
                    a += part[word & _PLACE]
                    word >>= _12
            else:
                part = values[start:]
                width = np.uint64(len(part))
                for _ in range(left):
                    state += _STEP
                    a += part[((_next(state) & _HALF) * width) >> _32]
        out[draw] = a + b + c + d + e


sum_rows = _compile(sum_rows)


def auc_scores(
    counts: IntArray,
    negative: Places,
    positive: Places,
    below: Places,
    not_above: Places,
    out: FloatArray,
) -> None:
    """Fill ``out`` with the AUC of every draw, nan where a class has no row.

    ``negative`` and ``positive`` are rows in the order of their predictions; a positive
    has ``below`` negatives below it and ``not_above`` below it or tied with it.
    """
    n_negative = len(negative)
    running = np.zeros(n_negative + 1, dtype=np.int32)
    for draw in range(len(out)):
        row = counts[draw]
        total = np.int64(0)
        for i in range(n_negative):
            total += row[negative[i]]
            running[i + 1] = total
        pairs = np.int64(0)
        n_positive = np.int64(0)
        for i in range(len(positive)):
            count = np.int64(row[positive[i]])
            n_positive += count
            beaten = np.int64(running[below[i]]) + np.int64(running[not_above[i]])
            pairs += count * beaten
        if total > 0 and n_positive > 0:
            out[draw] = pairs / 2.0 / (float(total) * float(n_positive))
        else:
            out[draw] = np.nan


auc_scores = _compile(auc_scores)


def draw_auc(
    totals: IntArray,
    seeds: Any,
    counts: Any,
    negative: Places,
    positive: Places,
    below: Places,
    not_above: Places,
    out: FloatArray,
) -> None:
    """Fill ``out`` with the AUC of drawn rows; ``counts`` (1, n_obs) is for scribbling.

    The counts of one draw stay in the processor's cache until its area is known.
    """
    for draw in range(len(out)):
        one = slice(draw, draw + 1)
        fill_counts(totals[one], seeds[one], counts)
        auc_scores(counts, negative, positive, below, not_above, out[one])


draw_auc = _compile(draw_auc)
