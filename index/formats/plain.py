"""Plain text: which of its line ends end a block, and which only fit the page it was typed for."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from ..documents import Document
from ..loading import Problem
from .blocks import Blocks, clean, collapse
from .decoding import decode
from .joining import join, vocabulary

# Nobody wraps wider than this; a longer line is a paragraph.
WRAP_WIDTH = 100
# Nor prose narrower than this; shorter lines are verse, addresses, lists.
_NARROWEST = 40

_MARKER = re.compile(r"\s*(?:[-*+•‣◦–]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{2,5})[.)])\s+\S")
_TABLE = re.compile(r"\S(?: {3,}|\t+| *\| +)\S")
_CODE = re.compile(r"[{};]\s*$|^\s*(?:[#/$>]|def |import |return\b|(?:for|if) .*:$)|\w\(.{0,200}\)|\s:?=\s")
# "1.2 Title", or "3. Title" without anything that makes it a date or a list item.
_NUMBERED = re.compile(
    r"(\d{1,2}(?:\.\d{1,2}){1,3})\.?\s+[A-Z]\S*(?: \S+){0,9}$|\d{1,2}\.\s+[A-Z][\w'’-]*(?: [\w'’-]+){0,6}$"
)
_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,})$")
# The end of a sentence, perhaps in quotes or brackets.
_ENDED = re.compile(r"[.!?:;][\"'”’)\]]*$")


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a text file, and a problem before it if its encoding is a guess."""
    text, guessed = decode(data)
    blocks = Blocks()
    write(blocks, text)
    document = blocks.document(source)
    if guessed:
        yield Problem(f"its encoding is a guess: read as {guessed}", lost=False)
    yield document


def write(blocks: Blocks, text: str, headings: bool = True) -> None:
    """Add a plain text to `blocks`: wrapped lines joined, headings found, other lines kept."""
    groups = list(_groups(text))
    words = vocabulary(line for group in groups for line in group)
    width = wrap_width(groups)
    for group in groups:
        blocks.gap()
        if not headings or not _write_heading(blocks, group):
            rest = _underlined(blocks, group) if headings else group
            for run in runs(rest, width):
                line = run[0].rstrip()
                for after in run[1:]:
                    line = join(line, after, words)
                blocks.line(line if len(run) == 1 else _indent(run[0]) + collapse(line))
        blocks.gap()


def unwrapped(text: str) -> str:
    """The text with a space for each newline that only wraps a line; every offset stays the same."""
    if "\n" not in text:
        return text
    lines = text.split("\n")
    width = wrap_width(list(_groups(text)))
    done: list[str] = []
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        done += group if blank else (" ".join(run) for run in runs(list(group), width))
    return "\n".join(done)


def wrap_width(groups: Sequence[Sequence[str]]) -> int:
    """The width that the lines of a text were wrapped at, or 0 if they were not."""
    lengths = sorted(len(line) for group in groups if len(group) > 1 for line in group if not _kept(line))
    short = [length for length in lengths if length <= WRAP_WIDTH]
    if not short or len(short) < 0.9 * len(lengths):
        return 0
    width = short[min(len(short) - 1, int(0.98 * len(short)))]
    return width if width >= _NARROWEST else 0


def runs(group: Sequence[str], width: int) -> Iterator[list[str]]:
    """Yield the lines of a group, those of one paragraph or list item together."""
    run: list[str] = []
    wraps = bool(width) and _is_prose(group, width)
    for line in group:
        if run and wraps and _continues(run, line, width):
            run.append(line)
        else:
            if run:
                yield run
            run = [line]
    if run:
        yield run


def _is_prose(group: Sequence[str], width: int) -> bool:
    """Whether the lines of a group break where the width ran out, not where their writer chose."""
    pairs = list(pairwise(group))
    if not pairs or max(map(len, group)) > 1.3 * width:
        return False
    if sum(_kept(line) for line in group) > 0.3 * len(group):
        return False
    if min(map(_depth, group)) >= 4 and sum(bool(_CODE.search(line)) for line in group) >= 0.3 * len(group):
        return False
    inner = [(before, after) for before, after in pairs if not _MARKER.match(after)]
    # Verse and addresses: nearly every line begins with a capital, and nearly none is full.
    capital = sum(after.lstrip()[:1].isupper() for _, after in inner)
    full = sum(_is_full(before, after, width) for before, after in inner)
    if not inner:
        return False
    return full >= 0.6 * len(inner) and (len(inner) < 3 or capital < 0.8 * len(inner) or full == len(inner))


def _continues(run: Sequence[str], line: str, width: int) -> bool:
    before = run[-1]
    if _MARKER.match(line) or _kept(line) or _kept(before) or len(before) > WRAP_WIDTH:
        return False
    if _depth(line) > _depth(before) and _ENDED.search(before) and not _MARKER.match(run[0]):
        return False  # a paragraph that begins with an indented line
    return _is_full(before, line, width) or (
        line.lstrip()[:1].islower() and not _ENDED.search(before) and len(before) > 0.6 * width
    )


def _is_full(before: str, after: str, width: int) -> bool:
    """Whether the next word had no room left; writers' own line ends are a little ragged."""
    word = after.split(maxsplit=1)[0] if after.strip() else ""
    return len(before.rstrip()) + 1 + len(word) > 0.92 * width


def _kept(line: str) -> bool:
    return bool(_TABLE.search(line.strip())) or line.strip().startswith("|")


def _write_heading(blocks: Blocks, group: Sequence[str]) -> bool:
    """Write a group that is a heading and nothing else."""
    line = collapse(group[0])
    if len(group) == 1 and len(line) <= 80 and not _kept(group[0]):
        letters = [character for character in line if character.isalpha()]
        if len(letters) >= 4 and " ".join(letters).isupper() and not re.search(r"[.!?,;]$", line):
            blocks.heading(line, 1)
            return True
        if (numbered := _NUMBERED.match(line)) and not re.search(r"[.!?,;:]$", line):
            blocks.heading(line, (numbered[1] or "").count(".") + 1)
            return True
    return False


def _underlined(blocks: Blocks, group: Sequence[str]) -> Sequence[str]:
    """Write the heading of a group that begins with an underlined line; the lines left."""
    if len(group) >= 2 and (rule := _UNDERLINE.match(group[1].strip())):
        line = group[0].strip()
        if line and len(line) <= 100 and abs(len(group[1].strip()) - len(line)) <= max(3, len(line) // 3):
            blocks.heading(line, 1 if rule[1][0] == "=" else 2)
            return group[2:]
    return group


def _groups(text: str) -> Iterator[list[str]]:
    """Yield the runs of lines between empty ones."""
    group: list[str] = []
    for line in clean(text.replace("\f", "\n\n")).split("\n"):
        if line.strip():
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _indent(line: str) -> str:
    return line[: _depth(line)] if _MARKER.match(line) else ""
