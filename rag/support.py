"""Whether the passages that a generated sentence cites say what it says.

A sentence is compared with each sentence of those passages: the share of its words, weighted by rarity, that are
there, plus the cosine of the two. One sentence of a document that says it supports it; several that do so only
together support it weakly. A number, a name or a quotation that stands in none of the passages makes it unsupported
whatever the rest says. No rule here understands: who did what to whom is told by words alone (docs/language-models.md).
"""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from index import Index
from index.documents import Passage
from index.embedding import Vectors
from index.normalising import searchable
from index.stopwords import STOPWORDS
from index.terms import surface, terms

from .reading import negated

Grade = Literal["supported", "weak", "unsupported"]

# What the best sentence must reach, words and cosine together, to support; and what the nearest `TOGETHER` must, to
# support weakly. Chosen on every second claim of WiCE (docs/evaluation.md).
SUPPORTED, WEAK = 1.2, 1.0
TOGETHER = 3

# Of a source's words, what a sentence repeats that differs from it by a "not" alone.
_REPEATED = 0.8

# A token with a digit in it: a number, a date, a time, a name such as G1.
_FIGURE = re.compile(r"\b[^\W\d]*\d(?:[\w.,:]*\w)?")
_DIGITS = re.compile(r"\d+(?:[.:,]\d+)*")
_NUMBERS = {
    word: str(value)
    for value, words in {
        2: "two second twice", 3: "three third", 4: "four fourth", 5: "five fifth", 6: "six sixth", 7: "seven seventh",
        8: "eight eighth", 9: "nine ninth", 10: "ten tenth", 11: "eleven", 12: "twelve", 13: "thirteen",
        14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen", 20: "twenty",
        30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety",
    }.items()
    for word in words.split()
}  # fmt: skip
_SPELLED = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)
# "The second" may be a unit and "second, ..." opens a sentence: these prove a number, and need no proof.
_AMBIGUOUS = frozenset({"second", "twice", "third"})
# A capital within a sentence. Where every noun has one, it tells nothing.
_NAME = re.compile(r"(?<=[\w,;’'\"“(] )[\"“(]?([A-Z][\w'’-]+)")
_CAPITALISING = frozenset({"de"})
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{12,})[\"”“»]")
_GAP = re.compile(r"(?<!\s)\s*(?:\.\.\.|…|\[[^\]]{0,20}\])\s*")


@dataclass(frozen=True, slots=True)
class Quote:
    """The sentence at `sentence` of passage `passage`, both from 0, says it best there; a larger `score` is better."""

    passage: int
    sentence: int
    score: float


@dataclass(frozen=True, slots=True)
class Support:
    """What the passages make of a sentence: a grade, for a person why it is not `supported`, and the best sentence
    of each passage that bears on it, in the order the passages were named; none if it is unsupported.
    """

    grade: Grade
    reason: str = ""
    quotes: tuple[Quote, ...] = ()


def likeness(
    weights: Mapping[str, float], cosines: Vectors, words: Sequence[Set[str]], context: Set[str] = frozenset()
) -> tuple[list[float], float]:
    """How far sentences say what another one does, each in [-1, 2]: each by itself, and the nearest `TOGETHER`.

    `weights` are the terms of that other one with their rarity, `cosines` (n,) its nearness to each, `words` the
    terms of each; those of the `context` (title, headings) count as theirs. Measured by benchmarks/support.py.
    """

    def share(held: Set[str]) -> float:
        return sum(weight for word, weight in weights.items() if word in held) / (sum(weights.values()) or 1.0)

    alone = [float(cosine) + share(held | context) for cosine, held in zip(cosines, words, strict=True)]
    nearest = np.argsort(-cosines, kind="stable")[:TOGETHER]
    union = set(context).union(*(words[at] for at in nearest.tolist()))
    return alone, float(cosines.max()) + share(union)


