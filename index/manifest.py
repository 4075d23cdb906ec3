"""What a generation of an index is made of, and the switch from one to the next.

`CURRENT` names a manifest and its sha256; the manifest names the segments and the sha256 and size
of each of their files. Nothing that a manifest names is ever written again. A commit writes new
files, syncs them, writes a manifest, syncs it, and renames a new `CURRENT` over the old one: before
the rename the old generation stands, after it the new one, never anything between.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from .durable import make_folder, sync_folder, write_synced
from .errors import DamagedIndex, NoIndex, OtherIndex
from .sums import FileSum, check_file

FORMAT = 2
CURRENT = "CURRENT"
MANIFESTS = "manifests"
_T = TypeVar("_T")
_NAME = re.compile(r"\d{8}-[0-9a-f]{16}\.json")
_POINTER = re.compile(rb"(\d{8}-[0-9a-f]{16}\.json) ([0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment of a generation; `dead` are the rows of its files that a later commit replaced.

    A `staged` one is the beginning of a file that is not read to its end yet: readers leave it out,
    and its vectors are reused if the reading is cut off and begun again.
    """

    name: str
    files: dict[str, FileSum]
    dead: tuple[int, ...] = ()
    staged: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation. `probe` is the model's fingerprint, `settings` the chunking's, `roots` the
    absolute PATHs that were indexed, in the order they came, `removed` the absolute paths of files that
    a user took out and that are not to come back by themselves.
    """

    generation: int
    model: str
    dimension: int
    probe: str
    settings: dict[str, Any]
    roots: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    created: str = ""


def is_index(folder: Path) -> bool:
    """Whether an index is, or was, in this folder. A first commit that was cut off has made none."""
    return os.path.lexists(folder / CURRENT) or newest_generation(folder) > 1


def read_manifest(folder: Path) -> Manifest:
    """The current generation's manifest.

    Raises NoIndex if the folder holds none, DamagedIndex if CURRENT or the manifest is not what was
    written, OtherIndex if it is of another format.
    """
    if not is_index(folder):
        raise NoIndex(f"no index at {folder}: make one with  footnoted index PATH")
    current = folder / CURRENT
    try:
        pointer = _POINTER.fullmatch(current.read_bytes())
    except FileNotFoundError:
        raise DamagedIndex(f"{current} is missing") from None
    except OSError as error:
        raise DamagedIndex(f"{current} cannot be read ({error.strerror})") from None
    if pointer is None:
        raise DamagedIndex(f"{current} is damaged")
    name, digest = pointer[1].decode(), pointer[2].decode()
    if name[9:25] != digest[:16]:
        raise DamagedIndex(f"{current} is damaged")
    return _read(folder / MANIFESTS / name, digest)


def older_manifests(folder: Path) -> Iterator[Manifest]:
    """The sound manifests that are kept, newest first, the current one included.

    A manifest's name holds the beginning of its own sha256, so it can be trusted without CURRENT.
    """
    for path in sorted((folder / MANIFESTS).glob("*.json"), reverse=True):
        if _NAME.fullmatch(path.name):
            with suppress(DamagedIndex, OtherIndex):
                yield _read(path, path.stem[9:])


def newest_generation(folder: Path) -> int:
    """The highest generation number that any manifest was written for, sound or not."""
    names = [path.name for path in (folder / MANIFESTS).glob("*.json") if _NAME.fullmatch(path.name)]
    return max((int(name[:8]) for name in names), default=0)


def _read(file: Path, digest: str) -> Manifest:
    """The manifest in a file whose sha256 begins with `digest`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DamagedIndex(f"{file} cannot be read ({error.strerror})") from None
    if not hashlib.sha256(content).hexdigest().startswith(digest):
        raise DamagedIndex(f"{file} is damaged (sha256 differs)")
    try:
        values = json.loads(content)
        made = values.pop("format")
        if isinstance(made, int) and made != FORMAT:
            raise OtherIndex(
                f"the index at {file.parent.parent} has format {made}, this version reads {FORMAT}: "
                "rebuild it with  footnoted index --rebuild PATH"
            )
        return _manifest(values)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DamagedIndex(f"{file} is no manifest") from None


def _manifest(values: dict[str, Any]) -> Manifest:
    """The manifest that JSON stands for. Raises one of a few errors if it does not stand for one."""
    segments = tuple(
        SegmentEntry(
            _plain_name(entry["name"]),
            {
                _plain_name(name): FileSum(_of(str, total["sha256"]), _of(int, total["bytes"]))
                for name, total in entry["files"].items()
            },
            tuple(_of(int, row) for row in entry["dead"]),
            _of(bool, entry["staged"]),
        )
        for entry in values.pop("segments")
    )
    paths = {name: tuple(_of(str, path) for path in values.pop(name)) for name in ("roots", "removed")}
    manifest = Manifest(**values, roots=paths["roots"], removed=paths["removed"], segments=segments)
    for value in (manifest.generation, manifest.dimension):
        _of(int, value)
    for text in (manifest.model, manifest.probe, manifest.created):
        _of(str, text)
    base64.b64decode(manifest.probe, validate=True)
    if any(type(value) is not int for value in manifest.settings.values()):
        raise TypeError
    return manifest


def _of(kind: type[_T], value: Any) -> _T:
    if type(value) is not kind:
        raise TypeError
    return value


def _plain_name(name: Any) -> str:
    """A name that stays in its folder."""
    if name in ("", ".", "..") or "/" in _of(str, name) or "\0" in name:
        raise ValueError
    return str(name)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make `manifest` the current generation; returns when that will survive a power cut."""
    content = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
    digest = hashlib.sha256(content).hexdigest()
    manifests = folder / MANIFESTS
    make_folder(manifests)
    name = f"{manifest.generation:08}-{digest[:16]}.json"
    write_synced(manifests / name, content)
    sync_folder(manifests)
    write_synced(folder / "CURRENT.tmp", f"{name} {digest}\n".encode())
    (folder / "CURRENT.tmp").replace(folder / CURRENT)
    sync_folder(folder)


def generation_of(folder: Path) -> bytes:
    """The bytes of CURRENT: they differ for different generations."""
    try:
        return (folder / CURRENT).read_bytes()
    except OSError:
        return b""


def damages(folder: Path, manifest: Manifest) -> list[str]:
    """One line for each file of the generation that is not, byte for byte, what was written."""
    found = []
    for entry in manifest.segments:
        for name, expected in entry.files.items():
            if problem := check_file(folder / "segments" / entry.name / name, expected):
                found.append(problem)
    return found


def without(entry: SegmentEntry, dead: set[int]) -> SegmentEntry:
    """The entry with further file rows dead."""
    return replace(entry, dead=tuple(sorted({*entry.dead, *dead})))
