"""Where an index is kept: the seam between what it is (index.py, indexing.py) and the place that holds it.

A store has generations that are read and one writer at a time that makes the next one: the folder on this machine
(folder/), or collections of a Milvus server (milvus/). Which one an index is in, stores.py knows.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .contents import Contents, FileRecord
from .documents import Document, Passage
from .embedding import Vectors
from .manifest import Manifest


class Candidate(NamedTuple):
    """A passage by its row in the index, and its score: larger is better."""

    row: int
    score: float


class Content(NamedTuple):
    """What was embedded (inputs.content_hash), and how many sentences of it have vectors."""

    content: str
    sentences: int


class Made(NamedTuple):
    """What was embedded before and is used again: `vector` (dim,), `codes` (s, dim) int8 and `scales` (s,) of its s
    sentences.
    """

    vector: Vectors
    codes: NDArray[np.int8]
    scales: Vectors


@dataclass(frozen=True, slots=True)
class Measured:
    """How many of the best codes are looked at again for recall@10 to be `recall`, against exact search, over
    sentences of the segment's own passages as queries.
    """

    depth: int
    recall: float


class Generation(Protocol):
    """One state of a store, to be read: it never changes. Rows name passages in this generation only.

    Safe to use from several threads. What is dead is never given. Methods raise UnreachableStore where the store is
    on another machine that does not answer in time.
    """

    manifest: Manifest
    # A line for a person if this is not as it should be.
    notice: str
    # What a search cannot use here, for a person; empty if nothing.
    without: str

    @property
    def passages(self) -> int:
        """Living passages."""

    @property
    def languages(self) -> Mapping[str, int]:
        """Living passages by language (ISO 639-1)."""

    @property
    def bytes(self) -> int | None:
        """What it takes on the disk; None where that is not known."""

    @property
    def scans(self) -> list[tuple[int, Measured]]:
        """Of each part that is scanned by codes: its living passages, and what its codes find."""

    def files(self) -> Iterator[FileRecord]:
        """Every file that was met, in the order it was last read."""

    def documents(self) -> list[tuple[str, str]]:
        """(source, source of its file) of each document."""

    def sources(self) -> list[tuple[str, str, int, int]]:
        """(source, title, characters, passages) of each document, sorted by source."""

    def document_languages(self) -> Mapping[str, int]:
        """Documents by the language (ISO 639-1) of most of their passages."""

    def document(self, source: str) -> Document | None: ...

    def passage(self, row: int) -> Passage: ...

    def rows_of(self, source: str) -> list[int]:
        """The rows of a document's passages, in order."""

    def vectors(self, rows: Sequence[int]) -> Vectors:
        """(n, dim): the vectors of the passages at n rows."""

    def sentence_vectors(self, row: int) -> Vectors:
        """(s, dim): a vector for each of the passage's sentences."""

    def nearest_sentences(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        """(n,): for each of n passages the cosine of its nearest sentence to a unit vector (dim,)."""

    def containing(self, words: Sequence[str]) -> list[int]:
        """For each stemmed term, in how many living passages it is."""

    def spoken(self, rows: Sequence[int]) -> list[str]:
        """The language (ISO 639-1) of each of the passages at n rows."""

    def holds(self, rows: Sequence[int], words: Sequence[str]) -> NDArray[np.bool_]:
        """(n, w): which of the passages at n rows has which of w stemmed terms."""

    def dense(self, vector: Vectors, k: int) -> tuple[Candidate, ...]:
        """The k passages nearest to a unit vector (dim,), by cosine, ties by row."""

    def lexical(self, asked: Mapping[str, Mapping[str, float]], k: int) -> tuple[Candidate, ...]:
        """The k passages with the highest BM25 score among those that have a term of the query, ties by row.

        `asked[language]` are the stemmed terms that passages of a language are compared with, each with its weight;
        none are found where the store has no BM25 (`without`).
        """

    def of(self, sources: Collection[str]) -> "Generation":
        """The same, of which only the documents of these sources are searched and listed."""


class Writer(Protocol):
    """The one writer of a store, from one generation to the next ones. Everything a method was given is kept, and
    survives a power cut, when it returns; readers see it from the next `commit` on.

    `begin` comes first. `manifest` is the generation in hand; `damaged` names, a line each, what was found damaged
    when it was opened.
    """

    manifest: Manifest
    damaged: tuple[str, ...]

    @property
    def known(self) -> Mapping[str, FileRecord]:
        """The living files by path, each as it was last read."""

    @property
    def passages(self) -> int:
        """Living passages of the generation in hand."""

    def begin(self, manifest: Manifest) -> None:
        """Go on from a manifest: that of the generation in hand, or of a new index."""

    def forget(self, path: str) -> None:
        """What the store holds of the file is dead with the next commit."""

    def holds(self, sha256: str) -> bool:
        """Whether a file of these bytes was ever written and is not cleared away."""

    def check(self, documents: Sequence[tuple[Document, Sequence[Passage]]]) -> None:
        """Raises FailedFile if the store cannot hold a file of these."""

    def made(self, wanted: Mapping[Content, str | None]) -> dict[Content, Made]:
        """What is known of these contents; beside each the bare_hash of its passage, if that may be known under another
        title.
        """

    def stage(self, contents: Contents, roots: Sequence[str], removed: Sequence[str]) -> None:
        """Keep the beginning of a file that is not read to its end, unseen until the commit that holds its end."""

    def unstage(self) -> None:
        """Give up what was staged: its file could not be read to its end."""

    def commit(self, contents: Contents | None, roots: Sequence[str], removed: Sequence[str]) -> None:
        """Make the next generation: what is staged and `contents` are seen, what was forgotten is not."""

    def finish(self, embedded: int) -> None:
        """Clear up at the end of a run that embedded so many passages."""


class Store(Protocol):
    """A place of an index. Every method raises UnreachableStore as those of a Generation do."""

    # What messages call it.
    name: str

    def exists(self) -> bool:
        """Whether an index is, or was, here. A first commit that was cut off has made none."""

    def pointer(self) -> bytes:
        """Differs for different generations; cheap to ask for."""

    def manifest(self) -> Manifest:
        """That of the current generation. Raises NoIndex, DamagedIndex or OtherIndex."""

    def newest(self) -> Generation:
        """The current generation, or the last good one. Raises NoIndex, DamagedIndex or OtherIndex."""

    def writing(self, *, rebuild: bool = False) -> AbstractContextManager[tuple[Writer, Manifest | None]]:
        """The writer, and the manifest to go on from; none for a new index, and to start from nothing (`rebuild`).

        Raises LockedIndex at once while somebody else writes, DamagedIndex and OtherIndex.
        """

    def verify(self) -> list[str]:
        """One line for each thing that is not as it was written. Raises NoIndex or DamagedIndex."""
