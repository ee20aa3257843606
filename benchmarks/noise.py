"""Joint noise against the tools that competitors use today: speed, memory, agreement.

    python benchmarks/noise.py                    # the tables of docs/noise.md
    python benchmarks/noise.py speed memory       # some of them

Needs arch beside the project's own dependencies.
Peers are timed on fewer draws and extrapolated to 10,000; ours run all of them. Every
time is the best of three, peer and ours by turns.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn import metrics as sk

from lbsense.metrics import influence
from lbsense.stats import bootstrap, resample_confusion
from lbsense.stats.rows.joint import row_covariance, score_draws

B = 10_000
K = 50
SEED = 20_240_601


@dataclass(frozen=True)
class Row:
    """One line of the table: what is done, by whom, and how much faster it must be."""

    title: str
    peer_title: str
    target: float
    make: Callable[[], dict[str, Any]]
    ours: Callable[[dict[str, Any]], Any]
    peer: Callable[[dict[str, Any], int], Any]
    peer_draws: int
    peer_repeats: int = 1  # submissions that the peer must be run on one by one


def ranked(n: int, k: int) -> dict[str, Any]:
    """Labels with 30% positives, and k alike predictions with an AUC of about .85."""
    rng = np.random.default_rng(SEED)
    y = (rng.random(n) < 0.3).astype(int)
    signal = 1.5 * y + rng.normal(size=n)
    prob = stats.norm.cdf(signal[:, np.newaxis] - 1 + 0.2 * rng.normal(size=(n, k)))
    return {"y": y, "prob": prob.clip(1e-6, 1 - 1e-6)}


def losses(n: int) -> dict[str, Any]:
    data = ranked(n, 1)
    data["rows"] = log_losses(data["y"], data["prob"])[:, 0]
    return data


def log_losses(y: Any, prob: Any) -> Any:
    return -np.log(np.where(y[:, np.newaxis] == 1, prob, 1 - prob))


def binary(n: int) -> dict[str, Any]:
    data = ranked(n, 1)
    return {"y": data["y"], "guess": (data["prob"][:, 0] > 0.5).astype(int)}


def ratings(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    y = rng.integers(0, 5, n)
    return {"y": y, "guess": np.clip(y + rng.integers(-1, 2, n), 0, 4)}


def joint(data: dict[str, Any], metric: str) -> Any:
    """Scores, covariance of all submissions and 10,000 draws from their joint law."""
    rows = influence(metric, data["y"], data["prob"])
    covariance = row_covariance(rows.psi) / rows.n_obs
    return score_draws(rows.scores, covariance, n_draws=B, rng=0)


def scipy_auc(data: dict[str, Any], draws: int) -> Any:
    return stats.bootstrap(
        (data["y"], data["prob"][:, 0]),
        sk.roc_auc_score,
        paired=True,
        vectorized=False,
        n_resamples=draws,
        method="percentile",
        random_state=SEED,
    )


def auc_by_ranks(y: Any, prob: Any, axis: int = -1) -> Any:
    """AUC of many resamples at once, from midranks."""
    n_positive = y.sum(axis=axis)
    of_positive = (stats.rankdata(prob, axis=axis) * y).sum(axis=axis)
    pairs = n_positive * (y.shape[axis] - n_positive)
    return (of_positive - n_positive * (n_positive + 1) / 2) / pairs


def scipy_auc_vectorised(data: dict[str, Any], draws: int) -> Any:
    return stats.bootstrap(
        (data["y"], data["prob"][:, 0]),
        auc_by_ranks,
        paired=True,
        vectorized=True,
        n_resamples=draws,
        batch=20,
        method="percentile",
        random_state=SEED,
    )


def arch_means(rows: Any, draws: int) -> Any:
    from arch.bootstrap import IIDBootstrap

    return IIDBootstrap(rows, seed=SEED).apply(lambda x: x.mean(axis=0), draws)


def sklearn_loop(data: dict[str, Any], draws: int, metric: Callable[..., float]) -> Any:
    rng = np.random.default_rng(SEED)
    y, guess = data["y"], data["guess"]
    scores = []
    for _ in range(draws):
        rows = rng.integers(0, len(y), len(y))
        scores.append(metric(y[rows], guess[rows]))
    return scores


def kappa(y: Any, guess: Any) -> float:
    return float(sk.cohen_kappa_score(y, guess, weights="quadratic"))


ROWS = (
    Row(
        title="joint law, 50 submissions, AUC, n = 20,000",
        peer_title="scipy bootstrap of sklearn's AUC",
        target=5000,
        make=lambda: ranked(20_000, K),
        ours=lambda d: joint(d, "roc_auc"),
        peer=scipy_auc,
        peer_draws=20,
        peer_repeats=K,
    ),
    Row(
        title="joint law, 50 submissions, log loss, n = 100,000",
        peer_title="arch, means of 50 columns of losses",
        target=500,
        make=lambda: ranked(100_000, K),
        ours=lambda d: joint(d, "log_loss"),
        peer=lambda d, draws: arch_means(d["losses"], draws),
        peer_draws=20,
    ),
    Row(
        title="F1, n = 100,000",
        peer_title="sklearn f1_score in a loop",
        target=5000,
        make=lambda: binary(100_000),
        ours=lambda d: resample_confusion(d["y"], d["guess"], metric="f_beta", rng=0),
        peer=lambda d, draws: sklearn_loop(d, draws, sk.f1_score),
        peer_draws=20,
    ),
    Row(
        title="QWK, n = 100,000",
        peer_title="sklearn cohen_kappa_score in a loop",
        target=5000,
        make=lambda: ratings(100_000),
        ours=lambda d: resample_confusion(
            d["y"], d["guess"], metric="quadratic_kappa", rng=0
        ),
        peer=lambda d, draws: sklearn_loop(d, draws, kappa),
        peer_draws=20,
    ),
    Row(
        title="bootstrap AUC, n = 20,000",
        peer_title="scipy bootstrap, vectorised",
        target=15,
        make=lambda: ranked(20_000, 1),
        ours=lambda d: bootstrap("roc_auc", d["y"], d["prob"], rng=0),
        peer=scipy_auc_vectorised,
        peer_draws=200,
    ),
    Row(
        title="bootstrap log loss, n = 100,000",
        peer_title="arch, mean of row losses",
        target=1,
        make=lambda: losses(100_000),
        ours=lambda d: bootstrap("mean", None, d["rows"], rng=0),
        peer=lambda d, draws: arch_means(d["rows"], draws),
        peer_draws=500,
    ),
)


def ratio(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def print_speed() -> None:
    print(f"\nSpeed, B = {B:,}: seconds of the peer (extrapolated) and of lbsense\n")
    print(
        f"{'work':<50} {'peer':<36} {'B run':>6} {'peer s':>9} {'ours s':>8} "
        f"{'ratio':>8} {'target':>7}"
    )
    for row in ROWS:
        data = row.make()
        if "columns of losses" in row.peer_title:
            data["losses"] = log_losses(data["y"], data["prob"])  # given to the peer
        ours, peer = [], []
        for _ in range(3):
            ours.append(seconds(lambda row=row, data=data: row.ours(data)))
            peer.append(
                seconds(lambda row=row, data=data: row.peer(data, row.peer_draws))
            )
        scale = B / row.peer_draws * row.peer_repeats
        slow, fast = min(peer) * scale, min(ours)
        print(
            f"{row.title:<50} {row.peer_title:<36} {row.peer_draws:>6} {slow:>9,.1f} "
            f"{fast:>8.3f} {ratio(slow / fast):>8} {row.target:>7,.0f}",
            flush=True,
        )


def megabytes(field: str) -> float:
    """Return the memory of this process as Linux tells it: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return (
        float(next(line for line in lines if line.startswith(field)).split()[1]) / 1024
    )


