"""Text as search sees it; a quote always keeps the document's own characters."""

import re
import unicodedata

# What is invisible on the page and would split a word for the index: zero-width characters, soft
# hyphens, joiners, bidirectional controls and tag characters. All are of Unicode category Cf.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """`text` without invisible characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def searchable(text: str) -> str:
    """`text` in Unicode normal form KC (UAX #15) without invisible characters."""
    return text if text.isascii() else unicodedata.normalize("NFKC", visible(text))
