"""An opened index: its snapshot, its errors, and every damage found before anything is answered."""

import ast
import errno
import gc
import os
import random
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import index.folder.store
from index import Candidate, Embedder, Index
from index.errors import DamagedIndex, FootnotedError, LockedIndex, NoIndex, OtherIndex
from index.index import verify
from index.locking import writing

Write = Callable[..., Path]


def texts(opened: Index) -> dict[str, str]:
    return {source: opened.document(source).text for source, *_ in opened.sources()}


FIRST = {"a.txt": "Tea is hot.", "b.txt": "Salt is dry. Rice is white."}


@pytest.fixture
def at(write: Write, embedder: Embedder, tmp_path: Path) -> Path:
    """An index of two generations and two segments, the first with a dead file."""
    folder = write(FIRST)
    built = Index.build([folder], tmp_path / "at", embedder=embedder)
    write({"a.txt": "Tea is cold."})
    built.update()
    return tmp_path / "at"


def test_an_opened_index_gives_what_was_indexed(at: Path, embedder: Embedder) -> None:
    opened = Index.open(at, embedder=embedder)
    assert (opened.generation, opened.passages, len(opened.state.segments)) == (2, 2, 2)
    assert opened.sources() == [("a.txt", "a", 12, 1), ("b.txt", "b", 27, 1)]
    assert texts(opened) == {"a.txt": "Tea is cold.", "b.txt": "Salt is dry. Rice is white."}
    (row,) = opened.rows_of("b.txt")
    assert opened.passage(row).text == "Salt is dry. Rice is white."
    assert opened.sentence_vectors(row) == pytest.approx(
        embedder.embed_passages(["Salt is dry.", "Rice is white."]), abs=0.004
    )
    assert opened.rows_of("c.txt") == []


def test_candidates_are_the_dense_and_the_lexical_list(at: Path, embedder: Embedder) -> None:
    opened = Index.open(at, embedder=embedder)
    (tea,), (salt,) = opened.rows_of("a.txt"), opened.rows_of("b.txt")
    found = opened.candidates("cold tea", 5)
    query, rows = (
        embedder.embed_passages(["cold tea"])[0],
        embedder.embed_passages(["a\nTea is cold.", "b\nSalt is dry. Rice is white."]),
    )
    expected = sorted([(tea, float(rows[0] @ query)), (salt, float(rows[1] @ query))], key=lambda one: -one[1])
    assert [(one.row, pytest.approx(one.score)) for one in found.dense] == expected
    assert [one.row for one in found.lexical] == [tea]
    assert opened.candidates("cold tea", 1).dense == found.dense[:1] == (Candidate(tea, found.dense[0].score),)


def test_a_reader_keeps_its_generation(at: Path, write: Write, embedder: Embedder) -> None:
    reader = Index.open(at, embedder=embedder)
    before = texts(reader), reader.candidates("tea salt", 9)
    for number in range(4):  # more than the generations that are kept
        folder = write({"a.txt": f"Milk {number}.", "b.txt": f"Oil {number}."})
        reader.update([folder])
    assert (texts(reader), reader.candidates("tea salt", 9)) == before
    assert [reader.passage(row).text for source in ("a.txt", "b.txt") for row in reader.rows_of(source)] == [
        "Tea is cold.",
        "Salt is dry. Rice is white.",
    ]
    assert texts(reader.current()) == {"a.txt": "Milk 3.", "b.txt": "Oil 3."}
    assert reader.current().generation == 6


