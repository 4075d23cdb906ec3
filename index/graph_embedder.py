"""A model's folder as an embedder, in ONNX Runtime at fp32, without torch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .architecture import NotCovered
from .cores import cores
from .embedding import Vectors, sentences_alone, unit
from .errors import ModelError
from .model_folder import ModelFolder, read_folder
from .pieces import load_tokenizer, valid
from .pooling import pooled
from .sentences import Span

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

# Tokens a forward pass: small batches stay in a core's cache.
_BATCH_TOKENS = 512


class GraphEmbedder:
    """The model called `name` in the folder that `find` gives, which is asked for when it is first needed."""

    def __init__(self, name: str, find: Callable[[], Path], languages: frozenset[str] | None = None) -> None:
        self.name = name
        self.languages = languages
        self._find = find

    @cached_property
    def _model(self) -> ModelFolder:
        folder = self._find()
        try:
            return read_folder(folder)
        except NotCovered as reason:
            raise ModelError(f"cannot read the embedding model {folder}: {reason}") from None

    @cached_property
    def _session(self) -> "onnxruntime.InferenceSession":
        from .graph import bert_session  # the runtime costs 0.2 s: only where a text is embedded

        return bert_session(self._model.encoder)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        """Cuts at the window, as the model does."""
        tokenizer = load_tokenizer(self._model.encoder, lowercase=self._model.lowercase)
        tokenizer.enable_truncation(self._model.max_length)
        return tokenizer

    @cached_property
    def _counter(self) -> "Tokenizer":
        """Cuts nothing."""
        return load_tokenizer(self._model.encoder, lowercase=self._model.lowercase)

    @property
    def dimension(self) -> int:
        return self._model.architecture.width

    @cached_property
    def window(self) -> int:
        # BERT's pieces never cross a space. Those of other tokenizers may, so one is kept back.
        kind = type(self._counter.pre_tokenizer).__name__
        spare = 0 if kind == "BertPreTokenizer" else 1
        return self._model.max_length - len(self._counter.encode(self._model.passage_prompt)) - spare

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        encodings = self._counter.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, [()] * len(texts), self._model.query_prompt)[0]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, [()] * len(texts), self._model.passage_prompt)[0]

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        """As `SentenceEmbedder` has it. The vectors of a "cls" model are states of the first token, and a mean
        of others is none of them: there the sentences are embedded by themselves.
        """
        if self._model.pooling == "cls":
            return sentences_alone(self, texts, spans)
        return self._embed(texts, spans, self._model.passage_prompt)

    def _embed(self, texts: Sequence[str], spans: Sequence[Sequence[Span]], prompt: str) -> tuple[Vectors, Vectors]:
        given = [valid(prompt + text) for text in texts]
        encodings = self._tokenizer.encode_batch(given)
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        sentences: list[Vectors] = [np.empty((0, self.dimension), dtype=np.float32)] * len(texts)

        def forward(batch: list[int]) -> None:
            ids = np.array([encodings[row].ids for row in batch], dtype=np.int64)
            feed = {"ids": ids, "positions": self._model.architecture.positions(ids)}
            (hidden,) = self._session.run(["hidden"], feed)
            for states, row in zip(hidden, batch, strict=True):
                vectors[row] = states.mean(axis=0) if self._model.pooling == "mean" else states[0]
                if spans[row]:
                    inside = [(start + len(prompt), end + len(prompt)) for start, end in spans[row]]
                    sentences[row] = pooled(states, given[row], encodings[row].offsets, inside, vectors[row])

        self._session  # noqa: B018 - made once, before the threads ask for it
        batches = list(_batches([len(encoding) for encoding in encodings]))
        if len(batches) == 1:
            forward(batches[0])
        else:
            with ThreadPoolExecutor(max_workers=cores()) as pool:
                list(pool.map(forward, batches))
        return unit(vectors), np.concatenate([np.empty((0, self.dimension), dtype=np.float32), *sentences])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers in batches of one length, longest first, each of at most `_BATCH_TOKENS` or a single row."""
    rows = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    for length, alike in groupby(rows, key=lengths.__getitem__):
        while batch := list(islice(alike, max(1, _BATCH_TOKENS // max(1, length)))):
            yield batch
