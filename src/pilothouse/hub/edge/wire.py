"""HTTP/1.1 on one connection: uvicorn's protocol, with bounds that it does not have.

Every request is served whole or refused in one way; nothing is written into the answer of another request. When one
is refused while an earlier one is being answered, that answer is the last on its connection.
"""

from __future__ import annotations

import asyncio

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from pilothouse.hub.edge.bounds import Bounds
from pilothouse.hub.edge.crowd import Seat
from pilothouse.hub.edge.heads import Refusal, refusal_of
from pilothouse.hub.edge.patience import Patience, Phase, Verdict

_PIECE = 16 * 1024
"""Bytes that the parser is given at once, so that sizes are known to within that much."""
_STREAMS = frozenset({"/api/live"})
"""Answers without an end; whoever sends them lets go of readers that do not read."""


class _Refused(Exception):
    """Stops the parser from within its callbacks."""


class Wire(HttpToolsProtocol):
    """One connection; `seat` is left when it is gone, `look` is to be called every `bounds.sweep` seconds."""

    def __init__(
        self, settings: uvicorn.Config, state: ServerState, loop: asyncio.AbstractEventLoop, bounds: Bounds, seat: Seat
    ) -> None:
        super().__init__(settings, state, {}, loop)
        self.patience = Patience(bounds, loop.time())
        self._bounds = bounds
        self._seat = seat
        self._deaf = False
        """Whether what comes is not listened to any more."""
        self._in_head = False
        self._raw = 0
        """Bytes of the request that is coming, without those of this piece."""
        self._piece = 0
        self._now = 0.0
        """When this piece came."""
        self._refusal = Refusal.BAD
        self._running: RequestResponseCycle | None = None
        """The request that is being answered, or was last."""

    # the connection

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        super().connection_lost(exc)
        self._deaf = True
        self._seat.leave()

    def pause_writing(self) -> None:
        """The other side does not read, or not fast enough."""
        super().pause_writing()
        self.patience.stuck(self.loop.time())

    def resume_writing(self) -> None:
        """It has read on."""
        super().resume_writing()
        self.patience.flows()

    def look(self, now: float) -> None:
        """Let it go when it has not got on in time."""
        patience, transport = self.patience, self.transport
        if patience.due > now:
            return
        if transport.is_closing() and patience.phase is not Phase.CLOSING:
            patience.closing(now, self._unsent())
            return
        if patience.phase is Phase.BODY and self.flow.read_paused:
            patience.piece(now)  # it is we who do not read
            return
        verdict = patience.look(now, self._unsent(), endless=self._streams())
        if verdict is Verdict.CLOSE:
            transport.close()
            patience.closing(now, 0)
        elif verdict is Verdict.LATE:
            self._refuse(Refusal.LATE)
        elif verdict is Verdict.ABORT:
            transport.abort()

    def _unsent(self) -> int:
        return self.transport.get_write_buffer_size()

    def _streams(self) -> bool:
        running = self._running
        return running is not None and not running.response_complete and running.scope["path"] in _STREAMS

    # what comes

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        self._now = self.loop.time()
        if len(data) <= _PIECE:
            self._feed(data)
            return
        view = memoryview(data)
        for start in range(0, len(data), _PIECE):
            self._feed(view[start : start + _PIECE])

    def _feed(self, piece: bytes | memoryview) -> None:
        if self._deaf:
            return
        self._piece = len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._deaf = True  # served as if it had not asked; what follows would be in that other protocol
        except httptools.HttpParserError:
            self._refuse(self._refusal)
        else:
            self._raw += len(piece)
            if self._in_head and self._raw > self._bounds.head_bytes + _PIECE:
                self._refuse(Refusal.LARGE_HEAD)
            elif self._raw > self._bounds.body_bytes:
                self._refuse(Refusal.LARGE_BODY)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True
        self._raw = 0
        self.patience.head(self._now)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        parser, bounds = self.parser, self._bounds
        large, upgrade = self._raw + self._piece > bounds.head_bytes, parser.should_upgrade()
        refusal = refusal_of(
            parser.get_http_version(), self.url, self.headers, bounds, upgrade=upgrade, may_be_large=large
        )
        if refusal is None and len(self.pipeline) >= bounds.pipelined:
            refusal = Refusal.BAD  # never said: there is an answer on its way, and it will be the last
        if refusal is not None:
            self._refusal = refusal
            raise _Refused
        self._raw = -self._piece  # the body begins somewhere in this piece
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        # Headers after a body go nowhere, or a browser could send there what its proxy takes away.
        self.headers = []
        if upgrade:
            self.cycle.keep_alive = False
        self.patience.body(self._now)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        super().on_body(body)
        self.patience.piece(self._now)

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self.cycle.more_body = False  # also when it was answered before
        self._raw = -self._piece
        self.patience.whole(self._now)
        if self.cycle.response_complete:
            self.patience.answered(self._now, self._unsent())

    # what goes

    def on_response_complete(self) -> None:
        """An answer is written."""
        self.server_state.total_requests += 1
        now = self.loop.time()
        if self.transport.is_closing():
            self.patience.closing(now, self._unsent())
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._running, app = self.pipeline.pop()
            self._start_asgi_task(self._running, app)
            if not self.pipeline and self.patience.phase is not Phase.HEAD:
                self.patience.whole(now)
        else:
            self.patience.answered(now, self._unsent())

    def _refuse(self, refusal: Refusal) -> None:
        """Serve nothing more on this connection, and say why where an answer is waited for."""
        self._deaf = True
        self.pipeline.clear()
        running, now = self._running, self.loop.time()
        if running is None or running.response_complete:
            answered = running is not None and running is self.cycle and running.more_body
            self._say(None if answered else refusal)
        elif running.more_body:
            # Its own body is what is wrong: whoever waits for it is told that it will not come.
            running.disconnected = True
            running.message_event.set()
            self._say(None if running.response_started else refusal)
        elif self._streams():
            self._say(None)
        else:
            running.keep_alive = False
            self.flow.pause_reading()
            self.patience.whole(now)

    def _say(self, refusal: Refusal | None) -> None:
        transport = self.transport
        if refusal is not None:
            body = f"{refusal.text}\n".encode()
            transport.write(
                STATUS_LINE[refusal.status]
                + b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
                % len(body)
                + body
            )
        transport.close()
        self.patience.closing(self.loop.time(), self._unsent())
