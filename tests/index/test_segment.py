"""What a segment gives back: vectors by cosine, documents and passages as they went in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index import ChunkSettings, Document, Index, Page, Section
from index.chunking import chunk
from index.contents import Embedded, FileRecord, quantised
from index.folder.segment import Segment
from index.folder.writing import write_segment
from index.inputs import bare_hash

RECORD = FileRecord("/docs/a.md", "a.md", 5, 7, "00", "added")


def count(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def segment_of(folder: Path, vectors: np.ndarray, dead: tuple[int, ...] = (), files: int = 1) -> Segment:
    """A segment of one-sentence documents with these vectors, spread over files in order."""
    contents = []
    for number, rows in enumerate(np.array_split(np.arange(len(vectors)), files)):
        documents = []
        for row in rows:
            document = Document(f"{row}", "", "One.")
            (passage,) = chunk(document, ChunkSettings(), count, 40)
            codes, scales = quantised(vectors[row : row + 1])
            documents.append((document, [Embedded(passage, str(row), vectors[row], codes, scales, ("one",))]))
        contents.append((FileRecord(f"/{number}", f"{number}", 1, 1, "", "added"), documents))
    entry = write_segment(folder / "s", contents, vectors.shape[1])
    return Segment(folder / "s", type(entry)(entry.name, entry.files, dead))


def unit_rows(seed: int, rows: int, dimension: int = 8) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("k", [1, 10, 150, 300, 1000])
@pytest.mark.parametrize("dead", [(), (0, 3)])
def test_the_nearest_are_those_of_numpy(k: int, dead: tuple[int, ...], tmp_path: Path) -> None:
    vectors, query = unit_rows(1, 300), unit_rows(2, 1)[0]
    segment = segment_of(tmp_path, vectors, dead, files=6)
    living = [row for row in range(300) if row // 50 not in dead]
    expected = sorted(living, key=lambda row: -float(vectors[row] @ query))[:k]
    rows, scores = segment.dense(query, k)
    assert rows.tolist() == expected
    assert scores.tolist() == pytest.approx([float(vectors[row] @ query) for row in expected], abs=1e-6)


@pytest.mark.parametrize("rows", [20, 150, 700])
@pytest.mark.parametrize("k", [5, 90, 120, 400])
@pytest.mark.parametrize("dead", [(), (1,)])
def test_ties_stand_in_order_of_rows(rows: int, k: int, dead: tuple[int, ...], tmp_path: Path) -> None:
    vectors = np.repeat(unit_rows(3, 1), rows, axis=0)
    segment = segment_of(tmp_path, vectors, dead, files=5)
    living = [row for row in range(rows) if row // (rows // 5) not in dead]
    assert segment.dense(unit_rows(4, 1)[0], k)[0].tolist() == living[:k]


def test_document_and_passages_come_back_as_they_went_in(tmp_path: Path) -> None:
    text = "Lead 😀 line.\nPart\nFirst. Second 日本.\n\nCell | 5"
    document = Document("a.md#\u00e9", "Title", text, (Section(13, 17, 2, "Part"),), (Page(0, 3), Page(18, 4)), "f00d")
    passages = chunk(document, ChunkSettings(), count, 40)
    assert [one.text for one in passages] == ["Lead 😀 line.", "First. Second 日本.\n\nCell | 5"]
    vectors = unit_rows(5, 5, 4)
    embedded, first = [], 1
    for row, passage in enumerate(passages):
        last = first + len(passage.sentences)
        codes, scales = quantised(vectors[first:last])
        embedded.append(Embedded(passage, f"c{row}", vectors[row], codes, scales, ("word",)))
        first = last
    entry = write_segment(tmp_path / "s", [(RECORD, [(document, embedded)])], 4)
    segment = Segment(tmp_path / "s", entry)
    assert segment.document("a.md#\u00e9") == document
    assert segment.document("a.md") is None
    assert [segment.passage(row) for row in (0, 1)] == passages
    assert segment.rows_of("a.md#\u00e9") == [0, 1]
    assert list(segment.files()) == [(0, RECORD)]
    assert segment.sources() == [("a.md#\u00e9", "Title", len(text), 2)]
    assert (segment.passages, segment.terms) == (2, 2)
    assert np.array_equal(segment.vector(1), vectors[1])
    assert segment.rows_of_contents(["c0", "c1", "c2"]) == {"c0": 0, "c1": 1}
    assert [segment.row_of_bare(bare) for bare in (bare_hash(passages[1]), "c0")] == [1, None]
    for row, expected in ((0, vectors[1:2]), (1, vectors[2:5])):
        assert np.abs(segment.sentence_vectors(row) - expected).max() <= 0.5 / 127


def test_what_is_dead_is_nowhere_but_in_what_can_be_reused(tmp_path: Path) -> None:
    segment = segment_of(tmp_path, unit_rows(6, 4), dead=(0,), files=2)
    assert (segment.passages, segment.terms) == (2, 2)
    assert segment.document("0") is None
    assert segment.rows_of("0") == []
    assert [source for source, *_ in segment.sources()] == ["2", "3"]
    assert [row for row, _ in segment.files()] == [1]
    assert segment.rows_of_contents(["0"]) == {"0": 0}


def test_languages_come_back_and_the_dead_speak_none(
    write: Callable[..., Path], embedder: object, tmp_path: Path
) -> None:
    german = "Die Station liegt an der Nordküste der Insel und wurde vor fünfzig Jahren gebaut."
    folder = write({"a.txt": german, "b.txt": "The gate is painted green by the gardener every spring."})
    index = Index.build([folder], tmp_path / "at", embedder=embedder)
    assert [index.passage(row).language for row in (0, 1)] == ["de", "en"]
    assert (index.languages, index.document_languages()) == ({"de": 1, "en": 1}, {"de": 1, "en": 1})
    (folder / "a.txt").unlink()
    index.update()
    assert index.current().languages == index.current().document_languages() == {"en": 1}


def test_a_segment_of_files_without_text(tmp_path: Path) -> None:
    entry = write_segment(tmp_path / "s", [(RECORD, [])], 4)
    segment = Segment(tmp_path / "s", entry)
    assert [len(part) for part in segment.dense(unit_rows(1, 1, 4)[0], 5)] == [0, 0]
    assert (segment.passages, segment.terms, segment.term_row("word")) == (0, 0, None)


def test_codes_are_within_half_a_step() -> None:
    rows = unit_rows(9, 50, 32)
    rows[3] = 0
    codes, scales = quantised(rows)
    assert codes.dtype == np.int8
    assert np.abs(codes * scales[:, None] - rows).max() <= np.abs(rows).max() / 127 / 2 + 1e-7
    assert quantised(rows[:0])[0].shape == (0, 32)


def test_dense_over_several_segments_is_numpys_with_ties_by_row(
    write_rows: Callable[..., Path], make_embedder: Callable[..., object], tmp_path: Path
) -> None:
    embedder = make_embedder()
    texts = ["tea milk", "salt", "tea", "tea milk rice"]
    for number in range(4):
        file = write_rows([f"{text} {number % 2}" for text in texts], f"{number}.jsonl")
        index = Index.build([file.parent], tmp_path / "at", embedder=embedder)
    file.unlink()
    write_rows(["salt 1"], "1.jsonl")
    index.update([file.parent])
    index = index.current()
    query = index.embed_query("tea 0")
    rows = [row for name in ("0", "1", "2") for n in range(4) for row in index.rows_of(f"{name}.jsonl#{n}")]
    assert len(rows) == index.passages == 9
    vectors = embedder.embed_passages([index.passage(row).text for row in rows])
    expected = sorted(zip(rows, vectors @ query, strict=True), key=lambda one: (-round(float(one[1]), 6), one[0]))
    for k in (1, 3, 9, 50):
        found = index.dense(query, k)
        assert [one.row for one in found] == [row for row, _ in expected[:k]]
        assert [one.score for one in found] == pytest.approx([score for _, score in expected[:k]], abs=1e-6)
