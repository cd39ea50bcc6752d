"""The web server: uvicorn's, with our gate before it and a look at every connection now and then."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from pilothouse.hub.edge.bounds import Bounds
from pilothouse.hub.edge.crowd import Crowd, Seat
from pilothouse.hub.edge.gate import ContextOf, Gate
from pilothouse.hub.edge.wire import Wire

_TICKS = 10
"""How often a second uvicorn looks after itself."""


class Server(uvicorn.Server):
    """Serves `app` in a process of ours, which takes the signals itself. End it with `should_exit`."""

    def __init__(self, app: Any, bounds: Bounds, crowd: Crowd, context_of: ContextOf) -> None:
        super().__init__(_settings(app))
        self._bounds = bounds
        self._crowd = crowd
        self._context_of = context_of
        self._gate: Gate | None = None
        self._sweep_every = max(1, round(bounds.sweep * _TICKS))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are not for it."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections from the one socket."""
        assert sockets is not None
        loop = asyncio.get_running_loop()

        def make(seat: Seat) -> Wire:
            return Wire(self.config, self.server_state, loop, self._bounds, seat)

        self.servers = []
        self._gate = Gate(sockets[0], make, self._crowd, self._bounds, self._context_of)
        self._gate.open()
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Let connections go that do not get on; whether to stop."""
        if counter % self._sweep_every == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                connection.look(now)  # type: ignore[union-attr]  # all of them are Wires
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every connection: in order for a moment, then at once."""
        assert self._gate is not None
        await self._gate.close()
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


def _settings(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=Wire,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,  # a viewer that reads nothing would hold the hub up for longer
    )
