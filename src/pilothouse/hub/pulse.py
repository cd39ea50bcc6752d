"""Whether a node is alive, and how its clock runs against ours: what presences tell. Pure.

A presence may be old when it comes: the bus keeps the last one of every node for hubs that start, and a hub that was
frozen finds old ones in its socket. Only how far both monotonic clocks went tells how old it is; wall clocks jump.
"""

from __future__ import annotations

from collections import deque

from pilothouse.bus.messages import Presence

_STEADY = 1500
"""Milliseconds that two presences may come closer together or further apart than they were sent."""


class Pulse:
    """One node's signs of life."""

    def __init__(self) -> None:
        self.epoch = 0
        """Highest epoch of a presence."""
        self.seen = 0
        """Hub's monotonic clock when the node was last known to be alive, milliseconds."""
        self._ahead: deque[int] = deque(maxlen=30)
        """How far the node's monotonic clock was seen ahead of ours, milliseconds.

        Only the last minute counts: two quartz clocks drift apart by seconds a day.
        """
        self._sent = -1
        self._came = 0
        self._offset = 0

    @property
    def ahead(self) -> int:
        """How far the node's monotonic clock is ahead of ours, in milliseconds, at least.

        Every presence was a while on its way, so the largest difference is the nearest to the truth; a deadline made
        from too small a one only ends a command early, never late.
        """
        return max(self._ahead, default=0)

    def beat(self, message: Presence, *, now: int, mono: int) -> int | None:
        """How old this presence is in milliseconds; None = it is an old one or a double, and says nothing new.

        `now` and `mono` are the hub's clocks in milliseconds.
        """
        if message.epoch < self.epoch or (message.epoch == self.epoch and message.mono <= self._sent):
            return None
        first = message.epoch > self.epoch
        if first:
            self.epoch = message.epoch
            self._ahead.clear()
        ahead = message.mono - mono
        self._ahead.append(ahead)
        if first:
            # Nothing to compare with but wall clocks, as they are or as far apart as they were before.
            age = max(0, now - message.time + min(0, self._offset))
        else:
            age = self.ahead - ahead
            steady = abs((mono - self._came) - (message.mono - self._sent)) < _STEADY
            if age > _STEADY and steady:
                # They come as regularly as they are sent, so they are not old: the node's machine had slept, and its
                # monotonic clock with it.
                self._ahead.clear()
                self._ahead.append(ahead)
                age = 0
        self._sent, self._came = message.mono, mono
        self._offset = message.time - (now - age)
        self.seen = max(self.seen, mono - age)
        return age
