"""Removing what no kept generation needs."""

import shutil
from contextlib import suppress
from pathlib import Path

from ..errors import FootnotedError
from ..manifest import read_manifest

# Generations kept: the current one and the one before it.
KEPT = 2


def sweep(folder: Path) -> None:
    """Delete older manifests, and segments that neither they nor the current one name.

    Called by the holder of the writer lock. Readers have their files open and lose nothing. If the
    current generation cannot be read, everything is left as it is. What cannot be deleted is left to
    the next sweep: the commit before it stands, and must not be reported as failed.
    """
    try:
        current = read_manifest(folder)
    except FootnotedError:
        return
    manifests = sorted((folder / "manifests").glob("*.json"), reverse=True)
    kept = [path for path in manifests if path.stem[:8] <= f"{current.generation:08}"][:KEPT]
    try:
        needed = "".join(path.read_text() for path in kept)
    except (OSError, UnicodeDecodeError):  # an older manifest is damaged: what it names is not known
        return
    for path in manifests:
        if path not in kept:
            with suppress(OSError):
                path.unlink()
    for segment in (folder / "segments").iterdir() if (folder / "segments").is_dir() else ():
        if f'"{segment.name}"' not in needed:
            shutil.rmtree(segment, ignore_errors=True)
