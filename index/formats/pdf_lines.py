"""The lines of a PDF page as they stand on the paper: PDFium's characters, put together by place."""

import ctypes
import itertools
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
import pypdfium2.raw as raw

_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_BOLD = re.compile(r"bold|black|heavy|semib|demi|medi(?!um?it)|cmbx|sfbx|\bbx|ptmb|phvb", re.IGNORECASE)
# Hebrew, Arabic and their presentation forms.
_RIGHT_TO_LEFT = frozenset((*range(0x590, 0x900), *range(0xFB1D, 0xFE00), *range(0xFE70, 0xFEFF)))
# Units ("km") and formulas have fewer letters before their exponent.
_NOTED = re.compile(r"[^\W\d_]{3}[.,;:)\]”\"’']?$|[^\W\d][.,;:)\]”\"’']{1,2}$")
# Of the height of a line: a wider gap is no space between words but another column or cell.
_APART = 1.1
# A page with more characters than this is no page to read.
PAGE_LIMIT = 400_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text on a page, in points from the bottom left; `size` is its height, near the font size.

    `cells` are its pieces where wide gaps part it, as in the row of a table.
    """

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool = False
    cells: tuple[str, ...] = ()

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


class _Run:
    """Characters that stand side by side, while they are collected."""

    __slots__ = ("bottom", "first", "last", "left", "parts", "right", "sizes", "top")

    def __init__(self, first: int, left: float, right: float, bottom: float, top: float) -> None:
        self.first = self.last = first
        self.left, self.right, self.bottom, self.top = left, right, bottom, top
        self.parts: list[str] = []
        self.sizes: list[float] = []


def page_lines(page: pdfium.PdfPage) -> list[Line]:
    """The lines of a page in the order that it was written in, without rotated text."""
    textpage = page.get_textpage()
    try:
        return _joined(_interleaved(_lines(textpage)))
    finally:
        textpage.close()


def _lines(textpage: pdfium.PdfTextPage) -> list[Line]:
    handle, box = textpage.raw, raw.FS_RECTF()
    pointer = ctypes.byref(box)
    unicode, loose, angle = raw.FPDFText_GetUnicode, raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetCharAngle
    runs: list[_Run] = []
    run: _Run | None = None
    space, hyphen, turned = False, False, False
    for number in range(min(textpage.count_chars(), PAGE_LIMIT)):
        code = unicode(handle, number)
        if code in (32, 160, 9):
            space = True
            continue
        if code in (10, 13):
            run = None if hyphen else run
            space, hyphen = True, False
            continue
        if code in (2, 0xFFFE, 0xAD):
            # PDFium's mark for a hyphen at a line end; the hyphen itself has no character then.
            if run is not None:
                run.parts.append("-" if code != 0xAD else "\u00ad")
                run = None
            continue
        if code < 32 or code in (0xFFFF, 0xFEFF) or code > 0x10FFFF or not loose(handle, number, pointer):
            continue
        left, right, bottom, top = box.left, box.right, box.bottom, box.top
        size = top - bottom
        if run is None or space:
            turned = 0.1 < angle(handle, number) % 3.14159265 < 3.04
        if turned or size <= 0:
            continue
        if run is not None:
            height = min(size, run.top - run.bottom)
            overlap = min(top, run.top) - max(bottom, run.bottom)
            gap = left - run.right
            if code in _RIGHT_TO_LEFT and right < run.right:
                gap = run.left - right
            if overlap < 0.35 * height or not -0.9 * size < gap < _APART * max(size, run.top - run.bottom):
                run = None
            elif _is_note_mark(run, code, size, bottom):
                run.right = right
                continue
            elif space or gap > 0.22 * size or _is_note_number(run, size):
                run.parts.append(" ")
        if run is None:
            run = _Run(number, left, right, bottom, top)
            runs.append(run)
        run.parts.append(_LIGATURES.get(code) or chr(code))
        run.sizes.append(size)
        run.last = number
        run.left, run.right = min(run.left, left), max(run.right, right)
        if size >= 0.9 * (run.top - run.bottom):
            run.bottom, run.top = min(run.bottom, bottom), max(run.top, top)
        space = False
    return [line for line in (_line(textpage, run) for run in runs) if line.text]


def _is_note_mark(run: _Run, code: int, size: float, bottom: float) -> bool:
    """Whether a character is a raised number after a word, which points to a note and is not read."""
    height = run.top - run.bottom
    if not 48 <= code <= 57 or size > 0.8 * height or bottom < run.bottom + 0.15 * height:
        return False
    return bool(_NOTED.search("".join(run.parts[-4:])))


def _is_note_number(run: _Run, size: float) -> bool:
    """Whether all there is so far is the small number that a note begins with."""
    return run.sizes[-1] < 0.8 * size and "".join(run.parts).isdecimal()


def _line(textpage: pdfium.PdfTextPage, run: _Run) -> Line:
    sizes = sorted(run.sizes)
    text = " ".join("".join(run.parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace").split())
    # Small capitals and indices are smaller than their line.
    size = sizes[int(0.8 * (len(sizes) - 1))]
    bold = _is_bold(textpage, run.first) and _is_bold(textpage, run.last)
    return Line(text, run.left, run.right, run.bottom, run.top, size, bold, (text,))


def _is_bold(textpage: pdfium.PdfTextPage, number: int) -> bool:
    buffer, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    length = raw.FPDFText_GetFontInfo(textpage.raw, number, buffer, 128, ctypes.byref(flags))
    name = buffer.raw[: max(0, min(length, 128) - 1)].decode("utf-8", "replace")
    return bool(_BOLD.search(name)) or raw.FPDFText_GetFontWeight(textpage.raw, number) >= 600


def _interleaved(lines: list[Line]) -> list[Line]:
    """The lines column by column, if the page was written row by row across two columns of prose."""
    pairs = [
        (before, after)
        for before, after in itertools.pairwise(lines)
        if _side_by_side(before, after) and min(len(before.text), len(after.text)) >= 20
    ]
    if len(pairs) < 4:
        return lines
    # Where most of the gaps between neighbours lie on top of each other runs the gutter.
    places = Counter(place for before, after in pairs for place in range(int(before.right), int(after.left) + 1))
    hits = max(places.values())
    common = sorted(place for place, count in places.items() if count == hits)
    gutter = common[len(common) // 2]
    if hits < 0.7 * len(pairs) or 2.5 * len(pairs) < len(lines) * 0.5:
        return lines
    ordered: list[Line] = []
    columns: tuple[list[Line], list[Line]] = ([], [])
    for line in lines:
        if line.left < gutter - 2 and line.right > gutter + 2:
            ordered += [*columns[0], *columns[1], line]
            columns = ([], [])
        else:
            columns[line.left >= gutter - 2].append(line)
    return [*ordered, *columns[0], *columns[1]]


def _side_by_side(before: Line, after: Line) -> bool:
    level = abs(before.middle - after.middle) < 0.4 * max(before.size, after.size)
    return level and after.left > before.right


def _joined(lines: list[Line]) -> list[Line]:
    """Pieces written one after the other on one baseline are one line: numbered headings, table rows."""
    done: list[Line] = []
    for line in lines:
        last = done[-1] if done else None
        if last and _side_by_side(last, line) and not last.text.endswith("-"):
            text = f"{last.text} {line.text}"
            size = max((last, line), key=lambda one: len(one.text)).size
            done[-1] = replace(
                last,
                text=text,
                right=line.right,
                bottom=min(last.bottom, line.bottom),
                top=max(last.top, line.top),
                size=size,
                cells=last.cells + line.cells,
                bold=last.bold and line.bold,
            )
        else:
            done.append(line)
    return done
