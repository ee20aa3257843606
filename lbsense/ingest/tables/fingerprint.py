"""The digests by which anybody can tell that they hold the same input files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from lbsense.errors import IngestError
from lbsense.model import InputFile

__all__ = ["input_files"]


def input_files(paths: Iterable[str | os.PathLike[str]]) -> tuple[InputFile, ...]:
    """Return name, size and SHA-256 of files, in the order given.

    Parameters
    ----------
    paths : iterable of path
        Files as they were read; a folder stands for the files in it, by name.

    Returns
    -------
    tuple of InputFile

    Raises
    ------
    IngestError
        If a file cannot be read.
    """
    found: list[InputFile] = []
    for given in paths:
        path = Path(given)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        found.extend(_fingerprint(file) for file in files if not file.is_dir())
    return tuple(found)


def _fingerprint(path: Path) -> InputFile:
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                n_bytes += len(block)
    except OSError as error:
        msg = f"{path}: cannot be read for its digest ({error.strerror})."
        raise IngestError(msg) from error
    return InputFile(name=path.name, sha256=digest.hexdigest(), n_bytes=n_bytes)
