"""First questions to offer: an empty box tells nobody what can be asked."""

import json
from collections.abc import Sequence
from pathlib import Path

from index.index import Index

# A folder of documents may bring its own, one string a line of JSON.
FILE = ".starters.json"
# Questions that are offered at most.
MOST = 5


def starters(index: Index) -> Sequence[str]:
    """The questions in `.starters.json` of an indexed folder, or ones made from the titles."""
    for root in index.manifest.roots:
        try:
            found = json.loads((Path(root) / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, list):
            return [str(question) for question in found[:MOST]]
    titles = [title for _, title, _, _ in index.sources() if title]
    return ["What are these documents about?", *(f"What is “{title}” about?" for title in titles[:2])]
