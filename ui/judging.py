"""What the page posts when something on it is judged, checked and made an entry of the feedback."""

from typing import Any, TypeVar

from index.errors import UsageError
from index.index import Index
from rag.feedback import ANSWER_IS_HERE, REASONS, WRONG_SOURCE, Excerpt, Judgement, Rating, now
from rag.questions import Question

from .posted import read_posted

# More than any answer cites.
_MOST_CITED = 32
# Characters of a phrase that somebody misses.
_LONGEST_PHRASE = 1_000
_T = TypeVar("_T")


def judged(body: bytes, index: Index) -> Judgement | Rating:
    """The entry that a posted body stands for: {"question", "good", "reason", "cited": [excerpt, ...]} rates an
    answer, {"question", "relevant", "excerpt"} judges an excerpt {"source", "start", "end", "quote"}; null for
    `good` or `relevant` takes it back.

    Raises UsageError for anything else, and for an excerpt that is not in the index word for word.
    """
    try:
        posted = read_posted(body)
        question = Question.parse(_of(str, posted["question"])).text
        if "good" in posted:
            good, reason = _verdict(posted["good"]), _of(str, posted["reason"])
            if reason and (good is not False or reason not in REASONS):
                raise ValueError(reason)
            cited = tuple(_excerpt(one, index) for one in _of(list, posted["cited"]))
            if len(cited) > _MOST_CITED:
                raise ValueError(len(cited))
            return Rating(question, good, reason, cited, now(), index.generation)
        relevant, excerpt = _verdict(posted["relevant"]), _excerpt(posted["excerpt"], index)
        reason = {True: ANSWER_IS_HERE, False: WRONG_SOURCE, None: ""}[relevant]
        place = excerpt.source, excerpt.start, excerpt.end, excerpt.quote
        return Judgement(question, *place, relevant, reason, now(), index.generation)
    except (ValueError, TypeError, KeyError):
        raise UsageError("a judgement is a question with what was said of its answer or of an excerpt") from None


def asked_why(body: bytes) -> tuple[str, str]:
    """Question and phrase of a posted {"question", "phrase"}. Raises UsageError for anything else, and for a phrase
    that is too long to be one.
    """
    try:
        posted = read_posted(body)
        question, phrase = _of(str, posted["question"]), _of(str, posted["phrase"])
    except (ValueError, TypeError, KeyError):
        raise UsageError("to see where a phrase was lost takes a question and a phrase") from None
    if len(phrase) > _LONGEST_PHRASE:
        raise UsageError(f"the phrase has {len(phrase):,} characters: give at most {_LONGEST_PHRASE:,}")
    return question, phrase


def _excerpt(posted: dict[str, Any], index: Index) -> Excerpt:
    source, quote = _of(str, posted["source"]), _of(str, posted["quote"])
    start, end = _of(int, posted["start"]), _of(int, posted["end"])
    text = index.document(source).text
    if not (0 <= start < end <= len(text) and text[start:end] == quote):
        raise UsageError(f"{source} does not have this quote at this place: ask again and judge the new answer")
    return Excerpt(source, start, end, quote)


def _verdict(posted: Any) -> bool | None:
    return None if posted is None else _of(bool, posted)


def _of(kind: type[_T], value: Any) -> _T:
    if type(value) is not kind:
        raise TypeError
    return value
