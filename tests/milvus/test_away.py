"""The server is away, hung or restarted: one line that names it, within the deadline, and never an empty answer."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from index import Index
from index.errors import UnreachableStore
from index.index import verify
from index.indexing import update
from index.stores import bind
from rag.system import System

from .places import LITE_SERVER, REAL, ROOT, Server

Write = Callable[..., Path]
Start = Callable[[str], Server]

DEADLINE = 1.5
# What a machine that does other things may add.
_SLACK = 1.0
LEASE = {"a.txt": "The lease ends in May 2019. Ada signed it.", "b.txt": "Tea is hot."}
QUESTION = "When does the lease end?"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTED_STORE_TIMEOUT", str(DEADLINE))


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path / "at"


def bound(at: Path, server: Server) -> Path:
    bind(at, server.address("lease"))
    return at


def unreachable(work: Callable[[], Any], server: Server) -> str:
    """What is said; within the deadline, on one line, with the address and a cause."""
    started = time.monotonic()
    with pytest.raises(UnreachableStore) as error:
        work()
    assert time.monotonic() - started < DEADLINE + _SLACK
    said = str(error.value)
    assert said.startswith(f"Milvus at 127.0.0.1:{server.port} gave no answer within ")
    assert said.endswith(")")
    assert "\n" not in said
    return said


def command(at: Path, *given: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "ui.cli", *given, "--index", str(at)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_server_that_is_not_there(at: Path, own_server: Start, write: Write, make_embedder: Write) -> None:
    server = own_server(LITE_SERVER)
    folder = write(LEASE)
    update(bound(at, server), [folder], embedder=make_embedder())
    server.kill()
    said = unreachable(lambda: Index.open(at, embedder=make_embedder()), server)
    assert "nobody answers there" in said or "UNAVAILABLE" in said
    unreachable(lambda: update(at, [folder], embedder=make_embedder()), server)
    unreachable(lambda: verify(at), server)
    for given in (("ask", QUESTION), ("index", str(folder))):
        ended = command(at, *given)
        assert (ended.returncode, ended.stdout) == (1, "")
        (line,) = ended.stderr.splitlines()
        assert line.startswith(f"footnoted: Milvus at 127.0.0.1:{server.port} gave no answer within ")


@pytest.mark.parametrize("kind", [LITE_SERVER, REAL])
def test_killed_hung_and_restarted_between_questions(
    at: Path, own_server: Start, write: Write, make_embedder: Write, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTED_STORE_TIMEOUT", "30")
    server = own_server(kind)
    folder = write(LEASE)
    update(bound(at, server), [folder], embedder=make_embedder())
    monkeypatch.setenv("FOOTNOTED_STORE_TIMEOUT", str(DEADLINE))
    system = System.open(at, embedder=make_embedder(), reader=None)
    answered = system.answer(QUESTION, 0)
    assert answered.citations[0].quote == "The lease ends in May 2019."

    server.signal(signal.SIGSTOP)
    for _ in range(2):
        assert "DEADLINE_EXCEEDED" in unreachable(lambda: system.answer(QUESTION, 0), server)
    unreachable(lambda: Index.open(at, embedder=make_embedder()), server)
    server.signal(signal.SIGCONT)

    server.kill()
    for _ in range(2):
        unreachable(lambda: system.answer(QUESTION, 0), server)
        unreachable(lambda: system.search("lease", 5), server)
    server.start()
    monkeypatch.setenv("FOOTNOTED_STORE_TIMEOUT", "30")
    until = time.monotonic() + 30  # a server that answers may still be loading
    while True:
        try:
            again = system.answer(QUESTION, 0)
            break
        except UnreachableStore:
            assert time.monotonic() < until
    assert (again.text, again.citations, again.abstained) == (answered.text, answered.citations, answered.abstained)
    assert [hit.score for hit in again.hits] == pytest.approx([hit.score for hit in answered.hits], abs=1e-6)
    write({"b.txt": "Tea is cold."})
    assert update(at, [folder], embedder=make_embedder()).documents["updated"] == 1
    assert "cold" in system.search("tea is cold", 1, "dense")[0].passage.text
    assert verify(at) == []


def test_hung_in_the_midst_of_a_question(
    at: Path, own_server: Start, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question ends with the error whichever of its calls is the one that is not answered."""
    server = own_server(LITE_SERVER)
    update(bound(at, server), [write(LEASE)], embedder=make_embedder())
    from index.milvus.server import Server as Client

    call = Client.call
    calls, told = 0, []
    for place in range(1, 30):
        system = System.open(at, embedder=make_embedder(), reader=None)
        calls = 0

        def counted(client: Client, name: str, *given: Any, place: int = place, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == place:
                server.signal(signal.SIGSTOP)
            return call(client, name, *given, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Client, "call", counted)
            patched.setattr(system._index._store._server, "deadline_s", 0.5)  # type: ignore[attr-defined]
            try:
                answer = system.answer(QUESTION, 0)
            except UnreachableStore as error:
                told.append("DEADLINE_EXCEEDED" in str(error))
            else:
                assert calls < place
                assert answer.citations[0].quote == "The lease ends in May 2019."
                break
            finally:
                server.signal(signal.SIGCONT)
    assert told == [True] * (place - 1)
    assert place > 4


def test_a_short_absence_is_not_noticed(
    at: Path, own_server: Start, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTED_STORE_TIMEOUT", "30")
    server = own_server(LITE_SERVER)
    update(bound(at, server), [write(LEASE)], embedder=make_embedder())
    system = System.open(at, embedder=make_embedder(), reader=None)
    before = system.answer(QUESTION, 0)
    server.kill()
    soon = threading.Timer(1.0, server.start)
    soon.start()
    again = system.answer(QUESTION, 0)
    soon.join()
    assert (again.text, again.citations) == (before.text, before.citations)


def test_the_page_says_so(at: Path, own_server: Start, write: Write, make_embedder: Write) -> None:
    from ui.conversation import Conversation
    from ui.gate import Gate
    from ui.libraries import Libraries
    from ui.server import application
    from ui.talk import Talk

    server = own_server(LITE_SERVER)
    update(bound(at, server), [write(LEASE)], embedder=make_embedder())
    system = System.open(at, embedder=make_embedder(), reader=None)
    libraries = Libraries(system)

    async def last(turn: AsyncIterator[Any]) -> Any:
        return [spoken async for spoken in turn][-1]

    def asked() -> str:
        request = SimpleNamespace(scope={}, query_params={})
        turn = Conversation(libraries, Gate(1), 0).converse(QUESTION, Talk(), None, request)  # type: ignore[arg-type]
        return unescape(str(asyncio.run(last(turn))))

    line = f"Milvus at 127.0.0.1:{server.port} gave no answer within "
    with TestClient(application(libraries, threshold=0), base_url="http://127.0.0.1") as client:
        assert "The lease ends in May 2019." in asked()
        server.kill()
        shown = asked()
        assert line in shown
        assert "May 2019" not in shown
        assert "don't say" not in shown
        assert client.get("/").status_code == 200
        for path in ("/documents", "/document?source=a.txt&start=0&end=3"):
            fetched = client.get(path)
            assert (fetched.status_code, line in fetched.text) == (503, True)
        posted = client.post("/gradio_api/run/ask", json={"data": [QUESTION]})
        assert line in posted.text
        server.start()
        assert "The lease ends in May 2019." in asked()
        assert client.get("/document?source=a.txt&start=0&end=3").status_code == 200


def test_files_are_followed_again_when_it_is_back(
    at: Path, own_server: Start, write: Write, make_embedder: Write
) -> None:
    from index.watching import Watcher

    server = own_server(LITE_SERVER)
    folder = write(LEASE)
    done = update(bound(at, server), [folder], embedder=make_embedder())
    told: list[Any] = []
    said: list[str] = []
    watcher = Watcher(
        at,
        [folder],
        embedder=make_embedder(),
        before=done,
        told=lambda done, news: told.append(news),
        noticed=said.append,
        rest=0.2,
    )
    watcher.start()
    try:
        _until(lambda: watcher._pointer)
        server.kill()
        write({"b.txt": "Tea is cold."})
        _until(lambda: said)
        assert said[0].startswith(f"Milvus at 127.0.0.1:{server.port} gave no answer within ")
        server.start()
        _until(lambda: told, said)
    finally:
        watcher.stop()
    assert Index.open(at, embedder=make_embedder()).document("b.txt").text == "Tea is cold."


def _until(happened: Callable[[], Any], said: object = None) -> None:
    until = time.monotonic() + 40
    while not happened():
        assert time.monotonic() < until, said
        time.sleep(0.1)
