"""Word documents (DOCX): paragraphs, headings, lists, tables and footnotes in their order."""

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from docx.document import Document as Word
from docx.opc.exceptions import PackageNotFoundError
from lxml import etree

from ..documents import Document
from ..errors import FailedFile
from ..loading import Problem
from .blocks import Blocks, collapse

# An honest document unpacks to less.
UNPACKED_LIMIT = 200 * 1024 * 1024
# XML of a part becomes a tree of many times its size.
PART_LIMIT = 50 * 1024 * 1024

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*([1-9])$", re.IGNORECASE)
# Titles that programs put there and nobody wrote.
_NO_TITLE = re.compile(r"(?:word document|untitled|document\d*|title|python-docx.*|.*\.docx?)?$", re.IGNORECASE)


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a DOCX file. Raises FailedFile if it is none, encrypted or too large."""
    _check(data)
    try:
        word = docx.Document(io.BytesIO(data))
    except (PackageNotFoundError, KeyError, ValueError, etree.XMLSyntaxError, zipfile.BadZipFile) as error:
        raise FailedFile("damaged, or not a DOCX file") from error
    yield _Writer(word).document(source)


def _check(data: bytes) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise FailedFile("encrypted, or in the old Word format: save it as DOCX without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise FailedFile("damaged, or not a DOCX file") from error
    unpacked = sum(part.file_size for part in parts)
    xml = max((part.file_size for part in parts if part.filename.endswith((".xml", ".rels"))), default=0)
    if unpacked > UNPACKED_LIMIT or xml > PART_LIMIT:
        raise FailedFile("too large when unpacked")


class _Writer:
    """One document: its styles and list formats, and the blocks written so far."""

    def __init__(self, word: Word) -> None:
        self.blocks = Blocks()
        self.word = word
        self.title = ""
        self.counts: dict[tuple[str, int], int] = {}
        self.styles: dict[str, tuple[str, etree._Element]] = {}
        for style in word.styles.element.iter(f"{_W}style"):
            name = style.find(f"{_W}name")
            self.styles[style.get(f"{_W}styleId", "")] = (_value(name), style)
        self.formats = self._list_formats()

    def document(self, source: str) -> Document:
        body = self.word.element.body
        for node in _children(body):
            if node.tag == f"{_W}p":
                self._paragraph(node)
            else:
                self.blocks.gap()
                self._table(node)
                self.blocks.gap()
        self._footnotes()
        named = collapse(self.word.core_properties.title or "")
        return self.blocks.document(source, self.title or ("" if _NO_TITLE.match(named) else named))

    def _paragraph(self, node: etree._Element) -> None:
        text = _text(node)
        if not text.strip():
            self.blocks.gap()
            return
        style = self._style(node)
        if style.lower() == "title":
            self.title = self.title or collapse(text)
            self.blocks.heading(text, 1)
        elif level := self._level(node, style):
            self.blocks.heading(text, level)
        elif marker := self._marker(node, style):
            self.blocks.line(marker + text)
        else:
            self.blocks.paragraph(text)

    def _style(self, node: etree._Element) -> str:
        style = _value(node.find(f"{_W}pPr/{_W}pStyle"))
        return self.styles[style][0] if style in self.styles else style

    def _level(self, node: etree._Element, style: str) -> int:
        if found := _HEADING.match(style):
            return int(found[1])
        # A style of one's own tells by its outline level, as does the paragraph itself.
        nodes = [node, *self._style_chain(node)]
        for one in nodes:
            outline = _value(one.find(f"{_W}pPr/{_W}outlineLvl"))
            if outline.isdecimal():
                return int(outline) + 1 if int(outline) < 9 else 0
        return 0

    def _style_chain(self, node: etree._Element) -> list[etree._Element]:
        chain: list[etree._Element] = []
        style = _value(node.find(f"{_W}pPr/{_W}pStyle"))
        while style in self.styles and len(chain) < 10:
            chain.append(self.styles[style][1])
            style = _value(chain[-1].find(f"{_W}basedOn"))
        return chain

    def _marker(self, node: etree._Element, style: str) -> str:
        """What stands before a list item: "- ", "3. ", or nothing outside a list."""
        for one in (node, *self._style_chain(node)):
            numbering = one.find(f"{_W}pPr/{_W}numPr")
            if numbering is not None:
                number = _value(numbering.find(f"{_W}numId"))
                level = int(_value(numbering.find(f"{_W}ilvl")) or 0)
                if number == "0":
                    return ""
                if self.formats.get((number, level), "bullet") in ("bullet", "none"):
                    return "- "
                count = self.counts.get((number, level), 0) + 1
                self.counts[number, level] = count
                for deeper in [key for key in self.counts if key[0] == number and key[1] > level]:
                    del self.counts[deeper]
                return f"{count}. "
        return "- " if style.lower().startswith("list bullet") else ""

    def _list_formats(self) -> dict[tuple[str, int], str]:
        """(list id, level) to its number format, as "decimal" or "bullet"."""
        part = next((one.blob for one in _related(self.word, "/numbering")), b"")
        if not part:
            return {}
        root = etree.fromstring(part, _parser())
        levels = [
            (one.get(f"{_W}abstractNumId"), level)
            for one in root.iter(f"{_W}abstractNum")
            for level in one.iter(f"{_W}lvl")
        ]
        kinds = {(name, int(level.get(f"{_W}ilvl", "0"))): _value(level.find(f"{_W}numFmt")) for name, level in levels}
        return {
            (one.get(f"{_W}numId", ""), level): kind
            for one in root.iter(f"{_W}num")
            for (name, level), kind in kinds.items()
            if name == _value(one.find(f"{_W}abstractNumId"))
        }

    def _table(self, table: etree._Element) -> None:
        for row in _children(table, (f"{_W}tr",)):
            cells = []
            for cell in _children(row, (f"{_W}tc",)):
                merge = cell.find(f"{_W}tcPr/{_W}vMerge")
                continued = merge is not None and merge.get(f"{_W}val", "continue") == "continue"
                cells.append("" if continued else collapse(" ".join(map(_text, cell.iter(f"{_W}p")))))
            if any(cells):
                self.blocks.line(" | ".join(cells))

    def _footnotes(self) -> None:
        for part in (*_related(self.word, "/footnotes"), *_related(self.word, "/endnotes")):
            root = etree.fromstring(part.blob, _parser())
            for note in root.iter(f"{_W}footnote", f"{_W}endnote"):
                if note.get(f"{_W}type", "normal") == "normal":
                    text = collapse(" ".join(map(_text, note.iter(f"{_W}p"))))
                    self.blocks.paragraph(text)


def _related(word: Word, kind: str) -> list:  # type: ignore[type-arg]
    relations = word.part.rels.values()
    return [one.target_part for one in relations if not one.is_external and one.reltype.endswith(kind)]


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def _children(node: etree._Element, tags: tuple[str, ...] = (f"{_W}p", f"{_W}tbl")) -> Iterator[etree._Element]:
    """Yield the children with these tags, also those inside content controls and tracked changes."""
    for child in node:
        if child.tag in tags:
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
            yield from _children(child, tags)


def _text(paragraph: etree._Element) -> str:
    """The words of a paragraph as shown: insertions in, deletions, text boxes and field codes out."""
    parts: list[str] = []
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, node in walk:
        match node.tag:
            case _ if node.tag in (f"{_W}txbxContent", _FALLBACK, f"{_W}del", f"{_W}pPr"):
                walk.skip_subtree()
            case _ if node.tag == f"{_W}t":
                parts.append(node.text or "")
            case _ if node.tag == f"{_W}tab":
                parts.append(" ")
            case _ if node.tag in (f"{_W}br", f"{_W}cr"):
                parts.append("\n" if node.get(f"{_W}type", "textWrapping") == "textWrapping" else " ")
            case _ if node.tag == f"{_W}noBreakHyphen":
                parts.append("-")
    return "\n".join(collapse(line) for line in "".join(parts).split("\n"))


def _value(node: etree._Element | None) -> str:
    return node.get(f"{_W}val", "") if node is not None else ""
