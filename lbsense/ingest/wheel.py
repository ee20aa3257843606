"""The package itself as a wheel, packed again from where it lies."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata, resources
from importlib.resources.abc import Traversable

from lbsense._version import __version__
from lbsense.errors import IngestError

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
