"""What a file becomes: documents, and the passages cut from them.

Offsets are characters (Python code points) in `Document.text`, the cleaned text that the index
stores; `document.text[passage.start:passage.end] == passage.text` always holds.
"""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A heading line of a document: `text[start:end]` is the line, `level` 1 is the outermost.

    Empty (`start == end`) where the line names what follows and is itself to be quoted, as in code.
    """

    start: int
    end: int
    level: int
    heading: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a document: it begins at character `start`; `number` counts from 1."""

    start: int
    number: int


@dataclass(frozen=True, slots=True)
class Document:
    """One text with a name.

    `source` is the path relative to the indexed root (POSIX slashes), or `path#_id` for a row.
    In `text` every newline ends a block (paragraph, heading, list item, table row, code line) and
    an empty line separates groups of them; nothing else is wrapped.
    `sections` and `pages` ascend by `start`. `sha256` is that of the original bytes (of the file,
    or of the row).
    """

    source: str
    title: str
    text: str
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    sha256: str = ""

    def page_at(self, offset: int) -> int | None:
        """The page number that the character at `offset` stands on; None if there are no pages."""
        found = bisect_right(self.pages, offset, key=lambda page: page.start)
        return self.pages[found - 1].number if found else None

    def heading_at(self, offset: int) -> str:
        """The heading path above the character at `offset`, outermost first: `A > B`, or empty."""
        path: list[Section] = []
        for section in self.sections[: bisect_right(self.sections, offset, key=lambda s: s.start)]:
            path = [above for above in path if above.level < section.level] + [section]
        return " > ".join(section.heading for section in path)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one document, small enough for the embedding model to see whole.

    `id` comes from content and position (sha256 over source, start and text), never from vectors.
    `sentences` are the (start, end) spans of its sentences in the document's text, ascending.
    `language` (ISO 639-1) is the one its words are stemmed in; English where none can be told.
    """

    id: str
    source: str
    title: str
    start: int
    end: int
    text: str
    heading: str = ""
    page: int | None = None
    sentences: tuple[tuple[int, int], ...] = ()
    language: str = "en"

    @property
    def context(self) -> str:
        """Title and heading path: searched with the passage, never part of its quote."""
        parts = [self.title, *self.heading.split(" > ")]
        return " > ".join(part for part, before in zip(parts, ["", *parts], strict=False) if part and part != before)

    def quote(self, sentence: int) -> str:
        """The text of the sentence at position `sentence`."""
        start, end = self.sentences[sentence]
        return self.text[start - self.start : end - self.start]
