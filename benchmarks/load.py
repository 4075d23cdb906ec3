"""Many people at once on the chat page: nobody gets another's answer, and who is one too many is told so at once.

    PYTHONPATH=. python benchmarks/load.py --data ../shared/data                three minutes
    PYTHONPATH=. python benchmarks/load.py --data ../shared/data --minutes 60   and the memory of an hour

Each person has a page of their own, and asks through its own event, as a browser does, the conversation growing. First
50 of them for two minutes, 5 seconds between an answer and the next question; then 200; then 200 in the same moment,
and one more who asks each second until an answer takes no longer than before; then 60 who leave before their answer.
Every answer is compared with the one that the library gives to the same questions, hurried if it says that it was.
With --minutes, two questions a second by people who come, ask five, and go: the memory of the server by the minute,
from when it holds as many conversations as it ever will (ui/page.py, SESSIONS), and has let as many go, to the end. The
clients run on the same cores.
"""

import argparse
import asyncio
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import unescape
from pathlib import Path
from secrets import token_hex
from statistics import mean
from typing import Any

import httpx
from articles import questions, write_articles
from recording import cost, record
from serving import FOOTNOTED, PATIENCE, Server, clients, posted, submitting

from eval.risk import percentiles
from rag import load
from rag.feedback import Feedback
from rag.system import HURRIED, System
from ui.messages import answer_html
from ui.page import SESSIONS

PAUSE = 5.0
# A conversation is begun anew after so many questions, as people do.
QUESTIONS = 12
# Questions of people who come and go.
EACH = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question: `kind` is "answered", "hurried", "busy", or what went wrong."""

    before: tuple[str, ...]
    question: str
    kind: str
    text: str
    seconds: float


class Person:
    """Somebody with the page open, who asks these questions in this order."""

    def __init__(self, server: Server, client: httpx.AsyncClient, event: dict[str, Any], asked: Sequence[str]) -> None:
        self.server, self.client, self.event, self.asked = server, client, event, asked
        self.replies: list[Reply] = []
        self._session, self._before = token_hex(8), tuple[str, ...]()

    async def asks_until(self, end: float, pause: float, after: float = 0.0) -> list[Reply]:
        """Question after question, the first `after` so many seconds, until that time."""
        await asyncio.sleep(after)
        for question in self.asked:
            if time.monotonic() >= end:
                break
            await self.ask(question)
            await asyncio.sleep(pause)
        return self.replies

    async def ask(self, question: str) -> Reply:
        if len(self._before) == QUESTIONS:
            self._session, self._before = token_hex(8), ()
        started = time.monotonic()
        try:
            kind, text = await self._event(question)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            kind, text = f"{type(error).__name__}: {error}"[:200], ""
        reply = Reply(self._before, question, kind, text, time.monotonic() - started)
        if kind != "busy":
            self._before = (*self._before, question)
        self.replies.append(reply)
        return reply

    async def leaves(self, question: str) -> None:
        """Ask, and close the page when the first word comes."""
        with_session = posted(self.event, question, self._session)
        await self.client.post(f"{self.server.address}/gradio_api/queue/join", json=with_session)
        async with self._stream() as events:
            async for line in events.aiter_lines():
                if "process_generating" in line:
                    return

    def _stream(self) -> Any:
        where = f"{self.server.address}/gradio_api/queue/data"
        return self.client.stream("GET", where, params={"session_hash": self._session})

    async def _event(self, question: str) -> tuple[str, str]:
        body = posted(self.event, question, self._session)
        joined = await self.client.post(f"{self.server.address}/gradio_api/queue/join", json=body)
        if joined.status_code == httpx.codes.TOO_MANY_REQUESTS and joined.json()["detail"].startswith("Busy: "):
            return "busy", ""
        if joined.status_code != httpx.codes.OK:
            return f"status {joined.status_code}", joined.text
        async with self._stream() as events:
            if events.status_code != httpx.codes.OK:
                return f"status {events.status_code}", ""
            async for line in events.aiter_lines():
                if '"process_completed"' in line:
                    return self._read(question, json.loads(line.removeprefix("data:")))
        return "the stream ended", ""

    def _read(self, question: str, message: dict[str, Any]) -> tuple[str, str]:
        if not message["success"]:
            return f"failed: {message['output']}"[:200], ""
        texts = [bare(one["content"][0]["text"]) for one in message["output"]["data"][2]]
        said = [bare(one) for one in (*self._before, question)]
        if texts[::2] != said or len(texts) != 2 * len(said):
            return "another's conversation", str(texts)
        return ("hurried" if HURRIED[1:] in texts[-1] else "answered"), texts[-1]


def bare(html: str) -> str:
    """The words, one space between them."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def wrong(system: System, replies: Sequence[Reply]) -> list[Reply]:
    """Those that are not what the library answers."""
    found = []
    for one in replies:
        if one.kind in ("answered", "hurried"):
            answer = system.answer(one.question, history=one.before, hurried=one.kind == "hurried")
            if bare(answer_html(answer, 1, Feedback((), ()))) != one.text:
                found.append(one)
    return found


def told(replies: Sequence[Reply], system: System) -> dict[str, Any]:
    """What came of the questions, and how long it took."""
    kinds = Counter(one.kind for one in replies)
    known = {kind: kinds.pop(kind, 0) for kind in ("answered", "hurried", "busy")}
    answers = [one.seconds for one in replies if one.kind in ("answered", "hurried")]
    busy = [one.seconds for one in replies if one.kind == "busy"]
    others = wrong(system, replies)
    for one in others[:3]:
        print("not what the library answers:", one)
    return {
        "questions": len(replies),
        **known,
        "errors": dict(kinds),
        "5xx": sum(number for kind, number in kinds.items() if kind.startswith("status 5")),
        "wrong answers": len(others),
        "answers": {name: round(value, 3) for name, value in percentiles(answers).items()},
        "slowest busy": round(max(busy, default=0.0), 3),
    }


