"""What an answer is worth, judged by the words it quotes: never by a model, never by its own wording."""

from dataclasses import dataclass
from typing import Protocol

from index.documents import Document
from index.errors import FootnotedError
from rag.answers import Answer, Citation

from .questions import CONTESTED, Question
from .quoting import contains, overlap, word_recall


class Library(Protocol):
    """Where the quoted documents are."""

    def document(self, source: str, /) -> Document: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer, judged.

    quoted     a citation contains an accepted answer, in one piece
    supported  entries of the question's support that a citation overlaps
    exact      citations whose quote is the stored document's text at its offsets
    retrieved  a hit contains an accepted answer (or, without answers, overlaps the support): if the answer
               is wrong and this is False, searching lost it, not reading
    recall     largest share of an accepted answer's words that the citations hold together
    right      the one that counts, see `judge`
    """

    question: Question
    answer: Answer
    quoted: bool
    supported: int
    exact: int
    retrieved: bool
    recall: float
    right: bool


def judge(question: Question, answer: Answer, library: Library) -> Verdict:
    """Judge one answer.

    Right is: for an unanswerable question, a refusal; for a contested one, citations that overlap every
    entry of its support; for any other, a citation that contains an accepted answer, or, when the question
    lists none, one that overlaps its support. Except for the first, a refusal is never right.
    """
    quotes = [citation.quote for citation in answer.citations]
    passages = [hit.passage.text for hit in answer.hits]
    quoted = any(contains(quote, accepted) for quote in quotes for accepted in question.answers)
    supported = sum(any(overlap(quote, entry) for quote in quotes) for entry in question.support)
    if question.answers:
        retrieved = any(contains(text, accepted) for text in passages for accepted in question.answers)
    else:
        retrieved = any(overlap(text, entry) for text in passages for entry in question.support)
    return Verdict(
        question=question,
        answer=answer,
        quoted=quoted,
        supported=supported,
        exact=sum(_exact(citation, library) for citation in answer.citations),
        retrieved=retrieved,
        recall=max((word_recall(" ".join(quotes), accepted) for accepted in question.answers), default=0.0),
        right=_right(question, answer, quoted, supported),
    )


def _right(question: Question, answer: Answer, quoted: bool, supported: int) -> bool:
    if not question.answerable or answer.abstained:
        return answer.abstained and not question.answerable
    if question.type == CONTESTED:
        return supported == len(question.support)
    return quoted if question.answers else supported > 0


def _exact(citation: Citation, library: Library) -> bool:
    try:
        text = library.document(citation.source).text
    except FootnotedError:
        return False
    spans = 0 <= citation.start < citation.end <= len(text)
    return spans and text[citation.start : citation.end] == citation.quote
