"""One writer at a time, from whatever machine; what one that was cut off leaves is never seen."""

import itertools
import json
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import index.milvus.claim as claims
from index import Index
from index.errors import LockedIndex, NoIndex
from index.index import verify
from index.indexing import update
from index.milvus.address import Address
from index.milvus.notes import json_note, note_names
from index.milvus.server import Server
from index.milvus.state import States
from index.milvus.store import MilvusStore
from index.stores import store_at

from .places import LITE, LITE_SERVER, MILVUS, REAL, ROOT, Place, only

Write = Callable[..., Path]


def server_of(place: Place) -> tuple[Server, str]:
    address = Address.parse(place.address)
    return Server(address), address.collection


def texts(at: Path, embedder: Any) -> dict[str, str]:
    opened = Index.open(at, embedder=embedder)
    return {source: opened.document(source).text for source, *_ in opened.sources()}


def rows(place: Place) -> int:
    """Passages that the server holds, seen or not."""
    server, name = server_of(place)
    state = States(server, name, place.address).read()
    return server.count(state.collection, "row >= 0")


class CutOff(Exception):
    """As if the process had ended here."""


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Lets a run end before a method is called: nothing is released, as after a kill, and its process is gone."""

    numbers = itertools.count()

    @contextmanager
    def cut_off(where: str) -> Iterator[None]:
        def ends(*given: object, **named: object) -> None:
            raise CutOff

        with monkeypatch.context() as patched:
            patched.setattr(where, ends)
            patched.setattr("index.milvus.claim.Claim.release", lambda claim: claim._released.set())
            # The renewing thread may have been in the midst of it.
            gone = f"process {next(numbers)}"
            patched.setattr("index.milvus.claim._born", lambda pid: gone)
            with pytest.raises(CutOff):
                yield

    return cut_off


@only(LITE, LITE_SERVER)
def test_a_first_run_that_is_cut_off_has_made_no_index(
    place: Place, write: Write, make_embedder: Write, cut_off: Callable[[str], Any]
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}), place.at(), make_embedder()
    with cut_off("index.milvus.state.States.write"):
        update(at, [folder], embedder=embedder)
    with pytest.raises(NoIndex):
        Index.open(at, embedder=embedder)
    assert not store_at(at).exists()
    (folder / "b.txt").unlink()
    assert update(at, [folder], embedder=embedder).generation == 1
    assert texts(at, embedder) == {"a.txt": "Tea is hot."}
    assert rows(place) == 1
    assert Index.open(at, embedder=embedder).state.containing(["tea", "salt"]) == [1, 0]
    assert verify(at) == []


@only(*MILVUS)
def test_rows_without_a_state_are_never_seen_and_deleted_by_the_next_run(
    place: Place, write: Write, make_embedder: Write, cut_off: Callable[[str], Any]
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    before = Index.open(at, embedder=embedder)
    write({"a.txt": "Tea is cold.", "c.txt": "Oil is slow."})
    for where in ("index.milvus.state.States.write", "index.milvus.writer.MilvusWriter._terms"):
        with cut_off(where):
            update(at, [folder], embedder=embedder)
        assert before.current() is before
        assert texts(at, embedder) == {"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}
        assert len(before.dense(before.embed_query("oil"), 100)) == 2
        assert verify(at) == []
    embedder.asked.clear()
    done = update(at, [folder], embedder=embedder)
    assert (done.generation, done.passages, done.embedded) == (2, 3, 0)  # what was embedded is used again
    assert texts(at, embedder) == {"a.txt": "Tea is cold.", "b.txt": "Salt is dry.", "c.txt": "Oil is slow."}
    assert rows(place) == 4  # and the one that has just died, which readers may still ask for
    assert verify(at) == []


@only(LITE, LITE_SERVER)
def test_what_died_is_deleted_when_its_readers_had_their_time(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    monkeypatch.setattr("index.milvus.writer.GRACE_S", 0.0)
    for number in range(6):
        write({"a.txt": f"Tea is cold {number}."})
        update(at, [folder], embedder=embedder)
    assert rows(place) == 3
    server, name = server_of(place)
    assert len(list(note_names(server, name, "state"))) <= 3
    assert len(list(note_names(server, f"{name}_notes", "file"))) == 3
    assert len(list(note_names(server, f"{name}_notes", "terms"))) <= 6
    assert list(note_names(server, name, "claim")) == []
    monkeypatch.setattr("index.milvus.writer.GRACE_S", 60.0)
    update(at, [folder], embedder=embedder, rebuild=True)
    before = [one for one in server.call("list_collections") if one.startswith(f"{name}_p")]
    monkeypatch.setattr("index.milvus.writer.GRACE_S", 0.0)
    write({"a.txt": "Tea."})
    update(at, [folder], embedder=embedder)
    assert len(before) == 2
    assert [one for one in server.call("list_collections") if one.startswith(f"{name}_p")] == before[1:]
    assert len(list(note_names(server, f"{name}_notes", "file"))) == 3
    assert texts(at, embedder) == {"a.txt": "Tea.", "b.txt": "Salt is dry."}
    assert verify(at) == []


@only(LITE)
def test_another_writer_is_refused_at_once(place: Place, write: Write, make_embedder: Write) -> None:
    folder, embedder = write({"a.txt": "Tea is hot."}), make_embedder()
    update(place.at(), [folder], embedder=embedder)
    with store_at(place.at()).writing():
        for name in ("at", "elsewhere"):  # the same machine; another one, whose folder has no lock
            started = time.monotonic()
            with pytest.raises(LockedIndex, match=r"is being written by process \d+") as error:
                update(place.at(name), [folder], embedder=embedder)
            assert time.monotonic() - started < 2
            assert "\n" not in str(error.value)
    assert update(place.at("elsewhere"), [folder], embedder=embedder).documents["unchanged"] == 1


_WRITER = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from index.stores import store_at
    with store_at(Path(sys.argv[1])).writing() as (writer, manifest):
        writer.begin(manifest)
        print("writing", flush=True)
        time.sleep(100)
    """)


