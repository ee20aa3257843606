"""Paths, streams and bytes to named text: the one place that opens input files."""

from __future__ import annotations

import base64
import codecs
import difflib
import gzip
import hashlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from lbsense._format import plural, shorten
from lbsense._version import __version__
from lbsense.errors import IngestError
from lbsense.ingest.cv.words import n_known
from lbsense.model import InputFile, RowIssue

_MAX_BYTES = 512 * 1024 * 1024
_MAX_ARCHIVES = 3  # one inside the other
_BLOCK = 1 << 20
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".md", ".json", ".jsonl", ".ndjson")
# Kinds that hold tables beside other things: read where there is nothing plainer.
_RICH_SUFFIXES = (".html", ".htm", ".ipynb", ".xlsx", ".tex", ".rst", ".py")
_HEAD_OF_PAGE = 1000  # bytes before its title
_ENCODINGS = {
    "cp932": "Shift-JIS",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "cp949": "Windows-949",
    "cp1251": "Windows-1251",
}
_SAMPLE = 5000
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_KINDS = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
)
_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    r"""One text and the name that messages call it by.

    Attributes
    ----------
    source : str
        Path as it was given, ``archive.zip/member``, or ``<text>`` and the like.
    text : str
        Decoded, without byte order mark; every line end is ``"\n"``.
    issues : tuple of RowIssue
        What had to be assumed to decode it.
    workbook : bytes or None
        The file, where it is a workbook of Excel; its text is empty.
    """

    source: str
    text: str
    issues: tuple[RowIssue, ...] = ()
    workbook: bytes | None = None


def is_text_source(data: Any) -> bool:
    """Say whether ``data`` is something that `read_documents` reads."""
    if isinstance(data, (str, bytes, bytearray, os.PathLike)):
        return True
    return hasattr(data, "read")


def read_documents(data: Any) -> tuple[Document, ...]:
    """Return the text behind a path, a list of paths, a stream, bytes or a string.

    Parameters
    ----------
    data : str, path, bytes, file-like or iterable of these
        A string that holds a line break, or that is JSON and names no file, is taken
        as the text itself. Files may be gzip or zip archives, and UTF-8, UTF-16,
        UTF-32 or Windows-1252 text.

    Returns
    -------
    tuple of Document

    Raises
    ------
    IngestError
        If there is no such file, or it is a folder, empty, binary, an
        archive of several tables, damaged or nested, or beyond 512 MB.
    TypeError
        If ``data`` is nothing that holds text.
    """
    if isinstance(data, (bytes, bytearray)):
        return (_from_bytes(bytes(data), "<bytes>"),)
    if isinstance(data, str) and _is_content(data):
        return (_from_text(data, "<text>"),)
    if isinstance(data, (str, os.PathLike)):
        return (_from_path(os.fspath(data)),)
    if hasattr(data, "read"):
        return (_from_stream(data),)
    if isinstance(data, Iterable):
        return tuple(document for item in data for document in read_documents(item))
    msg = f"Expected a path, a stream or text, got {type(data).__name__}."
    raise TypeError(msg)


def _is_content(data: str) -> bool:
    if "\n" in data or "\r" in data:
        return True
    return data.lstrip()[:1] in ("[", "{") and not os.path.exists(data)


def _from_path(name: str | bytes) -> Document:
    source = os.fsdecode(name)
    if not source.strip():
        msg = "The file name is empty. Name the file that holds the submissions."
        raise IngestError(msg)
    if re.match(r"[a-z]+://", source):
        msg = f"{source}: a web address. Download the file and give its path."
        raise IngestError(msg)
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            raise IngestError(_folder_message(source, path))
        with path.open("rb") as stream:  # may be a pipe or a device without an end
            raw = _read_whole(stream, source)
    except FileNotFoundError as error:
        raise IngestError(_missing_message(source)) from error
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, IngestError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"{shorten(source, 200)}: the file cannot be opened ({reason})."
        raise IngestError(msg) from error
    return _from_bytes(raw, source)


def _from_stream(stream: Any) -> Document:
    name = getattr(stream, "name", None)
    source = name if isinstance(name, str) else "<stream>"
    content = _read_whole(stream, source)
    if isinstance(content, str):
        return _from_text(content, source)
    return _from_bytes(content, source)


