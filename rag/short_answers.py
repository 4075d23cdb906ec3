"""The few words within a quoted sentence that are the answer itself: a name, a number, a date.

A reader says where they are. Without one, candidates are the expressions of the wanted kind that the question
does not bring itself, and the one whose surroundings share most with the question is taken; where the kind is
not known, nothing is marked.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from itertools import islice

from index import Index
from index.sentences import Span
from index.terms import terms

from .questions import MONTHS, NUMBER_WORDS, PERIODS, Question, Wanted, any_of
from .reading import Sentence

_YEAR = r"(?:1\d{3}|20\d{2})"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_MONTH = any_of(MONTHS)
_TIME = re.compile(
    rf"""\b(?:
      (?:between|from)\s{_YEAR}\s(?:and|to|until)\s{_YEAR} | {_YEAR}\s?[-–—]\s?(?:{_YEAR}|\d\d)\b
    | (?:{_DAY}\s(?:of\s)?)?{_MONTH}(?:\s{_DAY}\b(?!\d))?(?:,?\s(?:of\s)?{_YEAR})?
    | (?:early|mid|late)?[-\s]?\d{{1,2}}(?:st|nd|rd|th)(?:\s(?:and|to)\s\d{{1,2}}(?:st|nd|rd|th))?[\s-]centur(?:y|ies)
    | {_YEAR}s? | \d{{4}}-\d\d-\d\d | \d{{1,2}}:\d\d(?:\s?[ap]\.?m\.?)? | \d{{1,2}}\s?[ap]\.?m\b\.?
    | \d+(?:\.\d+)?\s(?:BCE?|CE|AD)
    | (?:{any_of(NUMBER_WORDS)}|\d+(?:\.\d+)?)[\s-](?:and\sa\shalf\s)?{any_of(PERIODS)}
    | (?:sun|mon|tues|wednes|thurs|fri|satur)day | midnight | noon
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_UNITS = (
    "mm cm m km mm² cm² m² km² cm³ m³ mg g kg t ml l ft lb oz kW MW kWh MWh km/h mph GB MB °C °F ° litres? liters? "
    "met(?:er|re)s? kilomet(?:er|re)s? miles? feet inches tonnes? tons? pounds? ounces? acres? hectares? degrees? "
    "dollars? euros? seconds? minutes? hours? days? weeks? months? years?"
)
_NUMBER = re.compile(
    rf"""(?:[$€£¥]\s?)?(?<![\w.])(?:\d[\d,]*(?:\.\d+)?|\b(?:{any_of(NUMBER_WORDS)})(?:[\s-](?:{any_of(NUMBER_WORDS)}))*\b)
    (?:\s?(?:%|percent|per\scent|million|billion|trillion|thousand|hundred))*(?:\s?{any_of(_UNITS)})?(?![\w])""",
    re.IGNORECASE | re.VERBOSE,
)
_CAPITAL = r"(?:[A-Z][\w'’&-]*\.?|[A-Z]\.)"
_NAME = re.compile(rf"{_CAPITAL}(?:\s(?:(?:of|the|de|la|van|von|der|den|bin|ibn|al|du|and\sthe)\s){{0,2}}{_CAPITAL})*")
# What opens a sentence with a capital and is no name.
_OPENERS = frozenset(
    """the a an in on at by for from with to of and but or as it he she they this that these those his her its their
    there when while where after before during since until although though however if because some many most one two
    all both each other another such what who which how why according""".split()  # noqa: SIM905
)
# Single words that tell where somebody is from, or what he holds: hardly a person or a place.
_DEMONYM = re.compile(r"[A-Z][a-z]+(?:ese|ish|ian|ean|ic|ists?|isms?|ians?|ans)$")
_CALENDAR = re.compile(rf"(?:{any_of(MONTHS)}|(?:sun|mon|tues|wednes|thurs|fri|satur)day)$", re.IGNORECASE)
# Characters before a place that tell it for one: the longest, "outside the ", and what stands before.
_BEFORE = 20
_PLACED = re.compile(r"\b(?:in|at|near|from|to|into|outside|inside|around|across|of)\s(?:the\s)?$", re.IGNORECASE)
_WORD = re.compile(r"\w[\w'’.,:-]*\w|\w")
# What a question of number asks for more exactly, and what its answer then looks like.
_EXACTLY = [
    (re.compile(r"\b(?:percent|percentage|share)\b", re.IGNORECASE), re.compile(r"%|percent|per cent", re.IGNORECASE)),
    (re.compile(r"\b(?:cost|pay|paid|price|bid|spen[dt]|worth|dollars?|euros?|revenue|budget)\b", re.IGNORECASE),
     re.compile(r"[$€£¥]")),
]  # fmt: skip
_SHORT_TIME = re.compile(r"(?:second|minute|hour)s?$", re.IGNORECASE)
_LASTING = re.compile(r"\bhow (?:long|old|often)\b", re.IGNORECASE)
# The best candidate must be so much better than the next, or nothing is marked: a wrong mark misleads.
_LEAD = 1.3
# A reader's answer is marked unless it is by so much less likely than none (a logit): 97 % of the tuning questions
# have one then, and what is left out was right in one of six.
MARGIN = -6.0
# Of more candidates than this in one sentence (a list, a table without cells) none stands out.
_MOST = 64


def short_answer(index: Index, question: Question, sentence: Sentence) -> Span | None:
    """The (start, end) characters of a sentence's text that answer: those that a reader found, if one has read
    it; else None if nothing in it is of the wanted kind, or nothing stands out.
    """
    if sentence.reread:
        return sentence.reread.answer if sentence.reread.margin >= MARGIN else None
    weights = index.query_weights(question.text, sentence.language, question.further)
    return _nearest(question, sentence.text, sentence.language, weights)


def _nearest(question: Question, sentence: str, language: str, weights: Mapping[str, float]) -> Span | None:
    candidates = list(islice(_candidates(question, sentence), _MOST + 1))
    if len(candidates) > _MOST:
        return None
    brought = frozenset(weights)
    words = [(*found.span(), brought.intersection(terms(found[0], language))) for found in _WORD.finditer(sentence)]
    starts, ends = [first for first, _, _ in words], [last for _, last, _ in words]
    shared = [(place, weights[word]) for place, (_, _, stems) in enumerate(words) for word in stems]
    scored: list[tuple[float, Span]] = []
    for start, end in candidates:
        own = frozenset(terms(sentence[start:end], language))
        if not own or own <= brought:
            continue
        first, last = bisect_right(ends, start), bisect_left(starts, end) - 1  # the words that it is made of
        score = sum(
            weight / (1 + max(first - place, place - last)) for place, weight in shared if not first <= place <= last
        )
        if question.wanted is Wanted.PLACE and _PLACED.search(sentence[max(0, start - _BEFORE) : start]):
            score = 1.5 * score + 1
        if sentence.count("(", 0, start) > sentence.count(")", 0, start):  # a conversion, a remark
            score /= 2
        scored.append((score, (start, end)))
    scored.sort(key=lambda one: -one[0])
    if not scored or (len(scored) > 1 and scored[0][0] <= _LEAD * scored[1][0]):
        return None
    return scored[0][1]


def _candidates(question: Question, sentence: str) -> Iterator[Span]:
    wanted = question.wanted
    if wanted is Wanted.TIME or (wanted is Wanted.NUMBER and _LASTING.search(question.text)):
        for found in _TIME.finditer(sentence):
            yield found.start() + len(found[0]) - len(found[0].lstrip(" -")), found.end()
        if wanted is Wanted.NUMBER:
            yield from (found.span() for found in _NUMBER.finditer(sentence) if _SHORT_TIME.search(found[0]))
    elif wanted is Wanted.NUMBER:
        yield from _numbers(question, sentence)
    elif wanted in (Wanted.PERSON, Wanted.PLACE):
        for found in _NAME.finditer(sentence):
            start, end = found.span()
            opener = sentence[start:end].split()[0].lower()
            if opener in _OPENERS:
                start += len(opener)
                start += len(sentence[start:end]) - len(sentence[start:end].lstrip())
            end -= len(sentence[start:end]) - len(sentence[start:end].rstrip("."))
            if start < end and not (_DEMONYM.match(sentence[start:end]) or _CALENDAR.match(sentence[start:end])):
                yield start, end


def _numbers(question: Question, sentence: str) -> list[Span]:
    """Numbers that are no dates; only those of the unit that the question names, if there are any."""
    times = [range(*found.span()) for found in _TIME.finditer(sentence) if found[0][-1:].isdigit()]
    dated = {place for time in times for place in time}
    numbers = [found.span() for found in _NUMBER.finditer(sentence) if found.start() not in dated]
    for asks, looks in _EXACTLY:
        fitting = [span for span in numbers if looks.search(sentence[slice(*span)])]
        if fitting and asks.search(question.text):
            return fitting
    return numbers
