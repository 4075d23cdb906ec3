"""EPUB books: their pages in reading order, under the headings of the pages or of the table of contents."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from ..documents import Document
from ..errors import DocumentError, FailedFile
from ..loading import Problem
from .blocks import Blocks, collapse
from .html import write_page

# An honest book unpacks to less, pictures apart; one page to much less.
UNPACKED_LIMIT = 200 * 1024 * 1024
PAGE_LIMIT = 20 * 1024 * 1024

_CONTAINER = "META-INF/container.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/html")
# Fonts may be obfuscated in a book that is not encrypted.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a book, and problems before it for pages that cannot be read.

    Raises FailedFile for one that is damaged, encrypted or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            book = _Book(archive)
            document = book.document(source)
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, EOFError) as error:
        raise FailedFile("damaged, or not an EPUB file") from error
    if book.bad:
        yield Problem(f"could not be read in it: {', '.join(book.bad[:5])}")
    yield document


class _Book:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.bad: list[str] = []
        self.unpacked = 0
        self._refuse_encrypted()
        (path, *_) = [
            one.get("full-path", "") for one in self._xml(_CONTAINER).iter("{*}rootfile") if one.get("full-path")
        ] or [""]
        if not path:
            raise FailedFile("damaged, or not an EPUB file")
        self.folder = posixpath.dirname(path)
        self.package = self._xml(path)
        self.items = {one.get("id", ""): one for one in self.package.iter("{*}item")}

    def document(self, source: str) -> Document:
        blocks = Blocks()
        contents = self._contents()
        met: set[str] = set()
        for reference in self.package.iter("{*}itemref"):
            item = self.items.get(reference.get("idref", ""))
            if item is None or item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
                continue
            name = self._name(item.get("href", ""), self.folder)
            if name in met:
                continue
            met.add(name)
            self._write(blocks, name, contents.get(name, ""))
        title = next((collapse("".join(one.itertext())) for one in self.package.iter("{*}title")), "")
        return blocks.document(source, title)

    def _write(self, blocks: Blocks, name: str, label: str) -> None:
        try:
            page = self._read(name)
            if label and _lacks_heading(page):
                blocks.heading(label, 1)
            blocks.gap()
            write_page(blocks, page)
            blocks.gap()
        except _TooLarge:
            raise
        except (DocumentError, KeyError, zipfile.BadZipFile, etree.LxmlError, EOFError, ValueError):
            self.bad.append(ascii(name)[1:-1])

    def _contents(self) -> dict[str, str]:
        """Page to what the table of contents calls it: EPUB 3's navigation page, or EPUB 2's NCX."""
        labels: dict[str, str] = {}
        for item in self.items.values():
            nav = "nav" in item.get("properties", "").split()
            if not nav and item.get("media-type") != "application/x-dtbncx+xml":
                continue
            name = self._name(item.get("href", ""), self.folder)
            try:
                root = self._xml(name)
            except (KeyError, etree.XMLSyntaxError, zipfile.BadZipFile):
                continue
            folder = posixpath.dirname(name)
            if nav:
                found = [(one.get("href", ""), one) for one in root.iter("{*}a")]
            else:
                found = [
                    (target.get("src", ""), label)
                    for point in root.iter("{*}navPoint")
                    if (target := point.find("{*}content")) is not None
                    and (label := point.find("{*}navLabel")) is not None
                ]
            for target, label in found:
                labels.setdefault(self._name(target, folder), collapse("".join(label.itertext())))
        return labels

    def _name(self, target: str, folder: str) -> str:
        """The member that an address in `folder` means."""
        return posixpath.normpath(posixpath.join(folder, unquote(target.partition("#")[0])))

    def _refuse_encrypted(self) -> None:
        names = self.archive.namelist()
        if "META-INF/encryption.xml" in names:
            methods = self._xml("META-INF/encryption.xml").iter("{*}EncryptionMethod")
            if any(one.get("Algorithm") not in _FONTS for one in methods):
                raise FailedFile("encrypted (DRM): it opens only in the shop's own reader")

    def _xml(self, name: str) -> etree._Element:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True)
        root = etree.fromstring(self._read(name), parser)
        if root is None:
            raise FailedFile("damaged, or not an EPUB file")
        return root

    def _read(self, name: str) -> bytes:
        member = self.archive.getinfo(name)
        if member.flag_bits & 1:
            raise FailedFile("encrypted: remove its password first")
        with self.archive.open(member) as file:
            data = file.read(PAGE_LIMIT + 1)  # what it holds, whatever it says that it holds
        self.unpacked += len(data)
        if len(data) > PAGE_LIMIT or self.unpacked > UNPACKED_LIMIT:
            raise _TooLarge("too large when unpacked")
        return data


class _TooLarge(FailedFile):
    """Raised when the book is too large, not only one page damaged."""


def _lacks_heading(page: bytes) -> bool:
    """Whether a page has words and no heading over any of them."""
    blocks = Blocks()
    write_page(blocks, page)
    return bool(blocks) and not blocks.headings
