"""Whether one text quotes another, apart from case, punctuation, articles and spaces."""

import re
import unicodedata
from functools import lru_cache

ARTICLES = {"a", "an", "the"}
# A run of word characters (a point between digits is part of the number), or one character of a script
# that writes no spaces: Japanese kana, Chinese characters.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


@lru_cache(maxsize=4096)  # a passage is compared with every accepted answer
def words(text: str) -> tuple[str, ...]:
    """The words of `text` in the normal form of SQuAD's scorer, made fit for more than ASCII.

    Compatibility forms and case folded; dashes and slashes become spaces; other punctuation and symbols
    fall away ("20,000" is "20000"), but not a point between digits ("3.5" is not "35"); no articles.
    Rajpurkar et al., SQuAD (EMNLP 2016), https://arxiv.org/abs/1606.05250.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(_keep(folded, at) for at in range(len(folded)))
    return tuple(word for word in WORD.findall(kept) if word not in ARTICLES)


def contains(text: str, part: str) -> bool:
    """Whether the words of `part` stand in `text` as they are, in one piece; never if `part` has none."""
    whole, piece = words(text), words(part)
    return bool(piece) and any(whole[at : at + len(piece)] == piece for at in range(len(whole) - len(piece) + 1))


def overlap(one: str, other: str) -> bool:
    """Whether one of two texts contains the other."""
    return contains(one, other) or contains(other, one)


def word_recall(text: str, part: str) -> float:
    """Share of the words of `part`, repetitions counted, that stand somewhere in `text`; 0 if none."""
    left, wanted = list(words(text)), words(part)
    found = 0
    for word in wanted:
        if word in left:
            left.remove(word)
            found += 1
    return found / len(wanted) if wanted else 0.0


def _keep(text: str, at: int) -> str:
    """What the character at `at` becomes: itself, a space, or nothing."""
    character = text[at]
    if character == "." and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
        return character
    category = unicodedata.category(character)
    if category == "Pd" or character in "/\\\u2044":
        return " "
    return "" if category[0] in "PS" or category == "Cf" else character
