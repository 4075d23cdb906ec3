"""A generation of an index that is a folder: its segments, opened."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..contents import FileRecord
from ..documents import Document, Passage
from ..embedding import Vectors
from ..lexical import norms, weight
from ..manifest import Manifest
from ..store import Candidate, Measured
from .segment import Ints, Segment


class FolderGeneration:
    """As `Generation` in store.py. Rows number the passages over all segments, living or not."""

    without = ""

    def __init__(self, manifest: Manifest, segments: Sequence[Segment], dimension: int, notice: str = "") -> None:
        self.manifest = manifest
        self.segments = tuple(segments)
        self.notice = notice
        self._dimension = dimension
        sizes = [len(segment.alive) for segment in segments]
        self.bases: list[int] = np.concatenate([[0], np.cumsum(sizes)]).astype(int).tolist()
        self._sources: frozenset[str] | None = None
        self._among: Sequence[NDArray[np.bool_] | None] = [None] * len(self.segments)

    def of(self, sources: Collection[str]) -> "FolderGeneration":
        narrowed = copy(self)
        narrowed._sources = frozenset(sources)
        narrowed._among = [segment.among(narrowed._sources) for segment in self.segments]
        return narrowed

    @cached_property
    def passages(self) -> int:
        return sum(segment.passages for segment in self.segments)

    @property
    def bytes(self) -> int:
        return sum(total.bytes for entry in self.manifest.segments for total in entry.files.values())

    @property
    def scans(self) -> list[tuple[int, Measured]]:
        return [(segment.passages, segment.scan.measured) for segment in self.segments if segment.scan]

    @cached_property
    def languages(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for segment in self.segments:
            counts.update({language: int(living.sum()) for language, living in segment.living.items()})
        return counts

    def document_languages(self) -> Counter[str]:
        return sum((segment.document_languages() for segment in self.segments), Counter[str]())

    @cached_property
    def average_length(self) -> float:
        """Terms a passage."""
        return sum(segment.terms for segment in self.segments) / max(self.passages, 1)

    @cached_property
    def _norms(self) -> list[Vectors]:
        """What BM25 divides by, for each segment's passages."""
        return [norms(segment.postings.lengths, self.average_length) for segment in self.segments]

    def files(self) -> Iterator[FileRecord]:
        met = set()
        for segment in self.segments:
            for _, record in segment.files():
                if record.path not in met:  # a long file is in several segments
                    met.add(record.path)
                    yield record

    def documents(self) -> list[tuple[str, str]]:
        return [row for segment in self.segments for row in segment.documents()]

    def sources(self) -> list[tuple[str, str, int, int]]:
        rows = sorted(row for segment in self.segments for row in segment.sources())
        return rows if self._sources is None else [row for row in rows if row[0] in self._sources]

    def document(self, source: str) -> Document | None:
        found = (segment.document(source) for segment in reversed(self.segments))
        return next((document for document in found if document), None)

    def at(self, row: int) -> tuple[Segment, int]:
        """The segment that a row is in, and its row there."""
        place = int(np.searchsorted(self.bases, row, side="right")) - 1
        return self.segments[place], row - self.bases[place]

    def passage(self, row: int) -> Passage:
        segment, local = self.at(row)
        return segment.passage(local)

    def sentence_vectors(self, row: int) -> Vectors:
        segment, local = self.at(row)
        return segment.sentence_vectors(local)

    def vectors(self, rows: Sequence[int]) -> Vectors:
        vectors = np.empty((len(rows), self._dimension), dtype=np.float32)
        for segment, places, local in self._by_segment(rows):
            vectors[places] = segment.vectors_of(local)
        return vectors

    def nearest_sentences(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        nearest = np.empty(len(rows), dtype=np.float32)
        for segment, places, local in self._by_segment(rows):
            nearest[places] = segment.nearest_sentences(vector, local)
        return nearest

    def _by_segment(self, rows: Sequence[int]) -> Iterator[tuple[Segment, Ints, Ints]]:
        """The segments that rows are in, with their places among the rows and their rows in the segment."""
        every = np.asarray(rows)
        owners = np.searchsorted(self.bases, every, side="right") - 1
        for owner in np.unique(owners):
            places = np.flatnonzero(owners == owner)
            yield self.segments[owner], places, every[places] - self.bases[owner]

    def rows_of(self, source: str) -> list[int]:
        for segment, base in zip(reversed(self.segments), reversed(self.bases[:-1]), strict=True):
            if rows := segment.rows_of(source):
                return [base + row for row in rows]
        return []

    def containing(self, words: Sequence[str]) -> list[int]:
        counts = []
        for word in words:
            containing = 0
            for segment in self.segments:
                if (term := segment.term_row(word)) is not None:
                    rows, _ = segment.postings.of(term)
                    containing += len(rows) if segment.whole else int(segment.alive[rows].sum())
            counts.append(containing)
        return counts

    def spoken(self, rows: Sequence[int]) -> list[str]:
        return [segment.language(local) for segment, local in map(self.at, rows)]

    def holds(self, rows: Sequence[int], words: Sequence[str]) -> NDArray[np.bool_]:
        held = np.zeros((len(rows), len(words)), dtype=bool)
        for segment, places, local in self._by_segment(rows):
            for column, word in enumerate(words):
                held[places, column] = segment.holds(local, word)
        return held

    def dense(self, vector: Vectors, k: int) -> tuple[Candidate, ...]:
        """Exact up to the FAISS index of each segment."""
        rows, scores = [], []
        for base, segment, among in zip(self.bases, self.segments, self._among, strict=False):
            found, cosines = segment.dense(vector, k, among)
            rows.append(base + found)
            scores.append(cosines)
        return _best(rows, scores, k)

    def lexical(self, asked: Mapping[str, Mapping[str, float]], k: int) -> tuple[Candidate, ...]:
        found, best_scores = [], []
        searched = zip(self.bases, self.segments, self._norms, self._among, strict=False)
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


def _best(rows: Sequence[Ints], scores: Sequence[Vectors], k: int) -> tuple[Candidate, ...]:
    """The k best of all segments' rows, ties by row."""
    if not rows:
        return ()
    every, values = np.concatenate(rows), np.concatenate(scores)
    best = np.lexsort((every, -values))[:k]
    return tuple(map(Candidate, every[best].tolist(), values[best].tolist()))
