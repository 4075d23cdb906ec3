"""The files of a store, in memory: read once each, since an entry never changes."""

from collections.abc import Iterator
from threading import Lock

from .notes import note_names, read_notes
from .rows import Entry, entry_of
from .server import Server, patiently
from .state import State


class Catalogue:
    """Entries by number. Shared by the generations of a store; safe to use from several threads."""

    def __init__(self, server: Server, notes: str) -> None:
        self._server = server
        self._notes = notes
        self._entries: dict[int, Entry] = {}
        self._read: list[tuple[int, int]] = []
        self._generation = 0
        self._lock = Lock()

    def of(self, state: State) -> list[Entry]:
        """The living files of a state, in the order they were written."""
        for _ in patiently():
            entries = self._of(state)
            if sum(entry.passages for entry in entries) == state.passages:
                break
            with self._lock:
                self._read.clear()
        return entries

    def _of(self, state: State) -> list[Entry]:
        with self._lock:
            self._sweep(state)
            for begin, end in state.visible:
                for first, last in list(self._unread(begin, end)):
                    names = list(note_names(self._server, self._notes, "file", (first, last)))
                    for name, value in read_notes(self._server, self._notes, names).items():
                        entry = entry_of(name, value)
                        self._entries[entry.file] = entry
                    self._read.append((first, last))
            shown = state.shown
            return [self._entries[file] for file in sorted(self._entries) if file in shown]

    def _sweep(self, state: State) -> None:
        """Forget what has been deleted since the newest state that was seen here."""
        last, before = state.cleared
        if self._generation < before:  # and which files that were, nobody says any more
            self._entries, self._read = {}, []
        elif self._generation < last:
            for file in state.swept:
                self._entries.pop(file, None)
        self._generation = max(self._generation, state.manifest.generation)

    def _unread(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        for first, last in sorted(self._read):
            if last <= begin or first >= end:
                continue
            if begin < first:
                yield begin, first
            begin = max(begin, last)
        if begin < end:
            yield begin, end
