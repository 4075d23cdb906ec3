"""The lines of PDF pages to blocks: paragraphs whole again, headings known, running lines gone."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from statistics import median

from .joining import HYPHENS, join, vocabulary
from .pdf_lines import Line

_ENDED = re.compile(r"[.!?:][\"'”’)\]]*$")
_BULLET = re.compile(r"[•◦▪‣●○■∙·–—*-] ?\S")
_ITEM = re.compile(r"(?:\(?(?:\d{1,2}|[a-z]|[ivx]{2,4})[.)]|\[\d{1,3}\]) +\S")
_NOTE = re.compile(r"(?:\d{1,2}|[∗*†‡§¶]) ?[^\W\d_]")
_NUMBERED = re.compile(r"(?:(\d{1,2}(?:\.\d{1,2}){0,3})|([A-Z](?:\.\d{1,2}){0,3}))\.?\s+[^\W\d_]|[IVX]{1,4}\.\s+[A-Z]")
_KNOWN = re.compile(
    r"(?:abstract|introduction|related work|methods?|results|discussion|conclusions?|references|bibliography|"
    r"acknowledge?ments?|appendix|appendices|summary|contents)$",
    re.IGNORECASE,
)
_NUMBER_DASH = re.compile(r"[–—-] ?[\w]")
_ADDRESS = re.compile(r"https?://\S*/$")
_CAPTION = re.compile(r"(?:figure|fig\.|table|algorithm|listing) ?[\dIVX]", re.IGNORECASE)
_LITERATURE = re.compile(r"(?:[\dIVX.]+ +)?(?:references|bibliography|works cited|literature)$", re.IGNORECASE)


@dataclass(slots=True)
class Block:
    """A block being put together. `kind` is "title", "heading", "body", "small" or "row".

    `turns` are the (offset, page) pairs where further pages begin in its text.
    """

    page: int
    lines: list[Line]
    text: str = ""
    kind: str = "body"
    level: int = 0
    turns: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> float:
        return max(self.lines, key=lambda line: len(line.text)).size

    @property
    def last_page(self) -> int:
        return self.turns[-1][1] if self.turns else self.page


def blocks_of(pages: Sequence[tuple[int, Sequence[Line]]]) -> list[Block]:
    """The blocks of (number, lines) pages in reading order, text joined."""
    body = _body_size(line for _, lines in pages for line in lines)
    leading = _leading([lines for _, lines in pages])
    words = vocabulary(line.text for _, lines in pages for line in lines)
    blocks: list[Block] = []
    literature = False
    for number, lines in pages:
        for flow in map(_without_stretched, _flows(lines)):
            for group in _paragraphs(flow, body, leading, literature):
                block = Block(number, group)
                block.text = _joined_text(group, words)
                block.kind = _kind(block, body)
                if _LITERATURE.match(block.text) and len(group) == 1:
                    literature = True
                elif block.kind == "heading" and not literature:
                    literature = False
                blocks.append(block)
    _find_title(blocks)
    _set_levels(blocks)
    return _continued(blocks, words)


def _body_size(lines: Iterable[Line]) -> float:
    """The size that most characters have."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _leading(pages: Sequence[Sequence[Line]]) -> dict[int, float]:
    """Line size in points to the usual distance from one line down to the next."""
    steps: dict[int, list[float]] = defaultdict(list)
    for lines in pages:
        for above, below in itertools.pairwise(lines):
            step = above.bottom - below.bottom
            if abs(above.size - below.size) < 0.05 * above.size and 0.7 * above.size < step < 3 * above.size:
                steps[round(below.size)].append(step)
    return {size: median(found) for size, found in steps.items()}


