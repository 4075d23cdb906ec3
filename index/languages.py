"""Which language a text is in (ISO 639-1), told without a network.

Identifier: py3langid (Lui, Baldwin 2012, langid.py, https://aclanthology.org/P12-3005), limited to
the languages below: of rarer ones near to them (Aragonese, Scots) it would see too much.
"""

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import Any

from .stopwords import STOPWORDS
from .terms import surface

NAMES = {
    "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan",
    "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "eo": "Esperanto",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish",
    "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "km": "Khmer", "kn": "Kannada", "ko": "Korean", "lo": "Lao", "lt": "Lithuanian", "lv": "Latvian",
    "mk": "Macedonian", "ml": "Malayalam", "mr": "Marathi", "my": "Burmese", "ne": "Nepali", "nl": "Dutch",
    "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

# What the identifier must be sure of: of 60,000 pieces of 16 words of English, German and Spanish
# paragraphs at most four in a thousand are then called something else (docs/evaluation.md).
SURE = 0.5
# A passage that is not in its document's language says so more clearly: quotes and names do not.
SURER = 0.9

# Where a quarter of the words (of fewer than twenty: five) are English stopwords, nothing needs to be loaded to
# say so: in English paragraphs the median is .38, in German and Spanish ones the most is .13.
_ENOUGH = 0.25
_FEW = 20
_LETTERS = re.compile(r"[a-z]+")

# Characters of a document that are looked at: a third each from its beginning, middle and end.
_SAMPLE = 3000


def language_of(text: str, otherwise: str = "en", sure: float = SURE) -> str:
    """The language of a text, or `otherwise` where the identifier is less than `sure` (a probability)."""
    sample = _sample(text)
    words = _LETTERS.findall(sample.lower())
    if words and sum(word in STOPWORDS["en"] for word in words) >= _ENOUGH * max(len(words), _FEW):
        return "en"
    if not any(character.isalpha() for character in sample):
        return otherwise
    language, probability = _identifier().classify(sample)
    return str(language) if probability >= sure else otherwise


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    third, middle = _SAMPLE // 3, len(text) // 2
    return f"{text[:third]} {text[middle - third // 2 : middle + third // 2]} {text[-third:]}"


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # 0.6 CPU s: only where a text is not plainly English

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(NAMES))
    return identifier


# Scripts by the first word of their characters' Unicode names; a language not named here is written in Latin.
_SCRIPTS = {
    "ARABIC": "ar fa ur", "ARMENIAN": "hy", "BENGALI": "bn", "CJK": "zh ja", "CYRILLIC": "be bg kk mk ru sr uk",
    "DEVANAGARI": "hi mr ne", "GEORGIAN": "ka", "GREEK": "el", "GUJARATI": "gu", "GURMUKHI": "pa", "HANGUL": "ko",
    "HEBREW": "he", "HIRAGANA": "ja", "KANNADA": "kn", "KATAKANA": "ja", "KHMER": "km", "LAO": "lo",
    "MALAYALAM": "ml", "MYANMAR": "my", "TAMIL": "ta", "TELUGU": "te", "THAI": "th",
}  # fmt: skip
_LATIN = frozenset(NAMES) - {language for languages in _SCRIPTS.values() for language in languages.split()}


@lru_cache(maxsize=64)
def question_language(text: str, among: tuple[str, ...]) -> str:
    """The language of a question about texts in the languages `among`, the most frequent first; it may
    also be English.

    A question is too short for the identifier. It is in the language most of whose stopwords it has; of
    equals, in one that is written in its script; of these, in the first.
    """
    words, written = surface(text), _written(text)
    return max(
        [*among, "en"],
        key=lambda one: (sum(word in STOPWORDS.get(one, ()) for word in words), one in written),
    )


def _written(text: str) -> frozenset[str]:
    """The languages that are written in a text's script: the one that most of its letters but the Latin have."""
    letters = (unicodedata.name(character, "?").split()[0] for character in text if character.isalpha())
    scripts = Counter(script for script in letters if script in _SCRIPTS).most_common(1)
    return frozenset(_SCRIPTS[scripts[0][0]].split()) if scripts else _LATIN
