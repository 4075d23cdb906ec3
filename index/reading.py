"""A file to documents that are cut into passages, in this process or in a worker on another machine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .chunking import ChunkSettings, chunk
from .documents import Document, Passage
from .embedding import Embedder
from .loading import Problem
from .parsing import load


def read(
    path: Path, source: str, settings: ChunkSettings, embedder: Embedder, problems: list[Problem]
) -> Iterator[tuple[Document, list[Passage]]]:
    """Each document of a file with its passages, as they are read; what could not be read is added to `problems`.

    Raises DocumentError while iterating, as `parsing.load` does.
    """
    for one in load(path, source):
        if isinstance(one, Problem):
            problems.append(one)
        else:
            document = _storable(one)
            yield document, chunk(document, settings, embedder.count_pieces, embedder.window)


def _storable(document: Document) -> Document:
    """The document with what no database text can hold (lone surrogates, NUL) replaced, character by
    character, so that its offsets stay.
    """
    return replace(
        document, source=_encodable(document.source), title=_encodable(document.title), text=_encodable(document.text)
    )


def _encodable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
