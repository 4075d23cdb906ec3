"""Answers, sources and documents as HTML. Every character of a document is escaped here, and only here."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from itertools import pairwise
from types import MappingProxyType
from urllib.parse import urlencode

from index.documents import Document, Passage
from rag.answers import Answer, Citation, Doubt, Hit
from rag.feedback import REASONS, Excerpt, Feedback
from rag.system import DISAGREE
from rag.tracing import Trace

from .printing import CELL, place

# A footnote as it stands in an answer's text.
_MARKER = re.compile(r"\[(\d+)\]")
# Passages shown under a refusal.
_NEAREST = 3
# Characters of the passage shown on each side of a quote.
_AROUND = 220
# Characters of a document shown on each side of a mark: more than a screen, little enough to be there at once.
_NEAR = 20_000
Span = tuple[int, int]


def anchor(turn: int, marker: int) -> str:
    """The id of a card: unique within a conversation."""
    return f"c-{turn}-{marker}"


def document_address(source: str, start: int, end: int, also: Sequence[Span] = (), *, whole: bool = False) -> str:
    """Where a document is shown with `text[start:end]` marked, the spans of `also` marked faintly."""
    asked: dict[str, str | int] = {"source": source, "start": start, "end": end}
    if also:
        asked["also"] = ",".join(f"{first}-{last}" for first, last in also)
    if whole:
        asked["whole"] = 1
    return f"document?{urlencode(asked, errors='backslashreplace')}#mark"


def _where(title: str, source: str, page: int | None, heading: str, name: str = "") -> str:
    """Title and place of a source; `name` is the id of the place."""
    trail = place(source, title, page, heading, " · ")
    known = f' id="{name}"' if name else ""
    return f'<span class="title">{escape(title or source)}</span><span class="trail"{known}>{escape(trail)}</span>'


def answer_html(answer: Answer, turn: int, feedback: Feedback) -> str:
    """The answer as one block: its sentences, each with a link to its card; below it what can be said of it."""
    quotes = {one.marker: one for one in answer.citations}

    def link(found: re.Match[str]) -> str:
        one = quotes.get(int(found[1]))
        if one is None:
            return escape(found[0])
        return f'<a class="cite" href="#{anchor(turn, one.marker)}">{one.marker}</a>'

    # Split at the markers and at the ends of what is doubted, so that what is escaped and what is ours never mix.
    pieces: list[str] = []
    last = 0
    if answer.text.startswith(DISAGREE):
        pieces.append(f"<strong>{DISAGREE}</strong> ")
        last = len(DISAGREE)
    for start, end, said in _parts(answer, last, quotes, link):
        pieces.append(_inert(answer.text[last:start]) + said)
        last = end
    pieces.append(_inert(answer.text[last:]))
    kind = "refusal" if answer.abstained else "answer"
    thumbs = _thumbs(answer, turn, feedback) if answer.hits else ""
    told = "".join(f'<div class="told">{_inert(line[:1].upper() + line[1:])}.</div>' for line in answer.notices)
    return f'<div class="{kind}">{"".join(pieces)}</div>{told}{thumbs}'


def _parts(
    answer: Answer, first: int, quotes: Mapping[int, Citation], link: Callable[[re.Match[str]], str]
) -> Iterator[tuple[int, int, str]]:
    """The spans of the text that are shown as HTML of ours, ascending: a sentence with its footnote, or one that is
    doubted.
    """
    last = first
    doubted = answer.doubts
    for found in [*_MARKER.finditer(answer.text, first), None]:
        while doubted and (found is None or doubted[0][1].start < found.start()):
            grade, doubt = doubted.pop(0)
            yield doubt.start, doubt.end, _doubted(answer.text[doubt.start : doubt.end], doubt, grade)
            last = doubt.end
        if found is not None:
            sentence = answer.text[last : found.start()].strip()
            said = _said(sentence, quotes.get(int(found[1]))) + link(found)
            yield last, found.end(), _row(said) if CELL in sentence else f" {said}"
            last = found.end()


def _doubted(text: str, doubt: Doubt, grade: str) -> str:
    """A sentence that its sources do not say, or not wholly: underlined, and said in words; why, on hover."""
    why = escape(f"{grade}: {doubt.reason}", quote=True)
    return f'<span class="doubt {grade.split()[0]}" title="{why}">{_inert(text)} <small>({grade})</small></span>'


def _row(said: str) -> str:
    """A row of a table, on a line of its own, with faint rules between its cells."""
    return f'<span class="cells">{said.replace(_inert(CELL), " <i>&#124;</i> ")}</span>'


def _said(text: str, citation: Citation | None) -> str:
    """A sentence of the answer, with the words that are the answer itself set off."""
    if citation is None or citation.answer is None or not text.endswith(citation.quote):
        return _inert(text)
    first = len(text) - len(citation.quote)
    start, end = (first + place for place in citation.answer)
    return f'{_inert(text[:start])}<b class="short">{_inert(text[start:end])}</b>{_inert(text[end:])}'


def _thumbs(answer: Answer, turn: int, feedback: Feedback) -> str:
    """Good or not, and why not. The conversation keeps no attributes but these: page.js adds what is missing."""
    rating = feedback.rating(answer.searched)
    good, reason = (rating.good, rating.reason) if rating else (None, "")
    names = ("Right to refuse", "The documents do say it") if answer.abstained else ("Good answer", "Bad answer")
    reasons = "".join(_choice("reason", one, one == reason) for one in REASONS) if not answer.abstained else ""
    return (
        f'<div class="judge" id="j-{turn}">{_choice("thumb up", names[0], good is True)}'
        f'{_choice("thumb down", names[1], good is False)}<span class="reasons">{reasons}</span>{_NOTED}</div>'
    )


def _choice(kind: str, name: str, pressed: bool) -> str:
    return f'<button type="button" class="{kind}{" pressed" * pressed}" title="{name}">{name}</button>'


# What came of a click stands here.
_NOTED = '<span class="noted" role="status"></span>'


def _excerpt_choice(kind: str, name: str, excerpt: Excerpt, pressed: bool) -> str:
    """A button that judges an excerpt; it carries what is posted."""
    carried = escape(json.dumps(asdict(excerpt)))
    return (
        f'<div class="judge"><button type="button" class="{kind}{" pressed" * pressed}" data-excerpt="{carried}">'
        f"{name}</button>{_NOTED}</div>"
    )


def plain_html(text: str, kind: str) -> str:
    """What was asked, or what was wrong with it."""
    return f'<div class="{kind}">{_inert(text)}</div>'


# What HTML, or Markdown even inside a block of HTML, would make something of.
_MARKUP = re.compile(r"[&<>\"'\\`*_{}\[\]#|~$!:@/]")


def _inert(text: str) -> str:
    """Text that stays text: no tags, no emphasis, no links, on one line."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text).replace("\n", " ")


