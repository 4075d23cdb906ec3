"""A searchable generation of an index."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .chunking import ChunkSettings
from .contents import FileRecord
from .documents import Document, Passage
from .embedders import load_embedder
from .embedding import Embedder, Vectors
from .errors import UsageError
from .files import printable
from .fingerprint import check_probe
from .indexing import update
from .languages import question_language
from .lexical import inverse_document_frequency
from .manifest import Manifest
from .memo import memo
from .normalising import searchable
from .store import Candidate, Generation, Measured, Store
from .stores import place, store_at
from .terms import terms
from .updates import Progress, Update

_LISTED = "footnoted status lists them"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Two lists for one query, each by score descending, ties by row: `dense` scores are cosines,
    `lexical` ones BM25; passages that share no term with the query are in no lexical list.
    """

    dense: tuple[Candidate, ...]
    lexical: tuple[Candidate, ...]


class Index:
    """One generation, opened for reading: it never changes, whatever is committed after it.

    `notice` is a line for a person if newer generations are damaged and this is the last good one.
    Rows name the passages; a row means a passage in this generation only. `folder` is the index on this machine, where
    its own library and history are; `state` is what the store holds, there or elsewhere (stores.py).
    """

    def __init__(self, folder: Path, store: Store, state: Generation, embedder: Embedder, pointer: bytes) -> None:
        self.folder = folder
        self.state = state
        self.embedder = embedder
        self._store = store
        self._pointer = pointer
        self._weighed = memo(self._weigh, 64)  # a question is weighed in several places
        self._of = memo(self._narrowed, 16)

    @classmethod
    def build(
        cls,
        paths: Sequence[Path | str],
        at: Path | str,
        *,
        embedder: Embedder | None = None,
        settings: ChunkSettings | None = None,
    ) -> "Index":
        """Index the files and folders at `paths` into the folder `at`, and open it.

        An index that is there is brought up to date instead. Raises UsageError for a path that does
        not exist, LockedIndex if another process is writing.
        """
        update(place(at), [Path(path) for path in paths], embedder=embedder, settings=settings)
        return cls.open(at, embedder=embedder)

    @classmethod
    def open(cls, at: Path | str, *, embedder: Embedder | None = None) -> "Index":
        """Open the current generation of the index in the folder `at`, or at the address of a store.

        The embedder is the one that the manifest names unless one is given. Every byte of a folder is checked; if
        the current generation is damaged, the last good one is opened and `notice` says so.
        Raises NoIndex, DamagedIndex if no generation is whole, OtherIndex if the format is another one,
        UnreachableStore.
        """
        folder = place(at)
        return cls._opened(folder, store_at(folder), embedder)

    @classmethod
    def _opened(cls, folder: Path, store: Store, embedder: Embedder | None) -> "Index":
        pointer = store.pointer()
        state = store.newest()
        return cls(folder, store, state, embedder or load_embedder(state.manifest.model), pointer)

    def update(self, paths: Sequence[Path | str] = (), *, progress: Callable[[Progress], None] | None = None) -> Update:
        """Bring the index on disk up to date with `paths` (all known ones if none are given).

        This object keeps its generation; `Index.open` or `current()` gives the new one.
        """
        return update(self.folder, [Path(path) for path in paths], embedder=self.embedder, progress=progress)

    def current(self) -> "Index":
        """This index if it is still the current generation, or the current one opened anew."""
        if self._store.pointer() == self._pointer:
            return self
        return Index._opened(self.folder, self._store, self.embedder)

    def of(self, sources: Sequence[str]) -> "Index":
        """The same generation, of which only the documents of `sources` are searched and listed.

        A source is a document's; that of a file of rows stands for all of them, and "papers/" for what is in the
        folder. What a word weighs is counted over the whole index still. Raises UsageError, naming it, for a source
        that is not there, for no source at all, and for what is no list of them.
        """
        if not isinstance(sources, (list, tuple)) or not all(isinstance(one, str) for one in sources):
            raise UsageError(f"sources must be a list of names, got {sources!r:.80}")
        return self._of(tuple(sources))

    def _narrowed(self, sources: tuple[str, ...]) -> "Index":
        if not sources:
            raise UsageError("no document is chosen: choose one to ask")
        named, folders = set(sources), tuple(one for one in sources if one.endswith("/"))
        listed = self.state.documents()
        known = {name for row in listed for name in row}
        for one in sources:
            if one not in known and not any(file.startswith(one) for _, file in listed if one.endswith("/")):
                raise UsageError(f"no document {printable(one)!r} in the index at {self._store.name}: {_LISTED}")
        chosen = frozenset(
            source for source, file in listed if named & {source, file} or (folders and file.startswith(folders))
        )
        narrowed = copy(self)
        narrowed._weighed = memo(narrowed._weigh, 64)
        narrowed.state = self.state.of(chosen)
        return narrowed

    def check_model(self) -> None:
        """Raises OtherIndex unless the embedder gives the vectors that the index was made with."""
        check_probe(self.embedder, self.manifest)

    @property
    def manifest(self) -> Manifest:
        return self.state.manifest

    @property
    def store(self) -> str:
        """What messages call the place that holds it."""
        return self._store.name

    @property
    def without(self) -> str:
        """What a search cannot use here, for a person; empty if nothing."""
        return self.state.without

    @property
    def notice(self) -> str:
        return self.state.notice

    @property
    def generation(self) -> int:
        return self.manifest.generation

    @property
    def settings(self) -> ChunkSettings:
        return ChunkSettings(**self.manifest.settings)

    @property
    def passages(self) -> int:
        """Number of living passages."""
        return self.state.passages

    @property
    def scans(self) -> list[tuple[int, Measured]]:
        """Of each part that is scanned by codes: its living passages, and what its codes find."""
        return self.state.scans

    @cached_property
    def languages(self) -> dict[str, int]:
        """Living passages by language (ISO 639-1), the most frequent first."""
        return dict(sorted(self.state.languages.items(), key=lambda one: (-one[1], one[0])))

    def document_languages(self) -> dict[str, int]:
        """Documents by language (ISO 639-1), that of most of their passages; the most frequent first."""
        return dict(sorted(self.state.document_languages().items(), key=lambda one: (-one[1], one[0])))

    def files(self) -> Iterator[FileRecord]:
        """Every file that was met, in the order it was last read."""
        return self.state.files()

    def sources(self) -> list[tuple[str, str, int, int]]:
        """(source, title, characters, passages) of each document, sorted by source."""
        return self.state.sources()

    def document(self, source: str) -> Document:
        """The document of that source. Raises UsageError if there is none."""
        with suppress(UnicodeEncodeError):  # half a surrogate pair: no document is called so
            if document := self.state.document(source):
                return document
        raise UsageError(f"no document {source!r} in the index at {self._store.name}: {_LISTED}")

    def passage(self, row: int) -> Passage:
        return self.state.passage(row)

    def sentence_vectors(self, row: int) -> Vectors:
        """(s, dim) float32: a vector for each sentence of the passage."""
        return self.state.sentence_vectors(row)

    def vectors(self, rows: Sequence[int]) -> Vectors:
        """(n, dim) float32: the vectors of the passages at n rows."""
        return self.state.vectors(rows)

    def nearest_sentences(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        """(n,): for each of n passages the cosine of its nearest sentence to a unit vector (dim,)."""
        return self.state.nearest_sentences(vector, rows)

    def rows_of(self, source: str) -> list[int]:
        """The rows of a document's passages, in order."""
        return self.state.rows_of(source)

    def embed_query(self, text: str) -> Vectors:
        """(dim,) float32 of length 1."""
        vector: Vectors = self.embedder.embed_queries([searchable(text)])[0]
        return vector

    def candidates(
        self, text: str, k: int, *, vector: Vectors | None = None, further: Mapping[str, float] | None = None
    ) -> Candidates:
        """The k best passages for `text` by cosine and by BM25; `vector` is its embedding, if known, and
        `further` is as in `lexical`.

        Exact up to the store's own index of vectors.
        """
        dense = self.dense(self.embed_query(text) if vector is None else vector, k)
        return Candidates(dense, self.lexical(text, k, further=further))

    def dense(self, vector: Vectors, k: int) -> tuple[Candidate, ...]:
        """The k passages nearest to a unit vector (dim,), by cosine."""
        return self.state.dense(vector, k)

    def lexical(self, text: str, k: int, *, further: Mapping[str, float] | None = None) -> tuple[Candidate, ...]:
        """The k passages with the highest BM25 score among those that share a term with the query.

        Each passage is compared with the query as stemmed in its own language; `further` is as in
        `query_weights`.
        """
        return self.state.lexical({code: self.query_weights(text, code, further) for code in self.languages}, k)

    def covered(
        self, text: str, rows: Sequence[int], further: Mapping[str, float] | None = None
    ) -> NDArray[np.float64]:
        """(n,): the share of a query's words, by their weight, that each of n passages has. In [0, 1]."""
        shares = np.zeros(len(rows))
        spoken = np.array(self.state.spoken(rows))
        for language in set(spoken.tolist()):
            theirs: list[int] = np.flatnonzero(spoken == language).tolist()
            weights = self.query_weights(text, language, further)
            held = self.state.holds([rows[place] for place in theirs], list(weights))
            total = sum(weights.values()) or 1.0
            shares[theirs] = sum(weight * held[:, at] for at, weight in enumerate(weights.values())) / total
        return shares

    def question_terms(self, text: str, language: str = "en") -> list[str]:
        """The distinct terms of a question, sorted, as the passages of `language` have them."""
        return sorted(set(terms(text, language, self.question_language(text))))

    def query_weights(
        self, text: str, language: str = "en", further: Mapping[str, float] | None = None
    ) -> Mapping[str, float]:
        """The terms of a query as the passages of `language` have them, each with its inverse document frequency.

        `further` are words searched besides, each with the share of its weight that counts.
        """
        return self._weighed(text, language, tuple((further or {}).items()))

    def _weigh(self, text: str, language: str, further: tuple[tuple[str, float], ...]) -> Mapping[str, float]:
        shares = dict.fromkeys(self.question_terms(text, language), 1.0)
        asked_in = self.question_language(text)
        for word, share in further:
            for term in terms(word, language, asked_in):
                shares.setdefault(term, share)
        words = sorted(shares)
        weights = zip(words, self.term_weights(words), strict=True)
        return MappingProxyType({word: shares[word] * idf for word, idf in weights})  # kept: nobody may change it

    def question_language(self, text: str) -> str:
        """The language (ISO 639-1) that a question is asked in: one of the documents', or English."""
        return question_language(text, tuple(self.languages))

    def known(self, language: str) -> bool:
        """Whether the embedder knows a language, as far as it says: its vectors tell little of others."""
        return self.embedder.languages is None or language in self.embedder.languages

    def term_weights(self, words: Sequence[str]) -> list[float]:
        """The inverse document frequency of each stemmed term in this generation."""
        counts = self.state.containing(words)
        return [inverse_document_frequency(self.passages, containing) for containing in counts]


def verify(at: Path | str) -> list[str]:
    """One line for each damaged or missing file of the index; empty if every byte is as written.

    Raises NoIndex if there is none, DamagedIndex if the manifest itself is damaged.
    """
    return store_at(place(at)).verify()
