"""The floors of the house: who may import whom, and who may touch the world."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

import lbsense

PACKAGE = Path(lbsense.__file__).parent
MOST_LINES = 700

# Rooms by floor. Only the lowest floor's rooms may import each other.
FLOORS = {
    "errors": 1,
    "_typing": 1,
    "_validation": 1,
    "_files": 1,
    "_format": 1,
    "_painter": 1,
    "_result": 1,
    "_version": 1,
    "_codes": 1,
    "model": 2,
    "metrics": 2,
    "stats": 2,
    "ingest": 3,
    "simulate": 3,
    "facts": 3,
    "ledger": 4,
    "words": 4,
    "analysis": 5,
    "checks": 6,
    "plots": 7,
    "report": 8,
    "cli": 9,
    "__init__": 10,
    "__main__": 10,
}

READERS = {"ingest"}
WRITERS = {"_files"}
PRINTERS = {"cli"}
READING_METHODS = {"read_text", "read_bytes"}
WRITING_METHODS = {"write_text", "write_bytes", "savefig"}
NUMPY_READERS = {"load", "loadtxt", "genfromtxt", "fromfile", "memmap"}
NUMPY_WRITERS = {"save", "savez", "savez_compressed", "savetxt"}
FRAME_WRITERS = {"to_csv", "to_json", "to_excel", "to_parquet", "to_pickle", "to_html"}
RANDOM_TYPES = {
    "BitGenerator",
    "Generator",
    "PCG64",
    "Philox",
    "SeedSequence",
    "default_rng",
}
DIRECTION_WORDS = {
    "direction",
    "greater_is_better",
    "higher_is_better",
    "is_higher_better",
    "lower_is_better",
    "maximize",
    "minimize",
}


@dataclass(frozen=True)
class Module:
    """One source file, parsed."""

    path: Path
    package: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def name(self) -> str:
        """Return the dotted name; a package has the name of its folder."""
        parts = [self.package.name, *self.path.relative_to(self.package).parts]
        parts[-1] = parts[-1].removesuffix(".py")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def room(self) -> str:
        return room_of(self.name, self.package.name)

    @cached_property
    def is_door(self) -> bool:
        """Return whether the module is the front of a room, or the whole of one."""
        front = self.path.name == "__init__.py" or bool(self.public)
        return front and self.name.count(".") == 1 and self.room[0] != "_"

    @cached_property
    def public(self) -> set[str]:
        """Return the names in ``__all__``."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == (
                "__all__"
            ):
                return set(ast.literal_eval(node.value))
        return set()

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    def imports(self, *, for_types: bool) -> Iterator[tuple[str, int]]:
        """Yield dotted names and lines: of run-time imports, or of those for types."""
        for name, line, typed in self._imports:
            if typed is for_types:
                yield name, line

    @cached_property
    def _imports(self) -> list[tuple[str, int, bool]]:
        typed = {
            id(inner)
            for node in self.nodes
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for statement in node.body
            for inner in ast.walk(statement)
        }
        found = []
        for node in self.nodes:
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                names = [f"{base}.{item.name}" for item in node.names]
            elif isinstance(node, ast.Call) and _is_loader(node.func):
                given = node.args[:1]
                names = [a.value for a in given if isinstance(a, ast.Constant)]
            line = getattr(node, "lineno", 0)
            found += [(name, line, id(node) in typed) for name in names]
        return found

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        is_package = self.path.name == "__init__.py"
        parts = self.name.split(".")
        kept = parts[: len(parts) - node.level + is_package]
        return ".".join([*kept, *([node.module] if node.module else [])])


def _is_loader(function: ast.expr) -> bool:
    return ast.unparse(function).rpartition(".")[2] in ("import_module", "__import__")


def room_of(name: str, package: str) -> str:
    parts = name.split(".")
    if parts[0] != package:
        return ""
    return parts[1] if len(parts) > 1 else "__init__"


def modules_of(package: Path) -> list[Module]:
    return [Module(path, package) for path in sorted(package.rglob("*.py"))]


def violations(package: Path) -> list[str]:
    """Return everything in a package that its architecture forbids."""
    modules = modules_of(package)
    found = [text for module in modules for text in broken_rules(module, modules)]
    return found + cycles(modules)


