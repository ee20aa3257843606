"""Follow three values through the house: ``python -m benchmarks.hops [--list]``.

A path in `read_kaggle`, a history in `analyze`, an analysis in `write_report`: each is
followed as the program runs, with what the functions that hold it make of it. A *hop*
is the first call that carries it from a function of one module to one of another; a
*return* is a hop to a module that it was in before. Checks and formats of the ground
floor are no hops. Many returns between two modules say that they share one idea; look
at them with ``--list``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import lbsense

_HOUSE = Path(lbsense.__file__).parent
_PLAIN = (bool, int, float, complex, type(None), type)
_LONG = 40  # characters from which a text is the value and no word about it
_MOST = 300  # parts of a value that are followed


@dataclass
class Journey:
    """Where a value went, in the order of the calls."""

    hops: list[tuple[str, str]] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    modules: list[str] = field(default_factory=list)
    n_returns: int = 0

    def enter(self, caller: str, called: str) -> None:
        """Count a call that carries the value."""
        self.functions.add(called)
        here, there = _module(caller), _module(called)
        helper = "/" not in there and there.startswith("_")
        if here == there or helper or (caller, called) in self.hops:
            return
        self.hops.append((caller, called))
        self.n_returns += there in self.modules
        self.modules += [name for name in (here, there) if name not in self.modules]


def follow(value: object, journey: Callable[[], object]) -> Journey:
    """Return where a value goes while a function runs."""
    kept: dict[int, object] = {}
    holding: set[int] = set()
    told = Journey()
    _keep(value, kept)

    def watch(frame: FrameType, event: str, given: Any) -> None:
        if event not in ("call", "return"):
            return
        name = _name(frame)
        if name is None:
            return
        if event == "call" and any(_holds(item, kept) for item in _arguments(frame)):
            holding.add(id(frame))
            caller = _caller(frame)
            if caller is not None:
                told.enter(caller, name)
        elif event == "return" and id(frame) in holding:
            holding.discard(id(frame))
            _keep(given, kept)

    sys.setprofile(watch)
    try:
        journey()
    finally:
        sys.setprofile(None)
    return told


def _module(name: str) -> str:
    return name.partition(":")[0]


def _name(frame: FrameType) -> str | None:
    path = frame.f_code.co_filename
    if not path.startswith(f"{_HOUSE}/"):
        return None
    return f"{path[len(str(_HOUSE)) + 1 : -3]}:{frame.f_code.co_qualname}"


def _caller(frame: FrameType) -> str | None:
    back = frame.f_back
    while back is not None:
        name = _name(back)
        if name is not None:
            return name
        back = back.f_back
    return None


def _arguments(frame: FrameType) -> list[object]:
    code = frame.f_code
    n = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4)
    n += bool(code.co_flags & 8)
    return [frame.f_locals.get(name) for name in code.co_varnames[:n]]


def _holds(item: object, kept: dict[int, object]) -> bool:
    if isinstance(item, dict):
        item = list(item.values())
    if isinstance(item, list | tuple):
        return id(item) in kept or any(id(part) in kept for part in item[:_MOST])
    return id(item) in kept


def _keep(value: object, kept: dict[int, object]) -> None:
    """Follow a value and its parts from here on."""
    short = isinstance(value, str | bytes) and bool(kept) and len(value) < _LONG
    if isinstance(value, _PLAIN) or short or id(value) in kept:
        return
    kept[id(value)] = value
    if isinstance(value, list | tuple):
        parts = list(value[:_MOST])
    elif is_dataclass(value):
        parts = [getattr(value, item.name, None) for item in fields(value)]
    else:
        return
    for part in parts:
        _keep(part, kept)


def journeys() -> dict[str, Journey]:
    """Follow the three values."""
    from lbsense.simulate import PRESETS, simulate, write_exports

    simulated = simulate(PRESETS["honest_climber"].scenario, rng=4)
    with tempfile.TemporaryDirectory() as folder:
        write_exports(simulated, folder)
        path = str(Path(folder) / "submissions.csv")
        told = {"metric": "roc_auc", "test_size": 20_000, "public_fraction": 0.4}
        history = lbsense.read_kaggle(path, **told)
        analysis = lbsense.analyze(
            history
        )  # all is imported before a value is followed
        page = str(Path(folder) / "report.html")
        lbsense.write_report(analysis, page)
        return {
            "a path in read_kaggle": follow(
                path, lambda: lbsense.read_kaggle(path, **told)
            ),
            "a history in analyze": follow(history, lambda: lbsense.analyze(history)),
            "an analysis in write_report": follow(
                analysis,
                lambda: lbsense.write_report(analysis, page),
            ),
        }


def main() -> None:
    """Print the counts, and with ``--list`` every hop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print every hop")
    shown = parser.parse_args().list
    head = ("value", "modules", "functions", "hops", "returns")
    print("{:30}{:>9}{:>11}{:>7}{:>9}".format(*head))
    for name, told in journeys().items():
        counts = (
            len(told.modules),
            len(told.functions),
            len(told.hops),
            told.n_returns,
        )
        print("{:30}{:9}{:11}{:7}{:9}".format(name, *counts))
        if shown:
            for caller, called in told.hops:
                print(f"    {caller} -> {called}")


if __name__ == "__main__":
    main()
