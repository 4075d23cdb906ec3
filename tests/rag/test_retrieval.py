"""A question to its passages."""

import pytest

from index.errors import UsageError
from rag import System
from rag.retrieval import retrieve


def test_hits_are_best_first_and_hold_both_scores(system: System) -> None:
    index = system.index
    hits = system.search("the roses of the garden", 10)
    assert hits[0].passage.source == "garden.txt"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(hits) == 4
    query = index.embed_query("the roses of the garden")
    dense = {index.passage(one.row).id: one.score for one in index.dense(query, 10)}
    lexical = {index.passage(one.row).id: one.score for one in index.lexical("the roses of the garden", 10)}
    assert {hit.passage.id: hit.dense for hit in hits} == dense
    assert {hit.passage.id: hit.lexical for hit in hits if hit.lexical is not None} == lexical
    assert hits[0].score == 1.0  # the best of both sides


def test_one_side_alone_ranks_by_its_own_score(system: System) -> None:
    dense = system.search("storm night", 2, "dense")
    assert [(hit.score, hit.lexical) for hit in dense] == [(hit.dense, None) for hit in dense]
    lexical = system.search("storm night", 9, "lexical")
    assert {hit.passage.source for hit in lexical} == {"log.txt", "letter.txt"}
    assert [(hit.score, hit.dense) for hit in lexical] == [(hit.lexical, None) for hit in lexical]
    assert retrieve(system.index, "storm night", 9, "lexical").vector is None


def test_fewer_are_the_first_of_more(system: System) -> None:
    assert system.search("bridge night", 2) == system.search("bridge night", 1000)[:2]


@pytest.mark.parametrize("k", [0, -1])
def test_there_must_be_something_to_find(k: int, system: System) -> None:
    with pytest.raises(UsageError) as error:
        system.search("bridge", k)
    assert str(error.value) == f"the number of passages must be at least 1, got {k}"


def test_an_unknown_mode_is_named_with_the_known(system: System) -> None:
    with pytest.raises(UsageError) as error:
        system.search("bridge", 1, "best")  # type: ignore[arg-type]
    assert str(error.value) == "the mode must be one of fused, dense, lexical, got 'best'"
