"""Sentences that do not go together: both are shown, with who says what.

Three signs: one sentence disputes what another states, both give another number for the same thing, or a reader
finds another name or number as the answer in each. Rules, and rather silent than wrong: sentences that name different
things (another number in the question, another year, another ordinal) are not compared.
"""

import math
import re
from collections.abc import Sequence
from itertools import combinations

from index import Index
from index.terms import terms

from .questions import Question, Wanted
from .reading import Sentence, negated, read
from .retrieval import retrieve

# A quarrel that is told ("a dispute over the border") is no dispute of what another sentence says.
_DISPUTES = re.compile(
    r"""\b(?:
      den(?:y|ies|ied|ying)\s(?:that|the|this|it|any|having|being)\b
    | disput(?:es|ed|ing)\s(?:by|this|that|the|whether|it)\b | (?:is|are|was|were|been)\s(?:widely\s|hotly\s)?disputed
    | refut(?:es|ed|ing) | contradict(?:s|ed|ing) | disagree(?:s|d)?\swith | questioned\swhether | questions\swhether
    | (?:reject|dismiss)(?:es|s|ed)?\s(?:the|this|that|these|such|any)\s
      (?:claim|idea|view|explanation|theory|notion|account|report|accusation|allegation|charge|finding)
    | exaggerat\w+ | overstat\w+ | unfounded | untrue | incorrect | a\smyth | fabricat(?:ed|ions?) | misleading
    | contrary\sto\s(?:the|what|this|that)\s(?:\w+\s)?(?:report|claim|account|belief|view|statement|says?|said)
    | no\sevidence\s(?:that|for|of) | never\shappened | (?:was|were|is|are)\swrong
    | (?:had|has|have)\s(?:anything|nothing)\sto\sdo\swith
    | not\s(?:at\s|in\s|on\s|for\s|by\s|with\s)?\d+
    | not\s(?:the\scause|true|because|caused|due|a\sresult|responsible|the\sreason)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_ATTRIBUTED = re.compile(
    r"""\b(?:
      according\sto | claim(?:s|ed)? | argu(?:e|es|ed) | stat(?:es|ed) | says? | said | writes? | wrote
    | insist(?:s|ed)? | maintain(?:s|ed) | estimat(?:e|es|ed) | report(?:s|ed) | believ(?:e|es|ed)
    | allege[sd]? | records? | recorded
    | log(?:s|ged)? | testif(?:y|ies|ied) | my | I
    )\b""",
    re.VERBOSE,
)
# A number and the word that it counts; a time of day; a year.
_QUANTITY = re.compile(r"(?<![\w.:])(\d[\d,]*(?:\.\d+)?)(?![\d:])\s*(%|[a-zA-Z]{2,})?")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})\b")
_YEAR = re.compile(r"\b(?:1\d{3}|20\d{2})\b")
_NUMBER = re.compile(r"\d[\d,.:]*\d|\d")
_NAME = re.compile(r"\b[A-Z][\w'’-]+")
_ORDINAL = re.compile(
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\d+(?:st|nd|rd|th))\b", re.I
)

# Of the best sentence's score, what the other side of a disagreement must reach.
_REACH = 0.12
# Candidates that are compared.
_COMPARED = 12
# Cosine between two sentences about the same thing, within their passages.
_ALIKE = 0.45
# What a reader must find in both sentences: a margin, not much less in one than in the other, in sentences that are
# nearly as likely. Chosen on the tuning halves of PoisonedRAG and SQuAD (docs/evaluation.md).
_MARGIN, _APART, _NEAR = 0.0, 3.0, 0.5
# Words of an answer that is a name.
_LONGEST_NAME = 6
# Passages searched for a sentence that disputes the answer, and terms that it must share with it.
_OPPOSED, _SHARED = 6, 2


def disagreement(index: Index, question: Question, sentences: Sequence[Sentence]) -> tuple[Sentence, Sentence] | None:
    """The best two sentences that disagree about what is asked, the more likely one first; or None."""
    if not sentences or _DISPUTES.search(question.text):  # who asks for a dispute gets its sentences as they are
        return None
    floor = _REACH * sentences[0].score
    compared = [sentence for sentence in sentences[:_COMPARED] if sentence.score >= floor]
    for first, second in combinations(compared, 2):
        if first is not compared[0] and question.wanted is not Wanted.YES_OR_NO:
            break  # other pairs may differ about something that was not asked
        if _about_the_same(question, first, second) and (
            _disputes(question, first, second) or _denies(first, second) or _numbers_differ(question, first, second)
        ):
            return first, second
    opponent = _opponent(index, sentences[0])
    return (sentences[0], opponent) if opponent else _answered_otherwise(question, sentences[:_COMPARED])


def _about_the_same(question: Question, one: Sentence, other: Sentence) -> bool:
    """Alike in meaning, and naming the same numbers of the question and the same ordinals."""
    if float(one.vector @ other.vector) < _ALIKE:
        return False
    asked = set(_NUMBER.findall(question.text))
    if asked & set(_NUMBER.findall(one.text)) != asked & set(_NUMBER.findall(other.text)):
        return False
    ordinals = [{word.lower() for word in _ORDINAL.findall(sentence.text)} for sentence in (one, other)]
    return ordinals[0] == ordinals[1] or not (ordinals[0] or ordinals[1])


def _disputes(question: Question, one: Sentence, other: Sentence) -> bool:
    """Exactly one of them disputes, and both speak of what the question names."""
    disputing = [_DISPUTES.search(sentence.text) is not None for sentence in (one, other)]
    if disputing[0] == disputing[1] or _one_voice(question, one, other):
        return False
    shared = question.words_in(one.language) & one.words, question.words_in(other.language) & other.words
    return all(shared) and len(one.words & other.words) >= _SHARED


def _denies(one: Sentence, other: Sentence) -> bool:
    """The same words, and exactly one of them says not."""
    return negated(one.text) != negated(other.text) and one.words == other.words


def _numbers_differ(question: Question, one: Sentence, other: Sentence) -> bool:
    """Both count the same thing and arrive at different numbers, in different voices.

    Different voices: two documents, or two attributions.
    """
    if question.wanted not in (Wanted.NUMBER, Wanted.TIME, Wanted.YES_OR_NO, Wanted.OTHER):
        return False
    if not _two_voices(one, other):
        return False
    for sentence in (one, other):
        asked = question.words_in(sentence.language)
        if len(asked & sentence.words) < max(1, math.ceil(0.5 * len(asked))):
            return False
    years = set(_YEAR.findall(one.text)), set(_YEAR.findall(other.text))
    if question.wanted is Wanted.TIME:
        clocks = _clocks(one.text), _clocks(other.text)
        if all(clocks) and not clocks[0] & clocks[1]:
            return True
        # Of two years the sentences must say nearly the same otherwise: much happens in a life.
        plain = [{word for word in sentence.words if not word.isdigit()} for sentence in (one, other)]
        same = len(plain[0] & plain[1]) >= 0.6 * min(len(plain[0]), len(plain[1]))
        return all(years) and not years[0] & years[1] and same
    if years[0] != years[1]:
        return False  # of different times
    counted, others = _quantities(one.text), _quantities(other.text)
    return any(counted[unit].isdisjoint(others[unit]) for unit in counted.keys() & others.keys())


def _answered_otherwise(question: Question, sentences: Sequence[Sentence]) -> tuple[Sentence, Sentence] | None:
    """The best sentence in which a reader finds an answer, and the best one of another document that has another."""
    if question.wanted is Wanted.YES_OR_NO or question.wants_list:
        return None
    answering = [one for one in sentences if _answer(one) and not one.text.rstrip().endswith("?")]
    answering = [one for one in answering if not _repeats(question, one)]
    for one in answering[1:]:
        if one.score >= _NEAR * answering[0].score and _answers_differ(question, answering[0], one):
            return answering[0], one
    return None


def _answer(sentence: Sentence) -> str:
    """What a reader finds in a sentence, if it is sure enough."""
    found = sentence.reread
    return sentence.text[slice(*found.answer)] if found and found.answer and found.margin >= _MARGIN else ""


def _repeats(question: Question, sentence: Sentence) -> bool:
    """Whether the answer is of the question's own words."""
    return set(terms(_answer(sentence), sentence.language)) <= question.words_in(sentence.language)


def _answers_differ(question: Question, one: Sentence, other: Sentence) -> bool:
    """Both answers are numbers or both are names, of different documents, and neither sentence has the other's,
    unless to say that it is not so.
    """
    if one.hit.passage.source == other.hit.passage.source or not (one.reread and other.reread):
        return False
    if abs(one.reread.margin - other.reread.margin) > _APART:
        return False
    first, second = _answer(one), _answer(other)
    numbers, others = _numbers(first), _numbers(second)
    if numbers or others:
        found = numbers, others, _numbers(one.text), _numbers(other.text)
        comparable = bool(numbers and others and _of_one_kind(first, second)) and not (
            (numbers | others) & _numbers(question.text)
        )
    else:
        asked = question.words_in(one.language)
        words, their = ({*terms(text, one.language)} - asked for text in (first, second))
        found = words, their, set(one.words), set(other.words)
        comparable = bool(words and their and _is_name(first) and _is_name(second))
    mine, theirs, around_mine, around_theirs = found
    if not comparable or mine & theirs:
        return False
    return (negated(other.text) or not mine <= around_theirs) and (negated(one.text) or not theirs <= around_mine)


def _of_one_kind(one: str, other: str) -> bool:
    """Whether two answers with numbers are both years, or count the same as far as they say what."""
    years = _YEAR.search(one), _YEAR.search(other)
    if any(years):
        return all(years)
    units = [{word for word in terms(text) if not word[0].isdigit()} for text in (one, other)]
    return units[0] <= units[1] or units[1] <= units[0]


def _is_name(text: str) -> bool:
    words = [word for word in text.split() if word.lower() not in ("the", "a", "an")]
    return 0 < len(words) <= _LONGEST_NAME and words[0].lstrip("\"“‘'(")[:1].isupper()


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def _one_voice(question: Question, one: Sentence, other: Sentence) -> bool:
    """Whether both sentences of a document speak of somebody whom the question does not name."""
    if one.hit.passage.source != other.hit.passage.source:
        return False
    names = [
        {word for name in _NAME.findall(sentence.text) for word in terms(name, sentence.language)}
        for sentence in (one, other)
    ]
    return bool((names[0] & names[1]) - question.words_in(one.language))


def _two_voices(one: Sentence, other: Sentence) -> bool:
    if one.hit.passage.source != other.hit.passage.source:
        return True
    return all(_ATTRIBUTED.search(sentence.text) for sentence in (one, other))


def _opponent(index: Index, best: Sentence) -> Sentence | None:
    """A sentence of another document that disputes what the best one says, though it may answer nothing."""
    if _DISPUTES.search(best.text) or negated(best.text):
        return None
    said = Question(best.text, tuple(sorted(best.words)), Wanted.OTHER)
    retrieved = retrieve(index, best.text, _OPPOSED, vector=best.vector)
    source = best.hit.passage.source
    places = [
        place
        for place, hit in enumerate(retrieved.hits)
        if hit.passage.source != source and _DISPUTES.search(hit.passage.text)
    ]
    for sentence in read(index, said, retrieved.only(places)):
        if (
            _DISPUTES.search(sentence.text)
            and len(sentence.words & best.words) >= _SHARED
            and _about_the_same(said, sentence, best)
        ):
            return sentence
    return None


def _clocks(text: str) -> set[tuple[int, int]]:
    return {(int(hour), int(minute)) for hour, minute in _CLOCK.findall(text)}


def _quantities(text: str) -> dict[str, set[str]]:
    """The numbers of a text by the stemmed word that follows them."""
    found: dict[str, set[str]] = {}
    for number, unit in _QUANTITY.findall(text):
        for word in terms(unit) or ([unit] if unit == "%" else []):
            found.setdefault(word, set()).add(number.replace(",", ""))
    return found
