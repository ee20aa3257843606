"""Which rows a resample holds, as counts: one vector for all submissions at once.

Every way fills an array of shape ``(n_draws, n_obs)`` with how often each row
was drawn. A statistic of counts needs no copy of the rows, and all submissions see the
same draws. Generators are those of ``numpy.random.default_rng``, of 64 random bits a
word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._typing import IntArray
from lbsense._validation import check_count

#: Fills an array of counts, a row for each draw, from a generator.
Fill: TypeAlias = Callable[[np.random.Generator, IntArray], None]

_BLOCK = 256  # rows that one random byte chooses from
_CHUNK = 128  # blocks drawn together: their indices stay in the processor's cache


def of_rows(n_obs: int, n: int) -> Fill:
    """Return draws of ``n`` rows, each equally likely, with replacement."""

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        totals = block_totals(rng, n_obs, n, len(counts))
        for row, of_draw in zip(counts, totals, strict=True):
            for rows, position in drawn_positions(rng, of_draw, n_obs):
                stretch = row[rows]
                stretch[:] = np.bincount(position, minlength=len(stretch))

    return fill


def block_totals(
    rng: np.random.Generator, n_obs: int, n: int, n_draws: int
) -> IntArray:
    """Return how many of ``n`` drawn rows fall into every block of rows.

    Given these totals the rows within a block are uniform, so that one random byte
    chooses each of them: the draws are multinomial exactly, for an eighth of the random
    words.
    """
    widths = np.full(-(-n_obs // _BLOCK), _BLOCK)
    widths[-1] = n_obs - _BLOCK * (len(widths) - 1)
    return rng.multinomial(n, widths / n_obs, size=n_draws)


def drawn_positions(
    rng: np.random.Generator, totals: IntArray, n_obs: int
) -> Iterator[tuple[slice, IntArray]]:
    """Yield one draw in pieces: a stretch of rows, and the places drawn within it."""
    n_whole = n_obs // _BLOCK
    starts = np.arange(0, _CHUNK * _BLOCK, _BLOCK)
    for first in range(0, n_whole, _CHUNK):
        of_blocks = totals[first : min(first + _CHUNK, n_whole)]
        position = np.repeat(starts[: len(of_blocks)], of_blocks)
        words = rng.bit_generator.random_raw(-(-len(position) // 8))
        position += words.view(np.uint8)[: len(position)]
        yield slice(first * _BLOCK, (first + len(of_blocks)) * _BLOCK), position
    if n_obs > n_whole * _BLOCK:
        width = n_obs - n_whole * _BLOCK
        yield slice(n_obs - width, n_obs), rng.integers(0, width, size=totals[-1])


def of_groups(groups: npt.NDArray[np.generic], n: int) -> Fill:
    """Return draws of whole groups of rows, each group equally likely."""
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n_groups = len(sizes)
    if n_groups < 2:
        msg = "groups must hold at least 2 different groups to be drawn from, got 1."
        raise ValueError(msg)
    part = of_rows(n_groups, max(1, round(n_groups * n / len(code))))

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        drawn = np.empty((len(counts), n_groups), dtype=np.int64)
        part(rng, drawn)
        np.take(drawn, code, axis=1, out=counts)

    return fill


def of_blocks(times: npt.NDArray[np.generic], n: int, length: int) -> Fill:
    """Return draws of blocks of rows that follow each other in time.

    Blocks wrap around from the last row to the first, so that every row is equally
    likely (Politis & Romano 1992); the last block of a draw is cut to give ``n`` rows.
    """
    n_obs = len(times)
    check_count(length, name="block_length")
    if length >= n_obs:
        msg = f"block_length must be below the number of rows, {n_obs}, got {length}."
        raise ValueError(msg)
    order = np.argsort(times, kind="stable")
    place = np.empty(n_obs, dtype=np.int64)
    place[order] = np.arange(n_obs)
    n_blocks = -(-n // length)
    widths = np.full(n_blocks, length)
    widths[-1] = n - length * (n_blocks - 1)

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        for row in counts:
            start = rng.integers(0, n_obs, size=n_blocks)
            change = np.bincount(start, minlength=2 * n_obs)
            change -= np.bincount(start + widths, minlength=2 * n_obs)
            twice = np.cumsum(change)
            row[:] = (twice[:n_obs] + twice[n_obs:])[place]

    return fill
