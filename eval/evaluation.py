"""Putting a system to the test: search every query of a collection, ask every question of a file."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Protocol

from index.errors import UsageError
from rag.answers import Answer, Hit
from rag.confidence import THRESHOLD
from rag.retrieval import MODES, Mode

from .bootstrap import interval
from .collections import Collection, load_collection
from .metrics import DEFAULT_MEASURES, measure
from .places import Place, placed
from .question_reports import QuestionReport, summarise
from .questions import Question
from .reports import QueryRow, Report
from .runs import Run, check_id, rank, strictly_descending
from .verdicts import Library, judge

DEPTH = 1000
"""Passages asked for: documents are ranked by their best passage, so more passages than documents."""
DOCUMENTS = 100
"""Documents kept for a query, as R@100 needs; more if a measure looks deeper. "AP" sees no more."""

Progress = Callable[[int, int], None]
"""Called with (done, all) after every query or question."""


class Searcher(Protocol):
    """What `evaluate` needs of a system: passages for a query, best first."""

    def search(self, query: str, /, k: int, mode: Mode) -> Sequence[Hit]: ...


class Answerer(Protocol):
    """What `evaluate_questions` needs of a system: answers, and the documents they quote."""

    @property
    def index(self) -> Library: ...

    def answer(self, question: str, /, *, threshold: float) -> Answer: ...


def evaluate(
    collection: Collection | str | Path,
    system: Searcher,
    mode: Mode = "fused",
    measures: Sequence[str] = DEFAULT_MEASURES,
    depth: int = DEPTH,
    settings: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Search every judged query of `collection` in `system` and score the rankings.

    `system` must have indexed the collection's `corpus`. A document's score is its best passage's, in the
    order in which the system ranks the passages. `settings` is kept in the report (the model, the index
    generation). `seconds` counts the searches alone. Raises UsageError for a mode or measure that there is
    not, or when no result of any query belongs to `corpus.jsonl`.
    """
    if not isinstance(collection, Collection):
        collection = load_collection(collection)
    if mode not in MODES:
        raise UsageError(f"no mode {mode!r}: use {', '.join(MODES)}")
    scored = [measure(name) for name in dict.fromkeys(measures)]
    documents = max([DOCUMENTS, *(one.cutoff or 0 for one in scored)])
    if depth < documents:
        raise UsageError(f"depth must be at least the {documents} documents to be ranked, got {depth}")

    run: Run = {}
    stood: dict[str, tuple[Place, ...]] = {}
    seconds: dict[str, float] = {}
    for done, (query, text) in enumerate(collection.queries.items(), start=1):
        started = time.perf_counter()
        hits = system.search(text, depth, mode)
        seconds[query] = time.perf_counter() - started
        run[query] = _document_scores(hits, documents)
        wanted = {id for id, grade in collection.qrels[query].items() if grade >= 1}
        stood[query] = placed(hits, wanted, _document_id)
        if progress:
            progress(done, len(collection.queries))
    if not any(run.values()):
        raise UsageError(f"no query found a row of {collection.corpus}: index that file, then search that index")

    rows = []
    for query, text in collection.queries.items():
        ranking, judged = rank(run[query]), collection.qrels[query]
        ranks = {id: rank for rank, id in enumerate(ranking, start=1)}
        relevant = {id: ranks.get(id) for id, grade in judged.items() if grade >= 1}
        scores = {one.name: one(ranking, judged) for one in scored}
        rows.append(QueryRow(query, text, scores, relevant, stood[query], seconds[query]))
    values = {one.name: [row.metrics[one.name] for row in rows] for one in scored}
    return Report(
        collection=collection.name,
        mode=mode,
        queries=len(rows),
        metrics={name: fmean(column) for name, column in values.items()},
        ci={name: interval(column) for name, column in values.items()},
        per_query=tuple(rows),
        run=run,
        qrels=collection.qrels,
        seconds=sum(seconds.values()),
        config={
            "kind": "collection",
            "collection": collection.name,
            "folder": str(collection.folder),
            "mode": mode,
            "measures": list(values),
            "depth": depth,
            "documents": documents,
            **(settings or {}),
        },
    )


def evaluate_questions(
    questions: Sequence[Question],
    system: Answerer,
    threshold: float | None = None,
    settings: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> QuestionReport:
    """Ask `system` every question and judge what comes back; see `verdicts.judge` for what is right.

    An answer with a confidence below `threshold` (default: the calibrated one) is judged as the refusal that
    it is. Each question is asked once, without a threshold, so that the curve over all thresholds is known too.
    """
    at = THRESHOLD if threshold is None else threshold
    verdicts = []
    started = time.perf_counter()
    for done, question in enumerate(questions, start=1):
        verdicts.append(judge(question, system.answer(question.question, threshold=0.0), at, system.index))
        if progress:
            progress(done, len(questions))
    seconds = time.perf_counter() - started
    return summarise(verdicts, seconds, at, {"kind": "questions", "threshold": at, **(settings or {})})


def _document_scores(hits: Iterable[Hit], documents: int) -> dict[str, float]:
    """The first `documents` documents in the order of their best passages, with scores without ties."""
    best: dict[str, float] = {}
    for hit in hits:
        id = _document_id(hit.passage.source)
        if id is not None and id not in best and len(best) < documents:
            best[id] = hit.score
    return dict(zip(best, strictly_descending(list(best.values())), strict=True))


def _document_id(source: str) -> str | None:
    """`corpus.jsonl#<_id>` to the plain id, which may hold a "#" itself; None for any other source."""
    file, mark, id = source.partition("#")
    return check_id(id) if mark and file.rpartition("/")[2] == "corpus.jsonl" else None
