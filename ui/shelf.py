"""One library behind the page: its system, its copies of documents, and the indexing that runs beside the asking."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from index.errors import FootnotedError
from index.files import printable
from index.indexing import remove, update
from index.library import Library, Limits
from index.updates import FileRow, Progress, Update
from rag.system import System

_UNREAD = Progress(0, 0, 0, 0, "")


class Shelf:
    """A library of the page. Safe to use from several threads."""

    def __init__(self, name: str, system: System, limits: Limits) -> None:
        self.name = name
        self.system = system
        self.folder = system.index.folder
        self.library = Library(self.folder, limits)
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
        for segment in index.segments:
            for source, file in segment.documents():
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
            if self._running is not None:
                self._again = True
                return
            self._rows, self._error, self._progress = [], "", _UNREAD
            self._running = Thread(target=self._index, daemon=True, name=f"indexing {self.name}")
            self._running.start()

    def _index(self) -> None:
        while True:
            self._attempt(lambda: update(self.folder, [self.library.folder], **self._options()))
            with self._lock:
                if not self._again:
                    self._running = None
                    return
                self._again = False

    def _options(self) -> dict[str, Any]:
        return {"embedder": self.system.index.embedder, "progress": self._tell}

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
        """Take a document out, a copy for good. Raises UsageError if it is not there, LockedIndex."""
        remove(self.folder, source)
        self.library.measure()
