"""An index that is a folder on this machine."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DamagedIndex, OtherIndex
from ..locking import writing
from ..manifest import Manifest, damages, generation_of, is_index, newest_generation, read_manifest
from .generation import FolderGeneration
from .generations import sound_generation
from .segment import Segment
from .writer import FolderWriter

# A reader that opens a generation while newer ones are committed and old files swept tries again.
_ATTEMPTS = 5


class FolderStore:
    """As `Store` in store.py: segments with checksums and a manifest that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def exists(self) -> bool:
        return is_index(self.folder)

    def pointer(self) -> bytes:
        return generation_of(self.folder)

    def manifest(self) -> Manifest:
        return read_manifest(self.folder)

    def newest(self) -> FolderGeneration:
        """Every byte is checked; if the current generation is damaged, the last good one is opened."""
        for attempt in range(_ATTEMPTS):
            pointer = self.pointer()
            try:
                sound = sound_generation(self.folder)
                entries = [entry for entry in sound.manifest.segments if not entry.staged]
                segments = [Segment(self.folder / "segments" / entry.name, entry) for entry in entries]
                if not sound.damaged or self.pointer() == pointer:
                    break
            except (DamagedIndex, OSError, RuntimeError, sqlite3.Error):  # swept away under our hands
                if attempt + 1 == _ATTEMPTS or self.pointer() == pointer:
                    raise
        return FolderGeneration(sound.manifest, segments, sound.manifest.dimension, sound.notice)

    @contextmanager
    def writing(self, *, rebuild: bool = False) -> Iterator[tuple[FolderWriter, Manifest | None]]:
        with writing(self.folder):
            previous, damaged = self._previous(rebuild)
            yield FolderWriter(self.folder, newest_generation(self.folder), damaged), previous

    def _previous(self, rebuild: bool) -> tuple[Manifest | None, tuple[str, ...]]:
        """The generation to go on from, and what of the newer ones is damaged."""
        if not self.exists():
            return None, ()
        try:
            sound = sound_generation(self.folder)
        except (DamagedIndex, OtherIndex) as error:
            if not rebuild:
                raise
            return None, (str(error),)
        return sound.manifest, sound.damaged

    def verify(self) -> list[str]:
        return damages(self.folder, read_manifest(self.folder))
