"""What every test may use: no network, a cache of its own, and an embedder that can be computed by hand."""

import ipaddress
import json
import os
import re
import select
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings

from index.embedding import Vectors, unit
from rag.reader import BUNDLED
from rag.rereading import read_again

settings.register_profile("footnoted", deadline=None, derandomize=True)
settings.load_profile("footnoted")

SHARED = Path(__file__).parents[2] / "shared" / "data"


class NetworkBlocked(AssertionError):
    """Raised when a test reaches for a machine other than this one."""


def _stays_here(family: int, address: object) -> bool:
    if family == socket.AF_UNIX:
        return True
    host = address[0] if isinstance(address, tuple) else str(address)
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(method: str) -> Callable[..., object]:
        real = getattr(socket.socket, method)

        def connect(self: socket.socket, address: object) -> object:
            if not _stays_here(self.family, address):
                raise NetworkBlocked(f"a test tried to reach {address!r}")
            return real(self, address)

        return connect

    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, guarded(method))


@pytest.fixture(autouse=True)
def _own_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache folder of its own for each test but those with the model, whose check of 90 MB is kept there."""
    if request.node.get_closest_marker("model") is None:
        cache = tmp_path_factory.mktemp("cache")
        request.getfixturevalue("monkeypatch").setenv("FOOTNOTED_CACHE", str(cache))


@pytest.fixture(autouse=True)
def _no_bundled_reader(request: pytest.FixtureRequest) -> None:
    """The bundled reader is a model: it reads only in tests that say so."""
    if request.node.get_closest_marker("model") is None:

        def unless_bundled(reader: object, *given: object) -> object:
            return given[2:] if reader is BUNDLED else read_again(reader, *given)  # type: ignore[arg-type]

        request.getfixturevalue("monkeypatch").setattr("rag.system.read_again", unless_bundled)


class WordEmbedder:
    """Counts words: each adds 1 to the dimension that is the sum of its code points modulo `dimension`.

    Rows are unit; a text without words points along dimension 0. A word piece is a word between
    spaces. `asked` holds what was embedded, in order.
    """

    window = 40
    languages: frozenset[str] | None = None

    def __init__(self, name: str = "words", dimension: int = 16, shift: int = 0) -> None:
        self.name = name
        self.dimension = dimension
        self.shift = shift
        self.asked: list[str] = []

    def count_pieces(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[(sum(map(ord, word)) + self.shift) % self.dimension] += 1
            if not row.any():
                row[0] = 1
        return unit(rows)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_passages(texts)


class LateEmbedder(WordEmbedder):
    """A `WordEmbedder` whose sentence vectors know their surroundings: the sum of both unit vectors, unit."""

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, Vectors]:
        whole = self.embed_passages(texts)
        rows = [
            whole[row] + super(LateEmbedder, self).embed_passages([text[start:end]])[0]
            for row, (text, inside) in enumerate(zip(texts, spans, strict=True))
            for start, end in inside
        ]
        return whole, unit(np.array(rows, dtype=np.float32).reshape(-1, self.dimension))


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture(scope="session")
def make_embedder() -> Callable[..., WordEmbedder]:
    """Builds a `WordEmbedder` with another name, dimension or shift."""
    return WordEmbedder


@pytest.fixture
def late_embedder() -> LateEmbedder:
    return LateEmbedder()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Writes files by name below a folder `files`, and gives that folder."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        folder = tmp_path / "files"
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture
def write_rows(write: Callable[[Mapping[str, str]], Path]) -> Callable[..., Path]:
    """Writes texts as the rows of a JSONL file, without titles: each is a document of its own."""

    def write_rows(texts: Sequence[str] | Mapping[str, str], name: str = "rows.jsonl") -> Path:
        named = texts if isinstance(texts, Mapping) else {str(row): text for row, text in enumerate(texts)}
        lines = [json.dumps({"_id": row, "text": text}) for row, text in named.items()]
        return write({name: "\n".join(lines)}) / name

    return write_rows


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """The path of a name in ../shared/data; a test that needs one that is not there is skipped."""

    def shared(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"needs {SHARED / name}")
        return SHARED / name

    return shared


class Scripted:
    """A `Generator` that writes its texts, one a call and the last for ever, four characters at a time; an error is
    raised in its place. `asked` holds the messages of each call.
    """

    name = "scripted"

    def __init__(self, *texts: str | Exception, budget: int = 3000) -> None:
        self.texts = list(texts)
        self.budget = budget
        self.asked: list[Sequence[Mapping[str, str]]] = []

    def generate(self, messages: Sequence[Mapping[str, str]], within_s: float | None = None) -> Iterator[str]:
        self.asked.append(messages)
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Exception):
            raise text
        yield from (text[at : at + 4] for at in range(0, len(text), 4))


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture(scope="session")
def server_that() -> ModuleType:
    """tests/language_server.py: a server of a language model that behaves as it is told."""
    spec = spec_from_file_location("language_server", Path(__file__).with_name("language_server.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Child:
    """A forked process that runs `work(tell)`, where `tell(bytes)` writes to the pipe that `hear` reads."""

    def __init__(self, work: Callable[[Callable[[bytes], object]], object]) -> None:
        self._pipe, end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                work(lambda message: os.write(end, message))
            finally:
                os._exit(0)
        os.close(end)
        self.status: int | None = None

    def hear(self, most: int = 1000) -> bytes:
        """What it has written, or empty once it is gone; fails after a minute of silence."""
        if not select.select([self._pipe], [], [], 60)[0]:
            self.kill()
            pytest.fail(f"nothing from the child process {self.pid}")
        return os.read(self._pipe, most)

    def is_there(self) -> bool:
        """Whether it has not ended yet."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is None

    def wait(self) -> int:
        """The number of the signal that ended it, or 0."""
        if self.status is None:
            _, self.status = os.waitpid(self.pid, 0)
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else 0

    def kill(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def close(self) -> None:
        self.kill()
        os.close(self._pipe)


@pytest.fixture
def fork() -> Iterator[Callable[[Callable[[Callable[[bytes], object]], object]], Child]]:
    """Runs a function in a child process; whatever is left of it is killed after the test."""
    children: list[Child] = []

    def fork(work: Callable[[Callable[[bytes], object]], object]) -> Child:
        children.append(Child(work))
        return children[-1]

    yield fork
    for child in children:
        child.close()
