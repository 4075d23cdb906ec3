"""Bringing an index up to date with files: find, read, chunk, commit."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from .batch import Batch, Chunked
from .chunking import ChunkSettings, chunk
from .documents import Document
from .durable import committing, make_folder
from .embedders import load_embedder
from .embedding import Embedder
from .errors import DamagedIndex, DocumentError, NoIndex, OtherIndex, SkippedFile, UsageError
from .files import Found, discover
from .fingerprint import check_probe, probe
from .generations import quarantine, sound_generation
from .library import FOLDER, INCOMING, library_folder
from .loading import Problem
from .locking import writing
from .manifest import Manifest, SegmentEntry, is_index, newest_generation, without, write_manifest
from .merging import REWRITTEN, crowded, merge_segments, worth_merging
from .parsing import load
from .segment import FileRecord, Segment
from .sweeping import sweep
from .updates import STATUSES, FileRow, Progress, Update
from .writing import write_segment

# Passages a commit: what a kill can cost, and what is held in memory.
BATCH = 2048
# Of a file that is left until it is at rest.
BEING_WRITTEN = "still being written"
# Problems of a file that its row names.
_NAMED = 3


def update(
    folder: Path,
    paths: Sequence[Path],
    *,
    embedder: Embedder | None = None,
    settings: ChunkSettings | None = None,
    rebuild: bool = False,
    progress: Callable[[Progress], None] | None = None,
    waits: Callable[[Path], bool] | None = None,
) -> Update:
    """Make the index in `folder` hold what the files at `paths` hold now.

    Files that are gone from under `paths` are removed; without `paths`, all known ones are looked
    at. Commits as it goes, about `BATCH` passages at a time. An index with damaged files is brought
    back to its last good generation first, and the damaged files are moved aside; `rebuild` starts
    from nothing. A file for which `waits` is true stays as it is in the index, with BEING_WRITTEN as the reason
    of its row. Raises UsageError, LockedIndex, DamagedIndex, OtherIndex, FailedWrite or ModelError; a
    single bad file raises nothing and has its row.
    """
    started = time.perf_counter()
    if not is_index(folder):
        if not paths:
            raise NoIndex(f"no index at {folder}: name what to index, footnoted index PATH")
        _check_free(folder)
    with writing(folder):
        run = _Run(folder, embedder, settings, rebuild, progress, waits)
        with closing(run.batch):
            run.read(paths)
            run.finish()
        return run.report(time.perf_counter() - started)


def create_empty(folder: Path, *, embedder: Embedder | None = None) -> None:
    """An index without documents, whose own library they can be put into. Raises as `update` does."""
    _check_free(folder)
    with committing(folder):
        make_folder(library_folder(folder))
    update(folder, [library_folder(folder)], embedder=embedder)


# What a first commit that was cut off leaves, and what may stand in an index before its first generation.
_LEFTOVERS = {"lock", "segments", "manifests", "CURRENT.tmp", "log", "feedback.jsonl", "history", "libraries"}
_LEFTOVERS |= {FOLDER, INCOMING}


def _check_free(folder: Path) -> None:
    """An index is made in a folder of its own: raises UsageError for one that holds other things."""
    try:
        holds = {path.name for path in folder.iterdir()} - _LEFTOVERS
    except OSError:
        return  # there is none yet, or the writer's lock will say what is wrong
    if holds:
        raise UsageError(f"{folder} holds other files and is no index: name a new folder with --index")


def remove(folder: Path, source: str) -> FileRecord:
    """Take the file of that source out of the index, and keep it out until it is named again; a copy in the index's
    own library is deleted.

    Raises UsageError if there is none, or if `source` is a row of a file.
    """
    if not is_index(folder):
        raise NoIndex(f"no index at {folder}: make one with  footnoted index PATH")
    with writing(folder):
        run = _Run(folder)
        with closing(run.batch):
            record = run.remove(source)
            run.finish()
        return record


class _Run:
    """One update: what was known, what was found, and the batch that the next commit will hold."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder | None = None,
        settings: ChunkSettings | None = None,
        rebuild: bool = False,
        progress: Callable[[Progress], None] | None = None,
        waits: Callable[[Path], bool] | None = None,
    ) -> None:
        self.folder = folder
        self.progress = progress
        self.waits = waits
        self.damaged: tuple[str, ...] = ()
        self.rebuild = rebuild
        previous = self._previous()
        if previous and not rebuild:
            self.manifest = previous
            embedder_of_index = load_embedder(self.manifest.model) if embedder is None else embedder
            made = ChunkSettings(**self.manifest.settings)
            if settings is not None and settings != made:
                raise OtherIndex(
                    f"the index was made with passages of {made.size} tokens, overlap {made.overlap}, asked for "
                    f"{settings.size}, overlap {settings.overlap}: footnoted index --rebuild PATH changes it"
                )
            self.settings = made
            self.probed = embedder is not None
            if embedder is not None:
                check_probe(embedder, self.manifest)
        else:
            embedder_of_index = embedder or load_embedder()
            self.settings = settings or ChunkSettings()
            self.manifest = Manifest(
                generation=newest_generation(folder),
                model=embedder_of_index.name,
                dimension=embedder_of_index.dimension,
                probe=probe(embedder_of_index),
                settings=asdict(self.settings),
                roots=previous.roots if previous else (),
            )
            self.probed = True
        self.embedder = embedder_of_index
        self.batch = Batch(embedder_of_index)
        self.staged: list[SegmentEntry] = []
        self.dead: dict[str, set[int]] = {}
        self.rows: list[FileRow] = []
        self.done = self.total = self.partly = 0
        self.changed = not previous or rebuild or bool(self.damaged)
        self.roots = list(self.manifest.roots)
        self.removed = set(self.manifest.removed)
        self.segments: list[Segment] = []
        self._open_segments()

    def _previous(self) -> Manifest | None:
        """The generation to go on from; None to start from nothing."""
        if not is_index(self.folder):
            return None
        try:
            sound = sound_generation(self.folder)
        except (DamagedIndex, OtherIndex) as error:
            if not self.rebuild:
                raise
            self.damaged = (str(error),)
            return None
        self.damaged = sound.damaged
        return replace(sound.manifest, generation=newest_generation(self.folder))

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
        self.batch.segments = self.segments
        self.known: dict[str, list[tuple[str, int, FileRecord]]] = {}
        for segment in self.segments:
            if not segment.entry.staged:
                for row, record in segment.files():
                    self.known.setdefault(record.path, []).append((segment.entry.name, row, record))
        self.taken = {parts[0][2].source: path for path, parts in self.known.items()}

    def read(self, paths: Sequence[Path]) -> None:
        """Go through every file under the paths, or under the known roots."""
        moved = self._library_has_moved()
        if paths:
            looked_at = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - keeps links as given
        else:
            looked_at = self._present_roots()
        if moved and library_folder(self.folder) not in looked_at:
            looked_at.append(library_folder(self.folder))
        found = list(discover(looked_at))
        for path in looked_at:
            if str(path) not in self.roots:
                self.roots.append(str(path))
                self.changed = True
        met = {str(one.path) for one in found}
        self.total = len(found)
        for one in found:
            self._tell(str(one.path))
            self._file(one, named=bool(paths) and one.path in looked_at)
            self.done += 1
            if self.batch.held >= BATCH:
                self.commit()
        # Below a folder that could not be listed, or that is left out as a whole, nothing counts as gone.
        unseen = [one.path for one in found if one.status == "failed" or (one.status and one.path in looked_at)]
        for known, parts in list(self.known.items()):
            if known in met or any(Path(known).is_relative_to(path) for path in unseen):
                continue
            if any(_gone_from(root, known) for root in looked_at):
                self._forget(known)
                if parts[0][2].status == "added":
                    self.rows.append(FileRow(known, "removed"))

    def _library_has_moved(self) -> bool:
        """Whether the index was moved with its own library: copies known by their old path are forgotten there where
        the same stand in the folder now, to be found again under their names.
        """
        here = library_folder(self.folder)
        gone = [root for root in map(Path, self.roots) if root.name == FOLDER and root != here and not root.exists()]
        moved = [
            path
            for path, parts in self.known.items()
            for root in gone
            if Path(path).is_relative_to(root) and _is(here / Path(path).relative_to(root), parts[0][2].sha256)
        ]
        for path in moved:
            self._forget(path)
        empty = [root for root in gone if moved and not any(Path(path).is_relative_to(root) for path in self.known)]
        self.roots = [root for root in self.roots if Path(root) not in empty]
        return bool(moved)

    def _present_roots(self) -> list[Path]:
        """The known roots; one that is gone (a drive not mounted, say) has its row and loses nothing."""
        present = []
        for root in self.roots:
            try:
                discover([Path(root)])
                present.append(Path(root))
            except UsageError:
                reason = "no longer there: what was indexed from it is kept"
                self.rows.append(FileRow(root, "failed", reason))
        return present

    def _tell(self, path: str = "") -> None:
        if self.progress:
            embedded = self.batch.embedded + self.batch.reused
            self.progress(Progress(self.done, self.total, embedded, self.batch.passages, path))

    def _file(self, found: Found, *, named: bool) -> None:
        path = str(found.path)
        before = self.known[path][-1][2] if path in self.known else None
        if named:
            self.removed.discard(path)
        if path in self.removed:
            self._left_out(path, found.source, "skipped", "removed before: name it to bring it back", before)
            return
        if found.status:
            self._left_out(path, found.source, found.status, found.reason, before)
            return
        try:
            stat = found.path.stat()
            if self.waits and self.waits(found.path):
                self.rows.append(FileRow(path, "skipped", BEING_WRITTEN))
                return
            if before and (before.size, before.mtime) == (stat.st_size, stat.st_mtime_ns):
                self._unchanged(before)
                return
            with found.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if before and before.sha256 == digest:
                self._unchanged(before)
                return
        except OSError as error:
            self._left_out(path, found.source, "failed", f"cannot be read: {(error.strerror or '').lower()}", before)
            return
        source = before.source if before else self._free_source(found)
        record = FileRecord(path, source, stat.st_size, stat.st_mtime_ns, digest, "added")
        problems: list[Problem] = []
        documents: list[Chunked] = []
        cut = 0
        try:
            for document in self._documents(found.path, source, problems):
                passages = chunk(document, self.settings, self.embedder.count_pieces, self.embedder.window)
                documents.append((document, passages))
                cut += len(passages)
                if cut >= BATCH:
                    self._stage(record, documents)
                    documents, cut = [], 0
            if not self.staged and not cut:
                raise SkippedFile(problems[0].reason if problems else "no text in it")
        except DocumentError as error:
            self.staged = []
            status = "skipped" if isinstance(error, SkippedFile) else "failed"
            self._left_out(path, source, status, str(error), before, replace(record, status=status, reason=str(error)))
            return
        self._forget(path)
        reason = "; ".join(problem.reason for problem in problems[:_NAMED])
        self.partly += any(problem.lost for problem in problems)
        self.batch.add(replace(record, reason=reason), documents)
        self.taken[source] = path
        status = "updated" if before and before.status == "added" else "added"
        self.rows.append(FileRow(path, status, reason))
        if self.staged:
            self.commit()

    def _documents(self, path: Path, source: str, problems: list[Problem]) -> Iterator[Document]:
        for one in load(path, source):
            if isinstance(one, Problem):
                problems.append(one)
            else:
                yield _storable(one)

    def _stage(self, record: FileRecord, documents: Sequence[Chunked]) -> None:
        """Put the beginning of a long file away, to be seen when the file is read to its end."""
        if self.batch.files:
            self.commit()
        self.batch.add(record, documents)
        entry = self._write()
        self.staged.append(replace(entry, staged=True))
        self._switch([*self.manifest.segments, self.staged[-1]])

    def _unchanged(self, before: FileRecord) -> None:
        status = "unchanged" if before.status == "added" else before.status
        self.rows.append(FileRow(before.path, status, before.reason))

    def _left_out(
        self,
        path: str,
        source: str,
        status: str,
        reason: str,
        before: FileRecord | None,
        record: FileRecord | None = None,
    ) -> None:
        """A file that gives no documents now; one that failed keeps those it gave before."""
        if before and before.status == "added":
            if status == "failed":
                self.rows.append(FileRow(path, status, f"{reason} (the version indexed before is kept)"))
                return
            self._forget(path)
        if record is not None:  # it was read: an unchanged one need not be read again
            self._forget(path)
            self.batch.add(record, [])
            self.taken[source] = path
        self.rows.append(FileRow(path, status, reason))

    def _forget(self, path: str) -> None:
        """What the index holds of this file is dead with the next commit."""
        for segment, row, record in self.known.pop(path, ()):
            self.dead.setdefault(segment, set()).add(row)
            self.taken.pop(record.source, None)
            self.changed = True

    def remove(self, source: str) -> FileRecord:
        path = self.taken.get(source)
        if path is None:
            file = source.partition("#")[0]
            row = file != source and file in self.taken
            hint = f"it is a row of {file}, remove that" if row else "footnoted status lists them"
            raise UsageError(f"no document {source!r} in the index at {self.folder}: {hint}")
        record = self.known[path][-1][2]
        if Path(path).is_relative_to(library_folder(self.folder)):
            with committing(self.folder):
                Path(path).unlink(missing_ok=True)
        else:
            self.removed.add(path)
        self._forget(path)
        self.roots = [root for root in self.roots if root != path]
        return record

    def _free_source(self, found: Found) -> str:
        """The path relative to its root, led by the root's name where another file has it already."""
        source, number = found.source, 1
        while self.taken.get(source, str(found.path)) != str(found.path):
            root = found.root.name or "root"
            source = f"{root}/{found.source}" if number == 1 else f"{root}-{number}/{found.source}"
            number += 1
        return source

    def _write(self) -> SegmentEntry:
        """A segment of what waits in the batch."""
        if not self.probed and self.batch.held:
            check_probe(self.embedder, self.manifest)
            self.probed = True
        name = f"{self.manifest.generation + 1:08}-{secrets.token_hex(4)}"
        contents = self.batch.take(self._tell)
        with committing(self.folder):
            return write_segment(self.folder / "segments" / name, contents, self.manifest.dimension)

    def commit(self) -> None:
        """Make what was read so far the current generation; nothing to say, no generation."""
        if not (self.batch.files or self.dead or self.changed):
            return
        # What was staged for the file that is now read to its end is seen from here on.
        seen = {entry.name for entry in self.staged}
        entries = [
            replace(without(entry, self.dead.get(entry.name, set())), staged=entry.staged and entry.name not in seen)
            for entry in self.manifest.segments
        ]
        if self.batch.files:
            entries.append(self._write())
        self.staged = []
        self._switch([entry for entry in entries if not self._empty(entry)])
        if many := crowded(self._seen()):
            self._merge(many)
            sweep(self.folder)

    def _switch(self, entries: Sequence[SegmentEntry]) -> None:
        self.manifest = replace(
            self.manifest,
            generation=self.manifest.generation + 1,
            segments=tuple(entries),
            roots=tuple(self.roots),
            removed=tuple(sorted(self.removed)),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with committing(self.folder):
            write_manifest(self.folder, self.manifest)
        self.dead, self.changed = {}, False
        self._open_segments()

    def _empty(self, entry: SegmentEntry) -> bool:
        """Whether every file of a segment is dead, so that the next generation does without it."""
        if entry.name not in self.dead:
            return False
        (segment,) = [one for one in self.segments if one.entry.name == entry.name]
        return {row for row, _ in segment.files()} <= self.dead[entry.name]

    def finish(self) -> None:
        """Commit the rest, forget what was staged for a file never finished, merge, and clear up."""
        self.changed |= self.removed != set(self.manifest.removed) or self.roots != list(self.manifest.roots)
        self.commit()
        if any(entry.staged for entry in self.manifest.segments):
            self._switch([entry for entry in self.manifest.segments if not entry.staged])
        room = REWRITTEN * self.batch.embedded
        while many := worth_merging(self.segments, room):
            room -= sum(segment.passages for segment in many)
            self._merge(many)
        if self.damaged:
            with committing(self.folder):
                quarantine(self.folder, self.manifest)
        sweep(self.folder)

    def _seen(self) -> list[Segment]:
        """The segments that readers see."""
        return [segment for segment in self.segments if not segment.entry.staged]

    def _merge(self, segments: Sequence[Segment]) -> None:
        """Put one in the place of several; nothing else changes."""
        name = f"{self.manifest.generation + 1:08}-{secrets.token_hex(4)}"
        with committing(self.folder):
            entry = merge_segments(self.folder / "segments" / name, segments, self.manifest.dimension)
        merged = {segment.entry.name for segment in segments}
        self._switch([*(one for one in self.manifest.segments if one.name not in merged), entry])

    def report(self, seconds: float) -> Update:
        counts = dict.fromkeys(STATUSES, 0)
        for row in self.rows:
            counts[row.status] += 1
        passages = sum(segment.passages for segment in self.segments)
        rows = tuple(self.rows)
        return Update(
            self.manifest.generation, counts, passages, self.batch.embedded, rows, seconds, self.damaged, self.partly
        )


def _storable(document: Document) -> Document:
    """The document with what no database text can hold (lone surrogates, NUL) replaced, character by
    character, so that its offsets stay.
    """
    return replace(
        document, source=_encodable(document.source), title=_encodable(document.title), text=_encodable(document.text)
    )


def _encodable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _is(path: Path, sha256: str) -> bool:
    """Whether there is a file at `path` with these bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _gone_from(root: Path, path: str) -> bool:
    """Whether a known file that was not met under `root` (a file, a folder or a pattern) is gone.

    What a pattern does not match may be there all the same, indexed through another path.
    """
    if os.path.lexists(root):
        return Path(path).is_relative_to(root)
    return not os.path.lexists(path) and fnmatch(path, str(root))
