"""The short answer, compared with the accepted ones as SQuAD's scorer does.

Rajpurkar et al., SQuAD (EMNLP 2016), https://arxiv.org/abs/1606.05250, section 6.1, and its script
evaluate-v2.0.py. Unlike `quoting.words` this is that script's normal form to the letter, so that the
figures can stand beside published ones.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

from rag.answers import Answer

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


def short_answer(answer: Answer) -> str:
    """The words of an answer that are held against the accepted ones: those marked in its likeliest quote (not
    always the first: a sentence that leans on the one before it is read after it), else the quote itself; ""
    for a refusal.
    """
    if not answer.citations:
        return ""
    best = max(answer.citations, key=lambda one: one.score)
    return best.quote[slice(*best.answer)] if best.answer else best.quote


def exact_match(text: str, accepted: Sequence[str]) -> float:
    """1 if the normal form of `text` is that of one of the accepted answers, else 0."""
    return float(any(_tokens(text) == _tokens(one) for one in accepted))


def f1(text: str, accepted: Sequence[str]) -> float:
    """The largest token F1 of `text` over the accepted answers, repetitions counted; 0 without any."""
    return max((_f1(_tokens(text), _tokens(one)) for one in accepted), default=0.0)


def _f1(got: list[str], wanted: list[str]) -> float:
    if not got or not wanted:
        return float(got == wanted)
    same = sum((Counter(got) & Counter(wanted)).values())
    return 2 * same / (len(got) + len(wanted))


def _tokens(text: str) -> list[str]:
    """Lower case, ASCII punctuation removed, articles removed, split at white space."""
    return _ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split()