def broken_rules(module: Module, modules: list[Module]) -> Iterator[str]:
    where = f"{module.path.relative_to(module.package.parent)}"
    for line, text in [
        *upward_imports(module, modules),
        *private_imports(module, modules),
        *loose_statements(module),
        *forbidden_calls(module),
        *forbidden_randomness(module),
        *forbidden_direction(module),
    ]:
        yield f"{where}:{line}: {text}"
    leaf = module.name.rpartition(".")[2]
    if module.name.count(".") > 1 and leaf[0] == "_":
        yield f"{where}: inside a room names need no underscore"
    if module.name.count(".") > 1 and module.public:
        yield f"{where}: only the door of a room has an __all__"
    n_lines = len(module.path.read_text(encoding="utf-8").splitlines())
    if n_lines > MOST_LINES:
        yield f"{where}: {n_lines} lines, at most {MOST_LINES} are allowed"


def imported_modules(
    module: Module, modules: list[Module], *, for_types: bool
) -> Iterator[tuple[str, int]]:
    """Yield the modules of the package itself that a module imports."""
    known = {item.name for item in modules}
    for name, line in module.imports(for_types=for_types):
        if name in known:
            yield name, line
        elif name.rpartition(".")[0] in known:
            yield name.rpartition(".")[0], line


def upward_imports(module: Module, modules: list[Module]) -> Iterator[tuple[int, str]]:
    if module.room not in FLOORS:
        yield 1, f"{module.room} has no floor: give it one in this test and the design"
        return
    for for_types in (False, True):
        for name, line in imported_modules(module, modules, for_types=for_types):
            room = room_of(name, module.package.name)
            if room == module.room:
                continue
            floor, other = FLOORS[module.room], FLOORS.get(room, 0)
            if other > floor or (other == floor and floor > 1):
                yield line, f"{module.room} (floor {floor}) imports {name} ({other})"


def private_imports(module: Module, modules: list[Module]) -> Iterator[tuple[int, str]]:
    """Yield what is imported from another package and not in its ``__all__``."""
    doors = {item.name: item.public for item in modules if item.is_door}
    for for_types in (False, True):
        for name, line in module.imports(for_types=for_types):
            door = ".".join(name.split(".")[:2])
            if door not in doors or room_of(name, module.package.name) == module.room:
                continue
            if name != door and name.removeprefix(f"{door}.") not in doors[door]:
                yield line, f"{name} is not in the __all__ of {door}"


LAZY_ROOMS = {"ingest", "metrics"}


def loose_statements(module: Module) -> Iterator[tuple[int, str]]:
    """Yield what an ``__init__`` holds beside docstring, imports and ``__all__``.

    The top one, the reader and the metrics may also re-export names on first use, and
    the top one names the painter.
    """
    if module.path.name != "__init__.py":
        return
    allowed = {"__all__"}
    if module.path.parent == module.package or module.room in LAZY_ROOMS:
        allowed |= {"_HOMES", "_ROOMS", "__getattr__", "__dir__"}
    if module.path.parent == module.package:
        allowed |= {"_paint", "use_painter(_paint)"}
    for number, node in enumerate(module.tree.body):
        is_docstring = number == 0 and ast.get_docstring(module.tree) is not None
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == (
            "TYPE_CHECKING"
        )
        named = {getattr(node, "name", "")}
        if isinstance(node, ast.Assign):
            named = {getattr(target, "id", "") for target in node.targets}
        if isinstance(node, ast.Expr):
            named = {ast.unparse(node)}
        if not (is_docstring or is_import or is_for_types or named <= allowed):
            yield node.lineno, "an __init__ holds docstring, re-exports and __all__"


def forbidden_calls(module: Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in ("sys.stdout", "sys.stderr")
            and module.room not in PRINTERS
        ):
            yield node.lineno, "only cli writes to the terminal"
        if not isinstance(node, ast.Call):
            continue
        deed = deed_of(node)
        if deed == "print" and module.room not in PRINTERS:
            yield node.lineno, "only cli prints"
        if deed == "read" and module.room not in READERS:
            yield node.lineno, f"only ingest reads files: {ast.unparse(node.func)}"
        drawn = module.room == "report" and ast.unparse(node.func).endswith("savefig")
        if deed == "write" and module.room not in WRITERS and not drawn:
            yield node.lineno, f"files are not written here: {ast.unparse(node.func)}"


