"""What a run runs on: packages, system, processor, graphics card, commit of git."""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from lbsense._secrets import without_secrets
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
