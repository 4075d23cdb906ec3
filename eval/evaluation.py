"""Putting a system to the test: search every query of a collection, ask every question of a file."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Protocol

from index.documents import Passage
from index.errors import UsageError
from rag.answers import Answer, Hit
from rag.retrieval import MODES, Mode

from .bootstrap import interval
from .collections import Collection, load_collection
from .metrics import DEFAULT_MEASURES, Measure, measure
from .question_reports import QuestionReport
from .questions import Question
from .reports import QueryRow, Report
from .runs import Qrels, Run, check_id, rank, strictly_descending, trec_id
from .span_metrics import K, SpanMeasure, places, span_measures
from .spans import Anchored, Spans, anchored
from .verdicts import Library, judge

DEPTH = 1000
"""Passages asked for: documents are ranked by their best passage, so more passages than documents."""
DOCUMENTS = 100
"""Documents kept for a query, as R@100 needs; more if a measure looks deeper. "AP" sees no more."""

Progress = Callable[[int, int], None]
"""Called with (done, all) after every query or question."""


class Searcher(Protocol):
    """What `evaluate` needs of a system: passages for a query, best first; for spans, the documents too."""

    @property
    def index(self) -> Library: ...

    def search(self, query: str, /, k: int, mode: Mode) -> Sequence[Hit]: ...


class Answerer(Protocol):
    """What `evaluate_questions` needs of a system: answers, and the documents they quote."""

    @property
    def index(self) -> Library: ...

    def answer(self, question: str, /, *, threshold: float | None) -> Answer: ...


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
    order in which the system ranks the passages. Where the collection judges spans, the measures of
    `span_metrics` over the first 5 passages come with those in `measures`, which need judged documents.
    `settings` is kept in the report (the model, the index generation). `seconds` counts the searches alone.
    Raises UsageError for a mode or measure that there is not, or when no result of any query belongs to
    `corpus.jsonl`.
    """
    if not isinstance(collection, Collection):
        collection = load_collection(collection)
    scored = _measures(measures if collection.qrels else ())
    spans = anchored(collection.spans, system.index) if collection.spans else None
    sought = _Sought(depth, _documents(scored, depth), bool(spans), _document_id)
    searched = _search(collection.queries, system, mode, sought, progress)
    if not any(searched.run.values()):
        raise UsageError(f"no query found a row of {collection.corpus}: index that file, then search that index")
    rows = _rows(collection.queries, searched, collection.qrels, scored, spans, span_measures() if spans else ())
    qrels = collection.qrels or _judged_documents(collection.spans, _document_id)
    config = {"kind": "collection", "collection": collection.name, "folder": str(collection.folder)}
    return _report(collection.name, mode, rows, searched, qrels, sought, spans, config | (settings or {}))


