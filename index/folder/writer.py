"""Generations of an index that is a folder, written: segments, what is dead in them, and the switch."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..contents import Contents, FileRecord
from ..documents import Document, Passage
from ..durable import committing
from ..manifest import Manifest, SegmentEntry, without, write_manifest
from ..store import Content, Made
from .generations import quarantine
from .merging import REWRITTEN, crowded, merge_segments, worth_merging
from .segment import Segment
from .sweeping import sweep
from .writing import write_segment


class FolderWriter:
    """As `Writer` in store.py; made by the holder of the writer's lock. `newest` is the highest generation that any
    manifest was written for.
    """

    manifest: Manifest

    def __init__(self, folder: Path, newest: int, damaged: tuple[str, ...]) -> None:
        self.folder = folder
        self.damaged = damaged
        self.segments: list[Segment] = []
        self._newest = newest
        self._staged: list[SegmentEntry] = []
        self._dead: dict[str, set[int]] = {}

    def begin(self, manifest: Manifest) -> None:
        self.manifest = replace(manifest, generation=self._newest)
        self._open_segments()

    def _open_segments(self) -> None:
        """Everything of the generation in hand: for reuse also what is staged, of an earlier run too."""
        opened = {segment.entry.name: segment for segment in self.segments}
        self.segments = []
        for entry in self.manifest.segments:
            before = opened.get(entry.name)
            same = before is not None and before.entry.dead == entry.dead
            segment = before if before and same else Segment(self.folder / "segments" / entry.name, entry)
            segment.entry = entry
            self.segments.append(segment)
        self._parts: dict[str, list[tuple[str, int]]] = {}
        self._known: dict[str, FileRecord] = {}
        for segment in self.segments:
            if not segment.entry.staged:
                for row, record in segment.files():
                    self._parts.setdefault(record.path, []).append((segment.entry.name, row))
                    self._known[record.path] = record

    @property
    def known(self) -> Mapping[str, FileRecord]:
        return self._known

    @property
    def passages(self) -> int:
        return sum(segment.passages for segment in self.segments)

    def forget(self, path: str) -> None:
        self._known.pop(path, None)
        for segment, row in self._parts.pop(path, ()):
            self._dead.setdefault(segment, set()).add(row)

    def holds(self, sha256: str) -> bool:
        return any(sha256 in segment.hashes for segment in self.segments)

    def check(self, documents: Sequence[tuple[Document, Sequence[Passage]]]) -> None:
        """A folder holds any."""

    def made(self, wanted: Mapping[Content, str | None]) -> dict[Content, Made]:
        """In rows living or not."""
        found: dict[Content, Made] = {}
        for segment in self.segments:
            left = [key for key in wanted if key not in found]
            rows = segment.rows_of_contents([key.content for key in left])
            for key in left:
                row = rows.get(key.content)
                if row is None and (bare := wanted[key]) is not None:
                    row = segment.row_of_bare(bare)
                if row is not None:
                    codes, scales = segment.quantised_sentences(row)
                    if len(codes) == key.sentences:
                        found[key] = Made(segment.vector(row), codes, scales)
        return found

    def stage(self, contents: Contents, roots: Sequence[str], removed: Sequence[str]) -> None:
        self._staged.append(replace(self._write(contents), staged=True))
        self._switch([*self.manifest.segments, self._staged[-1]], roots, removed)

    def unstage(self) -> None:
        self._staged = []

    def _write(self, contents: Contents) -> SegmentEntry:
        with committing(self.folder):
            return write_segment(self._new_folder(), contents, self.manifest.dimension)

    def _new_folder(self) -> Path:
        return self.folder / "segments" / f"{self.manifest.generation + 1:08}-{secrets.token_hex(4)}"

    def commit(self, contents: Contents | None, roots: Sequence[str], removed: Sequence[str]) -> None:
        # What was staged for the file that is now read to its end is seen from here on.
        seen = {entry.name for entry in self._staged}
        entries = [
            replace(without(entry, self._dead.get(entry.name, set())), staged=entry.staged and entry.name not in seen)
            for entry in self.manifest.segments
        ]
        if contents is not None:
            entries.append(self._write(contents))
        self._staged = []
        self._switch([entry for entry in entries if not self._empty(entry)], roots, removed)
        if many := crowded([segment for segment in self.segments if not segment.entry.staged]):
            self._merge(many)
            sweep(self.folder)

    def _switch(self, entries: Sequence[SegmentEntry], roots: Sequence[str], removed: Sequence[str]) -> None:
        self.manifest = replace(
            self.manifest,
            generation=self.manifest.generation + 1,
            segments=tuple(entries),
            roots=tuple(roots),
            removed=tuple(removed),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with committing(self.folder):
            write_manifest(self.folder, self.manifest)
        self._dead = {}
        self._open_segments()

    def _empty(self, entry: SegmentEntry) -> bool:
        """Whether every file of a segment is dead, so that the next generation does without it."""
        if entry.name not in self._dead:
            return False
        (segment,) = [one for one in self.segments if one.entry.name == entry.name]
        return {row for row, _ in segment.files()} <= self._dead[entry.name]

    def finish(self, embedded: int) -> None:
        """Forget what was staged for a file never finished, merge, and clear up."""
        if any(entry.staged for entry in self.manifest.segments):
            self._again([entry for entry in self.manifest.segments if not entry.staged])
        room = REWRITTEN * embedded
        while many := worth_merging(self.segments, room):
            room -= sum(segment.passages for segment in many)
            self._merge(many)
        if self.damaged:
            with committing(self.folder):
                quarantine(self.folder, self.manifest)
        sweep(self.folder)

    def _again(self, entries: Sequence[SegmentEntry]) -> None:
        """The same documents in other segments."""
        self._switch(entries, self.manifest.roots, self.manifest.removed)

    def _merge(self, segments: Sequence[Segment]) -> None:
        """Put one in the place of several; nothing else changes."""
        with committing(self.folder):
            entry = merge_segments(self._new_folder(), segments, self.manifest.dimension)
        merged = {segment.entry.name for segment in segments}
        self._again([*(one for one in self.manifest.segments if one.name not in merged), entry])