class Crowd:
    """People at one server, each with questions of their own."""

    def __init__(self, server: Server, asked: Sequence[str]) -> None:
        self.server, self.asked = server, asked
        self.random = random.Random(7)
        with clients() as client:
            self.event = submitting(client, server.address)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=400, keepalive_expiry=2.0)
        self.client = httpx.AsyncClient(trust_env=False, timeout=PATIENCE, limits=limits)

    def person(self) -> Person:
        return Person(self.server, self.client, self.event, self.random.sample(self.asked, len(self.asked)))

    async def steady(self, number: int, seconds: float) -> list[Reply]:
        """So many people for so long, a pause between an answer and the next question."""
        end = time.monotonic() + seconds
        people = [self.person() for _ in range(number)]
        work = [one.asks_until(end, PAUSE, self.random.uniform(0, PAUSE)) for one in people]
        return [reply for replies in await asyncio.gather(*work) for reply in replies]

    async def at_once(self, number: int) -> list[Reply]:
        return list(await asyncio.gather(*(one.ask(one.asked[0]) for one in [self.person() for _ in range(number)])))

    async def alone(self, times: int) -> list[Reply]:
        return [await one.ask(one.asked[0]) for one in [self.person() for _ in range(times)]]

    async def until_normal(self, normal: float) -> float:
        """Seconds until one question takes no longer than `normal`, asked again each second."""
        started = time.monotonic()
        while True:
            (reply,) = await self.alone(1)
            if reply.kind == "answered" and reply.seconds <= normal:
                return time.monotonic() - started
            await asyncio.sleep(1.0)

    async def leave(self, number: int) -> None:
        await asyncio.gather(*(one.leaves(one.asked[0]) for one in [self.person() for _ in range(number)]))

    async def come_and_go(self, minutes: float, every: float) -> tuple[list[Reply], list[float]]:
        """A question each `every` seconds, EACH by the same person; the memory of the server in MB, by the minute."""
        replies: list[Reply] = []
        memory: list[float] = []
        running: set[asyncio.Task[Reply]] = set()
        started, number = time.monotonic(), 0
        people: list[Person] = []
        while (now := time.monotonic() - started) < minutes * 60:
            if now >= 60 * len(memory):
                memory.append(self.server.memory)
                print(f"{len(memory)} min: {memory[-1]:.0f} MB, {len(replies)} answers", flush=True)
            if len(people) < 10:
                people.append(self.person())
            one = people.pop(0)
            task = asyncio.create_task(one.ask(one.asked[len(one.replies)]))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(lambda done: replies.append(done.result()))
            if len(one.replies) + 1 < EACH:
                people.append(one)
            number += 1
            await asyncio.sleep(max(0.0, started + number * every - time.monotonic()))
        await asyncio.gather(*running)
        return replies, memory


async def hour(crowd: Crowd, system: System, minutes: int, rate: float) -> dict[str, Any]:
    """The memory of the server while people come and go."""
    replies, memory = await crowd.come_and_go(minutes, 1 / rate)
    # Minutes until as many conversations are held as ever will be, all of them anew.
    full = int(2 * SESSIONS * EACH / (60 * rate)) + 2
    first, last = mean(memory[full : full + 5]), mean(memory[-5:])
    return {
        "minutes": minutes,
        "questions a second": rate,
        **told(replies, system),
        "memory_mb": [round(one) for one in memory],
        "from minute": full,
        "drift": round(last / first - 1, 4),
    }


async def crowds(crowd: Crowd, system: System, seconds: float) -> dict[str, Any]:
    """What becomes of the questions of few and many."""
    figures: dict[str, Any] = {}

    def keep(name: str, replies: Sequence[Reply], **more: object) -> None:
        figures[name] = {**told(replies, system), **more}
        print(name, json.dumps(figures[name]), flush=True)

    keep("one", await crowd.alone(10))
    for number, share in ((50, 1.0), (200, 0.25)):
        keep(f"{number} people", await crowd.steady(number, share * seconds))
    normal = 2 * figures["one"]["answers"]["p95"]
    replies = await crowd.at_once(200)
    keep("200 at once", replies, **{"back to normal after": round(await crowd.until_normal(normal), 2)})
    await crowd.leave(60)
    back = round(await crowd.until_normal(normal), 2)
    keep("after 60 left", await crowd.alone(10), **{"back to normal after": back})
    return figures


async def measured(server: Server, asked: Sequence[str], system: System, options: argparse.Namespace) -> dict[str, Any]:
    crowd = Crowd(server, asked)
    if options.minutes:
        return await hour(crowd, system, options.minutes, options.rate)
    return await crowds(crowd, system, options.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=120, help="for 50 people; a quarter of it for 200")
    parser.add_argument("--minutes", type=int, default=0, help="instead, so long at --rate")
    parser.add_argument("--rate", type=float, default=2.0, help="questions a second (default: 2)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        documents, at = Path(scratch) / "documents", Path(scratch) / "index"
        files = write_articles(options.data, documents, 12)
        asked = questions(options.data, files, 400)
        cost([FOOTNOTED, "index", documents, "--index", at])
        command = partial(lambda port: [FOOTNOTED, "chat", "--index", at, "--port", str(port)])
        with Server(command, "ask") as server:
            figures = asyncio.run(measured(server, asked, load(at), options))
    record("load" if not options.minutes else "load_hour", figures)


if __name__ == "__main__":
    main()