def _read_whole(stream: Any, source: str) -> Any:
    """Return what a stream holds, text or bytes, as far as the limit allows."""
    blocks: list[Any] = []
    size = 0
    while block := stream.read(_BLOCK):
        if not isinstance(block, (str, bytes, bytearray)):
            msg = (
                f"{source}: read() gave {type(block).__name__}, expected text or bytes."
            )
            raise TypeError(msg)
        blocks.append(block)
        size += len(block)
        if size > _MAX_BYTES:
            raise IngestError(_size_message(source))
    if blocks and isinstance(blocks[0], str):
        return "".join(blocks)
    return b"".join(blocks)


def _from_bytes(raw: bytes, source: str, n_archives: int = 0) -> Document:
    if not raw:
        msg = (
            f"{source}: the file is empty (0 bytes). A download or a redirection that "
            "failed leaves such a file behind: make the export again."
        )
        raise IngestError(msg)
    if _is_workbook(raw):
        return Document(source=source, text="", workbook=raw)
    is_gzip = raw.startswith(b"\x1f\x8b")
    if is_gzip or raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if n_archives == _MAX_ARCHIVES:
            msg = (
                f"{source}: an archive inside {plural(n_archives, 'other')}, expected "
                "a table. Unpack it and give the table itself."
            )
            raise IngestError(msg)
        unpack = _gunzip if is_gzip else _unzip
        return _from_bytes(*unpack(raw, source), n_archives + 1)
    for magic, kind in _BINARY_KINDS:
        if raw.startswith(magic):
            msg = f"{source}: {kind}, expected text. Export the table as CSV or JSON."
            raise IngestError(msg)
    text, issues = _decode(raw, source)
    return _from_text(text, source, issues)


def _from_text(text: str, source: str, issues: tuple[RowIssue, ...] = ()) -> Document:
    text = _ESCAPE_SEQUENCE.sub("", text.removeprefix("\ufeff"))
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n\ufeff", "\n")
    if _is_binary(text[:20_000]):
        msg = f"{source}: binary data, expected text. Export the table as CSV or JSON."
        raise IngestError(msg)
    if not text.strip():
        msg = f"{source}: the file holds only blanks. Make the export again."
        raise IngestError(msg)
    if "\x00" in text:
        found = plural(text.count("\x00"), "NUL character")
        issues += (
            RowIssue(
                source=source,
                found=found,
                expected="text without control characters",
                action="characters removed",
            ),
        )
        text = text.replace("\x00", "")
    return Document(source=source, text=text, issues=issues)


