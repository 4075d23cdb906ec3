"""Putting back together what a line end took apart: wrapped lines and hyphenated words."""

import re
from collections.abc import Iterable, Set

# What writers put at the end of a line inside a word.
HYPHENS = "-\u2010"

# An address broken after a slash, a dash set without spaces, a range of numbers.
_JOINS = re.compile(r"(?:https?://|www\.)\S*/$|\w—$|\d–$")
_SMALL = frozenset(("a", "and", "at", "by", "in", "of", "on", "or", "the", "to", "up"))
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*[-\u2010]$")
_FIRST = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")


def vocabulary(lines: Iterable[str]) -> frozenset[str]:
    """The words of a document, lower-case, hyphens as written, without those that a line end breaks."""
    words: set[str] = set()
    broken = False
    for line in lines:
        found = _WORD.findall(line)
        if broken:
            found = found[1:]
        broken = line.rstrip().endswith(tuple(HYPHENS))
        if broken:
            found = found[:-1]
        words.update(word.lower() for word in found)
    return frozenset(words)


def join(before: str, after: str, words: Set[str]) -> str:
    """Two lines of one paragraph as one. `words` is the document's vocabulary."""
    before, after = before.rstrip(), after.lstrip()
    if not before or not after:
        return before or after
    if before[-1] == "\u00ad":
        return before[:-1] + after
    if before[-1] not in HYPHENS:
        return before + after if _JOINS.search(before[-80:]) else f"{before} {after}"
    left = _LAST.search(before[-60:])
    right = _FIRST.match(after[:60])
    if not left or not right:
        # "1998-" + "2003", "A-" + "1" and "(pre-" keep it; " -" is a dash between words.
        return before + after if before[-2:-1].isalnum() else f"{before} {after}"
    if _keeps_hyphen(left.group()[:-1], right.group(), words):
        return before + after
    return before[:-1] + after


def _keeps_hyphen(left: str, right: str, words: Set[str]) -> bool:
    joined, hyphenated = (left + right).lower(), f"{left}-{right}".lower()
    if joined in words:
        return False
    if not right[0].islower():
        return True
    if "-" in right:
        # "state-of-the-art" keeps what "re-source-rich" never had.
        first = right.split("-")[0]
        return f"{left}{first}".lower() not in words and (first in _SMALL or left.lower() in words)
    if hyphenated in words or "-" in left or not left[1:].islower():
        return True
    if not left.islower():
        # A name may be cut ("Trans-former") or part of a compound ("Soviet-controlled").
        return right.lower() in words
    # Two whole words of this document ("language-specific") are a compound cut at its own hyphen.
    return min(len(left), len(right)) >= 4 and left.lower() in words and right.lower() in words