def searching_html(answer: Answer, turn: int, note: str = "") -> str:
    """The passages found, while the answer is still to come; `note` is said of the search."""
    cards = [_passage_card(hit.passage, hit.score) for hit in answer.hits[:_NEAREST]]
    doing = "the answer is being written and checked …" if answer.text else "reading them …"
    return _turn_html(answer, turn, f"{escape(note)} Passages found; {doing}".strip(), "".join(cards))


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
    found = _found(answer, threshold, documents)
    return _turn_html(answer, turn, f"{escape(note)} {state}".strip(), "".join(cards) + more + found)


def _found(answer: Answer, threshold: float | None, documents: int | None) -> str:
    """How the passages were found, to be opened: what was searched for, scores and seconds by stage, and a box for a
    phrase that is missed.
    """
    sure = f"{answer.confidence:.2f}"
    if threshold is not None:
        sure += f", {'at least' if answer.confidence >= threshold else 'below'} the threshold {threshold:.2f}"
    where = f"generation {answer.generation} of the index"
    if documents is not None:
        where += f", {documents:,} documents"
    spent = answer.timings
    seconds = f"{spent.retrieve_s * 1000:.0f} ms to find passages, {spent.read_s * 1000:.0f} ms to read them"
    if answer.generator:
        seconds += f" and to have {escape(answer.generator)} write the answer"
    if spent.load_s:
        seconds += f", {spent.load_s * 1000:.0f} ms to open the index before the first question"
    facts = [
        ("Searched for", escape(answer.searched)),
        ("Searched in", where),
        ("Confidence", sure),
        ("Time", seconds),
    ]
    rows = "".join(_scores_row(rank, hit) for rank, hit in enumerate(answer.hits, 1))
    stages = "".join(f'<th scope="col" title="{said}">{name}</th>' for name, said in _STAGES)
    return (
        "<details class='found'><summary>How this was found</summary><dl>"
        + "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in facts)
        + f'</dl><div class="scores" role="group" aria-label="Scores by stage" tabindex="0"><table>'
        f"<caption>Scores of the passages, by stage</caption><thead><tr>{stages}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{_WHY}</details>"
    )


