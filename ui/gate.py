"""Who is answered now: a few at a time; others wait, are answered in a hurry, or are told at once to come again."""

import math
import time
from asyncio import Semaphore
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from index.errors import FootnotedError

# Seconds of waiting from which a question is answered in a hurry, and from which it is not taken.
HURRY, PATIENCE = 1.5, 3.0
# What an answer takes before any was given, unhurried and hurried; and how much the latest one says of the next.
_TAKES, _LATEST = (0.25, 0.1), 0.2

_T = TypeVar("_T")


class Busy(FootnotedError):
    """Too many wait for an answer to take another question now."""


class Gate:
    """At most `answered` questions at a time. How long a further one would wait is known from how the latest answers
    came, so that the same rule holds on any machine. Used within one event loop.
    """

    def __init__(self, answered: int) -> None:
        self._answered = answered
        self._free = Semaphore(answered)
        self._inside = 0
        self._takes = list(_TAKES)
        self._last = math.inf  # when an answer was last given while others waited

    @contextmanager
    def place(self) -> Iterator[bool]:
        """A place among those who wait; whether the question is to be answered in a hurry. Raises Busy."""
        hurried = self._wait(False) > HURRY
        if self._wait(hurried) > PATIENCE:
            raise Busy(f"busy: {self._inside} questions are before this one. Ask again in a moment")
        self._inside += 1
        try:
            yield hurried
        finally:
            self._inside -= 1

    @asynccontextmanager
    async def turn(self, hurried: bool) -> AsyncIterator[None]:
        """The turn of a question that has a place."""
        async with self._free:
            started = time.monotonic()
            yield
            now = time.monotonic()
            # While others wait, an answer comes as often as they can be given, whatever else takes time.
            took = max(now - started, (now - self._last) * self._answered)
            self._takes[hurried] += _LATEST * (took - self._takes[hurried])
            self._last = now if self._inside > self._answered else math.inf

    def _wait(self, hurried: bool) -> float:
        """Seconds until a question that comes now has its turn, if all before it are answered so."""
        before = max(self._inside - self._answered + 1, 0)
        return before * self._takes[hurried] / self._answered


async def stepped(steps: Iterator[_T]) -> AsyncIterator[_T]:
    """What an iterator gives, each step taken in a thread; whoever stops listening closes it."""
    end = object()
    try:
        while (step := await run_in_threadpool(next, steps, end)) is not end:
            yield step  # type: ignore[misc]
    finally:
        if close := getattr(steps, "close", None):
            close()