def test_readers_beside_a_writer_see_whole_generations(
    at: Path, write: Write, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    faults: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            opened = Index.open(at, embedder=embedder)
            while not done.is_set():
                opened = opened.current()
                seen.append(texts(opened))
        except BaseException as fault:
            faults.append(fault)

    # Otherwise np.load, which reads a header with it, fails now and then: see the next test.
    lock, literal_eval = threading.Lock(), ast.literal_eval

    def one_at_a_time(text: str) -> object:
        with lock:
            return literal_eval(text)

    monkeypatch.setattr(ast, "literal_eval", one_at_a_time)
    readers = [threading.Thread(target=read) for _ in range(2)]
    writer = Index.open(at, embedder=embedder)
    for reader in readers:
        reader.start()
    try:
        for number in range(25):
            writer.update([write({"a.txt": f"State {number}.", "b.txt": f"State {number}."})])
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert len({str(one) for one in seen}) > 1
    assert all(one["a.txt"] == one["b.txt"] or "Rice" in one["b.txt"] for one in seen)


def test_opening_parses_no_python(at: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ast.parse` in several threads raises SystemError now and then (CPython 3.11.7, gh-106905)."""

    def mismatch(_: object) -> None:
        raise SystemError("AST constructor recursion depth mismatch")

    monkeypatch.setattr(ast, "literal_eval", mismatch)
    Index.open(at, embedder=embedder)


@pytest.mark.parametrize("step", ["before the manifest is read", "after the files are checked"])
def test_a_reader_overtaken_by_commits_opens_the_newest(
    step: str, at: Path, write: Write, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, left = Index.open(at, embedder=embedder), [1]

    def before(real: Callable[..., object], applies: Callable[[Path], bool]) -> Callable[..., object]:
        def overtaken(path: Path, *rest: object) -> object:
            if left and applies(path):
                left.clear()
                for number in range(3):  # more than the generations that are kept
                    writer.update([write({"a.txt": f"Milk {number}.", "b.txt": f"Oil {number}."})])
            return real(path, *rest)

        return overtaken

    if step == "before the manifest is read":
        monkeypatch.setattr(Path, "read_bytes", before(Path.read_bytes, lambda path: path.suffix == ".json"))
    else:
        monkeypatch.setattr(index.folder.store, "Segment", before(index.folder.store.Segment, lambda _: True))
    assert texts(Index.open(at, embedder=embedder)) == {"a.txt": "Milk 2.", "b.txt": "Oil 2."}
    assert not left


def test_a_second_writer_is_refused(at: Path, write: Write, embedder: Embedder, fork: Callable[..., Any]) -> None:
    def hold(tell: Callable[[bytes], object]) -> None:
        with writing(at):
            tell(b"!")
            time.sleep(60)

    opened, child = Index.open(at, embedder=embedder), fork(hold)
    assert child.hear() == b"!"
    with pytest.raises(LockedIndex, match=f"being written by process {child.pid}"):
        opened.update([write({"c.txt": "Milk."})])
    assert child.is_there()  # it was not waited for: it would hold the lock for a minute
    assert texts(opened.current()) == texts(opened)  # readers are not kept out
    child.kill()
    opened.update([write({"c.txt": "Milk."})])
    assert set(texts(opened.current())) == {"a.txt", "b.txt", "c.txt"}


def test_no_index_no_answer(tmp_path: Path, embedder: Embedder) -> None:
    with pytest.raises(NoIndex, match=f"no index at {tmp_path}"):
        Index.open(tmp_path, embedder=embedder)


def test_another_model_is_refused_with_both_names(at: Path, make_embedder: Write) -> None:
    for other in (make_embedder("shifted", shift=1), make_embedder("wide", dimension=32)):
        with pytest.raises(OtherIndex, match=f"made with words.*{other.name}"):
            Index.open(at, embedder=other).check_model()
    Index.open(at, embedder=make_embedder()).check_model()


def flipped(content: bytes) -> bytes:
    place = random.Random(len(content)).randrange(len(content))
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "one bit": flipped,
    "cut by a byte": lambda content: content[:-1],
    "cut in half": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "zeroed": lambda content: b"\0" * len(content),
    "a byte more": lambda content: content + b"\0",
    "missing": lambda content: None,
}


def stands_on(at: Path) -> Iterator[Path]:
    """Every file of the current generation, and its manifest."""
    manifest = at / "manifests" / Path((at / "CURRENT").read_text().split()[0]).name
    yield manifest
    for path in sorted((at / "segments").rglob("*")):
        if path.is_file() and f'"{path.parent.name}"' in manifest.read_text():
            yield path


def said_of(at: Path, embedder: Embedder) -> str:
    """What opening a damaged index says: an error, or the notice of an older generation that is whole."""
    try:
        opened = Index.open(at, embedder=embedder)
    except DamagedIndex as error:
        return str(error)
    assert (opened.generation, texts(opened)) == (1, FIRST)
    return opened.notice  # type: ignore[attr-defined]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_any_file_is_found_and_named_before_anything_is_answered(
    damage: str, at: Path, embedder: Embedder
) -> None:
    assert verify(at) == []
    files = list(stands_on(at))
    assert len(files) == 19
    for file in files:
        content = file.read_bytes()
        broken = DAMAGES[damage](content)
        if broken == content:  # lengths of nothing: already zero
            continue
        file.unlink() if broken is None else file.write_bytes(broken)
        said = said_of(at, embedder)
        assert str(file) in said
        assert "\n" not in said
        if file.parent.name != "manifests":
            assert [line.startswith(str(file)) for line in verify(at)] == [True]
        file.write_bytes(content)
    assert verify(at) == []


def test_a_file_swapped_with_that_of_another_segment_is_damage(at: Path, embedder: Embedder) -> None:
    one, other = at.glob("segments/*/vectors.faiss")
    one.write_bytes(other.read_bytes())
    assert f"{one} is damaged" in said_of(at, embedder)


def test_leftovers_of_a_killed_run_are_no_damage(at: Path, embedder: Embedder) -> None:
    (at / "segments" / "half").mkdir()
    (at / "segments" / "half" / "texts.sqlite").write_text("")
    (at / "manifests" / "00000003.json").write_text("{")
    (at / "CURRENT.tmp").write_text("manifests/0000")
    assert verify(at) == []
    assert Index.open(at, embedder=embedder).generation == 2


OLD = {"a.txt": "Tea is cold.", "b.txt": "Salt is dry. Rice is white."}
NEW = {"b.txt": "Salt is wet.", "c.txt": "Milk."}


def change(folder: Path) -> None:
    (folder / "a.txt").unlink()
    (folder / "b.txt").write_text(NEW["b.txt"])
    (folder / "c.txt").write_text(NEW["c.txt"])


def syncs_of_a_commit(tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> int:
    count = 0
    fsync = os.fsync

    def counted(descriptor: int) -> None:
        nonlocal count
        count += 1
        fsync(descriptor)

    folder = tmp_path / "counted files"
    folder.mkdir()
    for name, text in OLD.items():
        (folder / name).write_text(text)
    built = Index.build([folder], tmp_path / "counted", embedder=embedder)
    change(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted)
        built.update()
    return count


def test_a_kill_at_any_sync_leaves_the_old_or_the_new_generation(
    at: Path,
    write: Write,
    embedder: Embedder,
    fork: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "files"
    syncs = syncs_of_a_commit(tmp_path, embedder, monkeypatch)
    assert syncs >= 10  # each file of the segment, the manifest, CURRENT, and the folders
    outcomes = []
    for point in range(syncs):
        for name in NEW.keys() | OLD.keys():
            (folder / name).unlink(missing_ok=True)
        write(OLD)
        Index.open(at, embedder=embedder).update([folder])
        before = Index.open(at, embedder=embedder)
        assert texts(before) == OLD
        change(folder)
        assert fork(killed_at(point, before, folder)).wait() == signal.SIGKILL
        after = Index.open(at, embedder=embedder)
        outcomes.append(texts(after) == NEW)
        assert texts(after) == (NEW if outcomes[-1] else OLD)
        assert after.generation == before.generation + outcomes[-1]
        assert verify(at) == []
        after.update([folder])  # the next writer gets in at once and ends where an uninterrupted one does
        assert texts(after.current()) == NEW
        assert len(list((at / "segments").iterdir())) <= 4  # and leaves no leftovers
    # Before the rename the old one, after it (the sync of the folder) the new one, nothing between.
    assert outcomes == sorted(outcomes)
    assert 1 <= sum(outcomes) <= 2


def killed_at(point: int, opened: Index, folder: Path) -> Callable[..., None]:
    """An update that kills its process instead of making sync number `point`."""

    def work(_: object) -> None:
        left, fsync = [point], os.fsync

        def sync(descriptor: int) -> None:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            fsync(descriptor)

        os.fsync = sync
        opened.update([folder])

    return work


def test_kills_at_random_times_leave_a_whole_generation(
    at: Path, write: Write, embedder: Embedder, fork: Callable[..., Any], tmp_path: Path
) -> None:
    folder, dice, within = tmp_path / "files", random.Random(5), 0

    def slowly(tell: Callable[[bytes], object]) -> None:
        fsync = os.fsync

        def sync(descriptor: int) -> None:
            tell(b".")  # inside the commit
            time.sleep(0.02)
            fsync(descriptor)

        os.fsync = sync
        Index.open(at, embedder=embedder).update([folder])
        tell(b"!")

    for number in range(15):
        Index.open(at, embedder=embedder).update([write({"a.txt": f"Old {number}.", "b.txt": f"Old {number}."})])
        write({"a.txt": f"New {number}.", "b.txt": f"New {number}."})
        child = fork(slowly)
        assert child.hear(1) == b"."
        time.sleep(dice.random() * 0.2)
        child.kill()
        acknowledged = b"!" in child.hear()
        after = set(texts(Index.open(at, embedder=embedder)).values())
        assert after == {f"New {number}."} or (after == {f"Old {number}."} and not acknowledged)
        assert verify(at) == []
        within += not acknowledged
    assert within >= 9  # 60 % of them, or it passes for nothing


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failing_disk_leaves_the_old_generation_or_the_new(
    error: int, at: Path, write: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    change(folder)
    fsync = os.fsync
    for point in range(100):
        left = [point]

        def failing(descriptor: int, left: list[int] = left) -> None:
            if not left[0]:
                raise OSError(error, os.strerror(error))
            left[0] -= 1
            fsync(descriptor)

        opened = Index.open(at, embedder=embedder)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing)
            try:
                opened.update([folder])
                break
            except (OSError, FootnotedError) as fault:
                said = str(fault)
        assert os.strerror(error) in said
        after = Index.open(at, embedder=embedder)
        assert texts(after) in (OLD, NEW)
        assert verify(at) == []
        if texts(after) == NEW:  # the failure came after the rename
            break
    assert point >= 10
    assert texts(Index.open(at, embedder=embedder)) == NEW


def test_a_full_disk_is_one_line_with_the_path(
    at: Path, write: Write, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    opened = Index.open(at, embedder=embedder)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FootnotedError, match=f"{at}.*No space left on device"):
        opened.update([write({"c.txt": "Milk."})])


def test_a_replaced_generation_gives_its_memory_back_at_once(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    opened = Index.build([write({"a.txt": "Tea is hot."})], tmp_path / "at", embedder=embedder)
    assert len(opened.lexical("hot tea", 5)) == 1
    gc.collect()
    gc.disable()  # what refers to itself would stay until the collector comes
    try:
        old = weakref.ref(opened), weakref.ref(opened.state.segments[0])
        opened.update([write({"b.txt": "Roses are red."})])
        opened = opened.current()
        assert opened.passages == 2
        assert [one() for one in old] == [None, None]
    finally:
        gc.enable()


def test_the_weights_of_a_query_are_kept_and_cannot_be_changed(
    write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    index = Index.build([write({"a.txt": "Tea is hot."})], tmp_path / "at", embedder=embedder)
    weights = index.query_weights("hot tea")
    assert sorted(weights) == ["hot", "tea"]
    assert index.query_weights("hot tea") is weights
    with pytest.raises(TypeError):
        weights["tea"] = 0.0
