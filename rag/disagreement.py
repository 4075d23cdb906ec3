"""Sentences that do not go together: both are shown, with who says what.

Two signs: one sentence disputes what another states, or both give another number for the same
thing. Rules, not a model; they fire on candidates for the same question only.
"""

import re
from collections.abc import Sequence
from itertools import combinations

from index.terms import terms

from .questions import Question, Wanted
from .reading import Sentence

_DISPUTES = re.compile(
    r"""\b(?:
      den(?:y|ies|ied|ying) | disput(?:e|es|ed|ing) | reject(?:s|ed|ing)? | refut(?:e|es|ed|ing) | contest(?:s|ed|ing)?
    | contradict(?:s|ed|ing)? | dismiss(?:es|ed|ing)? | disagree(?:s|d|ing)? | challeng(?:es|ed|ing)
    | questioned | questions\s(?:whether|the|this|how)
    | exaggerat\w+ | overstat\w+ | unfounded | untrue | incorrect | myth | fabricat\w+ | propaganda | controversial
    | debated | misleading | contrary\sto | unlike | no\sevidence | never\shappened
    | (?:was|were|is|are)\swrong | (?:had|has|have)\snothing\sto\sdo\swith
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
# A number and the word that it counts; a time of day; a year stands for itself.
_QUANTITY = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?|\d{1,2}:\d{2})\s*(%|[a-zA-Z]{2,})?")
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b")

# Of the best sentence's score, what the other side of a disagreement must reach.
_REACH = 0.12
# Candidates that are compared.
_COMPARED = 12
# Cosine between two sentences about the same thing, within their passages.
_ALIKE = 0.45


def disagreement(question: Question, sentences: Sequence[Sentence]) -> tuple[Sentence, Sentence] | None:
    """The best two sentences that disagree about what is asked, the more likely one first; or None."""
    if not sentences:
        return None
    floor = _REACH * sentences[0].score
    compared = [sentence for sentence in sentences[:_COMPARED] if sentence.score >= floor]
    for first, second in combinations(compared, 2):
        if first is not compared[0] and question.wanted is not Wanted.YES_OR_NO:
            break  # other pairs may differ about something that was not asked
        if _about_the_same(first, second) and (
            _disputes(question, first, second) or _numbers_differ(question, first, second)
        ):
            return first, second
    return None


def _about_the_same(one: Sentence, other: Sentence) -> bool:
    return float(one.vector @ other.vector) >= _ALIKE


def _disputes(question: Question, one: Sentence, other: Sentence) -> bool:
    """Exactly one of them disputes, and both speak of what the question names."""
    disputing = [_DISPUTES.search(sentence.text) is not None for sentence in (one, other)]
    if disputing[0] == disputing[1]:
        return False
    asked = set(question.words)
    shared = asked & one.words, asked & other.words
    return all(shared) and bool(one.words & other.words)


def _numbers_differ(question: Question, one: Sentence, other: Sentence) -> bool:
    """Both count the same thing and arrive at different numbers, in different voices.

    Different voices: two documents, or two attributions.
    """
    if question.wanted not in (Wanted.NUMBER, Wanted.TIME, Wanted.YES_OR_NO, Wanted.OTHER):
        return False
    two_documents = one.hit.passage.source != other.hit.passage.source
    attributed = [_ATTRIBUTED.search(sentence.text) is not None for sentence in (one, other)]
    if not (two_documents or all(attributed)):
        return False
    asked = set(question.words)
    needed = max(1, round(0.5 * len(asked)))
    if len(asked & one.words) < needed or len(asked & other.words) < needed:
        return False
    if question.wanted is Wanted.TIME:
        clocks = set(_CLOCK.findall(one.text)), set(_CLOCK.findall(other.text))
        if all(clocks) and not clocks[0] & clocks[1]:
            return True
    counted, others = _quantities(one.text), _quantities(other.text)
    return any(counted[unit].isdisjoint(others[unit]) for unit in counted.keys() & others.keys())


def _quantities(text: str) -> dict[str, set[str]]:
    """The numbers of a text by the stemmed word that follows them."""
    found: dict[str, set[str]] = {}
    for number, unit in _QUANTITY.findall(text):
        for word in terms(unit) or ([unit] if unit == "%" else []):
            found.setdefault(word, set()).add(number.replace(",", ""))
    return found