def evaluate_spans(
    queries: Mapping[str, str],
    judgements: Spans,
    system: Searcher,
    k: int = K,
    mode: Mode = "fused",
    depth: int = DEPTH,
    name: str = "spans",
    settings: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Search `queries` (id to text) in any index and score the first `k` passages against judged spans.

    The spans' sources are those of the index. A span whose text has moved is scored where it now stands,
    one whose text is gone counts as not found; the report says how many. Queries without a judgement are
    left out. The run and the judgements that the report keeps are of the documents, under names that a
    TREC file can hold. `name` is what the report calls the judgements. Raises UsageError for a k below 1, a
    mode that there is not, or when nothing that was judged is in the index.
    """
    measures = span_measures(k)
    judged = {id: text for id, text in queries.items() if judgements.get(id)}
    if not judged:
        raise UsageError("no query has a judged span: judge the queries that are to be searched")
    spans = anchored({id: judgements[id] for id in judged}, system.index)
    sought = _Sought(depth, DOCUMENTS, True, trec_id)
    searched = _search(judged, system, mode, sought, progress)
    rows = _rows(judged, searched, {}, (), spans, measures)
    qrels = _judged_documents(judgements, trec_id)
    return _report(name, mode, rows, searched, qrels, sought, spans, {"kind": "spans", **(settings or {})})


def evaluate_questions(
    questions: Sequence[Question],
    system: Answerer,
    threshold: float | None = None,
    settings: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> QuestionReport:
    """Ask `system` every question and judge what comes back; see `verdicts.judge` for what is right."""
    verdicts = []
    started = time.perf_counter()
    for done, question in enumerate(questions, start=1):
        verdicts.append(judge(question, system.answer(question.question, threshold=threshold), system.index))
        if progress:
            progress(done, len(questions))
    seconds = time.perf_counter() - started
    config: dict[str, object] = {"kind": "questions", "threshold": threshold, **(settings or {})}
    return QuestionReport(tuple(verdicts), seconds, config)


@dataclass(frozen=True, slots=True)
class _Sought:
    """How to search: `depth` passages, of which `documents` documents are ranked under the name that `name`
    gives their source (None leaves one out); whether the first passages are kept too.
    """

    depth: int
    documents: int
    passages: bool
    name: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Searched:
    """Documents by query with scores that fall, and the passages of the same search, if kept, best first."""

    run: Run
    passages: dict[str, tuple[Passage, ...]]
    seconds: float


def _measures(names: Sequence[str]) -> list[Measure]:
    return [measure(name) for name in dict.fromkeys(names)]


def _documents(measures: Sequence[Measure], depth: int) -> int:
    """Documents to rank for a query."""
    documents = max([DOCUMENTS, *(one.cutoff or 0 for one in measures)])
    if depth < documents:
        raise UsageError(f"depth must be at least the {documents} documents to be ranked, got {depth}")
    return documents


def _search(
    queries: Mapping[str, str], system: Searcher, mode: Mode, sought: _Sought, progress: Progress | None
) -> _Searched:
    if mode not in MODES:
        raise UsageError(f"no mode {mode!r}: use {', '.join(MODES)}")
    run: Run = {}
    passages = {}
    seconds = 0.0
    for done, (query, text) in enumerate(queries.items(), start=1):
        started = time.perf_counter()
        hits = system.search(text, sought.depth, mode)
        seconds += time.perf_counter() - started
        run[query] = _document_scores(hits, sought)
        passages[query] = tuple(hit.passage for hit in hits[: sought.documents]) if sought.passages else ()
        if progress:
            progress(done, len(queries))
    return _Searched(run, passages, seconds)


def _rows(
    queries: Mapping[str, str],
    searched: _Searched,
    qrels: Qrels,
    measures: Sequence[Measure],
    spans: Anchored | None,
    on_spans: Sequence[SpanMeasure],
) -> list[QueryRow]:
    rows = []
    for query, text in queries.items():
        metrics: dict[str, float] = {}
        relevant: dict[str, int | None] = {}
        if query in qrels:
            ranking, judged = rank(searched.run[query]), qrels[query]
            ranks = {id: place for place, id in enumerate(ranking, start=1)}
            metrics |= {one.name: one(ranking, judged) for one in measures}
            relevant |= {id: ranks.get(id) for id, grade in judged.items() if grade >= 1}
        if spans and query in spans.spans:
            passages, found, lost = searched.passages[query], spans.spans[query], spans.lost[query]
            metrics |= {one.name: one(passages, found, lost) for one in on_spans}
            relevant |= {span.name: place for span, place in places(passages, found).items()}
            relevant |= {span.name: None for span in lost}
        rows.append(QueryRow(query, text, metrics, relevant))
    return rows


def _report(
    name: str,
    mode: str,
    rows: Sequence[QueryRow],
    searched: _Searched,
    qrels: Qrels,
    sought: _Sought,
    spans: Anchored | None,
    config: dict[str, object],
) -> Report:
    values: dict[str, list[float]] = {}
    for row in rows:
        for measured, value in row.metrics.items():
            values.setdefault(measured, []).append(value)
    return Report(
        collection=name,
        mode=mode,
        queries=len(rows),
        metrics={measured: fmean(column) for measured, column in values.items()},
        ci={measured: interval(column) for measured, column in values.items()},
        per_query=tuple(rows),
        run=searched.run,
        qrels=qrels,
        seconds=searched.seconds,
        spans=spans.counts() if spans else {},
        config={
            "mode": mode,
            "measures": list(values),
            "depth": sought.depth,
            "documents": sought.documents,
            **config,
        },
    )


def _document_scores(hits: Iterable[Hit], sought: _Sought) -> dict[str, float]:
    """The first documents in the order of their best passages, with scores without ties."""
    best: dict[str, float] = {}
    for hit in hits:
        id = sought.name(hit.passage.source)
        if id is not None and id not in best and len(best) < sought.documents:
            best[id] = hit.score
    return dict(zip(best, strictly_descending(list(best.values())), strict=True))


def _judged_documents(judgements: Spans, name: Callable[[str], str | None]) -> Qrels:
    """The documents that hold judged spans, each of grade 1."""
    return {
        query: {id: 1 for span in spans if (id := name(span.source)) is not None} for query, spans in judgements.items()
    }


def _document_id(source: str) -> str | None:
    """`corpus.jsonl#<_id>` to the plain id, which may hold a "#" itself; None for any other source."""
    file, mark, id = source.partition("#")
    return check_id(id) if mark and file.rpartition("/")[2] == "corpus.jsonl" else None
