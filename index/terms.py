"""Words as BM25 counts them."""

import re
from functools import cache

import Stemmer

from .normalising import searchable

# A number with its separators is one word ("20,000", "02:14", "3.5"), and so is a word with its
# apostrophes, which the stemmer takes off.
_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+(?:'\w+)*")

# Unlike a list for browsing, only words that carry no content in any question: articles,
# auxiliaries, pronouns, prepositions and the question words themselves.
STOPWORDS = frozenset(
    """
    a an the and or but if of at by for with about to from in on into is are was were be been being am do does did
    has have had having it its this that these those he she they them his her their there what which who whom whose
    when where why how as than then so such can could will would should may might shall not no i you we me my your
    our us
    """.split()  # noqa: SIM905 - a list of 70 quoted words is harder to read
)


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(language)


def terms(text: str, language: str = "english") -> list[str]:
    """The stemmed words of `text` in order, lower-cased, without stopwords.

    Stemmer: Snowball (Porter 2001, https://snowballstem.org).
    """
    plain = searchable(text).lower().replace("’", "'")
    # "what's" and "it's" are stopwords as well.
    words = [word.replace(",", "") for word in _WORD.findall(plain) if word.split("'")[0] not in STOPWORDS]
    return list(_stemmer(language).stemWords(words))
