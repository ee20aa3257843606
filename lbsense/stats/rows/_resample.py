"""The loop over draws: in batches of bounded memory, on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from lbsense._typing import FloatArray
from lbsense._validation import check_count
from lbsense.stats.rows._weighted import Statistic
from lbsense.stats.rows.row_draws import RowDraws

__all__ = ["resample", "use_numba"]

_TASK = 200  # draws that share a generator
_MAX_THREADS = 8  # each holds a few arrays of the size of a batch
_WORTH_COMPILING = 200_000_000  # drawn rows: about a second without numba


def use_numba(engine: str, *, work: int, metric: Any) -> bool:
    """Say whether to run compiled loops, importing numba only when it may be wanted."""
    if engine not in ("auto", "numpy", "numba"):
        msg = f"engine must be 'auto', 'numpy' or 'numba', got {engine!r}."
        raise ValueError(msg)
    if engine == "numpy" or (engine == "auto" and work < _WORTH_COMPILING):
        return False
    if engine == "auto" and callable(metric):
        return False
    from lbsense.stats.rows import _compiled

    if engine == "numba" and not _compiled.AVAILABLE:
        msg = "engine='numba' needs numba. Install it (pip install lbsense[fast])."
        raise ImportError(msg)
    return _compiled.AVAILABLE


def resample(
    statistic: Statistic,
    draws: RowDraws,
    *,
    n_resamples: int,
    with_errors: bool,
    n_jobs: int | None,
    progress: Callable[[int, int], None] | None,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray | None]:
    """Return resampled scores of shape (n_resamples, k) and their standard errors.

    Every 200 draws have a generator of their own, so that threads change nothing.
    """
    n_obs = len(draws.units)
    batch = min(_TASK, max(1, statistic.batch // n_obs))
    starts = range(0, n_resamples, _TASK)
    children = rng.integers(0, 2**63, size=len(starts))
    scores = np.empty((n_resamples, statistic.n_scores))
    errors = np.empty_like(scores) if with_errors else None

    def run(start: int, child: int) -> int:
        stop = min(start + _TASK, n_resamples)
        generator = np.random.default_rng(child)
        if statistic.direct and draws.scheme == "iid" and errors is None:
            scores[start:stop, 0] = statistic.direct(generator, draws.n, stop - start)
            return stop
        buffer = np.empty((batch, n_obs), dtype=np.int64)
        for first in range(start, stop, batch):
            part = slice(first, min(first + batch, stop))
            counts = buffer[: part.stop - first]
            draws.fill(generator, counts)
            scores[part] = statistic(counts)
            if errors is not None:
                errors[part] = statistic.standard_errors(counts)
        return stop

    with ThreadPoolExecutor(_n_threads(statistic, n_jobs)) as pool:
        for done in pool.map(run, starts, children.tolist()):
            if progress is not None:
                progress(done, n_resamples)
    return scores, errors


def _n_threads(statistic: Statistic, n_jobs: int | None) -> int:
    """Return how many threads help: only compiled loops are free of Python's lock."""
    wanted = (
        os.cpu_count() or 1 if n_jobs is None else check_count(n_jobs, name="n_jobs")
    )
    return min(wanted, _MAX_THREADS) if statistic.fast else 1
