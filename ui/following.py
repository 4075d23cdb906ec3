"""Whether a library's index follows its files: the switch in the page's "Documents", on at once with `chat --watch`."""

import os
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from index.embedding import Embedder
from index.errors import UsageError
from index.files import printable
from index.updates import FileRow, Update
from index.watching import Noticed, Told, Watcher, followed

# Lines that are kept for the page, and files of one update that have a line each.
_KEPT, _NAMED = 8, 5
NO_FOLDERS = "no folder is indexed where it stands: footnoted index FOLDER adds one to follow"


class Following:
    """The watcher of one index while it is switched on, and what it told. Safe to use from several threads.

    `turn` is held while the index is written.
    """

    def __init__(self, folder: Path, turn: AbstractContextManager[object]) -> None:
        self._folder = folder
        self._turn = turn
        self._switching = Lock()
        self._watcher: Watcher | None = None
        self._paths: set[str] = set()
        self._roots: Sequence[str] = ()
        self._lines: deque[dict[str, str]] = deque(maxlen=_KEPT)
        self._changes = 0
        self._also_told: Told | None = None
        self._also_noticed: Noticed | None = None

    def narrow(self, paths: Sequence[Path], told: Told, noticed: Noticed) -> None:
        """Follow these roots alone, all if there are none, and tell of it elsewhere too, whenever it is on."""
        self._paths = {os.path.abspath(path) for path in paths}  # noqa: PTH100 - as the index names its roots
        self._also_told, self._also_noticed = told, noticed

    def folders(self, roots: Sequence[str]) -> list[str]:
        """Which roots of the index are followed, or would be."""
        return followed(self._folder, roots, self._paths)

    def start(self, roots: Sequence[str], embedder: Embedder) -> None:
        """Follow the files of an index with these roots, if it does not yet. Raises UsageError if there are none."""
        folders = self.folders(roots)
        if not folders:
            raise UsageError(NO_FOLDERS)
        with self._switching:
            self._roots = roots
            if self._watcher and self._watcher.is_following:
                return
            self._watcher = Watcher(
                self._folder,
                [Path(path) for path in sorted(self._paths)],
                embedder=embedder,
                told=self._tell,
                noticed=self._notice,
                turn=self._turn,
            )
            self._watcher.start()

    def stop(self) -> None:
        """Follow nothing any more; the file in hand is finished first."""
        with self._switching:
            if self._watcher:
                self._watcher.stop()
                self._watcher = None

    def state(self, roots: Sequence[str]) -> dict[str, Any]:
        """What the page shows: `changes` counts the updates that changed something, `lines` has the latest last."""
        folders = self.folders(roots)
        return {
            "on": self._watcher is not None and self._watcher.is_following,
            "folders": [printable(path) for path in folders],
            "why_not": "" if folders else NO_FOLDERS,
            "changes": self._changes,
            "lines": list(self._lines),
        }

    def _tell(self, done: Update, news: Sequence[FileRow]) -> None:
        for row in news[:_NAMED]:
            self._line(row.status, self._named(row.path) + (row.reason and f": {row.reason}"))
        if len(news) > _NAMED:
            self._line("", f"and {len(news) - _NAMED:,} more")
        self._changes += 1
        if self._also_told:
            self._also_told(done, news)

    def _named(self, path: str) -> str:
        """From the followed folder on: `papers/2026/lease.pdf`."""
        for folder in map(Path, self._roots):
            if Path(path).is_relative_to(folder):
                return printable(Path(path).relative_to(folder.parent))
        return printable(path)

    def _notice(self, text: str) -> None:
        self._line("", text)
        if self._also_noticed:
            self._also_noticed(text)

    def _line(self, status: str, text: str) -> None:
        self._lines.append({"at": datetime.now(UTC).isoformat(timespec="seconds"), "status": status, "text": text})