class Checker:
    """Sentences against the passages of one prompt; a passage is embedded when it is first cited."""

    def __init__(self, index: Index, passages: Sequence[Passage]) -> None:
        self._index = index
        self._passages = passages
        self._sentences = [[one.quote(number) for number in range(len(one.sentences))] for one in passages]
        self._vectors = cache(lambda at: index.embedder.embed_passages(self._sentences[at]))
        self._words = cache(lambda at: [frozenset(terms(text, passages[at].language)) for text in self._sentences[at]])
        self.check = cache(self._check)

    def _check(self, sentence: str, cited: tuple[int, ...]) -> Support:
        """The grade of a sentence by the passages at `cited` (from 0); by all of them, and then supported or not,
        where it cites none.
        """
        named = cited or tuple(range(len(self._passages)))
        if not terms(sentence) and not figures(sentence):
            return Support("unsupported", "it says nothing that can be checked")
        if not cited and (found := self._by_any(sentence)):
            return found
        if not cited:
            return Support("unsupported", "it names no passage, and none says it")
        if missing := self._missing(sentence, named):
            return Support("unsupported", missing)
        return self._graded(sentence, named)

    def _by_any(self, sentence: str) -> Support | None:
        """The one passage that says it best, if it does so wholly."""
        each = [self._check(sentence, (at,)) for at in range(len(self._passages))]
        good = [one for one in each if one.grade == "supported"]
        return max(good, key=lambda one: one.quotes[0].score, default=None)

    def _missing(self, sentence: str, cited: Sequence[int]) -> str:
        """The first number, name or quotation that stands in none of the cited passages, as a reason; or empty."""
        texts = [f"{self._passages[at].context}\n{self._passages[at].text}" for at in cited]
        known = set().union(*map(figures, texts))
        for figure in sorted(figures(sentence, proven=False) - known):
            return f"the number {figure} stands in no passage that it cites"
        held = [_flat(text) for text in texts]
        for quotation in _QUOTED.findall(sentence):
            if not any(_quotes(text, quotation) for text in held):
                return "it quotes what stands in no passage that it cites"
        if self._passages[cited[0]].language in _CAPITALISING:
            return ""
        words = {word for text in texts for word in _stems(text)}
        for name in _NAME.findall(sentence):
            if not _stems(name) <= words:
                return f"the name {name} stands in no passage that it cites"
        return ""

    def _graded(self, sentence: str, cited: Sequence[int]) -> Support:
        vector = self._index.embedder.embed_passages([sentence])[0]
        quotes, together = [], 0.0
        for at in cited:
            passage = self._passages[at]
            if not self._sentences[at]:
                continue
            weights = self._index.query_weights(sentence, passage.language)
            context = frozenset(terms(passage.context, passage.language))
            alone, near = likeness(weights, self._vectors(at) @ vector, self._words(at), context)
            best = max(range(len(alone)), key=alone.__getitem__)
            quotes.append(Quote(at, best, alone[best]))
            together = max(together, near)
        strong = max(quotes, key=lambda one: one.score, default=None)
        if strong is None or max(strong.score, together) < WEAK:
            return Support("unsupported", "the passage that it cites does not say it" if len(cited) == 1 else
                           "the passages that it cites do not say it")  # fmt: skip
        bearing = tuple(one for one in quotes if one.score >= WEAK) or (strong,)
        said = " ".join(self._sentences[one.passage][one.sentence] for one in bearing)
        if strong.score < SUPPORTED:
            return Support("weak", "no one sentence that it cites says all of it", bearing)
        if figures(sentence, proven=False) - figures(f"{said} {self._passages[strong.passage].context}"):
            return Support("weak", "a number in it stands elsewhere in the passage", bearing)
        if self._denies(sentence, strong):
            return Support("weak", "only one of the two, it or its source, says not", bearing)
        return Support("supported", "", bearing)

    def _denies(self, sentence: str, quote: Quote) -> bool:
        """Whether it says not and its source does not; or repeats its source but for the not."""
        source = self._sentences[quote.passage][quote.sentence]
        if negated(sentence) or not negated(source):
            return negated(sentence) and not negated(source)
        words = self._words(quote.passage)[quote.sentence]
        repeated = words.intersection(terms(sentence, self._passages[quote.passage].language))
        return len(repeated) >= _REPEATED * len(words)


def figures(text: str, *, proven: bool = True) -> set[str]:
    """The numbers of a text in one spelling (1,200 as 1200, three as 3), and names with digits in them.

    `proven` takes words that may be no number ("second"): they can prove one, and need no proof themselves.
    """
    found = set[str]()
    for token in _FIGURE.findall(searchable(text)):
        found.update(map(_one_spelling, _DIGITS.findall(token)))
        if token[0].isalpha():
            found.add(token.lower())
    for word in map(str.lower, _SPELLED.findall(text)):
        if proven or word not in _AMBIGUOUS:
            found.add(_NUMBERS[word])
    return found


def _one_spelling(digits: str) -> str:
    digits = re.sub(r",(?=\d{3}(?!\d))", "", digits)
    if digits.count(".") == 1 and digits.replace(".", "").isdecimal():
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits.lstrip("0") or "0"


def _stems(text: str) -> set[str]:
    """The words of a text, stopwords too, with and without an ending of possession or plural."""
    return {re.sub(r"(?:'s|s'?)$", "", word) for word in surface(text) if word not in STOPWORDS["en"]}


def _flat(text: str) -> str:
    return " ".join(surface(text))


def _quotes(text: str, quotation: str) -> bool:
    """Whether the parts of a quotation, between its marks of omission, stand in the text in their order."""
    place = 0
    for part in _GAP.split(quotation):
        words = _flat(part)
        found = text.find(words, place)
        if found < 0:
            return False
        place = found + len(words)
    return True
