"""An immutable part of an index on disk: files, documents, passages, vectors and term counts.

A segment is a folder of plain files, written once:
  texts.sqlite       files, documents, passages and the vocabulary
  vectors.faiss      FAISS inner-product index of the passages' unit vectors, in row order, mapped
  codes.faiss, codes.json    of a large segment: 4-bit codes that are scanned first (see scan.py)
  sentences.bin      (m, dim) int8 sentence vectors, passage by passage
  scales.bin         (m,) float32: a sentence vector is its codes times its scale
  bounds.bin         (n + 1,) int64: the sentences of passage r are rows bounds[r] to bounds[r + 1]
  languages.bin      (n,) uint8: a passage's language by its row in the table languages
  pointers.bin, postings.bin, lengths.bin     BM25 term counts (see lexical.py): int64, (2, n) int32, int32
The .bin files are numbers row by row, little-endian, without a header.
"""

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ..contents import FileRecord
from ..documents import Document, Page, Passage, Section
from ..embedding import Vectors
from ..lexical import Postings
from ..manifest import SegmentEntry
from ..memo import memo
from .scan import CODES, Scan

faiss.omp_set_num_threads(1)  # two threads took 60 ms where one took 1
Ints = NDArray[np.int64]
TYPES = {
    "sentences": "i1", "scales": "<f4", "bounds": "<i8", "languages": "u1", "pointers": "<i8", "postings": "<i4",
    "lengths": "<i4",
}  # fmt: skip

# A scan is not worth it for more than one in so many passages.
_OF_A_SCAN = 8


