"""Writing that survives a power cut: each file and each folder entry is synced before it is relied on."""

import errno
import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import FailedWrite


@contextmanager
def committing(folder: Path) -> Iterator[None]:
    """What Python, SQLite or FAISS raise when the disk fails becomes FailedWrite: path and cause in a line."""
    try:
        yield
    except (OSError, sqlite3.Error, RuntimeError) as error:
        path = error.filename if isinstance(error, OSError) and error.filename else folder
        # FAISS names the place in its source first, and the cause last.
        cause = getattr(error, "strerror", None) or str(error).strip().splitlines()[-1].rsplit(": ", 1)[-1]
        raise FailedWrite(f"cannot write {path}: {cause}; the index at {folder} stands as last committed") from error


def make_folder(folder: Path) -> None:
    """Make a folder and everything above it, each entry synced."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file of lines, made if need be; on return it would survive a power cut.

    Safe to call from several threads and processes. Raises OSError, and then nothing was added.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # a crash cut the last line off: it must not take this one with it
        if os.write(descriptor, line) < len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        sync(descriptor)
        if not size:
            sync_folder(path.parent)
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[bytes]:
    """The lines of such a file, none if there is no file; none is seen while it is being written."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return file.read().split(b"\n")
    except FileNotFoundError:
        return []


def sync_file(path: Path) -> None:
    with path.open("rb") as file:
        sync(file.fileno())


def sync(descriptor: int) -> None:
    """fsync that reaches the disk; plain fsync on macOS stops at the drive's cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
