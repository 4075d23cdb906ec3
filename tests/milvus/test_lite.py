"""What Milvus Lite does that a server does not: it hides rows while it writes them from memory to the disk."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index import Index
from index.indexing import update
from index.milvus.generation import MilvusGeneration
from index.milvus.server import Server

from .places import LITE, Place, only

Write = Callable[..., Path]


@only(LITE)
@pytest.mark.parametrize("hidden", ["search", "query"])
def test_rows_that_are_hidden_for_a_moment_are_looked_for_again(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    folder, embedder = write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}), make_embedder()
    update(place.at(), [folder], embedder=embedder)
    opened = Index.open(place.at(), embedder=embedder)
    assert isinstance(opened.state, MilvusGeneration)
    call, times = Server.call, {"search": 0, "query": 0}

    def hides(server: Server, name: str, *given: Any, **named: Any) -> Any:
        found = call(server, name, *given, **named)
        if name == hidden:
            times[name] += 1
            if times[name] < 3:
                return [found[0][:1]] if name == "search" else list(found)[:0]
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Server, "call", hides)
        found = opened.dense(opened.embed_query("tea is hot"), 5)
        assert [opened.passage(one.row).text for one in found] == ["Tea is hot.", "Salt is dry."]
        assert [source for source, *_ in opened.sources()] == ["a.txt", "b.txt"]
    assert times[hidden] >= 3
