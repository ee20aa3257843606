"""What a run runs on: packages, machine, commit of git; the package as a wheel."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

from lbsense._format import without_secrets
from lbsense._version import __version__
from lbsense.errors import IngestError
from lbsense.model import Environment

_PATIENCE = 10  # seconds for a program to answer


def read_environment(
    folder: Path | None = None, *, besides: Path | None = None
) -> Environment:
    """Return what this process runs on, as far as the machine tells it.

    Parameters
    ----------
    folder : Path, optional
        Folder of the code, whose commit is told; the working folder by default.
    besides : Path, optional
        A file whose changes do not make the code another one: the ledger itself.

    Returns
    -------
    Environment
        Nothing of it is a secret: variables of the environment are not read, and an
        address of a repository is kept without the name and the password in it.
    """
    commit, dirty, repository = _code(folder or Path.cwd(), besides)
    return Environment(
        python=platform.python_version(),
        packages=dict(_packages()),
        system=platform.platform(),
        cpu=_processor(),
        n_cpus=_n_cpus(),
        gpu=_graphics(),
        commit=commit,
        dirty=dirty,
        repository=repository,
    )


@functools.lru_cache(maxsize=1)
def _packages() -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for item in metadata.distributions():
        with suppress(Exception):  # a folder that is half removed has no name
            name, version = item.metadata["Name"], item.version
            if name and version:
                found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return tuple(sorted(found.items()))


def _n_cpus() -> int | None:
    with suppress(AttributeError, OSError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


@functools.lru_cache(maxsize=1)
def _processor() -> str | None:
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^model name\s*:[ \t]*(\S.*)$", text, re.MULTILINE)
        if found is not None:
            return found[1].strip()
    told = _answer("sysctl", "-n", "machdep.cpu.brand_string")
    return told or platform.processor() or platform.machine() or None


@functools.lru_cache(maxsize=1)
def _graphics() -> str | None:
    query = "--query-gpu=name,memory.total,driver_version"
    told = _answer("nvidia-smi", query, "--format=csv,noheader")
    return None if told is None else "; ".join(told.splitlines())


def _code(
    folder: Path, besides: Path | None
) -> tuple[str | None, bool | None, str | None]:
    """Return commit, whether files under it differ, and the address of its origin."""
    git = ("git", "-C", os.fspath(folder))
    commit = _answer(*git, "rev-parse", "HEAD")
    if commit is None:
        return None, None, None
    left_out = []
    if besides is not None:
        left_out = [":/", f":(exclude,literal){besides.resolve()}"]
    plain = ("status", "--porcelain", "--untracked-files=no")
    changes = _answer(*git, *plain, "--", *left_out)
    if changes is None:  # the ledger lies outside of the repository
        changes = _answer(*git, *plain)
    origin = _answer(*git, "config", "--get", "remote.origin.url")
    address = None if not origin else without_secrets(origin)
    return commit, None if changes is None else bool(changes), address


def _answer(*command: str) -> str | None:
    """Return what a program prints; None where there is none, or it fails."""
    if shutil.which(command[0]) is None:
        return None
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return None


_MADE = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever it is packed
_WHEEL = (
    "Wheel-Version: 1.0\nGenerator: lbsense {version}\nRoot-Is-Purelib: true\n"
    "Tag: py3-none-any\n"
)


def own_wheel() -> tuple[str, bytes]:
    """Return the name and the bytes of a wheel of the lbsense that is running.

    Raises
    ------
    IngestError
        If lbsense lies here without the record of its installation.

    Notes
    -----
    The same installed version gives the same bytes.
    """
    files = dict(_files(resources.files("lbsense"), "lbsense"))
    record = f"lbsense-{__version__}.dist-info"
    for name, text in _record_files().items():
        files[f"{record}/{name}"] = text.encode("utf-8")
    lines = [
        f"{name},sha256={_digest(raw)},{len(raw)}\n"
        for name, raw in sorted(files.items())
    ]
    files[f"{record}/RECORD"] = "".join([*lines, f"{record}/RECORD,,\n"]).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            item = zipfile.ZipInfo(name, _MADE)
            item.external_attr = 0o644 << 16
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, files[name])
    return f"lbsense-{__version__}-py3-none-any.whl", stream.getvalue()


def _files(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        inside = f"{name}/{item.name}"
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _files(item, inside)
        elif not item.name.endswith((".pyc", ".pyo")):
            yield inside, item.read_bytes()


def _record_files() -> dict[str, str]:
    """Return what an installer reads of a wheel, from the record of this one."""
    try:
        found = metadata.distribution("lbsense")
    except metadata.PackageNotFoundError:
        found = None
    described = None if found is None else found.read_text("METADATA")
    if found is None or described is None or found.version != __version__:
        msg = (
            f"lbsense {__version__} lies here without the record of its installation, "
            "from which a wheel is made. Install it with pip, or copy the wheel that "
            "it came from."
        )
        raise IngestError(msg)
    kept = {"METADATA": described, "WHEEL": _WHEEL.format(version=__version__)}
    for name in ("entry_points.txt", "licenses/LICENSE"):
        with suppress(OSError):
            text = found.read_text(name)
            if text is not None:
                kept[name] = text
    return kept


def _digest(raw: bytes) -> str:
    digest = hashlib.sha256(raw).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
