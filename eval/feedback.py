"""Judgements from use: what a person said of answers and sources, put to the test and written for others."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from index.errors import FootnotedError, UsageError
from rag.answers import Answer, Citation
from rag.feedback import Feedback
from rag.retrieval import Mode

from .evaluation import evaluate_spans
from .files import write_text
from .reports import QueryRow, Report
from .runs import Qrels, trec_id, write_qrels
from .searching import Progress, Searcher
from .span_metrics import ENOUGH
from .spans import Span, Spans, anchor, write_spans
from .verdicts import Library

NAME = "feedback"
CITES, AVOIDS, REFUSES = "right source cited", "wrong source not cited", "refused as judged"
"""Measures of an answer, 1 or 0: it cites a span judged relevant; it cites none judged not relevant; it is
refused if and only if it was to be. Each is taken over the questions that were judged so.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """Feedback by query: ids that stay the same as more is judged, texts, spans judged relevant and not, and
    whether the question is to be refused, where that can be told.
    """

    queries: dict[str, str]
    right: dict[str, tuple[Span, ...]]
    wrong: dict[str, tuple[Span, ...]]
    refuse: dict[str, bool]

    @property
    def qrels(self) -> Qrels:
        """Grades of documents: 1 with a span judged relevant, else 0; named as a TREC file can hold them."""
        table: Qrels = {}
        for spans, grade in ((self.wrong, 0), (self.right, 1)):
            for query, judged in spans.items():
                table.setdefault(query, {}).update({trec_id(span.source): grade for span in judged})
        return {query: table[query] for query in self.queries if query in table}


class Respondent(Searcher, Protocol):
    """What `evaluate_feedback` needs of a system: passages, answers and documents."""

    def answer(self, question: str, /, *, threshold: float | None) -> Answer: ...


def judged(feedback: Feedback) -> Judged:
    """Feedback as queries and spans."""
    texts = [one.question for one in feedback.ratings] + [one.question for one in feedback.judgements]
    found = Judged({_query_id(text): text for text in texts}, {}, {}, {})
    for rating in feedback.ratings:
        if not rating.cited:  # a refusal was judged
            found.refuse[_query_id(rating.question)] = bool(rating.good)
        elif rating.good or rating.reason == "should have refused":
            found.refuse[_query_id(rating.question)] = not rating.good
    for one in feedback.judgements:
        id, span = _query_id(one.question), Span(one.source, one.start, one.end, one.quote)
        side = found.right if one.relevant else found.wrong
        side[id] = (*side.get(id, ()), span)
        if one.relevant:  # what the documents answer is not to be refused
            found.refuse[id] = False
    return found


