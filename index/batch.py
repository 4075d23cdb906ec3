"""What the next commit will hold: files that were read and chunked, and how their passages get vectors.

Vectors are made beside the reading: while one thread embeds, the next files are parsed and cut.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .documents import Document, Passage
from .embedding import Embedder, Vectors, embed_with_sentences
from .inputs import bare_hash, content_hash, model_context, model_input
from .segment import Contents, Embedded, FileRecord, Segment, quantised
from .terms import terms

# Passages embedded at once, between two reports of progress.
_STRIDE = 128
_CONTEXTS = 4096

Chunked = tuple[Document, Sequence[Passage]]


class _Key(NamedTuple):
    """What was embedded, and how many sentences of it have vectors."""

    content: str
    sentences: int


class Batch:
    """Files waiting for a commit, with `held` passages. Over all the batches of a run `passages` counts those that
    were added, `embedded` and `reused` those of them that have a vector.

    A vector is reused where one of `segments`, in rows living or not, has the same text embedded, or
    the same passage of a file with the same bytes under another name; the same text in a batch is embedded once.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.segments: Sequence[Segment] = ()
        self.files: list[tuple[FileRecord, list[Chunked]]] = []
        self.held = self.passages = self.embedded = self.reused = 0
        self._next: list[tuple[Passage, bool]] = []
        self._made: dict[_Key, tuple[Vectors, NDArray[np.int8], Vectors]] = {}
        self._coming: list[Future[list[Embedded]]] = []
        self._contexts: dict[tuple[str, str], str] = {}
        self._thread = ThreadPoolExecutor(1)

    def add(self, record: FileRecord, documents: Sequence[Chunked]) -> None:
        self.files.append((record, list(documents)))
        known = any(record.sha256 in segment.hashes for segment in self.segments)
        passages = [(passage, known) for _, inside in documents for passage in inside]
        self.held += len(passages)
        self.passages += len(passages)
        self._next += passages
        while len(self._next) >= _STRIDE:
            self._submit()

    def take(self, tell: Callable[[], None]) -> Contents:
        """Everything that waits, with vectors; the batch is empty then."""
        if self._next:
            self._submit()
        done: list[Embedded] = []
        for coming in self._coming:
            done += coming.result()
            tell()
        files, self.files = self.files, []
        self.held, self._coming, self._made = 0, [], {}
        ready = iter(done)
        return [
            (record, [(document, [next(ready) for _ in passages]) for document, passages in documents])
            for record, documents in files
        ]

    def close(self) -> None:
        """Give up what is not embedded yet."""
        self._thread.shutdown(cancel_futures=True)

    def _submit(self) -> None:
        stride, self._next = self._next[:_STRIDE], self._next[_STRIDE:]
        self._coming.append(self._thread.submit(self._embed, stride))

    def _embed(self, waiting: Sequence[tuple[Passage, bool]]) -> list[Embedded]:
        passages = [passage for passage, _ in waiting]
        inputs = [model_input(passage, self._context(passage)) for passage in passages]
        keys = [_Key(content_hash(text), len(spans)) for text, spans in inputs]
        bare = {key: bare_hash(passage) for key, (passage, known) in zip(keys, waiting, strict=True) if known}
        self._reuse(keys, bare)
        fresh = {key: given for key, given in zip(keys, inputs, strict=True) if key not in self._made}
        texts, spans = [text for text, _ in fresh.values()], [spans for _, spans in fresh.values()]
        vectors, sentences = embed_with_sentences(self.embedder, texts, spans)
        codes, scales = quantised(sentences)
        first = 0
        for key, vector in zip(fresh, vectors, strict=True):
            last = first + key.sentences
            self._made[key] = (vector, codes[first:last], scales[first:last])
            first = last
        self.embedded += len(fresh)
        self.reused += len(passages) - len(fresh)
        return [
            Embedded(passage, key.content, *self._made[key], _words(passage))
            for passage, key in zip(passages, keys, strict=True)
        ]

    def _reuse(self, keys: Sequence[_Key], bare: Mapping[_Key, str]) -> None:
        for segment in self.segments:
            wanted = dict.fromkeys(key for key in keys if key not in self._made)
            rows = segment.rows_of_contents([key.content for key in wanted])
            for key in wanted:
                row = rows.get(key.content)
                if row is None and key in bare:
                    row = segment.row_of_bare(bare[key])
                if row is not None:
                    codes, scales = segment.quantised_sentences(row)
                    if len(codes) == key.sentences:
                        self._made[key] = (segment.vector(row), codes, scales)

    def _context(self, passage: Passage) -> str:
        key = (passage.title, passage.heading)
        if key not in self._contexts:
            if len(self._contexts) > _CONTEXTS:
                self._contexts.clear()
            self._contexts[key] = model_context(*key, self.embedder.count_pieces, self.embedder.window)
        return self._contexts[key]


def _words(passage: Passage) -> tuple[str, ...]:
    return tuple(terms(f"{passage.context} {passage.text}", passage.language))
