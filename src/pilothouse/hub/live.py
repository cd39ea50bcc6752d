"""The live stream, `GET /api/live`: a snapshot, then changes, to as many viewers as there are.

Raw ASGI, for a frame is encoded once for each distinct audience and the same bytes go to every viewer of it. Who may
see what is decided in `seen`; that streams end with their log-ins is seen to by `people_watch`.
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
from pilothouse.hub.access import Visitor
from pilothouse.hub.directory import Change
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.hub.streams import Audiences, Stream
from pilothouse.hub.viewers import Viewer, parse_filter

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
_LAST_WORD = 1.0
"""Seconds that a viewer has to take its last frame."""
_REMEMBERED = 4096

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Live:
    """All viewers of this hub. `run` beats until cancelled; `close` ends every stream."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._gathered = frames.Gathered()
        self._audiences = Audiences(site.seeing)
        self._number = 0
        self._flush: asyncio.TimerHandle | None = None
        self._last_flush = 0.0
        self._told: dict[str, None] = {}
        self._closed = False

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return len(self._audiences)

    @property
    def audiences(self) -> list[list[Viewer]]:
        """The viewers, those who are sent the same together."""
        return [[stream.viewer for stream in audience.streams] for audience in self._audiences]

    @property
    def streams(self) -> list[Stream]:
        """All that are open and not over with their next frame."""
        return [stream for stream in self._audiences.streams if not stream.viewer.leaving]

    # what is to be told

    def changed(self, change: Change) -> None:
        """Something in the directory changed: it is in the next frame."""
        self._site.revision += 1
        if self.viewers:
            self._gathered.add(change)
            self._soon()

    def ended(self, outcome: Outcome) -> None:
        """A command ended; said once, though it may be heard of twice (its answer, the bus)."""
        if outcome.id in self._told:
            return
        self._told[outcome.id] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        if self.viewers:
            self._gathered.end(outcome)
            self._soon()

    def stands_changed(self, names: set[str]) -> None:
        """Who holds these stands changed, or who would like to."""
        self._site.revision += 1
        if self.viewers:
            stands = self._site.stands.views()
            self._gathered.stands |= {view.stand: view for view in stands if view.stand in names}
            self._soon()

    def hub_changed(self) -> None:
        """The link, a process of this machine or a stop changed."""
        self._site.revision += 1
        if self.viewers:
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
        self._audiences.renew()
        for audience in self._audiences:
            seen = audience.seen
            frame = gathered.frame(seen.directory, audience.wanted, now=now, sight=seen.sight)
            if frame is not None:
                audience.push(frames.event("change", self._number, msgspec.json.encode(frame)))
        self._last_flush = asyncio.get_running_loop().time()

    # the log-ins behind the streams

    def dismiss(self, stream: Stream) -> None:
        """Its log-in is over: it is told so, and nothing else any more."""
        stream.viewer.dismiss(self._event("bye", {"time": self._site.clock.now(), "why": "ended"}))
        asyncio.get_running_loop().call_later(_LAST_WORD, self._end, stream)

    def turn(self, stream: Stream, visitor: Visitor) -> None:
        """Its visitor has other rights now: it is told so, and then what may be seen with these."""
        self._audiences.turn(stream, visitor)
        stream.viewer.interrupt(self._event("rights", {"time": self._site.clock.now()}))

    def _event(self, name: str, data: dict[str, Any]) -> bytes:
        return frames.event(name, self._number, msgspec.json.encode(data))

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
            for audience in self._audiences:
                audience.push(data)
            self._let_stuck_go()

    def _let_stuck_go(self) -> None:
        limit = asyncio.get_running_loop().time() - _STUCK
        for stream in self._audiences.streams:
            if 0 < stream.sending_since < limit:
                self._end(stream)

    def close(self) -> None:
        """End every stream: the hub stops."""
        self._closed = True
        if self._flush is not None:
            self._flush.cancel()
        for stream in self._audiences.streams:
            self._end(stream)

    def _end(self, stream: Stream) -> None:
        stream.viewer.close()
        if stream.sending_since and stream.task is not None:
            # It waits for a reader that does not read; closing alone would never wake it.
            stream.task.cancel()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One stream, as an ASGI application; raises WebError before it starts."""
        stream = self._open(scope)
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        self._audiences.join(stream)
        watch = asyncio.create_task(_gone(receive, stream.viewer))
        try:
            await self._pump(stream, send)
        except asyncio.CancelledError:
            if not stream.viewer.closed:
                raise
            # Ours: a stuck viewer was let go.
        finally:
            watch.cancel()
            self._audiences.leave(stream)

    def _open(self, scope: Scope) -> Stream:
        if scope["method"] != "GET":
            raise WebError(405, "method", "A stream can only be read", remedy="Open it with GET")
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        wanted = parse_filter(asked.get("things", [""])[0])
        visitor: Visitor = scope["state"]["visitor"]
        if asked.get("for", [visitor.who])[0] != visitor.who:
            what = f"This stream would be for {visitor.who}, who is logged in here now"
            raise WebError(409, "other-person", what, remedy="Load the page again")
        if self._closed or self.viewers >= VIEWERS:
            raise WebError(503, "busy", "The hub takes no more streams now", remedy="Close pages that nobody looks at")
        return Stream(visitor, wanted, scope["state"].get("again"))

    async def _pump(self, stream: Stream, send: Send) -> None:
        viewer, clock = stream.viewer, asyncio.get_running_loop().time
        while not viewer.closed:
            data = viewer.first()
            if not data and viewer.leaving:
                break
            if not data:
                data = self._snapshot(stream) if viewer.behind else viewer.take()
            if data:
                stream.sending_since = clock()
                await send({"type": "http.response.body", "body": data, "more_body": True})
                stream.sending_since = 0.0
            else:
                stream.fresh.clear()
                await stream.fresh.wait()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _snapshot(self, stream: Stream) -> bytes:
        self._audiences.renew()
        site, audience = self._site, stream.audience
        assert audience is not None
        stream.viewer.caught_up()
        if audience.snapshot[0] != site.revision:
            seen = audience.seen
            hub = seen.sight.hub_status(site.hub_status())
            wanted = seen.sight.wanted(audience.wanted)
            audience.snapshot = (
                site.revision,
                frames.snapshot(seen.directory, wanted, hub, seen.stands.views()),
            )
        return frames.event("snapshot", self._number, frames.timed(site.clock.now(), audience.snapshot[1]))


async def _gone(receive: Receive, viewer: Viewer) -> None:
    """Wait until the browser has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()
