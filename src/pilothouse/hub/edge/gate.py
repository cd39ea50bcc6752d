"""Takes connections from the listening socket: counts them before anything else, then does TLS where TLS is spoken."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import TypeAlias

from pilothouse.hub.edge.bounds import Bounds
from pilothouse.hub.edge.crowd import Crowd, Seat, TurnedAway

log = logging.getLogger(__name__)

Make: TypeAlias = Callable[[Seat], asyncio.Protocol]
ContextOf: TypeAlias = Callable[[], ssl.SSLContext | None]
"""The TLS context of this moment, which may be another one later; None = no TLS."""

_AT_ONCE = 64
"""Connections taken before everybody else has a turn."""
_BREATH = 1.0
"""Seconds in which none are taken when the system has no more to give."""
_SAY_AGAIN = 60.0
"""Seconds in which the same is said once in the log."""
_TLS_HANDSHAKE = b"\x16"
_HTTPS_HERE = b"This address is for https: put https:// before it.\n"


class Gate:
    """Open it with `open`; `close` takes nothing more and lets those go that are not yet through."""

    def __init__(
        self, listening: socket.socket, make: Make, crowd: Crowd, bounds: Bounds, context_of: ContextOf
    ) -> None:
        self._listening = listening
        self._make = make
        self._crowd = crowd
        self._bounds = bounds
        self._context_of = context_of
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[None]] = set()
        self._breath: asyncio.TimerHandle | None = None
        self._said: dict[str, float] = {}

    def open(self) -> None:
        """Take connections from now on."""
        self._breath = None
        self._loop.add_reader(self._listening.fileno(), self._take)

    async def close(self) -> None:
        """Take none any more."""
        if self._breath is not None:
            self._breath.cancel()
        self._loop.remove_reader(self._listening.fileno())
        for task in self._arriving:
            task.cancel()
        await asyncio.gather(*self._arriving, return_exceptions=True)

    def _take(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connected, peer = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._say("no connection can be taken: %s", error.strerror or str(error))
                self._loop.remove_reader(self._listening.fileno())
                self._breath = self._loop.call_later(_BREATH, self.open)
                return
            self._let_in(connected, peer[0])

    def _let_in(self, connected: socket.socket, address: str) -> None:
        connected.setblocking(False)
        context, seat = self._context_of(), self._crowd.enter(address)
        if isinstance(seat, TurnedAway):
            self._say("%s: turned away", f"{seat.value} ({address})")
            _end(connected, b"" if context else _turned_away(seat))
            return
        task = self._loop.create_task(self._arrive(connected, seat, context))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _arrive(self, connected: socket.socket, seat: Seat, context: ssl.SSLContext | None) -> None:
        """Make it a connection with a protocol, which leaves the seat; or leave it here."""
        try:
            if context is None:
                await self._loop.connect_accepted_socket(lambda: self._make(seat), connected)
            elif await self._speaks_tls(connected):
                await self._loop.connect_accepted_socket(
                    lambda: self._make(seat),
                    connected,
                    ssl=context,
                    ssl_handshake_timeout=self._bounds.handshake,
                    ssl_shutdown_timeout=self._bounds.closing,
                )
            else:
                with contextlib.suppress(OSError):
                    connected.recv(65536)  # unread, it would have the system take back our answer
                _end(connected, _answer(b"400 Bad Request", _HTTPS_HERE))
                seat.leave()
        except (OSError, TimeoutError) as error:  # OSError: also what TLS finds wrong, and who has gone
            log.debug("a connection came to nothing: %s", error)
            connected.close()
            seat.leave()
        except asyncio.CancelledError:
            connected.close()
            seat.leave()
            raise

    async def _speaks_tls(self, connected: socket.socket) -> bool:
        """Look at the first byte and leave it there. Raises TimeoutError, ConnectionError."""
        readable = asyncio.Event()
        self._loop.add_reader(connected.fileno(), readable.set)
        try:
            async with asyncio.timeout(self._bounds.handshake):
                await readable.wait()
        finally:
            self._loop.remove_reader(connected.fileno())
        first = connected.recv(1, socket.MSG_PEEK)
        if not first:
            raise ConnectionError("hung up")
        return first == _TLS_HANDSHAKE

    def _say(self, what: str, of: str) -> None:
        now = self._loop.time()
        if now - self._said.get(what, -_SAY_AGAIN) >= _SAY_AGAIN:
            self._said[what] = now
            log.warning(what, of)


def _turned_away(why: TurnedAway) -> bytes:
    if why is TurnedAway.BESIDE_PROXY:
        return _answer(b"403 Forbidden", b"This hub is reached through its proxy only.\n")
    return _answer(b"503 Service Unavailable", b"There are too many connections: close pages that nobody looks at.\n")


def _answer(status: bytes, text: bytes) -> bytes:
    return (
        b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
        % (status, len(text), text)
    )


def _end(connected: socket.socket, words: bytes) -> None:
    with contextlib.suppress(OSError):
        if words:
            connected.send(words)
    connected.close()
