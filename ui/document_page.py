"""A document as a page, its marks in view, as HTML in which every character of it is escaped."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from urllib.parse import urlencode

from index.documents import Document

# Characters of a document shown on each side of a mark: more than a screen, little enough to be there at once.
_NEAR = 20_000
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
    marked faintly. Of a long one what is near the marks, and links to the rest, unless the `whole` is asked for.
    """
    text = document.text
    spans = sorted({(start, end), *also})
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
    for first, last in _lines(text):
        while pages and pages[0].start <= first:
            page = pages.pop(0)
        if not whole and all(last < one - _NEAR or first > other + _NEAR for one, other in spans):
            left_out += last - first
            continue
        gap()
        if page:
            blocks.append(f'<p class="page">page {page.number}</p>')
            page = None
        body, at = "", first
        for span in spans:
            from_, to = max(span[0], at), min(span[1], last)
            if from_ < to:
                body += escape(text[at:from_]) + _mark(escape(text[from_:to]), span == (start, end), span not in seen)
                seen.add(span)
                at = to
        section = sections.get(first)
        tag = f"h{min(section.level + 1, 6)}" if section else "p"
        blocks.append(f"<{tag}>{body}{escape(text[at:last])}</{tag}>")
    gap()
    head = f'<h1>{escape(document.title)}</h1><p class="trail">{escape(document.source)}</p>'
    return f'<main class="document">{head}{"".join(blocks)}</main>'


def _mark(body: str, main: bool, first: bool) -> str:
    """A part of a marked span; its first part can be stepped to, and the main one's is where the page opens."""
    kind = "" if main else ' class="other"'
    step = " tabindex='-1' data-step" if first else ""
    return f"<mark{' id=mark' if main and first else ''}{kind}{step}>{body}</mark>"


def _lines(text: str) -> Sequence[Span]:
    """The spans of the lines that hold anything."""
    ends = [-1, *(place for place, character in enumerate(text) if character == "\n"), len(text)]
    return [(before + 1, after) for before, after in pairwise(ends) if text[before + 1 : after].strip()]
