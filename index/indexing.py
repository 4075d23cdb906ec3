"""Bringing an index up to date with files: find, read, chunk, commit."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from .batch import Batch, Chunked
from .bulk.parcel import GIVEN_BACK, LOST, UNSEEN, Order
from .chunking import ChunkSettings
from .contents import Contents, FileRecord, passages_of
from .durable import committing, make_folder
from .embedders import load_embedder
from .embedding import Embedder
from .errors import ClusterError, DocumentError, NoIndex, OtherIndex, SkippedFile, UsageError
from .files import Found, discover
from .fingerprint import check_probe, probe
from .library import FOLDER, INCOMING, library_folder
from .loading import Problem
from .manifest import Manifest
from .reading import read
from .store import Writer
from .stores import STORE, store_at
from .updates import STATUSES, FileRow, Progress, Update

if TYPE_CHECKING:
    from .bulk.cluster import Ray

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
    ray: "Ray | None" = None,
) -> Update:
    """Make the index in `folder` hold what the files at `paths` hold now.

    Files that are gone from under `paths` are removed; without `paths`, all known ones are looked
    at. Commits as it goes, about `BATCH` passages at a time. An index with damaged files is brought
    back to its last good generation first, and the damaged files are moved aside; `rebuild` starts
    from nothing. A file for which `waits` is true stays as it is in the index, with BEING_WRITTEN as the reason
    of its row. With `ray` what has changed is read and embedded by the workers of that cluster, which load the
    embedder by its name. Raises UsageError, LockedIndex, DamagedIndex, OtherIndex, FailedWrite, ModelError or
    ClusterError; a single bad file raises nothing and has its row.
    """
    started = time.perf_counter()
    store = store_at(folder)
    if not store.exists():
        if not paths:
            raise NoIndex(f"no index at {store.name}: name what to index, footnoted index PATH")
        _check_free(folder)
    with store.writing(rebuild=rebuild) as (writer, previous):
        run = _Run(folder, writer, previous, embedder, settings, rebuild, progress, waits)
        with closing(run.batch):
            run.read(paths, ray)
            run.finish()
        return run.report(time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class _Changed:
    """A file that is to be read, as it is now, and what the index knows of it."""

    record: FileRecord
    before: FileRecord | None


def create_empty(folder: Path, *, embedder: Embedder | None = None) -> None:
    """An index without documents, whose own library they can be put into. Raises as `update` does."""
    _check_free(folder)
    with committing(folder):
        make_folder(library_folder(folder))
    update(folder, [library_folder(folder)], embedder=embedder)


# What a first commit that was cut off leaves, and what may stand in an index before its first generation.
_LEFTOVERS = {"lock", "segments", "manifests", "CURRENT.tmp", "log", "feedback.jsonl", "history", "libraries"}
_LEFTOVERS |= {FOLDER, INCOMING, STORE}


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
    store = store_at(folder)
    if not store.exists():
        raise NoIndex(f"no index at {store.name}: make one with  footnoted index PATH")
    with store.writing() as (writer, previous):
        run = _Run(folder, writer, previous)
        with closing(run.batch):
            record = run.remove(source)
            run.finish()
        return record


class _Run:
    """One update: what was known, what was found, and the batch that the next commit will hold."""

    def __init__(
        self,
        folder: Path,
        writer: Writer,
        previous: Manifest | None,
        embedder: Embedder | None = None,
        settings: ChunkSettings | None = None,
        rebuild: bool = False,
        progress: Callable[[Progress], None] | None = None,
        waits: Callable[[Path], bool] | None = None,
    ) -> None:
        self.folder = folder
        self.writer = writer
        self.progress = progress
        self.waits = waits
        if previous and not rebuild:
            manifest = previous
            self.embedder = load_embedder(manifest.model) if embedder is None else embedder
            made = ChunkSettings(**manifest.settings)
            if settings is not None and settings != made:
                raise OtherIndex(
                    f"the index was made with passages of {made.size} tokens, overlap {made.overlap}, asked for "
                    f"{settings.size}, overlap {settings.overlap}: footnoted index --rebuild PATH changes it"
                )
            self.settings = made
            self.probed = embedder is not None
            if embedder is not None:
                check_probe(embedder, manifest)
        else:
            self.embedder = embedder or load_embedder()
            self.settings = settings or ChunkSettings()
            manifest = Manifest(
                generation=0,
                model=self.embedder.name,
                dimension=self.embedder.dimension,
                probe=probe(self.embedder),
                settings=asdict(self.settings),
                roots=previous.roots if previous else (),
            )
            self.probed = True
        writer.begin(manifest)
        self.batch = Batch(self.embedder, writer)
        self.staged = False
        self.rows: list[FileRow] = []
        self.done = self.total = self.partly = 0
        self.changed = not previous or rebuild or bool(writer.damaged)
        self.roots = list(manifest.roots)
        self.removed = set(manifest.removed)
        self.taken = {record.source: path for path, record in writer.known.items()}

    def read(self, paths: Sequence[Path], ray: "Ray | None" = None) -> None:
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
        named = set(looked_at) if paths else set()
        if ray is None:
            for one in found:
                self._file(one, named=one.path in named)
        else:
            self._in_bulk(ray, found, named)
        # Below a folder that could not be listed, or that is left out as a whole, nothing counts as gone.
        unseen = [one.path for one in found if one.status == "failed" or (one.status and one.path in looked_at)]
        for known, record in list(self.writer.known.items()):
            if known in met or any(Path(known).is_relative_to(path) for path in unseen):
                continue
            if any(_gone_from(root, known) for root in looked_at):
                self._forget(known)
                if record.status == "added":
                    self.rows.append(FileRow(known, "removed"))

    def _library_has_moved(self) -> bool:
        """Whether the index was moved with its own library: copies known by their old path are forgotten there where
        the same stand in the folder now, to be found again under their names.
        """
        here = library_folder(self.folder)
        gone = [root for root in map(Path, self.roots) if root.name == FOLDER and root != here and not root.exists()]
        moved = [
            path
            for path, record in self.writer.known.items()
            for root in gone
            if Path(path).is_relative_to(root) and _is(here / Path(path).relative_to(root), record.sha256)
        ]
        for path in moved:
            self._forget(path)
        left = [Path(path) for path in self.writer.known]
        empty = [root for root in gone if moved and not any(path.is_relative_to(root) for path in left)]
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
        """Bring one file up to date, here."""
        self._tell(str(found.path))
        file = self._changed(found, named=named)
        if file is not None:
            problems: list[Problem] = []
            documents = read(found.path, file.record.source, self.settings, self.embedder, problems)
            self._take(file, documents, problems)
        self._done()

    def _done(self) -> None:
        """Another file is; a commit when there is enough for one."""
        self.done += 1
        if self.batch.held >= BATCH:
            self.commit()

    def _in_bulk(self, ray: "Ray", found: Sequence[Found], named: Set[Path]) -> None:
        """The same for all of them: what has changed goes to the workers of a cluster, and is taken in the order in
        which they are done with it. What they give back, and what costs no embedding, is read here.
        """
        first, here, there = len(self.rows), [], {}
        for one in found:
            self._tell(str(one.path))
            file = self._changed(one, named=one.path in named)
            if file is None:
                self.done += 1
            elif ray.leaves(file.record) or self.writer.holds(file.record.sha256):
                here.append(one)
            else:
                there[file.record.path] = (one, file)
        orders = [Order(file.record.path, file.record.source, file.record.sha256) for _, file in there.values()]
        sizes = [file.record.size for _, file in there.values()]
        left = len(here) + len(there)
        try:
            with closing(ray.answers(orders, sizes, self.writer.manifest, self.settings)) as parts:
                for part in parts:
                    self.batch.embedded += part.embedded
                    self.batch.reused += part.reused
                    for outcome in part.outcomes:
                        one, file = there[outcome.path]
                        self._tell(outcome.path)
                        if outcome.status in (GIVEN_BACK, UNSEEN):
                            here.append(one)
                            continue
                        if outcome.status == LOST:
                            record = file.record
                            self._left_out(record.path, record.source, "failed", outcome.reason, file.before)
                        else:
                            self._take(file, outcome.documents(), outcome.problems)
                        self._done()
                        left -= 1
            for one in here:
                ray.check()
                self._file(one, named=one.path in named)
                left -= 1
        except ClusterError as error:
            if self.batch.files:
                self.commit()
            raise ClusterError(
                f"{error}; {len(found) - left:,} of {len(found):,} files are done and kept, {left:,} to go: "
                "the same command goes on from there"
            ) from None
        place = {str(one.path): number for number, one in enumerate(found)}
        self.rows[first:] = sorted(self.rows[first:], key=lambda row: place[row.path])

    def _changed(self, found: Found, *, named: bool) -> "_Changed | None":
        """The file if it is to be read; otherwise it has its row."""
        path = str(found.path)
        before = self.writer.known.get(path)
        if named:
            self.removed.discard(path)
        if path in self.removed:
            self._left_out(path, found.source, "skipped", "removed before: name it to bring it back", before)
            return None
        if found.status:
            self._left_out(path, found.source, found.status, found.reason, before)
            return None
        try:
            stat = found.path.stat()
            if self.waits and self.waits(found.path):
                self.rows.append(FileRow(path, "skipped", BEING_WRITTEN))
                return None
            if before and (before.size, before.mtime) == (stat.st_size, stat.st_mtime_ns):
                self._unchanged(before)
                return None
            with found.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if before and before.sha256 == digest:
                self._unchanged(before)
                return None
        except OSError as error:
            self._left_out(path, found.source, "failed", f"cannot be read: {(error.strerror or '').lower()}", before)
            return None
        source = before.source if before else self._free_source(found)
        self.taken[source] = path  # another file may be looked at before this one is read
        record = FileRecord(path, source, stat.st_size, stat.st_mtime_ns, digest, "added")
        return _Changed(record, before)

    def _take(self, file: "_Changed", read: Iterable[Chunked], problems: Sequence[Problem]) -> None:
        """What a file gives, as it is read; `problems` grow with it."""
        record, before = file.record, file.before
        path, source = record.path, record.source
        documents: list[Chunked] = []
        cut = 0
        try:
            for document, passages in read:
                documents.append((document, passages))
                cut += len(passages)
                self.writer.check([(one, passages_of(inside)) for one, inside in documents])
                if cut >= BATCH:
                    self._stage(record, documents)
                    documents, cut = [], 0
            if not self.staged and not cut:
                raise SkippedFile(problems[0].reason if problems else "no text in it")
        except DocumentError as error:
            self.writer.unstage()
            self.staged = False
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

    def _stage(self, record: FileRecord, documents: Sequence[Chunked]) -> None:
        """Put the beginning of a long file away, to be seen when the file is read to its end."""
        if self.batch.files or self.changed:
            self.commit()
        self.batch.add(record, documents)
        self.writer.stage(self._embedded(), self.roots, sorted(self.removed))
        self.staged = True

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
        if record := self.writer.known.get(path):
            self.writer.forget(path)
            self.taken.pop(record.source, None)
            self.changed = True

    def remove(self, source: str) -> FileRecord:
        path = self.taken.get(source)
        if path is None:
            file = source.partition("#")[0]
            row = file != source and file in self.taken
            hint = f"it is a row of {file}, remove that" if row else "footnoted status lists them"
            raise UsageError(f"no document {source!r} in the index at {self.folder}: {hint}")
        record = self.writer.known[path]
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

    def _embedded(self) -> Contents:
        """What waits in the batch, with vectors."""
        if not self.probed and self.batch.held:
            check_probe(self.embedder, self.writer.manifest)
            self.probed = True
        return self.batch.take(self._tell)

    def commit(self) -> None:
        """Make what was read so far the current generation; nothing to say, no generation."""
        if self.batch.files or self.changed:
            contents = self._embedded() if self.batch.files else None
            self.writer.commit(contents, self.roots, sorted(self.removed))
            self.staged = self.changed = False

    def finish(self) -> None:
        """Commit the rest and clear up."""
        manifest = self.writer.manifest
        self.changed |= self.removed != set(manifest.removed) or self.roots != list(manifest.roots)
        self.commit()
        self.writer.finish(self.batch.embedded)

    def report(self, seconds: float) -> Update:
        counts = dict.fromkeys(STATUSES, 0)
        for row in self.rows:
            counts[row.status] += 1
        writer = self.writer
        return Update(
            writer.manifest.generation,
            counts,
            writer.passages,
            self.batch.embedded,
            tuple(self.rows),
            seconds,
            writer.damaged,
            self.partly,
        )


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
