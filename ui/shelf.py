"""One library behind the page: its system, its copies of documents, and the indexing that runs beside the asking."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from index.errors import FootnotedError, LockedIndex, UsageError
from index.files import printable
from index.indexing import remove, update
from index.library import Library, Limits
from index.updates import FileRow, Progress, Update
from rag.system import System

from .following import Following

# Seconds after which an index that another program writes is tried again.
_AGAIN = 0.2
_T = TypeVar("_T")
_UNREAD = Progress(0, 0, 0, 0, "")


class Shelf:
    """A library of the page. Safe to use from several threads."""

    def __init__(self, name: str, system: System, limits: Limits) -> None:
        self.name = name
        self.system = system
        self.folder = system.index.folder
        self.library = Library(self.folder, limits)
        self._turn = Lock()  # held by whoever of us writes the index
        self.following = Following(self.folder, self._turn)
        self._closed = Event()
        self._lock = Lock()
        self._running: Thread | None = None
        self._again = False
        self._progress = _UNREAD
        self._rows: list[FileRow] = []
        self._error = ""

    def documents(self) -> list[dict[str, Any]]:
        """The files that can be asked, sorted by source; a file of rows is one, `documents` says how many it holds."""
        index = self.system.index
        titles = {source: title for source, title, *_ in index.sources()}
        of_file: dict[str, list[str]] = {}
        for source, file in index.state.documents():
            of_file.setdefault(file, []).append(source)
        copies = {record.source for record in index.files() if self.library.holds(record.path)}
        return [
            {
                "source": file,
                "title": titles[sources[0]] if sources == [file] else f"{len(sources):,} documents",
                "documents": len(sources),
                "uploaded": file in copies,
            }
            for file, sources in sorted(of_file.items())
        ]

    def start(self) -> None:
        """Index what is in the library, beside everything else; what arrives meanwhile is indexed after that."""
        with self._lock:
            if self._closed.is_set():
                raise UsageError("this library is closed")
            if self._running is not None:
                self._again = True
                return
            self._rows, self._error = [], ""
            self._running = Thread(target=self._index, daemon=True, name=f"indexing {self.name}")
            self._running.start()

    def _index(self) -> None:
        while True:
            self._progress = _UNREAD
            self._attempt(lambda: self._in_turn(self._update))
            with self._lock:
                if not self._again:
                    self._running = None
                    return
                self._again = False

    def _update(self) -> Update:
        return update(self.folder, [self.library.folder], embedder=self.system.index.embedder, progress=self._tell)

    def _in_turn(self, write: Callable[[], _T]) -> _T:
        """Write the index when nobody else does: not what follows its files, and no other program."""
        while True:
            try:
                with self._turn:
                    return write()
            except LockedIndex:
                if self._closed.wait(_AGAIN):
                    raise

    def _attempt(self, work: Callable[[], Update]) -> None:
        try:
            done = work()
            self._rows += [row for row in done.files if row.status != "unchanged"]
        except FootnotedError as error:
            self._error = str(error)
        except Exception as error:  # the thread's last word: whoever waits for it must hear of it
            self._error = f"indexing stopped: {type(error).__name__}: {error}"

    def _tell(self, progress: Progress) -> None:
        self._progress = progress

    def indexing(self) -> dict[str, Any]:
        """How far it is; when it is over, what became of every file that changed."""
        now = self._progress
        return {
            "running": self._running is not None,
            "done": now.done,
            "files": now.files,
            "embedded": now.embedded,
            "passages": now.passages,
            "path": self._named(now.path),
            "rows": [{"name": self._named(row.path), "status": row.status, "reason": row.reason} for row in self._rows],
            "error": self._error,
        }

    def _named(self, path: str) -> str:
        """As whoever handed the file over knows it."""
        return printable(Path(path).relative_to(self.library.folder)) if self.library.holds(path) else path

    def remove(self, source: str) -> None:
        """Take a document out, a copy for good, when nobody else writes. Raises UsageError if it is not there."""
        self._in_turn(lambda: remove(self.folder, source))
        self.library.measure()

    def follow(self, on: bool) -> None:
        """Index what changes in the folders of the index, or no more. Raises UsageError if it has none."""
        if self._closed.is_set():
            raise UsageError("this library is closed")
        if on:
            index = self.system.index
            self.following.start(index.manifest.roots, index.embedder)
        else:
            self.following.stop()

    def followed(self) -> dict[str, Any]:
        """Whether it does, which folders, and what it told."""
        return self.following.state(self.system.index.manifest.roots)

    def close(self) -> None:
        """Begin nothing any more; what is being indexed ends by itself."""
        self._closed.set()
        self.following.stop()

    def give_up(self) -> None:
        """Close it, to be deleted. Raises UsageError while documents are being indexed into it."""
        with self._lock:
            if self._running is not None:
                raise UsageError("documents are being indexed into it: try again when that is done")
            self._closed.set()
        self.close()
