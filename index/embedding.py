"""Texts to unit vectors.

`Embedder` is the seam; which one a name stands for, embedders.py knows.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .sentences import Span

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """What an embedding model must offer. Vectors are (n, dimension) float32 with rows of length 1.

    Texts are counted in one thread while others are embedded in another.
    """

    @property
    def name(self) -> str:
        """What the manifest and `status` call the model."""

    @property
    def dimension(self) -> int: ...

    @property
    def window(self) -> int:
        """Word pieces of a text that the model sees, its special tokens not counted."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages (ISO 639-1) whose meaning it knows; None if that is not known."""

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        """The word pieces of each text, special tokens not counted, nothing cut."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...


@runtime_checkable
class SentenceEmbedder(Protocol):
    """An embedder that gives sentence vectors from the same pass over the passage."""

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        """Vectors of the texts, and of the sentences at `spans` in them, in order.

        A sentence's vector is the mean of its token states within the whole text, so it knows its
        surroundings ("late chunking", Günther et al. 2024, https://arxiv.org/abs/2409.04701).
        """


def embed_with_sentences(
    embedder: Embedder, texts: Sequence[str], spans: Sequence[Sequence[Span]]
) -> tuple[Vectors, Vectors]:
    """(n, dim) vectors of the texts and (total spans, dim) vectors of the sentences in them."""
    if isinstance(embedder, SentenceEmbedder):
        return embedder.embed_with_sentences(texts, spans)
    return sentences_alone(embedder, texts, spans)


def sentences_alone(
    embedder: Embedder, texts: Sequence[str], spans: Sequence[Sequence[Span]]
) -> tuple[Vectors, Vectors]:
    """As `embed_with_sentences`, each sentence as if nothing stood around it."""
    sentences = [text[start:end] for text, inside in zip(texts, spans, strict=True) for start, end in inside]
    return embedder.embed_passages(texts), embedder.embed_passages(sentences)


def unit(rows: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, np.maximum(lengths, 1e-12), dtype=np.float32)
    return scaled