@only(LITE_SERVER, REAL)
def test_a_killed_writer_is_followed_at_once(place: Place, write: Write, make_embedder: Write) -> None:
    folder, embedder = write({"a.txt": "Tea is hot."}), make_embedder()
    update(place.at(), [folder], embedder=embedder)
    other = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(place.at("elsewhere"))], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert other.stdout
        assert other.stdout.readline() == b"writing\n"
        write({"a.txt": "Tea is cold."})
        with pytest.raises(LockedIndex, match=f"is being written by process {other.pid}: try again when it is done"):
            update(place.at(), [folder], embedder=embedder)
        assert texts(place.at(), embedder) == {"a.txt": "Tea is hot."}
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert update(place.at(), [folder], embedder=embedder).documents["updated"] == 1
    finally:
        other.kill()
        other.wait()
    assert texts(place.at(), embedder) == {"a.txt": "Tea is cold."}


def claim_of(place: Place, **given: Any) -> None:
    """Somebody else's claim, on another machine."""
    server, name = server_of(place)
    value = {"host": "other", "boot": "x", "pid": 7, "born": "1", "epoch": 40, "until": time.time() + 5, **given}
    server.upsert(name, json_note("claim", "claim/other", value))


@only(LITE)
def test_a_claim_of_another_machine_holds_until_it_has_run_out(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    claim_of(place)
    with pytest.raises(LockedIndex, match="is being written by process 7 on other: try again when it is done"):
        update(at, [folder], embedder=embedder)
    real = time.time
    monkeypatch.setattr(claims.time, "time", lambda: real() + 5 + claims.SKEW_S - 1)  # clocks differ a little
    with pytest.raises(LockedIndex):
        update(at, [folder], embedder=embedder)
    monkeypatch.setattr(claims.time, "time", lambda: real() + 5 + claims.SKEW_S + 1)
    write({"a.txt": "Tea is cold."})
    update(at, [folder], embedder=embedder)
    monkeypatch.undo()
    server, name = server_of(place)
    assert States(server, name, "").read().epoch == 41
    assert list(note_names(server, name, "claim")) == []


@only(LITE)
def test_of_two_claims_at_once_neither_writes(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    renew = claims.Claim._renew

    def beside(claim: claims.Claim) -> None:
        claim_of(place)
        renew(claim)

    with monkeypatch.context() as patched:
        patched.setattr("index.milvus.claim.Claim._renew", beside)
        with pytest.raises(LockedIndex, match="on other"):
            update(at, [folder], embedder=embedder)
    server, name = server_of(place)
    assert list(note_names(server, name, "claim")) == ["claim/other"]


@only(LITE, REAL)
def test_a_writer_that_slept_too_long_commits_nothing(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is suspended between its last look at its claim and its state; another has come and gone by then."""
    folder, embedder = write({"a.txt": "Tea is hot."}), make_embedder()
    update(place.at(), [folder], embedder=embedder)
    written = States.write

    def suspended(states: States, state: Any, after: str) -> bool:
        with monkeypatch.context() as later:
            later.setattr(States, "write", written)
            later.setattr("index.milvus.claim._is_over", lambda claim: True)
            (folder / "b.txt").write_text("Salt is dry.")
            update(place.at("elsewhere"), [folder / "b.txt"], embedder=embedder)
        return written(states, state, after)

    write({"a.txt": "Tea is cold."})
    with monkeypatch.context() as slow:
        slow.setattr(States, "write", suspended)
        with pytest.raises(LockedIndex, match="another process has begun to write this index"):
            update(place.at(), [folder / "a.txt"], embedder=embedder)
    assert texts(place.at(), embedder) == {"a.txt": "Tea is hot.", "b.txt": "Salt is dry."}
    assert update(place.at(), [folder], embedder=embedder).documents["updated"] == 1
    assert texts(place.at(), embedder) == {"a.txt": "Tea is cold.", "b.txt": "Salt is dry."}
    assert verify(place.at()) == []


@only(LITE, REAL)
def test_what_a_writer_that_slept_has_committed_is_not_lost_to_the_one_that_came_after(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on when another has begun, from the state before, and has not committed yet."""
    folder, at, embedder = write({"a.txt": "Tea is hot."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    slow, quick = store_at(at), store_at(place.at("elsewhere"))
    with slow.writing() as (first, manifest), monkeypatch.context() as later:
        first.begin(manifest)
        later.setattr("index.milvus.claim._is_over", lambda claim: True)
        with quick.writing() as (second, its):
            second.begin(its)
            first.commit(None, ["/of the slow one"], [])
            with pytest.raises(LockedIndex, match="another process has begun to write this index"):
                second.commit(None, ["/of the quick one"], [])
    assert Index.open(at, embedder=embedder).manifest.roots == ("/of the slow one",)
    assert verify(at) == []


@only(LITE)
def test_a_writer_that_lost_its_claim_is_told_before_it_writes(
    place: Place, write: Write, make_embedder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, at, embedder = write({"a.txt": "Tea is hot."}), place.at(), make_embedder()
    update(at, [folder], embedder=embedder)
    store = store_at(at)
    assert isinstance(store, MilvusStore)
    with store.writing() as (writer, manifest):
        assert manifest
        writer.begin(manifest)
        claim_of(place)
        writer._claim._held_until = 0.0
        with pytest.raises(LockedIndex, match="was not written for so long that another process may"):
            writer.commit(None, (), ())
    assert Index.open(at, embedder=embedder).generation == 1


def test_the_claim_of_this_process_names_it() -> None:
    here = claims._here()
    assert here["host"] == socket.gethostname()
    assert not claims._is_over({**here, "until": time.time(), "epoch": 1})
    assert claims._is_over({**here, "until": time.time() + 60, "epoch": 1, "born": "0"})
    assert json.loads(json.dumps(here)) == here
