"""Some documents are searched and not the others: both lists, before anything is ranked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import index.folder.segment
from index import Embedder, Index
from index.errors import UsageError

FILES = {
    "papers/a.txt": "Tea is hot and tea is green.",
    "papers/old/b.txt": "Tea is cold.",
    "papers.txt": "Tea is dear.",
    "rows.jsonl": '{"_id": "1", "text": "Tea is white."}\n{"_id": "2", "text": "Rice is white."}',
}


@pytest.fixture
def opened(write: Callable[..., Path], embedder: Embedder, tmp_path: Path) -> Index:
    """Two segments, a document of the first replaced in the second."""
    built = Index.build([write(FILES)], tmp_path / "at", embedder=embedder)
    write({"papers.txt": "Tea is cheap."})
    built.update()
    return built.current()


@pytest.mark.parametrize(
    ("sources", "left"),
    [
        (["papers/"], ["papers/a.txt", "papers/old/b.txt"]),
        (["papers/old/", "papers.txt"], ["papers.txt", "papers/old/b.txt"]),
        (["rows.jsonl"], ["rows.jsonl#1", "rows.jsonl#2"]),
        (["rows.jsonl#2", "papers/a.txt"], ["papers/a.txt", "rows.jsonl#2"]),
    ],
)
def test_a_source_is_a_document_a_file_of_rows_or_a_folder(opened: Index, sources: list[str], left: list[str]) -> None:
    chosen = opened.of(sources)
    assert [source for source, *_ in chosen.sources()] == left
    assert sorted({chosen.passage(one.row).source for one in chosen.candidates("tea white", 9).dense}) == left


def test_both_lists_are_the_whole_ones_without_the_others_and_scores_are_the_same(opened: Index) -> None:
    whole, chosen = opened.candidates("cold tea", 9), opened.of(["papers/"]).candidates("cold tea", 9)
    kept = {row for source in ("papers/a.txt", "papers/old/b.txt") for row in opened.rows_of(source)}
    assert chosen.dense == tuple(one for one in whole.dense if one.row in kept)
    assert chosen.lexical == tuple(one for one in whole.lexical if one.row in kept)
    assert len(chosen.lexical) == 2
    assert len(whole.lexical) == 4


def test_the_best_of_the_chosen_is_found_behind_any_number_of_others(
    write_rows: Callable[..., Path], embedder: Embedder, tmp_path: Path
) -> None:
    texts = {str(row): "tea and more tea" for row in range(300)} | {"last": "rice, and a little tea"}
    index = Index.build([write_rows(texts)], tmp_path / "at", embedder=embedder)
    (row,) = index.rows_of("rows.jsonl#last")
    chosen = index.of(["rows.jsonl#last"]).candidates("tea", 1)
    assert [one.row for one in chosen.dense] == [one.row for one in chosen.lexical] == [row]
    assert row not in {one.row for one in index.candidates("tea", 100).dense}


def test_a_segment_with_codes_is_searched_by_its_vectors_where_few_are_chosen(
    write_rows: Callable[..., Path], embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_of_many = Index.build([write_rows([f"tea {row}" for row in range(60)])], tmp_path / "at", embedder=embedder)
    monkeypatch.setattr(index.folder.segment.Segment, "_scanned", lambda *given: pytest.fail("scanned"))
    index_of_many.state.segments[0].scan = object()
    chosen = index_of_many.of(["rows.jsonl#7", "rows.jsonl#41"])
    rows = sorted(index_of_many.rows_of("rows.jsonl#7") + index_of_many.rows_of("rows.jsonl#41"))
    assert sorted(one.row for one in chosen.dense(np.eye(16, dtype=np.float32)[0], 2)) == rows


@pytest.mark.parametrize("source", ["papers", "paper/", "c.txt", "", "/"])
def test_a_source_that_is_not_there_is_named(opened: Index, source: str) -> None:
    with pytest.raises(UsageError, match=f"^no document {source!r} in the index at "):
        opened.of(["papers.txt", source])


def test_nothing_chosen_is_no_question(opened: Index) -> None:
    with pytest.raises(UsageError, match="no document is chosen"):
        opened.of([])
