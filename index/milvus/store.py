"""An index in collections of a Milvus server, which several machines may ask while one of them writes.

NAME holds states and claims (state.py, claim.py), NAME_notes documents, files and counts (notes.py), NAME_pN the
passages, which are searched (schema.py).
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ..errors import DamagedIndex, OtherIndex
from ..locking import writing
from ..manifest import Manifest
from .address import Address
from .catalogue import Catalogue
from .claim import Claim
from .generation import MilvusGeneration
from .notes import read_notes
from .rows import BITS, Entry, document_of, long_names, text_name
from .schema import create_notes
from .server import Server
from .state import State, States
from .statistics import Terms
from .writer import MilvusWriter

# A reader whose generation is swept away while it is opened tries again.
_ATTEMPTS = 5


class MilvusStore:
    """As `Store` in store.py; `folder` is the index on this machine that stands for it."""

    def __init__(self, folder: Path, address: str) -> None:
        where = Address.parse(address)
        self.folder = folder
        self.name = address
        self._server = Server(where)
        self._control = where.collection
        self._notes = f"{where.collection}_notes"
        self._states = States(self._server, where.collection, address)
        self._catalogue = Catalogue(self._server, self._notes)
        self._terms: dict[str, Terms] = {}

    def exists(self) -> bool:
        return bool(self._states.names())

    def pointer(self) -> bytes:
        names = self._states.names()
        return names[-1].encode() if names else b""

    def manifest(self) -> Manifest:
        return self._states.read().manifest

    def newest(self) -> MilvusGeneration:
        for attempt in range(_ATTEMPTS):
            pointer = self.pointer()
            state = self._states.read()
            try:
                terms = self._terms_of(state)
                break
            except DamagedIndex:
                if attempt + 1 == _ATTEMPTS or self.pointer() == pointer:
                    raise
        return MilvusGeneration(self._server, self.name, self._notes, state, self._catalogue, terms)

    def _terms_of(self, state: State) -> Terms:
        """In how many passages each term is; each note is read once."""
        names = [name for name, _ in state.terms]
        missing = [name for name in names if name not in self._terms]
        kept = read_notes(self._server, self._notes, missing)
        if len(kept) < len(missing):
            raise DamagedIndex(f"{self.name}: the counts of terms of generation {state.manifest.generation} are gone")
        known = {**self._terms, **{name: Terms.from_bytes(value) for name, value in kept.items()}}
        self._terms = {name: known[name] for name in names}
        total = Terms.none()
        for name in names:
            total = total.plus(self._terms[name])
        return total

    @contextmanager
    def writing(self, *, rebuild: bool = False) -> Iterator[tuple[MilvusWriter, Manifest | None]]:
        with writing(self.folder):
            with ThreadPoolExecutor(2) as both:  # a server takes seconds for each
                list(both.map(partial(create_notes, self._server), (self._control, self._notes)))
            claim = Claim(self._server, self._control, self.name)
            names = self._states.names()
            orderly = claim.take(int(names[-1].split("/")[1]) if names else 0)
            try:
                previous = self._previous(rebuild)
                after = previous.name if previous else next(reversed(self._states.names()), "")
                writer = MilvusWriter(
                    self._server, self._states, claim, self._catalogue, self._notes, previous, after, orderly
                )
                yield writer, previous.manifest if previous else None
            finally:
                claim.release()

    def _previous(self, rebuild: bool) -> State | None:
        try:
            return self._states.read() if self._states.names() else None
        except (DamagedIndex, OtherIndex):
            if not rebuild:
                raise
            return None

    def verify(self) -> list[str]:
        """Every file's rows are counted, and every document and passage is compared with what was written."""
        state = self._states.read()
        problems = []
        shown = 0
        for entry in self._catalogue.of(state):
            problems += self._problems(state, entry)
            shown += entry.passages
        if shown != state.passages:
            problems.append(f"{self.name}: {state.passages:,} passages were committed, the files have {shown:,}")
        try:
            self._terms_of(state)
        except DamagedIndex as error:
            problems.append(str(error))
        return problems

    def _whole(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those of the notes that are there; a damaged one is empty."""
        try:
            return read_notes(self._server, self._notes, names)
        except DamagedIndex:
            if len(names) == 1:
                return {names[0]: b""}
            halves = names[: len(names) // 2], names[len(names) // 2 :]
            return {name: value for half in halves for name, value in self._whole(half).items()}

    def _problems(self, state: State, entry: Entry) -> list[str]:
        names = [text_name(entry.file, number) for number in range(len(entry.documents))]
        texts: dict[int, str] = {}
        problems = []
        kept = self._whole(names)
        for number, (name, listed) in enumerate(zip(names, entry.documents, strict=True)):
            try:
                text = document_of(kept[name]).text
                state_of = "" if hashlib.sha256(text.encode()).hexdigest() == listed.sha256 else "another"
                texts[number] = text
            except DamagedIndex:
                state_of = "damaged"
            except KeyError:
                state_of = "gone"
            if state_of:
                problems.append(f"{self.name}: the text of {listed.source} is {state_of}")
        count = 0
        named = {number: one.source for number, one in enumerate(entry.documents)}
        for at in range(0, entry.passages, 4096):
            first = entry.file << BITS | at
            condition = f"row >= {first} and row < {first + min(4096, entry.passages - at)}"
            fields = ["row", "document", "start", "end", "text"]
            for row in self._server.query(state.collection, condition, fields):
                count += 1
                text = texts.get(row["document"], "")
                if text and row["text"] != text[row["start"] : row["end"]] and not long_names(row):
                    problems.append(f"{self.name}: a passage of {named[row['document']]} is another")
        if count != entry.passages:
            problems.append(f"{self.name}: {entry.record.source} has {count:,} of {entry.passages:,} passages")
        return problems
