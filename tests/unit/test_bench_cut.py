"""The proxy whose link is cut without a word."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from bench.cut import Cut


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says everything once more; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError):
                while piece := connection.recv(1024):
                    connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_cut_link_is_silent_and_loses_nothing(echo: int) -> None:
    """Nothing comes through while it is cut, nobody is told, and it comes when the link is mended."""
    with Cut(echo) as link, socket.create_connection(("127.0.0.1", link.port)) as client:
        client.settimeout(5)
        client.sendall(b"one")
        assert client.recv(16) == b"one"
        link.cut()
        client.sendall(b"two")  # what was being read right then may still pass, as on a cable
        client.settimeout(0.1)
        passed = received(client)
        client.sendall(b"three")
        assert received(client) == b""
        link.mend()
        client.settimeout(5)
        while passed != b"twothree":
            passed += client.recv(16)


def received(client: socket.socket) -> bytes:
    """What comes within the client's time; b"" when nothing does."""
    try:
        return client.recv(16)
    except TimeoutError:
        return b""
