"""Two candidate lists made one."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Fused:
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
    high, low = candidates[0].score, candidates[:POOL][-1].score
    if high == low:
        return {one.row: float(one.score == high) for one in candidates}
    return {one.row: max(0.0, (one.score - low) / (high - low)) for one in candidates}


def fuse(dense: Sequence[Candidate], lexical: Sequence[Candidate], weight: float = DENSE_WEIGHT) -> list[Fused]:
    """The union of both lists (each best first) by `weight * dense + (1 - weight) * lexical` of the scaled scores,
    best first, ties by row. A passage that one side did not find has 0 there.
    """
    by_dense, by_lexical = scaled(dense), scaled(lexical)
    dense_scores = {one.row: one.score for one in dense}
    lexical_scores = {one.row: one.score for one in lexical}
    fused = [
        Fused(
            row,
            weight * by_dense.get(row, 0.0) + (1 - weight) * by_lexical.get(row, 0.0),
            dense_scores.get(row),
            lexical_scores.get(row),
        )
        for row in dense_scores.keys() | lexical_scores.keys()
    ]
    return sorted(fused, key=lambda one: (-one.score, one.row))
