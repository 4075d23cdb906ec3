"""What the scripts of this folder share: documents that change, a look at an index, and faults.

`Tap` sees every change that this process makes below a folder just before it happens, whatever part
of the code makes it, and can raise or kill there. `outcome` says what opening a folder gives. `Bar`
is what a script asks for, and what was reached.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import faiss

from benchmarks.recording import record
from index.errors import FootnotedError, NoIndex
from index.index import Index
from index.indexing import update
from index.manifest import CURRENT, MANIFESTS

_ROOT = Path(__file__).parents[2]
_TESTS = _ROOT / "tests"

# For commands: they run this clone, whatever is installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_ROOT)}


def of_tests(name: str) -> Any:
    """A module of the tests: read from its file, since they are no package."""
    spec = importlib.util.spec_from_file_location(f"footnoted_tests_{name}", _TESTS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Counts words.
WordEmbedder = of_tests("conftest").WordEmbedder


# Documents that change


def document(number: int, version: int) -> str:
    """A text with words of its own: `own7` in every version, `own7v2` in the second only."""
    lines = [
        f"Document own{number} is in version own{number}v{version} today.",
        f"It weighs {number * 7 + version} grams and was seen {version} times.",
        f"Number {number} stands beside number {number + 1}, {'and ' * (version % 5)}so it was written.",
    ]
    return "\n\n".join(lines) + "\n"


def change(folder: Path, chance: random.Random) -> None:
    """Add, update or delete a few of at most a dozen documents."""
    folder.mkdir(exist_ok=True)
    for _ in range(chance.randint(1, 3)):
        path = folder / f"d{(number := chance.randrange(12)):02}.txt"
        if path.exists() and chance.random() < 0.3:
            path.unlink()
        else:
            path.write_text(document(number, chance.randrange(1000)))


def wanted(folder: Path) -> dict[str, str]:
    """What an index of the folder must hold: source to the hash of its text."""
    texts = {path.name: path.read_text().strip() for path in folder.glob("*.txt")} if folder.is_dir() else {}
    return {source: _hash(text) for source, text in sorted(texts.items()) if text}


def bring_up(at: Path, docs: Path) -> Any:
    """An update with the words' embedder; its report."""
    return update(at, [docs], embedder=WordEmbedder())


# A look at an index


def held(index: Index) -> dict[str, str]:
    """Source to the hash of its text, as `wanted`; raises AssertionError if the index contradicts itself."""
    found = {}
    rows = []
    for source, _, size, passages in index.sources():
        text = index.document(source).text
        assert len(text) == size, f"{source}: {len(text)} characters, {size} counted"
        mine = index.rows_of(source)
        assert len(mine) == passages, f"{source}: {len(mine)} rows, {passages} counted"
        for row in mine:
            passage = index.passage(row)
            assert passage.source == source, f"row {row} is of {passage.source}, not {source}"
            assert text[passage.start : passage.end] == passage.text, f"{source}: a passage is not in its text"
        rows += mine
        found[source] = _hash(text.strip())
    assert len(rows) == index.passages, f"{len(rows)} rows of documents, {index.passages} passages"
    got = index.candidates("document number own1 own2 own3 seen", index.passages + 1)
    assert {one.row for one in got.dense} == set(rows), "the vectors are not those of the passages"
    assert {one.row for one in got.lexical} <= set(rows), "a word is found in a dead passage"
    return found


