"""What a writer is given: files, their documents, and passages with what was computed of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .documents import Document, Passage
from .embedding import Vectors


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that was met. `status` is "added", "skipped" or "failed", as when it was last read;
    `mtime` in nanoseconds. A row of the table `files`, which a document points at by number.
    """

    path: str
    source: str
    size: int
    mtime: int
    sha256: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A passage ready to be stored: `content` is the hash of what was embedded, `vector` (dim,) a unit
    row, `codes` (s, dim) int8 and `scales` (s,) its s sentences' vectors, `words` its terms for BM25.
    """

    passage: Passage
    content: str
    vector: Vectors
    codes: NDArray[np.int8]
    scales: Vectors
    words: tuple[str, ...]


Contents = Sequence[tuple[FileRecord, Sequence[tuple[Document, Sequence[Embedded]]]]]


def passages_of(inside: Sequence[Passage | Embedded]) -> list[Passage]:
    """The passages themselves, embedded or not."""
    return [one.passage if isinstance(one, Embedded) else one for one in inside]


def quantised(rows: Vectors) -> tuple[NDArray[np.int8], Vectors]:
    """Rows as int8 codes (n, dim) and scales (n,): `codes * scales[:, None]` is within 0.4 % of the
    largest component.
    """
    scales = (np.abs(rows).max(axis=1, initial=1e-12) / 127).astype(np.float32)
    return np.rint(rows / scales[:, None]).astype(np.int8), scales
