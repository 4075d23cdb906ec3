"""Putting a system to the test: search every query of a collection, ask every question of a file."""

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from index.errors import UsageError
from rag.answers import Answer
from rag.confidence import THRESHOLD
from rag.retrieval import Mode

from .collections import Collection, load_collection
from .metrics import DEFAULT_MEASURES, Measure, measure
from .places import listed
from .question_reports import QuestionReport, summarise
from .questions import Question
from .reports import QueryRow, Report
from .runs import Qrels, Run, rank, trec_id
from .searching import IndexSearcher, Progress, Searched, Searcher, Sought, document_id, names_of_sources, search
from .span_metrics import K, SpanMeasure, span_measures
from .span_metrics import places as places_of_spans
from .spans import Anchored, Spans, anchored
from .verdicts import Library, judge

DEPTH = 1000
"""Passages asked for: documents are ranked by their best passage, so more passages than documents."""
DOCUMENTS = 100
"""Documents kept for a query, as R@100 needs; more if a measure looks deeper. "AP" sees no more."""


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
    qrels = collection.qrels or _judged_documents(collection.spans, document_id)
    sought = Sought(depth, _documents(scored, depth), DOCUMENTS if spans else 0, document_id, _relevant(qrels))
    searched = search(collection.queries, system, mode, sought, progress)
    if not any(searched.run.values()):
        raise UsageError(f"no query found a row of {collection.corpus}: index that file, then search that index")
    rows = _rows(collection.queries, searched, collection.qrels, scored, spans, span_measures() if spans else ())
    config = {"kind": "collection", "collection": collection.name, "folder": str(collection.folder)}
    return _report(collection.name, mode, rows, searched, qrels, sought, spans, config | (settings or {}))


