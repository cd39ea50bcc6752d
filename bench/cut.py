"""A TCP proxy on loopback whose link can be cut without a word: both ends stay connected, and nothing comes through.

That is what a pulled cable looks like to a program. `mend` lets what was held go on, as a cable put back does.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Self

_PIECE = 65536
_LOOK_EVERY = 0.02


class Cut:
    """Forwards connections to `port` on loopback until closed; `with Cut(port) as link:` gives its own `port`."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener.settimeout(_LOOK_EVERY)
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._open.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def cut(self) -> None:
        """From now on nothing comes through, in either direction; nobody is told."""
        self._open.clear()

    def mend(self) -> None:
        """Everything comes through again."""
        self._open.set()

    def _run(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                client.settimeout(None)
                self._run(self._forward, client)

    def _forward(self, client: socket.socket) -> None:
        # A connection that comes while the link is cut hangs as it would at a pulled cable.
        while not self._open.wait(_LOOK_EVERY) and not self._over.is_set():
            pass
        try:
            server = socket.create_connection(("127.0.0.1", self._to), timeout=1)
        except OSError:
            client.close()
            return
        other = {client: server, server: client}
        with client, server, selectors.DefaultSelector() as ready, contextlib.suppress(OSError):
            for end in other:
                ready.register(end, selectors.EVENT_READ)
            while not self._over.is_set():
                for key, _ in ready.select(_LOOK_EVERY) if self._open.wait(_LOOK_EVERY) else ():
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    piece = source.recv(_PIECE)
                    if not piece:
                        return
                    other[source].sendall(piece)
