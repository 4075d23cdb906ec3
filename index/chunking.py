"""Documents cut into passages that end where sentences end.

A passage respects two budgets: `size` in tiktoken tokens (a setting), and the window of the
embedding model in its own word pieces (a hard limit, title and headings included), so that no
passage is cut by the model. Passages never cross a heading; neighbours share whole sentences.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .documents import Document, Passage, Section
from .errors import UsageError
from .inputs import Count, model_context
from .languages import SURER, language_of
from .normalising import searchable
from .sentences import Span, sentence_spans
from .tokens import count_tokens

# No sentence for a person is longer; beyond it only tables of data and text without spaces.
_LONGEST = 10_000
# How full a passage must be to end with its paragraph. Chosen, with size and overlap, on half of
# chunking-evaluation (every second query): docs/evaluation.md.
_FULL = 0.5


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """`size` and `overlap` in tiktoken tokens; `overlap` is reached with whole sentences only."""

    size: int = 200
    overlap: int = 40

    def __post_init__(self) -> None:
        if self.size < 16:
            raise UsageError(f"chunk size must be at least 16 tokens, got size={self.size}")
        if not 0 <= self.overlap < self.size:
            raise UsageError(f"overlap must satisfy 0 <= overlap < size, got overlap={self.overlap}, size={self.size}")


@dataclass(frozen=True, slots=True)
class _Sentence:
    span: Span
    tokens: int
    pieces: int


def chunk(document: Document, settings: ChunkSettings, count_pieces: Count, window: int) -> list[Passage]:
    """The passages of a document in order.

    `count_pieces` counts the embedding model's word pieces without its special tokens, of which
    `window` fit into the model. Every character of the document's body but white space, list
    markers and heading lines is in at least one passage; a document of headings alone is read as
    body.
    """
    passages = []
    language = language_of(document.text)
    path: list[Section] = []  # as Document.heading_at has it, kept from one body to the next
    ahead = deque(document.sections)
    for start, end in _bodies(document):
        while ahead and ahead[0].start <= start:
            section = ahead.popleft()
            path = [above for above in path if above.level < section.level] + [section]
        heading = " > ".join(section.heading for section in path)
        context = model_context(document.title, heading, count_pieces, window)
        room = window - count_pieces([context])[0]
        sentences = _measured(document.text, start, end, settings.size, count_pieces, room, language)
        for group in _groups(document.text, sentences, settings, room):
            passages.append(_passage(document, heading, [sentence.span for sentence in group], language))
    return passages


def _bodies(document: Document) -> list[Span]:
    """The spans between heading lines."""
    if not document.sections:
        return [(0, len(document.text))]
    ends = [0, *(section.end for section in document.sections)]
    starts = [*(section.start for section in document.sections), len(document.text)]
    spans = [(end, start) for end, start in zip(ends, starts, strict=True)]
    bodies = [(start, end) for start, end in spans if document.text[start:end].strip()]
    return bodies or [(0, len(document.text))]


def _measured(text: str, start: int, end: int, size: int, count: Count, room: int, language: str) -> list[_Sentence]:
    """The sentences of `text[start:end]` with their lengths, each cut until it fits the budgets."""
    spans = sentence_spans(text, start, end, language)
    texts = [text[first:last] for first, last in spans]
    sentences = []
    lengths = zip(spans, count_tokens(texts), count([searchable(part) for part in texts]), strict=True)
    for span, tokens, pieces in lengths:
        if tokens <= size and pieces <= room:
            sentences.append(_Sentence(span, tokens, pieces))
        else:
            sentences.extend(_cut(text, span, size, count, room))
    return sentences


def _cut(text: str, span: Span, size: int, count: Count, room: int) -> Iterator[_Sentence]:
    """A sentence too long for the budgets, cut at white space where there is any.

    A clause end (comma, semicolon, colon) in the second half of what fits is preferred.
    """
    start, end = span
    while start < end:
        part = text[start : min(end, start + _reach(text, start, end, size, count, room))]
        spaces = [place for place, character in enumerate(part) if character.isspace() and place]
        cuts = [*spaces, len(part)] if spaces else list(range(1, len(part) + 1))

        def fits(cut: int, part: str = part) -> bool:
            return count_tokens([part[:cut]])[0] <= size and count([searchable(part[:cut])])[0] <= room

        low, high = 0, len(cuts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(cuts[middle]) else (low, middle - 1)
        best = cuts[low]
        if not fits(best):  # one "word" longer than the budget: cut it anywhere
            low, high = 1, best
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if fits(middle) else (low, middle - 1)
            best = low
        elif best < len(part):
            clauses = [cut for cut in cuts if best // 2 < cut <= best and part[cut - 1] in ",;:"]
            best = clauses[-1] if clauses else best
        piece = part[:best]
        yield _Sentence((start, start + best), count_tokens([piece])[0], count([searchable(piece)])[0])
        start += best
        while start < end and text[start].isspace():
            start += 1


def _reach(text: str, start: int, end: int, size: int, count: Count, room: int) -> int:
    """Characters to look for a cut in: few where few are too many, for each try counts all of them."""
    reach = 4 * size
    while reach < min(end - start, _LONGEST):
        part = text[start : start + reach]
        if count_tokens([part])[0] > size or count([searchable(part)])[0] > room:
            return reach
        reach *= 2
    return _LONGEST


def _groups(text: str, sentences: Sequence[_Sentence], settings: ChunkSettings, room: int) -> Iterator[list[_Sentence]]:
    """Runs of sentences within both budgets, overlapping by whole sentences.

    A run ends with its paragraph once it is half full: what follows is another matter.
    """
    between = [text[one.span[1] : following.span[0]] for one, following in pairwise(sentences)]
    paragraph_end = ["\n" in gap for gap in between] + [True]
    # What stands before a sentence: a space, or a newline and a list marker.
    before = [0, *(max(1, tokens) for tokens in count_tokens(between))]
    first = 0
    while first < len(sentences):
        last, tokens, pieces = first, 0, 0
        while last < len(sentences):
            tokens += sentences[last].tokens + (before[last] if last > first else 0)
            pieces += sentences[last].pieces
            if last > first and (tokens > settings.size or pieces > room):
                break
            if paragraph_end[last] and tokens >= settings.size * _FULL:
                last += 1
                break
            last += 1
        yield list(sentences[first:last])
        if last == len(sentences):
            return
        following, shared = last, 0
        while following - 1 > first and not paragraph_end[last - 1]:
            shared += sentences[following - 1].tokens
            if shared > settings.overlap:
                break
            following -= 1
        first = following


def _passage(document: Document, heading: str, spans: Sequence[Span], language: str) -> Passage:
    start, end = spans[0][0], spans[-1][1]
    text = document.text[start:end]
    digest = hashlib.sha256(f"{document.source}\0{start}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    return Passage(
        id=digest[:16],
        source=document.source,
        title=document.title,
        start=start,
        end=end,
        text=text,
        heading=heading,
        page=document.page_at(start),
        sentences=tuple(spans),
        language=language if text == document.text else language_of(text, language, SURER),
    )
