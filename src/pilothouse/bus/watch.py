"""Watching last values: what is, then "synced", then what changes; again after every reconnect, never blind.

Live messages are subscribed first and flow at once. What the bus kept is then read and given too, except where a live
message came meanwhile: that one is newer. A second look a little later catches a message that was on its way into the
stream while the subscription was on its way to the server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.bus import jetstream
from pilothouse.bus.feed import Feed, Latest
from pilothouse.bus.link import Delivery
from pilothouse.bus.messages import Message, decode
from pilothouse.bus.subjects import Stream
from pilothouse.errors import BadMessage, BusDown, TimedOut

if TYPE_CHECKING:
    from pilothouse.bus.client import Bus

log = logging.getLogger(__name__)

_SUBJECTS = 100_000
"""Subjects of which one watch keeps a value that was not read yet."""
_SECOND_LOOK = 1.0
_RETRY_FIRST, _RETRY_MOST = 0.05, 1.0


class Synced(NamedTuple):
    """Everything that the bus had kept was given; what follows is new."""


_SYNCED = ""
"""Key of the mark in the mailbox; no subject is empty."""

Watched = tuple[str, Message] | Synced
_Raw = tuple[type[Message], bytes] | None


class Watch:
    """Feeds one mailbox; lives until stopped."""

    def __init__(self, bus: Bus, stream: Stream, rows: Sequence[tuple[str, type[Message]]]) -> None:
        self.box = Latest(_SUBJECTS)
        self._bus = bus
        self._stream = stream
        self._rows = rows
        self._heard: set[str] | None = None
        """Subjects of live messages since the link came up; None when it is not needed."""
        self._task: asyncio.Task[None] | None = None
        self._taps = [bus.link.tap(subject, partial(self._live, kind)) for subject, kind in rows]

    def _live(self, kind: type[Message], delivery: Delivery) -> None:
        if self._heard is not None and len(self._heard) < _SUBJECTS:
            self._heard.add(delivery.subject)
        self.box.put(delivery.subject, (kind, delivery.data))

    def start(self) -> None:
        """The link is up: read what is kept. Called after every reconnect."""
        if self._task is not None:
            self._task.cancel()
        self._heard = set()
        self.box.take_back(_SYNCED)
        self._task = self._bus.spawn(self._sync())

    def stop(self) -> None:
        """No more messages, no more tasks."""
        for tap in self._taps:
            self._bus.link.untap(tap)
        if self._task is not None:
            self._task.cancel()
        self.box.close()

    async def _sync(self) -> None:
        wait = _RETRY_FIRST
        while True:
            try:
                await self._bus.link.settle()
                ends = [await self._look(subject, kind, 1) for subject, kind in self._rows]
                self.box.put(_SYNCED, None)
                await asyncio.sleep(_SECOND_LOOK)
                for (subject, kind), end in zip(self._rows, ends, strict=True):
                    await self._look(subject, kind, end + 1)
                self._heard = None
                return
            except (BusDown, TimedOut) as error:
                log.debug("the last values of %s are not there yet: %s", self._stream.name, error)
            await asyncio.sleep(wait)
            wait = min(_RETRY_MOST, wait * 2)

    async def _look(self, subject: str, kind: type[Message], seq: int) -> int:
        last = seq - 1
        async for stored in jetstream.scan(self._bus.replies, self._stream, subject, seq):
            last = stored.seq
            if self._heard is None or stored.subject not in self._heard:
                self.box.put(stored.subject, (kind, stored.data))
        return last


def feed_of(bus: Bus, watch: Watch, end: partial[None]) -> Feed[Watched]:
    """The iterator over a watch."""

    def opened(key: str, raw: _Raw) -> Watched | None:
        if raw is None:
            return Synced()
        kind, data = raw
        try:
            return key, decode(kind, data)
        except BadMessage as error:
            bus.note_bad(key, error)
            return None

    return Feed(watch.box, opened, end)
