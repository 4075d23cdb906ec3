"""Two candidate lists made one."""

from collections.abc import Sequence
from dataclasses import dataclass

from index import Candidate

# Chosen by the literature, not tuned here: score fusion over rank fusion (Bruch, Gai, Ingber 2023,
# https://arxiv.org/abs/2210.11934), both sides alike.
DENSE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Fused:
    """A passage of either list: `score` in [0, 1]; the side that did not find it is None."""

    row: int
    score: float
    dense: float | None
    lexical: float | None


def min_max(candidates: Sequence[Candidate]) -> dict[int, float]:
    """Scores scaled to [0, 1] over the list, by row; all 1 where they are all alike."""
    if not candidates:
        return {}
    low, high = min(one.score for one in candidates), max(one.score for one in candidates)
    if high == low:
        return {one.row: 1.0 for one in candidates}
    return {one.row: (one.score - low) / (high - low) for one in candidates}


def fuse(dense: Sequence[Candidate], lexical: Sequence[Candidate], weight: float = DENSE_WEIGHT) -> list[Fused]:
    """The union of both lists by `weight * dense + (1 - weight) * lexical` of the scaled scores,
    best first, ties by row. A passage that one side did not find has 0 there.
    """
    by_dense, by_lexical = min_max(dense), min_max(lexical)
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
