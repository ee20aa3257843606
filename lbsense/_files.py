"""Files are written here, nowhere else: whole or not at all, never over an input."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["append_line", "check_output", "is_input", "replace_file"]


def replace_file(content: str | bytes, path: Path) -> None:
    """Write a file whole or not at all: whoever reads it meanwhile sees the old one.

    Parameters
    ----------
    content : str or bytes
        Text is written as UTF-8.
    path : Path
        The file; through a link, what the link leads to. What is no file but a pipe or
        a device is written to as it is.

    Raises
    ------
    OSError
        If it cannot be written: the message says so, and that nothing was lost.
    """
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    made = folder = None
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as stream:
                stream.write(raw)
            return
        target = path.resolve()
        folder = None if target.parent.exists() else target.parent
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=".lbsense.", delete=False
        ) as file:
            made = Path(file.name)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(target.stat().st_mode & 0o777 if target.exists() else _usual_mode())
        made.replace(target)
    except OSError as error:
        if made is not None:
            made.unlink(missing_ok=True)
        if folder is not None:  # made for this file alone
            with suppress(OSError):
                folder.rmdir()
        reason = error.strerror or str(error)
        msg = f"{path}: {reason}. Nothing was written; it is as it was before."
        raise OSError(msg) from None
    except BaseException:
        if made is not None:
            made.unlink(missing_ok=True)
        raise


def append_line(line: str | Callable[[], str], path: Path) -> None:
    """Add a line to a file, whole or not at all, whoever else adds to it meanwhile.

    Parameters
    ----------
    line : str or callable
        Without a line break; a callable makes it while nobody else writes.
    path : Path
        The file, made where there is none.

    Raises
    ------
    OSError
        If it cannot be written: the message says so, and that nothing was lost.

    Notes
    -----
    Writers take turns by a lock of the operating system, which ends with the one who
    holds it. What a killed one left unfinished is never rewritten: the next line begins
    on a line of its own. The line is on the disk when this returns.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        file = os.open(path, flags, 0o666)
        try:
            _lock(file)
            text = line if isinstance(line, str) else line()
            raw = text.encode("utf-8", "replace") + b"\n"
            size = os.fstat(file).st_size
            if size:
                os.lseek(file, size - 1, os.SEEK_SET)
                raw = raw if os.read(file, 1) == b"\n" else b"\n" + raw
            try:
                left = memoryview(raw)
                while left:
                    left = left[os.write(file, left) :]
                os.fsync(file)
            except OSError:  # a full disk: the beginning of our own line goes again
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)
    except OSError as error:
        reason = error.strerror or str(error)
        msg = f"{path}: {reason}. Nothing was written; it is as it was before."
        raise OSError(msg) from None


def _lock(file: int) -> None:
    """Wait until no other process adds to the file; closing it ends the lock."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, 0x7FFF0000, os.SEEK_SET)  # far behind what is read and written
        while True:
            with suppress(OSError):  # gives up after ten seconds
                msvcrt.locking(file, msvcrt.LK_LOCK, 1)
                return
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:  # some network drives have no such lock
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise


def is_input(path: Path, inputs: Iterable[str | os.PathLike[str]]) -> bool:
    """Say whether a path is one of the inputs, by whatever name or link.

    Parameters
    ----------
    path : Path
        What is to be written.
    inputs : iterable of path
        Files, folders for all files in them, and ``-`` for standard input.
    """
    try:
        wanted = path.stat()
    except (OSError, ValueError):
        return False
    return any(os.path.samestat(wanted, found) for found in _stats(inputs))


def check_output(
    path: Path, inputs: Iterable[str | os.PathLike[str]], *, force: bool
) -> None:
    """Raise where writing would lose something.

    Raises
    ------
    ValueError
        If the path is an input, a folder, in no folder, or a file that is there
        already and not to be replaced.
    """
    if is_input(path, inputs):
        msg = f"{path} is one of the inputs. Choose another file."
        raise ValueError(msg)
    if path.is_dir():
        msg = f"{path} is a folder. Name a file in it."
        raise ValueError(msg)
    if not path.exists():
        if not path.absolute().parent.is_dir():
            msg = f"there is no folder {path.parent}."
            raise ValueError(msg)
    elif not force and path.is_file() and path.stat().st_size > 0:
        msg = f"{path} is there already. Add --force to overwrite it."
        raise ValueError(msg)


def _stats(inputs: Iterable[str | os.PathLike[str]]) -> Iterable[os.stat_result]:
    for name in inputs:
        with suppress(OSError, ValueError, AttributeError):
            if name == "-":
                yield os.fstat(sys.stdin.fileno())
                continue
            found = os.stat(name)
            yield found
            if stat.S_ISDIR(found.st_mode):
                for item in list(Path(name).iterdir()):
                    with suppress(OSError):
                        yield item.stat()


def _usual_mode() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
