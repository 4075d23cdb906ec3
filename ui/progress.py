"""A line of progress on stderr, where a person is looking at it."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from index.updates import Progress

# Seconds between two drawings: more often is not read, and slows what it reports.
_EVERY = 0.1
_WIDTH = 100


class Bar:
    """Draws on a terminal, is silent elsewhere, and leaves no line behind."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._drawn:
            print(f"\r{' ' * _WIDTH}\r", end="", file=sys.stderr, flush=True)

    def indexing(self, progress: Progress) -> None:
        """Files read, passages embedded, rate and time left."""
        seconds = time.monotonic() - self._started
        rate = progress.embedded / seconds if seconds else 0.0
        text = f"{progress.done:,} of {progress.files:,} files, {progress.embedded:,} of {progress.passages:,} passages"
        if rate:
            text += f", {rate:.0f} a second"
            if progress.done == progress.files:
                text += f", {(progress.passages - progress.embedded) / rate:.0f} s left"
        self._draw(f"{text}  {progress.path.rsplit('/', 1)[-1]}")

    def counting(self, noun: str) -> Callable[[int, int], None]:
        """A callback for (done, all)."""
        return lambda done, total: self._draw(f"{done:,} of {total:,} {noun}")

    def _draw(self, text: str) -> None:
        now = time.monotonic()
        if self._shown and now - self._drawn >= _EVERY:
            self._drawn = now
            printable = "".join(character if character.isprintable() else "?" for character in text)
            print(f"\r{printable[: _WIDTH - 1]:<{_WIDTH}}", end="", file=sys.stderr, flush=True)
