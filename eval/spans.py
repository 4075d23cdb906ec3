"""Judgements on character spans of documents: they outlive a change of chunker, as passage ids do not.

The file is that of chunking-evaluation: one JSON object a line, {"_id": query id, "corpus_id": document,
"references": [{"content", "start_index", "end_index"}]}. Smith and Troynikov, Evaluating Chunking
Strategies for Retrieval (Chroma 2024), https://research.trychroma.com/evaluating-chunking.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from index.errors import FootnotedError, UsageError

from .files import bad_line, read_rows, write_rows
from .verdicts import Library

# Characters that stand for one another where a text was typed, typeset or cleaned.
_ALIKE = ("'’‘‛`´", '"“”„‟', "-‐‑‒–—−")
_CLASSES = {character: f"[{re.escape(group)}]" for group in _ALIKE for character in group}


@dataclass(frozen=True, slots=True)
class Span:
    """`quote` stands at characters `start` to `end` of the document `source`."""

    source: str
    start: int
    end: int
    quote: str

    @property
    def name(self) -> str:
        """`source:start-end`, as reports call it."""
        return f"{self.source}:{self.start}-{self.end}"


Spans = Mapping[str, tuple[Span, ...]]
"""Query id to the spans that answer it."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Judgements as the documents have them now.

    `spans` stand where their quotes do, `lost` are those whose quote, or document, is not there any more;
    both have every query. `moved` counts the spans that were found elsewhere than judged.
    """

    spans: dict[str, tuple[Span, ...]]
    lost: dict[str, tuple[Span, ...]]
    moved: int

    def counts(self) -> dict[str, int]:
        """How many spans were judged, how many of them moved, how many are lost."""
        lost = sum(map(len, self.lost.values()))
        return {"judged": sum(map(len, self.spans.values())) + lost, "moved": self.moved, "lost": lost}


def read_spans(file: Path) -> dict[str, tuple[Span, ...]]:
    """Judgements from a file, `corpus_id` as the source; a query may have several lines, for several documents.

    Raises UsageError for the first bad line, or if there is none.
    """
    judged: dict[str, tuple[Span, ...]] = {}
    for number, row in read_rows(file):
        query, spans = _line(file, number, row)
        judged[query] = tuple(dict.fromkeys(judged.get(query, ()) + spans))
    if not judged:
        raise UsageError(f'{file} holds no judgements: write lines of {{"_id", "corpus_id", "references"}}')
    return judged


def write_spans(file: Path, judgements: Spans) -> None:
    """Write what `read_spans` reads: a line for each query and document."""
    rows = []
    for query, spans in judgements.items():
        for source in dict.fromkeys(span.source for span in spans):
            references = [
                {"content": span.quote, "start_index": span.start, "end_index": span.end}
                for span in spans
                if span.source == source
            ]
            rows.append({"_id": query, "corpus_id": source, "references": references})
    write_rows(file, rows)


def anchor(span: Span, text: str) -> Span | None:
    """The span where its quote stands in `text`; None if it stands nowhere.

    Where the judged place holds something else, the nearest one that reads alike is taken: white space may
    be longer, shorter or a line end, a hyphen at a line end may be gone, and quotation marks, apostrophes
    and dashes may be drawn otherwise.
    """
    if text[span.start : span.end] == span.quote:
        return span
    places = [(found.start(), found.end()) for found in re.finditer(_pattern(span.quote), text)]
    if not places:
        return None
    start, end = min(places, key=lambda place: (abs(place[0] - span.start), place))
    return replace(span, start=start, end=end, quote=text[start:end])


def anchored(judgements: Spans, library: Library) -> Anchored:
    """Every span of `judgements` anchored in the documents of `library`.

    Raises UsageError if none of them is there: it is another library.
    """

    @cache
    def text(source: str) -> str | None:
        try:
            return library.document(source).text
        except FootnotedError:
            return None

    spans, lost, moved = {}, {}, 0
    for query, judged in judgements.items():
        whole = [(span, text(span.source)) for span in judged]
        places = [(span, None if body is None else anchor(span, body)) for span, body in whole]
        spans[query] = tuple(dict.fromkeys(place for _, place in places if place))
        lost[query] = tuple(span for span, place in places if not place)
        moved += sum(place is not None and place != span for span, place in places)
    if judgements and not any(spans.values()):
        first = next(span for gone in lost.values() for span in gone)
        raise UsageError(
            f"none of the {sum(map(len, lost.values()))} judged spans is in the index, the first is {first.name}: "
            "index the documents that were judged"
        )
    return Anchored(spans, lost, moved)


def _line(file: Path, number: int, row: dict[str, Any]) -> tuple[str, tuple[Span, ...]]:
    query, source, references = row.get("_id"), row.get("corpus_id"), row.get("references")
    if isinstance(query, int) and not isinstance(query, bool):
        query = str(query)
    if not isinstance(query, str) or query.split() != [query]:
        raise bad_line(file, number, 'a judgement needs the "_id" of its query, without white space', row)
    if not isinstance(source, str) or not source:
        raise bad_line(file, number, 'a judgement needs the "corpus_id" of its document', row)
    if not isinstance(references, list) or not references:
        raise bad_line(file, number, 'a judgement needs "references", a list of spans', row)
    return query, tuple(_span(file, number, source, reference) for reference in references)


def _span(file: Path, number: int, source: str, reference: object) -> Span:
    fields = reference if isinstance(reference, dict) else {}
    quote, start, end = fields.get("content"), fields.get("start_index"), fields.get("end_index")
    if not isinstance(quote, str) or not quote.strip():
        raise bad_line(file, number, 'a span needs the text that it judges as "content"', reference)
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise bad_line(file, number, 'a span needs whole numbers 0 <= "start_index" < "end_index"', reference)
    return Span(source, start, end, quote)


def _pattern(quote: str) -> re.Pattern[str]:
    """What reads like `quote`."""
    text = re.sub(r"(?<=\w)-[ \t]*\n\s*(?=\w)", "\n-", quote.strip())  # a line end with a hyphen: "\n-"
    parts = re.split(r"(\n-|\s+)", text)
    return re.compile("".join(_alike(part) for part in parts))


def _alike(part: str) -> str:
    if part == "\n-":
        return r"(?:[-‐‑]?\s*)"
    if part.isspace():
        return r"\s+"
    return "".join(_CLASSES.get(character, re.escape(character)) for character in part)
