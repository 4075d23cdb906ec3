"""What the next commit will hold: files that were read and chunked, and how their passages get vectors.

Vectors are made beside the reading: while one thread embeds, the next files are parsed and cut.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from .contents import Contents, Embedded, FileRecord, quantised
from .documents import Document, Passage
from .embedding import Embedder, embed_with_sentences
from .inputs import bare_hash, content_hash, model_context, model_input
from .store import Content, Made
from .terms import terms

# Passages embedded at once, between two reports of progress.
_STRIDE = 128
_CONTEXTS = 4096

# A document with its passages; those that were embedded elsewhere come with all that was made of them.
Chunked = tuple[Document, Sequence[Passage | Embedded]]


class Known(Protocol):
    """What of the passages was embedded before: of a `Writer`, what is asked here."""

    def holds(self, sha256: str) -> bool: ...

    def made(self, wanted: Mapping[Content, str | None]) -> dict[Content, Made]: ...


class Batch:
    """Files waiting for a commit, with `held` passages. Over all the batches of a run `passages` counts those that
    were added, `embedded` and `reused` those of them that have a vector.

    A vector is reused where `known`, in rows living or not, has the same text embedded, or the same passage of a file
    with the same bytes under another name; the same text in a batch is embedded once.
    """

    def __init__(self, embedder: Embedder, known: Known) -> None:
        self.embedder = embedder
        self._known = known
        self.files: list[tuple[FileRecord, list[Chunked]]] = []
        self.held = self.passages = self.embedded = self.reused = 0
        self._next: list[tuple[Passage, bool]] = []
        self._made: dict[Content, Made] = {}
        self._coming: list[Future[list[Embedded]]] = []
        self._contexts: dict[tuple[str, str], str] = {}
        self._thread = ThreadPoolExecutor(1)

    def add(self, record: FileRecord, documents: Sequence[Chunked]) -> None:
        self.files.append((record, list(documents)))
        known = self._known.holds(record.sha256)
        inside = [passage for _, passages in documents for passage in passages]
        passages = [(passage, known) for passage in inside if isinstance(passage, Passage)]
        self.held += len(inside)
        self.passages += len(inside)
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
            (
                record,
                [
                    (document, [one if isinstance(one, Embedded) else next(ready) for one in passages])
                    for document, passages in documents
                ],
            )
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
        keys = [Content(content_hash(text), len(spans)) for text, spans in inputs]
        bare = {key: bare_hash(passage) for key, (passage, known) in zip(keys, waiting, strict=True) if known}
        wanted = {key: bare.get(key) for key in keys if key not in self._made}
        self._made |= self._known.made(wanted)
        fresh = {key: given for key, given in zip(keys, inputs, strict=True) if key not in self._made}
        texts, spans = [text for text, _ in fresh.values()], [spans for _, spans in fresh.values()]
        vectors, sentences = embed_with_sentences(self.embedder, texts, spans)
        codes, scales = quantised(sentences)
        first = 0
        for key, vector in zip(fresh, vectors, strict=True):
            last = first + key.sentences
            self._made[key] = Made(vector, codes[first:last], scales[first:last])
            first = last
        self.embedded += len(fresh)
        self.reused += len(passages) - len(fresh)
        return [
            Embedded(passage, key.content, *self._made[key], _words(passage))
            for passage, key in zip(passages, keys, strict=True)
        ]

    def _context(self, passage: Passage) -> str:
        key = (passage.title, passage.heading)
        if key not in self._contexts:
            if len(self._contexts) > _CONTEXTS:
                self._contexts.clear()
            self._contexts[key] = model_context(*key, self.embedder.count_pieces, self.embedder.window)
        return self._contexts[key]


def _words(passage: Passage) -> tuple[str, ...]:
    return tuple(terms(f"{passage.context} {passage.text}", passage.language))
