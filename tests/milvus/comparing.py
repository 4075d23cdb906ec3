"""Whether two indexes of the same files are one to whoever reads them."""

from typing import Any

import numpy as np
import pytest

from index import Index

QUERIES = ("tea", "salt is dry", "the rice of chapter 3", "Вода течёт", "nothing at all zzz", "茶は熱い", "a b c 7")


def passages(index: Index) -> list[tuple[int, Any]]:
    """Every passage with its row, by document."""
    rows = [row for source, *_ in index.sources() for row in index.rows_of(source)]
    return [(row, index.passage(row)) for row in rows]


def found(index: Index, candidates: Any) -> list[tuple[str, int, float]]:
    """What a list names, in an order that does not hang on the numbers of rows."""
    named = [(index.passage(one.row), one.score) for one in candidates]
    return sorted(((one.source, one.start, score) for one, score in named), key=lambda one: (-round(one[2], 4), one))


def same_lists(one: list[tuple[str, int, float]], other: list[tuple[str, int, float]]) -> None:
    assert [entry[:2] for entry in one] == [entry[:2] for entry in other]
    assert [entry[2] for entry in one] == pytest.approx([entry[2] for entry in other], abs=1e-4)


def same(index: Index, expected: Index, *, has_bm25: bool = True, queries: tuple[str, ...] = QUERIES) -> None:
    """Every reading method of an index gives what it gives of the expected one."""
    assert index.passages == expected.passages
    assert index.languages == expected.languages
    assert index.document_languages() == expected.document_languages()
    assert index.sources() == expected.sources()
    assert sorted(index.state.documents()) == sorted(expected.state.documents())
    assert sorted(index.files(), key=lambda one: one.path) == sorted(expected.files(), key=lambda one: one.path)
    for source, *_ in expected.sources():
        assert index.document(source) == expected.document(source)
    mine, theirs = passages(index), passages(expected)
    assert [one for _, one in mine] == [one for _, one in theirs]
    rows, others = [row for row, _ in mine], [row for row, _ in theirs]
    if rows:
        np.testing.assert_allclose(index.vectors(rows), expected.vectors(others), atol=1e-6)
        assert index.state.spoken(rows) == expected.state.spoken(others)
    for row, other in zip(rows, others, strict=True):
        np.testing.assert_array_equal(index.sentence_vectors(row), expected.sentence_vectors(other))
    for query in queries:
        vector = expected.embed_query(query)
        same_lists(found(index, index.dense(vector, 1000)), found(expected, expected.dense(vector, 1000)))
        np.testing.assert_allclose(
            index.nearest_sentences(vector, rows), expected.nearest_sentences(vector, others), atol=1e-5
        )
        for language in (*expected.languages, "en"):
            assert index.query_weights(query, language) == expected.query_weights(query, language)
        np.testing.assert_allclose(index.covered(query, rows), expected.covered(query, others))
        if has_bm25:
            same_lists(found(index, index.lexical(query, 1000)), found(expected, expected.lexical(query, 1000)))
        else:
            assert index.lexical(query, 1000) == ()
