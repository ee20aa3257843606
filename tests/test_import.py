"""``import lbsense`` stays light: in a notebook it is the first thing that runs."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

HEAVY = (
    "IPython",
    "jinja2",
    "kaggle",
    "matplotlib",
    "numba",
    "rich",
    "sklearn",
    "typer",
)
BASE = {"numpy", "pandas"}
MARK = "-- imports begin --"
_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|( *)(\S+)")


def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )


def own_seconds(importtime: str) -> float:
    """Return what all imports below the mark cost beyond numpy and pandas.

    That is their cumulative time without the whole subtree of any import of numpy or
    pandas. Python prints children before parents, two blanks deeper.
    """
    own, inside_base = 0, None
    for line in reversed(importtime.partition(MARK)[2].splitlines()):
        match = _LINE.match(line)
        if match is None:
            continue
        alone, _, indent, name = match.groups()
        depth = len(indent)
        if inside_base is not None and depth > inside_base:
            continue
        inside_base = depth if name.split(".")[0] in BASE else None
        if inside_base is None:
            own += int(alone)
    return own / 1e6


def seconds_of(code: str) -> float:
    marked = f"import sys; print({MARK!r}, file=sys.stderr, flush=True); {code}"
    return own_seconds(run(marked, "-X", "importtime").stderr)


@pytest.mark.parametrize("code", ["import lbsense", "from lbsense import *"])
def test_import_loads_nothing_heavy_and_writes_nothing(code: str) -> None:
    code += f"; print({MARK!r}); import sys; print(*sys.modules)"
    done = run(code, "-W", "error")
    written, _, loaded = done.stdout.partition(MARK)
    rooms = {name.split(".")[0] for name in loaded.split()}
    assert "lbsense" in rooms
    assert rooms.isdisjoint(HEAVY)
    assert (written, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("code", "most"), [("import lbsense", 0.3), ("from lbsense import *", 2.0)]
)
def test_import_costs_little_beyond_numpy_and_pandas(code: str, most: float) -> None:
    seconds = [seconds_of(code)]
    # A busy machine only ever delays a run: the fastest of several is what it costs.
    while min(seconds) >= most and len(seconds) < 9:
        seconds.append(seconds_of(code))
    assert 0 < min(seconds) < most


def test_own_seconds_leaves_out_the_start_and_the_base() -> None:
    importtime = f"""\
import time: self [us] | cumulative | imported package
import time:      9000 |       9000 | site
{MARK}
import time:         7 |          7 | lbsense
import time:        50 |         50 |     numpy.core
import time:       100 |        150 |   numpy
import time:       200 |        200 |     scipy.special
import time:        10 |        210 |   lbsense.stats
import time:        30 |        390 | lbsense.analysis
"""
    assert own_seconds(importtime) == pytest.approx(247e-6)


def test_the_lazy_door_of_the_reader_knows_every_name():
    ingest = importlib.import_module("lbsense.ingest")
    assert set(ingest._HOMES) == set(ingest.__all__)
    assert all(getattr(ingest, name) is not None for name in ingest.__all__)


def test_analyze_loads_no_pandas(tmp_path):
    lines = [
        f"{i},s{i}.csv,2026-03-0{i},cv 0.7{i},complete,0.7{i}" for i in range(1, 9)
    ]
    path = tmp_path / "submissions.csv"
    heads = "ref,fileName,date,description,status,publicScore"
    path.write_text("\n".join([heads, *lines]))
    code = (
        f"import sys, lbsense; print(lbsense.analyze(lbsense.read_kaggle({str(path)!r}, "
        "metric='roc_auc', test_size=2000, public_fraction=0.3)))"
        f"; print({MARK!r}); print(*sys.modules)"
    )
    loaded = run(code).stdout.partition(MARK)[2].split()
    assert "scipy.special" in loaded
    assert "pandas" not in loaded


def test_the_list_of_metrics_loads_no_numpy():
    loaded = run("import sys; from lbsense.metrics import METRICS; print(*sys.modules)")
    assert "lbsense.metrics.table" in loaded.stdout.split()
    assert "numpy" not in loaded.stdout.split()


def test_every_rule_of_a_metric_is_a_function_of_its_module():
    metrics = importlib.import_module("lbsense.metrics")
    found = []
    for metric in metrics.METRICS.values():
        rules = [metric.noise, metric.influence, *(a.noise for a in metric.averages)]
        for rule in filter(None, rules):
            inner = getattr(rule, "func", None)
            found += [rule] if inner is None else [inner, *rule.args]
    named = {(rule.module, rule.name) for rule in found}
    assert len(named) > 40
    for module, name in named:
        assert callable(
            getattr(importlib.import_module(f"lbsense.metrics.{module}"), name)
        )
