"""A small model that reads question and passage together: does it answer, and where.

all-MiniLM-L6-v2 with its layers trained further for that, by training/; its weights lie beside this file as
int8, above the embeddings that the packaged model has. What it was trained on, its figures and its limits
are in docs/reader.md.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.cores import cores
from index.errors import ModelError
from index.minilm import minilm_folder
from index.sentences import Span

from .windows import Window, windows

if TYPE_CHECKING:
    import onnxruntime

    from index.graph import Weights

WEIGHTS = Path(__file__).parent / "reader.safetensors"
WEIGHTS_SHA256 = "3ff752e33eb1260617d277af67620ed483f200861f1117b1de1b2a66f213db1d"

# Word pieces that a marked answer has at most.
LONGEST_ANSWER = 30

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is read of a passage: `text`, with `context` (title and headings) above it."""

    context: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of one excerpt. All are logits: larger is likelier.

    `answers`: the excerpt answers the question. `starts` and `ends` (n,): the answer begins, ends with the
    word piece at `offsets[i]`, a (start, end) span of the excerpt's text; `none`: it does neither, in
    the excerpt as a whole. The excerpt is read as far as its offsets go.
    """

    answers: float
    none: float
    starts: Scores
    ends: Scores
    offsets: tuple[Span, ...]

    def best(self, start: int, end: int) -> tuple[float, Span] | None:
        """The likeliest answer within the characters [start, end) of the excerpt's text: by how much it is
        likelier than none, and its span; None if nothing of it was read.
        """
        inside = [
            at for at, (first, last) in enumerate(self.offsets) if start <= first and last <= end and first < last
        ]
        if not inside:
            return None
        low, high = inside[0], inside[-1] + 1
        together = self.starts[low:high, None] + self.ends[None, low:high]
        length = high - low
        allowed = np.triu(np.ones((length, length), dtype=bool)) & ~np.triu(
            np.ones((length, length), dtype=bool), LONGEST_ANSWER
        )
        together = np.where(allowed, together, -np.inf)
        first, last = np.unravel_index(int(together.argmax()), together.shape)
        span = (self.offsets[low + int(first)][0], self.offsets[low + int(last)][1])
        return float(together[first, last]) - self.none, span


class Reader(Protocol):
    """What reads a question beside excerpts."""

    @property
    def name(self) -> str: ...

    def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[Reading]:
        """A reading of each excerpt."""


class GraphReader:
    """The bundled reader in ONNX Runtime; an excerpt is read the same whatever is read beside it."""

    name = "footnoted-reader"

    def __init__(self, weights: Path = WEIGHTS, sha256: str = WEIGHTS_SHA256) -> None:
        self._file = weights
        self._sha256 = sha256

    def check(self) -> None:
        """Raises ModelError if the weights are not those that belong to this version."""
        try:
            found = hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(
                f"cannot read the reader {self._file} ({error.strerror}): install footnoted again"
            ) from None
        if found != self._sha256:
            raise ModelError(
                f"the reader {self._file} is not the one of this version (sha256 {found[:12]}..., expected "
                f"{self._sha256[:12]}...): install footnoted again"
            )

    def read(self, question: str, excerpts: Sequence[Excerpt]) -> list[Reading]:
        made = windows([question] * len(excerpts), [one.context for one in excerpts], [one.text for one in excerpts])
        session, heads = self._loaded
        return [heads.reading(window, hidden) for window, hidden in zip(made, _forward(session, made), strict=True)]

    def supports(self, claims: Sequence[str], texts: Sequence[str]) -> list[float]:
        """For each claim, the logit that its text supports it."""
        made = windows(claims, [""] * len(claims), texts)
        session, heads = self._loaded
        return [heads.supports(hidden) for hidden in _forward(session, made)]

    @cached_property
    def _loaded(self) -> "tuple[onnxruntime.InferenceSession, _Heads]":
        from index.graph import Weights, bert_session  # the runtime costs 0.2 s: only where something is read

        weights = Weights(self._file)
        return bert_session(minilm_folder(), weights), _Heads(weights)


BUNDLED = GraphReader()
# By the names that a person gives; without a reader, sentences are scored as rag.reading does it.
READERS: dict[str, Reader | None] = {"bundled": BUNDLED, "none": None}


class _Heads:
    """The linear maps above the layers."""

    def __init__(self, weights: "Weights") -> None:
        self._maps = {name: (weights.read(f"{name}.weight"), weights.read(f"{name}.bias")) for name in
                      ("span", "answers", "supports")}  # fmt: skip

    def reading(self, window: Window, hidden: Scores) -> Reading:
        """Of a window's (pieces, dim) states."""
        spans = self._apply("span", hidden)
        text = spans[window.begin : window.begin + len(window.offsets)]
        return Reading(self._of_first("answers", hidden), float(spans[0].sum()), text[:, 0], text[:, 1], window.offsets)

    def supports(self, hidden: Scores) -> float:
        return self._of_first("supports", hidden)

    def _of_first(self, name: str, hidden: Scores) -> float:
        return float(self._apply(name, hidden[0])[0])

    def _apply(self, name: str, hidden: Scores) -> Scores:
        matrix, bias = self._maps[name]
        mapped: Scores = hidden @ matrix.T + bias
        return mapped


def _forward(session: "onnxruntime.InferenceSession", made: Sequence[Window]) -> list[Scores]:
    """The (pieces, dim) states of each window, each by itself: what is quantised as it comes depends on nothing
    beside it, and nothing is padding.
    """

    def states(window: Window) -> Scores:
        length = len(window.ids)
        feed = {
            "ids": np.array([window.ids], dtype=np.int64),
            "positions": np.arange(length)[None],
        }
        (hidden,) = session.run(["hidden"], feed)
        found: Scores = hidden[0]
        return found

    with ThreadPoolExecutor(cores()) as pool:
        # The longest first, so that no core is left alone with one at the end.
        order = sorted(range(len(made)), key=lambda at: -len(made[at].ids))
        found = dict(zip(order, pool.map(states, [made[at] for at in order]), strict=True))
    return [found[at] for at in range(len(made))]