def contents(index: Index) -> dict[str, Any]:
    """All that an index holds and answers, whatever its segments: equal for indexes of the same files."""
    held(index)
    values: dict[str, Any] = {}
    for source, title, _, _ in index.sources():
        passages = []
        for row in index.rows_of(source):
            passage = index.passage(row)
            vectors = index.sentence_vectors(row).round(4).tolist()
            passages.append((passage.id, passage.start, passage.end, passage.heading, passage.sentences, vectors))
        values[source] = (title, index.document(source).text, passages)
    answers = []
    for query in ("document own3", "it was seen 7 times", "grams beside number own5v2"):
        got = index.candidates(query, index.passages + 1)
        for kind in (got.dense, got.lexical):
            answers.append(sorted((index.passage(one.row).id, round(one.score, 4)) for one in kind))
    return {"documents": values, "answers": answers}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What opening a folder gave: `kind` is "opened", "fallback" (an older generation, announced), "none"
    (no index there), "refused" (one line of ours), "wrong" (it contradicts itself) or "crashed".
    """

    kind: str
    holds: dict[str, str] | None = None
    line: str = ""


def outcome(at: Path) -> Outcome:
    """Open the index and read all of it."""
    try:
        index = Index.open(at, embedder=WordEmbedder())
        return Outcome("fallback" if index.notice else "opened", held(index), index.notice)
    except NoIndex as error:
        return Outcome("none", None, str(error))
    except FootnotedError as error:
        return Outcome("refused", None, str(error))
    except AssertionError as error:
        return Outcome("wrong", None, str(error))
    except Exception:
        return Outcome("crashed", None, traceback.format_exc(limit=-3))


def current_manifest(at: Path) -> Path:
    """The file of the current generation's manifest; the newest one where CURRENT is spoilt."""
    newest = sorted((at / MANIFESTS).glob("*.json"))[-1]
    words = (at / CURRENT).read_bytes().decode("ascii", "replace").split()
    names = {path.name for path in newest.parent.iterdir()}
    return newest.with_name(words[0]) if words and words[0] in names else newest


def put_manifest(at: Path, content: bytes) -> bytes:
    """Make `content` the current manifest, with a name and a sum that are right; what CURRENT holds then."""
    digest = hashlib.sha256(content).hexdigest()
    name = f"00000009-{digest[:16]}.json"
    (at / MANIFESTS / name).write_bytes(content)
    pointer = f"{name} {digest}\n".encode()
    (at / CURRENT).write_bytes(pointer)
    return pointer


# Faults


@dataclass(frozen=True, slots=True)
class Event:
    """A change about to be made: "open" (for writing), "fsync", "rename", "mkdir", "remove", "rmdir",
    "database", "vectors"; `other` is the new name of a rename. Or, if asked for, "read": a file is opened.
    """

    kind: str
    path: Path
    other: Path | None = None

    @property
    def name(self) -> str:
        """Without what differs from commit to commit."""
        path = self.other or self.path
        parent = path.parent.name
        if path.suffix == ".json":
            return f"{self.kind} manifest"
        return f"{self.kind} {'segment' if parent == 'segments' else path.name}"


Listener = Callable[[Event], None]
_listening: tuple[Path, Listener, bool] | None = None


def _place(path: object, descriptor: int = -1) -> Path:
    if isinstance(path, int):
        return Path(f"/proc/self/fd/{path}").readlink()
    place = Path(os.fsdecode(path))  # type: ignore[arg-type]
    if descriptor >= 0 and not place.is_absolute():
        return Path(f"/proc/self/fd/{descriptor}").readlink() / place
    return place.absolute()


def _tell(event: Event) -> None:
    global _listening
    if _listening is None:
        return
    below, listener, reads = _listening
    if event.kind == "read" and not reads:
        return
    # The lock and its pid lie outside what is committed.
    if event.path.is_relative_to(below) and event.path.name != "lock":
        kept, _listening = _listening, None  # what the listener does is no event
        try:
            listener(event)
        finally:
            _listening = kept


def _audit(name: str, values: tuple[Any, ...]) -> None:
    if _listening is None:
        return
    if name == "open":
        path, _, flags = values
        if isinstance(flags, int) and not isinstance(path, int):
            _tell(Event("open" if flags & (os.O_WRONLY | os.O_RDWR) else "read", _place(path)))
    elif name == "os.rename":
        _tell(Event("rename", _place(values[0]), _place(values[1])))
    elif name in ("os.mkdir", "os.remove", "os.rmdir"):
        _tell(Event(name.removeprefix("os."), _place(values[0], values[-1])))
    elif name == "sqlite3.connect":
        read = str(values[0]).startswith("file:")
        place = unquote(urlsplit(values[0]).path) if read else values[0]
        _tell(Event("read" if read else "database", _place(place)))


