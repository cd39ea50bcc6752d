"""The live stream, `GET /api/live`: a snapshot, then changes, to as many viewers as there are.

Raw ASGI, for a frame is encoded once for each distinct filter and the same bytes go to every viewer of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from pilothouse.bus.messages import Outcome
from pilothouse.hub import frames
from pilothouse.hub.directory import Change
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.hub.viewers import Filter, Viewer, parse_filter

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

VIEWERS = 5000
"""Streams that one hub serves; one more is told to come back later."""
_GATHER = 0.003
"""Seconds over which changes are gathered into one frame when it was quiet before."""
_PACE = 0.00005
"""Seconds of pause between frames for each viewer, so that a thousand of them never take the loop for themselves."""
_BEAT = 2.0
_COMMENT_EVERY = 6
"""Beats."""
_STUCK = 60.0
"""Seconds after which a viewer that takes nothing at all is let go; it may come back for a snapshot."""
_REMEMBERED = 4096

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class _Connection:
    """A viewer with its task."""

    __slots__ = ("fresh", "sending_since", "task", "viewer")

    def __init__(self, wanted: Filter) -> None:
        self.fresh = asyncio.Event()
        self.viewer = Viewer(wanted, self.fresh.set)
        self.sending_since = 0.0
        self.task = asyncio.current_task()


class Live:
    """All viewers of this hub. `run` beats until cancelled; `close` ends every stream."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._gathered = frames.Gathered()
        self._audiences: dict[Filter, set[_Connection]] = {}
        self._number = 0
        self._flush: asyncio.TimerHandle | None = None
        self._last_flush = 0.0
        self._snapshots: dict[Filter, tuple[int, bytes]] = {}
        self._told: dict[str, None] = {}
        self._closed = False

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return sum(len(audience) for audience in self._audiences.values())

    @property
    def audiences(self) -> list[list[Viewer]]:
        """The viewers, those with the same filter together."""
        return [[connection.viewer for connection in audience] for audience in self._audiences.values()]

    # what is to be told

    def changed(self, change: Change) -> None:
        """Something in the directory changed: it is in the next frame."""
        self._site.revision += 1
        if self._audiences:
            self._gathered.add(change)
            self._soon()

    def ended(self, outcome: Outcome) -> None:
        """A command ended; said once, though it may be heard of twice (its answer, the bus)."""
        if outcome.id in self._told:
            return
        self._told[outcome.id] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        if self._audiences:
            self._gathered.end(outcome)
            self._soon()

    def stands_changed(self, names: set[str]) -> None:
        """Who holds these stands changed, or who would like to."""
        self._site.revision += 1
        if self._audiences:
            stands = self._site.stands.views()
            self._gathered.stands |= {view.stand: view for view in stands if view.stand in names}
            self._soon()

    def hub_changed(self) -> None:
        """The link, a process of this machine or a stop changed."""
        self._site.revision += 1
        if self._audiences:
            self._gathered.hub = self._site.hub_status()
            self._soon()

    def _soon(self) -> None:
        if self._flush is None:
            loop = asyncio.get_running_loop()
            rest = self._last_flush + self.viewers * _PACE - loop.time()
            self._flush = loop.call_later(max(_GATHER, rest), self._send_changes)

    def _send_changes(self) -> None:
        self._flush = None
        gathered, self._gathered = self._gathered, frames.Gathered()
        self._number += 1
        now = self._site.clock.now()
        for wanted, audience in self._audiences.items():
            frame = gathered.frame(self._site.directory, wanted, now=now)
            if frame is not None:
                self._push(audience, frames.event("change", self._number, msgspec.json.encode(frame)))
        self._last_flush = asyncio.get_running_loop().time()

    def _push(self, audience: set[_Connection], data: bytes) -> None:
        for connection in audience:
            connection.viewer.push(data)

    def _snapshot(self, wanted: Filter) -> bytes:
        kept = self._snapshots.get(wanted)
        if kept is None or kept[0] != self._site.revision:
            site = self._site
            data = frames.snapshot(site.directory, wanted, site.hub_status(), site.stands.views())
            kept = self._snapshots[wanted] = (self._site.revision, data)
        return frames.event("snapshot", self._number, frames.timed(self._site.clock.now(), kept[1]))

    # the streams

    async def run(self) -> None:
        """Beat, so that a page knows within 3 s that its link is gone; let go of viewers that are stuck."""
        beats = 0
        while True:
            await asyncio.sleep(_BEAT)
            beats += 1
            data = b'event: beat\ndata: {"time":%d}\n\n' % self._site.clock.now()
            if beats % _COMMENT_EVERY == 0:
                data = frames.COMMENT + data
            for audience in self._audiences.values():
                self._push(audience, data)
            self._let_stuck_go()

    def _let_stuck_go(self) -> None:
        limit = asyncio.get_running_loop().time() - _STUCK
        for audience in self._audiences.values():
            for connection in audience:
                if 0 < connection.sending_since < limit:
                    self._end(connection)

    def close(self) -> None:
        """End every stream: the hub stops."""
        self._closed = True
        if self._flush is not None:
            self._flush.cancel()
        for audience in self._audiences.values():
            for connection in audience:
                self._end(connection)

    def _end(self, connection: _Connection) -> None:
        connection.viewer.close()
        if connection.sending_since and connection.task is not None:
            # It waits for a reader that does not read; closing alone would never wake it.
            connection.task.cancel()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, as an ASGI application; raises WebError before it starts."""
        if scope["method"] != "GET":
            raise WebError(405, "method", "A stream can only be read", remedy="Open it with GET")
        wanted = parse_filter(parse_qs(scope["query_string"].decode("latin-1")).get("things", [""])[0])
        if self._closed or self.viewers >= VIEWERS:
            raise WebError(503, "busy", "The hub takes no more streams now", remedy="Close pages that nobody looks at")
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        connection = _Connection(wanted)
        self._audiences.setdefault(wanted, set()).add(connection)
        watch = asyncio.create_task(_gone(receive, connection))
        try:
            await self._pump(connection, send)
        except asyncio.CancelledError:
            if not connection.viewer.closed:
                raise
            # Ours: a stuck viewer was let go.
        finally:
            watch.cancel()
            self._leave(connection)

    async def _pump(self, connection: _Connection, send: Send) -> None:
        viewer, clock = connection.viewer, asyncio.get_running_loop().time
        while not viewer.closed:
            if viewer.behind:
                viewer.caught_up()
                data = self._snapshot(viewer.wanted)
            else:
                data = viewer.take()
            if data:
                connection.sending_since = clock()
                await send({"type": "http.response.body", "body": data, "more_body": True})
                connection.sending_since = 0.0
            else:
                connection.fresh.clear()
                await connection.fresh.wait()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _leave(self, connection: _Connection) -> None:
        wanted = connection.viewer.wanted
        audience = self._audiences[wanted]
        audience.discard(connection)
        if not audience:
            del self._audiences[wanted]
            self._snapshots.pop(wanted, None)


async def _gone(receive: Receive, connection: _Connection) -> None:
    """Wait until the browser has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    connection.viewer.close()
