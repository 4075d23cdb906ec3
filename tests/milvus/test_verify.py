"""`verify` names what is not as it was written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index
from index.errors import DamagedIndex
from index.index import verify
from index.indexing import update
from index.milvus.address import Address
from index.milvus.notes import note
from index.milvus.server import Server
from index.milvus.state import States

from .places import LITE, REAL, Place, only

Write = Callable[..., Path]


@only(LITE, REAL)
def test_what_is_gone_or_changed_is_named(place: Place, write: Write, make_embedder: Write) -> None:
    at, embedder = place.at(), make_embedder()
    names = ("a", "b", "c", "d", "e")
    update(at, [write({f"{name}.txt": f"Tea {name} is hot." for name in names})], embedder=embedder)
    assert verify(at) == []
    server, name = Server(Address.parse(place.address)), Address.parse(place.address).collection
    state = States(server, name, "").read()
    opened = Index.open(at, embedder=embedder)
    row = {source: opened.rows_of(source)[0] for source, *_ in opened.sources()}

    (changed,) = server.query(state.collection, f"row == {row['a.txt']}", ["*"])
    changed.pop("lexemes", None)
    server.upsert(state.collection, [{**changed, "text": "Tea a is old."}])
    server.delete(state.collection, f"row == {row['b.txt']}")
    notes = f"{name}_notes"
    server.delete(notes, f'key == "text/{row["c.txt"] >> 20}/0#0"')
    server.upsert(notes, note("text", f"text/{row['d.txt'] >> 20}/0", b'{"text": "no"}', row["d.txt"] >> 20))
    server.delete(notes, f'key == "{state.terms[0][0]}#0"')
    assert sorted(line.removeprefix(f"{place.address}: ") for line in verify(at)) == [
        "a passage of a.txt is another",
        "b.txt has 0 of 1 passages",
        "the counts of terms of generation 1 are gone",
        "the text of c.txt is gone",
        "the text of d.txt is damaged",
    ]
    with pytest.raises(DamagedIndex, match="the counts of terms of generation 1 are gone"):
        Index.open(at, embedder=embedder)
    done = update(at, [write({"a.txt": "Tea a is hot."})], embedder=embedder, rebuild=True)
    assert (done.passages, verify(at)) == (5, [])


@only(LITE)
def test_bytes_that_are_damaged_are_no_crash(place: Place, write: Write, make_embedder: Write) -> None:
    at, embedder = place.at(), make_embedder()
    update(at, [write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."})], embedder=embedder)
    server, name = Server(Address.parse(place.address)), Address.parse(place.address).collection
    (kept,) = server.query(f"{name}_notes", 'key == "text/0/0#0"', ["*"])
    server.upsert(f"{name}_notes", [{**kept, "content": "1:" + kept["content"][2:][:-8] + "AAAAAAAA"}])
    (line,) = verify(at)
    assert line == f"{place.address}: the text of a.txt is damaged"
    with pytest.raises(DamagedIndex, match="text/0/0 is damaged"):
        Index.open(at, embedder=embedder).document("a.txt")
    (kept,) = server.query(name, 'kind == "state"', ["*"])
    server.upsert(name, [{**kept, "content": "1:AAAA"}])
    with pytest.raises(DamagedIndex, match="is damaged"):
        verify(at)
    assert update(at, [write({})], embedder=embedder, rebuild=True).passages == 2
    assert verify(at) == []
