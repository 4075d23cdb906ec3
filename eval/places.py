"""Where a document stood: in the ranking, and by each of the scores that the ranking is mixed from."""

import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from rag.answers import Hit

SHOWN = 10
"""Documents at the top of a ranking that are kept."""
TEXT = 240
"""Characters of a document's best passage that are kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """A document among the results of a query, counted from 1.

    `dense` and `lexical` are its ranks by these scores alone, None where that side did not find it; `text`
    begins its best passage; `relevant` is whether it was judged so.
    """

    id: str
    rank: int
    dense: int | None
    lexical: int | None
    text: str
    relevant: bool

    def as_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in Place.__slots__}


def placed(hits: Iterable[Hit], relevant: Collection[str], name: Callable[[str], str | None]) -> tuple[Place, ...]:
    """The first documents of a ranking of passages, and those in `relevant` wherever they are, best first.

    `name` gives the document of a source, None for one that does not count. A document stands where its
    best passage does.
    """
    best: dict[str, Hit] = {}
    dense: dict[str, float] = {}
    lexical: dict[str, float] = {}
    for hit in hits:
        id = name(hit.passage.source)
        if id is None:
            continue
        best.setdefault(id, hit)
        for scores, score in ((dense, hit.dense), (lexical, hit.lexical)):
            if score is not None:
                scores[id] = max(score, scores.get(id, score))
    by_dense, by_lexical = _ranks(dense), _ranks(lexical)
    return tuple(
        Place(id, rank, by_dense.get(id), by_lexical.get(id), _beginning(hit), id in relevant)
        for rank, (id, hit) in enumerate(best.items(), start=1)
        if rank <= SHOWN or id in relevant
    )


def listed(ranking: Sequence[str], relevant: Collection[str]) -> tuple[Place, ...]:
    """The same of a ranking of documents, of which nothing else is known."""
    return tuple(
        Place(id, rank, None, None, "", id in relevant)
        for rank, id in enumerate(ranking, start=1)
        if rank <= SHOWN or id in relevant
    )


def _beginning(hit: Hit) -> str:
    return textwrap.shorten(hit.passage.text, TEXT, placeholder=" ...")


def _ranks(scores: dict[str, float]) -> dict[str, int]:
    return {id: rank for rank, id in enumerate(sorted(scores, key=lambda id: -scores[id]), start=1)}
