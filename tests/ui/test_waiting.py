"""Waiting that can be given up."""

import time
from collections.abc import Iterator
from threading import Event

import pytest

from ui.waiting import with_beats


def test_what_comes_comes_and_signs_of_life_between() -> None:
    go_on, closed = Event(), Event()

    def slow() -> Iterator[int]:
        try:
            yield 1
            assert go_on.wait(20)
            yield 2
            yield 3
        finally:
            closed.set()

    waited = with_beats(slow(), 0.01)
    assert [next(waited), next(waited), next(waited)] == [1, None, None]
    go_on.set()
    assert [one for one in waited if one] == [2, 3]
    assert closed.wait(20)


def test_who_leaves_does_so_at_once_and_the_source_is_closed_at_its_next_word() -> None:
    go_on, closed = Event(), Event()

    def hanging() -> Iterator[int]:
        try:
            assert go_on.wait(20)
            yield 1
            pytest.fail("nobody listens")
        finally:
            closed.set()

    waited = with_beats(hanging(), 0.01)
    assert next(waited) is None
    began = time.monotonic()
    waited.close()
    assert time.monotonic() - began < 5
    go_on.set()
    assert closed.wait(20)


def test_what_goes_wrong_is_raised_to_who_waits() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("out of tea")

    waited = with_beats(broken(), 5)
    assert next(waited) == 1
    with pytest.raises(ValueError, match="out of tea"):
        next(waited)
