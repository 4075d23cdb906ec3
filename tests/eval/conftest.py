"""A collection small enough to score by hand, and a system that answers from tables."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from index.documents import Document, Passage
from index.errors import UsageError
from rag.answers import Answer, Citation, Hit


def hit(source: str, score: float, text: str = "", start: int = 0) -> Hit:
    return Hit(Passage(f"{source}:{start}", source, "", start, start + len(text), text), score, score, None)


def citation(marker: int, source: str, start: int, quote: str) -> Citation:
    return Citation(marker, source, "", start, start + len(quote), quote, f"{source}:{start}", None, "", 1.0)


@dataclass
class FakeLibrary:
    texts: Mapping[str, str]

    def document(self, source: str) -> Document:
        if source not in self.texts:
            raise UsageError(f"no document {source}")
        return Document(source, source, self.texts[source])

    def sources(self) -> list[tuple[str, str, int, int]]:
        return [(source, source, len(text), 1) for source, text in self.texts.items()]


@dataclass
class FakeSearcher:
    """Gives the hits listed for a query, and remembers what it was asked; `index` holds the documents."""

    hits: Mapping[str, Sequence[Hit]]
    asked: list[tuple[str, int, str]] = field(default_factory=list)
    index: FakeLibrary = field(default_factory=lambda: FakeLibrary({}))

    def search(self, query: str, k: int, mode: str = "fused") -> Sequence[Hit]:
        self.asked.append((query, k, mode))
        return self.hits.get(query, ())[:k]


@dataclass
class FakeAnswerer:
    """Gives the answer listed for a question; `index` holds the documents."""

    index: FakeLibrary
    answers: Mapping[str, Answer]
    thresholds: list[float] = field(default_factory=list)

    def answer(self, question: str, *, threshold: float) -> Answer:
        self.thresholds.append(threshold)
        return self.answers[question]


@pytest.fixture
def write_collection(tmp_path: Path) -> Callable[..., Path]:
    """Writes a collection of three documents and three queries, or parts of it as given."""

    def write(
        queries: str = "".join(
            json.dumps({"_id": id, "text": text}) + "\n"
            for id, text in [("q1", "one"), ("q2", "two"), ("q3", "three"), ("train", "not judged")]
        ),
        qrels: str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\nq2\td#3\t1\nq3\td1\t1\n",
        corpus: str | None = '{"_id": "d1", "title": "", "text": "..."}\n',
    ) -> Path:
        folder = tmp_path / "tiny"
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        (folder / "queries.jsonl").write_text(queries, encoding="utf-8")
        (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
        if corpus is not None:
            (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def make_searcher() -> Callable[..., FakeSearcher]:
    """Builds a searcher from {query text: [(source, score), ...]}, where text and start of the passage may follow."""

    def make(table: Mapping[str, Sequence[tuple[object, ...]]], texts: Mapping[str, str] | None = None) -> FakeSearcher:
        hits = {query: [hit(*entry) for entry in entries] for query, entries in table.items()}
        return FakeSearcher(hits, index=FakeLibrary(texts or {}))

    return make


@pytest.fixture
def make_answerer() -> Callable[..., FakeAnswerer]:
    """Builds an answerer over {source: text} from {question: ([(source, quote)], confidence)}.

    A quote stands where its document has it (or at 0, if nowhere); no quotes is a refusal, whose hit is
    the whole first document.
    """

    def make(texts: dict[str, str], table: dict[str, tuple[list[tuple[str, str]], float]]) -> FakeAnswerer:
        answers = {}
        for question, (quotes, confidence) in table.items():
            citations = tuple(
                citation(n, source, max(0, texts.get(source, "").find(quote)), quote)
                for n, (source, quote) in enumerate(quotes, start=1)
            )
            first = next(iter(texts))
            answers[question] = Answer(
                question=question,
                text=" ".join(f"{c.quote} [{c.marker}]" for c in citations) or "Nothing in the documents.",
                citations=citations,
                hits=(hit(first, 1.0, texts[first]),),
                abstained=not quotes,
                confidence=confidence,
            )
        return FakeAnswerer(FakeLibrary(texts), answers)

    return make
