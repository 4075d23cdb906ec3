"""Whether a quote still stands in the document that it was taken from."""

from dataclasses import dataclass
from typing import Literal

from index import Index
from index.errors import UsageError

State = Literal["found", "moved", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a footnote says: `document.text[start:end] == quote` when it was written; `marker` is its number there."""

    marker: str
    source: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A quote and how it stands: "found" where it was, "moved" to `start` (elsewhere in the document, unchanged),
    "changed" (the document no longer has it), or "gone" (no such document).
    """

    quoted: Quoted
    state: State
    start: int | None = None


def check(index: Index, quoted: Quoted) -> Checked:
    """How a quote stands in the index as it is now; of several places it moved to, the nearest."""
    try:
        text = index.document(quoted.source).text
    except UsageError:
        return Checked(quoted, "gone")
    if quoted.quote and text[quoted.start : quoted.end] == quoted.quote:
        return Checked(quoted, "found", quoted.start)
    before = text.rfind(quoted.quote, 0, quoted.start + len(quoted.quote))
    after = text.find(quoted.quote, quoted.start)
    places = [place for place in (before, after) if place >= 0 and quoted.quote]
    if not places:
        return Checked(quoted, "changed")
    return Checked(quoted, "moved", min(places, key=lambda place: abs(place - quoted.start)))
