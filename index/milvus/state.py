"""What a generation in Milvus is made of, and the switch from one to the next.

A state is a note in the control collection, under its epoch and generation; the highest is the current one. Rows are
written first and its note last, so readers see the old state or the new one, whatever happens between. Rows that no
state shows are nobody's: those of a run that was cut off.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import DamagedIndex, NoIndex, OtherIndex
from ..manifest import Manifest
from .notes import delete_notes, json_note, note_names, read_notes
from .server import Server

FORMAT = 1
# States kept: the current one, and some before it for readers that have just asked for it.
_KEPT = 3
_KIND = "state"


@dataclass(frozen=True, slots=True)
class State:
    """`epoch` counts the writers, each its own; `collection` holds the passages. Readers see the files with numbers in
    the ranges `visible`, [begin, end), that are not in `dead`, (number, seconds since 1970 when it died). `terms` names
    the notes whose sum is in how many passages each term is, with their sizes; `length` counts the terms of passages.
    `retired` are collections that a rebuilt index has left, with the number below which its files were, and when.
    `swept` are the files that were deleted last, which the generation `cleared[0]` was the first to do without, as
    `cleared[1]` was the first without those that were deleted before.
    """

    manifest: Manifest
    epoch: int
    collection: str
    visible: tuple[tuple[int, int], ...] = ()
    dead: tuple[tuple[int, float], ...] = ()
    terms: tuple[tuple[str, int], ...] = ()
    length: int = 0
    languages: tuple[tuple[str, int], ...] = ()
    retired: tuple[tuple[str, int, float], ...] = ()
    swept: tuple[int, ...] = ()
    cleared: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return f"state/{self.epoch:010}/{self.manifest.generation:010}"

    @property
    def next_file(self) -> int:
        return max((end for _, end in self.visible), default=0)

    @property
    def passages(self) -> int:
        return sum(count for _, count in self.languages)

    @property
    def shown(self) -> "Shown":
        """The numbers of the living files."""
        return Shown(self.visible, frozenset(file for file, _ in self.dead))

    @property
    def filter(self) -> str:
        """What the server is told of it: an expression over `file`."""
        seen = " or ".join(f"(file >= {begin} and file < {end})" for begin, end in self.visible) or "file < 0"
        dead = f" and file not in {[file for file, _ in self.dead]}" if self.dead else ""
        return f"({seen}){dead}"


@dataclass(frozen=True, slots=True)
class Shown:
    """Numbers in ranges but for some; `in` tells of one whether it is there."""

    ranges: tuple[tuple[int, int], ...]
    without: frozenset[int]

    def __contains__(self, file: int) -> bool:
        return file not in self.without and any(begin <= file < end for begin, end in self.ranges)


class States:
    """The states in a control collection."""

    def __init__(self, server: Server, collection: str, name: str) -> None:
        self._server = server
        self.collection = collection
        self._name = name

    def names(self) -> list[str]:
        """Oldest first. None if nothing was ever committed."""
        if not self._server.call("has_collection", self.collection):
            return []
        return sorted(note_names(self._server, self.collection, _KIND))

    def read(self) -> State:
        """The current one. Raises NoIndex, DamagedIndex, OtherIndex."""
        for _ in range(3):  # one that was swept between the two looks is none to read
            names = self.names()
            if not names:
                raise NoIndex(f"no index at {self._name}: make one with  footnoted index --store {self._name} PATH")
            if found := read_notes(self._server, self.collection, names[-1:]):
                return self._state(found[names[-1]])
        raise DamagedIndex(f"{self._name}: the rows of {names[-1]} are not whole")

    def _state(self, value: bytes) -> State:
        try:
            kept: dict[str, Any] = json.loads(value)
            made = kept.pop("format")
            if made == FORMAT:
                return _state(kept)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DamagedIndex(f"{self._name}: its state is none") from None
        raise OtherIndex(
            f"the index at {self._name} has format {made}, this version reads {FORMAT}: "
            "rebuild it with  footnoted index --rebuild PATH"
        )

    def write(self, state: State, after: str) -> bool:
        """Make it the current one, next to the state of the name `after`; whether it is. It is not, and is withdrawn,
        if somebody else has written one: a later writer, or one before us that was suspended and has just gone on.
        """
        kept = asdict(state)
        kept["manifest"].pop("segments")
        self._server.upsert(self.collection, json_note(_KIND, state.name, {"format": FORMAT, **kept}), size=1)
        names = self.names()
        if names[-1:] == [state.name] and names[-2:-1] in ([], [after]):
            return True
        delete_notes(self._server, self.collection, _KIND, [state.name])
        return False

    def kept(self) -> list[State]:
        """All that are there, oldest first."""
        states = []
        for name in self.names():
            with suppress(DamagedIndex, OtherIndex):  # one that a rebuilt index has left behind
                states += [self._state(value) for value in read_notes(self._server, self.collection, [name]).values()]
        return states

    def sweep(self) -> None:
        """Delete the older ones."""
        delete_notes(self._server, self.collection, _KIND, self.names()[:-_KEPT])


def _state(kept: dict[str, Any]) -> State:
    """The state that JSON stands for. Raises one of a few errors if it does not stand for one."""
    manifest = kept.pop("manifest")
    for name in ("roots", "removed", "segments"):
        manifest[name] = tuple(manifest.get(name, ()))
    for name in ("visible", "dead", "terms", "languages", "retired"):
        kept[name] = tuple(tuple(pair) for pair in kept[name])
    kept["swept"], kept["cleared"] = tuple(kept["swept"]), tuple(kept["cleared"])
    return State(Manifest(**manifest), **kept)
