"""Answers with footnotes: a question to the sentences that answer it, each with its exact place.

from rag import answer

print(answer("What does the contract say about notice?", index=".footnoted").text)
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from .answers import Answer, Citation, Hit
from .reader import BUNDLED, Reader
from .system import System

__all__ = ["Answer", "Citation", "Hit", "System", "answer", "load"]

_loaded: dict[Path, System] = {}
_loading = Lock()


def load(index: Path | str = ".footnoted", *, reader: Reader | None = BUNDLED) -> System:
    """The system over the index folder `index`, to be asked many questions.

    `reader` reads the first passages again; None does without.
    Raises NoIndex, DamagedIndex, OtherIndex or ModelError, each with one line that says what to do.
    """
    return System.open(index, reader=reader)


def answer(
    question: str,
    *,
    index: Path | str = ".footnoted",
    threshold: float | None = None,
    history: Sequence[str] = (),
    sources: Sequence[str] | None = None,
) -> Answer:
    """Answer a question from the index folder `index`; what is loaded is kept for the next question.

    `history` holds the earlier questions of the conversation, the latest last; `sources` are the documents that are
    asked (default: all; "papers/" means the folder).
    """
    at = Path(index).absolute()
    with _loading:
        if at not in _loaded:
            _loaded[at] = load(at)
    return _loaded[at].answer(question, threshold=threshold, history=history, sources=sources)
