"""A worker of a Ray cluster: files are read, cut and embedded where it runs. Nothing of Ray is imported here.

Whatever goes wrong becomes a row of an answer, since an error would end the whole job. What ends the process cannot be
caught: Ray starts another and gives it the same part, without end. So it is counted outside how often a part was begun
(`Attempts`), and a part that was begun before is read file by file, alone in its process, until the file that kills is
known.
"""

import hashlib
import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Semaphore
from typing import Any

import numpy as np

from ..batch import Batch
from ..chunking import ChunkSettings
from ..contents import FileRecord
from ..cores import at_most
from ..embedders import load_embedder
from ..embedding import Embedder
from ..errors import DocumentError, FootnotedError, SkippedFile
from ..fingerprint import check_probe
from ..loading import Problem
from ..manifest import Manifest
from ..reading import read
from ..store import Content, Made
from .parcel import (
    FAILED,
    GIVEN_BACK,
    LOST,
    READ,
    SKIPPED,
    UNSEEN,
    Answer,
    Order,
    Outcome,
    pack_answer,
    unpack_part,
)  # fmt: skip

# Processes that a file may cost.
TRIES = 3
# Parts in hand at once: while one is embedded the next is read.
AT_ONCE = 2
# Passages of a part, all of which are held at once: of a longer file the update takes piece after piece.
MOST = 16_384


def code() -> str:
    """Names what this package does: the same on two machines only if every source file is."""
    here = Path(__file__).parents[1]
    sources = sorted(here.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


class Attempts:
    """How often each thing was begun and not ended. It lives where the update runs, and outlives the workers."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def begin(self, what: str) -> int:
        """How often before."""
        self._begun[what] += 1
        return self._begun[what] - 1

    def begun(self, what: str) -> int:
        return self._begun[what]

    def end(self, what: str) -> None:
        """It did no harm: its count begins again."""
        del self._begun[what]


class _Nothing:
    """A worker knows of no vectors but its own."""

    def holds(self, sha256: str) -> bool:
        return False

    def made(self, wanted: Mapping[Content, str | None]) -> dict[Content, Made]:
        return {}


class Worker:
    """One in a process. `setup` is what cluster.py says to all of them, `attempts` what they share."""

    def __init__(self, setup: Mapping[str, Any], attempts: Attempts) -> None:
        os.environ.update(setup["environment"])
        self._attempts = attempts
        self._settings = ChunkSettings(*setup["settings"])
        self._places, self._alone, self._reading = Semaphore(AT_ONCE), Lock(), Lock()
        self._broken = ""
        try:
            at_most(setup["processors"])
            self._embedder: Embedder = load_embedder(setup["model"])
            if code() != setup["code"]:
                self._broken = "another version of Footnoted is installed there: the same is needed on every machine"
            else:
                made = Manifest(0, setup["model"], self._embedder.dimension, setup["probe"], {}, ())
                check_probe(self._embedder, made)
        except Exception as error:
            self._broken = _line(error)

    def __call__(self, rows: Mapping[str, Any]) -> dict[str, Any]:
        column = np.empty(len(rows["part"]), object)
        column[:] = [pack_answer(self._answer(*unpack_part(part))) for part in rows["part"]]
        return {"answer": column}

    def _answer(self, number: int, orders: list[Order]) -> Answer:
        if self._broken:
            return Answer(number, broken=f"{self._broken} ({socket.gethostname()})")
        careful = self._attempts.begun(f"{number}") > 0
        with self._room(careful):
            self._attempts.begin(f"{number}")
            if not careful:
                with suppress(Exception, SystemExit):  # by which file, is seen when each is read by itself
                    return self._read(number, orders)
            alone = [self._one(number, place, order) for place, order in enumerate(orders)]
        outcomes = tuple(outcome for answer in alone for outcome in answer.outcomes)
        return Answer(number, outcomes, sum(one.embedded for one in alone), sum(one.reused for one in alone))

    @contextmanager
    def _room(self, alone: bool) -> Iterator[None]:
        """A place among the parts in hand, or all of them."""
        places = AT_ONCE if alone else 1
        if alone:
            self._alone.acquire()
        for _ in range(places):
            self._places.acquire()
        try:
            yield
        finally:
            self._places.release(places)
            if alone:
                self._alone.release()

    def _one(self, number: int, place: int, order: Order) -> Answer:
        """A file of a part that was begun before, by itself."""
        name = f"{number}/{place}"
        if self._attempts.begin(name) >= TRIES - 1:
            return Answer(number, (Outcome(order.path, LOST, f"its worker died each of {TRIES} times"),))
        try:
            answer = self._read(number, [order])
        except (Exception, SystemExit) as error:
            answer = Answer(number, (Outcome(order.path, LOST, f"could not be embedded: {_line(error)}"),))
        self._attempts.end(name)
        return answer

    def _read(self, number: int, orders: list[Order]) -> Answer:
        batch = Batch(self._embedder, _Nothing())
        try:
            outcomes = [self._outcome(order, batch) for order in orders]
            made = iter(batch.take(lambda: None))
        finally:
            batch.close()
        whole = [
            Outcome(one.path, READ, problems=one.problems, read=[(document, list(inside)) for document, inside in kept])
            if one.status == READ and (kept := next(made)[1]) is not None
            else one
            for one in outcomes
        ]
        return Answer(number, tuple(whole), batch.embedded, batch.reused)

    def _outcome(self, order: Order, batch: Batch) -> Outcome:
        """What a file is; its passages wait in the batch."""
        path, problems = Path(order.path), list[Problem]()
        status, reason, documents, cut = READ, "", [], 0
        try:
            with self._reading:  # tokenizers of some models cannot be used by two threads at once
                for document, passages in read(path, order.source, self._settings, self._embedder, problems):
                    documents.append((document, passages))
                    cut += len(passages)
                    if batch.held + cut > MOST:
                        return Outcome(order.path, GIVEN_BACK)
            if not cut:
                raise SkippedFile(problems[0].reason if problems else "no text in it")
        except DocumentError as error:
            status, reason = SKIPPED if isinstance(error, SkippedFile) else FAILED, str(error)
        try:
            with path.open("rb") as file:  # after it was read: so what was read is what was ordered
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return Outcome(order.path, UNSEEN, f"{socket.gethostname()}: {(error.strerror or 'input error').lower()}")
        if digest != order.sha256:
            return Outcome(order.path, GIVEN_BACK)
        if status == READ:
            batch.add(FileRecord(order.path, order.source, 0, 0, digest, "added"), documents)
        return Outcome(order.path, status, reason, tuple(problems))


def _line(error: BaseException) -> str:
    text = str(error).strip()
    if isinstance(error, FootnotedError):
        return text
    return f"{type(error).__name__}: {text.splitlines()[0][:300]}" if text else type(error).__name__
