"""An index that follows its files: what changes under its paths is indexed once it is at rest."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Event, Thread

from watchfiles import watch

from .embedding import Embedder
from .errors import DamagedIndex, FailedWrite, FootnotedError, LockedIndex, UnreachableStore, UsageError
from .files import IGNORED, discover, is_pattern, printable
from .indexing import BEING_WRITTEN, update
from .library import library_folder
from .stores import store_at
from .updates import FileRow, Progress, Update

# Seconds without a change after which a file counts as written.
REST = 1.0
# Seconds that a file at rest waits for others that still change, so that many changes are one update.
PATIENCE = 2.0
# Seconds after which an index that could not be written is tried again.
AGAIN = 1.0
# Seconds between two looks at what the system does not report: files named by themselves, folders that come and go.
_TICK = 0.25

Told = Callable[[Update, Sequence[FileRow]], None]
Noticed = Callable[[str], None]


class Watcher:
    """Keeps the index in `folder` as its files are, until `stop()`: `run()` here, or `start()` in a thread.

    `paths` are the roots of the index that are followed, all of them if none are given; never its own library, which
    whoever puts documents there has indexed. `turn` is held during an update, for others in this process who write the
    index and wait for theirs. `told` is called after an
    update that changed something, with the rows that are news: what `before`, the update before it, said of files that
    were left out is none. `noticed` is called with a line for a person. A root that is gone
    loses nothing and is followed again when it is back; an index that another process writes, or a disk that is full,
    is waited for.
    """

    def __init__(
        self,
        folder: Path,
        paths: Sequence[Path] = (),
        *,
        embedder: Embedder | None = None,
        before: Update | None = None,
        told: Told,
        noticed: Noticed,
        turn: AbstractContextManager[object] | None = None,
        rest: float = REST,
    ) -> None:
        self.folder = folder
        self._paths = {os.path.abspath(path) for path in paths}  # noqa: PTH100 - keeps links as given
        self._own = [Path(os.path.abspath(folder)), folder.resolve()]  # noqa: PTH100
        self._embedder = embedder
        self._told = told
        self._noticed = noticed
        self._turn = turn or nullcontext()
        self._rest = rest
        self._stopping = Event()
        self._thread: Thread | None = None
        self._changed: dict[str, float] = {}  # when a path last changed; "" is everything
        self._left_out = _left_out(before) if before else None  # what was said of files, so that it is said once
        self._said = ""
        self._pointer: bytes | None = None
        self._known: list[str] = []
        self._not_before = 0.0
        self._absent: set[str] = set()
        self._mounts: set[str] = set()

    def start(self) -> None:
        """Follow the files in a thread of its own, which says why if it has to end."""

        def follow() -> None:
            try:
                self.run()
            except FootnotedError as error:
                self._noticed(f"{error}; files are not followed any more")

        self._stopping.clear()
        self._thread = Thread(target=follow, name="watcher", daemon=True)
        self._thread.start()

    @property
    def is_following(self) -> bool:
        """Whether the thread that was started still runs."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """End; of an update in hand the file in hand is finished, and what is committed stays."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def run(self) -> None:
        """Follow the files until `stop()`. Raises what makes an index unusable: NoIndex, DamagedIndex, OtherIndex."""
        while not self._stopping.is_set():
            roots = self._roots()
            listened = self._listened(roots)
            looked_at = self._signatures(roots)
            self._changed[""] = time.monotonic() - self._rest  # whatever happened before this
            for found in self._reports([Path(path) for path in listened]):
                if self._listened(roots := self._roots()) != listened:
                    break  # a folder came, went or is another one
                signatures = self._signatures(roots)
                found |= {path for path in signatures | looked_at if signatures.get(path) != looked_at.get(path)}
                looked_at = signatures
                self._changed |= dict.fromkeys(filter(self._counts, found), time.monotonic())
                if self._is_due():
                    self._update(roots)

    def _roots(self) -> list[str]:
        """The followed roots of the index, as they were last read."""
        store = store_at(self.folder)
        try:
            pointer = store.pointer()
        except UnreachableStore as error:
            if self._pointer is None:
                raise
            self._say(f"{error} (it is tried until then)")
            return self._known
        if pointer != self._pointer:
            try:
                roots = store.manifest().roots
            except DamagedIndex:
                if pointer == store.pointer():
                    raise
                return self._known  # swept away under our hands: the next look reads the one after it
            self._pointer, self._known = pointer, followed(self.folder, roots, self._paths)
        return self._known

    def _listened(self, roots: Sequence[str]) -> dict[str, tuple[int, int]]:
        """The folders whose changes the system reports, with what tells them from others of their name."""
        folders = [root for root in roots if Path(root).is_dir()]
        folders += [_fixed(root) for root in roots if is_deep_pattern(root)]
        stats = {}
        for folder in folders:
            try:
                stat = Path(folder).stat()
            except OSError:
                continue
            stats[folder] = stat.st_dev, stat.st_ino
        return stats

    def _signatures(self, roots: Sequence[str]) -> dict[str, object]:
        """Of each file that is a root by itself or by a pattern in one folder: its time and size."""
        files = [root for root in roots if not is_pattern(root)]
        for root in roots:
            if is_pattern(root) and not is_deep_pattern(root):
                files += [str(path) for path in Path(root).parent.glob(Path(root).name)]
        signatures: dict[str, object] = {}
        for file in files:
            try:
                stat = Path(file).stat()
            except OSError:
                signatures[file] = None
                continue
            if not Path(file).is_dir():
                signatures[file] = stat.st_mtime_ns, stat.st_size
        return signatures

    def _reports(self, folders: Sequence[Path]) -> Iterator[set[str]]:
        """The paths that were reported as changed since the last time, again and again, empty or not."""
        if not folders:
            while not self._stopping.wait(_TICK):
                yield set()
            return
        try:
            yield from self._reported(folders, polled=False)
        except FileNotFoundError:
            return  # a folder went before it was listened to
        except (OSError, RuntimeError) as error:
            self._noticed(f"the system cannot report changes ({error}): all files are looked at each second instead")
            yield from self._reported(folders, polled=True)

    def _reported(self, folders: Sequence[Path], *, polled: bool) -> Iterator[set[str]]:
        milliseconds = int(_TICK * 1000)
        reports = watch(
            *folders,
            watch_filter=None,  # a stream of what one holds back would hold back our looks too
            debounce=milliseconds,
            rust_timeout=milliseconds,
            yield_on_timeout=True,
            stop_event=self._stopping,
            force_polling=polled or None,  # None: WATCHFILES_FORCE_POLLING, for drives over a network
            poll_delay_ms=1000,
            ignore_permission_denied=True,
        )
        for changes in reports:
            yield {path for _, path in changes}

    def _counts(self, path: str) -> bool:
        """Whether a change of this path may be news: not the index's own, not hidden, not of what is ignored."""
        one = Path(path)
        if any(one.is_relative_to(own) for own in self._own):
            return False
        for root in self._known:
            for base in (Path(root), Path(root).resolve()):
                if one.is_relative_to(base):
                    return not any(part.startswith(".") or part in IGNORED for part in one.relative_to(base).parts)
        return True

    def _is_due(self) -> bool:
        """Whether everything is at rest, or something has been for long."""
        now = time.monotonic()
        ages = [now - at for at in self._changed.values()]
        if not ages or max(ages) < self._rest or now < self._not_before:
            return False
        return min(ages) >= self._rest or max(ages) >= self._rest + PATIENCE

    def _update(self, roots: Sequence[str]) -> None:
        present = self._present(roots)
        began = time.monotonic()
        moving = {path for path, at in self._changed.items() if began - at < self._rest}

        def waits(path: Path) -> bool:
            return str(path) in moving or 0 <= time.time() - path.stat().st_mtime < self._rest

        if present:
            try:
                with self._turn:
                    done = update(
                        self.folder, present, embedder=self._embedder, progress=self._still_wanted, waits=waits
                    )
            except _Stopped:
                return
            except (LockedIndex, FailedWrite, UnreachableStore, UsageError) as error:
                self._not_before = time.monotonic() + AGAIN
                self._say(f"{error} (it is tried until then)")
                return
            self._said = ""
            self._pass_on(done)
            moving |= {row.path for row in done.files if row.reason == BEING_WRITTEN}
        self._changed = {path: self._changed.get(path, began) for path in moving}

    def _still_wanted(self, _: Progress) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _present(self, roots: Sequence[str]) -> list[Path]:
        """The roots that are there; what has gone, and what is back, is said once."""
        present = []
        for root in roots:
            if os.path.ismount(root):
                self._mounts.add(root)
            unmounted = root in self._mounts and not os.path.ismount(root)
            try:
                discover([Path(root)])
                gone = unmounted
            except UsageError:
                gone = True
            if not gone:
                present.append(Path(root))
            if gone != (root in self._absent):
                said = "is no longer there: what was indexed from it is kept" if gone else "is there again"
                self._noticed(f"{printable(root)} {said}")
                self._absent ^= {root}
        return present

    def _pass_on(self, done: Update) -> None:
        left_out = _left_out(done)
        known = left_out if self._left_out is None else self._left_out
        news = [
            row
            for row in done.files
            if row.status in ("added", "updated", "removed")
            or ((row.path, row.reason) in left_out - known and Path(row.path) not in self._own)
        ]
        self._left_out = left_out
        if news:
            self._told(done, news)

    def _say(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._noticed(line)


class _Stopped(Exception):
    """Raised between two files of an update whose watcher is to end."""


def followed(folder: Path, roots: Sequence[str], among: Collection[str] = ()) -> list[str]:
    """The roots of the index in `folder` that can be followed, or those of them in `among`: all but its library."""
    own = str(library_folder(folder))
    return [root for root in roots if root != own and (not among or root in among)]


def _left_out(done: Update) -> set[tuple[str, str]]:
    """The files that an update left out or read in part, each with the reason."""
    return {(row.path, row.reason) for row in done.files if row.reason and row.reason != BEING_WRITTEN}


def is_deep_pattern(path: str) -> bool:
    """Whether a pattern has a wild part above the file's name, so that it reaches into several folders."""
    return is_pattern(path) and ("**" in Path(path).name or is_pattern(str(Path(path).parent)))


def _fixed(pattern: str) -> str:
    """The folder that a deep pattern begins in."""
    folder = Path(pattern)
    while is_pattern(str(folder)):
        folder = folder.parent
    return str(folder)
