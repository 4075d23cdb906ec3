"""What an answer is worth, judged by the words it quotes: never by a model, never by its own wording."""

from dataclasses import dataclass, replace
from typing import Protocol

from index.documents import Document
from index.errors import FootnotedError
from rag.answers import Answer, Citation
from rag.system import REFUSAL

from .questions import CONTESTED, Question, Support
from .quoting import contains, overlap, word_recall
from .short_answers import exact_match, f1, short_answer


class Library(Protocol):
    """Where the quoted documents are."""

    def document(self, source: str, /) -> Document: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer, judged.

    attempt        what was answered without a threshold; `answer` is the same, or the refusal that the
                   threshold makes of it: all below is about `answer`, but for `attempt_right`
    quoted         a citation contains an accepted answer, in one piece
    supported      entries of the question's support that a citation covers
    exact          citations whose quote is the stored document's text at its offsets
    retrieved      a hit contains an accepted answer (or, without answers, covers the support): if the answer
                   is wrong and this is False, searching lost it, not reading
    recall         largest share of an accepted answer's words that the citations hold together
    exact_match    SQuAD's EM of the short answer
    f1             SQuAD's F1 of the short answer
    precision      share of the citations that contain an accepted answer or cover an entry of the support;
                   None without citations
    right          the one that counts, see `judge`
    attempt_right  the same of `attempt`; never for an unanswerable question
    """

    question: Question
    attempt: Answer
    answer: Answer
    quoted: bool
    supported: int
    exact: int
    retrieved: bool
    recall: float
    exact_match: float
    f1: float
    precision: float | None
    right: bool
    attempt_right: bool

    @property
    def citation_recall(self) -> float | None:
        """Share of the question's support that is cited; None if it lists none."""
        return self.supported / len(self.question.support) if self.question.support else None

    @property
    def seconds(self) -> float:
        """How long the answer took, without what loading the index cost the first one."""
        return self.answer.timings.total_s - self.answer.timings.load_s


def judge(question: Question, attempt: Answer, threshold: float, library: Library) -> Verdict:
    """Judge an answer that was given without a threshold, as it is with one.

    Right is: for an unanswerable question, a refusal; for a contested one, citations that cover every
    entry of its support; for any other, a citation that contains an accepted answer, or, when the question
    lists none, one that covers its support. Except for the first, a refusal is never right. A citation
    covers an entry whose place is known if they have a character in common, and any other entry if one's
    words contain the other's.
    """
    answer = with_threshold(attempt, threshold)
    quotes = [citation.quote for citation in answer.citations]
    passages = [hit.passage for hit in answer.hits]
    if question.answers:
        retrieved = any(contains(one.text, accepted) for one in passages for accepted in question.answers)
    else:
        retrieved = any(
            _covers(one.source, one.start, one.end, one.text, entry) for one in passages for entry in question.support
        )
    backed = [
        _quoted(question, one) or any(_cites(one, entry) for entry in question.support) for one in answer.citations
    ]
    return Verdict(
        question=question,
        attempt=attempt,
        answer=answer,
        quoted=any(_quoted(question, one) for one in answer.citations),
        supported=_supported(question, answer),
        exact=sum(_exact(citation, library) for citation in answer.citations),
        retrieved=retrieved,
        recall=max((word_recall(" ".join(quotes), accepted) for accepted in question.answers), default=0.0),
        exact_match=exact_match(short_answer(answer), question.answers),
        f1=f1(short_answer(answer), question.answers),
        precision=sum(backed) / len(backed) if backed else None,
        right=_right(question, answer),
        attempt_right=question.answerable and _right(question, attempt),
    )


def with_threshold(attempt: Answer, threshold: float) -> Answer:
    """What a system that refuses below `threshold` gives instead of `attempt`, which was asked with 0."""
    if attempt.abstained or attempt.confidence >= threshold:
        return attempt
    return replace(attempt, text=REFUSAL, citations=(), abstained=True, unsupported=())


def _right(question: Question, answer: Answer) -> bool:
    if not question.answerable or answer.abstained:
        return answer.abstained and not question.answerable
    if question.type == CONTESTED:
        return _supported(question, answer) == len(question.support)
    if question.answers:
        return any(_quoted(question, one) for one in answer.citations)
    return _supported(question, answer) > 0


def _quoted(question: Question, citation: Citation) -> bool:
    return any(contains(citation.quote, accepted) for accepted in question.answers)


def _supported(question: Question, answer: Answer) -> int:
    return sum(any(_cites(one, entry) for one in answer.citations) for entry in question.support)


def _cites(citation: Citation, entry: Support) -> bool:
    return _covers(citation.source, citation.start, citation.end, citation.quote, entry)


def _covers(source: str, start: int, end: int, text: str, entry: Support) -> bool:
    if entry.span is None:
        return overlap(text, entry.quote)
    return source == entry.source and start < entry.span[1] and entry.span[0] < end


def _exact(citation: Citation, library: Library) -> bool:
    try:
        text = library.document(citation.source).text
    except FootnotedError:
        return False
    spans = 0 <= citation.start < citation.end <= len(text)
    return spans and text[citation.start : citation.end] == citation.quote
