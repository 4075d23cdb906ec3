"""What a question becomes: hits, citations and the answer that stands on them."""

from dataclasses import dataclass, field

from index.documents import Passage


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. All scores: larger is better.

    `score` in [0, 1] is the fused score, `dense` the cosine to the query, `lexical` the BM25 score;
    a side that did not retrieve the passage is None. Where a reader had its word, `fused` is the score before it,
    and `reader` its probability that the passage answers.
    """

    passage: Passage
    score: float
    dense: float | None
    lexical: float | None
    fused: float | None = None
    reader: float | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A footnote: `document.text[start:end] == quote`, marked `[marker]` in the answer's text.

    `answer` is the span of the quote that is the answer itself, in characters of the quote; None where the
    question asks for nothing that can be told by its form.
    """

    marker: int
    source: str
    title: str
    start: int
    end: int
    quote: str
    passage_id: str
    page: int | None
    heading: str
    score: float
    answer: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A span of the answer's text that no cited passage supports, or not wholly, and why."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds spent: loading (only the first question of a process), retrieving, reading, all."""

    load_s: float = 0.0
    retrieve_s: float = 0.0
    read_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and what it stands on.

    Markers `[1]`, `[2]`, ... stand in `text` in order of appearance, one to one with `citations`.
    `confidence` in [0, 1] estimates the probability that the documents answer the question; when
    `abstained`, `citations` is empty and `hits` holds the nearest passages.
    `generator` names the language model that wrote the text; empty where every sentence is a quote. Its sentences
    that the passages do not say are `unsupported` and carry no footnote; those that they say only in part are `weak`.
    `left_out` holds the ids of passages that it was not shown, or not wholly. `notices` are lines for a person on how
    the answer came about: why a language model that was asked did not write it, for one.
    `searched` is what was searched for: the question, and what the conversation added to it.
    `generation` is the index generation that was asked.
    """

    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    unsupported: tuple[Doubt, ...] = ()
    weak: tuple[Doubt, ...] = ()
    left_out: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    generator: str = ""
    searched: str = ""
    generation: int = 0
    timings: Timings = field(default_factory=Timings)

    @property
    def doubts(self) -> list[tuple[str, Doubt]]:
        """The spans that are doubted, in the order of the text, each with how much."""
        found = [("not supported", one) for one in self.unsupported] + [("weakly supported", one) for one in self.weak]
        return sorted(found, key=lambda doubt: doubt[1].start)
