"""Who is answered now: a few at a time; others wait, are answered in a hurry, or are told at once to come again."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Seconds of waiting from which a question is answered in a hurry, and from which it is not taken.
HURRY, PATIENCE = 1.5, 3.0
# What an answer takes before any was given, unhurried and hurried; and how much the latest one says of the next.
_TAKES, _LATEST = (0.25, 0.1), 0.2
# Seconds in which a question that was let in has its place.
_ON_THE_WAY = 5.0

_T = TypeVar("_T")


class Gate:
    """At most `answered` questions at a time. How long a further one would wait is known from how the latest answers
    came, so that the same rule holds on any machine. Used within one event loop.
    """

    def __init__(self, answered: int) -> None:
        self._answered = answered
        self._free = asyncio.Semaphore(answered)
        self._inside = 0
        self._coming = deque[float]()  # when those were let in who have no place yet
        self._takes = list(_TAKES)
        self._last = math.inf  # when an answer was last given while others waited

    def lets_in(self) -> bool:
        """Whether one more question is taken; then a place is kept for it."""
        now = time.monotonic()
        while self._coming and self._coming[0] < now - _ON_THE_WAY:
            self._coming.popleft()  # it got lost on its way
        if self._wait(self._hurries()) > PATIENCE:
            return False
        self._coming.append(now)
        return True

    @property
    def before(self) -> int:
        """Questions before one that comes now."""
        return self._inside + len(self._coming)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """A place among those who wait; whether the question is to be answered in a hurry."""
        if self._coming:
            self._coming.popleft()
        hurried = self._hurries()
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

    def _hurries(self) -> bool:
        return self._wait(False) > HURRY

    def _wait(self, hurried: bool) -> float:
        """Seconds until a question that comes now has its turn, if all before it are answered so."""
        return max(self.before - self._answered + 1, 0) * self._takes[hurried] / self._answered


class Door:
    """ASGI middleware: a question is refused with 429 before it costs anything, as long as the gate lets nobody in."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and _asks(scope["path"]) and not self.gate.lets_in():
            said = f"Busy: {self.gate.before} questions are before this one. Ask again in a moment."
            await JSONResponse({"detail": said}, 429, {"Retry-After": "5"})(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _asks(path: str) -> bool:
    """Whether a question is posted there: Gradio's queue, or one of its named endpoints."""
    return path.endswith("/queue/join") or path.rpartition("/")[0].endswith("/call")


async def stepped(steps: Iterator[_T]) -> AsyncIterator[_T]:
    """What an iterator gives, each step taken in a thread. Whoever stops listening is not kept: the iterator is closed
    when the step in hand is over, since a thread cannot be stopped.
    """
    end = object()

    def close(_: object = None) -> None:
        if step.done() and not step.cancelled():
            step.exception()  # nobody else asks for it
        if isinstance(steps, Generator):
            steps.close()

    try:
        while True:
            step = asyncio.create_task(run_in_threadpool(next, steps, end))
            given = await asyncio.shield(step)
            if given is end:
                return
            yield given  # type: ignore[misc]
    finally:
        if step.done():
            close()
        else:
            step.add_done_callback(close)
