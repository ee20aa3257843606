"""``import lbsense`` stays light: in a notebook it is the first thing that runs."""

from __future__ import annotations

import importlib
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
MARK = "-- imports begin --"


def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("code", ["import lbsense", "from lbsense import *"])
def test_import_loads_nothing_heavy_and_writes_nothing(code: str) -> None:
    code += f"; print({MARK!r}); import sys; print(*sys.modules)"
    done = run(code, "-W", "error")
    written, _, loaded = done.stdout.partition(MARK)
    rooms = {name.split(".")[0] for name in loaded.split()}
    assert "lbsense" in rooms
    assert rooms.isdisjoint(HEAVY)
    assert (written, done.stderr) == ("", "")


def test_the_import_alone_loads_nothing_but_its_own_door() -> None:
    loaded = run("import lbsense, sys; print(*sys.modules)").stdout.split()
    others = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names
    others -= {
        name.split(".")[0]
        for name in run("import sys; print(*sys.modules)").stdout.split()
    }
    assert others == {"lbsense"}
    assert sum(name.startswith("lbsense") for name in loaded) <= 3


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
    assert "lbsense.metrics.record" in loaded.stdout.split()
    assert "numpy" not in loaded.stdout.split()


def test_what_commands_say_of_themselves_loads_nothing_that_computes():
    code = """
import sys
from typer.main import get_command
from lbsense.cli import COMMANDS, app
for name in COMMANDS:
    assert get_command(app).get_command(None, name).help, name
print(*sys.modules)
"""
    loaded = set(run(code).stdout.split())
    assert "lbsense.cli.history" in loaded
    assert loaded.isdisjoint({"numpy", "pandas", "scipy", "lbsense.ingest"})


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
