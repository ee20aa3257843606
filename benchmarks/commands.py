"""How long whole commands take, against ``python -c "import pandas"`` in the same run.

    python -m benchmarks.commands [--repeat 5]

Processor time of the process (user and system, the least of the repeats), since a busy
machine makes the clock on the wall tell of others. The wall's ratio stands beside it.
Modules are compiled beforehand, as installed ones are, into a folder of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lbsense.simulate import Scenario, simulate, write_exports

FACTS = ["--metric", "roc_auc", "--test-size", "20000", "--public-fraction", "0.3"]
LIMITS = {
    "--version": 0.6,
    "explain LBS301": 0.6,
    "formats": 0.6,
    "metrics": 0.6,
    "analyze, 40 submissions": 2.5,
    "pick, 40 submissions": 2.5,
    "report, 40 submissions": 3.5,
    "report, 290 submissions": 8.0,
}


def commands(folder: Path) -> dict[str, list[str]]:
    """Return every command by its name, its files written to a folder."""
    files = {}
    for n_submissions in (40, 290):
        made = simulate(Scenario(n_submissions=n_submissions, policy="both"), rng=1)
        write_exports(made, folder / str(n_submissions))
        files[n_submissions] = str(folder / str(n_submissions) / "submissions.csv")
    page = ["-o", str(folder / "page.html"), "--force"]
    return {
        "--version": ["--version"],
        "explain LBS301": ["explain", "LBS301"],
        "formats": ["formats"],
        "metrics": ["metrics"],
        "analyze, 40 submissions": ["analyze", files[40], *FACTS],
        "pick, 40 submissions": ["pick", files[40], *FACTS],
        "report, 40 submissions": ["report", files[40], *FACTS, *page],
        "report, 290 submissions": ["report", files[290], *FACTS, *page],
    }


def seconds(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return processor time and time on the wall of one process."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment
    )
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return (
        after.children_user
        + after.children_system
        - before.children_user
        - before.children_system,
        wall,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat

    def least(arguments: list[str]) -> tuple[float, float]:
        seconds(arguments, environment)
        runs = [seconds(arguments, environment) for _ in range(repeat)]
        return min(cpu for cpu, _ in runs), min(wall for _, wall in runs)

    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(folder) / "cache")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        base = least(["-c", "import pandas"])
        print(
            f"import pandas: {base[0]:.2f} s of processor, {base[1]:.2f} s on the wall"
        )
        print(f"{'command':<26}{'cpu':>7}{'wall':>7}{'limit':>7}")
        for name, words in commands(Path(folder)).items():
            cpu, wall = least(["-m", "lbsense", *words])
            ratios = f"{cpu / base[0]:>7.2f}{wall / base[1]:>7.2f}"
            over = "  over" if cpu / base[0] > LIMITS[name] else ""
            print(f"{name:<26}{ratios}{LIMITS[name]:>7.1f}{over}", flush=True)


if __name__ == "__main__":
    main()
