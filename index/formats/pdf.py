"""PDF: the text that a person would quote, by PDFium, or by pypdf where PDFium finds none."""

import io
import logging
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pypdf
import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ..documents import Document
from ..errors import DocumentError, FailedFile, SkippedFile
from ..formats import plain
from ..loading import Problem
from .blocks import Blocks, collapse
from .pdf_furniture import without_furniture
from .pdf_layout import Block, blocks_of
from .pdf_lines import Line, page_lines

ENCRYPTED = "encrypted PDF: remove its password first"
NO_TEXT = "no text in it: a scanned PDF needs text recognition (OCR) first"

# What programs write in the title field when nobody gave a title.
_NO_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel)\b.*|untitled.*|(?:slide|document|title|print|layout) ?\d*|"
    r".*\.(?:docx?|pdf|tex|dvi|indd|qxd|odt|rtf|pptx?|xlsx?|html?|txt|ps|eps|pages)|arxiv.*|[\W\d_]*)$",
    re.IGNORECASE,
)
# pypdf reports each oddity of a damaged file to the log of the program that uses it.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read(data: bytes, source: str) -> Iterator[Document | Problem]:
    """Yield the document of a PDF, and a problem before it for pages that cannot be read.

    Raises FailedFile for one that is encrypted or damaged, SkippedFile for one without text.
    """
    if b"%PDF-" not in data[:4096] and b"%FDF-" not in data[:1024]:
        raise FailedFile("damaged, or not a PDF file")
    try:
        document, bad = _by_pdfium(data, source)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise FailedFile(ENCRYPTED) from error
        document, bad = _by_pypdf(data, source), []
    except SkippedFile:
        try:
            document, bad = _by_pypdf(data, source), []
        except DocumentError:
            raise SkippedFile(NO_TEXT) from None
    if bad:
        yield Problem(f"page {', '.join(map(str, bad[:10]))} could not be read")
    yield document


def _by_pdfium(data: bytes, source: str) -> tuple[Document, list[int]]:
    """The document and the numbers of its unreadable pages."""
    bad: list[int] = []
    numbers: list[int] = []
    pages: list[list[Line]] = []
    heights: list[float] = []
    pdf = pdfium.PdfDocument(data)
    try:
        named = pdf.get_metadata_value("Title")
        for number in range(1, len(pdf) + 1):
            try:
                page = pdf[number - 1]
            except pdfium.PdfiumError:
                bad.append(number)
                continue
            try:
                lines = page_lines(page)
                height = page.get_height()
            except pdfium.PdfiumError:
                bad.append(number)
                continue
            finally:
                page.close()
            numbers.append(number)
            pages.append(lines)
            heights.append(height)
    finally:
        pdf.close()
    found = blocks_of(list(zip(numbers, without_furniture(pages, heights), strict=True)))
    blocks = Blocks()
    _write(blocks, found)
    titles = [block.text for block in found if block.kind == "title"]
    return blocks.document(source, _title(named, source) or next(iter(titles), "")), bad


def _write(blocks: Blocks, found: list[Block]) -> None:
    before: Block | None = None
    for block in found:
        blocks.page(block.page)
        scrap = block.kind == "row" or (len(block.lines) == 1 and len(block.text) < 60)
        alike = before is not None and (before.page, before.kind) == (block.page, block.kind)
        beside = before is not None and alike and len(before.lines) == 1
        if block.level:
            blocks.heading(block.text, block.level)
        else:
            if not (scrap and beside):
                blocks.gap()
            blocks.paged(block.text, block.turns)
        before = block
    blocks.gap()


def _title(named: str, source: str) -> str:
    """The title field, if a person may have written it."""
    named = collapse(named)
    if _NO_TITLE.match(named) or named == PurePosixPath(source).stem or len(named) < 4 or len(named) > 300:
        return ""
    return named


def _by_pypdf(data: bytes, source: str) -> Document:
    """The same by the second parser, with the lines as it finds them."""
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FailedFile(ENCRYPTED)
        blocks = Blocks()
        for number, page in enumerate(reader.pages, 1):
            blocks.page(number)
            plain.write(blocks, page.extract_text() or "", headings=False)
        named = reader.metadata.title if reader.metadata else None
    except DocumentError:
        raise
    except Exception as error:
        raise FailedFile("damaged, or not a PDF file") from error
    return blocks.document(source, _title(named or "", source))