def peak_of(index: int) -> tuple[float, float]:
    """Return megabytes with the data made and at the peak; runs in a fresh process."""
    data = ROWS[index].make()
    before = megabytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew from here
    ROWS[index].ours(data)
    return before, megabytes("VmHWM")


def print_memory() -> None:
    print("\nPeak memory of a fresh process, MB (libraries and data included)\n")
    print(f"{'work':<50} {'with data':>10} {'peak':>8} {'limit':>6}")
    context = multiprocessing.get_context("spawn")
    for index, row in enumerate(ROWS):
        with context.Pool(1) as pool:
            before, peak = pool.apply(peak_of, (index,))
        print(f"{row.title:<50} {before:>10.0f} {peak:>8.0f} {500:>6}", flush=True)


def plain_bootstrap(metric: Callable[..., float], y: Any, p: Any, draws: int) -> float:
    """Return the spread of a metric over resampled rows, the long way."""
    rng = np.random.default_rng(SEED + 1)
    scores = np.empty(draws)
    for draw in range(draws):
        rows = rng.integers(0, len(y), len(y))
        scores[draw] = metric(y[rows], p[rows])
    return float(scores.std(ddof=1))


def plain_f1(y: Any, guess: Any) -> float:
    return 2 * float((y & guess).sum()) / float(y.sum() + guess.sum())


