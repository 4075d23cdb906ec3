"""In how many passages each term is: exact, though no server tells.

A commit keeps what it added and what it took away as a note of its own; the terms of a generation are the sum of its
notes, of which the smallest are made one when they are many.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A token as the server's analyzer leaves it alone, whatever the word: a letter and 64 bits of its hash, and a space.
WIDTH = 18


def token(word: str) -> str:
    return f"t{hashlib.blake2b(word.encode(), digest_size=8).hexdigest()}"


def tokens(words: Sequence[str], longest: int) -> str:
    """What is stored of a passage's terms, in order; of so many bytes at most."""
    return " ".join(token(word) for word in words[: longest // WIDTH])


def length(stored: str) -> int:
    """The number of terms."""
    return (len(stored) + 1) // WIDTH


def _identities(stored: str) -> NDArray[np.uint64]:
    """The distinct terms of a passage, as numbers."""
    return np.array([int(one[1:], 16) for one in set(stored.split())], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Terms:
    """`counts[i]` passages have the term `identities[i]`; ascending, none twice. Counts may be less than 0 where a
    commit took away more than it added.
    """

    identities: NDArray[np.uint64]
    counts: NDArray[np.int64]

    @classmethod
    def none(cls) -> "Terms":
        return cls(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64))

    @classmethod
    def of(cls, stored: Iterable[str]) -> "Terms":
        """Of passages, by their stored tokens."""
        parts = [_identities(one) for one in stored]
        if not parts:
            return cls.none()
        return cls(*np.unique(np.concatenate(parts), return_counts=True))

    def plus(self, other: "Terms", times: int = 1) -> "Terms":
        every = np.concatenate([self.identities, other.identities])
        identities, places = np.unique(every, return_inverse=True)
        counts = np.zeros(len(identities), dtype=np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, times * other.counts]))
        kept = counts != 0
        return Terms(identities[kept], counts[kept])

    def containing(self, words: Sequence[str]) -> list[int]:
        """For each stemmed term, in how many passages it is."""
        asked = np.array([int(token(word)[1:], 16) for word in words], dtype=np.uint64)
        if not len(self.identities):
            return [0] * len(words)
        places = np.minimum(np.searchsorted(self.identities, asked), len(self.identities) - 1)
        found = np.where(self.identities[places] == asked, self.counts[places], 0)
        return [int(count) for count in found]

    def to_bytes(self) -> bytes:
        return self.identities.astype("<u8").tobytes() + self.counts.astype("<i8").tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Terms":
        half = len(stored) // 2
        return cls(np.frombuffer(stored[:half], "<u8"), np.frombuffer(stored[half:], "<i8"))
