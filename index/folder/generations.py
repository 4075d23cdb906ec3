"""Which generation can be trusted, and what becomes of files that cannot."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import DamagedIndex
from ..manifest import MANIFESTS, Manifest, damages, older_manifests, read_manifest

QUARANTINE = "quarantine"
_ADVICE = "footnoted index  repairs it from the documents"


@dataclass(frozen=True, slots=True)
class Sound:
    """The newest generation of which every byte is as written, and one line for each file that made
    newer ones fail; none if it is the current one.
    """

    manifest: Manifest
    damaged: tuple[str, ...]

    @property
    def notice(self) -> str:
        """For a person; empty if nothing is wrong."""
        if not self.damaged:
            return ""
        return f"{self.damaged[0]}: generation {self.manifest.generation}, the last good one, is used; {_ADVICE}"


def sound_generation(folder: Path) -> Sound:
    """The generation to open.

    Raises NoIndex if there is none, OtherIndex if it is of another format, DamagedIndex, naming the
    file, if no generation is whole.
    """
    try:
        current = read_manifest(folder)
        problems = damages(folder, current)
        if not problems:
            return Sound(current, ())
        tried = current.generation
    except DamagedIndex as error:
        problems, tried = [str(error)], None
    for manifest in older_manifests(folder):
        if manifest.generation != tried and not damages(folder, manifest):
            return Sound(manifest, tuple(problems))
    raise DamagedIndex(f"{problems[0]}, and no older generation is whole: footnoted index --rebuild PATH")


def quarantine(folder: Path, keep: Manifest) -> Path | None:
    """Move what `keep` does not stand on out of the way, not a byte deleted; where to, or None."""
    needed = {entry.name for entry in keep.segments}
    strays = [path for path in (folder / "segments").glob("*") if path.name not in needed]
    strays += [path for path in (folder / MANIFESTS).glob("*") if not path.name.startswith(f"{keep.generation:08}-")]
    if not strays:
        return None
    aside = folder / QUARANTINE / datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    for path in strays:
        target = aside / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    return aside
