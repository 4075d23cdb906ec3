"""From passages to the sentences that answer: extractive, so nothing is said that is not written.

Each sentence of the first passages is scored by a logistic model over a few features of meaning,
words and kind. Its weights are fitted by benchmarks/fit_reading.py on
one half of SQuAD v2.0 dev and samples of other sets; none of them is reported.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import mul

from index import Index
from index.embedding import Vectors
from index.sentences import Span
from index.terms import terms

from .answers import Hit
from .questions import Question, Wanted, offers
from .retrieval import Retrieved

# Passages that are read; the answer stands in the first eight of 97 % of the tuning questions.
PASSAGES = 8
_NOT = re.compile(r"\b(?:not|no|never|nor|neither|without|cannot|nobody|nothing|none)\b|n['’]t\b", re.IGNORECASE)
# Between the cells of a table's row.
_ROW = " | "
_DIGIT = re.compile(r"\d")
# Words below which a "sentence" is more likely a caption, a label or a stray line.
_SHORT = 5


@dataclass(frozen=True, slots=True)
class Features:
    """What tells an answering sentence, all in about [0, 1]; the order is that of WEIGHTS."""

    passage: float  # the passage's fused score
    cosine: float  # of the sentence (within its passage) to the question
    words: float  # share of the question's words that it has, weighted by rarity
    context: float  # what title, heading and the sentence before add to that share
    around: float  # what the rest of the passage adds
    offered: float  # 1 if it holds the kind of thing that is wanted
    lacking: float  # 1 if it does not, and the kind is known
    short: float  # 1 if it is hardly a sentence
    pairs: float  # share of the question's neighbouring words that are neighbours here too

    def values(self) -> tuple[float, ...]:
        return (
            self.passage, self.cosine, self.words, self.context, self.around, self.offered, self.lacking, self.short,
            self.pairs,
        )  # fmt: skip


# Fitted: see the module's docstring. Bias first.
WEIGHTS = (-7.082, 2.87, 3.064, 2.72, 1.391, -0.237, 0.479, -0.479, -0.286, 0.812)

# A further sentence must be at least this likely, relative to the first. Chosen with WEIGHTS: two
# sentences an answer on average; always three would add one answer in a hundred.
KEEP = 0.4
# The same of sentences that a reader has read. Set by eye on the examples: at .4 a line that answers nothing was
# quoted beside the one that does.
REREAD_KEEP = 0.5


@dataclass(frozen=True, slots=True)
class Reread:
    """What the reader makes of a sentence. `margin`: the logit by which the likeliest answer within it is likelier
    than none; `answers`: that its passage answers. `answer` is the (start, end) span of that answer in the
    sentence; None, with the least margin of its passage, for one that was not read.
    """

    margin: float
    answers: float
    answer: Span | None

    def values(self, score: float) -> tuple[float, ...]:
        """What tells whether the sentence answers, all in about [-1, 1]; `score` is that of `rag.reading`."""
        sure = min(max(score, 1e-4), 1 - 1e-4)
        return math.log(sure / (1 - sure)) / 10, self.margin / 10, self.answers / 10


@dataclass(frozen=True, slots=True)
class Sentence:
    """A candidate: the sentence at position `number` of a hit's passage, `document.text[start:end]`.

    `score` is the probability, by the model, that it answers; `vector` (dim,) its late-chunking
    embedding; `words` its stemmed terms; `reread` what a reader makes of it, where one has read it.
    """

    hit: Hit
    number: int
    start: int
    end: int
    text: str
    score: float
    features: Features
    vector: Vectors
    words: frozenset[str]
    reread: Reread | None = None

    @property
    def language(self) -> str:
        """In which its words are stemmed."""
        return self.hit.passage.language


def read(index: Index, question: Question, retrieved: Retrieved) -> list[Sentence]:
    """The sentences of the first passages, most likely to answer first, ties in passage order.

    A sentence in two overlapping passages counts once, in the better one.
    """
    # The question's words, and its pairs of neighbours, as the passages of a language have them.
    weighted: dict[str, Mapping[str, float]] = {}
    paired: dict[str, set[tuple[str, str]]] = {}

    def share(words: frozenset[str]) -> float:
        return sum(weight for word, weight in weights.items() if word in words) / (sum(weights.values()) or 1.0)

    found: dict[tuple[str, int, int], Sentence] = {}
    for hit, row in zip(retrieved.hits[:PASSAGES], retrieved.rows, strict=False):
        passage = hit.passage
        vectors = index.sentence_vectors(row)
        if passage.language not in weighted:
            weighted[passage.language] = index.query_weights(question.text, passage.language, question.further)
            paired[passage.language] = set(pairwise(terms(question.text, passage.language)))
        weights, pairs = weighted[passage.language], paired[passage.language]
        texts = [passage.quote(number) for number in range(len(passage.sentences))]
        ordered = [_terms(text, passage.language) for text in texts]
        words = [frozenset(one) for one in ordered]
        context = frozenset(_terms(passage.context, passage.language))
        everything = share(context.union(*words))
        for number, (start, end) in enumerate(passage.sentences):
            if (passage.source, start, end) in found or _heads(texts, number):
                continue
            cosine = float(vectors[number] @ retrieved.vector) if retrieved.vector is not None else 0.0
            nearby = words[number] | context | (words[number - 1] if number else frozenset())
            has, near = share(words[number]), share(nearby)
            offered = offers(question.wanted, texts[number], question)
            known = question.wanted not in (Wanted.OTHER, Wanted.YES_OR_NO, Wanted.OVERVIEW)
            features = Features(
                hit.score, cosine, has, near - has, everything - near,
                float(offered), float(known and not offered), float(len(texts[number].split()) < _SHORT),
                len(pairs.intersection(pairwise(ordered[number]))) / max(len(pairs), 1),
            )  # fmt: skip
            found[passage.source, start, end] = Sentence(
                hit, number, start, end, texts[number], probability(WEIGHTS, features.values()), features,
                vectors[number], words[number],
            )  # fmt: skip
    return sorted(found.values(), key=lambda sentence: -sentence.score)


@lru_cache(maxsize=8192)
def _terms(sentence: str, language: str) -> tuple[str, ...]:
    """Kept: the questions of a conversation meet the same sentences."""
    return tuple(terms(sentence, language))


def _heads(texts: Sequence[str], number: int) -> bool:
    """Whether a line is the head of a table: the first of its rows, without a figure where later ones have some."""
    rows = [_ROW in text for text in texts[number : number + 3]]
    if not all(rows) or len(rows) < 2 or (number and _ROW in texts[number - 1]) or _DIGIT.search(texts[number]):
        return False
    return any(_DIGIT.search(text) for text in texts[number + 1 : number + 3])


def probability(weights: Sequence[float], values: Sequence[float]) -> float:
    """The logistic model: 1 / (1 + exp(-(bias + weights . values))), the bias being the first weight."""
    return 1 / (1 + math.exp(-(weights[0] + sum(map(mul, weights[1:], values)))))


def negated(text: str) -> bool:
    """Whether a sentence says that something is not so, as far as a word tells."""
    return _NOT.search(text) is not None


def same(one: Sentence, other: Sentence) -> bool:
    """Whether two sentences say nearly the same in nearly the same words, with the same numbers."""
    if negated(one.text) != negated(other.text) or _numbers(one) != _numbers(other):
        return False
    shared, fewer = len(one.words & other.words), min(len(one.words), len(other.words))
    return one.text == other.text or (shared >= 0.75 * fewer and shared >= 0.6 * len(one.words | other.words) > 0)


def _numbers(sentence: Sentence) -> set[str]:
    return {word for word in sentence.words if word[0].isdigit()}


def kept(best: Sentence) -> float:
    """What a further sentence must score beside the best one."""
    return (REREAD_KEEP if best.reread else KEEP) * best.score


def choose(sentences: Sequence[Sentence], most: int) -> list[Sentence]:
    """The best sentence, and up to `most - 1` more that are nearly as likely and say something else."""
    chosen: list[Sentence] = []
    for sentence in sentences:
        if len(chosen) == most or (chosen and sentence.score < kept(chosen[0])):
            break
        if not any(same(sentence, other) for other in chosen):
            chosen.append(sentence)
    return chosen
