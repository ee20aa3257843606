"""The week of docs/week.md: every command is run against a server that scores files.

``LBSENSE_WRITE=1 pytest tests/ingest/fetch/test_week.py`` writes the outputs anew.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

from lbsense import read_ledger

PAGE = Path(__file__).parents[3] / "docs/week.md"
FENCE = re.compile(r"^```shell\n(.*?)^```$", re.DOTALL | re.MULTILINE)
N_TRAIN, N_TEST, N_PUBLIC = 3_000, 20_000, 6_000
# What differs between machines and days is not compared.
MASKS = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE"),
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\d+ things recorded \d+", "N things recorded N"),
    (r"SHA-256 [0-9a-f]{64}", "SHA-256"),
)
TRAIN = '''"""Ridge regression on squares and products, by five folds."""

import argparse

import numpy as np

options = argparse.ArgumentParser()
options.add_argument("--squares", action="store_true")
options.add_argument("--products", action="store_true")
options.add_argument("--ridge", type=float, default=1.0)
options.add_argument("--seed", type=int, default=0)
asked = options.parse_args()
train = np.loadtxt("train.csv", delimiter=",", skiprows=1)
test = np.loadtxt("test.csv", delimiter=",", skiprows=1)


def features(x):
    parts = [np.ones((len(x), 1)), x]
    pairs = [(i, j) for i in range(x.shape[1]) for j in range(i)]
    parts += [x**2] if asked.squares else []
    parts += [np.stack([x[:, i] * x[:, j] for i, j in pairs], 1)] if asked.products else []
    return np.hstack(parts)


def fitted(a, y):
    return np.linalg.solve(a.T @ a + asked.ridge * np.eye(a.shape[1]), a.T @ y)


def auc(y, p):
    rank = np.argsort(np.argsort(p)) + 1
    n = y.sum()
    return (rank[y == 1].sum() - n * (n + 1) / 2) / (n * (len(y) - n))


a, y = features(train[:, 2:]), train[:, 1]
fold = np.random.default_rng(asked.seed).permutation(len(y)) % 5
scores = [auc(y[fold == k], a[fold == k] @ fitted(a[fold != k], y[fold != k])) for k in range(5)]
print(f"CV auc {np.mean(scores):.4f} [" + ", ".join(f"{s:.4f}" for s in scores) + "]")
p = features(test[:, 1:]) @ fitted(a, y)
np.savetxt("sub.csv", np.column_stack([test[:, 0], p]), "%.8f", ",", header="id,p", comments="")
'''


class World:
    """A competition: its files, and what it says of a submission."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(7)
        x = rng.normal(size=(N_TRAIN + N_TEST, 6))
        level = x @ [0.5, -0.4, 0.3, 0.2, 0.0, 0.0] + 0.25 * (x[:, 4] ** 2 - 1)
        level += 0.35 * x[:, 0] * x[:, 5]
        y = rng.random(len(x)) < 1 / (1 + np.exp(-level))
        ids = np.arange(len(x))
        names = ",".join(f"x{i}" for i in range(6))
        train = np.column_stack([ids, y, x])[:N_TRAIN]
        test = np.column_stack([ids, x])[N_TRAIN:]
        for name, rows, head in (
            ("train.csv", train, f"id,y,{names}"),
            ("test.csv", test, f"id,{names}"),
        ):
            np.savetxt(folder / name, rows, "%.6f", ",", header=head, comments="")
        (folder / "train.py").write_text(TRAIN)
        self.y = y[N_TRAIN:]
        self.sent: list[dict[str, Any]] = []

    def submit(self, sent: Callable[..., dict[str, Any]], file: str, text: str) -> str:
        """Score a file on the public rows, as `kaggle competitions submit` asks for."""
        p = np.loadtxt(file, delimiter=",", skiprows=1)[:N_PUBLIC, 1]
        y, n = self.y[:N_PUBLIC], self.y[:N_PUBLIC].sum()
        score = (rankdata(p)[y].sum() - n * (n + 1) / 2) / (n * (len(y) - n))
        number = len(self.sent) + 1
        row = sent(
            number,
            description=text,
            fileName=file,
            publicScore=f"{score:.5f}",
            date=f"2026-03-{number + 1:02d}T18:00:00.0000000Z",
        )
        self.sent.insert(0, row)
        return "Successfully submitted to play\n"


class Week:
    """The page, read from top to bottom in one folder."""

    def __init__(self, run: Callable[..., Any], world: World, server: Any) -> None:
        self.run, self.world, self.server = run, world, server

    def shown(self, text: str) -> str:
        return FENCE.sub(lambda found: self._block(found[1]), text)

    def _block(self, text: str) -> str:
        lines = list(self._told(text))
        return "\n".join(["```shell", *lines, "```"])

    def _told(self, text: str) -> Iterator[str]:
        code = 0
        for line in _commands(text):
            yield line
            words = shlex.split(line.removeprefix("$ ").replace("\\\n", " "))
            if words == ["echo", "$?"]:
                yield str(code)
                continue
            if words[0] == "kaggle":
                file, told = words[words.index("-f") + 1], words[words.index("-m") + 1]
                out = self.world.submit(self.server.sent, file, told)
            else:
                filters: list[str] = []
                if "|" in words:
                    at = words.index("|")
                    words, filters = words[:at], words[at + 1 :]
                assert words[0] == "lbsense", line
                done = self.run(*words[1:])
                code, out = done.exit_code, done.stdout.rstrip() + "\n" + done.stderr
                assert code in (0, 1, 3), f"{line}\n{out}"
                if filters:
                    assert filters[0] == "head"
                    most = int(filters[1].removeprefix("-"))
                    out = "\n".join(done.stdout.splitlines()[:most])
            yield from (part.rstrip() for part in out.strip().splitlines())


def _commands(text: str) -> Iterator[str]:
    """Yield the commands of a block, each with the lines that go on with it."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            while line.endswith("\\"):
                line += "\n" + next(lines)
            yield line


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


@pytest.mark.slow
def test_the_week_goes_as_the_page_says(
    kaggle: Any, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "96")
    world = World(Path.cwd())
    kaggle.answers["ListSubmissions"] = lambda asked: kaggle.paged(world.sent)(asked)
    text = PAGE.read_text(encoding="utf-8")
    made = Week(run, world, kaggle).shown(text)
    if os.environ.get("LBSENSE_WRITE"):
        PAGE.write_text(made, encoding="utf-8")
    assert masked(made) == masked(text)
    tried = {item.name: item for item in read_ledger("ledger.jsonl")}
    assert tried["exp007"].predictions == tried["exp005"].predictions  # as it says
    assert not [name for name in Path.cwd().glob("*") if kaggle.secret in _text(name)]


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""