def deed_of(call: ast.Call) -> str | None:
    """Say whether a call prints, reads a file or writes one."""
    function = call.func
    if isinstance(function, ast.Name):
        if function.id == "print":
            return "print"
        return opening(call, mode_at=1) if function.id == "open" else None
    if not isinstance(function, ast.Attribute):
        return None
    owner, name = ast.unparse(function.value), function.attr
    if name in READING_METHODS:
        return "read"
    if name in WRITING_METHODS:
        return "write"
    if owner in ("pd", "pandas"):
        return "read" if name.startswith("read_") else None
    if owner in ("np", "numpy"):
        by_name = dict.fromkeys(NUMPY_READERS, "read")
        return (by_name | dict.fromkeys(NUMPY_WRITERS, "write")).get(name)
    if name in FRAME_WRITERS and call.args:
        return "write"
    if name == "open" and owner in ("io", "gzip", "bz2", "lzma", "codecs"):
        return opening(call, mode_at=1)
    return opening(call, mode_at=0) if name == "open" and owner != "os" else None


def opening(call: ast.Call, *, mode_at: int) -> str:
    given = [word.value for word in call.keywords if word.arg == "mode"]
    given += call.args[mode_at : mode_at + 1]
    modes = (item.value for item in given if isinstance(item, ast.Constant))
    writes = any(re.fullmatch("[rbt]*[wax+][rbt+]*", str(mode)) for mode in modes)
    return "write" if writes else "read"


def forbidden_randomness(module: Module) -> Iterator[tuple[int, str]]:
    for name, line in module.imports(for_types=False):
        if name.split(".")[0] == "random":
            yield line, "draws come from a numpy Generator, not from random"
        owner, _, drawn = name.rpartition(".")
        if owner == "numpy.random" and drawn not in RANDOM_TYPES:
            yield line, f"numpy.random.{drawn} draws from the global state"
    for node in module.nodes:
        if (
            isinstance(node, ast.Attribute)
            and ast.unparse(node.value) in ("np.random", "numpy.random")
            and node.attr not in RANDOM_TYPES
        ):
            yield node.lineno, f"np.random.{node.attr} draws from the global state"


def forbidden_direction(module: Module) -> Iterator[tuple[int, str]]:
    """Yield direction logic in stats, where larger is better already."""
    if module.room != "stats":
        return
    for node in module.nodes:
        named: set[str] = set()
        if isinstance(node, ast.arg):
            named = {node.arg}
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            named = {
                getattr(inner, "id", getattr(inner, "attr", ""))
                for inner in ast.walk(node.test)
            }
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named = {node.target.id}
        for word in sorted(named & DIRECTION_WORDS):
            line = getattr(node, "lineno", 1)
            yield line, f"{word}: direction ends in History.scores(), below stats"


def cycles(modules: list[Module]) -> list[str]:
    """Return the rings of modules that import each other, if only for types."""
    graph = {
        module.name: {
            name
            for for_types in (False, True)
            for name, _ in imported_modules(module, modules, for_types=for_types)
            if name != module.name
        }
        for module in modules
    }
    done: set[str] = set()
    found: list[str] = []

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            ring = [*trail[trail.index(name) :], name]
            found.append("import cycle: " + " -> ".join(ring))
        elif name not in done:
            for other in sorted(graph[name]):
                visit(other, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])
    return found


def test_package_keeps_to_its_architecture() -> None:
    found = violations(PACKAGE)
    assert not found, "\n".join(found)


def test_every_room_of_the_package_is_checked() -> None:
    assert {"model", "stats", "cli", "_format"} <= {
        module.room for module in modules_of(PACKAGE)
    }


