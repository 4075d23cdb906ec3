"""Texts to unit vectors.

`Embedder` is the seam. A model is computed as a graph without torch (graph_embedder.py) where that gives what
sentence-transformers gives (verified.py), else through that library (library_embedder.py).
"""

import os
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .minilm import MINILM, minilm_folder
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


def load_embedder(name: str | None = None) -> Embedder:
    """The embedder called `name`: None for the default, a folder, or a hub name for sentence-transformers.

    The default is the packaged all-MiniLM-L6-v2, or the folder that `FOOTNOTED_MODEL` names. Nothing is read
    before the embedder is first used; it raises ModelError then, if it cannot be loaded.
    """
    name = name or os.environ.get("FOOTNOTED_MODEL") or MINILM
    if name == MINILM:
        from .graph_embedder import GraphEmbedder  # it imports this file

        return GraphEmbedder(name, minilm_folder, languages=frozenset({"en"}))
    from .verified import VerifiedEmbedder

    return VerifiedEmbedder(name)


def unit(rows: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, np.maximum(lengths, 1e-12), dtype=np.float32)
    return scaled
