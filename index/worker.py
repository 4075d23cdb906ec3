"""The child process that reads files for `index.parsing`: requests on its stdin, documents on its stdout.

A request is one line of JSON (path, source, bytes of memory); the replies are lines of JSON that end
with "end", "skipped" or "failed". Text goes as UTF-8 with lone surrogates passed through, so that
every string arrives as it was. This module is started without the package's `__init__`, so that it
holds no model.
"""

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Never

from .documents import Document, Page, Section
from .errors import DocumentError, FailedFile, SkippedFile
from .loading import Problem, load

# A worker with nothing to do for so long ends; the next file gets another.
IDLE_SECONDS = 60
# What small documents wait for each other, so that a row does not cost a write.
_FLUSH_SECONDS = 0.1
# Memory that a file left behind and that would be missing for the next one.
_LEFT_BEHIND = 256 << 20


def encode(message: object) -> bytes:
    """A message as a line of JSON in UTF-8, lone surrogates passed through."""
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def decode(line: bytes) -> list:  # type: ignore[type-arg]
    """The message in a line. Raises ValueError if there is none."""
    message = json.loads(line.decode("utf-8", "surrogatepass"))
    if not isinstance(message, list) or not message:
        raise ValueError("not a message")
    return message


def packed(one: Document | Problem) -> list[object]:
    """A document or problem as a message."""
    if isinstance(one, Problem):
        return ["problem", one.reason, one.lost]
    sections = [(part.start, part.end, part.level, part.heading) for part in one.sections]
    pages = [(page.start, page.number) for page in one.pages]
    return ["document", one.source, one.title, one.text, sections, pages, one.sha256]


def unpacked(message: list) -> Document | Problem:  # type: ignore[type-arg]
    """What a message of `packed` was, or the error that ended the file, raised."""
    match message:
        case ["document", str(source), str(title), str(text), sections, pages, str(sha256)]:
            return Document(
                source,
                title,
                text,
                tuple(Section(*section) for section in sections),
                tuple(Page(*page) for page in pages),
                sha256,
            )
        case ["problem", str(reason), bool(lost)]:
            return Problem(reason, lost)
        case ["skipped", str(reason), _]:
            raise SkippedFile(reason)
        case ["failed", str(reason), _]:
            raise FailedFile(reason)
    raise ValueError(f"not a message: {message[0]!r}")


def main(quiet: float) -> Never:
    """Serve requests until stdin ends or nothing was asked for a while; never returns."""
    # What a parser prints must not be taken for a reply.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # If the parent is killed while a parser hangs, this still ends: no handler, so nothing can hold it up.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    # No file can be written, not even the picture of a crash.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    baseline = address_space()
    alarm = int(quiet) + 30
    with contextlib.suppress(BrokenPipeError):
        while select.select([0], [], [], IDLE_SECONDS)[0] and (line := sys.stdin.buffer.readline()):
            path, source, memory = decode(line)
            _limit(baseline + memory)
            _serve(replies, Path(path), source, alarm, baseline)
    os._exit(0)


def _serve(replies: BinaryIO, path: Path, source: str, alarm: int, baseline: int) -> None:
    flushed = time.monotonic()
    try:
        for message in _timed(path, source, alarm):
            replies.write(encode(message))
            if time.monotonic() - flushed > _FLUSH_SECONDS:
                replies.flush()
                flushed = time.monotonic()
        last: list[object] = ["end", ""]
    except DocumentError as error:
        last = ["skipped" if isinstance(error, SkippedFile) else "failed", str(error)]
    retires = address_space() - baseline > _LEFT_BEHIND
    replies.write(encode([*last, retires]))
    replies.flush()
    if retires:
        os._exit(0)


def _timed(path: Path, source: str, alarm: int) -> Iterator[list[object]]:
    """The messages of a file; this process ends if one takes longer to make than `alarm` seconds."""
    signal.alarm(alarm)
    try:
        for one in load(path, source):
            message = packed(one)
            signal.alarm(0)  # writing waits for the reader, who may take its time
            yield message
            signal.alarm(alarm)
    finally:
        signal.alarm(0)


def _limit(memory: int) -> None:
    """Let this process have so many bytes of addresses."""
    # macOS knows RLIMIT_AS and refuses to lower it: there only the time is limited.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))


def address_space() -> int:
    """The size of this process in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - read after each file
            return int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0
