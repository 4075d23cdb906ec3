"""BM25: by hand, and against bm25s."""

import math
import random
from collections.abc import Callable
from pathlib import Path

import bm25s
import numpy as np
import pytest

from index import Embedder, Index
from index.lexical import K1, B, count_terms
from index.terms import terms

Write = Callable[..., Path]

WORDS = [f"w{number}x" for number in range(30)]  # no stopwords, nothing for the stemmer to cut


def by_text(index: Index, query: str, k: int = 1000) -> dict[str, float]:
    return {index.passage(one.row).text: one.score for one in index.lexical(query, k)}


def test_the_scores_of_three_documents_by_hand(write_rows: Write, embedder: Embedder, tmp_path: Path) -> None:
    index = Index.build([write_rows(["tea milk", "tea tea salt rice", "milk"])], tmp_path / "at", embedder=embedder)
    # 3 passages of 2, 4 and 1 terms; tea in two of them, salt in one. k1 = .9, b = .4.
    # idf: tea ln(1 + 1.5 / 2.5), salt ln(1 + 2.5 / 1.5); .9 (.6 + .4 len / (7 / 3)): .848571, 1.157143
    expected = {
        "tea tea salt rice": math.log(1.6) * 2 / (2 + 1.157142857) + math.log(8 / 3) / (1 + 1.157142857),
        "tea milk": math.log(1.6) / (1 + 0.848571429),
    }
    assert expected == pytest.approx({"tea tea salt rice": 0.752429, "tea milk": 0.254252}, abs=1e-6)
    found = by_text(index, "Salt in the tea?")
    assert list(found) == list(expected)  # the best first, and nothing that shares no term
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_word_counts_once_however_often_it_is_asked(write_rows: Write, embedder: Embedder, tmp_path: Path) -> None:
    index = Index.build([write_rows(["tea milk", "tea"])], tmp_path / "at", embedder=embedder)
    assert by_text(index, "tea tea tea") == by_text(index, "tea")


def test_ties_stand_in_order_of_rows(write_rows: Write, embedder: Embedder, tmp_path: Path) -> None:
    index = Index.build([write_rows(["tea milk"] * 9)], tmp_path / "at", embedder=embedder)
    assert [one.row for one in index.lexical("tea", 4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("query", ["", "the of and", "absent", "!!!"])
def test_no_common_term_no_candidate(query: str, write_rows: Write, embedder: Embedder, tmp_path: Path) -> None:
    index = Index.build([write_rows(["tea milk"])], tmp_path / "at", embedder=embedder)
    assert index.lexical(query, 5) == ()


def random_texts(dice: random.Random, number: int) -> list[str]:
    return [" ".join(dice.choices(WORDS, range(30, 0, -1), k=dice.randint(1, 25))) for _ in range(number)]


def reference(index: Index, query: str) -> dict[int, float]:
    """The scores of bm25s over the living passages, by row."""
    rows = [row for row in range(10_000) if row < index.state.bases[-1] and _alive(index, row)]
    corpus = [terms(f"{index.passage(row).context} {index.passage(row).text}") for row in rows]
    model = bm25s.BM25(method="lucene", k1=K1, b=B)
    model.index(corpus, show_progress=False)
    asked = [word for word in sorted(set(terms(query))) if word in model.vocab_dict]
    scores = model.get_scores(asked) if asked else np.zeros(len(rows))
    return {row: float(score) for row, score in zip(rows, scores, strict=True) if score > 0}


def _alive(index: Index, row: int) -> bool:
    segment, local = index.state.at(row)
    return bool(segment.alive[local])


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_bm25s_in_several_segments_and_after_deletions(
    seed: int, write_rows: Write, embedder: Embedder, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    files = []
    for number in range(4):
        files.append(write_rows(random_texts(dice, 25), f"{number}.jsonl"))
        index = Index.build([files[0].parent], tmp_path / "at", embedder=embedder)
    queries = [" ".join(dice.choices(WORDS, k=dice.randint(1, 6))) for _ in range(20)]
    for changed in (False, True):
        if changed:
            files[1].unlink()
            write_rows(random_texts(dice, 10), "2.jsonl")
            index.update([files[0].parent])
            index = index.current()
            assert index.passages == 60
        for query in queries:
            found = {one.row: one.score for one in index.lexical(query, 1000)}
            assert found == pytest.approx(reference(index, query), abs=1e-5)


def test_what_is_left_after_a_deletion_scores_as_in_a_fresh_index(
    write_rows: Write, embedder: Embedder, tmp_path: Path
) -> None:
    dice = random.Random(7)
    kept, gone = write_rows(random_texts(dice, 30), "kept.jsonl"), write_rows(random_texts(dice, 30), "gone.jsonl")
    old = Index.build([kept.parent], tmp_path / "at", embedder=embedder)
    gone.unlink()
    old.update()
    fresh = Index.build([kept], tmp_path / "fresh", embedder=embedder)
    for word in WORDS:
        assert by_text(old.current(), word) == pytest.approx(by_text(fresh, word))
        assert old.current().term_weights([word]) == fresh.term_weights([word])


def test_postings_ascend_and_count() -> None:
    vocabulary, postings = count_terms([["b", "a", "b"], [], ["b"]])
    assert vocabulary == ["a", "b"]
    assert [list(part) for part in postings.of(1)] == [[0, 2], [2, 1]]
    assert [list(part) for part in postings.of(0)] == [[0], [1]]
    assert list(postings.lengths) == [3, 0, 1]
