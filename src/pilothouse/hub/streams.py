"""Open streams in audiences: all that want the same and see the same are sent the same bytes, encoded once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from pilothouse.hub.access import Visitor
from pilothouse.hub.seen import Seeing, Seen, Sight
from pilothouse.hub.viewers import Filter, Viewer
from pilothouse.rights import Rights

Again = Callable[[], Awaitable[Visitor | None]]
"""Asks anew for whom a request was let in; None = nobody's any more. Raises RecordError, WebError."""


class Stream:
    """A viewer with its task, and for whom it was let in."""

    __slots__ = ("again", "audience", "fresh", "sending_since", "task", "viewer", "visitor", "wanted")

    def __init__(self, visitor: Visitor, wanted: Filter, again: Again | None = None) -> None:
        self.fresh = asyncio.Event()
        self.viewer = Viewer(self.fresh.set)
        self.sending_since = 0.0
        """When it began to wait for its reader, by the loop's clock; 0 = it does not."""
        self.task = asyncio.current_task()
        self.visitor = visitor
        self.wanted = wanted
        self.again = again
        self.audience: Audience | None = None


class Audience:
    """Streams that want the same and see the same."""

    __slots__ = ("seen", "snapshot", "streams", "wanted")

    def __init__(self, wanted: Filter, seen: Seen) -> None:
        self.wanted = wanted
        self.seen = seen
        self.streams: set[Stream] = set()
        self.snapshot: tuple[int, bytes] = (-1, b"")
        """The last one, and the revision of the site that it is of."""

    def push(self, data: bytes) -> None:
        """Bytes for all of them."""
        for stream in self.streams:
            stream.viewer.push(data)


class Audiences:
    """All open streams."""

    def __init__(self, seeing: Seeing) -> None:
        self._seeing = seeing
        self._shape = seeing.shape
        self._all: dict[tuple[Filter, Sight], Audience] = {}
        self._count = 0

    def __iter__(self) -> Iterator[Audience]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return self._count

    @property
    def streams(self) -> list[Stream]:
        """All of them."""
        return [stream for audience in self for stream in audience.streams]

    def join(self, stream: Stream) -> None:
        """A stream is open; what it is sent follows from what its visitor may see."""
        self._put(stream, self._seeing.by(stream.visitor.rights))
        self._count += 1

    def leave(self, stream: Stream) -> None:
        """A stream is over."""
        self._take(stream)
        self._count -= 1

    def turn(self, stream: Stream, visitor: Visitor) -> None:
        """From now on it is for this visitor: the same person with other rights."""
        self._take(stream)
        stream.visitor = visitor
        self._put(stream, self._seeing.by(visitor.rights))

    def renew(self) -> None:
        """Look whether things or stands came or went: whoever sees others than before starts anew.

        To be called before anything is sent. Costs nothing while none did.
        """
        if self._shape == self._seeing.shape:
            return
        self._shape = self._seeing.shape
        found: dict[Rights, Seen] = {}
        for audience in [audience for audience in self if audience.seen.sight.things is not None]:
            for stream in list(audience.streams):
                rights = stream.visitor.rights
                seen = found.get(rights) or found.setdefault(rights, self._seeing.by(rights))
                if seen.sight == audience.seen.sight:
                    audience.seen, audience.snapshot = seen, (-1, b"")
                    continue
                self._take(stream)
                self._put(stream, seen)
                stream.viewer.start_anew()

    def _put(self, stream: Stream, seen: Seen) -> None:
        key = (stream.wanted, seen.sight)
        audience = self._all.get(key)
        if audience is None:
            audience = self._all[key] = Audience(stream.wanted, seen)
        audience.streams.add(stream)
        stream.audience = audience

    def _take(self, stream: Stream) -> None:
        audience = stream.audience
        assert audience is not None
        audience.streams.discard(stream)
        if not audience.streams:
            del self._all[audience.wanted, audience.seen.sight]
        stream.audience = None
