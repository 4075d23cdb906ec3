"""What the next commit will hold: files that were read and chunked, and how their passages get vectors."""

from collections.abc import Callable, Sequence

from .documents import Document, Passage
from .embedding import Embedder, embed_with_sentences
from .inputs import bare_hash, content_hash, model_context, model_input
from .segment import Contents, Embedded, FileRecord, Segment, quantised
from .terms import terms

# Passages embedded between two reports of progress.
_STRIDE = 128
_CONTEXTS = 4096

Chunked = tuple[Document, Sequence[Passage]]


class Batch:
    """Files waiting for a commit. `waiting` counts the passages without a vector, `embedded` and
    `reused` those that got one, over all the batches of a run.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self.files: list[tuple[FileRecord, list[Chunked]]] = []
        self.waiting = self.embedded = self.reused = 0
        self._contexts: dict[tuple[str, str], str] = {}

    def add(self, record: FileRecord, documents: Sequence[Chunked]) -> None:
        self.files.append((record, list(documents)))
        self.waiting += sum(len(passages) for _, passages in documents)

    def take(self, segments: Sequence[Segment], tell: Callable[[], None]) -> Contents:
        """Everything that waits, with vectors; the batch is empty then.

        A vector is reused where one of `segments`, in rows living or not, has the same text embedded,
        or the same passage of a file with the same bytes under another name.
        """
        files, self.files = self.files, []
        known = {record.sha256 for segment in segments for record in segment.every_file}
        waiting = [
            (passage, record.sha256 in known)
            for record, documents in files
            for _, passages in documents
            for passage in passages
        ]
        done: list[Embedded] = []
        for first in range(0, len(waiting), _STRIDE):
            done += self._embed(waiting[first : first + _STRIDE], segments)
            self.waiting = len(waiting) - len(done)
            tell()
        ready = iter(done)
        return [
            (record, [(document, [next(ready) for _ in passages]) for document, passages in documents])
            for record, documents in files
        ]

    def _embed(self, waiting: Sequence[tuple[Passage, bool]], segments: Sequence[Segment]) -> list[Embedded]:
        passages = [passage for passage, _ in waiting]
        inputs = [model_input(passage, self._context(passage)) for passage in passages]
        contents = [content_hash(text) for text, _ in inputs]
        done: dict[int, Embedded] = {}
        for row, (passage, known_file) in enumerate(waiting):
            bare = bare_hash(passage) if known_file else None
            if found := _reused(segments, passage, contents[row], bare):
                done[row] = found
        fresh = [row for row in range(len(passages)) if row not in done]
        vectors, sentences = embed_with_sentences(
            self.embedder, [inputs[row][0] for row in fresh], [inputs[row][1] for row in fresh]
        )
        codes, scales = quantised(sentences)
        first = 0
        for row, vector in zip(fresh, vectors, strict=True):
            last = first + len(passages[row].sentences)
            words = _words(passages[row])
            done[row] = Embedded(passages[row], contents[row], vector, codes[first:last], scales[first:last], words)
            first = last
        self.embedded += len(fresh)
        self.reused += len(passages) - len(fresh)
        return [done[row] for row in range(len(passages))]

    def _context(self, passage: Passage) -> str:
        key = (passage.title, passage.heading)
        if key not in self._contexts:
            if len(self._contexts) > _CONTEXTS:
                self._contexts.clear()
            self._contexts[key] = model_context(*key, self.embedder.count_pieces, self.embedder.window)
        return self._contexts[key]


def _reused(segments: Sequence[Segment], passage: Passage, content: str, bare: str | None) -> Embedded | None:
    for segment in segments:
        if (row := segment.row_of_content(content, bare)) is not None:
            codes, scales = segment.quantised_sentences(row)
            if len(codes) == len(passage.sentences):
                return Embedded(passage, content, segment.vector(row), codes, scales, _words(passage))
    return None


def _words(passage: Passage) -> tuple[str, ...]:
    return tuple(terms(f"{passage.context} {passage.text}", passage.language))
