"""Power cuts during a commit: what was not synced is dropped, torn or applied out of order.

python -m benchmarks.reliability.power_loss --runs 1000

Every change of a commit is recorded, and what the disk may hold after a cut at each of them is made
and opened. The rules are harsher than those of most file systems. A file's bytes are safe when it was
synced after they were written; before that it may hold nothing, a part, zeros, or all. A name is safe
when its folder was synced after the name was made, changed or removed; before that each such step may
have happened or not, in any order; a rename happens whole. After the update has returned, only what it
acknowledged will do. The same is run on commits that were spoilt on purpose, each of which must fail.
"""

import contextlib
import os
import random
import shutil
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from benchmarks.reliability.faults import Bar, Event, Tap, bring_up, change, measured, outcome, wanted

_PAGE = 4096


@dataclass(slots=True)
class Inode:
    """A file: what it holds, and what of that a power cut leaves."""

    written: bytes
    synced: bytes = b""


Entry = tuple[Path, Inode | None]  # a name and its file; a folder is None


@dataclass(slots=True)
class Step:
    """A change of names that may not have reached the disk: what went and what came, at once."""

    gone: tuple[Path, ...]
    came: tuple[Entry, ...]


@dataclass(slots=True)
class Disk:
    """What a folder holds (`live`), what would survive (`safe`), and the steps between the two."""

    root: Path
    live: dict[Path, Inode | None] = field(default_factory=dict)
    safe: dict[Path, Inode | None] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def look(self) -> None:
        """Take note of what was written since: SQLite and FAISS write without telling Python."""
        for path in sorted(self.root.rglob("*")) if self.root.exists() else ():
            if path.name == "lock":
                continue
            if path.is_dir():
                if path not in self.live:
                    self._step(Step((), ((path, None),)))
                continue
            content = path.read_bytes()
            inode = self.live.get(path)
            if inode is None:
                self._step(Step((), ((path, Inode(content)),)))
            else:
                inode.written = content

    def before(self, event: Event) -> None:
        """Follow a change that is about to be made."""
        self.look()
        if event.kind == "fsync":
            self._synced(event.path)
        elif event.kind == "rename" and event.other and event.path in self.live:
            self._step(Step((event.path,), ((event.other, self.live[event.path]),)))
        elif event.kind in ("remove", "rmdir") and event.path in self.live:
            self._step(Step((event.path,), ()))

    def _step(self, step: Step) -> None:
        self.steps.append(step)
        _apply(self.live, step)

    def _synced(self, path: Path) -> None:
        if path.is_dir():
            names = lambda step: [*step.gone, *(name for name, _ in step.came)]  # noqa: E731
            for step in self.steps:
                if any(name.parent == path for name in names(step)):
                    _apply(self.safe, step)
            self.steps = [step for step in self.steps if not any(name.parent == path for name in names(step))]
        elif inode := self.live.get(path):
            inode.synced = inode.written

    def settle(self) -> None:
        """Everything reaches the disk, as it does some time after a commit."""
        self.look()
        for inode in self.live.values():
            if inode:
                inode.synced = inode.written
        self.safe, self.steps = dict(self.live), []

    def after_a_cut(self, chance: random.Random) -> dict[Path, bytes | None]:
        """One of the states that the disk may be in now."""
        names = dict(self.safe)
        likely = chance.choice((0.0, 0.5, 1.0))
        for step in self.steps:
            if chance.random() < likely:
                _apply(names, step)
        return {path: None if inode is None else _left_of(inode, chance) for path, inode in names.items()}


def _apply(names: dict[Path, Inode | None], step: Step) -> None:
    for path in step.gone:
        names.pop(path, None)
    names.update(step.came)


def _left_of(inode: Inode, chance: random.Random) -> bytes:
    if inode.written == inode.synced:
        return inode.synced
    kind = chance.choice(("old", "cut", "zeros", "pages", "new"))
    new = inode.written
    if kind == "old":
        return inode.synced
    if kind == "cut":
        return new[: chance.randrange(len(new) + 1)]
    if kind == "zeros":
        return bytes(len(new))
    if kind == "pages":
        pages = [new[first : first + _PAGE] for first in range(0, len(new), _PAGE)]
        return b"".join(page if chance.random() < 0.5 else bytes(len(page)) for page in pages)
    return new


def lay_out(state: dict[Path, bytes | None], root: Path, at: Path) -> None:
    """Write a state of `root` into the folder `at`; what lies in a folder that is not there is lost."""
    shutil.rmtree(at, ignore_errors=True)
    at.mkdir()
    for path, content in sorted(state.items()):
        place = at / path.relative_to(root)
        if not place.parent.is_dir():
            continue
        if content is None:
            place.mkdir()
        else:
            place.write_bytes(content)


