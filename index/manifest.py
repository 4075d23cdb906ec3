"""What a generation of an index is made of, and the switch from one to the next.

`CURRENT` names a manifest and its sha256; the manifest names the segments and the sha256 and size
of each of their files. Nothing that a manifest names is ever written again. A commit writes new
files, syncs them, writes a manifest, syncs it, and renames a new `CURRENT` over the old one: before
the rename the old generation stands, after it the new one, never anything between.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .durable import make_folder, sync_folder, write_synced
from .errors import DamagedIndex, NoIndex, OtherIndex
from .sums import FileSum, check_file

FORMAT = 1
CURRENT = "CURRENT"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment of a generation; `dead` are the rows of its files that a later commit replaced."""

    name: str
    files: dict[str, FileSum]
    dead: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation. `probe` is the model's fingerprint, `settings` the chunking's, `roots` the
    absolute PATHs that were indexed, in the order they came.
    """

    generation: int
    model: str
    dimension: int
    probe: str
    settings: dict[str, Any]
    roots: tuple[str, ...] = ()
    segments: tuple[SegmentEntry, ...] = ()
    created: str = ""


def is_index(folder: Path) -> bool:
    return (folder / CURRENT).is_file()


def read_manifest(folder: Path) -> Manifest:
    """The current generation's manifest.

    Raises NoIndex if the folder holds none, DamagedIndex if CURRENT or the manifest is not what was
    written, OtherIndex if it is of a newer format.
    """
    try:
        pointer = (folder / CURRENT).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NoIndex(f"no index at {folder}: make one with  footnoted index PATH") from None
    except OSError as error:
        raise NoIndex(f"cannot read the index at {folder}: {error.strerror}") from None
    try:
        name, expected = pointer.decode("ascii").split()
        file = folder / name
        if file.parent != folder / "manifests":
            raise ValueError
    except ValueError:
        raise DamagedIndex(f"{folder / CURRENT} is damaged: rebuild with  footnoted index --rebuild") from None
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DamagedIndex(
            f"{file} cannot be read ({error.strerror}): rebuild with  footnoted index --rebuild"
        ) from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise DamagedIndex(f"{file} is damaged (sha256 differs): rebuild with  footnoted index --rebuild")
    values = json.loads(content)
    if values.pop("format") != FORMAT:
        raise OtherIndex(
            f"the index at {folder} has format {json.loads(content)['format']}, this version reads {FORMAT}: "
            "rebuild with  footnoted index --rebuild"
        )
    segments = tuple(
        SegmentEntry(
            entry["name"],
            {name: FileSum(**total) for name, total in entry["files"].items()},
            tuple(entry["dead"]),
        )
        for entry in values.pop("segments")
    )
    return Manifest(**{**values, "roots": tuple(values["roots"]), "segments": segments})


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make `manifest` the current generation; returns when that will survive a power cut."""
    content = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
    manifests = folder / "manifests"
    make_folder(manifests)
    file = manifests / f"{manifest.generation:08}.json"
    write_synced(file, content)
    sync_folder(manifests)
    pointer = f"manifests/{file.name} {hashlib.sha256(content).hexdigest()}\n".encode()
    write_synced(folder / "CURRENT.tmp", pointer)
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
