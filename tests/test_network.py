"""The block that keeps every other test on this machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.invalid", 443), ("0.0.0.0", 1)])
def test_no_test_reaches_another_machine(address: tuple[str, int]) -> None:
    with socket.socket() as one, pytest.raises(AssertionError, match="a test tried to reach"):
        one.connect(address)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        server.accept()[0].close()
        assert client.recv(1) == b""


@pytest.mark.model
def test_nothing_is_noted_for_others_by_what_runs_the_models(tmp_path: Path) -> None:
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    (tmp_path / "lease.txt").write_text("The lease ends on 31 March 2030.")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    environment |= {"HOME": str(home), "FOOTNOTED_CACHE": str(cache)}
    for command in (["index", "lease.txt"], ["ask", "When does the lease end?"]):
        subprocess.run(
            [Path(sys.executable).with_name("footnoted"), *command], cwd=tmp_path, env=environment, check=True
        )
    assert [path for path in home.rglob("*") if path.is_file()] == []
