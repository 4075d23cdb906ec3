"""Answers, sources and documents as HTML. Every character of a document is escaped here, and only here."""

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from urllib.parse import urlencode

from index.documents import Document, Passage
from rag.answers import Answer, Citation
from rag.system import DISAGREE

from .printing import place

# A footnote as it stands in an answer's text.
_MARKER = re.compile(r"\[(\d+)\]")
# Passages shown under a refusal.
_NEAREST = 3
# Characters of the passage shown on each side of a quote.
_AROUND = 220


def anchor(turn: int, marker: int) -> str:
    """The id of a card: unique within a conversation."""
    return f"c-{turn}-{marker}"


def document_address(source: str, start: int, end: int) -> str:
    """Where a document is shown with `text[start:end]` marked."""
    return f"document?{urlencode({'source': source, 'start': start, 'end': end}, errors='backslashreplace')}#mark"


def _where(title: str, source: str, page: int | None, heading: str) -> str:
    trail = place(source, title, page, heading, " · ")
    return f'<span class="title">{escape(title or source)}</span><span class="trail">{escape(trail)}</span>'


def answer_html(answer: Answer, turn: int) -> str:
    """The answer as one block: its sentences, each with a link to its card."""
    quotes = {one.marker: one for one in answer.citations}

    def link(found: re.Match[str]) -> str:
        one = quotes.get(int(found[1]))
        if one is None:
            return escape(found[0])
        label = escape(f"{one.title}: “{one.quote}”", quote=True)
        return f'<a class="cite" href="#{anchor(turn, one.marker)}" title="{label}">{one.marker}</a>'

    # Split at the markers, so that what is escaped and what is ours never mix.
    pieces, last = [], 0
    text = answer.text
    if text.startswith(DISAGREE):
        pieces.append(f"<strong>{DISAGREE}</strong> ")
        text = text.removeprefix(DISAGREE)
    for found in _MARKER.finditer(text):
        pieces += [_inert(text[last : found.start()].rstrip()), link(found)]
        last = found.end()
    pieces.append(_inert(text[last:]))
    kind = "refusal" if answer.abstained else "answer"
    return f'<div class="{kind}">{"".join(pieces)}</div>'


def plain_html(text: str, kind: str) -> str:
    """What was asked, or what was wrong with it."""
    return f'<div class="{kind}">{_inert(text)}</div>'


# What HTML, or Markdown even inside a block of HTML, would make something of.
_MARKUP = re.compile(r"[&<>\"'\\`*_{}\[\]#|~$!:@/]")


def _inert(text: str) -> str:
    """Text that stays text: no tags, no emphasis, no links, on one line."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text).replace("\n", " ")


def sources_html(answer: Answer, turn: int, *, searching: bool = False) -> str:
    """The cards of one question: the cited passages, or the nearest ones under a refusal."""
    if searching:
        state = "Passages found; reading them …"
    elif answer.abstained:
        state = f"Not answered (confidence {answer.confidence:.2f}). The nearest passages:"
    else:
        state = f"Confidence {answer.confidence:.2f}"
    by_id = {hit.passage.id: hit.passage for hit in answer.hits}
    cards = [_citation_card(one, by_id.get(one.passage_id), turn) for one in answer.citations]
    if not answer.citations:
        cards = [_passage_card(hit.passage, hit.score) for hit in answer.hits[:_NEAREST]]
    cited = {one.passage_id for one in answer.citations}
    rest = [hit for hit in answer.hits if hit.passage.id not in cited] if answer.citations else answer.hits[_NEAREST:]
    more = ""
    if rest and not searching:
        inside = "".join(_passage_card(hit.passage, hit.score) for hit in rest)
        more = f"<details class='more'><summary>Also searched: {len(rest)} passages</summary>{inside}</details>"
    return (
        f'<section class="turn" id="t-{turn}"><h3>{escape(answer.question)}</h3>'
        f'<p class="state">{state}</p>{"".join(cards)}{more}</section>'
    )


def unanswered_html(question: str, turn: int) -> str:
    """The place of a question that was not searched for."""
    return (
        f'<section class="turn" id="t-{turn}"><h3>{escape(question)}</h3><p class="state">Not searched.</p></section>'
    )


def _citation_card(citation: Citation, passage: Passage | None, turn: int) -> str:
    """The quoted sentence, marked in the passage around it."""
    if passage is None:
        body = f"<mark>{escape(citation.quote)}</mark>"
    else:
        body = _excerpt(passage.text, citation.start - passage.start, citation.end - passage.start)
    return (
        f'<article class="card" id="{anchor(turn, citation.marker)}" tabindex="-1">'
        f'<header><span class="number">{citation.marker}</span>'
        f"{_where(citation.title, citation.source, citation.page, citation.heading)}"
        f'<span class="score" title="how likely this sentence answers">{citation.score:.2f}</span></header>'
        f"<blockquote>{body}</blockquote>"
        f'<a class="open" href="{escape(document_address(citation.source, citation.start, citation.end))}" '
        f'target="_blank">Open in document</a><a class="back" href="#chat">Back</a></article>'
    )


def _passage_card(passage: Passage, score: float) -> str:
    return (
        f'<article class="card near"><header>{_where(passage.title, passage.source, passage.page, passage.heading)}'
        f'<span class="score" title="fused score of the passage">{score:.2f}</span></header>'
        f"<blockquote>{escape(passage.text)}</blockquote>"
        f'<a class="open" href="{escape(document_address(passage.source, passage.start, passage.end))}" '
        f'target="_blank">Open in document</a></article>'
    )


def marked(text: str, start: int, end: int) -> str:
    """Escaped text with `text[start:end]` in a `<mark>`."""
    return f"{escape(text[:start])}<mark>{escape(text[start:end])}</mark>{escape(text[end:])}"


def _excerpt(text: str, start: int, end: int) -> str:
    """The marked sentence with some of the passage around it, cut between words."""
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    if first:
        first = text.find(" ", first, start) + 1 or start
    if last < len(text):
        last = max(text.rfind(" ", end, last), end)
    before, after = "… " if first else "", " …" if last < len(text) else ""
    return f"{before}{marked(text[first:last], start - first, end - first)}{after}"


def document_html(document: Document, start: int, end: int) -> str:
    """The whole document: headings, paragraphs and page numbers, with `text[start:end]` marked."""
    sections = {section.start: section for section in document.sections}
    pages = list(document.pages)
    blocks, marks = [], 0
    for first, last in _lines(document.text):
        while pages and pages[0].start <= first:
            blocks.append(f'<p class="page">page {pages.pop(0).number}</p>')
        from_, to = max(start, first), min(end, last)
        if from_ < to:
            body = marked(document.text[first:last], from_ - first, to - first)
            if not marks:
                body = body.replace("<mark>", '<mark id="mark">', 1)
            marks += 1
        else:
            body = escape(document.text[first:last])
        section = sections.get(first)
        tag = f"h{min(section.level + 1, 6)}" if section else "p"
        blocks.append(f"<{tag}>{body}</{tag}>")
    head = f'<h1>{escape(document.title)}</h1><p class="trail">{escape(document.source)}</p>'
    return f'<main class="document">{head}{"".join(blocks)}</main>'


def _lines(text: str) -> Sequence[tuple[int, int]]:
    """The spans of the lines that hold anything."""
    ends = [-1, *(place for place, character in enumerate(text) if character == "\n"), len(text)]
    return [(before + 1, after) for before, after in pairwise(ends) if text[before + 1 : after].strip()]
