"""The second order of the first passages, by hand and through the public door."""

from collections.abc import Callable

import numpy as np
import pytest

from index import Candidates
from rag import reranking
from rag.fusion import DENSE_WEIGHT, fuse
from rag.reranking import rerank, smoothed
from rag.system import System

DOCUMENTS = {
    "a.md": "The ferry leaves at noon. Sheep graze on the dike. Apples are pressed in autumn. Bread is baked on "
    "Monday. The hall is closed.",
    "b.md": "The ferry is old. Noon is near. The ferry is slow. Noon is hot. A ferry leaves.",
    "c.md": "The hall was painted white. The hall has a clock. The hall was closed by a company at noon.",
}


def test_a_score_is_mixed_with_those_of_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reranking, "NEIGHBOURS", 2)
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    scores = np.array([0.9, 0.5, 0.1])
    # Cosines: .8 between the first two, .6 between the last two, 0 (held at .001) between the others.
    first = (0.8**2 * 0.5 + 1e-6 * 0.1) / (0.8**2 + 1e-6)
    middle = (0.8**2 * 0.9 + 0.6**2 * 0.1) / (0.8**2 + 0.6**2)
    last = (0.6**2 * 0.5 + 1e-6 * 0.9) / (0.6**2 + 1e-6)
    expected = 0.75 * scores + 0.25 * np.array([first, middle, last])
    assert smoothed(scores, vectors, 0.25) == pytest.approx(expected, abs=1e-6)
    assert smoothed(scores, vectors, 0.0) == pytest.approx(scores)
    assert smoothed(np.array([0.4]), vectors[:1], 0.8) == pytest.approx([0.4])


def test_the_sentence_that_answers_brings_its_passage_up(
    make_system: Callable[[dict[str, str]], System], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reranking, "SMOOTHING", 0.0)
    index = make_system(DOCUMENTS).index
    query = "The ferry leaves at noon."
    vector = index.embed_query(query)
    candidates = index.candidates(query, 10, vector=vector)
    fused = fuse(candidates.dense, candidates.lexical)

    def dense_only(share: float) -> dict[str, float]:
        monkeypatch.setattr(reranking, "SENTENCE", share)
        ranked = rerank(index, query, fused, Candidates(candidates.dense, ()), 1.0, vector)
        return {index.passage(one.row).source: one.score for one in ranked}

    as_a_whole, by_sentence = dense_only(0.0), dense_only(1.0)
    assert max(as_a_whole, key=lambda source: as_a_whole[source]) == "b.md"
    assert max(by_sentence, key=lambda source: by_sentence[source]) == "a.md"
    assert max(as_a_whole.values()) == max(by_sentence.values()) == 1.0


def test_what_is_not_looked_at_again_stays_behind(
    make_system: Callable[[dict[str, str]], System], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_system(DOCUMENTS).index
    query = "When does the ferry leave the hall at noon?"
    vector = index.embed_query(query)
    candidates = index.candidates(query, 10, vector=vector)
    fused = fuse(candidates.dense, candidates.lexical)
    monkeypatch.setattr(reranking, "PASSAGES", 2)
    ranked = rerank(index, query, fused, candidates, DENSE_WEIGHT, vector)
    assert {one.row for one in ranked[:2]} == {one.row for one in fused[:2]}
    assert ranked[2].row == fused[2].row
    assert ranked[2].score <= min(one.score for one in ranked[:2])
    assert rerank(index, query, [], candidates, DENSE_WEIGHT, vector) == []


def test_the_only_passage_is_the_best_though_its_sentences_are_further_than_it(
    make_system: Callable[[dict[str, str]], System],
) -> None:
    system = make_system({"a.md": "# Ferry\n\nTea is hot."})  # the heading is in the passage's vector alone
    (hit,) = system.search("ferry", 1)
    assert hit.score == 1.0
