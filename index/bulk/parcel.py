"""What goes between an update and the workers that read and embed for it: numbers and JSON, nothing that could be run.

An order names the files of a part. An answer is a header of JSON, its length before it (8 bytes, little-endian), then
the vectors (float32), the sentence codes (int8) and their scales (float32) of all its passages, one after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import accumulate, pairwise

import numpy as np

from ..contents import Embedded
from ..documents import Document, Passage
from ..errors import FailedFile, SkippedFile
from ..loading import Problem
from ..worker import decode, encode, packed, unpacked

READ, SKIPPED, FAILED, LOST, GIVEN_BACK, UNSEEN = "read", "skipped", "failed", "lost", "given back", "unseen"
Embeddings = list[tuple[Document, list[Embedded]]]


@dataclass(frozen=True, slots=True)
class Order:
    """A file to be read: its absolute path, the source that names it, and the bytes that it should hold."""

    path: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: READ; SKIPPED or FAILED with the reason, as when it is read anywhere; LOST if it was the
    worker that failed, so that the next update tries again; GIVEN_BACK, to be read where the update runs; UNSEEN if it
    is not there for a worker, whose machine is the reason.
    """

    path: str
    status: str
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    read: Sequence[tuple[Document, list[Embedded]]] = ()

    def documents(self) -> Iterator[tuple[Document, list[Embedded]]]:
        """The documents of a file, or the error that ended it, raised."""
        if self.status == SKIPPED:
            raise SkippedFile(self.reason)
        if self.status == FAILED:
            raise FailedFile(self.reason)
        yield from self.read


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker made of a part: the files in their order, passages embedded and reused. If `broken` is not empty
    the worker could do nothing, and this is why.
    """

    part: int
    outcomes: tuple[Outcome, ...] = ()
    embedded: int = 0
    reused: int = 0
    broken: str = ""


def pack_part(number: int, orders: Sequence[Order]) -> bytes:
    return encode([number, [astuple(order) for order in orders]])


def unpack_part(part: bytes) -> tuple[int, list[Order]]:
    number, orders = decode(part)
    return number, [Order(*order) for order in orders]


def pack_answer(answer: Answer) -> bytes:
    passages = [one for outcome in answer.outcomes for _, inside in outcome.read for one in inside]
    dimension = len(passages[0].vector) if passages else 0
    outcomes = [
        [
            outcome.path,
            outcome.status,
            outcome.reason,
            [packed(problem) for problem in outcome.problems],
            [[packed(document), [_packed(one) for one in inside]] for document, inside in outcome.read],
        ]
        for outcome in answer.outcomes
    ]
    header = encode([answer.part, answer.embedded, answer.reused, answer.broken, dimension, outcomes])
    return b"".join(
        [
            len(header).to_bytes(8, "little"),
            header,
            *(one.vector.astype("<f4").tobytes() for one in passages),
            *(one.codes.tobytes() for one in passages),
            *(one.scales.astype("<f4").tobytes() for one in passages),
        ]
    )


def unpack_answer(content: bytes) -> Answer:
    """Raises ValueError for what is no answer."""
    start = 8 + int.from_bytes(content[:8], "little")
    part, embedded, reused, broken, dimension, outcomes = decode(content[8:start])
    numbers = _Numbers(content[start:], dimension, [kept[2] for out in outcomes for _, one in out[4] for kept in one])
    return Answer(
        part,
        tuple(
            Outcome(path, status, reason, tuple(map(_problem, problems)), [_read(one, numbers) for one in documents])
            for path, status, reason, problems, documents in outcomes
        ),
        embedded,
        reused,
        broken,
    )


class _Numbers:
    """The arrays of an answer, given out passage by passage."""

    def __init__(self, content: bytes, dimension: int, sentences: Sequence[int]) -> None:
        count, total = len(sentences), sum(sentences)
        ends = list(accumulate([count * dimension * 4, total * dimension, total * 4]))
        if len(content) != ends[-1]:
            raise ValueError("an answer that is cut off")
        vectors = np.frombuffer(content[: ends[0]], "<f4").reshape(count, dimension)
        codes = np.frombuffer(content[ends[0] : ends[1]], np.int8).reshape(total, dimension)
        scales = np.frombuffer(content[ends[1] :], "<f4")
        spans = pairwise([0, *accumulate(sentences)])
        self._next = iter([(vector, codes[a:b], scales[a:b]) for vector, (a, b) in zip(vectors, spans, strict=True)])

    def of(self, passage: Passage, content: str, words: Sequence[str]) -> Embedded:
        return Embedded(passage, content, *next(self._next), tuple(words))


def _packed(one: Embedded) -> list[object]:
    passage = one.passage
    kept = [passage.id, passage.start, passage.end, passage.heading, passage.page, passage.language]
    return [kept, passage.sentences, len(one.scales), one.content, one.words]


def _read(kept: Sequence[list], numbers: _Numbers) -> tuple[Document, list[Embedded]]:  # type: ignore[type-arg]
    document = unpacked(kept[0])
    if not isinstance(document, Document):
        raise ValueError("not a document")
    inside = []
    for (name, start, end, heading, page, language), sentences, _, content, words in kept[1]:
        spans = tuple((first, last) for first, last in sentences)
        text = document.text[start:end]
        passage = Passage(name, document.source, document.title, start, end, text, heading, page, spans, language)
        inside.append(numbers.of(passage, content, words))
    return document, inside


def _problem(kept: list) -> Problem:  # type: ignore[type-arg]
    problem = unpacked(kept)
    if not isinstance(problem, Problem):
        raise ValueError("not a problem")
    return problem
