"""The first fused passages in a better order, by what the index already holds: no model runs.

A passage answers by one of its sentences, so the sentence nearest to the query counts more than the
passage as a whole; and where no passage has most of the query's words, passages that are near to other
good ones rise (score regularisation: Diaz 2005, "Regularizing ad hoc retrieval scores", CIKM).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from index import Candidates, Index
from index.embedding import Vectors

from .fusion import POOL, Fused, scaled

# Chosen together on the tuning halves of SQuAD v2.0 dev and Cranfield (benchmarks/retrieval.py has the
# ablation): passages that are looked at again, the nearest sentence's share of the dense score, the
# passages nearest to one whose scores are mixed with its own, and their share of the mixture.
PASSAGES = 100
SENTENCE = 0.8
NEIGHBOURS = 6
SMOOTHING = 0.8
# Of this many first passages, the one that has most of the query's words tells how much to smooth.
LEADING = 10


def rerank(
    index: Index,
    query: str,
    fused: Sequence[Fused],
    candidates: Candidates,
    weight: float,
    vector: Vectors,
    further: Mapping[str, float] | None = None,
) -> list[Fused]:
    """`fused` with its first PASSAGES in a new order and with new scores in [0, 1]; the rest stays behind them.

    `weight` is the dense side's, `vector` (dim,) the query's embedding, `further` as in `Index.query_weights`.
    """
    first, rest = fused[:PASSAGES], fused[PASSAGES:]
    if not first:
        return []
    rows = [one.row for one in first]
    vectors = index.vectors(rows)
    near = SENTENCE * index.nearest_sentences(vector, rows) + (1 - SENTENCE) * (vectors @ vector)
    lowest = candidates.dense[:POOL][-1].score
    highest = near.max()
    # As in `scaled`, the best has 1, though no sentence be as near as the last passage of the pool is as a whole.
    dense = np.clip((near - lowest) / (highest - lowest), 0, 1) if highest > lowest else near == highest
    by_lexical = scaled(candidates.lexical)
    scores = weight * dense + (1 - weight) * np.array([by_lexical.get(row, 0.0) for row in rows])
    leading = [rows[place] for place in np.argsort(-scores, kind="stable")[:LEADING]]
    share = SMOOTHING * (1 - float(index.covered(query, leading, further).max()))
    scores = smoothed(scores, vectors, share)
    again = [one._replace(score=score) for one, score in zip(first, scores.tolist(), strict=True)]
    again.sort(key=lambda one: (-one.score, one.row))
    return again + [one._replace(score=min(one.score, again[-1].score)) for one in rest]


def smoothed(scores: NDArray[np.float64], vectors: Vectors, share: float) -> NDArray[np.float64]:
    """Each of n scores mixed with `share` of the mean score of its nearest neighbours among the n unit
    `vectors` (n, dim), weighted by the square of their cosine.
    """
    count = min(NEIGHBOURS, len(scores) - 1)
    if count < 1:
        return scores
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    weights = np.clip(np.take_along_axis(cosines, nearest, axis=1), 1e-3, 1) ** 2
    around = (weights * scores[nearest]).sum(axis=1) / weights.sum(axis=1)
    mixed: NDArray[np.float64] = (1 - share) * scores + share * around
    return mixed
