"""Places that an index can be in: a folder, Milvus Lite in this process and as a server, Milvus 2.3.5.

Each server is started once, by the first test that asks for it, and killed at the end. Where one cannot be had its
tests are skipped by name; with FOOTNOTED_SERVERS=required they fail.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from .places import FOLDER, KINDS, LITE, LITE_SERVER, REAL, Missing, Place, Server, cannot, check_lite

_STARTED = {LITE_SERVER: "lite", REAL: "real"}
_number = itertools.count(1)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """pymilvus sleeps half a second for each index that it has made."""
    with suppress(ImportError):
        import pymilvus.client.grpc_handler as handler

        def sleep(seconds: float) -> None:
            time.sleep(min(seconds, 0.02))

        monkeypatch.setattr(handler, "time", SimpleNamespace(**{**vars(time), "sleep": sleep}))


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """A server of a kind, shared by the tests here and gone with them: idle it takes a quarter of a processor."""
    running: dict[str, Server] = {}

    def server(kind: str) -> Server:
        if kind not in running:
            running[kind] = Server(_STARTED[kind], tmp_path_factory.mktemp("server")).start()
        return running[kind]

    yield server
    for one in running.values():
        one.kill()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """A server of a kind that the test may kill and hang."""
    running = []

    def server(kind: str) -> Server:
        try:
            running.append(Server(_STARTED[kind], tmp_path / "server"))
        except Missing as missing:
            cannot(missing)
        return running[-1].start()

    yield server
    for one in running:
        one.kill()


@pytest.fixture(scope="session")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lite") / "all.db"


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[str], Server], lite: Path) -> Place:
    """An empty one of each kind, or of those that a test names (`only`)."""
    kind, name = request.param, f"index_{next(_number)}"
    server, address = None, ""
    try:
        if kind == LITE:
            check_lite()
            address = f"milvus://{lite}/{name}"
        elif kind != FOLDER:
            server = servers(kind)
            address = server.address(name)
    except Missing as missing:
        cannot(missing)
    return Place(kind, address, server, tmp_path)