def _flows(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines in runs that go down the page: a column, or part of one."""
    flows: list[list[Line]] = []
    for line in lines:
        above = flows[-1][-1] if flows else None
        apart = above is not None and (line.left > above.right + above.size or line.right < above.left - above.size)
        if above is None or line.middle > above.bottom or apart or above.bottom - line.top > 12 * line.size:
            flows.append([])
        flows[-1].append(line)
    return flows


def _paragraphs(flow: Sequence[Line], body: float, leading: dict[int, float], literature: bool) -> list[list[Line]]:
    groups: list[list[Line]] = []
    for place, line in enumerate(flow):
        if place and _belongs(flow, place, groups[-1], body, leading, literature):
            groups[-1].append(line)
        else:
            groups.append([line])
        literature = literature or bool(_LITERATURE.match(line.text) and len(groups[-1]) == 1)
    return groups


def _belongs(
    flow: Sequence[Line],
    place: int,
    group: Sequence[Line],
    body: float,
    leading: dict[int, float],
    literature: bool,
) -> bool:
    """Whether the line at `place` goes on with the paragraph that ends above it."""
    above, line = flow[place - 1], flow[place]
    size = max(above.size, line.size)
    usual = leading.get(round(line.size), 1.2 * line.size)
    if _is_long_heading(above, line, body) and not _ends_early(above, line, _right(flow, place - 1)):
        return True
    if _ADDRESS.search(above.text) and line.left < above.right and above.bottom - line.bottom < 1.6 * size:
        return True
    if abs(above.size - line.size) > 0.09 * size or above.bottom - line.bottom > 1.22 * usual + 0.3:
        return False
    if (
        above.bold != line.bold
        and min(len(above.text), len(line.text)) > 3
        and (above.bold or _ENDED.search(above.text))
    ):
        return False
    if len(line.cells) > 1 or len(above.cells) > 1:
        return False
    open_ended = not _ENDED.search(above.text)
    if literature and not line.bold:
        return _belongs_to_entry(flow, place, group, size, open_ended)
    if _BULLET.match(line.text) and not (open_ended and _NUMBER_DASH.match(line.text)):
        return False
    if _ITEM.match(line.text) and (
        re.search(r"[.:;,!?]$", above.text) or (_ITEM.match(group[0].text) and abs(line.left - group[0].left) < size)
    ):
        return False
    if line.size < 0.92 * body and _NOTE.match(line.text):
        beside = abs(line.left - above.left) < 0.5 * size and len(group) == 1 and _NOTE.match(above.text)
        if beside or line.left >= above.left + 0.5 * size:
            return False
    if above.text[-1] in HYPHENS:
        return True
    if line.left > above.left + 0.6 * size:
        # A first line is indented and the next is not; under a list item all further ones are.
        below = flow[place + 1] if place + 1 < len(flow) else None
        hangs = _BULLET.match(group[0].text) or _ITEM.match(group[0].text) or _NOTE.match(group[0].text)
        if not hangs and (not open_ended or below is None or below.left < line.left - 0.3 * size):
            return open_ended and line.text[:1].islower()
    elif line.left < above.left - 0.6 * size and len(group) > 1 and not _is_centred(above, line):
        return open_ended and line.text[:1].islower()
    if open_ended and line.text[:1].islower():
        return True
    return not _ends_early(above, line, _right(flow, place - 1))


def _is_long_heading(above: Line, line: Line, body: float) -> bool:
    """Whether two lines look like one heading; headings are set wider than text."""
    return (
        abs(above.size - line.size) < 0.03 * line.size
        and above.bold == line.bold
        and (line.size > 1.08 * body or (line.bold and bool(_NUMBERED.match(above.text))))
        and above.bottom - line.bottom < 1.75 * line.size
        and not _NUMBERED.match(line.text)
        and not _ENDED.search(above.text)
        and max(len(above.cells), len(line.cells)) < 3
    )


def _belongs_to_entry(flow: Sequence[Line], place: int, group: Sequence[Line], size: float, open_ended: bool) -> bool:
    """The same in a list of literature, whose entries hang: only first lines stand at the left edge."""
    above, line = flow[place - 1], flow[place]
    lefts = [one.left for one in flow[max(0, place - 8) : place + 8]]
    edge = min(left for left in lefts if abs(left - line.left) < 4 * size)
    hanging = any(edge + 0.5 * size < left < edge + 4 * size for left in lefts)
    if _ITEM.match(line.text) and line.left < edge + 0.5 * size:
        return False
    if hanging:
        return line.left > edge + 0.5 * size
    return open_ended or not _ends_early(above, line, _right(flow, place - 1))


def _without_stretched(flow: Sequence[Line]) -> list[Line]:
    """The lines with cells only where they are rows of a table, not words that justification drove apart."""
    rows = []
    for place, line in enumerate(flow):
        near = [*flow[max(0, place - 3) : place], *flow[place + 1 : place + 4]]
        as_wide = [
            one
            for one in near
            if len(one.cells) == 1
            and abs(one.right - line.right) < 0.5 * line.size
            and abs(one.size - line.size) < 0.05 * line.size
        ]
        marked = (
            _BULLET.fullmatch(line.cells[0] + " x")
            or _ITEM.fullmatch(line.cells[0] + " x")
            or (line.bold and _NUMBERED.match(line.text) and len(line.cells) == 2)
        )
        neighbours = [*flow[max(0, place - 1) : place], *flow[place + 1 : place + 2]]
        beside = any(len(one.cells) > 1 for one in neighbours)
        is_row = len(line.cells) >= (2 if beside else 3) and not marked and not as_wide
        rows.append(line if is_row else replace(line, cells=(line.text,)))
    return rows


def _right(flow: Sequence[Line], place: int) -> float:
    """Where the lines around a place end when they are full."""
    size = flow[place].size
    near = [
        one.right
        for one in flow[max(0, place - 8) : place + 9]
        if abs(one.size - size) < 0.05 * size and abs(one.left - flow[place].left) < 4 * size
    ]
    return sorted(near)[int(0.75 * (len(near) - 1) + 0.5)]


def _ends_early(above: Line, line: Line, right: float) -> bool:
    """Whether the first word of `line` had room above, so that the line ends for a reason."""
    word = line.text.split(" ", 1)[0]
    width = (line.right - line.left) * (len(word) + 1) / max(1, len(line.text))
    room = right - above.right - width
    return room > (0.3 * line.size if _ENDED.search(above.text) else 1.5 * line.size)


def _is_centred(above: Line, line: Line) -> bool:
    return abs((above.left + above.right) - (line.left + line.right)) < 2 * line.size


def _joined_text(group: Sequence[Line], words: Set[str]) -> str:
    if len(group) == 1 and len(group[0].cells) > 1:
        return " | ".join(group[0].cells)
    text = group[0].text
    for line in group[1:]:
        text = join(text, line.text, words)
    return re.sub(r"^[•◦▪‣●○■∙·]\s*", "- ", text)


def _kind(block: Block, body: float) -> str:
    text, size = block.text, block.size
    if len(block.lines) == 1 and len(block.lines[0].cells) > 1:
        return "row"
    numbered = _NUMBERED.match(text)
    words = text[numbered.end() - 1 :] if numbered else text
    letters = sum(character.isalpha() for character in words)
    bold = all(line.bold for line in block.lines)
    stands_out = size > 1.08 * body or (bold and size > 0.94 * body)
    if (
        len(block.lines) <= 3
        and letters >= 3
        and letters > 0.55 * len(words.replace(" ", ""))
        and len(text) <= 150
        and (text[0].isupper() or numbered)
        and not re.search(r"[.,;]$", text)
        and not _CAPTION.match(text)
        and "@" not in text
        and (stands_out or (_KNOWN.match(text) and len(block.lines) == 1))
    ):
        return "heading"
    return "small" if size < 0.96 * body else "body"


def _find_title(blocks: Sequence[Block]) -> None:
    """The largest heading of the first page is the title; what stands beside it is names and places."""
    first = [block for block in blocks if block.page == blocks[0].page] if blocks else []
    headings = [block for block in first if block.kind == "heading"]
    if not headings:
        return
    title = max(headings, key=lambda block: block.size)
    largest = max(block.size for block in first if len(block.text) > 3)
    others = [block.size for block in blocks if block.kind == "heading" and block is not title]
    above_all = not others or title.size > 1.02 * max(others) or title is headings[0]
    names_a_part = _KNOWN.match(title.text) or _NUMBERED.match(title.text)
    if title.size < 0.97 * largest or not above_all or names_a_part:
        return
    title.kind, title.level = "title", 1
    after = False
    for block in first:
        if block is title:
            after = True
        elif after and block.kind == "heading":
            if _KNOWN.match(block.text) or _NUMBERED.match(block.text):
                return
            rest = first[first.index(block) + 1 :]
            if any(_KNOWN.match(one.text) and one.kind == "heading" for one in rest):
                block.kind = "body"  # authors above the abstract


def _set_levels(blocks: Sequence[Block]) -> None:
    headings = [block for block in blocks if block.kind == "heading"]
    by_number: dict[float, int] = {}
    for block in headings:
        if found := _NUMBERED.match(block.text):
            block.level = (found[1] or found[2] or "").count(".") + 2
            by_number.setdefault(round(block.size), block.level)
    sizes = sorted({round(block.size) for block in headings if not block.level}, reverse=True)
    for block in headings:
        if not block.level:
            known = 2 if _KNOWN.match(block.text) else by_number.get(round(block.size))
            block.level = known or min(4, 2 + sizes.index(round(block.size)))


def _continued(blocks: Sequence[Block], words: Set[str]) -> list[Block]:
    """Put together paragraphs that columns, pages, notes and figures cut in two.

    What stood between the parts goes before the paragraph if it is on the page of its first part,
    so that pages stay in order, and after it otherwise.
    """
    rest, done = list(blocks), []
    while rest:
        block = rest.pop(0)
        while (place := _continuation(block, rest)) is not None:
            between, part = rest[:place], rest[place]
            before = [one for one in between if one.page == block.last_page and not block.turns]
            done += before
            text = join(block.text, part.text, words)
            start = len(text) - len(part.text)
            turns = [(start, part.page)] if part.page != block.last_page else []
            turns += [(start + offset, page) for offset, page in part.turns]
            block = replace(block, lines=block.lines + part.lines, text=text, turns=(*block.turns, *turns))
            rest = [one for one in between if one not in before] + rest[place + 1 :]
        done.append(block)
    return done


def _continuation(block: Block, rest: Sequence[Block]) -> int | None:
    """Where in `rest` the block goes on, or None if it is complete."""
    complete = len(block.text) < 40 or _ENDED.search(block.text) or _CAPTION.match(block.text)
    if block.kind not in ("body", "small") or complete:
        return None
    last = block.lines[-1]
    for place, other in enumerate(rest[:150]):
        if other.page > block.last_page + 1 or (block.kind == "body" and other.kind in ("heading", "title")):
            return None
        first = other.lines[0]
        fits = abs(first.size - last.size) < 0.06 * last.size and other.kind == block.kind
        moved_on = other.page != block.last_page or first.middle > last.top or first.left > last.right
        if not fits or _CAPTION.match(other.text) or (len(other.text) < 20 and not _ENDED.search(other.text)):
            continue
        starts_lower = other.text[:1].islower() or block.text[-1] in HYPHENS
        if block.kind == "small" and not (moved_on and starts_lower):
            return None
        may_go_on = starts_lower or (block.text[-1] not in ".:;" and _goes_on(other.text) and _full(block))
        if moved_on and may_go_on:
            return place
        if not moved_on and starts_lower:
            return place
        return None
    return None


def _goes_on(text: str) -> bool:
    """Whether a text that begins a column may begin in the middle of a sentence."""
    return not _BULLET.match(text) and (text.startswith("(") or not _ITEM.match(text))


def _full(block: Block) -> bool:
    """Whether the last line of a block reaches its right edge, as one does that goes on."""
    rights = [line.right for line in block.lines[-6:]]
    return len(rights) > 1 and rights[-1] > max(rights) - block.lines[-1].size