class Segment:
    """A segment opened for reading. Rows count from 0; `alive` (n,) bool tells the passages that no
    later commit has replaced. Safe to use from several threads.
    """

    def __init__(self, folder: Path, entry: SegmentEntry) -> None:
        self.entry = entry
        self.folder = folder
        self.location = f"{(folder / 'texts.sqlite').absolute().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(self.location, uri=True, check_same_thread=False)
        self._lock = threading.Lock()
        self.vectors = faiss.read_index(str(folder / "vectors.faiss"), faiss.IO_FLAG_MMAP_IFC)
        self.scan = Scan(folder) if CODES in entry.files else None
        self.codes = self._array("sentences").reshape(-1, self.vectors.d)
        self.scales = self._array("scales")
        self.bounds = self._array("bounds")
        rows, counts = self._array("postings").reshape(2, -1)
        self.postings = Postings(self._array("pointers"), rows, counts, self._array("lengths"))
        self._language = self._array("languages")
        self._languages = [code for (code,) in self._all("SELECT code FROM languages ORDER BY row")]
        self.term_row = memo(self._find_term, 4096)  # one question asks for a word several times
        self.alive = np.ones(self.vectors.ntotal, dtype=bool)
        for dead in entry.dead:
            query = "SELECT p.row FROM passages p JOIN documents d ON p.document = d.row WHERE d.file = ?"
            self.alive[[row for (row,) in self._all(query, (dead,))]] = False

    def _array(self, name: str) -> NDArray[Any]:
        """Mapped, one-dimensional, as a plain array, whose slices cost less.

        Plain numbers without a header: numpy reads its own headers with Python's parser, which is not
        safe in threads before Python 3.12.
        """
        path = self.folder / f"{name}.bin"
        if not path.stat().st_size:
            return np.empty(0, dtype=TYPES[name])
        return np.asarray(np.memmap(path, dtype=TYPES[name], mode="r"))

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @cached_property
    def passages(self) -> int:
        """Living passages."""
        return int(self.alive.sum())

    @cached_property
    def terms(self) -> int:
        """Terms in the living passages."""
        return int(self.postings.lengths[self.alive].sum())

    @property
    def whole(self) -> bool:
        """Whether every passage lives."""
        return self.passages == len(self.alive)

    @cached_property
    def plain(self) -> bool:
        """Whether every passage lives, and in one language."""
        return self.whole and len(self.living) == 1

    @cached_property
    def living(self) -> dict[str, NDArray[np.bool_]]:
        """By language, (n,) bool: the living passages in it."""
        masks = {code: self.alive & (self._language == row) for row, code in enumerate(self._languages)}
        return {code: mask for code, mask in masks.items() if mask.any()}

    def files(self) -> list[tuple[int, FileRecord]]:
        """The living files with their rows, in the order they were indexed."""
        dead = set(self.entry.dead)
        return [(row, record) for row, record in enumerate(self.every_file) if row not in dead]

    @cached_property
    def every_file(self) -> tuple[FileRecord, ...]:
        """The files, living or not, in row order."""
        query = "SELECT path, source, size, mtime, sha256, status, reason FROM files ORDER BY row"
        return tuple(FileRecord(os.fsdecode(path), *rest) for path, *rest in self._all(query))

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The sha256 of every file."""
        return frozenset(record.sha256 for record in self.every_file)

    def vocabulary(self) -> list[str]:
        """The terms of its postings, in row order."""
        return [term for (term,) in self._all("SELECT term FROM terms ORDER BY row")]

    def sources(self) -> list[tuple[str, str, int, int]]:
        """(source, title, characters, passages) of each living document, in order."""
        dead = set(self.entry.dead)
        query = (
            "SELECT d.file, d.source, d.title, length(d.text), (SELECT count(*) FROM passages WHERE document = d.row)"
            " FROM documents d ORDER BY d.row"
        )
        return [
            (source, title, size, count) for file, source, title, size, count in self._all(query) if file not in dead
        ]

    def documents(self) -> list[tuple[str, str]]:
        """(source, source of its file) of each living document, in order."""
        dead = set(self.entry.dead)
        query = "SELECT d.source, f.source, f.row FROM documents d JOIN files f ON d.file = f.row ORDER BY d.row"
        return [(source, file) for source, file, row in self._all(query) if row not in dead]

    def among(self, sources: Collection[str]) -> NDArray[np.bool_]:
        """(n,) bool: the living passages of the documents of these sources."""
        rows = [row for row, source in self._all("SELECT row, source FROM documents") if source in sources]
        return self.alive & np.isin(self._documents, rows)

    @cached_property
    def _documents(self) -> Ints:
        """(n,): the row of each passage's document."""
        rows = self._all("SELECT document FROM passages ORDER BY row")
        return np.fromiter((row for (row,) in rows), dtype=np.int64, count=len(rows))

    def document_languages(self) -> Counter[str]:
        """Living documents by the language of most of their passages, the first of equals."""
        spoken: dict[int, Counter[str]] = {}
        for row, document in self._all("SELECT row, document FROM passages ORDER BY row"):
            if self.alive[row]:
                spoken.setdefault(document, Counter())[self._languages[self._language[row]]] += 1
        return Counter(counts.most_common(1)[0][0] for counts in spoken.values())

    def document(self, source: str) -> Document | None:
        """The living document of that source."""
        for row, file in self._all("SELECT row, file FROM documents WHERE source = ?", (source,)):
            if file not in self.entry.dead:
                return self._document(row)
        return None

    def documents_of(self, file: int) -> list[tuple[Document, list[int]]]:
        """The documents of the file at row `file`, in order, each with the rows of its passages."""
        rows = [row for (row,) in self._all("SELECT row FROM documents WHERE file = ? ORDER BY row", (file,))]
        query = "SELECT row FROM passages WHERE document = ? ORDER BY row"
        return [(self._document(row), [place for (place,) in self._all(query, (row,))]) for row in rows]

    def _document(self, row: int) -> Document:
        query = "SELECT source, title, text, sections, pages, sha256 FROM documents WHERE row = ?"
        ((source, title, text, sections, pages, digest),) = self._all(query, (row,))
        return Document(
            source,
            title,
            text,
            tuple(Section(start, end, level, text[start:end]) for start, end, level in json.loads(sections)),
            tuple(Page(start, number) for start, number in json.loads(pages)),
            digest,
        )

    def passage(self, row: int) -> Passage:
        """The passage at `row`."""
        query = (
            'SELECT p.id, d.source, d.title, p.start, p."end", substr(d.text, p.start + 1, p."end" - p.start),'
            " p.heading, p.page, p.sentences FROM passages p JOIN documents d ON p.document = d.row WHERE p.row = ?"
        )
        ((identity, source, title, start, end, text, heading, page, sentences),) = self._all(query, (row,))
        spans = tuple((start + first, start + last) for first, last in json.loads(sentences))
        return Passage(identity, source, title, start, end, text, heading, page, spans, self.language(row))

    def language(self, row: int) -> str:
        """The language (ISO 639-1) of the passage at `row`."""
        return str(self._languages[self._language[row]])

    def rows_of(self, source: str) -> list[int]:
        """The rows of a document's passages, in order."""
        query = "SELECT p.row FROM passages p JOIN documents d ON p.document = d.row WHERE d.source = ? ORDER BY p.row"
        return [row for (row,) in self._all(query, (source,)) if self.alive[row]]

    def sentence_vectors(self, row: int) -> Vectors:
        """(s, dim) float32: the vectors of the sentences of the passage at `row`."""
        codes, scales = self.quantised_sentences(row)
        return codes.astype(np.float32) * scales[:, None]

    def nearest_sentences(self, query: Vectors, rows: Ints) -> Vectors:
        """(n,): for each of n passages the cosine of its nearest sentence to a unit query (dim,)."""
        starts, ends = self.bounds[rows], self.bounds[rows + 1]
        firsts = np.concatenate([[0], np.cumsum(ends - starts)])
        inside = np.arange(firsts[-1]) - np.repeat(firsts[:-1] - starts, ends - starts)
        cosines = (self.codes[inside].astype(np.float32) @ query) * self.scales[inside]
        nearest: Vectors = np.maximum.reduceat(cosines, firsts[:-1])
        return nearest

    def quantised_sentences(self, row: int) -> tuple[NDArray[np.int8], Vectors]:
        inside = slice(self.bounds[row], self.bounds[row + 1])
        return self.codes[inside], self.scales[inside]

    def rows_of_contents(self, contents: Sequence[str]) -> dict[str, int]:
        """For each of the contents that was embedded here, a passage, living or not."""
        marks = ", ".join("?" * len(contents))
        return dict(
            self._all(f"SELECT content, min(row) FROM passages WHERE content IN ({marks}) GROUP BY content", contents)
        )

    def row_of_bare(self, bare: str) -> int | None:
        """A passage, living or not, with that heading and text, under whatever title."""
        ((row,),) = self._all("SELECT min(row) FROM passages WHERE bare = ?", (bare,))
        return None if row is None else int(row)

    def _find_term(self, term: str) -> int | None:
        found = self._all("SELECT row FROM terms WHERE term = ?", (term,))
        return found[0][0] if found else None

    def holds(self, local: Ints, word: str) -> NDArray[np.bool_]:
        """(n,): whether each of the passages at n rows has a term."""
        term = self.term_row(word)
        rows = () if term is None else self.postings.of(term)[0]
        if not len(rows):
            return np.zeros(len(local), dtype=bool)
        places = np.minimum(np.searchsorted(rows, local), len(rows) - 1)
        return np.asarray(rows[places] == local)

    def dense(self, query: Vectors, k: int, among: NDArray[np.bool_] | None = None) -> tuple[Ints, Vectors]:
        """The rows and cosines, each (k,), of the k living passages nearest to a unit query (dim,), ties by row;
        `among` (n,) narrows them, and then the vectors are walked, not the codes: few may be left.
        """
        asked = self.alive if among is None else among
        total = self.passages if among is None else int(among.sum())
        k = min(k, total)
        if not k:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        if self.scan and among is None and k < total / _OF_A_SCAN:
            return self._scanned(self.scan, query, k)
        parameters = None
        if total < len(asked):
            selector = faiss.IDSelectorBitmap(np.packbits(asked, bitorder="little"))  # type: ignore[call-arg, arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        # FAISS leaves open which of equal scores come first, and which fall off the end.
        depth = k + 1
        while True:
            depth = min(depth, total)
            scores, rows = self.vectors.search(query[None], depth, params=parameters)
            if depth == total or scores[0, -1] < scores[0, k - 1]:
                break
            depth *= 4
        best = np.lexsort((rows[0], -scores[0]))[:k]
        return rows[0, best], scores[0, best]

    def _scanned(self, scan: Scan, query: Vectors, k: int) -> tuple[Ints, Vectors]:
        """The same by the codes, and by the vectors of those that are best by their codes."""
        total = len(self.alive)
        asked = max(scan.measured.depth, 2 * k) * total // self.passages
        while True:
            rows = scan.nearest(query, asked)
            rows = rows[self.alive[rows]]
            if len(rows) >= k or asked >= total:
                break
            asked *= 4
        scores = self.vectors_of(rows) @ query
        best = np.lexsort((rows, -scores))[:k]
        return rows[best], scores[best]

    def vectors_of(self, rows: Ints) -> Vectors:
        """(n, dim) float32: the vectors of the passages at n rows."""
        return np.asarray(self.vectors.reconstruct_batch(rows), dtype=np.float32)

    def vector(self, row: int) -> Vectors:
        """(dim,) float32."""
        return np.asarray(self.vectors.reconstruct(row), dtype=np.float32)
