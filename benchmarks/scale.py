"""Time, memory, and how both grow: ``python -m benchmarks.scale [--quick] [NAME ...]``.

Each measurement runs in a process of its own, so that its peak of memory is its own.
"busy" are the seconds of the processors, which a machine that others use too does not
change. Growth is the exponent of these between two sizes: 1 is linear, 2 quadratic.
What is read counts where the name says "joint"; imports never do.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

#: What is measured: sizes, of which quick runs take the first two.
SIZES: dict[str, tuple[int, ...]] = {
    "read": (1_000, 10_000, 100_000),
    "analyze": (200, 1_000, 5_000, 20_000),
    "pick": (200, 1_000, 5_000, 20_000),
    "report": (200, 1_000, 5_000, 20_000),
    "predictions_200_csv": (1_000, 10_000, 100_000),
    "predictions_20_csv": (10_000, 100_000, 1_000_000),
    "joint_50_npy": (2_000, 20_000, 200_000),
    "joint_200_npy": (10_000, 100_000, 1_000_000),
    "joint_200_parquet": (10_000, 100_000, 1_000_000),
}
_SECONDS = 600  # after which a measurement is given up


def write_history(path: Path, n: int) -> None:
    """Write a history of ``n`` submissions: a slow climb, CV beside the board."""
    rng = np.random.default_rng(n)
    level = 0.7 + 0.2 * (1 - np.exp(-np.arange(n) / (n / 3)))
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) * 600, unit="s")
    pd.DataFrame(
        {
            "ref": np.arange(1, n + 1),
            "fileName": [f"sub_{i}.csv" for i in range(n)],
            "date": times.strftime("%Y-%m-%d %H:%M:%S"),
            "description": [f"exp{i}: more of the same" for i in range(n)],
            "status": "complete",
            "publicScore": (level + rng.normal(0, 0.004, n)).round(5),
            "cv": (level + rng.normal(0, 0.003, n)).round(5),
        }
    ).to_csv(path, index=False)


def write_predictions(folder: Path, n: int, k: int, suffix: str) -> None:
    """Write labels and out-of-fold predictions of ``k`` submissions on ``n`` rows."""
    rng = np.random.default_rng(n)
    labels, signal = rng.integers(0, 2, n), rng.random(n)
    ids = np.arange(n)
    table = pd.DataFrame({"id": ids, "target": labels})
    table.to_csv(folder / "train.csv", index=False)
    (folder / "oof").mkdir()
    for j in range(k):
        made = np.clip(0.2 * labels + 0.8 * signal + rng.normal(0, 0.1, n), 0, 1)
        path = folder / "oof" / f"oof_m{j}.{suffix}"
        if suffix == "csv":
            frame = pd.DataFrame({"id": ids, "prediction": made.round(6)})
            frame.to_csv(path, index=False)
        elif suffix == "parquet":
            pd.DataFrame({"id": ids, "prediction": made}).to_parquet(path)
        else:
            np.save(path, made)


def prepare(name: str, n: int, folder: Path) -> None:
    """Write what a measurement reads."""
    if name.startswith(("predictions", "joint")):
        _, k, suffix = name.split("_")
        write_predictions(folder, n, int(k), suffix)
    else:
        write_history(folder / "history.csv", n)


def work(name: str, folder: Path) -> Callable[[], object]:
    """Return what is measured; what it imports is loaded before."""
    import lbsense as lb
    from lbsense.report import write_report

    source = folder / "history.csv"

    def read() -> object:
        return lb.read_kaggle(
            source, metric="roc_auc", test_size=20_000, public_fraction=0.3
        )

    def predictions() -> object:
        train = folder / "train.csv"
        return lb.read_predictions(folder / "oof", labels=train, oof_ids=train)

    if name == "read":
        return read
    if name.startswith("predictions"):
        return predictions
    if name.startswith("joint"):
        return lambda: lb.noise_of(predictions(), "roc_auc", n=20_000, rng=0)
    history = read()
    if name == "analyze":
        check, judge = lb.run_checks, lb.analyze
        return lambda: check(judge(history))
    if name == "pick":
        return lambda: lb.analyze(history).picks
    return lambda: write_report(lb.analyze(history), folder / "report.html")


def measure(name: str, folder: Path) -> dict[str, float]:
    """Return seconds and the peak of memory of one measurement, in this process."""
    import resource

    run = work(name, folder)
    start, busy = time.perf_counter(), time.process_time()
    run()
    taken, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    page = folder / "report.html"
    size = page.stat().st_size / 1e6 if page.exists() else math.nan
    spent = {"seconds": taken, "seconds of the processor": busy}
    return {**spent, "gigabytes": peak, "megabytes of page": size}


def in_its_own_process(name: str, n: int) -> dict[str, float] | str:
    """Return a measurement, or why there is none."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepare(name, n, folder)
        command = [sys.executable, "-m", "benchmarks.scale", "--measure", name, made]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return f"given up after {_SECONDS} s"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["?"])[-1][:100]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SIZES))
    parser.add_argument("--quick", action="store_true", help="the two smallest sizes")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        name, folder = given.names
        print(json.dumps(measure(name, Path(folder))))
        return
    print(
        f"{'what':<20}{'size':>11}{'seconds':>9}{'busy':>8}{'GB':>7}{'page MB':>9}"
        f"{'growth':>8}"
    )
    for name in given.names or SIZES:
        before: tuple[int, float] | None = None
        for n in SIZES[name][: 2 if given.quick else None]:
            found = in_its_own_process(name, n)
            if isinstance(found, str):
                print(f"{name:<20}{n:>11,}  {found}", flush=True)
                break
            seconds = found["seconds of the processor"]
            growth = ""
            if before is not None:
                growth = (
                    f"{math.log(seconds / before[1]) / math.log(n / before[0]):.2f}"
                )
            page = found["megabytes of page"]
            shown = "" if math.isnan(page) else f"{page:.1f}"
            print(
                f"{name:<20}{n:>11,}{found['seconds']:>9.2f}{seconds:>8.2f}"
                f"{found['gigabytes']:>7.2f}{shown:>9}{growth:>8}",
                flush=True,
            )
            before = n, seconds


if __name__ == "__main__":
    main()
