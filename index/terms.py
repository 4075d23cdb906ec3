"""Words as BM25 counts them."""

import re
from functools import cache

import Stemmer

from .normalising import searchable

_WORD = re.compile(r"\w+")

# Unlike a list for browsing, only words that carry no content in any question: articles,
# auxiliaries, pronouns, prepositions and the question words themselves.
STOPWORDS = frozenset(
    """a an the and or but if of at by for with about to from in on into is are was were be been being am
    do does did has have had having it its this that these those he she they them his her their there
    what which who whom whose when where why how as than then so such can could will would should may
    might shall not no i you we me my your our us""".split()
)


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(language)


def terms(text: str, language: str = "english") -> list[str]:
    """The stemmed words of `text` in order, lower-cased, without stopwords.

    Stemmer: Snowball (Porter 2001, https://snowballstem.org).
    """
    words = [word for word in _WORD.findall(searchable(text).lower()) if word not in STOPWORDS]
    return list(_stemmer(language).stemWords(words))
