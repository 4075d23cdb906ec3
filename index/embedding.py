"""Texts to unit vectors.

`Embedder` is the seam: the packaged model runs as a graph without torch; any other
sentence-transformers model runs through that library.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .errors import ModelError
from .minilm import minilm_folder
from .sentences import Span

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

# Padded tokens a forward pass: small batches stay in a core's cache and pad little.
_BATCH_TOKENS = 1024


class Embedder(Protocol):
    """What an embedding model must offer. Vectors are (n, dimension) float32 with rows of length 1."""

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
    sentences = [text[start:end] for text, inside in zip(texts, spans, strict=True) for start, end in inside]
    return embedder.embed_passages(texts), embedder.embed_passages(sentences)


def load_embedder(name: str | None = None) -> Embedder:
    """The embedder called `name`: None for the default, a folder, or a hub name for sentence-transformers.

    The default is the packaged all-MiniLM-L6-v2, or the folder that `FOOTNOTED_MODEL` names.
    Raises ModelError if it cannot be loaded.
    """
    name = name or os.environ.get("FOOTNOTED_MODEL") or GraphEmbedder.name
    return GraphEmbedder() if name == GraphEmbedder.name else LibraryEmbedder(name)


def _pooled(states: Vectors, places: Sequence[Sequence[int]], spans: Sequence[Span], whole: Vectors) -> Vectors:
    """The mean states of the tokens that lie in each span, as unit rows; `whole` where none does.

    `places` are the tokens' (start, end) characters; special tokens have empty ones.
    """
    starts, ends = np.asarray(places).T
    rows = np.empty((len(spans), states.shape[1]), dtype=np.float32)
    for row, (first, last) in enumerate(spans):
        inside = (starts >= first) & (ends <= last) & (ends > starts)
        rows[row] = states[inside].mean(axis=0) if inside.any() else whole
    return unit(rows)


def unit(rows: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, np.maximum(lengths, 1e-12), dtype=np.float32)
    return scaled


class GraphEmbedder:
    """The packaged all-MiniLM-L6-v2 in ONNX Runtime at fp32: mean of the token states, unit rows."""

    name = "all-MiniLM-L6-v2"
    dimension = 384
    window = 254  # max_seq_length 256 less [CLS] and [SEP]
    languages: frozenset[str] | None = frozenset({"en"})

    @cached_property
    def _session(self) -> "onnxruntime.InferenceSession":
        from .graph import bert_session  # the runtime costs 0.2 s: only where a text is embedded

        return bert_session(minilm_folder())

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        """Cuts at the window, as the model does."""
        tokenizer = load_tokenizer()
        tokenizer.enable_truncation(self.window + 2)
        return tokenizer

    @cached_property
    def _counter(self) -> "Tokenizer":
        """Cuts nothing."""
        return load_tokenizer()

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        encodings = self._counter.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self.embed_with_sentences(texts, [()] * len(texts))[0]

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        encodings = self._tokenizer.encode_batch([valid(text) for text in texts])
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        sentences: list[Vectors] = [np.empty((0, self.dimension), dtype=np.float32)] * len(texts)

        def forward(batch: list[int]) -> None:
            longest = max(len(encodings[row]) for row in batch)
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask = np.zeros((len(batch), longest), dtype=np.int32)
            for place, row in enumerate(batch):
                length = len(encodings[row])
                ids[place, :length], mask[place, :length] = encodings[row].ids, 1
            feed = {"ids": ids, "mask": mask, "positions": np.arange(longest)[None]}
            (hidden,) = self._session.run(["hidden"], feed)
            for place, row in enumerate(batch):
                states = hidden[place, : len(encodings[row])]
                vectors[row] = states.mean(axis=0)
                if spans[row]:
                    sentences[row] = _pooled(states, encodings[row].offsets, spans[row], vectors[row])

        self._session  # noqa: B018 - made once, before the threads ask for it
        batches = list(_batches([len(encoding) for encoding in encodings]))
        if len(batches) == 1:
            forward(batches[0])
        else:
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
                list(pool.map(forward, batches))
        return unit(vectors), np.concatenate([np.empty((0, self.dimension), dtype=np.float32), *sentences])


def valid(text: str) -> str:
    """Text without lone surrogates, which the tokenizer refuses; every character keeps its place."""
    return text.encode("utf-8", "replace").decode("utf-8")


def load_tokenizer() -> "Tokenizer":
    """The word pieces of the packaged model; nothing is cut or padded."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_padding()  # the file pads to 128 and cuts there
    tokenizer.no_truncation()
    return tokenizer


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers in batches of like length, longest first, each at most `_BATCH_TOKENS` when padded."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and (len(batch) + 1) * lengths[batch[0]] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


class LibraryEmbedder:
    """Any sentence-transformers model, by folder or name, on the device that the library chooses."""

    languages: frozenset[str] | None = None  # a model's folder does not say so in a way that can be relied on

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _model(self) -> Any:
        folder = Path(self.name).expanduser()
        looks_like_a_path = self.name.startswith((".", "/", "~")) or folder.exists()
        if looks_like_a_path and not folder.is_dir():
            raise ModelError(f"no embedding model at {self.name}: give its folder, or a hub name")
        from sentence_transformers import SentenceTransformer  # 8-10 CPU seconds

        # Without a network it says so twenty times over a minute; the error below says it once.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        try:
            return SentenceTransformer(str(folder) if folder.is_dir() else self.name)
        except Exception as error:  # the library raises what its parts raise: network, files, formats
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"cannot load the embedding model {self.name}: {reason}") from None

    @property
    def dimension(self) -> int:
        return int(self._model.get_embedding_dimension())

    @property
    def window(self) -> int:
        # One word piece is kept back: tokenizers that mark word starts may count a join differently.
        special = len(self._model.tokenizer(self._passage_prompt or "")["input_ids"])
        return int(self._model.max_seq_length or 512) - special - 1

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        encoded = self._model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(self._model.encode_document, texts, prompt=self._passage_prompt)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(self._model.encode_query, texts)

    @property
    def _passage_prompt(self) -> str | None:
        """What the model's configuration puts before a passage, as e5's "passage: ". The library takes the
        first name that is there, and it has put an empty "document" there itself.
        """
        prompts = self._model.prompts
        return next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), None)

    def _embed(self, encode: Any, texts: Sequence[str], **options: Any) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = encode(list(texts), batch_size=8, normalize_embeddings=True, show_progress_bar=False, **options)
        return np.asarray(vectors, dtype=np.float32)
