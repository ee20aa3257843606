"""Which rows a resample holds, as counts: one vector for all submissions at once.

Every scheme fills an array of shape ``(n_draws, n_obs)`` with how often each row was
drawn. A statistic of counts needs no copy of the rows, and all submissions see the same
draws. Generators are those of ``numpy.random.default_rng``, of 64 random bits a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lbsense._typing import IntArray
from lbsense._validation import check_count

__all__ = [
    "RowDraws",
    "block_totals",
    "cluster",
    "iid",
    "seeds",
    "series",
    "stratified",
]

Fill: TypeAlias = Callable[[np.random.Generator, IntArray], None]

_BLOCK = 256  # rows that one random byte chooses from
_CHUNK = 128  # blocks drawn together: their indices stay in the processor's cache


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDraws:
    """How rows are drawn.

    Attributes
    ----------
    scheme : str
        Name of the scheme.
    n : int
        Rows of one draw; where whole groups are drawn, on average.
    fill : callable
        Fills an array of counts from a generator.
    units : ndarray of int, shape (n_obs,)
        What is drawn as one: the row itself, its group or its block of time.
    """

    scheme: str
    n: int
    fill: Fill
    units: IntArray


def iid(n_obs: int, n: int, *, fast: bool = False) -> RowDraws:
    """Return draws of ``n`` rows, each equally likely, with replacement."""

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        if fast:
            from lbsense.stats.rows import _compiled

            totals = block_totals(rng, n_obs, n, len(counts), block=_compiled.BLOCK)
            _compiled.fill_counts(totals, seeds(rng, len(counts)), counts)
            return
        totals = block_totals(rng, n_obs, n, len(counts))
        for row, of_draw in zip(counts, totals, strict=True):
            for rows, position in drawn_positions(rng, of_draw, n_obs):
                stretch = row[rows]
                stretch[:] = np.bincount(position, minlength=len(stretch))

    return RowDraws(scheme="iid", n=n, fill=fill, units=np.arange(n_obs))


def block_totals(
    rng: np.random.Generator, n_obs: int, n: int, n_draws: int, *, block: int = _BLOCK
) -> IntArray:
    """Return how many of ``n`` drawn rows fall into every block of rows.

    Given these totals the rows within a block are uniform, so that a few random bits
    choose each of them: the draws are multinomial exactly, for an eighth of the random
    words.
    """
    widths = np.full(-(-n_obs // block), block)
    widths[-1] = n_obs - block * (len(widths) - 1)
    return rng.multinomial(n, widths / n_obs, size=n_draws)


def seeds(rng: np.random.Generator, n_draws: int) -> npt.NDArray[np.uint64]:
    """Return where the compiled loops start the random words of every draw."""
    return rng.integers(0, 2**64, size=n_draws, dtype=np.uint64)


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


def stratified(
    strata: npt.NDArray[np.generic], n: int, *, fast: bool = False
) -> RowDraws:
    """Return draws that hold every stratum in its share of the rows."""
    _, code, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    members = [np.flatnonzero(code == stratum) for stratum in range(len(sizes))]
    parts = [
        iid(int(size), int(share), fast=fast)
        for size, share in zip(sizes, _shares(sizes, n), strict=True)
    ]

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        for rows, part in zip(members, parts, strict=True):
            of_stratum = np.empty((len(counts), len(rows)), dtype=np.int64)
            part.fill(rng, of_stratum)
            counts[:, rows] = of_stratum

    return RowDraws(scheme="stratified", n=n, fill=fill, units=np.arange(len(strata)))


def cluster(groups: npt.NDArray[np.generic], n: int, *, fast: bool = False) -> RowDraws:
    """Return draws of whole groups of rows, each group equally likely."""
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n_groups = len(sizes)
    if n_groups < 2:
        msg = "groups must hold at least 2 different groups to be drawn from, got 1."
        raise ValueError(msg)
    part = iid(n_groups, max(1, round(n_groups * n / len(code))), fast=fast)

    def fill(rng: np.random.Generator, counts: IntArray) -> None:
        of_groups = np.empty((len(counts), n_groups), dtype=np.int64)
        part.fill(rng, of_groups)
        np.take(of_groups, code, axis=1, out=counts)

    return RowDraws(scheme="cluster", n=n, fill=fill, units=code)


def series(times: npt.NDArray[np.generic], n: int, length: int | None) -> RowDraws:
    """Return draws of blocks of rows that follow each other in time.

    Blocks wrap around from the last row to the first, so that every row is equally
    likely (Politis & Romano 1992); the last block of a draw is cut to give ``n`` rows.
    """
    n_obs = len(times)
    length = int(np.ceil(n_obs ** (1 / 3))) if length is None else length
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

    return RowDraws(scheme="block", n=n, fill=fill, units=place // length)


def _shares(sizes: IntArray, n: int) -> IntArray:
    """Return whole shares of ``n`` in proportion to sizes, by largest remainders."""
    exact = n * sizes / sizes.sum()
    shares = np.floor(exact).astype(np.int64)
    left = n - int(shares.sum())
    shares[np.argsort(shares - exact, kind="stable")[:left]] += 1
    return np.asarray(shares)
