"""Who is answered, who waits, who is told to come again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from threading import Event

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from ui.gate import Door, Gate, stepped


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 10))  # type: ignore[arg-type]


async def crowd(gate: Gate, number: int, seconds: float, done: list[object]) -> None:
    """So many questions at once, each taking these seconds once it is its turn."""

    async def one() -> None:
        if not gate.lets_in():
            done.append("not taken")
            return
        with gate.place() as hurried:
            async with gate.turn(hurried):
                await asyncio.sleep(seconds)
                done.append(hurried)

    await asyncio.gather(*(one() for _ in range(number)))


def test_a_few_are_answered_at_a_time() -> None:
    async def work() -> None:
        gate, now, most = Gate(3), [0], [0]

        async def one() -> None:
            with gate.place() as hurried:
                async with gate.turn(hurried):
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                    await asyncio.sleep(0.01)
                    now[0] -= 1

        await asyncio.gather(*(one() for _ in range(12)))
        assert (most, now) == ([3], [0])

    run(work)


def test_many_are_hurried_and_more_are_told_so_at_once() -> None:
    async def work() -> None:
        done: list[object] = []
        gate = Gate(4)
        started = asyncio.get_running_loop().time()
        crowding = asyncio.create_task(crowd(gate, 200, 0.01, done))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() - started < 0.2
        # An answer is thought to take .25 s, a hurried one .1 s: those who would wait over 3 s are told.
        assert done == ["not taken"] * (200 - (4 + 120))
        assert gate.before == 4 + 120
        await crowding
        assert (done.count(False), done.count(True)) == (4 + 24, 120 - 24)

    run(work)


def test_what_answers_take_is_learnt() -> None:
    async def work() -> None:
        slow, quick = Gate(1), Gate(1)
        await crowd(slow, 1, 0.6, [])  # from now on .32 s
        for _ in range(20):
            await crowd(quick, 1, 0.0, [])
        for gate, expected in ((slow, [False] * 5 + [True] * 3), (quick, [False] * 8)):
            done: list[object] = []
            await crowd(gate, 8, 0.01, done)
            assert sorted(done) == expected  # type: ignore[type-var]

    run(work)


def test_who_leaves_while_waiting_or_answered_makes_room() -> None:
    async def work() -> None:
        gate = Gate(1)
        waiting = [asyncio.create_task(crowd(gate, 1, 60.0, [])) for _ in range(5)]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        done: list[object] = []
        await crowd(gate, 1, 0.0, done)
        assert done == [False]

    run(work)


def test_steps_are_taken_one_by_one_and_closed_when_nobody_listens() -> None:
    closed = []

    def steps() -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            closed.append(True)

    async def listened(most: int) -> list[int]:
        found = []
        listening: AsyncIterator[int] = stepped(steps())
        async for one in listening:
            found.append(one)
            if len(found) == most:
                break
        await listening.aclose()  # type: ignore[attr-defined]
        return found

    async def work() -> None:
        assert await listened(9) == [0, 1, 2, 3, 4]
        assert await listened(2) == [0, 1]
        assert closed == [True, True]

    run(work)


def test_who_is_stopped_within_a_step_goes_at_once_and_the_iterator_is_closed_after_it() -> None:
    within, over, closed = Event(), Event(), Event()

    def steps() -> Iterator[int]:
        try:
            yield 1
            within.set()
            over.wait(60)
            yield 2
        finally:
            closed.set()

    async def listen() -> None:
        async for _ in stepped(steps()):
            pass

    async def work() -> None:
        listening = asyncio.create_task(listen())
        await asyncio.to_thread(within.wait, 60)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        assert not closed.is_set()
        over.set()
        assert await asyncio.to_thread(closed.wait, 60)

    run(work)


def test_what_a_step_raises_is_raised() -> None:
    def steps() -> Iterator[int]:
        yield 1
        raise LookupError("no")

    async def work() -> None:
        with pytest.raises(LookupError, match="no"):
            async for _ in stepped(steps()):
                pass

    run(work)


def test_who_is_let_in_and_gets_lost_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    gate = Gate(4)
    assert [gate.lets_in() for _ in range(130)] == [True] * 124 + [False] * 6
    now[0] = 5.1
    assert gate.lets_in()
    assert gate.before == 1


@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/join", "/libraries/a/gradio_api/queue/join", "/gradio_api/call/ask"]
)
def test_the_door_refuses_questions_alone_and_says_how_many_are_before(path: str) -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("taken")(scope, receive, send)

    gate = Gate(4)
    client = TestClient(Door(page, gate))
    assert client.post(path).text == "taken"
    while gate.lets_in():
        pass
    refused = client.post(path)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert refused.json() == {"detail": "Busy: 124 questions are before this one. Ask again in a moment."}
    assert client.get(path).text == "taken"
    assert client.post("/feedback").text == "taken"
