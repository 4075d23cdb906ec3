"""Measures of the first k passages of a query against the spans judged for it.

Every span counts as much as its length in the first three, and once in the others. Lost spans, whose
documents have changed, count as not found: nobody wins by losing text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from index.documents import Passage
from index.errors import UsageError

from .metrics import ndcg, reciprocal_rank
from .spans import Span

K = 5
"""Passages that are measured, as published."""
ENOUGH = 0.5
"""Share of a span that a passage must hold to have found it."""

Ranking = Sequence[Passage]
Judged = Sequence[Span]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Characters: of the judged spans, of those the part that passages hold, and of the passages.

    Smith and Troynikov (2024) call these tokens; their code, like this, counts characters. What several
    passages hold is found once, and retrieved as often as it is shown; what several spans judge is one.
    """

    judged: int
    found: int
    retrieved: int

    @property
    def recall(self) -> float:
        return self.found / self.judged if self.judged else 0.0

    @property
    def precision(self) -> float:
        return self.found / self.retrieved if self.retrieved else 0.0

    @property
    def iou(self) -> float:
        """Intersection over union (Jaccard), repeated text in the union as often as it is shown."""
        return self.found / (self.retrieved + self.judged - self.found) if self.judged else 0.0


def coverage(passages: Ranking, spans: Judged, lost: Judged = ()) -> Coverage:
    """What `passages` hold of `spans`; `lost` spans are judged and not found."""
    judged, found = sum(len(span.quote) for span in lost), 0
    for source in {span.source for span in spans}:
        wanted = _merged((span.start, span.end) for span in spans if span.source == source)
        shown = _merged((passage.start, passage.end) for passage in passages if passage.source == source)
        judged += sum(end - start for start, end in wanted)
        found += sum(max(0, min(one[1], other[1]) - max(one[0], other[0])) for one in wanted for other in shown)
    return Coverage(judged, found, sum(passage.end - passage.start for passage in passages))


def holds(passage: Passage, span: Span) -> bool:
    """Whether the passage has at least half of the span's characters."""
    shared = min(passage.end, span.end) - max(passage.start, span.start)
    return passage.source == span.source and shared >= ENOUGH * (span.end - span.start)


def places(passages: Ranking, spans: Judged) -> dict[Span, int | None]:
    """The rank, from 1, of the first passage that holds each span; None where none does."""
    return {
        span: next((rank for rank, passage in enumerate(passages, start=1) if holds(passage, span)), None)
        for span in spans
    }


def token_recall(passages: Ranking, spans: Judged, lost: Judged, k: int) -> float:
    """Share of the judged characters that the first k passages hold."""
    return coverage(passages[:k], spans, lost).recall


def token_precision(passages: Ranking, spans: Judged, lost: Judged, k: int) -> float:
    """Share of the characters of the first k passages that are judged, each counted once."""
    return coverage(passages[:k], spans, lost).precision


def token_iou(passages: Ranking, spans: Judged, lost: Judged, k: int) -> float:
    """Judged characters that the first k passages hold, over all that either has."""
    return coverage(passages[:k], spans, lost).iou


def span_recall(passages: Ranking, spans: Judged, lost: Judged, k: int) -> float:
    """Share of the spans that one of the first k passages holds."""
    found = sum(place is not None for place in places(passages[:k], spans).values())
    return found / (len(spans) + len(lost)) if found else 0.0


def span_ndcg(passages: Ranking, spans: Judged, lost: Judged, k: int) -> float:
    """nDCG@k of the spans in the order in which passages find them, see `_order`."""
    gone = [f"lost {number}" for number in range(len(lost))]
    return ndcg(_order(passages[:k], spans), dict.fromkeys([*_names(spans), *gone], 1), k)


def span_reciprocal_rank(passages: Ranking, spans: Judged, lost: Judged, k: int) -> float:
    """1 / rank of the first passage that holds a span, 0 if none of the first k does."""
    return reciprocal_rank(_order(passages[:k], spans), dict.fromkeys(_names(spans), 1))


@dataclass(frozen=True, slots=True)
class SpanMeasure:
    """A named measure of the first `cutoff` passages; calling it scores one query, larger is better."""

    name: str
    cutoff: int
    function: Callable[[Ranking, Judged, Judged, int], float]

    def __call__(self, passages: Ranking, spans: Judged, lost: Judged = ()) -> float:
        return self.function(passages, spans, lost, self.cutoff)


FUNCTIONS: dict[str, Callable[[Ranking, Judged, Judged, int], float]] = {
    "token recall": token_recall,
    "token precision": token_precision,
    "token IoU": token_iou,
    "span nDCG": span_ndcg,
    "span RR": span_reciprocal_rank,
    "span R": span_recall,
}


def span_measures(k: int = K) -> tuple[SpanMeasure, ...]:
    """All of them over the first k passages. Raises UsageError for a k below 1."""
    if k < 1:
        raise UsageError(f"the number of passages must be at least 1, got {k}")
    return tuple(SpanMeasure(f"{name}@{k}", k, function) for name, function in FUNCTIONS.items())


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """The same characters in ranges that neither overlap nor touch, ascending."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _order(passages: Ranking, spans: Judged) -> list[str]:
    """A ranking of spans: those that a passage finds first take its place, one after the other; a passage
    that finds none takes a place with nothing. So a span that two passages hold counts once, and a passage
    that holds two counts twice, however long the chunker makes them.
    """
    where = places(passages, spans)
    order: list[str] = []
    for rank in range(1, len(passages) + 1):
        found = _names(span for span, place in where.items() if place == rank)
        order += found or [f"passage {rank}"]
    return order


def _names(spans: Iterable[Span]) -> list[str]:
    return [span.name for span in spans]
