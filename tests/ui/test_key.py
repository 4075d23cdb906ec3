"""The key of a language model's server is on no page, in no history and in no file, whatever that server answers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from index import Index
from rag import System
from rag.generator import OpenAICompatible, Timeouts
from ui.conversation import Conversation, Spoken
from ui.gate import Gate
from ui.libraries import Libraries
from ui.server import application
from ui.talk import Talk

pytest.importorskip("openai", reason="needs the extra llm")

KEY = "sk-geheim-1234567890"
QUESTION = "When does the lease end?"


async def conversed(turn: AsyncIterator[Spoken]) -> Spoken:
    *_, last = [said async for said in turn]
    return last


@pytest.mark.parametrize("fails", [False, True])
def test_the_key_is_not_on_the_page_nor_kept(
    fails: bool,
    write: Callable[..., Path],
    make_embedder: Callable,
    tmp_path: Path,
    server_that: ModuleType,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    index = Index.build([write({"lease.md": "The lease ends on 31 March 2030."})], tmp_path / "at",
                        embedder=make_embedder(dimension=64))  # fmt: skip
    wrong = server_that.status(401, f"wrong key {KEY}")
    reply = wrong if fails else server_that.says("The lease ends on 31 March 2030 [1].")
    with server_that.serving(reply) as server:
        model = OpenAICompatible(server.url, "small", KEY, Timeouts(2, 5, 5))
        system = System(index, generator=model)
        request = SimpleNamespace(scope={}, query_params={})
        turn = Conversation(Libraries(system), Gate(1), 0).converse(QUESTION, Talk(), None, request)
        last = asyncio.run(conversed(turn))
        with TestClient(application(Libraries(system), threshold=0), base_url="http://127.0.0.1") as client:
            (kept,) = client.get("/conversations").json()
            exports = [f"/export?conversation={kept['id']}&format={kind}" for kind in ("md", "json")]
            pages = [client.get(path) for path in ("/", "/config", "/documents", "/indexing", *exports)]
            asked = client.post("/gradio_api/run/ask", json={"data": [QUESTION]})
    assert [one.status_code for one in (*pages, asked)] == [200] * (len(pages) + 1)
    assert server.keys == [f"Bearer {KEY}"] * 2
    notice = "answered with status 401" in asked.text
    assert notice == fails
    assert ("answered with status 401" in pages[-1].text) == fails
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    shown = [str(last), asked.text, caplog.text, *capfd.readouterr(), *(one.text for one in pages), *files]
    assert [text for text in shown if KEY in text] == []
