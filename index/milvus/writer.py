"""Generations of an index in Milvus, written: rows first, then the state that shows them."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from ..contents import Contents, FileRecord
from ..documents import Document, Passage
from ..errors import LockedIndex
from ..manifest import Manifest
from ..store import Content, Made
from .catalogue import Catalogue
from .claim import Claim
from .notes import delete_notes, note, note_names, read_notes
from .rows import BITS, Counted, Entry, as_rows, check, long_names, sentences_of
from .schema import create_passages
from .server import Row, Server
from .state import State, States
from .statistics import Terms

# Seconds that readers of an older generation still find what has died since.
GRACE_S = 60.0
# Numbers that a run which was cut off may have used, and perhaps still uses on a machine that was suspended.
_SKIPPED = 1 << 24
# Passages that are read at once, and rows that are written.
_AT_ONCE = 8192
# Passages of a run after which Milvus Lite is told to write down what it has in memory, through which it walks word by
# word. It hides those rows from readers while it does (their search is repeated), so a small change is left to it.
_FLUSHED = 1000
# Contents that are looked up at once.
_LOOKED_UP = 64


@dataclass
class _Batch:
    """What the next commit shows, from the number `first` on, and what it counts."""

    first: int
    entries: list[Entry] = field(default_factory=list)
    counted: Counted = field(default_factory=lambda: Counted(Counter(), 0, Terms.none()))


class MilvusWriter:
    """As `Writer` in store.py, made by the holder of a claim. `previous` is the state to go on from, `after` the
    name of the newest one, `clean` whether nobody can have left, or still write, rows that no state shows.
    """

    manifest: Manifest
    damaged: tuple[str, ...] = ()

    def __init__(
        self,
        server: Server,
        states: States,
        claim: Claim,
        catalogue: Catalogue,
        notes: str,
        previous: State | None,
        after: str,
        clean: bool,
    ) -> None:
        self._server = server
        self._states = states
        self._claim = claim
        self._catalogue = catalogue
        self._notes = notes
        self._previous = previous
        self._after = after
        self._clean = clean
        self._known: dict[str, FileRecord] = {}
        self._entries: dict[str, list[Entry]] = {}
        self._dying: list[Entry] = []
        self._hashes: set[str] = set()

    def begin(self, manifest: Manifest) -> None:
        before = self._previous
        if before and manifest == before.manifest:
            self._state = replace(before, epoch=self._claim.epoch)
            for entry in self._catalogue.of(before):
                self._know(entry)
                self._hashes.add(entry.record.sha256)
        else:
            collection = f"{self._states.collection}_p{self._claim.epoch}"
            generation = before.manifest.generation if before else 0
            fresh = State(replace(manifest, generation=generation), self._claim.epoch, collection)
            if before:
                left = before.collection, before.next_file, time.time()
                fresh = replace(fresh, retired=(*before.retired, left))
            self._state = fresh
            create_passages(self._server, collection, manifest.dimension)
        self.manifest = self._state.manifest
        self._left = before.next_file if before else 0
        self._next = self._free_numbers(self._left)
        self._dirty = self._next > self._left
        self._batch = _Batch(self._next)
        # Whether rows are there that this run has not written; of its own it knows which there are.
        self._older = self._dirty or self._state.passages > 0
        self._made: set[str] = set()

    def _free_numbers(self, first: int) -> int:
        """The first number that nothing was ever written under, nor may be now."""
        if not self._clean:
            first += _SKIPPED
        while self._server.query(self._notes, f"file >= {first}", ["key"], limit=1):
            first += _SKIPPED
        return first

    @property
    def known(self) -> Mapping[str, FileRecord]:
        return self._known

    def _know(self, entry: Entry) -> None:
        self._entries.setdefault(entry.record.path, []).append(entry)
        self._known[entry.record.path] = entry.record

    @property
    def passages(self) -> int:
        return self._state.passages

    def forget(self, path: str) -> None:
        self._known.pop(path, None)
        self._dying += self._entries.pop(path, [])

    def holds(self, sha256: str) -> bool:
        return sha256 in self._hashes

    def check(self, documents: Sequence[tuple[Document, Sequence[Passage]]]) -> None:
        check(documents)

    def made(self, wanted: Mapping[Content, str | None]) -> dict[Content, Made]:
        """In rows living or not."""
        found: dict[Content, Made] = {}
        self._look_up("content", {one: one.content for one in wanted}, found)
        bare = {one: name for one, name in wanted.items() if name and one not in found}
        self._look_up("bare", bare, found)
        return found

    def _look_up(self, by: str, names: Mapping[Content, str], found: dict[Content, Made]) -> None:
        every = sorted({name for name in names.values() if self._older or name in self._made})
        rows: dict[str, Row] = {}
        for at in range(0, len(every), _LOOKED_UP):
            condition = f"{by} in {json.dumps(every[at : at + _LOOKED_UP])}"
            fields = ["row", by, "codes", "scales", "vector"]
            rows |= {row[by]: row for row in self._server.query(self._state.collection, condition, fields)}
        for one, name in names.items():
            if name in rows and not long_names(rows[name]):
                row = rows[name]
                codes, scales = sentences_of(row, self.manifest.dimension)
                if len(codes) == one.sentences:
                    found[one] = Made(np.array(row["vector"], dtype=np.float32), codes, scales)

    def stage(self, contents: Contents, roots: Sequence[str], removed: Sequence[str]) -> None:
        self._write(contents)

    def unstage(self) -> None:
        self._dirty |= bool(self._batch.entries)
        self._batch = _Batch(self._next)

    def _write(self, contents: Contents) -> None:
        """Put the files of the next commit where no state shows them yet."""
        self._claim.check()
        passages: list[Row] = []
        for record, documents in contents:
            written = as_rows(self._next, record, documents)
            self._next += 1
            self._hashes.add(record.sha256)
            self._server.upsert(self._notes, written.notes, size=100)
            passages += written.passages
            self._batch.entries.append(written.entry)
        self._server.upsert(self._state.collection, passages)
        self._batch.counted = self._batch.counted.plus(Counted.of(passages))
        self._made |= {row[by] for row in passages for by in ("content", "bare")}

    def commit(self, contents: Contents | None, roots: Sequence[str], removed: Sequence[str]) -> None:
        if contents is not None:
            self._write(contents)
        self._claim.check()
        generation = self.manifest.generation + 1
        state = self._swept(self._state, generation)
        gone = Counted.of(self._stored(self._dying))
        added, died = self._batch.counted, time.time()
        languages = Counter(dict(state.languages)) + added.languages
        languages.subtract(gone.languages)
        manifest = replace(
            self.manifest,
            generation=generation,
            roots=tuple(roots),
            removed=tuple(removed),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        state = replace(
            state,
            manifest=manifest,
            visible=_extended(state.visible, self._batch.first, self._next),
            dead=(*state.dead, *((entry.file, died) for entry in self._dying)),
            terms=self._terms(state.terms, added.terms.plus(gone.terms, -1), generation),
            length=state.length + added.length - gone.length,
            languages=tuple(sorted((code, count) for code, count in languages.items() if count)),
        )
        current = self._states.write(state, self._after)
        self._claim.check()  # it was not held all the while: whoever came after it may not have seen this state
        if not current:
            raise LockedIndex("another process has begun to write this index: try again when it is done")
        for entry in self._batch.entries:
            self._know(entry)
        self._state, self.manifest, self._after = state, manifest, state.name
        self._batch, self._dying = _Batch(self._next), []

    def _stored(self, entries: Sequence[Entry]) -> Iterator[Row]:
        """What is counted of every passage of files."""
        waiting: list[int] = []
        held = 0
        for entry in entries:
            if entry.passages > _AT_ONCE:
                for at in range(0, entry.passages, _AT_ONCE):
                    begin = entry.file << BITS | at
                    end = min(begin + _AT_ONCE, (entry.file + 1) << BITS)
                    yield from self._counted(f"row >= {begin} and row < {end}")
                continue
            if held + entry.passages > _AT_ONCE:
                yield from self._counted(f"file in {waiting}")
                waiting, held = [], 0
            waiting.append(entry.file)
            held += entry.passages
        if held:
            yield from self._counted(f"file in {waiting}")

    def _counted(self, condition: str) -> list[Row]:
        return self._server.query(self._state.collection, condition, ["row", "language", "tokens"])

    def _terms(self, kept: Sequence[tuple[str, int]], change: Terms, generation: int) -> tuple[tuple[str, int], ...]:
        """The notes with a change; so many are made one that each is at most half of the one before it."""
        notes = list(kept)
        while notes and notes[-1][1] < 2 * len(change.counts):
            name, _ = notes.pop()
            change = Terms.from_bytes(read_notes(self._server, self._notes, [name])[name]).plus(change)
        name = f"terms/{self._claim.epoch}/{generation}"
        self._server.upsert(self._notes, note("terms", name, change.to_bytes()), size=100)
        return (*notes, (name, len(change.counts)))

    def _swept(self, state: State, generation: int) -> State:
        """The state without what has been dead for long enough, and with that deleted, for a new generation."""
        before = time.time() - GRACE_S
        ripe = [file for file, died in state.dead if died < before]
        for at in range(0, len(ripe), 1000):
            self._delete_files(f"file in {ripe[at : at + 1000]}")
        for name, end, left in state.retired:
            if left < before:
                self._server.patient("drop_collection", name)
                for first, last in _between(state.visible, 0, end):
                    self._server.patient("delete", self._notes, filter=f"file >= {first} and file < {last}")
        if ripe:
            state = replace(state, swept=tuple(ripe), cleared=(generation, state.cleared[0]))
        return replace(
            state,
            dead=tuple(one for one in state.dead if one[1] >= before),
            retired=tuple(one for one in state.retired if one[2] >= before),
        )

    def _delete_files(self, condition: str) -> None:
        for collection in (self._state.collection, self._notes):
            self._server.patient("delete", collection, filter=condition)

    def finish(self, embedded: int) -> None:
        """Delete what runs that were cut off have left and what no kept state names; put what is new in order."""
        self._claim.check()
        if self._dirty:
            for begin, end in _between(self._state.visible, self._left, self._next):
                self._delete_files(f"file >= {begin} and file < {end}")
        self._states.sweep()
        kept = self._states.kept()
        counts = {name for state in kept for name, _ in state.terms}
        old = [name for name in note_names(self._server, self._notes, "terms") if name not in counts]
        delete_notes(self._server, self._notes, "terms", old)
        prefix = f"{self._states.collection}_p"
        named = {state.collection for state in kept} | {name for state in kept for name, *_ in state.retired}
        for name in self._server.call("list_collections"):
            ours = name.startswith(prefix) and name.removeprefix(prefix).isdecimal()
            if ours and name not in named:
                self._server.patient("drop_collection", name)
        if embedded >= _FLUSHED and self._server.is_lite:
            self._server.patient("flush", self._state.collection)


def _extended(ranges: Sequence[tuple[int, int]], first: int, end: int) -> tuple[tuple[int, int], ...]:
    if first == end:
        return tuple(ranges)
    if ranges and ranges[-1][1] == first:
        return (*ranges[:-1], (ranges[-1][0], end))
    return (*ranges, (first, end))


def _between(ranges: Sequence[tuple[int, int]], first: int, end: int) -> Iterator[tuple[int, int]]:
    """What of [first, end) is in none of the ranges, which ascend."""
    for begin, last in ranges:
        if last <= first:
            continue
        if first < begin:
            yield first, min(begin, end)
        first = max(first, last)
    if first < end:
        yield first, end
