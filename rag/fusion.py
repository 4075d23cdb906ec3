"""Two candidate lists made one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from index import Candidate

# Chosen by the literature, not tuned here: score fusion over rank fusion (Bruch, Gai, Ingber 2023,
# https://arxiv.org/abs/2210.11934), both sides alike.
DENSE_WEIGHT = 0.5

# The same for a question in a language that the embedder does not know. Chosen on half of the German,
# Spanish and Chinese questions of XQuAD: mean nDCG@10 .953 at 0, .955 at .1, .956 at .25, .948 at .5.
FOREIGN_DENSE_WEIGHT = 0.25

# Candidates of a side over which its scores are scaled. Chosen on half of Cranfield (every second
# query): nDCG@10 .404 at 30, .422 at 100, .427 at 200, 400 and 1,000.
POOL = 400


class Fused(NamedTuple):
    """A passage of either list: `score` in [0, 1]; the side that did not find it is None."""

    row: int
    score: float
    dense: float | None
    lexical: float | None


def scaled(candidates: Sequence[Candidate]) -> dict[int, float]:
    """Scores by row, the best 1 and the last of the first POOL 0; what comes after them has 0 too.

    The pool is the same however many passages are asked for, so that more of them never change the
    order of the first. Where the whole pool is alike, it is 1.
    """
    if not candidates:
        return {}
    rows, given = zip(*candidates, strict=True)
    scores, high, low = np.array(given), given[0], given[:POOL][-1]
    values = np.maximum(0, (scores - low) / (high - low)) if high > low else (scores == high).astype(float)
    return dict(zip(rows, values.tolist(), strict=True))


def fuse(
    dense: Sequence[Candidate],
    lexical: Sequence[Candidate],
    weight: float = DENSE_WEIGHT,
    most: int | None = None,
) -> list[Fused]:
    """The union of both lists (each best first) by `weight * dense + (1 - weight) * lexical` of the scaled scores,
    best first, ties by row; the first `most` of it. A passage that one side did not find has 0 there.
    """
    by_dense, by_lexical = scaled(dense), scaled(lexical)
    dense_scores, lexical_scores = dict(dense), dict(lexical)
    ranked = sorted(
        (-(weight * by_dense.get(row, 0.0) + (1 - weight) * by_lexical.get(row, 0.0)), row)
        for row in by_dense.keys() | by_lexical.keys()
    )
    return [Fused(row, -score, dense_scores.get(row), lexical_scores.get(row)) for score, row in ranked[:most]]