def cut_power(folder: Path, runs: int, seed: int, bar: Bar) -> None:
    """Commits, each cut at every change, until `runs` states were opened."""
    chance = random.Random(seed)
    docs, at, replayed = folder / "docs", folder / "index", folder / "replayed"
    folder.mkdir(parents=True, exist_ok=True)
    disk = Disk(at)
    bad, seen = Counter[str](), Counter[str]()
    opened = commits = 0
    old: dict[str, str] | None = None
    while opened < runs:
        change(docs, chance)
        new = wanted(docs)
        states: list[tuple[str, dict[Path, bytes | None]]] = []

        def cut(event: Event, states: list[tuple[str, dict[Path, bytes | None]]] = states) -> None:
            disk.look()
            states.extend((event.name, disk.after_a_cut(chance)) for _ in range(2))
            disk.before(event)

        with Tap(at, cut):
            bring_up(at, docs)
        disk.look()
        states += [("acknowledged", disk.after_a_cut(chance)) for _ in range(10)]
        commits += 1
        for name, state in states:
            lay_out(state, at, replayed)
            got = outcome(replayed)
            opened += 1
            holds = got.holds if got.kind == "opened" else None if got.kind == "none" else {"": got.line or got.kind}
            seen["new" if holds == new else "old" if holds == old else "bad"] += 1
            if holds != new and (name == "acknowledged" or holds != old):
                bad["lost" if name == "acknowledged" else "neither"] += 1
                bar.figures.setdefault("first", f"cut at {name}: {got}")
            elif opened % 20 == 0:  # and the next update goes on from there
                bring_up(replayed, docs)
                bad["cannot go on"] += outcome(replayed).holds != new
        disk.settle()
        old = new
    bar.note("states", opened)
    bar.note("commits", commits)
    bar.note("opened as", dict(seen))
    bar.check("neither the old nor the new generation", bad["neither"], 0)
    bar.check("acknowledged and lost", bad["lost"], 0)
    bar.check("updates that could not go on", bad["cannot go on"], 0)


# Commits spoilt on purpose


def _is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def _in_place(self: Path, target: Path) -> Path:
    with Path(target).open("wb") as file:
        file.write(self.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    self.unlink()
    return Path(target)


class _Spoilt(Tap):
    """A tap that does not see some syncs, since they are not made."""

    keep: Callable[[int], bool]

    def __enter__(self) -> Tap:
        super().__enter__()
        told = os.fsync
        os.fsync = lambda descriptor: told(descriptor) if type(self).keep(descriptor) else None  # type: ignore[assignment]
        return self


def _without(keep: Callable[[int], bool]) -> contextlib.AbstractContextManager[object]:
    spoilt = type("Spoilt", (_Spoilt,), {"keep": staticmethod(keep)})
    return mock.patch(f"{__name__}.Tap", spoilt)


def _but(name: str) -> Callable[[int], bool]:
    """Every sync but that of one name; a segment's folder and the manifest have other names each time."""

    def keep(descriptor: int) -> bool:
        return Event("fsync", Path(f"/proc/self/fd/{descriptor}").readlink()).name != f"fsync {name}"

    return keep


MUTANTS: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
    "no sync of files": lambda: _without(_is_folder),
    "no sync of folders": lambda: _without(lambda descriptor: not _is_folder(descriptor)),
    "CURRENT written in place": lambda: mock.patch.object(Path, "replace", _in_place),
}


# Each sync left out alone.
SYNCED = (
    *("texts.sqlite", "vectors.faiss", "sentences.bin", "scales.bin", "languages.bin"),
    *("pointers.bin", "postings.bin", "lengths.bin"),
    *("segment", "segments", "manifest", "manifests", "CURRENT.tmp", "index"),
)
for _name in SYNCED:
    MUTANTS[f"no sync of {_name}"] = lambda name=_name: _without(_but(name))  # type: ignore[misc]


def spoil(name: str, folder: Path, runs: int, seed: int) -> bool:
    """Whether the spoilt commit was found out within `runs` states, looked at in parts."""
    found = Bar.named(name)
    with MUTANTS[name]():
        for part in range(5):
            cut_power(folder / str(part), runs // 5, seed + part, found)
            if found.missed:
                return True
    return False


def main() -> None:
    with measured("power_loss", 1000, __doc__) as (options, folder, bar):
        cut_power(folder / "sound", options.runs, options.seed, bar)
        for name in MUTANTS:
            found = spoil(name, folder / name, min(options.runs, 500), options.seed)
            bar.check(f"found out: {name}", int(found), 1, least=True)


if __name__ == "__main__":
    main()