class Tap:
    """While open, `listener` is called before each change (with `reads` also each opening of a file)
    below the folder; what it raises is what the change gives.
    """

    _hooked = False

    def __init__(self, below: Path, listener: Listener, *, reads: bool = False) -> None:
        self.target = (below.absolute(), listener, reads)

    def __enter__(self) -> "Tap":
        global _listening
        if not Tap._hooked:  # an audit hook cannot be taken out again
            sys.addaudithook(_audit)
            Tap._hooked = True
        self.fsync, self.write_index = os.fsync, faiss.write_index

        def fsync(descriptor: int) -> None:
            _tell(Event("fsync", _place(descriptor)))
            self.fsync(descriptor)

        def write_index(vectors: Any, path: str) -> None:
            _tell(Event("vectors", _place(path)))
            self.write_index(vectors, path)

        os.fsync, faiss.write_index = fsync, write_index
        _listening = self.target
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        global _listening
        _listening = None
        os.fsync, faiss.write_index = self.fsync, self.write_index


class Child:
    """A forked process that does `work(say)`; what it says is in `lines`, as far as it came."""

    def __init__(self, work: Callable[[Callable[[str], None]], None]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            status = 1
            with contextlib.suppress(BaseException):
                # A kill may come at any byte: a line counts once its end is there.
                work(lambda line: void(os.write(write, f"{line}\n".encode())))
                status = 0
            os._exit(status)
        os.close(write)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> tuple[int, list[str]]:
        """(exit status or minus the signal, lines)."""
        with os.fdopen(self._read, "rb") as pipe:
            said = pipe.read().decode()
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status), said.split("\n")[:-1]


def void(_: object) -> None:
    """For a call whose result is of no use in a lambda."""


def in_child(work: Callable[[], Any]) -> Any:
    """The JSON value of `work()`, done in a fork; None if the process did not survive it."""
    status, lines = Child(lambda say: say(json.dumps(work()))).wait()
    return json.loads(lines[0]) if status == 0 and lines else None


# What is asked and what was reached


@dataclass(slots=True)
class Bar:
    """Figures with what was asked of them: `check` notes one, `done` prints and records all."""

    name: str
    figures: dict[str, Any]
    missed: list[str]

    @classmethod
    def named(cls, name: str) -> "Bar":
        return cls(name, {}, [])

    def check(self, name: str, reached: Any, asked: Any, *, least: bool = False) -> None:
        """`reached` must be at most `asked`, or with `least` at least."""
        self.figures[name] = {"asked": f"{'>=' if least else '<='} {asked}", "reached": reached}
        if not (reached >= asked if least else reached <= asked):
            self.missed.append(f"{name}: asked {'>=' if least else '<='} {asked}, reached {reached}")

    def note(self, name: str, value: Any) -> None:
        self.figures[name] = value


@contextlib.contextmanager
def measured(
    name: str, runs: int, about: str | None, *, data: bool = False
) -> Iterator[tuple[argparse.Namespace, Path, Bar]]:
    """The frame of a script: its options (with `data` the folder of the data too), a folder that goes afterwards, and
    the bar to fill.

    Prints asked and reached, writes benchmarks/results/NAME.json, exits 1 if the bar is missed.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--runs", type=int, default=runs)
    parser.add_argument("--seed", type=int, default=1)
    if data:
        parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    bar = Bar.named(name)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        yield options, Path(folder), bar
    bar.note("seconds", round(time.perf_counter() - started, 1))
    for label, value in bar.figures.items():
        if isinstance(value, dict) and "asked" in value:
            print(f"{label}: asked {value['asked']}, reached {value['reached']}")
        else:
            print(f"{label}: {value}")
    record(name, {"runs": options.runs, "seed": options.seed, **bar.figures, "met": not bar.missed})
    for line in bar.missed:
        print(f"MISSED {line}", file=sys.stderr)
    if bar.missed:
        sys.exit(1)
