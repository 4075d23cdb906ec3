"""What is said in the conversation, as HTML in which every character of a document is escaped."""

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape

from rag.answers import Answer, Citation, Doubt
from rag.feedback import Feedback
from rag.system import DISAGREE

from .cards import anchor
from .printing import CELL
from .thumbs import rating_html

# A footnote as it stands in an answer's text.
_MARKER = re.compile(r"\[(\d+)\]")


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
    thumbs = rating_html(answer, turn, feedback) if answer.hits else ""
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


def plain_html(text: str, kind: str) -> str:
    """What was asked, or what was wrong with it."""
    return f'<div class="{kind}">{_inert(text)}</div>'


# What HTML, or Markdown even inside a block of HTML, would make something of.
_MARKUP = re.compile(r"[&<>\"'\\`*_{}\[\]#|~$!:@/]")


def _inert(text: str) -> str:
    """Text that stays text: no tags, no emphasis, no links, on one line."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text).replace("\n", " ")