def evaluate_spans(
    queries: Mapping[str, str],
    judgements: Spans,
    system: Searcher,
    k: int = K,
    mode: Mode = "fused",
    depth: int = DOCUMENTS,
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
    judgements = {id: judgements[id] for id in judged}
    spans = anchored(judgements, system.index)
    qrels = _judged_documents(judgements, trec_id)
    sought = Sought(max(depth, k), DOCUMENTS, max(depth, k), trec_id, _relevant(qrels))
    searched = search(judged, system, mode, sought, progress)
    rows = _rows(judged, searched, {}, (), spans, measures)
    return _report(name, mode, rows, searched, qrels, sought, spans, {"kind": "spans", **(settings or {})})


def evaluate_topics(
    topics: Mapping[str, str],
    qrels: Qrels,
    spans: Spans,
    system: IndexSearcher,
    mode: Mode = "fused",
    measures: Sequence[str] = DEFAULT_MEASURES,
    depth: int = DEPTH,
    name: str = "topics",
    settings: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Search the judged `topics` (id to text) in an index of one's own; score documents, spans or both.

    Judgements call a document by its source (white space and "%" percent-encoded), a row also by its plain
    `_id`. Topics without judgements and judgements without topics are left out, and the report's notes say
    how many, and how many judged documents the index does not have: they count as not found. Raises
    UsageError when no topic is judged, or nothing that was judged is in the index.
    """
    judged = {id: text for id, text in topics.items() if qrels.get(id) or spans.get(id)}
    if not judged:
        first = next(iter([*qrels, *spans]), None)
        raise UsageError(
            f"none of the {len(topics)} topics is judged: the first is {next(iter(topics), None)!r}, "
            f"the first judged query {first!r}; use the files of one collection"
        )
    notes = _left_out(len(topics) - len(judged), "topics without judgements")
    notes += _left_out(len((qrels.keys() | spans.keys()) - judged.keys()), "judged queries without a topic")
    qrels = {id: qrels[id] for id in judged if qrels.get(id)}
    names = names_of_sources(
        [source for source, *_ in system.index.sources()],
        {id for grades in qrels.values() for id in grades}
        | {trec_id(span.source) for row in spans.values() for span in row},
    )
    sources = {id: source for source, id in names.items()}
    notes += _missing(qrels, sources.keys())
    placed = {
        id: tuple(replace(span, source=sources.get(trec_id(span.source), span.source)) for span in spans[id])
        for id in judged
        if spans.get(id)
    }
    anchors = anchored(placed, system.index) if placed else None
    scored = _measures(measures if qrels else ())
    shown = qrels or _judged_documents(placed, names.get)
    sought = Sought(depth, _documents(scored, depth), DOCUMENTS if anchors else 0, names.get, _relevant(shown))
    searched = search(judged, system, mode, sought, progress)
    rows = _rows(judged, searched, qrels, scored, anchors, span_measures() if anchors else ())
    config = {"kind": "topics", "collection": name, **(settings or {})}
    return _report(name, mode, rows, searched, shown, sought, anchors, config, notes)


def evaluate_run(
    run: Run,
    qrels: Qrels,
    topics: Mapping[str, str] | None = None,
    measures: Sequence[str] = DEFAULT_MEASURES,
    name: str = "run",
    settings: dict[str, object] | None = None,
) -> Report:
    """Score a run that is there already, of whichever system, by `qrels`; `topics` gives the queries' texts.

    Every judged query counts, with 0 where the run has no results for it (`trec_eval -c`); the report's notes
    say how many those are. Queries that are not judged are left out. Raises UsageError when none is judged.
    """
    if not run:
        raise UsageError("the run holds no results: a line is query Q0 document rank score tag")
    if not qrels.keys() & run.keys():
        raise UsageError(
            f"no query of the run is judged: its first is {next(iter(run), None)!r}, "
            f"the first judged one {next(iter(qrels), None)!r}; use the files of one collection"
        )
    missing = len(qrels.keys() - run.keys())
    notes = [f"judged queries without results, which score 0: {missing}"] if missing else []
    notes += _left_out(len(run.keys() - qrels.keys()), "queries without judgements")
    scored = _measures(measures)
    deepest = max(map(len, run.values()))
    sought = Sought(deepest, deepest, 0, trec_id, _relevant(qrels))
    results = {id: run.get(id, {}) for id in qrels}
    places = {id: listed(rank(scores), sought.relevant[id]) for id, scores in results.items()}
    searched = Searched(results, {}, places, {})
    rows = _rows({id: (topics or {}).get(id, "") for id in qrels}, searched, qrels, scored, None, ())
    config = {"kind": "run", "collection": name, **(settings or {})}
    return _report(name, "run", rows, searched, qrels, sought, None, config, notes)


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


def _left_out(count: int, what: str) -> list[str]:
    return [f"{what} left out: {count}"] if count else []


def _missing(qrels: Qrels, ids: Set[str]) -> list[str]:
    """A line on the relevant documents that are not among `ids`; a UsageError if none is."""
    relevant = dict.fromkeys(id for grades in qrels.values() for id, grade in grades.items() if grade >= 1)
    missing = [id for id in relevant if id not in ids]
    if missing and len(missing) == len(relevant):
        raise UsageError(
            f"none of the {len(relevant)} relevant documents is in the index, the first is {missing[0]!r}: "
            "name documents as footnoted status lists them, a row also by its _id"
        )
    return [f"relevant documents that the index does not have: {len(missing)} of {len(relevant)}"] if missing else []


def _measures(names: Sequence[str]) -> list[Measure]:
    return [measure(name) for name in dict.fromkeys(names)]


def _documents(measures: Sequence[Measure], depth: int) -> int:
    """Documents to rank for a query."""
    documents = max([DOCUMENTS, *(one.cutoff or 0 for one in measures)])
    if depth < documents:
        raise UsageError(f"depth must be at least the {documents} documents to be ranked, got {depth}")
    return documents


def _rows(
    queries: Mapping[str, str],
    searched: Searched,
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
            relevant |= {span.name: place for span, place in places_of_spans(passages, found).items()}
            relevant |= {span.name: None for span in lost}
        places = searched.places.get(query, ())
        rows.append(QueryRow(query, text, metrics, relevant, places, searched.seconds.get(query, 0.0)))
    return rows


def _report(
    name: str,
    mode: str,
    rows: Sequence[QueryRow],
    searched: Searched,
    qrels: Qrels,
    sought: Sought,
    spans: Anchored | None,
    config: dict[str, object],
    notes: Sequence[str] = (),
) -> Report:
    return Report.of(
        rows,
        collection=name,
        mode=mode,
        run=searched.run,
        qrels=qrels,
        seconds=sum(searched.seconds.values()),
        spans=spans.counts() if spans else {},
        notes=tuple(notes),
        config={
            "mode": mode,
            "depth": sought.depth,
            "documents": sought.documents,
            **config,
        },
    )


def _judged_documents(judgements: Spans, name: Callable[[str], str | None]) -> Qrels:
    """The documents that hold judged spans, each of grade 1."""
    return {
        query: {id: 1 for span in spans if (id := name(span.source)) is not None} for query, spans in judgements.items()
    }


def _relevant(qrels: Qrels) -> dict[str, set[str]]:
    return {query: {id for id, grade in grades.items() if grade >= 1} for query, grades in qrels.items()}