# Below: the checker itself is able to fail.


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return an empty, lawful package called lbsense."""
    package = tmp_path / "lbsense"
    for room in ("model", "stats", "analysis", "ingest", "cli"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text(
            '"""A room."""\n\n__all__ = ["thing", "x"]\n'
        )
    (package / "__init__.py").write_text('"""Top."""\n')
    (package / "errors.py").write_text('"""Errors."""\n')
    return package


def build(package: Path, path: str, source: str) -> list[str]:
    (package / path).write_text(source)
    return violations(package)


def test_a_lawful_package_has_no_violations(house: Path) -> None:
    source = (
        "import numpy as np\n"
        "from lbsense.errors import LbsenseError\n"
        "from lbsense.model import thing\n"
        "rng = np.random.default_rng(1)\n"
    )
    assert build(house, "analysis/core.py", source) == []


@pytest.mark.parametrize(
    ("path", "source", "message"),
    [
        ("model/a.py", "import lbsense.analysis", r"model \(floor 2\) imports"),
        ("model/a.py", "from lbsense import analysis", r"model \(floor 2\) imports"),
        ("model/a.py", "from ..analysis import x", r"model \(floor 2\) imports"),
        ("model/a.py", "def f():\n    import lbsense.cli", r"model \(floor 2\) imp"),
        ("model/a.py", "from lbsense.stats import x", r"model \(floor 2\) imports"),
        ("ingest/a.py", "from lbsense.analysis import x", r"ingest \(floor 3\) imp"),
        (
            "stats/a.py",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from lbsense.analysis import x",
            r"stats \(floor 2\) imports",
        ),
        (
            "model/a.py",
            'from importlib import import_module\nx = import_module("lbsense.plots")',
            r"model \(floor 2\) imports",
        ),
        ("garage.py", "x = 1", "garage has no floor"),
        (
            "analysis/a.py",
            "from lbsense.stats import y",
            r"stats\.y is not in the __al",
        ),
        ("analysis/a.py", "from lbsense.stats.b import x", r"b\.x is not in the __all"),
        ("analysis/_a.py", "x = 1", "inside a room names need no underscore"),
        ("model/a.py", "__all__ = ['x']", "only the door of a room has an __all__"),
        ("analysis/a.py", "import lbsense.stats.b", r"stats\.b is not in the __all__"),
        (
            "analysis/a.py",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from lbsense.model import y",
            r"model\.y is not in the __all__ of lbsense\.model",
        ),
        ("stats/a.py", "print('hello')", "only cli prints"),
        ("stats/a.py", "import sys\nsys.stderr.write('x')", "only cli writes to the"),
        ("model/a.py", "open('x')", "only ingest reads files: open"),
        ("cli/a.py", "open('x', 'rb')", "only ingest reads files: open"),
        ("model/a.py", "path.read_text()", "only ingest reads files"),
        ("model/a.py", "path.open()", "only ingest reads files"),
        ("analysis/a.py", "pd.read_csv('x')", "only ingest reads files"),
        ("analysis/a.py", "np.load('x')", "only ingest reads files"),
        ("ingest/a.py", "open('x', mode='w')", "files are not written here: open"),
        ("ingest/a.py", "path.open('a')", "files are not written here"),
        ("analysis/a.py", "frame.to_csv('x')", "files are not written here"),
        ("stats/a.py", "np.random.normal()", "np.random.normal draws from the glob"),
        ("stats/a.py", "np.random.seed(1)", "np.random.seed draws from the global"),
        ("stats/a.py", "from numpy.random import normal", "draws from the global"),
        ("stats/a.py", "import random", "draws come from a numpy Generator"),
        ("model/__init__.py", "x = 1", "an __init__ holds docstring, re-exports"),
        ("model/__init__.py", "def f(): ...", "an __init__ holds docstring, re-exp"),
        ("model/__init__.py", "__version__ = '1'", "an __init__ holds docstring"),
        ("stats/a.py", "x = 1\n" * 701, "701 lines, at most 700"),
        ("stats/a.py", "def f(x, *, greater_is_better): ...", "greater_is_better: dir"),
        ("stats/a.py", "y = -x if minimize else x", "minimize: direction ends in"),
        ("stats/a.py", "if m.higher_is_better: pass", "higher_is_better: direction"),
        ("stats/a.py", "class A:\n    maximize: bool", "maximize: direction ends in"),
    ],
)
def test_each_rule_is_able_to_fail(
    house: Path, path: str, source: str, message: str
) -> None:
    found = build(house, path, source)
    assert len(found) == 1
    assert re.search(message, found[0])


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stats/a.py", "from scipy.optimize import minimize\nminimize(f, 0)"),
        ("cli/a.py", "print('hello')\nfigure.clear()"),
        ("_files.py", "path.write_text('x')"),
        ("ingest/a.py", "open('x')\npd.read_csv('x')\nimport gzip\ngzip.open('x')"),
        ("analysis/a.py", "text = frame.to_csv()"),
        ("model/__init__.py", '"""Doc."""\nimport os\n__all__ = ["os"]'),
    ],
)
def test_what_is_allowed_passes(house: Path, path: str, source: str) -> None:
    assert build(house, path, source) == []


@pytest.mark.parametrize("head", ["def f():", "if TYPE_CHECKING:"])
def test_cycles_are_found_also_inside_a_room(house: Path, head: str) -> None:
    (house / "model" / "a.py").write_text("from lbsense.model.b import x\n")
    found = build(house, "model/b.py", f"{head}\n    from lbsense.model import a\n")
    assert found == [
        "import cycle: lbsense.model.a -> lbsense.model.b -> lbsense.model.a"
    ]
