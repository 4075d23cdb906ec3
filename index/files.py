"""Finding the files under the paths that a user names, and saying why one is left out."""

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError
from .loading import ROW_SUFFIXES, unknown_format

# Larger files are seldom documents and would fill the memory; rows are read one by one.
SIZE_LIMIT = 200 * 1024 * 1024

# A large file of rows with so many times its share of the disk is sparse; disks compress text less.
HOLES = 100

IGNORED = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__"})
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Found:
    """A file met under a root, or a folder that was left out as a whole.

    `source` is the path relative to `root` with slashes, printable whatever the name; `path` and
    `root` are absolute. `status` is empty for a file to read, otherwise "skipped" or "failed" with
    the `reason`. Two roots may hold the same source: with the path it is unique.
    """

    path: Path
    source: str
    root: Path
    status: str = ""
    reason: str = ""


def discover(paths: Sequence[Path]) -> Iterator[Found]:
    """Find every file under files, folders and glob patterns: paths in their order, names in byte order.

    A file is met once, whatever leads to it. A folder that is ignored (hidden, version control,
    packages, an index) is one skipped entry. Raises UsageError, before anything is yielded, for a
    path that does not exist or a pattern that nothing matches.
    """
    starts = [start for path in paths for start in _starts(path)]
    return _walk_all(starts)


def _starts(path: Path) -> list[tuple[Path, Path]]:
    """The (root, path) pairs that an argument stands for."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    if os.path.lexists(absolute):
        return [(absolute if absolute.is_dir() else absolute.parent, absolute)]
    if not is_pattern(str(path)):
        raise UsageError(f"no such file or folder: {printable(path)}")
    matches = sorted(glob.glob(str(absolute), recursive=True), key=os.fsencode)  # noqa: PTH207 - takes absolute
    if not matches:
        raise UsageError(f"no file matches '{printable(path)}'")
    fixed = Path(*_before_wild(absolute.parts))
    # "**" matches folders too; their files match by themselves.
    files = [Path(match) for match in matches if not Path(match).is_dir() or "**" not in absolute.parts]
    return [(fixed, match) for match in files]


def is_pattern(path: str) -> bool:
    """Whether a path that does not exist as it is written is a pattern for others."""
    return not os.path.lexists(path) and not _WILD.isdisjoint(path)


def _before_wild(parts: Sequence[str]) -> Iterator[str]:
    for part in parts[:-1]:
        if _WILD.intersection(part):
            return
        yield part


def _walk_all(starts: Sequence[tuple[Path, Path]]) -> Iterator[Found]:
    met: set[Path] = set()
    for root, path in starts:
        found = _folder(path, root) if path.is_dir() else iter((_file(path, root),))
        for one in found:
            if one.path not in met:
                met.add(one.path)
                yield one


def _folder(folder: Path, root: Path) -> Iterator[Found]:
    """Yield what is in a folder, depth first, in byte order of the names."""
    try:
        if _is_index(folder):
            yield _left_out(folder, root, "skipped", "an index, not documents")
            return
        entries = sorted(os.scandir(folder), key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield _left_out(folder, root, "failed", _cannot(error))
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name in IGNORED:
            yield _left_out(path, root, "skipped", "ignored by its name")
        elif entry.name.startswith("."):
            yield _left_out(path, root, "skipped", "hidden")
        elif entry.is_symlink():
            yield _link(path, root)
        elif entry.is_dir():
            yield from _folder(path, root)
        else:
            yield _file(path, root)


def _link(path: Path, root: Path) -> Found:
    """A link: followed to a file under the same root, and nowhere else."""
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError:
        return _left_out(path, root, "failed", "a link to nothing")
    except (OSError, RuntimeError):
        return _left_out(path, root, "skipped", "a link that leads back to itself")
    if not target.is_relative_to(root.resolve()):
        return _left_out(path, root, "skipped", "a link out of the folder")
    if target.is_dir():
        return _left_out(path, root, "skipped", "a link to a folder that is read where it stands")
    return _file(path, root)


def _file(path: Path, root: Path) -> Found:
    try:
        status = path.stat()
    except FileNotFoundError:
        return _left_out(path, root, "failed", "a link to nothing")
    except (OSError, RuntimeError) as error:
        return _left_out(path, root, "failed", _cannot(error))
    if not stat.S_ISREG(status.st_mode):
        return _left_out(path, root, "skipped", "not a file but a pipe, socket or device")
    if reason := unknown_format(path):
        return _left_out(path, root, "skipped", reason)
    if status.st_size > SIZE_LIMIT and path.suffix.lower() not in ROW_SUFFIXES:
        return _left_out(path, root, "skipped", f"larger than {SIZE_LIMIT >> 20} MB")
    if status.st_size > SIZE_LIMIT and status.st_blocks * 512 * HOLES < status.st_size:
        return _left_out(path, root, "skipped", "made of holes: it takes far less of the disk than its size")
    if not os.access(path, os.R_OK):
        return _left_out(path, root, "failed", "no permission to read it")
    return Found(path, _source(path, root), root)


def _left_out(path: Path, root: Path, status: str, reason: str) -> Found:
    return Found(path, _source(path, root), root, status, reason)


def _source(path: Path, root: Path) -> str:
    return printable(path.relative_to(root)) if path != root else printable(path.name)


def printable(path: Path | str) -> str:
    """The path with slashes; bytes that are not UTF-8 and control characters as backslash escapes."""
    text = path.as_posix() if isinstance(path, Path) else path
    with suppress(UnicodeEncodeError):  # half a surrogate pair is escaped below
        text = os.fsencode(text).decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _is_index(folder: Path) -> bool:
    return (folder / "CURRENT").is_file() and (folder / "manifests").is_dir()


def _cannot(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return f"cannot be read: {(getattr(error, 'strerror', '') or 'input error').lower()}"
