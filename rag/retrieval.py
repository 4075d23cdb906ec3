"""A question to its passages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index import Index
from index.embedding import Vectors
from index.errors import UsageError

from .answers import Hit
from .fusion import DENSE_WEIGHT, FOREIGN_DENSE_WEIGHT, POOL, Fused, fuse
from .reranking import PASSAGES, rerank

Mode = Literal["fused", "dense", "lexical"]
MODES: tuple[Mode, ...] = ("fused", "dense", "lexical")


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages of a query, best first: `hits[i]` is the passage at `rows[i]` of the index.
    `vector` (dim,) is the query's embedding; None if only words were asked.
    """

    hits: tuple[Hit, ...]
    rows: tuple[int, ...]
    vector: Vectors | None

    def only(self, places: Sequence[int]) -> "Retrieved":
        """Those of the passages that stand at `places`."""
        return Retrieved(tuple(self.hits[at] for at in places), tuple(self.rows[at] for at in places), self.vector)


def retrieve(
    index: Index,
    query: str,
    k: int,
    mode: Mode = "fused",
    *,
    vector: Vectors | None = None,
    further: Mapping[str, float] | None = None,
) -> Retrieved:
    """The k best passages for a query; `vector` is its embedding, if known, and `further` are terms
    searched besides its own (`Index.lexical`).

    `mode` dense or lexical ranks by that side's score alone.

    Raises UsageError for a k below 1, an unknown mode, and mode lexical where the store has no BM25.
    """
    if k < 1:
        raise UsageError(f"the number of passages must be at least 1, got {k}")
    if mode not in MODES:
        raise UsageError(f"the mode must be one of {', '.join(MODES)}, got {mode!r}")
    if mode == "lexical" and index.without:
        raise UsageError(f"{index.without}; --mode dense does the same")
    depth = max(POOL, k)
    if vector is None and mode != "lexical":
        vector = index.embed_query(query)
    if mode == "lexical" or vector is None:
        fused = [Fused(one.row, one.score, None, one.score) for one in index.lexical(query, k, further=further)]
    elif mode == "dense":
        fused = [Fused(one.row, one.score, one.score, None) for one in index.dense(vector, k)]
    else:
        candidates = index.candidates(query, depth, vector=vector, further=further)
        known = index.known(index.question_language(query))
        weight = 1.0 if index.without else DENSE_WEIGHT if known else FOREIGN_DENSE_WEIGHT
        fused = fuse(candidates.dense, candidates.lexical, weight, max(k, PASSAGES))
        fused = rerank(index, query, fused, candidates, weight, vector, further)
    best = fused[:k]
    hits = tuple(Hit(index.passage(one.row), one.score, one.dense, one.lexical) for one in best)
    return Retrieved(hits, tuple(one.row for one in best), vector)
