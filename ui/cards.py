"""The cards beside the conversation: cited passages with their quotes marked, and what else was found, as HTML in which
every character of a document is escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType

from index.documents import Passage
from rag.answers import Answer, Citation
from rag.feedback import Excerpt, Feedback

from .document_page import Span, document_address
from .found import found_html
from .printing import place
from .thumbs import excerpt_html

# Passages shown under a refusal.
_NEAREST = 3
# Characters of the passage shown on each side of a quote.
_AROUND = 220


def anchor(turn: int, marker: int) -> str:
    """The id of a card: unique within a conversation."""
    return f"c-{turn}-{marker}"


def searching_html(answer: Answer, turn: int, note: str = "") -> str:
    """The passages found, while the answer is still to come; `note` is said of the search."""
    cards = [_passage_card(hit.passage, hit.score) for hit in answer.hits[:_NEAREST]]
    doing = "the answer is being written and checked …" if answer.text else "reading them …"
    return _turn_html(answer, turn, f"{escape(note)} Passages found; {doing}".strip(), "".join(cards), busy=True)


def sources_html(
    answer: Answer,
    turn: int,
    feedback: Feedback,
    note: str = "",
    *,
    threshold: float | None = None,
    documents: int | None = None,
    since: Mapping[int, str] = MappingProxyType({}),
) -> str:
    """The cards of one question: the cited passages, or the nearest ones under a refusal; and how they were found, by
    an answer given at `threshold` from that many `documents`, as far as that is known. `note` is said of the search,
    `since` by marker of a citation whose document has changed.
    """
    if answer.abstained:
        state = f"Not answered (confidence {answer.confidence:.2f}). The nearest passages:"
    else:
        state = f"Confidence {answer.confidence:.2f}"
    by_id = {hit.passage.id: hit.passage for hit in answer.hits}
    cited = {one.passage_id for one in answer.citations}
    near = [
        (hit.passage.id, _passage_card(hit.passage, hit.score, _right_passage(answer.searched, hit.passage, feedback)))
        for hit in answer.hits
    ]
    if answer.citations:
        cards = [
            _citation_card(
                one,
                by_id.get(one.passage_id),
                turn,
                _wrong_source(answer.searched, one, feedback),
                [(two.start, two.end) for two in answer.citations if two.source == one.source and two is not one],
                since.get(one.marker, ""),
            )
            for one in answer.citations
        ]
        rest = [card for id, card in near if id not in cited]
    else:
        cards, rest = [card for _, card in near[:_NEAREST]], [card for _, card in near[_NEAREST:]]
    more = ""
    if rest:
        summary = f"<summary>Also searched: {len(rest)} passages</summary>"
        more = f"<details class='more'>{summary}{''.join(rest)}</details>"
    found = found_html(answer, threshold, documents)
    return _turn_html(answer, turn, f"{escape(note)} {state}".strip(), "".join(cards) + more + found)


def unanswered_html(question: str, turn: int) -> str:
    """The place of a question that was not searched for."""
    return _turn_html(Answer(question, ""), turn, "Not searched.", "")


def _turn_html(answer: Answer, turn: int, state: str, cards: str, *, busy: bool = False) -> str:
    """The cards of a question; what is judged about them is judged for what was searched, which stands alone. It is
    `busy` until the answer is there.
    """
    attributes = f'class="turn" id="t-{turn}" data-question="{escape(answer.searched)}"'
    if busy:
        attributes += ' aria-busy="true"'
    return f'<section {attributes}><h3>{escape(answer.question)}</h3><p class="state">{state}</p>{cards}</section>'


def _wrong_source(question: str, one: Citation, feedback: Feedback) -> str:
    said = feedback.relevance(question, one.source, one.start, one.end)
    return excerpt_html("source", "Wrong source", Excerpt(one.source, one.start, one.end, one.quote), said is False)


def _right_passage(question: str, one: Passage, feedback: Feedback) -> str:
    said = feedback.relevance(question, one.source, one.start, one.end)
    return excerpt_html("here", "The answer is here", Excerpt(one.source, one.start, one.end, one.text), said is True)


def _citation_card(
    citation: Citation, passage: Passage | None, turn: int, judge: str, also: Sequence[Span], since: str
) -> str:
    """The quoted sentence, marked in the passage around it; `also` are the other quotes from its document. Of a
    document that has changed `since` it cannot be judged, and the document opens without a mark.
    """
    opened = _open(citation.source, 0, 0) if since else _open(citation.source, citation.start, citation.end, also)
    name = anchor(turn, citation.marker)
    mark = f'<mark id="{name}-quote">{_shortened(citation)}</mark>'
    if passage is None:
        body = mark
    else:
        body = _excerpt(passage.text, citation.start - passage.start, citation.end - passage.start, mark)
    return (
        f'<article class="card" id="{name}" tabindex="-1" aria-label="Source {citation.marker}">'
        f'<header><span class="number">{citation.marker}</span>'
        f"{_where(citation.title, citation.source, citation.page, citation.heading, f'{name}-where')}"
        f'<span class="score" title="how likely this sentence answers">{citation.score:.2f}</span></header>'
        f"{_since(since)}<blockquote>{body}</blockquote>"
        f'<div class="foot">{opened}<a class="back" href="#chat">Back</a>{"" if since else judge}</div></article>'
    )


def _since(since: str) -> str:
    return f'<p class="since">{escape(since)}</p>' if since else ""


def _shortened(citation: Citation) -> str:
    """A quote, with the words that are the answer itself set off."""
    if citation.answer is None:
        return escape(citation.quote)
    start, end = citation.answer
    quote = citation.quote
    return f'{escape(quote[:start])}<b class="short">{escape(quote[start:end])}</b>{escape(quote[end:])}'


def _passage_card(passage: Passage, score: float, judge: str = "") -> str:
    return (
        f'<article class="card near"><header>{_where(passage.title, passage.source, passage.page, passage.heading)}'
        f'<span class="score" title="fused score of the passage">{score:.2f}</span></header>'
        f'<blockquote tabindex="0">{escape(passage.text)}</blockquote>'
        f'<div class="foot">{_open(passage.source, passage.start, passage.end)}{judge}</div></article>'
    )


def _where(title: str, source: str, page: int | None, heading: str, name: str = "") -> str:
    """Title and place of a source; `name` is the id of the place."""
    trail = place(source, title, page, heading, " · ")
    known = f' id="{name}"' if name else ""
    return f'<span class="title">{escape(title or source)}</span><span class="trail"{known}>{escape(trail)}</span>'


def _open(source: str, start: int, end: int, also: Sequence[Span] = ()) -> str:
    address = escape(document_address(source, start, end, also))
    return f'<a class="open" href="{address}" target="_blank">Open in document</a>'


def _excerpt(text: str, start: int, end: int, mark: str) -> str:
    """The marked sentence (`mark` as HTML) with some of the passage around it, cut between words."""
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    if first:
        first = text.find(" ", first, start) + 1 or start
    if last < len(text):
        last = max(text.rfind(" ", end, last), end)
    before, after = "… " if first else "", " …" if last < len(text) else ""
    return f"{before}{escape(text[first:start])}{mark}{escape(text[end:last])}{after}"
