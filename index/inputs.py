"""What the embedding model is given for a passage: its context, then its sentences."""

import hashlib
from collections.abc import Callable, Sequence

from .documents import Passage
from .normalising import searchable
from .sentences import Span

# Of the model's window, what title and headings may take.
CONTEXT_SHARE = 0.25

Count = Callable[[Sequence[str]], list[int]]


def model_context(title: str, heading: str, count_pieces: Count, window: int) -> str:
    """Title and heading path as the model gets them: the innermost part that fits its share."""
    context = searchable(Passage("", "", title, 0, 0, "", heading).context)
    while context and count_pieces([context])[0] > int(window * CONTEXT_SHARE):
        _, separator, rest = context.partition(" > ")
        context = rest if separator else context[: len(context) // 2]
    return context


def model_input(passage: Passage, context: str) -> tuple[str, list[Span]]:
    """The text to embed for a passage, and the spans of the passage's sentences in it."""
    text = f"{context}\n" if context else ""
    spans = []
    for sentence in range(len(passage.sentences)):
        part = searchable(passage.quote(sentence))
        spans.append((len(text), len(text) + len(part)))
        text += f"{part} "
    return text.rstrip(), spans


def content_hash(text: str) -> str:
    """Names what was embedded: 32 hexadecimal digits of its sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def bare_hash(passage: Passage) -> str:
    """Names a passage without its title, which may come from the name of the file."""
    return content_hash(f"{passage.heading}\0{passage.text}")
