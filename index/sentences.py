"""Sentence spans."""

import re

import sentencex

Span = tuple[int, int]

_LINE = re.compile(r"[^\n]+")
# The marker of a list item stands before its first sentence, not in it.
_MARKER = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+")
# A line that is one unit whatever stands in it: a table row.
_ROW = re.compile(r" \| ")


def trimmed(text: str, start: int, end: int) -> Span:
    """The span without the white space at its ends."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def sentence_spans(text: str, start: int = 0, end: int | None = None, language: str = "en") -> list[Span]:
    """The (start, end) spans of the sentences of `text[start:end]`, ascending, not overlapping.

    A sentence never crosses a newline, a table row is one sentence, and white space around a
    sentence belongs to none. Segmenter: sentencex (https://github.com/wikimedia/sentencex).
    """
    spans = []
    for line in _LINE.finditer(text, start, len(text) if end is None else end):
        marker = _MARKER.match(line[0])
        begin = line.start() + (marker.end() if marker else 0)
        content = text[begin : line.end()]
        if _ROW.search(content):
            bounds = [(0, len(content))]
        else:
            found = sentencex.get_sentence_boundaries(language, content)
            bounds = [(sentence["start_index"], sentence["end_index"]) for sentence in found]
        for first, last in bounds:
            span = trimmed(text, begin + first, begin + last)
            if span[0] < span[1]:
                spans.append(span)
    return spans
