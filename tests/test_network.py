"""The block that keeps every other test on this machine."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.invalid", 443), ("0.0.0.0", 1)])
def test_no_test_reaches_another_machine(address: tuple[str, int]) -> None:
    with socket.socket() as one, pytest.raises(AssertionError, match="a test tried to reach"):
        one.connect(address)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        server.accept()[0].close()
        assert client.recv(1) == b""
