"""Bringing an index up to date: what is counted, embedded, kept, removed and named."""

import errno
import json
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import index.batch
import index.indexing
from index import ChunkSettings, Embedder, Index
from index.embedding import Vectors
from index.errors import DamagedIndex, NoIndex, OtherIndex, UsageError
from index.index import verify
from index.indexing import update
from index.updates import Progress

Write = Callable[..., Path]

THREE = {"a.txt": "Tea is hot.", "b.txt": "Salt is dry.", "c/d.txt": "Rice is white."}


def counts(**documents: int) -> dict[str, int]:
    return {**dict.fromkeys(("added", "updated", "unchanged", "removed", "skipped", "failed"), 0), **documents}


def texts(index: Index) -> dict[str, str]:
    return {source: index.document(source).text for source, *_ in index.sources()}


def contents(at: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in at.rglob("*") if path.is_file() and path.name != "lock"}


def test_a_first_run_adds_and_says_so(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write({**THREE, "x.xyz": "?", "e.txt": " "})
    done = update(tmp_path / "at", [folder], embedder=embedder)
    assert (done.generation, done.passages, done.embedded) == (1, 3, 3)
    assert done.documents == counts(added=3, skipped=2)
    assert [(Path(row.path).relative_to(folder).as_posix(), row.status, row.reason) for row in done.files] == [
        ("a.txt", "added", ""),
        ("b.txt", "added", ""),
        ("c/d.txt", "added", ""),
        ("e.txt", "skipped", "no text in it"),
        ("x.xyz", "skipped", "unknown format .xyz"),
    ]
    assert texts(Index.open(tmp_path / "at", embedder=embedder)) == THREE


def test_an_unchanged_run_embeds_nothing_and_makes_no_generation(
    write: Write, make_embedder: Write, tmp_path: Path
) -> None:
    folder = write({**THREE, "e.txt": " "})
    embedder = make_embedder()
    update(tmp_path / "at", [folder], embedder=embedder)
    before = {
        path: path.read_bytes() for path in (tmp_path / "at").rglob("*") if path.is_file() and path.name != "lock"
    }
    embedder.asked.clear()
    os.utime(folder / "a.txt", (1, 1))  # touched, not changed
    done = update(tmp_path / "at", [], embedder=embedder)
    assert (done.generation, done.passages, done.embedded) == (1, 3, 0)
    assert done.documents == counts(unchanged=3, skipped=1)
    assert not [text for text in embedder.asked if "Tea" in text or "Salt" in text]
    assert contents(tmp_path / "at") == before


def test_a_changed_file_embeds_only_its_changed_passages(write: Write, make_embedder: Write, tmp_path: Path) -> None:
    embedder = make_embedder()
    parts = [f"# {word}\n\n{word} is here. So is {word}." for word in ("Tea", "Salt", "Rice")]
    folder = write({"a.md": "\n\n".join(parts)})
    first = update(tmp_path / "at", [folder], embedder=embedder)
    assert (first.passages, first.embedded) == (3, 3)
    embedder.asked.clear()
    write({"a.md": "\n\n".join([parts[0], "# Milk\n\nMilk is here.", *parts[1:]])})
    done = update(tmp_path / "at", [folder], embedder=embedder)
    assert done.documents == counts(updated=1)
    assert (done.passages, done.embedded) == (4, 1)
    assert [text for text in embedder.asked if " is here." in text] == ["Tea > Milk\nMilk is here.", "Milk is here."]
    fresh = Index.build([folder], tmp_path / "fresh", embedder=embedder)
    updated = Index.open(tmp_path / "at", embedder=embedder)
    query = updated.embed_query("tea 3")
    assert [(updated.passage(one.row), one.score) for one in updated.dense(query, 9)] == [
        (fresh.passage(one.row), one.score) for one in fresh.dense(query, 9)
    ]


def test_a_moved_text_keeps_its_sentence_vectors(write: Write, late_embedder: Embedder, tmp_path: Path) -> None:
    folder = write({"sub/a.txt": "Tea is hot. Salt is dry."})
    before = Index.build([folder], tmp_path / "at", embedder=late_embedder)
    (folder / "sub").rename(folder / "other")
    done = before.update()
    after = before.current()
    assert (done.documents, done.embedded) == (counts(added=1, removed=1), 0)
    assert after.rows_of("sub/a.txt") == []
    (old,), (new,) = before.rows_of("sub/a.txt"), after.rows_of("other/a.txt")
    assert (before.sentence_vectors(old) == after.sentence_vectors(new)).all()


def test_sentence_vectors_come_from_the_pass_over_the_passage(
    write: Write, late_embedder: Embedder, tmp_path: Path
) -> None:
    index = Index.build([write({"a.txt": "Tea. Salt."})], tmp_path / "at", embedder=late_embedder)
    whole, sentences = late_embedder.embed_with_sentences(["a\nTea. Salt."], [[(2, 6), (7, 12)]])  # type: ignore[attr-defined]
    assert index.dense(whole[0], 1)[0].score == pytest.approx(1)
    assert index.sentence_vectors(0) == pytest.approx(sentences, abs=0.004)


def test_a_removed_file_is_gone_from_search(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write(THREE)
    index = Index.build([folder], tmp_path / "at", embedder=embedder)
    (folder / "b.txt").unlink()
    done = index.update([folder])
    index = index.current()
    assert (done.documents, done.passages) == (counts(unchanged=2, removed=1), 2)
    assert [row.path for row in done.files if row.status == "removed"] == [str(folder / "b.txt")]
    assert index.lexical("salt", 5) == ()
    assert sorted(index.passage(one.row).text for one in index.dense(index.embed_query("salt"), 5)) == [
        "Rice is white.",
        "Tea is hot.",
    ]
    with pytest.raises(UsageError, match=r"no document 'b\.txt' in the index"):
        index.document("b.txt")


def test_only_what_is_under_the_paths_is_removed(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write(THREE)
    index = Index.build([folder], tmp_path / "at", embedder=embedder)
    (folder / "a.txt").unlink()
    (folder / "c" / "d.txt").unlink()
    assert index.update([folder / "c"]).documents == counts(removed=1)
    assert set(texts(index.current())) == {"a.txt", "b.txt"}
    assert index.update().documents == counts(removed=1, unchanged=1)


def test_a_path_that_does_not_exist_is_an_error_and_removes_nothing(
    write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    folder = write(THREE)
    index = Index.build([folder], tmp_path / "at", embedder=embedder)
    (folder / "a.txt").unlink()
    with pytest.raises(UsageError) as error:
        index.update([folder, tmp_path / "typo"])
    assert str(error.value) == f"no such file or folder: {tmp_path / 'typo'}"
    assert set(texts(index.current())) == set(THREE)
    assert index.current() is index


def test_a_known_root_that_is_gone_keeps_what_came_from_it(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write({"here/a.txt": "Tea.", "drive/b.txt": "Salt."})
    index = Index.build([folder / "here", folder / "drive"], tmp_path / "at", embedder=embedder)
    (folder / "drive").rename(folder / "unmounted")
    done = index.update()
    assert done.documents == counts(unchanged=1, failed=1)
    assert [(row.path, row.reason) for row in done.files if row.status == "failed"] == [
        (str(folder / "drive"), "no longer there: what was indexed from it is kept")
    ]
    assert set(texts(index.current())) == {"a.txt", "b.txt"}


def test_two_roots_with_the_same_name_keep_their_sources(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write({"one/a.txt": "Tea.", "two/a.txt": "Salt."})
    index = Index.build([folder / "one", folder / "two"], tmp_path / "at", embedder=embedder)
    assert texts(index) == {"a.txt": "Tea.", "two/a.txt": "Salt."}
    write({"one/a.txt": "Tea!"})
    index.update([folder / "two"])
    index.update([folder / "two", folder / "one"])
    assert texts(index.current()) == {"a.txt": "Tea!", "two/a.txt": "Salt."}
    (folder / "one" / "a.txt").unlink()
    index.update()
    assert texts(index.current()) == {"two/a.txt": "Salt."}


def test_a_source_is_not_given_twice_when_an_empty_file_gets_a_text(
    write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    folder = write({"one/a.txt": " ", "two/a.txt": "Salt."})
    index = Index.build([folder / "one", folder / "two"], tmp_path / "at", embedder=embedder)
    write({"one/a.txt": "Tea is here."})
    index.update()
    index = index.current()
    assert len(index.sources()) == len(texts(index)) == 2


def test_a_file_that_fails_keeps_its_old_version(
    write: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({"a.jsonl": '{"_id": "1", "text": "Tea."}', "b.jsonl": '{"_id": "1", "text": "Salt."}'})
    index = Index.build([folder], tmp_path / "at", embedder=embedder)
    write({"a.jsonl": "no JSON at all"})
    for _ in range(2):
        done = index.update()
        assert done.documents == counts(unchanged=1, failed=1)
        (row,) = [row for row in done.files if row.status == "failed"]
        assert (row.path, row.reason) == (
            str(folder / "a.jsonl"),
            "no line could be read; line 1: not JSON (the version indexed before is kept)",
        )
        assert texts(index.current()) == {"a.jsonl#1": "Tea.", "b.jsonl#1": "Salt."}
    write({"a.jsonl": '{"_id": "1", "text": "Hot tea."}'})
    assert index.update().documents == counts(unchanged=1, updated=1)
    assert texts(index.current()) == {"a.jsonl#1": "Hot tea.", "b.jsonl#1": "Salt."}


def test_a_file_that_never_could_be_read_is_not_read_again_until_it_changes(
    write: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({"a.jsonl": "no JSON"})
    opened = Index.build([folder], tmp_path / "at", embedder=embedder)
    monkeypatch.setattr(index.indexing, "read", None)
    done = opened.update()
    assert (done.generation, done.documents) == (1, counts(failed=1))
    assert done.files[0].reason == "no line could be read; line 1: not JSON"


def test_a_folder_that_cannot_be_listed_keeps_its_files(
    write: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(THREE)
    index = Index.build([folder], tmp_path / "at", embedder=embedder)
    scandir = os.scandir

    def refused(path: Path) -> object:
        if Path(path).name == "c":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    index.update()
    assert set(texts(index.current())) == set(THREE)


def test_a_row_of_a_file_is_a_document(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    rows = [{"_id": "x", "title": "Hot", "text": "Tea."}, {"_id": 7, "text": "Salt."}]
    folder = write({"r.jsonl": "\n".join(map(json.dumps, rows)) + "\nbad"})
    done = update(tmp_path / "at", [folder], embedder=embedder)
    assert (done.documents, done.passages) == (counts(added=1), 2)
    assert done.files[0].reason == "line 3: not JSON"
    index = Index.open(tmp_path / "at", embedder=embedder)
    assert texts(index) == {"r.jsonl#x": "Tea.", "r.jsonl#7": "Salt."}
    assert index.document("r.jsonl#x").title == "Hot"


@pytest.mark.parametrize("text", ["a\ud800b is here", "a\0b is here", "\ud83d\ude00 two halves"])
def test_a_text_that_no_database_holds_keeps_its_offsets(
    text: str, write_rows: Write, embedder: Embedder, tmp_path: Path
) -> None:
    index = Index.build([write_rows([text])], tmp_path / "at", embedder=embedder)
    document, passage = index.document("rows.jsonl#0"), index.passage(0)
    assert len(document.text) == len(json.loads(json.dumps(text)))
    assert document.text[passage.start : passage.end] == passage.text
    assert passage.text.endswith(text[-5:])


@pytest.mark.parametrize("field", ["_id", "title"])
def test_a_lone_surrogate_in_a_name_stops_nothing(field: str, write: Write, embedder: Embedder, tmp_path: Path) -> None:
    row = {"_id": "1", "title": "Title", "text": "Tea."}
    folder = write({"a.txt": "Salt.", "r.jsonl": json.dumps({**row, field: "a\ud800"})})
    assert update(tmp_path / "at", [folder], embedder=embedder).documents == counts(added=2)


def test_a_long_run_commits_as_it_goes(
    write_rows: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.indexing, "BATCH", 10)
    for number in range(5):
        folder = write_rows([f"Tea {number} {row}." for row in range(6)], f"{number}.jsonl").parent
    seen: list[Progress] = []
    done = update(tmp_path / "at", [folder], embedder=embedder, progress=seen.append)
    assert (done.generation, done.passages, done.embedded) == (3, 30, 30)
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert {one.files for one in seen} == {5}
    assert max(one.embedded for one in seen) == 30
    assert all(one.embedded <= one.passages for one in seen)
    opened = Index.open(tmp_path / "at", embedder=embedder)
    assert opened.passages == 30
    assert len(opened.state.segments) == 3


def test_without_paths_there_must_be_an_index(tmp_path: Path, embedder: Embedder) -> None:
    with pytest.raises(NoIndex, match="name what to index"):
        update(tmp_path / "at", [], embedder=embedder)
    assert not (tmp_path / "at").exists()


def test_other_settings_need_a_rebuild(write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder = write(THREE)
    Index.build([folder], tmp_path / "at", embedder=embedder)
    with pytest.raises(OtherIndex, match=r"200\D+40.*100\D+10"):  # both are named
        update(tmp_path / "at", [folder], embedder=embedder, settings=ChunkSettings(100, 10))
    done = update(tmp_path / "at", [folder], embedder=embedder, settings=ChunkSettings(100, 10), rebuild=True)
    assert (done.generation, done.documents, done.embedded) == (2, counts(added=3), 3)
    assert Index.open(tmp_path / "at", embedder=embedder).settings == ChunkSettings(100, 10)


def test_another_model_adds_nothing(write: Write, make_embedder: Write, tmp_path: Path) -> None:
    Index.build([write({"a.txt": "Tea."})], tmp_path / "at", embedder=make_embedder())
    folder = write({"b.txt": "Salt."})
    for other in (make_embedder("shifted", shift=1), make_embedder("wide", dimension=32)):
        with pytest.raises(OtherIndex, match=f"made with words.*{other.name}"):
            update(tmp_path / "at", [folder], embedder=other)
    opened = Index.open(tmp_path / "at", embedder=make_embedder())
    assert (opened.generation, set(texts(opened))) == (1, {"a.txt"})


@pytest.mark.parametrize("name", ["CURRENT", "manifest", "vectors.faiss", "texts.sqlite"])
def test_a_rebuild_mends_any_damage(name: str, write: Write, embedder: Embedder, tmp_path: Path) -> None:
    folder, at = write(THREE), tmp_path / "at"
    Index.build([folder], at, embedder=embedder)
    damaged = at / "CURRENT" if name == "CURRENT" else next(at.rglob("*.json" if name == "manifest" else name))
    damaged.write_bytes(b"damaged")
    update(at, [folder], embedder=embedder, rebuild=True)
    assert verify(at) == []
    assert texts(Index.open(at, embedder=embedder)) == THREE


@pytest.mark.parametrize("name", ["vectors.faiss", "texts.sqlite", "postings.bin"])
def test_an_update_of_a_damaged_index_names_the_file(
    name: str, write: Write, embedder: Embedder, tmp_path: Path
) -> None:
    folder, at = write(THREE), tmp_path / "at"
    Index.build([folder], at, embedder=embedder)
    (damaged,) = at.rglob(name)
    damaged.write_bytes(damaged.read_bytes()[:50])
    write({"e.txt": "Milk."})
    with pytest.raises(DamagedIndex, match=name):
        update(at, [folder], embedder=embedder)


def test_the_same_text_is_embedded_once(write_rows: Write, embedder: Any, tmp_path: Path) -> None:
    folder = write_rows(["Tea is hot. Salt is dry."] * 5 + ["Rice is white."]).parent
    write_rows({"other": "Tea is hot. Salt is dry."}, "more.jsonl")
    done = update(tmp_path / "at", [folder], embedder=embedder)
    assert (done.passages, done.embedded) == (7, 2)
    assert embedder.asked.count("Tea is hot. Salt is dry.") == 1
    opened = Index.open(tmp_path / "at", embedder=embedder)
    assert [one.score for one in opened.dense(opened.embed_query("tea"), 6)] == [
        pytest.approx(opened.dense(opened.embed_query("tea"), 1)[0].score)
    ] * 6


def test_files_are_read_while_others_are_embedded(
    write_rows: Write, embedder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.batch, "_STRIDE", 2)
    reading, embedding = threading.Event(), threading.Event()
    embed = embedder.embed_passages

    def waits(texts: Sequence[str]) -> Vectors:
        if any(text.startswith("Tea 0") for text in texts):
            embedding.set()
            assert reading.wait(60), "the second file is not read before the first one is embedded"
        return embed(texts)

    monkeypatch.setattr(embedder, "embed_passages", waits)

    def watch(progress: Progress) -> None:
        if progress.path.endswith("1.jsonl"):
            assert embedding.wait(60), "nothing is embedded before the second file is read"
            reading.set()

    for number in range(2):
        folder = write_rows([f"Tea {number} {row}." for row in range(3)], f"{number}.jsonl").parent
    done = update(tmp_path / "at", [folder], embedder=embedder, progress=watch)
    assert (done.generation, done.passages, done.embedded) == (1, 6, 6)
