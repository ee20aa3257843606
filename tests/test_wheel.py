"""The wheel works where it lies on ``sys.path`` and was never installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lbsense

ROOT = Path(__file__).parents[1]
REPORT = """
import sys
import lbsense

assert lbsense.__file__.startswith(sys.argv[1]), lbsense.__file__
scores = [{"publicScore": score} for score in (0.70, 0.72, 0.71)]
analysis = lbsense.analyze(lbsense.read_submissions(scores, metric="roc_auc"))
lbsense.write_report(analysis, "report.html")
lbsense.write_report(analysis, "kaggle.md", format="kaggle")
lbsense.write_report(analysis, "zindi.md", format="zindi")
print(lbsense.__version__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that hatchling builds from this folder."""
    pytest.importorskip("hatchling")
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=["zipped", "unpacked"])
def lying(request: pytest.FixtureRequest, wheel: Path) -> Path:
    """Return what is put on ``sys.path``: the wheel itself, or its package alone."""
    if request.param == "zipped":
        return wheel
    folder = wheel.with_name("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        inside = [name for name in archive.namelist() if name.startswith("lbsense/")]
        archive.extractall(folder, inside)
    return folder


def python(path: Path, folder: Path, *arguments: str) -> str:
    """Return what a bare interpreter prints that finds the package at ``path``."""
    # Site packages hold an installed lbsense, of the same version: hide its record.
    hide = (
        "import sys, runpy\n"
        "from importlib import metadata\n"
        "real = metadata.distribution\n"
        "def distribution(name):\n"
        "    if name == 'lbsense':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "metadata.distribution = distribution\n"
        f"sys.path.insert(0, {str(path)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hide + arguments[0], *arguments[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_reports_are_written(lying: Path, tmp_path: Path) -> None:
    assert python(lying, tmp_path, REPORT, str(lying)) == lbsense.__version__
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"lbsense {lbsense.__version__}" in page


def test_the_module_tells_its_version(lying: Path, tmp_path: Path) -> None:
    code = "runpy.run_module('lbsense', run_name='__main__')"
    shown = python(lying, tmp_path, code, "--version")
    assert shown == f"lbsense {lbsense.__version__}"


def test_the_wheel_holds_what_the_package_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        record = next(name for name in names if name.endswith("/METADATA"))
        described = archive.read(record).decode("utf-8")
    assert "lbsense/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "Project-URL: " in described
    # Where the README is shown beside the code is no folder of ours: addresses are whole.
    assert "](docs/" not in described
