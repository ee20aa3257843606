"""Every regular expression runs in linear time, whatever the text that it meets."""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import re
import re._constants as codes
import re._parser as parser
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import lbsense

PACKAGE = Path(lbsense.__file__).parent
FUNCTIONS = {
    "match",
    "fullmatch",
    "search",
    "sub",
    "subn",
    "split",
    "findall",
    "finditer",
}
LENGTH = 4_000
SECONDS = 0.03  # at that length a linear one takes 0.001 and a quadratic one 0.1


def compiled() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the patterns that stand in the modules, also in their tables."""
    for info in pkgutil.walk_packages(lbsense.__path__, "lbsense."):
        if info.name == "lbsense.__main__":
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            for number, pattern in enumerate(within(value)):
                yield f"{info.name}.{name}.{number}", pattern


def within(value: object, depth: int = 2) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from within(item, depth - 1)
    elif depth and isinstance(value, (tuple, list)):
        for item in value:
            yield from within(item, depth - 1)


@cache
def calls() -> tuple[tuple[str, ast.Call], ...]:
    """Return the calls of functions of `re` with a pattern, and where they stand."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            ):
                continue
            owner = node.func.value
            if (
                isinstance(owner, ast.Name)
                and owner.id == "re"
                and node.func.attr in FUNCTIONS
            ):
                found.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", node))
    return tuple(found)


def written() -> dict[str, re.Pattern[str]]:
    """Return the patterns that stand in a call, as text."""
    found = {}
    for place, node in calls():
        pattern = node.args[0]
        if isinstance(pattern, ast.Constant):
            found[place] = re.compile(pattern.value)
    return found


PATTERNS = {
    f"{pattern.pattern}/{pattern.flags}": (name, pattern)
    for name, pattern in [*compiled(), *written().items()]
}


def alphabet(pattern: re.Pattern[str]) -> list[str]:
    """Return characters that the pattern speaks of, one for each class of them."""
    found: dict[str, None] = {}

    def visit(items) -> None:
        for op, value in items:
            if op is codes.LITERAL:
                found[chr(value)] = None
            elif op is codes.NOT_LITERAL:
                found["%"] = None
            elif op is codes.RANGE:
                found[chr(value[0])] = None
            elif op is codes.CATEGORY:
                found[CATEGORIES.get(value, "a")] = None
            elif op is codes.ANY:
                found["a"] = None
            elif isinstance(value, (list, tuple, parser.SubPattern)):
                visit_any(value)

    def visit_any(value) -> None:
        if isinstance(value, parser.SubPattern):
            visit(value)
        elif isinstance(value, (list, tuple)):
            if len(value) == 2 and value[0] in codes.OPCODES:
                visit([value])
            else:
                for item in value:
                    visit_any(item)

    visit(parser.parse(pattern.pattern, pattern.flags))
    return list(found)


CATEGORIES = {
    codes.CATEGORY_DIGIT: "7",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_WORD: "-",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_NOT_DIGIT: "a",
}


def runs(pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield long runs of the pattern's own alphabet, whole and broken at the end."""
    letters = alphabet(pattern)
    words = re.findall(r"[a-z]{2,}", pattern.pattern)[:12]
    for piece in dict.fromkeys([*letters, "a", "7", " ", *words]):
        run = piece * (LENGTH // len(piece))
        yield run
        yield f"{run}\n!"
    few = letters[:: max(1, len(letters) // 12)]
    for one, other in itertools.permutations(dict.fromkeys([*few, "a", "7", " "]), 2):
        yield (one + other) * (LENGTH // 2) + "!"
        yield one * (LENGTH // 2) + other * (LENGTH // 2) + "!"
    for word in words:
        for letter in few:
            yield word + letter * LENGTH + "!"


def seconds(use, run: str) -> float:
    """Return the time that a call computes: the least of some if the machine is busy."""
    least = float("inf")
    for _ in range(3):
        start = time.thread_time()
        use(run)
        least = min(least, time.thread_time() - start)
        if least < SECONDS:
            break
    return least


def functions(name: str) -> set[str]:
    """Return the functions that a pattern is used with; all kinds if nobody can say."""
    if ":" in name:
        return {node.func.attr for place, node in calls() if place == name}
    module, variable, _ = name.rsplit(".", 2)
    source = Path(importlib.import_module(module).__file__).read_text(encoding="utf-8")
    return set(re.findall(rf"\b{variable}\.(\w+)\(", source)) & FUNCTIONS or FUNCTIONS


@pytest.mark.parametrize("key", PATTERNS)
def test_linear_time(key):
    name, pattern = PATTERNS[key]
    used = functions(name)
    kinds = {"match", "fullmatch"} & used | (
        {"search"} if used - {"match", "fullmatch"} else set()
    )
    for kind, run in itertools.product(sorted(kinds), runs(pattern)):
        for length in (300, LENGTH):  # what is cubic is seen before it takes for ever
            text = run[: length // 2] + run[-length // 2 :]
            taken = seconds(getattr(pattern, kind), text)
            shown = f"{text[:12]!r}...{text[-6:]!r}"
            assert taken < SECONDS, f"{name}: {kind} of {shown} took {taken:.2f} s"


def test_a_pattern_in_a_call_is_text_or_a_name_of_the_module():
    """So that the test above sees all of them."""
    for place, node in calls():
        pattern = node.args[0]
        assert isinstance(pattern, (ast.Constant, ast.Name)), place
