"""What stands around the text of a PDF page: running headers and footers, page numbers."""

import re
from collections import Counter
from collections.abc import Sequence

from .pdf_lines import Line

# Lines from the edge of a page that can be a header or footer.
_EDGE = 3
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(
    r"(?:page |seite |p\. ?)?[-–—\[(]? ?(?:\d{1,4}|[ivxl]{1,7})"
    r"(?: ?(?:/|of|von|de|sur|di) ?\d{1,4})? ?[-–—\])]?",
    re.IGNORECASE,
)


def without_furniture(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[list[Line]]:
    """The lines of each page without page numbers and without what repeats at the edge of several pages."""
    keys = [[(line, _key(line)) for line in _edges(lines)] for lines in pages]
    counts = Counter(key for found in keys for key in {key for _, key in found})
    # Left and right pages differ, so a third of the pages is enough.
    needed = 2 if len(pages) <= 5 else max(3, len(pages) // 4)
    kept = []
    for lines, height, found in zip(pages, heights, keys, strict=True):
        dropped = {
            id(line)
            for line, key in found
            if (counts[key] >= needed and _is_outside(line, lines, height)) or _is_page_number(line, lines, height)
        }
        kept.append([line for line in lines if id(line) not in dropped])
    return kept


def _edges(lines: Sequence[Line]) -> list[Line]:
    ordered = sorted(lines, key=lambda line: line.middle)
    return ordered[:_EDGE] + ordered[max(_EDGE, len(ordered) - _EDGE) :]


def _key(line: Line) -> tuple[str, int]:
    return _DIGITS.sub("#", line.text.lower()), round(line.middle / 4)


def _is_outside(line: Line, lines: Sequence[Line], height: float) -> bool:
    """Whether a line stands in the outer ninth of the page."""
    return line.middle < height / 9 or line.middle > height * 8 / 9 or len(lines) <= 2


def _is_page_number(line: Line, lines: Sequence[Line], height: float) -> bool:
    if len(lines) < 2 or not _NUMBER.fullmatch(line.text.strip()):
        return False
    if not (line.middle < height / 7 or line.middle > height * 6 / 7):
        return False
    # Alone: what is nearest to it stands further off than the next line of a text would.
    others = [one for one in lines if one is not line]
    below = min(one.bottom for one in others) - line.top
    above = line.bottom - max(one.top for one in others)
    return max(below, above) > 0.4 * line.size
