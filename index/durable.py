"""Writing that survives a power cut: each file and each folder entry is synced before it is relied on."""

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


def sync_file(path: Path) -> None:
    with path.open("rb") as file:
        sync(file.fileno())


def sync(descriptor: int) -> None:
    """fsync that reaches the disk; plain fsync on macOS stops at the drive's cache."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
