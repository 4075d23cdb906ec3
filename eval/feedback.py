"""Judgements from use: what a person said of answers and sources, put to the test and written for others."""

import hashlib
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Protocol

from index.errors import FootnotedError, UsageError
from rag.answers import Answer, Citation
from rag.feedback import Feedback
from rag.retrieval import Mode

from .bootstrap import interval
from .evaluation import Answerer, Progress, Searcher, evaluate_spans
from .files import write_json, write_rows, write_text
from .reports import QueryRow, Report
from .runs import Qrels, trec_id, write_qrels
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


class Respondent(Searcher, Answerer, Protocol):
    """What `evaluate_feedback` needs of a system: passages, answers and documents."""


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """`report` has the measures of the spans judged relevant and of the answers; `wrong` counts the spans
    judged not relevant, `lost` those of them that the documents do not hold any more, and `cited` are those
    that answers cite still, with their questions.
    """

    report: Report
    wrong: int
    lost: int
    cited: tuple[tuple[str, Span], ...]

    def as_json(self, folder: str | Path | None = None) -> dict[str, object]:
        """The object of `footnoted eval --from-feedback --json`."""
        return self.report.as_json(folder) | {
            "wrong_sources": {"judged": self.wrong, "lost": self.lost, "cited": len(self.cited)},
            "wrong_sources_cited": [
                {"question": question, "source": span.source, "start": span.start, "end": span.end, "quote": span.quote}
                for question, span in self.cited
            ],
        }

    def write(self, folder: str | Path) -> Path:
        """Write the report's files; the folder's path."""
        at = self.report.write(folder)
        write_json(at / "report.json", self.as_json(at))
        return at

    def table(self) -> str:
        """A table for a terminal, and the wrong sources that are cited still."""
        lost = f" ({self.lost} are not in the documents any more)" if self.lost else ""
        lines = [self.report.table()]
        if self.wrong:
            lines += ["", f"wrong sources that are still cited: {len(self.cited)} of {self.wrong}{lost}"]
        lines += [f"  {' '.join(question.split())}  {span.name}" for question, span in self.cited]
        return "\n".join(lines)


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
) -> FeedbackReport:
    """Search and ask every judged question, and score passages (`evaluate_spans`) and citations.

    A citation and a span are one if they share half of the shorter. Spans are anchored anew where documents
    have changed. `seconds` is the time of the answers. Raises UsageError if nothing was judged, or if none
    of the spans judged relevant is in the index.
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
    cited: list[tuple[str, Span]] = []
    seconds = 0.0
    for done, row in enumerate(list(rows.values()), start=1):
        started = time.perf_counter()
        answer = system.answer(row.text, threshold=threshold)
        seconds += time.perf_counter() - started
        bad = _cited(answer, wrong.get(row.query, ()))
        cited += [(row.text, span) for span in bad]
        metrics = dict(row.metrics)
        if row.query in asked.right:
            metrics[CITES] = float(bool(_cited(answer, right[row.query])))
        if row.query in asked.wrong:
            metrics[AVOIDS] = float(not bad)
        if row.query in asked.refuse:
            metrics[REFUSES] = float(answer.abstained == asked.refuse[row.query])
        rows[row.query] = replace(row, metrics=metrics)
        if progress:
            progress(done, len(rows))
    report = _report(tuple(rows.values()), mode, searched, seconds, {"kind": NAME, "mode": mode, **config})
    kept = sum(map(len, wrong.values()))
    total = sum(map(len, asked.wrong.values()))
    return FeedbackReport(report, total, total - kept, tuple(cited))


def export_qrels(file: Path, asked: Judged) -> Path:
    """Write the judged documents in the TREC format, and the questions, `id<TAB>text`, beside them; where the
    questions are. Raises UsageError if nothing was judged or the files cannot be written.
    """
    qrels = asked.qrels
    _check_any(qrels)
    topics = file.with_name(f"{file.stem}.topics.tsv")
    write_qrels(file, qrels)
    write_text(topics, "".join(f"{id}\t{' '.join(asked.queries[id].split())}\n" for id in qrels))
    return topics


def export_spans(file: Path, asked: Judged) -> Path:
    """Write the spans judged relevant as `read_spans` reads them, and `queries.jsonl` beside them; where that is.

    Raises UsageError if none was, if the files cannot be written, or if the queries there are another's.
    """
    _check_any(asked.right)
    queries = file.with_name("queries.jsonl")
    if queries.exists() and not file.exists():
        raise UsageError(f"{queries} is there already, and no export of ours: name a file in another folder")
    write_spans(file, asked.right)
    write_rows(queries, [{"_id": id, "text": asked.queries[id]} for id in asked.right])
    return queries


def _check_any(judgements: object) -> None:
    if not judgements:
        raise UsageError("no source is judged yet: footnoted chat has thumbs under every answer")


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


def _cited(answer: Answer, spans: tuple[Span, ...]) -> list[Span]:
    """The spans that the answer cites."""
    return [span for span in spans if any(_same(one, span) for one in answer.citations)]


def _same(citation: Citation, span: Span) -> bool:
    shared = min(citation.end, span.end) - max(citation.start, span.start)
    shorter = min(citation.end - citation.start, span.end - span.start)
    return citation.source == span.source and shared >= ENOUGH * shorter


def _report(
    rows: tuple[QueryRow, ...], mode: str, searched: Report | None, seconds: float, config: dict[str, object]
) -> Report:
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.metrics.items():
            values.setdefault(name, []).append(value)
    return Report(
        collection=NAME,
        mode=mode,
        queries=len(rows),
        metrics={name: fmean(column) for name, column in values.items()},
        ci={name: interval(column) for name, column in values.items()},
        per_query=rows,
        run=searched.run if searched else {},
        qrels=searched.qrels if searched else {},
        seconds=seconds,
        spans=searched.spans if searched else {},
        config={**(searched.config if searched else {}), **config},
    )
