"""ZIP archives: each member read as the file it is, by the reader of its format; nothing is unpacked to disk."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from ..documents import Document
from ..errors import DocumentError, FailedFile, SkippedFile
from ..files import IGNORED, printable
from ..loading import Problem, load_open, unknown_format

# What an archive of documents stays within.
MEMBER_LIMIT = 10_000
UNPACKED_LIMIT = 500 * 1024 * 1024
# Beyond this size, text that packs better than this was made to.
BOMB_SIZE = 10 * 1024 * 1024
BOMB_RATIO = 100

# Problems named one by one; the rest are counted.
NAMED_PROBLEMS = 20
_BLOCK = 1 << 20


def read_rows(file: BinaryIO, suffix: str, source: str) -> Iterator[Document | Problem]:
    """Yield the documents of every member, `source/name`, and a problem for each that gave none.

    Raises FailedFile for an archive that is damaged or larger than the limits, SkippedFile if no
    member gave a document.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise FailedFile("damaged, or not a ZIP file") from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MEMBER_LIMIT:
            raise FailedFile(f"more than {MEMBER_LIMIT:,} files in it")
        if sum(member.file_size for member in members) > UNPACKED_LIMIT:
            raise FailedFile("too large when unpacked")
        yield from _Members(archive, source).read(members)


class _Members:
    """An archive being read: how much has come out of it and what was left out."""

    def __init__(self, archive: zipfile.ZipFile, source: str) -> None:
        self.archive = archive
        self.source = source
        self.unpacked = 0
        self.documents = self.ignored = 0
        self.taken: set[str] = set()
        self.reasons: list[str] = []

    def read(self, members: list[zipfile.ZipInfo]) -> Iterator[Document | Problem]:
        for member in members:
            name = _name(member.filename)
            while name in self.taken:
                name = f"again/{name}"
            self.taken.add(name)
            if any(part in IGNORED or part.startswith((".", "__MACOSX")) for part in name.split("/")):
                self.ignored += 1  # as in a folder: nobody's documents
                continue
            try:
                yield from self._member(member, name)
            except _TooLargeArchive:
                raise
            except DocumentError as error:
                self.reasons.append(f"{printable(name)}: {error}")
        if self.ignored:
            self.reasons.append(f"{self.ignored} hidden or ignored files left out")
        yield from (Problem(reason) for reason in self.reasons[:NAMED_PROBLEMS])
        if len(self.reasons) > NAMED_PROBLEMS:
            yield Problem(f"{len(self.reasons) - NAMED_PROBLEMS} more of its files were left out")
        if not self.documents:
            raise SkippedFile(f"no documents in it{'; ' if self.reasons else ''}{'; '.join(self.reasons[:3])}")

    def _member(self, member: zipfile.ZipInfo, name: str) -> Iterator[Document | Problem]:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix == ".zip":
            raise SkippedFile("an archive in an archive")
        if reason := unknown_format(PurePosixPath(name)):
            raise SkippedFile(reason)
        data = self._unpack(member)
        try:
            for one in load_open(io.BytesIO(data), suffix, f"{self.source}/{printable(name)}"):
                if isinstance(one, Problem):
                    self.reasons.append(f"{printable(name)}: {one.reason}")
                else:
                    self.documents += 1
                    yield one
        except OSError as error:
            raise FailedFile("damaged") from error

    def _unpack(self, member: zipfile.ZipInfo) -> bytes:
        """The bytes of a member, counted as they come: what it says of its size is only said."""
        if member.flag_bits & 1:
            raise FailedFile("encrypted: remove its password first")
        blocks = []
        length = 0
        try:
            with self.archive.open(member) as file:
                while block := file.read(_BLOCK):
                    blocks.append(block)
                    length += len(block)
                    self.unpacked += len(block)
                    if length > BOMB_SIZE and length > BOMB_RATIO * max(1, member.compress_size):
                        raise FailedFile("too large when unpacked")
                    if self.unpacked > UNPACKED_LIMIT:
                        raise _TooLargeArchive("too large when unpacked")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
            raise FailedFile("damaged") from error
        except RuntimeError as error:
            raise FailedFile("encrypted: remove its password first") from error
        return b"".join(blocks)


class _TooLargeArchive(FailedFile):
    """Raised when all of an archive is too large, not only one member."""


def _name(filename: str) -> str:
    """The name of a member without what would lead out of the archive: it is a name, never a place."""
    parts = filename.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", "..")) or "unnamed"