def plain_kappa(y: Any, guess: Any) -> float:
    distance = ((y - guess) ** 2).mean()
    by_chance = y.var() + guess.var() + (y.mean() - guess.mean()) ** 2
    return float(1 - distance / by_chance)


def print_agreement(draws: int) -> None:
    print(
        f"\nStandard errors at n = 2,000 over those of a plain bootstrap of {draws:,} "
        "draws\n(its own Monte Carlo error is "
        f"{100 / np.sqrt(2 * draws):.2f}%, that of 40,000 draws .35%)\n"
    )
    data, labels, rated = ranked(2000, 1), binary(2000), ratings(2000)
    rng = np.random.default_rng(SEED)
    y = rng.normal(size=2000)
    values = {"y": y, "pred": y + rng.normal(0, 0.5, 2000)}
    prob = data["prob"][:, 0]
    more = {"n_resamples": 40_000, "rng": 3}
    cases: list[tuple[str, Any, Any, Callable[..., float], Callable[[], Any]]] = [
        (
            "accuracy",
            labels["y"],
            labels["guess"],
            lambda y, p: (y == p).mean(),
            lambda: resample_confusion(
                labels["y"], labels["guess"], metric="accuracy", **more
            ),
        ),
        (
            "f1",
            labels["y"],
            labels["guess"],
            plain_f1,
            lambda: resample_confusion(
                labels["y"], labels["guess"], metric="f_beta", **more
            ),
        ),
        (
            "mcc",
            labels["y"],
            labels["guess"],
            lambda y, p: np.corrcoef(y, p)[0, 1],
            lambda: resample_confusion(
                labels["y"], labels["guess"], metric="mcc", **more
            ),
        ),
        (
            "qwk",
            rated["y"],
            rated["guess"],
            plain_kappa,
            lambda: resample_confusion(
                rated["y"], rated["guess"], metric="quadratic_kappa", **more
            ),
        ),
        (
            "roc_auc",
            data["y"],
            prob,
            auc_by_ranks,
            lambda: bootstrap("roc_auc", data["y"], prob, **more),
        ),
        (
            "log_loss",
            data["y"],
            prob,
            lambda y, p: log_losses(y, p[:, np.newaxis]).mean(),
            lambda: bootstrap(
                "mean", None, log_losses(data["y"], data["prob"]), **more
            ),
        ),
        (
            "brier",
            data["y"],
            prob,
            lambda y, p: ((y - p) ** 2).mean(),
            lambda: bootstrap("mean", None, (data["y"] - prob) ** 2, **more),
        ),
        (
            "rmse",
            values["y"],
            values["pred"],
            lambda y, p: np.sqrt(((y - p) ** 2).mean()),
            lambda: None,
        ),
        (
            "mae",
            values["y"],
            values["pred"],
            lambda y, p: np.abs(y - p).mean(),
            lambda: bootstrap("mean", None, np.abs(y - values["pred"]), **more),
        ),
    ]
    print(f"{'metric':<10} {'plain':>10} {'influence':>10} {'counted draws':>14}")
    for name, true, guess, metric, counted in cases:
        plain = plain_bootstrap(metric, true, guess, draws)
        linear = influence(name, true, guess).scores_se[0]
        drawn = counted()
        by_draws = "-" if drawn is None else f"{drawn.se[0] / plain:.4f}"
        print(
            f"{name:<10} {plain:>10.6f} {linear / plain:>10.4f} {by_draws:>14}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["speed", "memory", "agreement"])
    parser.add_argument("--draws", type=int, default=100_000, help="plain bootstrap")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, "
        f"{os.cpu_count()} processors, {platform.machine()} {platform.system()}"
    )
    if "speed" in options.parts:
        print_speed()
    if "memory" in options.parts:
        print_memory()
    if "agreement" in options.parts:
        print_agreement(options.draws)


if __name__ == "__main__":
    sys.exit(main())
