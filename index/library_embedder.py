"""Any sentence-transformers model, through that library and torch."""

import copy
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from .embedding import Vectors, sentences_alone, unit
from .errors import ModelError
from .model_folder import passage_prompt
from .pieces import valid
from .pooling import pooled
from .sentences import Span

# Models whose vector is the mean of their tokens' states.
_MEANS = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
# Texts a forward pass: a fifth faster than the library's 32.
_BATCH = 8


class LibraryEmbedder:
    """The model called `name`, by folder or hub name, on `device`, or on the one that the library chooses."""

    languages: frozenset[str] | None = None  # a model's folder does not say so in a way that can be relied on

    def __init__(self, name: str, device: str | None = None) -> None:
        self.name = name
        self._device = device
        self._embedding = Lock()  # the library's tokenizers cannot be used by two threads at once

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
            return SentenceTransformer(str(folder) if folder.is_dir() else self.name, device=self._device)
        except Exception as error:  # the library raises what its parts raise: network, files, formats
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"cannot load the embedding model {self.name}: {reason}") from None

    @cached_property
    def _counter(self) -> Any:
        """A tokenizer of its own: passages are counted while others are embedded."""
        return copy.deepcopy(self._model.tokenizer)

    @cached_property
    def _pieces(self) -> Any:
        """Another, which cuts where the model does."""
        return copy.deepcopy(self._model.tokenizer)

    @property
    def dimension(self) -> int:
        return int(self._model.get_embedding_dimension())

    @property
    def window(self) -> int:
        # One word piece is kept back: tokenizers that mark word starts may count a join differently.
        special = len(self._counter(self._passage_prompt or "")["input_ids"])
        return int(self._model.max_seq_length or 512) - special - 1

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        encoded = self._counter(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(self._model.encode_document, texts, prompt=self._passage_prompt)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(self._model.encode_query, texts)

    def embed_with_sentences(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Vectors, Vectors]:
        """As `SentenceEmbedder` has it; where the vector is no mean of tokens, the sentences are embedded alone."""
        model, prompt = self._model, self._passage_prompt or ""
        means = [type(part).__name__ for part in model] in _MEANS and model[1].pooling_mode == "mean"
        if not (texts and means and model.truncate_dim is None and self._counter.is_fast):
            return sentences_alone(self, texts, spans)
        given = [valid(text) for text in texts]
        with self._embedding:
            made = model.encode_document(
                given, batch_size=_BATCH, prompt=prompt, output_value=None, show_progress_bar=False
            )
            read = [prompt + text for text in given]
            encoded = self._pieces(read, return_offsets_mapping=True, truncation=True, max_length=model.max_seq_length)
        tokens = [one["token_embeddings"][one["attention_mask"] > 0].cpu().numpy() for one in made]
        if list(map(len, tokens)) != list(map(len, encoded["offset_mapping"])):  # the model was given other text
            return sentences_alone(self, texts, spans)
        vectors = unit(np.stack([one["sentence_embedding"].cpu().numpy() for one in made]))
        sentences = [np.empty((0, self.dimension), dtype=np.float32)]
        for row, (states, inside) in enumerate(zip(tokens, spans, strict=True)):
            moved = [(start + len(prompt), end + len(prompt)) for start, end in inside]
            if inside:
                sentences.append(pooled(states, read[row], encoded["offset_mapping"][row], moved, vectors[row]))
        return vectors, np.concatenate(sentences)

    @property
    def _passage_prompt(self) -> str | None:
        return passage_prompt(self._model.prompts)

    def _embed(self, encode: Any, texts: Sequence[str], **options: Any) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        given = [valid(text) for text in texts]
        with self._embedding:
            vectors = encode(given, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False, **options)
        return np.asarray(vectors, dtype=np.float32)