def _is_binary(sample: str) -> bool:
    """Say whether control characters are all over a text, not in one damaged line."""
    if len(_CONTROL.findall(sample)) <= max(2, len(sample) // 100):
        return False
    lines = [line for line in sample.split("\n") if line]
    return len(lines) < 4 or sum(map(bool, map(_CONTROL.search, lines))) > 1


def _decode(raw: bytes, source: str) -> tuple[str, tuple[RowIssue, ...]]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _decode_as(raw[len(mark) :], encoding, source)
    return _decode_as(raw, _unmarked_utf16(raw) or "utf-8", source)


def _unmarked_utf16(raw: bytes) -> str | None:
    """Recognise UTF-16 without its mark: Latin text has a NUL in every other byte."""
    sample = raw[:4096]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half and odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _decode_as(
    raw: bytes, encoding: str, source: str
) -> tuple[str, tuple[RowIssue, ...]]:
    try:
        return raw.decode(encoding), ()
    except UnicodeDecodeError as error:
        bad = raw[error.start : error.start + 4]
        line = raw.count(b"\n", 0, error.start) + 1
    text = raw.decode(encoding, errors="replace")
    action = "bytes replaced by the replacement character"
    n_bad = text.count("\ufffd")
    if encoding == "utf-8" and sum(char > "\x7f" for char in text) < 2 * n_bad:
        text, name = _decode_old(raw)
        action = f"file read as {name} text"
    issue = RowIssue(
        source=source,
        line=line,
        found=f"bytes {bad.hex(' ')}",
        expected=f"{encoding.upper()} text",
        action=action,
    )
    return text, (issue,)


def _decode_old(raw: bytes) -> tuple[str, str]:
    """Return a text in an encoding from before Unicode, and its name.

    It is the one in which most words of its first lines are known, as the headings of
    a table should be; else that of western Europe.
    """
    found = []
    for encoding, name in _ENCODINGS.items():
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        found.append((n_known(text[:_SAMPLE]), text, name))
    n_words, text, name = max(found, key=lambda item: item[0], default=(0, "", ""))
    if n_words > 1:
        return text, name
    try:
        return raw.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "Windows-1252"


def _gunzip(raw: bytes, source: str) -> tuple[bytes, str]:
    """Return the content of a gzip archive and its name."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            content = _read_whole(stream, source)
    except IngestError:
        raise
    except Exception as error:  # whatever the decoder says of damaged bytes
        msg = f"{source}: a damaged gzip archive ({error}). Download it again."
        raise IngestError(msg) from error
    return content, source.removesuffix(".gz")


def _unzip(raw: bytes, source: str) -> tuple[bytes, str]:
    """Return the one table in a zip archive and its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [item for item in archive.namelist() if not _is_clutter(item)]
            if "[Content_Types].xml" in names or "mimetype" in names:
                msg = f"{source}: an office document. Save its table as CSV UTF-8."
                raise IngestError(msg)
            tables = [name for name in names if name.lower().endswith(_TABLE_SUFFIXES)]
            tables = tables or [n for n in names if n.lower().endswith(_RICH_SUFFIXES)]
            if len(tables) != 1:
                raise IngestError(_members_message(source, names, tables))
            with archive.open(tables[0]) as stream:
                content = _read_whole(stream, source)
    except IngestError:
        raise
    except Exception as error:  # whatever the decoder says of damaged bytes
        reason = (
            "a name in it is not UTF-8"
            if isinstance(error, UnicodeDecodeError)
            else str(error) or type(error).__name__
        )
        msg = f"{source}: a zip archive that cannot be read ({reason}). Unpack it."
        raise IngestError(msg) from error
    return content, f"{source}/{tables[0]}"


def _is_workbook(raw: bytes) -> bool:
    """Say whether bytes are a workbook of Excel, or of another office saved as one."""
    if not raw.startswith(b"PK\x03\x04") or b"xl/workbook.xml" not in raw:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except Exception:  # damaged: said where it is unpacked
        return False


def _is_clutter(name: str) -> bool:
    last = name.rsplit("/", 1)[-1]
    return name.endswith("/") or name.startswith("__MACOSX/") or last.startswith(".")


def _members_message(source: str, names: list[str], tables: list[str]) -> str:
    shown = ", ".join(shorten(name, 60) for name in (tables or names)[:8]) or "nothing"
    if not tables:
        return (
            f"{source}: an archive without a table. It holds {shown}; expected one "
            "CSV, TSV, JSON, Markdown or text file."
        )
    return (
        f"{source}: an archive of {len(tables)} tables ({shown}). Unpack it and give "
        "the one you mean, or all of them if they are pages of one history."
    )


def _folder_message(source: str, path: Path) -> str:
    names = sorted(
        item.name for item in path.iterdir() if item.suffix.lower() in _TABLE_SUFFIXES
    )
    shown = ", ".join(names[:8]) if names else "no CSV, JSON or text file"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{source}: a folder, expected a file. It holds {shown}{more}."


def _missing_message(source: str) -> str:
    path = Path(source).expanduser()
    folder = path.parent
    try:
        names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    except OSError:  # a folder that may not be listed
        names = []
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    hint = f" Close to it: {', '.join(close)}." if close else ""
    where = "" if folder.is_dir() else f" The folder {folder} does not exist either."
    return f"{source}: no such file.{hint}{where}"


def _size_message(source: str) -> str:
    return (
        f"{source}: more than {_MAX_BYTES // 1024**2} MB, far beyond the history of "
        "one entrant. Cut out the rows of one team or one competition first; save "
        "predictions as parquet or npy."
    )


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
        If a file cannot be read, or is a pipe or a device, which can be read only once.
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
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"{path}: no file that can be read again for its digest."
            raise IngestError(msg)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                n_bytes += len(block)
    except OSError as error:
        msg = f"{path}: cannot be read for its digest ({error.strerror})."
        raise IngestError(msg) from error
    return InputFile(name=path.name, sha256=digest.hexdigest(), n_bytes=n_bytes)


def is_own_page(path: Path) -> bool:
    """Return whether a file is a page that lbsense wrote: it may be made anew."""
    if path.suffix.lower() not in (".html", ".htm") or not path.is_file():
        return False
    with path.open("rb") as file:
        return b'<meta name="generator" content="lbsense ' in file.read(_HEAD_OF_PAGE)


# --- lbsense itself, to take along ----------------------------------------------------

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
    files = dict(_packed(resources.files("lbsense"), "lbsense"))
    record = f"lbsense-{__version__}.dist-info"
    for name, text in _record_packed().items():
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


def _packed(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        inside = f"{name}/{item.name}"
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _packed(item, inside)
        elif not item.name.endswith((".pyc", ".pyo")):
            yield inside, item.read_bytes()


def _record_packed() -> dict[str, str]:
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
