"""The first passages read again, by a reader that sees question and passage together.

Of each passage the reader gets the part around its likeliest sentences, so that it is done within the
time that an answer has. What it finds enters three times: which passage stands first, which sentence
answers and where in it, and how sure that is.
"""

from collections.abc import Sequence
from dataclasses import replace

from index import Index
from index.documents import Passage

from .answers import Hit
from .questions import Question
from .reader import Excerpt, Reader, Reading
from .reading import PASSAGES, Reread, Sentence, probability
from .retrieval import Retrieved

# Languages that the reader was trained in.
LANGUAGES = frozenset({"en"})
# Characters of a passage that are read, around its likeliest sentences: 400, 600 and 1,000 give the answer in one
# quote for .826, .834 and .834 of 500 tuning questions, with 540, 810 and 1,110 word pieces.
WIDTH = 600
# Fitted by benchmarks/fit_rereading.py, bias first. Of `Reread.values`.
WEIGHTS = (0.089, 3.429, 1.76, 0.993)
# Share of the reader's word in the order of the passages, beside the retrieval's score. The right passage first, on
# the tuning half: .812 at 0, .866 at .2, .886 at .5, .888 at .6, .881 at .7, .865 at 1.
SHARE = 0.6


def read_again(
    reader: Reader, index: Index, question: Question, retrieved: Retrieved, sentences: Sequence[Sentence]
) -> tuple[Retrieved, list[Sentence]]:
    """The passages and the sentences in a better order, with new scores; as they are where the question or the
    first passage is in a language that the reader does not know. `sentences` are those of `rag.reading.read`.
    """
    hits = retrieved.hits[:PASSAGES]
    if not sentences or not {index.question_language(question.text), hits[0].passage.language} <= LANGUAGES:
        return retrieved, list(sentences)
    excerpts = [excerpt(hit.passage, sentences) for hit in hits]
    wording = " ".join([question.text, *question.further])  # a follow-up with what it leans on
    readings = reader.read(wording, [one for one, _ in excerpts])
    again: list[Sentence] = []
    for hit, (_, begin), reading in zip(hits, excerpts, readings, strict=True):
        own = [one for one in sentences if one.hit is hit]
        for sentence, found in zip(own, reread(own, begin, reading), strict=True):
            again.append(replace(sentence, reread=found, score=probability(WEIGHTS, found.values(sentence.score))))
    again.sort(key=lambda one: -one.score)
    return _reordered(retrieved, [reading.answers for reading in readings]), again


def reread(sentences: Sequence[Sentence], begin: int, reading: Reading) -> list[Reread]:
    """What a reading says of each sentence of its passage; `begin` is where it begins in the document's text."""
    found = [reading.best(one.start - begin, one.end - begin) for one in sentences]
    margins = [one[0] for one in found if one]
    lowest = min(margins, default=0.0)
    made = []
    for sentence, one in zip(sentences, found, strict=True):
        margin, span = one if one else (lowest, None)
        shift = begin - sentence.start
        answer = (span[0] + shift, span[1] + shift) if span else None
        made.append(Reread(margin, reading.answers, answer))
    return made


def _reordered(retrieved: Retrieved, answers: Sequence[float]) -> Retrieved:
    """The passages that were read by both scores; those that were not stay behind them."""
    scored = [
        (_with_reader(hit, probability((0, 1), (logit,))), row)
        for hit, row, logit in zip(retrieved.hits, retrieved.rows, answers, strict=False)
    ]
    scored.sort(key=lambda one: -one[0].score)
    rest = list(zip(retrieved.hits, retrieved.rows, strict=True))[len(scored) :]
    last = scored[-1][0].score
    scored += [(replace(hit, score=min(hit.score, last)), row) for hit, row in rest]
    return Retrieved(tuple(hit for hit, _ in scored), tuple(row for _, row in scored), retrieved.vector)


def _with_reader(hit: Hit, answers: float) -> Hit:
    return replace(hit, score=(1 - SHARE) * hit.score + SHARE * answers, fused=hit.score, reader=answers)


def excerpt(passage: Passage, sentences: Sequence[Sentence]) -> tuple[Excerpt, int]:
    """The neighbouring sentences of a passage that score most and fit WIDTH, at least one; and where in the
    document's text they begin.
    """
    scores = dict.fromkeys(range(len(passage.sentences)), 0.0)
    scores.update({one.number: one.score for one in sentences if one.hit.passage.id == passage.id})
    first = last = max(scores, key=lambda number: (scores[number], -number))
    while True:
        wider = []
        for begin, end, added in ((first - 1, last, first - 1), (first, last + 1, last + 1)):
            fits = added in scores and passage.sentences[end][1] - passage.sentences[begin][0] <= WIDTH
            wider += [(scores[added], begin, end)] if fits else []
        if not wider:
            break
        _, first, last = max(wider)
    start, end = passage.sentences[first][0], passage.sentences[last][1]
    return Excerpt(passage.context, passage.text[start - passage.start : end - passage.start]), start
