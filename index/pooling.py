"""Vectors of the sentences of a text, from the states that a model has given its tokens."""

from collections.abc import Sequence

import numpy as np

from .embedding import Vectors, unit
from .sentences import Span


def pooled(states: Vectors, text: str, offsets: Sequence[Span], spans: Sequence[Span], whole: Vectors) -> Vectors:
    """(s, dim) unit rows: the mean state of the tokens that lie in each of s spans of `text`; `whole` (dim,) where
    none does. Late chunking: a sentence is embedded within its passage (Günther et al. 2024,
    https://arxiv.org/abs/2409.04701).

    `states` (t, dim) are those of t tokens, `offsets` their (start, end) characters; special tokens have empty ones.
    """
    starts, ends = np.asarray(_without_spaces(text, offsets)).T
    rows = np.empty((len(spans), states.shape[1]), dtype=np.float32)
    for row, (first, last) in enumerate(spans):
        inside = (starts >= first) & (ends <= last) & (ends > starts)
        rows[row] = states[inside].mean(axis=0) if inside.any() else whole
    return unit(rows)


def _without_spaces(text: str, offsets: Sequence[Span]) -> list[Span]:
    """The (start, end) characters of tokens, less the space that some tokenizers give to the word after it."""
    return [(end - len(text[start:end].lstrip()), end) for start, end in offsets]
