"""A full disk, a broken one, no permission: at each change of a commit, and for real at each size.

python -m benchmarks.reliability.failing_writes --runs 600

The update must end with one line that names a path and the cause, the old generation must stand (or
the new one, once it is the current one), and the next update must go through. Errors are raised in the
place of a change; and in a process that may write no more than so many bytes a file, the kernel makes
them, in the midst of what SQLite, FAISS and NumPy write.
"""

import errno
import os
import random
import resource
import shutil
import signal
import sqlite3
from collections import Counter
from pathlib import Path

from benchmarks.reliability.faults import Bar, Event, Tap, bring_up, change, in_child, measured, outcome, wanted
from index.errors import FootnotedError

CAUSES = (errno.ENOSPC, errno.EIO, errno.EACCES)


def failure(event: Event, cause: int) -> Exception:
    """What the change raises: SQLite and FAISS have errors of their own."""
    if event.kind == "database":
        return sqlite3.OperationalError("database or disk is full")
    if event.kind == "vectors":
        return RuntimeError(
            "Error in faiss::FileIOWriter::FileIOWriter(const char*) at /impl/io.cpp:98: Error: 'f' failed: "
            f"could not open {event.path} for writing: {os.strerror(cause)}"
        )
    if event.kind == "fsync":  # of a descriptor: no path is known
        return OSError(cause, os.strerror(cause))
    return OSError(cause, os.strerror(cause), str(event.path))


def failing(at: Path, docs: Path, number: int, cause: int) -> tuple[str, str]:
    """Update with change `number` failing: what came of it, and the name of the change."""
    made, name = 0, ""

    def listen(event: Event) -> None:
        nonlocal made, name
        made += 1
        if made == number:
            name = event.name
            raise failure(event, cause)

    with Tap(at, listen):
        said = _said(at, docs)
    return said, name


def limited(at: Path, docs: Path, most: int) -> str:
    """Update in a process that may write `most` bytes a file."""

    def work() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return _said(at, docs)

    return str(in_child(work))


def _said(at: Path, docs: Path) -> str:
    """ "done", "ok" for a good error, or what is wrong with it."""
    try:
        bring_up(at, docs)
    except FootnotedError as error:
        line = str(error)
        return "ok" if "\n" not in line and str(at) in line and len(line) < 400 else f"unclear: {line}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def fail_writes(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    chance = random.Random(seed)
    docs, sound, at = folder / "docs", folder / "sound", folder / "index"
    folder.mkdir(exist_ok=True)
    for _ in range(3):
        change(docs, chance)
        bring_up(sound, docs)
    bad, points = Counter[str](), Counter[str]()
    old, failed = wanted(docs), 0
    change(docs, chance)
    new = wanted(docs)

    def judge(said: str, what: str, begin: dict[str, str] | None) -> None:
        nonlocal failed
        failed += said != "done"
        if said not in ("ok", "done"):
            bad["errors that are no clear line"] += 1
            bar.figures.setdefault("first error", f"{what}: {said}")
        got = outcome(at)
        sound_now = got.holds == new or (got.holds == begin and got.kind in ("opened", "none") and said != "done")
        if not sound_now:
            bad["generations lost"] += 1
            bar.figures.setdefault("first lost", f"{what}: {said}: {got.line or got.kind}")
        try:
            bring_up(at, docs)
            bad["updates that could not go on"] += outcome(at).holds != new
        except Exception as error:
            bad["updates that could not go on"] += 1
            bar.figures.setdefault("first stuck", f"{what}: {error!r}")

    tried = number = 0
    begin: dict[str, str] | None = old
    while tried < runs * 2 // 3:
        number += 1
        name = ""
        for cause in CAUSES:
            _fresh(at, sound if begin else None)
            said, name = failing(at, docs, number, cause)
            if name:
                tried += 1
                points[name] += 1
                judge(said, f"{errno.errorcode[cause]} at {name}", begin)
        if not name:  # past the last change: the same from nothing, then again
            number, begin = 0, None if begin else old
    for most in _sizes(runs - tried, chance):
        _fresh(at, sound)
        judge(limited(at, docs, most), f"at most {most} bytes a file", old)
    bar.note("failed writes", failed)
    bar.note("points of a commit", len(points))
    for what in ("errors that are no clear line", "generations lost", "updates that could not go on"):
        bar.check(what, bad[what], 0)


def _sizes(count: int, chance: random.Random) -> list[int]:
    return [0, 1, *(int(2 ** chance.uniform(1, 17)) for _ in range(count - 2))]


def _fresh(at: Path, sound: Path | None) -> None:
    shutil.rmtree(at, ignore_errors=True)
    if sound:
        shutil.copytree(sound, at)


def main() -> None:
    with measured("failing_writes", 600, __doc__) as (options, folder, bar):
        fail_writes(folder, options.runs, options.seed, bar)


if __name__ == "__main__":
    main()
