"""Queries to rankings of documents, under the names that judgements call them by."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from index.documents import Passage
from index.errors import UsageError
from rag.answers import Hit
from rag.retrieval import MODES, Mode

from .places import Place, placed
from .runs import Run, check_id, strictly_descending, trec_id
from .verdicts import Library

Progress = Callable[[int, int], None]
"""Called with (done, all) after every query or question."""


class Searcher(Protocol):
    """What `evaluate` needs of a system: passages for a query, best first; for spans, the documents too."""

    @property
    def index(self) -> Library: ...

    def search(self, query: str, /, k: int, mode: Mode) -> Sequence[Hit]: ...


class Catalogue(Library, Protocol):
    """An index that can be asked what it holds: (source, title, characters, passages) of each document."""

    def sources(self) -> Sequence[tuple[str, str, int, int]]: ...


class IndexSearcher(Protocol):
    """What `evaluate_topics` needs of a system."""

    @property
    def index(self) -> Catalogue: ...

    def search(self, query: str, /, k: int, mode: Mode) -> Sequence[Hit]: ...


@dataclass(frozen=True, slots=True)
class Sought:
    """How to search: `depth` passages, of which `documents` documents are ranked under the name that `name`
    gives their source (None leaves one out); the first `passages` passages are kept too, and where the
    documents stood that are `relevant` to a query.
    """

    depth: int
    documents: int
    passages: int
    name: Callable[[str], str | None]
    relevant: Mapping[str, Set[str]]


@dataclass(frozen=True, slots=True)
class Searched:
    """Documents by query with scores that fall, and of the same search the passages, if kept, best first, where
    its documents stood, and how many seconds it took.
    """

    run: Run
    passages: dict[str, tuple[Passage, ...]]
    places: dict[str, tuple[Place, ...]]
    seconds: dict[str, float]


def search(
    queries: Mapping[str, str], system: Searcher, mode: Mode, sought: Sought, progress: Progress | None
) -> Searched:
    """Search every query. Raises UsageError for a mode that there is not."""
    if mode not in MODES:
        raise UsageError(f"no mode {mode!r}: use {', '.join(MODES)}")
    run: Run = {}
    passages, places, seconds = {}, {}, {}
    for done, (query, text) in enumerate(queries.items(), start=1):
        started = time.perf_counter()
        hits = system.search(text, sought.depth, mode)
        seconds[query] = time.perf_counter() - started
        run[query] = _document_scores(hits, sought)
        passages[query] = tuple(hit.passage for hit in hits[: sought.passages])
        places[query] = placed(hits, sought.relevant.get(query, set()), sought.name)
        if progress:
            progress(done, len(queries))
    return Searched(run, passages, places, seconds)


def names_of_sources(sources: Sequence[str], judged: Set[str]) -> dict[str, str]:
    """Source to the one word that judgements and runs call it by.

    A row (`path#_id`) is called by its plain `_id`, unless a judgement calls some row by its source or two
    files have the same `_id`. Raises UsageError if one of the latter is judged.
    """
    names = {source: trec_id(source) for source in sources}
    plain = {source: trec_id(id) for source in sources if (id := source.partition("#")[2])}
    if any(names[source] in judged for source in plain):
        return names
    times = Counter([*plain.values(), *(name for source, name in names.items() if source not in plain)])
    if twice := sorted(id for id, count in times.items() if count > 1 and id in judged):
        both = " and ".join(sorted(source for source, id in plain.items() if id == twice[0])[:2])
        raise UsageError(f"a judgement of {twice[0]!r} could mean {both}: judge rows by path#_id")
    return names | {source: id for source, id in plain.items() if times[id] == 1}


def _document_scores(hits: Iterable[Hit], sought: Sought) -> dict[str, float]:
    """The first documents in the order of their best passages, with scores without ties."""
    best: dict[str, float] = {}
    for hit in hits:
        id = sought.name(hit.passage.source)
        if id is not None and id not in best and len(best) < sought.documents:
            best[id] = hit.score
    return dict(zip(best, strictly_descending(list(best.values())), strict=True))


def document_id(source: str) -> str | None:
    """`corpus.jsonl#<_id>` to the plain id, which may hold a "#" itself; None for any other source."""
    file, mark, id = source.partition("#")
    return check_id(id) if mark and file.rpartition("/")[2] == "corpus.jsonl" else None
