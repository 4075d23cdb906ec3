"""What a question asks for, as far as its wording tells."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from index.errors import UsageError
from index.normalising import searchable
from index.terms import terms

# Longer than any question, short enough that no expression below can be made slow.
LONGEST = 4000


class Wanted(Enum):
    """The kind of thing that would answer."""

    PERSON = "person"
    TIME = "time"
    NUMBER = "number"
    PLACE = "place"
    REASON = "reason"
    YES_OR_NO = "yes or no"
    OVERVIEW = "overview"
    OTHER = "other"


_OVERVIEW = re.compile(
    r"""^(?:please\s+|can\s+you\s+|could\s+you\s+)?(?:
      (?:give|show|write|provide)\s+(?:me\s+)?(?:an?\s+|the\s+)?(?:short\s+|brief\s+)?
        (?:overview|summary|outline|gist)\b
    | (?:summari[sz]e|outline|sum\s+up)\b
    | (?:an?\s+|the\s+)?(?:overview|summary|outline|gist|tl;?dr)\b
    | what(?:'s|\s+is|\s+are|\s+do|\s+does)\s+(?:this|these|it|they|the|my|all|in)\b.{0,120}?\b
        (?:about|contain|cover|say|discuss|deal\s+with)\s*\??$
    | what(?:'s|\s+is)\s+in\s+(?:this|these|the|my|here)\b
    | what\s+is\s+.{1,120}\s+about\s*\??$
    | (?:list|show|name|what\s+are|which\s+are|which|what)\s+(?:me\s+)?(?:all\s+)?(?:of\s+)?
        (?:the\s+|my\s+|your\s+|these\s+)?(?:documents?|files?|sources?|papers?|reports?)
        (?:\s+(?:are\s+there|do\s+you\s+have|have\s+you\s+(?:got|read)|are\s+(?:indexed|available|loaded)
          |(?:are\s+)?in\s+(?:here|(?:the|this|my|your)\s+(?:index|collection|library|folder))))?\s*[?.]?$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_LIST = re.compile(
    r"^(?:please\s+)?(?:list|show|name|what|which)\b.{0,40}\b(?:documents?|files?|sources?|papers?|reports?)\b",
    re.IGNORECASE,
)

_MEASURED = "many much long old far big large high tall deep often fast heavy wide cold hot few"
_QUANTITIES = (
    "number percentage percent rate price cost size amount temperature population total share ratio score accuracy "
    "distance height length weight age"
)
_AUXILIARIES = "is are was were do does did has have had can could should will would may must"
_PEOPLE = "person man woman author scientist leader king queen commander general president"
_PLACES = "country city place town region state province location room building island"


def any_of(words: str) -> str:
    """An expression for any of the words."""
    return f"(?:{'|'.join(words.split())})"


# The first that fits, from the most telling wording to the least.
_WANTED = [
    (Wanted.NUMBER, rf"\bhow {any_of(_MEASURED)}\b"),
    (Wanted.NUMBER, rf"\b(?:what|which) (?:(?:was|is|were|are) )?(?:the )?(?:\w+ ){{0,2}}{any_of(_QUANTITIES)}\b"),
    (Wanted.TIME, r"\b(?:when|(?:what|which) (?:year|date|day|time|month|decade|century)|(?:since|until) when)\b"),
    (Wanted.PERSON, rf"\b(?:who|whom|whose|(?:what|which) {any_of(_PEOPLE)})\b"),
    (Wanted.PLACE, rf"\b(?:where|(?:what|which) {any_of(_PLACES)})\b"),
    (Wanted.REASON, r"\b(?:why|how come|what (?:caused|causes|led|made)|what (?:was|is) the (?:reason|cause))\b"),
    (Wanted.YES_OR_NO, rf"^{any_of(_AUXILIARIES)}\b"),
]
_WANTED_PATTERNS = [(wanted, re.compile(pattern, re.IGNORECASE)) for wanted, pattern in _WANTED]

NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty "
    "ninety hundred hundreds thousand thousands million millions billion dozen half twice first second third"
)
MONTHS = "january february march april may june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
PERIODS = (
    "century decade midnight noon morning evening year years day days week weeks month months summer winter spring "
    "autumn"
)
_NUMBER = re.compile(rf"\d|\b{any_of(NUMBER_WORDS)}\b", re.IGNORECASE)
_TIME = re.compile(
    rf"\b(?:1\d{{3}}|20\d{{2}}|\d{{1,2}}:\d{{2}})\b|\b\d{{1,2}}(?:st|nd|rd|th)?[ /.:-](?:\d|{any_of(MONTHS)})"
    rf"|\b(?:{any_of(MONTHS.replace(' may ', ' '))}|{any_of(_DAYS)}|{any_of(PERIODS)})\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w'’-]+")
_PLACE = re.compile(
    r"\b(?:in|at|near|from|to|of|on|between|inside|outside|north|south|east|west)\b (?:the )?[A-Z]|\b[A-Z]\w+, [A-Z]"
)
_REASON = re.compile(
    r"\b(?:because|due to|since|so that|in order to|caused|causes|cause|led to|result(?:ed|s)?|reasons?|therefore|thus|"
    r"owing|to (?:avoid|prevent|ensure|allow|reduce|protect)|as a consequence|which is why|for fear)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Question:
    """`text` as asked, without white space around it; `words` its distinct terms, stemmed as English, sorted.

    `further` are words that a conversation adds, each with the share of its weight that counts.
    """

    text: str
    words: tuple[str, ...]
    wanted: Wanted
    further: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Question":
        """Raises UsageError for a question of nothing but white space, or of over 4,000 characters."""
        if not isinstance(text, str):
            raise UsageError(f"a question is a text, got {type(text).__name__}")
        text = _readable(text).strip()
        if not searchable(text).strip():
            raise UsageError("the question is empty: ask something")
        if len(text) > LONGEST:
            raise UsageError(f"the question has {len(text):,} characters, at most {LONGEST:,} are read: shorten it")
        return cls(text, tuple(sorted(set(terms(text)))), _wanted(text))

    def words_in(self, language: str) -> frozenset[str]:
        """Its words as sentences of a language (ISO 639-1) have them; `words` are the English ones."""
        return frozenset(self.words if language == "en" else terms(self.text, language))

    @property
    def wants_list(self) -> bool:
        """Whether it asks which documents there are, not what they say."""
        return self.wanted is Wanted.OVERVIEW and _LIST.search(self.text) is not None


def _readable(text: str) -> str:
    """Text that can be encoded: bytes that came in as surrogates (PEP 383) are read as UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def _wanted(text: str) -> Wanted:
    if _OVERVIEW.search(text):
        return Wanted.OVERVIEW
    for wanted, pattern in _WANTED_PATTERNS:
        if pattern.search(text):
            return wanted
    return Wanted.OTHER


def offers(wanted: Wanted, sentence: str, question: Question) -> bool:
    """Whether a sentence holds the kind of thing that is wanted, beyond what the question brings itself."""
    if wanted is Wanted.NUMBER:
        return _NUMBER.search(sentence) is not None
    if wanted is Wanted.TIME:
        return _TIME.search(sentence) is not None
    if wanted is Wanted.PERSON:
        return any(name not in question.text for name in _NAME.findall(sentence))
    if wanted is Wanted.PLACE:
        return _PLACE.search(sentence) is not None
    if wanted is Wanted.REASON:
        return _REASON.search(sentence) is not None
    return False
