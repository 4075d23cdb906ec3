"""Building a document's text block by block, so that offsets are right by construction."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from ..documents import Document, Page, Section
from ..errors import SkippedFile

# A heading further in than this names a part and not the whole.
TITLE_OFFSET = 1000
# A first line longer than this is a paragraph, not a name.
TITLE_LENGTH = 120

# Characters that nobody reads or that some programs take for a line end; tabs and newlines stay.
_CONTROL: dict[int, str | None] = dict.fromkeys((*range(9), *range(14, 28), *range(127, 160)))
_CONTROL |= dict.fromkeys((11, 12, 28, 29, 30, 31, 0x85, 0x2028, 0x2029), " ")


def clean(text: str) -> str:
    """The text with line ends as newlines and without control characters; otherwise unchanged."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROL)


def clean_in_place(text: str) -> str:
    """The same with a space for each control character, so that offsets stay; CR LF is one newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(dict.fromkeys(_CONTROL, " "))


def collapse(text: str) -> str:
    """The text on one line: every run of white space is one space, none at the ends."""
    return " ".join(text.split())


def stem(source: str) -> str:
    """The file name in `source` without its suffix: the title when nothing better is known."""
    return PurePosixPath(source).stem or source


class Blocks:
    """A document being written. Each `line` is a block; `gap` puts an empty line before the next."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._gap = False
        self._sections: list[Section] = []
        self._pages: list[Page] = []
        self._page_due: int | None = None
        self._page = 0

    def gap(self) -> None:
        """End the group: the next block stands after an empty line."""
        self._gap = True

    def line(self, text: str) -> None:
        """Add a block, or one for each line of `text`; blank ones end the group instead."""
        for line in clean(text).split("\n"):
            if _visible(line):
                self._append(line.rstrip())
            else:
                self._gap = True

    def paragraph(self, text: str) -> None:
        """Add a block that is a group of its own."""
        self._gap = True
        self.line(text)
        self._gap = True

    def heading(self, text: str, level: int) -> None:
        """Add a heading line and record it; `level` 1 is the outermost."""
        text = collapse(clean(text))
        if not _visible(text):
            return
        self._gap = True
        start = self._append(text)
        self._sections.append(Section(start, start + len(text), level, text))
        self._gap = True

    def named_line(self, text: str, heading: str, level: int) -> None:
        """Add a line that begins a part called `heading` and belongs to it, as a function's first."""
        start = self._append(text)
        self._sections.append(Section(start, start, level, heading))

    @property
    def headings(self) -> int:
        """How many headings stand so far."""
        return len(self._sections)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def page(self, number: int) -> None:
        """Say that what is added from here on stands on this page."""
        self._page_due = None if number == self._page else number

    def paged(self, text: str, turns: Sequence[tuple[int, int]]) -> None:
        """Add one block in which, at each (offset, number) of `turns`, a page begins; offsets ascend."""
        start = self._append(text)
        for offset, number in turns:
            self.page(number)
            self._begin_page(start + offset)

    def document(self, source: str, title: str = "") -> Document:
        """What was written. Without `title`: an outermost heading near the top, a short first line, the stem.

        Raises SkippedFile if nothing was written.
        """
        text = "".join(self._parts)
        if not text:
            raise SkippedFile("no text in it")
        title = collapse(clean(title)) or self._title(text) or stem(source)
        return Document(source, title, text, tuple(self._sections), tuple(self._pages))

    def _title(self, text: str) -> str:
        top = min((section.level for section in self._sections), default=0)
        headings = [section for section in self._sections if section.level == top]
        if headings and headings[0].start < TITLE_OFFSET:
            return headings[0].heading
        first = collapse(text.partition("\n")[0])
        # Prose and list items begin a text that has no name.
        named = len(first) <= TITLE_LENGTH and not re.search(r"^[-*•]\s|[.!?,;:]$", first) and "\n" in text
        return first if named else ""

    def _append(self, text: str) -> int:
        """Write a block and return where it starts."""
        separator = ("\n\n" if self._gap else "\n") if self._parts else ""
        self._gap = False
        self._parts.append(separator)
        self._length += len(separator)
        start = self._length
        self._begin_page(start)
        self._parts.append(text)
        self._length += len(text)
        return start

    def _begin_page(self, start: int) -> None:
        if self._page_due is not None:
            self._pages.append(Page(start, self._page_due))
            self._page, self._page_due = self._page_due, None


def _visible(text: str) -> bool:
    """Whether there is something to read, not only spaces, joiners and byte order marks."""
    return any(not character.isspace() and unicodedata.category(character) != "Cf" for character in text)
