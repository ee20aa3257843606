"""Every page of the documentation is reachable, and every example in it runs as shown.

After a change that moves what an example shows, ``python tests/test_docs.py`` writes the
new outputs into the pages; read the difference before you commit it.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lbsense.cli import app
from lbsense.simulate import Scenario, simulate, write_exports

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FENCE = re.compile(r"^```(python|pycon|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def reachable() -> list[str]:
    """Return the pages that the navigation of the site names."""
    settings = (DOCS / "site/mkdocs.yml").read_text(encoding="utf-8")
    navigation = settings.partition("\nnav:\n")[2].partition("\ntheme:\n")[0]
    return re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)


# What the pages call their own.


def working_folder(folder: Path) -> Path:
    """Fill a folder with what the examples read: the data, a history, predictions."""
    shutil.copytree(ROOT / "data", folder / "data")
    scenario = Scenario(
        world="trained", n_train=600, n_public=600, n_private=1_400, n_submissions=8
    )
    made = simulate(scenario, keep_rows=True, rng=1)
    write_exports(made, folder / "exports")
    shutil.copy(
        folder / "exports/submissions_before_close.csv", folder / "submissions.csv"
    )
    assert made.rows is not None
    (folder / "oof").mkdir()
    rows = np.arange(len(made.rows.y_train))
    labels = pd.DataFrame({"id": rows, "target": made.rows.y_train})
    labels.to_csv(folder / "train.csv", index=False)
    for one, column in zip(made.history.submissions, made.rows.oof.T, strict=True):
        stem = str(one.file_name).removesuffix(".csv").removeprefix("submission_")
        frame = pd.DataFrame({"id": rows, "prediction": column})
        frame.to_csv(folder / f"oof/oof_{stem}.csv", index=False)
    (folder / "sent").mkdir()
    for path in (folder / "exports/predictions").glob("submission_*.csv"):
        path.rename(folder / "sent" / path.name)
    return folder


# Running a page.


class Session:
    """A page that is read from top to bottom, in one folder and one namespace."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.exit_code = 0

    def shown(self, text: str) -> str:
        """Return a page with the outputs that its examples give."""
        return FENCE.sub(self._block, text)

    def _block(self, fence: re.Match[str]) -> str:
        run: Callable[[str], Iterator[str]] = getattr(self, f"_{fence[1]}")
        lines = [line.rstrip() for line in "".join(run(fence[2])).splitlines()]
        return "\n".join([f"```{fence[1]}", *lines, "```"])

    def _python(self, source: str) -> Iterator[str]:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "example", "exec"), self.names)
        yield source

    def _pycon(self, text: str) -> Iterator[str]:
        for example in doctest.DocTestParser().get_examples(text):
            first, *rest = example.source.splitlines()
            yield f">>> {first}\n"
            yield from (f"... {line}\n" for line in rest)
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(example.source, "example", "single"), self.names)
            yield output.getvalue()

    def _console(self, text: str) -> Iterator[str]:
        """Run what begins with a dollar; commands of others are shown as they are."""
        commands = [line for line in text.splitlines() if line.startswith("$ ")]
        for number, line in enumerate(commands):
            yield f"{line}\n"
            following = commands[number + 1 : number + 2]
            if line == "$ echo $?":
                yield f"{self.exit_code}\n"
            elif line.startswith("$ lbsense "):
                yield self._lbsense(line, fails=following == ["$ echo $?"])

    def _lbsense(self, line: str, *, fails: bool) -> str:
        command, *filters = line.removeprefix("$ lbsense ").split(" | ")
        done = CliRunner().invoke(app, shlex.split(command), env={"COLUMNS": "96"})
        self.exit_code = done.exit_code
        assert fails or done.exit_code == 0, f"{line}\n{done.output}"
        lines = done.stdout.splitlines(keepends=True)
        for word, argument in map(str.split, filters):
            if word == "head":
                lines = lines[: int(argument.removeprefix("-"))]
            elif word == "grep":
                lines = [line for line in lines if argument in line]
            else:
                msg = f"{line}: only head and grep are known here."
                raise ValueError(msg)
        return "".join(lines).rstrip("\n") + "\n" if lines else ""


def as_run(page: Path, folder: Path) -> str:
    """Return the text of a page as its examples make it."""
    with contextlib.chdir(folder):
        return Session().shown(page.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return working_folder(tmp_path_factory.mktemp("docs"))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if FENCE.search(page.read_text("utf-8"))],
    ids=name_of,
)
def test_examples_of_a_page_run_and_give_what_is_shown(
    page: Path, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert as_run(page, tmp_path) == page.read_text(encoding="utf-8")


def test_every_page_is_reachable_from_the_navigation() -> None:
    assert sorted(reachable()) == sorted(map(name_of, PAGES))


def test_the_rooms_and_files_that_contributors_are_sent_to_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:lbsense|tests|docs|benchmarks)/[\w./]*)`", text))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    rooms = {
        f"lbsense/{path.parent.name}/" for path in ROOT.glob("lbsense/*/__init__.py")
    }
    assert rooms <= named


def main() -> None:
    """Write what the examples give into the pages."""
    import tempfile

    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if FENCE.search(text):
            with tempfile.TemporaryDirectory() as name:
                try:
                    shown = as_run(page, working_folder(Path(name)))
                except (Exception, AssertionError) as error:
                    print(f"{name_of(page)}: {error!r}")
                    continue
            if shown != text:
                page.write_text(shown, encoding="utf-8")
                print(f"{name_of(page)}: new outputs")


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    sys.path.insert(0, str(ROOT))
    main()
