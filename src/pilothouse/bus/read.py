"""Reading a stream from a position on: in order, nothing left out, across restarts of the bus.

A stream that is flushed lazily may come back shorter than it was, and new messages then take the numbers of those that
were lost. A reader that only knew its number would skip them. So each reader also knows when the messages it read last
were taken, and after every reconnect looks whether they are still the same.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.bus import jetstream
from pilothouse.bus.jetstream import Stored
from pilothouse.bus.subjects import Stream
from pilothouse.errors import BusDown, TimedOut

if TYPE_CHECKING:
    from pilothouse.bus.client import Bus

log = logging.getLogger(__name__)

_IDLE = 0.2
"""Seconds until a stream that had nothing new is asked again."""
_RETRY = 0.5
_MARKS = 64


class Mark(NamedTuple):
    """A message that was read."""

    seq: int
    time_ms: int
    """When the bus took it; 0 = not known."""


async def read(bus: Bus, stream: Stream, after: int, since: int, count: int) -> AsyncIterator[list[Stored]]:
    """Batches of what comes after position `after`, for ever; ends when the bus is closed."""
    marks: deque[Mark] = deque([Mark(after, since)] if after > 0 else [], maxlen=_MARKS)
    links = -1
    while not bus.closed:
        await bus.until_up()
        try:
            if links != bus.links:
                seen = bus.links
                await _find_place(bus, stream, marks)
                links = seen
            position = marks[-1].seq if marks else 0
            found, more = await jetstream.batch(bus.replies, stream, ">", position + 1, count)
        except (BusDown, TimedOut) as error:
            log.debug("reading %s: %s", stream.name, error)
            links = -1
            await bus.pause(_RETRY)
            continue
        if found:
            yield found
            marks.append(Mark(found[-1].seq, found[-1].time_ms))
        if not more:
            await bus.pause(_IDLE)


async def _find_place(bus: Bus, stream: Stream, marks: deque[Mark]) -> None:
    """Drop the marks that the stream does not bear out; what is left last is where to go on."""
    if not marks:
        return
    info = await jetstream.info(bus.replies, stream)
    newest = marks[-1]
    while marks:
        mark = marks[-1]
        if mark.seq <= info.last:
            stored = await jetstream.get(bus.replies, stream, mark.seq)
            if stored is None or mark.time_ms in (0, stored.time_ms):
                break
        marks.pop()
    place = marks[-1].seq if marks else 0
    if place != newest.seq:
        log.warning("%s came back shorter than it was; reading again from %d, not %d", stream.name, place, newest.seq)