def evaluate_feedback(
    asked: Judged,
    system: Respondent,
    mode: Mode = "fused",
    threshold: float | None = None,
    settings: dict[str, object] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Search and ask every judged question, and score passages (`evaluate_spans`) and citations.

    A citation and a span are one if they share half of the shorter. Spans are anchored anew where documents
    have changed. The report's notes name the wrong sources that are cited still; its `seconds` are the time
    of the answers. Raises UsageError if nothing was judged, or if none of the spans judged relevant is in
    the index.
    """
    if not asked.queries:
        raise UsageError("nothing is judged yet: footnoted chat has thumbs under every answer")
    config: dict[str, object] = {"threshold": threshold, **(settings or {})}
    searched = None
    if asked.right:
        searched = evaluate_spans(
            asked.queries, asked.right, system, mode=mode, name=NAME, settings=config, progress=progress
        )
    rows = {row.query: row for row in searched.per_query} if searched else {}
    rows |= {id: QueryRow(id, text, {}, {}) for id, text in asked.queries.items() if id not in rows}
    right, wrong = _standing(asked.right, system.index), _standing(asked.wrong, system.index)
    cited: list[str] = []
    for done, row in enumerate(list(rows.values()), start=1):
        started = time.perf_counter()
        answer = system.answer(row.text, threshold=threshold)
        took = time.perf_counter() - started
        cited += [f"{one.name} for {' '.join(row.text.split())}" for one in _cited(answer, wrong.get(row.query, ()))]
        metrics = row.metrics | _metrics(answer, row.query, asked, right, wrong)
        rows[row.query] = replace(row, metrics=metrics, seconds=took)
        if progress:
            progress(done, len(rows))
    notes = _notes(asked.wrong, wrong, cited)
    return _report(tuple(rows.values()), mode, searched, notes, {"kind": NAME, "mode": mode, **config})


def export(asked: Judged, *, qrels: Path | None = None, spans: Path | None = None) -> dict[str, Path]:
    """Write the judged documents (`write_qrels`), the spans judged relevant (`write_spans`) or both, and beside
    the first of them the questions, lines of id, tab, text; the files by kind.

    Raises UsageError if no such thing was judged, or if a file cannot be written.
    """
    files = {kind: file for kind, file in (("qrels", qrels), ("spans", spans)) if file}
    if not asked.right and (spans or not asked.wrong):
        raise UsageError("no source is judged right yet: footnoted chat has thumbs under every answer")
    if qrels:
        write_qrels(qrels, asked.qrels)
    if spans:
        write_spans(spans, asked.right)
    first = next(iter(files.values()))
    files["topics"] = first.with_name(f"{first.stem}.topics.tsv")
    texts = {id: " ".join(asked.queries[id].split()) for id in asked.qrels}
    write_text(files["topics"], "".join(f"{id}\t{text}\n" for id, text in texts.items()))
    return files


def _query_id(question: str) -> str:
    return "q" + hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _standing(judgements: Spans, library: Library) -> dict[str, tuple[Span, ...]]:
    """The spans where the documents have them now; those that are gone left out."""

    @cache
    def text(source: str) -> str:
        try:
            return library.document(source).text
        except FootnotedError:
            return ""

    anchored = {query: [anchor(span, text(span.source)) for span in spans] for query, spans in judgements.items()}
    return {query: tuple(span for span in spans if span) for query, spans in anchored.items()}


def _metrics(answer: Answer, query: str, asked: Judged, right: Spans, wrong: Spans) -> dict[str, float]:
    """The measures of an answer that its query is judged for."""
    metrics = {}
    if query in asked.right:
        metrics[CITES] = float(bool(_cited(answer, right[query])))
    if query in asked.wrong:
        metrics[AVOIDS] = float(not _cited(answer, wrong[query]))
    if query in asked.refuse:
        metrics[REFUSES] = float(answer.abstained == asked.refuse[query])
    return metrics


def _cited(answer: Answer, spans: tuple[Span, ...]) -> list[Span]:
    """The spans that the answer cites."""
    return [span for span in spans if any(_same(one, span) for one in answer.citations)]


def _same(citation: Citation, span: Span) -> bool:
    shared = min(citation.end, span.end) - max(citation.start, span.start)
    shorter = min(citation.end - citation.start, span.end - span.start)
    return citation.source == span.source and shared >= ENOUGH * shorter


def _notes(judged: Spans, standing: Spans, cited: Sequence[str]) -> tuple[str, ...]:
    total, kept = sum(map(len, judged.values())), sum(map(len, standing.values()))
    if not total:
        return ()
    gone = f" ({total - kept} no longer in the documents)" if kept < total else ""
    return f"wrong sources that are still cited: {len(cited)} of {total}{gone}", *cited


def _report(
    rows: tuple[QueryRow, ...],
    mode: str,
    searched: Report | None,
    notes: tuple[str, ...],
    config: dict[str, object],
) -> Report:
    return Report.of(
        rows,
        collection=NAME,
        mode=mode,
        run=searched.run if searched else {},
        qrels=searched.qrels if searched else {},
        seconds=sum(row.seconds for row in rows),
        spans=searched.spans if searched else {},
        notes=(*(searched.notes if searched else ()), *notes),
        config={**(searched.config if searched else {}), **config},
    )