_STAGES = (
    ("Passage", "best first"),
    ("Words", "BM25: the question's words, the rarer the more"),
    ("Meaning", "cosine of the question's vector and the passage's"),
    ("Fused", "both, from 0 to 1, and ordered again"),
    ("Reader", "how likely the passage answers, after it was read beside the question"),
    ("Score", "what the passages are ordered by"),
)
_WHY = (
    '<form class="why"><label>Why is this not here? Some words of the text that you miss'
    '<input name="phrase" required maxlength="1000" autocomplete="off"></label>'
    '<button type="submit">Find where it was lost</button><div class="lost" role="status"></div></form>'
)


def _scores_row(rank: int, hit: Hit) -> str:
    one = hit.passage
    fused = hit.score if hit.fused is None else hit.fused
    figures = "".join(
        f"<td>{'–' if score is None else f'{score:.2f}'}</td>"
        for score in (hit.lexical, hit.dense, fused, hit.reader, hit.score)
    )
    inner = place(one.title or one.source, one.title, one.page, one.heading, " · ")
    return f'<tr><th scope="row">{rank}. {escape(inner)}</th>{figures}</tr>'


def why_html(found: Trace) -> str:
    """At which stage a phrase was lost: every stage, and what to do."""
    marks = {True: ("passed", "✓"), False: ("failed", "✗"), None: ("unreached", "–")}
    rows = []
    for stage in found.stages:
        kind, mark = marks[stage.passed]
        rows.append(
            f'<li class="{kind}"><span aria-hidden="true">{mark}</span> <b>{stage.name}</b> '
            f'<span class="hidden">{kind}:</span> {escape(stage.detail)}</li>'
        )
    return f"<p>{escape(found.advice)}</p><ol>{''.join(rows)}</ol>"


def unanswered_html(question: str, turn: int) -> str:
    """The place of a question that was not searched for."""
    return _turn_html(Answer(question, ""), turn, "Not searched.", "")


def _turn_html(answer: Answer, turn: int, state: str, cards: str) -> str:
    """The cards of a question; what is judged about them is judged for what was searched, which stands alone."""
    return (
        f'<section class="turn" id="t-{turn}" data-question="{escape(answer.searched)}">'
        f'<h3>{escape(answer.question)}</h3><p class="state">{state}</p>{cards}</section>'
    )


def _wrong_source(question: str, one: Citation, feedback: Feedback) -> str:
    said = feedback.relevance(question, one.source, one.start, one.end)
    return _excerpt_choice("source", "Wrong source", Excerpt(one.source, one.start, one.end, one.quote), said is False)


def _right_passage(question: str, one: Passage, feedback: Feedback) -> str:
    said = feedback.relevance(question, one.source, one.start, one.end)
    return _excerpt_choice(
        "here", "The answer is here", Excerpt(one.source, one.start, one.end, one.text), said is True
    )


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
