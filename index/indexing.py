"""Bringing an index up to date with files: read, chunk, embed, commit."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from .chunking import ChunkSettings, chunk
from .documents import Document, Passage
from .embedding import Embedder, embed_with_sentences, load_embedder
from .errors import DocumentError, NoIndex, OtherIndex, SkippedFile, UsageError
from .files import Found, discover
from .fingerprint import check_probe, probe
from .inputs import model_context, model_input
from .loading import Problem
from .locking import writing
from .manifest import Manifest, SegmentEntry, is_index, read_manifest, without, write_manifest
from .parsing import load
from .segment import Contents, Embedded, FileRecord, Segment, quantised, write_segment
from .sweeping import sweep
from .terms import terms
from .updates import STATUSES, FileRow, Progress, Update

# Passages a commit: what a kill can cost, and what is held in memory.
BATCH = 2048
# Passages embedded between two reports of progress.
_STRIDE = 128


def update(
    folder: Path,
    paths: Sequence[Path],
    *,
    embedder: Embedder | None = None,
    settings: ChunkSettings | None = None,
    rebuild: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Update:
    """Make the index in `folder` hold what the files at `paths` hold now, and open no other.

    Files that are gone from under `paths` are removed; without `paths`, all known ones are looked
    at. Commits as it goes, `BATCH` passages at a time, and once more at the end. `rebuild` starts
    from nothing. Raises UsageError, LockedIndex, DamagedIndex, OtherIndex or ModelError; a single
    bad file raises nothing and has its row.
    """
    started = time.perf_counter()
    if not paths and not is_index(folder):
        raise NoIndex(f"no index at {folder}: name what to index, footnoted index PATH")
    with writing(folder):
        run = _Run(folder, embedder, settings, rebuild, progress)
        run.read(paths)
        run.commit()
        sweep(folder)
        return run.report(time.perf_counter() - started)


class _Run:
    """One update: what was known, what was found, and the batch that the next commit will hold."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder | None,
        settings: ChunkSettings | None,
        rebuild: bool,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.folder = folder
        self.progress = progress
        if is_index(folder) and not rebuild:
            self.manifest = read_manifest(folder)
            self.embedder = embedder or load_embedder(self.manifest.model)
            made = ChunkSettings(**self.manifest.settings)
            if settings is not None and settings != made:
                raise OtherIndex(f"the index was made with {made}, asked for {settings}: index --rebuild changes it")
            self.settings = made
            self.probed = embedder is not None
            if embedder is not None:
                check_probe(embedder, self.manifest)
        else:
            self.embedder = embedder or load_embedder()
            self.settings = settings or ChunkSettings()
            previous = read_manifest(folder).generation if is_index(folder) else 0
            self.manifest = Manifest(
                generation=previous,
                model=self.embedder.name,
                dimension=self.embedder.dimension,
                probe=probe(self.embedder),
                settings=asdict(self.settings),
            )
            self.probed = True
        self.segments = [Segment(folder / "segments" / entry.name, entry) for entry in self.manifest.segments]
        self.known: dict[str, tuple[str, int, FileRecord]] = {
            record.path: (segment.entry.name, row, record)
            for segment in self.segments
            for row, record in segment.files()
        }
        self.taken = {record.source: path for path, (_, _, record) in self.known.items()}
        self.contexts: dict[tuple[str, str], str] = {}
        self.pending: list[tuple[FileRecord, list[tuple[Document, list[Passage]]]]] = []
        self.dead: dict[str, set[int]] = {}
        self.rows: list[FileRow] = []
        self.embedded = self.reused = self.waiting = self.done = self.total = 0
        self.changed = not is_index(folder) or rebuild
        self.roots = list(self.manifest.roots)

    def read(self, paths: Sequence[Path]) -> None:
        """Go through every file under the paths, or under the known roots."""
        if paths:
            looked_at = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - keeps links as given
        else:
            looked_at = self._present_roots()
        found = list(discover(looked_at))
        for path in looked_at:
            if str(path) not in self.roots:
                self.roots.append(str(path))
                self.changed = True
        met = {str(one.path) for one in found}
        self.total = len(found)
        for one in found:
            self._tell(str(one.path))
            self._file(one)
            self.done += 1
            if self.waiting >= BATCH:
                self.commit()
        for known, (_, _, record) in list(self.known.items()):
            if known not in met and any(_gone_from(root, known) for root in looked_at):
                self._forget(known)
                if record.status == "added":
                    self.rows.append(FileRow(known, "removed"))

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
            embedded = self.embedded + self.reused
            self.progress(Progress(self.done, self.total, embedded, embedded + self.waiting, path))

    def _file(self, found: Found) -> None:
        path = str(found.path)
        before = self.known[path][2] if path in self.known else None
        if found.status:
            self._left_out(path, found.source, found.status, found.reason, before)
            return
        try:
            stat = found.path.stat()
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
        documents: list[tuple[Document, list[Passage]]] = []
        problems: list[str] = []
        try:
            for one in load(found.path, source):
                if isinstance(one, Problem):
                    problems.append(one.reason)
                    continue
                document = _storable(one)
                count, window = self.embedder.count_pieces, self.embedder.window
                documents.append((document, chunk(document, self.settings, count, window)))
            if not any(passages for _, passages in documents):
                raise SkippedFile(problems[0] if problems else "no text in it")
        except DocumentError as error:
            status = "skipped" if isinstance(error, SkippedFile) else "failed"
            self._left_out(path, source, status, str(error), before, replace(record, status=status, reason=str(error)))
            return
        self._forget(path)
        self.pending.append((record, documents))
        self.taken[source] = path
        self.waiting += sum(len(passages) for _, passages in documents)
        status = "updated" if before and before.status == "added" else "added"
        self.rows.append(FileRow(path, status, "; ".join(problems[:3])))

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
            self.pending.append((record, []))
        self.rows.append(FileRow(path, status, reason))

    def _forget(self, path: str) -> None:
        """What the index holds of this file is dead with the next commit."""
        if path in self.known:
            segment, row, record = self.known.pop(path)
            self.dead.setdefault(segment, set()).add(row)
            self.taken.pop(record.source, None)
            self.changed = True

    def _free_source(self, found: Found) -> str:
        """The path relative to its root, led by the root's name where another file has it already."""
        source, number = found.source, 1
        while self.taken.get(source, str(found.path)) != str(found.path):
            root = found.root.name or "root"
            source = f"{root}/{found.source}" if number == 1 else f"{root}-{number}/{found.source}"
            number += 1
        return source

    def _embed_pending(self) -> Contents:
        """What the batch becomes: its passages with their vectors, reused where the same text has one."""
        passages = [passage for _, documents in self.pending for _, inside in documents for passage in inside]
        embedded: list[Embedded] = []
        for first in range(0, len(passages), _STRIDE):
            embedded += self._embed(passages[first : first + _STRIDE])
            self.waiting = len(passages) - len(embedded)
            self._tell()
        ready = iter(embedded)
        return [
            (record, [(document, [next(ready) for _ in inside]) for document, inside in documents])
            for record, documents in self.pending
        ]

    def _embed(self, passages: Sequence[Passage]) -> list[Embedded]:
        inputs = [model_input(passage, self._context(passage)) for passage in passages]
        contents = [hashlib.sha256(text.encode()).hexdigest()[:32] for text, _ in inputs]
        done: dict[int, Embedded] = {}
        for row, (passage, content) in enumerate(zip(passages, contents, strict=True)):
            if known := self._reused(passage, content):
                done[row] = known
        fresh = [row for row in range(len(passages)) if row not in done]
        if fresh and not self.probed:
            check_probe(self.embedder, self.manifest)
            self.probed = True
        vectors, sentences = embed_with_sentences(
            self.embedder, [inputs[row][0] for row in fresh], [inputs[row][1] for row in fresh]
        )
        codes, scales = quantised(sentences)
        first = 0
        for row, vector in zip(fresh, vectors, strict=True):
            last = first + len(passages[row].sentences)
            words = _words(passages[row])
            done[row] = Embedded(passages[row], contents[row], vector, codes[first:last], scales[first:last], words)
            first = last
        self.embedded += len(fresh)
        self.reused += len(passages) - len(fresh)
        return [done[row] for row in range(len(passages))]

    def _context(self, passage: Passage) -> str:
        key = (passage.title, passage.heading)
        if key not in self.contexts:
            if len(self.contexts) > BATCH:
                self.contexts.clear()
            self.contexts[key] = model_context(*key, self.embedder.count_pieces, self.embedder.window)
        return self.contexts[key]

    def _reused(self, passage: Passage, content: str) -> Embedded | None:
        for segment in self.segments:
            if (row := segment.row_of_content(content)) is not None:
                codes, scales = segment.quantised_sentences(row)
                if len(codes) == len(passage.sentences):
                    return Embedded(passage, content, segment.vector(row), codes, scales, _words(passage))
        return None

    def commit(self) -> None:
        """Make what was read so far the current generation; nothing to say, no generation."""
        if not (self.pending or self.dead or self.changed):
            return
        generation = self.manifest.generation + 1
        entries = [without(entry, self.dead.get(entry.name, set())) for entry in self.manifest.segments]
        if self.pending:
            name = f"{generation:08}-{secrets.token_hex(4)}"
            entries.append(
                write_segment(self.folder / "segments" / name, self._embed_pending(), self.manifest.dimension)
            )
        entries = [entry for entry in entries if not self._empty(entry)]
        manifest = replace(
            self.manifest,
            generation=generation,
            segments=tuple(entries),
            roots=tuple(self.roots),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_manifest(self.folder, manifest)
        self.manifest = manifest
        self.segments = [Segment(self.folder / "segments" / entry.name, entry) for entry in manifest.segments]
        self.known = {
            record.path: (segment.entry.name, row, record)
            for segment in self.segments
            for row, record in segment.files()
        }
        self.pending, self.dead, self.waiting, self.changed = [], {}, 0, False

    def _empty(self, entry: SegmentEntry) -> bool:
        """Whether every file of a segment is dead, so that the next generation does without it."""
        if entry.name not in self.dead:
            return False
        (segment,) = [one for one in self.segments if one.entry.name == entry.name]
        return {row for row, _ in segment.files()} <= self.dead[entry.name]

    def report(self, seconds: float) -> Update:
        counts = dict.fromkeys(STATUSES, 0)
        for row in self.rows:
            counts[row.status] += 1
        passages = sum(segment.passages for segment in self.segments)
        rows = tuple(self.rows)
        return Update(self.manifest.generation, counts, passages, self.embedded, rows, seconds)


def _words(passage: Passage) -> tuple[str, ...]:
    return tuple(terms(f"{passage.context} {passage.text}"))


def _storable(document: Document) -> Document:
    """The document with what no database text can hold replaced, character by character."""
    if "\0" in document.text or not _encodable(document.text):
        text = document.text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
        document = replace(document, text=text)
    if not _encodable(document.title):
        document = replace(document, title=document.title.encode("utf-8", "replace").decode("utf-8"))
    return document


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _gone_from(root: Path, path: str) -> bool:
    """Whether a known file that was not met under `root` (a file, a folder or a pattern) is gone.

    What a pattern does not match may be there all the same, indexed through another path.
    """
    if os.path.lexists(root):
        return Path(path).is_relative_to(root)
    return not os.path.lexists(path) and fnmatch(path, str(root))
