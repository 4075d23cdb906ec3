"""Chosen sentences to a text with footnotes."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from index.sentences import Span

from .answers import Citation
from .reading import Sentence

# What stands in a quote and looks like one of our markers.
_LIKE_A_MARKER = re.compile(r"\[(?=\d+\])")
_WORD_JOINER = "\u2060"


def without_markers(text: str) -> str:
    """Text in which no `[12]` can be taken for a footnote: it gets an invisible character."""
    return _LIKE_A_MARKER.sub("[" + _WORD_JOINER, text)


def cite(
    sentences: Sequence[Sentence], lead: str = "", answers: Sequence[Span | None] = ()
) -> tuple[str, tuple[Citation, ...]]:
    """The sentences in the order given, each followed by its marker, after an optional lead.

    `answers` are the spans of the sentences that are the answer itself, as far as they are known.

    A quote is exact in its citation; in the text, a reference mark such as `[12]` inside a quote
    gets an invisible character, so that the only markers there are ours.
    """
    parts = [lead] if lead else []
    citations = []
    for marker, (sentence, answer) in enumerate(zip_longest(sentences, answers), 1):
        parts.append(f"{without_markers(sentence.text)} [{marker}]")
        passage = sentence.hit.passage
        citations.append(
            Citation(
                marker=marker,
                source=passage.source,
                title=passage.title,
                start=sentence.start,
                end=sentence.end,
                quote=sentence.text,
                passage_id=passage.id,
                page=passage.page,
                heading=passage.heading,
                score=sentence.score,
                answer=answer,
            )
        )
    return " ".join(parts), tuple(citations)
