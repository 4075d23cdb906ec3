"""What an address is, and which index a folder stands for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index
from index.errors import NoIndex, UnreachableStore, UsageError
from index.indexing import update
from index.milvus.address import Address
from index.stores import bind, place, store_at
from rag.retrieval import retrieve
from rag.system import System
from ui.cli import main

from .places import LITE, REAL, Place, only

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("milvus://127.0.0.1:19531/papers", "milvus://127.0.0.1:19531/papers"),
        ("milvus://Server", "milvus://server:19530/footnoted"),
        ("milvus://[::1]:7/a", "milvus://[::1]:7/a"),
        ("/data/x.db", "milvus:///data/x.db/footnoted"),
        ("milvus:///data/x.db/papers", "milvus:///data/x.db/papers"),
    ],
)
def test_an_address(text: str, address: str) -> None:
    assert str(Address.parse(text)) == address
    assert str(Address.parse(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:19530", "milvus://", "milvus://:1/a", "milvus://a:x/b", "milvus://a/b c", "milvus://a/1b",
        "milvus://a/b/c", "milvus://u:p@a/b", "milvus://a/b?c", "x", "x.db.txt", "milvus://a/docs_notes",
        "milvus://a/docs_p12", ".db", "",
    ],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(UsageError) as error:
        Address.parse(text)
    assert "\n" not in str(error.value)


def test_a_folder_stands_for_one_index(tmp_path: Path, write: Write, make_embedder: Write) -> None:
    bind(tmp_path / "at", "milvus://127.0.0.1:1/a")
    bind(tmp_path / "at", "milvus://127.0.0.1:1/a")
    with pytest.raises(UsageError, match=r"is in milvus://127.0.0.1:1/a, not in milvus://127.0.0.1:1/b: name another"):
        bind(tmp_path / "at", "milvus://127.0.0.1:1/b")
    Index.build([write({"a.txt": "Tea."})], tmp_path / "own", embedder=make_embedder())
    with pytest.raises(UsageError, match=r"holds an index of its own, none in milvus://127.0.0.1:1/a: name another"):
        bind(tmp_path / "own", "milvus://127.0.0.1:1/a")
    assert store_at(tmp_path / "own").name == str(tmp_path / "own")
    assert place("milvus://127.0.0.1:1/a") == place("milvus://127.0.0.1:1/a") != place("milvus://127.0.0.1:1/b")


def test_wrong_usage_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--index", str(tmp_path / "at"), "--store", "http://x"]) == 2
    assert "a store is milvus://HOST:PORT/COLLECTION" in capsys.readouterr().err
    bind(tmp_path / "at", "milvus://127.0.0.1:1/a")
    assert main(["status", "--index", str(tmp_path / "at"), "--store", "milvus://127.0.0.1:1/b"]) == 2


@pytest.mark.parametrize("given", ["x", "0", "-1", "nan", "1e9"])
def test_a_deadline_that_is_none(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTED_STORE_TIMEOUT", given)
    bind(tmp_path / "at", "milvus://127.0.0.1:1/a")
    with pytest.raises(UsageError, match="FOOTNOTED_STORE_TIMEOUT must be a number of seconds"):
        store_at(tmp_path / "at")


@only(LITE)
def test_no_index_yet(place: Place, make_embedder: Write, tmp_path: Path) -> None:
    with pytest.raises(NoIndex, match=r"no index at milvus://.*: make one with  footnoted index --store milvus://"):
        Index.open(place.at(), embedder=make_embedder())
    with pytest.raises(NoIndex, match="name what to index"):
        update(place.at(), [], embedder=make_embedder())
    with pytest.raises(UnreachableStore, match="its folder must be there"):
        Index.open(f"milvus://{tmp_path}/none/x.db", embedder=make_embedder())


def _without_bm25(place: Place, write: Write, make_embedder: Write) -> None:
    folder = write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."})
    update(place.at(), [folder], embedder=make_embedder())
    system = System.open(place.at(), embedder=make_embedder(), reader=None)
    (notice,) = system.notices
    assert notice.startswith("Milvus ")
    assert notice.endswith("has no BM25, which came with 2.5: passages are found by meaning alone")
    assert [hit.passage.text for hit in system.search("tea is hot", 2)] == ["Tea is hot.", "Salt is dry."]
    assert [hit.passage.text for hit in system.search("tea is hot", 2, "dense")] == ["Tea is hot.", "Salt is dry."]
    with pytest.raises(UsageError, match="has no BM25"):
        system.search("tea is hot", 2, "lexical")
    with pytest.raises(UsageError):
        retrieve(system.index, "tea", 2, "lexical")
    # What words weigh is known all the same.
    assert system.index.term_weights(["tea"])[0] == system.index.term_weights(["salt"])[0] > 0
    assert system.answer("Is tea hot?", 0).citations[0].quote == "Tea is hot."


@only(REAL)
def test_an_old_server_has_no_bm25(place: Place, write: Write, make_embedder: Write) -> None:
    _without_bm25(place, write, make_embedder)


@only(LITE)
def test_as_if_a_server_had_no_bm25(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.milvus.server import Server

    monkeypatch.setattr(Server, "has_bm25", property(lambda server: False))
    _without_bm25(place, write, make_embedder)
