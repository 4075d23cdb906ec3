"""Words as BM25 counts them."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import Stemmer

from .normalising import searchable
from .stopwords import STOPWORDS

# Snowball's stemmers (PyStemmer) by ISO 639-1; a language without one keeps its words as they are.
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip

# Combining marks that `\w` leaves out although they are part of a word: accents without a composed
# form, and the vowel signs of South and South-East Asia (the danda, which ends a sentence, is none).
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0900-\u0963\u0966-\u0df3\u0e00-\u0e4e\u0e50-\u0edf\u1000-\u1049\u1780-\u17d3"
    "\u3099\u309a"
)
# Points and vowels that are written or left out at will (Hebrew, Arabic), and the stretching kashida.
_OPTIONAL = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")
# A number with its separators is one word ("20,000", "02:14", "3.5"), and so is a word with its
# apostrophes, which the stemmer takes off.
_ASCII_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+(?:'\w+)*")
_WORD = re.compile(rf"\d+(?:[.,:]\d+)+|\w[\w{_MARKS}]*(?:'[\w{_MARKS}]+)*")
# Scripts without spaces between words, and Hangul, whose spaces stand between phrases.
UNSEGMENTED = (
    "\u0e01-\u0e4e\u0e81-\u0edf\u1000-\u1049\u1050-\u109f\u1100-\u11ff\u1780-\u17d3\u2e80-\u2fdf\u3005-\u3007"
    "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"([{UNSEGMENTED}]+)")
# A character with the marks above, below and beside it.
_CLUSTER = re.compile(
    ".[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u3099\u309a]*"
)


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(_STEMMERS[language])


def terms(text: str, language: str = "en", asked_in: str | None = None) -> list[str]:
    """The stemmed words of `text` in order, lower-cased, without stopwords, as a passage of `language`
    (ISO 639-1) has them. A question in another language, `asked_in`, loses that one's stopwords too.

    Runs of a script without spaces become overlapping pairs of characters, as in Lucene's CJKAnalyzer.
    Stemmer: Snowball (Porter 2001, https://snowballstem.org).
    """
    dropped = _stopwords(language, asked_in or language)
    words = [word for word in surface(text, language) if not dropped(word)]
    return list(_stemmer(language).stemWords(words)) if language in _STEMMERS else words


@cache
def _stopwords(language: str, asked_in: str) -> Callable[[str], bool]:
    """Whether a word is a stopword of either language."""
    stopwords = STOPWORDS.get(language, frozenset()) | STOPWORDS.get(asked_in, frozenset())
    if "en" not in (language, asked_in):
        return stopwords.__contains__
    contracted = STOPWORDS["en"]  # "what's" and "it's" are stopwords as well
    return lambda word: word in stopwords or ("'" in word and word.partition("'")[0] in contracted)


def surface(text: str, language: str = "en") -> list[str]:
    """The words of `text` in order, lower-cased as `language` does it, as they are before stemming."""
    plain = searchable(text).replace("’", "'")
    if plain.isascii() and language != "tr":
        return [word.replace(",", "") for word in _ASCII_WORD.findall(plain.lower())]
    if language in ("tr", "az"):
        plain = plain.replace("I", "ı")
    plain = _OPTIONAL.sub("", plain.replace("İ", "i").lower())
    return [part for word in _WORD.findall(plain) for part in _parts(word.replace(",", ""))]


def _parts(word: str) -> Iterator[str]:
    """The word, or where a script without spaces is in it, the pairs of its characters and what is between."""
    if word.isascii() or not _RUN.search(word):
        yield word
        return
    for part in _RUN.split(word):
        if not _RUN.match(part):
            if part:
                yield part
            continue
        clusters = _CLUSTER.findall(part)
        yield from [one + other for one, other in pairwise(clusters)] or clusters
