"""A searchable generation of an index."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .chunking import ChunkSettings
from .documents import Document, Passage
from .embedders import load_embedder
from .embedding import Embedder, Vectors
from .errors import DamagedIndex, UsageError
from .files import printable
from .fingerprint import check_probe
from .generations import sound_generation
from .indexing import update
from .languages import question_language
from .lexical import inverse_document_frequency, norms, weight
from .manifest import Manifest, damages, generation_of, read_manifest
from .memo import memo
from .normalising import searchable
from .scan import Measured
from .segment import FileRecord, Ints, Segment
from .terms import terms
from .updates import Progress, Update

# A reader that opens a generation while newer ones are committed and old files swept tries again.
_ATTEMPTS = 5
_LISTED = "footnoted status lists them"


class Candidate(NamedTuple):
    """A passage by its row in the index, and its score: larger is better."""

    row: int
    score: float


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
    Rows number the passages over all segments; a row means a passage in this generation only.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        segments: Sequence[Segment],
        embedder: Embedder,
        pointer: bytes,
        notice: str = "",
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.segments = tuple(segments)
        self.embedder = embedder
        self.notice = notice
        self._pointer = pointer
        self._weighed = memo(self._weigh, 64)  # a question is weighed in several places
        sizes = [len(segment.alive) for segment in segments]
        self._bases = np.concatenate([[0], np.cumsum(sizes)]).astype(int).tolist()
        self._sources: frozenset[str] | None = None
        self._among: Sequence[NDArray[np.bool_] | None] = [None] * len(self.segments)
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
        update(Path(at), [Path(path) for path in paths], embedder=embedder, settings=settings)
        return cls.open(at, embedder=embedder)

    @classmethod
    def open(cls, at: Path | str, *, embedder: Embedder | None = None) -> "Index":
        """Open the current generation of the index in the folder `at`.

        The embedder is the one that the manifest names unless one is given. Every byte is checked; if
        the current generation is damaged, the last good one is opened and `notice` says so.
        Raises NoIndex, DamagedIndex if no generation is whole, OtherIndex if the format is another one.
        """
        folder = Path(at)
        for attempt in range(_ATTEMPTS):
            pointer = generation_of(folder)
            try:
                sound = sound_generation(folder)
                entries = [entry for entry in sound.manifest.segments if not entry.staged]
                segments = [Segment(folder / "segments" / entry.name, entry) for entry in entries]
                if not sound.damaged or generation_of(folder) == pointer:
                    break
            except (DamagedIndex, OSError, RuntimeError, sqlite3.Error):  # swept away under our hands
                if attempt + 1 == _ATTEMPTS or generation_of(folder) == pointer:
                    raise
        if embedder is None:
            embedder = load_embedder(sound.manifest.model)
        return cls(folder, sound.manifest, segments, embedder, pointer, sound.notice)

    def update(self, paths: Sequence[Path | str] = (), *, progress: Callable[[Progress], None] | None = None) -> Update:
        """Bring the index on disk up to date with `paths` (all known ones if none are given).

        This object keeps its generation; `Index.open` or `current()` gives the new one.
        """
        return update(self.folder, [Path(path) for path in paths], embedder=self.embedder, progress=progress)

    def current(self) -> "Index":
        """This index if it is still the current generation, or the current one opened anew."""
        return self if generation_of(self.folder) == self._pointer else Index.open(self.folder, embedder=self.embedder)

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
        listed = [row for segment in self.segments for row in segment.documents()]
        known = {name for row in listed for name in row}
        for one in sources:
            if one not in known and not any(file.startswith(one) for _, file in listed if one.endswith("/")):
                raise UsageError(f"no document {printable(one)!r} in the index at {self.folder}: {_LISTED}")
        chosen = frozenset(
            source for source, file in listed if named & {source, file} or (folders and file.startswith(folders))
        )
        narrowed = copy(self)
        narrowed._weighed = memo(narrowed._weigh, 64)
        narrowed._sources = chosen
        narrowed._among = [segment.among(chosen) for segment in self.segments]
        return narrowed

    def check_model(self) -> None:
        """Raises OtherIndex unless the embedder gives the vectors that the index was made with."""
        check_probe(self.embedder, self.manifest)

    @property
    def generation(self) -> int:
        return self.manifest.generation

    @property
    def settings(self) -> ChunkSettings:
        return ChunkSettings(**self.manifest.settings)

    @cached_property
    def passages(self) -> int:
        """Number of living passages."""
        return sum(segment.passages for segment in self.segments)

    @property
    def scans(self) -> list[tuple[int, Measured]]:
        """Of each segment that is scanned by codes: its living passages, and what its codes find."""
        return [(segment.passages, segment.scan.measured) for segment in self.segments if segment.scan]

    @cached_property
    def languages(self) -> dict[str, int]:
        """Living passages by language (ISO 639-1), the most frequent first."""
        counts: Counter[str] = Counter()
        for segment in self.segments:
            counts.update({language: int(living.sum()) for language, living in segment.living.items()})
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    def document_languages(self) -> dict[str, int]:
        """Documents by language (ISO 639-1), that of most of their passages; the most frequent first."""
        counts = sum((segment.document_languages() for segment in self.segments), Counter[str]())
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    @cached_property
    def average_length(self) -> float:
        """Terms a passage."""
        return sum(segment.terms for segment in self.segments) / max(self.passages, 1)

    @cached_property
    def _norms(self) -> list[Vectors]:
        """What BM25 divides by, for each segment's passages."""
        return [norms(segment.postings.lengths, self.average_length) for segment in self.segments]

    def files(self) -> Iterator[FileRecord]:
        """Every file that was met, in the order it was last read."""
        met = set()
        for segment in self.segments:
            for _, record in segment.files():
                if record.path not in met:  # a long file is in several segments
                    met.add(record.path)
                    yield record

    def sources(self) -> list[tuple[str, str, int, int]]:
        """(source, title, characters, passages) of each document, sorted by source."""
        rows = sorted(row for segment in self.segments for row in segment.sources())
        return rows if self._sources is None else [row for row in rows if row[0] in self._sources]

    def document(self, source: str) -> Document:
        """The document of that source. Raises UsageError if there is none."""
        with suppress(UnicodeEncodeError):  # half a surrogate pair: no document is called so
            for segment in reversed(self.segments):
                if document := segment.document(source):
                    return document
        raise UsageError(f"no document {source!r} in the index at {self.folder}: {_LISTED}")

    def _at(self, row: int) -> tuple[Segment, int]:
        place = int(np.searchsorted(self._bases, row, side="right")) - 1
        return self.segments[place], row - self._bases[place]

    def passage(self, row: int) -> Passage:
        segment, local = self._at(row)
        return segment.passage(local)

    def sentence_vectors(self, row: int) -> Vectors:
        """(s, dim) float32: a vector for each sentence of the passage."""
        segment, local = self._at(row)
        return segment.sentence_vectors(local)

    def vectors(self, rows: Sequence[int]) -> Vectors:
        """(n, dim) float32: the vectors of the passages at n rows."""
        vectors = np.empty((len(rows), self.embedder.dimension), dtype=np.float32)
        for segment, places, local in self._by_segment(rows):
            vectors[places] = segment.vectors_of(local)
        return vectors

    def nearest_sentences(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        """(n,): for each of n passages the cosine of its nearest sentence to a unit vector (dim,)."""
        nearest = np.empty(len(rows), dtype=np.float32)
        for segment, places, local in self._by_segment(rows):
            nearest[places] = segment.nearest_sentences(vector, local)
        return nearest

    def _by_segment(self, rows: Sequence[int]) -> Iterator[tuple[Segment, Ints, Ints]]:
        """The segments that rows are in, with their places among the rows and their rows in the segment."""
        every = np.asarray(rows)
        owners = np.searchsorted(self._bases, every, side="right") - 1
        for owner in np.unique(owners):
            places = np.flatnonzero(owners == owner)
            yield self.segments[owner], places, every[places] - self._bases[owner]

    def rows_of(self, source: str) -> list[int]:
        """The rows of a document's passages, in order."""
        for segment, base in zip(reversed(self.segments), reversed(self._bases[:-1]), strict=True):
            if rows := segment.rows_of(source):
                return [base + row for row in rows]
        return []

    def embed_query(self, text: str) -> Vectors:
        """(dim,) float32 of length 1."""
        vector: Vectors = self.embedder.embed_queries([searchable(text)])[0]
        return vector

    def candidates(
        self, text: str, k: int, *, vector: Vectors | None = None, further: Mapping[str, float] | None = None
    ) -> Candidates:
        """The k best passages for `text` by cosine and by BM25; `vector` is its embedding, if known, and
        `further` is as in `lexical`.

        Exact up to the FAISS index of each segment.
        """
        dense = self.dense(self.embed_query(text) if vector is None else vector, k)
        return Candidates(dense, self.lexical(text, k, further=further))

    def dense(self, vector: Vectors, k: int) -> tuple[Candidate, ...]:
        """The k passages nearest to a unit vector (dim,), by cosine."""
        rows, scores = [], []
        for base, segment, among in zip(self._bases, self.segments, self._among, strict=False):
            found, cosines = segment.dense(vector, k, among)
            rows.append(base + found)
            scores.append(cosines)
        return _best(rows, scores, k)

    def lexical(self, text: str, k: int, *, further: Mapping[str, float] | None = None) -> tuple[Candidate, ...]:
        """The k passages with the highest BM25 score among those that share a term with the query.

        Each passage is compared with the query as stemmed in its own language; `further` is as in
        `query_weights`.
        """
        asked = {language: self.query_weights(text, language, further) for language in self.languages}
        found, best_scores = [], []
        searched = zip(self._bases, self.segments, self._norms, self._among, strict=False)
        for base, segment, divisors, among in searched:
            scores = np.zeros(len(segment.alive), dtype=np.float32)
            for language, living in segment.living.items():
                within = np.zeros_like(scores)
                for word, idf in asked[language].items():
                    if (term := segment.term_row(word)) is not None:
                        rows, counts = segment.postings.of(term)
                        within[rows] += idf * weight(counts, divisors[rows])
                # Of most segments everything lives and speaks one language.
                scores = within if segment.plain else np.where(living, within, scores)
            if among is not None:
                scores = np.where(among, scores, np.float32(0))
            best = np.flatnonzero(scores)
            if len(best) > k:
                threshold = np.partition(scores[best], -k)[-k]
                best = best[scores[best] >= threshold]
            found.append(base + best)
            best_scores.append(scores[best])
        return _best(found, best_scores, k)

    def covered(
        self, text: str, rows: Sequence[int], further: Mapping[str, float] | None = None
    ) -> NDArray[np.float64]:
        """(n,): the share of a query's words, by their weight, that each of n passages has. In [0, 1]."""
        shares = np.zeros(len(rows))
        for segment, places, local in self._by_segment(rows):
            spoken = np.array([segment.language(row) for row in local.tolist()])
            for language in set(spoken.tolist()):
                theirs = spoken == language
                weights = self.query_weights(text, language, further)
                held = sum(weight * segment.holds(local[theirs], word) for word, weight in weights.items())
                shares[places[theirs]] = held / (sum(weights.values()) or 1.0)
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
        weights = []
        for word in words:
            containing = 0
            for segment in self.segments:
                if (term := segment.term_row(word)) is not None:
                    rows, _ = segment.postings.of(term)
                    containing += len(rows) if segment.whole else int(segment.alive[rows].sum())
            weights.append(inverse_document_frequency(self.passages, containing))
        return weights


def _best(rows: Sequence[Ints], scores: Sequence[Vectors], k: int) -> tuple[Candidate, ...]:
    """The k best of all segments' rows, ties by row."""
    if not rows:
        return ()
    every, values = np.concatenate(rows), np.concatenate(scores)
    best = np.lexsort((every, -values))[:k]
    return tuple(map(Candidate, every[best].tolist(), values[best].tolist()))


def verify(at: Path | str) -> list[str]:
    """One line for each damaged or missing file of the index; empty if every byte is as written.

    Raises NoIndex if there is none, DamagedIndex if the manifest itself is damaged.
    """
    folder = Path(at)
    return damages(folder, read_manifest(folder))
