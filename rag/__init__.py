"""Answers with footnotes: a question to the sentences that answer it, each with its exact place.

from rag import answer

print(answer("What does the contract say about notice?", index=".footnoted").text)
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from index.stores import place

from .answers import Answer, Citation, Hit
from .generator import Generator, language_model
from .reader import BUNDLED, Reader
from .system import System

__all__ = ["Answer", "Citation", "Generator", "Hit", "System", "answer", "language_model", "load"]

_loaded: dict[tuple[Path, Generator | None], System] = {}
_loading = Lock()


def load(
    index: Path | str = ".footnoted", *, reader: Reader | None = BUNDLED, generator: Generator | None = None
) -> System:
    """The system over the index in the folder `index`, or at the address of a store, to be asked many questions.

    `reader` reads the first passages again; None does without. `generator`, as `language_model(url, model)` gives
    one, writes the answers, which are checked; None: they are quoted.
    Raises NoIndex, DamagedIndex, OtherIndex or ModelError, each with one line that says what to do.
    """
    return System.open(index, reader=reader, generator=generator)


def answer(
    question: str,
    *,
    index: Path | str = ".footnoted",
    threshold: float | None = None,
    history: Sequence[str] = (),
    sources: Sequence[str] | None = None,
    generator: Generator | None = None,
) -> Answer:
    """Answer a question from the index in the folder `index`, or at the address of a store; what is loaded is kept for
    the next question.

    `history` holds the earlier questions of the conversation, the latest last; `sources` are the documents that are
    asked (default: all; "papers/" means the folder); `generator` as in `load`.
    """
    key = place(index).absolute(), generator
    with _loading:
        if key not in _loaded:
            _loaded[key] = load(key[0], generator=generator)
    return _loaded[key].answer(question, threshold=threshold, history=history, sources=sources)
