"""Waiting for what may be long in coming, in a way that can be given up."""

from collections.abc import Generator, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

# Seconds without news after which a sign of life is given.
BEAT = 0.15
_T = TypeVar("_T")


def with_beats(source: Iterator[_T], beat: float = BEAT) -> Generator[_T | None]:
    """What `source` yields, and None for every `beat` seconds in which it yields nothing.

    It runs in a thread of its own. Gradio closes the generator of an event that is stopped, holding up all other
    events until it can, and a generator can be closed only where it yields. Closed is the `source` too, at its next
    word. Raises what it raises.
    """
    found: SimpleQueue[tuple[_T] | BaseException | None] = SimpleQueue()
    left = Event()

    def run() -> None:
        try:
            for one in source:
                if left.is_set():
                    break
                found.put((one,))
            found.put(None)
        except BaseException as error:  # it is raised where it is waited for
            found.put(error)
        finally:
            if isinstance(source, Generator):
                source.close()

    Thread(target=run, name="answer", daemon=True).start()
    try:
        while True:
            try:
                got = found.get(timeout=beat)
            except Empty:
                yield None
                continue
            if got is None:
                return
            if isinstance(got, BaseException):
                raise got
            yield got[0]
    finally:
        left.set()
