"""A document as a page, its marks in view, as HTML in which every character of it is escaped."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from urllib.parse import urlencode

from index.documents import Document

# Characters of a document shown on each side of a mark: more than a screen, little enough to be there at once.
_NEAR = 20_000
# A longer line is cut there, between words if there is a space within so many characters.
_LINE = 2_000
_WORD = 100
Span = tuple[int, int]


def document_address(source: str, start: int, end: int, also: Sequence[Span] = (), *, whole: bool = False) -> str:
    """Where a document is shown with `text[start:end]` marked, the spans of `also` marked faintly."""
    asked: dict[str, str | int] = {"source": source, "start": start, "end": end}
    if also:
        asked["also"] = ",".join(f"{first}-{last}" for first, last in also)
    if whole:
        asked["whole"] = 1
    return f"document?{urlencode(asked, errors='backslashreplace')}#mark"


def document_html(document: Document, start: int, end: int, also: Sequence[Span] = (), *, whole: bool = False) -> str:
    """The document: headings, paragraphs and page numbers, with `text[start:end]` marked, and the spans of `also`
    marked faintly. Of a long one what is near the marks, and links to the rest, unless the `whole` is asked for. Its
    title stands above it, unless it begins with it.
    """
    text = document.text
    spans = sorted({(start, end), *also})
    near = [(0, len(text))] if whole else _near(spans)
    sections = {section.start: section for section in document.sections}
    pages = list(document.pages)
    blocks: list[str] = []
    left_out, seen = 0, set[Span]()
    everything = escape(document_address(document.source, start, end, also, whole=True))

    def gap() -> None:
        nonlocal left_out
        if left_out:
            link = f'<a class="whole" href="{everything}">Show the whole document</a>'
            blocks.append(f'<p class="gap">… {left_out:,} characters left out here. {link}</p>')
            left_out = 0

    page = None  # of the next line that is shown
    lines = _lines(text)
    title = next((line for line in lines[:1] if text[slice(*line)].strip() == document.title), None)
    for first, last in lines:
        while pages and pages[0].start <= first:
            page = pages.pop(0)
        at = first
        for from_, to in _shown(text, first, last, near):
            left_out += from_ - at
            gap()
            if page:
                blocks.append(f'<p class="page">page {page.number}</p>')
                page = None
            section = sections.get(from_)
            if (from_, to) == title:
                tag = "h1"
            else:
                tag = f"h{min(section.level + 1, 6)}" if section else "p"
            blocks.append(f"<{tag}>{_marked(text, from_, to, spans, (start, end), seen)}</{tag}>")
            at = to
        left_out += last - at
    gap()
    head = f'<p class="trail">{escape(document.source)}</p>'
    if not any(one.startswith("<h1>") for one in blocks[:2]):  # before it there may be the number of the page
        head += f"<h1>{escape(document.title)}</h1>"
    return f'<main class="document">{head}{"".join(blocks)}</main>'


def _near(spans: Sequence[Span]) -> list[Span]:
    """What of a text is shown around ascending spans: disjoint, ascending."""
    near: list[Span] = []
    for start, end in spans:
        first, last = max(0, start - _NEAR), end + _NEAR
        if near and first <= near[-1][1]:
            near[-1] = near[-1][0], max(near[-1][1], last)
        else:
            near.append((first, last))
    return near


def _shown(text: str, first: int, last: int, near: Sequence[Span]) -> list[Span]:
    """The parts of the line `text[first:last]` that are shown: all of it, or of a line that is as long as a document
    what is near, cut between words.
    """
    parts = [(max(first, start), min(last, end)) for start, end in near if start < last and first < end]
    if not parts or last - first <= _LINE:
        return [(first, last)] if parts else []
    return [
        (start if start == first else _after_word(text, start, last), _after_word(text, end, last))
        for start, end in parts
    ]


def _after_word(text: str, place: int, last: int) -> int:
    """The place, or the first after it behind a space, before `last`."""
    return text.find(" ", place, min(place + _WORD, last)) + 1 or place


def _marked(text: str, first: int, last: int, spans: Sequence[Span], main: Span, seen: set[Span]) -> str:
    """A shown part of the text with what is within `spans` marked; what is marked for the first time is `seen` now."""
    body, at = "", first
    for span in spans:
        from_, to = max(span[0], at), min(span[1], last)
        if from_ < to:
            body += escape(text[at:from_]) + _mark(escape(text[from_:to]), span == main, span not in seen)
            seen.add(span)
            at = to
    return body + escape(text[at:last])


def _mark(body: str, main: bool, first: bool) -> str:
    """A part of a marked span; its first part can be stepped to, and the main one's is where the page opens."""
    kind = "" if main else ' class="other"'
    step = " tabindex='-1' data-step" if first else ""
    return f"<mark{' id=mark' if main and first else ''}{kind}{step}>{body}</mark>"


def _lines(text: str) -> Sequence[Span]:
    """The spans of the lines that hold anything."""
    ends = [-1, *(place for place, character in enumerate(text) if character == "\n"), len(text)]
    return [(before + 1, after) for before, after in pairwise(ends) if text[before + 1 : after].strip()]
