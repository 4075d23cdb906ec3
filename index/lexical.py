"""BM25 over stored term counts.

Counts are kept, not weights, so a document can be added or removed without touching the rest:
document frequencies and lengths are those of the whole index at the moment of the question.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The values of Anserini's baselines (Yang, Fang, Lin 2017), not tuned on any collection here.
K1 = 0.9
B = 0.4

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Postings:
    """Term counts of n passages. Term t occurs in the passages `rows[pointers[t]:pointers[t + 1]]`
    (ascending), `counts` times in each; `lengths` (n,) are the passages' numbers of terms.
    """

    pointers: NDArray[np.int64]
    rows: Ints
    counts: Ints
    lengths: Ints

    def of(self, term: int) -> tuple[Ints, Ints]:
        """The rows and counts of a term."""
        begin, end = self.pointers[term], self.pointers[term + 1]
        return self.rows[begin:end], self.counts[begin:end]


def count_terms(passages: Iterable[Sequence[str]]) -> tuple[list[str], Postings]:
    """The vocabulary in order of code points, and the postings over it."""
    by_term: dict[str, tuple[list[int], list[int]]] = {}
    lengths = []
    for row, words in enumerate(passages):
        lengths.append(len(words))
        for word, count in Counter(words).items():
            rows, counts = by_term.setdefault(word, ([], []))
            rows.append(row)
            counts.append(count)
    vocabulary = sorted(by_term)
    pointers = np.zeros(len(vocabulary) + 1, dtype=np.int64)
    pointers[1:] = np.cumsum([len(by_term[word][0]) for word in vocabulary])
    all_rows = np.array([row for word in vocabulary for row in by_term[word][0]], dtype=np.int32)
    all_counts = np.array([count for word in vocabulary for count in by_term[word][1]], dtype=np.int32)
    return vocabulary, Postings(pointers, all_rows, all_counts, np.array(lengths, dtype=np.int32))


def inverse_document_frequency(passages: int, containing: int) -> float:
    """ln(1 + (N - df + 0.5) / (df + 0.5)): Lucene's, never negative (Kamphuis et al. 2020)."""
    return math.log(1 + (passages - containing + 0.5) / (containing + 0.5))


def norms(lengths: Ints, average_length: float) -> NDArray[np.float32]:
    """(n,): k1 (1 - b + b len / avg) of n passages, with which `weight` saturates."""
    return (K1 * (1 - B + B * lengths / max(average_length, 1e-9))).astype(np.float32)


def weight(counts: Ints, norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """tf / (tf + norm): BM25's saturation (Robertson, Zaragoza 2009)."""
    tf = counts.astype(np.float32)
    return tf / (tf + norms)
