"""Segments merged: the same content in fewer files, and only where it is worth it."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import index.folder.merging
import index.folder.scan
import index.indexing
from index import Embedder, Index
from index.folder.merging import CROWD, crowded, merge_segments, worth_merging
from index.indexing import update

Write = Callable[..., Path]

WORDS = ("gate", "garden", "tea", "salt", "rice", "river", "stone", "lamp", "über", "straße", "weiß", "雪が降る")
GERMAN = "Die Station liegt an der Nordküste der Insel und wurde vor fünfzig Jahren gebaut."


def rows(seed: int, count: int) -> dict[str, str]:
    """Texts by name: some of several sentences, one German, one without words."""
    pick = random.Random(seed)
    texts = {f"{seed}-{row}": ". ".join(" ".join(pick.choices(WORDS, k=4)) for _ in range(3)) for row in range(count)}
    return {**texts, f"{seed}-de": GERMAN, f"{seed}-none": "!"}


def contents(folder: Path) -> dict[str, object]:
    """Everything in a segment: the numbers byte by byte, and every table in row order."""
    held: dict[str, object] = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".sqlite"}
    connection = sqlite3.connect(folder / "texts.sqlite")
    for table in ("files", "documents", "passages", "languages", "terms"):
        held[table] = sorted(connection.execute(f"SELECT * FROM {table}").fetchall())
    held["schema"] = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    connection.close()
    return held


def test_a_merge_holds_what_one_segment_would(
    write: Write, write_rows: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file in three parts (a long one is staged), one that changes, one that is skipped.
    monkeypatch.setattr(index.indexing, "BATCH", 6)
    folder = write_rows(rows(1, 14), "1.jsonl").parent
    write_rows(rows(2, 3), "2.jsonl")
    write_rows(rows(3, 3), "3.jsonl")
    write({"empty.txt": ""})
    at = tmp_path / "at"
    update(at, [folder], embedder=embedder)
    write_rows(rows(4, 5), "2.jsonl")
    write({"last.txt": "The last lamp."})
    update(at, [folder], embedder=embedder)
    opened = Index.open(at, embedder=embedder)
    assert len(opened.state.segments) == 8
    assert sum(len(segment.alive) for segment in opened.state.segments) > opened.passages

    merge_segments(at / "merged", opened.state.segments, embedder.dimension)
    # The same files in the order in which they were last read, at once.
    monkeypatch.setattr(index.indexing, "BATCH", 1000)
    known = [record.path for record in opened.files()]
    update(tmp_path / "once", [Path(path) for path in known], embedder=embedder)
    (once,) = Index.open(tmp_path / "once", embedder=embedder).state.segments
    found, expected = contents(at / "merged"), contents(once.folder)
    # A long file has a row for each of its parts, and sources are named from other roots.
    for held in (found, expected):
        held.pop("files")
        held["documents"] = [row[:1] + row[4:] for row in held["documents"]]
        held["passages"] = [(row[0], row[1], *row[3:]) for row in held["passages"]]
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []


def test_an_update_merges_what_it_outweighs(
    write_rows: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.indexing, "BATCH", 10)
    monkeypatch.setattr(index.folder.merging, "PASSAGES", 30)
    at = tmp_path / "at"
    for number in range(6):
        folder = write_rows([f"Tea {number} {row}." for row in range(10)], f"{number}.jsonl").parent
    update(at, [folder], embedder=embedder)
    assert [segment.passages for segment in Index.open(at, embedder=embedder).state.segments] == [60]
    # Eight passages may be written again for one that is embedded: not yet sixty.
    write_rows([f"Salt {row}." for row in range(7)], "7.jsonl")
    update(at, [folder], embedder=embedder)
    assert [segment.passages for segment in Index.open(at, embedder=embedder).state.segments] == [60, 7]
    write_rows([f"Rice {row}." for row in range(12)], "8.jsonl")
    update(at, [folder], embedder=embedder)
    opened = Index.open(at, embedder=embedder)
    assert [segment.passages for segment in opened.state.segments] == [79]
    assert {row.score for row in opened.lexical("rice", 50)} == {opened.lexical("rice", 1)[0].score}
    assert len(opened.lexical("rice", 50)) == 12


def test_a_segment_that_is_mostly_dead_is_written_again(
    write_rows: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.folder.merging, "PASSAGES", 30)
    at = tmp_path / "at"
    for number in range(10):
        folder = write_rows([f"Tea {number} {row}." for row in range(4)], f"{number}.jsonl").parent
    update(at, [folder], embedder=embedder)
    for number, left in ((0, 40), (1, 40), (2, 40), (3, 24)):
        (folder / f"{number}.jsonl").unlink()
        update(at, [folder], embedder=embedder)
        (segment,) = Index.open(at, embedder=embedder).state.segments
        assert (len(segment.alive), segment.passages) == (left, 36 - 4 * number)


def test_too_many_of_one_size_are_merged() -> None:
    def of(*sizes: int) -> list[SimpleNamespace]:
        return [SimpleNamespace(passages=size, alive=np.ones(size, dtype=bool)) for size in sizes]

    def chosen(*sizes: int) -> list[int]:
        return [one.passages for one in crowded(of(*sizes))]  # type: ignore[arg-type]

    assert chosen(*[2000] * CROWD) == []
    assert chosen(*[2000] * CROWD, 1) == [*[2000] * CROWD, 1]
    assert chosen(*[2000] * CROWD, 2048) == []
    assert chosen(*[2048] * (CROWD + 1), 9, 70_000) == [2048] * (CROWD + 1)
    assert chosen(*[100_000] * (CROWD + 1)) == [100_000] * 5  # a larger one would be over the largest
    assert chosen(*[500_000] * 20) == []
    assert [one.passages for one in worth_merging(of(4000, 90, 7000), 4090)] == []  # type: ignore[arg-type]
    assert [one.passages for one in worth_merging(of(4000, 96, 7000), 4096)] == [4000, 96]  # type: ignore[arg-type]


def test_a_run_merges_as_it_goes(
    write_rows: Write, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.indexing, "BATCH", 4)
    for number in range(2 * (2 * CROWD + 4)):
        folder = write_rows([f"Tea {number} {row}." for row in range(3)], f"{number:02}.jsonl").parent
    most = []
    update(
        tmp_path / "at",
        [folder],
        embedder=embedder,
        progress=lambda _: most.append(len(list((tmp_path / "at").glob("segments/*")))),
    )
    opened = Index.open(tmp_path / "at", embedder=embedder)
    assert [segment.passages for segment in opened.state.segments] == [6 * 17, 6, 6, 6]
    assert max(most) <= 2 * (CROWD + 1) + 1  # what the generation before needs, and what is being written
    assert sorted(source for source, *_ in opened.sources())[:2] == ["00.jsonl#0", "00.jsonl#1"]


def test_a_large_segment_is_scanned_and_says_so(
    write_rows: Write, late_embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.indexing, "BATCH", 300)
    for module in (index.folder.merging, index.folder.scan):
        monkeypatch.setattr(module, "PASSAGES", 500)
    pick = random.Random(3)
    texts = [" ".join(pick.choices(WORDS, k=6)) + f" {row}." for row in range(700)]
    folder = write_rows(texts[:150], "1.jsonl").parent
    write_rows(texts[150:], "2.jsonl")
    at = tmp_path / "at"
    update(at, [folder], embedder=late_embedder)
    opened = Index.open(at, embedder=late_embedder)
    ((scanned, measured),) = opened.scans
    assert scanned == opened.passages == 700
    assert measured.recall >= 0.995
    (segment,) = opened.state.segments
    vectors = segment.vectors_of(np.arange(700))
    query = opened.embed_query("tea in the winter garden")
    cosines = np.sort(vectors @ query)[::-1]
    assert [one.score for one in opened.dense(query, 10)] == pytest.approx(cosines[:10].tolist(), abs=1e-6)
    # What was found and is gone is not found again, and others are in its place.
    (folder / "1.jsonl").unlink()
    update(at, [folder], embedder=late_embedder)
    after = Index.open(at, embedder=late_embedder)
    found = [after.passage(one.row).source for one in after.dense(query, 40)]
    assert [passages for passages, _ in after.scans] == [550]
    assert len(found) == 40
    assert {source.partition("#")[0] for source in found} == {"2.jsonl"}
