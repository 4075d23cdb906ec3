"""Measures of one query's ranking against its judgements, as trec_eval defines them.

A ranking is document ids, best first; judgements map a document id to its grade, and a grade of 1 or
more is relevant, one that is missing counts as 0. A query without relevant documents scores 0, and so
does one without results: a run cannot win by answering only the easy queries.
Names follow ir_measures (https://ir-measur.es): "nDCG@10", "R@100", "RR@10", "AP", "P@5", "Success@1".
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from index.errors import UsageError

Ranking = Sequence[str]
Judgements = Mapping[str, int]


def ndcg(ranking: Ranking, judgements: Judgements, k: int | None = None) -> float:
    """DCG over that of the best order, DCG = sum over ranks i <= k of grade_i / log2(i + 1).

    The gain is the grade itself, and a negative grade gains nothing. Järvelin and Kekäläinen,
    Cumulated gain-based evaluation of IR techniques (TOIS 2002), https://doi.org/10.1145/582415.582418.
    """
    ideal = _dcg(sorted(judgements.values(), reverse=True)[:k])
    return _dcg([judgements.get(id, 0) for id in ranking[:k]]) / ideal if ideal else 0.0


def recall(ranking: Ranking, judgements: Judgements, k: int | None = None) -> float:
    """Share of the relevant documents that are among the first k."""
    relevant = _relevant(judgements)
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def precision(ranking: Ranking, judgements: Judgements, k: int) -> float:
    """Share of the first k places that hold a relevant document; an empty place holds none."""
    return len(_relevant(judgements).intersection(ranking[:k])) / k


def success(ranking: Ranking, judgements: Judgements, k: int) -> float:
    """1 if a relevant document is among the first k, else 0; also called hit rate."""
    return float(not _relevant(judgements).isdisjoint(ranking[:k]))


def reciprocal_rank(ranking: Ranking, judgements: Judgements, k: int | None = None) -> float:
    """1 / rank of the first relevant document, 0 if it is not among the first k.

    Its mean is MRR. Voorhees, The TREC-8 question answering track report (TREC 1999).
    """
    relevant = _relevant(judgements)
    return next((1 / rank for rank, id in enumerate(ranking[:k], start=1) if id in relevant), 0.0)


def average_precision(ranking: Ranking, judgements: Judgements, k: int | None = None) -> float:
    """Mean over the relevant documents of the precision at their ranks; 0 for those not in the first k.

    Its mean is MAP. Buckley and Voorhees, Retrieval system evaluation, in TREC (MIT Press, 2005).
    """
    relevant = _relevant(judgements)
    total, found = 0.0, 0
    for rank, id in enumerate(ranking[:k], start=1):
        if id in relevant:
            found += 1
            total += found / rank
    return total / len(relevant) if relevant else 0.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A named measure; calling it scores one query, larger is better. `cutoff` is its k, if any."""

    name: str
    cutoff: int | None
    function: Callable[..., float]

    def __call__(self, ranking: Ranking, judgements: Judgements) -> float:
        return self.function(ranking, judgements, self.cutoff)


FUNCTIONS: dict[str, Callable[..., float]] = {
    "nDCG": ndcg,
    "R": recall,
    "RR": reciprocal_rank,
    "AP": average_precision,
    "P": precision,
    "Success": success,
}
NEED_CUTOFF = ("R", "P", "Success")
DEFAULT_MEASURES = ("nDCG@10", "R@5", "R@100", "RR@10")


def measure(name: str) -> Measure:
    """The measure called `name`, such as "nDCG@10". Raises UsageError that lists what there is."""
    parts = re.fullmatch(r"([A-Za-z]+)(?:@([1-9][0-9]{0,8}))?", name)
    if parts is None or parts[1] not in FUNCTIONS or (parts[2] is None and parts[1] in NEED_CUTOFF):
        raise UsageError(f"no measure {name!r}: use nDCG@k, R@k, RR@k, AP, AP@k, P@k or Success@k with k >= 1")
    return Measure(name, int(parts[2]) if parts[2] else None, FUNCTIONS[parts[1]])


def _relevant(judgements: Judgements) -> set[str]:
    return {id for id, grade in judgements.items() if grade >= 1}


def _dcg(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1) if grade > 0)
