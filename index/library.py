"""An index's own copies of documents that were handed to it: the files under `library/` in its folder.

They are documents like any others, found under that folder; no generation stands on them, so checking and sweeping
leave them alone. A file arrives beside them, in `incoming/`, and is renamed into its place when it is whole.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .durable import committing, make_folder, sync, sync_folder
from .errors import UsageError
from .files import IGNORED, printable
from .loading import unknown_format

FOLDER, INCOMING = "library", "incoming"
# A name in a folder, and a path with its folders, in bytes.
_LONGEST_NAME, _LONGEST_PATH = 255, 1024
# Seconds after which what arrived in part is nobody's any more.
_OLD = 24 * 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes that one file may have, and all files of a library together."""

    file: int = 200 << 20
    total: int = 4 << 30


def library_folder(at: Path) -> Path:
    """Where the copies of the index in the folder `at` are."""
    return Path(os.path.abspath(at)) / FOLDER  # noqa: PTH100 - as sources are found


class Library:
    """The copies of one index. Safe to use from several threads."""

    def __init__(self, at: Path, limits: Limits) -> None:
        self.at = at
        self.folder = library_folder(at)
        self.limits = limits
        for path in (at / INCOMING).glob("*"):
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _OLD:
                    path.unlink()
        self.size = 0
        self.measure()

    def measure(self) -> None:
        """Count the bytes of the copies."""
        self.size = sum(self._size_of(path) for path in self.folder.rglob("*"))

    def holds(self, path: str) -> bool:
        """Whether a file that was indexed is one of the copies."""
        return Path(path).is_relative_to(self.folder)

    def check(self, name: str, size: int) -> Path:
        """Where a file of that name and size would go: a path with slashes, relative to the library.

        Raises UsageError, saying what is wrong, for a name that leads elsewhere, a format that cannot be read, and a
        size beyond the limits.
        """
        path = self.folder / _checked(name)
        if reason := unknown_format(path):
            raise UsageError(reason)
        self._check_size(size, self._size_of(path))
        return path

    @contextmanager
    def receiving(self, name: str, size: int) -> Iterator["Arrival"]:
        """Take a file in; it replaces the one of its name when the block ends, and leaves nothing if that raises.

        Raises UsageError as `check` does, and FailedWrite if the disk does not take it.
        """
        path = self.check(name, size)
        part = self.at / INCOMING / secrets.token_hex(8)
        with committing(self.at):
            make_folder(part.parent)
            file = part.open("xb")
        try:
            with file:
                arrival = Arrival(self, file, self._size_of(path))
                yield arrival
                with committing(self.at):
                    file.flush()
                    sync(file.fileno())
            with committing(self.at):
                self._place(part, path, arrival)
        finally:
            part.unlink(missing_ok=True)

    def _place(self, part: Path, path: Path, arrival: "Arrival") -> None:
        if not part.exists():
            raise UsageError("the library was deleted meanwhile")
        try:
            make_folder(path.parent)
            if not path.parent.resolve().is_relative_to(self.folder.resolve()):
                raise UsageError("its folder is a link out of the library")
            part.replace(path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise UsageError("the library has a file where this one has a folder, or a folder of its name") from None
        sync_folder(path.parent)
        self.size += arrival.size - arrival.replaced

    def _check_size(self, size: int, replaced: int) -> None:
        if size > self.limits.file:
            raise UsageError(f"larger than {_megabytes(self.limits.file)}: footnoted index reads it where it is")
        if self.size - replaced + size > self.limits.total:
            raise UsageError(f"the library would be larger than {_megabytes(self.limits.total)}: remove something")

    def _size_of(self, path: Path) -> int:
        try:
            return path.stat().st_size if path.is_file() else 0
        except OSError:
            return 0


class Arrival:
    """A file that comes in pieces: each is written at once, none is held."""

    def __init__(self, library: Library, file: BinaryIO, replaced: int) -> None:
        self._library = library
        self._file = file
        self.size = 0
        self.replaced = replaced

    def write(self, piece: bytes) -> None:
        """Raises UsageError once the file is beyond the limits, whatever size was announced, and FailedWrite."""
        self.size += len(piece)
        self._library._check_size(self.size, self.replaced)
        with committing(self._library.at):
            self._file.write(piece)


def _checked(name: str) -> Path:
    parts = name.split("/")
    if name != printable(name) or "\\" in name:
        raise UsageError("its name holds characters that no file name should have")
    if len(name.encode()) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in parts):
        raise UsageError("its name is too long")
    if not all(part.strip() for part in parts) or ".." in parts:
        raise UsageError("its name leads out of the library")
    if any(part.startswith(".") for part in parts):
        raise UsageError("hidden")
    if IGNORED.intersection(parts):
        raise UsageError("ignored by its name")
    return Path(*parts)


def _megabytes(size: int) -> str:
    return f"{size >> 20:,} MB"
